import json
import logging
import re

import pytest
import torch
from engine import attach, equal, lora_weights, snapshot, train

import qlorakit as qk
from qlorakit import memory_probe
from qlorakit.errors import MemoryShortageError
from qlorakit.memory import held_bytes
from qlorakit.memory_need import Measured, MemoryNeed, what_would_fit
from qlorakit.memory_probe import Probe, optimizer_bytes, parameter_bytes
from qlorakit.training_settings import build_arguments

CPU = torch.device("cpu")
MIB = 1 << 20


def need(**changes):
    parts = {
        "weights": 400, "adapter": 10, "optimizer": 10, "activations": 1000, "kernels": 0, "rest": 80,
        "available": 1200, "token_budget": 1024, "tokens": 1024,
    }  # fmt: skip
    return MemoryNeed(**{**parts, **changes})


def with_room_for(monkeypatch, room):
    monkeypatch.setattr(memory_probe, "free_bytes", lambda device: room)


@pytest.fixture(scope="module")
def run(base_folder, rows, task, tmp_path_factory):
    return train(base_folder, rows, task, tmp_path_factory.mktemp("run"), lora={"dropout": 0.1}, eval_dataset=rows)


def test_looking_ahead_does_not_change_the_course_of_training(base_folder, rows, task, tmp_path, run):
    settings = {"lora": {"dropout": 0.1}, "eval_dataset": rows}
    unlooked, _, result = train(base_folder, rows, task, tmp_path, memory_check="off", **settings)
    assert equal(lora_weights(unlooked), lora_weights(run[0]))
    assert result.memory is None


def test_the_record_holds_what_was_foreseen_and_what_was_held(run):
    _, _, result = run
    record = json.loads((result.adapter_dir / "run.json").read_text())["memory"]
    assert record["predicted_peak"] == result.memory.peak
    assert 50 * MIB < record["measured_peak"] < result.memory.available
    assert result.memory.weights > 0
    assert result.memory.adapter == 2 * parameter_bytes(run[0])[1]


def test_the_model_is_left_as_it_was(base_folder, rows, task, tmp_path, monkeypatch):
    model, tokenizer = attach(base_folder)
    with_room_for(monkeypatch, 0)
    weights, numbers, training = lora_weights(model), torch.get_rng_state(), model.training
    with pytest.raises(MemoryShortageError):
        qk.train(model, tokenizer, rows, task=task, output_dir=tmp_path, progress=False)
    assert equal(lora_weights(model), weights)
    assert bool((torch.get_rng_state() == numbers).all())
    assert model.training is training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_run_that_cannot_fit_is_refused_with_the_numbers_and_writes_nothing(
    base_folder, rows, task, tmp_path, monkeypatch
):
    train(base_folder, rows, task, tmp_path)
    before = snapshot(tmp_path)
    with_room_for(monkeypatch, 1000)
    with pytest.raises(MemoryShortageError) as caught:
        train(base_folder, rows, task, tmp_path, overwrite=True)
    for part in ("weights", "adapter and its gradients", "optimizer", "activations of", "sum", "there is"):
        assert re.search(rf"^ +{part}.* \d[\d.]* \w+$", str(caught.value), re.MULTILINE), part
    assert "No token_budget= would fit" in str(caught.value)
    assert snapshot(tmp_path) == before


def test_the_setting_that_is_said_to_fit_does(base_folder, rows, task, tmp_path, monkeypatch):
    # What was measured is given, since a tiny model needs less than what comes and goes in a process.
    monkeypatch.setattr(Probe, "_need", lambda self, trial: trial.tokens * MIB)
    long = [{**row, "text": f"{row['text']} {'and so on ' * 8}"} for row in rows]
    settings = {"token_budget": 2048, "batch_size": 18, "prefix_sharing": "off"}
    with_room_for(monkeypatch, 200 * MIB)
    with pytest.raises(MemoryShortageError) as caught:
        train(base_folder, long, task, tmp_path / "refused", **settings)
    said = int(re.search(r"token_budget=(\d+) would fit", str(caught.value))[1])
    assert 64 <= said < 200
    assert train(base_folder, long, task, tmp_path / "fits", **{**settings, "token_budget": said})[2].memory.fits


def test_whoever_wants_to_may_try_all_the_same(base_folder, rows, task, tmp_path, monkeypatch, caplog):
    with_room_for(monkeypatch, 1000)
    _, _, result = train(base_folder, rows, task, tmp_path, memory_check="warn")
    assert not result.memory.fits
    assert "training needs" in caplog.text


def test_an_unknown_way_to_check_is_refused(base_folder, rows, task, tmp_path):
    with pytest.raises(qk.QlorakitError, match="memory_check='no' is not one of 'refuse', 'warn', 'off'"):
        train(base_folder, rows, task, tmp_path, memory_check="no")


def test_what_nearly_fills_the_memory_is_said(base_folder, rows, task, tmp_path, monkeypatch, caplog, run):
    free = run[2].memory
    with_room_for(monkeypatch, int(1.05 * free.peak) - held_bytes(CPU) + 4 * MIB)
    with caplog.at_level(logging.WARNING):
        train(base_folder, rows, task, tmp_path, memory_check="warn")
    assert "of memory" in caplog.text


@pytest.mark.parametrize(("optim", "numbers"), [("adamw_torch", 2), ("sgd", 0), ("rmsprop", 1)])
def test_what_an_optimizer_keeps_is_measured(adapted, tmp_path, optim, numbers):
    model, _ = adapted
    arguments = build_arguments(model, tmp_path, {"optim": optim}, progress=False)
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert optimizer_bytes(model, arguments) == pytest.approx(4 * numbers * trained, rel=0.01, abs=4096)


def test_weights_are_counted_as_they_are_held(adapted):
    model, _ = adapted
    frozen, trained = parameter_bytes(model)
    assert trained == sum(4 * p.numel() for p in model.parameters() if p.requires_grad)
    assert 0 < frozen < sum(4 * p.numel() for p in model.get_base_model().parameters())


def test_the_largest_budget_that_fits_is_advised():
    points = ((64, 100), (256, 400), (1024, 1600))
    said = what_would_fit(need(), [Measured(1024, 0, points)], 50, recomputing=False, compared=False)
    assert said.startswith("token_budget=256 would fit")


def test_where_a_single_question_is_too_large_other_ways_are_advised():
    said = what_would_fit(need(), [Measured(1024, 0, ((1024, 1600),))], 1000, recomputing=False, compared=True)
    assert re.search(r"up to 1,000 tokens: try activation_checkpointing=True or negatives=.*max_length=", said)


def test_where_the_model_alone_is_too_large_a_smaller_one_is_advised():
    said = what_would_fit(need(weights=5000), [Measured(1024, 10)], 10, recomputing=False, compared=False)
    assert "take a smaller model" in said


def test_a_curve_through_what_was_measured_foresees_what_was_not():
    grown = Measured(400, 0, tuple((n, 7 + 3 * n + n * n) for n in (50, 100, 200)))
    assert grown.whole == 7 + 3 * 400 + 400 * 400
