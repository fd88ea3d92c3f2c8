### The summary on the terminal (`reconcile`, `audit`). Scripts may rely on its lines, which have no colour in a pipe.

terminal-verdict = Verdict: { $verdict }

## Population.

terminal-population = Population
terminal-rows-read = = rows read
terminal-orders-read = = orders read
terminal-exceptions =
    { $count ->
        [one] { $count } row has
       *[other] { $count } rows have
    } no order to judge: see exceptions.csv.
terminal-reused =
    { $count ->
        [one] { $count } order was
       *[other] { $count } orders were
    } not fetched again: an earlier run saw them settled.

terminal-confirmed =
    { $count ->
        [one] { $count } failing order was
       *[other] { $count } failing orders were
    } fetched again: { $changed ->
        [0] none had changed.
       *[other] { $changed } had changed, and the newer reply is judged.
    }

## Control totals.

terminal-control-totals = Control totals
terminal-no-currency = no currency
terminal-settled = { $amount } (settled)
terminal-quote-split = quote-split differences, net
terminal-cost-sum = cost-sum differences, net
terminal-tolerated = passed by tolerance, gross
terminal-rounded = passed by rounding, gross
terminal-frozen = still frozen
terminal-stale-soon = { "  " }of which stale soon

## What a close adds.

terminal-roll-forward = Roll-forward of pending orders
terminal-column-quote = quote
terminal-adjustments = Adjustments of closed months
terminal-adjustments-none = No order of a closed month has changed since.
terminal-column-month = month
terminal-column-final = final
terminal-column-total = total
terminal-column-pending-quote = pending quote
terminal-undated = no date

## Our own books, and control totals from outside.

terminal-books = Our books and the provider's
terminal-ties = Control totals given
terminal-tie-fails = DOES NOT TIE OUT
terminal-column-given = given
terminal-column-ours = ours
terminal-column-provider = provider
terminal-column-summed = summed
terminal-column-without = rows without an amount

## Completeness.

terminal-complete =
    The provider lists { $listed ->
        [one] { $listed } order
       *[other] { $listed } orders
    } for the period; the input lacks { $unlisted ->
        [0] none of them.
       *[other] { $unlisted } of them.
    }
terminal-list-missing = The provider counts { $counted }, but never listed { $missing } of them: it is unknown whether the input lacks any of those.
terminal-list-uncounted = It is unknown whether the list is complete.
terminal-list-not-had = { $problem }: it is unknown which orders the input lacks.

## Discrepancies.

terminal-causes = Failed checks by cause
terminal-not-judged = Checks switched off in the settings: { $codes }
terminal-not-assessed = Checks that are off or that a dataset can't be asked: { $codes }
terminal-material = Material discrepancies, threshold { $material } ({ $shown } of { $count } shown, { $all } in all)
terminal-material-by-workflow = set per workflow
terminal-waived = waived: { $what }
terminal-worst = Worst discrepancies ({ $shown } of { $all })

terminal-column-cause = cause
terminal-column-check = check
terminal-column-currency = currency
terminal-column-difference = difference
terminal-column-gross = gross difference
terminal-column-line = line
terminal-column-net = net difference
terminal-column-order = run order
terminal-column-orders = orders
terminal-column-severity = severity
terminal-column-what = what

## Waivers.

terminal-waivers = Waivers: { $counts }
terminal-separator = { ", " }
terminal-waivers-applied = { $count } applied
terminal-waivers-expired = { $count } expired
terminal-waivers-changed = { $count } changed
terminal-waivers-unused = { $count } unused
terminal-waiver-lapsed = { $order } { $check }: { $why }
terminal-waiver-expired = it has expired
terminal-waiver-changed = the figures have changed

## Changes of discrepancies since earlier runs.

terminal-lifecycle =
    Since the orders were last judged: { $new } new, { $persisting } persisting, { $resolved } resolved{ $unjudged ->
        [0] { "" }
       *[other] , { $unjudged } not judged this time
    }
terminal-report = Report: { $folder }
terminal-dataset = Dataset: { $folder } ({ $orders ->
    [one] 1 order
   *[other] { $orders } orders
} appended)
