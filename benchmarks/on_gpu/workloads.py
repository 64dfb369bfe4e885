"""What is trained on and scored: made-up rows with the lengths of real ones, so that no data need travel.

A prompt is what all rows begin with, what the questions of a row begin with, and a question::

    stem  document  question  ->  answer
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from random_tokens import EOS, Draw

from qlorakit.prefix_tree import Continuation

if TYPE_CHECKING:
    from collections.abc import Iterator

# A tiny run makes long things shorter by this.
SHORTENED = 8


@dataclass(frozen=True)
class Example:
    """A prompt and its answers as token ids, the right one first; each ends with the end of the turn."""

    prompt: tuple[int, ...]
    answers: tuple[tuple[int, ...], ...]

    @property
    def continuations(self) -> tuple[Continuation, ...]:
        """One for each answer."""
        return tuple(Continuation(self.prompt, answer) for answer in self.answers)


@dataclass(frozen=True)
class Workload:
    """Rows of one optimizer step, or of one pass of scoring.  Lengths are in tokens.

    Attributes:
        name: As it is asked for on the command line.
        summary: One line for tables.
        rows: How many.
        stem: Length of what all rows begin with.
        document: Length of what a row's questions begin with.
        questions: Of a row.
        question: Mean length of a question.
        spread: Most that one differs from it.
        choices: How many answers there are, the same for all rows.
        answer: Length of an answer.
        scoring: Whether the choices are scored; otherwise an adapter is trained on the right answer.
    """

    name: str
    summary: str
    rows: int
    stem: int
    document: int
    questions: int
    question: int
    spread: int
    choices: int
    answer: int
    scoring: bool = False

    def examples(self, vocabulary: int, seed: int) -> list[list[Example]]:
        """The examples of each row."""
        draw = Draw(vocabulary, seed)
        choices = [(*draw.tokens(self.answer - 1), EOS) for _ in range(self.choices)]
        stem = draw.tokens(self.stem)
        return [list(self._row(stem, choices, draw)) for _ in range(self.rows)]

    def shortened(self) -> Workload:
        """The same in small."""
        return replace(
            self,
            rows=-(-self.rows // SHORTENED),
            stem=self.stem // SHORTENED,
            document=self.document // SHORTENED,
            questions=min(self.questions, 4),
        )

    def _row(self, stem: tuple[int, ...], choices: list[tuple[int, ...]], draw: Draw) -> Iterator[Example]:
        document = stem + draw.tokens(self.document)
        for _ in range(self.questions):
            question = draw.tokens(draw.around(self.question, self.spread))
            draw.random.shuffle(choices)
            yield Example(document + question, tuple(choices))


# In order: rows, stem, document, questions, question, spread, choices, answer.
SENTENCE = (65, 0, 1, 48, 24, 3, 3)
WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("phrasebank", "Training: 16 sentences a step", 16, *SENTENCE),
        Workload("phrasebank_128", "Training: 128 sentences a step", 128, *SENTENCE),
        Workload(
            "contract_nli", "Training: 17 questions on 900 tokens, one document a step", 1, 34, 900, 17, 24, 8, 3, 3
        ),
        Workload("mtsamples", "Training: 40 questions on 600 tokens, one report a step", 1, 30, 600, 40, 8, 2, 2, 2),
        Workload("unshared", "Training: 16 rows that share nothing a step", 16, 0, 0, 1, 113, 24, 3, 3),
        Workload("score_phrasebank", "Scoring: 3 choices after each of 64 sentences", 64, *SENTENCE, scoring=True),
        Workload(
            "score_mtsamples",
            "Scoring: 40 choices after each of 16 reports of 600 tokens",
            *(16, 17, 600, 1, 10, 0, 40, 4),
            scoring=True,
        ),
    )
}
