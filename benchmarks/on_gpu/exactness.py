"""How far trees are from padded rows, in each type and with each way to attend: log-probabilities and gradients."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import torch
from shapes import SHAPES, load_nf4

from on_gpu.jobs import Difference
from on_gpu.ours import RANK, Batch, layout_of, logprobs
from on_gpu.workloads import WORKLOADS
from qlorakit.adapters import attach_lora
from qlorakit.objectives import Lesson, Lessons

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from on_gpu.jobs import Job
    from qlorakit.attention import Backend
    from qlorakit.layout import Layout

TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
BACKENDS: tuple[Backend, ...] = ("sdpa", "flex")
ALONE = "padded, one row at a time"
START = 0.02  # of the adapter's second matrix, whose zeros would hide the first one's gradients


class Result(NamedTuple):
    """Log-probabilities of all answer tokens in the order of the sequences, and the gradients by weight."""

    logprobs: torch.Tensor
    gradients: Mapping[str, torch.Tensor]


def compare(job: Job) -> Iterator[Difference]:
    """Compare everything with padded rows; the difference of one padded row at a time is what rounding makes."""
    for dtype in TYPES:
        yield from _differences(job, dtype)


def lessons_to_compare(job: Job) -> Lessons:
    """Sentences, and questions about a document, each with all of its choices."""
    vocabulary = SHAPES[job.size]["vocab_size"]
    sentences = replace(WORKLOADS["phrasebank"], rows=6)
    contract = replace(WORKLOADS["contract_nli"], questions=4)
    chosen = [item.shortened() if job.tiny else item for item in (sentences, contract)]
    examples = [example for workload in chosen for row in workload.examples(vocabulary, 0) for example in row]
    return Lessons.of(Lesson(example.continuations, place) for place, example in enumerate(examples))


def _differences(job: Job, dtype: str) -> Iterator[Difference]:
    lessons = lessons_to_compare(job)
    model = attach_lora(load_nf4(Path(job.folder), TYPES[dtype], job.device), r=RANK)
    _start(model)
    trees, padded = (layout_of(model, shared=shared) for shared in (True, False))
    reference = compute(model, lessons, padded, None)
    alone = replace(padded, token_budget=1)
    ways: list[tuple[str, Layout, Backend | None]] = [(ALONE, alone, None)]
    ways += [(f"trees, {backend}", trees, backend) for backend in BACKENDS]
    for way, layout, backend in ways:
        # FlexAttention has no backward pass on a CPU.
        forward_only = torch.no_grad() if backend == "flex" and job.device == "cpu" else nullcontext()
        with forward_only:
            yield _difference(dtype, way, reference, functools.partial(compute, model, lessons, layout, backend))


def _difference(dtype: str, way: str, reference: Result, ask: Callable[[], Result]) -> Difference:
    try:
        found = ask()
    except Exception as error:  # noqa: BLE001  # each backend fails in its own way
        return Difference(dtype, way, None, None, f"{type(error).__name__}: {str(error).strip().splitlines()[0]}")
    gradients = [
        float((gradient - reference.gradients[name]).abs().max() / reference.gradients[name].abs().max())
        for name, gradient in found.gradients.items()
    ]
    logprobs = float((found.logprobs - reference.logprobs).abs().max())
    return Difference(dtype, way, logprobs, max(gradients, default=None))


def compute(model: PreTrainedModel, lessons: Lessons, layout: Layout, backend: Backend | None) -> Result:
    """Run forward and backward over the lessons."""
    found: dict[int, torch.Tensor] = {}
    model.zero_grad(set_to_none=True)
    with layout.engaged(model):
        for batch in layout.batches(lessons.sequences, lessons.rows, lessons.units):
            values = logprobs(batch, model, backend)
            if torch.is_grad_enabled():
                (lessons.loss(batch, values) / lessons.total_weight).backward()
            found.update(by_sequence(batch, values.detach()))
    weights = {name: weight.grad.float() for name, weight in model.named_parameters() if weight.grad is not None}
    return Result(torch.cat([found[item] for item in sorted(found)]), weights)


def by_sequence(batch: Batch, values: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
    """The log-probabilities of each sequence with its place."""
    return zip(batch.items, values.split(batch.sizes), strict=True)


def _start(model: PreTrainedModel) -> None:
    torch.manual_seed(0)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=START)
