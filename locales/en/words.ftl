### What the program's own words mean: checks, causes, buckets, verdicts, severities.
### A code never changes its meaning: `tests/it/language.rs` keeps a snapshot of these.

## Checks: what holds for an order that passes, when the check is due, an example that fails, what to do.

check-quote-split-holds = quote_amount = final_amount + released_amount
check-quote-split-due = the order is settled and all three amounts are present
check-quote-split-example = quote 0.90000000, final 0.45000000, released 0.40000000: 0.05000000 of the quote is neither charged nor released.
check-quote-split-remedy = Ask the provider why charge and release do not add up to the quote. A charge above the quote is allowed only if the submitter accepted external model costs.

check-cost-sum-holds = total_cost = compute_cost + external_model_cost
check-cost-sum-due = all three amounts are present, settled or not
check-cost-sum-example = compute 0.30000000, external 0.10000000, total 0.30000000: the total leaves out the external cost.
check-cost-sum-remedy = Ask the provider which of the three costs is wrong: the total is not the sum of its parts.

check-missing-amount-holds = the amount is present
check-missing-amount-due = the quote always; the other five amounts once the order is settled
check-missing-amount-example = settled, but final_amount is missing: the charge is unknown.
check-missing-amount-remedy = Without the amount, quote-split or cost-sum can't be checked. Run again later; if it is still missing, ask the provider.

check-negative-amount-holds = no amount is below zero
check-negative-amount-due = the amount is present
check-negative-amount-example = external_model_cost -0.41496224: a negative cost.
check-negative-amount-remedy = The provider's reference gives no reason for a negative amount: ask what it means.

check-identity-mismatch-holds = the reply is about the requested order
check-identity-mismatch-due = always; if it fails, no other check judges the order, and its amounts enter no sum
check-identity-mismatch-example = wfrun_a was requested, but the reply names wfrun_b.
check-identity-mismatch-remedy = The provider answered with someone else's order, or with none. Report it to the provider at once.

check-currency-holds = quote_currency is present, and is the expected one if one is set
check-currency-due = always
check-currency-example = --currency CNY, but the order is quoted in USD.
check-currency-remedy = Set --currency to the currency of your contract. Ask the provider about orders in any other currency.

