import math
from pathlib import Path

import pytest

from qlorakit.verification import Check, Closeness, Verification


@pytest.mark.parametrize(
    ("then", "now", "close"),
    [
        (0.1 + 0.2, 0.1 + 0.2, True),
        (0.3, 0.1 + 0.2, False),
        (1, 1.0, True),
        (True, 1, False),
        (None, math.nan, True),
        ("up", "down", False),
        ({"a": [1, 2]}, {"a": (1, 2)}, True),
        ({"a": [1, 2]}, {"a": [1]}, False),
        ({"a": 1}, {"b": 1}, False),
        ({}, {"a": None}, False),
    ],
)
def test_without_tolerance_values_are_the_same_to_the_last_bit(then, now, close):
    assert (not Closeness.of(then, now, tolerance=0.0).apart) is close


@pytest.mark.parametrize(("then", "now"), [(0.5, 0.509), (500.0, 504.0), (-7.0, -7.06)])
def test_a_tolerance_is_a_share_of_what_is_large(then, now):
    found = Closeness.of([then], [now], tolerance=0.01)
    assert not found.apart
    assert 0 < found.largest < 0.01


def test_what_is_apart_is_named_by_the_way_to_it_with_both_values():
    found = Closeness.of({"tuned": {"f1": [0.5, 0.6]}}, {"tuned": {"f1": [0.5, 0.7]}}, tolerance=0.0)
    check = found.check("report", "metrics", tolerance=0.0, because="")
    assert check.state == "different"
    assert "1 of 3 values differ: tuned.f1[2] was 0.6 and is 0.7" in check.detail


@pytest.mark.parametrize(("then", "now"), [(10**400, 0.5), (0.5, 10**400), (10**400, 10**401)])
def test_numbers_that_no_float_holds_are_different(then, now):
    assert len(Closeness.of(then, now, tolerance=0.5).apart) == 1


def test_long_values_are_not_shown_as_they_may_be_somebodys_text():
    (said,) = Closeness.of({"value": "a secret " * 9}, {"value": None}, tolerance=0.0).apart
    assert said == "value was something of 83 characters and is None"


def test_the_tolerance_and_its_reason_are_stated():
    check = Closeness.of(0.5, 0.501, tolerance=0.01).check("loss", "it", tolerance=0.01, because="the machine changed")
    assert check.state == "same"
    assert "differ by at most 0.001, 0.01 is allowed because the machine changed" in check.detail


@pytest.mark.parametrize(
    ("state", "ok"), [("same", True), ("changed", True), ("different", False), ("not checked", False)]
)
def test_all_is_well_where_everything_was_checked_and_nothing_is_different(state, ok):
    found = Verification(Path("runs/x"), (Check("files", "same", "6"), Check("base", state, "[red]it\x1b[31m")))
    assert found.ok is ok
    assert "[red]it\N{REPLACEMENT CHARACTER}[31m" in str(found)  # names come from files, and command no terminal
