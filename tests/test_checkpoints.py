import errno
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from engine import attach, equal, load, lora_weights, run_python, scripted, snapshot, train
from safetensors.torch import load_file, save_file

import qlorakit as qk
from qlorakit import checkpoints, finishing
from qlorakit.adapters import WEIGHTS, save_adapter
from qlorakit.checkpoints import MARKER, Interruption, latest_checkpoint, read_checkpoint, remove_incomplete
from qlorakit.errors import ConfigurationError, OutputError, TrainingError, VerificationError
from qlorakit.kinds import single_label
from qlorakit.records import write_sealed
from qlorakit.run_folders import find_checkpoint
from qlorakit.trainer import TaskTrainer

COURSE = {"lora": {"dropout": 0.1}, "batch_size": 4, "num_train_epochs": 3, "logging_steps": 1}  # 5 steps an epoch


@pytest.fixture(scope="module")
def whole(base_folder, rows, task, tmp_path_factory):
    """A run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return train(base_folder, rows, task, folder, eval_dataset=rows, **COURSE)


@pytest.fixture(scope="module")
def stopped(base_folder, rows, task, tmp_path_factory):
    """A run that was interrupted in the middle of its second epoch; to be copied."""
    folder = tmp_path_factory.mktemp("stopped") / "run"
    with pytest.MonkeyPatch.context() as patch:
        at_step(patch, 7, press_ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            train(base_folder, rows, task, folder, eval_dataset=rows, **COURSE)
    return folder


@pytest.fixture
def own_stopped(stopped, tmp_path):
    return Path(shutil.copytree(stopped, tmp_path / "run"))


def at_step(monkeypatch, step, action):
    """Do something at the beginning of a training step."""
    original = TaskTrainer.training_step

    def training_step(self, *arguments):
        if self.state.global_step + 1 == step:
            action()
        return original(self, *arguments)

    monkeypatch.setattr(TaskTrainer, "training_step", training_step)


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


def names(folder):
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def losses(result):
    return [(record["step"], record["loss"]) for record in result.history if "loss" in record]


def resume(base, rows, task, folder, **changes):
    settings = {**COURSE, "eval_dataset": rows, "resume_from_checkpoint": True, **changes}
    return train(base, rows, task, folder, **settings)


# Ctrl-C


def test_ctrl_c_leaves_one_complete_checkpoint_and_no_adapter(stopped):
    assert names(stopped) == ["checkpoint-5", "checkpoint-7"]
    assert all((stopped / "checkpoints" / name / MARKER).is_file() for name in names(stopped))
    assert not (stopped / "adapter").exists()


@pytest.mark.parametrize(("step", "written"), [(2, "checkpoint-2"), (5, "checkpoint-5")])
def test_ctrl_c_says_how_to_go_on(base_folder, rows, task, tmp_path, monkeypatch, step, written):
    at_step(monkeypatch, step, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt, match=f"{written} holds step {step}.*resume_from_checkpoint=True"):
        train(base_folder, rows, task, tmp_path, eval_dataset=rows, **COURSE)
    assert names(tmp_path) == [written]


def test_a_second_ctrl_c_stops_at_once(base_folder, rows, task, tmp_path, monkeypatch):
    at_step(monkeypatch, 7, lambda: (press_ctrl_c(), press_ctrl_c()))
    with pytest.raises(KeyboardInterrupt, match="checkpoint-5 holds step 5"):
        train(base_folder, rows, task, tmp_path, eval_dataset=rows, **COURSE)
    assert names(tmp_path) == ["checkpoint-5"]


def test_a_second_ctrl_c_before_the_first_checkpoint_says_that_nothing_was_saved(
    base_folder, rows, task, tmp_path, monkeypatch
):
    at_step(monkeypatch, 2, lambda: (press_ctrl_c(), press_ctrl_c()))
    with pytest.raises(KeyboardInterrupt, match="stopped before its first checkpoint"):
        train(base_folder, rows, task, tmp_path, **COURSE)
    assert names(tmp_path) == []


def test_the_signal_handler_is_put_back(base_folder, rows, task, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    train(base_folder, rows, task, tmp_path, max_steps=1)
    assert signal.getsignal(signal.SIGINT) is before


def test_outside_the_main_thread_signals_are_left_alone():
    done = []

    def watch():
        with Interruption().watching():
            done.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join()
    assert done == [signal.getsignal(signal.SIGINT)]


SCRIPT = """
import sys
import qlorakit as qk
from qlorakit.kinds import single_label
task = single_label("toy/d", summary="?", instruction="the direction", labels=("down", "flat", "up"))
rows = [{"text": f"sales {i}", "label": ("down", "flat", "up")[i % 3]} for i in range(12)]
model, tokenizer = qk.load_quantized(sys.argv[1], compute_dtype="float32")
model = qk.attach_lora(model, r=4)
qk.train(model, tokenizer, rows, task=task, output_dir=sys.argv[2], num_train_epochs=10000, progress=False)
"""


def test_a_process_that_gets_ctrl_c_ends_with_a_checkpoint_to_go_on_from(base_folder, tmp_path):
    process = subprocess.Popen(  # noqa: S603  # the test's own code
        [sys.executable, "-c", SCRIPT, str(base_folder), str(tmp_path / "run")], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 90
    while not latest_checkpoint(tmp_path / "run" / "checkpoints") and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Go on with train(..., resume_from_checkpoint=True)" in said
    assert latest_checkpoint(tmp_path / "run" / "checkpoints").step > 0


# Going on


def test_a_resumed_run_ends_as_the_undisturbed_one_bit_for_bit(base_folder, rows, task, own_stopped, whole):
    model, _, result = resume(base_folder, rows, task, own_stopped)
    assert equal(lora_weights(model), lora_weights(whole[0]))
    assert losses(result) == losses(whole[2])
    assert (result.adapter_dir / WEIGHTS).read_bytes() == (whole[2].adapter_dir / WEIGHTS).read_bytes()
    assert (result.best_step, result.best_metric) == (whole[2].best_step, whole[2].best_metric)


@pytest.mark.parametrize("step", [5, 12])
def test_a_run_stopped_anywhere_ends_as_the_undisturbed_one(
    base_folder, rows, task, tmp_path, monkeypatch, whole, step
):
    with monkeypatch.context() as patch:
        at_step(patch, step, press_ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            train(base_folder, rows, task, tmp_path, eval_dataset=rows, **COURSE)
    resume(base_folder, rows, task, tmp_path)
    last = Path("checkpoints") / "checkpoint-15" / WEIGHTS
    assert (tmp_path / last).read_bytes() == (whole[2].output_dir / last).read_bytes()


def test_a_resumed_run_reports_the_losses_of_all_of_its_steps(base_folder, rows, task, own_stopped, whole):
    _, _, result = resume(base_folder, rows, task, own_stopped)
    assert result.train_loss == whole[2].train_loss
    logged = [loss for _, loss in losses(whole[2])]
    assert result.train_loss == pytest.approx(sum(logged) / len(logged), rel=1e-6)


def test_a_line_of_the_log_that_a_stop_comes_into_covers_all_of_its_steps(
    base_folder, rows, task, tmp_path, monkeypatch
):
    settings = {**COURSE, "logging_steps": 4}  # the stop comes after 7 steps
    _, _, undisturbed = train(base_folder, rows, task, tmp_path / "whole", **settings)
    with monkeypatch.context() as patch:
        at_step(patch, 7, press_ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            train(base_folder, rows, task, tmp_path / "run", **settings)
    _, _, result = train(base_folder, rows, task, tmp_path / "run", resume_from_checkpoint=True, **settings)
    assert losses(result) == losses(undisturbed)
    assert result.train_loss == undisturbed.train_loss


@pytest.mark.parametrize("settings", [{"max_steps": 7}, {"num_train_epochs": 1.2}])
def test_a_run_resumed_after_its_last_step_is_finished_without_another_one(
    base_folder, rows, task, tmp_path, monkeypatch, settings
):
    def stop(*_, **__):
        raise KeyboardInterrupt

    settings = {**COURSE, **settings}
    model, _, expected = train(base_folder, rows, task, tmp_path / "whole", **settings)
    with monkeypatch.context() as patch:
        patch.setattr(finishing, "save_adapter", stop)
        with pytest.raises(KeyboardInterrupt):
            train(base_folder, rows, task, tmp_path / "run", **settings)
    other, _, result = train(base_folder, rows, task, tmp_path / "run", resume_from_checkpoint=True, **settings)
    assert (result.steps, result.train_loss) == (expected.steps, expected.train_loss)
    assert equal(lora_weights(model), lora_weights(other))
    json.loads((result.adapter_dir / "run.json").read_text(), parse_constant=pytest.fail)  # NaN is no JSON


def test_ctrl_c_in_the_last_step_waits_for_the_evaluation_that_ends_the_run(
    base_folder, rows, task, tmp_path, monkeypatch
):
    settings = {**COURSE, "eval_dataset": rows, "num_train_epochs": 1.2}  # 6 steps
    with monkeypatch.context() as patch:
        at_step(patch, 6, press_ctrl_c)
        with pytest.raises(KeyboardInterrupt, match="checkpoint-6 holds step 6"):
            train(base_folder, rows, scripted(task, [0.1, 0.9]), tmp_path, **settings)
    _, _, result = train(base_folder, rows, scripted(task, [0.5]), tmp_path, resume_from_checkpoint=True, **settings)
    assert (result.steps, result.best_step, result.best_metric) == (6, 6, 0.9)


def test_a_run_that_stopped_early_is_finished_as_it_would_have_been(base_folder, rows, task, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    settings = {**COURSE, "eval_dataset": rows, "early_stopping_patience": 1}
    with monkeypatch.context() as patch:
        patch.setattr(finishing, "save_adapter", stop)
        with pytest.raises(KeyboardInterrupt):
            train(base_folder, rows, scripted(task, [0.5, 0.4, 0.9]), tmp_path, **settings)
    _, _, result = train(
        base_folder, rows, scripted(task, [0.9]), tmp_path, resume_from_checkpoint=True, **settings
    )  # fmt: skip
    assert (result.steps, result.best_step, result.best_metric) == (10, 5, 0.5)
    assert equal(load_file(result.adapter_dir / WEIGHTS), load_file(tmp_path / "checkpoints/checkpoint-5" / WEIGHTS))


def test_a_checkpoint_can_be_given_by_its_path(base_folder, rows, task, own_stopped, whole):
    model, _, _ = resume(
        base_folder, rows, task, own_stopped, resume_from_checkpoint=own_stopped / "checkpoints" / "checkpoint-5"
    )
    assert equal(lora_weights(model), lora_weights(whole[0]))


def test_a_run_whose_best_checkpoint_is_behind_it_can_be_moved_and_resumed(
    base_folder, rows, task, tmp_path, monkeypatch
):
    judged = scripted(task, [0.9, 0.5, 0.1])
    at_step(monkeypatch, 7, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        train(base_folder, rows, judged, tmp_path / "before", eval_dataset=rows, **COURSE)
    monkeypatch.undo()
    (tmp_path / "before").rename(tmp_path / "after")
    _, _, result = resume(base_folder, rows, judged, tmp_path / "after")
    assert (result.best_step, result.best_metric) == (5, 0.9)
    kept = load_file(tmp_path / "after" / "checkpoints" / "checkpoint-5" / WEIGHTS)
    assert equal(load_file(result.adapter_dir / WEIGHTS), kept)


def test_the_token_budget_of_a_checkpoint_is_used_again(base_folder, rows, task, tmp_path, monkeypatch):
    at_step(monkeypatch, 2, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        train(base_folder, rows, task, tmp_path, token_budget=77, **COURSE)
    monkeypatch.undo()
    _, _, result = train(base_folder, rows, task, tmp_path, resume_from_checkpoint=True, **COURSE)
    assert json.loads((result.adapter_dir / "run.json").read_text())["settings"]["token_budget"] == 77


def test_another_token_budget_may_be_needed_and_is_said(base_folder, rows, task, tmp_path, monkeypatch, caplog):
    at_step(monkeypatch, 2, press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        train(base_folder, rows, task, tmp_path, token_budget=77, **COURSE)
    monkeypatch.undo()
    _, _, result = train(base_folder, rows, task, tmp_path, resume_from_checkpoint=True, token_budget=50, **COURSE)
    assert json.loads((result.adapter_dir / "run.json").read_text())["settings"]["token_budget"] == 50
    assert "token_budget=50 instead of 77: the weights will differ by rounding" in caplog.text


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"learning_rate": 1e-3}, r"learning_rate: 0\.01 then, 0\.001 now"),
        ({"seed": 1}, r"\(seed: 0 then, 1 now\)"),
        ({"batch_size": 3}, r"\(batch_size: 4 then, 3 now\)"),
        ({"num_train_epochs": 4}, "num_train_epochs: 3 then, 4 now"),
        ({"loss_weight": "row"}, "loss_weight: 'token' then, 'row' now"),
        ({"max_length": 100}, "max_length: 128 then, 100 now"),
        ({"eval_dataset": None}, "eval_dataset: there was one then, and there is none now"),
        ({"early_stopping_patience": 9}, "early_stopping_patience: None then, 9 now"),
        ({"lora": {"dropout": 0.2}}, r"lora.*0\.1.* then, .*0\.2.* now"),
        ({"lora": {"dropout": 0.1, "alpha": 1}}, "lora.*16.* then, .*1.* now"),
        ({"lora": {"dropout": 0.1, "r": 4}}, "lora"),
    ],
)
def test_other_settings_are_refused_by_name(base_folder, rows, task, own_stopped, changes, named):
    before = snapshot(own_stopped)
    with pytest.raises(TrainingError, match=f"belongs to a run with other settings or data .*{named}"):
        resume(base_folder, rows, task, own_stopped, **changes)
    assert snapshot(own_stopped) == before


def reworded(task):
    return single_label(task.name, summary="", instruction="where the word goes", labels=("down", "flat", "up"))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            lambda rows, task: (rows[1:], task),
            "train_dataset: other rows, or .* in another order; train_rows: 18 then, 17",
        ),
        (lambda rows, task: (rows[::-1], task), r"\(train_dataset: other rows, or the same ones in another order\)"),
        (lambda rows, task: (rows, reworded(task)), "train_dataset: the same rows become other tokens"),
    ],
)
def test_other_data_is_refused_in_words(base_folder, rows, task, own_stopped, change, named):
    other_rows, other_task = change(rows, task)
    with pytest.raises(TrainingError, match=named):
        train(
            base_folder, other_rows, other_task, own_stopped, eval_dataset=rows, resume_from_checkpoint=True, **COURSE
        )


def test_another_base_is_refused_by_its_file(base_folder, rows, task, own_stopped, tmp_path):
    other = shutil.copytree(base_folder, tmp_path / "other")
    weights = load_file(other / "model.safetensors")
    weights["model.norm.weight"] *= 1.5
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(TrainingError, match=r"the base's model\.safetensors is another file"):
        resume(other, rows, task, own_stopped)


def test_another_number_of_processes_is_refused(base_folder, rows, task, own_stopped):
    marker = own_stopped / "checkpoints" / "checkpoint-7" / MARKER
    content = json.loads(marker.read_text())
    content["course"]["processes"] = 2
    write_sealed(marker, content)
    with pytest.raises(TrainingError, match="processes: 2 then, 1 now"):
        resume(base_folder, rows, task, own_stopped)


def test_other_versions_are_warned_of_and_recorded(base_folder, rows, task, own_stopped, caplog):
    marker = own_stopped / "checkpoints" / "checkpoint-7" / MARKER
    content = json.loads(marker.read_text())
    content["versions"]["peft"] = "0.0.1"
    write_sealed(marker, content)
    _, _, result = resume(base_folder, rows, task, own_stopped)
    assert "peft 0.0.1 then" in caplog.text
    (resumed,) = json.loads((result.adapter_dir / "run.json").read_text())["resumes"]
    assert (resumed["step"], resumed["versions"]["peft"][0]) == (7, "0.0.1")


def test_another_quantization_is_refused(base_folder, rows, task, own_stopped):
    model, tokenizer = load(base_folder, quantization="fp4")
    model = qk.attach_lora(model, r=8, dropout=0.1)
    settings = {name: value for name, value in COURSE.items() if name != "lora"}
    with pytest.raises(TrainingError, match=r"quantization: .*nf4.* then, .*fp4.* now"):
        qk.train(
            model, tokenizer, rows, task=task, output_dir=own_stopped, eval_dataset=rows, learning_rate=1e-2,
            resume_from_checkpoint=True, progress=False, **settings,
        )  # fmt: skip


def test_what_does_not_decide_the_course_may_differ(base_folder, rows, task, own_stopped, whole):
    model, _, _ = resume(base_folder, rows, task, own_stopped, progress=True, logging_steps=5)
    assert equal(lora_weights(model), lora_weights(whole[0]))


# Damage


def unlink(path):
    path.unlink()


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def put_elsewhere(path):
    path.symlink_to(path.rename(path.parents[2] / path.name))


FILES = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json", WEIGHTS)
DAMAGES = (
    *((name, unlink, f"{name} is missing") for name in FILES),
    *((name, flip_a_bit, f"{name} was changed or damaged") for name in FILES),
    ("optimizer.pt", cut_short, "optimizer.pt was changed or damaged"),
    ("optimizer.pt", put_elsewhere, "optimizer.pt is a link"),
    ("training_args.bin", lambda path: path.write_bytes(b"x"), "training_args.bin was not in it when it was made"),
    ("global_step7", lambda path: path.mkdir(), "global_step7 was not in it when it was made"),
    (MARKER, lambda path: path.write_text("{"), "qlorakit.json cannot be read"),
)


@pytest.mark.parametrize(("name", "damage", "said"), DAMAGES)
def test_a_damaged_checkpoint_given_by_its_path_is_an_error(own_stopped, name, damage, said):
    damage(own_stopped / "checkpoints" / "checkpoint-7" / name)
    with pytest.raises(TrainingError, match=f"checkpoint-7 is damaged: {re.escape(said)}"):
        find_checkpoint(own_stopped, resume=own_stopped / "checkpoints" / "checkpoint-7", overwrite=False)


@pytest.mark.parametrize(("name", "damage", "said"), DAMAGES)
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(own_stopped, caplog, name, damage, said):
    damage(own_stopped / "checkpoints" / "checkpoint-7" / name)
    assert find_checkpoint(own_stopped, resume=True, overwrite=False).step == 5
    assert f"passed over: checkpoint-7 is damaged: {said}" in caplog.text
    assert "The run goes on from checkpoint-5 instead" in caplog.text
    assert (own_stopped / "checkpoints" / "checkpoint-7").is_dir()


def test_going_on_from_the_one_before_ends_as_the_undisturbed_run(base_folder, rows, task, own_stopped, whole):
    flip_a_bit(own_stopped / "checkpoints" / "checkpoint-7" / "optimizer.pt")
    model, _, result = resume(base_folder, rows, task, own_stopped)
    assert equal(lora_weights(model), lora_weights(whole[0]))
    (resumed,) = json.loads((result.adapter_dir / "run.json").read_text())["resumes"]
    assert resumed["step"] == 5
    assert list(resumed["passed_over"]) == ["checkpoint-7"]
    assert str(own_stopped) not in json.dumps(resumed)
    assert "checkpoint-7" not in names(own_stopped)


def test_a_damaged_checkpoint_stays_until_its_step_is_reached_again(base_folder, rows, task, tmp_path, monkeypatch):
    def stopped_at(step, action, run, **settings):
        with monkeypatch.context() as patch:
            at_step(patch, step, action)
            with pytest.raises(KeyboardInterrupt):
                run(base_folder, rows, task, tmp_path, save_strategy="steps", save_steps=2, **{**COURSE, **settings})

    def stop_at_once():
        press_ctrl_c()
        press_ctrl_c()

    stopped_at(7, stop_at_once, train)
    damaged = tmp_path / "checkpoints" / "checkpoint-6"
    flip_a_bit(damaged / "optimizer.pt")
    before = snapshot(damaged)
    stopped_at(6, stop_at_once, resume, eval_dataset=None)
    assert snapshot(damaged) == before
    stopped_at(7, stop_at_once, resume, eval_dataset=None)
    assert read_checkpoint(damaged).step == 6


def test_where_all_checkpoints_are_damaged_each_is_told_and_none_is_touched(base_folder, rows, task, own_stopped):
    (own_stopped / "checkpoints" / "checkpoint-7" / "optimizer.pt").unlink()
    flip_a_bit(own_stopped / "checkpoints" / "checkpoint-5" / WEIGHTS)
    before = snapshot(own_stopped)
    with pytest.raises(
        TrainingError, match=rf"checkpoint-7 is damaged: optimizer\.pt .*checkpoint-5 is damaged: {WEIGHTS}"
    ):
        resume(base_folder, rows, task, own_stopped)
    assert snapshot(own_stopped) == before


def test_a_checkpoint_whose_best_one_is_damaged_is_passed_over(base_folder, rows, task, tmp_path, monkeypatch, caplog):
    judged = scripted(task, [0.1, 0.9, 0.5])
    with monkeypatch.context() as patch:
        at_step(patch, 13, press_ctrl_c)
        with pytest.raises(KeyboardInterrupt):
            train(base_folder, rows, judged, tmp_path, eval_dataset=rows, **COURSE)
    flip_a_bit(tmp_path / "checkpoints" / "checkpoint-10" / WEIGHTS)
    assert find_checkpoint(tmp_path, resume=True, overwrite=False).step == 5
    assert "checkpoint-13 cannot be gone on from without the best checkpoint so far. checkpoint-10 is" in caplog.text


def test_a_checkpoint_under_the_name_of_another_step_is_damaged(own_stopped):
    folder = own_stopped / "checkpoints"
    (folder / "checkpoint-7").rename(folder / "checkpoint-70")
    assert "it holds step 7" in latest_checkpoint(folder).passed_over["checkpoint-70"]


def test_a_checkpoint_that_is_a_link_is_not_followed(own_stopped):
    folder = own_stopped / "checkpoints"
    (folder / "checkpoint-7").rename(own_stopped / "elsewhere")
    (folder / "checkpoint-7").symlink_to(own_stopped / "elsewhere")
    assert "is a link" in latest_checkpoint(folder).passed_over["checkpoint-7"]


def test_a_best_checkpoint_damaged_during_the_run_is_not_made_the_result(
    base_folder, rows, task, tmp_path, monkeypatch
):
    at_step(monkeypatch, 12, lambda: flip_a_bit(tmp_path / "checkpoints" / "checkpoint-5" / WEIGHTS))
    with pytest.raises(TrainingError, match=f"checkpoint-5 is damaged: {WEIGHTS} was changed"):
        train(base_folder, rows, scripted(task, [0.9, 0.5, 0.1]), tmp_path, eval_dataset=rows, **COURSE)
    assert not (tmp_path / "adapter").exists()


# Code in a checkpoint


class Planted:
    """A pickle of this runs code when it is read without restriction."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["optimizer.pt", "scheduler.pt", "rng_state.pth"])
