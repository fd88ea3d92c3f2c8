### 命令行帮助（--help）。英文帮助是 src/app/cli.rs 中的文档注释，因此只有中文有此文件。
###
### 命令的说明为 help-<命令>，其后的文字为 -after（-h）与 -after-long（--help）；
### 选项或参数为 help-<命令>-<选项>，其可选值再加 -<值>；各命令共有的选项归 help-tieout-；
### 英文说明与 reconcile 的同名选项相同者，用 help-reconcile-<选项>。

## 帮助的框架。

help-usage = 用法
help-values = 可选值：
help-values-inline = 可选值：{ $values }
help-default = 默认：{ $value }
help-environment = 环境变量：{ $name }

help-heading-commands = 命令
help-heading-arguments = 参数
help-heading-options = 选项
help-heading-general = 通用
help-heading-which-orders = 哪些订单
help-heading-provider = 服务方
help-heading-input = 输入
help-heading-judging = 判断
help-heading-output = 输出
help-heading-earlier-runs = 以往的运行

## tieout，以及各命令共有的选项。

help-tieout = AI 工作流运行订单的计费对账：逐笔取得订单，核对各项金额，报告对不上之处
help-tieout-after =
    退出码：
      0    全部对上（允许有警告与未结算，除非 --fail-on）
      1    结论为 discrepant：需要人工处理
      2    用法或配置错误；什么都没有获取
      3    结论为 incomplete：有报告，但部分订单没有可读的答复
      4    没有报告：密钥被拒、什么都取不到、磁盘已满，或自身的数字不平
      130  被 SIGINT 停止    143  被 SIGTERM 停止

help-tieout-config = 设置文件；未指定时使用 ~/.config/tieout/tieout.toml（若存在）
help-tieout-quiet = 不显示进度与摘要，日志只留错误
help-tieout-verbose = 记录每次重试与运行的各个步骤（-vv：每个请求）
help-tieout-log-format = 日志的格式
help-tieout-log-format-auto = 终端上为文字，否则为 JSON；错误与警告总是文字
help-tieout-log-format-text = 给人看
help-tieout-log-format-json = 每行一个 JSON 对象，错误与警告也是
help-tieout-lang = 给人看的文字所用的语言：en 或 zh-CN [默认：依系统语言]
help-tieout-color = 标准输出何时着色
help-tieout-color-auto = 在终端上，除非设置了 NO_COLOR；其他去处则须设置 CLICOLOR_FORCE
help-tieout-color-always = 一律着色
help-tieout-color-never = 一律不着色
help-tieout-help = 显示帮助（--help 更详细）
help-tieout-help-long = 显示帮助（-h 只显示概要）
help-tieout-version = 显示版本
help-help = 显示本帮助，或某个命令的帮助

## tieout reconcile。

help-reconcile = 对账：读取订单 ID，逐笔取得订单，核对，生成报告
help-reconcile-after =
    示例：
      tieout reconcile ids.csv --sandbox             对模拟器：无需密钥与网络
      CHENYU_API_KEY=cy_... tieout reconcile ids.csv 对服务方
      zcat ids.csv.gz | tieout reconcile -           从标准输入读取
help-reconcile-after-long =
    { help-reconcile-after }

    { help-tieout-after }

