"""Files of rows in every format, their encodings, the naming of columns, rows in memory, and split files."""

from __future__ import annotations

import csv
import functools
import io
import itertools
import json
import math
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from hypothesis import strategies as st

from fuzzing.damage import Json, damaged_bytes, damaged_json, damaged_parts, hostile_cells, hostile_texts, to_json
from fuzzing.reader import Reader, check
from qlorakit import row_store
from qlorakit.chat_form import to_chat
from qlorakit.kinds import entities, multilabel, single_label
from qlorakit.reading import read_rows
from qlorakit.row_store import to_dataset
from qlorakit.rows import fingerprint, input_key, row_content, row_ids
from qlorakit.split_files import load_split, read_split, save_split
from qlorakit.splits import split
from qlorakit.text_encoding import file_encoding

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from qlorakit.task import Task

LABEL = single_label("fuzz/label", summary="-", instruction="-", labels=("up", "down"))
LABELS = multilabel("fuzz/labels", summary="-", instruction="-", labels=("up", "down"))
TAGS = entities("fuzz/tags", summary="-", instruction="-", types=("person", "place"), scheme="BIO")
SPANS = entities("fuzz/spans", summary="-", instruction="-", types=("person", "place"))
TASKS: dict[str, Task[Any]] = {task.name: task for task in (LABEL, LABELS, TAGS, SPANS)}

ROWS = (
    {"text": "Sales r\u00f6se, by 5 %", "label": "up"},
    {"text": 'They "fell".\nAgain', "label": "down"},
    {"text": "x", "label": "up"},
)
ENCODINGS = (
    "utf-8", "latin-1", "cp1252", "utf-16", "utf-7", "idna", "hex", "rot13", "punycode", "unicode_escape", "undefined",
    "raw_unicode_escape", "shift_jis", "a\0b", "",
)  # fmt: skip
CONLL = "-DOCSTART- O\n\nAnna B-person\nKeller I-person\nlaughed O\n\nRome B-place\n. O\n"


