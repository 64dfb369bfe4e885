"""How far a number can be trusted: intervals, paired tests between systems, and how many rows these need.

``docs/statistics.md`` says in plain words what is computed, and ``benchmarks/coverage.py`` measures how often it holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from qlorakit.errors import ConfigurationError, DataError
from qlorakit.metrics import check_pairs
from qlorakit.task import Output

if TYPE_CHECKING:
    from qlorakit.task import FloatArray, Metric, Row, Task

    IntArray = npt.NDArray[np.int64]

CHUNK = 64  # resamples at a time, fewer of many rows: bounds the memory of the weights, [CHUNK, rows]
CELLS = 2**22  # of these weights at most
BLOCKS = 200  # that are left out in turn: enough for the skewness of many rows, and as many as there are of few
FEWEST_RESAMPLES = 100  # that reach into the tails
MOST_BIAS = 0.5  # standard errors, beyond which intervals around a value cannot hold the truth often enough
MOST_UNDEFINED = 0.05  # share of resamples without a value, beyond which nothing can be said of the tails
FEW_CASES, FEW_MISTAKES, FEW_GROUPS = 20, 10, 10  # below which simulated intervals cover the truth too seldom
ROUNDING = 1e-12  # by which equal values may differ


# Resamples


def resample_weights(
    n_rows: int,
    *,
    resamples: int,
    seed: int,
    strata: Sequence[Hashable] | None = None,
    groups: Sequence[Hashable] | None = None,
) -> Iterator[FloatArray]:
    """How often each row is drawn in resamples with replacement (Efron, 1979).

    The same seed draws the same rows, so that systems are paired, however many more resamples are asked of one of them.

    Args:
        n_rows: How many rows there are.
        resamples: How often to draw as many.
        seed: Of the draws.
        strata: A value per row; each resample holds as many rows of a value as there are, as if their numbers had been
            fixed beforehand.
        groups: A value per row; rows with the same one are drawn together or not at all, and as many groups are drawn
            as there are (Davison and Hinkley, 1997, section 3.8).

    Returns:
        Chunks of weights, [resamples of the chunk, rows].

    Raises:
        ConfigurationError: There are both strata and groups.
        DataError: There are no rows, or not as many strata or groups as rows.
    """
    if n_rows < 1:
        msg = "there are no rows to resample; a resample needs at least one"
        raise DataError(msg)
    if strata is not None and groups is not None:
        msg = "rows are resampled within strata or by groups, not both"
        raise ConfigurationError(msg)
    unit_of_row, units = _numbered(groups, n_rows, "groups")
    if strata is None:
        return _drawn([np.arange(units)], unit_of_row, resamples, seed)
    stratum_of_row, count = _numbered(strata, n_rows, "strata")
    pools = [np.flatnonzero(stratum_of_row == stratum) for stratum in range(count)]
    return _drawn(pools, unit_of_row, resamples, seed)


def _numbered(values: Sequence[Hashable] | None, n_rows: int, argument: str) -> tuple[IntArray, int]:
    """The number of each row's value [rows], and how many there are; every row's own where no values are given."""
    if values is None:
        return np.arange(n_rows), n_rows
    if len(values) != n_rows:
        msg = f"{argument} has {len(values)} values for {n_rows} rows; give one for each"
        raise DataError(msg)
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values]), len(numbers)


def _drawn(pools: Sequence[IntArray], unit_of_row: IntArray, resamples: int, seed: int) -> Iterator[FloatArray]:
    """Weights of rows from draws of units within each pool."""
    rng = np.random.default_rng(seed)
    units, chunk = sum(map(len, pools)), _chunk(len(unit_of_row))
    for start in range(0, resamples, chunk):
        weights = np.empty((chunk, units))
        for pool in pools:
            draws = rng.integers(len(pool), size=(chunk, len(pool)))
            weights[:, pool] = [np.bincount(draw, minlength=len(pool)) for draw in draws]
        kept = weights[: resamples - start]
        yield kept if units == len(unit_of_row) else kept[:, unit_of_row]


def _chunk(n_rows: int) -> int:
    return max(1, min(CHUNK, CELLS // n_rows))


def _check_lengths(outputs: Sequence[Output[Any]], references: Sequence[Any], rows: Sequence[Row]) -> None:
    check_pairs(outputs, references)
    if len(rows) != len(outputs):
        msg = f"{len(outputs)} outputs and {len(rows)} rows: each row needs one output"
        raise DataError(msg)


def _row_counts(
    metric: Metric[Any], outputs: Sequence[Output[Any]], references: Sequence[Any], rows: Sequence[Row]
) -> FloatArray | None:
    """What each row adds to the totals of an additive metric, [rows, counts]; ``None`` for other metrics."""
    if metric.counts is None:
        return None
    return np.array(list(map(metric.counts, outputs, references, rows)), dtype=np.float64)


def _prepared(
    metric: Metric[Any],
    counts: FloatArray | None,
    outputs: Sequence[Output[Any]],
    references: Sequence[Any],
    rows: Sequence[Row],
) -> Callable[[FloatArray], FloatArray]:
    """A function to values [resamples] from weights [resamples, rows]."""
    from_counts = metric.from_counts
    if counts is not None and from_counts is not None:
        return lambda weights: from_counts(weights @ counts)
    if metric.resampled is not None:
        return metric.resampled(outputs, references, rows)

    def compute(draw: FloatArray) -> float:
        drawn = np.repeat(np.arange(len(rows)), draw.astype(np.int64)).tolist()
        return metric.compute([outputs[i] for i in drawn], [references[i] for i in drawn], [rows[i] for i in drawn])

    return lambda weights: np.array([compute(draw) for draw in weights], dtype=np.float64)


def _values(prepared: Callable[[FloatArray], FloatArray], weights: Iterator[FloatArray]) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.concatenate([np.asarray(prepared(chunk), dtype=np.float64) for chunk in weights])


# Intervals


@dataclass(frozen=True)
class Resampling:
    """How intervals are found: the settings of every number of a report.

    Attributes:
        resamples: How many bootstrap samples.
        confidence: Of the intervals.
        seed: Of the draws.

    Raises:
        ConfigurationError: One of them is out of range.
    """

    resamples: int = 2000
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < FEWEST_RESAMPLES:
            msg = f"resamples={self.resamples}: an interval needs at least {FEWEST_RESAMPLES}"
            raise ConfigurationError(msg)
        if self.seed < 0:
            msg = f"seed={self.seed}: must be a whole number from 0 on"
            raise ConfigurationError(msg)
        if not 0.5 <= self.confidence < 1:  # noqa: PLR2004
            msg = f"confidence={self.confidence}: must be at least 0.5 and below 1, such as 0.95"
            raise ConfigurationError(msg)

    def record(self) -> dict[str, float]:
        """The settings, for a report."""
        return asdict(self)

    def apply(
        self,
        metric: Metric[Any],
        outputs: Sequence[Output[Any]],
        references: Sequence[Any],
        rows: Sequence[Row],
        *,
        strata: Sequence[Hashable] | None = None,
        groups: Sequence[Hashable] | None = None,
    ) -> Resampled:
        """Compute a metric on the rows, on resamples of them, and with some of them left out.

        Args:
            metric: What to compute.
            outputs: One per row.
            references: The right values, in the same order.
            rows: The rows themselves.
            strata: A value per row, where it was settled beforehand how many rows have each value, as when as many rows
                of every class were labelled.  Where rows just came as they are, leave it out: intervals within strata
                of what was not settled are too narrow.
            groups: A value per row, where rows with the same one belong together, as sentences of a document do:
                then groups are resampled instead of rows.

        Raises:
            ConfigurationError: There are both strata and groups.
            DataError: There are no rows, or not one output, reference, stratum and group for each.
        """
        _check_lengths(outputs, references, rows)
        weights = resample_weights(len(rows), resamples=self.resamples, seed=self.seed, strata=strata, groups=groups)
        unit_of_row, units = _numbered(groups, len(rows), "groups")
        counts = _row_counts(metric, outputs, references, rows)
        prepared = _prepared(metric, counts, outputs, references, rows)
        values = _values(prepared, weights)
        share = counts if strata is None and groups is None and _is_share(metric, counts) else None
        return Resampled(
            value=float(metric.compute(outputs, references, rows)),
            values=values,
            left_out=_values(prepared, _without_blocks(unit_of_row, units, self.seed)) if units > 1 else np.empty(0),
            units=units,
            strata=1 if strata is None else len(set(strata)),
            share=_alike(values, units) if share is None and metric.higher_is_better else share,
        )

    def interval(self, found: Resampled | Difference) -> tuple[float, float]:
        """The interval of a value or a difference at this confidence."""
        return found.interval(self.confidence)


def _without_blocks(unit_of_row: IntArray, units: int, seed: int) -> Iterator[FloatArray]:
    """Weights that leave out one unit in turn, or a random block of them where there are many."""
    blocks, chunk = min(units, BLOCKS), _chunk(len(unit_of_row))
    block_of_row = (np.random.default_rng(seed).permutation(units) % blocks)[unit_of_row]
    for start in range(0, blocks, chunk):
        left_out = np.arange(start, min(start + chunk, blocks))
        yield (block_of_row != left_out[:, None]).astype(np.float64)


def _is_share(metric: Metric[Any], counts: FloatArray | None) -> bool:
    """Whether the value is the share of the counted rows that are right, so that it has a binomial distribution."""
    if counts is None or metric.from_counts is None or counts.shape[1] != 2:  # noqa: PLR2004  # right, counted
        return False
    yes_or_no = np.isin(counts, (0, 1)).all() and (counts[:, 0] <= counts[:, 1]).all()
    totals = np.array([[0, 1], [1, 2], [2, 3], [5, 5]], dtype=np.float64)
    return bool(yes_or_no) and np.allclose(metric.from_counts(totals), totals[:, 0] / totals[:, 1])


def _alike(values: FloatArray, units: int) -> FloatArray | None:
    """As many units that are all right, or all wrong, [units, 2], where every resample has the value 1, or 0.

    Resamples of rows without a mistake show no mistake.  How often there will be one is known as for a share of units.
    """
    defined = _defined(values)
    for end in (0.0, 1.0):
        if len(defined) and np.allclose(defined, end, rtol=0, atol=ROUNDING):
            return np.tile([end, 1.0], (units, 1))
    return None


@dataclass(frozen=True)
class Resampled:
    """A metric on the rows, and how it varies.

    Attributes:
        value: On the rows as they are.
        values: On resamples, [resamples]; not a number where it is not defined.
        left_out: With each row, group of rows or block of these left out, [blocks].
        units: How many rows there are, or groups, where these are resampled.
        strata: Within how many strata they are resampled.
        share: Whether each unit is right, and whether it counts, [units, 2], where the value is the share of those that
            are right, or as good as that, because every resample has the value 1, or 0; ``None`` otherwise.
    """

    value: float
    values: FloatArray
    left_out: FloatArray
    units: int
    strata: int
    share: FloatArray | None

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the standard error."""
        return self.units - self.strata

    @property
    def biased(self) -> bool:
        """Whether resamples are off the value in one direction, by more than half a standard error.

        The value is then likely as far off the truth in that direction (Efron and Tibshirani, 1993, chapter 10), and
        intervals hold it too seldom.
        """
        defined = self.values[np.isfinite(self.values)]
        return (
            len(defined) > 0 and abs(float(defined.mean()) - self.value) > MOST_BIAS * float(defined.std()) + ROUNDING
        )

    def interval(self, confidence: float) -> tuple[float, float]:
        """The values that the rows do not rule out.

        A share of rows has Wilson's interval of a binomial proportion (1927), and so has a value that is 1, or 0, on
        every resample.  Others have the bias-corrected and accelerated bootstrap interval, BCa (Efron,
        1987), without acceleration where there are strata, widened for few rows (Hesterberg, 2015).  Resamples without
        a value are left out.

        Args:
            confidence: How often such intervals shall hold the true value.

        Returns:
            Its ends; not numbers where there is no value, where more than 5 % of the resamples have none, and where
            there is one row alone, in all or in each stratum, unless it is right or wrong.
        """
        if self.share is not None:
            right, counted = self.share.sum(axis=0)
            return proportion_interval(int(right), int(counted), confidence=confidence)
        defined = _defined(self.values)
        if self.freedom < 1 or not len(defined) or math.isnan(self.value):
            return math.nan, math.nan
        tail = _quantile(confidence, self.freedom) * math.sqrt(self.units / self.freedom)
        left_out = self.left_out[np.isfinite(self.left_out)] if self.strata == 1 else np.empty(0)
        low, high = _bca_levels(_share_below(defined, self.value), left_out, tail)
        return float(np.quantile(defined, low, method="lower")), float(np.quantile(defined, high, method="higher"))

    def minus(self, other: Resampled, *, paired: bool = True) -> Difference:
        """How much larger this value is than another.

        Args:
            other: The same metric of another system or of other rows.
            paired: Whether both are of the same rows, resampled with the same seed.

        Raises:
            ConfigurationError: The two cannot be paired, because they are of different rows or resamples.
        """
        value = self.value - other.value
        mine, others = ((found.units, found.strata, len(found.values)) for found in (self, other))
        if paired and mine != others:
            msg = (
                f"{mine[0]} rows in {mine[1]} strata with {mine[2]} resamples and {others[0]} in {others[1]} with "
                f"{others[2]} cannot be paired; for different rows, give paired=False"
            )
            raise ConfigurationError(msg)
        if self.share is not None and other.share is not None:
            if not paired:
                return _difference_of_shares(value, self.share, other.share)
            if np.array_equal(self.share[:, 1], other.share[:, 1]):
                return _paired_difference_of_shares(value, self.share, other.share)
        with np.errstate(invalid="ignore"):  # infinite values have no difference
            if paired:
                return Difference(value, value, self._error(self.values - other.values), self.freedom)
            error = math.hypot(self._error(self.values), other._error(other.values))
        return Difference(value, value, error, min(self.freedom, other.freedom))

    def _error(self, values: FloatArray) -> float:
        """Standard error from values on these resamples, as if the rows were drawn from infinitely many."""
        defined = _defined(values)
        if self.freedom < 1 or not len(defined):
            return math.nan
        return float(defined.std() * math.sqrt(self.units / self.freedom))


