"""Ask a model: score closed sets of answers by likelihood, generate free text, predict rows."""

from __future__ import annotations

import copy
import functools
import json
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qlorakit.bitsandbytes_offline import peft

import torch
from transformers import Cache, GenerationConfig, LogitsProcessor, LogitsProcessorList

from qlorakit.adapters import DECISION, warn_of_other_task
from qlorakit.display import progress_bar
from qlorakit.encoding import KEPT_TOKENS, Encoded, EncodedRow, EncodedRows, Encoder
from qlorakit.errors import ConfigurationError, DataError, ModelError
from qlorakit.layout import Layout, PrefixSharing, choose_layout
from qlorakit.logits import keeps_logits, one_at_a_time, plain_model
from qlorakit.padded_batch import PaddedBatch, default_token_budget
from qlorakit.prefix_tree import Continuation, common_length
from qlorakit.quantization import context_length, evaluating, in_float32
from qlorakit.row_store import to_dataset
from qlorakit.rows import as_rows, check_rows, check_task, row_ids
from qlorakit.self_check import ROUNDING
from qlorakit.task import Output, Prediction
from qlorakit.tree_batch import TreeBatch, common_past

if TYPE_CHECKING:
    import datasets
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from qlorakit.task import Decision, Row, Task

logger = logging.getLogger(__name__)

NOT_FINITE = "what the model computes is not finite: its weights or its compute type are broken"
# Answers that are sorted and cut at a time.
AT_A_TIME = 1 << 12
# Rows whose tokens are in memory at a time; so many are cut into batches once for all models that are asked.
ROWS_AT_A_TIME = 10_000
# A common beginning of fewer tokens is computed in every batch.
SHORTEST_PAST = 16
GENERATES_TOGETHER = "qlorakit_generates_together"  # attribute of a model that was checked
AnswerSet = tuple[tuple[int, ...], Sequence[tuple[int, ...]]]  # a prompt and the answers to be scored
RESULT_COLUMNS = ("row_id", "prediction", "valid", "probability", "abstained", "scores")


@dataclass(frozen=True)
class Answers:
    """What a model said to the rows of a data set, and what it cost.

    Attributes:
        outputs: One per row.
        predictions: One per example of each row, where they were asked to be kept.
        tokens: Computed in forward passes, padding included.
    """

    outputs: tuple[Output[Any], ...]
    predictions: tuple[tuple[Prediction, ...], ...]
    tokens: int


@one_at_a_time
def predict(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Iterable[Row],
    *,
    task: Task[Any],
    max_length: int | None = None,
    max_new_tokens: int = 256,
    token_budget: int | None = None,
    prefix_sharing: PrefixSharing = "auto",
    min_probability: float | None = None,
    decision: Decision | None = None,
    progress: bool = True,
) -> datasets.Dataset:
    """Answer rows, which need no labels.

    Args:
        model: With or without adapter.
        tokenizer: Its tokenizer.
        rows: In the task's column names.
        task: How to ask and how to read the answer.
        max_length: Most tokens of prompt and answer; the model's context unless given.
        max_new_tokens: Most tokens of a generated answer.
        token_budget: Most tokens of a forward pass; from the machine's memory unless given.
        prefix_sharing: Whether what prompts have in common is computed once; see ``train``.
        min_probability: Answers less probable than this are withheld: their ``prediction`` is ``None`` and they are
            marked as ``abstained``.  :func:`~qlorakit.score_metrics.threshold_for_risk` finds the value that keeps the
            share of errors below a chosen one.  Not for tasks that weigh the costs of two answers, nor for those that
            answer several questions about a document.
        decision: Thresholds, where the task has some, in place of those saved with the adapter: those that
            ``evaluate`` fitted are ``report.system("tuned").decision``.
        progress: Whether to show a bar.

    Returns:
        The rows with the columns ``row_id``, ``prediction`` (``None`` where there was no valid answer), ``valid``,
        ``probability`` (of the prediction, among the possible answers; ``None`` for generated text), ``abstained``,
        and ``scores`` (the probability of each possible answer, as JSON).

    Raises:
        ConfigurationError: A length or ``min_probability`` is out of range, the task decides by costs or answers
            several questions, or ``decision`` is not one of the task.
        DataError: A row is unusable, or already has a column of those names.
        EncodingError: A prompt does not fit and cannot be cut.
        ModelError: The model answers with NaN.
        PluginError: The task fails on a row.
        PrefixSharingError: ``prefix_sharing`` is ``"on"``, and the model cannot.
    """
    check_task(task)
    if min_probability is not None and not 0 <= min_probability <= 1:
        msg = f"min_probability={min_probability}: must be from 0 to 1"
        raise ConfigurationError(msg)
    if min_probability is not None and task.single and task.decision:
        msg = (
            f"min_probability={min_probability}: {task.name} answers by a threshold of its own, so that the answers it "
            "is for, such as an alert, may be improbable ones; choose by the column 'scores' instead"
        )
        raise ConfigurationError(msg)
    if min_probability is not None and task.format_to_fit:
        msg = (
            f"min_probability={min_probability}: {task.name} answers several questions about each row; choose by the "
            "probability of each finding, or give other thresholds as decision="
        )
        raise ConfigurationError(msg)
    _check_decision(task, decision)
    warn_of_other_task(model, task.name)
    rows = as_rows(rows)
    check_rows(rows, task, labelled=False)
    ids = row_ids(rows)
    columns = to_dataset(rows).column_names  # what cannot be returned is better known before anything is asked
    taken = sorted(set(RESULT_COLUMNS) & set(columns))
    if taken:
        msg = f"the rows already have the column {taken[0]!r}, which predict would overwrite; rename it first"
        raise DataError(msg)
    encoder = build_encoder(model, tokenizer, max_length=max_length, max_new_tokens=max_new_tokens)
    encoded = encoder.encode_rows(rows, task)
    warn_of(encoded)
    layout = layout_for(model, encoder, encoded.longest, prefix_sharing=prefix_sharing, token_budget=token_budget)
    answers = answer(model, Questions(task, encoded, layout), progress=progress)
    rule = task.decision
    thresholds = rule.saved_or_default(decision or vars(model).get(DECISION)) if rule else {}
    outputs = [rule.apply(output, thresholds) if rule else output for output in answers.outputs]
    results = zip(rows, ids, outputs, strict=True)
    return to_dataset(
        {**row, **_result(task, row, identity, output, min_probability)} for row, identity, output in results
    )