def test_code_planted_in_a_checkpoint_is_not_run(base_folder, rows, task, own_stopped, tmp_path, name):
    path, trace = own_stopped / "checkpoints" / "checkpoint-7" / name, tmp_path / "trace"
    torch.save(Planted(trace), path)
    with pytest.raises(TrainingError, match=f"{re.escape(name)} was changed or damaged since"):
        resume(base_folder, rows, task, own_stopped, resume_from_checkpoint=path.parent)
    forged = json.loads((path.parent / MARKER).read_text())
    forged["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    write_sealed(path.parent / MARKER, forged)
    with pytest.raises(TrainingError, match=r"checkpoint-7 holds what no checkpoint does .*nothing in it was run"):
        resume(base_folder, rows, task, own_stopped, resume_from_checkpoint=path.parent)
    assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists()  # it would have run


def test_no_pickled_arguments_are_written(whole):
    assert not list(whole[2].output_dir.rglob("training_args.bin"))


def test_without_a_checkpoint_there_is_nothing_to_resume(base_folder, rows, task, tmp_path):
    with pytest.raises(TrainingError, match=r"nothing was saved .* same call without resume_from_checkpoint$"):
        resume(base_folder, rows, task, tmp_path)
    with pytest.raises(TrainingError, match=r"there is no checkpoint to resume from: .*nowhere"):
        resume(base_folder, rows, task, tmp_path, resume_from_checkpoint=tmp_path / "nowhere")


def test_incomplete_checkpoints_are_passed_over_and_removed(base_folder, rows, task, own_stopped, whole):
    broken = own_stopped / "checkpoints" / "checkpoint-9"
    shutil.copytree(own_stopped / "checkpoints" / "checkpoint-7", broken)
    (broken / MARKER).unlink()
    assert latest_checkpoint(broken.parent).path.name == "checkpoint-7"
    model, _, _ = resume(base_folder, rows, task, own_stopped)
    assert not broken.exists()
    assert equal(lora_weights(model), lora_weights(whole[0]))


def test_removing_incomplete_checkpoints_keeps_the_complete_ones(own_stopped):
    (own_stopped / "checkpoints" / "checkpoint-8").mkdir()
    remove_incomplete(own_stopped / "checkpoints")
    assert names(own_stopped) == ["checkpoint-5", "checkpoint-7"]


# What is kept


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({}, [6, 12, 15]),  # the best one and the newest two
        ({"save_total_limit": 2}, [6, 15]),
        ({"save_total_limit": 9}, [3, 6, 9, 12, 15]),
        ({"eval_dataset": None}, [9, 12, 15]),
    ],
)
def test_the_best_checkpoint_and_the_newest_ones_are_kept(base_folder, rows, task, tmp_path, settings, kept):
    judged = scripted(task, [0.1, 0.9, 0.5, 0.5, 0.5])
    train(base_folder, rows, judged, tmp_path, **{"num_train_epochs": 5, "eval_dataset": rows, **settings})
    assert names(tmp_path) == sorted(f"checkpoint-{step}" for step in kept)


