"""What answers questions about documents without a language model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qlorakit.document_metrics import Finding, Reading
from qlorakit.sentences import pieces_of, sentences_of, tells, within
from qlorakit.task import Output

if TYPE_CHECKING:
    from qlorakit.sentences import Stretch
    from qlorakit.task import Row, Task

WORDS = 150  # of the pieces in which a document is read
STRENGTH = 10.0  # inverse regularisation of the logistic regressions


def majority_answers(
    task: Task[Reading], train: Sequence[Row], rows: Sequence[Row], *, absent: str
) -> list[Output[Reading]]:
    """Answer each question as most training documents do, without evidence.

    Args:
        task: The task.
        train: Labelled documents.
        rows: To be answered, labelled or not.
        absent: The answer to a question of which nothing is known.
    """
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in train:
        counts.update(
            {one.question: counts[one.question] + Counter([one.answer]) for one in task.reference(row).findings}
        )
    commonest = {name: min(of, key=lambda answer: (-of[answer], answer)) for name, of in counts.items()}
    return [
        Output(Reading(tuple(Finding(name, commonest.get(name, absent)) for name in _asked(task, row)))) for row in rows
    ]


def stretch_tfidf(
    task: Task[Reading], train: Sequence[Row], rows: Sequence[Row], *, something: Sequence[str], absent: str, text: str
) -> list[Output[Reading]]:
    """Classify pieces of documents with TF-IDF of words and word pairs and logistic regression, question by question.

    It learns from pieces of the training documents as the model does: evidence says which piece an answer is in.  As
    evidence it gives the sentence of a piece to which it gives the highest probability.

    Args:
        task: The task.
        train: Labelled documents.
        rows: To be answered.
        something: The answers that there is something.
        absent: The answer that there is nothing.
        text: The column with the document.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    learned, labels = _lessons(task, train, absent, text)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2 if len(learned) > 100 else 1)  # noqa: PLR2004  # too few to leave any out
    features = vectorizer.fit_transform(learned)
    models = {name: _Classifier(features, known, absent) for name, known in labels.items()}
    return [_read(row, task, models, vectorizer, something, absent, text) for row in rows]


def _asked(task: Task[Reading], row: Row) -> list[str]:
    return list(dict.fromkeys(str(example.key) for example in task.format(row)))


def _lessons(
    task: Task[Reading], train: Sequence[Row], absent: str, text: str
) -> tuple[list[str], Mapping[str, Mapping[int, str]]]:
    """Pieces of the training documents, and for each question the answers to those of which it is known."""
    learned: list[str] = []
    labels: dict[str, dict[int, str]] = defaultdict(dict)
    for row in train:
        pieces = pieces_of(row[text], WORDS)
        for finding in task.reference(row).findings:
            for place, piece in enumerate(pieces, start=len(learned)):
                answer = answer_in(piece, finding, absent, alone=len(pieces) == 1)
                if answer is not None:
                    labels[finding.question][place] = answer
        learned.extend(row[text][start:end] for start, end in pieces)
    return learned, labels


def answer_in(piece: Stretch, finding: Finding, absent: str, *, alone: bool) -> str | None:
    """The answer that a piece of a document gives; ``None`` where nothing tells which piece it is in.

    Args:
        piece: Of the document.
        finding: About all of it.
        absent: The answer that there is nothing.
        alone: Whether the piece is the whole document.
    """
    if finding.answer == absent or not finding.evidence:
        return finding.answer if finding.answer == absent or alone else None
    return finding.answer if tells(piece, finding.evidence) else absent


class _Classifier:
    """Probabilities of the answers to one question."""

    def __init__(self, features: Any, known: Mapping[int, str], absent: str) -> None:  # noqa: ANN401  # scikit-learn is not typed
        from sklearn.linear_model import LogisticRegression

        self.absent, self.constant = absent, next(iter(known.values()))
        self.model: Any = None
        if len(set(known.values())) > 1:
            self.model = LogisticRegression(C=STRENGTH, solver="newton-cg", max_iter=200)
            self.model.fit(features[list(known)], list(known.values()))

    def probabilities(self, features: Any) -> list[dict[str, float]]:  # noqa: ANN401  # likewise
        """Of each answer, for each piece."""
        if self.model is None:
            return [{self.constant: 1.0}] * features.shape[0]
        names = [str(name) for name in self.model.classes_]
        return [dict(zip(names, map(float, line), strict=True)) for line in self.model.predict_proba(features)]


def _read(
    row: Row,
    task: Task[Reading],
    models: Mapping[str, _Classifier],
    vectorizer: Any,  # noqa: ANN401  # likewise
    something: Sequence[str],
    absent: str,
    text: str,
) -> Output[Reading]:
    document = row[text]
    pieces, sentences = pieces_of(document, WORDS), sentences_of(document)
    of_pieces = vectorizer.transform([document[start:end] for start, end in pieces])
    of_sentences = vectorizer.transform([document[start:end] for start, end in sentences])
    names = _asked(task, row)
    scores: dict[str, float] = dict.fromkeys(task.decision.default, 0.0) if task.decision else {}
    relevance, passages = [], []
    for name in names:
        if name not in models:
            scores[name] = 0.0
            relevance.append((0.0,) * len(pieces))
            passages.append(tuple((piece,) for piece in pieces))
            continue
        shares = models[name].probabilities(of_pieces)
        told = [1 - one.get(absent, 0.0) for one in models[name].probabilities(of_sentences)]
        found = tuple(1 - one.get(absent, 0.0) for one in shares)
        scores[name] = max(found)
        for answer in something if len(something) > 1 else ():
            scores[f"{name}: {answer}"] = max(one.get(answer, 0.0) for one in shares)
        relevance.append(found)
        passages.append(tuple((_best(piece, sentences, told),) for piece in pieces))
    reading = Reading(tuple(Finding(name, absent) for name in names), tuple(pieces), tuple(relevance), tuple(passages))
    return Output(reading, scores)


def _best(piece: Stretch, sentences: Sequence[Stretch], probabilities: Sequence[float]) -> Stretch:
    """The likeliest sentence of a piece."""
    inside = within(sentences, piece)
    return sentences[max(range(inside.start, inside.stop), key=lambda place: probabilities[place])]
