"""What an auditor without tieout would verify in a report, as a short Polars script; `make bench` compares it with
`tieout verify`.

It verifies the hashes of all files, both identities for every settled order, and the spend per workflow. `verify` does
more: it repeats every check and rebuilds every file. Exits with 1 if anything differs.
"""

import hashlib
import json
import sys
from pathlib import Path

import polars as pl

AMOUNTS = ["quote_amount", "final_amount", "released_amount", "compute_cost", "external_model_cost", "total_cost"]
SUM = pl.Decimal(38, 8)


def main(folder):
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for listed in manifest["files"]:
        with open(folder / listed["name"], "rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == listed["sha256"], listed["name"]

    facts = pl.read_parquet(folder / "run_orders.parquet").with_columns(pl.col(AMOUNTS).cast(SUM))
    settled = facts.filter("settled")
    found = pl.read_csv(folder / "discrepancies.csv", columns=["run_order_id", "check"])
    for check, off in (
        ("quote-split", pl.col("final_amount") + pl.col("released_amount") != pl.col("quote_amount")),
        ("cost-sum", pl.col("compute_cost") + pl.col("external_model_cost") != pl.col("total_cost")),
    ):
        ours = settled.filter(off)["run_order_id"].sort()
        assert ours.equals(found.filter(pl.col("check") == check)["run_order_id"].sort()), check

    # Orders without a currency are summed under the empty currency.
    keys = {"workflow_id": "workflow_id", "quote_currency": "currency"}
    settled = settled.with_columns(pl.col(*keys).fill_null(""))
    sums = [pl.col(name).sum() for name in AMOUNTS]
    spend = settled.group_by(*keys).agg(pl.len().cast(pl.Int64).alias("settled"), *sums).rename(keys)
    columns = [*keys.values(), "settled", *AMOUNTS]
    reported = pl.read_csv(folder / "spend_by_workflow.csv", schema_overrides=dict.fromkeys(AMOUNTS, SUM))
    reported = reported.filter(pl.col("settled") > 0).select(columns)
    reported = reported.with_columns(pl.col(*keys.values()).fill_null(""))
    assert spend.select(columns).sort(*keys.values()).equals(reported.sort(*keys.values())), "spend_by_workflow.csv"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
