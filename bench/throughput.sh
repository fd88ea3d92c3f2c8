# How fast orders are fetched, decoded, checked and committed at an unlimited rate, compared with oha (HTTP only) and a
# Python script for the same job. All run in turns against the same nginx on the same cores.
# shellcheck shell=bash

ROUNDS=3
# Rounds of tieout and oha in turns, compared pair by pair: the machine's speed may vary more from one minute to the next
# than what is measured.
PAIRS=9

throughput() {
    local port url round seconds bare our_fetching ours
    local bares=() fetches=() jobs=() fetch_ratios=() job_ratios=() theirs=() their_fetches=()
    command -v oha >/dev/null || fail "oha is missing: make need-oha"
    "$PYTHON" -c 'import aiohttp, polars, uvloop' 2>/dev/null ||
        fail "$PYTHON lacks bench/requirements.txt: start this with make bench PARTS=throughput"
    export CHENYU_API_KEY=cy_test
    port=$(free_port)
    url=$(api_of "$port")
    serve_nginx "$port"
    ids "$ORDERS" >"$WORK/ids.csv"
    for ((round = 1; round <= PAIRS; round++)); do
        seconds=$(reconcile_seconds "ours-$round" 0 "$WORK/ids.csv" --api-url "$url" --rate 0 --concurrency "$IN_FLIGHT" \
            --format csv,json,parquet)
        ours=$(per_second "$ORDERS" "$seconds")
        our_fetching=$(per_second "$ORDERS" "$(fetching_seconds "$WORK/ours-$round/report/manifest.json")")
        bare=$(per_second "$ORDERS" "$(oha_seconds "$url")")
        jobs+=("$ours") fetches+=("$our_fetching") bares+=("$bare")
        fetch_ratios+=("$(ratio "$our_fetching" "$bare")") job_ratios+=("$(ratio "$ours" "$bare")")
        rm -rf "$WORK/ours-$round"
    done
    for ((round = 1; round <= ROUNDS; round++)); do
        seconds=$(peer_seconds "$round" "$url")
        theirs+=("$(per_second "$ORDERS" "$seconds")")
        their_fetches+=("$(per_second "$ORDERS" "$(figure "$WORK/peer-$round.json" fetch_seconds)")")
        rm -rf "$WORK/peer-$round"
    done
    unset CHENYU_API_KEY

    local fetch job their_fetch their_job
    fetch=$(median "${fetches[@]}") job=$(median "${jobs[@]}")
    their_fetch=$(median "${their_fetches[@]}") their_job=$(median "${theirs[@]}")
    row "oha, HTTP alone" "$(median "${bares[@]}")" /s "median of ${bares[*]}; $ORDERS requests, $IN_FLIGHT in flight"
    row "tieout, fetching" "$fetch" /s "median of ${fetches[*]}"
    row "tieout, whole job" "$job" /s "median of ${jobs[*]}"
    row "aiohttp + polars script, fetching" "$their_fetch" /s "median of ${their_fetches[*]}"
    row "aiohttp + polars script, whole job" "$their_job" /s "median of ${theirs[*]}"
    target_row "fetching, tieout to oha" "$(median "${fetch_ratios[@]}")" "" ">= 0.55" "median of ${fetch_ratios[*]}"
    target_row "fetching, tieout to the script" "$(ratio "$fetch" "$their_fetch")" "" ">= 5" ""
    target_row "whole job, tieout to oha" "$(median "${job_ratios[@]}")" "" ">= 0.45" "median of ${job_ratios[*]}"
    row "whole job, tieout to the script" "$(ratio "$job" "$their_job")" "" ""
}

# The fetching time from the report's manifest; n/a if the measured binary does not record it.
fetching_seconds() { # MANIFEST
    local milliseconds
    milliseconds=$(figure "$1" fetch.elapsed_ms)
    if [ "$milliseconds" = n/a ]; then
        echo n/a
    else
        awk -v milliseconds="$milliseconds" 'BEGIN { printf "%.3f", milliseconds / 1000 }'
    fi
}

oha_seconds() { # URL
    # The same headers as tieout sends.
    oha -n "$ORDERS" -c "$IN_FLIGHT" --worker-threads "$(nproc)" --no-tui --disable-compression \
        -H "Authorization: Bearer $CHENYU_API_KEY" -A application/json --output-format json \
        "$1/workflow/run/info?run_order_id=wfrun_314ff7d8b7a5beff1388" >"$WORK/oha.json" 2>"$WORK/oha.log" ||
        fail "oha failed: $(tail -n 3 "$WORK/oha.log")"
    [ "$(figure "$WORK/oha.json" statusCodeDistribution.200)" = "$ORDERS" ] ||
        fail "not every request of oha got status 200: $(tr -d ' \n' <"$WORK/oha.json" | tail -c 300)"
    figure "$WORK/oha.json" summary.total
}

# Runs the script to its end and prints its wall time in seconds; the script's output goes to $WORK/peer-ROUND.json.
peer_seconds() { # ROUND URL
    local begin end
    begin=$EPOCHREALTIME
    "$PYTHON" bench/peer.py "$WORK/ids.csv" --api-url "$2" --out "$WORK/peer-$1" --concurrency "$IN_FLIGHT" \
        >"$WORK/peer-$1.json" 2>"$WORK/peer.log" || fail "the script failed: $(tail -n 3 "$WORK/peer.log")"
    end=$EPOCHREALTIME
    [ "$(figure "$WORK/peer-$1.json" reconciled)" = "$ORDERS" ] ||
        fail "the script did not reconcile every order: $(cat "$WORK/peer-$1.json")"
    seconds_between "$begin" "$end"
}

# A value of a JSON file, or n/a if it is absent.
figure() { # FILE KEY.KEY
    "$PYTHON" -c '
import json, sys
value = json.load(open(sys.argv[1], encoding="utf-8"))
for key in sys.argv[2].split("."):
    value = value.get(key) if isinstance(value, dict) else None
print("n/a" if value is None else value)' "$@"
}
