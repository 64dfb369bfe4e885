"""LoRA on 4-bit layers as one function of the input: fewer passes over memory, and less kept for the backward pass.

peft computes ``base(x) + scaling * B(A(x))`` in single operations, in float32 whatever the model computes in, and each
of them writes a tensor as large as the layer's output.  Here the low-rank product is added where the base layer's
result stands, in the compute type, and the input is kept once, as it came::

    forward   h = x A'          y = x W' + s h B'
    backward  e = s g B         dx = g W + e A         dA = e' x         dB = s g' h

The base weight W is dequantized in each pass and never kept.  Only plain LoRA is replaced: layers with dropout, DoRA,
several or disabled adapters compute as before.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qlorakit.bitsandbytes_offline import bitsandbytes as bnb
from qlorakit.bitsandbytes_offline import peft

import torch


@contextmanager
def fused_lora(model: torch.nn.Module) -> Iterator[None]:
    """Let the model's plain LoRA layers compute in one function; their own forward comes back afterwards."""
    layers = [module for module in model.modules() if isinstance(module, peft.tuners.lora.bnb.Linear4bit)]
    chosen = [layer for layer in layers if "forward" not in vars(layer) and _is_plain(layer)]
    for layer in chosen:
        layer.forward = functools.partial(_forward, layer)
    try:
        yield
    finally:
        for layer in chosen:
            del layer.forward


def _is_plain(layer: Any) -> bool:  # noqa: ANN401  # peft is not typed
    if layer.disable_adapters or layer.merged or len(layer.active_adapters) != 1:
        return False
    name = layer.active_adapters[0]
    return (
        name in layer.lora_A
        and name not in layer.lora_variant
        and isinstance(layer.lora_dropout[name], torch.nn.Identity)
        and layer.lora_A[name].bias is None
        and layer.lora_B[name].bias is None
        and isinstance(layer.base_layer, bnb.nn.Linear4bit)
        and layer.base_layer.weight.quant_state is not None
    )


def _forward(layer: Any, x: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    name = layer.active_adapters[0]
    base = layer.base_layer
    compute = base.compute_dtype or x.dtype
    biased_otherwise = base.bias is not None and base.bias.dtype != compute
    if x.dtype != compute or biased_otherwise or torch.is_autocast_enabled(x.device.type):
        plain: torch.Tensor = type(layer).forward(layer, x)
        return plain
    result: torch.Tensor = _FusedLora.apply(  # type: ignore[no-untyped-call]
        x, layer.lora_A[name].weight, layer.lora_B[name].weight, base, layer.scaling[name]
    )
    return result


class _FusedLora(torch.autograd.Function):
    """A frozen 4-bit layer with its low-rank addition."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        x: torch.Tensor,
        down: torch.Tensor,
        up: torch.Tensor,
        base: bnb.nn.Linear4bit,
        scale: float,
    ) -> torch.Tensor:
        """Output of the layer, [..., out]; ``x`` is [..., in], ``down`` [rank, in], ``up`` [out, rank]."""
        flat = x.reshape(-1, x.shape[-1])
        hidden = flat @ down.to(x.dtype).t()
        out: torch.Tensor = bnb.matmul_4bit(flat, base.weight, bias=base.bias, quant_state=base.weight.quant_state)
        out.addmm_(hidden, up.to(x.dtype).t(), alpha=scale)
        ctx.save_for_backward(flat, hidden, down, up)
        ctx.base, ctx.scale, ctx.shape = base, scale, x.shape
        return out.reshape(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: ANN401
        """Gradients of the input and of the two low-rank matrices."""
        flat, hidden, down, up = ctx.saved_tensors
        grad = grad.reshape(-1, grad.shape[-1])
        narrow = (grad @ up.to(grad.dtype)).mul_(ctx.scale)
        grad_x = None
        if ctx.needs_input_grad[0]:
            weight = ctx.base.weight
            grad_x = grad @ bnb.functional.dequantize_4bit(weight.data, weight.quant_state).to(grad.dtype)
            grad_x = grad_x.addmm_(narrow, down.to(grad.dtype)).reshape(ctx.shape)
        grad_down = (narrow.t() @ flat).to(down.dtype)
        grad_up = (grad.t() @ hidden).mul_(ctx.scale).to(up.dtype)
        return grad_x, grad_down, grad_up, None, None
