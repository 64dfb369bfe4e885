import re
import time
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.quotes import (
    MOST_LEFT_OUT,
    Quote,
    QuoteFinder,
    find_quote,
    invented_quote_rate,
    invented_quotes,
    quotes_in,
    verify_quotes,
)
from qlorakit.task import Output

TERMS = "The  “Services”\n may\xa0be changed at any time.\n\nWe don’t sell your data."  # noqa: RUF001
SPACES = st.text(" \n\t\xa0\u202f", min_size=1, max_size=3)
CURLED = {'"': ["“", "”", "„", "«", "»", "``", "''"], "'": "‘’‚"}  # noqa: RUF001
TERM_PARTS = ["We", "may", "“share”", 'the "data"', "of users’", "users'", "«now»", "``a b''"]  # noqa: RUF001
WORDS = st.lists(st.sampled_from(TERM_PARTS), min_size=1)


def of_text(row):
    return row["text"]


def written(data, quote):
    # The same quote with white space re-flowed and marks curled in another way.
    plain = re.sub("[“”„«»]|``|''", '"', re.sub("[‘’‚]", "'", quote))  # noqa: RUF001
    marked = "".join(data.draw(st.sampled_from([sign, *CURLED.get(sign, [])])) for sign in plain)
    return re.sub(r"\s+", lambda _: data.draw(SPACES), marked)


# Finding


@pytest.mark.parametrize(
    ("quote", "place"),
    [
        ("changed at any time", (24, 43)),
        ('The "Services" may be', (0, 23)),
        ("The\n\n\n«Services» may be", (0, 23)),
        ("time. We don't sell", (39, 59)),
        ("  your data.\n", (60, 70)),
        ("The", (0, 3)),
        ("e", (2, 3)),
        ("\xa0", None),
        ("", None),
        ("the", None),
        ("anytime", None),
        ("dont sell", None),
        ("Services may be", None),
        ("data. The", None),
        ("The ``Services'' may be", (0, 23)),
        ("``Services''", (5, 15)),
        ("'Services'", None),
    ],
)
def test_a_quote_is_found_up_to_white_space_and_marks(quote, place):
    assert find_quote(TERMS, quote) == QuoteFinder(TERMS).find(quote) == place


@pytest.mark.parametrize("source", ["agree-\nment", "agree\u00admentx", "agree–ment", "ag\u200bree-ment", "AGREE-MENT"])  # noqa: RUF001
def test_hyphens_dashes_and_case_are_not_taken_for_each_other(source):
    assert find_quote(source, "agree-ment") is None
    assert find_quote(source, source) == (0, len(source))


def test_what_stands_there_exactly_comes_before_what_only_resembles_it():
    source = "a “b” and a 'b' and a \"b\" again"
    assert find_quote(source, 'a "b"') == (20, 25)
    assert QuoteFinder(source).find_all('a "b"') == ((0, 5), (20, 25))
    assert QuoteFinder("aaaaa").find_all("aa") == ((0, 2), (2, 4))
    assert QuoteFinder("aaaaa").find_all(" ") == ()


@given(st.text(st.sampled_from("ab“\"’' \n\xa0"), min_size=1, max_size=40), st.data())  # noqa: RUF001
def test_any_slice_of_a_source_is_found(source, data):
    start = data.draw(st.integers(0, len(source) - 1))
    end = data.draw(st.integers(start + 1, len(source)))
    quote = source[start:end]
    assume(quote.strip())
    place = find_quote(source, quote)
    assert place is not None
    assert source[slice(*place)] == quote.strip()
    assert place[0] <= start + len(quote) - len(quote.lstrip())


@given(WORDS, st.data())
def test_a_slice_is_found_at_its_place_however_it_is_set(words, data):
    source = "".join(word + data.draw(SPACES) for word in words) + "unique"
    first = data.draw(st.integers(0, len(words) - 1))
    start = len("".join(re.findall(r"\S+\s+", source)[:first]))
    quote = source[start:].strip()
    assert find_quote(source, written(data, quote)) == (start, len(source))


