"""Runs a report's reperform.sql in DuckDB and compares the results with the report's CSV files and summary.json.

    python reperform.py REPORT_FOLDER [DATASET]

The report may have any tolerance. It exits with 1 at the first difference.
"""

import json
import os
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
from agree import Disagreement, cell, column_of, compare, read_csv

KEYS = {
    "spend_by_workflow.csv": ["workflow_id", "currency"],
    "spend_by_revision.csv": ["workflow_id", "revision_id", "currency"],
    "spend_by_day.csv": ["day", "currency"],
}
DISCREPANCIES = ["run_order_id", "input_line", "check_code"]


def main(folder, dataset=None):
    results = run(folder, dataset)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    compared = 0
    for file, keys in KEYS.items():
        names, rows = take(results, keys)
        compared += compare_rows(folder / file, keys, [name for name in names if name not in keys], names, rows)
    checks = [check for check in ("quote-split", "cost-sum") if check in summary["settings"]["checks"]]
    if checks:
        names, rows = take(results, DISCREPANCIES)
        columns = ["expected", "actual", "difference"]
        compared += compare_rows(folder / "discrepancies.csv", DISCREPANCIES, columns, names, rows, checks)
        names, rows = take(results, ["currency", "passes"])
        passed = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    else:
        passed = {}
    names, rows = take(results, ["currency", "orders"])
    if results:
        raise Disagreement(f"reperform.sql has {len(results)} unexpected statements")
    compare_totals(summary["control_totals"], {row[0]: dict(zip(names, row, strict=True)) for row in rows}, passed)
    print(f"agree: {compared} rows, {len(rows)} currencies, {sum(int(row['passes']) for row in passed.values())} passes")


def run(folder, dataset):
    """The column names and rows of each statement, all as text."""
    database = duckdb.connect()
    if dataset:
        # The addresses in read.sql are relative to the dataset.
        os.chdir(dataset)
        database.execute(Path("read.sql").read_text(encoding="utf-8"))
    else:
        source = str(folder / "run_orders.parquet").replace("'", "''")
        database.execute(f"CREATE VIEW run_orders AS SELECT * FROM '{source}'")
    results = []
    for statement in database.extract_statements((folder / "reperform.sql").read_text(encoding="utf-8")):
        found = database.execute(statement)
        if statement.type == duckdb.StatementType.CREATE:
            continue
        names = [column[0] for column in found.description]
        results.append((names, [tuple(map(text, row)) for row in found.fetchall()]))
    return results


def text(value):
    """A value as reports write it: an amount with all its decimals."""
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def take(results, first):
    """Removes and returns the statement that begins with these columns."""
    for at, (names, _) in enumerate(results):
        if names[: len(first)] == first:
            return results.pop(at)
    raise Disagreement(f"reperform.sql has no statement that begins with {first}")


def compare_rows(path, keys, columns, names, rows, checks=None):
    """Compares a statement's rows with those of a CSV, only of the given checks if any; returns their number."""
    if rows != sorted(rows, key=lambda row: order_of(dict(zip(names, row, strict=True)), keys)):
        raise Disagreement(f"reperform.sql: the rows for {path} are not in order")
    theirs = {}
    for row in rows:
        row = dict(zip(names, row, strict=True))
        key = tuple(cell(row[name]) for name in keys)
        if key in theirs:
            raise Disagreement(f"reperform.sql: {key} occurs twice")
        theirs[key] = [row[name] for name in columns]
    ours = {}
    for row in read_csv(path):
        if checks is not None and row["check"] not in checks:
            continue
        key = tuple(column_of(path, row, "check" if name == "check_code" else name) for name in keys)
        ours[key] = [column_of(path, row, name) for name in columns]
    compare(path, columns, theirs, ours)
    return len(ours)


def order_of(row, keys):
    """The sort key of a statement's row."""
    if keys == DISCREPANCIES:
        # An order of a dataset has no line.
        return int(row["input_line"] or 0), row["run_order_id"] if not row["input_line"] else "", row["check_code"]
    return tuple(row[key].encode() for key in keys)


def compare_totals(control_totals, theirs, passed):
    """Compares the control totals of every currency."""
    zero = "0.00000000"
    for currency in sorted(control_totals.keys() | theirs.keys() | passed.keys()):
        if currency not in theirs or currency not in control_totals:
            raise Disagreement(f"summary.json: {currency!r} is not on both sides")
        ours, row = control_totals[currency], theirs[currency]
        expected = dict(ours["amounts"])
        for side, name in (("quote", "quote_split"), ("cost", "cost_sum")):
            difference = ours["differences"][name]
            expected[f"{side}_net_difference"] = difference["net"]
            expected[f"{side}_gross_difference"] = difference["gross"]
            for what, value in difference["lacking"].items():
                expected[f"{side}_lacking_{what}"] = str(value)
        expected["pending"] = str(ours["frozen"]["orders"])
        expected["frozen_quote_amount"] = ours["frozen"]["quote_amount"]
        for name, value in expected.items():
            if row[name] != value:
                raise Disagreement(f"summary.json: {currency} {name} is {value}, DuckDB computes {row[name]}")
        tolerated = passed.get(currency, {"passes": "0", "net": zero, "gross": zero})
        for name in ("passes", "net", "gross"):
            value = str(ours["passed_by_tolerance"][name])
            if tolerated[name] != value:
                raise Disagreement(f"summary.json: {currency} {name} passed by tolerance is {value}, not {tolerated[name]}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: reperform.py REPORT_FOLDER [DATASET]")
    try:
        # With a dataset the working folder changes.
        main(*(Path(argument).absolute() for argument in sys.argv[1:]))
    except Disagreement as disagreement:
        sys.exit(f"disagree: {disagreement}")