def _check_decision(task: Task[Any], decision: Decision | None) -> None:
    rule = task.decision
    fits = rule is not None and isinstance(decision, Mapping) and set(decision) == set(rule.default)
    if decision is not None and not fits:
        wanted = (
            f"a mapping to thresholds from {', '.join(map(repr, rule.default))}"
            if rule
            else "none: it has no thresholds"
        )
        msg = f"decision={decision!r} is not one of {task.name}, which takes {wanted}"
        raise ConfigurationError(msg)


@dataclass(frozen=True)
class Scoring:
    """Sets of answers, cut into batches: what can be scored by one model after the other.

    Attributes:
        sizes: Answers of each set.
        prefix: Tokens that all prompts begin with and that are not in the batches.
        batches: With their places among all answers, in order.
    """

    sizes: tuple[int, ...]
    prefix: tuple[int, ...]
    batches: tuple[tuple[int, TreeBatch | PaddedBatch], ...]

    @classmethod
    def prepare(cls, sets: Sequence[AnswerSet], groups: Sequence[int], layout: Layout) -> Scoring:
        """Cut sets of answers into batches.

        Args:
            sets: A prompt and its answers, each.
            groups: Of each set, in ascending order; those of one group share a batch where they fit.
            layout: How.
        """
        prefix = _common_prefix([prompt for prompt, _ in sets]) if layout.shared else ()
        batches: list[tuple[int, TreeBatch | PaddedBatch]] = []
        start = 0
        for part, of_part in _portions(sets, groups):
            sequences = [Continuation(prompt, answer) for prompt, answers in part for answer in answers]
            spread = [group for group, (_, answers) in zip(of_part, part, strict=True) for _ in answers]
            cut = layout.batches(sequences, spread, range(len(sequences)), skip=len(prefix))
            batches.extend((start, batch) for batch in cut)
            start += len(sequences)
        return cls(tuple(len(answers) for _, answers in sets), prefix, tuple(batches))


@dataclass(frozen=True)
class Portion:
    """Some rows of a data set, cut into batches.

    Attributes:
        rows: They.
        encoded: Their examples.
        scoring: Those examples that have choices.
    """

    rows: Sequence[Row]
    encoded: Sequence[EncodedRow]
    scoring: Scoring

    @classmethod
    def of(cls, encoded: EncodedRows, places: slice, layout: Layout) -> Portion:
        """Cut rows into batches."""
        part = encoded[places]
        sets = [(item.prompt, item.choices or ()) for row in part for item in row.encoded if item.choices]
        return cls(encoded.rows[places], part, Scoring.prepare(sets, list(_groups(part)), layout))


