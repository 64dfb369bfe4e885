"""What single-label figures on MTSamples are made of, and what is reached without leaks.

    python benchmarks/mtsamples.py
    python benchmarks/mtsamples.py --list
    python benchmarks/mtsamples.py --only facts by_text keywords_fused

No language model is needed.  Data are read from $QLORAKIT_DATA (default ../shared/data).  Each finding is kept in
``results/mtsamples.json`` as it comes, and is not computed again without ``--again``; the tables go to
``results/mtsamples.md``.  The lines of the tuned model and its base are those of ``python benchmarks/tasks.py medical
specialty``, put beside the others where ``results/medical.json`` has them.  Set ``OMP_NUM_THREADS=1`` where other
programs run.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import NearestNeighbors

import qlorakit as qk
from qlorakit import baselines
from qlorakit.audit_checks import expected_leak
from qlorakit.errors import DataError
from qlorakit.metrics import accuracy, macro_f1, mean_metric
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.statistics import Resampling
from qlorakit.task import Output
from qlorakit_medical.mtsamples import DOCUMENT_TYPES

if TYPE_CHECKING:
    import numpy.typing as npt

    from qlorakit.task import FloatArray, Metric

    Places = npt.NDArray[np.int64]
    Names = npt.NDArray[np.str_]

DATA = Path(os.environ.get("QLORAKIT_DATA", "../shared/data"))
FILE = "mtsamples/mtsamples.csv"
RESULTS = Path(__file__).parent / "results"
TEXT, LABEL, KEYWORDS = "transcription", "medical_specialty", "keywords"
SEED = 0
TEST_SHARE = 0.2
LARGE, MEDIUM = 100, 50  # rows of a class, from which it is kept where small ones are left out
FEW = 5  # classes
STRENGTH = 10.0  # inverse regularisation: the middle one of those that the core's baseline chooses from
SMOOTHING = 0.01  # of naive Bayes
COMPONENTS, NEIGHBOURS = 100, 5  # of SMOTE's space, and whom a row is mixed with
STRENGTH_THERE = 1000.0  # inverse regularisation in that space, whose features are small
JOB = "specialty"  # of benchmarks/tasks.py
LENGTH = 640  # tokens of a prompt there, at most
CUT = "longer than the context"  # in the note of a run whose prompts were cut

Row = dict[str, str]
Rows = Sequence[Row]
Result = dict[str, Any]


# What is measured of texts and labels


def ceiling(texts: Sequence[str], labels: Sequence[str]) -> float:
    """The best accuracy of any function from a text to one label, on exactly these rows.

    A function gives all rows of a text the same label, so that it is right on no more of them than have the commonest.
    The sum of these numbers over texts, divided by the number of rows, is reached by answering each text with its
    commonest label.

    Args:
        texts: Of each row, [rows].
        labels: Of each row, [rows].
    """
    of_text: dict[str, Counter[str]] = defaultdict(Counter)
    for text, label in zip(texts, labels, strict=True):
        of_text[text][label] += 1
    return sum(max(counts.values()) for counts in of_text.values()) / len(texts)


def leaked(train: Sequence[str], test: Sequence[str]) -> float:
    """The share of the test rows whose text is a training row's as well.

    Args:
        train: Texts of the training rows.
        test: Texts of the test rows.
    """
    known = set(train)
    return sum(text in known for text in test) / len(test)


def labels_by_text(rows: Rows) -> dict[str, set[str]]:
    """The labels of each text."""
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row[TEXT]].add(row[LABEL])
    return found


# Which rows are used


def all_rows(rows: Rows) -> Rows:
    """Every row."""
    return rows


def first_label(rows: Rows) -> Rows:
    """One row for each text: the first in the file."""
    return list({row[TEXT]: row for row in reversed(rows)}.values())[::-1]


def any_label(rows: Rows) -> Rows:
    """One row for each text: any of them."""
    order = np.random.default_rng(SEED).permutation(len(rows))
    return list({rows[place][TEXT]: rows[place] for place in order}.values())


def without_surgery(rows: Rows) -> Rows:
    """Rows of other labels than the commonest."""
    return [row for row in rows if row[LABEL] != "Surgery"]


def organs(rows: Rows) -> Rows:
    """Rows whose label is no kind of document."""
    return [row for row in rows if row[LABEL] not in DOCUMENT_TYPES]


def documents(rows: Rows) -> Rows:
    """Rows whose label is a kind of document."""
    return [row for row in rows if row[LABEL] in DOCUMENT_TYPES]


def at_least(rows: Rows, least: int) -> Rows:
    """Rows of labels that so many rows have."""
    counts = Counter(row[LABEL] for row in rows)
    return [row for row in rows if counts[row[LABEL]] >= least]


def large_classes(rows: Rows) -> Rows:
    """Rows of labels that 100 rows have."""
    return at_least(rows, LARGE)


def large_organs(rows: Rows) -> Rows:
    """Rows of labels that are no kind of document and that 50 rows have."""
    return at_least(organs(rows), MEDIUM)


def few_organs(rows: Rows) -> Rows:
    """Rows of the five commonest labels that are no kind of document."""
    kept = dict(Counter(row[LABEL] for row in organs(rows)).most_common(FEW))
    return [row for row in rows if row[LABEL] in kept]


def one_organ(rows: Rows) -> Rows:
    """Texts with one label besides kinds of documents, of labels that 50 of these have."""
    kept = organs(rows)
    several = labels_by_text(kept)
    return at_least([row for row in kept if len(several[row[TEXT]]) == 1], MEDIUM)


def first_large(rows: Rows) -> Rows:
    """The first row of each text, of labels that 50 of these have."""
    return at_least(first_label(rows), MEDIUM)


# Single labels


@dataclass(frozen=True)
class Setting:
    """One way to get an accuracy out of the file.

    Attributes:
        name: What it is called by.
        part: Of the page.
        said: In words.
        choose: Which rows are used.
        columns: What the model reads: one text after another in the same words, or, with ``fused``, each with words of
            its own.
        fused: See above.
        by_text: Whether rows of one text stay on one side of the split; at random row by row otherwise.
        oversampled: Whether rows of every class are repeated, before the split, until all have as many as the largest.
        smote: Whether rows are made up, before the split, until all classes have as many.
        struck: Whether labels that a text has in training are struck out before the answer.
    """

    name: str
    part: str
    said: str
    choose: Callable[[Rows], Rows] = all_rows
    columns: tuple[str, ...] = (TEXT,)
    fused: bool = False
    by_text: bool = False
    oversampled: bool = False
    smote: bool = False
    struck: bool = False


CLEAN, SUBSET = "Clean splits", "Subsets, split by text"
FAULT, MORE = "One fault at a time", "Faults together"
BOTH = (TEXT, KEYWORDS)
SETTINGS = (
    Setting("by_text", CLEAN, "all rows, split by text", by_text=True),
    Setting("row_split", FAULT, "all rows, split row by row"),
    Setting("row_split_struck", FAULT, "the same; labels that the text has in training are struck out", struck=True),
    Setting("keywords_appended", FAULT, "keywords appended to the text", columns=BOTH),
    Setting("keywords_fused", FAULT, "keywords as features beside the text's", columns=BOTH, fused=True),
    Setting("keywords_fused_by_text", FAULT, "the same, split by text", columns=BOTH, fused=True, by_text=True),
    Setting("keywords_alone", FAULT, "keywords alone, split by text: no report is read", columns=(KEYWORDS,),
            by_text=True),
    Setting("first_label", FAULT, "of each text, the first label in the file is kept", first_label),
    Setting("any_label", FAULT, "of each text, any of its labels is kept", any_label),
    Setting("oversampled", FAULT, "rows repeated before the split until all classes are as large", oversampled=True),
    Setting("smote", FAULT, "SMOTE before the split, on 100 components of TF-IDF", smote=True),
    Setting("large_classes", FAULT, "classes of 100 rows or more, split row by row", large_classes),
    Setting("large_classes_by_text", SUBSET, "classes of 100 rows or more", large_classes, by_text=True),
    Setting("no_surgery", SUBSET, "all classes but Surgery", without_surgery, by_text=True),
    Setting("large_organs", SUBSET, "no kinds of documents, classes of 50 rows or more", large_organs, by_text=True),
    Setting("one_organ", SUBSET, "texts of one organ specialty, classes of 50 or more", one_organ, by_text=True),
    Setting("few_organs", SUBSET, "the five commonest organ specialties", few_organs, by_text=True),
    Setting("first_large", MORE, "the first label of each text, classes of 50 texts or more", first_large),
    Setting("first_large_oversampled", MORE, "the same, repeated before the split", first_large, oversampled=True),
    Setting("first_large_keywords", MORE, "the first label, classes of 50 or more, keywords appended", first_large,
            columns=BOTH),
    Setting("large_organs_oversampled", MORE, "no kinds of documents, classes of 50 or more, repeated before the split",
            large_organs, oversampled=True),
)  # fmt: skip


@dataclass(frozen=True)
class Sides:
    """What is learned from and what is asked, as places of rows, repeated ones several times.

    Attributes:
        train: Places of the rows to train on.
        test: Places of the rows to test on.
    """

    train: Places
    test: Places

    @classmethod
    def at_random(cls, places: Places, rng: np.random.Generator) -> Sides:
        """A fifth of the places to test on, whatever texts they hold."""
        shuffled = rng.permutation(places)
        asked = round(TEST_SHARE * len(places))
        return cls(shuffled[asked:], shuffled[:asked])

    @classmethod
    def by_text(cls, texts: Sequence[str], rng: np.random.Generator) -> Sides:
        """A fifth of the distinct texts to test on, with all of their rows."""
        distinct = list(dict.fromkeys(texts))
        drawn = {distinct[place] for place in rng.permutation(len(distinct))[: round(TEST_SHARE * len(distinct))]}
        asked = np.array([text in drawn for text in texts])
        return cls(np.flatnonzero(~asked), np.flatnonzero(asked))


def repeated(labels: Names, rng: np.random.Generator) -> Places:
    """Places of all rows, and of rows drawn again until every class has as many as the largest."""
    largest = max(Counter(labels.tolist()).values())
    own = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    return np.concatenate([np.append(places, rng.choice(places, largest - len(places))) for places in own])


def features(setting: Setting, rows: Rows, train: Places) -> Any:  # noqa: ANN401  # scikit-learn is not typed
    """TF-IDF of all rows, [rows, words], with the vocabulary and frequencies of the training rows alone."""
    inputs = [[row[column] for row in rows] for column in setting.columns]
    if not setting.fused:
        inputs = [["\n".join(parts) for parts in zip(*inputs, strict=True)]]
    found = []
    for texts in inputs:
        vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2).fit([texts[place] for place in train])
        found.append(vectorizer.transform(texts))
    return sparse.hstack(found).tocsr()


def answers(classifier: Any, inputs: Any, known: Sequence[set[str]]) -> Names:  # noqa: ANN401  # likewise
    """The likeliest label of each input, [rows], but for those that are struck out for it."""
    scores = classifier.predict_log_proba(inputs)
    for line, labels in zip(scores, known, strict=True):
        line[np.isin(classifier.classes_, list(labels))] = -np.inf
    found: Names = classifier.classes_[scores.argmax(axis=1)]
    return found


def run_setting(setting: Setting, rows: Rows) -> Result:
    """Split, train both classifiers, and judge them."""
    rows, rng = setting.choose(rows), np.random.default_rng(SEED)
    texts, labels = [row[TEXT] for row in rows], np.array([row[LABEL] for row in rows])
    if setting.smote:
        return _run_smote(texts, labels, rng)
    places, sides = drawn(setting, rows, rng)
    train, weights = np.unique(sides.train, return_counts=True)  # a repeated row is one that counts as often
    asked, back = np.unique(sides.test, return_inverse=True)
    matrix = features(setting, rows, train)
    known = labels_by_text([rows[place] for place in train]) if setting.struck else {}
    struck = [known.get(texts[place], set()) for place in asked]
    said = {}
    for name, model in (
        ("bayes", MultinomialNB(alpha=SMOOTHING)),
        ("regression", LogisticRegression(C=STRENGTH, max_iter=1000)),
    ):
        fitted = model.fit(matrix[train], labels[train], sample_weight=weights)
        said[name] = answers(fitted, matrix[asked], struck)[back]
    return {
        **_about(setting, texts, labels, places, sides),
        "ceiling": ceiling_at(setting, rows, places),
        "test_ceiling": ceiling_at(setting, rows, sides.test),
        **scores(said, labels[sides.test], [texts[place] for place in sides.test]),
    }


def drawn(setting: Setting, rows: Rows, rng: np.random.Generator) -> tuple[Places, Sides]:
    """The places of all rows of a setting, repeated ones several times, and the sides they are split into."""
    labels = np.array([row[LABEL] for row in rows])
    places = repeated(labels, rng) if setting.oversampled else np.arange(len(rows))
    if setting.by_text:
        return places, Sides.by_text([row[TEXT] for row in rows], rng)
    return places, Sides.at_random(places, rng)


def ceiling_at(setting: Setting, rows: Rows, places: Places) -> float:
    """The ceiling of the rows at these places, for whoever reads the columns of the setting."""
    read = ["\n".join(rows[place][column] for column in setting.columns) for place in places]
    return round(ceiling(read, [rows[place][LABEL] for place in places]), 4)


def _about(setting: Setting, texts: Sequence[str], labels: Names, places: Places, sides: Sides) -> Result:
    return {
        "classes": len(set(labels.tolist())),
        "rows": len(places),
        "leaked": round(leaked([texts[place] for place in sides.train], [texts[place] for place in sides.test]), 4),
        "splits_by": "text" if setting.by_text else "row",
    }


def scores(said: Mapping[str, Names], labels: Names, texts: Sequence[str]) -> Result:
    """Accuracy of each classifier and macro-F1 of the regression, with intervals from resampled texts.

    Args:
        said: The answers of each classifier, [test rows].
        labels: The right ones, [test rows].
        texts: Those of the rows: rows of one text are drawn together.
    """
    found: Result = {}
    every = sorted({*labels.tolist(), *(label for names in said.values() for label in names.tolist())})
    for name, names in said.items():
        found[f"{name}_accuracy"] = estimate(accuracy(), names, labels, texts)
        if name == "regression":
            found[f"{name}_macro_f1"] = estimate(macro_f1(every), names, labels, texts)
    return found


def estimate(metric: Metric[Any], said: Names, labels: Names, texts: Sequence[str]) -> list[float]:
    """A metric with its interval at 95 %."""
    outputs: list[Output[Any]] = [Output(name) for name in said.tolist()]
    resampling = Resampling()
    found = resampling.apply(metric, outputs, labels.tolist(), [{}] * len(outputs), groups=_groups(texts))
    return [round(value, 4) for value in (found.value, *resampling.interval(found))]


def _groups(texts: Sequence[str]) -> Sequence[str] | None:
    """What is resampled; rows themselves where each has a text of its own."""
    return texts if len(set(texts)) < len(texts) else None


def synthetic(matrix: FloatArray, labels: Names, rng: np.random.Generator) -> tuple[FloatArray, Places]:
    """Rows that SMOTE makes up (Chawla et al., 2002): between a row and one of its nearest rows of the same class.

    Args:
        matrix: Features of the rows, [rows, components].
        labels: Of the rows, [rows].
        rng: Draws rows, neighbours, and how far between them.

    Returns:
        Features of as many made-up rows as there must be for every class to be as large as the largest, and the place
        of the row from which each was made.
    """
    largest = max(Counter(labels.tolist()).values())
    made, origins = [], []
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        near = NearestNeighbors(n_neighbors=min(NEIGHBOURS + 1, len(own))).fit(matrix[own])
        neighbours = near.kneighbors(matrix[own], return_distance=False)[:, 1:]  # the first one is the row itself
        base = rng.integers(len(own), size=largest - len(own))
        other = neighbours[base, rng.integers(neighbours.shape[1], size=len(base))]
        far = rng.random((len(base), 1))
        made.append(matrix[own[base]] + far * (matrix[own[other]] - matrix[own[base]]))
        origins.append(own[base])
    return np.concatenate(made), np.concatenate(origins)


def _run_smote(texts: Sequence[str], labels: Names, rng: np.random.Generator) -> Result:
    """With features from all rows, as the fault has it; naive Bayes takes no negative ones."""
    words = TfidfVectorizer(sublinear_tf=True, min_df=2).fit_transform(texts)
    matrix: FloatArray = TruncatedSVD(COMPONENTS, random_state=SEED).fit_transform(words)
    made, origins = synthetic(matrix, labels, rng)
    matrix, origin = np.concatenate([matrix, made]), np.append(np.arange(len(labels)), origins)
    sides = Sides.at_random(np.arange(len(origin)), rng)
    model = LogisticRegression(C=STRENGTH_THERE, max_iter=1000).fit(matrix[sides.train], labels[origin[sides.train]])
    said = {"regression": model.predict(matrix[sides.test])}
    train, test = ([texts[origin[place]] for place in side] for side in (sides.train, sides.test))
    return {
        "classes": len(set(labels.tolist())), "rows": len(origin), "leaked": round(leaked(train, test), 4),
        "splits_by": "row", "ceiling": None, "test_ceiling": None,
        **scores(said, labels[origin[sides.test]], test),
    }  # fmt: skip


# Facts and several labels


def facts(rows: Rows) -> Result:
    """Counts and shares of the file."""
    found = labels_by_text(rows)
    texts = list(found)
    groups = near_duplicate_groups(texts)
    own = np.unique(groups, return_counts=True)[1]
    numbers = np.unique([row[TEXT] for row in rows], return_inverse=True)[1]
    return {
        "rows": len(rows),
        "distinct texts": len(texts),
        "labels": len({row[LABEL] for row in rows}),
        "rows that repeat text and label of another": len(rows) - sum(map(len, found.values())),
        "texts under two or more labels": sum(len(labels) > 1 for labels in found.values()),
        "most labels of a text": max(map(len, found.values())),
        "texts that are near-duplicates of another": int(own[own > 1].sum()),
        "rows of Surgery that stand under another label as well": sum(
            row[LABEL] == "Surgery" and len(found[row[TEXT]]) > 1 for row in rows
        ),
        "rows of Surgery": sum(row[LABEL] == "Surgery" for row in rows),
        "rows under a kind of document": len(documents(rows)),
        "best accuracy of one label for each text": _ceiling_of(rows),
        "the same without Surgery": _ceiling_of(without_surgery(rows)),
        "the same without kinds of documents": _ceiling_of(organs(rows)),
        "the same of kinds of documents alone": _ceiling_of(documents(rows)),
        "share of test rows with their text in training, random 80/20 split (expected)": round(
            float(expected_leak(numbers.astype(np.int64), TEST_SHARE)), 4
        ),
        "share of rows whose keywords begin with their label": _share(
            row[KEYWORDS].casefold().startswith(row[LABEL].casefold()) for row in rows
        ),
    }


def _ceiling_of(rows: Rows) -> float:
    return round(ceiling([row[TEXT] for row in rows], [row[LABEL] for row in rows]), 4)


def _share(flags: Iterator[bool]) -> float:
    found = list(flags)
    return round(sum(found) / len(found), 4)


def several_labels(path: Path) -> Result:
    """The clean task: one row for each text, any number of labels, near-duplicates on one side.

    TF-IDF with logistic regression is the core's own, fitted and judged as ``evaluate`` does it.

    Args:
        path: The file of rows.
    """
    from qlorakit_medical.specialty import SPECIALTY as TASK  # one task among the constants here

    data = qk.split(qk.read_rows(path, task=TASK), task=TASK, seed=SEED)
    train, validation, test = (list(data[side]) for side in ("train", "validation", "test"))
    rule, references = TASK.decision, [TASK.reference(row) for row in test]
    assert rule is not None  # noqa: S101  # a task of several labels has one
    outputs = baselines.multilabel_tfidf(TASK, train, [*validation, *test])
    decision = rule.fit(outputs[: len(validation)], [TASK.reference(row) for row in validation])
    judged = [rule.apply(output, decision) for output in outputs[len(validation) :]]
    systems = {"tfidf": judged, "majority": baselines.majority(TASK, train, test)}
    named = {metric.name: metric for metric in TASK.metrics if not metric.needs_scores}
    measured = {
        system: {name: _measured(metric, said, references, test) for name, metric in named.items()}
        for system, said in systems.items()
    }
    likeliest = mean_metric("likeliest_label", likeliest_is_right)
    measured["tfidf"]["likeliest_label"] = _measured(likeliest, judged, references, test)
    return {
        "rows": {side: len(data[side]) for side in ("train", "validation", "test")},
        "labels among the test rows": len({label for labels in references for label in labels}),
        "systems": measured,
    }


def likeliest_is_right(output: Output[tuple[str, ...]], reference: tuple[str, ...]) -> bool:
    """Whether the label with the highest probability is one of the text's."""
    scores = output.scores or {}
    return bool(scores) and max(scores, key=scores.__getitem__) in reference


