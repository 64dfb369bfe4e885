import ast
import json
import math
import operator
import re
from collections import Counter

import pytest
from helpers import DATA
from hypothesis import given
from hypothesis import strategies as st

from qlorakit import read_rows, split
from qlorakit.errors import DataError
from qlorakit.numbers import numbers_in
from qlorakit.rows import as_rows, check_rows
from qlorakit.splits import survey
from qlorakit.task import Output, Prediction
from qlorakit_finance.numbers import NUMBERS, SEVERAL, match_up_to_scale, match_up_to_sign, read_answer, stated_unit

PUBLISHED = DATA / "convfinqa" / "convfinqa_dev.json"
published = pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"ConvFinQA is not at {PUBLISHED}")
ENTRY = {
    "questions": ["what was the company 2019s rent in 2015?", "and by how much did it change?"],
    "answer": 0.25, "text": "norvik 2019s rent ( the 201crent 201d ) rose .", "table": "rent | 10 | 8\n",
    "golden_text": "rose .", "golden_table": "rent | 10 | 8", "id": "Single_NRV/2015/page_7.pdf-2",
    "programs": ["ans = 10", "x0 = 10 - 8; ans = x0 / 8"],
}  # fmt: skip
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


@pytest.fixture
def read(tmp_path):
    def write_and_read(*entries, content=None):
        path = tmp_path / "dev.json"
        path.write_text(content or json.dumps(entries, indent=2), encoding="utf-8")
        return read_rows(path, task=NUMBERS).to_list()

    return write_and_read


def computed(program):
    def value(node):
        if isinstance(node, ast.BinOp):
            return OPERATORS[type(node.op)](value(node.left), value(node.right))
        return -value(node.operand) if isinstance(node, ast.UnaryOp) else node.value

    return value(ast.parse(program, mode="eval").body)


def constants(program):
    return {node.value for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Constant)}


def parsed(text, **row):
    return NUMBERS.parse({"question": "How much?", **row}, (), [Prediction(text)]).value


def right(text, **row):
    value = parsed(text, **row)
    return value is not None and NUMBERS.matches(value, NUMBERS.reference({"question": "How much?", **row}))


# The samples


@pytest.mark.parametrize("row", NUMBERS.samples, ids=lambda row: row["answer"])
def test_every_sample_follows_from_its_figures(row):
    assert NUMBERS.matches(computed(row["program"]), NUMBERS.reference(row))
    there = {abs(value) for value in numbers_in(row["context"])} | {
        abs(100 * value) for value in numbers_in(row["context"])
    }
    unseen = constants(row["program"]) - there - {1, 3, 100}  # a whole, a mean of three, percent
    assert not unseen


def test_the_samples_are_valid_distinct_and_enough():
    check_rows(NUMBERS.samples, NUMBERS, labelled=True)
    assert Counter(survey(NUMBERS.samples, NUMBERS).bundles.tolist()).most_common(1)[0][1] == 1
    assert {side: len(rows) > 0 for side, rows in split(NUMBERS.samples, task=NUMBERS, seed=0).items()} == {
        "train": True, "validation": True, "test": True,
    }  # fmt: skip


def test_an_answer_comes_back_as_the_reference():
    for row in NUMBERS.samples:
        examples = NUMBERS.format(row)
        assert NUMBERS.parse(row, examples, [Prediction(examples[0].target)]).value == NUMBERS.reference(row)


def test_the_program_of_a_sample_is_not_shown():
    for row in NUMBERS.samples:
        (example,) = NUMBERS.format(row)
        assert row["program"] not in example.messages[1].text


# Percent, sign, scale, tolerance


@pytest.mark.parametrize(("text", "reference", "same"), [
    ("20%", 0.2, True), ("20", 0.2, True), ("0.2", "20%", True), ("0.2", 0.21, False),
    ("-5", -5, True), ("(5)", -5, True), ("a decrease of 5", -5, True), ("it fell by $ 5 million", "-5 million", True),
    ("5", -5, False), ("a decrease of 5", 5, False), ("-5", 5, False), ("an increase of 5", 5, True),
    ("decreased 5%", "-5%", True), ("fell 5%", "-5%", True), ("a 5% decrease", "-5%", True), ("down 5%", "-5%", True),
    ("it fell about $5 million", "-5 million", True), ("fell to 5%", "5%", True), ("a 5% rise", "5%", True),
    ("250", 2.5, False), ("250%", 2.5, True), ("80%", 80, True), ("0.05", 5000, False), ("12500", 125, False),
    ("12.61", 12.5, True), ("12.64", 12.5, False), ("2 thousand", 2000, True), ("2 million", 2000, False),
    ("2 thousand", "2 million", False), ("between 3 and 4", 3, False), ("none", 3, False), ("3,000", 3000, True),
])  # fmt: skip
def test_an_answer_is_right_by_percent_sign_scale_and_tolerance(text, reference, same):
    assert right(text, answer=reference) is same


