from dataclasses import replace

import datasets
import numpy as np
import pytest

from qlorakit import rows as row_module
from qlorakit.errors import ConfigurationError, DataError, PluginError
from qlorakit.kinds import single_label
from qlorakit.rows import (
    DatasetRows,
    as_rows,
    check_rows,
    check_task,
    fingerprint,
    input_key,
    input_text,
    row_content,
    row_ids,
)
from qlorakit.task import Column

ROWS = [{"text": "sales rose", "label": "up"}, {"text": "sales fell", "label": "down"}]


def test_a_row_that_was_never_in_a_file_is_named_by_its_position(task):
    with pytest.raises(DataError, match="the rows, row 2: column 'text' is empty"):
        check_rows([ROWS[0], {"text": "", "label": "up"}], task, labelled=True)


def test_no_rows_at_all_are_an_error(task):
    with pytest.raises(DataError, match="there are none"):
        check_rows([], task, labelled=False)


def test_content_is_the_same_whatever_the_order_of_the_columns():
    assert row_content({"a": 1, "b": "é"}) == row_content({"b": "é", "a": 1}) == '{"a": 1, "b": "é"}'


def test_an_id_column_is_the_identity_of_a_row():
    assert row_ids([{"id": "x", "text": "a"}, {"id": 7, "text": "a"}]) == ["x", "7"]


@pytest.mark.parametrize("ids", [("x", "x"), (1, "1")])
def test_an_id_that_occurs_twice_is_named_with_its_row(ids):
    with pytest.raises(DataError, match=r"row 2: id .* occurs twice"):
        row_ids([{"id": value, "text": "a"} for value in ids])


def test_rows_without_an_id_are_told_apart_by_content_and_occurrence():
    first, second, third = row_ids([ROWS[0], ROWS[1], ROWS[0]])
    assert first != second
    assert third == f"{first}-1"


def test_the_identity_of_a_row_follows_from_its_content_alone():
    assert row_ids(ROWS) == row_ids(ROWS[::-1])[::-1] == [row_ids([row])[0] for row in ROWS]


def test_the_identity_of_a_row_is_the_same_on_every_machine():
    assert row_ids(ROWS[:1]) == ["9289f1ebdce070f4"]


def test_every_number_of_an_array_is_part_of_a_fingerprint():
    many = np.arange(5000.0)
    other = np.where(many == 2500, -1, many)
    assert fingerprint([{"x": many}]) == fingerprint([{"x": many.tolist()}]) != fingerprint([{"x": other}])
    assert fingerprint([{"x": np.float32(0.1)}]) != fingerprint([{"x": np.float32(0.1) + np.float32(1e-8)}])
    with pytest.raises(DataError, match="type object has no text of its own"):
        fingerprint([{"x": object()}])


def test_a_list_and_a_dataset_have_one_fingerprint_whatever_columns_lack_or_mix():
    rows = [{"text": "a", "n": 1, "note": {"by": "x"}}, {"text": "b", "n": 1.5}, {"text": "c", "note": {"at": [2]}}]
    assert fingerprint(rows) == fingerprint(as_rows(datasets.Dataset.from_list(rows)))
    assert fingerprint(rows) != fingerprint([*rows[:2], {**rows[2], "n": 0}])


def test_a_fingerprint_changes_with_order_and_content():
    prints = {fingerprint(rows) for rows in (ROWS, ROWS[::-1], ROWS[:1], [*ROWS, ROWS[0]], [])}
    assert len(prints) == 5
    assert fingerprint(ROWS) == fingerprint(dict(reversed(row.items())) for row in ROWS)


def test_rows_that_differ_in_white_space_alone_ask_the_same(task):
    assert input_key({"text": "sales  rose\n"}, task) == input_key({"text": "sales rose", "label": "up"}, task)
    assert input_key({"text": "sales rose"}, task) != input_key({"text": "sales fell"}, task)


def test_a_task_that_fails_on_a_row_is_told_from_a_bad_row(task):
    broken = replace(task, format=lambda row: row["absent"])
    with pytest.raises(PluginError, match=r"the rows, row 1: task toy/direction fails on it \(KeyError: 'absent'\)"):
        check_rows(ROWS, broken, labelled=False)


def test_rows_of_a_dataset_are_read_when_they_are_asked_for():
    import datasets

    found = as_rows(datasets.Dataset.from_list(ROWS * 700))
    assert (len(found), found[1], found[-1], found[699:701]) == (1400, ROWS[1], ROWS[1], ROWS[::-1])
    assert list(found) == ROWS * 700
    assert as_rows(found) is found


def test_class_labels_of_a_dataset_are_read_by_name():
    import datasets

    names = datasets.ClassLabel(names=["down", "up"])
    features = datasets.Features({"label": names, "tags": datasets.List(names)})
    found = as_rows(datasets.Dataset.from_list([{"label": 1, "tags": [0, 1]}], features=features))
    assert found[0] == {"label": "up", "tags": ["down", "up"]}


def test_a_class_label_that_is_not_known_is_none():
    import datasets

    features = datasets.Features({"label": datasets.ClassLabel(names=["down", "up"])})
    assert as_rows(datasets.Dataset.from_list([{"label": -1}, {"label": None}], features=features))[:] == [
        {"label": None},
        {"label": None},
    ]


def test_what_can_be_read_only_once_is_kept_in_memory_where_it_is_little():
    assert as_rows(row for row in ROWS) == ROWS


def test_what_can_be_read_only_once_goes_to_a_file_where_it_is_much(monkeypatch):
    monkeypatch.setattr(row_module, "STREAMED_ROWS", 10)
    found = as_rows({"number": number} for number in range(25))
    assert isinstance(found, DatasetRows)
    assert [row["number"] for row in found] == list(range(25))
    assert as_rows({"number": number} for number in range(10)) == [{"number": number} for number in range(10)]


def test_a_dataset_that_is_streamed_is_read_once():
    import datasets

    streamed = datasets.Dataset.from_list(ROWS).to_iterable_dataset()
    assert list(as_rows(streamed)) == ROWS


@pytest.mark.parametrize(
    ("rows", "kind"), [("text", "str"), ({"text": "a"}, "dict"), (None, "NoneType"), ([3], "int in a list")]
)
def test_what_is_no_rows_is_an_error_of_the_data(rows, kind):
    with pytest.raises(DataError, match=f"the rows: a list of mappings .* is needed, not {kind}$"):
        as_rows(rows)


def test_what_a_row_says_is_what_the_user_says_where_it_has_none_of_the_columns():
    task = single_label(
        "toy/table", summary="", instruction="Which way?", labels=("up", "down"),
        text=(Column("text", optional=True), Column("note", optional=True)), show=lambda row: f"{row['sales']} sold",
    )  # fmt: skip
    assert input_text({"sales": 5, "label": "up"}, task) == "5 sold"
    assert input_text({"text": "a text", "sales": 5}, task) == "a text"


def test_half_a_character_has_an_identity_like_any_other():
    rows = [{"text": "a\ud800"}, {"text": "a\udfff"}]
    assert len(set(row_ids(rows))) == 2
    assert fingerprint(rows[:1]) != fingerprint(rows[1:])


def test_a_group_that_is_a_columns_name_is_told_how_to_be_a_function(task):
    with pytest.raises(
        ConfigurationError, match=r"group='patient' is no .* write group=lambda row: row\[\"patient\"\]"
    ):
        check_task(replace(task, group="patient"))
    check_task(replace(task, group=lambda row: row["patient"]))
