"""Reads focus.csv with the specification's own validator.

    python validate.py REPORT_FOLDER

Charges without a currency or one of the amounts are left out: the specification requires these, and the report leaves
them empty on purpose if the provider does not give them. It prints how many charges were read and which rules failed,
and exits with 0 either way, as the validator itself does.
"""

import csv
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import focus_validator


def main(report):
    with (report / "focus.csv").open(encoding="utf-8", newline="") as file:
        heading, *rows = csv.reader(file)
    wanted = [at for at, name in enumerate(heading) if name.endswith("Cost") or name == "BillingCurrency"]
    whole = [row for row in rows if all(row[at] for at in wanted)]
    with tempfile.TemporaryDirectory() as folder:
        charges, found = Path(folder, "charges.csv"), Path(folder, "found.xml")
        with charges.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([heading, *whole])
        command = [
            sys.executable, "-c", "from focus_validator.main import main; main()", "--data-file", charges,
            "--validate-version", "1.2", "--block-download", "--column-namespace", "x_", "--output-type", "unittest",
            "--output-destination", found,
        ]
        # The validator looks for its own files from here.
        site = Path(focus_validator.__file__).parent.parent
        run = subprocess.run(command, cwd=site, capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(run.stdout + run.stderr)
        cases = list(ElementTree.parse(found).iter("testcase"))
    if not cases:
        sys.exit("the validator checked nothing")
    failed = sorted({case.get("name").split(" ")[0] for case in cases if case.find("failure") is not None})
    print(f"charges: {len(whole)} of {len(rows)}; found: {' '.join(failed) or 'nothing'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
