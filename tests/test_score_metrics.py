import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from metric_checks import assert_resamples_agree, quick, resampled, value, weights_of
from scipy.stats import beta, binom
from sklearn import metrics as sk

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.score_metrics import (
    RiskCoverage,
    auprc,
    auroc,
    brier,
    calibration_bins,
    confidence,
    ece,
    log_loss,
    multilabel_auprc,
    multilabel_auroc,
    risk_coverage,
    threshold_for_risk,
    top_k_accuracy,
)
from qlorakit.task import Output

LABELS = ("low", "middle", "high")  # not sorted, as scikit-learn would have them
TWO = ("good", "bad")
OF_LABELS = [
    top_k_accuracy(1), top_k_accuracy(2), log_loss(), log_loss(LABELS), brier(), brier(LABELS), ece(), ece(4),
    auroc(LABELS), auprc(LABELS), auroc(LABELS, positive="high"), auprc(LABELS, positive="high"),
]  # fmt: skip
OF_TWO = [auroc(TWO), auprc(TWO)]
OF_SETS = [multilabel_auroc(LABELS), multilabel_auprc(LABELS)]

# Few values, so that ties are common.
shares = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.8, 1.0])


@st.composite
def answers(draw, labels, *, invalid=True):
    raw = draw(st.lists(shares, min_size=len(labels), max_size=len(labels)).filter(any))
    scores = dict(zip(labels, (score / sum(raw) for score in raw), strict=True))
    if invalid and draw(st.integers(0, 5)) == 0:
        return Output(None, draw(st.sampled_from([{}, scores])))
    return Output(draw(st.sampled_from(labels)), scores)


@st.composite
def set_answers(draw, *, invalid=True):
    scores = {label: draw(shares) for label in LABELS}
    if invalid and draw(st.integers(0, 5)) == 0:
        return Output(None)
    return Output(tuple(label for label in LABELS if scores[label] >= 0.5), scores)


def rows_of(truth, output):
    return st.lists(st.tuples(truth, output), min_size=1, max_size=20)


def label_sets():
    return st.sets(st.sampled_from(LABELS)).map(lambda found: tuple(label for label in LABELS if label in found))


valid_rows = rows_of(st.sampled_from(LABELS), answers(LABELS, invalid=False))
rows_of_labels = rows_of(st.sampled_from(LABELS), answers(LABELS))
rows_of_two = rows_of(st.sampled_from(TWO), answers(TWO))
valid_sets = rows_of(label_sets(), set_answers(invalid=False))
rows_of_sets = rows_of(label_sets(), set_answers())
CASES = [
    *((metric, rows_of_labels) for metric in OF_LABELS),
    *((metric, rows_of_two) for metric in OF_TWO),
    *((metric, rows_of_sets) for metric in OF_SETS),
]
each_metric = pytest.mark.parametrize(("metric", "pairs"), CASES, ids=lambda case: getattr(case, "name", ""))
each_of_labels = pytest.mark.parametrize("metric", OF_LABELS, ids=lambda metric: metric.name)


def split(pairs):
    return [output for _, output in pairs], [reference for reference, _ in pairs]


def matrix(pairs, labels=LABELS):
    return np.array([[output.scores[label] for label in labels] for _, output in pairs])


def truth_of(pairs, labels=LABELS):
    return np.array([[label == truth or label in truth for label in labels] for truth, _ in pairs])


def sure(value, probability, *others):
    # An answer with its probability, the rest of it on another label.
    return Output(
        value, {value: probability, **dict.fromkeys(others or ("?",), (1 - probability) / len(others or "?"))}
    )


def one_right(*probabilities):
    return [("high", Output("high", {"high": p, "low": 1 - p, "middle": 0.0})) for p in probabilities]


@each_metric
@quick
@given(data=st.data())
def test_resamples_have_the_values_of_the_repeated_rows(metric, pairs, data):
    rows = data.draw(pairs)
    assert_resamples_agree(metric, rows, data.draw(weights_of(rows)))


