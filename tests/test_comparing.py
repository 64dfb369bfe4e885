import dataclasses
import json
from pathlib import Path

import pytest

import qlorakit as qk
from qlorakit.errors import ConfigurationError, DataError, EvidenceError, UnknownNameError
from qlorakit.kinds import entities, multilabel, number, single_label, text
from qlorakit.report import Report
from qlorakit.task import Column, Metric

LABELS = ("a", "b", "c")
ROWS = [{"id": f"r{place}", "text": f"letter number {place}", "label": LABELS[place % 3]} for place in range(60)]
TRUTH = [row["label"] for row in ROWS]


@pytest.fixture(scope="module")
def letters():
    return single_label("toy/letters", summary="Which?", instruction="the letter", labels=LABELS)


def wrong_at(places):
    return ["b" if place in places and label != "b" else "c" if place in places else label
            for place, label in enumerate(TRUTH)]  # fmt: skip


def judged(task, values=TRUTH, rows=ROWS, **settings):
    return qk.judge(values, rows, task=task, **{"resamples": 200, **settings})


def compared(*reports, **settings):
    return qk.compare(*reports, **{"resamples": 200, **settings})


def test_predictions_made_elsewhere_are_measured(letters):
    report = judged(letters, wrong_at(range(6)), name="rules")
    system = report.system("rules")
    assert system.metrics["accuracy"].value == pytest.approx(0.9)
    assert system.metrics["log_loss"].value is None
    assert [item["rules"]["value"] for item in report.predictions] == wrong_at(range(6))


def test_predictions_by_row_id_need_no_order(letters):
    by_id = {row["id"]: row["label"] for row in reversed(ROWS)}
    assert judged(letters, by_id).systems[0].metrics["accuracy"].value == 1


def test_labels_are_read_as_the_task_reads_them(letters):
    assert judged(letters, [f" {label} " for label in TRUTH]).systems[0].metrics["accuracy"].value == 1


def test_a_prediction_that_is_none_or_no_label_is_invalid_and_wrong(letters):
    system = judged(letters, [None, "nonsense", "", *TRUTH[3:]]).systems[0]
    assert system.invalid == pytest.approx(3 / 60)
    assert system.metrics["accuracy"].value == pytest.approx(57 / 60)
    assert sum(line[-1] for line in system.confusion) == 3


def test_probabilities_made_elsewhere_are_used(letters):
    sure = [{label: 0.98 if label == right else 0.01 for label in LABELS} for right in TRUTH]
    system = judged(letters, probabilities=sure).systems[0]
    assert system.metrics["log_loss"].value == pytest.approx(0.0202, abs=1e-4)
    assert system.calibration is not None


@pytest.mark.parametrize(
    ("probability", "message"),
    [(float("nan"), "row r4.*nan"), (1.5, "row r4"), (-0.1, "row r4"), ("much", "row r4")],
)
def test_probabilities_that_are_none_are_named_by_row(letters, probability, message):
    scores = [{label: 1.0 if label == right else 0.0 for label in LABELS} for right in TRUTH]
    scores[4] = {"a": probability, "b": 0.0, "c": 0.0}
    with pytest.raises(DataError, match=message):
        judged(letters, probabilities=scores)


def test_probabilities_of_something_else_than_the_labels_are_named_by_row(letters):
    scores = [{label: 1.0 if label == right else 0.0 for label in LABELS} for right in TRUTH]
    scores[7] = {"a": 0.5, "z": 0.5}
    with pytest.raises(DataError, match="row r7: there is a probability of 'z', which is no label"):
        judged(letters, probabilities=scores)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (TRUTH[:-2], "there are 58 predictions for 60 rows"),
        ({"r1": "a"}, "predictions lack 59 rows .r0, r2, r3. and hold 0"),
        ({**{row["id"]: "a" for row in ROWS}, "r99": "a"}, "hold 1 that are not among them .r99."),
    ],
)
def test_predictions_that_do_not_fit_the_rows_are_named(letters, values, message):
    with pytest.raises(DataError, match=message):
        judged(letters, values)


def test_one_probability_per_row_is_needed(letters):
    with pytest.raises(DataError, match="there are 1 probabilities for 60 rows"):
        judged(letters, probabilities=[{}])


def test_row_ids_that_occur_twice_are_refused(letters):
    with pytest.raises(DataError, match=r"r0"):
        judged(letters, ["a", "a"], rows=[ROWS[0], ROWS[0]])


