"""How near the memory that `train` foresees comes to what a run holds at most.

    python benchmarks/memory.py

Three runs on random models in NF4, each in a process of its own: sentences under three labels, reports with forty
labels that are compared (`objective="choices"`), and passages on a larger model.  What was foreseen before the first
step is compared with the most that the process held until the run had ended, as the kernel recorded it.  Prints a
table, puts it into docs/memory.md, and writes `benchmarks/results/memory.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from generated import put_block
from side_by_side.machine import describe

from qlorakit.records import PACKAGES

if TYPE_CHECKING:
    from qlorakit.task import Row, Task

RESULTS = Path(__file__).parent / "results" / "memory.json"
PAGE = Path(__file__).parents[1] / "docs" / "memory.md"
COMMAND = "python benchmarks/memory.py"
CONTEXT = 2048
SEED = 0
MIB = 1 << 20


@dataclass(frozen=True)
class Shape:
    """A run.

    Attributes:
        hidden: Width of the model.
        inner: Of its middle.
        layers: How many.
        heads: Of attention.
        rows: To train on, one epoch.
        words: Fewest and most of a text.
        labels: How many.
        batch_size: Rows of a step.
        token_budget: Most tokens of a micro-batch.
        objective: See ``train``.
    """

    hidden: int
    inner: int
    layers: int
    heads: int
    rows: int
    words: tuple[int, int]
    labels: int
    batch_size: int
    token_budget: int
    objective: Literal["language_model", "choices"]


SHAPES = {
    "sentences": Shape(512, 1408, 8, 8, 96, (8, 40), 3, 16, 1024, "language_model"),
    "reports": Shape(768, 2048, 10, 12, 12, (200, 500), 40, 4, 2048, "choices"),
    "passages": Shape(1024, 2560, 12, 16, 12, (60, 220), 5, 6, 2048, "language_model"),
}


def train_shape(name: str) -> dict[str, Any]:
    """Train in this process; the record of memory that the run keeps, with the parameters of the model."""
    import torch
    from shapes import VOCABULARY, llama
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    import qlorakit as qk
    from qlorakit.plugins import installed

    torch.set_num_threads(1)
    shape = SHAPES[name]
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        tokenizer = AutoTokenizer.from_pretrained(installed().models["qlorakit/tiny"].folder, local_files_only=True)
        tokenizer.model_max_length = CONTEXT
        tokenizer.save_pretrained(base)
        torch.manual_seed(SEED)
        settings = llama(shape.hidden, shape.inner, shape.layers, shape.heads, shape.heads, VOCABULARY)
        LlamaForCausalLM(LlamaConfig(**settings)).to(torch.bfloat16).save_pretrained(base)
        model, tokenizer = qk.load_quantized(base, compute_dtype="bfloat16")
        parameters = model.num_parameters()
        task, rows = made_up(shape)
        result = qk.train(
            qk.attach_lora(model), tokenizer, rows, task=task, output_dir=Path(folder) / "run",
            batch_size=shape.batch_size, num_train_epochs=1, token_budget=shape.token_budget,
            objective=shape.objective, seed=SEED, fatal_findings="warn", progress=False,
        )  # fmt: skip
        record: dict[str, Any] = json.loads((result.adapter_dir / "run.json").read_text(encoding="utf-8"))["memory"]
    return {**record, "parameters": parameters, "steps": result.steps}


def made_up(shape: Shape) -> tuple[Task[Any], list[Row]]:
    """A task and rows of words that mean nothing."""
    from qlorakit.kinds import single_label

    draw = random.Random(SEED)  # noqa: S311  # nothing secret
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(draw.choices(letters, k=draw.randint(2, 7))) for _ in range(5000)]
    labels = tuple(f"{words[place]} {words[place + 1]}" for place in range(shape.labels))
    instruction = "decide " + " ".join(words[:60])
    task = single_label("made-up/labels", summary="Labels.", instruction=instruction, labels=labels)
    rows: list[Row] = [
        {"text": " ".join(draw.choices(words, k=draw.randint(*shape.words))), "label": draw.choice(labels)}
        for _ in range(shape.rows)
    ]
    return task, rows


def apart(name: str) -> dict[str, Any]:
    """Train in a process of its own."""
    command = [sys.executable, __file__, "--shape", name]
    done = subprocess.run(  # noqa: S603  # this script
        command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def error_of(found: dict[str, Any]) -> float:
    """How much more was foreseen than was held, as a share of that."""
    return float(found["predicted_peak"] / found["measured_peak"] - 1)


def table(runs: dict[str, dict[str, Any]]) -> str:
    """One line for each run, in MiB."""
    lines = [
        "| run | size | weights | adapter | optimizer | activations | products | rest | foreseen | held | error |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    parts = "weights", "adapter", "optimizer", "activations", "kernels", "rest", "predicted_peak", "measured_peak"
    for name, found in runs.items():
        amounts = " | ".join(f"{found[part] / MIB:,.0f}" for part in parts)
        lines.append(f"| {name} | {found['parameters'] / 1e6:.0f} M | {amounts} | {error_of(found):+.1%} |")
    return "\n".join(lines)


def main() -> None:
    """Measure every shape and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, help="train this one in this process and print its record alone")
    arguments = parser.parse_args()
    if arguments.shape:
        print(json.dumps(train_shape(arguments.shape)))
        return
    runs = {name: apart(name) for name in SHAPES}
    written = {"command": COMMAND, **describe(PACKAGES), "runs": runs}
    RESULTS.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    put_block(PAGE, "memory", table(runs))
    print(table(runs))


if __name__ == "__main__":
    main()
