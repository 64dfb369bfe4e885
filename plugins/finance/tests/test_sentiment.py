import json
from collections import Counter, defaultdict

import pytest
from helpers import DATA

from qlorakit import get_task, read_rows, split
from qlorakit.errors import DataError
from qlorakit.rows import check_rows, input_key
from qlorakit.splits import overlap
from qlorakit.task import Prediction
from qlorakit_finance import qlorakit_tasks
from qlorakit_finance.sentiment import LABELS, PHRASEBANK, SENTIMENT

PUBLISHED = DATA / "financial_phrasebank"
published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"Financial PhraseBank is not at {PUBLISHED}")
LINES = ["Ölandet's profit rose to EUR 5 mn@positive", "Mail ir@norvik.example for the report .@neutral"]
ROWS = [
    {"text": "Ölandet's profit rose to EUR 5 mn", "label": "positive"},
    {"text": "Mail ir@norvik.example for the report .", "label": "neutral"},
]


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="Sentences.txt", *, encoding="utf-8", **keywords):
        path = tmp_path / name
        path.write_bytes(content.encode(encoding))
        return read_rows(path, task=SENTIMENT, **keywords).to_list()

    return write_and_read


def repeated(rows):
    # How many rows repeat the question of an earlier one, and how many questions have several labels.
    labels = defaultdict(set)
    for row in rows:
        labels[input_key(row, SENTIMENT)].add(row["label"])
    return len(rows) - len(labels), sum(len(found) > 1 for found in labels.values())


def test_the_plugin_supplies_the_task_under_its_name():
    assert get_task("finance/sentiment") is SENTIMENT
    assert list(qlorakit_tasks()) == [SENTIMENT]


def test_the_instruction_names_every_label():
    (example,) = SENTIMENT.format({"text": "Sales rose."})
    assert all(label in example.messages[0].text for label in LABELS)


def test_the_samples_are_valid():
    check_rows(SENTIMENT.samples, SENTIMENT, labelled=True)


def test_the_samples_are_distinct():
    assert repeated(SENTIMENT.samples) == (0, 0)


def test_every_label_occurs_equally_often_among_the_samples():
    assert Counter(row["label"] for row in SENTIMENT.samples) == dict.fromkeys(LABELS, 20)


def test_the_samples_are_enough_for_a_split():
    assert {side: len(rows) for side, rows in split(SENTIMENT.samples, task=SENTIMENT, seed=0).items()} == {
        "train": 42, "validation": 6, "test": 12,
    }  # fmt: skip


