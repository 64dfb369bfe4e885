import dataclasses

import pytest

from qlorakit.errors import ConfigurationError
from qlorakit.kinds import multilabel, multiple_choice, single_label, text
from qlorakit.measuring import Answered, Sheet
from qlorakit.statistics import Resampling
from qlorakit.task import Column, Output

LABELS = ("a", "b", "c")
ROWS = [
    {"text": f"letter {LABELS[place % 3]} {'again ' * (place % 7)}", "label": LABELS[place % 3]} for place in range(90)
]
IDS = [f"row {place}" for place in range(len(ROWS))]


@pytest.fixture(scope="module")
def letters():
    return single_label("toy/letters", summary="Which?", instruction="the letter", labels=LABELS)


def sheet_of(task, rows=ROWS, **settings):
    return Sheet.of(task, rows, IDS[: len(rows)], Resampling(resamples=200, **settings))


def said(values, probability=0.8):
    rest = (1 - probability) / 2
    return [Output(value, {label: probability if label == value else rest for label in LABELS}) for value in values]


def right_but(wrong, rows=ROWS):
    """Answers that are right except at these places."""
    other = {"a": "b", "b": "a", "c": "a"}
    return said([other[row["label"]] if place in wrong else row["label"] for place, row in enumerate(rows)])


def report_of(task, *answers, rows=ROWS, **settings):
    answered = [Answered(name, outputs) for name, outputs in zip("xyz", answers, strict=False)]
    return sheet_of(task, rows).report(answered, **{"notes": [], "settings": {}, **settings})


def test_every_system_is_measured_and_the_first_is_compared_with_the_others(letters):
    report = report_of(letters, right_but(range(9)), right_but(range(18)), right_but(range(45)))
    assert [one.metrics["accuracy"].value for one in report.systems] == pytest.approx([0.9, 0.8, 0.5])
    assert [(one.system, one.against) for one in report.comparisons] == [("x", "y"), ("x", "z")]
    assert [one.differences["accuracy"].value for one in report.comparisons] == pytest.approx([0.1, 0.4])
    assert (report.comparisons[0].mcnemar.only_first, report.comparisons[0].mcnemar.only_second) == (9, 0)


def test_a_system_without_probabilities_has_no_number_that_needs_them(letters):
    plain = [Output(output.value) for output in right_but(range(9))]
    report = report_of(letters, right_but(()), plain)
    assert report.system("x").metrics["log_loss"].value == pytest.approx(0.2231, abs=1e-3)
    assert report.system("y").metrics["log_loss"].value is None
    assert report.comparisons[0].differences["log_loss"].value is None
    assert (report.system("y").calibration, report.system("y").risk_coverage) == (None, None)


def test_an_invalid_answer_is_wrong_and_needs_no_probabilities(letters):
    outputs = [Output(None), *right_but(())[1:]]
    system = report_of(letters, outputs).system("x")
    assert system.invalid == pytest.approx(1 / 90)
    assert system.metrics["accuracy"].value == pytest.approx(89 / 90)
    assert system.confusion[0] == (29, 0, 0, 1)
    assert system.calibration is not None


def test_all_rows_of_one_class_have_a_report(letters):
    rows = [row for row in ROWS if row["label"] == "b"]
    report = report_of(letters, said(["b"] * 30), said(["a"] * 30), rows=rows)
    assert report.system("x").metrics["macro_f1"].value == 1
    assert [one.support for one in report.system("x").classes] == [0, 30, 0]
    assert "beats y" in report.headline()


def test_one_row_has_a_report_that_claims_nothing(letters):
    report = report_of(letters, said(["a"]), said(["b"]), rows=ROWS[:1])
    accuracy = report.system("x").metrics["accuracy"]
    assert (accuracy.value, accuracy.low < 0.5, accuracy.high) == (1, True, 1)
    loss = report.system("x").metrics["log_loss"]
    assert (loss.value > 0, loss.low, loss.high) == (True, None, None)
    assert "beats y" not in report.headline()


