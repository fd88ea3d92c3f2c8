# How long all formats of a report take for a million orders, and how soon the largest page responds.
# shellcheck shell=bash

# The most rows that a page shows of one list.
PAGE_ORDERS=100000
PAGE_OPENINGS=5

# Rebuilds a report from its evidence in every format, in turns with the tables alone: the difference is the cost of
# page, workbook and charges. For comparison, a script writes the same rows to a workbook with XlsxWriter.
reports() {
    local folder=$WORK/reports round every=() tables=() script=()
    "$PYTHON" -c 'import xlsxwriter' 2>/dev/null ||
        fail "$PYTHON lacks bench/requirements.txt: start this with make bench PARTS=reports"
    ids "$DONE" >"$WORK/reports.csv"
    reconcile_seconds reports "$REPORTED" "$WORK/reports.csv" --sandbox --rate 0 --concurrency "$IN_FLIGHT" --format csv >/dev/null
    for ((round = 1; round <= ROUNDS; round++)); do
        every+=("$(measured "$REPORTED" "$TIEOUT" audit "$folder/report" --format html,xlsx,focus --out "$folder/every")")
        tables+=("$(measured "$REPORTED" "$TIEOUT" audit "$folder/report" --format csv --out "$folder/tables")")
        script+=("$(measured 0 "$PYTHON" bench/peer_workbook.py "$folder/every" "$folder/peer.xlsx")")
    done
    # Each entry is "SECONDS KIBIBYTES".
    target_row "every format" "$(median "${every[@]% *}")" s "<= 30" "of $DONE orders, median of ${every[*]% *}"
    target_row "peak memory of every format" "$(mebibytes "$(largest "${every[@]#* }")")" MiB "<= 600" ""
    row "the tables alone" "$(median "${tables[@]% *}")" s "median of ${tables[*]% *}"
    row "an XlsxWriter script, the workbook alone" "$(median "${script[@]% *}")" s "median of ${script[*]% *}"
    row "every format to the script" "$(ratio "$(median "${every[@]% *}")" "$(median "${script[@]% *}")")" "" ""
    sizes "$folder/every" report.html report.xlsx focus.csv
    # The largest possible output: every order is discrepant.
    every=("$(measured "$REPORTED" "$TIEOUT" audit "$folder/report" --format html,xlsx,focus --currency XXX --out "$folder/all")")
    row "every format, every order discrepant" "${every[0]% *}" s "peak $(mebibytes "${every[0]#* }") MiB"
    sizes "$folder/all" report.html report.xlsx focus.csv
    rm -rf "$folder"
    page
}

# Opens a page with as many discrepancies as it can show in Chromium.
page() {
    local folder=$WORK/page bytes
    ids "$PAGE_ORDERS" >"$WORK/page.csv"
    reconcile_seconds page "$REPORTED" "$WORK/page.csv" --sandbox --rate 0 --concurrency "$IN_FLIGHT" --currency XXX >/dev/null
    bytes=$(stat -c %s "$folder/report/report.html")
    target_row "page of $(($(wc -l <"$folder/report/discrepancies.csv") - 1)) discrepancies" "$(mebibytes $((bytes / 1024)))" MiB "<= 40" ""
    target_row "until it responds" "$(opening_seconds "$folder/report/report.html")" s "<= 2" \
        "median of $PAGE_OPENINGS openings in Chromium"
    rm -rf "$folder"
}

opening_seconds() { # PAGE
    TIEOUT_TEST_NODE_MODULES=${BENCH_NODE_MODULES:-} node bench/page.mjs "$1" "$PAGE_OPENINGS" ||
        fail "no browser opened $1: start this with make bench PARTS=reports"
}

sizes() { # FOLDER FILES...
    local folder=$1 file
    shift
    for file in "$@"; do
        row "$file" "$(mebibytes $(($(stat -c %s "$folder/$file") / 1024)))" MiB ""
    done
}
