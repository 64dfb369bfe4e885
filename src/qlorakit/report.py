"""What an evaluation found: numbers with intervals, beside their baselines, in words and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from qlorakit.display import as_text
from qlorakit.errors import ConfigurationError, OutputError, UnknownNameError
from qlorakit.records import write_json

if TYPE_CHECKING:
    from qlorakit.metrics import ClassScores

FORMAT = 1
SIGNIFICANCE = 0.05
WIDEST_MATRIX = 6  # labels; a wider one leaves the page
CONFUSIONS_SHOWN = 15


@dataclass(frozen=True)
class Estimate:
    """A value with its bootstrap interval.

    Attributes:
        value: On the rows as they are.
        low: Lower end of the interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """``0.872 [0.840, 0.903]``."""
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class System:
    """One way of answering the rows, and how it fared.

    Attributes:
        name: ``"tuned"``, ``"base"``, ``"majority"`` or ``"tfidf"``.
        metrics: By name, in the task's order.
        invalid: Share of rows without a valid answer.
        classes: Per label, where the task has a closed set.
        confusion: Rows are true labels, columns answers, the last column invalid ones.
        seconds: Wall-clock time of asking all rows; ``None`` where it does not matter.
        tokens: Computed in forward passes, padding included.
    """

    name: str
    metrics: Mapping[str, Estimate]
    invalid: float
    classes: tuple[ClassScores, ...] | None = None
    confusion: tuple[tuple[int, ...], ...] | None = None
    seconds: float | None = None
    tokens: int | None = None


@dataclass(frozen=True)
class Comparison:
    """The first system of a report against another, on the same rows.

    Attributes:
        system: The first one.
        against: The other.
        differences: First minus other, by metric, with a paired bootstrap interval.
        mcnemar_p: P-value of the exact McNemar test that both are right equally often.
    """

    system: str
    against: str
    differences: Mapping[str, Estimate]
    mcnemar_p: float

    def sentence(self, metric: str, *, higher_is_better: bool, confidence: float) -> str:
        """Say whether the first system beats the other by a metric, and whether that could be chance."""
        difference = self.differences[metric]
        sign = 1 if higher_is_better else -1
        better, worse = sign * difference.value > 0, sign * difference.value < 0
        verb = "beats" if better else "loses to" if worse else "equals"
        clear = difference.low > 0 or difference.high < 0
        significant = self.mcnemar_p < SIGNIFICANCE
        judgement = "which could be chance: the interval of the difference has 0"
        if clear:
            doubt = "which the interval says is no chance, but McNemar's test of right answers does not confirm"
            judgement = "more than chance would explain" if significant else doubt
        span = f"{difference.low:+.3f} to {difference.high:+.3f} at {confidence:.0%}"
        by = f"by {abs(difference.value):.3f} {metric} ({span})"
        return f"{self.system} {verb} {self.against} {by}, {judgement}; McNemar {format_p(self.mcnemar_p)}"


@dataclass(frozen=True)
class Report:
    """The result of ``evaluate``.  Print it, save it, read single numbers from it.

    Attributes:
        task: Its name.
        rows: How many were asked.
        labels: The closed set, where there is one.
        systems: The model first, then the baselines.
        comparisons: The model against each of them.
        predictions: For each row its id, reference, and each model's value and probabilities; no texts unless asked
            for.
        notes: What a reader must know.
        settings: How it was measured, with seeds, versions and fingerprints.
    """

    task: str
    rows: int
    labels: tuple[str, ...] | None
    systems: tuple[System, ...]
    comparisons: tuple[Comparison, ...]
    predictions: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    settings: Mapping[str, Any]

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

    def __str__(self) -> str:
        """Sentences, then tables."""
        first = self.systems[0]
        parts: list[Any] = [*self.summary(), "", self._metric_table()]
        if first.classes:
            parts.append(self._class_table(first))
        if first.confusion:
            wide = len(self.labels or ()) > WIDEST_MATRIX
            parts.append(self._confused_pairs(first) if wide else self._confusion_table(first))
        parts.extend(f"Note: {note}" for note in self.notes)
        return as_text(*parts)

    def summary(self) -> list[str]:
        """Whether the model beats each baseline, in words."""
        metric = next(iter(self.systems[0].metrics))
        higher = bool(self.settings["higher_is_better"][metric])
        confidence = float(self.settings["confidence"])
        return [
            comparison.sentence(metric, higher_is_better=higher, confidence=confidence) + "."
            for comparison in self.comparisons
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``save`` writes it."""
        return {"format": FORMAT, "summary": self.summary(), **asdict(self)}

    def save(self, path: str | Path) -> Path:
        """Write the report as JSON; the file is complete or absent.

        Args:
            path: Ends in ``.json``; its folder is made where needed.

        Raises:
            ConfigurationError: Another ending.
            OutputError: The file cannot be written.
        """
        path = Path(path)
        if path.suffix != ".json":
            msg = f"{path}: reports are saved as .json"
            raise ConfigurationError(msg)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, self.to_dict())
        except OSError as error:
            msg = f"{path} could not be written: {error}"
            raise OutputError(msg) from error
        except TypeError as error:
            msg = f"{path} is not written: the report holds a value that JSON cannot ({error})"
            raise OutputError(msg) from error
        return path

    def _metric_table(self) -> Table:
        confidence = f"{float(self.settings['confidence']):.0%}"
        table = Table(title=f"{self.task}: {self.rows} rows, value [{confidence} bootstrap interval]")
        table.add_column("system")
        for metric in self.systems[0].metrics:
            table.add_column(metric, justify="right")
        for heading in ("invalid", "seconds"):
            table.add_column(heading, justify="right")
        for system in self.systems:
            seconds = "" if system.seconds is None else f"{system.seconds:.1f}"
            table.add_row(system.name, *map(str, system.metrics.values()), f"{system.invalid:.1%}", seconds)
        return table

    def _class_table(self, system: System) -> Table:
        table = Table(title=f"{system.name}, per class")
        table.add_column("class")
        for heading in ("precision", "recall", "F1", "rows"):
            table.add_column(heading, justify="right")
        for scores in system.classes or ():
            numbers = (scores.precision, scores.recall, scores.f1)
            table.add_row(scores.label, *(f"{number:.3f}" for number in numbers), str(scores.support))
        return table

    def _confused_pairs(self, system: System) -> Table:
        """The commonest confusions, where the whole matrix would not fit; the saved report holds it."""
        labels = self.labels or ()
        pairs = [
            (count, truth, answer)
            for truth, line in zip(labels, system.confusion or (), strict=True)
            for answer, count in zip((*labels, "invalid"), line, strict=True)
            if count and answer != truth
        ]
        table = Table(title=f"{system.name}, the {CONFUSIONS_SHOWN} commonest confusions")
        for heading in ("truth", "answer"):
            table.add_column(heading)
        table.add_column("rows", justify="right")
        for count, truth, answer in sorted(pairs, key=lambda pair: (-pair[0], *pair[1:]))[:CONFUSIONS_SHOWN]:
            table.add_row(truth, answer, str(count))
        return table

    def _confusion_table(self, system: System) -> Table:
        table = Table(title=f"{system.name}, confusion (rows: truth, columns: answer)")
        table.add_column("")
        for label in (*(self.labels or ()), "invalid"):
            table.add_column(label, justify="right")
        for label, line in zip(self.labels or (), system.confusion or (), strict=True):
            table.add_row(label, *map(str, line))
        return table


def format_p(value: float) -> str:
    """A p-value as one reads it."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"  # noqa: PLR2004  # three digits are enough
