"""Public files as they are published, where they are there."""

import numpy as np
import pytest
from helpers import DATA
from sklearn.feature_extraction.text import CountVectorizer

from qlorakit import read_rows, split
from qlorakit.kinds import entities, single_label
from qlorakit.near_duplicates import normalise
from qlorakit.task import Column


def needed(path):
    if not (DATA / path).exists():
        pytest.skip(f"{DATA / path} is not there; set QLORAKIT_DATA to the folder that holds {path.split('/')[0]}")
    return DATA / path


def labels_of(path, column):
    import pandas as pd

    return tuple(sorted(set(pd.read_csv(path)[column].str.strip())))


@pytest.fixture(scope="module")
def reports():
    path = needed("mtsamples/mtsamples.csv")
    task = single_label(
        "toy/specialty", summary="", instruction="Which specialty?", labels=labels_of(path, "medical_specialty"),
        text=Column("transcription"), label=Column("medical_specialty", label=True),
    )  # fmt: skip
    return task, read_rows(path, task=task, bad_rows="skip")


def similarity(texts, others):
    # Jaccard similarity of the sets of three words, of each text with each other one: by brute force.
    counter = CountVectorizer(ngram_range=(3, 3), binary=True, token_pattern=r"\S+", lowercase=False)
    sets = counter.fit_transform(map(normalise, [*texts, *others]))
    ours, theirs = sets[: len(texts)], sets[len(texts) :]
    common = (ours @ theirs.T).toarray()
    return common / (ours.sum(axis=1) + theirs.sum(axis=1).T - common)


@pytest.mark.timeout(300)
def test_a_split_of_reports_shares_no_text_and_no_near_duplicate(reports):
    task, rows = reports
    data = split(rows, task=task, seed=0)
    train, test = ([*dict.fromkeys(data[side]["transcription"])] for side in ("train", "test"))
    assert len(train) > 1000
    assert len(test) > 300
    assert not {normalise(text) for text in train} & {normalise(text) for text in test}
    worst = max(float(np.max(similarity(test[start : start + 100], train))) for start in range(0, len(test), 100))
    assert 0.4 < worst < 0.8


def test_a_split_of_reports_by_chance_would_share_most_texts(reports):
    _, rows = reports
    places = np.random.default_rng(0).permutation(len(rows))
    texts = np.array(rows["transcription"], dtype=object)[places]
    fifth = len(rows) // 5
    assert np.mean([text in set(texts[fifth:]) for text in texts[:fifth]]) == pytest.approx(0.81, abs=0.03)


def test_headlines_separated_by_tabs_are_read_from_a_csv_file(caplog):
    task = single_label(
        "toy/headlines", summary="", instruction="", labels=("positive", "negative", "neutral", "none"),
        text=Column("News"), label=Column("Price Sentiment", label=True),
    )  # fmt: skip
    rows = read_rows(needed("gold_headlines/gold-dataset-sinha-khandait.csv"), task=task, bad_rows="skip")
    assert len(rows) > 10_500
    assert r"'\t' separates its cells" in caplog.text


def test_chemicals_and_diseases_are_read_as_conll_though_the_file_is_called_tsv():
    task = entities("toy/bc5", summary="", instruction="", types=("Chemical", "Disease"), scheme="BIO")
    rows = read_rows(needed("bc5cdr/train.tsv"), task=task, file_format="conll")
    assert len(rows) > 4_500
    assert sum(len(task.reference(row)) for row in rows.select(range(200))) > 200


def test_exam_questions_called_json_are_read_as_lines_of_json(caplog):
    task = single_label(
        "toy/exam", summary="", instruction="", labels=tuple("ABCD"), text=Column("question"),
        label=Column("cop", label=True),
    )  # fmt: skip
    rows = read_rows(needed("medmcqa/dev.json"), task=task, label_names=dict(enumerate("ABCD", start=1)))
    assert len(rows) == 4183
    assert {row["cop"] for row in rows} == set("ABCD")
    assert "there is a JSON object in each line" in caplog.text
