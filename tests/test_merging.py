import errno
import json
import math
import os
import shutil
from pathlib import Path

import pytest
import torch
from architectures import COMMON, WORKING
from engine import echo_task, equal, evaluate, load, run_python, snapshot, train
from helpers import CHAT_TEMPLATE, build_model, build_tokenizer
from safetensors import safe_open
from transformers import AutoConfig, AutoModelForCausalLM

import qlorakit as qk
from qlorakit import merging
from qlorakit.adapters import adapter_record, weights_hash
from qlorakit.agreement import MOST_QUESTIONS, SAMPLE, Said, Sample, agreement, spread
from qlorakit.errors import AdapterError, ConfigurationError, EvidenceError, ModelError, OutputError
from qlorakit.records import damage_of, file_hash

SENTENCE = torch.tensor([[1, 40, 50, 60, 70]])
EXACT = 1e-4


@pytest.fixture(scope="module")
def trained(base_folder, rows, task, tmp_path_factory):
    """A model after training, and the folder of its run."""
    folder = tmp_path_factory.mktemp("trained")
    model, tokenizer, _ = train(base_folder, rows, task, folder / "run", eval_dataset=rows)
    return model, tokenizer, folder / "run"


@pytest.fixture(scope="module")
def merged(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("merged") / "model"
    return qk.merge(trained[0], folder, progress=False)


def nudged(base, *, lora=None, **settings):
    """A model whose adapter says something, without training."""
    model, tokenizer = load(base, **settings)
    model = qk.attach_lora(model, **{"r": 4, **(lora or {})})
    chance = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.requires_grad and "lora_A" not in name:
                parameter.add_(0.05 * torch.randn(parameter.shape, generator=chance))
    return model.eval(), tokenizer


def logits(model):
    with torch.no_grad():
        return model(input_ids=SENTENCE).logits.float()


def everything(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def names(folder):
    with safe_open(folder / "model.safetensors", "pt") as file:
        return set(file.keys())


# What is saved


def test_a_merged_model_answers_as_the_adapter_does(trained, merged):
    back, _ = load(merged.folder, quantization="none")
    torch.testing.assert_close(logits(back), logits(trained[0]), atol=EXACT, rtol=0)
    assert 0 < merged.agreement.shift <= merged.agreement.largest < EXACT
    assert (merged.agreement.agreeing, merged.agreement.predictions, merged.questions) == (18, 18, 18)


def test_a_merged_model_shows_no_trace_of_quantization_and_adapter(base_folder, merged):
    assert names(merged.folder) == names(base_folder)
    config = json.loads((merged.folder / "config.json").read_text())
    assert config == json.loads((base_folder / "config.json").read_text())
    assert not [path.name for path in merged.folder.iterdir() if "adapter" in path.name]


def test_transformers_alone_loads_a_merged_model(trained, merged, tmp_path):
    code = """
import sys
for name in ("qlorakit", "peft", "bitsandbytes"):
    sys.modules[name] = None
import torch, transformers
model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1])
tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1])
ids = tokenizer.apply_chat_template([{"role": "user", "content": "sales rose"}], return_tensors="pt")["input_ids"]
with torch.no_grad():
    torch.save({"logits": model(input_ids=ids).logits, "ids": ids}, sys.argv[2])
"""
    result = run_python(code, merged.folder, tmp_path / "logits.pt", HF_HUB_OFFLINE="1")
    assert result.returncode == 0, result.stderr
    found = torch.load(tmp_path / "logits.pt", weights_only=True)
    with torch.no_grad():
        expected = trained[0](input_ids=found["ids"]).logits
    torch.testing.assert_close(found["logits"], expected, atol=EXACT, rtol=0)


def test_an_evaluation_of_the_merged_model_is_that_of_the_adapter(trained, merged, rows, task):
    model, tokenizer, _ = trained
    adapter = evaluate(model, tokenizer, rows, task)
    plain = evaluate(*load(merged.folder, quantization="none"), rows, task)
    for one, other in zip(adapter.predictions, plain.predictions, strict=True):
        assert one["tuned"]["value"] == other["base"]["value"]


def test_the_model_that_is_merged_stays_as_it_is(base_folder, rows, task, tmp_path):
    model, tokenizer = nudged(base_folder, lora={"use_dora": True, "modules_to_save": ["lm_head"]})
    model.train()
    before, random_state = everything(model), torch.get_rng_state()
    qk.merge(model, tmp_path / "m", task=task, eval_dataset=rows, tokenizer=tokenizer, progress=False)
    assert equal(everything(model), before)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert model.training
    assert model.config.quantization_config


def test_tokenizer_template_and_generation_settings_come_along(own_base, rows, task, tmp_path):
    path = own_base / "generation_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "do_sample": False, "temperature": 0.6}))
    model, tokenizer = nudged(own_base)
    qk.merge(model, tmp_path / "m", task=task, eval_dataset=rows, tokenizer=tokenizer, progress=False)
    assert json.loads((tmp_path / "m" / "generation_config.json").read_text())["temperature"] == 0.6
    back, its_tokenizer = load(tmp_path / "m", quantization="none")
    assert back.generation_config.eos_token_id == model.generation_config.eos_token_id
    assert its_tokenizer.chat_template == CHAT_TEMPLATE
    assert its_tokenizer.get_vocab() == tokenizer.get_vocab()


# Kinds of adapters, bases and architectures


@pytest.mark.parametrize(
    "lora",
    [
        {"use_rslora": True},
        {"use_dora": True},
        {"use_dora": True, "use_rslora": True},
        {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"v_proj": 32}},
        {"target_modules": ["q_proj"], "layers_to_transform": [1]},
        {"modules_to_save": ["lm_head"]},
        {"modules_to_save": ["embed_tokens"]},
        {"modules_to_save": ["embed_tokens"], "ensure_weight_tying": True},
        {"modules_to_save": ["input_layernorm"], "dropout": 0.5},
    ],
)
def test_every_kind_of_adapter_merges(base_folder, rows, task, tmp_path, lora):
    model, tokenizer = nudged(base_folder, lora=lora)
    result = qk.merge(model, tmp_path / "m", task=task, eval_dataset=rows, tokenizer=tokenizer, progress=False)
    assert result.agreement.largest < EXACT
    back, _ = load(tmp_path / "m", quantization="none")
    torch.testing.assert_close(logits(back), logits(model), atol=EXACT, rtol=0)


@pytest.mark.parametrize("quantization", ["fp4", "none"])
def test_a_base_of_other_quantization_merges(base_folder, rows, task, tmp_path, quantization):
    model, tokenizer = nudged(base_folder, quantization=quantization, lora={"use_dora": True})
    result = qk.merge(model, tmp_path / "m", task=task, eval_dataset=rows, tokenizer=tokenizer, progress=False)
    assert result.agreement.largest < EXACT


def test_an_int8_base_rounds_its_inputs_as_well_which_is_measured(base_folder, rows, task, tmp_path):
    model, tokenizer = nudged(base_folder, quantization="int8")
    settings = {"task": task, "eval_dataset": rows, "tokenizer": tokenizer, "progress": False}
    with pytest.raises(EvidenceError, match="answers otherwise"):
        qk.merge(model, tmp_path / "m", tolerance=1e-5, **settings)
    assert qk.merge(model, tmp_path / "m", tolerance=1, **settings).agreement.largest > 1e-3


def built(name, folder):
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(folder)
    config = AutoConfig.for_model(name, **{**COMMON, **WORKING[name], "vocab_size": len(tokenizer)})
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", ["gpt2", "gemma3_text", "qwen3_moe", "deepseek_v3"])
def test_other_architectures_merge(name, rows, task, tmp_path):
    model, tokenizer = nudged(built(name, tmp_path / "base"))
    result = qk.merge(model, tmp_path / "m", task=task, eval_dataset=rows, tokenizer=tokenizer, progress=False)
    assert result.agreement.largest < EXACT
    assert names(tmp_path / "m") == names(tmp_path / "base")


@pytest.mark.parametrize("name", ["gpt2", "qwen3_moe"])
def test_the_original_of_a_base_that_is_not_quantized_is_the_base(name, rows, task, tmp_path):
    model, tokenizer = nudged(
        built(name, tmp_path / "base"), quantization="none", lora={"modules_to_save": ["lm_head"]}
    )
    settings = {"into": "original", "accept_disagreement": True, "tokenizer": tokenizer, "progress": False}
    result = qk.merge(model, tmp_path / "m", task=task, eval_dataset=rows, **settings)
    assert result.agreement.largest < EXACT


def test_untied_embeddings_stay_untied(rows, task, tmp_path):
    tokenizer = build_tokenizer()
    tokenizer.save_pretrained(tmp_path / "base")
    build_model(len(tokenizer), tie_word_embeddings=False).save_pretrained(tmp_path / "base")
    model, tokenizer = nudged(tmp_path / "base")
    qk.merge(model, tmp_path / "m", task=task, eval_dataset=rows, tokenizer=tokenizer, progress=False)
    assert "lm_head.weight" in names(tmp_path / "m")


def test_the_type_is_the_one_that_the_model_computes_in(base_folder, rows, task, tmp_path):
    model, tokenizer = nudged(base_folder, compute_dtype="bfloat16")
    settings = {"task": task, "eval_dataset": rows, "tokenizer": tokenizer, "tolerance": 1, "progress": False}
    assert qk.merge(model, tmp_path / "m", **settings).dtype == "bfloat16"
    assert json.loads((tmp_path / "m" / "config.json").read_text())["dtype"] == "bfloat16"
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "m").dtype == torch.bfloat16


