### 对账结束时终端上的摘要（`reconcile`、`audit`）。

terminal-verdict = 结论：{ $verdict }

## 总体。

terminal-population = 总体
terminal-rows-read = = 读取的行数
terminal-orders-read = = 读取的订单数
terminal-exceptions = { $count } 行没有取得订单：是哪些行、为什么，见报告中的 exceptions.csv。
terminal-reused = { $count } 笔订单没有重新查询：此前的运行已见其结算。
terminal-confirmed =
    { $count } 笔未通过检查的订单又读了一次：{ $changed ->
        [0] 均无变化。
       *[other] { $changed } 笔有变化，以较新的答复为准。
    }

## 控制总额。

terminal-control-totals = 控制总额
terminal-no-currency = 无币种
terminal-settled = { $amount }（已结算）
terminal-quote-split = quote-split 净差额
terminal-cost-sum = cost-sum 净差额
terminal-tolerated = 因容差通过的差额（绝对值合计）
terminal-rounded = 因舍入通过的差额（绝对值合计）
terminal-frozen = 仍被冻结的报价
terminal-stale-soon = { "  " }其中即将逾期

## 月结

terminal-roll-forward = 未结订单变动表
terminal-column-quote = 报价
terminal-adjustments = 已结月份的调整
terminal-adjustments-none = 已结月份的订单此后没有变化。
terminal-column-month = 月份
terminal-column-final = 实收
terminal-column-total = 合计
terminal-column-pending-quote = 未结报价
terminal-undated = 无日期

## 我方账簿与外部给出的控制总额。

terminal-books = 我方账簿与服务方
terminal-ties = 给出的控制总额
terminal-tie-fails = 对不上
terminal-column-given = 给出
terminal-column-ours = 我方
terminal-column-provider = 服务方
terminal-column-summed = 合计
terminal-column-without = 无金额的行

## 完整性。

terminal-complete =
    服务方列出该期间的订单 { $listed } 笔；{ $unlisted ->
        [0] 输入中全都有。
       *[other] 输入缺少其中 { $unlisted } 笔。
    }
terminal-list-missing = 服务方计有 { $counted } 笔，其中 { $missing } 笔从未列出：输入缺少其中哪些，不得而知。
terminal-list-uncounted = 无从知道列表是否完整。
terminal-list-not-had = { $problem }：输入缺少哪些订单，不得而知。

## 差异。

terminal-causes = 未通过的检查（按原因）
terminal-not-judged = 按设置未判断：{ $codes }
terminal-not-assessed = 已关闭或数据集无从判断的检查：{ $codes }
terminal-material = 重大差异，{ $material } 起（共 { $all } 项差异，重大 { $count } 项，列出 { $shown } 项）
terminal-material-by-workflow = 各工作流所设金额
terminal-waived = 已豁免：{ $what }
terminal-worst = 最大的差异（共 { $all } 项，列出 { $shown } 项）

terminal-column-cause = 原因
terminal-column-check = 检查
terminal-column-currency = 币种
terminal-column-difference = 差额
terminal-column-gross = 差额绝对值
terminal-column-line = 行号
terminal-column-net = 净差额
terminal-column-order = 运行订单
terminal-column-orders = 订单数
terminal-column-severity = 严重程度
terminal-column-what = 说明

## 豁免。

terminal-waivers = 豁免：{ $counts }
terminal-separator = ，
terminal-waivers-applied = { $count } 项生效
terminal-waivers-expired = { $count } 项过期
terminal-waivers-changed = { $count } 项因数字有变而失效
terminal-waivers-unused = { $count } 项未用到
terminal-waiver-lapsed = { $order } { $check }：{ $why }
terminal-waiver-expired = 期限已过
terminal-waiver-changed = 数字已变

## 差异的变化。

terminal-lifecycle =
    与订单上次被判断时相比：新增 { $new } 项，仍在 { $persisting } 项，已解决 { $resolved } 项{ $unjudged ->
        [0] { "" }
       *[other] ，{ $unjudged } 项无法判断
    }
terminal-report = 报告：{ $folder }
terminal-dataset = 数据集：{ $folder }（加入 { $orders } 个订单）
