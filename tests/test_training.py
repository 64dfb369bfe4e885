import dataclasses
import json
import logging
import math
import shutil

from qlorakit.bitsandbytes_offline import bitsandbytes as bnb

import pytest
import torch
from engine import (
    attach,
    distance,
    echo_task,
    equal,
    evaluate,
    load,
    lora_weights,
    run_processes,
    scripted,
    snapshot,
    train,
)
from safetensors.torch import load_file
from transformers import BloomConfig, BloomForCausalLM

import qlorakit as qk
from qlorakit import finishing, layout
from qlorakit.encoding import Encoder, template_hash
from qlorakit.errors import (
    ConfigurationError,
    DataError,
    EncodingError,
    ModelError,
    OutputError,
    PrefixSharingError,
    QlorakitError,
    TrainingError,
    UnknownNameError,
)
from qlorakit.kinds import multilabel
from qlorakit.objectives import lessons_of
from qlorakit.padded_batch import PaddedBatch, padded_batches
from qlorakit.rows import fingerprint
from qlorakit.self_check import Verdict
from qlorakit.task import Column, Metric
from qlorakit.trainer import TaskTrainer
from qlorakit.training_settings import REFUSED_ARGUMENTS
from qlorakit.tree_batch import TreeBatch


@pytest.fixture(scope="module")
def learned(base_folder, rows, task, tmp_path_factory):
    """One run with everything on; nobody may change it."""
    folder = tmp_path_factory.mktemp("learned") / "run"
    lora = {"seed": 6, "alpha": 12}
    return train(
        base_folder, rows, task, folder, lora=lora, eval_dataset=rows, num_train_epochs=8, seed=7, logging_steps=1
    )


def losses(result):
    return [record["loss"] for record in result.history if "loss" in record]


def weights_in(folder):
    return load_file(folder / "adapter_model.safetensors")


def supervised_rows(tokenizer, rows, task):
    return Encoder(tokenizer, max_length=128).encode_rows(rows, task)


def mean_loss(model, tokenizer, rows, task, *, by_row=False):
    """The mean negative log-likelihood of the target tokens, from all logits of one row at a time."""
    parts = []
    for row in supervised_rows(tokenizer, rows, task):
        (item,) = row.encoded
        with torch.no_grad():
            logprobs = model(input_ids=torch.tensor([[*item.prompt, *item.target]])).logits[0].double().log_softmax(-1)
        first = len(item.prompt) - 1
        parts.append([-float(logprobs[first + place, token]) for place, token in enumerate(item.target)])
    tokens = [value for part in parts for value in part]
    return sum(sum(part) / len(part) for part in parts) / len(parts) if by_row else sum(tokens) / len(tokens)


def uneven(task):
    """The task with answers of very different lengths."""
    words = {"up": "up", "down": "down and down and down again", "flat": "flat"}

    def ask(row):
        return [dataclasses.replace(example, choices=None, target=words[row["label"]]) for example in task.format(row)]

    return dataclasses.replace(task, format=ask)


# What is learned


def test_it_learns_what_can_be_memorised(learned, rows, task):
    model, tokenizer, result = learned
    assert result.best_metric == 1.0
    found = qk.predict(model, tokenizer, rows, task=task, progress=False)
    assert found["prediction"] == found["label"]


def test_the_loss_falls_and_is_reported(learned):
    found = losses(learned[2])
    assert found[-1] < found[0] / 10
    assert learned[2].train_loss == pytest.approx(sum(found) / len(found), rel=1e-5)


def test_the_same_seed_gives_the_same_adapter_bit_for_bit(base_folder, rows, task, tmp_path):
    settings = {"lora": {"dropout": 0.1}, "seed": 3}
    first, second = (train(base_folder, rows, task, tmp_path / name, **settings)[2] for name in ("a", "b"))
    assert losses(first) == losses(second)
    name = "adapter_model.safetensors"
    assert (first.adapter_dir / name).read_bytes() == (second.adapter_dir / name).read_bytes()


def test_another_seed_gives_another_adapter(base_folder, rows, task, tmp_path):
    first, second = (train(base_folder, rows, task, tmp_path / str(seed), seed=seed)[0] for seed in (3, 4))
    assert not equal(lora_weights(first), lora_weights(second))


def test_only_the_answer_is_learned(base_folder, rows, task):
    _, tokenizer = load(base_folder)
    lessons = lessons_of(supervised_rows(tokenizer, rows, task), objective="language_model", loss_weight="token")
    sequences, weights = lessons.sequences, [lesson.weight for lesson in lessons.lessons]
    assert [tokenizer.decode(item.answer) for item in sequences] == [f" {row['label']}<|end|>" for row in rows]
    assert [tokenizer.decode(item.prompt).endswith("<|assistant|>") for item in sequences] == [True] * len(rows)
    assert weights == [1.0] * len(rows)


@pytest.mark.parametrize("loss_weight", ["token", "row"])
def test_the_loss_is_the_mean_over_the_target_tokens_or_the_rows(base_folder, rows, task, tmp_path, loss_weight):
    model, tokenizer = attach(base_folder)
    expected = mean_loss(model.eval(), tokenizer, rows, uneven(task), by_row=loss_weight == "row")
    result = qk.train(
        model, tokenizer, rows, task=uneven(task), output_dir=tmp_path, batch_size=18, max_steps=1, logging_steps=1,
        loss_weight=loss_weight, token_budget=200, progress=False,
    )  # fmt: skip
    assert losses(result) == [pytest.approx(expected, rel=1e-5)]


@pytest.mark.parametrize("loss_weight", ["token", "row"])
def test_the_evaluation_loss_is_weighted_as_in_training(base_folder, rows, task, tmp_path, loss_weight):
    model, tokenizer, result = train(
        base_folder, rows, uneven(task), tmp_path, eval_dataset=rows, loss_weight=loss_weight, max_new_tokens=2
    )
    expected = mean_loss(model.eval(), tokenizer, rows, uneven(task), by_row=loss_weight == "row")
    (found,) = [record["eval_loss"] for record in result.history if "eval_loss" in record]
    assert found == pytest.approx(expected, rel=1e-5)