@given(WORDS, st.data())
def test_a_changed_word_is_not_found(words, data):
    source = " ".join(words)
    changed = data.draw(st.integers(0, len(words) - 1))
    quote = " ".join("never" if place == changed else word for place, word in enumerate(words))
    assert find_quote(source, quote) is None
    assert find_quote(source, written(data, quote)) is None


@given(st.text(), st.text(min_size=1))
@example("a\x1c\u2003b", "a b")
def test_a_place_holds_the_quote_it_was_found_for(source, quote):
    finder = QuoteFinder(source)
    for place in (*filter(None, [finder.find(quote)]), *finder.find_all(quote)):
        assert find_quote(quote.strip(), source[slice(*place)]) == (0, len(quote.strip()))


def test_hundreds_of_quotes_of_a_long_source_take_no_time():
    source = "".join(f"Section {number}.  The “parties” agree. \n" for number in range(9000))
    finder, start = QuoteFinder(source), time.perf_counter()
    assert len(source) > 300_000
    for number in range(0, 9000, 20):
        assert source[slice(*finder.find(f'Section {number}. The "parties"'))].startswith(f"Section {number}.  ")
        assert finder.find(f"Section {number}. The party") is None
    assert time.perf_counter() - start < 5


# Parts


@pytest.mark.parametrize(
    "dots", ["...", "…", ". . .", "[...]", "[ … ]", "(...)", "<omitted>", "[omitted]", "<OMITTED>", "...."]
)
def test_parts_around_an_ellipsis_are_found_in_order(dots):
    finder = QuoteFinder(TERMS)
    assert finder.find_parts(f"may be changed {dots} don't sell") == ((17, 31), (49, 59))
    assert finder.find_parts(f"don't sell {dots} may be changed") == ()
    assert finder.find_parts(f"{dots} may be changed {dots}") == ((17, 31),)
    assert finder.find_parts(f"may be changed {dots} by nobody") == ()
    assert finder.find_parts(dots) == ()


def test_parts_do_not_overlap():
    assert QuoteFinder("any time").find_parts("any ... any") == ()
    assert QuoteFinder("any time, any  place").find_parts("any ... any place") == ((0, 3), (10, 20))
    assert QuoteFinder("a  b  “c” a b").find_parts('a b ... "c" ... b') == ((0, 4), (6, 9), (12, 13))


@pytest.mark.parametrize(
    ("source", "quote", "found"),
    [
        ("your data", "our data", False),
        ("within 130 days", "30 days", False),
        ("the Services", "Service", False),
        ("the Service's", "Service", True),
        ("every our or our every", "our", True),
        ("ba a a", "a a", True),
        ("any, anything, any", "any ... any ... any", False),
        ("数据不会出售", "不会", True),
        ("all (data)", "(data)", True),
    ],
)
def test_parts_are_whole_words(source, quote, found):
    assert bool(QuoteFinder(source).find_parts(quote)) == found
    assert QuoteFinder(source).find(quote) is not None or "..." in quote


def test_double_marks_of_two_signs_belong_to_a_place():
    act = "This Act may be cited as the ``Border  Act''. The ``Border Act'' ends."
    finder = QuoteFinder(act)
    assert act[slice(*finder.find('the "Border Act"'))] == "the ``Border  Act''"
    assert act[slice(*finder.find('"Border Act" ends'))] == "``Border Act'' ends"
    assert finder.find_all("Border Act") == ((31, 42), (52, 62))


def test_an_ellipsis_of_the_source_is_its_own():
    assert QuoteFinder("and so on ... and on").find_parts("so on ... and") == ((4, 17),)


def test_parts_that_stand_in_many_places_take_no_time():
    finder, start = QuoteFinder("aa bb " * 50_000), time.perf_counter()
    assert finder.find_parts("aa bb ... bb aa ... cc") == finder.verify("aa bb ... bb aa ... cc cc") == ()
    assert len(finder.verify("aa bb ... bb aa ... a a ... aa bb")) == 0
    assert time.perf_counter() - start < 5


