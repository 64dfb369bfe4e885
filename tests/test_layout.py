import logging
import random

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import pytest
import torch
from architectures import FAILING, WORKING, branching, build, reference
from transformers import AttentionInterface

from qlorakit import layout
from qlorakit.attention import NAME, attend
from qlorakit.errors import ConfigurationError, PrefixSharingError
from qlorakit.layout import CHECKED_UP_TO, MOST_PADDED_ON_CPU, Layout, choose_layout, find_disagreement
from qlorakit.padded_batch import PaddedBatch
from qlorakit.prefix_tree import Continuation
from qlorakit.tree_batch import TreeBatch

GROUPS = [place // 3 for place in range(12)]


def choose(model, prefix_sharing, *, sequences=None, token_budget=4096):
    sequences = branching() if sequences is None else sequences
    groups = GROUPS[: len(sequences)]
    vars(model).pop(CHECKED_UP_TO, None)  # models are shared between tests
    return choose_layout(model, sequences, groups, prefix_sharing=prefix_sharing, token_budget=token_budget, pad=0)


def said(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "qlorakit.layout"]


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


# Whether prefixes are shared


@pytest.mark.parametrize("prefix_sharing", ["auto", "on"])
@pytest.mark.parametrize("name", WORKING)
def test_an_architecture_that_works_shares_prefixes_without_a_word(name, prefix_sharing, caplog):
    assert choose(reference(name)[0], prefix_sharing) == Layout(shared=True, token_budget=4096, pad=0)
    assert said(caplog) == []


@pytest.mark.parametrize("name", FAILING)
def test_an_architecture_that_fails_is_padded_with_one_warning(name, caplog):
    model, (_, error) = build(name), FAILING[name]
    with caplog.at_level(logging.WARNING):
        assert not choose(model, "auto").shared
    (warning,) = said(caplog)
    assert warning.startswith(f"{type(model).__name__} cannot compute rows that share a prefix together: ")
    assert error in warning


@pytest.mark.parametrize("name", FAILING)
def test_an_architecture_that_fails_is_an_error_where_sharing_is_demanded(name):
    model, (_, error) = build(name), FAILING[name]
    with pytest.raises(PrefixSharingError, match=f"{type(model).__name__} cannot compute .*{error}"):
        choose(model, "on")


@pytest.mark.parametrize("name", ["llama", *FAILING])
def test_without_sharing_nothing_is_checked(name, monkeypatch, caplog):
    monkeypatch.setattr(layout, "find_disagreement", None)
    assert not choose(build(name), "off").shared
    assert said(caplog) == []


@pytest.mark.parametrize("name", FAILING)
def test_after_a_failed_check_the_model_computes_as_before(name):
    model, ids = build(name), torch.tensor([branching()[0].prompt])
    with torch.no_grad():
        before, own = model(ids, use_cache=False).logits, model.config._attn_implementation
        choose(model, "auto")
        assert torch.equal(model(ids, use_cache=False).logits, before)
    assert model.config._attn_implementation == own


def test_without_sequences_there_is_nothing_to_check_and_rows_are_padded():
    assert not choose(reference("llama")[0], "auto", sequences=[]).shared


def test_a_setting_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match="prefix_sharing='yes' is not one of 'auto', 'on', 'off'"):
        choose(reference("llama")[0], "yes")


def test_padded_batches_on_a_cpu_are_narrow_and_trees_are_not():
    model = reference("llama")[0]
    assert choose(model, "off", token_budget=4096).token_budget == MOST_PADDED_ON_CPU
    assert choose(model, "off", token_budget=100).token_budget == 100
    assert choose(model, "on", token_budget=4096).token_budget == 4096


@pytest.mark.parametrize(("shared", "kind"), [(True, TreeBatch), (False, PaddedBatch)])
def test_a_layout_cuts_sequences_into_its_own_batches(shared, kind):
    batches = Layout(shared=shared, token_budget=100, pad=0).batches(branching(), GROUPS, range(12))
    assert {type(batch) for batch in batches} == {kind}
    assert sorted(item for batch in batches for item in batch.items) == list(range(12))


@pytest.mark.parametrize("training", [True, False])
def test_the_check_leaves_the_models_mode_alone(training):
    model = build("llama").train(training)
    choose(model, "on")
    assert model.training is training


# What the check finds


@pytest.mark.parametrize("change", [sees_everything_before, knows_no_branches])
@pytest.mark.parametrize("name", ["mistral", "gemma2"])
def test_a_model_whose_tokens_leak_is_caught(name, change, monkeypatch):
    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, leaking(change))
    trouble = find_disagreement(reference(name)[0], branching(), pad=0)
    assert "log-probabilities are off by" in trouble
    assert "where 0.001 would be rounding" in trouble


