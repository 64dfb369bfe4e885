"""Which words of a note are denied, after NegEx.

Chapman, Bridewell, Hanbury, Cooper, Buchanan (2001): A simple algorithm for identifying negated findings and diseases
in discharge summaries.  A trigger such as "denies" denies what follows it in its sentence, and one such as "was ruled
out" what stands before it, up to a word that ends its scope, such as "but".  Phrases that look like triggers and deny
nothing, such as "no change in", are known as well.
"""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from qlorakit_medical.words import Word, word_set

BEFORE = """
no; denies; denied; denying; deny; without; w o; negative for; neg for; no evidence of; absence of; free of; free from;
rules out; lack of; lacks; lacking; nor; neither; no longer; no signs of; no sign of; never; nil; zero; none of;
no history of; excludes; negatives; not; cannot see; didnt; doesnt; dont; isnt; wasnt; arent; werent; hasnt; havent;
hadnt; fails to reveal; failed to reveal; fails to show; failed to show; disclaims; negative
"""
AFTER = """
absent; denied; ruled out; excluded; negative; not present; not seen; not noted; not found; not identified;
not detected; not observed; not reported; not appreciated; not evident; not demonstrated; not visualized; not endorsed;
none; no; denies; nonexistent; neg; free; nil; not there; not an issue
"""
DENY_NOTHING = """
no increase; no increased; no change; no changes; no significant change; no interval change; no decrease;
no improvement; no relief; no response; no doubt; no difficulty; no reason; no cause; no explanation; no resolution;
no worsening; no matter; no sooner; no treatment; no help; no medication for; no medications for; no effect on;
no prior treatment for; no further workup; no further work up; not only; not necessarily; not just; not certain;
not sure; not clear; not rule out; not ruled out; not exclude; not excluded; not be excluded; not be ruled out;
cannot rule out; cannot exclude; cannot be excluded; cannot be ruled out; not due to; not related to; not explained by;
not caused by; not improved; not improving; not resolved; not fully resolved; not completely resolved;
not yet resolved; never resolved; not relieved; not controlled; not well controlled; not adequately controlled;
not better; not getting better; not worse; not worsened; not responding; not responded; not gone; not until; not help;
not helped; without difficulty; without incident; without improvement; without relief; without change;
without complication; without complications; without treatment; gram negative; whether or not
"""
END_SCOPE = """
but; however; except; excepting; although; though; yet; aside from; apart from; other than; besides; because; since;
until; unless; which; where; from; due to; secondary to; caused by; attributed to; reports; reported; reporting;
complains; complaining; complained; endorses; endorsed; admits; states; presents; presented; presenting; developed;
develops; positive; pos for; remarkable for; significant for; shows; showed; reveals; still; now; instead; only;
therefore; nevertheless; who; patient; pt; despite; as well as a; does have; do have; did have; is having; started;
takes; continues
"""
NOTS = word_set("not didnt doesnt dont isnt wasnt arent werent hasnt havent hadnt never")
# What may follow "not" where it denies a problem; after any other word it denies that something was done.
DENIABLE = word_set(
    """have had having has any been be being report reports reported reporting complain complaining complained endorse
    endorsed endorsing experience experienced experiencing show shown reveal demonstrate demonstrated appear seem note
    noted notice noticed suffer suffering suffered feel felt feeling exhibit exhibited develop developed consistent
    suggestive indicative suggest in the a an describe mention present associated accompanied find found see seen get
    identify diagnosed known to evidence currently significant acute acutely clinically admit appreciate palpate hear
    detect recall observe observed voice"""
)
OBJECTS = word_set("any a an to significant")  # after "not noted" and the like
SUBJECTS = word_set("he she they it we i there his her this then both also")
CONJUNCTIONS = word_set("and but")
NEW_STATEMENT = word_set("a an is was has had some with now are were")  # after "no fever and"
BE = word_set("is was are were be been being")
PLURAL = word_set("are were have all both")
HAS = word_set("has had")
CLAIMED = word_set("that he she they ever not never patient or")  # "denies that she has"
ANSWERS = word_set("no none denies neg nil")  # that deny what stands before them alone: "Fever: no"
COMPLETES_ANSWER = word_set("known reported")  # "Allergies: none known"
MOST_DENIED = 200  # words: no sentence denies more, but a model that repeats itself writes thousands
REACH = 4  # words from a problem to a lone "negative"; from "ruled out" to a problem
ANSWER = re.compile(r":\s*$|[-\u2013\u2014]\s*$")
NEW_START = re.compile(r":|\s[\u2014\u2013-]\s|\u2014")


