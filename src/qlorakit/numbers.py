"""Read a number from text as people write it: signs, currencies, thousands, percent, millions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

SCALES = {
    "hundred": 1e2, "hundreds": 1e2, "thousand": 1e3, "thousands": 1e3, "k": 1e3, "million": 1e6, "millions": 1e6,
    "mn": 1e6, "mio": 1e6, "m": 1e6, "billion": 1e9, "billions": 1e9, "bn": 1e9, "b": 1e9, "trillion": 1e12,
    "trillions": 1e12, "tn": 1e12,
}  # fmt: skip
CELL_BORDERS = "|\t\n:="
_MINUS = "-\u2212\u2012\u2013"  # hyphen, minus sign, figure dash, en dash
_SYMBOLS = "$\u20ac\u00a3\u00a5"
# Taken as a whole: a part of it is followed by a digit, and is no number.
_DIGITS = r"(?>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)"
_ODD_CASES = str.maketrans("\u0130\u0131\u017f\u212a", "iisk")  # which match i, s and k where case does not matter
_SCALE = rf"(?:{'|'.join(sorted(SCALES, key=len, reverse=True))})\b"
_SCALE_WORDS = rf"{_SCALE}(?:\s+(?:hundred|thousand|million|billion|trillion)s?\b)*"
_PARTS = r"%|per\s?cent\b|pct\b|percentage\s+points?\b|basis\s+points?\b|(?-i:bps?\b)"
# White space belongs to what it follows, so that long stretches of it are read once.
_NUMBER = re.compile(
    rf"""
    (?:(?P<open>\()\s*)?
    (?:(?P<sign>(?<![\w.)%{_SYMBOLS}])(?:[{_MINUS}](?!\s)|-(?<![\d%)]\s-)|\A[{_MINUS}])
        |(?<![\w-])(?:minus|negative)\b)\s*)?
    (?:(?:(?P<symbol>[{_SYMBOLS}])|(?-i:[A-Z]{{3}})\s)\s*(?:(?P<inner>[{_MINUS}])\s*)?(?:(?P<after>\()\s*)?)?
    (?P<digits>(?<![\w.,])(?:{_DIGITS})|(?<=[{_SYMBOLS}])(?:{_DIGITS}))
    (?P<exponent>e[-+]?\d+)?
    (?![\d,.]*\d)
    (?:\s*(?P<scale>{_SCALE_WORDS})|\s*\(\s*(?P<aside>{_SCALE_WORDS})\s*\)|(?![a-z_]))
    (?:\s*(?P<part>{_PARTS}))?
    (?:\s*(?P<close>\))(?:\s*(?P<outer_scale>{_SCALE_WORDS}))?(?:\s*(?P<outer_part>{_PARTS}))?)?
    (?:\s*\(\s*(?P=digits)\s*(?(part)(?:%\s*)?)\)(?(part)%?))?  # the same once more, as tables of filings have it
    """,
    re.VERBOSE | re.IGNORECASE,
)
_REST_OF_CELL = re.compile(rf"[^\w{CELL_BORDERS}]*(?:\Z|[{CELL_BORDERS}])")


@dataclass(frozen=True)
class Tolerance:
    """When two numbers count as the same.

    Attributes:
        relative: Largest difference as a share of the reference.
        absolute: Largest difference in any case.
        percent: Whether a share written as a fraction equals the same share in percent: 0.12 and 12.  A share is at
            most 1 in size here: 2.5 and 250 differ, of which only one is an amount, and "250%" is read as 2.5 anyway.
            What a number stands for cannot be seen from it, so that an amount up to 1 may be wrong by 100 times.
    """

    relative: float = 0.005
    absolute: float = 1e-9
    percent: bool = True

    def accepts(self, value: float, reference: float) -> bool:
        """Whether a value is as good as the reference."""
        readings = [value]
        if self.percent and abs(reference) <= 1:
            readings.append(value / 100)
        if self.percent and abs(value) <= 1:
            readings.append(value * 100)
        return any(
            math.isclose(reading, reference, rel_tol=0.0, abs_tol=max(self.absolute, self.relative * abs(reference)))
            for reading in readings
        )


def numbers_in(text: str, *, unit: float = 1.0) -> list[float]:
    """All numbers of a text, in order; shares in percent and basis points as fractions.

    Several scale words multiply: "3 hundred thousand" is 300,000.  A hyphen, dash or minus sign makes a minus where a
    number begins, and not between two: "5-7" are two numbers, as "5 - 7" are.

    Accounting's parentheses make a minus where the number has its text or table cell to itself, as ``"(5)%"`` and
    ``"| (1,234) |"`` have, or where a currency sign stands before them, ``"$(3.2)"``.  Within a sentence they are an
    aside: ``"a fifth (20%)"`` is 20 %.  A cell ends at a vertical bar, tab, line break, colon or equals sign.

    A comma parts thousands, and nothing else: ``"1,5"`` holds no number that can be told for sure, and gives none, as
    one that is too large to compute with.  An unknown unit is passed over: ``"5 kg"`` is 5.

    Args:
        text: Any text.
        unit: What figures are stated in, such as 1e6 for millions: there "12.5 million" is 12.5, as the bare "12.5" is,
            "1.2 billion" is 1,200, and "12,500 thousand" is 12.5.
    """
    return [value for match in _NUMBER.finditer(text) if math.isfinite(value := _value(match, unit))]


def read_number(text: str, *, unit: float = 1.0) -> float | None:
    """The one number of a text; ``None`` where there is none, or several that differ.

    Args:
        text: Any text.
        unit: As for :func:`numbers_in`.
    """
    found = set(numbers_in(text, unit=unit))
    return found.pop() if len(found) == 1 else None


def _value(match: re.Match[str], unit: float) -> float:
    part = match.groupdict()
    bracketed = bool((part["open"] or part["after"]) and part["close"])
    value = float(part["digits"].replace(",", "") + (part["exponent"] or ""))
    scale = part["scale"] or part["aside"] or (part["outer_scale"] if bracketed else None)
    if scale:
        value *= math.prod(SCALES[word] for word in scale.translate(_ODD_CASES).lower().split()) / unit
    value *= _part_of_one(part["part"] or (part["outer_part"] if bracketed else None))
    negative = part["sign"] or part["inner"]
    if bracketed and not negative:
        negative = bool(part["after"] and part["symbol"]) or _stands_alone(match)
    return -value if negative else value


def _part_of_one(name: str | None) -> float:
    if name is None:
        return 1.0
    return 1e-4 if name.lower().startswith("b") else 1e-2


def _stands_alone(match: re.Match[str]) -> bool:
    """Whether nothing else is written in the text, or in the table cell."""
    begin = max(match.string.rfind(border, 0, match.start()) for border in CELL_BORDERS) + 1
    before = match.string[begin : match.start()]
    return not re.search(r"\w", before) and bool(_REST_OF_CELL.match(match.string, match.end()))
