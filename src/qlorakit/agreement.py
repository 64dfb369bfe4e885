"""Whether two models answer the same questions alike: questions that are remembered, and how far answers differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from qlorakit.inference import AnswerSet, Scoring, generate, score
from qlorakit.quantization import evaluating

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from qlorakit.encoding import EncodedRow, EncodedRows, Encoder
    from qlorakit.layout import Layout
    from qlorakit.task import Prediction

Item = TypeVar("Item")
# Attribute of an adapted model: questions of the rows that training measured on, as tokens, in memory alone.
SAMPLE = "qlorakit_sample"
MOST_QUESTIONS, MOST_TOKENS = 256, 1 << 17
# Questions in free text whose answers are written in full, which takes a forward pass for each token.
MOST_WRITTEN = 16


@dataclass(frozen=True)
class Sample:
    """Questions that two models can be asked, as tokens.

    Attributes:
        encoder: Made the tokens.
        layout: How a model is asked.
        closed: Prompts with all of their choices.
        free: Prompts with the target alone.
        rows: From so many rows.
        origin: Which rows these are, in words.
        fingerprint: Of all the rows that they were drawn from.
    """

    encoder: Encoder
    layout: Layout
    closed: tuple[AnswerSet, ...]
    free: tuple[AnswerSet, ...]
    rows: int
    origin: str
    fingerprint: str

    @classmethod
    def of(cls, encoded: EncodedRows, layout: Layout, *, origin: str, fingerprint: str) -> Sample:
        """Draw questions at equal distances from all rows, as many as can be asked soon and kept in memory."""
        mean = max(1.0, sum(encoded.sizes) / max(1, len(encoded)))
        places = spread(range(len(encoded)), max(1, min(MOST_QUESTIONS, int(MOST_TOKENS / mean))))
        most = max(1, MOST_QUESTIONS // max(1, len(places)))
        rows = [encoded[place] for place in places]
        closed = [item for row in rows for item in spread(list(_closed(row)), most)]
        free = [item for row in rows for item in spread(list(_free(row)), most)]
        return cls(encoded.encoder, layout, tuple(closed), tuple(free), len(rows), origin, fingerprint)

    @property
    def questions(self) -> int:
        """How many there are."""
        return len(self.closed) + len(self.free)

    @property
    def lengths(self) -> Iterator[int]:
        """What each log-probability is divided by: an answer in free text, which may be long, counts by its tokens."""
        yield from (1 for _, choices in self.closed for _ in choices)
        yield from (len(target) for _, (target,) in self.free)


@dataclass(frozen=True)
class Said:
    """What a model said to a sample.

    Attributes:
        closed: Log-probability in nats of every choice of each question.
        free: That of each target.
        written: Answers to the first questions in free text.
    """

    closed: list[tuple[float, ...]]
    free: list[tuple[float, ...]]
    written: list[Prediction]


@dataclass(frozen=True)
class Agreement:
    """How far the answers of two models are apart.

    Attributes:
        shift: Largest change of a probability: of a choice among all choices, or of a free text's average token.
        largest: Difference of the log-probability of a choice, or of a free text's average token, in nats.  Choices
            that neither model thinks of differ most, in bfloat16 by several tenths where they have -20 nats.
        mean: Difference, likewise.
        compared: Log-probabilities.
        agreeing: Predictions that are the same: the likeliest choice, or the text that is written.
        predictions: In all.
    """

    shift: float
    largest: float
    mean: float
    compared: int
    agreeing: int
    predictions: int

    def __str__(self) -> str:
        """Say it in one clause."""
        return (
            f"probabilities change by {self.shift:.2g} at most (log-probabilities by {self.largest:.2g} nats, "
            f"{self.mean:.2g} on average), and {self.agreeing} of {self.predictions} predictions are the same"
        )


def ask(model: PreTrainedModel, sample: Sample, *, advance: Callable[[float], None] = lambda _: None) -> Said:
    """Ask a model all questions of a sample, by the same code that predicts and evaluates.

    Raises:
        ModelError: It answers with NaN.
    """
    layout = sample.layout
    sets = [*sample.closed, *sample.free]
    prompts = [prompt for prompt, _ in sample.free[:MOST_WRITTEN]]
    with evaluating(model):
        scored = score(model, Scoring.prepare(sets, range(len(sets)), layout), advance=advance)[0]
        written = generate(
            model, sample.encoder, prompts, token_budget=layout.token_budget, share_prefix=layout.shared
        )[0]
    return Said(scored[: len(sample.closed)], scored[len(sample.closed) :], written)


def agreement(sample: Sample, first: Said, second: Said) -> Agreement:
    """Compare what two models said to the same sample."""
    pairs = zip(_flat(first), _flat(second), sample.lengths, strict=True)
    off = [abs(one - other) / length for one, other, length in pairs]
    same = [_likeliest(one) == _likeliest(other) for one, other in zip(first.closed, second.closed, strict=True)]
    same += [one == other for one, other in zip(first.written, second.written, strict=True)]
    shifts = zip(_probabilities(sample, first), _probabilities(sample, second), strict=True)
    shift = max((abs(one - other) for one, other in shifts), default=0.0)
    return Agreement(shift, max(off, default=0.0), math.fsum(off) / max(1, len(off)), len(off), sum(same), len(same))


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many of the items, at equal distances."""
    if len(items) <= most:
        return list(items)
    return [items[number * len(items) // most] for number in range(most)]


def _closed(row: EncodedRow) -> Iterator[AnswerSet]:
    return ((item.prompt, item.choices) for item in row.encoded if item.choices)


def _free(row: EncodedRow) -> Iterator[AnswerSet]:
    return ((item.prompt, (item.target,)) for item in row.encoded if not item.choices and item.target is not None)


def _flat(said: Said) -> list[float]:
    return [value for values in (*said.closed, *said.free) for value in values]


def _probabilities(sample: Sample, said: Said) -> Iterator[float]:
    """Of every choice among those of its question, and of the average token of each text."""
    for logprobs in said.closed:
        top = max(logprobs)
        shares = [math.exp(value - top) for value in logprobs]
        yield from (share / math.fsum(shares) for share in shares)
    for (_, (target,)), (value,) in zip(sample.free, said.free, strict=True):
        yield math.exp(value / len(target))


def _likeliest(logprobs: Sequence[float]) -> int:
    return max(range(len(logprobs)), key=logprobs.__getitem__)
