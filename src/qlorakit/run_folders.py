"""The folder of a run: what stands in it, what may be replaced, and how one folder takes the place of another."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qlorakit.adapters import MANIFEST, REPLACED, RUN_RECORD, UNPLACED, read_manifest
from qlorakit.checkpoints import (
    MARKER,
    NAME,
    Checkpoint,
    bring_in,
    latest_checkpoint,
    read_checkpoint,
    remove_incomplete,
)
from qlorakit.display import show
from qlorakit.errors import ConfigurationError, ModelError, OutputError, TrainingError, shown, unwritable
from qlorakit.records import forget_hashes, remove_folder, settle

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

LOCK = ".lock"  # in the folder of a run, for as long as a process writes there
REPORTS = ("report.json", "report.html", "report.md")
MEANT_TRUE = {"true", "1", "yes", "last", "latest"}


def find_checkpoint(output: Path, *, resume: bool | str | Path | None, overwrite: bool) -> Checkpoint | None:
    """Check the output folder, of which nothing that counts is touched, and find the checkpoint to go on from.

    Args:
        output: Of the run.
        resume: Whether to go on from the last checkpoint that is as it was written; or the path of one.
        overwrite: Whether another run in the folder may be replaced.

    Raises:
        ConfigurationError: ``resume`` is neither.
        OutputError: The folder is a file, holds another run, or the very run to resume, finished.
        TrainingError: There is no checkpoint to resume from, or it is damaged.
    """
    forget_hashes()  # a file may be damaged and look as before
    found = _find(output, resume, overwrite=overwrite)
    if found:
        for why in found.passed_over.values():
            logger.warning("passed over: %s The run goes on from %s instead", why, found.path.name)
        show(f"going on from {found.path.name}, after step {found.step}")
    return found


def check_still(output: Path, found: Checkpoint | None, *, resume: bool | str | Path | None, overwrite: bool) -> None:
    """Refuse a folder that another training has written into since it was looked at.

    Raises:
        OutputError: It holds something else now.
        TrainingError: Its checkpoints are gone.
    """
    if _find(output, resume, overwrite=overwrite) != found:
        msg = f"another training has written into {output} since this one was started; start it again"
        raise OutputError(msg)


def _find(output: Path, resume: bool | str | Path | None, *, overwrite: bool) -> Checkpoint | None:  # noqa: FBT001
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
    elif isinstance(resume, str | Path):
        checkpoint = _given(Path(resume).expanduser().absolute(), output, str(resume), overwrite=overwrite)
    elif resume is not None and resume is not False:
        msg = f"resume_from_checkpoint={shown(resume)}: say True, False, or the path of a checkpoint"
        raise ConfigurationError(msg)
    if checkpoint is None or not is_within(checkpoint, output):
        _refuse_taken(output, overwrite=overwrite)
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
        raise _finished(output, found, "overwrite=True without resume_from_checkpoint")
    return found


def _given(path: Path, output: Path, as_given: str, *, overwrite: bool) -> Checkpoint:
    """The checkpoint of a path, be it in the run's folder or in another one, and whatever its name."""
    if not (path / MARKER).is_file() and not (path.is_dir() and NAME.fullmatch(path.name)):
        raise TrainingError(_no_checkpoint(path, output, as_given))
    found, own = read_checkpoint(path), (output / "checkpoints").resolve()
    within = is_within(found, output)
    if not within and path.resolve().is_relative_to(own):
        msg = f"{path} lies in a folder within {own}, where runs keep their own checkpoints; move it elsewhere first"
        raise OutputError(msg)
    if within and not overwrite and _is_finished(output / "adapter", found.lineage.run):
        raise _finished(output, found, f"overwrite=True as well to go on from {path.name} again")
    return found


def _no_checkpoint(path: Path, output: Path, as_given: str) -> str:
    """What to say of a path that is none of a checkpoint: what it is, and what to give instead."""
    if not path.is_dir():
        there = output / "checkpoints" / path.name
        hint = f". Did you mean {there}?" if there.is_dir() else ""
        if as_given.casefold() in MEANT_TRUE:
            hint = ". Say resume_from_checkpoint=True, without quotes, for the last one in output_dir"
        return f"there is no checkpoint to resume from: {path}{hint}"
    if (path / MANIFEST).is_file():
        return (
            f"{path} is a finished adapter and no checkpoint; load it with load_adapter(..., trainable=True) to train "
            "on from it, or give a folder checkpoints/checkpoint-N"
        )
    if (path / "checkpoints").is_dir():
        return (
            f"{path} is the folder of a run and no checkpoint; pass it as output_dir with resume_from_checkpoint=True, "
            "or give one of the folders checkpoints/checkpoint-N in it"
        )
    if any(NAME.fullmatch(inner.name) for inner in path.iterdir()):
        return f"{path} holds checkpoints and is none; give one of the folders checkpoint-N in it"
    return f"{path} is no complete checkpoint of this library: {MARKER} is missing."


