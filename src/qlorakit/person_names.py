"""Find names of persons by lists, titles, labels and degrees, and tell which of them are one person."""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from qlorakit.recognisers import LABELLED, LIKELY, Span

LETTER = r"[^\W\d_]"
UPPER = r"[^\W\d_a-zß-öø-ÿ]"
WORD = rf"{UPPER}(?:['\u2019](?={UPPER}{LETTER})|-(?={LETTER}{{2}})|{LETTER}){{1,40}}"
INITIALS = rf"{UPPER}\.(?:\s?{UPPER}\.){{0,3}}"
PARTICLES = "von|van|vom|zu|de|der|den|del|della|di|da|dos|du|la|le|bin|ibn|al|ten|ter"
SPACE = r"[ \t\u00a0]{1,3}"
TOKEN = rf"(?:(?:{PARTICLES}){SPACE}){{0,2}}(?:{WORD}|{INITIALS}|{UPPER}(?={SPACE}{WORD}))"
NAME = rf"(?P<name>{TOKEN}(?:{SPACE}{TOKEN}){{0,3}})"
TITLES = (
    r"(?:Dr|Prof|Drs|Mr|Mrs|Ms|Mx|Hon|Rev|Smt|Mme|Mlle)\b\.?|(?:DR|PROF|MR|MRS|MS|HERR|FRAU)\.|"
    r"(?:Miss|Doctor|Professor|Herrn?|Frau|Madame|Monsieur|Maître|Shri|Sri|Kumari|Judge|Justice|Sir|Lady|Nurse|Officer|"
    r"Attorney|Advocate|Rechtsanwalt|Rechtsanwältin)\b"
)
TITLED = re.compile(rf"(?<!\w)(?:(?:{TITLES}){SPACE}?(?:(?:med|jur|rer|nat|phil)\.\s?){{0,3}}){{1,4}}(?<=[\s.]){NAME}")
FRENCH = re.compile(rf"(?:(?:^|[a-zéèàç,;:(]\s)M\.{SPACE}){NAME}", re.MULTILINE)
DEGREES = (
    r"M\.?D|D\.?O|Ph\.?D|R\.?N|N\.?P|P\.?A|J\.?D|D\.?D\.?S|M\.?B\.?B\.?S|F\.?A\.?C\.?S|F\.?R\.?C\.?S|Esq|C\.?P\.?A|"
    r"P\.?T"
)
WITH_DEGREE = re.compile(rf"(?<![\w.'\u2019-]){NAME},{SPACE}?(?:{DEGREES})(?!\w)")
LABELS = (
    r"(?:full |patient |client |customer |account holder |cardholder |employee |father's |mother's |spouse |"
    r"first and last )?name(?: of (?:the )?(?:patient|client|customer|insured|account holder))?|"
    r"patient|patientin|client|customer|account holder|card ?holder|borrower|co-borrower|tenant|landlord|employee|"
    r"applicant|insured|claimant|plaintiff|defendant|petitioner|respondent|appellant|witness|guarantor|beneficiary|"
    r"attending(?: physician)?|(?:referring |primary care |family )?physician|surgeon|(?:first )?assistant|"
    r"anesthesiologist|dictated by|reviewed by|referred by|prepared by|approved by|signed(?: by)?|by|"
    r"contact(?: person)?|emergency contact|next of kin|"
    r"spouse|father|mother|attn|attention|care of|c/o|s/o|d/o|w/o|kunde|kundin|"
    r"kontoinhaber(?:in)?|versicherter?|mandant(?:in)?|ansprechpartner(?:in)?|unterschrift|nom|titulaire|assuré|cliente?"
)
LABELLED_NAME = re.compile(
    rf"(?<!\w)(?i:{LABELS})\s?(?::|-(?=\s)|=)[ \t]{{0,8}}(?:(?:{TITLES})\s?){{0,3}}{NAME}(?P<more>,{SPACE}{WORD})?"
)
RELATIONS = (
    "brother|sister|wife|husband|son|daughter|mother|father|uncle|aunt|spouse|fiancée?|colleague|friend|neighbou?r|"
    "client|tenant|landlord|borrower|guarantor|trustee|executor|claimant|payee|"
    "I am|I'm|[Mm]y name is|[Mm]ein Name ist|[Ii]ch heiße|[Jj]e m'appelle|[Jj]e suis"
)
RELATED = re.compile(rf"(?<!\w)(?:{RELATIONS}),?{SPACE}{NAME}")
# Words that begin a sentence or belong to something else, and so end a name.
NO_NAMES = (
    "a an and are as at be but by for from has have he her his i if in is it its no not of on or our she so that the "
    "their then there these they this those to upon was we were what when where which while who will with you your "
    "again after also before both during following however since please today yesterday tomorrow may "
    "said says did does may must shall should would can could "
    "january february march april june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday "
    "yes yeah yep no nope okay ok hi hello hey well um uh oh sure right thank thanks good great absolutely alright "
    "actually never just sir madam doctor so now any all some unfortunately dr mr mrs ms prof "
    "herr herrn frau madame monsieur shri sri smt justice judge miss professor advocate attorney "
    "age date sex gender male female address phone email mrn dob ssn account patient doctor physician nurse "
    "und oder der die das ist hat wurde für mit vom bei le la les et est il elle nous vous "
    "director president chairman chief officer secretary manager vice court office department"
)
NO_NAME = frozenset(NO_NAMES.split())
ORGANISATIONS = re.compile(
    r"(?i:inc|corp|corporation|incorporated|ltd|limited|llc|llp|lp|plc|gmbh|ag|kg|se|sa|sarl|pvt|company|co|bank|group|"
    r"trust|holdings?|partners|hospital|university|association|services|systems|international|foundation|institute|"
    r"insurance|capital|fund|agency|council|committee|solutions|technologies|laborator(?:y|ies)|pharmaceuticals?|"
    r"oyj?|ab|asa|nv|bv|spa|srl|center|centre|union|ministry|none|unknown|see|well|stable)"
)
FOLLOWED_BY_ORGANISATION = re.compile(
    r"(?:,|\s&|\sand)?\s?(?:Inc|Corp|Ltd|LLC|LLP|GmbH|AG|Company|Co|Bank|Hospital|Group)\b"
)
FEWEST_LETTERS = 3  # of a word that stands for a person by itself
PIECE = re.compile(rf"{WORD}|{UPPER}(?![\w'])")
CAPITALISED = re.compile(rf"(?<![\w@.-]){WORD}(?![\w@-]|\.\w)")
# A name's word that is also written in small letters may be a word: "white blood cells" beside "Mr. White".
SMALL = re.compile(r"(?<![\w.@-])[a-zß-öø-ÿ][^\W\d_]{2,40}(?![\w@-]|\.\w)")
BETWEEN = re.compile(rf"{SPACE}(?:(?:{PARTICLES}|{UPPER}\.?){SPACE})?")
ANY_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
SEPARATOR = re.compile(r",?\s{1,3}(?:[^\W\d_]\.?\s{1,3})?")
MOST_BETWEEN = 12  # characters between the words of a name


