"""What an evaluation found, as data: numbers with intervals, beside their baselines, and what they mean in words.

:mod:`qlorakit.report_text` and :mod:`qlorakit.report_html` draw it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from functools import partial
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Self, get_args, get_origin, get_type_hints

from qlorakit.documents import load_document, save_document
from qlorakit.errors import ConfigurationError, DataError, EvidenceError, UnknownNameError, did_you_mean
from qlorakit.score_metrics import CalibrationBin, RiskCoverage, threshold_for_risk
from qlorakit.statistics import McNemar  # noqa: TC001  # load() reads the types of fields
from qlorakit.task import ClassScores, Output

if TYPE_CHECKING:
    from collections.abc import Callable

    from qlorakit.task import Task

FORMAT = 2
SIGNIFICANCE = 0.05
DEEPEST = 50  # levels of lists and mappings that a report is read with, so that all that draws it can go through them
CONDITION = re.compile(r"\s*(>=|<=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Estimate:
    """A value with its interval.

    Attributes:
        value: On the rows as they are; ``None`` where it is not defined, as for probabilities that a system lacks.
        low: Lower end of the interval.
        high: Upper end.
    """

    value: float | None
    low: float | None
    high: float | None

    @property
    def known(self) -> float | None:
        """The value, where it is a number."""
        return None if self.value is None or not math.isfinite(self.value) else self.value

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends, where they are numbers."""
        if self.low is None or self.high is None or not math.isfinite(self.low + self.high):
            return None
        return self.low, self.high

    def __str__(self) -> str:
        """``0.872 [0.840, 0.903]``, or a dash where there is no value."""
        if self.known is None:
            return "-"
        return f"{self.known:.3f}" + (f" [{self.low:.3f}, {self.high:.3f}]" if self.interval else "")


@dataclass(frozen=True)
class Cost:
    """What it took to ask a system all rows.

    Attributes:
        seconds: Wall-clock time.
        tokens: Computed in forward passes, padding included.
        tokens_alone: That would have been computed with each question and each choice by itself.
        peak_bytes: Most memory that was held.
    """

    seconds: float
    tokens: int
    tokens_alone: int
    peak_bytes: int


@dataclass(frozen=True)
class System:
    """One way of answering the rows, and how it fared.

    Attributes:
        name: Such as ``"tuned"``, ``"base"``, ``"majority"`` or ``"tfidf"``.
        metrics: By name, in the task's order.
        invalid: Share of rows without a valid answer.
        classes: How each class fared, where there are some.
        confusion: Of single labels: rows are true labels, columns answers, the last column invalid ones.
        calibration: Bars of a reliability diagram, where there are probabilities.
        risk_coverage: What is risked when only the surest answers are given, likewise.
        decision: Thresholds that were fitted, or the default ones.
        cost: Of asking; ``None`` where it does not matter.
    """

    name: str
    metrics: Mapping[str, Estimate]
    invalid: float
    classes: tuple[ClassScores, ...] | None = None
    confusion: tuple[tuple[int, ...], ...] | None = None
    calibration: tuple[CalibrationBin, ...] | None = None
    risk_coverage: RiskCoverage | None = None
    decision: Mapping[str, float] | None = None
    cost: Cost | None = None


