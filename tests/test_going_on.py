"""Runs that are killed at every point that matters, and runs that go on from a finished adapter."""

import dataclasses
import functools
import json
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
import torch
from engine import equal, evaluate, lora_weights, scripted, snapshot, train

import qlorakit as qk
from qlorakit import checkpoints, finishing, run_folders
from qlorakit.adapters import (
    DECISION,
    FINGERPRINTS,
    HISTORY,
    MANIFEST_HASH,
    REPLACED,
    TRAINED_FOR,
    UNPLACED,
    WEIGHTS,
)
from qlorakit.agreement import SAMPLE
from qlorakit.checkpoints import MARKER, read_checkpoint
from qlorakit.errors import ConfigurationError, OutputError, PluginError, TrainingError
from qlorakit.kinds import multilabel
from qlorakit.records import file_hash, forget_hashes, write_sealed
from qlorakit.run_folders import LOCK, alone_in, check_still, find_checkpoint
from qlorakit.task import Metric
from qlorakit.trainer import TaskTrainer

COURSE = {"lora": {"dropout": 0.1}, "batch_size": 4, "num_train_epochs": 2, "logging_steps": 1}  # 5 steps an epoch
OTHER = {**COURSE, "seed": 1}


@pytest.fixture(scope="module")
def whole(base_folder, rows, task, tmp_path_factory):
    """A run that nothing disturbed; to be copied where it is changed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return train(base_folder, rows, task, folder, eval_dataset=rows, **COURSE)


@pytest.fixture
def own_whole(whole, tmp_path):
    return Path(shutil.copytree(whole[2].output_dir, tmp_path / "whole"))


# Killed: a forked process gets SIGKILL, so that nothing of it is tidied up.


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def before(owner, name, when=lambda *_: True):
    """Have the process die when a function is called."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def call(*arguments, **keywords):
        if when(*arguments):
            die()
        return original(*arguments, **keywords)

    setattr(owner, name, call)


def after(owner, name, when=lambda *_: True):
    """Have it die when the function has done its work."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def call(*arguments, **keywords):
        result = original(*arguments, **keywords)
        if when(*arguments):
            die()
        return result

    setattr(owner, name, call)


def killed(prepare, run, *arguments, **settings):
    def child():
        prepare()
        run(*arguments, **settings)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(timeout=120)
    assert process.exitcode == -signal.SIGKILL


def held(folder):
    """What stands in a run's folder; a process that was killed leaves the file that it had locked."""
    return {path.name for path in folder.iterdir()} - {LOCK}


def at_step(step):
    return lambda own, *_: own.state.global_step == step


def in_folder(name):
    return lambda path, *_: Path(path).name == name


def marker_of(step):
    return lambda path, *_: path.name == f".{MARKER}.partial" and path.parent.name == f"checkpoint-{step}"


POINTS = {
    "in the first step after a checkpoint": lambda: before(TaskTrainer, "training_step", at_step(5)),
    "before the checkpoint's random state": lambda: before(TaskTrainer, "_save_rng_state", at_step(10)),
    "before the checkpoint is sealed": lambda: before(checkpoints, "seal_of", in_folder("checkpoint-10")),
    "before the marker gets its name": lambda: before(Path, "replace", marker_of(10)),
    "after the marker": lambda: before(checkpoints.Checkpoints, "_prune", lambda _, step, *__: step == 10),
    "before the adapter": lambda: before(finishing, "save_adapter"),
    "in the adapter": lambda: after(finishing, "save_adapter"),
    "before the adapter is sealed": lambda: before(finishing, "seal_adapter"),
    "before the adapter gets its name": lambda: before(finishing, "replace_folder"),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_run_killed_anywhere_goes_on_to_the_same_weights(base_folder, rows, task, tmp_path, whole, point):
    settings = {"eval_dataset": rows, **COURSE}
    killed(POINTS[point], train, base_folder, rows, task, tmp_path, **settings)
    model, _, result = train(base_folder, rows, task, tmp_path, resume_from_checkpoint=True, **settings)
    assert equal(lora_weights(model), lora_weights(whole[0]))
    assert (result.adapter_dir / WEIGHTS).read_bytes() == (whole[2].adapter_dir / WEIGHTS).read_bytes()
    assert (result.train_loss, result.best_step) == (whole[2].train_loss, whole[2].best_step)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "checkpoints"]
    assert [read_checkpoint(path).step for path in sorted((tmp_path / "checkpoints").iterdir())] == [10, 5]


