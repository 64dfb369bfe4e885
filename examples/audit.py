"""Look at a file before anyone trains on it.

python examples/audit.py rows.csv finance/sentiment
python examples/audit.py train.csv finance/sentiment --other test=test.csv --output audit.html audit.json
python examples/audit.py rows.csv finance/sentiment --quick
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Literal

import qlorakit as qk


def named_file(given: str) -> tuple[str, Path]:
    """``name=file``, or a file that is called by its own name."""
    name, _, path = given.rpartition("=")
    return name or Path(path).stem, Path(path)


def main() -> int:
    """Print and save the audit; 1 where training would be pointless."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="csv, tsv, jsonl, json, parquet, conll or a folder")
    parser.add_argument("task", help="such as finance/sentiment")
    parser.add_argument("--quick", action="store_true", help="only what one cheap pass finds")
    parser.add_argument(
        "--other", type=named_file, nargs="*", default=[], metavar="NAME=FILE", help="other splits, to look for in it"
    )
    parser.add_argument(
        "--output", type=Path, nargs="*", default=[], help="files that end in .json, .html, .md or .txt"
    )
    parser.add_argument("--include-text", action="store_true", help="keep the beginnings of the texts concerned")
    parser.add_argument("--skip-bad-rows", action="store_true", help="leave out rows that the task cannot read")
    asked = parser.parse_args()
    task = qk.get_task(asked.task)
    bad_rows: Literal["skip", "error"] = "skip" if asked.skip_bad_rows else "error"
    found = qk.audit(
        qk.read_rows(asked.file, task=task, bad_rows=bad_rows),
        task,
        quick=asked.quick,
        other={name: qk.read_rows(path, task=task) for name, path in asked.other},
        include_text=asked.include_text,
        progress=True,
    )
    print(found, end="")
    for path in asked.output:
        found.save(path)
    return 1 if found.fatal else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except qk.QlorakitError as error:
        sys.exit(f"error: {error}")
