import csv
import functools
import re
from collections import Counter, defaultdict

import pytest
from helpers import DATA
from hypothesis import given
from hypothesis import strategies as st

from qlorakit import baselines, read_rows, split
from qlorakit.errors import DataError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.rows import check_rows
from qlorakit.task import Output, Prediction
from qlorakit_medical.critical_errors import CRITICAL_METRICS
from qlorakit_medical.mts_dialog import CRYPTIC, MTS_DIALOG, SECTIONS
from qlorakit_medical.note import NOTE
from qlorakit_medical.section import LABELS, SECTION, SYNONYMS

PUBLISHED = DATA / "mts_dialog"
MTSAMPLES = DATA / "mtsamples" / "mtsamples.csv"
FILES = {
    "training": "MTS-Dialog-TrainingSet.csv",
    "validation": "MTS-Dialog-ValidationSet.csv",
    "test 1": "MTS-Dialog-TestSet-1-MEDIQA-Chat-2023.csv",
    "test 2": "MTS-Dialog-TestSet-2-MEDIQA-Sum-2023.csv",
}
published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"MTS-Dialog is not at {PUBLISHED}")
HEADER = "ID,section_header,section_text,dialogue"
TALK = "Doctor: Any allergies?\r\nPatient: Only penicillin. "


@pytest.fixture
def read(tmp_path):
    def write_and_read(*lines, task=SECTION, header=HEADER, name="MTS-Dialog-Part.csv", **keywords):
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8", newline="")
        return read_rows(path, task=task, **keywords).to_list()

    return write_and_read


def words(text):
    return " ".join(re.findall(r"\w+", text.casefold()))


# The tasks


@pytest.mark.parametrize("task", [SECTION, NOTE], ids=lambda task: task.name)
def test_the_samples_are_valid(task):
    check_rows(task.samples, task, labelled=True)
    assert len(task.samples) >= 12


@pytest.mark.parametrize("task", [SECTION, NOTE], ids=lambda task: task.name)
def test_no_two_samples_are_near_duplicates(task):
    groups = near_duplicate_groups([row["text"] for row in task.samples], threshold=0.8)
    assert len(set(groups.tolist())) == len(task.samples)


def test_there_are_two_sample_dialogues_of_every_section():
    counts = Counter(row["label"] for row in SECTION.samples)
    assert set(counts) == set(LABELS)
    assert min(counts.values()) >= 2


def test_the_section_samples_are_enough_for_a_split():
    assert set(split(SECTION.samples, task=SECTION, seed=0)) == {"train", "validation", "test"}


def test_the_instruction_names_every_section_and_explains_the_cryptic_ones():
    (example,) = SECTION.format(SECTION.samples[0])
    said = example.messages[0].text
    assert example.choices == LABELS
    assert all(label in said for label in LABELS)
    assert all(f"{label} ({SECTIONS[label]})" in said for label in CRYPTIC)
    assert len(said) < 600


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("FAM/SOCHX", "FAM/SOCHX"), ("fam/sochx", "FAM/SOCHX"), ("Family History/Social History", "FAM/SOCHX"),
        ("History of Present Illness", "GENHX"), ("chief complaint", "CC"), ("Review of systems", "ROS"),
        ("past surgical history", "PASTSURGICAL"), ("Allergies", "ALLERGY"), ("Other history", "OTHER_HISTORY"),
        ("Emergency Department Course", "EDCOURSE"), ("gynecologic history", "GYNHX"), ("Laboratory results", "LABS"),
    ],
)  # fmt: skip
def test_sections_are_known_however_they_are_written(written, label):
    assert SECTION.reference({"label": written}) == label


@pytest.mark.parametrize("other", SYNONYMS)
def test_a_synonym_stands_for_a_section_and_is_none(other):
    assert SYNONYMS[other] in LABELS
    assert other not in LABELS


def test_the_section_stands_before_the_dialogue_and_says_what_it_means():
    row = {"text": "Doctor: Hello.", "section": "ROS"}
    assert NOTE.format(row)[0].messages[1].text == "Section: ROS (review of systems)\n\nDoctor: Hello."
    assert NOTE.format(row | {"section": "PLAN"})[0].messages[1].text == "Section: PLAN\n\nDoctor: Hello."


@given(st.sampled_from([None, "", "  "]) | st.text(st.characters(categories=["L"]), min_size=1))
def test_a_section_is_shown_where_it_is_given(section):
    said = NOTE.format({"text": "Doctor: Hello.", "section": section})[0].messages[1].text
    assert said.endswith("Doctor: Hello.")
    assert said.startswith("Section: ") == bool(section and section.strip())


@pytest.mark.parametrize("written", ["fam/sochx", "Fam/SocHx ", "FAM/SOCHX"])
def test_a_section_is_explained_whatever_its_case(written):
    said = NOTE.format({"text": "Doctor: Hello.", "section": written})[0].messages[1].text
    assert said == "Section: FAM/SOCHX (family and social history)\n\nDoctor: Hello."


