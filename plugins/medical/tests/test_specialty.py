import csv
from collections import Counter

import numpy as np
import pytest
from helpers import DATA
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from qlorakit import audit, read_rows, split
from qlorakit.errors import ConfigurationError, DataError, PluginError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.task import Output
from qlorakit_medical.mtsamples import DOCUMENT_TYPES, KAGGLE_COLUMNS, ORGAN_SPECIALTIES, SPECIALTIES, merge_rows
from qlorakit_medical.organ_specialty import (
    COMMON_SPECIALTIES,
    ORGAN_SPECIALTY,
    organ_specialty_task,
    rows_of_one_specialty,
)
from qlorakit_medical.specialty import QUESTIONS, SPECIALTY, macro_f1_of, specialty_task

PUBLISHED = DATA / "mtsamples" / "mtsamples.csv"
published = pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"MTSamples are not at {PUBLISHED}")
TASKS = [SPECIALTY, ORGAN_SPECIALTY]
LINES = (
    ("Eye.", "Ophthalmology", "Eye", "PROCEDURE: Lens.", "ophthalmology, lens"),
    ("Eye.", "Surgery", "Eye", "PROCEDURE: Lens.", "surgery, lens"),
    ("Back.", "Neurosurgery", "Back", "PROCEDURE: Disc.", "neurosurgery, disc"),
    ("Back.", "Orthopedic", "Back", "PROCEDURE: Disc.", "orthopedic, disc"),
    ("Death.", "Autopsy", "Death", "BODY: Old.", "autopsy, body"),
    ("Snore.", "Sleep Medicine", "Snore", "STUDY: Apnea.", "sleep medicine, apnea"),
)


@pytest.fixture
def path(tmp_path):
    found = tmp_path / "mtsamples.csv"
    with found.open("w", encoding="utf-8", newline="") as file:
        header = ("description", "medical_specialty", "sample_name", "transcription", "keywords")
        csv.writer(file).writerows([header, *LINES])
    return found


@pytest.fixture
def unmerged():
    """The same lines in memory, where no reader merges them."""
    return [{"medical_specialty": f" {line[1]}", "transcription": line[3], "keywords": line[4]} for line in LINES]


@pytest.fixture
def write(tmp_path):
    def labelled(*labels, name="own.csv"):
        """A text for each group of labels, with a line and another patient for each text."""
        lines = [(f"STUDY: {place}.\nEnd.", label, place) for place, group in enumerate(labels) for label in group]
        with (tmp_path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("transcription", "medical_specialty", "patient"), *lines])
        return tmp_path / name

    return labelled


def made_up(count, labels):
    """Reports of as many words as tell them apart, of each label in turn."""
    words = [f"{start}{end}" for start in "bdfglmnprst" for end in ("ane", "elo", "ird", "om", "ut", "ack", "ish")]
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, 20)) for _ in range(count)]
    return [(text, labels[place % len(labels)]) for place, text in enumerate(texts)]


# Both tasks


def test_the_samples_have_every_label_and_look_like_reports():
    assert {label for row in SPECIALTY.samples for label in row["labels"]} == set(SPECIALTIES)
    assert all(60 <= len(row["text"].split()) <= 120 for row in SPECIALTY.samples)
    assert {row["label"] for row in ORGAN_SPECIALTY.samples} == set(COMMON_SPECIALTIES)
    kinds = [row for row in SPECIALTY.samples if {*row["labels"]} & {*DOCUMENT_TYPES}]
    assert sum(bool({*row["labels"]} & {*ORGAN_SPECIALTIES}) for row in kinds) > len(SPECIALTY.samples) / 2