@dataclass(frozen=True)
class Comparison:
    """The first system of a report against another, on the same rows.

    Attributes:
        system: The first one.
        against: The other.
        differences: First minus other, by metric, with an interval that takes both row by row.
        mcnemar: McNemar's test that both are right equally often; ``None`` where rows come in groups, of which it would
            think as rows of their own.
        p_value: Of the difference in the main metric, two-sided: below 5 % where its interval at 95 % leaves out 0.
        adjusted_p: The same, corrected for as many comparisons as the report holds (Holm, 1979).
    """

    system: str
    against: str
    differences: Mapping[str, Estimate]
    mcnemar: McNemar | None
    p_value: float
    adjusted_p: float

    def verdict(self, metric: str, *, higher_is_better: bool) -> Verdict | None:
        """Which system is better by a metric; ``None`` where the difference is not known."""
        found = self.differences[metric]
        if found.known is None:
            return None
        gain, (low, high) = found.known if higher_is_better else -found.known, found.interval or (0.0, 0.0)
        confirmed = self.adjusted_p < SIGNIFICANCE
        return Verdict(better=gain > 0, worse=gain < 0, clear=low > 0 or high < 0, confirmed=confirmed)

    def sentence(self, metric: str, *, higher_is_better: bool, confidence: float) -> str:
        """Say whether the first system beats the other by a metric, and whether that could be chance."""
        verdict, found = self.verdict(metric, higher_is_better=higher_is_better), self.differences[metric]
        if verdict is None:
            return f"{self.system} and {self.against} cannot be compared by {metric}"
        span = "no interval is known"
        if found.interval:
            span = "{:+.3f} to {:+.3f} at {:.0%}".format(*found.interval, confidence)
        by = f"by {abs(found.known or 0.0):.3f} {metric} ({span})"
        test = f"adjusted {format_p(self.adjusted_p)}"
        if self.mcnemar and self.mcnemar.only_first + self.mcnemar.only_second:  # without such rows it says nothing
            test += f", McNemar's mid-{format_p(self.mcnemar.mid_p)}"
        return f"{self.system} {verdict.verb} {self.against} {by}, {verdict.judgement}; {test}"


@dataclass(frozen=True)
class Verdict:
    """Which of two systems is better.

    Attributes:
        better: The first one is.
        worse: The other is.
        clear: The interval of the difference does not hold 0.
        confirmed: It is still clear when p-values are corrected for several comparisons.
    """

    better: bool
    worse: bool
    clear: bool
    confirmed: bool

    @property
    def verb(self) -> str:
        """What the first one does to the other: a win must bear correction for several comparisons, a loss need not."""
        if self.better:
            return "beats" if self.clear and self.confirmed else "is ahead of"
        if self.worse:
            return "loses to" if self.clear else "is behind"
        return "equals"

    @property
    def judgement(self) -> str:
        """Whether the difference could be chance."""
        if not self.clear:
            return "which could be chance"
        return "more than chance would explain" if self.confirmed else "which could be chance among several comparisons"

    @property
    def outcome(self) -> str:
        """Both in short, with ``{}`` for the other one."""
        settled = self.verb in {"beats", "equals", "loses to"}
        return f"{self.verb} {{}}" if settled else f"{self.verb} {{}}, {self.judgement}"


@dataclass(frozen=True)
class Slice:
    """The rows that have one value in a column, and how the first system fared on them.

    Attributes:
        value: In words.
        rows: How many.
        estimate: The main metric.
    """

    value: str
    rows: int
    estimate: Estimate


@dataclass(frozen=True)
class Slices:
    """A metric by the values of a column: the main one, or accuracy where rows are divided by their label.

    Attributes:
        column: Its name.
        metric: Which.
        slices: Largest first; values of few rows are put together.
        gap: Largest minus smallest value among those with enough rows, with an interval.
    """

    column: str
    metric: str
    slices: tuple[Slice, ...]
    gap: Estimate


