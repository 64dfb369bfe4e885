"""Ten whole contracts of CUAD under its 41 questions, on a CPU: time, memory, and what shared windows save.

    python benchmarks/review.py
    python benchmarks/review.py --adapter runs/tasks/review/adapter --contracts 3

The contracts are the longest one and nine more at equal distances by rank down to the median.  Each is read whole:
the benchmark fails if a sentence is in no window, or a token was cut.  One contract that fills a single window is asked
without sharing as well, so that the ratio of seconds is measured side by side.  Data are read from $QLORAKIT_DATA
(default ../shared/data); the table goes to ``results/review.md``.  Set ``OMP_NUM_THREADS=1`` where other programs run.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import qlorakit as qk
from qlorakit.inference import Questions, answer, build_encoder, layout_for
from qlorakit.memory import PeakMemory
from qlorakit.records import versions
from qlorakit.sentences import sentences_of
from qlorakit_legal.cuad_contracts import read_cuad

if TYPE_CHECKING:
    from qlorakit.encoding import EncodedRow, Encoder
    from qlorakit.task import Row, Task

DATA = Path(os.environ.get("QLORAKIT_DATA", "../shared/data"))
CLAUSES, CONTRACTS = "cuad/master_clauses.csv", "cuad_contracts_text/contracts.jsonl"
RESULTS = Path(__file__).parent / "results"
HEADER = (
    "pages", "words", "tokens", "windows", "questions", "seconds", "of these preparing", "tokens computed",
    "each question alone", "each answer alone", "peak memory",
)  # fmt: skip
WORDS_A_PAGE = 500
ONE_WINDOW = (350, 450)  # words


def chosen(rows: Sequence[Row], count: int) -> list[Row]:
    """The longest contract, and others at equal distances by rank down to the median."""
    ordered = sorted(rows, key=lambda row: -len(row["text"].split()))
    step = len(ordered) / 2 / max(count - 1, 1)
    return [ordered[min(round(step * place), len(ordered) - 1)] for place in range(count)]


def review(model: Any, encoder: Encoder, task: Task[Any], row: Row, sharing: str) -> dict[str, Any]:  # noqa: ANN401  # of transformers
    """Ask everything about one contract.

    Raises:
        QlorakitError: Some of it was not read.
    """
    began = time.monotonic()
    encoded = encoder.encode_rows([row], task)
    layout = layout_for(model, encoder, encoded.longest, prefix_sharing=sharing, token_budget=None)  # type: ignore[arg-type]  # a literal
    prepared = time.monotonic()
    with PeakMemory(model.device) as memory:
        answers = answer(model, Questions(task, encoded, layout), progress=False)
    ended = time.monotonic()
    windows = {example.window for example in encoded[0].examples if example.window}
    check_read(row["text"], windows, encoded.counts.cut_tokens)
    return {
        "contract": row["document"],
        "words": len(row["text"].split()),
        "tokens": len(encoder.tokenizer(row["text"], verbose=False)["input_ids"]),
        "windows": len(windows),
        "questions": len(encoded[0].examples),
        "seconds": {"preparing": round(prepared - began, 1), "asking": round(ended - prepared, 1)},
        "computed": answers.tokens,
        "questions_alone": questions_alone(encoded[0]),
        "answers_alone": encoded.tokens_alone,
        "peak_bytes": memory.peak_bytes,
        "cut": encoded.counts.cut_tokens,
    }


def check_read(text: str, windows: set[tuple[int, int]], cut: int) -> None:
    """Refuse a contract of which something was left out."""
    missed = [one for one in sentences_of(text) if not any(w[0] <= one[0] and one[1] <= w[1] for w in windows)]
    if missed or cut:
        message = f"{len(missed)} sentences are in no window, and {cut} tokens were cut"
        raise qk.QlorakitError(message)


def questions_alone(row: EncodedRow) -> int:
    """Tokens where each question is computed by itself, and its answers share it."""
    return sum(len(one.prompt) + sum(len(choice) - 1 for choice in one.choices or ()) for one in row.encoded)


def table(found: Sequence[dict[str, Any]], alone: Sequence[dict[str, Any]], settings: dict[str, Any]) -> str:
    """What was measured, as markdown."""
    lines = ["# Ten whole contracts", "", "`python benchmarks/review.py`", ""]
    lines += [
        f"| {' | '.join(HEADER)} |",
        f"|{'---|' * len(HEADER)}",
    ]
    lines += [_line(one, f"{one['words'] / WORDS_A_PAGE:.0f}") for one in found]
    lines += [_line(_total(found), "all")]
    total = _total(found)
    saved = [f"{1 - total['computed'] / total[name]:.1%}" for name in ("questions_alone", "answers_alone")]
    cut = sum(one["cut"] for one in found)
    lines += [
        "",
        f"- Tokens saved by shared windows: {saved[0]} of each question alone, {saved[1]} of each answer alone.",
        f"- A page is {WORDS_A_PAGE} words.  Sentences in no window: 0.  Tokens cut: {cut}.",
        f"- {settings['model']}, windows of {settings['max_length']} tokens, {settings['threads']} thread(s).",
    ]
    if alone:
        shared = alone[0]
        with_sharing, without = (sum(one["seconds"].values()) for one in alone)
        lines.append(
            f"- One contract of {shared['words']} words in {shared['windows']} window(s): {with_sharing:.1f} s with "
            f"sharing and {without:.1f} s without, {without / with_sharing:.0f} times as long, in the same run."
        )
    return "\n".join([*lines, ""])


def _total(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    summed = ("words", "tokens", "windows", "questions", "computed", "questions_alone", "answers_alone")
    return {
        **{name: sum(one[name] for one in found) for name in summed},
        "seconds": {name: sum(one["seconds"][name] for one in found) for name in ("preparing", "asking")},
        "peak_bytes": max(one["peak_bytes"] for one in found),
    }


def _line(one: dict[str, Any], pages: str) -> str:
    cells = (
        pages, f"{one['words']:,}", f"{one['tokens']:,}", one["windows"], f"{one['questions']:,}",
        f"{sum(one['seconds'].values()):.0f}", f"{one['seconds']['preparing']:.0f}", f"{one['computed']:,}",
        f"{one['questions_alone']:,}", f"{one['answers_alone']:,}", f"{one['peak_bytes'] / 2**30:.1f} GiB",
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contracts", type=int, default=10, help="how many (default 10)")
    parser.add_argument("--model", default="qlorakit/tiny", help="local folder, plugin's model or Hub name")
    parser.add_argument("--adapter", type=Path, help="ask with this adapter instead of the base alone")
    parser.add_argument("--max-length", type=int, default=1024, help="tokens of a window with its question")
    parser.add_argument("--no-alone", action="store_true", help="leave out the comparison without sharing")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the public data ($QLORAKIT_DATA)")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for the table")
    arguments = parser.parse_args()
    if arguments.contracts < 1:
        parser.error(f"--contracts {arguments.contracts}: at least one is needed")
    return arguments


def main() -> None:
    """Review the contracts one by one."""
    logging.disable(logging.WARNING)  # what the join of the files says is told by the table of traps
    arguments = parse_arguments()
    files = [arguments.data / name for name in (CLAUSES, CONTRACTS)]
    if missing := [str(file) for file in files if not file.exists()]:
        sys.exit(f"error: {missing[0]} is not there; set QLORAKIT_DATA or --data")
    task = qk.get_task("legal/review")
    rows = [{"document": row["document"], "text": row["text"]} for row in read_cuad(*files)]
    if arguments.adapter:
        model, tokenizer = qk.load_adapter(arguments.adapter)
    else:
        model, tokenizer = qk.load_quantized(arguments.model)
    encoder = build_encoder(model, tokenizer, max_length=arguments.max_length, max_new_tokens=32)
    settings = {"model": arguments.model, "max_length": arguments.max_length, "threads": torch.get_num_threads()}
    found, alone = [], []
    for row in chosen(rows, arguments.contracts):
        found.append(review(model, encoder, task, row, "auto"))
        print(json.dumps(found[-1]), flush=True)
    if not arguments.no_alone:
        short = next(row for row in rows if ONE_WINDOW[0] <= len(row["text"].split()) <= ONE_WINDOW[1])
        alone = [review(model, encoder, task, short, sharing) for sharing in ("auto", "off")]
    arguments.results.mkdir(parents=True, exist_ok=True)
    whole = {"contracts": found, "alone": alone, "settings": settings, "versions": versions()}
    (arguments.results / "review.json").write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")
    written = table(found, alone, settings)
    (arguments.results / "review.md").write_text(written, encoding="utf-8")
    print(written)


if __name__ == "__main__":
    try:
        main()
    except qk.QlorakitError as error:
        sys.exit(f"error: {error}")