def test_the_lead_of_a_dialogue_has_neither_the_section_nor_names_of_speakers():
    text = 'Doctor: Hello.  Note: it is 12:30.\n Guest_family_2: "My son."\n\nPatient:Yes.'
    train = [{"text": "Doctor: Hello.", "section": "CC", "answer": " ".join("a" * length)} for length in (1, 7, 20)]
    (baseline,) = NOTE.baselines
    (found,) = baseline.answer(NOTE, train, [{"text": text, "section": "ROS"}])
    assert found.value == 'Hello. Note: it is 12:30. "My son."'
    assert baseline.name == "lead"


@pytest.mark.parametrize("section", [{}, {"section": None}, {"section": "CC"}])
@pytest.mark.parametrize("text", ["No names at all", "Doctor:"])
def test_the_lead_of_a_dialogue_without_names_or_words_is_the_dialogue(text, section):
    row = {"text": text, "answer": "Pain in the left knee.", **section}
    assert NOTE.baselines[0].answer(NOTE, [row], [row])[0].value == text


def test_sample_notes_hold_no_unit_and_no_sex_that_nobody_says():
    for row in NOTE.samples:
        assert row["answer"].count(" mg") == row["text"].count("milligram")
        assert not {"He", "She", "he", "she"} & set(row["answer"].split())


def test_notes_of_several_sections_of_one_dialogue_belong_together():
    rows = [{"text": text, "section": section} for text, section in [("A  b\n", "ROS"), ("a b", "CC"), ("a c", "CC")]]
    groups = [NOTE.group(row) for row in rows]
    assert groups[0] == groups[1] != groups[2]


def test_a_note_is_measured_by_rouge_first_and_by_critical_errors():
    assert [metric.name for metric in NOTE.metrics[:4]] == ["rougeL", "rouge1", "rouge2", "chrf2"]
    assert NOTE.metrics[4:] == CRITICAL_METRICS
    assert "critical_error_rate" in {metric.name for metric in CRITICAL_METRICS}


def test_a_note_of_one_word_has_no_rouge_2_even_where_it_is_right():
    found = {metric.name: metric.compute([Output("None.")], [("None.",)], [{}]) for metric in NOTE.metrics[:3]}
    assert found == {"rougeL": 1, "rouge1": 1, "rouge2": 0}


def test_a_right_note_comes_back_as_the_reference():
    row = NOTE.samples[0]
    (example,) = NOTE.format(row)
    assert example.target == row["answer"]
    assert NOTE.matches(NOTE.parse(row, [example], [Prediction(example.target)]).value, NOTE.reference(row))


# The published file


@pytest.mark.parametrize("task", [SECTION, NOTE], ids=lambda task: task.name)
def test_both_tasks_read_a_published_file(read, task):
    (row,) = read(f'7,ALLERGY, Penicillin. ,"{TALK}"', task=task)
    names = ("label", "note") if task is SECTION else ("section", "answer")
    assert row == {
        "text": "Doctor: Any allergies?\nPatient: Only penicillin.",
        names[0]: "ALLERGY",
        names[1]: "Penicillin.",
        "id": "MTS-Dialog-Part/7",
    }


def test_line_breaks_of_a_cell_are_asked_as_plain_ones(read):
    (row,) = read('0,CC,Pain.,"Doctor: a?\r\nPatient: b.\rDoctor: c.\nPatient: d."')
    assert SECTION.format(row)[0].messages[1].text == "Doctor: a?\nPatient: b.\nDoctor: c.\nPatient: d."


def test_rows_with_the_same_number_in_two_files_are_told_apart(read):
    line = f'0,ALLERGY,Penicillin.,"{TALK}"'
    first, second = (read(line, name=name)[0]["id"] for name in ("one.csv", "two.csv"))
    assert (first, second) == ("one/0", "two/0")


def test_rows_without_a_number_have_no_id(read):
    rows = read(f',ALLERGY,None.,"{TALK}"', f' ,CC,Pain.,"{TALK}"', "3,CC,Pain.,Hello.")
    assert [row["id"] for row in rows] == [None, None, "MTS-Dialog-Part/3"]


def test_columns_are_found_in_any_order_and_behind_a_byte_order_mark(read):
    (row,) = read('"Hello, you",Pain.,CC,3', header="\ufeffdialogue,section_text,section_header,ID")
    assert (row["text"], row["label"]) == ("Hello, you", "CC")


def test_an_unknown_section_is_named_with_its_line(read):
    with pytest.raises(
        DataError, match=r"(?i)line 2: column 'label': unknown label 'PASTMEDICAL'.*mean 'pastmedicalhx'"
    ):
        read(f'0,PASTMEDICAL,None.,"{TALK}"')


def test_a_line_with_too_few_cells_is_named(read):
    with pytest.raises(DataError, match=r"Part\.csv, line 3: 3 cells where the header has 4"):
        read("0,CC,Pain.,Hello.", "1,CC,Pain.")


