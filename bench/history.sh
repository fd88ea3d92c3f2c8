# What an audit of a dataset costs, beside DuckDB over the same files.
# shellcheck shell=bash

# Orders of the dataset, over 30 days, each observed twice.
HISTORIC=${BENCH_DATASET:-10000000}
DAYS=30

history() {
    local dataset=$WORK/audited round ours=() theirs=() seconds
    "$PYTHON" -c 'import duckdb, polars' 2>/dev/null ||
        fail "$PYTHON lacks bench/requirements.txt: start this with make bench PARTS=history"
    ids 1 >"$WORK/one.csv"
    reconcile_seconds one "$REPORTED" "$WORK/one.csv" --sandbox --rate 0 --format csv --dataset "$dataset" >/dev/null
    "$PYTHON" bench/history.py "$dataset" "$HISTORIC" "$DAYS"
    for ((round = 1; round <= ROUNDS; round++)); do
        ours+=("$(measured "$REPORTED" "$TIEOUT" audit "$dataset" --format csv --out "$WORK/audit")")
        theirs+=("$(measured 0 "$PYTHON" bench/peer_history.py "$dataset")")
    done
    seconds=$(median "${ours[@]% *}")
    # Each entry is "SECONDS KIBIBYTES".
    row "an audit of $HISTORIC orders, $DAYS days" "$seconds" s "median of ${ours[*]% *}"
    target_row "orders a second" "$(per_second "$HISTORIC" "$seconds")" "" ">= 500000" "each observed twice"
    target_row "peak memory" "$(mebibytes "$(largest "${ours[@]#* }")")" MiB "<= 1024" ""
    row "DuckDB, read.sql and the same sums" "$(median "${theirs[@]% *}")" s \
        "two threads, median of ${theirs[*]% *}, peak $(mebibytes "$(largest "${theirs[@]#* }")") MiB"
    target_row "audit to DuckDB" "$(ratio "$seconds" "$(median "${theirs[@]% *}")")" "" "<= 2" ""
    row "verify of that audit" "$(measured 0 "$TIEOUT" verify "$WORK/audit" --files-only | cut -d ' ' -f 1)" s ""
    rm -rf "$dataset" "$WORK/audit" "$WORK/one"
}
