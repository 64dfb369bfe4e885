import time

import psutil
import pytest
import torch

from qlorakit.memory import INTERVAL, PeakMemory

CPU = torch.device("cpu")
LARGE = 200 * 2**20


def test_memory_that_was_held_in_between_is_seen():
    before = psutil.Process().memory_info().rss
    with PeakMemory(CPU) as memory:
        held = torch.ones(LARGE, dtype=torch.uint8)
        time.sleep(4 * INTERVAL)
        del held
    assert memory.peak_bytes >= before + LARGE * 0.9


def test_memory_at_the_ends_is_seen_however_short_the_block():
    with PeakMemory(CPU) as memory:
        pass
    assert memory.peak_bytes > 2**20


def test_the_watcher_ends_with_the_block_even_after_an_error():
    memory = PeakMemory(CPU)
    with pytest.raises(ValueError, match="broken"), memory:
        raise ValueError("broken")  # noqa: EM101
    assert not memory._watcher.is_alive()
