import json
from collections import Counter, defaultdict

import pandas as pd
import pytest
from helpers import DATA

from qlorakit import get_task, read_rows, split
from qlorakit.errors import DataError
from qlorakit.rows import input_key
from qlorakit.splits import overlap
from qlorakit.task import Output
from qlorakit_finance import qlorakit_tasks
from qlorakit_finance.fiqa import FIQA
from qlorakit_finance.gold_headlines import GOLD_HEADLINES
from qlorakit_finance.phrasebank import LABELS, PHRASEBANK
from qlorakit_finance.sentiment import SENTIMENT

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
    assert SENTIMENT in list(qlorakit_tasks())


def test_the_instruction_names_every_label():
    (example,) = SENTIMENT.format({"text": "Sales rose."})
    assert all(label in example.messages[0].text for label in LABELS)


def test_every_label_occurs_among_the_samples_without_a_company():
    alone = [row for row in SENTIMENT.samples if "target" not in row]
    assert Counter(row["label"] for row in alone) == dict.fromkeys(LABELS, 20)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_phrasebank_text_is_read_in_either_encoding(read, encoding, ending):
    assert read(ending.join(LINES) + ending, encoding=encoding) == ROWS


@pytest.mark.parametrize("name", ["Sentences.txt", "all-data.csv"])
def test_a_copy_with_typographic_quotes_from_windows_is_read(read, name):
    text = "Norvik\u2019s \u201cnet\u201d profit rose to \u20ac5 mn"
    content = f"{text}@positive\n" if name.endswith(".txt") else f"positive,{text}\n"
    assert read(content, name, encoding="cp1252") == [{"text": text, "label": "positive"}]


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


def test_the_public_data_sets_come_with_their_licences_and_traps():
    assert SENTIMENT.datasets == (PHRASEBANK, FIQA, GOLD_HEADLINES)
    assert "no commercial use" in PHRASEBANK.licence
    assert all(data.traps for data in SENTIMENT.datasets)


# A company that a row names

HEADLINE = "Norvik wins the order that Tessel had hoped for"
OPINIONS = [
    {"text": HEADLINE, "target": "Norvik", "label": "positive"},
    {"text": HEADLINE, "target": "Tessel", "label": "negative"},
]


def test_the_company_that_a_row_names_stands_in_the_prompt():
    (example,) = SENTIMENT.format(OPINIONS[0])
    assert example.messages[1].text == f"Company: Norvik\n\n{HEADLINE}"


@pytest.mark.parametrize("target", [None, "", "  "])
def test_a_row_without_a_company_is_the_text_alone(target):
    (example,) = SENTIMENT.format({"text": HEADLINE, "target": target})
    assert example.messages[1].text == HEADLINE


def test_a_company_that_is_no_text_is_named():
    with pytest.raises(DataError, match="column 'target' holds int 5"):
        SENTIMENT.format({"text": HEADLINE, "target": 5})


@pytest.mark.parametrize("target", ["positive", " Neutral", "Bullish"])
def test_a_company_that_is_a_label_is_refused(read, target):
    with pytest.raises(DataError, match=r"a\.csv, line 2: column 'target' holds '\w+', a label, where the company"):
        read(f"text,label,target\n{HEADLINE},positive,{target}\n", "a.csv")


def test_opinions_on_two_companies_do_not_conflict():
    assert repeated(OPINIONS) == (0, 0)
    assert repeated([{**row, "target": None} for row in OPINIONS]) == (1, 1)


def test_opinions_on_one_headline_stay_on_one_side():
    words = ["amber", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "ivy", "juniper"]
    rows = [
        {"text": f"{word.title()} wins what {word[::-1].title()} lost", "target": name, "label": label}
        for word in words
        for name, label in ((word.title(), "positive"), (word[::-1].title(), "negative"))
    ]
    data = split(rows, task=SENTIMENT, seed=0, near_duplicates=None)
    sides = defaultdict(set)
    for side, found in data.items():
        for row in found:
            sides[row["text"]].add(side)
    assert len(sides) == 10
    assert all(len(found) == 1 for found in sides.values())


@pytest.mark.parametrize("header", ["text,company,label", "Headline,Ticker,Sentiment"])
def test_the_company_is_read_by_its_column_names(read, header):
    assert read(f"{header}\n{HEADLINE},Norvik,bullish\n", "a.csv") == [
        {"text": HEADLINE, "target": "Norvik", "label": "bullish"}
    ]


def test_posts_are_bullish_or_bearish():
    assert [SENTIMENT.reference({"label": label}) for label in ("Bullish", "bearish")] == ["positive", "negative"]