def test_several_right_answers_are_learned_as_so_many_questions_would_be(base_folder, rows, task, tmp_path):
    ranking = multilabel(
        "toy/ranking", summary="", instruction="?", labels=task.labels, encoding="ranking",
        label=Column("label", label=True),
    )  # fmt: skip
    labelled = [{**row, "label": [row["label"], "flat"][: 1 + number % 2]} for number, row in enumerate(rows)]

    def apart(row):
        (example,) = ranking.format(row)
        return [dataclasses.replace(example, target=right, also=(), key=right) for right in example.right]

    together, separate = (
        train(base_folder, labelled, one, tmp_path / name, eval_dataset=labelled, logging_steps=1)[2]
        for name, one in (("together", ranking), ("separate", dataclasses.replace(ranking, format=apart)))
    )
    assert losses(together) == pytest.approx(losses(separate), rel=1e-5)
    assert [record["eval_loss"] for record in together.history if "eval_loss" in record] == [
        pytest.approx(record["eval_loss"], rel=1e-4) for record in separate.history if "eval_loss" in record
    ]


def test_how_rows_are_cut_into_micro_batches_has_no_influence(base_folder, rows, task, tmp_path):
    runs = [
        train(base_folder, rows, uneven(task), tmp_path / str(budget), token_budget=budget, logging_steps=1)
        for budget in (10_000, 120, 1)
    ]
    whole = runs[0]
    for cut in runs[1:]:
        assert losses(cut[2]) == pytest.approx(losses(whole[2]), rel=1e-4)
        assert losses(cut[2])[0] == pytest.approx(losses(whole[2])[0], abs=1e-6)


@pytest.mark.parametrize("loss_weight", ["token", "row"])
def test_micro_batches_have_the_gradients_of_one_batch(base_folder, rows, task, tmp_path, loss_weight):
    steps = []
    for budget in (10_000, 120, 1):  # with plain gradient descent a step is the gradient
        before = lora_weights(attach(base_folder, init_lora_weights="gaussian")[0])
        model, _, _ = train(
            base_folder, rows, uneven(task), tmp_path / str(budget), lora={"init_lora_weights": "gaussian"},
            token_budget=budget, optim="sgd", learning_rate=1.0, max_grad_norm=0.0, max_steps=1, batch_size=18,
            loss_weight=loss_weight,
        )  # fmt: skip
        steps.append({name: value - before[name] for name, value in lora_weights(model).items()})
    assert distance(steps[0], steps[1]) < 1e-4
    assert distance(steps[0], steps[2]) < 1e-4


@pytest.mark.parametrize("name", ["activation_checkpointing", "gradient_checkpointing"])
def test_checkpointed_activations_give_the_same_losses(base_folder, rows, task, tmp_path, name):
    plain = train(base_folder, rows, task, tmp_path / "plain", logging_steps=1)
    saving = train(base_folder, rows, task, tmp_path / "saving", logging_steps=1, **{name: True})
    assert losses(saving[2]) == pytest.approx(losses(plain[2]), rel=1e-6)
    assert distance(lora_weights(plain[0]), lora_weights(saving[0])) < 1e-5


def test_training_goes_on_from_what_was_learned(base_folder, rows, task, tmp_path):
    model, tokenizer, first = train(base_folder, rows, task, tmp_path / "a", num_train_epochs=4, logging_steps=1)
    second = qk.train(
        model, tokenizer, rows, task=task, output_dir=tmp_path / "b", max_steps=1, logging_steps=1, progress=False
    )
    assert losses(second)[0] < losses(first)[0] / 2


# Prefixes that are shared


@pytest.mark.parametrize("objective", ["language_model", "choices"])
def test_fifty_steps_over_trees_have_the_losses_of_padded_rows(base_folder, rows, task, tmp_path, objective):
    runs = [
        train(
            base_folder, rows, task, tmp_path / sharing, prefix_sharing=sharing, objective=objective,
            learning_rate=1e-3, max_steps=50, logging_steps=1, save_strategy="no",
        )[2]
        for sharing in ("on", "off")
    ]  # fmt: skip
    tree, padded = map(losses, runs)
    assert len(tree) == 50
    assert tree[-1] < tree[0] / 5
    assert tree == pytest.approx(padded, rel=1e-4)


@pytest.mark.parametrize(("asked", "shared"), [("auto", True), ("on", True), ("off", False)])
def test_the_record_says_whether_prefixes_were_shared(base_folder, rows, task, tmp_path, asked, shared):
    _, _, result = train(base_folder, rows, task, tmp_path, prefix_sharing=asked, max_steps=1)
    record = json.loads((result.adapter_dir / "run.json").read_text())
    assert record["settings"]["prefix_sharing"] is shared


