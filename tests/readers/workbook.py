"""Reads report.xlsx with openpyxl and compares it, cell by cell, with the CSV files and summary.json beside it.

    python workbook.py REPORT_FOLDER LANGUAGE [MOST_ROWS]

A text must equal the CSV's text. An amount must be the nearest number, with 8 decimals shown; if 15 digits can't hold
it, or if it is a sum, a text column after it must give it digit for digit. A time must equal the CSV's to the
millisecond. Every sheet must belong to a table, every table must have a sheet, and rows must be in the same order.
It exits with 1 at the first difference.
"""

import csv
import json
import re
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import openpyxl

MOST_EXACT = Decimal("9999999.99999999")
EXACT = {"en": " (exact text)", "zh-CN": "（精确文本）"}
NOT_ALWAYS = {"resolved", "waivers"}
OF_CLOSES = ["roll_forward", "adjustments_by_month", "adjustments"]
TABLES = ["discrepancies", "spend_by_workflow", "spend_by_revision", "spend_by_day", "pending", "exceptions"]
AMOUNTS = {
    "expected", "actual", "difference", "quote_amount", "final_amount", "released_amount", "compute_cost",
    "external_model_cost", "total_cost", "quote_gross_difference", "quote_net_difference", "cost_gross_difference",
    "cost_net_difference", "pending_quote",
}
INTEGERS = {"input_line", "orders", "settled", "pending", "failed_runs", "discrepant", "age_hours"}
TIMES = {"created_at", "updated_at"}


class Disagreement(Exception):
    """The workbook and the other files differ."""


def main(folder, language, most):
    workbook = openpyxl.load_workbook(folder / "report.xlsx")
    summary = json.loads((folder / "summary.json").read_text())
    exact = EXACT[language]
    check_properties(workbook, summary)
    front, *sheets = workbook.worksheets
    cells, listed = check_summary(front, summary)
    tables = [name for name in TABLES if (folder / f"{name}.csv").exists()]
    tables += [name for name in sorted(NOT_ALWAYS) if has_rows(folder / f"{name}.csv")]
    tables += [name for name in OF_CLOSES if (folder / f"{name}.csv").exists()]
    for table in tables:
        with open(folder / f"{table}.csv", newline="", encoding="utf-8") as file:
            heading, *rows = csv.reader(file)
        same(front.title, f"rows of {table}", listed.get(table), len(rows))
        for start in range(0, max(len(rows), 1), most):
            if not sheets:
                raise Disagreement(f"{table}: there is no sheet for row {start}")
            sheet = sheets.pop(0)
            number = start // most + 1
            if number > 1 and not sheet.title.endswith(f" {number}"):
                raise Disagreement(f"{table}: the sheet of its part {number} is called {sheet.title}")
            cells += compare(sheet, table, heading, rows[start:start + most], exact)
    if sheets:
        raise Disagreement(f"unexpected sheets: {[sheet.title for sheet in sheets]}")
    print(f"agree: {len(workbook.worksheets)} sheets, {cells} cells")


def has_rows(path):
    return path.exists() and len(path.read_text(encoding="utf-8").splitlines()) > 1


def check_properties(workbook, summary):
    as_of = datetime.fromisoformat(summary["as_of"].split(".")[0].rstrip("Z"))
    for time in (workbook.properties.created, workbook.properties.modified):
        same("properties", "time", time, as_of)
    same("properties", "creator", workbook.properties.creator, "tieout")


def check_summary(sheet, summary):
    """Checks the counts and figures by the code beside each; returns the number of cells and the counts."""
    said, counts, listed, cells = {}, {}, {}, 0
    for row in sheet.iter_rows(min_row=1, max_col=6):
        what, code, currency, figure, exact, _ = [cell.value for cell in row]
        if isinstance(exact, str) and isinstance(figure, (int, float)):
            # Rows of the largest workflows have no text before the ID.
            if what is not None:
                said[code, currency or ""] = exact
            same(sheet.title, code, float(figure), float(exact))
            same(sheet.title, code, row[3].number_format, "0.00000000")
            cells += 2
        elif isinstance(figure, int) and not isinstance(figure, bool):
            # A code may be a bucket's and, further down, a table's.
            counts.setdefault(code, figure)
            listed[code] = figure
            cells += 1
    expected = {}
    for currency, totals in summary["control_totals"].items():
        for name, amount in totals["amounts"].items():
            expected[f"amounts.{name}", currency] = amount
        for identity in ("quote_split", "cost_sum"):
            for kind in ("net", "gross"):
                expected[f"differences.{identity}.{kind}", currency] = totals["differences"][identity][kind]
        expected["passed_by_tolerance.gross", currency] = totals["passed_by_tolerance"]["gross"]
        expected["waived.gross", currency] = totals["waived"]["gross"]
        expected["frozen.quote_amount", currency] = totals["frozen"]["quote_amount"]
        for field, books in totals.get("books", {}).items():
            for key in ("ours", "provider", "difference"):
                expected[f"books.{field}.{key}", currency] = books[key]
    for tie in summary.get("ties", []):
        for key in ("expected", "actual", "difference"):
            if tie.get(key) is not None:
                expected[f"ties.{tie['field']}.{key}", tie.get("currency") or ""] = tie[key]
    for code, count in {**summary["checks"], **summary["causes"]}.items():
        for currency, difference in count["differences"].items():
            for kind in ("net", "gross"):
                expected[f"{code}.{kind}", currency] = difference[kind]
    same(sheet.title, "figures", said, expected)
    wanted = dict(summary["population"])
    wanted.update({code: count["orders"] for code, count in {**summary["checks"], **summary["causes"]}.items()})
    for code, count in wanted.items():
        same(sheet.title, code, counts.get(code), count)
    codes = {cell.value for cell in sheet["B"]}
    for setting in ("timezone", "day_by", "tolerance"):
        value = summary["settings"].get(setting)
        if value is not None and value not in codes:
            raise Disagreement(f"{sheet.title}: it does not show that {setting} is {value}")
    if summary["verdict"] not in codes:
        raise Disagreement(f"{sheet.title}: no verdict {summary['verdict']}")
    return cells, listed


