"""A step is computed as a whole or not at all, and only with finite numbers."""

import dataclasses
import json
import math
import re

import pytest
import torch
from accelerate import Accelerator
from engine import equal, lora_weights, run_processes, snapshot, train
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file

import qlorakit as qk
from qlorakit.checkpoints import read_checkpoint
from qlorakit.errors import ConfigurationError, MemoryShortageError, TrainingError
from qlorakit.objectives import Lessons
from qlorakit.padded_batch import PaddedBatch
from qlorakit.sampling import StepRows
from qlorakit.trainer import TaskTrainer
from qlorakit.tree_batch import TreeBatch

BUDGET = 160  # tokens, of a step of 9 rows of about 30: cut into several micro-batches of several rows, as by half
SHORT = {"memory_check": "off", "prefix_sharing": "off", "logging_steps": 1, "batch_size": 9}
DROPOUT = {"lora": {"dropout": 0.2, "init_lora_weights": "gaussian"}, "seed": 3}


def losses(result):
    return [record["loss"] for record in result.history if "loss" in record]


def record_of(result):
    return json.loads((result.adapter_dir / "run.json").read_text())


def stop_before(monkeypatch, step):
    """Have the next run stop as if it was killed, before a step is computed."""
    original = TaskTrainer.training_step

    def stopping(self, *arguments):
        if self.state.global_step == step - 1:
            raise KeyboardInterrupt
        return original(self, *arguments)

    monkeypatch.setattr(TaskTrainer, "training_step", stopping)


@pytest.fixture
def shortage(monkeypatch):
    """Have memory run out in the second backward pass of steps, once for each time that they are listed."""
    step, backward = TaskTrainer.training_step, Accelerator.backward
    steps, current = [], {}

    def remember(self, model, *arguments):
        current.update(step=self.state.global_step + 1, model=model)
        return step(self, model, *arguments)

    def run_out(gradient):
        raise torch.OutOfMemoryError("a fake")  # noqa: EM101, TRY003

    def maybe(self, loss, **settings):
        trained = [one for one in current["model"].parameters() if one.requires_grad]
        if current["step"] not in steps or trained[0].grad is None:
            return backward(self, loss, **settings)
        steps.remove(current["step"])
        before = [one.grad.clone() for one in trained]
        hook = trained[0].register_hook(run_out)  # of the first layer, whose gradients come last
        try:
            return backward(self, loss, **settings)
        finally:
            hook.remove()
            changed = [not torch.equal(old, one.grad) for old, one in zip(before, trained, strict=True)]
            assert any(changed)  # a part of the gradients was added up
            assert not all(changed)

    monkeypatch.setattr(TaskTrainer, "training_step", remember)
    monkeypatch.setattr(Accelerator, "backward", maybe)
    return steps


# Memory that runs out