def test_a_run_killed_while_it_removes_a_checkpoint_goes_on(base_folder, rows, task, tmp_path):
    settings = {**COURSE, "save_strategy": "steps", "save_steps": 3, "save_total_limit": 2}
    model, _, _ = train(base_folder, rows, task, tmp_path / "whole", **settings)
    removing = lambda: before(shutil, "rmtree", in_folder("checkpoint-3"))  # noqa: E731
    killed(removing, train, base_folder, rows, task, tmp_path / "run", **settings)
    left = tmp_path / "run" / "checkpoints"
    assert not (left / "checkpoint-3" / MARKER).exists()
    other, _, _ = train(base_folder, rows, task, tmp_path / "run", resume_from_checkpoint=True, **settings)
    assert equal(lora_weights(model), lora_weights(other))
    assert sorted(path.name for path in left.iterdir()) == ["checkpoint-10", "checkpoint-9"]


@pytest.mark.parametrize(
    ("prepare", "needed"),
    [
        (lambda: before(TaskTrainer, "training_step", at_step(1)), {}),
        (lambda: before(checkpoints, "seal_of"), {"overwrite": True}),
    ],
)
def test_a_run_killed_before_its_first_checkpoint_is_begun_anew(
    base_folder, rows, task, tmp_path, whole, prepare, needed
):
    settings = {"eval_dataset": rows, **COURSE}
    killed(prepare, train, base_folder, rows, task, tmp_path, **settings)
    with pytest.raises(TrainingError, match=r"nothing was saved before the run stopped.*same call without") as caught:
        train(base_folder, rows, task, tmp_path, resume_from_checkpoint=True, **settings)
    assert ("overwrite=True" in str(caught.value)) is bool(needed)
    model, _, _ = train(base_folder, rows, task, tmp_path, **needed, **settings)
    assert equal(lora_weights(model), lora_weights(whole[0]))


def test_a_run_killed_after_its_end_is_finished(base_folder, rows, task, tmp_path, whole):
    settings = {"eval_dataset": rows, **COURSE}
    killed(lambda: after(finishing, "replace_folder"), train, base_folder, rows, task, tmp_path, **settings)
    with pytest.raises(OutputError, match="holds a finished run of 10 steps; load it with load_adapter"):
        train(base_folder, rows, task, tmp_path, resume_from_checkpoint=True, **settings)
    assert equal(lora_weights(qk.load_adapter(tmp_path)[0]), lora_weights(whole[0]))


# While one adapter takes another's place


def replaced_halfway(base, rows, task, folder):
    """Kill a run that replaces the one in the folder between the two renamings."""
    placing = lambda: before(Path, "rename", in_folder(UNPLACED))  # noqa: E731
    killed(placing, train, base, rows, task, folder, overwrite=True, **OTHER)
    assert sorted(held(folder)) == [REPLACED, UNPLACED, "checkpoints"]


def test_an_adapter_without_its_name_is_found(base_folder, rows, task, own_whole, whole):
    replaced_halfway(base_folder, rows, task, own_whole)
    before_loading = snapshot(own_whole)
    model, _ = qk.load_adapter(own_whole)
    assert not equal(lora_weights(model), lora_weights(whole[0]))  # the new one
    assert snapshot(own_whole) == before_loading
    shutil.rmtree(own_whole / UNPLACED)
    assert equal(lora_weights(qk.load_adapter(own_whole)[0]), lora_weights(whole[0]))  # the old one


