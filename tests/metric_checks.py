"""What the tests of all metrics share: rows are pairs of a reference and an output."""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st

quick = settings(deadline=None, max_examples=20, derandomize=True)


def weights_of(pairs):
    """How often each of these rows is drawn, at least one of them."""
    drawn = st.lists(st.integers(0, 3), min_size=len(pairs), max_size=len(pairs))
    return drawn.filter(any)


def value(metric, pairs):
    """The metric on rows, by ``compute``."""
    return metric.compute([output for _, output in pairs], [reference for reference, _ in pairs], [{}] * len(pairs))


def resampled(metric, pairs, weights):
    """The metric on resamples of rows [resamples, rows], by whichever fast way it has."""
    references, outputs, weights = [pair[0] for pair in pairs], [pair[1] for pair in pairs], np.asarray(weights, float)
    if metric.resampled is not None:
        return metric.resampled(outputs, references, [{}] * len(pairs))(weights)
    counts = np.array([metric.counts(output, reference, {}) for reference, output in pairs])
    return metric.from_counts(weights @ counts)


def assert_resamples_agree(metric, pairs, weights):
    """Rows drawn once give the computed value, and rows drawn often that of the repeated rows, both at one time."""
    repeated = [pair for pair, weight in zip(pairs, weights, strict=True) for _ in range(weight)]
    found = resampled(metric, pairs, [[1] * len(pairs), weights])
    assert found == pytest.approx([value(metric, pairs), value(metric, repeated)], nan_ok=True)
