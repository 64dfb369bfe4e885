"""``medical/exam``: multiple choice questions of medical entrance exams, by subject.

A row: ``{"question": "Which nerve supplies the diaphragm?", "option_a": "Vagus", "option_b": "Phrenic", "option_c":
"Axillary", "option_d": "Femoral", "answer": "B", "subject": "Anatomy"}``; the answer is a letter, or an option's text.

Files of MedMCQA are read whatever their answers are counted from, as they tell it themselves.  Rows of a table or of
the Hub that is read by its column names do not: say there with :func:`exam_task` what the first option's number is.
Explanations stay in the row and are never shown: every fourth of them names the answer in its first word.

Exams are about what is in textbooks, and here about Indian entrance exams: a good score licenses nobody to practise.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qlorakit.cells import is_blank, required_text
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.file_readers import ENDINGS, READERS, Reader
from qlorakit.kinds import MAJORITY, multiple_choice
from qlorakit.metrics import accuracy, each_row, is_right
from qlorakit.score_metrics import ece, log_loss
from qlorakit.task import Baseline, Column, FileFormat, Metric, Output, PublicDataset, Row, Task
from qlorakit_medical.exam_samples import EXAM_SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from qlorakit.task import FloatArray

logger = logging.getLogger(__name__)

NUMBER, UNLABELLED = "cop", "-1"  # of the right option; of the Hub's test file, where it is held back
SAY_IT = "pass the task qlorakit_medical.exam.exam_task(first=0), or first=1"
LETTERS = "ABCD"
OPTIONS = tuple(
    Column(f"option_{letter}", aliases=(f"op{letter}", letter, f"option{letter}")) for letter in LETTERS.lower()
)
PUBLISHED_OPTIONS = tuple(f"op{letter}" for letter in LETTERS.lower())
QUESTION = Column(
    "question",
    refused=tuple((name, "it explains the right answer") for name in ("exp", "explanation")),
)
ANSWER = Column(
    "answer",
    aliases=("correct_option",),
    label=True,
    refused=((NUMBER, f"it counts from 0 in some copies and from 1 in others; {SAY_IT}, which knows the column"),),
)
SUBJECT = Column("subject", aliases=("subject_name",), optional=True)
TABLES = frozenset(("csv", "tsv", "json", "jsonl", "parquet"))
ALL_OF_THEM = re.compile(r"all( of)?( the)?( above| these)?")


# Metric and baseline


def subject_macro_accuracy() -> Metric[str]:
    """Unweighted mean, over the subjects of the rows, of the share of right answers in each.

    An invalid answer is wrong.  Rows without a subject are of one more.  Subjects are no closed set, so that resamples
    are computed from the rows instead of from totals; a subject that was not drawn is left out of a resample's mean.
    """

    def compute(outputs: Sequence[Output[str]], references: Sequence[str], rows: Sequence[Row]) -> float:
        right: defaultdict[str, list[bool]] = defaultdict(list)
        for row, found in zip(rows, each_row(is_right, outputs, references), strict=True):
            right[subject_of(row)].append(found)
        return sum(sum(found) / len(found) for found in right.values()) / len(right)

    def prepare(
        outputs: Sequence[Output[str]], references: Sequence[str], rows: Sequence[Row]
    ) -> Callable[[FloatArray], FloatArray]:
        import numpy as np

        _, places = np.unique([subject_of(row) for row in rows], return_inverse=True)
        members = np.eye(int(places.max()) + 1)[places]  # [rows, subjects]
        right = members * np.array(each_row(is_right, outputs, references))[:, None]

        def values(weights: FloatArray) -> FloatArray:
            drawn = weights @ members
            means: FloatArray = (weights @ right / drawn.clip(min=1)).sum(axis=1) / (drawn > 0).sum(axis=1)
            return means

        return values

    return Metric("subject_macro_accuracy", compute, resampled=prepare)


def subject_of(row: Row) -> str:
    """The subject of a row; an empty text where it has none."""
    subject = row.get("subject")
    return "" if is_blank(subject) else str(subject).strip()


def all_of_the_above(task: Task[str], train: Sequence[Row], rows: Sequence[Row]) -> Sequence[Output[str]]:
    """Answer "all of the above" wherever that is an option, and otherwise the commonest letter."""
    ((commonest, _),) = Counter(sorted(map(task.reference, train))).most_common(1)
    return [Output(_letter_of_all(row) or commonest) for row in rows]


def _letter_of_all(row: Row) -> str | None:
    options = (required_text(row, column.name).strip(" .").casefold() for column in OPTIONS)
    return next((letter for letter, text in zip(LETTERS, options, strict=True) if ALL_OF_THEM.fullmatch(text)), None)


def question_of(row: Row) -> Hashable:
    """The question but for case, white space and final signs: asked once more, it belongs to the same side."""
    return " ".join(required_text(row, "question").split()).casefold().strip(" .:?-") or None


# Files


def _is_medmcqa(path: Path, head: Sequence[str]) -> bool:
    """Whether it has the published columns, in any format of tables."""
    table = ENDINGS.get(path.suffix.lower())
    names = _parquet_names(path) if table == "parquet" else re.findall(r"\w+", "\n".join(head))
    return table in TABLES and {NUMBER, *PUBLISHED_OPTIONS} <= set(names)


def _parquet_names(path: Path) -> Sequence[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names: list[str] = pq.read_schema(path).names
    except (pa.ArrowException, OSError):
        return ()  # the general reader says what is wrong
    return names


def _format(first: int | None) -> FileFormat:
    def read(path: Path) -> Iterable[tuple[int, Row]]:
        entries = list(_entries(path))
        counted_from = _counted_from(path, entries, first)
        for number, entry, place in entries:
            answer: object = place
            if place is not None and first is None:
                answer = _answer(entry, place, counted_from, f"{path}, line {number}")
            yield number, _row_of(entry, answer)

    return FileFormat("MedMCQA (question, opa to opd, cop)", _is_medmcqa, read)


def _entries(path: Path) -> Iterator[tuple[int, Mapping[str, Any], int | None]]:
    """What a file holds, each with the number of its line and that of its right option, where that is known."""
    reader = Reader(path)
    for item in READERS[ENDINGS[path.suffix.lower()]](reader):
        where = f"{path}, line {item.number}"
        if item.row is None:
            msg = f"{where}: {item.error}"
            raise DataError(msg)
        yield item.number, item.row, _number(item.row.get(NUMBER), where)
    for note in reader.notes:
        logger.warning("%s: %s", path, note)


def _number(given: object, where: str) -> int | None:
    written = _whole(given)
    if is_blank(given) or written == UNLABELLED:
        return None
    if written not in set("01234"):
        msg = f"{where}: column {NUMBER!r} holds {given!r}, where the number of an option from 0 or 1 on is expected"
        raise DataError(msg)
    return int(written)


def _whole(given: object) -> str:
    """What a cell holds as text; a table with blank cells writes 1 as 1.0."""
    return re.sub(r"\.0+$", "", str(given).strip())


def _counted_from(path: Path, entries: Iterable[tuple[int, Mapping[str, Any], int | None]], first: int | None) -> int:
    """Which number the first option has; only a 0 or a 4 tells."""
    lines = {place: number for number, _, place in entries}
    told = [begin for begin, place in ((0, 0), (1, len(LETTERS))) if place in lines]
    if len(told) > 1:
        msg = f"{path}: column {NUMBER!r} holds 0 (line {lines[0]}) and 4 (line {lines[4]}): count all from 0 or from 1"
        raise DataError(msg)
    if first is not None and told and told[0] != first:
        line = lines[0 if first else len(LETTERS)]
        msg = (
            f"{path}, line {line}: options are counted from {told[0]}, and the task from {first}; pass first={told[0]}"
        )
        raise DataError(msg)
    if first is None and not told and set(lines) - {None}:
        msg = (
            f"{path}: column {NUMBER!r} holds neither 0 nor 4, so that nothing tells whether options are counted from "
            f"0 or from 1; {SAY_IT}"
        )
        raise DataError(msg)
    return told[0] if told else first or 0


def _row_of(entry: Mapping[str, Any], answer: object) -> Row:
    """A row in the task's column names."""
    options = {column.name: entry.get(name) for column, name in zip(OPTIONS, PUBLISHED_OPTIONS, strict=True)}
    others = {name: cell for name, cell in entry.items() if name not in {*PUBLISHED_OPTIONS, NUMBER, "subject_name"}}
    return {**others, **options, "answer": answer, "subject": entry.get("subject_name")}


