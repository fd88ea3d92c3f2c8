### 供人阅读的报告 report.html。机器名称（代码、列名、状态）一律不译。

## 页面
report-name = 对账报告
report-skip = 跳到结论
report-sections = 章节
report-theme = 配色
report-theme-auto = 跟随系统
report-theme-light = 浅色
report-theme-dark = 深色
report-as-of = 截至 { $time }
report-days-of = 按 { $zone } 的日期
report-no-account = 账单对账
report-no-currency = 无币种
report-scroll = { $table }，可横向滚动

## 结论
report-verdict = 结论
report-why-reconciled = 全部订单均已结算，且账目相符。
report-why-pending = { $n ->
       *[other] 目前应核对的部分全部相符；另有 { $count } 笔订单尚未结算。
    }
report-why-warnings = 没有未获处理的错误，但有事项值得留意。
report-why-discrepant = { $n ->
       *[other] 有 { $count } 行需要人工核查。这是对账的结果，并非程序出错。
    }
report-why-reconciled-in-part = 全部订单均已结算，并通过了启用的检查。
report-why-pending-in-part = { $n ->
       *[other] 目前应核对的部分均通过了启用的检查；另有 { $count } 笔订单尚未结算。
    }
report-why-variance =
    有 { $totals } 项控制总额对不上{ $n ->
        [0] { "" }
       *[other] ，另有 { $count } 行需要人工核查
    }。这是对账的结果，并非程序出错。
report-why-lacking = { $n ->
       *[other] 输入缺少服务方列出的 { $count } 笔订单。这是对账的结果，并非程序出错。
    }
report-why-close-gaps = 无法给出结论：该月在有所缺失的情况下结账。
report-why-list-gap = 无法给出结论：不知道输入是否缺少订单，请重新运行。
report-why-incomplete = { $n ->
       *[other] 无法给出结论：有 { $count } 行没有得到可读的答复，请重新运行。
    }
report-why-no-rows = 无法给出结论：输入文件没有任何数据行（若这样没有问题，请加 --allow-empty）。
report-why-no-orders = 无法给出结论：没有任何一行查到订单。
report-why-empty = 没有需要对账的内容，且已设置为允许。

report-key-rows = 读入行数
report-key-rows-note = 每行恰好归入一类
report-key-findings = 未通过的检查
report-key-findings-note = { $errors } 项错误，{ $warnings } 项警告
report-key-material = 重大差异
report-key-material-note = 重大性水平 { $amount }
report-key-pending = 未结算
report-key-pending-note = 时间性差异
report-key-exceptions = 例外
report-key-exceptions-note = 没有可供判断的订单
report-lifecycle = 与订单上次被判断时相比：新增 { $new } 项，持续 { $persisting } 项，已解决 { $resolved } 项。
report-not-assessed = 此前发现的 { $count } 项本次未予判断。
report-reused = { $count } 笔订单未再次查询：此前运行时已见其结算。

## 总体
report-population = 总体
report-population-note = 输入的每一行恰好归入一类。
report-population-bar = 各类行数的构成
report-bucket = 类别
report-meaning = 含义
report-rows = 行数
report-population-sum = 各类合计
report-population-read = 从输入读入的行数
report-population-equal = 合计与读入行数一致。

## 数据集
report-dataset-read = 从数据集读取的订单数
report-dataset-population = 每笔订单恰好归入一类。
report-dataset-empty = 无法给出结论：数据集中没有符合所选范围的订单。
report-dataset = { $period ->
    [all] 数据集中的全部订单，不论何时创建
    [since] 数据集中 { $since } 及以后创建的订单
    [until] 数据集中 { $until } 及以前创建的订单
   *[within] 数据集中 { $since } 至 { $until } 创建的订单
  }（含没有创建时间的订单）：取 { $runs } 次运行共 { $observations } 条观测中最新的一条，首次运行 { $first }，末次运行 { $last }。