@dataclass(frozen=True)
class Questions:
    """Rows of a task ready to be asked; one model after the other can answer them.

    Attributes:
        task: How answers are read.
        encoded: The rows with their examples.
        layout: How they are cut into batches.
    """

    task: Task[Any]
    encoded: EncodedRows
    layout: Layout

    @property
    def rows(self) -> Sequence[Row]:
        """The rows."""
        return self.encoded.rows

    def portions(self) -> Iterator[tuple[float, Portion]]:
        """All rows, so many at a time, with the share of them that is before; kept if there is only one portion."""
        all_of_them = list(_slices(self.encoded.sizes))
        if len(all_of_them) == 1:
            yield 0.0, self._only
            return
        for places in all_of_them:
            yield places.start / len(self.rows), Portion.of(self.encoded, places, self.layout)

    @functools.cached_property
    def _only(self) -> Portion:
        return Portion.of(self.encoded, slice(None), self.layout)


def answer(
    model: PreTrainedModel,
    questions: Questions,
    *,
    progress: bool,
    title: str = "answering",
    keep_predictions: bool = False,
) -> Answers:
    """Ask the model every example and parse the answers of each row.

    Args:
        model: To be asked.
        questions: The rows.
        progress: Whether to show a bar.
        title: Of the bar.
        keep_predictions: Whether what the model said to each example is kept as well, which takes memory.
    """
    outputs: list[Output[Any]] = []
    kept: list[tuple[Prediction, ...]] = []
    tokens = 0
    with evaluating(model), progress_bar(title, shown=progress) as advance:
        for before, portion in questions.portions():
            share = len(portion.rows) / len(questions.rows)
            predictions, cost = _ask(model, questions, portion, functools.partial(_advance_by, advance, before, share))
            parsed = zip(portion.rows, portion.encoded, predictions, strict=True)
            outputs.extend(questions.task.parse(row, item.examples, said) for row, item, said in parsed)
            kept.extend(predictions if keep_predictions else ())
            tokens += cost
    return Answers(tuple(outputs), tuple(kept), tokens)


def _advance_by(advance: Callable[[float], None], before: float, share: float, done: float) -> None:
    """Report what is done of a portion as what is done of everything."""
    advance(before + share * done)


def _ask(
    model: PreTrainedModel, questions: Questions, portion: Portion, advance: Callable[[float], None]
) -> tuple[list[tuple[Prediction, ...]], int]:
    """What the model says to each example of each row, and the tokens computed."""
    examples = [pair for row in portion.encoded for pair in zip(row.examples, row.encoded, strict=True)]
    closed = [index for index, (example, _) in enumerate(examples) if example.choices is not None]
    free = [index for index, (example, _) in enumerate(examples) if example.choices is None]
    predictions: dict[int, Prediction] = {}
    scored, tokens = score(model, portion.scoring, advance=advance)
    for index, logprobs in zip(closed, scored, strict=True):
        predictions[index] = _likeliest(examples[index][0].choices or (), logprobs)
    layout = questions.layout
    written, more = generate(
        model, questions.encoded.encoder, [examples[index][1].prompt for index in free],
        token_budget=layout.token_budget, share_prefix=layout.shared, advance=advance,
    )  # fmt: skip
    predictions.update(zip(free, written, strict=True))
    in_order = iter([predictions[index] for index in range(len(examples))])
    return [tuple(next(in_order) for _ in row.examples) for row in portion.encoded], tokens + more


def score(
    model: PreTrainedModel, scoring: Scoring, *, advance: Callable[[float], None] = lambda _: None
) -> tuple[list[tuple[float, ...]], int]:
    """Log-probability in nats of every answer after its prompt, end of turn included.

    Args:
        model: In evaluation mode.
        scoring: Prompts and answers.
        advance: Called with the share that is done.

    Returns:
        One tuple per set, in the order of its answers; and the tokens computed, padding included.

    Raises:
        ModelError: A log-probability is not a number.
    """
    totals = [0.0] * sum(scoring.sizes)
    past = common_past(model, scoring.prefix)
    for done, (start, batch) in enumerate(scoring.batches, start=1):
        found = batch.logprobs(model, past) if isinstance(batch, TreeBatch) else batch.logprobs(model)
        for item, part in zip(batch.items, found.double().cpu().split(batch.sizes), strict=True):
            totals[start + item] = float(part.sum())
        advance(done / len(scoring.batches))
    if not all(map(math.isfinite, totals)):
        raise ModelError(NOT_FINITE)
    values = iter(totals)
    tokens = past.tokens + sum(batch.tokens for _, batch in scoring.batches)
    return [tuple(next(values) for _ in range(size)) for size in scoring.sizes], tokens


