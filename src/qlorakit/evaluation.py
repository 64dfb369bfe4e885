"""Evaluate a model on a task: ask, parse, measure, compare with what costs less."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qlorakit.bitsandbytes_offline import peft

from qlorakit import baselines
from qlorakit.adapters import CHOSEN_ON, base_record, is_fresh, warn_of_other_task
from qlorakit.encoding import TEMPLATE_DATE, template_hash
from qlorakit.errors import ConfigurationError
from qlorakit.inference import Questions, answer, build_encoder, layout_for, warn_of
from qlorakit.logits import one_at_a_time
from qlorakit.metrics import class_scores, confusion, is_right
from qlorakit.records import versions
from qlorakit.report import Comparison, Estimate, Report, System
from qlorakit.rows import as_rows, check_rows, check_task, fingerprint, input_key, row_ids
from qlorakit.splits import overlap
from qlorakit.statistics import bootstrap_values, mcnemar, percentile_interval

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from qlorakit.encoding import EncodedRow
    from qlorakit.layout import PrefixSharing
    from qlorakit.task import FloatArray, Output, Row, Task


FEW_ROWS = 50


@dataclass(frozen=True)
class _Measured:
    """A system's outputs with the bootstrap values of every metric."""

    name: str
    outputs: Sequence[Output[Any]]
    values: Mapping[str, float]
    resampled: Mapping[str, FloatArray]
    tokens: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class _Sheet:
    """The rows that every system answers, and how their answers are judged."""

    task: Task[Any]
    rows: Sequence[Row]
    ids: Sequence[str]
    encoded: Sequence[EncodedRow]
    references: Sequence[Any]
    resamples: int
    confidence: float
    seed: int

    def measure(self, name: str, outputs: Sequence[Output[Any]], **cost: Any) -> _Measured:  # noqa: ANN401
        """Compute every metric, on the rows and on their resamples."""
        judged = outputs, self.references, self.rows
        values = {metric.name: float(metric.compute(*judged)) for metric in self.task.metrics}
        resampled = {
            metric.name: bootstrap_values(metric, *judged, resamples=self.resamples, seed=self.seed)
            for metric in self.task.metrics
        }
        return _Measured(name, outputs, values, resampled, **cost)

    def baselines(self, train: Sequence[Row] | None) -> Iterator[_Measured]:
        """What costs next to nothing, where there is a closed set of labels."""
        if self.task.labels:
            yield self.measure("majority", baselines.majority(self.task, train or self.rows, self.rows))
            if train:
                yield self.measure("tfidf", baselines.tfidf(self.task, train, self.rows))

    def system(self, measured: _Measured) -> System:
        """Describe one system."""
        outputs, references, labels = measured.outputs, self.references, self.task.labels
        estimates = {
            name: Estimate(value, *percentile_interval(measured.resampled[name], confidence=self.confidence))
            for name, value in measured.values.items()
        }
        return System(
            name=measured.name,
            metrics=estimates,
            invalid=sum(output.value is None for output in outputs) / len(references),
            classes=class_scores(outputs, references, labels) if labels else None,
            confusion=confusion(outputs, references, labels) if labels else None,
            seconds=None if measured.seconds is None else round(measured.seconds, 2),
            tokens=measured.tokens,
        )

    def compare(self, first: _Measured, other: _Measured) -> Comparison:
        """Compare two systems on the same rows and the same resamples."""
        differences = {
            name: Estimate(
                value - other.values[name],
                *percentile_interval(first.resampled[name] - other.resampled[name], confidence=self.confidence),
            )
            for name, value in first.values.items()
        }
        right = (list(map(is_right, one.outputs, self.references)) for one in (first, other))
        return Comparison(first.name, other.name, differences, mcnemar(*right))

    def predictions(self, measured: Sequence[_Measured], *, include_text: bool) -> Iterator[dict[str, Any]]:
        """What every system said to every row, without texts unless asked for."""
        shown = include_text or self.task.labels is not None  # an answer in free text is a text like any other
        for index, (identity, reference) in enumerate(zip(self.ids, self.references, strict=True)):
            record: dict[str, Any] = {"row_id": identity}
            if shown:
                record["reference"] = reference
            if include_text:
                asked = self.encoded[index].examples
                record["text"] = [message.text for example in asked for message in example.messages]
            for system in measured:
                output = system.outputs[index]
                record[system.name] = {"right": is_right(output, reference), "scores": dict(output.scores)}
                if shown:
                    record[system.name]["value"] = output.value
            yield record


