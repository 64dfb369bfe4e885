"""Headlines on gold as they are published: a table separated by tabs, though its name ends in ``.csv``."""

import csv
import datetime as dt
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from qlorakit.errors import DataError
from qlorakit.task import FileFormat, PublicDataset, Row

logger = logging.getLogger(__name__)

TEXT, DATE, SENTIMENT = "News", "Dates", "Price Sentiment"
DATE_FORMATS = "%d-%m-%Y", "%d/%m/%Y"  # agreeing with the dates in the addresses of 5,390 of 5,393 headlines
NO_SENTIMENT = "none"  # what a headline has that says nothing about the price


def is_gold_headlines(path: Path, head: Sequence[str]) -> bool:
    """Whether a file begins with the published header."""
    names = head[0].split("\t") if head else []
    return path.suffix.lower() in {".csv", ".tsv"} and TEXT in names and SENTIMENT in names


def read_gold_headlines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The cells of each headline by the published names, with the number of its line.

    Dates become ISO 8601; those that cannot be read become empty, which is logged with their number.

    Raises:
        DataError: A line has too few or too many cells, or the file is not in UTF-8.
    """
    undated = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t", strict=True)
            for row in reader:
                if None in row or None in row.values():
                    msg = f"{path}, line {reader.line_num}: there are not as many cells as in the header"
                    raise DataError(msg)
                date = _iso_date(row.get(DATE) or "")
                undated += not date
                yield reader.line_num, {**row, DATE: date}
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"{path} cannot be read as a table in UTF-8 ({error}); download it once more"
        raise DataError(msg) from error
    if undated:
        logger.warning("%s: %d dates, such as those with a damaged year, cannot be read and are empty", path, undated)


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


GOLD_SENTIMENT = FileFormat("gold headlines .csv (separated by tabs)", is_gold_headlines, _read_sentiment)

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
        "separated by tabs, though named .csv",
        "12 % of a random test split equal a training headline up to digits: they belong on one side",
        "3 % speak of the future and 97 % of the past: accuracy says nothing there",
        "a fifth have the price sentiment 'none', which is no neutral one",
        "the column 'Asset Comparision' is misspelt",
    ),
)  # fmt: skip
