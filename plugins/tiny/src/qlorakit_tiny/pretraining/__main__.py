"""Pretrain the embedded model: ``python -m qlorakit_tiny.pretraining --corpus ../shared/corpus --output model``.

The same corpus, seed, package versions, thread count and processor give the same weights, interrupted or not: a
checkpoint is written every few minutes and picked up by the same command.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import transformers
from tokenizers import __version__ as tokenizers_version
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from qlorakit_tiny.pretraining.corpus import Document, read_documents
from qlorakit_tiny.pretraining.tokenizer import train_tokenizer

Tokens = npt.NDArray[np.uint16]
Loss = Callable[[torch.nn.Module, torch.Tensor], torch.Tensor]

CHECKPOINT, LOG = "checkpoint.pt", "training_log.jsonl"
LOG_EVERY, SAVE_EVERY, EVALUATE_EVERY = 50, 250, 500  # steps


@dataclass(frozen=True)
class Settings:
    """Everything that decides the weights, besides the corpus and the package versions."""

    steps: int
    """Optimizer steps of the whole run."""
    seed: int = 0
    vocab_size: int = 8192
    hidden_size: int = 256
    intermediate_size: int = 704
    layers: int = 6
    heads: int = 4
    context: int = 1024
    """Longest sequence trained on, in tokens."""
    short_context: int = 256
    """Length of the windows in the first, larger part of the run: a third cheaper per token."""
    long_share: float = 0.2
    """Share of the steps, at the end, that see windows of the whole context."""
    tokens_per_step: int = 4096
    peak_lr: float = 1e-2
    """Of AdamW (embeddings, norms); the matrices' Muon step is scaled to the same root mean square."""
    matrix_lr: float = 1.2e-2
    warmup_steps: int = 100
    decay_share: float = 0.4
    """Share of the steps, at the end, over which the learning rate falls linearly to zero."""
    weight_decay: float = 0.1
    threads: int = 1
    held_out_windows: int = 64
    compile: bool = True
    """Whether the loss is compiled, which changes rounding."""


def learning_rate_factor(step: int, settings: Settings) -> float:
    """Warm up, stay, fall linearly: the constant part lets a longer run start from a shorter one's checkpoint."""
    decay_steps = settings.steps * settings.decay_share
    return min(1.0, (step + 1) / settings.warmup_steps, (settings.steps - step) / decay_steps)


def window_length(step: int, settings: Settings) -> int:
    """Short windows first, whole ones at the end."""
    return settings.context if step >= settings.steps * (1 - settings.long_share) else settings.short_context


def encode_document(document: Document, tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Token ids of a document, from begin-of-sequence to the end token."""
    if isinstance(document.content, str):
        text = f"{tokenizer.bos_token}{document.content}{tokenizer.eos_token}"
    else:
        messages = [{"role": role, "content": content} for role, content in document.content]
        text = str(tokenizer.apply_chat_template(messages, tokenize=False))
    return list(tokenizer.encode(text, add_special_tokens=False))


def windows(encoded: Sequence[Sequence[int]], settings: Settings) -> Tokens:
    """Shuffled documents end to end, cut into rows of the whole context; the last partial row is left out."""
    order = np.random.default_rng(settings.seed).permutation(len(encoded))
    stream = np.concatenate([np.asarray(encoded[position], dtype=np.uint16) for position in order])
    return stream[: len(stream) // settings.context * settings.context].reshape(-1, settings.context)


def batches(rows: Tokens, settings: Settings, *, start: int) -> Iterator[tuple[int, torch.Tensor]]:
    """The batch of each step from ``start`` on, [rows, window length]; epochs are shuffled anew."""
    per_step = settings.tokens_per_step // settings.context
    per_epoch = len(rows) // per_step
    for step in range(start, settings.steps):
        epoch, position = divmod(step, per_epoch)
        order = np.random.default_rng((settings.seed, epoch)).permutation(len(rows))
        chosen = rows[order[position * per_step : (position + 1) * per_step]]
        yield step, torch.from_numpy(chosen.astype(np.int64)).view(-1, window_length(step, settings))


def build_model(settings: Settings, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    """A Llama with tied embeddings; every width is a multiple of 64, the block size of NF4."""
    torch.manual_seed(settings.seed)
    config = LlamaConfig(
        vocab_size=settings.vocab_size,
        hidden_size=settings.hidden_size,
        intermediate_size=settings.intermediate_size,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=settings.context,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    return LlamaForCausalLM(config)


def build_optimizers(model: LlamaForCausalLM, settings: Settings) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for the rest."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]  # noqa: PLR2004
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]  # noqa: PLR2004
    return [
        torch.optim.Muon(matrices, lr=settings.matrix_lr, weight_decay=settings.weight_decay,
                         adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=settings.peak_lr, betas=(0.9, 0.95), weight_decay=0.0),
    ]  # fmt: skip


def language_model_loss(model: torch.nn.Module, rows: torch.Tensor) -> torch.Tensor:
    """Mean negative log-likelihood per token, in nats."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(input_ids=rows[:, :-1], use_cache=False).logits
    return functional.cross_entropy(logits.flatten(0, 1).float(), rows[:, 1:].flatten())


@torch.no_grad()
def held_out_loss(model: torch.nn.Module, rows: Tokens, settings: Settings) -> float:
    """Mean loss over the held-out windows at the full context, in nats per token."""
    model.eval()
    chosen = torch.from_numpy(rows[: settings.held_out_windows].astype(np.int64))
    loss = torch.stack([language_model_loss(model, part) for part in chosen.split(4)]).mean()
    model.train()
    return float(loss)


def update(
    model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer], loss_of: Loss, batch: torch.Tensor, factor: float
) -> float:
    """One optimizer step; returns the loss before it."""
    for optimizer in optimizers:
        optimizer.param_groups[0]["lr"] = optimizer.defaults["lr"] * factor
    loss = loss_of(model, batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    return float(loss.detach())


def train(rows: Tokens, held_out: Tokens, model: LlamaForCausalLM, settings: Settings, work: Path) -> None:
    """Run the loop, from the last checkpoint in ``work`` if there is one."""
    optimizers = build_optimizers(model, settings)
    start = restore(model, optimizers, work)
    # Compiled, the softmax is fused: a third faster.
    loss_of = torch.compile(language_model_loss, dynamic=False) if settings.compile else language_model_loss
    model.train()
    losses, began = [], time.monotonic()
    for step, batch in batches(rows, settings, start=start):
        factor = learning_rate_factor(step, settings)
        losses.append(update(model, optimizers, loss_of, batch, factor))
        done = step + 1
        if done % LOG_EVERY == 0 or done == settings.steps:
            record = {"step": done, "loss": sum(losses) / len(losses), "lr_factor": factor}
            record["tokens_per_second"] = round(len(losses) * settings.tokens_per_step / (time.monotonic() - began))
            if done % EVALUATE_EVERY == 0 or done == settings.steps:
                record["held_out_loss"] = held_out_loss(model, held_out, settings)
            write_log(work, record)
            losses, began = [], time.monotonic()
        if done % SAVE_EVERY == 0:
            save(model, optimizers, done, work)


def save(model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer], step: int, work: Path) -> None:
    """Write a checkpoint: complete, or the previous one stays."""
    partial = work / "checkpoint.partial"
    states = [optimizer.state_dict() for optimizer in optimizers]
    torch.save({"step": step, "model": model.state_dict(), "optimizers": states}, partial)
    partial.replace(work / CHECKPOINT)


