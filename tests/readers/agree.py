"""Re-performs a tieout report with independent readers: DuckDB and pyarrow.

    python agree.py REPORT_FOLDER

It computes spend_by_workflow.csv, spend_by_revision.csv, spend_by_day.csv (DuckDB has its own time zones) and the
quote-split and cost-sum rows of discrepancies.csv (at tolerance 0) from run_orders.parquet alone, all in
DECIMAL(38,8), and compares them with the files digit for digit: a CSV is read as text. It exits with 1 at the
first difference.

Only one thing is taken from the report: the orders that fail identity-mismatch. Their amounts enter no sum, and
the Parquet file does not say what the provider replied.
"""

import csv
import json
import sys
import unicodedata
from pathlib import Path

import duckdb
import pyarrow
import pyarrow.parquet

AMOUNTS = ["quote_amount", "final_amount", "released_amount", "compute_cost", "external_model_cost", "total_cost"]
COUNTS = ["orders", "settled", "pending", "failed_runs", "discrepant"]
DIFFERENCES = ["quote_gross_difference", "quote_net_difference", "cost_gross_difference", "cost_net_difference"]
# First characters of a formula, and their full-width forms: the report puts an apostrophe before such a text.
FORMULA = tuple("=+-@\t\r＝＋－＠")


class Disagreement(Exception):
    """The report and the readers differ."""


def main(folder):
    facts = folder / "run_orders.parquet"
    check_schema(facts)
    settings = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["settings"]
    database = load(facts, foreign_lines(folder), settings)
    groups = compare_spend(database, folder / "spend_by_workflow.csv", ["workflow_id"])
    groups += compare_spend(database, folder / "spend_by_revision.csv", ["workflow_id", "revision_id"])
    if "timezone" in settings:
        groups += compare_spend(database, folder / "spend_by_day.csv", ["day"])
    discrepancies = compare_discrepancies(database, folder / "discrepancies.csv")
    orders = database.sql("SELECT count(*) FROM facts").fetchall()[0][0]
    print(f"agree: {orders} orders, {groups} groups, {discrepancies} discrepancies")


def check_schema(facts):
    """Checks the column types in the file as pyarrow and DuckDB read them."""
    schema = pyarrow.parquet.read_schema(facts)
    expected = {name: pyarrow.decimal128(28, 8) for name in AMOUNTS}
    expected |= {name: pyarrow.timestamp("us", tz="UTC") for name in ("created_at", "updated_at")}
    expected |= {"settled": pyarrow.bool_()}
    for name, kind in expected.items():
        if name not in schema.names:
            raise Disagreement(f"{facts}: there is no column {name}")
        if schema.field(name).type != kind:
            raise Disagreement(f"{facts}: pyarrow reads {name} as {schema.field(name).type}, expected {kind}")
    rows = pyarrow.parquet.read_metadata(facts).num_rows
    read = pyarrow.parquet.read_table(facts).num_rows
    if rows != read:
        raise Disagreement(f"{facts}: the footer says {rows} rows, pyarrow reads {read}")
    described = duckdb.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(facts)]).fetchall()
    types = {name: kind for name, kind, *_ in described}
    for name in AMOUNTS:
        if types[name] != "DECIMAL(28,8)":
            raise Disagreement(f"{facts}: DuckDB reads {name} as {types[name]}, expected DECIMAL(28,8)")