def test_a_part_ends_with_its_accents():
    for source in ("the cafe\u0301 is", "the cafés are", "the cafe\u0301s are", "the \u1112\u1161\u11ab"):
        assert QuoteFinder(source).verify("the cafe") == QuoteFinder(source).verify("the \u1112\u1161") == ()
    assert QuoteFinder("the cafe\u0301s are").verify("the café") == ()
    assert QuoteFinder("die cafe\u0301 is").verify("café") == ((4, 9),)
    assert QuoteFinder("ये कि").verify("ये क") == ()


def test_a_soft_hyphen_behind_a_quote_is_no_part_of_it():
    assert QuoteFinder("the data\xad is").verify("the data") == ((0, 8),)


def test_single_marks_without_a_partner_are_no_double_ones():
    finder = QuoteFinder('a 6" pipe and a 5" pipe of "users')
    assert finder.verify("6' pipe and a 5' pipe") == finder.verify("pipe of 'users") == ()


def test_a_letter_without_case_is_not_put_into_brackets():
    assert QuoteFinder("数据不会出售").verify("数[据]不会") == ()


def test_a_part_that_resembles_comes_before_one_that_is_exact_but_too_late():
    assert QuoteFinder('the “a” ends; the "a"').find_parts('the "a" ... ends') == ((0, 7), (8, 12))


# Quotes of an answer


@pytest.mark.parametrize(
    ("answer", "quotes"),
    [
        ('It says "we may" and “you may”.', ["we may", "you may"]),
        ("« nous » et „wir“ und „ihr”", ["nous", "wir", "ihr"]),
        ("the ‘user’s own’ data", ["user’s own"]),  # noqa: RUF001
        ("users’ rights and the party’s", []),  # noqa: RUF001
        ("the ‘user’s own data", []),  # noqa: RUF001
        ("don't 'quote' this", []),
        ('a 5" pipe and a 6" one', []),
        ('"open and "closed" here', ["closed"]),
        ("“open and “closed” here", ["closed"]),
        ('closed" and "open', []),
        ('“the "Services" here”', ['the "Services" here']),
        ('"the ‘Services’ here"', ["the ‘Services’ here"]),  # noqa: RUF001
        ('"" and "..." and " - "', []),
        ('("in brackets"), "twice" "over"', ["in brackets", "twice", "over"]),
        ('"over\nlines\n\nand paragraphs"', ["over\nlines\n\nand paragraphs"]),
        ("the ‚user’s own‘ data, ‹ la nôtre ›", ["user’s own", "la nôtre"]),  # noqa: RUF001
        ("»wir« und »ihr«, ›er‹ und ›sie‹", ["wir", "ihr", "er", "sie"]),  # noqa: RUF001
        ("one‚ two‘ and ‹three", []),  # noqa: RUF001
        ("the ``Fund'' of ``the 'big' Act''", ["Fund", "the 'big' Act"]),
        ("``open and ``closed''", ["closed"]),
        ("no quote at all", []),
        ("", []),
    ],
)
def test_quotes_are_what_stands_in_quotation_marks(answer, quotes):
    assert [quote.text for quote in quotes_in(answer)] == quotes


def test_the_place_of_a_quote_is_that_of_its_words():
    assert quotes_in('Say " we may ".') == (Quote("we may", 6, 12),)


@given(st.text(st.sampled_from('ab5 .“”"‘’‚‹›«»„\n')))  # noqa: RUF001
def test_quotes_lie_in_order_at_their_places(answer):
    end = 0
    for quote in quotes_in(answer):
        assert quote.start > end - 1
        assert answer[quote.start : quote.end] == quote.text == quote.text.strip()
        assert re.search(r"\w", quote.text)
        end = quote.end


