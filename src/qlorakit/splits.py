"""Split rows into train, validation and test without leaks."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.row_store import to_dataset
from qlorakit.rows import as_rows, check_rows, check_task, input_key, row_content

if TYPE_CHECKING:
    import datasets

    from qlorakit.task import Row, Task

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Bundle:
    """Rows that must stay on one side: the same question, or the same group."""

    order: str
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
        PluginError: The task fails on a row.
    """
    import datasets

    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        msg = f"validation={validation}, test={test}: shares must be at least 0 and leave something to train on"
        raise ConfigurationError(msg)
    source = rows if isinstance(rows, datasets.Dataset) else None
    check_task(task)
    rows = as_rows(rows)
    check_rows(rows, task, labelled=True)
    kept = _without_repeats(rows, task)
    sides: dict[str, list[int]] = {"train": [], "validation": [], "test": []}
    shares, owed = {"test": test, "validation": validation}, {"test": 0.0, "validation": 0.0}
    strata = _strata(rows, kept, task, seed)
    for stratum in sorted(strata, key=str):
        _deal(strata[stratum], sides, shares, owed)
    wanted = {"train": 1.0, "validation": validation, "test": test}
    for side, share in wanted.items():
        if share and not sides[side]:
            msg = (
                f"{len(kept)} rows are too few, or too tied to each other, to leave any for {side} with "
                f"validation={validation} and test={test}; give more rows or other shares"
            )
            raise DataError(msg)
    source = source or to_dataset(rows)
    return datasets.DatasetDict({side: source.select(sorted(sides[side])) for side, share in wanted.items() if share})


def overlap(train: Iterable[Row], other: Iterable[Row], task: Task[Any]) -> list[int]:
    """Positions in ``other`` of rows that ask what a row of ``train`` asks."""
    seen = {input_key(row, task) for row in train}
    return [index for index, row in enumerate(other) if input_key(row, task) in seen]


def _without_repeats(rows: Sequence[Row], task: Task[Any]) -> list[int]:
    """Positions of one row of each question and answer; which of several does not depend on the file's order."""
    answers: dict[str, dict[Hashable, int]] = defaultdict(dict)
    for index, row in enumerate(rows):
        found, label = answers[input_key(row, task)], _hashable(task.reference(row))
        if label not in found or row_content(row) < row_content(rows[found[label]]):
            found[label] = index
    kept = sorted(index for found in answers.values() for index in found.values())
    if len(kept) < len(rows):
        logger.warning("split: left out %d repeated rows of %d", len(rows) - len(kept), len(rows))
    conflicts = sum(len(found) > 1 for found in answers.values())
    if conflicts:
        logger.warning("split: %d texts carry different labels; each stays on one side", conflicts)
    return kept


def _together(rows: Sequence[Row], kept: Sequence[int], task: Task[Any]) -> list[list[int]]:
    """Rows that ask the same, or are of one group, or are linked by such rows."""
    graph_ids: dict[Hashable, int] = {}
    links: list[tuple[int, int]] = []
    for node, index in enumerate(kept):
        keys: list[Hashable] = [("asks", input_key(rows[index], task))]
        if task.group:
            keys.append(("group", task.group(rows[index])))
        links.extend((node, len(kept) + graph_ids.setdefault(key, len(graph_ids))) for key in keys)
    size = len(kept) + len(graph_ids)
    ends = tuple(zip(*links, strict=True))
    _, component = connected_components(coo_array(([1] * len(links), ends), shape=(size, size)), directed=False)
    bundles: dict[int, list[int]] = defaultdict(list)
    for node, index in enumerate(kept):
        bundles[int(component[node])].append(index)
    return list(bundles.values())


def _strata(rows: Sequence[Row], kept: Sequence[int], task: Task[Any], seed: int) -> dict[Hashable, list[_Bundle]]:
    strata: dict[Hashable, list[_Bundle]] = defaultdict(list)
    for indices in _together(rows, kept, task):
        contents = sorted(row_content(rows[index]) for index in indices)
        order = hashlib.sha256(f"{seed}\n{contents}".encode()).hexdigest()
        labels = Counter(_hashable(task.reference(rows[index])) for index in indices)
        stratum = min(labels, key=lambda label: (-labels[label], str(label)))
        strata[stratum].append(_Bundle(order, tuple(indices)))
    return strata


def _deal(
    bundles: list[_Bundle], sides: dict[str, list[int]], shares: dict[str, float], owed: dict[str, float]
) -> None:
    """Fill each side up to its share of the stratum's rows, in the order of the bundles' hashes; the rest trains.

    What a side is owed, because a stratum has no fraction of a row to give, is carried to the next one.
    """
    total = sum(len(bundle.indices) for bundle in bundles)
    queue = sorted(bundles, key=lambda bundle: bundle.order)
    for side, share in shares.items():
        owed[side] += total * share
        while queue and owed[side] >= 0.5:  # noqa: PLR2004  # rounding
            taken = queue.pop(0).indices
            sides[side].extend(taken)
            owed[side] -= len(taken)
    sides["train"].extend(index for bundle in queue for index in bundle.indices)


def _hashable(value: Any) -> Hashable:  # noqa: ANN401  # a reference may be of any type
    return value if isinstance(value, Hashable) else repr(value)