@dataclass(frozen=True)
class Report:
    """The result of ``evaluate``.  Print it, save it, read single numbers from it.

    Attributes:
        task: Its name.
        kind: What kind of task it is.
        rows: How many were asked.
        labels: The closed set, where there is one.
        systems: The model first, then the baselines.
        comparisons: The model against each of them.
        predictions: For each row its id, reference, and each system's value and probabilities; no texts unless asked
            for.
        notes: What a reader must know.
        settings: How it was measured, with seeds, versions and fingerprints.
        ceiling: The best values that answers in the task's format can reach, where these are not the best there are.
        slices: The first system's main metric by columns, and its accuracy on common and on rare labels.
        training: What was logged while the adapter was trained.
    """

    task: str
    kind: str
    rows: int
    labels: tuple[str, ...] | None
    systems: tuple[System, ...]
    comparisons: tuple[Comparison, ...]
    predictions: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]
    ceiling: Mapping[str, float] = field(default_factory=dict)
    slices: tuple[Slices, ...] = ()
    training: tuple[Mapping[str, Any], ...] = ()

    def system(self, name: str) -> System:
        """The system of that name.

        Raises:
            UnknownNameError: The report has none.
        """
        for system in self.systems:
            if system.name == name:
                return system
        msg = f"the report has no system {name!r}; it has {', '.join(system.name for system in self.systems)}"
        raise UnknownNameError(msg)

    @property
    def metric(self) -> str:
        """The name of the main metric, which the task names first."""
        return next(iter(self.systems[0].metrics))

    def better_if_higher(self, metric: str) -> bool:
        """Whether more is better."""
        return bool(self.settings["higher_is_better"][metric])

    def headline(self) -> str:
        """In one sentence, what the first system beats, what it does not, and what could be chance."""
        if not self.comparisons:
            value = self.systems[0].metrics[self.metric]
            return f"{self.systems[0].name} reaches {self.metric} {value}; it was compared with nothing."
        outcomes: dict[str, list[str]] = {}
        for comparison in self.comparisons:
            outcomes.setdefault(self._outcome(comparison), []).append(comparison.against)
        said = [outcome.format(_listed(names)) for outcome, names in sorted(outcomes.items(), key=_best_first)]
        return f"By {self.metric}, {self.systems[0].name} {'; it '.join(said)}."

    def summary(self) -> list[str]:
        """Whether the first system beats each baseline, in words."""
        confidence = float(self.settings["confidence"])
        higher = self.better_if_higher(self.metric)
        return [
            comparison.sentence(self.metric, higher_is_better=higher, confidence=confidence) + "."
            for comparison in self.comparisons
        ]

    def __str__(self) -> str:
        """Sentences, then tables."""
        from qlorakit.report_text import render_text

        return render_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``save`` writes it."""
        return {"format": FORMAT, "headline": self.headline(), "summary": self.summary(), **asdict(self)}

    def save(self, path: str | Path) -> Path:
        """Write the report; the file is complete or absent.

        Args:
            path: Ends in ``.json`` (everything, to be loaded again), ``.html`` (one page that needs no network),
                ``.md`` or ``.txt``; its folder is made where needed.

        Returns:
            The path.

        Raises:
            ConfigurationError: Another ending.
            OutputError: The file cannot be written, or a value of the report not as JSON.
        """
        return save_document(path, "report", self.to_dict, self._renderers())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a report that ``save`` wrote as JSON.

        Raises:
            DataError: The file is missing, damaged, no report, holds a row id twice, or was written by a newer or an
                older version.
        """
        record = load_document(path, "report")
        report: Self = _from_record(cls, record, str(path))
        return report

    def require(
        self, *, no_worse_than: Report | None = None, task: Task[Any] | None = None, **conditions: str | float
    ) -> None:
        """Pass where conditions hold, and raise with the evidence where not: a gate for a scheduled job.

        Args:
            no_worse_than: An earlier report on the same task.  On the rows that both hold, the main metric must not be
                lower (for errors, higher) by more than chance would explain.
            task: By which the two are compared; found by its name among the plugins unless given.
            **conditions: A metric's name with a bound on the first system's value, such as ``macro_f1=">=0.80"``; a
                number means at least that much, or at most, where less is better.

        Raises:
            EvidenceError: A condition does not hold, or the main metric cannot be compared.
            ConfigurationError: Nothing is required, a condition cannot be read, or the reports are of different tasks
                or label sets.
            DataError: The reports have no row in common, or disagree on what is right.
            UnknownNameError: The report has no such metric, or no plugin has the task.
        """
        if no_worse_than is None and not conditions:
            msg = "require: nothing is required; give a condition such as macro_f1='>=0.8', or no_worse_than"
            raise ConfigurationError(msg)
        failed = [said for name, bound in conditions.items() if (said := self._fails(name, bound))]
        if no_worse_than is not None:
            failed.extend(self._losses(no_worse_than, task))
        if failed:
            msg = f"{self.task}, {self.systems[0].name} on {self.rows} rows: {'; '.join(failed)}"
            raise EvidenceError(msg)

    def threshold_for_risk(self, risk: float, *, confidence: float = 0.95) -> float | None:
        """The ``min_probability`` of ``predict`` with which no more than a chosen share of given answers is wrong.

        See :func:`~qlorakit.score_metrics.threshold_for_risk`.  The rows must not have chosen anything, must be
        independent (not several of a document), and new rows must be like them.

        Args:
            risk: Largest share of wrong answers among those that the first system gives, above 0 and below 1.
            confidence: How surely, at least 0.5 and below 1.

        Returns:
            The threshold, or ``None`` where none keeps the promise: there are too few rows, or too many mistakes.

        Raises:
            ConfigurationError: A setting is out of range, or rows have no single answer with a probability.
        """
        system = self.systems[0]
        if system.risk_coverage is None:
            msg = f"{self.task}: {system.name} gives no probability of one answer per row, and so no threshold"
            raise ConfigurationError(msg)
        said = [item.get(system.name, {}) for item in self.predictions]
        held = all("scores" in one and isinstance(one.get("value", 0), str | None) for one in said)
        if not held or not all("reference" in item for item in self.predictions):
            msg = f"{self.task}: the report lacks the answer of {system.name} to a row, or what is right"
            raise ConfigurationError(msg)
        outputs = [Output(one["value"], one["scores"]) for one in said]
        right = [item["reference"] for item in self.predictions]
        return threshold_for_risk(outputs, right, risk=risk, confidence=confidence)

    def _losses(self, before: Report, task: Task[Any] | None) -> Iterator[str]:
        from qlorakit.comparing import compare

        both = compare(self, before, names=("this one", "the one before"), task=task)
        comparison, higher = both.comparisons[0], both.better_if_higher(both.metric)
        verdict = comparison.verdict(both.metric, higher_is_better=higher)
        if verdict is None or (verdict.worse and verdict.clear):
            yield f"on the {both.rows} rows of both, {both.summary()[0].removesuffix('.')}"

    def _outcome(self, comparison: Comparison) -> str:
        verdict = comparison.verdict(self.metric, higher_is_better=self.better_if_higher(self.metric))
        return verdict.outcome if verdict else "cannot be compared with {}"

    def _fails(self, name: str, bound: str | float) -> str | None:
        metrics = self.systems[0].metrics
        if name not in metrics:
            msg = f"the report has no metric {name!r}; it has {', '.join(metrics)}.{did_you_mean(name, metrics)}"
            raise UnknownNameError(msg)
        sign = ">=" if self.better_if_higher(name) else "<="
        written = bound if isinstance(bound, str) else f"{sign}{_written(bound)}"
        match = CONDITION.fullmatch(written)
        if match is None:
            msg = f"{name}={written!r} is no condition; write it like {name}='>=0.8'"
            raise ConfigurationError(msg)
        value = metrics[name].value
        if value is not None and _HOLDS[match[1]](value, float(match[2])):
            return None
        said = "has no value" if value is None else f"is {metrics[name]}"
        return f"{name} {said}, which is not {match[1]} {match[2]}"

    def _renderers(self) -> dict[str, Callable[[], str]]:
        from qlorakit.report_html import render_html
        from qlorakit.report_text import render_markdown, render_text

        renderers = {".html": render_html, ".md": render_markdown, ".txt": render_text}
        return {ending: partial(render, self) for ending, render in renderers.items()}


