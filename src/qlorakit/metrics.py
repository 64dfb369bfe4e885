"""Metrics of labels, sets of labels and numbers: scikit-learn computes, additive counts make the bootstrap fast.

An invalid answer (``Output.value`` is ``None``, or names what is not among the labels) is wrong for every metric, and
never mapped to a class, nor made a class of its own.  In averages of F1 of single labels it costs as much as a wrong
label does.  That is one miss and one false alarm; since it names no class, both are charged to the class that was
missed.  Were it a miss alone, F1 could reach 2a / (1 + a) at an accuracy of a, and not answering would pay.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.task import ClassScores, Metric, Output, Row

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from qlorakit.task import FloatArray

    BoolArray = npt.NDArray[np.bool_]

V = TypeVar("V")
R = TypeVar("R")
Labels = tuple[str, ...]

# Stands for "no valid answer" where scikit-learn needs a string; no label can be equal to it.
INVALID = "\0invalid"
INVALID_SIDE = 2  # where no and yes are 0 and 1
NONE = "none"  # the further class of rows without any label


# What all metrics share


def is_right(output: Output[Any], reference: Any) -> bool:  # noqa: ANN401  # any value
    """Whether the output equals the reference; an invalid one never does."""
    return output.value is not None and bool(output.value == reference)


def check_pairs(outputs: Sequence[Output[Any]], references: Sequence[Any]) -> None:
    """Refuse what no metric can judge.

    Args:
        outputs: One per row.
        references: One per row.

    Raises:
        DataError: They are not of the same length, or there are none.
    """
    if len(outputs) != len(references):
        msg = f"{len(outputs)} outputs and {len(references)} references: each row needs one of each"
        raise DataError(msg)
    if not outputs:
        msg = "there are no rows to judge; a metric needs at least one"
        raise DataError(msg)


def each_row(judge: Callable[[Output[V], V], R], outputs: Sequence[Output[V]], references: Sequence[V]) -> list[R]:
    """What ``judge`` makes of every row; its :class:`~qlorakit.errors.DataError` is told which row it is.

    Args:
        judge: Takes the output and the reference of a row.
        outputs: One per row.
        references: One per row.

    Raises:
        DataError: A row cannot be judged, lengths differ, or there are no rows.
    """
    check_pairs(outputs, references)
    judged = []
    for number, (output, reference) in enumerate(zip(outputs, references, strict=True), start=1):
        try:
            judged.append(judge(output, reference))
        except DataError as error:
            msg = f"row {number}: {error}"
            raise DataError(msg) from error
    return judged


def mean_metric(
    name: str,
    judge: Callable[[Output[V], V], float],
    *,
    higher_is_better: bool = True,
    needs_scores: bool = False,
) -> Metric[V]:
    """A metric that is the mean of one number per row.

    Args:
        name: As it is reported.
        judge: The number of a row, from its output and reference.  Invalid outputs reach it too.
        higher_is_better: ``False`` for errors and costs.
        needs_scores: Whether it is about probabilities.
    """

    def compute(outputs: Sequence[Output[V]], references: Sequence[V], rows: Sequence[Row]) -> float:
        del rows
        judged = each_row(judge, outputs, references)
        return float(math.fsum(judged) / len(judged))

    def counts(output: Output[V], reference: V, row: Row) -> Sequence[float]:
        del row
        return float(judge(output, reference)), 1.0

    return Metric(
        name,
        compute,
        higher_is_better=higher_is_better,
        needs_scores=needs_scores,
        counts=counts,
        from_counts=lambda totals: totals[:, 0] / totals[:, 1],
    )


def accuracy() -> Metric[Any]:
    """Share of rows whose output equals the reference; an invalid output is wrong."""
    return mean_metric("accuracy", is_right)


# One label per row


def macro_f1(labels: Sequence[str]) -> Metric[str]:
    """Unweighted mean of the F1 of each class that occurs among the references or the answers.

    As ``sklearn.metrics.f1_score(average="macro")``.  An invalid answer is a miss and a false alarm of the class that
    was right.

    Args:
        labels: Every label of the task.

    Raises:
        ConfigurationError: The labels are not distinct texts.
    """
    return _label_f1(labels, "macro")


def micro_f1(labels: Sequence[str]) -> Metric[str]:
    """F1 of all classes counted together.

    As ``sklearn.metrics.f1_score(average="micro")``.  With one label per row and an invalid answer that counts as a
    wrong one, it is the accuracy.

    Args:
        labels: Every label of the task.

    Raises:
        ConfigurationError: The labels are not distinct texts.
    """
    return _label_f1(labels, "micro")


def weighted_f1(labels: Sequence[str]) -> Metric[str]:
    """Mean of the F1 of each class, weighted by how often it occurs among the references.

    As ``sklearn.metrics.f1_score(average="weighted")``.  An invalid answer is a miss and a false alarm of the class
    that was right.

    Args:
        labels: Every label of the task.

    Raises:
        ConfigurationError: The labels are not distinct texts.
    """
    return _label_f1(labels, "weighted")


def mcc(labels: Sequence[str]) -> Metric[str]:
    """Correlation of answers and references, from -1 to 1: Matthews' coefficient for any number of classes.

    Defined by Gorodkin (2004), computed as ``sklearn.metrics.matthews_corrcoef``.  An invalid answer is an answer that
    is never right.  Where all answers or all references are alike there is no correlation, and the value is 0.

    Args:
        labels: Every label of the task.

    Raises:
        ConfigurationError: The labels are not distinct texts.
    """
    places = positions(labels)

    def compute(outputs: Sequence[Output[str]], references: Sequence[str], rows: Sequence[Row]) -> float:
        from sklearn.metrics import matthews_corrcoef

        del rows
        answers = _named_answers(outputs, references, places)
        if len({*references, *answers}) == 1:
            return 0.0  # scikit-learn's value as well, but with a warning
        return float(matthews_corrcoef(references, answers))

    def counts(output: Output[str], reference: str, row: Row) -> Sequence[float]:
        del row
        answer = valid_label(output, places)
        return _tally([_place(reference, places)], [] if answer is None else [places[answer]], len(places))

    return Metric("mcc", compute, counts=counts, from_counts=_correlations)


def class_scores(
    outputs: Sequence[Output[str]], references: Sequence[str], labels: Sequence[str]
) -> tuple[ClassScores, ...]:
    """Precision, recall and F1 of every label of the task, in the order given.

    Precision is about answers that name the class, so that an invalid answer lowers recall alone; averages such as
    :func:`macro_f1` charge it in full.

    Args:
        outputs: One per row.
        references: One per row.
        labels: Every label of the task.

    Raises:
        ConfigurationError: The labels are not distinct texts.
        DataError: A reference is none of the labels, lengths differ, or there are no rows.
    """
    from sklearn.metrics import precision_recall_fscore_support

    answers = _named_answers(outputs, references, positions(labels))
    scores = precision_recall_fscore_support(references, answers, labels=list(labels), zero_division=0)
    return tuple(
        ClassScores(label, float(precision), float(recall), float(f1), int(support), answers.count(label))
        for label, precision, recall, f1, support in zip(labels, *scores, strict=True)
    )


def confusion(
    outputs: Sequence[Output[str]], references: Sequence[str], labels: Sequence[str]
) -> tuple[tuple[int, ...], ...]:
    """Counts with one row per true label and one column per answer; the last column holds invalid answers.

    Args:
        outputs: One per row.
        references: One per row.
        labels: Every label of the task.

    Raises:
        ConfigurationError: The labels are not distinct texts.
        DataError: A reference is none of the labels, lengths differ, or there are no rows.
    """
    from sklearn.metrics import confusion_matrix

    answers = _named_answers(outputs, references, positions(labels))
    matrix = confusion_matrix(references, answers, labels=[*labels, INVALID])
    return tuple(tuple(int(count) for count in line) for line in matrix[: len(labels)])


# One label per row, of labels in an order


def ordinal_cost(labels: Sequence[str]) -> Metric[str]:
    """Mean over rows of how many places the answer is from the right label: the absolute error of places.

    From 0 to one less than there are labels.  An invalid answer is as far off as an answer can be.

    Args:
        labels: Every label of the task, in its order.

    Raises:
        ConfigurationError: The labels are not distinct texts.
    """
    places = positions(labels)

    def judge(output: Output[str], reference: str) -> float:
        true = _place(reference, places)
        return float(abs(_answered_place(output, true, places) - true))

    return mean_metric("ordinal_cost", judge, higher_is_better=False)


def quadratic_kappa(labels: Sequence[str]) -> Metric[str]:
    """Agreement beyond chance, a disagreement counting by the square of its distance (Cohen, 1968).

    As ``sklearn.metrics.cohen_kappa_score(weights="quadratic")``: 1 where all is right, 0 for chance.  An invalid
    answer counts as the label that is farthest from the right one.  Where all answers and all references are the same
    label there is no chance to go beyond, and the value is 0.

    Args:
        labels: Every label of the task, in its order.

    Raises:
        ConfigurationError: The labels are not distinct texts.
    """
    places = positions(labels)

    def counts(output: Output[str], reference: str, row: Row) -> Sequence[float]:
        del row
        true = _place(reference, places)
        return [float(place == (true, _answered_place(output, true, places))) for place in _cells(len(places))]

    def compute(outputs: Sequence[Output[str]], references: Sequence[str], rows: Sequence[Row]) -> float:
        import numpy as np
        from sklearn.metrics import cohen_kappa_score

        del rows

        def judge(output: Output[str], reference: str) -> tuple[int, int]:
            true = _place(reference, places)
            return true, _answered_place(output, true, places)

        true, answered = zip(*each_row(judge, outputs, references), strict=True)
        if len({*true, *answered}) == 1:
            return 0.0
        return float(cohen_kappa_score(true, answered, labels=np.arange(len(places)), weights="quadratic"))

    return Metric("quadratic_kappa", compute, counts=counts, from_counts=functools.partial(_kappas, size=len(places)))


# Any number of labels per row


def multilabel_micro_f1(labels: Sequence[str], *, none_label: bool = False) -> Metric[Labels]:
    """F1 of all labels of all rows counted together, as ``sklearn.metrics.f1_score(average="micro")``.

    An invalid answer has no class at all: it misses every class of its row.  Where no row and no answer has a class,
    the value is 0.

    Args:
        labels: Every label of the task.
        none_label: Whether a row without any label counts as one of a further class, in references and answers alike,
            so that leaving it alone is right (Chalkidis et al., 2022, LexGLUE).  The metric's name then says so.

    Raises:
        ConfigurationError: The labels are not distinct texts, or one is called as the further class.
    """
    return _multilabel_f1(labels, "micro", none_label=none_label)


def multilabel_macro_f1(labels: Sequence[str], *, none_label: bool = False) -> Metric[Labels]:
    """Unweighted mean of the F1 of each label that occurs among the references or the answers.

    As ``sklearn.metrics.f1_score(average="macro")`` over these labels.  LexGLUE's own program takes the mean over all
    labels, so that one that occurs nowhere counts as 0.  An invalid answer has no class at all: it misses every class
    of its row.  Where no row and no answer has a class, the value is 0.

    Args:
        labels: Every label of the task.
        none_label: As for :func:`multilabel_micro_f1`.

    Raises:
        ConfigurationError: The labels are not distinct texts, or one is called as the further class.
    """
    return _multilabel_f1(labels, "macro", none_label=none_label)


def example_f1() -> Metric[Labels]:
    """Mean over rows of the F1 between the labels answered and the right ones.

    As ``sklearn.metrics.f1_score(average="samples", zero_division=1.0)``: a row without labels is right, and 1, where
    none is answered.  An invalid answer is 0.
    """

    def judge(output: Output[Labels], reference: Labels) -> float:
        if output.value is None:
            return 0.0
        answered, true = set(output.value), set(reference)
        return 2 * len(answered & true) / (len(answered) + len(true)) if answered or true else 1.0

    return mean_metric("example_f1", judge)


def exact_match() -> Metric[Labels]:
    """Share of rows whose labels are all right and complete, in whatever order; an invalid answer is wrong."""
    return mean_metric("exact_match", _same_labels)


def multilabel_mcc(labels: Sequence[str]) -> Metric[Labels]:
    """Unweighted mean over labels of the correlation of yes and no with the reference, from -1 to 1.

    Of each label, Matthews' coefficient as ``sklearn.metrics.matthews_corrcoef``.  A label that all references have, or
    none, correlates with nothing, whatever is answered, and is left out; one that all answers have, or none, counts as
    0.  An invalid answer is neither yes nor no to any label, and so never right.  Where every label is left out, the
    value is 0.

    Args:
        labels: Every label of the task.

    Raises:
        ConfigurationError: The labels are not distinct texts.
    """
    places = positions(labels)

    def compute(outputs: Sequence[Output[Labels]], references: Sequence[Labels], rows: Sequence[Row]) -> float:
        import numpy as np
        from sklearn.metrics import matthews_corrcoef

        del rows
        judged = each_row(functools.partial(_answered_sides, places=places), outputs, references)
        true, answered = np.array(judged).transpose(2, 1, 0)  # each [labels, rows]
        varied = [place for place in range(len(places)) if len(set(true[place])) > 1]
        found = [matthews_corrcoef(true[place], answered[place]) for place in varied]
        return float(np.mean(found)) if found else 0.0

    def counts(output: Output[Labels], reference: Labels, row: Row) -> Sequence[float]:
        del row
        sides = _answered_sides(output, reference, places)
        return [
            count for true, answer in sides for count in _tally([true], [] if answer == INVALID_SIDE else [answer], 2)
        ]

    def from_counts(totals: FloatArray) -> FloatArray:
        import numpy as np

        of_labels = totals.reshape(len(totals), len(places), -1)  # of each label, as _tally counts no and yes
        varied = (of_labels[:, :, 0] > 0) & (of_labels[:, :, 3] > 0)
        found = np.stack([_correlations(of_labels[:, place]) for place in range(len(places))], axis=1)
        values: FloatArray = (found * varied).sum(axis=1) / varied.sum(axis=1).clip(min=1)
        return values

    return Metric("multilabel_mcc", compute, counts=counts, from_counts=from_counts)


def multilabel_class_scores(
    outputs: Sequence[Output[Labels]],
    references: Sequence[Labels],
    labels: Sequence[str],
    *,
    none_label: bool = False,
) -> tuple[ClassScores, ...]:
    """Precision, recall and F1 of every label of the task, in the order given.

    An invalid answer misses every label of its row and is nobody's false alarm.

    Args:
        outputs: One per row.
        references: The right labels of each row.
        labels: Every label of the task.
        none_label: Whether the scores of the class of rows without any label come last, called ``"none"``.

    Raises:
        ConfigurationError: The labels are not distinct texts, or one is called as the further class.
        DataError: A reference is none of the labels, lengths differ, or there are no rows.
    """
    from sklearn.metrics import precision_recall_fscore_support

    places, names = positions(labels), _class_names(labels, none_label=none_label)
    true, answered = _indicators(outputs, references, places, none_label=none_label)
    scores = precision_recall_fscore_support(true, answered, labels=range(len(names)), average=None, zero_division=0)
    columns = *scores, answered.sum(axis=0)[: len(names)]
    return tuple(
        ClassScores(label, float(precision), float(recall), float(f1), int(support), int(predicted))
        for label, precision, recall, f1, support, predicted in zip(names, *columns, strict=True)
    )


# Numbers


def numeric_match(matches: Callable[[float, float], bool]) -> Metric[float]:
    """Share of rows whose number is right; an invalid answer is wrong.

    Args:
        matches: Whether a number is right, given the reference; the task's own, with its tolerance.
    """

    def judge(output: Output[float], reference: float) -> float:
        return float(output.value is not None and bool(matches(output.value, reference)))

    return mean_metric("numeric_match", judge)


def median_relative_error() -> Metric[float]:
    """Median over rows of ``|answer - reference| / |reference|``.

    An invalid answer, and one that misses a reference of 0, is infinitely wrong: the median bears fewer than half of
    them and is infinite with more.
    """

    def prepare(
        outputs: Sequence[Output[float]], references: Sequence[float], rows: Sequence[Row]
    ) -> Callable[[FloatArray], FloatArray]:
        import numpy as np

        del rows
        unsorted = np.asarray(each_row(_relative_error, outputs, references))
        order = np.argsort(unsorted)
        errors = unsorted[order]

        def values(weights: FloatArray) -> FloatArray:
            up_to = weights[:, order].cumsum(axis=1)
            last = up_to[:, -1:]
            lower, upper = ((up_to <= middle).sum(axis=1) for middle in ((last - 1) // 2, last // 2))
            median: FloatArray = (errors[lower] + errors[upper]) / 2
            return median

        return values

    def compute(outputs: Sequence[Output[float]], references: Sequence[float], rows: Sequence[Row]) -> float:
        from statistics import median

        del rows
        return float(median(each_row(_relative_error, outputs, references)))

    return Metric("median_relative_error", compute, higher_is_better=False, resampled=prepare)


# Below: how the values come about


def positions(labels: Sequence[str]) -> dict[str, int]:
    """The place of each label in the order given.

    Raises:
        ConfigurationError: The labels are not distinct texts, or there are none.
    """
    if isinstance(labels, str) or not labels or not all(isinstance(label, str) for label in labels):
        msg = f"labels={labels!r}: must be the texts of all labels, such as ('yes', 'no')"
        raise ConfigurationError(msg)
    places = {label: place for place, label in enumerate(labels)}
    if len(places) != len(labels):
        twice = sorted({label for label in labels if list(labels).count(label) > 1})
        msg = f"labels: {', '.join(map(repr, twice))} given more than once"
        raise ConfigurationError(msg)
    return places


def valid_label(output: Output[str], places: Mapping[str, int]) -> str | None:
    """The label of an output; ``None`` where it is invalid or names none of the labels."""
    return output.value if output.value in places else None


def valid_labels(output: Output[Labels], places: Mapping[str, int]) -> frozenset[str] | None:
    """The labels of an output; ``None`` where it is invalid or one of them is not among the task's."""
    if output.value is None or not all(label in places for label in output.value):
        return None
    return frozenset(output.value)


