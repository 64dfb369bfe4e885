"""The types a task is made of.  A plugin author reads this file and nothing else.

A row becomes one or more examples, the model answers each with a prediction, and the predictions of one row are parsed
into one output, which metrics compare with the reference taken from the row itself::

    Row ──format──▶ Example ... Prediction ──parse──▶ Output ──metrics──▶ number
    Row ──reference──▶ value ─────────────────────────────────▲
"""

from __future__ import annotations

import operator
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
Decision = Mapping[str, float]


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
        also: Further choices that are right as well, each of which is learned from as the target is.
        window: First character and the one behind the last of what is read, where the row's text is read in pieces.
    """

    messages: tuple[Message, ...]
    choices: tuple[str, ...] | None = None
    target: str | None = None
    key: Hashable = None
    also: tuple[str, ...] = ()
    window: tuple[int, int] | None = None

    @property
    def right(self) -> tuple[str, ...]:
        """All right answers; none where they are not known."""
        return () if self.target is None else (self.target, *self.also)


# How many tokens are left where the longest of some examples is put to the model; negative where it does not fit.
Room = Callable[[Sequence[Example]], int]


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
        needs_scores: Whether it is about probabilities.  It is not computed for systems that give none.
        counts: One row's contribution to totals from which the value follows.  With it, thousands of bootstrap
            resamples cost one matrix product instead of thousands of computations.
        from_counts: Values [resamples] from the totals [resamples, counts].  Needed where ``counts`` is given.
        resampled: For metrics that follow from no totals, such as those of ranks: prepared once for all outputs,
            references and rows, it gives values [resamples] from how often each row was drawn [resamples, rows].
        best: The value of outputs that are all right, from references and rows, where even these do not reach 1 (or 0,
            where less is better).
    """

    name: str
    compute: Callable[[Sequence[Output[V]], Sequence[V], Sequence[Row]], float]
    higher_is_better: bool = True
    needs_scores: bool = False
    counts: Callable[[Output[V], V, Row], Sequence[float]] | None = None
    from_counts: Callable[[FloatArray], FloatArray] | None = None
    resampled: (
        Callable[[Sequence[Output[V]], Sequence[V], Sequence[Row]], Callable[[FloatArray], FloatArray]] | None
    ) = None
    best: Callable[[Sequence[V], Sequence[Row]], float] | None = None


@dataclass(frozen=True)
class DecisionRule(Generic[V]):
    """How scores become an answer, where that is better fitted than fixed: the thresholds of several labels.

    It is fitted on validation rows, for each system by itself, and the tuned model's is saved with its adapter.

    Attributes:
        fit: A decision from outputs and their references, never those that are evaluated.
        apply: The output with the value that its scores have under a decision.
        default: Where nothing has been fitted.
        accepts: Whether a decision that was saved with an adapter is one of this rule; any is, unless given.
    """

    fit: Callable[[Sequence[Output[V]], Sequence[V]], Decision]
    apply: Callable[[Output[V], Decision], Output[V]]
    default: Decision
    accepts: Callable[[Decision], bool] | None = None

    def saved_or_default(self, saved: Decision | None) -> Decision:
        """The decision that was saved, where there is one and it is this rule's, or else the default one."""
        return saved if saved and (self.accepts is None or self.accepts(saved)) else self.default


@dataclass(frozen=True)
class Baseline(Generic[V]):
    """What answers rows without a language model, at next to no cost.

    Attributes:
        name: As reports call it, such as ``"majority"``.
        answer: Outputs for the last rows, after learning from the first ones, which are labelled.
        from_labels_alone: Whether it may learn from the evaluated rows where no others are given, as the commonest
            label may: what it learns there flatters it, not the model.
    """

    name: str
    answer: Callable[[Task[V], Sequence[Row], Sequence[Row]], Sequence[Output[V]]]
    from_labels_alone: bool = False


@dataclass(frozen=True)
class ClassScores:
    """How one class fared.

    Attributes:
        label: The class.
        precision: Share of the answers with this class that were right; 0 where it was never answered.
        recall: Share of what is of this class that was answered right; 0 where there is none.
        f1: Harmonic mean of the two.
        support: How often it occurs among the references.
        predicted: How often it was answered.
    """

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int