report-dataset-workflow = 仅限工作流 { $workflow } 的订单，以及工作流未知、未取得订单的行。
report-dataset-limits = 数据集不含我方账簿与服务方清单的内容，也不含哪些差异是新出现的：这些未作评估。

report-dataset-close = { $month } 的月结。其数字不再变动：以后各晚观测到的变化由下一次月结列出。
report-dataset-gap = 仍予结账（--force）：{ $gap ->
    [not-over] 没有在 { $time } 或之后开始的运行，而当月最后的订单到那时才来得及结算。
    [missing] 有 { $count } 个夜晚没有运行，最早的一个从 { $time } 开始。
    [incomplete] 有 { $count } 个夜晚的运行都只有不完整的订单清单，最早的一个从 { $time } 开始。
   *[unreadable] 以前月份有 { $count } 笔订单的最新答复无法读取，按消失计。
  }

report-input-records = 输入记录：{ $records } = 标题之上 { $above } + 标题 { $heading } + 行 { $rows } + 末尾 { $below }。
report-input-sheet = 工作表：{ $sheet }
report-input-hidden = 其中隐藏或被筛选掉、但同样计入的行：{ $count }
report-input-guessed = 第 { $line } 行视为标题：{ $heading }
report-input-cut = 最后一行（第 { $line } 行）单元格不足且没有换行：文件可能被截断。

## 控制总额
report-totals = 控制总额
report-totals-note = 精确到最后一位，按币种列示：不跨币种相加，也不作任何舍入。
report-total = 合计
report-totals-empty = 没有取得任何订单，因此没有可汇总的金额。
report-amounts = 已结算订单合计
report-quote-split = 报价 = 实扣 + 释放
report-cost-sum = 总费用 = 算力 + 外部模型
report-net-difference = 差异净额
report-gross-difference = 差异总额
report-lacking-orders = 缺少金额的订单
report-tolerated = 仅因容差而通过
report-rounded = 仅因我方账簿舍入而通过
report-tolerated-passes = 通过次数
report-waived = 已豁免
report-waived-findings = 未通过的检查
report-frozen = 服务方仍冻结的款项
report-frozen-orders = 未结算订单
report-frozen-quotes = 其报价合计
report-frozen-age = 其中{ $age }
report-frozen-stale-soon = 其中即将逾期
report-ties = 给出的控制总额
report-ties-note = 已结算订单的合计以及行数、订单数应当达到的数字，例如发票总额。
report-tie-given = 给出
report-tie-summed = 合计
report-tie-came = 结果
report-tie-holds = 对平
report-tie-rounded = 舍入后相符
report-tie-fails = 对不上
report-tie-which = 哪个币种？
report-books = 我方账簿与服务方
report-books-note = 参与比较的输入各列的合计。差异为服务方减我方。
report-books-ours = 我方
report-books-provider = 服务方
report-books-without = 没有金额的行
report-column-cause-of-all =
    { $kind ->
        [fen] “{ $column }”列与 { $field } 不符的 { $count } 行，恰好都是它的 100 倍：该列似乎以分为单位。
        [larger] “{ $column }”列与 { $field } 不符的 { $count } 行，恰好都是它的 { $factor } 倍：该列似乎用了更小的单位。
        [smaller] “{ $column }”列与 { $field } 不符的 { $count } 行，恰好都是它的 { $factor } 分之一：该列似乎用了更大的单位。
        [sign-flipped] “{ $column }”列与 { $field } 不符的 { $count } 行，正负号都相反：该列似乎把扣费记为负数。
       *[rounding] “{ $column }”列与 { $field } 不符的 { $count } 行，都等于它舍入后的金额：该列似乎经过舍入。可用 --books-decimals 按此比较。
    }
report-completeness = 完整性
report-listed = 服务方自己的列表载有该期间的订单 { $listed } 笔；输入缺少其中 { $unlisted } 笔。
report-list-missing = 服务方共计 { $counted } 笔订单，其中 { $missing } 笔从未列出：输入缺少其中哪些，不得而知。
report-list-uncounted = 无从知道列表是否完整。
report-outside-period = { $n ->
       *[other] 输入中有 { $count } 笔订单（{ $currency }）创建于期间 { $period } 之外：已结算的实扣 { $charged }，未结算的报价 { $quoted }。
    }
