"""``finance/numbers``: what number answers a question over a report?

A row: ``{"context": "net sales were 480 in 2021 and 400 in 2020 ( in millions )", "question": "By what share did sales
grow?", "answer": "20%"}``.

A share may be answered as a fraction or in percent, and references hold both: the answer 20 is right where 0.2 is, and
0.8 where 80 is.  That an answer is a share cannot be told from it, so that it counts as one where the smaller of the
two is at most 1 in size: an amount is right there though it is wrong by 100 times.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from qlorakit.errors import DataError
from qlorakit.kinds import Tolerance, number
from qlorakit.metrics import numeric_match
from qlorakit.numbers import SCALES, read_number
from qlorakit.task import Column, Example, FileFormat, Metric, Output, Prediction, PublicDataset, Row, Task
from qlorakit_finance.number_samples import NUMBER_SAMPLES
from qlorakit_finance.phrasebank import BYTE_ORDER_MARK

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

TOLERANCE = Tolerance(relative=0.01)
FACTORS = tuple(10.0**power for power in (-9, -6, -3, 0, 3, 6, 9))
YES_NO = frozenset({"yes", "no"})
KEPT = ("golden_text", "golden_table", "programs")  # an annotator's evidence: never shown, kept for analysis
SEVERAL = "The questions follow on one another. Answer the last one."
_UNIT = re.compile(
    r"\bin (?:[$€£] ?)?(thousand|million|billion)s\b|[$€£] ?(thousand|million|billion)s\b"
    r"|\b(?-i:[A-Z]{3}) (thousand|million|billion)s?\b|\b(thousand|million|billion)s of\b"
    r"|\( ?(thousand|million|billion)s ?\)|(?:^|\|)[ \t]*(thousand|million|billion)s[ \t]*(?=\||$)"
    r"|([$€£] ?000 ?['\u2019]?s)\b",
    re.IGNORECASE | re.MULTILINE,
)
_FELL = re.compile(
    r"\b(?:decrease|decline|drop|fall|reduction) of\b"
    r"|\b(?:decrease[ds]?|decline[ds]?|drop(?:s|ped)?|falls?|fell|fallen|down)(?: by)?"
    r"(?: (?:about|around|approximately|nearly|roughly|some))? ?[$€£]? ?\d"
    r"|\d\)? ?(?:%|per ?cent|percentage points?|basis points?|thousand|million|billion)?\)? "
    r"(?:decrease|decline|drop|fall|reduction)\b",
    re.IGNORECASE,
)
_FALL_IS_ASKED = re.compile(r"\b(?:decreas|declin|drop|fall|fell|reduc|loss|lost)", re.IGNORECASE)
_GAP = re.compile(r"[\s,]*")
# U+2019 and U+201C/D written as their numbers.  Only these cannot be years: after a word with an s, and with a letter.
_MANGLED = {
    re.compile(r"(?<=[a-z])(?<!\bthe) 2019s\b"): "'s",
    re.compile(r"\b201c(?=\w)"): '"',
    re.compile(r"\s*\b201d\b"): '"',
}


def stated_unit(row: Row) -> float:
    """In what the figures of a row are stated, as "in millions" says: 1 where nothing does, or several differ.

    The last question decides, where it says so; otherwise the context.
    """
    for text in (_last_question(row), str(row.get("context") or "")):
        found = {_unit_of(name) for match in _UNIT.finditer(text) for name in match.groups() if name}
        if found:
            return found.pop() if len(found) == 1 else 1.0
    return 1.0


def _unit_of(name: str) -> float:
    return SCALES.get(name.lower(), 1e3)  # or written as 000's


def read_answer(text: str, row: Row) -> float | None:
    """The number of an answer to a row.

    Where figures are stated in a unit, such as millions, "12.5 million" is 12.5, and "12,500 thousand" is as well.  A
    "decrease of 5" is a minus, as "fell 5" and "a 5% decrease" are, unless the question asks for a decrease, of which
    it is the size.

    Args:
        text: The answer.
        row: With its question and context.

    Returns:
        The number; ``None`` where there is none, or several that differ.
    """
    value = read_number(text, unit=stated_unit(row))
    if value is None or value < 0 or not _FELL.search(text) or _FALL_IS_ASKED.search(_last_question(row)):
        return value
    return -value


def match_up_to_sign(tolerance: Tolerance = TOLERANCE) -> Metric[float]:
    """Share of rows whose number is right but for its sign; an invalid answer is wrong."""
    return _match_up_to("sign", lambda value, reference: tolerance.accepts(abs(value), abs(reference)))


def match_up_to_scale(tolerance: Tolerance = TOLERANCE) -> Metric[float]:
    """Share of rows whose number is right but for thousands, millions or billions; an invalid answer is wrong."""
    return _match_up_to(
        "scale", lambda value, reference: any(tolerance.accepts(value * factor, reference) for factor in FACTORS)
    )


def _match_up_to(what: str, matches: Callable[[float, float], bool]) -> Metric[float]:
    return dataclasses.replace(numeric_match(matches), name=f"match_up_to_{what}")


def _last_question(row: Row) -> str:
    lines = str(row.get("question") or "").strip().splitlines()
    return lines[-1] if lines else ""


def _reading_units(task: Task[float]) -> Task[float]:
    """The task with answers and references read in the unit that a row states."""

    def reference(row: Row) -> float:
        given = row.get("answer")
        value = read_answer(given, row) if isinstance(given, str) else None
        return task.reference(row) if value is None else value

    def parse(row: Row, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Output[float]:
        del examples
        (prediction,) = predictions
        return Output(read_answer(prediction.text, row) if prediction.valid else None)

    return dataclasses.replace(task, reference=reference, parse=parse)


# ConvFinQA


def _is_convfinqa(path: Path, head: Sequence[str]) -> bool:
    start = "".join(head).removeprefix(BYTE_ORDER_MARK)
    return path.suffix.lower() == ".json" and start.lstrip().startswith("[") and '"questions"' in start


def _read_convfinqa(path: Path) -> Iterable[tuple[int, Row]]:
    """Conversations about a page, the last question of each with the ones before it."""
    counts: Counter[str] = Counter()
    for line, entry in _json_objects(path):
        answer = entry.get("answer")
        if isinstance(answer, str) and answer.strip().lower() in YES_NO:
            counts["yes or no"] += 1
            continue
        try:
            yield line, _row_of(entry, counts)
        except DataError as error:
            msg = f"{path}, line {line}: {error}"
            raise DataError(msg) from error
    if counts["yes or no"]:
        logger.warning("%s: left out %d questions that are answered by yes or no", path, counts["yes or no"])
    if counts["repaired"]:
        logger.warning("%s: repaired %d apostrophes and quotation marks such as 2019s", path, counts["repaired"])


def _row_of(entry: Row, counts: Counter[str]) -> dict[str, Any]:
    def text(value: object, key: str) -> str:
        if not isinstance(value, str):
            msg = f"{key!r} holds {value!r} where text is needed"
            raise DataError(msg)
        for pattern, mark in _MANGLED.items():
            value, found = pattern.subn(mark, value)
            counts["repaired"] += found
        return value.strip()

    questions = entry.get("questions")
    if not isinstance(questions, list) or not questions:
        msg = f"'questions' holds {questions!r} where a list of texts is needed"
        raise DataError(msg)
    asked = [text(question, "questions") for question in questions]
    numbered = "".join(f"\n{place}. {question}" for place, question in enumerate(asked, start=1))
    identity = text(entry.get("id"), "id")
    return {
        "id": identity,
        "document": re.sub(r"^(?:Single|Double)_|-\d+$", "", identity),
        "context": "\n\n".join(part for key in ("table", "text") if (part := text(entry.get(key), key))),
        "question": asked[0] if len(asked) == 1 else SEVERAL + numbered,
        "answer": entry.get("answer"),
        **{key: entry[key] for key in KEPT if key in entry},
    }


def _json_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON list, each with the number of the line where it begins."""
    decoder = json.JSONDecoder()
    try:
        whole = path.read_text(encoding="utf-8-sig")
        start = end = whole.index("[") + 1
        line = 1 + whole.count("\n", 0, start)
        while True:
            place = _GAP.match(whole, end).end()  # type: ignore[union-attr]  # it matches nothing as well
            line, start = line + whole.count("\n", start, place), place
            if whole.startswith("]", place):
                return
            entry, end = decoder.raw_decode(whole, place)
            if not isinstance(entry, dict):
                msg = f"{path}, line {line}: {type(entry).__name__} where an object with questions is needed"
                raise DataError(msg)
            yield line, entry
    except json.JSONDecodeError as error:
        msg = f"{path}, line {error.lineno}: not valid JSON ({error.msg} at character {error.colno})"
        raise DataError(msg) from error
    except (ValueError, RecursionError) as error:  # no list, other bytes than UTF-8, or endless brackets or digits
        msg = f"{path}: not usable JSON ({error})"
        raise DataError(msg) from error