# What it is compared on


def test_after_training_the_rows_it_measured_on_are_remembered(trained, merged):
    record = json.loads((merged.folder / "merge.json").read_text())
    run = json.loads((trained[2] / "adapter" / "run.json").read_text())
    assert record["sample"]["origin"] == merged.sample == "the run's validation rows"
    assert record["sample"]["fingerprint"] == run["settings"]["eval_fingerprint"]
    assert record["agreement"]["largest"] == merged.agreement.largest
    assert record["adapter"] == adapter_record(trained[0])
    assert not list(damage_of(merged.folder, record["files"]))


def test_the_adapter_is_identified_by_its_weights_and_by_its_manifest_where_that_is_certain(trained):
    model, _ = qk.load_adapter(trained[2])
    assert adapter_record(model) == adapter_record(trained[0])
    assert adapter_record(model)["manifest"] == file_hash(trained[2] / "adapter" / "manifest.json")
    next(p for name, p in model.named_parameters() if "lora_B" in name).data[0, 0] += 1
    assert adapter_record(model) == {"weights": weights_hash(model), "manifest": None}


def test_without_validation_rows_the_training_rows_are_remembered(base_folder, rows, task, tmp_path):
    model, _, _ = train(base_folder, rows, task, tmp_path / "run", max_steps=1)
    assert qk.merge(model, tmp_path / "m", progress=False).sample == "the run's training rows"


