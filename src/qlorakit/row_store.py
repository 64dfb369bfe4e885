"""Turn rows into a ``datasets.Dataset``: in memory where they are few, in a memory-mapped file where they are many."""

from __future__ import annotations

import atexit
import datetime as dt
import functools
import itertools
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlorakit.errors import DataError, OutputError

if TYPE_CHECKING:
    import datasets
    import pyarrow as pa

    from qlorakit.task import Row

ROWS_AT_A_TIME = 1_000
# Arrow tables that are larger, in bytes, go to a file.
KEPT_IN_MEMORY = 1 << 26
DEEPEST = 30  # lists and mappings in each other: Arrow's memory grows with the square, and datasets gives up above


def to_dataset(rows: Iterable[Row], *, source: str = "the rows") -> datasets.Dataset:
    """Rows as a dataset, which holds no more than ``KEPT_IN_MEMORY`` bytes of them in memory.

    A larger one is mapped from a file in the system's temporary folder (``TMPDIR``), which only this user can read and
    which goes when the program ends.

    Args:
        rows: Read once, in portions.
        source: What to call them in an error.

    Raises:
        DataError: A column holds values of types that do not go together.
        OutputError: The temporary folder has no room.
    """
    import datasets
    from datasets.table import InMemoryTable

    parts: list[Path] = []
    held: list[pa.Table] = []
    for portion in portions(rows, ROWS_AT_A_TIME):
        held.append(_table(portion, source))
        if sum(table.nbytes for table in held) > KEPT_IN_MEMORY:
            parts.append(_write(held, _unified(held, source), source))
            held = []
    if not parts:
        return _as_dataset(InMemoryTable(_joined(held or [_table([], source)], source)), source)
    tables = itertools.chain(map(_mapped, parts), held)
    schema = _unified([*map(_mapped, parts), *held], source)
    whole = _write(tables, schema, source)
    for part in parts:
        part.unlink()
    return datasets.Dataset.from_file(str(whole))


def _as_dataset(table: Any, source: str) -> datasets.Dataset:  # noqa: ANN401  # datasets is not typed
    import datasets
    import pyarrow as pa

    try:
        return datasets.Dataset(table)
    except (pa.ArrowInvalid, RecursionError) as error:
        raise _too_deep(source) from error


def _too_deep(source: str) -> DataError:
    msg = f"{source}: more than {DEEPEST} lists or mappings stand in each other; write them as JSON in a text"
    return DataError(msg)


def portions(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """So many at a time."""
    remaining = iter(rows)
    while portion := list(itertools.islice(remaining, size)):
        yield portion


def _table(rows: Sequence[Row], source: str) -> pa.Table:
    import pyarrow as pa

    names = list(dict.fromkeys(name for row in rows for name in row))
    if rows and not names:
        msg = f"{source}: {len(rows)} rows after each other hold no columns, so that they cannot be kept; remove them"
        raise DataError(msg)
    odd = next((name for name in names if not isinstance(name, str) or "\0" in name), None)
    if odd is not None:
        msg = f"{source}: the column name {odd!r} holds a NUL character, or is no text; rename it"
        raise DataError(msg)
    if any(_stands_deep(value, DEEPEST) for row in rows for value in row.values()):
        raise _too_deep(source)
    try:
        table = pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows])
    except UnicodeEncodeError as error:
        msg = f"{source}: a text holds half of a character (a lone surrogate); repair it, or remove the row"
        raise DataError(msg) from error
    except OverflowError as error:
        msg = f"{source}: a whole number has more than 64 bits; write it as text"
        raise DataError(msg) from error
    except (TypeError, ValueError) as error:  # Arrow's own among them
        raise _mixed(source, error) from error
    for field in table.schema:
        if _can_turn(field.type) and any(_turned(field.type, row.get(field.name)) for row in rows):
            raise _mixed(source, f"some of {field.name!r} would become {field.type}")
    return table


def _stands_deep(value: Any, room: int) -> bool:  # noqa: ANN401  # any cell
    """Whether lists and mappings stand in more others than there is room for."""
    if not isinstance(value, list | tuple | dict):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return room == 0 or any(_stands_deep(item, room - 1) for item in inner if isinstance(item, list | tuple | dict))


