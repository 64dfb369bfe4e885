"""What tasks there are and what each is about, for a person to read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qlorakit.errors import first_few
from qlorakit.plugins import Plugins, installed

if TYPE_CHECKING:
    from qlorakit.task import Task


class TaskList(list[str]):
    """The names of tasks, sorted; printed, what each is about, and which plugins were left out and why.

    Attributes:
        plugins: That supply them.
    """

    def __init__(self, plugins: Plugins) -> None:
        super().__init__(sorted(plugins.tasks))
        self.plugins = plugins

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        from qlorakit.display import as_text

        blocks: list[Any] = []
        for name in self:
            blocks += [*_block(self.plugins.tasks[name], self.plugins.origin.get(name)), ""]
        if not blocks:
            blocks = ["No tasks are installed. A plugin brings those of its domain: pip install qlorakit-...", ""]
        left_out = [f"{origin} is left out: {reason}" for origin, reason in sorted(self.plugins.broken.items())]
        return _trimmed(as_text(*blocks, *left_out))


def list_tasks() -> TaskList:
    """The tasks that installed plugins supply, by name.

    Returns:
        A sequence of names, sorted.  Printed, it says of each task what it decides, its kind, labels, columns, metrics
        and public data sets with their licences, and where it comes from; and of each plugin that was left out, why.
    """
    return TaskList(installed())


def describe(task: Task[Any]) -> str:
    """What a task is about, how its rows look, and what it is measured by."""
    from qlorakit.display import as_text

    return _trimmed(as_text(*_block(task, None), *_sample(task)))


def _block(task: Task[Any], origin: str | None) -> list[Any]:
    """The summary of a task, and a table of what else is to be said."""
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    table.add_column(min_width=10, no_wrap=True)
    table.add_column(overflow="fold")
    for heading, said in _described(task, origin):
        table.add_row(f"  {heading}", said)
    return [f"{task.name}: {task.summary}", table]


def _described(task: Task[Any], origin: str | None) -> Iterator[tuple[str, str]]:
    """What to say of a task, by headings."""
    yield "kind", task.kind
    if task.labels:
        yield "labels", first_few(task.labels)
    for number, column in enumerate(task.columns):
        marks = [mark for mark, holds in (("the label", column.label), ("optional", column.optional)) if holds]
        also = f"also called {', '.join(column.aliases)}" if column.aliases else ""
        said = "; ".join(part for part in (*marks, also) if part)
        yield "" if number else "columns", f"{column.name}{f' ({said})' if said else ''}"
    yield "metrics", ", ".join(metric.name for metric in task.metrics)
    if not task.datasets:
        yield "data", "none that is public"
    for number, data in enumerate(task.datasets):
        yield "" if number else "data", f"{data.name} ({data.identifier}). Licence: {data.licence}"
    if task.file_formats:
        yield "files", ", ".join(own.name for own in task.file_formats)
    yield "samples", f"{len(task.samples)} rows, written by hand" if task.samples else "none"
    if origin:
        yield "from", origin


def _sample(task: Task[Any]) -> Iterator[str]:
    """The first sample row, and what the model is asked about it."""
    for row in task.samples[:1]:
        yield f"\nA row: {dict(row)}\nis asked as"
        yield from (f"[{message.role}] {message.text}" for message in task.format(row)[0].messages)


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).rstrip()
