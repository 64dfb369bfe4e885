"""Read rows from files, check them against the task, give each an identity."""

from __future__ import annotations

import codecs
import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlorakit.errors import ConfigurationError, DataError, PluginError, did_you_mean
from qlorakit.task import Task

if TYPE_CHECKING:
    import datasets

    from qlorakit.task import Row

DELIMITERS = {".csv": ",", ".tsv": "\t"}
SNIFFED_LINES = 20


def read_rows(
    source: str | Path,
    *,
    task: Task[Any],
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    labelled: bool = True,
) -> datasets.Dataset:
    """Read a file into rows keyed by the task's column names, and check every row.

    The task's own file formats are tried first, then csv, tsv and jsonl by the file's ending.

    Args:
        source: The file.
        task: Tells which columns are needed and which other names they may have.
        columns: Where the file's column names are unlike any the task knows: ``{"text": "Body", ...}``, the task's
            name first.
        encoding: Of the file; UTF-8 unless told otherwise (a byte-order mark does not matter).  Formats of the task
            know their own.
        labelled: Whether every row must carry its label; ``False`` to read rows for prediction.

    Returns:
        The rows, in the file's order, all columns kept.

    Raises:
        ConfigurationError: The file's ending is unknown, or ``columns`` names a column that is not there.
        DataError: The file is missing, empty, in another encoding, lacks a column, or a row is unusable.
        PluginError: The task fails on a row.
    """
    check_task(task)
    path = Path(source)
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "does not exist"
        msg = f"{path} {what}; give the path of a csv, tsv, jsonl or task-specific file"
        raise DataError(msg)
    numbered = _read(path, task, encoding)
    if not numbered:
        msg = f"{path} holds no rows"
        raise DataError(msg)
    lines, rows = zip(*numbered, strict=True)
    found = list(dict.fromkeys(name for row in rows for name in row))  # a later jsonl object may have more
    renaming = _match_columns(path, found, task, columns or {}, labelled=labelled)
    renamed = [{renaming.get(name, name): row.get(name) for name in found} for row in rows]
    check_rows(renamed, task, labelled=labelled, source=str(path), numbers=lines)
    return to_dataset(renamed, source=str(path))


def check_task(task: object) -> None:
    """Refuse a name where a task is needed.

    Raises:
        ConfigurationError: It is no task.
    """
    if not isinstance(task, Task):
        how = f"pass qlorakit.get_task({task!r})" if isinstance(task, str) else "see qlorakit.kinds to make one"
        msg = f"task={task!r} is not a Task; {how}"
        raise ConfigurationError(msg)


def as_rows(rows: Iterable[Row], *, source: str = "the rows") -> list[dict[str, Any]]:
    """The rows as a list of dictionaries.

    Raises:
        DataError: They are no sequence of mappings.
    """
    found = list(rows)
    single = isinstance(rows, str | Mapping)  # which would fall apart into characters or column names
    wrong = [type(item).__name__ for item in ([rows] if single else found) if single or not isinstance(item, Mapping)]
    if wrong:
        msg = f"{source}: a list of mappings like {{'text': ...}} or a datasets.Dataset is needed, not {wrong[0]}"
        raise DataError(msg if single else f"{msg} in a list")
    return [dict(row) for row in found]


def check_rows(
    rows: Iterable[Row],
    task: Task[Any],
    *,
    labelled: bool,
    source: str = "the rows",
    numbers: Sequence[int] | None = None,
) -> None:
    """Ask the task about every row, so that a bad one is named before anything expensive starts.

    Args:
        rows: In the task's column names.
        task: What reads them.
        labelled: Whether every row must have a reference.
        source: What to call the rows in an error.
        numbers: Line of each row; its position counted from 1 unless given.

    Raises:
        DataError: No rows, or a row that the task cannot read.
        PluginError: A row on which the task itself fails.
    """
    count = 0
    for index, row in enumerate(rows):
        count += 1
        where = f"{source}, {f'line {numbers[index]}' if numbers else f'row {index + 1}'}"
        try:
            task.format(row)
            if labelled:
                task.reference(row)
        except DataError as error:
            msg = f"{where}: {error}"
            raise DataError(msg) from error
        except Exception as error:
            msg = f"{where}: task {task.name} fails on it ({type(error).__name__}: {error})"
            raise PluginError(msg) from error
    if count == 0:
        msg = f"{source}: there are none left to work with"
        raise DataError(msg)


def to_dataset(rows: Sequence[Row], *, source: str = "the rows") -> datasets.Dataset:
    """Rows as a dataset.

    Raises:
        DataError: A column holds values of types that do not go together.
    """
    import datasets
    import pyarrow as pa

    names = list(dict.fromkeys(name for row in rows for name in row))
    try:
        return datasets.Dataset.from_list([{name: row.get(name) for name in names} for row in rows])
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        msg = f"{source}: a column holds values of different types ({error}); write them alike, as text for example"
        raise DataError(msg) from error


def row_content(row: Row) -> str:
    """A row as canonical JSON: equal for equal rows, whatever the order of their columns."""
    return json.dumps(dict(row), sort_keys=True, ensure_ascii=False, default=str)


def row_ids(rows: Iterable[Row]) -> list[str]:
    """The identity of each row: its ``id`` column, or its content's hash and how often that occurred before.

    Raises:
        DataError: An ``id`` occurs twice.
    """
    ids: list[str] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        given = row.get("id")
        base = str(given) if given is not None else hashlib.sha256(row_content(row).encode()).hexdigest()[:16]
        occurrence = seen.get(base, 0)
        seen[base] = occurrence + 1
        if given is not None and occurrence:
            msg = f"row {number}: id {base!r} occurs twice; ids must tell rows apart (or leave the column out)"
            raise DataError(msg)
        ids.append(f"{base}-{occurrence}" if occurrence else base)
    return ids


