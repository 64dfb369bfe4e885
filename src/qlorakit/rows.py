"""Rows, wherever they are: check them against the task, give each an identity."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, overload, runtime_checkable

from qlorakit.baselines import user_text
from qlorakit.cells import is_blank
from qlorakit.errors import ConfigurationError, DataError, PluginError, shown
from qlorakit.row_store import to_dataset
from qlorakit.task import Task

if TYPE_CHECKING:
    import datasets

    from qlorakit.task import Row

ROWS_AT_A_TIME = 1_000
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+>")
EXACT_IN_FLOAT = 1 << 53  # whole numbers below it are the same as floats
STREAMED_ROWS = 20_000  # in memory, of those that can be read only once


def check_task(task: object) -> None:
    """Refuse a name where a task is needed, and one where its group is.

    Raises:
        ConfigurationError: It is no task, or its group is no function.
    """
    if not isinstance(task, Task):
        how = f"pass qlorakit.get_task({task!r})" if isinstance(task, str) else "see qlorakit.kinds to make one"
        msg = f"task={task!r} is not a Task; {how}"
        raise ConfigurationError(msg)
    if task.group is not None and not callable(task.group):
        msg = f'{task.name}: group={task.group!r} is no function of a row; write group=lambda row: row["{task.group}"]'
        raise ConfigurationError(msg)


class DatasetRows(Sequence["dict[str, Any]"]):
    """The rows of a dataset as mappings, read when they are asked for; names stand for the numbers of class labels."""

    def __init__(self, dataset: datasets.Dataset) -> None:
        self.dataset = dataset.with_format(None)
        self._names = {name: names for name, of in dataset.features.items() if (names := _label_names(of))}

    def __len__(self) -> int:
        return len(self.dataset)

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, place: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, place: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        """One row, or several."""
        if isinstance(place, slice):
            return self._portion(range(len(self))[place])
        return self._named(self.dataset[place])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Read in portions, which is ten times faster than one by one."""
        for start in range(0, len(self), ROWS_AT_A_TIME):
            yield from self._portion(range(start, min(start + ROWS_AT_A_TIME, len(self))))

    def _portion(self, places: range) -> list[dict[str, Any]]:
        columns = self.dataset[places]
        names = list(columns)
        return [self._named(dict(zip(names, cells, strict=True))) for cells in zip(*columns.values(), strict=True)]

    def _named(self, row: dict[str, Any]) -> dict[str, Any]:
        return row | {column: _name_of(row[column], names) for column, names in self._names.items()}


def _label_names(feature: Any) -> Sequence[str]:  # noqa: ANN401  # datasets is not typed
    """The names of a column of class labels, or of lists of them; none for other columns."""
    return getattr(feature, "names", None) or getattr(getattr(feature, "feature", None), "names", None) or ()


def _name_of(value: Any, names: Sequence[str]) -> Any:  # noqa: ANN401  # whatever a row holds
    if isinstance(value, list):
        return [_name_of(item, names) for item in value]
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None


def as_rows(rows: Iterable[Row], *, source: str = "the rows") -> Sequence[dict[str, Any]]:
    """The rows as a sequence of dictionaries; those of a dataset stay where they are until they are asked for.

    What can be read only once, such as a generator or a ``datasets.IterableDataset``, goes through memory in portions,
    into a temporary file where there are more than ``STREAMED_ROWS``.

    Raises:
        DataError: They are no sequence of mappings.
    """
    if isinstance(rows, DatasetRows):
        return rows
    if hasattr(rows, "features") and hasattr(rows, "with_format") and hasattr(rows, "select"):
        return DatasetRows(rows)
    if hasattr(rows, "to_dict") and hasattr(rows, "itertuples"):
        msg = f"{source}: a DataFrame is no list; pass df.to_dict('records') or datasets.Dataset.from_pandas(df)"
        raise DataError(msg)
    if rows is None or isinstance(rows, str | Mapping):  # which would fall apart into characters or column names
        raise DataError(_NO_ROWS.format(source, type(rows).__name__))
    if not isinstance(rows, Iterable):
        raise DataError(_NO_ROWS.format(source, type(rows).__name__))
    remaining = _mappings(rows, source)
    if isinstance(rows, Sequence):
        return list(remaining)
    found = list(itertools.islice(remaining, STREAMED_ROWS))
    following = list(itertools.islice(remaining, 1))
    if not following:
        return found
    return DatasetRows(to_dataset(itertools.chain(found, following, remaining), source=source))