@each_metric
def test_every_metric_says_that_it_needs_probabilities(metric, pairs):
    assert metric.needs_scores


# The probability of the right label


@quick
@given(valid_rows)
def test_log_loss_is_scikit_learns(pairs):
    columns = sorted(LABELS)
    expected = sk.log_loss([truth for truth, _ in pairs], matrix(pairs, columns), labels=columns)
    assert value(log_loss(LABELS), pairs) == pytest.approx(expected)
    assert value(log_loss(), pairs) == pytest.approx(expected)


@quick
@given(valid_rows)
def test_brier_is_scikit_learns_without_halving(pairs):
    columns, truth = sorted(LABELS), [truth for truth, _ in pairs]
    expected = sk.brier_score_loss(truth, matrix(pairs, columns), labels=columns, scale_by_half=False)
    assert value(brier(LABELS), pairs) == pytest.approx(expected)
    assert value(brier(), pairs) == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 2])
@quick
@given(pairs=valid_rows)
def test_top_k_accuracy_is_scikit_learns_where_no_labels_tie(k, pairs):
    pairs = [(truth, output) for truth, output in pairs if len(set(output.scores.values())) == len(LABELS)]
    assume(pairs)
    columns, truth = sorted(LABELS), [truth for truth, _ in pairs]
    expected = sk.top_k_accuracy_score(truth, matrix(pairs, columns), k=k, labels=columns)
    assert value(top_k_accuracy(k), pairs) == pytest.approx(expected)


@pytest.mark.parametrize("order", [LABELS, LABELS[::-1]])
def test_labels_that_tie_are_not_ranked_by_the_order_they_are_listed_in(order):
    output = Output(order[0], dict.fromkeys(order, 1 / 3))
    found = [value(top_k_accuracy(k), [(label, output) for label in LABELS]) for k in (1, 2, 3)]
    assert found == [0, 0, 1]


def test_a_label_without_a_probability_has_none():
    rows = [("middle", Output("low", {"low": 0.75, "high": 0.25}))]
    assert value(top_k_accuracy(3), rows) == 0
    assert value(brier(LABELS), rows) == pytest.approx(1 + 0.75**2 + 0.25**2)
    assert value(log_loss(LABELS), rows) == pytest.approx(52 * math.log(2))


@pytest.mark.parametrize("scores", [{}, {"high": 1.0}], ids=["without probabilities", "surely right"])
def test_an_invalid_answer_is_wrong_with_full_confidence(scores):
    rows = [("high", Output(None, scores))]
    assert value(brier(LABELS), rows) == 2
    assert value(log_loss(LABELS), rows) == pytest.approx(36.04, abs=0.01)
    assert value(top_k_accuracy(3), rows) == 0


def test_an_answer_that_is_no_label_counts_as_invalid():
    rows = [("high", Output("highest", {"high": 1.0}))]
    assert value(brier(LABELS), rows) == 2
    assert value(log_loss(LABELS), rows) == value(log_loss(LABELS), [("high", Output(None))])
    assert value(top_k_accuracy(1), rows) == 0


def test_probabilities_that_were_rounded_are_made_to_add_up_to_one():
    rows = [("high", Output("high", {"high": 0.33, "low": 0.33, "middle": 0.33}))]
    assert value(brier(LABELS), rows) == pytest.approx(2 / 3)
    assert value(log_loss(LABELS), rows) == pytest.approx(math.log(3))


# Ranking


@quick
@given(valid_rows)
def test_auroc_of_several_labels_is_scikit_learns_one_against_the_rest(pairs):
    assume({truth for truth, _ in pairs} == set(LABELS))
    columns = sorted(LABELS)
    expected = sk.roc_auc_score(
        [truth for truth, _ in pairs], matrix(pairs, columns), multi_class="ovr", labels=columns
    )
    assert value(auroc(LABELS), pairs) == pytest.approx(expected)


