"""Audits a dataset as DuckDB does by the dataset's own read.sql, with the identities and aggregates of reperform.sql:
peer_history.py DATASET
"""

import os
import sys

import duckdb

AMOUNTS = ["quote_amount", "final_amount", "released_amount", "compute_cost", "external_model_cost", "total_cost"]
QUOTE_OFF = "final_amount + released_amount - quote_amount"
COST_OFF = "total_cost - compute_cost - external_model_cost"


def grouped(keys):
    sums = [f"SUM(CASE WHEN settled THEN {name} END)" for name in AMOUNTS]
    for off in [QUOTE_OFF, COST_OFF]:
        sums += [f"SUM(CASE WHEN settled THEN ABS({off}) END)", f"SUM(CASE WHEN settled THEN {off} END)"]
    groups = ", ".join([*keys, "quote_currency"])
    counts = "COUNT(*), COUNT(*) FILTER (settled), COUNT(*) FILTER (NOT settled), COUNT(*) FILTER (run_status = 'failed')"
    return f"SELECT {groups}, {counts}, {', '.join(sums)} FROM orders GROUP BY {groups} ORDER BY {groups}"


def main(dataset):
    os.chdir(dataset)
    database = duckdb.connect()
    database.execute("SET threads = 2")
    with open("read.sql", encoding="utf-8") as views:
        database.execute(views.read())
    # Once, where each statement would look for the newest observations anew.
    columns = ", ".join(["run_order_id", "workflow_id", "revision_id", "quote_currency", "day", "run_status", "settled", *AMOUNTS])
    database.execute(f"CREATE TEMPORARY TABLE orders AS SELECT {columns} FROM newest")
    off = [f"SELECT run_order_id, {QUOTE_OFF} FROM orders WHERE settled AND {QUOTE_OFF} <> 0"]
    off += [f"SELECT run_order_id, {COST_OFF} FROM orders WHERE {COST_OFF} <> 0"]
    groups = [grouped(keys) for keys in [[], ["workflow_id"], ["workflow_id", "revision_id"], ["day"]]]
    rows = [len(database.execute(query).fetchall()) for query in [*off, *groups]]
    print(*rows)


if __name__ == "__main__":
    main(sys.argv[1])
