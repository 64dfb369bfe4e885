"""The language-model loss against the choice among all answers, on closed-set data, on validation rows alone.

    python benchmarks/objectives.py                      # everything: some hours on one core
    python benchmarks/objectives.py --datasets banking77 --threads 2

For every data set and objective the learning rate is chosen on the validation rows of seed 0; the best one is then run
with the other seeds.  Every run is written to ``results/objectives.jsonl`` as it ends and is not repeated, so that the
command can be stopped and called again.  The table goes to ``results/objectives.md``.  Test rows are never touched.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import torch

import qlorakit as qk
from qlorakit.kinds import single_label

DATA = Path(os.environ.get("QLORAKIT_DATA", "../shared/data"))
RESULTS = Path(__file__).parent / "results"
Objective = Literal["language_model", "choices"]
OBJECTIVES: tuple[Objective, ...] = ("language_model", "choices")
RATES = (1e-3, 2e-3, 4e-3)
SEEDS = (0, 1, 2)
TRAINING_ROWS, VALIDATION_ROWS = 1600, 300
EPOCHS = 4
MAX_LENGTH = 192
METRICS = ("macro_f1", "accuracy")
Row = Mapping[str, str]


def read_phrasebank() -> Iterator[Row]:
    """Sentences on which all annotators agree."""
    text = (DATA / "financial_phrasebank" / "Sentences_AllAgree.txt").read_text(encoding="latin-1")
    for line in text.splitlines():
        sentence, _, label = line.rpartition("@")
        yield {"text": sentence, "label": label}


def read_headlines() -> Iterator[Row]:
    """Headlines on gold and their sentiment, lopsided."""
    yield from _read_csv("gold_headlines/gold-dataset-sinha-khandait.csv", "News", "Price Sentiment", delimiter="\t")


def read_dialogues() -> Iterator[Row]:
    """Doctor-patient dialogues and the section of the note they belong to: twenty, with a long tail."""
    yield from _read_csv("mts_dialog/MTS-Dialog-TrainingSet.csv", "dialogue", "section_header")


def read_intents() -> Iterator[Row]:
    """Requests to a bank and their intent: seventy-seven."""
    yield from _read_csv("banking77/train.csv", "text", "category")


def read_diseases() -> Iterator[Row]:
    """Symptoms and the disease: twenty-four."""
    yield from _read_csv("symptom2disease/Symptom2Disease.csv", "text", "label")


# Reader, instruction, wrong choices that the right one is compared with (None: all).
DATASETS: dict[str, tuple[Any, str, int | None]] = {
    "phrasebank": (
        read_phrasebank,
        "Decide whether the news is positive, neutral or negative for the share price.",
        None,
    ),
    "gold_headlines": (read_headlines, "Give the headline's sentiment for the price of gold.", None),
    "mts_dialog": (read_dialogues, "Name the section of the medical note this dialogue belongs to.", None),
    "symptom2disease": (read_diseases, "Name the disease that the symptoms speak of.", None),
    "banking77": (read_intents, "Name the intent of the customer's request.", 7),
}


def _read_csv(path: str, text: str, label: str, *, delimiter: str = ",") -> Iterator[Row]:
    with (DATA / path).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter=delimiter):
            if row[text].strip():
                yield {"text": row[text], "label": row[label].strip().casefold()}


def drawn(rows: Any, most: int) -> list[Row]:  # noqa: ANN401  # datasets is not typed
    """So many rows at most, by chance: files such as Banking77's are sorted by label."""
    return list(rows.shuffle(seed=0).select(range(min(most, len(rows)))))


