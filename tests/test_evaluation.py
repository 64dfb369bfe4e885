import dataclasses
import json
import logging

import pytest
from engine import echo_task, evaluate, load, train
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

import qlorakit as qk
from qlorakit.errors import ConfigurationError, DataError, ModelError
from qlorakit.kinds import multilabel
from qlorakit.task import Metric, Output


@pytest.fixture(scope="module")
def unseen():
    words = {"up": "rise", "down": "fall", "flat": "was"}
    return [
        {"text": f"the company {words[label]} of number {index}", "label": label}
        for index in range(5)
        for label in ("up", "down", "flat")
    ]


@pytest.fixture(scope="module")
def tuned(base_folder, rows, task, tmp_path_factory):
    """A model that learned a little, so that it is right on some rows and wrong on others."""
    model, tokenizer, _ = train(base_folder, rows, task, tmp_path_factory.mktemp("tuned"), num_train_epochs=2)
    return model, tokenizer


@pytest.fixture(scope="module")
def report(tuned, rows, unseen, task):
    return evaluate(*tuned, unseen, task, baseline=True, shots=0, train_dataset=rows, resamples=500)


def answers(report, name):
    return [prediction[name]["value"] for prediction in report.predictions]


def truth(report):
    return [prediction["reference"] for prediction in report.predictions]


def test_the_baseline_is_what_the_base_alone_answers(base_folder, report, unseen, task):
    alone = evaluate(*load(base_folder), unseen, task)
    assert alone.systems[0].name == "base"
    assert [p["base"] for p in alone.predictions] == [p["base"] for p in report.predictions]
    assert alone.system("base").metrics["accuracy"].value == report.system("base").metrics["accuracy"].value


def test_the_adapter_is_on_again_after_the_baseline(tuned, report, unseen, task):
    assert answers(evaluate(*tuned, unseen, task), "tuned") == answers(report, "tuned")
    assert answers(report, "tuned") != answers(report, "base")


@pytest.mark.parametrize("name", ["tuned", "base", "majority", "tfidf"])
def test_the_numbers_are_those_of_scikit_learn(report, task, name):
    found, given = truth(report), answers(report, name)
    metrics = report.system(name).metrics
    assert metrics["accuracy"].value == pytest.approx(accuracy_score(found, given))
    assert metrics["macro_f1"].value == pytest.approx(f1_score(found, given, average="macro", zero_division=0))
    matrix = confusion_matrix(found, given, labels=list(task.labels))
    assert [list(line[:-1]) for line in report.system(name).confusion] == matrix.tolist()
    expected = precision_recall_fscore_support(found, given, labels=list(task.labels), zero_division=0)
    classes = report.system(name).classes
    assert [one.f1 for one in classes] == pytest.approx(list(expected[2]))
    assert [one.support for one in classes] == list(expected[3])


def test_every_interval_contains_its_value(report):
    for name in ("accuracy", "macro_f1"):
        for system in report.systems:
            estimate = system.metrics[name]
            assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
    assert report.system("tuned").metrics["accuracy"].low < report.system("tuned").metrics["accuracy"].high


def test_each_comparison_is_the_difference_to_the_first_system(report):
    assert [(one.system, one.against) for one in report.comparisons] == [
        ("tuned", "base"), ("tuned", "majority"), ("tuned", "tfidf"),
    ]  # fmt: skip
    for one in report.comparisons:
        first, other = (
            report.system("tuned").metrics["accuracy"].value,
            report.system(one.against).metrics["accuracy"].value,
        )
        difference = one.differences["accuracy"]
        assert difference.value == pytest.approx(first - other)
        assert difference.low <= difference.value <= difference.high
        assert 0 <= one.mcnemar.mid_p <= one.mcnemar.exact_p <= 1


def test_with_training_rows_there_are_cheap_baselines(report):
    assert [system.name for system in report.systems] == ["tuned", "base", "majority", "tfidf"]
    assert not any("train_dataset" in note for note in report.notes)


