"""Rows of a table as text, and tables of codes that come without a header."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from qlorakit.cells import is_blank
from qlorakit.errors import DataError, did_you_mean
from qlorakit.text_encoding import file_encoding

if TYPE_CHECKING:
    from pathlib import Path

    from qlorakit.task import Row

UNKNOWN = "unknown"
# In names of columns whose digits are no amount: they get no commas.
CODE_WORDS = frozenset({"code", "zip", "zipcode", "postal", "postcode", "phone", "id", "bin"})
YEARS = range(1000, 3000)
LARGEST = 10**12  # from here on it is the number of an account or a card
SMALLEST = 1e-6  # below, a number is written with an exponent
DIGITS = 10  # of a number with decimals, two of which stay at least
_NUMERAL = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]\d+)?")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def row_text(row: Row, columns: Iterable[str]) -> str:
    """Cells as lines of ``name: value``; underscores of names are spaces.

    A number has commas between thousands, no empty decimals and about 10 digits at most, whether the file holds it as a
    number or as text; true and false are yes and no; an empty cell is unknown.

    Args:
        row: Of a table.
        columns: What to show, in this order.

    Raises:
        DataError: The row lacks one of the columns, or there is nothing in any of them.
    """
    cells = [(name, cell_text(cell_of(row, name), name)) for name in columns]
    if all(value == UNKNOWN for _, value in cells):
        raise DataError(_nothing_in(row, [name for name, _ in cells]))
    return "\n".join(f"{' '.join(name.replace('_', ' ').split())}: {value}" for name, value in cells)


def cell_of(row: Row, name: str) -> object:
    """What a row holds in a column.

    Raises:
        DataError: It has no such column.
    """
    if name not in row:
        msg = (
            f"there is no column {name!r}, which fields= names; the row has {', '.join(map(repr, row))}."
            f"{did_you_mean(name, row)}"
        )
        raise DataError(msg)
    return row[name]


def cell_text(value: object, column: str = "") -> str:
    """A cell as it is read, on one line; see :func:`row_text`.

    Args:
        value: Whatever it holds.
        column: Its name, which may tell that digits are a code or a year and need no commas.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    number = cell_number(value, column)
    if number is not None:
        return str(number) if "year" in _words(column) and number in YEARS else _written(number)
    if is_blank(value):
        return UNKNOWN
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST**2:
        value = int(value)
    return " ".join(str(value).split())


def cell_number(value: object, column: str = "") -> int | float | None:
    """The number that a cell holds, as one or as text; ``None`` where it holds none, or one that is a code.

    Args:
        value: Whatever it holds.
        column: Its name, which may tell that digits are a code.
    """
    if isinstance(value, str):
        value = value.strip()
        if not _NUMERAL.fullmatch(value):
            return None
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or _words(column) & CODE_WORDS:
        return None
    if not abs(value) < LARGEST:
        return None
    return int(value) if value == int(value) else value


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
        path: The file.
        columns: One for each cell.

    Raises:
        DataError: A line has too many or too few cells, or one that means nothing; the message names it.
    """
    with path.open(encoding=file_encoding(path)) as file:
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


def _nothing_in(row: Row, columns: Sequence[str]) -> str:
    if columns:
        what = f"{', '.join(map(repr, columns))} {'are' if columns[1:] else 'is'} empty"
    else:
        what = f"of its columns ({', '.join(map(repr, row)) or 'none'}) none is to be read"
    return f"there is nothing to read in the row: it has no 'text', and {what}; fill in a cell, or remove the row"


@functools.lru_cache(maxsize=4096)
def _words(column: str) -> frozenset[str]:
    """The words of a column's name, in lower case."""
    return frozenset(word.lower() for word in _WORD.findall(column))


def _written(number: float) -> str:
    if isinstance(number, int):
        return f"{number:,}"
    digits = max(DIGITS, len(str(int(abs(number)))) + 2)
    rounded = f"{number:.{digits}g}"
    return f"{Decimal(rounded):,f}" if abs(number) >= SMALLEST else rounded
