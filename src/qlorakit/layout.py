"""How sequences are laid out for a model: as prefix trees where it computes them rightly, as padded rows elsewhere."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import torch

from qlorakit.attention import tree_attention
from qlorakit.errors import ConfigurationError, PrefixSharingError
from qlorakit.fused_lora import fused_lora
from qlorakit.logits import plain_model
from qlorakit.padded_batch import PaddedBatch, padded_batches
from qlorakit.prefix_tree import Continuation
from qlorakit.quantization import evaluating, in_float32
from qlorakit.tree_batch import TreeBatch, tree_batches

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

logger = logging.getLogger(__name__)

PrefixSharing = Literal["auto", "on", "off"]
# On a CPU wider padded batches only add padding.
MOST_PADDED_ON_CPU = 1 << 10
# In nats, of float32, as far as it is not measured: a row that sees another's tokens is off by far more.
ROUNDING = 1e-3
TIMES_ROUNDING = 5
TIMES_LONGER = 2
CHECKED_UP_TO = "qlorakit_shares_prefixes_up_to"  # attribute of a model: tokens of a sequence


@dataclass(frozen=True)
class Layout:
    """The way chosen for a model.

    Attributes:
        shared: Whether sequences that begin alike are computed together.
        token_budget: Most tokens of a forward pass.
        pad: Token for padding.
    """

    shared: bool
    token_budget: int
    pad: int

    def batches(
        self, sequences: Sequence[Continuation], groups: Sequence[int], units: Sequence[int], *, skip: int = 0
    ) -> Sequence[TreeBatch | PaddedBatch]:
        """Cut sequences into batches.

        Args:
            sequences: Prompts and answers.
            groups: Of each sequence; those of one group share a batch where they fit.
            units: Of each sequence; those of one unit share a batch in any case.
            skip: Leading tokens whose keys are kept from before; only where prefixes are shared.
        """
        if self.shared:
            return tree_batches(sequences, groups, units, token_budget=self.token_budget, skip=skip)
        return padded_batches(sequences, units, token_budget=self.token_budget, pad=self.pad)

    @contextmanager
    def engaged(self, model: torch.nn.Module) -> Iterator[None]:
        """Keep the model computing in this layout until the backward pass is over.

        Where activations are computed again in the backward pass, that must happen as in the forward pass.
        """
        with tree_attention(model) if self.shared else nullcontext(), fused_lora(model):
            yield


def choose_layout(
    model: PreTrainedModel,
    sequences: Sequence[Continuation],
    groups: Sequence[int],
    *,
    prefix_sharing: PrefixSharing,
    token_budget: int,
    pad: int,
) -> Layout:
    """Prefix trees if the model computes them as it computes each sequence alone, else padded rows.

    Args:
        model: To be asked.
        sequences: What it will be asked; the longest are part of the check.
        groups: Of each sequence.
        prefix_sharing: ``"auto"`` falls back with a warning, ``"on"`` raises instead, ``"off"`` pads without a check.
        token_budget: Most tokens of a forward pass.
        pad: Token for padding.

    Raises:
        ConfigurationError: ``prefix_sharing`` is none of these.
        PrefixSharingError: It is ``"on"``, and the model disagrees with itself.
    """
    if prefix_sharing not in get_args(PrefixSharing):
        msg = f"prefix_sharing={prefix_sharing!r} is not one of {', '.join(map(repr, get_args(PrefixSharing)))}"
        raise ConfigurationError(msg)
    width = token_budget if plain_model(model).device.type == "cuda" else min(token_budget, MOST_PADDED_ON_CPU)
    padded = Layout(shared=False, token_budget=width, pad=pad)
    if prefix_sharing == "off" or not sequences:
        return padded
    longest = max(sequence.input_length for sequence in sequences)
    trouble = None
    if _is_news(model, longest):
        trouble = find_disagreement(model, _made_up(model, longest), _longest(sequences, groups), pad=pad)
        if trouble is None:
            setattr(plain_model(model), CHECKED_UP_TO, longest)
    if trouble is None:
        return Layout(shared=True, token_budget=token_budget, pad=pad)
    msg = f"{type(plain_model(model)).__name__} cannot compute rows that share a prefix together: {trouble}"
    if prefix_sharing == "on":
        raise PrefixSharingError(msg)
    logger.warning("%s; each is computed by itself, which takes longer. prefix_sharing='off' spares the check", msg)
    return padded


def find_disagreement(
    model: PreTrainedModel, made_up: Sequence[Continuation], real: Sequence[Continuation] = (), *, pad: int
) -> str | None:
    """Compare a tree of sequences with the same sequences padded, and say what is wrong, if anything.

    The measure is how much the first one changes when others are computed beside it, which is rounding.
    All of it is computed in float32: in half precision, rounding hides what a small difference means.
    """
    sequences = [*made_up, *real]
    everything = sum(sequence.input_length for sequence in sequences) * len(sequences)
    together = [padded_batches(part, token_budget=everything, pad=pad) for part in (made_up, real) if part]
    alone = padded_batches(made_up[:1], token_budget=everything, pad=pad)
    tree = tree_batches(sequences, [0] * len(sequences), token_budget=everything)
    try:
        with evaluating(model), in_float32(model):
            plain = torch.cat([_in_order(model, part) for part in together])
            single = _in_order(model, alone)
            shared = _in_order(model, tree)
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # noqa: BLE001  # an architecture fails in its own way
        return f"{type(error).__name__}: {error}"
    if not torch.isfinite(plain).all():
        return None  # the model itself is broken, which is for others to say
    tolerance = max(TIMES_ROUNDING * float((plain[: len(single)] - single).abs().max()), ROUNDING)
    found = float((plain - shared).abs().max())
    if found <= tolerance:
        return None
    return f"log-probabilities are off by {found:.2g}, where {tolerance:.2g} would be rounding"


def _is_news(model: PreTrainedModel, longest: int) -> bool:
    """Whether sequences of this length could show what those that were checked could not.

    The check costs a few forward passes, so that it does not come again for a row that is a little longer.
    """
    checked = vars(plain_model(model)).get(CHECKED_UP_TO, 0)
    config = plain_model(model).config.get_text_config()
    # Above this length the positions of some models are computed otherwise (LongRoPE, Ding et al., 2024).
    stretched = _numbers(config, "original_max_position_embeddings")
    turns = (*_windows(config), *stretched)
    return longest > TIMES_LONGER * checked or any(checked <= turn < longest for turn in turns)


def _in_order(model: PreTrainedModel, batches: Sequence[TreeBatch | PaddedBatch]) -> torch.Tensor:
    """Log-probabilities of all answer tokens, sequence by sequence."""
    found: dict[int, torch.Tensor] = {}
    for batch in batches:
        found.update(zip(batch.items, batch.logprobs(model).split(batch.sizes), strict=True))
    return torch.cat([found[item] for item in sorted(found)])


def _longest(sequences: Sequence[Continuation], groups: Sequence[int]) -> list[Continuation]:
    """The longest sequence and the next longest, of the same group if there is one."""
    order = sorted(range(len(sequences)), key=lambda place: -sequences[place].input_length)
    beside = [place for place in order[1:] if groups[place] == groups[order[0]]]
    return [sequences[place] for place in (order[0], *(beside or order[1:])[:1])]


def _made_up(model: PreTrainedModel, longest: int) -> list[Continuation]:
    """Random sequences with a trunk and two levels of branches, longer than every window that can come into play."""
    config = plain_model(model).config.get_text_config()
    # A window that no sequence reaches cannot show; one that some do must be passed well inside the trunk.
    trunk = min(max([32, *(window + 8 for window in _windows(config))]), max(32, longest))
    context = getattr(config, "max_position_embeddings", None) or trunk + 12
    trunk = max(2, min(trunk, context - 12))
    draw = random.Random(0)  # noqa: S311  # nothing secret

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(draw.randrange(config.vocab_size) for _ in range(count))

    stem = tokens(trunk)
    branches = [stem + tokens(4) for _ in range(2)]
    return [Continuation(branch, tokens(6)) for branch in branches for _ in range(2)]


def _windows(config: PreTrainedConfig) -> list[int]:
    """How far back layers see, in tokens."""
    return [number for name in ("sliding_window", "attention_chunk_size") for number in _numbers(config, name)]


def _numbers(config: PreTrainedConfig, name: str) -> list[int]:
    """What a configuration, or its settings of rotary positions, say under a name."""
    rotary = getattr(config, "rope_parameters", None) or {}
    places = [vars(config), rotary, *(value for value in rotary.values() if isinstance(value, dict))]
    return [int(place[name]) for place in places if place.get(name)]