def test_quotes_are_verified_with_their_places():
    answer = 'They "don\'t sell" and "never give" your "data."'
    sold, given_away, data = verify_quotes(answer, TERMS)
    assert (sold.quote, sold.place, sold.parts, sold.source_place) == ("don't sell", (6, 16), ((49, 59),), (49, 59))
    assert (given_away.quote, given_away.parts, given_away.source_place) == ("never give", (), None)
    assert [sold.is_invented, given_away.is_invented, data.is_invented] == [False, True, False]
    assert verify_quotes(answer, QuoteFinder(TERMS)) == (sold, given_away, data)


@pytest.mark.parametrize(
    "quote", ["may be changed,", "may be changed.", "your data.", "may be ... any time,", "your data;", "any time:"]
)
def test_a_comma_stop_or_colon_inside_the_marks_may_be_the_answers_own(quote):
    (verified,) = verify_quotes(f"“{quote}” it says", TERMS)
    assert verified.quote == quote
    assert not verified.is_invented


@pytest.mark.parametrize(
    "quote", ["may be changed!", "may be changed..", "may be changed,;", "may be changed?", "May be changed"]
)
def test_other_signs_inside_the_marks_are_part_of_the_quote(quote):
    assert verify_quotes(f'"{quote}"', TERMS)[0].is_invented


def test_a_full_stop_of_the_source_belongs_to_the_place():
    assert verify_quotes('"your data."', TERMS)[0].source_place == (60, 70)


def test_a_quote_that_leaves_words_out_reaches_from_its_first_part_to_its_last():
    (verified,) = verify_quotes('"may be ... sell your"', TERMS)
    assert (verified.parts, verified.source_place) == (((17, 23), (55, 64)), (17, 64))


AGREED = (
    'The "Confidential Information" means data. Seller shall not be liable for loss.\nSection 2. Buyer shall pay the '
    "price, if 5\" high. A café's re\xadsale is non\u2011exclusive. The 'Old' Seller agrees that n is I."
)


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("The 'Confidential Information' means data", 'The "Confidential Information" means data'),
        ("The ‘Confidential Information’ means data", 'The "Confidential Information" means data'),  # noqa: RUF001
        ("the ‘Confidential Information.’", None),  # noqa: RUF001
        ("[t]he ‘Confidential Information.’", 'The "Confidential Information"'),  # noqa: RUF001
        ("price, if 5' high", None),
        ("'Old' Seller", "'Old' Seller"),
        ("[b]uyer shall pay", "Buyer shall pay"),
        ("[a] café's resale;", "A café's re\xadsale"),
        ("[B]uyer shall pay", None),
        ("[s]uyer shall pay", None),
        ("buyer shall pay", None),
        ("[buyer] shall pay", None),
        ("Buyer shall [n]ot pay", None),
        ("Seller agree[s] that", None),
        ("agree[S] that n", "agrees that n"),
        ("n is [i]", "n is I"),
        ("A cafe\u0301's resale", "A café's re\xadsale"),
        ("A cafe's resale", None),
        ("re\xadsa\xadle is non-exclusive", "re\xadsale is non\u2011exclusive"),
        ("non\u2010exclusive", "non\u2011exclusive"),
        ("non–exclusive", None),  # noqa: RUF001
        ("nonexclusive", None),
        ("sale is", None),
    ],
)
def test_quotes_may_differ_as_they_are_written_and_no_further(quote, found):
    places = [AGREED[slice(*place)] for place in QuoteFinder(AGREED).verify(quote)]
    assert places == ([] if found is None else [found])


def test_what_is_verified_leniently_is_not_found_as_a_span():
    finder = QuoteFinder(AGREED)
    for quote in ("'Confidential Information' means", "[b]uyer shall", "pay the price;", "cafe\u0301", "resale"):
        assert finder.verify(quote)
        assert finder.find(quote) is None
        assert finder.find_all(quote) == finder.find_parts(quote) == ()


FORMS = st.sampled_from(["NFC", "NFD"])
ACCENTED = ["Bedürfnis", "ệ", "q\u0307\u0323", "a\u0331\u0308", "Å", "क़ा", "한글", "é", "plain", "“x”", "no-one"]