def test_the_size_of_a_decrease_that_is_asked_for_has_no_minus():
    assert right("a decrease of 5%", question="What was the decrease in sales?", answer=0.05)
    assert not right("a decrease of 5%", question="What was the change in sales?", answer=0.05)


@pytest.mark.parametrize(("context", "text", "reference", "same"), [
    ("sales ( in millions ) | 12.5", "12.5 million", 12.5, True), ("sales ( in millions ) | 12.5", "12.5", 12.5, True),
    ("sales ( in millions ) | 12.5", "12.5", "$12.5 million", True), ("in millions", "12.5 thousand", 12.5, False),
    ("( $ in thousands ) | 12.5", "12.5 million", 12.5, False), ("in millions", "1.2 billion", 1200, True),
    ("in millions", "1.2 thousand", 1200, False),
    ("in millions", "12,500 thousand", 12.5, True), ("in millions", "0.0125 billion", 12.5, True),
    ("EUR million | (12.4)", "(12.4) million", -12.4, True), ("sales were 12.5", "12.5 million", 12.5, False),
    ("sales were 12.5", "12.5 million", 12_500_000, True), ("sales ( in Millions )", "12.5 million", 12.5, True),
])  # fmt: skip
def test_a_scale_that_repeats_the_unit_of_the_figures_changes_nothing(context, text, reference, same):
    assert right(text, context=context, answer=reference) is same


@pytest.mark.parametrize(("question", "context", "unit"), [
    ("What is it?", "( in millions ) | 1", 1e6), ("What is it?", "figures in thousands , shares in millions", 1.0),
    ("1. In millions, what is it?\n2. And in billions?", "( in thousands )", 1e9), ("What is it?", "$ thousands", 1e3),
    ("What is it?", "EUR million | (12.4)", 1e6), ("What is it?", "DKK billions | 3", 1e9),
    ("What is it?", "( millions ) | 2013", 1e6), ("What is it?", "millions | 2013\nsales | 3", 1e6),
    ("What is it?", "year | 2013\n(thousands) | 3", 1e3), ("What is it?", "sales | millions\n3 | 4", 1e6),
    ("What is it?", "$ 000's | 3", 1e3), ("What is it?", "sales, $000s | 3", 1e3), ("What is it?", "for 1,000's", 1.0),
    ("What is it?", "we sold millions | 3", 1.0), ("What is it?", "and million | 3", 1.0),
    ("What is it?", "millions of dollars", 1e6), ("What is it?", "a million people", 1.0), ("What is it?", "", 1.0),
])  # fmt: skip
def test_the_unit_is_that_of_the_question_or_the_only_one_of_the_context(question, context, unit):
    assert stated_unit({"question": question, "context": context}) == unit


@given(st.text(), st.text(), st.text())
def test_any_answer_can_be_read(text, question, context):
    value = read_answer(text, {"question": question, "context": context})
    assert value is None or not math.isnan(value)


def share(metric, values, references):
    return metric.compute([Output(value) for value in values], references, [{}] * len(values))


def test_the_gap_to_the_other_matches_tells_the_kind_of_mistake():
    values, references = [5.0, -5.0, 5e6, 7.0, None], [5.0, 5.0, 5.0, 5.0, 5.0]
    exact, up_to_sign, up_to_scale = NUMBERS.metrics
    assert share(exact, values, references) == pytest.approx(0.2)
    assert share(up_to_sign, values, references) == pytest.approx(0.4)
    assert share(up_to_scale, values, references) == pytest.approx(0.4)
    assert [metric.name for metric in NUMBERS.metrics] == ["numeric_match", "match_up_to_sign", "match_up_to_scale"]


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_what_matches_matches_up_to_sign_and_scale(value, reference):
    exact = share(NUMBERS.metrics[0], [value], [reference])
    assert share(match_up_to_sign(), [value], [reference]) >= exact
    assert share(match_up_to_scale(), [value], [reference]) >= exact


# ConvFinQA


def test_the_last_question_is_asked_after_the_ones_before_it(read):
    (row,) = read(ENTRY)
    assert row["question"] == (f"{SEVERAL}\n1. what was the company's rent in 2015?\n2. and by how much did it change?")