def test_rows_are_divided_by_length_and_by_how_common_their_label_is(letters):
    rows = [{**row, "label": "a" if place % 3 else "b"} for place, row in enumerate(ROWS)]
    report = report_of(letters, right_but((), rows), rows=rows)
    frequency = {one.column: one for one in report.slices}["label frequency"]
    assert {one.value: one.rows for one in frequency.slices} == {"1 common labels": 60, "1 rarer labels": 30}
    assert (frequency.metric, frequency.gap.value) == ("accuracy", pytest.approx(0))


def test_the_gap_between_slices_is_that_of_rows_of_their_own(letters):
    rows = [{**row, "site": "north" if place % 2 else "south"} for place, row in enumerate(ROWS)]
    wrong = range(0, 40, 2)
    (site,) = [
        one
        for one in report_of(letters, right_but(wrong, rows), rows=rows, slices=["site"]).slices
        if one.column == "site"
    ]
    values = {one.value: one.estimate.value for one in site.slices}
    assert values["north"] == 1
    assert site.gap.value == pytest.approx(1 - values["south"])
    assert site.gap.low > 0


def test_rows_that_are_all_of_their_own_group_are_not_grouped(letters):
    alone = dataclasses.replace(letters, group=id)
    assert sheet_of(alone).groups is None
    shared = dataclasses.replace(letters, group=lambda row: row["label"])
    assert len(set(sheet_of(shared).groups)) == 3


def test_rows_without_a_group_are_groups_of_their_own(letters):
    some = dataclasses.replace(letters, group=lambda row: row["label"] if row["label"] == "a" else None)
    assert len(set(sheet_of(some).groups)) == 1 + sum(row["label"] != "a" for row in ROWS)


def test_groups_are_numbered_in_the_predictions_and_never_named(letters):
    grouped = dataclasses.replace(letters, group=lambda row: f"patient {row['label']}")
    report = report_of(grouped, right_but(()))
    assert {item["group"] for item in report.predictions} == {0, 1, 2}
    assert "patient" not in str(report.to_dict())
    assert any("only 3 groups" in note for note in report.notes)


def test_rare_classes_and_few_mistakes_are_warned_of(letters):
    notes = " ".join(report_of(letters, right_but((1,), ROWS[:50]), rows=ROWS[:50]).notes)
    assert "3 of 3 classes occur fewer than 20 times" in notes
    assert "only 1 of 50 rows are answered wrong" in notes


def test_options_of_their_own_have_calibration_and_no_confusion():
    task = multiple_choice("toy/quiz", summary="Which?", instruction="the letter", options=Column("options"))
    rows = [{"question": f"{place}?", "options": ["no", "yes"], "answer": "AB"[place % 2]} for place in range(30)]
    outputs = [Output(row["answer"], {"A": 0.5, "B": 0.5}) for row in rows]
    system = report_of(task, outputs, rows=rows).system("x")
    assert (system.confusion, system.classes) == (None, None)
    assert system.calibration is not None


def test_several_labels_have_classes_and_no_confusion():
    task = multilabel("toy/tags", summary="Which?", instruction="topics", labels=("a", "b"))
    rows = [{"text": f"{place}", "labels": ["a"] if place % 2 else []} for place in range(40)]
    outputs = [Output(tuple(row["labels"]), {"a": 0.5, "b": 0.1}) for row in rows]
    system = report_of(task, outputs, rows=rows).system("x")
    assert [one.label for one in system.classes][:2] == ["a", "b"]
    assert (system.confusion, system.calibration) == (None, None)


def test_free_text_is_kept_out_of_predictions_unless_asked_for():
    task = text("toy/summary", summary="Short", instruction="sum up", answer=Column("short", label=True))
    rows = [{"text": f"a long text {place}", "short": f"secret {place}"} for place in range(5)]
    outputs = [Output(row["short"]) for row in rows]
    assert "secret" not in str(report_of(task, outputs, rows=rows).predictions)
    told = report_of(task, outputs, rows=rows, texts=[["asked"]] * 5).predictions
    assert [item["reference"] for item in told] == [task.reference(row) for row in rows]


def test_empty_generated_text_is_an_answer_that_is_wrong():
    task = text("toy/summary", summary="Short", instruction="sum up", answer=Column("short", label=True))
    rows = [{"text": f"a long text {place}", "short": "short"} for place in range(5)]
    system = report_of(task, [Output("")] * 5, rows=rows).system("x")
    assert {estimate.value for estimate in system.metrics.values()} == {0}
    assert system.invalid == 0


