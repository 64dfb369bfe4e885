"""Runs in processes of their own: what is asked of one, what it answers, and how it is started."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

AGREEMENT = "agreement"  # in place of a system's name
HERE = Path(__file__).parent
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}


@dataclass(frozen=True)
class Job:
    """One run.

    Attributes:
        workload: Name of what is done.
        system: Name of what does it; ``AGREEMENT`` to compare the answers of the scoring systems.
        threads: Of torch.
        number: Of the round, which chooses the rows.
        steps: Measured; one more goes before to warm up.
        model: Folder of the base model.
    """

    workload: str
    system: str
    threads: int
    number: int
    steps: int
    model: str


@dataclass(frozen=True)
class Measurement:
    """What a run took.

    Attributes:
        seconds: Of each measured step.
        examples: That each of them trained on; rows, where choices are scored.
        cpu_seconds: Processor time of all of them together; less than threads x seconds where others kept it busy.
        loaded_bytes: Memory of the process when the model had been loaded.
        peak_bytes: Most memory of the process since then.
        tokens: That entered the model in each measured step, padding included.
        given_tokens: Of the sequences that had to be computed in a step, repeats and all.
        distinct_tokens: Of them, when every common beginning is counted once.
        prompt_tokens: Mean length of the prompts.
        shared_tokens: At the start of all prompts.
        first_loss: Of the first step, in nats per token learned from; ``None`` where choices are scored.
    """

    seconds: tuple[float, ...]
    examples: int
    cpu_seconds: float
    loaded_bytes: int
    peak_bytes: int
    tokens: tuple[int, ...]
    given_tokens: int
    distinct_tokens: int
    prompt_tokens: float
    shared_tokens: int
    first_loss: float | None = None


@dataclass(frozen=True)
class Agreement:
    """Whether qlorakit and lm-eval say the same in float32.

    Attributes:
        rows: That were scored.
        same_answer: Of them, those with the same likeliest choice.
        largest_difference: Between two log-probabilities of the same choice, in nats.
    """

    rows: int
    same_answer: int
    largest_difference: float


@dataclass(frozen=True)
class Failure:
    """A run that did not finish.

    Attributes:
        reason: The last line of its errors.
    """

    reason: str


Outcome = Measurement | Agreement | Failure


def run(job: Job) -> Outcome:
    """Run a job in a process of its own and wait for it."""
    threads = str(job.threads)
    environment = {**os.environ, **OFFLINE, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    command = [sys.executable, "-m", f"{HERE.name}.child", json.dumps(asdict(job))]
    done = subprocess.run(command, cwd=HERE.parent, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # our own module
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        return Failure(said[-1] if said else f"exit status {done.returncode}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return Agreement(**answer) if job.system == AGREEMENT else Measurement(**answer)
