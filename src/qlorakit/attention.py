"""The rule of a prefix tree for a model's attention, through transformers' own extension point.

A token of a tree sees its ancestors: **q sees k iff k <= q < exit[k]** (see :mod:`qlorakit.prefix_tree`).  There are
several ways to compute that:

- ``"cascade"``, on CPU: one product for each node of the tree, of the queries below it with its own keys, joined by one
  softmax (cascade attention, Ye et al., 2024; Hydragen, Juravsky et al., 2024).  Nothing is computed that is not seen,
  but for small squares.
- ``"flex"``, on CUDA: FlexAttention (Dong et al., 2024) compiled from the rule.
- ``"sdpa"`` and ``"eager"``: a dense mask, plainly.  ``"eager"`` knows soft caps and attention sinks as well.

Models are not changed.  While :func:`tree_attention` lasts, their layers call :func:`attend`, and the tree reaches it
as the keyword argument ``tree`` of the model.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import torch
from torch.nn import functional
from transformers import AttentionInterface, PreTrainedConfig

from qlorakit.errors import PrefixSharingError
from qlorakit.prefix_tree import Rectangle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Backend = Literal["cascade", "flex", "sdpa", "eager"]
NAME = "qlorakit_tree"
# What models pass along that has no say in what is attended to; whatever else arrives is refused.
WITHOUT_EFFECT = frozenset({
    "cache_position", "is_causal", "is_training", "output_attentions", "output_hidden_states", "output_router_logits",
    "position_embeddings", "position_ids", "return_dict", "use_cache",
})  # fmt: skip
# Of an attention matrix; up to here plain products are faster in the backward pass than the fused kernel.
SMALL_BLOCK = 1 << 17


KeysAndValues = dict[torch.nn.Module, tuple[torch.Tensor, torch.Tensor]]


class Block(NamedTuple):
    """A part of the attention matrix for one product: all of it seen, or causal, or by a mask."""

    queries: slice
    keys: slice
    causal: bool
    mask: torch.Tensor | None  # [queries, keys], boolean


@dataclass
class TreeAttention:
    """What the layers of one forward pass over a tree need to know.

    Attributes:
        exit: Index one past each token's subtree, [tokens], on the model's device.
        positions: Depth of each token, [tokens].
        rectangles: Cover of all that is seen.
        backend: How to compute it; what suits the device unless given.
        past: Keys and values of the tokens before the tree, of each layer, [1, heads, past tokens, width].
        kept: Where given, each layer's keys and values are put into it.
    """

    exit: torch.Tensor
    positions: torch.Tensor
    rectangles: tuple[Rectangle, ...]
    backend: Backend | None = None
    past: KeysAndValues = field(default_factory=dict)
    kept: KeysAndValues | None = None
    _blocks: dict[tuple[int, int | None], list[Block]] = field(default_factory=dict)
    _masks: dict[tuple[int, int | None], Any] = field(default_factory=dict)

    def mask(self, past: int, window: int | None) -> torch.Tensor:
        """What each token sees, [tokens, past + tokens], boolean."""
        if (past, window) not in self._masks:
            self._masks[past, window] = self._seen(
                slice(0, len(self.exit)), slice(0, past + len(self.exit)), past, window
            )
        mask: torch.Tensor = self._masks[past, window]
        return mask

    def blocks(self, past: int, window: int | None) -> list[Block]:
        """The rectangles as products, keys counted from the first token of the past."""
        if (past, window) not in self._blocks:
            before = [Rectangle(0, len(self.exit), -past, 0, full=True)] if past else []
            found = (self._block(rectangle, past, window) for rectangle in (*before, *self.rectangles))
            self._blocks[past, window] = [block for block in found if block is not None]
        return self._blocks[past, window]

    def flex_mask(self, past: int, window: int | None) -> Any:  # noqa: ANN401  # torch's BlockMask
        """The rule as FlexAttention's block mask."""
        from torch.nn.attention.flex_attention import create_block_mask

        key = (-1 - past, window)
        if key not in self._masks:
            exits, depth = self.exit, self.positions
            start = self.positions.new_tensor(past)

            def rule(_batch: Any, _head: Any, query: Any, key: Any) -> Any:  # noqa: ANN401  # tensors of indices
                own = (key - start).clamp(min=0)
                seen = (key < start) | ((own <= query) & (query < exits[own]))
                if window is None:
                    return seen
                return seen & (depth[query] - torch.where(key < start, key, depth[own]) < window)

            size = len(self.exit)
            self._masks[key] = create_block_mask(rule, None, None, size, past + size, device=str(self.exit.device))
        return self._masks[key]

    def _block(self, rectangle: Rectangle, past: int, window: int | None) -> Block | None:
        queries = slice(rectangle.first_query, rectangle.end_query)
        keys = slice(rectangle.first_key + past, rectangle.end_key + past)
        seen = self._seen(queries, keys, past, window)
        if bool(seen.all()):
            return Block(queries, keys, causal=False, mask=None)
        if not bool(seen.any()):
            return None
        square = len(seen) == seen.shape[1] and not rectangle.full
        if square and bool((seen == torch.ones_like(seen).tril()).all()):
            return Block(queries, keys, causal=True, mask=None)
        return Block(queries, keys, causal=False, mask=seen)

    def _seen(self, queries: slice, keys: slice, past: int, window: int | None) -> torch.Tensor:
        device = self.exit.device
        query = torch.arange(queries.start, queries.stop, device=device)[:, None]
        key = torch.arange(keys.start, keys.stop, device=device)[None]
        exits = torch.cat([self.exit.new_full((past,), len(self.exit)), self.exit])[None, keys]
        seen = (key - past <= query) & (query < exits)
        if window is not None:
            depth = torch.cat([torch.arange(past, device=device), self.positions])
            seen &= self.positions[queries, None] - depth[None, keys] < window
        return seen