def check_reference(label: str, places: Mapping[str, int]) -> str:
    """The label, if it is one.

    Raises:
        DataError: It is not among the labels.
    """
    if label not in places:
        allowed = ", ".join(map(repr, places))
        msg = f"the reference {label!r} is none of the labels {allowed}; correct it, or add it to the labels"
        raise DataError(msg)
    return label


def _same_labels(output: Output[Labels], reference: Labels) -> bool:
    return output.value is not None and set(output.value) == set(reference)


def _relative_error(output: Output[float], reference: float) -> float:
    if output.value is None or math.isnan(output.value):
        return math.inf
    difference = abs(float(output.value) - float(reference))
    if reference == 0:
        return 0.0 if difference == 0 else math.inf
    return difference / abs(float(reference))


def _place(reference: str, places: Mapping[str, int]) -> int:
    return places[check_reference(reference, places)]


def _answered_place(output: Output[str], true: int, places: Mapping[str, int]) -> int:
    """The place of an answer in an order of labels; of an invalid one, the farthest from the right place."""
    answer = valid_label(output, places)
    last = len(places) - 1
    return (0 if true > last - true else last) if answer is None else places[answer]


def _cells(size: int) -> Iterable[tuple[int, ...]]:
    return itertools.product(range(size), repeat=2)


