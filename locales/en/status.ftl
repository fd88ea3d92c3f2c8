### The line of `tieout status`.

status-well = OK
status-not-well = PROBLEM
status-newest = { $report }, { $age } old, { $verdict }
status-proven = proven
status-nights =
    { $count ->
        [one] { $count } night
       *[other] { $count } nights
    }
status-none-missing = none missing since { $day }
status-running = a job (pid { $pid }) is running

## What is not as it should be.

status-no-report = there is no report in { $folder }
status-damaged = { $report } is damaged: { $problem }
status-not-proven = { $report } is not proven: { $part }: { $detail }
status-report-missing =
    { $count ->
        [one] a report is missing that the state knows: { $report }
       *[other] { $count } reports are missing that the state knows, the first is { $report }
    }
status-copied = { $copy } is a copy of { $report }: keep copies elsewhere
status-incomplete = it is incomplete: run the same command again
status-too-old = it is older than { $most }
status-from-the-future = it is of a time yet to come: check this machine's clock
status-nights-missing =
    { $count ->
        [one] a night is missing: { $first }
       *[other] { $count } nights are missing, the first is { $first }
    }
status-no-state = there is no state { $state }, which knows the earlier runs: restore it
status-state-too-young =
    { $count ->
        [one] the state does not know { $report }
       *[other] the state does not know { $count } reports, the last is { $report }
    }: an earlier state was lost or replaced
status-stale-lock = a job (pid { $pid }) has been running since { $since }: see whether it hangs
status-disk-almost-full = the disk of { $path } is almost full: { $free } MiB are free, { $wanted } MiB should be