@dataclass(frozen=True)
class Person:
    """What a mention tells of who is meant.

    Attributes:
        given: First names or their initials, folded.
        surname: Folded; where a mention is one word, that word.
    """

    given: tuple[str, ...]
    surname: str

    @classmethod
    def of(cls, mention: str) -> Person:
        """The person of a mention such as ``"Anna M. Keller"``, ``"Keller, Anna"`` or ``"Keller"``."""
        last, comma, first = mention.partition(",")
        words = [word.casefold() for word in ANY_WORD.findall(f"{first} {last}" if comma else mention)]
        words = [word for word in words if word not in PARTICLES.split("|")] or words or [mention.casefold()]
        return cls(tuple(words[:-1]), words[-1])

    def may_be(self, other: Person) -> bool:
        """Whether both mentions can mean one person."""
        if not self.given or not other.given:
            short, long = (self, other) if not self.given else (other, self)
            return short.surname in (*long.given, long.surname)
        first, second = sorted((self.given[0], other.given[0]), key=len)
        return self.surname == other.surname and (first == second or (len(first) == 1 and second.startswith(first)))


@dataclass
class Persons:
    """The persons of a document, in order of their first mention."""

    known: list[Person] = field(default_factory=list)
    latest: list[int] = field(default_factory=list)

    def number(self, mention: str) -> int:
        """Which person, from 0, a mention means: of several that it may be, the one mentioned last."""
        person = Person.of(mention)
        place = next((place for place in reversed(self.latest) if self.known[place].may_be(person)), len(self.known))
        if place == len(self.known):
            self.known.append(person)
        else:
            self.latest.remove(place)
            self.known[place] = max(self.known[place], person, key=_fullness)
        self.latest.append(place)
        return place


def _fullness(person: Person) -> tuple[int, int]:
    return bool(person.given), len("".join(person.given))