def test_rows_that_share_a_prefix_are_computed_once(base_folder, rows, task, tmp_path, monkeypatch):
    tokens = {"on": 0, "off": 0}
    for sharing, kind in (("on", TreeBatch), ("off", PaddedBatch)):
        original = kind.logprobs

        def counting(self, *arguments, original=original, sharing=sharing):
            tokens[sharing] += self.tokens
            return original(self, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(layout, "check", lambda *_, **__: Verdict(None, None))
            patch.setattr(kind, "logprobs", counting)
            train(base_folder, rows, task, tmp_path / sharing, prefix_sharing=sharing, batch_size=18)
    assert 0 < tokens["on"] < tokens["off"] / 2


def test_a_model_that_cannot_share_prefixes_is_trained_all_the_same(own_base, rows, task, tmp_path, caplog):
    BloomForCausalLM(
        BloomConfig(vocab_size=400, hidden_size=64, n_layer=2, n_head=4, initializer_range=0.2, pad_token_id=0)
    ).save_pretrained(own_base)
    lora = {"target_modules": ["query_key_value"]}
    found = train(own_base, rows, task, tmp_path / "auto", lora=lora, max_steps=2, logging_steps=1)[2]
    assert "BloomForCausalLM cannot compute rows that share a prefix together" in caplog.text
    expected = train(
        own_base, rows, task, tmp_path / "off", lora=lora, max_steps=2, logging_steps=1, prefix_sharing="off"
    )
    assert losses(found) == losses(expected[2])
    with pytest.raises(PrefixSharingError, match="BloomForCausalLM cannot"):
        train(own_base, rows, task, tmp_path / "on", lora=lora, prefix_sharing="on")
    assert not (tmp_path / "on").exists()


# Choices


def choice_loss(model, tokenizer, rows, task):
    """The mean cross-entropy of the right label among all, from all logits of one sequence at a time."""
    parts = []
    for row in supervised_rows(tokenizer, rows, task):
        (item,) = row.encoded
        scores = []
        for choice in (item.target, *item.choices):
            ids = torch.tensor([[*item.prompt, *choice]])
            with torch.no_grad():
                logprobs = model(input_ids=ids).logits[0].double().log_softmax(-1)
            first = len(item.prompt) - 1
            scores.append(sum(float(logprobs[first + place, token]) for place, token in enumerate(choice)))
        parts.append(float(torch.tensor(scores[1:]).logsumexp(0)) - scores[0])
    return sum(parts) / len(parts)


@pytest.fixture(scope="module")
def chosen(base_folder, rows, task, tmp_path_factory):
    """One run over the choices; nobody may change it."""
    settings = {"objective": "choices", "eval_dataset": rows, "num_train_epochs": 4, "logging_steps": 1}
    return train(base_folder, rows, task, tmp_path_factory.mktemp("chosen") / "run", **settings)


def test_the_choice_among_labels_is_learned(chosen, rows, task):
    model, tokenizer, result = chosen
    assert result.best_metric == 1.0
    assert losses(result)[-1] < losses(result)[0] / 5
    assert qk.predict(model, tokenizer, rows, task=task, progress=False)["prediction"] == [r["label"] for r in rows]


def test_the_first_loss_over_the_choices_is_that_of_brute_force(base_folder, rows, task, tmp_path):
    model, tokenizer = attach(base_folder)
    expected = choice_loss(model.eval(), tokenizer, rows, task)
    settings = {"objective": "choices", "batch_size": 18, "max_steps": 1, "logging_steps": 1, "progress": False}
    result = qk.train(model, tokenizer, rows, task=task, output_dir=tmp_path, **settings)
    assert losses(result) == [pytest.approx(expected, rel=1e-5)]


def test_the_evaluation_loss_over_the_choices_is_that_of_brute_force(base_folder, rows, task, tmp_path):
    settings = {"objective": "choices", "negatives": 1}  # which bound training alone
    model, tokenizer, result = train(base_folder, rows, task, tmp_path, eval_dataset=rows, **settings)
    (found,) = [record["eval_loss"] for record in result.history if "eval_loss" in record]
    assert found == pytest.approx(choice_loss(model.eval(), tokenizer, rows, task), rel=1e-4)


def test_a_run_over_the_choices_resumes_to_the_same_adapter_bit_for_bit(base_folder, rows, task, tmp_path, monkeypatch):
    def stopping(self, *arguments):
        if self.state.global_step == 5:
            raise KeyboardInterrupt
        return step(self, *arguments)

    settings, step = {"objective": "choices", "negatives": 1, "num_train_epochs": 3}, TaskTrainer.training_step
    train(base_folder, rows, task, tmp_path / "whole", **settings)
    with monkeypatch.context() as patch:
        patch.setattr(TaskTrainer, "training_step", stopping)
        with pytest.raises(KeyboardInterrupt):
            train(base_folder, rows, task, tmp_path / "run", **settings)
    train(base_folder, rows, task, tmp_path / "run", resume_from_checkpoint=True, **settings)
    assert equal(weights_in(tmp_path / "run" / "adapter"), weights_in(tmp_path / "whole" / "adapter"))


@pytest.mark.parametrize(
    ("settings", "changed"), [({"objective": "choices"}, "objective"), ({"prefix_sharing": "off"}, "prefix_sharing")]
)
def test_a_run_is_not_resumed_under_another_objective_or_layout(base_folder, rows, task, tmp_path, settings, changed):
    train(base_folder, rows, task, tmp_path, num_train_epochs=2)
    shutil.rmtree(tmp_path / "adapter")
    with pytest.raises(TrainingError, match=changed):
        train(base_folder, rows, task, tmp_path, num_train_epochs=2, resume_from_checkpoint=True, **settings)


def test_the_record_holds_the_objective_and_its_negatives(chosen, learned):
    records = [json.loads((run[2].adapter_dir / "run.json").read_text())["settings"] for run in (chosen, learned)]
    assert [record["objective"] for record in records] == ["choices", "language_model"]
    assert [record["negatives"] for record in records] == [None, None]


def test_free_text_is_learned_word_by_word_under_either_objective(base_folder, tmp_path):
    rows = [{"text": f"number {word}", "answer": word} for word in ("up", "down", "flat", "rose")]
    runs = [
        train(base_folder, rows, echo_task(), tmp_path / objective, objective=objective, logging_steps=1)[2]
        for objective in ("language_model", "choices")
    ]
    assert losses(runs[0]) == losses(runs[1])


# Several processes


@pytest.mark.parametrize("settings", [{"batch_size": 5, "token_budget": 60}])
def test_two_processes_have_the_losses_of_one(base_folder, rows, task, tmp_path, settings):
    settings |= {"num_train_epochs": 2, "logging_steps": 1, "eval_dataset": rows, "loss_weight": "row"}
    (tmp_path / "job.json").write_text(json.dumps([rows, settings]))
    run_processes(2, IN_ONE_OF_SEVERAL, base_folder, tmp_path)
    _, _, alone = train(base_folder, rows, task, tmp_path / "alone", **settings)
    together = json.loads((tmp_path / "together" / "adapter" / "run.json").read_text())
    assert together["steps"] == alone.steps == 8
    assert [r["loss"] for r in together["history"] if "loss" in r] == pytest.approx(losses(alone), rel=1e-4)
    found = weights_in(tmp_path / "together" / "adapter")
    # The gradients of two processes are summed in another order.  Adam divides each by its own size, so that where a
    # gradient is hardly more than rounding, a step of the learning rate may go another way: the weights differ by more
    # than the losses do.  A row that was left out or counted twice moves the losses beyond their bound.
    assert distance(found, weights_in(alone.adapter_dir)) < 1e-2


IN_ONE_OF_SEVERAL = """
import json, pathlib, sys
import engine
from qlorakit.kinds import single_label
base, folder = map(pathlib.Path, sys.argv[1:])
rows, settings = json.loads((folder / "job.json").read_text())
task = single_label(
    "toy/direction", summary="Which way?", instruction="the direction of the word", labels=("down", "flat", "up")
)
engine.train(base, rows, task, folder / "together", **settings)
"""


# Evaluation in the middle


def gradients(model, batch):
    model.train()
    model.zero_grad()
    (-batch.logprobs(model).sum()).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def gradients_around_an_evaluation(base_folder, rows, task, *, packed=False):
    model, tokenizer = attach(base_folder)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1, generator=torch.Generator().manual_seed(1))
    encoded = supervised_rows(tokenizer, rows, task)
    sequences = lessons_of(encoded, objective="language_model", loss_weight="token").sequences
    (batch,) = padded_batches(sequences, token_budget=10_000, pad=0)
    before = gradients(model, batch)
    if packed:
        for module in model.modules():
            if isinstance(module, bnb.nn.Linear4bit):
                module.support_avx512bf16_for_cpu = True
        with torch.no_grad():
            model.eval()(input_ids=batch.input_ids)
    else:
        qk.evaluate(model, tokenizer, rows, task=task, baseline=True, resamples=100, progress=False)
    return before, gradients(model, batch)


