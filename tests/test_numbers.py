import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlorakit.numbers import Tolerance, numbers_in, read_number

WRITTEN = {
    "12": 12.0,
    "-5": -5.0, "+5": 5.0, "(5.2)": -5.2, "minus 7": -7.0, "\u22123": -3.0, ".5": 0.5, "12.": 12.0, "1e6": 1e6,
    "1,234,567.89": 1234567.89, "$1,200": 1200.0, "$-4": -4.0, "-$4": -4.0, "USD 3.2 bn": 3.2e9, "\u20ac5": 5.0,
    "$1.5 million": 1.5e6, "10k": 1e4, "6m": 6e6, "12.5%": 0.125,
    "10 per cent": 0.1, "5 percent": 0.05, "The sum is 7.": 7.0,
    "about 12, or so": 12.0, "7 or 7.0": 7.0,
    "12.5 thousands": 12500.0, "3 hundreds": 300.0, "2 trillions": 2e12, "3 hundred thousand": 3e5,
    "$2 thousand million": 2e9, "5 (million)": 5e6, "5 kg": 5.0, "5 (kg)": 5.0,
    "\u20135": -5.0, "\u2012 5": -5.0, "it was \u20135%": -0.05, "$\u20134": -4.0, "negative 5%": -0.05,
    "Negative $5": -5.0, "a non-negative 5": 5.0, "20 basis points": 0.002, "50 bps": 0.005, "3 bp": 0.0003,
    "1.5 percentage points": 0.015, "(5)%": -0.05, "(5%)": -0.05, "(1,234)": -1234.0, "$(3.2)": -3.2, "($3.2)": -3.2,
    "EUR (12.4)": -12.4, "(3.2) million": -3.2e6, "The answer: (5).": -5.0, "a loss of $(3.2) million in all": -3.2e6,
    "an increase of a fifth (20%)": 0.2, "five (5) percent": 0.05, "note (5) says so": 5.0,
    "$ -12.4 ( 12.4 )": -12.4, "-5.2% ( 5.2% )": -0.052,
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), WRITTEN.items())
def test_a_number_is_read_as_people_write_it(text, value):
    assert read_number(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "none", "1,5", "1.234,5", "v1.2.3", "12a", "3 cats and 4 dogs", "from 2 to 3"])
def test_what_is_no_number_or_more_than_one_is_not_guessed(text):
    assert read_number(text) is None


@pytest.mark.parametrize("dash", ["-", "\u2013", "\u2012", "\u2212"])
@pytest.mark.parametrize("text", ["5{}7 %", "5 {} 7 %", "5%{}7%", "$5{}$7 in all"])
def test_a_dash_between_numbers_is_no_minus(text, dash):
    assert all(value > 0 for value in numbers_in(text.format(dash)))
    assert len(numbers_in(text.format(dash))) == 2


def test_a_dash_within_a_sentence_is_no_minus():
    assert numbers_in("sales \u2013 5 in all \u2013 rose") == [5.0]


def test_parentheses_are_a_minus_in_a_cell_of_their_own():
    assert numbers_in("profit | (1.5) | 2 | (0.3)\nshare (20%) | (3) of 4") == [-1.5, 2.0, -0.3, 0.2, 3.0, 4.0]


def test_long_white_space_is_read_at_once():
    start = time.perf_counter()
    assert numbers_in(" " * 2_000 + "x") == []
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize(("text", "value"), [
    ("12.5", 12.5), ("$12.5 million", 12.5), ("1.2 billion", 1200.0), ("12,500 thousand", 12.5), ("-4 mn", -4.0),
    ("5 %", 0.05), ("0.0125 billion", 12.5), ("5 hundred thousand", 0.5),
])  # fmt: skip
def test_a_number_in_the_unit_of_all_figures_stands_as_it_is(text, value):
    assert read_number(text, unit=1e6) == pytest.approx(value)


def test_a_unit_can_make_two_ways_of_writing_a_number_agree():
    assert read_number("12.5, that is 12.5 million", unit=1e6) == 12.5
    assert read_number("12.5, that is 12.5 million") is None


@given(st.floats(-1e9, 1e9, allow_nan=False).map(lambda value: round(value, 2)))
def test_a_number_survives_being_written_with_commas(value):
    assert read_number(f"it is {value:,.2f} then") == pytest.approx(value)


@given(st.text())
def test_any_text_can_be_read(text):
    assert all(math.isfinite(value) or math.isinf(value) for value in numbers_in(text))


@pytest.mark.parametrize(("value", "reference", "same"), [
    (100.4, 100, True),
    (100.6, 100, False), (0.12, 12, True), (12, 0.12, True), (-5, 5, False), (0, 0, True), (0.001, 0, False),
    (250, 2.5, False), (2.5, 250, False), (-0.2, -20, True), (-20, -0.2, True), (100, 1, True), (0.5, 5000, False),
])  # fmt: skip
def test_a_number_is_right_within_half_a_percent_and_as_a_fraction(value, reference, same):
    assert Tolerance().accepts(value, reference) is same


def test_a_tolerance_can_be_absolute_and_know_no_percent():
    strict = Tolerance(relative=0.0, absolute=0.5, percent=False)
    assert strict.accepts(10.5, 10)
    assert not strict.accepts(0.1, 10)
