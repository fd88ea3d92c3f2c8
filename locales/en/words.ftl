### What the program's own words mean: checks, causes, buckets, verdicts, severities.
### A check's code never changes its meaning: `tests/it/language.rs` has a snapshot of these.

## Checks: what holds for an order that passes, when the check is due, an order that fails it, what to do then.

check-quote-split-holds = quote_amount = final_amount + released_amount
check-quote-split-due = the order is settled and all three amounts are there
check-quote-split-example = quote 0.90000000, final 0.45000000, released 0.40000000: 0.05000000 of what was frozen is neither charged nor given back.
check-quote-split-remedy = Ask the provider why what was charged and what was given back do not add up to what was frozen. A charge above the quote is allowed only where the submitter accepted external model costs.

check-cost-sum-holds = total_cost = compute_cost + external_model_cost
check-cost-sum-due = all three amounts are there, settled or not
check-cost-sum-example = compute 0.30000000, external 0.10000000, total 0.30000000: the external cost is left out.
check-cost-sum-remedy = Ask the provider which of the three costs is wrong: the total is not the sum of its parts.

check-missing-amount-holds = the amount is there
check-missing-amount-due = the quote always; the other five amounts once the order is settled
check-missing-amount-example = settled, but there is no final_amount: nobody can say what was charged.
check-missing-amount-remedy = The identities can't be proved without the amount. Ask again later; if it stays away, ask the provider.

check-negative-amount-holds = no amount is below zero
check-negative-amount-due = the amount is there
check-negative-amount-example = external_model_cost -0.41496224: a cost that pays.
check-negative-amount-remedy = Nothing documented makes an amount negative: ask the provider what it stands for.

check-identity-mismatch-holds = the reply is about the order that was asked for
check-identity-mismatch-due = always; when it fails no other check judges the order, and its amounts enter no sum
check-identity-mismatch-example = wfrun_a was asked for, and the reply names wfrun_b.
check-identity-mismatch-remedy = The provider answered with somebody else's order, or with none. Report it to the provider at once.

check-currency-holds = quote_currency is there, and the expected one if one is set
check-currency-due = always
check-currency-example = --currency CNY, and the order is quoted in USD.
check-currency-remedy = Set --currency to the currency of your contract; ask the provider about orders in any other.

