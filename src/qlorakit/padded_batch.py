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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from qlorakit.fused_lora import fused_lora
from qlorakit.logits import plain_model, token_logprobs

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from qlorakit.prefix_tree import Continuation


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
        inputs = {"input_ids": self.input_ids.to(plain_model(model).device)}
        with fused_lora(model):
            return token_logprobs(model, inputs, self.rows, self.positions, self.answers)


def padded_batches(
    sequences: Sequence[Continuation], units: Sequence[int] | None = None, *, token_budget: int, pad: int
) -> list[PaddedBatch]:
    """Cut sequences into batches of at most ``token_budget`` tokens, the longest together.

    Args:
        sequences: Prompts and answers.
        units: Of each sequence; those of one unit stay together.  Each is one of its own unless given.
        token_budget: Most tokens of a forward pass; a unit that needs more stands alone.
        pad: Token to fill up with.
    """
    members: dict[int, list[int]] = {}
    for place, unit in enumerate(range(len(sequences)) if units is None else units):
        members.setdefault(unit, []).append(place)
    batches: list[list[int]] = []
    width = 0
    for length, places in sorted(((_longest(sequences, unit), unit) for unit in members.values()), key=_longest_first):
        if not batches or (len(batches[-1]) + len(places)) * width > token_budget:
            batches.append([])
            width = length
        batches[-1].extend(places)
    return [_pad(sequences, chosen, pad) for chosen in batches]


def default_token_budget(model: PreTrainedModel) -> int:
    """Tokens per micro-batch: a power of two that follows from the model and the machine's total memory alone.

    A quarter of the memory is meant for the activations of a training step.  How much is free at the moment has no say,
    so that the same run on the same machine is always cut alike.
    """
    affordable = max(1, _total_memory(model.device) // 4 // (4 * elements_per_token(model)))
    power = 1 << (affordable.bit_length() - 1)
    return int(min(max(power, 1 << 9), 1 << 14 if model.device.type == "cuda" else 1 << 12))


def elements_per_token(model: PreTrainedModel) -> int:
    """Numbers kept for the backward pass for each token, roughly.

    In each layer 16 tensors as wide as the model, and 6 as wide as its middle.
    """
    config = model.config.get_text_config()
    hidden, layers = config.hidden_size, config.num_hidden_layers
    inner = getattr(config, "intermediate_size", None) or 4 * hidden
    return int(layers * (16 * hidden + 6 * inner))


def _longest(sequences: Sequence[Continuation], places: Sequence[int]) -> int:
    return max(sequences[place].input_length for place in places)


def _longest_first(unit: tuple[int, list[int]]) -> int:
    return -unit[0]


def _pad(sequences: Sequence[Continuation], chosen: Sequence[int], pad: int) -> PaddedBatch:
    width = _longest(sequences, chosen)
    ids: list[list[int]] = []
    rows: list[int] = []
    positions: list[int] = []
    answers: list[int] = []
    for row, index in enumerate(chosen):
        sequence = sequences[index]
        ids.append([*sequence.read, *[pad] * (width - sequence.input_length)])
        first = len(sequence.prompt) - 1
        rows.extend([row] * len(sequence.answer))
        positions.extend(range(first, first + len(sequence.answer)))
        answers.extend(sequence.answer)
    sizes = tuple(len(sequences[index].answer) for index in chosen)
    tensors = torch.tensor(ids), torch.tensor(rows), torch.tensor(positions), torch.tensor(answers)
    return PaddedBatch(tuple(chosen), *tensors, sizes)


def _total_memory(device: torch.device) -> int:
    """Bytes of the GPU, or of the machine."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    import psutil

    return int(psutil.virtual_memory().total)
