"""Read any source of rows, in the task's column names, and check every row."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from qlorakit.errors import ConfigurationError, DataError, UnknownLabelError, did_you_mean, first_few, shown, visible
from qlorakit.file_readers import ENDINGS, READERS, Numbered, Reader, read_folder
from qlorakit.row_store import to_dataset
from qlorakit.rows import as_rows, check_row, check_task

if TYPE_CHECKING:
    from collections.abc import Iterable

    import datasets

    from qlorakit.task import Row, Task

logger = logging.getLogger(__name__)

BadRows = Literal["error", "skip"]
LabelNames = Sequence[str] | Mapping[Any, str]
HUB = "hf://datasets/"
SNIFFED_LINES = 20
MATCHED_ROWS = 1_000  # whose columns are matched to the task's
NAMED_ROWS = 5  # bad ones in a message
MOST = 30  # columns of a message


def read_rows(
    source: str | Path | Iterable[Row],
    *,
    task: Task[Any],
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    file_format: str | None = None,
    label_names: LabelNames | None = None,
    split: str | None = None,
    bad_rows: BadRows = "error",
    labelled: bool = True,
) -> datasets.Dataset:
    """Read rows keyed by the task's column names, and check every one of them.

    Files are read in the task's own formats first, then by their ending: csv, tsv, jsonl, json, parquet, and conll
    (also iob, bio, bioes).  A folder holds text files, or tables of one format, or what ``Dataset.save_to_disk``
    wrote.  Many rows are not held in memory but mapped from a temporary file, which goes when the program ends.

    What was found out about the file, such as its encoding, is logged as a warning.

    Args:
        source: A file, a folder, a data set of the Hub as ``"hf://datasets/owner/name"`` (the only case in which the
            network is used), or rows in memory: a ``datasets.Dataset`` or mappings.
        task: Tells which columns are needed and which other names they may have.
        columns: Where the file's column names are unlike any the task knows: ``{"text": "Body", ...}``, the task's
            name first.  Columns of a conll file are ``"0"``, ``"1"`` and so on; the first holds the words and the last
            the tags unless told otherwise.
        encoding: Of the file; found unless given.  Formats of the task know their own.
        delimiter: Between the cells of csv, tsv and conll files; found unless given.
        file_format: ``"csv"``, ``"tsv"``, ``"jsonl"``, ``"json"``, ``"parquet"``, ``"conll"`` or ``"txt"``, where the
            ending does not tell.
        label_names: What the values of the label column stand for, where they are numbers or codes: names in their
            order from 0, or a mapping such as ``{"1": "fraud", "0": "genuine"}``.
        split: Which split of a data set with several.
        bad_rows: ``"error"`` if one is too many; ``"skip"`` to leave them out, which is logged with their number.
        labelled: Whether every row must carry its label; ``False`` to read rows for prediction.

    Returns:
        The rows, in the file's order, all columns kept.

    Raises:
        ConfigurationError: The format is unknown, or an argument does not fit.
        DataError: The source is missing, empty, damaged, lacks a column, or rows are unusable; the message names the
            first ones.
        OutputError: The temporary folder has no room for what does not fit into memory.
        PluginError: The task fails on a row.
    """
    check_task(task)
    if bad_rows not in get_args(BadRows):
        msg = f"bad_rows={bad_rows!r} is not one of {', '.join(map(repr, get_args(BadRows)))}"
        raise ConfigurationError(msg)
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n'):
        msg = f"delimiter={delimiter!r}: must be one character, and neither a quotation mark nor a line break"
        raise ConfigurationError(msg)
    if source is None:
        msg = "source=None: give the path of a file or a folder, a list of mappings, or a datasets.Dataset"
        raise ConfigurationError(msg)
    found = _find(source, task, encoding, delimiter, file_format, split)
    names = _label_table(label_names)
    table = _Table(found, task, columns or {}, names, labelled=labelled)
    result = to_dataset(table.rows(), source=found.name)
    for note in found.notes:
        logger.warning("%s: %s", visible(found.name), visible(note))
    table.finish(skip=bad_rows == "skip")
    return result


@dataclass(frozen=True)
class _Found:
    """Where rows come from.

    Attributes:
        name: For messages.
        rows: They, numbered.
        unit: What the numbers count.
        notes: What reading has found out.
        words_and_tags: Whether columns have no names, and the task's are found by their place.
    """

    name: str
    rows: Iterator[Numbered]
    unit: str = "line"
    notes: list[str] = field(default_factory=list)
    words_and_tags: bool = False


def _find(
    source: str | Path | Iterable[Row],
    task: Task[Any],
    encoding: str | None,
    delimiter: str | None,
    file_format: str | None,
    split: str | None,
) -> _Found:
    if isinstance(source, str) and source.startswith(HUB):
        return _of_dataset(source, _from_hub(source, split))
    if not isinstance(source, str | Path):
        return _of_dataset("the rows", source)
    path = Path(source)
    if _is_folder(path):
        if (path / "dataset_info.json").is_file() or (path / "dataset_dict.json").is_file():
            return _of_dataset(str(path), _saved(path, split))
        if file_format is not None:
            msg = f"file_format={file_format!r}: {path} is a folder, whose files are read by their ending"
            raise ConfigurationError(msg)
    if split is not None:
        msg = f"split={split!r}: {path} has no splits"
        raise ConfigurationError(msg)
    reader = Reader(path, encoding, delimiter)
    if path.is_dir():
        return _Found(str(path), read_folder(reader), notes=reader.notes)
    if not path.is_file():
        hub = f', or "{HUB}{source}" for a data set of the Hub' if str(source).count("/") == 1 else ""
        msg = f"{path} does not exist; give the path of a file or a folder{hub}"
        raise DataError(msg)
    if path.stat().st_size == 0:
        msg = f"{path} is empty"
        raise DataError(msg)
    return _of_file(path, task, reader, file_format)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:  # a name that is too long, or a folder that may not be entered
        msg = f"{path} cannot be looked for: {error}"
        raise DataError(msg) from error


def _of_file(path: Path, task: Task[Any], reader: Reader, file_format: str | None) -> _Found:
    if file_format is None:
        with path.open(encoding="latin-1") as text:
            head = [text.readline(1 << 16).rstrip("\n") for _ in range(SNIFFED_LINES)]
        for own in task.file_formats:
            if own.recognises(path, head):
                return _Found(str(path), (Numbered(number, row) for number, row in own.read(path)))
        ending = path.suffix.lower()
        file_format = None if ending == ".txt" else ENDINGS.get(ending)  # which may be anything
    if file_format is None or file_format not in READERS:
        formats = ", ".join(own.name for own in task.file_formats) or "none"
        what = repr(file_format) if file_format else path.suffix or "a file without an ending"
        known = ", ".join(name for name in READERS if f".{name}" != path.suffix.lower())
        msg = (
            f"{path}: cannot tell how to read {what}; known are {known}, and the task's own formats: {formats}. Pass "
            "file_format= if the ending does not tell; save a sheet of a spreadsheet as csv"
        )
        raise ConfigurationError(msg)
    unit = "row" if file_format in {"json", "parquet"} else "line"
    return _Found(str(path), READERS[file_format](reader), unit, reader.notes, file_format == "conll")


def _of_dataset(name: str, rows: Iterable[Row]) -> _Found:
    return _Found(name, (Numbered(n, row) for n, row in enumerate(as_rows(rows, source=name), start=1)), "row")


def _saved(folder: Path, split: str | None) -> datasets.Dataset:
    import datasets

    try:
        found = datasets.load_from_disk(str(folder))
    except Exception as error:  # whatever datasets makes of a damaged file
        msg = f"{folder} is not a whole data set ({error}); save it once more with save_to_disk"
        raise DataError(msg) from error
    return _one_split(str(folder), found, split)


def _from_hub(source: str, split: str | None) -> datasets.Dataset:
    """A data set of the Hub, without the request that counts its use."""
    import datasets

    counted = datasets.config.HF_UPDATE_DOWNLOAD_COUNTS
    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False
    try:
        return _one_split(source, datasets.load_dataset(source.removeprefix(HUB), split=split), split)
    except (OSError, ValueError) as error:
        msg = f"{source} cannot be read from the Hub: {error}"
        raise DataError(msg) from error
    finally:
        datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = counted


def _one_split(name: str, found: Any, split: str | None) -> Any:  # noqa: ANN401  # datasets is not typed
    import datasets

    if isinstance(found, datasets.Dataset):
        return found
    if len(found) == 1 and split is None:
        return next(iter(found.values()))
    if split not in found:
        msg = f"{name} has the splits {', '.join(map(repr, found))}; say which one with split="
        raise ConfigurationError(msg)
    return found[split]


class _Table:
    """Rows on their way from a source to a data set.

    Attributes:
        bad: The first bad rows, with what is wrong.
        bad_count: How many there are.
        good_count: How many are kept.
    """

    def __init__(
        self,
        found: _Found,
        task: Task[Any],
        columns: Mapping[str, str],
        label_names: Mapping[str, str],
        *,
        labelled: bool,
    ) -> None:
        self.found, self.task, self.columns, self.labelled = found, task, columns, labelled
        self.label_names = label_names
        self.bad: list[str] = []
        self.bad_count = self.good_count = 0

    def rows(self) -> Iterator[dict[str, Any]]:
        """The good ones, in the task's column names."""
        first = list(itertools.islice(self.found.rows, MATCHED_ROWS))
        found = list(dict.fromkeys(name for item in first for name in item.row or ()))
        given = {**(self._by_place(found) if self.found.words_and_tags else {}), **self.columns}
        renaming = match_columns(self.found.name, found, self.task, given, labelled=self.labelled) if found else {}
        for item in itertools.chain(first, self.found.rows):
            if item.row is None:
                self._refuse(item, item.error)
                continue
            row = self._named({renaming.get(name, name): value for name, value in item.row.items()})
            try:
                check_row(row, self.task, labelled=self.labelled, where=self._place(item))
            except DataError as error:
                cause = error.__cause__ or error
                self._refuse(item, str(cause) + (self._hint(row) if isinstance(cause, UnknownLabelError) else ""))
            else:
                self.good_count += 1
                yield row

    def finish(self, *, skip: bool) -> None:
        """Say what was left out.

        Raises:
            DataError: There are bad rows that are not to be skipped, or no good ones.
        """
        more = self.bad_count - len(self.bad)
        told = "; ".join(self.bad) + (f"; and {more} more" if more else "")
        if self.bad_count and not skip:
            many = f"{self.bad_count} rows are unusable: " if self.bad_count > 1 else ""
            stop = "" if told.endswith(("?", ".")) else "."
            msg = f'{many}{told}{stop} Repair them, or pass bad_rows="skip" to leave them out'
            raise DataError(msg)
        if not self.good_count:
            msg = f"{self.found.name} holds no rows" + (f" that can be used: {told}" if self.bad else "")
            raise DataError(msg)
        if self.bad_count:
            logger.warning(
                "left out %d of %d rows: %s", self.bad_count, self.bad_count + self.good_count, visible(told)
            )

    def _place(self, item: Numbered) -> str:
        return f"{item.file or self.found.name}, {self.found.unit} {item.number}"

    def _refuse(self, item: Numbered, error: str) -> None:
        self.bad_count += 1
        if len(self.bad) < NAMED_ROWS:
            self.bad.append(f"{self._place(item)}: {error}")

    def _by_place(self, found: Sequence[str]) -> dict[str, str]:
        """The first column of a file without names for the words, the last for the tags."""
        places = [name for name in found if name.isdigit()]
        inputs = [column.name for column in self.task.columns if not column.label]
        labels = [column.name for column in self.task.columns if column.label]
        return {**dict.fromkeys(inputs[:1], places[0]), **dict.fromkeys(labels[:1], places[-1])} if places else {}

    def _named(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row with names of labels instead of their codes."""
        if self.label_names:
            for column in self.task.columns:
                if column.label and column.name in row:
                    row[column.name] = self._name_of(row[column.name])
        return row

    def _name_of(self, value: Any) -> Any:  # noqa: ANN401  # whatever a row holds
        if isinstance(value, list):
            return [self._name_of(item) for item in value]
        return self.label_names.get(_code(value), value)

    def _hint(self, row: Row) -> str:
        """How to read labels that are numbers."""
        values = [row.get(column.name) for column in self.task.columns if column.label]
        numbers = any(str(item).strip().isdigit() for value in values for item in _items(value))
        if not numbers or self.label_names or not self.labelled:
            return ""
        return (
            " Where numbers stand for labels, pass label_names=[...], the names in their order from 0, or a mapping "
            'such as {"1": "..."}'
        )


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else [value]


def _code(value: object) -> str:
    """A label's code as text, so that 1, 1.0 and "1" are the same."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(int(value)) if isinstance(value, bool) else str(value).strip()


def _label_table(given: LabelNames | None) -> dict[str, str]:
    if given is None:
        return {}
    if isinstance(given, str):
        msg = f"label_names={given!r}: give a list of names, or a mapping from values to names"
        raise ConfigurationError(msg)
    pairs = given.items() if isinstance(given, Mapping) else enumerate(given)
    return {_code(value): name for value, name in pairs}


def match_columns(
    source: str, found: Sequence[str], task: Task[Any], given: Mapping[str, str], *, labelled: bool
) -> dict[str, str]:
    """From the file's column names to the task's."""
    _check_given(source, found, task, given)
    _check_refused(source, task, given)
    folded = {name.strip().casefold(): name for name in reversed(found)}
    renaming: dict[str, str] = {}
    for column in task.columns:
        names = [given[column.name]] if column.name in given else [column.name, *column.aliases]
        match = next((folded[name.casefold()] for name in names if name.casefold() in folded), None)
        if match is not None:
            if match != column.name and column.name in found:
                msg = f"{source}: columns {match!r} and {column.name!r} both claim to be {column.name!r}; rename one"
                raise DataError(msg)
            renaming[match] = column.name
        elif (labelled or not column.label) and not column.optional:
            told = ((name, why) for name, why in column.refused if name.casefold() in folded)
            refused = next((f" {name!r} is not it: {why}." for name, why in told), "")
            unlabelled = "; or pass labelled=False, to predict rows without labels" if column.label else ""
            msg = (
                f"{source}: no column for {column.name!r} (looked for {', '.join(map(repr, names))}); "
                f"found: {_listed(found)}.{refused or did_you_mean(names[0], found)} "
                f'Say which one it is with columns={{"{column.name}": "..."}}{unlabelled}'
            )
            raise DataError(msg)
    return renaming


def _check_given(source: str, found: Sequence[str], task: Task[Any], given: Mapping[str, str]) -> None:
    known = [column.name for column in task.columns]
    for name, chosen in given.items():
        if name not in known:
            msg = f"columns={dict(given)!r}: {task.name} has no column {name}; it has {', '.join(known)}"
            raise ConfigurationError(msg)
        if chosen not in found:
            msg = f"columns: {source} has no column {chosen!r}; found: {_listed(found)}.{did_you_mean(chosen, found)}"
            raise ConfigurationError(msg)
    twice = [chosen for chosen, count in Counter(given.values()).items() if count > 1]
    if twice:
        msg = f"columns={dict(given)!r}: {twice[0]!r} can stand for one column only"
        raise ConfigurationError(msg)


def _check_refused(source: str, task: Task[Any], given: Mapping[str, str]) -> None:
    for column in task.columns:
        reasons = {name.strip().casefold(): reason for name, reason in column.refused}
        chosen = given.get(column.name, column.name)
        if chosen.strip().casefold() in reasons:
            msg = (
                f"columns={dict(given)!r}: {task.name} refuses {chosen!r} of {source} as its column {column.name!r}: "
                f"{reasons[chosen.strip().casefold()]}"
            )
            raise ConfigurationError(msg)


def _listed(names: Sequence[str]) -> str:
    """Column names for a message, few and short enough to be read."""
    return first_few([*map(shown, names)], MOST)
