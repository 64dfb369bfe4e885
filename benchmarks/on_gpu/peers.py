"""TRL, Unsloth and lm-eval on the same tokens."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

import torch
from side_by_side.base_model import CONTEXT
from side_by_side.training import Recording, check_identical, labelled, lora_config
from side_by_side.workloads import Sequences

from on_gpu.flops import Work
from on_gpu.ours import LEARNING_RATE, RANK, Done, Order
from qlorakit.padded_batch import default_token_budget

if TYPE_CHECKING:
    from qlorakit.bitsandbytes_offline import peft

    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from on_gpu.measuring import Clock

LM_EVAL_BATCH = 64
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def sequences_of(order: Order) -> Sequences:
    """Prompts and answers of a step: the right ones, or all that are scored."""
    scoring = order.system.library == "lm-eval"
    examples = [example for row in order.rows() for example in row]
    items = [(item.prompt, answer) for item in examples for answer in (item.answers if scoring else item.answers[:1])]
    return Sequences(tuple(items), len(items) // len(examples))


def train_trl(order: Order, clock: Clock) -> Done:
    """Train with ``SFTTrainer``."""
    return train_peer(order, clock, order.load(), order.tokenizer(), adapter=lora_config())


def train_unsloth(order: Order, clock: Clock) -> Done:
    """Train with Unsloth's model in the same trainer."""
    from unsloth import FastLanguageModel

    model, tokenizer = FastLanguageModel.from_pretrained(
        order.job.folder, max_seq_length=CONTEXT, dtype=torch.bfloat16, load_in_4bit=True
    )
    model = FastLanguageModel.get_peft_model(
        model, r=RANK, lora_alpha=2 * RANK, lora_dropout=0, bias="none", target_modules=list(LINEAR)
    )
    return train_peer(order, clock, model, tokenizer, adapter=None)


def train_peer(
    order: Order,
    clock: Clock,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    adapter: peft.LoraConfig | None,
) -> Done:
    """Take steps with ``SFTTrainer``, and make sure that it saw the same tokens."""
    import trl

    sequences = sequences_of(order)
    with tempfile.TemporaryDirectory(prefix="qlorakit-gpu-") as scratch:
        config = trl.SFTConfig(output_dir=scratch, **arguments_of(order, sequences, default_token_budget(model)))
        data = labelled(sequences)
        trainer = trl.SFTTrainer(
            model, args=config, train_dataset=data, processing_class=tokenizer, peft_config=adapter
        )
        collated = Recording(trainer.data_collator)
        trainer.data_collator = collated
        with clock.watching(model):
            trainer.train()
    check_identical(collated.batches, sequences, order.repetitions)
    return Done(work_of(sequences), len(sequences.items))


def arguments_of(order: Order, sequences: Sequences, token_budget: int) -> dict[str, Any]:
    """Settings of ``SFTConfig``; one epoch is one optimizer step."""
    system, count = order.system, len(sequences.items)
    longest = max(len(prompt) + len(answer) for prompt, answer in sequences.items)
    size = count if system.checkpointing else min(count, max(1, token_budget // longest))
    return {
        "per_device_train_batch_size": size,
        # At the end of an epoch a step is taken on however many micro-batches there were.
        "gradient_accumulation_steps": -(-count // size),
        "max_steps": order.repetitions,
        "learning_rate": LEARNING_RATE,
        "max_length": CONTEXT,
        "report_to": "none",
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "seed": 0,
        "use_cpu": order.job.device == "cpu",
        **({} if system.checkpointing else {"gradient_checkpointing": False}),
        **({"use_liger_kernel": True} if system.liger else {}),
    }


def score_lm_eval(order: Order, clock: Clock) -> Done:
    """Score the same tokens with lm-eval, its cache of logits for shared contexts on."""
    from lm_eval.models.huggingface import HFLM
    from side_by_side.scoring import ask_lm_eval

    model = order.load().eval()
    harness = HFLM(
        model,
        backend="causal",
        tokenizer=order.tokenizer(),
        batch_size=LM_EVAL_BATCH,
        max_length=CONTEXT,
        logits_cache=True,
    )
    sequences = sequences_of(order)
    with clock.watching(model):
        for _ in range(order.repetitions):
            ask_lm_eval(harness, sequences)
            clock.step()
    return Done(work_of(sequences), len(sequences.items) // sequences.per_row)


def work_of(sequences: Sequences) -> Work:
    """Count what the sequences need one by one; how they were padded is not known here."""
    lengths = [len(prompt) + len(answer) - 1 for prompt, answer in sequences.items]
    return Work(
        tokens=sum(lengths),
        predicted=sum(len(answer) for _, answer in sequences.items),
        pairs=sum(length * (length + 1) // 2 for length in lengths),
    )