def _measured(
    metric: Metric[Any], outputs: Sequence[Output[Any]], references: Sequence[Any], rows: Rows
) -> list[float]:
    resampling = Resampling()
    found = resampling.apply(metric, outputs, references, rows)
    return [round(value, 4) for value in (found.value, *resampling.interval(found))]


# What is written


def tables(found: Mapping[str, Result], tuned: Result | None) -> str:
    """All findings as markdown."""
    lines = ["# MTSamples", "", "`python benchmarks/mtsamples.py`", ""]
    if "facts" in found:
        lines += ["## The file", "", *_facts_table(found["facts"]), ""]
    for part in (CLEAN, FAULT, MORE, SUBSET):
        there = [setting for setting in SETTINGS if setting.part == part and setting.name in found]
        if there:
            lines += [f"## {part}", "", *_settings_table(there, found), ""]
    if "several_labels" in found:
        lines += ["## Several labels, one row for each text", "", *_labels_table(found["several_labels"], tuned), ""]
        lines += [*_tuned_notes(tuned), ""] if tuned is not None else []
    return "\n".join(lines)


def _facts_table(found: Result) -> Iterator[str]:
    yield "| what | figure |"
    yield "|---|---|"
    for name, value in found.items():
        if name != "seconds":
            yield f"| {name} | {f'{value:,}' if isinstance(value, int) else f'{100 * value:.1f} %'} |"


