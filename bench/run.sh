#!/usr/bin/env bash
# Measures the release build and prints one table: `bench/run.sh` does all parts, `bench/run.sh pacing` one alone.
# `make bench` (or `make bench PARTS=pacing`) calls it with everything it needs at hand.
#
# What depends on the machine is compared in the same run with something that depends on it just as much: such ratios
# travel between machines, orders per second don't. This measures and never fails a target: it says MISSED.
#
# BENCH_BINARY measures that binary instead of building one, and BENCH_FETCH_ONLY the one that keeps nothing;
# BENCH_ORDERS is how many orders a run fetches where speed is measured; BENCH_PYTHON is a Python with
# bench/requirements.txt, and BENCH_NODE_MODULES has what tests/readers/html/package.json names.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ORDERS=${BENCH_ORDERS:-100000}
# Requests in flight where speed is measured: the same for everybody.
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
# shellcheck source=bench/memory.sh
source bench/memory.sh
# shellcheck source=bench/sandbox.sh
source bench/sandbox.sh
# shellcheck source=bench/state.sh
source bench/state.sh
# shellcheck source=bench/reports.sh
source bench/reports.sh

fail() {
    echo "bench: $1" >&2
    exit 1
}

# The targets speak of two cores for clients and servers together, so a larger machine lends no more.
stay_on_two_cores() {
    local cores
    cores=$(taskset -pc "$$" | first_two_cores)
    taskset -pc "$cores" "$$" >/dev/null
}

# The first two of a list such as `0-3,8`, on the last line's end.
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
    echo "$(nproc) cores of ${model:-$(uname -m)}, $(uname -sr), $(nginx -v 2>&1 | sed 's/.*: //')"
}

PARTS=("$@")
[ $# -gt 0 ] || PARTS=(pacing throughput commits memory resume proof reports sandbox)
for part in "${PARTS[@]}"; do
    case $part in
    pacing | throughput | commits | memory | resume | proof | reports | sandbox) ;;
    *) fail "no part $part: there are pacing, throughput, commits, memory, resume, proof, reports and sandbox" ;;
    esac
done

[ -n "${BENCH_BINARY:-}" ] || cargo build --locked --release --features bench --bins
BUILT=${CARGO_TARGET_DIR:-target}/release
TIEOUT=${BENCH_BINARY:-$BUILT/tieout}
# The job with commits off, built with the binary.
FETCH_ONLY=${BENCH_FETCH_ONLY:-$BUILT/fetch_only}
# Nobody's settings but these.
export HOME=$WORK XDG_CONFIG_HOME=$WORK
unset "${!TIEOUT_@}"
stay_on_two_cores

machine
"$TIEOUT" --version
for part in "${PARTS[@]}"; do
    heading "$part"
    "$part"
    stop_servers
done
