"""InLegalNER, entities in Indian court judgments, in both forms in which it is found.

The publisher's ``.json`` is an export of an annotation tool: a list of entries, each with a text, the result of its
annotation, and under ``meta`` where the judgment is published.  The other form, ``.jsonl``, has a text and its entities
in each line, as they come out of the publisher's spaCy files, which do not tell the judgment.

An entry is either a preamble, which is the heading of a judgment, or a sentence from its body: different texts in which
different types are marked.  The column ``part`` says which it is, so that reports can be sliced by it.
"""

import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlorakit.cells import is_blank, required_text
from qlorakit.errors import DataError
from qlorakit.file_readers import READERS, Reader
from qlorakit.task import FileFormat, PublicDataset, Row

logger = logging.getLogger(__name__)

TYPES = (
    "court", "petitioner", "respondent", "judge", "lawyer", "date", "org", "gpe", "statute", "provision", "precedent",
    "case_number", "witness", "other_person",
)  # fmt: skip
TYPES_OF_PREAMBLES = TYPES[:5]
FEWEST_LINES = 5  # of a preamble: the shortest published one has 5 that are not blank, and no sentence more than 4
PREAMBLE, SENTENCE = "preamble", "sentence"

_ADDRESS = re.compile(r"https?://[^\s\"<>]+")
_FIRST_ENTRY = re.compile(r"\s*\[\s*\{")
_RESULT = re.compile(r'"annotations"\s*:\s*\[')
_MARK = "ï»¿"  # UTF-8's byte-order mark, as latin-1 reads it

Counts = Counter[str]
BLANK = "spans of white space alone are left out"
TRIMMED = "spans lose the white space at their ends"
REPEATED = "spans that are there twice are read once"
NO_SPAN = "results without labels, such as relations and choices, are left out"
BARE = "preambles have no entity at all, though each names a court or its parties; are they not annotated?"


def is_preamble(row: Row) -> bool:
    """Whether a row's text is the preamble of a judgment, told by its lines: five or more that are not blank.

    Of the published development set, this finds the 125 preambles and none of the 949 sentences.

    Args:
        row: With the column ``text``, its line breaks as they were.

    Raises:
        DataError: There is no text.
    """
    lines = required_text(row, "text").splitlines()
    return sum(not is_blank(line) for line in lines) >= FEWEST_LINES


def part_of(row: Row) -> str:
    """Whether a row is a ``"preamble"`` or a ``"sentence"``: what its column ``part`` says, or else its lines.

    Args:
        row: With the column ``part``, or else ``text``; see :func:`is_preamble`.

    Raises:
        DataError: There is no text.
    """
    told = row.get("part")
    return str(told) if told in (PREAMBLE, SENTENCE) else PREAMBLE if is_preamble(row) else SENTENCE


# Rows of both forms


def _read(path: Path, row_of: Callable[[Row, Counts], dict[str, Any]], kind: str) -> Iterator[tuple[int, Row]]:
    """Rows with their numbers; what had to be changed is counted in the log."""
    counts: Counts = Counter()
    for item in READERS[kind](Reader(path)):
        where = f"{path}, {'line' if kind == 'jsonl' else 'entry'} {item.number}"
        if item.row is None:
            msg = f"{where}: {item.error}"
            raise DataError(msg)
        try:
            row = row_of(item.row, counts)
            row["part"] = row.get("part") or part_of(row)
        except DataError as error:
            msg = f"{where}: {error}"
            raise DataError(msg) from error
        counts[BARE] += row["entities"] == [] and is_preamble(row)
        yield item.number, row
    for what, count in counts.items():
        if count:
            logger.warning("%s: %d %s", path, count, what)