@quick
@given(valid_rows)
def test_auprc_of_several_labels_is_scikit_learns_over_those_that_occur(pairs):
    truth, scores = truth_of(pairs), matrix(pairs)
    occurring = truth.any(axis=0)
    expected = sk.average_precision_score(truth[:, occurring], scores[:, occurring], average="macro")
    if occurring.sum() == 1:
        expected = 1.0
    assert value(auprc(LABELS), pairs) == pytest.approx(expected)


@quick
@given(rows_of(st.sampled_from(TWO), answers(TWO, invalid=False)))
def test_of_two_labels_the_second_one_is_judged(pairs):
    truth, scores = [truth == "bad" for truth, _ in pairs], matrix(pairs, TWO)[:, 1]
    assume(len(set(truth)) == 2)
    assert value(auroc(TWO), pairs) == pytest.approx(sk.roc_auc_score(truth, scores))
    assert value(auprc(TWO), pairs) == pytest.approx(sk.average_precision_score(truth, scores))


@quick
@given(valid_rows)
def test_a_named_label_is_judged_by_itself(pairs):
    truth, scores = truth_of(pairs)[:, 2], matrix(pairs)[:, 2]
    assume(len(set(truth)) == 2)
    assert value(auroc(LABELS, positive="high"), pairs) == pytest.approx(sk.roc_auc_score(truth, scores))
    expected = sk.average_precision_score(truth, scores)
    assert value(auprc(LABELS, positive="high"), pairs) == pytest.approx(expected)


@quick
@given(valid_sets)
def test_multilabel_auroc_is_scikit_learns_over_the_labels_that_some_rows_have_and_others_not(pairs):
    truth, scores = truth_of(pairs), matrix(pairs)
    judged = truth.any(axis=0) & ~truth.all(axis=0)
    each = [sk.roc_auc_score(truth[:, k], scores[:, k]) for k in np.flatnonzero(judged)]
    expected = np.mean(each) if each else math.nan
    assert value(multilabel_auroc(LABELS), pairs) == pytest.approx(expected, nan_ok=True)


@quick
@given(valid_sets)
def test_multilabel_auprc_is_scikit_learns_over_the_labels_that_occur(pairs):
    truth, scores = truth_of(pairs), matrix(pairs)
    each = [sk.average_precision_score(truth[:, k], scores[:, k]) for k in np.flatnonzero(truth.any(axis=0))]
    expected = np.mean(each) if each else math.nan
    assert value(multilabel_auprc(LABELS), pairs) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("metric", "reference"), [(auroc(TWO), sk.roc_auc_score), (auprc(TWO), sk.average_precision_score)]
)
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_many_resamples_have_scikit_learns_values_with_weights(metric, reference, share):
    rng = np.random.default_rng(0)
    truth, scores = rng.random(300) < share, rng.random(300).round(2)
    weights = np.vstack([np.ones(300), rng.poisson(1, (5, 300))])
    pairs = [(TWO[int(y)], Output("bad", {"bad": p, "good": 1 - p})) for y, p in zip(truth, scores, strict=True)]
    expected = [reference(truth, scores, sample_weight=drawn) for drawn in weights]
    assert resampled(metric, pairs, weights) == pytest.approx(expected)


@quick
@given(rows_of_labels)
def test_answering_can_only_raise_auroc(pairs):
    # Whatever the probabilities of a row are, it is ranked no worse than without an answer.
    silent = [(truth, Output(None) if place == 0 else output) for place, (truth, output) in enumerate(pairs)]
    before, after = value(auroc(LABELS), silent), value(auroc(LABELS), pairs)
    assert math.isnan(before) or after >= before - 1e-12


def test_answers_that_are_all_invalid_are_ranked_worse_than_chance():
    rows = [("high", Output(None)), ("low", Output(None)), ("middle", Output("beyond", {"middle": 1.0}))]
    assert value(auroc(LABELS), rows) == 0
    assert value(auprc(LABELS), rows) == pytest.approx(1 / 3)