def _groups(rows: Sequence[EncodedRow]) -> Iterator[int]:
    """The group of each example that has choices: its row, or so much of a long document that cutting takes little."""
    group = 0
    for row in rows:
        held, window = 0, None
        for example, item in zip(row.examples, row.encoded, strict=True):
            if not item.choices:
                continue
            if held >= AT_A_TIME // 2 and (example.window != window or held >= 2 * AT_A_TIME):
                group, held = group + 1, 0
            held, window = held + len(item.choices), example.window
            yield group
        group += 1


def _slices(sizes: Sequence[int]) -> Iterator[slice]:
    """Rows next to each other, as many as are in memory at a time."""
    start = held = 0
    for place, size in enumerate(sizes):
        if place > start and (place - start == ROWS_AT_A_TIME or held + size > KEPT_TOKENS):
            yield slice(start, place)
            start, held = place, 0
        held += size
    yield slice(start, len(sizes))


def _common_prefix(prompts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """What all prompts begin with, one token of the shortest left out, if that is worth computing once."""
    if len(prompts) < 2:  # noqa: PLR2004
        return ()
    length = min(common_length(min(prompts), max(prompts)), min(map(len, prompts)) - 1)
    return prompts[0][:length] if length >= SHORTEST_PAST else ()


def _portions(sets: Sequence[AnswerSet], groups: Sequence[int]) -> Iterator[tuple[Sequence[AnswerSet], Sequence[int]]]:
    """Whole groups of about so many answers that cutting them takes little memory, whatever the size of a data set."""
    start = held = 0
    for place in range(len(sets)):
        if held >= AT_A_TIME and groups[place] != groups[place - 1]:
            yield sets[start:place], groups[start:place]
            start, held = place, 0
        held += len(sets[place][1])
    if sets:
        yield sets[start:], groups[start:]


def generate(
    model: PreTrainedModel,
    encoder: Encoder,
    prompts: Sequence[tuple[int, ...]],
    *,
    token_budget: int,
    share_prefix: bool = False,
    advance: Callable[[float], None] = lambda _: None,
) -> tuple[list[Prediction], int]:
    """Write the likeliest text token by token after each prompt, up to the end of the turn.

    Args:
        model: In evaluation mode.
        encoder: Knows where a turn ends.
        prompts: As tokens.
        token_budget: Most tokens of a batch, answers included.
        share_prefix: Whether what all prompts begin with is computed once; only for models that may share prefixes.
        advance: Called with the share that is done.

    Returns:
        One prediction per prompt, not valid where the text did not end within the encoder's ``max_new_tokens``; and
        the tokens computed, padding included.

    Raises:
        ModelError: The model's logits are not numbers.
    """
    if not prompts:
        return [], 0
    end, pad, max_new_tokens = encoder.end_of_turn, pad_id(encoder), encoder.max_new_tokens
    settings = GenerationConfig(max_new_tokens=max_new_tokens, do_sample=False, eos_token_id=end, pad_token_id=pad)
    prefix = _common_prefix(prompts) if share_prefix and not _has_window(model) else ()
    keys = _prefix_cache(model, prefix) if prefix else None
    order = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
    predictions: dict[int, Prediction] = {}
    tokens, start = len(prefix), 0
    several = bool(prefix) or token_budget >= 2 * (len(prompts[order[-1]]) + max_new_tokens)
    if several and not _same_together(model, [prompts[order[0]], prompts[order[-1]]], prefix, pad, settings):
        prefix, keys, token_budget = (), None, 1
    while start < len(order):
        width = len(prompts[order[start]])
        chosen = order[start : start + max(1, token_budget // (width + max_new_tokens))]
        written = _generate(model, [prompts[index] for index in chosen], len(prefix), keys, pad, settings).sequences
        tokens += written.numel() - len(chosen) * len(prefix)
        for index, line in zip(chosen, written[:, width:].tolist(), strict=True):
            predictions[index] = _read_generated(encoder, line, end)
        start += len(chosen)
        advance(start / len(order))
    return [predictions[index] for index in range(len(prompts))], tokens


def _generate(
    model: PreTrainedModel,
    prompts: Sequence[tuple[int, ...]],
    common: int,
    keys: Cache | None,
    pad: int,
    settings: GenerationConfig,
) -> Any:  # noqa: ANN401  # transformers is not typed
    """What transformers generates after prompts as one batch, of which ``common`` tokens stand in the cache."""
    ids, mask = _left_padded(prompts, common, pad)
    with _bare_settings(model):
        return model.generate(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            generation_config=settings,
            logits_processor=LogitsProcessorList([_Finite()]),
            return_dict_in_generate=True,
            **({"past_key_values": _repeated(keys, len(prompts))} if keys else {}),
        )


def _same_together(
    model: PreTrainedModel,
    prompts: Sequence[tuple[int, ...]],
    prefix: tuple[int, ...],
    pad: int,
    settings: GenerationConfig,
) -> bool:
    """Whether the next token after two prompts of different length is foreseen together as after each by itself.

    Compared in float32, once for a model; some ignore what stands under a mask and need to be asked one by one.
    """
    plain = plain_model(model)
    if len(prompts[0]) == len(prompts[-1]) or vars(plain).get(GENERATES_TOGETHER):
        return True
    once = copy.deepcopy(settings)
    once.update(max_new_tokens=1, output_logits=True)
    with in_float32(model):
        keys = _prefix_cache(model, prefix) if prefix else None
        together = _generate(model, prompts, len(prefix), keys, pad, once).logits[0]
        alone = torch.cat([_generate(model, [prompt], 0, None, pad, once).logits[0] for prompt in prompts])
    off = float((together.float().log_softmax(-1) - alone.float().log_softmax(-1)).abs().max())
    setattr(plain, GENERATES_TOGETHER, off <= ROUNDING)
    if off > ROUNDING:
        logger.warning(
            "%s generates another text beside a longer prompt (log-probabilities are off by %.2g); each is generated "
            "by itself, which takes longer", type(plain).__name__, off,
        )  # fmt: skip
    return off <= ROUNDING


def _read_generated(encoder: Encoder, line: list[int], end: int) -> Prediction:
    """The text of generated tokens up to the end of the turn."""
    ended = end in line
    answer = line[: line.index(end)] if ended else line
    words = [token for token in answer if token not in encoder.control_ids]
    return Prediction(encoder.tokenizer.decode(words).strip(), valid=ended)


def _left_padded(prompts: Sequence[tuple[int, ...]], common: int, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Prompts with padding after what they have in common, and which of that is no padding, both [prompts, longest].

    Positions are counted over the mask, so that padding in the middle is left out of them as padding on the left is.
    """
    width = max(map(len, prompts))
    ids = [[*line[:common], *[pad] * (width - len(line)), *line[common:]] for line in prompts]
    mask = [[*[1] * common, *[0] * (width - len(line)), *[1] * (len(line) - common)] for line in prompts]
    return torch.tensor(ids), torch.tensor(mask)


def _prefix_cache(model: PreTrainedModel, prefix: tuple[int, ...]) -> Cache:
    """Keys and values of what all prompts begin with; the last place's logits are all that is computed besides."""
    only = {"logits_to_keep": 1} if keeps_logits(model) else {}
    return model(input_ids=torch.tensor([prefix], device=model.device), use_cache=True, **only).past_key_values


def _repeated(keys: Cache, times: int) -> Cache:
    """A copy of the keys for a batch, which generation goes on to fill."""
    copied = copy.deepcopy(keys)
    copied.batch_repeat_interleave(times)
    return copied


def _has_window(model: PreTrainedModel) -> bool:
    """Whether some layer counts how far it sees back in places, padding included."""
    config = plain_model(model).config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    windows = (getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size"))
    return kinds != {"full_attention"} or any(windows)


class _Finite(LogitsProcessor):  # type: ignore[misc]  # transformers is not typed
    """Stops generation on logits that are not numbers, from which some token would be picked all the same."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Pass the scores on.

        Raises:
            ModelError: One of them is NaN.
        """
        del input_ids
        if torch.isnan(scores).any():
            raise ModelError(NOT_FINITE)
        return scores


@contextmanager
def _bare_settings(model: PreTrainedModel) -> Iterator[None]:
    """Take the model's own generation settings away: whatever ours leave open would be filled in from them."""
    owners = [model, model.get_base_model()] if isinstance(model, peft.PeftModel) else [model]
    originals = [owner.generation_config for owner in owners]
    for owner in owners:
        owner.generation_config = GenerationConfig()
    try:
        yield
    finally:
        for owner, original in zip(owners, originals, strict=True):
            owner.generation_config = original


def build_encoder(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, max_length: int | None, max_new_tokens: int
) -> Encoder:
    """An encoder for the length asked for, or the model's context.

    Raises:
        ConfigurationError: A length is not positive, or longer than the context.
    """
    if max_new_tokens < 1:
        msg = f"max_new_tokens={max_new_tokens}: an answer needs at least one token"
        raise ConfigurationError(msg)
    return Encoder(
        tokenizer, max_length=resolve_max_length(max_length, model, tokenizer), max_new_tokens=max_new_tokens
    )


def resolve_max_length(given: int | None, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """The length asked for, or the model's context.

    Raises:
        ConfigurationError: It is not positive, or longer than the context.
    """
    context = context_length(model, tokenizer)
    if given is None:
        return context
    if not isinstance(given, int) or not 1 <= given <= context:
        msg = f"max_length={given!r}: must be between 1 and the model's context of {context} tokens"
        raise ConfigurationError(msg)
    return given


def layout_for(
    model: PreTrainedModel,
    encoder: Encoder,
    encoded: Sequence[EncodedRow],
    *,
    prefix_sharing: PrefixSharing,
    token_budget: int | None,
) -> Layout:
    """The layout in which a model is asked rows, or trained on them.

    Args:
        model: The model.
        encoder: Knows the padding token.
        encoded: Those of the rows that hold the longest sequences; others have no say.
        prefix_sharing: See ``train``, as for the budget.
        token_budget: Most tokens of a forward pass.

    Raises:
        ConfigurationError: A setting is out of range.
        PrefixSharingError: ``prefix_sharing`` is ``"on"``, and the model cannot.
    """
    known = [
        (sequence, number) for number, row in enumerate(encoded) for item in row.encoded for sequence in _typical(item)
    ]
    return choose_layout(
        model,
        [sequence for sequence, _ in known],
        [number for _, number in known],
        prefix_sharing=prefix_sharing,
        token_budget=resolve_token_budget(token_budget, model),
        pad=pad_id(encoder),
    )


def _typical(item: Encoded) -> list[Continuation]:
    """One or two things that an example makes a model read."""
    longest = [Continuation(item.prompt, answer) for answer in sorted(item.answers, key=len)[-2:]]
    return longest or [Continuation(item.prompt[:-1], item.prompt[-1:])]


def resolve_token_budget(given: int | None, model: PreTrainedModel) -> int:
    """The budget asked for, or the one that follows from the machine.

    Raises:
        ConfigurationError: It is not positive.
    """
    if given is None:
        return default_token_budget(model)
    if given < 1:
        msg = f"token_budget={given}: must be at least 1 token per forward pass"
        raise ConfigurationError(msg)
    return given


def pad_id(encoder: Encoder) -> int:
    """The padding token's id.

    Raises:
        ConfigurationError: The tokenizer has none.
    """
    pad = encoder.tokenizer.pad_token_id
    if pad is None:
        msg = "the tokenizer has no padding token; load it with qlorakit.load_quantized, which chooses a safe one"
        raise ConfigurationError(msg)
    return int(pad)


def warn_of(encoded: EncodedRows) -> list[str]:
    """Say what encoding had to change, and return the sentences."""
    warnings = encoded.counts.warnings()
    for warning in warnings:
        logger.warning(warning)
    return warnings


def _likeliest(choices: Sequence[str], logprobs: Sequence[float]) -> Prediction:
    by_choice: Mapping[str, float] = dict(zip(choices, logprobs, strict=True))
    return Prediction(max(by_choice, key=by_choice.__getitem__), logprobs=by_choice)


def _result(
    task: Task[Any], row: Row, identity: str, output: Output[Any], min_probability: float | None
) -> dict[str, Any]:
    probability = output.scores.get(output.value) if isinstance(output.value, str) else None
    abstained = min_probability is not None and probability is not None and probability < min_probability
    value = None if abstained else task.tell(row, output) if task.tell else _plain(output.value)
    scores = json.dumps(dict(output.scores)) if output.scores else None
    values = (identity, value, output.value is not None, probability, abstained, scores)
    return dict(zip(RESULT_COLUMNS, values, strict=True))


def _plain(value: Any) -> Any:  # noqa: ANN401  # any value
    """A value in the form a data set has for it: tuples become lists, a named tuple a mapping."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(item) for name, item in value._asdict().items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
