"""Results for people, on the terminal and as markdown, and for programs, as JSON."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

import qlorakit
from side_by_side.results import COLUMNS, Section, sections
from side_by_side.runs import AGREEMENT, Agreement, Job, Measurement
from side_by_side.systems import SYSTEMS

if TYPE_CHECKING:
    from side_by_side.runs import Outcome

TEXT_COLUMNS = 1  # left-aligned
SAME = ("processor", "memory", "versions", "model")  # that runs must have in common to stand in one table


def show(section: Section) -> None:
    """Print a section's table and notes."""
    table = Table(title=section.title, title_justify="left")
    for number, column in enumerate(COLUMNS):
        table.add_column(column, justify="left" if number < TEXT_COLUMNS else "right", no_wrap=True)
    for cells in section.cells():
        table.add_row(*cells)
    console = Console(highlight=False, markup=False)
    console.print(table)
    for note in section.notes():
        console.print(note)


def read(folder: Path, header: Mapping[str, str]) -> list[tuple[Job, Outcome]]:
    """Runs that were made before, on the same machine with the same versions, and that need not be made again.

    Failures are left out, and so are runs of qlorakit itself if its source has changed since.
    """
    path = folder / "speed.json"
    if not path.is_file():
        return []
    record = json.loads(path.read_text(encoding="utf-8"))
    if any(record.get(name) != header[name] for name in SAME):
        return []
    found = [(Job(**{**item["job"], "model": ""}), _outcome(item), item["engine"]) for item in record["runs"]]
    ours = {system.name for system in SYSTEMS if system.ours} | {AGREEMENT}
    engine = engine_digest()
    return [
        (job, outcome)
        for job, outcome, made_by in found
        if outcome is not None and (job.system not in ours or made_by == engine)
    ]


def engine_digest() -> str:
    """What tells one state of qlorakit's code from another; comments and docstrings have no say."""
    folder = Path(qlorakit.__file__).parent
    modules = [_without_docstrings(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.py"))]
    return hashlib.sha256("\n".join(modules).encode()).hexdigest()[:12]


def _without_docstrings(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(tree)


def _outcome(item: Mapping[str, Any]) -> Outcome | None:
    if "measurement" in item:
        return Measurement(**item["measurement"])
    return Agreement(**item["agreement"]) if "agreement" in item else None


def write(folder: Path, header: Mapping[str, str], runs: Sequence[tuple[Job, Outcome]]) -> None:
    """Write ``speed.md`` and ``speed.json``.

    Args:
        folder: Made where it is not there.
        header: Command, machine and versions.
        runs: In the order they were made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.md").write_text(markdown(header, sections(runs)), encoding="utf-8")
    record = {
        **header,
        "sections": [asdict(section) for section in sections(runs)],
        "runs": [
            {"job": _job(job), "engine": engine_digest(), type(outcome).__name__.lower(): asdict(outcome)}
            for job, outcome in runs
        ],
    }
    (folder / "speed.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def markdown(header: Mapping[str, str], found: Sequence[Section]) -> str:
    """The page of results."""
    facts = [f"- {name}: {value}" for name, value in header.items()]
    systems = [f"- `{name}`: {summary}" for name, summary in dict.fromkeys((s.name, s.summary) for s in SYSTEMS)]
    parts = [
        "# Speed, side by side",
        "\n".join(facts),
        "x: as a multiple of the fastest peer's.",
        *map(_section, found),
        "## Systems",
        "\n".join(systems),
    ]
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> str:
    alignment = [":--" if number < TEXT_COLUMNS else "--:" for number in range(len(COLUMNS))]
    rows = [" | ".join(cell.replace("|", "\\|") for cell in cells) for cells in section.cells()]
    table = [" | ".join(COLUMNS), " | ".join(alignment), *rows]
    lines = "\n".join(f"| {line} |" for line in table)
    return f"## {section.title}\n\n{' '.join(section.notes())}\n\n{lines}"


def _job(job: Job) -> dict[str, object]:
    """A job without the model's folder, which is temporary."""
    return {name: value for name, value in asdict(job).items() if name != "model"}