@functools.cache
def workplace() -> Path:
    """A folder of this process alone, in memory where there is one."""
    shared = Path("/dev/shm")  # noqa: S108  # a folder with a name of its own is made in it
    folder = tempfile.TemporaryDirectory(prefix="qlorakit-fuzz-", dir=shared if shared.is_dir() else None)
    _kept.append(folder)
    return Path(folder.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []
_numbers = itertools.count()


@contextmanager
def file_with(content: bytes, name: str) -> Iterator[Path]:
    """A file of its own for an input; caches that go by a file's name and time must not mix two up."""
    folder = workplace() / str(next(_numbers))
    folder.mkdir()
    path = folder / name
    path.write_bytes(content)
    try:
        yield path
    finally:
        for left in (*(one for one in folder.rglob("*") if one.is_file()),):
            left.unlink()
        for left in sorted((one for one in folder.rglob("*") if one.is_dir()), reverse=True):
            left.rmdir()
        folder.rmdir()


def as_csv(rows: tuple[Mapping[str, Any], ...], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> str:
    """Rows as a csv file."""
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, list(rows[0]), delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def as_lines(rows: tuple[Mapping[str, Any], ...]) -> str:
    """Rows as JSON lines."""
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


@functools.cache
def as_parquet() -> bytes:
    """Rows as a parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    written = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(ROWS)), written)
    return written.getvalue()


def _encoded(text: str) -> list[bytes]:
    return [text.encode(name) for name in ("utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-32")]


def _files() -> dict[str, list[bytes]]:
    """Valid files by their ending."""
    nested = {"version": 1, "data": list(ROWS)}
    spans = ({"text": "Anna in Rome", "entities": [{"start": 0, "end": 4, "type": "person"}]},)
    tags = ({"tokens": ["Anna", "laughed"], "tags": ["B-person", "O"]},)
    return {
        ".csv": [*_encoded(as_csv(ROWS)), as_csv(ROWS, ";").encode(), f"sep=;\n{as_csv(ROWS, ';')}".encode()],
        ".tsv": [as_csv(ROWS, "\t").encode(), as_csv(ROWS, "\t", csv.QUOTE_ALL).encode()],
        ".jsonl": [*_encoded(as_lines(ROWS)), as_lines(spans).encode(), as_lines(tags).encode()],
        ".json": [json.dumps(list(ROWS)).encode(), json.dumps(nested).encode(), as_lines(ROWS).encode()],
        ".parquet": [as_parquet()],
        ".conll": [*_encoded(CONLL), CONLL.replace(" ", "\t").encode()],
        ".txt": _encoded("Sales r\u00f6se.\n"),
    }


def _read_file(ending: str) -> Callable[[tuple[bytes, dict[str, Any]]], None]:
    def read(given: tuple[bytes, dict[str, Any]]) -> None:
        content, options = given
        with file_with(content, f"rows{ending}") as path:
            for one in read_rows(path, **{**options, "task": TASKS[options["task"]]}):
                _check_row(one)

    return read


def _check_row(row: Mapping[str, Any]) -> None:
    json.dumps(row, default=str, ensure_ascii=False).encode()


def _options() -> SearchStrategy[dict[str, Any]]:
    names = st.sampled_from(("text", "label", "labels", "0", "1", "tokens", "", "Text "))
    return st.fixed_dictionaries(
        {"task": st.sampled_from(list(TASKS))},
        optional={
            "bad_rows": st.just("skip"),
            "labelled": st.booleans(),
            "delimiter": st.sampled_from((",", ";", "\t", "|", " ", "a", "\\", "\0", "\u2028", "'", "ab", "")),
            "encoding": st.sampled_from(ENCODINGS),
            "file_format": st.sampled_from(("csv", "tsv", "jsonl", "json", "conll", "txt", "parquet", "xlsx")),
            "columns": st.dictionaries(names, names, max_size=2),
            "label_names": st.sampled_from((("up", "down"), {"1": "up", "0": "down"}, "up", {}, {None: "up"}, (1, 2))),
            "split": st.sampled_from((None, "train")),
        },
    )  # fmt: skip


def _file_inputs(ending: str) -> SearchStrategy[Any]:
    valid = _files()[ending]
    contents = damaged_bytes(valid)
    if ending == ".json":
        contents = st.one_of(contents, damaged_json([list(ROWS), {"data": list(ROWS)}]))
    if ending == ".jsonl":
        line = damaged_parts(ROWS).map(to_json)
        contents = st.one_of(contents, st.lists(line, min_size=1, max_size=3).map(b"\n".join))
    plain = st.fixed_dictionaries(
        {"task": st.just("fuzz/tags" if ending == ".conll" else "fuzz/label")}, optional={"bad_rows": st.just("skip")}
    )
    return st.tuples(contents, st.one_of(plain, plain, _options()))


def _written_rows(given: tuple[list[dict[str, str]], str, str, str]) -> None:
    """Rows that are written to a file are the same when it is read."""
    rows, ending, delimiter, encoding = given
    options: dict[str, Any] = {"task": LABEL}
    if ending == ".csv":
        content, options["delimiter"] = as_csv(tuple(rows), delimiter), delimiter
    else:
        content = as_lines(tuple(rows)) if ending == ".jsonl" else json.dumps(rows, ensure_ascii=False)
    with file_with(content.encode(encoding), f"rows{ending}") as path:
        found = list(read_rows(path, **options))
    check(found == rows, "other rows", rows, found, options)


def _row_inputs() -> SearchStrategy[Any]:
    text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20).filter(str.strip)
    row = st.fixed_dictionaries({"text": text, "label": st.sampled_from(("up", "down")), "note, 'own'": text})
    return st.tuples(
        st.lists(row, min_size=1, max_size=4), st.sampled_from((".csv", ".jsonl", ".json")),
        st.sampled_from((",", ";", "\t", "|")), st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "utf-32")),
    )  # fmt: skip


def _encodings(content: bytes) -> None:
    with file_with(content, "text.txt") as path:
        name = file_encoding(path)
        with path.open(encoding=name, newline="") as file:
            text = file.read()
    check(not content or name != "utf-8" or text.encode() == content, "not what stands in the file", content, text)


def _encoded_text(given: tuple[str, str]) -> None:
    text, encoding = given
    with file_with(text.encode(encoding), "text.txt") as path:
        name = file_encoding(path)
        with path.open(encoding=name, newline="") as file:
            check(file.read() == text, "read as another text", text, encoding, name)


def _memory(given: tuple[list[dict[str, Any]], str]) -> None:
    """Rows in memory are kept as they are, or refused."""
    rows, task = given[0], TASKS[given[1]]
    found = read_rows(rows, task=task, labelled=False)
    check(len(found) == len(rows), "another number of rows", rows)
    renamed = {"label": "labels"} if task is LABELS else {}  # as the task knows it
    _check_same([{renamed.get(name, name): value for name, value in row.items()} for row in rows], found)
    row_ids(found), fingerprint(found), [input_key(row, task) for row in found]
    to_chat(found, task=task)


def _stored(given: tuple[list[dict[str, Any]], int, int]) -> None:
    rows, portion, kept = given
    with mock.patch.multiple(row_store, ROWS_AT_A_TIME=portion, KEPT_IN_MEMORY=kept):
        found = to_dataset(rows)
    check(len(found) == len(rows) or not any(rows), "another number of rows", rows)
    _check_same(rows, found)


def _check_same(rows: list[dict[str, Any]], found: Iterable[Mapping[str, Any]]) -> None:  # datasets is not typed
    for before, after in zip(rows, found, strict=False):
        for name, value in before.items():
            check(_same(value, after.get(name)), "a cell is another", name, value, after.get(name))


def _same(before: Json, after: Json) -> bool:  # any cell
    """Whether a cell says the same; of a mapping, also with names that other rows have."""
    if isinstance(before, Mapping):
        return (after is None and not before) or (
            isinstance(after, Mapping)
            and all(_same(before.get(name), value) for name, value in after.items())
            and all(name in after or value is None for name, value in before.items())
        )
    if isinstance(before, list | tuple):
        return isinstance(after, list) and len(before) == len(after) and all(map(_same, before, after))
    if isinstance(before, float) and isinstance(after, float):
        return before == after or (math.isnan(before) and math.isnan(after))
    return bool(before == after) and isinstance(before, bool) == isinstance(after, bool)


def _memory_inputs() -> SearchStrategy[Any]:
    valid = [
        [{"text": "Anna in Rome", "label": "up", "id": "a"}, {"text": "Rome", "label": "down", "id": "b"}],
        [{"text": "Anna in Rome", "entities": [{"start": 0, "end": 4, "type": "person"}]}],
        [{"tokens": ["Anna", "in", "Rome"], "tags": ["B-person", "O", "B-place"]}],
        [{"text": "Anna", "labels": ["up"]}, {"text": "Rome", "labels": []}],
    ]  # fmt: skip
    damaged = damaged_parts(valid, raw=False)
    free = st.lists(
        st.dictionaries(st.sampled_from(("text", "label", "labels", "tokens", "tags", "id")), hostile_cells()),
        max_size=3,
    )
    return st.tuples(st.one_of(damaged, free), st.sampled_from(list(TASKS)))


# Folders that datasets wrote


@functools.cache
def _saved_dataset() -> dict[str, bytes]:
    folder = workplace() / "dataset"
    to_dataset(ROWS).save_to_disk(str(folder))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _folder(given: tuple[str, bytes]) -> None:
    name, content = given
    with file_with(content, name) as path:
        for other, rest in _saved_dataset().items():
            if other != name:
                (path.parent / other).write_bytes(rest)
        for row in read_rows(path.parent, task=LABEL):
            _check_row(row)


def _folder_inputs() -> SearchStrategy[Any]:
    def of(name: str, content: bytes) -> SearchStrategy[Any]:
        damaged = damaged_json([json.loads(content)]) if name.endswith(".json") else damaged_bytes([content])
        return st.tuples(st.just(name), damaged)

    return st.one_of(*(of(name, content) for name, content in sorted(_saved_dataset().items())))


# Splits


@functools.cache
def _split_file() -> Json:  # JSON
    with file_with(b"", "split.json") as path:
        return json.loads(save_split({"train": ROWS[:2], "test": ROWS[2:]}, path).read_text(encoding="utf-8"))


def _splits(content: bytes) -> None:
    with file_with(content, "split.json") as path:
        sides = read_split(path)
        check(set(sides) <= {"train", "validation", "test"}, "a side that no split has", sides)
        found = load_split(path, ROWS)
        split(ROWS, task=LABEL, seed=0, validation=0, test=0.4, previous=sides, near_duplicates=None)
    check(sum(map(len, found.values())) == sum(map(len, sides.values())), "rows are lost", sides, found)


def _split_written(given: tuple[list[dict[str, str]], int]) -> None:
    rows, cut = given
    sides = {"train": rows[:cut], "test": rows[cut:]}
    with file_with(b"", "split.json") as path:
        found = load_split(save_split({side: some for side, some in sides.items() if some}, path), rows)
    check(
        sorted(map(len, found.values())) == sorted(len(some) for some in sides.values() if some), "other sides", given
    )
    for name, some in found.items():
        check(sorted(map(row_content, some)) == sorted(map(row_content, sides[name])), "other rows", name, given)


def _are_rows(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(row, dict) for row in found)


def _row_of_split() -> SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"text": hostile_texts().filter(_is_whole), "n": st.integers(0, 3)})


def _is_whole(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


READERS: tuple[Reader, ...] = (
    *(
        Reader(f"rows of {ending} files", functools.partial(_file_inputs, ending), _read_file(ending), 0.7)
        for ending in (".csv", ".tsv", ".jsonl", ".json", ".parquet", ".conll", ".txt")
    ),
    Reader("rows written and read", _row_inputs, _written_rows, 0.5),
    Reader("encodings", lambda: damaged_bytes(_encoded("Gr\u00f6\u00dfe, \u00abno\u00bb\nan\n" * 3)), _encodings),
    Reader(
        "texts encoded and read",
        lambda: st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff"), max_size=40),
            st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "utf-32")),
        ),
        _encoded_text,
        0.5,
    ),
    Reader("rows in memory", _memory_inputs, _memory, 0.7),
    Reader(
        "rows stored",
        lambda: st.tuples(
            st.one_of(
                st.lists(st.dictionaries(st.sampled_from(("a", "b", "")), hostile_cells(), max_size=2), max_size=3),
                damaged_parts([[{"a": 1, "b": {"c": ["x"]}}, {"a": 2, "b": {"c": []}}]], raw=False).filter(_are_rows),
            ),
            st.sampled_from((1, 2, 1_000)),
            st.sampled_from((0, 1 << 26)),
        ),
        _stored,
        0.5,
    ),
    Reader("folders of datasets", _folder_inputs, _folder, 0.5),
    Reader("split files", lambda: damaged_json([_split_file()]), _splits, 0.5),
    Reader(
        "splits written and read",
        lambda: st.tuples(st.lists(_row_of_split(), min_size=1, max_size=6), st.integers(0, 6)),
        _split_written,
        0.3,
    ),
)  # fmt: skip
