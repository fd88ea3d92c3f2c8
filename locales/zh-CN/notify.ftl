### 通知。第一行说明发生了什么。

notify-worse = tieout：情况变差。结论：{ $verdict }
notify-recovered = tieout：已恢复。结论：{ $verdict }
notify-incomplete = tieout：不完整。部分订单没有可读的答复，请再次运行同一命令
notify-failed = tieout：失败，没有报告
notify-test = tieout：测试消息。看到此消息说明通知可用

notify-input = 输入：{ $input }
notify-account = 账户：{ $account }
notify-exit-code = 退出码：{ $code }
notify-as-of = 截至：{ $time }
notify-rows = 行数：{ $rows }，错误：{ $errors }，未结算订单：{ $pending }
notify-new = 新错误：{ $count }
notify-more = { "  " }……另有 { $count } 项
notify-differences = 全部错误的差额（不计正负）：
notify-no-currency = 无币种
notify-report = 报告：{ $folder }
notify-cut = ……已截断

notify-delivered = { $target }：已送达
notify-not-delivered = { $target }：未送达：{ $problem }