@pytest.mark.parametrize("limit", [1, 0, -1, 2.0, True, None])
def test_fewer_checkpoints_than_the_best_and_the_last_are_refused(adapted, rows, task, tmp_path, limit):
    with pytest.raises(ConfigurationError, match=r"save_total_limit=.* at least 2"):
        qk.train(*adapted, rows, task=task, output_dir=tmp_path, save_total_limit=limit)


def test_a_checkpoint_that_cannot_be_removed_does_not_stop_the_run(
    base_folder, rows, task, tmp_path, monkeypatch, caplog
):
    original = checkpoints.discard

    def discard(checkpoint):
        if checkpoint.exists():
            raise PermissionError(checkpoint)
        original(checkpoint)

    monkeypatch.setattr(checkpoints, "discard", discard)
    train(base_folder, rows, task, tmp_path, num_train_epochs=3, save_total_limit=2)
    assert "checkpoint-3 is no longer needed and could not be removed" in caplog.text


# A full disk


# A limit on the size of files stands for a full disk.  It holds for a whole process, so that the test has its own: the
# test runner's log may be longer than an adapter.
FULL_DISK = """
import json, resource, sys
sys.path.insert(0, sys.argv[1])
import engine
from qlorakit import finishing
from qlorakit.errors import OutputError
from qlorakit.kinds import single_label
from qlorakit.trainer import TaskTrainer

def fill_disk():
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[5]), resource.getrlimit(resource.RLIMIT_FSIZE)[1]))

step, save = TaskTrainer.training_step, finishing.save_adapter

def training_step(self, *arguments):
    if sys.argv[6] == "checkpoint" and self.state.global_step == 4:
        fill_disk()
    return step(self, *arguments)

def save_adapter(*arguments):
    fill_disk()
    save(*arguments)

TaskTrainer.training_step = training_step
if sys.argv[6] == "adapter":
    finishing.save_adapter = save_adapter
task = single_label("toy/direction", summary="", instruction="the direction of the word", labels=("down", "flat", "up"))
try:
    engine.train(sys.argv[2], json.loads(sys.argv[4]), task, sys.argv[3], num_train_epochs=3)
except OutputError as error:
    print(error)
"""