_NO_ROWS = "{}: a list of mappings like {{'text': ...}} or a datasets.Dataset is needed, not {}"


def _mappings(rows: Iterable[Row], source: str) -> Iterator[dict[str, Any]]:
    for row in rows:
        if not isinstance(row, Mapping):
            raise DataError(f"{_NO_ROWS} in a list".format(source, type(row).__name__))
        odd = [name for name in row if not isinstance(name, str)]
        if odd:
            msg = f"{source}: the name of a column must be a text, not {shown(odd[0])}"
            raise DataError(msg)
        yield dict(row)


def check_rows(
    rows: Iterable[Row],
    task: Task[Any],
    *,
    labelled: bool,
    source: str = "the rows",
) -> None:
    """Ask the task about every row, so that a bad one is named before anything expensive starts.

    Args:
        rows: In the task's column names.
        task: What reads them.
        labelled: Whether every row must have a reference.
        source: What to call the rows in an error.

    Raises:
        DataError: No rows, or a row that the task cannot read.
        PluginError: A row on which the task itself fails.
    """
    count = 0
    for count, row in enumerate(rows, start=1):
        check_row(row, task, labelled=labelled, where=f"{source}, row {count}")
    if count == 0:
        msg = f"{source}: there are none left to work with"
        raise DataError(msg)


def check_row(row: Row, task: Task[Any], *, labelled: bool, where: str) -> None:
    """Ask the task about a row.

    Raises:
        DataError: The task cannot read it.
        PluginError: The task itself fails on it.
    """
    try:
        task.format(row)
        if labelled:
            task.reference(row)
    except Exception as error:
        raise _failure(error, row, task, where) from error


def _failure(error: Exception, row: Row, task: Task[Any], where: str) -> DataError | PluginError:
    """What to say of a row that a task does not read."""
    if isinstance(error, DataError):
        return DataError(f"{where}: {error}")
    if not _can_be_shown(row):
        return DataError(
            f"{where}: a cell holds a number of thousands of digits, or lists without end; write it as text"
        )
    return PluginError(f"{where}: task {task.name} fails on it ({type(error).__name__}: {error})")


def _can_be_shown(value: object) -> bool:
    """Whether Python can write a value as text, as messages about it do: no number of thousands of digits is in it."""
    try:
        repr(value)
    except (ValueError, RecursionError):
        return False
    return True


def group_of(row: Row, task: Task[Any], number: int) -> tuple[object, ...]:
    """What a row has in common with the others of its group of the task; a row without a group is on its own.

    A group that is blank or NaN, as the cell of a table may be that is given as it is, is none.

    Args:
        row: Of the task.
        task: Which has groups.
        number: The row's place, which no other has.
    """
    try:
        group = task.group(row) if task.group else None
        group = group if _is_hashable(group) else repr(group)
    except Exception as error:
        raise _failure(error, row, task, f"the rows, row {number + 1}") from error
    return ("alone", number) if is_blank(group) else ("group", group)


def _is_hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def row_content(row: Row) -> str:
    """A row as canonical JSON: equal for equal rows, whatever the order of their columns.

    Raises:
        DataError: A cell cannot be written so.
    """
    return _json(dict(row), canonical=True)


def _json(value: object, *, canonical: bool) -> str:
    try:
        return json.dumps(value, sort_keys=canonical, ensure_ascii=not canonical, default=_plain)
    except (TypeError, ValueError, RecursionError) as error:
        msg = f"a cell cannot be written as JSON ({error}); write it as text"
        raise DataError(msg) from error


