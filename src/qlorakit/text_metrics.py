"""Metrics of generated text against one or several right ones, over rouge-score, sacrebleu and jiwer.

The value is a text, the reference a tuple of texts that are all right; each metric takes the best of them.  An invalid
answer scores 0, and so does an empty one, which is a text like any other; their word error rate is 1.  Each metric says
what it leaves out of texts; nothing else is.

These packages are optional: ``pip install qlorakit[text]``.  A package that is missing and a reference that
cannot be scored are errors even where every answer is invalid, so that both can be found before a model is asked.
"""

from __future__ import annotations

import functools
import importlib
import math
import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.metrics import each_row, mean_metric
from qlorakit.task import Metric

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qlorakit.task import Output, Row

    Texts = tuple[str, ...]

ROUGE_VARIANTS = ("rouge1", "rouge2", "rougeL")
ROUGE_TOKEN = re.compile("[a-z0-9]")
# Texts whose scores are kept, so that a bootstrap does not score them again.
REMEMBERED = 2**13


def rouge(variant: str = "rougeL", *, stemming: bool = False) -> Metric[Any]:
    """Mean over rows of ROUGE's F1: what an answer and a right text have in common (Lin, 2004).

    Exactly that of the package rouge-score: words are lower-cased runs of the letters a to z and digits, anything else
    parts them, and none is left out as too common.  So texts in other scripts have no words, which is an error rather
    than a 0; :func:`chrf` serves all scripts.  A right text of one word has no pairs: ``"rouge2"`` is 0 there, as in
    rouge-score.

    Args:
        variant: ``"rouge1"`` (words), ``"rouge2"`` (pairs of words) or ``"rougeL"`` (longest common subsequence).
        stemming: Whether words are reduced by Porter's stemmer for English.  The metric's name then says so.

    Raises:
        ConfigurationError: Another variant; or, when it is computed, rouge-score is not installed.
    """
    if variant not in ROUGE_VARIANTS:
        msg = f"variant={variant!r}: must be one of {', '.join(map(repr, ROUGE_VARIANTS))}"
        raise ConfigurationError(msg)
    name = f"{variant}_stemmed" if stemming else variant

    @functools.cache
    def scorer() -> Any:  # noqa: ANN401  # rouge-score is not typed
        scorers = optional("rouge_score.rouge_scorer", metric=name, package="rouge-score")
        tokenizers = importlib.import_module("rouge_score.tokenizers")
        return scorers.RougeScorer([variant], tokenizer=tokenizers.DefaultTokenizer(stemming))

    def check(references: Texts) -> None:
        scorer()
        if not any(ROUGE_TOKEN.search(reference.lower()) for reference in references):
            msg = "no reference has a letter from a to z or a digit, so that ROUGE would always be 0; use chrf instead"
            raise DataError(msg)

    def score(text: str, references: Texts) -> float:
        return float(scorer().score_multi(references, text)[variant].fmeasure)

    return _text_metric(name, score, check)


def chrf() -> Metric[Any]:
    """Mean over rows of chrF2, from 0 to 1: the F2 of runs of 1 to 6 characters (Popović, 2015).

    Sentence-level chrF of the package sacrebleu with its defaults, divided by 100: white space is left out, case
    matters.  It is the mean over rows, not the score of the whole corpus, for which sacrebleu publishes no totals.

    Raises:
        ConfigurationError: When it is computed, sacrebleu is not installed.
    """

    @functools.cache
    def scorer() -> Any:  # noqa: ANN401  # sacrebleu comes with the extra alone
        return optional("sacrebleu.metrics.chrf", metric="chrf2", package="sacrebleu").CHRF()

    def score(text: str, references: Texts) -> float:
        return float(scorer().sentence_score(text, references).score) / 100

    return _text_metric("chrf2", score, lambda _: scorer())


