"""Measure qlorakit and its peers on a GPU with the shape of a 1.1 B Llama.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --workloads phrasebank contract_nli --systems qlorakit-sdpa qlorakit-flex trl
    python benchmarks/gpu.py --device cpu --size tiny          # only to see that everything runs

First it is shown how far prefix trees are from padded rows, in log-probabilities and gradients; then every system
trains and scores in a process of its own.  Rows are made up, with the lengths of real ones, and weights are random, so
that nothing need be downloaded; qlorakit itself is taken from ``src``.  Results go to ``benchmarks/results/gpu.json``
and ``gpu.md`` after every process; runs that are there already, from the same machine, are kept unless they are asked
for again, so that the work can be divided among several calls.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib.util
import shlex
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from on_gpu.jobs import NOT_INSTALLED, Exactness, Failure, Job, Run, Runner
from on_gpu.results import exactness_table, speed_tables
from on_gpu.systems import BY_NAME, CORE, SYSTEMS, System, systems_for
from on_gpu.workloads import WORKLOADS
from on_gpu.writing import rate, read_runs, show, write
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

RESULTS = Path(__file__).parent / "results"
NOTHING_MEASURED = 2
console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    listing = [f"  {name:<28}{workload.summary}" for name, workload in WORKLOADS.items()]
    listing += ["", "systems:", *(f"  {name:<28}{system.summary}" for name, system in BY_NAME.items())]
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="\n".join(["workloads:", *listing]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="default cuda")
    parser.add_argument("--size", choices=("1.1b", "200m", "tiny"), default="1.1b", help="of the model (default 1.1b)")
    names = {"workloads": list(WORKLOADS), "systems": list(BY_NAME)}
    for option, known in names.items():
        parser.add_argument(
            f"--{option}", nargs="+", choices=known, default=known, metavar=option[0].upper(), help="default all"
        )
    parser.add_argument("--warm-up", type=int, default=3, help="steps that are not measured (default 3)")
    parser.add_argument("--steps", type=int, default=10, help="that are measured (default 10)")
    parser.add_argument("--limit", type=float, default=420, help="seconds that one process may take (default 420)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for gpu.md and gpu.json")
    return parser.parse_args()


def planned(arguments: argparse.Namespace) -> Iterator[tuple[System, tuple[str, ...]]]:
    """Each system with the workloads that it can do."""
    for system in SYSTEMS:
        able = tuple(name for name in arguments.workloads if system in systems_for(scoring=WORKLOADS[name].scoring))
        if able and system.name in arguments.systems:
            yield system, able


def measure(runner: Runner, job: Job, system: System) -> list[Run]:
    """Run a system, if its packages are there."""
    missing = system.missing()
    if not missing:
        return runner.measure(job)
    failure = Failure(f"{NOT_INSTALLED}: {', '.join(missing)}")
    console.print(f"  {failure.reason}")
    return [Run(name, system.name, failure) for name in job.workloads]


def trouble(device: str) -> str | None:
    """Why nothing can be measured here, in a sentence."""
    missing = [name for name in CORE if importlib.util.find_spec(name) is None]
    if missing:
        return f"these packages are needed and not installed: {', '.join(missing)}"
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            return "torch finds no CUDA device; --device cpu --size tiny shows on a CPU that everything runs"
    return None


def main() -> int:
    """Make the model, compare, measure, write after each run.

    Returns:
        0 where everything that is installed finished, 1 where something failed, 2 where nothing can be measured.
    """
    arguments = parse_arguments()
    reason = trouble(arguments.device)
    if reason:
        console.print(f"error: {reason}")
        return NOTHING_MEASURED
    with tempfile.TemporaryDirectory(prefix="qlorakit-gpu-") as folder:
        return run_all(arguments, Job("prepare", arguments.device, arguments.size, folder))


def run_all(arguments: argparse.Namespace, job: Job) -> int:
    """Run every process in its turn."""
    runner = Runner(arguments.limit)
    model, machine = runner.prepare(job), runner.describe(job)
    if isinstance(model, Failure) or isinstance(machine, Failure):
        console.print(f"error: {model if isinstance(model, Failure) else machine}")
        return NOTHING_MEASURED
    header = header_of(arguments, model.parameters)
    console.print(f"{header['model']}; {machine.device}, {rate(machine)}; {machine.versions}")
    exactness = runner.compare(job)
    tell(exactness)
    runs = {(run.workload, run.system): run for run in read_runs(arguments.output, header, machine)}
    for system, workloads in planned(arguments):
        console.print(f"{system.name}: {', '.join(workloads)}")
        asked = replace(job, workloads=workloads, system=system.name, warm_up=arguments.warm_up, steps=arguments.steps)
        runs.update({(run.workload, run.system): run for run in measure(runner, asked, system)})
        write(arguments.output, header, machine, exactness, list(runs.values()))
    for table in speed_tables(list(runs.values()), machine):
        show(table)
    return int(isinstance(exactness, Failure) or any(run.failed for run in runs.values()))


def header_of(arguments: argparse.Namespace, parameters: int) -> dict[str, str]:
    """What was run."""
    return {
        "command": shlex.join(["python", "benchmarks/gpu.py", *sys.argv[1:]]),
        "model": f"Llama {arguments.size}, {parameters / 1e6:.1f} M random parameters, NF4 with double quantization",
        "steps": f"{arguments.steps} measured after {arguments.warm_up} to warm up; medians",
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
    }


def tell(exactness: Exactness | Failure) -> None:
    """Print the differences."""
    if isinstance(exactness, Failure):
        console.print(f"error: the comparison with padded rows failed: {exactness.reason}")
    else:
        show(exactness_table(exactness.differences))


if __name__ == "__main__":
    sys.exit(main())
