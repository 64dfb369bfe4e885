"""What the tests of the engine share: loading, training, comparing, and a task with free-text answers."""

import dataclasses
import gc
import os
import socket
import subprocess
import sys
from pathlib import Path

import qlorakit as qk
import qlorakit.evaluation
import qlorakit.training  # loads all that is heavy, before gc.freeze
from qlorakit.metrics import accuracy
from qlorakit.task import Column, Example, Message, Metric, Output, Part, Task

gc.freeze()  # every training collects garbage, and modules are none: half of the time of a short one


def load(base, **settings):
    return qk.load_quantized(base, **{"compute_dtype": "float32", **settings})


def attach(base, *, seed=0, **lora):
    model, tokenizer = load(base)
    return qk.attach_lora(model, **{"r": 8, "seed": seed, **lora}), tokenizer


def train(base, rows, task, output, *, lora=None, **settings):
    """Train a fresh adapter for a few steps; returns the model, its tokenizer and the result."""
    model, tokenizer = attach(base, **(lora or {}))
    usual = {"learning_rate": 1e-2, "num_train_epochs": 1, "batch_size": 6, "progress": False}
    result = qk.train(model, tokenizer, rows, task=task, output_dir=output, **{**usual, **settings})
    return model, tokenizer, result


def evaluate(model, tokenizer, rows, task, **settings):
    usual = {"resamples": 100, "progress": False}
    return qk.evaluate(model, tokenizer, rows, task=task, **{**usual, **settings})


def lora_weights(model):
    return {name: p.detach().clone() for name, p in model.named_parameters() if "lora_" in name}


def equal(first, second):
    """Whether two dictionaries of tensors are the same, bit for bit."""
    return first.keys() == second.keys() and all(bool((first[name] == second[name]).all()) for name in first)


def distance(first, second):
    """The largest difference between two dictionaries of tensors, as a share of the largest value."""
    assert first.keys() == second.keys()
    top = max(float(value.abs().max()) for value in first.values())
    return max(float((first[name] - second[name]).abs().max()) for name in first) / top


def snapshot(folder):
    """Every file of a folder with its content."""
    return {path.relative_to(folder): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


def run_python(code, *arguments, **environment):
    """Run a script in a new process of its own, in which nothing says offline unless asked for."""
    clean = {
        name: value for name, value in os.environ.items() if name not in {"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"}
    }
    return subprocess.run(  # noqa: S603  # the tests' own code
        [sys.executable, "-c", code, *map(str, arguments)],
        env={**clean, "OMP_NUM_THREADS": "1", **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def run_processes(count, code, *arguments):
    """Run a script in several processes that train together over gloo."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    together = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count)}
    own = {**os.environ, **together, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parent)}
    processes = [
        subprocess.Popen(  # noqa: S603  # the tests' own code
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**own, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    try:
        errors = [process.communicate(timeout=300)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0] * count, errors


def scripted(task, values, *, higher_is_better=True):
    """The task with a metric that takes the given values, one evaluation after the other."""
    script = iter(values)
    metric = Metric("scripted", lambda *_: next(script), higher_is_better=higher_is_better)
    return dataclasses.replace(task, metrics=(metric,))


def echo_task():
    """Free text: say the last word.  Built by hand, without choices."""

    def ask(row):
        messages = Message("system", (Part("say the word"),)), Message("user", (Part(row["text"], may_cut=True),))
        return (Example(messages, target=row.get("answer")),)

    def parse(row, examples, predictions):
        (prediction,) = predictions
        return Output(prediction.text if prediction.valid else None)

    return Task(
        name="toy/echo",
        summary="Say the last word.",
        format=ask,
        parse=parse,
        reference=lambda row: row["answer"],
        metrics=(accuracy(),),
        columns=(Column("text"), Column("answer", label=True)),
    )
