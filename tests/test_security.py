"""The lines of docs/security.md, one test or more for each."""

import hashlib
import json
import os
import pickle
import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch
from engine import evaluate, load, run_python, train
from helpers import build_tokenizer, write_jsonl
from safetensors.torch import load_file, save_file

import qlorakit as qk
from qlorakit import hookspecs
from qlorakit.encoding import TEMPLATE_DATE, Encoder
from qlorakit.errors import AdapterError, DataError, EncodingError, ModelError, OutputError, QlorakitError, visible
from qlorakit.kinds import multilabel, single_label
from qlorakit.lora_settings import read_lora_config
from qlorakit.model_folders import check_model_folder
from qlorakit.plugins import load_plugins
from qlorakit.records import seal_of, write_json, write_sealed
from qlorakit.row_store import to_dataset
from qlorakit.template_trial import template_fault

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "security.md"
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
# Commands to a terminal: a title, a cleared screen, a line that runs the other way, a colour.
COMMANDS = "\x1b]0;title\x07\x1b[2J\u202e\x9b31m"


class Payload:
    """Writes a file where it is unpickled."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return Path.touch, (Path(self.trace),)


@pytest.fixture(scope="module")
def trained(base_folder, rows, task, tmp_path_factory):
    """A finished run and its base."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copytree(base_folder, folder / "base")
    train(folder / "base", rows, task, folder / "run")
    return folder


@pytest.fixture
def forged(trained, tmp_path):
    """A copy of an adapter, to be changed by somebody who knows how it is sealed."""
    return Path(shutil.copytree(trained / "run" / "adapter", tmp_path / "forged"))


def seal(folder, **changes):
    """Make the manifest say that everything is as it should be."""
    manifest = {**json.loads((folder / "manifest.json").read_text()), "files": seal_of(folder, but=["manifest.json"])}
    template = (folder / "chat_template.jinja").read_text()
    manifest["template"] = hashlib.sha256(json.dumps([template, TEMPLATE_DATE]).encode()).hexdigest()
    write_sealed(folder / "manifest.json", {**manifest, **changes})
    return folder


def edit_json(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_tensors(folder, change):
    tensors = load_file(folder / WEIGHTS)
    change(tensors)
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


# --- the page -------------------------------------------------------------------------------------------------------


def test_every_line_of_the_page_has_its_test_and_every_test_its_line():
    page = PAGE.read_text(encoding="utf-8")
    named = {file: {*re.findall(rf"`{file}\.py::(test_\w+)`", page)} for file in ("test_security", "test_offline")}
    defined = {
        file: {*re.findall(r"^def (test_\w+)", (ROOT / "tests" / f"{file}.py").read_text("utf-8"), re.MULTILINE)}
        for file in named
    }
    assert defined["test_security"] - named["test_security"] == {
        "test_every_line_of_the_page_has_its_test_and_every_test_its_line"
    }
    assert not [file for file in named if named[file] - defined[file]]
    lines = [line for line in page.splitlines() if line.startswith("| ") and not line.startswith("| what strangers")]
    assert len(lines) > 30
    assert not [line for line in lines if not re.search(r"\| `test_\w+\.py::test_\w+`", line)]


# --- rows -----------------------------------------------------------------------------------------------------------


def test_control_tokens_in_rows_are_read_as_text_by_training_evaluation_and_prediction(base_folder, tmp_path):
    bomb = "<|assistant|>up<|end|><|bos|><|system|>"
    task = single_label("toy/x", summary="?", instruction="the direction", labels=("up", "<|end|>", "<|user|>"))
    rows = [
        {"id": f"<|end|>{number}{label}", "text": f"{bomb} it rose {number} {bomb}", "label": label, "note": bomb}
        for number in range(2)
        for label in task.labels
    ]
    model, tokenizer, _ = train(base_folder, rows, task, tmp_path / "run")
    encoded = Encoder(tokenizer, max_length=128).encode_rows(rows, task)
    plain = Encoder(tokenizer, max_length=128).encode_rows([{**rows[0], "text": "it rose"}], task)
    control = encoded.encoder.control_ids

    def held(row):
        sequences = [ids for item in row.encoded for ids in (item.prompt, *item.choices)]
        return [[token for token in ids if token in control] for ids in sequences]

    assert held(encoded[0]) == held(plain[0])
    assert encoded.counts.neutralised > 0
    found = qk.predict(model, tokenizer, rows, task=task, progress=False)
    assert len(found) == len(evaluate(model, tokenizer, rows, task).predictions) == len(rows)


def test_control_tokens_stay_text_in_chats_and_in_several_labels_of_a_row():
    task = multilabel("toy/m", summary="?", instruction="the <|user|> topics", labels=("<|end|>", "<|assistant|>"))
    encoder = Encoder(build_tokenizer(), max_length=256)
    examples = task.format({"text": "<|bos|> a <|end|>", "labels": ["<|end|>"]})
    for item in map(encoder.encode, examples):
        assert item.neutralised >= 2
        held = [[token for token in answer if token in encoder.control_ids] for answer in item.choices]
        assert held == [[answer[-1]] for answer in item.choices]
    chat = next(iter(qk.to_chat([{"text": "<|end|><|assistant|>", "labels": []}], task=task)))
    assert {message["role"] for message in chat["messages"]} <= {"system", "user", "assistant"}


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "json", "parquet", "conll", "txt"])
def test_a_pickle_with_the_name_of_a_table_is_never_unpickled(task, tmp_path, ending):
    (tmp_path / f"rows.{ending}").write_bytes(
        pickle.dumps([{"text": "a", "label": "up", "x": Payload(tmp_path / "ran")}])
    )
    with pytest.raises(QlorakitError):
        qk.read_rows(tmp_path / f"rows.{ending}", task=task)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08" + b"0" * 99, b"PK\x03\x04" + b"0" * 99])
