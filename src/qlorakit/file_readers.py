"""Read files of all common formats as numbered rows, the bad ones with what is wrong about them."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from qlorakit.errors import DataError
from qlorakit.text_encoding import file_encoding

SEPARATORS = (",", ";", "\t", "|")
DOCUMENT_START = "-DOCSTART-"
SEPARATOR_LINE = re.compile(r'sep=([^"\r\n])\r?\n?', re.IGNORECASE)  # the first line of some files of Excel
HALF = re.compile(r"\\u[dD][89a-fA-F]")
ROWS_AT_A_TIME = 1_000
NO_TEXT = "there is a NUL character in it: the file is damaged, or no text"


@dataclass(frozen=True)
class Numbered:
    """A row, or what stands where one should be.

    Attributes:
        number: Of its line, or its place where the format has no lines; counted from 1.
        row: What it holds; ``None`` where it cannot be read.
        error: Why it cannot.
        file: Where it comes from, if not from the file that the user named.
    """

    number: int
    row: Mapping[str, Any] | None
    error: str = ""
    file: str = ""


@dataclass(frozen=True)
class Reader:
    """How a file is read.

    Attributes:
        path: The file.
        encoding: Of its text; found unless given.
        delimiter: Between cells; found unless given.
        notes: Filled with what the reader has found out.
    """

    path: Path
    encoding: str | None = None
    delimiter: str | None = None
    notes: list[str] = field(default_factory=list)

    def delimited(self) -> Iterator[Numbered]:
        """Rows of a csv or tsv file with a header.

        Raises:
            DataError: The header is unusable.
        """
        csv.field_size_limit(2**31 - 1)  # a long report does not fit into the default of 128 kB
        with self.path.open(encoding=file_encoding(self.path, self.encoding), newline="") as file:
            first = next(file, "")
            told = SEPARATOR_LINE.fullmatch(first)
            if told:
                self.notes.append(f"its first line says that {told[1]!r} separates its cells")
            delimiter = self.delimiter or (told[1] if told else self._separator(first))
            reader = csv.reader(itertools.chain(["\n" if told else first], file), delimiter=delimiter, strict=True)
            try:
                if told:
                    next(reader)  # an empty line in its place, so that lines are counted as in the file
                header = next(reader, [])
            except csv.Error as error:
                msg = f"{self.path}, line {2 if told else 1}: {error}; is a quotation mark left open in the header?"
                raise DataError(msg) from error
            twice = sorted({name for name in header if header.count(name) > 1})
            if twice:
                msg = f"{self.path}: columns occur twice in the header: {', '.join(twice)}"
                raise DataError(msg)
            yield from _records(reader, header)

    def _separator(self, header: str) -> str:
        """The usual one of a file with this ending, unless its header has only another."""
        usual = "\t" if self.path.suffix.lower() == ".tsv" else ","
        bare = re.sub(r'"(?:[^"]|"")*"', "", header)
        others = [mark for mark in SEPARATORS if mark != usual and mark in bare]
        if usual in bare or len(others) != 1:
            return usual
        self.notes.append(f"{others[0]!r} separates its cells")
        return others[0]

    def json_lines(self) -> Iterator[Numbered]:
        """Rows of a file with a JSON object in each line."""
        with self.path.open(encoding=file_encoding(self.path, self.encoding), newline="\n") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _json_row(line, number)

    def json(self) -> Iterator[Numbered]:
        """Rows of a file that is one JSON list of objects, or holds one under some name, or has one in each line.

        Raises:
            DataError: It is none of these.
        """
        text = self.path.read_text(encoding=file_encoding(self.path, self.encoding))
        try:
            whole = json.loads(text, object_pairs_hook=_without_repeats)
        except json.JSONDecodeError as error:
            if error.msg == "Extra data":
                self.notes.append("there is a JSON object in each line, as in a .jsonl file")
                yield from self.json_lines()
                return
            msg = f"{self.path}, line {error.lineno}: not valid JSON ({error.msg} at character {error.colno})"
            raise DataError(msg) from error
        except (ValueError, RecursionError) as error:  # a number of thousands of digits, or endless brackets
            msg = f"{self.path}: not usable JSON ({error})"
            raise DataError(msg) from error
        escaped = HALF.search(text) is not None
        for number, item in enumerate(self._list_in(whole), start=1):
            yield _object(item, number, escaped=escaped)

    def _list_in(self, whole: object) -> Sequence[object]:
        if isinstance(whole, list):
            return whole
        lists = [name for name, found in whole.items() if _is_table(found)] if isinstance(whole, dict) else []
        if len(lists) == 1 and isinstance(whole, dict):
            self.notes.append(f"the rows are those under {lists[0]!r}")
            return list(whole[lists[0]])
        found = f"several lists of objects ({', '.join(lists)})" if lists else "no list of objects"
        msg = f"{self.path}: there is {found} in it; write one list [{{...}}, ...], or an object in each line (.jsonl)"
        raise DataError(msg)

    def parquet(self) -> Iterator[Numbered]:
        """Rows of a parquet file.

        Raises:
            DataError: It is damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        number = 0
        try:
            with pq.ParquetFile(self.path, memory_map=True) as file:
                for batch in file.iter_batches(ROWS_AT_A_TIME):
                    for row in batch.to_pylist():
                        number += 1
                        yield Numbered(number, row)
        except (pa.ArrowException, OSError, ValueError, OverflowError) as error:  # the last two of single cells
            msg = f"{self.path}: not a whole parquet file ({error}); was a copy or a download cut off?"
            raise DataError(msg) from error

    def conll(self) -> Iterator[Numbered]:
        """Sentences of a file with a word and its tags in each line, and an empty line after each sentence.

        The columns are lists named ``"0"``, ``"1"`` and so on, and the number of the document where some begin with
        ``-DOCSTART-``.  The row's number is that of its first line.
        """
        tokens: list[tuple[int, list[str]]] = []
        document = 0
        with self.path.open(encoding=file_encoding(self.path, self.encoding)) as file:
            for number, line in enumerate(itertools.chain(file, [""]), start=1):
                cells = line.rstrip("\n").split(self.delimiter or ("\t" if "\t" in line else None))
                starts = cells[:1] == [DOCUMENT_START]
                if line.strip() and not starts:
                    tokens.append((number, cells))
                    continue
                if tokens:
                    yield _sentence(tokens, document)
                    tokens = []
                document += starts

    def text(self) -> Iterator[Numbered]:
        """One row: the whole of a text file."""
        with self.path.open(encoding=file_encoding(self.path, self.encoding), newline=None) as file:
            yield Numbered(1, {"text": file.read()})


