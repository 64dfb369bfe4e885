import dataclasses
import hashlib
import json
import os
import re
import shutil

import pytest
import torch
from engine import echo_task, evaluate, train

import qlorakit as qk
from qlorakit.adapters import RUN_RECORD, WEIGHTS
from qlorakit.errors import AdapterError, ConfigurationError, DataError, VerificationError
from qlorakit.kinds import multilabel, single_label
from qlorakit.records import write_sealed


@pytest.fixture(scope="module")
def original(base_folder, rows, task, tmp_path_factory):
    """A run with an evaluation, and a report beside it; tests that spoil it work on a copy."""
    folder = tmp_path_factory.mktemp("original") / "run"
    model, tokenizer, result = train(
        base_folder, rows, task, folder, eval_dataset=rows, max_eval_rows=10, num_train_epochs=3
    )
    report = evaluate(model, tokenizer, rows[:8], task, baseline=True, train_dataset=rows, shots=1)
    report.save(folder.with_name("report.json"))
    return result.output_dir


@pytest.fixture(scope="module")
def report(original):
    return original.with_name("report.json")


@pytest.fixture
def run(original, tmp_path):
    return shutil.copytree(original, tmp_path / "run")


@pytest.fixture
def verify(task, rows):
    """Verify with everything that belongs to the run, unless something else is given."""

    def verified(folder, **given):
        usual = {"task": task, "eval_dataset": rows, "train_dataset": rows, "progress": False}
        return qk.verify(folder, **{**usual, **given})

    return verified


def state(found, name):
    (check,) = [check for check in found.checks if check.name == name]
    return check.state


