import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.kinds import single_label
from qlorakit.metrics import accuracy, macro_f1, mean_metric, median_relative_error
from qlorakit.score_metrics import brier, ece
from qlorakit.statistics import (
    BLOCKS,
    CHUNK,
    Difference,
    McNemar,
    Resampled,
    Resampling,
    holm,
    mcnemar,
    proportion_interval,
    resample_weights,
    rows_needed,
    warnings_of,
)
from qlorakit.task import Metric, Output

quick = settings(deadline=None, max_examples=25, derandomize=True)
LABELS = ("down", "flat", "up")
SMALL = Resampling(resamples=200)
MEAN = mean_metric("mean", lambda output, reference: output.value - reference)
counts_of = st.integers(0, 60)
TASK = single_label("toy/direction", summary="Directions.", instruction="Up, down or flat?", labels=LABELS)


def answers(n, seed=0, *, right=0.6, labels=LABELS):
    rng = np.random.default_rng(seed)
    references = rng.choice(labels, n).tolist()
    guesses = rng.choice([*labels, None], n).tolist()
    kept = rng.random(n) < right
    return [Output(r if k else g) for r, g, k in zip(references, guesses, kept, strict=True)], references


def numbers(values):
    return [Output(float(value)) for value in values], [0.0] * len(values)


def apply(metric, outputs, references, resampling=SMALL, **options):
    return resampling.apply(metric, outputs, references, [{}] * len(outputs), **options)


def drawn(n, resamples=400, seed=0, **options):
    return np.concatenate(list(resample_weights(n, resamples=resamples, seed=seed, **options)))


def slow(metric):
    return replace(metric, counts=None, from_counts=None, resampled=None)


# Resamples


def test_a_resample_holds_as_many_rows_as_there_are():
    weights = drawn(7, resamples=50)
    assert weights.shape == (50, 7)
    assert (weights.sum(axis=1) == 7).all()


def test_rows_are_drawn_as_often_as_with_replacement():
    weights = drawn(10, resamples=4000)
    assert weights.mean(axis=0) == pytest.approx(np.ones(10), abs=0.08)
    assert weights.var(axis=0) == pytest.approx(np.full(10, 0.9), abs=0.1)


@quick
@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=30))
def test_every_resample_keeps_the_number_of_rows_of_each_stratum(strata):
    weights = drawn(len(strata), resamples=20, strata=strata)
    for stratum in set(strata):
        members = [value == stratum for value in strata]
        assert (weights[:, members].sum(axis=1) == sum(members)).all()


@quick
@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_groups_are_drawn_whole_and_as_many_as_there_are(groups):
    weights = drawn(len(groups), resamples=20, groups=groups)
    once = {group: weights[:, place] for place, group in enumerate(groups)}
    for place, group in enumerate(groups):
        assert (weights[:, place] == once[group]).all()
    assert (sum(once.values()) == len(once)).all()


def test_resamples_come_in_chunks_that_bound_memory():
    assert [len(chunk) for chunk in resample_weights(3, resamples=2 * CHUNK + 1, seed=0)] == [CHUNK, CHUNK, 1]
    many = next(resample_weights(300_000, resamples=20, seed=0))
    assert many.nbytes < 2**26


def test_the_first_resamples_do_not_depend_on_how_many_follow():
    assert np.array_equal(drawn(20, resamples=200)[:70], drawn(20, resamples=70))


def test_another_seed_draws_other_rows():
    assert np.array_equal(drawn(50, seed=1), drawn(50, seed=1))
    assert not np.array_equal(drawn(50, seed=1), drawn(50, seed=2))


@pytest.mark.parametrize("metric", [accuracy(), macro_f1(LABELS)], ids=lambda metric: metric.name)
@pytest.mark.parametrize("n", [1, 25])
@pytest.mark.parametrize("by", [{}, {"strata": "ab"}, {"groups": "ab"}], ids=["plain", "strata", "groups"])
def test_counts_give_the_values_that_computing_each_resample_gives(metric, n, by):
    outputs, references = answers(n, seed=n)
    options = {name: [values[i % 2] for i in range(n)] for name, values in by.items()}
    ways = (metric, slow(metric))
    fast, computed = (apply(way, outputs, references, Resampling(100), **options) for way in ways)
    assert fast.values == pytest.approx(computed.values)
    assert fast.left_out == pytest.approx(computed.left_out)
    assert fast.value == computed.value


