"""Rows as conversations: the form of chat data that other programs read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qlorakit.row_store import to_dataset
from qlorakit.rows import as_rows, check_rows, check_task, row_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import datasets

    from qlorakit.task import Example, Row, Task


def to_chat(rows: Iterable[Row], *, task: Task[Any]) -> datasets.Dataset:
    """Write out what the model is asked about each row, and the right answer, as conversations.

    These are the very messages that ``train`` learns from, for a look at them or for another program:
    ``to_chat(rows, task=task).to_json("chat.jsonl")``.

    Args:
        rows: In the task's column names.
        task: What asks about them.

    Returns:
        A conversation for each question and each right answer to it, in the order of the rows: ``messages`` (role and
        content of the system's, the user's and the assistant's turn; the last one only where the right answer is
        known), ``row`` (the row's identity) and ``question`` (which question of the row it is, where there are
        several).

    Raises:
        ConfigurationError: ``task`` is no task.
        DataError: There are no rows, or one that the task cannot read.
    """
    check_task(task)
    known = as_rows(rows)
    check_rows(known, task, labelled=False)
    return to_dataset(_conversations(known, task))


def _conversations(rows: Sequence[Row], task: Task[Any]) -> Iterator[Row]:
    for identity, row in zip(row_ids(rows), rows, strict=True):
        for example in task.format(row):
            question = None if example.key is None else str(example.key)
            for right in example.right or (None,):
                yield {"messages": _turns(example, right), "row": identity, "question": question}


def _turns(example: Example, right: str | None) -> list[dict[str, str]]:
    turns = [{"role": message.role, "content": message.text} for message in example.messages]
    return turns if right is None else [*turns, {"role": "assistant", "content": right}]
