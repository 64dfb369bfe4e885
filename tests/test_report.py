import errno
import functools
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_samples import sample_report

from qlorakit.comparing import judge
from qlorakit.documents import ENDINGS
from qlorakit.errors import ConfigurationError, DataError, EvidenceError, OutputError, UnknownNameError
from qlorakit.kinds import single_label
from qlorakit.report import FORMAT, Comparison, Estimate, Report, System, format_p
from qlorakit.statistics import McNemar
from qlorakit.task import ClassScores

LABELS = ("down", "up")
CLASSES = (ClassScores("down", 0.611, 0.622, 0.633, 17, 18), ClassScores("up", 0.744, 0.755, 0.766, 23, 22))
TUNED = System(
    "tuned",
    {"macro_f1": Estimate(0.872, 0.841, 0.903), "log_loss": Estimate(0.385, 0.352, 0.414)},
    invalid=0.025,
    classes=CLASSES,
    confusion=((11, 5, 1), (4, 19, 0)),
)
BASE = System("base", {"macro_f1": Estimate(0.31, 0.29, 0.33), "log_loss": Estimate(0.82, 0.8, 0.84)}, invalid=0.0)


def difference(value, low, high, *, p=0.0004, against="base", alone=(9, 2)):
    differences, test = {"macro_f1": Estimate(value, low, high)}, McNemar(*(alone or (0, 0)), exact_p=p, mid_p=p)
    return Comparison("tuned", against, differences, test if alone else None, p, adjusted_p=p)


def sentence(comparison, *, higher_is_better=True):
    return comparison.sentence("macro_f1", higher_is_better=higher_is_better, confidence=0.95)


def report(**changes):
    fields = {
        "task": "toy/direction", "kind": "single label", "rows": 40, "labels": LABELS, "systems": (TUNED, BASE),
        "comparisons": (difference(0.562, 0.51, 0.61),),
        "predictions": (
            {"row_id": "a", "reference": "up", "tuned": {"right": True, "value": "up", "scores": {"up": 0.9}}},
        ),
        "notes": ("3 rows stood in the training data as well",),
        "settings": {"higher_is_better": {"macro_f1": True, "log_loss": False}, "confidence": 0.95, "seed": 0},
    }  # fmt: skip
    return Report(**{**fields, **changes})


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.8724, 0.84, 0.9031), "0.872 [0.840, 0.903]"),
        (Estimate(0.5, None, None), "0.500"),
        (Estimate(0.5, float("nan"), 0.6), "0.500"),
        (Estimate(None, None, None), "-"),
        (Estimate(float("nan"), float("nan"), float("nan")), "-"),
    ],
)
def test_an_estimate_is_written_as_far_as_it_is_known(estimate, text):
    assert str(estimate) == text


def test_a_clear_gain_is_said_to_beat():
    assert sentence(difference(0.05, 0.01, 0.09)) == (
        "tuned beats base by 0.050 macro_f1 (+0.010 to +0.090 at 95%), more than chance would explain; "
        "adjusted p < 0.001, McNemar's mid-p < 0.001"
    )


def test_a_clear_loss_is_said_to_lose():
    assert sentence(difference(-0.05, -0.09, -0.01, p=0.02)) == (
        "tuned loses to base by 0.050 macro_f1 (-0.090 to -0.010 at 95%), more than chance would explain; "
        "adjusted p = 0.020, McNemar's mid-p = 0.020"
    )


@pytest.mark.parametrize(("value", "verb"), [(0.05, "is ahead of"), (-0.05, "is behind")])
def test_an_interval_with_zero_is_said_to_be_chance_perhaps(value, verb):
    said = f"tuned {verb} base by 0.050 macro_f1 (-0.100 to +0.100 at 95%), which could be chance; adjusted p = 0.300"
    assert sentence(difference(value, -0.1, 0.1, p=0.3, alone=None)) == said


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.1), (-0.1, 0.0)])
def test_an_interval_that_ends_at_zero_could_be_chance(low, high):
    assert "could be chance" in sentence(difference((low + high) / 2, low, high))


def test_a_gain_that_does_not_bear_correction_could_be_chance():
    said = sentence(difference(0.6, 0.5, 0.8, p=0.125))
    assert said.startswith("tuned is ahead of base by 0.600")
    assert "which could be chance among several comparisons; adjusted p = 0.125" in said