def test_a_loaded_adapter_needs_rows_since_no_run_stores_texts(trained, tmp_path):
    model, _ = qk.load_adapter(trained[2])
    with pytest.raises(ConfigurationError, match=r"no run stores texts.*eval_dataset=.*toy/direction"):
        qk.merge(model, tmp_path / "m")
    with pytest.raises(ConfigurationError, match="give it as task="):
        qk.merge(model, tmp_path / "m", eval_dataset=[{"text": "sales"}])


def test_rows_are_known_as_those_of_the_run_by_their_fingerprint(trained, rows, task, tmp_path):
    model, _ = qk.load_adapter(trained[2])
    first = qk.merge(model, tmp_path / "a", task=task, eval_dataset=rows, progress=False)
    second = qk.merge(model, tmp_path / "b", task=task, eval_dataset=rows[:6], progress=False)
    assert (first.sample, first.rows) == ("the run's validation rows", 18)
    assert (second.sample, second.rows) == ("other rows than the run's", 6)
    assert first.agreement.largest < EXACT


def test_free_text_is_compared_by_its_tokens_and_by_what_is_written(base_folder, tmp_path):
    rows = [{"text": f"sales rose {word}", "answer": word} for word in ("up", "down", "flat")]
    model, _, _ = train(base_folder, rows, echo_task(), tmp_path / "run", eval_dataset=rows, max_new_tokens=8)
    result = qk.merge(model, tmp_path / "m", progress=False)
    assert result.agreement.largest < EXACT
    assert (result.agreement.compared, result.agreement.agreeing, result.agreement.predictions) == (3, 3, 3)