help-reconcile-ids = 含运行订单 ID 的 CSV 文件或工作簿；- 表示标准输入
help-reconcile-api-url = 服务方的基础地址 [默认：https://www.chenyu.cn/api/open/v2]
help-reconcile-api-key-file = 存放 API 密钥的文件；未指定时取自环境变量 CHENYU_API_KEY
help-reconcile-sandbox = 改为询问本进程内的模拟器：无需密钥与网络
help-reconcile-rate = 每秒请求数；0 表示不限 [默认：10；配合 --sandbox 时为 0]
help-reconcile-confirm = 检查不通过的订单在报告之前再读一次 [默认：true]
help-reconcile-strict-rate = 请求在答复到达一秒之后才不再计入速率：无论网络如何都不超限，但更慢
help-reconcile-concurrency = 同时在途的请求数，1 至 1024 [默认：16]
help-reconcile-timeout = 一次完整尝试的时限，如 30s 或 2m [默认：30s]
help-reconcile-retries = 首次尝试之后的重试次数 [默认：5]
help-reconcile-retry-codes = 服务方表示“稍后再试”的业务码，含义同 429，如 10029,10030 [默认：无]
help-reconcile-max-wait = 服务方可以要求的单次最长等待 [默认：5m]
help-reconcile-deadline = 总共可以向服务方请求多久；届时尚未取得的记为 unfetched [默认：无]
help-reconcile-proxy = 使用的代理，如 http://proxy:3128 [默认：无，不看环境变量]
help-reconcile-ca-file = 除系统证书外还信任的 PEM 证书文件
help-reconcile-column = ID 列的标题（或序号） [默认：自动识别]
help-reconcile-no-header = 首行不是标题
help-reconcile-sheet = 工作簿中的工作表 [默认：含 ID 列的那一张]
help-reconcile-heading = 标题所在的行，从 1 数起；其上的内容跳过 [默认：自动识别]
help-reconcile-encoding = CSV 的编码，如 utf-8、utf-16le 或 gb18030 [默认：自动识别]
help-reconcile-delimiter = CSV 的分隔符：单个字符，或 comma、semicolon、tab [默认：自动识别]
help-reconcile-allow-empty = 允许输入没有任何行（结论为 empty，退出码 0）
help-reconcile-tolerance = quote-split 与 cost-sum 的容差：统一给出，或按币种给出，如 CNY=0.01,USD=0.002 [默认：0]
help-reconcile-currency = 唯一预期的币种，如 CNY
help-reconcile-stale-after = 未结算订单的账龄达到多久即为警告 [默认：24h]
help-reconcile-warn-before = 逾期之前多久就开始警告，如 6h [默认：无]
help-reconcile-expect = 将字段与输入的一列比较，如 final_amount=amount；可重复，或以 ; 分隔多个
help-reconcile-expect-rows = 同一订单的各行如何比较：逐行（each），或在账簿把订单拆成多行时先相加（sum）[默认：each]
help-reconcile-expect-rows-each = 逐行比较：账簿对一笔订单只记一次
help-reconcile-expect-rows-sum = 先相加：账簿可以拆分订单
help-reconcile-books-decimals = 我方账簿与控制总额保留的小数位数，0 至 8：服务方金额按此舍入后比较 [默认：8]
help-reconcile-complete = 输入必须包含服务方列出的全部订单：走完其列表，指出所缺的订单
help-reconcile-since = 与 --complete 同用：只要从那时起创建的订单，日期或时间
help-reconcile-until = 与 --complete 同用：只要在那之前创建的订单，日期（当日开始之前）或时间 [默认：--as-of]
help-reconcile-timezone = 一天从何处开始与结束：按日汇总、--since 与 --until 的日期，以及豁免的最后一天 [默认：Asia/Shanghai]
help-reconcile-day-by = 订单的金额计入哪一天 [默认：created]
help-reconcile-day-by-created = 订单创建的那天
help-reconcile-day-by-updated = 订单最后更新的那天
help-reconcile-control-total = 已结算订单的合计应为多少，如 final=1234.56 或 final:USD=12；或行数、订单数应为多少，如 rows=200、orders=198；可重复
help-reconcile-material = 差额（以订单币种计）达到多少即为重大：优先列出，另见 --fail-on [默认：无]
help-reconcile-waivers = 豁免文件（TOML）：有人负责的差异
help-reconcile-as-of = 账龄的截止时间，如 2026-11-23T02:00:00Z [默认：运行开始时]
help-reconcile-fail-on = 哪些情形也以 1 退出：warnings、pending、material
help-reconcile-fail-on-warnings = 结论为 warnings
help-reconcile-fail-on-pending = 有任何订单尚未结算
help-reconcile-fail-on-material = 有未获豁免的重大差额（--material），即使只是警告
help-reconcile-out = 报告恰好写到此处，替换先前的报告
help-reconcile-reports-dir = 报告的总文件夹：每次运行一个子文件夹，latest 指向最新者 [默认：reports]
help-reconcile-state = 状态文件 [默认：报告文件夹中的 .state.sqlite]
help-reconcile-resume-within = 同一输入的未完成运行，在最后一次活动后多久之内继续 [默认：6h]
help-reconcile-fresh = 不继续以前的运行
help-reconcile-dataset = 数据集的文件夹：长期保存本次所见
help-reconcile-metrics-file = 写入本次运行的 Prometheus 指标的文件，供 node_exporter 读取：文件名以 .prom 结尾
help-reconcile-reuse-settled = 最近这段时间内（如 30d）见过已结算的订单不再查询 [默认：全部查询]
help-reconcile-evidence = 保留答复的哪些内容 [默认：billing]
help-reconcile-evidence-billing = 计费事实，以及答复的哈希
help-reconcile-evidence-full = 另存完整的答复，含提示词
help-reconcile-csv-encoding = 报告的 CSV 文件所用的编码 [默认：utf8]
help-reconcile-csv-encoding-utf8 = UTF-8，供程序读取
help-reconcile-csv-encoding-utf8-bom = 带字节顺序标记的 UTF-8，供 Excel 打开
help-reconcile-csv-encoding-gb18030 = GB18030，供较旧的中文电子表格打开
help-reconcile-format = 报告写成哪些格式：csv、json、parquet（这三种总会写）、html、xlsx、focus [默认：除 focus 外的全部]
help-reconcile-account = 报告标题中的账户名称
help-reconcile-output = 标准输出的内容 [默认：text]
help-reconcile-output-text = 给人看的摘要
help-reconcile-output-json = JSON，即报告的 summary.json

## tieout discover。

help-discover = 列出密钥所有者的全部订单：写出 reconcile 所读的 ID 的 CSV
help-discover-after =
    示例：
      tieout discover -o ids.csv                                  密钥所有者的全部订单
      tieout discover --since 2026-05-01 --until 2026-06-01       五月创建的订单
      tieout discover --workflow wf_861ef31e94dcfb10e6e7 | tieout reconcile -
help-discover-after-long =
    示例：
      tieout discover -o ids.csv                                  密钥所有者的全部订单
      tieout discover --since 2026-05-01 --until 2026-06-01       五月创建的订单
      tieout discover --workflow wf_861ef31e94dcfb10e6e7 | tieout reconcile -

    退出码：
      0    服务方计入的订单全部列出
      2    用法或配置错误；什么都没有询问
      3    CSV 已写出，但服务方计入的订单多于其列出的，或没有说共有多少
      4    没有 CSV：密钥被拒、某一页取不到、磁盘已满
      130  被 SIGINT 停止    143  被 SIGTERM 停止：没有 CSV
help-discover-workflow = 只要该工作流的订单
help-discover-status = 只要运行处于该状态的订单：queued、running、succeeded、failed，或服务方的其他用词
help-discover-since = 只要从那时起创建的订单：日期如 2026-05-01，或时间如 2026-05-01T08:00:00Z
help-discover-until = 只要在那之前创建的订单：日期（当日开始之前）或时间
help-discover-timezone = --since 与 --until 的日期以何处的一天为准 [默认：Asia/Shanghai]
help-discover-output-file = 把 CSV 写到该文件，要么完整要么不写 [默认：标准输出]
help-discover-state = 状态文件，记有最近请求发出的时间 [默认：报告文件夹中的 .state.sqlite]
help-discover-reports-dir = 报告的文件夹 [默认：reports]

## tieout audit。

help-audit = 离线依据报告自身的证据重新生成报告，可更改设置
help-audit-after = 未给出的设置与原报告相同；对数据集则取自设置文件，账龄截止时间同其最新一次运行。证据先以哈希核验。用 --engine sql 时，--out 是存放脚本的新文件夹。之后以 --results 由其结果生成报告：届时数据集须仍在原处，报告形式的选项（--format、--account、--fail-on）也在那时给出。
help-audit-report = 报告的文件夹，其证据将重新判断；或数据集的文件夹
help-audit-since = 仅用于数据集：只含这一天及以后创建的订单
help-audit-until = 仅用于数据集：只含这一天以前创建的订单
help-audit-month = 仅用于数据集：只含这个月创建的订单，如 2026-10
help-audit-workflow = 仅用于数据集：只含这个工作流的订单
help-audit-tolerance = quote-split 与 cost-sum 的容差：统一给出，或按币种给出，如 CNY=0.01,USD=0.002
help-audit-currency = 唯一预期的币种，如 CNY；空值表示不限
help-audit-stale-after = 未结算订单的账龄达到多久即为警告
help-audit-warn-before = 逾期之前多久就开始警告
help-audit-control-total = 合计或数目应为多少，如 final=1234.56、rows=200；可重复，取代原报告所用的
help-audit-books-decimals = 我方账簿与控制总额保留的小数位数，0 至 8：服务方金额按此舍入后比较
help-audit-material = 差额（以订单币种计）达到多少即为重大
help-audit-waivers = 豁免文件（TOML），取代原报告所用的豁免
help-audit-timezone = 一天从何处开始与结束：按日汇总，以及 --waivers 中豁免的最后一天
help-audit-day-by = 订单的金额计入哪一天
help-audit-day-by-created = 订单创建的那天
help-audit-day-by-updated = 订单最后更新的那天
help-audit-csv-encoding = 报告的 CSV 文件所用的编码
help-audit-csv-encoding-utf8 = UTF-8，供程序读取
help-audit-csv-encoding-utf8-bom = 带字节顺序标记的 UTF-8，供 Excel 打开
help-audit-csv-encoding-gb18030 = GB18030，供较旧的中文电子表格打开
help-audit-all-checks = 以本版本的全部检查判断，包括原报告没有用到的
help-audit-format = 报告写成哪些格式，取代原报告的格式：csv、json、parquet（这三种总会写）、html、xlsx、focus
help-audit-as-of = 账龄的截止时间，如 2026-11-23T02:00:00Z
help-audit-engine = 由谁读取数据集：本机（local）；任意 Spark，用写入 --out 的脚本（sql）；--spark-remote 处的 Spark（spark）
help-audit-engine-local = 本机
help-audit-engine-sql = 任意 Spark，用所写的脚本
help-audit-engine-spark = --spark-remote 处的 Spark
help-audit-dataset-address = Spark 在哪里找到数据集，如 s3a://bucket/history [默认：本机上的文件夹]
help-audit-results-address = 脚本把结果写到哪里 [默认：脚本旁的文件夹 results]
help-audit-results = 以该文件夹中的结果生成报告，即 --engine sql 的脚本所写
help-audit-spark-remote = Spark Connect 地址，如 sc://host:15002/;use_ssl=true
help-audit-spark-token-file = 存放 --spark-remote 令牌的文件，取代 SPARK_CONNECT_AUTHENTICATE_TOKEN
help-audit-deadline = --spark-remote 处的 Spark 最多可用多久 [默认：1h]
help-audit-reports-dir = 报告的总文件夹：在其中新建子文件夹，latest 指向它 [默认：audits]
help-audit-output = 标准输出的内容
help-audit-output-text = 给人看的摘要
help-audit-output-json = JSON，即报告的 summary.json

## tieout close。

help-close = 结清数据集中的一个月：报告从此不变，并列出此前已结各月的变化
help-close-after = 未给出的设置取自设置文件。报告留在数据集的 closes/MONTH 中，永不被取代。

    退出码：同报告；2 也表示该月已结账，或不是下一个该结的月份；未用 --force 时 3 表示尚不能结账，此时没有报告。
help-close-month = 要结清的月份，如 2026-10
help-close-dataset = 数据集的文件夹
help-close-force = 即使缺少夜晚或有订单没有可读的答复也结账，报告会写明
help-close-tolerance = quote-split 与 cost-sum 的容差：统一给出，或按币种给出，如 CNY=0.01,USD=0.002
help-close-currency = 唯一预期的币种，如 CNY；空值表示不限
help-close-stale-after = 未结算订单的账龄达到多久即为警告
help-close-warn-before = 逾期之前多久就开始警告
help-close-control-total = 合计或数目应为多少，如 final=1234.56、rows=200；可重复
help-close-books-decimals = 我方账簿与控制总额保留的小数位数，0 至 8：服务方金额按此舍入后比较
help-close-material = 差额（以订单币种计）达到多少即为重大
help-close-waivers = 豁免文件（TOML）
help-close-timezone = 一天从何处开始与结束：按日汇总，以及 --waivers 中豁免的最后一天
help-close-day-by = 订单的金额计入哪一天
help-close-day-by-created = 订单创建的那天
help-close-day-by-updated = 订单最后更新的那天
help-close-csv-encoding = 报告的 CSV 文件所用的编码
help-close-csv-encoding-utf8 = UTF-8，供程序读取
help-close-csv-encoding-utf8-bom = 带字节顺序标记的 UTF-8，供 Excel 打开
help-close-csv-encoding-gb18030 = GB18030，供较旧的中文电子表格打开
help-close-all-checks = 以本版本的全部检查判断，包括设置中关闭的
help-close-format = 报告写成哪些格式：csv、json、parquet（这三种总会写）、html、xlsx、focus
help-close-as-of = 账龄的截止时间，如 2026-11-23T02:00:00Z
help-close-output = 标准输出的内容
help-close-output-text = 给人看的摘要
help-close-output-json = JSON，即报告的 summary.json

## tieout verify。

help-verify = 证明一份或全部报告：哈希、链条，以及其证据重新得出同样的数字
help-verify-after = 退出码：0 报告得到证明；1 未得到证明或有缺失；2 用法错误或不是报告；4 无法进行证明。
help-verify-report = 报告的文件夹；与 --all 同用时为报告的总文件夹
help-verify-all = 证明总文件夹中的每份报告，并找出缺失的报告 [默认文件夹：与 reconcile 相同]
help-verify-state = 记有其 manifest 的状态文件 [默认：报告旁的 .state.sqlite]
help-verify-dataset = 报告所依据的数据集的文件夹（若已移动）
help-verify-files-only = 不要求状态文件：若有人同时改动文件与 manifest，则无从发现
help-verify-output = 标准输出的内容
help-verify-output-text = 给人看的摘要
help-verify-output-json = JSON 格式

## tieout status。

help-status = 每晚的任务是否完成：输出一行，并以退出码告知监控
help-status-after =
    退出码：
      0    最新报告存在、及时、完整且已验证，其他一切正常
      1    有不正常之处：输出的一行说明是什么
      2    用法或配置错误
      4    报告文件夹或状态无法读取
help-status-max-age = 最新报告最多可有多旧，任务最多可运行多久
help-status-since = 从哪一天起每夜应有报告（若 [schedule] 写明了间隔），且状态应认识这些报告 [默认：最早一份报告的日期]
help-status-min-free = 报告与状态所在磁盘至少应有的剩余空间（MiB）；还须容得下十份最新这样的报告
help-status-as-of = 视为当前的时间，例如 2026-11-23T02:00:00Z [默认：现在]
help-status-reports-dir = 报告的总文件夹 [默认：reports]
help-status-output = 标准输出的内容
help-status-output-text = 一行文字
help-status-output-json = JSON 格式

## tieout runs。

help-dataset = 说明数据集的内容、是否受损，或向其加入报告
help-dataset-after = 退出码：0 数据集未受损；2 用法错误或不是数据集；4 受损或无法读取。
help-dataset-dataset = 数据集的文件夹
help-dataset-quick = 只比较文件的大小，不比较哈希
help-dataset-output = 标准输出的内容
help-dataset-output-text = 给人看的摘要
help-dataset-output-json = JSON 格式
help-compact = 合并数据集的小文件，每一行都保留
help-compact-dataset = 数据集的文件夹
help-import = 加入文件夹中数据集尚缺的每份报告
help-import-reports = 报告的总文件夹，或一份报告
help-import-dataset = 数据集的文件夹；没有则新建

help-runs = 列出状态中的运行及其结果
help-runs-reports-dir = 报告的总文件夹 [默认：reports]
help-runs-output = 标准输出的内容
help-runs-output-text = 给人看的列表
help-runs-output-json = JSON 格式

## tieout prune。

help-prune = 删除过旧的报告与记录，绝不删除订单的最新状态
help-prune-keep = 保留多久，如 400d：更早结束的运行和更早生成的报告将被删除
help-prune-dry-run = 只说明将删除什么
help-prune-compact = 把状态文件内的空闲空间归还给磁盘
help-prune-reports-dir = 报告的总文件夹 [默认：reports]

## tieout diff。

help-diff = 两份报告之间的变化：新增、仍在与已解决的差异，以及花费的变动
help-diff-after =
    示例：
      tieout diff reports/20260601T000000Z reports/latest
      tieout diff old new --output json | jq '.discrepancies[] | select(.state == "new")'
help-diff-after-long =
    { help-diff-after }

    退出码：
      0    已比较，不论有何变化：脚本请读取 JSON
      2    用法错误，或其中之一不是报告
      4    报告无法读取，或与其 manifest 不符
help-diff-old = 作为比较基准的报告文件夹
help-diff-new = 要比较的报告文件夹，如 reports/latest
help-diff-output = 标准输出的内容
help-diff-output-text = 给人看的摘要
help-diff-output-json = 全部内容，供脚本使用
help-diff-output-csv = 全部内容合为一张表，供电子表格使用

## tieout schedule。

help-schedule = 打印每晚启动任务所需的内容：systemd 的单元，或 cron 的一行
help-schedule-after =
    示例：
      tieout schedule systemd /data/ids.csv --config /etc/tieout/tieout.toml --out /etc/systemd/system
      tieout schedule cron /data/ids.csv --config /etc/tieout/tieout.toml --at 03:15

    任务的设置只取自设置文件，不取自 TIEOUT_* 变量。多久运行一次见文件中的 [schedule] every；未写明时每天一次。
help-systemd = 打印任务的服务（已加固）及其定时器
help-systemd-ids = 任务读取的含运行订单 ID 的 CSV 文件或工作簿
help-systemd-at = 运行的本地时间；一天多次时，其中一次的时间
help-systemd-name = 单元的名称
help-systemd-user = 服务以哪个用户运行
help-systemd-template = 供多个账户使用的单元：设置文件的名称（如 acme.toml 中的 acme）在各路径中换成 %i
help-systemd-out = 把单元写入此文件夹，而不打印
help-cron = 打印任务在 crontab 中的一行
help-cron-ids = 任务读取的含运行订单 ID 的 CSV 文件或工作簿
help-cron-at = 运行的本地时间；一天多次时，其中一次的时间

## tieout init。

help-init = 写出一份带说明、包含所有键的设置文件
help-init-file = 要写的文件

## tieout notify。

help-notify = 向设置文件中的各通知对象发送测试消息
help-notify-after =
    退出码：
      0    所有消息均已送达
      2    用法或设置有误，或没有通知对象
      4    有消息未送达
help-notify-test = 立即发送测试消息
help-notify-target = 只发给此名称的通知对象

## tieout checks。

help-checks = 列出各项检查，或解释其中一项，或报告中的其他用词
help-checks-code = 检查的代码，如 quote-split；也可以是原因、归类、结论或严重程度

## tieout completions。

help-completions = 把某个 shell 的补全脚本写到标准输出
help-completions-after =
    示例：
      tieout completions bash > /etc/bash_completion.d/tieout
      tieout completions zsh > ~/.zfunc/_tieout
      tieout completions fish > ~/.config/fish/completions/tieout.fish
help-completions-shell = 哪个 shell

## tieout man。

help-man = 生成 man 手册页
help-man-after =
    示例：
      tieout man /usr/local/share/man/man1
      tieout man | man -l -
help-man-folder = 写入所有手册页的文件夹；未指定时，把 tieout 本身的手册页写到标准输出

## tieout sandbox。

help-sandbox = 在本机提供服务方的模拟器
help-sandbox-port = 本机端口；0 表示任取一个空闲端口
help-sandbox-seed = 决定有哪些订单，以及概率命中哪些请求
help-sandbox-rate-limit = 任意一秒内超过这么多请求时答复 429
help-sandbox-retry-after = 该 429 的 Retry-After，原样给出；none 表示不给此标头 [默认：1]
help-sandbox-date = 该 429 的 Date，原样给出 [默认：当前时间]
help-sandbox-faults = 按此 TOML 文件中的规则出错；docs/reference/sandbox.md 有说明
help-sandbox-fault = 按此规则出错，如 'status=502,every=7' 或 'cut-body,ids=wfrun_0*,times=1'；可重复，先匹配者生效，--faults 中的规则排在最后
help-sandbox-log-requests = 记录每个请求
help-sandbox-request-log = 把每个请求的时间、状态或故障以及订单写入这个新的 CSV 文件
