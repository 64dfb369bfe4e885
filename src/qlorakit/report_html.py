"""A report as one page that opens without a network: no script, and nothing is loaded from anywhere."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from markupsafe import Markup

from qlorakit.documents import render_page
from qlorakit.report_plots import (
    Axis,
    Line,
    heat_map,
    interval_bar,
    line_plot,
    reliability_diagram,
    share_bar,
)
from qlorakit.report_tables import (
    INVALID,
    NOTHING,
    TRAINING_LOSS,
    DataTable,
    WrongAnswer,
    bin_table,
    class_table,
    comparison_table,
    confused_pairs,
    cost_table,
    coverage_table,
    error_summary,
    interval_name,
    is_number,
    logged,
    metric_table,
    setting_table,
    slice_table,
    training_table,
    wrong_answers,
)

if TYPE_CHECKING:
    from qlorakit.report import Estimate, Report, Slices, System

WIDEST_MATRIX = 12  # labels in a table of counts; more are drawn
MANY_CLASSES = 30  # more are folded away, but for the worst
WORST_CLASSES = 15
SHADES = 9
HASH = re.compile(r"(sha256:)?[0-9a-f]{16,}", re.IGNORECASE)
MINUS = "\N{MINUS SIGN}"  # as wide as a plus
NO_BAR = Markup("")
BAR = "bar"  # the style of a column that holds bars

METRICS_TEXT = (
    "A dot is the value on these rows, the line around it the interval. Tracks run from 0 to 1, or as far as values go."
)
CEILING_TEXT = " A tick is the ceiling: the best value that answers in the task's format can reach."
RESULT_TEXT = (
    "All systems answered the same rows. Intervals say what other rows like these could have shown; differences are "
    "taken row by row. A system is said to beat another only where the p-value of the difference, adjusted for several "
    "comparisons, is below 5 %. McNemar's test asks besides whether both systems are right equally often."
)
CONFUSION_TEXT = (
    "Lines are true labels, columns are answers, and the last column holds invalid ones. Shades are shares of a line: "
    "blue for right answers, on the diagonal, and orange for wrong ones."
)
CALIBRATION_TEXT = (
    "Answers are put into bins by the probability they were given. A dot lies at the mean confidence of a bin and the "
    "share of it that is right: on the diagonal confidence is earned, below it answers are surer than they should be. "
    "The lower panel shows how many rows each bin holds. A bin of fewer than 10 says little and is outlined only."
)
RISK_TEXT = (
    "If only the surest answers are given and the others are left to people: the share of wrong ones among those that "
    "are given. The lower a line runs, the better a system knows what it does not know."
)
COST_TEXT = "Tokens are saved where prompts begin alike, so that their beginning is computed once."


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: What it says.
        detail: What it says besides, in small letters.
        bar: A bar that shows it.
        style: Classes of the page's style.
    """

    text: str
    detail: str = ""
    bar: Markup = NO_BAR
    style: str = ""


@dataclass(frozen=True)
class Grid:
    """A table of the page, whose first column names its rows.

    Attributes:
        title: What it shows.
        columns: Their names.
        rows: Cells, [rows, columns].
        words: How many columns, from the first one, hold words.
        style: Classes of the page's style.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int = 1
    style: str = ""

    def heading_style(self, place: int) -> str:
        """How the name of a column is set: as its cells are."""
        if any(row[place].style.endswith(BAR) for row in self.rows):
            return BAR
        return "number" if place >= self.words else ""


@dataclass(frozen=True)
class Figure:
    """A plot with the words above it.

    Attributes:
        caption: What it shows.
        svg: The plot.
        wide: Whether it needs the whole page, and scrolls where that is too narrow.
    """

    caption: str
    svg: Markup
    wide: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading.

    Attributes:
        anchor: By which the page links to it.
        title: The heading.
        text: How to read it.
        sentences: What it says in words.
        figures: Plots.
        grids: Tables.
        folded: Tables that are shown on demand.
        errors: Rows that were answered wrongly.
        beside: Whether plots and tables stand side by side, where there is room.
    """

    anchor: str
    title: str
    text: str = ""
    sentences: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    grids: tuple[Grid, ...] = ()
    folded: tuple[Grid, ...] = ()
    errors: tuple[WrongAnswer, ...] = ()
    beside: bool = False


