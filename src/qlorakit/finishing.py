"""The end of a run: save the adapter, verify it, write its records, and only then give it its name."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from qlorakit.adapters import (
    CHOSEN_ON,
    DECISION,
    HISTORY,
    TRAINED_FOR,
    UNPLACED,
    remember_origin,
    save_adapter,
    seal_adapter,
    verify_adapter,
)
from qlorakit.agreement import SAMPLE, Sample
from qlorakit.checkpoints import how_to_resume
from qlorakit.errors import VerificationError, unwritable
from qlorakit.machine import machine_record
from qlorakit.plugins import supplier_of
from qlorakit.records import versions
from qlorakit.rows import input_key
from qlorakit.run_folders import replace_folder, set_reports_aside

if TYPE_CHECKING:
    from qlorakit.checkpoints import Lineage
    from qlorakit.encoding import EncodedRow
    from qlorakit.memory_need import MemoryNeed, RunMemory
    from qlorakit.task import Decision
    from qlorakit.trainer import Plan, TaskTrainer

VERIFIED_ROWS = 16


@dataclass(frozen=True)
class TrainResult:
    """What training led to.

    Attributes:
        output_dir: Holds ``adapter/`` and ``checkpoints/``.
        adapter_dir: The finished adapter; ``load_adapter`` reads it.
        steps: Optimizer steps taken.
        train_loss: Mean loss over all steps of the run, those before it was resumed as well, in nats per supervised
            token (or row).
        history: What was logged: losses by step, metrics by evaluation, of the whole run; the last record's times and
            speeds are of this call.
        best_metric: Value of the metric that chose the checkpoint; ``None`` without an evaluation split.
        best_step: The step it was reached at.
        verified_rows: Rows that the adapter, loaded afresh, answered exactly as the model in memory.
        seconds: Wall-clock time of training with its evaluations, of this call.
        memory: What was foreseen to be needed; ``None`` where that was not looked for.
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
    memory: MemoryNeed | None = None


def finish(
    trainer: TaskTrainer,
    output: Path,
    course: Mapping[str, Any],
    seconds: float,
    *,
    lineage: Lineage,
    memory: RunMemory,
) -> TrainResult:
    """Save the adapter, verify it, write its records, and only then give it its name."""
    model, tokenizer, plan = trainer.model, trainer.plan.encoder.tokenizer, trainer.plan
    state = trainer.state
    history = tuple(dict(record) for record in state.log_history)
    sample = (plan.evaluation or plan.training).encoded[:VERIFIED_ROWS]
    final = output / "adapter"
    decision = trainer.fitted_decision()
    if trainer.args.distributed_state.is_main_process:
        _write_adapter(trainer, final, sample, course, decision, seconds=seconds, lineage=lineage, memory=memory)
    trainer.args.distributed_state.wait_for_everyone()
    model.eval()
    chosen_on = frozenset(input_key(row, plan.task) for row in (plan.evaluation.rows if plan.evaluation else ()))
    chosen_on |= vars(model).get(CHOSEN_ON, frozenset())  # by an earlier run of this adapter
    remembered = {TRAINED_FOR: plan.task.name, CHOSEN_ON: chosen_on, DECISION: decision, HISTORY: history}
    for name, value in remembered.items():
        setattr(model, name, value)
    setattr(model, SAMPLE, _sample(plan, course))
    remember_origin(model, tokenizer, final, course)
    tokenizer.model_max_length = plan.encoder.max_length  # questions are cut as they were in training
    return TrainResult(
        output_dir=output,
        adapter_dir=final,
        steps=state.global_step,
        train_loss=history[-1]["train_loss"],
        history=history,
        best_metric=state.best_metric,
        best_step=state.best_global_step,
        verified_rows=len(sample),
        seconds=seconds,
        memory=memory.need,
    )


def _sample(plan: Plan, course: Mapping[str, Any]) -> Sample:
    """Questions to compare a merged model on, since no run stores texts: of the rows that were measured on."""
    name, data = ("eval", plan.evaluation) if plan.evaluation else ("train", plan.training)
    origin = {"eval": "the run's validation rows", "train": "the run's training rows"}[name]
    return Sample.of(data.encoded, plan.layout, origin=origin, fingerprint=course[f"{name}_fingerprint"])


def _write_adapter(
    trainer: TaskTrainer,
    final: Path,
    sample: Sequence[EncodedRow],
    course: Mapping[str, Any],
    decision: Decision | None,
    *,
    seconds: float,
    lineage: Lineage,
    memory: RunMemory,
) -> None:
    """Save the adapter beside its place, verify it there, write its records, and put it in its place."""
    model, plan = trainer.model, trainer.plan
    tokenizer = plan.encoder.tokenizer
    history = tuple(dict(record) for record in trainer.state.log_history)
    partial = final.with_name(UNPLACED)
    checkpoints = final.with_name("checkpoints")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        save_adapter(model, tokenizer, partial)
        said: list[list[tuple[float, ...]]] = []

        def ask() -> list[tuple[float, ...]]:
            said.append(plan.logprobs(model, sample))
            return said[-1]

        if not verify_adapter(model, partial, ask):
            msg = (
                "the saved adapter, loaded afresh, answers differently from the model in memory; it is not kept. "
                f"{how_to_resume(checkpoints)}"
            )
            raise VerificationError(msg)
        record = {
            **_run_record(trainer, course, lineage),
            "history": history,
            "seconds": round(seconds, 1),
            "memory": memory.record(),
            "verification": {"rows": len(sample), "equal": True, "logprobs": said[0]},
        }
        seal_adapter(
            partial, tokenizer, task_name=plan.task.name, base=course["base"], run_record=record, decision=decision,
            continued_from=lineage.continued_from,
        )  # fmt: skip
        set_reports_aside(final.parent, lineage.run)
        replace_folder(partial, final)
    except (OSError, SafetensorError) as error:
        raise unwritable(final, error, how_to_resume(checkpoints)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _run_record(trainer: TaskTrainer, course: Mapping[str, Any], lineage: Lineage) -> dict[str, Any]:
    """What a run was, for whoever wants to repeat or judge it."""
    plan, state = trainer.plan, trainer.state
    trainable, total = trainer.model.get_nb_trainable_parameters()
    counts = {"train": plan.training.encoded.counts}
    if plan.evaluation:
        counts["eval"] = plan.evaluation.encoded.counts
    lora = {**course["lora"], "seed": lineage.lora_seed}
    return {
        "run": lineage.run,
        "settings": {**course, "lora": lora},
        "versions": versions(),
        "machine": machine_record(trainer.model.device),
        "plugin": supplier_of(plan.task),
        "encoding": {name: asdict(found) for name, found in counts.items()},
        "parameters": {"trainable": trainable, "total": total},
        "steps": state.global_step,
        "best": {"metric": state.best_metric, "step": state.best_global_step},
        "adapter_was_fresh": lineage.fresh,
        "continued_from": lineage.continued_from,
        "resumes": lineage.resumes,
    }
