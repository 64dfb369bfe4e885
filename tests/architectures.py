"""Tiny random models of many architectures, with sequences that share beginnings, and what they compute of them."""

import functools
import random

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from qlorakit.padded_batch import padded_batches
from qlorakit.prefix_tree import Continuation
from qlorakit.tree_batch import tree_batches

COMMON = {
    "vocab_size": 300, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "initializer_range": 0.2, "pad_token_id": 0,
    "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
NO_DROPOUT = {"attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0}

# All windows are shorter than what the sequences share.  A name after a dot tells two of one type apart.
WORKING = {
    "llama": {},
    "qwen2": {},
    "qwen2.window": {"use_sliding_window": True, "sliding_window": 7, "max_window_layers": 1},
    "qwen3": {"head_dim": 16},
    "mistral": {"sliding_window": 9, "head_dim": 16},
    "gemma2": {"sliding_window": 8, "head_dim": 16},
    "gemma3_text": {"sliding_window": 8, "head_dim": 16},
    "gemma4_text": {
        "sliding_window": 8, "head_dim": 16, "global_head_dim": 16, "vocab_size_per_layer_input": 300,
        "num_hidden_layers": 3,
        "num_kv_shared_layers": 1, "layer_types": ["full_attention", "sliding_attention", "full_attention"],
    },  # the last layer uses the keys of the first
    "cohere2": {"sliding_window": 8},
    "olmo3": {"sliding_window": 8},
    "smollm3": {},
    "phi3": {},
    "mixtral": {"num_local_experts": 4},
    "qwen3_moe": {**EXPERTS, "head_dim": 16},
    "gpt_oss": {
        "sliding_window": 8, "head_dim": 16, "num_local_experts": 4, "num_experts_per_tok": 2,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
    },
    "gpt_neox": {},
    "gpt2": NO_DROPOUT,
    "deepseek_v3": {
        "num_key_value_heads": 4, "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
        "q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 12,
        "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1,
    },  # keys and values of different widths
}  # fmt: skip
# With what is said of them.
FAILING = {
    "stablelm": ({}, "does not hand the tree on"),
    "falcon": ({}, "Error: "),
    "bloom": ({}, "log-probabilities are off by"),
    "mpt": ({"d_model": 64, "n_heads": 4, "n_layers": 2, "max_seq_len": 256}, "Error: "),
    "gptj": ({**NO_DROPOUT, "n_embd": 64, "n_layer": 2, "n_head": 4, "rotary_dim": 8}, "log-probabilities are off by"),
    "lfm2": ({"layer_types": ["conv", "full_attention"], "block_multiple_of": 8}, "log-probabilities are off by"),
    "qwen3_next": (
        {
            **EXPERTS, "head_dim": 16, "shared_expert_intermediate_size": 32, "linear_num_key_heads": 2,
            "linear_num_value_heads": 2, "linear_key_head_dim": 8, "linear_value_head_dim": 8,
            "layer_types": ["linear_attention", "full_attention"],
        },
        "log-probabilities are off by",
    ),
    "mamba": ({}, "log-probabilities are off by"),
    "jamba": ({}, "log-probabilities are off by"),
    "llama4_text": (
        {"head_dim": 16, "num_local_experts": 2, "attention_chunk_size": 8, "intermediate_size_mlp": 64},
        "log-probabilities are off by",
    ),
    "kimi_linear": (
        {
            "num_key_value_heads": 4, "linear_head_dim": 16, "linear_num_heads": 4, "num_local_experts": 4,
            "num_experts_per_tok": 2, "moe_intermediate_size": 32, "kv_lora_rank": 16, "qk_rope_head_dim": 8,
            "qk_nope_head_dim": 8, "v_head_dim": 16, "layer_types": ["full_attention", "linear_attention"],
        },
        "log-probabilities are off by",
    ),  # what is called an attention's query there goes through a convolution
    "diffllama": ({}, "attends twice"),
}  # fmt: skip


def build(name, **changes):
    """A model with the same weights each time, in evaluation mode."""
    special = WORKING.get(name) or FAILING.get(name, ({},))[0]
    config = AutoConfig.for_model(name.partition(".")[0], **{**COMMON, **special, **changes})
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    with torch.no_grad():
        for weight in model.parameters():  # where it starts from zeros, and what that would hide
            if weight.dim() == 1:
                weight.add_(0.1 * torch.randn(weight.shape))
    return model


def branching(*, stem=20, seed=0):
    """Twelve sequences: a stem, four documents under it, three questions about each, some identical in the prompt."""
    draw = random.Random(seed)  # noqa: S311  # nothing secret

    def tokens(least, most):
        return tuple(draw.randrange(6, 300) for _ in range(draw.randint(least, most)))

    trunk = tokens(stem, stem)
    documents = [trunk + tokens(5, 30) for _ in range(4)]
    return [Continuation(document + tokens(0, 5), tokens(1, 4)) for document in documents for _ in range(3)]


def ordered(model, batches, **settings):
    """Log-probabilities of all answer tokens, sequence by sequence."""
    found = {}
    for batch in batches:
        found.update(zip(batch.items, batch.logprobs(model, **settings).split(batch.sizes), strict=True))
    return torch.cat([found[item] for item in sorted(found)])


def as_padded(sequences, *, token_budget=10_000):
    return padded_batches(sequences, token_budget=token_budget, pad=0)


def as_trees(sequences, *, token_budget=10_000, skip=0):
    return tree_batches(sequences, [0] * len(sequences), token_budget=token_budget, skip=skip)


def gradients(model, batches, **settings):
    """Loss, and its gradients by name."""
    model.zero_grad()
    loss = -ordered(model, batches, **settings).sum()
    loss.backward()
    return float(loss.detach()), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@functools.cache
def reference(name):
    """A model with its loss and gradients on padded rows."""
    model = build(name)
    with torch.enable_grad():
        return model, *gradients(model, as_padded(branching()))
