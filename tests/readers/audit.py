"""Prints what DuckDB makes of a dataset by its own read.sql, as a report about it should.

    python audit.py DATASET [SINCE UNTIL]

One JSON object a line, a table and one of its rows: the spend of each workflow and of each day (without the keys), the
differences of both identities, the orders that were restated, those that are pending, and those that are missing.
"""

import decimal
import json
import os
import sys

import duckdb

AMOUNTS = ["quote_amount", "final_amount", "released_amount", "compute_cost", "external_model_cost", "total_cost"]
QUOTE_OFF = "final_amount + released_amount - quote_amount"
COST_OFF = "total_cost - compute_cost - external_model_cost"
ZERO = "CAST('0' AS DECIMAL(28,8))"


def spend(key):
    sums = [f"SUM(CASE WHEN settled THEN {name} END)" for name in AMOUNTS]
    for off in [QUOTE_OFF, COST_OFF]:
        sums += [f"SUM(CASE WHEN settled THEN ABS({off}) END)", f"SUM(CASE WHEN settled THEN {off} END)"]
    sums = ", ".join(f"COALESCE({sum}, {ZERO})" for sum in sums)
    return f"""
    SELECT COALESCE(quote_currency, ''), COUNT(*), COUNT(*) FILTER (settled), COUNT(*) FILTER (NOT settled),
      COUNT(*) FILTER (run_status = 'failed'), {sums}
    FROM selected GROUP BY {key}, quote_currency
    """


CHARGE = "(COALESCE(quote_currency, ''), " + ", ".join(f"COALESCE(CAST({name} AS VARCHAR), '')" for name in AMOUNTS) + ")"
COMPLETE = " AND ".join(f"{name} IS NOT NULL" for name in AMOUNTS)

TABLES = {
    "workflow": spend("COALESCE(workflow_id, '')"),
    "day": spend("day"),
    "quote-split": f"SELECT run_order_id, {QUOTE_OFF} FROM selected WHERE settled AND {QUOTE_OFF} <> {ZERO}",
    "cost-sum": f"SELECT run_order_id, {COST_OFF} FROM selected WHERE {COST_OFF} <> {ZERO}",
    "restated": f"""
    SELECT s.run_order_id FROM selected AS s JOIN (
      SELECT o.day, o.run_order_id, ARG_MIN({CHARGE}, (r.started_at, r.run)) AS baseline
      FROM observations AS o JOIN runs AS r ON o.run = r.run
      WHERE settled AND {COMPLETE} GROUP BY ALL
    ) AS first ON s.day = first.day AND s.run_order_id = first.run_order_id
    WHERE {CHARGE} <> baseline
    """,
    "pending": "SELECT run_order_id FROM selected WHERE NOT settled",
    "missing": "SELECT run_order_id, bucket, reason FROM missing",
}


def text(cell):
    """A cell as a report writes it: amounts with all their decimals."""
    return f"{cell:f}" if isinstance(cell, decimal.Decimal) else str(cell)


def main(folder, since="0001-01-01", until="9999-12-31"):
    # The addresses in read.sql are relative to the dataset.
    os.chdir(folder)
    database = duckdb.connect()
    with open("read.sql", encoding="utf-8") as views:
        database.execute(views.read())
    period = f"day >= DATE '{since}' AND day < DATE '{until}' OR day = DATE '1970-01-01'"
    database.execute(f"CREATE VIEW selected AS SELECT * FROM newest WHERE {period}")
    for table, query in TABLES.items():
        for row in database.execute(query).fetchall():
            print(json.dumps({"table": table, "row": [text(cell) for cell in row]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