def test_a_curve_of_many_points_is_thinned_to_its_ends(letters):
    rows = [{"text": "letter a", "label": "a"}] * 900
    outputs = [Output("a", {"a": 0.5 + place / 2000, "b": 0.5 - place / 2000, "c": 0.0}) for place in range(900)]
    sheet = Sheet.of(letters, rows, [str(place) for place in range(900)], Resampling(resamples=100))
    curve = sheet.report([Answered("x", outputs)], notes=[], settings={}).system("x").risk_coverage
    assert len(curve.coverage) <= 201
    assert curve.coverage[-1] == 1


def test_the_threshold_for_a_risk_keeps_it_on_new_rows(letters):
    rows = [{"text": f"letter {place}", "label": LABELS[place % 3]} for place in range(300)]
    sure = [Output(row["label"], dict.fromkeys(LABELS, 0.05) | {row["label"]: 0.9}) for row in rows[:150]]
    unsure = [Output("a", {"a": 0.6, "b": 0.2, "c": 0.2}) for _ in rows[150:]]
    outputs = [*sure, *unsure]
    sheet = Sheet.of(letters, rows, [str(place) for place in range(300)], Resampling(resamples=100))
    report = sheet.report([Answered("x", outputs)], notes=[], settings={})
    assert report.threshold_for_risk(0.05) == 0.9
    assert report.threshold_for_risk(0.001) is None


def test_without_probabilities_there_is_no_threshold(letters):
    plain = [Output(output.value) for output in right_but(())]
    with pytest.raises(ConfigurationError, match="toy/letters: x gives no probability of one answer per row"):
        report_of(letters, plain).threshold_for_risk(0.1)


@pytest.mark.parametrize("name", ["row_id", "reference", "text", "group"])
def test_a_system_may_not_be_called_like_a_part_of_a_prediction(letters, name):
    with pytest.raises(ConfigurationError, match=f"a system may not be called '{name}'"):
        sheet_of(letters).report([Answered(name, right_but(()))], notes=[], settings={})


def test_systems_of_one_name_are_refused(letters):
    with pytest.raises(ConfigurationError, match="may not be called 'x': names are distinct"):
        sheet_of(letters).report([Answered("x", right_but(()))] * 2, notes=[], settings={})


def test_p_values_are_of_the_main_metric_and_corrected_for_being_several(letters):
    report = report_of(letters, right_but(range(9)), right_but(range(14)), right_but(range(45)))
    near, far = report.comparisons
    assert far.p_value < 0.001 < near.p_value
    assert (near.adjusted_p, far.adjusted_p) == pytest.approx((near.p_value, 2 * far.p_value))
    for one in report.comparisons:
        interval = one.differences["macro_f1"]
        assert (one.p_value < 0.05) == (interval.low > 0)


def test_texts_are_compared_by_what_is_measured_and_not_by_being_word_for_word():
    task = text("toy/summary", summary="Short", instruction="sum up", answer=Column("short", label=True))
    rows = [{"text": f"a long text {place}", "short": f"the short one {place}"} for place in range(40)]
    near = [Output(f"a short one {place}" + " and more" * (place % 3)) for place in range(40)]
    report = report_of(task, near, [Output("nothing")] * 40, rows=rows)
    (comparison,) = report.comparisons
    assert (comparison.mcnemar.only_first, comparison.mcnemar.only_second) == (0, 0)
    assert report.headline() == "By rougeL, x beats y."


def test_grouped_rows_have_no_mcnemar(letters):
    grouped = dataclasses.replace(letters, group=lambda row: row["text"])
    (comparison,) = report_of(grouped, right_but(range(9)), right_but(range(45))).comparisons
    assert comparison.mcnemar is None
    assert comparison.p_value < 0.05


def test_a_column_that_gives_no_slices_leaves_a_note(letters):
    rows = [{**row, "sex": "fm"[place % 2]} for place, row in enumerate(ROWS[:30])]
    report = report_of(letters, right_but((), rows), rows=rows, slices=["sex"])
    said = "slices: 'sex' was not looked at: fewer than two of its values have 20 rows (f 15, m 15)"
    assert report.notes.count(said) == 1
    assert not any("slices" in note for note in report_of(letters, right_but(())).notes)
