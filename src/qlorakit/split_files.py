"""Keep a split in a small file: which row stands where, without its text."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from qlorakit.errors import DataError, unwritable
from qlorakit.records import write_text
from qlorakit.rows import as_rows, fingerprint, row_content
from qlorakit.splits import SIDES, UNUSED, divided, hash_of

if TYPE_CHECKING:
    import datasets

    from qlorakit.splits import Hashes
    from qlorakit.task import Row

FORMAT = 1
HASH = re.compile("[0-9a-f]{16}")


def save_split(data: Mapping[str, Iterable[Row]], path: str | Path) -> Path:
    """Write down where each row stands, as hashes of its content, and the fingerprint of each side.

    Args:
        data: From ``split``, or datasets by ``"train"``, ``"validation"`` and ``"test"``.
        path: A JSON file; one that is there is replaced.

    Returns:
        The path.

    Raises:
        DataError: A side has another name.
        OutputError: The file cannot be written.
    """
    unknown = sorted(set(data) - set(SIDES))
    if unknown:
        msg = f"a split has the sides {', '.join(map(repr, SIDES))}, not {unknown[0]!r}"
        raise DataError(msg)
    sides = {name: _described(as_rows(rows)) for name, rows in data.items()}
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps({"format": FORMAT, "sides": sides}))
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def load_split(path: str | Path, rows: Iterable[Row]) -> datasets.DatasetDict:
    """Split rows as they were split before.

    Args:
        path: From :func:`save_split`.
        rows: The same rows, in any order; there may be more, which are left out (``split(..., previous=read_split(
            path))`` deals them instead).

    Returns:
        The same datasets, with rows in the order of ``rows``.

    Raises:
        DataError: The file is damaged or from a newer version, or rows of the split are not among these.
    """
    rows = as_rows(rows)
    places: dict[int, list[int]] = {}
    for number, side in enumerate(SIDES):
        for content in read_split(path).get(side, ()):
            places.setdefault(int(content), []).append(number)
    sides = np.full(len(rows), UNUSED)
    for place, row in enumerate(rows):
        waiting = places.get(hash_of(row_content(row)))
        if waiting:
            sides[place] = waiting.pop(0)
    missing = Counter(SIDES[number] for waiting in places.values() for number in waiting)
    if missing:
        told = ", ".join(f"{count} of {side}" for side, count in sorted(missing.items()))
        msg = f"{path}: rows of the split are not among these ({told}); they were changed or removed since"
        raise DataError(msg)
    return divided(rows, sides, [side for number, side in enumerate(SIDES) if (sides == number).any()])


def read_split(path: str | Path) -> dict[str, Hashes]:
    """The hashes of the rows of each side, for ``split(..., previous=...)``.

    Raises:
        DataError: The file is damaged or from a newer version.
    """
    try:
        held = json.loads(Path(path).read_text(encoding="utf-8"))
        newer = held["format"] > FORMAT
        found = {} if newer else {name: _hashes(name, side) for name, side in held["sides"].items()}
    except FileNotFoundError as error:
        msg = f"{path} does not exist; save_split writes such a file"
        raise DataError(msg) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        msg = f"{path} is not a split that save_split wrote: {type(error).__name__}: {error}"
        raise DataError(msg) from error
    if newer:
        msg = f"{path} was written by a newer version of qlorakit; upgrade to read it"
        raise DataError(msg)
    return found


def _hashes(name: str, side: Mapping[str, Any]) -> Hashes:
    """The contents of a side, each of which must be as it was written, or rows would be dealt as new ones.

    Raises:
        ValueError: Something was changed.
    """
    contents = side["contents"]
    if name not in SIDES or not isinstance(contents, list) or side["rows"] != len(contents):
        msg = f"side {name!r} is none, or does not hold as many rows as it says"
        raise ValueError(msg)
    if not all(isinstance(item, str) and HASH.fullmatch(item) for item in contents):
        msg = f"side {name!r} holds what is no hash"
        raise ValueError(msg)
    return np.array([int(item, 16) for item in contents], np.uint64)


def _described(rows: Iterable[Row]) -> dict[str, Any]:
    contents = [f"{hash_of(row_content(row)):016x}" for row in rows]
    return {"rows": len(contents), "fingerprint": fingerprint(rows), "contents": contents}
