"""The loop: a subclass of ``transformers.Trainer`` that trains and evaluates on encoded rows of a task."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import torch
import transformers
from safetensors import SafetensorError
from transformers import PrinterCallback, TrainerCallback

from qlorakit.adapters import save_adapter
from qlorakit.checkpoints import failed_save
from qlorakit.errors import TrainingError
from qlorakit.inference import AnswerSet, Questions, Scoring, answer, score
from qlorakit.measuring import is_measurable
from qlorakit.objectives import Lesson, Lessons, LossWeight, Objective, lessons_of
from qlorakit.quantization import evaluating
from qlorakit.sampling import StepLoader, StepRows, find_documents, part_of

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from qlorakit.class_balance import ClassBalance
    from qlorakit.encoding import EncodedRow, EncodedRows, Encoder
    from qlorakit.inference import Answers
    from qlorakit.layout import Layout
    from qlorakit.task import Decision, Example, Output, Row, Task

RESERVED_METRICS = ("loss", "rows", "seconds")  # what evaluations report besides the task's own


logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Data:
    """Rows with their tokens."""

    rows: Sequence[Row]
    encoded: EncodedRows


@dataclass(frozen=True)
class Plan:
    """What is trained on, and how, besides the settings that ``TrainingArguments`` holds.

    Attributes:
        task: Whose targets are learned and whose metrics are measured.
        encoder: Made the tokens.
        training: Rows to learn from.
        evaluation: Rows to measure on; ``None`` to train without.
        layout: How their tokens are laid out for the model.
        loss_weight: Whether every target token, or choice, counts the same, or every row.
        objective: What is minimised.
        negatives: Most wrong choices that a right one is compared with.
        gather_documents: Whether the rows of a document come into the same step.
        class_balance: How rare classes are given more weight.
        repeated: Places of training rows that come once more in every epoch.
    """

    task: Task[Any]
    encoder: Encoder
    training: Data
    evaluation: Data | None
    layout: Layout
    loss_weight: LossWeight = "token"
    objective: Objective = "language_model"
    negatives: int | None = None
    gather_documents: bool = False
    class_balance: ClassBalance = "none"
    repeated: tuple[int, ...] = ()

    def lessons(self, rows: Sequence[EncodedRow], *, draw: str = "") -> Lessons:
        """What there is to learn from rows."""
        return lessons_of(
            rows, objective=self.objective, loss_weight=self.loss_weight, negatives=self.negatives, draw=draw
        )

    def logprobs(self, model: Any, encoded: Sequence[EncodedRow]) -> list[tuple[float, ...]]:  # noqa: ANN401
        """Log-probabilities of every choice, or of the target where there are none, of each example."""
        examples = (item for row in encoded for item in row.encoded)
        sets = [(item.prompt, item.choices or (() if item.target is None else (item.target,))) for item in examples]
        return self.score(model, sets)

    def score(self, model: Any, sets: Sequence[AnswerSet]) -> list[tuple[float, ...]]:  # noqa: ANN401
        """Score sets of answers in the plan's layout."""
        with evaluating(model):
            return score(model, Scoring.prepare(sets, range(len(sets)), self.layout))[0]


