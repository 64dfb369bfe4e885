"""Headlines on gold as they are published: a table separated by commas, or by tabs though its name ends in ``.csv``."""

import csv
import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from qlorakit.errors import DataError
from qlorakit.task import FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding
from qlorakit_finance.phrasebank import BYTE_ORDER_MARK

logger = logging.getLogger(__name__)

TEXT, DATE, SENTIMENT = "News", "Dates", "Price Sentiment"
DATE_FORMATS = "%d-%m-%Y", "%d/%m/%Y"  # agreeing with the dates in the addresses of 5,390 of 5,393 headlines
NO_SENTIMENT = "none"  # what a headline has that says nothing about the price


def published_names(path: Path, head: Sequence[str]) -> list[str]:
    """The column names of a file that begins with the published header, and otherwise none."""
    if path.suffix.lower() not in {".csv", ".tsv"} or not head:
        return []
    header = head[0].removeprefix(BYTE_ORDER_MARK)
    names = [name.strip() for name in next(csv.reader([header], delimiter=_delimiter(header)), [])]
    return names if {TEXT, SENTIMENT} <= set(names) else []


def is_gold_headlines(path: Path, head: Sequence[str]) -> bool:
    """Whether a file begins with the published header."""
    return bool(published_names(path, head))


def _delimiter(header: str) -> str:
    return "\t" if "\t" in header else ","


def read_gold_headlines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The cells of each headline by the published names, with the number of its line.

    Dates become ISO 8601; those that cannot be read become empty, which is logged with their number.

    Raises:
        DataError: A line has too few or too many cells, or a quotation mark is left open.
    """
    undated = 0
    with path.open(encoding=file_encoding(path), newline="") as file:
        header = file.readline()
        delimiter = _delimiter(header)
        names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter))]
        if not {TEXT, SENTIMENT} <= set(names):
            msg = f"{path}: there are no columns {TEXT!r} and {SENTIMENT!r} in its header; is it damaged?"
            raise DataError(msg)
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            for cells in filter(None, reader):
                row = _by_name(names, cells, f"{path}, line {reader.line_num + 1}")
                date = _iso_date(row.get(DATE, ""))
                undated += not date
                yield reader.line_num + 1, {**row, DATE: date}
        except csv.Error as error:
            msg = f"{path}, line {reader.line_num + 1}: {error}; is a quotation mark left open?"
            raise DataError(msg) from error
    if undated:
        logger.warning("%s: %d dates, such as those with a damaged year, cannot be read and are empty", path, undated)


def _by_name(names: Sequence[str], cells: Sequence[str], where: str) -> dict[str, str]:
    if len(cells) != len(names):
        msg = f"{where}: there are not as many cells ({len(cells)}) as in the header ({len(names)})"
        raise DataError(msg)
    return dict(zip(names, cells, strict=True))


def _iso_date(written: str) -> str:
    for form in DATE_FORMATS:
        try:
            return dt.datetime.strptime(written.strip(), form).date().isoformat()  # noqa: DTZ007  # a date has no zone
        except ValueError:
            continue
    return ""


def _read_sentiment(path: Path) -> Iterable[tuple[int, Row]]:
    left_out = 0
    for number, row in read_gold_headlines(path):
        if row[SENTIMENT].strip().casefold() == NO_SENTIMENT:
            left_out += 1
            continue
        yield number, {"text": row[TEXT], "label": row[SENTIMENT], "date": row[DATE] or None}
    if left_out:
        logger.warning("%s: left out %d headlines that have no sentiment about the price", path, left_out)


GOLD_SENTIMENT = FileFormat("gold headlines .csv (separated by commas or tabs)", is_gold_headlines, _read_sentiment)

GOLD_HEADLINES = PublicDataset(
    name="Gold commodity news headlines",
    identifier="daittan/gold-commodity-news-and-dimensions",
    url="https://www.kaggle.com/datasets/daittan/gold-commodity-news-and-dimensions",
    licence="unclear, stated differently in different places: treat as non-commercial",
    citation="Sinha, Khandait (2020): Impact of news on the commodity market: Dataset and results. arXiv:2009.04202",
    columns=(
        "Dates", "URL", "News", "Price Direction Up", "Price Direction Constant", "Price Direction Down",
        "Asset Comparision", "Past Information", "Future Information", "Price Sentiment",
    ),
    traps=(
        "separated by commas, and by tabs in some copies that are named .csv as well",
        "12 % of a random test split equal a training headline up to digits: they belong on one side",
        "3 % speak of the future and 97 % of the past: accuracy says nothing there",
        "a fifth have the price sentiment 'none', which is no neutral one",
        "the column 'Asset Comparision' is misspelt",
    ),
)  # fmt: skip