def restore(model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer], work: Path) -> int:
    """Read the checkpoint, if there is one, cut the log back to it, and return its step."""
    path, log = work / CHECKPOINT, work / LOG
    step = 0
    if path.exists():
        state = torch.load(path, weights_only=True)
        step = int(state["step"])
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
    records = log.read_text(encoding="utf-8").splitlines(keepends=True) if log.exists() else []
    log.write_text("".join(line for line in records if json.loads(line)["step"] <= step), encoding="utf-8")
    return step


def write_log(work: Path, record: dict[str, float]) -> None:
    """Append a line to the log and show it."""
    with (work / LOG).open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(record) + "\n")
    print(record, flush=True)  # noqa: T201  # the progress of a command


def parse_arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m qlorakit_tiny.pretraining", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="folder with the four sources of the model card")
    parser.add_argument("--output", type=Path, required=True, help="folder for the finished model")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoint and log")
    parser.add_argument("--steps", type=int, default=2800, help="optimizer steps of 4096 tokens (default 2800)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, exercises and order (default 0)")
    parser.add_argument("--threads", type=int, default=1, help="of torch; another number changes rounding (default 1)")
    parser.add_argument("--no-compile", action="store_true", help="for machines without a C++ compiler; slower")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    """Read the corpus, pretrain, write the model folder."""
    arguments = parse_arguments(given)
    settings = Settings(
        steps=arguments.steps, seed=arguments.seed, threads=arguments.threads, compile=not arguments.no_compile
    )
    arguments.work.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(settings.threads)
    torch.use_deterministic_algorithms(mode=True)

    documents = read_documents(arguments.corpus, seed=settings.seed)
    training = [document for document in documents if not document.held_out]
    unseen = [document for document in documents if document.held_out]
    texts = (d.content if isinstance(d.content, str) else "\n".join(text for _, text in d.content) for d in training)
    tokenizer = train_tokenizer(texts, vocab_size=settings.vocab_size, max_length=settings.context)
    encoded = [encode_document(document, tokenizer) for document in training]
    sizes: Counter[str] = Counter()
    for document, ids in zip(training, encoded, strict=True):
        sizes[document.source] += len(ids)
    print("training tokens:", dict(sizes), flush=True)  # noqa: T201
    held_out = windows([encode_document(document, tokenizer) for document in unseen], settings)
    model = build_model(settings, tokenizer)
    train(windows(encoded, settings), held_out, model, settings, arguments.work)
    write_model(model, tokenizer, arguments.output, settings, sizes, (arguments.work / LOG).read_text(encoding="utf-8"))


def write_model(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    output: Path,
    settings: Settings,
    sizes: dict[str, int],
    log: str,
) -> None:
    """Write weights in bfloat16, tokenizer, log, and how it all came about."""
    output.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(output)
    model.to(torch.bfloat16).save_pretrained(output)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__, "tokenizers": tokenizers_version}
    record = {"settings": asdict(settings), "training_tokens": dict(sizes), "versions": versions}
    (output / "pretraining.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    (output / LOG).write_text(log, encoding="utf-8")


if __name__ == "__main__":
    main()
