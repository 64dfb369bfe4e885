"""Whether quoted words exist where they are said to come from: exactly, or up to white space and quotation marks.

A quote is found where its characters stand in the source one after the other.  Only writing that nobody means may
differ: any run of white space (line breaks and non-breaking spaces among it) equals any other, and quotation marks and
apostrophes equal those of their kind, single or double, however they are curled; two backticks and two single marks
are a double one, as older typesetting has it.  Everything else counts: case, punctuation, dashes, hyphens at line ends,
white space against none.

A finder finds spans of characters, "our data" in "your data" too, since marked spans may begin anywhere.  Quotes that
are verified must be whole words of the source, and may differ from it a little further, as those who quote set them:
see :meth:`QuoteFinder.verify`.
"""

from __future__ import annotations

import bisect
import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.metrics import check_pairs
from qlorakit.task import Metric

if TYPE_CHECKING:
    from qlorakit.task import FloatArray, Output, Row

Place = tuple[int, int]

MARKS = str.maketrans(dict.fromkeys("“”„‟«»", '"') | dict.fromkeys("‘’‚‛‹›", "'"))  # noqa: RUF001  # marks as written
# What may be set in several ways, in a text whose marks are alike: white space, and double marks made of two signs.
SPACE = re.compile(r"\s+")
DOUBLE_MARK = re.compile("``|''")
SHORTENED = re.compile(r"\s{2,}|``|''")
# In single marks an apostrophe is one that a letter follows.
QUOTED = re.compile(
    r"""“([^“”]*)”|„([^„“”]*)[“”]|«([^«»]*)»|»([^«»]*)«|``((?:(?!``|'').)*)''|(?<!\w)"([^"]*)"(?!\w)|"""
    r"""‹([^‹›]*)›|›([^‹›]*)‹|"""  # noqa: RUF001
    r"""(?<!\w)‘((?:[^‘’]|’(?=\w))*)’(?!\w)|(?<!\w)‚((?:[^‚‘’]|’(?=\w))*)[‘’](?!\w)""",  # noqa: RUF001
    re.DOTALL,
)
DOTS = r"(?:…|\.(?:\s?\.){2,})"
OMISSION = re.compile(rf"\[\s*{DOTS}\s*\]|\(\s*{DOTS}\s*\)|{DOTS}|<omitted>|\[omitted\]", re.IGNORECASE)
LETTER = re.compile(r"\w")
MOST_LEFT_OUT = 1000  # characters, white space taken as single, by all ellipses of a verified quote
FEWEST_WORDS = 2  # of each part that an ellipsis joins
HYPHENS = str.maketrans({"\N{SOFT HYPHEN}": "", "\N{HYPHEN}": "-", "\N{NON-BREAKING HYPHEN}": "-"})
# What a quote may have changed, and what it then stands for, in a quote whose marks are alike.
SET_OTHERWISE: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"[,.;:](?=[\"']*$)"), lambda _: ""),
    (re.compile(r"\[([^\W\d_])\]"), lambda match: _in_other_case(match[1]) or match[0]),
    (re.compile(r"(?<!\w)'((?:[^']|'(?=\w))*)'(?!\w)"), lambda match: f'"{match[1]}"'),
)


# Finding


