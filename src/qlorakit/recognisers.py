"""What finds personal data in a text, and the recognisers that need no package."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from qlorakit.errors import ConfigurationError

Span = tuple[int, int]
Find = Callable[[str], Iterable[Span]]

# How sure a recogniser is: a checksum holds, the form or a label tells, or only words nearby do.
CHECKED, SHAPED, LABELLED, LIKELY = 1.0, 0.95, 0.9, 0.8
BEFORE, AFTER = 48, 16  # characters around a match in which a context word counts
KIND = re.compile(r"[a-z][a-z0-9_]*")
DIGIT = re.compile(r"\d")


@dataclass(frozen=True)
class Recogniser:
    """Finds one kind of personal data.

    A plugin or script can bring its own; most are a pattern, for which there is :meth:`matching`::

        Recogniser.matching("badge", "HB-[0-9]{6}", context="badge|staff")

    Attributes:
        kind: Lower-case letters, digits and underscores, such as ``"staff_number"``; its placeholder is
            ``[STAFF_NUMBER_1]``.
        find: Start and exclusive end, in characters, of each place in a text.
        score: How sure it is, above 0 and up to 1.  Where two finds overlap the surer one stays, then the longer one.
        countries: Where such data are issued (``"US"``, ``"UK"``, ``"IN"`` or an EU member's ISO code); empty for
            anywhere.
    """

    kind: str
    find: Find
    score: float = SHAPED
    countries: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not KIND.fullmatch(self.kind):
            msg = f"kind={self.kind!r}: must be lower-case letters, digits and underscores, such as 'staff_number'"
            raise ConfigurationError(msg)
        if not 0 < self.score <= 1:
            msg = f"score={self.score!r}: must be above 0 and at most 1"
            raise ConfigurationError(msg)

    @classmethod
    def matching(
        cls,
        kind: str,
        pattern: str,
        *,
        valid: Callable[[str], bool] | None = None,
        context: str = "",
        score: float = SHAPED,
        countries: tuple[str, ...] = (),
        ignore_case: bool = False,
        only_if: str = "",
    ) -> Recogniser:
        """A recogniser of a regular expression.

        Args:
            kind: Of what it finds.
            pattern: Its group named ``value``, or else the whole match, is the find.
            valid: Says of the text found whether it can be one, by a checksum for example.
            context: Regular expression of words, of which one must stand shortly before or after, in any case.
            score: How sure it is.
            countries: Where such data are issued.
            ignore_case: Whether the pattern holds in any case.
            only_if: Regular expression of what a text must hold to be searched at all, where that is faster.

        Raises:
            ConfigurationError: The kind or score cannot be used, or an expression is none.
        """
        try:
            compiled = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
            words, form = compile_context(context), re.compile(only_if)
        except re.error as error:
            msg = f"recogniser {kind!r}: {error.pattern!r} is not a regular expression: {error}"
            raise ConfigurationError(msg) from error
        group = "value" if "value" in compiled.groupindex else 0
        find = functools.partial(_matches, compiled, group, valid, words, form)
        return cls(kind, find, score, countries)


def compile_context(words: str) -> re.Pattern[str] | None:
    """An expression that finds whole words in any case; none where there are no words."""
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) if words else None


def in_context(text: str, start: int, end: int, words: re.Pattern[str]) -> bool:
    """Whether one of the words stands shortly before or after a place in a text."""
    return bool(words.search(text, max(0, start - BEFORE), start) or words.search(text, end, end + AFTER))


def _matches(
    pattern: re.Pattern[str],
    group: str | int,
    valid: Callable[[str], bool] | None,
    context: re.Pattern[str] | None,
    form: re.Pattern[str],
    text: str,
) -> Iterator[Span]:
    if not form.search(text) or (context and not context.search(text)):
        return
    for match in pattern.finditer(text):
        start, end = match.span(group)
        if valid and not valid(text[start:end]):
            continue
        if context is None or in_context(text, start, end, context):
            yield start, end


# Checksums


def digits_of(text: str) -> str:
    """The digits of a text, without what stands between them."""
    return "".join(DIGIT.findall(text))


def luhn(text: str) -> bool:
    """Whether the digits of a text pass Luhn's checksum (ISO/IEC 7812-1, annex B)."""
    digits = [int(digit) for digit in reversed(digits_of(text))]
    return bool(digits) and sum(digits[::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


# The dihedral group of ten elements: 0 to 4 are rotations, 5 to 9 are reflections.
def _dihedral(first: int, second: int) -> int:
    turned = (first + second if first < 5 else first - second) % 5  # noqa: PLR2004  # half of the ten
    return turned + 5 * ((first >= 5) != (second >= 5))  # noqa: PLR2004


_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def verhoeff(text: str) -> bool:
    """Whether the digits of a text pass Verhoeff's checksum (Verhoeff, 1969)."""
    total = 0
    for place, digit in enumerate(reversed(digits_of(text))):
        value = int(digit)
        for _ in range(place % 8):
            value = _PERMUTATION[value]
        total = _dihedral(total, value)
    return total == 0


def mod_97(text: str) -> bool:
    """Whether an IBAN has its country's length and passes its checksum (ISO 13616, ISO/IEC 7064)."""
    iban = "".join(char for char in text.upper() if char.isalnum())
    if not iban.isascii() or IBAN_LENGTHS.get(iban[:2]) != len(iban):
        return False
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97 == 1


# Characters of an IBAN by country (SWIFT, IBAN registry).
LENGTHS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 ES24 FI18 FO18 FR27 "
    "GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IS26 IT27 JO30 KW30 KZ20 LB28 LI21 LT20 LU20 LV21 MC27 MD24 "
    "ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SE24 SI19 SK24 SM27 TN24 TR26 UA29 "
    "VG24 XK20"
)
IBAN_LENGTHS = {code[:2]: int(code[2:]) for code in LENGTHS.split()}
IBAN_START = re.compile(r"(?<![^\W_])[A-Za-z]{2}\d\d(?=[ \u00a0-]?[A-Za-z0-9]{4})")


def _ibans(text: str) -> Iterator[Span]:
    # As many characters as the country's have, whatever word follows.
    for match in IBAN_START.finditer(text):
        length = IBAN_LENGTHS.get(match.group()[:2].upper(), 0)
        body = re.compile(rf"[A-Za-z0-9](?:[ \u00a0-]?[A-Za-z0-9]){{{max(length - 1, 1)}}}(?![^\W_])")
        whole = body.match(text, match.start())
        if whole and mod_97(whole.group()):
            yield whole.span()


CARD = (
    r"(?<![\w.,-])(?:\d{4}(?P<gap>[ -]?)\d{4}(?P=gap)\d{4}(?P=gap)\d{1,7}|3\d{3}[ -]?\d{6}[ -]?\d{4,5})(?![\w-]|[.,]\d)"
)
# First digits and lengths by network (ISO/IEC 7812).
CARD_NUMBER = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[0-2])\d{13}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}"
    r"|35\d{14}|6(?:011|4[4-9]\d|5\d\d|2\d\d|0\d\d)\d{12,15}|(?:50|5[6-8])\d{14}"
)