check-expected-mismatch-holds = every field that --expect names equals, to the last digit, the value in every row of our books
check-expected-mismatch-due = --expect names a column (with --expect-rows sum, rows are added first; with --books-decimals, the provider's figure is rounded first); until the order is settled, an amount that is not due yet may be absent or zero
check-expected-mismatch-example = our books say final_amount 0.45000001 on line 12, but the provider charged 0.45000000.
check-expected-mismatch-remedy = Correct the books, or ask the provider about the order: the message names the field and the line. A cell that can't be read as an exact amount counts as a difference: write it as digits with a decimal point.

check-booked-twice-holds = our books carry the order on only one row
check-booked-twice-due = --expect names a column, and rows are not added (by --expect-rows sum)
check-booked-twice-example = the order is on line 7 and again on line 31.
check-booked-twice-remedy = Remove the row that books the order again: our total counts its amount twice, the provider's only once.

check-unlisted-in-input-holds = the input has every order that the provider lists
check-unlisted-in-input-due = --complete is given, for orders created within --since and --until and before the report's --as-of
check-unlisted-in-input-example = the provider lists wfrun_a, created in May, but no row of the input names it.
check-unlisted-in-input-remedy = Add the order to the input and run again, or find out why it was left out: an order that is not in the input is not reconciled.

check-list-mismatch-holds = the provider's list has the same quote_amount as the order itself and, once the order is settled, the same final_amount
check-list-mismatch-due = --complete is given, and the list has the amount
check-list-mismatch-example = the order says final_amount 0.45000000, but the list says 0.54000000.
check-list-mismatch-remedy = The provider gives two amounts for one order: ask which of them is billed.

check-restated-holds = a settled order has the same amounts and currency as its baseline, the first settled state with all six amounts
check-restated-due = an earlier run saw the order settled
check-restated-example = settled on Monday with final 0.10000000; on Tuesday the same order shows 0.12000000.
check-restated-remedy = Ask the provider why it changed a settlement, and correct what you booked for the order. It is reported every night until it is waived.

check-vanished-holds = the provider still knows an order that was seen settled
check-vanished-due = an earlier run saw the order settled, and the provider now says that there is no such order
check-vanished-example = settled in May with final 0.10000000; in June the provider answers 404 for it.
check-vanished-remedy = Ask the provider what happened to the order: you were charged for it. The report shows its last figures; the row is counted as not_found.

check-charge-equals-cost-holds = final_amount = total_cost
check-charge-equals-cost-due = the order is settled, its run did not fail, and both amounts are present
check-charge-equals-cost-example = total 0.15476757, final 0.10317838: a third of the cost is not charged.
check-charge-equals-cost-remedy = Ask the provider why the charge differs from the cost.

check-charge-exceeds-quote-holds = final_amount is at most quote_amount
check-charge-exceeds-quote-due = the order is settled and both amounts are present
check-charge-exceeds-quote-example = quote 0.08000000, final 0.11604785: an external model cost more than was quoted.
check-charge-exceeds-quote-remedy = A charge above the quote is allowed only if the submitter accepted the risk of external model costs: find out whether that is the case.

check-failed-run-charged-holds = final_amount is zero
check-failed-run-charged-due = the order is settled, its run failed, and the amount is present
check-failed-run-charged-example = run_status failed, final 0.09212901.
check-failed-run-charged-remedy = Ask the provider whether your contract allows a charge for failed runs.

check-status-conflict-holds = no statuses contradict each other: settled but frozen, settled but queued or running, or charged but queued
check-status-conflict-due = always
check-status-conflict-example = settlement_status settled, but freeze_status still frozen.
check-status-conflict-remedy = The order may have been read while it was being settled: run again. If the conflict remains, ask the provider which status is right.

check-stale-pending-holds = the order is younger than --stale-after
check-stale-pending-due = the order is not settled
check-stale-pending-example = submitted three days ago, and still not settled.
check-stale-pending-remedy = The provider still holds the quote of an order that should be settled by now: ask for its settlement.

check-stale-soon-holds = the order will not become stale within --warn-before
check-stale-soon-due = --warn-before is set, and the order is neither settled nor stale
check-stale-soon-example = --stale-after 24h and --warn-before 6h: submitted 20 hours ago, and still not settled.
check-stale-soon-remedy = Nothing is wrong yet. Check the order again before it becomes stale, and ask the provider to settle it if necessary.

check-outside-period-holds = the order was created within --since and --until
check-outside-period-due = --complete is given with --since or --until, and the order has a creation time
check-outside-period-example = the input is for May, but the order was created on 1 June.
check-outside-period-remedy = Move the order to the input of its own period, or it is counted in both periods. This report's sums include its amounts; their total is shown beside the sums.

check-timestamp-order-holds = updated_at is not before created_at
check-timestamp-order-due = both times are present
check-timestamp-order-example = created at 10:00:00, updated at 09:59:58.
check-timestamp-order-remedy = One of the times is wrong, and so is the day or the age under which reports count the order: ask the provider.

check-zero-time-holds = no time is a placeholder: the year 1, 1970-01-01 (the epoch), the end of 9999
check-zero-time-due = always
check-zero-time-example = updated_at is 0001-01-01T00:00:00Z.
check-zero-time-remedy = The field was never filled in. The report treats it as empty, so it gives the order no day and no age: ask the provider for the time.

check-unknown-status-holds = run_status is a known word, and so are the other statuses once the run has ended
check-unknown-status-due = always
check-unknown-status-example = run_status archived: a word that the provider's reference does not name.
check-unknown-status-remedy = The provider uses a word that its reference does not name. The word itself decides nothing: find out what it means, and whether the order should count as settled.

## Causes of a failed check: what the figures prove, and what to do.

cause-overage = The charge is above the quote, and nothing was released. Find out whether the submitter accepted external model costs; if not, claim the excess.
cause-not-released = The charge is below the quote, but the rest was not released. Ask the provider to release it.
cause-released-in-full = The whole quote was released although something was charged. Expect the provider to collect the charge later: keep it accrued.
cause-released-twice = The rest of the quote was released twice. Expect the provider to take one release back: do not book it as income.
cause-external-left-out = The total leaves out the external model cost. Ask the provider for a corrected total before you accept the charge.
cause-compute-left-out = The total leaves out the compute cost. Ask the provider for a corrected total before you accept the charge.
cause-external-counted-twice = The total counts the external model cost twice. Claim one of the two back.
cause-compute-counted-twice = The total counts the compute cost twice. Claim one of the two back.
cause-sign-flipped = The figures agree if the sign of one amount is reversed. In quote-split or cost-sum, ask the provider which sign is right; in our books, correct the column.
cause-scale = The figures agree if one amount is shifted by a power of ten: it is in a different unit. In quote-split or cost-sum, ask the provider to correct it; in our books (fen for yuan?), correct the column.
cause-rounding = In quote-split or cost-sum, the sides differ by one unit of the 8th decimal, or one side is rounded to 2, 4 or 6 places: if your contract allows rounding, set --tolerance. In our books, the figure is the provider's, rounded to the decimals of our books: if they are kept that way, set --books-decimals.
cause-unexplained = No known cause explains the difference exactly. Show the provider the order and its figures.

## Buckets of the population, and what tables call them.

bucket-reconciled = Fetched and settled, and every due check of severity error holds.
bucket-discrepant = Fetched, and at least one due check of severity error fails and is not waived: needs review.
bucket-waived = A valid waiver covers every failed check of severity error, or the missing order.
bucket-pending = Fetched and not settled, and everything that is due so far holds: a timing difference.
bucket-not_found = The provider says that there is no such order.
bucket-refused = The provider refuses to show this order.
bucket-malformed = The reply can't be read exactly as a run order: a type is wrong, or an amount can't be held exactly.
bucket-unfetched = The provider gave no readable answer. Run again: only what is missing is fetched.
bucket-duplicate = An earlier row has the same ID, and that row counts.
bucket-rejected = The row has no usable ID: correct the input.

bucket-name-reconciled = reconciled
bucket-name-discrepant = discrepant
bucket-name-waived = waived
bucket-name-pending = pending
bucket-name-not_found = not_found
bucket-name-refused = refused
bucket-name-malformed = malformed
bucket-name-unfetched = unfetched
bucket-name-duplicate = duplicate
bucket-name-rejected = rejected

## Verdicts, worst first, and what headings call them.

verdict-incomplete = No verdict can be given: rows have no readable answer, a list of orders has a gap, or no row led to an order. Run again. Exit code 3.
verdict-discrepant = A row needs review (discrepant, not_found, refused or rejected), the input lacks an order, or a control total does not tie out. Exit code 1.
verdict-warnings = No unwaived error is left, but there is a warning, a waived discrepancy or a duplicate. Exit code 0, unless --fail-on says otherwise.
verdict-pending = Everything that is due so far ties out; some orders are not settled yet. Exit code 0, unless --fail-on says otherwise.
verdict-reconciled = Every order is settled and ties out. Exit code 0.
verdict-empty = The input has no rows, and --allow-empty accepts that. Exit code 0.

verdict-name-incomplete = INCOMPLETE
verdict-name-discrepant = DISCREPANT
verdict-name-warnings = WARNINGS
verdict-name-pending = PENDING
verdict-name-reconciled = RECONCILED
verdict-name-empty = EMPTY

## Severities, and what tables call them.

severity-error = An order that fails the check is discrepant, and so is the verdict, unless a waiver covers the failure.
severity-warning = An order that fails the check counts as if it passed, but is listed; the verdict is warnings at worst.

severity-name-error = error
severity-name-warning = warning

## Amounts as tables call them.

amount-name-quote_amount = quote_amount
amount-name-final_amount = final_amount
amount-name-released_amount = released_amount
amount-name-compute_cost = compute_cost
amount-name-external_model_cost = external_model_cost
amount-name-total_cost = total_cost
amount-name-rows = rows
amount-name-orders = orders
