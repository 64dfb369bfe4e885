"""What training minimises, for one example: the language-model loss on its answer, or a choice among all answers."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from qlorakit.prefix_tree import Continuation

if TYPE_CHECKING:
    from qlorakit.encoding import Encoded, EncodedRow
    from qlorakit.padded_batch import PaddedBatch
    from qlorakit.tree_batch import TreeBatch

LossWeight = Literal["token", "row"]
Objective = Literal["language_model", "choices"]


@dataclass(frozen=True)
class Lesson:
    """One example to learn from.

    With one sequence, its loss is the negative log-probability of the answer, summed over tokens.  With several, it is
    the cross-entropy of the right one among them: their log-probabilities, summed over tokens and normalised so that
    the sequences' probabilities add up to one, are what evaluation ranks choices by.

    Attributes:
        sequences: The prompt with the right answer, and with each other choice it is compared with.
        row: Place of its row.
        weight: Of its loss.
    """

    sequences: tuple[Continuation, ...]
    row: int
    weight: float = 1.0

    @property
    def size(self) -> int:
        """What its weight counts: tokens of the answer, or one choice."""
        return 1 if len(self.sequences) > 1 else len(self.sequences[0].answer)


@dataclass(frozen=True)
class Lessons:
    """The lessons of some rows, and their sequences one after the other.

    Attributes:
        lessons: All of them.
        sequences: Theirs.
        rows: Row of each sequence.
        units: Lesson of each sequence.
    """

    lessons: tuple[Lesson, ...]
    sequences: tuple[Continuation, ...]
    rows: tuple[int, ...]
    units: tuple[int, ...]

    @classmethod
    def of(cls, lessons: Iterable[Lesson]) -> Lessons:
        """Put lessons together."""
        lessons = tuple(lessons)
        flat = [(sequence, lesson.row, unit) for unit, lesson in enumerate(lessons) for sequence in lesson.sequences]
        sequences, rows, units = zip(*flat, strict=True) if flat else ((), (), ())
        return cls(lessons, sequences, rows, units)

    @property
    def total_weight(self) -> float:
        """What the sum of the losses is divided by, to give their mean."""
        return sum(lesson.weight * lesson.size for lesson in self.lessons)

    def loss(self, batch: TreeBatch | PaddedBatch, logprobs: torch.Tensor) -> torch.Tensor:
        """Sum of the weighted losses of the lessons in a batch.

        Args:
            batch: Cut from the sequences by unit.
            logprobs: Of its answer tokens, [answer tokens].
        """
        device = logprobs.device
        item_of_token = torch.arange(len(batch.items), device=device).repeat_interleave(
            torch.tensor(batch.sizes, device=device)
        )
        sums = logprobs.new_zeros(len(batch.items)).index_add(0, item_of_token, logprobs)
        members: dict[int, list[int]] = {}
        for place in sorted(range(len(batch.items)), key=batch.items.__getitem__):  # the right answer comes first
            members.setdefault(self.units[batch.items[place]], []).append(place)
        widest = max(map(len, members.values()))
        nothing = len(sums)
        table = torch.tensor(
            [places + [nothing] * (widest - len(places)) for places in members.values()], device=device
        )
        weights = torch.tensor([self.lessons[unit].weight for unit in members], device=device)
        right = sums[table[:, 0]]
        if widest == 1:
            return -(weights * right).sum()
        several = torch.tensor([len(places) > 1 for places in members.values()], device=device)
        among = torch.cat([sums, sums.new_full((1,), float("-inf"))])[table].logsumexp(dim=1)
        return (weights * (several * among - right)).sum()


def lessons_of(
    rows: Sequence[EncodedRow],
    *,
    objective: Objective,
    loss_weight: LossWeight,
    negatives: int | None = None,
    draw: str = "",
) -> Lessons:
    """What there is to learn from rows; examples without a target are left out.

    Args:
        rows: With their tokens.
        objective: ``"choices"`` compares each right answer with the wrong choices, where there are any.
        loss_weight: Whether every token, or choice, counts the same, or every row.
        negatives: Most other choices it is compared with, drawn at random; all of them unless given.
        draw: Seed of the draw, which depends on the question besides, and not on its place.
    """
    return Lessons.of(
        lesson
        for place, row in enumerate(rows)
        for lesson in _weighted(list(_lessons(place, row, objective, negatives, draw)), loss_weight, row.weight)
    )


def _lessons(place: int, row: EncodedRow, objective: Objective, negatives: int | None, draw: str) -> Iterator[Lesson]:
    for item in row.encoded:
        others = _others(item, negatives, draw) if objective == "choices" else []
        for right in item.right:
            yield Lesson(tuple(Continuation(item.prompt, answer) for answer in (right, *others)), place)


def _others(item: Encoded, negatives: int | None, draw: str) -> list[tuple[int, ...]]:
    others = [choice for choice in item.choices or () if choice not in item.right]
    if negatives is None or len(others) <= negatives:
        return others
    return random.Random(f"{draw} {hash(item.prompt)}").sample(others, negatives)  # noqa: S311  # no secret


def _weighted(lessons: list[Lesson], loss_weight: LossWeight, of_row: float) -> Iterator[Lesson]:
    size = sum(lesson.size for lesson in lessons)
    for lesson in lessons:
        yield Lesson(lesson.sequences, lesson.row, of_row if loss_weight == "token" else of_row / size)