def test_one_row_or_rows_of_one_class_have_no_ranking():
    for rows in (one_right(0.9), one_right(0.9, 0.2, 0.5)):
        assert math.isnan(value(auroc(LABELS), rows))
        assert np.isnan(resampled(auroc(LABELS), rows, [[1] * len(rows)])).all()
        assert value(auprc(LABELS), rows) == 1
        assert math.isnan(value(auprc(LABELS, positive="low"), rows))


def test_a_class_that_is_absent_from_the_references_has_no_part_in_the_mean():
    rows = [("high", sure("high", 0.9, "low")), ("low", sure("high", 0.2, "low")), ("low", sure("high", 0.3, "low"))]
    assert value(auroc(LABELS), rows) == 1
    assert value(auroc(LABELS), [*rows, ("middle", sure("high", 1.0, "low"))]) < 1


def test_a_constant_probability_ranks_by_chance():
    rows = [(truth, Output("low", dict.fromkeys(LABELS, 1 / 3))) for truth in (*LABELS, "low")]
    assert value(auroc(LABELS), rows) == 0.5
    assert value(auprc(LABELS), rows) == pytest.approx((2 + 1 + 1) / 4 / 3)


@pytest.mark.parametrize("factory", [auroc, auprc])
def test_the_name_tells_the_one_label_that_is_judged(factory):
    assert factory(LABELS, positive="low").name == f"{factory.__name__}_low"
    assert factory(LABELS).name == factory(TWO).name == factory.__name__
    with pytest.raises(ConfigurationError, match="positive='lowest': must be one of 'low', 'middle', 'high'"):
        factory(LABELS, positive="lowest")


# Calibration


@quick
@given(rows_of_labels)
def test_ece_is_its_definition(pairs):
    answered = [(out.scores[out.value], out.value == truth) for truth, out in pairs if out.value is not None]
    distances = []
    for number in range(15):
        held = [pair for pair in answered if (number == 0 or number / 15 < pair[0]) and pair[0] <= (number + 1) / 15]
        if held:
            sureness, right = np.mean(held, axis=0)
            distances.append(len(held) / len(answered) * abs(sureness - right))
    expected = sum(distances) if answered else math.nan
    assert value(ece(), pairs) == pytest.approx(expected, nan_ok=True)


def test_ece_of_answers_that_are_as_often_right_as_they_say_is_zero():
    rows = [("high" if place < 8 else "low", sure("high", 0.8)) for place in range(10)]
    assert value(ece(), rows) == pytest.approx(0)
    assert value(ece(), [(truth, sure("high", 1.0)) for truth, _ in rows]) == pytest.approx(0.2)


def test_invalid_answers_state_no_confidence():
    rows = [("high", sure("high", 1.0)), ("high", Output(None, {"high": 0.5}))]
    assert value(ece(), rows) == 0
    assert math.isnan(value(ece(), rows[1:]))
    assert [found.rows for found in calibration_bins(*split(rows))] == [1]


def test_the_name_tells_the_number_of_bins():
    assert (ece().name, ece(10).name) == ("ece_15", "ece_10")


@quick
@given(rows_of_labels)
def test_the_bars_of_the_reliability_diagram_add_up_to_ece(pairs):
    bars = calibration_bins(*split(pairs))
    total = sum(bar.rows for bar in bars)
    assert total == sum(output.value is not None for _, output in pairs)
    distance = sum(bar.rows * abs(bar.confidence - bar.accuracy) for bar in bars)
    assert (distance / total if total else math.nan) == pytest.approx(value(ece(), pairs), nan_ok=True)


def test_a_bar_holds_the_rows_above_its_lower_end_and_up_to_its_upper_one():
    rows = [(truth, sure("high", p)) for truth, p in (("high", 0.0), ("high", 0.5), ("low", 0.5), ("high", 0.6))]
    bars = calibration_bins(*split(rows), bins=2)
    assert [(bar.low, bar.high, bar.rows) for bar in bars] == [(0, 0.5, 3), (0.5, 1, 1)]
    assert [(bar.confidence, bar.accuracy) for bar in bars] == [pytest.approx((1 / 3, 2 / 3)), pytest.approx((0.6, 1))]


