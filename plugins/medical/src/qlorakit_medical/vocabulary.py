"""What drugs, problems and parts of the body are called: lists written by hand, which a house may add to."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from qlorakit.errors import ConfigurationError, did_you_mean
from qlorakit_medical.drug_names import DRUGS
from qlorakit_medical.problem_names import NO_PROBLEMS, PARTS, PROBLEMS
from qlorakit_medical.words import Word, keys_of

INSIDE_A_NAME = re.compile(r"[\s\-/.'\u2019#]*")  # what may stand between the words of a name
ABBREVIATION = 2  # letters of those that are read in capitals alone
CAPITALS_ONLY = frozenset({"AIDS", "DOE", "RAD", "PAD", "LOC", "NIX", "TOBI", "NAC", "AED", "SAH"})
OF = " of "  # between a problem and a part of the body
EXAMPLE = "write 'name | other name, other name', or 'name < broader name | other name'"


class Term(NamedTuple):
    """One way to write something.

    Attributes:
        keys: Its words.
        concepts: What it means; several for a product of two drugs, and for "N/V".
        capitals: Whether it must be in capitals.
        denies: Whether it says that the problem is not there.
        needs: Whether it counts only beside a dose (drugs) or a part of the body (problems).
        takes_part: Whether a part of the body makes it more specific.
    """

    keys: tuple[str, ...]
    concepts: tuple[str, ...]
    capitals: bool = False
    denies: bool = False
    needs: bool = False
    takes_part: bool = False


class Match(NamedTuple):
    """A term in a text: the places of its first word and of the one after its last."""

    first: int
    last: int
    term: Term


class Entry(NamedTuple):
    """A line of a table, and the kinds of thing that it is one of."""

    name: str
    broader: tuple[str, ...]
    others: tuple[str, ...]


Lexicon = Mapping[str, Sequence[Term]]  # terms by their first key, the longest first


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Names of drugs, problems and parts of the body, as lines in the format of the modules that hold them.

    Attributes:
        drugs: See :mod:`qlorakit_medical.drug_names`.
        problems: See :mod:`qlorakit_medical.problem_names`.
        parts: See the same module.
        no_problems: Phrases in which the name of a problem means none.
    """

    drugs: tuple[str, ...]
    problems: tuple[str, ...]
    parts: tuple[str, ...]
    no_problems: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        """How many of each kind it knows: its lines would fill pages of help."""
        concepts = {
            kind: {concept for entry in _entries(getattr(self, kind)) for concept in map(_plain, entry.name.split("+"))}
            for kind in TERMS
        }
        sizes = (f"{len(found)} {kind}" for kind, found in concepts.items())
        return f"Vocabulary({', '.join(sizes)})"

    def extended(
        self, *, drugs: Iterable[str] = (), problems: Iterable[str] = (), parts: Iterable[str] = ()
    ) -> Vocabulary:
        """The same with more names.

        A line whose name is there already adds its other names to it.

        Args:
            drugs: Lines such as ``"generic | brand, other name"``.
            problems: Lines such as ``"disease < broader disease | other name, ABBREVIATION"``.
            parts: Lines such as ``"thenar eminence < hand | ball of the thumb"``.

        Raises:
            ConfigurationError: A line is not in this form, its broader name is not there, or another drug, problem or
                part has one of its names already; or something else is given where lines are needed.
        """
        given: dict[str, Iterable[str]] = {"drugs": drugs, "problems": problems, "parts": parts}
        added = {kind: _checked_lines(kind, lines) for kind, lines in given.items()}
        extended = replace(self, **{kind: (*getattr(self, kind), *lines) for kind, lines in added.items()})
        meanings = self._meanings()
        for kind, lines in added.items():
            for line in lines:
                extended._check_broader(kind, line)  # noqa: SLF001  # of the same class
                _check_names(kind, line, meanings)
        return extended

    def _meanings(self) -> dict[tuple[str, ...], set[str]]:
        """What each name means, by its keys."""
        found: dict[tuple[str, ...], set[str]] = {}
        for kind, terms_of in TERMS.items():
            for term in (term for entry in _entries(getattr(self, kind)) for term in terms_of(entry)):
                found.setdefault(term.keys, set()).update(term.concepts)
        return found

    def _check_broader(self, kind: str, line: str) -> None:
        """Refuses a line whose broader name is none of its table, nor a problem at a part of the body."""
        names = {_plain(entry.name) for entry in _entries(getattr(self, kind))}
        for broader in _entry(line.strip("[] "), ()).broader:
            part = broader.partition(OF)[2]
            at_part = self._is_composed(broader) and broader not in self._composed
            if broader not in names and not (
                kind == "problems" and at_part and any(entry.name == part for entry in _entries(self.parts))
            ):
                msg = (
                    f"the vocabulary's line {line!r}: {broader!r} is none of its {kind}.{did_you_mean(broader, names)}"
                )
                raise ConfigurationError(msg)

    @functools.cached_property
    def drug_terms(self) -> Lexicon:
        """Drugs by the first word of their names."""
        return _lexicon(term for entry in self._drug_entries for term in _drug_terms(entry))

    @functools.cached_property
    def problem_terms(self) -> Lexicon:
        """Problems by the first word of their names; phrases that mean none have no concepts."""
        named = [term for entry in self._problem_entries for term in _problem_terms(entry)]
        kinds = {term.keys: term.concepts[0] for term in named if term.takes_part}
        found = [term for term in named if not self._is_made_of_part(term, kinds)]
        return _lexicon([*found, *(Term(keys_of(phrase), ()) for phrase in self.no_problems)])

    def _is_made_of_part(self, term: Term, kinds: Mapping[tuple[str, ...], str]) -> bool:
        """Whether it is found as a part with a problem, as "chest pain" is, so that "chest and back pain" is too."""
        part = next((part for part in self.part_terms.get(term.keys[0], ()) if part.keys == term.keys[:-1]), None)
        kind = kinds.get(term.keys[-1:])
        return part is not None and kind is not None and self.of_part(kind, part.concepts[0]) in term.concepts

    @functools.cached_property
    def part_terms(self) -> Lexicon:
        """Parts of the body by the first word of their names."""
        return _lexicon(term for entry in _entries(self.parts) for term in _part_terms(entry))

    @functools.cached_property
    def _drug_entries(self) -> tuple[Entry, ...]:
        return tuple(_entries(self.drugs))

    @functools.cached_property
    def _problem_entries(self) -> tuple[Entry, ...]:
        return tuple(_entries(self.problems))

    @functools.cached_property
    def _broader(self) -> Mapping[str, tuple[str, ...]]:
        entries = (*self._drug_entries, *self._problem_entries, *_entries(self.parts))
        known: dict[str, tuple[str, ...]] = {}
        for entry in entries:
            known[_plain(entry.name)] = (*known.get(_plain(entry.name), ()), *entry.broader)
        composed = {
            _plain(entry.name): tuple(other.partition(OF)[0] for other in entry.others if self._is_composed(other))
            for entry in self._problem_entries
        }
        return {name: (*broader, *composed.get(name, ())) for name, broader in known.items()}

    @functools.cached_property
    def _heads(self) -> frozenset[str]:
        return frozenset(_plain(entry.name) for entry in self._problem_entries if entry.name.endswith("@"))

    @functools.cached_property
    def _composed(self) -> Mapping[str, str]:
        """Problems with a name of their own, by their kind and part: "headache" by "pain of head"."""
        return {
            other: _plain(entry.name)
            for entry in self._problem_entries
            for other in entry.others
            if self._is_composed(other)
        }

    def _is_composed(self, name: str) -> bool:
        return name.partition(OF)[0] in self._heads and OF in name

    def of_part(self, problem: str, part: str) -> str:
        """The name of a problem at a part of the body."""
        name = f"{problem}{OF}{part}"
        return self._composed.get(name, name)

    @functools.cache  # noqa: B019  # vocabularies are few, and live as long as the program
    def broader(self, concept: str) -> frozenset[str]:
        """Everything that a concept is a kind of: "diabetes" for "type 2 diabetes", "pain" for "pain of knee"."""
        found: set[str] = set()
        for name in self._directly_broader(concept):
            found |= {name, *self.broader(name)}
        return frozenset(found)

    def _directly_broader(self, concept: str) -> Iterator[str]:
        yield from self._broader.get(concept, ())
        problem, of, part = concept.partition(OF)
        if of and problem in self._heads and concept not in self._broader:
            yield problem
            yield from (self.of_part(problem, wider) for wider in self._broader.get(part, ()))

    def are_related(self, one: str, other: str) -> bool:
        """Whether two concepts are the same, or one is a kind of the other."""
        return one == other or other in self.broader(one) or one in self.broader(other)