def test_what_decides_is_a_change_of_probability_among_the_choices():
    sample = Sample(None, None, (((1,), ((2,), (3,))),), (((1,), ((2, 3),)),), 2, "", "")
    unlikely = agreement(sample, Said([(-0.1, -30.0)], [(-2.0,)], []), Said([(-0.1, -29.0)], [(-2.0,)], []))
    assert (unlikely.largest, unlikely.compared) == (1.0, 3)
    assert unlikely.shift < 1e-9
    text = agreement(sample, Said([(-1.0, -1.0)], [(-2.0,)], []), Said([(-1.0, -1.0)], [(-4.0,)], []))
    assert (text.largest, text.shift) == (1.0, pytest.approx(math.exp(-1) - math.exp(-2)))


def test_a_large_sample_is_drawn_from_everywhere(trained):
    assert spread(range(10), 4) == [0, 2, 5, 7]
    known = vars(trained[0])[SAMPLE]
    many = [{"text": f"sales rose {number}", "label": "up"} for number in range(2 * MOST_QUESTIONS)]
    from qlorakit.kinds import single_label

    task = single_label("toy/two", summary="", instruction="which", labels=("down", "up"))
    sample = Sample.of(known.encoder.encode_rows(many, task), known.layout, origin="", fingerprint="")
    assert sample.questions == sample.rows == MOST_QUESTIONS


# What is refused


