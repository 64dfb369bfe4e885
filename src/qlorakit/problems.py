"""What checks find wrong with a task, as sentences, and the sample rows they look at."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qlorakit.task import Example, Row

Problems = Iterator[str]

MOST_TOLD = 3  # problems of one check that differ by sample, or failures for one reason
MOST_NUMBERS = 3
FAILS = " fails with "
MOST_CHARACTERS = 300  # of another one's message


@dataclass(frozen=True)
class Sample:
    """A sample row that can be asked and answered.

    Attributes:
        number: Its place among the task's samples, from 1.
        row: As it stands there.
        examples: What is asked.
        reference: What is right.
    """

    number: int
    row: Row
    examples: tuple[Example, ...]
    reference: Any


def told(error: Exception) -> str:
    """An exception in a few words."""
    said = " ".join(str(error).split())
    return f"{type(error).__name__}: {said[:MOST_CHARACTERS]}{'...' if len(said) > MOST_CHARACTERS else ''}"


def guarded(doing: str, find: Callable[[], Iterable[str]]) -> Problems:
    """What a check finds; an exception on the way is one problem more.

    Args:
        doing: What fails then, as the beginning of a sentence.
        find: The check.
    """
    try:
        yield from find()
    except Exception as error:  # noqa: BLE001  # whatever a task raises is what is to be told
        yield f"{doing}{FAILS}{told(error)}"


def of_samples(doing: str, samples: Sequence[Sample], find: Callable[[Sample], Iterable[str]]) -> Problems:
    """What a check finds in each sample, told once with the numbers of the samples.

    Args:
        doing: See :func:`guarded`.
        samples: Those to look at.
        find: The check.
    """
    return gathered((sample.number, problem) for sample in samples for problem in guarded(doing, partial(find, sample)))


def gathered(found: Iterable[tuple[int, str]]) -> Problems:
    """Problems by the number of their sample, each told once with all its numbers, and only the first few of many."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, problem in found:
        numbers[problem].append(number)
    for problem, of in itertools.islice(numbers.items(), MOST_TOLD):
        yield f"{_named(of)}: {problem}"
    others = {number for of in itertools.islice(numbers.values(), MOST_TOLD, None) for number in of}
    if others:
        yield f"and {len(others)} more row{'s' * (len(others) > 1)} with problems like the last {MOST_TOLD}"


def condensed(problems: Iterable[str]) -> Problems:
    """Problems of which no more than the first few are told where many things fail for one reason."""
    listed = list(problems)
    reasons = [_reason(problem) for problem in listed]
    counts, seen = Counter(reasons), Counter[str]()
    for problem, reason in zip(listed, reasons, strict=True):
        seen[reason] += 1
        more = counts[reason] - MOST_TOLD
        if not reason or seen[reason] < MOST_TOLD or more <= 0:
            yield problem
        elif seen[reason] == MOST_TOLD:
            yield f"{problem} (and {more} more fail{'s' * (more == 1)} for this reason)"


def _reason(problem: str) -> str:
    """Why something fails, whichever row it is; empty where nothing does."""
    return re.sub(r": row \d+:", ":", problem.partition(FAILS)[2])


def _named(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"sample {numbers[0]}"
    shown = ", ".join(map(str, numbers[:MOST_NUMBERS]))
    more = len(numbers) - MOST_NUMBERS
    return f"samples {shown}" + (f" and {more} more" if more > 0 else "")
