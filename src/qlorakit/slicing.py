"""Divide rows by what they are like, to see where a model does worse."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qlorakit.baselines import user_text
from qlorakit.errors import ConfigurationError, did_you_mean, first_few

if TYPE_CHECKING:
    from qlorakit.task import Row, Task

FEWEST_ROWS = 20  # of a slice; values of fewer are put together
MOST_SLICES = 12
MOST_VALUES = 4  # of a column, in a note
LENGTH, FREQUENCY, OTHER = "text length", "label frequency", "others"
QUARTERS = 4
Members = dict[str, list[int]]


def by_columns(rows: Sequence[Row], columns: Sequence[str]) -> dict[str, Members]:
    """Places of the rows with each value of each column, as :func:`by_column` finds them.

    Raises:
        ConfigurationError: The columns are one text, or no row has one of them.
    """
    if isinstance(columns, str):
        msg = f"slices={columns!r} must be a list of columns; pass slices=[{columns!r}]"
        raise ConfigurationError(msg)
    return {column: by_column(rows, column) for column in columns}


def undivided(rows: Sequence[Row], divisions: Mapping[str, Members]) -> Iterator[str]:
    """Notes on the columns that give fewer than two slices, with their commonest values.

    A value of one row is not named: it may be a name or a text, which reports do not hold unless asked to.
    """
    for column, members in divisions.items():
        if len(members) > 1:
            continue
        counts = Counter(str(row.get(column)) for row in rows).most_common()
        said = [f"{value} {count}" for value, count in counts if count > 1]
        alone = len(counts) - len(said)
        parts = [first_few(said, MOST_VALUES)] * bool(said) + [f"{alone} of one row"] * bool(alone)
        yield (
            f"slices: {column!r} was not looked at: fewer than two of its values have {FEWEST_ROWS} rows "
            f"({', '.join(parts)})"
        )


def by_column(rows: Sequence[Row], column: str) -> Members:
    """Places of the rows with each value of a column, largest first; values of few rows together.

    Raises:
        ConfigurationError: No row has the column.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    if column not in names:
        msg = f"slices: no row has a column {column!r}; there are {', '.join(names)}.{did_you_mean(column, names)}"
        raise ConfigurationError(msg)
    return _gathered([str(row.get(column)) for row in rows])


def by_length(rows: Sequence[Row], task: Task[Any]) -> Members:
    """Places of the rows in each quarter of text length, in words; empty where all texts are about as long."""
    lengths = [len(user_text(row, task).split()) for row in rows]
    ordered = sorted(lengths)
    bounds = [ordered[len(ordered) * part // QUARTERS] for part in range(1, QUARTERS)]
    if len(set(bounds)) < len(bounds) or len(rows) < QUARTERS * FEWEST_ROWS:
        return {}
    between = [f"{low} to {high - 1} words" for low, high in itertools.pairwise(bounds)]
    names = [f"under {bounds[0]} words", *between, f"{bounds[-1]} words and more"]
    members: Members = {name: [] for name in names}
    for place, length in enumerate(lengths):
        members[names[sum(length >= bound for bound in bounds)]].append(place)
    return members


def by_frequency(references: Sequence[Any], counts: Mapping[Any, int]) -> Members:
    """Places of the rows whose label is common, and of those whose label is rare.

    Common are the commonest labels that together make up half of the training rows or more.

    Args:
        references: The right label of each row.
        counts: How often each label occurs in training, or among the rows themselves.
    """
    total, seen, common = sum(counts.values()), 0, set()
    for label, count in Counter(dict(counts)).most_common():
        if 2 * seen >= total:
            break
        common.add(label)
        seen += count
    members: Members = {f"{len(common)} common labels": [], f"{len(counts) - len(common)} rarer labels": []}
    for place, label in enumerate(references):
        members[next(iter(members)) if label in common else list(members)[1]].append(place)
    return members if all(len(places) >= FEWEST_ROWS for places in members.values()) else {}


def _gathered(values: Sequence[str]) -> Members:
    counts = Counter(values)
    kept = [value for value, count in counts.most_common(MOST_SLICES) if count >= FEWEST_ROWS]
    members: Members = {value: [] for value in kept}
    rest = [place for place, value in enumerate(values) if value not in members]
    for place, value in enumerate(values):
        if value in members:
            members[value].append(place)
    if rest:
        members[f"{OTHER} ({len(counts) - len(kept)})"] = rest
    return members