def _answer(entry: Mapping[str, Any], number: int, counted_from: int, where: str) -> object:
    """A letter, unless it is what another option says, such as the vitamins A and C; then the option.

    Raises:
        DataError: The option is another one's letter in turn, or stands there twice.
    """
    options = [entry.get(name) for name in PUBLISHED_OPTIONS]
    right = options.pop(number - counted_from)
    letter, own, others = LETTERS[number - counted_from], str(right).strip(), {str(item).strip() for item in options}
    if own == letter or letter not in others:
        return letter
    if own in others | set(LETTERS):
        msg = (
            f"{where}: some options are letters themselves, so that neither {letter!r} nor {own!r} tells which one is "
            f"right; pass the task qlorakit_medical.exam.exam_task(first={counted_from})"
        )
        raise DataError(msg)
    return right


def _as_asked(row: Row) -> Row:
    """A row as it is asked: the number that stands for no answer is none."""
    return {**row, ANSWER.name: None} if _whole(row.get(ANSWER.name)) == UNLABELLED else row


MEDMCQA = PublicDataset(
    name="MedMCQA",
    identifier="openlifescienceai/medmcqa",
    url="https://github.com/medmcqa/medmcqa",
    licence="MIT",
    citation=(
        "Pal, Umapathi, Sankarasubbu (2022): MedMCQA: A large-scale multi-subject multi-choice dataset for medical "
        "domain question answering. CHIL. arXiv:2203.14371"
    ),
    columns=(
        "id", "question", "opa", "opb", "opc", "opd", "cop", "choice_type", "exp", "subject_name", "topic_name",
    ),
    traps=(
        "dev.json holds a JSON object in each line, in spite of its name",
        "cop counts from 1 in the original files and from 0 on the Hub, where it is -1 in the unlabelled test file",
        "exp explains the right answer (1,090 of 2,206 begin with Ans), and is null in 1,977 rows: never shown",
        "the first option is right in 32 % of the rows, the last one in 20 %",
        "'all of the above' is right in 60 of 122 rows that offer it, 'none of the above' in 2 of 170",
        "the longest option is right in 31 %, which is less than always A",
        "1,318 of 4,183 questions are Dental, 16 Psychiatry and 2 Unknown: compare the mean over subjects",
        "15 questions occur twice, 9 with the same options in any order, and 1 of these with another answer",
        "46 rows are nearly the same as another one",
        "an option may be a letter itself, such as vitamin C: a letter as the answer would be taken for it",
        "in 21 rows two options are the same, in 4 of them the right one: its twin counts as wrong",
        "letters are lost in places, as in hypeensive and aeriole; 724 questions hold a not or an except",
        "18 questions speak of an image that is not there",
        "choice_type multi does not mean several right answers: each row has one",
    ),
)  # fmt: skip