def test_gradients_after_an_evaluation_are_those_before_it(base_folder, rows, task):
    before, after = gradients_around_an_evaluation(base_folder, rows, task)
    assert len(before) == 28
    assert equal(before, after)


@pytest.mark.skipif(not bnb.functional.has_avx512bf16(), reason="this processor has no packed path")
def test_with_the_packed_path_an_evaluation_does_ruin_the_gradients(base_folder, rows, task):
    before, after = gradients_around_an_evaluation(base_folder, rows, task, packed=True)
    assert not equal(before, after)


def test_evaluations_do_not_change_the_course_of_training(base_folder, rows, task, tmp_path):
    settings = {"lora": {"dropout": 0.1}, "num_train_epochs": 3}
    train(base_folder, rows, task, tmp_path / "without", **settings)
    train(base_folder, rows, task, tmp_path / "with", eval_dataset=rows, **settings)
    last = "checkpoints/checkpoint-9"
    assert equal(weights_in(tmp_path / "without" / last), weights_in(tmp_path / "with" / last))


# Which checkpoint is the result


@pytest.mark.parametrize(
    ("values", "higher", "best"), [([0.1, 0.9, 0.2], True, 6), ([0.5, 0.1, 0.9], False, 6), ([3.0, 2.0, 1.0], True, 3)]
)
def test_the_best_checkpoint_is_in_memory_and_on_disk(base_folder, rows, task, tmp_path, values, higher, best):
    judged = scripted(task, values, higher_is_better=higher)
    model, _, result = train(base_folder, rows, judged, tmp_path, eval_dataset=rows, num_train_epochs=3)
    expected = weights_in(tmp_path / "checkpoints" / f"checkpoint-{best}")
    in_memory = {name.replace(".default", ""): value for name, value in lora_weights(model).items()}
    assert (result.best_step, result.best_metric) == (best, values[best // 3 - 1])
    assert equal(weights_in(result.adapter_dir), expected)
    assert equal(in_memory, expected)


def test_a_lower_loss_is_better(base_folder, rows, task, tmp_path):
    _, _, result = train(
        base_folder, rows, task, tmp_path, eval_dataset=rows, num_train_epochs=3, metric_for_best_model="loss"
    )
    assert result.best_metric == min(record["eval_loss"] for record in result.history if "eval_loss" in record)


@pytest.mark.parametrize("name", ["accuracy", "eval_accuracy"])
def test_any_metric_of_the_task_can_choose(base_folder, rows, task, tmp_path, name):
    _, _, result = train(base_folder, rows, task, tmp_path, eval_dataset=rows, metric_for_best_model=name)
    (found,) = [record["eval_accuracy"] for record in result.history if "eval_accuracy" in record]
    assert result.best_metric == found


def test_evaluations_measure_as_many_rows_as_they_may_and_say_so(base_folder, rows, task, tmp_path, caplog):
    seen = set()

    def compute(outputs, references, asked):
        seen.add(tuple(row["text"] for row in asked))
        return 0.5

    counting = dataclasses.replace(task, metrics=(Metric("seen", compute),))
    settings = {"eval_dataset": rows, "max_eval_rows": 5, "num_train_epochs": 2}
    with caplog.at_level(logging.INFO, logger="qlorakit"):
        _, _, result = train(base_folder, rows, counting, tmp_path, **settings)
    (asked,) = seen
    assert len(set(asked)) == 5
    assert "evaluations in training measure 5 of the 18 rows of eval_dataset" in caplog.text
    assert {record["eval_rows"] for record in result.history if "eval_rows" in record} == {5}


def test_thresholds_are_fitted_on_the_evaluation_rows_and_saved_with_the_adapter(base_folder, tmp_path):
    task = multilabel("toy/tags", summary="Which?", instruction="the topics", labels=("profit", "sales"))
    rows = [{"text": f"{text} {n}", "labels": [text]} for n in range(6) for text in ("profit", "sales")]
    model, tokenizer, result = train(base_folder, rows[:8], task, tmp_path, eval_dataset=rows[8:])
    fitted = evaluate(model, tokenizer, rows[:8], task, validation_dataset=rows[8:]).system("tuned").decision
    loaded, tokenizer = qk.load_adapter(result.adapter_dir, compute_dtype="float32")
    saved = evaluate(loaded, tokenizer, rows[:8], task).system("tuned").decision
    assert saved == pytest.approx(fitted)
    assert saved != task.decision.default


def test_what_was_logged_in_training_is_in_the_report_of_the_loaded_adapter(learned, rows, task):
    model, tokenizer = qk.load_adapter(learned[2].adapter_dir, compute_dtype="float32")
    logged = evaluate(model, tokenizer, rows, task).training
    assert [record["loss"] for record in logged if "loss" in record]
    assert [dict(record) for record in logged] == [dict(record) for record in learned[2].history]


def test_the_first_metric_chooses_unless_told_otherwise(learned):
    assert learned[2].best_metric == max(r["eval_macro_f1"] for r in learned[2].history if "eval_macro_f1" in r)


def test_checkpoints_that_would_miss_the_best_evaluation_are_refused(base_folder, rows, task, tmp_path):
    settings = {"eval_strategy": "steps", "eval_steps": 2, "save_steps": 4}
    with pytest.raises(ConfigurationError, match="a checkpoint follows every evaluation"):
        train(base_folder, rows, task, tmp_path, eval_dataset=rows, **settings)


def test_a_question_larger_than_the_budget_is_named(base_folder, rows, task, tmp_path, caplog):
    train(base_folder, rows, task, tmp_path / "a", max_steps=1, objective="choices", token_budget=16)
    assert sum("negatives= bounds how many choices are compared" in message for message in caplog.messages) == 1
    caplog.clear()
    train(base_folder, rows, task, tmp_path / "b", max_steps=1, objective="choices", token_budget=4096)
    assert not any("negatives=" in message for message in caplog.messages)


def test_after_a_failure_the_model_is_in_the_mode_it_was_in(base_folder, rows, task, tmp_path, monkeypatch):
    model, tokenizer = attach(base_folder)
    monkeypatch.setattr(TaskTrainer, "training_step", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        qk.train(model.eval(), tokenizer, rows, task=task, output_dir=tmp_path, progress=False)
    assert not model.training


@pytest.mark.parametrize("extra", [{"eval_steps": 2}, {"logging_steps": 2}])
def test_every_evaluation_in_steps_can_be_the_result(base_folder, rows, task, tmp_path, extra):
    judged = scripted(task, [0.1, 0.9, 0.2, 0.1, 0.1, 0.1])
    settings = {"eval_strategy": "steps", "batch_size": 3, "max_steps": 6, **extra}
    _, _, result = train(base_folder, rows, judged, tmp_path, eval_dataset=rows, **settings)
    assert result.best_step == 4
    assert equal(weights_in(result.adapter_dir), weights_in(tmp_path / "checkpoints" / "checkpoint-4"))


def test_an_evaluation_split_that_is_never_asked_is_refused(base_folder, rows, task, tmp_path):
    with pytest.raises(ConfigurationError, match="eval_strategy"):
        train(base_folder, rows, task, tmp_path, eval_dataset=rows, eval_strategy="no")


def test_without_an_evaluation_split_the_last_step_is_the_result(base_folder, rows, task, tmp_path):
    _, _, result = train(base_folder, rows, task, tmp_path, num_train_epochs=2)
    assert (result.best_metric, result.best_step) == (None, None)
    assert equal(weights_in(result.adapter_dir), weights_in(tmp_path / "checkpoints" / "checkpoint-6"))


@pytest.mark.parametrize(
    ("values", "higher", "epochs"), [([0.5, 0.4, 0.3, 0.9], True, 3), ([0.5, 0.6, 0.7, 0.1], False, 3)]
)
def test_early_stopping_stops_after_the_patience_is_over(base_folder, rows, task, tmp_path, values, higher, epochs):
    judged = scripted(task, values, higher_is_better=higher)
    _, _, result = train(
        base_folder, rows, judged, tmp_path, eval_dataset=rows, num_train_epochs=4, early_stopping_patience=2
    )
    assert result.steps == 3 * epochs
    assert result.best_step == 3


def test_early_stopping_lets_a_run_that_improves_go_on(base_folder, rows, task, tmp_path):
    judged = scripted(task, [0.1, 0.2, 0.15, 0.3])
    _, _, result = train(
        base_folder, rows, judged, tmp_path, eval_dataset=rows, num_train_epochs=4, early_stopping_patience=2
    )
    assert result.steps == 12


# Settings


@pytest.mark.parametrize("name", sorted(set(REFUSED_ARGUMENTS) - {"output_dir", "resume_from_checkpoint"}))
def test_an_argument_that_would_lie_is_refused_with_the_reason(adapted, rows, task, tmp_path, name):
    with pytest.raises(ConfigurationError, match=rf"^{name} is refused: .+ .+"):
        qk.train(*adapted, rows, task=task, output_dir=tmp_path, **{name: 2})


def test_the_arguments_known_to_lie_are_all_refused():
    assert set(REFUSED_ARGUMENTS) >= {
        "per_device_train_batch_size", "gradient_accumulation_steps", "auto_find_batch_size", "label_smoothing_factor",
        "neftune_noise_alpha", "remove_unused_columns", "train_sampling_strategy", "use_liger_kernel",
        "logging_nan_inf_filter", "save_only_model",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 0}, "batch_size=0: an optimizer step needs at least 1 row"),
        ({"batch_size": 2.5}, r"batch_size=2\.5"),
        ({"batch_size": True}, "batch_size=True"),
        ({"learning_rate": -1e-4}, "learning_rate=-0.0001: must be a positive number"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"learning_rate": float("inf")}, "learning_rate=inf"),
        ({"learning_rate": "2e-4"}, "learning_rate='2e-4'"),
        ({"num_train_epochs": 0}, "num_train_epochs=0"),
        ({"num_train_epochs": float("inf")}, "num_train_epochs=inf"),
        ({"seed": -1}, "seed=-1"),
        ({"objective": "words"}, "objective='words' is not one of 'language_model', 'choices'"),
        ({"negatives": 0}, "negatives=0: the right choice must be compared with at least 1 other"),
        ({"negatives": 1.5}, r"negatives=1\.5"),
        ({"prefix_sharing": "yes"}, "prefix_sharing='yes' is not one of 'auto', 'on', 'off'"),
        ({"loss_weight": "words"}, "loss_weight='words' is not one of 'token', 'row'"),
        ({"max_length": 0}, "max_length=0"),
        ({"max_length": 1000}, "context of 128"),
        ({"token_budget": 0}, "token_budget=0"),
        ({"max_new_tokens": 0}, "max_new_tokens=0"),
        ({"max_eval_rows": 0}, "max_eval_rows=0: must be at least 1"),
        ({"early_stopping_patience": 2}, "early_stopping_patience=2: needs an eval_dataset"),
        ({"metric_for_best_model": "accuracy"}, "metric_for_best_model='accuracy' needs an eval_dataset"),
        ({"lr_scheduler_type": "zigzag"}, "zigzag"),
        ({"optim": "magic"}, "magic"),
    ],
)
def test_a_setting_out_of_range_is_refused_and_leaves_no_trace(adapted, rows, task, tmp_path, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        qk.train(*adapted, rows, task=task, output_dir=tmp_path / "run", progress=False, **settings)
    assert not (tmp_path / "run").exists()


def test_an_unknown_argument_is_refused_with_the_nearest_match(adapted, rows, task, tmp_path):
    with pytest.raises(UnknownNameError, match=r"no argument 'learning_rat'.*Did you mean 'learning_rate'"):
        qk.train(*adapted, rows, task=task, output_dir=tmp_path, learning_rat=1e-4)


def test_an_unknown_metric_is_an_error_before_the_first_step(adapted, rows, task, tmp_path):
    model, _ = adapted
    before = lora_weights(model)
    with pytest.raises(UnknownNameError, match=r"no such metric.*Did you mean 'accuracy'.*It has macro_f1, accuracy"):
        qk.train(
            *adapted, rows, task=task, output_dir=tmp_path / "run", eval_dataset=rows, metric_for_best_model="acuracy"
        )
    assert equal(lora_weights(model), before)
    assert not (tmp_path / "run").exists()


def test_a_refused_setting_does_not_stand_in_the_way_of_the_next_try(adapted, rows, task, tmp_path):
    with pytest.raises(ConfigurationError):
        qk.train(*adapted, rows, task=task, output_dir=tmp_path / "run", lr_scheduler_type="zigzag")
    result = qk.train(*adapted, rows, task=task, output_dir=tmp_path / "run", max_steps=1, progress=False)
    assert result.steps == 1


def test_a_model_without_an_adapter_is_refused(base_folder, rows, task, tmp_path):
    with pytest.raises(ConfigurationError, match="call attach_lora first"):
        qk.train(*load(base_folder), rows, task=task, output_dir=tmp_path)


def test_a_packed_model_is_refused(adapted, rows, task, tmp_path):
    layer = adapted[0].get_base_model().model.layers[0].mlp.up_proj.base_layer
    layer.weight.quant_state.packing_format_for_cpu = True
    with pytest.raises(ModelError, match="repacked"):
        qk.train(*adapted, rows, task=task, output_dir=tmp_path / "run")


def test_the_models_configuration_is_put_back(base_folder, rows, task, tmp_path):
    assert load(base_folder)[0].config.use_cache is True
    model, _, _ = train(base_folder, rows, task, tmp_path, max_steps=1)
    assert model.config.use_cache is True


def test_without_progress_nothing_is_printed(base_folder, rows, task, tmp_path, capsys):
    train(base_folder, rows, task, tmp_path, eval_dataset=rows, logging_steps=1, max_steps=1)
    assert capsys.readouterr().out == ""


# Rows


def test_rows_that_are_also_evaluated_on_are_counted_aloud(base_folder, rows, task, tmp_path, caplog):
    train(base_folder, rows, task, tmp_path, eval_dataset=rows[:4], max_steps=1)
    assert "4 of 4 rows of eval_dataset ask what a row of train_dataset asks" in caplog.text


def test_rows_apart_give_no_warning(base_folder, rows, task, tmp_path, caplog):
    train(base_folder, rows[4:], task, tmp_path, eval_dataset=rows[:4], max_steps=1)
    assert "train_dataset asks" not in caplog.text


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"text": "sales rose"}, "row 3: .*label"),
        ({"text": "sales rose", "label": "upp"}, "row 3: .*unknown label 'upp'.*Did you mean 'up'"),
        ({"text": "", "label": "up"}, "row 3: column 'text' is empty"),
        ({"text": None, "label": "up"}, "row 3: column 'text' holds NoneType"),
    ],
)
@pytest.mark.parametrize("where", ["train_dataset", "eval_dataset"])
def test_a_bad_row_is_named_with_its_dataset(adapted, rows, task, tmp_path, bad, message, where):
    spoilt = [*rows[:2], bad, *rows[2:]]
    data = {"train_dataset": rows, "eval_dataset": rows, where: spoilt}
    with pytest.raises(DataError, match=f"{where}, {message}"):
        qk.train(*adapted, **data, task=task, output_dir=tmp_path / "run")


