"""FiQA 2018, task 1, as it is published: headlines and posts, with a score for each company that they name.

A file is one JSON object: ``{"55": {"sentence": "...", "info": [{"target": "...", "sentiment_score": "-0.2", ...}]}}``;
or a table, csv or parquet, with the columns ``sentence``, ``target`` and ``score``.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlorakit.errors import DataError
from qlorakit.file_readers import READERS, Reader
from qlorakit.task import FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding
from qlorakit_finance.phrasebank import BYTE_ORDER_MARK, LABEL

COLUMNS = ("sentence", "target", "score")  # of a table
NEUTRAL_UP_TO = 0.1  # the absolute score; FiQA has scores from -1 to 1 and no classes


def _is_fiqa(path: Path, head: Sequence[str]) -> bool:
    beginning = "\n".join(head)
    return path.suffix.lower() == ".json" and '"sentence"' in beginning and '"info"' in beginning


def _read_fiqa(path: Path) -> Iterable[tuple[int, Row]]:
    """A row for each company that an item names; the number is that of the item."""
    try:
        items = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        msg = f"{path} cannot be read as JSON in UTF-8 ({error}); download it once more"
        raise DataError(msg) from error
    if not isinstance(items, Mapping):
        msg = f"{path} holds a {type(items).__name__} where items by their numbers are expected"
        raise DataError(msg)
    for number, (key, item) in enumerate(items.items(), start=1):
        try:
            opinions = [(opinion["target"], float(opinion["sentiment_score"])) for opinion in item["info"]]
            sentence = item["sentence"]
        except (KeyError, OverflowError, TypeError, ValueError) as error:
            msg = f"{path}, item {key!r}: {type(error).__name__} {error}; it needs a sentence and an info list, each "
            msg += "entry of which has a target and a sentiment_score"
            raise DataError(msg) from error
        for target, score in opinions:
            yield number, _row(sentence, target, score, f"{path}, item {key!r}")


def _row(sentence: Any, target: Any, score: float, where: str) -> Row:  # noqa: ANN401  # the task checks what they are
    if not -1 <= score <= 1:
        msg = f"{where}: the score {score:g} is not between -1 and 1; correct it"
        raise DataError(msg)
    label = "neutral" if abs(score) <= NEUTRAL_UP_TO else "positive" if score > 0 else "negative"
    return {"text": sentence, "target": target, "label": label, "score": score}


def _is_csv(path: Path, head: Sequence[str]) -> bool:
    header = next(csv.reader([head[0].removeprefix(BYTE_ORDER_MARK)]), []) if head else []
    return path.suffix.lower() == ".csv" and _has_scores(header)


def _has_scores(names: Iterable[str]) -> bool:
    """Whether labels must be made from scores."""
    found = {name.strip().casefold() for name in names}
    return found.issuperset(COLUMNS) and found.isdisjoint((LABEL.name, *LABEL.aliases))


def _read_csv(path: Path) -> Iterable[tuple[int, Row]]:
    with path.open(encoding=file_encoding(path), newline="") as file:
        reader = csv.DictReader(file, strict=True)
        try:
            for cells in reader:
                if None in cells or None in cells.values():
                    msg = f"{path}, line {reader.line_num}: there are not as many cells as in the header"
                    raise DataError(msg)
                yield reader.line_num, _scored(cells, f"{path}, line {reader.line_num}")
        except csv.Error as error:
            msg = f"{path}, line {reader.reader.line_num}: {error}; is a quotation mark left open?"
            raise DataError(msg) from error


def _is_parquet(path: Path, head: Sequence[str]) -> bool:
    del head
    if path.suffix.lower() not in {".parquet", ".pq"}:
        return False
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return _has_scores(pq.read_schema(path).names)
    except (pa.ArrowException, OSError):
        return False  # the general reader says what is wrong


def _read_parquet(path: Path) -> Iterator[tuple[int, Row]]:
    for item in READERS["parquet"](Reader(path)):
        yield item.number, _scored(item.row or {}, f"{path}, row {item.number}")


def _scored(cells: Mapping[str, Any], where: str) -> Row:
    found = {name.strip().casefold(): cell for name, cell in cells.items()}
    if not found.keys() >= set(COLUMNS):
        msg = f"{where}: the columns {', '.join(COLUMNS)} are needed; is the header damaged?"
        raise DataError(msg)
    sentence, target, given = (found[name] for name in COLUMNS)
    try:
        score = float(given)
    except (OverflowError, TypeError, ValueError) as error:
        msg = f"{where}: column 'score' holds {given!r}, where a number from -1 to 1 is expected"
        raise DataError(msg) from error
    return _row(sentence, target, score, where)


FIQA_JSON = FileFormat("FiQA 2018 task 1 .json (a score for each company of a sentence)", _is_fiqa, _read_fiqa)
FIQA_CSV = FileFormat("FiQA .csv (sentence,target,score)", _is_csv, _read_csv)
FIQA_PARQUET = FileFormat("FiQA .parquet (sentence, target, score)", _is_parquet, _read_parquet)

FIQA = PublicDataset(
    name="FiQA 2018, task 1",
    identifier="TheFinAI/fiqa-sentiment-classification",
    url="https://sites.google.com/view/fiqa",
    licence="none stated by the challenge (a copy on the Hub says MIT): treat as research use only",
    citation=(
        "Maia, Handschuh, Freitas, Davis, McDermott, Zarrouk, Balahur (2018): WWW'18 open challenge: Financial opinion "
        "mining and question answering"
    ),
    columns=("_id", "sentence", "target", "aspect", "score", "type"),
    traps=(
        "a score from -1 to 1 and no class: up to 0.1 either way counts as neutral here",
        "a headline may be good for one company and bad for another: the target must stand in the prompt",
        "headlines occur once for each company: rows of one headline belong on one side of a split",
    ),
)