@dataclass(frozen=True)
class Difference:
    """How much two values of a metric differ.

    Attributes:
        value: On the rows as they are.
        centre: Of its intervals.
        error: Standard error; not a number where it is not known.
        freedom: Degrees of freedom of that.
        limit: The largest difference there can be.
    """

    value: float
    centre: float
    error: float
    freedom: float
    limit: float = math.inf

    def interval(self, confidence: float) -> tuple[float, float]:
        """The differences that the rows do not rule out.

        That of two shares of the same rows is Bonett and Price's (2012), of different rows Agresti and Caffo's (2000);
        others are the standard error of the bootstrap differences to each side, widened for few rows.

        Args:
            confidence: How often such intervals shall hold the true difference.

        Returns:
            Its ends; not numbers where the error is not known.
        """
        reach = _quantile(confidence, self.freedom) * self.error
        if math.isnan(reach):
            return math.nan, math.nan
        return max(self.centre - reach, -self.limit), min(self.centre + reach, self.limit)

    def p_value(self) -> float:
        """How likely a difference as large as this is by chance, two-sided.

        It is below 5 % where the interval at 95 % leaves out 0.  It is 1 where no resample shows any other difference,
        for then nothing is known of chance.
        """
        from scipy.stats import t

        return float(2 * t.sf(abs(self.centre) / self.error, self.freedom)) if self.error != 0 else 1.0


