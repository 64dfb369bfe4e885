"""Fine-tune a small model on the sentiment of financial sentences, and compare it with what costs less.

    python examples/finance_sentiment.py --data path/to/Sentences_AllAgree.txt

Any file that ``finance/sentiment`` reads will do: Financial PhraseBank as text or csv, or a csv, tsv or jsonl file with
a text and a label column.  Without ``--data``, and where $QLORAKIT_DATA has no PhraseBank either, the plugin's
hand-written sample rows are used: enough to see that everything works, too few to learn much.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import qlorakit as qk

if TYPE_CHECKING:
    import datasets

    from qlorakit import Task

PHRASEBANK = Path("financial_phrasebank", "Sentences_AllAgree.txt")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="file with labelled sentences")
    parser.add_argument("--model", default="qlorakit/tiny", help="local folder, plugin's model or Hub name")
    parser.add_argument("--revision", help="branch, tag or commit of a Hub model")
    parser.add_argument("--output", type=Path, default=Path("runs/finance-sentiment"), help="folder for the result")
    parser.add_argument("--epochs", type=float, default=4.0, help="passes over the training rows (default 4)")
    parser.add_argument("--batch-size", type=int, default=16, help="rows per optimizer step (default 16)")
    parser.add_argument("--learning-rate", type=float, default=4e-3, help="default 4e-3; for models over 1 B try 2e-4")
    parser.add_argument("--rank", type=int, default=16, help="of the LoRA adapters (default 16)")
    parser.add_argument("--seed", type=int, default=0, help="of split, adapters and training (default 0)")
    parser.add_argument("--resume", action="store_true", help="go on with the run that --output holds")
    parser.add_argument("--overwrite", action="store_true", help="replace the run that --output holds")
    return parser.parse_args()


def read(data: Path | None, task: Task[str]) -> datasets.Dataset:
    """The rows of the file named, of PhraseBank where it is at hand, or else the samples."""
    import datasets

    at_hand = Path(os.environ.get("QLORAKIT_DATA", "../shared/data")) / PHRASEBANK
    if data is None and not at_hand.is_file():
        print(f"no --data given and {at_hand} is not there: using the {len(task.samples)} sample rows of {task.name}")
        return datasets.Dataset.from_list([dict(row) for row in task.samples])
    return qk.read_rows(data or at_hand, task=task)


def main() -> None:
    """Read, split, train, evaluate, save."""
    arguments = parse_arguments()
    began = time.monotonic()
    task = qk.get_task("finance/sentiment")
    rows = read(arguments.data, task)
    data = qk.split(rows, task=task, seed=arguments.seed)
    print(", ".join(f"{side}: {len(rows)} rows" for side, rows in data.items()) + f" (seed {arguments.seed})")

    model, tokenizer = qk.load_quantized(arguments.model, revision=arguments.revision)
    adapted = qk.attach_lora(model, r=arguments.rank, seed=arguments.seed)
    run = qk.train(
        adapted,
        tokenizer,
        data["train"],
        task=task,
        eval_dataset=data["validation"],
        output_dir=arguments.output,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        num_train_epochs=arguments.epochs,
        seed=arguments.seed,
        resume_from_checkpoint=arguments.resume,
        overwrite=arguments.overwrite,
    )
    report = qk.evaluate(
        adapted, tokenizer, data["test"], task=task, baseline=True, train_dataset=data["train"], seed=arguments.seed
    )
    print(report)
    page, data_file = (report.save(arguments.output / f"report.{ending}") for ending in ("html", "json"))
    print(f"adapter: {run.adapter_dir} (answers {run.verified_rows} rows after reload exactly as before)")
    print(f"report: {page} (open it in a browser), {data_file}")
    print(f"took {time.monotonic() - began:.0f} s in all, of which training {run.seconds:.0f} s")


if __name__ == "__main__":
    try:
        main()
    except qk.QlorakitError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt as stop:
        sys.exit(f"stopped: {stop}")