# Scores instead of labels

FIQA_ITEMS = {
    "7": {
        "sentence": HEADLINE,
        "info": [
            {"snippets": "['wins the order']", "target": "Norvik", "sentiment_score": "0.55", "aspects": "['Stock']"},
            {"snippets": "[]", "target": "Tessel", "sentiment_score": "-0.31", "aspects": "['Stock']"},
        ],
    },
    "9": {"sentence": "Calder meets on Monday", "info": [{"target": "Calder", "sentiment_score": "0.1"}]},
}


def test_fiqa_gives_a_row_for_each_company_with_a_label_by_its_score(read):
    rows = read(json.dumps(FIQA_ITEMS, indent=1), "task1_headline_ABSA_train.json")
    assert [(row["target"], row["label"], row["score"]) for row in rows] == [
        ("Norvik", "positive", 0.55), ("Tessel", "negative", -0.31), ("Calder", "neutral", 0.1),
    ]  # fmt: skip
    assert rows[0]["text"] == rows[1]["text"] == HEADLINE


@pytest.mark.parametrize(
    "wrong", [{"sentence": "x"}, {"info": [{"target": "x", "sentiment_score": "0"}]}, "x",
              {"sentence": "x", "info": [{"target": "x", "sentiment_score": "high"}]}]
)  # fmt: skip
def test_a_fiqa_item_that_lacks_something_is_named(read, wrong):
    with pytest.raises(DataError, match=r"a\.json, item '8': .* it needs a sentence and an info list"):
        read(json.dumps({"8": wrong, "1": FIQA_ITEMS["7"]}, indent=1), "a.json")


@pytest.mark.parametrize("score", ["1.01", "-2", "nan", "inf"])
def test_a_score_beyond_one_is_named(read, score):
    opinion = {"target": "Norvik", "sentiment_score": score}
    with pytest.raises(DataError, match=rf"a\.json, item '8': the score {score} is not between -1 and 1"):
        read(json.dumps({"8": {"sentence": HEADLINE, "info": [opinion]}}, indent=1), "a.json")
    with pytest.raises(DataError, match=rf"a\.csv, line 2: the score {score} is not between -1 and 1"):
        read(f"sentence,target,score\n{HEADLINE},Norvik,{score}\n", "a.csv")


def test_fiqa_with_a_byte_order_mark_is_read(read):
    assert len(read(json.dumps(FIQA_ITEMS, indent=1), "a.json", encoding="utf-8-sig")) == 3


