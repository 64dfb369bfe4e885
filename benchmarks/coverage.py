"""Measure how often intervals hold the truth, how often tests see what is not there, and how often what is.

    python benchmarks/coverage.py
    python benchmarks/coverage.py --simulations 200 --parts macro-f1 groups

Data sets are drawn from populations whose true values are known, and handed to ``qlorakit.statistics`` as a report does
it.  Accuracy alone is not simulated: its intervals are summed over everything that can happen.  Figures go to
``benchmarks/results/coverage.json`` and ``coverage.md``.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
import math
import shlex
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import expit, softmax
from side_by_side.machine import describe

from qlorakit.metrics import accuracy, macro_f1, mean_metric
from qlorakit.score_metrics import auroc, brier, ece, log_loss
from qlorakit.statistics import McNemar, Resampling, proportion_interval, rows_needed
from qlorakit.task import Metric, Output

if TYPE_CHECKING:
    from qlorakit.task import FloatArray, Row

RESULTS = Path(__file__).parent / "results"
BAND = (0.93, 0.97)  # of intervals at 95 %
EXACT_BAND, MID_BAND = (0.0, 0.06), (0.035, 0.06)  # of false positives at 5 %
CASES = 20  # rows of each class, or more, where the band is promised for macro-F1
ENOUGH = 10  # right and wrong rows, or rows that systems differ on, to be expected where no report warns
ROUNDING = 1e-9
TESTS = 100_000  # data sets for each test: equal ones are tested once
MANY = 100_000  # rows that stand for all there are
Interval = tuple[float, float]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Draw = Callable[[np.random.Generator, Resampling], Interval]
EVENLY, OFTEN = "evenly", "to frequent classes"
MEAN: Metric[float] = mean_metric("mean", lambda output, _: output.value or 0.0)
LABELS = ("down", "flat", "up")
ROWS, SHARES = (20, 50, 100, 200, 500, 2000), (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
TESTED_ROWS, DISCORDANT = (50, 100, 200, 500, 1000), (0.02, 0.05, 0.1, 0.2, 0.4)
SOUGHT = (
    (0.01, 0.05),
    (0.02, 0.1),
    (0.03, 0.1),
    (0.03, 0.2),
    (0.05, 0.1),
    (0.05, 0.2),
    (0.1, 0.2),
    (0.1, 0.4),
    (0.2, 0.2),
)


@dataclass(frozen=True)
class Setting:
    """Data sets that differ by chance alone.

    Attributes:
        part: Of the benchmark.
        name: How the data sets come about.
        truth: What an interval shall hold.
        draw: One data set, and from it an interval.
        promised: Whether 93 to 97 % of the intervals shall hold the truth.
        warned: Whether few rows are expected of a class, or to be wrong, so that a report warns of the interval.
    """

    part: str
    name: str
    truth: float
    draw: Draw
    promised: bool = False
    warned: bool = False


@dataclass(frozen=True)
class Found:
    """How a setting fared.

    Attributes:
        part: Of the benchmark.
        name: The setting's.
        truth: What the intervals shall hold.
        promised: Whether a band shall be kept.
        warned: Whether a report warns all the same.
        simulations: How many data sets there were.
        held: Share of the intervals that hold the truth, among those that have ends.
        too_low: Share of them that lie below it.
        too_high: Share of them that lie above it.
        unknown: Share of the data sets whose interval has no ends.
        width: Of the intervals, on average.
    """

    part: str
    name: str
    truth: float
    promised: bool
    warned: bool
    simulations: int
    held: float
    too_low: float
    too_high: float
    unknown: float
    width: float


def summed(metric: Metric[Any]) -> Metric[Any]:
    """The same metric, computed from its counts, as on resamples: that is faster than scikit-learn."""
    counts, from_counts = metric.counts, metric.from_counts
    if counts is None or from_counts is None:
        return metric

    def compute(*columns: Sequence[Any]) -> float:
        return float(from_counts(np.sum([counts(*row) for row in zip(*columns, strict=True)], axis=0)[None])[0])

    return replace(metric, compute=compute)


# Labels


@dataclass(frozen=True)
class Population:
    """Rows of some classes, and what a system answers to them.

    Attributes:
        sizes: Expected number of rows of each class in a data set.
        joint: Probability of each class with each answer, [classes, classes + 1]; the last column is for invalid ones.
    """

    sizes: tuple[int, ...]
    joint: FloatArray

    @classmethod
    def of(cls, sizes: tuple[int, ...], right: float, *, mistakes: str = EVENLY, invalid: float = 0.0) -> Population:
        """Answers of which the same share is right in every class, and a share of the others invalid."""
        shares = np.array(sizes) / sum(sizes)
        targets = np.tile(np.ones(len(sizes)) if mistakes == EVENLY else shares, (len(sizes), 1))
        np.fill_diagonal(targets, 0)
        wrong = (1 - right) * (1 - invalid) * targets / targets.sum(axis=1, keepdims=True)
        given = np.hstack([wrong + right * np.eye(len(sizes)), np.full((len(sizes), 1), (1 - right) * invalid)])
        return cls(sizes, given * shares[:, None])

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the classes."""
        return tuple(f"class {place}" for place in range(len(self.sizes)))

    @property
    def accuracy(self) -> float:
        """Its true value."""
        return float(np.trace(self.joint))

    @property
    def macro_f1(self) -> float:
        """Its true value; an invalid answer counts as one that names the class by mistake."""
        answered = self.joint[:, :-1].sum(axis=0) + self.joint[:, -1]
        return float((2 * np.diag(self.joint) / (self.joint.sum(axis=1) + answered)).mean())

    def mixed(self, other: Population, share: float) -> Population:
        """Answers that are this system's for a share of the rows, and otherwise the other's."""
        return Population(self.sizes, share * self.joint + (1 - share) * other.joint)

    def classes(self, rng: np.random.Generator, *, settled: bool = False) -> IntArray:
        """Those of the rows of a data set: drawn one by one, or as many of each as expected."""
        if settled:
            return np.repeat(np.arange(len(self.sizes)), self.sizes)
        return rng.choice(len(self.sizes), size=sum(self.sizes), p=np.array(self.sizes) / sum(self.sizes))

    def answers(self, classes: IntArray, rng: np.random.Generator) -> IntArray:
        """To rows of these classes."""
        up_to = (self.joint / self.joint.sum(axis=1, keepdims=True)).cumsum(axis=1)[classes]
        return cast("IntArray", (rng.random((len(classes), 1)) > up_to[:, :-1]).sum(axis=1))

    def references(self, classes: IntArray) -> list[str]:
        """The labels of classes."""
        return [self.labels[place] for place in classes]

    def outputs(self, answers: IntArray) -> list[Output[str]]:
        """Answers as a task gives them."""
        known = [*(Output(label) for label in self.labels), Output[str](None)]
        return [known[place] for place in answers]


