import re
import shutil
import time
from pathlib import Path

from qlorakit.bitsandbytes_offline import bitsandbytes as bnb

import pytest
import torch
from engine import load
from helpers import build_model, build_tokenizer
from safetensors.torch import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

import qlorakit as qk
from qlorakit import quantization
from qlorakit.encoding import DEFAULT_CHAT_TEMPLATE, Encoder
from qlorakit.errors import ConfigurationError, ModelError, QlorakitError
from qlorakit.plugins import Plugins
from qlorakit.quantization import keep_unpacked, quantization_record, resolve_model
from qlorakit.task import BaseModel, Example, Message, Part

SENTENCE = torch.tensor([[1, 40, 50, 60, 70]])


def four_bit_layers(model):
    return {name: module for name, module in model.named_modules() if isinstance(module, bnb.nn.Linear4bit)}


def small_tokenizer(special, texts=("up down flat rose fell was sales",), **roles):
    """A tokenizer with exactly these control tokens, in these roles."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=[AddedToken(name, special=True, normalized=False) for name in special],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=128, **roles)


def saved(folder, tokenizer, *, stops=None, **changes):
    """Save a model for this tokenizer."""
    end = tokenizer.eos_token_id
    model = build_model(len(tokenizer), **{"bos_token_id": None, "pad_token_id": None, "eos_token_id": end, **changes})
    model.generation_config.eos_token_id = stops or end
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize("kind", ["nf4", "fp4", "int8", "none"])
def test_every_quantization_loads_and_answers(base_folder, kind):
    model, _ = load(base_folder, quantization=kind)
    assert model(input_ids=SENTENCE).logits.isfinite().all()
    assert quantization_record(model)["quantization"] == kind


@pytest.mark.parametrize("kind", ["nf4", "fp4", "int8"])
def test_quantized_answers_are_near_those_of_the_whole_weights(base_folder, kind):
    whole = load(base_folder, quantization="none")[0](input_ids=SENTENCE).logits.flatten()
    quantized = load(base_folder, quantization=kind)[0](input_ids=SENTENCE).logits.flatten()
    assert not torch.equal(whole, quantized)
    assert torch.corrcoef(torch.stack([whole, quantized]))[0, 1] > 0.8


def test_double_quantization_is_on_unless_switched_off(base_folder):
    on, off = load(base_folder)[0], load(base_folder, double_quantization=False)[0]
    assert all(layer.weight.quant_state.nested for layer in four_bit_layers(on).values())
    assert not any(layer.weight.quant_state.nested for layer in four_bit_layers(off).values())


def test_every_linear_layer_but_the_output_head_is_in_four_bits(base_folder):
    model, _ = load(base_folder)
    assert len(four_bit_layers(model)) == 14
    assert all(layer.weight.dtype == torch.uint8 for layer in four_bit_layers(model).values())
    assert "lm_head" not in four_bit_layers(model)


@pytest.mark.parametrize("tied", [True, False])
def test_nothing_is_kept_in_a_wider_type_than_the_compute_type(tmp_path, tied):
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    build_model(len(tokenizer), tie_word_embeddings=tied).save_pretrained(tmp_path)
    model, _ = load(tmp_path, compute_dtype="bfloat16")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.uint8, torch.bfloat16}
    assert model.lm_head.weight.dtype == model.get_input_embeddings().weight.dtype == torch.bfloat16


def test_the_model_comes_frozen_and_in_evaluation_mode(base_folder):
    model, _ = load(base_folder)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_the_packed_cpu_path_is_off_on_every_layer(base_folder):
    layers = four_bit_layers(load(base_folder)[0])
    assert layers
    assert not any(layer.support_avx512bf16_for_cpu for layer in layers.values())


def test_a_packed_layer_is_refused_by_name(base_folder):
    model, _ = load(base_folder)
    model.model.layers[1].mlp.up_proj.weight.quant_state.packing_format_for_cpu = True
    with pytest.raises(ModelError, match=r"layers\.1\.mlp\.up_proj was repacked"):
        keep_unpacked(model)


@pytest.mark.skipif(not bnb.functional.has_avx512bf16(), reason="this processor has no packed path")
def test_a_model_that_bitsandbytes_really_packed_is_refused(base_folder):
    model, _ = load(base_folder)
    for layer in four_bit_layers(model).values():
        layer.support_avx512bf16_for_cpu = True
    with torch.no_grad():
        model(input_ids=SENTENCE)
    with pytest.raises(ModelError, match="repacked"):
        qk.attach_lora(model)


def test_a_safe_padding_token_is_kept(base_folder):
    assert load(base_folder)[1].pad_token == "<|pad|>"  # noqa: S105  # no password


@pytest.mark.parametrize(
    ("special", "roles", "expected"),
    [
        (["<|pad|>", "<|end|>"], {"eos_token": "<|end|>", "pad_token": "<|end|>"}, "<|pad|>"),
        (["<|end|>", "<|reserved_7|>"], {"eos_token": "<|end|>"}, "<|reserved_7|>"),
        (["<unk>", "<s>", "</s>"], {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}, "<unk>"),
        (["<unk>", "</s>"], {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "</s>"}, "<unk>"),
    ],
)
def test_padding_is_an_existing_token_that_ends_nothing(tmp_path, special, roles, expected):
    given = small_tokenizer(special, **roles)
    model, tokenizer = load(saved(tmp_path, given))
    assert tokenizer.pad_token == expected
    assert tokenizer.pad_token_id != tokenizer.eos_token_id
    assert len(tokenizer) == len(given) == model.get_input_embeddings().weight.shape[0]
    assert model.config.pad_token_id == model.generation_config.pad_token_id == tokenizer.pad_token_id


def test_padding_is_none_of_the_tokens_at_which_generation_stops(tmp_path):
    given = small_tokenizer(["<|pad|>", "<|end|>", "<|unused|>"], eos_token="<|end|>", pad_token="<|pad|>")
    model, tokenizer = load(saved(tmp_path, given, stops=[0, 1]))
    assert tokenizer.pad_token_id not in model.generation_config.eos_token_id
    assert tokenizer.pad_token == "<|unused|>"  # noqa: S105


@pytest.fixture
def ends_only(tmp_path):
    """A base whose tokenizer has one control token for everything, as GPT-2 has."""
    given = small_tokenizer(["<|end|>"], texts=["banana"] * 9, bos_token="<|end|>", eos_token="<|end|>")
    return saved(tmp_path / "ends-only", given)


def test_where_every_control_token_ends_something_padding_is_an_ordinary_token(ends_only):
    model, tokenizer = load(ends_only)
    assert tokenizer.pad_token_id not in {None, tokenizer.eos_token_id}
    assert len(tokenizer) == model.get_input_embeddings().weight.shape[0]


def test_a_word_that_serves_as_padding_is_still_read_and_written_as_a_word(ends_only):
    _, tokenizer = load(ends_only)
    assert tokenizer.pad_token == "banana"  # noqa: S105  # no password
    example = Example((Message("user", (Part("say banana now"),)),), target="banana split")
    encoded = Encoder(tokenizer, max_length=128).encode(example)
    assert encoded.neutralised == 0
    assert tokenizer.decode(encoded.target, skip_special_tokens=True) == "banana split"


def test_a_tokenizer_without_a_template_gets_the_librarys(tmp_path):
    given = build_tokenizer(chat_template=None)
    _, tokenizer = load(saved(tmp_path, given))
    assert tokenizer.chat_template == DEFAULT_CHAT_TEMPLATE


def test_a_template_of_its_own_is_kept(base_folder):
    assert "<|user|>" not in DEFAULT_CHAT_TEMPLATE
    assert "add_generation_prompt" in load(base_folder)[1].chat_template
    assert load(base_folder)[1].chat_template != DEFAULT_CHAT_TEMPLATE


def test_a_tokenizer_with_more_entries_than_the_model_has_embeddings_is_refused(tmp_path):
    tokenizer = build_tokenizer()
    build_model(len(tokenizer) - 1).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="embeddings"):
        load(tmp_path)


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    build_model(100).save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="tokenizer"):
        load(tmp_path)


def test_a_plugins_model_is_found_by_its_name(base_folder):
    plugins = Plugins(models={"house/base": BaseModel("house/base", base_folder, "A base.", "MIT")})
    assert resolve_model("house/base", plugins=plugins).folder == base_folder


def test_a_local_folder_comes_before_a_plugins_model(base_folder, tmp_path, monkeypatch):
    plugins = Plugins(models={"house/base": BaseModel("house/base", base_folder, "A base.", "MIT")})
    (tmp_path / "house" / "base").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert resolve_model("house/base", plugins=plugins).folder == Path("house/base")


def test_a_plugins_model_comes_before_the_hub(base_folder, monkeypatch):
    monkeypatch.setattr(quantization, "snapshot_download", lambda *_, **__: pytest.fail("asked the Hub"))
    plugins = Plugins(models={"house/base": BaseModel("house/base", base_folder, "A base.", "MIT")})
    assert resolve_model("house/base", plugins=plugins).revision is None


def test_the_revision_is_passed_on_to_the_hub_and_its_commit_recorded(base_folder, tmp_path, monkeypatch):
    asked = {}
    commit = Path(shutil.copytree(base_folder, tmp_path / "0123abcd"))

    def download(name, **settings):
        asked.update(settings, name=name)
        return str(commit)

    monkeypatch.setattr(quantization, "snapshot_download", download)
    model, _ = load("house/base", revision="v2")
    assert (asked["name"], asked["revision"]) == ("house/base", "v2")
    assert not any("bin" in pattern or "py" in pattern for pattern in asked["allow_patterns"])
    assert model.config._commit_hash == "0123abcd"


def test_an_unknown_name_says_at_once_what_was_tried_and_what_is_installed(base_folder):
    plugins = Plugins(
        models={"house/base": BaseModel("house/base", base_folder, "A base.", "MIT")},
        origin={"house/base": "house 1.0"},
    )
    began = time.monotonic()
    with pytest.raises(ModelError) as caught:
        resolve_model("house/bass", plugins=plugins)
    assert time.monotonic() - began < 3
    for part in ("'house/bass'", "local folder", "plugins", "Hub", "Did you mean 'house/base'?", "house 1.0"):
        assert part in str(caught.value)


def test_pickled_weights_are_refused(own_base):
    torch.save(load_file(own_base / "model.safetensors"), own_base / "pytorch_model.bin")
    (own_base / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"pickled weights \(pytorch_model\.bin\).*run code"):
        load(own_base)


def test_a_folder_without_weights_is_refused(own_base):
    (own_base / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no safetensors weights: none"):
        load(own_base)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda _: b"garbage" * 100, lambda _: b""])
def test_damaged_weights_are_refused_by_the_name_of_their_file(own_base, damage):
    weights = own_base / "model.safetensors"
    weights.write_bytes(damage(weights.read_bytes()))
    with pytest.raises(ModelError, match=r"model\.safetensors is damaged"):
        load(own_base)


@pytest.mark.parametrize("layer", ["model.layers.1.mlp.up_proj", "model.norm"])
def test_weights_in_which_a_layer_is_missing_are_refused(own_base, layer):
    tensors = load_file(own_base / "model.safetensors")
    del tensors[f"{layer}.weight"]
    save_file(tensors, own_base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=re.escape(layer)):
        load(own_base)


def test_a_damaged_configuration_is_refused(own_base):
    (own_base / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"is damaged|cannot be loaded"):
        load(own_base)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"quantization": "nf5"}, r"quantization='nf5' is not one of 'nf4'.*Did you mean 'nf4'"),
        ({"compute_dtype": "float8"}, r"compute_dtype='float8' is not one of 'float32'"),
        ({"compute_dtype": torch.int8}, r"compute_dtype=torch\.int8 is not one of"),
        ({"compute_dtype": "float16", "device": "cpu"}, "needs a GPU"),
        ({"device": "gpu0"}, "device='gpu0' is not a device"),
        ({"device": "cuda:63"}, "device='cuda:63': this machine has"),
    ],
)
def test_a_wrong_setting_is_refused_with_what_is_allowed(base_folder, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        load(base_folder, **settings)


def test_the_model_goes_by_the_name_that_was_given(base_folder, monkeypatch):
    monkeypatch.chdir(base_folder.parent)
    model, _ = load(base_folder.name)
    assert model.config._name_or_path == model.name_or_path == base_folder.name


def test_loading_raises_only_errors_of_this_library(own_base):
    (own_base / "tokenizer.json").write_text("[]", encoding="utf-8")
    with pytest.raises(QlorakitError, match="tokenizer"):
        load(own_base)


def test_a_path_that_is_not_there_is_never_asked_of_the_hub(tmp_path):
    with pytest.raises(ModelError, match="there is no such folder"):
        resolve_model(str(tmp_path / "missing"))


@pytest.mark.parametrize(("kind", "advice"), [("nf4", "smaller model, or"), ("none", "quantization='nf4'")])
def test_weights_that_cannot_fit_are_refused_before_they_are_read(base_folder, monkeypatch, kind, advice):
    monkeypatch.setattr(quantization, "free_bytes", lambda device: 1000)
    with pytest.raises(ModelError, match=rf"take at least .* GiB, and 0\.00 GiB are free in memory.*{advice}"):
        load(base_folder, quantization=kind)
