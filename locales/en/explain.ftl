### Labels and messages of `tieout checks` around the explanations.

explain-heading = { $word } ({ $kind })
explain-kind-bucket = bucket of the population
explain-kind-cause = cause of { $checks }
explain-kind-severity = severity
explain-kind-verdict = verdict

explain-holds = holds when
explain-due = due
explain-example = example
explain-remedy = what to do
explain-weighs = effect
explain-causes = causes
explain-change = to change
explain-changed-so = in tieout.toml (error or warning; a whole check can also be off):
explain-never-changed = always judged, always an error: another order's reply enters no sum

explain-unknown = { $code } is not a check, nor any other word that reports use
explain-help-near = did you mean { $nearest }? `tieout checks` lists every check
explain-help = `tieout checks` lists every check
