import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_checks import assert_resamples_agree, quick, resampled, value, weights_of
from sklearn import metrics as sk

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.metrics import (
    INVALID,
    accuracy,
    class_scores,
    confusion,
    each_row,
    exact_match,
    example_f1,
    is_right,
    macro_f1,
    mcc,
    mean_metric,
    median_relative_error,
    micro_f1,
    multilabel_class_scores,
    multilabel_macro_f1,
    multilabel_mcc,
    multilabel_micro_f1,
    numeric_match,
    weighted_f1,
)
from qlorakit.task import Output

LABELS = ("negative", "neutral", "positive")
F1 = {"macro": macro_f1, "micro": micro_f1, "weighted": weighted_f1}
SINGLE = [accuracy(), macro_f1(LABELS), micro_f1(LABELS), weighted_f1(LABELS), mcc(LABELS)]
OF_SETS = [
    multilabel_micro_f1(LABELS), multilabel_macro_f1(LABELS), example_f1(), exact_match(),
    multilabel_micro_f1(LABELS, none_label=True), multilabel_macro_f1(LABELS, none_label=True),
]  # fmt: skip
OF_NUMBERS = [numeric_match(math.isclose), median_relative_error()]

labels = st.sampled_from(LABELS)
sets = st.lists(labels, unique=True).map(lambda found: tuple(label for label in LABELS if label in found))
numbers = st.sampled_from([-2.0, 0.0, 1.0, 4.0, 1e6])
rubbish = st.sampled_from([None, "I cannot say", ""])


def rows_of(truth, answer, *, max_size=25):
    return st.lists(st.tuples(truth, answer.map(Output)), min_size=1, max_size=max_size)


valid_pairs = rows_of(labels, labels)
pairs_of_labels = rows_of(labels, labels | rubbish)
pairs_of_sets = rows_of(sets, sets | st.none())
pairs_of_numbers = rows_of(numbers, numbers | st.none())
CASES = [
    *((metric, pairs_of_labels) for metric in SINGLE),
    *((metric, pairs_of_sets) for metric in (*OF_SETS, multilabel_mcc(LABELS))),
    *((metric, pairs_of_numbers) for metric in OF_NUMBERS),
]
each_metric = pytest.mark.parametrize(("metric", "pairs"), CASES, ids=lambda case: getattr(case, "name", ""))


def of(*pairs):
    return [(reference, Output(answer)) for reference, answer in pairs]


def split(pairs):
    return [output for _, output in pairs], [reference for reference, _ in pairs]


def named(pairs):
    # Truth and answers as scikit-learn takes them, what is no label under one name.
    return [truth for truth, _ in pairs], [out.value if out.value in LABELS else "?" for _, out in pairs]


def indicators(pairs, *, none_label=False):
    # Truth and answers as scikit-learn takes them, [rows, classes]; nothing at all for an invalid answer.
    def line(found):
        extra = [found == ()] if none_label else []
        return [*(label in (found or ()) for label in LABELS), *extra]

    return np.array([line(truth) for truth, _ in pairs]), np.array([line(out.value) for _, out in pairs])


@each_metric
@quick
@given(data=st.data())
def test_resamples_have_the_values_of_the_repeated_rows(metric, pairs, data):
    rows = data.draw(pairs)
    assert_resamples_agree(metric, rows, data.draw(weights_of(rows)))


@each_metric
def test_outputs_and_references_of_different_length_are_refused(metric, pairs):
    with pytest.raises(DataError, match="1 outputs and 2 references: each row needs one of each"):
        metric.compute([Output(None)], ["neutral", "positive"], [{}, {}])


@each_metric
def test_no_rows_at_all_are_refused(metric, pairs):
    with pytest.raises(DataError, match="no rows to judge"):
        metric.compute([], [], [])


# One label per row


@quick
@given(valid_pairs)
def test_accuracy_is_scikit_learns(pairs):
    assert value(accuracy(), pairs) == pytest.approx(sk.accuracy_score(*named(pairs)))


