### The report for people, report.html. Machine names (codes, columns, statuses) are never translated.

## The page
report-name = Reconciliation report
report-skip = Skip to the verdict
report-sections = Sections
report-theme = Colours
report-theme-auto = System
report-theme-light = Light
report-theme-dark = Dark
report-as-of = As of { $time }
report-days-of = days of { $zone }
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
report-why-warnings = No error is left that nobody answers for, but something is worth a look.
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
report-why-list-gap = No verdict can be given: there is no telling whether the input lacks an order. Run again.
report-why-incomplete =
    { $n ->
        [one] No verdict can be given: one row is without a readable answer. Run again.
       *[other] No verdict can be given: { $count } rows are without a readable answer. Run again.
    }
report-why-no-rows = No verdict can be given: the input has no rows (if that is fine, say --allow-empty).
report-why-no-orders = No verdict can be given: not one row led to an order.
report-why-empty = There was nothing to reconcile, as allowed.

report-key-rows = Rows read
report-key-rows-note = each in exactly one bucket
report-key-findings = Failed checks
report-key-findings-note = { $errors } errors, { $warnings } warnings
report-key-material = Material
report-key-material-note = from { $amount } on
report-key-pending = Not settled
report-key-pending-note = a timing difference
report-key-exceptions = Exceptions
report-key-exceptions-note = rows without an order to judge
report-lifecycle = Since the orders were last judged: { $new } new, { $persisting } persisting, { $resolved } resolved.
report-not-assessed = { $count } found earlier were not judged this time.
report-reused = { $count } orders were not asked for again: an earlier run saw them settled.

## The population
report-population = Population
report-population-note = Every row of the input lands in exactly one bucket.
report-population-bar = How the rows divide among the buckets
report-bucket = Bucket
report-meaning = Meaning
report-rows = Rows
report-population-sum = Sum of all buckets
report-population-read = Rows read from the input
report-population-equal = The sum equals the rows read.

report-input-records = Records of the input: { $records } = { $above } above the heading + { $heading } heading + { $rows } rows + { $below } below them.
report-input-sheet = Sheet: { $sheet }
report-input-hidden = Rows of it that are hidden or filtered out, and count all the same: { $count }
report-input-guessed = Line { $line } is taken for the heading: { $heading }
report-input-cut = Line { $line }, the last row, is short and has no end of line: the file may be cut.

## Control totals
report-totals = Control totals
report-totals-note = Exact to the last digit, per currency: nothing is ever added across currencies or rounded.
report-total = Total
report-totals-empty = No order was fetched, so there is nothing to total.
report-amounts = Sums over settled orders
report-quote-split = quote = final + released
report-cost-sum = total = compute + external
report-net-difference = Net difference
report-gross-difference = Gross difference
report-lacking-orders = Orders that lack an amount
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
report-ties-note = What sums over settled orders, and counts of rows and orders, have to come to, such as an invoice’s total.
report-tie-given = Given
report-tie-summed = Summed
report-tie-came = Result
report-tie-holds = ties out
report-tie-rounded = ties out, rounded
report-tie-fails = does not tie out
report-tie-which = which one?
report-books = Our books and the provider’s
report-books-note = Totals of the columns of the input that were compared. The difference is the provider’s less ours.
report-books-ours = Ours
report-books-provider = The provider’s
report-books-without = Rows without an amount
report-column-cause-of-all =
    { $kind ->
        [fen] All { $count } rows of “{ $column }” that differ from { $field } are exactly 100 times it: the column seems to be in fen (or cents).
        [larger] All { $count } rows of “{ $column }” that differ from { $field } are exactly { $factor } times it: the column seems to be in a smaller unit.
        [smaller] All { $count } rows of “{ $column }” that differ from { $field } are exactly a { $factor }th of it: the column seems to be in a larger unit.
        [sign-flipped] All { $count } rows of “{ $column }” that differ from { $field } have the opposite sign: the column seems to book charges below zero.
       *[rounding] All { $count } rows of “{ $column }” that differ from { $field } equal it rounded: the column seems to be rounded. --books-decimals compares it as such.
    }
report-completeness = Completeness
report-listed = The provider’s own list has { $listed } orders of the period; the input lacks { $unlisted } of them.
report-list-missing = The provider counts { $counted } orders in all, and { $missing } of them were never listed: what the input lacks of those is not known.
report-list-uncounted = There is no telling whether the list is whole.
report-outside-period =
    { $n ->
        [one] One order of the input was created outside the period { $period }
       *[other] { $count } orders of the input were created outside the period { $period }
    } ({ $currency }): { $charged } charged on settled orders, { $quoted } quoted on the others.