def find_terms(words: Sequence[Word], lexicon: Lexicon) -> list[Match]:
    """Every term in a text, the longest first where several begin at one word; none overlap.

    Args:
        words: Of the text.
        lexicon: Of a vocabulary.
    """
    found: list[Match] = []
    at = 0
    while at < len(words):
        terms = lexicon.get(words[at].key)
        term = next((term for term in terms if _is_there(words, at, term)), None) if terms else None
        if term is not None:
            found.append(Match(at, at + len(term.keys), term))
        at += len(term.keys) if term else 1
    return found


def _is_there(words: Sequence[Word], at: int, term: Term) -> bool:
    keys = term.keys
    stretch = words[at : at + len(keys)]
    if len(keys) > 1:
        if len(stretch) < len(keys) or stretch[1].key != keys[1] or not _is_one_name(stretch):
            return False
        if len(keys) > 2 and tuple(word.key for word in stretch) != keys:  # noqa: PLR2004  # the second was compared
            return False
    return not term.capitals or all(word.text == word.text.upper() for word in stretch)


def _is_one_name(stretch: Sequence[Word]) -> bool:
    return all(
        word.gap == " " or (INSIDE_A_NAME.fullmatch(word.gap) and word.sentence == stretch[0].sentence)
        for word in stretch[1:]
    )


