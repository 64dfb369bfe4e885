import csv
import functools
import io
import re
from collections import Counter

import pytest
from helpers import DATA
from hypothesis import given
from hypothesis import strategies as st

from qlorakit import read_rows, split
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.rows import check_rows
from qlorakit.task import Prediction
from qlorakit_medical.critical_errors import CRITICAL_METRICS
from qlorakit_medical.mtsamples import MTSAMPLES
from qlorakit_medical.summary import MEQSUM, SUMMARY
from qlorakit_medical.summary_samples import MESSAGES, RECORDS

MEQSUM_FOLDER = DATA / "meqsum"
RECORD_FILE = DATA / "mtsamples" / "mtsamples.csv"
questions = pytest.mark.skipif(not MEQSUM_FOLDER.is_dir(), reason=f"MeQSum is not at {MEQSUM_FOLDER}")
records = pytest.mark.skipif(not RECORD_FILE.is_file(), reason=f"MTSamples is not at {RECORD_FILE}")
RECORD_HEADER = "description,medical_specialty,sample_name,transcription,keywords"


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="meqsum.csv", **keywords):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8", newline="")
        return read_rows(path, task=SUMMARY, **keywords).to_list()

    return write_and_read


def words(text):
    return " ".join(re.findall(r"\w+", text.casefold()))


# The task


def test_the_samples_of_summaries_are_valid():
    check_rows(SUMMARY.samples, SUMMARY, labelled=True)


def test_half_of_the_samples_are_records_and_half_messages():
    assert len(RECORDS) == len(MESSAGES) == 6
    assert SUMMARY.samples == (*RECORDS, *MESSAGES)
    assert [row["answer"].endswith("?") for row in SUMMARY.samples] == [False] * 6 + [True] * 6


def test_no_two_summary_samples_are_near_duplicates():
    groups = near_duplicate_groups([row["text"] for row in SUMMARY.samples], threshold=0.8)
    assert len(set(groups.tolist())) == len(SUMMARY.samples)


def test_the_summary_samples_are_enough_for_a_split():
    assert set(split(SUMMARY.samples, task=SUMMARY, seed=0)) == {"train", "validation", "test"}


def test_records_and_messages_are_asked_alike():
    asked = {SUMMARY.format(row)[0].messages[0].text for row in SUMMARY.samples}
    (instruction,) = asked
    assert "record" in instruction
    assert "question" in instruction


def test_summaries_are_measured_by_rouge_first_and_by_critical_errors():
    assert [metric.name for metric in SUMMARY.metrics[:4]] == ["rougeL", "rouge1", "rouge2", "chrf2"]
    assert SUMMARY.metrics[4:] == CRITICAL_METRICS


def test_a_right_summary_comes_back_as_the_reference():
    for row in SUMMARY.samples:
        (example,) = SUMMARY.format(row)
        value = SUMMARY.parse(row, [example], [Prediction(example.target)]).value
        assert SUMMARY.matches(value, SUMMARY.reference(row))


def test_a_text_belongs_with_itself_in_another_form_of_the_file():
    forms = ["SUBJECTIVE: Pain, in the knee.", "SUBJECTIVE:,  Pain, in the\nknee. "]
    assert len({SUMMARY.group({"text": text}) for text in forms}) == 1
    assert SUMMARY.group({"text": "SUBJECTIVE: Pain in the hip."}) != SUMMARY.group({"text": forms[0]})


def test_both_data_sets_come_with_their_licences():
    assert SUMMARY.datasets == (MTSAMPLES, MEQSUM)
    assert MEQSUM.licence == "CC BY 4.0"


# Patients' questions


def test_a_question_is_read_with_its_subject_and_message(read):
    (row,) = read('File,CHQ,Summary\n1.txt,"SUBJECT: gout\nMESSAGE: What, now?",What helps against gout?\n')
    assert row == {"text": "SUBJECT: gout\nMESSAGE: What, now?", "answer": "What helps against gout?", "id": "1.txt"}
    assert SUMMARY.format(row)[0].messages[1].text == row["text"]


@pytest.mark.parametrize("written", [" What helps? ", "What helps?\n", "What\nhelps?", "What  helps?\xa0"])
def test_a_summary_is_one_line_without_surrounding_white_space(read, written):
    (row,) = read(f'File,CHQ,Summary\n1.txt,My toe hurts.,"{written}"\n')
    assert row["answer"] == SUMMARY.format(row)[0].target == "What helps?"


