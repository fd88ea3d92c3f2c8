"""Makes the workbooks in this folder, with software that is not ours.

Needs openpyxl 3.1.5, msoffcrypto-tool and LibreOffice (soffice); run it in this folder. Each run gives the same files
except for their creation dates, so the files are committed and made again only when this script changes.
"""

import datetime
import subprocess
import zipfile

import msoffcrypto.format.ooxml
import openpyxl


def values():
    """A sheet with every kind of value, then a chart sheet and a hidden sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Bills"
    rows = [
        ["run_order_id", "amount", "note"],
        ["wfrun_1", 0.1, "plain"],
        ["00012", 0.30000000000000004, 'quoted "a", b'],
        ["12345678901234567890", 2.88e-04, "two\nlines"],
        [12345678901234567890, 1234567.89, " spaces kept "],
        [],
        [],
        ["wfrun_2", -5, True],
        ["wfrun_3", "1.50", False],
        ["wfrun_4", datetime.datetime(2026, 5, 8, 12, 0), datetime.date(2026, 5, 8)],
        ["wfrun_5", datetime.time(9, 30), datetime.timedelta(hours=26, minutes=5)],
        ["wfrun_6", "=1/8", "=A2&\"-x\""],
        ["wfrun_7", "#N/A", "=1/0"],
        ["订单", 1e15, 999999999999999],
        ["wfrun_8", 1e21, 0],
    ]
    for row in rows:
        sheet.append(row)
    # openpyxl rounds numbers to 16 digits, but writes a text that is marked as a number unchanged.
    for cell, number in (("B3", "0.30000000000000004"), ("A5", "12345678901234567890")):
        sheet[cell] = number
        sheet[cell].data_type = "n"
    sheet["B13"].data_type = "e"
    sheet["C11"].number_format = "[h]:mm:ss"
    sheet["B2"].number_format = '#,##0.00 "days"'
    sheet["B8"].number_format = "0.00%"
    book.create_chartsheet("Chart")
    other = book.create_sheet("Sheet, 2 & more")
    other.sheet_state = "hidden"
    other["A1"] = "hidden sheet"
    return book


def shapes():
    """Sheets with different cell positions: from C5 on, in hidden rows, merged, far apart, and none at all."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "From C5"
    sheet["C5"], sheet["D5"], sheet["C8"] = "run_order_id", "amount", "wfrun_1"
    sheet["E8"] = 12.5
    sheet = book.create_sheet("Hidden")
    for number in range(1, 11):
        sheet.append([f"wfrun_{number}", number])
    for number in (3, 4, 12):
        sheet.row_dimensions[number].hidden = True
    sheet.row_dimensions.group(7, 8, hidden=True)
    sheet = book.create_sheet("Merged")
    sheet["A1"], sheet["A2"], sheet["C2"] = "over three columns", "two rows", "x"
    sheet.merge_cells("A1:C1")
    sheet.merge_cells("A2:A3")
    sheet = book.create_sheet("Far")
    sheet["A1"], sheet["IV40"] = "near", "far"
    book.create_sheet("Empty")
    return book


def filtered():
    """A sheet with a filter that leaves two of four rows visible. openpyxl hides no rows itself, so they are hidden here."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Filtered"
    for row in [["run_order_id", "state"], ["wfrun_1", "open"], ["wfrun_2", "paid"], ["wfrun_3", "open"], ["wfrun_4", "paid"]]:
        sheet.append(row)
    sheet.auto_filter.ref = "A1:B5"
    sheet.auto_filter.add_filter_column(1, ["open"])
    for number in (3, 5):
        sheet.row_dimensions[number].hidden = True
    return book


def convert(name, form):
    subprocess.run(["soffice", "--headless", "--convert-to", form, "--outdir", ".", name], check=True, stdout=subprocess.DEVNULL)


def protect():
    """filtered.xlsx, protected with a password the way Excel does it."""
    with open("filtered.xlsx", "rb") as plain, open("protected.xlsx", "wb") as out:
        msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt("secret", out)


def document():
    """A document in the same container as a workbook."""
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xlsx" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"/>'
        '<Override PartName="/word/document.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    with zipfile.ZipFile("document.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("word/document.xml", "<document/>")


def main():
    for name, book in (("values", values()), ("shapes", shapes()), ("filtered", filtered())):
        book.save(f"{name}.xlsx")
    # openpyxl stores no results of formulas; LibreOffice computes and stores them.
    values().save("uncomputed.xlsx")
    for name in ("values", "shapes", "filtered"):
        for form in ("ods", "xls"):
            convert(f"{name}.xlsx", form)
    subprocess.run(["cp", "values.ods", "computed.ods"], check=True)
    convert("computed.ods", "xlsx")
    subprocess.run(["rm", "computed.ods", "values.xlsx"], check=True)
    protect()
    document()


if __name__ == "__main__":
    main()