def test_a_metric_of_ranks_gives_the_values_that_computing_each_resample_gives():
    rng = np.random.default_rng(0)
    outputs, references = [Output(float(x)) for x in rng.normal(1, 1, 31)], [1.0] * 31
    metric = median_relative_error()
    fast, computed = (apply(way, outputs, references) for way in (metric, slow(metric)))
    assert fast.values == pytest.approx(computed.values)


def test_a_metric_may_read_the_rows_it_is_given():
    metric = Metric("mean_length", lambda outputs, references, rows: sum(row["n"] for row in rows) / len(rows))
    found = SMALL.apply(metric, [Output("a")] * 2, ["a"] * 2, [{"n": 1}, {"n": 3}])
    assert set(found.values.tolist()) == {1.0, 2.0, 3.0}


def test_leaving_out_is_the_jackknife_of_rows_and_of_groups():
    outputs, references = numbers([1, 2, 4, 8])
    assert sorted(apply(MEAN, outputs, references).left_out) == pytest.approx(sorted([14 / 3, 13 / 3, 11 / 3, 7 / 3]))
    assert sorted(apply(MEAN, outputs, references, groups="aabb").left_out) == pytest.approx([1.5, 6])


def test_of_many_rows_blocks_are_left_out_and_every_row_once():
    n = 3 * BLOCKS + 1
    rows = Metric("rows", lambda outputs, references, rows: len(rows))
    left_out = apply(rows, *numbers([1] * n)).left_out
    assert len(left_out) == BLOCKS
    assert (n - left_out).sum() == n
    assert set(n - left_out) == {3, 4}


def test_blocks_do_not_follow_the_order_of_the_rows():
    data = [float(place % BLOCKS == 0) for place in range(5 * BLOCKS)]
    left_out = apply(MEAN, *numbers(data)).left_out
    assert left_out.min() > 2 / (5 * BLOCKS - 5)  # no block holds most of the five


# Bad rows


def test_outputs_references_and_rows_must_be_of_one_length():
    with pytest.raises(DataError, match="2 outputs and 1 references"):
        SMALL.apply(accuracy(), [Output("a")] * 2, ["a"], [{}] * 2)
    with pytest.raises(DataError, match="2 outputs and 3 rows"):
        SMALL.apply(accuracy(), [Output("a")] * 2, ["a"] * 2, [{}] * 3)


def test_no_rows_are_refused():
    with pytest.raises(DataError, match="no rows"):
        apply(accuracy(), [], [])
    with pytest.raises(DataError, match="no rows to resample"):
        resample_weights(0, resamples=1, seed=0)


@pytest.mark.parametrize("argument", ["strata", "groups"])
def test_strata_and_groups_must_be_given_for_every_row(argument):
    with pytest.raises(DataError, match=f"{argument} has 1 values for 2 rows"):
        apply(accuracy(), [Output("a")] * 2, ["a"] * 2, **{argument: ["x"]})


def test_strata_and_groups_exclude_each_other():
    with pytest.raises(ConfigurationError, match="not both"):
        resample_weights(2, resamples=1, seed=0, strata="ab", groups="ab")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"resamples": 99}, "resamples=99: an interval needs at least 100"),
        ({"seed": -1}, "seed=-1"),
        ({"confidence": 1.0}, r"confidence=1\.0"),
        ({"confidence": 95}, "confidence=95"),
        ({"confidence": math.nan}, "confidence=nan"),
    ],
)
def test_settings_out_of_range_are_refused(wrong, said):
    with pytest.raises(ConfigurationError, match=said):
        Resampling(**wrong)


def test_the_record_gives_the_settings_back():
    assert Resampling(**Resampling(300, 0.9, 7).record()) == Resampling(300, 0.9, 7)


def test_one_row_has_the_interval_of_a_share_of_one():
    for metric in (accuracy(), macro_f1(LABELS)):
        low, high = SMALL.interval(apply(metric, [Output("up")], ["up"]))
        assert (low, high) == pytest.approx((1 / (1 + 1.959964**2), 1), abs=1e-5)


def test_one_row_with_another_value_has_no_interval():
    found = apply(MEAN, *numbers([0.3]))
    assert found.value == 0.3
    assert np.isnan(SMALL.interval(found)).all()
    assert np.isnan(SMALL.interval(found.minus(apply(MEAN, *numbers([0.1]))))).all()