@pytest.mark.parametrize("average", F1)
@quick
@given(pairs=valid_pairs)
def test_averages_of_f1_are_scikit_learns(average, pairs):
    expected = sk.f1_score(*named(pairs), average=average, zero_division=0)
    assert value(F1[average](LABELS), pairs) == pytest.approx(expected)


@quick
@given(pairs_of_labels)
def test_mcc_is_scikit_learns_with_invalid_answers_as_answers_that_are_never_right(pairs):
    truth, answers = named(pairs)
    expected = sk.matthews_corrcoef(truth, answers) if len({*truth, *answers}) > 1 else 0
    assert value(mcc(LABELS), pairs) == pytest.approx(expected)


@quick
@given(pairs_of_labels)
def test_micro_f1_is_the_accuracy_even_with_invalid_answers(pairs):
    assert value(micro_f1(LABELS), pairs) == pytest.approx(value(accuracy(), pairs))


@quick
@given(pairs_of_labels)
def test_an_invalid_answer_lowers_accuracy_as_a_wrong_one_does(pairs):
    truth, answers = named(pairs)
    assert value(accuracy(), pairs) == pytest.approx(np.mean(np.array(truth) == np.array(answers)))


@pytest.mark.parametrize("average", F1)
@quick
@given(pairs=pairs_of_labels)
def test_an_invalid_answer_costs_one_miss_and_one_false_alarm_of_its_class(average, pairs):
    # A wrong label costs the same, the false alarm at another class.
    truth, answers = named(pairs)
    charged = [right for right, answer in zip(truth, answers, strict=True) if answer == "?"]
    truth, answers = [*truth, *["?"] * len(charged)], [*answers, *charged]
    occurring = sorted({*truth, *answers} - {"?"})
    expected = sk.f1_score(truth, answers, labels=occurring, average=average, zero_division=0)
    assert value(F1[average](LABELS), pairs) == pytest.approx(expected)


@pytest.mark.parametrize("metric", SINGLE, ids=lambda metric: metric.name)
@quick
@given(pairs=pairs_of_labels)
def test_what_is_no_label_counts_as_no_answer(metric, pairs):
    none = [(truth, output if output.value in LABELS else Output(None)) for truth, output in pairs]
    assert value(metric, pairs) == value(metric, none)


@pytest.mark.parametrize("metric", [macro_f1, micro_f1, weighted_f1], ids=lambda metric: metric.__name__)
@pytest.mark.parametrize("refusal", [None, "It is rather positive, I think"])
def test_a_wrong_answer_outside_the_label_set_does_not_inflate_f1_to_2a_over_1_plus_a(metric, refusal):
    # Four of five rows of each class are right, the others free text that is nobody's false alarm.
    rows = of(*[(label, label) for label in LABELS for _ in range(4)], *[(label, refusal) for label in LABELS])
    assert value(metric(LABELS), rows) == pytest.approx(0.8)
    assert sk.f1_score(*named(rows), average="weighted") == pytest.approx(2 * 0.8 / 1.8)


@quick
@given(pairs_of_labels)
def test_not_answering_never_scores_better_weighted_f1_than_recall(pairs):
    # With no wrong label among the answers, F1 is the share of right ones, whatever is left unanswered.
    kept = [(truth, output if output.value == truth else Output(None)) for truth, output in pairs]
    assert value(weighted_f1(LABELS), kept) == pytest.approx(value(accuracy(), kept))


@pytest.mark.parametrize("order", [LABELS, LABELS[::-1]])
def test_not_positive_rather_negative_is_not_scored_by_the_order_of_the_labels(order):
    rows = of(("negative", "not positive, rather negative"), ("positive", "not positive, rather negative"))
    assert [value(metric(order), rows) for metric in (macro_f1, micro_f1, weighted_f1, mcc)] == [0, 0, 0, 0]
    assert [scores.predicted for scores in class_scores(*split(rows), order)] == [0, 0, 0]
    assert [line[-1] for line in confusion(*split(rows), LABELS)] == [1, 0, 1]


