"""Measure how well critical errors are found, on hand-written pairs of a reference and an output.

    python benchmarks/critical_errors.py
    python benchmarks/critical_errors.py --misses

Two questions are asked: whether a pair holds an error at all, and which errors it holds.  An error counts as found
where the kind is right and the places overlap, in the reference and in the output wherever both name one; each find
answers one error.  Where the words of an error stand more than once in a text, any of these places will do.  Tables go
to ``results/critical_errors.md`` and figures to ``results/critical_errors.json``.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from qlorakit.errors import DataError, QlorakitError
from qlorakit.statistics import proportion_interval
from qlorakit_medical.critical_errors import KINDS, CriticalError, Mention, find_critical_errors

PAIRS = Path(__file__).with_suffix("") / "validation_pairs.jsonl"
RESULTS = Path(__file__).parent / "results"
FIELDS = {"reference": str, "output": str, "errors": list, "about": str}
TEXTS = ("reference", "output")
Span = tuple[int, int]
Estimate = dict[str, float | int | None]


@dataclass(frozen=True)
class Marked:
    """An error that a pair is marked with."""

    kind: str
    """One of ``KINDS``."""
    reference: str | None
    """Its words in the reference, if it shows there."""
    output: str | None
    """Its words in the output, if it shows there."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.reference!r} in the reference, {self.output!r} in the output"


@dataclass(frozen=True)
class Pair:
    """A reference, an output, and the errors between them."""

    reference: str
    output: str
    errors: tuple[Marked, ...]
    about: str
    """What it tests."""


@dataclass(frozen=True)
class Judged:
    """What was found in a pair."""

    pair: Pair
    right: tuple[Marked, ...]
    missed: tuple[Marked, ...]
    false_alarms: tuple[CriticalError, ...]

    @property
    def flagged(self) -> bool:
        """Whether anything was found."""
        return bool(self.right or self.false_alarms)


def read_pairs(path: Path) -> list[Pair]:
    """Read and check pairs, one JSON object per line.

    Args:
        path: Of the file.

    Returns:
        The pairs in their order.

    Raises:
        DataError: A line is no such pair, names an unknown kind, or marks words that its texts do not hold.
    """
    pairs = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            pairs.append(_pair(json.loads(line)))
        except ValueError as error:  # of JSON, and DataError
            msg = f"{path}, line {number}: {error}"
            raise DataError(msg) from error
    if not pairs:
        msg = f"{path} holds no pairs: write one JSON object per line"
        raise DataError(msg)
    return pairs


def _pair(row: object) -> Pair:
    if not isinstance(row, dict) or set(row) != set(FIELDS):
        msg = f"a pair is an object with the fields {', '.join(FIELDS)}, and no others"
        raise DataError(msg)
    wrong = [name for name, form in FIELDS.items() if not isinstance(row[name], form)]
    if wrong:
        msg = f"{wrong[0]!r} must be a {FIELDS[wrong[0]].__name__}"
        raise DataError(msg)
    errors = tuple(_marked(error, row) for error in row["errors"])
    return Pair(row["reference"], row["output"], errors, row["about"])


def _marked(error: object, row: Mapping[str, str]) -> Marked:
    if not isinstance(error, dict) or set(error) != {"kind", *TEXTS}:
        msg = "an error is an object with the fields kind, reference and output, and no others"
        raise DataError(msg)
    if error["kind"] not in KINDS:
        msg = f"kind {error['kind']!r} is none of {', '.join(KINDS)}"
        raise DataError(msg)
    named = [name for name in TEXTS if error[name] is not None]
    if not named:
        msg = f"an error of kind {error['kind']} names no words: give those of the reference, of the output, or of both"
        raise DataError(msg)
    for name in named:
        if not (error[name] and isinstance(error[name], str) and _places(error[name], row[name])):
            msg = f"{error[name]!r} are no words of its {name}: write them exactly as they stand there"
            raise DataError(msg)
    return Marked(**error)


def _places(words: str, text: str) -> list[Span]:
    """Where these words stand in a text, and are not part of longer ones."""
    return [found.span() for found in re.finditer(rf"(?<!\w){re.escape(words)}(?!\w)", text)]


def judge(pair: Pair) -> Judged:
    """Compare what is found in a pair with what it is marked with.

    Args:
        pair: With its errors.

    Returns:
        Which errors were found and which not, and the finds that are none.
    """
    found = find_critical_errors(pair.reference, pair.output)
    agree = np.array([[_agree(marked, find, pair) for find in found] for marked in pair.errors], dtype=np.int8)
    if not agree.size:
        return Judged(pair, (), pair.errors, found)
    answers = maximum_bipartite_matching(csr_array(agree), perm_type="column").tolist()
    return Judged(
        pair,
        tuple(marked for marked, answer in zip(pair.errors, answers, strict=True) if answer >= 0),
        tuple(marked for marked, answer in zip(pair.errors, answers, strict=True) if answer < 0),
        tuple(find for place, find in enumerate(found) if place not in answers),
    )


