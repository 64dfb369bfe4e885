import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlorakit.errors import DataError
from qlorakit.spans import Span, SpanColumns, TagColumns, join_words, split_words, without_overlaps
from qlorakit.tag_schemes import Chunk
from qlorakit.task import Column

TYPES = {"org": "ORG", "per": "PER"}
TEXT = "Apple hired Ann Lee."
quick = settings(deadline=None, max_examples=60, derandomize=True)
spans_of = st.builds(
    lambda start, size, kind: Span(start, start + size, kind),
    st.integers(0, 9),
    st.integers(1, 4),
    st.sampled_from("AB"),
)


def of_spans(entities, text=TEXT):
    columns = SpanColumns(Column("text"), Column("entities", label=True), TYPES)
    return columns.read({"text": text, "entities": entities})


def of_tags(tokens, tags, scheme="BIO"):
    columns = TagColumns(Column("tokens"), Column("tags", label=True), scheme, TYPES)
    return columns.read({"tokens": tokens, "tags": tags})


def test_words_are_runs_of_letters_and_digits_and_every_other_sign():
    assert split_words("St. John's 5mg\n(1,2)").texts == (
        "St", ".", "John", "'", "s", "5mg", "(", "1", ",", "2", ")",
    )  # fmt: skip


@quick
@given(st.text())
def test_words_cover_all_but_white_space(text):
    words = split_words(text)
    assert "".join(words.texts) == "".join(text.split())
    assert all(text[start:end] == word for (start, end), word in zip(words.bounds, words.texts, strict=True))


@quick
@given(st.lists(st.text(min_size=1), min_size=1))
def test_joined_words_keep_their_offsets(tokens):
    words = join_words(tokens)
    assert words.text == " ".join(tokens)
    assert list(words.texts) == tokens


@quick
@given(st.lists(st.sampled_from(["a", "bb", ".", "c d"]), min_size=1, max_size=8), st.data())
def test_a_run_of_words_comes_back_from_its_characters(tokens, data):
    words = join_words(tokens)
    first = data.draw(st.integers(0, len(tokens) - 1))
    chunk = Chunk(first, data.draw(st.integers(first + 1, len(tokens))), "ORG")
    assert words.chunk(words.span(chunk)) == chunk


@pytest.mark.parametrize(("start", "end"), [(0, 3), (1, 5), (5, 11)])
def test_a_span_that_cuts_a_word_or_holds_outer_space_is_no_run_of_words(start, end):
    assert split_words(TEXT).chunk(Span(start, end, "ORG")) is None


def test_a_mention_is_found_in_every_place_and_across_line_breaks():
    words = split_words("New York, New\n  York and Newark")
    assert words.occurrences("New York") == [(0, 8), (10, 20)]
    assert words.mention(10, 20) == "New York"


def test_occurrences_may_overlap():
    assert split_words("a a a").occurrences("a a") == [(0, 3), (2, 5)]


def test_signs_of_a_mention_mean_themselves():
    assert split_words("A.B and AxB").occurrences("A.B") == [(0, 3)]


def test_given_words_decide_where_a_mention_may_begin_and_end():
    assert join_words(["Inc.-based", "Inc", "."]).occurrences("Inc") == [(11, 14)]


@quick
@given(st.lists(spans_of, max_size=8))
def test_what_is_left_without_overlaps_is_disjoint_and_rules_out_the_rest(spans):
    kept = without_overlaps(spans)
    assert all(one.end <= other.start for one, other in itertools.pairwise(kept))
    for span in set(spans) - set(kept):
        assert any(
            other.start < span.end and span.start < other.end and other.end - other.start >= span.end - span.start
            for other in kept
        )


def test_of_nested_spans_the_longest_is_left():
    spans = [Span(0, 5, "A"), Span(0, 10, "A"), Span(6, 10, "B"), Span(11, 12, "A")]
    assert without_overlaps(spans) == (Span(0, 10, "A"), Span(11, 12, "A"))


@pytest.mark.parametrize(
    "written",
    [
        [{"start": 12, "end": 19, "type": "PER"}, {"start": 0, "end": 5, "type": "ORG"}],
        [{"start": 12, "end": 19, "label": "PER"}, {"start": 0, "end": 5, "label": "ORG"}],
        [(12, 19, "per"), [0, 5, " Org "]],
        json.dumps([[12, 19, "PER"], [0, 5, "ORG"]]),
    ],
)
def test_spans_are_read_as_mappings_triples_or_json_and_sorted(written):
    assert of_spans(written) == (Span(0, 5, "ORG"), Span(12, 19, "PER"))


@pytest.mark.parametrize("blank", [None, "", " "])
def test_a_blank_cell_says_that_the_entities_are_not_known(blank):
    assert of_spans(blank) is None
    assert of_tags(["Apple"], blank) is None