report-list-not-had = { $problem }：输入缺少哪些订单，不得而知。
report-bridge = 勾稽
report-bridge-note = 报告自我验证：合计取自汇总，差异则另行逐笔累加。余数必须为零。
report-bridge-line = 币种与等式
report-bridge-quote-split = Σ 报价 − Σ（实扣 + 释放）+ Σ 差异 − 缺项
report-bridge-cost-sum = Σ 总费用 − Σ（算力 + 外部模型）− Σ 差异 − 缺项
report-bridge-whole = 整体
report-bridge-parts = 各部分
report-bridge-differences = 差异
report-bridge-lacking = 缺项
report-bridge-residual = 余数

## 差异
report-discrepancies = 差异
report-causes = 按检查与原因
report-causes-note = 仅在精确算术能够证明时才列出原因。净额按正负相加，总额不计正负。
report-causes-none = 没有未通过的检查。
report-check-and-cause = 检查与原因
report-orders = 订单数
report-off = 按设置未作判断：{ $checks }
report-list = 全部未通过的检查
report-list-note = 订单的每项未通过的检查占一行，含警告与已豁免项。
report-cause-overage = 账单超出报价，没有余额可释放
report-cause-not-released = 余额未释放
report-cause-released-in-full = 已有扣费却释放全部报价
report-cause-released-twice = 余额释放了两次
report-cause-external-left-out = 总费用漏计外部模型费用
report-cause-compute-left-out = 总费用漏计算力费用
report-cause-external-counted-twice = 总费用重复计入外部模型费用
report-cause-compute-counted-twice = 总费用重复计入算力费用
report-cause-sign-flipped = 某项金额正负号相反
report-cause-scale = 某项金额差 10 的若干次方
report-cause-rounding = 某项金额经过舍入
report-cause-unexplained = 没有能精确吻合的原因
report-lifecycle-new = 新增
report-lifecycle-persisting = 持续
report-yes = 是

## 表格
report-first-rows = 未启用 JavaScript 时，本页只显示 { $all } 行中的前 { $count } 行；{ $file } 载有全部。
report-cut-rows = 本页含 { $all } 行中的前 { $count } 行；{ $file } 载有全部。
report-no-rows = 无。
report-filter = 筛选：{ $table }
report-search = 筛选
report-filter-hint = 任意列中的字词
report-filter-all = 全部
report-filter-clear = 清除
report-found = { $shown } / { $all } 行
report-nothing-found = 没有符合筛选条件的行。
report-first = 首页
report-previous = 上一页
report-next = 下一页
report-last = 末页
report-page = 第 { $page } / { $pages } 页
report-pages = { $table }的分页
report-copy = 复制 { $id }
report-copied = 已复制 { $id }
report-not-copied = 浏览器不允许复制：{ $id }
report-printed = 打印 { $all } 行中的第 { $from } 至 { $to } 行。

