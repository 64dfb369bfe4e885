"""What checks find wrong with a task, as sentences, and the sample rows they look at."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qlorakit.task import Example, Row

Problems = Iterator[str]

MOST_TOLD = 5  # problems of one check that differ by sample
MOST_NUMBERS = 3
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
        yield f"{doing} fails with {told(error)}"


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
    if len(numbers) > MOST_TOLD:
        yield f"{len(numbers) - MOST_TOLD} more problems like the last {MOST_TOLD}, in other samples"


def _named(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"sample {numbers[0]}"
    shown = ", ".join(map(str, numbers[:MOST_NUMBERS]))
    more = len(numbers) - MOST_NUMBERS
    return f"samples {shown}" + (f" and {more} more" if more > 0 else "")
