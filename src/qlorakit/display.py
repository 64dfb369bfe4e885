"""What a person sees in the terminal: progress bars, and tables turned into text."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from qlorakit.errors import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

TEXT_WIDTH = 100
LITERAL: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}  # data may look like markup


@contextmanager
def progress_bar(title: str, *, shown: bool) -> Iterator[Callable[[float], None]]:
    """A bar on standard error; what it yields takes the share done, from 0 to 1."""
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), disable=not shown) as bar:
        task = bar.add_task(title, total=1.0)

        def advance(done: float) -> None:
            bar.update(task, completed=done)

        yield advance


def show(sentence: str) -> None:
    """Tell the user something on standard error."""
    Console(stderr=True, **LITERAL).print(visible(sentence))


def as_text(*parts: RenderableType) -> str:
    """Render tables and sentences to plain text."""
    console = Console(file=io.StringIO(), width=TEXT_WIDTH, color_system=None, **LITERAL)
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return visible(captured.get())
