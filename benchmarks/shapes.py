"""Models with random weights in the shapes of known ones: speed does not depend on what the weights are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import torch
from random_tokens import BOS, EOS, PAD
from side_by_side.base_model import CONTEXT, SHAPE
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, LlamaConfig, LlamaForCausalLM

from qlorakit.quantization import keep_unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedModel

VOCABULARY = 32_000


def llama(hidden: int, inner: int, layers: int, heads: int, key_heads: int, vocabulary: int) -> dict[str, Any]:
    """Settings of a Llama."""
    return {
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_heads,
        "max_position_embeddings": CONTEXT,
        "initializer_range": 0.02,
        "tie_word_embeddings": False,
    }


SHAPES = {
    "tiny": llama(64, 128, 2, 4, 2, 512),
    "60m": llama(512, 1408, 8, 8, 8, VOCABULARY),
    "200m": SHAPE,  # of the side-by-side benchmark
    "1.1b": llama(2048, 5632, 22, 32, 4, VOCABULARY),  # TinyLlama
}


def write_model(size: str, folder: Path) -> int:
    """Write a model of random weights, in bfloat16, into a folder.

    Returns:
        The number of its parameters.
    """
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        config = LlamaConfig(**SHAPES[size], bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD)
        model = LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    model.save_pretrained(folder)
    return int(model.num_parameters())


def load_nf4(folder: Path, dtype: torch.dtype, device: str) -> PreTrainedModel:
    """Load a model in NF4 with double quantization, through transformers alone."""
    quantization = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
    )
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, quantization_config=quantization, device_map={"": device}, local_files_only=True
    )
    keep_unpacked(model)
    return model
