"""Measure what comes before and between training steps: reading, auditing, splitting, encoding, building trees.

    python benchmarks/pipeline.py                    # a million rows: seconds and peak memory of each step
    python benchmarks/pipeline.py --rows 20000       # fewer
    python benchmarks/pipeline.py --shares           # how much of a training step tokens and trees take

The rows are made up, the model is the embedded one.  Memory is what the process holds above what its imports hold.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psutil
import torch

import qlorakit as qk
from qlorakit import encoding, layout, trainer
from qlorakit.kinds import single_label

LABELS = ("negative", "neutral", "positive")
TASK = single_label(
    "benchmark/rows",
    summary="made up",
    instruction="Decide whether it is positive, neutral or negative.",
    labels=LABELS,
)
MEBIBYTE = 1 << 20
T = TypeVar("T")


def write_rows(path: Path, count: int) -> None:
    """Write a csv file of 8 to 30 made-up words a row."""
    draw = random.Random(0)  # noqa: S311  # nothing secret
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(20_000)]
    with path.open("w", encoding="utf-8") as file:
        file.write("id,text,label,branch\n")
        for number in range(count):
            text = " ".join(draw.choices(words, k=draw.randint(8, 30)))
            file.write(f"{number},{text},{draw.choice(LABELS)},{draw.choice('NESW')}\n")


class Watch:
    """Times steps and watches the memory of this process."""

    def __init__(self) -> None:
        self.process = psutil.Process()
        self.base = self.process.memory_info().rss
        self.peak = 0
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            self.peak = max(self.peak, self.process.memory_info().rss)
            time.sleep(0.02)

    def step(self, name: str, do: Callable[[], T]) -> T:
        """Do something, and print how long it took and how much memory the process held at most."""
        self.peak, began = 0, time.perf_counter()
        result = do()
        seconds = time.perf_counter() - began
        print(f"| {name} | {seconds:.1f} | {(self.peak - self.base) / MEBIBYTE:.0f} |", flush=True)
        return result


def train(rows: Any, steps: int, folder: Path) -> None:  # noqa: ANN401  # datasets is not typed
    """Load the embedded model and take a few steps."""
    model, tokenizer = qk.load_quantized("qlorakit/tiny")
    model = qk.attach_lora(model, seed=0)
    qk.train(model, tokenizer, rows, task=TASK, output_dir=folder, max_steps=steps, progress=False)


def measure_rows(count: int, folder: Path) -> None:
    """Read, audit, split and start training."""
    import charset_normalizer  # noqa: F401  # what is imported is not what is measured
    import datasets  # noqa: F401
    import datasketch  # noqa: F401
    import scipy.sparse.csgraph  # noqa: F401

    import qlorakit.data_audit
    import qlorakit.training  # noqa: F401

    path = folder / "rows.csv"
    write_rows(path, count)
    print(f"{count:,} rows, {path.stat().st_size / MEBIBYTE:.0f} MiB\n")
    print("| step | seconds | peak memory above the imports, MiB |\n|---|---|---|")
    watch = Watch()
    rows = watch.step("read and check", lambda: qk.read_rows(path, task=TASK))
    watch.step("audit, quick part", lambda: qk.audit(rows, TASK, quick=True))
    data = watch.step("split, near-duplicates together", lambda: qk.split(rows, task=TASK, seed=0))
    watch.step("load, check, encode and train 3 steps", lambda: train(data["train"], 3, folder / "run"))


@contextmanager
def timed(owner: Any, name: str, spent: dict[str, float]) -> Iterator[None]:  # noqa: ANN401  # any class
    """Add up what calls of a method take."""
    original = getattr(owner, name)

    def measured(*arguments: Any, **settings: Any) -> Any:  # noqa: ANN401  # as the original
        began = time.perf_counter()
        try:
            return original(*arguments, **settings)
        finally:
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - began

    setattr(owner, name, measured)
    try:
        yield
    finally:
        setattr(owner, name, original)


def measure_shares(folder: Path, steps: int = 40) -> None:
    """Train with tokens made anew for each step, and print which share of the time they and the trees take."""
    path = folder / "rows.csv"
    write_rows(path, 1000)
    rows = qk.read_rows(path, task=TASK)
    encoding.KEPT_TOKENS = 0
    spent: dict[str, float] = {}
    with (
        timed(trainer.TaskTrainer, "training_step", spent),
        timed(trainer.TaskTrainer, "_lessons", spent),
        timed(layout.Layout, "batches", spent),
        timed(encoding.EncodedRows, "__getitem__", spent),
    ):
        train(rows, steps, folder / "run")
    whole = spent["training_step"] + spent["__getitem__"]
    print(f"{steps} steps of 16 rows, {whole / steps:.2f} s each\n\n| part | share of a step |\n|---|---|")
    for name, part in (
        ("tokens", "__getitem__"),
        ("trees", "batches"),
        ("what is learned from which token", "_lessons"),
    ):
        print(f"| {name} | {spent[part] / whole:.1%} |")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many are made up (default 1,000,000)")
    parser.add_argument("--shares", action="store_true", help="measure the parts of a training step instead")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        measure_shares(Path(folder)) if arguments.shares else measure_rows(arguments.rows, Path(folder))


if __name__ == "__main__":
    main()