report-column-run_order_id = 运行订单
report-column-input_line = 行号
report-column-workflow_id = 工作流
report-column-revision_id = 版本
report-column-day = 日期
report-column-check = 检查
report-column-severity = 严重程度
report-column-cause = 原因
report-column-currency = 币种
report-column-expected = 应为
report-column-actual = 实际
report-column-difference = 差异
report-column-waived = 豁免
report-column-lifecycle = 延续情况
report-column-run_status = 运行状态
report-column-settlement_status = 结算状态
report-column-freeze_status = 冻结状态
report-column-created_at = 创建时间（UTC）
report-column-updated_at = 更新时间（UTC）
report-column-message = 发现的情况
report-column-discrepancy_id = 差异 ID
report-column-quote_amount = 报价
report-column-final_amount = 实扣
report-column-released_amount = 释放
report-column-compute_cost = 算力
report-column-external_model_cost = 外部模型
report-column-total_cost = 总费用
report-column-orders = 订单数
report-column-rows = 行数
report-column-settled = 已结算
report-column-pending = 待结算
report-column-failed_runs = 失败的运行
report-column-discrepant = 有差异
report-column-quote_gross_difference = 报价差异总额
report-column-quote_net_difference = 报价差异净额
report-column-cost_gross_difference = 费用差异总额
report-column-cost_net_difference = 费用差异净额
report-column-age_hours = 账龄（小时）
report-column-age_bucket = 账龄
report-column-bucket = 类别
report-column-reason = 原因
report-column-detail = 详情
report-column-state = 状态
report-column-expires = 到期日
report-column-field = 字段
report-column-row = 账簿行
report-column-owner = 负责人
report-column-line = 项目
report-column-month = 月份
report-column-change = 变化
report-column-pending_quote = 未结报价

report-table-discrepancies = 未通过的检查
report-table-pending = 未结算订单
report-table-exceptions = 例外
report-table-resolved = 已解决的差异
report-table-waivers = 豁免
report-table-roll_forward = 未结订单变动表
report-table-adjustments = 以前期间调整
report-table-adjustments_by_month = 按月调整
report-table-spend_by_workflow = 按工作流的支出
report-table-spend_by_revision = 按版本的支出
report-table-spend_by_day = 按日的支出

## 支出
report-spend = 支出
report-spend-note = 已结算订单的合计，按币种列示。
report-chart-largest = 实扣金额（{ $currency }）：{ $all } 项中最大的 { $count } 项
report-chart-all = 实扣金额（{ $currency }）
report-chart-days = 每日实扣金额（{ $currency }），最高柱为 { $most }
report-chart-table = 数字见下表。
report-chart-none = （无）

## 待结算
report-pending = 待结算
report-pending-note = 尚未结算的订单：属时间性差异，并非账目差异。
report-pending-by-age = 按账龄
report-age = 账龄
report-age-0-1h = 不足 1 小时
report-age-1-24h = 1 至 24 小时
report-age-1-3d = 1 至 3 天
report-age-3-7d = 3 至 7 天
report-age-over-7d = 7 天以上
report-age-unknown = 账龄不明

## 月结

report-closing = 月结
report-roll-forward-note = 上次月结时未结的订单如何变为本次月结时未结的订单：期初未结 + 新增 + 补见 + 重开 + 报价变动 − 已结算 − 消失。首次月结以此前各次运行所见的未结订单为期初。
report-adjustments-note = 以后的观测对已结月份的改变。已结的数字不变；加上这些金额即为订单现在的数字。金额为已结算订单合计的变动，未结报价为未结算订单报价的变动。
report-adjustments-none = 此后没有变化。
report-line-pending_at_open = 期初未结
report-line-new = 当月新增
report-line-late = 以前月份、此后才见到
report-line-reopened = 以前月份、不再是已结算
report-line-requoted = 报价变动
report-line-settled = 已结算
report-line-gone = 已不存在
report-line-pending_at_close = 期末未结
report-change-settled = 已结算
report-change-reopened = 不再是已结算
report-change-restated = 金额重述
report-change-requoted = 报价变动
report-change-added = 新增
report-change-gone = 消失
report-change-reattributed = 转到其他工作流、版本或币种

## 例外、豁免、已解决
report-exceptions = 例外
report-exceptions-note = 没有可供判断的订单的行，各附原因。
report-waivers = 豁免
report-waivers-note = 已生效 { $applied } 项，已过期 { $expired } 项，金额已变 { $changed } 项，未用到 { $unused } 项。
report-state-applied = 已生效
report-state-expired = 已过期
report-state-changed = 金额已变
report-state-unused = 未用到
report-resolved = 已解决
report-resolved-note = 订单上次被判断时发现、本次再次适用且成立的差异，金额为当时所记。

