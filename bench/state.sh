# What the state costs while fetching, and how fast resuming, verifying and auditing are with a million orders.
# shellcheck shell=bash

# Rounds with commits on and off, in turns. The difference is smaller than the machine's speed varies from one second
# to the next, so the rounds are short, many, and compared pair by pair.
COMMIT_ROUNDS=16
COMMIT_ORDERS=50000
# Orders fetched before the job is killed, and orders in the report that is proved.
DONE=1000000
# Orders that the killed job has not fetched yet.
LEFT=100000

# Fetching with commits compared with bench/fetch_only.rs, which keeps no state.
commits() {
    local port url round with without ours=() bare=() ratios=()
    [ -x "$FETCH_ONLY" ] || fail "$FETCH_ONLY is missing: run cargo build --release --features bench --bins"
    export CHENYU_API_KEY=cy_test
    port=$(free_port)
    url=$(api_of "$port")
    serve_nginx "$port"
    ids "$COMMIT_ORDERS" >"$WORK/commits.csv"
    for ((round = 1; round <= COMMIT_ROUNDS; round++)); do
        # Each goes first equally often, so that disk writes left over from one don't always slow down the other.
        if ((round % 2)); then
            without=$(uncommitted_rate "$url")
            with=$(committed_rate "$round" "$url")
        else
            with=$(committed_rate "$round" "$url")
            without=$(uncommitted_rate "$url")
        fi
        bare+=("$without") ours+=("$with") ratios+=("$(ratio "$with" "$without")")
    done
    unset CHENYU_API_KEY
    row "fetching, commits off" "$(median "${bare[@]}")" /s "median of $COMMIT_ROUNDS rounds in turns"
    row "fetching, commits on" "$(median "${ours[@]}")" /s ""
    target_row "commits on to commits off" "$(median "${ratios[@]}")" "" ">= 0.90" "median of ${ratios[*]}"
}

uncommitted_rate() { # URL
    local words
    words=$("$FETCH_ONLY" "$WORK/commits.csv" "$1" "$IN_FLIGHT") || fail "fetch_only failed"
    [ "${words% *}" = "$COMMIT_ORDERS" ] || fail "fetch_only reconciled ${words% *} of $COMMIT_ORDERS orders"
    per_second "$COMMIT_ORDERS" "${words#* }"
}

committed_rate() { # ROUND URL
    local name=commits-$1
    reconcile_seconds "$name" 0 "$WORK/commits.csv" --api-url "$2" --rate 0 --concurrency "$IN_FLIGHT" >/dev/null
    per_second "$COMMIT_ORDERS" "$(fetching_seconds "$WORK/$name/report/manifest.json")"
    rm -rf "${WORK:?}/$name"
}

# The time from the start of a job that resumes a killed one to its first request; then the same with --reuse-settled,
# where the orders of the killed runs must first be folded into the memory of settled orders.
resume() {
    local port folder=$WORK/resume job kept
    port=$(free_port)
    mkdir "$folder"
    serve_logged_nginx "$port" "$folder/requests"
    ids $((DONE + LEFT)) >"$folder/ids.csv"
    resumable_job "$port" "$folder"
    job=$!
    # Observations are numbered from 1.
    until kept=$(state_figure "$folder/state.sqlite" 'SELECT max(observation_id) FROM observations') && [ "$kept" -ge "$DONE" ]; do
        kill -0 "$job" 2>/dev/null || fail "the job ended before it could be killed: $(tail -n 3 "$folder/log")"
        sleep 0.1
    done
    killed "$job"
    resumed "from start to first request" "$port" "$folder"
    resumed "the same with --reuse-settled 30d" "$port" "$folder" --reuse-settled 30d
    rm -rf "$folder"
}

killed() { # JOB
    kill -9 "$1"
    wait "$1" 2>/dev/null || true
}

# Starts the killed job again, and kills it when it sends its first request.
resumed() { # WHAT PORT FOLDER ARGUMENTS...
    local what=$1 port=$2 folder=$3 job begin first kept
    shift 3
    kept=$(state_figure "$folder/state.sqlite" 'SELECT count(*) FROM outcomes')
    begin=$EPOCHREALTIME
    resumable_job "$port" "$folder" "$@"
    job=$!
    # Ignore requests of the killed job that are logged late.
    until first=$(awk -v begin="$begin" '$1 > begin { print $1; exit }' "$folder/requests") && [ -n "$first" ]; do
        kill -0 "$job" 2>/dev/null || fail "the job ended without a request: $(tail -n 3 "$folder/log")"
        sleep 0.02
    done
    killed "$job"
    grep -q "continuing run 1 of .*: $kept of" "$folder/log" || fail "the run was not continued: $(cat "$folder/log")"
    target_row "$what" "$(seconds_between "$begin" "$first")" s "<= 5" "$kept of $((DONE + LEFT)) orders done"
}