def test_one_row_in_each_stratum_says_nothing_about_chance():
    outputs, references = answers(4, right=0.5)
    found = apply(accuracy(), outputs, references, strata=range(4))
    assert np.isnan(SMALL.interval(found)).all()


def test_rows_of_one_class_have_an_interval_that_is_no_point():
    for outputs in ([Output("up")] * 30, [Output("flat")] * 30, [Output(None)] * 30):
        low, high = SMALL.interval(apply(macro_f1(LABELS), outputs, ["up"] * 30))
        assert 0 <= low < high <= 1
        assert high - low == pytest.approx(1.96**2 / (30 + 1.96**2), abs=1e-3)


def test_a_value_that_is_no_number_has_no_interval():
    found = apply(MEAN, *numbers([1, 2, math.nan]))
    assert math.isnan(found.value)
    assert np.isnan(SMALL.interval(found)).all()
    assert math.isnan(found.minus(found).p_value())
    assert np.isnan(replace(apply(MEAN, *numbers([1, 2])), value=math.nan).interval(0.95)).all()


@pytest.mark.parametrize(("nans", "known"), [(10, True), (11, False)])
def test_resamples_without_a_value_are_left_out_up_to_one_in_twenty(nans, known):
    values = np.concatenate([np.full(nans, math.nan), np.linspace(0, 1, 200 - nans)])
    found = Resampled(0.5, values, np.linspace(0, 1, 50), units=50, strata=1, share=None)
    low, high = found.interval(0.95)
    assert not math.isnan(low) if known else math.isnan(low)
    assert not math.isnan(high) if known else math.isnan(high)


@pytest.mark.filterwarnings("error")
def test_infinite_errors_leave_an_interval_but_no_difference():
    outputs = [Output(1.2)] * 12 + [Output(None)] * 11
    found = apply(median_relative_error(), outputs, [1.0] * 23)
    low, high = SMALL.interval(found)
    assert (low, high) == (pytest.approx(0.2), math.inf)
    assert np.isnan(SMALL.interval(found.minus(found))).all()


# Intervals


@quick
@given(counts_of, counts_of, st.sampled_from([0.8, 0.95, 0.99]))
def test_the_interval_of_a_share_holds_what_the_score_test_does_not_rule_out(right, wrong, confidence):
    n, z = right + wrong, stats.norm.isf((1 - confidence) / 2)
    low, high = proportion_interval(right, n, confidence=confidence)
    if n == 0:
        assert math.isnan(low)
        assert math.isnan(high)
        return
    for end, extreme in ((low, right == 0), (high, wrong == 0)):
        assert extreme or abs(right / n - end) == pytest.approx(z * math.sqrt(end * (1 - end) / n))
    assert 0 <= low <= right / n <= high <= 1


@pytest.mark.parametrize(("successes", "trials"), [(3, 2), (-1, 2)])
def test_more_successes_than_trials_are_refused(successes, trials):
    with pytest.raises(ConfigurationError, match=f"successes={successes}, trials={trials}"):
        proportion_interval(successes, trials, confidence=0.95)


def test_accuracy_has_the_interval_of_its_share():
    outputs, references = answers(50)
    found = apply(accuracy(), outputs, references)
    right = sum(output.value == reference for output, reference in zip(outputs, references, strict=True))
    assert SMALL.interval(found) == proportion_interval(right, 50, confidence=0.95)


@pytest.mark.parametrize(
    "metric",
    [
        mean_metric("half", lambda output, reference: 0.5 if output.value == reference else 0.0),
        replace(accuracy(), from_counts=lambda totals: 1 - totals[:, 0] / totals[:, 1]),
        macro_f1(LABELS),
    ],
)
def test_what_is_no_share_of_rows_has_no_interval_of_one(metric):
    assert apply(metric, *answers(50)).share is None


