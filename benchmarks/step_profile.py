"""Say where the time of a training step goes, what its limit is, and how far it is from that.

    python benchmarks/step_profile.py
    python benchmarks/step_profile.py --size 60m --threads 2

The steps are those of the side-by-side benchmark in shape, on random tokens: 16 sentences with an instruction of 65
tokens in common, and a document of 934 tokens under 17 questions.  The limit is the time that the base layers' matrix
products would take at the best rate measured on the same machine in the same run.  Figures go to
``benchmarks/results/step_profile.md``.
"""

from __future__ import annotations

import argparse
import functools
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from random_tokens import PAD, Draw
from shapes import SHAPES, load_nf4, write_model
from side_by_side.machine import describe
from torch.profiler import ProfilerActivity, profile

import qlorakit as qk
from qlorakit import attention
from qlorakit.layout import Layout
from qlorakit.objectives import Lesson, Lessons
from qlorakit.prefix_tree import Continuation

RESULTS = Path(__file__).parent / "results"
TOKEN_BUDGET = 4096
# Which operations of torch's profiler make up which part; what is in none of them is "the rest".
PARTS = {
    "matrix products of layers": ("aten::mm", "aten::addmm_", "aten::addmm"),
    "attention": ("aten::_scaled_dot_product_flash", "aten::bmm", "aten::exp_", "_Cascade", "aten::addcmul_"),
    "dequantization": ("bitsandbytes::",),
}


@dataclass(frozen=True)
class Step:
    """Sequences of a training step."""

    name: str
    lessons: Lessons


def steps() -> Iterator[Step]:
    """The two steps, on random tokens."""
    draw = Draw(8000)
    instruction, document = draw.tokens(65), draw.tokens(934)
    sentences = [Continuation(instruction + draw.tokens(draw.around(49, 24)), draw.tokens(2)) for _ in range(16)]
    yield Step("16 sentences", Lessons.of(Lesson((item,), row) for row, item in enumerate(sentences)))
    questions = [Continuation(document + draw.tokens(draw.around(42, 17)), draw.tokens(2)) for _ in range(17)]
    yield Step("17 questions", Lessons.of(Lesson((item,), 0) for item in questions))


def take(model: Any, step: Step, *, shared: bool = True) -> int:  # noqa: ANN401  # peft is not typed
    """Forward and backward.

    Returns:
        The tokens computed.
    """
    layout = Layout(shared=shared, token_budget=TOKEN_BUDGET if shared else 1024, pad=PAD)
    batches = layout.batches(step.lessons.sequences, step.lessons.rows, step.lessons.units)
    with layout.engaged(model):
        for batch in batches:
            (step.lessons.loss(batch, batch.logprobs(model)) / step.lessons.total_weight).backward()
    model.zero_grad()
    return sum(batch.tokens for batch in batches)


def best(work: Callable[[], object], repeat: int) -> float:
    """Seconds of the fastest of some runs, after one that warms up."""
    work()
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def matrix_rate(tokens: int, hidden: int, inner: int, repeat: int) -> float:
    """Floating-point operations a second of one product in bfloat16 as the base layers have them."""
    left, right = torch.randn(tokens, hidden).bfloat16(), torch.randn(inner, hidden).bfloat16()
    return 2 * tokens * hidden * inner / best(lambda: left @ right.t(), repeat)


def parts_of(model: Any, step: Step) -> dict[str, float]:  # noqa: ANN401
    """Seconds of a step by part."""
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        take(model, step)
    found = dict.fromkeys([*PARTS, "the rest"], 0.0)
    for event in profiler.key_averages():
        part = next((name for name, starts in PARTS.items() if event.key.startswith(starts)), "the rest")
        found[part] += event.self_cpu_time_total / 1e6
    return found


def other_ways(model: Any, step: Step, repeat: int) -> dict[str, float]:  # noqa: ANN401
    """Seconds of a step with one thing done otherwise."""
    dense = mock.patch.object(attention, "default_backend", return_value="sdpa")
    homes = ("qlorakit.tree_batch.fused_lora", "qlorakit.layout.fused_lora")
    single = [mock.patch(home, return_value=nullcontext()) for home in homes]
    found = {"padded rows": best(lambda: take(model, step, shared=False), repeat)}
    with dense:
        found["trees with a dense mask"] = best(lambda: take(model, step), repeat)
    with single[0], single[1]:
        found["trees with peft's own LoRA layers"] = best(lambda: take(model, step), repeat)
    return found


def report(model: Any, shape: dict[str, Any], repeat: int) -> Iterator[str]:  # noqa: ANN401
    """All figures, as Markdown."""
    hidden, inner = shape["hidden_size"], shape["intermediate_size"]
    weights = sum(
        module.in_features * module.out_features
        for name, module in model.named_modules()
        if name.endswith("base_layer")
    )
    for step in steps():
        tokens = take(model, step)
        rate = matrix_rate(tokens, hidden, inner, 10 * repeat)
        seconds, limit = best(functools.partial(take, model, step), repeat), 4 * weights * tokens / rate
        yield f"\n## {step.name}: {tokens:,} tokens\n"
        yield f"- a step: {seconds:.2f} s, {len(step.lessons.lessons) / seconds:.2f} examples/s"
        yield f"- matrix products in bfloat16: {rate / 1e9:.0f} billion operations a second"
        yield f"- the limit, at that rate: {limit:.2f} s, {limit / seconds:.0%} of the step"
        parts = parts_of(model, step)
        for name, spent in parts.items():
            yield f"- {name}: {spent / sum(parts.values()):.0%}"
        for name, spent in other_ways(model, step, repeat).items():
            yield f"- {name}: {spent:.2f} s, {spent / seconds:.2f} times as long"


def main() -> None:
    """Read the command line, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=list(SHAPES), default="200m", help="shape of the model (default 200m)")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default 1)")
    parser.add_argument("--repeat", type=int, default=3, help="the fastest of so many counts (default 3)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder for step_profile.md")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        write_model(arguments.size, Path(folder))
        model = qk.attach_lora(load_nf4(Path(folder), torch.bfloat16, "cpu"), seed=0)
    model.train()
    facts = {"size": arguments.size, "threads": str(arguments.threads), **describe()}
    lines = ["# A training step", "", *(f"- {name}: {value}" for name, value in facts.items())]
    for line in report(model, SHAPES[arguments.size], arguments.repeat):
        print(line, flush=True)
        lines.append(line)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "step_profile.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
