"""Train an adapter on a task, save it, verify it."""

from __future__ import annotations

import contextlib
import logging
import random
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from qlorakit.bitsandbytes_offline import peft

import torch

from qlorakit.adapters import (
    CONTINUED_FROM,
    DECISION,
    FINGERPRINTS,
    HISTORY,
    LORA_SEED,
    MANIFEST_HASH,
    TRAINED_FOR,
    base_record,
    is_fresh,
)
from qlorakit.agreement import SAMPLE
from qlorakit.checkpoints import (
    PLUGIN,
    Checkpoints,
    Interruption,
    Lineage,
    check_course,
    how_to_resume,
    placed,
    remove_incomplete,
)
from qlorakit.class_balance import Balance, ClassBalance, balance
from qlorakit.data_audit import audit
from qlorakit.display import show
from qlorakit.errors import (
    ConfigurationError,
    DataError,
    EncodingError,
    QlorakitError,
    TrainingError,
    unwritable,
    visible,
)
from qlorakit.finishing import TrainResult, finish
from qlorakit.inference import build_encoder, layout_for, warn_of
from qlorakit.logits import one_at_a_time
from qlorakit.memory import PeakMemory
from qlorakit.memory_need import RunMemory
from qlorakit.memory_probe import MemoryCheck, check_choice, look_ahead
from qlorakit.plugins import supplier_of
from qlorakit.quantization import keep_unpacked
from qlorakit.rows import as_rows, check_rows, check_task
from qlorakit.run_folders import alone_in, check_still, find_checkpoint, make_output
from qlorakit.splits import overlap
from qlorakit.trainer import FIRST_BUDGET, Data, EarlyStopping, Plan, TaskTrainer
from qlorakit.training_settings import build_arguments, check_settings, choose_metric, course_of, evaluation_settings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, TrainerCallback, TrainingArguments

    from qlorakit.checkpoints import Checkpoint
    from qlorakit.encoding import Encoder
    from qlorakit.layout import PrefixSharing
    from qlorakit.objectives import LossWeight, Objective
    from qlorakit.task import Row, Task

logger = logging.getLogger(__name__)

# What is remembered of an adapter, and no longer true of its weights from the first step on.
UNTRUE_ONCE_TRAINED = (CONTINUED_FROM, MANIFEST_HASH, FINGERPRINTS, SAMPLE, DECISION, HISTORY, TRAINED_FOR)