def train_on_a_full_disk(base_folder, rows, output, size, what):
    return run_python(FULL_DISK, Path(__file__).parent, base_folder, output, json.dumps(rows), size, what).stdout


@pytest.mark.parametrize("size", [30_000, 100_000])  # less than the adapter's weights, less than the optimizer's state
def test_a_disk_that_is_full_while_a_checkpoint_is_saved(base_folder, rows, tmp_path, size):
    said = train_on_a_full_disk(base_folder, rows, tmp_path, size, "checkpoint")
    assert re.search(r"checkpoint-6 could not be written.*is the disk full.*checkpoint-3 holds step 3", said)
    assert names(tmp_path) == ["checkpoint-3"]
    assert read_checkpoint(tmp_path / "checkpoints" / "checkpoint-3").step == 3
    assert not (tmp_path / "adapter").exists()


def test_a_disk_that_is_full_while_a_checkpoint_is_marked_complete(base_folder, rows, task, tmp_path, monkeypatch):
    original = checkpoints.write_sealed

    def write_sealed(path, content, **keywords):
        if path.parent.name == "checkpoint-6":
            path.write_text('{"course": {')
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(path, content, **keywords)

    monkeypatch.setattr(checkpoints, "write_sealed", write_sealed)
    with pytest.raises(OutputError, match=r"checkpoint-6 could not be written.*No space left"):
        train(base_folder, rows, task, tmp_path, num_train_epochs=3)
    assert names(tmp_path) == ["checkpoint-3"]