def test_a_free_text_row_without_an_answer_is_named(adapted, tmp_path):
    task = dataclasses.replace(echo_task(), reference=lambda row: row.get("answer", "none"))
    with pytest.raises(DataError, match="train_dataset, row 2: there is nothing to learn"):
        qk.train(*adapted, [{"text": "a", "answer": "a"}, {"text": "b"}], task=task, output_dir=tmp_path)


def test_no_rows_are_an_error(adapted, task, tmp_path):
    with pytest.raises(DataError, match="train_dataset: there are none"):
        qk.train(*adapted, [], task=task, output_dir=tmp_path)


def test_a_long_prompt_is_cut_and_counted_and_its_target_is_whole(base_folder, rows, task, tmp_path, caplog):
    long = {"text": "sales rose number " * 60, "label": "up"}
    _, _, result = train(base_folder, [long, *rows], task, tmp_path, max_steps=1)
    assert "1 of 19 prompts (5.3%) were longer than the context" in caplog.text
    counts = json.loads((result.adapter_dir / "run.json").read_text())["encoding"]["train"]
    assert counts["cut_examples"] == 1
    assert counts["cut_tokens"] > 50


def test_a_target_that_does_not_fit_is_an_error_and_never_cut(adapted, tmp_path):
    row = {"text": "up", "answer": "up and down " * 90}
    with pytest.raises(EncodingError, match=r"row 1: the target has .* raise max_length"):
        qk.train(*adapted, [row], task=echo_task(), output_dir=tmp_path)