def test_the_majority_class_comes_from_the_training_rows(tuned, unseen, task):
    seen = [{"text": f"sales {index}", "label": "up" if index else "down"} for index in range(9)]
    assert set(answers(evaluate(*tuned, unseen, task, train_dataset=seen), "majority")) == {"up"}


def test_without_training_rows_a_note_says_what_is_missing(tuned, unseen, task):
    report = evaluate(*tuned, unseen, task)
    assert [system.name for system in report.systems] == ["tuned", "majority"]
    assert any("no train_dataset was given" in note for note in report.notes)


def test_rows_that_were_trained_on_are_counted(tuned, rows, unseen, task, report):
    mixed = evaluate(*tuned, [*unseen, *rows[:3]], task, train_dataset=rows)
    assert any("3 of 18 rows ask what a training row asks (row 16 first)" in note for note in mixed.notes)
    assert not any("ask what a training row asks" in note for note in report.notes)


def test_the_saved_report_holds_no_texts_unless_asked_for(tuned, report, rows, unseen, task, tmp_path):
    written = report.save(tmp_path / "report.json").read_text()
    assert not any(row["text"] in written for row in [*rows, *unseen])
    asked = evaluate(*tuned, unseen, task, include_text=True).save(tmp_path / "texts.json").read_text()
    assert all(row["text"] in asked for row in unseen)


def test_the_saved_report_of_free_text_holds_no_texts_unless_asked_for(base_folder, tmp_path):
    row = {"text": "sales rose", "answer": "a confidential answer"}
    settings = {"max_new_tokens": 2}
    report = evaluate(*load(base_folder), [row], echo_task(), **settings)
    assert row["answer"] not in report.save(tmp_path / "report.json").read_text()
    asked = evaluate(*load(base_folder), [row], echo_task(), include_text=True, **settings)
    assert row["answer"] in asked.save(tmp_path / "texts.json").read_text()


def test_nothing_that_is_logged_holds_a_rows_text(tuned, rows, unseen, task, caplog):
    with caplog.at_level(logging.DEBUG, logger="qlorakit"):
        evaluate(*tuned, [*unseen, rows[0]], task, train_dataset=rows, baseline=True)
    assert not any(row["text"] in caplog.text for row in [*rows, *unseen])


def test_the_report_says_how_it_was_measured(report, base_folder):
    settings = json.loads(json.dumps(report.to_dict()))["settings"]
    assert (settings["resamples"], settings["confidence"], settings["seed"]) == (500, 0.95, 0)
    assert settings["base"]["name"] == str(base_folder)
    assert settings["base"]["files"]
    assert len(settings["template"]) == len(settings["rows_fingerprint"]) == len(settings["train_fingerprint"]) == 64


def test_the_cost_of_asking_is_stated(report, tuned, unseen, task):
    cost = report.system("tuned").cost
    assert 0 < cost.tokens < cost.tokens_alone
    assert cost.seconds > 0
    assert cost.peak_bytes > 0
    assert report.system("majority").cost is None
    unshared = evaluate(*tuned, unseen, task, prefix_sharing="off").system("tuned").cost
    assert unshared.tokens >= unshared.tokens_alone == cost.tokens_alone


def test_the_same_seed_gives_the_same_report(tuned, unseen, task):
    first, second = (evaluate(*tuned, unseen, task).to_dict() for _ in range(2))
    for report in (first, second):
        for system in report["systems"]:
            system["cost"] = None
    assert first == second


def test_the_model_is_asked_the_same_whatever_the_budget(tuned, unseen, task):
    first, second = (evaluate(*tuned, unseen, task, token_budget=budget) for budget in (1, 5000))
    assert answers(first, "tuned") == answers(second, "tuned")


def test_free_text_is_generated_and_what_does_not_end_is_wrong(base_folder):
    rows = [{"text": "sales rose", "answer": "up"}, {"text": "sales fell", "answer": "down"}]
    report = evaluate(*load(base_folder), rows, echo_task(), max_new_tokens=2)
    assert report.system("base").invalid == 1.0
    assert report.system("base").metrics["accuracy"].value == 0
    assert [system.name for system in report.systems] == ["base"]


