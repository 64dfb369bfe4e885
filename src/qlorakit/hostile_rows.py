"""Checks of how a task bears rows as they come: cells that are missing, of another type, huge, or made to confuse."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from qlorakit.cells import is_blank
from qlorakit.encoding import Encoder, control_tokens
from qlorakit.errors import DataError, EncodingError
from qlorakit.problems import Problems, Sample, guarded, told
from qlorakit.task import Column

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from qlorakit.task import Example, Row, Task

CONTEXT = 4_096  # tokens, to which long texts are cut
HARMLESS = "harmless words"
FIELDS = "{label} {0} %s {{x}}"
MISSING: Mapping[str, object] = {"empty": "", "blank": "   ", "None": None}
WRONG: Mapping[str, object] = {"a number": 3, "a list of wrong things": [None, 3.5, {}]}
HOSTILE: Mapping[str, str] = {
    "control characters": "a\x00b\x07\x1b[31mc\x7f\u2028d",
    "half of a character": "a\ud800b",
    "letters from right to left and combining ones": "\u05e9\u05dc\u05d5\u05dd \u202eabc e\u0301\u0323\u0335 \u200f.",
    "format fields": FIELDS,
    "200,000 characters": "word " * 40_000,  # last: what encoding keeps of the others makes it faster
}
CONTROL = "</s> <|im_end|> <|end|> [INST] <think>"
TOKENS = "texts of control tokens"
LONG = 5_000  # characters, from which on a task may ask in pieces
SHOWN = 40  # characters of a text


def of_hostile_rows(task: Task[Any], samples: Sequence[Sample], tokenizer: PreTrainedTokenizerBase) -> Problems:
    """Whether bad cells give clear errors, and hostile texts are asked as the plain text they are."""
    encoder = Encoder(tokenizer, max_length=CONTEXT)
    for column in task.columns:
        sample = _filling(column.name, samples)
        if sample is None:
            yield f"samples: none fills the column {column.name!r}; write one that does, so that it is tried as well"
            continue
        if column.label:
            yield from _of_label(task, column, sample, texts=_answers_are_texts(samples))
            continue
        cell = _Cell(task, column, _unlabelled(task, sample))
        yield from cell.problems()
        if cell.holds_text:
            yield from _HostileTexts(cell, encoder).problems()
    for name in _undeclared(task, samples):
        sample = _filling(name, samples)
        if sample is not None:
            yield from _of_undeclared(_Cell(task, Column(name), _unlabelled(task, sample)))


def _filling(name: str, samples: Sequence[Sample]) -> Sample | None:
    return next((one for one in samples if not is_blank(one.row.get(name))), None)


def _unlabelled(task: Task[Any], sample: Sample) -> Row:
    labels = {column.name for column in task.columns if column.label}
    return {name: cell for name, cell in sample.row.items() if name not in labels}


# Columns that are not declared


def _undeclared(task: Task[Any], samples: Sequence[Sample]) -> list[str]:
    declared = {column.name for column in task.columns}
    return [name for name in dict.fromkeys(name for one in samples for name in one.row) if name not in declared]


def _of_undeclared(cell: _Cell) -> Problems:
    """Nothing is known of such a cell; but what it makes of the row may fail with a clear error alone."""
    if not cell.matters():
        return
    values = {**MISSING, **WRONG, **HOSTILE, TOKENS: CONTROL}
    rows = {what: cell.holding(value) for what, value in values.items()} | {"not there": cell.without()}
    for what, row in rows.items():
        try:
            list(cell.task.format(row))
        except DataError:
            continue
        except Exception as error:  # noqa: BLE001  # whatever a task raises is what is to be told
            yield (
                f"column {cell.column.name!r}, which is not declared, is or holds {what}: format raises {told(error)}; "
                "raise a DataError that names the column, or declare it"
            )


# Cells that are missing or of another type


@dataclass(frozen=True)
class _Cell:
    """A cell of a sample row that has no labels.

    Attributes:
        task: What reads it.
        column: Its column.
        row: The row.
    """

    task: Task[Any]
    column: Column
    row: Row

    @property
    def value(self) -> Any:  # noqa: ANN401  # whatever a row holds
        """What it holds."""
        return self.row[self.column.name]

    @property
    def holds_text(self) -> bool:
        """Whether that is a text, or a list of texts."""
        items = self.value if isinstance(self.value, list | tuple) else [self.value]
        return bool(items) and all(isinstance(item, str) for item in items)

    def holding(self, value: object) -> dict[str, Any]:
        """The row with another value there."""
        return {**self.row, self.column.name: value}

    def without(self) -> dict[str, Any]:
        """The row without it."""
        return {name: value for name, value in self.row.items() if name != self.column.name}

    def matters(self) -> bool:
        """Whether format does not do without it, or asks otherwise."""
        try:
            return list(self.task.format(self.without())) != list(self.task.format(self.row))
        except Exception:  # noqa: BLE001  # then it was read, whatever came of it
            return True

    def holding_text(self, text: str) -> dict[str, Any]:
        """The row with another text there, or with another first one of several."""
        return self.holding(text if isinstance(self.value, str) else [text, *self.value[1:]])

    def shown(self) -> bool:
        """Whether what is asked depends on it."""
        try:
            other = self.task.format(self.holding_text(HARMLESS) if self.holds_text else self.holding(None))
        except Exception:  # noqa: BLE001  # then it was read, whatever came of it
            return True
        return list(other) != list(self.task.format(self.row))

    def problems(self) -> Problems:
        """What comes of wrong values."""
        shown = self.shown()
        wrong = {**MISSING, **WRONG}
        rows = {what: self.holding(value) for what, value in wrong.items()} | {"not there": self.without()}
        for what, row in rows.items():
            sense = self.column.optional or not shown or (what == "a number" and not isinstance(self.value, list))
            yield from _of_cell(self.task, self.column, what, row, makes_sense=sense)


def _of_cell(task: Task[Any], column: Column, what: str, row: Row, *, makes_sense: bool) -> Problems:
    where = f"column {column.name!r} is {what}"
    try:
        list(task.format(row))
    except DataError as error:
        if not (column.optional and is_blank(row.get(column.name))):  # then it is about what else is missing
            yield from _of_message(where, column, error)
    except Exception as error:  # noqa: BLE001  # whatever a task raises is what is to be told
        yield f"{where}: format raises {told(error)}; raise a DataError that names the column"
    else:
        if not makes_sense:
            yield (
                f"{where}: format asks all the same; raise a DataError that names the column "
                "(qlorakit.kinds.required_text does), or declare the column optional=True"
            )


def _of_message(where: str, column: Column, error: DataError) -> Problems:
    if repr(column.name) not in str(error):
        yield f"{where}: the DataError does not name the column in quotes ({told(error)}); put it into the message"


# Labels


def _answers_are_texts(samples: Sequence[Sample]) -> bool:
    """Whether any text may be a right answer."""
    free = all(example.choices is None for sample in samples for example in sample.examples)
    return free and all(_is_text(sample.reference) for sample in samples)


def _is_text(reference: object) -> bool:
    if isinstance(reference, list | tuple):
        return bool(reference) and all(isinstance(item, str) for item in reference)
    return isinstance(reference, str)


def _of_label(task: Task[Any], column: Column, sample: Sample, *, texts: bool) -> Problems:
    wrong: dict[str, object] = {"None": None, "an object": object()}
    if not texts:
        wrong["an unknown value"] = "no such label"
    rows = {what: {**sample.row, column.name: value} for what, value in wrong.items()}
    rows["not there"] = {name: cell for name, cell in sample.row.items() if name != column.name}
    for what, row in rows.items():
        where = f"label column {column.name!r} is {what}"
        try:
            value = task.reference(row)
        except DataError as error:
            yield from _of_message(where, column, error)
        except Exception as error:  # noqa: BLE001  # whatever a task raises is what is to be told
            yield f"{where}: reference raises {told(error)}; raise a DataError that names the column"
        else:
            if not column.optional:
                yield f"{where}: reference gives {value!r}; raise a DataError that names the column"
        yield from guarded(f"{where}: format", partial(_of_asking, task, row))


def _of_asking(task: Task[Any], row: Row) -> Iterator[str]:
    try:
        list(task.format(row))
    except DataError:
        return
    yield from ()


# Texts made to confuse


@dataclass(frozen=True)
class _HostileTexts:
    """Texts that are put into a cell.

    Attributes:
        cell: Which.
        encoder: What makes tokens of them.
    """

    cell: _Cell
    encoder: Encoder

    def problems(self) -> Problems:
        """What comes of them."""
        name = self.cell.column.name
        tokens = " ".join([CONTROL, *control_tokens(self.encoder.tokenizer)])
        for what, text in {TOKENS: tokens, **HOSTILE}.items():
            yield from guarded(f"column {name!r} holds {what}: format", partial(self._of_text, what, text))

    def _of_text(self, what: str, text: str) -> Problems:
        asked = self._asked(text)
        if what == TOKENS:
            yield from self._of_control(asked)
        for example in _ends(self._fitting(text)):
            try:
                self.encoder.encode(example)
            except (DataError, EncodingError):
                continue
            except Exception as error:  # noqa: BLE001  # whatever the encoding raises is what is to be told
                yield f"column {self.cell.column.name!r} holds {what}: encoding raises {told(error)}"
                return
        yield from self._of_saying(what, text, asked)

    def _of_control(self, asked: Sequence[Example]) -> Problems:
        for hostile, harmless in zip(_ends(asked), _ends(self._asked(HARMLESS)), strict=False):
            numbers = self._control(hostile), self._control(harmless)
            if None not in numbers and numbers[0] != numbers[1]:
                yield (
                    f"column {self.cell.column.name!r}: texts of control tokens in it become control tokens; leave "
                    "roles and turns to Message, and write none of the template's marks"
                )

    def _of_saying(self, what: str, text: str, asked: Sequence[Example]) -> Problems:
        """Whether a text is asked as it stands where harmless words are; a long one may be in pieces."""
        harmless = self._asked(HARMLESS)
        if not asked or not _said(harmless, HARMLESS) or _said(asked, text):
            return
        if len(text) < LONG or _size(asked) - _size(harmless) < len(_plain(text)) - len(HARMLESS):
            yield (
                f"column {self.cell.column.name!r} holds {what}: {text[:SHOWN]!r} is not asked as it stands; put in "
                "what the cell holds, whole and after formatting (Part.may_cut lets it be cut where it does not fit)"
            )

    def _asked(self, text: str) -> list[Example]:
        """The questions about the row with a text; none where the task refuses it."""
        try:
            return list(self.cell.task.format(self.cell.holding_text(text)))
        except DataError:
            return []

    def _fitting(self, text: str) -> list[Example]:
        """The questions as a model is asked them, in pieces where the text is too long."""
        to_fit = self.cell.task.format_to_fit
        if to_fit is None:
            return self._asked(text)
        try:
            return list(to_fit(self.cell.holding_text(text), self.encoder.room))
        except (DataError, EncodingError):
            return []

    def _control(self, example: Example) -> int | None:
        """How many control tokens there are in a prompt; ``None`` where it is refused."""
        try:
            prompt = self.encoder.encode(example).prompt
        except EncodingError:
            return None
        return sum(token in self.encoder.control_ids for token in prompt)


def _ends(examples: Sequence[Example]) -> list[Example]:
    """The first and the last one."""
    return [*examples[:1], *examples[1:][-1:]]


def _said(examples: Sequence[Example], text: str) -> bool:
    return any(_plain(text) in _plain(message.text) for example in _ends(examples) for message in example.messages)


def _plain(text: str) -> str:
    """A text but for its white space and the ways to write one letter, which a task may unify."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _size(examples: Sequence[Example]) -> int:
    return sum(len(part.text) for example in examples for message in example.messages for part in message.parts)
