"""MTSamples as it is published: one line for each transcription and each specialty that it is listed under.

Lines of the same text are merged into one row, as rows of one text would otherwise contradict each other and fall on
both sides of a split.  Kaggle's form of the file is read as the other: it has a space before each label, an index
without a name as its first column or no header at all, and commas where the report had line breaks.

Files are merged as they are read.  Rows in memory, of the Hub or in parquet are not: :func:`merge_rows` does it.
"""

import csv
import json
import logging
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from qlorakit.cells import required_text
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.file_readers import ENDINGS, READERS, SEPARATORS, Reader
from qlorakit.task import FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding

logger = logging.getLogger(__name__)

BYTE_ORDER_MARK = "\ufeff".encode().decode("latin-1")  # UTF-8's, in a head that is read as Latin-1
MARKS = (BYTE_ORDER_MARK, "\xff\xfe", "\xfe\xff")  # and UTF-16's
TEXT, SPECIALTY, NAME = "transcription", "medical_specialty", "sample_name"
DESCRIPTION, KEYWORDS = "description", "keywords"
KAGGLE_COLUMNS = ("", DESCRIPTION, SPECIALTY, NAME, TEXT, KEYWORDS)
INDEX = frozenset({"", "unnamed: 0"})  # how a column without a name is called
PUBLISHED = INDEX.union(KAGGLE_COLUMNS, ("index", "sample_id", "type_id", "url"))
TABLES = {"csv", "tsv"}
TAKEN = frozenset({"text", "labels", "label", "answer", "name"})  # what rows of the tasks have
_JSON_NAME = re.compile(r'"([^"\\]+)"\s*:')

# What kind of report it is, whichever part of the body it is about.  Radiology and pathology are among them, as their
# reports tell how something was examined, and 269 of the 281 are also listed under what that was; and so is general
# medicine, which is bound to no part, and 252 of whose 259 reports are also listed elsewhere, mostly as consultations.
DOCUMENT_TYPES = {
    "Autopsy": "an autopsy report",
    "Consult - History and Phy.": "a consultation, or a history and physical examination",
    "Discharge Summary": "a discharge summary",
    "Emergency Room Reports": "an emergency room report",
    "General Medicine": "a general medicine report, bound to no organ",
    "IME-QME-Work Comp etc.": "an examination for an insurer, a court or an employer",
    "Lab Medicine - Pathology": "a laboratory or pathology report",
    "Letters": "a letter",
    "Office Notes": "an office note or template",
    "Radiology": "a radiology or other imaging report",
    "SOAP / Chart / Progress Notes": "a progress, chart or SOAP note",
    "Surgery": "a report of an operation or procedure",
}
# The field of medicine that it belongs to: an organ, a disease, a group of patients or a profession.
ORGAN_SPECIALTIES = {
    "Allergy / Immunology": "allergy and immunology",
    "Bariatrics": "bariatrics (obesity)",
    "Cardiovascular / Pulmonary": "heart, vessels and lungs",
    "Chiropractic": "chiropractic",
    "Cosmetic / Plastic Surgery": "cosmetic and plastic surgery",
    "Dentistry": "dentistry",
    "Dermatology": "dermatology (skin)",
    "Diets and Nutritions": "diet and nutrition",
    "ENT - Otolaryngology": "ear, nose and throat",
    "Endocrinology": "endocrinology (hormones, thyroid, diabetes)",
    "Gastroenterology": "gastroenterology (digestive tract)",
    "Hematology - Oncology": "blood and cancer",
    "Hospice - Palliative Care": "hospice and palliative care",
    "Nephrology": "nephrology (kidneys)",
    "Neurology": "neurology (brain and nerves)",
    "Neurosurgery": "neurosurgery (brain and spine)",
    "Obstetrics / Gynecology": "obstetrics and gynecology",
    "Ophthalmology": "ophthalmology (eyes)",
    "Orthopedic": "orthopedics (bones and joints)",
    "Pain Management": "pain management",
    "Pediatrics - Neonatal": "children and newborns",
    "Physical Medicine - Rehab": "physical medicine and rehabilitation",
    "Podiatry": "podiatry (feet)",
    "Psychiatry / Psychology": "psychiatry and psychology",
    "Rheumatology": "rheumatology",
    "Sleep Medicine": "sleep medicine",
    "Speech - Language": "speech and language",
    "Urology": "urology (urinary tract)",
}
SPECIALTIES = tuple(sorted((*ORGAN_SPECIALTIES, *DOCUMENT_TYPES), key=str.casefold))
_SPELLINGS = {label.casefold(): label for label in SPECIALTIES}