@pytest.mark.parametrize("alone", [None, (0, 0)])
def test_mcnemar_is_left_out_where_it_says_nothing(alone):
    said = sentence(difference(0.6, 0.5, 0.8, alone=alone))
    assert said.startswith("tuned beats base by 0.600")
    assert said.endswith("more than chance would explain; adjusted p < 0.001")


def test_no_difference_is_said_to_be_equal():
    assert sentence(difference(0.0, -0.1, 0.1, p=1.0)).startswith("tuned equals base by 0.000 macro_f1")


def test_of_an_error_the_smaller_one_wins():
    assert sentence(difference(-0.05, -0.09, -0.01), higher_is_better=False).startswith("tuned beats base by 0.050")
    assert sentence(difference(0.05, 0.01, 0.09), higher_is_better=False).startswith("tuned loses to base by 0.050")


@pytest.mark.parametrize("ends", [(None, None), (float("nan"), float("nan"))])
def test_a_difference_without_an_interval_could_be_chance(ends):
    said = "tuned is ahead of base by 1.000 macro_f1 (no interval is known), which could be chance; adjusted p = 1.000"
    assert sentence(difference(1.0, *ends, p=1.0, alone=None)) == said


@pytest.mark.parametrize("value", [None, float("nan")])
def test_systems_without_a_value_cannot_be_compared(value):
    unknown = difference(value, value, value)
    assert sentence(unknown) == "tuned and base cannot be compared by macro_f1"
    assert report(comparisons=(unknown,)).headline() == "By macro_f1, tuned cannot be compared with base."


def test_the_summary_judges_by_the_first_metric():
    assert report().summary() == [sentence(difference(0.562, 0.51, 0.61)) + "."]


def test_the_headline_tells_what_is_beaten_from_what_could_be_chance():
    found = (
        difference(0.5, 0.4, 0.6, against="base"),
        difference(0.01, -0.1, 0.1, against="tfidf", p=0.4),
        difference(0.6, 0.5, 0.7, against="majority"),
    )
    said = "By macro_f1, tuned beats base and majority; it is ahead of tfidf, which could be chance."
    assert report(comparisons=found).headline() == said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (difference(0.1, 0.05, 0.15), "beats base."),
        (difference(0.1, -0.05, 0.25), "is ahead of base, which could be chance."),
        (
            difference(0.1, 0.05, 0.15, p=0.2),
            "is ahead of base, which could be chance among several comparisons.",
        ),
        (difference(-0.1, -0.15, -0.05, p=0.2), "loses to base."),
        (difference(-0.1, -0.25, 0.05), "is behind base, which could be chance."),
        (difference(0.0, 0.0, 0.0, p=1.0), "equals base."),
    ],
)
def test_the_headline_claims_no_more_than_interval_and_test_allow(found, said):
    assert report(comparisons=(found,)).headline() == f"By macro_f1, tuned {said}"


def test_the_headline_goes_from_what_is_beaten_to_what_is_not():
    found = (
        difference(None, None, None, against="e"), difference(-0.2, -0.3, -0.1, against="d"),
        difference(0.0, -0.1, 0.1, against="c"), difference(-0.1, -0.2, 0.1, against="b"),
        difference(0.2, 0.1, 0.3, against="a"),
    )  # fmt: skip
    said = (
        "tuned beats a; it equals c; it is behind b, which could be chance; it loses to d; it cannot be compared with e"
    )
    assert report(comparisons=found).headline() == f"By macro_f1, {said}."


def test_a_name_that_reads_like_several_is_in_quotes():
    found = (difference(0.5, 0.4, 0.6, against="base"), difference(0.5, 0.4, 0.6, against="base, 8 shots"))
    assert report(comparisons=found).headline() == "By macro_f1, tuned beats base and 'base, 8 shots'."


def test_the_headline_says_when_there_was_nothing_to_compare_with():
    said = "tuned reaches macro_f1 0.872 [0.841, 0.903]; it was compared with nothing."
    assert report(comparisons=()).headline() == said


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "p < 0.001"), (0.001, "p = 0.001"), (0.05, "p = 0.050"), (1.0, "p = 1.000")]
)
def test_a_p_value_is_written_with_three_digits(value, text):
    assert format_p(value) == text


