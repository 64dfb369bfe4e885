import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import pytest
import torch
from architectures import WORKING, as_padded, as_trees, branching, build, gradients
from engine import attach, distance

from qlorakit import last_layer
from qlorakit.last_layer import only_at


def parts(model):
    return last_layer._parts(model)


def whole(monkeypatch):
    """Leave nothing out."""
    monkeypatch.setattr(last_layer, "WORTH_IT", -1.0)


@pytest.mark.parametrize("layout", [as_padded, as_trees])
@pytest.mark.parametrize("name", WORKING)
def test_what_nobody_reads_can_be_left_out_without_a_trace(name, layout, monkeypatch):
    model = build(name).train()
    monkeypatch.setattr(last_layer, "WORTH_IT", 1.0)
    loss, grads = gradients(model, layout(branching()))
    whole(monkeypatch)
    expected_loss, expected = gradients(model, layout(branching()))
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    assert distance(grads, expected) < 1e-5


def test_the_last_layer_computes_the_places_that_are_read_and_no_others(monkeypatch):
    model, batches = build("llama"), as_trees(branching())
    (batch,) = batches
    monkeypatch.setattr(last_layer, "WORTH_IT", 1.0)
    read = len(set(batch.parents.tolist()))
    assert len(parts(model)) == 3
    assert read < batch.tokens
    modules = [part for part in parts(model) if isinstance(part, torch.nn.Linear)]
    seen = []
    for part in modules:
        plain = type(part).forward
        part.forward = lambda x, part=part, plain=plain: seen.append(x.shape[1]) or plain(part, x)
    gradients(model, batches)
    assert seen == [read] * len(modules)


def test_an_adapters_gradients_are_the_same(base_folder, monkeypatch):
    model, _ = attach(base_folder, init_lora_weights="gaussian")
    monkeypatch.setattr(last_layer, "WORTH_IT", 1.0)
    loss, grads = gradients(model.train(), as_trees(branching()))
    whole(monkeypatch)
    expected_loss, expected = gradients(model, as_trees(branching()))
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    assert distance(grads, expected) < 1e-5


def test_the_parts_get_their_own_forward_back_even_after_an_error():
    model = build("llama")
    parts(model)[0].forward = own = parts(model)[0].forward
    with pytest.raises(TypeError), only_at(model, torch.tensor([1]), 10):
        model(input_ids="not a tensor")
    assert vars(parts(model)[0])["forward"] is own
    assert not any("forward" in vars(part) for part in parts(model)[1:])


def test_nothing_is_left_out_where_most_places_are_read():
    model = build("llama")
    with only_at(model, torch.arange(6), 10):
        assert not any("forward" in vars(part) for part in parts(model))


def test_nothing_is_left_out_where_activations_are_computed_again():
    model = build("llama").train()
    model.activation_checkpointing_enable({"use_reentrant": False})
    with only_at(model, torch.tensor([1]), 10):
        assert not any("forward" in vars(part) for part in parts(model))
    with only_at(model.eval(), torch.tensor([1]), 10):
        assert all("forward" in vars(part) for part in parts(model))


def test_a_model_whose_parts_go_by_other_names_computes_as_it_does():
    model = build("mpt", d_model=64, n_heads=4, n_layers=2, max_seq_len=256)
    assert parts(model) == []
    with only_at(model, torch.tensor([1]), 10):
        model(input_ids=torch.tensor([[5, 6, 7]]))


def test_states_of_another_shape_are_computed_whole():
    model = build("llama")
    part, states = parts(model)[0], torch.randn(7, 64)
    expected = part(states)
    with only_at(model, torch.tensor([1]), 20):
        assert torch.equal(part(states), expected)
        computed = part(torch.randn(1, 20, 64))[0].abs().sum(1) > 0
    assert computed.nonzero().flatten().tolist() == [1]