def run(dataset: str, objective: Objective, rate: float, seed: int, model_name: str) -> dict[str, Any]:
    """Train once, measure on validation rows."""
    read, instruction, negatives = DATASETS[dataset]
    rows = list(read())
    labels = sorted({row["label"] for row in rows})
    task = single_label(f"benchmark/{dataset}", summary=dataset, instruction=instruction, labels=labels)
    data = qk.split(rows, task=task, seed=seed)
    training, validation = drawn(data["train"], TRAINING_ROWS), drawn(data["validation"], VALIDATION_ROWS)
    model, tokenizer = qk.load_quantized(model_name)
    model = qk.attach_lora(model, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        qk.train(
            model, tokenizer, training, task=task, output_dir=folder, learning_rate=rate, num_train_epochs=EPOCHS,
            seed=seed, objective=objective, negatives=negatives if objective == "choices" else None,
            max_length=MAX_LENGTH, save_strategy="no", progress=False,
        )  # fmt: skip
        seconds = time.perf_counter() - began
    report = qk.evaluate(model, tokenizer, validation, task=task, resamples=100, max_length=MAX_LENGTH, progress=False)
    found = {name: estimate.value for name, estimate in report.systems[0].metrics.items() if name in METRICS}
    sizes = {"rows": len(training), "validation_rows": len(validation), "choices": len(labels)}
    return {**sizes, **found, "seconds": round(seconds, 1)}


def complete(dataset: str, model_name: str, done: list[dict[str, Any]], path: Path) -> None:
    """Do what is missing for a data set: every rate with seed 0, the best one with the others."""

    def measure(objective: Objective, rate: float, seed: int) -> dict[str, Any]:
        key = {"dataset": dataset, "objective": objective, "learning_rate": rate, "seed": seed}
        for record in done:
            if key.items() <= record.items():
                return record
        try:
            record = {**key, **run(dataset, objective, rate, seed, model_name)}
        except qk.QlorakitError as error:  # a rate that is too high ends in NaN
            record = {**key, **dict.fromkeys(METRICS, 0.0), "seconds": None, "error": str(error)}
        done.append(record)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        print(json.dumps(record), flush=True)
        return record

    for objective in OBJECTIVES:
        tried = [measure(objective, rate, 0) for rate in RATES]
        while (best := max(tried, key=lambda record: float(record["macro_f1"]))) in (tried[0], tried[-1]):
            if best is tried[-1]:  # the best one must not be at the edge
                tried.append(measure(objective, 2 * best["learning_rate"], 0))
            else:
                tried.insert(0, measure(objective, best["learning_rate"] / 2, 0))
        for seed in SEEDS[1:]:
            measure(objective, best["learning_rate"], seed)


def table(done: Iterable[dict[str, Any]]) -> Iterator[str]:
    """The chosen runs of each data set and objective, as Markdown; seconds are those of the fastest run."""
    records = list(done)
    yield "| data | choices | rows | objective | rate | macro-F1, seeds 0 1 2 | mean | accuracy | least seconds |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for dataset in DATASETS:
        for objective in OBJECTIVES:
            mine = [one for one in records if (one["dataset"], one["objective"]) == (dataset, objective)]
            later = [one for one in mine if one["seed"] == SEEDS[-1]]
            if not later:
                continue
            rate = later[0]["learning_rate"]
            chosen = sorted((one for one in mine if one["learning_rate"] == rate), key=lambda one: int(one["seed"]))
            values = [one["macro_f1"] for one in chosen]
            yield (
                f"| {dataset} | {chosen[0]['choices']} | {chosen[0]['rows']} | {objective} | {rate:g} | "
                f"{' '.join(f'{value:.3f}' for value in values)} | {statistics.mean(values):.3f} | "
                f"{statistics.mean(one['accuracy'] for one in chosen):.3f} | "
                f"{min(one['seconds'] for one in mine if one['seconds']):.0f} |"
            )


def main() -> None:
    """Read the command line and go on where the last call stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", nargs="+", choices=list(DATASETS), default=list(DATASETS))
    parser.add_argument("--model", default="qlorakit/tiny", help="local folder, plugin's model or Hub name")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default 1)")
    arguments = parser.parse_args()
    if not DATA.is_dir():
        sys.exit(f"{DATA} is not there; say where the data is by QLORAKIT_DATA")
    torch.set_num_threads(arguments.threads)
    logging.getLogger("qlorakit").setLevel(logging.ERROR)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "objectives.jsonl"
    done = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []
    for dataset in arguments.datasets:
        complete(dataset, arguments.model, done, path)
    lines = ["# Two objectives", "", "Printed by `python benchmarks/objectives.py`.", "", *table(done)]
    (RESULTS / "objectives.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
