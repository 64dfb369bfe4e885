"""Read rows once for an audit, and keep a few numbers of each: hashes, label, what it holds that it should not."""

from __future__ import annotations

import hashlib
import itertools
import zlib
from array import array
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from qlorakit.cells import is_blank
from qlorakit.errors import DataError, PluginError
from qlorakit.text_checks import REPLACEMENT, find_damage, has_control_characters, is_empty, special_tokens

if TYPE_CHECKING:
    import numpy.typing as npt

    from qlorakit.task import Example, Row, Task

LISTED_ROWS = 20
SAMPLED_ROWS = 200  # from which is learned what all questions of a task have in common
FEWEST_TEXTS = 10  # that must begin alike for the beginning to be taken for the task's
EDGE = 80  # characters of a long beginning or end
SHORTEST_LABEL = 3  # characters that are looked for inside other texts


@dataclass
class Hits:
    """Rows of which something is true: how many, and the first of them."""

    total: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, row: int) -> None:
        """Count a row."""
        self.total += 1
        if len(self.rows) < LISTED_ROWS:
            self.rows.append(row)


@dataclass(frozen=True)
class Reading:
    """What a task makes of a row.

    Attributes:
        examples: What the model is asked; none where the task cannot read the row.
        answer: The reference; ``None`` where there is none.
        labelled: Whether there is a reference.
    """

    examples: Sequence[Example]
    answer: Any = None
    labelled: bool = False


class _Watched(Mapping[str, Any]):
    """A row that remembers which columns were asked for."""

    def __init__(self, row: Row, read: set[str]) -> None:
        self.row, self.read = row, read

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  # any cell
        self.read.add(name)
        return self.row[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.row)

    def __len__(self) -> int:
        return len(self.row)


class RowReader:
    """Tells what of a question is the row's own, and what every question of the task has: the instruction."""

    def __init__(self, rows: Sequence[Row], task: Task[Any]) -> None:
        self.task = task
        self.columns_read = {column.name for column in task.columns}
        # Cells that a task shows without declaring them, as those of a table, may give the label away as well.
        self._keeps_apart = any(column.label for column in task.columns)
        self.cells_read: set[str] = set()
        self._labels = {column.name for column in task.columns if column.label}
        self._shared: frozenset[str] = frozenset()
        self._ends = ("", "")
        sample = [self._watched(rows[place], place) for place in evenly(len(rows), SAMPLED_ROWS)]
        questions = {frozenset(_parts(examples)) for examples in sample if examples}
        if len(questions) > 1:
            self._shared = frozenset.intersection(*questions)
        texts = sorted({self.own(examples) for examples in sample if examples})
        if len(texts) >= FEWEST_TEXTS:
            start, end = _common_start(texts), _common_start([text[::-1] for text in texts])
            self._ends = start[: _last_space(start)], end[: _last_space(end)][::-1]

    def read(self, row: Row, number: int) -> Reading:
        """Ask the task about a row.

        Raises:
            PluginError: The task itself fails on it.
        """
        try:
            return self._read(row)
        except Exception as error:
            msg = f"row {number + 1}: task {self.task.name} fails on it ({type(error).__name__}: {error})"
            raise PluginError(msg) from error

    def own(self, examples: Sequence[Example]) -> str:
        """The pieces of a row's questions that not every row has."""
        parts = _parts(examples)
        return "\n".join([part for part in parts if part not in self._shared] or parts)

    def text(self, own: str) -> str:
        """Of these pieces, what does not begin or end every row's."""
        start, end = self._ends
        inner = own.removeprefix(start)
        return (inner.removesuffix(end) if end else inner) or own

    def texts(self, rows: Iterable[Row]) -> Iterator[str]:
        """The same for rows one after the other; empty for one that the task cannot read."""
        for number, row in enumerate(rows):
            yield self.text(self.own(self.read(row, number).examples))

    def _read(self, row: Row) -> Reading:
        try:
            examples = self.task.format(row)
        except DataError:
            examples = self._without_label(row)
        try:
            return Reading(examples, self.task.reference(row), labelled=True)
        except DataError:
            return Reading(examples)

    def _without_label(self, row: Row) -> Sequence[Example]:
        """The question alone, where only the label may be what the task cannot read."""
        try:
            return self.task.format({name: cell for name, cell in row.items() if name not in self._labels})
        except DataError:
            return ()

    def _watched(self, row: Row, number: int) -> Sequence[Example]:
        read = self.cells_read if self._keeps_apart else self.columns_read
        try:
            return self.read(_Watched(row, read), number).examples
        except PluginError:  # the task may want a dictionary
            return self.read(row, number).examples


