"""Where sentences of a long document begin and end, so that it can be read in pieces and quoted.

Rules of punctuation and lines, without a model: documents of an office are full of numbered clauses, headings and
abbreviations, on which general splitters break, and places must be exact to the character.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from collections.abc import Iterable, Sequence

Stretch = tuple[int, int]

LONGEST = 600  # characters of a sentence, from which on it is divided at a semicolon, a comma or a space

# Words after which a point ends no sentence.
ABBREVIATIONS = frozenset(
    (
        "a.m", "al", "approx", "apr", "art", "arts", "assn", "aug", "bros", "cf", "ch", "cl", "co", "corp", "dec",
        "dept", "dr", "e.g", "eg", "est", "etc", "ex", "exh", "feb", "fig", "hon", "i.e", "ie", "inc", "jan", "jr",
        "jul", "jun", "llc", "ltd", "mar", "mr", "mrs", "ms", "n.v", "nov", "oct", "p.m", "para", "paras",
        "pp", "prof", "s.a", "sched", "sec", "secs", "sep", "sept", "sr", "st", "u.k", "u.s", "v", "vol", "vs",
    )
)  # fmt: skip
NUMBERS = frozenset(("no", "nos"))  # abbreviations before a number, and words elsewhere
POINTS = ".!?\u061f"  # of Latin, Greek, Cyrillic and Arabic writing, before white space
WIDE_POINTS = "\u3002\uff01\uff1f"  # of Chinese and Japanese writing, before anything
_END = re.compile(
    rf"[{POINTS}][\"'\u201d\u2019)\]]*\s+|[{WIDE_POINTS}][\u201d\u2019\u300d\u300f\uff09]*\s*|(?<!\s)\s*\n\s*"
)
_WORD_BEFORE = re.compile(r"[\w.&/-]*$")
_CLAUSE_ENDS = (";", ":", ",", "")
LONGEST_WORD = 24  # characters, of what can be an abbreviation or a number


@functools.lru_cache(maxsize=64)  # each question about a document asks for them again
def sentences_of(text: str, *, longest: int = LONGEST) -> tuple[Stretch, ...]:
    """The places of the sentences of a text, in order, without white space around them.

    A sentence ends at a full stop, a question or an exclamation mark before something that can begin a sentence, at a
    blank line, and at a line break unless the next line goes on in lower case.  One that is longer than ``longest`` is
    divided.  Nothing but white space lies between sentences.

    Args:
        text: Any text.
        longest: Most characters of a sentence.

    Returns:
        First character and the one behind the last, of each.
    """
    ends = [len(text) - len(text.lstrip())]
    for match in _END.finditer(text):
        if match.start() > ends[-1] and _is_end(text, ends[-1], match):
            ends.append(match.end())
    whole = (_trimmed(text, *pair) for pair in itertools.pairwise([*ends, len(text)]))
    return tuple(piece for start, end in whole if end > start for piece in _divided(text, start, end, longest))


def _is_end(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether what was found ends the sentence that began at ``start``."""
    follows, breaks = text[match.end() : match.end() + 1], match[0].count("\n")
    if not follows or breaks > 1 or match[0][0] in WIDE_POINTS:
        return True
    pointed = match[0][0] in POINTS
    if breaks and not (pointed and follows.islower()):
        return pointed or text[match.start() - 1] in {";", ":", "."} or not follows.islower()
    if follows.islower() or not pointed:
        return False
    return match[0][0] != "." or not _is_abbreviation(text, start, match.start(), follows)


def _is_abbreviation(text: str, start: int, point: int, follows: str) -> bool:
    """Whether a point belongs to an abbreviation, an initial or the number of a clause."""
    before = text[max(start, point - LONGEST_WORD) : point]  # no more, so that time grows with the text alone
    found = _WORD_BEFORE.search(before)
    word = found[0] if found else ""
    if word.casefold() in NUMBERS:
        return follows.isdigit()
    alone = point - start <= LONGEST_WORD and not before[: len(before) - len(word)].strip(" \t\n([\"'\u201c")
    return word.casefold() in ABBREVIATIONS or (len(word) == 1 and word.isalpha()) or (alone and len(word) <= 5)  # noqa: PLR2004  # 12.10 or (iii


def _trimmed(text: str, start: int, end: int) -> Stretch:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def _divided(text: str, start: int, end: int, longest: int) -> list[Stretch]:
    """A sentence in pieces of bearable length."""
    pieces = []
    while end - start > longest:
        stop = _stop(text, start, longest)
        pieces.append(_trimmed(text, start, stop))
        start = _trimmed(text, stop, end)[0]
    return [*pieces, (start, end)] if end > start else pieces


def _stop(text: str, start: int, longest: int) -> int:
    """Where to divide: behind the last mark in the second half that is followed by white space."""
    for mark in _CLAUSE_ENDS:
        for stop in range(start + longest, start + longest // 2, -1):
            if text[stop : stop + 1].isspace() and text.endswith(mark, start, stop):
                return stop
    return start + longest


def within(stretches: Sequence[Stretch], window: Stretch) -> slice:
    """The places of the stretches that lie in a window; they stand in order and do not overlap."""
    first = bisect.bisect_left(stretches, window[0], key=lambda stretch: stretch[0])
    return slice(first, bisect.bisect_right(stretches, window[1], key=lambda stretch: stretch[1]))


def pieces_of(text: str, words: int) -> list[Stretch]:
    """A text in pieces of whole sentences, which do not overlap.

    Args:
        text: Any text.
        words: Most of a piece, unless a sentence alone has more.

    Returns:
        First character and the one behind the last, of each.
    """
    pieces: list[Stretch] = []
    held = 0
    for start, end in sentences_of(text):
        size = len(text[start:end].split())
        if pieces and held + size <= words:
            pieces[-1] = pieces[-1][0], end
            held += size
        else:
            pieces.append((start, end))
            held = size
    return pieces


def shared(first: Stretch, second: Stretch) -> int:
    """How many characters two stretches have in common."""
    return max(min(first[1], second[1]) - max(first[0], second[0]), 0)


def telling(stretches: Sequence[Stretch], evidence: Iterable[Stretch]) -> list[int]:
    """The places of the stretches that tell (:func:`tells`); they stand in order and do not overlap."""
    found: set[int] = set()
    for one in evidence:
        first = bisect.bisect_right(stretches, one[0], key=lambda stretch: stretch[1])
        beside = itertools.takewhile(lambda place: stretches[place][0] < one[1], range(first, len(stretches)))  # noqa: B023  # used at once
        found.update(place for place in beside if tells(stretches[place], (one,)))
    return sorted(found)


def tells(stretch: Stretch, evidence: Iterable[Stretch]) -> bool:
    """Whether a stretch holds evidence: half of it is evidence, or it holds half of a piece of evidence."""
    return any(2 * shared(stretch, one) >= min(stretch[1] - stretch[0], one[1] - one[0]) for one in evidence)
