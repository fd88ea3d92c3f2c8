"""Runs a command to its end and prints its wall time in seconds and its peak memory in KiB."""

import resource
import subprocess
import sys
import time

begin = time.perf_counter()
ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
seconds = time.perf_counter() - begin
if ended.returncode != 0:
    sys.exit(f"{sys.argv[1]} ended with exit code {ended.returncode}: {ended.stderr[-300:]}")
print(f"{seconds:.2f} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