def _kappas(totals: FloatArray, size: int) -> FloatArray:
    """Quadratic kappas from flattened confusion matrices, [resamples, size * size]."""
    import numpy as np

    matrices = totals.reshape(-1, size, size)
    places = np.arange(size)
    distances = (places[:, None] - places) ** 2.0
    rows = matrices.sum(axis=(1, 2))
    observed = (matrices * distances).sum(axis=(1, 2)) * rows
    expected = np.einsum("ri,rj,ij->r", matrices.sum(axis=2), matrices.sum(axis=1), distances)
    values: FloatArray = np.where(expected > 0, 1 - observed / np.where(expected > 0, expected, 1), 0.0)
    return values


def _named_answers(outputs: Sequence[Output[str]], references: Sequence[str], places: Mapping[str, int]) -> list[str]:
    """The answer of every row, invalid ones by a name of their own."""

    def name(output: Output[str], reference: str) -> str:
        check_reference(reference, places)
        answer = valid_label(output, places)
        return INVALID if answer is None else answer

    return each_row(name, outputs, references)


def _tally(true: Iterable[int], answered: Iterable[int], classes: int) -> list[float]:
    """One row's additive counts: for each class, whether it is true, answered, and both, [3 * classes]."""
    vector = [0.0] * (3 * classes)
    for place in true:
        vector[3 * place] = 1.0
    for place in answered:
        vector[3 * place + 1] = 1.0
        vector[3 * place + 2] = vector[3 * place]
    return vector


