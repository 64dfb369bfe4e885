"""What a cell of a row holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qlorakit.errors import DataError

if TYPE_CHECKING:
    from qlorakit.task import Row


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
        msg = f"column {column!r} holds {type(value).__name__} {value!r} where text is needed"
        raise DataError(msg)
    if not value.strip():
        msg = f"column {column!r} is empty; remove the row or fill in its text"
        raise DataError(msg)
    return value


def is_blank(value: object) -> bool:
    """Whether a cell holds no label: files of text have no other way to leave one out."""
    return value is None or (isinstance(value, str) and not value.strip())