def tail(classes: int, smallest: int) -> tuple[int, ...]:
    """Sizes of classes, of which the largest has ten times the rows of the smallest."""
    return tuple(round(smallest * 10 ** (1 - place / (classes - 1))) for place in range(classes))


def in_words(sizes: Sequence[int]) -> str:
    """Classes and their sizes."""
    span = f"{sizes[0]}" if len(set(sizes)) == 1 else f"{sizes[0]} to {sizes[-1]}"
    return f"{len(sizes)} classes of {span} rows"


def f1_interval(of: Population, rng: np.random.Generator, resampling: Resampling, *, settled: bool = False) -> Interval:
    """That of macro-F1 on a data set; within classes where their sizes were settled."""
    classes = of.classes(rng, settled=settled)
    references, outputs = of.references(classes), of.outputs(of.answers(classes, rng))
    strata = references if settled else None
    found = resampling.apply(summed(macro_f1(of.labels)), outputs, references, [{}] * len(outputs), strata=strata)
    return resampling.interval(found)


def f1_setting(of: Population, name: str, *, settled: bool = False) -> Setting:
    """Macro-F1 of a population."""
    draw = functools.partial(f1_interval, of, settled=settled)
    promised, wrong = min(of.sizes) >= CASES and not settled, sum(of.sizes) * (1 - of.accuracy)
    warned = wrong < ENOUGH - ROUNDING or min(of.sizes) < CASES
    return Setting("macro-f1", f"{in_words(of.sizes)}, {name}", of.macro_f1, draw, promised=promised, warned=warned)