@given(st.lists(st.sampled_from(ACCENTED), min_size=1), FORMS, FORMS, st.data())
def test_every_form_of_unicode_is_the_same_text_at_the_same_place(words, form, other, data):
    first = data.draw(st.integers(0, len(words) - 1))
    before = "".join(f"{data.draw(st.sampled_from(ACCENTED))} {number} " for number in range(first))
    source = unicodedata.normalize(form, f"{before}start {' '.join(words)} end")
    quote = unicodedata.normalize(other, f"start {' '.join(words)}")
    place = len(unicodedata.normalize(form, before)), len(source) - len(" end")
    assert QuoteFinder(source).verify(quote) == (place,)


@given(st.text(), st.text())
@example("\xad", "a")
@example("a\xad\u0301 b", "á b")
def test_a_verified_place_reads_as_its_quote(source, quote):
    for start, end in QuoteFinder(source).verify(quote):
        assert QuoteFinder(source[start:end]).verify(quote)[0][1] == end - start


@given(WORDS, st.data())
def test_what_is_found_as_it_is_is_verified(words, data):
    source, quote = " ".join(words), written(data, " ".join(words[: data.draw(st.integers(1, len(words)))]))
    found = QuoteFinder(source).find_parts(quote)
    assert QuoteFinder(source).verify(quote) == found


@pytest.mark.parametrize(
    ("quote", "parts"),
    [
        ("Seller shall … pay", 0),
        ("Seller ... liable ... Buyer ... price", 0),
        ("Seller shall - … - pay the", 0),
        ("Seller shall … pay the price", 2),
        ("… liable …", 1),
        ("pay the price … Seller shall", 0),
        ("The ‘Confidential … Information’ means … [b]uyer shall pay;", 3),  # noqa: RUF001
    ],
)
def test_parts_of_a_verified_quote_have_two_words_or_more(quote, parts):
    assert len(QuoteFinder(AGREED).verify(quote)) == parts


def test_no_more_than_a_thousand_characters_are_left_out():
    near, far = (f"Seller shall pay {'x' * length} a fee  of" for length in (MOST_LEFT_OUT - 2, MOST_LEFT_OUT - 1))
    quote = "Seller shall pay ... a fee"
    assert QuoteFinder(near).verify(quote) == ((0, 16), (1016, 1021))
    assert (QuoteFinder(far).verify(quote), len(QuoteFinder(far).find_parts(quote))) == ((), 2)
    assert QuoteFinder(f"{far} {near}").verify(quote)[0][0] == len(far) + 1
    assert QuoteFinder(near.replace(" a fee", f"{' ' * 5000}a fee")).verify(quote)


