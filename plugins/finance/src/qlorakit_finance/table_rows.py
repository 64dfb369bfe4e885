"""Rows of a table as text, and tables of codes that come without a header."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qlorakit.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from qlorakit.task import Row

UNKNOWN = "unknown"
# Columns that tell rows apart or sides of a split, and nothing else.
IDENTIFIERS = frozenset({
    "", "id", "uuid", "index", "unnamed: 0", "row_id", "row_number", "split", "fold", "custid", "customer_id",
    "client_id", "account_id", "card_id", "user_id", "transaction_id", "trans_id", "application_id", "loan_id",
})  # fmt: skip
# In names of columns whose digits are no amount: they get no commas.
CODE_WORDS = frozenset({"code", "zip", "postcode", "phone", "id", "bin"})
YEARS = range(1000, 3000)
MOST_DIGITS = 12  # more are a number of an account or a card
_NUMERAL = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def shown_columns(row: Row, left_out: Collection[str]) -> list[str]:
    """The columns of a row that can be read: neither identifiers nor left out, in the row's order.

    Args:
        row: Of a table.
        left_out: Names in lower case.
    """
    return [name for name in row if _folded(name) not in IDENTIFIERS and _folded(name) not in left_out]


def row_text(row: Row, columns: Iterable[str]) -> str:
    """Cells as lines of ``name: value``; underscores of names are spaces.

    A number has commas between thousands and no empty decimals, whether the file holds it as a number or as text; true
    and false are yes and no; an empty cell is unknown.

    Args:
        row: Of a table.
        columns: What to show, in this order.

    Raises:
        DataError: The row lacks one of the columns, or there is nothing in any of them.
    """
    cells = [(name, cell_text(_cell(row, name), name)) for name in columns]
    if all(value == UNKNOWN for _, value in cells):
        msg = (
            f"there is nothing to read in the row: {', '.join(repr(name) for name, _ in cells) or 'no column'} is empty"
        )
        raise DataError(msg)
    return "\n".join(f"{' '.join(name.replace('_', ' ').split())}: {value}" for name, value in cells)


def cell_text(value: object, column: str = "") -> str:
    """A cell as it is read, on one line; see :func:`row_text`.

    Args:
        value: Whatever it holds.
        column: Its name, which may tell that digits are a code or a year and need no commas.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(str(value).split()) if value is not None else ""
    if isinstance(value, float) and math.isnan(value):
        return UNKNOWN
    number = _number(value if isinstance(value, int | float) else text)
    words = {word.lower() for word in _WORD.findall(column)}
    if number is None or words & CODE_WORDS or ("year" in words and number in YEARS):
        return text or UNKNOWN
    return f"{number:,}"


@dataclass(frozen=True)
class CodedColumn:
    """A column of a table without a header.

    Attributes:
        name: Of the column.
        meanings: What each code stands for; whole numbers where there are none.
    """

    name: str
    meanings: Mapping[str, str] | None = None

    def read(self, cell: str) -> str | int:
        """What a cell means.

        Raises:
            DataError: It is no known code, or no whole number.
        """
        if self.meanings is None:
            try:
                return int(cell)
            except ValueError as error:
                msg = f"column {self.name!r} holds {cell!r} where a whole number is needed"
                raise DataError(msg) from error
        if cell not in self.meanings:
            msg = f"column {self.name!r}: unknown code {cell!r}; known are {', '.join(self.meanings)}"
            raise DataError(msg)
        return self.meanings[cell]


def read_coded_table(path: Path, columns: Sequence[CodedColumn]) -> Iterable[tuple[int, dict[str, Any]]]:
    """Rows of a table without a header, its cells parted by commas or spaces, each with the number of its line.

    Args:
        path: The file, in UTF-8.
        columns: One for each cell.

    Raises:
        DataError: A line has too many or too few cells, or one that means nothing; the message names it.
    """
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            cells = re.split(r"\s*,\s*|\s+", line.strip())
            try:
                if len(cells) != len(columns):
                    msg = f"{len(cells)} cells where {len(columns)} are expected, of which the last is the label"
                    raise DataError(msg)  # noqa: TRY301  # the line is named below, as for a cell
                row = {column.name: column.read(cell) for column, cell in zip(columns, cells, strict=True)}
            except DataError as error:
                msg = f"{path}, line {number}: {error}"
                raise DataError(msg) from error
            yield number, row


def _folded(name: str) -> str:
    return name.strip().casefold()


def _cell(row: Row, name: str) -> object:
    if name not in row:
        msg = (
            f"there is no column {name!r}, which fields= names; the row has {', '.join(map(repr, row))}."
            f"{did_you_mean(name, row)}"
        )
        raise DataError(msg)
    return row[name]


def _number(value: float | str) -> int | float | None:
    """A cell as a number, if it is one: whole where nothing stands behind the point."""
    if isinstance(value, str):
        if not _NUMERAL.fullmatch(value) or len(value) > MOST_DIGITS:
            return None
        value = float(value) if "." in value else int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