@given(st.text(st.characters(categories=["L", "P", "Zs"], include_characters="\n"), min_size=1))
def test_a_question_is_read_whatever_is_in_it(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("files") / "meqsum.csv"
    line = io.StringIO()
    csv.writer(line).writerows([["File", "CHQ", "Summary"], ["1.txt", f"a{text}", "Why?"]])
    path.write_text(line.getvalue(), encoding="utf-8", newline="")
    assert read_rows(path, task=SUMMARY)[0]["text"] == f"a{text}"


def test_questions_of_no_file_have_no_id(read):
    rows = read("File,CHQ,Summary\n,My toe hurts.,Why?\n ,My knee hurts.,Why?\n3.txt,I cough.,Why?\n")
    assert [row["id"] for row in rows] == [None, None, "3.txt"]


@pytest.mark.parametrize("nothing", ["nan", "NaN", " NAN "])
def test_a_cell_of_nan_alone_is_empty_and_counted(read, caplog, nothing):
    lines = ["1.txt,My nan is ill.,What helps?", f"{nothing},I cough.,Why?", f"3.txt,{nothing},Why?"]
    rows = read("\n".join(["File,CHQ,Summary", *lines]), bad_rows="skip")
    assert [(row["id"], row["text"]) for row in rows] == [("1.txt", "My nan is ill."), (None, "I cough.")]
    assert "1 cells of column 'chq' hold 'nan' alone and count as empty" in caplog.text
    assert "column 'text' is empty" in caplog.text


def test_a_summary_of_nan_is_no_summary(read, caplog):
    (row,) = read("File,CHQ,Summary\n1.txt,My toe hurts.,NaN\n", labelled=False)
    assert SUMMARY.format(row)[0].target is None
    assert "1 cells of column 'summary'" in caplog.text


def test_a_question_without_a_summary_is_named_with_its_line(read):
    with pytest.raises(DataError, match=r"meqsum\.csv, line 3: column 'answer' holds ''"):
        read("File,CHQ,Summary\n1.txt,My toe hurts.,Why?\n2.txt,My toe hurts more., \n")


def test_a_spreadsheet_is_refused_with_what_to_do(read):
    with pytest.raises(ConfigurationError, match=r"\.xlsx.*save a sheet of a spreadsheet as csv"):
        read("PK\x03\x04", name="MeQSum.xlsx")


@functools.cache
def all_questions():
    return read_rows(MEQSUM_FOLDER / "meqsum.csv", task=SUMMARY).to_list()


@questions
def test_the_published_questions_hold_the_published_counts():
    starts = Counter(re.match(r"SUBJECT:|MESSAGE:|", row["text"])[0] for row in all_questions())
    assert starts == {"SUBJECT:": 653, "MESSAGE:": 70, "": 277}
    assert len({words(row["text"]) for row in all_questions()}) == 1000
    counts = Counter(words(row["answer"]) for row in all_questions())
    assert len(counts) == 994
    assert counts["what are the treatments for erectile dysfunction"] == 4


@questions
def test_published_summaries_have_white_space_in_the_file_and_none_when_read():
    with (MEQSUM_FOLDER / "meqsum.csv").open(encoding="utf-8", newline="") as file:
        raw = [row["Summary"] for row in csv.DictReader(file)]
    assert sum(text != text.strip() for text in raw) == 24
    assert sum("\n" in text.strip() for text in raw) == 1
    assert all(row["answer"] == " ".join(row["answer"].split()) for row in all_questions())


@questions
def test_the_form_of_published_summaries_is_easily_guessed():
    found = [words(row["answer"]) for row in all_questions()]
    beginnings = ("what are the treatments for", "where can i find information on")
    assert [sum(text.startswith(beginning) for text in found) for beginning in beginnings] == [176, 115]
    assert sum(words(row["answer"]) in words(row["text"]) for row in all_questions()) == 9
    assert sum(bool(re.search(r"\[[A-Z]{3,}\]", row["text"])) for row in all_questions()) == 284


# Records


def test_a_record_is_read_with_its_description(read):
    line = 'A visit for gout.,Rheumatology,Gout,"SUBJECTIVE:\nToe pain.",gout\n'
    (row,) = read(f"{RECORD_HEADER}\n{line}", name="mtsamples.csv")
    assert (row["text"], row["answer"]) == ("SUBJECTIVE:\nToe pain.", "A visit for gout.")


def test_a_record_that_stands_under_two_specialties_is_read_once(read, caplog):
    lines = "".join(f"A visit for gout.,{name},Gout,SUBJECTIVE: Toe pain.,gout\n" for name in ("Surgery", "Podiatry"))
    assert len(read(f"{RECORD_HEADER}\n{lines}", name="mtsamples.csv")) == 1
    assert "1 lines with the text of an earlier line" in caplog.text


@records
def test_a_quarter_of_the_published_descriptions_stand_in_their_record():
    found = read_rows(RECORD_FILE, task=SUMMARY).to_list()
    literal = [row for row in found if words(row["answer"]) in words(row["text"])]
    leading = [row for row in literal if words(row["text"]).startswith(words(row["answer"]))]
    assert (len(found), len(literal), len(leading)) == (2373, 570, 38)
