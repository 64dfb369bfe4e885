"""Metrics of entities, strict: one is right where its start, its end and its type all are (Tjong Kim Sang, 2003).

They equal seqeval's in strict mode wherever tags can say the same.  A ratio without denominator is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from qlorakit.task import ClassScores, Metric, Output, Row

if TYPE_CHECKING:
    from qlorakit.spans import Span, Spans
    from qlorakit.task import FloatArray

    SpanOutputs = Sequence[Output[Spans]]

GOLD, ANSWERED, RIGHT = range(3)  # the order of counts

# What became of the lines of a generated answer, as the names of scores.
LINES, MALFORMED, UNKNOWN_TYPE, UNALIGNED = "lines", "malformed_lines", "unknown_type_lines", "unaligned_lines"
DROPPED = MALFORMED, UNKNOWN_TYPE, UNALIGNED


def entity_f1(name: str = "entity_f1", *, keep: Callable[[Row, Span], bool] | None = None) -> Metric[Spans]:
    """Harmonic mean of precision and recall over the entities of all rows, or over some of them.

    Args:
        name: As it is reported; one of its own where entities are picked.
        keep: Whether an entity of a row counts, be it in the reference or in the answer.  All do unless given.
    """

    def counts(output: Output[Spans], reference: Spans, row: Row) -> Sequence[float]:
        if keep is None:
            return _counts(output, reference)
        answered = tuple(span for span in output.value or () if keep(row, span))
        return _counts(Output(answered), tuple(span for span in reference if keep(row, span)))

    return _additive(name, counts, lambda totals: _ratio(2 * totals[:, RIGHT], totals[:, GOLD] + totals[:, ANSWERED]))


def entity_precision() -> Metric[Spans]:
    """Share of the answered entities that are right."""
    return _additive("entity_precision", _row_counts, lambda totals: _ratio(totals[:, RIGHT], totals[:, ANSWERED]))


def entity_recall() -> Metric[Spans]:
    """Share of the reference's entities that were answered."""
    return _additive("entity_recall", _row_counts, lambda totals: _ratio(totals[:, RIGHT], totals[:, GOLD]))


def entity_macro_f1(types: Sequence[str]) -> Metric[Spans]:
    """Unweighted mean of the F1 of each type that occurs among the references or the answers.

    Args:
        types: Every type of the task.
    """

    def counts(output: Output[Spans], reference: Spans, row: Row) -> Sequence[float]:
        del row
        return [count for kind in types for count in _counts(output, reference, kind)]

    def from_counts(totals: FloatArray) -> FloatArray:
        gold, answered, right = (totals[:, place::3] for place in (GOLD, ANSWERED, RIGHT))
        occurs = (gold + answered > 0).sum(axis=1)
        return _ratio(_ratio(2 * right, gold + answered).sum(axis=1), occurs)

    return _additive("entity_macro_f1", counts, from_counts)


def dropped_lines() -> Metric[Spans]:
    """Share of the generated lines that became no entity: malformed, of an unknown type, or not in the text."""

    def counts(output: Output[Spans], reference: Spans, row: Row) -> Sequence[float]:
        del reference, row
        return sum(output.scores.get(name, 0.0) for name in DROPPED), output.scores.get(LINES, 0.0)

    return _additive(
        "dropped_lines", counts, lambda totals: _ratio(*totals.T), higher_is_better=False, needs_scores=True
    )


def entity_class_scores(
    outputs: SpanOutputs, references: Sequence[Spans], types: Sequence[str]
) -> tuple[ClassScores, ...]:
    """Precision, recall and F1 of every type of the task, in the order given."""
    return tuple(_class_scores(outputs, references, kind) for kind in types)


def _class_scores(outputs: SpanOutputs, references: Sequence[Spans], kind: str) -> ClassScores:
    import numpy as np

    pairs = zip(outputs, references, strict=True)
    gold, answered, right = np.sum([_counts(*pair, kind) for pair in pairs] or [(0, 0, 0)], axis=0).tolist()
    precision, recall, f1 = right / max(answered, 1), right / max(gold, 1), 2 * right / max(gold + answered, 1)
    return ClassScores(kind, precision, recall, f1, support=gold, predicted=answered)


def _counts(output: Output[Spans], reference: Spans, kind: str | None = None) -> tuple[int, int, int]:
    """How many entities of a type, or of all, are in the reference, in the answer, and in both."""
    gold, answered = (
        {span for span in spans if kind is None or span.type == kind} for spans in (reference, output.value or ())
    )
    return len(gold), len(answered), len(gold & answered)


def _row_counts(output: Output[Spans], reference: Spans, row: Row) -> Sequence[float]:
    del row
    return _counts(output, reference)


def _additive(
    name: str,
    counts: Callable[[Output[Spans], Spans, Row], Sequence[float]],
    from_counts: Callable[[FloatArray], FloatArray],
    *,
    higher_is_better: bool = True,
    needs_scores: bool = False,
) -> Metric[Spans]:
    """A metric that is computed from its totals."""

    def compute(outputs: SpanOutputs, references: Sequence[Spans], rows: Sequence[Row]) -> float:
        import numpy as np

        of_rows = [counts(*row) for row in zip(outputs, references, rows, strict=True)]
        return float(from_counts(np.sum(of_rows, axis=0, keepdims=True))[0])

    return Metric(name, compute, higher_is_better, needs_scores, counts, from_counts)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """One by the other, which is a whole number; 0 where that is 0, and the numerator with it."""
    import numpy as np

    quotient: FloatArray = numerator / np.maximum(denominator, 1)
    return quotient
