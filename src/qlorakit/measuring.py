"""From what systems answered to a report: no model is needed here."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qlorakit.errors import ConfigurationError
from qlorakit.metrics import confusion
from qlorakit.report import Comparison, Estimate, Report, Slice, Slices, System
from qlorakit.rows import group_of
from qlorakit.score_metrics import RiskCoverage, calibration_bins, risk_coverage
from qlorakit.slicing import FEWEST_ROWS, FREQUENCY, LENGTH, by_columns, by_frequency, by_length, undivided
from qlorakit.statistics import Resampling, holm, mcnemar, warnings_of

if TYPE_CHECKING:
    from qlorakit.report import Cost
    from qlorakit.slicing import Members
    from qlorakit.statistics import Difference, McNemar, Resampled
    from qlorakit.task import Decision, Metric, Output, Row, Task

RESERVED_NAMES = ("row_id", "group", "reference", "text")  # of what a prediction holds besides systems
MOST_POINTS = 200  # of a curve that is kept in a report


@dataclass(frozen=True)
class Answered:
    """What a system said to all rows.

    Attributes:
        name: The system.
        outputs: One per row.
        cost: Of asking, where it matters.
        decision: Under which the outputs have their values, where there is one.
    """

    name: str
    outputs: Sequence[Output[Any]]
    cost: Cost | None = None
    decision: Decision | None = None


@dataclass(frozen=True)
class Sheet:
    """The rows that every system answers, and how the answers are judged.

    Attributes:
        task: Whose metrics are computed.
        rows: All of them.
        ids: Theirs.
        references: The right values.
        resampling: How intervals are found.
        groups: A value per row, where rows with the same one belong together and are resampled together.
        described: Whether the rows themselves are there, and not their ids alone.
    """

    task: Task[Any]
    rows: Sequence[Row]
    ids: Sequence[str]
    references: Sequence[Any]
    resampling: Resampling
    groups: Sequence[Hashable] | None = None
    described: bool = True

    @classmethod
    def of(cls, task: Task[Any], rows: Sequence[Row], ids: Sequence[str], resampling: Resampling) -> Sheet:
        """A sheet of labelled rows; those of one group of the task are resampled together."""
        groups = None if task.group is None else [group_of(row, task, number) for number, row in enumerate(rows)]
        grouped = groups is not None and len(set(groups)) < len(groups)
        return cls(task, rows, ids, list(map(task.reference, rows)), resampling, groups if grouped else None)

    def report(
        self,
        answered: Sequence[Answered],
        *,
        notes: Sequence[str],
        settings: Mapping[str, Any],
        slices: Sequence[str] = (),
        label_counts: Mapping[Any, int] | None = None,
        texts: Sequence[Sequence[str]] | None = None,
        training: Sequence[Mapping[str, Any]] = (),
    ) -> Report:
        """Measure what was answered, the first system against each other one.

        Args:
            answered: By each system.
            notes: What a reader must know besides.
            settings: How the answers came about.
            slices: Columns to divide the rows by.
            label_counts: How often each label occurs in training.
            texts: What was asked about each row, where the report may hold that.
            training: What was logged in training.

        Raises:
            ConfigurationError: Systems are called alike, or like a part of a prediction, or no row has a column of
                ``slices``.
        """
        _check_names([one.name for one in answered])
        divisions = by_columns(self.rows, slices)
        measured = [self._measure(one) for one in answered]
        comparisons = tuple(self._compare(measured[0], other) for other in measured[1:])
        adjusted = holm([comparison.p_value for comparison in comparisons])
        return Report(
            task=self.task.name,
            kind=self.task.kind,
            rows=len(self.rows),
            labels=self.task.labels,
            systems=tuple(self._system(one) for one in measured),
            comparisons=tuple(
                replace(comparison, adjusted_p=p) for comparison, p in zip(comparisons, adjusted, strict=True)
            ),
            predictions=tuple(self._predictions(answered, texts)),
            notes=(*notes, *self._warnings(measured[0]), *undivided(self.rows, divisions)),
            settings={
                **settings,
                "higher_is_better": {metric.name: metric.higher_is_better for metric in self.task.metrics},
                **self.resampling.record(),
            },
            ceiling=self._ceiling(),
            slices=tuple(self._slices(measured[0], divisions, label_counts)),
            training=tuple(training),
        )

    def _measure(self, answered: Answered) -> _Measured:
        return _Measured(answered, {one.name: self._apply(one, answered.outputs) for one in self.task.metrics})

    def _apply(self, metric: Metric[Any], outputs: Sequence[Output[Any]]) -> Resampled | None:
        if not is_measurable(metric, outputs):
            return None
        return self.resampling.apply(metric, outputs, self.references, self.rows, groups=self.groups)

    def _system(self, measured: _Measured) -> System:
        outputs, task = measured.answered.outputs, self.task
        scored = bool(task.single or task.kind == "multiple choice") and has_scores(outputs)
        curve = risk_coverage(outputs, self.references, task.matches) if scored else None
        return System(
            name=measured.answered.name,
            metrics={name: self._estimate(found) for name, found in measured.found.items()},
            invalid=sum(output.value is None for output in outputs) / len(outputs),
            classes=tuple(task.classes(outputs, self.references)) if task.classes else None,
            confusion=confusion(outputs, self.references, task.labels) if task.single and task.labels else None,
            calibration=calibration_bins(outputs, self.references) if scored else None,
            risk_coverage=_thinned(curve) if curve else None,
            decision=measured.answered.decision,
            cost=measured.answered.cost,
        )

    def _estimate(self, found: Resampled | Difference | None) -> Estimate:
        if found is None or not math.isfinite(found.value):
            return Estimate(None, None, None)
        low, high = self.resampling.interval(found)
        return Estimate(found.value, *(end if math.isfinite(end) else None for end in (low, high)))

    def _compare(self, first: _Measured, other: _Measured) -> Comparison:
        differences = {name: self._difference(found, other.found[name]) for name, found in first.found.items()}
        estimates = {name: self._estimate(found) for name, found in differences.items()}
        main = next(iter(differences.values()))
        p_value = 1.0 if main is None or math.isnan(main.p_value()) else main.p_value()
        names = first.answered.name, other.answered.name
        return Comparison(*names, estimates, self._mcnemar(first, other), p_value, adjusted_p=p_value)

    def _mcnemar(self, first: _Measured, other: _Measured) -> McNemar | None:
        if self.groups:
            return None  # it takes rows as independent
        right = (
            [
                is_right(self.task, output, reference)
                for output, reference in zip(one.answered.outputs, self.references, strict=True)
            ]
            for one in (first, other)
        )
        return mcnemar(*right)

    @staticmethod
    def _difference(first: Resampled | None, other: Resampled | None) -> Difference | None:
        if first is None or other is None or math.isnan(first.value) or math.isnan(other.value):
            return None
        return first.minus(other)

    def _warnings(self, measured: _Measured) -> Iterator[str]:
        if self.groups:
            found = len(set(self.groups))
            yield f"the {len(self.rows)} rows belong to {found} groups, which are resampled as a whole"
        yield from warnings_of(
            self.task, self.references, measured.answered.outputs, groups=self.groups, found=measured.found
        )

    def _ceiling(self) -> dict[str, float]:
        """What the best answers in the task's format would reach, where that is not everything."""
        if self.task.expressible is None or not self.described:
            return {}
        best = [self.task.expressible(row) for row in self.rows]
        reached = {
            metric.name: metric.compute(best, self.references, self.rows)
            for metric in self.task.metrics
            if is_measurable(metric, best)
        }
        return {name: value for name, value in reached.items() if value != 1.0 and not math.isnan(value)}

    def _slices(
        self, measured: _Measured, by_columns: Mapping[str, Members], label_counts: Mapping[Any, int] | None
    ) -> Iterator[Slices]:
        divisions = dict(by_columns)
        if self.described:
            divisions[LENGTH] = by_length(self.rows, self.task)
        if self.task.single:
            divisions[FREQUENCY] = by_frequency(self.references, label_counts or Counter(self.references))
        for column, members in divisions.items():
            if len(members) > 1:
                yield self._divide(measured, column, members)

    def _divide(self, measured: _Measured, column: str, members: Members) -> Slices:
        metric, outputs = self._metric_of(column), measured.answered.outputs
        found = {
            value: self._part(places)._apply(metric, [outputs[place] for place in places])
            for value, places in members.items()
        }
        slices = tuple(Slice(value, len(members[value]), self._estimate(found[value])) for value in members)
        enough = {
            value: item for value, item in found.items()
            if item is not None and not math.isnan(item.value) and len(members[value]) >= FEWEST_ROWS
        }  # fmt: skip
        gap = Estimate(None, None, None)
        if len(enough) > 1:
            best, worst = (choose(enough.values(), key=lambda item: item.value) for choose in (max, min))
            gap = self._estimate(best.minus(worst, paired=False))
        return Slices(column, metric.name, slices, gap)

    def _metric_of(self, column: str) -> Metric[Any]:
        """The main metric; where slices are of labels, accuracy, because F1 of a label needs the rows of all others."""
        named = {metric.name: metric for metric in self.task.metrics}
        return named.get("accuracy", self.task.metrics[0]) if column == FREQUENCY else self.task.metrics[0]

    def _part(self, places: Sequence[int]) -> Sheet:
        """Some of the rows."""
        return replace(
            self,
            rows=[self.rows[place] for place in places],
            ids=[self.ids[place] for place in places],
            references=[self.references[place] for place in places],
            groups=None if self.groups is None else [self.groups[place] for place in places],
        )

    def _predictions(
        self, answered: Sequence[Answered], texts: Sequence[Sequence[str]] | None
    ) -> Iterator[dict[str, Any]]:
        """What every system said to every row, without texts unless asked for."""
        shown = texts is not None or not self.task.tells_text
        numbers: dict[Hashable, int] = {}
        for place, (identity, reference) in enumerate(zip(self.ids, self.references, strict=True)):
            record: dict[str, Any] = {"row_id": identity}
            if self.groups:
                record["group"] = numbers.setdefault(self.groups[place], len(numbers))
            if shown:
                record["reference"] = reference
            if texts is not None:
                record["text"] = list(texts[place])
            for one in answered:
                output = one.outputs[place]
                said: dict[str, Any] = {"right": is_right(self.task, output, reference), "scores": dict(output.scores)}
                if shown:
                    said["value"] = output.value
                record[one.name] = said
            yield record