def test_a_model_that_ignores_the_tree_is_caught(monkeypatch):
    def causal(module, query, key, value, mask, *, scaling, tree, **_):
        key, value = (part.repeat_interleave(query.shape[1] // part.shape[1], 1) for part in (key, value))
        out = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=scaling)
        return out.transpose(1, 2), None

    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, causal)
    assert "log-probabilities are off by" in find_disagreement(reference("llama")[0], branching(), pad=0)


def test_a_window_that_is_not_honoured_is_caught_though_all_rows_but_one_are_short(monkeypatch):
    def boundless(*states, **arguments):
        return attend(*states, **{**arguments, "sliding_window": None})

    model = build("mistral", sliding_window=40)
    sequences = [*(sequence(5, 2) for _ in range(11)), sequence(44, 2)]
    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, boundless)
    with pytest.raises(PrefixSharingError, match="off by"):
        choose(model, "on", sequences=sequences)


def test_logits_that_are_not_numbers_on_the_tree_alone_are_caught(monkeypatch):
    def broken(*states, **arguments):
        return attend(*states, **arguments)[0] * float("nan"), None

    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, broken)
    assert "off by nan" in find_disagreement(reference("llama")[0], branching(), pad=0)


def test_a_model_that_is_broken_in_any_layout_is_for_others_to_report():
    model = build("llama")
    model.model.norm.weight.data[0] = float("nan")
    assert find_disagreement(model, branching(), pad=0) is None


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.parametrize("name", WORKING)
def test_rounding_in_bfloat16_is_tolerated(name, seed):
    assert find_disagreement(build(name).bfloat16(), branching(seed=seed), pad=0) is None


@pytest.mark.parametrize("name", ["bloom", "qwen3_next", "lfm2", "mamba", "jamba", "llama4_text"])
def test_what_is_wrong_is_found_in_bfloat16_as_well(name):
    assert find_disagreement(build(name).bfloat16(), branching(), pad=0) is not None


def test_a_model_out_of_memory_is_no_disagreement(monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError

    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, full)
    with pytest.raises(torch.OutOfMemoryError):
        choose(reference("llama")[0], "auto")


# What is compared


def checked(monkeypatch, model, sequences):
    """The real and the made-up sequences that the check compares."""
    seen = []
    monkeypatch.setattr(layout, "find_disagreement", lambda _, made_up, real, *, pad: seen.extend([*real, *made_up]))
    choose(model, "auto", sequences=sequences)
    return seen


@pytest.mark.parametrize(
    ("name", "changes", "lengths", "checked_at"),
    [
        ("llama", {}, (20, 20, 7, 30, 40), [20]),
        ("llama", {}, (20, 41, 50), [20, 41]),
        ("mistral", {"sliding_window": 24}, (20, 24, 25, 40), [20, 25]),
        ("llama", {"original_max_position_embeddings": 24}, (20, 24, 25, 40), [20, 25]),
    ],
)
def test_a_model_is_checked_once_and_again_where_longer_rows_may_differ(
    name, changes, lengths, checked_at, monkeypatch
):
    model, found = build(name), []
    for setting, value in changes.items():
        setattr(model.config, setting, value)
    monkeypatch.setattr(
        layout, "find_disagreement", lambda _, __, real, *, pad: found.append(max(s.input_length for s in real))
    )
    for longest in lengths:
        choose_layout(model, [sequence(longest, 1)], [0], prefix_sharing="auto", token_budget=64, pad=0)
    assert found == checked_at


def test_the_longest_row_and_one_more_of_its_group_are_compared(monkeypatch):
    sequences = [sequence(length, 2) for length in (5, 9, 7, 30, 8, 6)]
    seen = checked(monkeypatch, reference("llama")[0], sequences)
    assert seen[:2] == [sequences[3], sequences[4]]
    assert len(seen) == 6


@pytest.mark.parametrize("window", [8, 40, 100])
@pytest.mark.parametrize("longest", [5, 39, 41, 60, 150])
def test_made_up_rows_are_longer_than_a_window_that_some_row_reaches(monkeypatch, window, longest):
    seen = checked(monkeypatch, build("mistral", sliding_window=window), [sequence(longest, 2)])
    assert len(seen) > 1
    if longest + 1 > window:
        assert min(made_up.input_length for made_up in seen[1:]) > window


@pytest.mark.parametrize("context", [16, 24, 40, 256])
def test_made_up_rows_never_exceed_the_context(monkeypatch, context):
    model = build("mistral", sliding_window=200, max_position_embeddings=context)
    seen = checked(monkeypatch, model, [sequence(context - 4, 3)])
    assert max(made_up.input_length for made_up in seen) <= context
    assert find_disagreement(model, seen, pad=0) is None


def test_made_up_rows_share_a_trunk_with_branches_and_twins(monkeypatch):
    _, *made_up = checked(monkeypatch, reference("llama")[0], [sequence(2, 1)])
    prompts = [item.prompt for item in made_up]
    assert len({prompt[:-4] for prompt in prompts}) == 1
    assert len(set(prompts)) == 2
    assert len({item.answer for item in made_up}) == 4
