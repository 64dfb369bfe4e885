import itertools
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_checks import assert_resamples_agree, quick, resampled, value, weights_of

from qlorakit.decision_metrics import cost_threshold, expected_cost, recall_at_budget
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.kinds import single_label
from qlorakit.measuring import Answered, Sheet
from qlorakit.report_tables import class_table
from qlorakit.statistics import Resampling
from qlorakit.task import Output

TWO = ("calm", "alarm")
THREE = ("low", "middle", "high")
COSTS = {("alarm", "calm"): 20.0, ("calm", "alarm"): 5.0}
BUDGET = recall_at_budget(TWO, positive="alarm", share=0.25)
COST = expected_cost(TWO, COSTS)
RULE = cost_threshold(TWO, positive="alarm", costs=COSTS)
shares = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.8, 1.0])  # few values, so that ties are common


def scored(score, answer=None):
    return Output(answer or ("alarm" if score >= 0.5 else "calm"), {"calm": 1 - score, "alarm": score})


outputs = st.one_of(
    shares.map(scored), st.just(Output(None)), shares.map(lambda score: replace(scored(score), value=None))
)
few_pairs = st.lists(st.tuples(st.sampled_from(TWO), outputs), min_size=1, max_size=6)
pairs_of_two = st.lists(st.tuples(st.sampled_from(TWO), outputs), min_size=1, max_size=12)
valid_pairs = st.lists(st.tuples(st.sampled_from(TWO), shares.map(scored)), min_size=1, max_size=12)


def recall_by_hand(pairs, share):
    # The mean over all orders of rows that tie; the budget's last part of a row finds that part of it.
    def rank(pair):
        true, output = pair
        if output.value is None:
            return -1 if true == "alarm" else 2
        return output.scores["alarm"]

    left = [min(1.0, max(0.0, share * len(pairs) - place)) for place in range(len(pairs))]
    found = [
        sum(
            part for (true, _), part in zip(sorted(order, key=rank, reverse=True), left, strict=True) if true == "alarm"
        )
        for order in itertools.permutations(pairs)
    ]
    return sum(found) / len(found) / sum(true == "alarm" for true, _ in pairs)


def cost_by_hand(pairs, threshold):
    answers = [(true, "alarm" if output.scores["alarm"] >= threshold else "calm") for true, output in pairs]
    return sum(COSTS.get(pair, 0.0) for pair in answers)


# Recall at a budget


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 1.0])
@quick
@given(pairs=few_pairs.filter(lambda pairs: any(true == "alarm" for true, _ in pairs)))
def test_recall_is_the_mean_over_all_orders_of_ties(share, pairs):
    metric = recall_at_budget(TWO, positive="alarm", share=share)
    assert value(metric, pairs) == pytest.approx(recall_by_hand(pairs, share))


def test_a_budget_takes_the_likeliest_rows_and_a_part_of_the_next_one():
    pairs = [("alarm", scored(0.9)), ("alarm", scored(0.8)), ("calm", scored(0.7)), ("calm", scored(0.1)),
             ("alarm", scored(0.05)), ("calm", scored(0.0))]  # fmt: skip
    assert value(BUDGET, pairs) == pytest.approx((1 + 0.5) / 3)


def test_rows_that_tie_are_found_by_chance():
    assert value(BUDGET, [("alarm", scored(0.5)), *[("calm", scored(0.5))] * 7]) == pytest.approx(0.25)


def test_an_invalid_answer_is_ranked_worst():
    sure = [("alarm", scored(0.9)), *[("calm", scored(0.1))] * 3]
    assert value(BUDGET, sure) == 1.0
    assert value(BUDGET, [("alarm", Output(None, {"alarm": 1.0})), *sure[1:]]) == 0.0
    assert value(BUDGET, [*sure[:3], ("calm", Output(None))]) == 0.0


@quick
@given(st.data())
def test_resampled_recall_is_that_of_repeated_rows(data):
    pairs = data.draw(pairs_of_two)
    assert_resamples_agree(BUDGET, pairs, data.draw(weights_of(pairs)))


@quick
@given(pairs_of_two)
def test_no_answers_find_more_than_perfect_ones(pairs):
    references = [true for true, _ in pairs]
    best = BUDGET.best(references, [{}] * len(pairs))
    perfect = value(BUDGET, [(true, scored(float(true == "alarm"))) for true in references])
    assert perfect == pytest.approx(best, nan_ok=True)
    assert not value(BUDGET, pairs) > best + 1e-9