def test_a_model_that_answers_otherwise_is_not_kept(trained, tmp_path):
    with pytest.raises(
        EvidenceError, match=r"18 questions of the run's validation rows.*probabilities change by .*tolerance=0; "
    ):
        qk.merge(trained[0], tmp_path / "m", tolerance=0, progress=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("into", ["original", "nf4"])
def test_other_weights_than_those_trained_beside_are_refused_with_the_numbers(trained, tmp_path, into):
    with pytest.raises(EvidenceError, match=r"probabilities change by .* of 18 predictions.*accept_disagreement=True"):
        qk.merge(trained[0], tmp_path / "m", into=into, progress=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("into", "kind"), [("original", "none"), ("nf4", "nf4")])
def test_other_weights_are_merged_into_where_that_is_accepted(trained, tmp_path, into, kind, caplog, capsys):
    result = qk.merge(trained[0], tmp_path / "m", into=into, accept_disagreement=True, progress=False)
    record = json.loads((tmp_path / "m" / "merge.json").read_text())
    assert record["agreement"]["largest"] == result.agreement.largest > 0.01
    assert "probabilities change by" in caplog.text
    assert "probabilities change by" in capsys.readouterr().err.replace("\n", "")
    back, _ = load(tmp_path / "m", quantization=kind)
    assert ("quantization_config" in vars(back.config)) == (into == "nf4")
    assert not torch.equal(logits(back), logits(trained[0]))


def test_merging_into_the_original_adds_to_the_weights_before_quantization(base_folder, rows, task, tmp_path):
    model, tokenizer = nudged(base_folder, lora={"target_modules": ["q_proj"], "modules_to_save": ["norm"]})
    settings = {"into": "original", "accept_disagreement": True, "tokenizer": tokenizer, "progress": False}
    qk.merge(model, tmp_path / "m", task=task, eval_dataset=rows, **settings)
    plain = load(base_folder, quantization="none")[0]
    back = load(tmp_path / "m", quantization="none")[0]
    layer = model.base_model.model.model.layers[0].self_attn.q_proj
    expected = plain.model.layers[0].self_attn.q_proj.weight + layer.get_delta_weight("default")
    torch.testing.assert_close(back.model.layers[0].self_attn.q_proj.weight, expected)
    assert torch.equal(back.model.layers[0].mlp.up_proj.weight, plain.model.layers[0].mlp.up_proj.weight)
    assert not torch.equal(back.model.norm.weight, plain.model.norm.weight)


def test_a_base_that_is_stored_in_4_bits_has_no_original_weights(base_folder, rows, task, tmp_path):
    quantized, tokenizer = load(base_folder)
    quantized.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    model, tokenizer = nudged(tmp_path / "base")
    settings = {"task": task, "eval_dataset": rows, "tokenizer": tokenizer, "progress": False}
    with pytest.raises(ModelError, match="no original ones"):
        qk.merge(model, tmp_path / "m", into="original", **settings)
    assert qk.merge(model, tmp_path / "m", **settings).agreement.largest < EXACT


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dtype": "float8"}, "dtype='float8' is not one of 'float32', 'float16', 'bfloat16'"),
        ({"dtype": "float16"}, "cannot be compared on a CPU"),
        ({"into": "fp4"}, "into='fp4' is not one of"),
        ({"tolerance": -1}, "tolerance=-1"),
        ({"tolerance": 1.5}, "from 0 to 1, the change of a probability"),
        ({"tolerance": float("nan")}, "tolerance=nan"),
        ({"accept_disagreement": True}, "here tolerance= says what is accepted"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(trained, tmp_path, settings, message):
    with pytest.raises(ConfigurationError, match=message):
        qk.merge(trained[0], tmp_path / "m", **settings)


def test_a_model_without_a_trained_adapter_is_refused(base_folder, adapted, tmp_path):
    with pytest.raises(ConfigurationError, match="no adapter to merge"):
        qk.merge(load(base_folder)[0], tmp_path / "m")
    with pytest.raises(ConfigurationError, match="the adapter is untrained"):
        qk.merge(adapted[0], tmp_path / "m")


def test_an_adapter_that_is_not_on_is_refused(base_folder, tmp_path):
    model, _ = nudged(base_folder)
    with model.disable_adapter(), pytest.raises(ConfigurationError, match="switched off"):
        qk.merge(model, tmp_path / "m")
    model.base_model.merge_adapter()
    with pytest.raises(ConfigurationError, match="merged already"):
        qk.merge(model, tmp_path / "m")


def test_several_adapters_at_once_are_refused(base_folder, tmp_path):
    model, _ = nudged(base_folder)
    model.add_adapter("second", model.peft_config["default"])
    model.base_model.set_adapter(["default", "second"])
    with pytest.raises(ConfigurationError, match="one active adapter; the model has default, second"):
        qk.merge(model, tmp_path / "m")


def test_a_model_from_elsewhere_needs_its_tokenizer(base_folder, tmp_path):
    with pytest.raises(ConfigurationError, match="give it as tokenizer="):
        qk.merge(nudged(base_folder)[0], tmp_path / "m")


def test_a_repacked_model_is_refused(base_folder, rows, task, tmp_path):
    model, tokenizer = nudged(base_folder)
    layer = model.base_model.model.model.layers[0].mlp.up_proj.base_layer
    layer.weight.quant_state.packing_format_for_cpu = True
    with pytest.raises(ModelError, match="repacked"):
        qk.merge(model, tmp_path / "m", task=task, eval_dataset=rows, tokenizer=tokenizer)


def test_weights_that_are_not_finite_are_refused(trained, base_folder, rows, task, tmp_path, monkeypatch):
    model, tokenizer = nudged(base_folder)
    sample = vars(trained[0])[SAMPLE]
    said = merging.ask(model, sample)
    monkeypatch.setattr(merging, "ask", lambda *_, **__: said)
    setattr(model, SAMPLE, sample)
    next(p for name, p in model.named_parameters() if "lora_B" in name).data[0, 0] = float("nan")
    with pytest.raises(AdapterError, match=r"1 merged weights hold NaN.*q_proj"):
        qk.merge(model, tmp_path / "m", tokenizer=tokenizer, progress=False)
    assert list(tmp_path.iterdir()) == []


# The folder


def test_a_folder_that_holds_something_else_is_refused(trained, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="is not empty"):
            qk.merge(trained[0], tmp_path, overwrite=overwrite)
    with pytest.raises(OutputError, match="is a file"):
        qk.merge(trained[0], tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(("where", "message"), [(".", "is the folder you work"), ("..", "holds the folder you work")])
def test_the_folder_one_works_in_is_refused(trained, tmp_path, monkeypatch, where, message):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(OutputError, match=message):
        qk.merge(trained[0], where)
    assert Path.cwd() == tmp_path / "here"


def test_another_tokenizer_than_that_of_the_training_is_refused(trained, tmp_path):
    other = build_tokenizer()
    other.add_tokens(["another"])
    with pytest.raises(ConfigurationError, match="tokenizer=: its tokenizer is not the one"):
        qk.merge(trained[0], tmp_path / "m", tokenizer=other)


def test_a_link_is_refused(trained, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(OutputError, match="is a link"):
        qk.merge(trained[0], tmp_path / "link")


@pytest.mark.parametrize("where", ["", "merged"])
def test_the_folders_of_base_and_adapter_are_refused(trained, base_folder, where):
    before = snapshot(base_folder)
    with pytest.raises(OutputError, match="is where the base is"):
        qk.merge(trained[0], base_folder / where, overwrite=True)
    with pytest.raises(OutputError, match="whose files are sealed"):
        qk.merge(trained[0], trained[2] / "adapter" / where, overwrite=True)
    assert snapshot(base_folder) == before


def test_an_earlier_merged_model_is_replaced_where_that_is_asked_for(trained, tmp_path):
    qk.merge(trained[0], tmp_path / "m", progress=False)
    with pytest.raises(OutputError, match="pass overwrite=True"):
        qk.merge(trained[0], tmp_path / "m", progress=False)
    qk.merge(trained[0], tmp_path / "m", dtype="bfloat16", tolerance=1, overwrite=True, progress=False)
    assert load(tmp_path / "m", quantization="none", compute_dtype="bfloat16")
    assert json.loads((tmp_path / "m" / "merge.json").read_text())["dtype"] == "bfloat16"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_full_disk_leaves_nothing_and_keeps_what_was_there(trained, tmp_path, monkeypatch):
    qk.merge(trained[0], tmp_path / "m", progress=False)
    before = snapshot(tmp_path)

    def save(plain, like, folder):
        del plain, like
        folder.mkdir(exist_ok=True)
        (folder / "model.safetensors").write_bytes(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(merging, "save_plain", save)
    for into in ("dequantized", "nf4"):
        with pytest.raises(OutputError, match="No space left"):
            qk.merge(
                trained[0], tmp_path / "m", into=into, accept_disagreement=into == "nf4", overwrite=True, progress=False
            )
    assert snapshot(tmp_path) == before


def test_a_replacement_that_was_killed_half_way_is_undone(trained, tmp_path):
    qk.merge(trained[0], tmp_path / "m", progress=False)
    (tmp_path / "m").rename(tmp_path / ".m.old")
    with pytest.raises(OutputError, match="holds a merged model"):
        qk.merge(trained[0], tmp_path / "m")
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_replacement_that_was_killed_with_the_new_model_complete_is_finished(merged, trained, tmp_path):
    for left in (".m.partial", ".m.old"):
        shutil.copytree(merged.folder, tmp_path / left)
    (tmp_path / ".m.old" / "notes.txt").write_text("the old one")
    with pytest.raises(OutputError, match="holds a merged model"):
        qk.merge(trained[0], tmp_path / "m")
    assert not (tmp_path / "m" / "notes.txt").exists()
    (tmp_path / "m").rename(tmp_path / ".m.partial")
    (tmp_path / ".m.partial" / "config.json").write_text("{")
    with pytest.raises(OutputError, match="holds a merged model"):
        qk.merge(trained[0], tmp_path / "m")
    assert (tmp_path / "m" / "notes.txt").exists()  # the new one is damaged


def test_a_model_that_does_not_come_back_from_disk_as_it_was_is_not_kept(trained, tmp_path, monkeypatch):
    original = merging.save_plain

    def save(plain, like, folder):
        plain.state_dict()["model.layers.1.mlp.up_proj.weight"].mul_(1.5)
        original(plain, like, folder)

    monkeypatch.setattr(merging, "save_plain", save)
    with pytest.raises(EvidenceError, match="answers otherwise"):
        qk.merge(trained[0], tmp_path / "m", progress=False)
    assert list(tmp_path.iterdir()) == []


# What is written about it


def test_the_figures_in_the_docs_are_those_that_the_benchmark_wrote():
    root = Path(__file__).parents[1]
    page = (root / "docs" / "merging.md").read_text(encoding="utf-8")
    written = (root / "benchmarks" / "results" / "merging.md").read_text(encoding="utf-8").splitlines()
    lines = [line for line in written if line.startswith(("|", "- "))]
    assert len(lines) > 12
    assert [line for line in lines if line not in page] == []