SCORED = [
    {"_id": "1", "sentence": f"{HEADLINE}, again", "target": "Norvik", "aspect": "[]", "score": 0.55, "type": "post"},
    {"_id": "2", "sentence": HEADLINE, "target": "Tessel", "aspect": "[]", "score": -0.31, "type": "headline"},
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_table_of_scores_is_read(tmp_path, encoding):
    pd.DataFrame(SCORED).to_csv(tmp_path / "a.csv", index=False, encoding=encoding)
    pd.DataFrame(SCORED).to_parquet(tmp_path / "a.parquet")
    found = [read_rows(tmp_path / name, task=SENTIMENT).to_list() for name in ("a.csv", "a.parquet")]
    assert found[0] == found[1]
    assert [(row["target"], row["label"], row["score"]) for row in found[0]] == [
        ("Norvik", "positive", 0.55), ("Tessel", "negative", -0.31),
    ]  # fmt: skip
    assert found[0][0]["text"] == f"{HEADLINE}, again"


@pytest.mark.parametrize(("line", "message"), [
    ("Sales rose,Norvik,high", "column 'score' holds 'high', where a number"),
    ("Sales rose,Norvik", "not as many cells"),
    ("Sales, net, rose,Norvik,0.1", "not as many cells"), ('"Sales rose,Norvik,0.1', "is a quotation mark left open"),
])  # fmt: skip
def test_a_line_of_a_table_of_scores_that_makes_no_sense_is_named(read, line, message):
    with pytest.raises(DataError, match=rf"a\.csv, line 2: .*{message}"):
        read(f"sentence,target,score\n{line}\n", "a.csv")


def test_a_row_of_a_parquet_table_without_a_score_is_named(tmp_path):
    pd.DataFrame([SCORED[0], {**SCORED[1], "score": None}]).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet, row 2: "):
        read_rows(tmp_path / "a.parquet", task=SENTIMENT)


def test_a_label_beside_a_score_counts(read):
    (row,) = read(f"sentence,target,score,label\n{HEADLINE},Norvik,-0.9,positive\n", "a.csv")
    assert row["label"] == "positive"


def test_a_parquet_file_that_is_damaged_is_named(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"a\.parquet: not a whole parquet file"):
        read_rows(tmp_path / "a.parquet", task=SENTIMENT)


def test_a_fiqa_file_that_is_cut_off_is_named(read):
    with pytest.raises(DataError, match=r"a\.json cannot be read as JSON"):
        read(json.dumps(FIQA_ITEMS, indent=1)[:-20], "a.json")


# Headlines on gold

GOLD_HEADER = "\t".join(GOLD_HEADLINES.columns)
GOLD = (
    f"{GOLD_HEADER}\n"
    '3-5-2019\thttp://a\t"gold up $4, ends at $1,290"\t1\t0\t0\t0\t1\t0\tpositive\n'
    "4-5-2019\thttp://b\tgold or silver: which glitters more?\t0\t0\t0\t1\t0\t0\tnone\n"
    "5-5-2019\thttp://c\tgold slips a little\t0\t0\t1\t0\t1\t0\tnegative\n"
)


def test_headlines_on_gold_are_read_and_those_without_a_sentiment_counted(read, caplog):
    rows = read(GOLD, "gold.csv")
    assert [(row["text"], row["label"]) for row in rows] == [
        ("gold up $4, ends at $1,290", "positive"), ("gold slips a little", "negative"),
    ]  # fmt: skip
    assert "left out 1 headlines that have no sentiment about the price" in caplog.text


def test_a_headline_on_gold_that_lacks_cells_is_named(read):
    with pytest.raises(DataError, match=r"gold\.csv, line 5: there are not as many cells"):
        read(GOLD + "6-5-2019\thttp://d\tgold waits\n", "gold.csv")


def test_headlines_that_differ_in_digits_alone_stay_on_one_side():
    news = [
        "gold rises to ${} as banks cut their rates", "bullion slips to ${} on a firmer dollar",
        "spot price holds near ${} before the vote", "jewellers buy, and an ounce costs ${} again",
        "mine strike lifts the metal to ${} in early trade", "profit taking sends futures down to ${}",
        "April contract settles at ${} in New York", "festival demand keeps local prices at ${}",
        "traders await jobs data with gold at ${}", "safe haven or not: the metal is worth ${}",
    ]  # fmt: skip
    rows = [
        {"text": text.format(price), "label": LABELS[number % 3], "news": number}
        for number, text in enumerate(news)
        for price in ("1,290.40", "1,306")
    ]
    data = split(rows, task=SENTIMENT, seed=0, validation=0.2, test=0.3)
    assert sum(len(found) for found in data.values()) == 20
    assert not set(data["train"]["news"]) & set(data["test"]["news"])


# What most sentences are


def test_where_most_are_neutral_a_constant_answer_has_a_high_accuracy_and_is_found_out_by_the_other_metrics():
    references = ["neutral"] * 60 + ["positive"] * 25 + ["negative"] * 15
    constant = [Output("neutral") for _ in references]
    found = {
        metric.name: metric.compute(constant, references, [{}] * 100)
        for metric in SENTIMENT.metrics
        if not metric.needs_scores
    }
    assert found["accuracy"] == 0.6
    assert found["macro_f1"] == pytest.approx(0.25)
    assert (found["mcc"], found["quadratic_kappa"]) == (0, 0)


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
@pytest.mark.parametrize("name", ["Sentences_AllAgree.txt", "Sentences_50Agree.txt"])
def test_the_published_text_files_are_read_as_the_latin_1_that_they_are(name):
    lines = (PUBLISHED / name).read_text(encoding="latin-1").splitlines()
    texts = read_rows(PUBLISHED / name, task=SENTIMENT)["text"]
    assert list(texts) == [line.rpartition("@")[0].strip() for line in lines]


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


@published
def test_phrasebank_is_mostly_neutral():
    labels = Counter(read_rows(PUBLISHED / "Sentences_50Agree.txt", task=SENTIMENT)["label"])
    assert labels["neutral"] / labels.total() == pytest.approx(0.594, abs=0.001)


@pytest.mark.skipif(not (DATA / "gold_headlines").is_dir(), reason=f"gold headlines are not at {DATA}")
def test_the_published_headlines_on_gold_hold_the_published_counts(caplog):
    rows = read_rows(DATA / "gold_headlines" / "gold-dataset-sinha-khandait.csv", task=SENTIMENT)
    assert Counter(rows["label"]) == {"positive": 4412, "negative": 3814, "neutral": 376}
    assert "left out 1968 headlines" in caplog.text
