"""Legal tasks for qlorakit."""

from collections.abc import Iterable
from typing import Any

from qlorakit.hookspecs import hookimpl
from qlorakit.task import Task


@hookimpl
def qlorakit_tasks() -> Iterable[Task[Any]]:
    """The tasks of this plugin."""
    yield from ()