class TaskTrainer(transformers.Trainer):  # type: ignore[misc]  # transformers is not typed
    """Trains on the targets of encoded rows, evaluates on the task's own metrics."""

    def __init__(self, *, plan: Plan, **arguments: Any) -> None:  # noqa: ANN401  # the parent's arguments
        super().__init__(
            train_dataset=plan.training.encoded.held,
            eval_dataset=plan.evaluation.encoded.held if plan.evaluation else None,
            data_collator=_as_is,
            **arguments,
        )
        self.plan = plan
        self._warn_of_large_questions()
        self.questions = None
        if plan.evaluation:
            self.questions = Questions(plan.task, plan.evaluation.encoded, plan.layout)
        self.remove_callback(PrinterCallback)  # prints dictionaries where there is no bar
        self.control: TrainerControl

    def _warn_of_large_questions(self) -> None:
        """A question with all of its choices is one whole, which may need more than the budget."""
        budget = self.plan.layout.token_budget
        lessons = self.plan.lessons(self.plan.training.encoded.largest).lessons
        largest = max((_tokens(lesson) for lesson in lessons), default=0)
        if largest > budget > 1:
            logger.warning(
                "a question with its choices has up to %d tokens, which are computed at once although token_budget=%d; "
                "negatives= bounds how many choices are compared", largest, budget,
            )  # fmt: skip

    def get_train_dataloader(self) -> StepLoader:
        """Load the rows of each optimizer step, in an order that follows from the seed."""
        encoded = self.plan.training.encoded
        steps = StepRows(
            len(encoded),
            self.args.per_device_train_batch_size,
            seed=self.args.seed,
            drop_last=self.args.dataloader_drop_last,
            documents=find_documents(encoded) if self.plan.gather_documents else None,
            repeated=self.plan.repeated,
        )
        workers = self.args.dataloader_num_workers
        return StepLoader(self.train_dataset, batch_sampler=steps, collate_fn=_as_is, num_workers=workers)

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: dict[str, list[EncodedRow]],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Run forward and backward over the rows of one optimizer step, micro-batch by micro-batch."""
        model.train()
        rows = inputs["rows"]
        mine = part_of(rows, self.args.process_index, self.args.world_size)
        lessons = self._lessons(mine or rows[:1])
        # Gradients are averaged over processes, so that each one's part counts as often as there are.
        share = self.args.world_size / float(num_items_in_batch or 1) if mine else 0.0
        batches = self.plan.layout.batches(lessons.sequences, lessons.rows, lessons.units)
        loss_sum = torch.zeros((), device=self.args.device)
        with self.plan.layout.engaged(model):
            for number, batch in enumerate(batches, start=1):
                last = number == len(batches)
                with contextlib.nullcontext() if last else self.accelerator.no_sync(model):
                    with self.compute_loss_context_manager():
                        loss = lessons.loss(batch, batch.logprobs(model)) * share
                    self.accelerator.backward(loss)
                loss_sum += loss.detach()
        if not torch.isfinite(loss_sum):
            msg = (
                f"the loss is {float(loss_sum)} at step {self.state.global_step + 1}; nothing is saved from here on. "
                "Try a lower learning_rate, max_grad_norm=0.3, or compute_dtype='float32' in load_quantized"
            )
            raise TrainingError(msg)
        return loss_sum

    def _get_num_items_in_batch(
        self, batch_samples: list[dict[str, list[EncodedRow]]], device: torch.device
    ) -> torch.Tensor | None:
        """Total weight of an optimizer step; every process sees all of its rows."""
        total = sum(self._lessons(sample["rows"]).total_weight for sample in batch_samples)
        return torch.tensor(total, device=device, dtype=torch.float64)

    def _lessons(self, rows: list[EncodedRow]) -> Lessons:
        return self.plan.lessons(rows, draw=f"{self.args.seed} {self.state.global_step}")

    def evaluate(
        self, eval_dataset: object = None, ignore_keys: object = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Ask the evaluation rows and compute the task's metrics."""
        del eval_dataset, ignore_keys
        if self.questions is None:
            return {}
        rows, encoded = self.questions.rows, self.questions.encoded
        began = time.monotonic()
        answers = answer(
            self.model, self.questions, progress=not self.args.disable_tqdm, title="evaluating", keep_predictions=True
        )
        references = [self.plan.task.reference(row) for row in rows]
        _, outputs = decided(self.plan.task, answers.outputs, references)
        metrics = {
            f"{metric_key_prefix}_{metric.name}": float(metric.compute(outputs, references, rows))
            for metric in self.plan.task.metrics
            if is_measurable(metric, outputs)
        }
        metrics[f"{metric_key_prefix}_loss"] = self._target_loss(encoded, answers)
        metrics[f"{metric_key_prefix}_rows"] = len(rows)
        metrics[f"{metric_key_prefix}_seconds"] = round(time.monotonic() - began, 2)
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def fitted_decision(self) -> Decision | None:
        """The decision that fits the evaluation rows best, by the weights as they are now."""
        if self.plan.task.decision is None or self.questions is None:
            return None
        answers = answer(self.model, self.questions, progress=not self.args.disable_tqdm, title="fitting thresholds")
        references = [self.plan.task.reference(row) for row in self.questions.rows]
        return decided(self.plan.task, answers.outputs, references)[0]

    def _target_loss(self, encoded: Sequence[EncodedRow], answers: Answers) -> float:
        """Mean loss of the evaluation's examples, weighted as in training, over all of their choices."""
        lessons = self.plan.lessons(encoded)
        asked = [
            (item, right, _wrong_choices(example), prediction.logprobs)
            for row, predictions in zip(encoded, answers.predictions, strict=True)
            for item, example, prediction in zip(row.encoded, row.examples, predictions, strict=True)
            for right in example.right
        ]
        written = [(item.prompt, (item.target,)) for item, *_, logprobs in asked if logprobs is None and item.target]
        scored = iter(self.plan.score(self.model, written))
        losses = [
            -next(scored)[0] if logprobs is None else _loss_of(lesson, logprobs, right, wrong)
            for lesson, (_, right, wrong, logprobs) in zip(lessons.lessons, asked, strict=True)
        ]
        return sum(lesson.weight * loss for lesson, loss in zip(lessons.lessons, losses, strict=True)) / (
            lessons.total_weight
        )

    def _determine_best_metric(self, metrics: dict[str, float], trial: Any) -> bool:  # noqa: ANN401  # the parent's type
        """Of two evaluations with the same value, the one with the lower loss is better."""
        key = f"eval_{self.args.metric_for_best_model}"
        if self.state.best_metric is not None and metrics.get(key) == self.state.best_metric:
            history = {
                record["step"]: record["eval_loss"] for record in self.state.log_history if "eval_loss" in record
            }
            if metrics["eval_loss"] < history[self.state.best_global_step]:
                self.state.best_global_step = self.state.global_step
                return True
            return False
        return bool(super()._determine_best_metric(metrics, trial))

    def floating_point_ops(self, inputs: object) -> int:
        """Count nothing: the parent's estimate assumes whole rows of tokens."""
        del inputs
        return 0

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        """Write the adapter without asking the Hub about its base, and no pickled arguments."""
        del state_dict
        save_adapter(self.model, self.plan.encoder.tokenizer, Path(output_dir or str(self.args.output_dir)))

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:  # noqa: ANN401  # the parent's type
        try:
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError, ValueError, SafetensorError) as error:  # a full disk comes as any of them
            folder = Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}"
            raise failed_save(folder, error) from error