_BEST_FIRST = ("beats", "is ahead of", "equals", "is behind", "loses to", "cannot")
_HOLDS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": lambda value, bound: value >= bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    "<": lambda value, bound: value < bound,
}


def format_p(value: float) -> str:
    """A p-value as one reads it."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"  # noqa: PLR2004  # three digits are enough


def _written(bound: object) -> str:
    """A number as one writes it; nothing for one of thousands of digits, which Python does not write."""
    try:
        return repr(bound)
    except ValueError:
        return ""


def _best_first(outcome: tuple[str, list[str]]) -> int:
    return next(place for place, verb in enumerate(_BEST_FIRST) if outcome[0].startswith(verb))


def _listed(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``; a name that would be taken for several is in quotes."""
    found = [f"'{name}'" if "," in name or " and " in name else name for name in names]
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def _from_record(cls: type[Any], record: Any, where: str) -> Any:  # noqa: ANN401  # whatever the file holds
    version = record.get("format") if isinstance(record, dict) else None
    if type(version) is not int:
        msg = f"{where} is no report of qlorakit: it names no format"
        raise DataError(msg)
    if version != FORMAT:
        newer = "upgrade qlorakit to read it" if version > FORMAT else "evaluate again to compare with it"
        msg = f"{where} is a report of format {version}, and this version reads format {FORMAT}; {newer}"
        raise DataError(msg)
    try:
        report: Report = _read(cls, record)
        fault = next(_faults(report), None)
    except (AttributeError, LookupError, OverflowError, RecursionError, TypeError, ValueError) as error:
        msg = f"{where} is a damaged report: {type(error).__name__} {error}"
        raise DataError(msg) from error
    if fault:
        msg = f"{where} is a damaged report: {fault}"
        raise DataError(msg)
    return report


