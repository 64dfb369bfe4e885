"""What is found in a document under several questions, and how good that is.

A document is judged question by question.  Questions that its reference does not answer are not judged.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from qlorakit.metrics import check_pairs
from qlorakit.task import ClassScores, Metric, Output, Row

if TYPE_CHECKING:
    from qlorakit.sentences import Stretch
    from qlorakit.task import FloatArray

V = TypeVar("V")
W = TypeVar("W")

DOCUMENTS = "questions about a document"  # the kind of task whose values these are
SAME = 0.5  # of the characters of two stretches together, from which on they count as the same evidence


class Finding(NamedTuple):
    """The answer to one question about a document.

    Attributes:
        question: Which one.
        answer: To it.
        evidence: Stretches of the text that tell so: first character and the one behind the last, of each.
    """

    question: str
    answer: str
    evidence: tuple[Stretch, ...] = ()


class Reading(NamedTuple):
    """What is found in a document.  Two readings are equal where they find the same, however it was read.

    Attributes:
        findings: The answer to each question asked.
        windows: Stretches of the text that were read one by one; none in a reference.
        relevance: Of each finding, for each window, the probability that it holds something on the question.
        passages: Of each finding, for each window, where in it that is most likely to be.
        leanings: Of each finding, for each window, the likeliest answer but that there is nothing; none where there is
            only one.
    """

    findings: tuple[Finding, ...]
    windows: tuple[Stretch, ...] = ()
    relevance: tuple[tuple[float, ...], ...] = ()
    passages: tuple[tuple[tuple[Stretch, ...], ...], ...] = ()
    leanings: tuple[tuple[str, ...], ...] = ()

    def __eq__(self, other: object) -> bool:
        """Whether the findings are the same."""
        return isinstance(other, Reading) and self.findings == other.findings

    def __ne__(self, other: object) -> bool:
        """Whether the findings differ."""
        return not self == other

    def __hash__(self) -> int:
        """Of the findings."""
        return hash(self.findings)

    @classmethod
    def restore(cls, value: Any) -> Reading:  # noqa: ANN401  # what JSON holds
        """From the lists that a saved report holds of one, or the mapping that ``predict`` returns."""
        if isinstance(value, Mapping):
            findings = (
                Finding(
                    one["question"], one["answer"], _stretches([(x["start"], x["end"]) for x in one["evidence"] or ()])
                )
                for one in value["findings"]
            )
            return cls(tuple(findings), _stretches(value["windows"]))
        findings, windows, relevance, passages, *leanings = value
        return cls(
            tuple(Finding(question, answer, _stretches(evidence)) for question, answer, evidence in findings),
            _stretches(windows),
            tuple(map(tuple, relevance)),
            tuple(tuple(map(_stretches, of_one)) for of_one in passages),
            tuple(map(tuple, leanings[0])) if leanings else (),
        )


def _stretches(pairs: Sequence[Sequence[int]]) -> tuple[Stretch, ...]:
    return tuple((start, end) for start, end in pairs)


def answers_of(reading: Reading | None) -> dict[str, str]:
    """The answer to each question; none where there is no reading."""
    return {} if reading is None else {finding.question: finding.answer for finding in reading.findings}


def same_answers(value: Reading, reference: Reading) -> bool:
    """Whether every question of the reference is answered as it says."""
    given = answers_of(value)
    return all(given.get(finding.question) == finding.answer for finding in reference.findings)


# Answers


def question_macro_f1(questions: Sequence[str], absent: str) -> Metric[Reading]:
    """Unweighted mean over questions of the F1 of finding something.

    Right is the very answer, where it is not ``absent``.  Of questions that are neither answered by something nor have
    something to be found there is no F1, and they are left out.  An invalid output misses all of its document.

    Args:
        questions: All of them.
        absent: The answer that there is nothing.
    """
    return _f1("macro_f1", [(question,) for question in questions], _by_question(absent))


def answer_macro_f1(answers: Sequence[str]) -> Metric[Reading]:
    """Unweighted mean over answers of their F1, all questions of all documents taken together.

    An answer that neither occurs nor is given is left out.  Each question of a document without a valid output is a
    miss and a false alarm of its right answer, as in :mod:`qlorakit.metrics`.

    Args:
        answers: All of them.
    """
    return _f1("macro_f1", [(answer,) for answer in answers], _by_answer)


def answer_f1(name: str, answer: str) -> Metric[Reading]:
    """F1 of one answer, all questions of all documents taken together.

    Args:
        name: Of the metric.
        answer: Which one.
    """
    return _f1(name, [(answer,)], _by_answer)


def micro_f1(absent: str) -> Metric[Reading]:
    """F1 of finding something, all questions of all documents taken together.

    Args:
        absent: The answer that there is nothing.
    """

    def judged(output: Output[Reading], reference: Reading) -> Iterator[_Judged]:
        for one in _by_question(absent)(output, reference):
            yield one._replace(key="")

    return _f1("micro_f1", [("",)], judged)


def answer_accuracy() -> Metric[Reading]:
    """Share of questions, of all documents together, that are answered right."""

    def counts(output: Output[Reading], reference: Reading, row: Row) -> Sequence[float]:
        del row
        given = answers_of(output.value)
        right = sum(given.get(finding.question) == finding.answer for finding in reference.findings)
        return float(right), float(len(reference.findings))

    return _from_totals("accuracy", counts, lambda totals: _ratio(totals[:, 0], totals[:, 1]))


class _Judged(NamedTuple):
    """One question of one document: whose F1 it counts for, and how."""

    key: str
    right: float
    given: float
    true: float


def _by_question(absent: str) -> Callable[[Output[Reading], Reading], Iterator[_Judged]]:
    def judged(output: Output[Reading], reference: Reading) -> Iterator[_Judged]:
        given = answers_of(output.value)
        for finding in reference.findings:
            answer = given.get(finding.question, absent)
            true = finding.answer != absent
            yield _Judged(finding.question, true and answer == finding.answer, answer != absent, true)

    return judged


def _by_answer(output: Output[Reading], reference: Reading) -> Iterator[_Judged]:
    given = answers_of(output.value)
    for finding in reference.findings:
        answer = given.get(finding.question)
        yield _Judged(finding.answer, answer == finding.answer, answer in {finding.answer, None}, 1.0)
        if answer not in {finding.answer, None}:
            yield _Judged(str(answer), 0.0, 1.0, 0.0)


def _f1(
    name: str,
    keys: Sequence[tuple[str]],
    judge: Callable[[Output[Reading], Reading], Iterator[_Judged]],
) -> Metric[Reading]:
    places = {key: place for place, (key,) in enumerate(keys)}

    def counts(output: Output[Reading], reference: Reading, row: Row) -> Sequence[float]:
        del row
        totals = [0.0] * (3 * len(places))
        for one in judge(output, reference):
            place = places.get(one.key)
            if place is not None:
                for offset, number in enumerate((one.right, one.given, one.true)):
                    totals[3 * place + offset] += number
        return totals

    return _from_totals(name, counts, _mean_f1)


def _mean_f1(totals: FloatArray) -> FloatArray:
    """Mean F1 [resamples] of the classes that occur, from what was right, given and true of each, [resamples, 3n]."""
    right, both = totals[:, 0::3], totals[:, 1::3] + totals[:, 2::3]
    return _ratio((2 * right / both.clip(min=1)).sum(axis=1), (both > 0).sum(axis=1))


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """A share; 0 of nothing."""
    found: FloatArray = part / whole.clip(min=1e-12)
    return found


def _from_totals(
    name: str,
    counts: Callable[[Output[Reading], Reading, Row], Sequence[float]],
    from_counts: Callable[[FloatArray], FloatArray],
) -> Metric[Reading]:
    """A metric that follows from totals over documents."""

    def compute(outputs: Sequence[Output[Reading]], references: Sequence[Reading], rows: Sequence[Row]) -> float:
        import numpy as np

        check_pairs(outputs, references)
        each = [counts(*judged) for judged in zip(outputs, references, rows, strict=True)]
        return float(from_counts(np.array(each, dtype=np.float64).sum(axis=0, keepdims=True))[0])

    return Metric(name, compute, counts=counts, from_counts=from_counts)


def question_scores(
    outputs: Sequence[Output[Reading]], references: Sequence[Reading], questions: Sequence[str], absent: str
) -> tuple[ClassScores, ...]:
    """Precision, recall and F1 of finding something, question by question.

    Args:
        outputs: One per document.
        references: One per document.
        questions: All of them.
        absent: The answer that there is nothing.
    """
    return _class_scores(outputs, references, questions, _by_question(absent))


def answer_scores(
    outputs: Sequence[Output[Reading]], references: Sequence[Reading], answers: Sequence[str]
) -> tuple[ClassScores, ...]:
    """Precision, recall and F1 of each answer, all questions of all documents taken together.

    Args:
        outputs: One per document.
        references: One per document.
        answers: All of them.
    """
    return _class_scores(outputs, references, answers, _named_answers)


def _named_answers(output: Output[Reading], reference: Reading) -> Iterator[_Judged]:
    """As :func:`_by_answer`, but what is not answered is no false alarm: it names no class."""
    known = answers_of(output.value)
    for one in _by_answer(output, reference):
        yield one if known else one._replace(given=0.0)


def _class_scores(
    outputs: Sequence[Output[Reading]],
    references: Sequence[Reading],
    names: Sequence[str],
    judge: Callable[[Output[Reading], Reading], Iterator[_Judged]],
) -> tuple[ClassScores, ...]:
    check_pairs(outputs, references)
    totals = {name: [0.0, 0.0, 0.0] for name in names}
    for one in itertools.chain.from_iterable(map(judge, outputs, references)):
        if one.key in totals:
            totals[one.key] = [a + b for a, b in zip(totals[one.key], one[1:], strict=True)]
    return tuple(_scores(name, *numbers) for name, numbers in totals.items())


def _scores(name: str, right: float, given: float, true: float) -> ClassScores:
    precision, recall = right / max(given, 1), right / max(true, 1)
    return ClassScores(name, precision, recall, 2 * right / max(given + true, 1), int(true), int(given))


# Evidence


def evidence_f1(absent: str) -> Metric[Reading]:
    """F1 of the stretches that are given as evidence, all questions of all documents taken together.

    A stretch is found where one that is given overlaps it so that they share half of the characters they have together
    (a Jaccard index of 0.5, as in CUAD: Hendrycks et al., 2021, arXiv:2103.06268), each at most once.  Questions to
    which the reference gives an answer and no evidence are not judged, because nobody knows where it is.

    Args:
        absent: The answer that there is nothing, which has no evidence.
    """

    def counts(output: Output[Reading], reference: Reading, row: Row) -> Sequence[float]:
        del row
        found = {finding.question: finding for finding in output.value.findings} if output.value else {}
        right = given = true = 0
        for finding in reference.findings:
            if finding.answer != absent and not finding.evidence:
                continue
            said = found[finding.question].evidence if finding.question in found else ()
            right += matched(said, finding.evidence)
            given += len(said)
            true += len(finding.evidence)
        return float(right), float(given), float(true)

    return _from_totals("evidence_f1", counts, _mean_f1)


def matched(given: Sequence[Stretch], right: Sequence[Stretch]) -> int:
    """How many of the right stretches are among those given, each paired with at most one."""
    left, found = list(given), 0
    for stretch in right:
        best = max(left, key=lambda other: overlap(other, stretch), default=None)
        if best is not None and overlap(best, stretch) >= SAME:
            left.remove(best)
            found += 1
    return found


def overlap(first: Stretch, second: Stretch) -> float:
    """Characters in both by characters in either: their Jaccard index."""
    both = min(first[1], second[1]) - max(first[0], second[0])
    return max(both, 0) / (max(first[1], second[1]) - min(first[0], second[0])) if both > 0 else 0.0


# Metrics of other values


def found_in(metric: Metric[W], change: Callable[[Reading], W]) -> Metric[Reading]:
    """A metric of something that follows from what was found, such as the names of the questions with a finding.

    Args:
        metric: Of that.
        change: What it judges, from an output's or a reference's reading.
    """

    def changed(output: Output[Reading]) -> Output[W]:
        return Output(None if output.value is None else change(output.value), output.scores)

    def compute(outputs: Sequence[Output[Reading]], references: Sequence[Reading], rows: Sequence[Row]) -> float:
        return metric.compute(list(map(changed, outputs)), list(map(change, references)), rows)

    own, prepare = metric.counts, metric.resampled

    def counts(output: Output[Reading], reference: Reading, row: Row) -> Sequence[float]:
        return own(changed(output), change(reference), row) if own else ()

    def resampled(
        outputs: Sequence[Output[Reading]], references: Sequence[Reading], rows: Sequence[Row]
    ) -> Callable[[FloatArray], FloatArray]:
        prepared = prepare or _never
        return prepared(list(map(changed, outputs)), list(map(change, references)), rows)

    return Metric(
        metric.name,
        compute,
        higher_is_better=metric.higher_is_better,
        needs_scores=metric.needs_scores,
        counts=counts if own else None,
        from_counts=metric.from_counts,
        resampled=resampled if prepare else None,
    )


def _never(*_: object) -> Callable[[FloatArray], FloatArray]:
    raise NotImplementedError  # it is only called where there is something to prepare