def default_backend(device: torch.device) -> Backend:
    """The fastest that is proven on a device."""
    return "cascade" if device.type == "cpu" else "sdpa"


@contextmanager
def tree_attention(model: torch.nn.Module) -> Iterator[None]:
    """Let the model's layers attend by :func:`attend`; their own implementation comes back afterwards."""
    found = (vars(module).get("config") for module in model.modules())
    configs: dict[int, Any] = {id(config): config for config in found if isinstance(config, PreTrainedConfig)}
    before = {key: config._attn_implementation_internal for key, config in configs.items()}
    try:
        for config in configs.values():
            config._attn_implementation_internal = NAME
        yield
    finally:
        for key, config in configs.items():
            config._attn_implementation_internal = before[key]


def attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    tree: TreeAttention | None = None,
    **others: Any,  # noqa: ANN401  # whatever an architecture passes
) -> tuple[torch.Tensor, None]:
    """Attend by the rule of a tree; what transformers calls in the place of its own implementations.

    Args:
        module: The layer.
        query: [1, heads, tokens, width].
        key: [1, key heads, tokens, width]; each serves several query heads where there are fewer.
        value: Likewise.
        attention_mask: None, as no mask is registered.
        scaling: Of the products; one over the root of the width unless given.
        dropout: Of the attention's probabilities.
        sliding_window: How far back, in depth, a token sees.
        softcap: Bound of the products, by a hyperbolic tangent (Gemma 2).
        s_aux: An attention sink of each head (gpt-oss).
        tree: The tree; ``model(..., tree=...)``.
        **others: Only such as have no effect here.

    Returns:
        [1, tokens, heads, width], and no probabilities.

    Raises:
        PrefixSharingError: The tree did not arrive, or something did that is not understood.
    """
    if tree is None or attention_mask is not None:
        msg = f"{type(module).__name__} does not hand the tree on to its attention"
        raise PrefixSharingError(msg)
    unknown = sorted(name for name in set(others) - WITHOUT_EFFECT if others[name] is not None)
    if unknown:
        msg = f"{type(module).__name__} attends with {', '.join(unknown)}, which prefix sharing does not know"
        raise PrefixSharingError(msg)
    if tree.kept is not None:
        tree.kept[module] = key, value
    if module in tree.past:
        key, value = (torch.cat(pair, dim=2) for pair in zip(tree.past[module], (key, value), strict=True))
    past = key.shape[2] - query.shape[2]
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    backend = tree.backend or default_backend(query.device)
    plain = softcap is None and s_aux is None
    if plain and backend == "cascade" and not dropout and key.shape[-1] == value.shape[-1]:
        key, value = _expand(key, query), _expand(value, query)
        out = _Cascade.apply(query, key, value, scale, tree.blocks(past, sliding_window))  # type: ignore[no-untyped-call]
    elif plain and backend == "flex" and not dropout:
        out = _flex(query, key, value, tree.flex_mask(past, sliding_window), scale)
    elif plain and backend != "eager":
        key, value, mask = _expand(key, query), _expand(value, query), tree.mask(past, sliding_window)
        out = functional.scaled_dot_product_attention(query, key, value, mask, dropout, scale=scale)
    else:
        out = _eager(query, key, value, tree.mask(past, sliding_window), scale, dropout, softcap, s_aux)
    return out.transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, attend)