def f1_settings() -> Iterator[Setting]:
    """Classes of 20 rows or more, of fewer, and few mistakes."""
    for sizes in ((50,) * 2, (20,) * 3, (20,) * 10, tail(3, 20), tail(10, 20)):
        for right, mistakes in ((0.6, EVENLY), (0.8, OFTEN), (0.95, EVENLY)):
            of = Population.of(sizes, right, mistakes=mistakes)
            yield f1_setting(of, f"{right:.0%} right, mistakes {mistakes}")
    for sizes in ((20,) * 3, tail(3, 20), tail(5, 20)):
        yield f1_setting(Population.of(sizes, 0.99), f"99% right, mistakes {EVENLY}")
    invalid = Population.of((30,) * 3, 0.7, invalid=0.5)
    yield f1_setting(invalid, "70% right, half of the mistakes invalid")
    yield f1_setting(invalid, "the same, as many of each class as settled, strata", settled=True)
    for sizes in ((5,) * 3, (10,) * 3, (10,) * 10, tail(3, 5), tail(10, 5)):
        yield f1_setting(Population.of(sizes, 0.8, mistakes=OFTEN), f"80% right, mistakes {OFTEN}")


# Differences


def paired_interval(
    metric: Metric[str],
    first: Population,
    other: Population,
    same: float,
    rng: np.random.Generator,
    resampling: Resampling,
) -> Interval:
    """That of the difference between two systems that answer a share of the rows the same."""
    classes = first.classes(rng)
    answers = first.answers(classes, rng)
    others = np.where(rng.random(len(classes)) < same, answers, other.answers(classes, rng))
    found = [
        resampling.apply(metric, first.outputs(said), first.references(classes), [{}] * len(classes))
        for said in (answers, others)
    ]
    return resampling.interval(found[0].minus(found[1]))


def unpaired_interval(
    metric: Metric[str], first: Population, other: Population, rng: np.random.Generator, resampling: Resampling
) -> Interval:
    """That of the difference between two slices."""
    found = []
    for part in (first, other):
        classes = part.classes(rng)
        outputs = part.outputs(part.answers(classes, rng))
        found.append(resampling.apply(metric, outputs, part.references(classes), [{}] * len(outputs)))
    return resampling.interval(found[0].minus(found[1], paired=False))


def difference_settings() -> Iterator[Setting]:
    """Of accuracy and macro-F1, on the same rows and on others."""
    for sizes in ((20,) * 3, tail(3, 20)):
        for right, other_right, same in ((0.8, 0.8, 0.5), (0.85, 0.75, 0.6), (0.92, 0.8, 0.4), (0.9, 0.9, 0.9)):
            first, other = (Population.of(sizes, share, mistakes=OFTEN) for share in (right, other_right))
            mixed = first.mixed(other, same)
            name = f"{in_words(sizes)}, {right:.0%} and {mixed.accuracy:.0%} right, {same:.0%} copied"
            for metric, truth in (
                (summed(accuracy()), first.accuracy - mixed.accuracy),
                (summed(macro_f1(first.labels)), first.macro_f1 - mixed.macro_f1),
            ):
                draw = functools.partial(paired_interval, metric, first, other, same)
                yield Setting("differences", f"{metric.name}, {name}", truth, draw)
    for sizes, others in (((20,) * 3, (20,) * 3), ((100,) * 3, (20,) * 3)):
        first, other = Population.of(sizes, 0.85), Population.of(others, 0.7)
        for metric, truth in (
            (summed(accuracy()), first.accuracy - other.accuracy),
            (summed(macro_f1(first.labels)), first.macro_f1 - other.macro_f1),
        ):
            draw = functools.partial(unpaired_interval, metric, first, other)
            name = f"{metric.name} of slices, {in_words(sizes)} and {in_words(others)}, 85% and 70% right"
            yield Setting("differences", name, truth, draw)


# Groups


def grouped_interval(groups: int, rng: np.random.Generator, resampling: Resampling) -> Interval:
    """That of accuracy where rows of a group are alike: its log-odds are normal, 1.2 on average, with a spread of 1."""
    sizes, right = 1 + rng.poisson(6, groups), expit(1.2 + rng.normal(size=groups))
    group_of_row = np.repeat(np.arange(groups), sizes)
    outputs = [Output("right" if hit else "wrong") for hit in rng.random(len(group_of_row)) < right[group_of_row]]
    rows: list[Row] = [{}] * len(outputs)
    groups_of_rows = group_of_row.tolist()
    return resampling.interval(
        resampling.apply(summed(accuracy()), outputs, ["right"] * len(outputs), rows, groups=groups_of_rows)
    )


