# The lines of the table, and the arithmetic for its figures. A figure that was not measured is n/a.
# shellcheck shell=bash

heading() { # PART
    printf '\n%-56s %s\n' "$1" target
}

row() { # WHAT NUMBER UNIT NOTE
    line "$1" "$2" "$3" "" "$4"
}

# A figure with a target; TARGET is a comparison such as ">= 99".
target_row() { # WHAT NUMBER UNIT TARGET NOTE
    line "$1" "$2" "$3" "$4${3:+ $3}: $(judged "$2" "$4")" "$5"
}

line() { # WHAT NUMBER UNIT TARGET NOTE
    local unit=$3 text
    [ "$2" != n/a ] || unit=
    # For bench/RESULTS.md.
    printf '%s\t%s\t%s\t%s\n' "$1" "$2${unit:+ $unit}" "$4" "$5" >>"$WORK/rows"
    printf -v text '%-42s %8s %-4s %-26s %s' "$1" "$2" "$unit" "$4" "$5"
    echo "${text%"${text##*[! ]}"}"
}

judged() { # NUMBER TARGET
    if [ "$1" = n/a ]; then
        echo n/a
    elif awk "BEGIN { exit !($1 $2) }"; then
        echo ok
    else
        echo MISSED
    fi
}

ratio() { # NUMERATOR DENOMINATOR
    if [[ " $* " == *" n/a "* ]]; then
        echo n/a
    else
        awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'
    fi
}

per_second() { # COUNT SECONDS
    if [[ " $* " == *" n/a "* ]]; then
        echo n/a
    else
        awk -v count="$1" -v seconds="$2" 'BEGIN { printf "%.0f", count / seconds }'
    fi
}

median() { # NUMBERS...
    if [[ " $* " == *" n/a "* ]]; then
        echo n/a
    else
        printf '%s\n' "$@" | sort -n | awk '{ at[NR] = $1 } END { print (at[int((NR + 1) / 2)] + at[int(NR / 2) + 1]) / 2 }'
    fi
}