def fingerprint(rows: Iterable[Row]) -> str:
    """SHA-256 of the rows' contents in their order, in hexadecimal."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(row_content(row).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def input_key(row: Row, task: Task[Any]) -> str:
    """What the model is asked about a row, as a hash: rows that ask the same have the same key.

    Runs of white space count as one, so that copies that differ in line breaks alone are found.
    """
    asked = [[message.role, " ".join(message.text.split())] for ex in task.format(row) for message in ex.messages]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


Numbered = list[tuple[int, dict[str, Any]]]


def _read(path: Path, task: Task[Any], encoding: str | None) -> Numbered:
    with path.open(encoding="latin-1") as text:
        head = [line.rstrip("\n") for line, _ in zip(text, range(SNIFFED_LINES), strict=False)]
    for file_format in task.file_formats:
        if file_format.recognises(path, head):
            return [(number, dict(row)) for number, row in file_format.read(path)]
    ending = path.suffix.lower()
    if ending not in {*DELIMITERS, ".jsonl"}:
        formats = ", ".join(file_format.name for file_format in task.file_formats) or "none"
        msg = f"{path}: cannot tell how to read {ending or 'a file without an ending'}; known are .csv, .tsv and "
        msg += f".jsonl, and the task's own formats: {formats}"
        raise ConfigurationError(msg)
    lines = _decode(path, encoding)
    return list(_jsonl(path, lines) if ending == ".jsonl" else _delimited(path, lines, DELIMITERS[ending]))


def _decode(path: Path, encoding: str | None) -> str:
    data = path.read_bytes()
    try:
        return data.decode(encoding or "utf-8").removeprefix("\ufeff")
    except LookupError as error:
        msg = f"encoding={encoding!r} is not known to Python; common ones are utf-8, latin-1, cp1252, utf-16"
        raise ConfigurationError(msg) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wide = data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
        likely = (
            'encoding="utf-16", which its first bytes announce'
            if wide
            else ('for example encoding="latin-1" or encoding="cp1252" (older Windows and office exports)')
        )
        msg = f"{path}, line {line}: byte {data[error.start]:#04x} is not {error.encoding}. Pass the file's encoding, "
        msg += likely
        raise DataError(msg) from error


def _delimited(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, dict[str, Any]]]:
    # Lines are split at line feeds alone: str.splitlines would cut a cell at a vertical tab or a Unicode separator.
    csv.field_size_limit(2**31 - 1)  # a long report does not fit into the default of 128 kB
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
        if len(header) == 1 and ";" in header[0]:
            msg = (
                f"{path}: semicolons separate its cells, as some spreadsheets export them; save it with commas or tabs"
            )
            raise DataError(msg)
        if len(set(header)) != len(header):
            twice = sorted({name for name in header if header.count(name) > 1})
            msg = f"{path}: columns occur twice in the header: {', '.join(twice)}"
            raise DataError(msg)
        for cells in reader:
            if cells:
                if len(cells) != len(header):
                    msg = f"{path}, line {reader.line_num}: {len(cells)} cells where the header has {len(header)}"
                    raise DataError(msg)
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        msg = f"{path}, line {reader.line_num}: {error}; is a quotation mark left open?"
        raise DataError(msg) from error


def _lines(text: str) -> Iterator[str]:
    return (match.group() for match in re.finditer(r"[^\n]*\n|[^\n]+\Z", text))


def _jsonl(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            msg = f"{path}, line {number}: not valid JSON ({error.msg} at character {error.pos + 1})"
            raise DataError(msg) from error
        if not isinstance(row, dict):
            msg = f"{path}, line {number}: each line must be an object like {{...}}, not {type(row).__name__}"
            raise DataError(msg)
        yield number, row


def _match_columns(
    path: Path, found: Sequence[str], task: Task[Any], given: Mapping[str, str], *, labelled: bool
) -> dict[str, str]:
    """From the file's column names to the task's."""
    _check_given(path, found, task, given)
    folded = {name.strip().casefold(): name for name in reversed(found)}
    renaming: dict[str, str] = {}
    for column in task.columns:
        names = [given[column.name]] if column.name in given else [column.name, *column.aliases]
        match = next((folded[name.casefold()] for name in names if name.casefold() in folded), None)
        if match is not None:
            if match != column.name and column.name in found:
                msg = f"{path}: columns {match!r} and {column.name!r} both claim to be {column.name!r}; rename one"
                raise DataError(msg)
            renaming[match] = column.name
        elif labelled or not column.label:
            msg = (
                f"{path}: no column for {column.name!r} (looked for {', '.join(map(repr, names))}); "
                f"found: {', '.join(map(repr, found))}.{did_you_mean(names[0], found)} "
                f'Say which one it is with columns={{"{column.name}": "..."}}'
            )
            raise DataError(msg)
    return renaming


def _check_given(path: Path, found: Sequence[str], task: Task[Any], given: Mapping[str, str]) -> None:
    known = [column.name for column in task.columns]
    for name, source in given.items():
        if name not in known:
            msg = f"columns={dict(given)!r}: {task.name} has no column {name}; it has {', '.join(known)}"
            raise ConfigurationError(msg)
        if source not in found:
            there = ", ".join(map(repr, found))
            msg = f"columns: {path} has no column {source!r}; found: {there}.{did_you_mean(source, found)}"
            raise ConfigurationError(msg)
    twice = [source for source, count in Counter(given.values()).items() if count > 1]
    if twice:
        msg = f"columns={dict(given)!r}: {twice[0]!r} can stand for one column only"
        raise ConfigurationError(msg)
