"""What answers are worth where mistakes do not cost the same, or where only so many rows can be looked at."""

from __future__ import annotations

import functools
import itertools
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from qlorakit.errors import ConfigurationError
from qlorakit.metrics import check_reference, each_row, mean_metric, positions, valid_label
from qlorakit.score_metrics import check_scores
from qlorakit.task import Decision, DecisionRule, Metric, Output, Row
from qlorakit.thresholds import FEWEST_POSITIVES

if TYPE_CHECKING:
    from qlorakit.task import FloatArray

logger = logging.getLogger(__name__)

Costs = Mapping[tuple[str, str], float]
BREAK_EVEN = "break-even of the costs"  # in a decision, beside the label with the threshold
FIRST, LAST = 2.0, -1.0  # ranks above and below all probabilities


def recall_at_budget(labels: Sequence[str], *, positive: str, share: float) -> Metric[str]:
    """How much of all positive rows is found by looking at a fixed share of the rows, likeliest first.

    Also called the capture rate.  The budget is ``share`` of the number of rows, a part of a row included.  Of rows
    that tie at its edge as many are looked at as it still allows, each of them with the same chance: the value is the
    expected one.  An invalid answer is ranked last where the row is positive, and first where it is not.  Not a number
    where no row is positive.

    Args:
        labels: Every label of the task.
        positive: The label to be found.
        share: Of the rows, above 0 and at most 1; the metric's name tells it, such as ``"recall_at_5_percent"``.

    Raises:
        ConfigurationError: The labels are not distinct texts, ``positive`` is none of them, or ``share`` is out of
            range.
    """
    places = positions(labels)
    _check_positive(positive, labels)
    if not 0 < share <= 1:
        msg = f"share={share}: must be above 0 and at most 1, such as 0.05"
        raise ConfigurationError(msg)

    def judge(output: Output[str], reference: str) -> tuple[bool, float]:
        right = check_reference(reference, places) == positive
        if valid_label(output, places) is None:
            return right, LAST if right else FIRST
        return right, check_scores(output, places).get(positive, 0.0)

    def prepare(
        outputs: Sequence[Output[str]], references: Sequence[str], rows: Sequence[Row]
    ) -> Callable[[FloatArray], FloatArray]:
        import numpy as np

        del rows
        truth, scores = map(np.array, zip(*each_row(judge, outputs, references), strict=True))
        order = np.argsort(-scores, kind="stable")
        ties = np.flatnonzero(np.append(True, np.diff(scores[order]) != 0))
        held = truth[order][:, None]

        def values(weights: FloatArray) -> FloatArray:
            drawn = weights.T[order]
            return _recalls(np.add.reduceat(drawn, ties), np.add.reduceat(drawn * held, ties), share)

        return values

    def compute(outputs: Sequence[Output[str]], references: Sequence[str], rows: Sequence[Row]) -> float:
        import numpy as np

        return float(prepare(outputs, references, rows)(np.ones((1, len(outputs))))[0])

    def best(references: Sequence[str], rows: Sequence[Row]) -> float:
        del rows
        positives = sum(reference == positive for reference in references)
        return min(1.0, share * len(references) / positives) if positives else math.nan

    name = f"recall_at_{share * 100:g}_percent".replace(".", "_")
    return Metric(name, compute, needs_scores=True, resampled=prepare, best=best)


def expected_cost(labels: Sequence[str], costs: Costs) -> Metric[str]:
    """Mean over rows of what the answer costs: nothing where it is right (Elkan, 2001).

    An invalid answer costs as much as the worst wrong answer of its row can.

    Args:
        labels: Every label of the task.
        costs: Of every wrong answer, by the right label and the answered one, in any unit: 0 or more.

    Raises:
        ConfigurationError: The labels are not distinct texts, or a cost is missing, is of no wrong answer, or is not a
            number of 0 or more.
    """
    places = positions(labels)
    priced = _checked_costs(labels, costs)
    worst = {true: max(cost for (right, _), cost in priced.items() if right == true) for true in labels}

    def judge(output: Output[str], reference: str) -> float:
        true, answer = check_reference(reference, places), valid_label(output, places)
        if answer is None:
            return worst[true]
        return 0.0 if answer == true else priced[true, answer]

    return mean_metric("expected_cost", judge, higher_is_better=False)


