### 程序用词的含义：检查、原因、归类、结论、严重程度。
### 检查代码的含义永不改变；代码、字段与选项保持原样，不译。

## 检查：通过的订单符合什么、何时适用、不通过的例子、如何处理。

check-quote-split-holds = 报价 = 实扣 + 释放（quote_amount = final_amount + released_amount）
check-quote-split-due = 订单已结算，且三项金额齐全
check-quote-split-example = 报价 0.90000000，实扣 0.45000000，释放 0.40000000：冻结金额中有 0.05000000 既未扣款也未退回。
check-quote-split-remedy = 请服务方说明，实扣与释放之和为何不等于冻结的报价。只有提交者事先接受外部模型费用时，实扣才可以高于报价。

check-cost-sum-holds = 总费用 = 算力 + 外部模型（total_cost = compute_cost + external_model_cost）
check-cost-sum-due = 三项金额齐全，不论是否已结算
check-cost-sum-example = 算力 0.30000000，外部模型 0.10000000，总费用 0.30000000：漏计了外部模型费用。
check-cost-sum-remedy = 总费用不等于各项之和，请服务方确认三项费用中哪一项有误。

check-missing-amount-holds = 应有的金额齐全
check-missing-amount-due = 报价始终适用；其余五项金额在订单结算后适用
check-missing-amount-example = 订单已结算却没有 final_amount：无从得知扣了多少。
check-missing-amount-remedy = 缺少金额就无法验证等式。请稍后重新获取；若仍然缺少，请询问服务方。

check-negative-amount-holds = 没有负金额
check-negative-amount-due = 金额存在
check-negative-amount-example = external_model_cost 为 -0.41496224：费用成了收入。
check-negative-amount-remedy = 接口文档中没有任何情形会出现负金额，请询问服务方其含义。

check-identity-mismatch-holds = 答复的就是所查询的订单
check-identity-mismatch-due = 始终适用；不通过时不再做其他检查，其金额不计入任何合计
check-identity-mismatch-example = 查询的是 wfrun_a，答复的却是 wfrun_b。
check-identity-mismatch-remedy = 服务方返回了他人的订单，或没有指明订单。请立即告知服务方。

check-currency-holds = 有 quote_currency；若设置了预期币种，则与之一致
check-currency-due = 始终适用
check-currency-example = 设置了 --currency CNY，而订单以 USD 报价。
check-currency-remedy = 请把 --currency 设为合同币种；其他币种的订单请询问服务方。

check-expected-mismatch-holds = --expect 所列的每个字段，都与我方账簿每一行所记分毫不差
check-expected-mismatch-due = --expect 指定了列（用 --expect-rows sum 时先相加各行，用 --books-decimals 时先舍入服务方金额）；订单结算之前，尚不到期的金额可以缺失或为零
check-expected-mismatch-example = 账簿第 12 行的 final_amount 记为 0.45000001，服务方实扣 0.45000000。
check-expected-mismatch-remedy = 请更正账簿，或就该订单询问服务方：说明中写明了字段与行号。无法读作精确金额的单元格也算差异：请用数字和小数点书写。

check-booked-twice-holds = 我方账簿只在一行记有该订单
check-booked-twice-due = --expect 指定了列，且未要求先相加各行（--expect-rows sum）
check-booked-twice-example = 订单先后出现在第 7 行和第 31 行。
check-booked-twice-remedy = 请删去重复记账的行：它的金额在我方合计中计了两次，在服务方只计一次。

check-unlisted-in-input-holds = 服务方列出的订单，输入中全都有
check-unlisted-in-input-due = --complete；限于 --since 与 --until 之间、报告的 --as-of 之前创建的订单
check-unlisted-in-input-example = 服务方列有五月创建的 wfrun_a，输入中没有一行写着它。
check-unlisted-in-input-remedy = 请把订单加入输入后再次运行，或查明为何遗漏：不在输入中的订单没有对账。

check-list-mismatch-holds = 服务方列表中的 quote_amount，以及结算后的 final_amount，与订单本身所述相同
check-list-mismatch-due = --complete，且列表中有该金额
check-list-mismatch-example = 订单写 final_amount 0.45000000，列表写 0.54000000。
check-list-mismatch-remedy = 服务方对同一订单有两种说法：请问明以哪个计费。

check-restated-holds = 已结算订单的金额与币种，与其基准相同：首个六项金额齐全的已结算状态
check-restated-due = 此前的运行见过该订单已结算
check-restated-example = 周一结算时实扣 0.10000000，周二同一订单变为 0.12000000。
check-restated-remedy = 请服务方说明为何重述已结算的订单，并更正已入账的金额。在豁免之前每次运行都会报告。

