# Whether the memory used while fetching grows with the number of IDs.
# shellcheck shell=bash

FEW=10000
MANY=1000000

memory() {
    local port few many growth
    port=$(free_port)
    serve_nginx "$port"
    few=$(peak_of_fetching "$FEW" "$port")
    many=$(peak_of_fetching "$MANY" "$port")
    growth=$(mebibytes $((many - few)))
    row "peak memory of fetching $FEW orders" "$(mebibytes "$few")" MiB "VmHWM when the report is begun"
    row "peak memory of fetching $MANY orders" "$(mebibytes "$many")" MiB ""
    target_row "growth" "$growth" "MiB" "<= 64" ""
}

mebibytes() { # KIBIBYTES
    awk -v kibibytes="$1" 'BEGIN { printf "%.1f", kibibytes / 1024 }'
}

# Reconciles COUNT orders and prints the peak memory, in KiB, until the report is begun. A report is written to a hidden
# folder next to its destination, so the appearance of that folder marks the beginning. (Before the fetching, such a
# folder also exists for a moment, to prove that it can be created.)
peak_of_fetching() { # COUNT PORT
    local folder=$WORK/memory-$1 job clock now peak=0 status=0
    mkdir -p "$folder/reports"
    ids "$1" >"$folder/ids.csv"
    CHENYU_API_KEY=cy_test "$TIEOUT" reconcile "$folder/ids.csv" --api-url "$(api_of "$2")" --rate 0 \
        --concurrency "$IN_FLIGHT" --out "$folder/reports/report" --state "$folder/state.sqlite" >"$folder/log" 2>&1 &
    job=$!
    # This runs in its own subshell: whatever ends the subshell also ends the job.
    # shellcheck disable=SC2064 # expand $job now: it is a local that is gone when the trap runs
    trap "kill $job 2>/dev/null || true" EXIT
    # Reading an always-empty pipe with a timeout is a sleep that starts no process.
    mkfifo "$folder/clock"
    exec {clock}<>"$folder/clock"
    while :; do
        now=
        # Read in one piece: reading by line, bash seeks back in a file that changes meanwhile.
        read -r -d '' now 2>/dev/null <"/proc/$job/status" || true
        # A process without VmHWM has ended.
        [[ $now =~ VmHWM:[[:space:]]+([0-9]+) ]] || break
        if ! compgen -G "$folder/reports/.tieout-*" >/dev/null; then
            # Either the report is not begun yet, or it is complete.
            [ ! -e "$folder/reports/report" ] || break
            peak=${BASH_REMATCH[1]}
        fi
        read -r -t 0.02 -u "$clock" || true
    done
    [ -e "$folder/reports/report" ] || peak=0
    exec {clock}>&-
    wait "$job" || status=$?
    [ "$status" = 0 ] || fail "reconciling $1 orders ended with exit code $status: $(tail -n 3 "$folder/log")"
    [ "$peak" != 0 ] || fail "could not measure the memory of reconciling $1 orders until the report"
    rm -rf "$folder"
    echo "$peak"
}
