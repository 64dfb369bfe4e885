import datetime as dt
import logging

import pytest
from test_splits import BODY, LABELS, TASK, spelled

from qlorakit import split_by_column, split_by_time
from qlorakit.errors import ConfigurationError, DataError


def dated(n, *, form="%Y-%m-%d"):
    begin = dt.date(2024, 1, 1)
    for index in range(n):
        day = begin + dt.timedelta(days=index)
        yield {"text": f"day {spelled(index)}", "label": LABELS[index % 3], "date": day.strftime(form)}


def texts(found):
    return {side: [row["text"] for row in rows] for side, rows in found.items()}


def test_what_came_later_is_tested_on():
    found = split_by_time(dated(30), task=TASK, column="date", test_from="2024-01-21", validation_from="2024-01-11")
    assert {side: (min(rows["date"]), max(rows["date"]), len(rows)) for side, rows in found.items()} == {
        "train": ("2024-01-01", "2024-01-10", 10),
        "validation": ("2024-01-11", "2024-01-20", 10),
        "test": ("2024-01-21", "2024-01-30", 10),
    }


def test_validation_may_be_left_out():
    found = split_by_time(dated(30), task=TASK, column="date", test_from=dt.date(2024, 1, 21))
    assert {side: len(rows) for side, rows in found.items()} == {"train": 20, "test": 10}


def test_dates_may_be_written_otherwise():
    found = split_by_time(
        dated(30, form="%d.%m.%Y"), task=TASK, column="date", test_from="2024-01-21", date_format="%d.%m.%Y"
    )
    assert len(found["test"]) == 10


@pytest.mark.parametrize("convert", [dt.date.fromisoformat, dt.datetime.fromisoformat, lambda text: f"{text}T12:00Z"])
def test_dates_may_be_dates_or_moments(convert):
    rows = [{**row, "date": convert(row["date"])} for row in dated(30)]
    assert len(split_by_time(rows, task=TASK, column="date", test_from="2024-01-21")["test"]) == 10


def test_a_later_row_that_repeats_an_earlier_one_is_left_out_and_counted(caplog):
    rows = list(dated(30))
    rows[25] = {**rows[2], "date": rows[25]["date"]}
    rows[26] = {**rows[3], "label": "up", "date": rows[26]["date"]}
    with caplog.at_level(logging.WARNING):
        found = texts(split_by_time(rows, task=TASK, column="date", test_from="2024-01-21"))
    assert len(found["test"]) == 8
    assert rows[2]["text"] in found["train"]
    assert "split: left out 1 later rows that are tied to earlier ones" in caplog.messages


def test_a_later_row_that_is_nearly_an_earlier_one_is_left_out():
    rows = list(dated(30))
    rows[2]["text"], rows[25]["text"] = (f"{BODY} {end}" for end in ("once", "twice"))
    found = texts(split_by_time(rows, task=TASK, column="date", test_from="2024-01-21"))
    assert f"{BODY} once" in found["train"]
    assert f"{BODY} twice" not in found["test"]


def test_a_later_row_of_a_group_that_was_trained_on_is_left_out(caplog):
    rows = [{**row, "patient": index % 22} for index, row in enumerate(dated(30))]
    with caplog.at_level(logging.WARNING):
        found = split_by_time(rows, task=TASK, column="date", test_from="2024-01-21", group_by="patient")
    assert [row["patient"] for row in found["test"]] == [20, 21]
    assert "split: left out 8 later rows that are tied to earlier ones" in caplog.messages


@pytest.mark.parametrize("value", ["31/12/2024", "", None, 20240101])
def test_a_date_that_cannot_be_read_is_named(value):
    rows = list(dated(30))
    rows[4]["date"] = value
    with pytest.raises(
        DataError, match=r"the rows, row 5: column 'date': .* is no date in ISO 8601; pass date_format="
    ):
        split_by_time(rows, task=TASK, column="date", test_from="2024-01-21")


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(DataError, match="row 1: column 'day': there is no such column"):
        split_by_time(dated(30), task=TASK, column="day", test_from="2024-01-21")


@pytest.mark.parametrize("border", ["2024-01-21", "2024-02-01"])
def test_validation_must_come_before_the_test(border):
    with pytest.raises(ConfigurationError, match="must come before test_from"):
        split_by_time(dated(30), task=TASK, column="date", test_from="2024-01-21", validation_from=border)


def test_a_border_that_is_no_date_is_refused():
    with pytest.raises(ConfigurationError, match="test_from='soon': give a date"):
        split_by_time(dated(30), task=TASK, column="date", test_from="soon")


def test_a_border_after_everything_leaves_nothing_to_test_on():
    with pytest.raises(DataError, match="leave any for test with test_from='2030-01-01'"):
        split_by_time(dated(30), task=TASK, column="date", test_from="2030-01-01")


def published(names):
    return [
        {"text": f"row {spelled(index)}", "label": LABELS[index % 3], "split": name} for index, name in enumerate(names)
    ]


def test_a_published_split_is_kept_as_it_is():
    rows = published(["train", "Dev", "TEST", "train", "training", "validation"])
    found = split_by_column(rows, task=TASK)
    assert {side: list(data) for side, data in found.items()} == {
        "train": [rows[0], rows[3], rows[4]],
        "validation": [rows[1], rows[5]],
        "test": [rows[2]],
    }


def test_what_leaks_in_a_published_split_is_counted_and_kept(caplog):
    rows = published(["train"] * 3 + ["test"] * 3)
    rows[4]["text"] = rows[0]["text"]
    rows[1]["text"], rows[5]["text"] = (f"{BODY} {end}" for end in ("once", "twice"))
    with caplog.at_level(logging.WARNING):
        found = split_by_column(rows, task=TASK)
    assert len(found["test"]) == 3
    assert (
        "split: 1 of 3 rows of test ask what a row of train asks, and 1 more are tied to one; the split is kept as "
        "published" in caplog.messages
    )


def test_nothing_is_said_to_be_left_out_of_a_published_split(caplog):
    rows = published(["train"] * 4)
    rows[1] = {**rows[0]}
    rows[3] = {**rows[2], "label": "up" if rows[2]["label"] != "up" else "down"}
    with caplog.at_level(logging.WARNING):
        assert len(split_by_column(rows, task=TASK)["train"]) == 4
    assert caplog.messages == []


@pytest.mark.parametrize("name", ["trian", "", None])
def test_a_side_that_is_not_known_is_named(name):
    with pytest.raises(DataError, match=r"row 2: column 'split' holds .*, where 'train', 'training'"):
        split_by_column(published(["train", name]), task=TASK)


def test_a_row_without_the_column_is_named():
    with pytest.raises(DataError, match="row 1: column 'fold' is missing; the row has 'text', 'label', 'split'"):
        split_by_column(published(["train"]), task=TASK, column="fold")
