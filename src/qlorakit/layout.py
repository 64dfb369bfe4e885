"""How sequences are laid out for a model: as prefix trees where it computes them rightly, as padded rows elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from qlorakit.attention import tree_attention
from qlorakit.errors import ConfigurationError, PrefixSharingError
from qlorakit.fused_lora import fused_lora
from qlorakit.logits import plain_model
from qlorakit.padded_batch import PaddedBatch, padded_batches
from qlorakit.self_check import check, turning_points, windows
from qlorakit.tree_batch import TreeBatch, tree_batches

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from qlorakit.prefix_tree import Continuation

logger = logging.getLogger(__name__)

PrefixSharing = Literal["auto", "on", "off"]
# On a CPU wider padded batches only add padding.
MOST_PADDED_ON_CPU = 1 << 10
# A model that was checked is checked again for rows so many times longer.
TIMES_LONGER = 2
CHECKED_UP_TO = "qlorakit_shares_prefixes_up_to"  # attribute of a model: tokens of a sequence


@dataclass(frozen=True)
class Layout:
    """The way chosen for a model.

    Attributes:
        shared: Whether sequences that begin alike are computed together.
        token_budget: Most tokens of a forward pass.
        pad: Token for padding.
        narrow: Whether wide padded batches would only add padding, as on a CPU.
    """

    shared: bool
    token_budget: int
    pad: int
    narrow: bool = False

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
        width = min(self.token_budget, MOST_PADDED_ON_CPU) if self.narrow else self.token_budget
        return padded_batches(sequences, units, token_budget=width, pad=self.pad)

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
    padded = Layout(shared=False, token_budget=token_budget, pad=pad, narrow=plain_model(model).device.type == "cpu")
    alone = Layout(shared=False, token_budget=1, pad=pad)
    trees = Layout(shared=True, token_budget=token_budget, pad=pad)
    longest = max((sequence.input_length for sequence in sequences), default=0)
    name = type(plain_model(model)).__name__
    turns = [turn for turn in turning_points(model) if longest > turn]
    if turns:
        what = (
            f"{name} computes positions otherwise where a row has more than {min(turns)} tokens, and one has {longest}"
        )
        _fall_back(f"{what}: rows beside it would change", prefix_sharing)
        return alone
    if prefix_sharing == "off" or not sequences:
        return padded
    if not _is_news(model, longest):
        return trees
    verdict = check(model, _longest(sequences, groups), pad=pad)
    if verdict.trees is None:
        setattr(plain_model(model), CHECKED_UP_TO, longest)
        return trees
    _fall_back(f"{name} cannot compute rows that share a prefix together: {verdict.trees}", prefix_sharing)
    if verdict.padded is not None:
        logger.warning("%s does not compute padded rows as it does single ones either: %s", name, verdict.padded)
        return alone
    return padded


def _fall_back(reason: str, prefix_sharing: PrefixSharing) -> None:
    """Say why rows are computed one by one, or that they cannot be shared as was asked."""
    if prefix_sharing == "on":
        raise PrefixSharingError(reason)
    hint = "" if prefix_sharing == "off" else ". prefix_sharing='off' spares the check"
    logger.warning("%s; each is computed by itself, which takes longer%s", reason, hint)


def _is_news(model: PreTrainedModel, longest: int) -> bool:
    """Whether sequences of this length could show what those that were checked could not.

    The check costs a few forward passes, so that it does not come again for a row that is a little longer.
    """
    checked = vars(plain_model(model)).get(CHECKED_UP_TO, 0)
    return longest > TIMES_LONGER * checked or any(checked <= window < longest for window in windows(model))


def _longest(sequences: Sequence[Continuation], groups: Sequence[int]) -> list[Continuation]:
    """The longest sequence and the next longest, of the same group if there is one."""
    order = sorted(range(len(sequences)), key=lambda place: -sequences[place].input_length)
    beside = [place for place in order[1:] if groups[place] == groups[order[0]]]
    return [sequences[place] for place in (order[0], *(beside or order[1:])[:1])]
