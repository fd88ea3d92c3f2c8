### 终端摘要中对差异的说明，每项检查一条。英文说明由 src/checks 给出，并写入 discrepancies.csv；文件中的说明不译。
###
### $expected 与 $actual 是该检查的预期值与实际值。来自服务方的文字（状态、币种、订单号）不在此显示。

finding-quote-split = 实扣 + 释放为 { $actual }，报价为 { $expected }
finding-cost-sum = 总费用为 { $actual }，算力 + 外部模型为 { $expected }
finding-missing-amount = 缺少 { $expected }
finding-negative-amount = 金额为负：{ $actual }
finding-identity-mismatch = 答复的不是所查询的订单
finding-currency = 没有币种，或不是预期的币种
finding-restated = 结算之后，金额或币种又有变动
finding-vanished = 曾见其已结算，实扣 { $expected }，服务方如今不认得该订单
finding-charge-equals-cost = 实扣 { $actual } 不等于总费用 { $expected }
finding-charge-exceeds-quote = 实扣 { $actual } 高于报价 { $expected }
finding-failed-run-charged = 运行失败，却实扣 { $actual }
finding-status-conflict = 各项状态互相矛盾
finding-expected-mismatch = 与我方账簿不符
finding-booked-twice = 我方账簿在 { $actual } 行记有该订单
finding-unlisted-in-input = 服务方列有该订单，输入中没有
finding-list-mismatch = 列表与订单本身的金额不同
finding-stale-soon = 即将逾期，仍未结算
finding-outside-period = 创建于 { $actual }，在期间 { $expected } 之外
finding-stale-pending = 超过时限仍未结算
finding-timestamp-order = 更新时间早于创建时间
finding-zero-time = 时间是程序的零值，视为空
finding-unknown-status = 有状态缺失，或是未知的词
