"""What costs next to nothing: a model that loses to these has not earned its cost."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qlorakit.task import Output

if TYPE_CHECKING:
    from qlorakit.task import Row, Task


FOLDS = 5
STRENGTHS = (1.0, 10.0, 100.0)  # inverse regularisation
WORD = r"(?u)\b\w\w+\b"  # scikit-learn's own idea of a word


def majority(task: Task[Any], train: Sequence[Row], rows: Sequence[Row]) -> list[Output[Any]]:
    """Answer every row with the commonest reference of the training rows (the first by name, where two tie)."""
    counts = Counter(task.reference(row) for row in train)
    commonest = min(counts, key=lambda value: (-counts[value], str(value)))
    return [Output(commonest) for _ in rows]


def tfidf(task: Task[str], train: Sequence[Row], rows: Sequence[Row]) -> list[Output[str]]:
    """Fit TF-IDF of words and word pairs with logistic regression on the training rows and answer.

    The regularisation is chosen on the training rows by five-fold cross-validation of the log-likelihood.
    """
    references = [task.reference(row) for row in train]
    words = _Words.of(task, train, rows)
    if len(set(references)) == 1 or words is None:
        return majority(task, train, rows)  # nothing to tell apart, or nothing to tell it by
    return logistic_regression(words.train, references, words.rows)


def logistic_regression(
    train: Any,  # noqa: ANN401  # scikit-learn is not typed
    references: Sequence[str],
    rows: Any,  # noqa: ANN401  # likewise
    *,
    strengths: Sequence[float] = STRENGTHS,
) -> list[Output[str]]:
    """Fit logistic regression and answer with the likeliest label and the probability of each.

    The inverse regularisation is chosen by five-fold cross-validation of the log-likelihood, where every label has five
    training rows.

    Args:
        train: Features of the training rows, [training rows, features].
        references: Their labels, of which there are two at least.
        rows: Features of the rows to be answered, [rows, features].
        strengths: To choose from; the middle one where there are too few rows to choose.
    """
    classifier = _fit(train, references, strengths)
    classes = [str(name) for name in classifier.classes_]
    return [
        Output(classes[int(line.argmax())], dict(zip(classes, map(float, line), strict=True)))
        for line in classifier.predict_proba(rows)
    ]


def multilabel_tfidf(
    task: Task[tuple[str, ...]], train: Sequence[Row], rows: Sequence[Row]
) -> list[Output[tuple[str, ...]]]:
    """Fit one logistic regression per label on TF-IDF of words and word pairs, as :func:`tfidf`.

    A label that all training rows have, or none, has that share as its probability.
    """
    labels, references = task.labels or (), [task.reference(row) for row in train]
    words = _Words.of(task, train, rows)
    columns = [_label_probabilities([label in right for right in references], words, len(rows)) for label in labels]
    rule = task.decision
    outputs: list[Output[tuple[str, ...]]] = [
        Output((), dict(zip(labels, line, strict=True))) for line in zip(*columns, strict=True)
    ]
    return [rule.apply(output, rule.default) if rule else output for output in outputs]


def _label_probabilities(truth: Sequence[bool], words: _Words | None, rows: int) -> list[float]:
    share = sum(truth) / len(truth)
    if words is None or share in {0.0, 1.0}:
        return [share] * rows
    return [float(value) for value in _fit(words.train, truth).predict_proba(words.rows)[:, 1]]


def lead(task: Task[Any], train: Sequence[Row], rows: Sequence[Row]) -> list[Output[str]]:
    """Answer with the beginning of the text, as many words as the training rows' references have in the median."""
    lengths = sorted(len(task.reference(row)[0].split()) for row in train)
    words = lengths[len(lengths) // 2]
    return [Output(" ".join(user_text(row, task).split()[:words])) for row in rows]


@dataclass(frozen=True)
class _Words:
    """TF-IDF features of training rows and of rows to be answered, [rows, words]."""

    train: Any
    rows: Any

    @classmethod
    def of(cls, task: Task[Any], train: Sequence[Row], rows: Sequence[Row]) -> _Words | None:
        """Fit the vocabulary on the training rows; ``None`` where they hold no words."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        texts = [user_text(row, task) for row in train]
        if not any(re.search(WORD, text) for text in texts):
            return None
        vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=WORD)
        return cls(vectorizer.fit_transform(texts), vectorizer.transform([user_text(row, task) for row in rows]))


def _fit(features: Any, references: Sequence[Any], strengths: Sequence[float] = STRENGTHS) -> Any:  # noqa: ANN401  # scikit-learn is not typed
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV

    middle = strengths[len(strengths) // 2]
    classifier: Any = LogisticRegression(C=middle, solver="newton-cg", max_iter=1000)  # many times faster than lbfgs
    if min(Counter(references).values()) >= FOLDS:  # below that, a fold would miss a class
        classifier = GridSearchCV(classifier, {"C": list(strengths)}, cv=FOLDS, scoring="neg_log_loss")
    return classifier.fit(features, references)


def user_text(row: Row, task: Task[Any]) -> str:
    """What the user's messages of a row say, without the instruction; of several questions, what they share."""
    texts = ["\n".join(m.text for m in example.messages if m.role == "user") for example in task.format(row)]
    first, last = min(texts), max(texts)
    alike = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return first[: sum(1 for _ in alike)]