def decided(
    task: Task[Any], outputs: Sequence[Output[Any]], references: Sequence[Any]
) -> tuple[Decision | None, Sequence[Output[Any]]]:
    """The decision that fits outputs best, where the task has such, and the outputs under it.

    In training the same rows fit thresholds and choose the checkpoint; neither is a result.
    """
    if task.decision is None:
        return None, outputs
    decision = task.decision.fit(outputs, references)
    return decision, [task.decision.apply(output, decision) for output in outputs]


class EarlyStopping(TrainerCallback):  # type: ignore[misc]
    """Stop when the metric has not improved for some evaluations.

    The count is taken from the log each time: unlike a counter, it survives a resume.
    """

    def __init__(self, metric: str, patience: int, *, higher: bool) -> None:
        self.key, self.patience, self.sign = f"eval_{metric}", patience, 1 if higher else -1

    def on_evaluate(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Compare the latest value with the best."""
        del args
        values = [self.sign * record[self.key] for record in state.log_history if self.key in record]
        if len(values) - 1 - values.index(max(values)) >= self.patience:
            control.should_training_stop = True


def _tokens(lesson: Lesson) -> int:
    """Of a lesson, when what its sequences begin with is counted once."""
    return len(lesson.sequences[0].prompt) + sum(len(item.answer) for item in lesson.sequences)


def _wrong_choices(example: Example) -> list[str]:
    return [choice for choice in example.choices or () if choice not in example.right]


def _loss_of(lesson: Lesson, logprobs: Mapping[str, float], right: str, wrong: Sequence[str]) -> float:
    """Loss of a lesson from the log-probabilities of all choices: of a right one, or that beside the wrong ones."""
    if len(lesson.sequences) == 1:
        return -logprobs[right]
    among = torch.tensor([logprobs[choice] for choice in (right, *wrong)], dtype=torch.float64)
    return float(among.logsumexp(0)) - logprobs[right]


def _as_is(rows: list[EncodedRow]) -> dict[str, list[EncodedRow]]:
    return {"rows": rows}
