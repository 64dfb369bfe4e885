"""How far a number can be trusted: bootstrap intervals, and paired tests between two systems."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from qlorakit.task import FloatArray, Metric, Output, Row

CHUNK = 64  # resamples at a time: bounds the memory of the weights, [CHUNK, rows]


def resample_weights(n_rows: int, *, resamples: int, seed: int) -> Iterator[FloatArray]:
    """How often each row is drawn, in chunks [resamples of the chunk, rows].

    The same seed draws the same rows, so that two systems resampled alike are paired.
    """
    rng = np.random.default_rng(seed)
    even = np.full(n_rows, 1 / n_rows)
    for start in range(0, resamples, CHUNK):
        yield rng.multinomial(n_rows, even, size=min(CHUNK, resamples - start)).astype(np.float64)


def bootstrap_values(
    metric: Metric[Any],
    outputs: Sequence[Output[Any]],
    references: Sequence[Any],
    rows: Sequence[Row],
    *,
    resamples: int,
    seed: int,
) -> FloatArray:
    """The metric on ``resamples`` samples of the rows, drawn with replacement (Efron, 1979).

    Returns:
        Values, [resamples].
    """
    weights = resample_weights(len(rows), resamples=resamples, seed=seed)
    if metric.counts is not None and metric.from_counts is not None:
        counts = np.asarray(list(map(metric.counts, outputs, references, rows)))
        return np.concatenate([metric.from_counts(chunk @ counts) for chunk in weights])
    values = []
    for draw in (draw for chunk in weights for draw in chunk):
        drawn = np.repeat(np.arange(len(rows)), draw.astype(int)).tolist()
        chosen = [outputs[i] for i in drawn], [references[i] for i in drawn], [rows[i] for i in drawn]
        values.append(metric.compute(*chosen))
    return np.asarray(values)


def percentile_interval(values: FloatArray, *, confidence: float) -> tuple[float, float]:
    """The central ``confidence`` share of bootstrap values."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def mcnemar(right_a: Sequence[bool], right_b: Sequence[bool]) -> float:
    """Two-sided exact McNemar test that two systems are right equally often (McNemar, 1947).

    Only rows where exactly one of the two is right say anything: under the hypothesis, each of them is a coin toss.

    Args:
        right_a: Whether the first system was right, per row.
        right_b: The same for the second, rows in the same order.

    Returns:
        The p-value; 1 where the systems are right on the same rows.
    """
    from scipy.stats import binomtest

    only_a = sum(a and not b for a, b in zip(right_a, right_b, strict=True))
    only_b = sum(b and not a for a, b in zip(right_a, right_b, strict=True))
    if only_a + only_b == 0:
        return 1.0
    return float(binomtest(only_a, only_a + only_b).pvalue)
