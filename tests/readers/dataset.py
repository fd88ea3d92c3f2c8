"""Prints the newest observation of each order in a dataset, as DuckDB reads it by the dataset's own read.sql.

    python dataset.py DATASET

One JSON array a line, by order: its ID, day, workflow, the six amounts, the moment it was created, whether it is
settled, and its run.
"""

import json
import os
import sys

import duckdb

COLUMNS = """
run_order_id, day, workflow_id, quote_amount, final_amount, released_amount, compute_cost, external_model_cost,
total_cost, epoch_us(created_at), settled, run
"""


def main(folder):
    # The addresses in read.sql are relative to the dataset.
    os.chdir(folder)
    database = duckdb.connect()
    with open("read.sql", encoding="utf-8") as views:
        database.execute(views.read())
    for row in database.execute(f"SELECT {COLUMNS} FROM newest ORDER BY run_order_id, day").fetchall():
        print(json.dumps([cell if cell is None or isinstance(cell, bool) else str(cell) for cell in row]))


if __name__ == "__main__":
    main(sys.argv[1])
