"""The loop: a subclass of ``transformers.Trainer`` that trains and evaluates on encoded rows of a task."""

from __future__ import annotations

import contextlib
import itertools
import logging
import math
import pickle
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import torch
import transformers
from safetensors import SafetensorError
from transformers import PrinterCallback, TrainerCallback
from transformers.trainer_pt_utils import nested_gather

from qlorakit.adapters import save_adapter
from qlorakit.checkpoint_contents import LOSSES
from qlorakit.checkpoints import Checkpoints, check_files, discard, failed_save, how_to_resume
from qlorakit.errors import MemoryShortageError, PluginError, QlorakitError, TrainingError
from qlorakit.inference import AnswerSet, Questions, Scoring, answer, score
from qlorakit.measuring import is_measurable
from qlorakit.objectives import Lesson, Lessons, LossWeight, Objective, lessons_of
from qlorakit.quantization import evaluating
from qlorakit.sampling import StepLoader, StepRows, find_documents, part_of
from qlorakit.stepping import NOTHING_TRAINED, Step, agreed, alone, gradient_norm, numbers_in_words

if TYPE_CHECKING:
    from transformers import PreTrainedModel, TrainerControl, TrainerState, TrainingArguments

    from qlorakit.class_balance import ClassBalance
    from qlorakit.encoding import EncodedRow, EncodedRows, Encoder
    from qlorakit.inference import Answers
    from qlorakit.layout import Layout
    from qlorakit.task import Decision, Example, Metric, Output, Row, Task

RESERVED_METRICS = ("loss", "rows", "seconds")  # what evaluations report besides the task's own
FIRST_BUDGET = "first_token_budget"  # in the course of a run whose budget was halved since
BUDGETS = ("token_budget_before", "token_budget")  # in the record of a step that was computed again in smaller pieces
MOST_ROWS_LOOKED_AT = 64  # to tell a loss that is zero everywhere from one that is zero by chance
NOTHING_LEARNED = (
    "what is trained has no effect on the loss. Adapters are scaled by zero (alpha_pattern), or one half of them is "
    "frozen while the other still is zero; attach a new adapter with attach_lora and leave its weights trainable"
)
NOTHING_WEIGHS = "nothing is supervised: the weights of all target tokens add up to zero"
ALL_IS_KNOWN = (
    "there is nothing to learn. Every right choice is certain already, by so much that rounding leaves nothing of the "
    "wrong ones, as it happens where choices differ much in length; objective='language_model' learns all the same"
)


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


def steps_of(plan: Plan, arguments: TrainingArguments) -> StepRows:
    """The rows of each step of a run, in their order."""
    encoded = plan.training.encoded
    return StepRows(
        len(encoded),
        arguments.per_device_train_batch_size,
        seed=arguments.seed,
        drop_last=arguments.dataloader_drop_last,
        documents=find_documents(encoded) if plan.gather_documents else None,
        repeated=plan.repeated,
    )


