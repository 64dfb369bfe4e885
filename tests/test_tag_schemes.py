import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval import scheme as seqeval

from qlorakit.errors import DataError
from qlorakit.tag_schemes import SCHEMES, Chunk, best_tags, read_tags, tag_names, write_tags

TYPES = ("ORG", "PER")
quick = settings(deadline=None, max_examples=60, derandomize=True)
each_scheme = pytest.mark.parametrize("scheme", SCHEMES)


@st.composite
def chunkings(draw, max_chunks=6):
    """Entities that do not overlap, and how many words there are."""
    chunks, place = [], 0
    for gap, size, kind in draw(
        st.lists(st.tuples(*[st.integers(0, 2)] * 2, st.sampled_from(TYPES)), max_size=max_chunks)
    ):
        chunks.append(Chunk(place + gap, place + gap + size + 1, kind))
        place = chunks[-1].end
    return tuple(chunks), place + draw(st.integers(0 if chunks else 1, 2))


def every_chunking(length):
    """All ways to place entities of the types over so many words."""
    if length <= 0:
        return [()] if length == 0 else []
    free = every_chunking(length - 1)
    ending = [
        (*before, Chunk(first, length, kind))
        for first in range(length)
        for before in every_chunking(first)
        for kind in TYPES
    ]
    return [*free, *ending]


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("BIO", "B-ORG B-ORG I-ORG O B-ORG I-ORG I-ORG B-PER"),
        ("IOB2", "B-ORG B-ORG I-ORG O B-ORG I-ORG I-ORG B-PER"),
        ("IOB1", "I-ORG B-ORG I-ORG O I-ORG I-ORG I-ORG I-PER"),
        ("IOBES", "S-ORG B-ORG E-ORG O B-ORG I-ORG E-ORG S-PER"),
        ("BILOU", "U-ORG B-ORG L-ORG O B-ORG I-ORG L-ORG U-PER"),
    ],
)
def test_each_scheme_writes_entities_as_its_authors_do(scheme, tags):
    chunks = (Chunk(0, 1, "ORG"), Chunk(1, 3, "ORG"), Chunk(4, 7, "ORG"), Chunk(7, 8, "PER"))
    assert write_tags(chunks, 8, scheme) == tags.split()
    assert read_tags(tags.split(), TYPES, scheme) == chunks


@each_scheme
@quick
@given(drawn=chunkings())
def test_entities_come_back_from_their_tags(scheme, drawn):
    chunks, length = drawn
    assert read_tags(write_tags(chunks, length, scheme), TYPES, scheme) == chunks


@each_scheme
@quick
@given(drawn=chunkings())
def test_what_is_written_seqeval_reads_in_strict_mode(scheme, drawn):
    chunks, length = drawn
    named = getattr(seqeval, {"BIO": "IOB2"}.get(scheme, scheme))
    found = seqeval.Tokens(write_tags(chunks, length, scheme), named).entities
    assert tuple((entity.start, entity.end, entity.tag) for entity in found) == chunks


@pytest.mark.parametrize("scheme", ["BIO", "IOB1", "IOBES"])
def test_of_all_taggings_exactly_the_valid_ones_are_accepted(scheme):
    valid = {tuple(write_tags(chunks, 3, scheme)): chunks for chunks in every_chunking(3)}
    for tags in itertools.product(tag_names(TYPES, scheme), repeat=3):
        if tags in valid:
            assert read_tags(tags, TYPES, scheme) == valid[tags]
        else:
            with pytest.raises(DataError, match=f"cannot stand there in scheme {scheme}"):
                read_tags(tags, TYPES, scheme)


def test_the_tags_of_a_scheme_are_listed_with_the_outside_first():
    assert tag_names(["ORG"], "BIO") == ("O", "B-ORG", "I-ORG")
    assert set(tag_names(["ORG"], "BILOU")) == {"O", "B-ORG", "I-ORG", "L-ORG", "U-ORG"}


def test_a_type_may_hold_hyphens():
    assert read_tags(["B-non-profit", "I-non-profit"], ["non-profit"], "BIO") == (Chunk(0, 2, "non-profit"),)


