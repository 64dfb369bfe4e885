"""One process: takes a job as JSON, prints what it finds as lines of JSON.

python -m on_gpu.child '{"kind": "measure", "workloads": ["phrasebank"], "system": "trl", ...}'
"""

from __future__ import annotations

import gc
import importlib.metadata
import json
import platform
import sys
import time
import traceback
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

if '"system": "unsloth"' in sys.argv[1]:
    import unsloth  # noqa: F401  # patches transformers and trl, and must come first

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import torch
from shapes import SHAPES, write_model

from on_gpu.exactness import compare
from on_gpu.flops import Weights
from on_gpu.jobs import MARK, NOT_POSSIBLE, Failure, Job, Machine, Measurement, Prepared, Run
from on_gpu.measuring import Clock
from on_gpu.ours import RANK, Done, Order, score_qlorakit, train_qlorakit
from on_gpu.workloads import WORKLOADS

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "triton", "trl", "liger-kernel", "unsloth", "lm-eval")
WARM_UP, PRODUCTS = 3, 10


def main() -> None:
    """Do what the one argument says; each thing that is found is a line."""
    job = Job(**json.loads(sys.argv[1]))
    if job.kind == "prepare":
        tell(asdict(prepare(job)))
    elif job.kind == "machine":
        tell(asdict(describe(job)))
    elif job.kind == "exactness":
        for difference in compare(job):
            tell(asdict(difference))
    else:
        for name in job.workloads:
            tell(Run(name, job.system, attempt(Order(job, name))).record())
            gc.collect()


def tell(found: dict[str, Any]) -> None:
    """Print a line for the parent."""
    sys.stdout.write(f"\n{MARK}{json.dumps(found)}\n")
    sys.stdout.flush()


def prepare(job: Job) -> Prepared:
    """Write the model and a tokenizer."""
    parameters = write_model(job.size, Path(job.folder))
    write_tokenizer(Path(job.folder), SHAPES[job.size]["vocab_size"])
    return Prepared(parameters)


def write_tokenizer(folder: Path, vocabulary: int) -> None:
    """Write a tokenizer that knows numbers: peers want one, though they get ready tokens."""
    from random_tokens import BOS, EOS, PAD
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    special = {PAD: "<pad>", BOS: "<s>", EOS: "</s>"}
    words = {special.get(number, f"t{number}"): number for number in range(vocabulary)}
    plain = Tokenizer(models.WordLevel(words, unk_token=special[PAD]))
    plain.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    names = {"pad_token": special[PAD], "bos_token": special[BOS], "eos_token": special[EOS]}
    PreTrainedTokenizerFast(tokenizer_object=plain, **names).save_pretrained(folder)


def describe(job: Job) -> Machine:
    """Name the device and measure its rate."""
    if job.device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        name, memory = properties.name, properties.total_memory
    else:
        name, memory = f"CPU, {torch.get_num_threads()} thread(s)", 0
    return Machine(name, memory, matmul_flops(job.device, 512 if job.tiny else 8192), versions())


def versions() -> str:
    """Of the packages that decide results."""
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{package} not installed")
    return ", ".join(found)


def matmul_flops(device: str, size: int) -> float:
    """Operations a second of a square bfloat16 product of random numbers."""
    one, other = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    began = 0.0
    for number in range(WARM_UP + PRODUCTS):
        if number == WARM_UP:
            finish(device)
            began = time.perf_counter()
        torch.mm(one, other)
    finish(device)
    return float(PRODUCTS * 2 * size**3 / (time.perf_counter() - began))


def finish(device: str) -> None:
    """Wait for the device."""
    if device == "cuda":
        torch.cuda.synchronize()


def attempt(order: Order) -> Measurement | Failure:
    """Run a system on a workload, or say why that did not work; the next workload may."""
    scoring = WORKLOADS[order.workload].scoring
    if order.system.backend == "flex" and order.job.device == "cpu" and not scoring:
        return Failure(f"{NOT_POSSIBLE}: FlexAttention has no backward pass on a CPU")
    try:
        return measure(order)
    except Exception as error:  # noqa: BLE001  # each library fails in its own way
        traceback.print_exc()
        return Failure(f"{type(error).__name__}: {(str(error).strip() or 'no reason given').splitlines()[0]}")


def measure(order: Order) -> Measurement:
    """Run a system on a workload."""
    job, clock = order.job, Clock(order.job.device)
    done = work(order, clock)
    seconds, tokens = clock.seconds(), clock.tokens()
    weights = Weights.of(SHAPES[job.size], RANK)
    entered = sum(tokens[job.warm_up :]) / job.steps
    computed = replace(done.work, tokens=entered)
    scoring = WORKLOADS[order.workload].scoring
    return Measurement(
        seconds=tuple(seconds[job.warm_up :]),
        warm_up_seconds=sum(seconds[: job.warm_up]),
        examples=done.examples,
        peak_bytes=clock.peak_bytes(),
        tokens=entered,
        flops=weights.scoring(computed) if scoring else weights.training(computed),
    )


def work(order: Order, clock: Clock) -> Done:
    """Let the system's library do it."""
    library, scoring = order.system.library, WORKLOADS[order.workload].scoring
    if library == "qlorakit":
        return score_qlorakit(order, clock) if scoring else train_qlorakit(order, clock)
    from on_gpu.peers import score_lm_eval, train_trl, train_unsloth

    chosen = {"trl": train_trl, "unsloth": train_unsloth, "lm-eval": score_lm_eval}[library]
    return chosen(order, clock)


if __name__ == "__main__":
    main()
