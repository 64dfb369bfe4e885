"""Time, memory and tokens of a run, taken in the same way from every system.

A training step ends when the optimizer's step does and the device has finished; torch has a hook for that.  Tokens are
counted where they enter the model: at its embedding.
"""

from __future__ import annotations

import resource
import time
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transformers import PreTrainedModel

KIB = 1024


class Clock:
    """What a run took, step by step."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._moments: list[float] = []
        self._tokens: list[int] = []
        self._entered = 0

    @contextmanager
    def watching(self, model: PreTrainedModel) -> Iterator[None]:
        """Count from here on; the model has been loaded."""
        hooks = (
            model.get_input_embeddings().register_forward_pre_hook(self._count),
            register_optimizer_step_post_hook(lambda *_: self.step()),
        )
        if self.device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        self.step()
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def step(self) -> None:
        """Note that a step has ended."""
        if self.device == "cuda":
            torch.cuda.synchronize()
        self._moments.append(time.perf_counter())
        self._tokens.append(self._entered)

    def seconds(self) -> list[float]:
        """Of each step."""
        return [after - before for before, after in pairwise(self._moments)]

    def tokens(self) -> list[int]:
        """That entered the model in each step."""
        return [after - before for before, after in pairwise(self._tokens)]

    def peak_bytes(self) -> int:
        """Most memory of tensors on the GPU since the model was loaded; on a CPU, of the whole process ever."""
        if self.device == "cuda":
            return torch.cuda.max_memory_allocated()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB

    def _count(self, _: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if inputs:
            self._entered += inputs[0].numel()
