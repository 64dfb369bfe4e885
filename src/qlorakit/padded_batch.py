"""Plain padded batches: the reference that any faster layout is proven against, and the fallback where none works.

One row per sequence, padded on the right.  A causal model never looks to the right, so padding needs no mask and cannot
change an answer, whatever the architecture::

    prompt prompt prompt answer answer
    prompt prompt answer pad    pad
           ^      ^
           logits are computed only where an answer token is predicted

A layout is anything with ``items``, ``sizes``, ``tokens`` and ``logprobs`` as :class:`PaddedBatch` has them, and a
function like :func:`padded_batches` that cuts sequences into such batches.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qlorakit.bitsandbytes_offline import peft

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Continuation:
    """A prompt and an answer to it, as token ids; wanted is the log-probability of each token of the answer."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    @property
    def input_length(self) -> int:
        """Tokens the model must read: the answer's last one is only predicted."""
        return len(self.prompt) + len(self.answer) - 1


@dataclass(frozen=True)
class PaddedBatch:
    """Sequences in one rectangle.

    Attributes:
        items: Their places in the list that was cut into batches.
        input_ids: [sequences, longest].
        rows: Sequence of each answer token, [answer tokens].
        positions: Place whose logits predict it, [answer tokens].
        answers: Its id, [answer tokens].
        sizes: Answer tokens of each sequence.
    """

    items: tuple[int, ...]
    input_ids: torch.Tensor
    rows: torch.Tensor
    positions: torch.Tensor
    answers: torch.Tensor
    sizes: tuple[int, ...]

    @property
    def tokens(self) -> int:
        """Tokens that one forward pass computes, padding included."""
        return self.input_ids.numel()

    def logprobs(self, model: PreTrainedModel) -> torch.Tensor:
        """Log-probability in nats of each answer token, [answer tokens], in float32; gradients flow."""
        device = model.device
        kept = self.positions.unique()  # sorted
        if _keeps_logits(model):
            keep = {"logits_to_keep": kept.to(device)}
            columns = torch.searchsorted(kept, self.positions)
        else:
            keep, columns = {}, self.positions
        logits = model(input_ids=self.input_ids.to(device), use_cache=False, **keep).logits
        chosen = logits[self.rows.to(device), columns.to(device)].float()
        return -functional.cross_entropy(chosen, self.answers.to(device), reduction="none")


def padded_batches(sequences: Sequence[Continuation], *, token_budget: int, pad: int) -> list[PaddedBatch]:
    """Cut sequences into batches of at most ``token_budget`` tokens, the longest together.

    A sequence longer than the budget stands alone.
    """
    order = sorted(range(len(sequences)), key=lambda index: -sequences[index].input_length)
    batches: list[PaddedBatch] = []
    start = 0
    while start < len(order):
        width = sequences[order[start]].input_length
        chosen = order[start : start + max(1, token_budget // width)]
        batches.append(_pad(sequences, chosen, width, pad))
        start += len(chosen)
    return batches


def default_token_budget(model: PreTrainedModel) -> int:
    """Tokens per micro-batch: a power of two that follows from the model and the machine's total memory alone.

    A quarter of the memory is meant for the activations of a training step.  How much is free at the moment has no say,
    so that the same run on the same machine is always cut alike.
    """
    config = model.config.get_text_config()
    hidden, layers = config.hidden_size, config.num_hidden_layers
    # Kept for the backward pass in each layer, roughly: 16 tensors as wide as the model, 6 as wide as its middle.
    inner = getattr(config, "intermediate_size", None) or 4 * hidden
    per_token = 4 * layers * (16 * hidden + 6 * inner)
    affordable = max(1, _total_memory(model.device) // 4 // per_token)
    power = 1 << (affordable.bit_length() - 1)
    return int(min(max(power, 1 << 9), 1 << 14 if model.device.type == "cuda" else 1 << 10))


def _pad(sequences: Sequence[Continuation], chosen: Sequence[int], width: int, pad: int) -> PaddedBatch:
    ids: list[list[int]] = []
    rows: list[int] = []
    positions: list[int] = []
    answers: list[int] = []
    for row, index in enumerate(chosen):
        sequence = sequences[index]
        read = (*sequence.prompt, *sequence.answer)[:-1]
        ids.append([*read, *[pad] * (width - len(read))])
        first = len(sequence.prompt) - 1
        rows.extend([row] * len(sequence.answer))
        positions.extend(range(first, first + len(sequence.answer)))
        answers.extend(sequence.answer)
    sizes = tuple(len(sequences[index].answer) for index in chosen)
    tensors = torch.tensor(ids), torch.tensor(rows), torch.tensor(positions), torch.tensor(answers)
    return PaddedBatch(tuple(chosen), *tensors, sizes)


def _keeps_logits(model: torch.nn.Module) -> bool:
    """Whether the model can compute logits at chosen places only; a few older architectures cannot."""
    inner = model.get_base_model() if isinstance(model, peft.PeftModel) else model
    return "logits_to_keep" in inspect.signature(inner.forward).parameters


def _total_memory(device: torch.device) -> int:
    """Bytes of the GPU, or of the machine."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    import psutil

    return int(psutil.virtual_memory().total)
