### Texts of report.html; report.xlsx and the terminal share some of them. Machine names (codes, columns, statuses) are never translated.

## The page
report-name = Reconciliation report
report-skip = Skip to the verdict
report-sections = Sections
report-theme = Colours
report-theme-auto = System
report-theme-light = Light
report-theme-dark = Dark
report-as-of = As of { $time }
report-days-of = days in { $zone }
report-no-account = Billing reconciliation
report-no-currency = no currency
report-scroll = { $table }, scrolls sideways

## The verdict
report-verdict = Verdict
report-why-reconciled = Every order is settled and ties out.
report-why-pending =
    { $n ->
        [one] Everything due so far ties out; one order is not settled yet.
       *[other] Everything due so far ties out; { $count } orders are not settled yet.
    }
report-why-warnings = There are no unwaived errors, but there are warnings, waived errors or duplicate rows.
report-why-discrepant =
    { $n ->
        [one] One row needs review. This is a finding, not a failure of the job.
       *[other] { $count } rows need review. This is a finding, not a failure of the job.
    }
report-why-reconciled-in-part = Every order is settled and passes the checks that are on.
report-why-pending-in-part =
    { $n ->
        [one] Everything due so far passes the checks that are on; one order is not settled yet.
       *[other] Everything due so far passes the checks that are on; { $count } orders are not settled yet.
    }
report-why-variance =
    { $totals ->
        [one] One control total does not tie out
       *[other] { $totals } control totals do not tie out
    }{ $n ->
        [0] { "" }
        [one] , and one row needs review
       *[other] , and { $count } rows need review
    }. This is a finding, not a failure of the job.
report-why-lacking =
    { $n ->
        [one] The input lacks one order that the provider lists. This is a finding, not a failure of the job.
       *[other] The input lacks { $count } orders that the provider lists. This is a finding, not a failure of the job.
    }
report-why-close-gaps = No verdict can be given: the month was closed although something is missing.
report-why-list-gap = No verdict can be given: it is unknown whether the input lacks an order. Run again.
report-why-incomplete =
    { $n ->
        [one] No verdict can be given: one row has no readable answer. Run again.
       *[other] No verdict can be given: { $count } rows have no readable answer. Run again.
    }
report-why-no-rows = No verdict can be given: the input has no rows. If that is expected, use --allow-empty.
report-why-no-orders = No verdict can be given: no row led to an order.
report-why-empty = The input is empty, which --allow-empty permits.

report-key-rows = Rows read
report-key-rows-note = each in exactly one bucket
report-key-findings = Failed checks
report-key-findings-note = { $errors } errors, { $warnings } warnings
report-key-material = Material
report-key-material-note = { $amount } or more
report-key-pending = Not settled
report-key-pending-note = a timing difference
report-key-exceptions = Exceptions
report-key-exceptions-note = rows without an order to judge
report-lifecycle = Since the orders were last judged: { $new } new, { $persisting } persisting, { $resolved } resolved.
report-not-assessed = { $count } earlier findings were not judged this time.
report-reused = { $count } orders were not fetched again: an earlier run saw them settled.

## The population
report-population = Population
report-population-note = Every row of the input lands in exactly one bucket.
report-population-bar = Share of the rows in each bucket
report-bucket = Bucket
report-meaning = Meaning
report-rows = Rows
report-population-sum = Sum of all buckets
report-population-read = Rows read from the input
report-population-equal = The sum equals the rows read.

## A dataset instead of an input
report-dataset-read = Orders read from the dataset
report-dataset-population = Every order lands in exactly one bucket.
report-dataset-empty = No verdict can be given: the dataset has no order of this selection.
report-dataset = { $period ->
    [all] Orders of a dataset, whenever they were created
    [since] Orders of a dataset, created on { $since } or later
    [until] Orders of a dataset, created by { $until }
   *[within] Orders of a dataset, created from { $since } to { $until }
  } (and those without a creation time): the newest of { $observations } observations. Runs: { $runs }, the first at { $first }, the last at { $last }.
report-dataset-workflow = Only orders of the workflow { $workflow }, and rows without a fetched order whose workflow is not known.
report-dataset-limits = A dataset does not have what our own books and the provider's list say, nor which earlier discrepancies are new: that is not assessed.

report-dataset-close = The close of { $month }. Its figures stay as they are: what later nights observe is listed by the next close.
report-dataset-gap = Closed nonetheless (--force): { $gap ->
    [not-over] no run started at { $time } or later, when the last orders of the month have had the time to settle.
    [missing] { $count ->
        [one] a night is
       *[other] { $count } nights are
      } without a run, the first from { $time }.
    [incomplete] { $count ->
        [one] a night has
       *[other] { $count } nights have
      } only runs with an incomplete list of orders, the first from { $time }.
   *[unreadable] { $count ->
        [one] the newest answer about an order of an earlier month
       *[other] the newest answers about { $count } orders of earlier months
      } can't be read, which counts as gone.
  }