@dataclass(frozen=True)
class QuoteFinder:
    """Finds quotes in a source, which is normalised once for all of them.

    Attributes:
        source: The text that quotes come from, of any length.
    """

    source: str

    def find(self, quote: str) -> Place | None:
        """Where a quote first stands: exactly, or else up to white space and quotation marks.

        White space around the quote is no part of it, and a quote of nothing else is found nowhere.

        Args:
            quote: The words, without quotation marks around them.

        Returns:
            Its first character in the source, counted from 0, and the one after its last; ``None`` where it is not.
        """
        exact = quote.strip()
        if not exact:
            return None
        start = self.source.find(exact)
        return (start, start + len(exact)) if start >= 0 else next(self._all(_normal(quote)), None)

    def find_all(self, quote: str) -> tuple[Place, ...]:
        """Every place of a quote up to white space and quotation marks, in order, without overlaps.

        Args:
            quote: The words, without quotation marks around them.
        """
        return tuple(self._all(_normal(quote)))

    def find_parts(self, quote: str) -> tuple[Place, ...]:
        """Where a quote stands that may leave words out.

        It is looked for as it is first.  Else what stands between ellipses ("...", "…", both also in brackets,
        "<omitted>", "[omitted]") must be in the source in the same order, without overlaps.  Each part begins and ends
        with whole words: "our data" is no part of "your data", nor "30 days" of "130 days".  Words are told by digits
        and by letters that can be upper and lower case; scripts without these part no words.

        Args:
            quote: The words, without quotation marks around them.

        Returns:
            The place of each part; none where one of them is missing.
        """
        whole = self._joined([_normal(quote)])
        return whole or self._joined(_parts_between_omissions(quote))

    def verify(self, quote: str) -> tuple[Place, ...]:
        """Where a quote stands that someone wrote down, so that it may differ as quotes do.

        It is looked for as :meth:`find_parts` does, and may differ further in this alone:

        - Characters that Unicode holds to be the same (NFC and NFD), soft hyphens, and non-breaking hyphens for others.
        - A comma, full stop, semicolon or colon at its end may be the answer's own.
        - A letter in brackets stands for the same letter in the other case: "[b]uyer" for "Buyer".
        - A pair of single quotation marks within it stands for double ones, as one has it who quotes in double marks.

        The parts that ellipses join must have two words each, and must stand so near to each other that no more than
        1,000 characters are left out in all, white space taken as single.  Of several places the first one counts.

        Args:
            quote: The words, without quotation marks around them.

        Returns:
            The place of each part; none where one of them is missing.
        """
        readings = map(self._folded._verified, _readings(quote))
        return tuple(map(self._unfolded, next(filter(None, readings), ())))

    def _verified(self, reading: str) -> tuple[Place, ...]:
        whole = self._joined([_normal(reading)])
        parts = _parts_between_omissions(reading)
        if whole or (len(parts) > 1 and min(map(_word_count, parts)) < FEWEST_WORDS):
            return whole
        return self._joined(parts, MOST_LEFT_OUT)

    @cached_property
    def _folded(self) -> QuoteFinder:
        """A finder in the source as it is when verified."""
        folded = _folded(self.source)
        return self if folded == self.source else QuoteFinder(folded)

    @cached_property
    def _folded_ends(self) -> Sequence[int]:
        """Where each character of the source ends in the folded one."""
        lengths = {sign: len(_folded(sign)) for sign in set(self.source)}
        return list(accumulate(lengths[sign] for sign in self.source))

    def _unfolded(self, place: Place) -> Place:
        """The place in the source of one in the folded source."""
        if self._folded is self:
            return place
        start, end = place
        return bisect.bisect_right(self._folded_ends, start), bisect.bisect_right(self._folded_ends, end - 1) + 1

    @cached_property
    def _marked(self) -> str:
        """The source with alike quotation marks, character by character."""
        return self.source.translate(MARKS)

    @cached_property
    def _normal_source(self) -> str:
        return _shortened(self._marked)

    @cached_property
    def _removed(self) -> tuple[Sequence[int], Sequence[int]]:
        """The first normalised character after each run that was shortened, and what is removed up to there."""
        runs = [run.span() for run in SHORTENED.finditer(self._marked)]
        removed = list(accumulate(end - start - 1 for start, end in runs))
        return [end - gone for (_, end), gone in zip(runs, removed, strict=True)], removed

    def _original(self, place: int) -> int:
        """Where a normalised character stands in the source."""
        starts, removed = self._removed
        run = bisect.bisect_right(starts, place) - 1
        return place + (removed[run] if run >= 0 else 0)

    def _end(self, end: int) -> int:
        """The place in the source after the last of some normalised characters, which is no white space."""
        last = self._original(end - 1)
        return last + (2 if DOUBLE_MARK.match(self._marked, last) else 1)

    def _place(self, start: int, end: int) -> Place:
        """The place in the source of some normalised characters."""
        return self._original(start), self._end(end)

    def _all(self, normal: str) -> Iterator[Place]:
        """Places of a normalised quote."""
        start = 0
        while normal and (start := self._normal_source.find(normal, start)) >= 0:
            yield self._place(start, start + len(normal))
            start += len(normal)

    def _joined(self, parts: Sequence[str], room: float = math.inf) -> tuple[Place, ...]:
        """The first places of normalised parts in order that leave out no more than some characters between them."""
        further = [(len(before), list(self._starts(part))) for before, part in pairwise(parts)]
        for first in self._starts(parts[0]) if parts else ():
            starts = [first]
            for length, places in further:
                place = bisect.bisect_left(places, starts[-1] + length)
                if place == len(places):  # nor is it there for any later first part
                    return ()
                starts.append(places[place])
            if starts[-1] + len(parts[-1]) - first <= sum(map(len, parts)) + room:
                return tuple(self._place(start, start + len(part)) for start, part in zip(starts, parts, strict=True))
        return ()

    def _starts(self, normal: str) -> Iterator[int]:
        """Where a normalised quote stands in whole words, in the normalised source."""
        start = 0
        while normal and (start := self._normal_source.find(normal, start)) >= 0:
            if not self._cuts(start) and not self._cuts(start + len(normal)):
                yield start
            start += 1

    def _cuts(self, place: int) -> bool:
        """Whether a place in the normalised source lies inside a word."""
        around = self._normal_source[max(place - 1, 0) : place + 1]
        if len(around) < 2:  # noqa: PLR2004  # the characters on both sides
            return False
        return _is_of_sign(around[1]) or all(_is_of_word(sign) or _is_of_sign(sign) for sign in around)