resumable_job() { # PORT FOLDER ARGUMENTS...
    local port=$1 folder=$2
    shift 2
    # Empty the log, so that it stays small enough to be read from the start each time.
    : >"$folder/requests"
    CHENYU_API_KEY=cy_test "$TIEOUT" reconcile "$folder/ids.csv" --api-url "$(api_of "$port")" --rate 0 \
        --concurrency "$IN_FLIGHT" --out "$folder/report" --state "$folder/state.sqlite" "$@" >"$folder/log" 2>&1 &
}

# `verify` and `audit` of large reports, in turns with the simplest proof (the hashes of the files) and an auditor's
# script: of orders that tie out, all alike, from nginx; and of the sandbox's, which vary and of which one in eight is
# discrepant. Finally once with every order discrepant, the largest possible output.
proof() {
    local port url folder
    "$PYTHON" -c 'import polars' 2>/dev/null ||
        fail "$PYTHON lacks bench/requirements.txt: start this with make bench PARTS=proof"
    ids "$DONE" >"$WORK/proof.csv"
    port=$(free_port)
    url=$(api_of "$port")
    serve_nginx "$port"
    CHENYU_API_KEY=cy_test proof_of "orders that tie out" "<= 1.5" --api-url "$url"
    proof_of "varied orders" "" --sandbox
    folder="$WORK/varied orders"
    local auditing verifying
    auditing=("$(measured "$REPORTED" "$TIEOUT" audit "$folder/report" --currency XXX --out "$folder/all")")
    row "audit, every order discrepant" "${auditing[0]% *}" s ""
    target_row "its peak memory" "$(mebibytes "${auditing[0]#* }")" MiB "<= 400" ""
    verifying=("$(measured 0 "$TIEOUT" verify "$folder/all" --files-only)")
    row "verify, every order discrepant" "${verifying[0]% *}" s "peak $(mebibytes "${verifying[0]#* }") MiB"
    rm -rf "$folder" "$WORK/orders that tie out"
}

# Without a target if it is empty.
proof_of() { # WHAT TARGET ARGUMENTS...
    local what=$1 target=$2 folder=$WORK/$1 round hashing=() script=() verifying=() auditing=() script_median
    shift 2
    reconcile_seconds "$what" "$REPORTED" "$WORK/proof.csv" "$@" --rate 0 --concurrency "$IN_FLIGHT" --format csv,json,parquet >/dev/null
    for ((round = 1; round <= ROUNDS; round++)); do
        hashing+=("$(measured 0 sha256sum "$folder"/report/*)")
        script+=("$(measured 0 "$PYTHON" bench/peer_verify.py "$folder/report")")
        verifying+=("$(measured 0 "$TIEOUT" verify "$folder/report" --state "$folder/state.sqlite")")
        auditing+=("$(measured "$REPORTED" "$TIEOUT" audit "$folder/report" --tolerance 0.01 --out "$folder/again")")
    done
    # Each entry is "SECONDS KIBIBYTES".
    row "sha256sum of the files, $what" "$(median "${hashing[@]% *}")" s "$(du -sm "$folder/report" | cut -f 1) MiB of $DONE orders"
    script_median=$(median "${script[@]% *}")
    row "a polars script, which proves less" "$script_median" s "median of ${script[*]% *}"
    row "peak memory of that script" "$(mebibytes "$(largest "${script[@]#* }")")" MiB ""
    judged_proof verify "$target" "$script_median" "${verifying[@]}"
    judged_proof audit "$target" "$script_median" "${auditing[@]}"
}

judged_proof() { # WHAT TARGET SCRIPT_SECONDS MEASURED...
    local what=$1 target=$2 script_seconds=$3 seconds
    shift 3
    seconds=$(median "${@% *}")
    if [[ $target ]]; then
        target_row "$what" "$seconds" s "$target" "median of ${*% *}"
    else
        row "$what" "$seconds" s "median of ${*% *}"
    fi
    row "$what to the script" "$(ratio "$seconds" "$script_seconds")" "" ""
    target_row "peak memory of $what" "$(mebibytes "$(largest "${@#* }")")" MiB "<= 500" ""
}

# Runs a command and prints its wall time in seconds and its peak memory in KiB.
measured() { # EXIT_CODES COMMAND...
    "$PYTHON" bench/measure.py "$@" || fail "can't measure: ${*:2}"
}

largest() { # NUMBERS...
    printf '%s\n' "$@" | sort -n | tail -n 1
}

state_figure() { # STATE QUERY
    "$PYTHON" -c '
import sqlite3, sys
state = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
print(state.execute(sys.argv[2]).fetchone()[0] or 0)' "$@" 2>/dev/null
}