def _can_turn(kind: pa.DataType) -> bool:
    """Whether Arrow makes such values of others as well, without a word: times of numbers, bytes of texts."""
    import pyarrow.types as kinds

    parts = [kind.field(place).type for place in range(kind.num_fields)]
    return bool(kinds.is_temporal(kind) or kinds.is_binary(kind) or any(map(_can_turn, parts)))


def _turned(kind: pa.DataType, value: Any) -> bool:  # noqa: ANN401  # any cell
    """Whether a value has become another one in a column of this type."""
    import pyarrow.types as kinds

    if kinds.is_struct(kind) and isinstance(value, Mapping):
        return any(_turned(field.type, value.get(field.name)) for field in kind)
    if kinds.is_list(kind) and isinstance(value, list | tuple):
        return any(_turned(kind.value_type, item) for item in value)
    if kinds.is_binary(kind):
        return isinstance(value, str)
    if not kinds.is_temporal(kind):
        return False
    whole_day = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    other = kinds.is_timestamp(kind) if whole_day else kinds.is_date(kind) and isinstance(value, dt.datetime)
    return isinstance(value, str | Number) or other


def _unified(tables: Sequence[pa.Table], source: str) -> pa.Schema:
    """The columns of all tables, with a type into which every one of them goes."""
    import pyarrow as pa

    try:
        schema = pa.unify_schemas([table.schema for table in tables], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise _mixed(source, error) from error
    for field in (field for table in tables for field in table.schema):
        kind = schema.field(field.name).type
        if _can_turn(kind) and _is_other(field.type, kind):
            raise _mixed(source, f"some of {field.name!r} are {field.type} and others {kind}")
    return schema


def _is_other(part: pa.DataType, whole: pa.DataType) -> bool:
    """Whether values of a type in some rows become others in the type of all rows."""
    import pyarrow.types as kinds

    if kinds.is_null(part):
        return False
    if kinds.is_struct(part) and kinds.is_struct(whole):
        return any(_is_other(field.type, whole.field(field.name).type) for field in part)
    if kinds.is_list(part) and kinds.is_list(whole):
        return _is_other(part.value_type, whole.value_type)
    return bool(part.id != whole.id and (_can_turn(part) or _can_turn(whole)))


def _joined(tables: Sequence[pa.Table], source: str) -> pa.Table:
    import pyarrow as pa

    schema = _unified(tables, source)
    return pa.concat_tables([_in_form(table, schema, source) for table in tables]).combine_chunks()


def _in_form(table: pa.Table, schema: pa.Schema, source: str) -> pa.Table:
    """A table with all columns of a schema, in its order and types; what it lacks is empty."""
    import pyarrow as pa

    missing = [field for field in schema if field.name not in table.column_names]
    for field in missing:
        table = table.append_column(field, pa.nulls(len(table), field.type))
    try:
        return table.select(schema.names).cast(schema)
    except pa.ArrowException as error:
        raise _mixed(source, error) from error


def _mixed(source: str, error: object) -> DataError:
    msg = f"{source}: a column holds values of different types ({error}); write them alike, as text for example"
    return DataError(msg)


def _write(tables: Iterable[pa.Table], schema: pa.Schema, source: str) -> Path:
    """Write tables into one file, which is there as a whole or not at all."""
    import pyarrow as pa

    path: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=_folder(), suffix=".arrow", delete=False) as file:
            path = Path(file.name)
            with pa.ipc.new_stream(file, schema) as writer:
                for table in tables:
                    writer.write_table(_in_form(table, schema, source), max_chunksize=ROWS_AT_A_TIME)
    except BaseException as error:
        if path is not None:
            path.unlink(missing_ok=True)
        if isinstance(error, pa.ArrowInvalid):
            raise _too_deep(source) from error
        if not isinstance(error, OSError):
            raise
        msg = (
            f"{source} do not fit into memory, and the temporary folder {tempfile.gettempdir()} cannot take them "
            f"({error}); set TMPDIR to a folder with more room"
        )
        raise OutputError(msg) from error
    return path


def _mapped(path: Path) -> pa.Table:
    import pyarrow as pa

    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_stream(file).read_all()


@functools.cache
def _folder() -> Path:
    """A folder for this process and this user alone."""
    folder = Path(tempfile.mkdtemp(prefix="qlorakit-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
