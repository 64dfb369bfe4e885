"""What a reader under test is, and what one input to it comes to."""

from __future__ import annotations

import contextlib
import io
import logging
import resource
import signal
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlorakit.errors import PluginError, QlorakitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from hypothesis.strategies import SearchStrategy

LONGEST = 20.0  # seconds of processor time for one input, all of which are short
MOST_WARNINGS = 25  # that one input may cause
MOST_MEMORY = 1 << 30  # bytes by which one input may raise the process's peak
ROOT = Path(__file__).parents[2]


class ContractError(AssertionError):
    """What a reader must not do: hang, flood the log, take all memory, or give what differs from what was written."""


@dataclass(frozen=True)
class Reader:
    """Something that reads what others wrote.

    Attributes:
        name: Of the reader, as the tables have it.
        inputs: Makes the strategy of its inputs.
        read: Reads one and checks what holds for all of them; raises :class:`ContractError` where it does not.
        effort: How many examples it gets, as a multiple of a common number.
    """

    name: str
    inputs: Callable[[], SearchStrategy[Any]]
    read: Callable[[Any], object]
    effort: float = 1.0


def check(holds: bool, what: str, *shown: object) -> None:  # noqa: FBT001  # reads as an assertion  # reads as an assertion
    """Raise a fault where something does not hold.

    Raises:
        ContractError: It does not; the message shows the values.
    """
    if not holds:
        raise ContractError(": ".join([what, *(f"{value!r:.300}" for value in shown)]))


def attempt(reader: Reader, given: object) -> bool:  # inputs are of all types
    """Read an input under watch.

    Returns:
        Whether it was read; refused with one of the library's own errors otherwise.

    Raises:
        ContractError: The reader broke its contract without an exception of its own.
        BaseException: Whatever else the reader raised, which is a crash.
    """
    with _watched():
        try:
            reader.read(given)
        except PluginError as error:
            if error.__cause__ is None or isinstance(error.__cause__, QlorakitError):
                return False
            raise error.__cause__ from None  # a task that fails on a row is a crash in a coat
        except QlorakitError as error:
            check(bool(str(error).strip()), "an error without a message", error)
            return False
    return True


def place_of(error: BaseException) -> str:
    """Where a crash happened: the exception, and the last line of ours that it came through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "qlorakit" in frame.filename and "fuzzing" not in frame.filename]
    last = (ours or frames)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}, {last.name}"


def way_to(error: BaseException) -> str:
    """The lines that a crash came through."""
    frames = traceback.extract_tb(error.__traceback__)
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-6:])


@contextlib.contextmanager
def _watched() -> Iterator[None]:
    """Count warnings, time and memory of what happens inside."""
    counter, before = _Counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    log = logging.getLogger()
    log.addHandler(counter)
    try:
        silent = contextlib.redirect_stderr(io.StringIO())
        with (
            warnings.catch_warnings(record=True) as caught,
            silent,
            contextlib.redirect_stdout(io.StringIO()),
            _alarm(),
        ):
            warnings.simplefilter("always")
            yield
    finally:
        log.removeHandler(counter)
    number = len(caught) + counter.seen
    check(number <= MOST_WARNINGS, f"{number} warnings for one input", *caught[:1], counter.first)
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    check(grown <= MOST_MEMORY, f"one input took {grown >> 20} MiB more than any before")


@contextlib.contextmanager
def _alarm() -> Iterator[None]:
    """Stop what takes too much processor time, which other programs on the machine do not count for."""

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        msg = f"more than {LONGEST:g} seconds of processor time for one input"
        raise ContractError(msg)

    previous = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)


class _Counter(logging.Handler):
    """Counts the warnings of the library's log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen = 0
        self.first = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Count one; its text must be there as well."""
        self.first = self.first or record.getMessage()
        self.seen += 1
