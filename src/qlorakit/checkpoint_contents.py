"""What a checkpoint's records may hold: they may come from elsewhere, and are read before anything is made of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

from transformers import TrainerState

LOSSES = "qlorakit_losses"  # among the states that a checkpoint keeps for callbacks
SUM_OF_LOSSES = {"logged", "until", "waiting"}
MOST = 1 << 63  # beyond it no number of a run is, and some cannot be computed with


def check_state(state: Mapping[str, Any]) -> None:
    """Refuse a trainer's state that no run of this library can have written.

    Raises:
        ValueError: Says what it cannot hold.
    """
    unknown = sorted(map(str, set(state) - set(TrainerState.__dataclass_fields__)))
    _demand(not unknown, f"unknown entries: {', '.join(unknown)[:200]}")
    for name in ("epoch", "max_steps", "logging_steps", "eval_steps", "save_steps", "train_batch_size",
                 "num_train_epochs", "num_input_tokens_seen", "total_flos", "best_metric"):  # fmt: skip
        _demand(state.get(name) is None or _is_number(state[name]), f"{name} is no number")
    step, best, value = state["global_step"], state["best_global_step"], state["best_metric"]
    _demand(_is_whole(step, least=1), "global_step is no step")
    _demand(best is None or (_is_whole(best, least=1) and best <= step), "best_global_step is no step before it")
    # An evaluation whose metric was not a number leaves an infinite best value, which belongs to no step.
    _demand((best is None) == (value is None or math.isinf(value)), "best_metric and best_global_step do not agree")
    history, kept = state["log_history"], state["stateful_callbacks"]
    _demand(isinstance(history, list) and all(map(_is_log, history)), "log_history is no list of logged numbers")
    _demand(isinstance(kept, dict), "stateful_callbacks is no object")
    losses = kept.get(LOSSES)
    summed = isinstance(losses, dict) and set(losses) == SUM_OF_LOSSES and all(map(_is_number, losses.values()))
    _demand(losses is None or summed, f"{LOSSES} are not the sums of losses")


def check_lineage(lineage: Mapping[str, Any]) -> None:
    """Refuse what no lineage holds.

    Raises:
        ValueError: Says what it cannot hold.
    """
    _demand(isinstance(lineage["run"], str), "lineage.run is no name")
    _demand(isinstance(lineage["fresh"], bool), "lineage.fresh is not true or false")
    _demand(lineage["lora_seed"] is None or _is_whole(lineage["lora_seed"]), "lineage.lora_seed is no seed")
    source, resumes = lineage["continued_from"], lineage["resumes"]
    _demand(source is None or _is_source(source), "lineage.continued_from describes no adapter")
    _demand(isinstance(resumes, list) and all(map(_is_resume, resumes)), "lineage.resumes are none")


def check_settings_held(course: object, versions: object) -> None:
    """Refuse settings and versions of a run that are none.

    Raises:
        ValueError: Says what they cannot hold.
    """
    _demand(isinstance(course, dict) and _is_whole(course.get("token_budget"), least=1), "course is not a run's")
    told = isinstance(versions, dict) and all(value is None or isinstance(value, str) for value in versions.values())
    _demand(told, "versions are none")


def _is_log(record: object) -> bool:
    return isinstance(record, dict) and "step" in record and all(map(_is_number, record.values()))


def _is_source(source: object) -> bool:
    shape: Mapping[str, Callable[[object], bool]] = {
        "folder": _is_text,
        "task": lambda task: task is None or _is_text(task),
        "steps": lambda steps: steps is None or _is_whole(steps),
        "manifest": _is_text,
    }
    return isinstance(source, dict) and set(source) == set(shape) and all(shape[name](source[name]) for name in shape)


def _is_resume(resume: object) -> bool:
    if not isinstance(resume, dict) or set(resume) != {"step", "passed_over", "versions"}:
        return False
    return (
        _is_whole(resume["step"]) and isinstance(resume["passed_over"], dict) and isinstance(resume["versions"], dict)
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_whole(value: object, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < MOST


def _is_number(value: object) -> bool:
    """Whether it is one that can be computed with; one that is not a number, or infinite, is a float all the same."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < MOST)


def _demand(held: object, what: str) -> None:
    if not held:
        raise ValueError(what)