def render_html(report: Report) -> str:
    """A report as one page that needs no network and no script, in light and in dark, on paper and on a phone.

    A Content-Security-Policy lets nothing in but the page's own style.

    Args:
        report: All that it holds is escaped.
    """
    return render_page(
        "report.html.jinja",
        ("report.css",),
        report=report,
        facts=_facts(report),
        sections=[section for section in _sections(report) if section is not None],
    )


def _as_it_is(written: str) -> Markup:
    """Our own style, and plots, in which ElementTree has escaped all data."""
    return Markup(written)  # noqa: S704  # see above


def _facts(report: Report) -> list[tuple[str, str]]:
    """A few numbers for the top of the page, each with what it is."""
    first = report.systems[0]
    value, _ = _spread(first.metrics[report.metric], Axis(""))
    name = f"{report.metric} of {first.name}" + (f", {value.detail}" if value.detail else "")
    labels = [("labels", str(len(report.labels)))] if report.labels else []
    invalid = "invalid answers", f"{first.invalid:.1%}"
    return [(name, value.text), ("rows", f"{report.rows:,}"), *labels, invalid]


def _sections(report: Report) -> Iterator[Section | None]:
    first = report.systems[0]
    yield _result(report)
    yield _metrics(report)
    yield _classes(first)
    yield _confusion(report, first)
    yield _calibration(report)
    yield _risk(report)
    yield _training(report)
    yield _errors(report)
    yield _slices(report)
    yield _cost(report)
    yield _settings(report)


def _result(report: Report) -> Section:
    metric, ceiling = report.metric, report.ceiling.get(report.metric)
    axis = _axis([system.metrics[metric] for system in report.systems], ceiling)
    rows = tuple(
        (Cell(system.name), *_spread(system.metrics[metric], axis, ceiling=ceiling, style=_own(place)))
        for place, system in enumerate(report.systems)
    )
    title = f"{metric} with {interval_name(report)}, {_direction(report, metric)}"
    ranking = Grid(title, ("system", metric, _reach(axis)), rows, style="bars")
    grids = tuple(grid for grid in (ranking, _differences(report)) if grid)
    text = RESULT_TEXT if report.comparisons else ""
    return Section("result", "Result", text, sentences=tuple(report.summary()), grids=grids)


def _differences(report: Report) -> Grid | None:
    table = comparison_table(report)
    if table is None:
        return None
    found = [comparison.differences[report.metric] for comparison in report.comparisons]
    most = max((abs(end) for one in found for end in _ends(one)), default=0.0) or 1.0
    axis = Axis("", -most, most)
    rows = tuple(
        (Cell(row[0]), *_spread(one, axis, signed=True), *map(Cell, row[2:]))
        for row, one in zip(table.rows, found, strict=True)
    )
    columns = *table.columns[:2], _reach(axis), *table.columns[2:]
    return Grid(f"{report.systems[0].name} against each other system", columns, rows, style="bars short")


def _metrics(report: Report) -> Section:
    table = metric_table(report)
    grid = Grid(
        f"Values with {interval_name(report)}", table.columns, tuple(_metric_row(report, row) for row in table.rows)
    )
    return Section("metrics", "All metrics", METRICS_TEXT + (CEILING_TEXT if report.ceiling else ""), grids=(grid,))


def _metric_row(report: Report, row: Sequence[str]) -> tuple[Cell, ...]:
    metric, ceiling = row[0], report.ceiling.get(row[0])
    if metric not in report.systems[0].metrics:
        return tuple(map(Cell, row))
    estimates = [system.metrics[metric] for system in report.systems]
    axis = _axis(estimates, ceiling)
    cells = (
        _stacked(_spread(estimate, axis, ceiling=ceiling, style=_own(place)))
        for place, estimate in enumerate(estimates)
    )
    return Cell(metric, _direction(report, metric)), *cells, *map(Cell, row[1 + len(estimates) :])


