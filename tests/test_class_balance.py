from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

import qlorakit as qk
from qlorakit.class_balance import Balance, balance
from qlorakit.encoding import Encoder
from qlorakit.errors import ConfigurationError, DataError, TrainingError
from qlorakit.objectives import lessons_of
from qlorakit.sampling import StepRows


@pytest.fixture
def lopsided(rows):
    # Six rows of one label, two of another, one of the third.
    by_label = {label: [row for row in rows if row["label"] == label] for label in ("up", "down", "flat")}
    return by_label["up"] + by_label["down"][:2] + by_label["flat"][:1]


def test_nothing_is_balanced_unless_asked(lopsided, task):
    assert balance(lopsided, task, "none", seed=0) == Balance()


def test_weights_are_those_of_scikit_learn(lopsided, task):
    labels = [row["label"] for row in lopsided]
    names = np.unique(labels)
    expected = dict(zip(names, compute_class_weight("balanced", classes=names, y=labels), strict=True))
    assert balance(lopsided, task, "weights", seed=0).weights == pytest.approx(expected)


def test_every_class_comes_as_often_as_the_largest(lopsided, task):
    found = balance(lopsided, task, "oversample", seed=0)
    labels = [lopsided[place]["label"] for place in [*range(len(lopsided)), *found.repeated]]
    assert Counter(labels) == {"up": 6, "down": 6, "flat": 6}


def test_no_row_is_repeated_more_than_once_oftener_than_another_of_its_class(rows, task):
    some = [row for row in rows if row["label"] == "up"] + [row for row in rows if row["label"] == "down"][:4]
    times = Counter(balance(some, task, "oversample", seed=0).repeated)
    assert set(times.values()) == {1}
    assert len(times) == 2


def test_which_rows_are_repeated_follows_from_the_seed(rows, task):
    some = [row for row in rows if row["label"] == "up"] + [row for row in rows if row["label"] == "down"][:4]
    drawn = {balance(some, task, "oversample", seed=seed).repeated for seed in (0, 0, 1, 2, 3)}
    assert len(drawn) > 1
    assert balance(some, task, "oversample", seed=0) == balance(some, task, "oversample", seed=0)


def test_the_weight_of_a_class_multiplies_the_loss_of_its_rows(adapted, lopsided, task):
    _, tokenizer = adapted
    weights = balance(lopsided, task, "weights", seed=0).weights
    encoder = Encoder(tokenizer, max_length=128)
    for loss_weight in ("token", "row"):
        plain, weighted = (
            lessons_of(
                list(encoder.encode_rows(lopsided, task, class_weights=given)),
                objective="language_model",
                loss_weight=loss_weight,
            ).lessons
            for given in (None, weights)
        )
        for row, before, after in zip(lopsided, plain, weighted, strict=True):
            assert after.weight == pytest.approx(before.weight * weights[row["label"]])


def test_repeated_rows_come_once_more_in_every_epoch():
    steps = StepRows(5, 2, seed=0, repeated=[3, 3, 1])
    assert len(steps) == 4
    for epoch in range(3):
        steps.set_epoch(epoch)
        assert Counter(place for step in steps for place in step) == {0: 1, 1: 2, 2: 1, 3: 3, 4: 1}


def test_repeated_rows_of_a_document_come_next_to_it():
    steps = StepRows(4, 3, seed=0, documents=[0, 0, 1, 1], repeated=[0, 2])
    for epoch in range(3):
        steps.set_epoch(epoch)
        assert {frozenset(step) for step in steps} == {frozenset({0, 1}), frozenset({2, 3})}


def run(adapted, rows, task, folder, **settings):
    model, tokenizer = adapted
    return qk.train(model, tokenizer, rows, task=task, output_dir=folder, num_train_epochs=1, batch_size=4,
                    progress=False, **settings)  # fmt: skip


def test_training_takes_more_steps_where_rows_are_repeated(adapted, lopsided, task, tmp_path):
    assert run(adapted, lopsided, task, tmp_path / "run", class_balance="oversample").steps == 5  # of 18 rows, not 9


def test_only_training_rows_are_weighted(adapted, lopsided, task, tmp_path):
    losses = {}
    for kind in ("none", "weights"):
        found = run(adapted, lopsided, task, tmp_path / kind, class_balance=kind, eval_dataset=lopsided,
                    learning_rate=1e-12, logging_steps=1)  # fmt: skip
        losses[kind] = [[record[name] for record in found.history if name in record] for name in ("loss", "eval_loss")]
    assert losses["weights"][0] != pytest.approx(losses["none"][0], rel=1e-3)
    assert losses["weights"][1] == pytest.approx(losses["none"][1], rel=1e-6)


def test_a_resumed_run_must_balance_as_before(adapted, lopsided, task, tmp_path):
    run(adapted, lopsided, task, tmp_path / "run", class_balance="weights")
    checkpoint = next((tmp_path / "run" / "checkpoints").iterdir())
    with pytest.raises(TrainingError, match="class_balance"):
        run(adapted, lopsided, task, tmp_path / "run", resume_from_checkpoint=checkpoint, overwrite=True)


@pytest.mark.parametrize("wrong", ["balanced", None, True])
def test_a_balance_that_is_not_known_is_refused(adapted, lopsided, task, tmp_path, wrong):
    with pytest.raises(ConfigurationError, match=r"class_balance=.* is not one of 'none', 'weights', 'oversample'"):
        run(adapted, lopsided, task, tmp_path / "run", class_balance=wrong)


def test_a_task_without_classes_cannot_be_balanced(adapted, lopsided, task, tmp_path):
    with pytest.raises(ConfigurationError, match="has not one label for each row"):
        run(adapted, lopsided, replace(task, single=False), tmp_path / "run", class_balance="weights")


# What training finds at a glance


def test_rows_with_one_label_alone_are_refused(adapted, rows, task, tmp_path):
    same = [row for row in rows if row["label"] == "up"]
    with pytest.raises(DataError, match=r'train_dataset: .*fatal_findings="warn" trains all the same'):
        run(adapted, same, task, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_rows_with_one_label_are_trained_on_if_told_so(adapted, rows, task, tmp_path, caplog):
    same = [row for row in rows if row["label"] == "up"]
    assert run(adapted, same, task, tmp_path / "run", fatal_findings="warn").steps == 2
    assert "train_dataset: " in caplog.text


def test_warnings_about_the_data_are_logged(adapted, rows, task, tmp_path, caplog):
    assert run(adapted, [*rows, *rows], task, tmp_path / "run").steps == 9
    assert any("train_dataset: 18 rows repeat the text of an earlier one" in message for message in caplog.messages)


def test_what_to_do_about_findings_is_one_of_two(adapted, rows, task, tmp_path):
    with pytest.raises(ConfigurationError, match="fatal_findings='ignore' is not one of 'refuse', 'warn'"):
        run(adapted, rows, task, tmp_path / "run", fatal_findings="ignore")
