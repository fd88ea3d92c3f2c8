"""Replaces one part's section of a file of results: results.py FILE PART MACHINE, with the rows on standard input."""

import datetime
import pathlib
import re
import sys

HEAD = """# Results

What `make bench` measured last, part by part, and on what. A ratio is against a peer in the same run; seconds are those of
this machine. `MISSED` is a target that was not reached.
"""


def section(part, machine, rows):
    lines = [f"## {part}", "", f"{datetime.date.today()}, {machine}", "", "| what | figure | target | |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def main():
    path, part, machine = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    rows = [line.rstrip("\n").split("\t") for line in sys.stdin]
    text = path.read_text() if path.exists() else HEAD
    head, *sections = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    found = {re.match(r"## (.*)", section)[1]: section for section in sections}
    found[part] = section(part, machine, rows)
    path.write_text("\n".join(text.strip("\n") + "\n" for text in [head, *found.values()]))


if __name__ == "__main__":
    main()