def test_a_replacement_killed_halfway_is_finished_by_a_resume(base_folder, rows, task, own_whole):
    replaced_halfway(base_folder, rows, task, own_whole)
    found, _ = qk.load_adapter(own_whole)
    model, _, _ = train(base_folder, rows, task, own_whole, resume_from_checkpoint=True, **OTHER)
    assert sorted(path.name for path in own_whole.iterdir()) == ["adapter", "checkpoints"]
    assert equal(lora_weights(found), lora_weights(model))


def test_a_replacement_killed_halfway_is_not_lost_to_the_next_run(base_folder, rows, task, own_whole):
    replaced_halfway(base_folder, rows, task, own_whole)
    shutil.rmtree(own_whole / "checkpoints")
    found, _ = qk.load_adapter(own_whole)
    with pytest.raises(OutputError, match="holds another run"):
        train(base_folder, rows, task, own_whole, **COURSE)
    dying = lambda: before(TaskTrainer, "training_step")  # noqa: E731
    killed(dying, train, base_folder, rows, task, own_whole, overwrite=True, **COURSE)
    assert equal(lora_weights(qk.load_adapter(own_whole)[0]), lora_weights(found))
    assert held(own_whole) == {"adapter", "checkpoints"}


def test_the_old_adapter_does_not_pass_for_the_end_of_the_run_that_replaces_it(base_folder, rows, task, own_whole):
    ending = lambda: before(finishing, "save_adapter")  # noqa: E731
    killed(ending, train, base_folder, rows, task, own_whole, overwrite=True, **OTHER)
    old = (own_whole / "adapter" / WEIGHTS).read_bytes()
    train(base_folder, rows, task, own_whole, resume_from_checkpoint=True, **OTHER)  # both have 10 steps
    assert (own_whole / "adapter" / WEIGHTS).read_bytes() != old


def test_a_finished_adapter_that_was_damaged_is_written_anew(base_folder, rows, task, own_whole, whole, caplog):
    weights = own_whole / "adapter" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-8])
    train(base_folder, rows, task, own_whole, eval_dataset=rows, resume_from_checkpoint=True, **COURSE)
    assert weights.read_bytes() == (whole[2].adapter_dir / WEIGHTS).read_bytes()
    assert "The adapter is written anew from the checkpoints" in caplog.text


def test_a_checkpoint_of_another_folder_does_not_replace_the_run_in_this_one(base_folder, rows, task, own_whole, whole):
    with pytest.raises(OutputError, match="holds another run"):
        train(
            base_folder, rows, task, own_whole, eval_dataset=rows,
            resume_from_checkpoint=whole[2].output_dir / "checkpoints" / "checkpoint-5", **COURSE,
        )  # fmt: skip


# Killed in one folder, gone on with in another; the base under another name


@pytest.fixture(scope="module")
def half(base_folder, rows, task, tmp_path_factory):
    """A run that was killed in its second epoch, where its first was the best; to be copied where it is changed."""
    folder = tmp_path_factory.mktemp("half") / "run"
    judged, settings = scripted(task, [0.9, 0.1, 0.1]), {**COURSE, "num_train_epochs": 3}
    dying = lambda: before(TaskTrainer, "training_step", at_step(11))  # noqa: E731
    killed(dying, train, base_folder, rows, judged, folder, eval_dataset=rows, **settings)
    return folder


@pytest.fixture
def own_half(half, tmp_path):
    return Path(shutil.copytree(half, tmp_path / "half"))


def finish_elsewhere(base, rows, task, checkpoint, output, **settings):
    """Go on from a checkpoint of the run that was killed; its later evaluations are worse."""
    settings = {**COURSE, "num_train_epochs": 3, "resume_from_checkpoint": checkpoint, **settings}
    return train(base, rows, scripted(task, [0.1, 0.1]), output, eval_dataset=rows, **settings)[2]


