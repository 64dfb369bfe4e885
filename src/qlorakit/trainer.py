"""The loop: a subclass of ``transformers.Trainer`` that trains and evaluates on encoded rows of a task."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import torch
import transformers
from safetensors import SafetensorError
from transformers import PrinterCallback, TrainerCallback

from qlorakit.adapters import save_adapter
from qlorakit.checkpoints import failed_save
from qlorakit.errors import TrainingError
from qlorakit.inference import answer_rows, evaluating, pad_id, score
from qlorakit.padded_batch import Continuation, padded_batches

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    from qlorakit.encoding import EncodedRow, Encoder
    from qlorakit.inference import Answers
    from qlorakit.task import Row, Task

LossWeight = Literal["token", "row"]
RESERVED_METRICS = ("loss", "seconds")  # what evaluations report besides the task's own


@dataclass(frozen=True)
class Data:
    """Rows with their tokens."""

    rows: tuple[Row, ...]
    encoded: tuple[EncodedRow, ...]


@dataclass(frozen=True)
class Plan:
    """What is trained on, and how, besides the settings that ``TrainingArguments`` holds.

    Attributes:
        task: Whose targets are learned and whose metrics are measured.
        encoder: Made the tokens.
        training: Rows to learn from.
        evaluation: Rows to measure on; ``None`` to train without.
        token_budget: Most tokens of a micro-batch.
        loss_weight: Whether every target token counts the same, or every row.
    """

    task: Task[Any]
    encoder: Encoder
    training: Data
    evaluation: Data | None
    token_budget: int
    loss_weight: LossWeight

    def logprobs(self, model: Any, encoded: Sequence[EncodedRow]) -> list[tuple[float, ...]]:  # noqa: ANN401
        """Log-probabilities of every choice, or of the target where there are none, of each example."""
        examples = (item for row in encoded for item in row.encoded)
        sets = [(item.prompt, item.choices or (() if item.target is None else (item.target,))) for item in examples]
        return self.score(model, sets)

    def score(self, model: Any, sets: Any) -> list[tuple[float, ...]]:  # noqa: ANN401
        """Score sets of answers within the plan's budget."""
        with evaluating(model):
            return score(model, sets, pad=pad_id(self.encoder), token_budget=self.token_budget, advance=lambda _: None)[
                0
            ]


class TaskTrainer(transformers.Trainer):  # type: ignore[misc]  # transformers is not typed
    """Trains on the targets of encoded rows, evaluates on the task's own metrics."""

    def __init__(self, *, plan: Plan, **arguments: Any) -> None:  # noqa: ANN401  # the parent's arguments
        super().__init__(
            train_dataset=list(plan.training.encoded),
            eval_dataset=list(plan.evaluation.encoded) if plan.evaluation else None,
            data_collator=_as_is,
            **arguments,
        )
        self.plan = plan
        self.remove_callback(PrinterCallback)  # prints dictionaries where there is no bar
        self.control: TrainerControl

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: dict[str, list[EncodedRow]],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Run forward and backward over the rows of one optimizer step, micro-batch by micro-batch."""
        model.train()
        sequences, weights = supervised(inputs["rows"], self.plan.loss_weight)
        total = float(num_items_in_batch or 0)
        batches = padded_batches(sequences, token_budget=self.plan.token_budget, pad=pad_id(self.plan.encoder))
        loss_sum = torch.zeros((), device=self.args.device)
        for number, batch in enumerate(batches, start=1):
            last = number == len(batches)
            with contextlib.nullcontext() if last else self.accelerator.no_sync(model):
                with self.compute_loss_context_manager():
                    scale = torch.tensor([weights[item] for item in batch.items], device=self.args.device)
                    per_token = scale.repeat_interleave(torch.tensor(batch.sizes, device=self.args.device))
                    # Gradients are averaged over processes, so that each one's part counts as often as there are.
                    loss = -(batch.logprobs(model) * per_token).sum() * (self.args.world_size / total)
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
        """Total weight of an optimizer step over all processes."""
        total = 0.0
        for sample in batch_samples:
            sequences, weights = supervised(sample["rows"], self.plan.loss_weight)
            total += sum(weight * len(item.answer) for item, weight in zip(sequences, weights, strict=True))
        tensor = torch.tensor(total, device=device, dtype=torch.float64)
        return self.accelerator.gather(tensor).sum() if self.args.world_size > 1 else tensor

    def evaluate(
        self, eval_dataset: object = None, ignore_keys: object = None, metric_key_prefix: str = "eval"
    ) -> dict[str, float]:
        """Ask the evaluation rows and compute the task's metrics."""
        del eval_dataset, ignore_keys
        if self.plan.evaluation is None:
            return {}
        rows, encoded = self.plan.evaluation.rows, self.plan.evaluation.encoded
        began = time.monotonic()
        answers = answer_rows(
            self.model,
            self.plan.encoder,
            rows,
            encoded,
            self.plan.task,
            token_budget=self.plan.token_budget,
            progress=not self.args.disable_tqdm,
            title="evaluating",
        )
        references = [self.plan.task.reference(row) for row in rows]
        metrics = {
            f"{metric_key_prefix}_{metric.name}": float(metric.compute(answers.outputs, references, rows))
            for metric in self.plan.task.metrics
        }
        metrics[f"{metric_key_prefix}_loss"] = self._target_loss(encoded, answers)
        metrics[f"{metric_key_prefix}_seconds"] = round(time.monotonic() - began, 2)
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _target_loss(self, encoded: Sequence[EncodedRow], answers: Answers) -> float:
        """Mean negative log-likelihood of the evaluation targets, weighted as in training."""
        sequences, weights = supervised(encoded, self.plan.loss_weight)
        total = sum(weight * len(item.answer) for item, weight in zip(sequences, weights, strict=True))
        known = [
            prediction.logprobs[example.target] if prediction.logprobs is not None else None
            for row, predictions in zip(encoded, answers.predictions, strict=True)
            for example, prediction in zip(row.examples, predictions, strict=True)
            if example.target is not None
        ]
        open_sets = [
            (item.prompt, (item.answer,)) for item, value in zip(sequences, known, strict=True) if value is None
        ]
        scored = iter(self.plan.score(self.model, open_sets))
        values = [next(scored)[0] if value is None else value for value in known]
        return -sum(weight * value for value, weight in zip(values, weights, strict=True)) / total

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


def supervised(rows: Iterable[EncodedRow], loss_weight: LossWeight) -> tuple[list[Continuation], list[float]]:
    """The sequences to learn from, and the weight of each one's answer tokens."""
    sequences: list[Continuation] = []
    weights: list[float] = []
    for row in rows:
        targets = [(item.prompt, item.target) for item in row.encoded if item.target is not None]
        size = sum(len(target) for _, target in targets)
        sequences.extend(Continuation(prompt, target) for prompt, target in targets)
        weights.extend([1.0 if loss_weight == "token" else 1.0 / size] * len(targets))
    return sequences, weights


def _as_is(rows: list[EncodedRow]) -> dict[str, list[EncodedRow]]:
    return {"rows": rows}
