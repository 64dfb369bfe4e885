"""Measure what a training step costs as rows come to share more, and as rows, choices and documents grow.

    python benchmarks/growth.py
    python benchmarks/growth.py --size 200m --threads 2

A step is forward and backward of one model with one adapter over the same sequences, once as prefix trees and once as
padded rows.  A model with few coefficients, fitted to all points at once, says what the time is made of.  Figures go to
``benchmarks/results/growth.json``, the plot to ``docs/growth.svg``.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import shlex
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import qlorakit.bitsandbytes_offline  # before transformers

import matplotlib as mpl
import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter
from random_tokens import PAD, Draw
from rich.console import Console
from rich.table import Table
from scipy.optimize import nnls
from shapes import SHAPES, load_nf4, write_model
from side_by_side.machine import describe

import qlorakit as qk
from qlorakit.layout import MOST_PADDED_ON_CPU, Layout
from qlorakit.objectives import Lesson, Lessons
from qlorakit.prefix_tree import Continuation
from qlorakit.tree_batch import TreeBatch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from transformers import PreTrainedModel

    from qlorakit.padded_batch import PaddedBatch

RESULTS = Path(__file__).parent / "results"
PLOT = Path(__file__).parents[1] / "docs" / "growth.svg"
PROMPT, ANSWER, ROWS, QUESTIONS, QUESTION = 128, 3, 16, 8, 24  # tokens of the first two and the last
TREE_BUDGET = 4096  # tokens of a forward pass, as on a CPU with enough memory
COLOURS = {"tree": "#0072b2", "padded": "#d55e00"}
FEATURES = ("tokens", "predicted", "pairs", "passes")
COLUMNS = ("tree: ms", "padded: ms", "ratio", "tree: tokens", "padded: tokens", "ratio")
Name = Literal["tree", "padded"]
LAYOUTS: dict[Name, Layout] = {
    "tree": Layout(shared=True, token_budget=TREE_BUDGET, pad=PAD),
    "padded": Layout(shared=False, token_budget=MOST_PADDED_ON_CPU, pad=PAD),
}


@dataclass(frozen=True)
class Panel:
    """One way in which a step grows.

    Attributes:
        title: Of its plot.
        axis: What grows, with its unit.
        values: At which it is measured.
        lessons: Of a step, for a value and a source of tokens.
        logarithmic: Whether the axis doubles.
    """

    title: str
    axis: str
    values: tuple[int, ...]
    lessons: Callable[[int, Draw], Lessons]
    logarithmic: bool = True


@dataclass(frozen=True)
class Cost:
    """What one step computes.

    Attributes:
        tokens: That go through the layers, padding included.
        predicted: Places at which logits are computed.
        pairs: Of query and key, computed in each head of each layer.
        passes: Forward passes.
    """

    tokens: int
    predicted: int
    pairs: int
    passes: int

    def features(self) -> list[float]:
        """As numbers, in the order of ``FEATURES``."""
        return [float(getattr(self, name)) for name in FEATURES]


@dataclass(frozen=True)
class Point:
    """One measurement.

    Attributes:
        panel: Its panel's title.
        value: Of what grows.
        layout: Trees or padded rows.
        examples: Of the step.
        seconds: Of the fastest step.
        cost: What it computed.
    """

    panel: str
    value: int
    layout: Name
    examples: int
    seconds: float
    cost: Cost


@dataclass(frozen=True)
class Model:
    """What the time of a step is made of, fitted to all points.

    Attributes:
        seconds: For one of each of the features.
        r_squared: Share of the variance of the seconds per step that it explains.
        typical_error: Median of the relative errors.
        largest_error: The largest of them.
    """

    seconds: dict[str, float]
    r_squared: float
    typical_error: float
    largest_error: float

    def predict(self, cost: Cost) -> float:
        """Seconds of a step."""
        return sum(self.seconds[name] * value for name, value in zip(FEATURES, cost.features(), strict=True))


def rows_sharing(shared: int, rows: int, draw: Draw) -> Lessons:
    """Prompts of which the first tokens are the same, each with one answer."""
    stem = draw.tokens(shared)
    prompts = [stem + draw.tokens(PROMPT - shared) for _ in range(rows)]
    return Lessons.of(Lesson((Continuation(prompt, draw.tokens(ANSWER)),), row) for row, prompt in enumerate(prompts))


def by_shared_fraction(percent: int, draw: Draw) -> Lessons:
    """A step's rows of which a part is shared."""
    return rows_sharing(round(PROMPT * percent / 100), ROWS, draw)


