import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import pytest
import torch
from architectures import (
    WORKING,
    as_padded,
    as_trees,
    branching,
    build,
    gradients,
    ordered,
    reference,
)
from engine import attach, distance, equal
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AttentionInterface

from qlorakit import attention
from qlorakit.attention import NAME, TreeAttention, attend, default_backend, tree_attention
from qlorakit.errors import PrefixSharingError
from qlorakit.layout import Layout
from qlorakit.prefix_tree import Continuation, PrefixTree
from qlorakit.tree_batch import common_past

quick = settings(deadline=None, max_examples=60, derandomize=True)
TOKENS = st.integers(1, 3)
SEQUENCES = st.lists(
    st.builds(Continuation, st.lists(TOKENS, min_size=1, max_size=8).map(tuple), st.just((1, 2))),
    min_size=1,
    max_size=9,
)
BACKENDS = ["cascade", "sdpa", "eager"]
WINDOWED = [name for name, special in WORKING.items() if "sliding_window" in special]


def attention_of(tree, *, tile=64, **settings):
    exits, positions = torch.tensor(tree.exit), torch.tensor(tree.position_ids)
    return TreeAttention(exits, positions, tuple(tree.rectangles(tile)), **settings)


def seen_by(tree, past, window):
    """What each token sees, counted from the first token of the past, from parents alone."""
    seen, latest = [], {}
    for index, depth in enumerate(tree.position_ids):
        latest[depth] = past + index
        chain = [*range(past), *(latest[before] for before in range(past, depth + 1))]
        seen.append(set(chain[-window:] if window else chain))
    return seen


def states(tokens, *, past=0, heads=(4, 2), width=8, dtype=torch.float32):
    """Random query, key and value of a layer's tokens, and keys and values of the past."""
    generator = torch.Generator().manual_seed(0)

    def draw(count, length):
        return torch.randn(1, count, length, width, generator=generator).to(dtype)

    fresh = [draw(heads[0], tokens), draw(heads[1], tokens), draw(heads[1], tokens)]
    return [part.requires_grad_() for part in fresh], (draw(heads[1], past), draw(heads[1], past))


def dense(tree, fresh, before, window):
    """The same by the book, in float64, with the gradients of its sum of squares."""
    query, key, value = (part.detach().double().requires_grad_() for part in fresh)
    keys, values = (
        torch.cat([old.double(), new], 2).repeat_interleave(query.shape[1] // new.shape[1], 1)
        for old, new in zip(before, (key, value), strict=True)
    )
    past, hidden = before[0].shape[2], torch.ones(query.shape[2], keys.shape[2], dtype=torch.bool)
    for index, chain in enumerate(seen_by(tree, past, window)):
        hidden[index, list(chain)] = False
    scores = (query @ keys.transpose(2, 3) / query.shape[-1] ** 0.5).masked_fill(hidden, float("-inf"))
    out = (scores.softmax(-1) @ values).transpose(1, 2)
    return [out, *torch.autograd.grad(out.square().sum(), (query, key, value))]


def attended(tree, fresh, before, window, *, backend, tile=64):
    """Through :func:`attend`, with the same gradients."""
    layer = torch.nn.Module()
    past = {layer: before} if before[0].shape[2] else {}
    handed = attention_of(tree, tile=tile, backend=backend, past=past)
    out, _ = attend(layer, *fresh, None, sliding_window=window, tree=handed)
    return [out, *torch.autograd.grad(out.float().square().sum(), fresh)]


# Every architecture


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", WORKING)
def test_a_tree_has_loss_and_gradients_of_padded_rows(name, backend):
    model, loss, expected = reference(name)
    found, grads = gradients(model, as_trees(branching()), backend=backend)
    assert found == pytest.approx(loss, rel=1e-6)
    assert distance(grads, expected) < 1e-5


@pytest.mark.parametrize("name", WORKING)
def test_a_tree_after_kept_keys_has_the_logprobs_of_padded_rows(name):
    model, sequences = reference(name)[0], branching()
    with torch.no_grad():
        past = common_past(model, sequences[0].prompt[:20])
        found = ordered(model, as_trees(sequences, skip=20), past=past)
        torch.testing.assert_close(found, ordered(model, as_padded(sequences)), atol=2e-5, rtol=1e-5)
    assert past.tokens == 20


@pytest.mark.parametrize("token_budget", [1, 60, 150])
@pytest.mark.parametrize("name", ["llama", "mistral"])
def test_how_sequences_are_cut_into_trees_has_no_influence(name, token_budget):
    model, loss, expected = reference(name)
    batches = as_trees(branching(), token_budget=token_budget)
    found, grads = gradients(model, batches)
    assert len(batches) > 1
    assert found == pytest.approx(loss, rel=1e-6)
    assert distance(grads, expected) < 1e-5


@pytest.mark.filterwarnings("ignore:.*flex_attention")
@pytest.mark.parametrize("name", ["llama", "qwen2.window", "mistral"])
def test_flex_attention_has_the_logprobs_of_padded_rows(name):
    model, sequences = reference(name)[0], branching()
    with torch.no_grad():
        past = common_past(model, sequences[0].prompt[:20])
        expected = ordered(model, as_padded(sequences))
        for found in (
            ordered(model, as_trees(sequences), backend="flex"),
            ordered(model, as_trees(sequences, skip=20), past=past, backend="flex"),
        ):
            torch.testing.assert_close(found, expected, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "special"), [("gemma2", "softcap"), ("gpt_oss", "s_aux"), *((name, "sliding_window") for name in WINDOWED)]
)
def test_what_an_architecture_does_beyond_plain_attention_would_be_missed(name, special, monkeypatch):
    def forgetful(*states, **arguments):
        return attend(*states, **{**arguments, special: None})

    model, sequences = build(name, attn_logit_softcapping=2.0), branching()
    with torch.no_grad():
        expected = ordered(model, as_padded(sequences))
        kept = float((ordered(model, as_trees(sequences)) - expected).abs().max())
        monkeypatch.setitem(AttentionInterface._global_mapping, NAME, forgetful)
        missed = float((ordered(model, as_trees(sequences)) - expected).abs().max())
    assert kept < 1e-4
    assert missed > 1e-2


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["llama", "mistral", "gemma2", "gpt_oss"])
def test_in_bfloat16_a_tree_is_off_by_rounding_as_padding_is(name, backend):
    model, sequences = build(name).bfloat16(), branching()
    exact = ordered(reference(name)[0], as_padded(sequences))
    with torch.no_grad():
        padded = (ordered(model, as_padded(sequences)) - exact).abs()
        tree = (ordered(model, as_trees(sequences), backend=backend) - exact).abs()
    assert float(tree.mean()) < 2 * float(padded.mean())