@pytest.mark.parametrize("where", ["train_dataset", "eval_dataset"])
def test_a_row_that_does_not_fit_is_named_with_its_dataset(adapted, tmp_path, where):
    short, long = {"text": "up", "answer": "up"}, {"text": "up", "answer": "up and down " * 90}
    data = {"train_dataset": [short], "eval_dataset": [short], where: [short, long]}
    with pytest.raises(EncodingError, match=f"{where}, row 2"):
        qk.train(*adapted, **data, task=echo_task(), output_dir=tmp_path)


# Losses that are not numbers


def test_a_loss_that_is_not_finite_stops_training_and_leaves_no_adapter(adapted, rows, task, tmp_path):
    model, tokenizer = adapted
    next(p for name, p in model.named_parameters() if "lora_B" in name).data[0, 0] = float("nan")
    with pytest.raises(TrainingError, match=r"at step 1, on rows .*: the loss is nan; .*learning_rate"):
        qk.train(model, tokenizer, rows, task=task, output_dir=tmp_path, progress=False)
    assert not (tmp_path / "adapter").exists()
    assert not list((tmp_path / "checkpoints").glob("*"))


@pytest.mark.parametrize("evaluated", [True, False])
def test_an_exploding_run_is_an_error_and_leaves_no_adapter(base_folder, rows, task, tmp_path, evaluated):
    extra = {"eval_dataset": rows} if evaluated else {}
    with pytest.raises(QlorakitError):
        train(base_folder, rows, task, tmp_path, learning_rate=1e38, max_grad_norm=0.0, **extra)
    assert not (tmp_path / "adapter").exists()
    assert not list((tmp_path / "checkpoints").glob("checkpoint-*"))


