import pytest
import torch
from engine import attach, load

import qlorakit as qk
from qlorakit.fused_lora import fused_lora


def filled(model):
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1, generator=torch.Generator().manual_seed(1))
    return model


def pass_through(model, *, fused):
    """Logits and gradients of a forward and a backward pass."""
    ids = torch.arange(6, 46).reshape(2, 20)
    model.zero_grad()
    if fused:
        with fused_lora(model):
            logits = model(input_ids=ids, use_cache=False).logits
            logits.float().logsumexp(-1).sum().backward()
    else:
        logits = model(input_ids=ids, use_cache=False).logits
        logits.float().logsumexp(-1).sum().backward()
    return logits.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def replaced(model):
    """Layers that compute in one function while the replacement lasts."""
    with fused_lora(model):
        return sum("forward" in vars(module) for module in model.modules())


def test_one_function_gives_what_the_single_operations_give(base_folder):
    model = filled(attach(base_folder)[0]).train()
    (plain, gradients), (logits, found) = (pass_through(model, fused=fused) for fused in (False, True))
    torch.testing.assert_close(logits, plain, atol=1e-5, rtol=1e-5)
    assert found.keys() == gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-5, rtol=1e-4)


def test_in_bfloat16_it_is_off_by_rounding_alone(base_folder):
    model = filled(qk.attach_lora(load(base_folder, compute_dtype="bfloat16")[0], r=8)).train()
    (plain, gradients), (logits, found) = (pass_through(model, fused=fused) for fused in (False, True))
    assert float((logits - plain).abs().mean()) < 0.02 * float(plain.abs().mean())
    for name, gradient in gradients.items():
        assert float((found[name] - gradient).norm()) < 0.1 * float(gradient.norm())


def test_every_plain_layer_is_replaced_and_comes_back(base_folder):
    model = attach(base_folder)[0]
    assert replaced(model) == 14
    assert not any("forward" in vars(module) for module in model.modules())


def test_the_layers_come_back_after_an_error(base_folder):
    model = attach(base_folder)[0]
    with pytest.raises(ZeroDivisionError), fused_lora(model):
        raise ZeroDivisionError
    assert not any("forward" in vars(module) for module in model.modules())


def test_one_replacement_within_another_changes_nothing(base_folder):
    model = attach(base_folder)[0]
    with fused_lora(model):
        with fused_lora(model):
            pass
        assert sum("forward" in vars(module) for module in model.modules()) == 14


@pytest.mark.parametrize("lora", [{"dropout": 0.1}, {"use_dora": True}])
def test_layers_with_dropout_or_dora_compute_as_before(base_folder, lora):
    assert replaced(attach(base_folder, **lora)[0]) == 0


def test_a_disabled_adapter_has_no_say(base_folder):
    model = filled(attach(base_folder)[0])
    ids = torch.arange(6, 26)[None]
    with torch.no_grad(), model.disable_adapter():
        plain = model(input_ids=ids).logits
        with fused_lora(model):
            assert torch.equal(model(input_ids=ids).logits, plain)


def test_an_unquantized_model_computes_as_before(base_folder):
    assert replaced(qk.attach_lora(load(base_folder, quantization="none")[0])) == 0