# What stands in Kaggle's form where the report had white space with a line break in it.
_AFTER_COLON = re.compile(r": *,[ ,]*")
_BREAK = re.compile(
    r"[ ,]* ,[ ,]*"  # white space comes before no comma of a sentence
    r"|(?<=\D),(?=[A-Z\d*#(])"  # and after each, except for those of numbers such as 1,000
    r"|(?<=\d),(?=[A-Z*#(])"
)
_ITEM = re.compile(r"\d{1,2}\.\s")


def text_key(text: str) -> str:
    """The text without white space and commas: the same for a report in both forms of the file."""
    return re.sub(r"[\s,]+", "", text)


def same_text(row: Row) -> Hashable:
    """What rows of one text have in common, so that they stay on one side of a split."""
    text = required_text(row, "text")
    return text_key(text) or text


def restore_breaks(text: str) -> str:
    """A report in Kaggle's form with line breaks where commas stand for them.

    Which commas do is told by what is around them: white space before one, none after it, or a colon before it.

    Args:
        text: As in Kaggle's file, in one line.

    Returns:
        The text with runs of spaces as one, headings on lines of their own, and the commas of sentences and numbers.
    """
    text = re.sub(r",+(?=:)", "", " ".join(text.split()).rstrip(" ,"))
    text = _AFTER_COLON.sub(_after_colon, text)
    return _BREAK.sub(lambda found: "\n" if _ITEM.match(found.string, found.end()) else "\n\n", text)


def _after_colon(found: re.Match[str]) -> str:
    """A heading's text stands on its line, unless it is a list or begins right after the comma."""
    return ":\n" if found[0] == ":," or _ITEM.match(found.string, found.end()) else ": "


def is_transcriptions(path: Path, head: Sequence[str]) -> bool:
    """Whether a table, or JSON, has the published columns, or a csv file begins as Kaggle's form without a header."""
    return {TEXT, SPECIALTY} <= _published_names(path, head)[1]


def _is_described(path: Path, head: Sequence[str]) -> bool:
    """Whether there are descriptions as well."""
    return {TEXT, SPECIALTY, DESCRIPTION} <= _published_names(path, head)[1]


def _published_names(path: Path, head: Sequence[str]) -> tuple[str, frozenset[str]]:
    """What separates the cells, and the names of the columns, case-folded; none for other files."""
    kind = ENDINGS.get(path.suffix.lower(), "csv")
    plain = [line.replace("\0", "") for line in head]  # which every other byte of UTF-16's ASCII letters is
    if kind in {"json", "jsonl"}:
        return "", frozenset(name.strip().casefold() for name in _JSON_NAME.findall("\n".join(plain)))
    first = plain[0] if plain and kind in TABLES else ""
    for mark in MARKS:
        first = first.removeprefix(mark)
    if kind == "csv" and _is_kaggle_line(next(csv.reader([first]), [])):
        return "", frozenset(KAGGLE_COLUMNS)
    for separator in SEPARATORS:
        names = frozenset(name.strip().casefold() for name in next(csv.reader([first], delimiter=separator), []))
        if {TEXT, SPECIALTY} <= names:
            return separator, names
    return "", frozenset()


def _is_kaggle_line(cells: Sequence[str]) -> bool:
    return len(cells) == len(KAGGLE_COLUMNS) and cells[0].isdigit() and cells[2].strip().casefold() in _SPELLINGS