def test_a_run_that_goes_on_in_another_folder_needs_the_old_one_no_more(base_folder, rows, task, own_half, tmp_path):
    output = tmp_path / "moved"
    dying = lambda: before(TaskTrainer, "training_step", at_step(11))  # noqa: E731
    killed(dying, finish_elsewhere, base_folder, rows, task, own_half / "checkpoints" / "checkpoint-10", output)
    best = (own_half / "checkpoints" / "checkpoint-5" / WEIGHTS).read_bytes()
    shutil.rmtree(own_half)
    result = finish_elsewhere(base_folder, rows, task, True, output)  # noqa: FBT003
    assert (result.best_step, (result.adapter_dir / WEIGHTS).read_bytes()) == (5, best)


def test_a_checkpoint_that_was_copied_under_another_name_is_gone_on_from(base_folder, rows, task, own_half, tmp_path):
    copy = shutil.copytree(own_half / "checkpoints" / "checkpoint-5", tmp_path / "kept")
    result = finish_elsewhere(base_folder, rows, task, copy, tmp_path / "run")
    assert (result.best_step, result.steps) == (5, 15)
    assert (result.adapter_dir / WEIGHTS).read_bytes() == (copy / WEIGHTS).read_bytes()


def test_the_same_base_under_another_path_is_the_same(base_folder, rows, task, own_half, tmp_path):
    moved = shutil.copytree(base_folder, tmp_path / "moved")
    assert finish_elsewhere(moved, rows, task, True, own_half).best_step == 5  # noqa: FBT003


def test_a_best_checkpoint_of_another_run_is_not_taken(own_half, whole):
    best = own_half / "checkpoints" / "checkpoint-5"
    shutil.rmtree(best)
    shutil.copytree(whole[2].output_dir / "checkpoints" / "checkpoint-5", best)
    with pytest.raises(TrainingError, match=r"without the best checkpoint so far\. .*checkpoint-5 is of another run"):
        read_checkpoint(own_half / "checkpoints" / "checkpoint-10")


# What a checkpoint holds


def forge(checkpoint, *, marker=None, state=None):
    """Change what a checkpoint holds, and seal it anew."""
    file = checkpoint / "trainer_state.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **(state or {})}))
    forget_hashes()
    held = json.loads((checkpoint / MARKER).read_text())
    held["files"][file.name] = file_hash(file)
    for name, changes in (marker or {}).items():
        held[name] |= changes
    write_sealed(checkpoint / MARKER, held)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"marker": {"course": {"token_budget": "x"}}}, "course"),
        ({"marker": {"course": {"token_budget": -1}}}, "course"),
        ({"marker": {"lineage": {"continued_from": "x"}}}, "continued_from"),
        ({"marker": {"lineage": {"continued_from": {"a": 1}}}}, "continued_from"),
        ({"marker": {"lineage": {"run": [1]}}}, "run"),
        ({"marker": {"lineage": {"resumes": [1]}}}, "resumes"),
        ({"marker": {"versions": {"torch": {}}}}, "versions"),
        ({"state": {"stateful_callbacks": {"qlorakit_losses": {"x": 1}}}}, "sums of losses"),
        ({"state": {"log_history": ["x"]}}, "log_history"),
        ({"state": {"best_metric": "z"}}, "best_metric"),
        ({"state": {"best_global_step": None}}, "best_metric and best_global_step"),
        ({"state": {"max_steps": 10**400}}, "max_steps"),
        ({"state": {"other": 1}}, "unknown entries: other"),
    ],
)
def test_a_checkpoint_that_holds_what_no_run_writes_is_damaged(own_half, changes, said):
    checkpoint = own_half / "checkpoints" / "checkpoint-5"
    forge(checkpoint, **changes)
    with pytest.raises(TrainingError, match=rf"checkpoint-5 is damaged: .*not as it was written \(.*{said}"):
        read_checkpoint(checkpoint)


