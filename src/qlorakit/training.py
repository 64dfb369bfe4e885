"""Train an adapter on a task, save it, verify it."""

from __future__ import annotations

import contextlib
import logging
import math
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from qlorakit.bitsandbytes_offline import peft

import torch
import transformers
from safetensors import SafetensorError
from transformers import TrainerCallback

from qlorakit.adapters import base_record, save_adapter, seal_adapter, verify_adapter, versions
from qlorakit.checkpoints import (
    Checkpoints,
    Interruption,
    check_course,
    how_to_resume,
    latest_checkpoint,
    read_course,
    remove_incomplete,
)
from qlorakit.encoding import TEMPLATE_DATE, Encoder, EncodingCounts, template_hash
from qlorakit.errors import (
    ConfigurationError,
    DataError,
    OutputError,
    TrainingError,
    UnknownNameError,
    VerificationError,
    did_you_mean,
)
from qlorakit.inference import resolve_max_length, resolve_token_budget, warn_of
from qlorakit.quantization import keep_unpacked, quantization_record
from qlorakit.rows import check_rows, fingerprint
from qlorakit.splits import overlap
from qlorakit.trainer import Data, EarlyStopping, LossWeight, Plan, TaskTrainer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, TrainingArguments

    from qlorakit.task import Row, Task

logger = logging.getLogger(__name__)

VERIFIED_ROWS = 16

REFUSED_ARGUMENTS = {
    "per_device_train_batch_size": "say batch_size=, the rows of an optimizer step; token_budget= bounds the memory",
    "gradient_accumulation_steps": "batch_size= is already the rows of an optimizer step; it is cut by token_budget=",
    "auto_find_batch_size": "a batch size that follows from the memory left would change what is learned",
    "label_smoothing_factor": "the loss is computed by this library and would ignore it",
    "neftune_noise_alpha": "rows that share a prompt would share one noise",
    "remove_unused_columns": "the task decides which columns are read",
    "train_sampling_strategy": "rows are drawn at random without replacement, by seed",
    "use_liger_kernel": "it replaces the loss that this library computes",
    "output_dir": "say output_dir= once",
    "fsdp": "it waits forever where processes have unequal numbers of micro-batches",
    "deepspeed": "it takes an optimizer step at every micro-batch",
    "include_for_metrics": "metrics come from the task",
    "batch_eval_metrics": "metrics come from the task",
    "greater_is_better": "every metric of a task knows its direction",
    "resume_from_checkpoint": "it is train's own argument",
    "load_best_model_at_end": "with an eval_dataset the best checkpoint is always the result",
}
# What says where and how loudly, but not what is learned.
WITHOUT_EFFECT = {
    "dataloader_num_workers",
    "disable_tqdm",
    "hub_model_id",
    "hub_token",
    "log_level",
    "log_level_replica",
    "logging_dir",
    "logging_first_step",
    "logging_steps",
    "logging_strategy",
    "output_dir",
    "report_to",
    "run_name",
}


@dataclass(frozen=True)
class TrainResult:
    """What training led to.

    Attributes:
        output_dir: Holds ``adapter/`` and ``checkpoints/``.
        adapter_dir: The finished adapter; ``load_adapter`` reads it.
        steps: Optimizer steps taken.
        train_loss: Mean loss over the steps of this call, in nats per supervised token (or row); NaN where a resumed
            run had no step left to take.
        history: What was logged: losses by step, metrics by evaluation.
        best_metric: Value of the metric that chose the checkpoint; ``None`` without an evaluation split.
        best_step: The step it was reached at.
        verified_rows: Rows that the adapter, loaded afresh, answered exactly as the model in memory.
        seconds: Wall-clock time of training with its evaluations.
    """

    output_dir: Path
    adapter_dir: Path
    steps: int
    train_loss: float
    history: tuple[Mapping[str, float], ...]
    best_metric: float | None
    best_step: int | None
    verified_rows: int
    seconds: float