def test_recall_of_nothing_is_not_a_number():
    assert math.isnan(value(BUDGET, [("calm", scored(0.2))]))
    assert math.isnan(BUDGET.best(["calm"], [{}]))
    assert math.isnan(resampled(BUDGET, [("calm", scored(0.2)), ("alarm", scored(0.3))], [[2, 0]])[0])


@pytest.mark.parametrize(("share", "name"), [(0.05, "5"), (0.005, "0_5"), (1, "100"), (0.07, "7")])
def test_the_name_of_a_recall_tells_its_budget(share, name):
    found = recall_at_budget(TWO, positive="alarm", share=share).name
    assert found == f"recall_at_{name}_percent"
    assert found.isidentifier()


@pytest.mark.parametrize("share", [0, -0.1, 1.5, math.nan])
def test_a_budget_out_of_range_is_refused(share):
    with pytest.raises(ConfigurationError, match=r"share=.*above 0 and at most 1"):
        recall_at_budget(TWO, positive="alarm", share=share)


def test_recall_names_a_row_without_probabilities():
    with pytest.raises(DataError, match=r"row 2: .*no probabilities"):
        value(BUDGET, [("alarm", scored(0.5)), ("calm", Output("calm"))])


# Expected cost


def test_cost_is_that_of_the_wrong_answers():
    pairs = [("alarm", Output("calm")), ("calm", Output("alarm")), ("calm", Output("calm")), ("alarm", Output("alarm"))]
    assert value(COST, pairs) == (20 + 5 + 0 + 0) / 4
    assert not COST.higher_is_better


def test_an_invalid_answer_costs_the_most_that_a_wrong_one_can():
    costs = dict.fromkeys(itertools.permutations(THREE, 2), 1.0) | {("low", "high"): 7.0}
    metric = expected_cost(THREE, costs)
    assert value(metric, [("low", Output(None)), ("high", Output("elsewhere"))]) == (7 + 1) / 2


@quick
@given(st.data())
def test_resampled_cost_is_that_of_repeated_rows(data):
    pairs = data.draw(pairs_of_two)
    assert_resamples_agree(COST, pairs, data.draw(weights_of(pairs)))


@pytest.mark.parametrize(("change", "message"), [
    ({("calm", "alarm"): -1.0}, "0 or more"), ({("calm", "alarm"): math.nan}, "0 or more"),
    ({("calm", "alarm"): "much"}, "0 or more"), ({("calm", "calm"): 0.0}, "no wrong answer"),
    ({("calm", "fire"): 1.0}, "no wrong answer"),
])  # fmt: skip
def test_unusable_costs_are_refused(change, message):
    with pytest.raises(ConfigurationError, match=message):
        expected_cost(TWO, COSTS | change)


def test_a_missing_cost_is_named():
    with pytest.raises(ConfigurationError, match=r"none for \('low', 'high'\)"):
        expected_cost(("low", "high"), {("high", "low"): 1.0})


# The threshold with the least cost


def test_the_default_is_where_both_answers_cost_the_same():
    assert RULE.default["alarm"] == pytest.approx(5 / 25)
    probability = RULE.default["alarm"]
    assert probability * COSTS["alarm", "calm"] == pytest.approx((1 - probability) * COSTS["calm", "alarm"])


def test_the_answer_is_positive_from_the_threshold_on():
    answers = [RULE.apply(scored(score), {"alarm": 0.3}).value for score in (0.29, 0.3, 0.31)]
    assert answers == ["calm", "alarm", "alarm"]


def test_the_probabilities_stay_and_are_those_of_the_answer():
    decided = RULE.apply(scored(0.4), {"alarm": 0.3})
    assert decided.scores[decided.value] == 0.4


@pytest.mark.parametrize("output", [Output("calm"), Output(None), replace(scored(0.9), value=None)])
def test_what_has_no_probabilities_or_no_answer_stays_as_it_is(output):
    assert RULE.apply(output, {"alarm": 0.0}) == output


@quick
@given(valid_pairs, st.floats(0, 1))
def test_no_threshold_is_cheaper_than_the_fitted_one(pairs, other):
    enough = [*pairs, *[("calm", scored(0.25)), ("alarm", scored(0.6))] * 10]
    fitted = RULE.fit([output for _, output in enough], [true for true, _ in enough])["alarm"]
    assert cost_by_hand(enough, fitted) <= cost_by_hand(enough, other) + 1e-9