def test_a_path_in_a_checkpoint_does_not_say_which_one_is_the_best(base_folder, rows, task, own_half, whole):
    elsewhere = whole[2].output_dir / "checkpoints" / "checkpoint-10"
    forge(own_half / "checkpoints" / "checkpoint-10", state={"best_model_checkpoint": str(elsewhere)})
    result = finish_elsewhere(base_folder, rows, task, True, own_half)  # noqa: FBT003
    assert (result.adapter_dir / WEIGHTS).read_bytes() != (elsewhere / WEIGHTS).read_bytes()


def test_another_version_of_the_plugin_is_warned_of_and_recorded(
    base_folder, rows, task, own_half, monkeypatch, caplog
):
    monkeypatch.setattr("qlorakit.training.supplier_of", lambda _: "toys 2.0")
    forge(own_half / "checkpoints" / "checkpoint-10", marker={"versions": {"plugin": "toys 1.0"}})
    result = finish_elsewhere(base_folder, rows, task, True, own_half)  # noqa: FBT003
    assert "plugin toys 1.0 then and toys 2.0 now" in caplog.text
    (resumed,) = json.loads((result.adapter_dir / "run.json").read_text())["resumes"]
    assert resumed["versions"] == {"plugin": ["toys 1.0", "toys 2.0"]}


# One training at a time, in one place


def test_two_trainings_do_not_write_into_one_folder(adapted, rows, task, tmp_path, monkeypatch):
    said, original = [], TaskTrainer.training_step

    def training_step(self, *arguments):
        with pytest.raises(OutputError, match=r"another training is writing into .*run") as caught, alone_in(folder):
            pass
        said.append(caught)
        return original(self, *arguments)

    folder = tmp_path / "run"
    monkeypatch.setattr(TaskTrainer, "training_step", training_step)
    qk.train(*adapted, rows, task=task, output_dir=folder, max_steps=1, progress=False)
    assert len(said) == 1
    assert held(folder) == {path.name for path in folder.iterdir()} == {"adapter", "checkpoints"}


def test_a_lock_ends_with_its_process_and_is_no_childs(tmp_path):
    killed(lambda: None, lambda: run_folders._locked(tmp_path / LOCK) and die())
    with alone_in(tmp_path):
        pass
    descriptor = run_folders._locked(tmp_path / LOCK)
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    child.start()
    time.sleep(0.2)  # it has begun
    run_folders._HELD.discard(descriptor)
    os.close(descriptor)  # as where the process ends
    with alone_in(tmp_path):
        assert child.is_alive()
    child.kill()
    child.join()


def test_what_another_training_wrote_since_the_folder_was_looked_at_is_not_lost(own_whole):
    checkpoints = own_whole / "checkpoints"
    (own_whole / "adapter").rename(own_whole / "away")
    found = find_checkpoint(own_whole, resume=True, overwrite=False)
    shutil.rmtree(checkpoints / "checkpoint-10")
    with pytest.raises(OutputError, match="another training has written into"):
        check_still(own_whole, found, resume=True, overwrite=False)


def test_a_task_that_changes_directory_does_not_split_a_run(adapted, rows, task, tmp_path, monkeypatch):
    def leave(*_):
        os.chdir(tmp_path / "other")
        return 0.5

    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    leaving = dataclasses.replace(task, metrics=(Metric("m", leave),))
    settings = {"task": leaving, "eval_dataset": rows, "num_train_epochs": 1, "progress": False}
    result = qk.train(*adapted, rows, output_dir="run", **settings)
    assert result.output_dir == tmp_path / "run"
    assert held(tmp_path / "run") == {"adapter", "checkpoints"}
    assert not list((tmp_path / "other").iterdir())


def test_the_error_of_a_metric_is_its_tasks(adapted, rows, task, tmp_path):
    def fail(*_):
        msg = "no such word"
        raise ValueError(msg)

    failing = dataclasses.replace(task, metrics=(Metric("m", fail),))
    with pytest.raises(PluginError, match=r"metric 'm' of task toy/direction fails .*ValueError: no such word"):
        qk.train(*adapted, rows, task=failing, eval_dataset=rows, output_dir=tmp_path, num_train_epochs=1)