check-vanished-holds = 曾见其已结算的订单，服务方仍然认得
check-vanished-due = 此前的运行见过该订单已结算，而服务方答复没有此订单
check-vanished-example = 五月结算时实扣 0.10000000，六月服务方对该订单答复 404。
check-vanished-remedy = 请服务方说明该订单的下落：它曾向您收费。报告中列有其最后的金额；该行计入 not_found。

check-charge-equals-cost-holds = 实扣 = 总费用（final_amount = total_cost）
check-charge-equals-cost-due = 订单已结算、运行未失败，且两项金额齐全
check-charge-equals-cost-example = 总费用 0.15476757，实扣 0.10317838：三分之一的费用没有扣款。
check-charge-equals-cost-remedy = 请服务方说明实扣与总费用之间的差额由何而来。

check-charge-exceeds-quote-holds = 实扣不高于报价（final_amount ≤ quote_amount）
check-charge-exceeds-quote-due = 订单已结算，且两项金额齐全
check-charge-exceeds-quote-example = 报价 0.08000000，实扣 0.11604785：外部模型的费用超出了报价。
check-charge-exceeds-quote-remedy = 只有提交者事先接受外部模型费用风险时，实扣才可以高于报价。请核实是否如此。

check-failed-run-charged-holds = 实扣为零
check-failed-run-charged-due = 订单已结算、运行失败，且该金额存在
check-failed-run-charged-example = run_status 为 failed，却实扣 0.09212901。
check-failed-run-charged-remedy = 请与服务方核实，合同是否约定失败的运行也收费。

check-status-conflict-holds = 没有以下情形：已结算却仍冻结、已结算却仍在排队或运行、排队中就已扣款
check-status-conflict-due = 始终适用
check-status-conflict-example = settlement_status 为 settled，而 freeze_status 仍为 frozen。
check-status-conflict-remedy = 可能恰好在结算过程中读取了该订单，请再运行一次。若依然如此，请服务方确认哪个状态属实。

check-stale-pending-holds = 订单的账龄小于 --stale-after
check-stale-pending-due = 订单尚未结算
check-stale-pending-example = 三天前提交，至今未结算。
check-stale-pending-remedy = 订单早该结算，其报价却仍被服务方冻结。请催促结算。

check-stale-soon-holds = 订单距离逾期还不到 --warn-before
check-stale-soon-due = 设置了 --warn-before，订单未结算且尚未逾期
check-stale-soon-example = --stale-after 24h、--warn-before 6h：提交已 20 小时，仍未结算。
check-stale-soon-remedy = 现在还没有问题：请在逾期之前再看一次，逾期后催促服务方结算。

check-outside-period-holds = 输入的订单创建于 --since 与 --until 之间
check-outside-period-due = 与 --complete 同时给出 --since 或 --until，且订单写明创建时间
check-outside-period-example = 输入是五月的，而订单创建于 6 月 1 日。
check-outside-period-remedy = 请把该订单移到它所属期间的输入，否则会在两个期间各计一次。本报告的合计已含它的金额，旁边写明其数额。

check-timestamp-order-holds = updated_at 不早于 created_at
check-timestamp-order-due = 两个时间都有
check-timestamp-order-example = 创建于 10:00:00，更新于 09:59:58。
check-timestamp-order-remedy = 其中一个时间有误，报告据以归属日期或计算账龄的时间也就不可靠。请询问服务方。

check-zero-time-holds = 时间不是程序的零值：公元 1 年、1970 年初、9999 年末
check-zero-time-due = 始终适用
check-zero-time-example = updated_at 为 0001-01-01T00:00:00Z。
check-zero-time-remedy = 该字段从未填写。报告视之为空，无法据以归属日期或计算账龄。请向服务方索取该时间。

check-unknown-status-holds = run_status 是已知的词；运行结束后，其余状态也是
check-unknown-status-due = 始终适用
check-unknown-status-example = run_status 为 archived：接口文档中没有这个词。
check-unknown-status-remedy = 服务方使用了接口文档中没有的词。这个词本身不影响任何判断；请弄清其含义，以及该订单是否应视为已结算。

## 等式不成立的原因：数字证明了什么，以及如何处理。

