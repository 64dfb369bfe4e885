"""Leave out of the last layer what nobody reads.

Logits are computed at a few places only.  Behind the keys and values of the last layer no place is of use to another
one any more, so that its queries, the projection of its attention and its feed-forward part are needed at those places
alone: they are computed there, and are zero elsewhere.  What is computed does not change, nor does its gradient.

That holds where the last layer is one of attention.  A layer that mixes its queries with those of other places, as
linear attention behind a convolution does, would be wrong: only models that passed the check of their layout
(:mod:`qlorakit.layout`) may be trimmed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedModel

# As transformers names them.
LAYERS = ("layers", "h")
ATTENTION, OF_ATTENTION = ("self_attn", "attn", "attention"), ("q_proj", "o_proj")
FEED_FORWARD = ("mlp", "feed_forward", "block_sparse_moe")
# Of all places; where more are wanted, gathering them does not pay.
WORTH_IT = 0.5


@contextmanager
def only_at(model: PreTrainedModel, wanted: torch.Tensor, places: int) -> Iterator[None]:
    """Let the last layer compute a few places of its input only, until the forward pass is over.

    Nothing changes where the layer's parts go by unknown names, or where activations are computed again in the backward
    pass, when this no longer holds.

    Args:
        model: As transformers made it, adapters included.
        wanted: Indices of the places that are read, among all rows one after the other, [wanted].
        places: In all rows.
    """
    recomputes = model.training and model.is_activation_checkpointing
    parts = [] if recomputes or len(wanted) > WORTH_IT * places else _parts(model)
    before = [vars(part).get("forward") for part in parts]
    for part in parts:
        part.forward = functools.partial(_compute, part.forward, wanted, places)
    try:
        yield
    finally:
        for part, forward in zip(parts, before, strict=True):
            if forward is None:
                del part.forward
            else:
                part.forward = forward


def _parts(model: PreTrainedModel) -> list[Any]:
    """The modules of the last layer that compute each place by itself."""
    layers = _child(model.base_model, LAYERS)
    if not isinstance(layers, torch.nn.ModuleList):
        return []
    last = layers[-1]
    attention = _child(last, ATTENTION)
    found = [_child(last, FEED_FORWARD), *(_child(attention, (name,)) for name in OF_ATTENTION)]
    return [part for part in found if part is not None]


def _child(module: torch.nn.Module | None, names: tuple[str, ...]) -> torch.nn.Module | None:
    children = dict(module.named_children()) if module is not None else {}
    return next((children[name] for name in names if name in children), None)


def _compute(
    forward: Callable[..., Any],
    wanted: torch.Tensor,
    places: int,
    states: torch.Tensor,
    *others: Any,  # noqa: ANN401
    **named: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401  # a tensor, or several of which the first is meant
    """Compute the wanted places; all of ``states`` is [rows, length, width]."""
    if others or named or states.dim() != 3 or states.shape[:2].numel() != places:  # noqa: PLR2004
        return forward(states, *others, **named)
    found = forward(states.flatten(0, 1)[wanted][None])
    if isinstance(found, tuple):  # some experts tell as well how they were chosen
        return (_spread(found[0], wanted, states), *found[1:])
    return _spread(found, wanted, states)


def _spread(found: torch.Tensor, wanted: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """Put what was found back in its places, with zeros elsewhere."""
    whole = found.new_zeros(states.shape[:2].numel(), found.shape[-1])
    return whole.index_copy(0, wanted, found[0]).view(*states.shape[:2], -1)
