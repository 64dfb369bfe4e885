"""Fixtures shared by all tests: a tiny random model with a real tokenizer, and a task that it can learn."""

import json
import os
import shutil
from pathlib import Path

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

DATA = Path(os.environ.get("QLORAKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))

WORDS = "up down flat profit loss sales rise fall number word the of and a to in company rose fell was"
CHAT_TEMPLATE = (
    "{{- bos_token }}{%- for m in messages %}{{- '<|' + m['role'] + '|> ' + m['content'] + eos_token }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}"
)


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    import torch

    torch.set_num_threads(1)  # several threads on a busy machine are many times slower


def build_tokenizer(texts=(WORDS,), *, chat_template=CHAT_TEMPLATE, vocab_size=400, pad="<|pad|>"):
    """A byte-level BPE tokenizer with the control tokens of the embedded model, learned from a few words."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    names = ["<|pad|>", "<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [AddedToken(name, special=True, normalized=False) for name in names]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|bos|>", eos_token="<|end|>", pad_token=pad, model_max_length=128
    )
    wrapped.chat_template = chat_template
    return wrapped


def build_model(vocab_size, **changes):
    """A two-layer random Llama that LoRA can fit: the usual initializer range of 0.02 is too small for that."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    settings = {
        "vocab_size": vocab_size, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": 128, "initializer_range": 0.2, "pad_token_id": 0,
        "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": True,
    }  # fmt: skip
    return LlamaForCausalLM(LlamaConfig(**{**settings, **changes}))


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory):
    """A saved model and tokenizer; tests that change it work on a copy."""
    folder = tmp_path_factory.mktemp("base")
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(folder)
    build_model(len(tokenizer)).save_pretrained(folder)
    return folder


@pytest.fixture
def own_base(base_folder, tmp_path):
    """A copy of the base that a test may spoil."""
    return Path(shutil.copytree(base_folder, tmp_path / "base"))


@pytest.fixture
def adapted(base_folder):
    """An NF4 model with a fresh adapter, and its tokenizer."""
    import qlorakit as qk

    model, tokenizer = qk.load_quantized(base_folder, compute_dtype="float32")
    return qk.attach_lora(model, r=8, seed=0), tokenizer


@pytest.fixture(scope="session")
def task():
    """Three labels that follow from one word of the text."""
    from qlorakit.kinds import single_label

    return single_label(
        "toy/direction",
        summary="Which way?",
        instruction="the direction of the word",
        labels=("down", "flat", "up"),
    )


@pytest.fixture(scope="session")
def rows():
    """Eighteen rows that can be memorised."""
    words = {"up": "rose", "down": "fell", "flat": "was"}
    return [
        {"text": f"sales {words[label]} number {index}", "label": label} for index in range(6) for label in sorted(words)
    ]


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