def _tidy(spans: Sequence[Any], text: str, counts: Counts) -> list[Any]:
    """Spans without white space at their ends, each once; what is no span is left for the task to name."""
    found: list[Any] = []
    taken: set[tuple[int, int, str]] = set()
    for span in spans:
        start, end = (span.get("start"), span.get("end")) if isinstance(span, Mapping) else (None, None)
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= len(text):
            found.append(span)
            continue
        said = text[start:end]
        first, last = start + len(said) - len(said.lstrip()), end - len(said) + len(said.rstrip())
        if first >= last:
            counts[BLANK] += 1
            continue
        counts[TRIMMED] += (first, last) != (start, end)
        place = first, last, str(span.get("label")).casefold()
        if place in taken:
            counts[REPEATED] += 1
            continue
        taken.add(place)
        found.append({**span, "start": first, "end": last})
    return found


# The publisher's JSON


def _is_export(path: Path, head: Sequence[str]) -> bool:
    beginning = "\n".join(head).removeprefix(_MARK)
    return path.suffix.lower() == ".json" and bool(_FIRST_ENTRY.match(beginning) and _RESULT.search(beginning))


def _read_export(path: Path) -> Iterator[tuple[int, Row]]:
    return _read(path, row_of_entry, "json")


def row_of_entry(entry: Row, counts: Counts | None = None) -> dict[str, Any]:
    """The row of an entry of the publisher's JSON, such as a row of its copy on the Hub.

    Args:
        entry: With ``data``, ``annotations`` and perhaps ``id`` and ``meta``.
        counts: Where what had to be changed is counted, in words.

    Returns:
        ``{"text", "entities", "document", "id"}``: the entities as mappings with ``start``, ``end``, ``label`` and
        ``text``, ``None`` where nothing was annotated; as the document, the address of the judgment, or all that is
        said of its source; ``None`` where nothing is.

    Raises:
        DataError: A part is missing or of another form, or there are several annotations.
    """
    counts = Counter() if counts is None else counts
    data, meta = entry.get("data"), entry.get("meta")
    if not isinstance(data, Mapping):
        raise DataError(_OTHER_FORM.format("data", type(data).__name__, '{"text": "..."}'))
    text = required_text(data, "text")
    results = _results(entry.get("annotations"))
    spans = None if results is None else [span for result in results for span in _spans(result, counts)]
    return {
        "text": text,
        "entities": None if spans is None else _tidy(spans, text, counts),
        "document": _document(meta.get("source") if isinstance(meta, Mapping) else None),
        "id": entry.get("id"),
    }


_OTHER_FORM = "{!r} holds {} where {} is needed; is the file an export of another kind?"


def _results(annotations: object) -> Sequence[Any] | None:
    """What was marked in a text; ``None`` where nobody has annotated it."""
    if isinstance(annotations, list) and len(annotations) > 1:
        msg = f"'annotations' holds {len(annotations)} annotations, and which is right is not guessed; keep one"
        raise DataError(msg)
    if annotations == []:
        return None
    first = annotations[0] if isinstance(annotations, list) else None
    results = first.get("result") if isinstance(first, Mapping) else None
    if not isinstance(results, list):
        raise DataError(_OTHER_FORM.format("annotations", type(annotations).__name__, '[{"result": [...]}]'))
    return results


def _spans(result: object, counts: Counts) -> Iterator[dict[str, Any]]:
    """Of a result, a span for each of its labels."""
    value = result.get("value") if isinstance(result, Mapping) else None
    if not isinstance(value, Mapping) or not isinstance(value.get("labels"), list):
        counts[NO_SPAN] += 1
        return
    for label in value["labels"]:
        yield {name: value.get(name) for name in ("start", "end", "text")} | {"label": label}


def _document(source: object) -> str | None:
    """The address in what is said of a source, so that two ways to name it are one document; or else all of it."""
    if not isinstance(source, str) or is_blank(source):
        return None
    address = _ADDRESS.search(source)
    return (address[0] if address else " ".join(source.split())).rstrip("/")


# A text and its entities in each line


def _is_decoded(path: Path, head: Sequence[str]) -> bool:
    """Whether lines have a text and a list of entities, of which one at least is of a published type."""
    lists = [line.get("entities") for line in map(_object, head) if "text" in line]
    items = [item for found in lists if isinstance(found, list) for item in found if isinstance(item, Mapping)]
    return path.suffix.lower() == ".jsonl" and any(str(item.get("label")).casefold() in TYPES for item in items)