def test_no_two_samples_are_near_duplicates():
    groups = near_duplicate_groups([row["text"] for row in SPECIALTY.samples], threshold=0.3)
    assert len(set(groups.tolist())) == len(SPECIALTY.samples) == 31


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_keywords_are_refused_as_the_text(task, path):
    with pytest.raises(ConfigurationError, match=r"refuses 'keywords' .* begin with the right specialty"):
        read_rows(path, task=task, columns={"text": "keywords"})


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_model_never_reads_keywords_name_or_description(task, path):
    with path.open("a", encoding="utf-8") as file:
        file.write("hushed,Urology,veiled,STUDY: Stone.,masked\n")
    row = read_rows(path, task=task).to_list()[-1]
    asked = " ".join(message.text for example in task.format(row) for message in example.messages)
    assert (row["description"], row["name"], row["keywords"]) == ("hushed", "veiled", "masked")
    assert "STUDY: Stone." in asked
    assert not any(word in asked for word in ("hushed", "veiled", "masked"))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_unmerged_rows_of_one_text_stay_on_one_side(task):
    label = task.columns[1].name
    rows = [{"text": text, label: name} for text, name in made_up(60, COMMON_SPECIALTIES)]
    rows += [{"text": row["text"].replace(" ", ",  "), label: "Urology"} for row in rows]
    found = [{task.group(row) for row in side} for side in split(rows, task=task, seed=0).values()]
    assert sum(map(len, found)) == len(set.union(*found)) == 60


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_so_many_rows_of_each_class_can_be_trained_on(task):
    label = task.columns[1].name
    rows = [{"text": text, label: name} for text, name in made_up(120, COMMON_SPECIALTIES[:4])]
    sides = split(rows, task=task, seed=0, rows_per_class=5)
    assert Counter(sides["train"][label]) == dict.fromkeys(COMMON_SPECIALTIES[:4], 5)


def test_several_labels_are_drawn_until_the_rarest_has_so_many():
    sets = [("Surgery", "Urology"), ("Surgery", "Neurology"), ("Surgery",), ("Letters", "Urology")]
    rows = [{"text": text, "labels": list(sets[place % 4])} for place, (text, _) in enumerate(made_up(240, sets))]
    sides = split(rows, task=SPECIALTY, seed=0, rows_per_class=6)
    counts = Counter(label for labels in sides["train"]["labels"] for label in labels)
    assert (counts["Letters"], counts["Neurology"]) == (6, 6)
    assert (counts["Urology"], counts["Surgery"], len(sides["train"])) == (6, 6, 12)
    plain = split(rows, task=SPECIALTY, seed=0)
    assert {side: sides[side]["text"] for side in ("validation", "test")} == {
        side: plain[side]["text"] for side in ("validation", "test")
    }


