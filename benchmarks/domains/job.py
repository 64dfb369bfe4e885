"""One task on one public data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datasets

import qlorakit as qk

if TYPE_CHECKING:
    from qlorakit.task import Row, Task

SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class Job:
    """A task, its files, and the settings it is trained with, which were chosen on validation rows.

    Attributes:
        name: What it is called by.
        task: The name of an installed task.
        data: What the rows are, in a few words, for the table.
        files: Below the folder of data: ``all`` for one that is split here, or ``train`` and ``test`` as published,
            with ``validation`` where that is published too.  Otherwise it is a tenth of the training rows.
        most: Rows of a side that are used at most, drawn with the seed.
        learning_rate: Of training.
        epochs: How often training goes through the rows.
        max_length: Most tokens of a question and its answer.
        max_new_tokens: Most tokens of an answer that is written.
        further: Metrics of the second table.
        split_column: A column that says on which side a row was published; then validation rows are a tenth of those to
            train.
        keep: The places of the rows that may be used at all, where not all may.
        join: Reads the rows from all files together, where no single one holds them; they are split here.
        change: What is made of the rows of each side before they are drawn.
        lessons: What is made of the rows that are trained on, and of those that choose the checkpoint; both are
            evaluated and fitted on as they are.
        training: Further settings of ``train``.
    """

    name: str
    task: str
    data: str
    files: Mapping[str, str]
    most: Mapping[str, int] = field(default_factory=dict)
    learning_rate: float = 4e-3
    epochs: float = 4.0
    max_length: int = 512
    max_new_tokens: int = 32
    further: tuple[str, ...] = ()
    split_column: str | None = None
    keep: Callable[[Sequence[Row]], Sequence[int]] | None = None
    join: Callable[[Mapping[str, Path]], Sequence[Row]] | None = None
    change: Callable[[Sequence[Row]], Sequence[Row]] | None = None
    lessons: Callable[[Sequence[Row]], Sequence[Row]] | None = None
    training: Mapping[str, Any] = field(default_factory=dict)

    def missing(self, root: Path) -> list[str]:
        """The files that are not there."""
        return [str(root / file) for file in self.files.values() if not (root / file).exists()]

    def read(self, root: Path, seed: int) -> dict[str, Any]:
        """The rows of each side.

        Args:
            root: The folder of data.
            seed: Of the split and of what is drawn.
        """
        task = qk.get_task(self.task)
        # What a reader leaves out it logs; whole files are published with rows that cannot be used.
        if self.join:
            rows = self.join({name: root / file for name, file in self.files.items()})
            found = {"all": datasets.Dataset.from_list(list(rows))}
        else:
            found = {side: qk.read_rows(root / file, task=task, bad_rows="skip") for side, file in self.files.items()}
        if self.keep:
            found = {side: rows.select(self.keep(rows)) for side, rows in found.items()}
        sides = self._sides(found, task, seed)
        if self.change:
            sides = {side: datasets.Dataset.from_list(list(self.change(rows))) for side, rows in sides.items()}
        return {side: self._drawn(sides[side], side, seed) for side in SIDES}

    def _sides(self, found: Mapping[str, Any], task: Task[Any], seed: int) -> Mapping[str, Any]:
        if self.split_column:
            found = dict(qk.split_by_column(found["all"], task=task, column=self.split_column))
        if "all" in found:
            return dict(qk.split(found["all"], task=task, seed=seed))
        if "validation" in found:
            return found
        return {**found, **qk.split(found["train"], task=task, seed=seed, validation=0.1, test=0)}

    def _drawn(self, rows: Any, side: str, seed: int) -> Any:  # noqa: ANN401  # datasets is not typed
        most = self.most.get(side, len(rows))
        return rows if len(rows) <= most else rows.shuffle(seed=seed).select(range(most))