@pytest.mark.parametrize("judge", [ece, lambda bins: calibration_bins([sure("a", 1.0)], ["a"], bins=bins)])
def test_there_is_at_least_one_bin(judge):
    with pytest.raises(ConfigurationError, match="bins=0: must be 1 or more"):
        judge(0)


# Risk against coverage


def test_risk_grows_from_the_surest_answers_to_all():
    rows = [("a", sure("a", 0.9)), ("a", sure("b", 0.8)), ("a", sure("a", 0.7)), ("a", sure("b", 0.6))]
    curve = risk_coverage(*split(rows[::-1]))
    assert curve.thresholds == (0.9, 0.8, 0.7, 0.6)
    assert curve.coverage == (0.25, 0.5, 0.75, 1)
    assert curve.risk == pytest.approx((0, 1 / 2, 1 / 3, 1 / 2))
    assert curve.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_rows_that_are_equally_sure_are_answered_together():
    rows = [("a", sure("a", 0.9)), ("a", sure("b", 0.9)), ("a", sure("b", 0.5))]
    assert risk_coverage(*split(rows)) == risk_coverage(*split([rows[1], rows[0], rows[2]]))
    assert risk_coverage(*split(rows)) == RiskCoverage((0.9, 0.5), (2 / 3, 1), (1 / 2, 2 / 3))


def test_invalid_answers_come_last_and_are_wrong():
    rows = [("a", Output(None, {"a": 1.0})), ("a", sure("a", 0.3))]
    assert risk_coverage(*split(rows)) == RiskCoverage((0.3, 0.0), (0.5, 1), (0, 0.5))


@quick
@given(rows_of_labels)
def test_the_area_under_risk_is_the_mean_of_its_definition(pairs):
    # For each row, the share of wrong answers among the rows that are at least as sure.
    found = [(confidence(out), out.value is None or out.value != truth) for truth, out in pairs]
    risks = [np.mean([wrong for other, wrong in found if other >= own]) for own, _ in found]
    assert risk_coverage(*split(pairs)).area == pytest.approx(np.mean(risks))


def test_all_rows_equally_sure_have_the_share_of_wrong_answers_as_area():
    rows = [("a", sure(answer, 0.5)) for answer in "aabb"]
    assert risk_coverage(*split(rows)).area == 0.5


def test_a_task_says_what_is_right():
    rows = [("a", sure("A", 0.9)), ("a", sure("b", 0.8))]
    curve = risk_coverage(*split(rows), lambda answer, reference: answer.lower() == reference)
    assert curve.risk == (0, 0.5)
    assert risk_coverage([Output(None)], ["a"], lambda answer, reference: True).risk == (1,)


def test_several_labels_are_as_sure_as_that_all_are_right():
    output = Output(("low",), {"low": 0.9, "middle": 0.2, "high": 0.5})
    assert confidence(output) == pytest.approx(0.9 * 0.8 * 0.5)
    assert risk_coverage([output], [("low",)]).risk == (0,)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (Output("a"), "row 2: the answer 'a' has no probabilities"),
        (Output("a", {"b": 1.0}), "row 2: the answer 'a' has no probability; there are those of 'b'"),
        (Output("a", {"a": math.nan}), "row 2: the probability of 'a' is nan"),
    ],
)
def test_an_answer_without_a_usable_probability_is_an_error_that_names_its_row(output, message):
    for judge in (risk_coverage, calibration_bins, lambda *rows: threshold_for_risk(*rows, risk=0.1)):
        with pytest.raises(DataError, match=message):
            judge([sure("a", 1.0), output], ["a", "a"])


# The threshold for a chosen risk


def draw(rng, rows, *, atoms=None):
    """Confidences, and answers that are wrong the more often the less sure they are."""
    sureness = rng.choice(atoms, rows) if atoms is not None else rng.random(rows)
    wrong = rng.random(rows) < 0.5 * (1 - sureness) ** 2
    return [sure("b" if bad else "a", float(p)) for p, bad in zip(sureness, wrong, strict=True)], ["a"] * rows