def test_a_label_with_too_few_rows_of_several_has_all_of_them():
    sets = [("Surgery", "Urology")] * 9 + [("Surgery", "Autopsy")]
    rows = [{"text": text, "labels": list(sets[place % 10])} for place, (text, _) in enumerate(made_up(200, sets))]
    train = split(rows, task=SPECIALTY, seed=0, rows_per_class=40)["train"]["labels"]
    assert Counter(map(tuple, train)) == {("Surgery", "Urology"): 40, ("Surgery", "Autopsy"): 14}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_rows_of_one_patient_can_be_kept_together(write, task):
    rows = read_rows(write(*[["Urology"], ["neurology"]] * 20), task=task).to_list()
    assert [row["patient"] for row in rows] == [str(place) for place in range(40)]
    rows = [{**row, "patient": str(place // 10)} for place, row in enumerate(rows)]
    sides = split(rows, task=task, seed=0, group_by="patient", near_duplicates=None, validation=0.25, test=0.25)
    found = [set(side["patient"]) for side in sides.values()]
    assert sum(map(len, found)) == len(set.union(*found)) == 4


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_texts_of_a_published_file_without_labels_can_be_predicted(write, task):
    rows = read_rows(write([""], ["nan"]), task=task, labelled=False).to_list()
    assert [row[task.columns[1].name] for row in rows] == [None, None]
    with pytest.raises(DataError, match=r"own\.csv, line 2"):
        read_rows(write([""], ["Urology"]), task=task)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_misspelt_specialty_is_named_and_one_in_other_case_is_not(write, task):
    rows = read_rows(write(["urology"], ["UROLOGY"], ["Urology", "urology"]), task=task).to_list()
    assert {task.reference(row) for row in rows} <= {"Urology", ("Urology",)}
    assert len(rows) == 3
    with pytest.raises(DataError, match=r"own\.csv, line 4: .*unknown label 'Urolgy'"):
        read_rows(write(["Urology"], ["Urolgy", "Neurology"]), task=task)


# Specialty


def test_lines_of_one_text_become_a_row_with_its_specialties(path):
    rows = read_rows(path, task=SPECIALTY).to_list()
    assert [SPECIALTY.reference(row) for row in rows] == [
        ("Ophthalmology", "Surgery"), ("Neurosurgery", "Orthopedic"), ("Autopsy",), ("Sleep Medicine",),
    ]  # fmt: skip


def test_rows_in_memory_are_read_line_by_line_until_they_are_merged(unmerged, path):
    rows = read_rows(unmerged, task=SPECIALTY).to_list()
    assert [SPECIALTY.reference(row) for row in rows] == [(line[1],) for line in LINES]
    assert len({SPECIALTY.group(row) for row in rows}) == 4
    merged = read_rows(merge_rows(unmerged), task=SPECIALTY)
    assert merged["labels"] == read_rows(path, task=SPECIALTY)["labels"]


def test_kaggles_form_is_read_as_the_other(path, tmp_path):
    kaggle = tmp_path / "kaggle.csv"
    with kaggle.open("w", encoding="utf-8", newline="") as file:
        lines = [(line[0], f" {line[1]}", line[2], line[3].replace(": ", ":,  "), line[4]) for line in LINES]
        csv.writer(file).writerows([KAGGLE_COLUMNS, *((place, *line) for place, line in enumerate(lines))])
    assert read_rows(kaggle, task=SPECIALTY).to_list() == read_rows(path, task=SPECIALTY).to_list()


def test_an_unknown_specialty_is_named_with_its_line(path):
    with path.open("a", encoding="utf-8") as file:
        file.write("x,Cardiolgy,x,STUDY: Beat.,x\n")
    with pytest.raises(DataError, match=r"mtsamples\.csv, line 8: .*unknown label 'Cardiolgy'"):
        read_rows(path, task=SPECIALTY)


def test_all_labels_are_choices_of_one_question_and_those_of_the_row_are_right():
    (example,) = SPECIALTY.format({"text": "PLAN: Rest.", "labels": ["urology", "Letters"]})
    assert example.choices == (*SPECIALTIES, "none")
    assert example.right == ("Letters", "Urology")


def test_each_question_tells_kinds_of_reports_from_fields():
    examples = specialty_task("questions").format({"text": "PLAN: Rest.", "labels": ["Letters", "Urology"]})
    asked = {example.key: example.messages[1].text.split("\n\n")[-1] for example in examples}
    assert asked == {label: QUESTIONS[label] for label in SPECIALTIES}
    assert {label for label in asked if asked[label].startswith("Is it ")} == set(DOCUMENT_TYPES)
    assert {label for label in asked if "field of" in asked[label]} == set(ORGAN_SPECIALTIES)
    assert {example.key for example in examples if example.target == "yes"} == {"Letters", "Urology"}
    assert len(set(asked.values())) == 40


def test_no_class_of_reports_without_labels_is_measured():
    assert not any("none" in metric.name for metric in SPECIALTY.metrics)
    assert len(SPECIALTY.classes([Output(())], [SPECIALTIES])) == 40


def test_being_right_about_kinds_alone_is_worth_nothing_among_fields():
    references = [("Surgery", "Urology"), ("Letters", "Neurology")]
    outputs = [Output(("Surgery", "Dentistry")), Output(("Letters",))]
    found = {metric.name: metric.compute(outputs, references, [{}] * 2) for metric in SPECIALTY.metrics[:3]}
    assert found == {"multilabel_macro_f1": 2 / 5, "organ_macro_f1": 0.0, "document_macro_f1": 1.0}


def test_an_invalid_answer_misses_the_labels_of_its_row():
    metric = macro_f1_of("x", ["Surgery", "Letters"])
    assert metric.compute([Output(None), Output(("Letters",))], [("Surgery",), ("Letters",)], [{}] * 2) == 0.5
    assert metric.compute([Output(("Sugery", "Letters"))], [("Letters",)], [{}]) == 0


label_sets = st.lists(st.sampled_from(SPECIALTIES[:8]), unique=True).map(tuple)


@given(pairs=st.lists(st.tuples(label_sets, st.none() | label_sets), min_size=1, max_size=20))
def test_a_macro_f1_over_some_labels_is_scikit_learns_over_their_columns_by_both_ways(pairs):
    some = SPECIALTIES[2:6]
    metric = macro_f1_of("some", some)
    outputs, references = [Output(answer) for _, answer in pairs], [truth for truth, _ in pairs]
    true, answered = (
        np.array([[label in (x or ()) for label in some] for x in side]) for side in zip(*pairs, strict=True)
    )
    occurring = np.flatnonzero((true | answered).any(axis=0))
    expected = f1_score(true, answered, labels=occurring, average="macro", zero_division=0) if occurring.size else 0.0
    assert metric.compute(outputs, references, [{}] * len(pairs)) == pytest.approx(expected)
    totals = np.sum([metric.counts(*pair, {}) for pair in zip(outputs, references, strict=True)], axis=0)
    assert metric.from_counts(totals[None])[0] == pytest.approx(expected)


def test_an_audit_of_unmerged_lines_names_keywords_as_a_leak():
    rows = [
        {"text": text, "label": name, "keywords": f"{name.casefold()}, {text[:12]}"}
        for text, name in made_up(90, COMMON_SPECIALTIES[:5])
    ]
    found = audit(rows, ORGAN_SPECIALTY, quick=True)
    (leak,) = [one for one in found.findings if one.code == "leaking_column"]
    assert "'keywords' gives the label away: it begins with it" in leak.title


# Organ specialty


def test_texts_of_one_organ_specialty_are_read_and_the_others_counted(path, caplog):
    (row,) = read_rows(path, task=ORGAN_SPECIALTY).to_list()
    assert (row["text"], row["label"]) == ("PROCEDURE: Lens.", "Ophthalmology")
    for reason in ("several organ specialties", "no organ specialty", "an organ specialty that is none of the labels"):
        assert f"left out 1 texts with {reason}" in caplog.text
    assert "Disc" not in caplog.text


def test_two_fields_in_any_case_are_several(write, caplog):
    (row,) = read_rows(write(["urology", "NEUROLOGY"], ["Surgery", "neurology"]), task=ORGAN_SPECIALTY).to_list()
    assert (row["label"], row["patient"]) == ("Neurology", "1")
    assert "left out 1 texts with several organ specialties" in caplog.text


def test_rows_in_memory_are_chosen_as_those_of_a_file(unmerged, path, caplog):
    (row,) = read_rows(rows_of_one_specialty(merge_rows(unmerged)), task=ORGAN_SPECIALTY).to_list()
    (wanted,) = read_rows(path, task=ORGAN_SPECIALTY).to_list()
    assert (row["text"], row["label"]) == (wanted["text"], wanted["label"])
    assert "the rows: left out 1 texts with several organ specialties" in caplog.text


def test_other_specialties_can_be_chosen(path):
    task = organ_specialty_task(["Sleep Medicine", "Ophthalmology"])
    assert [row["label"] for row in read_rows(path, task=task)] == ["Ophthalmology", "Sleep Medicine"]
    assert task.labels == ("Sleep Medicine", "Ophthalmology")


@pytest.mark.parametrize("label", ["Surgery", "Sleep medicin"])
def test_what_is_no_organ_specialty_cannot_be_chosen(label):
    with pytest.raises(PluginError, match=f"labels: '{label}' is no organ specialty"):
        organ_specialty_task(["Urology", label])


# The published file


@published
def test_a_random_split_of_the_lines_leaks_and_this_one_does_not():
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        lines = [{"text": line["transcription"], "labels": line["medical_specialty"]} for line in csv.DictReader(file)]
    texts = np.random.default_rng(0).permutation([line["text"] for line in lines])
    fifth = len(texts) // 5
    assert np.isin(texts[:fifth], texts[fifth:]).mean() == pytest.approx(0.81, abs=0.02)
    some = set(texts[:200].tolist())
    sides = split([line for line in lines if line["text"] in some], task=SPECIALTY, seed=0).values()
    assert sum(map(len, sides)) > 2 * len(some)
    assert sum(len(set(side["text"])) for side in sides) == len(some)


@published
def test_eleven_specialties_have_fifty_texts_of_their_own():
    every = organ_specialty_task(tuple(ORGAN_SPECIALTIES))
    counts = Counter(read_rows(PUBLISHED, task=every)["label"])
    assert sum(counts.values()) == 1764
    assert {label for label, count in counts.items() if count >= 50} == set(COMMON_SPECIALTIES)
    assert max(count for count in counts.values() if count < 50) == 42
    assert len(read_rows(PUBLISHED, task=ORGAN_SPECIALTY)) == 1494