@pytest.mark.parametrize(
    ("task", "row", "value"),
    [
        (number("toy/sum", summary="How much?", instruction="sum"), {"question": "2 and 2?", "answer": "4"}, "4.0"),
        (
            multilabel("toy/tags", summary="Which?", instruction="topics", labels=("a", "b")),
            {"text": "x", "labels": ["a", "b"]},
            ["b", "a"],
        ),
        (
            text("toy/short", summary="Short", instruction="sum up", answer=Column("short", label=True)),
            {"text": "long", "short": "brief"},
            "brief",
        ),
    ],
)
def test_predictions_of_every_kind_can_be_judged(task, row, value):
    report = qk.judge([value], [row], task=task, resamples=100)
    assert report.predictions[0]["given"]["right"]


def test_entities_made_elsewhere_can_be_judged():
    task = entities("toy/names", summary="Who?", instruction="names", types=("person",))
    row = {"text": "Ann met Bob", "entities": [{"start": 0, "end": 3, "type": "person"}]}
    assert qk.judge([row["entities"]], [row], task=task, resamples=100).systems[0].metrics["entity_f1"].value == 1


def test_saved_reports_are_compared_row_by_row(letters, tmp_path):
    paths = [judged(letters, wrong_at(range(end))).save(tmp_path / f"{end}.json") for end in (3, 15)]
    report = compared(*map(Report.load, paths), task=letters)
    (comparison,) = report.comparisons
    assert [one.name for one in report.systems] == ["a", "b"]
    assert comparison.differences["accuracy"].value == pytest.approx(0.2)
    assert (comparison.mcnemar.only_first, comparison.mcnemar.only_second) == (12, 0)
    assert "a beats b" in report.headline()


def test_what_compare_says_of_one_report_is_what_the_report_says(letters):
    report = judged(letters, wrong_at(range(5)))
    again = compared(report, judged(letters), task=letters).systems[0]
    assert again.metrics == report.systems[0].metrics


def test_rows_that_not_all_reports_hold_are_left_out_and_counted(letters):
    part = judged(letters, TRUTH[:40], rows=ROWS[:40])
    report = compared(judged(letters), part, names=["all", "some"], task=letters)
    assert report.rows == 40
    assert "left out, because not all reports hold them: 20 rows of all" in report.notes


def test_reports_without_a_common_row_cannot_be_compared(letters):
    parts = [judged(letters, TRUTH[part], rows=ROWS[part]) for part in (slice(20), slice(20, 40))]
    with pytest.raises(DataError, match="no row in common"):
        compared(*parts, task=letters)


def test_a_changed_label_set_is_said(letters):
    other = single_label("toy/letters", summary="Which?", instruction="the letter", labels=(*LABELS, "d"))
    with pytest.raises(ConfigurationError, match="the label set changed between a and b: 'd'; evaluate anew"):
        compared(judged(letters), judged(other), task=letters)


def test_reports_of_different_tasks_are_not_compared(letters):
    other = dataclasses.replace(letters, name="toy/others")
    with pytest.raises(ConfigurationError, match="different tasks: toy/letters, toy/others"):
        compared(judged(letters), judged(other))


def test_corrected_labels_are_found(letters):
    changed = [{**ROWS[0], "label": "b"}, *ROWS[1:]]
    with pytest.raises(DataError, match="row r0: the reports disagree on what is right"):
        compared(judged(letters), judged(letters, rows=changed), task=letters)


@pytest.mark.parametrize("names", [["x"], ["x", "x"], ["x", "y", "z"]])
def test_names_are_as_many_as_reports_and_distinct(letters, names):
    with pytest.raises(ConfigurationError, match="must be 2 different ones"):
        compared(judged(letters), judged(letters), names=names, task=letters)


def test_one_report_is_nothing_to_compare(letters):
    with pytest.raises(ConfigurationError, match="two reports or more"):
        compared(judged(letters), task=letters)


def test_without_a_plugin_that_knows_the_task_it_must_be_given(letters):
    with pytest.raises(UnknownNameError, match="toy/letters") as caught:
        compared(judged(letters), judged(letters))
    assert "which no installed plugin has; pass task=" in str(caught.value)
    assert "pip install" not in str(caught.value)


@pytest.mark.parametrize("saved", ["before.json", Path("before.json"), None])
def test_a_path_is_no_report(letters, saved):
    with pytest.raises(ConfigurationError, match=r"b: .* is no Report; load a saved one with qk\.Report\.load\(path\)"):
        compared(judged(letters), saved, task=letters)