# What is seen


@quick
@given(SEQUENCES, st.integers(0, 5), st.sampled_from([None, 1, 2, 3, 100]))
def test_the_mask_is_the_chain_of_ancestors_cut_to_the_window(sequences, past, window):
    longer = [Continuation((9,) * past + item.prompt, item.answer) for item in sequences]
    tree = PrefixTree.build(longer, skip=past, shortest_saving=0)
    mask = attention_of(tree).mask(past, window)
    assert [set(row.nonzero().flatten().tolist()) for row in mask] == seen_by(tree, past, window)


@quick
@given(SEQUENCES, st.integers(0, 5), st.sampled_from([None, 1, 2, 3, 100]), st.sampled_from([1, 2, 4, 64]))
def test_blocks_hold_every_pair_that_is_seen_once(sequences, past, window, tile):
    longer = [Continuation((9,) * past + item.prompt, item.answer) for item in sequences]
    tree = PrefixTree.build(longer, skip=past, shortest_saving=0)
    handed = attention_of(tree, tile=tile)
    painted = torch.zeros(len(tree), past + len(tree), dtype=torch.long)
    for block in handed.blocks(past, window):
        part = painted[block.queries, block.keys]
        part += torch.ones_like(part).tril() if block.causal else 1 if block.mask is None else block.mask
    assert torch.equal(painted, handed.mask(past, window).long())


