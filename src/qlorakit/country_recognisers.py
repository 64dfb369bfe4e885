"""Recognisers of official numbers by country and of phone numbers, over Presidio and phonenumbers.

Both are optional: ``pip install qlorakit[privacy]``.  Presidio's recognisers of patterns are used directly, without its
analyzer, which would download a language model.  Importing Presidio takes seconds, and brings in spaCy, and torch and
transformers where they are installed: it is imported at the first search that needs it.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from qlorakit.errors import ConfigurationError
from qlorakit.recognisers import LIKELY, Recogniser, Span, compile_context, in_context, phone_candidates

EUROPEAN_UNION = (
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
)  # fmt: skip
NATIONAL = re.compile(r"0[1-9]\d{0,4}[ /-]\d{2,9}(?:[ -]\d{2,9}){0,4}")  # with the trunk prefix 0
ALWAYS, NEVER = 0.0, 2.0


@dataclass(frozen=True)
class Predefined:
    """How one of Presidio's recognisers is used.

    Attributes:
        kind: Of what it finds.
        name: Presidio's class.
        country: Where such numbers are issued; empty for anywhere.
        alone: Presidio's score from which a find counts without a context word nearby.
        least: Presidio's score below which its patterns are left out.
        context: Context words to ask for instead of Presidio's, as a regular expression.
        only_if: What a text must hold for Presidio to be asked at all, as a regular expression: this is much faster.
    """

    kind: str
    name: str
    country: str = ""
    alone: float = NEVER
    least: float = 0.0
    context: str = ""
    only_if: str = ""


PREDEFINED = (
    Predefined(
        "us_itin",
        "UsItinRecognizer",
        "US",
        alone=0.5,
        context="itin|taxpayer|tax ?id|tin",
        only_if=r"9\d\d[ -]?\d\d[ -]?\d{4}",
    ),
    Predefined(
        "us_npi",
        "UsNpiRecognizer",
        "US",
        context="npi|national provider|provider identifier|provider id",
        only_if=r"[12]\d{3}[ -]?\d{3}[ -]?\d{2}",
    ),
    Predefined("us_mbi", "UsMbiRecognizer", "US", alone=0.5, only_if=r"[1-9][A-Za-z][A-Za-z0-9]\d-?[A-Za-z]"),
    Predefined(
        "us_driving_licence",
        "UsLicenseRecognizer",
        "US",
        least=0.2,
        context=r"driver'?s?|driving|dl|d\.l\.",
        only_if=r"[A-Za-z0-9]\d{3}",
    ),
    Predefined("passport", "UsPassportRecognizer", "US", context="passports?", only_if=r"\d{8}"),
    Predefined("passport", "UkPassportRecognizer", "UK", context="passports?", only_if=r"[A-Za-z]{2}\d{7}"),
    Predefined("passport", "InPassportRecognizer", "IN", context="passports?", only_if=r"[A-Za-z][1-9]\d\s?\d{5}"),
    Predefined(
        "passport", "DePassportRecognizer", "DE", context="passport|reisepass|reisepassnummer|passnummer", only_if=r"\d"
    ),
    Predefined("passport", "EsPassportRecognizer", "ES", context="passport|pasaporte", only_if=r"\d{6}"),
    Predefined("passport", "ItPassportRecognizer", "IT", context="passport|passaporto", only_if=r"\d{5}"),
    Predefined("uk_nhs", "NhsRecognizer", "UK", only_if=r"\d{3}[- ]?\d{3}[- ]?\d{4}"),
    Predefined("uk_nino", "UkNinoRecognizer", "UK", alone=0.5, only_if=r"[A-Za-z]{2} ?\d\d ?\d\d ?\d\d"),
    Predefined("uk_driving_licence", "UkDrivingLicenceRecognizer", "UK", alone=0.5, only_if=r"\w{5}\d{6}"),
    Predefined("in_pan", "InPanRecognizer", "IN", alone=0.5, least=0.1, only_if=r"[A-Za-z]{5}\d{4}"),
    Predefined("in_voter", "InVoterRecognizer", "IN", context="voter|epic|elector", only_if=r"[A-Za-z]{3}\d{7}"),
    Predefined("de_tax_id", "DeTaxIdRecognizer", "DE", only_if=r"\d{11}"),
    Predefined("de_social_security", "DeSocialSecurityRecognizer", "DE", only_if=r"\d{8}[A-Za-z]\d{3}"),
    Predefined("de_id_card", "DeIdCardRecognizer", "DE", only_if=r"\w{8}\d"),
    Predefined("de_health_insurance", "DeHealthInsuranceRecognizer", "DE", only_if=r"[A-Za-z]\d{9}"),
    Predefined("es_nif", "EsNifRecognizer", "ES", alone=1.0, only_if=r"\d{7}-?[A-Za-z]"),
    Predefined("es_nie", "EsNieRecognizer", "ES", alone=1.0, only_if=r"[X-Zx-z]\d{7}-?[A-Za-z]"),
    Predefined(
        "fi_hetu", "FiPersonalIdentityCodeRecognizer", "FI", alone=1.0, least=0.5, only_if=r"\d{6}[-+A-Ya-y]\d{3}"
    ),
    Predefined(
        "it_fiscal_code", "ItFiscalCodeRecognizer", "IT", alone=ALWAYS, only_if=r"(?<!\w)(?=[A-Za-z]*\d)\w{16}(?!\w)"
    ),
    Predefined("pl_pesel", "PlPeselRecognizer", "PL", only_if=r"\d{11}"),
    Predefined("se_personnummer", "SePersonnummerRecognizer", "SE", least=0.5, only_if=r"\d{6}[-+]?\d{4}"),
)
MOST_SURE = 0.99


def country_recognisers(kinds: frozenset[str], countries: frozenset[str]) -> list[Recogniser]:
    """Recognisers over Presidio of these kinds and countries.

    Raises:
        ConfigurationError: Presidio is needed and not installed.
    """
    wanted = [item for item in PREDEFINED if item.kind in kinds and (not item.country or item.country in countries)]
    return [Recogniser(item.kind, functools.partial(_find, item), _score(item)) for item in wanted if _presidio(item)]


def phones(countries: frozenset[str]) -> Recogniser:
    """Phone numbers that exist in the numbering plans of these countries, or of the one that a prefix names.

    Raises:
        ConfigurationError: phonenumbers is not installed.
    """
    numbers = _optional("phonenumbers", "phonenumbers")
    regions = tuple("GB" if country == "UK" else country for country in sorted(countries))

    def exists(said: str, region: str | None) -> bool:
        try:
            return bool(numbers.is_valid_number(numbers.parse(said, region)))
        except numbers.NumberParseException:
            return False

    def find(text: str) -> Iterator[Span]:
        for (start, end), told in phone_candidates(text, countries):
            said = text[start:end]
            national = NATIONAL.fullmatch(said)
            if said.startswith("+"):
                sure = exists(said, None)
            else:
                sure = bool(told or national) and any(exists(said, region) for region in regions)
            if sure:
                yield start, end

    return Recogniser("phone", find, LIKELY)


def _score(item: Predefined) -> float:
    return MOST_SURE if item.country else LIKELY


def _optional(module: str, package: str) -> Any:  # noqa: ANN401  # a module
    try:
        return importlib.import_module(module)
    except ImportError as error:
        msg = (
            f"builtin_only=False needs the package {package}, which is not there: pip install qlorakit[privacy]; "
            "builtin_only=True does without, and finds fewer kinds"
        )
        raise ConfigurationError(msg) from error


@functools.cache
def _presidio(item: Predefined) -> tuple[Any, re.Pattern[str], re.Pattern[str]]:
    """One of Presidio's recognisers, the words one of which is to stand near its finds, and what a text must hold."""
    found = getattr(_optional("presidio_analyzer.predefined_recognizers", "presidio-analyzer"), item.name)
    patterns = [pattern for pattern in found.PATTERNS if pattern.score >= item.least]
    recogniser = found(patterns=patterns)
    words = compile_context(item.context or "|".join(map(re.escape, recogniser.context)))
    return recogniser, words or re.compile(r"(?!)"), re.compile(item.only_if)


def _find(item: Predefined, text: str) -> Iterator[Span]:
    recogniser, words, form = _presidio(item)
    if not form.search(text):
        return
    near = words.search(text) is not None
    if not near and item.alone == NEVER:
        return
    for result in recogniser.analyze(text, entities=recogniser.supported_entities, nlp_artifacts=None):
        alone = result.score >= item.alone
        if alone or (near and in_context(text, result.start, result.end, words)):
            yield result.start, result.end
