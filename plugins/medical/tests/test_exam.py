import json
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import DATA
from hypothesis import given, settings
from hypothesis import strategies as st

from qlorakit import read_rows, split
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.task import Output
from qlorakit.testing import check_task
from qlorakit_medical.exam import EXAM, MEDMCQA, exam_task, question_of, subject_macro_accuracy, subject_of

PUBLISHED = DATA / "medmcqa" / "dev.json"
published = pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"MedMCQA is not at {PUBLISHED}")
quick = settings(deadline=None, max_examples=60, derandomize=True)
OPTIONS = ("Vagus", "Phrenic", "Axillary", "Femoral")


def entry(cop, options=OPTIONS, **cells):
    """A row as it is published."""
    named = {f"op{letter}": option for letter, option in zip("abcd", options, strict=True)}
    return {
        "question": f"Which nerve is number {cop}?", "exp": "Ans. b", "cop": cop, **named, "subject_name": "Anatomy",
        "topic_name": None, "id": f"q{cop}", "choice_type": "single", **cells,
    }  # fmt: skip


def as_lines(entries):
    return "".join(json.dumps(one) + "\n" for one in entries)


@pytest.fixture
def read(tmp_path):
    def write_and_read(entries, name="dev.json", task=EXAM, **keywords):
        path = tmp_path / name
        path.write_text(as_lines(entries), encoding="utf-8")
        return read_rows(path, task=task, **keywords).to_list()

    return write_and_read


def answers(rows, task=EXAM):
    return "".join(map(task.reference, rows))


def measured(name, outputs, rows):
    (metric,) = [metric for metric in EXAM.metrics if metric.name == name]
    return metric.compute(outputs, [EXAM.reference(row) for row in rows], rows)


# The task


def test_the_samples_are_of_many_subjects_and_have_every_letter():
    assert len(EXAM.samples) >= 14
    assert len({row["subject"] for row in EXAM.samples}) >= 6
    assert min(Counter(answers(EXAM.samples)).values()) >= 3


def test_no_two_samples_are_near_duplicates():
    groups = near_duplicate_groups([EXAM.format(row)[0].messages[1].text for row in EXAM.samples], threshold=0.8)
    assert len(set(groups.tolist())) == len(EXAM.samples)


def test_the_samples_are_enough_for_a_split():
    assert set(split(EXAM.samples, task=EXAM, seed=0)) == {"train", "validation", "test"}


def test_the_task_with_numbers_keeps_what_the_core_relies_on():
    check_task(exam_task(first=0))


@pytest.mark.parametrize("first", [0, 1])
def test_the_samples_of_the_task_with_numbers_have_the_same_answers(first):
    task = exam_task(first=first)
    assert answers(task.samples, task) == answers(EXAM.samples)
    assert {type(row["answer"]) for row in task.samples} == {int}


def test_a_count_that_is_neither_from_0_nor_from_1_is_refused():
    with pytest.raises(ConfigurationError, match="first=2: must be the number of the first option"):
        exam_task(first=2)


def test_the_public_data_set_comes_with_its_licence_and_traps():
    assert EXAM.datasets == (MEDMCQA,)
    assert MEDMCQA.licence == "MIT"
    assert MEDMCQA.traps


# Files


@pytest.mark.parametrize(("numbers", "letters"), [((1, 2, 3, 4), "ABCD"), ((0, 1, 2, 3), "ABCD"), ((4, 1), "DA")])
def test_the_whole_file_tells_from_where_answers_are_counted(read, numbers, letters):
    assert answers(read([entry(number) for number in numbers])) == letters


def test_a_number_that_tells_may_come_last(read):
    assert (
        answers(read([*[entry(2, id=f"q{place}", question=f"{place}?") for place in range(30)], entry(0)]))[-2:] == "CA"
    )


@pytest.mark.parametrize(("first", "letters"), [(0, "BCD"), (1, "ABC")])
def test_where_nothing_tells_it_the_task_must(read, first, letters):
    entries = [entry(number) for number in (1, 2, 3)]
    with pytest.raises(DataError, match=r"dev\.json: column 'cop' holds neither 0 nor 4.*exam_task\(first=0\)"):
        read(entries)
    task = exam_task(first=first)
    assert answers(read(entries, task=task), task) == letters


