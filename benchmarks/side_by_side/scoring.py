"""The systems that score closed sets of answers: qlorakit and lm-eval, the evaluation harness of EleutherAI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import qlorakit.bitsandbytes_offline  # before transformers

import torch

import qlorakit as qk
from qlorakit.encoding import Encoder
from side_by_side.base_model import CONTEXT, check_unpacked, load_as_peers_do
from side_by_side.workloads import Sequences, Workload, scoring_sequences

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from qlorakit.task import Example, Output, Prediction, Row
    from side_by_side.measuring import Meter
    from side_by_side.systems import PeerScoring

    Logprobs = list[list[float]]


@dataclass(frozen=True)
class ScoringJob:
    """What a system is to score.

    Attributes:
        workload: What is asked.
        rows: Whose choices are scored.
        passes: How many times all rows are scored, after one row to warm up.
        model: Folder of the base model.
        dtype: In which the model computes.
    """

    workload: Workload
    rows: list[dict[str, Any]]
    passes: int
    model: str
    dtype: torch.dtype = torch.bfloat16

    def prepare(self, tokenizer: PreTrainedTokenizerBase, rows: list[dict[str, Any]]) -> Sequences:
        """Encode rows."""
        return scoring_sequences(self.workload, rows, Encoder(tokenizer, max_length=CONTEXT))


@dataclass(frozen=True)
class Scored:
    """Log-probability in nats of every choice of each row, and the sequences."""

    logprobs: Logprobs
    sequences: Sequences


def score_qlorakit(job: ScoringJob, meter: Meter) -> Scored:
    """Score through qlorakit's public functions, tokenization included."""
    model, tokenizer = qk.load_quantized(job.model, compute_dtype=job.dtype, device="cpu")
    logprobs: Logprobs = []
    with meter.watching(model):
        ask_qlorakit(model, tokenizer, job.workload, job.rows[:1])
        meter.step()
        for _ in range(job.passes):
            logprobs = ask_qlorakit(model, tokenizer, job.workload, job.rows)
            meter.step()
    check_unpacked(model)
    return Scored(logprobs, job.prepare(tokenizer, job.rows))


def ask_qlorakit(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, workload: Workload, rows: list[dict[str, Any]]
) -> Logprobs:
    """Log-probabilities of the choices, which a task's ``parse`` is handed."""
    found: Logprobs = []

    def parse(row: Row, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Output[str]:
        found.extend(list((prediction.logprobs or {}).values()) for prediction in predictions)
        return workload.task.parse(row, examples, predictions)

    qk.predict(model, tokenizer, rows, task=replace(workload.task, parse=parse), progress=False)
    return found


def score_lm_eval(settings: PeerScoring, job: ScoringJob, meter: Meter) -> Scored:
    """Score the same tokens with lm-eval, its cache of logits for shared contexts on."""
    from lm_eval.models.huggingface import HFLM

    model, tokenizer = load_as_peers_do(job.model, job.dtype)
    model.eval()
    harness = HFLM(
        model,
        backend="causal",
        tokenizer=tokenizer,
        batch_size=settings.batch_size,
        max_length=CONTEXT,
        logits_cache=True,
    )
    warm_up, sequences = job.prepare(tokenizer, job.rows[:1]), job.prepare(tokenizer, job.rows)
    logprobs: Logprobs = []
    with meter.watching(model):
        ask_lm_eval(harness, warm_up)
        meter.step()
        for _ in range(job.passes):
            logprobs = ask_lm_eval(harness, sequences)
            meter.step()
    check_unpacked(model)
    return Scored(logprobs, sequences)


def ask_lm_eval(harness: Any, sequences: Sequences) -> Logprobs:  # noqa: ANN401  # lm-eval is imported where it is used
    """Log-probabilities of the choices of each row."""
    requests = [(("", ""), list(prompt), list(choice)) for prompt, choice in sequences.items]
    flat = [logprob for logprob, _ in harness._loglikelihood_tokens(requests, disable_tqdm=True)]  # noqa: SLF001  # the only way to give it tokens
    return [flat[start : start + sequences.per_row] for start in range(0, len(flat), sequences.per_row)]