def _entries(lines: Iterable[str]) -> Iterator[Entry]:
    group: tuple[str, ...] = ()
    for line in lines:
        if line.startswith("["):
            heading = _entry(line.strip("[] "), ())
            group = () if heading.name.startswith("-") else (heading.name,)
            if group:
                yield heading
        else:
            yield _entry(line, group)


def _entry(line: str, group: tuple[str, ...]) -> Entry:
    left, _, right = line.partition("|")
    name, _, wider = left.partition("<")
    others = tuple(other.strip() for other in right.split(",") if other.strip())
    if not keys_of(name):
        msg = f"the vocabulary's line {line!r} has no name; {EXAMPLE}"
        raise ConfigurationError(msg)
    broader = (wider.replace("@", "").strip(),) if wider.strip() else ()
    return Entry(name.strip(), (*broader, *group), others)


def _checked_lines(kind: str, lines: Iterable[str]) -> tuple[str, ...]:
    """The lines that are added to a table, each of which must be in the form of one."""
    if isinstance(lines, str) or not isinstance(lines, Iterable):
        msg = f"{kind} must be lines such as ['name | other name'], not {lines!r}"
        raise ConfigurationError(msg)
    checked = tuple(lines)
    for line in checked:
        wrong = _what_is_wrong(line)
        if wrong:
            msg = f"{kind}: the vocabulary's line {line!r} {wrong}; {EXAMPLE}"
            raise ConfigurationError(msg)
    return checked


