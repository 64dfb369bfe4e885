"""Fine-tune a small model to review whole contracts, see what that saves, and read contracts of your own with it.

    python examples/legal_review.py                                     # the plugin's hand-written rows, offline
    python examples/legal_review.py --clauses master_clauses.csv --contracts full_contract_txt --rows 100
    python examples/legal_review.py --data contracts.jsonl --read new.txt
    python examples/legal_review.py --adapter runs/legal-review --read new.txt another.txt

Contracts of one company stay on one side of the split.  The model learns from excerpts of the training contracts and is
judged on whole ones, of which nothing is cut: what does not fit at once is read in windows.  Each question has a
threshold that is fitted on whole validation contracts.  ``docs/contract-review.md`` explains the numbers.

A quote is a stretch of the contract itself, with its first character and the one behind its last.  Nothing that this
prints replaces a lawyer's reading.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import random
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import qlorakit as qk
from qlorakit.document_questions import Reading, excerpts
from qlorakit.documents import clean
from qlorakit.errors import DataError
from qlorakit.task import Output
from qlorakit.text_encoding import file_encoding
from qlorakit_legal.cuad_contracts import ABSENT, filer_of, read_cuad
from qlorakit_legal.review_effort import effort_of_report

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from qlorakit import Report, Task
    from qlorakit.task import Row

REPORT = "report.json"
MAX_LENGTH = 1024
FEWEST = 30  # test contracts, below which a measurement says little


class Reader(NamedTuple):
    """A model that reads contracts.

    Attributes:
        model: With its adapter.
        tokenizer: Its tokenizer.
        thresholds: Of each question, from whole contracts; ``None`` for those that were saved with the adapter.
        max_length: Most tokens of a window with its question.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    thresholds: Mapping[str, float] | None
    max_length: int


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clauses", type=Path, help="CUAD's master_clauses.csv, together with --contracts")
    parser.add_argument("--contracts", type=Path, help="CUAD's full_contract_txt, or JSON lines with name and text")
    parser.add_argument(
        "--data", type=Path, help="instead of both: CUAD_v1.json, or your own rows with document, text and answers"
    )
    parser.add_argument("--rows", type=int, help="use so many contracts at most, drawn by the seed")
    parser.add_argument("--read", type=Path, nargs="+", default=[], help="text files of contracts to be reviewed")
    parser.add_argument("--adapter", type=Path, help="review --read with what an earlier run saved here")
    parser.add_argument("--model", default="qlorakit/tiny", help="local folder, plugin's model or Hub name")
    parser.add_argument("--output", type=Path, default=Path("runs/legal-review"), help="folder for the result")
    parser.add_argument("--overwrite", action="store_true", help="replace the run that --output holds")
    parser.add_argument("--epochs", type=float, default=1.0, help="passes over the excerpts (default 1)")
    parser.add_argument("--learning-rate", type=float, default=4e-3, help="default 4e-3; for models over 1 B try 2e-4")
    parser.add_argument("--rank", type=int, default=16, help="of the LoRA adapters (default 16)")
    parser.add_argument(
        "--max-length",
        type=int,
        help="most tokens of a window with its question (default 1024, or as --adapter was judged)",
    )
    parser.add_argument("--show", type=int, default=1, help="so many reviews of test contracts (default 1)")
    parser.add_argument("--width", type=int, default=100, help="most characters of a quote that is shown (default 100)")
    parser.add_argument("--seed", type=int, default=0, help="of split, excerpts, adapters and training (default 0)")
    arguments = parser.parse_args()
    if (arguments.clauses is None) != (arguments.contracts is None):
        parser.error("--clauses and --contracts belong together")
    if arguments.data and arguments.clauses:
        parser.error("give either --data, or --clauses and --contracts")
    if arguments.adapter and not arguments.read:
        parser.error("--adapter needs --read: the contracts to be reviewed")
    return arguments


