"""How often a drug is taken: every way of writing it, as times a day."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from qlorakit_medical.amounts import ONES, are_close, read_number
from qlorakit_medical.findings import Mention

PERIODS: Mapping[str, float] = {
    "minute": 1440.0, "min": 1440.0, "hour": 24.0, "hr": 24.0, "h": 24.0, "hourly": 24.0,
    "day": 1.0, "d": 1.0, "daily": 1.0, "morning": 1.0, "noon": 1.0, "afternoon": 1.0, "evening": 1.0, "night": 1.0,
    "nightly": 1.0, "bedtime": 1.0, "am": 1.0, "pm": 1.0, "hs": 1.0, "other day": 0.5,
    "week": 1 / 7, "wk": 1 / 7, "w": 1 / 7, "weekly": 1 / 7, "other week": 1 / 14, "fortnightly": 1 / 14,
    "month": 1 / 30, "monthly": 1 / 30,
}  # fmt: skip
ABBREVIATIONS = {"qod": 0.5, "bid": 2.0, "tid": 3.0, "qid": 4.0, "qd": 1.0, "qh": 24.0, "hs": 1.0, "qhs": 1.0}
ONCE, AS_NEEDED = -1.0, -2.0  # no times per day
FIXED = {"both": 2.0, "alternate": 0.5, "at": 1.0, "once": ONCE, "needed": AS_NEEDED}  # by group of the pattern
KNOWN_TIMES = {"once": 1.0, "twice": 2.0, "thrice": 3.0}
COUNT = rf"(?:\d+|{'|'.join(sorted(ONES[1:13], key=len, reverse=True))})"
FREQUENCY = re.compile(
    rf"""(?:/\s?(?P<slash>day|d|week) | (?<!\w)(?:
    (?P<both>(?:every\s+|in\s+the\s+)?morning\s+and\s+(?:every\s+|at\s+|in\s+the\s+)?(?:evening|night|bedtime))
    | (?P<times>once|twice|thrice|{COUNT}\s?(?:x|times?))(?:\s+|-)?(?:/|an?\s|per\s|each\s|every\s)?\s?
        (?P<each>daily|day|week(?:ly)?|month(?:ly)?|hour(?:ly)?|night(?:ly)?|d(?=\W|$))
    | (?:every|each)\s+(?P<every>{COUNT})?(?:\s?(?:[-\u2013]|to|or)\s?(?P<upto>{COUNT}))?[\s-]?
        (?P<what>other\s+day|other\s+week|hours?|hrs?|h|days?|weeks?|wks?|months?|min(?:ute)?s?
        |morning|evening|afternoon|night|bedtime)
    | q\.?\s?(?P<q>\d+)(?:\s?[-\u2013]\s?(?P<qto>\d+))?\s?\.?
        (?P<qwhat>hours?|hrs?|h|days?|d|weeks?|wks?|w|min|months?)
    | q\.?\s?(?P<qp>daily|day|weekly|week|month|hour|nightly|night|a\.?m|p\.?m|h\.?s|bedtime|noon|morning|evening)
    | (?P<abbreviation>q\.?o\.?d|b\.?i\.?d|t\.?i\.?d|q\.?i\.?d|q\.?d|q\.?h|h\.?s)
    | (?P<alternate>(?:on\s+)?alternate\s+days)
    | (?P<adverb>daily|nightly|weekly|monthly|hourly|fortnightly)(?!\s+(?:living|activit|life|basis|routine|weight))
    | (?P<at>at\s+bedtime|at\s+night|before\s+bed(?:time)?|(?:in\s+the|each)\s+(?:morning|evening)|at\s+noon)
    | (?:per|a)\s(?P<per>day|week|month|night|hour)
    | (?P<once>one\s+time\s+only|one-time|single\s+dose|x\s?1(?=\W|$)(?!\s+(?:day|week|month)))
    | (?P<needed>p\.?r\.?n|as\s+needed|as\s+required|when\s+needed|if\s+needed)
    ))\.?(?!\w)""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True)
class Frequency:
    """How often.

    Attributes:
        mention: The phrase.
        per_day: Times a day; two for a range, such as every 4 to 6 hours; :data:`ONCE` or :data:`AS_NEEDED`.
    """

    mention: Mention
    per_day: tuple[float, ...]

    def is_same(self, other: "Frequency") -> bool:
        """Whether it is as often."""
        return are_close(self.per_day, other.per_day)


def find_frequencies(text: str) -> list[Frequency]:
    """Every phrase in a text that says how often."""
    return [Frequency(_mention(match), _per_day(match)) for match in FREQUENCY.finditer(text)]


def _mention(match: re.Match[str]) -> Mention:
    """The phrase without the full stop of its sentence, which "b.i.d." keeps as its own."""
    written = match.group()
    own = written.removesuffix(".") if "." not in written[:-1] else written
    return Mention(own, match.start(), match.start() + len(own))


def _per_day(match: re.Match[str]) -> tuple[float, ...]:
    if match["times"]:
        return (_times(match["times"]) * _period(match["each"]),)
    if match["what"]:
        return _intervals(match["every"], match["upto"], match["what"])
    if match["q"]:
        return _intervals(match["q"], match["qto"], match["qwhat"])
    if match["abbreviation"]:
        return (ABBREVIATIONS[match["abbreviation"].replace(".", "").casefold()],)
    fixed = next((value for group, value in FIXED.items() if match[group]), None)
    if fixed is not None:
        return (fixed,)
    period = next(match[group] for group in ("qp", "per", "slash", "adverb") if match[group])
    return (_period(period.replace(".", "")),)


def _times(written: str) -> float:
    known = KNOWN_TIMES.get(written.casefold())
    return known or read_number(re.sub(r"(?i)\s?(?:x|times?)$", "", written))


def _intervals(every: str | None, up_to: str | None, what: str) -> tuple[float, ...]:
    """Times a day where it is every so many hours, days or weeks; 0 hours, which nobody means, are 1."""
    return tuple(_period(what) / (read_number(number) or 1.0) for number in (every or "1", up_to) if number)


def _period(written: str) -> float:
    name = " ".join(written.casefold().split())
    return PERIODS[name] if name in PERIODS else PERIODS[name.removesuffix("s")]