def exam_task(first: int | None = None, name: str = "medical/exam") -> Task[str]:
    """The task for rows whose answers are letters or texts of options, or numbers.

    Args:
        first: The number of the first option, 0 or 1, where answers are numbers in a column ``answer`` or ``cop``;
            files of MedMCQA need it only where no 0 and no 4 occurs in them, or where options are letters themselves.
            A -1 is no answer then, as in the Hub's test file.
        name: ``"domain/task"``.

    Raises:
        ConfigurationError: ``first`` is neither 0 nor 1.
    """
    if first not in {None, 0, 1}:
        msg = f"first={first!r}: must be the number of the first option, 0 or 1, or None where answers are letters"
        raise ConfigurationError(msg)
    answer = ANSWER if first is None else Column("answer", aliases=(NUMBER, *ANSWER.aliases), label=True)
    task = multiple_choice(
        name,
        summary="Multiple choice questions of medical entrance exams, by subject",
        instruction="Answer the exam question with the letter of the right option.",
        question=QUESTION,
        options=OPTIONS,
        answer=answer,
        first=first,
        file_formats=(_format(first),),
        group=question_of,
        metrics=(accuracy(), subject_macro_accuracy(), log_loss(), ece()),
        baselines=(MAJORITY, Baseline("all of the above", all_of_the_above)),
        samples=[
            row if first is None else {**row, ANSWER.name: LETTERS.index(row[ANSWER.name]) + first}
            for row in EXAM_SAMPLES
        ],
        datasets=(MEDMCQA,),
    )
    columns = (*task.columns, SUBJECT)
    if first is None:
        return dataclasses.replace(task, columns=columns)
    return dataclasses.replace(
        task,
        columns=columns,
        format=lambda row: task.format(_as_asked(row)),
        reference=lambda row: task.reference(_as_asked(row)),
    )


EXAM = exam_task()