@one_at_a_time
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
    objective: Objective = "language_model",
    negatives: int | None = None,
    loss_weight: LossWeight = "token",
    class_balance: ClassBalance = "none",
    gather_documents: bool = False,
    prefix_sharing: PrefixSharing = "auto",
    metric_for_best_model: str | None = None,
    early_stopping_patience: int | None = None,
    max_eval_rows: int | None = 1000,
    max_length: int | None = None,
    max_new_tokens: int = 256,
    token_budget: int | None = None,
    save_total_limit: int = 3,
    resume_from_checkpoint: bool | str | Path | None = False,
    overwrite: bool = False,
    fatal_findings: Literal["refuse", "warn"] = "refuse",
    memory_check: MemoryCheck = "refuse",
    progress: bool = True,
    **training_arguments: Any,  # noqa: ANN401  # whatever transformers.TrainingArguments takes
) -> TrainResult:
    """Train the adapter on the task's targets, keep the best checkpoint, save and verify it.

    The loss is the mean negative log-likelihood of the target tokens, end of turn included, over all rows of an
    optimizer step, however these are cut into micro-batches.

    Args:
        model: From ``attach_lora``, or from ``load_adapter(..., trainable=True)`` to go on from a finished adapter as
            a run of its own.  It holds the result afterwards.
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
        objective: For questions with choices.  ``"language_model"``: the negative log-likelihood of the right answer.
            ``"choices"``: the cross-entropy of the right answer among all choices, ranked by likelihood as evaluation
            ranks them.  Free text is learned by the language-model loss in any case.
        negatives: Most wrong choices that the right one is compared with, drawn anew at random for each step; all of
            them unless given.
        loss_weight: ``"token"``: every target token (or choice among choices) counts the same; ``"row"``: every row
            does.
        class_balance: For tasks with one label for each row.  ``"weights"``: the loss of a row counts more, the rarer
            its class; ``"oversample"``: rows of rarer classes come several times in every epoch, until all classes
            have as many.  See :func:`~qlorakit.class_balance.balance`.
        gather_documents: Whether rows that ask about the same text come next to each other, into the same step unless
            its end comes between them, where they share its computation; steps are then less varied.  Otherwise rows
            are drawn one by one.
        prefix_sharing: Whether what rows have in common is computed once: exactly the same losses and gradients, but
            for rounding, several times faster.  ``"auto"``: if the model passes a check against computing each row by
            itself; ``"on"``: as ``"auto"``, but an error if it does not; ``"off"``: never.
        metric_for_best_model: A metric of the task, or ``"loss"``; the task's first metric unless given.
        early_stopping_patience: Stop after this many evaluations without a better value.
        max_eval_rows: Most rows of ``eval_dataset`` that are measured on, drawn once by the seed; ``None`` for all.
        max_length: Most tokens of prompt and target; the model's context unless given.  Longer prompts are cut where
            the task allows, targets never.
        max_new_tokens: Most tokens of an answer generated in evaluations.
        token_budget: Most tokens of a micro-batch; a power of two from model and memory unless given.
        save_total_limit: How many checkpoints are kept, at least 2: the best one always, and beside it the newest
            ones.  They are removed when a new one is complete, so that the disk must hold one more.
        resume_from_checkpoint: ``True`` goes on from the last checkpoint in ``output_dir`` whose files are as they were
            written, and says which later ones are damaged; a path from that one, which is copied into ``output_dir``
            where it is of another folder.  On a CPU the weights end up the same, bit for bit, as those of a run that
            nothing stopped.
        overwrite: Whether a run that ``output_dir`` holds may be replaced; the old adapter stays until the new one is
            complete, and reports on it that are there are renamed then.
        fatal_findings: What to do where a quick look at the training rows finds what makes training pointless, such as
            a single label; see :func:`~qlorakit.data_audit.audit`.
        memory_check: What to do where the run cannot fit into memory, as the micro-batch that needs most tells, which
            is computed once before the first step: ``"refuse"``, ``"warn"``, or ``"off"``, not to look.
        progress: Whether to show bars.
        **training_arguments: Passed to ``transformers.TrainingArguments``, but for those that would lie here.

    Returns:
        Where the adapter is, steps, losses and metrics by step, and the best of them.

    Raises:
        ConfigurationError: A setting is out of range, refused or unknown.
        DataError: A row is unusable or has no target.
        PluginError: The task fails on a row, or a metric of it in an evaluation.
        EncodingError: A target would be cut.
        OutputError: ``output_dir`` holds another run, another training is writing there, or it cannot be written.
        TrainingError: The loss is not finite, memory ran out, there is no checkpoint to resume from, it is damaged, or
            it was made with other settings or data.
        ModelError: An evaluation met log-probabilities that are not finite.
        AdapterError: The last step left weights that are not finite; they are not saved.
        PrefixSharingError: ``prefix_sharing`` is ``"on"``, and the model cannot.
        VerificationError: The saved adapter does not answer as the one in memory.
    """
    check_task(task)
    _check_adapter(model)
    _check_limit(save_total_limit)
    check_choice(memory_check)
    settings = {
        "per_device_train_batch_size": batch_size,
        "learning_rate": learning_rate,
        "num_train_epochs": num_train_epochs,
        "seed": seed,
        "data_seed": seed,
    }
    check_settings(settings, objective, negatives, loss_weight, training_arguments)
    _check_evaluations(early_stopping_patience, max_eval_rows, evaluated=eval_dataset is not None)
    best_by = choose_metric(task, metric_for_best_model, evaluated=eval_dataset is not None)
    if eval_dataset is not None:
        settings |= evaluation_settings(task, best_by, training_arguments)
    elif training_arguments.get("eval_strategy", "no") != "no":
        msg = f"eval_strategy={training_arguments['eval_strategy']!r} needs an eval_dataset to be measured on"
        raise ConfigurationError(msg)
    output = Path(output_dir).expanduser().absolute()  # wherever a task may lead the process
    asked: dict[str, Any] = {"resume": resume_from_checkpoint, "overwrite": overwrite}
    checkpoint = find_checkpoint(output, **asked)
    recorded, supplier = checkpoint.course if checkpoint else {}, supplier_of(task)
    lineage = checkpoint.resumed(supplier) if checkpoint else _begin(model, evaluated=eval_dataset is not None)
    token_budget = _resumed_budget(token_budget, recorded)
    keep_unpacked(model)
    encoder = build_encoder(model, tokenizer, max_length=max_length, max_new_tokens=max_new_tokens)
    training, balanced = _training_data(
        train_dataset, task, encoder, class_balance, seed=seed, findings=fatal_findings, progress=progress
    )
    evaluation = None
    if eval_dataset is not None:
        evaluated = _encode(eval_dataset, task, encoder, "eval_dataset", progress=progress)
        evaluation = _draw(evaluated, max_eval_rows, seed)
        _warn_of_overlap(training, evaluation, task)
    layout = layout_for(
        model, encoder, [*training.encoded.longest, *(evaluation.encoded.longest if evaluation else ())],
        prefix_sharing=prefix_sharing, token_budget=token_budget,
    )  # fmt: skip
    plan = Plan(
        task, encoder, training, evaluation, layout, loss_weight, objective, negatives, gather_documents,
        class_balance, balanced.repeated,
    )  # fmt: skip
    arguments = build_arguments(model, output / "checkpoints", {**settings, **training_arguments}, progress=progress)
    base = base_record(model)
    course = {
        **course_of(plan, model, arguments, base, early_stopping_patience),
        "continued_from": _manifest_of(vars(model).get(CONTINUED_FROM) or lineage.continued_from),
        **{name: value for name, value in recorded.items() if name == FIRST_BUDGET},
    }
    if checkpoint:
        check_course(checkpoint.path, recorded, {**course, "token_budget": recorded.get("token_budget")})
        _warn_of_versions(lineage)
        arguments.eval_on_start = False  # it has been, before the first step

    interruption = Interruption()
    here = placed(checkpoint, output / "checkpoints") if checkpoint else None
    marking = Checkpoints(
        output / "checkpoints", course, lineage, interruption, limit=save_total_limit, resumed=here, supplier=supplier
    )
    callbacks = [marking, *_stopping(best_by, early_stopping_patience, arguments)]
    began = time.monotonic()
    alone = alone_in(output) if arguments.distributed_state.is_main_process else contextlib.nullcontext()
    with _config_kept(model), alone, _explained(plan, marking), PeakMemory(model.device) as watch:
        memory = RunMemory(look_ahead(model, plan, arguments, memory_check, shown=progress), watch)
        trainer = TaskTrainer(plan=plan, foreseen=memory.foreseen, model=model, args=arguments, callbacks=callbacks)
        _take_folder(arguments, output, checkpoint, asked)
        with interruption.watching():
            _forget_adapter(model)
            trainer.train(resume_from_checkpoint=str(here.path) if here else None)
        return finish(trainer, output, course, time.monotonic() - began, lineage=lineage, memory=memory)