def read(arguments: argparse.Namespace, task: Task[Any]) -> datasets.DatasetDict:
    """The contracts of the files named, or else the samples, split by company."""
    if arguments.clauses:
        rows: Sequence[Row] = read_cuad(arguments.clauses, arguments.contracts)
    elif arguments.data:
        rows = list(qk.read_rows(arguments.data, task=task))
    else:
        rows = list(task.samples)
        print(f"no contracts given: using the {len(rows)} sample contracts of {task.name}, too few to learn from")
    if arguments.rows and arguments.rows < len(rows):
        rows = random.Random(arguments.seed).sample(rows, arguments.rows)  # noqa: S311  # nothing secret
    data = qk.split(rows, task=task, seed=arguments.seed)
    for side, found in data.items():
        companies = len({filer_of(row) for row in found} - {None})
        print(f"{side}: contracts {len(found)}, companies {companies} (seed {arguments.seed})")
    return data


def learn(arguments: argparse.Namespace, task: Task[Any]) -> Reader:
    """Train on excerpts, judge on whole contracts, show what was found in some of them."""
    data, max_length = read(arguments, task), arguments.max_length or MAX_LENGTH
    lessons, checks = (
        excerpts(data[side], task=task, absent=ABSENT, seed=arguments.seed) for side in ("train", "validation")
    )
    print(f"excerpts: {len(lessons)} to train on, {len(checks)} to choose the best epoch by")
    if arguments.overwrite:
        (arguments.output / REPORT).unlink(missing_ok=True)  # its thresholds are not those of the new adapter
    model, tokenizer = qk.load_quantized(arguments.model)
    model = qk.attach_lora(model, r=arguments.rank, seed=arguments.seed)
    run = qk.train(
        model, tokenizer, lessons, task=task, eval_dataset=checks, output_dir=arguments.output, objective="choices",
        overwrite=arguments.overwrite, learning_rate=arguments.learning_rate, num_train_epochs=arguments.epochs,
        seed=arguments.seed, max_length=max_length,
    )  # fmt: skip
    report = qk.evaluate(
        model, tokenizer, data["test"], task=task, baseline=True, shots=0, train_dataset=data["train"],
        validation_dataset=data["validation"], max_length=max_length, seed=arguments.seed,
    )  # fmt: skip
    print(report)
    page, numbers = (report.save(arguments.output / name) for name in ("report.html", REPORT))
    print(f"adapter: {run.adapter_dir}, trained in {run.seconds:.0f} s")
    print(f"report: {page} (open it in a browser), {numbers}")
    show_tests(report, data["test"], arguments)
    show_effort(report, data["test"])
    return Reader(model, tokenizer, report.system("tuned").decision, max_length)


def show_tests(report: Report, rows: Sequence[Row], arguments: argparse.Namespace) -> None:
    """The reviews of a few test contracts, beside what was marked in them."""
    thresholds = report.system("tuned").decision
    for row, item in list(zip(rows, report.predictions, strict=True))[: arguments.show]:
        said = item["tuned"]
        marked = {finding.question for finding in item["reference"].findings if finding.answer != ABSENT}
        print("\n" + "\n".join(review(row, Output(said["value"], said["scores"]), thresholds, arguments.width, marked)))


def show_effort(report: Report, rows: Sequence[Row]) -> None:
    """How much of the test contracts must be read for each question, likeliest windows first."""
    found = effort_of_report(report, system="tuned", rows=rows)
    asked = [one for one in found if one.places]
    windows = max(one.windows for one in found)
    print(f"\nreview effort on {report.rows} test contracts in {windows} windows, likeliest first ({report.task})")
    print("question".ljust(36) + "places  seen at 10 %  read for 95 %  in reading order  windows         words")
    for one in asked:
        shares = f"{one.recall:>14.2f}{one.effort:>15.2f}{one.reading_order:>18.2f}"
        read = f"  {of_all(one.windows_to_read, one.windows):<16}{of_all(one.words_to_read, one.words)}"
        print(f"{one.question:<36}{one.places:>6}{shares}{read}")
    print(f"{len(found) - len(asked)} questions have no place in these contracts and are left out")