def find_quote(source: str, quote: str) -> Place | None:
    """Where a quote first stands in a source: exactly, or else up to white space and quotation marks.

    For many quotes of one source see :class:`QuoteFinder`, whose ``find`` this is.

    Args:
        source: The text that it should come from.
        quote: The words, without quotation marks around them.

    Returns:
        Its first character in the source, counted from 0, and the one after its last; ``None`` where it is not.
    """
    return QuoteFinder(source).find(quote)


def _normal(text: str) -> str:
    return _shortened(text.strip().translate(MARKS))


def _shortened(marked: str) -> str:
    """A text whose marks are alike, with single spaces and double marks of one sign."""
    return DOUBLE_MARK.sub('"', SPACE.sub(" ", marked))


def _parts_between_omissions(quote: str) -> list[str]:
    return [part for part in map(_normal, OMISSION.split(quote)) if LETTER.search(part)]


def _is_of_word(sign: str) -> bool:
    return sign.isdigit() or sign.lower() != sign.upper()


def _is_of_sign(sign: str) -> bool:
    """Whether a character belongs to the one before it: an accent, or the rest of a Korean syllable."""
    return unicodedata.category(sign)[0] == "M" or "\u1160" <= sign <= "\u11ff"


def _in_other_case(letter: str) -> str:
    """A letter in upper case for one in lower case, and the other way round; nothing where it has no case."""
    return letter.swapcase() if letter.swapcase() != letter else ""


def _folded(text: str) -> str:
    """A text without differences that nobody sees."""
    return unicodedata.normalize("NFD", text.translate(HYPHENS))


def _readings(quote: str) -> Iterable[str]:
    """What a quote may stand for, folded: as it is first."""
    readings = [_normal(unicodedata.normalize("NFC", quote.translate(HYPHENS)))]
    for pattern, replacement in SET_OTHERWISE:
        readings += [pattern.sub(replacement, reading) for reading in readings]
    return dict.fromkeys(map(_folded, readings))


def _word_count(text: str) -> int:
    """Words of a quote, parted by white space and ellipses, that hold a letter or digit."""
    return sum(LETTER.search(word) is not None for word in OMISSION.sub(" ", text).split())


# Quotes of an answer


