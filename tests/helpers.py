"""Builders that tests share: a small real tokenizer, a random model that LoRA can fit, files of rows."""

import json
import os
from pathlib import Path

DATA = Path(os.environ.get("QLORAKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))

WORDS = "up down flat profit loss sales rise fall number word the of and a to in company rose fell was"
CHAT_TEMPLATE = (
    "{{- bos_token }}{%- for m in messages %}{{- '<|' + m['role'] + '|> ' + m['content'] + eos_token }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}"
)


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


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