def by_rows(rows: int, draw: Draw) -> Lessons:
    """So many rows of which half is shared."""
    return rows_sharing(PROMPT // 2, rows, draw)


def by_choices(choices: int, draw: Draw) -> Lessons:
    """One row, its right answer compared with the other choices."""
    prompt = draw.tokens(PROMPT)
    return Lessons.of([Lesson(tuple(Continuation(prompt, draw.tokens(ANSWER)) for _ in range(choices)), 0)])


def by_document(length: int, draw: Draw) -> Lessons:
    """A document with its questions."""
    document = draw.tokens(length)
    questions = (document + draw.tokens(QUESTION) for _ in range(QUESTIONS))
    return Lessons.of(Lesson((Continuation(question, draw.tokens(ANSWER)),), 0) for question in questions)


DOUBLING = (1, 2, 4, 8, 16, 32, 64)
PANELS = (
    Panel(
        f"(a) Sharing: {ROWS} rows of {PROMPT} tokens",
        "shared part of the prompt (%)",
        (0, 25, 50, 75, 90, 95),
        by_shared_fraction,
        logarithmic=False,
    ),
    Panel(f"(b) Rows of {PROMPT} tokens, {PROMPT // 2} of them shared", "rows per step", DOUBLING, by_rows),
    Panel(f"(c) Choices after one prompt of {PROMPT} tokens", "choices per row", DOUBLING, by_choices),
    Panel(
        f"(d) A document with {QUESTIONS} questions of {QUESTION} tokens",
        "document length (tokens)",
        (64, 128, 256, 512, 1024),
        by_document,
    ),
)


def batches_of(lessons: Lessons, layout: Layout) -> Sequence[TreeBatch | PaddedBatch]:
    """The batches of a step."""
    return layout.batches(lessons.sequences, lessons.rows, lessons.units)


def cost_of(batches: Sequence[TreeBatch | PaddedBatch]) -> Cost:
    """Count what a step computes."""
    return Cost(
        tokens=sum(batch.tokens for batch in batches),
        predicted=sum(predicted_places(batch) for batch in batches),
        pairs=sum(attention_pairs(batch) for batch in batches),
        passes=len(batches),
    )


def predicted_places(batch: TreeBatch | PaddedBatch) -> int:
    """Places at which logits are computed: in a padded batch, at all places that are needed in some row."""
    if isinstance(batch, TreeBatch):
        return len(batch.parents.unique())
    return len(batch.input_ids) * len(batch.positions.unique())


def attention_pairs(batch: TreeBatch | PaddedBatch) -> int:
    """Pairs of query and key that attention computes: half of a causal square."""
    if isinstance(batch, TreeBatch):
        return sum(
            (part.end_query - part.first_query) * (part.end_key - part.first_key) // (1 if part.full else 2)
            for part in batch.rectangles
        )
    rows, width = batch.input_ids.shape
    return rows * width * width // 2


def step(model: PreTrainedModel, lessons: Lessons, layout: Layout) -> None:
    """Run forward and backward over the lessons, micro-batch by micro-batch, as the trainer does."""
    with layout.engaged(model):
        for batch in batches_of(lessons, layout):
            loss = lessons.loss(batch, batch.logprobs(model)) / lessons.total_weight
            loss.backward()
    model.zero_grad(set_to_none=True)


def fastest(run: Callable[[], None], repeat: int) -> float:
    """Seconds of the fastest of some runs."""
    moments = [time.perf_counter()]
    for _ in range(repeat):
        run()
        moments.append(time.perf_counter())
    return min(after - before for before, after in itertools.pairwise(moments))


def measure(model: PreTrainedModel, panel: Panel, value: int, repeat: int) -> list[Point]:
    """Measure both layouts at one value."""
    lessons = panel.lessons(value, Draw(model.config.vocab_size))
    points = []
    for name, layout in LAYOUTS.items():
        seconds = fastest(functools.partial(step, model, lessons, layout), repeat)
        cost = cost_of(batches_of(lessons, layout))
        points.append(Point(panel.title, value, name, len(lessons.lessons), seconds, cost))
    return points


def fit(points: Sequence[Point]) -> Model:
    """Least squares of the relative errors, with coefficients that are not negative."""
    features = np.array([point.cost.features() for point in points])
    seconds = np.array([point.seconds for point in points])
    scale = features.max(axis=0)
    found, _ = nnls(features / scale / seconds[:, None], np.ones(len(points)))
    expected = features @ (found / scale)
    errors = np.abs(expected / seconds - 1)
    unexplained = ((seconds - expected) ** 2).sum() / ((seconds - seconds.mean()) ** 2).sum()
    coefficients = dict(zip(FEATURES, map(float, found / scale), strict=True))
    return Model(coefficients, float(1 - unexplained), float(np.median(errors)), float(errors.max()))


def prepare(size: str) -> PreTrainedModel:
    """A base model in NF4 with an adapter."""
    with tempfile.TemporaryDirectory(prefix="qlorakit-growth-") as folder:
        write_model(size, Path(folder))
        base = load_nf4(Path(folder), torch.bfloat16, "cpu")
    model: PreTrainedModel = qk.attach_lora(base, r=16)
    return model.train()


def draw_panel(axes: Axes, panel: Panel, points: Sequence[Point], model: Model) -> None:
    """Measured dots, and the model as a line through them."""
    for name, colour in COLOURS.items():
        mine = [point for point in points if point.panel == panel.title and point.layout == name]
        values = [point.value for point in mine]
        axes.plot(values, [1000 * point.seconds / point.examples for point in mine], "o", color=colour, markersize=5)
        expected = [1000 * model.predict(point.cost) / point.examples for point in mine]
        axes.plot(values, expected, "-", color=colour, linewidth=1.2)
    axes.set_title(panel.title, fontsize=10, loc="left")
    axes.set_xlabel(panel.axis)
    axes.set_ylabel("time per example (ms)")
    axes.set_yscale("log")
    if panel.logarithmic:
        axes.set_xscale("log", base=2)
    axes.set_xticks(panel.values, [str(value) for value in panel.values], fontsize=8)
    axes.minorticks_off()
    axes.yaxis.set_major_locator(mpl.ticker.LogLocator(base=10, subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.grid(visible=True, linewidth=0.4, color="#cccccc")
    axes.spines[["top", "right"]].set_visible(False)


def draw(points: Sequence[Point], model: Model, path: Path) -> None:
    """Draw all panels; the same points give the same file."""
    mpl.rcParams.update({"svg.hashsalt": "qlorakit", "font.size": 9, "figure.facecolor": "white"})
    figure, grid = plt.subplots(2, 2, figsize=(9.5, 7), layout="constrained")
    for axes, panel in zip(grid.flat, PANELS, strict=True):
        draw_panel(axes, panel, points, model)
    dots = [
        Line2D([], [], marker="o", linestyle="", color=colour, label=label)
        for label, colour in zip(("prefix trees, measured", "padded rows, measured"), COLOURS.values(), strict=True)
    ]
    label = f"model fitted to all points ($R^2$ = {model.r_squared:.3f})"
    line = Line2D([], [], color="#555555", linewidth=1.2, label=label)
    figure.legend(handles=[*dots, line], loc="outside upper center", ncols=3, frameon=False)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else {})
    plt.close(figure)


def show(points: Sequence[Point], model: Model) -> None:
    """Print tables and the model."""
    console = Console(highlight=False)
    for panel in PANELS:
        table = Table(title=f"{panel.title} (ms per example, tokens per step)", title_justify="left")
        for column in (panel.axis, *COLUMNS):
            table.add_column(column, justify="right")
        mine = {(point.value, point.layout): point for point in points if point.panel == panel.title}
        for value in panel.values:
            table.add_row(*cells(mine[value, "tree"], mine[value, "padded"]))
        console.print(table)
    console.print(f"Seconds per step = {formula(model)}.")
    console.print(
        f"R^2 = {model.r_squared:.4f} over {len(points)} points; relative error {model.typical_error:.1%} (median), "
        f"{model.largest_error:.1%} (largest)."
    )


def cells(tree: Point, padded: Point) -> list[str]:
    """A line of a table."""
    times = [1000 * point.seconds / point.examples for point in (tree, padded)]
    tokens = [point.cost.tokens for point in (tree, padded)]
    return [
        str(tree.value),
        *(f"{value:.1f}" for value in times),
        f"{times[1] / times[0]:.2f}",
        *map(str, tokens),
        f"{tokens[1] / tokens[0]:.2f}",
    ]


def formula(model: Model) -> str:
    """The model in words."""
    names = {
        "tokens": "tokens",
        "predicted": "tokens predicted from",
        "pairs": "attention pairs",
        "passes": "forward passes",
    }
    return " + ".join(f"{model.seconds[name]:.3g} x {words}" for name, words in names.items() if model.seconds[name])


def record(arguments: argparse.Namespace, points: Sequence[Point], model: Model) -> dict[str, Any]:
    """Everything that was found."""
    return {
        "command": shlex.join(["python", "benchmarks/growth.py", *sys.argv[1:]]),
        **describe(),
        "threads": arguments.threads,
        "repeat": arguments.repeat,
        "size": arguments.size,
        "shape": SHAPES[arguments.size],
        "model": asdict(model),
        "points": [asdict(point) for point in points],
    }


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="of torch (default 1)")
    parser.add_argument(
        "--repeat", type=int, default=3, help="steps at each point, of which the fastest counts (default 3)"
    )
    parser.add_argument("--size", choices=("tiny", "60m", "200m"), default="60m", help="of the model (default 60m)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for growth.json")
    parser.add_argument("--plot", type=Path, default=PLOT, help="file for the plot (.svg or .png)")
    return parser.parse_args()


def main() -> None:
    """Measure, fit, write."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    model = prepare(arguments.size)
    for layout in LAYOUTS.values():  # warm up
        step(model, by_rows(2, Draw(model.config.vocab_size)), layout)
    points: list[Point] = []
    console = Console(stderr=True, highlight=False)
    for panel in PANELS:
        for value in panel.values:
            points += measure(model, panel, value, arguments.repeat)
            tree, padded = points[-2:]
            console.print(f"{panel.title}, {value}: {tree.seconds:.2f} s, {padded.seconds:.2f} s")
    explained = fit(points)
    arguments.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record(arguments, points, explained), indent=1)
    (arguments.output / "growth.json").write_text(text + "\n", encoding="utf-8")
    draw(points, explained, arguments.plot)
    show(points, explained)


if __name__ == "__main__":
    main()