@dataclass(frozen=True)
class Column:
    """A column that a task reads.

    Attributes:
        name: What the task calls it.
        aliases: Other names under which public files carry it, matched without regard to case.
        label: Whether it holds the reference, and so is not needed for prediction.
        optional: Whether rows may do without it.
        refused: Names of columns that must not stand for this one, each with the reason: ``(name, reason)`` pairs,
            matched without regard to case.
    """

    name: str
    aliases: tuple[str, ...] = ()
    label: bool = False
    optional: bool = False
    refused: tuple[tuple[str, str], ...] = ()


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
        identifier: What it is found by, such as ``"owner/name"`` on a hub or a number in a repository of data.
        url: Where it is published.
        licence: Under which terms, in particular whether commercial use is allowed.
        citation: Who made it.
        columns: What a row of it holds, as published.
        traps: What is known to go wrong with it.
    """

    name: str
    identifier: str
    url: str
    licence: str
    citation: str
    columns: tuple[str, ...]
    traps: tuple[str, ...] = ()


def _as_it_is(value: V) -> V:
    return value


@dataclass(frozen=True)
class Task(Generic[V]):
    """What a plugin supplies: how to ask about a row, and how to read and judge the answer.

    ``dataclasses.replace(task, ...)`` adapts one; a script can build its own without a plugin.

    Attributes:
        name: ``"domain/task"``.
        summary: One line for listings.
        format: The examples of a row.  The target is set where the row carries its label.
        format_to_fit: Used in its place where a model is asked, for rows whose text may be too long for it: the
            examples of a row in so many pieces of its text that all fit.  ``format`` is then this with room for all.
        parse: The row's output from its examples and their predictions, in the same order.
        reference: The true value, taken from the row and never through ``format``.
        metrics: What is measured; the first one selects the best checkpoint unless told otherwise.
        kind: What kind of task it is, in words, for reports.
        labels: The closed set of labels, where there is one.
        single: Whether each row has exactly one of these labels.
        matches: Whether a value is right, given the reference; equality unless told otherwise.
        classes: How each class fared, from outputs and references.
        decision: How scores become an answer, where that is fitted.
        baselines: What the model must beat.
        tells_text: Whether values hold text of the rows or the model, which reports keep only when asked to.
        restore: A value from the lists, texts and numbers that a saved report holds of it; needed for named tuples.
        tell: What ``predict`` returns of an output about a row, where that is not its value.
        expressible: The reference as far as an answer in this format can give it, for the ceiling that a report states;
            all of it unless told otherwise.
        columns: What the task reads from a row.
        file_formats: Domain file formats it reads besides the general ones.
        group: A value shared by rows that must not be split apart, such as a document's name; ``None`` for a row that
            belongs with no other.
        ignore_digits: Whether texts that differ in digits alone are near-duplicates; not where rows are made of
            numbers, as those of a table are.
        samples: Hand-written rows, so that the task can be tried without any data.
        datasets: The public data sets it reads.
    """

    name: str
    summary: str
    format: Callable[[Row], Sequence[Example]]
    parse: Callable[[Row, Sequence[Example], Sequence[Prediction]], Output[V]]
    reference: Callable[[Row], V]
    metrics: tuple[Metric[V], ...]
    format_to_fit: Callable[[Row, Room], Sequence[Example]] | None = None
    kind: str = "custom"
    labels: tuple[str, ...] | None = None
    single: bool = False
    matches: Callable[[V, V], bool] = operator.eq
    classes: Callable[[Sequence[Output[V]], Sequence[V]], Sequence[ClassScores]] | None = None
    decision: DecisionRule[V] | None = None
    baselines: tuple[Baseline[V], ...] = ()
    tells_text: bool = True
    restore: Callable[[Any], V] = _as_it_is
    tell: Callable[[Row, Output[V]], Any] | None = None
    expressible: Callable[[Row], Output[V]] | None = None
    columns: tuple[Column, ...] = ()
    file_formats: tuple[FileFormat, ...] = ()
    group: Callable[[Row], Hashable] | None = None
    ignore_digits: bool = True
    samples: tuple[Row, ...] = ()
    datasets: tuple[PublicDataset, ...] = ()

    def __str__(self) -> str:
        """What it is about, the columns of its rows, its metrics and data, and a sample as the model is asked it."""
        from qlorakit.listing import describe

        return describe(self)


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
