import csv
import json
import logging
from collections import Counter
from dataclasses import fields

import pytest
from helpers import DATA, write_jsonl
from hypothesis import given
from hypothesis import strategies as st

import qlorakit as qk
from qlorakit.errors import ConfigurationError, DataError
from qlorakit_legal.clauses import CLAUSES, contract_of
from qlorakit_legal.cuad import (
    CATEGORIES,
    CLAUSE_CATEGORIES,
    CUAD,
    ELLIPSIS,
    NOT_CLAUSES,
    OMITTED,
    Annotation,
    category_name,
    clause_key,
    clause_text,
    merge_rows,
    quoted_spans,
    read_master_clauses,
)

FOLDER = DATA / "cuad"
MASTER, LINES = FOLDER / "master_clauses.csv", FOLDER / "cuad_clauses.jsonl"
published = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"CUAD is not at {FOLDER}")

GRANT = "Owner grants User a license, which cannot be transferred."
LAW = "The law of Ohio applies."
HEADER = ("Filename", *(name for category in CATEGORIES for name in (category, f"{category}-Answer")))


def line(category, clause=GRANT, contract="pumps.pdf", **others):
    return {"contract": contract, "category": category, "clause": clause, "answer": "Yes", **others}


def master_line(name, quotes, answers=None):
    answers = answers or {}
    return [name, *(cell for one in CATEGORIES for cell in (repr(quotes.get(one, [])), answers.get(one, "")))]


@pytest.fixture
def write_master(tmp_path):
    def write(*lines, header=HEADER, encoding="utf-8", delimiter=","):
        path = tmp_path / "master_clauses.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows([header, *lines])
        return path

    return write


def read(path):
    return [*qk.read_rows(path, task=CLAUSES)]


# The task


def test_38_of_the_41_categories_are_labels():
    assert len(CATEGORIES) == len({name.casefold() for name in CATEGORIES}) == 41
    assert CLAUSES.labels == CLAUSE_CATEGORIES
    assert set(CATEGORIES) - set(CLAUSE_CATEGORIES) == set(NOT_CLAUSES)


def test_samples_have_every_category_and_clauses_of_several():
    found = Counter(label for row in CLAUSES.samples for label in row["labels"])
    assert set(found) == set(CLAUSE_CATEGORIES)
    assert max(len(row["labels"]) for row in CLAUSES.samples) == 3


def test_all_right_categories_of_a_clause_are_learned_from():
    row = {"text": GRANT, "labels": ["Non-Transferable License", "license grant"]}
    (example,) = CLAUSES.format(row)
    assert example.right == ("License Grant", "Non-Transferable License")
    assert set(example.choices) == {*CLAUSE_CATEGORIES, "none"}


def test_clauses_of_one_contract_stay_on_one_side_of_a_split():
    sides = qk.split(CLAUSES.samples, task=CLAUSES, seed=0, validation=0.2, test=0.2)
    contracts = [set(side["contract"]) for side in sides.values()]
    assert sum(map(len, contracts)) == len(set.union(*contracts)) == 5


@pytest.mark.parametrize("nothing", [None, "", "  ", float("nan")])
def test_a_clause_without_a_contract_is_on_its_own(nothing):
    assert contract_of({"contract": nothing}) is contract_of({}) is None
    assert contract_of({"contract": " a.pdf "}) == "a.pdf"


def test_a_contract_that_is_no_name_is_refused():
    with pytest.raises(DataError, match="column 'contract' holds list"):
        contract_of({"contract": ["a"]})


