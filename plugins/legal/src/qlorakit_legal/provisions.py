"""``legal/provisions``: which of 100 kinds a provision of a contract is.

A row: ``{"text": "This Agreement may be signed in several copies ...", "label": "Counterparts"}``.

The kinds are those of LEDGAR as LexGLUE has it: the headings that drafters gave their provisions, the 100 commonest.
Several of them mean nearly the same, such as "Indemnity" and "Indemnifications", so that no system reaches all of them.

The published macro-F1 of TF-IDF with a linear SVM, 81.4 (Chalkidis et al., 2022), comes from 60,000 training rows and
10,000 test rows of later years.  Figures from fewer rows to learn from are not comparable with it.

Copies of the Hub have numbers instead of names.  They are read by the official order, which is alphabetical, only if
everything about the file says that they are LEDGAR's: see :func:`read_numbered`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlorakit.cells import is_blank
from qlorakit.errors import DataError
from qlorakit.file_readers import ENDINGS, READERS, Reader
from qlorakit.kinds import single_label
from qlorakit.task import Column, FileFormat, PublicDataset, Row
from qlorakit_legal.provision_samples import PROVISION_SAMPLES

# In the official order, which numbers count from 0.
LABELS = (
    "Adjustments", "Agreements", "Amendments", "Anti-Corruption Laws", "Applicable Laws", "Approvals", "Arbitration",
    "Assignments", "Assigns", "Authority", "Authorizations", "Base Salary", "Benefits", "Binding Effects", "Books",
    "Brokers", "Capitalization", "Change In Control", "Closings", "Compliance With Laws", "Confidentiality",
    "Consent To Jurisdiction", "Consents", "Construction", "Cooperation", "Costs", "Counterparts", "Death",
    "Defined Terms", "Definitions", "Disability", "Disclosures", "Duties", "Effective Dates", "Effectiveness",
    "Employment", "Enforceability", "Enforcements", "Entire Agreements", "Erisa", "Existence", "Expenses", "Fees",
    "Financial Statements", "Forfeitures", "Further Assurances", "General", "Governing Laws", "Headings",
    "Indemnifications", "Indemnity", "Insurances", "Integration", "Intellectual Property", "Interests",
    "Interpretations", "Jurisdictions", "Liens", "Litigations", "Miscellaneous", "Modifications", "No Conflicts",
    "No Defaults", "No Waivers", "Non-Disparagement", "Notices", "Organizations", "Participations", "Payments",
    "Positions", "Powers", "Publicity", "Qualifications", "Records", "Releases", "Remedies", "Representations", "Sales",
    "Sanctions", "Severability", "Solvency", "Specific Performance", "Submission To Jurisdiction", "Subsidiaries",
    "Successors", "Survival", "Tax Withholdings", "Taxes", "Terminations", "Terms", "Titles",
    "Transactions With Affiliates", "Use Of Proceeds", "Vacations", "Venues", "Vesting", "Waiver Of Jury Trials",
    "Waivers", "Warranties", "Withholdings",
)  # fmt: skip

# Headings as contracts have them, mostly in the singular; none that could stand for two of the labels.
SYNONYMS = {
    "Adjustment": "Adjustments", "Agreement": "Agreements", "Amendment": "Amendments",
    "Anti-Corruption Law": "Anti-Corruption Laws", "Applicable Law": "Applicable Laws", "Approval": "Approvals",
    "Assignment": "Assignments", "Authorization": "Authorizations", "Benefit": "Benefits",
    "Binding Effect": "Binding Effects", "Broker": "Brokers",
    "Change Of Control": "Change In Control", "Closing": "Closings", "Compliance With Law": "Compliance With Laws",
    "Consent": "Consents", "Cost": "Costs", "Defined Term": "Defined Terms", "Definition": "Definitions",
    "Disclosure": "Disclosures", "Effective Date": "Effective Dates", "Enforcement": "Enforcements",
    "Entire Agreement": "Entire Agreements", "Expense": "Expenses", "Fee": "Fees",
    "Financial Statement": "Financial Statements", "Forfeiture": "Forfeitures",
    "Further Assurance": "Further Assurances", "Governing Law": "Governing Laws", "Heading": "Headings",
    "Indemnification": "Indemnifications", "Insurance": "Insurances", "Interpretation": "Interpretations",
    "Jurisdiction": "Jurisdictions", "Lien": "Liens", "Litigation": "Litigations", "Modification": "Modifications",
    "No Conflict": "No Conflicts", "No Default": "No Defaults", "No Waiver": "No Waivers", "Notice": "Notices",
    "Organization": "Organizations", "Participation": "Participations", "Payment": "Payments", "Position": "Positions",
    "Power": "Powers", "Qualification": "Qualifications", "Record": "Records", "Release": "Releases",
    "Remedy": "Remedies", "Representation": "Representations", "Sale": "Sales", "Subsidiary": "Subsidiaries",
    "Successor": "Successors", "Tax": "Taxes", "Tax Withholding": "Tax Withholdings", "Termination": "Terminations",
    "Term": "Terms", "Title": "Titles", "Vacation": "Vacations", "Venue": "Venues",
    "Waiver Of Jury Trial": "Waiver Of Jury Trials", "Waiver": "Waivers", "Warranty": "Warranties",
    "Withholding": "Withholdings",
}  # fmt: skip

# Words that nearly all provisions of a kind have, and few others.
TELLING = {
    "Arbitration": "arbitrat", "Base Salary": "salary", "Confidentiality": "confidential",
    "Counterparts": "counterpart", "Disability": "disab", "Entire Agreements": "entire|supersede",
    "Governing Laws": "govern", "Headings": "heading|caption|title", "Notices": "notice",
    "Severability": "invalid|unenforceable|illegal", "Survival": "surviv", "Vacations": "vacation",
    "Waiver Of Jury Trials": "jury", "Use Of Proceeds": "proceeds", "Withholdings": "withh",
}  # fmt: skip
FEWEST_TELLING = 5  # rows of these kinds, for their words to say anything
TOLD = 0.8  # share of them with the words of their kind
INDEX = frozenset({"", "unnamed: 0", "index", "idx", "id"})
_INSTEAD = (
    "Write names instead of numbers; or say what each number means with label_names=[...] and file_format= (such as "
    '"csv"); LEDGAR\'s order is qlorakit_legal.provisions.LABELS'
)
_NUMBER = re.compile(r"\d{1,3}")


def is_numbered(path: Path, head: Sequence[str]) -> bool:
    """Whether a file has the columns ``text`` and ``label`` alone, but for an index, and its first label is a number.

    Args:
        path: The file.
        head: Its first lines.
    """
    kind = ENDINGS.get(path.suffix.lower(), "")
    named = kind == "parquet" or {"text", "label"} <= set(re.findall(r"\w+", "\n".join(head).casefold()))
    if kind not in {"csv", "tsv", "json", "jsonl", "parquet"} or not named:
        return False
    try:
        first = next(READERS[kind](Reader(path)), None)
    except DataError:  # which the general reader tells of
        return False
    cells = {name.strip().casefold(): cell for name, cell in (first.row if first and first.row else {}).items()}
    return cells.keys() - INDEX == {"text", "label"} and _NUMBER.fullmatch(str(cells["label"]).strip()) is not None


def read_numbered(path: Path) -> Iterator[tuple[int, Row]]:
    """Rows of a copy of LEDGAR whose labels are numbers.

    The numbers are taken for places in :data:`LABELS` if all of them are from 0 to 99, if names that a parquet file of
    the Hub holds are these in this order, and if the texts bear it out: of the rows that would be of the kinds in
    :data:`TELLING`, five at least, four in five or more must have the words of their kind.  In LexGLUE's test split 343
    of 348 such rows do; of the same rows with numbers that count from 1 or backwards, 2 % or fewer; in 200 random
    orders, at most 46 %.  An order in which kinds without such words alone have changed places is not noticed.

    Args:
        path: A csv, tsv, json, jsonl or parquet file with the columns ``text`` and ``label``.

    Yields:
        The number of the line, or of the row where there are no lines, and the row with the label's name.

    Raises:
        DataError: Something about the file says that these numbers are not LEDGAR's, or nothing says that they are.
    """
    rows = [*_rows(path)]
    labels = [_label(row, f"{path}, line or row {number}") for number, row in rows]
    _check_names(path)
    _check_words(path, [(str(row["text"]), label) for (_, row), label in zip(rows, labels, strict=True) if label])
    for (number, row), label in zip(rows, labels, strict=True):
        yield number, {**row, "label": label}


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for item in READERS[ENDINGS[path.suffix.lower()]](Reader(path)):
        cells = {name.strip().casefold(): cell for name, cell in (item.row or {}).items()}
        if item.row is None or not {"text", "label"} <= cells.keys():
            msg = f"{path}, line or row {item.number}: {item.error or 'the columns text and label are needed'}"
            raise DataError(msg)
        yield item.number, cells


def _label(row: Mapping[str, Any], where: str) -> str | None:
    """The name for a number; ``None`` where there is none."""
    written = str(row["label"]).strip()
    if is_blank(row["label"]):
        return None
    if _NUMBER.fullmatch(written) is None or int(written) >= len(LABELS):
        msg = (
            f"{where}: label {row['label']!r} is no whole number from 0 to {len(LABELS) - 1}, as those of LEDGAR are, "
            f"though the first label is a number. {_INSTEAD}"
        )
        raise DataError(msg)
    return LABELS[int(written)]


def _check_names(path: Path) -> None:
    """That the names of labels in a parquet file of the Hub, where it has them, are those of LEDGAR."""
    names = _stored_names(path) if ENDINGS[path.suffix.lower()] == "parquet" else None
    if names is not None and tuple(names) != LABELS:
        place = next((i for i, (one, other) in enumerate(zip(names, LABELS, strict=False)) if one != other), len(names))
        msg = f"{path}: its own names of labels are not LEDGAR's, from number {place} on. {_INSTEAD}"
        raise DataError(msg)


def _stored_names(path: Path) -> Sequence[str] | None:
    """The names of labels in the metadata that the library datasets writes; ``None`` where there are none."""
    import pyarrow.parquet as pq

    stored = (pq.read_schema(path).metadata or {}).get(b"huggingface", b"{}")
    try:
        names = json.loads(stored)["info"]["features"]["label"]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return names if isinstance(names, list) else None


def _check_words(path: Path, labelled: Sequence[tuple[str, str]]) -> None:
    """That texts have the words of what their numbers would mean."""
    found = [re.search(TELLING[label], text, re.IGNORECASE) is not None for text, label in labelled if label in TELLING]
    if len(found) >= FEWEST_TELLING and sum(found) >= TOLD * len(found):
        return
    msg = (
        f"{path}: its labels are numbers, and {len(found)} rows would be of kinds that can be told by a word, such as "
        f"'counterpart' in Counterparts; {sum(found)} of them have it. "
        + ("That is too few to tell by. " if len(found) < FEWEST_TELLING else "The numbers are not LEDGAR's. ")
        + _INSTEAD
    )
    raise DataError(msg)


LEDGAR = PublicDataset(
    name="LEDGAR (LexGLUE)",
    identifier="coastalcph/lex_glue, configuration ledgar",
    url="https://huggingface.co/datasets/coastalcph/lex_glue",
    licence="CC BY 4.0 (LexGLUE)",
    citation=(
        "Tuggener, von Däniken, Peetz, Cieliebak (2020): LEDGAR: A Large-Scale Multi-label Corpus for Text "
        "Classification of Legal Provisions in Contracts. LREC; Chalkidis et al. (2022): LexGLUE: A Benchmark Dataset "
        "for Legal Language Understanding in English. ACL"
    ),
    columns=("text", "label"),
    traps=(
        (
            "the published macro-F1 of TF-IDF with a linear SVM, 81.4, comes from 60,000 training rows: figures from "
            "fewer rows are not comparable with it"
        ),
        (
            "1,000 rows of the test split go round as a sample: 97 of the 100 labels (no Assigns, Books, "
            "Qualifications), 23 of them with fewer than 5 rows, and no training rows; splitting it makes macro-F1 one "
            "of the commonest labels"
        ),
        "in the sample, Counterparts have 57 rows, Governing Laws 53, and each of four labels one: report macro-F1",
        (
            "labels are the drafters' headings, and several mean nearly the same: Indemnity and Indemnifications; "
            "Taxes, Tax Withholdings and Withholdings; Consent To Jurisdiction, Submission To Jurisdiction, "
            "Jurisdictions and Venues; Amendments and Modifications; Entire Agreements and Integration; Headings and "
            "Titles"
        ),
        "each provision has one label here; LEDGAR itself has several for some, as lists, and over 12,000 labels",
        (
            "on the Hub labels are numbers in the alphabetical order of the names, from 0; other lists of 100 names "
            "and more go round: numbers are read only where file and texts bear the official order out"
        ),
        "labels are in the plural and in title case, such as Erisa, where contracts have Governing Law and ERISA",
        "537 of the 1,000 texts hold the name of their label, without its last s",
        (
            "the contract is not given: provisions of one contract may fall on both sides of a random split; LexGLUE "
            "splits by year (2016 to 2017, 2018, 2019)"
        ),
        "no text of the sample occurs twice, and 14 are near-duplicates in pairs, all with the same label",
        "220 of the texts hold spaces that do not break, and 25 are in capitals",
        (
            "texts have 119 tokens of the small model in the middle, 843 at the 99th percentile and 1,441 at most; 5 "
            "have more than 1,024"
        ),
    ),
)

PROVISIONS = single_label(
    "legal/provisions",
    summary="Which of 100 kinds of provision a paragraph of a contract is",
    instruction="Name the heading under which the provision stands in a contract.",  # the choices are ranked
    labels=LABELS,
    text=Column("text", aliases=("provision", "clause", "paragraph", "sentence", "content")),
    label=Column("label", aliases=("heading", "category", "class", "clause_type"), label=True),
    synonyms=SYNONYMS,
    file_formats=(
        FileFormat("LexGLUE's LEDGAR with numbers (csv, tsv, json, jsonl, parquet)", is_numbered, read_numbered),
    ),
    samples=PROVISION_SAMPLES,
    datasets=(LEDGAR,),
)
