"""Find personal data in texts, replace them, and check answers for them.

What is found is a matter of patterns, checksums, labels, titles and lists; ``docs/privacy.md`` says how much of it and
what not.  Text never leaves the process, and finds carry places, never the text itself.
"""

from __future__ import annotations

import functools
import itertools
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict, Unpack, overload

from qlorakit.country_recognisers import EUROPEAN_UNION, PREDEFINED, country_recognisers
from qlorakit.country_recognisers import phones as existing_phones
from qlorakit.errors import ConfigurationError, DataError, PluginError, UnknownNameError, did_you_mean
from qlorakit.person_names import Persons, find_names
from qlorakit.plugins import installed
from qlorakit.recognisers import Recogniser, built_in, digits_of, phones

if TYPE_CHECKING:
    from qlorakit.task import Row

COUNTRIES = ("US", "EU", "UK", "IN")
BUILT_IN_KINDS = frozenset({"person", "phone", *(recogniser.kind for recogniser in built_in())})
KINDS = tuple(sorted({*BUILT_IN_KINDS, *(item.kind for item in PREDEFINED)}))
PLACEHOLDER = re.compile(r"\[([A-Z][A-Z0-9_]*)_(\d+)\]")
FEWEST_DIGITS = 7  # of a number, for another that ends with it to be the same with a prefix
Finds = tuple["PersonalData", ...]


@dataclass(frozen=True)
class PersonalData:
    """Where personal data stand in a text.

    Attributes:
        start: First character.
        end: Character after the last.
        kind: What it is, such as ``"phone"``.
        score: How sure that is, up to 1: a checksum holds (1), the form or a label tells (0.9 and above), or a title or
            words nearby (0.8).
    """

    start: int
    end: int
    kind: str
    score: float


class SearchOptions(TypedDict, total=False):
    """What to look for; every function here takes these keywords.

    Attributes:
        kinds: Only these of ``KINDS`` and of the recognisers' kinds; all unless given.
        names: Persons to find, such as patients or staff: ``"Anna Keller"`` also finds "Keller, Anna" and, in a
            document that names her in full, "Keller".
        countries: Whose official and phone numbers to find: ``"US"``, ``"UK"``, ``"IN"``, ``"EU"`` or one of its
            members by ISO code, such as ``"DE"``.
        recognisers: Further ones, besides those that installed plugins supply.
        builtin_only: Do without the extra ``privacy``: no official numbers but those of US social security, Aadhaar and
            INSEE, no passports, and phone numbers by their form or words nearby, whether or not such a
            number exists.
    """

    kinds: Collection[str] | None
    names: Sequence[str]
    countries: Sequence[str]
    recognisers: Sequence[Recogniser]
    builtin_only: bool


@dataclass(frozen=True)
class AnswerCheck:
    """Personal data in one answer.

    Attributes:
        found: All of them.
        not_in_prompt: Those of them that the prompt does not hold, so that they come from training or are made up; all
            of them where no prompts were given.
    """

    found: Finds
    not_in_prompt: Finds


def find_personal_data(text: str, **search: Unpack[SearchOptions]) -> Finds:
    """Personal data in a text.

    Args:
        text: One document.
        **search: See :class:`SearchOptions`.

    Returns:
        Finds in the order of the text, none overlapping another: of two that would, the surer one stays, then the
        longer one.

    Raises:
        ConfigurationError: An option is wrong, or the extra ``privacy`` is needed and not installed.
        PluginError: A recogniser gives a place that the text does not have.
    """
    return _finder(search).find([text])[0]


def count_personal_data(texts: Iterable[str], **search: Unpack[SearchOptions]) -> Counter[str]:
    """How often each kind occurs, taking each text as a document of its own.

    Args:
        texts: Any number of them; one at a time is held.
        **search: See :class:`SearchOptions`.

    Raises:
        ConfigurationError: As in :func:`find_personal_data`.
        PluginError: As in :func:`find_personal_data`.
    """
    finder = _finder(search)
    return Counter(found.kind for text in texts for found in finder.find([text])[0])