def _card(text: str) -> bool:
    digits = digits_of(text)
    return bool(CARD_NUMBER.fullmatch(digits)) and len(set(digits)) > 1 and luhn(digits)


def _aadhaar(text: str) -> bool:
    groups = re.findall(r"\d{4}", text)
    years = all(group[:2] in {"19", "20"} for group in groups)
    return not years and digits_of(text)[0] > "1" and verhoeff(text)


def _social_security(text: str) -> bool:
    # Never issued: area 000, 666 or from 900, group 00, serial 0000 (Social Security Administration).
    area, group, serial = digits_of(text)[:3], digits_of(text)[3:5], digits_of(text)[5:]
    return area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"


def _insee(text: str) -> bool:
    # The key is 97 less the rest of the number; Corsican departments count as 19 and 18 (INSEE).
    number = re.sub(r"\W", "", text).upper().replace("2A", "19").replace("2B", "18")
    return number.isdecimal() and 97 - int(number[:13]) % 97 == int(number[13:])


IP = r"(?<![\w.:-])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7})(?![\w:]|\.\d)"
IP_WORDS = "ip|ipv4|ipv6|address|addresses|host|hostname|server|subnet|gateway|dns|ping|login|log in|logged in"
COLONS = 3  # in what can be no time of day


def _ip(text: str) -> bool:
    try:
        return bool(ipaddress.ip_address(text)) and any(char.isalnum() for char in text)
    except ValueError:
        return False


def _ip_for_sure(text: str) -> bool:
    # Clauses are numbered 3.2.1.4 as well, but hardly up to 100.
    return _ip(text) and (text.count(":") >= COLONS or re.search(r"\d{3}", text.partition(":")[0]) is not None)


# Numbers behind a label

