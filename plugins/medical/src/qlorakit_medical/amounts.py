"""Amounts of drugs: numbers in digits, fractions and words, with units that are brought to one another."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qlorakit_medical.findings import Mention

UNITS: Mapping[str, tuple[str, float]] = {
    **dict.fromkeys(("mg", "mgs", "milligram", "milligrams"), ("mg", 1.0)),
    **dict.fromkeys(("g", "gm", "gms", "gram", "grams"), ("mg", 1e3)),
    **dict.fromkeys(("mcg", "mcgs", "\u00b5g", "\u03bcg", "ug", "microgram", "micrograms"), ("mg", 1e-3)),
    **dict.fromkeys(("ng", "nanogram", "nanograms"), ("mg", 1e-6)),
    **dict.fromkeys(("ml", "mls", "cc", "milliliter", "milliliters", "millilitre", "millilitres"), ("mL", 1.0)),
    **dict.fromkeys(("teaspoon", "teaspoons", "tsp", "teaspoonful", "teaspoonfuls"), ("mL", 5.0)),
    **dict.fromkeys(("tablespoon", "tablespoons", "tbsp"), ("mL", 15.0)),
    **dict.fromkeys(("unit", "units", "u", "iu", "international unit", "international units"), ("units", 1.0)),
    **dict.fromkeys(("meq", "meqs", "milliequivalent", "milliequivalents"), ("mEq", 1.0)),
    **dict.fromkeys(("mmol", "millimole", "millimoles"), ("mmol", 1.0)),
    **dict.fromkeys(("%", "percent"), ("%", 1.0)),
    **dict.fromkeys(("puff", "puffs", "inhalation", "inhalations", "spray", "sprays"), ("puffs", 1.0)),
    **dict.fromkeys(("drop", "drops", "gtt", "gtts"), ("drops", 1.0)),
    **dict.fromkeys(("patch", "patches"), ("patches", 1.0)),
    **dict.fromkeys(("packet", "packets", "sachet", "sachets"), ("packets", 1.0)),
    **dict.fromkeys(("tablet", "tablets", "tab", "tabs", "caplet", "caplets"), ("tablets", 1.0)),
    **dict.fromkeys(("capsule", "capsules", "cap", "caps", "pill", "pills"), ("tablets", 1.0)),
}
PLAIN_UNITS = frozenset({"mg", "units", "mEq", "puffs", "drops", "tablets"})  # doses even where no drug is named
ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
PARTS = {"half": 0.5, "quarter": 0.25, "\u00bd": 0.5, "\u00bc": 0.25, "\u00be": 0.75}
NUMBER_WORDS: Mapping[str, float] = {
    **{word: float(value) for value, word in enumerate(ONES)},
    **{word: 20.0 + 10 * place for place, word in enumerate(TENS)},
    **PARTS,
}
SCALES = {"hundred": 100.0, "thousand": 1e3, "million": 1e6}
SAME = 1e-6  # share by which equal amounts may differ, as 0.1 and 100 / 1000 do


def _any_of(words: Sequence[str]) -> str:
    """A pattern for each of some words, the longest first."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


WRITTEN = rf"(?:{_any_of((*ONES, *TENS, 'half', 'quarter', *SCALES))})"
IN_WORDS = rf"(?:an?\s+)?{WRITTEN}(?:[\s-]+(?:and\s+)?(?:an?\s+)?{WRITTEN})*"
DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
SIGN = r"[\u00bd\u00bc\u00be]"
NUMBER = rf"""(?:
    (?:\d+\s+)?1/[234] | 3/4
    | {DIGITS}(?:\s?{SIGN} | \s+(?:and\s+a\s+half|million|thousand))?
    | {SIGN}
    | {IN_WORDS}
)"""
RATE = r"""(?:\s?/\s?|\s+per\s+)
    (?:\d+(?:\.\d+)?\s?)?
    (?:mL|kg|hour|hr|h|day|d|minute|min|dose|tablet|tab|puff|actuation|m2|week)\b"""