def cost_threshold(labels: Sequence[str], *, positive: str, costs: Costs) -> DecisionRule[str]:
    """Answer one of two labels where its probability makes that the cheaper answer.

    Before anything is fitted the threshold is ``false_alarm / (false_alarm + miss)``, the best one where probabilities
    are calibrated (Elkan, 2001).  What is fitted is the threshold with the least cost on validation rows; of equally
    cheap ones, the nearest to that.  Where fewer than 10 rows are of either label, the threshold stays as it was.
    Outputs without probabilities, and invalid ones, stay as they are.

    A decision also holds the unfitted threshold of the costs it was made for.  One that was made for other costs, as it
    may be saved with an adapter, is not applied: the unfitted threshold of these costs is, and the log tells so once.

    Args:
        labels: Both labels of the task.
        positive: The one with the threshold.
        costs: As for :func:`expected_cost`; at least one of them above 0.

    Raises:
        ConfigurationError: There are not two distinct labels, ``positive`` is none of them, or costs are unusable.
    """
    positions(labels)
    _check_positive(positive, labels)
    if len(labels) != 2:  # noqa: PLR2004
        msg = f"labels={list(labels)}: a threshold decides between two labels"
        raise ConfigurationError(msg)
    (negative,) = (label for label in labels if label != positive)
    priced = _checked_costs(labels, costs)
    miss, false_alarm = priced[positive, negative], priced[negative, positive]
    if miss + false_alarm == 0:
        msg = "costs: all are 0, so that every threshold is as good; at least one must be above 0"
        raise ConfigurationError(msg)
    default = false_alarm / (false_alarm + miss)
    unfitted = {positive: default, BREAK_EVEN: default}

    def fit(outputs: Sequence[Output[str]], references: Sequence[str]) -> Decision:
        import numpy as np

        known = [
            (output.scores.get(positive, 0.0), reference == positive)
            for output, reference in zip(outputs, references, strict=True)
            if output.scores and output.value is not None
        ]
        found = sum(right for _, right in known)
        if min(found, len(known) - found) < FEWEST_POSITIVES:
            return unfitted
        scores, truth = map(np.array, zip(*known, strict=True))
        cheapest = _cheapest(scores, np.where(truth, miss, 0.0), np.where(truth, 0.0, false_alarm), default)
        return {**unfitted, positive: cheapest}

    def accepts(decision: Decision) -> bool:
        made_for = decision.get(BREAK_EVEN, default)
        if not math.isclose(made_for, default):
            _tell_other_costs(positive, made_for, default)
            return False
        return True

    return DecisionRule(fit, functools.partial(_reaching, positive, negative), unfitted, accepts)


def _reaching(positive: str, negative: str, output: Output[str], decision: Decision) -> Output[str]:
    if output.value is None or not output.scores:
        return output
    reached = output.scores.get(positive, 0.0) >= decision[positive]
    return replace(output, value=positive if reached else negative)


@functools.cache
def _tell_other_costs(positive: str, made_for: float, break_even: float) -> None:
    logger.warning(
        "the threshold of %r was fitted for other costs (break-even at %.4g, not %.4g) and is not used, but %.4g; "
        "evaluate with a validation_dataset or train again to fit one for these costs",
        positive,
        made_for,
        break_even,
        break_even,
    )


def _cheapest(scores: FloatArray, missed: FloatArray, alarmed: FloatArray, default: float) -> float:
    """The cheapest threshold: the default, or one in the middle between two neighbouring scores.

    Args:
        scores: Probabilities of the positive label, [n].
        missed: What it costs to stay below the threshold, [n].
        alarmed: What it costs to reach it, [n].
        default: Preferred, and so are those near it, where costs are equal.
    """
    import numpy as np

    levels = np.unique(scores)
    middles = (levels[1:] + levels[:-1]) / 2
    candidates = np.concatenate([[default, 0.0, np.nextafter(levels[-1], 2)], middles])
    order = np.argsort(scores)
    below = np.append(0.0, np.cumsum(missed[order]))
    above = np.append(np.cumsum(alarmed[order][::-1])[::-1], 0.0)
    place = np.searchsorted(scores[order], candidates, side="left")
    costs = below[place] + above[place]
    cheapest = candidates[costs <= costs.min() * (1 + 1e-12)]
    return float(cheapest[np.argmin(np.abs(cheapest - default))])


def _recalls(drawn: FloatArray, positive: FloatArray, share: float) -> FloatArray:
    """Values [resamples] from rows and positive rows of each tie, highest score first, [ties, resamples]."""
    import numpy as np

    before = drawn.cumsum(axis=0) - drawn
    looked_at = np.clip(share * drawn.sum(axis=0) - before, 0.0, drawn)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = positive * looked_at / drawn.clip(min=1)
        return cast("FloatArray", found.sum(axis=0) / positive.sum(axis=0))


def _check_positive(positive: str, labels: Sequence[str]) -> None:
    if positive not in labels:
        msg = f"positive={positive!r}: must be one of {', '.join(map(repr, labels))}"
        raise ConfigurationError(msg)


def _checked_costs(labels: Sequence[str], costs: Costs) -> dict[tuple[str, str], float]:
    """The cost of every wrong answer, and of nothing else."""
    pairs = list(itertools.permutations(labels, 2))
    missing = [pair for pair in pairs if pair not in costs]
    if missing:
        msg = f"costs: there is none for {missing[0]}, the right label and the one answered"
        raise ConfigurationError(msg)
    for pair, cost in costs.items():
        if pair not in pairs:
            msg = f"costs: {pair!r} is no wrong answer; keys are the right label and another one that was answered"
            raise ConfigurationError(msg)
        if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost < math.inf:
            msg = f"costs: {pair} costs {cost!r}; it must be a number of 0 or more"
            raise ConfigurationError(msg)
    return {pair: float(costs[pair]) for pair in pairs}