@dataclass
class Column:
    """What is kept of a column that the task does not declare.

    Attributes:
        values: The hash of each row's cell, [rows]; 0 for an empty one.
        filled: Cells of labelled rows that hold something.
        begins: Of these, those that begin with the row's label, or one of its labels.
        contains: Of these, those that contain it.
        other_begins: Of these, those that begin with another label; as many as the row has are drawn for it.
        other_contains: Of these, those that contain it.
    """

    values: array[int]
    filled: int = 0
    begins: int = 0
    contains: int = 0
    other_begins: int = 0
    other_contains: int = 0

    def compare(self, cell: str, labels: tuple[str, ...], others: tuple[str, ...]) -> None:
        """Look for the labels in a cell."""
        self.filled += 1
        self.begins += cell.startswith(labels)
        self.contains += any(label in cell for label in labels)
        self.other_begins += cell.startswith(others)
        self.other_contains += any(other in cell for other in others)


class Scan:
    """What is kept of rows: about 30 bytes for each, and 4 more for each column that the task does not read.

    Attributes:
        keys: Hash of what each row asks, [rows]; 0 where it asks nothing or the task cannot read it.
        answers: Hash of each row's reference, [rows]; 0 where it has none.
        label_numbers: Place of each row's label among the task's, [rows]; -1 where it has not exactly one.
        label_counts: How many rows have each label.
        columns: Those that the task does not declare, by name.
        inside: The label in the row's own text, counted as in other columns.
        hits: Rows by what was found in them.
        special: How often each control token's text occurs.
    """

    def __init__(self, rows: Sequence[Row], task: Task[Any], *, quick: bool) -> None:
        self.reader, self.task, self.quick = RowReader(rows, task), task, quick
        self.size = 0
        self._keys, self._answers, self._label_numbers = array("Q"), array("Q"), array("i")
        self._starts, self._ends = array("Q"), array("Q")
        self.label_counts: Counter[str] = Counter(dict.fromkeys(task.labels or (), 0))
        self.columns: dict[str, Column] = {}
        self.inside = Column(array("I"))
        self.hits: dict[str, Hits] = {}
        self.special: Counter[str] = Counter()
        self._damaged = None if quick else find_damage()
        self._places = {label: place for place, label in enumerate(task.labels or ())}
        self._folded = [label.casefold() for label in self._places]

    keys = property(lambda self: np.frombuffer(self._keys, np.uint64))
    answers = property(lambda self: np.frombuffer(self._answers, np.uint64))
    label_numbers = property(lambda self: np.frombuffer(self._label_numbers, np.int32))
    starts = property(lambda self: np.frombuffer(self._starts, np.uint64))
    ends = property(lambda self: np.frombuffer(self._ends, np.uint64))

    def add(self, row: Row) -> None:
        """Look at the next row."""
        number, self.size = self.size, self.size + 1
        reading = self.reader.read(row, number)
        own = self.reader.own(reading.examples)
        text, place = self.reader.text(own), self._label(reading)
        self._keys.append(exact_key(own))
        self._answers.append(_answer_key(reading.answer) if reading.labelled else 0)
        self._label_numbers.append(place)
        self._note(number, row, reading, text)
        self._look_for_labels(row, text, self._own_places(reading))
        if not self.quick:
            long = len(text) >= 2 * EDGE
            self._starts.append(_hash(text.lstrip()[:EDGE]) if long else 0)
            self._ends.append(_hash(text.rstrip()[-EDGE:]) if long else 0)

    def hit(self, code: str) -> Hits:
        """The rows in which something was found."""
        return self.hits.setdefault(code, Hits())

    def _label(self, reading: Reading) -> int:
        """Count the row's labels, and find the place of the only one."""
        if not reading.labelled or self.task.labels is None:
            return -1
        if self.task.single:
            self.label_counts[str(reading.answer)] += 1
            return self._places.get(str(reading.answer), -1)
        if isinstance(reading.answer, list | tuple | set | frozenset):
            self.label_counts.update(item for item in set(reading.answer) if item in self.label_counts)
        return -1

    def _note(self, number: int, row: Row, reading: Reading, text: str) -> None:
        if not reading.examples:
            needed = [column.name for column in self.task.columns if not column.label]
            blank = any(is_blank(row.get(name)) for name in needed)
            self.hit("empty" if blank else "unusable").add(number)
            return
        if not reading.labelled:
            blank = any(is_blank(row.get(column.name)) for column in self.task.columns if column.label)
            self.hit("unlabelled" if blank else "unknown_label").add(number)
        if is_empty(text):
            self.hit("empty").add(number)
        if has_control_characters(text):
            self.hit("control").add(number)
        if found := special_tokens(text):
            self.special.update(found)
            self.hit("special").add(number)
        lost = REPLACEMENT in text
        if lost:
            self.hit("replaced").add(number)
        if lost or (self._damaged and self._damaged(text)):
            self.hit("damaged").add(number)

    def _own_places(self, reading: Reading) -> tuple[int, ...]:
        """The places of the row's labels, be it one or several."""
        answer = reading.answer if isinstance(reading.answer, list | tuple | set | frozenset) else (reading.answer,)
        known = {self._places[item] for item in answer if isinstance(item, str) and item in self._places}
        return tuple(sorted(known)) if reading.labelled else ()

    def _look_for_labels(self, row: Row, text: str, places: tuple[int, ...]) -> None:
        labels: tuple[str, ...] = ()
        others: tuple[str, ...] = ()
        foreign = [place for place in range(len(self._folded)) if place not in places]
        if places and foreign:
            first = self.size % len(foreign)
            drawn = (foreign[first:] + foreign[:first])[: len(places)]
            labels, others = (tuple(self._folded[place] for place in chosen) for chosen in (places, drawn))
            self.inside.compare(text.casefold(), labels, others)
        for name, cell in row.items():
            if name not in self.reader.columns_read:
                named = name not in self.reader.cells_read  # what it says is looked at as the row's own text
                self._look_into(name, "" if is_blank(cell) else str(cell), labels if named else (), others)

    def _look_into(self, name: str, cell: str, labels: tuple[str, ...], others: tuple[str, ...]) -> None:
        column = self.columns.get(name)
        if column is None:
            column = self.columns[name] = Column(array("I"))
        column.values.extend([0] * (self.size - 1 - len(column.values)))  # rows that lacked the column
        column.values.append((zlib.crc32(cell.encode("utf-8", "surrogatepass")) or 1) if cell else 0)
        if cell and labels:
            column.compare(cell.strip().casefold(), labels, others)