def test_a_system_is_found_by_its_name():
    assert report().system("base") is BASE


def test_an_unknown_system_lists_what_is_there():
    with pytest.raises(UnknownNameError, match="the report has no system 'tfidf'; it has tuned, base"):
        report().system("tfidf")


def test_a_saved_report_holds_everything(tmp_path):
    path = report().save(tmp_path / "new" / "report.json")
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved == json.loads(json.dumps(report().to_dict()))
    assert saved["systems"][0]["metrics"]["macro_f1"] == {"value": 0.872, "low": 0.841, "high": 0.903}
    assert saved["systems"][0]["confusion"] == [[11, 5, 1], [4, 19, 0]]
    assert saved["predictions"][0]["tuned"]["scores"] == {"up": 0.9}


def test_a_saved_report_begins_with_its_sentences(tmp_path):
    saved = json.loads(report().save(tmp_path / "report.json").read_text(encoding="utf-8"))
    assert list(saved)[:3] == ["format", "headline", "summary"]
    assert saved["summary"] == report().summary()


def test_a_loaded_report_is_the_one_that_was_saved(tmp_path):
    made = sample_report(rows=60)
    assert Report.load(made.save(tmp_path / "report.json")) == made


def test_values_of_several_parts_are_loaded_as_they_were(tmp_path):
    said = {"right": False, "value": ("a", "b"), "scores": {"a": 0.9, "b": 0.8}}
    spans = ((0, 4, "ORG"), (7, 9, "PER"))
    made = report(predictions=({"row_id": "1", "reference": spans, "tuned": said},))
    loaded = Report.load(made.save(tmp_path / "report.json"))
    assert loaded.predictions[0]["tuned"]["value"] == ("a", "b")
    assert loaded.predictions[0]["reference"] == spans


def test_what_is_not_a_number_is_loaded_as_unknown(tmp_path):
    nan = float("nan")
    made = report(systems=(replace(TUNED, metrics={"macro_f1": Estimate(nan, nan, nan)}),), comparisons=())
    loaded = Report.load(made.save(tmp_path / "report.json"))
    assert loaded.systems[0].metrics["macro_f1"] == Estimate(None, None, None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ('{"format": NaN}', "it is not JSON"),
        ("[]", "it names no format"),
        ("{}", "it names no format"),
        ('{"format": true}', "it names no format"),
        (json.dumps({"format": FORMAT + 1}), "upgrade qlorakit to read it"),
        (json.dumps({"format": FORMAT - 1}), "evaluate again to compare with it"),
        (json.dumps({"format": FORMAT}), "is a damaged report: KeyError 'task'"),
    ],
)
def test_a_file_that_is_no_report_of_this_version_says_so(tmp_path, content, said):
    path = tmp_path / "report.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=rf"report\.json.*{said}"):
        Report.load(path)


def changed_file(folder, change, **changes):
    """The path of a saved report that somebody changed."""
    record = json.loads(json.dumps(report(**changes).to_dict()))
    change(record)
    path = folder / "report.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda found: found["systems"][0]["metrics"]["macro_f1"].pop("low"), "KeyError 'low'"),
        (lambda found: found["systems"][0]["metrics"]["macro_f1"].update(low="0.8"), "'0.8' stands where"),
        (lambda found: found["systems"][1]["metrics"].pop("log_loss"), "the systems have different metrics"),
        (lambda found: found["systems"].clear(), "no system was measured"),
        (lambda found: found["systems"][0]["confusion"][0].pop(), "a confusion does not fit the labels"),
        (lambda found: found["comparisons"][0]["differences"].clear(), "a comparison lacks macro_f1"),
        (lambda found: found["settings"].pop("confidence"), "KeyError 'confidence'"),
        (lambda found: found["settings"].update(higher_is_better={}), "how metrics are read"),
        (lambda found: found["predictions"][0].update(tuned="up"), "an answer is none"),
        (lambda found: found.update(predictions={}), "stands where"),
        (lambda found: found.update(rows=None), "stands where"),
    ],
)
def test_a_report_with_a_damaged_part_says_so(tmp_path, change, said):
    with pytest.raises(DataError, match=f"is a damaged report: .*{said}"):
        Report.load(changed_file(tmp_path, change))