def test_rows_in_strata_and_groups_are_no_independent_trials():
    outputs, references = answers(40)
    assert apply(accuracy(), outputs, references, strata=references).share is None
    assert apply(accuracy(), outputs, references, groups=[i // 4 for i in range(40)]).share is None


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_bca_widened_for_few_rows(seed):
    data = np.random.default_rng(seed).lognormal(size=15)
    level = 1 - 2 * stats.norm.sf(stats.t.ppf(0.95, 14) * math.sqrt(15 / 14))  # 0.931
    expected = stats.bootstrap(
        (data,), np.mean, confidence_level=level, method="BCa", n_resamples=9999, rng=np.random.default_rng(0)
    ).confidence_interval
    resampling = Resampling(9999, 0.9)
    found = resampling.interval(apply(MEAN, *numbers(data), resampling))
    assert found == pytest.approx(tuple(expected), rel=0.03)


def test_intervals_grow_with_confidence_and_hold_the_value():
    found = apply(macro_f1(LABELS), *answers(60))
    spans = [found.interval(confidence) for confidence in (0.5, 0.8, 0.95, 0.99)]
    assert all(low <= found.value <= high for low, high in spans)
    assert all(wide[0] <= low and high <= wide[1] for (low, high), wide in itertools.pairwise(spans))


@pytest.mark.parametrize("data", [np.random.default_rng(0).lognormal(size=60), np.repeat([0, 1, 2], [9, 2, 1])])
def test_a_mirrored_metric_has_the_mirrored_interval(data):
    low, high = SMALL.interval(apply(MEAN, *numbers(data)))
    assert SMALL.interval(apply(MEAN, *numbers(-data))) == pytest.approx((-high, -low))


def test_three_rows_say_next_to_nothing_for_certain():
    found = apply(MEAN, *numbers([0, 0, 2]))
    assert found.interval(0.999) == (found.values.min(), found.values.max())


def test_within_strata_the_skewness_between_them_does_not_count():
    found = Resampled(0.5, np.linspace(0, 1, 201), np.array([0.0] * 9 + [1.0]), units=10, strata=2, share=None)
    low, high = found.interval(0.9)
    assert low == pytest.approx(1 - high)


def test_grouped_rows_have_wider_intervals_than_independent_ones():
    # Every group answers as one row: the error is that of as few rows as there are groups.
    right = np.repeat(np.random.default_rng(0).random(40) < 0.7, 9)
    outputs, references = [Output("up" if value else "down") for value in right], ["up"] * 360
    alone = SMALL.interval(apply(accuracy(), outputs, references))
    together = SMALL.interval(apply(accuracy(), outputs, references, groups=[i // 9 for i in range(360)]))
    assert 2.3 < (together[1] - together[0]) / (alone[1] - alone[0]) < 3.7


def test_strata_narrow_the_interval_where_they_explain_the_value():
    outputs = [Output("up")] * 50
    references = ["up"] * 24 + ["flat"] + ["up"] + ["flat"] * 24  # nearly all right in one half, wrong in the other
    free, fixed = (apply(accuracy(), outputs, references, strata=by) for by in (None, [i // 25 for i in range(50)]))
    widths = [high - low for low, high in map(SMALL.interval, (free, fixed))]
    assert widths[1] < widths[0] / 2


def test_resamples_of_ten_thousand_rows_spread_as_theory_says():
    found = apply(accuracy(), *answers(10_000), Resampling())
    assert found.values.shape == (2000,)
    assert found.values.std() == pytest.approx(math.sqrt(found.value * (1 - found.value) / 10_000), rel=0.06)


# Differences


def test_the_same_seed_pairs_systems():
    outputs, references = answers(50, seed=1)
    better, worse = ([Output(said), *outputs[1:]] for said in (references[0], None))
    difference = apply(accuracy(), better, references).values - apply(accuracy(), worse, references).values
    assert difference == pytest.approx(drawn(50, resamples=200)[:, 0] / 50)


def test_a_paired_difference_is_surer_than_one_of_other_rows():
    outputs, references = answers(200, right=0.8)
    worse = [Output(None)] * 10 + outputs[10:]
    first, other = (apply(macro_f1(LABELS), said, references) for said in (outputs, worse))
    assert first.minus(other).error < first.minus(other, paired=False).error / 2
    assert first.minus(other).value == first.minus(other, paired=False).value


def test_the_error_of_a_mean_difference_is_the_textbook_one():
    rng = np.random.default_rng(0)
    first, other = rng.normal(size=(2, 7))
    resampling = Resampling(4000)
    found = [apply(MEAN, *numbers(values), resampling) for values in (first, other)]
    paired, apart = found[0].minus(found[1]), found[0].minus(found[1], paired=False)
    assert paired.error == pytest.approx(stats.sem(first - other), rel=0.05)
    assert apart.error == pytest.approx(math.hypot(stats.sem(first), stats.sem(other)), rel=0.05)
    assert paired.p_value() == pytest.approx(stats.ttest_rel(first, other).pvalue, abs=0.03)


@quick
@given(counts_of, counts_of, counts_of, counts_of)
def test_a_paired_difference_of_accuracies_is_bonett_and_prices(both, up, down, neither):
    rows = both + up + down + neither
    if not rows:
        return
    first = [Output("up")] * (both + up) + [Output("down")] * (down + neither)
    second = [Output("up")] * both + [Output("down")] * up + [Output("up")] * down + [Output("down")] * neither
    found = Resampling(100).apply(accuracy(), first, ["up"] * rows, [{}] * rows)
    difference = found.minus(Resampling(100).apply(accuracy(), second, ["up"] * rows, [{}] * rows))
    p, q = (up + 1) / (rows + 2), (down + 1) / (rows + 2)
    reach = 1.959964 * math.sqrt((p + q - (p - q) ** 2) / (rows + 2))
    assert difference.value == pytest.approx((up - down) / rows)
    assert difference.interval(0.95) == pytest.approx((max(p - q - reach, -1), min(p - q + reach, 1)), abs=1e-5)


def test_a_difference_of_accuracies_on_other_rows_is_agresti_and_caffos():
    first, other = (apply(accuracy(), *answers(n, seed=n)) for n in (40, 90))
    p, q = ((found.share[:, 0].sum() + 1) / (len(found.share) + 2) for found in (first, other))
    reach = 1.959964 * math.sqrt(p * (1 - p) / 42 + q * (1 - q) / 92)
    assert first.minus(other, paired=False).interval(0.95) == pytest.approx((p - q - reach, p - q + reach), abs=1e-5)


def test_a_difference_is_mirrored_when_systems_change_places():
    outputs, references = answers(80)
    others, _ = answers(80, seed=3)
    for metric in (accuracy(), macro_f1(LABELS)):
        first, other = (apply(metric, said, references) for said in (outputs, others))
        low, high = SMALL.interval(other.minus(first))
        assert SMALL.interval(first.minus(other)) == pytest.approx((-high, -low))


def test_systems_that_answer_alike_may_still_differ_on_other_rows():
    outputs, references = answers(100)
    found = apply(accuracy(), outputs, references)
    low, high = SMALL.interval(found.minus(found))
    assert -0.05 < low < 0 < high < 0.05
    assert found.minus(found).p_value() == 1


def test_a_difference_that_no_resample_shows_has_a_p_value_of_one():
    found = apply(macro_f1(LABELS), *answers(30))
    assert found.minus(found).p_value() == 1


@quick
@given(st.floats(-3, 3), st.floats(0.01, 2), st.integers(1, 99), st.floats(0.5, 0.99))
def test_the_p_value_is_small_exactly_where_the_interval_leaves_out_0(value, error, freedom, confidence):
    found = Difference(value, value, error, freedom)
    low, high = found.interval(confidence)
    if abs(found.p_value() - (1 - confidence)) > 1e-9:
        assert (found.p_value() < 1 - confidence) == (low > 0 or high < 0)


@pytest.mark.parametrize(
    ("n", "options", "resamples"),
    [(29, {}, 200), (30, {"strata": "ab" * 15}, 200), (30, {}, 300)],
    ids=["rows", "strata", "resamples"],
)
def test_what_was_resampled_otherwise_is_not_paired(n, options, resamples):
    first = apply(macro_f1(LABELS), *answers(30))
    other = apply(macro_f1(LABELS), *answers(n), Resampling(resamples), **options)
    with pytest.raises(ConfigurationError, match="cannot be paired; for different rows, give paired=False"):
        first.minus(other)
    assert math.isfinite(first.minus(other, paired=False).error)


# Tests


@quick
@given(counts_of, counts_of)
def test_mcnemar_is_the_binomial_test_of_a_fair_coin(heads, tails):
    found = McNemar.of_counts(heads, tails)
    if heads + tails:
        assert found.exact_p == pytest.approx(stats.binomtest(heads, heads + tails).pvalue)
    assert found == replace(McNemar.of_counts(tails, heads), only_first=heads, only_second=tails)


@quick
@given(counts_of, counts_of)
def test_the_mid_p_value_counts_outcomes_as_likely_as_this_one_by_half(heads, tails):
    chances = [math.comb(heads + tails, k) for k in range(heads + tails + 1)]
    rarer = sum(chance for chance in chances if chance < chances[heads])
    equal = sum(chance for chance in chances if chance == chances[heads])
    expected = (rarer + equal / 2) / sum(chances) if heads + tails else 1.0
    assert McNemar.of_counts(heads, tails).mid_p == pytest.approx(expected)


def test_mcnemar_counts_the_rows_on_which_exactly_one_is_right():
    first = [True] * 3 + [False] * 9 + [True] * 20 + [False] * 7
    second = [False] * 3 + [True] * 9 + [True] * 20 + [False] * 7
    assert mcnemar(first, second) == McNemar.of_counts(3, 9)
    assert mcnemar(np.array(second), np.array(first)) == McNemar.of_counts(9, 3)


def test_mcnemar_is_one_where_both_are_right_on_the_same_rows():
    assert mcnemar([True, False], [True, False]) == McNemar(0, 0, exact_p=1.0, mid_p=1.0)


def test_mcnemar_refuses_systems_of_different_length():
    with pytest.raises(DataError, match="there are 1 and 2 of them"):
        mcnemar([True], [True, False])


@quick
@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_is_the_step_down_of_bonferroni(p_values):
    def naive(p):
        ranks = sorted(p_values)[: sorted(p_values).index(p) + 1]
        return min(1.0, max((len(p_values) - rank) * value for rank, value in enumerate(ranks)))

    assert holm(p_values) == pytest.approx(tuple(map(naive, p_values)))


def test_one_test_alone_needs_no_correction():
    assert holm([0.03]) == (0.03,)
    assert holm([]) == ()


@pytest.mark.parametrize("wrong", [-0.1, 1.1, math.nan])
def test_holm_refuses_what_is_no_probability(wrong):
    with pytest.raises(ConfigurationError, match="all must be from 0 to 1"):
        holm([0.5, wrong])


# Rows needed


def seen(difference, discordant, rows, *, trials=2000):
    # How often the mid-p value of so many rows is below 5 %.
    up = (discordant + difference) / 2
    rng = np.random.default_rng(0)
    counts = rng.multinomial(rows, [up, discordant - up, 1 - discordant], size=trials)[:, :2]
    pairs, times = np.unique(counts, axis=0, return_counts=True)
    below = [McNemar.of_counts(int(a), int(b)).mid_p < 0.05 for a, b in pairs]
    return times[below].sum() / trials


@pytest.mark.parametrize(("difference", "discordant"), [(0.1, 0.2), (0.05, 0.1), (0.2, 0.2)])
def test_so_many_rows_show_the_difference_as_often_as_asked_for(difference, discordant):
    rows = rows_needed(difference, discordant=discordant)
    assert 0.78 < seen(difference, discordant, rows) < 0.92
    assert seen(difference, discordant, rows // 2) < 0.7


def test_rows_needed_is_connors_formula():
    # z of 2.5 % and 20 %: ((1.959964 * sqrt(0.1) + 0.841621 * sqrt(0.1 - 0.03**2)) / 0.03) ** 2 = 869.04
    assert rows_needed(0.03, discordant=0.1) == 870
    assert rows_needed(-0.03, discordant=0.1) == 870


@quick
@given(st.floats(0.01, 0.2), st.floats(0.2, 1), st.floats(0.5, 0.98))
def test_surer_finer_and_stricter_answers_take_more_rows(difference, discordant, power):
    rows = rows_needed(difference, discordant=discordant, power=power)
    assert rows_needed(difference / 2, discordant=discordant, power=power) > rows
    assert rows_needed(difference, discordant=discordant, power=power + 0.01) >= rows
    assert rows_needed(difference, discordant=discordant, power=power, significance=0.01) > rows


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"difference": 0}, "difference=0"),
        ({"difference": 0.3}, r"difference=0\.3, discordant=0\.2"),
        ({"discordant": 1.1}, r"discordant=1\.1"),
        ({"difference": math.nan}, "difference=nan"),
        ({"power": 1.0}, r"power=1\.0"),
        ({"significance": 0.9}, r"power=0\.8, significance=0\.9"),
    ],
)
def test_rows_needed_refuses_what_cannot_be(wrong, said):
    with pytest.raises(ConfigurationError, match=said):
        rows_needed(**{"difference": 0.1, "discordant": 0.2, **wrong})


# Coverage: bands that the exact figure supports, or that a mistake in the method would leave.


@pytest.mark.parametrize("share", [0.6, 0.75, 0.9, 0.95])
@pytest.mark.parametrize("n", [200, 400])
def test_the_interval_of_a_share_covers_it_in_93_to_97_percent(n, share):
    held = [low <= share <= high for low, high in (proportion_interval(k, n, confidence=0.95) for k in range(n + 1))]
    assert 0.93 <= stats.binom.pmf(np.arange(n + 1), n, share)[held].sum() <= 0.97


def test_the_interval_of_macro_f1_covers_the_truth_about_as_often_as_it_says():
    # Every class is answered right in 70 % of cases, and wrong evenly: the true value is 0.7.
    rng, trials, covered = np.random.default_rng(0), 200, 0
    truth = np.repeat(np.arange(3), 30)
    references = [LABELS[place] for place in truth]
    for _ in range(trials):
        said = (truth + (rng.random(90) > 0.7) * rng.integers(1, 3, 90)) % 3
        low, high = SMALL.interval(apply(macro_f1(LABELS), [Output(LABELS[place]) for place in said], references))
        covered += low <= 0.7 <= high
    assert 0.9 <= covered / trials <= 0.99


@pytest.mark.parametrize(("rows", "discordant"), [(100, 0.1), (100, 0.3), (200, 0.2)])
def test_false_positives_are_as_rare_as_they_should_be(rows, discordant):
    exact = mid = 0.0
    for tosses, chance in enumerate(stats.binom.pmf(np.arange(rows // 2), rows, discordant)):
        heads = np.arange(tosses + 1)
        tests = [McNemar.of_counts(int(head), tosses - int(head)) for head in heads] if chance > 1e-6 else []
        exact += chance * sum(stats.binom.pmf(test.only_first, tosses, 0.5) for test in tests if test.exact_p < 0.05)
        mid += chance * sum(stats.binom.pmf(test.only_first, tosses, 0.5) for test in tests if test.mid_p < 0.05)
    assert exact <= 0.05
    assert 0.035 <= mid <= 0.06


# Warnings


def test_a_class_of_few_rows_is_warned_of():
    (warning,) = warnings_of(TASK, ["up"] * 20 + ["down"] * 19)
    assert warning.startswith("1 of 2 classes occur fewer than 20 times ('down': 19)")
    assert warnings_of(TASK, ["up"] * 20 + ["down"] * 20) == ()


@pytest.mark.parametrize(("said", "word"), [("up", "wrong"), ("down", "right"), (None, "right")])
def test_few_right_or_wrong_answers_are_warned_of(said, word):
    outputs = [Output(said)] * 40 + [Output("up" if said != "up" else "down")] * 9
    (warning,) = warnings_of(TASK, ["up"] * 49, outputs)
    assert warning.startswith(f"only 9 of 49 rows are answered {word}")


def test_mistakes_are_not_counted_where_a_row_has_several_labels():
    task = replace(TASK, single=False)
    assert warnings_of(task, ["up"] * 40, [Output("up")] * 40) == ()


def test_ten_mistakes_are_enough():
    assert warnings_of(TASK, ["up"] * 40, [Output("up")] * 30 + [Output(None)] * 10) == ()


def test_a_metric_that_few_rows_bias_is_warned_of():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, 100)
    right = rng.random(100) < sure  # calibrated, so that the true error is 0
    outputs = [Output("up", {"up": p, "down": 1 - p}) for p in sure.tolist()]
    references = ["up" if value else "down" for value in right]
    found = {metric.name: apply(metric, outputs, references) for metric in (ece(), accuracy(), brier())}
    assert [name for name, one in found.items() if one.biased] == ["ece_15"]
    (warning,) = warnings_of(TASK, ["up"] * 100, found={**found, "auroc": None})
    assert warning == "so few rows bias ece_15: the intervals hold the true value too seldom"


def test_a_constant_and_an_undefined_metric_have_no_known_bias():
    assert not apply(macro_f1(LABELS), [Output("up")] * 9, ["up"] * 9).biased
    assert not apply(MEAN, *numbers([math.nan] * 9)).biased


def test_few_groups_are_warned_of():
    task = replace(TASK, classes=None)
    few, enough = (warnings_of(task, ["up"] * number, groups=range(number)) for number in (9, 10))
    assert few == ("only 9 groups are resampled: with fewer than 10, intervals are too narrow",)
    assert enough == ()


def test_groups_of_several_rows_are_no_case_for_mcnemars_test():
    task = replace(TASK, classes=None)
    (warning,) = warnings_of(task, ["up"] * 40, groups=[place % 10 for place in range(40)])
    assert warning.startswith("McNemar's test takes rows as independent")