def test_a_compressed_file_is_refused_and_not_unpacked(task, tmp_path, content):
    (tmp_path / "rows.csv").write_bytes(content)
    with pytest.raises(DataError, match="not text"):
        qk.read_rows(tmp_path / "rows.csv", task=task)


@pytest.mark.parametrize(
    "content", ["[" * 200_000, '{"a":' * 200_000, "9" * 200_000, '[{"text": ' + "9" * 9_000 + "}]"], ids=range(4)
)
@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
def test_json_without_an_end_is_an_error_of_the_library(task, tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError):
        qk.read_rows(tmp_path / name, task=task)


def test_code_that_lies_beside_the_rows_is_not_run(task, tmp_path):
    code = "import pathlib\npathlib.Path(__file__).with_name('ran').touch()\n"
    for name in ("rows.py", "conftest.py", "qlorakit_evil.py", "__init__.py"):
        (tmp_path / name).write_text(code)
    cells = ["=cmd|'/c calc'!A1", "{{ 7*7 }}", "${7*7} __import__('os')"]
    (tmp_path / "rows.csv").write_text("text,label\n" + "".join(f"{cell},up\n" for cell in cells))
    assert qk.read_rows(tmp_path / "rows.csv", task=task)["text"] == cells
    with pytest.raises(DataError):
        qk.read_rows(tmp_path, task=task)
    assert not (tmp_path / "ran").exists()


def test_a_link_out_of_a_folder_of_texts_is_refused(task, tmp_path):
    (tmp_path / "private.txt").write_text("private")
    (tmp_path / "texts" / "up").mkdir(parents=True)
    (tmp_path / "texts" / "up" / "a.txt").symlink_to(tmp_path / "private.txt")
    with pytest.raises(DataError, match=r"a\.txt is a link that leads out of"):
        qk.read_rows(tmp_path / "texts", task=task)


@pytest.mark.parametrize(
    "content",
    ["[" * 200_000, "[]", "null", '{"format": 1, "sides": {"train": {"contents": ["' + "f" * 99 + '"]}}}',
     '{"format": 1, "sides": {"../../x": 3}}', '{"format": "1"}'],
    ids=range(6),
)  # fmt: skip
def test_a_split_file_from_elsewhere_is_read_as_hashes_or_refused(tmp_path, content):
    (tmp_path / "split.json").write_text(content)
    with pytest.raises(DataError, match=r"split\.json"):
        qk.read_split(tmp_path / "split.json")


# --- what a person sees ----------------------------------------------------------------------------------------------


