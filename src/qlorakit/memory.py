"""How much memory there is, and the most that something held while it ran."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, Self

import torch

if TYPE_CHECKING:
    from types import TracebackType

INTERVAL = 0.05  # seconds
PROCESS, CONTROL_GROUPS = Path("/proc/self"), Path("/sys/fs/cgroup")
RESET_PEAK = "5"  # see proc_pid_clear_refs(5)
# Of each version of control groups: limit, use, and in memory.stat what the kernel takes back before it kills.
FILES = {
    2: ("memory.max", "memory.current", "inactive_file"),
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def held_bytes(device: torch.device) -> int:
    """What this process holds: of the GPU, or of the machine's memory."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    import psutil

    return int(psutil.Process().memory_info().rss)


def free_bytes(device: torch.device) -> int:
    """What this process may take besides what it holds.

    Of a GPU what no process has taken, and what this one has taken and not used; of the machine what can be had without
    swapping, but no more than the limits of the control groups (version 1 or 2) that the process runs in leave.
    """
    if device.type == "cuda":
        unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0] + unused)
    import psutil

    return min([int(psutil.virtual_memory().available), *_left_in_groups(PROCESS / "cgroup", CONTROL_GROUPS)])


def _left_in_groups(membership: Path, mounted: Path) -> Iterator[int]:
    """What each control group of this process, and each one around it, leaves.

    Inside a container the kernel may name a path that is not mounted there; then only what is around it is seen.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", maxsplit=2)
        if controllers and "memory" not in controllers.split(","):
            continue
        version, root = (1, mounted / "memory") if controllers else (2, mounted)
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(root):
                yield from _left_in(folder, *FILES[version])


def _left_in(folder: Path, limit: str, use: str, reclaimed: str) -> Iterator[int]:
    try:
        most, used = (folder / limit).read_text().strip(), int((folder / use).read_text())
        stat = dict(line.split(maxsplit=1) for line in (folder / "memory.stat").read_text().splitlines())
    except OSError:  # the controller is not there, or the group is not mounted
        return
    if most != "max":
        yield max(0, int(most) - used + int(stat.get(reclaimed, 0)))


def give_back_unused() -> None:
    """Let the C library return what was freed to the system: it keeps some of it, which looks as if it were held."""
    with suppress(OSError, AttributeError):  # another library, which knows no such thing
        ctypes.CDLL("libc.so.6").malloc_trim(0)


class PeakMemory:
    """Watches the memory of the GPU, or of this process where there is none, while a ``with`` block lasts.

    The driver of a GPU and the kernel of Linux keep the most that was held, exactly; it is begun anew for the block,
    and other blocks that last longer keep what they have seen.  Elsewhere the process is looked at every twentieth of
    a second.
    """

    def __init__(self, device: torch.device) -> None:
        self._source = _source(device)

    @property
    def peak_bytes(self) -> int:
        """The most that was held in the block, so far or until its end."""
        return self._source.so_far()

    def __enter__(self) -> Self:
        self._source.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.stop()


class _Source(Protocol):
    """Where the most that was held is known from."""

    def start(self) -> None:
        """Begin to watch."""

    def so_far(self) -> int:
        """The most that was held, in bytes; after the end, until then."""

    def stop(self) -> None:
        """Watch no longer."""


class _HighWaterMark:
    """One that is kept elsewhere for everybody: whoever begins it anew tells those who watch already."""

    _lock: ClassVar[threading.RLock] = threading.RLock()
    _watching: ClassVar[list[_HighWaterMark]] = []

    def __init__(self, place: str, read: Callable[[], int], reset: Callable[[], None]) -> None:
        self._place, self._read, self._reset = place, read, reset
        self._seen = 0

    def start(self) -> None:
        with self._lock:
            self._look()
            self._reset()
            self._watching.append(self)

    def so_far(self) -> int:
        with self._lock:
            self._look()
        return self._seen

    def stop(self) -> None:
        with self._lock:
            self._look()
            self._watching.remove(self)

    def _look(self) -> None:
        now = self._read()
        for mark in self._watching:
            if mark._place == self._place:
                mark._seen = max(mark._seen, now)


class _Sampler:
    """Looks at the process from time to time."""

    def __init__(self) -> None:
        self._seen = 0
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self._look()
        self._watcher.start()

    def so_far(self) -> int:
        if not self._ended.is_set():
            self._look()
        return self._seen

    def stop(self) -> None:
        self._look()
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._ended.wait(INTERVAL):
            self._look()

    def _look(self) -> None:
        self._seen = max(self._seen, held_bytes(torch.device("cpu")))


def _source(device: torch.device) -> _Source:
    if device.type == "cuda":
        return _HighWaterMark(
            str(device),
            lambda: int(torch.cuda.max_memory_allocated(device)),
            lambda: torch.cuda.reset_peak_memory_stats(device),
        )
    if os.access(PROCESS / "clear_refs", os.W_OK):
        return _HighWaterMark("process", _process_peak, _reset_process_peak)
    return _Sampler()


def _process_peak() -> int:
    for line in (PROCESS / "status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return held_bytes(torch.device("cpu"))


def _reset_process_peak() -> None:
    (PROCESS / "clear_refs").write_text(RESET_PEAK, encoding="utf-8")
