"""Checkpoints that are complete or absent, and that can be resumed without changing the course of training.

A checkpoint is complete when its marker is there, which is written last, when everything else is on the disk, and which
holds the hash of every file.  Without a marker it is what an interrupted save, or an interrupted removal, left behind;
with one that its files do not agree with, it is damaged, and never gone on from.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

from transformers import TrainerCallback

from qlorakit.checkpoint_contents import check_lineage, check_settings_held, check_state
from qlorakit.display import show
from qlorakit.errors import TrainingError, first_few, unwritable
from qlorakit.records import damage_of, is_sealed, plain, seal_of, settle, versions, write_sealed

if TYPE_CHECKING:
    from types import FrameType

    from transformers import TrainerControl, TrainerState, TrainingArguments

    from qlorakit.errors import OutputError

logger = logging.getLogger(__name__)

MARKER, STATE = "qlorakit.json", "trainer_state.json"
# Patterns: of several processes each has its own random state.
NEEDED = ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", r"rng_state(_\d+)?.pth", STATE)

NAME = re.compile(r"checkpoint-(\d+)")
# What differs, where the values themselves say nothing to a reader.
DIFFERENCES = {
    "train_fingerprint": "train_dataset: other rows, or the same ones in another order",
    "eval_fingerprint": "eval_dataset: other rows, or the same ones in another order",
    "train_tokens": "train_dataset: the same rows become other tokens, as the task's wording or the tokenizer changed",
    "eval_tokens": "eval_dataset: the same rows become other tokens, as the task's wording or the tokenizer changed",
    "template": "the chat template is another one",
    "continued_from": "the adapter that training went on from is another one",
}
SAID_AS = {"per_device_train_batch_size": "batch_size"}  # by the name of train's own argument
SAID_TWICE = {"data_seed"}  # is seed
# Where a base stands, which says nothing where its files are known and the same.
PLACES = {"base.name", "base.revision", "lora.base_model_name_or_path", "lora.revision"}
PLUGIN = "plugin"  # among the versions of packages: what supplies the task


@dataclass(frozen=True)
class Lineage:
    """Where a run comes from, which its checkpoints carry from call to call.

    Attributes:
        run: Names the run, however often it is resumed: 32 random hexadecimal digits.
        fresh: Whether the adapter was untrained when it began.
        lora_seed: Of the adapter's random start; ``None`` where it is not known.
        continued_from: The finished adapter it goes on from: its folder's name, its task, its steps and the SHA-256 of
            its manifest.
        resumes: For every time it was resumed: the step, the checkpoints that were passed over with what was wrong with
            them, and the packages that had another version until then, the one that supplies the task among them.
    """

    run: str
    fresh: bool
    lora_seed: int | None = None
    continued_from: Mapping[str, Any] | None = None
    resumes: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint whose files are as they were written.

    Attributes:
        path: Its folder.
        step: Optimizer steps taken by then.
        best: The step whose checkpoint was the best by then; ``None`` without evaluations.
        course: The settings it was made under.
        lineage: Where its run comes from.
        versions: Of packages, when it was made, and of what supplied the task.
        passed_over: Later checkpoints that are damaged, by name, with what is wrong with them.
    """

    path: Path
    step: int
    best: int | None
    course: Mapping[str, Any]
    lineage: Lineage
    versions: Mapping[str, str]
    passed_over: Mapping[str, str]

    def resumed(self, supplier: str | None = None) -> Lineage:
        """The lineage of the run that goes on from here.

        Args:
            supplier: Of the task, with its version; ``None`` for a task that a script made.
        """
        now = {**versions(), PLUGIN: supplier}
        changed = {name: [self.versions.get(name), now[name]] for name in now if self.versions.get(name) != now[name]}
        this = {"step": self.step, "passed_over": dict(self.passed_over), "versions": changed}
        return Lineage(**{**vars(self.lineage), "resumes": (*self.lineage.resumes, this)})


class Interruption:
    """Ctrl-C during training: the first one asks for a checkpoint after the step, the second one stops at once."""

    def __init__(self) -> None:
        """Nothing has been asked for yet."""
        self.asked = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take Ctrl-C for as long as this lasts; only the main thread gets signals."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = signal.signal(signal.SIGINT, self._handle)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        show("stopping after this step, with a checkpoint; Ctrl-C again stops at once")


