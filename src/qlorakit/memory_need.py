"""What a training run needs of memory, as far as that was foreseen, and what would need less."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qlorakit.report_tables import amount_of_bytes

if TYPE_CHECKING:
    from qlorakit.memory import PeakMemory

OF_SECOND_DEGREE = 3  # points that decide such a curve


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes of memory that a run was foreseen to need, and that there were.

    On a GPU they are of the GPU, and of this process alone; on a CPU of everything that the process holds.

    Attributes:
        weights: Of the frozen base.
        adapter: What is trained, and its gradients.
        optimizer: What it keeps between steps.
        activations: The most that a micro-batch, or a batch of an evaluation, needs besides.
        kernels: What the processor's library of matrix products keeps in half precision, for every size it has met.
        rest: What was held besides when the run began: libraries, rows and their tokens.
        available: What may be held in all: what was held, and what was free.
        token_budget: Most tokens of a micro-batch, as it was when the run began.
        tokens: Of the micro-batch that was computed.
    """

    weights: int
    adapter: int
    optimizer: int
    activations: int
    kernels: int
    rest: int
    available: int
    token_budget: int
    tokens: int

    @property
    def peak(self) -> int:
        """The most that is foreseen to be held."""
        return self.fixed + self.activations

    @property
    def fixed(self) -> int:
        """What is held between steps."""
        return self.weights + self.adapter + self.optimizer + self.kernels + self.rest

    @property
    def fits(self) -> bool:
        """Whether there is so much."""
        return self.peak <= self.available

    def table(self) -> str:
        """The parts, one a line."""
        parts = {
            "weights": self.weights,
            "adapter and its gradients": self.adapter,
            "optimizer": self.optimizer,
            f"activations of {self.tokens:,} tokens": self.activations,
            "compiled matrix products": self.kernels,
            "rest of the process": self.rest,
            "sum": self.peak,
            "there is": self.available,
        }
        width = max(map(len, parts))
        return "\n".join(f"  {name:<{width}}  {amount_of_bytes(amount):>9}" for name, amount in parts.items() if amount)


@dataclass(frozen=True)
class RunMemory:
    """What a run was foreseen to need, and the watch that sees what it takes.

    Attributes:
        need: ``None`` where nothing was foreseen.
        watch: Begun with the run.
    """

    need: MemoryNeed | None
    watch: PeakMemory

    @property
    def foreseen(self) -> int | None:
        """The most that the run should hold, in bytes."""
        return self.need.peak if self.need else None

    def record(self) -> dict[str, int]:
        """For a run's record, in bytes: what was foreseen, and the most that was held so far."""
        foreseen = {**vars(self.need), "predicted_peak": self.need.peak} if self.need else {}
        return {**foreseen, "measured_peak": self.watch.peak_bytes}


@dataclass(frozen=True)
class Measured:
    """What batches of several sizes needed.

    Attributes:
        tokens: Of the whole batch.
        rough: Bytes that it needs, by a bound; where nothing could be measured.
        points: Tokens, and the bytes needed besides what was held before, in ascending order; the whole batch need not
            be among them.
        kept: Bytes that are held besides while it is computed.
    """

    tokens: int
    rough: int
    points: tuple[tuple[int, int], ...] = ()
    kept: int = 0

    def at(self, tokens: int) -> int:
        """Bytes for so many tokens: as measured, or on the curve of second degree through the last points."""
        points = self.points or ((self.tokens, self.rough),)
        known = dict(points)
        if tokens in known:
            return self.kept + known[tokens]
        last = points[-OF_SECOND_DEGREE:]
        if len(last) == 1:
            return self.kept + last[0][1] * tokens // last[0][0]
        places = [place for place, _ in last]
        return self.kept + max(0, round(sum(need * _lagrange(tokens, place, places) for place, need in last)))

    @property
    def whole(self) -> int:
        """Bytes for the whole batch."""
        return self.at(self.tokens)


def _lagrange(x: float, at: float, places: Sequence[float]) -> float:
    """The polynomial that is 1 at one of the places and 0 at the others."""
    return math.prod((x - other) / (at - other) for other in places if other != at)


def what_would_fit(
    need: MemoryNeed, batches: Sequence[Measured], largest: int, *, recomputing: bool, compared: bool
) -> str:
    """The setting with which a run would fit that does not.

    Args:
        need: Of the run.
        batches: What was measured: of training and of evaluations.
        largest: Tokens of the largest question, which no budget divides.
        recomputing: Whether activations are computed again in the backward pass.
        compared: Whether questions are learned with wrong choices.
    """
    budget = 1 << (min(need.token_budget, max(one.tokens for one in batches)).bit_length() - 1)
    while budget >= largest:
        if budget < need.token_budget and need.fixed + max(one.at(budget) for one in batches) <= need.available:
            return f"token_budget={budget} would fit, and changes nothing but rounding"
        budget //= 2
    if need.fixed > need.available:
        return (
            "No token_budget= would fit: take a smaller model, quantization='nf4', a smaller rank r= of the adapter, "
            "or optim='adamw_bnb_8bit'"
        )
    ways = [
        *(["activation_checkpointing=True"] if not recomputing else []),
        *(["negatives=, which bounds how many choices a question is computed with,"] if compared else []),
        "max_length=, which cuts prompts where the task allows it,",
    ]
    return (
        f"No token_budget= would fit, since a single question has up to {largest:,} tokens: try {' or '.join(ways)} "
        f"with token_budget={1 << max(0, (largest - 1).bit_length() - 1)}"
    )