@pytest.mark.parametrize("empty", [[], (), "[]"])
def test_an_empty_list_says_that_there_are_none(empty):
    assert of_spans(empty) == ()


def test_overlapping_and_nested_spans_are_kept():
    nested = [(12, 19, "PER"), (16, 19, "PER"), (12, 19, "ORG")]
    assert of_spans(nested) == tuple(sorted(Span(*span) for span in nested))


@pytest.mark.parametrize(("start", "end"), [(0, 21), (-1, 5), (20, 25), (5, 2)])
def test_a_span_outside_the_text_is_refused(start, end):
    with pytest.raises(
        DataError, match=r"column 'entities', span 2: from -?\d+ to \d+ is not inside the text.*20 char"
    ):
        of_spans([(0, 5, "ORG"), (start, end, "PER")])


def test_an_empty_span_is_refused():
    with pytest.raises(DataError, match="column 'entities', span 1: from 5 to 5 is empty"):
        of_spans([(5, 5, "ORG")])


def test_a_span_that_reaches_the_end_of_the_text_is_read():
    assert of_spans([(19, 20, "ORG")]) == (Span(19, 20, "ORG"),)


def test_a_type_that_is_not_declared_names_those_that_are_and_the_nearest():
    with pytest.raises(DataError, match=r"span 1: unknown type 'ORGA'; allowed: 'ORG', 'PER'.* Did you mean 'ORG'"):
        of_spans([(0, 5, "ORGA")])


def test_duplicate_spans_are_refused():
    with pytest.raises(DataError, match=r"column 'entities': the span \(0, 5, 'ORG'\) is there twice; remove one"):
        of_spans([(0, 5, "ORG"), (0, 5, "org")])


@pytest.mark.parametrize(
    "item",
    [
        {"from": 0},
        (0, 5),
        "ORG",
        3,
        ("0", "5", "ORG"),
        (0.0, 5.0, "ORG"),
        (False, 5, "ORG"),
        (0, True, "ORG"),
        (0, 5, None),
    ],
)
def test_what_is_no_span_is_refused_with_its_form(item):
    with pytest.raises(DataError, match=r"column 'entities', span 1: .* is no span; write it like \{'start': 0"):
        of_spans([item])


def test_offsets_that_do_not_fit_the_mention_given_with_them_are_refused():
    with pytest.raises(DataError, match="span 1: 'Apple' is not what the text says from 1 to 6; correct the offsets"):
        of_spans([{"start": 1, "end": 6, "type": "ORG", "text": "Apple"}])


@pytest.mark.parametrize("said", ["Ann Lee", "Ann\nLee", None])
def test_a_mention_given_with_its_offsets_may_differ_in_white_space(said):
    assert of_spans([{"start": 12, "end": 19, "type": "PER", "text": said}]) == (Span(12, 19, "PER"),)


@pytest.mark.parametrize(("value", "what"), [({"start": [0]}, "dict"), (3, "int")])
def test_a_cell_that_is_no_list_is_refused(value, what):
    with pytest.raises(DataError, match=f"column 'entities' holds {what} .* where a list is needed"):
        of_spans(value)


def test_a_text_that_is_no_json_is_refused():
    with pytest.raises(DataError, match=r"column 'entities' holds a text that is no JSON .* write its list as JSON"):
        of_spans("Apple (ORG)")


def test_spans_of_an_empty_text_are_refused_for_the_text():
    with pytest.raises(DataError, match="column 'text' is empty"):
        of_spans([(0, 1, "ORG")], text="")


def test_tags_become_spans_of_the_joined_words():
    found = of_tags(["Ann", "Lee", "left", "Apple"], ["B-PER", "I-PER", "O", "B-ORG"])
    assert found == (Span(0, 7, "PER"), Span(13, 18, "ORG"))


@pytest.mark.parametrize("tags", [["O"], ["O", "O", "O"], []])
def test_tags_and_words_of_different_number_are_refused(tags):
    with pytest.raises(DataError, match=f"column 'tags' holds {len(tags)} tags for the 2 words of column 'tokens'"):
        of_tags(["Apple", "fell"], tags)


def test_an_unknown_tag_names_its_column():
    with pytest.raises(DataError, match="column 'tags', tag 1: unknown tag 'B-LOC' in scheme BIO"):
        of_tags(["Paris"], ["B-LOC"])


@pytest.mark.parametrize("tokens", [None, [], "[]", ""])
def test_a_row_without_words_is_refused(tokens):
    with pytest.raises(DataError, match="column 'tokens' is missing or empty; the row has 'tokens', 'tags'"):
        of_tags(tokens, ["O"])


@pytest.mark.parametrize("token", ["", " ", "\n", None, 3])
def test_a_token_that_is_no_word_is_refused_with_its_place(token):
    with pytest.raises(DataError, match=r"column 'tokens', token 2: .* is no word; remove it along with its tag"):
        of_tags(["Apple", token], ["O", "O"])