class TaskTrainer(transformers.Trainer):  # type: ignore[misc]  # transformers is not typed
    """Trains on the targets of encoded rows, evaluates on the task's own metrics."""

    def __init__(self, *, plan: Plan, foreseen: int | None = None, **arguments: Any) -> None:  # noqa: ANN401
        """Take what the parent takes besides.

        Args:
            plan: What is trained on, and how.
            foreseen: The most memory that the run is foreseen to hold, in bytes.
            **arguments: The parent's.
        """
        super().__init__(
            train_dataset=plan.training.encoded.held,
            eval_dataset=plan.evaluation.encoded.held if plan.evaluation else None,
            data_collator=_as_is,
            **arguments,
        )
        self.plan, self.foreseen = plan, foreseen
        self._warn_of_large_questions()
        self.questions = None
        if plan.evaluation:
            self.questions = Questions(plan.task, plan.evaluation.encoded, plan.layout)
        self.remove_callback(PrinterCallback)  # prints dictionaries where there is no bar
        self.add_callback(_LossesGoOn(self))
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
        steps, workers = steps_of(self.plan, self.args), self.args.dataloader_num_workers
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
        total = float(num_items_in_batch or 0)
        if not total:
            raise self._stopped(NOTHING_WEIGHS, rows)
        mine = part_of(rows, self.args.process_index, self.args.world_size)
        # Gradients are averaged over processes, so that each one's part counts as often as there are.
        share = self.args.world_size / total if mine else 0.0
        step = self._step(model)
        try:
            loss, layout = step.compute(self._lessons(mine or rows[:1]), share, self.plan.layout)
        except MemoryShortageError as error:
            msg = f"{self._where(rows)}: {error}. {self._left()}"
            raise MemoryShortageError(msg) from error
        if layout != self.plan.layout:
            self._take(layout)
        self._check_numbers(step, rows, loss)
        return loss

    def _step(self, model: torch.nn.Module) -> Step:
        autocast = self.compute_loss_context_manager
        return Step(model, self.accelerator, autocast, self.args.device, self.args.world_size, self.foreseen)

    def _take(self, layout: Layout) -> None:
        """Go on in a layout with a smaller budget, and record it where a resumed run finds it."""
        before, step = self.plan.layout.token_budget, self.state.global_step + 1
        logger.warning(
            "the GPU ran out of memory at step %d; it was computed again at token_budget=%d instead of %d, as will be "
            "all that follow", step, layout.token_budget, before,
        )  # fmt: skip
        self.state.log_history.append({"step": step, **dict(zip(BUDGETS, (before, layout.token_budget), strict=True))})
        self.plan = replace(self.plan, layout=layout)
        if self.questions is not None:
            self.questions = replace(self.questions, layout=layout)
        for callback in self.callback_handler.callbacks:
            if isinstance(callback, Checkpoints):
                callback.course.setdefault(FIRST_BUDGET, before)
                callback.course["token_budget"] = layout.token_budget

    def _check_numbers(self, step: Step, rows: list[EncodedRow], loss: torch.Tensor) -> None:
        """Refuse to step where a number is not finite, or where at the first step nothing is learned."""
        norm = gradient_norm(step.parameters).to(loss)
        found = dict(zip(("loss", "gradient"), torch.stack([loss, norm]).tolist(), strict=True))  # one wait for the GPU
        if not math.isfinite(found["loss"]):
            what = f"the loss is {found['loss']}"
            raise self._not_finite(what, step, rows, gradients=False)
        if not math.isfinite(found["gradient"]) and not self._scale_is_to_blame():
            what = f"the gradient is {found['gradient']} where the loss is finite"
            raise self._not_finite(what, step, rows, gradients=True)
        if found["gradient"] == 0 and self.state.global_step == 0:
            self._check_that_something_is_learned(step, rows, found["loss"])

    def _scale_is_to_blame(self) -> bool:
        """In float16 losses are scaled up, and a step whose gradients overflow is left out and the scale halved.

        That is as it should be.  But where the scale has come down below 1, the gradients overflow by themselves.
        """
        scaler = self.accelerator.scaler
        return scaler is not None and scaler.is_enabled() and scaler.get_scale() >= 1

    def _not_finite(self, what: str, step: Step, rows: list[EncodedRow], *, gradients: bool) -> TrainingError:
        single = alone(step, [self._lessons([row]) for row in rows], self.plan.layout, gradients=gradients)
        places = self._places_of_step()
        guilty = [place for place, one in zip(places, single, strict=True) if not one.finite]
        by_itself = f"{numbers_in_words(guilty)} alone" if guilty else "none of them alone, only all together,"
        return self._stopped(
            f"{what}; {by_itself} gave it. Try a lower learning_rate, max_grad_norm=0.3, or compute_dtype='float32' in "
            "load_quantized, and look at these rows", rows,
        )  # fmt: skip

    def _check_that_something_is_learned(self, step: Step, rows: list[EncodedRow], loss: float) -> None:
        """At the first step every gradient was exactly zero."""
        (largest,) = agreed([abs(loss)], self.args.device)  # a process without rows of its own has none
        if largest != 0:
            held = any(parameter.grad is not None for parameter in step.parameters)
            why = NOTHING_LEARNED if held else NOTHING_TRAINED
            msg = f"the loss is {largest:.4g} and every gradient exactly zero: {why}"
            raise self._stopped(msg, rows)
        encoded = self.plan.training.encoded
        others = encoded[:: max(1, len(encoded) // MOST_ROWS_LOOKED_AT)]
        single = alone(step, [self._lessons([row]) for row in others], self.plan.layout, gradients=False)
        if not any(agreed([one.loss for one in single], self.args.device)):
            msg = f"the loss is exactly zero, as for {len(others)} more rows: {ALL_IS_KNOWN}"
            raise self._stopped(msg, rows)

    def _stopped(self, what: str, rows: list[EncodedRow]) -> TrainingError:
        """What to say where a step cannot be taken: which one, on what, and what is left."""
        return TrainingError(
            f"{self._where(rows)}: {what}. The step was not taken; {self._left()}. As it was, the run would meet the "
            "same rows in the same order once more: start anew with other settings, or without these rows"
        )

    def _where(self, rows: list[EncodedRow]) -> str:
        return f"at step {self.state.global_step + 1}, on {numbers_in_words(self._places_of_step()[: len(rows)])}"

    def _left(self) -> str:
        return how_to_resume(Path(str(self.args.output_dir)))

    def _places_of_step(self) -> list[int]:
        """Places of the rows of the step that is being computed."""
        steps = steps_of(self.plan, self.args)
        epoch, number = divmod(self.state.global_step, len(steps))
        steps.set_epoch(epoch)
        return next(itertools.islice(steps, number, None))

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
        began = time.monotonic()
        found, _ = measure(self.model, self.plan, self.questions, progress=not self.args.disable_tqdm)
        metrics = {f"{metric_key_prefix}_{name}": value for name, value in found.items()}
        metrics[f"{metric_key_prefix}_rows"] = len(self.questions.rows)
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
        """Write a checkpoint, in the place of one of the same step that was passed over as damaged."""
        folder = Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}"
        processes = self.args.distributed_state
        try:
            if self.args.should_save:
                discard(folder)
            processes.wait_for_everyone()
            self.state.stateful_callbacks[LOSSES] = self._losses()
            super()._save_checkpoint(model, trial)
        except (OSError, RuntimeError, ValueError, SafetensorError) as error:  # a full disk comes as any of them
            raise failed_save(folder, error) from error
        processes.wait_for_everyone()  # all have written their part before it is marked complete

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: torch.nn.Module | None = None) -> None:
        with _nothing_run(resume_from_checkpoint):
            super()._load_from_checkpoint(resume_from_checkpoint, model)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        with _nothing_run(checkpoint):
            super()._load_optimizer_and_scheduler(checkpoint)

    def _load_scaler(self, checkpoint: str | None) -> None:
        with _nothing_run(checkpoint):
            super()._load_scaler(checkpoint)

    def _load_rng_state(self, checkpoint: str | None) -> None:
        with _nothing_run(checkpoint):
            super()._load_rng_state(checkpoint)

    def _load_best_model(self) -> None:
        """Load the best checkpoint, if it is still as it was written."""
        try:
            check_files(Path(self.state.best_model_checkpoint))
        except TrainingError as error:
            msg = (
                f"the best checkpoint was lost while training went on. {error} Put it back from a copy and pass "
                "resume_from_checkpoint=True, or start anew with overwrite=True"
            )
            raise TrainingError(msg) from error
        super()._load_best_model()

    def _init_training_state(
        self, max_steps: int, steps_of_epoch: int, epochs: int, checkpoint: str | None, trial: object
    ) -> tuple[int, int]:
        """Take no step where the run had taken its last one: the parent would take one more to find out."""
        trained, steps = super()._init_training_state(max_steps, steps_of_epoch, epochs, checkpoint, trial)
        stopping = (one for one in self.callback_handler.callbacks if isinstance(one, EarlyStopping))
        if self.state.global_step >= max_steps or any(one.is_due(self.state) for one in stopping):
            return epochs, 0
        return trained, steps

    def _losses(self) -> dict[str, float]:
        """The sum of the losses so far, which the parent would begin anew after a resume."""
        waiting = nested_gather(self._tr_loss, self.args.parallel_mode).mean().item()
        return {"logged": self._total_loss_scalar, "until": self._globalstep_last_logged, "waiting": waiting}

    def take_losses(self) -> None:
        """Go on with the sum of the losses before a resume."""
        before = self.state.stateful_callbacks.get(LOSSES)
        if before is not None:
            self._tr_loss += before["waiting"]
            self._total_loss_scalar, self._globalstep_last_logged = before["logged"], before["until"]

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log the mean loss over all steps of the run, where the parent divides by those of this call."""
        if "train_loss" in logs:
            logs["train_loss"] = self._total_loss_scalar / max(self.state.global_step, 1)
        super().log(logs, start_time)


class _LossesGoOn(TrainerCallback):  # type: ignore[misc]
    """Has the sum of the losses go on where a checkpoint left it."""

    def __init__(self, trainer: TaskTrainer) -> None:
        self.trainer = trainer

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Take the sum over."""
        del args, state, control
        self.trainer.take_losses()


