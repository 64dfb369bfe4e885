"""Give rare classes more weight in training, where they would be drowned by frequent ones."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from qlorakit.errors import ConfigurationError

if TYPE_CHECKING:
    from qlorakit.task import Row, Task

ClassBalance = Literal["none", "weights", "oversample"]


@dataclass(frozen=True)
class Balance:
    """What makes classes count alike.

    Attributes:
        weights: Of the loss of a row, by its class; empty where all count the same.
        repeated: Places of rows that come once more in every epoch, once for each time they stand here.
    """

    weights: Mapping[Hashable, float] = field(default_factory=dict)
    repeated: tuple[int, ...] = ()


def balance(rows: Sequence[Row], task: Task[Any], kind: ClassBalance, *, seed: int) -> Balance:
    """What makes the classes of training rows count alike.

    ``"weights"``: the loss of a row of a class is multiplied by ``rows / (classes * rows of the class)`` (G. King and
    L. Zeng, "Logistic Regression in Rare Events Data", 2001; "balanced" in scikit-learn).  ``"oversample"``: rows of
    rarer classes are repeated, in every epoch, until each class has as many as the largest.

    Args:
        rows: To be trained on; never those of another split.
        task: With one label for each row.
        kind: Which; ``"none"`` for nothing.
        seed: Draws the rows that are repeated once more than others of their class.

    Raises:
        ConfigurationError: There is no such kind, or the task has not one label for each row.
    """
    if kind not in get_args(ClassBalance):
        msg = f"class_balance={kind!r} is not one of {', '.join(map(repr, get_args(ClassBalance)))}"
        raise ConfigurationError(msg)
    if kind == "none":
        return Balance()
    if not task.single:
        msg = f"class_balance={kind!r}: {task.name} has not one label for each row, so there are no classes to balance"
        raise ConfigurationError(msg)
    if kind == "weights":
        counts = Counter(task.reference(row) for row in rows)
        total = counts.total()
        return Balance({label: total / (len(counts) * count) for label, count in counts.items()})
    return Balance(repeated=tuple(_repeated(rows, task, seed)))


def _repeated(rows: Sequence[Row], task: Task[Any], seed: int) -> list[int]:
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        places[task.reference(row)].append(place)
    largest = max(map(len, places.values()))
    found = []
    for label in sorted(places, key=str):
        own = places[label]
        times, rest = divmod(largest - len(own), len(own))
        draw = random.Random(f"{seed} {label}")  # noqa: S311  # nothing secret
        found += own * times + sorted(draw.sample(own, rest))
    return found
