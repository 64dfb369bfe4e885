"""One optimizer step: forward and backward over its rows, as a whole or not at all, and only with finite numbers.

Micro-batches never synchronise processes by themselves: one that runs out of memory in the middle would leave the
others waiting.  All of them compute, tell each other how it went, and only then average the gradients or begin again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from qlorakit.errors import MemoryShortageError, TrainingError, first_few
from qlorakit.memory import give_back_unused, held_bytes

if TYPE_CHECKING:
    from accelerate import Accelerator  # type: ignore[import-untyped]

    from qlorakit.layout import Layout
    from qlorakit.objectives import Lessons

TOLERATED = 1.05  # times what was foreseen
# How computing went, the worse the greater: processes agree on the worst.
WELL, TOO_LARGE, INDIVISIBLE = 0, 1, 2


@dataclass(frozen=True)
class Step:
    """What computes optimizer steps.

    Attributes:
        model: As the trainer wrapped it.
        accelerator: Scales losses and keeps processes from synchronising.
        autocast: What forward passes run in.
        device: Of the losses.
        processes: How many compute together.
        foreseen: The most memory that the run is foreseen to hold, in bytes; ``None`` where nothing was foreseen.
    """

    model: torch.nn.Module
    accelerator: Accelerator
    autocast: Callable[[], AbstractContextManager[object]]
    device: torch.device
    processes: int
    foreseen: int | None = None

    def compute(self, lessons: Lessons, share: float, layout: Layout) -> tuple[torch.Tensor, Layout]:
        """Loss of a step, its gradients in the parameters, averaged over processes.

        Where memory runs out, everything that was computed is dropped, and the whole step is computed again at half of
        the budget, with the random numbers that it began with.  A part of the gradients may have been added up when
        memory ran out, so that nothing less than the whole can be repeated.

        Args:
            lessons: Of this process.
            share: What their loss is multiplied by.
            layout: How they are cut.

        Returns:
            The loss, [], and the layout it was computed in, which the steps that follow need as well.

        Raises:
            MemoryShortageError: Not even the largest question alone fits.
        """
        began = RandomState.now(self.device)
        while True:
            loss, how = self._accumulate(lessons, share, layout)
            worst, broken = agreed([how, not math.isfinite(loss) if self.processes > 1 else 0], self.device)
            if worst == WELL:
                average_gradients(self.parameters, self.processes)
                return loss if not broken else loss + math.nan, layout
            self.model.zero_grad(set_to_none=True)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            if worst == INDIVISIBLE or layout.token_budget == 1:
                raise out_of_memory(layout.token_budget)
            layout = replace(layout, token_budget=layout.token_budget // 2)
            began.restore()

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        """What is trained, in the same order in all processes."""
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    def _keep_within(self) -> None:
        """Return freed memory where more is held than was foreseen.

        What the C library keeps of one micro-batch does not always serve the next, of other sizes, and piles up.  To
        return it each time would cost a tenth of the time.
        """
        if self.device.type == "cpu" and self.foreseen and held_bytes(self.device) > TOLERATED * self.foreseen:
            give_back_unused()

    def _accumulate(self, lessons: Lessons, share: float, layout: Layout) -> tuple[torch.Tensor, int]:
        """Forward and backward over all micro-batches, and how it went."""
        total = torch.zeros((), device=self.device)
        with layout.engaged(self.model), self.accelerator.no_sync(self.model):
            for batch in layout.batches(lessons.sequences, lessons.rows, lessons.units):
                try:
                    with self.autocast():
                        loss = lessons.loss(batch, batch.logprobs(self.model)) * share
                    if not loss.requires_grad:
                        raise TrainingError(NOTHING_TRAINED)
                    self.accelerator.backward(loss)
                except torch.OutOfMemoryError:
                    units = {lessons.units[item] for item in batch.items}
                    return total, TOO_LARGE if len(units) > 1 else INDIVISIBLE
                total += loss.detach()
                self._keep_within()
        return total, WELL


NOTHING_TRAINED = (
    "nothing that is trained has a part in the loss: the adapter is switched off or merged (disable_adapter, "
    "disable_adapter_layers, merge_adapter), it stands beside layers that compute nothing here, or gradients are "
    "switched off (torch.no_grad); attach a new adapter with attach_lora"
)


def out_of_memory(token_budget: int) -> MemoryShortageError:
    """What to say where a single question takes too much."""
    return MemoryShortageError(
        f"the GPU ran out of memory at token_budget={token_budget}, on a single question with its choices; lower "
        "max_length= or negatives=, say activation_checkpointing=True, or take a larger GPU"
    )


@dataclass(frozen=True)
class RandomState:
    """Where the random numbers of this process, and of its GPU, stand."""

    device: torch.device
    host: torch.Tensor
    gpu: torch.Tensor | None

    @classmethod
    def now(cls, device: torch.device) -> RandomState:
        """As they stand."""
        gpu = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
        return cls(device, torch.get_rng_state(), gpu)

    def restore(self) -> None:
        """Go back to it."""
        torch.set_rng_state(self.host)
        if self.gpu is not None:
            torch.cuda.set_rng_state(self.gpu, self.device)


@contextmanager
def random_numbers_kept(device: torch.device) -> Iterator[None]:
    """Leave the random numbers as if nothing had drawn any."""
    state = RandomState.now(device)
    try:
        yield
    finally:
        state.restore()


def agreed(numbers: Sequence[float], device: torch.device) -> list[float]:
    """The greatest of each number among all processes."""
    if not torch.distributed.is_initialized():
        return list(map(float, numbers))
    together = torch.tensor(list(map(float, numbers)), device=device)
    torch.distributed.all_reduce(together, torch.distributed.ReduceOp.MAX)
    found: list[float] = together.tolist()
    return found


def average_gradients(parameters: Sequence[torch.nn.Parameter], processes: int) -> None:
    """Average over processes; one that has no gradient where another has one counts as zero."""
    if processes == 1 or not parameters:
        return
    device = parameters[0].device
    held = agreed([parameter.grad is not None for parameter in parameters], device)
    members = [parameter for parameter, one in zip(parameters, held, strict=True) if one]
    for kind in dict.fromkeys(parameter.dtype for parameter in members):
        alike = [parameter for parameter in members if parameter.dtype == kind]
        flat = torch.cat([_gradient(parameter).flatten() for parameter in alike])
        torch.distributed.all_reduce(flat)
        flat /= processes
        for parameter, part in zip(alike, flat.split([parameter.numel() for parameter in alike]), strict=True):
            parameter.grad = part.view_as(parameter).clone()


def _gradient(parameter: torch.nn.Parameter) -> torch.Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def gradient_norm(parameters: Sequence[torch.nn.Parameter]) -> torch.Tensor:
    """Root of the sum of all squared gradients, []; zero where there are none."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm: torch.Tensor = torch.nn.utils.get_total_norm(gradients) if gradients else torch.zeros(())
    return norm