def word_error_rate() -> Metric[Any]:
    """Words to be replaced, removed and added to make the answers right, as a share of the words of the right texts.

    As the package jiwer computes it over all rows together (Morris, Maier, Green, 2004): rows count by their length,
    and answers that are too long can exceed 1.  Texts are :func:`normalised` first; punctuation stays with its word.
    Of several right texts the one with the fewest errors counts, and where two tie, the longer one.  An invalid answer
    is one without words.

    Raises:
        ConfigurationError: When it is computed, jiwer is not installed.
    """
    remembered = functools.lru_cache(maxsize=REMEMBERED)(_word_errors)

    def judge(output: Output[Any], reference: Texts) -> tuple[float, float]:
        return remembered("" if output.value is None else output.value, _checked(reference))

    def counts(output: Output[Any], reference: Texts, row: Row) -> Sequence[float]:
        del row
        return judge(output, reference)

    def compute(outputs: Sequence[Output[Any]], references: Sequence[Texts], rows: Sequence[Row]) -> float:
        del rows
        errors, words = zip(*each_row(judge, outputs, references), strict=True)
        return math.fsum(errors) / math.fsum(words)

    return Metric(
        "word_error_rate",
        compute,
        higher_is_better=False,
        counts=counts,
        from_counts=lambda totals: totals[:, 0] / totals[:, 1],
    )


def _word_errors(text: str, references: Texts) -> tuple[float, float]:
    """The word errors of a text against the nearest right one, and how many words that has."""
    jiwer = optional("jiwer", metric="word_error_rate", package="jiwer")
    found, nearest = normalised(text), []
    for right in filter(None, map(normalised, references)):
        edits = jiwer.process_words(right, found)
        nearest.append((float(edits.substitutions + edits.deletions + edits.insertions), float(len(right.split()))))
    return min(nearest, key=lambda pair: (pair[0], -pair[1]))


def exact_match_text() -> Metric[Any]:
    """Share of rows whose text is one of the right ones, both :func:`normalised`."""

    def score(text: str, references: Texts) -> float:
        found = normalised(text)
        return float(bool(found) and found in map(normalised, references))

    return _text_metric("exact_match_text", score, lambda _: None)


def normalised(text: str) -> str:
    """A text without differences of writing that nobody means.

    Compatible characters are made one (Unicode NFKC), case is folded, and each run of white space is one space, with
    none at either end.  Punctuation, articles and signs stay: "-5%" is not "5".
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def optional(module: str, *, metric: str, package: str) -> Any:  # noqa: ANN401  # a module
    """Import what comes with the extra ``text``.

    Args:
        module: Its full name.
        metric: What needs it, for the message.
        package: What it is installed as.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        msg = f"the metric {metric!r} needs the package {package}, which is not there: pip install qlorakit[text]"
        raise ConfigurationError(msg) from error


def _text_metric(name: str, score: Callable[[str, Texts], float], check: Callable[[Texts], object]) -> Metric[Any]:
    """The mean of a score per row; ``check`` refuses right texts that it cannot be had for."""
    remembered = functools.lru_cache(maxsize=REMEMBERED)(score)

    def judge(output: Output[Any], reference: Texts) -> float:
        references = _checked(reference)
        check(references)
        return 0.0 if output.value is None else remembered(output.value, references)

    def best(references: Sequence[Texts], rows: Sequence[Row]) -> float:
        del rows
        return math.fsum(max(remembered(text, right) for text in right) for right in references) / len(references)

    return replace(mean_metric(name, judge), best=best)


def _checked(references: Texts) -> Texts:
    """The right texts of a row, if they are some: one text alone would be read as its letters."""
    if isinstance(references, str) or not references or not all(isinstance(text, str) for text in references):
        msg = f"the reference must be a tuple of one or more right texts, not {type(references).__name__}"
        raise DataError(msg)
    if not any(text.strip() for text in references):
        msg = "every right text of it is empty, so that no answer could be right; remove the row or fill one in"
        raise DataError(msg)
    return tuple(references)
