import csv
import json
import math
from collections import Counter

import datasets
import numpy as np
import pandas as pd
import pytest
from helpers import DATA, write_jsonl
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from qlorakit import read_rows, split
from qlorakit.errors import DataError, PluginError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.task import Output
from qlorakit.testing import check_task, outputs_of, perfect_predictions
from qlorakit_legal.unfair import LABELS, UNFAIR, UNFAIR_TOS, company_of, unfair_task

PUBLISHED = DATA / "lexglue_samples" / "unfair_tos.jsonl"
published = pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"the UNFAIR-ToS sample is not at {PUBLISHED}")
TEXT = "we can end this at any time ( or change it )."


def measured(name, values, references):
    (metric,) = [metric for metric in UNFAIR.metrics if metric.name == name]
    return metric.compute(list(map(Output, values)), references, [{}] * len(references))


def references(rows):
    return list(map(UNFAIR.reference, rows))


# The task


def test_the_other_form_keeps_what_the_core_relies_on():
    check_task(unfair_task("questions"))


def test_another_form_is_refused():
    with pytest.raises(PluginError, match="encoding='both': must be 'questions' or 'ranking'"):
        unfair_task("both")


def test_samples_have_every_label_twice_and_some_none_or_two():
    found = references(UNFAIR.samples)
    assert min(Counter(label for labels in found for label in labels).values()) >= 2
    assert Counter(map(len, found)) == {0: 5, 1: 13, 2: 2}


def test_no_two_samples_are_near_duplicates():
    groups = near_duplicate_groups([row["text"] for row in UNFAIR.samples], threshold=0.8)
    assert len(set(groups.tolist())) == len(UNFAIR.samples)


def test_the_public_data_set_comes_with_its_licence_and_traps():
    assert UNFAIR.datasets == (UNFAIR_TOS,)
    assert UNFAIR_TOS.licence.startswith("CC BY 4.0")
    assert UNFAIR_TOS.traps


# What is asked


def test_a_ranking_asks_one_question_whose_choices_are_the_labels_and_none():
    (example,) = UNFAIR.format({"text": TEXT, "labels": ["Unilateral change", "Unilateral termination"]})
    assert example.choices == (*LABELS, "none")
    assert example.right == ("Unilateral termination", "Unilateral change")
    assert example.messages[1].text == TEXT


def test_a_sentence_without_labels_is_learned_as_none():
    (example,) = UNFAIR.format({"text": TEXT, "labels": []})
    assert example.right == ("none",)


def test_questions_ask_for_each_label_by_its_description():
    examples = unfair_task("questions").format({"text": TEXT, "labels": ["Arbitration"]})
    assert [example.target for example in examples] == ["no"] * 7 + ["yes"]
    assert examples[7].messages[1].text == f"{TEXT}\n\nDoes it say that disputes go to arbitration instead of a court?"


def test_the_company_is_never_shown():
    one, other = ({"text": TEXT, "labels": [], "company": name} for name in ("brightparcel", "quillbox"))
    assert UNFAIR.format(one) == UNFAIR.format(other)


def test_sentences_of_one_company_stay_on_one_side():
    sides = split(UNFAIR.samples, task=UNFAIR, seed=0)
    companies = [set(map(company_of, side)) for side in sides.values()]
    assert len(set.union(*companies)) == sum(map(len, companies)) == 10


@pytest.mark.parametrize("company", [None, "", "  ", math.nan])
def test_a_sentence_of_no_known_company_is_tied_to_no_other(company):
    assert company_of({"company": company}) is None
    assert company_of({}) is None


# "No label" as LexGLUE counts it


def test_a_row_without_labels_counts_as_one_of_a_ninth_class():
    """Nine classes by hand: two of arbitration, one right; one of jurisdiction, missed; three of none, two right.

    Arbitration: one right, one missed, one false alarm, F1 1/2.  Jurisdiction: missed, F1 0.  None: two right, one
    missed, one false alarm, F1 2/3.  Altogether three right, three missed, two false alarms: 6 / (6 + 5).
    """
    truth = [("Arbitration",), ("Arbitration", "Jurisdiction"), (), (), ()]
    answers = [("Arbitration",), (), (), (), ("Arbitration",)]
    assert measured("multilabel_macro_f1_with_none", answers, truth) == pytest.approx((1 / 2 + 0 + 2 / 3) / 3)
    assert measured("multilabel_micro_f1_with_none", answers, truth) == pytest.approx(6 / 11)


def lexglue(values, average):
    """F1 as LexGLUE's program has it: indicators of eight labels, and a ninth of there being none."""
    truth, answers = ([[int(label in row) for label in LABELS] + [int(not row)] for row in side] for side in values)
    return f1_score(truth, answers, average=average, zero_division=0)


SOME = st.lists(st.sets(st.sampled_from(LABELS), max_size=2).map(tuple), min_size=1, max_size=8)


@given(SOME, st.data())
def test_both_f1_are_those_of_lexglue_where_every_class_occurs(some, data):
    truth = [*((label,) for label in LABELS), (), *some]
    answers = data.draw(st.lists(st.sampled_from(truth), min_size=len(truth), max_size=len(truth)))
    for average in ("macro", "micro"):
        found = measured(f"multilabel_{average}_f1_with_none", answers, truth)
        assert found == pytest.approx(lexglue((truth, answers), average))


def test_macro_f1_comes_first():
    assert UNFAIR.metrics[0].name == "multilabel_macro_f1_with_none"


def test_right_predictions_have_a_perfect_macro_f1():
    outputs = outputs_of(UNFAIR, UNFAIR.samples, perfect_predictions(UNFAIR, UNFAIR.samples))
    assert UNFAIR.metrics[0].compute(outputs, references(UNFAIR.samples), UNFAIR.samples) == 1.0


