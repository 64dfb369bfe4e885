"""The types a task is made of.  A plugin author reads this file and nothing else.

A row becomes one or more examples, the model answers each with a prediction, and the predictions of one row are parsed
into one output, which metrics compare with the reference taken from the row itself::

    Row ──format──▶ Example ... Prediction ──parse──▶ Output ──metrics──▶ number
    Row ──reference──▶ value ─────────────────────────────────▲
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:  # a plugin imports this file at start-up: nothing heavy here
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

Row = Mapping[str, Any]
V = TypeVar("V")


@dataclass(frozen=True)
class Part:
    """A piece of a message.

    Attributes:
        text: What it says.
        may_cut: Whether it may be shortened, from its end, when the prompt is too long for the context.
    """

    text: str
    may_cut: bool = False


@dataclass(frozen=True)
class Message:
    """One turn of the conversation that asks the question.

    Attributes:
        role: ``"system"``, ``"user"`` or ``"assistant"``.
        parts: Its text in pieces, joined without anything between them.
    """

    role: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The whole text of the message."""
        return "".join(part.text for part in self.parts)


@dataclass(frozen=True)
class Example:
    """One question to the model.

    Attributes:
        messages: The conversation up to the answer.
        choices: The closed set of answers, ranked by likelihood; ``None`` means free text, which is generated.
        target: The right answer, one of ``choices`` where there are any; ``None`` where it is not known.
        key: Which question of the row this is, for tasks that ask several.
    """

    messages: tuple[Message, ...]
    choices: tuple[str, ...] | None = None
    target: str | None = None
    key: Hashable = None


@dataclass(frozen=True)
class Prediction:
    """What the model said to one example.

    Attributes:
        text: The answer: the likeliest choice, or the generated text.
        valid: Whether the answer can be one at all; generated text that never ended is not.
        logprobs: Log-probability in nats of every choice, end of turn included; ``None`` for generated text.
    """

    text: str
    valid: bool = True
    logprobs: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Output(Generic[V]):
    """The answer to one row.

    Attributes:
        value: The parsed answer; ``None`` means that there was no valid one, which always counts as wrong.
        scores: Probability of each possible value, where the model gave any.
    """

    value: V | None
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Metric(Generic[V]):
    """A number that says how good outputs are.

    Attributes:
        name: As it is reported and selected by, such as ``"macro_f1"``.
        compute: The value from all outputs, references and rows.
        higher_is_better: ``False`` for errors and costs.
        counts: One row's contribution to totals from which the value follows.  With it, thousands of bootstrap
            resamples cost one matrix product instead of thousands of computations.
        from_counts: Values [resamples] from the totals [resamples, counts].  Needed where ``counts`` is given.
    """

    name: str
    compute: Callable[[Sequence[Output[V]], Sequence[V], Sequence[Row]], float]
    higher_is_better: bool = True
    counts: Callable[[Output[V], V, Row], Sequence[float]] | None = None
    from_counts: Callable[[FloatArray], FloatArray] | None = None


@dataclass(frozen=True)
class Column:
    """A column that a task reads.

    Attributes:
        name: What the task calls it.
        aliases: Other names under which public files carry it, matched without regard to case.
        label: Whether it holds the reference, and so is not needed for prediction.
    """

    name: str
    aliases: tuple[str, ...] = ()
    label: bool = False


@dataclass(frozen=True)
class FileFormat:
    """A file format of the task's domain that no general reader understands.

    Attributes:
        name: For messages.
        recognises: Whether a file is in this format, from its path and first lines (decoded as latin-1).
        read: Rows of the file, keyed by the task's column names, each with the number of its line.
    """

    name: str
    recognises: Callable[[Path, Sequence[str]], bool]
    read: Callable[[Path], Iterable[tuple[int, Row]]]


@dataclass(frozen=True)
class PublicDataset:
    """A public data set the task reads as published.

    Attributes:
        name: Its usual name.
        url: Where it is published.
        licence: Under which terms, in particular whether commercial use is allowed.
        citation: Who made it.
        traps: What is known to go wrong with it.
    """

    name: str
    url: str
    licence: str
    citation: str
    traps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task(Generic[V]):
    """What a plugin supplies: how to ask about a row, and how to read and judge the answer.

    ``dataclasses.replace(task, ...)`` adapts one; a script can build its own without a plugin.

    Attributes:
        name: ``"domain/task"``.
        summary: One line for listings.
        format: The examples of a row.  The target is set where the row carries its label.
        parse: The row's output from its examples and their predictions, in the same order.
        reference: The true value, taken from the row and never through ``format``.
        metrics: What is measured; the first one selects the best checkpoint unless told otherwise.
        labels: The closed set of values, where there is one.
        columns: What the task reads from a row.
        file_formats: Domain file formats it reads besides the general ones.
        group: A value shared by rows that must not be split apart, such as a document's name.
        samples: Hand-written rows, so that the task can be tried without any data.
        datasets: The public data sets it reads.
    """

    name: str
    summary: str
    format: Callable[[Row], Sequence[Example]]
    parse: Callable[[Row, Sequence[Example], Sequence[Prediction]], Output[V]]
    reference: Callable[[Row], V]
    metrics: tuple[Metric[V], ...]
    labels: tuple[str, ...] | None = None
    columns: tuple[Column, ...] = ()
    file_formats: tuple[FileFormat, ...] = ()
    group: Callable[[Row], Hashable] | None = None
    samples: tuple[Row, ...] = ()
    datasets: tuple[PublicDataset, ...] = ()


@dataclass(frozen=True)
class BaseModel:
    """A model that a plugin carries or points to; ``load_quantized`` resolves its name to the folder.

    Attributes:
        name: ``"publisher/model"``.
        folder: Local folder with configuration, tokenizer and safetensors weights.
        summary: One line for listings.
        licence: Of the weights.
    """

    name: str
    folder: Path
    summary: str
    licence: str
