import functools
import importlib
import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from helpers import DATA, write_jsonl
from hypothesis import given
from hypothesis import strategies as st

from qlorakit import read_rows, split
from qlorakit.errors import DataError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.rows import check_rows
from qlorakit.task import Prediction
from qlorakit_medical.advice import ADVICE, MEDQUAD, read_medquad

PUBLISHED = DATA.parent / "corpus" / "medquad" / "medquad.jsonl"
BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
WORDS = "uric acid in the blood forms crystals in a joint of the toe and it hurts at night and swells for some days"
published = pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"MedQuAD is not at {PUBLISHED}")
GOUT = """<?xml version="1.0" encoding="UTF-8"?>
<Document id="0000001" source="NIDDK" url="https://example.org/gout">
<!--a comment-->
<Focus>Gout</Focus>
<FocusAnnotations><Synonyms><Synonym>Podagra</Synonym></Synonyms></FocusAnnotations>
<QAPairs>
<QAPair pid="1">
    <Question qid="0000001-1" qtype="information">What is (are) Gout ?</Question>
    <Answer>Key Points
                    - It hurts   &amp; swells.


        Crystals &lt; 1 mm.</Answer>
</QAPair>
<QAPair pid="2">
    <Question qid="0000001-2" qtype="treatment">What are the treatments for Gout ?</Question>
    <Answer>  </Answer>
</QAPair>
<QAPair pid="3">
    <Question qid="0000001-3" qtype="causes">What causes Gout ?</Question>
    <Answer>Too much <b>uric</b> acid.</Answer>
</QAPair>
</QAPairs>
</Document>
"""


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="0000001.xml", **keywords):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8", newline="")
        return read_rows(path, task=ADVICE, **keywords).to_list()

    return write_and_read


def unpack(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def without_answers(content):
    return content.replace("Too much <b>uric</b> acid.", "")


# The task


def test_the_samples_of_advice_are_valid():
    check_rows(ADVICE.samples, ADVICE, labelled=True)


def test_no_two_advice_samples_are_near_duplicates():
    groups = near_duplicate_groups([row["question"] for row in ADVICE.samples], threshold=0.8)
    assert len(set(groups.tolist())) == len(ADVICE.samples) == 12


def test_the_advice_samples_are_enough_for_a_split():
    assert set(split(ADVICE.samples, task=ADVICE, seed=0)) == {"train", "validation", "test"}


def test_a_right_answer_comes_back_as_the_reference():
    for row in ADVICE.samples:
        (example,) = ADVICE.format(row)
        assert ADVICE.matches(ADVICE.parse(row, [example], [Prediction(row["answer"])]).value, ADVICE.reference(row))


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("What is (are) Gout ?", "What is (are) Gout?"),
        ("Who is at risk for Gout? ?", "Who is at risk for Gout?"),
        ("Who is at risk for ? ?", "Who is at risk for?"),
        ("What is gout?", "What is gout?"),
        ("Is it gout??", "Is it gout??"),
        ("Do you have information about Gout", "Do you have information about Gout"),
        ("Is it gout ? I doubt it.", "Is it gout ? I doubt it."),
    ],
)
def test_the_space_before_the_question_mark_is_not_asked(written, asked):
    row = {"question": written, "answer": "Yes.", "focus": "Gout"}
    assert ADVICE.format(row)[0].messages[1].text == asked


@given(st.text(st.characters(categories=["L"]), min_size=1), st.sampled_from(["?", " ?", "? ?", "  ?\n"]))
def test_every_question_ends_with_one_question_mark(words, end):
    assert ADVICE.format({"question": words + end})[0].messages[1].text == words + "?"


def test_the_topic_is_not_asked():
    row = {"question": "What helps?", "focus": "Gout"}
    assert "Gout" not in "".join(message.text for message in ADVICE.format(row)[0].messages)


def test_topics_are_one_up_to_case_and_punctuation():
    assert len({ADVICE.group({"focus": name}) for name in ("Stiff-person syndrome", " stiff person Syndrome")}) == 1


def test_topics_that_differ_in_a_number_are_two():
    assert ADVICE.group({"focus": "Diabetes, type 1"}) != ADVICE.group({"focus": "Diabetes, type 2"})


@pytest.mark.parametrize("row", [{}, {"focus": None}, {"focus": " "}])
def test_a_row_without_a_topic_belongs_with_no_other(row):
    assert ADVICE.group(row) is None


def test_questions_on_one_topic_stay_on_one_side():
    asked = [f"{how} {name}?" for how in ("What is", "Who gets", "What helps against") for name in "abcdefghij"]
    rows = [{"question": text, "answer": f"It is {text}", "focus": text[-2].upper()} for text in asked]
    sides = split(rows, task=ADVICE, seed=0)
    assert sum(len(set(side["focus"])) for side in sides.values()) == 10
    assert sum(map(len, sides.values())) == 30


