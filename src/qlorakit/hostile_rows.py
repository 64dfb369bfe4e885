"""Checks of how a task bears rows as they come: cells that are missing, of another type, huge, or made to confuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from qlorakit.cells import is_blank
from qlorakit.encoding import Encoder, control_tokens
from qlorakit.errors import DataError, EncodingError
from qlorakit.problems import Problems, Sample, guarded, told

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from qlorakit.task import Column, Example, Row, Task

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


def of_hostile_rows(task: Task[Any], samples: Sequence[Sample], tokenizer: PreTrainedTokenizerBase) -> Problems:
    """Whether bad cells give clear errors, and hostile texts are asked as the plain text they are."""
    labels = [column for column in task.columns if column.label]
    encoder = Encoder(tokenizer, max_length=CONTEXT)
    for column in task.columns:
        sample = next((one for one in samples if not is_blank(one.row.get(column.name))), None)
        if sample is None:
            continue
        if column.label:
            yield from _of_label(task, column, sample, texts=_answers_are_texts(samples))
            continue
        row = {name: cell for name, cell in sample.row.items() if name not in {label.name for label in labels}}
        cell = _Cell(task, column, row)
        yield from cell.problems()
        if cell.holds_text:
            yield from _HostileTexts(cell, encoder).problems()


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
        without = {name: value for name, value in self.row.items() if name != self.column.name}
        rows = {what: self.holding(value) for what, value in {**MISSING, **WRONG}.items()} | {"not there": without}
        for what, row in rows.items():
            sense = self.column.optional or not shown or (what == "a number" and not isinstance(self.value, list))
            yield from _of_cell(self.task, self.column, what, row, makes_sense=sense)


def _of_cell(task: Task[Any], column: Column, what: str, row: Row, *, makes_sense: bool) -> Problems:
    where = f"column {column.name!r} is {what}"
    try:
        list(task.format(row))
    except DataError as error:
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
        for what, text in HOSTILE.items():
            yield from guarded(f"column {name!r} holds {what}: format", partial(self._of_text, what, text))
        tokens = " ".join([CONTROL, *control_tokens(self.encoder.tokenizer)])
        yield from guarded(f"column {name!r} holds texts of control tokens: format", partial(self._of_control, tokens))
        yield from guarded(f"column {name!r} holds format fields: format", self._of_fields)

    def _of_text(self, what: str, text: str) -> Problems:
        for example in self._asked(text):
            try:
                self.encoder.encode(example)
            except (DataError, EncodingError):
                continue
            except Exception as error:  # noqa: BLE001  # whatever the encoding raises is what is to be told
                yield f"column {self.cell.column.name!r} holds {what}: encoding raises {told(error)}"

    def _of_control(self, text: str) -> Problems:
        for hostile, harmless in zip(self._asked(text), self._asked(HARMLESS), strict=False):
            numbers = self._control(hostile), self._control(harmless)
            if None not in numbers and numbers[0] != numbers[1]:
                yield (
                    f"column {self.cell.column.name!r}: texts of control tokens in it become control tokens; leave "
                    "roles and turns to Message, and write none of the template's marks"
                )

    def _of_fields(self) -> Problems:
        asked, harmless = self._asked(FIELDS), self._asked(HARMLESS)
        if asked and _said(harmless, HARMLESS) and not _said(asked, FIELDS):
            yield (
                f"column {self.cell.column.name!r}: {FIELDS!r} in it is not asked as it stands; put cells in after "
                "formatting, not before"
            )

    def _asked(self, text: str) -> list[Example]:
        """The first and the last question about the row with a text; none where the task refuses it."""
        try:
            examples = list(self.cell.task.format(self.cell.holding_text(text)))
        except DataError:
            return []
        return examples[:1] + examples[1:][-1:]

    def _control(self, example: Example) -> int | None:
        """How many control tokens there are in a prompt; ``None`` where it is refused."""
        try:
            prompt = self.encoder.encode(example).prompt
        except EncodingError:
            return None
        return sum(token in self.encoder.control_ids for token in prompt)


def _said(examples: Sequence[Example], text: str) -> bool:
    return any(text in message.text for example in examples for message in example.messages)
