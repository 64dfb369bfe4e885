"""Which systems are compared, and what each needs."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Literal

CORE = ("torch", "transformers", "bitsandbytes", "peft")
Library = Literal["qlorakit", "trl", "unsloth", "lm-eval"]


@dataclass(frozen=True)
class System:
    """One line of the results.

    Attributes:
        name: As it is asked for on the command line.
        summary: One line for tables.
        library: What does the work.
        scores: Whether it can score.
        trains: Whether it can train.
        backend: Of qlorakit's trees; padded rows where there is none.
        checkpointing: Whether a peer computes activations again in the backward pass, as by default it does; without,
            it gets micro-batches of as many tokens as qlorakit.
        needs: Packages beyond the core's.
    """

    name: str
    summary: str
    library: Library
    scores: bool = False
    trains: bool = True
    backend: Literal["sdpa", "flex"] | None = None
    checkpointing: bool = True
    needs: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        """Whether it is qlorakit."""
        return self.library == "qlorakit"

    @property
    def liger(self) -> bool:
        """Whether Liger's kernels are asked for."""
        return "liger_kernel" in self.needs

    def missing(self) -> list[str]:
        """Packages that are not there."""
        return [name for name in (*CORE, *self.needs) if importlib.util.find_spec(name) is None]


TRL = ("trl", "datasets")
SYSTEMS = (
    System("qlorakit-sdpa", "prefix trees, dense mask (sdpa)", "qlorakit", scores=True, backend="sdpa"),
    System("qlorakit-flex", "prefix trees, FlexAttention", "qlorakit", scores=True, backend="flex"),
    System("qlorakit-padded", "qlorakit without prefix sharing", "qlorakit", scores=True),
    System("trl", "SFTTrainer, its defaults: gradient checkpointing, one batch", "trl", needs=TRL),
    System(
        "trl-no-checkpointing",
        "SFTTrainer, no gradient checkpointing, micro-batches",
        "trl",
        checkpointing=False,
        needs=TRL,
    ),
    System("trl-liger", "SFTTrainer, use_liger_kernel=True", "trl", needs=(*TRL, "liger_kernel")),
    System(
        "trl-liger-no-checkpointing",
        "SFTTrainer, use_liger_kernel=True, no gradient checkpointing, micro-batches",
        "trl",
        checkpointing=False,
        needs=(*TRL, "liger_kernel"),
    ),
    System("unsloth", "Unsloth with SFTTrainer, its defaults", "unsloth", needs=(*TRL, "unsloth")),
    System(
        "lm-eval",
        "HFLM, logits cache on, 64 sequences at once",
        "lm-eval",
        scores=True,
        trains=False,
        needs=("lm_eval", "datasets"),
    ),
)
BY_NAME = {system.name: system for system in SYSTEMS}


def systems_for(*, scoring: bool) -> tuple[System, ...]:
    """The systems that can do it."""
    return tuple(system for system in SYSTEMS if (system.scores if scoring else system.trains))
