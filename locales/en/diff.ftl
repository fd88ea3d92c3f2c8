### What `tieout diff` shows people.

diff-counts = Discrepancies: { $new } new, { $changed } changed, { $persisting } persisting, { $unassessed } not assessed, { $resolved } resolved
diff-old = old
diff-new = new
diff-side = { $side }  { $folder }, as of { $as-of }, { $verdict }
diff-rows = Rows
diff-orders-fetched = orders fetched
diff-heading = { $state } ({ $count })
diff-state-new = New
diff-state-changed = Changed
diff-state-not-assessed = Not assessed: the new report does not judge these orders
diff-state-resolved = Resolved
diff-more = ... and { $count } more

diff-spend = Spend (final_amount of settled orders)
diff-no-movement-workflow = No workflow's spend moved.
diff-no-movement-revision = No revision's spend moved.
diff-movements-workflow =
    Largest movements by workflow ({ $moved } of { $count ->
        [one] { $count } workflow
       *[other] { $count } workflows
    })
diff-movements-revision =
    Largest movements by revision ({ $moved } of { $count ->
        [one] { $count } revision
       *[other] { $count } revisions
    })

diff-column-because = reason
diff-column-changed = changed
diff-column-check = check
diff-column-currency = currency
diff-column-movement = movement
diff-column-order = run order
diff-column-orders-old = orders, old
diff-column-percent = percent
diff-column-revision = revision
diff-column-share = share
diff-column-workflow = workflow
