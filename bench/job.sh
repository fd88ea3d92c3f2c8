# Starts and times a reconciliation.
# shellcheck shell=bash

ids() { # COUNT
    echo run_order_id
    numbered 1 "$1"
}

# The IDs with these numbers.
numbered() { # FIRST LAST
    awk -v first="$1" -v last="$2" 'BEGIN { for (i = first; i <= last; i++) printf "wfrun_%04x%016x\n", (i * 40503) % 65536, i }'
}

# Runs a reconciliation to its end and prints its wall time in seconds; the report is in $WORK/NAME/report. An exit code
# outside EXIT_CODES (such as "0|1") is a failure: unfetched orders must not count as fast.
reconcile_seconds() { # NAME EXIT_CODES ARGUMENTS...
    local name=$1 expected=$2 begin end status=0
    shift 2
    mkdir "$WORK/$name"
    begin=$EPOCHREALTIME
    "$TIEOUT" reconcile "$@" --out "$WORK/$name/report" --state "$WORK/$name/state.sqlite" >"$WORK/$name/log" 2>&1 || status=$?
    end=$EPOCHREALTIME
    [[ $status =~ ^($expected)$ ]] || fail "$name ended with exit code $status: $(tail -n 3 "$WORK/$name/log")"
    seconds_between "$begin" "$end"
}

seconds_between() { # BEGIN END
    awk -v begin="$1" -v end="$2" 'BEGIN { printf "%.3f", end - begin }'
}
