import json

import pytest

import qlorakit as qk
from qlorakit_tiny import MODEL, qlorakit_models


@pytest.fixture(scope="module")
def loaded():
    return qk.load_quantized("qlorakit/tiny")


def test_the_weights_fit_into_sixteen_megabytes():
    assert (MODEL / "model.safetensors").stat().st_size <= 16_000_000


def test_it_loads_by_name_in_four_bits(loaded):
    model, _ = loaded
    assert model.config._name_or_path == "qlorakit/tiny"
    assert type(model.model.layers[0].mlp.up_proj).__name__ == "Linear4bit"


def test_it_has_the_size_its_card_states(loaded):
    model, _ = loaded
    assert f"{model.num_parameters():,}" in (MODEL / "README.md").read_text(encoding="utf-8")


def test_padding_begin_and_end_are_three_tokens(loaded):
    _, tokenizer = loaded
    assert len({tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id}) == 3


def test_any_text_survives_the_tokenizer(loaded):
    _, tokenizer = loaded
    text = "EUR 13.1 mn\n\tÄrzte 東京 🙂 <b> 1,250.75"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_the_template_knows_three_roles_and_refuses_others(loaded):
    _, tokenizer = loaded
    chat = [{"role": role, "content": "x"} for role in ("system", "user", "assistant")]
    assert tokenizer.apply_chat_template(chat, tokenize=False).count("<|end|>") == 3
    with pytest.raises(Exception, match="unknown role"):
        tokenizer.apply_chat_template([{"role": "tool", "content": "x"}], tokenize=False)


def test_widths_are_multiples_of_a_quantization_block(loaded):
    config = loaded[0].config
    assert config.hidden_size % 64 == config.intermediate_size % 64 == 0


def test_the_log_ends_with_the_loss_the_card_states():
    last = json.loads((MODEL / "training_log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert f"{last['held_out_loss']:.2f}" in (MODEL / "README.md").read_text(encoding="utf-8")


def test_the_hook_states_a_licence():
    (model,) = qlorakit_models()
    assert "CC BY 4.0" in model.licence
