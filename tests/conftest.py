"""Fixtures shared by all tests: a tiny random model with a real tokenizer, and a task that it can learn."""

import os
import shutil
from pathlib import Path

import pytest
from helpers import build_model, build_tokenizer

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    import torch

    torch.set_num_threads(1)  # several threads on a busy machine are many times slower


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
        {"text": f"sales {words[label]} number {index}", "label": label}
        for index in range(6)
        for label in sorted(words)
    ]
