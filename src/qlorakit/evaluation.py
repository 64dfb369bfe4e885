"""Evaluate a model on a task: ask it, its base and the baselines the same questions, and measure."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qlorakit.bitsandbytes_offline import peft

from qlorakit.adapters import CHOSEN_ON, DECISION, HISTORY, base_record, is_fresh, warn_of_other_task, weights_hash
from qlorakit.encoding import TEMPLATE_DATE, template_hash
from qlorakit.errors import ConfigurationError, EncodingError
from qlorakit.inference import Questions, answer, build_encoder, layout_for, warn_of
from qlorakit.logits import one_at_a_time
from qlorakit.machine import machine_record
from qlorakit.measuring import Answered, Sheet
from qlorakit.memory import PeakMemory
from qlorakit.plugins import supplier_of
from qlorakit.records import versions
from qlorakit.report import Cost
from qlorakit.rows import as_rows, check_rows, check_task, fingerprint, input_key, row_ids
from qlorakit.shots import draw_shots, with_shots, without_answers
from qlorakit.slicing import by_columns
from qlorakit.splits import overlap
from qlorakit.statistics import Resampling

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from qlorakit.encoding import EncodedRows, Encoder
    from qlorakit.layout import PrefixSharing
    from qlorakit.report import Report
    from qlorakit.task import Decision, Row, Task

FEW_ROWS = 50
SHOTS = 4
TUNED, BASE = "tuned", "base"


@one_at_a_time
def evaluate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Iterable[Row],
    *,
    task: Task[Any],
    baseline: bool = False,
    shots: int | None = None,
    train_dataset: Iterable[Row] | None = None,
    validation_dataset: Iterable[Row] | None = None,
    slices: Sequence[str] = (),
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

    A closed set of choices is answered by likelihood, open text by generation.  ``docs/statistics.md``
    says how intervals are found; rows of one group of the task, such as a document's, are resampled together.

    Args:
        model: With or without adapter.
        tokenizer: Its tokenizer.
        rows: Labelled, in the task's column names.
        task: How to ask, read and judge.
        baseline: Whether to ask the same rows with the adapter switched off as well.
        shots: How many training rows to show the base model, with their answers, before each question, for one more
            system to compare with; fewer where they do not fit.  Unless given, 4 where ``baseline`` and
            ``train_dataset`` are, and none elsewhere.
        train_dataset: The rows it was trained on: for the task's baselines, for ``shots``, and to count rows that were
            trained on.  Without it the majority class is taken from the evaluated rows themselves.
        validation_dataset: Labelled rows on which the thresholds of each system are fitted, where the task has some.
            Without it the tuned model has those saved with its adapter, and every other system the default ones.
        slices: Columns by whose values the main metric is shown as well; text length and label frequency always are.
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
        A report: print it, save it as JSON or as a page.

    Raises:
        ConfigurationError: A setting is out of range, ``baseline`` was asked of a model without adapter, ``shots``
            without ``train_dataset``, or a slice of a column that no row has.
        DataError: A row is unusable or has no label.
        EncodingError: A prompt does not fit and cannot be cut.
        PluginError: The task fails on a row.
        ModelError: The model answers with NaN.
        PrefixSharingError: ``prefix_sharing`` is ``"on"``, and the model cannot.
    """
    adapted = isinstance(model, peft.PeftModel)
    if shots is None:
        shots = SHOTS if baseline and train_dataset is not None else 0
    _check_settings(baseline=baseline, adapted=adapted, shots=shots, train=train_dataset)
    resampling = Resampling(resamples=resamples, confidence=confidence, seed=seed)
    check_task(task)
    warn_of_other_task(model, task.name)
    data = _Data.read(task, rows, train_dataset, validation_dataset)
    by_columns(data.rows, slices)  # an unknown one is refused before anything takes long
    encoder = build_encoder(model, tokenizer, max_length=max_length, max_new_tokens=max_new_tokens)
    asking = _Asking(model, encoder, data, prefix_sharing, token_budget, progress=progress)
    answered = [asking.ask(TUNED if adapted else BASE, vars(model).get(DECISION))]
    if baseline:
        with model.disable_adapter():
            answered.append(asking.ask(BASE))
    if shots:
        with model.disable_adapter() if adapted else contextlib.nullcontext():
            answered.extend(asking.ask_with_shots(shots, seed))
    answered.extend(_answer_baselines(data))
    sheet = Sheet.of(task, data.rows, data.ids, resampling)
    texts = None
    if include_text:
        texts = [[message.text for message in row.examples[0].messages] for row in asking.questions.encoded]
    return sheet.report(
        answered,
        notes=[*asking.notes, *_notes(data), *_model_notes(model, data.rows, task)],
        settings={
            **asking.settings(),
            "shots": shots,
            "base": base_record(model),
            "adapter": weights_hash(model) if adapted else None,
            "parameters": _parameters(model),
            "versions": versions(),
            "machine": machine_record(model.device),
            "plugin": supplier_of(task),
        },
        slices=slices,
        label_counts=Counter(map(task.reference, data.train)) if data.train and task.single else None,
        texts=texts,
        training=vars(model).get(HISTORY, ()),
    )


