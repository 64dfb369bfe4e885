"""The process that a fault hits: one training, loading or saving, in which something goes wrong at a given moment.

    python benchmarks/faulty_run.py SPEC     one run, in an interpreter of its own
    python benchmarks/faulty_run.py --serve  a run for each line of standard input, in a fork of this process

``SPEC`` is JSON, the fields of :class:`Spec`; ``fault_bench.py`` writes it.  What happens is told in files of the log
folder, each line as soon as it happens, so that it is there whatever becomes of the process: ``events``, ``said``
(everything printed) and ``outcome.json``.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qlorakit.bitsandbytes_offline  # before transformers

import torch
from small_runs import direction_task, make_rows

import qlorakit as qk
import qlorakit.evaluation
import qlorakit.training  # all that is heavy, before the first fork
from qlorakit.trainer import TaskTrainer

if TYPE_CHECKING:
    from qlorakit.task import Row

BATCH, EVERY, EPOCHS, KEPT = 4, 3, 2, 3  # rows of a step, steps between checkpoints, passes, checkpoints that stay
ROWS, EVALUATED = 40, 9
LAST_STEP = ROWS // BATCH * EPOCHS
WRONG = {"down": "flat", "flat": "up", "up": "down"}
LIMIT = 100  # seconds, after which a run hangs
EXIT_REFUSED, EXIT_CRASHED = 3, 1
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
# Of the interpreter's audit events those that change what is on the disk, with the place of the argument that says
# what a name is relative to.
CHANGES: Mapping[str, int | None] = {
    "open": None, "os.rename": 2, "os.remove": 1, "os.rmdir": 1, "os.mkdir": 2, "os.link": 2, "os.truncate": None,
}  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """One run.

    Attributes:
        base: Folder of the base model.
        output: Folder of the run; for other jobs, of the adapter.
        log: Folder for what happens.
        job: What is done, one of ``JOBS``.
        resume: Whether training goes on from the last checkpoint.
        overwrite: Whether it may replace another run.
        seed: Of training.
        workers: Processes that load rows.
        at: The event before which the fault comes; never, if empty.
        do: The fault, one of ``FAULTS``.
        where: What it hits: a file, a folder or a mount.
        amount: How much of it, in bytes.
    """

    base: str
    output: str
    log: str
    job: str = "train"
    resume: bool = False
    overwrite: bool = False
    seed: int = 0
    workers: int = 0
    at: str = ""
    do: str = "kill"
    where: str = ""
    amount: int = 0

    def text(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))


class Events:
    """Tells what happens: each training step, and each change of a file below the output folder."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.root = spec, os.path.realpath(spec.output)
        self.file = os.open(Path(spec.log) / "events", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.began, self.hit, self.pid = time.monotonic(), False, os.getpid()

    def watch(self) -> None:
        """Start to listen."""
        sys.addaudithook(self.heard)
        original = TaskTrainer.training_step

        def training_step(trainer: TaskTrainer, *arguments: Any) -> torch.Tensor:  # noqa: ANN401  # as the original
            number = trainer.state.global_step + 1
            self.happens(f"step {number}")
            loss = original(trainer, *arguments)
            self.happens(f"gradients {number}")
            return loss

        TaskTrainer.training_step = training_step  # type: ignore[method-assign,assignment]

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Of the interpreter's audit events, pass on what changes a file."""
        if event not in CHANGES or self.hit or os.getpid() != self.pid:
            return
        if event == "open" and not (arguments[2] or 0) & WRITING:
            return
        place = CHANGES[event]
        path = self.absolute(arguments[0], -1 if place is None else arguments[place])
        if path == self.root or path.startswith(f"{self.root}/"):
            self.happens(f"{event} {path.removeprefix(self.root).lstrip('/') or '.'}")

    @staticmethod
    def absolute(path: Any, folder: int) -> str:  # noqa: ANN401  # a path or a descriptor
        """The whole path of a file that is named relative to an open folder."""
        if isinstance(path, int):
            return ""
        near = f"/proc/self/fd/{folder}" if folder >= 0 else "."
        return os.path.join(os.path.realpath(near), os.fsdecode(path))  # noqa: PTH118  # no file may be touched here

    def happens(self, event: str) -> None:
        """Write down what is about to happen, and let the fault come if this is its moment."""
        if self.hit or os.getpid() != self.pid:
            return
        os.write(self.file, f"{time.monotonic() - self.began:.4f} {event}\n".encode())
        if event == self.spec.at:
            self.hit = True
            os.write(self.file, b"0 fault\n")
            FAULTS[self.spec.do](self.spec)


def kill(spec: Spec) -> None:
    """End this process, and those that load rows for it, at once."""
    del spec
    os.killpg(0, signal.SIGKILL)


def cut(spec: Spec) -> None:
    """Let the kernel end this process as soon as a file is written beyond a size."""
    null = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(null, stream)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (spec.amount, spec.amount))


def fill(spec: Spec) -> None:
    """Fill a disk but for a few bytes."""
    _fill(Path(spec.where), spec.amount)


def _fill(mount: Path, left: int) -> None:
    disk = os.statvfs(mount)
    size = disk.f_bavail * disk.f_frsize - left
    if size > 0:
        with (mount / "ballast").open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, size)