def test_an_unparsable_answer_is_not_counted_as_the_majority_class():
    rows = of(*[("neutral", None)] * 9, ("positive", "positive"))
    neutral = class_scores(*split(rows), LABELS)[1]
    assert value(accuracy(), rows) == pytest.approx(0.1)
    assert value(macro_f1(LABELS), rows) == pytest.approx(0.5)
    assert (neutral.predicted, neutral.recall) == (0, 0)


def test_a_wrong_answer_is_a_false_positive_of_the_class_it_names():
    rows = of(("neutral", "neutral"), ("neutral", "positive"), ("positive", "positive"))
    positive = class_scores(*split(rows), LABELS)[2]
    assert (positive.precision, positive.recall, positive.predicted) == (0.5, 1, 2)


def test_a_class_that_occurs_among_the_answers_alone_lowers_macro_f1():
    rows = of(("neutral", "neutral"), ("neutral", "positive"))
    assert value(macro_f1(LABELS), rows) == pytest.approx((2 / 3 + 0) / 2)


def test_a_class_that_is_absent_from_the_references_has_no_weight_in_weighted_f1():
    rows = of(("neutral", "neutral"), ("neutral", "positive"))
    assert value(weighted_f1(LABELS), rows) == pytest.approx(2 / 3)


def test_a_class_that_occurs_nowhere_leaves_macro_f1_alone():
    rows = of(("neutral", "neutral"), ("positive", "positive"))
    assert value(macro_f1(LABELS), rows) == 1


def test_an_invalid_answer_is_no_false_positive_in_the_scores_of_other_classes():
    rows = of(("neutral", "neutral"), ("positive", None))
    neutral = class_scores(*split(rows), LABELS)[1]
    assert (neutral.precision, neutral.f1) == (1, 1)


def test_answers_that_are_all_invalid_score_zero():
    rows = of(("neutral", None), ("positive", None))
    assert [value(metric, rows) for metric in SINGLE] == [0] * len(SINGLE)


@pytest.mark.parametrize(("answer", "expected"), [("neutral", [1, 1, 1, 1, 0]), ("positive", [0, 0, 0, 0, 0])])
def test_one_row_has_every_value(answer, expected):
    assert [value(metric, of(("neutral", answer))) for metric in SINGLE] == expected


def test_rows_of_one_class_that_are_all_right_score_one_but_correlate_with_nothing():
    rows = of(*[("neutral", "neutral")] * 5)
    assert [value(metric, rows) for metric in SINGLE] == [1, 1, 1, 1, 0]


def test_mcc_is_minus_one_where_two_classes_are_always_mistaken_for_each_other():
    assert value(mcc(("no", "yes")), of(("no", "yes"), ("yes", "no"))) == -1


def test_many_resamples_are_computed_at_once():
    rows = of(("neutral", "neutral"), ("positive", "negative"))
    assert resampled(macro_f1(LABELS), rows, [[2, 0], [0, 2], [1, 1]]) == pytest.approx([1, 0, 1 / 3])


def test_counts_take_one_row_to_one_vector_of_fixed_length():
    for metric in SINGLE[1:]:
        lengths = {len(metric.counts(Output(answer), "neutral", {})) for answer in (None, "positive", "neutral")}
        assert lengths == {9}


@quick
@given(pairs_of_labels)
def test_class_scores_are_scikit_learns_in_the_order_of_the_labels(pairs):
    expected = sk.precision_recall_fscore_support(*named(pairs), labels=LABELS, zero_division=0)
    found = class_scores(*split(pairs), LABELS)
    assert [scores.label for scores in found] == list(LABELS)
    assert np.array([(s.precision, s.recall, s.f1, s.support) for s in found]) == pytest.approx(np.array(expected).T)


@quick
@given(pairs_of_labels)
def test_predicted_counts_the_answers_of_each_class(pairs):
    found = class_scores(*split(pairs), LABELS)
    assert [s.predicted for s in found] == [sum(out.value == label for _, out in pairs) for label in LABELS]


@quick
@given(pairs_of_labels)
def test_the_confusion_counts_every_pair_with_what_is_no_label_last(pairs):
    found = confusion(*split(pairs), LABELS)
    truth, answers = named(pairs)
    seen = list(zip(truth, answers, strict=True))
    assert found == tuple(tuple(seen.count((label, answer)) for answer in (*LABELS, "?")) for label in LABELS)