@overload
def replace_personal_data(  # type: ignore[overload-overlap]  # to Python, a text is a sequence of texts
    texts: str, *, counts: Counter[str] | None = None, **search: Unpack[SearchOptions]
) -> str: ...
@overload
def replace_personal_data(
    texts: Sequence[str], *, counts: Counter[str] | None = None, **search: Unpack[SearchOptions]
) -> tuple[str, ...]: ...
def replace_personal_data(
    texts: str | Sequence[str], *, counts: Counter[str] | None = None, **search: Unpack[SearchOptions]
) -> str | tuple[str, ...]:
    """The text or texts of one document with placeholders such as ``[PERSON_1]`` for personal data.

    The same person or value has the same placeholder throughout: "Anna Keller", "Dr. Keller" and "Keller" are one, and
    so is a number in other spacing.  Placeholders of a kind are numbered as they appear; numbers that already stand in
    the texts are left to what they stood for.

    Args:
        texts: A text, or the texts of one document.
        counts: Increased by the number of replacements of each kind.
        **search: See :class:`SearchOptions`.

    Returns:
        A text for a text, otherwise one for each.

    Raises:
        ConfigurationError: As in :func:`find_personal_data`.
        PluginError: As in :func:`find_personal_data`.
    """
    several = [texts] if isinstance(texts, str) else list(texts)
    replaced = _replaced(several, _finder(search), counts)
    return replaced[0] if isinstance(texts, str) else replaced


def redact_rows(
    rows: Iterable[Row],
    *,
    columns: Sequence[str],
    document: str | None = None,
    counts: Counter[str] | None = None,
    **search: Unpack[SearchOptions],
) -> Iterator[Row]:
    """Rows whose texts have placeholders for personal data, one document at a time.

    Args:
        rows: Any number of them; those of one document are held at a time.
        columns: Whose texts to go through; a cell may be ``None``.
        document: Column whose value rows of one document share; they must stand together.  Each row is a document
            unless given.
        counts: Increased by the number of replacements of each kind as rows are taken.
        **search: See :class:`SearchOptions`.

    Returns:
        The rows as they are asked for, other columns as they were.

    Raises:
        ConfigurationError: As in :func:`find_personal_data`; or there are no columns.
        DataError: A row lacks one of the columns, a cell is no text, a document has no name, or its rows do not stand
            together.
        PluginError: As in :func:`find_personal_data`.
    """
    if isinstance(columns, str) or not columns:
        msg = f"columns={columns!r}: name one or more columns of text, as a list"
        raise ConfigurationError(msg)
    return _redacted(rows, tuple(columns), document, counts, _finder(search))


def check_answers(
    answers: Iterable[str], *, prompts: Iterable[str] | None = None, **search: Unpack[SearchOptions]
) -> tuple[AnswerCheck, ...]:
    """Which personal data generated answers hold, and which of these the model was not told.

    Args:
        answers: Generated texts.
        prompts: What each answers; without them nothing counts as told.
        **search: See :class:`SearchOptions`.

    Raises:
        ConfigurationError: As in :func:`find_personal_data`; or there are not as many prompts as answers.
        PluginError: As in :func:`find_personal_data`.
    """
    finder, answers = _finder(search), list(answers)
    asked = [""] * len(answers) if prompts is None else list(prompts)
    if len(asked) != len(answers):
        msg = f"prompts: there are {len(asked)} for {len(answers)} answers; give the prompt of each answer, in order"
        raise ConfigurationError(msg)
    return tuple(_check(answer, prompt, finder) for answer, prompt in zip(answers, asked, strict=True))


# Finding


@dataclass(frozen=True)
class _Finder:
    recognisers: tuple[Recogniser, ...]
    persons: bool
    names: tuple[str, ...]

    def find(self, texts: Sequence[str]) -> list[Finds]:
        """Personal data in each text of one document."""
        named = find_names(texts, self.names) if self.persons else [[] for _ in texts]
        return [
            _without_overlaps(
                [*self._matched(text), *(PersonalData(start, end, "person", score) for start, end, score in spans)]
            )
            for text, spans in zip(texts, named, strict=True)
        ]

    def _matched(self, text: str) -> Iterator[PersonalData]:
        for recogniser in self.recognisers:
            for start, end in recogniser.find(text):
                if not 0 <= start < end <= len(text):
                    place = f"({start}, {end}) in a text of {len(text)} characters"
                    msg = f"the recogniser of {recogniser.kind!r} found {place}; it must give start and exclusive end"
                    raise PluginError(msg)
                yield PersonalData(start, end, recogniser.kind, recogniser.score)


