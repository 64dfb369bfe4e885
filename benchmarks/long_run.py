"""Train for many steps on a tiny model, and see whether memory and time per step stay as they are.

    python benchmarks/long_run.py --steps 20000
    python benchmarks/long_run.py --docs

One call of ``train``, with an evaluation and a checkpoint every 500 steps, in this process.  Every 100 steps it looks
at the memory that the process holds, at the tensors and other objects that are alive, and at the time steps took.
Figures go to ``benchmarks/results/long_run.json``, the curve to ``docs/long_run.svg``, a summary to
``docs/reliability.md``; ``--docs`` writes these two from the figures that are there.
"""

from __future__ import annotations

import argparse
import gc
import json
import shlex
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import qlorakit.bitsandbytes_offline  # before transformers

import numpy as np
import psutil
import torch
from generated import RELIABILITY, put_block
from side_by_side.machine import describe
from small_runs import direction_task, make_rows, write_base
from torch.optim.optimizer import register_optimizer_step_post_hook

import qlorakit as qk
from qlorakit.records import PACKAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from matplotlib.axes import Axes

RESULTS = Path(__file__).parent / "results"
PLOT = RELIABILITY.with_name("long_run.svg")
BLOCK = "long run"
MIB = 1 << 20
EVERY = 100  # steps between two looks
EVALUATED_EVERY = 500  # steps
ROWS, EVALUATED = 600, 60


@dataclass(frozen=True)
class Sample:
    """What a look at the process saw.

    Attributes:
        step: Optimizer steps taken so far.
        mib: Resident memory.
        tensors: Alive.
        objects: Alive, as the garbage collector counts them.
        cpu_ms: Processor time of a step: the median since the look before.
        fixed_ms: Processor time of work that is always the same, at this moment: what the machine is worth just now.
        seconds: Since the first step.
    """

    step: int
    mib: float
    tensors: int
    objects: int
    cpu_ms: float
    fixed_ms: float
    seconds: float

    @property
    def relative(self) -> float:
        """Time of a step as a multiple of the fixed work, which other processes on the machine slow down as well."""
        return self.cpu_ms / self.fixed_ms


@dataclass
class Watcher:
    """Looks at this process after optimizer steps.

    Attributes:
        steps: How many there will be.
        samples: One for each look.
    """

    steps: int
    samples: list[Sample] = field(default_factory=list)
    _step: int = 0
    _began: float = 0.0
    _moment: float = 0.0
    _times: list[float] = field(default_factory=list)

    def after_step(self, *_: object) -> None:
        """To be called by torch's optimizers; an evaluation between two steps is in neither median."""
        now = time.process_time()
        self._began = self._began or time.monotonic()
        if self._step:
            self._times.append(1000 * (now - self._moment))
        self._step += 1
        if self._step % EVERY == 0:
            self._look()
        self._moment = time.process_time()

    def _look(self) -> None:
        gc.collect()  # what is garbage is no growth
        alive = gc.get_objects()
        tensors = sum(issubclass(type(item), torch.Tensor) for item in alive)
        mib = psutil.Process().memory_info().rss / MIB
        seconds = time.monotonic() - self._began
        step_ms, fixed_ms = median(self._times), median(fixed_work() for _ in range(5))
        self.samples.append(Sample(self._step, mib, tensors, len(alive), step_ms, fixed_ms, seconds))
        self._times.clear()
        if self._step % 1000 == 0:
            sys.stderr.write(f"step {self._step} of {self.steps}: {mib:.1f} MiB, {seconds:.0f} s\n")


def fixed_work() -> float:
    """Do work that is always the same, small products of matrices; returns its processor time in milliseconds."""
    began = time.process_time()
    item = torch.full((64, 64), 1 / 64)
    for _ in range(500):
        item = torch.tanh(item @ item)
    return 1000 * (time.process_time() - began)


def size_of(history: Iterable[Mapping[str, float]]) -> int:
    """Bytes that a history takes; its keys are held once."""
    return sum(sys.getsizeof(record) + sum(map(sys.getsizeof, record.values())) for record in history)


def train(steps: int) -> tuple[list[Sample], int]:
    """Train for so many steps, and watch; returns what was seen, and the bytes of the history of losses."""
    watcher = Watcher(steps)
    handle = register_optimizer_step_post_hook(watcher.after_step)
    try:
        with tempfile.TemporaryDirectory(prefix="qlorakit-long-") as folder:
            base = write_base(Path(folder) / "base")
            model, tokenizer = qk.load_quantized(base, compute_dtype="float32")
            model = qk.attach_lora(model, r=8, dropout=0.1)
            result = qk.train(
                model, tokenizer, make_rows(ROWS), task=direction_task(), output_dir=Path(folder) / "run",
                eval_dataset=make_rows(EVALUATED, seed=1), batch_size=4, max_steps=steps, eval_strategy="steps",
                eval_steps=EVALUATED_EVERY, progress=False,
            )  # fmt: skip
    finally:
        handle.remove()
    return watcher.samples, size_of(result.history)