def rewrite(run, name, change):
    """Change a file of the adapter and its hash in the manifest, as somebody would who knows how."""
    path, manifest = run / "adapter" / name, run / "adapter" / "manifest.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))
    sealed = json.loads(manifest.read_text())
    if name != manifest.name:
        sealed["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    write_sealed(manifest, sealed)


def test_a_run_is_the_same_in_everything_bit_for_bit(original, report, rows, verify):
    found = verify(original, report=report, rows=rows[:8])
    assert found.ok, str(found)
    assert {check.state for check in found.checks} == {"same"}
    told = {check.name: check.detail for check in found.checks}
    assert "on 10 rows" in told["evaluation"]
    assert "equal bit for bit" in told["evaluation"]
    assert "tuned, base, base with 1 shot, majority, tfidf on 8 rows, answers, metrics and" in told["report"]


def test_what_is_not_given_is_said_not_to_be_checked(original, caplog):
    found = qk.verify(original, progress=False)
    assert not found.ok
    missing = {check.name: check.detail for check in found.named("not checked")}
    assert set(missing) == {"task", "training rows", "evaluation rows", "evaluation"}
    assert "give eval_dataset=" in missing["evaluation rows"]
    assert "evaluation is not checked" in caplog.text


def test_a_file_that_looks_as_before_is_read_anew(run, verify):
    path = run / "adapter" / WEIGHTS
    before, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(VerificationError, match=f"files: {WEIGHTS} was changed or damaged"):
        verify(run)


def test_all_that_is_different_is_named_at_once(run, verify):
    (run / "adapter" / "chat_template.jinja").write_text("other")
    (run / "adapter" / RUN_RECORD).unlink()
    next((run / "checkpoints").glob("*/optimizer.pt")).unlink()
    with pytest.raises(VerificationError) as raised:
        verify(run)
    for said in ("chat_template.jinja was changed", f"{RUN_RECORD} is missing", "checkpoints: ", "optimizer.pt"):
        assert said in str(raised.value)


def test_checkpoints_that_were_removed_are_no_fault(run, verify):
    shutil.rmtree(run / "checkpoints")
    assert verify(run / "adapter").ok


def test_a_file_that_was_added_is_mentioned(run, verify):
    (run / "adapter" / "README.md").write_text("a card")
    found = verify(run)
    assert state(found, "files") == "changed"
    assert found.ok


def test_another_base_is_found(own_base, rows, task, tmp_path, verify):
    train(own_base, rows, task, tmp_path / "run", eval_dataset=rows)
    (own_base / "config.json").write_text((own_base / "config.json").read_text() + " ")
    with pytest.raises(VerificationError, match=r"base: .* differs in config.json"):
        verify(tmp_path / "run")


def test_a_base_that_has_moved_is_looked_for_where_the_user_says(own_base, rows, task, tmp_path, verify):
    train(own_base, rows, task, tmp_path / "run", eval_dataset=rows)
    moved = shutil.move(own_base, tmp_path / "elsewhere")
    found = verify(tmp_path / "run")
    assert {check.name for check in found.named("not checked")} == {"base", "evaluation"}
    assert verify(tmp_path / "run", base=moved).ok


def test_other_rows_are_found(original, report, rows, verify):
    swapped = [rows[1], rows[0], *rows[2:]]
    with pytest.raises(VerificationError) as raised:
        verify(original, train_dataset=swapped, eval_dataset=rows[1:], report=report, rows=rows[1:9])
    for name in ("training rows: the 18", "evaluation rows: the 10", "report: the 8"):
        assert f"{name} rows given" in str(raised.value)


def test_a_task_that_asks_in_other_words_is_found(original, verify):
    other = single_label(
        "toy/direction", summary="?", instruction="the direction, in a word", labels=("down", "flat", "up")
    )
    with pytest.raises(VerificationError, match="eval tokens: the task asks about the same rows in other words"):
        verify(original, task=other)


def test_a_task_of_another_name_is_not_the_run_s(original, task, verify):
    with pytest.raises(VerificationError, match="the run was for toy/direction, and toy/other was given"):
        verify(original, task=dataclasses.replace(task, name="toy/other"))


def test_weights_that_were_exchanged_with_their_hash_are_found_by_what_they_answer(
    run, report, base_folder, rows, task, tmp_path, verify
):
    other = train(base_folder, rows, task, tmp_path / "other", seed=5)[2]
    shutil.rmtree(run / "checkpoints")
    shutil.copy(other.adapter_dir / WEIGHTS, run / "adapter" / WEIGHTS)
    digest = hashlib.sha256((run / "adapter" / WEIGHTS).read_bytes()).hexdigest()
    rewrite(run, "manifest.json", lambda manifest: manifest["files"].update({WEIGHTS: digest}))
    with pytest.raises(VerificationError) as raised:
        verify(run, report=report)
    for said in ("answers: log-probabilities of 10 rows", "evaluation: step", "report: it measures another adapter"):
        assert said in str(raised.value)


def test_a_metric_that_was_embellished_is_found(run, verify):
    def embellish(record):
        for entry in record["history"]:
            entry.update({name: 0.99 for name in entry if name == "eval_accuracy"})

    rewrite(run, RUN_RECORD, embellish)
    with pytest.raises(VerificationError, match=r"1 of \d+ values differ: accuracy was 0.99 and is"):
        verify(run)


def test_settings_that_contradict_the_manifest_are_found(run, verify):
    rewrite(run, RUN_RECORD, lambda record: record["settings"].update(max_length=99))
    with pytest.raises(VerificationError, match=r"settings: max_length is 99 in run\.json and"):
        verify(run)


def test_the_adapter_is_that_of_the_checkpoint_that_was_chosen(run, verify):
    rewrite(run, RUN_RECORD, lambda record: record["best"].update(step=3))
    shutil.copytree(next((run / "checkpoints").iterdir()), run / "checkpoints" / "checkpoint-3", dirs_exist_ok=True)
    (run / "checkpoints" / "checkpoint-3" / WEIGHTS).write_bytes(b"others")
    with pytest.raises(VerificationError, match="checkpoint-3"):
        verify(run)


@pytest.mark.parametrize("changed", ["versions", "machine"])
def test_on_other_packages_or_another_machine_a_stated_tolerance_decides(changed, run, verify):
    def age(record):
        record[changed] |= {"torch": "1.0", "instructions": "none"}
        for entry in record["history"]:
            entry.update({name: value + 1e-4 for name, value in entry.items() if name == "eval_loss"})

    rewrite(run, RUN_RECORD, age)
    found = verify(run)
    assert state(found, {"versions": "packages"}.get(changed, changed)) == "changed"
    assert found.ok
    told = next(check.detail for check in found.checks if check.name == "evaluation")
    assert re.search(r"differ by at most 0\.0001, 0\.21 is allowed because the \w+ changed, in float32", told)


def test_another_number_of_threads_is_none_of_the_run_s(original, verify):
    torch.set_num_threads(2)
    try:
        assert state(verify(original), "machine") == "same"
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_a_run_without_evaluation_is_asked_about_its_training_rows(base_folder, rows, task, tmp_path):
    train(base_folder, rows, task, tmp_path / "run", class_balance="weights")
    found = qk.verify(tmp_path / "run", task=task, train_dataset=rows, progress=False)
    assert found.ok
    assert state(found, "answers") == "same"
    assert not [check for check in found.checks if check.name == "evaluation"]


def test_thresholds_are_fitted_again(base_folder, rows, tmp_path):
    task = multilabel("toy/labels", summary="?", instruction="the labels", labels=("down", "up"))
    several = [{"text": row["text"], "labels": [row["label"]] if row["label"] != "flat" else []} for row in rows]
    train(base_folder, several, task, tmp_path / "run", eval_dataset=several, objective="choices")
    given = {"task": task, "train_dataset": several, "eval_dataset": several, "progress": False}
    assert qk.verify(tmp_path / "run", **given).ok
    manifest = tmp_path / "run" / "adapter" / "manifest.json"
    record = json.loads(manifest.read_text())
    record["decision"]["up"] += 0.25
    write_sealed(manifest, record)
    with pytest.raises(VerificationError, match=r"thresholds\.up was 0"):
        qk.verify(tmp_path / "run", **given)


def test_a_report_that_was_embellished_is_found(run, report, rows, verify):
    path = run / "report.json"
    record = json.loads(report.read_text())
    record["predictions"][3]["tuned"]["value"] = "sideways"
    path.write_text(json.dumps(record))
    with pytest.raises(VerificationError, match=r"report: .*: 1 of \d+ values differ: predictions.*sideways"):
        verify(run, rows=rows[:8])


def test_baselines_of_a_report_need_their_training_rows(original, report, rows, verify):
    found = verify(original, train_dataset=None, report=report, rows=rows[:8])
    assert state(found, "report") == "same"
    assert state(found, "report: baselines") == "not checked"
    assert state(verify(original, report=report), "report") == "not checked"


def test_a_report_on_another_task_or_none_at_all_is_refused(original, verify, tmp_path, rows, task):
    other = qk.judge(["up"] * 4, rows[:4], task=dataclasses.replace(task, name="toy/other"), name="rules")
    with pytest.raises(VerificationError, match="it is on toy/other"):
        verify(original, report=other)
    rules = qk.judge(["up"] * 4, rows[:4], task=task, name="rules")
    assert state(verify(original, report=rules), "report") == "not checked"
    (tmp_path / "no.json").write_text("{")
    with pytest.raises(DataError, match="is no report"):
        verify(original, report=tmp_path / "no.json")


def test_what_is_no_finished_run_is_refused(run, verify, tmp_path):
    with pytest.raises(AdapterError, match="holds no adapter saved by this library"):
        verify(tmp_path)
    (run / "adapter").rename(tmp_path / "apart")
    with pytest.raises(AdapterError, match="checkpoints of a run that did not finish"):
        verify(run)
    (run / "adapter").symlink_to(tmp_path / "apart")
    with pytest.raises(AdapterError, match="is a link, which is not followed"):
        verify(run)
    with pytest.raises(ConfigurationError, match="is not a Task"):
        verify(run, task="toy/direction")


def test_a_run_of_a_newer_version_is_refused(run, verify):
    rewrite(run, "manifest.json", lambda manifest: manifest.update(format=99))
    with pytest.raises(AdapterError, match="has format 99; this version reads"):
        verify(run)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("history", lambda record: record.pop("history")),
        ("history", lambda record: record["history"][-1].update(eval_loss=10**400)),
        ("history", lambda record: [entry.update(eval_rows="x") for entry in record["history"]]),
        ("settings.objective", lambda record: record["settings"].update(objective="foo")),
        ("settings.negatives", lambda record: record["settings"].update(negatives=-1)),
        ("settings.token_budget", lambda record: record["settings"].update(token_budget=10**400)),
    ],
)
def test_a_record_that_is_none_is_refused(run, verify, name, change):
    rewrite(run, RUN_RECORD, change)
    with pytest.raises(AdapterError, match=f"{name} is not as it was written"):
        verify(run)