class Checkpoints(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Marks checkpoints complete, keeps a number of them, and stops after one when Ctrl-C was pressed."""

    def __init__(
        self,
        folder: Path,
        course: Mapping[str, Any],
        lineage: Lineage,
        interruption: Interruption,
        *,
        limit: int,
        resumed: Checkpoint | None = None,
        supplier: str | None = None,
    ) -> None:
        """Remember what a resumed run must agree with.

        Args:
            folder: Where the trainer writes ``checkpoint-N``.
            course: Every setting that decides the course of training.
            lineage: Where the run comes from.
            interruption: Tells whether Ctrl-C was pressed.
            limit: How many checkpoints are kept.
            resumed: The one that the run goes on from.
            supplier: Of the task, with its version.
        """
        self.folder = folder
        self.course = dict(course)
        self.lineage = lineage
        self.interruption = interruption
        self.limit = limit
        self.resumed = resumed
        self.supplier = supplier
        self.begun = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Find the best checkpoint beside the one gone on from: the folder may have been moved since."""
        del args, control
        self.begun = True
        best = self.resumed.best if self.resumed else None
        state.best_model_checkpoint = str(self.folder / f"checkpoint-{best}") if best else None

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Ask for a checkpoint on Ctrl-C; the last step of an epoch or of the run waits for its evaluation."""
        del args
        ends = float(state.epoch or 0).is_integer() or state.global_step >= state.max_steps
        if self.interruption.asked and not ends:
            control.should_save = True

    def on_epoch_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Ask for a checkpoint on Ctrl-C."""
        del args, state
        if self.interruption.asked:
            control.should_save = True

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Mark the checkpoint complete, remove those no longer needed.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed; the message says how to resume.
        """
        del args, control
        if not state.is_world_process_zero:
            return
        written = self.folder / f"checkpoint-{state.global_step}"
        try:
            self._mark(written)
        except OSError as error:
            raise failed_save(written, error) from error
        self._prune(state.global_step, state.best_global_step)
        if self.interruption.asked:
            raise KeyboardInterrupt(how_to_resume(self.folder))

    def _mark(self, written: Path) -> None:
        """Write the marker, when everything else is on the disk."""
        settle(written)
        seal = seal_of(written)
        missing = _lacking(seal)
        if missing:
            msg = f"{written}: the trainer did not write {', '.join(missing)}. {how_to_resume(self.folder)}"
            raise TrainingError(msg)
        made_with = {**versions(), PLUGIN: self.supplier}
        marker = {"course": self.course, "lineage": asdict(self.lineage), "versions": made_with, "files": seal}
        write_sealed(written / MARKER, marker, default=plain)

    def _prune(self, step: int, best: int | None) -> None:
        """Remove what is no longer needed; checkpoints of steps still to come are replaced when these are reached."""
        damaged = self.resumed.passed_over if self.resumed else {}
        reached = [path for path in _by_step(self.folder) if _step_of(path) <= step]
        whole = [path for path in reached if path.name not in damaged or _step_of(path) == step]
        chosen = [path for path in whole if _step_of(path) == best]
        newest = [path for path in whole if path not in chosen][: self.limit - len(chosen)]
        for path in reached:
            if path not in {*chosen, *newest}:
                try:
                    discard(path)
                except OSError as error:
                    logger.warning("%s is no longer needed and could not be removed (%s)", path, error)


def discard(checkpoint: Path) -> None:
    """Remove a checkpoint, its marker first: half removed, it is not taken for a complete one.

    Raises:
        OSError: It cannot be removed.
    """
    if checkpoint.is_symlink():
        checkpoint.unlink()
    elif checkpoint.exists():
        (checkpoint / MARKER).unlink(missing_ok=True)
        shutil.rmtree(checkpoint)


def remove_incomplete(folder: Path) -> None:
    """Remove what an interrupted save, or an interrupted removal, left behind."""
    for path in _by_step(folder):
        if not (path / MARKER).exists():
            logger.info("%s was not completed; it is removed", path)
            discard(path)
    for path in folder.glob(".checkpoint-*.partial"):
        discard(path)


def bring_in(checkpoint: Checkpoint, folder: Path) -> None:
    """Copy a checkpoint from elsewhere, and before it the best one it builds on, to where a run keeps its own.

    A run that is killed meanwhile leaves complete checkpoints and what :func:`remove_incomplete` removes.

    Raises:
        OSError: There is no room.
        TrainingError: A copy is not what it was made from.
    """
    best = checkpoint.path.with_name(f"checkpoint-{checkpoint.best}")
    sources = {f"checkpoint-{checkpoint.step}": checkpoint.path}
    if checkpoint.best not in {None, checkpoint.step}:
        sources = {best.name: best, **sources}
    for name, source in sources.items():
        if source.absolute() == (folder / name).absolute():
            continue
        partial = folder / f".{name}.partial"
        discard(partial)
        shutil.copytree(source, partial)
        settle(partial)
        discard(folder / name)
        partial.rename(folder / name)
        read_checkpoint(folder / name)


def placed(checkpoint: Checkpoint, folder: Path) -> Checkpoint:
    """A checkpoint as it is once it was brought into a folder."""
    return replace(checkpoint, path=folder / f"checkpoint-{checkpoint.step}")


def latest_checkpoint(folder: Path) -> Checkpoint | None:
    """The checkpoint with the most steps of those that can be gone on from, with what is wrong with later ones.

    Raises:
        TrainingError: There are checkpoints, and all of them are damaged; says how each is.
    """
    passed_over: dict[str, str] = {}
    for path in _by_step(folder):
        if not (path / MARKER).exists():
            continue
        try:
            return read_checkpoint(path, passed_over=passed_over)
        except TrainingError as error:
            passed_over[path.name] = str(error).replace(f"{folder}{os.sep}", "")
    if passed_over:
        msg = (
            f"no checkpoint in {folder} can be gone on from. {' '.join(passed_over.values())} "
            "Put these files back from a copy if there is one, or start anew with overwrite=True"
        )
        raise TrainingError(msg)
    return None


def read_checkpoint(path: Path, *, passed_over: Mapping[str, str] | None = None) -> Checkpoint:
    """Read a checkpoint's marker and check every file, those of the best checkpoint it builds on as well.

    Args:
        path: The checkpoint's folder.
        passed_over: Later ones that are damaged.

    Raises:
        TrainingError: It was never completed, or a file is missing, changed or was added; says which.
    """
    marker = _checked_marker(path)
    try:
        state = dict(json.loads((path / STATE).read_text(encoding="utf-8")))
        check_state(state)
        check_lineage(marker["lineage"])
        check_settings_held(marker["course"], marker["versions"])
        _flat(marker["course"])  # which has a depth that can be read
        step, best = state["global_step"], state["best_global_step"]
        lineage = Lineage(**{**marker["lineage"], "resumes": tuple(marker["lineage"]["resumes"])})
        found = Checkpoint(
            path, step, best, marker["course"], lineage, marker["versions"], dict(passed_over or {})
        )  # fmt: skip
    except (OSError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        msg = f"{path} is damaged: {STATE} or {MARKER} is not as it was written ({error})."
        raise TrainingError(msg) from error
    if NAME.fullmatch(path.name) and _step_of(path) != step:
        msg = f"{path} is damaged: it holds step {step}."
        raise TrainingError(msg)
    if best and best != step:
        try:
            _check_best(path.parent / f"checkpoint-{best}", lineage.run)
        except TrainingError as error:
            msg = f"{path} cannot be gone on from without the best checkpoint so far. {error}"
            raise TrainingError(msg) from error
    return found


def check_files(checkpoint: Path) -> None:
    """Refuse a checkpoint whose files are not as they were written.

    Raises:
        TrainingError: Says which.
    """
    _checked_marker(checkpoint)


def _check_best(checkpoint: Path, run: str) -> None:
    lineage = _checked_marker(checkpoint).get("lineage")
    if not isinstance(lineage, dict) or lineage.get("run") != run:
        msg = f"{checkpoint} is of another run."
        raise TrainingError(msg)


def _checked_marker(checkpoint: Path) -> dict[str, Any]:
    if checkpoint.is_symlink():
        msg = f"{checkpoint} is a link, which is not followed."
        raise TrainingError(msg)
    try:
        marker: dict[str, Any] = dict(json.loads((checkpoint / MARKER).read_text(encoding="utf-8")))
        seal = dict(marker["files"])
        sealed = is_sealed(marker)
    except FileNotFoundError as error:
        msg = f"{checkpoint} is no complete checkpoint of this library: {MARKER} is missing."
        raise TrainingError(msg) from error
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        msg = f"{checkpoint} is damaged: {MARKER} cannot be read ({error})."
        raise TrainingError(msg) from error
    if not sealed:
        msg = f"{checkpoint} is damaged: {MARKER} was changed or damaged since it was saved."
        raise TrainingError(msg)
    added = sorted({path.name for path in checkpoint.iterdir()} - {*seal, MARKER})
    wrong = [
        *(f"{name} is missing" for name in _lacking(seal)),
        *(f"{path.name} {what}" for path, what in damage_of(checkpoint, seal)),
        *(f"{name} was not in it when it was made" for name in added),
    ]
    if wrong:
        msg = f"{checkpoint} is damaged: {first_few(wrong, 4)}."
        raise TrainingError(msg)
    return marker


def check_course(checkpoint: Path, recorded: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Refuse to go on under other settings or with other data.

    Raises:
        TrainingError: They differ; names each with both values.
    """
    asked = _flat(json.loads(json.dumps(dict(asked), default=plain)))
    recorded = _flat(recorded)
    differing = {name for name in {*recorded, *asked} - SAID_TWICE if recorded.get(name) != asked.get(name)}
    files = {name for name in {*recorded, *asked} if name.startswith("base.files.")}
    if files and not files & differing:
        differing -= PLACES
    for side in ("train", "eval"):
        if f"{side}_fingerprint" in differing:  # of other rows the tokens differ as well
            differing.discard(f"{side}_tokens")
    if differing:
        told = "; ".join(_difference(name, recorded.get(name), asked.get(name)) for name in sorted(differing))
        msg = f"{checkpoint} belongs to a run with other settings or data ({told}); resume with the same, or start anew"
        raise TrainingError(msg)


def _difference(name: str, then: object, now: object) -> str:
    if name in DIFFERENCES and then is not None and now is not None:
        return DIFFERENCES[name]
    if name in DIFFERENCES:
        there = {True: "there was one then, and there is none now", False: "there was none then, and there is one now"}
        return f"{DIFFERENCES[name].split(':')[0]}: {there[now is None]}"
    if name.startswith("base.files."):
        return f"the base's {name.removeprefix('base.files.')} is another file"
    return f"{SAID_AS.get(name, name)}: {then!r} then, {now!r} now"


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings under dotted names."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def how_to_resume(folder: Path) -> str:
    """A line for somebody whose training just stopped."""
    try:
        latest = latest_checkpoint(folder)
    except TrainingError as error:
        return f"training stopped; {error}"
    if latest is None:
        return "training stopped before its first checkpoint; nothing was saved. Start anew with overwrite=True"
    return (
        f"training stopped; {latest.path} holds step {latest.step}. "
        "Go on with train(..., resume_from_checkpoint=True)"
    )  # fmt: skip


def failed_save(checkpoint: Path, error: Exception) -> OutputError:
    """Clean up after a checkpoint that could not be written, and say so."""
    with suppress(OSError):
        discard(checkpoint)
    return unwritable(checkpoint, error, how_to_resume(checkpoint.parent))


def _lacking(names: Collection[str]) -> list[str]:
    """What every checkpoint must hold, and this one does not."""
    return [pattern for pattern in NEEDED if not any(map(re.compile(pattern).fullmatch, names))]


def _step_of(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def _by_step(folder: Path) -> Sequence[Path]:
    """The checkpoints of a folder, the one with the most steps first."""
    return sorted((path for path in folder.glob("checkpoint-*") if NAME.fullmatch(path.name)), key=_step_of)[::-1]