def _phrases(table: str) -> dict[str, list[tuple[str, ...]]]:
    """Phrases by their first word, the longest first."""
    phrases: dict[str, list[tuple[str, ...]]] = {}
    for phrase in sorted((tuple(item.split()) for item in table.split(";")), key=len, reverse=True):
        phrases.setdefault(phrase[0], []).append(phrase)
    return phrases


KINDS = {
    "nothing": _phrases(DENY_NOTHING),
    "before": _phrases(BEFORE),
    "after": _phrases(AFTER),
    "end": _phrases(END_SCOPE),
}
FIRST_WORDS = frozenset(word for phrases in KINDS.values() for word in phrases)


@dataclass(frozen=True)
class Trigger:
    """A phrase that begins or ends the scope of a negation.

    Attributes:
        kinds: What it can be: ``"before"`` or ``"after"`` what it denies, ``"end"`` of a scope.
        first: The place of its first word.
        last: The place after its last word.
    """

    kinds: frozenset[str]
    first: int
    last: int


@dataclass(frozen=True)
class _Sentence:
    """A sentence of a note.

    Attributes:
        words: Of the whole note.
        first: The place of its first word.
        last: The place after its last word.
        problems: The places of words in the name of a problem: what looks like a trigger there is none.
    """

    words: Sequence[Word]
    first: int
    last: int
    problems: AbstractSet[int]

    def word(self, at: int) -> str:
        """The word at a place, in lower case; nothing outside the sentence."""
        return self.words[at].lower if self.first <= at < self.last else ""

    def gap(self, at: int) -> str:
        """What stands before the word at a place."""
        return self.words[at].gap

    def has_problem(self, at: int, reach: int) -> bool:
        """Whether a problem is named within a few words from a place on."""
        return any(place in self.problems for place in range(at, min(at + reach, self.last)))


def denied_words(words: Sequence[Word], problems: AbstractSet[int]) -> AbstractSet[int]:
    """The places of the words that are denied.

    Args:
        words: Of the whole note.
        problems: The places of words in the names of problems and parts of the body.
    """
    denied: set[int] = set()
    for first, last in _bounds(words):
        sentence = _Sentence(words, first, last, problems)
        triggers = list(_triggers(sentence))
        ends = {at for trigger in triggers if "end" in trigger.kinds for at in range(trigger.first, trigger.last)}
        for trigger in triggers:
            if _denies_what_follows(sentence, trigger):
                denied.update(_following(sentence, trigger, ends))
            elif "after" in trigger.kinds and _denies_what_precedes(sentence, trigger):
                denied.update(_preceding(sentence, trigger, ends))
    return denied


def _bounds(words: Sequence[Word]) -> Iterator[tuple[int, int]]:
    first = 0
    for at in range(1, len(words) + 1):
        if at == len(words) or words[at].sentence != words[first].sentence:
            yield first, at
            first = at


def _triggers(sentence: _Sentence) -> Iterator[Trigger]:
    at = sentence.first
    while at < sentence.last:
        may_begin = sentence.word(at) in FIRST_WORDS and at not in sentence.problems
        trigger = _trigger_at(sentence, at) if may_begin else None
        if trigger is not None and "nothing" not in trigger.kinds:
            yield trigger
        at = trigger.last if trigger else at + 1


def _trigger_at(sentence: _Sentence, at: int) -> Trigger | None:
    """The longest phrase at a place, with the kinds that it can be."""
    found: dict[int, set[str]] = {}
    for kind, phrases in KINDS.items():
        for phrase in phrases.get(sentence.word(at), ()):
            if all(sentence.word(at + place) == word for place, word in enumerate(phrase)):
                found.setdefault(len(phrase), set()).add(kind)
                break
    if not found:
        return None
    longest = max(found)
    return Trigger(frozenset(found[longest]), at, at + longest)


# Whether a trigger denies


