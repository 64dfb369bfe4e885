from collections import Counter

import pytest

from qlorakit.errors import ConfigurationError
from qlorakit.kinds import single_label
from qlorakit.slicing import FEWEST_ROWS, MOST_SLICES, by_column, by_columns, by_frequency, by_length, undivided

TASK = single_label("toy/way", summary="?", instruction="Which way?", labels=("up", "down"))


def rows_of(**counts):
    return [{"site": site} for site, count in counts.items() for _ in range(count)]


def test_rows_are_divided_by_the_values_of_a_column_largest_first():
    members = by_column(rows_of(north=25, south=40), "site")
    assert list(members) == ["south", "north"]
    assert members["north"] == list(range(25))


def test_values_of_few_rows_are_put_together():
    members = by_column(rows_of(north=30, east=FEWEST_ROWS - 1, west=2), "site")
    assert {name: len(places) for name, places in members.items()} == {"north": 30, "others (2)": FEWEST_ROWS + 1}


def test_no_more_slices_than_one_can_read():
    members = by_column(rows_of(**{f"s{number}": 20 for number in range(30)}), "site")
    assert len(members) == MOST_SLICES + 1
    assert sum(map(len, members.values())) == 600


def test_a_column_that_no_row_has_is_named_with_the_nearest():
    with pytest.raises(ConfigurationError, match=r"no row has a column 'sites'; there are site. Did you mean 'site'?"):
        by_column(rows_of(north=3), "sites")


def test_a_row_without_the_column_is_a_value_of_its_own():
    members = by_column([*rows_of(north=20), *({} for _ in range(20))], "site")
    assert set(members) == {"north", "None"}


def test_texts_are_divided_into_quarters_by_their_words():
    rows = [{"text": "word " * (number + 1)} for number in range(80)]
    members = by_length(rows, TASK)
    assert list(members) == ["under 21 words", "21 to 40 words", "41 to 60 words", "61 words and more"]
    assert [len(places) for places in members.values()] == [20, 20, 20, 20]


@pytest.mark.parametrize("rows", [[{"text": "one two"}] * 100, [{"text": "word " * n} for n in range(1, 40)]])
def test_texts_of_one_length_or_too_few_are_not_divided(rows):
    assert by_length(rows, TASK) == {}


def test_rows_are_divided_into_common_and_rare_labels():
    references = ["a"] * 50 + ["b"] * 25 + ["c"] * 22
    members = by_frequency(references, Counter(references))
    assert {name: len(places) for name, places in members.items()} == {"1 common labels": 50, "2 rarer labels": 47}


def test_a_division_with_a_side_of_few_rows_says_nothing():
    references = ["a"] * 50 + ["b"] * 5
    assert by_frequency(references, Counter(references)) == {}


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"f": 15, "m": 15}, "f 15, m 15"),
        ({"f": 40}, "f 40"),
        ({f"s{number}": 9 - number for number in range(6)}, "s0 9, s1 8, s2 7, s3 6 and 2 more"),
        ({"f": 2, "Ada": 1, "Bob": 1}, "f 2, 2 of one row"),
        ({"Ada": 1, "Bob": 1}, "2 of one row"),
    ],
)
def test_a_column_that_gives_no_slices_is_named_with_its_commonest_values(counts, said):
    rows = rows_of(**counts)
    assert list(undivided(rows, by_columns(rows, ["site"]))) == [
        f"slices: 'site' was not looked at: fewer than two of its values have 20 rows ({said})"
    ]


def test_nothing_is_said_of_a_column_that_gives_slices():
    rows = rows_of(north=30, east=2)
    assert list(undivided(rows, by_columns(rows, ["site"]))) == []


def test_one_text_is_no_list_of_columns():
    with pytest.raises(ConfigurationError, match=r"slices='site' must be a list of columns; pass slices=\['site'\]"):
        by_columns(rows_of(north=30), "site")