def test_an_evaluation_before_the_first_step_is_not_done_again(base_folder, rows, task, tmp_path):
    settings = {**COURSE, "num_train_epochs": 3, "eval_on_start": True, "early_stopping_patience": 2}
    judged, rest = scripted(task, [0.5, 0.4]), scripted(task, [0.9, 0.3])
    dying = lambda: before(TaskTrainer, "training_step", at_step(6))  # noqa: E731
    killed(dying, train, base_folder, rows, judged, tmp_path, eval_dataset=rows, **settings)
    settings["resume_from_checkpoint"] = True
    result = train(base_folder, rows, rest, tmp_path, eval_dataset=rows, **settings)[2]
    name = f"eval_{rest.metrics[0].name}"
    assert [record[name] for record in result.history if name in record] == [0.5, 0.4, 0.9, 0.3]
    assert (result.steps, result.best_step) == (15, 10)


# What is said of other things than checkpoints


def test_a_finished_run_is_not_done_again_by_the_path_of_its_checkpoint(own_whole):
    checkpoint = own_whole / "checkpoints" / "checkpoint-5"
    with pytest.raises(OutputError, match=r"finished run of 10 steps.*overwrite=True as well"):
        find_checkpoint(own_whole, resume=checkpoint, overwrite=False)
    assert find_checkpoint(own_whole, resume=checkpoint, overwrite=True).step == 5
    with pytest.raises(OutputError, match="overwrite=True without resume_from_checkpoint"):
        find_checkpoint(own_whole, resume=True, overwrite=True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "is the folder of a run .* pass it as output_dir with resume_from_checkpoint=True"),
        ("adapter", "is a finished adapter .*trainable=True"),
        ("checkpoints", "holds checkpoints and is none; give one of the folders"),
    ],
)
def test_a_folder_that_is_no_checkpoint_is_called_what_it_is(whole, tmp_path, given, said):
    with pytest.raises(TrainingError, match=said):
        find_checkpoint(tmp_path, resume=whole[2].output_dir / given, overwrite=False)


def test_what_is_no_path_is_not_taken_for_one(whole):
    output = whole[2].output_dir
    with pytest.raises(ConfigurationError, match="resume_from_checkpoint=1: say True, False, or the path"):
        find_checkpoint(output, resume=1, overwrite=False)
    with pytest.raises(TrainingError, match="Say resume_from_checkpoint=True, without quotes"):
        find_checkpoint(output, resume="true", overwrite=False)
    with pytest.raises(TrainingError, match=r"Did you mean .*checkpoints.checkpoint-5\?"):
        find_checkpoint(output, resume="checkpoint-5", overwrite=False)


def test_a_report_on_the_adapter_that_is_replaced_is_kept_under_another_name(base_folder, rows, task, own_whole):
    run = json.loads((own_whole / "adapter" / "run.json").read_text())["run"]
    (own_whole / "report.json").write_text("old")
    train(base_folder, rows, task, own_whole, overwrite=True, max_steps=1)
    assert held(own_whole) == {"adapter", "checkpoints", f"report.{run[:8]}.json"}
    assert (own_whole / f"report.{run[:8]}.json").read_text() == "old"


# In the middle of an epoch, whoever loads the rows


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_the_number_of_workers_changes_nothing_before_or_after_a_resume(
    base_folder, rows, task, tmp_path, whole, workers
):
    settings = {**COURSE, "save_strategy": "steps", "save_steps": 2}
    dying = lambda: before(TaskTrainer, "training_step", at_step(7))  # noqa: E731
    killed(dying, train, base_folder, rows, task, tmp_path, dataloader_num_workers=workers, **settings)
    settings |= {"resume_from_checkpoint": True, "dataloader_num_workers": 2 - workers}
    _, _, result = train(base_folder, rows, task, tmp_path, **settings)
    assert json.loads((result.adapter_dir / "run.json").read_text())["resumes"][0]["step"] == 6
    last = whole[2].output_dir / "checkpoints" / "checkpoint-10"
    assert (result.adapter_dir / WEIGHTS).read_bytes() == (last / WEIGHTS).read_bytes()


