### `report.xlsx`：工作表名、标题与说明。代码、ID 和表格中的词不翻译。

xlsx-title = 对账报告
xlsx-subject = 服务方所计运行订单的核对
xlsx-footer-page = 第 { $page } 页，共 { $pages } 页

## 工作表。

xlsx-sheet-summary = 摘要
xlsx-sheet-discrepancies = 差异
xlsx-sheet-spend_by_workflow = 按工作流
xlsx-sheet-spend_by_revision = 按版本
xlsx-sheet-spend_by_day = 按日
xlsx-sheet-pending = 待结算
xlsx-sheet-exceptions = 例外
xlsx-sheet-resolved = 已解决
xlsx-sheet-waivers = 豁免
xlsx-sheet-roll_forward = 未结变动
xlsx-sheet-adjustments_by_month = 按月调整
xlsx-sheet-adjustments = 以前期间调整

xlsx-about-discrepancies = 订单每项未通过的检查一行，包括警告与已豁免的。
xlsx-about-spend_by_workflow = 按工作流与币种汇总的支出。金额为已结算订单之和。
xlsx-about-spend_by_revision = 按工作流、版本与币种汇总的支出。金额为已结算订单之和。
xlsx-about-spend_by_day = 按日与币种汇总的支出。金额为已结算订单之和。
xlsx-about-pending = 每笔未结算订单及其账龄。
xlsx-about-exceptions = 没有取得订单的每一行，附行号与理由。
xlsx-about-resolved = 订单上次被判断时发现、本次再次适用且成立的差异，数字为当时的数字。
xlsx-about-waivers = 给出的每项豁免及其结果。
xlsx-about-roll_forward = 上次月结时的未结订单如何变为本次月结时的未结订单。
xlsx-about-adjustments_by_month = 以后的观测使已结月份的数字变动多少。
xlsx-about-adjustments = 已结月份中数字此后有变的每笔订单。
xlsx-split = 行数超过一张工作表所能容纳：续见 { $sheets }。

# 以文本重复前一列的那一列的标题。
xlsx-exact = { $name }（精确文本）

## 摘要。

xlsx-as-of = 截至（UTC）
xlsx-account = 账户
xlsx-population = 总体
xlsx-rows-read = 读取的行数
xlsx-control-totals = 控制总额（{ $currency }）
xlsx-failed-checks = 未通过的检查
xlsx-sheets = 本工作簿的工作表
xlsx-spend = 已结算支出（{ $currency }）：{ $all } 个工作流中最大的 { $shown } 个
xlsx-chart = 各工作流的已结算支出（{ $currency }）
xlsx-notes = 如何阅读本工作簿

xlsx-head-what = 项目
xlsx-head-code = 代码
xlsx-head-currency = 币种
xlsx-head-figure = 数字
xlsx-head-exact = 精确文本
xlsx-head-meaning = 含义

xlsx-settled = { $amount }（已结算订单）
xlsx-quote-net = 报价净差额
xlsx-quote-gross = 报价差额绝对值合计
xlsx-cost-net = 费用净差额
xlsx-cost-gross = 费用差额绝对值合计
xlsx-tolerated = 仅因容差通过的差额（绝对值合计）
xlsx-rounded = 仅因舍入通过的差额（绝对值合计）
xlsx-waived = 已豁免的差额（绝对值合计）
xlsx-frozen = 仍被冻结：未结算订单的报价
xlsx-net = 净差额
xlsx-difference = 差额
xlsx-gross = 差额绝对值合计

xlsx-note-exact = 电子表格只保留数字的 15 位。超过 9,999,999.99999999 的金额以及所有合计，旁边另有文本，精确到最后一位。
xlsx-note-difference = 差额 = 实际 − 应为。quote-split：应为是报价，实际是实扣 + 释放；cost-sum：应为是算力 + 外部模型，实际是总费用。
xlsx-note-currency = 不同币种从不相加。
xlsx-note-formula = 可能被电子表格当作公式的文本，前面加有撇号。
xlsx-note-source = 同样的行见报告文件夹中的 CSV 文件；manifest.json 载有每个文件的哈希值。
xlsx-sole-reason = 所有订单的同一答复
xlsx-shortfall = 输入不完整
