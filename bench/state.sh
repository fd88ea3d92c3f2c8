# What the state costs while fetching, and what it and the reports are good for with a million orders.
# shellcheck shell=bash

# Rounds of commits on and off in turns. What is compared differs by less than the machine's speed may from one second to
# the next, so the rounds are short, many, and compared one by one.
COMMIT_ROUNDS=15
COMMIT_ORDERS=50000
DONE=1000000
# What the killed job has not fetched yet.
LEFT=100000

# Fetching with commits against bench/fetch_only.rs, which keeps nothing.
commits() {
    local port url round words with without ours=() bare=() ratios=()
    [ -x "$FETCH_ONLY" ] || fail "$FETCH_ONLY is missing: cargo build --release --features bench --bins"
    export CHENYU_API_KEY=cy_test
    port=$(free_port)
    url=$(api_of "$port")
    serve_nginx "$port"
    ids "$COMMIT_ORDERS" >"$WORK/commits.csv"
    for ((round = 1; round <= COMMIT_ROUNDS; round++)); do
        words=$("$FETCH_ONLY" "$WORK/commits.csv" "$url" "$IN_FLIGHT") || fail "fetch_only failed"
        [ "${words% *}" = "$COMMIT_ORDERS" ] || fail "fetch_only reconciled ${words% *} of $COMMIT_ORDERS orders"
        without=$(per_second "$COMMIT_ORDERS" "${words#* }")
        reconcile_seconds "commits-$round" 0 "$WORK/commits.csv" --api-url "$url" --rate 0 --concurrency "$IN_FLIGHT" >/dev/null
        with=$(per_second "$COMMIT_ORDERS" "$(fetching_seconds "$WORK/commits-$round/report/manifest.json")")
        bare+=("$without") ours+=("$with") ratios+=("$(ratio "$with" "$without")")
        rm -rf "$WORK/commits-$round"
    done
    unset CHENYU_API_KEY
    row "fetching, commits off" "$(median "${bare[@]}")" /s "median of $COMMIT_ROUNDS rounds in turns"
    row "fetching, commits on" "$(median "${ours[@]}")" /s ""
    target_row "commits on to commits off" "$(median "${ratios[@]}")" "" ">= 0.90" "median of ${ratios[*]}"
}

# From the start of a job that goes on where one was killed to its first request.
resume() {
    local port folder=$WORK/resume job begin first kept
    port=$(free_port)
    mkdir "$folder"
    serve_logged_nginx "$port" "$folder/requests"
    ids $((DONE + LEFT)) >"$folder/ids.csv"
    resumable_job "$port" "$folder"
    job=$!
    # The observations are numbered from 1.
    until kept=$(state_figure "$folder/state.sqlite" 'SELECT max(observation_id) FROM observations') && [ "$kept" -ge "$DONE" ]; do
        kill -0 "$job" 2>/dev/null || fail "the job ended before it could be killed: $(tail -n 3 "$folder/log")"
        sleep 0.1
    done
    kill -9 "$job"
    wait "$job" 2>/dev/null || true
    kept=$(state_figure "$folder/state.sqlite" 'SELECT count(*) FROM outcomes')
    : >"$folder/requests"
    begin=$EPOCHREALTIME
    resumable_job "$port" "$folder"
    job=$!
    until [ -s "$folder/requests" ]; do
        kill -0 "$job" 2>/dev/null || fail "the job ended without a request: $(tail -n 3 "$folder/log")"
        sleep 0.02
    done
    first=$(head -n 1 "$folder/requests")
    wait "$job" || fail "the resumed job failed: $(tail -n 3 "$folder/log")"
    grep -q "continuing run 1 of .*: $kept of" "$folder/log" || fail "it was not continued: $(cat "$folder/log")"
    target_row "from start to first request" "$(seconds_between "$begin" "$first")" s "<= 5" "$kept of $((DONE + LEFT)) orders done"
    rm -rf "$folder"
}

resumable_job() { # PORT FOLDER
    CHENYU_API_KEY=cy_test "$TIEOUT" reconcile "$2/ids.csv" --api-url "$(api_of "$1")" --rate 0 --concurrency "$IN_FLIGHT" \
        --out "$2/report" --state "$2/state.sqlite" >"$2/log" 2>&1 &
}

# `verify` and `audit` of a report of many orders.
proof() {
    local port folder=$WORK/proof
    port=$(free_port)
    serve_nginx "$port"
    ids "$DONE" >"$WORK/proof.csv"
    CHENYU_API_KEY=cy_test reconcile_seconds proof 0 "$WORK/proof.csv" --api-url "$(api_of "$port")" --rate 0 \
        --concurrency "$IN_FLIGHT" >/dev/null
    stop_servers
    measured verify "$TIEOUT" verify "$folder/report" --state "$folder/state.sqlite"
    measured audit "$TIEOUT" audit "$folder/report" --tolerance 0.01 --out "$folder/again"
    rm -rf "$folder"
}

# Runs a command and prints its wall time and its peak memory, which have targets.
measured() { # WHAT COMMAND...
    local what=$1 seconds peak
    shift
    read -r seconds peak < <("$PYTHON" bench/measure.py "$@") || fail "$what failed: $*"
    target_row "$what of $DONE orders" "$seconds" s "<= 5" ""
    target_row "its peak memory" "$(mebibytes "$peak")" MiB "<= 500" ""
}

state_figure() { # STATE QUERY
    "$PYTHON" -c '
import sqlite3, sys
state = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
print(state.execute(sys.argv[2]).fetchone()[0] or 0)' "$@" 2>/dev/null
}
