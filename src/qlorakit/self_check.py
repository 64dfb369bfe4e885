"""Whether a model computes sequences together as it computes each by itself.

The standard is the model as it comes, asked one sequence after the other.  Everything is computed in float32: in half
precision, rounding hides what a small difference means.  The check is the gate, not a list of names.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from qlorakit.logits import keeps_logits, plain_model
from qlorakit.padded_batch import PaddedBatch, padded_batches
from qlorakit.prefix_tree import Continuation, common_length
from qlorakit.quantization import evaluating, in_float32
from qlorakit.tree_batch import TreeBatch, common_past, tree_batches

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

# In nats, of float32.  A row that sees another's tokens is off by far more; so is padding that is seen.
ROUNDING, LEAK = 1e-3, 5e-3
TIMES_ROUNDING = 5
NO_MEMORY = "allocate memory"  # in what torch says where a CPU has none left


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a way of computing sequences together; ``None`` where nothing is.

    Attributes:
        trees: With prefix trees, also after keys and values that were kept.
        padded: With padded rows.
    """

    trees: str | None
    padded: str | None


def check(
    model: PreTrainedModel, real: Sequence[Continuation] = (), *, pad: int, made_up: Sequence[Continuation] = ()
) -> Verdict:
    """Compute sequences alone, padded and as trees, and compare their log-probabilities.

    Padded rows differ from single ones by rounding; trees may differ by some times as much.

    Args:
        model: To be asked.
        real: Sequences it will be asked.
        pad: Token for padding.
        made_up: Besides these; random ones longer than every window that can come into play unless given.
    """
    longest = max((sequence.input_length for sequence in real), default=0)
    made_up = made_up or made_up_sequences(model, longest)
    sequences = [*made_up, *real]
    with evaluating(model), in_float32(model):
        try:
            alone, padded = _alone(model, sequences), _padded(model, sequences, pad)
        except Exception as error:  # noqa: BLE001  # some architectures cannot be computed in float32 module by module
            return Verdict(_explained(error), None)
        if not torch.isfinite(alone).all():
            return Verdict(None, None)  # the model itself is broken, which is for others to say
        noise = float((padded - alone).abs().max())
        wrong_padding = None if noise <= LEAK else f"log-probabilities are off by {noise:.2g}"
        tolerance = min(max(TIMES_ROUNDING * noise, ROUNDING), LEAK)
        return Verdict(_compare_trees(model, sequences, made_up, alone, tolerance), wrong_padding)


def _compare_trees(
    model: PreTrainedModel,
    sequences: Sequence[Continuation],
    made_up: Sequence[Continuation],
    alone: torch.Tensor,
    tolerance: float,
) -> str | None:
    try:
        whole = _as_trees(model, sequences)
        after_past = _after_past(model, made_up)
    except Exception as error:  # noqa: BLE001  # an architecture fails in its own way
        return _explained(error)
    expected = torch.cat([alone, alone[: len(after_past)]])
    found = float((expected - torch.cat([whole, after_past])).abs().max())
    if found <= tolerance:
        return None
    return f"log-probabilities are off by {found:.2g}, where {tolerance:.2g} would be rounding"


def _alone(model: PreTrainedModel, sequences: Sequence[Continuation]) -> torch.Tensor:
    """Log-probabilities of all answer tokens by the model as it comes, sequence by sequence."""
    found = []
    for sequence in sequences:
        size = len(sequence.answer)
        only: dict[str, Any] = {"logits_to_keep": size} if keeps_logits(model) else {}
        ids = torch.tensor([sequence.read], device=plain_model(model).device)
        logits = model(input_ids=ids, use_cache=False, **only).logits[0, -size:].float()
        found.append(logits.log_softmax(-1)[range(size), list(sequence.answer)])
    return torch.cat(found)


def _padded(model: PreTrainedModel, sequences: Sequence[Continuation], pad: int) -> torch.Tensor:
    budget = 2 * max(sequence.input_length for sequence in sequences)
    return _in_order(padded_batches(sequences, token_budget=budget, pad=pad), lambda batch: batch.logprobs(model))