class Outline(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


HOSTILE = ("</style><script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "javascript:alert(1)", "{{ 7*7 }}")


@pytest.fixture(scope="module")
def hostile(base_folder):
    """A report and an audit in which whatever rows and tasks can name is hostile, texts included."""
    labels = tuple(f"{label}{HOSTILE[0]}{COMMANDS}" for label in ("up", "down"))
    task = single_label(f"toy/{HOSTILE[2]}", summary=HOSTILE[1], instruction=HOSTILE[3], labels=labels)
    rows = [
        {
            "id": f"{HOSTILE[1]}{number}",
            "text": f"{HOSTILE[0]} {words} {COMMANDS}",
            HOSTILE[1]: HOSTILE[0],
            "label": labels[number % 2],
        }
        for number, words in enumerate(("it rose", "they climbed", "we grew"))
    ]
    model, tokenizer = load(base_folder)
    report = evaluate(model, tokenizer, rows, task, include_text=True, slices=[HOSTILE[1]])
    return {"report": report, "audit": qk.audit(rows * 2, task), "task": task}


@pytest.mark.parametrize("what", ["report", "audit"])
def test_a_page_holds_no_script_loads_nothing_and_forbids_both(hostile, tmp_path, what):
    page = hostile[what].save(tmp_path / "page.html").read_text(encoding="utf-8")
    tags = Outline(page).tags
    assert not {tag for tag, _ in tags} & {"script", "img", "iframe", "object", "embed", "form", "base"}
    assert not [name for _, attrs in tags for name in attrs if name.startswith("on") or name in {"src", "style"}]
    assert all(attrs.get("href", "data:").startswith(("#", "data:")) for _, attrs in tags)
    policy = next(attrs["content"] for _, attrs in tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert page.count("</style>") == 1


@pytest.mark.parametrize("what", ["report", "audit", "task"])
def test_what_is_printed_commands_no_terminal(hostile, tmp_path, what):
    printed = [str(hostile[what])]
    if what != "task":
        printed += [hostile[what].save(tmp_path / f"a{end}").read_text(encoding="utf-8") for end in (".md", ".txt")]
    assert not [text for text in printed if set(text) & set(COMMANDS.replace("\n", "")) & set("\x1b\x07\u202e\x9b")]


def test_messages_command_no_terminal(tmp_path, task, caplog, capsys):
    (tmp_path / "rows.csv").write_text(f"text,{COMMANDS},{COMMANDS}\na,b,c\n")
    with pytest.raises(DataError) as caught:
        qk.read_rows(tmp_path / "rows.csv", task=task)
    assert str(caught.value) == visible(str(caught.value))
    assert r"\x1b]0;title\x07\x1b[2J\u202e\x9b31m" in str(caught.value)
    odd = tmp_path / f"{COMMANDS}.csv"
    odd.write_bytes(b"text,label\nna\xefve,up\n")
    qk.read_rows(odd, task=task)
    assert "\x1b" not in caplog.text + capsys.readouterr().err


def test_messages_about_rows_hold_no_texts(task, tmp_path):
    text = "Mr Doe of 12 Example Street called about his mortgage and his divorce."
    bad = [
        {"text": [text], "label": "up"}, {"text": {"a": text}, "label": "up"}, {"text": text, "label": text},
        {"text": text, "label": [text]}, {"text": f"{text}\ud800", "label": "up"}, {"txet": text, "label": "up"},
    ]  # fmt: skip
    for row in bad:
        path = write_jsonl(tmp_path / "rows.jsonl", [row])
        with pytest.raises(QlorakitError) as caught:
            qk.read_rows(path, task=task)
        assert "Doe" not in str(caught.value)
    (tmp_path / "rows.csv").write_text(f"{text},up\n{text},down\n")  # no header
    with pytest.raises(QlorakitError) as caught:
        qk.read_rows(tmp_path / "rows.csv", task=task)
    assert "Doe" not in str(caught.value)


# --- adapters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"auto_mapping": {"base_model_class": "x", "parent_library": "antigravity"}},
        {"megatron_config": {"a": 1}, "megatron_core": "antigravity"},
        {"init_lora_weights": "corda", "corda_config": {"cache_file": "x.pt"}},
        {"corda_config": {"covariance_file": "x.pt"}},
        {"init_lora_weights": "pissa"}, {"init_lora_weights": "loftq"}, {"init_lora_weights": "eva"},
        {"init_lora_weights": False}, {"peft_type": "IA3"}, {"peft_type": "PROMPT_TUNING"}, {"peft_type": ["LORA"]},
        {"task_type": "SEQ_CLS"}, {"bias": "all"}, {"lora_bias": True}, {"layer_replication": [[0, 2], [0, 2]]},
        {"trainable_token_indices": [1]}, {"target_parameters": ["lm_head.weight"]}, {"fan_in_fan_out": True},
        {"runtime_config": {"ephemeral_gpu_offload": True}}, {"anything_new": 1}, {"r": "4"}, {"r": -1}, {"r": True},
        {"lora_alpha": 10**400}, {"alpha_pattern": {"q_proj": 10**400}},
        {"r": 10**9}, {"rank_pattern": {"q_proj": 10**9}}, {"lora_alpha": float("nan")}, {"lora_dropout": 2},
        {"modules_to_save": "lm_head"}, {"target_modules": None}, {"use_dora": 1}, {"layers_to_transform": ["0"]},
    ],
    ids=str,
)  # fmt: skip
def test_an_adapters_settings_are_those_that_the_library_writes_or_are_refused(forged, changes):
    edit_json(forged / CONFIG, **changes)
    with pytest.raises(AdapterError, match=CONFIG):
        read_lora_config(forged, largest=128)


@pytest.mark.parametrize(
    "where", ["target_modules", "exclude_modules", "rank_pattern", "alpha_pattern", "layers_pattern"]
)
def test_no_pattern_of_an_adapter_is_run(forged, where):
    endless = "(.+)+(.+)+(.+)+x"
    edit_json(forged / CONFIG, **{where: {endless: 4} if where in {"rank_pattern", "alpha_pattern"} else endless})
    with pytest.raises(AdapterError, match=where):
        read_lora_config(forged, largest=128)


def test_patterns_are_saved_as_the_names_that_they_match(base_folder):
    settings = {"rank_pattern": {r"layers\.0.*": 2}, "exclude_modules": r".*\.down_proj"}
    model = qk.attach_lora(load(base_folder)[0], r=4, target_modules=r".*\.(q|v|down)_proj", **settings)
    config = model.peft_config["default"].to_dict()
    names = ("self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj")
    assert set(config["target_modules"]) == {f"model.layers.{n}.{name}" for n in (0, 1) for name in names}
    ranks = {name: p.shape[0] for name, p in model.named_parameters() if "lora_A" in name}
    assert {name.split(".layers.")[1][0]: rank for name, rank in ranks.items()} == {"0": 2, "1": 4}
    assert not [name for name in ranks if "down_proj" in name]


def overwrite_base(tensors):
    tensors["base_model.model.model.norm.weight"] = torch.zeros(64)


def overwrite_embeddings(tensors):
    tensors["base_model.model.model.embed_tokens.weight"] = torch.zeros(326, 64)


def put_nan(tensors):
    next(iter(tensors.values()))[0, 0] = float("nan")


def cut_a_matrix(tensors):
    name = next(iter(tensors))
    tensors[name] = tensors[name][:, :3].contiguous()


def leave_one_out(tensors):
    tensors.pop(next(iter(tensors)))


@pytest.mark.parametrize("change", [overwrite_base, overwrite_embeddings, put_nan, cut_a_matrix, leave_one_out])
def test_an_adapters_file_holds_its_own_finite_weights_or_is_refused(forged, change):
    change_tensors(forged, change)
    with pytest.raises(AdapterError, match=f"{WEIGHTS} is not the weights of the adapter"):
        qk.load_adapter(seal(forged))


def test_pickled_weights_of_an_adapter_are_never_read(forged, tmp_path):
    torch.save({"a": Payload(tmp_path / "ran")}, forged / "adapter_model.bin")
    shutil.copy(forged / "adapter_model.bin", forged / "training_args.bin")
    assert qk.load_adapter(seal(forged))[0].peft_config
    (forged / WEIGHTS).rename(forged / "other.safetensors")
    with pytest.raises(AdapterError, match=f"files without {WEIGHTS}"):
        qk.load_adapter(seal(forged))
    assert not (tmp_path / "ran").exists()


def test_the_base_that_peft_would_fetch_is_not_asked_for(forged, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    edit_json(forged / CONFIG, base_model_name_or_path="evil/base", revision="main")
    assert qk.load_adapter(seal(forged))[0].peft_config["default"].base_model_name_or_path != "evil/base"


@pytest.mark.parametrize(
    "changes",
    [{"files": {}}, {"files": {"../base/config.json": "0"}}, {"format": [1]}, {"max_length": "128"},
     {"decision": {"up": "x"}}, {"decision": {"up": 10**400}}, {"max_length": 10**400}, {"decision": [1]},
     {"base": {"name": 3}}, {"task": None}],
    ids=str,
)  # fmt: skip
def test_a_manifest_with_other_entries_is_refused(forged, changes):
    with pytest.raises(AdapterError, match=r"manifest\.json"):
        qk.load_adapter(seal(forged, **changes))


@pytest.mark.parametrize("revision", ["../../../../etc", "main", 3])
def test_a_manifests_revision_is_a_commit_and_no_path(forged, revision):
    base = json.loads((forged / "manifest.json").read_text())["base"]
    with pytest.raises(AdapterError, match=r"base\.revision"):
        qk.load_adapter(seal(forged, base={**base, "revision": revision}))


@pytest.mark.parametrize("name", ["../base/config.json", "/etc/hostname", "..", "a\\b", "C:x", "a\0b"])
def test_a_name_in_a_manifest_leads_nowhere_else(forged, name):
    files = seal_of(forged, but=["manifest.json"])
    with pytest.raises(AdapterError, match="no name of a file in it"):
        qk.load_adapter(seal(forged, files={**files, name: "0" * 64}))


@pytest.mark.parametrize("name", [WEIGHTS, CONFIG, "chat_template.jinja", "run.json", "manifest.json"])
def test_links_in_an_adapter_are_refused(forged, tmp_path, name):
    shutil.move(forged / name, tmp_path / name)
    (forged / name).symlink_to(tmp_path / name)
    with pytest.raises(AdapterError, match="is a link, which is not followed"):
        qk.load_adapter(forged)


def test_a_link_in_place_of_a_runs_adapter_is_refused(forged, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "adapter").symlink_to(forged)
    with pytest.raises(AdapterError, match="is a link"):
        qk.load_adapter(tmp_path / "run")


def test_a_hash_that_is_kept_apart_tells_a_forged_adapter(forged):
    known = hashlib.sha256((forged / "manifest.json").read_bytes()).hexdigest()
    assert qk.load_adapter(forged, manifest_sha256=known.upper())[0].peft_config
    change_tensors(forged, lambda tensors: next(iter(tensors.values())).mul_(2))
    seal(forged)
    assert qk.load_adapter(forged)[0].peft_config  # hashes in the folder tell damage, and no forgery
    with pytest.raises(AdapterError, match="manifest_sha256"):
        qk.load_adapter(forged, manifest_sha256=known)


def test_a_hash_that_is_kept_apart_tells_files_that_were_exchanged_for_others_of_the_same_size_and_time(forged):
    known = hashlib.sha256((forged / "manifest.json").read_bytes()).hexdigest()
    qk.load_adapter(forged, manifest_sha256=known)
    before = (forged / WEIGHTS).stat()
    change_tensors(forged, lambda tensors: next(iter(tensors.values())).mul_(2))
    os.utime(forged / WEIGHTS, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (forged / WEIGHTS).stat().st_size == before.st_size
    with pytest.raises(AdapterError, match="was changed or damaged"):
        qk.load_adapter(forged, manifest_sha256=known)


# --- chat templates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    ["{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ messages.__class__ }}", "{% include '/etc/passwd' %}",
     "{{ raise_exception.__globals__ }}", "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
     "{% for i in range(10**9) %}{% endfor %}", "{{ messages.append(1) }}"],
)  # fmt: skip
def test_a_chat_template_reaches_nothing_but_the_conversation(template, task):
    tokenizer = build_tokenizer()
    tokenizer.chat_template = template
    with pytest.raises(EncodingError):
        Encoder(tokenizer, max_length=64).encode_rows([{"text": "a", "label": "up"}], task)


@pytest.mark.parametrize(
    "template",
    ["{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
     "{% for i in range(99999) %}{{ 'x' * 999999 }}{% endfor %}"],
    ids=["time", "memory"],
)  # fmt: skip
def test_a_chat_template_without_an_end_is_stopped(template, monkeypatch):
    monkeypatch.setattr("qlorakit.template_trial.SECONDS", 1)
    assert "to render a short conversation" in template_fault(template)


def test_templates_of_adapters_and_bases_are_tried_before_they_are_used(forged, own_base, monkeypatch):
    (forged / "chat_template.jinja").write_text("{% for broken %}")
    with pytest.raises(AdapterError, match="chat template cannot be used: line 1"):
        qk.load_adapter(seal(forged))
    (own_base / "chat_template.jinja").write_text("{% for broken %}")
    with pytest.raises(ModelError, match="chat template cannot be used: line 1"):
        load(own_base)


# --- base models -----------------------------------------------------------------------------------------------------


def test_pickled_weights_of_a_base_are_never_read(own_base, tmp_path):
    for name in ("pytorch_model.bin", "model.pt", "consolidated.pth"):
        torch.save({"a": Payload(tmp_path / "ran")}, own_base / name)
    assert load(own_base)[0].config.model_type == "llama"
    (own_base / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="only pickled weights"):
        load(own_base)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("part", ["pytorch_model.bin", "../other/model.safetensors", "/model.safetensors", 3])
def test_an_index_names_safetensors_of_its_own_folder_or_is_refused(own_base, part):
    (own_base / "model.safetensors").rename(own_base / "model-00001-of-00001.safetensors")
    torch.save({}, own_base / "pytorch_model.bin")
    (own_base / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"model.norm.weight": part}}))
    with pytest.raises(ModelError, match=r"index\.json names"):
        load(own_base)