@dataclass(frozen=True)
class _Measured:
    """A system's answers with what the metrics say of them."""

    answered: Answered
    found: Mapping[str, Resampled | None]


def _check_names(names: Sequence[str]) -> None:
    taken = [name for name in names if name in RESERVED_NAMES or names.count(name) > 1]
    if taken:
        msg = f"a system may not be called {taken[0]!r}: names are distinct, and none of {', '.join(RESERVED_NAMES)}"
        raise ConfigurationError(msg)


def _thinned(curve: RiskCoverage) -> RiskCoverage:
    """A curve with few enough points to be kept; the last one always is."""
    step = -(-len(curve.coverage) // MOST_POINTS)
    kept = [*range(0, len(curve.coverage) - 1, step), len(curve.coverage) - 1]
    return RiskCoverage(
        *(tuple(values[place] for place in kept) for values in (curve.thresholds, curve.coverage, curve.risk))
    )


def is_right(task: Task[Any], output: Output[Any], reference: Any) -> bool:  # noqa: ANN401  # any value
    """Whether an output is right; an invalid one never is."""
    return output.value is not None and bool(task.matches(output.value, reference))


def has_scores(outputs: Sequence[Output[Any]]) -> bool:
    """Whether every valid answer comes with probabilities."""
    return any(output.scores for output in outputs) and all(
        output.scores for output in outputs if output.value is not None
    )


def is_measurable(metric: Metric[Any], outputs: Sequence[Output[Any]]) -> bool:
    """Whether a metric can be computed: one of probabilities needs some."""
    return not metric.needs_scores or has_scores(outputs)
