### `tieout checks` 在各项解释之外所说的话。

explain-heading = { $word }（{ $kind }）
explain-kind-bucket = 总体的归类
explain-kind-cause = { $checks } 的原因
explain-kind-severity = 严重程度
explain-kind-verdict = 结论

explain-holds = 成立条件
explain-due = 何时适用
explain-example = 举例
explain-remedy = 如何处理
explain-weighs = 严重程度
explain-causes = 原因
explain-change = 更改
explain-changed-so = 在 tieout.toml 中设置（error、warning，整项检查还可设为 off）：
explain-never-changed = 始终判断，始终为错误：他人的订单不计入任何合计

explain-unknown = 没有检查 { $code }，报告中也没有这个词
explain-help-near = 您要找的是 { $nearest } 吗？`tieout checks` 列出所有检查
explain-help = `tieout checks` 列出所有检查
