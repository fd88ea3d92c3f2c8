"""Compares reports with their documentation: docs/reference/files.md, docs/reference/focus.md, docs/*.schema.json.

    python described.py DOCS_FOLDER REPORT_FOLDER...

The columns of every CSV and of the Parquet file must be those of the page, in its order. The JSON files must be
valid, and invalid with an additional field anywhere. It exits with 1 at the first difference.
"""

import copy
import csv
import json
import re
import sys
from pathlib import Path

import jsonschema
import pyarrow.parquet
from referencing import Registry, Resource


def main(docs, reports):
    sections = columns_of_page(docs / "reference/files.md")
    schemas = {}
    files = [json.loads((docs / f"{name}.schema.json").read_text(encoding="utf-8")) for name in ("settings", "summary")]
    registry = Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in files)
    for name in ("summary", "manifest"):
        schema = json.loads((docs / f"{name}.schema.json").read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        schemas[f"{name}.json"] = jsonschema.Draft202012Validator(
            schema, registry=registry, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        )
    compared = refused = 0
    for report in reports:
        for file in sorted(report.glob("*.csv")):
            with file.open(encoding="utf-8-sig", newline="") as text:
                heading = next(csv.reader(text))
            if file.name == "focus.csv":
                # Its page describes several columns together, in a different order.
                same(file, sorted(heading), sorted(focus_columns(docs / "reference/focus.md")))
            else:
                same(file, heading, [name for name, _ in sections.get(file.name, [])])
            compared += 1
        facts = report / "run_orders.parquet"
        # The facts of orders of a dataset stay there.
        if not (report / "sources.json").exists():
            schema = pyarrow.parquet.read_schema(facts)
            found = [(field.name, str(field.type).replace("string_view", "string")) for field in schema]
            same(facts, found, sections[facts.name])
        for name, validator in schemas.items():
            document = json.loads((report / name).read_text(encoding="utf-8"))
            for error in validator.iter_errors(document):
                sys.exit(f"{report / name}: {error.json_path}: {error.message}")
            refused += refuses_more(report / name, validator, document)
    print(f"agree: {compared} CSV files, {refused} additional fields were refused")


def columns_of_page(path):
    """The first two cells of the rows below each heading that names a file."""
    sections, section = {}, None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = sections.setdefault(line.removeprefix("## ").strip("`"), [])
        elif line.startswith("| `") and section is not None:
            cells = line.split(" | ")
            section.append((cells[0].removeprefix("| ").strip("`"), cells[1]))
    return sections


def focus_columns(path):
    """The columns named in the first cells of the table on the page of focus.csv."""
    rows = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall("`([A-Za-z_]+)`", row.split(" | ")[0])]


def same(path, found, described):
    """Exits if two lists differ."""
    if found != described:
        sys.exit(f"{path}: has {found}, the page describes {described}")


def refuses_more(path, validator, document):
    """Checks that an additional field makes each object invalid; returns the number of objects."""
    places = list(objects(document, []))
    for place in places:
        more = copy.deepcopy(document)
        at = more
        for step in place:
            at = at[step]
        at["no_such_field"] = [[]]
        if validator.is_valid(more):
            sys.exit(f"{path}: an additional field at {place} is valid")
    return len(places)


def objects(value, place):
    """The paths of all objects in a JSON value."""
    if isinstance(value, dict):
        yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    for step, below in inner:
        yield from objects(below, [*place, step])


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: described.py DOCS_FOLDER REPORT_FOLDER...")
    main(Path(sys.argv[1]), [Path(folder) for folder in sys.argv[2:]])
