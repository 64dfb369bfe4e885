"""One run: takes a job as JSON, prints what was measured as one line of JSON.

python -m side_by_side.child '{"workload": "phrasebank", "system": "trl", ...}'
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import torch
import transformers

from side_by_side.measuring import Meter
from side_by_side.runs import AGREEMENT, Agreement, Job, Measurement
from side_by_side.scoring import Scored, ScoringJob, score_lm_eval, score_qlorakit
from side_by_side.systems import SYSTEMS, OurTraining, PeerScoring, PeerTraining, System, systems_for
from side_by_side.training import Trained, TrainingJob, train_peer, train_qlorakit
from side_by_side.workloads import WORKLOADS

AGREEMENT_ROWS = 8


def main() -> None:
    """Do what the one argument says."""
    job = Job(**json.loads(sys.argv[1]))
    torch.set_num_threads(job.threads)
    transformers.utils.logging.disable_progress_bar()
    answer = agree(job) if job.system == AGREEMENT else measure(job)
    sys.stdout.write(f"\n{json.dumps(asdict(answer))}\n")


def measure(job: Job) -> Measurement:
    """Run a system on a workload."""
    workload, meter = WORKLOADS[job.workload], Meter()
    (system,) = (item for item in systems_for(workload) if item.name == job.system)
    if workload.scoring:
        scored = score(system, scoring_job(job), meter)
        sequences, examples, loss = scored.sequences, len(scored.logprobs), None
    else:
        with tempfile.TemporaryDirectory(prefix="qlorakit-speed-") as scratch:
            trained = train(system, training_job(job, Path(scratch)), meter)
        sequences, examples, loss = trained.sequences, len(trained.sequences.items), trained.first_loss
    # The first step warms up.
    seconds = [after - before for before, after in pairwise(meter.moments)][1:]
    tokens = [after - before for before, after in pairwise(meter.tokens)][1:]
    return Measurement(
        seconds=tuple(seconds),
        examples=examples,
        cpu_seconds=meter.cpu_moments[-1] - meter.cpu_moments[1],
        loaded_bytes=meter.loaded_bytes,
        peak_bytes=meter.peak_bytes,
        tokens=tuple(tokens),
        given_tokens=sequences.tokens,
        distinct_tokens=sequences.distinct_tokens,
        prompt_tokens=sequences.prompt_tokens,
        shared_tokens=sequences.shared_tokens,
        first_loss=loss,
    )


def train(system: System, job: TrainingJob, meter: Meter) -> Trained:
    """Train with the library that the system's settings are for."""
    if isinstance(system.settings, PeerTraining):
        return train_peer(system.settings, job, meter)
    return train_qlorakit(cast(OurTraining, system.settings), job, meter)


def score(system: System, job: ScoringJob, meter: Meter) -> Scored:
    """Score with the library that the system's settings are for."""
    if isinstance(system.settings, PeerScoring):
        return score_lm_eval(system.settings, job, meter)
    return score_qlorakit(job, meter)


def training_job(job: Job, scratch: Path) -> TrainingJob:
    """The rows of the round, and one step more than are measured."""
    workload = WORKLOADS[job.workload]
    return TrainingJob(workload, rows_of(job), job.steps + 1, job.model, scratch)


def scoring_job(job: Job) -> ScoringJob:
    """The rows of the round."""
    return ScoringJob(WORKLOADS[job.workload], rows_of(job), job.steps, job.model)


def rows_of(job: Job) -> list[dict[str, Any]]:
    """The rows of the round, cut by the model's tokenizer."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(job.model, local_files_only=True)
    return WORKLOADS[job.workload].rows_of(job.number, tokenizer)


def agree(job: Job) -> Agreement:
    """Score a few rows in float32 with both systems and compare."""
    asked = scoring_job(job)
    asked = replace(asked, rows=asked.rows[:AGREEMENT_ROWS], dtype=torch.float32, passes=1)
    ours = score_qlorakit(asked, Meter()).logprobs
    (peer,) = (system.settings for system in SYSTEMS if isinstance(system.settings, PeerScoring))
    theirs = score_lm_eval(peer, asked, Meter()).logprobs
    pairs = list(zip(ours, theirs, strict=True))
    return Agreement(
        rows=len(pairs),
        same_answer=sum(likeliest(our) == likeliest(their) for our, their in pairs),
        largest_difference=max(abs(a - b) for our, their in pairs for a, b in zip(our, their, strict=True)),
    )


def likeliest(logprobs: Sequence[float]) -> int:
    """Place of the likeliest choice."""
    return max(range(len(logprobs)), key=logprobs.__getitem__)


if __name__ == "__main__":
    main()
