"""Records of what was done: JSON files that are complete or absent, hashes of files, versions of packages."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import math
import os
import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qlorakit.errors import ModelError

PACKAGES = (
    "qlorakit", "torch", "transformers", "peft", "bitsandbytes", "accelerate", "datasets", "tokenizers", "numpy",
    "scikit-learn",
)  # fmt: skip
OWN_HASH = "sha256"  # entry of a file of its own hash


def write_json(path: Path, content: object, *, default: Callable[[object], object] | None = None) -> None:
    """Write a JSON file that reads well; a number that is not finite becomes null.

    Args:
        path: The file; what stood there before stays until the new content is complete.
        content: To be written.
        default: Turns what JSON has no form for into something it has.

    Raises:
        TypeError: The content holds something that JSON has no form for.
        OSError: The file cannot be written.
    """
    text = json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False, default=default)
    write_text(path, f"{text}\n")


def write_sealed(
    path: Path, content: Mapping[str, object], *, default: Callable[[object], object] | None = None
) -> None:
    """Write a JSON file that holds the hash of everything else in it, for :func:`is_sealed`.

    Args:
        path: See :func:`write_json`, as for errors.
        content: An object.
        default: See :func:`write_json`.
    """
    held = json.loads(json.dumps(_finite(content), default=default))
    write_json(path, {**held, OWN_HASH: _own_hash(held)})


def is_sealed(held: Mapping[str, Any]) -> bool:
    """Whether an object, read from a file that was written with its own hash, is as it was written."""
    return held.get(OWN_HASH) == _own_hash(held)


def read_object(path: Path, error: type[ModelError], advice: str) -> dict[str, Any]:
    """The JSON object in a file that may come from anywhere.

    Args:
        path: Of the file.
        error: What is raised where there is none.
        advice: What to do then.

    Raises:
        ModelError: The file holds none, or cannot be read; as ``error``.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as found:
        msg = f"{path} is damaged ({type(found).__name__}: {found}). {advice}"
        raise error(msg) from found
    if not isinstance(held, dict):
        msg = f"{path} is damaged: it holds no JSON object. {advice}"
        raise error(msg)
    return held


def is_number(value: object) -> bool:
    """Whether a value is a finite number that a float can hold: JSON may hold larger ones, which end in overflows."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def remove_folder(folder: Path) -> None:
    """Remove a working folder with all that is in it, or a link in its place, through which nothing is written.

    Raises:
        OSError: The link cannot be removed; a folder that cannot be is left.
    """
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file; what stood there before stays until the new content is complete, and on the disk.

    Raises:
        OSError: The file cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)  # left by another write, or a link that leads elsewhere
        with partial.open("x", encoding="utf-8") as file:
            file.write(text)
        _flush(partial)
        partial.replace(path)
        _flush(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def plain(value: object) -> object:
    """What JSON has no form for: a set becomes a sorted list, anything else its text."""
    return sorted(map(str, value)) if isinstance(value, set | frozenset) else str(value)


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; a file that did not change since is not read again."""
    state = path.stat()
    return _hash(path.resolve(), state.st_size, state.st_mtime_ns)


def forget_hashes() -> None:
    """Have every file read again when its hash is asked for next, whether or not it looks as before."""
    _hash.cache_clear()


def seal_of(folder: Path, *, but: Collection[str] = ()) -> dict[str, str]:
    """SHA-256 of every file of a folder, by its name: what :func:`damage_of` later compares with.

    Args:
        folder: Holds the files; folders in it are left out.
        but: Names of files that are left out.
    """
    return {path.name: file_hash(path) for path in sorted(folder.iterdir()) if path.is_file() and path.name not in but}


def damage_of(folder: Path, seal: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Files that are not as they were when the seal was made, each with what is wrong with it.

    The seal may come from elsewhere: it cannot lead out of the folder, neither by a path nor by a link.
    """
    for name, expected in seal.items():
        path = folder / name
        if name in {"", ".."} or PureWindowsPath(name).name != name or "\0" in name:  # knows both slashes, and drives
            yield folder, f"is said to hold {name!r}, which is no name of a file in it"
        elif path.is_symlink():
            yield path, "is a link, which is not followed"
        elif not path.is_file():
            yield path, "is missing"
        elif file_hash(path) != expected:
            yield path, "was changed or damaged since it was saved"


def settle(folder: Path) -> None:
    """Have a folder's files on the disk, and their names in it: they outlast a power failure from here on.

    Raises:
        OSError: The disk does not take them.
    """
    for path in (*folder.iterdir(), folder, folder.parent):
        _flush(path)


def versions() -> dict[str, str]:
    """Versions of the packages that have a say in the result."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def _flush(path: Path) -> None:
    """Wait until what was written to a file, or which files a folder holds, is on the disk."""
    if not path.is_dir():
        with path.open("r+b") as file:
            os.fsync(file.fileno())
        return
    with contextlib.suppress(OSError):  # Windows opens no folders, and some network disks do not sync them
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _own_hash(held: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in held.items() if name != OWN_HASH}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


@functools.lru_cache(maxsize=256)
def _hash(path: Path, size: int, modified: int) -> str:
    del size, modified  # they tell one state of the file from another
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _finite(value: Any) -> Any:  # noqa: ANN401  # any content
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
