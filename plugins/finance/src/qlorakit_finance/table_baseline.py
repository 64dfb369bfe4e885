"""Logistic regression on the cells of a table: what a model that reads them as text must beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qlorakit import baselines
from qlorakit_finance.table_rows import cell_number, cell_text

if TYPE_CHECKING:
    from qlorakit.task import Output, Row, Task

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # inverse regularisation
Cells = Mapping[str, object]


def from_columns(
    cells: Callable[[Row], Cells | None], task: Task[str], train: Sequence[Row], rows: Sequence[Row]
) -> list[Output[str]]:
    """Fit logistic regression on the cells of the training rows and answer.

    Numbers are standardised, also those that a file holds as text; any other cell is a category, and so is an empty
    one.  The regularisation is chosen on the training rows by five-fold cross-validation of the log-likelihood.  Rows
    with a text instead of cells are answered by :func:`qlorakit.baselines.tfidf`, and so are all where the training
    rows with cells do not have two labels.

    Args:
        cells: The cells that are read of a row; ``None`` where it has a text.
        task: What the rows are asked.
        train: Rows with labels.
        rows: To be answered.

    Returns:
        An answer for each row, with the probability of each label.
    """
    known = [(found, task.reference(row)) for row in train if (found := cells(row)) is not None]
    asked = [cells(row) for row in rows]
    tables = [found for found in asked if found is not None]
    if len({reference for _, reference in known}) == 1 or not known or not tables:
        return baselines.tfidf(task, train, rows)
    texts = [row for row, found in zip(rows, asked, strict=True) if found is None]
    from_tables = iter(_answers(known, tables))
    from_texts = iter(baselines.tfidf(task, train, texts) if texts else ())
    return [next(from_texts if found is None else from_tables) for found in asked]


def _answers(known: Sequence[tuple[Cells, str]], asked: Sequence[Cells]) -> list[Output[str]]:
    from sklearn.feature_extraction import DictVectorizer

    scales = _Scales.of([cells for cells, _ in known])
    vectorizer = DictVectorizer()
    features = vectorizer.fit_transform([scales.features(cells) for cells, _ in known])
    asked_features = vectorizer.transform(map(scales.features, asked))
    references = [reference for _, reference in known]
    return baselines.logistic_regression(features, references, asked_features, strengths=STRENGTHS)


@dataclass(frozen=True)
class _Scales:
    """Mean and standard deviation of the numbers of each column."""

    of_column: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, table: Sequence[Cells]) -> _Scales:
        import numpy as np

        numbers: dict[str, list[float]] = {}
        for cells in table:
            for name, value in cells.items():
                if (number := cell_number(value, name)) is not None:
                    numbers.setdefault(name, []).append(number)
        return cls({name: (float(np.mean(found)), float(np.std(found)) or 1.0) for name, found in numbers.items()})

    def features(self, cells: Cells) -> dict[str, float | str]:
        """Standardised numbers, and texts, which become categories."""
        return {name: self._feature(name, value) for name, value in cells.items()}

    def _feature(self, name: str, value: object) -> float | str:
        number = cell_number(value, name)
        if number is None or name not in self.of_column:
            return cell_text(value, name)
        mean, deviation = self.of_column[name]
        return (number - mean) / deviation
