"""Which rows make up an optimizer step: drawn at random by seed, or gathered by the document they are about."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch
from torch.utils.data import DataLoader, Sampler

from qlorakit.prefix_tree import common_length

if TYPE_CHECKING:
    from qlorakit.encoding import EncodedRow


class StepRows(Sampler[list[int]]):
    """The places of the rows of each optimizer step, in another order in each epoch.

    The order follows from seed and epoch alone, in every process.
    """

    def __init__(
        self,
        rows: int,
        batch_size: int,
        *,
        seed: int,
        drop_last: bool = False,
        documents: Sequence[int] | None = None,
        repeated: Sequence[int] = (),
    ) -> None:
        """Say what is drawn from.

        Args:
            rows: How many there are.
            batch_size: Rows of a step.
            seed: Of the order.
            drop_last: Whether to leave out an incomplete last step.
            documents: Of each row; where given, documents are drawn instead of rows, and the rows of one stand next
                to each other: in one step, or in two that follow each other where a step's end comes between.
            repeated: Places of rows that come once more in every epoch, once for each time they stand here.
        """
        self.places = [*range(rows), *repeated]
        self.rows, self.batch_size, self.seed, self.drop_last = len(self.places), batch_size, seed, drop_last
        self.documents = None if documents is None else [documents[place] for place in self.places]
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.rows // self.batch_size if self.drop_last else -(-self.rows // self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        order = self._order()
        for step in range(len(self)):
            yield [self.places[item] for item in order[step * self.batch_size : (step + 1) * self.batch_size]]

    def _order(self) -> list[int]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order: list[int] = torch.randperm(self.rows, generator=generator).tolist()
        if self.documents is None:
            return order
        first_place: dict[int, int] = {}
        for place, row in enumerate(order):
            first_place.setdefault(self.documents[row], place)
        return sorted(order, key=lambda row: first_place[self.documents[row]] if self.documents else 0)


class StepLoader(DataLoader[list["EncodedRow"]]):
    """Loads the rows of each step; the same ones in every process, which then takes its part."""

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        sampler = self.batch_sampler
        if isinstance(sampler, StepRows):
            sampler.set_epoch(epoch)


def find_documents(rows: Sequence[EncodedRow]) -> list[int]:
    """The document of each row: rows belong to one if they share most of what follows the usual instruction.

    Found from the tokens of the first question of each row; nobody needs to declare it.  The usual instruction is the
    longest beginning that three quarters of the rows have.
    """
    prompts = [row.encoded[0].prompt for row in rows]
    order = sorted(range(len(prompts)), key=prompts.__getitem__)
    pairs = zip(order, order[3 * len(order) // 4 :], strict=False)  # with so many rows between them
    usual = max((common_length(prompts[first], prompts[last]) for first, last in pairs), default=0)
    documents = [0] * len(prompts)
    for before, place in itertools.pairwise(order):
        shared = common_length(prompts[before], prompts[place]) - usual
        shorter = min(len(prompts[before]), len(prompts[place])) - usual
        documents[place] = documents[before] + (2 * shared < shorter)
    return documents


def part_of(rows: Sequence[EncodedRow], process: int, processes: int) -> list[EncodedRow]:
    """The rows of a step that one of several processes computes, next to each other and as evenly as can be."""
    start, end = (len(rows) * number // processes for number in (process, process + 1))
    return list(rows[start:end])
