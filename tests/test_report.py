import errno
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from qlorakit.display import as_text
from qlorakit.errors import ConfigurationError, OutputError
from qlorakit.metrics import ClassScores
from qlorakit.report import Comparison, Estimate, Report, System, format_p

LABELS = ("down", "up")
CLASSES = (ClassScores("down", 0.611, 0.622, 0.633, 17, 18), ClassScores("up", 0.744, 0.755, 0.766, 23, 22))
TUNED = System(
    "tuned",
    {"macro_f1": Estimate(0.872, 0.841, 0.903), "accuracy": Estimate(0.885, 0.852, 0.914)},
    invalid=0.025,
    classes=CLASSES,
    confusion=((11, 5, 1), (4, 19, 0)),
    seconds=12.34,
    tokens=4096,
)
BASE = System("base", {"macro_f1": Estimate(0.31, 0.29, 0.33), "accuracy": Estimate(0.42, 0.4, 0.44)}, invalid=0.0)


def difference(value, low, high, *, p=0.0004):
    return Comparison("tuned", "base", {"macro_f1": Estimate(value, low, high)}, mcnemar_p=p)


def sentence(comparison, *, higher_is_better=True):
    return comparison.sentence("macro_f1", higher_is_better=higher_is_better, confidence=0.95)


def report(**changes):
    fields = {
        "task": "toy/direction", "rows": 40, "labels": LABELS, "systems": (TUNED, BASE),
        "comparisons": (difference(0.562, 0.51, 0.61),),
        "predictions": ({"id": "a", "reference": "up", "tuned": {"value": "up", "scores": {"up": 0.9, "down": 0.1}}},),
        "notes": ("3 rows stood in the training data as well",),
        "settings": {"higher_is_better": {"macro_f1": True, "accuracy": True}, "confidence": 0.95, "seed": 0},
    }  # fmt: skip
    return Report(**{**fields, **changes})


def text_of(made):
    return " ".join(str(made).split())


def lines_with(made, word):
    return [re.sub(r"[│┃]", " ", line).split() for line in str(made).splitlines() if word in line]


def test_the_text_holds_every_number_of_the_metrics():
    text = text_of(report())
    for number in ("0.872 [0.841, 0.903]", "0.885 [0.852, 0.914]", "0.310 [0.290, 0.330]", "0.420 [0.400, 0.440]"):
        assert number in text
    assert "2.5%" in text
    assert "12.3" in text


def test_the_text_names_task_rows_and_confidence():
    text = text_of(report())
    assert "toy/direction: 40 rows" in text
    assert "95% bootstrap interval" in text


def test_the_text_shows_precision_recall_f1_and_rows_of_each_class():
    found = lines_with(report(), "down") + lines_with(report(), "up")
    assert ["down", "0.611", "0.622", "0.633", "17"] in found
    assert ["up", "0.744", "0.755", "0.766", "23"] in found


def test_the_text_shows_the_confusion_with_invalid_answers_last():
    assert ["down", "11", "5", "1"] in lines_with(report(), "down")
    assert ["up", "4", "19", "0"] in lines_with(report(), "up")
    assert "down up invalid" in text_of(report()).replace("│", " ").replace("┃ ", "").replace("  ", " ")


def test_the_text_begins_with_the_sentences_and_ends_with_the_notes():
    text = text_of(report())
    assert text.startswith("tuned beats base by 0.562 macro_f1")
    assert text.endswith("Note: 3 rows stood in the training data as well")


def test_of_many_labels_the_commonest_confusions_are_named():
    labels = tuple(f"a label of some length {index}" for index in range(40))
    confusion = tuple(tuple(9000 if i == j else 41 * i + j for j in range(41)) for i in range(40))
    text = str(report(labels=labels, systems=(replace(TUNED, classes=None, confusion=confusion), BASE)))
    lines = [line.split() for line in text.splitlines()]
    assert ["│", *labels[39].split(), "│", "invalid", "│", "1639", "│"] in lines
    assert ["│", *labels[39].split(), "│", *labels[38].split(), "│", "1637", "│"] in lines
    assert "9000" not in text  # right answers are no confusion


def test_the_numbers_of_many_metrics_are_all_there():
    metrics = {f"a_metric_of_some_length_{i}": Estimate(i / 10, i / 10 - 0.012, i / 10 + 0.013) for i in range(1, 8)}
    changed = replace(TUNED, metrics=metrics)
    made = report(
        systems=(changed,),
        comparisons=(),
        settings={**report().settings, "higher_is_better": dict.fromkeys(metrics, True)},
    )
    assert all(
        f"{estimate.value:.3f}" in str(made) and f"{estimate.high:.3f}" in str(made) for estimate in metrics.values()
    )


def test_a_report_without_classes_or_notes_is_just_the_metrics():
    plain = report(systems=(replace(TUNED, classes=None, confusion=None), BASE), labels=None, notes=())
    assert "per class" not in str(plain)
    assert "confusion" not in str(plain)
    assert "Note" not in str(plain)


@pytest.mark.parametrize("label", ["[red]", "[/]", "[bold]up[/bold]", ":warning:", "a|b", "[link=x]"])
def test_a_label_prints_literally(label):
    classes = (replace(CLASSES[0], label=label), CLASSES[1])
    made = report(labels=(label, "up"), systems=(replace(TUNED, classes=classes), BASE))
    assert str(made).count(label) == 3


