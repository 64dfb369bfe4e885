"""The settings of a training run: what is allowed, what is refused and why, and what a resumed run must agree with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import torch
import transformers

from qlorakit.encoding import TEMPLATE_DATE, template_hash
from qlorakit.errors import ConfigurationError, UnknownNameError, did_you_mean
from qlorakit.objectives import LossWeight, Objective
from qlorakit.rows import fingerprint
from qlorakit.trainer import RESERVED_METRICS, Plan

if TYPE_CHECKING:
    from pathlib import Path

    from peft import PeftModel
    from transformers import TrainingArguments

    from qlorakit.task import Task

LOGGING_STEPS = 10
OFTEN_MEANT = {"epochs": "num_train_epochs", "lr": "learning_rate"}

REFUSED_ARGUMENTS = {
    "per_device_train_batch_size": "say batch_size=, the rows of an optimizer step; token_budget= bounds the memory",
    "gradient_accumulation_steps": "batch_size= is already the rows of an optimizer step; it is cut by token_budget=",
    "auto_find_batch_size": "a batch size that follows from the memory left would change what is learned",
    "label_smoothing_factor": "the loss is computed by this library and would ignore it",
    "neftune_noise_alpha": "rows that share a prompt would share one noise",
    "remove_unused_columns": "the task decides which columns are read",
    "train_sampling_strategy": "rows are drawn at random without replacement, by seed",
    "use_liger_kernel": "it replaces the loss that this library computes",
    "fsdp": "it waits forever where processes have unequal numbers of micro-batches",
    "deepspeed": "it takes an optimizer step at every micro-batch",
    "include_for_metrics": "metrics come from the task",
    "batch_eval_metrics": "metrics come from the task",
    "greater_is_better": "every metric of a task knows its direction",
    "save_only_model": "without the optimizer's state a run cannot be resumed",
    "logging_nan_inf_filter": "it would hide a loss that is not a number",
    "use_cpu": "the model is trained where load_quantized put it",
    "disable_tqdm": "say progress=",
    "data_seed": "say seed=",
    "ignore_data_skip": "a resumed run would see rows again that it has learned from",
    "restore_callback_states_from_checkpoint": "a resumed run goes on exactly where it stopped in any case",
    "per_device_eval_batch_size": "evaluations are cut by token_budget=",
    "eval_accumulation_steps": "evaluations keep no logits",
    "prediction_loss_only": "evaluations measure the task's metrics",
    "eval_do_concat_batches": "evaluations keep no logits",
    "label_names": "targets come from the task",
    "push_to_hub": "nothing is sent anywhere; upload the finished adapter yourself",
    "bf16": "the compute type is load_quantized's compute_dtype=",
    "bf16_full_eval": "evaluations compute as training does",
    "fp16_full_eval": "evaluations compute as training does",
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


def check_settings(
    learning: Mapping[str, Any], objective: str, negatives: int | None, loss_weight: str, extra: Mapping[str, Any]
) -> None:
    """Refuse what cannot be learned with.

    Args:
        learning: Batch size, learning rate, epochs and seed, by the names that transformers has for them.
        objective: See ``train``, as for the two that follow.
        negatives: At least 1.
        loss_weight: By token or by row.
        extra: Meant for ``transformers.TrainingArguments``.

    Raises:
        ConfigurationError: A value is out of range, or an argument is refused.
        UnknownNameError: There is no such argument.
    """
    _check_numbers(learning)
    for name, given, allowed in (("loss_weight", loss_weight, LossWeight), ("objective", objective, Objective)):
        if given not in get_args(allowed):
            msg = f"{name}={given!r} is not one of {', '.join(map(repr, get_args(allowed)))}"
            raise ConfigurationError(msg)
    if negatives is not None and (not _is_whole(negatives) or negatives < 1):
        msg = f"negatives={negatives!r}: the right choice must be compared with at least 1 other"
        raise ConfigurationError(msg)
    if extra.get("max_steps", -1) != -1 and not (_is_whole(extra["max_steps"]) and extra["max_steps"] > 0):
        msg = f"max_steps={extra['max_steps']!r}: must be a whole number of at least 1"
        raise ConfigurationError(msg)
    known = transformers.TrainingArguments.__dataclass_fields__
    for name in extra:
        if name in REFUSED_ARGUMENTS:
            msg = f"{name} is refused: {REFUSED_ARGUMENTS[name]}"
            raise ConfigurationError(msg)
        if name not in known:
            hint = f" Say {OFTEN_MEANT[name]}=" if name in OFTEN_MEANT else did_you_mean(name, known)
            msg = f"train and transformers.TrainingArguments have no argument {name!r}.{hint}"
            raise UnknownNameError(msg)


def _check_numbers(learning: Mapping[str, Any]) -> None:
    batch_size, seed = learning["per_device_train_batch_size"], learning["seed"]
    if not _is_whole(batch_size) or batch_size < 1:
        msg = f"batch_size={batch_size!r}: an optimizer step needs at least 1 row, a whole number"
        raise ConfigurationError(msg)
    if not _is_whole(seed) or not 0 <= seed < 1 << 32:
        msg = f"seed={seed!r}: must be a whole number from 0 to 2**32 - 1"
        raise ConfigurationError(msg)
    for name in ("learning_rate", "num_train_epochs"):
        value = learning[name]
        if not isinstance(value, int | float) or not (value > 0 and math.isfinite(value)):
            msg = f"{name}={value!r}: must be a positive number"
            raise ConfigurationError(msg)


def choose_metric(task: Task[Any], asked: str | None, *, evaluated: bool) -> str:
    """The metric that picks the best checkpoint: the one asked for, or the task's first.

    Raises:
        ConfigurationError: There is nothing to measure on, or a metric of the task has a name that is taken.
        UnknownNameError: The task has no such metric.
    """
    taken = sorted({metric.name for metric in task.metrics} & set(RESERVED_METRICS))
    if taken:
        msg = f"{task.name}: a metric may not be called {taken[0]!r}, which evaluations report themselves; rename it"
        raise ConfigurationError(msg)
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


def evaluation_settings(task: Task[Any], best_by: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """When to evaluate: every evaluation is followed by a checkpoint, so that the best one is there to be loaded.

    Raises:
        ConfigurationError: The arguments ask for evaluations without checkpoints, or for none.
    """
    when = extra.get("eval_strategy", "epoch")
    if when not in {"epoch", "steps"}:
        msg = f"eval_strategy={when!r}: with an eval_dataset it is 'epoch' or 'steps'; without one leave it out"
        raise ConfigurationError(msg)
    settings: dict[str, Any] = {
        "eval_strategy": when,
        "save_strategy": when,
        "metric_for_best_model": best_by,
        "greater_is_better": any(m.name == best_by and m.higher_is_better for m in task.metrics),
        "load_best_model_at_end": True,
    }
    if when == "steps":
        every = extra.get("eval_steps") or extra.get("logging_steps", LOGGING_STEPS)
        settings |= {"eval_steps": every, "save_steps": every}
    for name in ("save_strategy", "save_steps"):
        if name in extra and extra[name] != settings.get(name):
            msg = f"{name}={extra[name]!r}: with an eval_dataset a checkpoint follows every evaluation; say eval_steps="
            raise ConfigurationError(msg)
    return settings


def build_arguments(
    model: PeftModel, checkpoints: Path, settings: Mapping[str, Any], *, progress: bool
) -> TrainingArguments:
    """``TrainingArguments`` for a model that is where it will be trained.

    Raises:
        ConfigurationError: transformers refuses a value.
    """
    defaults = {
        "logging_steps": LOGGING_STEPS,
        "report_to": "none",
        "save_strategy": "epoch",
        "fp16": model.get_input_embeddings().weight.dtype == torch.float16,
    }
    try:
        arguments = transformers.TrainingArguments(
            output_dir=str(checkpoints),
            use_cpu=model.device.type == "cpu",
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


def course_of(
    plan: Plan, model: PeftModel, arguments: TrainingArguments, base: Mapping[str, Any], patience: int | None
) -> dict[str, Any]:
    """Every setting that decides the course of training: a resumed run must agree with it."""
    return {
        **{name: value for name, value in arguments.to_dict().items() if name not in WITHOUT_EFFECT},
        "base": base,
        "lora": model.peft_config["default"].to_dict(),
        "task": plan.task.name,
        "processes": arguments.world_size,
        "train_rows": len(plan.training.rows),
        "token_budget": plan.layout.token_budget,
        "prefix_sharing": plan.layout.shared,
        "objective": plan.objective,
        "negatives": plan.negatives,
        "gather_documents": plan.gather_documents,
        "loss_weight": plan.loss_weight,
        "class_balance": plan.class_balance,
        "early_stopping_patience": patience,
        "max_length": plan.encoder.max_length,
        "max_new_tokens": plan.encoder.max_new_tokens,
        "template": template_hash(plan.encoder.tokenizer),
        "template_date": TEMPLATE_DATE,
        "train_fingerprint": fingerprint(plan.training.rows),
        "eval_fingerprint": fingerprint(plan.evaluation.rows) if plan.evaluation else None,
        "train_tokens": plan.training.encoded.fingerprint,  # the same rows may be asked about otherwise
        "eval_tokens": plan.evaluation.encoded.fingerprint if plan.evaluation else None,
    }


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
