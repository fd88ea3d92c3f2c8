# Whether a night costs what the night is, not what the years are: the processor time of a night of 1,000 orders, half of
# them new, on states that remember few and many orders, in turns with the same night on an empty state.
# shellcheck shell=bash

NIGHT=1000
NIGHTS=7

nights() {
    local port url orders states=(300000 1000000)
    [ -z "${BENCH_HISTORY:-}" ] || states+=("$BENCH_HISTORY")
    export CHENYU_API_KEY=cy_test
    port=$(free_port)
    url=$(api_of "$port")
    serve_nginx "$port"
    for orders in "${states[@]}"; do
        nights_on "$orders" "$url"
    done
    unset CHENYU_API_KEY
}

# Orders are remembered a million at a time: IDs are numbered from 1.
nights_on() { # ORDERS URL
    local orders=$1 url=$2 folder=$WORK/history at night bare=() ours=() ratios=()
    mkdir "$folder"
    for ((at = 0; at < orders; at += DONE)); do
        {
            echo run_order_id
            numbered $((at + 1)) $((at + DONE < orders ? at + DONE : orders))
        } >"$folder/ids.csv"
        night_cpu "$folder" "$url" >/dev/null
    done
    for ((night = 1; night <= NIGHTS; night++)); do
        # A share of the remembered ones, and as many that come after them.
        {
            echo run_order_id
            for at in $((night * NIGHT)) $((orders + night * NIGHT)); do
                numbered "$at" $((at + NIGHT / 2 - 1))
            done
        } >"$folder/ids.csv"
        mkdir "$folder/empty"
        cp "$folder/ids.csv" "$folder/empty"
        bare+=("$(night_cpu "$folder/empty" "$url")")
        ours+=("$(night_cpu "$folder" "$url")")
        ratios+=("$(ratio "${ours[-1]}" "${bare[-1]}")")
        rm -rf "$folder/empty"
    done
    row "a night on an empty state" "$(median "${bare[@]}")" s "processor time of $NIGHT orders, median of ${bare[*]}"
    row "a night on a state of $orders" "$(median "${ours[@]}")" s "median of ${ours[*]}; $(mebibytes $(($(stat -c %s "$folder/state.sqlite") / 1024))) MiB"
    target_row "a state of $orders to an empty one" "$(median "${ratios[@]}")" "" "<= 1.5" "median of ${ratios[*]}"
    rm -rf "$folder"
}

# Reconciles the IDs in FOLDER and prints the processor time in seconds.
night_cpu() { # FOLDER URL
    local folder=$1 url=$2
    MEASURE=cpu measured 0 "$TIEOUT" reconcile "$folder/ids.csv" --api-url "$url" --rate 0 --concurrency "$IN_FLIGHT" \
        --out "$folder/report" --state "$folder/state.sqlite" --format csv
    rm -rf "$folder/report"
}
