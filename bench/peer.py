"""The job of `tieout reconcile` as a competent Python engineer would write it; `make bench` compares it with tieout.

aiohttp on uvloop with a fixed number of workers on kept-alive connections, retries with back-off, exact decimals,
Polars for the aggregates and files. It keeps no state: after an interruption it starts over. Prints its figures as one
JSON object.
"""

import argparse
import asyncio
import csv
import json
import os
import random
import time
from decimal import Decimal, getcontext
from pathlib import Path
from urllib.parse import quote

import aiohttp
import polars as pl
import uvloop
from yarl import URL

RETRIES = 5
BACK_OFF_SECONDS = (0.25, 30)
AMOUNTS = ["quote_amount", "final_amount", "released_amount", "compute_cost", "external_model_cost", "total_cost"]
TEXTS = [
    "workflow_id",
    "revision_id",
    "quote_currency",
    "run_status",
    "settlement_status",
    "freeze_status",
    "created_at",
    "updated_at",
]
MONEY = pl.Decimal(28, 8)
ORDERS = {"run_order_id": pl.String} | dict.fromkeys(TEXTS, pl.String) | dict.fromkeys(AMOUNTS, MONEY)
DISCREPANCIES = {"run_order_id": pl.String, "check": pl.String} | dict.fromkeys(["expected", "actual", "difference"], MONEY)


class Refused(Exception):
    """The provider refuses the order, or all retries failed."""


async def fetch(session, url):
    """Fetches one order and returns the `data` of the reply; amounts are never floats."""
    for attempt in range(RETRIES + 1):
        problem = "no answer"
        try:
            async with session.get(url) as reply:
                problem = f"status {reply.status}"
                if reply.status == 200:
                    body = json.loads(await reply.read(), parse_float=Decimal)
                    # The code may be 0 or "0".
                    code = int(body["code"])
                    if code == 0:
                        return body["data"]
                    problem = f"code {code}: {body['msg']}"
                    if code != 429:
                        raise Refused(problem)
                elif reply.status != 429 and reply.status < 500:
                    raise Refused(problem)
        except (aiohttp.ClientError, asyncio.TimeoutError, json.JSONDecodeError) as error:
            problem = repr(error)
        if attempt < RETRIES:
            base, cap = BACK_OFF_SECONDS
            await asyncio.sleep(random.uniform(0, min(cap, base * 2**attempt)))
    raise Refused(problem)


def amount(value):
    """The exact amount, from a string or a number; None if absent or empty, as before settlement."""
    return None if value is None or value == "" else Decimal(value)


def check(run_order_id, settlement_status, amounts):
    """Yields the identities that don't hold, for a settled order."""
    if settlement_status != "settled":
        return
    if None in amounts:
        yield run_order_id, "missing-amount", None, None, None
        return
    quoted, final, released, compute, external, total = amounts
    if quoted != final + released:
        yield run_order_id, "quote-split", quoted, final + released, final + released - quoted
    if total != compute + external:
        yield run_order_id, "cost-sum", compute + external, total, total - compute - external


async def worker(session, base, ids, orders, discrepancies, exceptions):
    # The workers share one iterator: each takes the next ID when it is free.
    for run_order_id in ids:
        try:
            url = f"{base}/workflow/run/info?run_order_id={quote(run_order_id, safe='')}"
            order = await fetch(session, URL(url, encoded=True))
            if order["run_order_id"] != run_order_id:
                raise Refused("the reply is about another order")
            amounts = [amount(order.get(name)) for name in AMOUNTS]
            discrepancies.extend(check(run_order_id, order["settlement_status"], amounts))
            orders.append([run_order_id, *(order.get(name) for name in TEXTS), *amounts])
        except (Refused, ArithmeticError, KeyError, TypeError, ValueError) as error:
            exceptions.append((run_order_id, repr(error)))


async def fetch_all(ids, base, key, concurrency):
    orders, discrepancies, exceptions = [], [], []
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=concurrency),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=30),
    ) as session:
        remaining = iter(ids)
        workers = [worker(session, base, remaining, orders, discrepancies, exceptions) for _ in range(concurrency)]
        await asyncio.gather(*workers)
    return orders, discrepancies, exceptions


def read_ids(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        # Without duplicates, in file order.
        return list(dict.fromkeys(row["run_order_id"] for row in csv.DictReader(file)))


def write_report(folder, orders, discrepancies, exceptions):
    folder.mkdir(parents=True)
    facts = pl.DataFrame(orders, schema=ORDERS, orient="row").sort("run_order_id")
    facts.write_parquet(folder / "run_orders.parquet")
    settled = facts.filter(pl.col("settlement_status") == "settled")
    for group, keys in (("workflow", ["workflow_id"]), ("revision", ["workflow_id", "revision_id"])):
        keys = [*keys, "quote_currency"]
        spend = settled.group_by(keys).agg(pl.len().alias("orders"), *(pl.col(name).sum() for name in AMOUNTS))
        spend.sort(keys).write_csv(folder / f"spend_by_{group}.csv")
    findings = pl.DataFrame(discrepancies, schema=DISCREPANCIES, orient="row").sort("run_order_id", "check")
    findings.write_csv(folder / "discrepancies.csv")
    failed = pl.DataFrame(exceptions, schema={"run_order_id": pl.String, "reason": pl.String}, orient="row")
    failed.sort("run_order_id").write_csv(folder / "exceptions.csv")
    return findings["run_order_id"].n_unique()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ids", type=Path)
    parser.add_argument("--api-url", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--concurrency", type=int, default=64)
    arguments = parser.parse_args()

    # Sums of the largest possible amounts must not be rounded.
    getcontext().prec = 60
    ids = read_ids(arguments.ids)
    begin = time.perf_counter()
    fetching = fetch_all(ids, arguments.api_url, os.environ["CHENYU_API_KEY"], arguments.concurrency)
    orders, discrepancies, exceptions = uvloop.run(fetching)
    fetch_seconds = time.perf_counter() - begin
    discrepant = write_report(arguments.out, orders, discrepancies, exceptions)
    figures = {
        "orders": len(ids),
        "reconciled": len(orders) - discrepant,
        "discrepant": discrepant,
        "exceptions": len(exceptions),
        "fetch_seconds": round(fetch_seconds, 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