def train(
    model: peft.PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    train_dataset: Iterable[Row],
    *,
    task: Task[Any],
    output_dir: str | Path,
    eval_dataset: Iterable[Row] | None = None,
    batch_size: int = 16,
    learning_rate: float = 2e-4,
    num_train_epochs: float = 3.0,
    seed: int = 0,
    loss_weight: LossWeight = "token",
    metric_for_best_model: str | None = None,
    early_stopping_patience: int | None = None,
    max_length: int | None = None,
    max_new_tokens: int = 256,
    token_budget: int | None = None,
    resume_from_checkpoint: bool | str | Path = False,
    overwrite: bool = False,
    progress: bool = True,
    **training_arguments: Any,  # noqa: ANN401  # whatever transformers.TrainingArguments takes
) -> TrainResult:
    """Train the adapter on the task's targets, keep the best checkpoint, save and verify it.

    The loss is the mean negative log-likelihood of the target tokens, end of turn included, over all rows of an
    optimizer step, however these are cut into micro-batches.

    Args:
        model: From ``attach_lora``.  It holds the result afterwards.
        tokenizer: The base's.
        train_dataset: Labelled rows in the task's column names.
        task: How rows become questions and answers.
        output_dir: Gets ``adapter/`` when everything is done, and ``checkpoints/`` meanwhile.
        eval_dataset: Labelled rows to measure the task's metrics on after every epoch (``eval_strategy="steps"`` and
            ``eval_steps=`` for more often); the best checkpoint is the result.  Never the test split.
        batch_size: Rows per optimizer step.
        learning_rate: Peak of the schedule.
        num_train_epochs: Passes over the rows.
        seed: For the order of rows, dropout and everything else at random.  On CPU the same seed gives the same
            weights, bit for bit.
        loss_weight: ``"token"``: every target token counts the same; ``"row"``: every row does.
        metric_for_best_model: A metric of the task, or ``"loss"``; the task's first metric unless given.
        early_stopping_patience: Stop after this many evaluations without a better value.
        max_length: Most tokens of prompt and target; the model's context unless given.  Longer prompts are cut where
            the task allows, targets never.
        max_new_tokens: Most tokens of an answer generated in evaluations.
        token_budget: Most tokens of a micro-batch; a power of two from model and memory unless given.
        resume_from_checkpoint: ``True`` goes on from the last checkpoint in ``output_dir``; a path from that one.
        overwrite: Whether a run that ``output_dir`` holds may be replaced; the old adapter stays until the new one is
            complete.
        progress: Whether to show bars.
        **training_arguments: Passed to ``transformers.TrainingArguments``, but for those that would lie here.

    Raises:
        ConfigurationError: A setting is out of range, refused or unknown.
        DataError: A row is unusable or has no target.
        EncodingError: A target would be cut.
        OutputError: ``output_dir`` holds another run, or cannot be written.
        TrainingError: The loss is not finite, memory ran out, or a checkpoint cannot be resumed.
        VerificationError: The saved adapter does not answer as the one in memory.
    """
    learning = {
        "per_device_train_batch_size": batch_size,
        "learning_rate": learning_rate,
        "num_train_epochs": num_train_epochs,
        "seed": seed,
        "data_seed": seed,
    }
    _check_settings(model, learning, loss_weight, training_arguments)
    if early_stopping_patience is not None and (early_stopping_patience < 1 or eval_dataset is None):
        msg = f"early_stopping_patience={early_stopping_patience}: needs an eval_dataset and at least 1 evaluation"
        raise ConfigurationError(msg)
    best_by = _choose_metric(task, metric_for_best_model, evaluated=eval_dataset is not None)
    keep_unpacked(model)
    encoder = Encoder(tokenizer, max_length=resolve_max_length(max_length, model, tokenizer))
    training, evaluation = _read_data(train_dataset, eval_dataset, task, encoder)

    output = Path(output_dir)
    checkpoint = _prepare_output(output, resume=resume_from_checkpoint, overwrite=overwrite)
    recorded = read_course(checkpoint) if checkpoint else {}
    if token_budget is None:  # another budget would change the weights by rounding
        token_budget = recorded.get("token_budget")
    budget = resolve_token_budget(token_budget, model)
    plan = Plan(task, encoder, training, evaluation, budget, loss_weight, max_new_tokens)
    settings = {**learning, **_evaluation_settings(task, best_by, training_arguments, evaluated=evaluation is not None)}
    arguments = _arguments(model, output / "checkpoints", {**settings, **training_arguments}, progress=progress)
    course = _course(plan, model, arguments, early_stopping_patience)
    if checkpoint:
        check_course(checkpoint, recorded, course)

    interruption = Interruption()
    callbacks: list[TrainerCallback] = [Checkpoints(output / "checkpoints", course, interruption)]
    if early_stopping_patience is not None:
        callbacks.append(EarlyStopping(best_by, early_stopping_patience, higher=bool(arguments.greater_is_better)))
    trainer = TaskTrainer(plan=plan, model=model, args=arguments, callbacks=callbacks)
    seconds = _run(trainer, interruption, checkpoint, output / "checkpoints")
    return _finish(trainer, output, course, seconds)