@pytest.mark.parametrize(("numbers", "first"), [((1, 0), 1), ((1, 4), 0)])
def test_a_task_that_counts_otherwise_than_the_file_is_refused(read, numbers, first):
    message = (
        rf"dev\.json, line 2: options are counted from {1 - first}, and the task from {first}; pass first={1 - first}"
    )
    with pytest.raises(DataError, match=message):
        read([entry(number) for number in numbers], task=exam_task(first=first))


def test_a_file_that_counts_in_both_ways_is_refused(read):
    with pytest.raises(DataError, match=r"column 'cop' holds 0 \(line 2\) and 4 \(line 1\)"):
        read([entry(4), entry(0)])


@pytest.mark.parametrize("number", [5, -2, "a", 1.5, True])
def test_a_number_of_no_option_is_named_with_its_line(read, number):
    with pytest.raises(DataError, match=r"dev\.json, line 2: column 'cop' holds"):
        read([entry(0), entry(number)])


def test_rows_whose_answer_is_held_back_can_be_asked_and_not_learned_from(read):
    entries = [entry(-1), entry(None)]
    rows = read(entries, labelled=False)
    assert [row["answer"] for row in rows] == [None, None]
    assert EXAM.format(rows[0])[0].target is None
    with pytest.raises(DataError, match="column 'answer' is empty"):
        read(entries)


def test_an_option_that_is_a_letter_is_not_taken_for_the_answers_letter(read):
    vitamins = ("K", "C", "folate", "B12")
    rows = read([entry(number, vitamins) for number in (1, 2, 3, 4)])
    assert answers(rows) == "ABCD"


def test_an_option_that_is_its_own_letter_is_the_answer_even_where_it_stands_twice(read):
    rows = read(
        [entry(0, ("A", "Iron", "A", "Zinc")), entry(2, ("A", "Iron", "A", "Zinc"), question="?"), entry(4)][:2]
    )
    assert answers(rows) == "AC"


def test_options_that_are_each_others_letters_need_the_task_with_numbers(read):
    entries = [entry(1), entry(2, ("A", "C", "B", "D")), entry(4)]
    with pytest.raises(DataError, match=r"dev\.json, line 2: .*neither 'B' nor 'C' tells.*exam_task\(first=1\)"):
        read(entries)
    task = exam_task(first=1)
    assert answers(read(entries, task=task), task) == "ABD"


def as_read_from_a_file(entries, task):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dev.json"
        path.write_text(as_lines(entries))
        (own,) = task.file_formats
        return answers([row for _, row in own.read(path)], task)


LETTERS_AND_OTHERS = st.lists(st.sampled_from(["A", "B ", "C", "D", "1", "0", "none"]), min_size=4, max_size=4)


@quick
@given(LETTERS_AND_OTHERS, st.integers(0, 3))
def test_the_published_place_is_the_answer_whatever_the_options_say_or_it_is_refused(options, place):
    entries = [entry(place, options), entry(0)]
    assert as_read_from_a_file(entries, exam_task(first=0)) == "ABCD"[place] + "A"
    said = [option.strip() for option in options]
    letter, own, others = "ABCD"[place], said[place], said[:place] + said[place + 1 :]
    if own != letter and letter in others and own in [*others, *"ABCD"]:
        with pytest.raises(DataError, match=r"exam_task\(first=0\)"):
            as_read_from_a_file(entries, EXAM)
    else:
        assert as_read_from_a_file(entries, EXAM) == "ABCD"[place] + "A"


@pytest.mark.parametrize("first", [0, 1])
def test_whole_numbers_may_be_written_with_a_point(tmp_path, first):
    path = tmp_path / "dev.csv"
    lines = [f"Number {place}?,w,x,y,z,{place + first}.0" for place in range(4)]
    path.write_text("\n".join(["question,opa,opb,opc,opd,cop", *lines]))
    assert answers(read_rows(path, task=EXAM)) == "ABCD"
    task = exam_task(first=first)
    assert answers(read_rows(path, task=task), task) == "ABCD"


