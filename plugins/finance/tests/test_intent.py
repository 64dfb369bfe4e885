import json
from collections import Counter

import pytest
from helpers import DATA

from qlorakit import read_rows, split
from qlorakit.errors import DataError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.rows import check_rows
from qlorakit.splits import overlap
from qlorakit.task import Output, Prediction
from qlorakit_finance.intent import BANKING77, INTENT, LABELS

PUBLISHED = DATA / "banking77"
published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"banking77 is not at {PUBLISHED}")


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="train.csv", **keywords):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8", newline="")
        return read_rows(path, task=INTENT, **keywords).to_list()

    return write_and_read


# The task


def test_there_are_two_samples_of_every_intent():
    check_rows(INTENT.samples, INTENT, labelled=True)
    assert Counter(row["label"] for row in INTENT.samples) == dict.fromkeys(LABELS, 2)


def test_no_two_samples_are_near_duplicates():
    groups = near_duplicate_groups([row["text"] for row in INTENT.samples], threshold=0.5)
    assert len(set(groups.tolist())) == len(INTENT.samples) == 154


def test_the_samples_are_enough_for_a_split_that_trains_on_every_intent():
    sides = split(INTENT.samples, task=INTENT, seed=0)
    assert set(sides["train"]["label"]) == set(LABELS)
    assert all(len(sides[side]) >= 10 for side in ("validation", "test"))


def test_an_answer_comes_back_as_the_reference():
    for row in INTENT.samples:
        (example,) = INTENT.format(row)
        assert example.choices == LABELS
        assert INTENT.parse(row, [example], [Prediction(example.target)]).value == row["label"]


def test_the_instruction_is_short_and_lists_no_intents():
    (example,) = INTENT.format(INTENT.samples[0])
    assert len(example.messages[0].text) < 100
    assert not any(label in example.messages[0].text for label in LABELS)


def test_top_3_accuracy_stands_third_and_counts_near_misses():
    metric = INTENT.metrics[2]
    scores = dict.fromkeys(LABELS, 0.0) | {"change_pin": 0.5, "pin_blocked": 0.3, "passcode_forgotten": 0.2}
    outputs = [Output("change_pin", scores)] * 2
    assert metric.name == "top_3_accuracy"
    assert metric.compute(outputs, ["pin_blocked", "age_limit"], [{}] * 2) == 0.5


def test_the_public_data_set_comes_with_its_licence_and_traps():
    assert INTENT.datasets == (BANKING77,)
    assert BANKING77.licence == "CC BY 4.0"
    assert BANKING77.traps


# Files


@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("Refund_not_showing_up", "Refund_not_showing_up"),
        ("refund_not_showing_up", "Refund_not_showing_up"),
        ("refund not showing up", "Refund_not_showing_up"),
        ("reverted_card_payment?", "reverted_card_payment?"),
        ("reverted_card_payment", "reverted_card_payment?"),
        ("Reverted card payment", "reverted_card_payment?"),
        ("reverted card payment?", "reverted_card_payment?"),
        ("apple pay or google pay", "apple_pay_or_google_pay"),
        ("visa_or_mastercard", "visa_or_mastercard"),
    ],
)
def test_intents_are_known_however_they_are_spelt(read, written, label):
    (row,) = read(f"text,category\r\nWhere is it?,{written}\r\n")
    assert INTENT.reference(row) == label


@pytest.mark.parametrize("label", LABELS)
def test_every_intent_is_known_without_underscores(label):
    assert INTENT.reference({"label": label.replace("_", " ").upper()}) == label


@pytest.mark.parametrize("text", ["\n\nWhere is it?", "  Where is it?", "Where is it?\n"])
def test_white_space_around_a_request_is_kept_in_the_row_and_not_asked(read, text):
    (row,) = read(f'text,category\r\n"{text}",card_arrival\r\n')
    assert row["text"] == text
    assert INTENT.format(row)[0].messages[1].text == "Where is it?"


@pytest.mark.parametrize(("text", "label"), [("text", "category"), ("query", "intent"), ("Utterance", "Label")])
def test_json_lines_are_read_by_their_column_names(read, text, label):
    row = json.dumps({text: "Where is it?", label: "card_arrival"})
    assert read(row, "a.jsonl") == [{"text": "Where is it?", "label": "card_arrival"}]


def test_an_unknown_intent_is_named_with_its_line(read):
    with pytest.raises(DataError, match=r"train\.csv, line 2: .*unknown label 'card_arival'.*'card_arrival'\?"):
        read("text,category\nWhere is it?,card_arival\n")


@published
def test_the_intents_are_those_published():
    names = json.loads((PUBLISHED / "categories.json").read_text(encoding="utf-8"))
    assert list(LABELS) == names


@published
@pytest.mark.parametrize(("name", "rows", "fewest", "padded"), [("train", 10003, 35, 9), ("test", 3080, 40, 3)])
def test_the_published_files_hold_the_published_counts(name, rows, fewest, padded):
    found = read_rows(PUBLISHED / f"{name}.csv", task=INTENT).to_list()
    counts = Counter(map(INTENT.reference, found))
    assert (len(found), len(counts), min(counts.values())) == (rows, 77, fewest)
    assert sum(row["text"] != row["text"].strip() for row in found) == padded


@published
def test_seven_published_test_requests_are_in_the_training_file():
    train, test = (read_rows(PUBLISHED / f"{name}.csv", task=INTENT) for name in ("train", "test"))
    assert len(overlap(train, test, INTENT)) == 7
