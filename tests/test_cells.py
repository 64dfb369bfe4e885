"""Cells that hold nothing, however a file, a table or a library says so."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlorakit.cells import is_blank, is_missing

MISSING = [None, math.nan, np.float32("nan"), np.float64("nan"), np.float16("nan"), pd.NA, pd.NaT]


@pytest.mark.parametrize("value", MISSING, ids=repr)
def test_every_way_to_say_that_there_is_no_value_is_one(value):
    assert is_missing(value)
    assert is_blank(value)


@pytest.mark.parametrize("value", ["", "  ", "\n\t"])
def test_blank_texts_are_blank_and_not_missing(value):
    assert is_blank(value)
    assert not is_missing(value)


@pytest.mark.parametrize("value", [[], [math.nan], np.array([]), np.array([math.nan, 1]), {}, object(), "nan", "None"])
def test_what_is_there_is_not_blank(value):
    assert not is_blank(value)


@given(st.integers() | st.floats(allow_nan=False) | st.booleans())
def test_no_number_is_blank(value):
    assert not is_blank(value)