READERS: Mapping[str, Callable[[Reader], Iterator[Numbered]]] = {
    "csv": Reader.delimited,
    "tsv": Reader.delimited,
    "jsonl": Reader.json_lines,
    "json": Reader.json,
    "parquet": Reader.parquet,
    "conll": Reader.conll,
    "txt": Reader.text,
}
ENDINGS = {
    **{f".{name}": name for name in READERS},
    ".ndjson": "jsonl", ".tab": "tsv", ".pq": "parquet", ".iob": "conll", ".iob2": "conll", ".bio": "conll",
    ".bioes": "conll",
}  # fmt: skip


def read_folder(reader: Reader) -> Iterator[Numbered]:
    """Rows of a folder of files, in the order of their names.

    Text files give a row each, with the column ``file`` and, where they stand in folders below this one, ``label``, the
    name of that folder.  Otherwise all files are tables of one format, one after the other.

    Args:
        reader: Of the folder; each file is read in the same way.

    Raises:
        DataError: It holds neither.
    """
    folder = reader.path
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    links = (path for path in files if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()))
    if (link := next(links, None)) is not None:
        msg = f"{link} is a link that leads out of {folder}, which is not followed; put the file itself there"
        raise DataError(msg)
    endings = sorted({path.suffix.lower() for path in files})
    if len(endings) != 1 or endings[0] not in ENDINGS:
        found = ", ".join(ending or "files without an ending" for ending in endings) or "nothing"
        msg = (
            f"{folder} is a folder with {found}; give one file, or a folder of files of one kind: texts (.txt), each "
            "in a folder named after its label where labels are known, or tables"
        )
        raise DataError(msg)
    texts = endings == [".txt"]
    for path in files:
        place = path.relative_to(folder)
        labelled = {"label": place.parent.as_posix()} if texts and place.parent != Path() else {}
        for item in READERS[ENDINGS[endings[0]]](replace(reader, path=path)):
            extra = {"file": place.as_posix(), **labelled} if texts else {}
            yield replace(item, row=None if item.row is None else {**item.row, **extra}, file=str(path))


def _records(reader: Any, header: Sequence[str]) -> Iterator[Numbered]:  # noqa: ANN401  # the csv module has no name for it
    """Rows after the header; what is wrong with one does not hinder the next."""
    while True:
        began = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield Numbered(began, None, f"{error}; is a quotation mark left open?")
            continue
        if cells is None:
            return
        if not cells:
            continue
        number = reader.line_num if reader.line_num == began else began
        if len(cells) != len(header):
            yield Numbered(number, None, f"{len(cells)} cells where the header has {len(header)}")
        elif any("\0" in cell for cell in cells):
            yield Numbered(number, None, NO_TEXT)
        else:
            yield Numbered(number, dict(zip(header, cells, strict=True)))


def _json_row(line: str, number: int) -> Numbered:
    try:
        found = json.loads(line, object_pairs_hook=_without_repeats)
    except json.JSONDecodeError as error:
        return Numbered(number, None, f"not valid JSON ({error.msg} at character {error.pos + 1})")
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, or endless brackets
        return Numbered(number, None, f"not usable JSON ({error})")
    return _object(found, number, escaped=HALF.search(line) is not None)


def _object(found: object, number: int, *, escaped: bool) -> Numbered:
    if isinstance(found, dict):
        if escaped and _holds_half(found):
            return Numbered(number, None, "it holds half of a character (a lone surrogate such as \\ud800)")
        return Numbered(number, found)
    return Numbered(number, None, f"an object like {{...}} is needed, not {type(found).__name__}")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless a name occurs twice in it, of which Python would keep the last one without a word."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for number, (name, _) in enumerate(pairs) if name in dict(pairs[:number]))
        msg = f"the name {twice!r} occurs twice in an object"
        raise ValueError(msg)
    return found


def _holds_half(found: object) -> bool:
    """Whether a text in it cannot be written as UTF-8, because only one half of an escaped pair is there."""
    try:
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _is_table(found: object) -> bool:
    return isinstance(found, list) and bool(found) and all(isinstance(item, dict) for item in found)


def _sentence(tokens: Sequence[tuple[int, Sequence[str]]], document: int) -> Numbered:
    """A row with a list for each column."""
    begin, first = tokens[0]
    odd = next((number for number, cells in tokens if len(cells) != len(first)), None)
    if odd is not None:
        return Numbered(
            begin, None, f"line {odd} has another number of columns than line {begin}, which has {len(first)}"
        )
    columns = zip(*(cells for _, cells in tokens), strict=True)
    row: dict[str, Any] = {str(place): list(column) for place, column in enumerate(columns)}
    return Numbered(begin, {**row, "document": document} if document else row)
