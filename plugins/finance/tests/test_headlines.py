import csv
from collections import Counter

import numpy as np
import pytest
from helpers import DATA

from qlorakit import read_rows, split
from qlorakit.errors import DataError
from qlorakit.measuring import Sheet
from qlorakit.near_duplicates import normalise
from qlorakit.rows import check_rows, row_ids
from qlorakit.statistics import Resampling
from qlorakit.task import Output, Prediction
from qlorakit_finance.gold_headlines import GOLD_HEADLINES
from qlorakit_finance.headlines import HEADLINES, LABELS, QUESTIONS

PUBLISHED = DATA / "gold_headlines" / "gold-dataset-sinha-khandait.csv"
published = pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"the gold headlines are not at {PUBLISHED}")
HEADER = (
    "Dates\tURL\tNews\tPrice Direction Up\tPrice Direction Constant\tPrice Direction Down\tAsset Comparision\t"
    "Past Information\tFuture Information\tPrice Sentiment"
)
UP = '02-11-2015\tnews.example/a\t"Gold, ""safe"" again, adds $1,116.10"\t1\t0\t0\t1\t1\t0\tpositive'
AHEAD = "3/9/2014\tnews.example/b\tWhat gold may do next\t0\t0\t0\t0\t0\t1\tnone"


@pytest.fixture
def read(tmp_path):
    def write_and_read(*lines, header=HEADER, name="gold.csv", **keywords):
        path = tmp_path / name
        path.write_text("\r\n".join([header, *lines]) + "\r\n", encoding="utf-8", newline="")
        return read_rows(path, task=HEADLINES, **keywords).to_list()

    return write_and_read


def daily(days):
    """The same two headlines every day, with other numbers."""
    return [
        {"text": text.format(1200 + day, day % 7), "labels": ["price up", "past information"]}
        for day in range(days)
        for text in ("Gold settles {} dollars an ounce, up {}", "Bullion ends day {} at its best in {} weeks")
    ]


# The task


def test_the_samples_are_valid():
    check_rows(HEADLINES.samples, HEADLINES, labelled=True)
    assert len({row["text"] for row in HEADLINES.samples}) == len(HEADLINES.samples) >= 36


def test_every_label_occurs_and_is_absent_among_the_samples():
    counts = Counter(label for row in HEADLINES.samples for label in row["labels"])
    assert all(8 <= counts[label] <= len(HEADLINES.samples) - 8 for label in LABELS)
    assert len({tuple(row["labels"]) for row in HEADLINES.samples}) >= 12


def test_the_samples_are_enough_for_a_split():
    assert set(split(HEADLINES.samples, task=HEADLINES, seed=0)) == {"train", "validation", "test"}


def test_each_question_is_asked_after_the_headline():
    examples = HEADLINES.format({"text": "Gold falls", "labels": ["price down"]})
    assert [example.messages[1].text for example in examples] == [
        f"Gold falls\n\n{text}" for text in QUESTIONS.values()
    ]
    assert [example.target for example in examples] == ["no", "no", "yes", "no", "no", "no"]


def test_an_answer_comes_back_as_the_reference():
    for row in HEADLINES.samples:
        predictions = [
            Prediction(example.target, logprobs={choice: -9.0 * (choice != example.target) for choice in ("yes", "no")})
            for example in HEADLINES.format(row)
        ]
        assert HEADLINES.parse(row, HEADLINES.format(row), predictions).value == HEADLINES.reference(row)


def test_always_answering_past_and_never_future_is_often_right_and_worth_nothing():
    references = [("past information",)] * 97 + [("future information",)] * 3
    outputs = [Output(("past information",))] * 100
    found = {metric.name: metric for metric in HEADLINES.metrics if not metric.needs_scores}
    values = {name: metric.compute(outputs, references, [{}] * 100) for name, metric in found.items()}
    assert list(found)[:2] == ["multilabel_macro_f1", "multilabel_mcc"]
    assert values["exact_match"] == 0.97
    assert values["multilabel_macro_f1"] < 0.5
    assert values["multilabel_mcc"] == 0


def test_no_class_of_headlines_without_labels_is_measured():
    assert not any("none" in metric.name for metric in HEADLINES.metrics)
    assert len(HEADLINES.classes([Output(())], [LABELS])) == 6


def test_the_public_data_set_comes_with_its_licence_and_traps():
    assert HEADLINES.datasets == (GOLD_HEADLINES,)
    assert "non-commercial" in GOLD_HEADLINES.licence
    assert GOLD_HEADLINES.traps


# Near-duplicates


def test_headlines_that_differ_in_numbers_alone_are_one_group():
    groups = {HEADLINES.group(row) for row in daily(20)}
    assert len(groups) == 2
    assert HEADLINES.group({"text": "Gold adds $1,116.10"}) == HEADLINES.group({"text": "GOLD adds  $98"})