def slope(samples: Sequence[Sample], value: Callable[[Sample], float]) -> float:
    """How fast a value grows over the second half: least squares, for each 1,000 steps."""
    late = samples[len(samples) // 2 :]
    steps = np.array([sample.step for sample in late]) / 1000
    return float(np.polyfit(steps, np.array([value(sample) for sample in late]), 1)[0])


def summary(samples: Sequence[Sample], history: int) -> dict[str, float]:
    """What the page tells."""
    tenth = len(samples) // 10
    early, late = samples[tenth : 2 * tenth], samples[-tenth:]
    return {
        "steps": samples[-1].step,
        "mib_at_10_percent": samples[tenth - 1].mib,
        "mib_at_end": samples[-1].mib,
        "most_mib": max(sample.mib for sample in samples),
        "mib_per_1000_steps": slope(samples, lambda sample: sample.mib),
        "history_kib_per_1000_steps": history / 1024 / (samples[-1].step / 1000),
        "tensors_at_10_percent": samples[tenth - 1].tensors,
        "tensors_at_end": samples[-1].tensors,
        "objects_per_1000_steps": slope(samples, lambda sample: float(sample.objects)),
        "cpu_ms_early": median(sample.cpu_ms for sample in early),
        "cpu_ms_late": median(sample.cpu_ms for sample in late),
        "relative_early": median(sample.relative for sample in early),
        "relative_late": median(sample.relative for sample in late),
        "steps_per_second": (samples[-1].step - samples[0].step) / (samples[-1].seconds - samples[0].seconds),
    }


def told(found: dict[str, Any]) -> str:
    """The part of the page."""
    numbers = found["summary"]
    return "\n".join(
        (
            f"`{found['command']}`, {found['date']}, {found['processor']}:",
            "",
            f"| over {numbers['steps']:,.0f} steps | |",
            "|---|---|",
            f"| memory after a tenth of the steps | {numbers['mib_at_10_percent']:.1f} MiB |",
            f"| memory at the end | {numbers['mib_at_end']:.1f} MiB |",
            f"| growth over the second half, per 1,000 steps | {1024 * numbers['mib_per_1000_steps']:.1f} KiB |",
            f"| size of the history of losses, per 1,000 steps | {numbers['history_kib_per_1000_steps']:.1f} KiB |",
            f"| tensors alive after a tenth of the steps | {numbers['tensors_at_10_percent']:,.0f} |",
            f"| tensors alive at the end | {numbers['tensors_at_end']:,.0f} |",
            f"| growth of objects over the second half, per 1,000 steps | {numbers['objects_per_1000_steps']:,.0f} |",
            f"| processor time of a step in the second tenth | {numbers['cpu_ms_early']:.1f} ms |",
            f"| processor time of a step in the last tenth | {numbers['cpu_ms_late']:.1f} ms |",
            f"| the same as a multiple of fixed work, second tenth | {numbers['relative_early']:.2f} |",
            f"| the same as a multiple of fixed work, last tenth | {numbers['relative_late']:.2f} |",
            f"| steps per second, evaluations and checkpoints included | {numbers['steps_per_second']:.1f} |",
        )
    )


def draw(samples: Sequence[Sample], path: Path) -> None:
    """Draw memory and time over the steps; the same samples give the same file."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.rcParams.update({"svg.hashsalt": "qlorakit", "font.size": 9, "figure.facecolor": "white"})
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 5), sharex=True, layout="constrained")
    steps = [sample.step for sample in samples]
    _curve(above, steps, [sample.mib for sample in samples], "resident memory (MiB)")
    _curve(below, steps, [sample.relative for sample in samples], "time of a step (fixed work = 1)")
    below.set_xlabel("optimizer steps")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {})
    plt.close(figure)


def _curve(axes: Axes, steps: Sequence[int], values: Sequence[float], label: str) -> None:
    axes.plot(steps, values, color="#0072b2", linewidth=1.2)
    axes.set_ylim(0, 1.15 * max(values))
    axes.set_ylabel(label)
    axes.grid(visible=True, linewidth=0.4, color="#cccccc")
    axes.spines[["top", "right"]].set_visible(False)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000, help="optimizer steps, 2,000 at least (default 20,000)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for long_run.json")
    parser.add_argument("--docs", action="store_true", help="only write curve and summary, from figures that are there")
    parser.add_argument("--no-docs", action="store_true", help="only write the figures")
    arguments = parser.parse_args()
    if arguments.steps < 20 * EVERY:
        parser.error(f"--steps {arguments.steps}: at least {20 * EVERY}, for {20} looks")
    return arguments


def main() -> None:
    """Train, watch, write."""
    arguments = parse_arguments()
    written = arguments.output / "long_run.json"
    if not arguments.docs:
        torch.set_num_threads(1)
        found: dict[str, Any] = {
            "command": shlex.join(["python", "benchmarks/long_run.py", *sys.argv[1:]]),
            **describe(PACKAGES),
        }
        samples, history = train(arguments.steps)
        found |= {"summary": summary(samples, history), "samples": [asdict(sample) for sample in samples]}
        arguments.output.mkdir(parents=True, exist_ok=True)
        written.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    found = json.loads(written.read_text(encoding="utf-8"))
    print(told(found))
    if not arguments.no_docs:
        draw([Sample(**sample) for sample in found["samples"]], PLOT)
        put_block(RELIABILITY, BLOCK, told(found))


if __name__ == "__main__":
    main()
