"""Read a number from text as people write it: signs, currencies, thousands, percent, millions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

SCALES = {
    "hundred": 1e2, "thousand": 1e3, "k": 1e3, "million": 1e6, "millions": 1e6, "mn": 1e6, "mio": 1e6, "m": 1e6,
    "billion": 1e9, "billions": 1e9, "bn": 1e9, "b": 1e9, "trillion": 1e12, "tn": 1e12,
}  # fmt: skip
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"""
    (?P<open>\()?\s*
    (?P<sign>(?<![\w.)])[-+\u2212]|\bminus\s)?\s*
    (?:(?:[$\u20ac\u00a3\u00a5]|[A-Z]{{3}}\s)\s*(?P<inner>[-\u2212])?\s*)?
    (?P<digits>(?<![\w.,])(?:{_DIGITS})|(?<=[$\u20ac\u00a3\u00a5])(?:{_DIGITS}))
    (?P<exponent>e[-+]?\d+)?
    (?![\d,.]*\d)
    (?:\s*(?P<scale>(?:{"|".join(sorted(SCALES, key=len, reverse=True))})\b)|(?![a-z_]))
    \s*(?P<percent>%|percent\b|per\s+cent\b|pct\b)?
    \s*(?P<close>\))?
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Tolerance:
    """When two numbers count as the same.

    Attributes:
        relative: Largest difference as a share of the reference.
        absolute: Largest difference in any case.
        percent: Whether a share written as a fraction equals the same share in percent: 0.12 and 12.
    """

    relative: float = 0.005
    absolute: float = 1e-9
    percent: bool = True

    def accepts(self, value: float, reference: float) -> bool:
        """Whether a value is as good as the reference."""
        readings = (value, value * 100, value / 100) if self.percent else (value,)
        return any(
            math.isclose(reading, reference, rel_tol=0.0, abs_tol=max(self.absolute, self.relative * abs(reference)))
            for reading in readings
        )


def numbers_in(text: str, *, unit: float = 1.0) -> list[float]:
    """All numbers of a text, in order; shares in percent as fractions, accounting's parentheses as a minus.

    A comma parts thousands, and nothing else: ``"1,5"`` holds no number that can be told for sure, and gives none.

    Args:
        text: Any text.
        unit: What figures are stated in, such as 1e6 for millions: there "12.5 million" is 12.5, as the bare "12.5" is,
            and "1.2 billion" is 1,200.  A word for less than the unit multiplies as ever.
    """
    return [_value(match, unit) for match in _NUMBER.finditer(text)]


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
    scale = SCALES[part["scale"].lower()] if part["scale"] else 1.0
    value = float(part["digits"].replace(",", "") + (part["exponent"] or ""))
    value *= scale / unit if scale >= unit else scale
    value /= 100.0 if part["percent"] else 1.0
    negative = (part["sign"] or "+").strip() in {"-", "\u2212", "minus"} or part["inner"]
    return -value if negative or (part["open"] and part["close"]) else value
