"""What changes the last bits of a run: trains the small base in fresh processes and verifies it under other conditions.

    python benchmarks/rounding.py

Prints whether runs ended with the same weights, and by how much a verification differs from what was recorded.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import qlorakit as qk
from qlorakit.kinds import single_label
from qlorakit.records import file_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qlorakit.task import Row

WORDS = {"down": "fell", "flat": "was", "up": "rose"}
TASK = single_label("small/direction", summary="Which way?", instruction="the direction", labels=tuple(WORDS))
TYPES = ("float32", "bfloat16")
SURROUNDINGS = {
    "the same": {},
    "hashes, time zone, locale": {"PYTHONHASHSEED": "4711", "TZ": "Asia/Kathmandu", "LC_ALL": "C"},
    "2 workers": {"ROUNDING_WORKERS": "2"},
    "2 threads": {"OMP_NUM_THREADS": "2", "OMP_WAIT_POLICY": "passive"},  # on a busy machine they would wait and spin
    "AVX2 alone": {"ATEN_CPU_CAPABILITY": "avx2"},
}


def rows() -> list[Row]:
    """Twenty-four rows of three labels and of several lengths."""
    return [
        {"text": f"{'It was a quiet day. ' * (number % 5)}The price {WORDS[label]} {number} times.", "label": label}
        for number in range(8)
        for label in WORDS
    ]


def train(folder: Path, dtype: str) -> None:
    """One short run with dropout and an evaluation."""
    model, tokenizer = qk.load_quantized("qlorakit/tiny", compute_dtype=dtype)
    qk.train(
        qk.attach_lora(model, r=8, dropout=0.1), tokenizer, rows(), task=TASK, eval_dataset=rows(), output_dir=folder,
        learning_rate=2e-3, num_train_epochs=2, batch_size=8, progress=False,
        dataloader_num_workers=int(os.environ.get("ROUNDING_WORKERS", "0")),
    )  # fmt: skip


def verify(folder: Path, dtype: str) -> None:
    """Print what the checks that compute something say."""
    del dtype
    found = qk.verify(folder, task=TASK, eval_dataset=rows(), progress=False)
    told = {check.name: check.detail.partition(": ")[2] for check in found.checks}
    for name in ("answers", "evaluation"):
        print(f"    {name}: {told[name]}")


def elsewhere(verb: str, folder: Path, dtype: str, surroundings: dict[str, str]) -> str:
    """Train or verify in a process of its own; returns what it printed."""
    command = [sys.executable, __file__, verb, str(folder), dtype]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **surroundings}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def measure(parent: Path) -> Iterator[str]:
    """One line for each way of training and of verifying."""
    for dtype in TYPES:
        first: str | None = None
        for name, surroundings in SURROUNDINGS.items():
            folder = parent / f"{dtype} {name}"
            elsewhere("train", folder, dtype, surroundings)
            weights = file_hash(folder / "adapter" / "adapter_model.safetensors")
            first = first or weights
            yield f"trained in {dtype}, {name}: {'the same' if weights == first else 'other'} weights"
        for name in ("2 threads", "AVX2 alone"):
            said = elsewhere("verify", parent / f"{dtype} the same", dtype, SURROUNDINGS[name])
            yield f"verified in {dtype}, {name}:\n{said.rstrip()}"


def main() -> None:
    """Measure, or do the part of a child."""
    if sys.argv[1:]:
        verb, folder, dtype = sys.argv[1:]
        {"train": train, "verify": verify}[verb](Path(folder), dtype)
        return
    with tempfile.TemporaryDirectory() as parent:
        for line in measure(Path(parent)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
