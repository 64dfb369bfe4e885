"""Results for people, on the terminal and as markdown, and for programs, as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import rich.table
from rich.console import Console

from on_gpu.flops import SCORING, TRAINING
from on_gpu.jobs import Exactness, Failure, Machine, Run
from on_gpu.results import TEXT_COLUMNS, Table, exactness_table, speed_tables
from on_gpu.systems import SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

JSON_FILE, PAGE = "gpu.json", "gpu.md"


def show(table: Table) -> None:
    """Print a table."""
    shown = rich.table.Table(title=table.title, title_justify="left")
    for column in table.columns:
        shown.add_column(column, justify="left" if column in TEXT_COLUMNS else "right", overflow="fold")
    for cells in table.rows:
        shown.add_row(*cells)
    Console(highlight=False, markup=False).print(shown)


def write(
    folder: Path, header: Mapping[str, str], machine: Machine, exactness: Exactness | Failure, runs: Sequence[Run]
) -> None:
    """Write ``gpu.json`` and ``gpu.md``."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        **header,
        "machine": asdict(machine),
        "exactness": asdict(exactness),
        "runs": [run.record() for run in runs],
    }
    (folder / JSON_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    (folder / PAGE).write_text(page(header, machine, exactness, runs), encoding="utf-8")


def read_runs(folder: Path, header: Mapping[str, str], machine: Machine) -> list[Run]:
    """Runs that an earlier call wrote about the same model on the same kind of machine."""
    path = folder / JSON_FILE
    if not path.is_file():
        return []
    record = json.loads(path.read_text(encoding="utf-8"))
    same = ("device", "memory_bytes", "versions")
    if record["model"] != header["model"] or any(record["machine"][name] != asdict(machine)[name] for name in same):
        return []
    return [Run.read(item) for item in record["runs"]]


def page(header: Mapping[str, str], machine: Machine, exactness: Exactness | Failure, runs: Sequence[Run]) -> str:
    """The page of results."""
    facts = {**header, "device": machine.device, "versions": machine.versions, "matmul rate": rate(machine)}
    exact = (
        f"The comparison with padded rows failed: {exactness.reason}"
        if isinstance(exactness, Failure)
        else _markdown(exactness_table(exactness.differences))
    )
    systems = "\n".join(f"- `{system.name}`: {system.summary}" for system in SYSTEMS)
    parts = [
        "# Speed on a GPU",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
        exact,
        *map(_markdown, speed_tables(runs, machine)),
        f"Operations a step: {TRAINING} in training, {SCORING} in scoring (`benchmarks/on_gpu/flops.py`).",
        "## Systems",
        systems,
    ]
    return "\n\n".join(parts) + "\n"


def rate(machine: Machine) -> str:
    """The machine's rate in words."""
    return f"{machine.matmul_flops / 1e12:.3g} TFLOP/s in bfloat16, measured"


def _markdown(table: Table) -> str:
    alignment = [":--" if column in TEXT_COLUMNS else "--:" for column in table.columns]
    cells = [[cell.replace("|", "\\|") for cell in row] for row in table.rows]
    lines = "\n".join(f"| {' | '.join(row)} |" for row in (table.columns, alignment, *cells))
    return f"## {table.title}\n\n{lines}"
