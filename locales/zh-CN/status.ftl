### `tieout status` 输出的一行。

status-well = 正常
status-not-well = 有问题
status-newest = { $report }，距今 { $age }，{ $verdict }
status-proven = 已验证
status-nights =
    { $count ->
       *[other] 共 { $count } 夜
    }
status-none-missing = 自 { $day } 起无缺失
status-running = 有任务正在运行（pid { $pid }）

## 不正常之处。

status-no-report = { $folder } 中没有报告
status-damaged = { $report } 已损坏：{ $problem }
status-not-proven = { $report } 未能验证：{ $part }：{ $detail }
status-report-missing =
    { $count ->
       *[other] 状态文件记录的报告缺失 { $count } 份，第一份是 { $report }
    }
status-copied = { $copy } 是 { $report } 的副本：请把副本放到别处
status-incomplete = 报告不完整：请重新运行同一命令
status-too-old = 已超过 { $most }
status-from-the-future = 报告的时间在未来：请检查本机时钟
status-nights-missing =
    { $count ->
       *[other] 缺少 { $count } 夜，第一夜是 { $first }
    }
status-no-state = 状态文件 { $state } 不存在，之前的运行无从得知：请恢复它
status-state-too-young =
    { $count ->
       *[other] 状态文件不认识 { $count } 份报告，最后一份是 { $report }：之前的状态文件已丢失或被替换
    }
status-stale-lock = 任务（pid { $pid }）自 { $since } 起一直在运行：请检查是否卡住
status-disk-almost-full = { $path } 所在磁盘快满了：剩余 { $free } MiB，应有 { $wanted } MiB
