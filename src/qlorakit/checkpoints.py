"""Checkpoints that are complete or absent, and that can be resumed without changing the course of training."""

from __future__ import annotations

import json
import re
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

from transformers import TrainerCallback

from qlorakit.display import show
from qlorakit.errors import OutputError, TrainingError
from qlorakit.records import plain, write_json

if TYPE_CHECKING:
    from types import FrameType

    from transformers import TrainerControl, TrainerState, TrainingArguments

MARKER = "qlorakit.json"
# Patterns: of several processes each has its own random state.
NEEDED = ("adapter_model.safetensors", "optimizer.pt", "scheduler.pt", r"rng_state(_\d+)?.pth", "trainer_state.json")


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
    """Marks checkpoints complete, keeps the last and the best, and stops after one when Ctrl-C was pressed."""

    def __init__(self, folder: Path, course: Mapping[str, Any], interruption: Interruption) -> None:
        """Remember what a resumed run must agree with.

        Args:
            folder: Where the trainer writes ``checkpoint-N``.
            course: Every setting that decides the course of training.
            interruption: Tells whether Ctrl-C was pressed.
        """
        self.folder = folder
        self.course = dict(course)
        self.interruption = interruption

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object) -> None:
        """Ask for a checkpoint on Ctrl-C; the epoch's last step waits for the evaluation that belongs to it."""
        del args
        if self.interruption.asked and not float(state.epoch or 0).is_integer():
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
            write_json(written / MARKER, {"course": self.course, "files": _sizes(written)}, default=plain)
        except OSError as error:
            raise failed_save(written, error) from error
        needed = {written.name, Path(state.best_model_checkpoint or written).name}
        for path in self.folder.glob("checkpoint-*"):
            if path.name not in needed:
                shutil.rmtree(path)
        if self.interruption.asked:
            raise KeyboardInterrupt(how_to_resume(self.folder))


def latest_checkpoint(folder: Path) -> Path | None:
    """The complete checkpoint with the most steps."""
    complete = [path for path in folder.glob("checkpoint-*") if _is_complete(path)]
    return max(complete, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def remove_incomplete(folder: Path) -> None:
    """Remove what an interrupted save left behind."""
    for path in folder.glob("checkpoint-*"):
        if not _is_complete(path):
            shutil.rmtree(path)


def _is_complete(checkpoint: Path) -> bool:
    """Whether the marker, which is written last, is there and can be read."""
    try:
        json.loads((checkpoint / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def read_course(checkpoint: Path) -> dict[str, Any]:
    """The settings a checkpoint was made under, its files checked.

    Raises:
        TrainingError: It is incomplete or a file is missing or cut short.
    """
    try:
        marker = json.loads((checkpoint / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        msg = f"{checkpoint} is not a complete checkpoint of this library ({error})"
        raise TrainingError(msg) from error
    present = _sizes(checkpoint)
    for name, size in marker["files"].items():
        if present.get(name) != size:
            what = "is missing" if name not in present else f"has {present[name]} bytes instead of {size}"
            msg = f"{checkpoint / name} {what}; training cannot be resumed from it without changing its course"
            raise TrainingError(msg)
    course: dict[str, Any] = marker["course"]
    return course


def check_course(checkpoint: Path, recorded: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Refuse to go on under other settings.

    Raises:
        TrainingError: They differ; names each with both values.
    """
    asked = _flat(json.loads(json.dumps(dict(asked), default=plain)))
    recorded = _flat(recorded)
    differing = sorted(name for name in {*recorded, *asked} if recorded.get(name) != asked.get(name))
    if differing:
        pairs = "; ".join(f"{name}: {recorded.get(name)!r} then, {asked.get(name)!r} now" for name in differing)
        msg = f"{checkpoint} belongs to a run with other settings ({pairs}); resume with the same, or start anew"
        raise TrainingError(msg)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings under dotted names."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def how_to_resume(folder: Path) -> str:
    """A line for somebody whose training just stopped."""
    latest = latest_checkpoint(folder)
    if latest is None:
        return "training stopped before its first checkpoint; nothing was saved"
    step = latest.name.rpartition("-")[2]
    return f"training stopped; {latest} holds step {step}. Go on with train(..., resume_from_checkpoint=True)"


def failed_save(checkpoint: Path, error: Exception) -> OutputError:
    """Clean up after a checkpoint that could not be written, and say so."""
    shutil.rmtree(checkpoint, ignore_errors=True)
    return OutputError(
        f"{checkpoint} could not be written ({error}); is the disk full? {how_to_resume(checkpoint.parent)}"
    )


def _sizes(checkpoint: Path) -> dict[str, int]:
    sizes = {path.name: path.stat().st_size for path in sorted(checkpoint.iterdir()) if path.name != MARKER}
    missing = [name for name in NEEDED if not any(map(re.compile(name).fullmatch, sizes))]
    if missing and not (checkpoint / MARKER).is_file():
        msg = f"{checkpoint}: the trainer did not write {', '.join(missing)}"
        raise TrainingError(msg)
    return sizes
