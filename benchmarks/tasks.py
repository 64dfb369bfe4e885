"""Every task of a domain on its public data: trained, evaluated, and written into one table.

    python benchmarks/tasks.py finance
    python benchmarks/tasks.py finance --list
    python benchmarks/tasks.py finance intent --validation-only --learning-rate 2e-3

Data are read from $QLORAKIT_DATA (default ../shared/data).  Each result is kept in ``results/<domain>.json`` as it
comes, and is not computed again without ``--again`` unless settings have changed; the table goes to
``results/<domain>.md``.  ``--validation-only`` stops before the test rows, to choose settings, and keeps no result.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from domains.job import SIDES, Job

import qlorakit as qk

if TYPE_CHECKING:
    from qlorakit.report import Estimate, Report

DATA = Path(os.environ.get("QLORAKIT_DATA", "../shared/data"))
RESULTS = Path(__file__).parent / "results"
TUNED, BASE = "tuned", "base"
Result = dict[str, Any]


def run(job: Job, arguments: argparse.Namespace) -> Result | None:
    """Read, train and evaluate; nothing is returned where only validation rows were asked."""
    began, task = time.monotonic(), qk.get_task(job.task)
    data = job.read(arguments.data, arguments.seed)
    print(f"{job.name}: " + ", ".join(f"{len(data[side])} rows to {side}" for side in SIDES), flush=True)
    model, tokenizer = qk.load_quantized(arguments.model)
    model = qk.attach_lora(model, r=arguments.rank, seed=arguments.seed)
    output = arguments.output / ("validation-only" if arguments.validation_only else "") / job.name
    learned, chosen = (job.lessons(data[side]) if job.lessons else data[side] for side in SIDES[:2])
    trained = qk.train(
        model, tokenizer, learned, task=task, eval_dataset=chosen, output_dir=output, overwrite=True,
        learning_rate=arguments.learning_rate or job.learning_rate, num_train_epochs=arguments.epochs or job.epochs,
        seed=arguments.seed, max_length=job.max_length, max_new_tokens=job.max_new_tokens, progress=False,
        **job.training,
    )  # fmt: skip
    print(f"{job.name}: best {task.metrics[0].name} on validation rows {trained.best_metric}", flush=True)
    if arguments.validation_only:
        return None
    report = qk.evaluate(
        model, tokenizer, data["test"], task=task, baseline=True, shots=arguments.shots, train_dataset=data["train"],
        validation_dataset=data["validation"], max_length=job.max_length, max_new_tokens=job.max_new_tokens,
        seed=arguments.seed, progress=False,
    )  # fmt: skip
    report.save(output / "report.html")
    report.save(output / "report.json")
    seconds = {"training": round(trained.seconds), "all": round(time.monotonic() - began)}
    return {**_result(job, arguments, data, report, seconds), **({"lessons": len(learned)} if job.lessons else {})}


def _result(
    job: Job, arguments: argparse.Namespace, data: Mapping[str, Any], report: Report, seconds: Mapping[str, int]
) -> Result:
    """What is kept of a run."""
    shown = (report.metric, *job.further)
    return {
        "job": job.name,
        "task": job.task,
        "data": job.data,
        "kind": report.kind,
        "rows": {side: len(data[side]) for side in SIDES},
        "metrics": shown,
        "systems": {system.name: {name: _numbers(system.metrics[name]) for name in shown} for system in report.systems},
        "headline": report.headline(),
        "notes": report.notes,
        "seconds": seconds,
        "settings": _settings(job, arguments),
        "threads": torch.get_num_threads(),
        "versions": report.settings["versions"],
    }


def _settings(job: Job, arguments: argparse.Namespace) -> dict[str, Any]:
    """What decides a result."""
    return {
        "model": arguments.model,
        "rank": arguments.rank,
        "learning_rate": arguments.learning_rate or job.learning_rate,
        "epochs": arguments.epochs or job.epochs,
        "seed": arguments.seed,
        "shots": arguments.shots,
        "most": dict(job.most),
        **job.training,
    }


def _numbers(estimate: Estimate) -> list[float | None]:
    return [None if value is None else round(value, 4) for value in (estimate.value, estimate.low, estimate.high)]


def table(domain: str, results: Iterable[Result]) -> str:
    """The results as markdown."""
    results = list(results)
    lines = [f"# Tasks of the {domain} plugin", "", f"`python benchmarks/tasks.py {domain}`", ""]
    lines += _main_table(results)
    lines += ["", *_settings_lines(results)]
    lines += ["", "What each report says first:", ""]
    lines += [f"- {result['job']}: {result['headline']}" for result in results]
    lines += ["", "What each report warns of:", ""]
    lines += [f"- {result['job']}: {'; '.join(result['notes'])}." for result in results if result["notes"]]
    lines += ["", "Further metrics of the same runs:", ""]
    lines += _further_table(results)
    return "\n".join([*lines, ""])


def _main_table(results: Iterable[Result]) -> Iterator[str]:
    yield "| task | data | rows to train, validate, test | kind | metric | tuned | base | baselines | seconds |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for result in results:
        metric, systems = result["metrics"][0], result["systems"]
        baselines = ", ".join(
            f"{name} {_said(values[metric])}" for name, values in systems.items() if name not in {TUNED, BASE}
        )
        rows = ", ".join(f"{result['rows'][side]:,}" for side in SIDES)
        if "lessons" in result:
            rows += f" (trained on {result['lessons']:,} pieces)"
        cells = (
            f"`{result['task']}`", result["data"], rows, result["kind"], metric, _said(systems[TUNED][metric]),
            _said(systems[BASE][metric]), baselines, f"{result['seconds']['all']:,}",
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def _settings_lines(results: Iterable[Result]) -> Iterator[str]:
    """With what the runs were made, those that share it together."""
    together: dict[str, list[str]] = {}
    for result in results:
        said = "{model}, rank {rank}, learning rate {learning_rate:g}, {epochs:g} epochs, seed {seed}".format_map(
            result["settings"]
        )
        if "objective" in result["settings"]:
            said += f", objective {result['settings']['objective']}"
        if "negatives" in result["settings"]:
            said += f" with {result['settings']['negatives']} drawn wrong ones"
        together.setdefault(said, []).append(result["job"])
    for said, jobs in together.items():
        yield f"- {said}: {', '.join(jobs)}."


def _further_table(results: Iterable[Result]) -> Iterator[str]:
    yield "| run | metric | tuned | base | baselines |"
    yield "|---|---|---|---|---|"
    for result in results:
        systems = result["systems"]
        for metric in result["metrics"][1:]:
            others = (f"{name} {_said(of[metric])}" for name, of in systems.items() if name not in {TUNED, BASE})
            cells = (
                result["job"],
                metric,
                _said(systems[TUNED][metric]),
                _said(systems[BASE][metric]),
                ", ".join(others),
            )
            yield f"| {' | '.join(cells)} |"


def _said(numbers: list[float | None]) -> str:
    value, low, high = numbers
    if value is None:
        return "-"
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def keep(path: Path, domain: str, jobs: Iterable[Job], results: Mapping[str, Result]) -> None:
    """Write what has been found so far, in the order of the jobs."""
    found = [results[job.name] for job in jobs if job.name in results]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    path.with_suffix(".md").write_text(table(domain, found), encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("domain", choices=sorted(path.stem for path in Path(__file__).parent.glob("domains/[a-z]*.py")
                                                 if path.stem != "job"))  # fmt: skip
    parser.add_argument("job", nargs="*", help="which of its runs; all of them unless given")
    parser.add_argument("--list", action="store_true", help="list the runs and stop")
    parser.add_argument("--again", action="store_true", help="compute results that are there already once more")
    parser.add_argument("--validation-only", action="store_true", help="stop before the test rows, to choose settings")
    parser.add_argument("--learning-rate", type=float, help="instead of the run's own")
    parser.add_argument("--epochs", type=float, help="instead of the run's own")
    parser.add_argument("--rank", type=int, default=16, help="of the LoRA adapters (default 16)")
    parser.add_argument("--shots", type=int, default=0, help="examples shown to the base model (default none)")
    parser.add_argument("--seed", type=int, default=0, help="of split, adapters and training (default 0)")
    parser.add_argument("--model", default="qlorakit/tiny", help="local folder, plugin's model or Hub name")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the public data ($QLORAKIT_DATA)")
    parser.add_argument("--output", type=Path, default=Path("runs/tasks"), help="folder for adapters and reports")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the table")
    return parser.parse_args()


def main() -> None:
    """Run what has no result yet, one after the other."""
    arguments = parse_arguments()
    jobs: tuple[Job, ...] = importlib.import_module(f"domains.{arguments.domain}").JOBS
    if arguments.list:
        print("\n".join(f"{job.name:<20}{job.task:<24}{job.data}" for job in jobs))
        return
    unknown = set(arguments.job) - {job.name for job in jobs}
    if unknown:
        sys.exit(f"error: unknown run {min(unknown)!r}; there are {', '.join(job.name for job in jobs)}")
    path = arguments.results / arguments.domain
    kept = (
        json.loads(path.with_suffix(".json").read_text(encoding="utf-8")) if path.with_suffix(".json").is_file() else []
    )
    results: dict[str, Result] = {result["job"]: result for result in kept}
    missing_files = 0
    for job in jobs:
        wanted = job.name in arguments.job or not arguments.job
        there = job.name in results and results[job.name]["settings"] == _settings(job, arguments)
        if not wanted or (there and not arguments.again and not arguments.validation_only):
            continue
        if missing := job.missing(arguments.data):
            print(f"{job.name}: left out, because {missing[0]} is not there; set QLORAKIT_DATA or --data")
            missing_files += 1
            continue
        found = run(job, arguments)
        if found is not None:
            results[job.name] = found
            keep(path, arguments.domain, jobs, results)
            print(found["headline"], flush=True)
    if path.with_suffix(".md").is_file():
        print(path.with_suffix(".md").read_text(encoding="utf-8"))
    if missing_files == len(arguments.job or jobs):
        sys.exit("error: no run has its files")


if __name__ == "__main__":
    try:
        main()
    except qk.QlorakitError as error:
        sys.exit(f"error: {error}")