def _read(kind: Any, value: Any) -> Any:  # noqa: ANN401  # any type of a field, and what JSON made of it
    """A value of a declared type."""
    parts = get_args(kind)
    if isinstance(kind, type) and is_dataclass(kind):
        types = get_type_hints(kind)
        return kind(**{item.name: _read(types[item.name], value[item.name]) for item in fields(kind)})
    if isinstance(kind, UnionType):
        return None if value is None else _read(parts[0], value)
    if get_origin(kind) is tuple and isinstance(value, list):
        return tuple(_read(parts[0], item) for item in value)
    if get_origin(kind) is Mapping and isinstance(value, dict):
        return {name: _read(parts[1], item) for name, item in value.items()}
    if kind is Any:
        return _tupled(value)
    if type(value) in _PLAIN.get(kind, ()) and (isinstance(value, str) or math.isfinite(value)):
        return value
    msg = f"{value!r:.60} stands where {kind} belongs"
    raise TypeError(msg)


def _tupled(value: Any, deepest: int = DEEPEST) -> Any:  # noqa: ANN401  # JSON has lists alone
    if deepest < 0 or (isinstance(value, float) and not math.isfinite(value)):
        msg = f"{value!r:.60} stands too deep in lists, or is no number"
        raise ValueError(msg)
    if isinstance(value, dict):
        return {name: _tupled(item, deepest - 1) for name, item in value.items()}
    return tuple(_tupled(item, deepest - 1) for item in value) if isinstance(value, list) else value


def _faults(report: Report) -> Iterator[str]:
    """What no evaluation writes, so that nothing that reads the report need expect it."""
    if not report.systems or not report.systems[0].metrics:
        yield "no system was measured"
    metrics, shape = set(report.systems[0].metrics), [len(report.labels or ()) + 1] * len(report.labels or ())
    if any(set(system.metrics) != metrics for system in report.systems):
        yield "the systems have different metrics"
    if any(report.metric not in comparison.differences for comparison in report.comparisons):
        yield f"a comparison lacks {report.metric}"
    if not metrics <= set(report.settings["higher_is_better"]) or not 0 < report.settings["confidence"] < 1:
        yield "the settings do not say how metrics are read"
    if any([len(line) for line in system.confusion] != shape for system in report.systems if system.confusion):
        yield "a confusion does not fit the labels"
    curves = [system.risk_coverage for system in report.systems if system.risk_coverage]
    if any(not len(curve.thresholds) == len(curve.coverage) == len(curve.risk) > 0 for curve in curves):
        yield "a curve has points without a place"
    answers = (item.get(system.name, {}) for item in report.predictions for system in report.systems)
    if not all(map(_is_answer, answers)):
        yield "an answer is none"
    if not all(isinstance(item.get("text", ()), str | tuple) for item in report.predictions):
        yield "a text is none"
    commonest = Counter(str(item["row_id"]) for item in report.predictions).most_common(1)
    if commonest and commonest[0][1] > 1:
        yield f"row id {commonest[0][0]!r} occurs {commonest[0][1]} times"


def _is_answer(found: Any) -> bool:  # noqa: ANN401  # whatever the file holds
    if not isinstance(found, dict) or not isinstance(scores := found.get("scores", {}), dict):
        return False
    return all(score is None or type(score) in {int, float} for score in scores.values())


_PLAIN: Mapping[Any, tuple[type, ...]] = {int: (int,), float: (float, int), str: (str,)}
