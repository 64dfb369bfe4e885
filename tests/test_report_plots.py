import itertools
import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlorakit.report import Estimate
from qlorakit.report_plots import (
    FEWEST_ROWS,
    NAMED_LABELS,
    Axis,
    Line,
    heat_map,
    interval_bar,
    line_plot,
    reliability_diagram,
    share_bar,
)
from qlorakit.score_metrics import CalibrationBin

HOSTILE = "<script>alert(1)</script> & \"'\x1b]]>"
NUMBERS = st.floats(-1e9, 1e9, allow_nan=False)
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=9)


def shapes(svg, style):
    """The attributes of the shapes of a class, in their order."""
    return [item.attrib for item in ET.fromstring(svg).iter() if style in item.get("class", "").split()]  # noqa: S314


def said(svg, tag="text"):
    return [item.text for item in ET.fromstring(svg).iter(tag)]  # noqa: S314  # our own plot


def drawn(lines, x=None, y=None):
    return line_plot(lines, x or Axis("x"), y or Axis("y"), title="t", description="d")


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e9))
def test_ticks_are_a_few_round_numbers_inside_the_axis(low, length):
    axis = Axis("", low, low + length)
    ticks, reach = axis.ticks(), length
    assert 2 <= len(ticks) <= 8
    assert all(axis.low - 1e-6 * reach <= tick <= axis.high + 1e-6 * reach for tick in ticks)
    step = min(after - before for before, after in itertools.pairwise(ticks))
    assert f"{step:.1e}"[0] in "125"


@given(st.lists(NUMBERS, min_size=1), st.booleans())
def test_an_axis_around_values_holds_them_all(values, zero):
    axis = Axis.around("", values, zero=zero)
    assert axis.low <= min(values) <= max(values) < axis.high
    assert not zero or axis.low <= 0
    assert all(0 <= axis.share(value) <= 1 for value in values)


def test_an_interval_is_drawn_at_its_share_of_the_track():
    svg = interval_bar(Estimate(0.5, 0.25, 0.75), Axis("", 0.0, 2.0))
    assert [(line["x1"], line["x2"]) for line in shapes(svg, "interval")] == [("12.5%", "37.5%")]
    assert [dot["cx"] for dot in shapes(svg, "dot")] == ["25%"]
    assert shapes(svg, "tick") == []


def test_zero_and_the_ceiling_have_a_tick():
    svg = interval_bar(Estimate(0.5, None, None), Axis("", -1.0, 1.0), ceiling=0.9)
    assert [tick["x1"] for tick in shapes(svg, "tick")] == ["95%", "50%"]
    assert shapes(svg, "interval") == []


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_no_value_has_no_bar(value):
    assert interval_bar(Estimate(value, 0.1, 0.2), Axis("")) == ""


@pytest.mark.parametrize(("share", "width"), [(0.0, "0%"), (0.333, "33.3%"), (1.0, "100%"), (1.2, "100%")])
def test_a_share_is_as_long_as_its_part_of_the_whole(share, width):
    assert [bar["width"] for bar in shapes(share_bar(share), "bar")] == [width]


@given(st.lists(POINTS, min_size=1, max_size=7))
def test_every_point_of_every_line_lies_inside_the_plot(points):
    everything = list(itertools.chain.from_iterable(points))
    axes = [Axis.around("", values) for values in zip(*everything, strict=True)]
    svg = drawn([Line(f"line {place}", tuple(line), marked=True) for place, line in enumerate(points)], *axes)
    _, _, width, height = map(float, ET.fromstring(svg).get("viewBox").split())  # noqa: S314  # our own plot
    marks = [(float(mark["cx"]), float(mark["cy"])) for mark in shapes(svg, "mark")]
    assert len(marks) == len(everything)
    assert all(0 < x < width and 0 < y < height for x, y in marks)


