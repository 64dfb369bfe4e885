"""Whether a training run fits into memory: the micro-batch that needs most is computed before the first step.

A process that takes too much is killed by the kernel of its machine, so that the probe itself must be safe: where a
rough bound leaves a doubt, it begins with few of the tokens, and goes on to more only where what was measured so far
says that they fit.  Nothing of the model, and no random number, is different afterwards.
"""

from __future__ import annotations

import functools
import logging
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, get_args

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import torch
import transformers
from torch.utils._python_dispatch import TorchDispatchMode

from qlorakit.display import show
from qlorakit.errors import ConfigurationError, MemoryShortageError
from qlorakit.logits import MOST_LOGITS, keeps_logits, plain_model
from qlorakit.memory import PeakMemory, free_bytes, give_back_unused, held_bytes
from qlorakit.memory_need import Measured, MemoryNeed, what_would_fit
from qlorakit.objectives import Lesson, Lessons
from qlorakit.padded_batch import elements_per_token
from qlorakit.prefix_tree import Continuation
from qlorakit.quantization import evaluating
from qlorakit.report_tables import amount_of_bytes
from qlorakit.sampling import part_of
from qlorakit.stepping import agreed, random_numbers_kept
from qlorakit.trainer import steps_of
from qlorakit.tree_batch import TreeBatch

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import TrainingArguments

    from qlorakit.encoding import EncodedRow
    from qlorakit.padded_batch import PaddedBatch
    from qlorakit.trainer import Plan

logger = logging.getLogger(__name__)

MemoryCheck = Literal["refuse", "warn", "off"]
# Steps that are laid out, to find the micro-batch that needs most: those of most tokens, and some at equal distances.
LARGEST_STEPS, OTHER_STEPS = 4, 4
MOST_ROWS = 200_000  # whose order is looked through for the largest steps
VERIFIED_ROWS = 16  # of those that the adapter is verified on at the end
# Of the tokens, one after the other where it is not sure that all of them fit.
SHARES = (1 / 32, 1 / 8, 1 / 4, 1 / 2, 1)
AFTER_IT = 3  # micro-batches that are computed after the largest, which leave the memory in pieces
SURE = 4  # times the rough bound fits
CLOSE = 0.9  # of what there is
UNBOUNDED = 1 << 40  # tokens
FLOAT32 = 4  # bytes
# What oneDNN, and what calls it, keep at most, and the variables that say otherwise.
KERNELS, KERNEL_LIMITS = 1024, ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "linear", "_scaled_dot_product_flash_attention_for_cpu")


def check_choice(check: str) -> None:
    """Refuse what is no way to check.

    Raises:
        ConfigurationError: It is none.
    """
    if check not in get_args(MemoryCheck):
        msg = f"memory_check={check!r} is not one of {', '.join(map(repr, get_args(MemoryCheck)))}"
        raise ConfigurationError(msg)


def look_ahead(
    model: PeftModel, plan: Plan, arguments: TrainingArguments, check: MemoryCheck, *, shown: bool
) -> MemoryNeed | None:
    """Foresee what a run needs, and refuse one that cannot fit; all processes alike.

    Args:
        model: As it will be trained; left as it was.
        plan: Its rows and their layout.
        arguments: Of the run.
        check: Whether to refuse, to warn, or not to look.
        shown: Whether to tell the user what was found.

    Raises:
        MemoryShortageError: It does not fit, in this process or another, and ``check`` is ``"refuse"``.
    """
    if check == "off":
        return None
    need, advice = probe_memory(model, plan, arguments)
    told = (
        f"training needs {amount_of_bytes(need.peak)} of memory, and there is {amount_of_bytes(need.available)}:\n"
        f"{need.table()}\n{advice}"
    )
    if agreed([not need.fits], model.device)[0] and check == "refuse":
        if need.fits:
            told = "another process needs more memory than there is, and says what would fit"
        msg = f'{told}. memory_check="warn" tries all the same'
        raise MemoryShortageError(msg)
    if not need.fits:
        logger.warning("%s", told)
    elif need.peak > CLOSE * need.available:
        logger.warning(
            "training needs about %s of memory, nearly all of the %s there is; a smaller token_budget= needs less",
            amount_of_bytes(need.peak), amount_of_bytes(need.available),
        )  # fmt: skip
    if shown:
        show(f"memory: {amount_of_bytes(need.peak)} foreseen, of {amount_of_bytes(need.available)}")
    return need