@pytest.mark.parametrize("size", [30_000, 5_000])
def test_a_disk_that_is_full_while_the_adapter_is_saved(base_folder, rows, tmp_path, size):
    said = train_on_a_full_disk(base_folder, rows, tmp_path, size, "adapter")
    assert re.search(r"adapter could not be written.*checkpoint-9 holds step 9", said)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]


def test_what_a_full_disk_interrupted_can_be_finished(base_folder, rows, task, tmp_path, monkeypatch):
    def save(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(finishing, "save_adapter", save)
        with pytest.raises(OutputError):
            train(base_folder, rows, task, tmp_path, eval_dataset=rows)
    model, _, _ = train(base_folder, rows, task, tmp_path, eval_dataset=rows, resume_from_checkpoint=True)
    assert equal(lora_weights(qk.load_adapter(tmp_path)[0]), lora_weights(model))


# Verification


def test_an_adapter_that_was_saved_wrongly_is_not_kept(base_folder, rows, task, tmp_path, monkeypatch):
    def save(model, tokenizer, folder):
        save_adapter(model, tokenizer, folder)
        tensors = load_file(folder / WEIGHTS)
        save_file({name: value * 1.01 for name, value in tensors.items()}, folder / WEIGHTS, metadata={"format": "pt"})

    monkeypatch.setattr(finishing, "save_adapter", save)
    with pytest.raises(VerificationError, match=r"answers differently.*it is not kept.*checkpoint-3"):
        train(base_folder, rows, task, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoints"]


def test_a_fresh_adapter_gets_the_weights_of_the_checkpoint(base_folder, rows, task, own_stopped):
    other, tokenizer = attach(base_folder, dropout=0.1, seed=99)
    settings = {name: value for name, value in COURSE.items() if name != "lora"}
    result = qk.train(
        other, tokenizer, rows, task=task, output_dir=own_stopped, eval_dataset=rows, learning_rate=1e-2,
        resume_from_checkpoint=True, progress=False, **settings,
    )  # fmt: skip
    assert result.steps == 15