def fit(pairs):
    return RULE.fit([output for _, output in pairs], [true for true, _ in pairs])["alarm"]


def test_of_equally_cheap_thresholds_the_default_or_the_nearest_is_taken():
    apart = [*[("calm", scored(0.1))] * 10, *[("alarm", scored(0.9))] * 10]
    assert fit(apart) == RULE.default["alarm"]
    higher = [*[("calm", scored(0.4))] * 10, *[("alarm", scored(0.6))] * 10]
    assert fit(higher) == pytest.approx(0.5)


def test_a_threshold_above_all_probabilities_can_be_fitted():
    upside_down = [*[("calm", scored(1.0))] * 200, *[("alarm", scored(0.0))] * 10]
    assert fit(upside_down) > 1.0


def test_few_rows_of_a_label_leave_the_default():
    pairs = [*[("calm", scored(0.4))] * 50, *[("alarm", scored(0.6))] * 9]
    assert fit(pairs) == RULE.default["alarm"]
    assert fit([*pairs, ("alarm", scored(0.6))]) == pytest.approx(0.5)


def test_invalid_outputs_are_left_out_of_the_fit():
    pairs = [*[("calm", scored(0.4))] * 10, *[("alarm", scored(0.6))] * 10]
    assert fit([*pairs, *[("alarm", Output(None, {"alarm": 0.0}))] * 50]) == fit(pairs)


MUCH = cost_threshold(TWO, positive="alarm", costs={("alarm", "calm"): 45.0, ("calm", "alarm"): 5.0})
ENOUGH = [*[("calm", scored(0.4))] * 10, *[("alarm", scored(0.6))] * 10]


def fitted_by(rule):
    return rule.fit([output for _, output in ENOUGH], [true for true, _ in ENOUGH])


def test_a_decision_for_other_costs_is_not_applied_and_told_once(caplog):
    saved = json.loads(json.dumps(fitted_by(RULE)))
    assert saved["alarm"] == pytest.approx(0.5)
    assert [MUCH.saved_or_default(saved) for _ in range(2)] == [MUCH.default] * 2
    (message,) = caplog.messages
    assert "'alarm' was fitted for other costs (break-even at 0.2, not 0.1)" in message


@pytest.mark.parametrize("rule", [RULE, MUCH])
def test_a_decision_for_the_same_costs_is_applied_without_a_word(rule, caplog):
    saved = fitted_by(rule)
    assert rule.saved_or_default(saved) == saved
    dearer = cost_threshold(TWO, positive="alarm", costs={pair: 3 * cost for pair, cost in COSTS.items()})
    assert dearer.saved_or_default(fitted_by(RULE)) == fitted_by(RULE)
    assert not caplog.messages


def test_a_decision_without_a_break_even_is_applied_as_it_is(caplog):
    saved = MUCH.saved_or_default({"alarm": 0.5})
    assert MUCH.apply(scored(0.4), saved).value == "calm"
    assert MUCH.saved_or_default(None) == MUCH.default
    assert not caplog.messages


@pytest.mark.parametrize(("labels", "positive", "costs", "message"), [
    (THREE, "high", dict.fromkeys(itertools.permutations(THREE, 2), 1.0), "two labels"),
    (TWO, "fire", COSTS, "positive='fire'"), (TWO, "alarm", dict.fromkeys(COSTS, 0.0), "all are 0"),
])  # fmt: skip
def test_a_threshold_that_cannot_be_is_refused(labels, positive, costs, message):
    with pytest.raises(ConfigurationError, match=message):
        cost_threshold(labels, positive=positive, costs=costs)


def test_a_report_shows_the_threshold_of_the_label_that_has_one():
    task = replace(
        single_label("test/alarms", summary="Alarms", instruction="calm or alarm?", labels=TWO), decision=RULE
    )
    rows = [{"text": f"siren {number}", "label": TWO[number % 2]} for number in range(4)]
    answered = Answered("tuned", [RULE.apply(scored(0.4), RULE.default)] * 4, decision=RULE.default)
    report = Sheet.of(task, rows, list("abcd"), Resampling(resamples=100)).report([answered], notes=[], settings={})
    table = class_table(report.systems[0])
    assert table.columns[-1] == "threshold"
    assert [row[-1] for row in table.rows] == ["-", "0.200"]
