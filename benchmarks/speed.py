"""Measure qlorakit and its peers side by side: training and scoring speed, and memory.

    python benchmarks/speed.py
    python benchmarks/speed.py --threads 1 --workloads phrasebank --systems qlorakit trl --rounds 1

Every run is a process of its own; the systems take turns, round by round.  What is measured, and what counts as good
enough, stands in the README beside this file.  The complete benchmark takes hours; whatever has been measured is
written after each run, and is not measured again when the command is called again on the same machine.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from side_by_side.base_model import make_model
from side_by_side.machine import describe
from side_by_side.results import sections
from side_by_side.runs import AGREEMENT, Job, run
from side_by_side.systems import SYSTEMS, systems_for
from side_by_side.workloads import WORKLOADS, data_folder
from side_by_side.writing import read, show, write

RESULTS = Path(__file__).parent / "results"


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    workloads, systems = list(WORKLOADS), list(dict.fromkeys(system.name for system in SYSTEMS))
    listing = [f"  {name:<22}{WORKLOADS[name].summary}" for name in workloads]
    listing += ["", "systems:", *(f"  {system.name:<22}{system.summary}" for system in SYSTEMS)]
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="\n".join(["workloads:", *listing]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="default 1 2")
    parser.add_argument("--workloads", nargs="+", choices=workloads, default=workloads, metavar="W", help="default all")
    parser.add_argument("--systems", nargs="+", choices=systems, default=systems, metavar="S", help="default all")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each system, on other rows (default 3)")
    parser.add_argument("--steps", type=int, help="measured in each turn, after one to warm up (default by workload)")
    parser.add_argument("--fresh", action="store_true", help="forget the runs that the output folder holds")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for speed.md and speed.json")
    return parser.parse_args()


def jobs(arguments: argparse.Namespace, model: str) -> Iterator[Job]:
    """All runs, in order: systems alternate within a workload."""
    for threads in arguments.threads:
        for name in arguments.workloads:
            workload = WORKLOADS[name]
            asked = [system for system in systems_for(workload) if system.name in arguments.systems]
            steps = arguments.steps or workload.steps
            for number in range(arguments.rounds):
                for system in asked:
                    yield Job(name, system.name, threads, number, steps, model)
            if workload.scoring and len(asked) > 1:
                yield Job(name, AGREEMENT, threads, 0, 1, model)


def _in_order(job: Job) -> tuple[int, ...]:
    names = [system.name for system in SYSTEMS] + [AGREEMENT]
    return job.threads, list(WORKLOADS).index(job.workload), job.number, names.index(job.system)


def main() -> int:
    """Make the model, run everything, write after each run.

    Returns:
        0 where every run finished and all systems computed the same.
    """
    arguments = parse_arguments()
    if not data_folder().is_dir():
        sys.exit(f"error: there is no data at {data_folder()}; set QLORAKIT_DATA to its folder")
    header = {"command": shlex.join(["python", "benchmarks/speed.py", *sys.argv[1:]]), **describe()}
    console = Console(stderr=True, highlight=False, markup=False)
    with tempfile.TemporaryDirectory(prefix="qlorakit-speed-") as folder:
        parameters = make_model(Path(folder))
        header["model"] = f"Llama shape, {parameters / 1e6:.0f} M random parameters, NF4 with double quantization"
        planned = list(jobs(arguments, folder))
        runs = [] if arguments.fresh else read(arguments.output, header)
        done = {replace(job, model=folder) for job, _ in runs}
        planned = [job for job in planned if job not in done]
        for number, job in enumerate(planned, start=1):
            console.print(
                f"{number}/{len(planned)} {job.workload}, {job.threads} thread(s), {job.number}: {job.system}"
            )
            runs.append((job, run(job)))
            runs.sort(key=lambda made: _in_order(made[0]))
            write(arguments.output, header, runs)
    found = sections(runs)
    for section in found:
        show(section)
    return 0 if all(section.sound for section in found) else 1


if __name__ == "__main__":
    sys.exit(main())
