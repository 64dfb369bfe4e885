"""Critical errors: differences between a reference and an output that can harm a patient.

A detector of rules, which needs no model: it finds drugs, problems, negation (:mod:`qlorakit_medical.negation`), doses
(:mod:`qlorakit_medical.doses`) and sides (:mod:`qlorakit_medical.sides`) in both texts by one vocabulary, and compares
what was found as sets of concepts, so that order, wording, synonyms and repetition do not matter.

What a vocabulary does not have is not found: use ``VOCABULARY.extended(...)`` for the names of a house.  No error found
does not prove that a text is safe.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qlorakit.errors import ConfigurationError, did_you_mean
from qlorakit.metrics import mean_metric
from qlorakit_medical.doses import Doses, find_doses
from qlorakit_medical.findings import Drug, Findings, Mention, Problem, find_all
from qlorakit_medical.frequencies import AS_NEEDED, Frequency
from qlorakit_medical.sides import BOTH, LEFT, RIGHT, Side, find_sides
from qlorakit_medical.vocabulary import VOCABULARY, Vocabulary

if TYPE_CHECKING:
    from qlorakit.task import Metric, Output
    from qlorakit_medical.amounts import Amount

__all__ = [
    "CRITICAL_METRICS", "KINDS", "VOCABULARY", "CriticalError", "Mention", "Vocabulary", "critical_error_rate",
    "critical_errors", "errors_of_kind", "find_critical_errors",
]  # fmt: skip

KINDS = (
    "negation_flipped", "dose_changed", "laterality_swapped", "drug_missing", "drug_invented", "problem_missing",
    "problem_invented",
)  # fmt: skip
REMEMBERED = 2**13  # texts, and pairs of them: nine metrics ask about each


@dataclass(frozen=True)
class CriticalError:
    """A difference that can harm a patient.

    Attributes:
        kind: One of :data:`KINDS`.
        expected: What the reference says; ``None`` where it has nothing of the kind.
        found: What the output says; ``None`` where it has nothing of the kind.
    """

    kind: str
    expected: Mention | None
    found: Mention | None


@dataclass(frozen=True)
class _Note:
    """What was found in a text."""

    findings: Findings
    drugs: Mapping[str, Sequence[Drug]]
    problems: Mapping[str, Sequence[Problem]]
    doses: Doses
    sides: Sequence[Side]

    def has_word(self, key: str) -> bool:
        """Whether a word stands in it, for names that no vocabulary has."""
        return any(word.key == key for word in self.findings.words)


def find_critical_errors(reference: str, output: str, vocabulary: Vocabulary = VOCABULARY) -> tuple[CriticalError, ...]:
    """Every critical error of an output, in the order of :data:`KINDS`, then of the texts.

    Drugs and problems are compared as sets of concepts.  A broader concept answers for a narrower one and the other way
    round ("diabetes" for "type 2 diabetes", "pain" for "knee pain", "antibiotic" for "amoxicillin"), since less detail
    is no other problem; two narrower ones of one kind ("knee pain", "hip pain") do not.

    Where a text mentions a problem several times, its negation is flipped only if the output has no mention with a
    polarity that the reference has: "no chest pain today, chest pain last week" agrees with either half, since a
    summary may leave the other out.  In the same way a dose and a side are right if the reference has them anywhere for
    the drug or part.  A denied problem that is broader contradicts a narrower one ("no pain" and "knee pain"), not the
    reverse.

    Mentions that say nothing about the patient ("return for fever", "ibuprofen as needed for pain", "asthma clinic")
    and normal findings in one word ("nontender") are neither missed nor invented.

    Args:
        reference: The text that is right.
        output: The text to be judged.
        vocabulary: The names of drugs, problems and parts of the body.

    Raises:
        ConfigurationError: What is given is no text, or no vocabulary.
    """
    _check_argument("reference", reference, str, "a text")
    _check_argument("output", output, str, "a text")
    _check_argument("vocabulary", vocabulary, Vocabulary, "a Vocabulary, such as VOCABULARY.extended(drugs=[...])")
    return _compared(reference, output, vocabulary)


def _check_argument(name: str, given: object, kind: type, wanted: str) -> None:
    if not isinstance(given, kind):
        msg = f"find_critical_errors: {name} must be {wanted}, not {'None' if given is None else type(given).__name__}"
        raise ConfigurationError(msg)


@functools.lru_cache(maxsize=REMEMBERED)
def _compared(reference: str, output: str, vocabulary: Vocabulary) -> tuple[CriticalError, ...]:
    expected, found = _read(reference, vocabulary), _read(output, vocabulary)
    errors = dict.fromkeys(
        (
            *_flipped(expected, found, vocabulary),
            *_changed_doses(expected, found, vocabulary),
            *_swapped(expected, found, vocabulary),
            *_drugs_apart(expected, found, vocabulary),
            *_problems_apart(expected, found, vocabulary),
        )
    )
    return tuple(sorted(errors, key=_order))


def _order(error: CriticalError) -> tuple[int, int]:
    mention = error.expected or error.found
    return KINDS.index(error.kind), mention.start if mention else 0


@functools.lru_cache(maxsize=REMEMBERED)
def _read(text: str, vocabulary: Vocabulary) -> _Note:
    findings = find_all(text, vocabulary)
    doses = find_doses(findings)
    drugs = sorted((*findings.drugs, *doses.unknown), key=lambda drug: drug.first)
    return _Note(findings, _by_concept(drugs), _by_concept(findings.problems), doses, find_sides(findings))


def _by_concept(mentioned: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in mentioned:
        for concept in item.concepts:
            found.setdefault(concept, []).append(item)
    return found


# Negation


def _flipped(expected: _Note, found: _Note, vocabulary: Vocabulary) -> Iterator[CriticalError]:
    for concept, mentions in expected.problems.items():
        for other in _counterparts(concept, expected.problems, found.problems, vocabulary):
            right, given = _stated(mentions), _stated(found.problems[other])
            if _is_contradiction(right, given) and _denied_is_broader(concept, other, right[0].denied, vocabulary):
                yield CriticalError("negation_flipped", right[0].mention, given[0].mention)


def _counterparts(
    concept: str, own: Mapping[str, object], others: Mapping[str, object], vocabulary: Vocabulary
) -> Iterator[str]:
    """The same concept in the other text, or else related ones that do not stand in both."""
    if concept in others:
        yield concept
        return
    yield from (other for other in others if other not in own and vocabulary.are_related(concept, other))


def _stated(problems: Sequence[Problem]) -> list[Problem]:
    return [problem for problem in problems if not problem.passing]


def _is_contradiction(some: Sequence[Problem], others: Sequence[Problem]) -> bool:
    if not some or not others:
        return False
    return {problem.denied for problem in some}.isdisjoint(problem.denied for problem in others)


def _denied_is_broader(concept: str, other: str, denied: bool, vocabulary: Vocabulary) -> bool:  # noqa: FBT001
    """Whether denying one denies the other: of two different concepts, the broader must be the one denied."""
    if concept == other:
        return True
    return (concept in vocabulary.broader(other)) if denied else (other in vocabulary.broader(concept))


# Drugs and problems that only one text has


def _drugs_apart(expected: _Note, found: _Note, vocabulary: Vocabulary) -> Iterator[CriticalError]:
    for drug in _without_counterpart(expected.drugs, found, found.drugs, vocabulary):
        yield CriticalError("drug_missing", drug.mention, None)
    for drug in _without_counterpart(found.drugs, expected, expected.drugs, vocabulary):
        yield CriticalError("drug_invented", None, drug.mention)


def _problems_apart(expected: _Note, found: _Note, vocabulary: Vocabulary) -> Iterator[CriticalError]:
    for problem in _without_counterpart(_firm(expected.problems), found, found.problems, vocabulary):
        yield CriticalError("problem_missing", problem.mention, None)
    for problem in _without_counterpart(_firm(found.problems), expected, expected.problems, vocabulary):
        yield CriticalError("problem_invented", None, problem.mention)


def _firm(problems: Mapping[str, Sequence[Problem]]) -> dict[str, list[Problem]]:
    firm = {
        concept: [problem for problem in mentions if not problem.passing and not problem.normal]
        for concept, mentions in problems.items()
    }
    return {concept: mentions for concept, mentions in firm.items() if mentions}


def _without_counterpart(
    own: Mapping[str, Sequence[Any]], other: _Note, others: Mapping[str, object], vocabulary: Vocabulary
) -> Iterator[Any]:
    """The first mention of each concept that the other text has not, the most specific of related ones alone."""
    for concept, mentions in own.items():
        if any(vocabulary.are_related(concept, known) for known in others) or other.has_word(concept):
            continue
        if not any(concept in vocabulary.broader(narrower) for narrower in own):
            yield mentions[0]


# Doses


def _changed_doses(expected: _Note, found: _Note, vocabulary: Vocabulary) -> Iterator[CriticalError]:
    for concept, other in _drugs_of_both(expected, found, vocabulary):
        right, given = _distinct(expected.doses.amounts.get(concept, ())), _distinct(found.doses.amounts.get(other, ()))
        for amount in given:
            if not _is_given(amount, right, given):
                yield CriticalError("dose_changed", _meant(amount, right, given), amount.mention)
                break
        often = _scheduled(expected.doses.frequencies.get(concept, ()))
        given_often = _scheduled(found.doses.frequencies.get(other, ()))
        if often and given_often and not any(one.is_same(another) for one in often for another in given_often):
            yield CriticalError("dose_changed", often[0].mention, given_often[0].mention)


def _distinct(amounts: Sequence[Amount]) -> list[Amount]:
    """Amounts without those that repeat an earlier one, of which a model may write thousands."""
    found: dict[tuple[str, tuple[float, ...]], Amount] = {}
    for one in amounts:
        found.setdefault((one.unit, one.values), one)
    return [*found.values()]


def _drugs_of_both(expected: _Note, found: _Note, vocabulary: Vocabulary) -> Iterator[tuple[str | None, str | None]]:
    """Each drug as the two texts call it; a dose of no drug is compared where both texts have one."""
    for concept in expected.drugs:
        for other in _counterparts(concept, expected.drugs, found.drugs, vocabulary):
            yield concept, other
    doses = (expected.doses, found.doses)
    if all(None in one.amounts or None in one.frequencies for one in doses):
        yield None, None


def _is_given(amount: Amount, right: Sequence[Amount], given: Sequence[Amount]) -> bool:
    """Whether the reference has an amount, or as much in other words."""
    if not right:
        return False
    if any(amount.is_same(one) for one in right):
        return True
    units = {one.unit for one in right}
    if amount.unit in {"tablets", "mg"} and units & {"tablets", "mg"}:
        return _agree_in_total(amount, right, given)
    return amount.unit not in units and any(one.is_same(another) for one in given for another in right)


def _agree_in_total(amount: Amount, right: Sequence[Amount], given: Sequence[Amount]) -> bool:
    """Whether tablets and their strength come to the same: "two 500 mg tablets" and "1,000 mg"."""
    own = [one for one in given if one.unit != amount.unit]
    totals, others = _totals((amount, *own)), _totals(right)
    if totals and others:
        return bool(totals & others)
    return all(one.unit != amount.unit for one in right)  # tablets of unknown strength: nothing to compare


def _totals(amounts: Sequence[Amount]) -> set[float]:
    """Milligrams at a time."""
    strengths = [one.values[0] for one in amounts if one.unit == "mg" and len(one.values) == 1]
    counts = [one.values[0] for one in amounts if one.unit == "tablets" and len(one.values) == 1] or [1.0]
    return {round(strength * count, 6) for strength in strengths for count in counts}


def _meant(amount: Amount, right: Sequence[Amount], given: Sequence[Amount]) -> Mention | None:
    """The amount of the reference in whose place another stands."""
    left = [one for one in right if not any(one.is_same(another) for another in given)] or list(right)
    for fits in (
        lambda one: one.unit == amount.unit,
        lambda one: one.values == amount.values,
        lambda one: True,  # noqa: ARG005
    ):
        for one in left:
            if fits(one):
                return one.mention
    return None


def _scheduled(frequencies: Sequence[Frequency]) -> list[Frequency]:
    """How often, without "as needed" where a number of times is said too."""
    return [one for one in frequencies if one.per_day != (AS_NEEDED,)] or list(frequencies)


# Sides


def _swapped(expected: _Note, found: _Note, vocabulary: Vocabulary) -> Iterator[CriticalError]:
    right, given = _by_place(expected.sides), _by_place(found.sides)
    for place, sides in right.items():
        others = [side for other in _counterparts(place, right, given, vocabulary) for side in given[other]]
        if others and _all_sides(sides).isdisjoint(_all_sides(others)):
            yield CriticalError("laterality_swapped", sides[0].mention, others[0].mention)


def _by_place(sides: Sequence[Side]) -> dict[str, list[Side]]:
    found: dict[str, list[Side]] = {}
    for side in sides:
        for place in side.of:
            found.setdefault(place, []).append(side)
    return found


def _all_sides(sides: Sequence[Side]) -> set[str]:
    """The sides that are said; left and right are both."""
    named = {side.side for side in sides}
    return named | {BOTH} if {LEFT, RIGHT} <= named else named


# Metrics


def critical_error_rate() -> Metric[Any]:
    """Share of rows whose output has at least one critical error; an invalid answer is one.

    The value is a text, the reference a tuple of texts that are all right; that with the fewest errors counts.
    """

    def judge(output: Output[Any], references: Sequence[str]) -> float:
        return float(output.value is None or bool(_fewest(output.value, references)))

    return mean_metric("critical_error_rate", judge, higher_is_better=False)


def critical_errors() -> Metric[Any]:
    """Mean number of critical errors per row; an invalid answer misses every drug and problem, and is at least one.

    The value is a text, the reference a tuple of texts that are all right; that with the fewest errors counts.
    """
    return _count("critical_errors", len)


def errors_of_kind(kind: str) -> Metric[Any]:
    """Mean number of critical errors of one kind per row, named after the kind.

    An invalid answer counts as at least one of every kind, so that not answering never pays.

    Args:
        kind: One of :data:`KINDS`.

    Raises:
        ConfigurationError: Another kind.
    """
    if kind not in KINDS:
        msg = f"kind={kind!r}: must be one of {', '.join(KINDS)}.{did_you_mean(kind, KINDS)}"
        raise ConfigurationError(msg)
    return _count(kind, lambda errors: sum(error.kind == kind for error in errors))


def _count(name: str, count: Callable[[Sequence[CriticalError]], int]) -> Metric[Any]:
    def judge(output: Output[Any], references: Sequence[str]) -> float:
        if output.value is None:
            return float(max(1, count(_fewest("", references))))
        return float(count(_fewest(output.value, references)))

    return mean_metric(name, judge, higher_is_better=False)


def _fewest(text: str, references: Sequence[str]) -> tuple[CriticalError, ...]:
    return min((find_critical_errors(reference, text) for reference in references), key=len)


CRITICAL_METRICS: tuple[Metric[Any], ...] = (
    critical_error_rate(), critical_errors(), *map(errors_of_kind, KINDS),
)  # fmt: skip
