"""From runs to lines of a table: medians over rounds, and ratios to the fastest peer."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from side_by_side.runs import AGREEMENT, Agreement, Failure, Job, Measurement, Outcome
from side_by_side.systems import TRL_AS_IT_COMES, systems_for
from side_by_side.workloads import WORKLOADS

GB = 1e9
LOSS_TOLERANCE = 0.02  # nats: bfloat16 rounds differently in each system
COLUMNS = ("system", "examples/s", "peak GB", "tokens/step", "x speed", "x memory")  # x: of the fastest peer
NOTHING = "-"


@dataclass(frozen=True)
class Line:
    """What all rounds of a system on a workload say together.

    Attributes:
        system: Its name.
        examples_per_second: Median over rounds of each round's median step.
        peak_bytes: Median over rounds.
        tokens: That entered the model in a step, mean over rounds.
        failure: Why a round failed; ``None`` where none did.
    """

    system: str
    examples_per_second: float = 0.0
    peak_bytes: float = 0.0
    tokens: float = 0.0
    failure: str | None = None


@dataclass(frozen=True)
class Section:
    """All systems on one workload at one number of threads.

    Attributes:
        workload: Its name.
        threads: Of torch.
        lines: One per system.
        fastest_peer: The line that the others are compared with; ``None`` where no peer finished.
        sequences: What was computed, in words.
        agreement: Between the scoring systems; ``None`` in training, or where it was not measured.
        first_losses: Largest difference between systems of a round's first loss, in nats; ``None`` in scoring.
        loaded: How much of the memory was held before the first step, in words.
        occupation: How much of the processor the runs had, in words.
    """

    workload: str
    threads: int
    lines: tuple[Line, ...]
    fastest_peer: Line | None
    sequences: str
    agreement: Outcome | None
    first_losses: float | None
    loaded: str
    occupation: str

    @property
    def sound(self) -> bool:
        """Whether every run finished and all systems computed the same."""
        finished = all(line.failure is None for line in self.lines)
        return finished and (self.first_losses or 0.0) <= LOSS_TOLERANCE and _agrees(self.agreement)

    @property
    def title(self) -> str:
        """What it is about."""
        return f"{self.workload}, {self.threads} thread{'s' if self.threads > 1 else ''}"

    def cells(self) -> list[tuple[str, ...]]:
        """The table's rows as text, the columns as in ``COLUMNS``."""
        return [(line.system, *self._numbers(line)) for line in self.lines]

    def _numbers(self, line: Line) -> tuple[str, ...]:
        if line.failure is not None:
            return ("failed", *[NOTHING] * (len(COLUMNS) - 2))
        peer = self.fastest_peer
        ratios = (
            (f"{line.examples_per_second / peer.examples_per_second:.2f}", f"{line.peak_bytes / peer.peak_bytes:.2f}")
            if peer
            else (NOTHING, NOTHING)
        )
        tokens = f"{line.tokens:,.0f}" if line.tokens else NOTHING
        return f"{line.examples_per_second:.3g}", f"{line.peak_bytes / GB:.2f}", tokens, *ratios

    def notes(self) -> list[str]:
        """Sentences that belong to the table."""
        notes = [f"{WORKLOADS[self.workload].summary}.", self.sequences, _agreement(self.agreement)]
        if self.first_losses is not None:
            verdict = "" if self.first_losses <= LOSS_TOLERANCE else f", more than the {LOSS_TOLERANCE} allowed"
            notes.append(f"The first step's loss differs between systems by {self.first_losses:.4f} nats{verdict}.")
        notes.append(self._against_trl())
        notes += [f"{line.system} failed: {line.failure}." for line in self.lines if line.failure is not None]
        return [note for note in [*notes, self.loaded, self.occupation] if note]

    def _against_trl(self) -> str:
        """Our ratios to the better of TRL's default and its packing, which is what the bars are about."""
        trl = [line for line in self.lines if line.system in TRL_AS_IT_COMES and line.failure is None]
        ours = [line for line in self.lines if line.system == "qlorakit" and line.failure is None]
        if not (trl and ours):
            return ""
        better = max(trl, key=lambda line: line.examples_per_second)
        speed = ours[0].examples_per_second / better.examples_per_second
        memory = ours[0].peak_bytes / better.peak_bytes
        return f"qlorakit has {speed:.2f} times the speed of `{better.system}` at {memory:.2f} of its memory."