def _what_is_wrong(line: object) -> str | None:
    if not isinstance(line, str):
        return "is no text"
    left, _, right = line.partition("|")
    others = [other for other in right.strip("] ").split(",") if other.strip()]
    found = {
        "has a comma before the '|'": "," in left,
        "has a ';'": ";" in line,
        "has a '|' or '<' among its other names": "|" in right or "<" in right,
        "has no name": not keys_of(left.partition("<")[0]),
        "has another name without a letter or digit": not all(map(keys_of, others)),
    }
    return next((wrong for wrong, is_there in found.items() if is_there), None)


def _check_names(kind: str, line: str, meanings: dict[tuple[str, ...], set[str]]) -> None:
    """Refuses a line with a name that means something else already, and adds what its names mean."""
    entry = _entry(line.strip("[] "), ())
    written = {keys_of(name): name.strip("~@!? ") for name in (entry.name, *entry.others)}
    for term in TERMS[kind](entry):
        known = meanings.setdefault(term.keys, set(term.concepts))
        if not known.issuperset(term.concepts):
            name, meant = written[term.keys], " and ".join(sorted(known))
            msg = f"the vocabulary's line {line!r}: {name!r} is already a name of {meant}; one name means one thing"
            raise ConfigurationError(msg)


def _plain(name: str) -> str:
    return name.strip("~@? ")


def _drug_terms(entry: Entry) -> Iterator[Term]:
    concepts = tuple(_plain(part) for part in entry.name.split("+"))
    names = entry.others if len(concepts) > 1 else (entry.name, *entry.others)
    for name in names:
        yield _term(name.rstrip("?"), concepts)._replace(needs=name.endswith("?"))


def _problem_terms(entry: Entry) -> Iterator[Term]:
    concept, takes_part = _plain(entry.name), entry.name.endswith("@")
    own = () if entry.name.startswith("~") else (concept,)
    for name in (*own, *entry.others):
        term = _term(name.lstrip("@!"), (concept,))
        yield term._replace(denies=name.startswith("!"), needs=name.startswith("@"), takes_part=takes_part)


def _part_terms(entry: Entry) -> Iterator[Term]:
    for name in (entry.name, *entry.others):
        yield _term(name, (entry.name,))


TERMS: Mapping[str, Callable[[Entry], Iterator[Term]]] = {
    "drugs": _drug_terms, "problems": _problem_terms, "parts": _part_terms,
}  # fmt: skip


def _term(name: str, concepts: tuple[str, ...]) -> Term:
    short = name in CAPITALS_ONLY or (sum(map(str.isalnum, name)) <= ABBREVIATION and "/" not in name)
    return Term(keys_of(name), concepts, capitals=name.isupper() and short)


def _lexicon(terms: Iterable[Term]) -> Lexicon:
    """Terms by their first key; of two that read the same, one with the concepts of both."""
    same: dict[tuple[tuple[str, ...], bool], Term] = {}
    for term in terms:
        known = same.get((term.keys, term.capitals))
        concepts = (*known.concepts, *term.concepts) if known else term.concepts
        same[term.keys, term.capitals] = (known or term)._replace(concepts=tuple(dict.fromkeys(concepts)))
    lexicon: dict[str, list[Term]] = {}
    for term in sorted(same.values(), key=lambda term: -len(term.keys)):
        lexicon.setdefault(term.keys[0], []).append(term)
    return lexicon


def _lines(table: str) -> tuple[str, ...]:
    """The entries of a table: a line that is indented belongs to the one before."""
    joined = re.sub(r"\n +", " ", table)
    return tuple(line for line in joined.splitlines() if line.strip() and not line.startswith("#"))


VOCABULARY = Vocabulary(
    drugs=_lines(DRUGS),
    problems=_lines(PROBLEMS),
    parts=_lines(PARTS),
    no_problems=tuple(phrase.strip() for phrase in NO_PROBLEMS.replace("\n", " ").split(",")),
)
