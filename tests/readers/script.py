"""Runs the script of `tieout audit --engine sql` in DuckDB instead of Spark, and writes the answers where it says.

    python script.py SCRIPT

What only Spark has is replaced: the types of its views, its functions, and how an answer is written. Every other statement
runs as it is.
"""

import pathlib
import re
import sys
import urllib.parse

import duckdb

FUNCTIONS = """
CREATE MACRO unix_micros(moment) AS epoch_us(moment);
CREATE MACRO current_timezone() AS current_setting('TimeZone');
CREATE MACRO assert_true(is_so, message) AS CASE WHEN is_so THEN NULL ELSE error(message) END;
SET TimeZone = 'UTC';
"""


def path(address):
    return urllib.parse.unquote(address).removeprefix("file://")


def view(name, address):
    files = "day=*/*.parquet', hive_partitioning = true, hive_types = {day: DATE}" if name.endswith("observations") else "*.parquet'"
    return f"CREATE OR REPLACE TEMPORARY VIEW {name} AS SELECT * FROM read_parquet('{path(address)}/{files})"


def main(script):
    database = duckdb.connect()
    database.execute(FUNCTIONS)
    text = re.sub(r"^--.*$", "", pathlib.Path(script).read_text(encoding="utf-8"), flags=re.MULTILINE)
    for statement in text.split(";\n"):
        statement = statement.strip().replace("typeof(COALESCE(1, '1'))", "'bigint'")
        statement = re.sub(r"parquet\.`(.*?)`", lambda found: f"read_parquet('{path(found[1])}/*.parquet')", statement)
        written = re.match(r"INSERT OVERWRITE DIRECTORY '(.*?)' USING parquet\n(.*)", statement, re.DOTALL)
        viewed = re.match(r"CREATE OR REPLACE TEMPORARY VIEW (\w+) \(.*OPTIONS \(path '(.*)/\w+'\)", statement, re.DOTALL)
        if not statement or statement.startswith("SET spark."):
            continue
        if written:
            folder = pathlib.Path(path(written[1]))
            folder.mkdir(parents=True, exist_ok=True)
            statement = f"COPY ({written[2]}) TO '{folder}/part-0.parquet' (FORMAT parquet)"
        elif viewed:
            folder = "orders" if viewed[1].endswith("observations") else "exceptions"
            statement = view(viewed[1], f"{viewed[2]}/{folder}")
        database.execute(statement)


if __name__ == "__main__":
    main(*sys.argv[1:])
