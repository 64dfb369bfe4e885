import json

import pytest
from engine import attach, evaluate, run_python, train
from helpers import write_jsonl

import qlorakit as qk
from qlorakit.adapters import WEIGHTS

AFRESH = """
import json, sys
import qlorakit as qk
from qlorakit.kinds import single_label
folder, rows = sys.argv[1:]
task = single_label(
    "toy/direction", summary="?", instruction="the direction of the word", labels=("down", "flat", "up")
)
rows = qk.read_rows(rows, task=task)
model, tokenizer = qk.load_adapter(folder)
found = qk.predict(model, tokenizer, rows, task=task, progress=False)
base, tokenizer = qk.load_quantized(json.load(open(f"{folder}/adapter/manifest.json"))["base"]["name"],
                                    compute_dtype="float32")
model = qk.attach_lora(base, r=8, seed=0)
qk.train(model, tokenizer, rows, task=task, output_dir=f"{folder}/again", learning_rate=1e-2, num_train_epochs=2,
         batch_size=6, progress=False)
print(json.dumps([list(found["prediction"]), list(found["probability"])]))
"""


@pytest.fixture(scope="module")
def run(base_folder, rows, task, tmp_path_factory):
    return train(base_folder, rows, task, tmp_path_factory.mktemp("run"), num_train_epochs=2)


@pytest.fixture(scope="module")
def afresh(run, rows):
    """What another process makes of the same adapter and of the same training, with other hashes of strings."""
    folder = run[2].output_dir
    done = run_python(AFRESH, folder, write_jsonl(folder / "rows.jsonl", rows), PYTHONHASHSEED="4711")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def test_a_new_process_gives_identical_probabilities(run, rows, task, afresh):
    model, tokenizer, _ = run
    found = qk.predict(model, tokenizer, rows, task=task, progress=False)
    assert afresh == [list(found["prediction"]), list(found["probability"])]


def test_a_new_process_trains_the_very_same_adapter(run, afresh):
    first, second = run[2].output_dir / "adapter", run[2].output_dir / "again" / "adapter"
    assert (first / WEIGHTS).read_bytes() == (second / WEIGHTS).read_bytes()


def test_what_two_processes_record_of_the_same_run_differs_in_name_times_and_memory_alone(run, afresh):
    first, second = (
        json.loads((run[2].output_dir / name / "run.json").read_text()) for name in ("adapter", "again/adapter")
    )
    for record in (first, second):
        for name in ("run", "seconds", "memory"):  # what else the process held counts as memory
            record.pop(name)
        record["history"] = [{k: v for k, v in step.items() if "train_" not in k} for step in record["history"]]
    assert first == second


def test_from_a_file_to_a_report(base_folder, rows, task, tmp_path):
    read = qk.read_rows(write_jsonl(tmp_path / "rows.jsonl", rows), task=task)
    data = qk.split(read, task=task, seed=0, validation=0.2, near_duplicates=None)  # they differ in digits alone
    model, tokenizer = attach(base_folder)
    qk.train(
        model, tokenizer, data["train"], task=task, eval_dataset=data["validation"], output_dir=tmp_path / "run",
        batch_size=4, learning_rate=1e-2, num_train_epochs=6, progress=False,
    )  # fmt: skip
    report = evaluate(model, tokenizer, data["test"], task, baseline=True, train_dataset=data["train"])
    assert report.system("tuned").metrics["accuracy"].value > report.system("base").metrics["accuracy"].value
    assert report.save(tmp_path / "report.json").is_file()
    assert "tuned is ahead of base" in report.headline()  # by four rows nobody beats anybody