class Quote(NamedTuple):
    """Words in quotation marks.

    Attributes:
        text: The words, without the marks and the white space next to them.
        start: Their first character in the text that quotes them, counted from 0.
        end: The character after their last one.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class VerifiedQuote:
    """A quote, and where it comes from.

    Attributes:
        quote: The words as they were quoted.
        place: Their first character in the answer and the one after their last.
        parts: Where they stand in the source, in one part, or in several where the quote leaves words out; none where
            they were invented.
    """

    quote: str
    place: Place
    parts: tuple[Place, ...]

    @property
    def source_place(self) -> Place | None:
        """From the first part in the source to the last one; ``None`` where the quote was invented."""
        return (self.parts[0][0], self.parts[-1][1]) if self.parts else None

    @property
    def is_invented(self) -> bool:
        """Whether the source does not have the words."""
        return not self.parts


def quotes_in(answer: str) -> tuple[Quote, ...]:
    """What a text puts into quotation marks: straight and curly double ones, « », » «, „ “, `` '', and single ones.

    Single marks are curly, low or angled; straight ones are apostrophes.  Of quotes in quotes the outer one counts.  A
    mark without a partner quotes nothing, a straight mark right after a letter or digit opens nothing ("5" as inches).
    What holds no letter and no digit is no quote.

    Args:
        answer: A written text.

    Returns:
        The quotes in their order, without overlaps.
    """
    return tuple(_quote(match) for match in QUOTED.finditer(answer) if LETTER.search(OMISSION.sub("", match.group())))


def _quote(match: re.Match[str]) -> Quote:
    inner = match[match.lastindex or 0]
    text = inner.strip()
    start = match.end(match.lastindex or 0) - len(inner.lstrip())
    return Quote(text, start, start + len(text))


def verify_quotes(answer: str, source: str | QuoteFinder, *, min_words: int = 1) -> tuple[VerifiedQuote, ...]:
    """Look up every quote of an answer in its source.

    See :meth:`QuoteFinder.verify` for what may differ.  Ellipses join parts that must all be there, in order and near
    to each other; parts that are too far apart count as invented.

    Args:
        answer: A written text.
        source: What it quotes, or a finder of it.
        min_words: Quotes of fewer words, parted by white space and ellipses, are left out.  Any source has most short
            ones: "the" proves nothing, and a term such as "Services" little.

    Raises:
        ConfigurationError: ``min_words`` is less than 1.
        DataError: Either is no text.
    """
    _check_min_words(min_words)
    if not isinstance(answer, str) or not isinstance(source, str | QuoteFinder):
        msg = f"a text and its source are needed, not {type(answer).__name__} and {type(source).__name__}"
        raise DataError(msg)
    finder = source if isinstance(source, QuoteFinder) else QuoteFinder(source)
    return tuple(
        VerifiedQuote(quote.text, (quote.start, quote.end), finder.verify(quote.text))
        for quote in quotes_in(answer)
        if _is_long(quote.text, min_words)
    )


def _is_long(quote: str, min_words: int) -> bool:
    return _word_count(quote) >= min_words


def _check_min_words(min_words: int) -> None:
    if min_words < 1:
        msg = f"min_words={min_words!r}: must be at least 1"
        raise ConfigurationError(msg)


# Metrics


def texts_quoted(answer: str) -> tuple[str, ...]:
    """The words of every quote in a text, see :func:`quotes_in`."""
    return tuple(quote.text for quote in quotes_in(answer))


def invented_quotes(
    source: Callable[[Row], str], *, quotes: Callable[[Any], Iterable[str]] = texts_quoted, min_words: int = 1
) -> Metric[Any]:
    """Mean number of quotes per row that its source does not have, as :func:`verify_quotes` looks them up.

    An answer without quotes invents none.  An invalid answer counts as one invented quote, so that not answering never
    pays.

    Args:
        source: The text that a row's answer may quote.
        quotes: The quotes of a value; what is in quotation marks, unless given, where values are texts and references
            tuples of texts that are all right.  ``tuple`` where the value itself is a list of quotes.
        min_words: Quotes of fewer words are left out; the metric's name then says so.

    Raises:
        ConfigurationError: ``min_words`` is less than 1.
    """
    return _quote_metric("invented_quotes", source, quotes, min_words, of_rows=True)


def invented_quote_rate(
    source: Callable[[Row], str], *, quotes: Callable[[Any], Iterable[str]] = texts_quoted, min_words: int = 1
) -> Metric[Any]:
    """Share of all quotes of all rows that the row's source does not have, as :func:`verify_quotes` looks them up.

    Where nothing is quoted it is 0, since nothing was invented.  An invalid answer counts as one invented quote, so
    that not answering never pays.

    Args:
        source: The text that a row's answer may quote.
        quotes: The quotes of a value; what is in quotation marks, unless given, where values are texts and references
            tuples of texts that are all right.  ``tuple`` where the value itself is a list of quotes.
        min_words: Quotes of fewer words are left out; the metric's name then says so.

    Raises:
        ConfigurationError: ``min_words`` is less than 1.
    """
    return _quote_metric("invented_quote_rate", source, quotes, min_words, of_rows=False)


def _quote_metric(
    name: str, source: Callable[[Row], str], quotes: Callable[[Any], Iterable[str]], min_words: int, *, of_rows: bool
) -> Metric[Any]:
    """Invented quotes, divided by rows or by quotes."""
    _check_min_words(min_words)

    def tally(value: Any, row: Row) -> tuple[float, float]:  # noqa: ANN401  # any value
        finder = QuoteFinder(_source_of(row, source))
        found = [finder.verify(quote) for quote in quotes(value) if _is_long(quote, min_words)]
        return float(found.count(())), 1.0 if of_rows else float(len(found))

    def counts(output: Output[Any], reference: Any, row: Row) -> tuple[float, float]:  # noqa: ANN401  # any value
        del reference
        return (1.0, 1.0) if output.value is None else tally(output.value, row)

    def compute(outputs: Sequence[Output[Any]], references: Sequence[Any], rows: Sequence[Row]) -> float:
        check_pairs(outputs, references)
        return _share(map(counts, outputs, references, rows))

    def best(references: Sequence[Any], rows: Sequence[Row]) -> float:
        return _share(min(tally(text, row) for text in right) for right, row in zip(references, rows, strict=True))

    return Metric(
        name if min_words == 1 else f"{name}_of_{min_words}_words",
        compute,
        higher_is_better=False,
        counts=counts,
        from_counts=_shares,
        best=best if quotes is texts_quoted else None,
    )


def _source_of(row: Row, source: Callable[[Row], str]) -> str:
    text = source(row)
    if not isinstance(text, str):
        msg = f"the source of quotes is {type(text).__name__} in a row, and must be a text; correct source= or the row"
        raise DataError(msg)
    return text


def _share(counts: Iterable[tuple[float, float]]) -> float:
    invented, all_of_them = (math.fsum(column) for column in zip(*counts, strict=True))
    return invented / max(all_of_them, 1.0)


def _shares(totals: FloatArray) -> FloatArray:
    values: FloatArray = totals[:, 0] / totals[:, 1].clip(min=1)
    return values
