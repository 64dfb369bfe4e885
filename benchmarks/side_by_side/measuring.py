"""Time, memory and tokens of a run, taken in the same way from every system.

A training step ends when the optimizer's step does, whoever calls it; torch has a hook for that.  Tokens are counted
where they enter the model: at its embedding.  Memory is what the whole process held at most since the model was loaded.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from torch.optim.optimizer import register_optimizer_step_post_hook

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # see proc(5)
KIB = 1024


class Meter:
    """What a run took, step by step.

    Attributes:
        moments: When watching began and each step ended, in seconds.
        cpu_moments: Processor time of the process by then, in seconds.
        tokens: That had entered the model by then.
        loaded_bytes: Memory the process held when watching began: libraries and model.
        peak_bytes: Most memory the process held until the last step ended.
    """

    def __init__(self) -> None:
        self.moments: list[float] = []
        self.cpu_moments: list[float] = []
        self.tokens: list[int] = []
        self.loaded_bytes = 0
        self.peak_bytes = 0
        self._entered = 0

    @contextmanager
    def watching(self, model: PreTrainedModel) -> Iterator[None]:
        """Count from here on; the model has been loaded."""
        gc.collect()
        CLEAR.write_text(RESET_PEAK)
        self.loaded_bytes = peak_bytes()
        hooks = (
            model.get_input_embeddings().register_forward_pre_hook(self._count),
            register_optimizer_step_post_hook(lambda *_: self.step()),
        )
        self.step()
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def step(self) -> None:
        """Note that a step has ended."""
        self.moments.append(time.perf_counter())
        self.cpu_moments.append(time.process_time())
        self.tokens.append(self._entered)
        # A run of this library begins the kernel's mark anew, which then holds less than loading took.
        self.peak_bytes = max(self.loaded_bytes, peak_bytes())

    def _count(self, _: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        self._entered += inputs[0].numel()


def peak_bytes() -> int:
    """Most resident memory of this process since it was last reset."""
    lines = STATUS.read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * KIB
