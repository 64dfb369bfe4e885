"""Work in processes of their own: what is asked of one, what it answers, and how it is started.

The parent imports neither torch nor transformers, and holds no GPU memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BENCHMARKS = Path(__file__).parents[1]
SOURCE = BENCHMARKS.parent / "src"  # so that qlorakit need not be installed
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}
MARK = "@@ "  # before a line of results
NOT_INSTALLED, NOT_POSSIBLE = "not installed", "not possible"
Kind = Literal["prepare", "machine", "exactness", "measure"]


@dataclass(frozen=True)
class Job:
    """Something for one process to do.

    Attributes:
        kind: What.
        device: ``"cuda"`` or ``"cpu"``.
        size: Of the model.
        folder: Of the model.
        workloads: To be measured, one after the other.
        system: That does it.
        warm_up: Steps before those that are measured.
        steps: That are measured.
    """

    kind: Kind
    device: str
    size: str
    folder: str
    workloads: tuple[str, ...] = ()
    system: str = ""
    warm_up: int = 0
    steps: int = 0

    @property
    def tiny(self) -> bool:
        """Whether this is only to see that everything runs."""
        return self.size == "tiny"


@dataclass(frozen=True)
class Prepared:
    """The model that was written."""

    parameters: int


@dataclass(frozen=True)
class Machine:
    """What is measured on.

    Attributes:
        device: Its name.
        memory_bytes: It has.
        matmul_flops: Of a large bfloat16 matrix product, in operations a second.
        versions: Of packages.
    """

    device: str
    memory_bytes: int
    matmul_flops: float
    versions: str


@dataclass(frozen=True)
class Difference:
    """How far one way to compute is from padded rows.

    Attributes:
        dtype: In which the model computes.
        way: Which.
        logprobs: Largest difference of a token's log-probability, in nats.
        gradients: Largest difference of a gradient, relative to the largest gradient of the same weight; ``None`` where
            there is no backward pass.
        failure: Why something is missing.
    """

    dtype: str
    way: str
    logprobs: float | None
    gradients: float | None
    failure: str | None = None


@dataclass(frozen=True)
class Exactness:
    """Differences of all ways to compute, in both types."""

    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class Measurement:
    """What a system took.

    Attributes:
        seconds: Of each measured step, or pass.
        warm_up_seconds: Of the steps before, compilation included.
        examples: Of a step; rows, where choices are scored.
        peak_bytes: Most memory since the model was loaded, the model included.
        tokens: That entered the model in a step, padding included.
        flops: That the step's tokens need, in operations.
    """

    seconds: tuple[float, ...]
    warm_up_seconds: float
    examples: int
    peak_bytes: int
    tokens: float
    flops: float


@dataclass(frozen=True)
class Failure:
    """What did not finish, and why, in one line."""

    reason: str


@dataclass(frozen=True)
class Run:
    """A system on a workload."""

    workload: str
    system: str
    outcome: Measurement | Failure

    @property
    def failed(self) -> bool:
        """Whether it did not finish, although it could have been made."""
        return isinstance(self.outcome, Failure) and not self.outcome.reason.startswith((NOT_INSTALLED, NOT_POSSIBLE))

    def record(self) -> dict[str, Any]:
        """As it is written."""
        kind = type(self.outcome).__name__.lower()
        return {"workload": self.workload, "system": self.system, kind: asdict(self.outcome)}

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> Run:
        """From what was written."""
        failure = record.get("failure")
        outcome = Failure(**failure) if failure else Measurement(**record["measurement"])
        return cls(record["workload"], record["system"], outcome)


@dataclass(frozen=True)
class Runner:
    """Starts processes, each of which may take so many seconds."""

    seconds: float

    def prepare(self, job: Job) -> Prepared | Failure:
        """Write the model."""
        found, reason = self._run(replace(job, kind="prepare"))
        return Prepared(**found[-1]) if found else Failure(reason)

    def describe(self, job: Job) -> Machine | Failure:
        """Measure the machine."""
        found, reason = self._run(replace(job, kind="machine"))
        return Machine(**found[-1]) if found else Failure(reason)

    def compare(self, job: Job) -> Exactness | Failure:
        """Compare the ways to compute with padded rows."""
        found, reason = self._run(replace(job, kind="exactness"))
        return Exactness(tuple(Difference(**item) for item in found)) if found else Failure(reason)

    def measure(self, job: Job) -> list[Run]:
        """Run a system on workloads.  Those that it did not come to share its last words."""
        found, reason = self._run(replace(job, kind="measure"))
        runs = {run.workload: run for run in map(Run.read, found)}
        return [runs.get(name) or Run(name, job.system, Failure(reason)) for name in job.workloads]

    def _run(self, job: Job) -> tuple[list[dict[str, Any]], str]:
        """What a process found, and why it ended."""
        path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH", "")]))
        environment = {**os.environ, **OFFLINE, "PYTHONPATH": path}
        command = [sys.executable, "-m", f"{Path(__file__).parent.name}.child", json.dumps(asdict(job))]
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
            try:
                status = subprocess.run(  # noqa: S603  # our own module
                    command, cwd=BENCHMARKS, env=environment, stdout=out, stderr=errors, check=False,
                    timeout=self.seconds,
                ).returncode  # fmt: skip
                reason = f"exit status {status}"
            except subprocess.TimeoutExpired:
                reason = f"not finished after {self.seconds:.0f} s"
            out.seek(0)
            errors.seek(0)
            lines = [line.removeprefix(MARK) for line in out if line.startswith(MARK)]
            return [json.loads(line) for line in lines], _last_error(errors) or reason


def _last_error(errors: Iterable[str]) -> str | None:
    """The last line that says what went wrong."""
    found = [line.strip() for line in errors if "Error" in line.partition(":")[0] and not line.startswith(" ")]
    return found[-1] if found else None
