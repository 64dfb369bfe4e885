"""The most memory that something held, watched from outside while it runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Self

import torch

if TYPE_CHECKING:
    from types import TracebackType

INTERVAL = 0.05  # seconds


class PeakMemory:
    """Watches the memory of the GPU, or of this process where there is none, while a ``with`` block lasts.

    Attributes:
        peak_bytes: The most that was held; on a CPU the most that was seen, every twentieth of a second.
    """

    def __init__(self, device: torch.device) -> None:
        self.peak_bytes = 0
        self._device = device
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            self._look()
            self._watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._device.type == "cuda":
            self.peak_bytes = int(torch.cuda.max_memory_allocated(self._device))
            return
        self._look()
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._ended.wait(INTERVAL):
            self._look()

    def _look(self) -> None:
        import psutil

        self.peak_bytes = max(self.peak_bytes, int(psutil.Process().memory_info().rss))