def compare(sheet, table, heading, rows, exact):
    """Compares one sheet with its rows of a CSV file; returns the number of cells."""
    columns = []
    header = [cell.value for cell in sheet[1]]
    at = 0
    for name in heading:
        is_exact = at + 1 < len(header) and header[at + 1] == header[at] + exact
        columns.append((name, at, is_exact))
        at += 1 + is_exact
    same(sheet.title, "number of columns", len(header), at)
    if len(set(header)) != len(header):
        raise Disagreement(f"{sheet.title}: a heading occurs twice: {header}")
    same(sheet.title, "rows", sheet.max_row, len(rows) + 1)
    last = sheet.cell(len(rows) + 1, at).coordinate
    same(sheet.title, "filter", sheet.auto_filter.ref, f"A1:{last}")
    same(sheet.title, "frozen", sheet.freeze_panes, "B2")
    same(sheet.title, "repeated", sheet.print_title_rows, "$1:$1")
    same(sheet.title, "orientation", sheet.page_setup.orientation, "landscape")
    for name, _, is_exact in columns:
        is_sums = table.startswith("spend_") or table in ("roll_forward", "adjustments_by_month")
        needs = name in AMOUNTS and (is_sums or any(is_past(row[heading.index(name)]) for row in rows))
        # If a table is split over sheets, all of them have the exact column.
        if needs and not is_exact:
            raise Disagreement(f"{sheet.title}: {name} needs an exact column")
        if is_exact and name not in AMOUNTS:
            raise Disagreement(f"{sheet.title}: {name} is not an amount")
    count = 0
    for line, (cells, row) in enumerate(zip(sheet.iter_rows(min_row=2), rows), 2):
        for (name, at, is_exact), text in zip(columns, row):
            same_cell(f"{sheet.title} {cells[at].coordinate}", name, cells[at], text)
            count += 1
            if is_exact:
                same(sheet.title, f"{name} of row {line} as a text", plain(cells[at + 1]), text or None)
                same(sheet.title, f"type of {name}", cells[at + 1].data_type, "s" if text else "n")
                count += 1
    return count


def is_past(text):
    return is_amount(text) and abs(Decimal(text)) > MOST_EXACT


def is_amount(text):
    whole, point, decimals = text.lstrip("-").partition(".")
    return bool(point) and whole.isdigit() and decimals.isdigit() and len(decimals) == 8


def same_cell(place, name, cell, text):
    value = plain(cell)
    if text == "":
        return same(place, name, value, None)
    if name in AMOUNTS and is_amount(text):
        same(place, f"number format of {name}", cell.number_format, "0.00000000")
        same(place, f"type of {name}", cell.data_type, "n")
        if not is_past(text):
            same(place, name, Decimal(repr(value)), Decimal(text))
        return same(place, name, float(value), float(text))
    if name in INTEGERS:
        return same(place, name, value, int(text))
    if name in TIMES:
        time = datetime.fromisoformat(text.replace("Z", "+00:00")).replace(tzinfo=None)
        if not isinstance(value, datetime) or abs(value - time) > timedelta(milliseconds=1):
            raise Disagreement(f"{place}: {name} is {value!r}, not {time!r}")
        return None
    if name == "waived":
        return same(place, name, value, text == "true")
    same(place, f"type of {name}", cell.data_type, "s")
    return same(place, name, value, text)


def plain(cell):
    """The text that a spreadsheet shows: it reads _x0041_ as A, so the report escapes such a text."""
    value = cell.value
    if not isinstance(value, str):
        return value
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda escape: chr(int(escape[1], 16)), value)


def same(place, what, found, expected):
    if found != expected or type(found) is bool and type(expected) is not bool:
        raise Disagreement(f"{place}: {what} is {found!r}, not {expected!r}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 1_048_575)
    except Disagreement as disagreement:
        sys.exit(f"disagree: {disagreement}")
