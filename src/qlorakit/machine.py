"""What a result was computed on, as far as it has a say in the last bits; nothing that names a machine or its user."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

CPU_INFO = Path("/proc/cpuinfo")  # where Linux describes the processor


def machine_record(device: torch.device) -> dict[str, Any]:
    """What decides how sums are rounded: the processor, its instructions, the number of threads, the device.

    Args:
        device: Where the model is.
    """
    has = {"bfloat16": torch.cpu._is_avx512_bf16_supported(), "AMX": torch.cpu._is_amx_tile_supported()}
    instructions = [torch.backends.cpu.get_cpu_capability(), *(name for name, there in has.items() if there)]
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "instructions": ", ".join(instructions),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
    }


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with so many threads: another number of them adds in another order, which rounds otherwise.

    A number that this machine has no processors for is not set, and :func:`machine_record` tells that it differs.
    """
    before = torch.get_num_threads()
    if 1 <= count <= (os.cpu_count() or 1):
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _processor() -> str:
    """The model of the processor, as the system calls it."""
    if not CPU_INFO.is_file():
        return platform.processor()
    named = (line.partition(":") for line in CPU_INFO.read_text(encoding="utf-8").splitlines())
    return next((value.strip() for name, _, value in named if name.strip() == "model name"), "")