def favoured(groups: int, rng: np.random.Generator) -> tuple[npt.NDArray[Any], BoolArray, BoolArray]:
    """The group of each row, and whether two systems are right there, equally often on the whole.

    They differ on 30 % of the rows, and the rows of a group tend to favour the same one.
    """
    group_of_row = np.repeat(np.arange(groups), 1 + rng.poisson(6, groups))
    first_wins = rng.random(len(group_of_row)) < expit(rng.normal(size=groups))[group_of_row]
    draw = rng.random(len(group_of_row))
    both, differ = draw < 0.5, draw > 0.7  # noqa: PLR2004  # half of the rows; 30 %
    return group_of_row, both | (differ & first_wins), both | (differ & ~first_wins)


def grouped_difference(groups: int, rng: np.random.Generator, resampling: Resampling) -> Interval:
    """The interval of the difference in accuracy between such systems."""
    group_of_row, *rights = favoured(groups, rng)
    references, rows = ["right"] * len(group_of_row), cast("list[Row]", [{}] * len(group_of_row))
    found = [
        resampling.apply(
            summed(accuracy()),
            [Output("right" if hit else "wrong") for hit in right],
            references,
            rows,
            groups=group_of_row.tolist(),
        )
        for right in rights
    ]
    return resampling.interval(found[0].minus(found[1]))


def group_settings() -> Iterator[Setting]:
    """Few groups, and enough."""
    truth = float(stats.norm(1.2, 1).expect(expit))
    for groups in (5, 10, 20, 50, 100):
        draw = functools.partial(grouped_interval, groups)
        yield Setting("groups", f"accuracy, {groups} groups of 7 rows on average", truth, draw)
    for groups in (5, 10, 20, 50):
        draw = functools.partial(grouped_difference, groups)
        yield Setting("groups", f"difference in accuracy, {groups} groups of 7 rows on average", 0.0, draw)


# Other metrics


def scores_of(kind: str, rows: int, rng: np.random.Generator) -> FloatArray:
    """One score per row: of texts, some of them 0, or of costs, a few of them large."""
    if kind == "texts":
        return rng.beta(1, 3, rows) * (rng.random(rows) > 0.2)  # noqa: PLR2004  # 20 % are 0
    return rng.lognormal(0, 1, rows)


def mean_interval(kind: str, rows: int, rng: np.random.Generator, resampling: Resampling) -> Interval:
    """That of the mean of a score."""
    outputs = [Output(float(score)) for score in scores_of(kind, rows, rng)]
    return resampling.interval(resampling.apply(MEAN, outputs, [0.0] * rows, [{}] * rows))


def spans_of(rows: int, rng: np.random.Generator) -> FloatArray:
    """Entities found rightly, answered, and there to be found in each row, [rows, 3]; some rows are harder."""
    there = rng.poisson(2, rows)
    right = rng.binomial(there, expit(1 + rng.normal(size=rows)))
    return np.stack([right, right + rng.poisson(0.6, rows), there], axis=1).astype(float)


def span_f1() -> Metric[Sequence[float]]:
    """F1 of entities, from what :func:`spans_of` says of each row."""

    def from_counts(totals: FloatArray) -> FloatArray:
        return 2 * totals[:, 0] / (totals[:, 1] + totals[:, 2])

    return Metric(
        "entity F1",
        lambda outputs, _, __: float(from_counts(np.sum([output.value or () for output in outputs], axis=0)[None])[0]),
        counts=lambda output, _, __: output.value or (),
        from_counts=from_counts,
    )


def span_interval(rows: int, rng: np.random.Generator, resampling: Resampling) -> Interval:
    """That of the F1 of entities."""
    outputs = [Output[Sequence[float]](row) for row in spans_of(rows, rng).tolist()]
    return resampling.interval(resampling.apply(span_f1(), outputs, [()] * rows, [{}] * rows))


def scored(rows: int, rng: np.random.Generator) -> tuple[list[Output[str]], list[str]]:
    """Answers with probabilities that are somewhat too sure, and references."""
    truth = rng.integers(3, size=rows)
    odds = rng.normal(size=(rows, 3)) + 1.2 * np.eye(3)[truth]
    probabilities = softmax(1.5 * odds, axis=1).tolist()
    outputs = [Output(LABELS[int(np.argmax(row))], dict(zip(LABELS, row, strict=True))) for row in probabilities]
    return outputs, [LABELS[place] for place in truth]