def test_a_run_resumed_twice_says_so(base_folder, rows, task, tmp_path, whole):
    settings = {**COURSE, "save_strategy": "steps", "save_steps": 2}
    for step in (3, 7):
        dying = lambda step=step: before(TaskTrainer, "training_step", at_step(step))  # noqa: E731
        killed(dying, train, base_folder, rows, task, tmp_path, resume_from_checkpoint=step > 3, **settings)
    _, _, result = train(base_folder, rows, task, tmp_path, resume_from_checkpoint=True, **settings)
    record = json.loads((result.adapter_dir / "run.json").read_text())
    assert [resumed["step"] for resumed in record["resumes"]] == [2, 6]
    assert result.train_loss == whole[2].train_loss


# A finished adapter is trained on


def go_on(source, rows, task, folder, **settings):
    """Train a finished adapter on, as a run of its own."""
    model, tokenizer = qk.load_adapter(source, trainable=True)
    usual = {**COURSE, "learning_rate": 1e-2, "progress": False}
    del usual["lora"]
    return model, qk.train(model, tokenizer, rows, task=task, output_dir=folder, **{**usual, **settings})


def test_a_finished_adapter_can_be_trained_on_as_a_run_of_its_own(rows, task, tmp_path, whole, caplog, capsys):
    source = whole[2]
    before_going_on = snapshot(source.output_dir)
    _, result = go_on(source.output_dir, rows[:12], task, tmp_path, num_train_epochs=1)
    assert f"going on from the adapter of {source.output_dir.name} (toy/direction, 10 steps)" in capsys.readouterr().err
    assert "trained already" not in caplog.text
    assert snapshot(source.output_dir) == before_going_on
    assert result.steps == 3
    record, manifest = (json.loads((result.adapter_dir / name).read_text()) for name in ("run.json", "manifest.json"))
    assert record["continued_from"] == manifest["continued_from"] == {
        "folder": source.output_dir.name,
        "task": "toy/direction",
        "steps": 10,
        "manifest": file_hash(source.adapter_dir / "manifest.json"),
    }  # fmt: skip
    assert (record["adapter_was_fresh"], record["resumes"]) == (False, [])


def test_it_starts_from_the_weights_of_the_finished_adapter_with_a_fresh_optimizer(rows, task, tmp_path, whole):
    model, tokenizer = qk.load_adapter(whole[2].output_dir, trainable=True)
    assert equal(lora_weights(model), lora_weights(whole[0]))
    result = qk.train(
        model, tokenizer, rows, task=task, output_dir=tmp_path, max_steps=1, learning_rate=1e-9, progress=False
    )  # fmt: skip
    moved = max(
        float((lora_weights(model)[name] - value).abs().max()) for name, value in lora_weights(whole[0]).items()
    )
    assert 0 < moved < 1e-7
    optimizer = torch.load(result.output_dir / "checkpoints" / "checkpoint-1" / "optimizer.pt", weights_only=True)
    assert {float(state["step"]) for state in optimizer["state"].values()} == {1.0}


def test_only_the_adapter_can_be_trained(rows, task, tmp_path, whole):
    model, tokenizer = qk.load_adapter(whole[2].output_dir, trainable=True)
    assert {name for name, p in model.named_parameters() if p.requires_grad} == set(lora_weights(model))
    frozen, _ = qk.load_adapter(whole[2].output_dir)
    with pytest.raises(ConfigurationError, match=r"frozen.*trainable=True"):
        qk.train(frozen, tokenizer, rows, task=task, output_dir=tmp_path)


