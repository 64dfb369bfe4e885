"""How time grows with the length of a text, for texts made of one piece over and over: nothing may explode."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fuzzing import texts
from qlorakit.documents import clean
from qlorakit.entities import align
from qlorakit.near_duplicates import normalise
from qlorakit.numbers import numbers_in
from qlorakit.plugins import installed
from qlorakit.privacy import find_personal_data
from qlorakit.quotes import QuoteFinder, quotes_in
from qlorakit.report_text import _escape
from qlorakit.sentences import sentences_of
from qlorakit.spans import split_words
from qlorakit.text_checks import special_tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCREENED = 2_000  # characters of the texts of which the slowest are looked at further
LENGTHS = (8_000, 16_000, 32_000)
SLOWEST = 6  # pieces that are looked at further
SHORT = 0.02  # seconds: below, doublings are noise
ANSWERED = 200  # characters of a line that a model writes
LONGEST = 40  # characters of a piece
STEEP = 3.0  # a doubling of the text may take less than so many times as long: 2 is linear, 4 quadratic
ALWAYS = ("a", " ", "\n", "\t", "1", "A", ".", ",", "-", "(", "[", '"', "'", "<", "/", ":", "\u00e9", "\u4e2d")


@dataclass(frozen=True)
class Growth:
    """How the slowest text of a parser behaves.

    Attributes:
        parser: Its name.
        pieces: How many were repeated.
        piece: The one of the steepest text.
        seconds: By the length of the text.
        factor: By which the last doubling multiplies the time; NaN where it is too short to tell.
    """

    parser: str
    pieces: int
    piece: str
    seconds: dict[int, float]
    factor: float

    @property
    def is_steep(self) -> bool:
        """Whether time grows much faster than the text."""
        return self.factor >= STEEP


def _aligned(text: str) -> None:
    lines = [line[:ANSWERED] for line in text.splitlines()[:10]]  # an answer is short, however long the text
    align("\n".join(f"{line} | person" for line in lines), split_words(text), texts.TYPES)


def _verified(text: str) -> None:
    finder = QuoteFinder(text)
    finder.verify(text[: len(text) // 2]), finder.find_parts(f"{text[:40]} ... {text[-40:]}")


def _critical_errors(text: str) -> None:
    from qlorakit_medical.critical_errors import find_critical_errors

    find_critical_errors(text, text[::-1])


def parsers() -> dict[str, tuple[Callable[[str], object], tuple[str, ...]]]:
    """What reads whole texts, with pieces that mean something to it."""
    medical = {
        "critical errors": (
            _critical_errors,
            ("10 mg", "mg", "aspirin ", "fever ", "no ", "denies ", "left ", "twice ", "b.i.d.", "/", "1/2"),
        )
    }
    return {
        "numbers": (numbers_in, texts.NUMBER_TOKENS),
        "entities in answers": (_aligned, texts.WORD_TOKENS),
        "words": (split_words, texts.WORD_TOKENS),
        "sentences": (sentences_of.__wrapped__, texts.SENTENCE_TOKENS),
        "quotes in answers": (quotes_in, texts.QUOTE_TOKENS),
        "quotes in sources": (_verified, texts.QUOTE_TOKENS),
        "personal data": (find_personal_data, texts.PERSONAL_TOKENS),
        "near-duplicates": (normalise, texts.SENTENCE_TOKENS),
        "control tokens": (special_tokens, texts.AUDIT_TOKENS),
        "pages and markdown": (lambda text: _escape(clean(text)), texts.AUDIT_TOKENS),
        **(medical if "medical/summary" in installed().tasks else {}),
    }


def growth_of(name: str) -> Growth:
    """Screen all pieces and pairs of pieces, and let the slowest texts grow."""
    parse, tokens = parsers()[name]
    pieces = list(_pieces(tokens))
    slowest = sorted(pieces, key=lambda piece: -_seconds(parse, piece, SCREENED))[:SLOWEST]
    measured = [(piece, {length: _seconds(parse, piece, length) for length in LENGTHS}) for piece in slowest]
    piece, seconds = max(
        measured, key=lambda one: (_factor(one[1]) if one[1][LENGTHS[-1]] >= SHORT else 0.0, one[1][LENGTHS[-1]])
    )
    factor = _factor(seconds) if seconds[LENGTHS[-1]] >= SHORT else math.nan
    return Growth(name, len(pieces), piece, seconds, factor)


def _pieces(tokens: tuple[str, ...]) -> Iterator[str]:
    known = [token for token in dict.fromkeys((*ALWAYS, *tokens)) if 0 < len(token) <= LONGEST]  # a piece
    yield from known
    yield from ("".join(pair) for pair in itertools.permutations(known, 2))


def _factor(seconds: dict[int, float]) -> float:
    return seconds[LENGTHS[-1]] / max(seconds[LENGTHS[-2]], 1e-9)


def _seconds(parse: Callable[[str], object], piece: str, length: int) -> float:
    """Processor time; the best of two, because other work on the machine only adds to it."""
    times = 2 if length > SCREENED else 1
    repeated = [
        (piece * (length // len(piece) + 1))[: length - number] for number in range(times)
    ]  # some are remembered
    return min(_once(parse, text) for text in repeated)


def _once(parse: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    parse(text)
    return time.process_time() - start
