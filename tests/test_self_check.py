import random

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import pytest
import torch
from architectures import FAILING, WORKING, branching, build, reference
from transformers import AttentionInterface

from qlorakit.attention import NAME, attend
from qlorakit.prefix_tree import Continuation
from qlorakit.self_check import Verdict, check, made_up_sequences, turning_points
from qlorakit.tree_batch import TreeBatch


def sequence(prompt, answer):
    draw = random.Random(prompt)  # noqa: S311  # nothing secret
    return Continuation(*(tuple(draw.randrange(6, 300) for _ in range(count)) for count in (prompt, answer)))


def leaking(change):
    """Attention over a tree with something wrong."""
    return lambda module, query, *others, tree, **more: attend(module, query, *others, tree=change(tree), **more)


def sees_everything_before(tree):
    tree.exit.fill_(len(tree.exit))
    return tree


def knows_no_branches(tree):
    tree.positions.copy_(torch.arange(len(tree.exit)))
    return tree


@pytest.mark.parametrize("change", [sees_everything_before, knows_no_branches])
@pytest.mark.parametrize("name", ["mistral", "gemma2"])
def test_a_model_whose_tokens_leak_is_caught(name, change, monkeypatch):
    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, leaking(change))
    trouble = check(reference(name)[0], branching(), pad=0).trees
    assert "log-probabilities are off by" in trouble
    assert "where 0.001 would be rounding" in trouble


def test_a_model_that_ignores_the_tree_is_caught(monkeypatch):
    def causal(module, query, key, value, mask, *, scaling, tree, **_):
        key, value = (part.repeat_interleave(query.shape[1] // part.shape[1], 1) for part in (key, value))
        out = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling)
        return out.transpose(1, 2), None

    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, causal)
    assert "log-probabilities are off by" in check(reference("llama")[0], branching(), pad=0).trees


def test_logits_that_are_not_numbers_on_the_tree_alone_are_caught(monkeypatch):
    def broken(*states, **arguments):
        return attend(*states, **arguments)[0] * float("nan"), None

    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, broken)
    assert "off by nan" in check(reference("llama")[0], branching(), pad=0).trees


def test_a_model_that_is_broken_in_any_layout_is_for_others_to_report():
    model = build("llama")
    model.model.norm.weight.data[0] = float("nan")
    assert check(model, branching(), pad=0).trees is None


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("name", WORKING)
def test_rounding_in_bfloat16_is_tolerated(name, seed):
    assert check(build(name).bfloat16(), branching(seed=seed), pad=0).trees is None


@pytest.mark.parametrize("name", ["bloom", "qwen3_next", "lfm2", "mamba", "jamba", "llama4_text"])
def test_what_is_wrong_is_found_in_bfloat16_as_well(name):
    assert check(build(name).bfloat16(), branching(), pad=0).trees is not None


def test_a_wrong_last_layer_is_caught(monkeypatch):
    def shifted(self, model, past=None, backend=None, original=TreeBatch.logprobs):
        return original(self, model, past, backend) + 0.1

    monkeypatch.setattr(TreeBatch, "logprobs", shifted)
    assert "off by 0.1" in check(reference("llama")[0], branching(), pad=0).trees


def test_wrong_answers_after_kept_keys_alone_are_caught(monkeypatch):
    def shifted(self, model, past=None, backend=None, original=TreeBatch.logprobs):
        return original(self, model, past, backend) + (0.1 if past else 0.0)

    monkeypatch.setattr(TreeBatch, "logprobs", shifted)
    assert "off by 0.1" in check(reference("llama")[0], branching(), pad=0).trees


def test_padding_that_is_seen_is_caught(monkeypatch):
    model = build("llama")
    original = model.forward

    def forward(input_ids, **others):
        answer = original(input_ids=input_ids, **others)
        answer.logits = answer.logits + (input_ids == 0).any(1)[:, None, None] * torch.randn(300)
        return answer

    model.forward = forward
    verdict = check(model, [sequence(40, 2), sequence(9, 2)], pad=0)
    assert "off by" in verdict.padded


@pytest.mark.parametrize("name", [*WORKING, *FAILING])
def test_padded_rows_are_computed_as_each_by_itself_whatever_the_architecture(name):
    assert check(build(name), branching(), pad=0).padded is None


@pytest.mark.parametrize("message", ["DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes."])
def test_a_cpu_without_memory_is_no_disagreement(message, monkeypatch):
    def full(*_, **__):
        raise RuntimeError(message)

    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, full)
    with pytest.raises(RuntimeError, match="allocate memory"):
        check(reference("llama")[0], branching(), pad=0)


# What is compared


@pytest.mark.parametrize("window", [8, 40, 100])
@pytest.mark.parametrize("longest", [5, 39, 41, 60, 150])
def test_made_up_rows_are_longer_than_a_window_that_some_row_reaches(window, longest):
    made_up = made_up_sequences(build("mistral", sliding_window=window), longest + 1)
    if longest + 1 > window:
        assert min(item.input_length for item in made_up[:-1]) > window


@pytest.mark.parametrize("context", [16, 24, 40, 256])
def test_made_up_rows_never_exceed_the_context(context):
    model = build("mistral", sliding_window=200, max_position_embeddings=context)
    made_up = made_up_sequences(model, context - 1)
    assert max(item.input_length for item in made_up) <= context
    assert check(model, [sequence(context - 4, 3)], pad=0) == Verdict(None, None)


@pytest.mark.parametrize(("longest", "below"), [(10, True), (60, True), (100, False)])
def test_made_up_rows_stay_below_a_length_above_which_positions_change(longest, below):
    model = stretched()
    assert turning_points(model) == [64]
    assert (max(item.input_length for item in made_up_sequences(model, longest)) <= 64) is below or longest > 64


def test_made_up_rows_share_a_trunk_with_branches_and_twins_beside_one_that_does_not():
    *made_up, other = made_up_sequences(reference("llama")[0], 3)
    prompts = [item.prompt for item in made_up]
    assert len({prompt[:-4] for prompt in prompts}) == 1
    assert len(set(prompts)) == 2
    assert len({item.answer for item in made_up}) == 4
    assert other.prompt[0] != prompts[0][0]
    assert other.input_length < made_up[0].input_length


def stretched():
    rope = {"rope_type": "longrope", "rope_theta": 10000.0, "short_factor": [1.0] * 8, "long_factor": [4.0] * 8}
    return build("phi3", original_max_position_embeddings=64, rope_parameters={**rope, "factor": 4.0})


def test_scalings_that_do_not_follow_the_length_have_no_turning_point():
    rope = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 64}
    assert turning_points(build("llama", rope_parameters=rope)) == []
