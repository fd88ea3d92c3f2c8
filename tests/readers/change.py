"""Changes an answer of `tieout audit --engine sql` as its engine never would.

    python change.py RESULTS ANSWER QUERY

QUERY selects the new rows from the view `answer`.
"""

import pathlib
import sys

import duckdb


def main(results, answer, query):
    folder = pathlib.Path(results) / answer
    database = duckdb.connect()
    database.execute(f"CREATE TABLE answer AS SELECT * FROM read_parquet('{folder}/*.parquet')")
    for file in folder.glob("*.parquet"):
        file.unlink()
    database.execute(f"COPY ({query}) TO '{folder}/part-0.parquet' (FORMAT parquet)")


if __name__ == "__main__":
    main(*sys.argv[1:])
