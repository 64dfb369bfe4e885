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
from qlorakit.layout import CHECKED_UP_TO, MOST_PADDED_ON_CPU, Layout, choose_layout
from qlorakit.padded_batch import PaddedBatch
from qlorakit.prefix_tree import Continuation
from qlorakit.self_check import Verdict
from qlorakit.tree_batch import TreeBatch

FINE = Verdict(None, None)
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
    monkeypatch.setattr(layout, "check", None)
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
    model, many = reference("llama")[0], branching() * 20
    padded, trees = (choose(model, how, token_budget=4096) for how in ("off", "on"))
    groups = range(len(many))
    assert padded.token_budget == trees.token_budget == 4096
    assert MOST_PADDED_ON_CPU // 2 < max(batch.tokens for batch in padded.batches(many, groups, groups)) <= 1024
    assert max(batch.tokens for batch in trees.batches(branching(), GROUPS, range(12))) < 4096
    small = choose(model, "off", token_budget=100).batches(many, groups, groups)
    assert max(batch.tokens for batch in small) <= 100


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


def test_a_window_that_is_not_honoured_is_caught_though_all_rows_but_one_are_short(monkeypatch):
    def boundless(*states, **arguments):
        return attend(*states, **{**arguments, "sliding_window": None})

    model = build("mistral", sliding_window=40)
    sequences = [*(sequence(5, 2) for _ in range(11)), sequence(44, 2)]
    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, boundless)
    with pytest.raises(PrefixSharingError, match="off by"):
        choose(model, "on", sequences=sequences)


def test_a_model_out_of_memory_is_no_disagreement(monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError

    monkeypatch.setitem(AttentionInterface._global_mapping, NAME, full)
    with pytest.raises(torch.OutOfMemoryError):
        choose(reference("llama")[0], "auto")


# When a model is checked


@pytest.mark.parametrize(
    ("name", "changes", "lengths", "checked_at"),
    [
        ("llama", {}, (20, 20, 7, 30, 40), [20]),
        ("llama", {}, (20, 41, 50), [20, 41]),
        ("mistral", {"sliding_window": 24}, (20, 24, 25, 40), [20, 25]),
    ],
)
def test_a_model_is_checked_once_and_again_where_longer_rows_may_differ(
    name, changes, lengths, checked_at, monkeypatch
):
    model, found = build(name), []
    for setting, value in changes.items():
        setattr(model.config, setting, value)
    monkeypatch.setattr(
        layout, "check", lambda _, real, *, pad: found.append(max(s.input_length for s in real)) or FINE
    )
    for longest in lengths:
        choose_layout(model, [sequence(longest, 1)], [0], prefix_sharing="auto", token_budget=64, pad=0)
    assert found == checked_at


def test_the_longest_row_and_one_more_of_its_group_are_compared(monkeypatch):
    sequences = [sequence(length, 2) for length in (5, 9, 7, 30, 8, 6)]
    seen = []
    monkeypatch.setattr(layout, "check", lambda _, real, *, pad: seen.extend(real) or FINE)
    choose(reference("llama")[0], "auto", sequences=sequences)
    assert seen == [sequences[3], sequences[4]]


# Models whose positions depend on the longest row


@pytest.mark.parametrize("prefix_sharing", ["auto", "off"])
def test_rows_are_computed_one_by_one_where_a_long_one_would_change_its_neighbours(prefix_sharing, caplog):
    rope = {"rope_type": "longrope", "rope_theta": 10000.0, "short_factor": [1.0] * 8, "long_factor": [4.0] * 8}
    model = build("phi3", original_max_position_embeddings=64, rope_parameters={**rope, "factor": 4.0})
    many = [sequence(20, 2), sequence(80, 2), sequence(30, 2)]
    found = choose(model, prefix_sharing, sequences=many).batches(many, range(3), range(3))
    assert [len(batch.items) for batch in found] == [1, 1, 1]
    (warning,) = said(caplog)
    assert "computes positions otherwise where a row has more than 64 tokens, and one has 81" in warning
    with pytest.raises(PrefixSharingError, match="more than 64 tokens"):
        choose(model, "on", sequences=many)
    assert choose(model, "on", sequences=many[::2]).shared