REFUSING = [
    *(metric.compute for metric in SINGLE[1:]),
    lambda outputs, references, rows: class_scores(outputs, references, LABELS),
    lambda outputs, references, rows: confusion(outputs, references, LABELS),
]


@pytest.mark.parametrize("judge", REFUSING)
def test_a_reference_outside_the_labels_is_an_error_that_names_its_row(judge):
    rows = of(("neutral", "neutral"), ("postive", "positive"))
    with pytest.raises(DataError, match="row 2: the reference 'postive' is none of the labels 'negative'"):
        judge(*split(rows), [{}] * 2)


@pytest.mark.parametrize("metric", SINGLE[1:], ids=lambda metric: metric.name)
def test_counts_refuse_a_reference_outside_the_labels(metric):
    with pytest.raises(DataError, match="'postive' is none of the labels"):
        metric.counts(Output("positive"), "postive", {})


@pytest.mark.parametrize("factory", [*F1.values(), mcc, multilabel_micro_f1, multilabel_macro_f1, multilabel_mcc])
@pytest.mark.parametrize(
    ("given", "message"),
    [("yes", "texts of all labels"), ((), "texts of all"), ((1, 2), "texts"), (("a", "a"), "'a' g")],
)
def test_labels_that_are_not_distinct_texts_are_refused(factory, given, message):
    with pytest.raises(ConfigurationError, match=f"labels.*{message}"):
        factory(given)


def test_no_label_can_be_what_stands_for_invalid_answers():
    rows = of((INVALID, INVALID), ("neutral", None))
    assert value(accuracy(), rows) == 0.5
    with pytest.raises(DataError, match="row 1"):
        value(macro_f1(LABELS), rows)


def test_an_output_is_right_where_it_is_valid_and_equal():
    assert [is_right(Output(given), "a") for given in ("a", "b", None)] == [True, False, False]
    assert not is_right(Output(None), None)


# Any number of labels per row


@pytest.mark.parametrize("none_label", [False, True])
@quick
@given(pairs=pairs_of_sets)
def test_multilabel_micro_f1_is_scikit_learns(none_label, pairs):
    expected = sk.f1_score(*indicators(pairs, none_label=none_label), average="micro", zero_division=0)
    assert value(multilabel_micro_f1(LABELS, none_label=none_label), pairs) == pytest.approx(expected)


@pytest.mark.parametrize("none_label", [False, True])
@quick
@given(pairs=pairs_of_sets)
def test_multilabel_macro_f1_is_scikit_learns_over_the_labels_that_occur(none_label, pairs):
    true, answered = indicators(pairs, none_label=none_label)
    of_classes = sk.f1_score(true, answered, average=None, zero_division=0)
    occurring = of_classes[(true | answered).any(axis=0)]
    expected = occurring.mean() if len(occurring) else 0
    assert value(multilabel_macro_f1(LABELS, none_label=none_label), pairs) == pytest.approx(expected)


@quick
@given(rows_of(sets, sets))
def test_example_f1_is_scikit_learns(pairs):
    expected = sk.f1_score(*indicators(pairs), average="samples", zero_division=1.0)
    assert value(example_f1(), pairs) == pytest.approx(expected)


@quick
@given(rows_of(sets, sets))
def test_exact_match_is_scikit_learns_accuracy_of_label_sets(pairs):
    assert value(exact_match(), pairs) == pytest.approx(sk.accuracy_score(*indicators(pairs)))


@pytest.mark.parametrize("none_label", [False, True])
@quick
@given(pairs=pairs_of_sets)
def test_multilabel_class_scores_are_scikit_learns(none_label, pairs):
    true, answered = indicators(pairs, none_label=none_label)
    *expected, support = sk.precision_recall_fscore_support(true, answered, zero_division=0)
    found = multilabel_class_scores(*split(pairs), LABELS, none_label=none_label)
    assert [scores.label for scores in found] == [*LABELS, "none"][: len(found)]
    assert [(s.support, s.predicted) for s in found] == list(zip(support, answered.sum(axis=0), strict=True))
    assert np.array([(s.precision, s.recall, s.f1) for s in found]) == pytest.approx(np.array(expected).T)


