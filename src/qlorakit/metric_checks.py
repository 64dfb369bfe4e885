"""Checks of a task's metrics: on right answers, on those of other rows, on invalid ones, and on resamples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from qlorakit.answer_checks import parsed, right_answers
from qlorakit.fakes import outputs_of, shuffled_predictions
from qlorakit.measuring import is_measurable, is_right
from qlorakit.problems import Problems, Sample, guarded
from qlorakit.task import Output

if TYPE_CHECKING:
    from qlorakit.task import FloatArray, Metric, Row, Task

ROUNDING = 1e-9


@dataclass(frozen=True)
class Answered:
    """All samples with answers to them.

    Attributes:
        what: The answers, in words.
        outputs: One per row.
        references: What is right.
        rows: The samples.
    """

    what: str
    outputs: Sequence[Output[Any]]
    references: Sequence[Any]
    rows: Sequence[Row]

    def value(self, metric: Metric[Any], places: Sequence[int] | None = None) -> float:
        """A metric, of all rows or of those at some places, of which one may be there twice."""
        places = range(len(self.rows)) if places is None else places
        outputs = [self.outputs[place] for place in places]
        return float(metric.compute(outputs, [self.references[p] for p in places], [self.rows[p] for p in places]))


def of_labels_and_metrics(task: Task[Any], samples: Sequence[Sample]) -> Problems:
    """Whether samples show every label, and metrics tell right answers from others."""
    rows, references = [sample.row for sample in samples], [sample.reference for sample in samples]
    outputs = [parsed(task, sample, right_answers(sample)) for sample in samples]
    right = Answered("right answers", outputs, references, rows)
    yield from guarded("classes of right answers", partial(_of_labels, task, right))
    if all(reference == references[0] for reference in references):
        yield "samples: all have the same reference, so that no metric can tell answers apart; write others too"
        return
    shuffled = Answered("answers to other rows", _shuffled(task, rows), references, rows)
    if all(is_right(task, *pair) for pair in zip(shuffled.outputs, references, strict=True)):
        yield "matches says that the right answers to other rows are right as well; make it compare them"
    invalid = Answered("invalid answers", [Output(None) for _ in rows], references, rows)
    for metric in task.metrics:
        yield from _of_metric(metric, right, shuffled, invalid)


def _shuffled(task: Task[Any], rows: Sequence[Row]) -> list[Output[Any]]:
    return outputs_of(task, rows, shuffled_predictions(task, rows))


def _of_labels(task: Task[Any], right: Answered) -> Problems:
    if task.classes is not None:
        missing = [found.label for found in task.classes(right.outputs, right.references) if not found.support]
    else:
        missing = [label for label in task.labels or () if label not in right.references] if task.single else []
    if missing:
        yield f"samples: none has the label {', '.join(map(repr, missing))}; write a row for each"


def _of_metric(metric: Metric[Any], right: Answered, shuffled: Answered, invalid: Answered) -> Problems:
    if not is_measurable(metric, right.outputs):
        return
    doing = f"metric {metric.name!r} of "
    yield from guarded(doing + right.what, partial(_of_perfect, metric, right))
    yield from guarded(doing + shuffled.what, partial(_of_imperfect, metric, right, shuffled))
    if not metric.needs_scores:
        yield from guarded(doing + invalid.what, partial(_of_none, metric, right, invalid))
    for answered in (right, shuffled):
        if is_measurable(metric, answered.outputs):
            yield from guarded(f"{doing}{answered.what}, resampled,", partial(_of_resamples, metric, answered))


def _of_perfect(metric: Metric[Any], right: Answered) -> Problems:
    value, best = right.value(metric), 1.0 if metric.higher_is_better else 0.0
    how = "declare Metric.best where right answers reach less"
    if metric.best is not None:
        best, how = metric.best(right.references, right.rows), "correct it, or Metric.best"
    if not _close(value, best):
        yield f"metric {metric.name!r} of right answers is {value:g}, and should be {best:g}; {how}"


def _of_imperfect(metric: Metric[Any], right: Answered, shuffled: Answered) -> Problems:
    if not is_measurable(metric, shuffled.outputs):
        return
    value, best = shuffled.value(metric), right.value(metric)
    if not _worse(metric, value, best):
        yield (
            f"metric {metric.name!r} is {value:g} where each row has the answer to another, no worse than the {best:g} "
            "of right answers; correct it (is higher_is_better right?), or write samples that differ more"
        )


def _of_none(metric: Metric[Any], right: Answered, invalid: Answered) -> Problems:
    value, best = invalid.value(metric), right.value(metric)
    if math.isnan(value):
        yield f"metric {metric.name!r} of invalid answers is not a number; let them count as wrong"
    elif _worse(metric, best, value):
        yield (
            f"metric {metric.name!r} of invalid answers is {value:g}, better than the {best:g} of right answers; let "
            "them count as wrong"
        )


def _of_resamples(metric: Metric[Any], answered: Answered) -> Problems:
    """Each fast way must give what ``compute`` gives, for the rows as they are and with one twice and one left out."""
    ways, rows = list(_fast_ways(metric, answered)), len(answered.rows)
    if not ways:
        return
    draws = [list(range(rows)), [0, *range(rows - 1)], [*range(1, rows), rows - 1]]
    weights = np.array([np.bincount(draw, minlength=rows) for draw in draws], dtype=np.float64)
    expected = [answered.value(metric, draw) for draw in draws]
    for what, values in ways:
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.asarray(values(weights), dtype=np.float64)
        if found.shape != (len(draws),):
            yield f"metric {metric.name!r}: {what} give values of shape {found.shape}; give one for each resample"
            continue
        wrong = next((place for place, value in enumerate(expected) if not _close(found[place], value)), None)
        if wrong is not None:
            yield (
                f"metric {metric.name!r}: {what} give {found[wrong]:g} for {answered.what} where compute gives "
                f"{expected[wrong]:g}{' of resampled rows' if wrong else ''}; make the two agree"
            )


def _fast_ways(metric: Metric[Any], answered: Answered) -> Iterator[tuple[str, Callable[[FloatArray], FloatArray]]]:
    """How values of resamples are found without computing each, as ``qlorakit.statistics`` does."""
    of_rows = answered.outputs, answered.references, answered.rows
    if metric.counts is not None and metric.from_counts is not None:
        counts = np.array(list(map(metric.counts, *of_rows)), dtype=np.float64)
        from_counts = metric.from_counts
        yield "counts and from_counts", lambda weights: from_counts(weights @ counts)
    if metric.resampled is not None:
        yield "the values of resampled", metric.resampled(*of_rows)


def _close(value: float, other: float) -> bool:
    """Whether two values agree; undefined ones do with each other."""
    if math.isnan(value) or math.isnan(other):
        return math.isnan(value) and math.isnan(other)
    return value == other or math.isclose(value, other, rel_tol=ROUNDING, abs_tol=ROUNDING)


def _worse(metric: Metric[Any], value: float, than: float) -> bool:
    return value < than - ROUNDING if metric.higher_is_better else value > than + ROUNDING