def _expand(states: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """Repeat key heads for the query heads they serve."""
    times = query.shape[1] // states.shape[1]
    return states if times == 1 else states.repeat_interleave(times, dim=1)


def _eager(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    mask: torch.Tensor,
    scale: float,
    dropout: float,
    softcap: float | None,
    sinks: torch.Tensor | None,
) -> torch.Tensor:
    key, value = _expand(key, query), _expand(value, query)
    scores = (query @ key.transpose(2, 3) * scale).float()
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    scores = scores.masked_fill(~mask, float("-inf"))
    if sinks is not None:  # a key that everyone sees and that has no value
        sink = sinks.float().reshape(1, -1, 1, 1).expand(-1, -1, scores.shape[2], 1)
        scores = torch.cat([scores, sink], dim=-1)
    probabilities = functional.dropout(scores.softmax(dim=-1), dropout)
    return probabilities[..., : key.shape[2]].to(value.dtype) @ value


def _flex(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: Any, scale: float) -> torch.Tensor:  # noqa: ANN401
    grouped = key.shape[1] != query.shape[1]
    out: torch.Tensor = _compiled_flex(query.device.type)(
        query, key, value, block_mask=mask, scale=scale, enable_gqa=grouped
    )
    return out


@functools.cache
def _compiled_flex(device: str) -> Callable[..., Any]:
    """FlexAttention, compiled once where that pays."""
    from torch.nn.attention.flex_attention import flex_attention

    attention: Callable[..., Any] = flex_attention
    return torch.compile(attention, dynamic=True) if device == "cuda" else attention


class _Cascade(torch.autograd.Function):
    """Attention in blocks, each query's blocks joined by one softmax.

    Forward, each block gives its output and the logarithm of its softmax's denominator; two of them join as
    ``out = out1 * exp(log1 - log) + out2 * exp(log2 - log)`` with ``log = logaddexp(log1, log2)``.  Backward, a block's
    probabilities follow from the joint ``log``, and the rest is as in FlashAttention-2 (Dao, 2023), Algorithm 2.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        scale: float,
        blocks: Sequence[Block],
    ) -> torch.Tensor:
        """Attend; all tensors [1, heads, tokens, width]."""
        _, heads, tokens, width = query.shape
        out = query.new_zeros(1, tokens, heads, width, dtype=torch.float32).transpose(1, 2)
        log = query.new_full((1, heads, tokens), float("-inf"), dtype=torch.float32)
        begun = bytearray(tokens)  # whether a query has had a block; within a block all have or none
        for block in blocks:
            rows = block.queries
            part, part_log = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
                query[:, :, rows], key[:, :, block.keys], value[:, :, block.keys], 0.0, block.causal,
                attn_mask=_additive(block.mask, query.dtype), scale=scale,
            )  # fmt: skip
            if block.mask is not None:  # the kernel's logarithm is 0 for a query that sees nothing
                part_log = part_log.masked_fill(~block.mask.any(1), float("-inf"))
            if begun[rows.start]:
                _join(out[:, :, rows], log[:, :, rows], part, part_log)
            else:
                out[:, :, rows], log[:, :, rows] = part, part_log
                begun[rows] = b"\1" * (rows.stop - rows.start)
        result = out.to(query.dtype)
        ctx.save_for_backward(query, key, value, result, log)
        ctx.scale, ctx.blocks = scale, blocks
        return result

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401
        """Gradients of query, key and value."""
        query, key, value, out, log = ctx.saved_tensors
        grads = tuple(torch.zeros_like(states, dtype=torch.float32) for states in (query, key, value))
        grad = grad.to(query.dtype)
        delta = (grad * out).sum(-1, dtype=torch.float32)
        exact = query[0].float(), key[0].float().transpose(1, 2)
        for block in ctx.blocks:
            rows, columns = block.queries, block.keys
            parts = (query[:, :, rows], key[:, :, columns], value[:, :, columns], grad[:, :, rows])
            small = (rows.stop - rows.start) * (columns.stop - columns.start) <= SMALL_BLOCK
            if small:
                # In float32: what is rounded here is exponentiated next, and must match the forward pass.
                negative_log = log[0, :, rows, None].expand(-1, -1, columns.stop - columns.start)
                probabilities = torch.baddbmm(
                    negative_log, exact[0][:, rows], exact[1][:, :, columns], beta=-1, alpha=ctx.scale
                ).exp_()
                found = _small_backward(*parts, probabilities[None], delta[:, :, rows], block)
            else:
                found = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward(
                    parts[3], *parts[:3], out[:, :, rows], log[:, :, rows], 0.0, block.causal,
                    attn_mask=_additive(block.mask, query.dtype), scale=ctx.scale,
                )  # fmt: skip
            factors = (ctx.scale, ctx.scale, 1.0) if small else (1.0, 1.0, 1.0)
            for total, part, places, factor in zip(grads, found, (rows, columns, columns), factors, strict=True):
                total[:, :, places].add_(part, alpha=factor)
        return (*(total.to(query.dtype) for total in grads), None, None)


def _join(out: torch.Tensor, log: torch.Tensor, part: torch.Tensor, part_log: torch.Tensor) -> None:
    """Take another block into the softmax so far, in place."""
    joint = torch.logaddexp(log, part_log)
    least = torch.finfo(joint.dtype).min  # where neither has seen anything yet
    out.mul_((log - joint.clamp(min=least)).exp_().unsqueeze(-1))
    out.addcmul_(part, (part_log - joint.clamp(min=least)).exp_().unsqueeze(-1))
    log.copy_(joint)


def _small_backward(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    grad: torch.Tensor,
    probabilities: torch.Tensor,
    delta: torch.Tensor,
    block: Block,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of a block in plain products, those of query and key not yet scaled."""
    if block.causal:
        probabilities.tril_()
    elif block.mask is not None:
        probabilities.masked_fill_(~block.mask, 0.0)  # what is not seen may have been infinite
    grad_value = probabilities.to(query.dtype).transpose(2, 3) @ grad
    grad_scores = (grad @ value.transpose(2, 3)).float().sub_(delta.unsqueeze(-1)).mul_(probabilities)
    grad_scores = grad_scores.to(query.dtype)
    return grad_scores @ key, grad_scores.transpose(2, 3) @ query, grad_value


def _additive(mask: torch.Tensor | None, dtype: torch.dtype) -> torch.Tensor | None:
    """A mask in the form the fused kernel takes: zero where seen, minus infinity elsewhere, [1, 1, queries, keys]."""
    if mask is None:
        return None
    return torch.zeros(mask.shape, dtype=dtype).masked_fill_(~mask, float("-inf"))[None, None]
