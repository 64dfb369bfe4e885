"""Split rows into train, validation and test without leaks."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.rows import check_rows, input_key, row_content, to_dataset

if TYPE_CHECKING:
    import datasets

    from qlorakit.task import Row, Task

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Bundle:
    """Rows that must stay on one side: the same question, or the same group."""

    order: str
    stratum: Hashable
    indices: tuple[int, ...]


def split(
    rows: Iterable[Row],
    *,
    task: Task[Any],
    seed: int,
    validation: float = 0.1,
    test: float = 0.2,
) -> datasets.DatasetDict:
    """Split rows into ``train``, ``validation`` and ``test``.

    Rows that ask the same thing with the same answer are kept once; those that ask the same with different answers,
    and those of one ``task.group``, stay on one side.  Every label gets its share of each side.  Where a row goes
    follows from its content and the seed, not from its position in the file.

    Args:
        rows: All rows, with labels.
        task: Says what a row asks, its label and its group.
        seed: Another seed gives another split.
        validation: Share of the rows, by label, to choose settings and checkpoints on.
        test: Share of the rows, by label, to measure on once.

    Returns:
        Three datasets; an unused side (share 0) is left out.

    Raises:
        ConfigurationError: The shares are not in [0, 1), or leave nothing to train on.
        DataError: A row is unusable, or a side would be empty.
    """
    import datasets

    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        msg = f"validation={validation}, test={test}: shares must be at least 0 and leave something to train on"
        raise ConfigurationError(msg)
    source = rows if isinstance(rows, datasets.Dataset) else None
    rows = list(rows)
    check_rows(rows, task, labelled=True)
    kept = _without_repeats(rows, task)
    sides: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    for bundles in _strata(rows, kept, task, seed).values():
        _deal(bundles, sides, {"test": test, "validation": validation})
    wanted = {"train": 1.0, "validation": validation, "test": test}
    for side, share in wanted.items():
        if share and not sides[side]:
            msg = f"{len(kept)} different rows are too few for a {side} split of {share:.0%}; give more rows"
            raise DataError(msg)
    source = source or to_dataset(rows)
    return datasets.DatasetDict({side: source.select(sorted(sides[side])) for side, share in wanted.items() if share})


def overlap(train: Iterable[Row], other: Iterable[Row], task: Task[Any]) -> list[int]:
    """Positions in ``other`` of rows that ask what a row of ``train`` asks."""
    seen = {input_key(row, task) for row in train}
    return [index for index, row in enumerate(other) if input_key(row, task) in seen]


def _without_repeats(rows: Sequence[Row], task: Task[Any]) -> list[int]:
    """Positions of the first row of each question and answer."""
    answers: dict[str, dict[Hashable, int]] = defaultdict(dict)
    for index, row in enumerate(rows):
        answers[input_key(row, task)].setdefault(_hashable(task.reference(row)), index)
    kept = sorted(index for found in answers.values() for index in found.values())
    if len(kept) < len(rows):
        logger.warning("split: left out %d repeated rows of %d", len(rows) - len(kept), len(rows))
    conflicts = sum(len(found) > 1 for found in answers.values())
    if conflicts:
        logger.warning("split: %d texts carry different labels; each stays on one side", conflicts)
    return kept


def _strata(rows: Sequence[Row], kept: Sequence[int], task: Task[Any], seed: int) -> dict[Hashable, list[_Bundle]]:
    together: dict[Hashable, list[int]] = defaultdict(list)
    for index in kept:
        row = rows[index]
        together[task.group(row) if task.group else input_key(row, task)].append(index)
    strata: dict[Hashable, list[_Bundle]] = defaultdict(list)
    for indices in together.values():
        contents = sorted(row_content(rows[index]) for index in indices)
        order = hashlib.sha256(f"{seed}\n{contents}".encode()).hexdigest()
        labels = Counter(_hashable(task.reference(rows[index])) for index in indices)
        stratum = min(labels, key=lambda label: (-labels[label], str(label)))
        strata[stratum].append(_Bundle(order, stratum, tuple(indices)))
    return strata


def _deal(bundles: list[_Bundle], sides: dict[str, list[int]], shares: dict[str, float]) -> None:
    """Fill each side up to its share of the stratum's rows, in the order of the bundles' hashes; the rest trains."""
    total = sum(len(bundle.indices) for bundle in bundles)
    queue = sorted(bundles, key=lambda bundle: bundle.order)
    for side, share in shares.items():
        room = round(total * share)
        while queue and room > 0:
            taken = queue.pop(0).indices
            sides[side].extend(taken)
            room -= len(taken)
    sides["train"].extend(index for bundle in queue for index in bundle.indices)


def _hashable(value: Any) -> Hashable:  # noqa: ANN401  # a reference may be of any type
    return value if isinstance(value, Hashable) else repr(value)
