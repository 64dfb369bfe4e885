import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
from engine import attach, equal, evaluate, load, lora_weights, train
from helpers import CHAT_TEMPLATE, build_tokenizer
from safetensors.torch import load_file, save_file

import qlorakit as qk
from qlorakit.adapters import base_record, save_adapter, seal_adapter, verify_adapter
from qlorakit.errors import AdapterError, ConfigurationError, ModelError, QlorakitError
from qlorakit.lora_settings import linear_layers
from qlorakit.records import damage_of, file_hash, write_json, write_sealed

SENTENCE = torch.tensor([[1, 40, 50, 60, 70]])


@pytest.fixture(scope="module")
def trained(base_folder, rows, task, tmp_path_factory):
    """A finished run on a base of its own, both to be copied before they are spoiled."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(base_folder, folder / "base")
    train(folder / "base", rows, task, folder / "run", num_train_epochs=2)
    return folder


@pytest.fixture
def spoilable(trained, tmp_path):
    """A copy of the run and of its base, which the manifest knows by the name of the original."""
    return Path(shutil.copytree(trained, tmp_path / "copy"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"r": 0}, "r=0: the rank must be at least 1"),
        ({"r": -4}, "r=-4"),
        ({"alpha": -1.0}, "alpha=-1.0: must be a positive number"),
        ({"alpha": 0}, "alpha=0"),
        ({"alpha": float("nan")}, "alpha=nan"),
        ({"alpha": float("inf")}, "alpha=inf"),
        ({"dropout": 1.0}, "dropout=1.0: must be at least 0 and below 1"),
        ({"dropout": -0.1}, "dropout=-0.1"),
        ({"dropout": float("nan")}, "dropout=nan"),
        ({"use_rs_lora": True}, "use_rs_lora.*Did you mean 'use_rslora'"),
        ({"lora_alpha": 16}, "lora_alpha"),
        ({"r": "8"}, "r='8'"),
        ({"r": 2.5}, r"r=2\.5"),
        ({"bias": "sometimes"}, "bias"),
    ],
)
def test_a_setting_out_of_range_is_refused(base_folder, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        qk.attach_lora(load(base_folder)[0], **settings)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("pissa", "moves part of the base's weights"),
        ("pissa_niter_4", "moves part of the base's weights"),
        ("olora", "moves part of the base's weights"),
        ("corda", "moves part of the base's weights"),
        ("loftq", "rewrites the base's weights"),
        ("mica", "decomposes the base's weights"),
        ("orthogonal", "fails on quantized weights"),
        ("eva", "needs statistics"),
        ("lora_ga", "needs statistics"),
        ("newest", "not known to work"),
        (False, "would change every answer before the first step"),
    ],
)
def test_an_initialisation_that_cannot_work_is_refused_with_its_reason(base_folder, kind, reason):
    with pytest.raises(ConfigurationError, match=f"init_lora_weights={kind!r} is refused: .*{reason}"):
        qk.attach_lora(load(base_folder)[0], init_lora_weights=kind)


@pytest.mark.parametrize(
    "lora",
    [
        {"use_rslora": True},
        {"use_dora": True},
        {"use_rslora": True, "use_dora": True},
        {"init_lora_weights": "gaussian"},
    ],
)
def test_the_other_kinds_of_lora_learn_and_come_back_from_disk(base_folder, rows, task, tmp_path, lora):
    model, _, result = train(base_folder, rows, task, tmp_path / "run", lora=lora, num_train_epochs=4, logging_steps=1)
    losses = [record["loss"] for record in result.history if "loss" in record]
    assert losses[-1] < losses[0]
    assert result.verified_rows == 16
    back, _ = qk.load_adapter(tmp_path / "run")
    model.eval()
    assert torch.equal(back(input_ids=SENTENCE).logits, model(input_ids=SENTENCE).logits)


def test_the_adapter_alone_is_trainable(adapted):
    model, _ = adapted
    assert {"lora_A" in n or "lora_B" in n for n, p in model.named_parameters() if p.requires_grad} == {True}


def test_all_linear_means_all_but_the_output_head(adapted):
    model, _ = adapted
    attached = {name.rpartition(".lora_A")[0] for name, _ in model.named_parameters() if ".lora_A." in name}
    assert len(attached) == 14
    assert not any("lm_head" in name for name in attached)


def test_alpha_is_twice_the_rank_unless_given(base_folder):
    assert attach(base_folder, r=4)[0].peft_config["default"].lora_alpha == 8
    assert attach(base_folder, r=4, alpha=3)[0].peft_config["default"].lora_alpha == 3


@pytest.mark.parametrize("targets", [["q_prj"], "q_prj", ["q_proj", "q_prj"], []])
def test_a_target_that_matches_nothing_lists_the_linear_layers(base_folder, targets):
    with pytest.raises(ConfigurationError, match=r"The model's linear layers are: down_proj, .*, v_proj$") as caught:
        qk.attach_lora(load(base_folder)[0], target_modules=targets)
    assert not targets or "'q_prj' matches no linear layer. Did you mean 'q_proj'?" in str(caught.value)


@pytest.mark.parametrize("targets", [["q_proj", "v_proj"], r".*\.(q|v)_proj"])
def test_targets_are_name_endings_or_a_regular_expression(base_folder, targets):
    model = qk.attach_lora(load(base_folder)[0], target_modules=targets)
    names = {name.split(".")[-4] for name in lora_weights(model)}
    assert names <= {"q_proj", "v_proj", "self_attn"}
    assert len(lora_weights(model)) == 8


@pytest.mark.parametrize("targets", ["(", ".*"])
def test_a_regular_expression_that_cannot_be_used_is_a_wrong_setting(base_folder, targets):
    with pytest.raises(ConfigurationError):
        qk.attach_lora(load(base_folder)[0], target_modules=targets)


def test_the_linear_layers_of_a_quantized_model_are_found_without_the_head(base_folder):
    names = linear_layers(load(base_folder)[0])
    assert len(names) == 14
    assert "lm_head" not in names


def test_the_same_seed_starts_bit_for_bit_the_same_and_another_one_otherwise(base_folder):
    first, again, other = (lora_weights(attach(base_folder, seed=seed)[0]) for seed in (3, 3, 4))
    assert equal(first, again)
    assert not equal(first, other)


def test_attaching_leaves_the_global_random_state_alone(base_folder):
    model, _ = load(base_folder)
    torch.manual_seed(11)
    expected = torch.rand(4)
    torch.manual_seed(11)
    qk.attach_lora(model, seed=5)
    assert torch.equal(torch.rand(4), expected)


def test_a_second_adapter_is_refused(adapted):
    with pytest.raises(ModelError, match="has an adapter already"):
        qk.attach_lora(adapted[0])


def test_a_second_adapter_on_the_same_base_object_is_refused(base_folder):
    model, _ = load(base_folder)
    qk.attach_lora(model)
    with pytest.raises(ModelError, match="has an adapter already"):
        qk.attach_lora(model)


@pytest.mark.parametrize("lora", [{}, {"use_dora": True}, {"init_lora_weights": "gaussian"}])
def test_a_fresh_adapter_answers_as_the_base(base_folder, lora):
    base, _ = load(base_folder)
    with torch.no_grad():
        expected = base(input_ids=SENTENCE).logits
        found = qk.attach_lora(base, **lora).eval()(input_ids=SENTENCE).logits
    torch.testing.assert_close(found, expected, atol=1e-6 if lora.get("use_dora") else 0, rtol=0)


def test_a_loaded_adapter_has_the_very_weights_and_answers_of_the_trained_one(base_folder, rows, task, tmp_path):
    model, tokenizer, _ = train(base_folder, rows, task, tmp_path / "run")
    back, its_tokenizer = qk.load_adapter(tmp_path / "run")
    assert equal(lora_weights(back), lora_weights(model))
    assert not back.training
    before, after = (
        evaluate(one, words, rows, task).predictions for one, words in ((model, tokenizer), (back, its_tokenizer))
    )
    assert before == after


def test_the_folder_of_the_run_and_of_the_adapter_lead_to_the_same(trained):
    first, second = (qk.load_adapter(trained / where)[0] for where in ("run", "run/adapter"))
    assert equal(lora_weights(first), lora_weights(second))


def test_a_loaded_adapter_has_the_quantization_and_type_of_its_training(rows, task, base_folder, tmp_path):
    model, tokenizer = load(base_folder, quantization="fp4", double_quantization=False, compute_dtype="bfloat16")
    model = qk.attach_lora(model, r=4)
    qk.train(model, tokenizer, rows, task=task, output_dir=tmp_path, max_steps=1, progress=False)
    layer = qk.load_adapter(tmp_path)[0].base_model.model.model.layers[0].mlp.up_proj
    assert layer.weight.quant_state.quant_type == "fp4"
    assert not layer.weight.quant_state.nested
    assert layer.base_layer.compute_dtype == torch.bfloat16


def edit_json(path, **changes):
    write = write_sealed if path.name == "manifest.json" else write_json
    write(path, {**json.loads(path.read_text()), **changes})


def change_base_weights(folder):
    tensors = load_file(folder / "base" / "model.safetensors")
    tensors["model.norm.weight"] *= 1.01
    save_file(tensors, folder / "base" / "model.safetensors", metadata={"format": "pt"})


def change_base_config(folder):
    edit_json(folder / "base" / "config.json", rms_norm_eps=0.1)


def change_base_tokenizer(folder):
    path = folder / "base" / "tokenizer.json"
    content = json.loads(path.read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    path.write_text(json.dumps(content))


def truncate(name):
    def cut(folder):
        path = folder / "run" / "adapter" / name
        path.write_bytes(path.read_bytes()[:-10])

    return cut


def remove(name):
    return lambda folder: (folder / "run" / "adapter" / name).unlink()


def change_manifest(**changes):
    return lambda folder: edit_json(folder / "run" / "adapter" / "manifest.json", **changes)


def write_manifest(text):
    return lambda folder: (folder / "run" / "adapter" / "manifest.json").write_text(text)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (change_base_weights, r"base .* is not the one .* differs in model\.safetensors.*base="),
        (change_base_config, r"base .* is not the one .*config"),
        (change_base_tokenizer, "the tokenizer of base .* is not the one"),
        (truncate("adapter_model.safetensors"), r"adapter_model\.safetensors was changed or damaged.*adapter"),
        (truncate("chat_template.jinja"), "was changed or damaged.*chat template"),
        (truncate("tokenizer.json"), "was changed or damaged.*tokenizer"),
        (truncate("adapter_config.json"), r"adapter_config\.json was changed or damaged"),
        (truncate("run.json"), r"run\.json was changed or damaged"),
        (remove("adapter_model.safetensors"), r"adapter_model\.safetensors is missing"),
        (remove("manifest.json"), r"holds no adapter .*manifest\.json is missing.*checkpoints of a run that did not"),
        (change_manifest(format=2), r"manifest\.json has format 2; this version reads 1"),
        (change_manifest(template="0" * 64), "the chat template is not the one"),
        (write_manifest("{"), r"manifest\.json is damaged"),
        (write_manifest("[]"), r"manifest\.json"),
        (write_manifest('{"format": 1}'), r"manifest\.json is damaged"),
    ],
)
def test_an_adapter_that_no_longer_fits_is_refused_with_what_is_wrong(spoilable, spoil, message):
    spoil(spoilable)
    with pytest.raises(AdapterError, match=message):
        qk.load_adapter(spoilable / "run", base=spoilable / "base")


def test_a_folder_that_is_no_adapter_is_refused(tmp_path):
    with pytest.raises(AdapterError, match="holds no adapter saved by this library"):
        qk.load_adapter(tmp_path / "nowhere")


def test_a_base_that_moved_is_found_where_it_is_said_to_be(spoilable):
    assert qk.load_adapter(spoilable / "run", base=spoilable / "base")[0].peft_config


def test_a_base_that_moved_is_an_error_that_says_how_to_give_its_place(spoilable):
    path = spoilable / "run" / "adapter" / "manifest.json"
    manifest = json.loads(path.read_text())
    edit_json(path, base={**manifest["base"], "name": "gone/base"})
    with pytest.raises(ModelError, match="base="):
        qk.load_adapter(spoilable / "run")


def test_an_adapter_that_holds_nan_is_not_saved(adapted, tmp_path):
    model, tokenizer = adapted
    next(p for p in model.parameters() if p.requires_grad).data[0, 0] = float("nan")
    with pytest.raises(AdapterError, match="1 of its tensors hold NaN"):
        save_adapter(model, tokenizer, tmp_path / "adapter")
    assert not (tmp_path / "adapter").exists()


@pytest.mark.parametrize("spoilt", [False, True])
def test_verification_tells_an_equal_adapter_from_a_slightly_different_one(adapted, tmp_path, spoilt):
    model, tokenizer = adapted
    model.eval()
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    save_adapter(model, tokenizer, tmp_path)
    tensors = load_file(tmp_path / "adapter_model.safetensors")
    if spoilt:
        tensors["base_model.model.model.layers.0.mlp.up_proj.lora_B.weight"][0, 0] += 1e-2
    save_file(tensors, tmp_path / "adapter_model.safetensors", metadata={"format": "pt"})

    def ask():
        return model(input_ids=SENTENCE).logits.tolist()

    assert verify_adapter(model, tmp_path, ask) is not spoilt


def test_verification_leaves_the_adapter_trainable_and_alone(adapted, tmp_path):
    model, tokenizer = adapted
    before, trainable = lora_weights(model), [n for n, p in model.named_parameters() if p.requires_grad]
    save_adapter(model, tokenizer, tmp_path)
    verify_adapter(model, tmp_path, lambda: 0)
    assert list(model.peft_config) == ["default"]
    assert [n for n, p in model.named_parameters() if p.requires_grad] == trainable
    assert equal(lora_weights(model), before)


def test_what_is_saved_names_no_folder_of_this_machine(base_folder, rows, task, tmp_path, monkeypatch):
    monkeypatch.chdir(base_folder.parent)
    train(base_folder.name, rows, task, tmp_path / "run", eval_dataset=rows)
    for path in (tmp_path / "run" / "adapter").glob("*.json"):
        text = path.read_text()
        assert str(tmp_path) not in text, path.name
        assert str(base_folder.parent) not in text, path.name
        assert str(Path.home()) + "/" not in text, path.name


def test_a_manifest_for_a_model_without_files_says_that_it_knows_no_base(base_folder, tmp_path, monkeypatch, caplog):
    model, tokenizer = attach(base_folder)
    model.get_base_model().config._name_or_path = ""
    monkeypatch.chdir(base_folder)  # whose weights have nothing to do with the model
    save_adapter(model, tokenizer, tmp_path)
    with caplog.at_level(logging.WARNING, logger="qlorakit"):
        seal_adapter(tmp_path, tokenizer, task_name="toy", base=base_record(model), run_record={})
    assert json.loads((tmp_path / "manifest.json").read_text())["base"]["files"] == {}
    assert "manifest cannot recognise it" in caplog.text


def test_loading_raises_only_errors_of_this_library(spoilable):
    adapter = spoilable / "run" / "adapter"
    edit_json(adapter / "manifest.json", base=None)
    with pytest.raises(QlorakitError):
        qk.load_adapter(adapter)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"bias": "all"}, "bias='all' is refused: it changes the base"),
        ({"layer_replication": [(0, 2)]}, "attach_lora takes no layer_replication"),
        ({"target_parameters": ["x"]}, "attach_lora takes no target_parameters"),
        ({"lora_alpha": 3}, "lora_alpha=3: say alpha="),
        ({"lora_dropout": 0.1}, "lora_dropout=0.1: say dropout="),
        ({"alpha": "8"}, "alpha='8'"),
        ({"dropout": "a"}, "dropout='a'"),
        ({"seed": "x"}, "seed='x'"),
    ],
)
def test_settings_that_would_break_the_comparison_with_the_base_are_refused(base_folder, setting, message):
    with pytest.raises(ConfigurationError, match=message):
        qk.attach_lora(load(base_folder)[0], **setting)


def test_a_tokenizer_with_several_templates_brings_the_one_for_plain_conversations(own_base, rows, task, tmp_path):
    templates = {"default": CHAT_TEMPLATE, "tool_use": "{{ 'tools' }}"}
    tokenizer = build_tokenizer()
    tokenizer.chat_template = templates
    tokenizer.save_pretrained(own_base)
    _, trained, _ = train(own_base, rows, task, tmp_path / "run", num_train_epochs=1)
    assert trained.chat_template == CHAT_TEMPLATE
    assert qk.load_adapter(tmp_path / "run")[1].chat_template == CHAT_TEMPLATE


@pytest.mark.parametrize("name", ["", "..", "../secret", "/etc/passwd", "sub/file", "..\\secret", "C:secret", "a\0b"])
def test_a_manifest_cannot_name_files_outside_its_folder(tmp_path, name):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "secret").write_text("x")
    ((where, what),) = damage_of(tmp_path / "adapter", {name: file_hash(tmp_path / "secret")})
    assert (where, "no name of a file in it" in what) == (tmp_path / "adapter", True)


def test_a_link_is_no_file_of_a_sealed_folder(tmp_path):
    (tmp_path / "adapter").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "adapter" / "file").symlink_to(tmp_path / "secret")
    ((_, what),) = damage_of(tmp_path / "adapter", {"file": file_hash(tmp_path / "secret")})
    assert what == "is a link, which is not followed"
