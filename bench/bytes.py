"""Prints how many bytes an order has in a dataset, and how many without the IDs of the engine: bytes.py DATASET"""

import io
import pathlib
import sys

import polars as pl


def main(dataset):
    rows, whole, without = 0, 0, 0
    for file in (dataset / "orders").glob("day=*/*.parquet"):
        orders = pl.read_parquet(file)
        packed = io.BytesIO()
        orders.drop("task_id", "prompt_id").write_parquet(packed)
        rows, whole, without = rows + len(orders), whole + file.stat().st_size, without + packed.tell()
    print(whole // rows, without // rows)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