@one_at_a_time
def evaluate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Iterable[Row],
    *,
    task: Task[Any],
    baseline: bool = False,
    train_dataset: Iterable[Row] | None = None,
    max_length: int | None = None,
    max_new_tokens: int = 256,
    token_budget: int | None = None,
    prefix_sharing: PrefixSharing = "auto",
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    include_text: bool = False,
    progress: bool = True,
) -> Report:
    """Measure a model on labelled rows it was not trained on.

    A closed set of choices is answered by likelihood, open text by generation.  Intervals are percentile bootstrap
    intervals over rows; differences between systems are resampled in pairs.

    Args:
        model: With or without adapter.
        tokenizer: Its tokenizer.
        rows: Labelled, in the task's column names.
        task: How to ask, read and judge.
        baseline: Whether to ask the same rows with the adapter switched off as well.
        train_dataset: The rows it was trained on: for the TF-IDF baseline and the majority class, and to count rows
            that were trained on.  Without it the majority class is taken from the evaluated rows themselves.
        max_length: Most tokens of prompt and answer; the model's context unless given.
        max_new_tokens: Most tokens of a generated answer.
        token_budget: Most tokens of a forward pass; from model and memory unless given.
        prefix_sharing: Whether what prompts have in common is computed once; see ``train``.
        resamples: Bootstrap samples.
        confidence: Of the intervals.
        seed: Of the bootstrap.
        include_text: Whether the saved report may hold the rows' texts, and answers in free text; without it such an
            answer is only said to be right or wrong.
        progress: Whether to show bars.

    Returns:
        A report: print it, save it as JSON.

    Raises:
        ConfigurationError: A setting is out of range, or ``baseline`` was asked of a model without adapter.
        DataError: A row is unusable or has no label.
        EncodingError: A prompt does not fit and cannot be cut.
        PluginError: The task fails on a row.
        ModelError: The model answers with NaN.
        PrefixSharingError: ``prefix_sharing`` is ``"on"``, and the model cannot.
    """
    adapted = isinstance(model, peft.PeftModel)
    _check_settings(resamples, confidence, seed, baseline=baseline, adapted=adapted)
    check_task(task)
    warn_of_other_task(model, task.name)
    rows = as_rows(rows)
    check_rows(rows, task, labelled=True)
    ids = row_ids(rows)
    train = as_rows(train_dataset, source="train_dataset") if train_dataset is not None else None
    if train is not None:
        check_rows(train, task, labelled=True, source="train_dataset")
    encoder = build_encoder(model, tokenizer, max_length=max_length, max_new_tokens=max_new_tokens)
    encoded = encoder.encode_rows(rows, task)
    notes = [*warn_of(encoded).warnings(), *_notes(train, rows, task), *_model_notes(model, rows, task)]
    sheet = _Sheet(task, rows, ids, encoded, list(map(task.reference, rows)), resamples, confidence, seed)
    layout = layout_for(model, encoder, encoded, prefix_sharing=prefix_sharing, token_budget=token_budget)
    questions = Questions.prepare(task, encoder, rows, encoded, layout)

    def ask(name: str) -> _Measured:
        began = time.monotonic()
        answers = answer(model, questions, progress=progress, title=f"asking {name}")
        return sheet.measure(name, answers.outputs, tokens=answers.tokens, seconds=time.monotonic() - began)

    measured = [ask("tuned" if adapted else "base")]
    if baseline:
        with model.disable_adapter():
            measured.append(ask("base"))
    measured.extend(sheet.baselines(train))
    return Report(
        task=task.name,
        rows=len(rows),
        labels=task.labels,
        systems=tuple(map(sheet.system, measured)),
        comparisons=tuple(sheet.compare(measured[0], other) for other in measured[1:]),
        predictions=tuple(sheet.predictions(measured, include_text=include_text)),
        notes=tuple(notes),
        settings={
            "higher_is_better": {metric.name: metric.higher_is_better for metric in task.metrics},
            "confidence": confidence,
            "resamples": resamples,
            "seed": seed,
            "max_length": encoder.max_length,
            "max_new_tokens": encoder.max_new_tokens,
            "token_budget": layout.token_budget,
            "prefix_sharing": layout.shared,
            "template": template_hash(tokenizer),
            "template_date": TEMPLATE_DATE,
            "rows_fingerprint": fingerprint(rows),
            "train_fingerprint": fingerprint(train) if train is not None else None,
            "base": base_record(model),
            "versions": versions(),
        },
    )


def _check_settings(resamples: int, confidence: float, seed: int, *, baseline: bool, adapted: bool) -> None:
    if resamples < 100:  # noqa: PLR2004  # fewer do not reach into the tails
        msg = f"resamples={resamples}: an interval needs at least 100"
        raise ConfigurationError(msg)
    if seed < 0:
        msg = f"seed={seed}: must be a whole number from 0 on"
        raise ConfigurationError(msg)
    if not 0.5 <= confidence < 1:  # noqa: PLR2004
        msg = f"confidence={confidence}: must be at least 0.5 and below 1, such as 0.95"
        raise ConfigurationError(msg)
    if baseline and not adapted:
        msg = "baseline=True compares an adapter with its base, and this model has no adapter"
        raise ConfigurationError(msg)


def _model_notes(model: PreTrainedModel, rows: Sequence[Row], task: Task[Any]) -> Iterator[str]:
    """What a reader must know about the model and how much the rows can say of it."""
    if len(rows) < FEW_ROWS:
        yield f"only {len(rows)} rows: intervals and tests are rough, and an interval of one point means nothing"
    if isinstance(model, peft.PeftModel) and is_fresh(model):
        yield "the adapter is untrained: it answers as the base does"
    chosen_on = vars(model).get(CHOSEN_ON, frozenset())
    seen = sum(input_key(row, task) in chosen_on for row in rows)
    if seen:
        yield f"{seen} of {len(rows)} rows chose the checkpoint in training: the numbers flatter the tuned model"


def _notes(train: Sequence[Row] | None, rows: Sequence[Row], task: Task[Any]) -> Iterator[str]:
    """What a reader must know about the rows."""
    if train is None:
        if task.labels:
            yield "no train_dataset was given: no TF-IDF baseline, and the majority class is that of these rows"
        return
    shared = overlap(train, rows, task)
    if shared:
        yield (
            f"{len(shared)} of {len(rows)} rows ask what a training row asks (row {shared[0] + 1} first): the numbers "
            "flatter the tuned model and TF-IDF; qlorakit.split keeps such rows together"
        )
