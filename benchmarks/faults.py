"""Kill a short training again and again, fill its disk, damage and remove its files: does it end as if untouched?

    python benchmarks/faults.py --kills 50 --seed 0
    python benchmarks/faults.py --only "damaged checkpoint" --others 3
    python benchmarks/faults.py --docs

The training takes 20 steps, with dropout, evaluations and a checkpoint every 3 steps, on a tiny random base in NF4.  It
is hit by a fault, resumed, perhaps hit again, and so on until it is done.  Then the weights of the adapter and of every
checkpoint, the history of losses and metrics, the best step and the names of all files must be those of a run that
nothing disturbed.  Where something is lost that nobody can bring back, the process must have ended with an error of the
library's own that names the file and says what to do.  Exits with 1 where anything else happened.

Full and read-only disks need the right to mount a disk in memory, as root or through ``unshare -rm``; without it they
are left out, which is said.  Figures go to ``benchmarks/results/faults.json`` and ``faults.md``, the table to
``docs/reliability.md``; ``--docs`` only writes that, from the figures that are there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from fault_bench import (
    BEST_STEP,
    EVERY,
    LAST_STEP,
    WEIGHTS,
    Bench,
    Ended,
    Result,
    hash_of,
    make_room,
    may_mount,
    unclear,
)
from generated import RELIABILITY, put_block
from side_by_side.machine import describe
from small_runs import write_base

from qlorakit.adapters import MANIFEST, REPLACED, UNPLACED
from qlorakit.records import PACKAGES

RESULTS = Path(__file__).parent / "results"
BLOCK = "faults"
Outcome = Literal["equal", "refused", "failed"]
KILL, ANYTIME, CUT = (
    "SIGKILL at a step or change of a file",
    "SIGKILL at any moment",
    "ended by the kernel inside a write",
)
FULL, FULL_OTHER = "full disk, in training", "full disk, other files"
DAMAGED, DAMAGED_ADAPTER = "damaged checkpoint", "damaged adapter"
REMOVED, REMOVED_ADAPTER = "removed from checkpoints", "removed from adapter"
READ_ONLY, VANISHED, BEST = "read-only folder", "folder vanishes", "best checkpoint is hit while the run goes on"
STOPPED_AT = f"step {LAST_STEP - 3}"  # where the run that is damaged afterwards was killed
HOW = ("byte turned over", "cut short", "block of zeros", "bytes appended")
NOTHING_THERE = re.compile(r"no (complete |usable )?checkpoint")


@dataclass(frozen=True)
class Case:
    """One fault and what came of it.

    Attributes:
        kind: Of fault.
        what: Exactly.
        outcome: Equal weights, a clear refusal, or a failure.
        told: The refusal, or why it failed.
    """

    kind: str
    what: str
    outcome: Outcome
    told: str = ""


class Faults:
    """The bench with runs that nothing disturbed, and every kind of fault.

    Attributes:
        bench: Where runs take place.
        draw: Source of everything at random.
        mounts: Whether disks can be mounted.
    """

    def __init__(self, bench: Bench, seed: int, *, mounts: bool) -> None:
        self.bench, self.draw, self.mounts = bench, random.Random(seed), mounts  # noqa: S311  # nothing secret
        self.whole = bench.folder()
        self.events = _once(self._undisturbed(self.whole))
        self.reference = Result.of(self.whole)
        if self.reference.best["step"] != BEST_STEP:
            msg = (
                f"the best step is {self.reference.best['step']} instead of {BEST_STEP}, in the middle: change the rows"
            )
            raise RuntimeError(msg)
        self.old = bench.folder()  # another run, finished, to be replaced
        self._undisturbed(self.old, seed=1)
        replaced = bench.folder(self.old)
        self.replacing = _once(self._undisturbed(replaced, overwrite=True))
        self.seconds = self.events[-1][0] - self.events[0][0]
        self.stopped = bench.folder()
        bench.run(self.stopped, at=STOPPED_AT)

    def _undisturbed(self, output: Path, **spec: Any) -> Ended:  # noqa: ANN401  # the fields of Spec
        ended = self.bench.run(output, **spec)
        if not ended.finished:
            msg = f"a run that nothing disturbed did not finish: {ended.told()}"
            raise RuntimeError(msg)
        return ended

    # Going on

    def proceed(self, output: Path, *, first: bool, replacing: bool = False, **fault: Any) -> Ended:  # noqa: ANN401
        """Start or go on, as a user would: anew where the message says that there is nothing to go on from."""
        if not first:
            ended = self.bench.run(output, resume=True, **fault)
            if not self._nothing_yet(ended, output, replacing=replacing):
                return ended
        return self.bench.run(output, overwrite=replacing or not first, **fault)

    def _nothing_yet(self, ended: Ended, output: Path, *, replacing: bool) -> bool:
        if NOTHING_THERE.search(ended.message):
            return True
        weights = output / "adapter" / WEIGHTS
        others = "finished run" in ended.message or "other settings" in ended.message
        return replacing and others and weights.is_file() and hash_of(weights) == self._old_hash()

    def _old_hash(self) -> str:
        return hash_of(self.old / "adapter" / WEIGHTS)

    def finish(self, output: Path, *, saved: int = 0, replacing: bool = False, names: bool = True) -> str:
        """Go on to the end; what is wrong then, or empty."""
        ended = self.proceed(output, first=False, replacing=replacing)
        problem = lost(ended, saved)
        if problem:
            return problem
        if not ended.finished and "finished run" not in ended.message:
            return f"did not finish: {ended.told()}"
        if "Traceback" in ended.said:
            return f"a traceback was printed: {ended.told()}"
        return Result.of(output).difference(self.reference, names=names)

    # Kills

    def kills(self, count: int, do: str = "kill") -> Iterator[Case]:
        """Kill at so many points, several of one run in part."""
        while count > 0:
            cases = self.chain(min(count, self.draw.randint(1, 3)), do)
            count -= len(cases)
            yield from cases

    def chain(self, most: int, do: str) -> list[Case]:
        """Kill one run one or several times, until it is done."""
        replacing = self.draw.random() < 0.25  # noqa: PLR2004
        output = self.bench.folder(self.old if replacing else None)
        events = self.replacing if replacing else self.events
        hit: list[str] = []
        place, saved, problem = -1, 0, ""
        for _ in range(most):
            place = self.later(events, place)
            fault = {"at": events[place][1], "do": do, "amount": round(10 ** self.draw.uniform(3, 5.2))}
            workers = int(self.draw.random() < 0.25)  # noqa: PLR2004
            ended = self.proceed(output, first=not hit, replacing=replacing, workers=workers, **fault)
            problem = lost(ended, saved)
            if ended.status >= 0 or problem:
                break
            hit.append(self._described(fault, workers, replacing=replacing))
            saved = max(saved, ended.saved)
            problem = self.old_or_new(output) if replacing else ""
            if problem or place >= len(events) - 1:
                break
        problem = problem or self.finish(output, saved=saved, replacing=replacing)
        if problem and not hit:
            hit.append(f"{fault} did not hit")
        kind = KILL if do == "kill" else CUT
        return [Case(kind, what, "failed" if problem else "equal", problem) for what in hit]

    def later(self, events: Sequence[tuple[float, str]], place: int) -> int:
        """Draw an event after another: first its kind, then which, so that rare kinds come as well."""
        kinds: dict[str, list[int]] = {}
        for number in range(place + 1, len(events)):
            kinds.setdefault(events[number][1].partition(" ")[0], []).append(number)
        return self.draw.choice(kinds[self.draw.choice(sorted(kinds))])

    def old_or_new(self, output: Path) -> str:
        """Where a run replaces another one, an adapter is there at all times, the old one or the new one."""
        places = [output / name for name in ("adapter", UNPLACED, REPLACED)]  # where load_adapter looks, in this order
        if not (places[0] / MANIFEST).is_file():
            ended = self.bench.run(output, job="load")
            if not ended.finished:
                return f"no adapter can be loaded in between: {ended.told()}"
        new = self.reference.weights[f"adapter/{WEIGHTS}"]
        weights = next(place / WEIGHTS for place in places if (place / MANIFEST).is_file())
        return "" if hash_of(weights) in {self._old_hash(), new} else "the adapter in between is neither old nor new"

    @staticmethod
    def _described(fault: Mapping[str, Any], workers: int, *, replacing: bool) -> str:
        what = f"before {fault['at']}"
        if fault["do"] == "cut":
            what = f"after {fault['at']}, in the first file that grows beyond {fault['amount']} bytes"
        what += ", with a process that loads rows" if workers else ""
        return what + (", over another run" if replacing else "")

    def kills_at_any_moment(self, count: int) -> Iterator[Case]:
        """Kill at random moments, from outside, in interpreters of their own."""
        while count > 0:
            output, moment = self.bench.folder(), self.draw.uniform(0, self.seconds)
            ended = self.bench.run_afresh(output, moment)
            problem = self.finish(output, saved=ended.saved)
            if ended.finished and not problem:  # it was faster than the undisturbed one, and over by then
                continue
            count -= 1
            yield Case(ANYTIME, f"{moment:.2f} s after its first event", "failed" if problem else "equal", problem)

    # Disks

    def full_disks(self, count: int) -> Iterator[Case]:
        """Fill the disk at chosen and at random moments, and train on disks that are too small."""
        checkpoint = [place for place, (_, event) in enumerate(self.events) if event == f"step {EVERY}"]
        adapter = [place for place, (_, event) in enumerate(self.events) if "adapter.partial" in event]
        chosen = [checkpoint[0], self.later(self.events, checkpoint[0]), adapter[0], adapter[len(adapter) // 2]]
        places = [*chosen, *(self.later(self.events, -1) for _ in range(count))][:count]
        for place in places:
            yield self.full_disk(self.events[place][1], round(10 ** self.draw.uniform(0, 5)))
        needed = sum(path.stat().st_size for path in self.whole.rglob("*") if path.is_file())
        for _ in range(-(-count // 3)):
            yield self.small_disk(self.draw.randint(1 << 16, needed))

    def full_disk(self, event: str, left: int) -> Case:
        """Fill the disk before an event, but for a few bytes."""
        with self.bench.disk() as mount:
            ended = self.bench.run(mount / "run", at=event, do="fill", where=str(mount), amount=left)
            make_room(mount)
            return self._settled(FULL, f"{left} bytes left before {event}", ended, mount / "run", "disk")

    def small_disk(self, size: int) -> Case:
        """Train on a disk that is too small."""
        with self.bench.disk(size) as mount:
            ended = self.bench.run(mount / "run")
            make_room(mount)
            return self._settled(FULL, f"{size >> 10} KiB in all", ended, mount / "run", "disk")

    def other_files(self, _: int) -> Iterator[Case]:
        """Fill the disk while something else is saved."""
        jobs = {"report": ("report.html", "report.json", "report.md"), "split": ("split.json",), "merge": ("merged",)}
        for job, names in jobs.items():
            for name in names:
                yield self.other_file(job, name)

    def other_file(self, job: str, name: str) -> Case:
        """Save something twice, with the disk full the second time: it is refused, and the first one stays."""
        with self.bench.disk() as mount:
            place = mount / name
            ended = self.bench.run(self.whole, job=job, where=str(place), amount=0)
            left = sorted(str(path.relative_to(mount)) for path in mount.rglob("*") if path.is_file())
            make_room(mount)
            problem = unclear(ended, re.escape(str(place)), "disk|space")
            if not problem and any("partial" in path for path in left):
                problem = f"something half-written was left: {left}"
            if not problem and ended.error != "OutputError":
                problem = f"{ended.error} instead of OutputError: {ended.message}"
            again = self.bench.run(self.whole, job=job, where=str(place), amount=-1)
            problem = problem or ("" if again.finished else f"not saved when there is space: {again.told()}")
        return Case(FULL_OTHER, name, "failed" if problem else "refused", problem or plainly(ended, self.bench))

    def read_only_folders(self, count: int) -> Iterator[Case]:
        """Make the disk one that cannot be written, before the start or at random moments."""
        for number in range(count):
            event = self.events[self.later(self.events, -1) if number else 0][1]
            with self.bench.disk() as mount:
                ended = self.bench.run(mount / "run", at=event, do="read_only", where=str(mount))
                make_room(mount)
                yield self._settled(READ_ONLY, f"before {event}", ended, mount / "run")

    # What happens to files

    def vanishings(self, count: int) -> Iterator[Case]:
        """Remove the whole folder of the run while it goes on."""
        for _ in range(count):
            event = self.events[self.later(self.events, 2)][1]
            output = self.bench.folder()
            ended = self.bench.run(output, at=event, do="vanish", where=str(output))
            yield self._settled(VANISHED, f"before {event}", ended, output, lost_all=True)

    def best_is_hit(self, _: int) -> Iterator[Case]:
        """Damage or remove the best checkpoint, which is needed at the end, while the run goes on behind it."""
        for do, name in (("damage", WEIGHTS), ("vanish", "")):
            output = self.bench.folder()
            where = output / "checkpoints" / f"checkpoint-{BEST_STEP}" / name
            ended = self.bench.run(output, at=f"step {LAST_STEP - 4}", do=do, where=str(where), amount=60_000)
            yield self._settled(BEST, f"{do}: {where.relative_to(output)}", ended, output, lost_all=True)

    def damaged(self, count: int) -> Iterator[Case]:
        """Damage random bytes of random files of checkpoints, of the newest in most cases."""
        newest, *others = _newest_first(self.stopped)
        for number in range(count):
            output = self.bench.folder(self.stopped)
            hit = [self.draw.choice(others) if number % 4 == 3 else newest]  # noqa: PLR2004
            hit += [self.draw.choice(others)] if number % 5 == 4 else []  # noqa: PLR2004
            files = [self.draw.choice(_files(output / "checkpoints" / name)) for name in dict.fromkeys(hit)]
            what = [f"{path.relative_to(output)}: {spoil(path, self.draw)}" for path in files]
            yield self._gone_on(DAMAGED, "; ".join(what), output, files)

    def removed(self, count: int) -> Iterator[Case]:
        """Remove each file of the newest checkpoint in turn, the newest as a whole, and all."""
        newest = _newest_first(self.stopped)[0]
        names = [path.name for path in _files(self.stopped / "checkpoints" / newest)]
        for name in names[:count]:
            output = self.bench.folder(self.stopped)
            path = output / "checkpoints" / newest / name
            path.unlink()
            yield self._gone_on(
                REMOVED, str(path.relative_to(output)), output, [] if name == "qlorakit.json" else [path]
            )
        for whole in (f"checkpoints/{newest}", "checkpoints"):
            output = self.bench.folder(self.stopped)
            shutil.rmtree(output / whole)
            yield self._gone_on(REMOVED, whole, output, [])

    def _gone_on(self, kind: str, what: str, output: Path, files: Sequence[Path]) -> Case:
        """Resume with files that are damaged or missing: from a checkpoint before, and saying so, or not at all."""
        ended = self.bench.run(output, resume=True)
        if ended.error:
            names = [re.escape(path.name) for path in files] or [re.escape(str(output))]
            problem = unclear(ended, *names) or self._could_have(output)
            told = plainly(ended, self.bench)
            shutil.rmtree(output / "checkpoints", ignore_errors=True)
            problem = problem or self.finish(output)
            return Case(kind, what, "failed" if problem else "refused", problem or told)
        newest = [path for path in files if path.parent.name == _newest_first(self.stopped)[0]]
        if not ended.finished or "Traceback" in ended.said:
            return Case(kind, what, "failed", f"did not finish: {ended.told()}")
        said = re.sub(r"\s", "", ended.said)
        silent = [path.name for path in newest if path.name not in said]
        problem = f"nothing was said about {silent}" if silent else Result.of(output).difference(self.reference)
        return Case(kind, what, "failed" if problem else "equal", problem)

    def _could_have(self, output: Path) -> str:
        """A refusal is right only where no checkpoint is left that is whole, with the best one it builds on."""
        whole = {
            name
            for name in _newest_first(output)
            if _contents(output / "checkpoints" / name) == _contents(self.stopped / "checkpoints" / name)
        }
        if f"checkpoint-{BEST_STEP}" in whole:
            return f"refused, although {sorted(whole)} are whole"
        return ""

    def damaged_adapters(self, count: int) -> Iterator[Case]:
        """Damage random bytes of each file of the finished adapter."""
        names = [path.name for path in _files(self.whole / "adapter")]
        for number in range(count):
            output = self.bench.folder(self.whole)
            path = output / "adapter" / names[number % len(names)]
            what = f"{path.name}: {spoil(path, self.draw)}"
            yield self._not_loaded(DAMAGED_ADAPTER, what, output, path)

    def removed_adapters(self, count: int) -> Iterator[Case]:
        """Remove each file of the finished adapter in turn."""
        for name in [path.name for path in _files(self.whole / "adapter")][:count]:
            output = self.bench.folder(self.whole)
            path = output / "adapter" / name
            path.unlink()
            yield self._not_loaded(REMOVED_ADAPTER, name, output, path)

    def _not_loaded(self, kind: str, what: str, output: Path, path: Path) -> Case:
        ended = self.bench.run(output, job="load")
        problem = unclear(ended, re.escape(path.name), re.escape(str(output)))
        if not problem and ended.error != "AdapterError":
            problem = f"{ended.error} instead of AdapterError: {ended.message}"
        return Case(kind, what, "failed" if problem else "refused", problem or plainly(ended, self.bench))

    def _settled(self, kind: str, what: str, ended: Ended, output: Path, *named: str, lost_all: bool = False) -> Case:
        """Of a run whose fault is over: it has finished as the undisturbed one, or refused clearly and can go on."""
        if ended.finished:
            problem = Result.of(output).difference(self.reference, names=not lost_all)
            return Case(kind, what, "failed" if problem else "equal", problem)
        problem = unclear(ended, re.escape(str(output)), *named)
        problem = problem or self.finish(output, saved=0 if lost_all else ended.saved)
        return Case(kind, what, "failed" if problem else "refused", problem or plainly(ended, self.bench))


def lost(ended: Ended, saved: int) -> str:
    """Whether a run went on from an earlier step than one that was saved."""
    if ended.steps and ended.steps[0] - 1 < saved:
        return f"went on from step {ended.steps[0] - 1}, although {saved} was saved: {ended.told()}"
    return ""


def plainly(ended: Ended, bench: Bench) -> str:
    """The message without the place of this bench."""
    return f"{ended.error}: {re.sub(re.escape(str(bench.scratch)) + r'/[0-9]+/', '', ended.message)}"


def spoil(path: Path, draw: random.Random) -> str:
    """Damage a file in one of several ways; returns which."""
    content = path.read_bytes()
    spoiled, how, place = content, "", 0
    while spoiled == content:
        how, place = draw.choice(HOW), draw.randrange(len(content))
        spoiled = {
            HOW[0]: content[:place] + bytes([content[place] ^ 1 << draw.randrange(8)]) + content[place + 1 :],
            HOW[1]: content[:place],
            HOW[2]: content[:place] + bytes(min(512, len(content) - place)) + content[place + 512 :],
            HOW[3]: content + draw.randbytes(64),
        }[how]
    path.write_bytes(spoiled)
    return how if how == HOW[3] else f"{how} at {place}"


def _once(ended: Ended) -> list[tuple[float, str]]:
    """Events that come once: a process is hit before the first of several that are alike."""
    counts = Counter(event for _, event in ended.events)
    return [(second, event) for second, event in ended.events if counts[event] == 1]


def _newest_first(output: Path) -> list[str]:
    names = [path.name for path in (output / "checkpoints").glob("checkpoint-*")]
    return sorted(names, key=lambda name: int(name.partition("-")[2]), reverse=True)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in _files(folder)}


@dataclass(frozen=True)
class Part:
    """One kind of fault.

    Attributes:
        find: Tries so many, and says what came of each.
        share: How many for each of ``--others``, or for each of ``--kills``.
        of_kills: Which of both.
        mounts: Whether it needs to mount disks.
    """

    find: Callable[[Faults, int], Iterator[Case]]
    share: float = 1.0
    of_kills: bool = False
    mounts: bool = False


PARTS: Mapping[str, Part] = {
    KILL: Part(lambda faults, count: faults.kills(count), 0.6, of_kills=True),
    ANYTIME: Part(Faults.kills_at_any_moment, 0.2, of_kills=True),
    CUT: Part(lambda faults, count: faults.kills(count, "cut"), 0.2, of_kills=True),
    FULL: Part(Faults.full_disks, mounts=True),
    FULL_OTHER: Part(Faults.other_files, mounts=True),
    DAMAGED: Part(Faults.damaged, 3),
    DAMAGED_ADAPTER: Part(Faults.damaged_adapters, 2),
    REMOVED: Part(Faults.removed, 2),
    REMOVED_ADAPTER: Part(Faults.removed_adapters, 2),
    READ_ONLY: Part(Faults.read_only_folders, 0.5, mounts=True),
    VANISHED: Part(Faults.vanishings, 0.5),
    BEST: Part(Faults.best_is_hit),
}


def try_all(faults: Faults, kills: int, others: int, kinds: Sequence[str]) -> Iterator[Case]:
    """Every kind of fault, case by case."""
    for kind in kinds:
        part = PARTS[kind]
        if part.mounts and not faults.mounts:
            sys.stderr.write(f"{kind}: left out, mounts are not permitted here\n")
            continue
        yield from part.find(faults, max(1, round(part.share * (kills if part.of_kills else others))))


def table(cases: Sequence[Mapping[str, str]]) -> list[str]:
    """How many of each kind were tried, and what came of them."""
    lines = [
        "| fault | tried | ended with equal weights | refused with a clear message | failed |",
        "|---|---|---|---|---|",
    ]
    kinds = [kind for kind in PARTS if any(case["kind"] == kind for case in cases)]
    for kind in [*kinds, "all"]:
        counts = Counter(case["outcome"] for case in cases if kind in {case["kind"], "all"})
        numbers = [counts.total(), counts["equal"], counts["refused"], counts["failed"]]
        lines.append(f"| {kind} | {' | '.join(map(str, numbers))} |")
    return lines


def told(found: Mapping[str, Any]) -> str:
    """The part of the page."""
    left_out = (
        [f"Left out, since mounts were not permitted: {', '.join(found['left_out'])}."] if found["left_out"] else []
    )
    head = f"`{found['command']}`, {found['date']}, {found['processor']}, {found['minutes']} minutes:"
    return "\n".join((head, "", *table(found["cases"]), *left_out))


def write(found: Mapping[str, Any], folder: Path) -> None:
    """Write figures and the table, with each kind's messages and all failures."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faults.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    lines = ["# Fault tests", "", told(found), "", "## Failures", ""]
    lines += [
        f"- {case['kind']}, {case['what']}: {case['told']}" for case in found["cases"] if case["outcome"] == "failed"
    ]
    lines += ["", "## Messages of refusals", ""]
    lines += [
        f"- {case['kind']}, {case['what']}: {case['told']}" for case in found["cases"] if case["outcome"] == "refused"
    ]
    (folder / "faults.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50, help="points at which the process is ended (default 50)")
    parser.add_argument("--others", type=int, default=8, help="how many of each other kind, about (default 8)")
    parser.add_argument("--seed", type=int, default=0, help="of everything at random (default 0)")
    parser.add_argument("--only", choices=PARTS, nargs="+", metavar="KIND", help=f"of {', '.join(map(repr, PARTS))}")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for faults.json and faults.md")
    parser.add_argument("--docs", action="store_true", help="only write the table, from figures that are there")
    parser.add_argument("--no-docs", action="store_true", help="only write the figures")
    return parser.parse_args()


def measure(arguments: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Try all faults."""
    write_base(scratch / "base")
    began, mounts = time.monotonic(), may_mount(scratch)
    found: dict[str, Any] = {
        "command": shlex.join(["python", "benchmarks/faults.py", *sys.argv[1:]]), **describe(PACKAGES),
        "left_out": [] if mounts else [kind for kind, part in PARTS.items() if part.mounts], "cases": [],
    }  # fmt: skip
    with Bench(scratch) as bench:
        faults = Faults(bench, arguments.seed, mounts=mounts)
        for case in try_all(faults, arguments.kills, arguments.others, arguments.only or list(PARTS)):
            found["cases"].append(asdict(case))
            failed = f": {case.told}" if case.outcome == "failed" else ""
            sys.stderr.write(f"{len(found['cases'])}. {case.kind}, {case.what}: {case.outcome}{failed}\n")
    return {**found, "minutes": round((time.monotonic() - began) / 60)}


def gain_mounts() -> None:
    """Become root of a namespace of one's own, if that is permitted, to mount disks there."""
    unshare = shutil.which("unshare")
    if os.geteuid() and unshare and not subprocess.run([unshare, "-rm", "true"], check=False).returncode:  # noqa: S603
        os.execv(unshare, [unshare, "-rm", sys.executable, *sys.argv])  # noqa: S606  # our own script again


def main() -> None:
    """Try, tell, write."""
    arguments = parse_arguments()
    if not arguments.docs:
        gain_mounts()
        with tempfile.TemporaryDirectory(prefix="qlorakit-faults-") as scratch:
            write(measure(arguments, Path(scratch)), arguments.output)
    found = json.loads((arguments.output / "faults.json").read_text(encoding="utf-8"))
    print(told(found))
    if not arguments.no_docs:
        put_block(RELIABILITY, BLOCK, told(found))
    sys.exit(any(case["outcome"] == "failed" for case in found["cases"]))


if __name__ == "__main__":
    main()