@pytest.mark.parametrize("sharing", ["on", "off"])
def test_a_step_that_ran_out_of_memory_is_that_of_half_the_budget(base_folder, rows, task, tmp_path, shortage, sharing):
    settings = {**SHORT, **DROPOUT, "prefix_sharing": sharing, "max_steps": 2}
    budget = {"on": 56, "off": BUDGET}[sharing]
    half = train(base_folder, rows, task, tmp_path / "half", token_budget=budget // 2, **settings)
    whole = train(base_folder, rows, task, tmp_path / "whole", token_budget=budget, **settings)
    shortage.append(1)
    found = train(base_folder, rows, task, tmp_path / "found", token_budget=budget, **settings)
    assert not shortage
    assert losses(found[2]) == losses(half[2])
    assert equal(lora_weights(found[0]), lora_weights(half[0]))
    assert not equal(lora_weights(found[0]), lora_weights(whole[0]))


def test_from_a_later_step_on_the_budget_is_half_and_the_record_says_so(
    base_folder, rows, task, tmp_path, shortage, caplog
):
    shortage += [2, 3]
    settings = {**SHORT, **DROPOUT, "max_steps": 4}
    _, _, result = train(base_folder, rows, task, tmp_path, token_budget=BUDGET, **settings)
    changes = [record for record in record_of(result)["history"] if "token_budget" in record]
    assert changes == [
        {"step": 2, "token_budget_before": BUDGET, "token_budget": BUDGET // 2},
        {"step": 3, "token_budget_before": BUDGET // 2, "token_budget": BUDGET // 4},
    ]
    assert "ran out of memory at step 2; it was computed again at token_budget=80 instead of 160" in caplog.text
    assert read_checkpoint(tmp_path / "checkpoints" / "checkpoint-4").course["token_budget"] == BUDGET // 4


def test_a_budget_that_was_halved_twice_in_a_step_is_recorded_once(base_folder, rows, task, tmp_path, shortage):
    quarter = train(base_folder, rows, task, tmp_path / "quarter", token_budget=BUDGET // 4, max_steps=1, **SHORT)[2]
    shortage += [1, 1]
    result = train(base_folder, rows, task, tmp_path / "run", token_budget=BUDGET, max_steps=1, **SHORT)[2]
    (change,) = [record for record in result.history if "token_budget" in record]
    assert change == {"step": 1, "token_budget_before": BUDGET, "token_budget": BUDGET // 4}
    assert losses(result) == losses(quarter)


@pytest.mark.parametrize("asked", [None, BUDGET])
def test_a_run_resumed_after_a_shortage_goes_on_with_the_smaller_budget(
    base_folder, rows, task, tmp_path, shortage, monkeypatch, caplog, asked
):
    settings = {**SHORT, **DROPOUT, "num_train_epochs": 2}
    shortage.append(1)
    whole = train(base_folder, rows, task, tmp_path / "whole", token_budget=BUDGET, **settings)
    shortage.append(1)
    with monkeypatch.context() as patch:
        stop_before(patch, 4)
        with pytest.raises(KeyboardInterrupt):
            train(base_folder, rows, task, tmp_path / "run", token_budget=BUDGET, **settings)
    caplog.clear()
    run = train(base_folder, rows, task, tmp_path / "run", resume_from_checkpoint=True, token_budget=asked, **settings)
    assert "token_budget" not in caplog.text
    assert losses(run[2]) == losses(whole[2])
    assert equal(lora_weights(run[0]), lora_weights(whole[0]))
    assert sum("token_budget_before" in record for record in run[2].history) == 1


def test_evaluations_after_a_shortage_use_the_smaller_budget(base_folder, rows, task, tmp_path, shortage, monkeypatch):
    widths, original = [], PaddedBatch.logprobs

    def logprobs(self, model):
        if not model.training:
            widths.append(self.tokens)
        return original(self, model)

    monkeypatch.setattr(PaddedBatch, "logprobs", logprobs)
    shortage.append(1)
    settings = {**SHORT, "token_budget": BUDGET, "max_steps": 2}
    train(base_folder, rows, task, tmp_path, eval_dataset=rows, **settings)
    assert widths
    assert max(widths) <= BUDGET // 2


@pytest.mark.parametrize("kind", [TreeBatch, PaddedBatch])
def test_a_question_that_does_not_fit_alone_stops_the_run_with_what_to_do(
    base_folder, rows, task, tmp_path, monkeypatch, kind
):
    def logprobs(self, *arguments):
        if reached and torch.is_grad_enabled():
            raise torch.OutOfMemoryError("a fake")  # noqa: EM101, TRY003
        return original(self, *arguments)

    def on_step(self, *arguments):
        if self.state.global_step == 2:
            reached.append(snapshot(tmp_path / "checkpoints"))
        return step(self, *arguments)

    reached, original, step = [], kind.logprobs, TaskTrainer.training_step
    monkeypatch.setattr(kind, "logprobs", logprobs)
    monkeypatch.setattr(TaskTrainer, "training_step", on_step)
    settings = {**SHORT, "prefix_sharing": "on" if kind is TreeBatch else "off", "num_train_epochs": 2}
    with pytest.raises(MemoryShortageError) as raised:
        train(base_folder, rows, task, tmp_path, token_budget=BUDGET, **settings)
    told = str(raised.value)
    assert re.search(r"at step 3, on rows [\d, ]+ of train_dataset: the GPU ran out of memory", told)
    assert "on a single question with its choices; lower max_length= or negatives=" in told
    assert "checkpoint-2 holds step 2. Go on with train(..., resume_from_checkpoint=True)" in told
    assert snapshot(tmp_path / "checkpoints") == reached[0]
    assert not list(tmp_path.glob("*adapter*"))


RUNS_OUT_ON_ONE = """
import json, os, pathlib, sys
import engine, torch
from accelerate import Accelerator
from qlorakit.kinds import single_label
base, folder = map(pathlib.Path, sys.argv[1:])
rows, settings = json.loads((folder / "job.json").read_text())
calls, original = [], Accelerator.backward
def backward(self, loss, **arguments):
    calls.append(original(self, loss, **arguments))
    if os.environ["RANK"] == "1" and len(calls) == 2:
        raise torch.OutOfMemoryError("a fake")
Accelerator.backward = backward
task = single_label(
    "toy/direction", summary="Which way?", instruction="the direction of the word", labels=("down", "flat", "up")
)
result = engine.train(base, rows, task, folder / "together", **settings)[2]
budgets = [record["token_budget"] for record in result.history if "token_budget" in record]
(folder / f"rank{os.environ['RANK']}.json").write_text(json.dumps(budgets))
"""


def test_processes_agree_where_one_of_them_ran_out_of_memory(base_folder, rows, task, tmp_path):
    settings = {**SHORT, "batch_size": 8, "max_steps": 2}
    (tmp_path / "job.json").write_text(json.dumps([rows, {**settings, "token_budget": BUDGET // 2}]))
    run_processes(2, RUNS_OUT_ON_ONE, base_folder, tmp_path)
    half = train(base_folder, rows, task, tmp_path / "half", token_budget=BUDGET // 4, **settings)[2]
    assert [json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1)] == [[BUDGET // 4]] * 2
    together = json.loads((tmp_path / "together" / "adapter" / "run.json").read_text())["history"]
    assert [record["loss"] for record in together if "loss" in record] == pytest.approx(losses(half), rel=1e-4)


# Numbers that are not finite

MARKED = 7  # place of the row whose text alone has a letter that spoils what the model computes
LETTER = "q"


@pytest.fixture
def marked(rows):
    return [{**row, "text": row["text"] + LETTER * (place == MARKED)} for place, row in enumerate(rows)]


def met(rows, batch_size):
    """The first step that meets the marked row, from 1, and the numbers of its rows."""
    steps = list(StepRows(len(rows), batch_size, seed=0))
    number = next(step for step, places in enumerate(steps) if MARKED in places)
    return number + 1, ", ".join(str(place + 1) for place in sorted(steps[number]))


class WithoutNumber(torch.autograd.Function):
    """Passes values on, and gives gradients that are none."""

    @staticmethod
    def forward(ctx, x):
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * math.nan


def spoil(model, tokenizer, what):
    """Have the model compute something that is not finite where it reads the letter."""
    (letter,) = tokenizer.encode(LETTER, add_special_tokens=False)
    plain, read = model.get_base_model(), []

    def look(module, arguments):
        read[:] = [arguments[0] == letter]

    def spoilt(module, arguments, output):
        if not read[0].any():
            return output
        if what == "gradient":
            return WithoutNumber.apply(output)
        return output.masked_fill(read[0][..., None], math.nan)

    plain.get_input_embeddings().register_forward_pre_hook(look)
    place = plain.model.layers[0].mlp.up_proj if what == "gradient" else plain.get_input_embeddings()
    place.register_forward_hook(spoilt)


@pytest.fixture
def before(monkeypatch):
    """The trained weights as each step found them."""
    seen, original = [], TaskTrainer.training_step

    def training_step(self, model, *arguments):
        seen.append(lora_weights(model))
        return original(self, model, *arguments)

    monkeypatch.setattr(TaskTrainer, "training_step", training_step)
    return seen


def refused(model, tokenizer, rows, task, folder, kind=TrainingError, **settings):
    """What a run says that is stopped, without a word of its rows."""
    usual = {"task": task, "output_dir": folder, "learning_rate": 1e-2, "progress": False}
    with pytest.raises(kind) as raised:
        qk.train(model, tokenizer, rows, **{**usual, **SHORT, **settings})
    assert "sales" not in str(raised.value)
    assert not list(folder.glob("*adapter*"))
    return str(raised.value)


@pytest.mark.parametrize(("sharing", "clipping"), [("on", 1.0), ("off", 0.0)])
@pytest.mark.parametrize(
    ("what", "said"), [("nan", "the loss is nan"), ("gradient", "the gradient is nan where the loss is finite")]
)
def test_a_row_that_gives_no_number_stops_the_run_and_is_named(
    adapted, marked, task, tmp_path, before, what, said, sharing, clipping
):
    spoil(*adapted, what)
    step, numbers = met(marked, 2)
    assert step > 1
    settings = {"batch_size": 2, "max_grad_norm": clipping, "prefix_sharing": sharing}
    told = refused(*adapted, marked, task, tmp_path, save_steps=1, save_strategy="steps", **settings)
    assert (
        f"at step {step}, on rows {numbers} of train_dataset: {said}; row {MARKED + 1} of train_dataset alone" in told
    )
    assert f"checkpoint-{step - 1} holds step {step - 1}" in told
    assert read_checkpoint(tmp_path / "checkpoints" / f"checkpoint-{step - 1}").step == step - 1
    assert equal(lora_weights(adapted[0]), before[step - 1])
    assert not equal(before[step - 1], before[step - 2])


def test_a_checkpoint_before_the_row_is_what_the_run_had_learned_by_then(adapted, marked, task, tmp_path, before):
    spoil(*adapted, "nan")
    step, _ = met(marked, 2)
    refused(*adapted, marked, task, tmp_path, batch_size=2, save_steps=1, save_strategy="steps")
    kept = load_file(tmp_path / "checkpoints" / f"checkpoint-{step - 1}" / "adapter_model.safetensors")
    assert equal({name.replace(".default", ""): value for name, value in before[step - 1].items()}, kept)


def test_a_loss_without_end_stops_the_run_and_names_the_rows_of_that_answer(adapted, rows, task, tmp_path, before):
    model, tokenizer = adapted
    never = tokenizer.encode(" up", add_special_tokens=False)[0]

    def impossible(module, arguments, output):
        return output.index_fill(-1, torch.tensor([never]), -math.inf)

    model.get_base_model().lm_head.register_forward_hook(impossible)
    told = refused(*adapted, rows, task, tmp_path, batch_size=18)
    guilty = ", ".join(str(place + 1) for place, row in enumerate(rows) if row["label"] == "up")
    assert f"the loss is inf; rows {guilty} of train_dataset alone gave it" in told
    assert "nothing was saved" in told
    assert equal(lora_weights(model), before[0])


def test_a_weight_that_is_no_number_is_the_fault_of_every_row(adapted, rows, task, tmp_path):
    model, _ = adapted
    next(one for name, one in model.named_parameters() if "lora_B" in name).data[0, 0] = math.nan
    told = refused(*adapted, rows, task, tmp_path, batch_size=3, max_grad_norm=0.0)
    numbers = re.search(r"at step 1, on rows ([\d, ]+) of", told)[1]
    assert f"the loss is nan; rows {numbers} of train_dataset alone gave it" in told


def test_what_goes_wrong_only_between_rows_is_no_single_rows_fault(adapted, rows, task, tmp_path):
    model, tokenizer = adapted
    embedding = model.get_base_model().get_input_embeddings()
    embedding.register_forward_hook(lambda module, given, output: output * (math.nan if len(output) > 1 else 1))
    told = refused(model, tokenizer, rows, task, tmp_path)
    assert "the loss is nan; none of them alone, only all together, gave it" in told


# Nothing that is supervised


def unfrozen(model):
    model.disable_adapter_layers()
    for name, one in model.named_parameters():
        one.requires_grad_("lora_" in name)


def half_frozen(model):
    for name, one in model.named_parameters():
        one.requires_grad_("lora_A" in name)


def scaled_by_zero(model):
    for module in model.modules():
        if isinstance(module, LoraLayer):
            module.scaling["default"] = 0.0


@pytest.mark.parametrize("recomputed", [False, True])
@pytest.mark.parametrize(
    ("prepare", "kind", "cause"),
    [
        (lambda model: model.disable_adapter_layers(), ConfigurationError, "adapter is frozen"),
        (lambda model: model.requires_grad_(requires_grad=False), ConfigurationError, "adapter is frozen"),
        (unfrozen, TrainingError, r"the adapter is switched off or merged \(disable_adapter"),
        (lambda model: model.merge_adapter(), TrainingError, r"merged \(.*merge_adapter"),
        (half_frozen, TrainingError, "one half of them is frozen while the other still is zero"),
        (scaled_by_zero, TrainingError, "Adapters are scaled by zero"),
    ],
    ids=["disabled", "frozen", "unfrozen", "merged", "half frozen", "scaled by zero"],
)
def test_an_adapter_that_has_no_part_in_the_loss_is_an_error_that_says_why(
    adapted, rows, task, tmp_path, prepare, kind, cause, recomputed
):
    prepare(adapted[0])
    settings = {"activation_checkpointing": recomputed, "memory_check": "refuse"}
    assert re.search(cause, refused(*adapted, rows, task, tmp_path, kind, **settings))


@pytest.mark.parametrize("recomputed", [False, True])
@pytest.mark.parametrize("around", [torch.no_grad, torch.inference_mode])
def test_gradients_that_are_switched_off_are_an_error_that_says_so(adapted, rows, task, tmp_path, around, recomputed):
    with around():
        told = refused(*adapted, rows, task, tmp_path, activation_checkpointing=recomputed, memory_check="refuse")
    assert "gradients are switched off (torch.no_grad)" in told


def test_weights_that_are_all_zero_are_an_error_that_says_so(adapted, rows, task, tmp_path, monkeypatch):
    monkeypatch.setattr(Lessons, "total_weight", 0.0)  # no way there through a task is known
    told = refused(*adapted, rows, task, tmp_path)
    assert "nothing is supervised: the weights of all target tokens add up to zero" in told


def test_a_question_with_a_single_choice_is_learned_word_by_word(base_folder, rows, task, tmp_path):
    def ask(row):
        return [dataclasses.replace(example, choices=(example.target,)) for example in task.format(row)]

    single = dataclasses.replace(task, format=ask)
    runs = [
        train(base_folder, rows, single, tmp_path / name, objective=name, max_steps=1, **SHORT)[2]
        for name in ("choices", "language_model")
    ]
    assert losses(runs[0])[0] > 1
    assert losses(runs[0]) == losses(runs[1])


def be_certain(model, tokenizer):
    """Have the answer "down" be so much likelier than any other that its loss is exactly zero."""
    likely = torch.zeros(model.config.vocab_size)
    likely[tokenizer.encode(" down", add_special_tokens=False)[0]] = 1e4
    model.get_base_model().lm_head.register_forward_hook(lambda module, given, output: output + likely)


def test_a_loss_of_exactly_zero_on_all_rows_is_an_error(adapted, rows, task, tmp_path):
    be_certain(*adapted)
    known = [row for row in rows if row["label"] == "down"]
    told = refused(*adapted, known, task, tmp_path, objective="choices", fatal_findings="warn", batch_size=2)
    assert "the loss is exactly zero, as for 6 more rows: there is nothing to learn. Every right choice" in told


@pytest.mark.parametrize("first", ["down", "up"])
def test_steps_of_rows_that_are_known_by_heart_are_taken(adapted, rows, task, tmp_path, first):
    be_certain(*adapted)
    begins = (seed for seed in range(99) if rows[next(iter(StepRows(18, 1, seed=seed)))[0]]["label"] == first)
    settings = {**SHORT, "objective": "choices", "batch_size": 1, "max_steps": 9, "seed": next(begins)}
    result = qk.train(*adapted, rows, task=task, output_dir=tmp_path, progress=False, **settings)
    found = losses(result)
    assert 0.0 in found
    assert max(found) > 1
    assert (found[0] == 0.0) == (first == "down")