def _as_trees(model: PreTrainedModel, sequences: Sequence[Continuation]) -> torch.Tensor:
    everything = sum(sequence.input_length for sequence in sequences)
    batches = tree_batches(sequences, [0] * len(sequences), token_budget=everything)
    return _in_order(batches, lambda batch: batch.logprobs(model))


def _after_past(model: PreTrainedModel, sequences: Sequence[Continuation]) -> torch.Tensor:
    """Log-probabilities of the sequences that begin as the first one does, after keys and values kept of that."""
    alike = [item for item in sequences if item.prompt[:1] == sequences[0].prompt[:1]]
    prompts = [item.prompt for item in alike]
    length = min(common_length(min(prompts), max(prompts)), min(map(len, prompts)) - 1)
    past = common_past(model, prompts[0][:length])
    everything = sum(item.input_length for item in alike)
    batches = tree_batches(alike, [0] * len(alike), token_budget=everything, skip=length)
    return _in_order(batches, lambda batch: batch.logprobs(model, past))


def _in_order(
    batches: Sequence[TreeBatch] | Sequence[PaddedBatch], logprobs: Callable[[Any], torch.Tensor]
) -> torch.Tensor:
    """Log-probabilities of all answer tokens, sequence by sequence."""
    found: dict[int, torch.Tensor] = {}
    for batch in batches:
        found.update(zip(batch.items, logprobs(batch).split(batch.sizes), strict=True))
    return torch.cat([found[item] for item in sorted(found)])


def _explained(error: Exception) -> str:
    """What went wrong, unless it was for want of memory, which says nothing about the model."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or NO_MEMORY in str(error):
        raise error
    return f"{type(error).__name__}: {error}"


def made_up_sequences(model: PreTrainedModel, longest: int) -> list[Continuation]:
    """Random sequences with a trunk and two levels of branches, longer than every window that can come into play.

    The last one begins otherwise and is shorter, so that padding is part of what is compared.
    """
    config = _config(model)
    # A window that no sequence reaches cannot show; one that some do must be passed well inside the trunk.
    trunk = min(max([32, *(window + 8 for window in windows(model))]), max(32, longest))
    context = getattr(config, "max_position_embeddings", None) or trunk + 12
    trunk = max(2, min([trunk, *(most - 12 for most in (context, *turning_points(model)))]))
    draw = random.Random(0)  # noqa: S311  # nothing secret

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(draw.randrange(config.vocab_size) for _ in range(count))

    stem = tokens(trunk)
    branches = [stem + tokens(4) for _ in range(2)]
    other = ((stem[0] + 1) % config.vocab_size, *tokens(min(trunk, 12)))
    return [*(Continuation(branch, tokens(6)) for branch in branches for _ in range(2)), Continuation(other, tokens(3))]


def windows(model: PreTrainedModel) -> list[int]:
    """How far back layers see, in tokens."""
    config = _config(model)
    return [int(size) for name in ("sliding_window", "attention_chunk_size") if (size := getattr(config, name, None))]


def turning_points(model: PreTrainedModel) -> list[int]:
    """Lengths, in tokens, above which all positions of a batch are computed otherwise.

    So it is in LongRoPE (Ding et al., 2024) and in NTK scaling that follows the length (bloc97, 2023).
    """
    config = _config(model)
    rotary = getattr(config, "rope_parameters", None) or {}
    found = []
    for place in (rotary, *(value for value in rotary.values() if isinstance(value, dict))):
        kind = str(place.get("rope_type", ""))
        if kind == "longrope" or "dynamic" in kind:
            own = place.get("original_max_position_embeddings")
            of_model = getattr(config, "original_max_position_embeddings", None) or config.max_position_embeddings
            found.append(int(own or of_model))
    return found


def _config(model: PreTrainedModel) -> PreTrainedConfig:
    return plain_model(model).config.get_text_config()
