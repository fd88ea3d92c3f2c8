#!/usr/bin/env bash
# Measures the release build and prints one table: `bench/run.sh` runs all parts, `bench/run.sh pacing` only that one.
# `make bench` (or `make bench PARTS=pacing`) runs it with all its tools installed.
#
# Figures that depend on the machine are compared, in the same run, with a tool that depends on it just as much: such
# ratios hold on any machine, orders per second don't. A missed target does not fail the run; the table says MISSED.
# Each part also replaces its section of bench/RESULTS.md.
#
# BENCH_BINARY        the binary to measure, instead of building one
# BENCH_FETCH_ONLY    the fetch_only binary to measure, which keeps no state
# BENCH_ORDERS        orders per run in the speed tests (default 200000)
# BENCH_HISTORY       orders that a third state of the nights remembers (10000000 take 5 GB; default: no third one)
# BENCH_DATASET       orders of the dataset that is audited (default 10000000, which takes 2 GB)
# BENCH_PYTHON        a Python that has the packages of bench/requirements.txt
# BENCH_NODE_MODULES  a folder with the packages of tests/readers/html/package.json
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ORDERS=${BENCH_ORDERS:-200000}
# Requests in flight in the speed tests, the same for every tool.
IN_FLIGHT=64
PYTHON=${BENCH_PYTHON:-python3}
WORK=$(mktemp -d)

# shellcheck source=bench/servers.sh
source bench/servers.sh
trap 'stop_servers; rm -rf "$WORK"' EXIT
# shellcheck source=bench/nginx.sh
source bench/nginx.sh
# shellcheck source=bench/job.sh
source bench/job.sh
# shellcheck source=bench/table.sh
source bench/table.sh
# shellcheck source=bench/pacing.sh
source bench/pacing.sh
# shellcheck source=bench/throughput.sh
source bench/throughput.sh
# shellcheck source=bench/after.sh
source bench/after.sh
# shellcheck source=bench/nights.sh
source bench/nights.sh
# shellcheck source=bench/memory.sh
source bench/memory.sh
# shellcheck source=bench/sandbox.sh
source bench/sandbox.sh
# shellcheck source=bench/state.sh
source bench/state.sh
# shellcheck source=bench/reports.sh
source bench/reports.sh
# shellcheck source=bench/dataset.sh
source bench/dataset.sh
# shellcheck source=bench/history.sh
source bench/history.sh

fail() {
    echo "bench: $1" >&2
    exit 1
}

# The targets assume two cores for clients and servers together, so use no more on a larger machine.
stay_on_two_cores() {
    local cores
    cores=$(taskset -pc "$$" | first_two_cores)
    taskset -pc "$cores" "$$" >/dev/null
}

# The first two cores of a list such as `0-3,8` at the end of the last line.
first_two_cores() {
    awk 'END {
        count = split($NF, ranges, ",")
        for (i = 1; i <= count; i++) {
            last = split(ranges[i], ends, "-")
            for (core = ends[1]; core <= ends[last] && found < 2; core++) list = list (found++ ? "," : "") core
        }
        print list
    }'
}

machine() {
    local model
    model=$(awk -F ': *' '/^model name/ { print $2; exit }' /proc/cpuinfo)
    echo "$(nproc) cores of ${model:-$(uname -m)}, $(uname -s) $(uname -r | cut -d . -f 1-2), $(nginx -v 2>&1 | sed 's/.*: //')"
}

PARTS=("$@")
[ $# -gt 0 ] || PARTS=(pacing throughput after nights commits memory resume proof reports dataset history sandbox)
for part in "${PARTS[@]}"; do
    case $part in
    pacing | throughput | after | nights | commits | memory | resume | proof | reports | dataset | history | sandbox) ;;
    *) fail "unknown part $part: choose from pacing, throughput, after, nights, commits, memory, resume, proof, reports, dataset, history, sandbox" ;;
    esac
done

[ -n "${BENCH_BINARY:-}" ] || cargo build --locked --release --features bench --bins
BUILT=${CARGO_TARGET_DIR:-target}/release
TIEOUT=${BENCH_BINARY:-$BUILT/tieout}
# The job without commits, built together with the main binary.
FETCH_ONLY=${BENCH_FETCH_ONLY:-$BUILT/fetch_only}
# Ignore the user's own settings.
export HOME=$WORK XDG_CONFIG_HOME=$WORK
unset "${!TIEOUT_@}"
stay_on_two_cores

machine
"$TIEOUT" --version
for part in "${PARTS[@]}"; do
    heading "$part"
    : >"$WORK/rows"
    "$part"
    stop_servers
    "$PYTHON" bench/results.py bench/RESULTS.md "$part" "$(machine), $("$TIEOUT" --version)" <"$WORK/rows"
done
