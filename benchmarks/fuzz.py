"""Give every reader of the library damaged and hostile inputs for minutes, and count what comes of them.

    python benchmarks/fuzz.py --minutes 10
    python benchmarks/fuzz.py --minutes 2 --only report --seed 7
    python benchmarks/fuzz.py --only numbers --growth

An input may be read, or refused with one of the library's own errors.  Anything else is counted as a crash, by its kind
and place: another exception, more than 20 seconds of processor time, more than a gibibyte of memory or 25 warnings for
one input, or a value that is not what was written.  Besides, texts made of one piece over and over grow, and time must
not grow much faster than they do.  Figures go to ``benchmarks/results/fuzz.json`` and ``fuzz.md``; the exit status is 1
where something crashed or is steep.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # names of models are inputs, and nobody is to be asked about them

from typing import TYPE_CHECKING

from fuzzing.growth import LENGTHS, Growth, growth_of, parsers  # before anything looks for the Hub
from fuzzing.readers import READERS
from fuzzing.running import Count, run_for
from side_by_side.machine import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzing.reader import Reader

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("qlorakit", "hypothesis", "pyarrow", "datasets", "transformers", "peft", "presidio-analyzer")


def parse_arguments() -> argparse.Namespace:
    """What the user asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="for all readers together (default: 10)")
    parser.add_argument("--only", default="", metavar="NAME", help="readers and parsers with this in their names")
    parser.add_argument("--seed", type=int, default=0, help="another one gives other inputs (default: 0)")
    parser.add_argument(
        "--growth",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="also let texts grow, for some minutes more",
    )
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of fuzz.json and fuzz.md")
    parser.add_argument("--list", action="store_true", help="name the readers and stop")
    return parser.parse_args()


def run_all(readers: Sequence[Reader], minutes: float, seed: int) -> dict[str, Count]:
    """Share the time between the readers by their efforts; say how each fared."""
    second = 60 * minutes / sum(reader.effort for reader in readers)
    found: dict[str, Count] = {}
    for number, reader in enumerate(readers, start=1):
        count = found[reader.name] = run_for(reader, second * reader.effort, seed=seed)
        print(
            f"[{number}/{len(readers)}] {reader.name}: {count.tried:,} inputs, {len(count.crashes)} crashes", flush=True
        )
        for place, times in count.crashes.most_common():
            print(f"    {times} x {place}\n        {count.examples[place]}", flush=True)
    return found


def _grown(name: str) -> Growth:
    found = growth_of(name)
    print(f"growth of {name}: x {found.factor:.1f} for a doubling, {found.seconds[LENGTHS[-1]]:.3f} s", flush=True)
    return found


def table(found: dict[str, Count]) -> list[str]:
    """A line for each reader in Markdown, and one for all of them."""
    lines = ["| reader | inputs | read | refused by own errors | crashes |", "|---|---:|---:|---:|---:|"]
    for name, count in found.items():
        lines.append(_line(name, count.tried, count.refused, len(count.crashes)))
    totals = (sum(count.tried for count in found.values()), sum(count.refused for count in found.values()))
    return [*lines, _line("**all**", *totals, sum(len(count.crashes) for count in found.values()))]


def _line(name: str, tried: int, refused: int, crashes: int) -> str:
    return f"| {name} | {tried:,} | {tried - refused:,} | {refused:,} | {crashes} |"


def growth_table(found: Sequence[Growth]) -> list[str]:
    """A line for each parser in Markdown."""
    columns = " | ".join(f"{length:,} characters" for length in LENGTHS)
    lines = [
        f"| parser | pieces tried | steepest piece | {columns} | last doubling |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    for one in found:
        seconds = " | ".join(f"{one.seconds[length]:.3f} s" for length in LENGTHS)
        factor = "too short to tell" if math.isnan(one.factor) else f"x {one.factor:.1f}"
        piece = ascii(one.piece[:30]).replace("|", "\\|")
        lines.append(f"| {one.parser} | {one.pieces:,} | `{piece}` | {seconds} | {factor} |")
    return lines


def main() -> None:
    """Try, print, write."""
    arguments = parse_arguments()
    readers = [reader for reader in READERS if arguments.only in reader.name]
    names = [name for name in parsers() if arguments.only in name] if arguments.growth else []
    if arguments.list or not (readers or names):
        print("\n".join(reader.name for reader in READERS))
        sys.exit(not arguments.list)
    start = time.monotonic()
    found = run_all(readers, arguments.minutes, arguments.seed) if readers else {}
    grown = [_grown(name) for name in names]
    facts = {"command": shlex.join(["python", "benchmarks/fuzz.py", *sys.argv[1:]]), **describe(PACKAGES)}
    lines = [
        "# Fuzzing", "", *(f"- {name}: {value}" for name, value in facts.items()), "", "## Inputs", "", *table(found),
        *(["", "## Growth", "", *growth_table(grown)] if grown else []),
        "", f"The whole command took {time.monotonic() - start:.0f} s.",
    ]  # fmt: skip
    print("\n".join(lines))
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "fuzz.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    record = {
        **facts, "seed": arguments.seed, "minutes": arguments.minutes,
        "readers": {name: {**vars(count), "crashes": dict(count.crashes)} for name, count in found.items()},
        "growth": [{**asdict(one), "factor": None if math.isnan(one.factor) else one.factor} for one in grown],
    }  # fmt: skip
    (arguments.output / "fuzz.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    sys.exit(any(count.crashes for count in found.values()) or any(one.is_steep for one in grown))


if __name__ == "__main__":
    main()
