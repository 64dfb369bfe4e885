"""Checks of a task's metrics: on right answers, on those of other rows, on invalid ones, and on resamples."""

from __future__ import annotations

import math
import string
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from qlorakit.answer_checks import parsed, right_answers
from qlorakit.errors import DataError
from qlorakit.fakes import outputs_of, shuffled_predictions
from qlorakit.measuring import is_measurable, is_right
from qlorakit.problems import Problems, Sample, guarded
from qlorakit.task import Output

if TYPE_CHECKING:
    from qlorakit.task import FloatArray, Metric, Row, Task

ROUNDING = 1e-9


@dataclass(frozen=True)
class AnsweredSamples:
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

    def saying(self, output: Output[Any], places: Iterable[int], what: str = "") -> AnsweredSamples:
        """The same with one answer at all of some places."""
        return self.changed(dict.fromkeys(places, output), what)

    def changed(self, others: Mapping[int, Output[Any]], what: str = "") -> AnsweredSamples:
        """The same with other answers at some places."""
        return replace(self, what=what, outputs=[others.get(at, own) for at, own in enumerate(self.outputs)])

    def only(self, places: Sequence[int]) -> AnsweredSamples:
        """Some of the samples."""
        return AnsweredSamples(
            self.what,
            [self.outputs[place] for place in places],
            [self.references[place] for place in places],
            [self.rows[place] for place in places],
        )


def of_labels_and_metrics(task: Task[Any], samples: Sequence[Sample]) -> Problems:
    """Whether samples show every label, and metrics tell right answers from others."""
    rows, references = [sample.row for sample in samples], [sample.reference for sample in samples]
    outputs = [parsed(task, sample, right_answers(sample)) for sample in samples]
    right = AnsweredSamples("right answers", outputs, references, rows)
    yield from guarded("looking for every label", partial(_of_labels, task, right, samples))
    if all(reference == references[0] for reference in references):
        yield "samples: all have the same reference, so that no metric can tell answers apart; write others too"
        return
    shuffled = AnsweredSamples("answers to other rows", _shuffled(task, rows), references, rows)
    if all(is_right(task, *pair) for pair in zip(shuffled.outputs, references, strict=True)):
        yield "matches says that the right answers to other rows are right as well; make it compare them"
    for metric in task.metrics:
        yield from _of_metric(metric, right, shuffled)


def _shuffled(task: Task[Any], rows: Sequence[Row]) -> list[Output[Any]]:
    return outputs_of(task, rows, shuffled_predictions(task, rows))


def _of_labels(task: Task[Any], right: AnsweredSamples, samples: Sequence[Sample]) -> Problems:
    if task.classes is not None:
        missing = [found.label for found in task.classes(right.outputs, right.references) if not found.support]
    elif task.labels is not None:
        found = {text for reference in right.references for text in _texts_in(reference)}
        missing = [label for label in task.labels if label not in found]
        if not task.single and len(missing) == len(task.labels):
            return  # values of a kind of their own, in which labels cannot be looked for
    else:
        missing = _unused_letters(samples)
    if missing:
        yield f"samples: none has the label {', '.join(map(repr, missing))}; write a row for each"