# The output folder


@pytest.mark.parametrize("held", ["adapter", "checkpoints"])
def test_a_folder_that_holds_another_run_is_refused_and_untouched(adapted, rows, task, tmp_path, held):
    (tmp_path / held).mkdir()
    (tmp_path / held / "mine").write_text("keep me")
    before = snapshot(tmp_path)
    with pytest.raises(
        OutputError, match=rf"holds another run \({held}\).*resume_from_checkpoint=True.*overwrite=True"
    ):
        qk.train(*adapted, rows, task=task, output_dir=tmp_path)
    assert snapshot(tmp_path) == before


def test_overwriting_replaces_the_old_adapter(base_folder, rows, task, tmp_path):
    first = train(base_folder, rows, task, tmp_path / "run")[0]
    second = train(base_folder, rows, task, tmp_path / "run", seed=1, overwrite=True)[0]
    found = lora_weights(qk.load_adapter(tmp_path / "run")[0])
    assert equal(found, lora_weights(second))
    assert not equal(found, lora_weights(first))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["adapter", "checkpoints"]


def test_an_overwriting_run_that_fails_leaves_the_old_adapter(base_folder, adapted, rows, task, tmp_path):
    train(base_folder, rows, task, tmp_path / "run")
    before = snapshot(tmp_path / "run" / "adapter")
    model, tokenizer = adapted
    next(p for p in model.parameters() if p.requires_grad).data[0, 0] = float("nan")
    with pytest.raises(TrainingError):
        qk.train(model, tokenizer, rows, task=task, output_dir=tmp_path / "run", overwrite=True, progress=False)
    assert snapshot(tmp_path / "run" / "adapter") == before