@pytest.mark.parametrize("note", ["[red] labels", "a column [text]", ":warning:"])
def test_a_note_prints_literally(note):
    assert note in text_of(report(notes=(note,)))


def test_the_text_has_no_colours():
    assert "\x1b" not in str(report())
    assert "\x1b" not in as_text("[red]a")


def test_a_clear_gain_is_said_to_beat():
    assert sentence(difference(0.05, 0.01, 0.09)) == (
        "tuned beats base by 0.050 macro_f1 (+0.010 to +0.090 at 95%), more than chance would explain; "
        "McNemar p < 0.001"
    )


def test_a_clear_loss_is_said_to_lose():
    assert sentence(difference(-0.05, -0.09, -0.01, p=0.02)) == (
        "tuned loses to base by 0.050 macro_f1 (-0.090 to -0.010 at 95%), more than chance would explain; "
        "McNemar p = 0.020"
    )


@pytest.mark.parametrize("value", [0.05, -0.05])
def test_an_interval_with_zero_is_said_to_be_chance_perhaps(value):
    assert "which could be chance: the interval of the difference has 0" in sentence(difference(value, -0.1, 0.1))


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.1), (-0.1, 0.0)])
def test_an_interval_that_ends_at_zero_could_be_chance(low, high):
    assert "could be chance" in sentence(difference((low + high) / 2, low, high))


def test_no_difference_is_said_to_be_equal():
    assert sentence(difference(0.0, -0.1, 0.1, p=1.0)).startswith("tuned equals base by 0.000 macro_f1")


def test_of_an_error_the_smaller_one_wins():
    assert sentence(difference(-0.05, -0.09, -0.01), higher_is_better=False).startswith("tuned beats base by 0.050")
    assert sentence(difference(0.05, 0.01, 0.09), higher_is_better=False).startswith("tuned loses to base by 0.050")


def test_the_summary_judges_by_the_first_metric():
    assert report().summary() == [sentence(difference(0.562, 0.51, 0.61)) + "."]


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "p < 0.001"), (0.001, "p = 0.001"), (0.05, "p = 0.050"), (1.0, "p = 1.000")]
)
def test_a_p_value_is_written_with_three_digits(value, text):
    assert format_p(value) == text


def test_a_system_is_found_by_its_name():
    assert report().system("base") is BASE


def test_an_unknown_system_lists_what_is_there():
    with pytest.raises(ConfigurationError, match="the report has no system 'tfidf'; it has tuned, base"):
        report().system("tfidf")


def test_a_saved_report_holds_everything(tmp_path):
    path = report().save(tmp_path / "new" / "report.json")
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved == json.loads(json.dumps(report().to_dict()))
    assert saved["systems"][0]["metrics"]["macro_f1"] == {"value": 0.872, "low": 0.841, "high": 0.903}
    assert saved["systems"][0]["confusion"] == [[11, 5, 1], [4, 19, 0]]
    assert saved["predictions"][0]["tuned"]["scores"] == {"up": 0.9, "down": 0.1}


def test_a_saved_report_begins_with_its_sentences(tmp_path):
    saved = json.loads(report().save(tmp_path / "report.json").read_text())
    assert list(saved)[:2] == ["format", "summary"]
    assert saved["summary"] == report().summary()


def test_a_saved_report_keeps_letters_of_all_scripts(tmp_path):
    path = report(notes=("für Ärzte: 上昇",)).save(str(tmp_path / "report.json"))
    assert "für Ärzte: 上昇" in path.read_text(encoding="utf-8")


def test_a_report_replaces_an_older_one_and_leaves_nothing_else(tmp_path):
    report(rows=1).save(tmp_path / "report.json")
    report().save(tmp_path / "report.json")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
    assert json.loads((tmp_path / "report.json").read_text())["rows"] == 40


@pytest.fixture
def full_disk(monkeypatch):
    def write_text(path, text, **_):
        with path.open("w") as file:
            file.write(text[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_text", write_text)


def test_a_write_that_fails_leaves_no_file(tmp_path, full_disk):
    with pytest.raises(OutputError, match=r"report\.json could not be written"):
        report().save(tmp_path / "report.json")
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_older_report_alone(tmp_path, full_disk):
    (tmp_path / "report.json").write_bytes(b"older")
    with pytest.raises(OutputError):
        report().save(tmp_path / "report.json")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("report.json", "older")]


def test_a_report_cannot_replace_a_folder(tmp_path):
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OutputError, match="could not be written"):
        report().save(tmp_path / "report.json")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_report_cannot_be_written_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        report().save(tmp_path / "file" / "report.json")


def test_a_value_that_json_cannot_hold_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match=r"report\.json"):
        report(predictions=({"id": "a", "reference": {1, 2}},)).save(tmp_path / "report.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["report.html", "report", "report.JSON.txt"])
def test_another_ending_is_refused(tmp_path, name):
    with pytest.raises(ConfigurationError, match=r"reports are saved as \.json"):
        report().save(tmp_path / name)


def test_an_interval_that_mcnemar_does_not_confirm_rules_out_no_chance():
    clear = {"macro_f1": Estimate(0.6, 0.5, 0.8)}
    said = Comparison("tuned", "base", clear, 0.125).sentence("macro_f1", higher_is_better=True, confidence=0.95)
    assert "McNemar's test of right answers does not confirm; McNemar p = 0.125" in said
    assert "more than chance" not in said
