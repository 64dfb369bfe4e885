"""FiNER-ORD, entities in financial news, as it is published: a token with a number for its tag in each line."""

import csv
import gzip
import io
import itertools
import logging
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qlorakit.errors import DataError
from qlorakit.task import FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding

logger = logging.getLogger(__name__)

COLUMNS = ("gold_label", "gold_token", "doc_idx")
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")  # by their numbers
ENDINGS = (".csv.gz", ".csv")
MOST_WORDS = 100  # of a sentence: what is longer is a table or a list
STOP = re.compile(r"[.!?]+")
GOING_ON = ",;:.!?"
CLOSING = frozenset(("”", "’", "’’", "''", ")", "]"))  # noqa: RUF001  # quotation marks as published
UNREADABLE = OSError, EOFError, zlib.error, UnicodeDecodeError  # what a damaged gzip file raises


@dataclass(frozen=True)
class Token:
    """A line of a file.

    Attributes:
        line: Its number.
        text: The word or sign.
        tag: In the scheme BIO.
        document: To which it belongs.
    """

    line: int
    text: str
    tag: str
    document: str


def _stem(path: Path) -> str:
    ending = next((ending for ending in ENDINGS if path.name.lower().endswith(ending)), "")
    return path.name[: len(path.name) - len(ending)]


def _open(path: Path) -> io.TextIOWrapper:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding=file_encoding(path), newline="")


def _is_finer(path: Path, head: Sequence[str]) -> bool:
    """Whether the header is that of FiNER-ORD; of a gzip file, the one inside."""
    if not path.name.lower().endswith(ENDINGS):
        return False
    if path.suffix.lower() == ".gz":
        try:
            with _open(path) as file:
                head = [file.readline()]
        except UNREADABLE:
            return False
    return bool(head) and set(COLUMNS) <= {name.strip().strip('"') for name in head[0].split(",")}


def _read_finer(path: Path) -> Iterable[tuple[int, Row]]:
    """Sentences, each with its document: the file and the document's number in it."""
    repaired = cut = divided = 0
    for document, found in itertools.groupby(_tokens(path), key=lambda token: token.document):
        tokens = list(found)
        tags = _valid([token.tag for token in tokens])
        repaired += sum(tag != token.tag for tag, token in zip(tags, tokens, strict=True))
        words = [token.text for token in tokens]
        for begin, end, whole in _sentences(words):
            cut += not whole
            divided += tags[begin].startswith("I-")
            row = {"tokens": words[begin:end], "tags": _valid(tags[begin:end]), "document": f"{_stem(path)}/{document}"}
            yield tokens[begin].line, row
    if cut:
        logger.warning("%s: cut %d times in sentences of more than %d words", path, cut, MOST_WORDS)
    if divided:
        logger.warning("%s: %d entities stand across two sentences, as they are found, and become two", path, divided)
    if repaired:
        logger.warning("%s: %d tags continued no entity of their type and now begin one", path, repaired)


def _tokens(path: Path) -> Iterator[Token]:
    try:
        with _open(path) as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip() for name in next(reader, [])]
            if not set(COLUMNS) <= set(header):
                msg = f"{path}: the columns {', '.join(COLUMNS)} are needed; is the header damaged?"
                raise DataError(msg)
            places = [header.index(name) for name in COLUMNS]
            for cells in reader:
                if cells:
                    yield _token(path, reader.line_num, cells, places)
    except UNREADABLE as error:
        msg = f"{path} cannot be read ({type(error).__name__}: {error}); was a copy or a download cut off?"
        raise DataError(msg) from error
    except csv.Error as error:
        msg = f"{path}, line {reader.line_num}: {error}; is a quotation mark left open?"
        raise DataError(msg) from error


def _token(path: Path, line: int, cells: Sequence[str], places: Sequence[int]) -> Token:
    if len(cells) <= max(places):
        msg = f"{path}, line {line}: {len(cells)} cells where {', '.join(COLUMNS)} are expected"
        raise DataError(msg)
    number, text, document = (cells[place] for place in places)
    if number not in map(str, range(len(TAGS))):
        known = ", ".join(f"{place} {tag}" for place, tag in enumerate(TAGS))
        msg = f"{path}, line {line}: column 'gold_label' holds {number!r}, which is none of {known}"
        raise DataError(msg)
    if not text.strip():
        msg = f"{path}, line {line}: column 'gold_token' is empty; was the file saved by a program that takes None or "
        msg += "NAN, which are words here, for missing values?"
        raise DataError(msg)
    return Token(line, text, TAGS[int(number)], document)


def _valid(tags: Sequence[str]) -> list[str]:
    """Tags in which an entity begins with B: one that would continue none of its type begins one."""
    before = ["O", *tags]
    return [
        f"B-{tag[2:]}" if tag.startswith("I-") and last[2:] != tag[2:] else tag
        for last, tag in zip(before, tags, strict=False)
    ]


def _sentences(words: Sequence[str]) -> Iterator[tuple[int, int, bool]]:
    """Where each sentence begins and ends, and whether it ends there by itself: by the words, never by the tags."""
    begin = 0
    for end in [*_ends(words), len(words)]:
        while end - begin > MOST_WORDS:
            cut = _cut(words, begin)
            yield begin, cut, False
            begin = cut
        if begin < end:
            yield begin, end, True
            begin = end


def _ends(words: Sequence[str]) -> Iterator[int]:
    """After a full stop and what closes with it, unless the sentence visibly goes on."""
    quoted = False
    for place, word in enumerate(words):
        quoted ^= word == '"'
        if not STOP.fullmatch(word):
            continue
        end = place + 1
        still = quoted
        while end < len(words) and (words[end] in CLOSING or (words[end] == '"' and still)):
            still &= words[end] != '"'
            end += 1
        if end == len(words) or not (words[end][0].islower() or words[end][0] in GOING_ON):
            yield end


def _cut(words: Sequence[str], begin: int) -> int:
    """Where a sentence that is too long ends: after its last comma, or else hard."""
    last = begin + MOST_WORDS
    return next((end for end in range(last, begin, -1) if words[end - 1] == ","), last)


FINER_CSV = FileFormat("FiNER-ORD .csv and .csv.gz (gold_label,gold_token,doc_idx)", _is_finer, _read_finer)

FINER_ORD = PublicDataset(
    name="FiNER-ORD",
    identifier="gtfintechlab/finer-ord",
    url="https://github.com/gtfintechlab/FiNER",
    licence="CC BY-NC 4.0: no commercial use",
    citation=(
        "Shah, Gullapalli, Vithani, Galarnyk, Chava (2023): FiNER-ORD: Financial named entity recognition open "
        "research dataset. arXiv:2302.11157"
    ),
    columns=COLUMNS,
    traps=(
        "tags are numbers: 0 O, 1 PER_B, 2 PER_I, 3 LOC_B, 4 LOC_I, 5 ORG_B, 6 ORG_I",
        "sentences are not marked, only documents: they are found by their full stops, whatever the tags",
        "1, 8 and 6 entities of the three files, such as Yahoo ! Finance, stand across two sentences and become two",
        'tokens such as "None", "NAN" and "null" are words, which pandas takes for missing values by itself',
        "a token may be a quotation mark or a comma",
        "some words are cut in two",
        "documents are numbered from 0 in each file: a number says nothing without its file",
    ),
)