report-input-records = Input records: { $records } = { $above } above the heading + { $heading } heading + { $rows } rows + { $below } below the rows.
report-input-sheet = Sheet: { $sheet }
report-input-hidden = Rows of the sheet that are hidden or filtered out, but still counted: { $count }
report-input-guessed = Line { $line } is taken as the heading: { $heading }
report-input-cut = Line { $line }, the last row, has too few cells and no line ending: the file may be cut short.

## Control totals
report-totals = Control totals
report-totals-note = Exact to the last digit, per currency. Amounts are never rounded and never added across currencies.
report-total = Total
report-totals-empty = No order was fetched, so there is nothing to total.
report-amounts = Sums over settled orders
report-quote-split = quote = final + released
report-cost-sum = total = compute + external
report-net-difference = Net difference
report-gross-difference = Gross difference
report-lacking-orders = Orders without all three amounts
report-tolerated = Passed only thanks to the tolerance
report-rounded = Passed only thanks to the rounding of our books
report-tolerated-passes = Passes
report-waived = Waived
report-waived-findings = Failed checks
report-frozen = Still frozen by the provider
report-frozen-orders = Unsettled orders
report-frozen-quotes = Their quotes
report-frozen-age = of these, { $age }
report-frozen-stale-soon = of these, stale soon
report-ties = Control totals given
report-ties-note = Figures that the sums over settled orders, or the counts of rows and orders, must equal, such as the total of an invoice.
report-tie-given = Given
report-tie-summed = Summed
report-tie-came = Result
report-tie-holds = ties out
report-tie-rounded = ties out, rounded
report-tie-fails = does not tie out
report-tie-which = which currency?
report-books = Our books and the provider’s
report-books-note = Totals of the input columns that were compared. The difference is the provider’s total minus ours.
report-books-ours = Ours
report-books-provider = The provider’s
report-books-without = Rows without an amount
report-column-cause-of-all =
    { $kind ->
        [fen] All { $count } rows of “{ $column }” that differ from { $field } are exactly 100 times its value: the column seems to be in fen (or cents).
        [larger] All { $count } rows of “{ $column }” that differ from { $field } are exactly { $factor } times its value: the column seems to be in a smaller unit.
        [smaller] All { $count } rows of “{ $column }” that differ from { $field } are exactly a { $factor }th of its value: the column seems to be in a larger unit.
        [sign-flipped] All { $count } rows of “{ $column }” that differ from { $field } have the opposite sign: the column seems to book charges as negative amounts.
       *[rounding] All { $count } rows of “{ $column }” that differ from { $field } equal its value once rounded: the column seems to be rounded. Use --books-decimals to compare rounded figures.
    }
report-completeness = Completeness
report-listed = The provider lists { $listed } orders for the period; the input lacks { $unlisted } of them.
report-list-missing = The provider counts { $counted } orders in total, but never listed { $missing } of them: it is unknown whether the input lacks any of those.
report-list-uncounted = It is unknown whether the list is complete.
report-outside-period =
    { $n ->
        [one] One order in the input was created outside the period { $period }
       *[other] { $count } orders in the input were created outside the period { $period }
    } ({ $currency }): { $charged } charged on settled orders, { $quoted } quoted on the others.
report-list-not-had = { $problem }: it is unknown which orders the input lacks.
report-bridge = Bridge
report-bridge-note = The report checks itself: the totals come from the aggregates, the differences are added up separately, order by order. The residual must be zero.
report-bridge-line = Currency and identity
report-bridge-quote-split = Σ quote − Σ (final + released) + Σ differences − lacking
report-bridge-cost-sum = Σ total − Σ (compute + external) − Σ differences − lacking
report-bridge-whole = Whole
report-bridge-parts = Parts
report-bridge-differences = Differences
report-bridge-lacking = Lacking
report-bridge-residual = Residual

## Discrepancies
report-discrepancies = Discrepancies
report-causes = By check and cause
report-causes-note = A cause is named where exact arithmetic proves one. The net difference adds the differences with their signs, the gross difference without.
report-causes-none = No check failed.
report-check-and-cause = Check and cause
report-orders = Orders
report-off = Checks switched off in the settings: { $checks }
report-list = Every failed check
report-list-note = One row per failed check of an order, including warnings and waived ones.
report-cause-overage = the bill exceeded the quote, and nothing was left to release
report-cause-not-released = the surplus was not given back
report-cause-released-in-full = the whole quote was given back although something was charged
report-cause-released-twice = the surplus was given back twice
report-cause-external-left-out = the total leaves out the external cost
report-cause-compute-left-out = the total leaves out the compute cost
report-cause-external-counted-twice = the total counts the external cost twice
report-cause-compute-counted-twice = the total counts the compute cost twice
report-cause-sign-flipped = an amount has the wrong sign
report-cause-scale = an amount is off by a power of ten
report-cause-rounding = an amount was rounded
report-cause-unexplained = no cause fits exactly
report-lifecycle-new = new
report-lifecycle-persisting = persisting
report-yes = yes

