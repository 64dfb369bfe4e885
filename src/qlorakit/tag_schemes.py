"""Tags of words: which entities a tagging says there are, and back, in a scheme that is stated and never guessed.

==========  ===========================================================================
scheme      an entity of one word, and of four
==========  ===========================================================================
BIO, IOB2   ``B``; ``B I I I`` (Tjong Kim Sang and Veenstra, 1999)
IOB1        ``I``; ``I I I I``, with ``B`` first only where an entity of the same type ends just before it
            (Ramshaw and Marcus, 1995)
IOBES       ``S``; ``B I I E``
BILOU       ``U``; ``B I I L`` (Ratinov and Roth, 2009)
==========  ===========================================================================

Every other word has the tag ``O``.  A tagging that its scheme does not allow is refused, whatever entities one could
see in it: the file follows another scheme, or has a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from qlorakit.errors import DataError, UnknownLabelError, did_you_mean, shown

if TYPE_CHECKING:
    from qlorakit.task import FloatArray

Scheme = Literal["BIO", "IOB2", "IOB1", "IOBES", "BILOU"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
OUTSIDE = "O"

# The tags of an entity of one word, and of the first, middle and last words of a longer one.
_LETTERS: dict[Scheme, tuple[str, str, str, str]] = {
    "BIO": ("B", "B", "I", "I"),
    "IOB2": ("B", "B", "I", "I"),
    "IOB1": ("I", "I", "I", "I"),
    "IOBES": ("S", "B", "I", "E"),
    "BILOU": ("U", "B", "I", "L"),
}


class Chunk(NamedTuple):
    """An entity in words.

    Attributes:
        first: Its first word, counted from 0.
        end: The word after its last one.
        type: Its type.
    """

    first: int
    end: int
    type: str


def tag_names(types: Iterable[str], scheme: Scheme) -> tuple[str, ...]:
    """Every tag of a scheme for these types, ``O`` first."""
    letters = dict.fromkeys("BI" if scheme == "IOB1" else sorted(_LETTERS[scheme]))
    return (OUTSIDE, *(f"{letter}-{kind}" for kind in types for letter in letters))


def write_tags(chunks: Iterable[Chunk], length: int, scheme: Scheme) -> list[str]:
    """Tag words.

    Args:
        chunks: Entities that do not overlap.
        length: Words in all.
        scheme: How to tag them.

    Returns:
        One tag per word.
    """
    tags = [OUTSIDE] * length
    for first, end, kind in sorted(chunks):
        single, begin, inside, last = _LETTERS[scheme]
        letters = single if end - first == 1 else begin + inside * (end - first - 2) + last
        if scheme == "IOB1" and first and tags[first - 1].partition("-")[2] == kind:
            letters = "B" + letters[1:]
        tags[first:end] = [f"{letter}-{kind}" for letter in letters]
    return tags


def read_tags(tags: Sequence[str], types: Sequence[str], scheme: Scheme) -> tuple[Chunk, ...]:
    """The entities of a tagging, as seqeval reads it in strict mode.

    Args:
        tags: One per word; their case does not matter.
        types: The types that may occur.
        scheme: Which the tags follow.

    Returns:
        The entities in their order.

    Raises:
        DataError: A tag is unknown, or stands where the scheme does not allow it.
    """
    known = {tag.casefold(): tag for tag in tag_names(types, scheme)}
    for number, tag in enumerate(tags, start=1):
        if not isinstance(tag, str) or tag.strip().casefold() not in known:
            hint = _looks_like(tags, types) or did_you_mean(str(tag), known.values())
            allowed = ", ".join(known.values())
            msg = f"tag {number}: unknown tag {shown(tag)} in scheme {scheme}; allowed: {allowed}.{hint}"
            raise UnknownLabelError(msg)
    spelled = [known[tag.strip().casefold()] for tag in tags]
    chunks = _strict_chunks(spelled, scheme)
    written = write_tags(chunks, len(tags), scheme)
    wrong = next((place for place, tag in enumerate(spelled) if tag != written[place]), None)
    if wrong is not None:
        msg = (
            f"tag {wrong + 1}: {spelled[wrong]!r} cannot stand there in scheme {scheme}{_neighbours(spelled, wrong)}. "
            f"{_advice(spelled, scheme)}"
        )
        raise DataError(msg)
    return chunks


def _looks_like(tags: Sequence[str], types: Sequence[str]) -> str:
    """Of which scheme tags are that another one does not know."""
    found = {str(tag).strip().casefold() for tag in tags}
    others = [
        scheme
        for scheme in SCHEMES
        if scheme != "IOB2" and found.issubset(tag.casefold() for tag in tag_names(types, scheme))
    ]
    return f" The tags look like {' or '.join(others)}: declare that scheme if the file follows it." if others else ""


def best_tags(logprobs: FloatArray, tags: Sequence[str]) -> list[str]:
    """The likeliest tagging that is valid in the scheme BIO (Viterbi, 1967).

    Args:
        logprobs: Of each tag for each word, [words, tags], finite.
        tags: Their names.

    Returns:
        One tag per word: among taggings in which ``I`` continues an entity of its type, the one with the highest sum.
    """
    import numpy as np

    follows = [[_may_follow(tag, before) for tag in tags] for before in tags]
    forbidden = np.where(follows, 0.0, -np.inf)  # [before, tag]
    best = logprobs[0] + np.where([_may_follow(tag, OUTSIDE) for tag in tags], 0.0, -np.inf)
    came_from = []
    for line in logprobs[1:]:
        paths = best[:, None] + forbidden
        came_from.append(paths.argmax(axis=0))
        best = paths.max(axis=0) + line
    path = [int(best.argmax())]
    for origin in reversed(came_from):
        path.append(int(origin[path[-1]]))
    return [tags[place] for place in reversed(path)]


def _may_follow(tag: str, before: str) -> bool:
    letter, _, kind = tag.partition("-")
    return letter != "I" or (before != OUTSIDE and before.partition("-")[2] == kind)


def _strict_chunks(tags: Sequence[str], scheme: Scheme) -> tuple[Chunk, ...]:
    from seqeval import scheme as seqeval  # type: ignore[import-untyped]  # seqeval has no types

    named = "IOB2" if scheme == "BIO" else scheme
    found = seqeval.Tokens(list(tags), getattr(seqeval, named)).entities
    return tuple(Chunk(entity.start, entity.end, entity.tag) for entity in found)


def _neighbours(tags: Sequence[str], place: int) -> str:
    before = f"after {tags[place - 1]!r}" if place else "at the beginning"
    after = f"before {tags[place + 1]!r}" if place + 1 < len(tags) else "at the end"
    return f" ({before}, {after})"


def _advice(tags: Sequence[str], scheme: Scheme) -> str:
    """What to do about a tagging that its scheme does not allow."""
    types = list(dict.fromkeys(tag[2:] for tag in tags if tag != OUTSIDE))
    others = [
        other
        for other in SCHEMES
        if _LETTERS[other] != _LETTERS[scheme] and other != "IOB2" and _is_valid(tags, types, other)
    ]
    if others:
        return f"The row is valid in {' and '.join(others)}: declare that scheme if the file follows it"
    return "Correct the tag, or declare the scheme that the file follows"


def _is_valid(tags: Sequence[str], types: Sequence[str], scheme: Scheme) -> bool:
    if not set(tags) <= set(tag_names(types, scheme)):
        return False
    return write_tags(_strict_chunks(tags, scheme), len(tags), scheme) == list(tags)