def _agree(marked: Marked, find: CriticalError, pair: Pair) -> bool:
    """Whether a find is this error: the same kind, and the same place in each text in which both name one."""
    sides = ((marked.reference, find.expected, pair.reference), (marked.output, find.found, pair.output))
    overlaps = [_overlap(words, mention, text) for words, mention, text in sides if words and mention]
    return marked.kind == find.kind and bool(overlaps) and all(overlaps)


def _overlap(words: str, mention: Mention, text: str) -> bool:
    return any(start < mention.end and mention.start < end for start, end in _places(words, text))


def figures(judged: Sequence[Judged]) -> dict[str, Any]:
    """Counts, precision and recall with intervals at 95 % (Wilson, 1927).

    Args:
        judged: Every pair.

    Returns:
        As they are written to JSON: ``pairs`` for the question whether there is an error, ``errors`` for all errors
        and each kind, ``harmless_flagged`` for the share of harmless pairs in which something is found.
    """
    wrong = [each for each in judged if each.pair.errors]
    harmless = [each for each in judged if not each.pair.errors]
    caught, alarms = (sum(each.flagged for each in some) for some in (wrong, harmless))
    return {
        "pairs": {"with_errors": len(wrong), "harmless": len(harmless), **_scores(len(wrong), caught + alarms, caught)},
        "harmless_flagged": _share(alarms, len(harmless)),
        "errors": {kind or "all": _of_kind(kind, judged) for kind in ("", *KINDS)},
    }


def _of_kind(kind: str, judged: Iterable[Judged]) -> dict[str, Any]:
    """The scores of one kind, or of all."""
    right = missed = alarms = 0
    for each in judged:
        right += sum(kind in {"", error.kind} for error in each.right)
        missed += sum(kind in {"", error.kind} for error in each.missed)
        alarms += sum(kind in {"", error.kind} for error in each.false_alarms)
    return _scores(right + missed, right + alarms, right)


def _scores(marked: int, found: int, right: int) -> dict[str, Any]:
    counts = {"marked": marked, "found": found, "right": right}
    return {**counts, "precision": _share(right, found), "recall": _share(right, marked)}


def _share(successes: int, trials: int) -> Estimate:
    if not trials:
        return {"value": None, "low": None, "high": None}
    low, high = proportion_interval(successes, trials, confidence=0.95)
    return {"value": round(successes / trials, 4), "low": round(low, 4), "high": round(high, 4)}


def table(found: Mapping[str, Any]) -> str:
    """The figures as markdown.

    Args:
        found: What ``figures`` returns.

    Returns:
        A page with two tables.
    """
    pairs = found["pairs"]
    lines = ["# Critical errors", "", "`python benchmarks/critical_errors.py`", ""]
    lines += [f"{pairs['with_errors'] + pairs['harmless']} hand-written pairs, {pairs['harmless']} of them harmless."]
    lines += ["", "| per pair | pairs | found | right | precision | recall |", "|---|---|---|---|---|---|"]
    lines += [_line("has an error", pairs)]
    lines += ["", "| harmless pairs | flagged |", "|---|---|"]
    lines += [f"| {pairs['harmless']} | {_said(found['harmless_flagged'])} |"]
    lines += ["", "| per error | marked | found | right | precision | recall |", "|---|---|---|---|---|---|"]
    lines += [_line(kind, scores) for kind, scores in found["errors"].items()]
    return "\n".join([*lines, ""])


def _line(name: str, scores: Mapping[str, Any]) -> str:
    counts = " | ".join(str(scores[count]) for count in ("marked", "found", "right"))
    return f"| {name} | {counts} | {_said(scores['precision'])} | {_said(scores['recall'])} |"


def _said(estimate: Estimate) -> str:
    if estimate["value"] is None:
        return "-"
    return "{value:.3f} [{low:.3f}, {high:.3f}]".format_map(estimate)


def mistakes(judged: Iterable[Judged]) -> Iterator[str]:
    """Each pair with a miss or a false alarm, and what is wrong.

    Args:
        judged: Every pair.

    Yields:
        Lines to print.
    """
    for each in judged:
        if each.missed or each.false_alarms:
            yield f"\n{each.pair.about}\n  reference: {each.pair.reference}\n  output:    {each.pair.output}"
            yield from (f"  missed       {error}" for error in each.missed)
            for find in each.false_alarms:
                expected, given = (mention.text if mention else None for mention in (find.expected, find.found))
                yield f"  false alarm  {Marked(find.kind, expected, given)}"


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--misses", action="store_true", help="print each miss and false alarm with its pair")
    parser.add_argument("--pairs", type=Path, default=PAIRS, help="other pairs; their figures are not written")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the tables")
    return parser.parse_args()


def main() -> None:
    """Judge every pair; print and write the tables."""
    arguments = parse_arguments()
    judged = [judge(pair) for pair in read_pairs(arguments.pairs)]
    found = figures(judged)
    if arguments.misses:
        print("\n".join(mistakes(judged)), "\n")
    print(table(found))
    if arguments.pairs == PAIRS:
        arguments.results.mkdir(parents=True, exist_ok=True)
        path = arguments.results / "critical_errors.md"
        path.write_text(table(found), encoding="utf-8")
        path.with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except (QlorakitError, OSError) as error:
        sys.exit(f"error: {error}")