def proportion_interval(successes: int, trials: int, *, confidence: float) -> tuple[float, float]:
    """Interval of a share (Wilson, 1927), which covers more evenly than others (Brown, Cai and DasGupta, 2001).

    Args:
        successes: How often it happened,
        trials: of how many times.
        confidence: How often such intervals shall hold the true share, on average over shares.

    Returns:
        Its ends; not numbers where there was no trial.

    Raises:
        ConfigurationError: There are more successes than trials, or fewer than none.
    """
    from scipy.stats import binomtest

    if not 0 <= successes <= trials:
        msg = f"successes={successes}, trials={trials}: successes must be from 0 to trials"
        raise ConfigurationError(msg)
    if not trials:
        return math.nan, math.nan
    found = binomtest(successes, trials).proportion_ci(confidence, method="wilson")
    return float(found.low), float(found.high)


def _defined(values: FloatArray) -> FloatArray:
    """The values that are numbers; none at all where too few of them are."""
    defined = values[~np.isnan(values)]
    return defined if len(values) - len(defined) <= MOST_UNDEFINED * len(values) else defined[:0]


def _quantile(confidence: float, freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + confidence) / 2, freedom)) if freedom > 0 else math.nan


def _share_below(values: FloatArray, value: float) -> float:
    """Which share of the values is below this one, with those equal to it counted by half.

    It is not taken to be 0 or 1, which is more than so many values can tell.
    """
    equal = np.isclose(values, value, rtol=ROUNDING, atol=ROUNDING)
    least = 1 / len(values)
    return float(np.clip((~equal & (values < value)).mean() + equal.mean() / 2, least, 1 - least))


