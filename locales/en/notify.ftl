### Notifications. The first line says what has happened.

notify-worse = tieout: worse. Verdict: { $verdict }
notify-recovered = tieout: recovered. Verdict: { $verdict }
notify-incomplete = tieout: incomplete. Some orders had no readable answer: run the same command again
notify-failed = tieout: failed. There is no report
notify-test = tieout: a trial message. If you can read this, notifications work

notify-input = Input: { $input }
notify-account = Account: { $account }
notify-exit-code = Exit code: { $code }
notify-as-of = As of: { $time }
notify-rows = Rows: { $rows }, errors: { $errors }, pending orders: { $pending }
notify-new = New errors: { $count }
notify-more = { "  " }… and { $count } more
notify-differences = Differences of all errors, without signs:
notify-no-currency = no currency
notify-report = Report: { $folder }
notify-cut = … cut

notify-delivered = { $target }: delivered
notify-not-delivered = { $target }: not delivered: { $problem }