# Labels as they are published


@pytest.mark.parametrize("labels", [[7, 0], [0.0, 7.0], ["7", "0"], (0, 7), "[0, 7]", "0;7", "7, 0"])
def test_numbers_are_labels_in_the_order_of_lexglue(labels):
    assert UNFAIR.reference({"text": TEXT, "labels": labels}) == ("Limitation of liability", "Arbitration")


def test_parquet_through_pandas_gives_arrays_of_numbers(tmp_path):
    path = tmp_path / "rows.parquet"
    datasets.Dataset.from_dict({"text": ["a term", "another"], "labels": [[7, 0], []]}).to_parquet(path)
    rows = pd.read_parquet(path).to_dict("records")
    assert isinstance(rows[0]["labels"], np.ndarray)
    assert references(rows) == [("Limitation of liability", "Arbitration"), ()]


@pytest.mark.parametrize("labels", [3, 3.0, np.int64(3), np.float32(3), np.array(3), "3"])
def test_a_single_number_is_one_label(labels):
    assert UNFAIR.reference({"text": TEXT, "labels": labels}) == ("Content removal",)


@pytest.mark.parametrize("labels", [None, math.nan, np.float32("nan")])
def test_a_cell_that_holds_nothing_is_not_the_label_none(labels):
    (example,) = UNFAIR.format({"text": TEXT, "labels": labels})
    assert example.right == ()
    with pytest.raises(DataError, match="column 'labels' is missing or None"):
        UNFAIR.reference({"text": TEXT, "labels": labels})


def test_the_order_of_lexglue_is_kept():
    named = [UNFAIR.reference({"text": TEXT, "labels": [number]})[0] for number in range(8)]
    assert named[1:7] == [
        "Unilateral termination", "Unilateral change", "Content removal", "Contract by using", "Choice of law",
        "Jurisdiction",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "labels", [[8], [-1], [True], ["8"], "9", [0.5], ["fair"], [None], [math.nan], 8, -1, 0.5, True]
)
def test_what_is_no_label_is_refused(labels):
    with pytest.raises(DataError, match="column 'labels'"):
        UNFAIR.reference({"text": TEXT, "labels": labels})


@pytest.mark.parametrize("labels", [[], "", "[]", ()])
def test_an_empty_list_means_that_there_is_none(labels):
    assert UNFAIR.reference({"text": TEXT, "labels": labels}) == ()


def test_a_data_set_in_the_form_of_the_hub_is_read():
    numbers = datasets.List(datasets.ClassLabel(names=list(LABELS)))
    features = datasets.Features({"text": datasets.Value("string"), "labels": numbers})
    hub = datasets.Dataset.from_dict({"text": ["a term", "another", "a third"], "labels": [[3, 1], [], [6]]}, features)
    found = references(read_rows(hub, task=UNFAIR))
    assert found == [("Unilateral termination", "Content removal"), (), ("Jurisdiction",)]


def test_json_lines_and_csv_of_the_same_rows_read_the_same(tmp_path):
    rows = [{"text": "a term", "labels": [3, 1]}, {"text": "another, too", "labels": []}]
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([["text", "labels"], *[[row["text"], json.dumps(row["labels"])] for row in rows]])
    lines = read_rows(write_jsonl(tmp_path / "rows.jsonl", rows), task=UNFAIR)
    assert references(lines) == references(read_rows(tmp_path / "rows.csv", task=UNFAIR))
    assert references(lines) == [("Unilateral termination", "Content removal"), ()]


# Traps, by hand


def test_a_sentence_that_occurs_twice_stays_on_one_side():
    rows = [{"text": row["text"], "labels": row["labels"]} for row in UNFAIR.samples]
    sides = split([*rows, *rows[:6]], task=UNFAIR, seed=0).values()
    asked = [{row["text"] for row in side} for side in sides]
    assert sum(map(len, asked)) == len(rows)


def test_always_none_is_right_in_micro_f1_alone_where_few_rows_have_a_label():
    truth = [("Arbitration",), *[()] * 9]
    assert measured("multilabel_micro_f1_with_none", [()] * 10, truth) == pytest.approx(0.9)
    assert measured("multilabel_macro_f1_with_none", [()] * 10, truth) == pytest.approx(18 / 19 / 2)


# The published file


@pytest.fixture(scope="module")
def published_rows():
    return read_rows(PUBLISHED, task=UNFAIR).to_list()


@published
def test_the_published_sample_has_the_labels_that_are_told(published_rows):
    found = references(published_rows)
    assert Counter(map(len, found)) == {0: 887, 1: 107, 2: 6}
    assert Counter(label for labels in found for label in labels) == {
        "Unilateral termination": 26, "Limitation of liability": 24, "Unilateral change": 23, "Contract by using": 15,
        "Jurisdiction": 11, "Content removal": 8, "Arbitration": 6, "Choice of law": 6,
    }  # fmt: skip


@published
def test_sentences_that_are_nearly_the_same_have_the_same_labels(published_rows):
    groups = near_duplicate_groups([row["text"] for row in published_rows], threshold=0.8).tolist()
    labels = dict(zip(groups, references(published_rows), strict=True))
    assert len(published_rows) - len(labels) == 7
    assert len({row["text"] for row in published_rows}) == 994
    assert [labels[group] for group in groups] == references(published_rows)


@published
def test_always_none_has_the_figures_that_are_told(published_rows):
    truth = references(published_rows)
    found = [measured(f"multilabel_{way}_f1_with_none", [()] * 1000, truth) for way in ("micro", "macro")]
    assert found == [pytest.approx(0.8843, abs=1e-4), pytest.approx(0.1045, abs=1e-4)]
