import json
import shutil

from qlorakit.bitsandbytes_offline import bitsandbytes as bnb

import pytest
from engine import run_python

NO_SOCKETS = """
import socket, sys, json
attempts = []
def refuse(*arguments, **_):
    attempts.append(repr(arguments[-1:]))
    raise OSError("no network here")
socket.getaddrinfo = socket.create_connection = socket.gethostbyname = refuse
class Refusing(socket.socket):
    connect = connect_ex = sendto = refuse
socket.socket = Refusing
def watch(event, arguments):  # below whatever Python code calls
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}:
        refuse(event)
sys.addaudithook(watch)
"""

WHOLE_PATH = (
    NO_SOCKETS
    + """
import os, shutil, time
from pathlib import Path
import qlorakit as qk
import qlorakit.plugins
from qlorakit.kinds import single_label
file, output = sys.argv[1:]
task = single_label("toy/direction", summary="?", instruction="the direction", labels=("down", "flat", "up"))
rows = qk.read_rows(file, task=task)
data = qk.split(rows, task=task, seed=0, validation=0.2, near_duplicates=None)
model, tokenizer = qk.load_quantized("house/base", compute_dtype="float32")
model = qk.attach_lora(model, r=4)
qk.train(model, tokenizer, data["train"], task=task, eval_dataset=data["validation"], output_dir=output,
         num_train_epochs=1, progress=False)
model, tokenizer = qk.load_adapter(output)
report = qk.evaluate(model, tokenizer, data["test"], task=task, baseline=True, train_dataset=data["train"],
                     resamples=100, progress=False)
report.save(output + "/report.json")
qk.predict(model, tokenizer, data["test"], task=task, progress=False)
qk.merge(model, output + "-merged", task=task, eval_dataset=data["validation"], progress=False)
from transformers.utils.import_utils import is_kernels_available
kernels = [is_kernels_available("0", "9"), is_kernels_available()]
said = {"kernels": kernels, "attempts": list(attempts), "base": report.settings["base"]["name"]}

# A model that the Hub's local cache holds.
time.sleep = lambda _: None  # nobody waits between two attempts
cache, commit = Path(os.environ["HF_HOME"]) / "hub" / "models--acme--base", "0123456789abcdef" * 2 + "01234567"
shutil.copytree(qlorakit.plugins.installed().models["house/base"].folder, cache / "snapshots" / commit)
(cache / "refs").mkdir()
(cache / "refs" / "main").write_text(commit)
model, tokenizer = qk.load_quantized("acme/base", compute_dtype="float32")
attempts.clear()
model = qk.attach_lora(model, r=4)
qk.train(model, tokenizer, data["train"], task=task, output_dir=output + "-hub", max_steps=1, progress=False)
report = qk.evaluate(model, tokenizer, data["test"], task=task, resamples=100, progress=False)
said |= {"cached": report.settings["base"], "cached_attempts": list(attempts)}
print(json.dumps(said))
"""
)

PLUGIN = """
from pathlib import Path
from qlorakit.hookspecs import hookimpl
from qlorakit.task import BaseModel

@hookimpl
def qlorakit_models():
    yield BaseModel("house/base", Path(__file__).with_name("house_model"), "A base.", "MIT")
"""

FAKE_KERNELS = """
import pathlib
def get_kernel(*arguments, **_):
    pathlib.Path(__file__).with_name("called").write_text(repr(arguments))
    raise RuntimeError("a download was asked for")
"""


@pytest.fixture(scope="module")
def house_plugin(base_folder, tmp_path_factory):
    """A folder with an installed plugin that supplies the model ``house/base``, and with a package ``kernels``."""
    site = tmp_path_factory.mktemp("site")
    info = site / "house_plugin-1.0.dist-info"
    info.mkdir()
    shutil.copytree(base_folder, site / "house_model")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: house-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[qlorakit]\nhouse = house_plugin\n")
    (site / "house_plugin.py").write_text(PLUGIN)
    (site / "kernels.py").write_text(FAKE_KERNELS)
    about = site / "kernels-0.18.2.dist-info"  # a version that transformers takes
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: kernels\nVersion: 0.18.2\n")
    return site


@pytest.fixture(scope="module")
def gone(house_plugin, rows, tmp_path_factory):
    """The whole path, gone in a process of its own that has no network; what it said, and where it saved."""
    folder = tmp_path_factory.mktemp("offline")
    file = folder / "rows.csv"
    file.write_text("text,label\n" + "".join(f"{row['text']},{row['label']}\n" for row in rows))
    done = run_python(WHOLE_PATH, file, folder / "run", PYTHONPATH=str(house_plugin), HF_HOME=str(folder / "cache"))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1]), done.stderr, folder


def test_the_whole_path_opens_no_socket(gone):
    said, _, _ = gone
    assert (said["attempts"], said["base"]) == ([], "house/base")


def test_once_a_model_of_the_hub_is_loaded_nobody_asks_the_hub_again(gone):
    said, _, _ = gone
    assert said["cached_attempts"] == []
    assert said["cached"]["name"] == "acme/base"
    assert len(said["cached"]["files"]["model.safetensors"]) == 64


def test_the_whole_path_asks_for_no_kernel(gone, house_plugin):
    _, errors, _ = gone
    assert not (house_plugin / "called").exists()
    assert "kernels" not in errors


def test_transformers_finds_no_kernels_to_download_and_run(gone):
    said, _, _ = gone
    assert said["kernels"] == [True, False]  # it is installed, and not used


def test_what_is_saved_names_the_plugins_model_and_no_folder(gone, house_plugin):
    _, _, folder = gone
    written = {path.name: path.read_text() for path in (folder / "run" / "adapter").glob("*.json")}
    assert json.loads(written["manifest.json"])["base"]["name"] == "house/base"
    assert json.loads(written["adapter_config.json"])["base_model_name_or_path"] == "house/base"
    assert not [name for name, text in written.items() if str(folder) in text or str(house_plugin) in text]


def test_the_guard_notices_an_attempt():
    code = "import urllib.request\ntry: urllib.request.urlopen('http://127.0.0.1:9')\nexcept OSError: pass\n"
    assert run_python(NO_SOCKETS + code + "print(len(attempts))").stdout.strip() == "1"


@pytest.mark.skipif(not bnb.functional.has_avx512bf16(), reason="this processor has no packed path")
def test_bitsandbytes_by_itself_does_ask_for_a_kernel(tmp_path):
    (tmp_path / "kernels.py").write_text(FAKE_KERNELS)
    run_python("import bitsandbytes", PYTHONPATH=str(tmp_path))
    assert (tmp_path / "called").exists()