check-expected-mismatch-holds = every field that --expect names is, to the last digit, what every row of our books says
check-expected-mismatch-due = --expect names a column (with --expect-rows sum rows are added first, with --books-decimals the provider's figure is rounded first); until the order is settled, an amount that is not due yet may be absent or zero
check-expected-mismatch-example = our books say final_amount 0.45000001 on line 12, the provider charged 0.45000000.
check-expected-mismatch-remedy = Correct the books, or ask the provider about the order: the message names field and line. A cell that can't be read as an exact amount counts as a difference: give it as digits with a decimal point.

check-booked-twice-holds = our books carry the order on one row
check-booked-twice-due = --expect names a column, and rows are not added (--expect-rows sum)
check-booked-twice-example = the order stands on line 7 and again on line 31.
check-booked-twice-remedy = Remove the row that books the order again: its amount is in our total twice, and in the provider's once.

check-unlisted-in-input-holds = the input has every order that the provider lists
check-unlisted-in-input-due = --complete; orders created within --since and --until, and before the report's --as-of
check-unlisted-in-input-example = the provider lists wfrun_a, created in May, and no row of the input names it.
check-unlisted-in-input-remedy = Add the order to the input and run again, or find out why it is left out: what is not in the input is not reconciled.

check-list-mismatch-holds = the provider's list says the same quote_amount and, once the order is settled, the same final_amount as the order itself
check-list-mismatch-due = --complete, and the list has the amount
check-list-mismatch-example = the order says final_amount 0.45000000, the list says 0.54000000.
check-list-mismatch-remedy = The provider says two things about one order: ask which of them is billed.

check-restated-holds = a settled order's amounts and currency are those of its baseline, the first settled state with all six amounts
check-restated-due = an earlier run saw the order settled
check-restated-example = settled on Monday with final 0.10000000; on Tuesday the same order says 0.12000000.
check-restated-remedy = Ask the provider why it changed a settlement, and correct what you booked for the order. It is reported every night until it is waived.

check-vanished-holds = the provider still knows an order that was seen settled
check-vanished-due = an earlier run saw the order settled, and the provider answers that there is no such order
check-vanished-example = settled in May with final 0.10000000; in June the provider answers 404 for it.
check-vanished-remedy = Ask the provider what became of the order: you were charged for it. Its last figures stand in the report; the row is counted as not_found.

check-charge-equals-cost-holds = final_amount = total_cost
check-charge-equals-cost-due = the order is settled, its run did not fail, and both amounts are there
check-charge-equals-cost-example = total 0.15476757, final 0.10317838: a third of the cost is not charged.
check-charge-equals-cost-remedy = Ask the provider what the difference between the charge and the cost is for.

check-charge-exceeds-quote-holds = final_amount is at most quote_amount
check-charge-exceeds-quote-due = the order is settled and both amounts are there
check-charge-exceeds-quote-example = quote 0.08000000, final 0.11604785: an external model cost more than was quoted.
check-charge-exceeds-quote-remedy = A charge above the quote is allowed only where the submitter accepted the risk of external model costs: find out whether that was so.

check-failed-run-charged-holds = final_amount is zero
check-failed-run-charged-due = the order is settled, its run failed, and the amount is there
check-failed-run-charged-example = run_status failed, final 0.09212901.
check-failed-run-charged-remedy = Ask the provider whether failed runs are charged by your contract.

check-status-conflict-holds = the order is not settled yet still frozen, not settled yet queued or running, and not charged while queued
check-status-conflict-due = always
check-status-conflict-example = settlement_status settled, and freeze_status still frozen.
check-status-conflict-remedy = The order may have been read while it was being settled: run again. If it stays, ask the provider which of the statuses is true.

check-stale-pending-holds = the order is younger than --stale-after
check-stale-pending-due = the order is not settled
check-stale-pending-example = submitted three days ago, and not settled.
check-stale-pending-remedy = The provider holds the quote of an order that should be settled by now: ask for its settlement.

check-stale-soon-holds = the order is not within --warn-before of being stale
check-stale-soon-due = --warn-before is set, and the order is neither settled nor stale
check-stale-soon-example = --stale-after 24h and --warn-before 6h: submitted 20 hours ago, and not settled.
check-stale-soon-remedy = Nothing is wrong yet: look at the order again before it is stale, and ask the provider for its settlement then.

check-outside-period-holds = an order of the input was created within --since and --until
check-outside-period-due = --complete with --since or --until, and the order says when it was created
check-outside-period-example = the input is that of May, and the order was created on 1 June.
check-outside-period-remedy = Move the order to the input of its own period, or it is counted in two. Its amounts are in this report's sums; how much they come to is said beside them.

check-timestamp-order-holds = updated_at is not before created_at
check-timestamp-order-due = both times are there
check-timestamp-order-example = created at 10:00:00, updated at 09:59:58.
check-timestamp-order-remedy = One of the times is wrong, and with it the day or the age that reports count the order by: ask the provider.

check-zero-time-holds = no time is the zero of a program: the year 1, the epoch, the end of 9999
check-zero-time-due = always
check-zero-time-example = updated_at is 0001-01-01T00:00:00Z.
check-zero-time-remedy = The field was never filled in. The report treats it as empty, so that no day and no age can be told by it: ask the provider for the time.

check-unknown-status-holds = run_status is a word we know, and so are the other statuses once the run has ended
check-unknown-status-due = always
check-unknown-status-example = run_status archived: a word that the reference does not name.
check-unknown-status-remedy = The provider uses a word that its reference does not name. It decides nothing: find out what it means, and whether the order should count as settled.

## Causes of a failed identity: what the figures prove, and what to do.

cause-overage = The charge is above the quote and nothing was given back. Find out whether the submitter accepted external model costs; if not, claim the excess.
cause-not-released = The charge is below the quote and the rest was not given back. Ask the provider to release it.
cause-released-in-full = The whole quote was given back although something was charged. Expect the provider to collect the charge again: keep it accrued.
cause-released-twice = The rest of the quote was given back twice. Expect the provider to take one of them back: do not book it as income.
cause-external-left-out = The total lacks the external model cost. Ask the provider for a corrected total before you accept the charge.
cause-compute-left-out = The total lacks the compute cost. Ask the provider for a corrected total before you accept the charge.
cause-external-counted-twice = The total has the external model cost twice. Claim it once.
cause-compute-counted-twice = The total has the compute cost twice. Claim it once.
cause-sign-flipped = With the sign of one amount turned round the figures agree. In an identity, ask the provider which sign is meant; in our books, correct the column.
cause-scale = With one amount shifted by a power of ten the figures agree: it stands in another unit. In an identity, ask the provider to correct it; in our books (fen for yuan?), correct the column.
cause-rounding = An identity is off by one unit of the 8th decimal, or one side is rounded to 2, 4 or 6 places: if your contract allows rounding, set --tolerance. Our books say the provider's figure rounded to their decimals: if they are kept so, set --books-decimals.
cause-unexplained = No arithmetic proves a cause. Show the provider the order and its figures.

## Buckets of the population, and what tables call them.

bucket-reconciled = Fetched and settled, and every due check of severity error holds.
bucket-discrepant = Fetched, and at least one due check of severity error fails that nothing waives: a person must look.
bucket-waived = Every failed check of severity error, or that the order is missing, is covered by a waiver that holds.
bucket-pending = Fetched and not settled, and what is due so far holds: a timing difference.
bucket-not_found = The provider says that there is no such order.
bucket-refused = The provider refuses to show this order.
bucket-malformed = The reply is no run order that can be read exactly: a wrong type, or an amount that can't be held.
bucket-unfetched = No answer was had. Run again: what was fetched is not asked for twice.
bucket-duplicate = The same ID stands on an earlier row, which is the one that counts.
bucket-rejected = The row holds no usable ID: correct the input.

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

verdict-incomplete = No verdict can be given: some rows have no readable answer, or none led to an order. Run again. Exit code 3.
verdict-discrepant = At least one row needs review: it is discrepant, not_found, refused or rejected. Exit code 1.
verdict-warnings = No error is left that nobody answers for, but there is a warning, a waived discrepancy or a duplicate. Exit code 0, unless --fail-on says otherwise.
verdict-pending = Everything due so far ties out; some orders are not settled yet. Exit code 0, unless --fail-on says otherwise.
verdict-reconciled = Every order is settled and ties out. Exit code 0.
verdict-empty = The input had no rows, and --allow-empty says that this is fine. Exit code 0.

verdict-name-incomplete = INCOMPLETE
verdict-name-discrepant = DISCREPANT
verdict-name-warnings = WARNINGS
verdict-name-pending = PENDING
verdict-name-reconciled = RECONCILED
verdict-name-empty = EMPTY

## Severities, and what tables call them.

severity-error = An order that fails the check is discrepant, and so is the verdict, unless a waiver covers it.
severity-warning = The order counts as if it passed, and is listed; the verdict is warnings at worst.

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
