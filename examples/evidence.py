"""Fine-tune and judge one task of each kind on public data: what a report says, be it good news or bad.

    python examples/evidence.py unfair_tos
    python examples/evidence.py --list

Data are read from $QLORAKIT_DATA (default ../shared/data).  Each run writes the adapter, ``report.json`` and
``report.html`` below ``--output``.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qlorakit as qk
from qlorakit.kinds import Tolerance, entities, multilabel, multiple_choice, number, single_label, text
from qlorakit.task import Column, Row, Task

DATA = Path(os.environ.get("QLORAKIT_DATA", "../shared/data"))
TERMS = {
    "Limitation of liability": "it limits the company's liability",
    "Unilateral termination": "it lets the company end the service or the account by itself",
    "Unilateral change": "it lets the company change the terms by itself",
    "Content removal": "it lets the company remove what users have posted",
    "Contract by using": "it says that using the service is agreeing to the terms",
    "Choice of law": "it says which country's law applies",
    "Jurisdiction": "it says where disputes go to court",
    "Arbitration": "it sends disputes to arbitration",
}


@dataclass(frozen=True)
class Evidence:
    """A task with where its rows come from and how it is trained.

    Attributes:
        task: How it is asked and judged.
        read: All rows.
        learning_rate: Chosen on validation rows (``--validation-only``), but for ``case_hold`` and ``convfinqa``, where
            nothing is learned at any.
        epochs: How often training goes through the rows.
        max_length: Most tokens of a question and its answer.
        max_new_tokens: Most tokens of an answer that is written.
    """

    task: Task[Any]
    read: Callable[[], Iterable[Row]]
    learning_rate: float = 4e-3
    epochs: float = 4.0
    max_length: int = 512
    max_new_tokens: int = 32


def read_phrasebank() -> Iterator[Row]:
    """Sentences on which all annotators agree."""
    lines = (DATA / "financial_phrasebank/Sentences_AllAgree.txt").read_text(encoding="latin-1").splitlines()
    for line in lines:
        sentence, _, label = line.rpartition("@")
        yield {"text": sentence, "label": label}


def read_json_lines(path: str) -> Iterator[dict[str, Any]]:
    """The objects of a file with one in each line."""
    for line in (DATA / path).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def read_iob(path: str, *, token: int, tag: int, separator: str | None) -> Iterator[Row]:
    """Sentences of a file with one word in each line and an empty line after each sentence."""
    words: list[list[str]] = []
    for line in [*(DATA / path).read_text(encoding="utf-8").splitlines(), ""]:
        cells = line.split(separator)
        if cells and line.strip() and cells[0] != "-DOCSTART-":
            words.append([cells[token], cells[tag]])
        elif words:
            yield {"tokens": [word for word, _ in words], "tags": [found for _, found in words]}
            words = []


def read_convfinqa() -> Iterator[Row]:
    """The last question of each conversation, with those before it, the text and the table; three answers are words."""
    for item in json.loads((DATA / "convfinqa/convfinqa_dev.json").read_text(encoding="utf-8")):
        if isinstance(item["answer"], str):
            continue
        yield {
            "context": str(item["table"]) + "\n" + str(item["golden_text"] or item["text"]),
            "question": " ".join(item["questions"]),
            "answer": item["answer"],
        }


def read_meqsum() -> Iterator[Row]:
    """Questions of patients and what they come down to."""
    with (DATA / "meqsum/meqsum.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield {"text": row["CHQ"], "answer": row["Summary"].strip()}


def named(name: str, types: tuple[str, ...], scheme: Any, **how: Any) -> Task[Any]:  # noqa: ANN401
    """A task that finds entities in tagged sentences."""
    kinds = ", ".join(types)
    instruction = f"Find the entities in the text: {kinds}."
    return entities(name, summary="typed spans", instruction=instruction, types=types, scheme=scheme, **how)


def tasks() -> Mapping[str, Evidence]:
    """All of them by name."""
    sec, bc5 = ("PER", "ORG", "LOC", "MISC"), ("Chemical", "Disease")
    return {
        "phrasebank": Evidence(
            single_label(
                "evidence/phrasebank", summary="sentiment", labels=("negative", "neutral", "positive"),
                instruction="Decide whether the news is positive, neutral or negative for the share price.",
            ),
            read_phrasebank,
        ),
        "unfair_tos": Evidence(
            multilabel(
                "evidence/unfair_tos", summary="unfair terms", labels=TERMS,
                instruction="Read the sentence from terms of service and answer the question about it by yes or no.",
                question="Is this so: {label}?",
            ),
            lambda: read_json_lines("lexglue_samples/unfair_tos.jsonl"), learning_rate=8e-3,
        ),
        "case_hold": Evidence(
            multiple_choice(
                "evidence/case_hold", summary="holdings", options=Column("options"), question=Column("context"),
                answer=Column("label", label=True), first=0,
                instruction="Choose the holding that belongs in the place of the masked one. Answer with its letter.",
            ),
            lambda: read_json_lines("lexglue_samples/case_hold.jsonl"), max_length=1024, learning_rate=2e-3,
        ),
        "sec_ner_lines": Evidence(
            named("evidence/sec_ner_lines", sec, "IOB1", encoding="lines"),
            lambda: read_iob("sec_ner_fin5_fin3/FIN5.txt", token=0, tag=3, separator=None),
            max_length=768, max_new_tokens=256,
        ),
        "sec_ner_words": Evidence(
            named("evidence/sec_ner_words", sec, "IOB1", encoding="words"),
            lambda: read_iob("sec_ner_fin5_fin3/FIN5.txt", token=0, tag=3, separator=None),
        ),
        "bc5cdr_lines": Evidence(
            named("evidence/bc5cdr_lines", bc5, "BIO", encoding="lines"),
            lambda: read_iob("bc5cdr/train.tsv", token=0, tag=1, separator="\t"), max_new_tokens=96,
        ),
        "bc5cdr_words": Evidence(
            named("evidence/bc5cdr_words", bc5, "BIO", encoding="words"),
            lambda: read_iob("bc5cdr/train.tsv", token=0, tag=1, separator="\t"),
        ),
        "convfinqa": Evidence(
            number(
                "evidence/convfinqa", summary="numbers from reports", context=Column("context"),
                tolerance=Tolerance(relative=0.01),
                instruction="Answer the last question from the table and the text. Answer with a number alone.",
            ),
            read_convfinqa, max_length=1024, learning_rate=2e-3,
        ),
        "meqsum": Evidence(
            text(
                "evidence/meqsum", summary="short questions",
                instruction="Put the patient's message into one short question.",
            ),
            read_meqsum, max_length=512, max_new_tokens=64,
        ),
    }  # fmt: skip


def run(name: str, arguments: argparse.Namespace) -> None:
    """Split, train, evaluate, save."""
    evidence, began = tasks()[name], time.monotonic()
    task = evidence.task
    rows = list(evidence.read())[: arguments.rows]
    data = qk.split(rows, task=task, seed=arguments.seed)
    print(", ".join(f"{side}: {len(found)} rows" for side, found in data.items()) + f" (seed {arguments.seed})")
    model, tokenizer = qk.load_quantized(arguments.model)
    model = qk.attach_lora(model, seed=arguments.seed)
    longest, written = evidence.max_length, evidence.max_new_tokens
    output = arguments.output / name
    qk.train(
        model, tokenizer, data["train"], task=task, eval_dataset=data["validation"], output_dir=output,
        learning_rate=arguments.learning_rate or evidence.learning_rate,
        num_train_epochs=arguments.epochs or evidence.epochs, seed=arguments.seed, overwrite=True,
        max_length=longest, max_new_tokens=written,
    )  # fmt: skip
    if arguments.validation_only:
        return
    report = qk.evaluate(
        model, tokenizer, data["test"], task=task, baseline=True, shots=arguments.shots, train_dataset=data["train"],
        validation_dataset=data["validation"], max_length=longest, max_new_tokens=written,
    )  # fmt: skip
    print(report)
    for ending in ("json", "html"):
        print(f"report: {report.save(output / f'report.{ending}')}")
    print(f"took {time.monotonic() - began:.0f} s")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="which task; all of them unless given")
    parser.add_argument("--list", action="store_true", help="list the tasks and stop")
    parser.add_argument("--rows", type=int, help="use only so many rows")
    parser.add_argument("--shots", type=int, default=4, help="examples shown to the base model (default 4)")
    parser.add_argument("--learning-rate", type=float, help="instead of the task's own")
    parser.add_argument("--epochs", type=float, help="instead of the task's own")
    parser.add_argument("--seed", type=int, default=0, help="of split, adapters and training (default 0)")
    parser.add_argument("--model", default="qlorakit/tiny", help="local folder, plugin's model or Hub name")
    parser.add_argument("--output", type=Path, default=Path("runs/evidence"), help="folder for the results")
    parser.add_argument("--validation-only", action="store_true", help="stop before the test rows, to choose settings")
    arguments = parser.parse_args()
    known = tasks()
    if arguments.list:
        print("\n".join(f"{name:<16}{evidence.task.kind}" for name, evidence in known.items()))
        return
    unknown = [name for name in arguments.name if name not in known]
    if unknown:
        parser.error(f"unknown task {unknown[0]!r}; there are {', '.join(known)}")
    for name in arguments.name or known:
        run(name, arguments)


if __name__ == "__main__":
    try:
        main()
    except qk.QlorakitError as error:
        sys.exit(f"error: {error}")
