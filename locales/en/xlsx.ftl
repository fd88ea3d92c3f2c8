### `report.xlsx`: names of sheets, headings and explanations. Codes, IDs and the words of the tables are in no language.

xlsx-title = Reconciliation report
xlsx-subject = Run orders as the provider charges them, reconciled
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

xlsx-about-discrepancies = One row for each failed check of an order, warnings and waived ones included.
xlsx-about-spend_by_workflow = Spend by workflow and currency. Amounts are sums over settled orders.
xlsx-about-spend_by_revision = Spend by workflow, revision and currency. Amounts are sums over settled orders.
xlsx-about-spend_by_day = Spend by day and currency. Amounts are sums over settled orders.
xlsx-about-pending = Every unsettled order with its age.
xlsx-about-exceptions = Every row that is no fetched order, with line and reason.
xlsx-about-resolved = Found when the order was last judged, due again this time, and in order; with the earlier figures.
xlsx-about-waivers = Every waiver that was given, and what became of it.
xlsx-split = More rows than one sheet holds: they go on in { $sheets }.

# What stands behind the heading of a column that repeats the one before it as a text.
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
xlsx-tolerated = Passed only by tolerance, gross
xlsx-rounded = Passed only by rounding, gross
xlsx-waived = Waived, gross
xlsx-frozen = Still frozen: quotes of unsettled orders
xlsx-net = Net difference
xlsx-difference = Difference
xlsx-gross = Gross difference

xlsx-note-exact = A spreadsheet keeps 15 digits of a number. Amounts past 9,999,999.99999999 and all totals stand beside their number as a text too, exact to the last digit.
xlsx-note-difference = A difference is actual less expected. For quote-split, expected is the quote and actual is final + released; for cost-sum, expected is compute + external and actual is the total.
xlsx-note-currency = Nothing is ever added up across currencies.
xlsx-note-formula = A text that a spreadsheet could take for a formula begins with an apostrophe.
xlsx-note-source = The same rows stand in the CSV files of the report folder; manifest.json has the hash of every file.
xlsx-sole-reason = The same answer for all orders
xlsx-shortfall = The input is not whole
