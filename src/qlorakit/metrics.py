"""Metrics of label tasks: scikit-learn computes the values, additive counts make the bootstrap fast.

An invalid answer (``Output.value`` is ``None``) is wrong for every metric.  It is nobody's false positive, and a
miss of the class that was right: it is never mapped to a class, nor made a class of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qlorakit.task import Metric, Output, Row

if TYPE_CHECKING:
    from qlorakit.task import FloatArray

# Stands for "no valid answer" where scikit-learn needs a string; no label can be equal to it.
INVALID = "\0invalid"


@dataclass(frozen=True)
class ClassScores:
    """How one class fared.

    Attributes:
        label: The class.
        precision: Share of the answers with this class that were right; 0 where it was never answered.
        recall: Share of the rows of this class that were answered right; 0 where there is none.
        f1: Harmonic mean of the two.
        support: Rows of this class.
        predicted: Answers with this class.
    """

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int


def is_right(output: Output[Any], reference: Any) -> bool:  # noqa: ANN401  # any value
    """Whether the output equals the reference; an invalid one never does."""
    return output.value is not None and bool(output.value == reference)


def accuracy() -> Metric[Any]:
    """Share of rows whose output equals the reference; an invalid output is wrong."""

    def compute(outputs: Sequence[Output[Any]], references: Sequence[Any], rows: Sequence[Row]) -> float:
        del rows
        right = sum(is_right(output, reference) for output, reference in zip(outputs, references, strict=True))
        return float(right / len(references))

    def counts(output: Output[Any], reference: Any, row: Row) -> Sequence[float]:  # noqa: ANN401  # any value
        del row
        return float(is_right(output, reference)), 1.0

    return Metric("accuracy", compute, counts=counts, from_counts=lambda totals: totals[:, 0] / totals[:, 1])


def macro_f1(labels: Sequence[str]) -> Metric[str]:
    """Unweighted mean of the F1 of each class that occurs among the references or the answers.

    As ``sklearn.metrics.f1_score(average="macro")``, but that invalid answers are no class.

    Args:
        labels: Every label of the task.
    """
    position = {label: index for index, label in enumerate(labels)}

    def compute(outputs: Sequence[Output[str]], references: Sequence[str], rows: Sequence[Row]) -> float:
        from sklearn.metrics import f1_score

        del rows
        answers = [INVALID if output.value is None else output.value for output in outputs]
        occurring = sorted({*references, *answers} - {INVALID})
        return float(f1_score(references, answers, labels=occurring, average="macro", zero_division=0))

    def counts(output: Output[str], reference: str, row: Row) -> Sequence[float]:
        del row
        vector = [0.0] * (3 * len(labels))
        vector[3 * position[reference]] = 1.0
        if output.value is not None:
            vector[3 * position[output.value] + 1] = 1.0
            vector[3 * position[output.value] + 2] = float(output.value == reference)
        return vector

    def from_counts(totals: FloatArray) -> FloatArray:
        support, predicted, right = totals[:, 0::3], totals[:, 1::3], totals[:, 2::3]
        occurs = support + predicted > 0
        f1 = 2 * right / (support + predicted).clip(min=1)
        mean: FloatArray = f1.sum(axis=1) / occurs.sum(axis=1).clip(min=1)
        return mean

    return Metric("macro_f1", compute, counts=counts, from_counts=from_counts)


def class_scores(
    outputs: Sequence[Output[str]], references: Sequence[str], labels: Sequence[str]
) -> tuple[ClassScores, ...]:
    """Precision, recall and F1 of every label of the task, in the order given."""
    from sklearn.metrics import precision_recall_fscore_support

    answers = [INVALID if output.value is None else output.value for output in outputs]
    scores = precision_recall_fscore_support(references, answers, labels=list(labels), zero_division=0)
    return tuple(
        ClassScores(label, float(precision), float(recall), float(f1), int(support), answers.count(label))
        for label, precision, recall, f1, support in zip(labels, *scores, strict=True)
    )


def confusion(
    outputs: Sequence[Output[str]], references: Sequence[str], labels: Sequence[str]
) -> tuple[tuple[int, ...], ...]:
    """Counts with one row per true label and one column per answer; the last column holds invalid answers."""
    from sklearn.metrics import confusion_matrix

    answers = [INVALID if output.value is None else output.value for output in outputs]
    matrix = confusion_matrix(references, answers, labels=[*labels, INVALID])
    return tuple(tuple(int(count) for count in line) for line in matrix[: len(labels)])