def of_all(part: float | None, number: int | None) -> str:
    """How many must be read for 95 %, of how many; a part of one counts as one."""
    return "-" if part is None or math.isnan(part) else f"{math.ceil(part - 1e-9):,} of {number:,}"


def review(
    row: Row,
    output: Output[Reading],
    thresholds: Mapping[str, float] | None,
    width: int,
    marked: set[str] | None = None,
) -> Iterator[str]:
    """What was found in a contract, with the words that tell so, and, where it is known, whether that was marked."""
    reading = output.value
    if reading is None:
        yield f"{row['document']}: no valid answer"
        return
    found = [finding for finding in reading.findings if finding.answer != ABSENT]
    title = clean(f"review of {row['document']}: {len(found)} of {len(reading.findings)} questions answered by present")
    yield f"{title}; windows: {len(reading.windows)}; characters left out: {left_out(row['text'], reading)}"
    for finding in found:
        threshold = f", threshold {thresholds[finding.question]:.3f}" if thresholds else ""
        right = "" if marked is None else ", marked too" if finding.question in marked else ", not marked"
        yield f"  {finding.question}: probability {output.scores[finding.question]:.3f}{threshold}{right}"
        for start, end in finding.evidence:
            yield f"    characters {start}-{end}: {clean(textwrap.shorten(row['text'][start:end], width))}"
    missed = sorted((marked or set()) - {finding.question for finding in found})
    if missed:
        yield f"  marked and not found: {', '.join(missed)}"


def left_out(text: str, reading: Reading) -> int:
    """How many characters, white space aside, are in no window."""
    gaps = itertools.pairwise([(0, 0), *reading.windows, (len(text), len(text))])
    return sum(len("".join(text[end:start].split())) for (_, end), (start, _) in gaps)


def unread_contract(path: Path) -> Row:
    """A contract without answers.

    Raises:
        DataError: The file cannot be read.
    """
    try:
        return {"document": path.name, "text": path.read_text(encoding=file_encoding(path))}
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror}); give a text file with a contract"
        raise DataError(msg) from error


def load(folder: Path, max_length: int | None) -> Reader:
    """The adapter of an earlier run, with the thresholds and the length of its report, where it has one."""
    model, tokenizer = qk.load_adapter(folder)
    path = (folder.parent if folder.name == "adapter" else folder) / REPORT
    if path.is_file():
        report = qk.Report.load(path)
        if report.rows < FEWEST:
            print(
                f"the adapter was measured on {report.rows} contracts: what follows may be noise. {report.headline()}"
            )
        return Reader(model, tokenizer, report.system("tuned").decision, max_length or report.settings["max_length"])
    print(f"{path} is missing: thresholds are the adapter's, fitted on excerpts and too low for long contracts")
    return Reader(model, tokenizer, None, max_length or MAX_LENGTH)


def show_unread(rows: Sequence[Row], reader: Reader, task: Task[Any], arguments: argparse.Namespace) -> None:
    """What is in contracts that nobody has marked."""
    answered = qk.predict(
        reader.model, reader.tokenizer, rows, task=task, max_length=reader.max_length, decision=reader.thresholds
    )
    for row in answered:
        said = None if row["prediction"] is None else Reading.restore(row["prediction"])
        output = Output(said, json.loads(row["scores"] or "{}"))
        print("\n" + "\n".join(review(row, output, reader.thresholds, arguments.width)))


def main() -> None:
    """Learn or load, then read."""
    arguments = parse_arguments()
    began = time.monotonic()
    task = qk.get_task("legal/review")
    rows = [unread_contract(path) for path in arguments.read]
    reader = load(arguments.adapter, arguments.max_length) if arguments.adapter else learn(arguments, task)
    if rows:
        show_unread(rows, reader, task, arguments)
    print(f"took {time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    try:
        main()
    except qk.QlorakitError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt as stop:
        sys.exit(f"stopped: {stop}")
