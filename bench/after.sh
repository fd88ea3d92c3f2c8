# How long a job takes beside its fetching: to read its input, and from the last reply to the report. Compared with what
# the Python script takes beside its own fetching, per order.
# shellcheck shell=bash

after() {
    local port url round folder whole fetching ours=() theirs=() peak=0
    export CHENYU_API_KEY=cy_test
    port=$(free_port)
    url=$(api_of "$port")
    serve_nginx "$port"
    ids "$DONE" >"$WORK/after.csv"
    ids "$ORDERS" >"$WORK/ids.csv"
    for ((round = 1; round <= ROUNDS; round++)); do
        folder=$WORK/after-$round
        mkdir "$folder"
        whole=$(measured 0 "$TIEOUT" reconcile "$WORK/after.csv" --api-url "$url" --rate 0 --concurrency "$IN_FLIGHT" \
            --format csv,json,parquet --out "$folder/report" --state "$folder/state.sqlite")
        fetching=$(fetching_seconds "$folder/report/manifest.json")
        ours+=("$(difference "${whole% *}" "$fetching")")
        peak=$(largest "$peak" "${whole#* }")
        whole=$(peer_seconds "$round" "$url")
        theirs+=("$(difference "$whole" "$(figure "$WORK/peer-$round.json" fetch_seconds)")")
        rm -rf "$folder" "$WORK/peer-$round"
    done
    unset CHENYU_API_KEY
    local our_time their_time
    our_time=$(median "${ours[@]}") their_time=$(median "${theirs[@]}")
    target_row "$DONE orders, all but the fetching" "$our_time" s "<= 4" "median of ${ours[*]}"
    row "the script, $ORDERS orders, all but the fetching" "$their_time" s "median of ${theirs[*]}"
    row "the same per order, tieout to the script" \
        "$(awk "BEGIN { printf \"%.2f\", ($our_time / $DONE) / ($their_time / $ORDERS) }")" "" ""
    target_row "peak memory of the whole job" "$(mebibytes "$peak")" MiB "<= 400" ""
}

difference() { # NUMBER NUMBER
    awk "BEGIN { printf \"%.3f\", $1 - $2 }"
}