def _bca_levels(below: float, left_out: FloatArray, tail: float) -> FloatArray:
    """Which quantiles of the bootstrap values are the ends of their interval, [2].

    Args:
        below: Share of the bootstrap values that are below the value.
        left_out: Values with each block left out; none for no acceleration.
        tail: Standard errors to each side, if the values were normal.
    """
    from scipy.stats import norm

    bias = norm.ppf(below)
    deviations = left_out.mean() - left_out if len(left_out) else np.zeros(1)
    spread = (deviations**2).sum() ** 1.5
    acceleration = (deviations**3).sum() / (6 * spread) if spread else 0.0
    ends = bias + np.array([-tail, tail])
    room = 1 - acceleration * ends
    moved = np.divide(ends, room, out=np.copysign(np.full(2, np.inf), ends), where=room > 0)
    levels: FloatArray = norm.cdf(bias + moved)
    return levels


def _paired_difference_of_shares(value: float, first: FloatArray, second: FloatArray) -> Difference:
    """Adds one row to each side on which the two differ (Bonett and Price, 2012)."""
    changes, rows = first[:, 0] - second[:, 0], first[:, 1].sum() + 2
    up, down = ((changes > 0).sum() + 1) / rows, ((changes < 0).sum() + 1) / rows
    error = math.sqrt((up + down - (up - down) ** 2) / rows)
    return Difference(value, float(up - down), error, math.inf, limit=1.0)