def _check_settings(
    model: peft.PeftModel, learning: Mapping[str, Any], loss_weight: str, extra: Mapping[str, Any]
) -> None:
    if not isinstance(model, peft.PeftModel):
        msg = "the model has no adapter to train; call attach_lora first"
        raise ConfigurationError(msg)
    batch_size = learning["per_device_train_batch_size"]
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        msg = f"batch_size={batch_size!r}: an optimizer step needs at least 1 row"
        raise ConfigurationError(msg)
    for name in ("learning_rate", "num_train_epochs"):
        value = learning[name]
        if not (value > 0 and math.isfinite(value)):
            msg = f"{name}={value!r}: must be a positive number"
            raise ConfigurationError(msg)
    if loss_weight not in get_args(LossWeight):
        msg = f"loss_weight={loss_weight!r} is not one of {', '.join(map(repr, get_args(LossWeight)))}"
        raise ConfigurationError(msg)
    known = transformers.TrainingArguments.__dataclass_fields__
    for name in extra:
        if name in REFUSED_ARGUMENTS:
            msg = f"{name} is refused: {REFUSED_ARGUMENTS[name]}"
            raise ConfigurationError(msg)
        if name not in known:
            msg = f"train and transformers.TrainingArguments have no argument {name!r}.{did_you_mean(name, known)}"
            raise UnknownNameError(msg)


def _choose_metric(task: Task[Any], asked: str | None, *, evaluated: bool) -> str:
    names = [*(metric.name for metric in task.metrics), "loss"]
    if asked is None:
        return names[0]
    if not evaluated:
        msg = f"metric_for_best_model={asked!r} needs an eval_dataset to be measured on"
        raise ConfigurationError(msg)
    if asked.removeprefix("eval_") not in names:
        hint = did_you_mean(asked, names)
        msg = f"metric_for_best_model={asked!r}: {task.name} has no such metric.{hint} It has {', '.join(names)}"
        raise UnknownNameError(msg)
    return asked.removeprefix("eval_")


def _read_data(
    train_dataset: Iterable[Row], eval_dataset: Iterable[Row] | None, task: Task[Any], encoder: Encoder
) -> tuple[Data, Data | None]:
    training = _encode(train_dataset, task, encoder, "train_dataset")
    if eval_dataset is None:
        return training, None
    evaluation = _encode(eval_dataset, task, encoder, "eval_dataset")
    shared = overlap(training.rows, evaluation.rows, task)
    if shared:
        logger.warning(
            "%d of %d rows of eval_dataset ask what a row of train_dataset asks (row %d first): their metrics "
            "flatter the model; qlorakit.split keeps such rows together", len(shared), len(evaluation.rows),
            shared[0] + 1,
        )  # fmt: skip
    return training, evaluation


