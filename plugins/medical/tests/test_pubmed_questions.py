import json
import logging
from collections import Counter

import pytest
from helpers import DATA

from qlorakit import read_rows, split, split_by_column
from qlorakit.encoding import Encoder
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.testing import small_tokenizer
from qlorakit_medical.questions import LABELS, PUBMEDQA, QUESTIONS

PUBLISHED = DATA / "pubmedqa" / "ori_pqal.json"
published = pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"PubMedQA is not at {PUBLISHED}")
ENTRY = {
    "QUESTION": "Does tea calm?",
    "CONTEXTS": ["Forty people drank tea.", "Their pulse fell."],
    "LABELS": ["METHODS", "RESULTS"],
    "MESHES": ["Tea"],
    "YEAR": "2001",
    "reasoning_required_pred": "no",
    "reasoning_free_pred": "maybe",
    "final_decision": "yes",
    "LONG_ANSWER": "Tea calms indeed.",
}
HUB = {
    "pubid": 11,
    "question": "Does tea calm?",
    "context": {"contexts": ENTRY["CONTEXTS"], "labels": ENTRY["LABELS"], "meshes": ENTRY["MESHES"]},
    "long_answer": "Tea calms indeed.",
    "final_decision": "yes",
}


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="ori_pqal.json", test_ids=None, **keywords):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        if test_ids is not None:
            (tmp_path / "test_ground_truth.json").write_text(json.dumps(test_ids))
        return read_rows(path, task=QUESTIONS, **keywords).to_list()

    return write_and_read


def shown(row):
    return QUESTIONS.format(row)[0].messages[1].text


# The task


def test_there_are_four_samples_of_every_answer():
    assert Counter(row["label"] for row in QUESTIONS.samples) == dict.fromkeys(LABELS, 4)


def test_no_two_samples_are_near_duplicates():
    groups = near_duplicate_groups(list(map(shown, QUESTIONS.samples)), threshold=0.5)
    assert len(set(groups.tolist())) == len(QUESTIONS.samples) == 12


def test_the_samples_are_enough_for_a_split():
    assert set(split(QUESTIONS.samples, task=QUESTIONS, seed=0)) == {"train", "validation", "test"}


def test_the_public_data_set_comes_with_its_licence_and_traps():
    assert QUESTIONS.datasets == (PUBMEDQA,)
    assert PUBMEDQA.licence == "MIT"
    assert PUBMEDQA.traps


# What is asked


@pytest.mark.parametrize("abstract", ["Tea. Pulse.", ["Tea.", "Pulse."], {"contexts": ["Tea.", "Pulse."]}])
def test_the_question_stands_before_the_abstract_in_every_form_of_it(abstract):
    row = {"question": " Does tea calm? ", "abstract": abstract}
    assert shown(row).split() == ["Does", "tea", "calm?", "Tea.", "Pulse."]
    assert shown(row).startswith("Does tea calm?\n\n")


def test_where_a_text_is_too_long_the_abstract_is_cut_and_the_question_is_not():
    row = {"question": "Does green tea calm?", "abstract": "They drank tea . " * 400}
    tokenizer = small_tokenizer([shown(row), QUESTIONS.format(row)[0].messages[0].text])
    prompt = tokenizer.decode(Encoder(tokenizer, max_length=200).encode(QUESTIONS.format(row)[0]).prompt)
    assert "Does green tea calm?" in prompt
    assert prompt.count("They drank tea") < 100


@pytest.mark.parametrize(
    "abstract", [[], ["Tea.", ""], ["Tea.", None], {"contexts": []}, {"contexts": None}, {}, "", None]
)
def test_an_abstract_with_nothing_to_read_is_refused_by_its_name(abstract):
    with pytest.raises(DataError, match="column 'abstract'"):
        QUESTIONS.format({"question": "Does tea calm?", "abstract": abstract})


@pytest.mark.parametrize("told", ["long_answer", "reasoning_required_pred", "reasoning_free_pred"])
@pytest.mark.parametrize("column", ["question", "abstract"])
def test_what_tells_the_answer_is_refused_as_an_input(told, column):
    row = {**HUB, "abstract": "Tea.", "reasoning_required_pred": "no", "reasoning_free_pred": "no"}
    del row["context"]
    with pytest.raises(ConfigurationError, match=f"refuses '{told}' of the rows as its column '{column}'"):
        read_rows([row], task=QUESTIONS, columns={column: told})


# Files


def test_an_entry_becomes_a_row_that_keeps_all_and_shows_question_and_abstract_alone(read):
    (row,) = read({"11": ENTRY})
    assert shown(row) == "Does tea calm?\n\nForty people drank tea.\nTheir pulse fell."
    assert (row["pubid"], row["label"], row["year"]) == ("11", "yes", "2001")
    assert (row["sections"], row["meshes"]) == (["METHODS", "RESULTS"], ["Tea"])
    assert (row["long_answer"], row["reasoning_free_pred"]) == ("Tea calms indeed.", "maybe")
    assert len(row) == len(ENTRY) + 1


def test_rows_of_the_hub_are_read_by_their_column_names(read):
    (row,) = read_rows([HUB], task=QUESTIONS).to_list()
    assert shown(row) == "Does tea calm?\n\nForty people drank tea.\nTheir pulse fell."
    assert QUESTIONS.reference(row) == "yes"


@pytest.mark.parametrize("indent", [None, 4])
def test_a_file_is_known_by_its_content_however_it_is_written(read, indent):
    assert len(read(json.dumps({"11": ENTRY, "12": ENTRY}, indent=indent), "a.json")) == 2


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_is_known_whatever_the_order_of_its_keys(read, mark):
    turned = dict(reversed({**ENTRY, "MESHES": ["Tea"] * 30}.items()))
    (row,) = read(mark + json.dumps({"11": turned}, indent=4))
    assert shown(row) == "Does tea calm?\n\nForty people drank tea.\nTheir pulse fell."
    assert row["pubid"] == "11"