cause-overage = 实扣高于报价，且没有释放。请核实提交者是否事先接受外部模型费用；若没有，请追索超出部分。
cause-not-released = 实扣低于报价，余额却没有释放。请服务方退回。
cause-released-in-full = 报价已全额释放，却仍有扣款。服务方日后可能补扣，请保留计提。
cause-released-twice = 余额释放了两次。服务方日后可能收回其中一次，请勿确认为收入。
cause-external-left-out = 总费用漏计外部模型费用。在认可扣款之前，请服务方更正总费用。
cause-compute-left-out = 总费用漏计算力费用。在认可扣款之前，请服务方更正总费用。
cause-external-counted-twice = 总费用重复计入外部模型费用。请追索重复的一份。
cause-compute-counted-twice = 总费用重复计入算力费用。请追索重复的一份。
cause-sign-flipped = 把其中一项金额的正负号反过来，数字即相符。若是等式，请服务方确认应为正还是负；若是我方账簿，请更正该列。
cause-scale = 把其中一项金额移动若干位小数，数字即相符：它用了别的单位。若是等式，请服务方更正；若是我方账簿（以分记元？），请更正该列。
cause-rounding = 等式只差小数第 8 位的一个单位，或一方被舍入到 2、4 或 6 位：若合同允许舍入，可设置 --tolerance。我方账簿所记为服务方金额按账簿小数位舍入的结果：若账簿本就如此记账，可设置 --books-decimals。
cause-unexplained = 没有算术能证明原因。请把订单及其数字提交服务方核查。

## 总体的归类，以及表格中的名称。

bucket-reconciled = 已取得且已结算，所有适用的错误级检查都成立。
bucket-discrepant = 已取得，至少一项适用的错误级检查不成立且未获豁免：需要人工处理。
bucket-waived = 所有不成立的错误级检查（或查无订单）都有有效的豁免。
bucket-pending = 已取得但尚未结算，目前适用的检查都成立：时间性差异。
bucket-not_found = 服务方称没有这个订单。
bucket-refused = 服务方拒绝提供这个订单。
bucket-malformed = 答复不是能够精确读取的运行订单：类型有误，或金额无法精确表示。
bucket-unfetched = 没有得到答复。请再次运行：已取得的不会重复查询。
bucket-duplicate = 同一 ID 已出现在前面的行，以前面那行为准。
bucket-rejected = 该行没有可用的 ID：请更正输入文件。

bucket-name-reconciled = 已对平（reconciled）
bucket-name-discrepant = 有差异（discrepant）
bucket-name-waived = 已豁免（waived）
bucket-name-pending = 待结算（pending）
bucket-name-not_found = 查无订单（not_found）
bucket-name-refused = 被拒绝（refused）
bucket-name-malformed = 无法解读（malformed）
bucket-name-unfetched = 未取得（unfetched）
bucket-name-duplicate = 重复（duplicate）
bucket-name-rejected = 无效行（rejected）

## 结论，由重到轻，以及标题中的名称。

verdict-incomplete = 无法得出结论：部分行没有可读的答复，订单列表不完整，或没有一行取得订单。请再次运行。退出码 3。
verdict-discrepant = 有行需要人工处理（有差异 discrepant、查无订单 not_found、被拒绝 refused 或无效 rejected）、输入缺少订单，或控制总额对不上。退出码 1。
verdict-warnings = 没有未获处理的错误，但有警告、已豁免的差异或重复行。退出码 0，除非 --fail-on 另有规定。
verdict-pending = 目前适用的检查全部相符，部分订单尚未结算。退出码 0，除非 --fail-on 另有规定。
verdict-reconciled = 所有订单均已结算且核对相符。退出码 0。
verdict-empty = 输入没有任何行，而 --allow-empty 表示这样没有问题。退出码 0。

verdict-name-incomplete = 无法得出（incomplete）
verdict-name-discrepant = 有差异（discrepant）
verdict-name-warnings = 有警告（warnings）
verdict-name-pending = 待结算（pending）
verdict-name-reconciled = 全部相符（reconciled）
verdict-name-empty = 空（empty）

## 严重程度，以及表格中的名称。

severity-error = 不通过的订单计为 discrepant，结论亦然，除非已获豁免。
severity-warning = 订单仍按通过计，但会列出；结论至多为 warnings。

severity-name-error = 错误
severity-name-warning = 警告

## 表格中的金额名称。

amount-name-quote_amount = 报价 quote_amount
amount-name-final_amount = 实扣 final_amount
amount-name-released_amount = 释放 released_amount
amount-name-compute_cost = 算力 compute_cost
amount-name-external_model_cost = 外部模型 external_model_cost
amount-name-total_cost = 总费用 total_cost
amount-name-rows = 行数
amount-name-orders = 订单数
