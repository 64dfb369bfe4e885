"""What costs next to nothing: a model that loses to these has not earned its cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qlorakit.task import Output

if TYPE_CHECKING:
    from qlorakit.task import Row, Task


def majority(task: Task[str], train: Sequence[Row], rows: Sequence[Row]) -> list[Output[str]]:
    """Answer every row with the commonest label of the training rows (the first by name, where two tie)."""
    counts = Counter(task.reference(row) for row in train)
    label = min(counts, key=lambda name: (-counts[name], name))
    return [Output(label) for _ in rows]


def tfidf(task: Task[str], train: Sequence[Row], rows: Sequence[Row]) -> list[Output[str]]:
    """Fit TF-IDF of words and word pairs with logistic regression on the training rows and answer.

    The regularisation is chosen on the training rows by five-fold cross-validation of the log-likelihood.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline

    references = [task.reference(row) for row in train]
    smallest = min(Counter(references).values())
    pipeline: Any = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression(max_iter=1000)
    )
    if smallest >= 5:  # noqa: PLR2004  # below that, a fold would miss a class
        grid = {"logisticregression__C": [1.0, 10.0, 100.0]}
        pipeline = GridSearchCV(pipeline, grid, cv=5, scoring="neg_log_loss")
    else:
        pipeline.set_params(logisticregression__C=10.0)
    pipeline.fit([user_text(row, task) for row in train], references)
    probabilities = pipeline.predict_proba([user_text(row, task) for row in rows])
    classes = [str(name) for name in pipeline.classes_]
    return [
        Output(classes[int(line.argmax())], dict(zip(classes, map(float, line), strict=True))) for line in probabilities
    ]


def user_text(row: Row, task: Task[Any]) -> str:
    """What the user's messages of a row say, without the instruction."""
    return "\n".join(m.text for example in task.format(row) for m in example.messages if m.role == "user")
