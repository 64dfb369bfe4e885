"""From runs to the lines of tables."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from on_gpu.jobs import Difference, Failure, Machine, Measurement, Run
from on_gpu.systems import BY_NAME, systems_for
from on_gpu.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Sequence

GB, TERA = 1e9, 1e12
NOTHING = "-"
COLUMNS = (
    "system",
    "examples/s",
    "x fastest peer",
    "peak GB",
    "x its memory",
    "tokens/step",
    "TFLOP/s",
    "of matmul rate",
)
EXACTNESS = ("type", "way", "log-probabilities (nats)", "gradients (relative)")
TEXT_COLUMNS = {"system", "type", "way"}


@dataclass(frozen=True)
class Table:
    """Something to be shown.

    Attributes:
        title: Above it.
        columns: Their names.
        rows: As many cells each.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def exactness_table(differences: Sequence[Difference]) -> Table:
    """How far the ways to compute are from padded rows."""
    rows = tuple(
        (item.dtype, item.way, item.failure or _small(item.logprobs), _small(item.gradients)) for item in differences
    )
    return Table("Largest difference from padded rows", EXACTNESS, rows)


def speed_tables(runs: Sequence[Run], machine: Machine) -> list[Table]:
    """One for each workload that was run, in order."""
    return [
        _speed_table(name, [run for run in runs if run.workload == name], machine)
        for name in WORKLOADS
        if any(run.workload == name for run in runs)
    ]


def speed(outcome: Measurement) -> float:
    """Examples a second, of the median step."""
    return outcome.examples / statistics.median(outcome.seconds)


def _speed_table(name: str, runs: Sequence[Run], machine: Machine) -> Table:
    order = [system.name for system in systems_for(scoring=WORKLOADS[name].scoring)]
    runs = sorted(runs, key=lambda run: order.index(run.system))
    peers = [run.outcome for run in runs if not BY_NAME[run.system].ours and isinstance(run.outcome, Measurement)]
    fastest = max(peers, key=speed, default=None)
    return Table(WORKLOADS[name].summary, COLUMNS, tuple(_cells(run, fastest, machine) for run in runs))


def _cells(run: Run, fastest: Measurement | None, machine: Machine) -> tuple[str, ...]:
    found = run.outcome
    if isinstance(found, Failure):
        return (run.system, found.reason, *[NOTHING] * (len(COLUMNS) - 2))
    rate = found.flops / statistics.median(found.seconds)
    return (
        run.system,
        f"{speed(found):.3g}",
        f"{speed(found) / speed(fastest):.2f}" if fastest else NOTHING,
        f"{found.peak_bytes / GB:.2f}",
        f"{found.peak_bytes / fastest.peak_bytes:.2f}" if fastest else NOTHING,
        f"{found.tokens:.0f}",
        f"{rate / TERA:.3g}",
        f"{rate / machine.matmul_flops:.1%}",
    )


def _small(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2g}"
