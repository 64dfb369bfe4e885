"""How far a merged model answers from the adapter: three ways to merge, each in several types.

    python benchmarks/merging.py

An adapter is trained on rows that the script makes up: notes on a delivery that speak for one of six reasons, some of
them for two, and one in eight is filed wrongly.  It is loaded to compute in float32 and in bfloat16, and merged into
the dequantized base, into the original weights and into 4 bits again.  Every merged model is read back from disk and
asked the validation rows.  The table goes to ``results/merging.md`` and ``results/merging.json``.  Set
``OMP_NUM_THREADS=1`` where other programs run.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import qlorakit as qk
from qlorakit.kinds import single_label
from qlorakit.merging import Into
from qlorakit.records import versions, write_json

RESULTS = Path(__file__).parent / "results"
TRAINING_ROWS, VALIDATION_ROWS = 480, 240
# Types that the adapter computes in and that the merged weights are saved in.
TYPES = (("float32", "float32"), ("bfloat16", "bfloat16"), ("bfloat16", "float32"))
HEADER = (
    "merged into", "adapter computes in", "saved in", "probability changes by", "log-probability by", "on average",
    "same prediction", "size",
)  # fmt: skip
REASONS = {
    "late": ("came two days after the date", "was still on its way on Monday", "arrived far too late"),
    "broken": ("had a crack in the lid", "was bent when we opened it", "came with a broken handle"),
    "wrong": ("was not what we had ordered", "is another model than the one on the slip", "has the wrong colour"),
    "missing": ("lacked the screws", "came without its manual", "held one part less than it should"),
    "price": ("cost more than the offer said", "was charged twice", "was billed at the old rate"),
    "praise": ("was here before noon", "works better than the last one", "was packed with care"),
}
THINGS = ("The lamp", "Our second chair", "The kettle", "Box 12", "The printer", "The spare wheel", "A set of cups")
ENDS = ("as I wrote before", "and nobody answered the phone", "says the warehouse", "which is a pity", "by the way")
TASK = single_label(
    "benchmark/deliveries",
    summary="Why somebody writes about a delivery.",
    instruction="Name what the note on a delivery is about.",
    labels=tuple(REASONS),
)


def made_up(count: int, seed: int) -> Iterator[dict[str, str]]:
    """Notes with their reason; every fourth one mentions another one as well, every eighth one is filed under it."""
    chance = random.Random(seed)  # noqa: S311  # nothing secret
    for number in range(count):
        label, other = chance.sample(sorted(REASONS), 2)
        also = f", though it {chance.choice(REASONS[other])}" if number % 4 == 0 else ""
        said = f"{chance.choice(THINGS)} {chance.choice(REASONS[label])}{also}, {chance.choice(ENDS)}"
        yield {"text": f"{said} ({chance.randrange(1000)}).", "label": other if number % 8 == 1 else label}


def train(model_name: str, folder: Path) -> float:
    """Train the adapter that will be merged; returns its accuracy on the validation rows."""
    model, tokenizer = qk.load_quantized(model_name)
    result = qk.train(
        qk.attach_lora(model, r=16, seed=0), tokenizer, list(made_up(TRAINING_ROWS, 1)), task=TASK,
        eval_dataset=list(made_up(VALIDATION_ROWS, 2)), output_dir=folder, learning_rate=4e-3, num_train_epochs=4,
        fatal_findings="warn", progress=False,
    )  # fmt: skip
    return float(result.best_metric or 0)


def merge(run: Path, folder: Path, compute: str, saved: str, into: Into) -> dict[str, Any]:
    """Merge once, and take the figures from the record that the folder holds."""
    model, _ = qk.load_adapter(run, compute_dtype=compute)
    began = time.monotonic()
    qk.merge(
        model, folder, task=TASK, eval_dataset=list(made_up(VALIDATION_ROWS, 2)), dtype=saved, into=into,
        tolerance=1, accept_disagreement=into != "dequantized", overwrite=True, progress=False,
    )  # fmt: skip
    seconds = round(time.monotonic() - began, 1)
    record = json.loads((folder / "merge.json").read_text(encoding="utf-8"))
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    return {
        "into": into, "compute": compute, "saved": saved, **record["agreement"], "sample": record["sample"]["origin"],
        "bytes": size, "seconds": seconds,
    }  # fmt: skip


def table(found: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> str:
    """What was measured, as markdown."""
    lines = ["# Merged models against the adapter", "", "`python benchmarks/merging.py`", ""]
    lines += [f"| {' | '.join(HEADER)} |", f"|{'---|' * len(HEADER)}"]
    for one in found:
        same = f"{one['agreeing']} of {one['predictions']} ({one['agreeing'] / one['predictions']:.1%})"
        figures = [f"{one[name]:.2g}" for name in ("shift", "largest", "mean")]
        cells = one["into"], one["compute"], one["saved"], *figures, same, f"{one['bytes'] / 2**20:.1f} MiB"
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "- Over all choices of all validation rows: the largest change of a probability among the choices, and the",
        "  largest and the mean difference of a log-probability, in nats.",
        f"- {settings['model']}, {TRAINING_ROWS} training rows, four epochs, NF4, rank 16.",
        f"- Accuracy of the adapter: {settings['accuracy']:.3f}.",
        "- With `nf4`, what is not quantized is saved in that type.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Train, merge in all ways, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qlorakit/tiny", help="local folder, plugin's model or Hub name")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = {"model": chosen.model, "accuracy": train(chosen.model, folder / "run"), "versions": versions()}
        found = [
            merge(folder / "run", folder / "merged", compute, saved, into)
            for into in get_args(Into)
            for compute, saved in TYPES
        ]
    text = table(found, settings)
    write_json(RESULTS / "merging.json", {"settings": settings, "merged": found})
    (RESULTS / "merging.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
