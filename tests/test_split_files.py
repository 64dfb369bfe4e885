import json

import pytest
from test_splits import TASK, distinct

from qlorakit import load_split, read_split, save_split, split
from qlorakit.errors import DataError, OutputError


@pytest.fixture
def data():
    return split(distinct(60), task=TASK, seed=0)


@pytest.fixture
def path(data, tmp_path):
    return save_split(data, tmp_path / "below" / "split.json")


def test_a_saved_split_is_found_again_in_rows_of_any_order(data, path):
    again = load_split(path, distinct(60)[::-1])
    assert {side: sorted(rows["text"]) for side, rows in again.items()} == {
        side: sorted(rows["text"]) for side, rows in data.items()
    }


def test_more_rows_than_before_are_left_out(path):
    assert sum(map(len, load_split(path, distinct(70)).values())) == 60


def test_a_saved_split_holds_numbers_and_fingerprints_but_no_text(data, path):
    held = json.loads(path.read_text())
    assert {side: described["rows"] for side, described in held["sides"].items()} == {
        side: len(rows) for side, rows in data.items()
    }
    assert len({described["fingerprint"] for described in held["sides"].values()}) == 3
    assert "number" not in path.read_text()


def test_the_same_row_may_stand_on_two_sides_as_published(tmp_path):
    rows = distinct(2)
    path = save_split({"train": rows, "test": rows[:1]}, tmp_path / "split.json")
    again = load_split(path, [rows[0], rows[1], rows[0]])
    assert {side: len(found) for side, found in again.items()} == {"train": 2, "test": 1}


def test_a_row_that_was_changed_since_is_counted_by_side(path):
    with pytest.raises(DataError, match=r"not among these \(\d+ of test, \d+ of train, \d+ of validation\); they were"):
        load_split(path, [{**row, "text": row["text"] + "!"} for row in distinct(60)])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "sides": {"train": {"contents": ["x"]}}}', "3"])
def test_a_file_that_is_no_split_is_refused(tmp_path, text):
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(DataError, match="is not a split that save_split wrote"):
        read_split(tmp_path / "split.json")


def test_a_split_of_a_newer_version_is_refused(path):
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 2}))
    with pytest.raises(DataError, match="newer version of qlorakit"):
        read_split(path)


def test_a_missing_file_says_what_writes_it(tmp_path):
    with pytest.raises(DataError, match="does not exist; save_split writes such a file"):
        read_split(tmp_path / "gone.json")


def test_a_folder_in_the_way_is_an_error_and_nothing_is_left(data, tmp_path):
    (tmp_path / "split.json").mkdir()
    with pytest.raises(OutputError, match=r"could not be written.*choose a place"):
        save_split(data, tmp_path / "split.json")
    assert [path.name for path in tmp_path.iterdir()] == ["split.json"]


def test_a_side_of_another_name_is_refused(tmp_path):
    with pytest.raises(DataError, match="not 'dev'"):
        save_split({"dev": distinct(3)}, tmp_path / "split.json")