def probe_memory(model: PeftModel, plan: Plan, arguments: TrainingArguments) -> tuple[MemoryNeed, str]:
    """Compute the micro-batch that needs most, and tell what the run will need.

    Args:
        model: As it will be trained; left as it was.
        plan: Its rows and their layout.
        arguments: Of the run.

    Returns:
        The need, and for where it does not fit, what would.
    """
    give_back_unused()
    probe = Probe.of(model, plan, arguments)
    loads, per_step = probe.loads()
    with probe.untouched():
        with Kernels() as kernels:
            training = probe.train(sorted(loads, key=probe.bound, reverse=True))
        asking = list(probe.ask(training.whole // 2))
    weights, trained = parameter_bytes(model)
    need = MemoryNeed(
        weights=weights,
        adapter=2 * trained,
        optimizer=probe.optimizer,
        # Gradients are measured with the activations, and told with the adapter.
        activations=max(0, training.whole - trained - kernels.held, *(one.whole - trained for one in asking)),
        kernels=kernels.foreseen(per_step * _steps(plan, arguments)) if probe.compiles else 0,
        rest=max(0, probe.held - weights - trained),
        available=probe.held + probe.free,
        token_budget=plan.layout.token_budget,
        tokens=training.tokens,
    )
    advice = what_would_fit(
        need,
        [training, *asking],
        max(_tokens(lesson) for load in loads for lesson in load.lessons),
        recomputing=bool(arguments.activation_checkpointing),
        compared=any(len(lesson.sequences) > 1 for load in loads for lesson in load.lessons),
    )
    return need, advice


class Load(NamedTuple):
    """Sequences that are computed at once.

    Attributes:
        lessons: What is learned from them.
        batch: The same, laid out.
    """

    lessons: tuple[Lesson, ...]
    batch: TreeBatch | PaddedBatch


@dataclass(frozen=True)
class Probe:
    """A run whose batches are computed to see what they need.

    Attributes:
        model: As it will be trained.
        plan: Rows and layout.
        arguments: Of the run.
        held: Bytes, before anything was computed.
        free: Likewise.
        optimizer: Bytes that it will keep, with what several processes need to average gradients.
    """

    model: PeftModel
    plan: Plan
    arguments: TrainingArguments
    held: int
    free: int
    optimizer: int

    @classmethod
    def of(cls, model: PeftModel, plan: Plan, arguments: TrainingArguments) -> Probe:
        """Look at what is there."""
        averaging = 2 * parameter_bytes(model)[1] if arguments.world_size > 1 else 0
        # Of GPUs each process has its own.
        local = int(os.environ.get("LOCAL_WORLD_SIZE", str(arguments.world_size)))
        sharing = 1 if model.device.type == "cuda" else local
        held, free = held_bytes(model.device), free_bytes(model.device) // sharing
        return cls(model, plan, arguments, held, free, optimizer_bytes(model, arguments) + averaging)

    @property
    def compiles(self) -> bool:
        """Whether products are compiled for their sizes: half-precision numbers are, on a processor."""
        dtype = plain_model(self.model).get_input_embeddings().weight.dtype
        return bool(self.model.device.type == "cpu" and dtype != torch.float32)

    def loads(self) -> tuple[list[Load], float]:
        """Micro-batches of the run, the one that needs most among them, and about how many a step has."""
        part = functools.partial(part_of, process=self.arguments.process_index, processes=self.arguments.world_size)
        encoded = self.plan.training.encoded
        of_steps = [self._cut(part([encoded[place] for place in step])) for step in heaviest(self.plan, self.arguments)]
        every = self.arguments.max_steps * self.arguments.per_device_train_batch_size
        whole = self.arguments.max_steps < 0 or every >= len(encoded)
        # A question that alone has more tokens than the budget may be in any step.
        besides = [load for row in encoded.largest for load in self._cut([row])] if whole else []
        return [load for loads in of_steps for load in loads] + besides, sum(map(len, of_steps)) / len(of_steps)

    def _cut(self, rows: Sequence[EncodedRow]) -> list[Load]:
        lessons = self.plan.lessons(rows)
        batches = self.plan.layout.batches(lessons.sequences, lessons.rows, lessons.units)
        members = [dict.fromkeys(lessons.units[item] for item in batch.items) for batch in batches]
        return [
            Load(tuple(lessons.lessons[unit] for unit in units), batch)
            for units, batch in zip(members, batches, strict=True)
        ]

    def bound(self, load: Load, *, trained: bool = True) -> int:
        """About how many bytes a batch needs."""
        batch, plain = load.batch, plain_model(self.model)
        if isinstance(batch, TreeBatch):
            places, width = len(batch.parents.unique()), batch.tokens
        else:
            places, width = len(batch.positions.unique()) * len(batch.input_ids), batch.input_ids.shape[1]
        head = plain.get_output_embeddings().weight
        # Without a backward pass one layer at a time is held; a mask of what is seen is of bytes.
        layers = 1 if trained else 1 / plain.config.get_text_config().num_hidden_layers
        logits = min(places * head.shape[0], MOST_LOGITS) * FLOAT32
        return int(
            batch.tokens * elements_per_token(plain) * layers * head.element_size() + width**2 + (2 + trained) * logits
        )

    def train(self, loads: Sequence[Load]) -> Measured:
        """Forward and backward over the micro-batch that needs most, and over others after it.

        What one leaves free does not always serve the next, which is of other sizes.
        """

        def trial(share: float) -> Trial:
            first = loads[0].batch if share == 1 else self._part(loads[0], share)
            others = (
                [load.batch for load in loads[1:AFTER_IT]] if share == 1 and self.model.device.type == "cpu" else []
            )

            def compute() -> None:
                with self.plan.layout.engaged(self.model):
                    for batch in (first, *others):
                        found = batch.logprobs(self.model).sum()
                        if found.requires_grad:  # where nothing is trained, the first step says why
                            found.backward()

            return Trial(first.tokens, compute)

        return self._measure(trial, self.bound(loads[0]))

    def ask(self, least: int) -> Iterator[Measured]:
        """What evaluations, and the verification at the end, compute at once, where it may need so many bytes."""
        trained = parameter_bytes(self.model)[1]  # which the verification holds twice
        rows = self._asked()
        scored = [
            Lesson((Continuation(item.prompt, answer),), number)
            for number, row in enumerate(rows)
            for item in row.encoded
            for answer in item.answers
        ]
        lessons = Lessons.of(scored)
        batches = self.plan.layout.batches(lessons.sequences, lessons.rows, lessons.units)
        loads = [Load(tuple(lessons.lessons[item] for item in batch.items), batch) for batch in batches]
        hardest = max(loads, key=functools.partial(self.bound, trained=False))
        bound = self.bound(hardest, trained=False)
        if trained + bound > least:
            yield replace(self._measure(functools.partial(self._scoring, hardest), bound), kept=trained)
        prompts = sorted((item.prompt for row in rows for item in row.encoded if item.choices is None), key=len)[::-1]
        if prompts and self.plan.evaluation:
            yield self._write(prompts)

    def _asked(self) -> list[EncodedRow]:
        """Rows that are asked at once: of evaluations those with most tokens, enough of them to fill a batch."""
        if self.plan.evaluation is None:
            return self.plan.training.encoded[:VERIFIED_ROWS]
        encoded, held = self.plan.evaluation.encoded, 0
        rows: list[EncodedRow] = []
        for place in sorted(range(len(encoded)), key=lambda place: -encoded.sizes[place]):
            rows.append(encoded[place])
            held += encoded.sizes[place]
            if held > 2 * self.plan.layout.token_budget and len(rows) >= VERIFIED_ROWS:
                break
        return rows

    def _scoring(self, load: Load, share: float) -> Trial:
        batch = load.batch if share == 1 else self._part(load, share)

        def compute() -> None:
            with evaluating(self.model):
                batch.logprobs(self.model)

        return Trial(batch.tokens, compute)

    def _write(self, prompts: Sequence[tuple[int, ...]]) -> Measured:
        """What generated answers need: the prompts at once, and the keys and values of all that follows."""
        longest = self.plan.encoder.max_new_tokens
        width, device = len(prompts[0]), self.model.device
        count = min(len(prompts), max(1, self.plan.layout.token_budget // (width + longest)))
        only = {"logits_to_keep": 1} if keeps_logits(self.model) else {}
        kept = 0

        def trial(share: float) -> Trial:
            ids = torch.tensor([prompts[0]] * max(1, int(share * count)), device=device)

            def compute() -> None:
                nonlocal kept
                with evaluating(self.model):
                    cache = self.model(input_ids=ids, use_cache=True, **only).past_key_values
                    kept = sum(one.nbytes for layer in cache.layers for one in (layer.keys, layer.values))

            return Trial(ids.numel(), compute)

        plain = plain_model(self.model)
        inside = elements_per_token(plain) / plain.config.get_text_config().num_hidden_layers
        found = self._measure(trial, round(count * width * inside * FLOAT32))
        return replace(found, kept=kept * longest // width)

    def _part(self, load: Load, share: float) -> TreeBatch | PaddedBatch:
        """About a share of a batch: fewer lessons, and of a single one a part of every sequence."""
        count = share * len(load.lessons)
        chosen = load.lessons[: max(1, int(count))]
        if count < 1:
            chosen = (replace(chosen[0], sequences=tuple(_shortened(one, count) for one in chosen[0].sequences)),)
        lessons = Lessons.of(chosen)
        whole = replace(self.plan.layout, token_budget=UNBOUNDED, narrow=False)
        together = [0] * len(lessons.sequences)
        (batch,) = whole.batches(lessons.sequences, together, together)
        return batch

    def _measure(self, trial: Callable[[float], Trial], bound: int) -> Measured:
        """Compute a batch, or parts of it one after the other as long as they fit."""
        room, whole = self.free - self.optimizer, trial(1)
        found = Measured(whole.tokens, bound)
        if room <= 0:
            return found
        for share in (1.0,) if SURE * bound < room else SHARES:
            part = whole if share == 1 else trial(share)
            if found.points and (part.tokens <= found.points[-1][0] or found.at(part.tokens) > room):
                continue
            try:
                need = self._need(part)
            except torch.OutOfMemoryError:  # of a GPU, which survives it
                break
            found = replace(found, points=(*found.points, (part.tokens, need)))
        return found

    def _need(self, trial: Trial) -> int:
        """Bytes that computing a batch takes."""
        before = held_bytes(self.model.device)
        with PeakMemory(self.model.device) as memory:
            trial.compute()
        self.model.zero_grad(set_to_none=True)
        give_back_unused()
        return memory.peak_bytes - before

    @contextmanager
    def untouched(self) -> Iterator[None]:
        """Let the model compute as it will in training, and leave it as it was."""
        model, modes = self.model, {module: module.training for module in self.model.modules()}
        half = torch.autocast(model.device.type, torch.float16, enabled=bool(self.arguments.fp16))
        try:
            model.train()
            with random_numbers_kept(model.device), self._recomputing(), half:
                yield
        finally:
            model.zero_grad(set_to_none=True)
            for module, training in modes.items():
                module.training = training
            if model.device.type == "cuda":
                torch.cuda.empty_cache()

    @contextmanager
    def _recomputing(self) -> Iterator[None]:
        """Compute activations again in the backward pass, where training will: the trainer says so when it begins."""
        plain = plain_model(self.model)
        if not self.arguments.activation_checkpointing or plain.is_activation_checkpointing:
            yield
            return
        settings: dict[str, Any] = dict(self.arguments.activation_checkpointing_kwargs or {})
        own = {name: settings.pop(name) for name in ("every_n_layers", "offload") if name in settings}
        plain.activation_checkpointing_enable(activation_checkpointing_kwargs=settings or None, **own)
        try:
            yield
        finally:
            plain.activation_checkpointing_disable()
            plain.disable_input_require_grads()


class Trial(NamedTuple):
    """Something to be computed once, and its tokens."""

    tokens: int
    compute: Callable[[], None]


def heaviest(plan: Plan, arguments: TrainingArguments) -> list[list[int]]:
    """Places of the rows of some steps of a run: of those with most tokens in prompts, and of others between them."""
    order, sizes, total = steps_of(plan, arguments), plan.training.encoded.sizes, _steps(plan, arguments)
    steps: list[list[int]] = []
    for epoch in range(math.ceil(total / len(order))):
        order.set_epoch(epoch)
        steps.extend(order)
        if len(steps) * order.batch_size >= MOST_ROWS:
            break
    steps = steps[:total]
    largest = sorted(steps, key=lambda places: -sum(sizes[place] for place in places))[:LARGEST_STEPS]
    return [*largest, *steps[:: max(1, len(steps) // OTHER_STEPS)][:OTHER_STEPS]]


def _steps(plan: Plan, arguments: TrainingArguments) -> int:
    """How many a run has."""
    if arguments.max_steps > 0:
        return int(arguments.max_steps)
    epochs = float(arguments.num_train_epochs)
    return math.ceil(epochs * len(steps_of(plan, arguments)))


def _tokens(lesson: Lesson) -> int:
    """When what the sequences begin with is counted once."""
    return len(lesson.sequences[0].prompt) + sum(len(one.answer) for one in lesson.sequences)


def _shortened(sequence: Continuation, share: float) -> Continuation:
    return Continuation(*(tokens[: max(1, int(share * len(tokens)))] for tokens in (sequence.prompt, sequence.answer)))


class Kernels(TorchDispatchMode):
    """Counts the products of half-precision numbers, of different sizes, that are computed while it lasts.

    On a processor oneDNN compiles a kernel for every size, and keeps as many as its limit allows, up to a megabyte
    each.  Trees differ in their sizes, so that the limit is reached after some steps.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._sizes: set[tuple[object, ...]] = set()
        self.held = 0

    def __enter__(self) -> Self:
        self.held = held_bytes(torch.device("cpu"))
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        self.held = max(0, held_bytes(torch.device("cpu")) - self.held)

    def __torch_dispatch__(
        self,
        function: Any,  # noqa: ANN401  # any operation of torch, with anything that it takes and returns
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        """Pass an operation on."""
        del types
        if function.overloadpacket.__name__ in PRODUCTS:
            tensors = [one for one in args if isinstance(one, torch.Tensor)]
            if tensors[0].dtype in {torch.bfloat16, torch.float16}:
                sizes = (value for one in tensors for value in (one.shape, one.stride()))
                self._sizes.add((function, *sizes))
        return function(*args, **(kwargs or {}))

    def foreseen(self, batches: float) -> int:
        """Bytes that are held after so many micro-batches like those computed, besides what was held before."""
        if not self._sizes:
            return 0
        limit = max(int(os.environ.get(name, KERNELS)) for name in KERNEL_LIMITS)
        return round(self.held * min(max(1.0, batches), limit / len(self._sizes)))


# What is held


def parameter_bytes(model: torch.nn.Module) -> tuple[int, int]:
    """Bytes of what is frozen, with what quantization keeps beside it, and of what is trained."""
    frozen = trained = 0
    for parameter in model.parameters():
        if parameter.requires_grad:
            trained += parameter.nbytes
        else:
            frozen += parameter.nbytes + _constants(vars(parameter).get("quant_state"))
    return frozen + sum(buffer.nbytes for buffer in model.buffers()), trained


def _constants(state: Any) -> int:  # noqa: ANN401  # bitsandbytes is not typed
    """Bytes of the constants of a quantized tensor, which may be quantized in turn."""
    if state is None:
        return 0
    held = (state.absmax, state.code, state.offset)
    return sum(one.nbytes for one in held if isinstance(one, torch.Tensor)) + _constants(state.state2)


def optimizer_bytes(model: torch.nn.Module, arguments: TrainingArguments) -> int:
    """Bytes that the optimizer keeps for what is trained: measured on a parameter of each shape.

    An optimizer that cannot be tried on one parameter alone is taken to keep two numbers of 32 bits, as AdamW does.
    """
    kinds: dict[tuple[torch.Size, torch.dtype], list[torch.nn.Parameter]] = {}
    for parameter in model.parameters():
        if parameter.requires_grad:
            kinds.setdefault((parameter.shape, parameter.dtype), []).append(parameter)
    try:
        return sum(len(alike) * _state_bytes(alike[0], model, arguments) for alike in kinds.values())
    except Exception as error:  # noqa: BLE001  # each fails in its own way; what is wrong the trainer will say itself
        logger.debug("the optimizer %s cannot be tried (%s)", arguments.optim, error)
        return sum(2 * FLOAT32 * one.numel() for alike in kinds.values() for one in alike)


def _state_bytes(parameter: torch.nn.Parameter, model: torch.nn.Module, arguments: TrainingArguments) -> int:
    kind, settings = transformers.Trainer.get_optimizer_cls_and_kwargs(arguments, model)
    copy = torch.nn.Parameter(parameter.detach().clone())
    copy.grad = torch.zeros_like(copy)
    optimizer = kind([copy], **settings)
    optimizer.step()
    return sum(tensor.nbytes for tensor in _tensors(optimizer.state[copy].values()))


def _tensors(values: Iterable[object]) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, dict):
            yield from _tensors(value.values())
