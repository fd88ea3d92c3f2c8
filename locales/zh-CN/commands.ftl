### 各命令的输出：错误与警告、进度，以及没有单独文件的命令的输出。

## 错误与警告。

exit-error = 错误：{ $what }
exit-warning = 警告：{ $what }
exit-help = 建议：{ $help }