def test_a_table_of_ones_own_keeps_its_labels_and_its_contracts(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(f'Text,Labels,Filename\n"{GRANT}",License Grant; insurance,a.pdf\n', encoding="utf-8")
    (row,) = read(path)
    assert (row["contract"], CLAUSES.reference(row)) == ("a.pdf", ("License Grant", "Insurance"))


# Lines with one category each


def test_quotes_of_one_clause_become_one_row_with_all_its_categories(tmp_path, caplog):
    lines = [line("License Grant"), line("Governing Law", LAW), line("Non-Transferable License", f" {GRANT}\n")]
    first, second = read(write_jsonl(tmp_path / "clauses.jsonl", lines))
    assert first == {"text": GRANT, "labels": ["License Grant", "Non-Transferable License"], "contract": "pumps.pdf"}
    assert second["labels"] == ["Governing Law"]
    assert "1 quotes of a clause that was there before in its contract are merged" in caplog.text
    assert GRANT not in caplog.text


def test_the_same_clause_of_two_contracts_is_two_rows():
    assert len(merge_rows([line("Insurance"), line("Insurance", contract="ships.pdf")])) == 2


def test_clauses_of_contracts_that_are_not_known_are_not_merged():
    assert [row["contract"] for row in merge_rows([line("Insurance", contract=None)] * 2)] == [None, None]


def test_names_and_dates_are_left_out_and_counted(caplog):
    rows = merge_rows([line("Parties", "Maker Inc."), line("Agreement Date", "1/1/2020"), line("Insurance")])
    assert [row["labels"] for row in rows] == [["Insurance"]]
    assert "the rows: 2 quotes of the categories Document Name, Parties and Agreement Date are left out" in caplog.text


def test_empty_quotes_are_left_out_and_counted(caplog):
    assert merge_rows([line("Insurance", " "), line("Insurance", None), line("Insurance", OMITTED)]) == []
    assert "3 quotes without a text are left out" in caplog.text


def test_omissions_and_line_breaks_are_shown_and_counted(caplog):
    (row,) = merge_rows([line("Insurance", f"Carrier  insures\n\nthe goods{OMITTED}at sea.")])
    assert row["text"] == f"Carrier insures the goods {ELLIPSIS} at sea."
    assert "1 clauses hold <omitted>, for which their texts have [...]" in caplog.text
    assert "1 clauses hold line breaks or several spaces" in caplog.text


def test_clauses_that_differ_in_white_space_and_omissions_alone_are_one():
    quotes = (f"{GRANT[:20]}{OMITTED}{GRANT[20:]}", f"{GRANT[:20]}\n\n\n{GRANT[20:]}")
    (row,) = merge_rows([line("License Grant", quotes[0]), line("Exclusivity", quotes[1])])
    assert row["labels"] == ["License Grant", "Exclusivity"]


def test_an_unchanged_clause_is_not_logged(caplog):
    caplog.set_level(logging.WARNING)
    merge_rows([line("Insurance")])
    assert not caplog.text


@pytest.mark.parametrize(
    ("written", "category"),
    [
        ("Notice Period To Terminate Renewal", "Notice Period to Terminate Renewal"),
        ("ROFR/ROFO/ROFN", "Rofr/Rofo/Rofn"),
        (" Ip Ownership Assignment ", "IP Ownership Assignment"),
        ("Price Restriction", "Price Restrictions"),
        ("Affiliate IP License-Licensor", "Affiliate License-Licensor"),
    ],
)
def test_other_spellings_of_categories_are_known(written, category):
    assert category_name(written) == category
    assert merge_rows([line(written)])[0]["labels"] == [category]


def test_a_category_that_is_none_is_named_with_its_place(tmp_path):
    path = write_jsonl(tmp_path / "clauses.jsonl", [line("Insurance", LAW), line("Weather")])
    with pytest.raises(DataError, match=r"clauses.jsonl, line 2.*unknown label 'Weather'"):
        read(path)


def test_several_categories_in_a_cell_are_read():
    listed, parted = merge_rows([line(["Insurance", "Exclusivity"]), line("Insurance; Parties", LAW)])
    assert listed["labels"] == ["Insurance", "Exclusivity"]
    assert parted["labels"] == ["Insurance"]


def test_columns_of_ones_own_are_kept_and_differences_counted(caplog):
    (row,) = merge_rows([line("Insurance", page=3), line("Exclusivity", page=4)])
    assert row["page"] == 3
    assert "answer" not in row
    assert "1 of these differ in columns of your own" in caplog.text


def test_rows_without_a_category_are_for_prediction_alone():
    (row,) = merge_rows([line(None)])
    assert row["labels"] is None
    with pytest.raises(DataError, match="'labels' is missing or None"):
        CLAUSES.reference(row)


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ("clauses.jsonl", ConfigurationError, "takes rows"),
        ([["a"]], DataError, "row 1 is of type list"),
        ([{"clause": "a", "contract": "b"}], DataError, "row 1: there is no column 'category'"),
        ([line("Insurance", text="a")], DataError, "the column 'text' would be taken"),
        ([line("Insurance", Clause="a")], DataError, "differ in case"),
        ([line("Insurance", 3)], DataError, "column 'clause' holds int"),
        ([line([3])], DataError, r"column 'category' holds \[3\]"),
    ],
)
def test_rows_that_cannot_be_merged_are_named(rows, error, message):
    with pytest.raises(error, match=message):
        merge_rows(rows)


def test_lines_are_read_from_tables_as_well(tmp_path):
    path = tmp_path / "clauses.csv"
    path.write_text(f"\ufeffContract;Clause;Category\na;{LAW};Governing Law\na;{LAW};Insurance\n", encoding="utf-8")
    (row,) = read(path)
    assert row == {"text": LAW, "labels": ["Governing Law", "Insurance"], "contract": "a"}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(CLAUSE_CATEGORIES), st.sampled_from((GRANT, LAW)))))
def test_no_category_of_a_clause_is_lost_or_made_up(found):
    rows = merge_rows([line(category, clause, contract) for contract, category, clause in found])
    assert {(row["contract"], label, row["text"]) for row in rows for label in row["labels"]} == set(found)
    assert len({(row["contract"], row["text"]) for row in rows}) == len(rows)


@given(st.text())
def test_the_text_of_a_clause_has_its_key(quote):
    assert clause_key(clause_text(quote)) == clause_key(quote)
    assert clause_text(clause_text(quote)) == clause_text(quote)