VALUE = (
    r"(?P<value>\d{2,4}(?: \d{2,4}){1,5}|[A-Za-z]{0,6}[-/]?\d[A-Za-z0-9]{0,20}(?:[-/][A-Za-z0-9]{1,12}){0,4})"
    r"(?![\w/%-]|[.,]\d)"
)
ASKS = (
    r"(?:'s)?\s{0,3}(?:\b(?:numbers?|nummer|numéro|no|nr|num|id|code)\b\.?|#|№)?\s{0,3}(?:\([A-Za-z]{1,6}\)\s{0,3})?"
    r"(?:[:#=-]|\b(?:is|was|ist|est)\b)?\s{0,3}#?\s{0,3}"
)
ACCOUNT = (
    r"(?<!\w)(?:accounts?|acct|a/c|acc|kontonr|kontonummer|konto|depotnummer|compte|customer account|"
    r"(?:savings|current|checking|loan|brokerage) account)\b\.?"
)
RECORD = (
    r"(?<!\w)(?:MRN|UHID|MR\s?#|(?:patient|hospital|chart|customer|client|member|subscriber|policy|policyholder|claim|"
    r"employee|staff|student|loan|\w+ record|record|health plan|insurance|admission|accession|case record|"
    r"kunden|patienten|versicherten|versicherungs|mitglieds|policen|personal|fall|mandanten)"
    r"[ -]?(?=id\b|no\b|nr\b|num|#|№|nummer)|kundennr|patientennr|"
    r"(?:numéro|n°|no) (?:de |d')?(?:client|dossier|patient|adhérent|contrat|police|assuré))"
)
NOT_YEARS = re.compile(r"(?:19|20)\d\d(?:[-/ ](?:19|20)?\d\d)?")


def _number(text: str) -> bool:
    return len(digits_of(text)) > 3 and not NOT_YEARS.fullmatch(text)  # noqa: PLR2004  # fewer tell nobody apart


# Dates, ages and addresses

