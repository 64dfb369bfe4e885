"""The folder of a run: what stands in it, what may be replaced, and how one folder takes the place of another."""

from __future__ import annotations

import shutil
from pathlib import Path

from qlorakit.adapters import finished_steps
from qlorakit.checkpoints import latest_checkpoint, remove_incomplete
from qlorakit.errors import OutputError, TrainingError


def find_checkpoint(output: Path, *, resume: bool | str | Path | None, overwrite: bool) -> Path | None:
    """Check the output folder without touching it, and find the checkpoint to go on from."""
    checkpoints = output / "checkpoints"
    if output.exists() and not output.is_dir():
        msg = f"output_dir={str(output)!r} is a file; give a folder"
        raise OutputError(msg)
    if resume not in {False, None}:
        checkpoint = latest_checkpoint(checkpoints) if resume is True else Path(str(resume))
        if checkpoint is None or not checkpoint.is_dir():
            msg = f"there is no checkpoint to resume from: {checkpoints if resume is True else resume}"
            raise TrainingError(msg)
        step = int(checkpoint.name.rpartition("-")[2]) if checkpoint.name.startswith("checkpoint-") else None
        if resume is True and step is not None and step == finished_steps(output / "adapter"):
            msg = f"{output} holds a finished run of {step} steps; load it with load_adapter, or pass overwrite=True"
            raise OutputError(msg)
        return checkpoint
    held = [what for what in ("adapter", "checkpoints") if (output / what).is_dir() and any((output / what).iterdir())]
    if held and not overwrite:
        msg = (
            f"{output} holds another run ({' and '.join(held)}). Choose another output_dir, pass "
            "resume_from_checkpoint=True to go on with it, or overwrite=True to replace it"
        )
        raise OutputError(msg)
    return None


def make_output(output: Path, *, keep: bool) -> None:
    """Make the folder for checkpoints; of another run's only what is incomplete goes where they are kept."""
    checkpoints = output / "checkpoints"
    try:
        if keep:
            remove_incomplete(checkpoints)
        elif checkpoints.exists():
            shutil.rmtree(checkpoints)
        checkpoints.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        msg = f"output_dir={str(output)!r} cannot be written: {error}"
        raise OutputError(msg) from error


def replace_folder(partial: Path, final: Path) -> None:
    """Put the new folder in the old one's place, which stays until then."""
    old = final.with_name(".adapter.old")
    if final.exists():
        shutil.rmtree(old, ignore_errors=True)
        final.rename(old)
    try:
        partial.rename(final)
    except OSError:
        if old.exists():
            old.rename(final)
        raise
    shutil.rmtree(old, ignore_errors=True)
