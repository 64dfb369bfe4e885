"""The model that every system loads: the shape of a 200 M-parameter Llama, with random weights.

Speed does not depend on what the weights are.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlorakit.bitsandbytes_offline import bitsandbytes as bnb

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, LlamaConfig, LlamaForCausalLM
from transformers.utils.logging import disable_progress_bar

from qlorakit.quantization import keep_unpacked

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CONTEXT = 2048
SHAPE: dict[str, Any] = {
    "vocab_size": 32_000,
    "hidden_size": 1024,
    "intermediate_size": 2560,
    "num_hidden_layers": 12,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.02,
    "tie_word_embeddings": False,
}


def make_model(folder: Path) -> int:
    """Write the model and the tokenizer of qlorakit-tiny into a folder.

    The tokenizer knows fewer tokens than the model has embeddings, which is allowed and changes nothing.

    Returns:
        The number of the model's parameters.
    """
    from qlorakit_tiny import MODEL

    disable_progress_bar()
    tokenizer = AutoTokenizer.from_pretrained(MODEL, local_files_only=True)
    tokenizer.model_max_length = CONTEXT
    tokenizer.save_pretrained(folder)
    special = {name: getattr(tokenizer, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")}
    torch.manual_seed(0)
    model = LlamaForCausalLM(LlamaConfig(**SHAPE, **special)).to(torch.bfloat16)
    model.save_pretrained(folder)
    return int(model.num_parameters())


def load_as_peers_do(folder: str, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load the model in NF4 with double quantization through transformers alone."""
    quantization = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype, quantization_config=quantization, device_map={"": "cpu"}, local_files_only=True
    )
    keep_unpacked(model)
    return model, AutoTokenizer.from_pretrained(folder, local_files_only=True)


def check_unpacked(model: torch.nn.Module) -> None:
    """Make sure that no 4-bit layer ran on bitsandbytes' packed CPU path, which is wrong in training.

    Raises:
        RuntimeError: A layer did, or could have.
    """
    layers = [module for module in model.modules() if isinstance(module, bnb.nn.Linear4bit)]
    packed = [
        layer
        for layer in layers
        if layer.support_avx512bf16_for_cpu or getattr(layer.weight.quant_state, "packing_format_for_cpu", False)
    ]
    if packed or not layers:
        msg = f"{len(packed)} of {len(layers)} 4-bit layers are on the packed CPU path"
        raise RuntimeError(msg)