def scan(rows: Sequence[Row], task: Task[Any], *, quick: bool) -> Iterator[Scan]:
    """Read rows one after the other, and give the same scan after each.

    Raises:
        PluginError: The task itself fails on a row.
    """
    found = Scan(rows, task, quick=quick)
    for row in rows:
        found.add(row)
        yield found


def exact_key(text: str) -> int:
    """The hash of a text in 64 bits, white space aside; 0 for an empty one."""
    words = text.split()
    return _hash(" ".join(words)) if words else 0


def exact_keys(texts: Iterable[str]) -> npt.NDArray[np.uint64]:
    """The same for many, [texts]."""
    return np.fromiter(map(exact_key, texts), np.uint64)


def evenly(size: int, most: int) -> list[int]:
    """Positions spread evenly over as many, at most a given number."""
    return [place * size // min(size, most) for place in range(min(size, most))]


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _answer_key(answer: Hashable) -> int:
    return _hash(repr(sorted(map(repr, answer)) if isinstance(answer, set | frozenset) else answer))


def _parts(examples: Sequence[Example]) -> tuple[str, ...]:
    """The distinct pieces of what is asked, in their order."""
    return tuple(dict.fromkeys(part.text for one in examples for message in one.messages for part in message.parts))


def _common_start(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)  # what these share, all share
    same = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(character for character, _ in same)


def _last_space(text: str) -> int:
    return max(text.rfind(" "), text.rfind("\n")) + 1