def test_an_empty_note_or_dialogue_is_refused(read):
    with pytest.raises(DataError, match=r"line 2: column 'answer' holds ''"):
        read("0,CC,,Hello.", task=NOTE)
    with pytest.raises(DataError, match=r"line 2: column 'text' is empty"):
        read("0,CC,Pain.,", task=SECTION)


def test_rows_under_other_names_are_read():
    note = {"dialogue": "Doctor: Hello.", "section_header": "CC", "section_text": "Pain."}
    (row,) = read_rows([note], task=NOTE).to_list()
    assert row == {"text": "Doctor: Hello.", "section": "CC", "answer": "Pain."}


def test_the_data_set_comes_with_its_licence():
    assert MTS_DIALOG in NOTE.datasets
    assert MTS_DIALOG in SECTION.datasets
    assert MTS_DIALOG.licence == "CC BY 4.0"


# What is known of the published files


@functools.cache
def published_rows(name):
    task = {"label": SECTION, "answer": NOTE}[name]
    return {name: read_rows(PUBLISHED / file, task=task).to_list() for name, file in FILES.items()}


@published
def test_the_published_files_hold_the_published_counts():
    found = published_rows("label")
    assert {name: len(rows) for name, rows in found.items()} == {
        "training": 1201, "validation": 100, "test 1": 200, "test 2": 200,
    }  # fmt: skip
    assert all({row["label"] for row in rows} == set(LABELS) for rows in found.values())
    counts = Counter(row["label"] for row in found["training"])
    assert (counts["FAM/SOCHX"], counts["GENHX"], counts["LABS"]) == (351, 282, 2)
    single = [list(Counter(row["label"] for row in found[name]).values()).count(1) for name in ("test 1", "test 2")]
    assert single == [8, 6]


@published
def test_only_the_training_file_has_foreign_line_breaks_and_none_is_asked():
    raw = [row["dialogue"] for row in cells(FILES["training"])]
    assert sum("\r\n" in text for text in raw) == 1199
    assert not any("\r" in row["dialogue"] for name in list(FILES)[1:] for row in cells(FILES[name]))
    assert not any("\r" in row["text"] for rows in published_rows("label").values() for row in rows)


@published
def test_numbers_restart_in_each_file_and_ids_do_not():
    ids = [row["id"] for rows in published_rows("label").values() for row in rows]
    assert len(set(ids)) == len(ids) == 1701
    assert [next(cells(file))["ID"] for file in FILES.values()] == ["0"] * 4


@published
def test_dialogues_of_the_test_sets_are_trained_on():
    found = {
        name: [(words(row["text"]), row["label"]) for row in rows] for name, rows in published_rows("label").items()
    }
    labels = defaultdict(set)
    for text, label in found["training"]:
        labels[text].add(label)
    repeated = {name: [(text, label) for text, label in rows if text in labels] for name, rows in found.items()}
    assert [len(repeated[name]) for name in ("validation", "test 1", "test 2")] == [2, 2, 2]
    assert [(label, labels[text]) for text, label in repeated["validation"] if label not in labels[text]] == [
        ("CC", {"ROS"})
    ]
    counts = Counter(text for rows in found.values() for text, _ in rows)
    assert sum(count > 1 for count in counts.values()) == 6


@published
def test_many_notes_are_one_word_and_the_same():
    notes = [row["answer"] for rows in published_rows("answer").values() for row in rows]
    counts = Counter(map(words, notes))
    assert sum(len(note.split()) == 1 for note in notes) == 168
    assert counts.most_common(1) == [("none", 51)]
    assert sum(count > 1 for count in counts.values()) == 63


@published
def test_the_lead_of_published_dialogues_is_better_without_what_is_no_speech():
    found = published_rows("answer")
    references = [NOTE.reference(row) for row in found["test 1"]]
    leads = [answer(NOTE, found["training"], found["test 1"]) for answer in (baselines.lead, NOTE.baselines[0].answer)]
    assert [round(NOTE.metrics[0].compute(lead, references, found["test 1"]), 3) for lead in leads] == [0.078, 0.104]


@published
@pytest.mark.skipif(not MTSAMPLES.is_file(), reason=f"MTSamples is not at {MTSAMPLES}")
def test_the_notes_stand_in_mtsamples():
    csv.field_size_limit(2**31 - 1)
    with MTSAMPLES.open(encoding="utf-8", newline="") as file:
        reports = "|".join({words(row["transcription"]) for row in csv.DictReader(file)})
    notes = [words(row["answer"]) for rows in published_rows("answer").values() for row in rows]
    long = [note for note in notes if len(note.split()) >= 8]
    assert sum(note in reports for note in notes) == 1664
    assert (sum(note in reports for note in long), len(long)) == (1103, 1139)


def cells(file):
    with (PUBLISHED / file).open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)
