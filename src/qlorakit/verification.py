"""What came of checking a run again: a list of checks, and how far numbers agree with those that were recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.table import Table

from qlorakit.display import as_text
from qlorakit.documents import clean
from qlorakit.errors import first_few, shown

State = Literal["same", "changed", "different", "not checked"]
MOST_NAMED = 3


@dataclass(frozen=True)
class Check:
    """One thing that was looked at again.

    Attributes:
        name: What.
        state: ``"same"`` as recorded; ``"changed"``, which is no fault by itself, as other versions of packages;
            ``"different"``, so that the run is not what its records say; or ``"not checked"``.
        detail: What was compared, what differs, or what to give so that it can be checked.
    """

    name: str
    state: State
    detail: str


@dataclass(frozen=True)
class Verification:
    """The result of ``verify``.  Print it.

    Attributes:
        folder: Of the adapter.
        checks: In the order they were made.
    """

    folder: Path
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether everything was checked, and nothing is different."""
        return not self.named("different", "not checked")

    def named(self, *states: State) -> tuple[Check, ...]:
        """The checks that ended in one of these states."""
        return tuple(check for check in self.checks if check.state in states)

    def __str__(self) -> str:
        """A table, one line for each check."""
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        for column in ("name", "state"):
            table.add_column(column, no_wrap=True)
        table.add_column("detail", overflow="fold")
        for check in self.checks:
            table.add_row(clean(check.name), check.state, clean(check.detail))
        return "\n".join(line.rstrip() for line in as_text(clean(str(self.folder)), table).splitlines()) + "\n"


@dataclass(frozen=True)
class Closeness:
    """How far numbers, names and lists agree with those of before.

    Attributes:
        compared: Values in all.
        apart: Where there is another value, with both where they are short: long ones may be texts of rows.  Numbers
            within the tolerance are not among them.
        largest: Difference between two numbers, as a share of the one before where that is above 1.
    """

    compared: int
    apart: tuple[str, ...]
    largest: float

    @classmethod
    def of(cls, then: object, now: object, *, tolerance: float) -> Closeness:
        """Compare two values with all that is in them.

        Args:
            then: What was recorded, in which numbers that are not finite are null.
            now: What was computed anew.
            tolerance: Of numbers; 0 asks for the very same bits.
        """
        before, after = dict(_leaves(then)), dict(_leaves(now))
        distances = {
            name: _distance(before[name], after[name]) if name in before and name in after else math.inf
            for name in {**before, **after}
        }
        apart = tuple(
            f"{name or 'value'} was {shown(before.get(name))} and is {shown(after.get(name))}"
            for name, distance in distances.items()
            if not distance <= tolerance
        )
        largest = max((distance for distance in distances.values() if math.isfinite(distance)), default=0.0)
        return cls(len(distances), apart, largest)

    def check(self, name: str, what: str, *, tolerance: float, because: str) -> Check:
        """A check that passes where nothing is apart.

        Args:
            name: Of the check.
            what: Was compared.
            tolerance: That was granted.
            because: Why, where it is above 0.
        """
        if not self.apart:
            near = f"differ by at most {self.largest:.2g}, {tolerance:g} is allowed because {because}"
            return Check(
                name, "same", f"{what}: {self.compared} values {near if tolerance else 'are equal bit for bit'}"
            )
        said = first_few(self.apart, MOST_NAMED)
        many = f"{len(self.apart)} of {self.compared} values differ"
        if tolerance:
            many += f" by more than {tolerance:g}, allowed because {because}"
        return Check(name, "different", f"{what}: {many}: {said}")


def _distance(then: object, now: object) -> float:
    """0 for what is the same, infinity for what is not and has no distance."""
    if isinstance(then, int | float) and isinstance(now, int | float) and type(then) is not bool is not type(now):
        try:
            return abs(then - now) / max(1.0, abs(then))
        except OverflowError:  # JSON holds numbers that no float does
            return 0.0 if then == now else math.inf
    return 0.0 if type(then) is type(now) and then == now else math.inf


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # any value
    """What is in a value, by the way to it; numbers that are not finite are ``None``, as JSON has them."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield f"{name}: length" if name else "length", len(value)
        for place, item in enumerate(value, start=1):
            yield from _leaves(item, f"{name}[{place}]")
    else:
        yield name, None if isinstance(value, float) and not math.isfinite(value) else value
