### What the commands print: errors and warnings, progress, and the output of commands without a file of their own.

## Errors and warnings.

exit-error = error: { $what }
exit-warning = warning: { $what }
exit-help = help: { $help }

## Progress.

progress-rows = { $done }/{ $all } rows
progress-orders = { $done }/{ $all } orders
progress-pace = { $used } requests/s
progress-pace-allowed = { $used } requests/s of { $allowed } allowed
progress-discrepant = discrepant
progress-exceptions = exceptions
progress-retries = retries
progress-throttled = throttled
progress-eta = ETA { $time }
progress-until = { $what } until { $time }
progress-wait-rate = waiting for the rate limit
progress-wait-replies = waiting for replies
progress-wait-provider = the provider asks to wait
progress-wait-back-off = backing off after 429
progress-wait-breaker = the provider is failing: pausing
progress-wait-retries = waiting for the retry budget

progress-list = walking the provider's list of orders
progress-recheck =
    fetching { $count ->
        [one] 1 failing order
       *[other] { $count } failing orders
    } again
progress-recorded = run { $run } was killed after publishing its report, which is now recorded: { $folder }
progress-continuing = continuing run { $run } of { $began }: { $count } of { $rows } rows are done
progress-new-run = starting a new run: run { $run } of { $began } is not continued: { $reason }
progress-new-fresh = --fresh was given
progress-new-long-reported = its first report was made at { $since }, longer ago than --resume-within
progress-new-long-idle = it was last active at { $since }, longer ago than --resume-within
progress-new-input = the input has changed
progress-new-reading = the input is read in a different way: column, heading, encoding or delimiter
progress-new-settings = the settings that affect judgement have changed
progress-new-as-of = its --as-of is { $as-of }
progress-new-no-row = line { $line } of the input no longer holds a row
progress-new-other-row = line { $line } of the input held a different row when it was processed

## verify.

verify-proven = The report is proven.
verify-not-proven = The report is NOT proven.
verify-part-holds = holds
verify-part-fails = FAILS
verify-part-not-proven = not proven
verify-report-unchanged = proven before, and unchanged
verify-report-proven = proven
verify-report-not-proven = NOT PROVEN
verify-report-missing = MISSING: run { $run } made it, and `tieout prune` did not remove it
verify-nothing = There is no report to prove.
verify-counts = Proven: { $proven }. NOT proven: { $unproven }. Missing: { $missing }.

## runs and prune.

runs-none = no runs yet
runs-column-run = run
runs-column-state = state
runs-column-started-at = started_at
runs-column-done = done
runs-column-rows = rows
runs-column-verdict = verdict
runs-column-input = input
runs-column-report = report

prune-removed = removed { $what }
prune-would-remove = would remove { $what }
prune-what = { $reports } reports, and { $outcomes } outcomes of { $runs } runs and { $observations } observations from the state
prune-compacted = the state had { $before } bytes, and now has { $after } bytes
prune-size = the state has { $bytes } bytes, { $free } of them free for later runs
prune-size-hint = ; --compact returns them to the disk

runs-state-running = running
runs-state-unfinished = unfinished
runs-state-given-up = given-up
runs-state-incomplete = incomplete
runs-state-finished = finished

## dataset and compact.

dataset-appended = reports appended to { $dataset }: { $reports } (orders: { $orders }); there already: { $present }; audits, which observe nothing: { $audits }
dataset-heading = Dataset { $folder }
dataset-provider = provider
dataset-no-account = no account named
dataset-days = days
dataset-days-by = { $days }, by { $zone }
dataset-runs = runs
dataset-observations = observations
dataset-observed = { $orders } of orders, { $without } rows without
dataset-files = files
dataset-files-bytes = { $files } with { $bytes } bytes
dataset-bytes-per-order = , { $bytes } an order
dataset-closed = closed
dataset-months = months: { $months }
dataset-damage = damage
dataset-damage-found = FOUND
dataset-hashes-hold = every hash is as written
dataset-sizes-hold = every size is as written
dataset-uncounted = uncounted
dataset-uncounted-files = { $count } files that no run names
dataset-span = { " " }({ $first } to { $last })
dataset-more = and { $count } more
dataset-totals = Control totals of the newest run, { $run }

compact-merged = files merged: { $merged } (days: { $days }), into: { $into }

## Other commands.

init-wrote = wrote { $file }; name it with --config, or move it to ~/.config/tieout/tieout.toml
schedule-wrote = wrote { $file }
schedule-next = next: systemctl daemon-reload && systemctl enable --now { $timer }
sandbox-serves = The sandbox serves { $url }
sandbox-key = Its only key is { $key }. Stop it with Ctrl-C. Try:

script-file = Script
script-reads = it reads
script-writes = it writes
script-run = run it
script-then = then