def _stopping(best_by: str, patience: int | None, arguments: TrainingArguments) -> list[TrainerCallback]:
    higher = bool(arguments.greater_is_better)
    return [] if patience is None else [EarlyStopping(best_by, patience, higher=higher)]


def _forget_adapter(model: peft.PeftModel) -> None:
    """From the first step on the model is no longer the adapter that was loaded or trained before."""
    for name in UNTRUE_ONCE_TRAINED:
        vars(model).pop(name, None)


def _take_folder(
    arguments: TrainingArguments, output: Path, checkpoint: Checkpoint | None, asked: Mapping[str, Any]
) -> None:
    """Make the output folder in one process, once all have looked at it."""
    processes = arguments.distributed_state
    processes.wait_for_everyone()
    if processes.is_main_process:
        check_still(output, checkpoint, **asked)
        make_output(output, checkpoint)
    processes.wait_for_everyone()


def _check_adapter(model: peft.PeftModel) -> None:
    if not isinstance(model, peft.PeftModel):
        msg = "the model has no adapter to train; call attach_lora first"
        raise ConfigurationError(msg)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        msg = (
            "the model's adapter is frozen, as load_adapter leaves it; load it with trainable=True to go on from it, "
            "or attach a new one to a base from load_quantized"
        )
        raise ConfigurationError(msg)


