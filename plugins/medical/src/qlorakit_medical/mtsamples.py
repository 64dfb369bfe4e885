"""MTSamples as it is published: one line for each transcription and each specialty that it is listed under.

Lines of the same text are merged into one row, as rows of one text would otherwise contradict each other and fall on
both sides of a split.  Kaggle's form of the file is read as the other: it has a space before each label, an index
without a name as its first column or no header at all, and commas where the report had line breaks.
"""

import csv
import itertools
import logging
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlorakit.cells import required_text
from qlorakit.errors import DataError
from qlorakit.task import FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding

logger = logging.getLogger(__name__)

BYTE_ORDER_MARK = "\ufeff".encode().decode("latin-1")  # UTF-8's, in a head that is read as Latin-1
TEXT, SPECIALTY, NAME = "transcription", "medical_specialty", "sample_name"
DESCRIPTION, KEYWORDS = "description", "keywords"
KAGGLE_COLUMNS = ("", DESCRIPTION, SPECIALTY, NAME, TEXT, KEYWORDS)

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
_KNOWN = {label.casefold() for label in SPECIALTIES}

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
    """Whether a file begins with the published header, or with a line of Kaggle's form without a header."""
    return bool(_published_names(path, head))


def _is_described(path: Path, head: Sequence[str]) -> bool:
    """Whether there are descriptions as well."""
    return DESCRIPTION in _published_names(path, head)


def _published_names(path: Path, head: Sequence[str]) -> Sequence[str]:
    """The names of the columns, and none for other files."""
    if path.suffix.lower() != ".csv" or not head:
        return ()
    first = next(csv.reader([head[0].removeprefix(BYTE_ORDER_MARK)]), [])
    if _is_kaggle_line(first):
        return KAGGLE_COLUMNS
    return [name.strip() for name in first] if _has_header(first) else ()


def _has_header(cells: Sequence[str]) -> bool:
    return {TEXT, SPECIALTY} <= {name.strip() for name in cells}


def _is_kaggle_line(cells: Sequence[str]) -> bool:
    return len(cells) == len(KAGGLE_COLUMNS) and cells[0].isdigit() and cells[2].strip().casefold() in _KNOWN


def read_transcriptions(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """One row for each distinct text, with the number of the first line that has it.

    Texts are compared without white space and commas.  Line breaks are restored in a file of whose texts
    none has any, as in Kaggle's form.  Lines without a text are left out; how many are, and how many are merged, is
    logged.

    Args:
        path: A csv file of transcriptions.

    Yields:
        The line's number and ``{"text", "labels", "name", "description", "keywords"}``: the text, the list of its
        specialties, ``None`` where no line has one, and the rest as in the first line, ``None`` where that is empty.
        Other columns of the file, such as an address that names the specialty, are not in the row.

    Raises:
        DataError: A line has too few or too many cells, or a quotation mark is left open.
    """
    lines = list(_lines(path))
    told = [(number, cells) for number, cells in lines if text_key(cells[TEXT])]
    kaggle = not any("\n" in cells[TEXT].strip() for _, cells in told)
    rows: dict[str, tuple[int, dict[str, Any]]] = {}
    for number, cells in told:
        text = restore_breaks(cells[TEXT]) if kaggle else cells[TEXT].strip()
        _, row = rows.setdefault(text_key(text), (number, _row(cells, text)))
        label = cells[SPECIALTY].strip()
        if label and label not in row["labels"]:
            row["labels"].append(label)
    _log_counts(path, {
        "lines without a transcription are left out": len(lines) - len(told),
        "lines with the text of an earlier line are merged into its row": len(told) - len(rows),
    })  # fmt: skip
    for number, row in rows.values():
        yield number, {**row, "labels": row["labels"] or None}


def _row(cells: Mapping[str, str], text: str) -> dict[str, Any]:
    def cell(name: str) -> str | None:
        return cells.get(name, "").strip() or None

    return {
        "text": text, "labels": [], "name": cell(NAME), "description": cell(DESCRIPTION), "keywords": cell(KEYWORDS),
    }  # fmt: skip


def _log_counts(path: Path, counts: Mapping[str, int]) -> None:
    for what, count in counts.items():
        if count:
            logger.warning("%s: %d %s", path, count, what)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The cells of each line by their published names."""
    with path.open(encoding=file_encoding(path), newline="") as file:
        lines = _cells(path, csv.reader(file, strict=True))
        number, first = next(lines, (1, []))
        header = _has_header(first)
        names = [name.strip() for name in first] if header else KAGGLE_COLUMNS
        for place, cells in lines if header else itertools.chain([(number, first)], lines):
            if len(cells) != len(names):
                msg = (
                    f"{path}, line {place}: {len(cells)} cells where there should be {len(names)}; is a comma missing?"
                )
                raise DataError(msg)
            yield place, dict(zip(names, cells, strict=True))


def _cells(path: Path, reader: Any) -> Iterator[tuple[int, list[str]]]:  # noqa: ANN401  # the csv module has no name
    """The cells of each record, with the number of its first line."""
    while True:
        began = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            msg = f"{path}, line {began}: {error}; is a quotation mark left open?"
            raise DataError(msg) from error
        if cells is None:
            return
        if cells:
            yield began, cells


def _read_descriptions(path: Path) -> Iterable[tuple[int, Row]]:
    """Texts with their descriptions."""
    missing = 0
    for number, row in read_transcriptions(path):
        if row["description"] is None:
            missing += 1
            continue
        yield number, {"answer": row["description"], **{name: row[name] for name in ("text", "labels", "name")}}
    _log_counts(path, {"texts without a description are left out": missing})


SPECIALTIES_CSV = FileFormat("MTSamples .csv (transcriptions and specialties)", is_transcriptions, read_transcriptions)
DESCRIPTIONS_CSV = FileFormat("MTSamples .csv (transcriptions and descriptions)", _is_described, _read_descriptions)

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
        "a random split of the lines has 81 % of the test texts in training too: texts are merged and kept together",
        "keywords begin with the right specialty in all 4,998 lines: they are refused as an input",
        (
            "12 of the 40 labels, and 2,605 of the lines, are kinds of reports, not fields of medicine; 1,054 of 1,102 "
            "lines of Surgery are also listed under another label"
        ),
        "6 to 10 texts of each of the rarest 7 labels, 1,102 of Surgery: accuracy says nothing of the rare ones",
        "descriptions are empty in 6 lines, which are 3 texts",
        "the names of 477 samples hold the first word of one of their labels",
        "14 texts are near-duplicates in pairs (Jaccard index of three-word shingles from 0.8 on)",
        (
            "Kaggle's form: a space before each label, an index without a name first, or no header, commas for line "
            "breaks, two spaces after a sentence, lines without keywords, and some without a transcription"
        ),
    ),
)