@pytest.mark.parametrize("count", [-1, 0, 100_000, 10**30])
def test_a_number_of_threads_that_is_not_here_is_another_machine(run, verify, count):
    rewrite(run, RUN_RECORD, lambda record: record["machine"].update(threads=count))
    found = verify(run, task=None, eval_dataset=None, train_dataset=None)
    assert state(found, "machine") == "changed"
    assert torch.get_num_threads() == 1


def test_a_report_whose_settings_are_none_is_found(run, report, rows, verify):
    record = json.loads(report.read_text())
    record["settings"]["resamples"] = 10**30
    (run / "report.json").write_text(json.dumps(record))
    with pytest.raises(VerificationError, match="report: resamples of its settings is not as evaluate writes it"):
        verify(run, rows=rows[:8])


def test_a_report_with_texts_is_repeated_with_texts_and_none_is_shown(base_folder, tmp_path):
    rows = [{"text": f"say {word}", "answer": f"{word} {'confidential ' * 5}"} for word in ("up", "down")]
    model, tokenizer, _ = train(base_folder, rows, echo_task(), tmp_path, max_steps=1, max_new_tokens=4)
    evaluate(model, tokenizer, rows, echo_task(), max_new_tokens=4, include_text=True).save(tmp_path / "report.json")
    given = {"task": echo_task(), "train_dataset": rows, "rows": rows, "progress": False}
    assert qk.verify(tmp_path, **given).ok
    record = json.loads((tmp_path / "report.json").read_text())
    record["predictions"][0]["reference"] += "!"
    (tmp_path / "report.json").write_text(json.dumps(record))
    with pytest.raises(VerificationError, match="was something of 71 characters and is") as raised:
        qk.verify(tmp_path, **given)
    assert "confidential" not in str(raised.value)


