"""What runs of seconds are made of: a tiny random base, a task of three labels, and rows of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from qlorakit.kinds import single_label
from qlorakit.testing import small_model, small_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

    from qlorakit.task import Row, Task

MEANINGS = {"down": "fell", "flat": "was", "up": "rose"}


def write_base(folder: Path) -> Path:
    """Write the base model and its tokenizer into a folder."""
    tokenizer = small_tokenizer()
    tokenizer.save_pretrained(folder)
    small_model(len(tokenizer)).save_pretrained(folder)
    return folder


def direction_task() -> Task[Any]:
    """Three labels, each of which follows from one word of the text."""
    return single_label("small/direction", summary="Which way?", instruction="the direction", labels=tuple(MEANINGS))


def make_rows(count: int, *, seed: int = 0, most_words: int = 6) -> list[Row]:
    """Rows whose texts differ in length and content."""
    draw = random.Random(seed)  # noqa: S311  # nothing secret
    labels = [sorted(MEANINGS)[place % len(MEANINGS)] for place in range(count)]
    return [
        {"text": f"sales {MEANINGS[label]} " + " ".join(_words(draw, most_words)) + f" {seed}.{place}", "label": label}
        for place, label in enumerate(labels)
    ]


def _words(draw: random.Random, most: int) -> list[str]:
    return [draw.choice(("number", "word", "company", "profit", "loss")) for _ in range(draw.randint(1, most))]
