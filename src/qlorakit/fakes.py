"""What stands in for a large model and its tokenizer in tests: small ones that are real, and answers that are known."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from qlorakit.errors import DataError
from qlorakit.task import Example, Output, Prediction

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    from qlorakit.task import Row, Task

    Answers = tuple[Prediction, ...]

WORDS = "up down flat profit loss sales rise fall number word the of and a to in company rose fell was"
CONTROL = ("<|pad|>", "<|bos|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
CHAT_TEMPLATE = (
    "{{- bos_token }}{%- for m in messages %}{{- '<|' + m['role'] + '|> ' + m['content'] + eos_token }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}"
)
UNLIKELY = -1e3  # nats: its probability is 0 in double precision


def small_tokenizer(
    texts: Iterable[str] = (WORDS,),
    *,
    chat_template: str | None = CHAT_TEMPLATE,
    vocab_size: int = 400,
    pad: str | None = "<|pad|>",
) -> PreTrainedTokenizerFast:
    """Learn a real byte-level BPE tokenizer from a few texts, in milliseconds.

    It can say every text, and has six control tokens: padding, begin of sequence, end of turn, and one for each role.

    Args:
        texts: What it learns its tokens from; those of the task, so that these are not spelled letter by letter.
        chat_template: In Jinja; ``None`` for a tokenizer without one.
        vocab_size: Most tokens, of which 262 are bytes and control tokens.
        pad: Its padding token.
    """
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[AddedToken(name, special=True, normalized=False) for name in CONTROL],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    names = {"bos_token": "<|bos|>", "eos_token": "<|end|>", "pad_token": pad}
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=128, **names)
    wrapped.chat_template = chat_template
    return wrapped


def small_model(vocab_size: int, **changes: Any) -> LlamaForCausalLM:  # noqa: ANN401  # settings of LlamaConfig
    """Make a Llama of two layers with random weights, the same ones at every call.

    Weights are drawn with a standard deviation of 0.2.  With the 0.02 that is usual, what a frozen random model
    computes varies so little that LoRA cannot fit even a handful of rows, and no test could see it learn.

    Args:
        vocab_size: As many as the tokenizer has tokens.
        **changes: Other settings of ``transformers.LlamaConfig``; the context is 128 tokens unless given.
    """
    from qlorakit.bitsandbytes_offline import peft as _peft  # noqa: F401  # before transformers looks for it

    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    settings = {
        "vocab_size": vocab_size, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
        "num_attention_heads": 2, "max_position_embeddings": 128, "initializer_range": 0.2, "pad_token_id": 0,
        "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": True,
    }  # fmt: skip
    return LlamaForCausalLM(LlamaConfig(**{**settings, **changes}))


def perfect_predictions(task: Task[Any], rows: Iterable[Row]) -> list[Answers]:
    """What a model that is always right and sure says: the targets, those of closed sets with probability 1.

    Args:
        task: Asks about the rows.
        rows: Labelled.

    Returns:
        For each row, the predictions of its examples, in their order.

    Raises:
        DataError: A row has no target.
    """
    return [tuple(_right(example) for example in task.format(row)) for row in rows]


def outputs_of(task: Task[Any], rows: Iterable[Row], predictions: Iterable[Sequence[Prediction]]) -> list[Output[Any]]:
    """What a task makes of predictions, with its default decision where it has a decision rule.

    Args:
        task: Parses them.
        rows: Asked.
        predictions: For each row, those of its examples.
    """
    outputs = [task.parse(row, task.format(row), answers) for row, answers in zip(rows, predictions, strict=True)]
    rule = task.decision
    return [rule.apply(output, rule.default) for output in outputs] if rule else outputs


def answered(example: Example, text: str, *also: str) -> Prediction:
    """The prediction of a model that is sure of an answer, or torn between some.

    Args:
        example: What was asked.
        text: The answer, one of the choices where there are any.
        *also: Further choices that are as likely.
    """
    if example.choices is None:
        return Prediction(text)
    likely = -math.log(1 + len(also))
    said = {text, *also}
    return Prediction(text, logprobs={choice: likely if choice in said else UNLIKELY for choice in example.choices})


def shuffled_predictions(task: Task[Any], rows: Sequence[Row], *, seed: int = 0) -> list[Answers]:
    """What a model says that mixes rows up: to each row the right answers to another one with another reference.

    To a closed set that lacks the other row's answer, the choice at its place is given.

    Args:
        task: Asks about the rows.
        rows: Labelled, with two references at least.
        seed: Of the draw.

    Raises:
        DataError: All rows have the same reference.
    """
    references = [task.reference(row) for row in rows]
    asked = [tuple(task.format(row)) for row in rows]
    rng = random.Random(seed)  # noqa: S311  # nothing secret
    return [
        tuple(_as_another(example, place, asked[donor]) for place, example in enumerate(examples))
        for examples, donor in zip(asked, _donors(references, rng), strict=True)
    ]


def _right(example: Example) -> Prediction:
    if example.target is None:
        msg = f"the question {example.key!r} of a row has no target; give rows with their labels"
        raise DataError(msg)
    return answered(example, *example.right)


def _donors(references: Sequence[Any], rng: random.Random) -> list[int]:
    """For each row another one with another reference: its successors in a permutation are tried in turn."""
    order = rng.sample(range(len(references)), len(references))
    place_of = {row: place for place, row in enumerate(order)}
    donors = []
    for row, reference in enumerate(references):
        following = (order[(place_of[row] + step) % len(order)] for step in range(1, len(order)))
        donor = next((other for other in following if references[other] != reference), None)
        if donor is None:
            msg = "all rows have the same reference, so that no answer of another row is wrong; give other rows"
            raise DataError(msg)
        donors.append(donor)
    return donors


def _as_another(example: Example, place: int, others: Sequence[Example]) -> Prediction:
    """The right answer to the same question of another row; at its place in a closed set that lacks it."""
    same = [other for other in others if other.key == example.key]
    said = (same or [others[place % len(others)]])[0]
    target = str(said.target)
    if example.choices is None or target in example.choices:
        return answered(example, target)
    wrong = [choice for choice in example.choices if choice != example.target] or example.choices
    return answered(example, wrong[(said.choices or (target,)).index(target) % len(wrong)])