def find_names(texts: Sequence[str], listed: Sequence[str] = ()) -> list[list[tuple[int, int, float]]]:
    """Names of persons in the texts of one document.

    Names are found by lists, titles, labels and degrees; their words are then found wherever they stand with a capital.

    Args:
        texts: Of one document.
        listed: Names to find, such as ``"Anna Keller"``.

    Returns:
        For each text its finds: start, exclusive end, and how sure it is.
    """
    small = functools.cache(lambda: frozenset(word for text in texts for word in SMALL.findall(text)))
    found = [list(_told(text, tuple(listed), small)) for text in texts]
    words = {
        word.casefold()
        for text, spans in zip(texts, found, strict=True)
        for start, end, _ in spans
        for word in PIECE.findall(text[start:end])
        if len(word) >= FEWEST_LETTERS and word.lower() not in small()
    }
    if words:
        for text, spans in zip(texts, found, strict=True):
            spans.extend((*span, LIKELY) for span in _again(text, words))
    return found


def _told(text: str, listed: tuple[str, ...], small: Callable[[], frozenset[str]]) -> Iterator[tuple[int, int, float]]:
    for pattern, fewest in ((TITLED, 1), (FRENCH, 1), (WITH_DEGREE, 2), (LABELLED_NAME, 2), (RELATED, 2)):
        for match in pattern.finditer(text):
            span = _trimmed(text, match, fewest, small)
            if span:
                yield *span, LIKELY
    if listed:
        yield from ((*span, LABELLED) for span in _listed(text, _index(listed)))


def _again(text: str, words: AbstractSet[str]) -> Iterator[Span]:
    """Where the folded words stand with a capital, next to each other as one."""
    start = end = -1
    for match in CAPITALISED.finditer(text):
        if match.group().casefold() not in words:
            continue
        if start >= 0 and match.start() - end <= MOST_BETWEEN and BETWEEN.fullmatch(text, end, match.start()):
            end = match.end()
            continue
        if start >= 0:
            yield start, end
        start, end = match.span()
    if start >= 0:
        yield start, end


def _trimmed(text: str, match: re.Match[str], fewest: int, small: Callable[[], frozenset[str]]) -> Span | None:
    """What of a match is a name: words up to the first that cannot belong to one; nothing for an organisation."""
    start, end = match.span("name")
    pieces: list[re.Match[str]] = []
    for piece in PIECE.finditer(text, start, end):
        if len(piece.group()) > 1 and piece.group().casefold() in NO_NAME:
            break
        if ORGANISATIONS.fullmatch(piece.group()):
            return None
        if _after_initials(pieces) and piece.group().lower() in small():
            break
        pieces.append(piece)
    while pieces and len(pieces[-1].group()) == 1:
        pieces.pop()
    last_first = match.groupdict().get("more") and len(pieces) == 1 and pieces[0].end() == end
    if last_first and match["more"].strip(", ").casefold() not in NO_NAME:
        return start, match.end("more")
    if len(pieces) < fewest or FOLLOWED_BY_ORGANISATION.match(text, pieces[-1].end()):
        return None
    return start, pieces[-1].end()


def _after_initials(pieces: Sequence[re.Match[str]]) -> bool:
    """Whether what comes next may begin a sentence: "Dr. X. Blood pressure"."""
    return bool(pieces) and all(len(piece.group()) == 1 for piece in pieces)


@functools.lru_cache(maxsize=4)
def _index(names: tuple[str, ...]) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Folded words of the names, first name first and last name first, by their first word."""
    index: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for name in names:
        words = tuple(word.casefold() for word in ANY_WORD.findall(name))
        for form in {words, words[-1:] + words[:-1]} if words else ():
            index[form[0]].add(form)
    return {first: tuple(sorted(forms, key=len, reverse=True)) for first, forms in index.items()}


def _listed(text: str, index: Mapping[str, tuple[tuple[str, ...], ...]]) -> Iterator[Span]:
    words = list(ANY_WORD.finditer(text))
    for place, word in enumerate(words):
        for form in index.get(word.group().casefold(), ()):
            end = _end_of(form, words, place, text)
            if end and (len(form) > 1 or word.group()[0].isupper()):
                yield word.start(), end
                break


def _end_of(form: tuple[str, ...], words: Sequence[re.Match[str]], place: int, text: str) -> int:
    """Where a listed name that may begin at a word ends, an initial in between allowed; 0 where it is another."""
    end = words[place].end()
    for wanted in form[1:]:
        place += 1
        if place + 1 < len(words) and len(words[place].group()) == 1 != len(wanted):
            place += 1
        if place >= len(words) or words[place].group().casefold() != wanted:
            return 0
        if words[place].start() - end > MOST_BETWEEN or not SEPARATOR.fullmatch(text, end, words[place].start()):
            return 0
        end = words[place].end()
    return end
