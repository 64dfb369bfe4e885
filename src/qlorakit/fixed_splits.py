"""Splits that chance has no part in: by time, or as published."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from qlorakit.errors import ConfigurationError, DataError, shown
from qlorakit.rows import as_rows, check_task
from qlorakit.splits import SIDES, TEST, TRAIN, UNUSED, VALIDATION, divided, survey

if TYPE_CHECKING:
    import datasets
    import numpy.typing as npt

    from qlorakit.splits import Integers
    from qlorakit.task import Row, Task

logger = logging.getLogger(__name__)

NAMES = {
    **dict.fromkeys(("train", "training"), TRAIN),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), VALIDATION),
    **dict.fromkeys(("test", "testing", "held-out", "heldout"), TEST),
}
Moment = str | dt.date


def split_by_time(
    rows: Iterable[Row],
    *,
    task: Task[Any],
    column: str,
    test_from: Moment,
    validation_from: Moment | None = None,
    date_format: str | None = None,
    group_by: str | None = None,
    near_duplicates: float | None = 0.8,
    ignore_digits: bool | None = None,
) -> datasets.DatasetDict:
    """Train on what came first, and test on what came later, as a model in use is tested.

    Of rows that are tied together (see :func:`~qlorakit.splits.split`) and stand on several sides, those on the later
    sides are left out, and counted: they would test what was trained on.

    Args:
        rows: All rows, with labels.
        task: Says what a row asks, its label and its group.
        column: Holds the time of each row: a date, or text in ISO 8601 such as ``2024-05-31`` unless ``date_format``
            says otherwise.  Times without an offset count as UTC.
        test_from: Rows of this moment and later are tested on.
        validation_from: Rows of this moment and later, and before ``test_from``, are validated on.
        date_format: Of the column's texts, as ``datetime.strptime`` has it: ``"%d.%m.%Y"``.
        group_by: See :func:`~qlorakit.splits.split`.
        near_duplicates: Likewise.
        ignore_digits: Likewise.

    Returns:
        ``train``, ``validation`` if ``validation_from`` is given, and ``test``.

    Raises:
        ConfigurationError: ``validation_from`` does not come before ``test_from``, or is no date.
        DataError: A date is missing or cannot be read, a row is unusable, or a side would be empty.
        PluginError: The task fails on a row.
    """
    borders = [_border("test_from", test_from)]
    if validation_from is not None:
        borders.insert(0, _border("validation_from", validation_from))
    if borders != sorted(set(borders)):
        msg = f"validation_from={validation_from!r} must come before test_from={test_from!r}"
        raise ConfigurationError(msg)
    check_task(task)
    rows = as_rows(rows)
    times = np.fromiter((_time(row, column, number, date_format) for number, row in enumerate(rows, start=1)), float)
    surveyed = survey(
        rows, task, near_duplicates=near_duplicates, ignore_digits=ignore_digits, group_by=group_by, times=times
    )
    surveyed.tell()
    sides = np.searchsorted(borders, times, side="right")
    sides = np.where(sides == len(borders), TEST, sides)
    earliest = np.full(int(surveyed.bundles.max()) + 1, len(SIDES))
    np.minimum.at(earliest, surveyed.bundles, sides)
    late = surveyed.kept & (sides > earliest[surveyed.bundles])
    if late.any():
        logger.warning("split: left out %d later rows that are tied to earlier ones", np.count_nonzero(late))
    used = [side for side in SIDES if side != "validation" or validation_from is not None]
    hint = f"test_from={test_from!r}" + (f" and validation_from={validation_from!r}" if validation_from else "")
    return divided(rows, np.where(surveyed.kept & ~late, sides, UNUSED), used, hint=hint)


def split_by_column(
    rows: Iterable[Row], *, task: Task[Any], column: str = "split", near_duplicates: float | None = 0.8
) -> datasets.DatasetDict:
    """Split rows as published: a column says on which side each stands.  All rows are kept as they are.

    How many rows of one side ask what a row of another asks, or nearly so, is logged as a warning.

    Args:
        rows: All rows, with labels.
        task: Reads them.
        column: Holds ``train``, ``validation`` (or ``valid``, ``val``, ``dev``) or ``test``, case regardless.
        near_duplicates: See :func:`~qlorakit.splits.split`; ``None`` to look for the same questions alone.

    Returns:
        A dataset for each side that occurs.

    Raises:
        DataError: A row has no such column or another value in it, or is unusable.
        PluginError: The task fails on a row.
    """
    check_task(task)
    rows = as_rows(rows)
    sides = np.array([_side(row, column, number) for number, row in enumerate(rows, start=1)], np.int64)
    surveyed = survey(rows, task, near_duplicates=near_duplicates)
    used = [side for number, side in enumerate(SIDES) if (sides == number).any()]
    for later in (VALIDATION, TEST):
        for earlier in range(later):
            same = _shared(surveyed.asks, sides, earlier, later)
            tied = _shared(surveyed.bundles, sides, earlier, later)
            if tied:
                logger.warning(
                    "split: %d of %d rows of %s ask what a row of %s asks, and %d more are tied to one; the split is "
                    "kept as published", same, np.count_nonzero(sides == later), SIDES[later], SIDES[earlier],
                    tied - same,
                )  # fmt: skip
    return divided(rows, sides, used)


def _shared(keys: npt.NDArray[Any], sides: Integers, earlier: int, later: int) -> int:
    """How many rows of a later side have a key that an earlier one has."""
    return int(np.count_nonzero(np.isin(keys[sides == later], keys[sides == earlier])))


def _side(row: Row, column: str, number: int) -> int:
    value = row.get(column)
    side = NAMES.get(str(value).strip().casefold())
    if side is None:
        there = ", ".join(map(repr, row))
        what = f"holds {shown(value)}" if column in row else f"is missing; the row has {there}"
        msg = f"the rows, row {number}: column {column!r} {what}, where {', '.join(map(repr, NAMES))} are known"
        raise DataError(msg)
    return side


def _border(name: str, moment: Moment) -> float:
    try:
        return _seconds(moment, None)
    except (ValueError, TypeError) as error:
        msg = f"{name}={moment!r}: give a date, or text in ISO 8601 such as '2024-05-31'"
        raise ConfigurationError(msg) from error


def _time(row: Row, column: str, number: int, date_format: str | None) -> float:
    """The row's moment in seconds since 1970."""
    value = row.get(column)
    try:
        return _seconds(value, date_format)
    except (ValueError, TypeError, re.error) as error:  # the last where a format names a part of a date twice
        what = (
            f"{shown(value)} is no date in {date_format or 'ISO 8601'}" if column in row else "there is no such column"
        )
        hint = "" if date_format else '; pass date_format="%d.%m.%Y" or the like if dates are written otherwise'
        msg = f"the rows, row {number}: column {column!r}: {what}{hint}"
        raise DataError(msg) from error


def _seconds(value: object, date_format: str | None) -> float:
    if isinstance(value, str):
        text = value.strip()
        value = dt.datetime.strptime(text, date_format) if date_format else dt.datetime.fromisoformat(text)  # noqa: DTZ007  # UTC, below
    if isinstance(value, dt.datetime):
        moment = value
    elif isinstance(value, dt.date):
        moment = dt.datetime.combine(value, dt.time())
    else:
        raise TypeError
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()
