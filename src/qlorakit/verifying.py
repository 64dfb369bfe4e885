"""Check a finished run again: its files, its data, and that its evaluation comes out as it was recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from qlorakit.adapters import (
    DECISION,
    MANIFEST,
    PUT_BACK,
    REPLACED,
    RUN_RECORD,
    UNPLACED,
    WEIGHTS,
    adapter_folder,
    changed_in_base,
    is_count,
    is_history,
    load_adapter,
    parse_manifest,
    weights_hash,
)
from qlorakit.checkpoints import MARKER, check_files
from qlorakit.class_balance import ClassBalance, balance
from qlorakit.errors import (
    AdapterError,
    ModelError,
    QlorakitError,
    TrainingError,
    UnknownNameError,
    VerificationError,
    first_few,
    visible,
)
from qlorakit.evaluation import BASE, TUNED, evaluate
from qlorakit.finishing import VERIFIED_ROWS
from qlorakit.inference import Questions, build_encoder, pad_id
from qlorakit.layout import Layout
from qlorakit.machine import machine_record, threads
from qlorakit.merging import MERGE_RECORD, read_merge_record
from qlorakit.objectives import LossWeight, Objective
from qlorakit.plugins import get_task, supplier_of
from qlorakit.records import damage_of, file_hash, forget_hashes, is_number, read_object, versions
from qlorakit.report import Report
from qlorakit.rows import as_rows, check_rows, check_task, fingerprint
from qlorakit.slicing import FREQUENCY, LENGTH
from qlorakit.trainer import Data, Plan, measure
from qlorakit.training import drawn_places
from qlorakit.verification import Check, Closeness, Verification

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedTokenizerBase

    from qlorakit.encoding import EncodedRows, Encoder
    from qlorakit.task import Row, Task

logger = logging.getLogger(__name__)

# Where the processor or the packages are others, or a GPU adds in an order of its own: of log-probabilities and losses
# in nats, and of metrics, above 1 as a share; by the type that is computed in.
TOLERANCE = {"float32": 0.01}
TOLERANCE_OF_HALF = 0.1
# So many rows may besides be answered otherwise, which is much in a metric of few rows and nothing in one of many.
ROWS_TURNED = 2
REPEATED_SETTINGS = ("max_length", "max_new_tokens", "token_budget", "resamples", "confidence", "seed")
LARGEST_SEED = 2**32 - 1


def _kind(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds


def _is_whole(value: object) -> bool:
    return is_count(value) or (type(value) is int and value == 0)


def _is_seed(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_SEED


# What a run record holds, as far as it is read here.
RECORDED: Mapping[str, Callable[[Any], bool]] = {
    "settings": _kind(dict),
    "settings.seed": _is_seed,
    "settings.max_length": is_count,
    "settings.max_new_tokens": is_count,
    "settings.token_budget": is_count,
    "settings.prefix_sharing": _kind(bool),
    "settings.objective": lambda value: value in get_args(Objective),
    "settings.negatives": lambda value: value is None or is_count(value),
    "settings.loss_weight": lambda value: value in get_args(LossWeight),
    "settings.class_balance": lambda value: value in get_args(ClassBalance),
    "settings.train_fingerprint": _kind(str),
    "settings.eval_fingerprint": _kind(str, type(None)),
    "settings.lora": _kind(dict),
    "versions": _kind(dict),
    "machine": _kind(dict),
    "machine.threads": _kind(int),
    "history": is_history,
    "steps": is_count,
    "best": _kind(dict),
    "best.step": lambda value: value is None or _is_whole(value),
    "verification": _kind(dict),
}
# What the settings of a report hold, as far as it is repeated under them.
ASKED: Mapping[str, Callable[[Any], bool]] = {
    "max_length": is_count,
    "max_new_tokens": is_count,
    "token_budget": is_count,
    "resamples": _is_whole,
    "confidence": lambda value: is_number(value) and 0 < value < 1,
    "seed": _is_seed,
    "shots": _is_whole,
    "prefix_sharing": _kind(bool),
    "adapter": _kind(str),
    "versions": _kind(dict),
    "machine": _kind(dict),
    "machine.threads": _kind(int),
}


def verify(
    run_folder: str | Path,
    *,
    task: Task[Any] | None = None,
    eval_dataset: Iterable[Row] | None = None,
    train_dataset: Iterable[Row] | None = None,
    report: str | Path | Report | None = None,
    rows: Iterable[Row] | None = None,
    base: str | Path | None = None,
    progress: bool = True,
) -> Verification:
    """Check that a finished run is what its records say, and repeat its evaluation.

    Every file is read anew and compared with its hash, the base's too; rows and the tokens they become are compared
    with their fingerprints; and the validation metrics of the best step are computed again from the saved adapter.  On
    a CPU, with the same processor, number of threads and packages, they must be equal bit for bit; elsewhere a stated
    tolerance decides.  Runs keep no rows, so that what concerns them is checked only where they are given; what is not
    checked is named in the log and in the result.

    Args:
        run_folder: The run's folder or the ``adapter`` folder in it; or the folder of a merged model, whose files and
            base are compared with what ``merge`` recorded.
        task: The task of the run; found by its name among the plugins unless given.
        eval_dataset: The rows that ``train`` had under that name, all of them.
        train_dataset: Likewise; also for the baselines of a report.
        report: A report on the adapter, saved as JSON; ``report.json`` in the run's folder unless given.
        rows: The rows of that report.
        base: Where the base is, if it no longer goes by the name in the manifest.
        progress: Whether to show bars.

    Returns:
        Every check with its outcome, none of them ``"different"``: print it.

    Raises:
        VerificationError: Something is different; names all of it.
        AdapterError: The folder is no finished run of this library, or of a newer format.
        ConfigurationError: What was given is no task.
        DataError: The report cannot be read, or rows are no rows.
    """
    if task is not None:
        check_task(task)
    forget_hashes()
    if (Path(run_folder) / MERGE_RECORD).is_file():
        merged = Verification(Path(run_folder), tuple(_merged(Path(run_folder), base)))
        _conclude(merged)
        return merged
    run = _Run.read(Path(run_folder))
    checks = [*_files(run), _base(run.manifest["base"], base), *_checkpoints(run)]
    if not any(check.state == "different" for check in checks):
        given = _Given.read(task, eval_dataset, train_dataset, report, rows, progress=progress)
        checks.extend(_contents(run, given, base))
    found = Verification(run.folder, tuple(checks))
    _conclude(found)
    return found


def _conclude(found: Verification) -> None:
    """Raise for what is different, and say what was not checked."""
    if different := found.named("different"):
        told = "; ".join(f"{check.name}: {check.detail}" for check in different)
        msg = f"{found.folder} is not what its records say. {told}"
        raise VerificationError(msg)
    for check in found.named("not checked"):
        logger.warning("%s: %s is not checked: %s", found.folder, check.name, visible(check.detail))


@dataclass(frozen=True)
class _Given:
    """What the user has besides the folder."""

    task: Task[Any] | None
    evaluation: Sequence[Row] | None
    training: Sequence[Row] | None
    report: str | Path | Report | None
    rows: Sequence[Row] | None
    progress: bool

    @classmethod
    def read(
        cls,
        task: Task[Any] | None,
        evaluation: Iterable[Row] | None,
        training: Iterable[Row] | None,
        report: str | Path | Report | None,
        rows: Iterable[Row] | None,
        *,
        progress: bool,
    ) -> _Given:
        """Rows may be such that can be read only once."""
        named = {"eval_dataset": evaluation, "train_dataset": training, "rows": rows}
        evaluated, trained, reported = (
            None if found is None else as_rows(found, source=name) for name, found in named.items()
        )
        return cls(task, evaluated, trained, report, reported, progress)


@dataclass(frozen=True)
class _Run:
    """A finished run on the disk; its record is read when it is known to be as it was written."""

    folder: Path
    manifest: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> _Run:
        """The run in a folder."""
        found = adapter_folder(folder)
        return cls(found, parse_manifest(found))

    @property
    def outer(self) -> Path:
        """The folder that holds ``adapter/``, or the adapter's own where it stands by itself."""
        return self.folder.parent if self.folder.name in {"adapter", UNPLACED, REPLACED} else self.folder

    def record(self) -> dict[str, Any]:
        """The run record.

        Raises:
            AdapterError: It lacks what every run records.
        """
        path = self.folder / RUN_RECORD
        record = read_object(path, AdapterError, PUT_BACK)
        if wrong := list(_faults(record, RECORDED)):
            msg = f"{path} is no record of a run: {first_few(wrong)} is not as it was written"
            raise AdapterError(msg)
        return record