def test_characters_left_out_by_all_ellipses_are_counted_together():
    gap = "x" * (MOST_LEFT_OUT // 2)
    quote = "Seller shall ... pay the ... full price"
    assert not QuoteFinder(f"Seller shall {gap} pay the {gap} full price").verify(quote)
    assert QuoteFinder(f"Seller shall {gap[4:]} pay the {gap} full price").verify(quote)


def test_words_of_all_parts_count():
    answer = '"We … sell", "don\'t sell … your data", "be - changed", "at any…time."'
    assert [len(verify_quotes(answer, TERMS, min_words=least)) for least in (1, 2, 3, 4, 5)] == [4, 4, 2, 1, 0]


def test_short_quotes_can_be_left_out():
    answer = '"nope", "not there", "may be changed"'
    assert [quote.quote for quote in verify_quotes(answer, TERMS, min_words=2)] == ["not there", "may be changed"]
    with pytest.raises(ConfigurationError, match="min_words=0: must be at least 1"):
        verify_quotes(answer, TERMS, min_words=0)


# Metrics

ROWS = [{"text": TERMS}, {"text": "You may leave."}, {"text": "Nothing is promised."}]
ANSWERS = ['"your data" and "our data"', '"you may"', "no quote"]  # 1 of 2, 1 of 1, none
REFERENCES = [("It says \"sold\" or 'x'.",), ("“You may”.", '"never"'), ("Nothing.",)]


def values(metric, outputs, weights=None):
    counts = np.array(list(map(metric.counts, outputs, REFERENCES, ROWS)), dtype=float)
    weights = np.ones((1, len(ROWS))) if weights is None else weights
    return metric.compute(outputs, REFERENCES, ROWS), *metric.from_counts(weights @ counts)


def test_invented_quotes_are_counted_by_rows_and_by_quotes():
    outputs = [Output(answer) for answer in ANSWERS]
    assert values(invented_quotes(of_text), outputs) == pytest.approx((2 / 3, 2 / 3))
    assert values(invented_quote_rate(of_text), outputs) == pytest.approx((2 / 3, 2 / 3))
    assert values(invented_quotes(of_text, min_words=2), outputs) == pytest.approx((2 / 3, 2 / 3))
    doubled = np.array([[2.0, 0.0, 1.0]])
    assert values(invented_quotes(of_text), outputs, doubled)[1] == pytest.approx(2 / 3)
    assert values(invented_quote_rate(of_text), outputs, doubled)[1] == pytest.approx(2 / 4)


def test_nothing_quoted_is_nothing_invented():
    outputs = [Output("none"), Output(""), Output('"..."')]
    for metric in (invented_quotes(of_text), invented_quote_rate(of_text)):
        assert values(metric, outputs) == (0, 0)
        assert not metric.higher_is_better


def test_a_single_invented_quote_is_all_of_them():
    one = [Output('"our data"')], REFERENCES[:1], ROWS[:1]
    assert invented_quotes(of_text).compute(*one) == invented_quote_rate(of_text).compute(*one) == 1


def test_an_invalid_answer_counts_as_one_invented_quote():
    outputs = [Output(None), Output('"You" "may"'), Output("none")]
    assert values(invented_quotes(of_text), outputs) == pytest.approx((1 / 3, 1 / 3))
    assert values(invented_quote_rate(of_text), outputs) == pytest.approx((1 / 3, 1 / 3))


def test_the_best_value_is_that_of_right_texts_with_the_fewest_invented_quotes():
    assert invented_quotes(of_text).best(REFERENCES, ROWS) == pytest.approx(1 / 3)
    assert invented_quote_rate(of_text).best(REFERENCES, ROWS) == pytest.approx(1 / 2)


def test_values_can_be_lists_of_quotes():
    metric = invented_quote_rate(of_text, quotes=tuple)
    outputs = [Output(("your data", "our data")), Output(()), Output(["Nothing is promised;"])]
    assert metric.compute(outputs, [()] * 3, ROWS) == pytest.approx(1 / 3)
    assert metric.best is None


def test_the_name_of_a_metric_says_how_short_a_quote_may_be():
    assert invented_quotes(of_text).name == "invented_quotes"
    assert invented_quote_rate(of_text, min_words=3).name == "invented_quote_rate_of_3_words"
    with pytest.raises(ConfigurationError, match="min_words=-1"):
        invented_quotes(of_text, min_words=-1)


def test_a_source_that_is_no_text_is_refused():
    with pytest.raises(DataError, match="the source of quotes is int in a row"):
        invented_quotes(lambda _: 3).compute([Output("x")], [("x",)], [{}])


# The page


def test_the_code_on_the_page_of_quotes_runs(capsys):
    page = (Path(__file__).parents[1] / "docs/quotes.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL))
    exec(compile(code, "quotes.md", "exec"), {})  # noqa: S102  # our own
    printed = capsys.readouterr().out
    assert "amend this agreement, (10, 31) (15, 36) False" in printed
    assert printed.count("None True") == 2
    assert "(28, 39) ((0, 10), (62, 76))" in printed
    assert "invented_quote_rate_of_2_words 0.66" in printed


@pytest.mark.parametrize("given_", [("a", None), (None, "a"), ("a", ["a"])])
def test_what_is_no_text_is_refused(given_):
    with pytest.raises(DataError, match="a text and its source are needed, not"):
        verify_quotes(*given_)