def read_only(spec: Spec) -> None:
    """Make a mount, or a folder, one that cannot be written."""
    if Path(spec.where).is_mount():
        mount = shutil.which("mount") or "mount"
        subprocess.run([mount, "-o", "remount,ro", spec.where], check=True)  # noqa: S603  # our own mount
        return
    for folder in (spec.where, *(str(path) for path in Path(spec.where).rglob("*") if path.is_dir())):
        os.chmod(folder, 0o555)  # noqa: PTH101, S103  # it takes rights away


def vanish(spec: Spec) -> None:
    """Remove a folder."""
    shutil.rmtree(spec.where)


def damage(spec: Spec) -> None:
    """Turn a byte of a file over."""
    path = Path(spec.where)
    content = bytearray(path.read_bytes())
    content[spec.amount % len(content)] ^= 0xFF
    path.write_bytes(content)


FAULTS: Mapping[str, Callable[[Spec], None]] = {
    "kill": kill, "cut": cut, "fill": fill, "read_only": read_only, "vanish": vanish, "damage": damage,
}  # fmt: skip


def train(spec: Spec) -> None:
    """Train, as the undisturbed run does; what decides the course is the same for all."""
    model, tokenizer = qk.load_quantized(spec.base, compute_dtype="float32")
    model = qk.attach_lora(model, r=8, dropout=0.1)
    qk.train(
        model, tokenizer, make_rows(ROWS), task=direction_task(), output_dir=spec.output,
        eval_dataset=misleading_rows(), batch_size=BATCH, learning_rate=2e-2, num_train_epochs=EPOCHS,
        eval_strategy="steps", eval_steps=EVERY, save_total_limit=KEPT, metric_for_best_model="loss",
        logging_steps=1, dataloader_num_workers=spec.workers, seed=spec.seed, resume_from_checkpoint=spec.resume,
        overwrite=spec.overwrite, progress=False,
    )  # fmt: skip


def misleading_rows() -> list[Row]:
    """What evaluations ask: the right labels are wrong ones, so that the best checkpoint lies in the middle."""
    return [{**row, "label": WRONG[row["label"]]} for row in make_rows(EVALUATED, seed=1)]


def load(spec: Spec) -> None:
    """Load the adapter."""
    qk.load_adapter(spec.output, compute_dtype="float32")


def save_report(spec: Spec) -> None:
    """Evaluate and save the report."""
    model, tokenizer = qk.load_adapter(spec.output, compute_dtype="float32")
    rows = make_rows(EVALUATED, seed=2)
    report = qk.evaluate(model, tokenizer, rows, task=direction_task(), resamples=100, progress=False)
    _save_twice(spec, lambda: report.save(spec.where))


def save_split(spec: Spec) -> None:
    """Save a split."""
    data = qk.split(make_rows(200), task=direction_task(), seed=0)
    _save_twice(spec, lambda: qk.save_split(data, spec.where))


def _save_twice(spec: Spec, save: Callable[[], object]) -> None:
    """Save, fill the disk if an amount is given, and save again, which must not touch what is there if it fails."""
    save()
    before = Path(spec.where).read_bytes()
    if spec.amount >= 0:
        _fill(Path(spec.where).parent, spec.amount)
    try:
        save()
    except qk.QlorakitError as error:
        if Path(spec.where).read_bytes() != before:
            msg = f"{spec.where} is not as it was"
            raise RuntimeError(msg) from error
        raise


def merge(spec: Spec) -> None:
    """Merge the adapter, on a disk that is full before if an amount is given."""
    model, _ = qk.load_adapter(spec.output, compute_dtype="float32")
    if spec.amount >= 0:
        _fill(Path(spec.where).parent, spec.amount)
    qk.merge(model, spec.where, task=direction_task(), eval_dataset=misleading_rows(), progress=False)


JOBS: Mapping[str, Callable[[Spec], None]] = {
    "train": train, "load": load, "report": save_report, "split": save_split, "merge": merge,
}  # fmt: skip


def perform(spec: Spec) -> int:
    """Do what the specification says, tell how it ended, and return the exit status."""
    with contextlib.suppress(PermissionError):  # the leader of a group already
        os.setsid()
    signal.alarm(LIMIT)
    log = Path(spec.log)
    said = os.open(log / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    torch.set_num_threads(1)
    events = Events(spec)
    if spec.job == "train":
        events.watch()
    try:
        JOBS[spec.job](spec)
    except qk.QlorakitError as error:
        outcome = {"error": type(error).__name__, "message": str(error)}
        (log / "outcome.json").write_text(json.dumps(outcome), encoding="utf-8")
        return EXIT_REFUSED
    except BaseException:  # noqa: BLE001  # whatever it is, it is told, and counts as a failure
        traceback.print_exc()
        return EXIT_CRASHED
    return 0


def serve() -> None:
    """Run what each line of standard input specifies in a fork, and answer with its exit status."""
    gc.freeze()
    answers = os.dup(1)
    for line in sys.stdin:
        process = os.fork()
        if not process:
            os.close(answers)
            status = perform(Spec(**json.loads(line)))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        _, status = os.waitpid(process, 0)
        os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        sys.exit(perform(Spec(**json.loads(sys.argv[1]))))