def test_free_text_is_compared_only_where_reports_hold_it():
    task = text("toy/short", summary="Short", instruction="sum up", answer=Column("short", label=True))
    rows = [{"text": f"long {place}", "short": "brief"} for place in range(4)]
    reports = [qk.judge(["brief"] * 4, rows, task=task, resamples=100) for _ in range(2)]
    with pytest.raises(DataError, match="include_text=True"):
        compared(*reports, task=task)
    told = [qk.judge([said] * 4, rows, task=task, resamples=100, include_text=True) for said in ("brief", "no")]
    assert compared(*told, task=task).comparisons[0].differences["rougeL"].value == 1


def test_values_survive_being_saved_whatever_their_kind(tmp_path):
    task = multilabel("toy/tags", summary="Which?", instruction="topics", labels=("a", "b"))
    rows = [{"text": f"{place}", "labels": ["a", "b"][: place % 3]} for place in range(30)]
    path = qk.judge([row["labels"] for row in rows], rows, task=task, resamples=100).save(tmp_path / "one.json")
    report = compared(Report.load(path), Report.load(path), task=task)
    assert report.systems[0].metrics["multilabel_micro_f1_with_none"].value == 1
    assert report.comparisons[0].differences["multilabel_micro_f1_with_none"].value == 0


def test_spans_survive_being_saved(tmp_path):
    task = entities("toy/names", summary="Who?", instruction="names", types=("person",))
    rows = [{"text": f"Ann met Bob {n}", "entities": [{"start": 0, "end": 3, "type": "person"}]} for n in range(9)]
    path = qk.judge([row["entities"] for row in rows], rows, task=task, resamples=100).save(tmp_path / "one.json")
    assert compared(Report.load(path), Report.load(path), task=task).systems[0].metrics["entity_f1"].value == 1


def test_groups_are_resampled_together_in_a_comparison_as_well(letters):
    grouped = dataclasses.replace(letters, group=lambda row: row["id"][:2])
    reports = [judged(grouped, wrong_at(range(end))) for end in (3, 15)]
    report = compared(*reports, task=grouped)
    assert report.systems[0].metrics == reports[0].systems[0].metrics
    assert any("belong to 10 groups" in note or "10 groups" in note for note in report.notes)


def test_a_metric_that_reads_rows_is_given_them(letters):
    def compute(outputs, references, rows):
        return sum(len(row["text"]) for row in rows) / 60

    task = dataclasses.replace(letters, metrics=(*letters.metrics, Metric("length", compute)))
    reports = [judged(task), judged(task)]
    assert compared(*reports, task=task, rows=ROWS).systems[0].metrics["length"].value > 10
    with pytest.raises(DataError, match=r"4 rows of the reports are not among them \(r56, r57, r58"):
        compared(*reports, task=task, rows=ROWS[:56])


def test_slices_of_a_comparison_need_the_rows(letters):
    rows = [{**row, "site": "north" if place % 2 else "south"} for place, row in enumerate(ROWS)]
    reports = [judged(letters), judged(letters)]
    with pytest.raises(ConfigurationError, match="give rows= as well"):
        compared(*reports, task=letters, slices=["site"])
    assert "site" in [one.column for one in compared(*reports, task=letters, rows=rows, slices=["site"]).slices]


def test_one_text_for_slices_is_refused_in_every_report(letters):
    with pytest.raises(ConfigurationError, match=r"pass slices=\['label'\]"):
        judged(letters, slices="label")
    with pytest.raises(ConfigurationError, match=r"pass slices=\['label'\]"):
        compared(judged(letters), judged(letters), task=letters, rows=ROWS, slices="label")


def test_a_gate_needs_a_loaded_report_and_a_task_that_is_known(letters):
    with pytest.raises(ConfigurationError, match=r"qk\.Report\.load\(path\)"):
        judged(letters).require(no_worse_than="before.json")
    with pytest.raises(UnknownNameError, match="'toy/letters', which no installed plugin has; pass task="):
        judged(letters).require(no_worse_than=judged(letters))


def test_a_gate_passes_what_is_as_good_as_before_and_stops_what_is_worse(letters, monkeypatch):
    monkeypatch.setattr("qlorakit.comparing.get_task", lambda name: letters)
    before, better, worse = (judged(letters, wrong_at(range(end))) for end in (12, 3, 40))
    better.require(macro_f1=">=0.8", no_worse_than=before)
    with pytest.raises(EvidenceError, match=r"loses to the one before by 0\.4\d\d macro_f1"):
        worse.require(no_worse_than=before)


def test_what_is_compared_can_be_saved_and_loaded(letters, tmp_path):
    report = compared(judged(letters, wrong_at(range(5))), judged(letters), task=letters)
    loaded = Report.load(report.save(tmp_path / "report.json"))
    assert json.dumps(loaded.to_dict(), sort_keys=True) == json.dumps(report.to_dict(), sort_keys=True)