def _without_overlaps(found: Iterable[PersonalData]) -> Finds:
    kept: list[PersonalData] = []
    starts: list[int] = []
    for item in sorted(found, key=lambda item: (-item.score, item.start - item.end, item.start, item.kind)):
        place = bisect_left(starts, item.start)
        before, after = kept[place - 1] if place else None, kept[place] if place < len(kept) else None
        if (before is None or before.end <= item.start) and (after is None or item.end <= after.start):
            kept.insert(place, item)
            starts.insert(place, item.start)
    return tuple(kept)


def _finder(search: SearchOptions) -> _Finder:
    unknown = sorted(set(search) - set(SearchOptions.__annotations__))
    if unknown:
        msg = f"no option {unknown[0]!r}.{did_you_mean(unknown[0], SearchOptions.__annotations__)}"
        raise ConfigurationError(msg)
    names, kinds = search.get("names", ()), search.get("kinds")
    for option, value in (("names", names), ("kinds", kinds), ("countries", search.get("countries"))):
        if isinstance(value, str):
            msg = f"{option}={value!r}: must be a list, even of one"
            raise ConfigurationError(msg)
    return _cached_finder(
        None if kinds is None else frozenset(kinds),
        tuple(names),
        tuple(search.get("countries", COUNTRIES)),
        (*installed().recognisers, *search.get("recognisers", ())),
        builtin_only=search.get("builtin_only", False),
    )


@functools.lru_cache(maxsize=16)
def _cached_finder(
    kinds: frozenset[str] | None,
    names: tuple[str, ...],
    countries: tuple[str, ...],
    recognisers: tuple[Recogniser, ...],
    *,
    builtin_only: bool,
) -> _Finder:
    issuers = _countries(countries)
    available = {*(BUILT_IN_KINDS if builtin_only else KINDS), *(recogniser.kind for recogniser in recognisers)}
    wanted = frozenset(available) if kinds is None else kinds
    for kind in sorted(wanted - available):
        hint = " It needs builtin_only=False." if kind in KINDS else did_you_mean(kind, available)
        msg = f"kinds: {kind!r} is none.{hint} There are {', '.join(sorted(available))}"
        raise UnknownNameError(msg)
    chosen = [item for item in (*built_in(), *recognisers) if not item.countries or issuers & set(item.countries)]
    if builtin_only:
        chosen.append(phones(issuers))
    else:
        chosen += _with_the_extra(wanted, issuers)
    return _Finder(tuple(item for item in chosen if item.kind in wanted), "person" in wanted, names)


def _with_the_extra(kinds: frozenset[str], countries: frozenset[str]) -> list[Recogniser]:
    found = country_recognisers(kinds, countries)
    return [*found, existing_phones(countries)] if "phone" in kinds else found


def _countries(given: Iterable[str]) -> frozenset[str]:
    known = {"US", "UK", "IN", *EUROPEAN_UNION}
    issuers: set[str] = set()
    for country in given:
        code = {"GB": "UK"}.get(country.upper(), country.upper())
        if code not in known | {"EU"}:
            msg = f"countries: {country!r} is none of 'US', 'UK', 'IN', 'EU' and the EU's members by ISO code"
            raise UnknownNameError(msg)
        issuers |= set(EUROPEAN_UNION) if code == "EU" else {code}
    return frozenset(issuers)


# Replacing


@dataclass
class _Placeholders:
    """What stands for which value in one document.

    Attributes:
        taken: Placeholders that already stand in its texts.
    """

    taken: frozenset[str]
    given: dict[tuple[str, Hashable], str] = field(default_factory=dict)
    last: Counter[str] = field(default_factory=Counter)
    persons: Persons = field(default_factory=Persons)

    def of(self, kind: str, said: str) -> str:
        """The placeholder of a value, a new one where it has none."""
        key = (kind, self._value(kind, said))
        if key not in self.given:
            self.given[key] = self._next(kind.upper())
        return self.given[key]

    def _value(self, kind: str, said: str) -> Hashable:
        if kind == "person":
            return self.persons.number(said)
        value = _normalised(kind, said)
        if kind != "phone":
            return value
        same = (known for other, known in self.given if other == kind and _same_number(str(known), value))
        return next(same, value)

    def _next(self, name: str) -> str:
        while True:
            self.last[name] += 1
            placeholder = f"[{name}_{self.last[name]}]"
            if placeholder not in self.taken:
                return placeholder