## 证明
report-proof = 如何证明
report-settings = 判断所用的设置
report-setting-checks = 参与判断的检查
report-setting-off = 未参与的检查
report-setting-tolerance = 容差
report-setting-tolerance-of = 容差（{ $currency }）
report-setting-currency = 唯一预期的币种
report-setting-stale-after = 视为逾期的账龄
report-setting-hours = { $count } 小时
report-setting-seconds = { $count } 秒
report-setting-severities = 另行设定的严重程度
report-setting-material = 重大性水平
report-setting-warn-before = 逾期前多久提醒
report-setting-expect = 与我方账簿比较
report-setting-expect-rows = 同一订单的各行
report-setting-added = 先相加再比较
report-setting-books-decimals = 我方账簿的小数位数
report-setting-workflows = 各工作流另设的阈值
report-setting-complete = 输入必须齐全的订单的创建时间
report-setting-waivers = 所给的豁免
report-setting-timezone = 一天从何处开始与结束
report-setting-day-by = 订单计入哪一天
report-setting-none = 无
report-evidence = 证据
report-evidence-note = 本页的每个数字都出自以下文件，其哈希值列于下方。本页及其他各文件的哈希值载于 manifest.json。
report-file = 文件
report-bytes = 字节
report-sha256 = SHA-256
report-reperform = 重新执行
report-reperform-verify = 在本报告所在的文件夹中执行：以哈希值核验每个文件，并由证据重新算出每个数字。
report-reperform-duckdb = 不借助本程序：用 DuckDB 由事实数据算出控制总额。
report-reperform-dataset = 不借助本程序：在数据集的文件夹中启动 DuckDB，并以本报告的文件夹代替 REPORT。
report-reperform-duckdb-checks = 以及报价不等于实扣 + 释放的订单。
report-end = 报告结束
report-why-sole-reason = 无法得出结论：全部 { $count } 个订单得到同一答复，问题在接口或账户，而不在订单：{ $reason }
report-why-shortfall =
    无法得出结论，因为输入的清单不完整：{ $reason ->
        [broken-off] 末尾没有 tieout discover 写的 “#tieout-end,…” 一行
        [other-rows] 末行记有 { $count } 个订单，实际有 { $rows } 行
        [missing] 末行说明服务商有 { $count } 个订单没有列出
       *[unknown] 末行说明不知道服务商是否列出了全部订单
    }。请重新生成清单。

## 一个文件夹中全部报告的页面
report-nights-name = 全部报告
report-nights-reports = 报告
report-nights-reports-note = 最新的在前。每行显示该报告自己的 summary.json 所载内容，前提是其哈希与清单一致。只有 tieout verify 能证明一份报告。
report-nights-money-note = 支出为已结算订单的实扣金额。差异为错误级检查的差异绝对值之和，含已豁免的；未通过多项检查的订单按每项各计一次。不同币种从不相加。
report-nights-newest = 最近一晚，截至 { $time }。
report-nights-open = 打开报告
report-nights-none = 此文件夹中没有报告。
report-nights-damaged = 已损坏
report-nights-damaged-count = 损坏的报告
report-nights-damaged-note = 请逐一运行 tieout verify
report-nights-streak = 连续相符
report-nights-streak-note = 最近退出码为 0 的晚数
report-nights-review = 最近需核查的一晚
report-nights-never = 无
report-nights-never-note = 每晚的退出码均为 0
report-nights-trend = 逐晚
report-nights-trend-note = 每天一根柱，取当天最新的、与最近一晚同一账户与服务方的报告；最多显示最近 { $days } 天。
report-nights-verdicts = 结论
report-nights-night = 截至
report-nights-spend = 支出
report-nights-differences = 差异
report-nights-undated = 时间不明
report-nights-audit = 由 tieout audit 生成
report-nights-close = { $month } 月结
report-nights-more = 另有 { $count } 个币种
report-nights-end = 列表结束
report-chart-nights = 每晚实扣金额（{ $currency }），最高柱为 { $most }