def test_an_answer_comes_back_as_the_reference():
    for row in SENTIMENT.samples:
        examples = SENTIMENT.format(row)
        predictions = [Prediction(example.target) for example in examples]
        assert SENTIMENT.parse(row, examples, predictions).value == SENTIMENT.reference(row) == row["label"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_phrasebank_text_is_read_in_either_encoding(read, encoding, ending):
    assert read(ending.join(LINES) + ending, encoding=encoding) == ROWS


def test_the_last_at_sign_separates_the_label(read):
    assert read(LINES[1])[0] == ROWS[1]


def test_blank_lines_of_phrasebank_text_are_skipped(read):
    assert read(f"\n{LINES[0]}\n  \n{LINES[1]}\n\n") == ROWS


def test_a_line_without_an_at_sign_is_named(read):
    with pytest.raises(DataError, match=r"Sentences\.txt, line 3: no '@' between sentence and label in 'Sales rose'"):
        read(f"{LINES[0]}\n\nSales rose\n")


@pytest.mark.parametrize(("between", "line"), [("", 2), ("\n\n", 4)])
def test_an_unknown_label_of_phrasebank_text_is_named_with_its_line(read, between, line):
    with pytest.raises(DataError, match=rf"Sentences\.txt, line {line}: .*unknown label 'positiv'.*'positive'\?"):
        read(f"{LINES[0]}\n{between}Sales rose@positiv\n")


def test_a_sentence_without_text_is_named(read):
    with pytest.raises(DataError, match=r"line 2: column 'text' is empty"):
        read(f"{LINES[0]}\n@neutral\n")


def test_text_that_is_no_phrasebank_is_not_taken_for_it(read):
    with pytest.raises(ValueError, match=r"cannot tell how to read \.txt.*PhraseBank"):
        read("Sales rose.\nSales fell.\n")


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_csv_without_a_header_is_read_in_either_encoding(read, encoding, quote):
    content = f'{quote}positive{quote},"{ROWS[0]["text"]}"\nneutral,{ROWS[1]["text"]}\n'
    assert read(content, "all-data.csv", encoding=encoding) == ROWS


def test_a_sentence_with_commas_and_quotes_is_read_from_a_csv_without_a_header(read):
    assert read('neutral,"Sales, ""net"", were 5 mn"\n', "a.csv")[0]["text"] == 'Sales, "net", were 5 mn'


def test_a_sentence_with_a_bare_comma_is_named(read):
    with pytest.raises(DataError, match=r"a\.csv, (row|line) 2: 3 cells where a label and a sentence are expected"):
        read("neutral,Sales rose\nneutral,Sales, net\n", "a.csv")


def test_a_quotation_mark_left_open_swallows_no_rows(read):
    with pytest.raises(DataError, match=r"a\.csv"):
        read('neutral,Sales rose\nneutral,"Sales fell\npositive,Sales rose again\n', "a.csv")


def test_an_unknown_label_of_a_csv_without_a_header_is_named_with_its_line(read):
    with pytest.raises(DataError, match=r"a\.csv, line 3: .*unknown label 'positiv'"):
        read('neutral,"Sales\nrose"\npositiv,Sales fell\n', "a.csv")


@pytest.mark.parametrize("header", ["text,label", "Sentence,Sentiment", "headline,class", "tweet,answer"])
def test_a_csv_with_a_header_is_read_by_its_column_names(read, header):
    assert read(f"{header}\n{ROWS[0]['text']},Positive\n", "a.csv") == [{**ROWS[0], "label": "Positive"}]


def test_json_lines_are_read_by_their_column_names(read):
    lines = [json.dumps({"sentiment": row["label"], "headline": row["text"]}) for row in ROWS]
    assert read("\n".join(lines), "a.jsonl") == [{"label": row["label"], "text": row["text"]} for row in ROWS]


def test_rows_for_prediction_need_no_label(read):
    assert read("headline\nSales rose\n", "a.csv", labelled=False) == [{"text": "Sales rose"}]


def test_the_public_data_set_comes_with_its_licence_and_traps():
    assert SENTIMENT.datasets == (PHRASEBANK,)
    assert "no commercial use" in PHRASEBANK.licence
    assert PHRASEBANK.traps


@published
@pytest.mark.parametrize(
    ("name", "rows", "counts"),
    [
        ("Sentences_AllAgree.txt", 2264, {"positive": 570, "neutral": 1391, "negative": 303}),
        ("Sentences_50Agree.txt", 4846, {"positive": 1363, "neutral": 2879, "negative": 604}),
        ("all-data.csv", 4846, {"positive": 1363, "neutral": 2879, "negative": 604}),
    ],
)
def test_the_published_files_hold_the_published_counts(name, rows, counts):
    found = read_rows(PUBLISHED / name, task=SENTIMENT)
    assert len(found) == rows
    assert Counter(found["label"]) == counts


@published
@pytest.mark.parametrize(("name", "expected"), [("Sentences_AllAgree.txt", (5, 0)), ("Sentences_50Agree.txt", (8, 2))])
def test_the_published_repeats_and_conflicts_are_found(name, expected):
    assert repeated(read_rows(PUBLISHED / name, task=SENTIMENT).to_list()) == expected


def test_training_on_one_agreement_level_and_testing_on_another_is_found(tmp_path):
    sure, less_sure = tmp_path / "AllAgree.txt", tmp_path / "50Agree.txt"
    sure.write_text("Profit rose at Norvik@positive\nTessel cuts jobs@negative\n", encoding="latin-1")
    less_sure.write_text(sure.read_text() + "Calder moves its office@neutral\n", encoding="latin-1")
    train, test = (read_rows(path, task=SENTIMENT) for path in (sure, less_sure))
    assert overlap(train, test, SENTIMENT) == [0, 1]