## The tables
report-first-rows = Without JavaScript, this page shows only the first { $count } of { $all } rows; { $file } has them all.
report-cut-rows = This page holds only the first { $count } of { $all } rows; { $file } has them all.
report-no-rows = There are none.
report-filter = Filter: { $table }
report-search = Filter
report-filter-hint = Words in any column
report-filter-all = all
report-filter-clear = Clear
report-found = { $shown } of { $all } rows
report-nothing-found = No row matches the filter.
report-first = First
report-previous = Previous
report-next = Next
report-last = Last
report-page = Page { $page } of { $pages }
report-pages = Pages of { $table }
report-copy = Copy { $id }
report-copied = Copied { $id }
report-not-copied = The browser does not allow copying: { $id }
report-printed = Rows { $from } to { $to } of { $all } are printed.

report-column-run_order_id = Run order
report-column-input_line = Line
report-column-workflow_id = Workflow
report-column-revision_id = Revision
report-column-day = Day
report-column-check = Check
report-column-severity = Severity
report-column-cause = Cause
report-column-currency = Currency
report-column-expected = Expected
report-column-actual = Actual
report-column-difference = Difference
report-column-waived = Waived
report-column-lifecycle = Lifecycle
report-column-run_status = Run status
report-column-settlement_status = Settlement
report-column-freeze_status = Freeze
report-column-created_at = Created (UTC)
report-column-updated_at = Updated (UTC)
report-column-message = Finding
report-column-discrepancy_id = Discrepancy ID
report-column-quote_amount = Quote
report-column-final_amount = Final
report-column-released_amount = Released
report-column-compute_cost = Compute
report-column-external_model_cost = External
report-column-total_cost = Total
report-column-orders = Orders
report-column-rows = Rows
report-column-settled = Settled
report-column-pending = Pending
report-column-failed_runs = Failed runs
report-column-discrepant = Discrepant
report-column-quote_gross_difference = Quote gross diff.
report-column-quote_net_difference = Quote net diff.
report-column-cost_gross_difference = Cost gross diff.
report-column-cost_net_difference = Cost net diff.
report-column-age_hours = Age in hours
report-column-age_bucket = Age
report-column-bucket = Bucket
report-column-reason = Reason
report-column-detail = Detail
report-column-state = State
report-column-expires = Expires
report-column-field = Field
report-column-row = Books row
report-column-owner = Owner
report-column-line = Line
report-column-month = Month
report-column-change = Change
report-column-pending_quote = Pending quote

report-table-discrepancies = Failed checks
report-table-pending = Unsettled orders
report-table-exceptions = Exceptions
report-table-resolved = Resolved discrepancies
report-table-waivers = Waivers
report-table-roll_forward = Roll-forward of pending orders
report-table-adjustments = Prior-period adjustments
report-table-adjustments_by_month = Adjustments by month
report-table-spend_by_workflow = Spend by workflow
report-table-spend_by_revision = Spend by revision
report-table-spend_by_day = Spend by day

## Spend
report-spend = Spend
report-spend-note = Sums over settled orders, per currency.
report-chart-largest = Final amount, { $currency }: the { $count } largest of { $all }
report-chart-all = Final amount, { $currency }
report-chart-days = Final amount by day, { $currency }; tallest bar: { $most }
report-chart-table = The table below has the figures.
report-chart-none = (none)

## Pending
report-pending = Still pending
report-pending-note = Orders that are not settled: a timing difference, not a discrepancy.
report-pending-by-age = By age
report-age = Age
report-age-0-1h = under 1 hour
report-age-1-24h = 1 to 24 hours
report-age-1-3d = 1 to 3 days
report-age-3-7d = 3 to 7 days
report-age-over-7d = over 7 days
report-age-unknown = unknown age

## What a close adds

