"""What a cell of a row holds."""

from __future__ import annotations

import json
from numbers import Real
from typing import TYPE_CHECKING, Any

from qlorakit.errors import DataError, shown

if TYPE_CHECKING:
    from qlorakit.task import Row

_PANDAS_MISSING = frozenset(("NAType", "NaTType"))


def required_text(row: Row, column: str) -> str:
    """The text of a column, which must hold something to read.

    Raises:
        DataError: The column is missing, empty, or holds something other than text.
    """
    value = row.get(column)
    if column not in row:
        msg = f"there is no column {column!r}; the row has {', '.join(map(repr, row)) or 'none'}. Rename the one meant"
        raise DataError(msg)
    if not isinstance(value, str):
        what = f" {value!r}" if value is None or isinstance(value, Real) else ""  # no texts in messages
        msg = f"column {column!r} holds {type(value).__name__}{what} where text is needed"
        raise DataError(msg)
    if not value.strip():
        msg = f"column {column!r} is empty; remove the row or fill in its text"
        raise DataError(msg)
    return value


def is_blank(value: object) -> bool:
    """Whether a cell holds nothing: it is missing, or a text without any, as files leave one out."""
    return not value.strip() if isinstance(value, str) else is_missing(value)


def is_missing(value: object) -> bool:
    """Whether a cell holds no value at all: ``None``, NaN of any width, and the NA and NaT of pandas."""
    if isinstance(value, Real):
        return bool(value != value)  # noqa: PLR0124  # of all numbers NaN alone is unequal to itself
    return value is None or type(value).__name__ in _PANDAS_MISSING


def list_in(value: object, column: str) -> list[Any] | None:
    """A cell's list, written as JSON where it is a text; ``None`` where the cell is blank.

    Raises:
        DataError: The cell holds something else.
    """
    if is_blank(value):
        return None
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:  # numbers of thousands of digits, or lists without end, as well
            msg = f"column {column!r} holds a text that is no JSON ({error}); write its list as JSON, such as []"
            raise DataError(msg) from error
    if not isinstance(value, list | tuple):
        msg = f"column {column!r} holds {type(value).__name__} {shown(value)} where a list is needed"
        raise DataError(msg)
    return list(value)
