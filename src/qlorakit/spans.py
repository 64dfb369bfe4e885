"""Typed character spans: what an entity is, where the words of a text are, and how rows say both."""

from __future__ import annotations

import bisect
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from qlorakit.cells import list_in, required_text
from qlorakit.errors import DataError, did_you_mean, shown
from qlorakit.tag_schemes import Chunk, Scheme, read_tags

if TYPE_CHECKING:
    from qlorakit.task import Column, Row

# A run of letters and digits is a word, and so is every other sign that is not white space.
WORD = re.compile(r"\w+|[^\w\s]")
SPAN_FORM = "{'start': 0, 'end': 5, 'type': '...'} or (0, 5, '...')"


class Span(NamedTuple):
    """An entity in a text.

    Attributes:
        start: Its first character, counted from 0.
        end: The character after its last one.
        type: Its type.
    """

    start: int
    end: int
    type: str


Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Words:
    """A text and where its words are.

    Attributes:
        text: The whole text.
        bounds: First character of each word and the one after its last, in order, not overlapping.
    """

    text: str
    bounds: tuple[tuple[int, int], ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The words."""
        return tuple(self.text[start:end] for start, end in self.bounds)

    @cached_property
    def _starts(self) -> dict[int, int]:
        return {start: place for place, (start, _) in enumerate(self.bounds)}

    @cached_property
    def _ends(self) -> dict[int, int]:
        return {end: place for place, (_, end) in enumerate(self.bounds)}

    def mention(self, start: int, end: int) -> str:
        """What the text says there, with every run of white space as one space."""
        return " ".join(self.text[start:end].split())

    def chunk(self, span: Span) -> Chunk | None:
        """The span in words; ``None`` where it begins or ends inside a word."""
        if span.start not in self._starts or span.end not in self._ends:
            return None
        return Chunk(self._starts[span.start], self._ends[span.end] + 1, span.type)

    def span(self, chunk: Chunk) -> Span:
        """The characters of a run of words."""
        return Span(self.bounds[chunk.first][0], self.bounds[chunk.end - 1][1], chunk.type)

    def occurrences(self, mention: str) -> list[tuple[int, int]]:
        """Where the text says this from the beginning of a word to the end of one, case as written."""
        pattern = r"\s+".join(map(re.escape, mention.split()))
        found = (match.span(1) for match in re.finditer(f"(?=({pattern}))", self.text))
        return [(start, end) for start, end in found if start in self._starts and end in self._ends]


def split_words(text: str) -> Words:
    """Cut a text at white space and around every sign that is neither letter, digit nor underscore.

    Scripts without spaces between words are not cut; rows that hold tokens bring their own words.
    """
    return Words(text, tuple(match.span() for match in WORD.finditer(text)))


def join_words(tokens: Iterable[str]) -> Words:
    """Put single spaces between words."""
    bounds, start = [], 0
    tokens = list(tokens)
    for token in tokens:
        bounds.append((start, start + len(token)))
        start += len(token) + 1
    return Words(" ".join(tokens), tuple(bounds))


def without_overlaps(spans: Iterable[Span]) -> Spans:
    """The spans that are left when longer ones, and of equal ones the first, rule out what they overlap."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start - span.end, span)):
        place = bisect.bisect(kept, span)
        before, after = kept[max(place - 1, 0) : place], kept[place : place + 1]
        if all(other.end <= span.start for other in before) and all(span.end <= other.start for other in after):
            kept.insert(place, span)
    return tuple(kept)


@dataclass(frozen=True)
class SpanColumns:
    """Rows with a text and a list of spans.

    Attributes:
        text: The column with the text.
        spans: The column with the list, as JSON where a file can hold nothing but text.
        types: The types, by their spelling without case.
    """

    text: Column
    spans: Column
    types: Mapping[str, str]

    @property
    def columns(self) -> tuple[Column, Column]:
        """What is read."""
        return self.text, self.spans

    def words(self, row: Row) -> Words:
        """The row's text and its words.

        Raises:
            DataError: There is no text.
        """
        return split_words(required_text(row, self.text.name))

    def read(self, row: Row) -> Spans | None:
        """The row's spans, sorted; ``None`` where they are not known.

        Raises:
            DataError: A span is malformed, outside the text, of an unknown type, or there twice.
        """
        items = list_in(row.get(self.spans.name), self.spans.name)
        if items is None:
            return None
        text = required_text(row, self.text.name)
        spans = [self._span(item, number, text) for number, item in enumerate(items, start=1)]
        twice = next((span for span, count in Counter(spans).items() if count > 1), None)
        if twice is not None:
            msg = f"column {self.spans.name!r}: the span {tuple(twice)} is there twice; remove one"
            raise DataError(msg)
        return tuple(sorted(spans))

    def _span(self, item: object, number: int, text: str) -> Span:
        where = f"column {self.spans.name!r}, span {number}"
        start, end, kind, said = _fields(item)
        if type(start) is not int or type(end) is not int or not isinstance(kind, str):
            msg = f"{where}: {shown(item)} is no span; write it like {SPAN_FORM}, with whole numbers of characters"
            raise DataError(msg)
        if not 0 <= start < end <= len(text):
            what = "is empty" if start == end else "is not inside the text"
            msg = (
                f"{where}: from {start} to {end} {what}, which has {len(text)} characters; count them from 0, the end "
            )
            msg += "exclusive, in the text as the row holds it"
            raise DataError(msg)
        if isinstance(said, str) and said.split() != text[start:end].split():
            msg = f"{where}: {said!r} is not what the text says from {start} to {end}; correct the offsets"
            raise DataError(msg)
        if kind.strip().casefold() not in self.types:
            allowed, hint = ", ".join(map(repr, self.types.values())), did_you_mean(kind, self.types.values())
            msg = f"{where}: unknown type {kind!r}; allowed: {allowed}.{hint}"
            raise DataError(msg)
        return Span(start, end, self.types[kind.strip().casefold()])


@dataclass(frozen=True)
class TagColumns:
    """Rows with a list of words and one of tags.

    Attributes:
        tokens: The column with the words.
        tags: The column with a tag for each.
        scheme: Which the tags follow.
        types: The types, by their spelling without case.
    """

    tokens: Column
    tags: Column
    scheme: Scheme
    types: Mapping[str, str]

    @property
    def columns(self) -> tuple[Column, Column]:
        """What is read."""
        return self.tokens, self.tags

    def words(self, row: Row) -> Words:
        """The row's words, joined by spaces.

        Raises:
            DataError: There are none, or one is blank or no text.
        """
        tokens = list_in(row.get(self.tokens.name), self.tokens.name)
        if not tokens:
            there = ", ".join(map(repr, row)) or "none"
            msg = (
                f"column {self.tokens.name!r} is missing or empty; the row has {there}. Fill in the words, or remove it"
            )
            raise DataError(msg)
        for number, token in enumerate(tokens, start=1):
            if not isinstance(token, str) or not token.strip():
                where = f"column {self.tokens.name!r}, token {number}"
                msg = f"{where}: {shown(token)} is no word; remove it along with its tag"
                raise DataError(msg)
        return join_words(tokens)

    def read(self, row: Row) -> Spans | None:
        """The spans that the row's tags say there are; ``None`` where there are no tags.

        Raises:
            DataError: Tags and tokens differ in number, a tag is unknown, or not allowed where it stands.
        """
        tags = list_in(row.get(self.tags.name), self.tags.name)
        if tags is None:
            return None
        words = self.words(row)
        if len(tags) != len(words.bounds):
            msg = f"column {self.tags.name!r} holds {len(tags)} tags for the {len(words.bounds)} words of column "
            msg += f"{self.tokens.name!r}; give one tag per word"
            raise DataError(msg)
        try:
            chunks = read_tags(tags, tuple(self.types.values()), self.scheme)
        except DataError as error:
            msg = f"column {self.tags.name!r}, {error}"
            raise type(error)(msg) from error
        return tuple(map(words.span, chunks))


def _fields(item: object) -> tuple[object, object, object, object]:
    """Start, end, type, and what the text says there if the item tells."""
    if isinstance(item, Mapping):
        kind = item.get("type") if item.get("type") is not None else item.get("label")
        return item.get("start"), item.get("end"), kind, item.get("text")
    if isinstance(item, Sequence) and not isinstance(item, str) and len(item) == len(Span._fields):
        return (*item, None)
    return None, None, None, None
