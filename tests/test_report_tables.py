import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_samples import TONES, first_changed, replaced, sample_report, small_report

from qlorakit.documents import clean
from qlorakit.report_tables import (
    ERRORS_SHOWN,
    LONGEST_TEXT,
    bin_table,
    comparison_table,
    confused_pairs,
    confusion_table,
    cost_table,
    coverage_table,
    error_table,
    is_number,
    metric_table,
    setting_rows,
    shown,
    training_table,
    wrong_answers,
)
from qlorakit.score_metrics import RiskCoverage


def report_on(*answers, labels=TONES, kind="single label", **changes):
    """A report on rows that were answered like this; what an answer lacks is made up."""
    made = {"right": False, "value": "neutral", "scores": {}}
    predictions = tuple(
        {"row_id": str(place), "reference": "positive", "tuned": {**made, **answer}, **answer.get("row", {})}
        for place, answer in enumerate(answers)
    )
    return small_report(predictions=predictions, labels=labels, kind=kind, **changes)


def sure(probability):
    return {"scores": {"neutral": probability, "positive": 1 - probability}}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "no valid answer"), ("up", "up"), ("", "(empty)"), ((), "none"), (("a", "b"), "a, b"), ({}, "none"),
        ({"b", "a"}, "a, b"), (((0, 5, "PER"), (7, 9, "LOC")), "0 5 PER; 7 9 LOC"), (-0.5, "-0.5"), (12, "12"),
        (1_234_567.0, "1234567"),
        (True, "True"), ({"min": 1, "max": (2, 3)}, "min: 1, max: 2, 3"),
    ],
)  # fmt: skip
def test_a_value_of_any_task_is_put_in_words(value, said):
    assert shown(value) == said


def test_settings_are_named_by_their_path():
    settings = {
        "base": {"quantization": {"type": "nf4"}, "revision": None},
        "files": {},
        "higher_is_better": {"f1": True},
    }
    assert setting_rows(settings) == [("base.quantization.type", "nf4"), ("base.revision", "-"), ("files", "none")]


def test_which_metrics_are_better_if_higher_is_no_setting_of_compared_reports_either():
    assert setting_rows({"compared": {"a": {"higher_is_better": {"f1": True}, "seed": 1}}}) == [
        ("compared.a.seed", "1")
    ]


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("a\x00b", "a\ufffdb"), ("\x1b[31m", "\ufffd[31m"), ("\x9b", "\ufffd"), ("\u202eabc", "\ufffdabc"),
        ("\ud83d", "\ufffd"),
        ("a\r\nb", "a\nb"), ("a\tb", "a b"), ("a\nb", "a\nb"), ("für Ärzte 上昇 😀", "für Ärzte 上昇 😀"),
    ],
)  # fmt: skip
def test_only_characters_that_do_harm_are_replaced(words, left):
    assert clean(words) == left


@given(st.text() | st.text(st.characters(codec=None, categories=["Cs", "Cc", "Cf"])))
def test_clean_words_can_be_written_and_stay_clean(words):
    assert clean(clean(words)) == clean(words)
    clean(words).encode("utf-8")


@pytest.mark.parametrize(
    ("value", "drawn"),
    [
        (1, True), (-0.5, True), (True, False), (None, False), ("1", False), (math.nan, False), (math.inf, False),
        (10**400, False),
    ],
)  # fmt: skip
def test_only_finite_numbers_are_drawn(value, drawn):
    assert is_number(value) is drawn


def test_errors_are_listed_where_the_system_was_surest():
    found = wrong_answers(report_on(sure(0.6), sure(0.9), {"right": True, **sure(0.99)}, sure(0.7)))
    assert [(one.row, one.confidence) for one in found] == [("1", 0.9), ("3", 0.7), ("0", 0.6)]


def test_an_error_names_its_row_the_truth_and_the_answer():
    (found,) = wrong_answers(report_on(sure(0.6)))
    assert (found.row, found.truth, found.answer, found.text) == ("0", "positive", "neutral", "")


def test_invalid_answers_come_after_those_that_were_sure():
    found = wrong_answers(report_on({"value": None, **sure(0.9)}, sure(0.6)))
    assert [(one.row, one.answer, one.confidence) for one in found] == [
        ("1", "neutral", 0.6),
        ("0", "no valid answer", 0.0),
    ]


def test_of_several_labels_the_probability_is_that_of_all_of_them():
    (found,) = wrong_answers(
        report_on({"value": ("a",), "scores": {"a": 0.9, "b": 0.2}}, kind="multilabel", labels=("a", "b"))
    )
    assert found.confidence == pytest.approx(0.9 * 0.8)


def test_options_have_probabilities_without_a_closed_set():
    (found,) = wrong_answers(
        report_on({"value": "A", "scores": {"A": 0.7, "B": 0.3}}, kind="multiple choice", labels=None)
    )
    assert found.confidence == 0.7


@pytest.mark.parametrize("kind", ["entities", "text", "number", "custom"])
def test_scores_that_are_no_probabilities_are_not_shown_as_such(kind):
    counted = {"value": "lines", "scores": {"lines": 1.0, "dropped": 0.5}}
    assert wrong_answers(report_on(counted, counted, kind=kind, labels=None))[0].confidence is None


@pytest.mark.parametrize("scores", [{}, {"neutral": None}, {"neutral": math.nan}, {"neutral": "x"}, {"positive": 0.9}])
def test_a_probability_that_is_none_is_not_shown(scores):
    made = report_on({"scores": scores})
    assert wrong_answers(made)[0].confidence is None
    assert error_table(made, texts=True).columns == ("row", "true", "answer")