def _encode(dataset: Iterable[Row], task: Task[Any], encoder: Encoder, name: str) -> Data:
    rows = tuple(dict(row) for row in dataset)
    check_rows(rows, task, labelled=True, source=name)
    encoded = tuple(encoder.encode_rows(rows, task))
    for number, row in enumerate(encoded, start=1):
        if all(item.target is None for item in row.encoded):
            msg = f"{name}, row {number}: there is nothing to learn from it; its examples have no target"
            raise DataError(msg)
    warn_of(encoded)
    return Data(rows, encoded)


def _prepare_output(output: Path, *, resume: bool | str | Path, overwrite: bool) -> Path | None:
    """Check the output folder, and find the checkpoint to go on from."""
    checkpoints = output / "checkpoints"
    if output.exists() and not output.is_dir():
        msg = f"output_dir={str(output)!r} is a file; give a folder"
        raise OutputError(msg)
    if resume is not False:
        checkpoint = latest_checkpoint(checkpoints) if resume is True else Path(resume)
        if checkpoint is None or not checkpoint.is_dir():
            msg = f"there is no checkpoint to resume from: {checkpoints if resume is True else resume}"
            raise TrainingError(msg)
        remove_incomplete(checkpoints)
        return checkpoint
    held = [what for what in ("adapter", "checkpoints") if (output / what).exists()]
    if held and not overwrite:
        msg = (
            f"{output} holds another run ({' and '.join(held)}). Choose another output_dir, pass "
            "resume_from_checkpoint=True to go on with it, or overwrite=True to replace it"
        )
        raise OutputError(msg)
    try:
        if checkpoints.exists():
            shutil.rmtree(checkpoints)
        checkpoints.mkdir(parents=True)
    except OSError as error:
        msg = f"output_dir={str(output)!r} cannot be written: {error}"
        raise OutputError(msg) from error
    return None


def _evaluation_settings(task: Task[Any], best_by: str, extra: Mapping[str, Any], *, evaluated: bool) -> dict[str, Any]:
    """When to evaluate and to save; with an evaluation split the best checkpoint is loaded at the end."""
    if not evaluated:
        return {"save_strategy": "epoch"}
    when = extra.get("eval_strategy", "epoch")
    settings = {
        "eval_strategy": when,
        "save_strategy": when,
        "metric_for_best_model": best_by,
        "greater_is_better": any(m.name == best_by and m.higher_is_better for m in task.metrics),
        "load_best_model_at_end": True,
    }
    return settings | ({"save_steps": extra["eval_steps"]} if "eval_steps" in extra else {})


def _arguments(
    model: peft.PeftModel, checkpoints: Path, settings: Mapping[str, Any], *, progress: bool
) -> TrainingArguments:
    defaults = {"logging_steps": 10, "report_to": "none"}
    try:
        arguments = transformers.TrainingArguments(
            output_dir=str(checkpoints),
            use_cpu=model.device.type == "cpu",
            fp16=model.get_input_embeddings().weight.dtype == torch.float16,
            remove_unused_columns=False,
            logging_nan_inf_filter=False,
            disable_tqdm=not progress,
            **{**defaults, **settings},
        )
    except (ValueError, TypeError) as error:
        msg = f"transformers.TrainingArguments refuses the settings: {error}"
        raise ConfigurationError(msg) from error
    arguments._n_gpu = min(arguments.n_gpu, 1)  # a quantized model is not copied over several GPUs
    return arguments


def _course(
    plan: Plan, model: peft.PeftModel, arguments: TrainingArguments, early_stopping_patience: int | None
) -> dict[str, Any]:
    """Every setting that decides the course of training: a resumed run must agree with it."""
    return {
        **{name: value for name, value in arguments.to_dict().items() if name not in WITHOUT_EFFECT},
        "base_model": str(model.config._name_or_path),
        "quantization": quantization_record(model.get_base_model()),
        "lora": model.peft_config["default"].to_dict(),
        "task": plan.task.name,
        "token_budget": plan.token_budget,
        "loss_weight": plan.loss_weight,
        "early_stopping_patience": early_stopping_patience,
        "max_length": plan.encoder.max_length,
        "max_new_tokens": plan.max_new_tokens,
        "template": template_hash(plan.encoder.tokenizer),
        "template_date": TEMPLATE_DATE,
        "train_fingerprint": fingerprint(plan.training.rows),
        "eval_fingerprint": fingerprint(plan.evaluation.rows) if plan.evaluation else None,
    }