def true_risk(threshold, *, atoms=None):
    answered = np.linspace(threshold, 1, 1000) if atoms is None else np.array([p for p in atoms if p >= threshold])
    return float(np.mean(0.5 * (1 - answered) ** 2))


@pytest.mark.parametrize("atoms", [None, (0.1, 0.4, 0.7, 0.95)], ids=["continuous", "many ties"])
@pytest.mark.parametrize(("rows", "risk"), [(300, 0.1), (600, 0.05)])
def test_the_promised_risk_is_kept_as_often_as_promised(atoms, rows, risk):
    rng, broken, given = np.random.default_rng(0), 0, 0
    for _ in range(400):
        threshold = threshold_for_risk(*draw(rng, rows, atoms=atoms), risk=risk, confidence=0.9)
        given += threshold is not None
        broken += threshold is not None and true_risk(threshold, atoms=atoms) > risk
    assert broken / 400 <= 0.1
    assert given / 400 > 0.5  # a rule that never gives a threshold would keep every promise


def test_the_promise_holds_where_every_threshold_would_break_it():
    # The exact bound alone, not corrected for how many thresholds are tried, would give one three times in ten.
    rng, given, uncorrected = np.random.default_rng(0), 0, 0
    for _ in range(400):
        wrong = rng.random(300) < 0.101
        outputs = [sure("b" if bad else "a", float(p)) for bad, p in zip(wrong, rng.random(300), strict=True)]
        given += threshold_for_risk(outputs, ["a"] * 300, risk=0.1, confidence=0.9) is not None
        curve = risk_coverage(outputs, ["a"] * 300)
        ranks = np.arange(1, 301)
        uncorrected += bool((binom.cdf(np.round(ranks * curve.risk), ranks, 0.1) <= 0.1).any())
    assert given / 400 <= 0.1 < uncorrected / 400


def test_the_share_of_wrong_answers_among_the_rows_themselves_would_break_the_promise():
    rng, broken = np.random.default_rng(0), 0
    for _ in range(200):
        curve = risk_coverage(*draw(rng, 150))
        lowest = min(t for t, risk in zip(curve.thresholds, curve.risk, strict=True) if risk <= 0.1 or t > 0.99)
        broken += true_risk(lowest) > 0.1
    assert broken / 200 > 0.3


def test_without_any_mistake_the_threshold_depends_on_their_number_alone():
    rows = one_right(*np.linspace(0.5, 1, 59))
    assert threshold_for_risk(*split(rows), risk=0.05) == 0.5  # 0.95 ** 59 < 0.05 < 0.95 ** 58
    assert threshold_for_risk(*split(rows[1:]), risk=0.05) is None


@pytest.mark.parametrize(("mistakes", "sequences"), [(0, 1), (2, 1), (3, 2), (10, 3)])
def test_all_rows_are_answered_where_clopper_and_pearsons_bound_allows_it(mistakes, sequences):
    # The larger the risk, the fewer rows may suffice, and the more sequences share the error.
    rows = [("a", sure("b" if place < mistakes else "a", 0.7)) for place in range(100)]
    bound = float(beta.ppf(1 - 0.05 / sequences, mistakes + 1, 100 - mistakes))
    assert threshold_for_risk(*split(rows), risk=bound + 0.001) == 0.7
    assert threshold_for_risk(*split(rows), risk=bound - 0.001) is None


def test_a_mistake_at_the_top_does_not_hide_that_more_rows_are_safe():
    rows = [("a", sure("b" if place == 0 else "a", 1 - place / 1000)) for place in range(500)]
    assert threshold_for_risk(*split(rows), risk=0.05) == pytest.approx(1 - 499 / 1000)


