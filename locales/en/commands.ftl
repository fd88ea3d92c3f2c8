### What the commands print: errors and warnings, progress, and the output of commands without a file of their own.

## Errors and warnings.

exit-error = error: { $what }
exit-warning = warning: { $what }
exit-help = help: { $help }
