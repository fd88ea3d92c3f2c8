# How fast orders are fetched from the sandbox, and how long a first trial with it takes.
# shellcheck shell=bash

# Exit codes to expect: the sandbox plants discrepancies, and among many orders also malformed replies.
REPORTED="0|1|3"

sandbox() {
    local port seconds attempt times=()
    port=$(free_port)
    serve "$port" "$TIEOUT" sandbox --port "$port"
    ids "$ORDERS" >"$WORK/sandbox.csv"
    seconds=$(CHENYU_API_KEY=cy_sandbox_key reconcile_seconds sandbox "$REPORTED" "$WORK/sandbox.csv" --api-url "$(api_of "$port")" \
        --rate 0 --concurrency "$IN_FLIGHT")
    row "tieout, sandbox in a separate process" "$(per_second "$ORDERS" "$seconds")" /s "$ORDERS orders in $seconds s"

    ids 10 >"$WORK/ten.csv"
    for attempt in 1 2 3 4 5; do
        times+=("$(reconcile_seconds "ten-$attempt" "$REPORTED" "$WORK/ten.csv" --sandbox)")
    done
    row "ten orders with --sandbox" "$(median "${times[@]}")" s "median of ${times[*]}"
}
