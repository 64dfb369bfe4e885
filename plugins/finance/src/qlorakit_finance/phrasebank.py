"""Financial PhraseBank as it is published: ``sentence@label`` in text files, ``label,sentence`` in a csv of Kaggle."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from qlorakit.errors import DataError
from qlorakit.task import Column, FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding

BYTE_ORDER_MARK = "\ufeff".encode().decode("latin-1")  # UTF-8's, in a head that is read as Latin-1
LABELS = ("negative", "neutral", "positive")
LABEL = Column("label", aliases=("sentiment", "labels", "class", "answer"), label=True)


def _lines(path: Path) -> Iterator[str]:
    """Lines as the file parts them: as published in Latin-1, or in UTF-8 or another encoding of a copy."""
    with path.open(encoding=file_encoding(path), newline="\n") as file:
        yield from file


def _is_text(path: Path, head: Sequence[str]) -> bool:
    lines = [line for line in head if line.strip()]
    return path.suffix.lower() == ".txt" and any(line.strip().rpartition("@")[2] in LABELS for line in lines)


def _read_lines(path: Path) -> Iterable[tuple[int, Row]]:
    """Lines of ``sentence@label``; a sentence may hold an @ of its own, so the last one counts."""
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        sentence, separator, label = line.strip().rpartition("@")
        if not separator:
            msg = f"{path}, line {number}: no '@' between sentence and label in {line.strip()[:60]!r}"
            raise DataError(msg)
        yield number, {"text": sentence.strip(), "label": label}


def _is_csv(path: Path, head: Sequence[str]) -> bool:
    first = head[0].removeprefix(BYTE_ORDER_MARK).split(",", maxsplit=1) if head else []
    return path.suffix.lower() == ".csv" and len(first) > 1 and first[0].strip('"') in LABELS


def _read_csv(path: Path) -> Iterable[tuple[int, Row]]:
    """``label,sentence`` without a header."""
    reader = csv.reader(_lines(path), strict=True)
    try:
        for cells in reader:
            if cells:
                if len(cells) != 2:  # noqa: PLR2004  # label and sentence
                    msg = (
                        f"{path}, line {reader.line_num}: {len(cells)} cells where a label and a sentence are expected"
                    )
                    raise DataError(msg)
                yield reader.line_num, {"text": cells[1].strip(), "label": cells[0]}
    except csv.Error as error:
        msg = f"{path}, line {reader.line_num}: {error}; is a quotation mark left open?"
        raise DataError(msg) from error


PHRASEBANK_TEXT = FileFormat("Financial PhraseBank .txt (sentence@label)", _is_text, _read_lines)
PHRASEBANK_CSV = FileFormat("Financial PhraseBank .csv (label,sentence without a header)", _is_csv, _read_csv)

PHRASEBANK = PublicDataset(
    name="Financial PhraseBank v1.0",
    identifier="takala/financial_phrasebank",
    url="https://www.researchgate.net/publication/251231364_FinancialPhraseBank-v10",
    licence="CC BY-NC-SA 3.0: no commercial use",
    citation=(
        "Malo, Sinha, Korhonen, Wallenius, Takala (2014): Good debt or bad debt: Detecting semantic orientations in "
        "economic texts. JASIST 65(4)"
    ),
    columns=("sentence", "label"),
    traps=(
        "Latin-1, not UTF-8; letters outside ASCII are damaged in the csv, such as Lemmink+\xc6inen",
        "a sentence may hold '@': the last one separates the label",
        "the four agreement levels are nested: never train on one and test on another",
        "a handful of duplicates, two of them with two labels at 50 % agreement",
        "59 to 62 % neutral: accuracy alone flatters",
    ),
)
