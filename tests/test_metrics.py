import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from qlorakit.metrics import accuracy, class_scores, confusion, macro_f1
from qlorakit.task import Output

LABELS = ("negative", "neutral", "positive")
METRICS = [accuracy(), macro_f1(LABELS)]
labels = st.sampled_from(LABELS)
valid_pairs = st.lists(st.tuples(labels, labels), min_size=1, max_size=30)
pairs = st.lists(st.tuples(labels, st.sampled_from([*LABELS, None])), min_size=1, max_size=30)
quick = settings(deadline=None, max_examples=60, derandomize=True)


def value(metric, pairs):
    return metric.compute(outputs(pairs), references(pairs), [{}] * len(pairs))


def outputs(pairs):
    return [Output(answer) for _, answer in pairs]


def references(pairs):
    return [reference for reference, _ in pairs]


def counts(metric, pairs):
    return np.array([metric.counts(Output(answer), reference, {}) for reference, answer in pairs])


@quick
@given(valid_pairs)
def test_accuracy_is_scikit_learns(pairs):
    assert value(accuracy(), pairs) == pytest.approx(sk.accuracy_score(*zip(*pairs, strict=True)))


@quick
@given(valid_pairs)
def test_macro_f1_is_scikit_learns(pairs):
    expected = sk.f1_score(*zip(*pairs, strict=True), average="macro", zero_division=0)
    assert value(macro_f1(LABELS), pairs) == pytest.approx(expected)


@quick
@given(pairs)
def test_an_invalid_answer_lowers_accuracy_as_a_wrong_one_does(pairs):
    right = sum(reference == answer for reference, answer in pairs)
    assert value(accuracy(), pairs) == pytest.approx(right / len(pairs))


@quick
@given(pairs)
def test_an_invalid_answer_is_a_miss_of_its_class_and_no_class_of_its_own(pairs):
    truth, answers = zip(*pairs, strict=True)
    occurring = sorted({*truth, *answers} - {None})
    named = ["?" if answer is None else answer for answer in answers]
    expected = sk.f1_score(truth, named, labels=occurring, average="macro", zero_division=0)
    assert value(macro_f1(LABELS), pairs) == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@quick
@given(pairs)
def test_summed_counts_give_the_computed_value(metric, pairs):
    totals = counts(metric, pairs).sum(axis=0, keepdims=True)
    assert metric.from_counts(totals) == pytest.approx([value(metric, pairs)])


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@quick
@given(pairs, st.randoms(use_true_random=False))
def test_weighted_counts_give_the_value_of_the_repeated_rows(metric, pairs, random):
    weights = [random.randrange(4) for _ in pairs[1:]] + [1]
    repeated = [pair for pair, weight in zip(pairs, weights, strict=True) for _ in range(weight)]
    totals = np.array([weights], dtype=float) @ counts(metric, pairs)
    assert metric.from_counts(totals) == pytest.approx([value(metric, repeated)])


def test_many_resamples_are_computed_at_once():
    rows = [("neutral", "neutral"), ("positive", "negative")]
    totals = np.array([[2.0, 0.0], [0.0, 2.0], [1.0, 1.0]]) @ counts(macro_f1(LABELS), rows)
    assert macro_f1(LABELS).from_counts(totals) == pytest.approx([1, 0, 1 / 3])


def test_unparsable_answers_are_not_counted_as_the_majority_class():
    rows = [("neutral", None)] * 9 + [("positive", "positive")]
    neutral = class_scores(outputs(rows), references(rows), LABELS)[1]
    assert value(accuracy(), rows) == pytest.approx(0.1)
    assert value(macro_f1(LABELS), rows) == pytest.approx(0.5)
    assert (neutral.predicted, neutral.recall) == (0, 0)


def test_a_wrong_answer_is_a_false_positive_of_the_class_it_names():
    rows = [("neutral", "neutral"), ("neutral", "positive"), ("positive", "positive")]
    positive = class_scores(outputs(rows), references(rows), LABELS)[2]
    assert (positive.precision, positive.recall, positive.predicted) == (0.5, 1, 2)


def test_a_class_that_occurs_among_the_answers_alone_lowers_macro_f1():
    rows = [("neutral", "neutral"), ("neutral", "positive")]
    assert value(macro_f1(LABELS), rows) == pytest.approx((2 / 3 + 0) / 2)


def test_a_class_that_occurs_nowhere_leaves_macro_f1_alone():
    rows = [("neutral", "neutral"), ("positive", "positive")]
    assert value(macro_f1(LABELS), rows) == 1


def test_an_invalid_answer_is_nobodys_false_positive():
    rows = [("neutral", "neutral"), ("positive", None)]
    neutral = class_scores(outputs(rows), references(rows), LABELS)[1]
    assert (neutral.precision, neutral.f1) == (1, 1)


def test_answers_that_are_all_invalid_score_zero():
    rows = [("neutral", None), ("positive", None)]
    assert [value(metric, rows) for metric in METRICS] == [0, 0]


@quick
@given(pairs)
def test_class_scores_are_scikit_learns_in_the_order_of_the_labels(pairs):
    truth, answers = zip(*pairs, strict=True)
    named = ["?" if answer is None else answer for answer in answers]
    expected = sk.precision_recall_fscore_support(truth, named, labels=LABELS, zero_division=0)
    found = class_scores(outputs(pairs), references(pairs), LABELS)
    assert [scores.label for scores in found] == list(LABELS)
    assert np.array([(s.precision, s.recall, s.f1, s.support) for s in found]) == pytest.approx(np.array(expected).T)


@quick
@given(pairs)
def test_predicted_counts_the_answers_of_each_class(pairs):
    found = class_scores(outputs(pairs), references(pairs), LABELS)
    assert [s.predicted for s in found] == [sum(answer == label for _, answer in pairs) for label in LABELS]


@quick
@given(pairs)
def test_the_confusion_counts_every_pair_with_invalid_answers_last(pairs):
    found = confusion(outputs(pairs), references(pairs), LABELS)
    assert found == tuple(tuple(pairs.count((truth, answer)) for answer in (*LABELS, None)) for truth in LABELS)


def test_counts_take_one_row_to_one_vector_of_fixed_length():
    assert counts(macro_f1(LABELS), [("neutral", None), ("neutral", "positive")]).shape == (2, 9)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_outputs_and_references_of_different_length_are_refused(metric):
    with pytest.raises(ValueError, match=r"shorter|longer|inconsistent"):
        metric.compute([Output("neutral")], ["neutral", "positive"], [{}, {}])