def test_the_case_of_a_tag_does_not_matter():
    assert read_tags(["b-org", "o"], TYPES, "BIO") == (Chunk(0, 1, "ORG"),)


def test_entities_of_tags_that_use_i_alone_are_refused_in_bio_with_the_scheme_that_fits():
    with pytest.raises(
        DataError, match=r"tag 2: 'I-ORG' cannot stand there in scheme BIO \(after 'O', .* valid in IOB1: declare"
    ):
        read_tags(["O", "I-ORG", "I-ORG"], TYPES, "BIO")


def test_an_entity_that_begins_with_b_is_refused_in_iob1_where_nothing_ends_before_it():
    with pytest.raises(
        DataError, match=r"tag 1: 'B-ORG' cannot stand there in scheme IOB1.*valid in BIO: declare that scheme"
    ):
        read_tags(["B-ORG", "I-ORG"], TYPES, "IOB1")


def test_a_mistake_in_every_scheme_is_to_be_corrected():
    with pytest.raises(DataError, match=r"tag 2: 'I-PER' cannot stand there .* Correct the tag"):
        read_tags(["B-ORG", "I-PER"], TYPES, "BIO")


@pytest.mark.parametrize("tag", ["B-LOC", "ORG", "S-ORG", "", "B", "OTHER", None, 3])
def test_an_unknown_tag_names_itself_its_place_and_those_allowed(tag):
    with pytest.raises(DataError, match=r"tag 2: unknown tag .* in scheme BIO; allowed: O, B-ORG, I-ORG, B-PER, I-PER"):
        read_tags(["O", tag], TYPES, "BIO")


def test_an_unknown_tag_is_answered_with_the_nearest():
    with pytest.raises(DataError, match="Did you mean 'B-ORG'"):
        read_tags(["B-ORGG"], TYPES, "BIO")


@pytest.mark.parametrize(
    ("tags", "scheme", "other"),
    [
        (["B-ORG", "E-ORG", "s-per"], "BIO", "IOBES"),
        (["B-ORG", "L-ORG", "U-PER"], "BIO", "BILOU"),
        (["U-ORG", "O"], "IOBES", "BILOU"),
    ],
)
def test_tags_of_another_scheme_are_answered_with_its_name(tags, scheme, other):
    with pytest.raises(DataError, match=rf"unknown tag .* The tags look like {other}: declare that scheme") as caught:
        read_tags(tags, TYPES, scheme)
    assert "Did you mean" not in str(caught.value)


def likeliest_valid(logprobs, tags):
    """The best of all taggings, each looked at."""
    found = []
    for path in itertools.product(range(len(tags)), repeat=len(logprobs)):
        try:
            read_tags([tags[place] for place in path], TYPES, "BIO")
        except DataError:
            continue
        found.append((sum(line[place] for line, place in zip(logprobs, path, strict=True)), path))
    return [tags[place] for place in max(found)[1]]


@settings(deadline=None, max_examples=15, derandomize=True)
@given(st.integers(0, 2**31), st.integers(1, 4))
def test_decoding_finds_the_likeliest_of_all_valid_taggings(seed, length):
    tags = tag_names(TYPES, "BIO")
    logprobs = np.log(np.random.default_rng(seed).dirichlet([0.5] * len(tags), size=length))
    assert best_tags(logprobs, tags) == likeliest_valid(logprobs, tags)


def test_decoding_gives_up_a_likely_tag_that_nothing_may_follow():
    tags = ("O", "B-ORG", "I-ORG")
    logprobs = np.log([[0.6, 0.4, 0.0001], [0.001, 0.001, 0.998]])
    assert [tags[place] for place in logprobs.argmax(axis=1)] == ["O", "I-ORG"]
    assert best_tags(logprobs, tags) == ["B-ORG", "I-ORG"]


def test_decoding_never_continues_an_entity_with_another_type():
    tags = tag_names(TYPES, "BIO")
    logprobs = np.log(np.full((2, 5), 0.01))
    logprobs[0, tags.index("B-ORG")] = logprobs[1, tags.index("I-PER")] = 0
    assert best_tags(logprobs, tags) in (["B-ORG", "O"], ["B-PER", "I-PER"])