def test_an_answer_too_long_to_be_written_is_missed_and_no_error(base_folder):
    rows = [{"text": "sales rose", "answer": "up and down " * 100}, {"text": "sales fell", "answer": "down"}]
    report = evaluate(*load(base_folder), rows, echo_task(), max_new_tokens=2)
    assert report.system("base").metrics["accuracy"].value == 0


def test_an_invalid_answer_counts_as_wrong_and_as_no_class(tuned, unseen, task):
    class_of = task.parse
    strict = dataclasses.replace(task, parse=lambda *a: dataclasses.replace(class_of(*a), value=None))
    system = evaluate(*tuned, unseen, strict).system("tuned")
    assert (system.invalid, system.metrics["accuracy"].value, system.metrics["macro_f1"].value) == (1.0, 0, 0)
    assert [line[-1] for line in system.confusion] == [5, 5, 5]
    assert [one.predicted for one in system.classes] == [0, 0, 0]


def test_a_metric_without_counts_gets_an_interval_as_well(tuned, unseen, task):
    def compute(outputs, references, rows):
        return sum(output.value == reference for output, reference in zip(outputs, references, strict=True)) / len(rows)

    plain = dataclasses.replace(task, metrics=(Metric("plain", compute), *task.metrics))
    found = evaluate(*tuned, unseen, plain).system("tuned").metrics["plain"]
    assert found.low < found.value < found.high


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resamples": 10}, "resamples=10: an interval needs at least 100"),
        ({"confidence": 95}, "confidence=95: must be at least 0.5 and below 1"),
        ({"confidence": 0.3}, "confidence=0.3"),
        ({"confidence": 1.0}, "confidence=1.0"),
        ({"confidence": float("nan")}, "confidence=nan"),
        ({"token_budget": 0}, "token_budget=0"),
        ({"max_length": 0}, "max_length=0"),
        ({"seed": -1}, "seed=-1"),
    ],
)
def test_a_setting_out_of_range_is_refused(tuned, unseen, task, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        evaluate(*tuned, unseen, task, **settings)


def test_a_baseline_needs_an_adapter(base_folder, unseen, task):
    with pytest.raises(ConfigurationError, match="this model has no adapter"):
        evaluate(*load(base_folder), unseen, task, baseline=True)


@pytest.mark.parametrize(
    ("bad", "message"),
    [({"text": "up"}, "row 2: .*label"), ({"text": "up", "label": "upp"}, "row 2: .*Did you mean 'up'")],
)
def test_a_row_without_a_usable_label_is_named(tuned, unseen, task, bad, message):
    with pytest.raises(DataError, match=message):
        evaluate(*tuned, [unseen[0], bad], task)


def test_no_rows_are_an_error(tuned, task):
    with pytest.raises(DataError, match="there are none"):
        evaluate(*tuned, [], task)


@pytest.mark.parametrize(
    ("train_rows", "message"),
    [
        ([], "train_dataset: there are none"),
        ([{"text": "a", "label": "nonsense"}], "train_dataset, row 1: .*unknown label"),
        ([{"text": "a"}], "train_dataset, row 1: "),
    ],
)
def test_unusable_training_rows_are_named(tuned, unseen, task, train_rows, message):
    with pytest.raises(DataError, match=message):
        evaluate(*tuned, unseen, task, train_dataset=train_rows)


@pytest.mark.parametrize(
    "train_rows",
    [
        [{"text": "sales rose", "label": "up"}, {"text": "sales fell", "label": "up"}],  # one label
        [{"text": "1 2", "label": "up"}, {"text": "3 4", "label": "down"}],  # no word that TF-IDF would count
    ],
)
def test_training_rows_that_tfidf_cannot_learn_from_do_not_stop_an_evaluation(tuned, unseen, task, train_rows):
    report = evaluate(*tuned, unseen, task, train_dataset=train_rows)
    assert report.system("majority").metrics["accuracy"].value == pytest.approx(1 / 3)


def test_broken_weights_are_an_error(base_folder, unseen, task):
    model, tokenizer = load(base_folder)
    model.model.norm.weight.data[0] = float("inf")
    with pytest.raises(ModelError, match="not finite"):
        evaluate(model, tokenizer, unseen, task)


def test_rows_that_chose_the_checkpoint_are_counted(base_folder, rows, task, tmp_path):
    model, tokenizer, _ = train(base_folder, rows[:9], task, tmp_path, eval_dataset=rows[9:])
    notes = evaluate(model, tokenizer, rows[6:], task).notes
    assert any(f"{len(rows) - 9} of {len(rows) - 6} rows chose the checkpoint" in note for note in notes)


def test_an_untrained_adapter_and_few_rows_are_noted(adapted, rows, task):
    notes = " ".join(evaluate(*adapted, rows, task).notes)
    assert "the adapter is untrained" in notes
    assert f"only {len(rows)} rows" in notes


def test_an_adapter_asked_about_another_task_is_said(base_folder, rows, task, tmp_path, caplog):
    train(base_folder, rows, task, tmp_path)
    evaluate(*qk.load_adapter(tmp_path), rows, dataclasses.replace(task, name="toy/other"))
    assert "the adapter was trained for toy/direction and is asked about toy/other" in caplog.text


def test_shots_are_one_more_system(tuned, rows, unseen, task):
    report = evaluate(*tuned, unseen, task, baseline=True, shots=3, train_dataset=rows)
    assert [one.name for one in report.systems] == ["tuned", "base", "base with 3 shots", "majority", "tfidf"]
    assert report.system("base with 3 shots").cost.tokens > report.system("base").cost.tokens
    assert [one.against for one in report.comparisons] == ["base", "base with 3 shots", "majority", "tfidf"]


def test_four_shots_are_shown_where_base_and_training_rows_are_there(tuned, rows, unseen, task):
    report = evaluate(*tuned, unseen[:3], task, baseline=True, train_dataset=rows)
    assert [one.name for one in report.systems][:3] == ["tuned", "base", "base with 4 shots"]


def test_the_adapter_is_off_while_shots_are_shown(base_folder, tuned, rows, unseen, task):
    settings = {"shots": 3, "train_dataset": rows}
    alone = evaluate(*load(base_folder), unseen, task, **settings)
    report = evaluate(*tuned, unseen, task, **settings)
    assert answers(report, "base with 3 shots") == answers(alone, "base with 3 shots")


def test_shots_that_do_not_fit_are_left_out_and_said(tuned, rows, unseen, task):
    report = evaluate(*tuned, unseen, task, shots=15, train_dataset=rows, max_length=120)
    (name,) = [one.name for one in report.systems if "shots" in one.name]
    shown = int(name.split()[2])
    assert 0 < shown < 15
    assert any(f"only {shown} of 15 shots fit into the context of 120 tokens" in note for note in report.notes)


def test_where_no_shot_fits_there_is_no_such_system(tuned, rows, unseen, task):
    report = evaluate(*tuned, unseen, task, shots=2, train_dataset=rows, max_length=26)
    assert [one.name for one in report.systems] == ["tuned", "majority", "tfidf"]
    assert any("only 0 of 2 shots fit into the context of 26 tokens" in note for note in report.notes)


@pytest.mark.parametrize("settings", [{"shots": 2}, {"shots": -1}])
def test_shots_need_training_rows_and_a_sensible_number(tuned, unseen, task, settings):
    with pytest.raises(ConfigurationError, match=f"shots={settings['shots']}: shows so many rows of train_dataset"):
        evaluate(*tuned, unseen, task, **settings)


def test_slices_by_a_column_show_the_gap_between_its_values(tuned, unseen, task):
    rows = [{**row, "site": "north" if index % 3 else "south"} for index, row in enumerate(unseen * 5)]
    (site,) = [one for one in evaluate(*tuned, rows, task, slices=["site"]).slices if one.column == "site"]
    assert {one.value: one.rows for one in site.slices} == {"north": 50, "south": 25}
    values = [one.estimate.value for one in site.slices]
    assert site.gap.value == pytest.approx(max(values) - min(values))
    assert site.gap.low <= site.gap.value <= site.gap.high


def test_a_slice_of_an_unknown_column_is_refused_before_the_model_is_asked(tuned, unseen, task, monkeypatch):
    monkeypatch.setattr("qlorakit.evaluation.answer", None)
    with pytest.raises(ConfigurationError, match="no row has a column 'sight'; there are text, label, site"):
        evaluate(*tuned, [{**row, "site": 1} for row in unseen], task, slices=["sight"])


@pytest.fixture(scope="module")
def tagging():
    return multilabel("toy/tags", summary="Which?", instruction="the topics", labels=("profit", "sales"))


@pytest.fixture(scope="module")
def tagged():
    texts = ["profit rose", "sales rose", "profit and sales fell", "the company"]
    names = ("profit", "sales")
    return [
        {"text": f"{text} number {index}", "labels": [name for name in names if name in text]}
        for index in range(5)
        for text in texts
    ]


def test_thresholds_are_fitted_on_validation_rows_for_each_system(base_folder, tagging, tagged):
    report = evaluate(
        *load(base_folder), tagged[:8], tagging, train_dataset=tagged[8:14], validation_dataset=tagged[14:]
    )
    assert set(report.system("base").decision) == {"profit", "sales"}
    assert report.system("base").decision != tagging.decision.default
    assert not any("thresholds" in note for note in report.notes)


def test_thresholds_of_shots_are_fitted_on_rows_that_are_asked_after_them(base_folder, tagging, tagged):
    settings = {"shots": 2, "train_dataset": tagged[8:14]}
    model, tokenizer = load(base_folder)
    report = evaluate(model, tokenizer, tagged[:8], tagging, validation_dataset=tagged[14:], **settings)
    (name,) = [one.name for one in report.systems if "shots" in one.name]
    plain = evaluate(model, tokenizer, tagged[14:], tagging, **settings).predictions
    found = tagging.decision.fit(
        [Output(None, item[name]["scores"]) for item in plain], [tagging.reference(row) for row in tagged[14:]]
    )
    assert report.system(name).decision == pytest.approx(found)


def test_fitted_thresholds_do_not_depend_on_the_rows_that_are_evaluated(base_folder, tagging, tagged):
    model, tokenizer = load(base_folder)
    first, second = (
        evaluate(model, tokenizer, part, tagging, validation_dataset=tagged[14:]).system("base").decision
        for part in (tagged[:4], tagged[4:12])
    )
    assert first == second


def test_without_validation_rows_the_default_thresholds_are_said(base_folder, tagging, tagged):
    report = evaluate(*load(base_folder), tagged, tagging)
    assert report.system("base").decision == tagging.decision.default
    assert any("no validation_dataset was given" in note for note in report.notes)


def test_validation_rows_among_the_evaluated_ones_are_counted(base_folder, tagging, tagged):
    report = evaluate(*load(base_folder), tagged[:8], tagging, validation_dataset=tagged[6:])
    assert any("2 of 8 rows ask what a validation row asks" in note for note in report.notes)


def test_rows_of_one_document_are_resampled_together(tuned, unseen, task):
    grouped = dataclasses.replace(task, group=lambda row: row["document"])
    rows = [{**row, "document": index // 3} for index, row in enumerate(unseen)]
    alone, together = (evaluate(*tuned, rows, one).system("tuned").metrics["accuracy"] for one in (task, grouped))
    assert alone.value == together.value
    assert (alone.low, alone.high) != (together.low, together.high)
    assert any("the 15 rows belong to 5 groups" in note for note in evaluate(*tuned, rows, grouped).notes)
