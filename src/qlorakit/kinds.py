"""Ready-made kinds of task: a plugin's task is one short declaration."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qlorakit.errors import DataError, PluginError, did_you_mean
from qlorakit.metrics import accuracy, macro_f1
from qlorakit.task import Column, Example, FileFormat, Message, Output, Part, Prediction, PublicDataset, Row, Task

if TYPE_CHECKING:
    from collections.abc import Callable


def single_label(
    name: str,
    *,
    summary: str,
    instruction: str,
    labels: Sequence[str],
    text: Column | None = None,
    label: Column | None = None,
    file_formats: Sequence[FileFormat] = (),
    group: Callable[[Row], Hashable] | None = None,
    samples: Sequence[Row] = (),
    datasets: Sequence[PublicDataset] = (),
) -> Task[str]:
    """Declare a task that gives each text exactly one of a few labels.

    The instruction is the system message, the text the user's, and the answer one of the labels, chosen by likelihood.

    Args:
        name: ``"domain/task"``.
        summary: One line for listings.
        instruction: What to decide.  It should name the labels.
        labels: The closed set; distinct, not empty, without surrounding spaces.
        text: The column to classify, ``"text"`` unless told otherwise.
        label: The column with the right answer, ``"label"`` unless told otherwise; case and surrounding spaces in
            it do not matter.
        file_formats: See :class:`~qlorakit.task.Task`, as for the arguments that follow.
        group: A value shared by rows that must not be split apart.
        samples: Hand-written rows.
        datasets: Public data sets.

    Raises:
        PluginError: The labels cannot be told apart.
    """
    text = text or Column("text", aliases=("sentence", "content"))
    label = label or Column("label", label=True)
    known = _label_table(name, labels)

    def reference(row: Row) -> str:
        value = row.get(label.name)
        if _is_blank(value):
            msg = f"column {label.name!r} is empty; fill in one of {', '.join(map(repr, labels))}, or remove the row"
            raise DataError(msg)
        found = known.get(str(value).strip().casefold())
        if found is None:
            allowed = ", ".join(map(repr, labels))
            hint = did_you_mean(str(value).strip().casefold(), known)
            msg = f"column {label.name!r}: unknown label {value!r}; allowed: {allowed}.{hint}"
            raise DataError(msg)
        return found

    def ask(row: Row) -> Sequence[Example]:
        content = required_text(row, text.name)
        target = None if _is_blank(row.get(label.name)) else reference(row)
        messages = Message("system", (Part(instruction),)), Message("user", (Part(content, may_cut=True),))
        return (Example(messages, choices=tuple(labels), target=target),)

    return Task(
        name=name,
        summary=summary,
        format=ask,
        parse=_parse_choice,
        reference=reference,
        metrics=(macro_f1(labels), accuracy()),
        labels=tuple(labels),
        columns=(text, label),
        file_formats=tuple(file_formats),
        group=group,
        samples=tuple(samples),
        datasets=tuple(datasets),
    )


def required_text(row: Row, column: str) -> str:
    """The text of a column, which must hold something to read.

    Raises:
        DataError: The column is missing, empty, or holds something other than text.
    """
    value = row.get(column)
    if column not in row:
        msg = f"there is no column {column!r}; the row has {', '.join(map(repr, row)) or 'none'}. Rename the one meant"
        raise DataError(msg)
    if not isinstance(value, str):
        msg = f"column {column!r} holds {type(value).__name__} {value!r} where text is needed"
        raise DataError(msg)
    if not value.strip():
        msg = f"column {column!r} is empty; remove the row or fill in its text"
        raise DataError(msg)
    return value


def choice_probabilities(logprobs: Mapping[str, float]) -> dict[str, float]:
    """The probability of each choice, given that the answer is one of them."""
    top = max(logprobs.values())
    weights = {choice: math.exp(value - top) for choice, value in logprobs.items()}
    total = sum(weights.values())
    return {choice: weight / total for choice, weight in weights.items()}


def _is_blank(value: object) -> bool:
    """Whether a cell holds no label: files of text have no other way to leave one out."""
    return value is None or (isinstance(value, str) and not value.strip())


def _label_table(name: str, labels: Sequence[str]) -> dict[str, str]:
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
        msg = f"{name}: labels must be a sequence of texts such as ('yes', 'no'), not {labels!r}"
        raise PluginError(msg)
    table = {label.strip().casefold(): label for label in labels}
    padded = [label for label in labels if label != label.strip()]
    if padded or len(table) != len(labels) or "" in table or len(labels) < 2:  # noqa: PLR2004  # one is no choice
        msg = (
            f"{name}: labels must be two or more, distinct regardless of case, not empty and without surrounding "
            f"spaces; got {list(labels)}"
        )
        raise PluginError(msg)
    return table


def _parse_choice(row: Row, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Output[Any]:
    del row, examples
    (prediction,) = predictions
    scores = choice_probabilities(prediction.logprobs) if prediction.logprobs else {}
    return Output(prediction.text if prediction.valid else None, scores)
