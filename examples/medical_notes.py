"""Fine-tune a small model to write notes from dialogues, and look at what in its notes could harm a patient.

    python examples/medical_notes.py                                    # the plugin's hand-written rows, offline
    python examples/medical_notes.py --data ../shared/data/mts_dialog/MTS-Dialog-TrainingSet.csv

ROUGE says how many words a note shares with the right one.  It hardly moves where "denies chest pain" becomes "chest
pain", so critical errors are counted beside it, and those of the first few notes are shown with their places.  Nothing
that this writes is fit for a patient's record.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qlorakit as qk
from qlorakit_medical.critical_errors import find_critical_errors

if TYPE_CHECKING:
    from qlorakit import Task
    from qlorakit.task import Row


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, help="file with dialogues and notes, its columns called as print(task) says"
    )
    parser.add_argument("--task", default="medical/note", help="or medical/summary, medical/correction")
    parser.add_argument("--model", default="qlorakit/tiny", help="local folder, plugin's model or Hub name")
    parser.add_argument("--output", type=Path, default=Path("runs/medical-notes"), help="folder for the result")
    parser.add_argument("--rows", type=int, help="train on so many rows at most")
    parser.add_argument("--show", type=int, default=3, help="so many notes with their critical errors (default 3)")
    parser.add_argument("--epochs", type=float, default=4.0, help="passes over the training rows (default 4)")
    parser.add_argument("--learning-rate", type=float, default=4e-3, help="default 4e-3; for models over 1 B try 2e-4")
    parser.add_argument("--max-new-tokens", type=int, default=128, help="most tokens of a note (default 128)")
    parser.add_argument("--seed", type=int, default=0, help="of split, adapters and training (default 0)")
    return parser.parse_args()


def differences(task: Task[Any], rows: Sequence[Row], answers: Sequence[Row]) -> Iterator[str]:
    """What is critically wrong with each answer, with the places in the right text and in the answer."""
    for number, (row, answer) in enumerate(zip(rows, answers, strict=True), start=1):
        right, written = task.reference(row)[0], answer["prediction"] or ""
        yield f"\n{number}. right:   {right}\n   written: {written}"
        for error in find_critical_errors(right, written):
            places = ((error.expected, "right"), (error.found, "written"))
            said = ", ".join(f"{place.text!r} ({where}, {place.start}-{place.end})" for place, where in places if place)
            yield f"   {error.kind}: {said}"


def main() -> None:
    """Read, split, train, evaluate, show."""
    arguments = parse_arguments()
    began, task = time.monotonic(), qk.get_task(arguments.task)
    if task.kind != "text":
        sys.exit(f"error: --task {task.name} is of the kind {task.kind}; this is for tasks that write a text")
    if arguments.data is None:
        print(f"no --data given: using the {len(task.samples)} sample rows of {task.name}")
    rows = task.samples if arguments.data is None else qk.read_rows(arguments.data, task=task)
    data = qk.split(rows, task=task, seed=arguments.seed)
    train = data["train"].select(range(min(arguments.rows or len(data["train"]), len(data["train"]))))
    model, tokenizer = qk.load_quantized(arguments.model)
    model = qk.attach_lora(model, seed=arguments.seed)
    qk.train(
        model, tokenizer, train, task=task, eval_dataset=data["validation"], output_dir=arguments.output,
        overwrite=True, learning_rate=arguments.learning_rate, num_train_epochs=arguments.epochs, seed=arguments.seed,
        max_new_tokens=arguments.max_new_tokens,
    )  # fmt: skip
    report = qk.evaluate(
        model, tokenizer, data["test"], task=task, baseline=True, shots=0, train_dataset=train,
        max_new_tokens=arguments.max_new_tokens, seed=arguments.seed,
    )  # fmt: skip
    print(report)
    few = data["test"].select(range(min(arguments.show, len(data["test"]))))
    answers = qk.predict(model, tokenizer, few, task=task, max_new_tokens=arguments.max_new_tokens, progress=False)
    print("\n".join(differences(task, few, answers)))
    print(f"\nreport: {report.save(arguments.output / 'report.html')} (open it in a browser)")
    print(f"took {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    try:
        main()
    except qk.QlorakitError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt as stop:
        sys.exit(f"stopped: {stop}")
