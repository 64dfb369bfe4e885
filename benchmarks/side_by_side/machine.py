"""What a measurement was made on."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import psutil

CPU_INFO = Path("/proc/cpuinfo")
TELLING_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_tile")
PACKAGES = ("qlorakit", "torch", "transformers", "peft", "bitsandbytes", "trl", "lm-eval")
GIB = 1 << 30


def describe(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Processor, memory, versions of packages and date, by what they are called."""
    info: dict[str, str] = {}
    for line in CPU_INFO.read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        info[name.strip()] = value.strip()
    flags = set(info["flags"].split()) & set(TELLING_FLAGS)
    versions = ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)
    return {
        "processor": f"{info['model name']}, {os.cpu_count()} cores, {', '.join(sorted(flags))}",
        "memory": f"{psutil.virtual_memory().total / GIB:.0f} GiB",
        "versions": f"Python {platform.python_version()}, {versions}",
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
    }
