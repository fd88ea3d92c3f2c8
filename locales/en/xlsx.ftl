### Texts of report.xlsx: sheet names, headings and explanations. Codes, IDs and the words in the tables are not translated.

xlsx-title = Reconciliation report
xlsx-subject = Reconciliation of the provider’s charges for run orders
xlsx-footer-page = Page { $page } of { $pages }

## Sheets.

xlsx-sheet-summary = Summary
xlsx-sheet-discrepancies = Discrepancies
xlsx-sheet-spend_by_workflow = By workflow
xlsx-sheet-spend_by_revision = By revision
xlsx-sheet-spend_by_day = By day
xlsx-sheet-pending = Pending
xlsx-sheet-exceptions = Exceptions
xlsx-sheet-resolved = Resolved
xlsx-sheet-waivers = Waivers
xlsx-sheet-roll_forward = Roll-forward
xlsx-sheet-adjustments_by_month = Adjustments by month
xlsx-sheet-adjustments = Adjustments

xlsx-about-discrepancies = One row per failed check of an order, including warnings and waived ones.
xlsx-about-spend_by_workflow = Spend by workflow and currency. Amounts are sums over settled orders.
xlsx-about-spend_by_revision = Spend by workflow, revision and currency. Amounts are sums over settled orders.
xlsx-about-spend_by_day = Spend by day and currency. Amounts are sums over settled orders.
xlsx-about-pending = Every unsettled order with its age.
xlsx-about-exceptions = Every row without an order to judge, with its line and reason.
xlsx-about-resolved = Checks that failed when the order was last judged, were due again this time, and now hold. The figures are the earlier ones.
xlsx-about-waivers = Every waiver given, with its state.
xlsx-about-roll_forward = How what was pending at the previous close became what is pending at this one.
xlsx-about-adjustments_by_month = By how much later observations change the figures of closed months.
xlsx-about-adjustments = Every order of a closed month whose figures have changed since.
xlsx-split = More rows than one sheet holds: continued in { $sheets }.

# Heading of a column that repeats the amounts of the column before it as text.
xlsx-exact = { $name } (exact text)

## The summary.

xlsx-as-of = As of (UTC)
xlsx-account = Account
xlsx-population = Population
xlsx-rows-read = Rows read
xlsx-control-totals = Control totals, { $currency }
xlsx-failed-checks = Failed checks
xlsx-sheets = Sheets of this workbook
xlsx-spend = Settled spend, { $currency }: the { $shown } largest of { $all } workflows
xlsx-chart = Settled spend by workflow ({ $currency })
xlsx-notes = How to read this workbook

xlsx-head-what = What
xlsx-head-code = Code
xlsx-head-currency = Currency
xlsx-head-figure = Figure
xlsx-head-exact = Exact text
xlsx-head-meaning = What it means

xlsx-settled = { $amount }, settled orders
xlsx-quote-net = Quote split, net difference
xlsx-quote-gross = Quote split, gross difference
xlsx-cost-net = Cost sum, net difference
xlsx-cost-gross = Cost sum, gross difference
xlsx-tolerated = Passed only thanks to the tolerance, gross
xlsx-rounded = Passed only thanks to rounding, gross
xlsx-waived = Waived, gross
xlsx-frozen = Still frozen: quotes of unsettled orders
xlsx-net = Net difference
xlsx-difference = Difference
xlsx-gross = Gross difference

xlsx-note-exact = A spreadsheet keeps 15 digits of a number. Amounts beyond 9,999,999.99999999, and all totals, are also given as text beside the number, exact to the last digit.
xlsx-note-difference = A difference is actual minus expected. For quote-split, expected is the quote and actual is final + released; for cost-sum, expected is compute + external and actual is the total.
xlsx-note-currency = Amounts are never added across currencies.
xlsx-note-formula = Text that a spreadsheet could read as a formula starts with an apostrophe.
xlsx-note-source = The CSV files in the report folder have the same rows; manifest.json has the hash of every file.
xlsx-sole-reason = Same answer for all orders
xlsx-shortfall = The input is incomplete
