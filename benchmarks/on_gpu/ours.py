"""qlorakit: its batches, loss and adapter, in a bare loop, since the backend of attention is no public choice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import torch
from random_tokens import PAD
from shapes import SHAPES, load_nf4
from transformers import AutoTokenizer

from on_gpu.flops import Work
from on_gpu.systems import BY_NAME
from on_gpu.workloads import WORKLOADS, Example
from qlorakit.adapters import attach_lora
from qlorakit.layout import Layout
from qlorakit.objectives import Lesson, Lessons
from qlorakit.padded_batch import PaddedBatch, default_token_budget
from qlorakit.quantization import evaluating
from qlorakit.tree_batch import Past, TreeBatch, common_past

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from on_gpu.jobs import Job
    from on_gpu.measuring import Clock
    from on_gpu.systems import System
    from qlorakit.attention import Backend

RANK = 16
LEARNING_RATE = 1e-4
MOST_NORM = 1.0  # of the gradients, as in transformers' Trainer
Batch = TreeBatch | PaddedBatch


@dataclass(frozen=True)
class Done:
    """What a system did.

    Attributes:
        work: Of a measured step; its tokens are those that entered the model.
        examples: Of a step; rows, where choices are scored.
    """

    work: Work
    examples: int


@dataclass(frozen=True)
class Order:
    """A workload, and the job that it is part of."""

    job: Job
    workload: str

    @property
    def system(self) -> System:
        """Who is to do it."""
        return BY_NAME[self.job.system]

    @property
    def repetitions(self) -> int:
        """Steps to warm up, and those that are measured."""
        return self.job.warm_up + self.job.steps

    def rows(self, seed: int = 0) -> list[list[Example]]:
        """The rows of a step; those of the measured steps have seed 0."""
        workload = WORKLOADS[self.workload]
        workload = workload.shortened() if self.job.tiny else workload
        return workload.examples(SHAPES[self.job.size]["vocab_size"], seed)

    def load(self) -> PreTrainedModel:
        """The base model."""
        return load_nf4(Path(self.job.folder), torch.bfloat16, self.job.device)

    def tokenizer(self) -> PreTrainedTokenizerBase:
        """Its tokenizer."""
        return AutoTokenizer.from_pretrained(self.job.folder, local_files_only=True)


def layout_of(model: PreTrainedModel, *, shared: bool) -> Layout:
    """As qlorakit chooses it for the device, without its check."""
    return Layout(shared=shared, token_budget=default_token_budget(model), pad=PAD)


def logprobs(batch: Batch, model: PreTrainedModel, backend: Backend | None, past: Past | None = None) -> torch.Tensor:
    """Log-probability of each answer token of a batch."""
    return batch.logprobs(model, past, backend) if isinstance(batch, TreeBatch) else batch.logprobs(model)


def lessons_of(rows: Sequence[Sequence[Example]]) -> Lessons:
    """The right answers of rows."""
    return Lessons.of(
        Lesson(example.continuations[:1], place) for place, examples in enumerate(rows) for example in examples
    )


def train_qlorakit(order: Order, clock: Clock) -> Done:
    """Take steps: those to warm up on rows of their own, with other lengths."""
    backend = order.system.backend
    model = attach_lora(order.load(), r=RANK).train()
    layout = layout_of(model, shared=backend is not None)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, fused=order.job.device == "cuda")
    measured = lessons_of(order.rows())
    steps = [lessons_of(order.rows(seed)) for seed in range(1, order.job.warm_up + 1)]
    steps += [measured] * order.job.steps
    with clock.watching(model):
        for lessons in steps:
            backward(model, lessons, cut(lessons, layout), layout, backend)
            torch.nn.utils.clip_grad_norm_(weights, MOST_NORM)
            optimizer.step()
            optimizer.zero_grad()
    return Done(work_of(cut(measured, layout)), len(measured.lessons))


def cut(lessons: Lessons, layout: Layout) -> Sequence[Batch]:
    """The batches of lessons."""
    return layout.batches(lessons.sequences, lessons.rows, lessons.units)


def backward(
    model: PreTrainedModel, lessons: Lessons, batches: Sequence[Batch], layout: Layout, backend: Backend | None
) -> None:
    """Run forward and backward, micro-batch by micro-batch."""
    with layout.engaged(model):
        for batch in batches:
            loss = lessons.loss(batch, logprobs(batch, model, backend)) / lessons.total_weight
            loss.backward()


def score_qlorakit(order: Order, clock: Clock) -> Done:
    """Score all choices of all rows; in each pass, what all prompts begin with is computed once."""
    from qlorakit.inference import Scoring

    backend = order.system.backend
    model = order.load()
    layout = layout_of(model, shared=backend is not None)
    rows = order.rows()
    sets = [(example.prompt, example.answers) for examples in rows for example in examples]
    scoring = Scoring.prepare(sets, range(len(sets)), layout)
    with clock.watching(model), evaluating(model):
        for _ in range(order.repetitions):
            scoring = Scoring.prepare(sets, range(len(sets)), layout)
            past = common_past(model, scoring.prefix)
            for _, batch in scoring.batches:
                logprobs(batch, model, backend, past).cpu()
            clock.step()
    return Done(work_of([batch for _, batch in scoring.batches]), len(rows))


def work_of(batches: Sequence[Batch]) -> Work:
    """Count the work of batches."""
    return Work(
        tokens=sum(batch.tokens for batch in batches),
        predicted=sum(
            len(batch.parents.unique() if isinstance(batch, TreeBatch) else batch.answers) for batch in batches
        ),
        pairs=sum(map(seen_pairs, batches)),
    )


def seen_pairs(batch: Batch) -> int:
    """Pairs of a token and one that it sees: in a tree, as many as the token is deep, and itself."""
    if isinstance(batch, TreeBatch):
        return int(batch.row[1].long().sum()) + batch.tokens
    rows, width = batch.input_ids.shape
    return rows * width * (width + 1) // 2
