"""What fault tests stand on: runs in processes of their own, disks that fill, and whether two runs ended alike."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import qlorakit.errors
from qlorakit.errors import QlorakitError

SCRIPT = Path(__file__).with_name("faulty_run.py")
EVERY, KEPT, LAST_STEP, BEST_STEP = 3, 3, 20, 9  # of the run: steps between checkpoints, how many stay
WEIGHTS = "adapter_model.safetensors"
WAITING = 120.0  # seconds
DISK = 64 << 20
# What differs from run to run, or from call to call.
TIMES = re.compile(r"seconds|runtime|_per_second|train_loss|total_flos")
# What tells somebody what to do.
ADVICE = re.compile(
    r"resume_from_checkpoint=|overwrite=|output_dir=|base=|"
    r"(?:[.;,?)] |\bor |\band )"
    r"(?:[Ff]ree|[Cc]hoose|[Gg]ive|[Pp]ut|[Gg]o on|[Ll]oad|[Tt]rain|[Ss]tart|[Ss]ave|[Mm]ake|[Cc]opy) "
)


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        status: Of the process; minus the number of the signal that killed it.
        error: Class of the library's own error.
        message: Its text.
        said: Everything printed.
        events: What happened, each with its second.
    """

    status: int
    error: str
    message: str
    said: str
    events: tuple[tuple[float, str], ...]

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        return self.status == 0

    @property
    def steps(self) -> list[int]:
        """The training steps that began."""
        return [int(event.partition(" ")[2]) for _, event in self.events if event.startswith("step ")]

    @property
    def saved(self) -> int:
        """The last step whose checkpoint is complete for sure: a later step began."""
        return (max(self.steps, default=1) - 1) // EVERY * EVERY

    def told(self) -> str:
        """In a line, for somebody who looks into a failure."""
        crashed = "Traceback" in self.said
        return f"{self.error}: {self.message}" if self.error else self.said.strip()[-1500 if crashed else -300 :]


@dataclass(frozen=True)
class Result:
    """What a finished run left, as far as it must be the same for all.

    Attributes:
        weights: Hash of every file of weights, of the adapter and of the checkpoints.
        history: Losses and metrics by step.
        best: The best metric and its step.
        names: Of all files and folders.
    """

    weights: Mapping[str, str]
    history: tuple[Mapping[str, float], ...]
    best: Mapping[str, Any]
    names: frozenset[str]

    @classmethod
    def of(cls, output: Path) -> Result:
        """Read it."""
        run = json.loads((output / "adapter" / "run.json").read_text(encoding="utf-8"))
        records = (
            {name: value for name, value in record.items() if not TIMES.search(name)} for record in run["history"]
        )
        return cls(
            {str(path.relative_to(output)): hash_of(path) for path in sorted(output.rglob(WEIGHTS))},
            tuple(record for record in records if record.keys() - {"step", "epoch"}),
            run["best"],
            frozenset(str(path.relative_to(output)) for path in output.rglob("*")),
        )

    def difference(self, other: Result, *, names: bool = True) -> str:
        """What is not the same, in a line; empty if all is.

        Args:
            other: The one to compare with.
            names: Whether every file must be there, and no other.
        """
        shared = self.weights.keys() & other.weights.keys()
        found = [f"{name} differs" for name in sorted(shared) if self.weights[name] != other.weights[name]]
        found += ["history differs"] if self.history != other.history else []
        found += [f"best {self.best} instead of {other.best}"] if self.best != other.best else []
        if names:
            found += [f"{name} is only in one of both" for name in sorted(self.names ^ other.names)]
        return "; ".join(found)


