### 各命令的输出：错误与警告、进度，以及没有单独文件的命令的输出。

## 错误与警告。

exit-error = 错误：{ $what }
exit-warning = 警告：{ $what }
exit-help = 建议：{ $help }

## 进度。

progress-rows = { $done }/{ $all } 行
progress-orders = { $done }/{ $all } 笔订单
progress-pace = 每秒请求 { $used } 次
progress-pace-allowed = 每秒请求 { $used } 次（上限 { $allowed }）
progress-discrepant = 差异
progress-exceptions = 例外
progress-retries = 重试
progress-throttled = 限速
progress-eta = 预计还需 { $time }
progress-until = { $what }，至 { $time }
progress-wait-rate = 等待速率限额
progress-wait-replies = 等待答复
progress-wait-provider = 服务方要求等待
progress-wait-back-off = 收到 429，放慢请求
progress-wait-breaker = 服务方故障，暂停请求
progress-wait-retries = 等待重试额度

progress-list = 正在走完服务方的订单列表
progress-recheck =
    { $count ->
       *[other] 重新获取 { $count } 笔未通过检查的订单
    }
progress-recorded = 运行 { $run } 在发布报告之后被强制终止，现已补记其报告：{ $folder }
progress-continuing = 继续 { $began } 的运行 { $run }：{ $rows } 行中已完成 { $count } 行
progress-new-run = 开始新的运行，不继续 { $began } 的运行 { $run }：{ $reason }
progress-new-fresh = 给出了 --fresh
progress-new-long-reported = 其首份报告生成于 { $since }，早于 --resume-within
progress-new-long-idle = 其最后活动在 { $since }，早于 --resume-within
progress-new-input = 输入已改变
progress-new-reading = 输入的读法不同：列、标题行、编码或分隔符
progress-new-settings = 影响判断的设置已改变
progress-new-as-of = 其 --as-of 是 { $as-of }
progress-new-no-row = 输入的第 { $line } 行不再是数据行
progress-new-other-row = 输入的第 { $line } 行在处理时是另一行

## verify。

verify-proven = 报告得到证明。
verify-not-proven = 报告未得到证明。
verify-part-holds = 成立
verify-part-fails = 不成立
verify-part-not-proven = 未证明
verify-report-unchanged = 此前已证明，且没有改动
verify-report-proven = 已证明
verify-report-not-proven = 未得到证明
verify-report-missing = 缺失：由运行 { $run } 生成，且不是 `tieout prune` 删除的
verify-nothing = 没有可供证明的报告。
verify-counts = 已证明：{ $proven }。未得到证明：{ $unproven }。缺失：{ $missing }。

## runs 与 prune。

runs-none = 还没有运行
runs-column-run = 运行
runs-column-state = 状态
runs-column-started-at = 开始时间
runs-column-done = 已完成
runs-column-rows = 行数
runs-column-verdict = 结论
runs-column-input = 输入
runs-column-report = 报告

prune-removed = 已删除 { $what }
prune-would-remove = 将会删除 { $what }
prune-what = { $reports } 份报告，以及状态文件中 { $runs } 次运行的 { $outcomes } 条结果与 { $observations } 条观察记录
prune-compacted = 状态文件原有 { $before } 字节，现有 { $after } 字节
prune-size = 状态文件有 { $bytes } 字节，其中 { $free } 字节可供以后的运行使用
prune-size-hint = ；--compact 可将其归还磁盘

runs-state-running = 运行中
runs-state-unfinished = 未完成
runs-state-given-up = 已放弃
runs-state-incomplete = 不完整
runs-state-finished = 已完成

## dataset 与 compact。

dataset-appended = 已加入 { $dataset } 的报告：{ $reports } 份（订单：{ $orders } 笔）；此前已有：{ $present } 份；审计报告（没有新的观察）：{ $audits } 份
dataset-heading = 数据集 { $folder }
dataset-provider = 服务方
dataset-no-account = 未写明账户
dataset-days = 日
dataset-days-by = { $days }，按 { $zone }
dataset-runs = 运行
dataset-observations = 观察记录
dataset-observed = 有订单的 { $orders } 条，没有订单的 { $without } 行
dataset-files = 文件
dataset-files-bytes = { $files } 个，共 { $bytes } 字节
dataset-bytes-per-order = ，每笔订单 { $bytes } 字节
dataset-closed = 已结账
dataset-months = 月份：{ $months }
dataset-damage = 损坏
dataset-damage-found = 有损坏
dataset-hashes-hold = 全部哈希与写入时相同
dataset-sizes-hold = 全部大小与写入时相同
dataset-uncounted = 未计入
dataset-uncounted-files = { $count } 个文件没有运行提到
dataset-span = （{ $first } 至 { $last }）
dataset-more = 及另外 { $count } 个
dataset-totals = 最新运行 { $run } 的控制总额

compact-merged = 合并的文件：{ $merged } 个（{ $days } 日），合并为：{ $into } 个

## 其他命令。

init-wrote = 已写入 { $file }；请用 --config 指定，或移到 ~/.config/tieout/tieout.toml
schedule-wrote = 已写入 { $file }
schedule-next = 接下来：systemctl daemon-reload && systemctl enable --now { $timer }
sandbox-serves = 模拟器的地址：{ $url }
sandbox-key = 唯一的密钥是 { $key }。按 Ctrl-C 停止。可以试试：

script-file = 脚本
script-reads = 读取
script-writes = 写入
script-run = 运行
script-then = 然后
