"""``medical/questions``: does an abstract answer its research question with yes, no or maybe?

A row: ``{"question": "Does music ease pain after surgery?", "abstract": "Sixty patients were ...", "label": "no"}``.

The question comes first, so that where a text is too long the abstract is cut and not the question.  The abstract is
shown without its conclusion, which PubMedQA keeps apart as ``LONG_ANSWER``: whoever reads it has been told the answer.

Of PubMedQA, 500 rows are the official test.  Where their ids, ``test_ground_truth.json``, stand beside the file, rows
have a column ``published_split`` for :func:`~qlorakit.split_by_column`.
"""

import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qlorakit.cells import is_blank, required_text
from qlorakit.errors import DataError
from qlorakit.kinds import single_label
from qlorakit.task import Column, FileFormat, PublicDataset, Row
from qlorakit.text_encoding import file_encoding
from qlorakit_medical.question_samples import QUESTION_SAMPLES

logger = logging.getLogger(__name__)

LABELS = ("yes", "no", "maybe")
USED = frozenset(("QUESTION", "CONTEXTS", "final_decision"))
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
    beginning = "\n".join(head)
    return path.suffix.lower() == ".json" and '"QUESTION"' in beginning and '"CONTEXTS"' in beginning


def _read_pubmedqa(path: Path) -> Iterable[tuple[int, Row]]:
    """A row for each entry; the number is that of the entry."""
    test = _test_ids(path.parent / TEST_IDS)
    entries = _json_object(path)
    for number, (pubid, entry) in enumerate(entries.items(), start=1):
        row = _row_of(pubid, entry, f"{path}, entry {pubid!r}")
        yield number, row if test is None else {**row, PUBLISHED_SPLIT: "test" if pubid in test else "train"}
    if test is not None:
        found = sum(pubid in test for pubid in entries)
        logger.warning(
            "%s: column %r says that %d of %d rows are the official test, by %s beside it", path, PUBLISHED_SPLIT,
            found, len(entries), TEST_IDS,
        )  # fmt: skip


def _test_ids(path: Path) -> Collection[str] | None:
    return _json_object(path).keys() if path.is_file() else None


def _json_object(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding=file_encoding(path)))
    except (json.JSONDecodeError, RecursionError) as error:
        msg = f"{path} cannot be read as JSON ({error}); download it once more"
        raise DataError(msg) from error
    if not isinstance(found, dict):
        msg = f"{path} holds a {type(found).__name__} where entries by their PubMed numbers are expected"
        raise DataError(msg)
    return found


def _row_of(pubid: str, entry: Any, where: str) -> Row:  # noqa: ANN401  # whatever the file holds
    missing = [key for key in ("QUESTION", "CONTEXTS") if not isinstance(entry, dict) or is_blank(entry.get(key))]
    if missing:
        msg = f"{where}: {missing[0]} is missing; it needs a QUESTION and a list of CONTEXTS"
        raise DataError(msg)
    others = {RENAMED.get(key, key.lower()): cell for key, cell in entry.items() if key not in USED}
    return {
        "pubid": pubid,
        "question": entry["QUESTION"],
        "abstract": entry["CONTEXTS"],
        "label": entry.get("final_decision"),
        **others,
    }


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
