"""What is installed, for a person to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from qlorakit.plugins import Plugins, installed

if TYPE_CHECKING:
    from qlorakit.task import Task


@dataclass(frozen=True, repr=False)
class TaskList(Sequence[str]):
    """The names of tasks, sorted; printed, what each is about, and which plugins were left out and why.

    Attributes:
        plugins: That supply them.
    """

    plugins: Plugins

    @property
    def names(self) -> list[str]:
        """The names, sorted."""
        return sorted(self.plugins.tasks)

    def __len__(self) -> int:
        return len(self.plugins.tasks)

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        """One name, or several."""
        return self.names[place]

    def __eq__(self, other: object) -> bool:
        """Whether these are the same names in the same order."""
        return isinstance(other, Sequence) and self.names == list(other)

    __hash__ = None  # type: ignore[assignment]  # as a list

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        from rich.table import Table

        from qlorakit.display import as_text

        blocks: list[Any] = []
        for name in self.names:
            table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
            table.add_column(min_width=10, no_wrap=True)
            table.add_column(overflow="fold")
            for heading, said in _described(self.plugins.tasks[name], self.plugins.origin.get(name, "")):
                table.add_row(f"  {heading}", said)
            blocks += [f"{name}: {self.plugins.tasks[name].summary}", table, ""]
        if not blocks:
            blocks = ["No tasks are installed. A plugin brings those of its domain: pip install qlorakit-...", ""]
        left_out = [f"{origin} is left out: {reason}" for origin, reason in sorted(self.plugins.broken.items())]
        lines = as_text(*blocks, *left_out).splitlines()
        return "\n".join(line.rstrip() for line in lines).rstrip()


def list_tasks() -> TaskList:
    """The tasks that installed plugins supply, by name.

    Returns:
        A sequence of names, sorted.  Printed, it says of each task what it decides, its kind, metrics, public data sets
        with their licences, and where it comes from; and of each plugin that was left out, why.
    """
    return TaskList(installed())


def _described(task: Task[Any], origin: str) -> Iterator[tuple[str, str]]:
    """What to say of a task, by headings."""
    yield "kind", task.kind
    yield "metrics", ", ".join(metric.name for metric in task.metrics)
    for number, data in enumerate(task.datasets):
        yield "" if number else "data", f"{data.name} ({data.identifier}). Licence: {data.licence}"
    yield "samples", f"{len(task.samples)} rows, written by hand" if task.samples else "none"
    yield "from", origin
