"""Measure what an audit finds in public data, and how long it takes.

    python benchmarks/audit.py
    python benchmarks/audit.py --rows 1000000

Files are read in place, from ``QLORAKIT_DATA``; those that are missing are left out.  With ``--rows`` the quick look
and the whole audit are timed on as many made-up rows.
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from qlorakit.data_audit import audit
from qlorakit.kinds import single_label
from qlorakit.task import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qlorakit.audit_findings import Audit, Finding
    from qlorakit.task import Task

DATA = Path(os.environ.get("QLORAKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))
Rows = list[dict[str, str]]


def read(name: str, *, delimiter: str = ",", encoding: str = "utf-8", header: list[str] | None = None) -> Rows:
    """The rows of a file of cells."""
    csv.field_size_limit(2**31 - 1)
    with (DATA / name).open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, fieldnames=header, delimiter=delimiter))


def task_of(rows: Rows, name: str, text: str, label: str) -> Task[str]:
    """A task that reads these columns."""
    labels = sorted({row[label] for row in rows})
    return single_label(
        name, summary=name, instruction="Which label fits the text?", labels=labels,
        text=Column(text), label=Column(label, label=True),
    )  # fmt: skip


def public_data() -> Iterator[tuple[Rows, Task[str]]]:
    """What is published with traps that an audit must find."""
    if (DATA / "mtsamples").exists():
        rows = [row for row in read("mtsamples/mtsamples.csv") if row["transcription"].strip()]
        yield rows, task_of(rows, "public/mtsamples", "transcription", "medical_specialty")
    if (DATA / "gold_headlines").exists():
        rows = read("gold_headlines/gold-dataset-sinha-khandait.csv", delimiter="\t")
        yield rows, task_of(rows, "public/gold_headlines", "News", "Price Sentiment")
    if (DATA / "financial_phrasebank").exists():
        header = ["label", "sentence"]
        rows = read("financial_phrasebank/all-data.csv", encoding="latin-1", header=header)
        yield rows, task_of(rows, "public/financial_phrasebank", "sentence", "label")


def made_up(count: int) -> Rows:
    """Rows of 15 words from a vocabulary of 20,000, a tenth of them repeated."""
    draw = random.Random(0)  # noqa: S311  # no secret
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 9))) for _ in range(20_000)]
    texts = [" ".join(draw.choices(words, k=15)) for _ in range(count - count // 10)]
    texts += draw.choices(texts, k=count // 10)
    return [{"id": str(place), "text": text, "label": draw.choice("abc")} for place, text in enumerate(texts)]


def measured(rows: Rows, task: Task[Any], *, quick: bool) -> tuple[Audit, float, float]:
    """An audit, its seconds, and by how many MiB the process grew above what it had ever held."""
    before, start = _peak(), time.perf_counter()
    found = audit(rows, task, quick=quick)
    return found, time.perf_counter() - start, _peak() - before


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=0, help="made-up rows to time")
    asked = parser.parse_args()
    console = Console()
    if asked.rows:
        rows = made_up(asked.rows)
        task = task_of(rows, "made/up", "text", "label")
        for quick in (True, False):
            found, seconds, grown = measured(rows, task, quick=quick)
            console.print(f"{found.headline()}: {seconds:.1f} s, {grown:.0f} MiB", highlight=False, markup=False)
        return
    for rows, task in public_data():
        found, seconds, _ = measured(rows, task, quick=False)
        console.print(_table(found, f"{task.name}: {found.rows:,} rows in {seconds:.1f} s"))


def _table(found: Audit, title: str) -> Table:
    table = Table("severity", "finding", "rows", title=title)
    for finding in found.findings:
        table.add_row(finding.severity, _said(finding), f"{finding.total:,}" if finding.total else "")
    return table


def _said(finding: Finding) -> str:
    return f"{finding.code}: {finding.title}".replace("[", r"\[")


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
