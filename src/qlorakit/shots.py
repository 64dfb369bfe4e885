"""Put answered examples into the prompt: what a base model can do when it is shown rather than trained."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qlorakit.task import Example, Message, Part

if TYPE_CHECKING:
    from qlorakit.task import Room, Row, Task


def with_shots(task: Task[Any], rows: Sequence[Row]) -> Task[Any]:
    """The same task, asked after some rows with their answers (Brown et al., 2020).

    They stand between the instruction and the question, and are the same for all rows, so that they are computed once.
    Of rows with several questions the one with the same key is shown.  What is shown is never cut.

    Args:
        task: To be asked.
        rows: Labelled, from the training split.
    """
    shown = [[example for example in task.format(row) if example.target is not None] for row in rows]
    return _changed(task, lambda example: replace(example, messages=_after(example, shown)))


def without_answers(task: Task[Any]) -> Task[Any]:
    """The same task, which asks labelled rows as if they were not: an answer too long to be written is only missed."""
    return _changed(task, lambda example: replace(example, target=None, also=()))


def draw_shots(task: Task[Any], train: Sequence[Row], *, shots: int, seed: int) -> list[Row]:
    """Draw rows to be shown: one of each reference in turn, in an order that follows from the seed."""
    order = random.Random(seed).sample(range(len(train)), len(train))  # noqa: S311  # nothing secret
    by_reference: dict[str, list[Row]] = defaultdict(list)
    for place in order:
        by_reference[str(task.reference(train[place]))].append(train[place])
    drawn: list[Row] = []
    while len(drawn) < min(shots, len(train)):
        drawn.extend(members.pop() for members in by_reference.values() if members)
    return drawn[:shots]


def _changed(task: Task[Any], change: Callable[[Example], Example]) -> Task[Any]:
    """The same task with other examples, in place of each its own."""
    to_fit = task.format_to_fit

    def ask(row: Row) -> Sequence[Example]:
        return [change(example) for example in task.format(row)]

    def ask_to_fit(row: Row, room: Room) -> Sequence[Example]:
        examples = to_fit(row, lambda tried: room([change(example) for example in tried])) if to_fit else ()
        return [change(example) for example in examples]

    return replace(task, format=ask, format_to_fit=ask_to_fit if to_fit else None)


def _after(example: Example, shown: Sequence[Sequence[Example]]) -> tuple[Message, ...]:
    """The messages of an example behind those of the shown ones, all under its own instruction."""
    opening = [message for message in example.messages if message.role == "system"]
    question = [message for message in example.messages if message.role != "system"]
    turns = []
    for examples in shown:
        alike = [item for item in examples if item.key == example.key] or list(examples[:1])
        for item in alike[:1]:
            asked = "".join(message.text for message in item.messages if message.role != "system")
            turns += [Message("user", (Part(asked),)), Message("assistant", (Part(str(item.target)),))]
    return (*opening, *turns, *question)
