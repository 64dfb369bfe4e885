"""Compare saved reports, and judge predictions that were made elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

from qlorakit.baselines import user_text
from qlorakit.errors import ConfigurationError, DataError, UnknownNameError, did_you_mean, shown
from qlorakit.measuring import Answered, Sheet
from qlorakit.plugins import get_task, installed
from qlorakit.report import Report
from qlorakit.rows import as_rows, check_rows, check_task, fingerprint, row_ids
from qlorakit.statistics import Resampling
from qlorakit.task import Output

if TYPE_CHECKING:
    from qlorakit.task import Row, Task


def compare(
    first: Report,
    *others: Report,
    names: Sequence[str] | None = None,
    task: Task[Any] | None = None,
    rows: Iterable[Row] | None = None,
    slices: Sequence[str] = (),
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> Report:
    """Compare the first systems of several reports on the rows they have in common.

    Args:
        first: The one that is compared with the others.
        *others: The reports it is compared with, all of the same task.
        names: What to call each, ``"a"``, ``"b"`` and so on unless given.
        task: The task; found by its name among the plugins unless given.
        rows: The rows of the reports, where a metric of the task reads them, or for ``slices``.
        slices: Columns of ``rows`` by whose values the main metric is shown as well.
        resamples: Bootstrap samples.
        confidence: Of the intervals.
        seed: Of the bootstrap.

    Returns:
        A report on these rows, whose systems are those of the reports.

    Raises:
        ConfigurationError: There is nothing to compare with, one is no report, tasks or label sets differ, or names are
            not distinct.
        DataError: The reports have no row in common, disagree on what is right, or do not hold the answers.
        UnknownNameError: No plugin has the task.
    """
    if slices and rows is None:
        msg = "slices are made of the rows' columns; give rows= as well"
        raise ConfigurationError(msg)
    reports = (first, *others)
    names = names or [chr(ord("a") + place) for place in range(len(reports))]
    _check_alike(reports, names)
    task = task or _task_of(first)
    found = [{str(item["row_id"]): item for item in report.predictions} for report in reports]
    shared = [identity for identity in found[0] if all(identity in other for other in found[1:])]
    if not shared:
        msg = "the reports have no row in common; evaluate on the same rows, or give rows an id column"
        raise DataError(msg)
    references = [_restored(task, _reference(identity, found), identity) for identity in shared]
    answered = [
        Answered(name, [_output(task, items[identity], report.systems[0].name) for identity in shared])
        for name, report, items in zip(names, reports, found, strict=True)
    ]
    groups = [found[0][identity].get("group") for identity in shared]
    sheet = Sheet(
        task,
        _described(rows, shared) if rows is not None else [{}] * len(shared),
        shared,
        references,
        Resampling(resamples=resamples, confidence=confidence, seed=seed),
        groups=None if None in groups else groups,
        described=rows is not None,
    )
    return sheet.report(
        answered,
        notes=_left_out(names, found, len(shared)),
        settings={"compared": {name: dict(report.settings) for name, report in zip(names, reports, strict=True)}},
        slices=slices,
    )


def judge(
    predictions: Mapping[str, Any] | Iterable[Any],
    rows: Iterable[Row],
    *,
    task: Task[Any],
    name: str = "given",
    probabilities: Iterable[Mapping[str, float]] | None = None,
    slices: Sequence[str] = (),
    resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
    include_text: bool = False,
) -> Report:
    """Measure predictions that were made elsewhere: by another model, an interface, or rules.

    Args:
        predictions: A value for each row, in the rows' order, or by row id.  A value is written as the task's label
            column writes it; one that the task does not understand, or ``None``, is an invalid answer.
        rows: Labelled, in the task's column names.
        task: How answers are judged.
        name: What to call the system.
        probabilities: Of each possible value, for each row, where they are known.
        slices: Columns by whose values the main metric is shown as well.
        resamples: Bootstrap samples.
        confidence: Of the intervals.
        seed: Of the bootstrap.
        include_text: Whether the report may hold the rows' texts, and answers in free text, which :func:`compare`
            needs to compare such answers.

    Returns:
        A report like that of ``evaluate``, without baselines; :func:`compare` sets it beside others.

    Raises:
        ConfigurationError: A setting is out of range, or a slice is of a column that no row has.
        DataError: A row is unusable, there are not as many predictions as rows, or a probability is none.
    """
    check_task(task)
    rows = as_rows(rows)
    check_rows(rows, task, labelled=True)
    ids = row_ids(rows)
    values = _values(predictions, ids)
    scores = list(probabilities) if probabilities is not None else [{} for _ in rows]
    if len(scores) != len(rows):
        msg = f"there are {len(scores)} probabilities for {len(rows)} rows; give one mapping for each"
        raise DataError(msg)
    outputs = [
        Output(_understood(task, row, value), _checked(found, identity, task.labels))
        for row, identity, value, found in zip(rows, ids, values, scores, strict=True)
    ]
    sheet = Sheet.of(task, rows, ids, Resampling(resamples, confidence, seed))
    return sheet.report(
        [Answered(name, outputs)],
        notes=[],
        settings={"rows_fingerprint": fingerprint(rows)},
        slices=slices,
        texts=[[user_text(row, task)] for row in rows] if include_text else None,
    )


def _task_of(report: Report) -> Task[Any]:
    try:
        return get_task(report.task)
    except UnknownNameError:
        plugins = installed()
        msg = (
            f"the report was made with the task {report.task!r}, which no installed plugin has; pass task=, the task "
            f"that it was made with. {plugins.describe(plugins.tasks, 'tasks')}"
        )
        raise UnknownNameError(msg) from None


def _check_alike(reports: Sequence[Report], names: Sequence[str]) -> None:
    if len(reports) < 2:  # noqa: PLR2004
        msg = "compare needs two reports or more"
        raise ConfigurationError(msg)
    if len(set(names)) != len(reports):
        msg = f"names={list(names)} must be {len(reports)} different ones, one for each report"
        raise ConfigurationError(msg)
    for name, report in zip(names, reports, strict=True):
        if not isinstance(report, Report):
            msg = f"{name}: {report!r:.200} is no Report; load a saved one with qk.Report.load(path)"
            raise ConfigurationError(msg)
    tasks = list(dict.fromkeys(report.task for report in reports))
    if len(tasks) > 1:
        msg = f"the reports are of different tasks: {', '.join(tasks)}"
        raise ConfigurationError(msg)
    first = set(reports[0].labels or ())
    for name, report in zip(names, reports, strict=True):
        changed = sorted(first ^ set(report.labels or ()))
        if changed:
            msg = f"the label set changed between {names[0]} and {name}: {', '.join(map(repr, changed))}; evaluate anew"
            raise ConfigurationError(msg)


def _described(rows: Iterable[Row], shared: Sequence[str]) -> list[Row]:
    """The rows with these ids."""
    read = as_rows(rows)
    by_id = dict(zip(row_ids(read), read, strict=True))
    missing = [identity for identity in shared if identity not in by_id]
    if missing:
        msg = f"rows: {len(missing)} rows of the reports are not among them ({', '.join(missing[:3])} ...)"
        raise DataError(msg)
    return [by_id[identity] for identity in shared]


def _left_out(names: Sequence[str], found: Sequence[Mapping[str, Any]], shared: int) -> list[str]:
    counts = {name: len(items) - shared for name, items in zip(names, found, strict=True)}
    said = ", ".join(f"{count} rows of {name}" for name, count in counts.items() if count)
    return [f"left out, because not all reports hold them: {said}"] if said else []


def _reference(identity: str, found: Sequence[Mapping[str, Mapping[str, Any]]]) -> Any:  # noqa: ANN401  # any value
    given = [items[identity].get("reference") for items in found]
    if any(value is None for value in given):
        msg = f"row {identity}: a report does not hold what is right; evaluate with include_text=True to compare texts"
        raise DataError(msg)
    if len({json.dumps(value) for value in given}) > 1:  # one that was saved holds lists where a new one has tuples
        msg = f"row {identity}: the reports disagree on what is right ({given[0]!r} and others); were labels corrected?"
        raise DataError(msg)
    return given[0]


def _output(task: Task[Any], record: Mapping[str, Any], system: str) -> Output[Any]:
    identity, said = str(record["row_id"]), record.get(system, {})
    if "scores" not in said:
        msg = f"row {identity}: a report does not hold what {system} answered; evaluate once more"
        raise DataError(msg)
    value = said.get("value")
    return Output(None if value is None else _restored(task, value, identity), dict(said["scores"]))


def _restored(task: Task[Any], value: Any, identity: str) -> Any:  # noqa: ANN401  # any value
    """A value as the task has it, of what JSON made of it."""
    try:
        found = task.restore(value)
        if task.labels is not None:
            hash(found)  # labels are looked up
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        msg = f"row {identity}: a report holds {value!r:.60}, which is no value of {task.name} ({error})"
        raise DataError(msg) from error
    return found


def _values(predictions: Mapping[str, Any] | Iterable[Any], ids: Sequence[str]) -> list[Any]:
    if isinstance(predictions, Mapping):
        missing = [identity for identity in ids if identity not in predictions]
        unknown = sorted(set(map(str, predictions)) - set(ids))
        if missing or unknown:
            msg = (
                f"predictions lack {len(missing)} rows ({', '.join(missing[:3]) or 'none'}) and hold {len(unknown)} "
                f"that are not among them ({', '.join(unknown[:3]) or 'none'})"
            )
            raise DataError(msg)
        return [predictions[identity] for identity in ids]
    values = list(predictions)
    if len(values) != len(ids):
        msg = f"there are {len(values)} predictions for {len(ids)} rows; give one for each, None where there is none"
        raise DataError(msg)
    return values


def _checked(scores: Mapping[str, float], identity: str, labels: Sequence[str] | None) -> dict[str, float]:
    """Probabilities, if they are some."""
    for label, score in scores.items():
        if isinstance(score, bool) or not isinstance(score, Real) or not 0 <= score <= 1:
            msg = f"row {identity}: the probability of {label!r} is {shown(score)}; it must be a number from 0 to 1"
            raise DataError(msg)
        if labels is not None and label not in labels:
            near = did_you_mean(label, labels)
            msg = f"row {identity}: there is a probability of {label!r}, which is no label.{near}"
            raise DataError(msg)
    return {label: float(score) for label, score in scores.items()}


def _understood(task: Task[Any], row: Row, value: Any) -> Any:  # noqa: ANN401  # any value
    """A value as the task reads it from its label column; ``None`` where it cannot."""
    labels = [column.name for column in task.columns if column.label]
    if value is None or (task.tells_text and isinstance(value, str)):
        return value
    try:
        return task.reference({**row, labels[0]: value}) if labels else value
    except (DataError, ValueError, RecursionError):  # the last two of what Python cannot write as text
        return None