def _settings_table(settings: Sequence[Setting], found: Mapping[str, Result]) -> Iterator[str]:
    yield (
        "| setting | name | classes | rows | test rows with their text in training | ceiling of all rows | "
        "ceiling of the test rows | naive Bayes, accuracy | logistic regression, accuracy | "
        "logistic regression, macro-F1 |"
    )
    yield f"|{'---|' * 10}"
    for setting in settings:
        result = found[setting.name]
        cells = (
            setting.said, f"`{setting.name}`", str(result["classes"]), f"{result['rows']:,}",
            f"{100 * result['leaked']:.1f} %",
            *("-" if result[name] is None else f"{result[name]:.3f}" for name in ("ceiling", "test_ceiling")),
            *(_said(result.get(name)) for name in ("bayes_accuracy", "regression_accuracy", "regression_macro_f1")),
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


MEASURES = {
    "multilabel_macro_f1": "macro-F1, 40 labels",
    "organ_macro_f1": "macro-F1, 28 organ specialties",
    "document_macro_f1": "macro-F1, 12 kinds of documents",
    "multilabel_micro_f1": "micro-F1",
    "exact_match": "all labels right",
    "likeliest_label": "likeliest label is one of the text's",
}


def _labels_table(found: Result, tuned: Result | None) -> Iterator[str]:
    yield f"| system | {' | '.join(MEASURES.values())} |"
    yield f"|---|{'---|' * len(MEASURES)}"
    systems = dict(found["systems"])
    if tuned is not None:
        if tuned["rows"] != found["rows"]:
            message = f"the run of {JOB} in medical.json has rows {tuned['rows']}, not {found['rows']}: run it again"
            raise DataError(message)
        systems = {**{name: tuned["systems"][name] for name in ("tuned", "base")}, **systems}
    for name, values in systems.items():
        yield f"| {name} | {' | '.join(_said(values.get(measure)) for measure in MEASURES)} |"


def _tuned_notes(tuned: Result) -> Iterator[str]:
    settings = tuned["settings"]
    yield (
        f"- `tuned` and `base` are those of `python benchmarks/tasks.py medical {JOB}`: {settings['model']}, rank "
        f"{settings['rank']}, learning rate {settings['learning_rate']:g}, epochs {settings['epochs']:g}, seed "
        f"{settings['seed']}. Its report says first: {tuned['headline']}"
    )
    cut = next((note for note in tuned["notes"] if CUT in note), f"no prompt was {CUT}")
    yield (
        f"- The model reads at most {LENGTH} tokens of a report with its question, and ranks the 40 labels. By the "
        f"run's own note, {cut}. TF-IDF reads whole reports."
    )


def _said(numbers: Sequence[float] | None) -> str:
    return "-" if numbers is None else "{:.3f} [{:.3f}, {:.3f}]".format(*numbers)


def keep(folder: Path, found: Mapping[str, Result]) -> None:
    """Write what has been found so far."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = {name: found[name] for name in names() if name in found}
    text = json.dumps(ordered, indent=1, ensure_ascii=False)
    (folder / "mtsamples.json").write_text(text + "\n", encoding="utf-8")
    (folder / "mtsamples.md").write_text(tables(ordered, tuned_result(folder)), encoding="utf-8")


def tuned_result(folder: Path) -> Result | None:
    """The run of the tuned model, if it is there."""
    path = folder / "medical.json"
    runs = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return next((run for run in runs if run["job"] == JOB), None)


def names() -> list[str]:
    """All findings, in order."""
    return ["facts", *(setting.name for setting in SETTINGS), "several_labels"]


def find(name: str, path: Path, rows: Rows) -> Result:
    """One finding, with the seconds it took."""
    began = time.monotonic()
    if name == "several_labels":
        found = several_labels(path)
    elif name == "facts":
        found = facts(rows)
    else:
        found = run_setting(next(setting for setting in SETTINGS if setting.name == name), rows)
    return {**found, "seconds": round(time.monotonic() - began)}


def read(path: Path) -> Rows:
    """The rows of the file that have a text, with what leads and trails taken off."""
    csv.field_size_limit(2**31 - 1)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{name: row[name].strip() for name in (TEXT, LABEL, KEYWORDS)} for row in csv.DictReader(file)]
    kept = [row for row in rows if row[TEXT]]
    if len(kept) < len(rows):
        print(f"{path}: left out {len(rows) - len(kept)} rows without a text")
    return kept


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="list the findings and stop")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names(), help="compute these alone")
    parser.add_argument("--again", action="store_true", help="compute findings that are there already once more")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the public data ($QLORAKIT_DATA)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the tables")
    return parser.parse_args()


def main() -> None:
    """Compute what is not there yet, one after the other."""
    asked = parse_arguments()
    if asked.list:
        print("\n".join(names()))
        return
    path = asked.data / FILE
    if not path.is_file():
        sys.exit(f"error: {path} is not there; set QLORAKIT_DATA or --data")
    kept, rows = asked.results / "mtsamples.json", read(path)
    found: dict[str, Result] = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    for name in asked.only or names():
        if name not in found or asked.again:
            found[name] = find(name, path, rows)
            print(f"{name}: {found[name]['seconds']} s", flush=True)
            keep(asked.results, found)
    keep(asked.results, found)
    print((asked.results / "mtsamples.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    try:
        main()
    except qk.QlorakitError as error:
        sys.exit(f"error: {error}")