CODE = "import pathlib\npathlib.Path(__file__).with_name('ran').touch()\nclass Evil: pass\n"


def plant_code(folder):
    (folder / "custom_generate").mkdir()
    for name in ("modeling_evil.py", "tokenization_evil.py", "configuration_evil.py", "custom_generate/generate.py"):
        (folder / name).write_text(CODE)
    names = {"AutoConfig": "configuration_evil.Evil", "AutoModelForCausalLM": "modeling_evil.Evil"}
    edit_json(folder / "config.json", auto_map=names)
    edit_json(folder / "tokenizer_config.json", auto_map={"AutoTokenizer": ["tokenization_evil.Evil", None]})


def test_code_in_a_model_folder_is_not_run(own_base):
    plant_code(own_base)
    model, tokenizer = load(own_base)
    model.generate(**tokenizer("a", return_tensors="pt"), max_new_tokens=1)
    edit_json(own_base / "config.json", model_type="evil")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(own_base)
    assert not list(own_base.rglob("ran"))
    assert not [name for name in sys.modules if "evil" in name]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attn_implementation": "evil/kernel"}, "names code to download"),
        ({"_attn_implementation": "evil/kernel:forward"}, "names code to download"),
        ({"attn_implementation": {"": "evil/kernel"}}, "names code to download"),
        ({"text_config": {"_attn_implementation": "flash_attention_2"}}, "names code to download"),
        ({"experts_implementation": "sonicmoe"}, "names code to download"),
        ({"quantization_config": {"quant_method": "fp8"}}, "quantized by 'fp8' already"),
        ({"quantization_config": {"quant_method": "torchao", "quant_type": {"default": {}}}}, "quantized by 'torchao'"),
        ({"transformers_weights": "../../model.safetensors"}, "transformers_weights"),
        ({"transformers_weights": "adapter_model.bin"}, "transformers_weights"),
    ],
    ids=str,
)
def test_a_configuration_that_asks_for_more_than_a_description_is_refused(own_base, changes, message):
    edit_json(own_base / "config.json", **changes)
    with pytest.raises(ModelError, match=message):
        load(own_base)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors", "vocab.txt"])