def read_transcriptions(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """One row for each distinct text, with the number of the first line that has it.

    See :func:`merge_rows` for what becomes of the lines.

    Args:
        path: A csv or tsv file of transcriptions, with any usual separator and case of the column names, or json, or
            json lines; or Kaggle's form without a header.

    Yields:
        The line's number and the row.

    Raises:
        DataError: A line has too few or too many cells, a quotation mark is left open, or columns are ambiguous.
    """
    yield from _merged(_lines(path), str(path))


def merge_rows(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """One row for each distinct text, of rows as published, such as those of a copy on the Hub or in parquet.

    Texts are compared without white space and commas.  Rows without a text, or with ``nan`` alone, are left out.
    Where commas stand for line breaks, these are restored: in rows with Kaggle's columns and its index, or with a label
    that begins with a space, unless the text has line breaks of its own.  All of this is counted in the log.

    Args:
        rows: With the columns ``transcription`` and ``medical_specialty``, in any case of their names.  The latter
            holds one label, several that are parted by semicolons, a JSON list, or a list.

    Returns:
        ``{"text", "labels", "name", "description", "keywords"}`` and the source's own columns: the text, the list of
        its specialties in their published spelling, ``None`` where no row has one, and the rest as in the first row,
        ``None`` where that is empty.  Columns that are published but tell the specialty, such as an address, are not
        in it.

    Raises:
        ConfigurationError: A path or something else that holds no rows is given.
        DataError: A column that is needed is not there, two claim to be the same, or a row is no mapping.
    """
    if isinstance(rows, str | bytes | PathLike | Mapping) or not isinstance(rows, Iterable):
        msg = (
            f"merge_rows takes rows, such as [{{{TEXT!r}: ..., {SPECIALTY!r}: ...}}], not {type(rows).__name__}; a "
            "file is merged by read_transcriptions(Path(...)), or by read_rows with the task"
        )
        raise ConfigurationError(msg)
    return [row for _, row in _merged(enumerate(map(_mapping, rows), start=1), "the rows")]


def _mapping(row: object) -> Row:
    if not isinstance(row, Mapping):
        msg = (
            f"merge_rows: a row is of type {type(row).__name__}, not a mapping from column names to cells; of a pandas "
            'table, pass table.to_dict("records")'
        )
        raise DataError(msg)
    return row


def _merged(lines: Iterable[tuple[int, Row]], source: str) -> Iterator[tuple[int, dict[str, Any]]]:
    rows: dict[Hashable, tuple[int, dict[str, Any]]] = {}
    counts: Counter[str] = Counter()
    names: set[str] = set()
    for number, line in lines:
        cells, own = _named(line, source)
        names |= cells.keys()
        text = _cell(cells.get(TEXT))
        key = text_key(text) if isinstance(text, str) else number
        if text is None or key == "":
            counts["lines without a transcription are left out"] += 1
            continue
        row = {**_row(cells, text), **own}
        if key not in rows:
            rows[key] = number, row
            counts["texts in Kaggle's form have line breaks where commas stood for them"] += row["text"] != text
        else:
            counts["lines with the text of an earlier line are merged into its row"] += 1
            others = any(rows[key][1].get(name) != value for name, value in own.items())
            counts["of these differ in columns of your own, of which the first line's values are kept"] += others
        found = rows[key][1]["labels"]
        found.extend(label for label in _labels(cells) if label not in found)
    if names and not {TEXT, SPECIALTY} <= names:
        msg = f"{source}: {TEXT!r} and {SPECIALTY!r} are needed; found: {', '.join(map(repr, sorted(names)))}"
        raise DataError(msg)
    _log_counts(source, counts)
    for number, row in rows.values():
        yield number, {**row, "labels": row["labels"] or None}


def _named(line: Row, source: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Cells by their names, case-folded, and those in columns that are not published by their names as they are."""
    cells = {name.strip().casefold(): cell for name, cell in line.items()}
    if len(cells) < len(line):
        msg = f"{source}: columns differ in case or surrounding spaces alone: {', '.join(map(repr, line))}; rename one"
        raise DataError(msg)
    claimed = sorted(TAKEN & cells.keys())
    if claimed:
        msg = f"{source}: the column {claimed[0]!r} would be taken for what is made of the published ones; rename it"
        raise DataError(msg)
    return cells, {name.strip(): _cell(cell) for name, cell in line.items() if name.strip().casefold() not in PUBLISHED}


def _row(cells: Mapping[str, Any], text: Any) -> dict[str, Any]:  # noqa: ANN401  # whatever a cell holds
    restorable = isinstance(text, str) and "\n" not in text and _is_kaggles(cells)
    return {
        "text": restore_breaks(text) if restorable else text, "labels": [], "name": _cell(cells.get(NAME)),
        "description": _cell(cells.get(DESCRIPTION)), "keywords": _cell(cells.get(KEYWORDS)),
    }  # fmt: skip


def _is_kaggles(cells: Mapping[str, Any]) -> bool:
    """Whether a line has Kaggle's columns with its index, or Kaggle's space before its label."""
    return (cells.keys() >= set(KAGGLE_COLUMNS[1:]) and not INDEX.isdisjoint(cells)) or str(
        cells.get(SPECIALTY)
    ).startswith(" ")


def _labels(cells: Mapping[str, Any]) -> Iterator[Any]:
    """Of a line, in the published spelling; what is no specialty stays as it is, to be named by the task."""
    for item in _listed(cells.get(SPECIALTY)):
        label = _cell(item)
        if label is not None:
            yield _SPELLINGS.get(label.casefold(), label) if isinstance(label, str) else label


def _listed(given: Any) -> list[Any]:  # noqa: ANN401  # whatever a cell holds
    """The labels of a cell: of a list, a JSON list, or a text with semicolons between them."""
    if isinstance(given, str) and given.lstrip().startswith("["):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return [given]  # to be named by the task
    if isinstance(given, str):
        return given.split(";")
    return given if isinstance(given, list) else [given]


def _cell(value: Any) -> Any:  # noqa: ANN401  # whatever a cell holds
    """What it holds, without surrounding white space; ``None`` for nothing, or ``nan``, which pandas writes for it."""
    value = value.strip() if isinstance(value, str) else value
    missing = value is None or value == "" or (isinstance(value, str | float) and str(value).casefold() == "nan")
    return None if missing else value


def _log_counts(source: str, counts: Mapping[str, int]) -> None:
    for what, count in counts.items():
        if count:
            logger.warning("%s: %d %s", source, count, what)


def _lines(path: Path) -> Iterator[tuple[int, Row]]:
    """The cells of each line by their names in the file."""
    kind = ENDINGS.get(path.suffix.lower(), "csv")
    reader = Reader(path)
    if kind in TABLES:
        encoding = file_encoding(path)
        with path.open(encoding=encoding, newline="") as file:
            separator, _ = _published_names(path, [file.readline()])
        if not separator:
            yield from _kaggle_lines(path, encoding)
            return
        reader = Reader(path, encoding, separator)
    for item in READERS[kind](reader):
        if item.row is None:
            msg = f"{path}, line {item.number}: {item.error}"
            raise DataError(msg)
        yield item.number, item.row


def _kaggle_lines(path: Path, encoding: str) -> Iterator[tuple[int, Row]]:
    """Those of a file without a header."""
    csv.field_size_limit(2**31 - 1)  # a long report does not fit into the default of 128 kB
    began = 1
    with path.open(encoding=encoding, newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            for cells in reader:
                if len(cells) not in {0, len(KAGGLE_COLUMNS)}:
                    msg = (
                        f"{path}, line {began}: {len(cells)} cells where there should be {len(KAGGLE_COLUMNS)}; is a "
                        "comma missing?"
                    )
                    raise DataError(msg)
                if cells:
                    yield began, dict(zip(KAGGLE_COLUMNS, cells, strict=True))
                began = reader.line_num + 1
        except csv.Error as error:
            msg = f"{path}, line {began}: {error}; is a quotation mark left open?"
            raise DataError(msg) from error


def _read_descriptions(path: Path) -> Iterable[tuple[int, Row]]:
    """Texts with their descriptions, or all texts of a file that describes none."""
    rows = list(read_transcriptions(path))
    missing = sum(row["description"] is None for _, row in rows)
    for number, row in rows:
        if row["description"] is not None or missing == len(rows):
            others = {name: cell for name, cell in row.items() if name not in {DESCRIPTION, KEYWORDS}}
            yield number, {"answer": row["description"], **others}
    if missing < len(rows):
        _log_counts(str(path), {"texts without a description are left out": missing})


SPECIALTIES_CSV = FileFormat(
    "MTSamples .csv, .tsv, .json (transcriptions and specialties)", is_transcriptions, read_transcriptions
)
DESCRIPTIONS_CSV = FileFormat(
    "MTSamples .csv, .tsv, .json (transcriptions and descriptions)", _is_described, _read_descriptions
)

MTSAMPLES = PublicDataset(
    name="MTSamples medical transcriptions",
    identifier="tboyle10/medicaltranscriptions",
    url="https://www.kaggle.com/datasets/tboyle10/medicaltranscriptions",
    licence=(
        "CC0 as stated for Kaggle's file; the site itself offers its samples for reference only (rights not verified)"
    ),
    citation="mtsamples.com, collected by Boyle (2018): Medical Transcriptions. Kaggle",
    columns=(DESCRIPTION, SPECIALTY, NAME, TEXT, KEYWORDS),
    traps=(
        (
            "2,165 of the 2,376 texts are listed under two to five specialties, in 4,998 lines: one label for each "
            "line is right in at most 47.5 % of them"
        ),
        (
            "rows in memory, of the Hub or in parquet are not merged, as files are: pass them through "
            "qlorakit_medical.mtsamples.merge_rows first"
        ),
        (
            "of a random fifth of the lines, 80.9 % are expected to have their text in training too (82.9 % were "
            "measured in one split): texts are merged and kept together"
        ),
        "keywords begin with the right specialty in all 4,998 lines: they are refused as an input",
        (
            "12 of the 40 labels, and 2,605 of the lines, are kinds of reports, not fields of medicine; 1,054 of 1,102 "
            "lines of Surgery are also listed under another label"
        ),
        "6 to 10 texts of each of the rarest 7 labels, 1,102 of Surgery: accuracy says nothing of the rare ones",
        "descriptions are empty in 6 lines, which are 3 texts",
        "the description stands word for word in the record in 570 of 2,373 texts, at its beginning in 38",
        "the names of 447 samples hold the first word of one of their labels as a word",
        "14 texts are near-duplicates in pairs (Jaccard index of three-word shingles from 0.8 on)",
        (
            "Kaggle's form: a space before each label, an index without a name first, or no header, commas for line "
            "breaks, two spaces after a sentence, lines without keywords, and some without a transcription"
        ),
    ),
)
