import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlorakit.sentences import pieces_of, sentences_of, shared, telling, tells

PIECES = st.sampled_from(
    ["The term ends", ".", " ", "\n", "\n\n", "No. 4", "(a)", "2.1", "Inc.", "; ", "e.g.", "?", '"Fee"', "x" * 90, "\t"]
)
TEXTS = st.lists(PIECES, max_size=60).map("".join)


def said(text, **how):
    return [text[start:end] for start, end in sentences_of(text, **how)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It ends. It began.", ["It ends.", "It began."]),
        ('He said "no." Then he left!', ['He said "no."', "Then he left!"]),
        ("See No. 4 of Acme Inc. below.", ["See No. 4 of Acme Inc. below."]),
        ("1. Term. The term is a year.", ["1. Term.", "The term is a year."]),
        ("2.1 Notices go to J. Doe at the U.S. office.", ["2.1 Notices go to J. Doe at the U.S. office."]),
        ("It runs for a year. it goes on", ["It runs for a year. it goes on"]),
        ("a wrapped\nline goes on. And ends.", ["a wrapped\nline goes on.", "And ends."]),
        ("A HEADING\nThe text", ["A HEADING", "The text"]),
        ("the list:\nitems follow", ["the list:", "items follow"]),
        ("It ends.\nIt began", ["It ends.", "It began"]),
        ("it ends.\nit goes on", ["it ends.\nit goes on"]),
        (
            "\u7532\u65b9\u4ed8\u6b3e\u3002\u4e59\u65b9\u6536\u6b3e\u3002",
            ["\u7532\u65b9\u4ed8\u6b3e\u3002", "\u4e59\u65b9\u6536\u6b3e\u3002"],
        ),
        ("one\n\ntwo", ["one", "two"]),
        ("  \n ", []),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text, sentences):
    assert said(text) == sentences


@given(TEXTS)
def test_nothing_but_white_space_is_between_sentences(text):
    places = sentences_of(text, longest=40)
    assert "".join("".join(text[start:end].split()) for start, end in places) == "".join(text.split())
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(places))
    assert all(text[start:end] == text[start:end].strip() != "" for start, end in places)


@given(TEXTS)
def test_a_long_sentence_is_divided(text):
    assert all(end - start <= 40 for start, end in sentences_of(text, longest=40))


def test_a_long_sentence_is_divided_at_a_semicolon_before_a_comma_before_a_space():
    assert said("one two, three; four, five six seven", longest=24) == ["one two, three;", "four, five six seven"]
    assert said("one two three, four five", longest=20) == ["one two three,", "four five"]
    assert said("one two three four five", longest=20) == ["one two three four", "five"]


@given(TEXTS, st.integers(1, 30))
def test_pieces_are_whole_sentences_of_so_many_words(text, words):
    sentences, pieces = sentences_of(text), pieces_of(text, words)
    assert {start for start, _ in pieces} <= {start for start, _ in sentences}
    assert "".join("".join(text[a:b].split()) for a, b in pieces) == "".join(text.split())
    alone = {one for one in sentences if len(text[slice(*one)].split()) > words}
    assert all(len(text[start:end].split()) <= words for start, end in pieces if (start, end) not in alone)


def test_a_stretch_tells_where_half_of_either_is_in_the_other():
    assert shared((0, 10), (5, 20)) == 5
    assert shared((0, 10), (10, 20)) == 0
    assert tells((0, 10), [(5, 100)])
    assert tells((0, 100), [(90, 110)])
    assert not tells((0, 100), [(91, 191)])


@given(
    st.lists(st.integers(1, 9), max_size=12), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=4)
)
def test_the_stretches_that_tell_are_found_without_looking_at_all_of_them(lengths, evidence):
    ends = list(itertools.accumulate(lengths))
    stretches = [(end - size, end) for end, size in zip(ends, lengths, strict=True)][::2]
    told = [(start, start + size) for start, size in evidence]
    assert telling(stretches, told) == [place for place, one in enumerate(stretches) if tells(one, told)]