def _object(line: str) -> Mapping[str, Any]:
    """The object in a line; an empty one where there is none, or its line is too long to have been read whole."""
    try:
        found = json.loads(line.removeprefix(_MARK))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _read_decoded(path: Path) -> Iterator[tuple[int, Row]]:
    return _read(path, _row_of_line, "jsonl")


def _row_of_line(line: Row, counts: Counts) -> dict[str, Any]:
    """A line as it is, without the tokens of spaCy, which are not those of the task."""
    row = {name: value for name, value in line.items() if name != "tokens"}
    counts["rows lose the column 'tokens', which the task does not read"] += "tokens" in line
    spans = row.get("entities")
    return {**row, "entities": _tidy(spans, required_text(row, "text"), counts) if isinstance(spans, list) else spans}


EXPORT_JSON = FileFormat("InLegalNER .json (a list of texts with their annotations)", _is_export, _read_export)
DECODED_JSONL = FileFormat("InLegalNER .jsonl (a text and its entities in each line)", _is_decoded, _read_decoded)

IN_LEGAL_NER = PublicDataset(
    name="InLegalNER",
    identifier="opennyaiorg/InLegalNER",
    url="https://github.com/Legal-NLP-EkStep/legal_NER",
    licence="Apache-2.0, as the repository and the card on the Hub state",
    citation=(
        "Kalamkar, Agarwal, Tiwari, Gupta, Karn, Raghavan (2022): Named entity recognition in Indian court judgments. "
        "Natural Legal Language Processing Workshop 2022, 184-193"
    ),
    columns=("id", "annotations", "data", "meta"),
    traps=(
        (
            "two kinds of text in one: 125 preambles, with 1,193 entities of 5 types, and 949 sentences, with 1,835 of "
            "13 types, in the development set; F1 over both says little of either"
        ),
        (
            "a preamble's dates, case numbers, laws and organisations are not marked: 69 of 125 hold dates such as "
            "31.07.2019, of which 169 of 176 are marked in sentences"
        ),
        (
            "lawyers are marked in preambles alone; in sentences there are 9 petitioners, 8 judges and 4 respondents, "
            "and other people are other_person"
        ),
        (
            "State of Andhra Pradesh is a respondent 4 times and an org 8 times: 30 of 2,333 distinct mentions have "
            "several types"
        ),
        "12 of the 125 preambles have no entity at all, though each names a court or its parties: not annotated",
        "45 % of the preambles' characters are white space: 97 entities run over a line break, 101 hold two spaces",
        (
            "26 preambles need more than 256 tokens of qlorakit/tiny for their entities in lines with types in "
            "capitals, one of them 929; 14 do in lower case, with 775 at most"
        ),
        (
            "preambles have hardly a word in capitals (18 of four letters or more), as the publisher gave such words a "
            "single one, In The Supreme Court, The 13Th Day: write those of your own so"
        ),
        "the spaCy form does not tell the judgment, and its sentences stand in random order",
        (
            "8 sentences name the case of a preamble of the same file: a split of one file has judgments on two sides "
            "where the document is not known"
        ),
        "two sentences are near-duplicates, none is there twice",
        "the number of a footnote ends 11 mentions: State of West Bengal36",
        "the Supreme Court is S U P R E M E C O U R T in 7 entities; hyphens are soft ones (U+00AD) in 18 texts",
        "196 sentences of the 949 hold no entity; 62 entities follow another with one character or none between",
        "a dictionary of 70 % of the development set has an F1 of 0.24 to 0.30 on 20 % of it (five splits)",
        (
            "none of the 3,028 entities of the development set overlap, begin or end in a word, or in white space; "
            "written as lines, two cannot be told from an earlier mention of the same words"
        ),
        "the training set was not at hand when this was written: none of these figures are about it",
    ),
)
