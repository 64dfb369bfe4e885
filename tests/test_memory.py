import time

import psutil
import pytest
import torch

from qlorakit import memory as memory_module
from qlorakit.memory import INTERVAL, PeakMemory

CPU = torch.device("cpu")
LARGE = 200 * 2**20


def watching():
    return PeakMemory(CPU)


def sampling():
    # As where the kernel keeps no mark that can be begun anew.
    memory = PeakMemory(CPU)
    memory._source = memory_module._Sampler()
    return memory


@pytest.mark.parametrize("watch", [watching, sampling])
def test_memory_that_was_held_in_between_is_seen(watch):
    before = psutil.Process().memory_info().rss
    with watch() as memory:
        held = torch.ones(LARGE, dtype=torch.uint8)
        time.sleep(4 * INTERVAL)
        del held
    assert memory.peak_bytes >= before + LARGE * 0.9


def test_memory_at_the_ends_is_seen_however_short_the_block():
    with PeakMemory(CPU) as memory:
        pass
    assert memory.peak_bytes > 2**20


@pytest.mark.parametrize("watch", [watching, sampling])
def test_the_watcher_ends_with_the_block_even_after_an_error(watch):
    memory = watch()
    with pytest.raises(ValueError, match="broken"), memory:
        raise ValueError("broken")  # noqa: EM101
    seen = memory.peak_bytes
    held = torch.ones(LARGE, dtype=torch.uint8)
    assert memory.peak_bytes == seen
    del held


def test_a_watch_within_another_begins_anew_and_the_outer_one_keeps_what_it_saw():
    with PeakMemory(CPU) as outer:
        held = torch.ones(LARGE, dtype=torch.uint8)
        del held
        with PeakMemory(CPU) as inner:
            pass
    assert outer.peak_bytes >= inner.peak_bytes + LARGE * 0.9


@pytest.mark.parametrize(
    ("line", "folder", "files"),
    [
        ("0::/job", "job", {"memory.max": "1000", "memory.current": "700", "memory.stat": "inactive_file 50"}),
        (
            "4:memory:/job",
            "memory/job",
            {
                "memory.limit_in_bytes": "1000",
                "memory.usage_in_bytes": "700",
                "memory.stat": "total_inactive_file 50",
            },
        ),
    ],
)
def test_the_limit_of_a_control_group_is_seen(tmp_path, line, folder, files):
    group = tmp_path / "mounted" / folder
    group.mkdir(parents=True)
    for name, content in files.items():
        (group / name).write_text(content)
    (tmp_path / "membership").write_text(f"{line}\n")
    assert list(memory_module._left_in_groups(tmp_path / "membership", tmp_path / "mounted")) == [350]


def test_a_group_without_a_limit_limits_nothing(tmp_path):
    (tmp_path / "membership").write_text("0::/\n")
    for name, content in {"memory.max": "max", "memory.current": "7", "memory.stat": "inactive_file 0"}.items():
        (tmp_path / name).write_text(content)
    assert list(memory_module._left_in_groups(tmp_path / "membership", tmp_path)) == []