@contextlib.contextmanager
def _nothing_run(checkpoint: str | None) -> Iterator[None]:
    """Say what is wrong with a checkpoint that holds something else than the tensors and numbers that are read of it.

    torch reads its pickles with ``weights_only=True``: whatever is not on its list is refused before it is called.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (
        pickle.UnpicklingError, SafetensorError, RuntimeError, ValueError, TypeError, KeyError, AttributeError,
        EOFError, OSError,
    ) as error:  # fmt: skip
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        msg = f"{checkpoint} holds what no checkpoint does ({reason}); it is not read, and nothing in it was run"
        raise TrainingError(msg) from error


def measure(
    model: PreTrainedModel, plan: Plan, questions: Questions, *, progress: bool
) -> tuple[dict[str, float], Decision | None]:
    """The task's metrics and the loss on a plan's evaluation rows, and the decision that fits these best."""
    answers = answer(model, questions, progress=progress, title="evaluating", keep_predictions=True)
    references = [plan.task.reference(row) for row in questions.rows]
    decision, outputs = decided(plan.task, answers.outputs, references)
    metrics = {
        metric.name: _measured(metric, plan.task, outputs, references, questions.rows)
        for metric in plan.task.metrics
        if is_measurable(metric, outputs)
    }
    return {**metrics, "loss": _target_loss(model, plan, questions.encoded, answers)}, decision


def _measured(
    metric: Metric[Any], task: Task[Any], outputs: Sequence[Output[Any]], references: Sequence[Any], rows: Sequence[Row]
) -> float:
    """A metric's value; its code is the task's, and its errors say nothing of the library's settings."""
    try:
        return float(metric.compute(outputs, references, rows))
    except QlorakitError:
        raise
    except Exception as error:
        msg = f"metric {metric.name!r} of task {task.name} fails in an evaluation ({type(error).__name__}: {error})"
        raise PluginError(msg) from error