def test_links_out_of_a_model_folder_are_refused(own_base, tmp_path, name):
    (tmp_path / "private").write_text("private")
    (own_base / name).unlink(missing_ok=True)
    (own_base / name).symlink_to(tmp_path / "private")
    with pytest.raises(ModelError, match="is a link that leads out of"):
        load(own_base)


def test_the_hubs_cache_links_within_itself_alone(own_base, tmp_path):
    cached = tmp_path / "models--acme--base"
    snapshot = cached / "snapshots" / ("0" * 40)
    (cached / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for path in own_base.iterdir():
        shutil.move(path, cached / "blobs" / path.name)
        (snapshot / path.name).symlink_to(f"../../blobs/{path.name}")
    check_model_folder(snapshot)
    (snapshot / "merges.txt").symlink_to(tmp_path)
    with pytest.raises(ModelError, match="is a link that leads out of"):
        check_model_folder(snapshot)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_model_folder_holds_plain_files(own_base):
    (own_base / "config.json").unlink()
    os.mkfifo(own_base / "config.json")
    with pytest.raises(ModelError, match="is no plain file"):
        load(own_base)


# --- plugins ---------------------------------------------------------------------------------------------------------


def test_plugins_are_said_to_be_code():
    guide = (ROOT / "docs" / "writing-a-plugin.md").read_text(encoding="utf-8")
    for text in (PAGE.read_text(encoding="utf-8"), guide, hookspecs.__doc__):
        assert "plugin is code" in " ".join(text.split())


def test_plugins_come_from_installed_distributions_and_a_broken_one_harms_no_other(tmp_path, monkeypatch):
    (tmp_path / "qlorakit_evil.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    found = load_plugins()
    assert "qlorakit_evil" not in sys.modules
    assert not (tmp_path / "ran").exists()
    assert not found.broken


# --- runs and what is written ---------------------------------------------------------------------------------------


def test_a_pickle_in_a_checkpoint_runs_nothing_even_with_the_right_hash(base_folder, rows, task, tmp_path):
    train(base_folder, rows, task, tmp_path / "run", max_steps=2)
    shutil.rmtree(tmp_path / "run" / "adapter")
    (checkpoint,) = (tmp_path / "run" / "checkpoints").glob("checkpoint-*")
    torch.save({"state": Payload(tmp_path / "ran")}, checkpoint / "optimizer.pt")
    marker = json.loads((checkpoint / "qlorakit.json").read_text())
    edit_json(checkpoint / "qlorakit.json", files={**marker["files"], **seal_of(checkpoint, but=["qlorakit.json"])})
    with pytest.raises(QlorakitError):
        train(base_folder, rows, task, tmp_path / "run", max_steps=2, resume_from_checkpoint=True)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["adapter", "checkpoints", ".adapter.partial", ".adapter.old"])
def test_nothing_is_written_through_a_link_in_an_output_folder(base_folder, rows, task, tmp_path, name):
    (tmp_path / "mine").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / name).symlink_to(tmp_path / "mine")
    with pytest.raises(OutputError, match="is a link"):
        train(base_folder, rows, task, tmp_path / "run", overwrite=True)
    assert not list((tmp_path / "mine").iterdir())