def test_json_lines_csv_and_parquet_of_the_same_rows_read_the_same(read, tmp_path):
    entries = [entry(number, exp=f"Ans. {number}", topic_name="Nerves") for number in (0, 3)]
    pq.write_table(pa.Table.from_pylist(entries), tmp_path / "dev.parquet")
    header = ",".join(entries[0])
    (tmp_path / "dev.csv").write_text("\n".join([header, *[",".join(map(str, one.values())) for one in entries]]))
    expected = read(entries)
    assert read(entries, "dev.jsonl") == expected
    assert [read_rows(tmp_path / f"dev.{kind}", task=EXAM).to_list() for kind in ("csv", "parquet")] == [expected] * 2
    assert answers(expected) == "AD"


def test_a_line_that_is_damaged_is_named(tmp_path):
    path = tmp_path / "dev.json"
    path.write_text(as_lines([entry(0)]) + "{broken\n")
    with pytest.raises(DataError, match=r"dev\.json, line 2: not valid JSON"):
        read_rows(path, task=EXAM)


def test_rows_with_letters_are_read_by_their_column_names(read):
    row = {
        "question": "Which?",
        **dict(zip("abcd", OPTIONS, strict=True)),
        "correct_option": "C",
        "subject_name": "ENT",
    }
    (found,) = read([row], "own.jsonl")
    assert (EXAM.reference(found), found["subject"]) == ("C", "ENT")


def test_numbers_of_rows_in_memory_are_refused_unless_the_task_says_from_where_they_count():
    rows = [entry(1, ("2", "3", "1", "0"))]
    with pytest.raises(DataError, match=r"no column for 'answer'.*'cop' is not it: .*exam_task\(first=0\)"):
        read_rows(rows, task=EXAM)
    with pytest.raises(ConfigurationError, match=r"refuses 'cop'.* as its column 'answer'.*exam_task\(first=0\)"):
        read_rows(rows, task=EXAM, columns={"answer": "cop"})
    found = [answers(read_rows(rows, task=task), task) for task in map(exam_task, (0, 1))]
    assert found == ["B", "A"]


@pytest.mark.parametrize("held_back", [-1, "-1", -1.0, None])
@pytest.mark.parametrize("first", [0, 1])
def test_rows_in_memory_whose_answer_is_held_back_can_be_asked_and_not_learned_from(first, held_back):
    task, rows = exam_task(first=first), [entry(held_back)]
    (row,) = read_rows(rows, task=task, labelled=False)
    (example,) = task.format(row)
    assert (example.choices, example.target) == (("A", "B", "C", "D"), None)
    with pytest.raises(DataError, match="column 'answer' is empty"):
        read_rows(rows, task=task)


def test_a_number_without_the_task_with_numbers_is_not_taken_for_an_option():
    row = {**EXAM.samples[0], **{f"option_{letter}": str(at) for at, letter in enumerate("abcd", start=1)}}
    with pytest.raises(DataError, match=r"column 'answer' holds the number 1, .*say first=0 or first=1"):
        read_rows([{**row, "answer": 1}], task=EXAM)
    assert EXAM.reference({**row, "answer": "1"}) == "A"


# What is asked


def test_the_explanation_and_the_subject_are_kept_and_never_shown(read):
    (row,) = read([entry(0, exp="Ans. is phrenic, see Gray", subject_name="Neurology")], "dev.jsonl")
    shown = "".join(message.text for message in EXAM.format(row)[0].messages)
    assert (row["exp"], row["subject"]) == ("Ans. is phrenic, see Gray", "Neurology")
    assert "Gray" not in shown
    assert "Neurology" not in shown


def test_an_explanation_cannot_stand_for_the_question(read):
    with pytest.raises(ConfigurationError, match=r"refuses 'exp'.*it explains the right answer"):
        read_rows([entry(0)], task=EXAM, columns={"question": "exp"})


def test_a_question_that_is_asked_once_more_belongs_to_the_same_side():
    same = ["Skeletal muscles:", "skeletal  muscles", "SKELETAL MUSCLES?"]
    assert len({question_of({"question": question}) for question in same}) == 1
    assert question_of({"question": "?"}) is None


