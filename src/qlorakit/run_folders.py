"""The folder of a run: what stands in it, what may be replaced, and how one folder takes the place of another."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

from qlorakit.adapters import MANIFEST, REPLACED, RUN_RECORD, UNPLACED, read_manifest
from qlorakit.checkpoints import Checkpoint, latest_checkpoint, read_checkpoint, remove_incomplete
from qlorakit.display import show
from qlorakit.errors import ModelError, OutputError, TrainingError, unwritable
from qlorakit.records import forget_hashes, remove_folder, settle

logger = logging.getLogger(__name__)


def find_checkpoint(output: Path, *, resume: bool | str | Path | None, overwrite: bool) -> Checkpoint | None:
    """Check the output folder, of which nothing that counts is touched, and find the checkpoint to go on from.

    Args:
        output: Of the run.
        resume: Whether to go on from the last checkpoint that is as it was written; or the path of one.
        overwrite: Whether another run in the folder may be replaced.

    Raises:
        OutputError: The folder is a file, holds another run, or the very run to resume, finished.
        TrainingError: There is no checkpoint to resume from, or it is damaged.
    """
    forget_hashes()  # a file may be damaged and look as before
    if output.exists() and not output.is_dir():
        msg = f"output_dir={str(output)!r} is a file; give a folder"
        raise OutputError(msg)
    linked = [name for name in ("adapter", UNPLACED, REPLACED, "checkpoints") if (output / name).is_symlink()]
    if linked:
        msg = f"{output / linked[0]} is a link, into which nothing is written; give the folder meant as output_dir"
        raise OutputError(msg)
    checkpoint = None
    if resume is True:
        checkpoint = _last(output)
    elif resume not in {False, None}:
        checkpoint = _given(Path(str(resume)))
    if checkpoint is None or not is_within(checkpoint, output):
        _refuse_taken(output, overwrite=overwrite)
    if checkpoint:
        show(f"going on from {checkpoint.path.name}, after step {checkpoint.step}")
    return checkpoint


def is_within(checkpoint: Checkpoint, output: Path) -> bool:
    """Whether a checkpoint is of the run in a folder, and not of another one."""
    return checkpoint.path.resolve().parent == (output / "checkpoints").resolve()


def _last(output: Path) -> Checkpoint:
    checkpoints = output / "checkpoints"
    found = latest_checkpoint(checkpoints)
    if found is None:
        again = "and with overwrite=True " if _held(output) else ""
        msg = (
            f"there is no checkpoint to resume from in {checkpoints}: nothing was saved before the run stopped. Start "
            f"anew by the same call without resume_from_checkpoint {again}".rstrip()
        )
        raise TrainingError(msg)
    if _is_finished(output / "adapter", found.lineage.run):
        put_in_place(output)  # killed at its very end, it may have left the adapter behind that it replaced
        msg = (
            f"{output} holds a finished run of {found.step} steps; load it with load_adapter (with trainable=True to "
            "train on from it, in another output_dir), or pass overwrite=True"
        )
        raise OutputError(msg)
    for why in found.passed_over.values():
        logger.warning("passed over: %s The run goes on from %s instead", why, found.path.name)
    return found


def _given(path: Path) -> Checkpoint:
    if not path.is_dir():
        msg = f"there is no checkpoint to resume from: {path}"
        raise TrainingError(msg)
    return read_checkpoint(path)


def _is_finished(adapter: Path, run: str) -> bool:
    """Whether an adapter is the result of a run; one that is damaged is written anew."""
    try:
        if json.loads((adapter / RUN_RECORD).read_text(encoding="utf-8")).get("run") != run:
            return False
        read_manifest(adapter)
    except (OSError, ValueError, AttributeError, RecursionError):
        return False
    except ModelError as error:
        logger.warning("%s The adapter is written anew from the checkpoints", error)
        return False
    return True


def _held(output: Path) -> list[str]:
    names = "adapter", UNPLACED, REPLACED, "checkpoints"
    held = [name for name in names if (output / name).is_dir() and any((output / name).iterdir())]
    return [name for name in held if name != UNPLACED or (output / name / MANIFEST).is_file()]


def _refuse_taken(output: Path, *, overwrite: bool) -> None:
    held = _held(output)
    if held and not overwrite:
        msg = (
            f"{output} holds another run ({' and '.join(held)}). Choose another output_dir, pass "
            "resume_from_checkpoint=True to go on with it, or overwrite=True to replace it"
        )
        raise OutputError(msg)


def make_output(output: Path, *, keep: bool) -> None:
    """Make the folder for checkpoints; of another run's only what is incomplete goes where they are kept."""
    checkpoints = output / "checkpoints"
    try:
        put_in_place(output)
        if keep:
            remove_incomplete(checkpoints)
        elif checkpoints.exists():
            shutil.rmtree(checkpoints)
        checkpoints.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(output, error) from error


def put_in_place(output: Path) -> None:
    """Finish or undo the replacement of an adapter that was killed half-way; remove what it left behind.

    Raises:
        OSError: A folder cannot be renamed.
    """
    final = output / "adapter"
    for name in (UNPLACED, REPLACED):
        left = output / name
        if left.is_symlink():  # not of this library, and not to be written through
            left.unlink()
        if not final.exists() and (left / MANIFEST).is_file():
            left.rename(final)
        shutil.rmtree(left, ignore_errors=True)


def replace_folder(partial: Path, final: Path) -> None:
    """Put the new folder in the old one's place, which stays until then.

    Killed between the two renamings, it leaves the one complete and unplaced and the other as it was:
    :func:`put_in_place` finishes the work, and ``load_adapter`` finds the new one.

    Raises:
        OSError: A folder cannot be renamed.
    """
    settle(partial)
    old = final.with_name(f".{final.name}.old")
    if final.exists():
        remove_folder(old)
        final.rename(old)
    try:
        partial.rename(final)
        settle(final)
    except OSError:
        if old.exists() and not final.exists():
            old.rename(final)
        raise
    shutil.rmtree(old, ignore_errors=True)