def sections(runs: Sequence[tuple[Job, Outcome]]) -> list[Section]:
    """One section per number of threads and workload, in the order of the runs."""
    keys = dict.fromkeys((job.threads, job.workload) for job, _ in runs)
    return [
        _section(workload, threads, [run for run in runs if (run[0].threads, run[0].workload) == (threads, workload)])
        for threads, workload in keys
    ]


def _section(workload: str, threads: int, runs: Sequence[tuple[Job, Outcome]]) -> Section:
    names = dict.fromkeys(job.system for job, _ in runs if job.system != AGREEMENT)
    lines = [_line(name, [outcome for job, outcome in runs if job.system == name]) for name in names]
    ours = {system.name for system in systems_for(WORKLOADS[workload]) if system.ours}
    peers = [line for line in lines if line.failure is None and line.system not in ours]
    measured = [(job, outcome) for job, outcome in runs if isinstance(outcome, Measurement)]
    return Section(
        workload,
        threads,
        tuple(lines),
        fastest_peer=max(peers, key=lambda line: line.examples_per_second, default=None),
        sequences=_sequences([outcome for _, outcome in measured]),
        agreement=next((outcome for job, outcome in runs if job.system == AGREEMENT), None),
        first_losses=_difference_of_losses(measured),
        loaded=_loaded([outcome.loaded_bytes for _, outcome in measured]),
        occupation=_occupation([outcome.cpu_seconds / sum(outcome.seconds) for _, outcome in measured]),
    )


def _line(name: str, outcomes: Sequence[Outcome]) -> Line:
    failures = [outcome.reason for outcome in outcomes if isinstance(outcome, Failure)]
    if failures:
        return Line(name, failure=failures[-1])
    rounds = [outcome for outcome in outcomes if isinstance(outcome, Measurement)]
    return Line(
        name,
        statistics.median(item.examples / statistics.median(item.seconds) for item in rounds),
        statistics.median(item.peak_bytes for item in rounds),
        statistics.mean(statistics.mean(item.tokens) for item in rounds),
    )


def _sequences(rounds: Sequence[Measurement]) -> str:
    if not rounds:
        return ""
    prompt = statistics.mean(item.prompt_tokens for item in rounds)
    shared = statistics.mean(item.shared_tokens for item in rounds)
    left = sum(item.distinct_tokens for item in rounds) / sum(item.given_tokens for item in rounds)
    return (
        f"Prompts of {prompt:.0f} tokens on average, the first {shared:.0f} common to all; with every common beginning "
        f"counted once, {left:.0%} of the tokens are left."
    )


def _loaded(sizes: Sequence[int]) -> str:
    """What no system can do without, with this model in this process."""
    if not sizes:
        return ""
    least, most = min(sizes) / GB, max(sizes) / GB
    return f"Libraries and model held {least:.2f} to {most:.2f} GB of it before the first step."


def _occupation(cores: Sequence[float]) -> str:
    """The less one run had than another, the less their times say."""
    return f"The runs kept {min(cores):.2f} to {max(cores):.2f} cores busy." if cores else ""


def _agrees(outcome: Outcome | None) -> bool:
    return outcome is None or (isinstance(outcome, Agreement) and outcome.same_answer == outcome.rows)


def _agreement(outcome: Outcome | None) -> str:
    if isinstance(outcome, Agreement):
        return (
            f"In float32 qlorakit and lm-eval give {outcome.same_answer} of {outcome.rows} rows the same answer; their "
            f"log-probabilities differ by at most {outcome.largest_difference:.1e} nats."
        )
    return f"The comparison of answers failed: {outcome.reason}" if isinstance(outcome, Failure) else ""


def _difference_of_losses(measured: Iterable[tuple[Job, Measurement]]) -> float | None:
    """How far apart the systems' first losses are in the worst round: all train on the same tokens."""
    by_round: dict[int, list[float]] = {}
    for job, outcome in measured:
        if outcome.first_loss is not None:
            by_round.setdefault(job.number, []).append(outcome.first_loss)
    return max((max(losses) - min(losses) for losses in by_round.values()), default=None)