@quick
@given(pairs_of_sets)
def test_example_f1_and_exact_match_are_the_same_with_the_class_of_no_label(pairs):
    extended = [
        (truth or ("none",), output if output.value is None else Output(output.value or ("none",)))
        for truth, output in pairs
    ]
    for metric in (example_f1(), exact_match()):
        assert value(metric, pairs) == pytest.approx(value(metric, extended))


@quick
@given(pairs_of_sets)
def test_multilabel_mcc_is_the_mean_of_scikit_learns_over_the_labels_that_vary(pairs):
    of_labels = []
    for label in LABELS:
        truth = [str(label in right) for right, _ in pairs]
        answers = ["?" if output.value is None else str(label in output.value) for _, output in pairs]
        of_labels.extend([sk.matthews_corrcoef(truth, answers)] if len(set(truth)) > 1 else [])
    assert value(multilabel_mcc(LABELS), pairs) == pytest.approx(np.mean(of_labels) if of_labels else 0)


def test_multilabel_mcc_of_a_rare_label_that_is_never_answered_is_zero_where_accuracy_is_high():
    rows = of(*[(("negative",), ("negative",))] * 97, *[(("negative", "positive"), ("negative",))] * 3)
    assert value(multilabel_mcc(LABELS), rows) == 0
    assert value(exact_match(), rows) == 0.97


def test_multilabel_mcc_leaves_out_labels_that_all_rows_have_or_none():
    rows = of((("negative",), ("negative",)), (("negative", "positive"), ("negative", "positive")))
    assert value(multilabel_mcc(LABELS), rows) == 1
    assert value(multilabel_mcc(LABELS), rows[:1]) == 0


def test_an_invalid_answer_is_never_right_for_multilabel_mcc():
    no_answers = of((("positive",), None), ((), None))
    half = of((("positive",), ("positive",)), ((), None))
    assert value(multilabel_mcc(LABELS), no_answers) == 0
    assert 0 < value(multilabel_mcc(LABELS), half) < 1


def test_leaving_rows_without_labels_alone_is_right_by_lexglues_convention_alone():
    rows = of(((), ()), (("positive",), ("positive",)), ((), ("neutral",)), (("positive",), ()))
    assert value(multilabel_micro_f1(LABELS), rows) == pytest.approx(2 * 1 / (2 + 2))
    assert value(multilabel_micro_f1(LABELS, none_label=True), rows) == pytest.approx(2 * 2 / (4 + 4))
    assert value(multilabel_macro_f1(LABELS, none_label=True), rows) == pytest.approx((0 + 2 / 3 + 1 / 2) / 3)


def test_an_invalid_answer_is_not_the_class_of_no_label():
    rows = of(((), None), ((), None), (("positive",), ("positive",)))
    none = multilabel_class_scores(*split(rows), LABELS, none_label=True)[-1]
    assert (none.support, none.predicted, none.recall) == (2, 0, 0)
    assert value(example_f1(), rows) == value(exact_match(), rows) == pytest.approx(1 / 3)


def test_labels_in_another_order_are_the_same_labels():
    rows = of((("negative", "positive"), ("positive", "negative")))
    assert [value(metric, rows) for metric in OF_SETS] == [1] * len(OF_SETS)


def test_a_set_with_something_that_is_no_label_is_no_answer():
    rows = of((("positive",), ("positive", "sideways")), (("positive",), ("positive",)))
    positive = multilabel_class_scores(*split(rows), LABELS)[2]
    assert (positive.predicted, positive.recall) == (1, 0.5)
    assert value(exact_match(), rows) == 0.5


