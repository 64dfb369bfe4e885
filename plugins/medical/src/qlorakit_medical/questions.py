"""``medical/questions``: does an abstract answer its research question with yes, no or maybe?

A row: ``{"question": "Does music ease pain after surgery?", "abstract": "Sixty patients were ...", "label": "no"}``.

The question comes first, so that where a text is too long the abstract is cut and not the question.  The abstract is
shown without its conclusion, which PubMedQA keeps apart as ``LONG_ANSWER``: whoever reads it has been told the answer.

Of PubMedQA, 500 rows are the official test.  Where their ids, ``test_ground_truth.json``, stand beside the file, rows
have a column ``published_split`` for :func:`~qlorakit.split_by_column`.  Where they name none of its rows, as beside
the other sets of PubMedQA, there is no such column; labels that are not those of the file are an error.
"""

import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlorakit.cells import is_blank, required_text
from qlorakit.errors import DataError
from qlorakit.kinds import single_label
from qlorakit.task import Column, FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding
from qlorakit_medical.mtsamples import BYTE_ORDER_MARK
from qlorakit_medical.question_samples import QUESTION_SAMPLES

logger = logging.getLogger(__name__)

LABELS = ("yes", "no", "maybe")
USED = frozenset(("QUESTION", "CONTEXTS", "final_decision"))
FIRST_ENTRY = re.compile(r'\s*\{\s*"\d+"\s*:\s*\{')
KEYS = re.compile(r'"(?:QUESTION|CONTEXTS|LABELS|MESHES|YEAR|LONG_ANSWER|final_decision|reasoning_\w+_pred)"')
RENAMED = {"LABELS": "sections"}  # headings of the parts of the abstract, and no labels of the row
TEST_IDS, PUBLISHED_SPLIT = "test_ground_truth.json", "published_split"
TOLD = (
    ("long_answer", "it is the conclusion of the abstract, and tells the answer"),
    ("conclusion", "it tells the answer"),
    ("reasoning_required_pred", "it is an annotator's answer"),
    ("reasoning_free_pred", "it is the answer of an annotator who has read the conclusion"),
)
QUESTION = Column("question", refused=TOLD)
ABSTRACT = Column("abstract", aliases=("context", "contexts"), refused=TOLD)
LABEL = Column("label", aliases=("final_decision", "answer", "decision"), label=True)


def shown(row: Row) -> str:
    """What the model reads of a row: the question, and then the abstract."""
    return f"{required_text(row, QUESTION.name).strip()}\n\n{abstract_of(row)}"


def abstract_of(row: Row) -> str:
    """The abstract of a row: a text, a list of its parts, or as on the Hub a mapping with these under ``contexts``.

    Raises:
        DataError: It is none of these, or holds nothing to read.
    """
    given = row.get(ABSTRACT.name)
    parts = given.get("contexts") if isinstance(given, Mapping) else given
    if not isinstance(parts, list | tuple):
        return required_text({**row, ABSTRACT.name: parts} if isinstance(given, Mapping) else row, ABSTRACT.name)
    if not parts or not all(isinstance(part, str) and part.strip() for part in parts):
        msg = f"column {ABSTRACT.name!r} holds a list of {len(parts)} parts, which must be texts, none of them blank"
        raise DataError(msg)
    return "\n".join(parts)


# Files


def _is_pubmedqa(path: Path, head: Sequence[str]) -> bool:
    beginning = "\n".join(head).removeprefix(BYTE_ORDER_MARK)
    return path.suffix.lower() == ".json" and bool(FIRST_ENTRY.match(beginning) and KEYS.search(beginning))


def _read_pubmedqa(path: Path) -> Iterable[tuple[int, Row]]:
    """A row for each entry; the number is that of the entry."""
    entries = _json_object(path)
    rows = {pubid: _row_of(pubid, entry, f"{path}, entry {pubid!r}") for pubid, entry in entries.items()}
    test = _test_ids(path, rows)
    for number, (pubid, row) in enumerate(rows.items(), start=1):
        yield number, {**row, PUBLISHED_SPLIT: "test" if pubid in test else "train"} if test else row