def scored_interval(metric: Metric[str], rows: int, rng: np.random.Generator, resampling: Resampling) -> Interval:
    """That of a metric of probabilities."""
    outputs, references = scored(rows, rng)
    return resampling.interval(resampling.apply(metric, outputs, references, [{}] * rows))


def other_settings() -> Iterator[Setting]:
    """Scores of texts and costs, entities, probabilities."""
    for (kind, truth), rows in itertools.product((("texts", 0.2), ("costs", math.exp(0.5))), (50, 200)):
        yield Setting("others", f"mean score of {rows} {kind}", truth, functools.partial(mean_interval, kind, rows))
    right, answered, there = spans_of(10 * MANY, np.random.default_rng(0)).sum(axis=0)
    for rows in (50, 200):
        name, truth = f"entity F1, {rows} rows with 2 entities on average", 2 * right / (answered + there)
        yield Setting("others", name, float(truth), functools.partial(span_interval, rows))
    outputs, references = scored(MANY, np.random.default_rng(0))
    for metric in (auroc(LABELS), brier(LABELS), log_loss(LABELS), ece()):
        truth = metric.compute(outputs, references, [{}] * MANY)
        for rows in (50, 200):
            draw = functools.partial(scored_interval, metric, rows)
            yield Setting("others", f"{metric.name}, {rows} rows", truth, draw)


# How they fare

SETTINGS: dict[str, Callable[[], Iterator[Setting]]] = {
    "macro-f1": f1_settings,
    "differences": difference_settings,
    "groups": group_settings,
    "others": other_settings,
}


@functools.cache
def settings_of(part: str) -> tuple[Setting, ...]:
    """All settings of a part."""
    return tuple(SETTINGS[part]())


def simulate(part: str, place: int, simulations: int, resamples: int) -> Found:
    """Draw the data sets of a setting, twice as many where a band is to be kept."""
    setting, rng = settings_of(part)[place], np.random.default_rng([place, simulations])
    resampling, count = Resampling(resamples), simulations * (2 if setting.promised else 1)
    low, high = np.array([setting.draw(rng, resampling) for _ in range(count)]).T
    known = ~np.isnan(low)
    above, below = (low > setting.truth)[known].mean(), (high < setting.truth)[known].mean()
    return Found(
        part=part,
        name=setting.name,
        truth=setting.truth,
        promised=setting.promised,
        warned=setting.warned,
        simulations=count,
        held=float(1 - above - below),
        too_low=float(below),
        too_high=float(above),
        unknown=float(1 - known.mean()),
        width=float((high - low)[known].mean()),
    )


def simulate_all(parts: Iterable[str], arguments: argparse.Namespace) -> Iterator[Found]:
    """Every setting of some parts, in their order."""
    jobs = [(part, place) for part in parts for place in range(len(settings_of(part)))]
    work = functools.partial(simulate, simulations=arguments.simulations, resamples=arguments.resamples)
    if arguments.processes == 1:
        yield from itertools.starmap(work, jobs)
        return
    with ProcessPoolExecutor(arguments.processes) as pool:
        yield from pool.map(work, *zip(*jobs, strict=True))


def accuracy_held(rows: int, shares: Sequence[float]) -> list[float]:
    """How often the interval of accuracy holds each of these true values, summed over all numbers of right rows."""
    ends = np.array([proportion_interval(right, rows, confidence=0.95) for right in range(rows + 1)])
    chances = stats.binom.pmf(np.arange(rows + 1), rows, np.array(shares)[:, None])
    held = (ends[:, 0] <= np.array(shares)[:, None]) & (np.array(shares)[:, None] <= ends[:, 1])
    return [float(value) for value in (chances * held).sum(axis=1)]


@functools.cache
def mcnemar_of(only_first: int, only_second: int) -> McNemar:
    """The test, once for each outcome."""
    return McNemar.of_counts(only_first, only_second)


def rejected(rows: int, up: float, down: float) -> tuple[float, float]:
    """How often the exact and the mid-p value are below 5 %, with these chances of a row that only one gets right."""
    drawn = np.random.default_rng(0).multinomial(rows, [up, down, 1 - up - down], size=TESTS)[:, :2]
    outcomes, times = np.unique(drawn, axis=0, return_counts=True)
    tests = [mcnemar_of(int(only_first), int(only_second)) for only_first, only_second in outcomes]
    exact, mid = ([getattr(test, name) < 0.05 for test in tests] for name in ("exact_p", "mid_p"))  # noqa: PLR2004
    return float(times[exact].sum() / TESTS), float(times[mid].sum() / TESTS)