@dataclass(frozen=True)
class _Data:
    """Rows to be asked, and those that were learned or chosen from."""

    task: Task[Any]
    rows: Sequence[Row]
    ids: list[str]
    train: Sequence[Row] | None
    validation: Sequence[Row] | None

    @classmethod
    def read(
        cls,
        task: Task[Any],
        rows: Iterable[Row],
        train: Iterable[Row] | None,
        validation: Iterable[Row] | None,
    ) -> _Data:
        """Check all rows."""
        given = {"the rows": rows, "train_dataset": train, "validation_dataset": validation}
        read = {name: as_rows(found, source=name) for name, found in given.items() if found is not None}
        for name, found in read.items():
            check_rows(found, task, labelled=True, source=name)
        asked = read["the rows"]
        return cls(task, asked, row_ids(asked), read.get("train_dataset"), read.get("validation_dataset"))


class _Asking:
    """Asks a model, and keeps count of what that costs."""

    def __init__(
        self,
        model: PreTrainedModel,
        encoder: Encoder,
        data: _Data,
        prefix_sharing: PrefixSharing,
        token_budget: int | None,
        *,
        progress: bool,
    ) -> None:
        self.model, self.encoder, self.data, self.progress = model, encoder, data, progress
        self.prefix_sharing, self.token_budget = prefix_sharing, token_budget
        self.notes: list[str] = []
        task = without_answers(data.task)
        rows = encoder.encode_rows(data.rows, task)
        self.notes += warn_of(rows)
        self.questions = self._prepare(task, rows)
        self.validation: Questions | None = None
        if task.decision and data.validation:
            self.validation = self._prepare(task, encoder.encode_rows(data.validation, task))

    def ask(
        self,
        name: str,
        decision: Decision | None = None,
        questions: Questions | None = None,
        validation: Questions | None = None,
    ) -> Answered:
        """Ask all rows; thresholds are fitted on validation rows, asked in the same way, where there are some."""
        questions, validation = questions or self.questions, validation or self.validation
        rule, began = questions.task.decision, time.monotonic()
        with PeakMemory(self.model.device) as memory:
            answers = answer(self.model, questions, progress=self.progress, title=f"asking {name}")
        seconds = round(time.monotonic() - began, 2)
        cost = Cost(seconds, answers.tokens, questions.encoded.tokens_alone, memory.peak_bytes)
        if rule is None:
            return Answered(name, answers.outputs, cost)
        if validation:
            fitted = answer(self.model, validation, progress=self.progress, title=f"fitting {name}")
            decision = rule.fit(fitted.outputs, list(map(questions.task.reference, validation.rows)))
        decision = rule.saved_or_default(decision)
        return Answered(name, [rule.apply(output, decision) for output in answers.outputs], cost, decision)

    def ask_with_shots(self, shots: int, seed: int) -> list[Answered]:
        """Ask after some answered training rows, as many as fit into the context; not at all where none does."""
        drawn = draw_shots(self.data.task, self.data.train or [], shots=shots, seed=seed)
        while drawn:
            task = without_answers(with_shots(self.data.task, drawn))
            try:
                encoded = self.encoder.encode_rows(self.data.rows, task)
            except EncodingError:
                drawn.pop()
                continue
            if encoded.counts.cut_tokens <= self.questions.encoded.counts.cut_tokens:
                break
            drawn.pop()
        if len(drawn) < shots:
            self.notes.append(
                f"only {len(drawn)} of {shots} shots fit into the context of {self.encoder.max_length} tokens"
            )
        if not drawn:
            return []
        validation = None
        if self.validation:
            validation = self._prepare(task, self.encoder.encode_rows(self.validation.rows, task))
        questions = self._prepare(task, encoded)
        name = f"{BASE} with {len(drawn)} shot{'s' if len(drawn) > 1 else ''}"
        return [self.ask(name, questions=questions, validation=validation)]

    def _prepare(self, task: Task[Any], encoded: EncodedRows) -> Questions:
        layout = layout_for(
            self.model, self.encoder, encoded.longest, prefix_sharing=self.prefix_sharing,
            token_budget=self.token_budget,
        )  # fmt: skip
        return Questions(task, encoded, layout)

    def settings(self) -> dict[str, Any]:
        """How rows were asked."""
        train, validation = self.data.train, self.data.validation
        return {
            "max_length": self.encoder.max_length,
            "max_new_tokens": self.encoder.max_new_tokens,
            "token_budget": self.questions.layout.token_budget,
            "prefix_sharing": self.questions.layout.shared,
            "template": template_hash(self.encoder.tokenizer),
            "template_date": TEMPLATE_DATE,
            "rows_fingerprint": fingerprint(self.data.rows),
            "train_fingerprint": fingerprint(train) if train is not None else None,
            "validation_fingerprint": fingerprint(validation) if validation is not None else None,
        }