@dataclass(frozen=True)
class Alone:
    """What one row gives by itself.

    Attributes:
        loss: Sum of its weighted losses.
        norm: Of its gradient; 0 where that was not asked for.
    """

    loss: float
    norm: float

    @property
    def finite(self) -> bool:
        """Whether both are."""
        return math.isfinite(self.loss) and math.isfinite(self.norm)


def alone(step: Step, lessons: Sequence[Lessons], layout: Layout, *, gradients: bool) -> list[Alone]:
    """Compute rows one by one, leaving neither gradients behind nor random numbers drawn.

    Args:
        step: Whose gradients, if there are any, are dropped.
        lessons: Of each row.
        layout: How they are cut.
        gradients: Whether backward as well.
    """
    found = []
    with random_numbers_kept(step.device), layout.engaged(step.model), step.accelerator.no_sync(step.model):
        for of_row in lessons:
            step.model.zero_grad(set_to_none=True)
            loss = 0.0
            for batch in layout.batches(of_row.sequences, of_row.rows, of_row.units):
                with torch.set_grad_enabled(gradients), step.autocast():
                    part = of_row.loss(batch, batch.logprobs(step.model))
                if gradients:
                    part.backward()
                loss += float(part.detach())
            found.append(Alone(loss, float(gradient_norm(step.parameters))))
    step.model.zero_grad(set_to_none=True)
    return found


def numbers_in_words(places: Sequence[int]) -> str:
    """Rows by their numbers, from 1: never by what they say."""
    numbers = [str(place + 1) for place in sorted(set(places))]
    return f"row{'s' if len(numbers) > 1 else ''} {first_few(numbers)} of train_dataset"