def _check_limit(save_total_limit: int) -> None:
    if isinstance(save_total_limit, bool) or not isinstance(save_total_limit, int) or save_total_limit < 2:  # noqa: PLR2004  # the best and the last
        msg = f"save_total_limit={save_total_limit!r}: the last checkpoint and the best one are kept, so at least 2"
        raise ConfigurationError(msg)


def _begin(model: peft.PeftModel, *, evaluated: bool) -> Lineage:
    """The lineage of a new run; says so where its adapter is not new."""
    source, fresh = vars(model).get(CONTINUED_FROM), is_fresh(model)
    if source is not None:
        show(f"going on from the adapter of {source['folder']} ({source['task']}, {source['steps']} steps)")
        if vars(model).get(DECISION) and not evaluated:
            logger.warning(
                "the thresholds of the adapter were fitted to its weights as they are now; without an eval_dataset no "
                "new ones are fitted, and the task's defaults will hold"
            )
    elif not fresh:
        logger.warning(
            "the adapter has been trained already, and this run goes on from there; attach a new one to start anew"
        )
    return Lineage(uuid.uuid4().hex, fresh, vars(model).get(LORA_SEED), source)


def _manifest_of(source: Mapping[str, Any] | None) -> str | None:
    return source["manifest"] if source else None


def _warn_of_versions(lineage: Lineage) -> None:
    changed = lineage.resumes[-1]["versions"]
    if changed:
        told = ", ".join(f"{name} {then} then and {now} now" for name, (then, now) in changed.items())
        measures = ", and what the task measures may have changed" if PLUGIN in changed else ""
        logger.warning(
            "the checkpoint was made with other versions (%s): the weights may differ by rounding%s",
            visible(told), measures,
        )  # fmt: skip


def _check_evaluations(patience: int | None, max_rows: int | None, *, evaluated: bool) -> None:
    if patience is not None and (patience < 1 or not evaluated):
        msg = f"early_stopping_patience={patience}: needs an eval_dataset and at least 1 evaluation"
        raise ConfigurationError(msg)
    if max_rows is not None and max_rows < 1:
        msg = f"max_eval_rows={max_rows}: must be at least 1, or None for all rows of eval_dataset"
        raise ConfigurationError(msg)


def _resumed_budget(asked: int | None, recorded: Mapping[str, Any]) -> int | None:
    """The budget of the run that is resumed; another one is allowed, since memory may demand it, but not silent."""
    before: int | None = recorded.get("token_budget")
    if asked is not None and asked == recorded.get(FIRST_BUDGET):  # the same call as before memory ran out
        return before
    if before is not None and asked is not None and asked != before:
        logger.warning("token_budget=%d instead of %d: the weights will differ by rounding", asked, before)
    return before if asked is None else asked


def _draw(data: Data, most: int | None, seed: int) -> Data:
    """All rows, or as many as are wanted of them, in their order."""
    if most is None or len(data.rows) <= most:
        return data
    logger.info("evaluations in training measure %d of the %d rows of eval_dataset", most, len(data.rows))
    encoded = data.encoded.chosen(drawn_places(len(data.rows), most, seed))
    return Data(encoded.rows, encoded)


def drawn_places(rows: int, most: int, seed: int) -> list[int]:
    """Which of more rows an evaluation measures."""
    return sorted(random.Random(seed).sample(range(rows), most))  # noqa: S311  # nothing secret


def _warn_of_overlap(training: Data, evaluation: Data, task: Task[Any]) -> None:
    shared = overlap(training.rows, evaluation.rows, task)
    if shared:
        logger.warning(
            "%d of %d rows of eval_dataset ask what a row of train_dataset asks (row %d first): their metrics "
            "flatter the model; qlorakit.split keeps such rows together", len(shared), len(evaluation.rows),
            shared[0] + 1,
        )  # fmt: skip