def test_higher_values_stand_further_up_and_to_the_right():
    (line,) = shapes(drawn([Line("a", ((0.0, 0.0), (1.0, 1.0)))]), "line")
    start, end = (tuple(map(float, point.split(","))) for point in line["points"].split())
    assert end[0] > start[0]
    assert end[1] < start[1]


def test_lines_differ_in_more_than_colour_and_are_named_where_there_are_several():
    svg = drawn([Line("tuned", ((0.0, 1.0),)), Line("base", ((0.0, 0.5),))])
    assert {"tuned", "base"} <= set(said(svg))
    assert len(shapes(svg, "s0")) == len(shapes(svg, "s1")) == 3  # the line, its only point, and its legend
    assert "tuned" not in said(drawn([Line("tuned", ((0.0, 1.0),))]))


BINS = (CalibrationBin(0.4, 0.5, FEWEST_ROWS, 0.45, 0.4), CalibrationBin(0.9, 1.0, FEWEST_ROWS - 1, 0.95, 0.5))


def test_each_bin_has_a_bar_a_dot_and_its_size():
    svg = reliability_diagram(BINS, name="tuned")
    assert [len(shapes(svg, style)) for style in ("bar", "mean", "size", "diagonal")] == [2, 2, 2, 1]
    assert float(shapes(svg, "mean")[0]["cx"]) < float(shapes(svg, "mean")[1]["cx"])
    assert "confidence 0.40 to 0.50: 10 rows, mean confidence 0.450, 0.400 of them right" in said(svg, "title")


def test_a_bin_of_few_rows_is_outlined_only():
    assert len(shapes(reliability_diagram(BINS, name="tuned"), "few")) == 1


def test_a_reliability_diagram_is_described_in_words():
    svg = reliability_diagram(BINS, name="tuned")
    assert said(svg, "title")[0] == "Reliability diagram of tuned"
    assert said(svg, "desc")[0].startswith(
        "19 answers in 2 bins. The bin that adds most to the calibration error holds 9"
    )


def test_a_heat_map_tells_right_from_wrong_and_leaves_zeros_out():
    svg = heat_map(((3, 1, 0), (0, 4, 2)), ("a", "b"), ("a", "b", "invalid"), title="t")
    assert [len(shapes(svg, "hit")), len(shapes(svg, "miss"))] == [2, 2]
    assert [cell["fill-opacity"] for cell in shapes(svg, "hit")] == ["0.79", "0.72"]
    assert "b answered as invalid: 2 of 6" in said(svg, "title")
    assert said(svg, "desc") == ["7 of 10 lie on the diagonal."]


@pytest.mark.parametrize(("labels", "named"), [(NAMED_LABELS, True), (NAMED_LABELS + 1, False)])
def test_a_heat_map_names_its_labels_where_they_can_be_read(labels, named):
    names = tuple(f"label {place}" for place in range(labels))
    svg = heat_map([[1] * labels] * labels, names, names, title="t")
    assert (set(names) <= set(said(svg))) is named
    assert "10" in said(svg)


@pytest.mark.parametrize(
    "svg",
    [
        drawn([Line(HOSTILE, ((0.0, 1.0),)), Line("b", ((0.0, 1.0),))], x=Axis(HOSTILE)),
        reliability_diagram(BINS, name=HOSTILE),
        heat_map(((1,),), (HOSTILE,), (HOSTILE,), title=HOSTILE),
    ],
)
def test_names_are_text_and_nothing_else(svg):
    tags = {item.tag for item in ET.fromstring(svg).iter()}  # noqa: S314  # our own plot
    assert tags <= {"svg", "title", "desc", "rect", "line", "polyline", "circle", "text"}
    words = [*said(svg), *said(svg, "title")]
    assert any(HOSTILE.replace("\x1b", "\ufffd")[:20] in text for text in words)
    assert "<script" not in svg


def test_a_long_name_is_cut():
    assert max(map(len, said(drawn([Line("x" * 300, ((0.0, 1.0),)), Line("b", ((0.0, 1.0),))])))) <= 48
