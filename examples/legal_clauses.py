"""Fine-tune a small model to sort clauses into the categories of a contract review, and compare it with cheaper ways.

    python examples/legal_clauses.py                                    # the plugin's hand-written rows, offline
    python examples/legal_clauses.py --data ../shared/data/cuad/cuad_clauses.jsonl
    python examples/legal_clauses.py --data cuad_clauses.jsonl --rows-per-class 40 --chat chat.jsonl

A clause may belong to several categories: each gets a threshold of its own, fitted on validation rows.  Whole contracts
are held back for the test, because the clauses of one repeat each other's wording.  Many categories are rare: with
``--rows-per-class``, so many training rows of each are drawn instead of keeping their shares.  ``--chat`` writes the
training rows as conversations of system, user and assistant, for a look or for another program.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qlorakit as qk

if TYPE_CHECKING:
    import datasets

    from qlorakit import Task


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data",
        type=Path,
        help="file with clauses: CUAD in either form, or your own with the columns text, labels and contract",
    )
    parser.add_argument("--rows-per-class", type=int, help="train on so many rows of each category")
    parser.add_argument("--chat", type=Path, help="write the training rows as conversations to this file (.jsonl)")
    parser.add_argument("--model", default="qlorakit/tiny", help="local folder, plugin's model or Hub name")
    parser.add_argument("--output", type=Path, default=Path("runs/legal-clauses"), help="folder for the result")
    parser.add_argument("--epochs", type=float, default=2.0, help="passes over the training rows (default 2)")
    parser.add_argument("--learning-rate", type=float, default=4e-3, help="default 4e-3; for models over 1 B try 2e-4")
    parser.add_argument("--rank", type=int, default=16, help="of the LoRA adapters (default 16)")
    parser.add_argument(
        "--max-length", type=int, default=512, help="most tokens of a clause with its question (default 512)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of split, adapters and training (default 0)")
    return parser.parse_args()


def read(arguments: argparse.Namespace, task: Task[Any]) -> datasets.DatasetDict:
    """The rows of the file named, or else the samples, split by contract."""
    if arguments.data is None:
        print(f"no --data given: using the {len(task.samples)} sample rows of {task.name}")
    rows = task.samples if arguments.data is None else qk.read_rows(arguments.data, task=task)
    data = qk.split(rows, task=task, seed=arguments.seed, rows_per_class=arguments.rows_per_class)
    for side, found in data.items():
        print(f"{side}: clauses {len(found)}, contracts {contracts(found, task)} (seed {arguments.seed})")
    return data


def contracts(rows: datasets.Dataset, task: Task[Any]) -> int:
    """How many contracts the rows are from, where they tell."""
    named = {task.group(row) for row in rows} if task.group else set()
    return len(named - {None})


def main() -> None:
    """Read, split, train, evaluate, save."""
    arguments = parse_arguments()
    began = time.monotonic()
    task = qk.get_task("legal/clauses")
    data = read(arguments, task)
    if arguments.chat:
        qk.to_chat(data["train"], task=task).to_json(arguments.chat)
        print(f"conversations: {arguments.chat}")
    model, tokenizer = qk.load_quantized(arguments.model)
    model = qk.attach_lora(model, r=arguments.rank, seed=arguments.seed)
    run = qk.train(
        model, tokenizer, data["train"], task=task, eval_dataset=data["validation"], output_dir=arguments.output,
        overwrite=True, learning_rate=arguments.learning_rate, num_train_epochs=arguments.epochs, seed=arguments.seed,
        max_length=arguments.max_length,
    )  # fmt: skip
    report = qk.evaluate(
        model, tokenizer, data["test"], task=task, baseline=True, shots=0, train_dataset=data["train"],
        validation_dataset=data["validation"], max_length=arguments.max_length, seed=arguments.seed,
    )  # fmt: skip
    print(report)
    page, numbers = (report.save(arguments.output / f"report.{ending}") for ending in ("html", "json"))
    print(f"adapter: {run.adapter_dir}")
    print(f"report: {page} (open it in a browser), {numbers}")
    print(f"took {time.monotonic() - began:.0f} s in all, of which training {run.seconds:.0f} s")


if __name__ == "__main__":
    try:
        main()
    except qk.QlorakitError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt as stop:
        sys.exit(f"stopped: {stop}")