def test_checkpoints_of_a_run_that_is_to_replace_this_one_do_not_accuse_it(original, run, base_folder, rows, task):
    other = run.with_name("other")
    train(base_folder, rows, task, other, max_steps=2, seed=5)
    shutil.rmtree(run / "checkpoints")
    shutil.copytree(other / "checkpoints", run / "checkpoints")
    found = qk.verify(run, task=task, progress=False)
    assert state(found, "checkpoints") == "changed"
    assert "checkpoints are of another run" in str(found).replace("\n", " ")


@pytest.fixture(scope="module")
def merged(original, rows, task, tmp_path_factory):
    model, _ = qk.load_adapter(original)
    folder = tmp_path_factory.mktemp("merged") / "m"
    qk.merge(model, folder, task=task, eval_dataset=rows, progress=False)
    return folder


def test_a_merged_model_is_compared_with_its_record(merged, base_folder):
    found = qk.verify(merged, progress=False)
    states = {check.name: check.state for check in found.checks}
    checked = {"record": "same", "files": "same", "base": "same"}
    assert states == {**checked, "adapter": "not checked", "answers": "not checked"}
    assert not found.ok
    assert state(qk.verify(merged, base=base_folder, progress=False), "base") == "same"


def test_a_change_in_a_merged_model_is_found(merged, tmp_path):
    for path in merged.iterdir():
        folder = shutil.copytree(merged, tmp_path / path.name)
        content = path.read_text("latin-1")
        changed = content.replace("dequantized", "original") if path.name == "merge.json" else f"{content} "
        (folder / path.name).write_text(changed, "latin-1")
        with pytest.raises((AdapterError, VerificationError), match=path.name):
            qk.verify(folder, progress=False)


def test_a_report_from_another_machine_is_compared_by_its_metrics(run, report, rows, verify):
    record = json.loads(report.read_text())
    record["settings"]["machine"]["instructions"] = "none"
    record["predictions"][3]["tuned"]["value"] = "sideways"  # as rounding turns one over
    (run / "report.json").write_text(json.dumps(record))
    found = verify(run, rows=rows[:8])
    assert state(found, "report") == "same"
    record["systems"][0]["metrics"]["accuracy"]["value"] -= 0.375
    (run / "report.json").write_text(json.dumps(record))
    with pytest.raises(VerificationError, match=r"report: .*1 of \d+ values differ by more than 0\.26.*accuracy"):
        verify(run, rows=rows[:8])
