from dataclasses import replace

import numpy as np
import pytest

from qlorakit.metrics import accuracy, macro_f1
from qlorakit.statistics import CHUNK, bootstrap_values, mcnemar, percentile_interval, resample_weights
from qlorakit.task import Metric, Output

LABELS = ("down", "flat", "up")


def answers(n, seed, *, right=0.6):
    rng = np.random.default_rng(seed)
    references = rng.choice(LABELS, n).tolist()
    guesses = rng.choice([*LABELS, None], n).tolist()
    kept = rng.random(n) < right
    return [Output(r if k else g) for r, g, k in zip(references, guesses, kept, strict=True)], references


def bootstrap(metric, outputs, references, *, resamples=100, seed=0):
    return bootstrap_values(metric, outputs, references, [{}] * len(outputs), resamples=resamples, seed=seed)


@pytest.mark.parametrize("metric", [accuracy(), macro_f1(LABELS)], ids=lambda metric: metric.name)
@pytest.mark.parametrize("n", [1, 5, 40])
def test_counts_give_the_values_that_computing_each_resample_gives(metric, n):
    outputs, references = answers(n, seed=n)
    slow = bootstrap(replace(metric, counts=None, from_counts=None), outputs, references)
    assert bootstrap(metric, outputs, references) == pytest.approx(slow)


def test_a_resample_holds_as_many_rows_as_there_are():
    draws = np.concatenate(list(resample_weights(7, resamples=50, seed=0)))
    assert draws.shape == (50, 7)
    assert (draws.sum(axis=1) == 7).all()


def test_every_row_is_drawn_once_on_average():
    draws = np.concatenate(list(resample_weights(10, resamples=4000, seed=0)))
    assert draws.mean(axis=0) == pytest.approx(np.ones(10), abs=0.08)
    assert draws.var(axis=0) == pytest.approx(np.full(10, 0.9), abs=0.1)


def test_resamples_come_in_chunks_that_bound_memory():
    sizes = [len(chunk) for chunk in resample_weights(3, resamples=2 * CHUNK + 1, seed=0)]
    assert sizes == [CHUNK, CHUNK, 1]


def test_the_same_seed_draws_the_same_rows_for_both_systems():
    outputs, references = answers(50, seed=1)
    worse = [Output(None) if i == 0 else output for i, output in enumerate(outputs)]
    outputs[0] = Output(references[0])
    difference = bootstrap(accuracy(), outputs, references) - bootstrap(accuracy(), worse, references)
    drawn = np.concatenate(list(resample_weights(50, resamples=100, seed=0)))[:, 0]
    assert difference == pytest.approx(drawn / 50)


def test_another_seed_draws_other_rows():
    outputs, references = answers(50, seed=1)
    first, second = (bootstrap(accuracy(), outputs, references, seed=seed) for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_the_first_resamples_do_not_depend_on_how_many_follow():
    outputs, references = answers(20, seed=2)
    many = bootstrap(accuracy(), outputs, references, resamples=200)
    assert bootstrap(accuracy(), outputs, references, resamples=70).tolist() == many[:70].tolist()


def test_a_metric_may_read_the_rows_it_is_given():
    metric = Metric("mean_length", lambda outputs, references, rows: sum(row["n"] for row in rows) / len(rows))
    rows = [{"n": 1}, {"n": 3}]
    values = bootstrap_values(metric, [Output("a")] * 2, ["a"] * 2, rows, resamples=50, seed=0)
    assert set(values.tolist()) == {1.0, 2.0, 3.0}


def test_the_interval_holds_the_central_share_of_the_values():
    assert percentile_interval(np.arange(101.0), confidence=0.9) == pytest.approx((5, 95))


def test_a_system_that_is_always_right_has_an_interval_of_no_width():
    values = bootstrap(accuracy(), [Output("up")] * 30, ["up"] * 30)
    assert percentile_interval(values, confidence=0.95) == (1, 1)


def test_the_interval_of_accuracy_covers_the_truth_as_often_as_it_says():
    rng, covered = np.random.default_rng(0), 0
    for seed in range(200):
        outputs = [Output("up" if right else "down") for right in rng.random(200) < 0.7]
        values = bootstrap(accuracy(), outputs, ["up"] * 200, resamples=300, seed=seed)
        low, high = percentile_interval(values, confidence=0.9)
        covered += low <= 0.7 <= high
    assert 0.84 <= covered / 200 <= 0.96


@pytest.mark.parametrize(
    ("only_a", "only_b", "expected"),
    [(0, 5, 2 / 32), (1, 9, 22 / 1024), (5, 5, 1), (0, 1, 1), (2, 8, 112 / 1024)],
)
def test_mcnemar_is_the_exact_binomial_test_on_discordant_rows(only_a, only_b, expected):
    first = [True] * only_a + [False] * only_b + [True] * 20 + [False] * 7
    second = [False] * only_a + [True] * only_b + [True] * 20 + [False] * 7
    assert mcnemar(first, second) == pytest.approx(expected)
    assert mcnemar(second, first) == pytest.approx(expected)


def test_mcnemar_is_one_where_both_are_right_on_the_same_rows():
    assert mcnemar([True, False, True], [True, False, True]) == 1


def test_mcnemar_refuses_systems_of_different_length():
    with pytest.raises(ValueError, match="zip"):
        mcnemar([True], [True, False])