def test_a_report_with_a_row_twice_says_which(tmp_path):
    path = changed_file(tmp_path, lambda found: found["predictions"].append({"row_id": "a"}))
    with pytest.raises(DataError, match="row id 'a' occurs 2 times"):
        Report.load(path)


def places_of(value, before=()):
    """Paths to everything in a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inside:
        yield (*before, name)
        yield from places_of(item, (*before, name))


RECORD = json.loads(json.dumps(sample_report(rows=12).to_dict()))
PLACES = [place for place in places_of(RECORD) if place[0] != "predictions" or place[1:2] in ((), (0,))]
JUNK = st.sampled_from([None, True, -1, 0.5, 10**400, "", "x", [], [1], {}, {"x": 1}, [[]], [{}]])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PLACES), JUNK, st.booleans())
def test_a_damaged_report_is_refused_or_can_still_be_shown(tmp_path_factory, place, junk, gone):
    record = json.loads(json.dumps(RECORD))
    parent = functools.reduce(lambda value, name: value[name], place[:-1], record)
    if gone:
        del parent[place[-1]]
    else:
        parent[place[-1]] = junk
    path = tmp_path_factory.mktemp("damaged") / "report.json"
    path.write_text(json.dumps(record), encoding="utf-8")
    try:
        loaded = Report.load(path)
    except DataError:
        return
    for ending in ENDINGS:
        loaded.save(path.with_suffix(ending))


def test_a_missing_report_says_so(tmp_path):
    with pytest.raises(DataError, match=r"none\.json cannot be read"):
        Report.load(tmp_path / "none.json")


def test_a_saved_report_keeps_letters_of_all_scripts(tmp_path):
    for name in ("report.json", "report.md", "report.html", "report.txt"):
        path = report(notes=("für Ärzte: 上昇",)).save(str(tmp_path / name))
        assert "für Ärzte: 上昇" in path.read_text(encoding="utf-8")


def test_a_report_replaces_an_older_one_and_leaves_nothing_else(tmp_path):
    for name in ("report.json", "report.html"):
        report(rows=1).save(tmp_path / name)
        report().save(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["rows"] == 40


@pytest.fixture
def full_disk(monkeypatch):
    really = Path.open

    def half(path, mode="r", *arguments, **settings):
        if mode != "x":
            return really(path, mode, *arguments, **settings)
        with really(path, mode, *arguments, **settings) as file:
            file.write("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "open", half)


@pytest.mark.parametrize("name", ["report.json", "report.html", "report.md", "report.txt"])
def test_a_write_that_fails_leaves_no_file(tmp_path, full_disk, name):
    with pytest.raises(OutputError, match="could not be written"):
        report().save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_older_report_alone(tmp_path, full_disk):
    (tmp_path / "report.json").write_bytes(b"older")
    with pytest.raises(OutputError):
        report().save(tmp_path / "report.json")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("report.json", "older")]


@pytest.mark.parametrize("name", ["report.json", "report.html"])
def test_a_report_cannot_replace_a_folder(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(OutputError, match="could not be written"):
        report().save(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_report_cannot_be_written_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="could not be written"):
        report().save(tmp_path / "file" / "report.json")


def test_a_value_that_json_cannot_hold_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match=r"report\.json"):
        report(predictions=({"row_id": "a", "reference": {1, 2}},)).save(tmp_path / "report.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["report.pdf", "report", "report.JSON.csv"])
def test_another_ending_is_refused(tmp_path, name):
    with pytest.raises(ConfigurationError, match=r"reports are saved as \.json, \.md, \.html, \.txt"):
        report().save(tmp_path / name)


@pytest.mark.parametrize("bound", [">=0.8", "> 0.87", ">=.8", ">=8e-1", 0.872, 0.5, 0])
def test_conditions_that_hold_pass(bound):
    report().require(macro_f1=bound, log_loss="<=0.4")


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"macro_f1": ">=0.9"}, r"macro_f1 is 0\.872 \[0\.841, 0\.903\], which is not >= 0\.9"),
        ({"macro_f1": 0.9}, "which is not >= 0.9"),
        ({"log_loss": 0.1}, "which is not <= 0.1"),
        ({"macro_f1": "<0.1", "log_loss": ">9"}, "macro_f1 .*; log_loss "),
    ],
)
def test_a_condition_that_does_not_hold_raises_with_the_evidence(conditions, said):
    with pytest.raises(EvidenceError, match=rf"toy/direction, tuned on 40 rows: .*{said}"):
        report().require(**conditions)


def test_a_metric_without_a_value_meets_no_condition():
    unknown = replace(TUNED, metrics={**TUNED.metrics, "macro_f1": Estimate(None, None, None)})
    with pytest.raises(EvidenceError, match="macro_f1 has no value, which is not >= 0"):
        report(systems=(unknown,)).require(macro_f1=">=0")


@pytest.mark.parametrize("bound", ["0.8", "about 0.8", ">=", "=>0.8", ">=0.8.1", ">=."])
def test_a_condition_that_cannot_be_read_is_refused(bound):
    with pytest.raises(ConfigurationError, match=r"is no condition; write it like macro_f1='>=0\.8'"):
        report().require(macro_f1=bound)


def test_a_condition_on_an_unknown_metric_names_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"no metric 'macrof1'; it has macro_f1, log_loss\. Did you mean"):
        report().require(macrof1=0.5)


def test_requiring_nothing_is_refused():
    with pytest.raises(ConfigurationError, match="nothing is required"):
        report().require()


COIN = single_label("toy/coin", summary="heads or tails", instruction="Say heads or tails.", labels=("heads", "tails"))
TOSSES = [{"id": str(place), "text": "?", "label": COIN.labels[place % 2]} for place in range(100)]


def judged(mistakes, rows=TOSSES, *, name="tuned"):
    """A report on answers of which the first ones are wrong."""
    answers = [COIN.labels[(int(row["id"]) + (place < mistakes)) % 2] for place, row in enumerate(rows)]
    return judge(answers, rows, task=COIN, name=name, resamples=200)


@pytest.mark.parametrize("rows", [TOSSES[:1], TOSSES[::2]])
def test_one_row_and_rows_of_one_class_are_shown_in_every_format(tmp_path, rows):
    probabilities = [{"heads": 0.7, "tails": 0.3} for _ in rows]
    made = judge(["heads"] * len(rows), rows, task=COIN, probabilities=probabilities, resamples=200)
    for ending in ENDINGS:
        assert "nan" not in made.save(tmp_path / f"report{ending}").read_text(encoding="utf-8").lower()
    assert str(Report.load(tmp_path / "report.json")) == str(made)


def test_a_probability_that_is_not_a_number_is_saved_as_unknown(tmp_path):
    wrong = {"right": False, "value": "up", "scores": {"up": float("nan"), "down": 0.5}}
    made = report(predictions=({"row_id": "a", "reference": "down", "tuned": wrong},))
    loaded = Report.load(made.save(tmp_path / "report.json"))
    assert loaded.predictions[0]["tuned"]["scores"] == {"up": None, "down": 0.5}
    assert str(loaded) == str(made)


@pytest.mark.parametrize(("now", "before"), [(5, 5), (5, 40), (8, 5)])
def test_what_is_not_clearly_worse_than_before_passes(now, before):
    judged(now).require(no_worse_than=judged(before), task=COIN)


def test_what_is_clearly_worse_than_before_raises_with_the_evidence():
    said = (
        r"toy/coin, tuned on 100 rows: on the 60 rows of both, this one loses to the one before by 0\.\d+ macro_f1 \("
    )
    with pytest.raises(EvidenceError, match=said):
        judged(40).require(no_worse_than=judged(2, TOSSES[:60]), task=COIN)


def test_a_saved_report_can_be_what_was_before(tmp_path):
    before = Report.load(judged(2).save(tmp_path / "before.json"))
    judged(2).require(no_worse_than=before, task=COIN)
    with pytest.raises(EvidenceError):
        judged(40).require(macro_f1=">=0.1", no_worse_than=before, task=COIN)


def test_a_gate_that_cannot_compare_does_not_pass(monkeypatch):
    monkeypatch.setattr(Comparison, "verdict", lambda *_, **__: None)
    with pytest.raises(EvidenceError, match="this one and the one before cannot be compared by macro_f1"):
        judged(5).require(no_worse_than=judged(5), task=COIN)


def test_a_gate_needs_rows_in_common():
    with pytest.raises(DataError, match="no row in common"):
        judged(5, TOSSES[:50]).require(no_worse_than=judged(5, TOSSES[50:]), task=COIN)
