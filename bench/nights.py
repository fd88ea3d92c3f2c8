"""Adds nights to a dataset until it has so many, as copies of its newest one: nights.py DATASET NIGHTS"""

import datetime
import json
import os
import pathlib
import sys


def main(dataset, nights):
    records = sorted((dataset / "runs").iterdir())
    newest = json.loads(records[-1].read_text())
    started_at = datetime.datetime.fromisoformat(newest["started_at"])
    for night in range(len(records), nights):
        run = f"{newest['run']}-{night}"
        record = dict(newest, run=run, manifest_sha256=f"{night:064}")
        record["started_at"] = (started_at - datetime.timedelta(days=night)).isoformat().replace("+00:00", "Z")
        record["files"] = [dict(file, path=file["path"].replace(newest["run"], run)) for file in newest["files"]]
        for file, copy in zip(newest["files"], record["files"], strict=True):
            os.link(dataset / file["path"], dataset / copy["path"])
        (dataset / "runs" / f"{run}.json").write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
