"""Writes the discrepancies and the spend of a report to a workbook, as a simple script would: with XlsxWriter in its
constant-memory mode.

    python peer_workbook.py REPORT_FOLDER WORKBOOK

Amounts are floating-point numbers; there are no exact texts, no summary and no chart.
"""

import csv
import sys
from pathlib import Path

import xlsxwriter

report, workbook = Path(sys.argv[1]), xlsxwriter.Workbook(sys.argv[2], {"constant_memory": True})
amount = workbook.add_format({"num_format": "0.00000000"})
for name in ("discrepancies", "spend_by_workflow", "spend_by_revision", "spend_by_day", "pending", "exceptions"):
    with (report / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        heading, *rows = csv.reader(file)
    sheet = workbook.add_worksheet(name)
    sheet.write_row(0, 0, heading)
    for line, row in enumerate(rows[:1_048_575], 1):
        for column, text in enumerate(row):
            if text.lstrip("-").replace(".", "", 1).isdigit():
                sheet.write_number(line, column, float(text), amount)
            else:
                sheet.write_string(line, column, text)
workbook.close()