def _difference_of_shares(value: float, first: FloatArray, second: FloatArray) -> Difference:
    """Adds a right and a wrong row to both (Agresti and Caffo, 2000)."""
    (right, rows), (right_too, rows_too) = (share.sum(axis=0) + np.array([1, 2]) for share in (first, second))
    one, other = right / rows, right_too / rows_too
    error = math.sqrt(one * (1 - one) / rows + other * (1 - other) / rows_too)
    return Difference(value, float(one - other), error, math.inf, limit=1.0)


# Tests


@dataclass(frozen=True)
class McNemar:
    """McNemar's test (1947) that two systems are right equally often.

    Attributes:
        only_first: Rows on which only the first is right,
        only_second: and only the second: the others say nothing.
        exact_p: Two-sided p-value of the exact conditional test: below 5 % in less than 5 % of cases without a
            difference, often much less.
        mid_p: That counts outcomes as likely as this one by half (Fagerland, Lydersen and Laake, 2013): closer to 5 %,
            and so sees more.
    """

    only_first: int
    only_second: int
    exact_p: float
    mid_p: float

    @classmethod
    def of_counts(cls, only_first: int, only_second: int) -> McNemar:
        """The test from how many rows only the first, and only the second system got right.

        Under the hypothesis, each of these rows is the toss of a fair coin.  Without any, both p-values are 1.
        """
        return cls(only_first, only_second, *_coin_toss(only_first, only_second))


def mcnemar(right_first: Sequence[bool], right_second: Sequence[bool]) -> McNemar:
    """Test that two systems are right equally often, from the rows on which exactly one of them is.

    Args:
        right_first: Whether the first system was right, per row.
        right_second: The same for the second, rows in the same order.

    Returns:
        The test; both p-values are 1 where the systems are right on the same rows.

    Raises:
        DataError: They are not of the same number of rows.
    """
    if len(right_first) != len(right_second):
        msg = f"McNemar's test pairs rows, and there are {len(right_first)} and {len(right_second)} of them"
        raise DataError(msg)
    pairs = list(zip(map(bool, right_first), map(bool, right_second), strict=True))
    return McNemar.of_counts(pairs.count((True, False)), pairs.count((False, True)))