def _normalised(kind: str, said: str) -> str:
    """A value without differences of writing."""
    if kind == "phone":
        return digits_of(said).removeprefix("00").removeprefix("0")
    if kind in {"email", "url", "date", "postal_address"}:
        return " ".join(said.casefold().replace(",", " ").split())
    return "".join(char for char in said.casefold() if char.isalnum())


def _same_number(first: str, second: str) -> bool:
    short, long = sorted((first, second), key=len)
    return short == long or (len(short) >= FEWEST_DIGITS and long.endswith(short))


def _replaced(texts: Sequence[str], finder: _Finder, counts: Counter[str] | None) -> tuple[str, ...]:
    taken = frozenset(match.group() for text in texts for match in PLACEHOLDER.finditer(text))
    placeholders = _Placeholders(taken)
    found = finder.find(texts)
    if counts is not None:
        counts.update(item.kind for items in found for item in items)
    return tuple(_with_placeholders(text, items, placeholders) for text, items in zip(texts, found, strict=True))


def _with_placeholders(text: str, found: Finds, placeholders: _Placeholders) -> str:
    pieces, end = [], 0
    for item in found:
        pieces += [text[end : item.start], placeholders.of(item.kind, text[item.start : item.end])]
        end = item.end
    return "".join([*pieces, text[end:]])


def _redacted(
    rows: Iterable[Row], columns: tuple[str, ...], document: str | None, counts: Counter[str] | None, finder: _Finder
) -> Iterator[Row]:
    for together in _documents(rows, document):
        cells = [
            (place, column) for place, (number, row) in enumerate(together) for column in _texts(number, row, columns)
        ]
        texts = [str(together[place][1][column]) for place, column in cells]
        changed = [dict(row) for _, row in together]
        for (place, column), text in zip(cells, _replaced(texts, finder, counts), strict=True):
            changed[place][column] = text
        yield from changed


def _documents(rows: Iterable[Row], document: str | None) -> Iterator[list[tuple[int, Row]]]:
    """Rows with their numbers, from 1, those of one document together."""
    numbered = enumerate(rows, start=1)
    if document is None:
        yield from ([item] for item in numbered)
        return
    seen: set[int] = set()
    for value, together in itertools.groupby(numbered, key=lambda item: _cell(item[0], item[1], document)):
        rows_of_it = list(together)
        number, known = rows_of_it[0][0], hash(repr(value))  # not the value: -1 and -2 have one hash, a list has none
        if value is None:
            msg = f"row {number}, column {document!r}: is None, so that its document is not known; fill it in"
            raise DataError(msg)
        if known in seen:
            msg = f"row {number}: its document stood further up as well; sort the rows by {document!r} first"
            raise DataError(msg)
        seen.add(known)
        yield rows_of_it


def _texts(number: int, row: Row, columns: Iterable[str]) -> Iterator[str]:
    for column in columns:
        cell = _cell(number, row, column)
        if cell is not None and not isinstance(cell, str):
            msg = f"row {number}, column {column!r}: must be text or None, not {type(cell).__name__}"
            raise DataError(msg)
        if cell is not None:
            yield column


def _cell(number: int, row: Row, column: str) -> object:
    if column not in row:
        msg = f"row {number} has no column {column!r}.{did_you_mean(column, row)} It has {', '.join(map(str, row))}"
        raise DataError(msg)
    return row[column]


# Checking answers


def _check(answer: str, prompt: str, finder: _Finder) -> AnswerCheck:
    found = finder.find([answer])[0]
    told = _Told(prompt)
    return AnswerCheck(found, tuple(item for item in found if not told.holds(item.kind, answer[item.start : item.end])))


@dataclass(frozen=True)
class _Told:
    """A prompt, to ask whether it holds a value in whatever writing."""

    prompt: str

    def holds(self, kind: str, said: str) -> bool:
        if kind == "person":
            words = re.findall(r"\w+", said.casefold())
            return set(words) <= self._words
        if kind == "phone":
            return any(_same_number(_normalised(kind, said), run) for run in self._runs)
        return _squeezed(said) in self._squeezed

    @functools.cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(re.findall(r"\w+", self.prompt.casefold()))

    @functools.cached_property
    def _runs(self) -> tuple[str, ...]:
        runs = re.findall(r"\d[\d ()+./\u00a0-]*", self.prompt)
        return tuple(digits_of(run).removeprefix("00").removeprefix("0") for run in runs)

    @functools.cached_property
    def _squeezed(self) -> str:
        return _squeezed(self.prompt)


def _squeezed(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())
