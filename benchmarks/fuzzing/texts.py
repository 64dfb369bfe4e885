"""Parsers of texts: numbers, entities, tags, words, sentences, quotes, personal data, near-duplicates, dates."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from fuzzing.damage import hostile_texts, texts_of
from fuzzing.reader import Reader, check
from qlorakit.audit_text import number_text
from qlorakit.documents import clean
from qlorakit.entities import LineEncoding, WordEncoding, align
from qlorakit.fixed_splits import split_by_time
from qlorakit.kinds import single_label
from qlorakit.near_duplicates import near_duplicate_groups, normalise
from qlorakit.numbers import SCALES, Tolerance, numbers_in, read_number
from qlorakit.privacy import check_answers, find_personal_data, replace_personal_data
from qlorakit.quotes import QuoteFinder, quotes_in, verify_quotes
from qlorakit.report_text import _escape
from qlorakit.sentences import pieces_of, sentences_of, telling, within
from qlorakit.spans import Span, join_words, split_words, without_overlaps
from qlorakit.tag_schemes import SCHEMES, Chunk, best_tags, read_tags, tag_names, write_tags
from qlorakit.task import Prediction
from qlorakit.text_checks import count_languages, find_damage, has_control_characters, is_empty, special_tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import SearchStrategy

TYPES = ("person", "Place", "number of things")
NUMBER_TOKENS = (
    *SCALES, *(name.upper() for name in SCALES), "1", "12", "5", "0", "1,234", "1,5", ".5", "1.", "-", "\u2212",
    "\u2013", "$", "\u20ac", "%", "percent", "per cent", "pct", "bps", "bp", "basis points", "percentage points", "(",
    ")", " ", "\n", "|", ":", "=", "\t", "EUR ", "USD", "minus ", "negative ", "e5", "e-3", "e+400", "E99999",
    "mi\u0130llion", "m\u0131llion", "thou\u017fand", "\u212a", "\u0663", "\u00b2", "9" * 400, ",", ".", "(1)",
    "(20%)", "of", "kg",
)  # fmt: skip
WORD_TOKENS = (
    "Anna Keller", "Anna", "Dr.", "the", "in Rome", "Rome", "7", " ", "  ", "\n", "\n\n", ".", ",", "|", "none",
    "person", "place", "number of things", " | ", "\r\n", "\u2028", "\u00a0", "e\u0301", "\u1100\u1161",
    "\u4e2d\u6587", "B-", "\x1c", "-",
)  # fmt: skip
QUOTE_TOKENS = (
    '"', "'", "``", "''", "\u201c", "\u201d", "\u201e", "\u2018", "\u2019", "\u201a", "\u00ab", "\u00bb", "\u2039",
    "\u203a", "...", ". . .", "\u2026", "[...]", "(\u2026)", "<omitted>", "[omitted]", "[b]uyer", "[B]", "the buyer",
    "The seller", "pays", "30 days", " ", "  ", "\n", "\u00a0", "\u00ad", "\u2010", "\u2011", "e\u0301", "\u00e9",
    "\u212b", "\u1100\u1161", "\uac01", ",", ".", ";", "'s", '5"', "\u0130", "[", "(", "]",
)  # fmt: skip
SENTENCE_TOKENS = (
    "The end.", "Is it?", "e.g.", "No.", "no. 5", "12.", "(iii", "a", "A", "Inc.", "\n", "\n\n", " ", "  ", ";", ":",
    ",", "\u3002", "\uff01", "\u201d", ")", ".", "...", "!", "1.2", "U.S.", "word", "word" * 30, "\u061f", "\r\n",
    "\x1c", "\u00a0",
)  # fmt: skip
PERSONAL_TOKENS = (
    "Mr. ", "Dr. Anna Keller", "Keller, Anna", "anna@example.org", "@", "www.", "https://", "example.org",
    "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "123-45-6789", "2345 6789 0124", "+49 30 ", "030 123456",
    "555-123-4567", "tel ", "MRN ", "account no. ", "1", "12", "1990", "2024-05-31", "31.05.2024", "May 5, 2020",
    "5 May", "aged 93", "12 Main Street", "Hauptstra\u00dfe 5", "10115 Berlin", "P.O. Box 12", "SW1A 1AA", "::1",
    "192.168.0.1", "fe80:", ":", ".", "-", "/", " ", "\n", "(", ")", "\u0661\u0662", "\u00b2", "[PERSON_1]",
    "[EMAIL_99999999999999999999]", "[PERSON_\u0663]", "\u0130", "\u00e9", "passport ", "A1234567", "ssn ", "PESEL ",
    "X", "IBAN", "9" * 30,
)  # fmt: skip
DATE_TOKENS = (
    "2024-05-31", "2024", "-", "05", "31", "T", "12:00", ":", "+", "23:59", "Z", "W", "0001-01-01", "9999-12-31",
    "+23:59", "-23:59", "20240531", "2024-W22-5", " ", "1", "99999", "\u0662", "24:00", ".999999999",
)  # fmt: skip
FORMAT_TOKENS = (
    "%d",
    "%m",
    "%Y",
    "%y",
    "%H",
    "%z",
    "%Z",
    "%j",
    "%U",
    "%%",
    "%",
    "%Q",
    ".",
    "-",
    "(",
    "[",
    "\\",
    "%G",
    "%V",
    "%u",
    " ",
)
AUDIT_TOKENS = (
    "<|im_end|>",
    "<|",
    "|>",
    "</s>",
    "[INST]",
    "<<SYS>>",
    "\u00c3\u00a4",
    "\u00e2\u20ac\u2122",
    "\x00",
    "\u202e",
    "a",
    " ",
    "-",
)


def _numbers_read(text: str) -> None:
    for unit in (1.0, 1e6):
        found = numbers_in(text, unit=unit)
        check(all(type(one) is float and math.isfinite(one) for one in found), "not a finite number", text, found)
        check(len(found) <= len(text), "more numbers than characters", text)
        one = read_number(text, unit=unit)
        check(one is None or one in found, "a number that is not in the text", text, one)
        Tolerance().accepts(one or 0.0, found[0] if found else 1.0)


# What stands before a number and after it, and what it is multiplied by.
FORMS = (
    ("", "", 1.0), ("$", "", 1.0), ("EUR ", "", 1.0), ("\u20ac ", "", 1.0), ("", "%", 0.01), ("", " percent", 0.01),
    ("", " million", 1e6), ("$", "bn", 1e9), ("", " kg", 1.0), ("", " bps", 1e-4), ("", " hundred thousand", 1e5),
    ("", " Basis Points", 1e-4), ("", "k", 1e3), ("$", " million", 1e6),
)  # fmt: skip
SIGNS = ("", "-", "\u2212", "minus ", "(")
PLACES_AROUND = ("{}", "| {} |", "it is\n{}\n", "sum: {}", " {} ")


def _number_written(given: tuple[int, int, bool, tuple[str, str, float], str, str]) -> None:
    """A number that is written in some form is read as what it is."""
    units, places, thousands, (before, after, scale), sign, around = given
    sign = "-" if sign == "(" and after == " kg" else sign  # parentheses are a minus around a number alone
    amount = Decimal(units).scaleb(-places)
    said = f"{before}{amount:,f}{after}" if thousands else f"{before}{amount:f}{after}"
    said = around.format(f"({said})" if sign == "(" else sign + said)
    expected = float(amount) * scale * (-1 if sign else 1)
    found = read_number(said)
    check(found is not None and math.isclose(found, expected, rel_tol=1e-9), "read otherwise", said, found, expected)


def _answer_lines(given: tuple[str, str]) -> None:
    text, answer = given
    words = split_words(text)
    output = align(answer, words, TYPES)
    spans = output.value or ()
    check(list(spans) == sorted(set(spans)), "entities that are not sorted or twice", text, answer, spans)
    for span in spans:
        check(words.chunk(span) is not None and span.type in TYPES, "no whole words", text, answer, span)
    check(all(count >= 0 for count in output.scores.values()), "a count below 0", output.scores)


def _entities_written(given: tuple[list[tuple[int, int, str]], int]) -> None:
    """Entities that are written out, in either encoding, are read as what they were."""
    pieces, length = given
    words = join_words([f"w{number}" for number in range(length)])
    chunks, free = [], 0
    for skip, size, kind in pieces:
        first, end = free + skip, free + skip + size
        if end <= length:
            chunks.append(Chunk(first, end, kind))
            free = end
    spans = tuple(map(words.span, chunks))
    lines = LineEncoding("Find.", TYPES)
    (example,) = lines.ask(words, spans)
    check(lines.parse(words, [Prediction(example.target or "")]).value == spans, "lines read otherwise", spans, example)
    by_word = WordEncoding("Find.", TYPES)
    said = [Prediction(one.target or "") for one in by_word.ask(words, spans)]
    check(by_word.parse(words, said).value == spans, "tags read otherwise", spans)
    for scheme in SCHEMES:
        tags = write_tags(chunks, length, scheme)
        check(read_tags(tags, TYPES, scheme) == tuple(chunks), "tags read otherwise", scheme, chunks, tags)


def _tags_read(given: tuple[list[Any], str]) -> None:
    tags, scheme = given
    chunks = read_tags(tags, TYPES, scheme)  # type: ignore[arg-type]  # a scheme by its name
    written = write_tags(chunks, len(tags), scheme)  # type: ignore[arg-type]
    folded = [tag.strip().casefold() for tag in tags]
    check([tag.casefold() for tag in written] == folded, "another tagging", tags, written)


def _tags_found(rows: list[list[float]]) -> None:
    """The best tagging is one that can be read."""
    names = tag_names(TYPES, "BIO")
    found = best_tags(np.array([row[: len(names)] for row in rows]).reshape(-1, len(names)), names)
    check(len(found) == len(rows), "not a tag for each word")
    read_tags(found, TYPES, "BIO")


def _words_cut(text: str) -> None:
    words = split_words(text)
    _check_in_order(text, words.bounds)
    check("".join(words.texts) == "".join(text.split()), "words lose or gain characters", text, words.texts)
    for mention in (*words.texts[:3], text[:20], text):
        for place in words.occurrences(mention):
            check(
                text[slice(*place)].split() == mention.split(), "an occurrence of something else", text, mention, place
            )
    tokens = words.texts or ("x",)
    joined = join_words(tokens)
    check(joined.texts == tokens, "joined otherwise", tokens)
    spans = [Span(start, end, "x") for start, end in words.bounds] + [Span(0, len(text), "y")]
    check(bool(without_overlaps(spans)), "no span is left")


def _sentences(text: str) -> None:
    for longest in (600, 20):
        found = sentences_of(text, longest=longest)
        _check_in_order(text, found)
        check(all(end - start <= longest for start, end in found), "a sentence that is too long", text, found)
        check("".join("".join(text[start:end].split()) for start, end in found) == "".join(text.split()), "lost", text)
    pieces = pieces_of(text, 5)
    _check_in_order(text, pieces)
    if pieces:
        check(within(pieces, (0, len(text))) == slice(0, len(pieces)), "not all is within the whole", pieces)
        check(telling(pieces, [pieces[-1]])[-1:] == [len(pieces) - 1], "a piece does not tell of itself", pieces)


def _check_in_order(text: str, places: Sequence[tuple[int, int]]) -> None:
    check(all(0 <= start < end <= len(text) for start, end in places), "places outside", text, places)
    check(all(one[1] <= other[0] for one, other in pairwise(places)), "places overlap", text, places)


def _quotes(given: tuple[str, str, int, int]) -> None:
    source, quote, first, second = given
    finder = QuoteFinder(source)
    for one in (quote, source[first:second], *(found.text for found in quotes_in(quote))):
        found = finder.find(one)
        for places in ([] if found is None else [found], finder.find_all(one)):
            _check_in_order(source, places)
        _check_places(source, finder.find_parts(one))
        _check_places(source, finder.verify(one))
    cut = source[first:second].strip()
    check(not cut or finder.find(cut) == (source.find(cut), source.find(cut) + len(cut)), "a quote is not found", given)
    quotes = quotes_in(quote)
    _check_in_order(quote, [(one.start, one.end) for one in quotes])
    check(all(quote[one.start : one.end] == one.text for one in quotes), "a quote is elsewhere", quote, quotes)
    check([one.quote for one in verify_quotes(quote, finder)] == [one.text for one in quotes], "others verified", quote)


def _check_places(source: str, places: Sequence[tuple[int, int]]) -> None:
    """Parts of a quote; folded characters may be shared at their edges."""
    check(all(0 <= start < end <= len(source) for start, end in places), "places outside", source, places)
    check(list(places) == sorted(places), "places out of order", source, places)


def _quote_written(given: tuple[list[str], int]) -> None:
    """Words of a source that are put into quotation marks are found as a quote, and in the source."""
    words, length = given
    source = " ".join(words)
    said = " ".join(words[:length])
    for before, after in ("\u201c\u201d", "\u00ab\u00bb", '""', ("``", "''"), "\u201e\u201c"):
        found = verify_quotes(f"It says {before}{said}{after} there.", source)
        check([one.quote for one in found] == [said], "another quote", given, found)
        check(found[0].source_place == (0, len(said)), "another place", given, found)


def _personal_data(text: str) -> None:
    found = find_personal_data(text, builtin_only=True, names=("Anna Keller",))
    _check_in_order(text, [(one.start, one.end) for one in found])
    replaced = replace_personal_data(text, builtin_only=True)
    check(replaced == text or bool(find_personal_data(text, builtin_only=True)), "changed", text, replaced)
    check_answers([text], prompts=[text[: len(text) // 2]], builtin_only=True)


def _official_numbers(text: str) -> None:
    found = find_personal_data(text, builtin_only=False)
    _check_in_order(text, [(one.start, one.end) for one in found])


def _audit_texts(text: str) -> None:
    damaged = find_damage()
    check(damaged is None or isinstance(damaged(text), bool), "no answer", text)
    is_empty(text), has_control_characters(text), special_tokens(text), count_languages([text * 3])
    check("\n" not in _escape(text), "a line break in a cell", text)
    cleaned = clean(text)
    check(clean(cleaned) == cleaned, "cleaned once more it is another", text)
    cleaned.encode()
    number_text(len(text))


def _near_duplicates(texts: list[str]) -> None:
    for digits in (True, False):
        plain = [normalise(text, ignore_digits=digits) for text in texts]
        groups = near_duplicate_groups(texts, ignore_digits=digits).tolist()
        check(len(groups) == len(texts), "not a group for each text", texts)
        check(sorted(set(groups)) == list(range(len(set(groups)))), "numbers are missing", groups)
        for one, other in ((0, -1), (0, len(texts) // 2)) if texts else ():
            alike = bool(plain[one]) and plain[one] == plain[other]
            check(not alike or groups[one] == groups[other], "the same text in two groups", texts, groups)


DATED = single_label("fuzz/dated", summary="-", instruction="-", labels=("a", "b"))


def _dates(given: tuple[Any, Any, str | None]) -> None:
    date, border, form = given
    rows = [{"text": f"{word} stood here", "label": "a", "date": date} for word in ("one", "two", "three")]
    rows.append({"text": "four stood here", "label": "b", "date": "2024-05-31" if form is None else date})
    split_by_time(rows, task=DATED, column="date", test_from=border, date_format=form, near_duplicates=None)


def _tag_inputs() -> SearchStrategy[Any]:
    names = sorted({name for scheme in SCHEMES for name in tag_names(TYPES, scheme)})
    tag = st.one_of(
        st.sampled_from(names),
        st.sampled_from(names),
        st.sampled_from(("O", " o ", "b-PERSON", "I-", None, 3)),
        hostile_texts(),
    )
    return st.tuples(st.lists(tag, max_size=12), st.sampled_from(SCHEMES))


def _dates_and_formats() -> SearchStrategy[Any]:
    dates = st.one_of(
        texts_of(DATE_TOKENS, most=6),
        hostile_texts(),
        st.dates(),
        st.datetimes(),
        st.sampled_from((None, 3, "2024-05-31")),
    )
    return st.tuples(dates, dates, st.one_of(st.none(), texts_of(FORMAT_TOKENS, most=6)))


def _quotes_and_sources() -> SearchStrategy[Any]:
    texts = texts_of(QUOTE_TOKENS, most=16)
    return st.tuples(texts, texts, st.integers(0, 60), st.integers(0, 60))


READERS: tuple[Reader, ...] = (
    Reader("numbers in texts", lambda: texts_of(NUMBER_TOKENS), _numbers_read, 2),
    Reader(
        "numbers written and read",
        lambda: st.tuples(
            st.integers(1, 10**12), st.integers(0, 6), st.booleans(), st.sampled_from(FORMS), st.sampled_from(SIGNS),
            st.sampled_from(PLACES_AROUND),
        ),
        _number_written,
    ),
    Reader("entities in answers", lambda: st.tuples(texts_of(WORD_TOKENS), texts_of(WORD_TOKENS)), _answer_lines, 2),
    Reader(
        "entities written and read",
        lambda: st.tuples(
            st.lists(st.tuples(st.integers(0, 3), st.integers(1, 3), st.sampled_from(TYPES)), max_size=6),
            st.integers(1, 14),
        ),
        _entities_written,
    ),
    Reader("tags", _tag_inputs, _tags_read),
    Reader(
        "taggings by probability",
        lambda: st.lists(st.lists(st.floats(-1e4, 0), min_size=7, max_size=7), min_size=1, max_size=8),
        _tags_found,
    ),
    Reader("words", lambda: texts_of(WORD_TOKENS), _words_cut),
    Reader("sentences", lambda: texts_of(SENTENCE_TOKENS), _sentences, 2),
    Reader("quotes", _quotes_and_sources, _quotes, 2),
    Reader(
        "quotes written and read",
        lambda: st.integers(1, 8).flatmap(
            lambda length: st.tuples(
                st.lists(st.from_regex(r"[a-zA-Z0-9]{2,8}", fullmatch=True), min_size=length, max_size=length + 6),
                st.just(length),
            )
        ),
        _quote_written,
    ),
    Reader("personal data", lambda: texts_of(PERSONAL_TOKENS), _personal_data, 0.5),
    Reader("personal data with the extra", lambda: texts_of(PERSONAL_TOKENS), _official_numbers, 0.5),
    Reader("damage and control tokens", lambda: st.one_of(texts_of(AUDIT_TOKENS), hostile_texts()), _audit_texts, 0.5),
    Reader(
        "near-duplicates",
        lambda: st.lists(st.one_of(texts_of(SENTENCE_TOKENS, most=8), hostile_texts()), max_size=6),
        _near_duplicates,
        0.1,
    ),
    Reader("dates", _dates_and_formats, _dates, 0.3),
)  # fmt: skip