def test_a_list_of_entries_is_read_as_other_tables_are(read):
    (row,) = read([{key: ENTRY[key] for key in ("QUESTION", "CONTEXTS", "final_decision")}])
    assert shown(row) == "Does tea calm?\n\nForty people drank tea.\nTheir pulse fell."
    assert QUESTIONS.reference(row) == "yes"


@pytest.mark.parametrize("key", ["label", "question", "pubid", "Abstract", "sections", "long_answer"])
def test_a_key_that_would_stand_for_another_column_is_refused(read, key):
    with pytest.raises(DataError, match=f"entry '11': .* would be the column '{key.lower()}', which there is already"):
        read({"11": {**ENTRY, key: "no"}})


@pytest.mark.parametrize(
    "whole", ['{"11": ENTRY, "11": ENTRY}', '{"11": {"YEAR": "2001", "QUESTION": "Why?", "YEAR": 1}}']
)
def test_a_name_that_occurs_twice_is_refused(read, whole):
    with pytest.raises(DataError, match=r"the name '(11|YEAR)' occurs twice in an object"):
        read(whole.replace("ENTRY", json.dumps(ENTRY)))


def test_rows_without_an_answer_can_be_asked(read):
    unlabelled = {key: cell for key, cell in ENTRY.items() if key != "final_decision"}
    (row,) = read({"11": unlabelled}, labelled=False)
    assert QUESTIONS.format(row)[0].target is None
    with pytest.raises(DataError, match="column 'label' is empty"):
        read({"11": unlabelled})


def test_the_official_test_rows_are_told_where_their_ids_stand_beside_the_file(read, caplog):
    with caplog.at_level(logging.WARNING):
        rows = read({"11": ENTRY, "12": {**ENTRY, "QUESTION": "Does milk?"}}, test_ids={"12": "yes", "99": "no"})
    assert [row["published_split"] for row in rows] == ["train", "test"]
    assert "column 'published_split' says that 1 of 2 rows are the official test" in caplog.text
    sides = split_by_column(rows, task=QUESTIONS, column="published_split")
    assert {name: side["pubid"] for name, side in sides.items()} == {"train": ["11"], "test": ["12"]}


def test_test_ids_of_other_rows_are_not_used(read, caplog):
    (row,) = read({"11": ENTRY}, test_ids={"98": "yes", "99": "no"})
    assert "published_split" not in row
    assert "test_ground_truth.json beside it names none of its rows and is not used" in caplog.text


def test_test_ids_with_another_answer_are_refused(read):
    with pytest.raises(DataError, match=r"entry '12': the answer is 'yes', but 'no' in test_ground_truth\.json"):
        read({"11": ENTRY, "12": ENTRY}, test_ids={"11": "Yes", "12": "no"})


def test_test_ids_serve_rows_without_an_answer(read):
    (row,) = read({"11": {**ENTRY, "final_decision": None}}, test_ids={"11": "yes"}, labelled=False)
    assert (row["published_split"], row["label"]) == ("test", None)


def test_without_these_ids_there_is_no_such_column(read, caplog):
    (row,) = read({"11": ENTRY})
    assert "published_split" not in row
    assert not caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"11": ENTRY, "12": {"QUESTION": "Why?"}}, r"ori_pqal\.json, entry '12': CONTEXTS is missing"),
        ({"11": ENTRY, "12": {**ENTRY, "QUESTION": " "}}, r"entry '12': QUESTION is missing"),
        ({"11": ENTRY, "12": "text"}, r"entry '12': QUESTION is missing"),
        (json.dumps({"11": ENTRY})[:-9], r"ori_pqal\.json cannot be read as JSON .*download it once more"),
        ({"11": {**ENTRY, "final_decision": "perhaps"}}, r"unknown label 'perhaps'; allowed: 'yes', 'no', 'maybe'"),
        ({"11": {**ENTRY, "CONTEXTS": ["Tea.", 3]}}, r"column 'abstract' holds a list of 2 parts"),
    ],
)
def test_an_entry_that_makes_no_sense_is_named(read, content, message):
    with pytest.raises(DataError, match=message):
        read(content)


def test_a_damaged_list_of_test_ids_is_named(read):
    with pytest.raises(DataError, match=r"test_ground_truth\.json holds a list where entries"):
        read({"11": ENTRY}, test_ids=["11"])


# The published file


@pytest.fixture(scope="module")
def rows():
    return read_rows(PUBLISHED, task=QUESTIONS).to_list()


@published
def test_the_published_file_holds_the_published_counts(rows):
    assert Counter(map(QUESTIONS.reference, rows)) == {"yes": 552, "no": 338, "maybe": 110}
    test = [row for row in rows if row["published_split"] == "test"]
    assert Counter(map(QUESTIONS.reference, test)) == {"yes": 276, "no": 169, "maybe": 55}
    assert len({shown(row) for row in rows}) == 1000


@published
def test_no_published_abstract_holds_its_conclusion(rows):
    assert not [row for row in rows if row["long_answer"].strip() in shown(row)]
    assert not [name for row in rows for name in row["sections"] if "CONCLUSION" in name.upper()]


@published
def test_annotators_answers_would_tell_nearly_every_published_label(rows):
    guesses = ("reasoning_free_pred", "reasoning_required_pred")
    assert sum(QUESTIONS.reference(row) in {row[name] for name in guesses} for row in rows) == 996
