"""Tokens that mean nothing."""

from __future__ import annotations

import random

# Ordinary tokens begin here.
PAD, BOS, EOS, FIRST_TOKEN = 0, 1, 2, 3


class Draw:
    """A source of random numbers: the same seed gives the same ones."""

    def __init__(self, vocabulary: int, seed: int = 0) -> None:
        self.vocabulary = vocabulary
        self.random = random.Random(seed)  # noqa: S311  # keeps no secret

    def tokens(self, count: int) -> tuple[int, ...]:
        """Draw ordinary tokens."""
        return tuple(self.random.randrange(FIRST_TOKEN, self.vocabulary) for _ in range(count))

    def around(self, mean: int, spread: int) -> int:
        """Draw a number that is at most ``spread`` from the mean."""
        return self.random.randint(mean - spread, mean + spread)