def _untallied(totals: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """How often each class was true, answered and both, each [resamples, classes]."""
    return totals[:, 0::3], totals[:, 1::3], totals[:, 2::3]


def _micro(totals: FloatArray) -> FloatArray:
    true, answered, both = _untallied(totals)
    total = (true + answered).sum(axis=1)
    values: FloatArray = 2 * both.sum(axis=1) / total.clip(min=1)
    return values


def _macro(totals: FloatArray) -> FloatArray:
    true, answered, both = _untallied(totals)
    f1 = 2 * both / (true + answered).clip(min=1)
    occurring = (true + answered > 0).sum(axis=1)
    values: FloatArray = f1.sum(axis=1) / occurring.clip(min=1)
    return values


def _weighted(totals: FloatArray) -> FloatArray:
    true, answered, both = _untallied(totals)
    f1 = 2 * both / (true + answered).clip(min=1)
    values: FloatArray = (true * f1).sum(axis=1) / true.sum(axis=1).clip(min=1)
    return values


_AVERAGES: Mapping[str, Callable[[FloatArray], FloatArray]] = {
    "micro": _micro,
    "macro": _macro,
    "weighted": _weighted,
}


def _correlations(totals: FloatArray) -> FloatArray:
    """Gorodkin's correlation, with invalid answers as a column of the confusion matrix that is never right."""
    import numpy as np

    true, answered, both = _untallied(totals)
    rows, right = true.sum(axis=1), both.sum(axis=1)
    invalid = rows - answered.sum(axis=1)
    together = right * rows - (true * answered).sum(axis=1)
    spread = (rows**2 - (answered**2).sum(axis=1) - invalid**2) * (rows**2 - (true**2).sum(axis=1))
    values: FloatArray = np.where(spread > 0, together / np.sqrt(spread.clip(min=1)), 0.0)
    return values


def _label_f1(labels: Sequence[str], average: str) -> Metric[str]:
    places = positions(labels)

    def compute(outputs: Sequence[Output[str]], references: Sequence[str], rows: Sequence[Row]) -> float:
        from sklearn.metrics import f1_score

        del rows
        answers = _named_answers(outputs, references, places)
        missed = [truth for truth, answer in zip(references, answers, strict=True) if answer == INVALID]
        # The false alarm of an invalid answer, as a row of its own that is of no class.
        charged = [*references, *[INVALID] * len(missed)], [*answers, *missed]
        occurring = sorted({*references, *answers} - {INVALID})
        return float(f1_score(*charged, labels=occurring, average=average, zero_division=0))

    def counts(output: Output[str], reference: str, row: Row) -> Sequence[float]:
        del row
        true, answer = _place(reference, places), valid_label(output, places)
        vector = _tally([true], [] if answer is None else [places[answer]], len(places))
        if answer is None:
            vector[3 * true + 1] = 1.0
        return vector

    return Metric(f"{average}_f1", compute, counts=counts, from_counts=_AVERAGES[average])


def _class_names(labels: Sequence[str], *, none_label: bool) -> list[str]:
    if none_label and NONE in labels:
        msg = f"none_label=True adds a class {NONE!r}, and the labels have one already; rename that, or leave it out"
        raise ConfigurationError(msg)
    return [*labels, NONE] if none_label else list(labels)


def _judged(
    output: Output[Labels], reference: Labels, places: Mapping[str, int], *, none_label: bool
) -> tuple[list[int], list[int]]:
    """The places of the classes of a row and of its answer; the class of no label comes last."""
    none = [len(places)] if none_label else []
    true = [_place(label, places) for label in reference]
    labels = valid_labels(output, places)
    if labels is None:
        return true or none, []
    return true or none, [places[label] for label in labels] or none


def _answered_sides(output: Output[Labels], reference: Labels, places: Mapping[str, int]) -> list[tuple[int, int]]:
    """Of each label whether the row has it, and what was answered: 0, 1, or ``INVALID_SIDE``."""
    true = {check_reference(label, places) for label in reference}
    labels = valid_labels(output, places)
    return [(int(label in true), INVALID_SIDE if labels is None else int(label in labels)) for label in places]


def _indicators(
    outputs: Sequence[Output[Labels]], references: Sequence[Labels], places: Mapping[str, int], *, none_label: bool
) -> tuple[BoolArray, BoolArray]:
    """Which classes every row has, and which were answered.

    Returns:
        Each [rows, classes + 1].  The last column is always empty: a matrix of one column would be no matrix of labels
        to scikit-learn, but one of two classes.
    """
    import numpy as np

    def judge(output: Output[Labels], reference: Labels) -> tuple[list[int], list[int]]:
        return _judged(output, reference, places, none_label=none_label)

    judged = each_row(judge, outputs, references)
    true, answered = np.zeros((2, len(judged), len(places) + none_label + 1), dtype=bool)
    for row, (right, given) in enumerate(judged):
        true[row, right] = answered[row, given] = True
    return true, answered


def _multilabel_f1(labels: Sequence[str], average: str, *, none_label: bool) -> Metric[Labels]:
    places, names = positions(labels), _class_names(labels, none_label=none_label)

    def compute(outputs: Sequence[Output[Labels]], references: Sequence[Labels], rows: Sequence[Row]) -> float:
        import numpy as np
        from sklearn.metrics import f1_score

        del rows
        true, answered = _indicators(outputs, references, places, none_label=none_label)
        occurring = np.flatnonzero((true | answered).any(axis=0))
        if not occurring.size:
            return 0.0
        return float(f1_score(true, answered, labels=occurring, average=average, zero_division=0))

    def counts(output: Output[Labels], reference: Labels, row: Row) -> Sequence[float]:
        del row
        return _tally(*_judged(output, reference, places, none_label=none_label), len(names))

    name = f"multilabel_{average}_f1" + ("_with_none" if none_label else "")
    return Metric(name, compute, counts=counts, from_counts=_AVERAGES[average])
