import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_checks import assert_resamples_agree, quick, value, weights_of
from sklearn.metrics import cohen_kappa_score, mean_absolute_error

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.kinds import single_label
from qlorakit.metrics import ordinal_cost, quadratic_kappa
from qlorakit.task import Output

GRADES = ("poor", "fair", "good", "great")
grades = st.sampled_from(GRADES)
answers = st.lists(st.tuples(grades, grades.map(Output)), min_size=1, max_size=20)
with_invalid = st.lists(
    st.tuples(grades, st.one_of(grades, st.sampled_from([None, "no grade"])).map(Output)), min_size=1, max_size=20
)
METRICS = ordinal_cost(GRADES), quadratic_kappa(GRADES)


def places(pairs):
    return [GRADES.index(truth) for truth, _ in pairs], [GRADES.index(output.value) for _, output in pairs]


@quick
@given(answers)
def test_the_ordinal_cost_is_the_mean_distance_of_places(pairs):
    assert value(ordinal_cost(GRADES), pairs) == pytest.approx(mean_absolute_error(*places(pairs)))


@quick
@given(answers.filter(lambda pairs: len({*places(pairs)[0], *places(pairs)[1]}) > 1))
def test_the_quadratic_kappa_is_that_of_scikit_learn(pairs):
    expected = cohen_kappa_score(*places(pairs), labels=range(len(GRADES)), weights="quadratic")
    assert value(quadratic_kappa(GRADES), pairs) == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@quick
@given(data=st.data())
def test_resamples_have_the_value_of_the_rows_they_repeat(metric, data):
    pairs = data.draw(with_invalid)
    assert_resamples_agree(metric, pairs, data.draw(weights_of(pairs)))


def test_two_places_off_cost_twice_as_much_as_one():
    metric = ordinal_cost(GRADES)
    assert value(metric, [("poor", Output("fair"))]) == 1
    assert value(metric, [("poor", Output("good"))]) == 2
    assert not metric.higher_is_better


@pytest.mark.parametrize(("truth", "farthest"), [("poor", 3), ("fair", 2), ("good", 2), ("great", 3)])
def test_an_invalid_answer_is_as_far_off_as_an_answer_can_be(truth, farthest):
    assert value(ordinal_cost(GRADES), [(truth, Output(None))]) == farthest


def test_an_invalid_answer_costs_kappa_what_the_farthest_label_does():
    right = [(grade, Output(grade)) for grade in GRADES]
    kappas = [value(quadratic_kappa(GRADES), [*right, ("poor", Output(answer))]) for answer in (None, "great", "fair")]
    assert kappas[0] == kappas[1] < kappas[2] < 1


def test_kappa_is_one_where_all_is_right_and_zero_where_there_is_nothing_to_tell_apart():
    assert value(quadratic_kappa(GRADES), [(grade, Output(grade)) for grade in GRADES]) == 1
    assert value(quadratic_kappa(GRADES), [("poor", Output("poor"))] * 3) == 0


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_reference_that_is_no_label_is_named(metric):
    with pytest.raises(DataError, match="row 1: the reference 'best' is none of the labels"):
        value(metric, [("best", Output("good"))])


@pytest.mark.parametrize("metric", [ordinal_cost, quadratic_kappa])
def test_labels_that_are_given_twice_have_no_order(metric):
    with pytest.raises(ConfigurationError, match="'good' given more than once"):
        metric(("good", "bad", "good"))


def test_a_task_whose_labels_are_ordered_measures_how_far_off_answers_are():
    words = {"summary": "How good?", "instruction": "How good?", "labels": GRADES}
    names = [[metric.name for metric in single_label("toy/grade", ordered=on, **words).metrics] for on in (True, False)]
    assert set(names[0]) - set(names[1]) == {"ordinal_cost", "quadratic_kappa"}
