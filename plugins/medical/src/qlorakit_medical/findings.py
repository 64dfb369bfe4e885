"""What a note mentions: drugs, problems with their polarity and place, and parts of the body."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from qlorakit_medical.drug_names import NOT_DRUGS, SUFFIXES
from qlorakit_medical.negation import denied_words
from qlorakit_medical.sites import CONJUNCTIONS, Part, Sites
from qlorakit_medical.vocabulary import Match, Vocabulary, find_terms
from qlorakit_medical.words import Word, read_words, word_set

NO_ALLERGIES = frozenset({("nkda",), ("nka",), ("nkma",)})  # which are written down because they matter
# After these the name of a problem is that of a place, a drug or an examination.
NO_PROBLEM_BEFORE = word_set(
    """clinic center centre medication medications medicine medicines meds education vaccine vaccination vaccinations
    shot screening screen test tests testing syrup drops protocol prophylaxis precautions risk unit support specialist
    management counseling questionnaire scale scores score pill pills inhaler cream reducer reliever relievers diary"""
)
MARKED_ABSENT = re.compile(
    r"\s*\([-\u2013\u2212]\)|:[\s,]*(?:NK\w*|(?:no|none|nil)\s+(?:known|drug|medication|food|allerg))", re.IGNORECASE
)
IN_PASSING = re.compile(
    r"""\b(?:if | risks?\s(?:of|for) | prevent(?:ion\sof|ing|s)? | to\savoid | screen(?:ing|ed)?\sfor
    | (?:return|call)\s(?:\w+\s){0,3}for | (?:watch|monitor|look)(?:ed|ing)?\s(?:\w+\s)?(?:out\s)?for | in\scase\sof
    | should\s(?:he|she|you|they)\sdevelop | prophylaxis
    | (?P<indication>as\sneeded\sfor | as\srequired\sfor | p\.?r\.?n\.?(?:\sfor)?))(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)
SUFFIX = re.compile(rf"[a-z]{{3,}}(?:{'|'.join(sorted(SUFFIXES, key=len, reverse=True))})s?")
DOSE_AFTER = re.compile(
    r"""[\s(,:-]{1,3}(?:\d[\d,./-]*|half|one|two|three|four|five|ten)[\s-]?
    (?:mg|mcg|\u00b5g|\u03bcg|g|gm|grams?|milligrams?|micrograms?|units?|meq|iu|tabs?|tablets?|capsules?|caps?|puffs?)\b
    (?!\s*/\s*d?L\b)""",
    re.IGNORECASE | re.VERBOSE,
)
DOSE_BEFORE = re.compile(r"\d[\d,.]*\s?(?:mg|mcg|g|units?|meq|iu)(?:\s(?:of|oral|po))?\s+$", re.IGNORECASE)
NEAR = 40  # characters