def test_it_is_not_put_in_the_place_of_the_adapter_it_goes_on_from_unless_asked(rows, task, own_whole):
    before_going_on = snapshot(own_whole)
    with pytest.raises(OutputError, match=r"holds another run .*Choose another output_dir"):
        go_on(own_whole, rows, task, own_whole)
    assert snapshot(own_whole) == before_going_on
    _, result = go_on(own_whole, rows, task, own_whole, overwrite=True, max_steps=1)
    assert json.loads((result.adapter_dir / "run.json").read_text())["continued_from"]["steps"] == 10


def test_killed_it_goes_on_to_the_same_weights(rows, task, tmp_path, whole):
    source, settings = whole[2].output_dir, {"save_strategy": "steps", "save_steps": 2}
    model, _ = go_on(source, rows, task, tmp_path / "whole", **settings)
    dying = lambda: before(TaskTrainer, "training_step", at_step(7))  # noqa: E731
    killed(dying, go_on, source, rows, task, tmp_path / "run", **settings)
    other, result = go_on(source, rows, task, tmp_path / "run", resume_from_checkpoint=True, **settings)
    assert equal(lora_weights(model), lora_weights(other))
    assert json.loads((result.adapter_dir / "run.json").read_text())["continued_from"]["steps"] == 10


def test_it_is_not_resumed_from_another_adapter(base_folder, rows, task, tmp_path, whole):
    dying = lambda: before(TaskTrainer, "training_step", at_step(7))  # noqa: E731
    killed(dying, go_on, whole[2].output_dir, rows, task, tmp_path / "run")
    train(base_folder, rows, task, tmp_path / "other", **COURSE)
    with pytest.raises(TrainingError, match="the adapter that training went on from is another one"):
        go_on(tmp_path / "other", rows, task, tmp_path / "run", resume_from_checkpoint=True)


def test_a_model_whose_run_stopped_is_no_longer_said_to_be_the_adapter(
    rows, task, tmp_path, whole, monkeypatch, caplog
):
    def stop(*_):
        raise KeyboardInterrupt

    model, tokenizer = qk.load_adapter(whole[2].output_dir, trainable=True)
    usual = {"task": task, "progress": False, "max_steps": 1}
    with monkeypatch.context() as patch:
        patch.setattr(TaskTrainer, "training_step", stop)
        with pytest.raises(KeyboardInterrupt):
            qk.train(model, tokenizer, rows, output_dir=tmp_path / "first", **usual)
    left = set(vars(model))
    result = qk.train(model, tokenizer, rows, output_dir=tmp_path / "second", **usual)
    assert "the adapter has been trained already" in caplog.text
    assert not {MANIFEST_HASH, FINGERPRINTS, SAMPLE, DECISION, HISTORY, TRAINED_FOR} & left
    assert json.loads((result.adapter_dir / "run.json").read_text())["continued_from"] is None


def test_rows_that_chose_an_earlier_checkpoint_of_the_adapter_are_still_named(base_folder, rows, task, tmp_path):
    model, tokenizer, _ = train(base_folder, rows, task, tmp_path / "first", eval_dataset=rows[:6])
    qk.train(
        model, tokenizer, rows, task=task, eval_dataset=rows[6:9], output_dir=tmp_path / "second", max_steps=1,
        eval_strategy="steps", eval_steps=1, progress=False,
    )  # fmt: skip
    report = evaluate(model, tokenizer, rows, task)
    assert any("9 of 18 rows chose the checkpoint" in note for note in report.notes)


def test_thresholds_that_were_fitted_to_other_weights_are_not_kept_silently(base_folder, tmp_path, caplog):
    task = multilabel("toy/tags", summary="", instruction="the words", labels=("a", "b", "c"))
    tagged = [{"text": f"text {i}", "labels": [label for label in "abc" if (i + ord(label)) % 3]} for i in range(12)]
    train(base_folder, tagged, task, tmp_path / "first", eval_dataset=tagged)
    _, result = go_on(tmp_path / "first", tagged, task, tmp_path / "second", max_steps=1)
    assert "the thresholds of the adapter were fitted to its weights as they are now" in caplog.text
    assert json.loads((result.adapter_dir / "manifest.json").read_text())["decision"] is None