@pytest.mark.parametrize("large_block", [0, 1 << 30])
@pytest.mark.parametrize("tile", [4, 64])
@pytest.mark.parametrize("window", [None, 3, 25])
@pytest.mark.parametrize("past", [0, 20])
def test_the_cascade_has_output_and_gradients_of_dense_attention(monkeypatch, past, window, tile, large_block):
    monkeypatch.setattr(attention, "LARGE_BLOCK", large_block)  # both ways to compute a block's gradients
    tree = PrefixTree.build(branching(), skip=past)
    fresh, before = states(len(tree), past=past)
    found = attended(tree, fresh, before, window, backend="cascade", tile=tile)
    for part, expected in zip(found, dense(tree, fresh, before, window), strict=True):
        torch.testing.assert_close(part, expected.float(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("heads", [(4, 4), (4, 2), (4, 1)])
def test_a_key_head_serves_several_query_heads(backend, heads):
    tree = PrefixTree.build(branching())
    fresh, before = states(len(tree), heads=heads)
    found = attended(tree, fresh, before, None, backend=backend)
    for part, expected in zip(found, dense(tree, fresh, before, None), strict=True):
        torch.testing.assert_close(part, expected.float(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS)
def test_queries_that_see_nothing_of_a_block_are_not_disturbed(backend):
    tree = PrefixTree.build(branching(), skip=20)
    fresh, before = states(len(tree), past=20)
    handed = attention_of(tree)
    blind = [block for block in handed.blocks(20, 3) if block.mask is not None and not block.mask.any(1).all()]
    found = attended(tree, fresh, before, 3, backend=backend)
    assert blind
    for part, expected in zip(found, dense(tree, fresh, before, 3), strict=True):
        torch.testing.assert_close(part, expected.float(), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("large_block", [0, 1 << 30])
def test_what_is_not_seen_has_no_influence_however_large_it_is(monkeypatch, large_block):
    monkeypatch.setattr(attention, "LARGE_BLOCK", large_block)
    tree = PrefixTree.build([Continuation((1, 2, last), (3,)) for last in (4, 5)], shortest_saving=0)
    (query, key, value), before = states(len(tree))
    with torch.no_grad():
        query[:, :, 3], key[:, :, 2] = 100.0, 100.0  # the last of one branch, and of the other
    found = attended(tree, (query, key, value), before, None, backend="cascade")
    for part, expected in zip(found, dense(tree, (query, key, value), before, None), strict=True):
        torch.testing.assert_close(part, expected.float(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_output_and_gradients_in_bfloat16_are_those_of_float64_within_rounding(backend):
    tree = PrefixTree.build(branching())
    fresh, before = states(len(tree), dtype=torch.bfloat16)
    found = attended(tree, fresh, before, None, backend=backend)
    for part, expected in zip(found, dense(tree, fresh, before, None), strict=True):
        assert part.dtype == torch.bfloat16
        assert float((part - expected).detach().abs().max() / expected.detach().abs().max()) < 0.02


@pytest.mark.parametrize("sharpness", [0.1, 1, 4, 16])
@pytest.mark.parametrize(("window", "width"), [(None, 8), (None, 16), (3, 24)])
def test_the_cascades_gradients_in_bfloat16_are_off_by_little_more_than_those_of_a_dense_mask(sharpness, window, width):
    tree = PrefixTree.build(branching())
    fresh, before = states(len(tree), width=width, dtype=torch.bfloat16)
    fresh[0].data.mul_(sharpness)
    expected = dense(tree, fresh, before, window)
    errors = [
        [
            float((part - exact).detach().norm() / exact.detach().norm())
            for part, exact in zip(found, expected, strict=True)
        ]
        for found in (attended(tree, fresh, before, window, backend=backend) for backend in ("cascade", "sdpa"))
    ]
    assert all(cascade < 2.5 * plain + 1e-3 for cascade, plain in zip(*errors, strict=True)), errors


@pytest.mark.parametrize("backend", BACKENDS)
def test_dropout_takes_some_of_what_is_seen_away(backend):
    tree = PrefixTree.build(branching()[:2])
    fresh, _ = states(len(tree))
    handed = attention_of(tree, backend=backend)
    torch.manual_seed(0)
    drawn = torch.stack([attend(torch.nn.Module(), *fresh, None, dropout=0.5, tree=handed)[0] for _ in range(200)])
    whole, _ = attend(torch.nn.Module(), *fresh, None, tree=handed)
    assert not torch.equal(drawn[0], drawn[1])
    assert float((drawn.mean(0) - whole).abs().mean()) < 0.1 * float((drawn[0] - whole).abs().mean())


# What is refused


def test_an_argument_that_is_not_known_is_refused():
    tree = PrefixTree.build(branching())
    fresh, _ = states(len(tree))
    with pytest.raises(PrefixSharingError, match="Module attends with chunk_size, position_bias, which"):
        attend(torch.nn.Module(), *fresh, None, tree=attention_of(tree), position_bias=fresh[0], chunk_size=4)


def test_an_argument_without_a_value_or_without_effect_is_let_through():
    tree = PrefixTree.build(branching())
    fresh, _ = states(len(tree))
    plain, _ = attend(torch.nn.Module(), *fresh, None, tree=attention_of(tree))
    found, _ = attend(torch.nn.Module(), *fresh, None, tree=attention_of(tree), position_bias=None, use_cache=False)
    assert torch.equal(found, plain)


def test_an_argument_of_the_model_that_is_not_known_is_refused_by_its_layers():
    model = reference("llama")[0]
    with pytest.raises(PrefixSharingError, match="LlamaAttention attends with magic"), tree_attention(model):
        model(torch.tensor([[5]]), tree=attention_of(PrefixTree.build(branching())), magic=1)


def test_a_model_that_does_not_hand_the_tree_on_is_refused():
    model = reference("llama")[0]
    with pytest.raises(PrefixSharingError, match="LlamaAttention does not hand the tree on"), tree_attention(model):
        model(torch.tensor([[5, 6]]))


def test_a_mask_beside_the_tree_is_refused():
    tree = PrefixTree.build(branching())
    fresh, _ = states(len(tree))
    with pytest.raises(PrefixSharingError, match="does not hand the tree on"):
        attend(torch.nn.Module(), *fresh, torch.ones(1), tree=attention_of(tree))


def test_a_layer_that_asks_for_a_part_of_the_tree_only_is_refused():
    tree = PrefixTree.build(branching())
    (query, key, value), _ = states(len(tree))
    with pytest.raises(PrefixSharingError, match="Module"):
        attend(torch.nn.Module(), query[:, :, -1:], key, value, None, tree=attention_of(tree, backend="sdpa"))


# What is left behind


@pytest.mark.parametrize("own", ["sdpa", "eager"])
def test_the_models_own_attention_is_back_afterwards(own):
    model = build("llama")
    model.set_attn_implementation(own)
    batches = as_trees(branching())
    with torch.no_grad():
        before = ordered(model, as_padded(branching()))
        ordered(model, batches)
        assert torch.equal(ordered(model, as_padded(branching())), before)
    assert model.config._attn_implementation == own


def test_the_models_own_attention_is_back_after_an_error():
    model = build("llama")
    with pytest.raises(IndexError), tree_attention(model):
        model(torch.tensor([[5000]]))
    assert model.config._attn_implementation == "sdpa"


def test_one_tree_within_another_leaves_the_tree_in_place():
    model = build("llama")
    with tree_attention(model):
        with tree_attention(model):
            pass
        assert model.config._attn_implementation == NAME
    assert model.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("name", ["llama", "gemma3_text", "gpt2"])
def test_a_model_generates_after_a_tree_as_before(name):
    model, prompt = build(name), torch.tensor([branching()[0].prompt])
    settings = {"max_new_tokens": 5, "do_sample": False, "attention_mask": torch.ones_like(prompt)}
    before = model.generate(prompt, **settings)
    ordered(model, as_trees(branching()))
    assert torch.equal(model.generate(prompt, **settings), before)


# Adapters and checkpointed activations


def trainable(base_folder, *, checkpointing=None):
    """An NF4 model with an adapter that does something, in training mode."""
    model = attach(base_folder, init_lora_weights="gaussian")[0].train()
    generator = torch.Generator().manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1, generator=generator)
    if checkpointing is not None:
        model.get_base_model().activation_checkpointing_enable({"use_reentrant": checkpointing})
        model.get_base_model().enable_input_require_grads()
    return model


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_adapter_on_four_bits_has_the_gradients_of_padded_rows(base_folder, backend):
    model, sequences = trainable(base_folder), branching()
    loss, expected = gradients(model, as_padded(sequences))
    found, grads = gradients(model, as_trees(sequences), backend=backend)
    assert found == pytest.approx(loss, rel=1e-6)
    assert set(grads) == {name for name, _ in model.named_parameters() if "lora_" in name}
    assert distance(grads, expected) < 1e-5


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointed_activations_make_no_difference_at_all(base_folder, reentrant):
    plain, saving = trainable(base_folder), trainable(base_folder, checkpointing=reentrant)
    loss, expected = gradients(plain, as_trees(branching()))
    with Layout(shared=True, token_budget=10_000, pad=0).engaged(saving):
        found, grads = gradients(saving, as_trees(branching()))
    assert found == loss
    assert equal(grads, expected)


@pytest.mark.parametrize("name", ["mistral", "gemma2", "gpt_oss"])
def test_checkpointed_activations_make_no_difference_for_other_architectures(name):
    model = build(name).train()
    loss, expected = gradients(model, as_trees(branching()))
    model.activation_checkpointing_enable({"use_reentrant": False})
    with Layout(shared=True, token_budget=10_000, pad=0).engaged(model):
        found, grads = gradients(model, as_trees(branching()))
    assert found == pytest.approx(loss, rel=1e-6)
    assert distance(grads, expected) < 1e-6


def test_on_cpu_the_cascade_is_the_default():
    assert default_backend(torch.device("cpu")) == "cascade"
    assert default_backend(torch.device("cuda")) == "sdpa"
