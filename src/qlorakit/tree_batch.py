"""Batches in which sequences that begin alike are computed together, as prefix trees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from qlorakit.attention import Backend, KeysAndValues, TreeAttention, tree_attention
from qlorakit.fused_lora import fused_lora
from qlorakit.logits import plain_model, token_logprobs
from qlorakit.prefix_tree import Continuation, PrefixTree, Rectangle, cut

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Past:
    """Keys and values of the tokens that all sequences begin with, computed once.

    Attributes:
        tokens: How many these are.
        states: Keys and values of each layer.
    """

    tokens: int = 0
    states: KeysAndValues = field(default_factory=dict)


@dataclass(frozen=True)
class TreeBatch:
    """Sequences as one prefix tree, ready for a model.

    Attributes:
        items: Their places in the list that was cut into batches.
        sizes: Answer tokens of each sequence.
        skip: Leading tokens that are not in the tree.
        row: ``input_ids``, ``position_ids`` and ``exit`` of the tree, [3, tokens].
        rectangles: What is seen.
        parents: Index after which each target is predicted, [targets].
        targets: Their ids, [targets].
        paths: Target of each answer token, sequence by sequence, [answer tokens].
    """

    items: tuple[int, ...]
    sizes: tuple[int, ...]
    skip: int
    row: torch.Tensor
    rectangles: tuple[Rectangle, ...]
    parents: torch.Tensor
    targets: torch.Tensor
    paths: torch.Tensor

    @classmethod
    def of(cls, tree: PrefixTree, items: Sequence[int], skip: int) -> TreeBatch:
        """Take a tree of the sequences with these places."""
        return cls(
            tuple(items),
            tuple(map(len, tree.paths)),
            skip,
            torch.tensor([tree.input_ids, tree.position_ids, tree.exit], dtype=torch.int32),
            tuple(tree.rectangles()),
            torch.tensor(tree.parents, dtype=torch.int32),
            torch.tensor(tree.targets, dtype=torch.int32),
            torch.tensor([place for path in tree.paths for place in path], dtype=torch.int32),
        )

    @property
    def tokens(self) -> int:
        """Tokens that one forward pass computes."""
        return self.row.shape[1]

    def logprobs(
        self, model: PreTrainedModel, past: Past | None = None, backend: Backend | None = None
    ) -> torch.Tensor:
        """Log-probability in nats of each answer token, [answer tokens], in float32; gradients flow.

        Where activations are computed again in the backward pass, that pass belongs inside
        :meth:`qlorakit.layout.Layout.engaged`: the model follows a tree only as long as it is told to.

        Args:
            model: Whose attention can follow a tree.
            past: Keys and values of the tokens that were skipped.
            backend: How to attend; what suits the device unless given.
        """
        return self._logprobs(model, past.states if past else {}, None, backend)

    def keys(self, model: PreTrainedModel) -> KeysAndValues:
        """Keys and values of the tree's tokens in each layer."""
        kept: KeysAndValues = {}
        self._logprobs(model, {}, kept, None)
        return kept

    def _logprobs(
        self, model: PreTrainedModel, past: KeysAndValues, kept: KeysAndValues | None, backend: Backend | None
    ) -> torch.Tensor:
        ids, positions, exits = self.row.to(plain_model(model).device, torch.long)
        inputs = {
            "input_ids": ids[None],
            "position_ids": positions[None],
            "tree": TreeAttention(exits, positions, self.rectangles, backend, past, kept),
        }
        parents = self.parents.long()
        with tree_attention(model), fused_lora(model):
            found = token_logprobs(model, inputs, torch.zeros_like(parents), parents, self.targets.long(), trimmed=True)
        return found[self.paths.to(found.device, torch.long)]


def tree_batches(
    sequences: Sequence[Continuation],
    groups: Sequence[int],
    units: Sequence[int] | None = None,
    *,
    token_budget: int,
    skip: int = 0,
) -> list[TreeBatch]:
    """Cut sequences into few trees of at most ``token_budget`` tokens each.

    Args:
        sequences: Prompts and answers.
        groups: Of each sequence; those of one group stay together where they fit.
        units: Of each sequence; those of one unit stay together, next to each other, even where they do not fit.
            Each is one of its own unless given.
        token_budget: Most tokens of a forward pass; a unit that needs more stands alone.
        skip: Leading tokens, the same in all sequences, whose keys are kept from before.
    """
    batches = []
    units = range(len(sequences)) if units is None else units
    for items in cut(sequences, groups, units, token_budget=token_budget, skip=skip):
        chosen = [sequences[item] for item in items]
        tree = PrefixTree.build(chosen, skip=skip)
        if len(tree) > token_budget:  # flattening writes some tokens twice
            tree = PrefixTree.build(chosen, skip=skip, shortest_saving=0)
        batches.append(TreeBatch.of(tree, items, skip))
    return batches


def common_past(model: PreTrainedModel, prefix: tuple[int, ...]) -> Past:
    """Compute the keys and values of tokens that every sequence begins with.  The model must not change meanwhile."""
    if not prefix:
        return Past()
    tree = PrefixTree.build([Continuation(prefix, prefix[:1])])  # the answer only says where the prompt ends
    return Past(len(prefix), TreeBatch.of(tree, (0,), 0).keys(model))