MONTH = (
    r"(?:Jan(?:uary|uar|\.)?|Feb(?:ruary|ruar|\.)?|Mar(?:ch|\.)?|März|Apr(?:il|\.)?|May|Mai|June?|Juni|July?|Juli|"
    r"Aug(?:ust|\.)?|Sept?(?:ember|\.)?|O[ck]t(?:ober|\.)?|Nov(?:ember|\.)?|De[cz](?:ember|\.)?|"
    r"janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre|"
    r"JAN(?:UARY)?|FEB(?:RUARY)?|MAR(?:CH)?|APR(?:IL)?|MAY|JUNE?|JULY?|AUG(?:UST)?|SEPT?(?:EMBER)?|OCT(?:OBER)?|"
    r"NOV(?:EMBER)?|DEC(?:EMBER)?)"
)
DAY = r"(?:0?[1-9]|[12]\d|3[01])"
MONTH_NUMBER = r"(?:0?[1-9]|1[0-2])"
YEAR = r"(?:1[89]|20)\d\d"
NO_FIGURE = r"(?<![\w.,/$€£-])"
ORDINAL = r"(?:st|nd|rd|th)?"
DAY_AND_MONTH = rf"(?:{DAY}(?P<mark>[/-]){MONTH_NUMBER}|{MONTH_NUMBER}(?P<sign>[/-]){DAY})"
TIME = r"(?:T\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?Z?)?"
OF = r"(?:\s{1,3}(?:day\s{1,3})?(?:of\s{1,3})?|-)"
DATES = (
    rf"(?<![\w.,/-]){YEAR}[-/](?:0[1-9]|1[0-2])[-/](?:0[1-9]|[12]\d|3[01]){TIME}(?![\w/-])",
    rf"{NO_FIGURE}{DAY_AND_MONTH}(?:(?P=mark)|(?P=sign)){YEAR}(?![\w/-])",
    rf"{NO_FIGURE}(?:{DAY}/{MONTH_NUMBER}|{MONTH_NUMBER}/{DAY})/\d\d(?![\w/-]|[.,]\d)",
    rf"{NO_FIGURE}{DAY}\.\s?{MONTH_NUMBER}\.\s?{YEAR}(?![\w/-])",
    rf"{NO_FIGURE}{DAY}(?:st|nd|rd|th|er|\.)?{OF}{MONTH}(?:,?\s{{1,3}}|-){YEAR}(?!\w)",
    rf"{NO_FIGURE}{DAY}-{MONTH}-\d\d(?!\w)",
    rf"(?<!\w){MONTH}\s{{1,3}}{DAY}{ORDINAL}\s?,?\s{{1,3}}{YEAR}(?!\w)",
    rf"(?<!\w){MONTH}\s{{1,3}}{DAY}{ORDINAL}(?![\w%]|[.,:]\d|-(?!\w{{0,9}}-))",
    rf"{NO_FIGURE}{DAY}(?:st|nd|rd|th|\.)?\s{{1,3}}(?:of\s{{1,3}})?{MONTH}(?!\w)",
)
SHORT_DATE = rf"{NO_FIGURE}(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])\.\d\d(?![\w/-]|[.,]\d)"
DATE_WORDS = "am|vom|zum|seit|bis|datum|geb|geboren|date|dated|dob|born|le|du|né|née"
OVER_89 = r"(?P<value>9\d|1[01]\d|120)"
YEARS_OLD = (
    r"[ -]?(?:years?|yrs?|yr)[ -](?:old|of age)|[ -]?(?:y/?o|y\.o\.?)\b|[ -]jährige|\s{1,3}Jahre\s{1,3}alt|\s{1,3}ans\b"
)
AGES = (
    rf"(?<![\w.,/-]){OVER_89}(?={YEARS_OLD})",
    rf"(?<!\w)(?:[Aa]ged?|AGED?|Alter|[âÂ]gée? de)[: ]\s{{0,3}}{OVER_89}(?![\w%]|[.,/-]\d)",
)
CAPITAL = r"[A-ZÄÖÜÉ][\w'\u2019-]{0,40}"
GAP = r"[ \t\u00a0]{1,3}"
LINE_OR_GAP = r"\s{1,3}"
STREET = (
    r"(?:Street|Avenue|Road|Boulevard|Lane|Drive|Court|Place|Way|Terrace|Square|Parkway|Circle|Crescent|Close|Gardens|"
    r"Nagar|Marg|(?:St|Ave|Rd|Blvd|Ln|Dr|Ct|Pl|Pkwy)\b\.?)(?!\w)"
)
UNIT = rf"(?:,?{GAP}(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|#)\.?\s{{0,3}}#?\w{{1,5}})?"
UK_POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]?\s\d[ABD-HJLNP-UW-Z]{2}"
POSTCODE = rf"(?:[A-Z]{{2}}{GAP}\d{{5}}(?:-\d{{4}})?|{UK_POSTCODE}|[1-9]\d{{2}}\s?\d{{3}})\b"
PLACE = rf"(?:,?{LINE_OR_GAP}{CAPITAL}(?:{GAP}{CAPITAL}){{0,2}}(?:,?{GAP}{POSTCODE}|,\s{{0,3}}[A-Z]{{2}}\b))?"
GERMAN_STREET = (
    rf"(?:{CAPITAL}(?:straße|strasse|str\.|weg|platz|allee|gasse|ufer|damm)|"
    rf"{CAPITAL}\s(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Gasse|Ufer|Damm))"
)
FRENCH_STREET = (
    r"(?:rue|avenue|boulevard|place|chemin|allée|impasse|quai|route)"
    rf"(?:{GAP}(?:de|du|des|la|le|les|d'|l'|de l'|{CAPITAL})){{1,5}}(?<=\w)"
)
HOUSE = rf"(?:Flat\s\w{{1,4}},{GAP})?\d{{1,5}}[A-Za-z]?,?{GAP}(?:[NSEW]\.?{GAP}|(?:North|South|East|West){GAP})?"
TOWN = rf"(?:,?{LINE_OR_GAP}\d{{5}}{GAP}{CAPITAL}(?:\s(?:am|an der|im)\s{CAPITAL})?)?"
ADDRESSES = (
    rf"(?<![\w.,:$€£-]){HOUSE}(?:(?:{CAPITAL}|\d{{1,3}}(?:st|nd|rd|th)){GAP}){{1,3}}{STREET}{UNIT}{PLACE}",
    rf"(?<!\w){GERMAN_STREET}\s\d{{1,4}}\s?[a-z]?(?!\w){TOWN}",
    rf"(?<![\w.,-])\d{{1,4}}(?:\s?(?:bis|ter))?,?{GAP}{FRENCH_STREET}{TOWN}",
    rf"(?<!\w)P\.?\s?O\.?\sBox\s\d{{1,6}}{PLACE}",
    rf"(?<!\w){UK_POSTCODE}(?!\w)",
)

# Phones

