"""How many operations the tokens of a step need.

A multiplication with an addition counts as two.  Per step, with the weights W of the linear layers, those H of the
output head and those R of the adapter::

    forward    2 W tokens + 2 H predicted + 2 R tokens + 4 layers width pairs
    backward   2 W tokens + 2 H predicted + 4 R tokens + 8 layers width pairs

The base is frozen: its weights get no gradients, so that its backward pass costs as much as its forward pass.  Tokens
are those that entered the model, padding included: what a prefix tree leaves out does not count.  ``predicted`` are the
places whose logits the loss needs, ``pairs`` those of a token and one that it sees, ``width`` the query heads times
their width.  Nothing else counts: no dequantization, no second forward pass of gradient checkpointing, nothing of an
attention matrix that is computed and masked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TRAINING = "4 W tokens + 4 H predicted + 6 R tokens + 12 layers width pairs"
SCORING = "2 W tokens + 2 H predicted + 4 layers width pairs"


@dataclass(frozen=True)
class Work:
    """What one step computes.

    Attributes:
        tokens: That enter the model.
        predicted: Places whose logits are needed.
        pairs: Of a token and one that it sees.
    """

    tokens: float
    predicted: int
    pairs: int


@dataclass(frozen=True)
class Weights:
    """Where a Llama's operations are spent.

    Attributes:
        linear: Weights of all linear layers but the head.
        head: Weights of the head.
        adapter: Weights of a LoRA beside all linear layers.
        attention: Layers times the width of the queries.
    """

    linear: int
    head: int
    adapter: int
    attention: int

    @classmethod
    def of(cls, shape: Mapping[str, Any], rank: int) -> Weights:
        """Count those of a shape."""
        hidden, inner, layers = shape["hidden_size"], shape["intermediate_size"], shape["num_hidden_layers"]
        keys = hidden // shape["num_attention_heads"] * shape["num_key_value_heads"]
        sizes = [(hidden, hidden)] * 2 + [(hidden, keys)] * 2 + [(hidden, inner)] * 3
        return cls(
            linear=layers * sum(one * other for one, other in sizes),
            head=hidden * shape["vocab_size"],
            adapter=layers * rank * sum(one + other for one, other in sizes),
            attention=layers * hidden,
        )

    def training(self, work: Work) -> float:
        """Operations of forward and backward."""
        linear = (4 * self.linear + 6 * self.adapter) * work.tokens
        return linear + 4 * self.head * work.predicted + 12 * self.attention * work.pairs

    def scoring(self, work: Work) -> float:
        """Operations of forward, without an adapter."""
        return 2 * self.linear * work.tokens + 2 * self.head * work.predicted + 4 * self.attention * work.pairs
