"""The log-probability of chosen tokens at chosen places, without ever holding more logits than need be."""

from __future__ import annotations

import functools
import inspect
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar, cast

from qlorakit.bitsandbytes_offline import peft

import torch
from torch.utils.checkpoint import checkpoint

from qlorakit.last_layer import only_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedModel

Verb = TypeVar("Verb", bound="Callable[..., Any]")
_LOCKS: weakref.WeakKeyDictionary[torch.nn.Module, threading.RLock] = weakref.WeakKeyDictionary()
# Logits held at a time.  A quarter of a gigabyte in float32, and as much again for their gradient.
MOST_LOGITS = 1 << 26


def plain_model(model: torch.nn.Module) -> PreTrainedModel:
    """The transformers model behind an adapter and behind what several processes wrap it in."""
    if isinstance(model, torch.nn.parallel.DistributedDataParallel):
        model = model.module
    return model.get_base_model() if isinstance(model, peft.PeftModel) else model


def one_at_a_time(verb: Verb) -> Verb:
    """Let a model do one thing at a time: while it follows a tree, another thread must not ask it anything.

    Args:
        verb: Whose first argument is the model.
    """

    @functools.wraps(verb)
    def waiting(*arguments: Any, **settings: Any) -> Any:  # noqa: ANN401  # as the verb has them
        model = arguments[0] if arguments else settings.get("model")
        if not isinstance(model, torch.nn.Module):
            return verb(*arguments, **settings)  # which says what is wrong
        with _LOCKS.setdefault(plain_model(model), threading.RLock()):
            return verb(*arguments, **settings)

    return cast(Verb, waiting)


def token_logprobs(
    model: torch.nn.Module,
    inputs: dict[str, Any],
    rows: torch.Tensor,
    places: torch.Tensor,
    tokens: torch.Tensor,
    *,
    trimmed: bool = False,
    most_logits: int = MOST_LOGITS,
) -> torch.Tensor:
    """Log-probability in nats of tokens, each predicted at a place of a row.

    Logits are computed at those places only.  Where they would still be many, because targets are long or the
    vocabulary is large, they are computed in pieces from the last hidden states, and once more in the backward pass.

    Args:
        model: With its head.
        inputs: For its forward; ``input_ids`` [rows, length].
        rows: Row of each token, [tokens].
        places: Place in that row after which it is predicted, [tokens].
        tokens: Their ids, [tokens].
        trimmed: Whether the last layer may leave out what nobody reads; only for models that have been checked.
        most_logits: Held at a time.

    Returns:
        [tokens] in float32; gradients flow.
    """
    device = inputs["input_ids"].device
    height, length = inputs["input_ids"].shape
    # Several tokens may be predicted at one place: each place is computed once.
    wanted, token_of = (rows * length + places).to(device).unique(return_inverse=True)
    tokens = tokens.to(device)
    vocabulary = plain_model(model).get_output_embeddings().weight.shape[0]
    kept = (wanted % length).unique()
    if height * len(kept) * vocabulary > most_logits:
        size = max(1, most_logits // vocabulary)
        with only_at(plain_model(model), wanted, height * length) if trimmed else nullcontext():
            decoded = _decode(model, inputs)
        return _piecewise(model, decoded, wanted, token_of, tokens, size)
    everything = wanted
    if keeps_logits(model):
        inputs = {**inputs, "logits_to_keep": kept}
        wanted = wanted // length * len(kept) + torch.searchsorted(kept, wanted % length)
    with only_at(plain_model(model), everything, height * length) if trimmed else nullcontext():
        logits = model(**inputs, use_cache=False).logits.flatten(0, 1)
    return _logprobs(logits if len(wanted) == len(logits) else logits[wanted], token_of, tokens)


def _logprobs(logits: torch.Tensor, places: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Log-probabilities from logits [places, vocabulary] of tokens with their place, [tokens]."""
    logits = logits.float()
    return logits[places, tokens] - logits.logsumexp(-1)[places]


def keeps_logits(model: torch.nn.Module) -> bool:
    """Whether the model can compute logits at chosen places only; a few older architectures cannot."""
    return "logits_to_keep" in inspect.signature(plain_model(model).forward).parameters


def _decode(model: torch.nn.Module, inputs: dict[str, Any]) -> Any:  # noqa: ANN401  # each architecture has its own
    """What the decoder gives to the output head."""
    found: list[Any] = []
    handle = plain_model(model).base_model.register_forward_hook(lambda *call: found.append(call[2]))
    # As a tensor: some architectures leave out other places from their last layers when it is a number.
    only_one = {"logits_to_keep": torch.tensor([0], device=inputs["input_ids"].device)} if keeps_logits(model) else {}
    try:
        model(**inputs, use_cache=False, **only_one)
    finally:
        handle.remove()
    return found[0]


def _piecewise(
    model: torch.nn.Module,
    decoded: Any,  # noqa: ANN401
    wanted: torch.Tensor,
    places: torch.Tensor,
    tokens: torch.Tensor,
    size: int,
) -> torch.Tensor:
    """Log-probabilities from what the decoder gave, of which ``size`` wanted places go through the head at a time."""
    plain = plain_model(model)
    hidden = decoded.last_hidden_state.flatten(0, 1)[wanted]

    def piece(part: torch.Tensor, inside: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        with _decoder_replaced(plain, type(decoded)(last_hidden_state=part[None])):
            return _logprobs(plain(input_ids=inside[None], use_cache=False).logits[0], inside, targets)

    order = places.argsort(stable=True)
    found = []
    for start in range(0, len(hidden), size):
        members = order[(places[order] >= start) & (places[order] < start + size)]
        arguments = hidden[start : start + size], places[members] - start, tokens[members]
        found.append(checkpoint(piece, *arguments, use_reentrant=False))
    return torch.cat(found)[order.argsort()]


@contextmanager
def _decoder_replaced(plain: PreTrainedModel, decoded: object) -> Iterator[None]:
    """Let the model compute its head alone, in its own way, with scales and caps, on what its decoder gave before."""
    decoder = plain.base_model
    before = vars(decoder).get("forward")
    decoder.forward = lambda *_, **__: decoded
    try:
        yield
    finally:
        if before is None:
            del decoder.forward
        else:
            decoder.forward = before
