"""Metrics of probabilities: ranking, calibration, and what is risked at which coverage.

``Output.scores`` maps labels to probabilities: of one label per row they add up to 1, of several each stands by itself.
A label without an entry has probability 0.  A row without any, without that of its own answer where that is needed, or
with one that is not a number from 0 to 1, is a :class:`~qlorakit.errors.DataError` that names the row.

An invalid answer (``Output.value`` is ``None``, or names what is not among the labels) has no probabilities, whatever
``Output.scores`` holds.  It counts as wrong with full confidence: as if what is right had the probability 0 and
something wrong had 1.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.metrics import (
    INVALID,
    check_reference,
    each_row,
    is_right,
    mean_metric,
    positions,
    valid_label,
    valid_labels,
)
from qlorakit.task import Metric, Output, Row

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from qlorakit.metrics import BoolArray, Labels
    from qlorakit.task import FloatArray

    IntArray = npt.NDArray[np.intp]

V = TypeVar("V")

BINS = 15
# How far probabilities may be from adding up to 1: those of many labels that someone has rounded are.
SUM_TOLERANCE = 0.05
# The least probability, so that one certain mistake does not make every loss infinite; scikit-learn's choice as well.
SMALLEST = 2.0**-52


# The probability of the right label


def top_k_accuracy(k: int) -> Metric[str]:
    """Share of rows whose right label is among the ``k`` likeliest; an invalid answer is wrong.

    A label that others tie with is ranked below them: the order in which labels are listed decides nothing.  Otherwise
    as ``sklearn.metrics.top_k_accuracy_score``, which does let it decide.

    Args:
        k: At least 1.  Where a row has no more labels than that, any answer is right.

    Raises:
        ConfigurationError: ``k`` is less than 1.
    """
    if k < 1:
        msg = f"k={k}: must be 1 or more"
        raise ConfigurationError(msg)

    def judge(output: Output[str], reference: str) -> float:
        if output.value is None:
            return 0.0
        scores = check_scores(output)
        if output.value not in scores or reference not in scores:
            return 0.0
        return float(sum(score >= scores[reference] for score in scores.values()) <= k)

    return mean_metric(f"top_{k}_accuracy", judge, needs_scores=True)


def log_loss(labels: Sequence[str] | None = None) -> Metric[str]:
    """Mean of -log of the right label's probability, in nats, as ``sklearn.metrics.log_loss``.

    Probabilities are at least 2 to the power of -52, so that an invalid answer costs 36 nats.

    Args:
        labels: Every label of the task; ``None`` where each row has choices of its own.

    Raises:
        ConfigurationError: The labels are not distinct texts.
    """
    places = None if labels is None else positions(labels)

    def judge(output: Output[str], reference: str) -> float:
        scores = _distribution(output, reference, places)
        return -math.log(max(scores.get(reference, 0.0), SMALLEST))

    return mean_metric("log_loss", judge, higher_is_better=False, needs_scores=True)


def brier(labels: Sequence[str] | None = None) -> Metric[str]:
    """Mean over rows of the squared differences between probabilities and truth, summed over labels (Brier, 1950).

    From 0 to 2, for two labels as well, where some halve it; as
    ``sklearn.metrics.brier_score_loss(scale_by_half=False)``.  An invalid answer costs 2.

    Args:
        labels: Every label of the task; ``None`` where each row has choices of its own.

    Raises:
        ConfigurationError: The labels are not distinct texts.
    """
    places = None if labels is None else positions(labels)

    def judge(output: Output[str], reference: str) -> float:
        scores = {reference: 0.0, **_distribution(output, reference, places)}
        return math.fsum((score - (label == reference)) ** 2 for label, score in scores.items())

    return mean_metric("brier", judge, higher_is_better=False, needs_scores=True)


# Ranking


def auroc(labels: Sequence[str], *, positive: str | None = None) -> Metric[str]:
    """Area under the receiver operating characteristic: how surely a row of a class is ranked above another.

    Of several labels, each against the rest, the unweighted mean over those that some rows have and others have not; as
    ``sklearn.metrics.roc_auc_score(multi_class="ovr")``.  Of two labels, the value for the second one.  Not a number
    where all rows are of one class.  An invalid answer is ranked last where it should be first, and first where it
    should be last.

    Args:
        labels: Every label of the task.
        positive: The one label to judge, which the metric's name then tells; see above where it is not given.

    Raises:
        ConfigurationError: The labels are not distinct texts, or ``positive`` is none of them.
    """
    return _single_ranking("auroc", labels, positive, _AUROC)


def auprc(labels: Sequence[str], *, positive: str | None = None) -> Metric[str]:
    """Area under the precision-recall curve, as average precision (``sklearn.metrics.average_precision_score``).

    Of several labels, each against the rest, the unweighted mean over those that occur among the references.  Of two
    labels, the value for the second one; not a number where no row is of it.  An invalid answer is ranked as for
    :func:`auroc`.

    Args:
        labels: Every label of the task.
        positive: The one label to judge, which the metric's name then tells; see above where it is not given.

    Raises:
        ConfigurationError: The labels are not distinct texts, or ``positive`` is none of them.
    """
    return _single_ranking("auprc", labels, positive, _AUPRC)


def multilabel_auroc(labels: Sequence[str]) -> Metric[Labels]:
    """Area under the receiver operating characteristic of each label by itself, the unweighted mean.

    Over the labels that some rows have and others have not; not a number where there is none such.  As
    ``sklearn.metrics.roc_auc_score(average="macro")``.  An invalid answer is ranked as for :func:`auroc`.

    Args:
        labels: Every label of the task.

    Raises:
        ConfigurationError: The labels are not distinct texts.
    """
    return _multilabel_ranking("multilabel_auroc", labels, _AUROC)


def multilabel_auprc(labels: Sequence[str]) -> Metric[Labels]:
    """Average precision of each label by itself, the unweighted mean over those that occur among the references.

    Not a number where none does.  As ``sklearn.metrics.average_precision_score(average="macro")``.  An invalid answer
    is ranked as for :func:`auroc`.

    Args:
        labels: Every label of the task.

    Raises:
        ConfigurationError: The labels are not distinct texts.
    """
    return _multilabel_ranking("multilabel_auprc", labels, _AUPRC)


# Calibration


@dataclass(frozen=True)
class CalibrationBin:
    """The rows of similar confidence: a bar of a reliability diagram.

    Attributes:
        low: The bin holds confidences above this one,
        high: and up to this one.
        rows: How many it holds, at least 1.
        confidence: Their mean confidence.
        accuracy: The share of them that is right.
    """

    low: float
    high: float
    rows: int
    confidence: float
    accuracy: float


def ece(bins: int = BINS) -> Metric[Any]:
    """Expected calibration error: how far confidence is from accuracy, on average over rows (Guo et al., 2017).

    Rows fall into bins of equal width by the probability of what they were answered; the value is the mean over rows
    of the distance between their bin's mean confidence and its accuracy.  An invalid answer states no confidence and
    is left out; not a number where all are.  The name tells the number of bins, for the value depends on it.

    Args:
        bins: How many, 15 unless told otherwise.

    Raises:
        ConfigurationError: ``bins`` is less than 1.
    """
    check_bins(bins)

    def judge(output: Output[Any], reference: Any) -> list[float]:  # noqa: ANN401  # any value
        vector = [0.0] * (3 * bins)
        if output.value is not None:
            sure = confidence(output)
            place = 3 * _bin(sure, bins)
            vector[place : place + 3] = 1.0, sure, float(is_right(output, reference))
        return vector

    def counts(output: Output[Any], reference: Any, row: Row) -> Sequence[float]:  # noqa: ANN401  # any value
        del row
        return judge(output, reference)

    def compute(outputs: Sequence[Output[Any]], references: Sequence[Any], rows: Sequence[Row]) -> float:
        import numpy as np

        del rows
        total = np.sum(each_row(judge, outputs, references), axis=0, keepdims=True)
        return float(_calibration_errors(total)[0])

    return Metric(
        f"ece_{bins}",
        compute,
        higher_is_better=False,
        needs_scores=True,
        counts=counts,
        from_counts=_calibration_errors,
    )


def calibration_bins(
    outputs: Sequence[Output[V]], references: Sequence[V], *, bins: int = BINS
) -> tuple[CalibrationBin, ...]:
    """The bars of a reliability diagram, lowest confidence first; bins without rows are left out.

    Args:
        outputs: One per row, with probabilities; invalid ones are left out.
        references: One per row.
        bins: How many, of equal width, as in :func:`ece`.

    Raises:
        ConfigurationError: ``bins`` is less than 1.
        DataError: A row has no usable probability of its answer, lengths differ, or there are no rows.
    """
    check_bins(bins)
    held: dict[int, list[tuple[float, bool]]] = {}
    judged = each_row(_sureness, outputs, references)
    for output, (sure, right) in zip(outputs, judged, strict=True):
        if output.value is not None:
            held.setdefault(_bin(sure, bins), []).append((sure, right))
    return tuple(
        CalibrationBin(
            low=place / bins,
            high=(place + 1) / bins,
            rows=len(pairs),
            confidence=math.fsum(sure for sure, _ in pairs) / len(pairs),
            accuracy=sum(right for _, right in pairs) / len(pairs),
        )
        for place, pairs in sorted(held.items())
    )


def check_bins(bins: int) -> None:
    """Refuse a number of bins that is none.

    Raises:
        ConfigurationError: ``bins`` is less than 1.
    """
    if bins < 1:
        msg = f"bins={bins}: must be 1 or more"
        raise ConfigurationError(msg)


# Risk against coverage


@dataclass(frozen=True)
class RiskCoverage:
    """What is risked when only the surest answers are given.

    Attributes:
        thresholds: The confidences that occur, highest first: rows at least that sure are answered, [points].
        coverage: Share of the rows that is answered, [points]; the last one is 1.
        risk: Share of the answered rows that is wrong, [points].
    """

    thresholds: tuple[float, ...]
    coverage: tuple[float, ...]
    risk: tuple[float, ...]

    @property
    def area(self) -> float:
        """Area under the curve, AURC: the mean over rows of the risk at the coverage that includes the row.

        Geifman, Uziel and El-Yaniv (2019).  It is the lower, the more wrong answers come last; where all rows are
        equally sure it is the share of wrong answers.
        """
        starts = (0.0, *self.coverage[:-1])
        return math.fsum(
            (end - start) * risk for start, end, risk in zip(starts, self.coverage, self.risk, strict=True)
        )


def risk_coverage(
    outputs: Sequence[Output[V]], references: Sequence[V], matches: Callable[[V, V], bool] = operator.eq
) -> RiskCoverage:
    """How the share of wrong answers grows as less sure ones are given (El-Yaniv and Wiener, 2010).

    Rows that are equally sure are answered together.  An invalid answer is wrong and comes last.

    Args:
        outputs: One per row, with probabilities.
        references: One per row.
        matches: Whether a value is right, given the reference.

    Raises:
        DataError: A row has no usable probability of its answer, lengths differ, or there are no rows.
    """
    thresholds, answered, wrong = _by_confidence(outputs, references, matches)
    return RiskCoverage(
        tuple(thresholds.tolist()), tuple((answered / answered[-1]).tolist()), tuple((wrong / answered).tolist())
    )


def threshold_for_risk(
    outputs: Sequence[Output[V]],
    references: Sequence[V],
    matches: Callable[[V, V], bool] = operator.eq,
    *,
    risk: float,
    confidence: float = 0.95,
) -> float | None:
    """The lowest confidence from which answers may be given so that no more than a chosen share of them is wrong.

    The promise is about new rows from where these come from, not about these: over draws of the rows, at least
    ``confidence`` of the thresholds chosen this way keep the risk of the answered rows at ``risk`` or below (selection
    with guaranteed risk: Geifman and El-Yaniv, 2017).  The share of wrong answers among these rows would break it about
    every other time.  Rows that chose anything about the model, such as its checkpoint, are not fit for this.

    A threshold is accepted where the exact binomial test rejects, on the rows that it answers, that their risk is
    higher (the upper bound of Clopper and Pearson, 1934).  As many are tested, they are tested in sequence: from half
    of the rows, and so from a quarter and further down while that can succeed at all, and from all rows, towards lower
    thresholds until the first that fails.  Each of the sequences has an equal share of the error (fixed-sequence
    testing with several starts: Angelopoulos et al., 2021, "Learn then Test").

    Args:
        outputs: One per row, with probabilities; invalid ones are wrong and come last.
        references: One per row.
        matches: Whether a value is right, given the reference.
        risk: Largest share of wrong answers among those that are given, above 0 and below 1.
        confidence: How surely, at least 0.5 and below 1.

    Returns:
        The threshold, or ``None`` where none keeps the promise: there are too few rows for it, or too many mistakes.

    Raises:
        ConfigurationError: ``risk`` or ``confidence`` is out of range.
        DataError: A row has no usable probability of its answer, lengths differ, or there are no rows.
    """
    import numpy as np
    from scipy.stats import binom

    _check_promise(risk, confidence)
    thresholds, answered, wrong = _by_confidence(outputs, references, matches)
    starts = _starts(len(outputs), risk, 1 - confidence)
    failed = np.asarray(binom.cdf(wrong, answered, risk)) > (1 - confidence) / len(starts)
    accepted = [-1]
    for first in np.searchsorted(answered, starts):
        failures = np.flatnonzero(failed[first:])
        end = first + failures[0] if failures.size else len(failed)
        if end > first:
            accepted.append(int(end) - 1)
    return float(thresholds[max(accepted)]) if max(accepted) >= 0 else None


# Below: how the values come about


def confidence(output: Output[Any]) -> float:
    """The probability of what was answered: 0 for an invalid answer.

    Of several labels, that all of them are right and complete, taking them as independent.

    Raises:
        DataError: The output has no usable probability of its answer.
    """
    if output.value is None:
        return 0.0
    scores = check_scores(output)
    if isinstance(output.value, tuple):
        return math.prod(score if label in output.value else 1 - score for label, score in scores.items())
    if output.value not in scores:
        known = ", ".join(map(repr, scores))
        msg = f"the answer {output.value!r} has no probability; there are those of {known}"
        raise DataError(msg)
    return scores[output.value]


def check_scores(output: Output[Any], places: Mapping[str, int] | None = None) -> Mapping[str, float]:
    """The probabilities of an output, if they can be some.

    Args:
        output: Of one row.
        places: The labels, where they are a closed set.

    Raises:
        DataError: There are none, one is not a number from 0 to 1, or one is of no label.
    """
    if not output.scores:
        msg = f"the answer {output.value!r} has no probabilities; leave out metrics and thresholds that need them"
        raise DataError(msg)
    for label, score in output.scores.items():
        if not isinstance(score, Real) or not 0 <= score <= 1:  # true of NaN as well
            msg = f"the probability of {label!r} is {score}; it must be a number from 0 to 1"
            raise DataError(msg)
        if places is not None and label not in places:
            msg = f"there is a probability of {label!r}, which is none of the labels {', '.join(map(repr, places))}"
            raise DataError(msg)
    return output.scores


def _distribution(output: Output[str], reference: str, places: Mapping[str, int] | None) -> Mapping[str, float]:
    """The probabilities of a row, adding up to 1; all of it on something wrong for an invalid answer."""
    if places is not None:
        check_reference(reference, places)
    if output.value is None or (places is not None and valid_label(output, places) is None):
        return {INVALID: 1.0}
    scores = check_scores(output, places)
    total = math.fsum(scores.values())
    if abs(total - 1) > SUM_TOLERANCE:
        msg = f"the probabilities add up to {total:.3f} instead of 1"
        raise DataError(msg)
    return {label: score / total for label, score in scores.items()}


def _sureness(output: Output[V], reference: V) -> tuple[float, bool]:
    return confidence(output), is_right(output, reference)


def _bin(sure: float, bins: int) -> int:
    """The bin above ``low`` and up to ``high`` that holds a confidence; 0 falls into the first."""
    return max(math.ceil(sure * bins) - 1, 0)


def _calibration_errors(totals: FloatArray) -> FloatArray:
    """Values [resamples] from rows, confidence and right answers of each bin, [resamples, 3 * bins]."""
    import numpy as np

    rows, sure, right = totals[:, 0::3].sum(axis=1), totals[:, 1::3], totals[:, 2::3]
    with np.errstate(invalid="ignore"):
        values: FloatArray = np.abs(sure - right).sum(axis=1) / rows
    return values


def _by_confidence(
    outputs: Sequence[Output[V]], references: Sequence[V], matches: Callable[[V, V], bool]
) -> tuple[FloatArray, IntArray, IntArray]:
    """The confidences that occur, highest first, and how many rows are at least that sure, and wrong of these."""
    import numpy as np

    def judge(output: Output[V], reference: V) -> tuple[float, bool]:
        return confidence(output), output.value is None or not matches(output.value, reference)

    sure, wrong = map(np.asarray, zip(*each_row(judge, outputs, references), strict=True))
    order, starts = _tied(sure)
    ends = np.append(starts[1:], len(order)) - 1
    return sure[order][ends], ends + 1, wrong[order].cumsum()[ends]


def _check_promise(risk: float, confidence: float) -> None:
    if not 0 < risk < 1:
        msg = f"risk={risk}: must be above 0 and below 1, such as 0.05"
        raise ConfigurationError(msg)
    if not 0.5 <= confidence < 1:  # noqa: PLR2004
        msg = f"confidence={confidence}: must be at least 0.5 and below 1, such as 0.95"
        raise ConfigurationError(msg)


def _starts(rows: int, risk: float, error: float) -> list[int]:
    """How many rows the first threshold of each sequence answers; fewer could not succeed without any mistake."""
    starts = [rows]
    while (1 - risk) ** (starts[-1] // 2) <= error / (len(starts) + 1):
        starts.append(starts[-1] // 2)
    return starts


def _tied(scores: FloatArray) -> tuple[IntArray, IntArray]:
    """The order of scores, highest first, and where in it each group of equal ones starts."""
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    return order, np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))


@dataclass(frozen=True)
class _Area:
    """An area under a curve of ranks.

    Attributes:
        reference: scikit-learn's value, from whether each row has the label and its probability, both [rows].
        resampled: Values [resamples] from how often positive and negative rows were drawn, highest score first, each
            [groups of rows, resamples]; not a number where it is not defined.
        needs_negatives: Whether it is undefined where all rows are positive.
    """

    reference: Callable[[BoolArray, FloatArray], float]
    resampled: Callable[[FloatArray, FloatArray], FloatArray]
    needs_negatives: bool

    def compute(self, truth: BoolArray, scores: FloatArray) -> float:
        """The value of one label, from whether each row has it and its probability, both [rows]."""
        if not truth.any() or (self.needs_negatives and truth.all()):
            return math.nan
        return float(self.reference(truth, scores))

    def prepare(self, truth: BoolArray, scores: FloatArray) -> Callable[[FloatArray], FloatArray]:
        """Sort once; the result gives values [resamples] from weights [rows, resamples].

        Rows with equal scores are one group, and so are negative rows that no positive one stands between.
        """
        import numpy as np

        order, tied = _tied(scores)
        holds = np.logical_or.reduceat(truth[order], tied)
        starts = tied[np.append(True, holds[1:] | holds[:-1])]
        positive_rows = order[truth[order]]
        of_group = np.searchsorted(starts, np.flatnonzero(truth[order]), side="right") - 1
        groups, firsts = np.unique(of_group, return_index=True)

        def values(weights: FloatArray) -> FloatArray:
            drawn = np.add.reduceat(weights[order], starts, axis=0)
            positive = np.zeros_like(drawn)
            if len(positive_rows):
                positive[groups] = np.add.reduceat(weights[positive_rows], firsts, axis=0)
            with np.errstate(divide="ignore", invalid="ignore"):
                return self.resampled(positive, drawn - positive)

        return values


def _roc_areas(positive: FloatArray, negative: FloatArray) -> FloatArray:
    """Share of pairs of a positive and a negative row that are ranked rightly, ties half (Mann and Whitney, 1947)."""
    above = positive.cumsum(axis=0) - positive / 2
    values: FloatArray = (above * negative).sum(axis=0) / (positive.sum(axis=0) * negative.sum(axis=0))
    return values


def _average_precisions(positive: FloatArray, negative: FloatArray) -> FloatArray:
    """Precision at each threshold, weighted by the recall that it adds."""
    found = positive.cumsum(axis=0)
    answered = found + negative.cumsum(axis=0)
    precision = found / answered.clip(min=1)
    values: FloatArray = (precision * positive).sum(axis=0) / found[-1]
    return values


def _roc_area(truth: BoolArray, scores: FloatArray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(truth, scores))


def _average_precision(truth: BoolArray, scores: FloatArray) -> float:
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(truth, scores))


_AUROC = _Area(_roc_area, _roc_areas, needs_negatives=True)
_AUPRC = _Area(_average_precision, _average_precisions, needs_negatives=False)


def _single_ranking(name: str, labels: Sequence[str], positive: str | None, area: _Area) -> Metric[str]:
    places = positions(labels)
    if positive is not None and positive not in places:
        msg = f"positive={positive!r}: must be one of {', '.join(map(repr, labels))}"
        raise ConfigurationError(msg)
    judged = [positive] if positive is not None else list(labels[1:] if len(labels) == 2 else labels)  # noqa: PLR2004

    def judge(output: Output[str], reference: str) -> tuple[list[bool], list[float]]:
        right = [label == check_reference(reference, places) for label in judged]
        if valid_label(output, places) is None:
            return right, _ranked_worst(right)
        scores = check_scores(output, places)
        return right, [scores.get(label, 0.0) for label in judged]

    return _ranking(name if positive is None else f"{name}_{positive}", judge, area)


def _multilabel_ranking(name: str, labels: Sequence[str], area: _Area) -> Metric[Labels]:
    places = positions(labels)

    def judge(output: Output[Labels], reference: Labels) -> tuple[list[bool], list[float]]:
        true = {check_reference(label, places) for label in reference}
        right = [label in true for label in places]
        if valid_labels(output, places) is None:
            return right, _ranked_worst(right)
        scores = check_scores(output, places)
        return right, [scores.get(label, 0.0) for label in places]

    return _ranking(name, judge, area)


def _ranked_worst(right: Sequence[bool]) -> list[float]:
    """Scores below and above all probabilities, each where it is wrong."""
    return [-1.0 if true else 2.0 for true in right]


def _ranking(name: str, judge: Callable[[Output[V], V], tuple[list[bool], list[float]]], area: _Area) -> Metric[V]:
    """The mean area over the labels that it is defined for.

    Args:
        name: Of the metric.
        judge: Of each label of a row, whether it is right, and its score.
        area: Of one label.
    """

    def columns(outputs: Sequence[Output[V]], references: Sequence[V]) -> list[tuple[BoolArray, FloatArray]]:
        import numpy as np

        truth, scores = zip(*each_row(judge, outputs, references), strict=True)
        return list(zip(np.array(truth).T, np.array(scores, dtype=float).T, strict=True))

    def compute(outputs: Sequence[Output[V]], references: Sequence[V], rows: Sequence[Row]) -> float:
        del rows
        areas = [value for column in columns(outputs, references) if not math.isnan(value := area.compute(*column))]
        return math.fsum(areas) / len(areas) if areas else math.nan

    def prepare(
        outputs: Sequence[Output[V]], references: Sequence[V], rows: Sequence[Row]
    ) -> Callable[[FloatArray], FloatArray]:
        del rows
        prepared = [area.prepare(*column) for column in columns(outputs, references)]

        def values(weights: FloatArray) -> FloatArray:
            by_row = weights.T.copy()  # rows next to each other are gathered many times faster
            return _mean_of_defined([of_label(by_row) for of_label in prepared])

        return values

    return Metric(name, compute, needs_scores=True, resampled=prepare)


def _mean_of_defined(areas: Sequence[FloatArray]) -> FloatArray:
    """Mean over the labels [labels] for which a resample has a value, [resamples]; not a number where there is none."""
    import numpy as np

    stacked = np.stack(areas)
    defined = ~np.isnan(stacked)
    with np.errstate(invalid="ignore"):
        values: FloatArray = np.where(defined, stacked, 0.0).sum(axis=0) / defined.sum(axis=0)
    return values
