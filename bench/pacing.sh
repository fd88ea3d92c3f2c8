# How much of the allowed rate is used, and that it is never exceeded; both are judged by nginx's log.
# shellcheck shell=bash

PACED_RATE=200
PACED_SECONDS=30

pacing() {
    local port log=$WORK/arrivals.log count=$((PACED_RATE * PACED_SECONDS)) requests refused share pause
    port=$(free_port)
    serve_limited_nginx "$port" "$PACED_RATE" "$log"
    prove_the_limit "$port" "$log"
    ids "$count" >"$WORK/paced.csv"
    CHENYU_API_KEY=cy_test reconcile_seconds paced 0 "$WORK/paced.csv" --api-url "$(api_of "$port")" \
        --rate "$PACED_RATE" --concurrency 16 >/dev/null
    read -r requests refused share pause < <(awk -v rate="$PACED_RATE" '
        NR == 1 { first = $1 }
        NR > 1 && $1 - last > pause { pause = $1 - last }
        { last = $1 }
        $2 == 429 { refused++ }
        $2 != 200 && $2 != 429 { print "unexpected status " $2 >"/dev/stderr" }
        END { printf "%d %d %.2f %.0f\n", NR, refused, 100 * (NR - 1) / (last - first) / rate, 1000 * pause }' "$log")
    [ "$requests" -ge "$count" ] || fail "nginx saw $requests requests for $count orders: $(tail -n 3 "$WORK/paced/log")"
    target_row "replies 429" "$refused" "" "== 0" "of $requests, --rate $PACED_RATE, nginx with burst=10 nodelay"
    target_row "used share of the rate" "$share" "%" ">= 99" "by the times in nginx's access log; longest pause $pause ms"
}

# Sends 50 requests at once with a different key. At least one must be refused, or an absence of 429s would prove
# nothing.
prove_the_limit() { # PORT ACCESS_LOG
    local connection
    exec {connection}<>"/dev/tcp/127.0.0.1/$1"
    for _ in {1..50}; do
        printf 'GET /api/open/v2/workflow/run/info?run_order_id=x HTTP/1.1\r\nHost: x\r\nAuthorization: probe\r\n\r\n'
    done >&"$connection"
    for _ in {1..100}; do
        [ "$(wc -l <"$2")" -lt 50 ] || break
        sleep 0.02
    done
    exec {connection}>&-
    grep -q ' 429$' "$2" || fail "nginx does not limit: 50 requests at once, none refused"
    # nginx appends to the emptied log, so its next line is the first.
    : >"$2"
}
