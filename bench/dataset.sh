# What a dataset costs a night, and how many bytes an order has in it.
# shellcheck shell=bash

# Orders of the night that is appended, and nights that the dataset has already.
APPENDED=100000
KEPT_NIGHTS=1000

dataset() {
    local port url round with=() without=() longer=() bytes
    "$PYTHON" -c 'import polars' 2>/dev/null ||
        fail "$PYTHON lacks bench/requirements.txt: start this with make bench PARTS=dataset"
    export CHENYU_API_KEY=cy_test
    port=$(free_port)
    url=$(api_of "$port")
    serve_nginx "$port"
    ids "$APPENDED" >"$WORK/appended.csv"
    night_seconds first "$url" --dataset "$WORK/history" >/dev/null
    "$PYTHON" bench/nights.py "$WORK/history" "$KEPT_NIGHTS"
    for ((round = 1; round <= ROUNDS; round++)); do
        without+=("$(night_seconds "without-$round" "$url")")
        with+=("$(night_seconds "with-$round" "$url" --dataset "$WORK/history")")
        longer+=("$(difference "${with[-1]}" "${without[-1]}")")
    done
    unset CHENYU_API_KEY
    row "a night of $APPENDED orders" "$(median "${without[@]}")" s "median of ${without[*]}"
    target_row "longer with a dataset of $KEPT_NIGHTS nights" "$(median "${longer[@]}")" s "<= 1" "median of ${longer[*]}"
    # The sandbox's orders vary like real ones, each with a task and a prompt of its own.
    reconcile_seconds varied "$REPORTED" "$WORK/appended.csv" --sandbox --rate 0 --concurrency "$IN_FLIGHT" --format csv \
        --dataset "$WORK/varied-history" >/dev/null
    bytes=$("$PYTHON" bench/bytes.py "$WORK/varied-history")
    row "bytes of an order" "${bytes% *}" "" "of the sandbox's $APPENDED"
    row "without task_id and prompt_id" "${bytes#* }" "" ""
    rm -rf "$WORK"/{history,varied-history,varied,first,with-*,without-*}
}

night_seconds() { # NAME URL ARGUMENTS...
    local name=$1 url=$2
    shift 2
    reconcile_seconds "$name" 0 "$WORK/appended.csv" --api-url "$url" --rate 0 --concurrency "$IN_FLIGHT" --format csv "$@"
}
