"""A homemade finance model: QLoRA of rank 16 for named entities and sentiment, tuned against original, with its cost.

    python examples/finance_ner_and_sentiment.py                            # the plugin's hand-written rows, offline
    python examples/finance_ner_and_sentiment.py --data ../shared/data      # public data: agreements and PhraseBank
    python examples/finance_ner_and_sentiment.py --entities my.conll --sentiment my.csv

The setting is that of small finance models in the literature: one open base model frozen in 4 bits, an adapter of rank
16 for each of the two tasks, and the tuned model beside the original one.  What those reports leave out stands here
too: intervals, paired tests, what a dictionary or a word count would do, and what it all cost.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qlorakit as qk

if TYPE_CHECKING:
    from qlorakit.report import Report

ENTITIES, SENTIMENT = "finance/entities", "finance/sentiment"
PUBLIC = {
    ENTITIES: {"train": "sec_ner_fin5_fin3/FIN5.txt", "test": "sec_ner_fin5_fin3/FIN3.txt"},
    SENTIMENT: {"all": "financial_phrasebank/Sentences_AllAgree.txt"},
}
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Outcome:
    """What became of one task.

    Attributes:
        report: On rows that were not trained on.
        trained_rows: How many were.
        training_seconds: With evaluations on the validation rows.
        all_seconds: Loading, training, evaluating.
        adapter_bytes: Of the adapter on disk.
        peak_bytes: The most memory that the process held up to then.
    """

    report: Report
    trained_rows: int
    training_seconds: float
    all_seconds: float
    adapter_bytes: int
    peak_bytes: int


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with financial_phrasebank and sec_ner_fin5_fin3")
    parser.add_argument("--entities", type=Path, help="file with tagged sentences, instead of the public one")
    parser.add_argument("--sentiment", type=Path, help="file with labelled sentences, instead of the public one")
    parser.add_argument("--model", default="qlorakit/tiny", help="local folder, plugin's model or Hub name")
    parser.add_argument("--output", type=Path, default=Path("runs/finance-model"), help="folder for the results")
    parser.add_argument("--rows", type=int, help="train on so many rows of each task at most")
    parser.add_argument("--epochs", type=float, default=4.0, help="passes over the training rows (default 4)")
    parser.add_argument("--learning-rate", type=float, default=4e-3, help="default 4e-3; for models over 1 B try 2e-4")
    parser.add_argument("--rank", type=int, default=16, help="of the LoRA adapters (default 16)")
    parser.add_argument("--seed", type=int, default=0, help="of splits, adapters and training (default 0)")
    return parser.parse_args()


def read(name: str, arguments: argparse.Namespace) -> Mapping[str, Any]:
    """Rows to train, validate and test on: the file given, the public ones, or the plugin's samples."""
    task = qk.get_task(name)
    own: Path | None = getattr(arguments, name.partition("/")[2])
    if own is not None:
        return dict(qk.split(qk.read_rows(own, task=task), task=task, seed=arguments.seed))
    if arguments.data is None:
        print(f"{name}: no --data given, using the {len(task.samples)} sample rows of the plugin")
        return dict(qk.split(task.samples, task=task, seed=arguments.seed))
    found = {side: qk.read_rows(arguments.data / file, task=task) for side, file in PUBLIC[name].items()}
    if "all" in found:
        return dict(qk.split(found["all"], task=task, seed=arguments.seed))
    # Published with a test file of its own: a fifth of the training sentences chooses the checkpoint.
    return {**found, **qk.split(found["train"], task=task, seed=arguments.seed, validation=0.2, test=0)}


def fine_tune(name: str, data: Mapping[str, Any], arguments: argparse.Namespace) -> Outcome:
    """Train an adapter for one task, and ask the tuned and the original model."""
    began, task = time.monotonic(), qk.get_task(name)
    train = data["train"].shuffle(seed=arguments.seed)
    train = train.select(range(min(arguments.rows or len(train), len(train))))
    print(f"{name}: {len(train)} rows to train, {len(data['validation'])} to validate, {len(data['test'])} to test")
    model, tokenizer = qk.load_quantized(arguments.model)
    model = qk.attach_lora(model, r=arguments.rank, seed=arguments.seed)
    output = arguments.output / name.partition("/")[2]
    run = qk.train(
        model, tokenizer, train, task=task, eval_dataset=data["validation"], output_dir=output, overwrite=True,
        learning_rate=arguments.learning_rate, num_train_epochs=arguments.epochs, seed=arguments.seed,
    )  # fmt: skip
    report = qk.evaluate(
        model, tokenizer, data["test"], task=task, baseline=True, shots=0, train_dataset=train, seed=arguments.seed
    )
    print(f"report: {report.save(output / 'report.html')}, {report.save(output / 'report.json')}")
    size = sum(file.stat().st_size for file in run.adapter_dir.iterdir())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts kibibytes
    return Outcome(report, len(train), run.seconds, time.monotonic() - began, size, peak)


def show(outcomes: Mapping[str, Outcome]) -> None:
    """Print what was found and what it cost."""
    for name, outcome in outcomes.items():
        print(f"\n{name}: {outcome.report.headline()}")
        for system in outcome.report.systems:
            said = ", ".join(f"{metric} {system.metrics[metric]}" for metric in list(system.metrics)[:2])
            print(f"  {system.name:<12} {said}")
    print("\ncost           rows   training     in all   peak memory   adapter   trained parameters")
    for name, outcome in outcomes.items():
        parameters = outcome.report.settings["parameters"]
        share = parameters["trainable"] / parameters["total"]
        print(
            f"{name.partition('/')[2]:<12} {outcome.trained_rows:>6,} {outcome.training_seconds:>8,.0f} s "
            f"{outcome.all_seconds:>8,.0f} s {outcome.peak_bytes / MEBIBYTE:>9,.0f} MiB "
            f"{outcome.adapter_bytes / MEBIBYTE:>5.1f} MiB   {parameters['trainable']:,} of "
            f"{parameters['total']:,} ({share:.1%})"
        )


def main() -> None:
    """Fine-tune for both tasks."""
    arguments = parse_arguments()
    if arguments.data is not None and not arguments.data.is_dir():
        sys.exit(
            f"error: --data {arguments.data} is no folder; it must hold sec_ner_fin5_fin3 and financial_phrasebank"
        )
    data = {name: read(name, arguments) for name in (ENTITIES, SENTIMENT)}  # all of it, before anything takes long
    show({name: fine_tune(name, rows, arguments) for name, rows in data.items()})


if __name__ == "__main__":
    try:
        main()
    except qk.QlorakitError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped")
