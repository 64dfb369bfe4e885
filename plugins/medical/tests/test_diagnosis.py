import csv
from collections import Counter, defaultdict

import pytest
from helpers import DATA

from qlorakit import read_rows, split
from qlorakit.errors import DataError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.task import Output
from qlorakit_medical import diagnosis
from qlorakit_medical.diagnosis import DIAGNOSIS, LABELS, SYMPTOM2DISEASE

PUBLISHED = DATA / "symptom2disease" / "Symptom2Disease.csv"
published = pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"Symptom2Disease is not at {PUBLISHED}")
HEADER = "index,label,text\n"


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="Symptom2Disease.csv"):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8", newline="")
        return read_rows(path, task=DIAGNOSIS).to_list()

    return write_and_read


# The task


def test_there_are_two_samples_of_every_disease():
    assert Counter(map(DIAGNOSIS.reference, DIAGNOSIS.samples)) == dict.fromkeys(LABELS, 2)


def test_no_two_samples_are_near_duplicates_and_none_names_its_disease():
    groups = near_duplicate_groups([row["text"] for row in DIAGNOSIS.samples], threshold=0.5)
    assert len(set(groups.tolist())) == len(DIAGNOSIS.samples) == 48
    assert not [row for row in DIAGNOSIS.samples if row["label"] in row["text"].casefold()]


def test_the_samples_are_enough_for_a_split_that_trains_on_every_disease():
    assert set(split(DIAGNOSIS.samples, task=DIAGNOSIS, seed=0)["train"]["label"]) == set(LABELS)


def test_the_labels_are_in_one_spelling():
    assert len(LABELS) == 24
    assert all(label == label.lower() for label in LABELS)
    assert list(LABELS) == sorted(LABELS)


def test_top_3_accuracy_is_measured_and_counts_near_misses():
    (metric,) = [metric for metric in DIAGNOSIS.metrics if metric.name == "top_3_accuracy"]
    ranked = dict.fromkeys(LABELS, 0.0) | {"dengue": 0.5, "malaria": 0.3, "typhoid": 0.2}
    assert metric.compute([Output("dengue", ranked)] * 2, ["typhoid", "acne"], [{}] * 2) == 0.5


def test_what_it_may_not_be_used_for_is_said():
    assert "no diagnosis" in diagnosis.__doc__
    assert "must not be used on patients" in diagnosis.__doc__.replace("\n", " ")
    assert "no diagnosis of patients" in DIAGNOSIS.summary


def test_the_licence_is_said_not_to_be_verified():
    assert DIAGNOSIS.datasets == (SYMPTOM2DISEASE,)
    assert "not verified" in SYMPTOM2DISEASE.licence
    assert SYMPTOM2DISEASE.traps


# Files


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("Psoriasis", "psoriasis"),
        ("urinary tract infection", "urinary tract infection"),
        ("Urinary Tract Infection", "urinary tract infection"),
        ("Dimorphic Hemorrhoids", "dimorphic hemorrhoids"),
        ("haemorrhoids", "dimorphic hemorrhoids"),
        ("Chicken pox", "chicken pox"),
        ("Chickenpox", "chicken pox"),
        ("GERD", "gastroesophageal reflux disease"),
        ("uti", "urinary tract infection"),
        ("Typhoid fever", "typhoid"),
    ],
)
def test_diseases_are_known_however_they_are_spelt(read, written, label):
    (row,) = read(f"{HEADER}0,{written},My knee hurts.\n")
    assert DIAGNOSIS.reference(row) == label


@pytest.mark.parametrize(("text", "label"), [("input_text", "output_text"), ("Symptoms", "Disease")])
def test_tables_of_copies_are_read_by_their_column_names(read, text, label):
    (row,) = read(f"{text},{label}\nMy knee hurts.,Arthritis\n", "a.csv")
    assert (DIAGNOSIS.format(row)[0].messages[1].text, DIAGNOSIS.reference(row)) == ("My knee hurts.", "arthritis")


def test_white_space_around_a_text_is_not_asked(read):
    (row,) = read(f'{HEADER}0,Acne,"  It itches,\u00a0doesn\u2019t it. \u00a0"\n')
    assert DIAGNOSIS.format(row)[0].messages[1].text == "It itches,\u00a0doesn\u2019t it."


def test_texts_that_occur_twice_count_once_in_a_split(caplog):
    rows = [*DIAGNOSIS.samples, *DIAGNOSIS.samples[:5]]
    sides = split(rows, task=DIAGNOSIS, seed=0)
    assert sum(map(len, sides.values())) == 48
    assert "left out 5 repeated rows of 53" in caplog.text


def test_an_unknown_disease_is_named_with_its_line(read):
    with pytest.raises(DataError, match=r"line 2: .*unknown label 'Diabetis'.*'diabetes'\?"):
        read(f"{HEADER}0,Diabetis,I am thirsty.\n")


# The published file


@pytest.fixture(scope="module")
def rows():
    return read_rows(PUBLISHED, task=DIAGNOSIS).to_list()


@published
def test_the_published_file_holds_the_published_counts(rows):
    assert Counter(map(DIAGNOSIS.reference, rows)) == dict.fromkeys(LABELS, 50)
    assert sum(row["text"] != row["text"].strip() for row in rows) == 25
    with PUBLISHED.open(encoding="utf-8", newline="") as file:
        assert sum(row["label"] in LABELS for row in csv.DictReader(file)) == 6 * 50


@published
def test_forty_seven_published_texts_are_repeated_and_none_has_two_labels(rows):
    labels = defaultdict(set)
    for row in rows:
        labels[row["text"]].add(DIAGNOSIS.reference(row))
    assert len(rows) - len(labels) == 47
    assert {len(found) for found in labels.values()} == {1}


@published
def test_tfidf_nearly_solves_the_published_data_without_leaks(rows):
    sides = split(rows, task=DIAGNOSIS, seed=0)
    train, test = sides["train"].to_list(), sides["test"].to_list()
    outputs = DIAGNOSIS.baselines[1].answer(DIAGNOSIS, train, test)
    found = {m.name: m.compute(outputs, list(map(DIAGNOSIS.reference, test)), test) for m in DIAGNOSIS.metrics}
    assert found["accuracy"] > 0.94
    assert found["top_3_accuracy"] == 1
