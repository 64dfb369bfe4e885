"""Csv files with a header, as medical data sets are published: recognised by their columns, read with line numbers."""

import csv
import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from qlorakit.errors import DataError
from qlorakit.file_readers import Reader
from qlorakit_medical.mtsamples import BYTE_ORDER_MARK

logger = logging.getLogger(__name__)

NO_CELL = "nan"  # what pandas makes of an empty cell


def header_of(path: Path, head: Sequence[str]) -> frozenset[str]:
    """The column names of a csv file, case-folded and without surrounding spaces; none for other files."""
    if path.suffix.lower() != ".csv" or not head:
        return frozenset()
    first = next(csv.reader([head[0].removeprefix(BYTE_ORDER_MARK)]), [])
    return frozenset(name.strip().casefold() for name in first)


def read_csv(path: Path, columns: Iterable[str] = ()) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of a csv file with the numbers of their lines.

    Args:
        path: A file with a header.
        columns: Which must be there.

    Yields:
        The line's number and its cells by the names of their columns, case-folded and without surrounding spaces.

    Raises:
        DataError: A column is missing, a line has too few or too many cells, or a quotation mark is left open.
    """
    needed = {name.casefold() for name in columns}
    for item in Reader(path).delimited():
        if item.row is None:
            msg = f"{path}, line {item.number}: {item.error}"
            raise DataError(msg)
        cells = {name.strip().casefold(): cell for name, cell in item.row.items()}
        if not needed <= cells.keys():
            msg = f"{path}: there is no column {min(needed - cells.keys())!r}; is the header damaged?"
            raise DataError(msg)
        yield item.number, cells


def without_nan(
    path: Path, lines: Iterable[tuple[int, dict[str, Any]]], names: Sequence[str]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Lines with the cells of some columns empty where they hold nothing but ``nan``; how many do is logged.

    Args:
        path: Of the file, for messages.
        lines: As from :func:`read_csv`.
        names: The columns, case-folded.

    Yields:
        The line's number and its cells.
    """
    found: Counter[str] = Counter()
    for number, cells in lines:
        gaps = [name for name in names if cells[name].strip().casefold() == NO_CELL]
        found.update(gaps)
        yield number, {**cells, **dict.fromkeys(gaps, "")}
    for name, count in found.items():
        logger.warning("%s: %d cells of column %r hold %r alone and count as empty", path, count, name, NO_CELL)