PHONE = (
    r"(?<![\w.,/+$€£%:-])(?:\+|00)?\(?\d(?:[ \u00a0\u202f]?[().\u00a0/-]?[ \u00a0\u202f]?\d){5,16}(?![\w%]|[.,:/-]\d)"
)
PHONE_WORDS = (
    r"tel|telephone|phone|phones|ph|mobile|mob|cell|cellphone|fax|pager|call|calls|called|calling|dial|hotline|"
    r"whatsapp|sms|text|voicemail|contact|reach|ring|telefon|telefonnummer|handy|handynummer|mobil|mobilnummer|durchwahl|"
    r"anruf|tél|téléphone|portable|mobile no|phone number"
)
PHONE_CONTEXT = re.compile(rf"(?<!\w)(?:{PHONE_WORDS})(?!\w)", re.IGNORECASE)
NORTH_AMERICAN = re.compile(
    r"(?:\+?1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d(?P<gap>[ .-]))[2-9]\d\d(?(gap)(?P=gap)|[ .-])\d{4}"
)
INTERNATIONAL = re.compile(r"(?:\+|00)[1-9]")
FEWEST_DIGITS, MOST_DIGITS = 7, 15  # ITU-T E.164
Certain = Callable[[str], bool]


def phone_candidates(text: str, countries: frozenset[str]) -> Iterator[tuple[Span, bool]]:
    """Places that may be phone numbers, each with whether form or words nearby say so.

    Args:
        text: To search.
        countries: A number in the North American form needs no words nearby where ``"US"`` is one of them.
    """
    for match in _PHONE.finditer(text):
        said, digits = match.group(), len(digits_of(match.group()))
        if not FEWEST_DIGITS <= digits <= MOST_DIGITS or NOT_YEARS.fullmatch(said) or said.count("/") > 1:
            continue
        shaped = INTERNATIONAL.match(said) or ("US" in countries and NORTH_AMERICAN.fullmatch(said))
        yield match.span(), bool(shaped) or in_context(text, *match.span(), PHONE_CONTEXT)


def phones(countries: frozenset[str]) -> Recogniser:
    """Phone numbers by their form or words nearby alone; which numbers exist is not known here."""

    def find(text: str) -> Iterator[Span]:
        return (span for span, told in phone_candidates(text, countries) if told)

    return Recogniser("phone", find, LIKELY)


_PHONE = re.compile(PHONE)


@functools.cache
def built_in() -> tuple[Recogniser, ...]:
    """The recognisers that need no package, but for those of phones and persons."""
    make = Recogniser.matching
    return (
        make("email", r"(?<![\w.+%-])[\w.+%-]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w@])"),
        make("url", r"(?<![\w@])(?:https?://|www\.)[^\s<>\"'()]{2,2048}[^\s<>\"'().,;:!?\]]", ignore_case=True),
        make("ip", IP, valid=_ip_for_sure, only_if=r"[.:]\d"),
        make("ip", IP, valid=_ip, context=IP_WORDS, only_if=r"[.:]\d", score=LABELLED),
        make("card", CARD, valid=_card, score=CHECKED),
        Recogniser("iban", _ibans, CHECKED),
        make("us_ssn", r"(?<![\w-])\d{3}-\d\d-\d{4}(?![\w-])", valid=_social_security, countries=("US",)),
        make(
            "us_ssn",
            r"(?<![\w-])\d{3} ?\d\d ?\d{4}(?![\w-])",
            valid=_social_security,
            context=r"ssn|ss#|social security|soc\.? sec\.?",
            score=LABELLED,
            countries=("US",),
        ),
        make(
            "in_aadhaar",
            r"(?<![\w-])\d{4}([ -])\d{4}\1\d{4}(?![\w-])(?! \d)",
            valid=_aadhaar,
            score=CHECKED,
            countries=("IN",),
        ),
        make(
            "in_aadhaar",
            r"(?<!\w)\d{12}(?!\w)",
            valid=_aadhaar,
            context="aadhaar|aadhar|adhaar|uidai|uid",
            score=CHECKED,
            countries=("IN",),
        ),
        make(
            "fr_insee",
            r"(?<!\w)[12] ?\d\d ?[01]\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d(?!\w)",
            valid=_insee,
            score=CHECKED,
            countries=("FR",),
        ),
        make("account", ACCOUNT + ASKS + VALUE, valid=_number, score=LABELLED, ignore_case=True, only_if=r"\d"),
        make("record_number", RECORD + ASKS + VALUE, valid=_number, score=LABELLED, ignore_case=True, only_if=r"\d"),
        *(make("date", pattern, score=LABELLED, only_if=r"\d") for pattern in DATES),
        make("date", SHORT_DATE, context=DATE_WORDS, score=LABELLED, only_if=r"\d\.\d\d\.\d\d"),
        *(make("age", pattern, score=LIKELY, only_if=r"9\d|1[012]\d") for pattern in AGES),
        *(make("postal_address", pattern, score=LABELLED, only_if=r"\d") for pattern in ADDRESSES),
    )