def _classes(system: System) -> Section | None:
    table = class_table(system)
    if table is None or system.classes is None:
        return None
    rows = tuple(
        (
            Cell(name),
            Cell("", bar=NO_BAR if f1 == NOTHING else _as_it_is(share_bar(scores.f1)), style=f"own {BAR}"),
            Cell(f1, style="own"),
            *map(Cell, rest),
        )
        for scores, (name, f1, *rest) in zip(system.classes, table.rows, strict=True)
    )
    columns = table.columns[0], "F1 from 0 to 1", *table.columns[1:]
    text = f"How {system.name} fared on each class."
    whole = Grid(table.title, columns, rows, style="bars")
    if len(rows) <= MANY_CLASSES:
        return Section("classes", "Classes", text, grids=(whole,))
    occurring = [place for place, scores in enumerate(system.classes) if scores.support]
    worst = sorted(occurring, key=[scores.f1 for scores in system.classes].__getitem__)[:WORST_CLASSES]
    title = f"{system.name}, the {len(worst)} classes with the lowest F1"
    hardest = Grid(title, columns, tuple(rows[place] for place in worst), style="bars")
    everything = replace(whole, title=f"{system.name}, all {len(rows)} classes")
    return Section("classes", "Classes", text, grids=(hardest,), folded=(everything,))


def _confusion(report: Report, system: System) -> Section | None:
    pairs = confused_pairs(report, system)
    if pairs is None or not system.confusion or not report.labels:
        return None
    labels, title = report.labels, f"{system.name}, confusion"
    common = (_plain(pairs),) if pairs.rows else ()
    if len(labels) <= WIDEST_MATRIX:
        rows = tuple(
            (Cell(label), *(_heat_cell(count, sum(line), hit=column == place) for column, count in enumerate(line)))
            for place, (label, line) in enumerate(zip(labels, system.confusion, strict=True))
        )
        matrix = Grid(title, ("true label", *labels, INVALID), rows, style="heat")
        return Section("confusion", "Confusion", CONFUSION_TEXT, grids=(matrix,), folded=common)
    drawn = heat_map(system.confusion, labels, (*labels, INVALID), title=title)
    return Section(
        "confusion", "Confusion", CONFUSION_TEXT, figures=(Figure(title, _as_it_is(drawn), wide=True),), grids=common
    )


def _heat_cell(count: int, total: int, *, hit: bool) -> Cell:
    if not count:
        return Cell("0", style="none")
    share = count / total
    return Cell(f"{count:,}", f"{share:.0%}", style=f"{'hit' if hit else 'miss'} shade-{math.ceil(SHADES * share)}")


def _calibration(report: Report) -> Section | None:
    figures = tuple(
        Figure(system.name, _as_it_is(reliability_diagram(system.calibration, name=system.name)))
        for system in report.systems
        if system.calibration
    )
    tables = tuple(_plain(table) for system in report.systems if (table := bin_table(system)))
    return Section("calibration", "Calibration", CALIBRATION_TEXT, figures=figures, folded=tables) if figures else None


def _risk(report: Report) -> Section | None:
    lines = [
        Line(system.name, tuple(zip(curve.coverage, curve.risk, strict=True)))
        for system in report.systems
        if (curve := system.risk_coverage)
    ]
    if not lines:
        return None
    most = max(risk for line in lines for _, risk in line.points)
    x, y = Axis("share of rows that is answered"), Axis("share of answers that is wrong", 0.0, most * 1.05 or 1.0)
    said = "; ".join(f"{line.name}: {line.points[-1][1]:.3f} wrong where all rows are answered" for line in lines)
    title = "Wrong answers by the share of rows that is answered"
    figure = Figure(title, _as_it_is(line_plot(lines, x, y, title=title, description=said)))
    tables = tuple(_plain(table) for system in report.systems if (table := coverage_table(system)))
    return Section(
        "risk", "Risk against coverage", RISK_TEXT,
        figures=(figure,), grids=tables[:1], folded=tables[1:], beside=True,
    )  # fmt: skip


def _training(report: Report) -> Section | None:
    table = training_table(report)
    if table is None:
        return None
    losses = [_course(report, "loss", TRAINING_LOSS), _course(report, "eval_loss", "validation loss")]
    measured = _course(report, f"eval_{report.metric}", report.metric)
    figures = [_curve([line for line in losses if line.points], "Loss")] if any(line.points for line in losses) else []
    if measured.points:
        figures.append(_curve([measured], f"{report.metric} on validation rows"))
    text = "What was logged while the adapter was trained."
    return Section("training", "Learning curve", text, figures=tuple(figures), folded=(_plain(table),))