def _test_ids(path: Path, rows: Mapping[str, Row]) -> set[str]:
    """Which rows are the official test, which is logged; none where nothing beside the file tells.

    Raises:
        DataError: What is beside the file has other labels than it: they are not of one data set.
    """
    beside = path.parent / TEST_IDS
    truth = _json_object(beside) if beside.is_file() else {}
    found = {pubid for pubid in rows if pubid in truth}
    for pubid in sorted(found):
        label = rows[pubid]["label"]
        if not is_blank(label) and _folded(label) != _folded(truth[pubid]):
            msg = (
                f"{path}, entry {pubid!r}: the answer is {label!r}, but {truth[pubid]!r} in {TEST_IDS} beside it; "
                "correct the wrong one, or move that file away if it belongs to other rows"
            )
            raise DataError(msg)
    if found:
        logger.warning(
            "%s: column %r says that %d of %d rows are the official test, by %s beside it", path, PUBLISHED_SPLIT,
            len(found), len(rows), TEST_IDS,
        )  # fmt: skip
    elif truth:
        logger.warning("%s: %s beside it names none of its rows and is not used", path, TEST_IDS)
    return found


def _folded(label: object) -> str:
    return str(label).strip().casefold()


def _json_object(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding=file_encoding(path)), object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:  # a name occurs twice, or it is no JSON
        msg = f"{path} cannot be read as JSON ({error}); download it once more"
        raise DataError(msg) from error
    if not isinstance(found, dict):
        msg = f"{path} holds a {type(found).__name__} where entries by their PubMed numbers are expected"
        raise DataError(msg)
    return found


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless a name occurs twice in it, of which the json module would keep the last without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        msg = f"the name {twice!r} occurs twice in an object"
        raise ValueError(msg)
    return found


def _row_of(pubid: str, entry: Any, where: str) -> Row:  # noqa: ANN401  # whatever the file holds
    missing = [key for key in ("QUESTION", "CONTEXTS") if not isinstance(entry, dict) or is_blank(entry.get(key))]
    if missing:
        msg = f"{where}: {missing[0]} is missing; it needs a QUESTION and a list of CONTEXTS"
        raise DataError(msg)
    row = {
        "pubid": pubid,
        "question": entry["QUESTION"],
        "abstract": entry["CONTEXTS"],
        "label": entry.get("final_decision"),
    }
    for key in filter(lambda key: key not in USED, entry):
        name = RENAMED.get(key, key.lower())
        if name in row:
            msg = f"{where}: {key!r} would be the column {name!r}, which there is already; rename or remove it"
            raise DataError(msg)
        row[name] = entry[key]
    return row


PUBMEDQA_JSON = FileFormat("PubMedQA .json (entries with QUESTION and CONTEXTS)", _is_pubmedqa, _read_pubmedqa)

PUBMEDQA = PublicDataset(
    name="PubMedQA (PQA-L)",
    identifier="qiaojin/PubMedQA, pqa_labeled",
    url="https://github.com/pubmedqa/pubmedqa",
    licence="MIT",
    citation=(
        "Jin, Dhingra, Liu, Cohen, Lu (2019): PubMedQA: A dataset for biomedical research question answering. EMNLP. "
        "arXiv:1909.06146"
    ),
    columns=(
        "QUESTION", "CONTEXTS", "LABELS", "MESHES", "YEAR", "reasoning_required_pred", "reasoning_free_pred",
        "final_decision", "LONG_ANSWER",
    ),
    traps=(
        "LONG_ANSWER is the conclusion of the abstract: whoever reads it has been told the answer; refused as an input",
        "reasoning_free_pred and reasoning_required_pred are annotators' answers, one right in 996 rows: never shown",
        "552 yes, 338 no, 110 maybe: always yes has an accuracy of 0.55 and a macro-F1 of 0.24",
        "TF-IDF learns next to nothing from the other 500 rows: accuracy 0.56, macro-F1 0.25 on the official test",
        "the 500 official test rows are told by test_ground_truth.json alone; the Hub has no such file",
        "one JSON object by PubMed numbers; on the Hub columns, where context is a mapping with the parts in contexts",
        "YEAR is null in 58 rows",
        "abstracts have 49 to 398 words, 201 in the median: with the question the longest nearly fill 1,024 tokens",
    ),
)  # fmt: skip

QUESTIONS = single_label(
    "medical/questions",
    summary="Does an abstract answer its research question with yes, no or maybe",
    instruction="Answer the research question from the abstract with yes, no, or maybe where the evidence is mixed.",
    labels=LABELS,
    text=(QUESTION, ABSTRACT),
    label=LABEL,
    show=shown,
    file_formats=(PUBMEDQA_JSON,),
    samples=QUESTION_SAMPLES,
    datasets=(PUBMEDQA,),
)
