"""Which systems are compared, and how each is set.

A peer stands here with its defaults, and with the settings that were found to make it fastest on these workloads; what
was tried stands in the README one folder up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from side_by_side.workloads import Workload


@dataclass(frozen=True)
class PeerTraining:
    """How a peer trains.

    Attributes:
        trl: With TRL's ``SFTTrainer``; otherwise with transformers' ``Trainer``.
        arguments: For its configuration, beyond what all peers get.
        tokens_at_once: Most tokens of a micro-batch; all of a step's at once unless given.
        packed: Whether TRL packs sequences, into packs of at most ``tokens_at_once``.
    """

    trl: bool
    arguments: Mapping[str, Any] = field(default_factory=dict)
    tokens_at_once: int | None = None
    packed: bool = False


@dataclass(frozen=True)
class OurTraining:
    """How qlorakit trains.

    Attributes:
        objective: As ``qlorakit.train`` takes it.
        gradient_checkpointing: Likewise.
    """

    objective: Literal["language_model", "choices"] = "language_model"
    gradient_checkpointing: bool = False


@dataclass(frozen=True)
class PeerScoring:
    """How lm-eval scores.

    Attributes:
        batch_size: Sequences of a forward pass.
    """

    batch_size: int


@dataclass(frozen=True)
class OurScoring:
    """How qlorakit scores: there is nothing to set."""


@dataclass(frozen=True)
class System:
    """One line of the results.

    Attributes:
        name: As it is asked for on the command line.
        summary: One line for tables.
        settings: Tell which library does what.
        workloads: That it is run on; all that fit unless given.
    """

    name: str
    summary: str
    settings: PeerTraining | OurTraining | PeerScoring | OurScoring
    workloads: tuple[str, ...] = ()

    @property
    def ours(self) -> bool:
        """Whether it is qlorakit."""
        return isinstance(self.settings, OurTraining | OurScoring)

    @property
    def scores(self) -> bool:
        """Whether it scores choices; otherwise it trains."""
        return isinstance(self.settings, PeerScoring | OurScoring)


TRL_AS_IT_COMES = ("trl", "trl-packing")  # the two that the bars speak of
IN_SMALL_BATCHES: dict[str, Any] = {"train_sampling_strategy": "group_by_length"}

SYSTEMS = (
    System("qlorakit", "qlorakit.train, its defaults", OurTraining()),
    System("trl", "SFTTrainer, its defaults: gradient checkpointing, one batch", PeerTraining(trl=True)),
    System(
        "trl-packing",
        'SFTTrainer, packing="bfd" to its 1,024 tokens, else its defaults: gradient checkpointing',
        PeerTraining(trl=True, tokens_at_once=1024, packed=True),
    ),
    System(
        "trl-tuned",
        "SFTTrainer, micro-batches of 400 tokens by length, no gradient checkpointing",
        PeerTraining(trl=True, arguments={**IN_SMALL_BATCHES, "gradient_checkpointing": False}, tokens_at_once=400),
    ),
    System(
        "trl-packing-tuned",
        "SFTTrainer, packed (bfd) to 512 tokens, no gradient checkpointing",
        PeerTraining(trl=True, arguments={"gradient_checkpointing": False}, tokens_at_once=512, packed=True),
    ),
    System(
        "trainer-peft",
        "transformers.Trainer with peft, micro-batches of 400 tokens by length",
        PeerTraining(trl=False, arguments=IN_SMALL_BATCHES, tokens_at_once=400),
    ),
    System(
        "qlorakit-choices",
        'qlorakit.train, objective="choices"',
        OurTraining(objective="choices"),
        workloads=("phrasebank",),
    ),
    System(
        "qlorakit-checkpointing",
        "qlorakit.train, gradient_checkpointing=True",
        OurTraining(gradient_checkpointing=True),
        workloads=("phrasebank", "contract_nli"),
    ),
    System("qlorakit", "qlorakit.predict, its defaults", OurScoring()),
    System("lm-eval", "HFLM, logits cache on, 8 sequences at once", PeerScoring(batch_size=8)),
)


def systems_for(workload: Workload) -> tuple[System, ...]:
    """The systems that are run on a workload."""
    return tuple(
        system
        for system in SYSTEMS
        if system.scores == workload.scoring and workload.name in (system.workloads or (workload.name,))
    )