def test_without_probabilities_the_first_errors_are_listed_and_it_is_said_so():
    made = report_on(*[{}] * (ERRORS_SHOWN + 1))
    assert [one.row for one in wrong_answers(made)] == [str(place) for place in range(ERRORS_SHOWN)]
    assert f"on {ERRORS_SHOWN + 1} of 452 rows. The first {ERRORS_SHOWN} follow." in error_table(made, texts=True).title


def test_few_errors_are_all_listed():
    assert "on 1 of 452 rows. All of them follow." in error_table(report_on({}), texts=True).title


def test_a_report_without_errors_has_no_table_of_them():
    assert error_table(report_on({"right": True}), texts=True) is None


def test_what_a_report_does_not_hold_is_a_dash():
    said = {"right": False, "scores": {}}
    made = small_report(predictions=({"row_id": "a", "tuned": said},), kind="text", labels=None)
    assert error_table(made, texts=True).rows == (("a", "-", "-"),)


def test_what_all_texts_have_in_common_is_left_out():
    rows = [{"row": {"text": ["Decide.", f"Text {place}"]}} for place in range(2)]
    assert [one.text for one in wrong_answers(report_on(*rows))] == ["Text 0", "Text 1"]


def test_the_text_of_a_single_row_is_shown():
    assert wrong_answers(report_on({"row": {"text": ["Decide.", "Text"]}}))[0].text == "Decide.\nText"


def test_a_long_text_is_cut_with_a_count():
    (found,) = wrong_answers(report_on({"row": {"text": "x" * (LONGEST_TEXT + 7)}}))
    assert found.text == "x" * LONGEST_TEXT + "… (7 more letters)"


def test_texts_are_only_there_when_asked_for():
    made = report_on({"row": {"text": "secret"}})
    assert "secret" in str(error_table(made, texts=True))
    assert "secret" not in str(error_table(made, texts=False))


def test_the_learning_curve_has_a_line_for_each_evaluation():
    table = training_table(sample_report())
    assert table.columns == ("step", "training loss", "validation loss", "macro_f1 on validation rows")
    assert table.rows[0] == ("99", "0.921", "0.610", "0.740")  # the training loss was logged at step 90
    assert len(table.rows) == 4


def test_without_evaluations_the_learning_curve_has_some_of_the_losses():
    losses = tuple({"step": step, "loss": 1 / step} for step in range(1, 101))
    table = training_table(small_report(training=losses))
    assert table.columns == ("step", "training loss")
    assert len(table.rows) <= 13
    assert (table.rows[0][0], table.rows[-1]) == ("1", ("100", "0.010"))


@pytest.mark.parametrize(
    "training", [(), ({"step": 1, "grad_norm": 2.0},), ({"loss": 1.0},), ({"step": 1, "loss": None},)]
)
def test_without_losses_there_is_no_learning_curve(training):
    assert training_table(small_report(training=training)) is None


def test_confusions_are_counted_by_pair_and_as_a_share_of_the_label():
    made = first_changed(small_report(), confusion=((7, 3, 0, 0), (0, 8, 0, 2), (0, 0, 9, 0)))
    table = confused_pairs(made, made.systems[0])
    assert table.rows == (("negative", "neutral", "3", "30.0%"), ("neutral", "invalid", "2", "20.0%"))
    assert table.title == "tuned, all confusions"


def test_a_confusion_without_errors_names_none():
    made = first_changed(small_report(), confusion=((1, 0, 0, 0), (0, 0, 0, 0), (0, 0, 1, 0)))
    assert confused_pairs(made, made.systems[0]).rows == ()


def test_differences_come_with_both_p_values_and_the_adjusted_one():
    made = small_report()
    (comparison,) = made.comparisons
    alone = str(comparison.mcnemar.only_first), str(comparison.mcnemar.only_second)
    difference, small = str(comparison.differences["macro_f1"]), ("< 0.001", "< 0.001")
    assert comparison_table(made).rows == (("majority", difference, *small, *alone, *small),)


def test_where_rows_come_in_groups_there_is_no_mcnemar():
    made = small_report()
    (comparison,) = made.comparisons
    grouped = replaced(made, comparisons=(replace(comparison, mcnemar=None),))
    assert comparison_table(grouped).rows[0][-4:] == ("-",) * 4


def test_what_is_not_there_has_no_table():
    made = small_report()
    bare = replace(made.systems[0], confusion=None, calibration=None, risk_coverage=None, cost=None)
    assert comparison_table(replaced(made, comparisons=())) is None
    assert cost_table(replaced(made, systems=(bare,))) is None
    assert bin_table(bare) is coverage_table(bare) is None
    assert confusion_table(made, bare) is confused_pairs(made, bare) is None


def test_the_risk_is_told_at_the_nearest_coverage_there_is():
    system = replace(small_report().systems[0], risk_coverage=RiskCoverage((0.9, 0.6), (0.4, 1.0), (0.0, 0.1)))
    assert coverage_table(system).rows == (("40.0%", "0.0%", "0.900"), ("100.0%", "10.0%", "0.600"))


def test_numbers_of_parameters_that_are_none_are_shown_as_they_are():
    made = small_report(settings={**small_report().settings, "parameters": {"trainable": "unknown"}})
    assert cost_table(made).rows[-1] == ("trainable parameters", "unknown")


def test_the_confidence_is_told_as_exactly_as_it_was_set():
    made = small_report(settings={**small_report().settings, "confidence": 0.999})
    assert metric_table(made).title.endswith("value [99.9% interval]")
