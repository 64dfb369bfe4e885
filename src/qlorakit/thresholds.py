"""Fit the thresholds above which labels are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from qlorakit.task import Decision, FloatArray, Output

# Rows with a label below which its own threshold would be fitted to chance; it then has that of all labels together.
FEWEST_POSITIVES = 10


def fit_thresholds(
    outputs: Sequence[Output[tuple[str, ...]]], references: Sequence[tuple[str, ...]], *, labels: Sequence[str]
) -> Decision:
    """The threshold of each label with the best F1 on these rows (Lipton et al., 2014).

    A label that few rows have gets the threshold with which all labels together have the best micro-F1.  Among equally
    good ones the middle of the widest gap between scores is taken.

    Args:
        outputs: With the probability of each label; those without any (an invalid answer) are left out.
        references: The right labels.
        labels: All of them.

    Returns:
        The least probability at which each label is given.
    """
    import numpy as np

    known = [(output.scores, right) for output, right in zip(outputs, references, strict=True) if output.scores]
    if not known:
        return dict.fromkeys(labels, 0.5)
    scores = np.array([[found[label] for label in labels] for found, _ in known], dtype=np.float64)
    truth = np.array([[label in right for label in labels] for _, right in known])
    common = best_threshold(scores.ravel(), truth.ravel())
    return {
        label: best_threshold(scores[:, place], truth[:, place])
        if truth[:, place].sum() >= FEWEST_POSITIVES
        else common
        for place, label in enumerate(labels)
    }


def best_threshold(scores: FloatArray, truth: npt.NDArray[np.bool_]) -> float:
    """The threshold with the best F1, one half where nothing is true.

    Args:
        scores: Probabilities, [n].
        truth: Whether each is of something true, [n].
    """
    import numpy as np

    if not truth.any():
        return 0.5
    levels, place = np.unique(scores, return_inverse=True)
    positives = np.bincount(place, weights=truth, minlength=len(levels))[::-1].cumsum()[::-1]
    given = np.bincount(place, minlength=len(levels))[::-1].cumsum()[::-1]
    f1 = 2 * positives / (given + truth.sum())
    best = np.flatnonzero(f1 >= f1.max() - 1e-12)
    below = np.concatenate([[0.0], levels[:-1]])
    widest = best[np.argmax(levels[best] - below[best])]
    return float((levels[widest] + below[widest]) / 2)