def test_a_file_in_the_place_of_the_output_folder_is_refused(adapted, rows, task, tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(OutputError, match="is a file; give a folder"):
        qk.train(*adapted, rows, task=task, output_dir=tmp_path / "run")


# What is written


@pytest.fixture(scope="module")
def record(learned):
    return json.loads((learned[2].adapter_dir / "run.json").read_text())


def test_the_record_holds_settings_and_seeds(record):
    settings = record["settings"]
    assert (settings["seed"], settings["data_seed"]) == (7, 7)
    assert settings["per_device_train_batch_size"] == 6
    assert settings["learning_rate"] == 1e-2
    assert settings["token_budget"] >= 512
    assert settings["loss_weight"] == "token"
    assert settings["task"] == "toy/direction"
    assert (settings["lora"]["r"], settings["lora"]["lora_alpha"], settings["lora"]["lora_dropout"]) == (8, 12, 0.0)


def test_the_record_holds_the_seed_of_the_adapters_start(record):
    assert record["settings"]["lora"]["seed"] == 6


def test_the_record_lists_the_target_modules_as_plain_data(record):
    targets = record["settings"]["lora"]["target_modules"]
    assert isinstance(targets, list)
    assert targets == sorted(targets)


def test_the_record_identifies_rows_template_base_and_versions(record, learned, rows):
    assert record["settings"]["train_fingerprint"] == fingerprint(rows)
    assert record["settings"]["eval_fingerprint"] == fingerprint(rows)
    assert record["settings"]["template"] == template_hash(learned[1])
    assert len(record["settings"]["base"]["files"]["model.safetensors"]) == 64
    assert record["settings"]["base"]["quantization"] == {
        "quantization": "nf4", "double_quantization": True, "compute_dtype": "float32",
    }  # fmt: skip
    assert {"qlorakit", "torch", "transformers", "peft", "bitsandbytes"} <= set(record["versions"])
    assert record["encoding"]["train"]["examples"] == len(rows)


def test_the_record_holds_losses_metrics_and_the_verification(record, learned):
    assert [r["loss"] for r in record["history"] if "loss" in r] == losses(learned[2])
    assert sum("eval_macro_f1" in r for r in record["history"]) == 8
    assert record["best"] == {"metric": 1.0, "step": learned[2].best_step}
    assert (record["verification"]["rows"], record["verification"]["equal"]) == (16, True)
    assert record["steps"] == learned[2].steps == 24
    assert all(math.isfinite(r["loss"]) for r in record["history"] if "loss" in r)


def test_the_record_holds_no_texts(learned, rows):
    written = "".join((learned[2].adapter_dir / name).read_text() for name in ("run.json", "manifest.json"))
    assert not any(row["text"] in written for row in rows)


def test_adapters_are_written_as_safetensors_and_nothing_is_a_full_pickle(learned):
    names = {path.name for path in learned[2].output_dir.rglob("*") if path.is_file()}
    assert "adapter_model.safetensors" in names
    assert {name for name in names if name.endswith((".bin", ".pkl", ".pt", ".pth"))} == {
        "optimizer.pt", "scheduler.pt", "rng_state.pth",
    }  # fmt: skip
    for path in learned[2].output_dir.rglob("*.pt"):
        assert torch.load(path, weights_only=True)


def test_the_result_says_what_was_done(learned, tmp_path):
    _, _, result = learned
    assert result.adapter_dir == result.output_dir / "adapter"
    assert result.verified_rows == 16
    assert result.seconds > 0
    assert result.best_step in range(3, 25, 3)
    shutil.copytree(result.adapter_dir, tmp_path / "elsewhere")
    assert qk.load_adapter(tmp_path / "elsewhere")


def test_a_loaded_adapter_is_not_trained_on(base_folder, rows, task, tmp_path, adapted):
    qk.train(*adapted, rows, task=task, output_dir=tmp_path / "run", num_train_epochs=1, progress=False)
    loaded = qk.load_adapter(tmp_path / "run")
    with pytest.raises(ConfigurationError, match="the model's adapter is frozen"):
        qk.train(*loaded, rows, task=task, output_dir=tmp_path / "again")


def test_what_a_task_raises_in_an_evaluation_stays_what_it_is(adapted, rows, task, tmp_path):
    def parse(*_):
        raise DataError("parse went wrong")  # noqa: EM101, TRY003

    with pytest.raises(DataError, match="parse went wrong"):
        qk.train(*adapted, rows, task=dataclasses.replace(task, parse=parse), output_dir=tmp_path, eval_dataset=rows)


def test_questions_are_cut_after_training_as_in_training(adapted, task, tmp_path):
    model, tokenizer = adapted
    long = [{"text": "sales rose and " * 20, "label": "up"}, {"text": "sales fell and " * 20, "label": "down"}]
    qk.train(model, tokenizer, long, task=task, output_dir=tmp_path, max_length=60, num_train_epochs=1, progress=False)
    asked = [{"text": row["text"]} for row in long]
    before = qk.predict(model, tokenizer, asked, task=task, progress=False)
    after = qk.predict(*qk.load_adapter(tmp_path), asked, task=task, progress=False)
    assert before["probability"] == after["probability"]


@pytest.mark.parametrize("steps", [0, -5, 1.5])
def test_a_number_of_steps_that_is_none_is_refused(adapted, rows, task, tmp_path, steps):
    with pytest.raises(ConfigurationError, match="max_steps="):
        qk.train(*adapted, rows, task=task, output_dir=tmp_path, max_steps=steps)


@pytest.mark.parametrize(("given", "named"), [({"text": "up"}, "dict"), (["up"], "str"), ("up", "str")])
def test_rows_that_are_no_rows_are_named(adapted, task, given, named):
    with pytest.raises(DataError, match=f"a list of mappings .* is needed, not {named}"):
        qk.predict(*adapted, given, task=task)


def test_ctrl_c_while_the_result_is_saved_says_how_to_go_on(adapted, rows, task, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(finishing, "verify_adapter", interrupted)
    with pytest.raises(KeyboardInterrupt, match="resume_from_checkpoint=True"):
        qk.train(*adapted, rows, task=task, output_dir=tmp_path, num_train_epochs=1, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]


def test_training_on_from_a_trained_adapter_is_said(adapted, rows, task, tmp_path, caplog):
    settings = {"task": task, "num_train_epochs": 1, "progress": False}
    qk.train(*adapted, rows, output_dir=tmp_path / "first", **settings)
    assert "has been trained already" not in caplog.text
    second = qk.train(*adapted, rows, output_dir=tmp_path / "second", **settings)
    assert "has been trained already" in caplog.text
    assert json.loads((second.adapter_dir / "run.json").read_text())["adapter_was_fresh"] is False


def test_of_two_equal_evaluations_the_lower_loss_is_the_better(base_folder, rows, task, tmp_path):
    even = scripted(task, [0.5, 0.5, 0.5])
    _, _, result = train(base_folder, rows, even, tmp_path, eval_dataset=rows, num_train_epochs=3)
    losses = {record["step"]: record["eval_loss"] for record in result.history if "eval_loss" in record}
    assert result.best_step == min(losses, key=losses.get) == 9


def test_a_finished_run_is_not_resumed_into_nothing(base_folder, rows, task, tmp_path):
    train(base_folder, rows, task, tmp_path)
    before = (tmp_path / "adapter" / "run.json").read_bytes()
    with pytest.raises(OutputError, match="holds a finished run of 3 steps; load it with load_adapter"):
        train(base_folder, rows, task, tmp_path, resume_from_checkpoint=True)
    assert (tmp_path / "adapter" / "run.json").read_bytes() == before


@pytest.mark.parametrize(("given", "meant"), [("epochs", "num_train_epochs"), ("lr", "learning_rate")])
def test_short_names_are_answered_with_the_right_ones(adapted, rows, task, tmp_path, given, meant):
    with pytest.raises(UnknownNameError, match=f"Say {meant}="):
        qk.train(*adapted, rows, task=task, output_dir=tmp_path, **{given: 1})


def test_a_tasks_name_is_no_task(adapted, rows, tmp_path):
    with pytest.raises(ConfigurationError, match=r"pass qlorakit\.get_task\('toy/direction'\)"):
        qk.train(*adapted, rows, task="toy/direction", output_dir=tmp_path)