def _entry(record: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401  # whatever JSON holds
    """An entry by its dotted name; ``None`` where there is none."""
    value: Any = record
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _faults(record: Mapping[str, Any], kinds: Mapping[str, Callable[[Any], bool]]) -> Iterator[str]:
    """Names of entries that are not as this library writes them."""
    yield from (name for name, is_right in kinds.items() if not is_right(_entry(record, name)))


def _files(run: _Run) -> Iterator[Check]:
    """The manifest, and every file that it names."""
    yield Check("manifest", "same", f"format {run.manifest['format']}, SHA-256 {file_hash(run.folder / MANIFEST)}")
    yield _sealed(run.folder, MANIFEST, run.manifest["files"], (RUN_RECORD, WEIGHTS))


def _sealed(folder: Path, record: str, seal: Mapping[str, Any], needed: Sequence[str]) -> Check:
    """The files of a folder.

    Args:
        folder: Of them.
        record: Holds the seal.
        seal: Their hashes.
        needed: Files that must be among them.
    """
    damaged = [f"{path.name} {what}" for path, what in damage_of(folder, seal)]
    added = sorted({path.name for path in folder.iterdir()} - {*seal, record})
    if damaged:
        return Check("files", "different", first_few(damaged))
    if not {*needed} <= {*seal}:
        return Check("files", "different", f"{record} does not name {' and '.join(needed)}")
    if added:
        return Check("files", "changed", f"{len(seal)} files are as saved; added since: {first_few(added)}")
    return Check("files", "same", f"{len(seal)} files are as saved")


def _base(recorded: Mapping[str, Any], elsewhere: str | Path | None) -> Check:
    """Configuration and weights of the base, by their hashes."""
    if not recorded["files"]:
        return Check("base", "not checked", "it was made in memory, so that no hashes were recorded")
    try:
        changed = changed_in_base(recorded, elsewhere)
    except ModelError as error:
        return Check("base", "not checked", f"{error} Give its place with base=")
    name = elsewhere or recorded["name"]
    if changed:
        return Check("base", "different", f"{name} differs in {first_few(changed)}")
    return Check("base", "same", f"{len(recorded['files'])} files of {name} are as they were")


def _merged(folder: Path, elsewhere: str | Path | None) -> Iterator[Check]:
    """A merged model by what ``merge`` recorded of it."""
    record = read_merge_record(folder)
    into = f"{record['into']} in {record['dtype']}"
    yield Check("record", "same", f"merged into {into}, SHA-256 {file_hash(folder / MERGE_RECORD)}")
    yield _sealed(folder, MERGE_RECORD, record["files"], ("config.json", "tokenizer.json"))
    yield _base(record["base"], elsewhere)
    weights, manifest = (record["adapter"].get(name) for name in ("weights", "manifest"))
    sealed = f", manifest of SHA-256 {manifest}" if manifest else ""
    yield Check("adapter", "not checked", f"its weights had SHA-256 {weights}{sealed}; verify the folder of its run")
    asked = f"{record['sample'].get('questions')} questions of {record['sample'].get('origin')}"
    shift = record["agreement"].get("shift")
    yield Check("answers", "not checked", f"on {asked} a probability changed by {shift} at most; merge anew to compare")


def _run_in(path: Path, name: str) -> object:
    """The run that a record names; ``None`` where it is damaged, which is told elsewhere."""
    with suppress(AdapterError):
        return _entry(read_object(path, AdapterError, PUT_BACK), name)
    return None


def _checkpoints(run: _Run) -> Iterator[Check]:
    """The checkpoints that are still there.

    Those of another run are of one that has not finished yet, and does not replace this adapter before it does.
    """
    found = sorted((run.outer / "checkpoints").glob("checkpoint-*")) if run.outer != run.folder else []
    own = _run_in(run.folder / RUN_RECORD, "run")
    others = [path for path in found if own and _run_in(path / MARKER, "lineage.run") not in (None, own)]
    if others:
        found = [path for path in found if _run_in(path / MARKER, "lineage.run") == own]
    wrong = []
    for path in found:
        try:
            check_files(path)
        except TrainingError as error:
            wrong.append(str(error))
    if wrong:
        yield Check("checkpoints", "different", first_few(wrong))
    elif others:
        names = first_few([path.name for path in others])
        yield Check("checkpoints", "changed", f"checkpoints are of another run, which did not finish: {names}")
    elif found:
        yield Check("checkpoints", "same", f"{first_few([path.name for path in found])} are complete and as saved")


def _contents(run: _Run, given: _Given, base: str | Path | None) -> Iterator[Check]:
    """What can be looked at once all files are known to be as they were written."""
    record = run.record()
    settings, then = record["settings"], record["machine"]
    yield _settings(run, record)
    yield from _chosen_weights(run, record)
    task, check = _task(run, record, given.task)
    yield check
    training, check = _known("training rows", "train_dataset", given.training, settings["train_fingerprint"])
    yield check
    evaluation = None
    if settings["eval_fingerprint"] is not None:
        measured = _measured(given.evaluation, record)
        evaluation, check = _known("evaluation rows", "eval_dataset", measured, settings["eval_fingerprint"])
        yield check
    try:
        model, tokenizer = load_adapter(run.folder, base=base, device="cpu" if then.get("device") == "cpu" else None)
    except AdapterError as error:
        yield Check("tokenizer and template", "different", str(error))
        return
    except ModelError as error:
        yield Check("evaluation", "not checked", f"the adapter cannot be loaded here: {error}")
        return
    yield Check("tokenizer and template", "same", "those of the training")
    with threads(then["threads"]):
        here = _Here(model, tokenizer, machine_record(model.device), versions())
        yield here.packages(record)
        yield here.machine(record)
        if task is None:
            yield Check("evaluation", "not checked", "what the run asked is not known; give task=")
            return
        yield from _Repeating(record, task, here, given.progress).checks(training, evaluation)
    yield from _report(run, task, given, here)


def _settings(run: _Run, record: Mapping[str, Any]) -> Check:
    """Whether manifest and run record are about the same run."""
    settings, manifest = record["settings"], run.manifest
    differing = [
        f"{name} is {settings.get(name)!r} in {RUN_RECORD} and {manifest.get(name)!r} in {MANIFEST}"
        for name in ("task", "base", "template", "max_length")
        if settings.get(name) != manifest.get(name)
    ]
    if differing:
        return Check("settings", "different", first_few(differing))
    seeds = f"seed {settings.get('seed')}, seed of the adapter {settings.get('lora', {}).get('seed')}"
    return Check("settings", "same", f"{len(settings)} are recorded: {seeds}, {record['steps']} steps")


def _chosen_weights(run: _Run, record: Mapping[str, Any]) -> Iterator[Check]:
    """Whether the adapter is that of the checkpoint it was chosen from, where that one is still there."""
    step = record["best"].get("step") or record["steps"]
    checkpoint = run.outer / "checkpoints" / f"checkpoint-{step}" / WEIGHTS
    own = run.outer != run.folder and _run_in(checkpoint.with_name(MARKER), "lineage.run") == record.get("run")
    if own and checkpoint.is_file():
        same = file_hash(checkpoint) == file_hash(run.folder / WEIGHTS)
        said = "are those" if same else "are not those"
        yield Check("weights", "same" if same else "different", f"they {said} of checkpoint-{step}, chosen in training")


def _task(run: _Run, record: Mapping[str, Any], given: Task[Any] | None) -> tuple[Task[Any] | None, Check]:
    """The task of the run, as far as its name tells; what it asks is told by the tokens."""
    name = run.manifest["task"]
    try:
        task = given or get_task(name)
    except UnknownNameError:
        return None, Check("task", "not checked", f"{name} is none of an installed plugin; give task=")
    if task.name != name:
        return None, Check("task", "different", f"the run was for {name}, and {task.name} was given")
    then, now = record.get("plugin"), supplier_of(task)
    if then != now:
        return task, Check("task", "changed", f"{name}: from {then or 'a script'} then, {now or 'a script'} now")
    return task, Check("task", "same", f"{name}, from {now or 'a script'}")


def _known(
    name: str, argument: str, rows: Sequence[Row] | None, expected: object
) -> tuple[Sequence[Row] | None, Check]:
    """The rows, if they are those of the run."""
    if rows is None:
        return None, Check(name, "not checked", f"runs keep no rows; give {argument}=")
    if fingerprint(rows) != expected:
        return None, Check(name, "different", f"the {len(rows)} rows given are others, or in another order")
    return rows, Check(name, "same", f"{len(rows)} rows, in their order")


def _measured(rows: Sequence[Row] | None, record: Mapping[str, Any]) -> Sequence[Row] | None:
    """Those rows that training measured on, drawn as it drew them."""
    count = int(_evaluation(record).get("eval_rows") or 0)
    if rows is None or not 0 < count < len(rows):
        return rows
    return [rows[place] for place in drawn_places(len(rows), count, record["settings"]["seed"])]


def _evaluation(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was logged at the best step; nothing where nothing was measured."""
    step = record["best"].get("step")
    found = [entry for entry in record["history"] if entry.get("step") == step and "eval_loss" in entry]
    return found[-1] if found else {}


@dataclass(frozen=True)
class _Here:
    """The model as it was loaded, and what it is computed on."""

    model: PeftModel
    tokenizer: PreTrainedTokenizerBase
    machine_now: Mapping[str, Any]
    versions_now: Mapping[str, str]

    def packages(self, record: Mapping[str, Any]) -> Check:
        """Versions then and now."""
        return _compared("packages", record["versions"], self.versions_now)

    def machine(self, record: Mapping[str, Any]) -> Check:
        """What decides how sums are rounded, then and now."""
        return _compared("machine", record["machine"], self.machine_now)

    def tolerance(self, record: Mapping[str, Any], *, rows: int | None = None) -> tuple[float, str]:
        """How far numbers may be from those of a record, and why.

        Args:
            record: Of a run or a report.
            rows: That the numbers are metrics of; ``None`` for log-probabilities.
        """
        reasons = [check.name for check in (self.packages(record), self.machine(record)) if check.state != "same"]
        if not reasons and self.model.device.type == "cpu":
            return 0.0, ""
        dtype = str(self.model.get_input_embeddings().weight.dtype).removeprefix("torch.")
        because = f"the {' and '.join(reasons)} changed" if reasons else "a GPU adds in an order of its own"
        allowed = TOLERANCE.get(dtype, TOLERANCE_OF_HALF) + (ROWS_TURNED / rows if rows else 0.0)
        return allowed, f"{because}, in {dtype}"


def _compared(name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Check:
    names = [key for key in {**then, **now} if then.get(key) != now.get(key)]
    changed = [f"{key} {then.get(key)} then, {now.get(key)} now" for key in names]
    if changed:
        return Check(name, "changed", first_few(changed))
    return Check(name, "same", ", ".join(f"{key} {value}" for key, value in now.items()))


@dataclass(frozen=True)
class _Repeating:
    """Asks the saved adapter what training asked."""

    record: Mapping[str, Any]
    task: Task[Any]
    here: _Here
    progress: bool

    def checks(self, training: Sequence[Row] | None, evaluation: Sequence[Row] | None) -> Iterator[Check]:
        """Tokens, answers and metrics.

        Args:
            training: The rows of the run, where they are known to be.
            evaluation: Likewise those that were measured.
        """
        settings, evaluated = self.record["settings"], self.record["settings"]["eval_fingerprint"] is not None
        encoder = build_encoder(
            self.here.model, self.here.tokenizer,
            max_length=settings["max_length"], max_new_tokens=settings["max_new_tokens"],
        )  # fmt: skip
        if training is not None:
            check, encoded = self._tokens(encoder, training, "train")
            yield check
            if encoded is not None and not evaluated:
                yield self._answers(self._plan(encoder, encoded))
        if evaluation is not None:
            check, encoded = self._tokens(encoder, evaluation, "eval")
            yield check
            if encoded is not None:
                plan = self._plan(encoder, encoded)
                yield self._answers(plan)
                yield self._metrics(plan)

    def _tokens(self, encoder: Encoder, rows: Sequence[Row], which: str) -> tuple[Check, EncodedRows | None]:
        """Turn rows into tokens again; none where they are others."""
        name, settings = f"{which} tokens", self.record["settings"]
        try:
            check_rows(rows, self.task, labelled=True, source=f"{which}_dataset")
            weights = None
            if which == "train":
                weights = balance(rows, self.task, settings["class_balance"], seed=settings["seed"]).weights
            encoded = encoder.encode_rows(rows, self.task, class_weights=weights, progress=self.progress)
        except QlorakitError as error:
            return Check(name, "different", f"the task no longer reads its rows: {error}"), None
        if encoded.fingerprint != settings.get(f"{which}_tokens"):
            return Check(name, "different", "the task asks about the same rows in other words than then"), None
        return Check(name, "same", f"{len(rows)} rows become the same tokens"), encoded

    def _answers(self, plan: Plan) -> Check:
        """Ask again what was asked before the adapter was given its name."""
        sample = plan.training.encoded[:VERIFIED_ROWS]
        tolerance, because = self.here.tolerance(self.record)
        then, now = self.record["verification"].get("logprobs"), plan.logprobs(self.here.model, sample)
        what = f"log-probabilities of {len(sample)} rows"
        return Closeness.of(then, now, tolerance=tolerance).check("answers", what, tolerance=tolerance, because=because)

    def _metrics(self, plan: Plan) -> Check:
        """Compute the metrics of the best step again, and the thresholds that were fitted."""
        questions = Questions(self.task, plan.training.encoded, plan.layout)
        now, decision = measure(self.here.model, plan, questions, progress=self.progress)
        logged = _evaluation(self.record).items()
        then = {name.removeprefix("eval_"): value for name, value in logged if name.startswith("eval_")}
        compared = {name: value for name, value in then.items() if name not in {"rows", "seconds"}}
        fitted = {"thresholds": vars(self.here.model)[DECISION]}
        tolerance, because = self.here.tolerance(self.record, rows=len(questions.rows))
        found = Closeness.of({**compared, **fitted}, {**now, "thresholds": decision}, tolerance=tolerance)
        said = ", ".join(f"{name} {value:.6g}" for name, value in now.items())
        what = f"step {self.record['best']['step']} on {len(questions.rows)} rows ({said})"
        return found.check("evaluation", what, tolerance=tolerance, because=because)

    def _plan(self, encoder: Encoder, encoded: EncodedRows) -> Plan:
        """How training asked."""
        settings, data = self.record["settings"], Data(encoded.rows, encoded)
        shared = settings["prefix_sharing"]
        layout = Layout(
            shared=shared,
            token_budget=settings["token_budget"],
            pad=pad_id(encoder),
            narrow=not shared and self.here.model.device.type == "cpu",
        )
        how = settings["loss_weight"], settings["objective"], settings["negatives"]
        return Plan(self.task, encoder, data, data, layout, *how)  # what is trained on has no say in what is asked


def _report(run: _Run, task: Task[Any], given: _Given, here: _Here) -> Iterator[Check]:
    """Repeat a saved evaluation, where there is one."""
    place = given.report or run.outer / "report.json"
    if given.report is None and not Path(str(place)).is_file():
        if given.rows is not None:
            yield Check("report", "not checked", f"rows were given and there is no {place}; give report=")
        return
    report = place if isinstance(place, Report) else Report.load(place)
    if report.task != task.name:
        yield Check("report", "different", f"it is on {report.task}, and the run is for {task.name}")
    elif report.systems[0].name != TUNED:
        yield Check("report", "not checked", f"it measures {report.systems[0].name}, and not the adapter")
    elif not _says_how(report):
        yield Check("report", "not checked", "it does not say how it came about; evaluate again")
    elif wrong := _unusable(report):
        yield Check("report", "different", f"{wrong[0]} of its settings is not as evaluate writes it")
    elif report.settings["adapter"] != weights_hash(here.model):
        yield Check("report", "different", "it measures another adapter")
    elif given.rows is None:
        yield Check("report", "not checked", "reports keep no rows; give those that were evaluated as rows=")
    elif fingerprint(given.rows) != report.settings.get("rows_fingerprint"):
        yield Check("report", "different", f"the {len(given.rows)} rows given are not those that it measures")
    else:
        with threads(report.settings["machine"]["threads"]):
            now = replace(here, machine_now=machine_record(here.model.device))
            yield from _repeat_report(report, given.rows, task, given, now)


def _says_how(report: Report) -> bool:
    """Whether a report records what must be known to repeat it."""
    return all(name.split(".")[0] in report.settings for name in ASKED)


def _unusable(report: Report) -> list[str]:
    """Names of settings that cannot be those of an evaluation."""
    decision = report.systems[0].decision
    sound = decision is None or (isinstance(decision, Mapping) and all(map(is_number, decision.values())))
    return [*_faults(report.settings, ASKED), *([] if sound else ["decision"])]


def _repeat_report(report: Report, rows: Sequence[Row], task: Task[Any], given: _Given, here: _Here) -> Iterator[Check]:
    """Evaluate again under the settings of a report, and compare every system that can be asked again."""
    settings = report.settings
    train = _if_same(given.training, settings.get("train_fingerprint"))
    validation = _if_same(given.evaluation, settings.get("validation_fingerprint"))
    if validation is None:
        setattr(here.model, DECISION, report.systems[0].decision)  # fitted on rows that are not here
    names = [system.name for system in report.systems]
    again = evaluate(
        here.model,
        here.tokenizer,
        rows,
        task=task,
        baseline=BASE in names,
        shots=settings["shots"] if train is not None else 0,
        train_dataset=train,
        validation_dataset=validation,
        slices=[of.column for of in report.slices if of.column not in {LENGTH, FREQUENCY}],
        prefix_sharing="auto" if settings["prefix_sharing"] else "off",
        include_text=any("text" in row for row in report.predictions),
        progress=given.progress,
        **{name: settings[name] for name in REPEATED_SETTINGS},
    )
    repeated = [name for name in names if _can_repeat(report, name, train=train, validation=validation)]
    tolerance, because = here.tolerance(settings, rows=report.rows)
    compare = _measures if tolerance else _said
    then, now = (compare(one, repeated) for one in (report, again))
    compared = "metrics" if tolerance else "answers, metrics and intervals"
    what = f"{', '.join(repeated)} on {report.rows} rows, {compared}"
    yield Closeness.of(then, now, tolerance=tolerance).check("report", what, tolerance=tolerance, because=because)
    if others := [name for name in names if name not in repeated]:
        needed = "train_dataset= and eval_dataset= as evaluate had them"
        yield Check("report: baselines", "not checked", f"{', '.join(others)}: give {needed}")


def _if_same(rows: Sequence[Row] | None, expected: str | None) -> Sequence[Row] | None:
    return rows if rows is not None and expected is not None and fingerprint(rows) == expected else None


def _can_repeat(report: Report, name: str, *, train: object, validation: object) -> bool:
    """Whether what a system learned or fitted on is there."""
    settings, system = report.settings, report.system(name)
    if name == TUNED:
        return True
    fitted_elsewhere = settings.get("validation_fingerprint") is not None and validation is None
    if system.decision is not None and fitted_elsewhere:
        return False
    return name == BASE or train is not None or settings.get("train_fingerprint") is None


def _said(report: Report, names: Sequence[str]) -> dict[str, Any]:
    """What systems answered and how they fared, without what it took them."""
    record = report.to_dict()
    return {
        "systems": {
            one["name"]: {key: value for key, value in one.items() if key != "cost"}
            for one in record["systems"]
            if one["name"] in names
        },
        "predictions": {
            str(one["row_id"]): {name: one[name] for name in ("reference", *names) if name in one}
            for one in record["predictions"]
        },
    }


def _measures(report: Report, names: Sequence[str]) -> dict[str, Any]:
    """The metrics of systems alone: rounding may turn an answer over, and intervals with it."""
    return {name: {metric: found.value for metric, found in report.system(name).metrics.items()} for name in names}
