"""What costs next to nothing: a model that loses to these has not earned its cost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qlorakit.task import Output

if TYPE_CHECKING:
    from qlorakit.task import Row, Task


FOLDS = 5
WORD = r"(?u)\b\w\w+\b"  # scikit-learn's own idea of a word


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

    references = [task.reference(row) for row in train]
    texts = [user_text(row, task) for row in train]
    if len(set(references)) == 1 or not any(re.search(WORD, text) for text in texts):
        return majority(task, train, rows)  # nothing to tell apart, or nothing to tell it by
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD)
    features = vectorizer.fit_transform(texts)
    classifier: Any = LogisticRegression(C=10.0, solver="newton-cg", max_iter=1000)  # many times faster than lbfgs here
    if min(Counter(references).values()) >= FOLDS:  # below that, a fold would miss a class
        classifier = GridSearchCV(classifier, {"C": [1.0, 10.0, 100.0]}, cv=FOLDS, scoring="neg_log_loss")
    classifier.fit(features, references)
    probabilities = classifier.predict_proba(vectorizer.transform([user_text(row, task) for row in rows]))
    classes = [str(name) for name in classifier.classes_]
    return [
        Output(classes[int(line.argmax())], dict(zip(classes, map(float, line), strict=True))) for line in probabilities
    ]


def user_text(row: Row, task: Task[Any]) -> str:
    """What the user's messages of a row say, without the instruction."""
    return "\n".join(m.text for example in task.format(row) for m in example.messages if m.role == "user")