CONVFINQA = PublicDataset(
    name="ConvFinQA",
    identifier="TIGER-AI-Lab/Program-of-Thoughts, data/convfinqa_dev.json",
    url="https://github.com/TIGER-AI-Lab/Program-of-Thoughts",
    licence="MIT",
    citation=(
        "Chen, Li, Smiley, Ma, Shah, Wang (2022): ConvFinQA: Exploring the chain of numerical reasoning in "
        "conversational finance question answering. EMNLP. https://github.com/czyssrs/ConvFinQA"
    ),
    columns=("questions", "answer", "text", "table", "golden_text", "golden_table", "id", "programs"),
    traps=(
        "read as flattened by Program of Thoughts (Chen et al., 2023): a conversation is one row with its last answer",
        "golden_text and golden_table are the annotators' evidence: whoever reads them has been told where to look",
        "shares are fractions (0.2 for 20 %), but some in percent (80); some questions ask for another unit",
        "wrong by 100 times passes for a share where the smaller of the two is at most 1: 0.2 and 20, 80 and 0.8",
        "apostrophes and quotation marks are digits: company 2019s, 201cnotes 201d; a dash in a cell is 2014, a nil",
        "several conversations about one page, which must not be split apart",
        "3 of 421 answers of the development set are yes or no",
        "a decline is negative in some answers and positive in others: compare the match up to sign",
    ),
)

NUMBERS = _reading_units(
    number(
        "finance/numbers",
        summary="Numbers that answer questions over reports: percent, sign and scale matter",
        instruction=(
            "Answer the question from the table and the text with one number and nothing else: a share as 0.125 or "
            "12.5%, a decrease with a minus, an amount in the unit of the table."
        ),
        tolerance=TOLERANCE,
        context=Column("context", aliases=("passage", "document_text"), optional=True),
        metrics=(numeric_match(TOLERANCE.accepts), match_up_to_sign(), match_up_to_scale()),
        group=lambda row: row.get("document"),
        file_formats=(FileFormat("ConvFinQA .json, flattened", _is_convfinqa, _read_convfinqa),),
        samples=NUMBER_SAMPLES,
        datasets=(CONVFINQA,),
    )
)
