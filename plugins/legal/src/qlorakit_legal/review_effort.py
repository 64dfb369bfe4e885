"""How much of a pile of contracts must be read to see what is in it, when the likeliest windows are read first.

A system that rates every window of every document for a question puts all these windows in an order.  Who reads them in
it, and stops after a share of them, has seen some of the places that answer the question.  That share is the *effort*,
and the share of places seen is the *recall*: the measures of technology-assisted review in discovery (Grossman and
Cormack, 2011, Technology-Assisted Review in E-Discovery Can Be More Effective and More Efficient Than Exhaustive Manual
Review, Richmond Journal of Law and Technology 17(3)).  CUAD's own measure is the precision at a recall of 80 %
(Hendrycks et al., 2021, CUAD: An Expert-Annotated NLP Dataset for Legal Contract Review, arXiv:2103.06268).

A place is seen with the first window read that holds at least half of its characters or, where the place is longer than
the window, at least half of whose characters are of the place.  Windows without a gap between them show every place.

Windows with the same relevance are read in random order, and the values are expected ones; of a place that several of
these hold, they are lower bounds, as if only one of them held it.  A part of a window counts as that part.

Effort is a share of a system's own windows, each of which costs the same: it is about how much text must be read.
Shorter windows do save reading, as less of it stands around a place, but that is no better ranking: the same order of
the same places takes about a third of the effort in windows a third as long.  Compare rankings between systems with the
same windows, or of each system with reading these in order; compare reading in words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qlorakit.document_baselines import WORDS, majority_answers
from qlorakit.document_metrics import Reading
from qlorakit.errors import ConfigurationError, DataError, UnknownNameError, did_you_mean
from qlorakit.metrics import check_pairs
from qlorakit.rows import as_rows, row_ids
from qlorakit.sentences import pieces_of
from qlorakit.task import Metric, Output, Row

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from qlorakit import Report
    from qlorakit.sentences import Stretch
    from qlorakit.task import FloatArray, Task

    Outputs = Sequence[Output[Reading]]
    References = Sequence[Reading]
    Values = Callable[["_Order", FloatArray], FloatArray]

EFFORT, RECALL = 0.1, 0.95
KIND = "questions about a document"
NEVER = -math.inf  # the relevance at which a place is seen that no window shows
HALF = 0.5
ROUNDING = 1e-12  # by which a sum of places may miss what is needed of them


@dataclass(frozen=True)
class QuestionEffort:
    """What reviewing for one question takes.

    Attributes:
        question: Which one.
        places: How many places the references give as evidence.
        windows: How many windows there are to read.
        recall: Share of the places that are seen at the chosen effort; not a number where there are none of either.
        effort: Least share of the windows to be read for the chosen recall, 1 where it is not reached.
        reading_order: The same where every document is read from its beginning, all of them side by side, in these
            windows.
        words: How many words are in all windows, those in two of them counted twice; ``None`` without texts.
        words_to_read: How many of them for the chosen recall, all where it is not reached; ``None`` without texts.
    """

    question: str
    places: int
    windows: int
    recall: float
    effort: float
    reading_order: float
    words: int | None = None
    words_to_read: float | None = None

    @property
    def windows_to_read(self) -> float:
        """How many windows must be read for the chosen recall, on average where several are as relevant."""
        return self.effort * self.windows


def review_effort(
    outputs: Outputs,
    references: References,
    questions: Sequence[str],
    *,
    effort: float = EFFORT,
    recall: float = RECALL,
    texts: Sequence[str] | None = None,
) -> tuple[QuestionEffort, ...]:
    """What reviewing takes, question by question.  Of a report, :func:`effort_of_report` tells it.

    Args:
        outputs: One per document, with windows and their relevance.
        references: One per document, with evidence.
        questions: Those that are reviewed for.
        effort: Share of the windows that are read, for the recall.
        recall: Share of the places that are seen, for the effort.
        texts: The documents, where words shall be counted: systems with different windows are compared by these.

    Raises:
        ConfigurationError: ``effort`` or ``recall`` is not above 0 and at most 1.
        DataError: There is not one reference per output, or there are none; or texts are not those of the outputs.
    """
    _check_share("effort", effort)
    _check_share("recall", recall)
    check_pairs(outputs, references)
    sizes = None if texts is None else _words(outputs, texts)
    ordered = in_reading_order(outputs)
    return tuple(_of_question(one, outputs, ordered, references, effort, recall, sizes) for one in questions)


def _of_question(
    question: str,
    outputs: Outputs,
    ordered: Outputs,
    references: References,
    effort: float,
    recall: float,
    sizes: Sequence[FloatArray] | None,
) -> QuestionEffort:
    import numpy as np

    once, order = np.ones((1, len(outputs))), _Order.of(question, outputs, references)
    found = QuestionEffort(
        question,
        round(float(order.places.sum())),
        round(float(order.windows.sum())),
        float(order.recall(once, effort)[0]),
        float(order.effort(once, recall)[0]),
        float(_Order.of(question, ordered, references).effort(once, recall)[0]),
    )
    if sizes is None:
        return found
    in_words = _Order.of(question, outputs, references, sizes)
    words = float(in_words.windows.sum())
    return replace(found, words=round(words), words_to_read=float(in_words.effort(once, recall)[0]) * words)


def _words(outputs: Outputs, texts: Sequence[str]) -> list[FloatArray]:
    """How many words each window has, document by document."""
    import numpy as np

    if len(texts) != len(outputs):
        msg = f"texts: {len(texts)} for {len(outputs)} outputs; give one text per output, in the same order"
        raise DataError(msg)
    sizes = []
    for number, (output, text) in enumerate(zip(outputs, texts, strict=True), start=1):
        windows = output.value.windows if output.value else ()
        if any(end > len(text) for _, end in windows):
            msg = f"texts: a window of output {number} ends behind its text; give the texts in the order of the outputs"
            raise DataError(msg)
        sizes.append(np.array([len(text[start:end].split()) for start, end in windows], dtype=np.float64))
    return sizes


def effort_of_report(
    report: Report,
    *,
    system: str | None = None,
    questions: Sequence[str] | None = None,
    effort: float = EFFORT,
    recall: float = RECALL,
    rows: Iterable[Row] | None = None,
    text: str = "text",
) -> tuple[QuestionEffort, ...]:
    """What reviewing takes by a report, question by question, as :func:`review_effort` tells it.

    Args:
        report: Of a task that puts questions to documents, in memory or loaded.
        system: Whose windows are read, the first one's unless given.
        questions: Those that are reviewed for; unless given, all that the references answer.
        effort: Share of the windows that are read, for the recall.
        recall: Share of the places that are seen, for the effort.
        rows: Those that were evaluated, where words shall be counted, as a report holds no texts.
        text: Their column with the document.

    Raises:
        ConfigurationError: The report is of another kind of task, or ``effort`` or ``recall`` is out of range.
        UnknownNameError: The report has no such system, or no reference answers a question.
        DataError: A row of the report is not among ``rows``.
    """
    if report.kind != KIND:
        msg = f"the report is of {report.task}, of the kind {report.kind!r}; review effort is of {KIND!r}"
        raise ConfigurationError(msg)
    name = report.systems[0].name if system is None else report.system(system).name
    said = [item[name] for item in report.predictions]
    values = [None if one["value"] is None else Reading.restore(one["value"]) for one in said]
    outputs = [Output(value, one["scores"]) for value, one in zip(values, said, strict=True)]
    references = [Reading.restore(item["reference"]) for item in report.predictions]
    known = list(dict.fromkeys(finding.question for one in references for finding in one.findings))
    for question in questions or ():
        if question not in known:
            msg = f"no reference of the report answers {question!r}.{did_you_mean(question, known)}"
            raise UnknownNameError(msg)
    texts = None if rows is None else _texts(report, rows, text)
    asked = known if questions is None else questions
    return review_effort(outputs, references, asked, effort=effort, recall=recall, texts=texts)


def _texts(report: Report, rows: Iterable[Row], column: str) -> list[str]:
    """The documents in the order of the report."""
    read = as_rows(rows)
    by_id = dict(zip(row_ids(read), read, strict=True))
    missing = [item["row_id"] for item in report.predictions if item["row_id"] not in by_id]
    if missing:
        msg = f"rows: {len(missing)} rows of the report are not among them ({missing[0]} first); give those evaluated"
        raise DataError(msg)
    found = [by_id[item["row_id"]] for item in report.predictions]
    if not all(isinstance(row.get(column), str) for row in found):
        msg = f"rows: a row has no text in the column {column!r}; name the document's column by text="
        raise DataError(msg)
    return [row[column] for row in found]


def recall_at_effort(questions: Sequence[str], *, effort: float = EFFORT) -> Metric[Reading]:
    """Share of the places that are seen by reading a share of all windows, likeliest first: mean over questions.

    Questions are left out that no reference has evidence for.  A question that is answered without evidence does not
    count for its document, as nobody knows where it is to be seen.  Of documents whose output is invalid, or has no
    relevance for the question, nothing is ever seen.  Not a number where outputs are valid and none has windows.  The
    order is that of the windows' relevance, so that outputs without probabilities have a value as well.

    The share is of the system's own windows: with shorter ones the same order reaches more.  It compares the rankings
    of systems with the same windows.

    Args:
        questions: All of them.
        effort: Share of the windows that are read, above 0 and at most 1; the metric's name tells it.

    Raises:
        ConfigurationError: ``effort`` is out of range.
    """
    _check_share("effort", effort)
    name = f"recall_at_{effort * 100:g}_percent_effort"
    return _mean_of_questions(name, questions, lambda order, weights: order.recall(weights, effort))


def effort_at_recall(questions: Sequence[str], *, recall: float = RECALL) -> Metric[Reading]:
    """Least share of all windows to be read, likeliest first, to see a share of the places: mean over questions.

    See :func:`recall_at_effort` for what counts.  Where the recall is not reached by reading all windows, the effort
    is 1.

    Args:
        questions: All of them.
        recall: Share of the places that are to be seen, above 0 and at most 1; the metric's name tells it.

    Raises:
        ConfigurationError: ``recall`` is out of range.
    """
    _check_share("recall", recall)
    name = f"effort_at_{recall * 100:g}_percent_recall"
    metric = _mean_of_questions(name, questions, lambda order, weights: order.effort(weights, recall))
    return replace(metric, higher_is_better=False)


def answers_in_reading_order(
    task: Task[Reading], train: Sequence[Row], rows: Sequence[Row], *, absent: str, text: str
) -> list[Output[Reading]]:
    """Read all documents side by side from their beginning, in pieces of 150 words as TF-IDF does.

    It is a baseline of effort, which finds nothing.  Each question is answered as most training documents do, without
    evidence and without probabilities, so that its other metrics are those of the majority, whatever thresholds are
    fitted.

    Args:
        task: The task.
        train: Labelled documents.
        rows: To be answered, labelled or not.
        absent: The answer to a question of which nothing is known.
        text: The column with the document.
    """
    answered = majority_answers(task, train, rows, absent=absent)
    return in_reading_order(
        [
            replace(output, value=output.value and output.value._replace(windows=tuple(pieces_of(row[text], WORDS))))
            for output, row in zip(answered, rows, strict=True)
        ]
    )


def in_reading_order(outputs: Outputs) -> list[Output[Reading]]:
    """The same windows with the relevance of reading every document from its beginning, all of them side by side.

    All first windows come first, then all second ones: what it takes without any system.

    Args:
        outputs: One per document.
    """
    return [output if output.value is None else replace(output, value=_by_place(output.value)) for output in outputs]


def _by_place(reading: Reading) -> Reading:
    falling = tuple(1 / place for place in range(1, len(reading.windows) + 1))
    return reading._replace(relevance=(falling,) * len(reading.findings))


def _check_share(argument: str, share: float) -> None:
    if not 0 < share <= 1:
        msg = f"{argument}={share}: must be above 0 and at most 1, such as 0.1 or 0.95"
        raise ConfigurationError(msg)


def _mean_of_questions(name: str, questions: Sequence[str], of_question: Values) -> Metric[Reading]:
    def prepare(outputs: Outputs, references: References, rows: Sequence[Row]) -> Callable[[FloatArray], FloatArray]:
        del rows
        check_pairs(outputs, references)
        orders = [order for one in questions if (order := _Order.of(one, outputs, references)).places.any()]
        return lambda weights: _mean_of_defined([of_question(order, weights) for order in orders], len(weights))

    def compute(outputs: Outputs, references: References, rows: Sequence[Row]) -> float:
        import numpy as np

        return float(prepare(outputs, references, rows)(np.ones((1, len(outputs))))[0])

    def best(references: References, rows: Sequence[Row]) -> float:
        """Of documents that are read whole; how many windows others would have, references do not tell."""
        return compute([Output(_whole(reference)) for reference in references], references, rows)

    return Metric(name.replace(".", "_"), compute, resampled=prepare, best=best)


def _whole(reference: Reading) -> Reading:
    """A document in one window, which is relevant to what has evidence in it."""
    ends = [end for finding in reference.findings for _, end in finding.evidence]
    relevance = tuple((1.0 if finding.evidence else 0.0,) for finding in reference.findings)
    return Reading(reference.findings, ((0, max(ends, default=1)),), relevance)


def _mean_of_defined(values: Sequence[FloatArray], resamples: int) -> FloatArray:
    """Mean over the questions that have a value, [resamples]; not a number where none has."""
    import numpy as np

    stacked = np.array(values).reshape(len(values), resamples)
    defined = ~np.isnan(stacked)
    with np.errstate(invalid="ignore"):
        mean: FloatArray = np.where(defined, stacked, 0.0).sum(axis=0) / defined.sum(axis=0)
    return mean


@dataclass(frozen=True)
class _Order:
    """All windows in the order in which they are read for one question, in steps.

    A step ends with windows of one relevance at which places are seen.  All numbers are of each document; those of
    windows are their sizes together, which are 1 or their words.

    Attributes:
        before: Windows of the step that are read before, and show nothing new, [steps, documents].
        tied: Its windows with that relevance, [steps, documents].
        seen: Places that are seen with these, [steps, documents].
        windows: All windows, [documents].
        places: All places, [documents].
        unrated: Whether the output is valid and has no windows, [documents].
    """

    before: FloatArray
    tied: FloatArray
    seen: FloatArray
    windows: FloatArray
    places: FloatArray
    unrated: FloatArray

    @classmethod
    def of(
        cls, question: str, outputs: Outputs, references: References, sizes: Sequence[FloatArray] | None = None
    ) -> _Order:
        """What there is of one question, with the sizes of each document's windows where these are not 1."""
        import numpy as np

        documents = [_rated(question, *pair) for pair in zip(outputs, references, strict=True)]
        weighed = [np.ones(len(ratings)) for ratings, _ in documents]
        if sizes is not None:
            weighed = [size[: len(one)] for size, one in zip(sizes, weighed, strict=True)]  # none of what is not rated
        steps = np.unique([score for _, seen in documents for score in seen if score != NEVER])[::-1]
        before, tied, shown = np.zeros((3, len(steps), len(documents)))
        for document, (ratings, seen) in enumerate(documents):
            shown[:, document] = [seen.count(step) for step in steps]
            tied[:, document] = (ratings[None, :] == steps[:, None]) @ weighed[document]
            reached = (ratings[None, :] >= steps[:, None]) @ weighed[document]
            before[:, document] = np.diff(reached, prepend=0) - tied[:, document]
        windows = np.array([size.sum() for size in weighed], dtype=np.float64)
        places = np.array([len(seen) for _, seen in documents], dtype=np.float64)
        valid = np.array([output.value is not None for output in outputs])
        return cls(before, tied, shown, windows, places, (valid & (windows == 0)).astype(np.float64))

    def recall(self, weights: FloatArray, effort: float) -> FloatArray:
        """Share of the places that are seen at an effort [resamples], from weights [resamples, documents]."""
        import numpy as np

        begin, tied, seen = self._drawn(weights)
        budget = effort * (weights @ self.windows)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = ((budget - begin) / tied).clip(0, 1)
            values: FloatArray = np.where(seen > 0, part * seen, 0.0).sum(axis=0) / (weights @ self.places)
        values[self._unmeasured(weights)] = np.nan
        return values

    def effort(self, weights: FloatArray, recall: float) -> FloatArray:
        """Least effort for a recall [resamples], 1 where it is not reached, from weights [resamples, documents]."""
        import numpy as np

        begin, tied, seen = self._drawn(weights)
        windows, places = weights @ self.windows, weights @ self.places
        needed = recall * places - (seen.cumsum(axis=0) - seen)
        with np.errstate(divide="ignore", invalid="ignore"):
            read = begin + tied * (needed / seen)
            reached = (needed > 0) & (needed <= seen * (1 + ROUNDING))
            values: FloatArray = np.where(reached, read, windows).min(axis=0, initial=np.inf)
            values = np.where(windows > 0, np.minimum(values, windows) / windows, 1.0)
        values[self._unmeasured(weights) | (places == 0)] = np.nan
        return values

    def _unmeasured(self, weights: FloatArray) -> npt.NDArray[np.bool_]:
        """Where there are no windows, and not because all outputs are invalid, [resamples]."""
        unmeasured: npt.NDArray[np.bool_] = (weights @ self.windows == 0) & (weights @ self.unrated > 0)
        return unmeasured

    def _drawn(self, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of the steps, windows read before their ties, these, and places seen with them, each [steps, resamples]."""
        before, tied, seen = (each @ weights.T for each in (self.before, self.tied, self.seen))
        return (before + tied).cumsum(axis=0) - tied, tied, seen


def _rated(question: str, output: Output[Reading], reference: Reading) -> tuple[FloatArray, list[float]]:
    """The relevance of each window of a document, and the one at which each place of evidence is seen."""
    import numpy as np

    places = [place for finding in reference.findings if finding.question == question for place in finding.evidence]
    reading = output.value or Reading(())
    asked = [finding.question for finding in reading.findings]
    if question not in asked or not reading.relevance or not reading.windows:
        return np.zeros(0), [NEVER] * len(places)
    ratings = np.array(reading.relevance[asked.index(question)], dtype=np.float64)
    return ratings, [_seen_at(place, reading.windows, ratings) for place in places]


def _seen_at(place: Stretch, windows: Sequence[Stretch], ratings: FloatArray) -> float:
    """The highest relevance of a window that shows a place."""
    import numpy as np

    starts, ends = np.array(windows).T
    both = np.minimum(ends, place[1]) - np.maximum(starts, place[0])
    shows = both >= HALF * np.minimum(ends - starts, place[1] - place[0])
    return float(ratings[shows].max(initial=NEVER))