@contextlib.contextmanager
def _config_kept(model: peft.PeftModel) -> Iterator[None]:
    """Trainer switches the model's cache off and leaves it so."""
    config = model.config
    use_cache = config.use_cache
    try:
        yield
    finally:
        config.use_cache = use_cache


def _run(trainer: TaskTrainer, interruption: Interruption, checkpoint: Path | None, checkpoints: Path) -> float:
    """Train, and turn what stops it into something a user can act on."""
    began = time.monotonic()
    try:
        with interruption.watching(), _config_kept(trainer.model):
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    except KeyboardInterrupt as stop:
        remove_incomplete(checkpoints)
        raise KeyboardInterrupt(how_to_resume(checkpoints)) from stop
    except torch.OutOfMemoryError as error:
        msg = (
            f"the GPU ran out of memory at token_budget={trainer.plan.token_budget}; pass token_budget="
            f"{max(1, trainer.plan.token_budget // 2)} (what is learned stays the same). {how_to_resume(checkpoints)}"
        )
        raise TrainingError(msg) from error
    return time.monotonic() - began


def _finish(trainer: TaskTrainer, output: Path, course: Mapping[str, Any], seconds: float) -> TrainResult:
    """Save the adapter, verify it, write its records, and only then give it its name."""
    model, tokenizer, plan = trainer.model, trainer.plan.encoder.tokenizer, trainer.plan
    state = trainer.state
    history = tuple(dict(record) for record in state.log_history)
    sample = (plan.evaluation or plan.training).encoded[:VERIFIED_ROWS]
    final, partial = output / "adapter", output / ".adapter.partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        save_adapter(model, tokenizer, partial)
        if not verify_adapter(model, partial, lambda: plan.logprobs(model, sample)):
            msg = (
                "the saved adapter, loaded afresh, answers differently from the model in memory; it is not kept. "
                f"{how_to_resume(output / 'checkpoints')}"
            )
            raise VerificationError(msg)
        record = {
            **_run_record(trainer, course),
            "history": history,
            "seconds": round(seconds, 1),
            "verification": {"rows": len(sample), "equal": True},
        }
        seal_adapter(partial, model, tokenizer, task_name=plan.task.name, run_record=record)
        _replace(partial, final)
    except (OSError, SafetensorError) as error:
        msg = f"{final} could not be written ({error}); free some space. {how_to_resume(output / 'checkpoints')}"
        raise OutputError(msg) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return TrainResult(
        output_dir=output,
        adapter_dir=final,
        steps=state.global_step,
        train_loss=history[-1]["train_loss"] or math.nan,
        history=history,
        best_metric=state.best_metric,
        best_step=state.best_global_step,
        verified_rows=len(sample),
        seconds=seconds,
    )


def _run_record(trainer: TaskTrainer, course: Mapping[str, Any]) -> dict[str, Any]:
    """What a run was, for whoever wants to repeat or judge it."""
    plan, state = trainer.plan, trainer.state
    trainable, total = trainer.model.get_nb_trainable_parameters()
    counts = {"train": EncodingCounts.of(plan.training.encoded)}
    if plan.evaluation:
        counts["eval"] = EncodingCounts.of(plan.evaluation.encoded)
    return {
        "settings": dict(course),
        "base": base_record(trainer.model),
        "versions": versions(),
        "encoding": {name: asdict(found) for name, found in counts.items()},
        "parameters": {"trainable": trainable, "total": total},
        "steps": state.global_step,
        "best": {"metric": state.best_metric, "step": state.best_global_step},
    }


def _replace(partial: Path, final: Path) -> None:
    """Put the new folder in the old one's place, which stays until then."""
    old = final.with_name(".adapter.old")
    if final.exists():
        shutil.rmtree(old, ignore_errors=True)
        final.rename(old)
    partial.rename(final)
    shutil.rmtree(old, ignore_errors=True)