report-closing = Close
report-roll-forward-note = How the orders that were pending at the previous close became those that are pending at this one: pending at open + new + late + reopened + changed quotes − settled − gone. At the first close, what earlier runs saw pending stands for the previous one.
report-adjustments-note = What later observations change in months that are closed. The closed figures stay as they are; with these sums they are what the orders say now. Amounts are changes of the sums over settled orders; the pending quote is that of unsettled ones.
report-adjustments-none = Nothing has changed since.
report-line-pending_at_open = Pending at open
report-line-new = New in the month
report-line-late = Of earlier months, first seen since
report-line-reopened = Of earlier months, no longer settled
report-line-requoted = Changed quotes
report-line-settled = Settled
report-line-gone = No longer there
report-line-pending_at_close = Pending at close
report-change-settled = settled
report-change-reopened = no longer settled
report-change-restated = restated
report-change-requoted = quote changed
report-change-added = added
report-change-gone = gone
report-change-reattributed = moved to another workflow, revision or currency

## Exceptions, waivers, resolved discrepancies
report-exceptions = Exceptions
report-exceptions-note = Rows without an order to judge, each with its reason.
report-waivers = Waivers
report-waivers-note = { $applied } applied, { $expired } expired, { $changed } changed, { $unused } unused.
report-state-applied = applied
report-state-expired = expired
report-state-changed = changed
report-state-unused = unused
report-resolved = Resolved
report-resolved-note = Checks that failed when the order was last judged, were due again this time, and now hold. The figures are the earlier ones.

## The proof
report-proof = How to prove this report
report-settings = Settings in effect
report-setting-checks = Checks switched on
report-setting-off = Checks switched off
report-setting-tolerance = Tolerance
report-setting-tolerance-of = Tolerance, { $currency }
report-setting-currency = Only currency expected
report-setting-stale-after = Stale at an age of
report-setting-hours = { $count } hours
report-setting-seconds = { $count } seconds
report-setting-severities = Changed severities
report-setting-material = Smallest material difference
report-setting-warn-before = Warning before stale
report-setting-expect = Compared with our books
report-setting-expect-rows = Rows of the same order
report-setting-added = added, then compared
report-setting-books-decimals = Decimals in our books
report-setting-workflows = Thresholds by workflow
report-setting-complete = Input must have every order created
report-setting-waivers = Waivers given
report-setting-timezone = Time zone of the days
report-setting-day-by = Orders count on the day they were
report-setting-none = none
report-evidence = Evidence
report-evidence-note = Every figure on this page comes from the files below. manifest.json has the hash of this page and of every other file.
report-file = File
report-bytes = Bytes
report-sha256 = SHA-256
report-reperform = Re-perform this report
report-reperform-verify = Run this in the report’s folder. It proves every file by its hash and recomputes every figure from the evidence.
report-reperform-duckdb = Without this program: DuckDB computes the control totals from run_orders.parquet.
report-reperform-dataset = Without this program: start DuckDB in the folder of the dataset, with this report’s folder in place of REPORT.
report-reperform-duckdb-checks = This query lists the settled orders whose quote is not final + released.
report-end = End of the report
report-why-sole-reason = No verdict can be given: all { $count } orders got the same answer, which is about the API or the account, not about the orders: { $reason }
report-why-shortfall =
    No verdict can be given, because the input is an incomplete list: { $reason ->
        [broken-off] it does not end with the line “#tieout-end,…” of “tieout discover”
        [other-rows] its last line counts { $count } orders, but it has { $rows } rows
        [missing] its last line says that the provider did not list { $count } of its orders
       *[unknown] its last line says that it is unknown whether the provider listed all orders
    }. Run “tieout discover” again.

## The page over all reports of a folder
report-nights-name = All reports
report-nights-reports = Reports
report-nights-reports-note = Newest first. Each line shows what the report's own summary.json says, if its hash is the one in the manifest. Only tieout verify proves a report.
report-nights-money-note = Spend is what settled orders were charged. Differences are the absolute differences of checks that are errors, waived ones included; an order that fails several checks counts with each. Currencies are never added up.
report-nights-newest = The newest night, as of { $time }.
report-nights-open = Open the report
report-nights-none = There are no reports in this folder.
report-nights-damaged = DAMAGED
report-nights-damaged-count = Damaged reports
report-nights-damaged-note = run tieout verify on each
report-nights-streak = Tied out in a row
report-nights-streak-note = newest nights with exit code 0
report-nights-review = Last night to review
report-nights-never = none
report-nights-never-note = every night ended with exit code 0
report-nights-trend = By night
report-nights-trend-note = One bar per day: its newest report about the account and provider of the newest night; at most the newest { $days } days.
report-nights-verdicts = Verdicts
report-nights-night = As of
report-nights-spend = Spend
report-nights-differences = Differences
report-nights-undated = Time unknown
report-nights-audit = by tieout audit
report-nights-close = close of { $month }
report-nights-more = and { $count } more currencies
report-nights-end = End of the list
report-chart-nights = Final amount by night, { $currency }; tallest bar: { $most }