report-list-not-had = { $problem }: what the input lacks is not known.
report-bridge = Bridge
report-bridge-note = The report proves itself: the totals come from the aggregates, the differences were added up order by order on another path. The residual has to be zero.
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
report-causes-note = A cause is named where exact arithmetic proves one. Net adds the differences with their signs, gross without.
report-causes-none = No check failed.
report-check-and-cause = Check and cause
report-orders = Orders
report-off = Not judged, as set: { $checks }
report-list = Every failed check
report-list-note = One row per failed check of an order, warnings and waived ones included.
report-cause-overage = the bill exceeded the quote, and nothing was left to release
report-cause-not-released = the surplus was not given back
report-cause-released-in-full = the whole quote was given back although something was charged
report-cause-released-twice = the surplus was given back twice
report-cause-external-left-out = the total leaves the external cost out
report-cause-compute-left-out = the total leaves the compute cost out
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
report-first-rows = The first { $count } of { $all } rows are shown: with JavaScript this page shows all, and { $file } has them all.
report-cut-rows = This page holds the first { $count } of { $all } rows; { $file } has them all.
report-no-rows = There are none.
report-filter = Filter: { $table }
report-search = Filter
report-filter-hint = Words in any column
report-filter-all = all
report-filter-clear = Clear
report-found = { $shown } of { $all } rows
report-nothing-found = No row fits the filter.
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
report-column-message = What was found
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

report-table-discrepancies = Failed checks
report-table-pending = Unsettled orders
report-table-exceptions = Exceptions
report-table-resolved = Resolved discrepancies
report-table-waivers = Waivers
report-table-spend_by_workflow = Spend by workflow
report-table-spend_by_revision = Spend by revision
report-table-spend_by_day = Spend by day

## Spend
report-spend = Spend
report-spend-note = Sums over settled orders, per currency.
report-chart-largest = Final amount, { $currency }: the { $count } largest of { $all }
report-chart-all = Final amount, { $currency }
report-chart-days = Final amount by day, { $currency }, bars up to { $most }
report-chart-table = Its figures stand in the table below.
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

## Exceptions, waivers, what was resolved
report-exceptions = Exceptions
report-exceptions-note = Rows without an order to judge, each with its reason.
report-waivers = Waivers
report-waivers-note = { $applied } applied, { $expired } expired, { $changed } changed, { $unused } unused.
report-state-applied = applied
report-state-expired = expired
report-state-changed = changed
report-state-unused = unused
report-resolved = Resolved
report-resolved-note = Found when the order was last judged, due again this time, and in order; with the earlier figures.

## The proof
report-proof = How this can be proved
report-settings = Settings that judged
report-setting-checks = Checks that judged
report-setting-off = Checks that did not
report-setting-tolerance = Tolerance
report-setting-tolerance-of = Tolerance, { $currency }
report-setting-currency = The only currency expected
report-setting-stale-after = Stale from
report-setting-hours = { $count } hours
report-setting-seconds = { $count } seconds
report-setting-severities = Severities set
report-setting-material = Material from
report-setting-warn-before = Warned before stale
report-setting-expect = Compared with our books
report-setting-expect-rows = Rows of one order
report-setting-added = added, then compared
report-setting-books-decimals = Decimals of our books
report-setting-workflows = Other thresholds by workflow
report-setting-complete = Orders the input must have all of, created
report-setting-waivers = Waivers given
report-setting-timezone = Days begin and end in
report-setting-day-by = Orders belong to the day they were
report-setting-none = none
report-evidence = Evidence
report-evidence-note = Every figure on this page comes from these files, whose hashes are below. manifest.json has the hash of this page and of every other file.
report-file = File
report-bytes = Bytes
report-sha256 = SHA-256
report-reperform = Perform it again
report-reperform-verify = In the folder of this report: proves every file by its hash, and makes every figure again from the evidence.
report-reperform-duckdb = Without this program: the control totals, by DuckDB from the facts.
report-reperform-duckdb-checks = And the orders whose quote is not final + released.
report-end = End of the report
report-why-sole-reason = No verdict can be given: all { $count } orders met the same answer, which is about the API or the account and not about the orders: { $reason }
report-why-shortfall =
    No verdict can be given, for the input is a list that is not whole: { $reason ->
        [broken-off] it does not end with the line “#tieout-end,…” of “tieout discover”
        [other-rows] its last line counts { $count } orders, and it has { $rows } rows
        [missing] its last line says that the provider did not list { $count } of its orders
       *[unknown] its last line says that nobody knows whether the provider listed all orders
    }. Make the list again.
