#!/usr/bin/env bash
# How many orders per second the release build reconciles, everything included: reading the input, fetching over
# real sockets, checking, storing, reporting. Called by `make bench`; prints a table to standard output.
#
# The server runs on the same machine and takes its share of the cores, so wrk on the same nginx, with as many
# connections, says what bare HTTP costs here: the ratio travels between machines, the orders per second don't.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ORDERS=${BENCH_ORDERS:-50000}
CONNECTIONS=64
WRK_SECONDS=15
# Exit codes after which there is a report: clean, discrepant, incomplete.
REPORTED='^[013]$'

work=$(mktemp -d)
servers=()

clean_up() {
    local server
    for server in "${servers[@]}"; do
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap clean_up EXIT

fail() {
    echo "bench: $1" >&2
    exit 1
}

listens() { # PORT
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

free_port() {
    local port
    for _ in {1..50}; do
        port=$((20000 + RANDOM % 20000))
        if ! listens "$port"; then
            echo "$port"
            return
        fi
    done
    fail "no free loopback port"
}

# Starts a server in the background and waits until it listens.
serve() { # PORT COMMAND...
    local port=$1
    shift
    "$@" >"$work/server.log" 2>&1 &
    servers+=("$!")
    for _ in {1..200}; do
        listens "$port" && return
        kill -0 "$!" 2>/dev/null || break
        sleep 0.05
    done
    fail "$1 does not listen on port $port: $(tail -n 3 "$work/server.log")"
}

ids() { # COUNT
    echo run_order_id
    awk -v count="$1" 'BEGIN { for (i = 1; i <= count; i++) printf "wfrun_%04x%016x\n", (i * 40503) % 65536, i }'
}

# Runs a reconciliation to its end and prints its wall time in seconds.
reconcile_seconds() { # NAME ARGUMENTS...
    local name=$1 begin end status=0
    shift
    begin=$EPOCHREALTIME
    "$tieout" reconcile "$@" --out "$work/report-$name" --state "$work/$name.sqlite" >"$work/$name.log" 2>&1 || status=$?
    end=$EPOCHREALTIME
    [[ $status =~ $REPORTED ]] || fail "$name ended with exit code $status: $(tail -n 3 "$work/$name.log")"
    awk -v begin="$begin" -v end="$end" 'BEGIN { printf "%.3f", end - begin }'
}

per_second() { # COUNT SECONDS
    awk -v count="$1" -v seconds="$2" 'BEGIN { printf "%.0f", count / seconds }'
}

row() { # WHAT FIGURE NOTE
    printf '%-44s %12s  %s\n' "$1" "$2" "$3"
}

api_of() { # PORT
    echo "http://127.0.0.1:$1/api/open/v2"
}

write_nginx_config() { # PORT
    mkdir -p "$work/nginx"
    cat >"$work/nginx/nginx.conf" <<EOF
daemon off;
master_process off;
pid $work/nginx/nginx.pid;
error_log $work/nginx/nginx.log warn;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path $work/nginx/body;
    proxy_temp_path $work/nginx/proxy;
    fastcgi_temp_path $work/nginx/fastcgi;
    uwsgi_temp_path $work/nginx/uwsgi;
    scgi_temp_path $work/nginx/scgi;
    server {
        listen 127.0.0.1:$1;
        location = /api/open/v2/workflow/run/info {
            default_type application/json;
            return 200 '$(reply)';
        }
    }
}
EOF
}

# One settled order that ties out, whatever the ID.
reply() {
    printf '{"code":0,"msg":"ok","data":{"run_order_id":"%s",' "\$arg_run_order_id"
    printf '"workflow_id":"wf_861ef31e94dcfb10e6e7","revision_id":"wfr_f9f2a2dcb99d73b0c3aa",'
    printf '"quote_amount":"0.03000000","quote_currency":"CNY","freeze_status":"released",'
    printf '"submission_status":"submitted","run_status":"succeeded","settlement_status":"settled",'
    printf '"task_id":"","prompt_id":"","inputs":{},"outputs":{},"error_code":"","error_message":"",'
    printf '"compute_cost":"0.00028780","external_model_cost":"0.00000000","total_cost":"0.00028780",'
    printf '"final_amount":"0.00028780","released_amount":"0.02971220",'
    printf '"created_at":"2026-05-08T10:00:00Z","updated_at":"2026-05-08T10:01:00Z"}}'
}

machine() {
    local model
    model=$(awk -F ': *' '/^model name/ { print $2; exit }' /proc/cpuinfo)
    echo "$(nproc) cores of ${model:-$(uname -m)}, $(uname -sr)"
}

[ -n "${BENCH_BINARY:-}" ] || cargo build --locked --release
tieout=${BENCH_BINARY:-${CARGO_TARGET_DIR:-target}/release/tieout}
# Nobody's settings but these.
export HOME=$work XDG_CONFIG_HOME=$work
unset "${!TIEOUT_@}"
ids "$ORDERS" >"$work/ids.csv"
ids 10 >"$work/ten.csv"
fetching=(--rate 0 --concurrency "$CONNECTIONS")

machine
"$tieout" --version
echo

export CHENYU_API_KEY=cy_sandbox_key
port=$(free_port)
serve "$port" "$tieout" sandbox --port "$port"
seconds=$(reconcile_seconds sandbox "$work/ids.csv" --api-url "$(api_of "$port")" "${fetching[@]}")
row "tieout, its sandbox in another process" "$(per_second "$ORDERS" "$seconds")/s" "$ORDERS orders in $seconds s"

export CHENYU_API_KEY=cy_test
port=$(free_port)
write_nginx_config "$port"
serve "$port" nginx -p "$work/nginx" -e "$work/nginx/nginx.log" -c "$work/nginx/nginx.conf"
seconds=$(reconcile_seconds nginx "$work/ids.csv" --api-url "$(api_of "$port")" "${fetching[@]}")
orders=$(per_second "$ORDERS" "$seconds")
row "tieout, nginx" "$orders/s" "$ORDERS orders in $seconds s"

url="$(api_of "$port")/workflow/run/info?run_order_id=wfrun_314ff7d8b7a5beff1388"
wrk -t "$(nproc)" -c "$CONNECTIONS" -d "${WRK_SECONDS}s" "$url" >"$work/wrk.log"
if grep -q '^ *\(Socket errors\|Non-2xx\)' "$work/wrk.log"; then
    fail "wrk had errors: $(tail -n 4 "$work/wrk.log")"
fi
requests=$(awk '/^Requests\/sec:/ { printf "%.0f", $2 }' "$work/wrk.log")
row "wrk, the same nginx (HTTP alone)" "$requests/s" "$CONNECTIONS connections for $WRK_SECONDS s"
row "tieout to wrk" "$(awk -v a="$orders" -v b="$requests" 'BEGIN { printf "%.2f", a / b }')" "1 would be nothing but HTTP"

unset CHENYU_API_KEY
times=()
for attempt in 1 2 3 4 5; do
    seconds=$(reconcile_seconds "ten-$attempt" "$work/ten.csv" --sandbox)
    times+=("$seconds")
done
median=$(printf '%s\n' "${times[@]}" | sort -n | sed -n 3p)
row "ten orders with --sandbox" "$median s" "median of ${times[*]}"