def _training_data(
    dataset: Iterable[Row],
    task: Task[Any],
    encoder: Encoder,
    class_balance: ClassBalance,
    *,
    seed: int,
    findings: str,
    progress: bool,
) -> tuple[Data, Balance]:
    """The rows to train on, looked at before anything takes long, and how their classes are balanced."""
    if findings not in {"refuse", "warn"}:
        msg = f"fatal_findings={findings!r} is not one of 'refuse', 'warn'"
        raise ConfigurationError(msg)
    rows = as_rows(dataset, source="train_dataset")
    check_rows(rows, task, labelled=True, source="train_dataset")
    balanced = balance(rows, task, class_balance, seed=seed)
    _look_at(rows, task, findings)
    return _encode(rows, task, encoder, "train_dataset", weights=balanced.weights, progress=progress), balanced


def _look_at(rows: Sequence[Row], task: Task[Any], findings: str) -> None:
    """Refuse data that training cannot make anything of, and say what else is wrong at a glance."""
    found = audit(rows, task, quick=True)
    for finding in found.findings:
        if finding.severity == "warning" or (finding.severity == "fatal" and findings == "warn"):
            logger.warning("train_dataset: %s. %s", finding.title, finding.what_to_do)
    if found.fatal and findings == "refuse":
        told = "; ".join(f"{finding.title}. {finding.why} {finding.what_to_do}" for finding in found.fatal)
        msg = f'train_dataset: {told} (fatal_findings="warn" trains all the same)'
        raise DataError(msg)


def _encode(
    dataset: Iterable[Row],
    task: Task[Any],
    encoder: Encoder,
    name: str,
    *,
    weights: Mapping[Any, float] | None = None,
    progress: bool,
) -> Data:
    rows = as_rows(dataset, source=name)
    if weights is None:
        check_rows(rows, task, labelled=True, source=name)
    try:
        encoded = encoder.encode_rows(rows, task, class_weights=weights, progress=progress)
    except EncodingError as error:
        msg = f"{name}, {error}"
        raise EncodingError(msg) from error
    if encoded.without_target is not None:
        number = encoded.without_target + 1
        msg = f"{name}, row {number}: there is nothing to learn from it; its examples have no target"
        raise DataError(msg)
    warn_of(encoded)
    return Data(rows, encoded)


@contextlib.contextmanager
def _config_kept(model: peft.PeftModel) -> Iterator[None]:
    """Trainer switches the model's cache off and leaves it so; after an error, it leaves it in training mode."""
    config, training = model.config, model.training
    use_cache = config.use_cache
    try:
        yield
    except BaseException:
        model.train(training)
        raise
    finally:
        config.use_cache = use_cache


@contextlib.contextmanager
def _explained(plan: Plan, marking: Checkpoints) -> Iterator[None]:
    """Turn what stops the training into something a user can act on."""
    checkpoints = marking.folder
    try:
        yield
    except QlorakitError:
        raise
    except KeyboardInterrupt:
        remove_incomplete(checkpoints)
        raise KeyboardInterrupt(how_to_resume(checkpoints)) from None
    except torch.OutOfMemoryError as error:
        msg = (
            f"the GPU ran out of memory at token_budget={plan.layout.token_budget}; pass token_budget="
            f"{max(1, plan.layout.token_budget // 2)}, which changes nothing but rounding. {how_to_resume(checkpoints)}"
        )
        raise TrainingError(msg) from error
    except OSError as error:
        if not _is_about(checkpoints, error):
            raise
        raise unwritable(error.filename, error, how_to_resume(checkpoints)) from error
    except (ImportError, NotImplementedError, ValueError) as error:
        if marking.begun:  # the settings have been taken
            raise
        msg = f"transformers.Trainer refuses the settings: {error}"
        raise ConfigurationError(msg) from error


def _is_about(checkpoints: Path, error: OSError) -> bool:
    """Whether an error is about a file of the run, or a folder above it that could not be made."""
    if not isinstance(error.filename, str):
        return False
    file, output = Path(error.filename).absolute(), checkpoints.parent.absolute()
    return file.is_relative_to(output) or output.is_relative_to(file)
