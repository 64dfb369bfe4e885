import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

import pytest
import torch
from architectures import COMMON, WORKING, as_padded, as_trees, branching, build, gradients, ordered, reference
from engine import attach, distance, load

from qlorakit import logits
from qlorakit.logits import plain_model, token_logprobs

VOCABULARY = COMMON["vocab_size"]
# Plain, with a soft cap on the logits, with a scale of them, and an older one.
HEADS = {
    "llama": {}, "gemma2": {"final_logit_softcapping": 5.0}, "cohere2": {"logit_scale": 0.3}, "gpt2": {},
}  # fmt: skip


@pytest.fixture(params=HEADS)
def model(request):
    return build(request.param, **HEADS[request.param])


def by_the_book(model, ids, rows, places, tokens):
    """From all logits."""
    return model(input_ids=ids, use_cache=False).logits.log_softmax(-1)[rows, places, tokens]


def wanted():
    """Some tokens of two rows, in no order, several at one place and one of them twice."""
    ids = torch.randint(6, 300, (2, 12), generator=torch.Generator().manual_seed(0))
    rows, places = torch.tensor([1, 0, 0, 1, 0, 1, 1]), torch.tensor([4, 11, 3, 4, 3, 0, 4])
    return ids, rows, places, torch.tensor([7, 8, 9, 10, 9, 299, 0])


def test_logprobs_are_those_of_all_logits(model):
    ids, *chosen = wanted()
    with torch.no_grad():
        found = token_logprobs(model, {"input_ids": ids}, *chosen)
        torch.testing.assert_close(found, by_the_book(model, ids, *chosen))


@pytest.mark.parametrize("pieces_of", [1, 2, 3, 100])
def test_pieces_give_the_logprobs_of_the_whole(model, pieces_of):
    ids, *chosen = wanted()
    with torch.no_grad():
        found = token_logprobs(model, {"input_ids": ids}, *chosen, most_logits=pieces_of * VOCABULARY)
        torch.testing.assert_close(found, by_the_book(model, ids, *chosen), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("most_logits", [1, 3 * VOCABULARY])
@pytest.mark.parametrize("layout", [as_padded, as_trees])
def test_pieces_give_the_gradients_of_the_whole(model, monkeypatch, layout, most_logits):
    loss, expected = gradients(model, layout(branching()))
    monkeypatch.setitem(token_logprobs.__kwdefaults__, "most_logits", most_logits)
    found, grads = gradients(model, layout(branching()))
    assert found == pytest.approx(loss, rel=1e-6)
    assert distance(grads, expected) < 1e-5


@pytest.mark.parametrize("name", WORKING)
def test_pieces_give_the_loss_of_the_whole_for_every_architecture(name, monkeypatch):
    model, loss, _ = reference(name)
    monkeypatch.setitem(token_logprobs.__kwdefaults__, "most_logits", 3 * VOCABULARY)
    with torch.no_grad():
        assert -float(ordered(model, as_trees(branching()), backend="sdpa").sum()) == pytest.approx(loss, rel=1e-6)


def test_no_more_logits_are_held_than_allowed(model, monkeypatch):
    shapes = []
    monkeypatch.setitem(token_logprobs.__kwdefaults__, "most_logits", 3 * VOCABULARY)
    hook = model.get_output_embeddings().register_forward_hook(lambda *call: shapes.append(call[2].shape[:-1].numel()))
    gradients(model, as_trees(branching()))
    hook.remove()
    assert len(shapes) > 10
    assert max(shapes) == 3


def test_each_place_is_computed_once_however_many_tokens_are_predicted_there(model):
    shapes = []
    ids, *chosen = wanted()
    hook = model.get_output_embeddings().register_forward_hook(lambda *call: shapes.append(call[2].shape[:-1]))
    token_logprobs(model, {"input_ids": ids}, *chosen)
    hook.remove()
    assert shapes == [(2, 4)]  # places 0, 3, 4 and 11 of both rows


def test_the_decoder_computes_again_afterwards(model):
    ids, *chosen = wanted()
    with torch.no_grad():
        before = by_the_book(model, ids, *chosen)
        token_logprobs(model, {"input_ids": ids}, *chosen, most_logits=1)
        assert torch.equal(by_the_book(model, ids, *chosen), before)
    assert "forward" not in vars(model.base_model)


def test_the_decoder_computes_again_after_an_error(model, monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")  # noqa: EM101

    ids, *chosen = wanted()
    monkeypatch.setattr(logits, "_logprobs", broken)
    with pytest.raises(RuntimeError, match="broken"):
        token_logprobs(model, {"input_ids": ids}, *chosen, most_logits=1)
    assert "forward" not in vars(model.base_model)
    assert not model.base_model._forward_hooks


def test_a_forward_that_somebody_else_replaced_is_put_back():
    model, (ids, *chosen) = build("llama"), wanted()
    mine = model.model.forward
    model.model.forward = mine
    token_logprobs(model, {"input_ids": ids}, *chosen, most_logits=1)
    assert vars(model.model)["forward"] is mine


@pytest.mark.parametrize("most_logits", [1, logits.MOST_LOGITS])
def test_logprobs_are_float32_whatever_the_model_computes_in(most_logits):
    model, (ids, *chosen) = build("llama").bfloat16(), wanted()
    with torch.no_grad():
        found = token_logprobs(model, {"input_ids": ids}, *chosen, most_logits=most_logits)
        expected = model(input_ids=ids).logits.float().log_softmax(-1)[tuple(chosen)]
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=0.05, rtol=0.05)


def test_an_adapter_has_the_same_gradients_in_pieces(base_folder, monkeypatch):
    model, _ = attach(base_folder, init_lora_weights="gaussian")
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1, generator=torch.Generator().manual_seed(1))
    loss, expected = gradients(model, as_trees(branching()))
    monkeypatch.setitem(token_logprobs.__kwdefaults__, "most_logits", 1000)
    found, grads = gradients(model, as_trees(branching()))
    assert found == pytest.approx(loss, rel=1e-6)
    assert distance(grads, expected) < 1e-5


def test_pieces_of_a_model_that_cannot_choose_its_logits_are_the_same(monkeypatch):
    model = build("llama")
    expected = ordered(model, as_padded(branching())).detach()
    monkeypatch.setattr(logits, "keeps_logits", lambda _: False)
    for most_logits in (1, logits.MOST_LOGITS):
        monkeypatch.setitem(token_logprobs.__kwdefaults__, "most_logits", most_logits)
        torch.testing.assert_close(ordered(model, as_padded(branching())).detach(), expected)


def test_the_plain_model_is_found_behind_an_adapter(base_folder):
    model, _ = attach(base_folder)
    assert plain_model(model) is model.get_base_model()
    assert plain_model(plain_model(model)) is plain_model(model)
    assert type(plain_model(model)) is type(load(base_folder)[0])