def read_csv(path):
    """The rows of a report's CSV as dictionaries of text."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def foreign_lines(folder):
    """The input lines of orders whose reply was about a different order."""
    rows = read_csv(folder / "discrepancies.csv")
    return [int(row["input_line"]) for row in rows if row["check"] == "identity-mismatch"]


def load(facts, foreign, settings):
    """A database with the view `facts` (every order) and the view `own` (without foreign replies)."""
    database = duckdb.connect()
    database.execute("CREATE TABLE foreign_lines (input_line BIGINT)")
    if foreign:
        database.execute("INSERT INTO foreign_lines SELECT unnest(?::BIGINT[])", [foreign])
    wide = ", ".join(f"CAST({name} AS DECIMAL(38,8)) AS {name}" for name in AMOUNTS)
    source = str(facts).replace("'", "''")
    database.execute(f"CREATE VIEW facts AS SELECT * REPLACE ({wide}) FROM read_parquet('{source}')")
    zone, by = settings.get("timezone", "UTC"), settings.get("day_by", "created")
    database.execute(
        f"""
        CREATE VIEW own AS SELECT *,
            strftime(timezone('{zone}', {by}_at), '%Y-%m-%d') AS day,
            final_amount + released_amount - quote_amount AS quote_off,
            total_cost - compute_cost - external_model_cost AS cost_off
        FROM facts WHERE NOT EXISTS (
            SELECT 1 FROM foreign_lines WHERE foreign_lines.input_line = facts.input_line)
        """
    )
    return database


def compare_spend(database, path, keys):
    """Compares one spend file with DuckDB's aggregates; returns the number of groups."""
    keys = [*keys, "quote_currency"]
    labels = [f"coalesce({key}, '')" for key in keys]
    amounts = [f"sum({name}) FILTER (settled)" for name in AMOUNTS]
    for off in ("quote_off", "cost_off"):
        amounts += [f"sum(abs({off})) FILTER (settled)", f"sum({off}) FILTER (settled)"]
    texts = [f"CAST(CAST(coalesce({amount}, 0) AS DECIMAL(38,8)) AS VARCHAR)" for amount in amounts]
    counts = [
        "count(*)",
        "count(*) FILTER (settled)",
        "count(*) FILTER (NOT settled)",
        "count(*) FILTER (run_status = 'failed')",
        "count(*) FILTER (bucket = 'discrepant')",
    ]
    query = f"SELECT {', '.join(labels + counts + texts)} FROM own GROUP BY {', '.join(labels)}"
    width = len(keys)
    expected = {}
    for row in database.sql(query).fetchall():
        expected[tuple(map(cell, row[:width]))] = [str(value) for value in row[width:]]

    columns = [*keys[:-1], "currency", *COUNTS, *AMOUNTS, *DIFFERENCES]
    actual = {}
    for row in read_csv(path):
        values = [column_of(path, row, column) for column in columns]
        key = tuple(values[:width])
        if key in actual:
            raise Disagreement(f"{path}: the group {key} occurs twice")
        actual[key] = values[width:]
    compare(path, columns[width:], expected, actual)
    return len(expected)


def compare_discrepancies(database, path):
    """Compares the quote-split and cost-sum rows with DuckDB's; returns their number."""
    failures = database.sql(
        """
        SELECT run_order_id, input_line, 'quote-split', quote_amount, final_amount + released_amount, quote_off
        FROM own WHERE settled AND quote_off <> 0
        UNION ALL
        SELECT run_order_id, input_line, 'cost-sum', compute_cost + external_model_cost, total_cost, cost_off
        FROM own WHERE cost_off <> 0
        """
    )
    columns = ["expected", "actual", "difference"]
    text = ", ".join(f"CAST(CAST({name} AS DECIMAL(38,8)) AS VARCHAR)" for name in columns)
    named = database.sql(
        f"SELECT id, line, code, {text} FROM failures AS failure(id, line, code, expected, actual, difference)"
    )
    expected = {(cell(row[0]), str(row[1]), row[2]): list(row[3:]) for row in named.fetchall()}

    actual = {}
    for row in read_csv(path):
        if row["check"] not in ("quote-split", "cost-sum"):
            continue
        key = tuple(column_of(path, row, column) for column in ("run_order_id", "input_line", "check"))
        if key in actual:
            raise Disagreement(f"{path}: {key} occurs twice")
        actual[key] = [column_of(path, row, column) for column in columns]
    compare(path, columns, expected, actual)
    return len(expected)


def compare(path, columns, expected, actual):
    """Raises the first difference between two tables, in key order."""
    for key in sorted(expected.keys() | actual.keys()):
        if key not in actual:
            raise Disagreement(f"{path}: {key} is missing; DuckDB has {expected[key]}")
        if key not in expected:
            raise Disagreement(f"{path}: {key} is in the file, but DuckDB does not find it")
        for column, ours, theirs in zip(columns, actual[key], expected[key], strict=True):
            if ours != theirs:
                raise Disagreement(f"{path}: {key} {column} is {ours}, DuckDB computes {theirs}")


def column_of(path, row, column):
    """One cell of a CSV row; a short row or a missing column is a disagreement."""
    value = row.get(column)
    if value is None:
        raise Disagreement(f"{path}: a row has no {column}")
    return value


def cell(text):
    """A text as the report writes it: no formulas for spreadsheets, no control characters for terminals."""
    visible = "".join("\N{REPLACEMENT CHARACTER}" if harmful(char) else char for char in text)
    return "'" + visible if text.startswith(FORMULA) else visible


def harmful(char):
    """Whether a character is a control character, a line separator or a direction override."""
    return unicodedata.category(char) == "Cc" or "\u2028" <= char <= "\u202e" or "\u2066" <= char <= "\u2069"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: agree.py REPORT_FOLDER")
    try:
        main(Path(sys.argv[1]))
    except Disagreement as disagreement:
        sys.exit(f"disagree: {disagreement}")