def test_the_data_set_of_advice_comes_with_its_licence():
    assert ADVICE.datasets == (MEDQUAD,)
    assert MEDQUAD.licence == "CC BY 4.0"


@pytest.fixture
def unseen_by_the_base(monkeypatch):
    pytest.importorskip("qlorakit_tiny")
    if not BENCHMARKS.is_dir():
        pytest.skip(f"the benchmarks are not at {BENCHMARKS}")
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("domains.medical").unseen_by_the_base


def test_rows_whose_topic_or_answer_the_base_nearly_read_are_left_out(unseen_by_the_base, monkeypatch):
    monkeypatch.setattr("domains.medical.is_reserved_topic", lambda focus: focus.startswith("New"))
    rows = [
        {"focus": "Old", "answer": f"Gout: {WORDS}."},
        {"focus": "New copy", "answer": f"Gout: {WORDS}, rarely."},
        {"focus": "New twin", "answer": f"GOUT {WORDS}"},
        {"focus": "New", "answer": "Mumps is a swelling of the glands."},
        {"focus": "old-new", "answer": "Ginger settles the stomach."},
        {"focus": "New? ", "answer": f"Mumps. {WORDS[:60]}"},
        {"focus": "NewOld new", "answer": "Measles."},
        {"focus": "Old, new", "answer": "Rubella."},
    ]
    assert unseen_by_the_base(rows) == [3, 5, 6]
    assert unseen_by_the_base([*rows, {"focus": "new old-NEW", "answer": "Polio."}]) == [3, 5]


@published
def test_as_many_published_rows_remain_as_the_task_says(unseen_by_the_base):
    from qlorakit_medical import advice
    from qlorakit_tiny.pretraining.corpus import is_reserved_topic

    assert sum(is_reserved_topic(row["focus"]) for row in pairs()) == 1668
    assert len(unseen_by_the_base(pairs())) == 1461
    assert "1,461 remain" in advice.__doc__


# XML files


def test_a_document_gives_a_row_for_each_answered_question(read, caplog):
    first, second = read(GOUT)
    assert first == {
        "question": "What is (are) Gout ?",
        "answer": "Key Points\n- It hurts & swells.\nCrystals < 1 mm.",
        "qtype": "information",
        "focus": "Gout",
        "source": "NIDDK",
        "url": "https://example.org/gout",
    }
    assert (second["question"], second["answer"]) == ("What causes Gout ?", "Too much uric acid.")
    assert "0000001.xml: left out 1 questions without an answer" in caplog.text


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a SYSTEM "https://example.org/a.dtd">',
        "<!doctype a>",
        '<!ENTITY b "bbbb">',
    ],
)
def test_a_document_type_is_refused_before_it_is_parsed(read, monkeypatch, declaration):
    monkeypatch.setattr("xml.etree.ElementTree.fromstring", None)
    with pytest.raises(DataError, match=r"0000001\.xml declares a document type or entities"):
        read(GOUT.replace("<Document", f"{declaration}\n<Document"))


def test_a_document_type_in_another_encoding_is_refused_as_well(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text(GOUT.replace("<Document", "<!DOCTYPE a>\n<Document").replace("UTF-8", "UTF-16"), encoding="utf-16")
    with pytest.raises(DataError, match="declares a document type"):
        list(read_medquad(tmp_path))


def test_a_damaged_document_is_named_with_its_line(read):
    with pytest.raises(DataError, match=r"0000001\.xml, line 9: not well-formed XML"):
        read(GOUT.replace("<Answer>Key", "<Answer Key"))


def test_an_entity_that_nothing_declares_is_an_error(read):
    with pytest.raises(DataError, match=r"not well-formed XML .*undefined entity"):
        read(GOUT.replace("&amp;", "&nbsp;"))


@pytest.mark.parametrize("name", ["Question", "Answer"])
def test_a_pair_that_lacks_a_part_is_named(read, name):
    with pytest.raises(DataError, match=rf"0000001\.xml, pair 1: there is no <{name}>"):
        read(GOUT.replace(f"<{name}", "<Other", 1).replace(f"</{name}>", "</Other>", 1))


def test_a_document_without_answers_holds_no_rows(read):
    with pytest.raises(DataError, match="holds no rows"):
        read("<Document><Focus>Gout</Focus><QAPair><Question>Why ?</Question><Answer/></QAPair></Document>")


def test_a_folder_of_documents_is_read_in_order_and_what_is_left_out_counted_once(tmp_path, caplog):
    herb = without_answers(GOUT).replace("Gout", "Ginger")
    files = {"1_A/2.xml": GOUT.replace("Gout", "Mumps"), "1_A/1.xml": GOUT, "12_Herbs/1.xml": herb}
    rows = read_rows(read_medquad(unpack(tmp_path, files)), task=ADVICE).to_list()
    assert [row["focus"] for row in rows] == ["Ginger", "Gout", "Gout", "Mumps", "Mumps"]
    told = sorted(record.getMessage().removeprefix(f"{tmp_path}/") for record in caplog.records)
    assert told == [f"{name}: left out 2 questions without an answer" for name in ("12_Herbs", "1_A")]


def test_a_folder_without_documents_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"holds no \.xml files"):
        list(read_medquad(tmp_path))


