import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlorakit.text_checks import (
    SPECIAL,
    count_languages,
    find_damage,
    has_control_characters,
    is_empty,
    special_tokens,
)

ENGLISH = "The committee will meet again in the spring to look at the accounts of the year."
GERMAN = "Der Ausschuss wird im Frühjahr erneut zusammenkommen, um die Rechnungen zu prüfen."


@pytest.mark.parametrize("text", ["", " \n", "...", "-- ! --", "\N{GRINNING FACE}"])
def test_a_text_without_letters_and_digits_is_empty(text):
    assert is_empty(text)


@pytest.mark.parametrize("text", ["a", "7", "...x", "\N{DEVANAGARI LETTER KA}"])
def test_a_letter_or_a_digit_makes_a_text(text):
    assert not is_empty(text)


@pytest.mark.parametrize("bad", ["\x00", "\x1b", "\x7f", "\x85", "\N{RIGHT-TO-LEFT OVERRIDE}", "\u2066"])
def test_control_characters_are_found(bad):
    assert has_control_characters(f"before{bad}after")


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_letters_signs_and_line_breaks_are_no_control_characters(text):
    assert not has_control_characters(f"{text}\t\r\n")


@pytest.mark.parametrize(
    "token",
    ["<|im_end|>", "<|eot_id|>", "<|endoftext|>", "</s>", "<s>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<eos>",
     "<start_of_turn>", "<end_of_turn>", "[CLS]", "[MASK]", "<|reserved_special_token_1|>"],
)  # fmt: skip
def test_the_control_tokens_of_chats_are_counted(token):
    assert special_tokens(f"a {token} b{token}") == {token: 2}


@pytest.mark.parametrize("text", ["a < b > c", "[see below]", "<b>bold</b>", "|x|", "x <| y", "<3", "[INSTALL]", "s>"])
def test_ordinary_marks_are_no_control_tokens(text):
    assert not special_tokens(text)


def test_a_long_line_of_openings_is_searched_in_reasonable_time():
    assert SPECIAL.findall("<|a" * 100_000) == []


@pytest.mark.parametrize("text", ["caf\u00c3\u00a9", "It\u00e2\u20ac\u2122s late"])
def test_text_read_in_the_wrong_encoding_is_found(text):
    pytest.importorskip("ftfy")
    assert find_damage()(text)


@pytest.mark.parametrize("text", ["caf\u00e9", "It\u2019s \u20ac5", "plain", GERMAN])
def test_text_that_is_right_is_left_alone(text):
    pytest.importorskip("ftfy")
    assert not find_damage()(text)


def test_languages_are_counted_where_a_text_is_long_enough():
    pytest.importorskip("py3langid")
    assert count_languages([ENGLISH, ENGLISH, GERMAN, "too short"]) == {"en": 2, "de": 1}


def test_a_missing_package_is_said_not_raised(monkeypatch):
    from qlorakit.text_checks import _identifier

    monkeypatch.setitem(sys.modules, "ftfy.badness", None)
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    _identifier.cache_clear()
    assert find_damage() is None
    assert count_languages([ENGLISH]) is None
    _identifier.cache_clear()