@dataclass(frozen=True)
class Mention:
    """A span of a text.

    Attributes:
        text: Exactly as it stands there.
        start: Its first character.
        end: The character after its last one.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Drug:
    """A drug that is mentioned.

    Attributes:
        mention: Where.
        concepts: Its name in the vocabulary; two for a product of two; its own word where it is not known there.
        first: The place of its first word.
        last: The place after its last word.
    """

    mention: Mention
    concepts: tuple[str, ...]
    first: int
    last: int


@dataclass(frozen=True)
class Problem:
    """A problem that is mentioned.

    Attributes:
        mention: Where.
        concepts: Its names in the vocabulary.
        denied: Whether it is said not to be there.
        passing: Whether nothing is said about the patient, as in "return for fever".
        normal: Whether it is a normal finding, as "nontender", or a heading, which nobody misses.
        head: The place of the word that names it.
        first: The place of its first word, which may be a part of the body.
        last: The place after its last word.
        parts: The parts of the body where it is, one for each concept; none where it takes none.
    """

    mention: Mention
    concepts: tuple[str, ...]
    denied: bool
    passing: bool
    normal: bool
    head: int
    first: int
    last: int
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Findings:
    """All that a text mentions.

    Attributes:
        text: As it is.
        words: Of it.
        drugs: In their order.
        problems: In their order.
        parts: In their order.
    """

    text: str
    words: tuple[Word, ...]
    drugs: tuple[Drug, ...]
    problems: tuple[Problem, ...]
    parts: tuple[Part, ...]


def find_all(text: str, vocabulary: Vocabulary) -> Findings:
    """Everything that a text mentions.

    Args:
        text: A note.
        vocabulary: The names to be found in it.
    """
    words = read_words(text)
    parts = tuple(
        Part(match.term.concepts[0], match.first, match.last) for match in find_terms(words, vocabulary.part_terms)
    )
    problems = tuple(_problems(text, words, parts, vocabulary))
    taken = {at for problem in problems for at in range(problem.first, problem.last)}
    drugs = sorted(_drugs(text, words, taken, vocabulary), key=lambda drug: drug.first)
    return Findings(text, words, tuple(drugs), problems, parts)


def _mention(text: str, words: Sequence[Word], first: int, last: int) -> Mention:
    start, end = words[first].start, words[last - 1].end
    return Mention(text[start:end], start, end)


# Drugs


def _drugs(text: str, words: Sequence[Word], taken: AbstractSet[int], vocabulary: Vocabulary) -> Iterator[Drug]:
    """Drugs of the vocabulary, and words with the ending of one; none within the name of a problem."""
    known = set(taken)
    for match in find_terms(words, vocabulary.drug_terms):
        mention = _mention(text, words, match.first, match.last)
        if match.first in taken or (match.term.needs and not _has_dose(text, mention)):
            continue
        known.update(range(match.first, match.last))
        yield Drug(mention, match.term.concepts, match.first, match.last)
    for at, word in enumerate(words):
        if at not in known and word.key not in NOT_DRUGS and SUFFIX.fullmatch(word.lower):
            yield Drug(_mention(text, words, at, at + 1), (word.key,), at, at + 1)


def _has_dose(text: str, mention: Mention) -> bool:
    return bool(
        DOSE_AFTER.match(text, mention.end) or DOSE_BEFORE.search(text[max(0, mention.start - NEAR) : mention.start])
    )


# Problems


def _problems(text: str, words: Sequence[Word], parts: Sequence[Part], vocabulary: Vocabulary) -> Iterator[Problem]:
    matches = find_terms(words, vocabulary.problem_terms)
    named = {at for match in matches for at in range(match.first, match.last)}
    sites = Sites.of(words, parts, named)
    denied = denied_words(words, named | {at for part in parts for at in range(part.first, part.last)})
    passing = _in_passing(text, words)
    for match in matches:
        places = sites.of_problem(match) if match.term.takes_part else ()
        if not match.term.concepts or (match.term.needs and not places):
            continue
        first, last = _extent(words, match, places)
        yield Problem(
            _mention(text, words, first, last),
            _concepts(match, places, vocabulary),
            denied=match.term.denies or match.first in denied or _is_marked_absent(text, words[match.last - 1]),
            passing=match.first in passing or _names_something_else(words, match.last),
            normal=_is_normal(match) or _is_heading(text, words, match),
            head=match.first,
            first=first,
            last=last,
            parts=places,
        )


def _concepts(match: Match, places: Sequence[Part], vocabulary: Vocabulary) -> tuple[str, ...]:
    return tuple(vocabulary.of_part(match.term.concepts[0], part.concept) for part in places) or match.term.concepts


def _extent(words: Sequence[Word], match: Match, places: Sequence[Part]) -> tuple[int, int]:
    """From the first to the last word of a problem and of the parts before it that touch it."""
    first = match.first
    for part in sorted(places, key=lambda part: -part.first):
        if part.last <= first and {word.lower for word in words[part.last : first]} <= CONJUNCTIONS:
            first = part.first
    return first, match.last


def _is_marked_absent(text: str, word: Word) -> bool:
    """Whether "(-)" follows, or after a heading that there is none."""
    return MARKED_ABSENT.match(text, word.end) is not None


def _names_something_else(words: Sequence[Word], after: int) -> bool:
    """Whether it is part of the name of a place, a drug or an examination: "asthma clinic", "pain medication"."""
    return after < len(words) and words[after].gap in {" ", "-"} and words[after].lower in NO_PROBLEM_BEFORE


def _is_normal(match: Match) -> bool:
    return match.term.denies and len(match.term.keys) == 1 and match.term.keys not in NO_ALLERGIES


def _is_heading(text: str, words: Sequence[Word], match: Match) -> bool:
    """Whether it is the heading "Allergies:", after which the allergies stand."""
    return "allergy" in match.term.concepts and text.startswith(":", words[match.last - 1].end)


def _in_passing(text: str, words: Sequence[Word]) -> set[int]:
    """The places of words that say nothing about the patient as he is: to the end of the sentence.

    What a drug is to be taken for as needed ends at a comma.
    """
    found: set[int] = set()
    for trigger in IN_PASSING.finditer(text):
        first = next((at for at, word in enumerate(words) if word.start >= trigger.end()), len(words))
        for at in range(first, len(words)):
            if words[at].sentence != words[first].sentence or (trigger["indication"] and "," in words[at].gap):
                break
            found.add(at)
    return found
