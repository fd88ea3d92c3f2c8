### `tieout diff` 显示的内容。

diff-counts = 差异：新增 { $new } 项，有变 { $changed } 项，仍在 { $persisting } 项，无法判断 { $unassessed } 项，已解决 { $resolved } 项
diff-old = 旧
diff-new = 新
diff-side = { $side }  { $folder }，截至 { $as-of }，{ $verdict }
diff-rows = 行数
diff-orders-fetched = 取得的订单
diff-heading = { $state }（{ $count } 项）
diff-state-new = 新增
diff-state-changed = 有变
diff-state-not-assessed = 无法判断：新报告没有这些订单
diff-state-resolved = 已解决
diff-more = ……另有 { $count } 项

diff-spend = 花费（已结算订单的 final_amount）
diff-no-movement-workflow = 各工作流的花费没有变动。
diff-no-movement-revision = 各版本的花费没有变动。
diff-movements-workflow = 变动最大的工作流（{ $count } 个工作流中有 { $moved } 个变动）
diff-movements-revision = 变动最大的版本（{ $count } 个版本中有 { $moved } 个变动）

diff-column-because = 缘由
diff-column-changed = 变化之处
diff-column-check = 检查
diff-column-currency = 币种
diff-column-movement = 变动
diff-column-order = 运行订单
diff-column-orders-old = 订单数，旧
diff-column-percent = 百分比
diff-column-revision = 版本
diff-column-share = 占比
diff-column-workflow = 工作流