def _denies_what_follows(sentence: _Sentence, trigger: Trigger) -> bool:
    word, after = sentence.word(trigger.first), trigger.last
    if after >= sentence.last:
        return False
    passive = sentence.word(trigger.first - 1) in BE
    if "before" not in trigger.kinds:
        return _turns_to_what_follows(sentence, trigger, passive=passive)
    if trigger.last > trigger.first + 1:
        return True
    if word == "no":
        return "," not in sentence.gap(after)
    if word in {"negative", "negatives"}:
        return ":" in sentence.gap(after) or (after in sentence.problems and not _follows_problem(sentence, trigger))
    if word in NOTS:
        return _deniable(sentence, after)
    return word != "denied" or not passive


def _turns_to_what_follows(sentence: _Sentence, trigger: Trigger, *, passive: bool) -> bool:
    """Whether a trigger that mostly stands after what it denies stands before it here: "CT ruled out PE"."""
    word, after = sentence.word(trigger.first), trigger.last
    if word == "not":
        return sentence.word(after) in OBJECTS or (sentence.gap(after) == " " and sentence.has_problem(after, 2))
    reach = {"absent": 1, "ruled": REACH}.get(word, 0)
    return not passive and sentence.has_problem(after, reach)


def _follows_problem(sentence: _Sentence, trigger: Trigger) -> bool:
    return trigger.first - 1 in sentence.problems and sentence.gap(trigger.first).strip() == ""


def _deniable(sentence: _Sentence, at: int) -> bool:
    """Whether "not" denies a problem, rather than that something was done."""
    while sentence.word(at).endswith("ly") and at not in sentence.problems:
        at += 1
    return sentence.word(at) in DENIABLE or sentence.has_problem(at, 2)


def _denies_what_precedes(sentence: _Sentence, trigger: Trigger) -> bool:
    if trigger.first == sentence.first:
        return False
    word, gap = sentence.word(trigger.first), sentence.gap(trigger.first)
    answers = ANSWER.search(gap) is not None
    if word in ANSWERS:
        return answers and _is_whole_answer(sentence, trigger)
    if word == "free":
        return trigger.first - 1 in sentence.problems and gap.strip() in {"", "-"}
    if word == "denied":
        return answers or sentence.word(trigger.first - 1) in BE
    return word != "negative" or sentence.has_problem(max(sentence.first, trigger.first - REACH), REACH)


def _is_whole_answer(sentence: _Sentence, trigger: Trigger) -> bool:
    after = trigger.last
    return after == sentence.last or sentence.gap(after).strip() != "" or sentence.word(after) in COMPLETES_ANSWER


# How far


def _following(sentence: _Sentence, trigger: Trigger, ends: AbstractSet[int]) -> Iterator[int]:
    open_brackets = 0
    for at in range(trigger.last, min(sentence.last, trigger.last + MOST_DENIED)):
        gap = sentence.gap(at)
        open_brackets += gap.count("(") - gap.count(")")
        if open_brackets < 0 or (at > trigger.last and NEW_START.search(gap)):
            return
        if at not in sentence.problems and (_ends(sentence, at, trigger, ends) or _begins_anew(sentence, at, trigger)):
            return
        yield at


def _ends(sentence: _Sentence, at: int, trigger: Trigger, ends: AbstractSet[int]) -> bool:
    """Whether a word ends the scope; "has not reported fever" goes on."""
    return at in ends and not (at == trigger.last and sentence.word(trigger.first) in NOTS)


def _begins_anew(sentence: _Sentence, at: int, trigger: Trigger) -> bool:
    """Whether something else is said from this word on."""
    word, before = sentence.word(at), sentence.word(at - 1)
    parted = "," in sentence.gap(at) or before in CONJUNCTIONS
    if word in SUBJECTS:
        return parted and at > trigger.last
    if word == "with":
        return parted
    if word in HAS:
        return before not in CLAIMED
    return before == "and" and word in NEW_STATEMENT and sentence.word(trigger.first) in {"no", "without"}


def _preceding(sentence: _Sentence, trigger: Trigger, ends: AbstractSet[int]) -> Iterator[int]:
    """Back to a comma; of "fever, chills and cough are absent" to the beginning."""
    whole = any(sentence.word(at) in PLURAL for at in (trigger.first - 2, trigger.first - 1))
    for at in range(trigger.first - 1, sentence.first - 1, -1):
        if at in ends and at not in sentence.problems:
            return
        yield at
        if not whole and "," in sentence.gap(at):
            return
