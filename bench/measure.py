"""Runs a command to its end and prints its wall time in seconds and its peak memory in KiB; with MEASURE=cpu in the
environment, only its processor time in seconds.

The first argument is a regular expression for the exit codes that are not failures, such as `0|1`.
"""

import os
import re
import resource
import subprocess
import sys
import time

expected, *command = sys.argv[1:]
begin = time.perf_counter()
ended = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
seconds = time.perf_counter() - begin
if not re.fullmatch(expected, str(ended.returncode)):
    sys.exit(f"{command[0]} ended with exit code {ended.returncode}: {ended.stderr[-300:]}")
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
if os.environ.get("MEASURE") == "cpu":
    print(f"{usage.ru_utime + usage.ru_stime:.3f}")
else:
    print(f"{seconds:.2f} {usage.ru_maxrss}")