def test_the_threshold_leaves_out_the_rows_that_go_wrong():
    rows = [("a", sure("a" if place < 400 else "b", 1 - place / 1000)) for place in range(800)]
    threshold = threshold_for_risk(*split(rows), risk=0.1)
    assert 0.55 < threshold < 0.6
    assert threshold_for_risk(*split(rows), risk=0.1, confidence=0.999) > threshold


def test_a_model_that_is_always_wrong_has_no_threshold():
    assert threshold_for_risk(*split([("a", sure("b", 0.9))] * 1000), risk=0.2) is None
    assert threshold_for_risk(*split([("a", Output(None))] * 1000), risk=0.2) is None


@pytest.mark.parametrize("given", [{"risk": 0}, {"risk": 1}, {"risk": math.nan}, {"risk": 0.1, "confidence": 1}])
def test_a_promise_that_cannot_be_is_refused(given):
    name = list(given)[-1]
    with pytest.raises(ConfigurationError, match=f"{name}={given[name]}: must be"):
        threshold_for_risk([sure("a", 1.0)], ["a"], **given)


# Bad input


@pytest.mark.parametrize("bad", [math.nan, math.inf, -0.1, 1.1])
@each_of_labels
def test_what_is_no_probability_is_an_error_that_names_its_row(metric, bad):
    rows = [*one_right(0.9), ("low", Output("low", {"low": bad, "high": 0.5}))]
    with pytest.raises(DataError, match=f"row 2: the probability of 'low' is {bad}"):
        value(metric, rows)
    if metric.counts is not None:
        with pytest.raises(DataError, match="the probability of 'low'"):
            metric.counts(rows[1][1], "low", {})


@pytest.mark.parametrize("metric", OF_SETS, ids=lambda metric: metric.name)
def test_what_is_no_probability_of_a_set_is_an_error_that_names_its_row(metric):
    rows = [((), Output((), dict.fromkeys(LABELS, 0.1))), ((), Output((), {"low": math.nan}))]
    with pytest.raises(DataError, match="row 2: the probability of 'low' is nan"):
        value(metric, rows)


@each_of_labels
def test_a_row_without_probabilities_is_an_error_that_names_it(metric):
    with pytest.raises(DataError, match="row 2: the answer 'low' has no probabilities"):
        value(metric, [*one_right(0.9), ("low", Output("low"))])


@pytest.mark.parametrize("metric", [log_loss(), log_loss(LABELS), brier(), brier(LABELS)], ids=lambda m: m.name)
def test_probabilities_that_do_not_add_up_to_one_are_an_error(metric):
    with pytest.raises(DataError, match=r"row 1: the probabilities add up to 1\.500 instead of 1"):
        value(metric, [("low", Output("low", {"low": 0.9, "high": 0.6}))])


CLOSED = [log_loss(LABELS), brier(LABELS), auroc(LABELS), auprc(LABELS)]


@pytest.mark.parametrize("metric", CLOSED, ids=lambda metric: metric.name)
def test_a_label_outside_the_set_is_an_error_that_names_its_row(metric):
    with pytest.raises(DataError, match="row 1: the reference 'lowest' is none of the labels"):
        value(metric, [("lowest", Output("low", {"low": 1.0}))])
    with pytest.raises(DataError, match="row 1: there is a probability of 'lowest', which is none of the labels"):
        value(metric, [("low", Output("low", {"low": 0.9, "lowest": 0.1}))])


@each_metric
def test_outputs_and_references_of_different_length_or_none_are_refused(metric, pairs):
    with pytest.raises(DataError, match="0 outputs and 1 references"):
        metric.compute([], ["low"], [{}])
    with pytest.raises(DataError, match="no rows"):
        metric.compute([], [], [])


@pytest.mark.parametrize("judge", [risk_coverage, calibration_bins])
def test_no_rows_have_no_curve(judge):
    with pytest.raises(DataError, match="no rows"):
        judge([], [])


def test_k_is_at_least_one():
    with pytest.raises(ConfigurationError, match="k=0: must be 1 or more"):
        top_k_accuracy(0)