# A line for each contract


def test_a_contract_becomes_a_row_for_each_clause(write_master, caplog):
    quotes = {"Parties": ["Maker Inc."], "License Grant": [GRANT], "Governing Law": [LAW], "Insurance": [GRANT]}
    rows = read(write_master(master_line("pumps.pdf", quotes), master_line("ships.pdf", {}, {"Insurance": "Yes"})))
    assert [(row["text"], row["labels"]) for row in rows] == [
        (LAW, ["Governing Law"]), (GRANT, ["License Grant", "Insurance"]),
    ]  # fmt: skip
    assert "1 contracts have no clause and so no row" in caplog.text
    assert "1 answers stand without a clause and are left out" in caplog.text


def test_annotations_have_quotes_as_they_are_and_answers(write_master):
    quote = f'It\'s  "ours"{OMITTED}till\n2020'
    path = write_master(master_line("a.pdf", {"Expiration Date": [quote, "2020"]}, {"Expiration Date": " 1/1/2020"}))
    ((number, name, found),) = read_master_clauses(path)
    assert (number, name, tuple(found)) == (2, "a.pdf", CATEGORIES)
    assert found["Expiration Date"] == Annotation((quote, "2020"), "1/1/2020")
    assert found["Insurance"] == Annotation((), "")


def test_the_parts_of_a_quote_are_pieces_of_the_contract():
    assert quoted_spans(f"one {OMITTED}two{OMITTED} ") == ("one", "two")


def test_other_spellings_of_columns_are_read(write_master):
    header = [name.upper().replace("-ANSWER", "- Answer") for name in HEADER]
    path = write_master(master_line("a.pdf", {"Insurance": [LAW]}, {"Insurance": "Yes"}), header=header)
    ((_, _, found),) = read_master_clauses(path)
    assert found["Insurance"] == Annotation((LAW,), "Yes")
    assert len(read(path)) == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_other_encodings_and_separators_are_read(write_master, encoding):
    clause = "Der Käufer darf das Gerät weiterverkaufen, café inbegriffen."
    path = write_master(master_line("a.pdf", {"Insurance": [clause]}), encoding=encoding, delimiter=";")
    assert read(path)[0]["text"] == clause


@pytest.mark.parametrize("cell", ["__import__('os').getcwd()", "['a'", "{'a': 1}", "[1]", "'a'", "[" * 500])
def test_a_cell_that_is_no_list_of_texts_is_named_and_never_run(write_master, cell):
    bad = master_line("a.pdf", {})
    bad[HEADER.index("Insurance")] = cell
    with pytest.raises(DataError, match=r"master_clauses.csv, line 2, column 'Insurance'.*list of texts"):
        list(read_master_clauses(write_master(bad)))


def test_a_contract_without_a_name_or_there_twice_is_refused(write_master):
    with pytest.raises(DataError, match="line 2: column 'Filename' is empty"):
        list(read_master_clauses(write_master(master_line(" ", {}))))
    with pytest.raises(DataError, match="line 3: the contract of line 2 is there again"):
        list(read_master_clauses(write_master(master_line("a", {}), master_line("a", {}))))


def test_a_missing_category_is_named(write_master):
    place, row = HEADER.index("Insurance"), master_line("a.pdf", {})
    del row[place]
    path = write_master(row, header=[name for name in HEADER if name != "Insurance"])
    with pytest.raises(DataError, match="no column 'Insurance'"):
        list(read_master_clauses(path))


# The published files


@published
def test_both_published_files_give_the_same_rows():
    first, second = ([(r["contract"], r["text"], sorted(r["labels"])) for r in read(path)] for path in (MASTER, LINES))
    assert sorted(first) == sorted(second)
    assert len(first) == 8_522
    assert Counter(len(labels) for *_, labels in first) == {1: 7_667, 2: 711, 3: 120, 4: 20, 5: 4}


@published
def test_the_published_annotations_are_whole():
    found = [*read_master_clauses(MASTER)]
    annotations = [one for *_, by_category in found for one in by_category.values()]
    assert (len(found), sum(len(one.quotes) for one in annotations)) == (510, 13_101)
    assert sum(bool(one.quotes) and not one.answer for one in annotations) == 160
    assert not any(one.quotes and one.answer == "No" for one in annotations)


@published
def test_the_published_lines_are_counted(caplog):
    rows = read(LINES)
    assert "3550 quotes of the categories" in caplog.text
    assert "1029 quotes of a clause that was there before" in caplog.text
    assert len({row["contract"] for row in rows}) == 489
    contracts = {}
    for row in rows:
        contracts.setdefault(row["text"], set()).add(row["contract"])
    shared = [found for found in contracts.values() if len(found) > 1]
    assert (len(shared), sum(map(len, shared))) == (86, 181)


def test_what_is_known_of_the_data_is_filled_in():
    assert all(getattr(CUAD, field.name) for field in fields(CUAD))
    assert len(CUAD.traps) >= 10
    assert json.dumps(CUAD.traps)