def _course(report: Report, key: str, name: str) -> Line:
    return Line(name, tuple(logged(report, key).items()), marked=key != "loss")


def _curve(lines: Sequence[Line], name: str) -> Figure:
    steps, values = zip(*itertools.chain.from_iterable(line.points for line in lines), strict=True)
    first, last = lines[0].points[0], lines[0].points[-1]
    title, said = f"{name} by step", f"From {first[1]:.3f} at step {first[0]:g} to {last[1]:.3f} at step {last[0]:g}."
    x, y = Axis.around("step", steps), Axis.around("", values, zero=name == "Loss")
    return Figure(title, _as_it_is(line_plot(lines, x, y, title=title, description=said)))


def _errors(report: Report) -> Section | None:
    found = wrong_answers(report)
    if not found:
        return None
    told = "" if any(one.text for one in found) else " Texts are left out; evaluate(..., include_text=True) keeps them."
    return Section("errors", "Worst errors", error_summary(report, found) + told, errors=tuple(found))


def _slices(report: Report) -> Section | None:
    if not report.slices:
        return None
    text = (
        f"{report.metric} of {report.systems[0].name} on parts of the rows. The largest gap is that between the best "
        "and the worst part with enough rows."
    )
    return Section("slices", "Slices", text, grids=tuple(map(_sliced, report.slices)))


def _sliced(slices: Slices) -> Grid:
    table = slice_table(slices)
    axis = _axis([one.estimate for one in slices.slices])
    rows = tuple(
        (Cell(value), Cell(count), *_spread(one.estimate, axis, style="own"))
        for one, (value, count, _) in zip(slices.slices, table.rows, strict=True)
    )
    return Grid(table.title, (*table.columns, _reach(axis)), rows, style="bars")


def _cost(report: Report) -> Section | None:
    table = cost_table(report)
    return Section("cost", "Cost", COST_TEXT, grids=(_plain(table),)) if table else None


def _settings(report: Report) -> Section:
    table = setting_table(report)
    prints = tuple(row for row in table.rows if HASH.fullmatch(row[1]))
    others = tuple(row for row in table.rows if row not in prints)
    grids = tuple(
        replace(_plain(replace(table, title=title, rows=rows)), style="settings")
        for title, rows in (("How it was measured", others), ("Fingerprints", prints))
        if rows
    )
    return Section("settings", "Settings and fingerprints", grids=grids)


def _plain(table: DataTable) -> Grid:
    rows = tuple(tuple(map(Cell, row)) for row in table.rows)
    return Grid(table.title, table.columns, rows, words=table.words)


def _spread(
    estimate: Estimate, axis: Axis, *, ceiling: float | None = None, style: str = "", signed: bool = False
) -> tuple[Cell, Cell]:
    """A value with its interval, and its bar, in two cells."""
    said = [f"{end:{'+' if signed else ''}.3f}".replace("-", MINUS) for end in _ends(estimate)]
    if not said:
        return Cell(NOTHING), Cell("", style=BAR)
    bar = _as_it_is(interval_bar(estimate, axis, ceiling=ceiling))
    return Cell(said[0], " to ".join(said[1:]), style=style), Cell("", bar=bar, style=f"{style} {BAR}")


def _stacked(cells: tuple[Cell, Cell]) -> Cell:
    """The same in one cell."""
    return replace(cells[0], bar=cells[1].bar)


def _axis(estimates: Iterable[Estimate], ceiling: float | None = None) -> Axis:
    """From 0 to 1, or as far as values reach beyond."""
    found = [end for one in estimates for end in _ends(one)] + ([ceiling] if is_number(ceiling) else [])
    return Axis("", min([0.0, *found]), max([1.0, *found]))


def _ends(estimate: Estimate) -> list[float]:
    """The value, and both ends of its interval where they are known; nothing where there is no value."""
    return [] if estimate.known is None else [estimate.known, *(estimate.interval or ())]


def _reach(axis: Axis) -> str:
    return f"from {axis.low:.2g} to {axis.high:.2g}".replace("-", MINUS)


def _direction(report: Report, metric: str) -> str:
    return "higher is better" if report.better_if_higher(metric) else "lower is better"


def _own(place: int) -> str:
    return "own" if place == 0 else ""
