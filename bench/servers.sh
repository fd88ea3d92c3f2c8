# Servers on loopback ports, stopped when the part that started them ends.
# shellcheck shell=bash

SERVERS=()

listens() { # PORT
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# A free port below those used for outgoing connections (32768 and up), some of which may still be closing.
free_port() {
    local port
    for _ in {1..50}; do
        port=$((20000 + RANDOM % 12000))
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
    "$@" >"$WORK/server.log" 2>&1 &
    SERVERS+=("$!")
    for _ in {1..200}; do
        listens "$port" && return
        kill -0 "$!" 2>/dev/null || break
        sleep 0.05
    done
    fail "$1 does not listen on port $port: $(tail -n 3 "$WORK/server.log")"
}

stop_servers() {
    local server
    for server in "${SERVERS[@]}"; do
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    done
    SERVERS=()
}

api_of() { # PORT
    echo "http://127.0.0.1:$1/api/open/v2"
}