def hash_of(path: Path) -> str:
    """SHA-256, read afresh."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def unclear(ended: Ended, *named: str) -> str:
    """Why the end of a run is no clear refusal; empty if it is one.

    It is clear where the process ended with the library's own error, whose text has all that must be named and says
    what to do.
    """
    own = vars(qlorakit.errors).get(ended.error)
    if not (isinstance(own, type) and issubclass(own, QlorakitError)):
        return f"no error of the library's own (status {ended.status}): {ended.told()}"
    lacking = [name for name in named if not re.search(name, ended.message)]
    if lacking:
        return f"the message does not name {lacking}: {ended.told()}"
    if not ADVICE.search(ended.message):
        return f"the message does not say what to do: {ended.told()}"
    return ""


class Bench:
    """Runs the same short training again and again, each in a process of its own that may be killed.

    Attributes:
        scratch: Folder for everything.
        base: The base model.
    """

    def __init__(self, scratch: Path) -> None:
        self.scratch, self.base = scratch, scratch / "base"
        self._count = 0
        self._server: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        self._environment = environment
        self._server = subprocess.Popen(  # noqa: S603  # our own script
            [sys.executable, str(SCRIPT), "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment,
        )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        if self._server:
            _of(self._server.stdin).close()
            self._server.wait(WAITING)
            _of(self._server.stdout).close()

    def folder(self, like: Path | None = None) -> Path:
        """A folder that is not there yet, or a copy of one."""
        self._count += 1
        path = self.scratch / f"{self._count:04d}" / "run"
        if like:
            shutil.copytree(like, path)
        return path

    def run(self, output: Path, **spec: Any) -> Ended:  # noqa: ANN401  # the fields of Spec
        """Run in a fork of a process that has imported everything."""
        log = self._log()
        server = self._server
        if server is None:
            msg = "the bench is used outside its with block"
            raise RuntimeError(msg)
        stdin, stdout = _of(server.stdin), _of(server.stdout)
        stdin.write(self._spec(output, log, spec) + "\n")
        stdin.flush()
        return _ended(log, int(stdout.readline()))

    def run_afresh(self, output: Path, seconds: float, **spec: Any) -> Ended:  # noqa: ANN401  # the fields of Spec
        """Run in an interpreter of its own, and kill it so many seconds after its first event."""
        log = self._log()
        process = subprocess.Popen(  # noqa: S603  # our own script
            [sys.executable, str(SCRIPT), self._spec(output, log, spec)], env=self._environment, start_new_session=True
        )
        events, deadline = log / "events", time.monotonic() + WAITING
        while process.poll() is None and time.monotonic() < deadline:
            if events.is_file() and events.stat().st_size:
                time.sleep(seconds)
                break
            time.sleep(0.01)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return _ended(log, process.wait(WAITING))

    @contextlib.contextmanager
    def disk(self, size: int = DISK) -> Iterator[Path]:
        """A disk in memory, of its own size."""
        mount = self.folder()
        mount.mkdir(parents=True)
        _command("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(mount))
        try:
            yield mount
        finally:
            _command("umount", str(mount))

    def _log(self) -> Path:
        self._count += 1
        log = self.scratch / f"{self._count:04d}-log"
        log.mkdir()
        return log

    def _spec(self, output: Path, log: Path, spec: Mapping[str, Any]) -> str:
        return json.dumps({"base": str(self.base), "output": str(output), "log": str(log), **spec})


def make_room(mount: Path) -> None:
    """Give a disk space and let it be written again."""
    _command("mount", "-o", f"remount,rw,size={DISK}", str(mount))
    (mount / "ballast").unlink(missing_ok=True)


def may_mount(scratch: Path) -> bool:
    """Whether this process may mount a disk in memory."""
    place = scratch / "mount"
    place.mkdir()
    try:
        _command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place))
        _command("umount", str(place))
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _command(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)  # noqa: S603  # our own words


def _of(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        msg = "the process has no pipe"
        raise RuntimeError(msg)
    return stream


def _ended(log: Path, status: int) -> Ended:
    outcome = log / "outcome.json"
    told = json.loads(outcome.read_text(encoding="utf-8")) if outcome.is_file() else {"error": "", "message": ""}
    lines = (line.split(" ", 1) for line in (log / "events").read_text(encoding="utf-8").splitlines())
    events = tuple((float(second), event) for second, event in lines)
    said = (log / "said").read_text(encoding="utf-8", errors="replace")
    shutil.rmtree(log)
    return Ended(status, told["error"], told["message"], said, events)
