"""Makes a dataset of many orders as nights would: history.py DATASET ORDERS DAYS

Each order is observed twice: on the night of the day on which it was created, and on the next. One in twenty is only
settled by then, one in a thousand is off by 0.00000001, and one in ten thousand is settled for another charge.
DATASET is one that `tieout` made. Its orders are replaced.
"""

import datetime
import hashlib
import json
import pathlib
import sys

import polars

FIRST = datetime.date(2026, 9, 1)
ZONE = datetime.timezone(datetime.timedelta(hours=8))
MONEY = polars.Decimal(28, 8)
ROW_GROUP = 131072


def amount(units):
    """Units of 10^-8 as an amount: cast as a text, which no float touches."""
    digits = units.abs().cast(polars.String).str.zfill(9)
    whole = digits.str.head(-8) + "." + digits.str.tail(8)
    return polars.when(units < 0).then("-" + whole).otherwise(whole).cast(MONEY)


def identifier(prefix, number, salt, length):
    """An ID that looks random, as the provider's do."""
    digits = [(number + salt).hash(seed).cast(polars.String).str.zfill(20) for seed in range(-(-length // 20))]
    return prefix + polars.concat_str(digits).str.head(length)


def orders(day, count, is_late, run):
    number = polars.int_range(day * count, (day + 1) * count, dtype=polars.UInt64)
    frame = polars.select(number.alias("n"))
    n = polars.col("n")
    start = datetime.datetime.combine(FIRST + datetime.timedelta(days=day), datetime.time(), ZONE)
    first = int(start.timestamp()) * 1_000_000
    created = (polars.lit(first) + (n - day * count).cast(polars.Int64) * (86_400_000_000 // count)).cast(polars.Int64)
    pending = (n.hash(1) % 20 == 0) & polars.lit(not is_late)
    compute, external = (n.hash(2) % 30_000_000).cast(polars.Int64), (n.hash(3) % 4 * 250_000).cast(polars.Int64)
    restated = ((n.hash(4) % 10_000 == 0) & polars.lit(is_late)).cast(polars.Int64)
    off = (n.hash(5) % 1_000 == 0).cast(polars.Int64)
    total = compute + external + restated
    quote = compute + external + 1 + (n.hash(6) % 50_000_000).cast(polars.Int64)
    settled = lambda units: polars.when(~pending).then(amount(units))
    word = lambda one, other: polars.when(pending).then(polars.lit(other)).otherwise(polars.lit(one))
    workflow = n.hash(7) % 40
    time = lambda microseconds: microseconds.cast(polars.Datetime("us", "UTC"))
    return frame.select(
        identifier("wfrun_", n, 0, 20).alias("run_order_id"),
        identifier("wf_", workflow, 1, 20).alias("workflow_id"),
        identifier("wfr_", workflow * 3 + n.hash(10) % 3, 2, 20).alias("revision_id"),
        polars.when(n.hash(12) % 20 == 0).then(polars.lit("USD")).otherwise(polars.lit("CNY")).alias("quote_currency"),
        amount(quote).alias("quote_amount"),
        settled(total).alias("final_amount"),
        settled(quote - total + off).alias("released_amount"),
        settled(compute + restated).alias("compute_cost"),
        settled(external).alias("external_model_cost"),
        settled(total).alias("total_cost"),
        word("released", "frozen").alias("freeze_status"),
        polars.lit("submitted").alias("submission_status"),
        word("succeeded", "running").alias("run_status"),
        word("settled", "pending").alias("settlement_status"),
        identifier("task_", n, 3, 32).alias("task_id"),
        identifier("prompt_", n, 4, 32).alias("prompt_id"),
        polars.lit(None, polars.String).alias("error_code"),
        time(created).alias("created_at"),
        time(created + 60_000_000).alias("updated_at"),
        (~pending).alias("settled"),
        polars.lit(None, polars.Date).alias("moved_to"),
        polars.lit(run).alias("run"),
    )


def main(dataset, count, days):
    of_day = count // days
    for record in (dataset / "runs").iterdir():
        record.unlink()
    for file in dataset.glob("orders/day=*/*.parquet"):
        if file.name != "empty.parquet":
            file.unlink()
    for night in range(days + 1):
        started_at = datetime.datetime.combine(FIRST + datetime.timedelta(days=night + 1), datetime.time(2), ZONE)
        started_at = started_at.astimezone(datetime.timezone.utc)
        manifest = f"{night:064}"
        run = f"{started_at:%Y%m%dT%H%M%SZ}-{manifest[:8]}-{night:016x}"
        files = []
        for day, is_late in [(night - 1, True), (night, False)]:
            if not 0 <= day < days:
                continue
            path = f"orders/day={FIRST + datetime.timedelta(days=day)}/{run}.parquet"
            place = dataset / path
            place.parent.mkdir(parents=True, exist_ok=True)
            frame = orders(day, of_day, is_late, run)
            frame.write_parquet(place, compression="zstd", row_group_size=ROW_GROUP)
            with place.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            files.append({"path": path, "rows": frame.height, "bytes": place.stat().st_size, "sha256": sha256})
        at = started_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        record = {
            "format": 1, "run": run, "started_at": at, "as_of": at, "manifest_sha256": manifest, "list_incomplete": False,
            "tieout_version": "0", "orders": sum(file["rows"] for file in files), "moved": 0, "exceptions": 0,
            "control_totals": [], "files": files,
        }
        (dataset / "runs" / f"{run}.json").write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
