"""Run readers against their inputs for a while, count what happens, and keep going after a crash."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded

from fuzzing.reader import Reader, attempt, place_of, way_to

BATCH = 500  # inputs between looks at the clock
SHOWN = 400  # characters of an input


@dataclass
class Count:
    """What came of the inputs of a reader.

    Attributes:
        tried: Inputs.
        refused: Of these, with one of the library's own errors.
        seconds: That it took.
        crashes: How often each crash happened, by its place.
        examples: The shortest input of each.
    """

    tried: int = 0
    refused: int = 0
    seconds: float = 0.0
    crashes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def note(self, error: BaseException, tried: object) -> None:  # inputs are of all types
        """Keep a crash."""
        place = place_of(error)
        shown = f"{shown_as(tried)} -> {str(error)[:SHOWN]} ({way_to(error)})"
        self.crashes[place] += 1
        if place not in self.examples or len(shown) < len(self.examples[place]):
            self.examples[place] = shown


def shown_as(tried: object) -> str:
    """An input in a few words."""
    try:
        said = repr(tried)
    except ValueError:  # a number of too many digits
        said = f"<{type(tried).__name__} that cannot be shown>"
    return said if len(said) <= SHOWN else f"{said[:SHOWN]}..."


def run_for(reader: Reader, seconds: float, *, seed: int) -> Count:
    """Try inputs until the time is up."""
    reader.inputs()  # makes what is damaged, which is not what is measured
    count, start, batch = Count(), time.monotonic(), 0
    random.seed(seed)
    while time.monotonic() - start < seconds:
        _run(reader, count, f"{seed} {reader.name} {batch}", start + seconds)
        batch += 1
    count.seconds = time.monotonic() - start
    return count


def _run(reader: Reader, count: Count, seed: str, until: float) -> None:
    @seeded(seed)
    @settings(
        max_examples=BATCH,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(reader.inputs())
    def batch(tried: object) -> None:  # inputs are of all types
        if time.monotonic() > until:
            return
        count.tried += 1
        try:
            count.refused += not attempt(reader, tried)
        except Exception as error:  # noqa: BLE001  # whatever a reader raises is what is looked for  # whatever a reader raises is what is looked for
            count.note(error, tried)

    batch()
