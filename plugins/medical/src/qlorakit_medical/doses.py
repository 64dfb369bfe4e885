"""Doses of drugs: amounts and how often, each at the drug that it is of."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from qlorakit_medical.amounts import PLAIN_UNITS, Amount, find_amounts
from qlorakit_medical.findings import Drug, Findings, Mention
from qlorakit_medical.frequencies import Frequency, find_frequencies
from qlorakit_medical.words import word_set

# What may stand between a dose and the drug that it is of: "50 mg of oral metoprolol", "metoprolol (50 mg".
BEFORE_DRUG = re.compile(
    r"(?:\s|\(|of|oral|iv|po|p\.o\.|topical|intravenous|tablets?|capsules?|doses?|the|her|his|x)*", re.IGNORECASE
)
AFTER_DRUG = re.compile(
    r"(?:\s|[(,:\u2013-]|at|to|was|is|of|dose|oral|iv|po|im|sublingual|tablets?|capsules?|xr|er|sr|xl|cr|a)*",
    re.IGNORECASE,
)
UNITS_OF_UNKNOWN = PLAIN_UNITS - {"tablets", "drops"}
# Words before a dose that are no drugs.
NO_DRUGS = word_set(
    """about above additional administer administered after again almost along also amount another appropriate
    approximately around aspirated before below beyond bolus both current currently daily dosage dose doses dosing
    double drug either evening every extra first foramen further given gives given going her high home infusion
    initial initially injection into just last least level loading lower maintenance maximum medication medicine
    minimum more morning most nearly night normal only onto oral orally other over past patient period plus
    received receive remains roughly same second some starting stays still strength take taken takes tablet than
    that their then third this total under until usual usually weekly when where while with within your
    intravenous capsule requires require needs today"""
)
DRUG_LIKE = re.compile(r"[^\W\d_]{5,}")
NO_DRUG_ENDINGS = ("ed", "ing", "ly", "es", "tion", "ment", "ness")


@dataclass(frozen=True)
class Doses:
    """The doses that a text gives to drugs, by their concepts; those of no drug are at ``None``.

    Attributes:
        amounts: Of each drug.
        frequencies: Of each drug.
        unknown: Drugs that no vocabulary has, known by the dose beside them.
    """

    amounts: Mapping[str | None, Sequence[Amount]]
    frequencies: Mapping[str | None, Sequence[Frequency]]
    unknown: tuple[Drug, ...] = ()


def find_doses(findings: Findings) -> Doses:
    """The doses of a text, each given to the drug that it is of.

    That is the drug before it in its sentence, unless another one follows directly ("50 mg of metoprolol").  An amount
    in a sentence without any drug is of the last one before, or else of the only one of the text; in such a sentence
    volumes, shares, and frequencies without an amount are no doses.

    Args:
        findings: Of the text.
    """
    amounts = find_amounts(findings.text)
    unknown = tuple(_unknown(findings, amounts))
    places = _Places(findings, sorted((*findings.drugs, *unknown), key=lambda drug: drug.first))
    dosed = {places.sentence(amount.mention) for amount in amounts}
    of_drugs: dict[str | None, list[Amount]] = {}
    for amount in amounts:
        for concept in places.concepts_of(amount.mention, alone=amount.unit in PLAIN_UNITS):
            of_drugs.setdefault(concept, []).append(amount)
    often: dict[str | None, list[Frequency]] = {}
    for frequency in find_frequencies(findings.text):
        for concept in places.concepts_of(frequency.mention, alone=places.sentence(frequency.mention) in dosed):
            often.setdefault(concept, []).append(frequency)
    return Doses(of_drugs, often, unknown)


@dataclass(frozen=True)
class _Places:
    """Where the sentences and drugs of a text are; the drugs stand in order and do not overlap."""

    findings: Findings
    drugs: Sequence[Drug]

    @cached_property
    def starts(self) -> list[int]:
        """Where each word begins."""
        return [word.start for word in self.findings.words]

    @cached_property
    def names_one(self) -> bool:
        """Whether there is only one drug in the text."""
        return len({drug.concepts for drug in self.drugs}) == 1

    @cached_property
    def by_sentence(self) -> Mapping[int, Sequence[Drug]]:
        """The drugs of each sentence."""
        found: dict[int, list[Drug]] = {}
        for drug in self.drugs:
            found.setdefault(self.sentence(drug.mention), []).append(drug)
        return found

    def sentence(self, mention: Mention) -> int:
        """The number of the sentence that a mention begins in."""
        at = max(0, bisect_right(self.starts, mention.start) - 1)
        return self.findings.words[at].sentence

    def concepts_of(self, mention: Mention, *, alone: bool) -> tuple[str | None, ...]:
        """What a dose is of; ``None`` for no drug.

        Args:
            mention: The dose.
            alone: Whether it is a dose even where its sentence names no drug.
        """
        here = self.by_sentence.get(self.sentence(mention), ())
        ends = bisect_right(here, mention.start, key=lambda drug: drug.mention.end)
        begins = bisect_left(here, mention.end, key=lambda drug: drug.mention.start)
        before, after = here[max(ends - 1, 0) : ends], here[begins : begins + 1]
        if before and after and self._is_of_next(mention, before[0], after[0]):
            return after[0].concepts
        chosen = before or after
        if chosen or not alone:
            return chosen[0].concepts if chosen else ()
        return self._elsewhere(mention)

    def _is_of_next(self, mention: Mention, last: Drug, following: Drug) -> bool:
        text = self.findings.text
        touches_last = AFTER_DRUG.fullmatch(text, last.mention.end, mention.start)
        return not touches_last and BEFORE_DRUG.fullmatch(text, mention.end, following.mention.start) is not None

    def _elsewhere(self, mention: Mention) -> tuple[str | None, ...]:
        """The last drug before, or the only one of the text."""
        ends = bisect_right(self.drugs, mention.start, key=lambda drug: drug.mention.end)
        if ends:
            return self.drugs[ends - 1].concepts
        return self.drugs[0].concepts if self.names_one else (None,)


def _unknown(findings: Findings, amounts: Sequence[Amount]) -> Iterator[Drug]:
    """Words before a dose that must be drugs: "Xyzol 50 mg"."""
    taken = {at for drug in findings.drugs for at in range(drug.first, drug.last)}
    taken |= {at for problem in findings.problems for at in range(problem.first, problem.last)}
    taken |= {at for part in findings.parts for at in range(part.first, part.last)}
    place_of_end = {word.end: at for at, word in enumerate(findings.words)}
    for amount in amounts:
        before = findings.text[: amount.mention.start].rstrip(" (,")
        at = place_of_end.get(len(before), -1)
        if amount.unit in UNITS_OF_UNKNOWN and at >= 0 and at not in taken and _may_be_a_drug(findings, at):
            taken.add(at)
            word = findings.words[at]
            yield Drug(Mention(word.text, word.start, word.end), (word.key,), at, at + 1)


def _may_be_a_drug(findings: Findings, at: int) -> bool:
    """Whether a word before a dose is a name: it is capitalised, or the only thing in its sentence to be dosed."""
    word = findings.words[at]
    if not DRUG_LIKE.fullmatch(word.text) or word.lower in NO_DRUGS or word.lower.endswith(NO_DRUG_ENDINGS):
        return False
    dosed = [
        drug for drug in findings.drugs if findings.words[drug.first].sentence == word.sentence and drug.first < at
    ]
    return word.text[0].isupper() or not dosed