@runtime_checkable
class _Array(Protocol):
    """What holds numbers, of numpy, torch or pandas; its text leaves most of them out."""

    def tolist(self) -> object: ...


def _plain(value: object) -> object:
    """What JSON has no form for; the order of a set changes from process to process.

    Raises:
        TypeError: It says nothing but where it is in memory, which is another place in every process.
    """
    if isinstance(value, set | frozenset):
        return sorted(map(str, value))
    if isinstance(value, _Array) and type(held := value.tolist()) is not type(value):
        return held
    text = str(value)
    if ADDRESS.search(text):
        msg = f"an object of type {type(value).__name__} has no text of its own"
        raise TypeError(msg)
    return text


def _bytes(row: Row) -> bytes:
    return row_content(row).encode("utf-8", "surrogatepass")  # half a character is refused where it is read or asked


def _levelled(value: object) -> object:
    """A value as a ``datasets.Dataset`` has it too: it fills columns up with nothing, and counts in one type."""
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT_IN_FLOAT:
        return int(value)
    if value is None or isinstance(value, str | int | float):  # nearly all cells, before what takes long to ask
        return value
    if isinstance(value, Mapping):
        return {name: _levelled(item) for name, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_levelled(item) for item in value]
    if isinstance(value, _Array) and type(held := value.tolist()) is not type(value):
        return _levelled(held)
    return value


def row_ids(rows: Iterable[Row]) -> list[str]:
    """The identity of each row: its ``id`` column, or its content's hash and how often that occurred before.

    Raises:
        DataError: An ``id`` occurs twice.
    """
    ids: list[str] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        given = row.get("id")
        base = str(given) if given is not None else hashlib.sha256(_bytes(row)).hexdigest()[:16]
        occurrence = seen.get(base, 0)
        seen[base] = occurrence + 1
        if given is not None and occurrence:
            msg = f"row {number}: id {base!r} occurs twice; ids must tell rows apart (or leave the column out)"
            raise DataError(msg)
        ids.append(f"{base}-{occurrence}" if occurrence else base)
    return ids


def fingerprint(rows: Iterable[Row]) -> str:
    """SHA-256 of the rows' contents in their order, in hexadecimal.

    A cell without a value counts as one that is not there, and 1.0 as 1: rows have one fingerprint as a list and as a
    ``datasets.Dataset``.  Where a task asks otherwise about the one than about the other, tokens tell.

    Raises:
        DataError: A cell cannot be written as JSON.
    """
    digest = hashlib.sha256()
    for row in rows:
        try:
            levelled = {name: _levelled(cell) for name, cell in row.items() if cell is not None}
        except RecursionError as error:
            msg = "a cell holds lists without end; write it as text"
            raise DataError(msg) from error
        digest.update(_bytes(levelled))
        digest.update(b"\n")
    return digest.hexdigest()


def input_text(row: Row, task: Task[Any]) -> str:
    """What a row says, without its labels and without the instruction, which all rows have in common.

    It is the text of the columns that the task reads, or what the user says where the row has none of them.
    """
    columns = [column.name for column in task.columns if not column.label and row.get(column.name) is not None]
    if not columns:
        return user_text(row, task)
    values = (row.get(name) for name in columns)
    return "\n".join(value if isinstance(value, str) else _json(value, canonical=False) for value in values)


def input_key(row: Row, task: Task[Any]) -> str:
    """What the model is asked about a row, as a hash: rows that ask the same have the same key.

    Runs of white space count as one, so that copies that differ in line breaks alone are found.
    """
    unified = functools.cache(_unified)  # of several questions each repeats the row's text
    asked = [
        [message.role, _collapsed("".join(unified(part.text) for part in message.parts)).strip()]
        for example in task.format(row)
        for message in example.messages
    ]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _collapsed(text: str) -> str:
    """A text with single spaces; a search for them is many times faster than a pattern."""
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def _unified(text: str) -> str:
    """A text with one space for every run of white space."""
    words = " ".join(text.split())
    return f"{' ' * text[:1].isspace()}{words}{' ' * text[-1:].isspace()}"