# Tables


def test_json_lines_are_read_with_their_topics(tmp_path):
    row = {"source": "GHR", "focus": "Gout", "qtype": "causes", "question": "What causes Gout ?", "answer": "Acid."}
    assert read_rows(write_jsonl(tmp_path / "medquad.jsonl", [row]), task=ADVICE).to_list() == [row]


def test_a_copy_without_topics_is_read_and_said_to_have_none(read, caplog):
    (row,) = read("qtype,Question,Answer\ncauses,What causes Gout ?,Acid.\n", name="medquad.csv")
    assert row == {"qtype": "causes", "question": "What causes Gout ?", "answer": "Acid."}
    assert ADVICE.group(row) is None
    assert "medquad.csv does not say what each question is about" in caplog.text


def test_a_copy_that_calls_the_kind_of_question_otherwise_is_said_to_have_no_topics_as_well(read, caplog):
    assert len(read("question_type,question,answer\ncauses,What causes Gout ?,Acid.\n", name="medquad.csv")) == 1
    assert "medquad.csv does not say what each question is about" in caplog.text


def test_rows_of_the_hub_are_kept_together_by_their_topic():
    row = {"question_focus": "Gout", "question_type": "causes", "question": "Why ?", "answer": "Acid."}
    (found,) = read_rows([row], task=ADVICE).to_list()
    assert ADVICE.group(found) == ADVICE.group({"focus": "gout"})


@pytest.mark.parametrize("name", ["focus_area", "question_focus", "Focus", "topic"])
def test_a_copy_with_topics_is_read_with_them(read, caplog, name):
    (row,) = read(f"question,answer,qtype,{name}\nWhat causes Gout ?,Acid.,causes,Gout\n", name="medquad.csv")
    assert row["focus"] == "Gout"
    assert not caplog.records


def test_an_answer_that_is_missing_in_a_table_is_named_with_its_line(read):
    with pytest.raises(DataError, match=r"medquad\.csv, line 2: column 'answer' holds ''"):
        read("qtype,Question,Answer\ncauses,What causes Gout ?,\n", name="medquad.csv")


# What is known of the published pairs


@functools.cache
def pairs():
    with PUBLISHED.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@published
def test_the_published_pairs_are_read():
    assert len(read_rows(PUBLISHED, task=ADVICE)) == len(pairs()) == 16407


@published
def test_published_questions_and_pairs_repeat():
    answers = defaultdict(set)
    for row in pairs():
        answers[row["question"]].add(row["answer"])
    assert len(pairs()) - len(answers) == 1428
    assert len(pairs()) - sum(map(len, answers.values())) == 48
    assert sum(len(found) > 1 for found in answers.values()) == 875


@published
def test_a_published_question_belongs_to_one_topic_and_some_answers_to_many():
    topics = {"question": defaultdict(set), "answer": defaultdict(set)}
    for row in pairs():
        for name, found in topics.items():
            found[row[name]].add(row["focus"].casefold().strip())
    assert max(map(len, topics["question"].values())) == 1
    shared = {answer for answer, found in topics["answer"].items() if len(found) > 1}
    counts = Counter(row["answer"] for row in pairs() if row["answer"] in shared)
    assert (len(counts), counts.total()) == (49, 588)


@published
def test_published_topics_are_written_in_several_ways():
    names = [row["focus"] for row in pairs() if row["focus"].strip()]
    groups = {ADVICE.group(row) for row in pairs()} - {None}
    assert len(pairs()) - len(names) == 14
    assert (len(set(names)), len({name.strip().casefold() for name in names}), len(groups)) == (5125, 4741, 4711)


@published
def test_published_questions_end_with_a_space_and_a_question_mark():
    assert sum(row["question"].endswith(" ?") for row in pairs()) == 16090
    assert sum(row["question"].endswith("? ?") for row in pairs()) == 322
    assert not any(ADVICE.format(row)[0].messages[1].text.endswith((" ?", "??")) for row in pairs())


@published
def test_two_thirds_of_the_published_pairs_are_of_two_sources():
    counts = Counter(row["source"] for row in pairs())
    assert counts["GHR"] + counts["GARD"] == 10819
