### What `tieout checks` says around the explanations.

explain-heading = { $word } ({ $kind })
explain-kind-bucket = bucket of the population
explain-kind-cause = cause of { $checks }
explain-kind-severity = severity
explain-kind-verdict = verdict

explain-holds = holds when
explain-due = due
explain-example = example
explain-remedy = what to do
explain-weighs = weighs
explain-causes = causes
explain-change = to change
explain-changed-so = in tieout.toml (error, warning, and off for a whole check):
explain-never-changed = always judged, always an error: a foreign reply enters no sum

explain-unknown = there is no check { $code }, and reports use no such word
explain-help-near = did you mean { $nearest }? `tieout checks` lists every check
explain-help = `tieout checks` lists every check