def test_a_single_label_that_may_hold_or_not_is_one_class_and_not_two():
    rows = of((("spam",), ("spam",)), ((), ()), ((), ()), (("spam",), ()))
    assert value(multilabel_macro_f1(("spam",)), rows) == pytest.approx(2 / 3)
    assert [s.label for s in multilabel_class_scores(*split(rows), ("spam",))] == ["spam"]
    assert value(multilabel_macro_f1(("spam",), none_label=True), rows) == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_where_no_row_and_no_answer_has_a_label_f1_is_zero_without_the_class_of_no_label():
    rows = of(((), ()), ((), ()))
    assert [value(metric, rows) for metric in OF_SETS] == [0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("none_label", [False, True])
def test_a_reference_with_something_that_is_no_label_is_an_error_that_names_its_row(none_label):
    rows = of((("neutral",), ()), (("neutral", "none"), ()))
    with pytest.raises(DataError, match="row 2: the reference 'none' is none of the labels"):
        value(multilabel_micro_f1(LABELS, none_label=none_label), rows)


@pytest.mark.parametrize("factory", [multilabel_micro_f1, multilabel_macro_f1])
def test_a_label_that_is_called_as_the_class_of_no_label_is_refused(factory):
    with pytest.raises(ConfigurationError, match="none_label=True adds a class 'none'"):
        factory(("some", "none"), none_label=True)
    assert factory(("some", "none")).name == f"multilabel_{factory.__name__.split('_')[1]}_f1"


def test_the_name_of_a_metric_tells_the_class_of_no_label():
    names = {multilabel_micro_f1(LABELS, none_label=given).name for given in (True, False)}
    assert names == {"multilabel_micro_f1", "multilabel_micro_f1_with_none"}


# Numbers


def test_numbers_match_as_the_task_says():
    rows = of((100.0, 100.4), (100.0, 102.0), (100.0, None))
    close = numeric_match(lambda number, reference: abs(number - reference) <= 0.005 * abs(reference))
    assert value(close, rows) == pytest.approx(1 / 3)
    assert value(numeric_match(float.__eq__), rows) == 0


def test_an_invalid_number_is_wrong_even_where_everything_matches():
    assert value(numeric_match(lambda number, reference: True), of((1.0, None), (1.0, 5.0))) == 0.5


@quick
@given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(-1e6, 1e6)), min_size=1))
def test_the_median_relative_error_is_numpys_median(pairs):
    expected = np.median([abs(answer - truth) / truth for truth, answer in pairs])
    assert value(median_relative_error(), of(*pairs)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("pair", "expected"), [((0.0, 0.0), 0), ((0.0, 1.0), math.inf), ((-2.0, 1.0), 1.5), ((2.0, math.nan), math.inf)]
)
def test_a_relative_error_is_defined_for_every_number(pair, expected):
    assert value(median_relative_error(), of(pair)) == expected


def test_the_median_error_bears_fewer_than_half_of_the_answers_being_invalid():
    rows = of((1.0, 1.1), (1.0, None), (1.0, 0.9))
    assert value(median_relative_error(), rows) == pytest.approx(0.1)
    assert value(median_relative_error(), rows[:2]) == math.inf


def test_the_median_error_of_evenly_many_rows_lies_between_the_two_in_the_middle():
    rows = of((1.0, 1.1), (1.0, 1.3))
    assert resampled(median_relative_error(), rows, [[1, 1], [2, 1], [2, 0]]) == pytest.approx([0.2, 0.1, 0.1])


# What all metrics share


def test_a_mean_metric_is_the_mean_of_one_number_per_row():
    length = mean_metric("length", lambda output, reference: len(output.value), higher_is_better=False)
    rows = of(("", "a"), ("", "abc"))
    assert (length.name, length.higher_is_better, value(length, rows)) == ("length", False, 2)
    assert resampled(length, rows, [[0, 2], [1, 1]]).tolist() == [3, 2]


def test_an_error_of_a_row_says_which_row_it_is():
    def judge(output, reference):
        if output.value is None:
            msg = "there is nothing"
            raise DataError(msg)
        return output.value

    assert each_row(judge, [Output(1), Output(2)], ["", ""]) == [1, 2]
    with pytest.raises(DataError, match=r"^row 2: there is nothing$"):
        each_row(judge, [Output(1), Output(None)], ["", ""])