def _answer_baselines(data: _Data) -> Iterator[Answered]:
    """What the task's baselines say, with thresholds fitted as the model's are."""
    for baseline in data.task.baselines:
        learned_from = data.train or (data.rows if baseline.from_labels_alone else None)
        if learned_from is None:
            continue
        outputs = baseline.answer(data.task, learned_from, data.rows)
        rule = data.task.decision
        if rule is None or not any(output.scores for output in outputs):
            yield Answered(baseline.name, outputs)
            continue
        decision = rule.default
        if data.validation:
            fitted = baseline.answer(data.task, learned_from, data.validation)
            decision = rule.fit(fitted, list(map(data.task.reference, data.validation)))
        yield Answered(baseline.name, [rule.apply(output, decision) for output in outputs], decision=decision)


def _check_settings(*, baseline: bool, adapted: bool, shots: int, train: Iterable[Row] | None) -> None:
    if baseline and not adapted:
        msg = "baseline=True compares an adapter with its base, and this model has no adapter"
        raise ConfigurationError(msg)
    if shots < 0 or (shots and train is None):
        msg = f"shots={shots}: shows so many rows of train_dataset, which must be given"
        raise ConfigurationError(msg)


def _parameters(model: PreTrainedModel) -> dict[str, int]:
    """How many parameters there are, and how many of them the adapter trained or could train."""
    if not isinstance(model, peft.PeftModel):
        return {"trainable": 0, "total": model.num_parameters()}
    adapter = sum(parameter.numel() for name, parameter in model.named_parameters() if "lora_" in name)
    return {"trainable": adapter, "total": model.get_nb_trainable_parameters()[1]}


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


def _notes(data: _Data) -> Iterator[str]:
    """What a reader must know about the rows."""
    task, rows, train = data.task, data.rows, data.train
    if task.decision and data.validation is None:
        yield "no validation_dataset was given: thresholds of the base and the baselines are not fitted"
    if data.validation and (shared := overlap(data.validation, rows, task)):
        yield f"{len(shared)} of {len(rows)} rows ask what a validation row asks: thresholds were fitted on them"
    if train is None:
        missing = [one.name for one in task.baselines if not one.from_labels_alone]
        if task.baselines:
            left_out = f"no {', '.join(missing)}, and " if missing else ""
            yield f"no train_dataset was given: {left_out}the majority is that of these rows"
        return
    shared = overlap(train, rows, task)
    if shared:
        yield (
            f"{len(shared)} of {len(rows)} rows ask what a training row asks (row {shared[0] + 1} first): the numbers "
            "flatter the tuned model and TF-IDF; qlorakit.split keeps such rows together"
        )