def _finished(output: Path, found: Checkpoint, again: str) -> OutputError:
    steps = _record_of(output / "adapter").get("steps", found.step)
    return OutputError(
        f"{output} holds a finished run of {steps} steps; load it with load_adapter (with trainable=True to train on "
        f"from it, in another output_dir), or pass {again}"
    )


def _record_of(adapter: Path) -> dict[str, object]:
    """The record of the run that an adapter is the result of, as far as it can be read."""
    try:
        return dict(json.loads((adapter / RUN_RECORD).read_text(encoding="utf-8")))
    except (OSError, TypeError, ValueError, RecursionError):
        return {}


def _is_finished(adapter: Path, run: str) -> bool:
    """Whether an adapter is the result of a run; one that is damaged is written anew."""
    if _record_of(adapter).get("run") != run:
        return False
    try:
        read_manifest(adapter)
    except (OSError, ValueError, RecursionError):
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


def make_output(output: Path, checkpoint: Checkpoint | None) -> None:
    """Make the folder for checkpoints; of another run's only what is incomplete goes where they are kept.

    Args:
        output: Of the run.
        checkpoint: What the run goes on from; one from elsewhere is copied here, with the best one it builds on, so
            that the run does not depend on another folder.

    Raises:
        OutputError: The folder cannot be written.
        TrainingError: The checkpoint was changed meanwhile.
    """
    checkpoints = output / "checkpoints"
    try:
        put_in_place(output)
        if checkpoint is not None and is_within(checkpoint, output):
            remove_incomplete(checkpoints)
        elif checkpoints.exists():
            shutil.rmtree(checkpoints)
        checkpoints.mkdir(parents=True, exist_ok=True)
        if checkpoint is not None:
            bring_in(checkpoint, checkpoints)
    except OSError as error:
        raise unwritable(output, error) from error


@contextmanager
def alone_in(output: Path) -> Iterator[None]:
    """Keep other trainings out of a folder for as long as this lasts.

    The lock is the kernel's: it ends with the process, however that ends.  Where there are no such locks, on Windows
    and on some network disks, nothing is kept out.

    Raises:
        OutputError: Another training is writing there, or nothing can be written.
    """
    if sys.platform == "win32":
        yield
        return
    made = not output.exists()
    try:
        output.mkdir(parents=True, exist_ok=True)
        descriptor = _locked(output / LOCK)
    except BlockingIOError as error:
        msg = f"another training is writing into {output}; choose another output_dir, or wait until it is done"
        raise OutputError(msg) from error
    except OSError as error:
        raise unwritable(output, error) from error
    try:
        yield
    finally:
        with suppress(OSError):
            (output / LOCK).unlink()
            if made and not any(output.iterdir()):  # refused before anything was written
                output.rmdir()
        _HELD.discard(descriptor)
        os.close(descriptor)


def _locked(path: Path) -> int:
    """Open and lock a file; again where whoever had the lock removed the file meanwhile."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            _lock(descriptor, path)
            with suppress(FileNotFoundError):
                if path.stat().st_ino == os.fstat(descriptor).st_ino:
                    _HELD.add(descriptor)
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in {errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP}:
            raise
        logger.warning("%s cannot be locked (%s); see to it that no other training writes there", path, error)


_HELD: set[int] = set()  # descriptors of locks


def _let_go() -> None:
    """In a forked process, such as one that loads rows: the lock is its parent's alone, and ends with that."""
    for descriptor in _HELD:
        os.close(descriptor)
    _HELD.clear()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_let_go)


def set_reports_aside(output: Path, run: str) -> None:
    """Rename reports on the adapter that is about to be replaced by another run's: nothing of them is lost.

    Raises:
        OSError: One cannot be renamed.
    """
    adapter = output / "adapter"
    replaced = _record_of(adapter).get("run")
    if not adapter.exists() or replaced == run:
        return
    old = replaced[:8] if isinstance(replaced, str) and replaced.isalnum() else "before"
    for report in (output / name for name in REPORTS):
        if report.is_file():
            aside = report.with_name(f"{report.stem}.{old}{report.suffix}")
            report.replace(aside)
            show(f"{report.name} is about the adapter that is replaced; it is called {aside.name} from here on")


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
