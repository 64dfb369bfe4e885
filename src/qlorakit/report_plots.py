"""Plots as SVG text: pure functions from data, without a plotting library.

Colours, fonts and strokes are the page's: shapes carry classes, and ``report.css`` says what these look like.  Lengths
are in the units of a plot's own ``viewBox``, which the page shows at about one CSS pixel each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from qlorakit.documents import clean
from qlorakit.report_tables import is_number

if TYPE_CHECKING:
    from qlorakit.report import Estimate
    from qlorakit.score_metrics import CalibrationBin

WIDTH, HEIGHT = 400, 250  # of a plot, without its legend
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 10, 40  # margins, for the axes' numbers and names
HISTOGRAM = 46
FEWEST_ROWS = 10  # of a bin that says something
LEGEND_LINE = 18
LONGEST_NAME = 48  # letters of a name inside a plot
BAR_MIDDLE = 7  # of a bar's height, which the page sets to twice as much
STYLES = 5  # of lines that can be told apart, by colour and by dashes
MATRIX_SIZE = 560
NAMED_LABELS = 30  # of a matrix; more names would not be readable


@dataclass(frozen=True)
class Line:
    """A line of a plot.

    Attributes:
        name: For the legend.
        points: Its places, (x, y), all finite, from left to right.
        marked: Whether each of them is shown as a dot.
    """

    name: str
    points: tuple[tuple[float, float], ...]
    marked: bool = False


@dataclass(frozen=True)
class Axis:
    """What is measured along one side of a plot.

    Attributes:
        name: As it is written beside the axis.
        low: At its beginning.
        high: At its end.
    """

    name: str
    low: float = 0.0
    high: float = 1.0

    def share(self, value: float) -> float:
        """How far along the axis a value lies, from 0 to 1."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def ticks(self) -> list[float]:
        """Round values along the axis, about five."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = min(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.8)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [place * step for place in range(first, last + 1)]

    @classmethod
    def around(cls, name: str, values: Iterable[float], *, zero: bool = False) -> Axis:
        """An axis that holds all values, with some room.

        Args:
            name: Of the axis.
            values: At least one.
            zero: Whether it begins at 0, or below where values do.
        """
        found = list(values)
        low, high = min(found), max(found)
        room = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
        return cls(name, min(low, 0.0) if zero else low - room, high + room)


def interval_bar(estimate: Estimate, axis: Axis, *, ceiling: float | None = None) -> str:
    """A value as a dot with its interval as a bar, as wide as the page makes it; empty where there is no value.

    The numbers stand beside it, so that it is hidden from screen readers.

    Args:
        estimate: What is shown.
        axis: From where to where the bar's track runs.
        ceiling: A tick, where there is one.
    """
    if estimate.known is None:
        return ""
    svg = _bar()
    _add(svg, "line", "track", x1="0%", x2="100%", y1=BAR_MIDDLE, y2=BAR_MIDDLE)
    for value in (ceiling, 0.0 if axis.low < 0 else None):
        if is_number(value):
            _add(svg, "line", "tick", x1=_along(axis, value), x2=_along(axis, value), y1=1, y2=2 * BAR_MIDDLE - 1)
    if estimate.interval:
        low, high = (_along(axis, end) for end in estimate.interval)
        _add(svg, "line", "interval", x1=low, x2=high, y1=BAR_MIDDLE, y2=BAR_MIDDLE)
    _add(svg, "circle", "dot", cx=_along(axis, estimate.known), cy=BAR_MIDDLE, r=3.5)
    return tostring(svg, encoding="unicode")


def share_bar(share: float) -> str:
    """A bar of a length between nothing and everything; its number stands beside it."""
    svg = _bar()
    _add(svg, "rect", "track-area", x=0, y=3, width="100%", height=2 * BAR_MIDDLE - 6)
    _add(svg, "rect", "bar", x=0, y=3, width=_along(Axis(""), share), height=2 * BAR_MIDDLE - 6)
    return tostring(svg, encoding="unicode")


def line_plot(lines: Sequence[Line], x: Axis, y: Axis, *, title: str, description: str) -> str:
    """Lines over two axes, with a legend.

    Args:
        lines: At least one.
        x: From left to right.
        y: From bottom to top.
        title: What it shows, for those who cannot see it.
        description: What it says, for them.
    """
    legend = lines if len(lines) > 1 else ()
    svg = _svg(WIDTH, HEIGHT + (LEGEND_LINE * len(legend) + 6 if legend else 0), title, description)
    frame = _Frame(x, y, LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM)
    frame.draw(svg)
    for place, line in enumerate(lines):
        style = f"line s{place % STYLES}"
        _add(svg, "polyline", style, points=" ".join(f"{_n(frame.x(a))},{_n(frame.y(b))}" for a, b in line.points))
        for a, b in line.points if line.marked or len(line.points) == 1 else ():
            _add(svg, "circle", f"mark s{place % STYLES}", cx=frame.x(a), cy=frame.y(b), r=3)
    for place, line in enumerate(legend):
        height = HEIGHT + 6 + LEGEND_LINE * (place + 0.5)
        _add(svg, "line", f"line s{place % STYLES}", x1=LEFT, x2=LEFT + 28, y1=height - 4, y2=height - 4)
        _text(svg, line.name, x=LEFT + 36, y=height)
    return tostring(svg, encoding="unicode")


def reliability_diagram(bins: Sequence[CalibrationBin], *, name: str) -> str:
    """How often answers are right, by how sure they are, above how many answers are that sure.

    Args:
        bins: At least one.
        name: Whose answers.
    """
    height = HEIGHT + HISTOGRAM + 22
    worst = max(bins, key=lambda item: item.rows * abs(item.confidence - item.accuracy))
    description = (
        f"{sum(item.rows for item in bins)} answers in {len(bins)} bins. The bin that adds most to the calibration "
        f"error holds {worst.rows}, with a mean confidence of {worst.confidence:.2f}, of which {worst.accuracy:.2f} "
        "are right."
    )
    svg = _svg(WIDTH, height, f"Reliability diagram of {name}", description)
    frame = _Frame(Axis(""), Axis("share that is right"), LEFT, TOP, WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM)
    frame.draw(svg)
    most = max(item.rows for item in bins)
    sizes = _Frame(Axis("confidence"), Axis("rows", 0, most), LEFT, HEIGHT - 16, frame.width, HISTOGRAM)
    sizes.draw(svg, numbered=False)
    for item in bins:
        style = "bar" if item.rows >= FEWEST_ROWS else "bar few"
        shape = _add(svg, "rect", style, **frame.column(item.low, item.high, item.accuracy))
        _say(shape, "title", _tooltip(item))
        _add(svg, "rect", "size", **sizes.column(item.low, item.high, item.rows))
    _add(svg, "line", "diagonal", x1=frame.x(0), y1=frame.y(0), x2=frame.x(1), y2=frame.y(1))
    for item in bins:
        _add(svg, "circle", "mean", cx=frame.x(item.confidence), cy=frame.y(item.accuracy), r=3)
    _text(svg, f"{most}", "end", x=LEFT - 6, y=HEIGHT - 8)
    return tostring(svg, encoding="unicode")


def heat_map(matrix: Sequence[Sequence[int]], labels: Sequence[str], columns: Sequence[str], *, title: str) -> str:
    """Counts as shades, each line by its own sum: for matrices too large for a table.

    Args:
        matrix: Counts, [labels, columns].
        labels: Names of the lines.
        columns: Names of the columns.
        title: What it shows, for those who cannot see it.
    """
    named = len(labels) <= NAMED_LABELS
    left = 170 if named else 40
    size = MATRIX_SIZE / len(columns)
    right = sum(line[place] for place, line in enumerate(matrix))
    total = sum(map(sum, matrix))
    svg = _svg(left + MATRIX_SIZE, 30 + size * len(labels), title, f"{right} of {total} lie on the diagonal.")
    for place, (label, line) in enumerate(zip(labels, matrix, strict=True)):
        if named or (place + 1) % 10 == 0:
            _text(svg, str(place + 1), "end", x=left - 6, y=24 + size * (place + 0.5) + 4)
            _text(svg, str(place + 1), "middle", x=left + size * (place + 0.5), y=16)
        if named:
            _text(svg, _short(label, 22), "end", x=left - 26, y=24 + size * (place + 0.5) + 4)
        _heat_line(svg, line, label, columns, place=place, left=left, size=size)
    _add(svg, "rect", "frame", x=left, y=24, width=MATRIX_SIZE, height=size * len(labels))
    return tostring(svg, encoding="unicode")


@dataclass(frozen=True)
class _Frame:
    """The part of a plot inside its axes."""

    x_axis: Axis
    y_axis: Axis
    left: float
    top: float
    width: float
    height: float

    def x(self, value: float) -> float:
        return self.left + self.width * self.x_axis.share(value)

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - self.y_axis.share(value))

    def column(self, low: float, high: float, value: float) -> dict[str, float]:
        """A bar over part of the horizontal axis, with a gap beside it."""
        gap, top = min(1.0, (self.x(high) - self.x(low)) / 4), self.y(value)
        return {
            "x": self.x(low) + gap, "width": self.x(high) - self.x(low) - 2 * gap,
            "y": top, "height": self.top + self.height - top,
        }  # fmt: skip

    def draw(self, svg: Element, *, numbered: bool = True) -> None:
        """The axes with their numbers and names."""
        bottom = self.top + self.height
        for value in self.y_axis.ticks() if numbered else ():
            _add(svg, "line", "grid", x1=self.left, x2=self.left + self.width, y1=self.y(value), y2=self.y(value))
            _text(svg, f"{value:g}", "end", x=self.left - 6, y=self.y(value) + 4)
        _add(svg, "line", "axis", x1=self.left, x2=self.left + self.width, y1=bottom, y2=bottom)
        if self.x_axis.name:
            for value in self.x_axis.ticks():
                _text(svg, f"{value:g}", "middle", x=self.x(value), y=bottom + 15)
            _text(svg, self.x_axis.name, "middle", x=self.left + self.width / 2, y=bottom + 32)
        if self.y_axis.name:
            middle = self.top + self.height / 2
            name = _text(svg, self.y_axis.name, "middle", x=11, y=middle)
            name.set("transform", f"rotate(-90 11 {_n(middle)})")


def _heat_line(
    svg: Element, line: Sequence[int], label: str, columns: Sequence[str], *, place: int, left: float, size: float
) -> None:
    total = sum(line)
    for answer, count in enumerate(line):
        if not count:
            continue
        corner = {"x": left + size * answer, "y": 24 + size * place}
        cell = _add(svg, "rect", "hit" if answer == place else "miss", **corner, width=size, height=size)
        cell.set("fill-opacity", _n(0.15 + 0.85 * count / total))
        _say(cell, "title", f"{label} answered as {columns[answer]}: {count} of {total}")


def _tooltip(item: CalibrationBin) -> str:
    return (
        f"confidence {item.low:.2f} to {item.high:.2f}: {item.rows} rows, mean confidence {item.confidence:.3f}, "
        f"{item.accuracy:.3f} of them right"
    )


def _svg(width: float, height: float, title: str, description: str) -> Element:
    svg = Element("svg", {"viewBox": f"0 0 {_n(width)} {_n(height)}", "role": "img", "class": "plot"})
    _say(svg, "title", title)
    _say(svg, "desc", description)
    return svg


def _bar() -> Element:
    return Element("svg", {"class": "inline", "aria-hidden": "true", "focusable": "false"})


def _add(parent: Element, tag: str, style: str, **attributes: float | str) -> Element:
    """A shape of a class; numbers are written short."""
    written = {name: value if isinstance(value, str) else _n(value) for name, value in attributes.items()}
    return SubElement(parent, tag, {"class": style, **written})


def _text(parent: Element, words: str, anchor: str = "start", *, x: float, y: float) -> Element:
    text = _say(parent, "text", _short(words, LONGEST_NAME))
    text.attrib.update({"x": _n(x), "y": _n(y), "text-anchor": anchor})
    return text


def _say(parent: Element, tag: str, words: str) -> Element:
    said = SubElement(parent, tag)
    said.text = clean(words)
    return said


def _along(axis: Axis, value: float) -> str:
    """A place on a bar, which is as wide as the page makes it."""
    return f"{_n(100 * axis.share(value))}%"


def _short(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