def test_a_single_question_is_asked_as_it_is(read):
    (row,) = read({**ENTRY, "questions": ENTRY["questions"][1:]})
    assert row["question"] == "and by how much did it change?"


def test_table_and_whole_text_are_read_and_evidence_is_only_kept(read):
    (row,) = read(ENTRY)
    (example,) = NUMBERS.format(row)
    assert example.messages[1].parts[0].text == 'rent | 10 | 8\n\nnorvik\'s rent ( the "rent" ) rose .'
    assert example.messages[1].parts[0].may_cut
    assert not example.messages[1].parts[-1].may_cut
    assert row["golden_table"] == "rent | 10 | 8"


@pytest.mark.parametrize(("text", "repaired"), [
    ("marathon 2019s stock", "marathon's stock"), ("( the 201cplan 201d )", '( the "plan" )'),
    ("in 2019 and the 2019s", "in 2019 and the 2019s"), ("customers 2019 demand", "customers 2019 demand"),
    ("no . 25 2019s value", "no . 25 2019s value"), ("fiscal 2019 through", "fiscal 2019 through"), ("2014", "2014"),
])  # fmt: skip
def test_only_what_cannot_be_a_year_is_repaired(read, text, repaired):
    (row,) = read({**ENTRY, "text": text, "table": "-"})
    assert row["context"] == f"-\n\n{repaired}"


def test_repairs_and_answers_that_are_no_numbers_are_counted(read, caplog):
    rows = read(ENTRY, {**ENTRY, "id": "Double_A/1.pdf", "answer": "Yes"})
    assert len(rows) == 1
    assert [re.sub(r".*json: ", "", message) for message in caplog.messages] == [
        "left out 1 questions that are answered by yes or no",
        "repaired 4 apostrophes and quotation marks such as 2019s",
    ]


def test_conversations_about_a_page_stay_together(read):
    names = ("Single_A/p.pdf-1", "Single_A/p.pdf-2", "Double_A/p.pdf", "Single_A/q.pdf-1")
    rows = read(*({**ENTRY, "id": name} for name in names))
    assert [NUMBERS.group(row) for row in rows] == ["A/p.pdf"] * 3 + ["A/q.pdf"]
    assert NUMBERS.group({"question": "How much?"}) is None


@pytest.mark.parametrize(("change", "message"), [
    ({"questions": []}, "'questions' holds \\[\\]"), ({"questions": "how much?"}, "'questions' holds 'how much"),
    ({"text": None}, "'text' holds None"), ({"id": 7}, "'id' holds 7"), ({"answer": "n/a"}, "column 'answer'"),
    ({"answer": None}, "column 'answer'"),
])  # fmt: skip
def test_an_entry_that_cannot_be_used_is_named_with_its_line(read, change, message):
    with pytest.raises(DataError, match=rf"dev\.json, line 18: {message}"):
        read(ENTRY, {**ENTRY, **change})


def test_an_entry_that_is_no_object_is_named(read):
    with pytest.raises(DataError, match=r"dev\.json, line 3: int where an object"):
        read(content=f"[\n{json.dumps(ENTRY)},\n7]")


def test_a_byte_order_mark_is_no_hindrance(read):
    assert len(read(content="\ufeff" + json.dumps([ENTRY], indent=2))) == 1


@pytest.mark.parametrize("cut", [-1, -2, -40])
def test_a_file_that_is_cut_off_is_named_with_the_place(read, cut):
    with pytest.raises(DataError, match=r"dev\.json, line \d+: not valid JSON"):
        read(content=json.dumps([ENTRY], indent=2)[:cut])


def test_rows_need_no_context():
    (example,) = NUMBERS.format({"question": "What is 7% of 300?", "answer": 21})
    assert example.messages[1].text == "What is 7% of 300?"


@published
def test_the_published_file_holds_the_published_counts():
    rows = as_rows(read_rows(PUBLISHED, task=NUMBERS))
    assert len(rows) == 418
    assert len({row["document"] for row in rows}) == 217
    assert all(right(str(row["answer"]), **row) for row in rows)
    assert all(NUMBERS.reference(row) == float(row["answer"]) for row in rows)
    assert Counter(map(stated_unit, rows)) == {1e6: 206, 1.0: 132, 1e3: 71, 1e9: 9}
    tied = Counter(survey(rows, NUMBERS).bundles.tolist())
    assert tied.most_common(1)[0][1] == 5


def test_the_public_data_set_comes_with_its_licence_and_traps():
    (data,) = NUMBERS.datasets
    assert data.licence == "MIT"
    assert data.identifier.startswith("TIGER-AI-Lab/Program-of-Thoughts")  # whose copy is the flattened one
    assert data.traps
