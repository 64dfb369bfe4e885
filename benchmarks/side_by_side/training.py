"""The systems that train: qlorakit, TRL's SFTTrainer, and plain transformers with peft.

All of them load the same model in NF4, put the same LoRA beside the same layers, and take the same optimizer steps on
the same tokens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlorakit.bitsandbytes_offline import peft

import datasets
import torch
from transformers import DataCollatorForSeq2Seq, Trainer, TrainingArguments

import qlorakit as qk
from qlorakit.encoding import Encoder
from side_by_side.base_model import CONTEXT, check_unpacked, load_as_peers_do
from side_by_side.workloads import Sequences, Workload, training_sequences

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from side_by_side.measuring import Meter
    from side_by_side.systems import OurTraining, PeerTraining

IGNORED = -100  # label of a token that is not learned from
LANGUAGE_MODEL = "language_model"
RANK = 16
LEARNING_RATE = 1e-4


@dataclass(frozen=True)
class TrainingJob:
    """What a system is to train.

    Attributes:
        workload: What is asked.
        rows: Of one optimizer step; every step takes all of them.
        steps: Optimizer steps.
        model: Folder of the base model.
        scratch: Folder for whatever a system writes.
    """

    workload: Workload
    rows: list[dict[str, Any]]
    steps: int
    model: str
    scratch: Path

    def prepare(self, tokenizer: PreTrainedTokenizerBase) -> Sequences:
        """Set the workload's template and encode the rows."""
        if self.workload.chat_template:
            tokenizer.chat_template = self.workload.chat_template
        return training_sequences(self.workload, self.rows, Encoder(tokenizer, max_length=CONTEXT))


@dataclass(frozen=True)
class Trained:
    """What a system says of its training.

    Attributes:
        first_loss: Of the first step, in nats per token learned from; ``None`` where it is for another objective.
        sequences: That every step was on.
    """

    first_loss: float | None
    sequences: Sequences


def train_qlorakit(settings: OurTraining, job: TrainingJob, meter: Meter) -> Trained:
    """Train through qlorakit's public functions."""
    model, tokenizer = qk.load_quantized(job.model, compute_dtype="bfloat16", device="cpu")
    sequences = job.prepare(tokenizer)
    with meter.watching(model):
        result = qk.train(
            qk.attach_lora(model, r=RANK),
            tokenizer,
            job.rows,
            task=job.workload.task,
            output_dir=job.scratch,
            batch_size=len(job.rows),
            learning_rate=LEARNING_RATE,
            max_steps=job.steps,
            save_strategy="no",
            logging_first_step=True,
            progress=False,
            objective=settings.objective,
            gradient_checkpointing=settings.gradient_checkpointing,
        )
    check_unpacked(model)
    return Trained(first_loss(result.history) if settings.objective == LANGUAGE_MODEL else None, sequences)


