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
import math
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
# Of an attention matrix in float32; above, torch's fused kernel is faster in the backward pass than plain products.
LARGE_BLOCK = 1 << 17
# Half-precision numbers whose sum has the digits of a float32.
COLUMNS = 3
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
        if module in tree.kept:
            msg = f"{type(module).__name__} attends twice in a forward pass, so that its keys cannot be kept"
            raise PrefixSharingError(msg)
        tree.kept[module] = key, value
    past = tree.past[module][0].shape[2] if module in tree.past else 0
    if query.shape[2] != len(tree.exit) or key.shape[2] != query.shape[2]:
        msg = f"{type(module).__name__} attends with {query.shape[2]} queries and {key.shape[2]} keys to a tree of "
        raise PrefixSharingError(msg + f"{len(tree.exit)} tokens")
    if past:
        key, value = (torch.cat(pair, dim=2) for pair in zip(tree.past[module], (key, value), strict=True))
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
        totals = tuple(torch.zeros_like(states, dtype=torch.float32) for states in (query, key, value))
        grad = grad.to(query.dtype)
        products = _Products.of(query, key, value, grad, out, log, ctx.scale)
        for block in ctx.blocks:
            rows, columns = block.queries, block.keys
            size = (rows.stop - rows.start) * (columns.stop - columns.start)
            if size <= LARGE_BLOCK or query.dtype != torch.float32:
                found = products.gradients(block)
            else:
                found = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward(
                    grad[:, :, rows], query[:, :, rows], key[:, :, columns], value[:, :, columns], out[:, :, rows],
                    log[:, :, rows], 0.0, block.causal, attn_mask=_additive(block.mask, query.dtype), scale=ctx.scale,
                )  # fmt: skip
            for total, part, places in zip(totals, found, (rows, columns, columns), strict=True):
                total[:, :, places] += part
        return (*(total.to(query.dtype) for total in totals), None, None)


@dataclass(frozen=True)
class _Products:
    """The gradients of blocks, in plain products of half-precision numbers.

    A block's probabilities are ``exp(scale * query @ key - log)``.  A product of half-precision numbers is summed up in
    float32, but rounded to half precision at the end, which would be too rough for an exponent as large as it may get.
    So the logarithm goes into the product, as a few more columns: what is rounded is then the difference, which is
    small wherever a probability is large.  The gradient of the probabilities less ``delta`` is computed likewise.

    All attributes are [heads, tokens, width].
    """

    query: torch.Tensor
    key: torch.Tensor
    grad: torch.Tensor
    query_and_log: torch.Tensor
    key_and_ones: torch.Tensor
    grad_and_delta: torch.Tensor
    value_and_ones: torch.Tensor
    scale: float
    mantissa: float  # scale = mantissa * a power of two, by which half-precision numbers are multiplied exactly

    @classmethod
    def of(
        cls,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        grad: torch.Tensor,
        out: torch.Tensor,
        log: torch.Tensor,
        scale: float,
    ) -> _Products:
        """Prepare what all blocks have in common; tensors are [1, heads, tokens, ...]."""
        fraction, exponent = math.frexp(scale)
        mantissa = 2 * fraction
        delta = (grad * out).sum(-1, dtype=torch.float32)
        return cls(
            query[0],
            key[0],
            grad[0],
            _with_columns(query[0] * 2.0 ** (exponent - 1), -log[0] / mantissa),
            _with_columns(key[0], None),
            _with_columns(grad[0], -delta[0]),
            _with_columns(value[0], None),
            scale,
            mantissa,
        )

    def gradients(self, block: Block) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Gradients of a block's queries, keys and values."""
        rows, columns = block.queries, block.keys
        weights = self.query_and_log[:, rows] @ self.key_and_ones[:, columns].transpose(1, 2)
        weights = (weights if self.mantissa == 1 else weights.mul_(self.mantissa)).exp_()
        if block.causal:
            weights.tril_()
        elif block.mask is not None:
            weights.masked_fill_(~block.mask, 0.0)  # what is not seen may have been infinite
        grad_value = weights.transpose(1, 2) @ self.grad[:, rows]
        grad_scores = self.grad_and_delta[:, rows] @ self.value_and_ones[:, columns].transpose(1, 2)
        grad_scores = grad_scores.mul_(weights).mul_(self.scale)
        return grad_scores @ self.key[:, columns], grad_scores.transpose(1, 2) @ self.query[:, rows], grad_value


def _with_columns(states: torch.Tensor, numbers: torch.Tensor | None) -> torch.Tensor:
    """States [heads, tokens, width] with numbers [heads, tokens] beside them, or with the ones that pick these up.

    A number is divided among as many columns as its float32 digits need.
    """
    columns = 1 if states.dtype == torch.float32 else COLUMNS
    if numbers is None:
        return torch.cat([states, states.new_ones(*states.shape[:2], columns)], dim=2)
    parts = []
    for _ in range(columns):
        parts.append(numbers.to(states.dtype))
        numbers = numbers - parts[-1].float()
    return torch.cat([states, torch.stack(parts, dim=2)], dim=2)


def _join(out: torch.Tensor, log: torch.Tensor, part: torch.Tensor, part_log: torch.Tensor) -> None:
    """Take another block into the softmax so far, in place."""
    joint = torch.logaddexp(log, part_log)
    least = torch.finfo(joint.dtype).min  # where neither has seen anything yet
    out.mul_((log - joint.clamp(min=least)).exp_().unsqueeze(-1))
    out.addcmul_(part, (part_log - joint.clamp(min=least)).exp_().unsqueeze(-1))
    log.copy_(joint)


def _additive(mask: torch.Tensor | None, dtype: torch.dtype) -> torch.Tensor | None:
    """A mask in the form the fused kernel takes: zero where seen, minus infinity elsewhere, [1, 1, queries, keys]."""
    if mask is None:
        return None
    return torch.zeros(mask.shape, dtype=dtype).masked_fill_(~mask, float("-inf"))[None, None]
