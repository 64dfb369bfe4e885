import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from qlorakit.task import Output
from qlorakit.thresholds import FEWEST_POSITIVES, best_threshold, fit_thresholds

PAIRS = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.2, 0.25, 0.5, 0.7, 0.9, 1.0]), st.booleans()), min_size=1)


def f1_at(threshold, scores, truth):
    return f1_score(truth, scores >= threshold, zero_division=0)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(PAIRS)
def test_no_other_threshold_has_a_better_f1(pairs):
    scores, truth = np.array([score for score, _ in pairs]), np.array([right for _, right in pairs])
    if truth.any():
        best = f1_at(best_threshold(scores, truth), scores, truth)
        assert best == pytest.approx(max(f1_at(level, scores, truth) for level in scores))


def test_the_threshold_stands_in_the_middle_of_a_gap():
    assert best_threshold(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True])) == pytest.approx(0.5)


def test_where_nothing_is_true_the_threshold_is_one_half():
    assert best_threshold(np.array([0.1, 0.9]), np.array([False, False])) == 0.5


def outputs(*scores):
    return [Output((), {"often": often, "rarely": rarely}) for often, rarely in scores]


def test_a_rare_label_has_the_threshold_of_all_together():
    often = FEWEST_POSITIVES
    given = outputs(*[(0.3, 0.0)] * often, *[(0.1, 0.0)] * 5, (0.1, 0.9))
    references = [("often",)] * often + [()] * 5 + [("rarely",)]
    found = fit_thresholds(given, references, labels=("often", "rarely"))
    assert found["often"] == pytest.approx(0.2)
    assert found["rarely"] == found["often"]


def test_invalid_answers_are_left_out():
    found = fit_thresholds([Output(None), *outputs((0.9, 0.1))], [("often",), ("often",)], labels=("often", "rarely"))
    assert found == fit_thresholds(outputs((0.9, 0.1)), [("often",)], labels=("often", "rarely"))


def test_without_any_scores_thresholds_are_one_half():
    assert fit_thresholds([Output(None)], [()], labels=("a", "b")) == {"a": 0.5, "b": 0.5}
