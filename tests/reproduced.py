"""Everything that should come out the same wherever it is done, as plain data; run in several processes."""

import hashlib
import json

from engine import attach, evaluate, train

import qlorakit as qk
from qlorakit.kinds import single_label

TASK = single_label(
    "toy/direction", summary="Which way?", instruction="the direction of the word", labels=("down", "flat", "up")
)
WAYS_OF_TRAINING = {
    "plain": {},
    "dropout": {"lora": {"dropout": 0.2}, "class_balance": "oversample"},
    "documents": {"gather_documents": True},
    "choices": {"objective": "choices", "negatives": 1},
    "padded": {"prefix_sharing": "off"},
}


def trained(base, rows, folder, *, evaluation=None, **settings):
    """The weights and the record of a run, without its name, times and memory."""
    result = train(base, rows, TASK, folder, eval_dataset=evaluation, **settings)[2]
    record = json.loads((result.adapter_dir / "run.json").read_text(encoding="utf-8"))
    del record["seconds"], record["run"], record["memory"]
    record["history"] = [without_times(entry) for entry in record["history"]]
    weights = (result.adapter_dir / "adapter_model.safetensors").read_bytes()
    return {"weights": hashlib.sha256(weights).hexdigest(), "record": record}


def without_times(entry):
    return {name: value for name, value in entry.items() if "second" not in name and "runtime" not in name}


def reported(base, rows):
    """A report with every kind of baseline, without what it cost."""
    model, tokenizer = attach(base)
    report = evaluate(
        model, tokenizer, rows[:9], TASK, baseline=True, train_dataset=rows[9:], shots=2, slices=["site"]
    ).to_dict()
    for system in report["systems"]:
        del system["cost"]
    return report


def everything(base, rows, folder, *, given=list, **settings):
    """By name, what every part of the library makes of rows.

    Args:
        base: Folder of the model.
        rows: As a list.
        folder: For what is saved.
        given: Makes what is handed over of them.
        settings: Of training, which should not matter.
    """
    handed = given(rows)
    found = {name: trained(base, handed, folder / name, **way, **settings) for name, way in WAYS_OF_TRAINING.items()}
    found["evaluated"] = trained(base, handed, folder / "evaluated", evaluation=handed, max_eval_rows=7, **settings)
    split = qk.split(handed, task=TASK, seed=0, validation=0.2, test=0.2, near_duplicates=None)
    found["split"] = {side: [dict(row) for row in rows] for side, rows in split.items()}
    found["audit"] = qk.audit(handed, TASK).to_dict()
    found["report"] = reported(base, rows)
    return json.loads(json.dumps(found))