@pytest.mark.parametrize("text", ["?!", "..."])
def test_a_headline_without_words_is_a_group_of_its_own(text):
    assert HEADLINES.group({"text": text}) == text


def test_headlines_that_differ_in_numbers_alone_stay_on_one_side():
    rows = [*HEADLINES.samples, *daily(20)]
    sides = split(rows, task=HEADLINES, seed=0)
    found = [{HEADLINES.group(row) for row in side} for side in sides.values()]
    assert sum(map(len, sides.values())) == len(rows)
    assert sum(map(len, found)) == len(set.union(*found))


def test_headlines_that_differ_in_numbers_alone_are_resampled_together():
    rows = [*HEADLINES.samples, *daily(20)]
    groups = Sheet.of(HEADLINES, rows, row_ids(rows), Resampling()).groups
    assert len(set(groups)) == len(HEADLINES.samples) + 2


# The published file


def test_the_published_columns_are_read_as_labels(read):
    assert read(UP, AHEAD) == [
        {
            "text": 'Gold, "safe" again, adds $1,116.10',
            "labels": ["price up", "asset comparison", "past information"],
            "date": "2015-11-02",
        },
        {"text": "What gold may do next", "labels": ["future information"], "date": "2014-09-03"},
    ]


def test_the_misspelt_column_may_be_spelt_right(read):
    row = read(UP, header=HEADER.replace("Comparision", "Comparison"))[0]
    assert "asset comparison" in row["labels"]


@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("space", ["", " "])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_published_columns_are_read_with_commas_or_tabs_and_spaces_in_the_header(
    tmp_path, delimiter, space, encoding
):
    path = tmp_path / "gold.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        file.write(delimiter.join(f"{space}{name}{space}" for name in HEADER.split("\t")) + "\r\n")
        csv.writer(file, delimiter=delimiter).writerows(csv.reader([UP, AHEAD], delimiter="\t"))
    rows = read_rows(path, task=HEADLINES).to_list()
    assert [(row["text"], row["date"]) for row in rows] == [
        ('Gold, "safe" again, adds $1,116.10', "2015-11-02"), ("What gold may do next", "2014-09-03"),
    ]  # fmt: skip
    assert rows[1]["labels"] == ["future information"]


def test_a_quotation_mark_left_open_is_named_with_its_line(read):
    with pytest.raises(DataError, match=r"gold\.csv, line 3: .*; is a quotation mark left open\?"):
        read(UP, AHEAD.replace("What", '"What'))


@pytest.mark.parametrize("cell", ["2", "yes", ""])
def test_a_cell_that_is_neither_0_nor_1_is_named_with_its_line(read, cell):
    wrong = AHEAD.replace("\t0\t1\tnone", f"\t{cell}\t1\tnone")
    with pytest.raises(DataError, match=rf"gold\.csv, line 3: column 'Past Information' holds '{cell}', where 0"):
        read(UP, wrong)


def test_dates_that_cannot_be_read_are_empty_and_counted(read, caplog):
    rows = read(UP, AHEAD.replace("3/9/2014", "0201-04-27"))
    assert [row["date"] for row in rows] == ["2015-11-02", None]
    assert "gold.csv: 1 dates, such as those with a damaged year, cannot be read and are empty" in caplog.text


def test_a_headline_without_any_label_is_one(read):
    assert read(UP, AHEAD.replace("\t1\tnone", "\t0\tnone"))[1]["labels"] == []


def test_a_file_without_the_six_columns_is_read_by_its_column_names(read):
    rows = read("Gold falls\tprice down;past information", header="Headline\tlabels", name="gold.tsv")
    assert HEADLINES.reference(rows[0]) == ("price down", "past information")


@pytest.fixture(scope="module")
def rows():
    return read_rows(PUBLISHED, task=HEADLINES).to_list()


@published
def test_the_published_file_holds_the_published_counts(rows):
    assert len(rows) == 10570
    assert Counter(label for row in rows for label in row["labels"]) == {
        "price up": 4412, "price constant": 444, "price down": 3912, "asset comparison": 2001,
        "past information": 10252, "future information": 319,
    }  # fmt: skip
    assert all(row["labels"] for row in rows)
    assert sum(row["date"] is None for row in rows) == 165


@published
def test_a_random_split_of_the_published_file_leaks_and_this_one_does_not(rows):
    shuffled = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))]
    fifth = len(rows) // 5
    assert shared(shuffled[:fifth], shuffled[fifth:]) > 0.12 * fifth
    sides = split(rows, task=HEADLINES, seed=0)
    assert shared(sides["test"], sides["train"]) == shared(sides["validation"], sides["train"]) == 0


def shared(rows, others):
    """How many rows equal one of the others up to digits."""
    known = {normalise(row["text"]) for row in others}
    return sum(normalise(row["text"]) in known for row in rows)