def in_groups() -> tuple[float, float]:
    """How often either value is below 5 % where rows are no independent trials, as the test takes them to be."""
    rng, tests = np.random.default_rng(0), []
    for _ in range(TESTS // 10):
        _, first, second = favoured(50, rng)
        tests.append(mcnemar_of(int((first & ~second).sum()), int((second & ~first).sum())))
    exact, mid = (np.mean([getattr(test, name) < 0.05 for test in tests]) for name in ("exact_p", "mid_p"))  # noqa: PLR2004
    return float(exact), float(mid)


def seconds_of(metric: Metric[Any], rows: int) -> float:
    """That 2,000 resamples take."""
    many = Population.of((rows // 10,) * 10, 0.8)
    rng = np.random.default_rng(0)
    classes = many.classes(rng)
    outputs, references = many.outputs(many.answers(classes, rng)), many.references(classes)
    start = time.perf_counter()
    Resampling(2000).apply(metric, outputs, references, [{}] * rows)
    return time.perf_counter() - start


# What is written


@dataclass(frozen=True)
class Band:
    """What was promised of a kind of figures, and what they are.

    Attributes:
        name: Of the figures.
        low: Lowest allowed,
        high: and highest.
        values: Found.
    """

    name: str
    low: float
    high: float
    values: tuple[float, ...]

    def sentence(self) -> str:
        """Whether it is kept."""
        outside = sum(not self.low <= value <= self.high for value in self.values)
        found = f"{min(self.values):.1%} to {max(self.values):.1%} in {len(self.values)} settings"
        verdict = f"{outside} of them outside" if outside else "kept"
        return f"- {self.name}, {self.low:.1%} to {self.high:.1%}: {found}; **{verdict}**"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in Markdown, line by line."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for cells in lines:
        yield f"| {' | '.join(cells)} |"


def accuracy_section() -> Generator[str, None, list[Band]]:
    """The intervals of accuracy."""
    yield "\n## Accuracy: share of the intervals that hold the true value, exact\n"
    lines = ([f"{rows:,}", *(f"{held:.1%}" for held in accuracy_held(rows, SHARES))] for rows in ROWS)
    yield from table(["rows", *(f"{share:.0%} right" for share in SHARES)], lines)
    enough: list[float] = []
    for rows in ROWS:
        shares = np.arange(0.5, 1 - ENOUGH / rows + ROUNDING, 0.005).tolist()
        enough += accuracy_held(rows, shares) if shares else []
    return [
        Band("Accuracy, all of the above", *BAND, tuple(held for rows in ROWS for held in accuracy_held(rows, SHARES))),
        Band(f"Accuracy, {ENOUGH} right and {ENOUGH} wrong rows or more expected", *BAND, tuple(enough)),
    ]


def simulated_section(part: str, arguments: argparse.Namespace, found: list[Found]) -> Generator[str, None, list[Band]]:
    """The intervals of a part; what was found is added to the list."""
    yield f"\n## {TITLES[part]}: simulated, {arguments.resamples} resamples\n"
    head = (
        "data sets",
        "true value",
        "intervals that hold it",
        "below it",
        "above it",
        "mean width",
        "data sets drawn",
    )
    mine: list[Found] = []

    def lines() -> Iterator[list[str]]:
        for one in simulate_all([part], arguments):
            mine.append(one)
            shares = [f"{value:.1%}" for value in (one.held, one.too_low, one.too_high)]
            name = one.name + ("; promised" if one.promised else "") + ("; warned of" if one.warned else "")
            yield [name, f"{one.truth:.3f}", *shares, f"{one.width:.3f}", f"{one.simulations:,}"]

    yield from table(head, lines())
    found += mine
    promised = [one for one in mine if one.promised]
    if not promised:
        return []
    name = f"{TITLES[part]}, {CASES} rows of each class or more expected"
    unwarned = tuple(one.held for one in promised if not one.warned)
    return [
        Band(name, *BAND, tuple(one.held for one in promised)),
        Band(f"{name}, and {ENOUGH} wrong ones or more", *BAND, unwarned),
    ]


def test_section() -> Generator[str, None, list[Band]]:
    """False positives of McNemar's tests."""
    yield f"\n## McNemar: share of p-values below 5 % without a difference (exact / mid-p), {TESTS:,} data sets each\n"
    rates = {
        (rows, share): rejected(rows, share / 2, share / 2)
        for rows, share in itertools.product(TESTED_ROWS, DISCORDANT)
    }
    lines = (
        [f"{rows:,}", *(f"{rates[rows, share][0]:.1%} / {rates[rows, share][1]:.1%}" for share in DISCORDANT)]
        for rows in TESTED_ROWS
    )
    yield from table(["rows", *(f"{share:.0%} differ" for share in DISCORDANT)], lines)
    yield "\nOf rows in 50 groups of 7 on average, which tend to favour the same system: {:.1%} / {:.1%}.".format(
        *in_groups()
    )
    enough = [rate for (rows, share), rate in rates.items() if rows * share >= ENOUGH - ROUNDING]
    return [
        Band("False positives of the exact test", *EXACT_BAND, tuple(exact for exact, _ in rates.values())),
        Band("False positives of mid-p, all of the above", *MID_BAND, tuple(mid for _, mid in rates.values())),
        Band(
            f"False positives of mid-p, {ENOUGH} rows or more expected to differ",
            *MID_BAND,
            tuple(mid for _, mid in enough),
        ),
    ]


def rows_section() -> Generator[str, None, list[Band]]:
    """How often as many rows as needed show a difference."""
    yield f"\n## Rows needed to see a difference in 80 % of cases, {TESTS:,} data sets each\n"

    def line(difference: float, discordant: float) -> list[str]:
        rows = rows_needed(difference, discordant=discordant)
        seen = rejected(rows, (discordant + difference) / 2, (discordant - difference) / 2)
        return [f"{difference:.0%}", f"{discordant:.0%}", f"{rows:,}", *(f"{share:.1%}" for share in seen)]

    head = ("difference in accuracy", "rows that differ", "rows needed", "seen by the exact test", "by mid-p")
    yield from table(head, itertools.starmap(line, SOUGHT))
    return []


def time_section() -> Generator[str, None, list[Band]]:
    """How long resampling takes."""
    yield "\n## Time: 2,000 resamples of 10,000 rows\n"
    labels = Population.of((1,) * 10, 0.8).labels
    for metric in (accuracy(), macro_f1(labels)):
        yield f"- {metric.name}: {seconds_of(metric, 10_000):.1f} s"
    return []


SECTIONS: dict[str, Callable[[], Generator[str, None, list[Band]]]] = {
    "accuracy": accuracy_section,
    "tests": test_section,
    "rows": rows_section,
    "time": time_section,
}
PARTS = ("accuracy", *SETTINGS, "tests", "rows", "time")
TITLES = {
    "macro-f1": "Macro-F1",
    "differences": "Differences between systems, and between slices",
    "groups": "Rows that come in groups",
    "others": "Other metrics",
}


def report(arguments: argparse.Namespace, found: list[Found], bands: list[Band]) -> Iterator[str]:
    """All figures, as Markdown; what was found is added to the lists."""
    for part in arguments.parts:
        section = simulated_section(part, arguments, found) if part in SETTINGS else SECTIONS[part]()
        bands += yield from section
    if bands:
        yield "\n## What was promised\n"
        yield from (band.sentence() for band in bands)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000, help="data sets of a setting (default 1000)")
    parser.add_argument("--resamples", type=int, default=500, help="of each data set (default 500)")
    parser.add_argument("--processes", type=int, default=1, help="at the same time (default 1)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default all)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for coverage.json and coverage.md")
    return parser.parse_args()


def main() -> None:
    """Measure, print, write."""
    arguments = parse_arguments()
    start, found, bands = time.perf_counter(), list[Found](), list[Band]()
    facts = {"command": shlex.join(["python", "benchmarks/coverage.py", *sys.argv[1:]]), **describe()}
    lines = ["# Intervals and tests", "", *(f"- {name}: {value}" for name, value in facts.items())]
    for line in report(arguments, found, bands):
        print(line, flush=True)
        lines.append(line)
    lines.append(f"\nThe whole command took {time.perf_counter() - start:.0f} s.")
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "coverage.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    record = {**facts, "bands": [asdict(band) for band in bands], "settings": [asdict(one) for one in found]}
    (arguments.output / "coverage.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