def micro_batch_size(sequences: Sequences, tokens_at_once: int | None) -> int:
    """Sequences of a micro-batch."""
    if tokens_at_once is None:
        return len(sequences.items)
    longest = max(len(prompt) + len(answer) for prompt, answer in sequences.items)
    return max(1, tokens_at_once // longest)


def train_peer(settings: PeerTraining, job: TrainingJob, meter: Meter) -> Trained:
    """Train with a peer, and make sure that it saw qlorakit's tokens and learned from the same of them."""
    model, tokenizer = load_as_peers_do(job.model, torch.bfloat16)
    sequences = job.prepare(tokenizer)
    arguments = peer_arguments(job, sequences, settings)
    with meter.watching(model):
        make = sft_trainer if settings.trl else plain_trainer
        trainer = make(model, tokenizer, labelled(sequences), arguments, settings)
        collated = Recording(trainer.data_collator)
        trainer.data_collator = collated
        trainer.train()
    check_unpacked(model)
    check_identical(collated.batches, sequences, job.steps)
    return Trained(first_loss(trainer.state.log_history), sequences)


def peer_arguments(job: TrainingJob, sequences: Sequences, settings: PeerTraining) -> dict[str, Any]:
    """Arguments for ``TrainingArguments`` or ``SFTConfig``; one epoch is one optimizer step."""
    size = 1 if settings.packed else micro_batch_size(sequences, settings.tokens_at_once)
    return {
        "output_dir": str(job.scratch),
        "per_device_train_batch_size": size,
        # Packs are fewer: at the end of an epoch a step is taken on however many micro-batches there were.
        "gradient_accumulation_steps": -(-len(sequences.items) // size),
        "max_steps": job.steps,
        "learning_rate": LEARNING_RATE,
        "logging_first_step": True,
        "report_to": "none",
        "save_strategy": "no",
        "use_cpu": True,
        "disable_tqdm": True,
        "seed": 0,
        **settings.arguments,
    }


def sft_trainer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    dataset: datasets.Dataset,
    arguments: dict[str, Any],
    settings: PeerTraining,
) -> Trainer:
    """TRL's trainer, which takes ready tokens and labels as they are."""
    import trl

    packing = {"packing": True, "packing_strategy": "bfd"} if settings.packed else {}
    longest = max(map(len, dataset["input_ids"]))
    length = max(longest, settings.tokens_at_once or CONTEXT) if settings.packed else CONTEXT
    config = trl.SFTConfig(**arguments, **packing, max_length=length)
    return trl.SFTTrainer(
        model, args=config, train_dataset=dataset, processing_class=tokenizer, peft_config=lora_config()
    )


def plain_trainer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    dataset: datasets.Dataset,
    arguments: dict[str, Any],
    settings: PeerTraining,
) -> Trainer:
    """Transformers' trainer with a peft model."""
    del settings
    return Trainer(
        peft.get_peft_model(model, lora_config()),
        TrainingArguments(**arguments),
        train_dataset=dataset,
        data_collator=DataCollatorForSeq2Seq(tokenizer),
    )


def lora_config() -> peft.LoraConfig:
    """The adapter that ``qlorakit.attach_lora`` attaches."""
    return peft.LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules="all-linear", task_type="CAUSAL_LM")


def labelled(sequences: Sequences) -> datasets.Dataset:
    """The sequences with labels at the answers."""
    return datasets.Dataset.from_list(
        [
            {"input_ids": [*prompt, *answer], "labels": [*[IGNORED] * len(prompt), *answer]}
            for prompt, answer in sequences.items
        ]
    )


class Recording:
    """A collator that keeps what it made."""

    def __init__(self, collate: Callable[..., Any]) -> None:
        self.collate = collate
        self.batches: list[Mapping[str, torch.Tensor]] = []

    def __call__(self, features: list[dict[str, Any]]) -> Mapping[str, torch.Tensor]:
        """Collate, and keep the result."""
        batch: Mapping[str, torch.Tensor] = self.collate(features)
        self.batches.append(dict(batch))
        return batch


def check_identical(batches: list[Mapping[str, torch.Tensor]], sequences: Sequences, steps: int) -> None:
    """Make sure that a peer was given exactly the sequences, each once a step, and the same labels.

    Raises:
        RuntimeError: It was not.
    """
    given = Counter(item for batch in batches for item in sequences_of(batch))
    expected = Counter(sequences.items)
    if given != Counter({item: count * steps for item, count in expected.items()}):
        msg = f"the peer trained on other tokens: {given.total()} sequences, {expected.total() * steps} expected"
        raise RuntimeError(msg)


def sequences_of(batch: Mapping[str, torch.Tensor]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The sequences of a padded or packed batch: what is not learned from, and what is."""
    found: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
    for row, (ids, labels) in enumerate(zip(batch["input_ids"], batch["labels"], strict=True)):
        if "position_ids" in batch:
            lengths = torch.diff((batch["position_ids"][row] == 0).nonzero().flatten(), append=torch.tensor([len(ids)]))
            pieces = list(zip(ids.split(lengths.tolist()), labels.split(lengths.tolist()), strict=True))
        else:
            length = int(batch["attention_mask"][row].sum())
            pieces = [(ids[:length], labels[:length])]
        found.extend(_prompt_and_answer(*piece) for piece in pieces)
    return found


def _prompt_and_answer(ids: torch.Tensor, labels: torch.Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    start = int((labels != IGNORED).nonzero()[0])
    return tuple(ids[:start].tolist()), tuple(labels[start:].tolist())


def first_loss(history: Any) -> float:  # noqa: ANN401  # each trainer's own sequence of mappings
    """The loss of the first step, as it was logged."""
    return next(float(record["loss"]) for record in history if "loss" in record)