def test_rows_of_one_question_stay_together():
    rows = [
        {**row, "question": text, "option_a": f"{row['option_a']} {place}"}
        for row in EXAM.samples
        for place, text in enumerate((row["question"], row["question"].upper()))
    ]
    sides = split(rows, task=EXAM, seed=0, near_duplicates=None)
    asked = [set(map(question_of, side)) for side in sides.values()]
    assert sum(map(len, asked)) == len(EXAM.samples)


# Metric and baseline


def rows_of(subjects):
    return [{**EXAM.samples[0], "subject": subject, "answer": "A"} for subject in subjects]


def test_every_subject_counts_the_same_however_many_questions_it_has():
    rows = rows_of(["Dental"] * 8 + ["Skin"] * 2)
    outputs = [Output("A")] * 8 + [Output("B"), Output(None)]
    assert measured("accuracy", outputs, rows) == 0.8
    assert measured("subject_macro_accuracy", outputs, rows) == 0.5


@pytest.mark.parametrize("subject", [None, "", "  "])
def test_rows_without_a_subject_are_of_one_more(subject):
    rows = rows_of(["Dental", subject, subject])
    assert measured("subject_macro_accuracy", [Output("A"), Output("A"), Output("B")], rows) == 0.75
    assert subject_of({}) == ""


@quick
@given(st.data())
def test_resamples_have_the_values_that_their_rows_have(data):
    size = data.draw(st.integers(1, 12))
    subjects = data.draw(st.lists(st.sampled_from(["Dental", "Skin", "ENT", None]), min_size=size, max_size=size))
    values = data.draw(st.lists(st.sampled_from(["A", "B", None]), min_size=size, max_size=size))
    drawn = data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=20))
    rows, outputs, metric = rows_of(subjects), list(map(Output, values)), subject_macro_accuracy()
    weights = np.bincount(drawn, minlength=size)[None, :].astype(float)
    (value,) = metric.resampled(outputs, ["A"] * size, rows)(weights)
    again = [outputs[place] for place in drawn], ["A"] * len(drawn), [rows[place] for place in drawn]
    assert value == pytest.approx(metric.compute(*again))


@pytest.mark.parametrize("option", ["All of the above", "all of the above.", "ALL", "All of these", "All the above"])
def test_a_baseline_answers_all_of_the_above_where_it_can_and_the_commonest_letter_elsewhere(option):
    _, baseline = EXAM.baselines
    train = rows_of(["Skin"] * 2)
    rows = [{**train[0], "option_d": option}, {**train[0], "option_d": "Allopurinol"}]
    assert [output.value for output in baseline.answer(EXAM, train, rows)] == ["D", "A"]


# The published file


@pytest.fixture(scope="module")
def published_rows():
    return read_rows(PUBLISHED, task=EXAM).to_list()


@published
def test_the_published_file_holds_the_published_counts(published_rows):
    assert Counter(answers(published_rows)) == {"A": 1348, "B": 1085, "C": 925, "D": 825}
    subjects = Counter(row["subject"] for row in published_rows)
    assert (len(subjects), subjects["Dental"], subjects["Unknown"]) == (21, 1318, 2)
    assert sum(row["exp"] is None for row in published_rows) == 1977


@published
def test_some_published_questions_are_repeated_and_some_options_are_equal(published_rows):
    asked = Counter(map(question_of, published_rows))
    assert sum(count > 1 for count in asked.values()) == 15
    options = [{row[f"option_{letter}"].strip() for letter in "abcd"} for row in published_rows]
    assert sum(len(found) < 4 for found in options) == 21


@published
def test_all_of_the_above_is_worth_more_than_the_majority_and_the_longest_option_less(published_rows):
    values = [baseline.answer(EXAM, published_rows, published_rows) for baseline in EXAM.baselines]
    found = [measured("accuracy", outputs, published_rows) for outputs in values]
    assert found == [pytest.approx(0.3223, abs=1e-4), pytest.approx(0.3294, abs=1e-4)]
    longest = ["ABCD"[max(range(4), key=lambda k: len(row[f"option_{'abcd'[k]}"]))] for row in published_rows]
    assert measured("accuracy", list(map(Output, longest)), published_rows) == pytest.approx(0.3086, abs=1e-4)