def _coin_toss(heads: int, tails: int) -> tuple[float, float]:
    """Exact and mid-p value of a fair coin that fell like this."""
    from scipy.stats import binom

    if heads + tails == 0:
        return 1.0, 1.0
    fewer = min(heads, tails)
    likely = float(binom.pmf(fewer, heads + tails, 0.5)) * (1 if heads == tails else 2)
    exact = min(1.0, 2 * float(binom.cdf(fewer, heads + tails, 0.5)))
    return exact, exact - likely / 2


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P-values corrected for being several (Holm, 1979).

    Whichever hypotheses are true, one or more of these values are below 5 % in at most 5 % of cases.

    Args:
        p_values: Of each test.

    Returns:
        The corrected ones in the same order, at most 1.

    Raises:
        ConfigurationError: One of them is no probability.
    """
    if not all(0 <= p <= 1 for p in p_values):
        msg = f"p_values={list(p_values)}: all must be from 0 to 1"
        raise ConfigurationError(msg)
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, largest = [0.0] * len(p_values), 0.0
    for done, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - done) * p_values[place]))
        corrected[place] = largest
    return tuple(corrected)


def rows_needed(difference: float, *, discordant: float, power: float = 0.8, significance: float = 0.05) -> int:
    """How many rows both systems must answer so that McNemar's test sees a difference in accuracy (Connor, 1987).

    Args:
        difference: Between the two accuracies, such as 0.03.
        discordant: Share of rows on which exactly one of the two is right, at least ``difference``: the more the
            systems differ row by row, the more rows it takes.
        power: How likely the test shall be to see it.
        significance: The p-value below which it counts as seen.

    Returns:
        Rows, for the mid-p value; the exact one needs somewhat more.

    Raises:
        ConfigurationError: One of them is out of range.
    """
    from scipy.stats import norm

    if not 0 < abs(difference) <= discordant <= 1:
        msg = f"difference={difference}, discordant={discordant}: need 0 < |difference| <= discordant <= 1"
        raise ConfigurationError(msg)
    if not 0 < significance < power < 1:
        msg = f"power={power}, significance={significance}: need 0 < significance < power < 1"
        raise ConfigurationError(msg)
    under_chance = norm.isf(significance / 2) * math.sqrt(discordant)
    under_difference = norm.ppf(power) * math.sqrt(discordant - difference**2)
    return math.ceil(((under_chance + under_difference) / difference) ** 2)


# Warnings


def warnings_of(
    task: Task[Any],
    references: Sequence[Any],
    outputs: Sequence[Output[Any]] | None = None,
    *,
    groups: Sequence[Hashable] | None = None,
    found: Mapping[str, Resampled | None] | None = None,
) -> tuple[str, ...]:
    """Say where intervals cover the truth less often than they claim, as simulations have shown.

    Args:
        task: Whose classes are counted, if it has any.
        references: The right values.
        outputs: Of the system that the report is about; where there is one label per row, its mistakes are counted.
        groups: What is resampled instead of rows, one value per row.
        found: The system's metrics on resamples, by name; ``None`` for one that could not be computed.

    Returns:
        Sentences for a report, none where there is nothing to warn of.
    """
    warnings = [*_of_rare_classes(task, references)]
    if outputs is not None and task.single:
        warnings.extend(_of_few_mistakes(task, references, outputs))
    if groups is not None:
        warnings.extend(_of_groups(groups))
    biased = [name for name, metric in (found or {}).items() if metric is not None and metric.biased]
    if biased:
        warnings.append(f"so few rows bias {', '.join(biased)}: the intervals hold the true value too seldom")
    return tuple(warnings)


def _of_rare_classes(task: Task[Any], references: Sequence[Any]) -> Iterator[str]:
    if task.classes is None or not references:
        return
    classes = [found for found in task.classes([Output(None)] * len(references), references) if found.support]
    rare = [found for found in classes if found.support < FEW_CASES]
    if rare:
        rarest = min(rare, key=lambda found: found.support)
        yield (
            f"{len(rare)} of {len(classes)} classes occur fewer than {FEW_CASES} times ({rarest.label!r}: "
            f"{rarest.support}): averages over classes are rough, and their intervals can be too narrow"
        )


def _of_groups(groups: Sequence[Hashable]) -> Iterator[str]:
    number = len(set(groups))
    if number < FEW_GROUPS:
        yield f"only {number} groups are resampled: with fewer than {FEW_GROUPS}, intervals are too narrow"
    if number < len(groups):
        yield (
            "McNemar's test takes rows as independent of each other, and these come in groups: its p-values can be too "
            "small; go by the intervals of the differences"
        )


def _of_few_mistakes(task: Task[Any], references: Sequence[Any], outputs: Sequence[Output[Any]]) -> Iterator[str]:
    right = sum(
        output.value is not None and bool(task.matches(output.value, reference))
        for output, reference in zip(outputs, references, strict=True)
    )
    fewer, word = min((len(references) - right, "wrong"), (right, "right"))
    if fewer < FEW_MISTAKES:
        yield (
            f"only {fewer} of {len(references)} rows are answered {word}: with fewer than {FEW_MISTAKES}, intervals of "
            "averages over classes can be too narrow"
        )