def _target_loss(model: PreTrainedModel, plan: Plan, encoded: Sequence[EncodedRow], answers: Answers) -> float:
    """Mean loss of the evaluation's examples, weighted as in training, over all of their choices."""
    lessons = plan.lessons(encoded)
    asked = [
        (item, right, _wrong_choices(example), prediction.logprobs)
        for row, predictions in zip(encoded, answers.predictions, strict=True)
        for item, example, prediction in zip(row.encoded, row.examples, predictions, strict=True)
        for right in example.right
    ]
    written = [(item.prompt, (item.target,)) for item, *_, logprobs in asked if logprobs is None and item.target]
    scored = iter(plan.score(model, written))
    losses = [
        -next(scored)[0] if logprobs is None else _loss_of(lesson, logprobs, right, wrong)
        for lesson, (_, right, wrong, logprobs) in zip(lessons.lessons, asked, strict=True)
    ]
    weighted = (lesson.weight * loss for lesson, loss in zip(lessons.lessons, losses, strict=True))
    return sum(weighted) / lessons.total_weight


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
        if self.is_due(state):
            control.should_training_stop = True

    def is_due(self, state: TrainerState) -> bool:
        """Whether so many evaluations brought nothing better."""
        values = [self.sign * record[self.key] for record in state.log_history if self.key in record]
        return bool(values) and len(values) - 1 - values.index(max(values)) >= self.patience


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
