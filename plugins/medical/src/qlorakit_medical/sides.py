"""Left, right and both: which side is said of which part of the body or problem."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qlorakit_medical.findings import Findings, Mention, Problem
from qlorakit_medical.sites import DETERMINERS, TOWARDS, Part
from qlorakit_medical.words import Word, word_set

LEFT, RIGHT, BOTH = "left", "right", "both"
SIDES = {
    "left": LEFT, "right": RIGHT, "bilateral": BOTH, "bilaterally": BOTH, "both": BOTH, "leftsided": LEFT,
    "rightsided": RIGHT,
}  # fmt: skip
LETTERS = {"L": LEFT, "R": RIGHT, "Lt": LEFT, "Rt": RIGHT, "lt": LEFT, "rt": RIGHT, "LT": LEFT, "RT": RIGHT}
# Abbreviations that hold a side and a part.
WITH_PART = {
    "LLE": (LEFT, "leg"), "RLE": (RIGHT, "leg"), "BLE": (BOTH, "leg"), "LUE": (LEFT, "arm"), "RUE": (RIGHT, "arm"),
    "BUE": (BOTH, "arm"), "LLQ": (LEFT, "lower quadrant"), "RLQ": (RIGHT, "lower quadrant"),
    "LUQ": (LEFT, "upper quadrant"), "RUQ": (RIGHT, "upper quadrant"), "LLL": (LEFT, "lung"), "RLL": (RIGHT, "lung"),
    "LUL": (LEFT, "lung"), "RUL": (RIGHT, "lung"), "RML": (RIGHT, "lung"),
}  # fmt: skip
EYES = {"OS": LEFT, "OD": RIGHT, "OU": BOTH}
NAMES_OF_SIDES = frozenset(name.casefold() for name in (*SIDES, *LETTERS, *WITH_PART, *EYES))
OF_EYES = re.compile(
    r"""\b(?:eyes?|vision|visual|acuity|VA|IOP|cataract|glaucoma|retina\w*|cornea\w*|ocular|drops?|OS|OU|conjunctiv\w*
    |ophthalm\w*|pupils?|lens|latanoprost|timolol|prednisolone)\b""",
    re.IGNORECASE | re.VERBOSE,
)
ONCE_DAILY = re.compile(r"(?:mg|mcg|g|po|tablets?|tabs?|units?)\s+$", re.IGNORECASE)  # "20 mg OD"
REACH = 6  # words from a side to what it is of
REACH_OF_LETTERS = 3
# Words after which a side has nothing more to do with what follows.
BREAKS = word_set(
    """a about after against also an and answer are as at away because before but by denies for from go greater had has
    he her him his home hospital i if in is it more my no not now of on only or our still than that the them then
    these they this those to until was we were when while with without worse she side so their went work your you
    again"""
)
PASSED_BY_BOTH = word_set("of his her the their my your")  # "both of her knees"
PLACES = word_set("on to at over in toward towards")  # "pain on the left"


@dataclass(frozen=True)
class Side:
    """A side that is said of something.

    Attributes:
        mention: The word for the side.
        side: ``"left"``, ``"right"`` or ``"both"``.
        of: The parts of the body and problems that it is said of.
    """

    mention: Mention
    side: str
    of: frozenset[str]


def find_sides(findings: Findings) -> list[Side]:
    """Every side in a text that is said of a part of the body or a problem.

    "Left" as the past of "leave" and "right" for "correct" have nothing of that kind beside them, and are none.

    Args:
        findings: Of the text.
    """
    named = (at for at, word in enumerate(findings.words) if word.lower in NAMES_OF_SIDES)
    return [side for side in (_side_at(findings, at) for at in named) if side is not None]


def _side_at(findings: Findings, at: int) -> Side | None:
    word = findings.words[at]
    mention = Mention(word.text, word.start, word.end)
    if word.text in WITH_PART:
        side, part = WITH_PART[word.text]
        return Side(mention, side, frozenset({part, *_problems_beside(findings, at, at + 1)}))
    if word.text in EYES:
        of_eye = {"eye", *_problems_beside(findings, at, at + 1)}
        return Side(mention, EYES[word.text], frozenset(of_eye)) if _is_of_eyes(findings, word) else None
    named = SIDES.get(word.lower)
    of = frozenset(_what_follows(findings, at))
    if not of and named is not None:
        of = frozenset(_what_stands_before(findings, at))
    known = named or LETTERS.get(word.text)
    return Side(mention, known, of) if known and of else None


def _is_of_eyes(findings: Findings, word: Word) -> bool:
    """Whether "OD" is an eye rather than once daily or an overdose: something else in the text is of eyes."""
    before, after = findings.text[: word.start], findings.text[word.end :]
    return OF_EYES.search(f"{before} {after}") is not None and ONCE_DAILY.search(before) is None


# What a side is said of


def _what_follows(findings: Findings, at: int) -> Iterator[str]:
    """The part after a side, and the problems there: "left knee pain", "right-sided weakness", "both of her legs"."""
    words = findings.words
    reach = REACH if words[at].lower in SIDES else REACH_OF_LETTERS
    for place in range(_after_side(words, at), min(at + 1 + reach, len(words))):
        if words[place].gap.strip(" -\n") or words[place].sentence != words[at].sentence:
            return
        part = next((part for part in findings.parts if part.first == place), None)
        if part is not None:
            yield from (part.concept, *_problems_of(findings, part), *_problems_beside(findings, at, part.last))
            return
        problem = next((problem for problem in findings.problems if problem.head == place), None)
        if problem is not None:
            yield from problem.concepts
            return
        if not _may_pass(words, at, place):
            return


def _after_side(words: Sequence[Word], at: int) -> int:
    """The place after "left", "left and right", "left-sided", "left side" or "left side of the"."""
    following = [word.lower for word in words[at + 1 : at + 3]]
    if following[:1] in (["and"], ["or"]) and following[1:] and following[1] in SIDES:
        return at + 3
    if following != ["side", "of"]:
        return at + 1 + (following[:1] in (["sided"], ["side"]))
    place = at + 3
    while place < len(words) and words[place].lower in PASSED_BY_BOTH:
        place += 1
    return place


def _may_pass(words: Sequence[Word], at: int, place: int) -> bool:
    word = words[place].lower
    if words[at].lower == "both" and word in PASSED_BY_BOTH:
        return True
    return word not in SIDES and word not in BREAKS


def _problems_of(findings: Findings, part: Part) -> Iterator[str]:
    """Problems at this very part; of a problem at several parts, the one that is there."""
    for problem in findings.problems:
        for place, concept in zip(problem.parts, problem.concepts, strict=False):
            if place == part:
                yield concept


def _problems_beside(findings: Findings, first: int, last: int) -> Iterator[str]:
    """Problems of no part of their own right after a part with a side, or led to it: "cataract of the left eye".

    Args:
        findings: Of the text.
        first: The place of the side.
        last: The place after the part.
    """
    words = findings.words
    for problem in findings.problems:
        follows = problem.head in {last, last + 1} and not words[problem.head].gap.strip(" -\n")
        if not problem.parts and (follows or _is_led_to(words, problem.last, first)):
            yield from problem.concepts


def _is_led_to(words: Sequence[Word], first: int, last: int) -> bool:
    """Whether nothing but "of the" and the like stands between a problem and a side."""
    if not first <= last < first + REACH:
        return False
    joined = not any(word.gap.strip(" \n") for word in words[first : last + 1])
    return joined and all(word.lower in TOWARDS | DETERMINERS for word in words[first:last])


def _what_stands_before(findings: Findings, at: int) -> Iterator[str]:
    """What a side after it is said of: "wheezes bilaterally", "weakness on the left", "knee (left)"."""
    words, word = findings.words, findings.words[at]
    before = {item.lower for item in words[max(0, at - 2) : at]}
    if not (PLACES & before or set(",(") & set(word.gap) or word.lower == "bilaterally"):
        return
    nearest = _nearest_before(findings, at)
    if isinstance(nearest, Part):
        yield from (nearest.concept, *_problems_of(findings, nearest))
    elif nearest is not None:
        yield from (*nearest.concepts, *(part.concept for part in nearest.parts))


def _nearest_before(findings: Findings, at: int) -> Part | Problem | None:
    mentioned: list[Part | Problem] = [*findings.parts, *findings.problems]
    sentence = findings.words[at].sentence
    near = [
        item
        for item in mentioned
        if at - REACH <= item.last <= at and findings.words[item.last - 1].sentence == sentence
    ]
    return max(near, key=lambda item: (item.last, isinstance(item, Problem)), default=None)
