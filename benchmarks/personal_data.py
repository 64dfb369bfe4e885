"""Measure how much personal data is found in the hand-written texts of ``tests/marked_texts.py``, and how fast.

    python benchmarks/personal_data.py
    python benchmarks/personal_data.py --builtin-only --errors

A find is right where kind, start and end are those marked.  Mistakes can be printed of the development part alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from qlorakit.privacy import find_personal_data
from qlorakit.statistics import proportion_interval

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from marked_texts import DEVELOPMENT, HELD_OUT, unmarked  # type: ignore[import-not-found]  # noqa: E402  # lies among the tests

Counts = tuple[Counter[str], Counter[str], Counter[str]]


def counted(documents: Sequence[str], *, builtin_only: bool, errors: bool = False) -> Counts:
    """How often each kind is marked, found, and both."""
    marked, found, right = Counter[str](), Counter[str](), Counter[str]()
    for document in documents:
        text, marks = unmarked(document)
        finds = {(item.start, item.end, item.kind) for item in find_personal_data(text, builtin_only=builtin_only)}
        marked.update(kind for *_, kind in marks)
        found.update(kind for *_, kind in finds)
        right.update(kind for *_, kind in finds & set(marks))
        for start, end, kind in sorted(finds ^ set(marks)) if errors else ():
            print("missed" if (start, end, kind) in marks else "wrong", kind, repr(text[start:end]), "in", repr(text))
    return marked, found, right


def share(successes: int, trials: int) -> str:
    """A share of trials with its Wilson interval at 95 %."""
    if not trials:
        return "-"
    low, high = proportion_interval(successes, trials, confidence=0.95)
    return f"{successes / trials:.2f} ({low:.2f} to {high:.2f})"


def table(counts: Counts) -> str:
    """Recall and precision by kind in Markdown."""
    marked, found, right = counts
    lines = ["| kind | marked | recall | found | precision |", "|---|---|---|---|---|"]
    for kind in [*sorted(marked | found), ""]:
        there, given, both = (counts.total() if not kind else counts[kind] for counts in (marked, found, right))
        lines.append(f"| {kind or '**all**'} | {there} | {share(both, there)} | {given} | {share(both, given)} |")
    return "\n".join(lines)


def speed(texts: Sequence[str], *, builtin_only: bool) -> float:
    """Characters searched in a second."""
    start = time.perf_counter()
    for text in texts:
        find_personal_data(text, builtin_only=builtin_only)
    return sum(map(len, texts)) / (time.perf_counter() - start)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--builtin-only", action="store_true", help="without the extra `privacy`")
    parser.add_argument("--errors", action="store_true", help="print what is missed or wrong in the development part")
    arguments = parser.parse_args()
    for name, documents in (("development", DEVELOPMENT), ("held out", HELD_OUT)):
        errors = arguments.errors and documents is DEVELOPMENT
        counts = counted(documents, builtin_only=arguments.builtin_only, errors=errors)
        without = [text for text, marks in map(unmarked, documents) if not marks]
        clean = sum(not find_personal_data(text, builtin_only=arguments.builtin_only) for text in without)
        print(f"\n{name}: {len(documents)} texts, {len(without)} of them without personal data\n\n{table(counts)}\n")
        print(f"nothing found in {clean} of {len(without)} texts without: {share(clean, len(without))}")
    texts = [unmarked(document)[0] for document in (*DEVELOPMENT, *HELD_OUT)] * 5
    print(f"{speed(texts, builtin_only=arguments.builtin_only):,.0f} characters a second")


if __name__ == "__main__":
    main()