def _texts_in(value: object) -> Iterator[str]:
    """Every text in a value, however deep in collections."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (text for pair in value.items() for item in pair for text in _texts_in(item))
    elif isinstance(value, Iterable):
        yield from (text for item in value for text in _texts_in(item))


def _unused_letters(samples: Sequence[Sample]) -> list[str]:
    """Letters that are choices, as of multiple choice, and nowhere right."""
    asked = [example for sample in samples for example in sample.examples]
    letters = sorted({choice for example in asked for choice in example.choices or ()})
    if letters != list(string.ascii_uppercase[: len(letters)]):
        return []
    right = {example.target for example in asked}
    return [letter for letter in letters if letter not in right]


def _of_metric(metric: Metric[Any], right: AnsweredSamples, shuffled: AnsweredSamples) -> Problems:
    if not is_measurable(metric, right.outputs):
        yield (
            f"metric {metric.name!r} needs probabilities, and right answers are read without any, so that it is never "
            "measured; leave it out, or let parse fill Output.scores"
        )
        return
    doing = f"metric {metric.name!r} of "
    yield from guarded(doing + right.what, partial(_of_perfect, metric, right))
    yield from guarded(doing + shuffled.what, partial(_of_imperfect, metric, right, shuffled))
    of_same = _by_reference(right.references)
    half = right.saying(Output(None), _half(of_same), "answers half of which are invalid")
    yield from guarded(doing + "invalid answers", partial(_of_none, metric, right))
    yield from guarded(doing + half.what, partial(_of_half, metric, right, half))
    yield from _of_same(metric, right, of_same)
    for answered in (right, shuffled, half):
        if is_measurable(metric, answered.outputs):
            yield from guarded(f"{doing}{answered.what}, resampled,", partial(_of_resamples, metric, answered))


def _of_perfect(metric: Metric[Any], right: AnsweredSamples) -> Problems:
    value, best = right.value(metric), _best(metric, right)
    how = "correct it, or Metric.best" if metric.best else "declare Metric.best where right answers reach less"
    if not _close(value, best):
        yield f"metric {metric.name!r} of right answers is {value:g}, and should be {best:g}; {how}"


def _best(metric: Metric[Any], right: AnsweredSamples) -> float:
    if metric.best is not None:
        return float(metric.best(right.references, right.rows))
    return 1.0 if metric.higher_is_better else 0.0


def _of_imperfect(metric: Metric[Any], right: AnsweredSamples, shuffled: AnsweredSamples) -> Problems:
    if not is_measurable(metric, shuffled.outputs):
        return
    value, best = shuffled.value(metric), right.value(metric)
    if not _worse(metric, value, best):
        yield (
            f"metric {metric.name!r} is {value:g} where each row has the answer to another, no worse than the {best:g} "
            "of right answers; correct it (is higher_is_better right?), or write samples that differ more"
        )


# Invalid answers


def _by_reference(references: Sequence[Any]) -> list[list[int]]:
    """The places of each reference."""
    groups: list[list[int]] = []
    for place, reference in enumerate(references):
        group = next((group for group in groups if references[group[0]] == reference), None)
        if group is None:
            groups.append([place])
        else:
            group.append(place)
    return groups


def _half(of_same: Sequence[Sequence[int]]) -> list[int]:
    """Every second place of each reference, so that all are hit; of all rows where no two have the same."""
    half = [place for group in of_same for place in group[::2]]
    return half if len(half) < sum(map(len, of_same)) else half[::2]


def _of_none(metric: Metric[Any], right: AnsweredSamples) -> Problems:
    if metric.needs_scores:
        return  # it is not measured where no answer is valid
    value, best = right.saying(Output(None), range(len(right.rows))).value(metric), right.value(metric)
    if math.isnan(value):
        yield f"metric {metric.name!r} of invalid answers is not a number; let them count as wrong"
    elif not _worse(metric, value, best):
        yield (
            f"metric {metric.name!r} of invalid answers is {value:g}, no worse than the {best:g} of right answers; let "
            "them count as wrong"
        )


def _of_half(metric: Metric[Any], right: AnsweredSamples, half: AnsweredSamples) -> Problems:
    """Half of the answers are invalid, which must cost something, as wrong ones in their place would."""
    if not is_measurable(metric, half.outputs):
        return
    value, best = half.value(metric), right.value(metric)
    if math.isnan(value):
        yield f"metric {metric.name!r} of {half.what} is not a number; let invalid ones count as wrong"
    elif not _worse(metric, value, best):
        changed = [place for place, output in enumerate(half.outputs) if output is not right.outputs[place]]
        if not _without_say(metric, right, right, changed):
            yield (
                f"metric {metric.name!r} of {half.what}, and the others right, is {value:g}, no worse than the "
                f"{best:g} of right answers; let invalid ones count as wrong, neither leaving them out nor taking them "
                "for some label"
            )


def _of_same(metric: Metric[Any], right: AnsweredSamples, of_same: Sequence[Sequence[int]]) -> Problems:
    """Where one value alone is right, invalid answers must not be as good as it: they would count as that value."""
    taken = [group[0] for group in of_same if _is_taken_for_it(metric, right, right.only(group))]
    if taken:
        yield (
            f"metric {metric.name!r} takes an invalid answer for {right.references[taken[0]]!r}: it is perfect where "
            "all rows have this reference and all answers are invalid; let invalid ones count as wrong"
        )


def _is_taken_for_it(metric: Metric[Any], right: AnsweredSamples, same: AnsweredSamples) -> bool:
    everywhere = range(len(same.rows))
    try:
        with warnings.catch_warnings(action="ignore"):  # of ratios that have no denominator here
            value, best = same.saying(Output(None), everywhere).value(metric), same.value(metric)
            return (
                not metric.needs_scores
                and _close(best, _best(metric, same))
                and _close(value, best)
                and not _without_say(metric, right, same, everywhere)
            )
    except Exception:  # noqa: BLE001  # a metric may need several classes; what fails with all rows is told elsewhere
        return False


def _without_say(metric: Metric[Any], right: AnsweredSamples, where: AnsweredSamples, places: Sequence[int]) -> bool:
    """Whether rows do not matter: some way to answer them wrongly does no harm either.

    One answer to all of them, as 'nothing' does to precision; or wrong ones of which it is said how unsure they are,
    which do no harm to calibration.
    """
    values = _values(right.outputs)
    wrong = [
        dict.fromkeys(places, output)
        for output in values
        if any(where.outputs[place].value != output.value for place in places)
    ]
    if metric.needs_scores:
        wrong.append({place: _unsure(where.outputs[place], values) for place in places})
    return any(_is_harmless(metric, where, where.changed(others)) for others in wrong)


def _is_harmless(metric: Metric[Any], where: AnsweredSamples, other: AnsweredSamples) -> bool:
    if not is_measurable(metric, other.outputs):
        return False
    try:
        return not _worse(metric, other.value(metric), where.value(metric))
    except DataError:  # scores that the metric refuses
        return False


def _unsure(output: Output[Any], values: Sequence[Output[Any]]) -> Output[Any]:
    """Another value, with the probability 0."""
    other = next(one.value for one in values if one.value != output.value)
    return Output(other, dict.fromkeys(output.scores, 0.0))


def _values(outputs: Sequence[Output[Any]]) -> list[Output[Any]]:
    """Outputs with different values, and that which finds nothing where they are collections."""
    found = [outputs[group[0]] for group in _by_reference([output.value for output in outputs])]
    kinds = dict.fromkeys(type(output.value) for output in outputs)
    return [*found, *(Output(kind()) for kind in kinds if kind in {tuple, list, set, frozenset, dict})]


# What holds of all


def _of_resamples(metric: Metric[Any], answered: AnsweredSamples) -> Problems:
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


def _fast_ways(
    metric: Metric[Any], answered: AnsweredSamples
) -> Iterator[tuple[str, Callable[[FloatArray], FloatArray]]]:
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