AMOUNT = re.compile(
    rf"""(?<![\w.])(?P<first>{NUMBER})
    (?:(?:\s?[-\u2013/]\s?|\s+(?:to|or)\s+)(?P<second>{NUMBER}))?
    [\s-]{{0,2}}(?:(?:of\s+)?an?\s+)?
    (?P<unit>{_any_of([*UNITS])})(?![\w%])
    (?P<rate>(?:{RATE})*)""",
    re.IGNORECASE | re.VERBOSE,
)
ONE_RATE = re.compile(r"(?:/|per)\s*(?P<amount>[\d.]+)?\s?(?P<per>[a-z]+2?)", re.IGNORECASE)
RATE_NAMES = {"hr": "h", "hour": "h", "minute": "min", "ml": "mL"}
NO_RATES = frozenset({"dose", "tablet", "tab", "puff", "actuation", "day", "d", "week"})  # strengths and frequencies
TIMES_STRENGTH = re.compile(
    rf"""(?<![\w.])(?P<count>{NUMBER})\s+
    (?=(?:x\s)?{DIGITS}[\s-]?(?:mg|g|mcg)[\s-]+(?:tablet|tab|capsule|cap|pill)s?\b)""",
    re.IGNORECASE | re.VERBOSE,
)
A_TABLET = re.compile(r"(?<!\w)(?:an?|each)\s+(?P<unit>tablet|capsule|pill|puff)(?!\w)", re.IGNORECASE)
FROM = re.compile(r"\bfrom\s+$", re.IGNORECASE)
LABORATORY = re.compile(r"\s*(?:/|per)\s*(?:d?L\b|deciliter|liter|litre|mmol)|\s*Hg\b", re.IGNORECASE)
MEASURED = re.compile(
    r"""\b(?:weigh\w*|glucose|sugars?|creatinine|ha?emoglobin|hgb|levels?|blood\s+loss|ebl|output|urine|voided|drained
    |saturation\w*|sats?|spo2|o2|a1c|hba1c|ejection\s+fraction|ef|lvef|hematocrit|hct|bun|cholesterol|ldl|hdl|tsh|psa|bnp
    |triglycerides|troponin|residual|effluent|specimen|measured|measuring)\b[^.;,\d]{0,25}$""",
    re.IGNORECASE | re.VERBOSE,
)
MEASURED_REACH = 50  # characters before an amount in which it is said what was measured


@dataclass(frozen=True)
class Amount:
    """A dose or a strength.

    Attributes:
        mention: The amount with its unit.
        unit: To which it was converted, such as "mg" or "mg/mL".
        values: How much; two for a range, and for a product of two drugs.
    """

    mention: Mention
    unit: str
    values: tuple[float, ...]

    def is_same(self, other: "Amount") -> bool:
        """Whether it is as much of the same."""
        return self.unit == other.unit and are_close(self.values, other.values)


def are_close(some: Sequence[float], others: Sequence[float]) -> bool:
    """Whether numbers are the same up to rounding."""
    return len(some) == len(others) and all(
        abs(one - other) <= SAME * max(abs(one), abs(other)) for one, other in zip(some, others, strict=True)
    )


def read_number(text: str) -> float:
    """The number that digits, a fraction or words write: "1,000", ".5", "1/2", "two and a half", "five hundred".

    Raises:
        ValueError: It is no number.
    """
    total, current = 0.0, 0.0
    words = re.findall(
        rf"\d+/\d+|[\d.,]*\d|{SIGN}|[a-z]+", re.sub(r"(?i)\bone[\s-]+(?=half|quarter)", "", text.casefold())
    )
    if not words:
        msg = f"{text!r} is no number"
        raise ValueError(msg)
    for word in words:
        if word in SCALES:
            total, current = total + (current or 1.0) * SCALES[word], 0.0
        elif word not in {"and", "a", "an"}:
            current += _one_number(word)
    return total + current


def _one_number(word: str) -> float:
    if word in NUMBER_WORDS:
        return NUMBER_WORDS[word]
    numerator, slash, denominator = word.replace(",", "").partition("/")
    return float(numerator) / float(denominator) if slash else float(numerator)


def find_amounts(text: str) -> list[Amount]:
    """Every amount in a text that may be a dose; laboratory values and other measurements are left out."""
    found = [
        amount for match in AMOUNT.finditer(text) if not _is_measured(text, match) for amount in _read(text, match)
    ]
    found += [
        Amount(Mention(match["count"], match.start(), match.end("count")), "tablets", (read_number(match["count"]),))
        for match in TIMES_STRENGTH.finditer(text)
    ]
    known = {place for amount in found for place in range(amount.mention.start, amount.mention.end)}
    for match in A_TABLET.finditer(text):
        if known.isdisjoint(range(match.start(), match.end())):
            unit, factor = UNITS[match["unit"].casefold()]
            found.append(Amount(Mention(match.group(), match.start(), match.end()), unit, (factor,)))
    return sorted(found, key=lambda amount: amount.mention.start)


def _is_measured(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - MEASURED_REACH) : match.start()]
    return LABORATORY.match(text, match.end()) is not None or MEASURED.search(before) is not None


def _read(text: str, match: re.Match[str]) -> Iterator[Amount]:
    """The amount of a match; two where it goes "from 10 to 20 mg"."""
    unit, factor = UNITS[" ".join(match["unit"].casefold().split())]
    per, divisor = _rate(match["rate"])
    numbers = [match[group] for group in ("first", "second") if match[group]]
    values = tuple(read_number(number) * factor / divisor for number in numbers)
    end = match.end() if per else match.end("unit")
    mention = Mention(text[match.start() : end], match.start(), end)
    if FROM.search(text[max(0, match.start() - MEASURED_REACH) : match.start()]):
        yield from (Amount(mention, f"{unit}{per}", (value,)) for value in values)
    else:
        yield Amount(mention, f"{unit}{per}", values)


def _rate(written: str) -> tuple[str, float]:
    """What an amount is per, and by how much it must be divided: "mg/5 mL" is per mL, of a fifth."""
    rate, divisor = "", 1.0
    for match in ONE_RATE.finditer(written):
        per = match["per"].casefold()
        if per not in NO_RATES:
            rate += f"/{RATE_NAMES.get(per, per)}"
            divisor *= float(match["amount"] or 1)
    return rate, divisor