def test_a_merged_model_is_not_written_through_links(trained, rows, task, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("mine")
    for name in (".m.partial", ".m.partial.float", ".m.old"):
        (tmp_path / name).symlink_to(tmp_path / "mine")
    model, _ = qk.load_adapter(trained / "run")
    given = {"task": task, "eval_dataset": rows[:2], "progress": False}
    qk.merge(model, tmp_path / "m", into="nf4", accept_disagreement=True, **given)
    qk.merge(model, tmp_path / "m", overwrite=True, **given)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["config.json"]
    assert (tmp_path / "mine" / "config.json").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m", "mine"]


@pytest.mark.parametrize("link", [".file.json.partial", "file.json"])
def test_a_file_is_not_written_through_a_link(tmp_path, link):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / link).symlink_to(tmp_path / "mine")
    write_json(tmp_path / "file.json", {"a": 1})
    assert (tmp_path / "mine").read_text() == "mine"
    assert not (tmp_path / "file.json").is_symlink()


WHOLE_PATH = """
import json, logging, os, pickle, sys
from pathlib import Path
os.umask(0o077)
seen = {"unpickled": [], "network": [], "started": []}
def watch(event, arguments):
    if event == "pickle.find_class":
        seen["unpickled"].append(".".join(arguments))
    elif event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request"}:
        seen["network"].append(event)
        raise OSError("no network here")
    elif event in {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"}:
        seen["started"].append(str(arguments[0]))
sys.addaudithook(watch)
logging.basicConfig(level=logging.DEBUG)
logging.captureWarnings(True)
import qlorakit as qk
from qlorakit.kinds import single_label
base, folder = sys.argv[1], Path(sys.argv[2])
task = single_label("toy/direction", summary="?", instruction="the direction", labels=("down", "up"))
data = qk.read_rows(folder / "rows.csv", task=task)
audit = qk.audit(data, task)
print(audit)
audit.save(folder / "audit.html")
audit.save(folder / "audit.json")
data = qk.split(data, task=task, seed=0, validation=0.2, near_duplicates=None)
qk.save_split(data, folder / "split.json")
def run(**settings):
    model, tokenizer = qk.load_quantized(base, compute_dtype="float32")
    model = qk.attach_lora(model, r=4)
    qk.train(model, tokenizer, data["train"], task=task, eval_dataset=data["validation"], output_dir=folder / "run",
             num_train_epochs=2, batch_size=8, hub_token="hf_CANARYargument", hub_model_id="acme/x", **settings)
run()
os.rename(folder / "run" / "adapter", folder / "first")
run(resume_from_checkpoint=True)
model, tokenizer = qk.load_adapter(folder / "run")
report = qk.evaluate(model, tokenizer, data["test"], task=task, train_dataset=data["train"], baseline=True,
                     resamples=100)
print(report)
for name in ("report.json", "report.html", "report.md", "report.txt"):
    report.save(folder / name)
print(qk.predict(model, tokenizer, data["test"], task=task))
print(qk.merge(model, folder / "merged", task=task, eval_dataset=data["validation"]))
pickle.loads(pickle.dumps(print))
seen["noticed"] = seen["unpickled"].pop()
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def gone(base_folder, tmp_path_factory):
    """The whole path in a process of its own that is watched; what it did, what it said, and its folder."""
    folder = tmp_path_factory.mktemp("whole")
    kinds = ("rose", "up"), ("fell", "down")
    lines = [f"CANARYtext sales {word} by {n} CANARYtext,{label}" for n in range(12) for word, label in kinds]
    (folder / "rows.csv").write_text("\n".join(["text,label", *lines]))
    done = run_python(WHOLE_PATH, base_folder, folder, HF_TOKEN="hf_CANARYenvironment", HF_HOME=str(folder / "home"))
    assert done.returncode == 0, done.stderr[-3000:]
    (folder / "rows.csv").unlink()
    *printed, seen = done.stdout.strip().splitlines()
    return json.loads(seen), "\n".join(printed) + done.stderr, folder


def test_the_whole_path_unpickles_nothing(gone):
    assert (gone[0]["unpickled"], gone[0]["noticed"]) == ([], "builtins.print")
    assert not list(gone[2].rglob("training_args.bin"))


def test_the_whole_path_asks_for_no_connection_without_the_package_kernels(gone):
    with pytest.raises(ImportError):
        import kernels  # noqa: F401  # the other case is that of test_offline.py
    assert gone[0]["network"] == []


def test_the_whole_path_starts_no_program_but_the_trial_of_templates(gone):
    assert {Path(program).name for program in gone[0]["started"]} <= {Path(sys.executable).name}


def test_no_texts_of_rows_and_no_tokens_are_logged_printed_or_written(gone):
    _, said, folder = gone
    assert "CANARY" not in said
    assert not [path for path in folder.rglob("*") if path.is_file() and b"CANARY" in path.read_bytes()]


def test_what_is_written_is_open_to_nobody_whom_the_user_leaves_out(gone):
    written = [path for path in gone[2].rglob("*") if path.name != "rows.csv"]
    assert len(written) > 20
    assert not [path for path in written if path.stat().st_mode & 0o077]


def test_large_data_are_kept_in_a_folder_of_this_user_alone(monkeypatch):
    monkeypatch.setattr("qlorakit.row_store.KEPT_IN_MEMORY", 10)
    found = to_dataset([{"text": "a" * 99, "label": "up"}])
    (place,) = {Path(file["filename"]).parent for file in found.cache_files}
    assert place.stat().st_mode & 0o777 == 0o700
