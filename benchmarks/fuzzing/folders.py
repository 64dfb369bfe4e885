"""Folders of adapters, runs, checkpoints and base models: manifests, run records, markers, configurations, weights."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from fuzzing.damage import damaged_bytes, damaged_json, hostile_texts
from fuzzing.files import LABEL, file_with, workplace
from fuzzing.reader import Reader, check
from qlorakit.errors import OutputError
from qlorakit.records import write_sealed

if TYPE_CHECKING:
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

Files = Mapping[str, bytes]


@functools.cache
def _run() -> Path:
    """A small base model, and a run on it that ``train`` finished in a second."""
    import qlorakit as qk
    from qlorakit.testing import small_model, small_tokenizer

    place = workplace() / "trained"
    tokenizer = small_tokenizer()
    tokenizer.save_pretrained(place / "base")
    small_model(len(tokenizer)).save_pretrained(place / "base")
    model, loaded = qk.load_quantized(place / "base", compute_dtype="float32", device="cpu")
    model = qk.attach_lora(model, r=2, seed=0)
    rows = [{"text": f"Sales {word} {n}", "label": label} for n in range(3) for word, label in WORDS.items()]
    qk.train(
        model, loaded, rows[:4], task=LABEL, eval_dataset=rows[4:], output_dir=place / "run", num_train_epochs=1,
        max_length=128,
    )  # fmt: skip
    return place


WORDS = {"rose": "up", "fell": "down"}


def _files_in(folder: Path) -> Files:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


@functools.cache
def _adapter() -> Files:
    return _files_in(_run() / "run" / "adapter")


@functools.cache
def _checkpoint() -> Files:
    return _files_in(next((_run() / "run" / "checkpoints").iterdir()))


@functools.cache
def _base() -> Files:
    index = {"metadata": {"total_size": 1}, "weight_map": {"lm_head.weight": "model.safetensors"}}
    return {**_files_in(_run() / "base"), "model.safetensors.index.json": json.dumps(index).encode()}


def _written(files: Files, folder: Path) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _sealed(files: Files, marker: str) -> dict[str, bytes]:
    """The files with a manifest that holds their own hashes, as somebody would write it who changed one."""
    record = json.loads(files[marker])
    record["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != marker}
    return {**files, marker: _resealed(json.dumps(record).encode())}


def _resealed(content: bytes) -> bytes:
    """A record with its own hash made anew, where it is an object at all."""
    try:
        record = json.loads(content)
        with file_with(b"", "record.json") as path:
            write_sealed(path, record)
            return path.read_bytes()
    except (AttributeError, TypeError, ValueError, RecursionError):
        return content


def _damaged_file(files: Callable[[], Files], names: tuple[str, ...]) -> SearchStrategy[tuple[str, bytes]]:
    def of(name: str) -> SearchStrategy[tuple[str, bytes]]:
        content = files()[name]
        damaged = damaged_json([json.loads(content)]) if name.endswith(".json") else damaged_bytes([content])
        return st.tuples(st.just(name), damaged)

    return st.one_of(*map(of, names))


def _manifest(given: tuple[bytes, bool]) -> None:
    """A manifest that is accepted leads to no other error than the library's, whatever base it names."""
    content = _resealed(given[0]) if given[1] else given[0]
    from qlorakit.adapters import load_adapter, read_manifest
    from qlorakit.verifying import verify

    with file_with(content, "manifest.json") as path:
        _written({**_adapter(), "manifest.json": content}, path.parent)
        manifest = read_manifest(path.parent)
        check(isinstance(manifest["task"], str), "a task that is no text", manifest)
        if manifest["base"] != json.loads(_adapter()["manifest.json"])["base"]:
            load_adapter(path.parent)
            verify(path.parent, progress=False)


def _adapter_files(given: tuple[str, bytes]) -> None:
    """Files of an adapter that were changed along with their hashes."""
    from qlorakit.adapters import load_adapter

    with file_with(b"", "manifest.json") as path:
        _written(_sealed({**_adapter(), given[0]: given[1]}, "manifest.json"), path.parent)
        load_adapter(path.parent, base=_run() / "base", device="cpu", trainable=True)


def _run_record(content: bytes) -> None:
    from qlorakit.run_folders import find_checkpoint
    from qlorakit.verifying import verify

    with file_with(b"", "manifest.json") as path:
        _written(_sealed({**_adapter(), "run.json": content}, "manifest.json"), path.parent)
        (path.parent / "run").mkdir()
        for name in ("adapter", "checkpoints"):
            (path.parent / "run" / name).mkdir()
        _written(_sealed({**_adapter(), "run.json": content}, "manifest.json"), path.parent / "run" / "adapter")
        checkpoint = path.parent / "run" / "checkpoints" / "checkpoint-1"
        checkpoint.mkdir()
        _written(_checkpoint(), checkpoint)
        with contextlib.suppress(OutputError):  # it holds a finished run
            find_checkpoint(path.parent / "run", resume=True, overwrite=False)
        verify(path.parent / "run", base=path.parent / "nowhere", progress=False)


def _checkpoints(given: tuple[str, bytes]) -> None:
    """Markers that were damaged, and trainer states that were changed along with their hashes."""
    from qlorakit.checkpoints import check_course, latest_checkpoint, read_checkpoint, remove_incomplete
    from qlorakit.run_folders import find_checkpoint

    name, content = given
    content = _resealed(content) if name == "qlorakit.json" else content
    files = {**_checkpoint(), name: content}
    files = files if name == "qlorakit.json" else _sealed(files, "qlorakit.json")
    with file_with(b"", "run.json") as path:
        folder = path.parent / "checkpoints"
        for step in (1, 2):
            (folder / f"checkpoint-{step}").mkdir(parents=True)
            _written(files, folder / f"checkpoint-{step}")
        (folder / "checkpoint-x").mkdir()
        remove_incomplete(folder)
        found = read_checkpoint(folder / "checkpoint-1")
        check_course(found.path, found.course, json.loads(_checkpoint()["qlorakit.json"])["course"])
        json.dumps(found.resumed().resumes)
        latest_checkpoint(folder)
        find_checkpoint(path.parent, resume=True, overwrite=False)


def _base_folder(given: tuple[str, bytes]) -> None:
    from qlorakit.model_folders import check_model_folder
    from qlorakit.quantization import base_hashes

    with file_with(b"", "README.md") as path:
        _written({**_base(), given[0]: given[1]}, path.parent)
        check_model_folder(path.parent)
        base_hashes(path.parent)


def _base_names(name: str) -> None:
    from qlorakit.quantization import resolve_model

    resolve_model(name)


def _lora_config(content: bytes) -> None:
    from qlorakit.lora_settings import read_lora_config

    with file_with(content, "adapter_config.json") as path:
        read_lora_config(path.parent, largest=64)


ADAPTER_FILES = ("adapter_config.json", "run.json", "chat_template.jinja", "adapter_model.safetensors")
READERS: tuple[Reader, ...] = (
    Reader(
        "manifest.json",
        lambda: st.tuples(damaged_json([json.loads(_adapter()["manifest.json"])]), st.booleans()),
        _manifest,
    ),
    Reader("files of adapters", lambda: _damaged_file(_adapter, ADAPTER_FILES), _adapter_files, 0.5),
    Reader("run.json", lambda: damaged_json([json.loads(_adapter()["run.json"])]), _run_record, 0.7),
    Reader(
        "checkpoint markers and trainer states",
        lambda: _damaged_file(_checkpoint, ("qlorakit.json", "trainer_state.json")),
        _checkpoints,
    ),
    Reader("adapter_config.json", lambda: damaged_json([json.loads(_adapter()["adapter_config.json"])]), _lora_config),
    Reader(
        "folders of base models",
        lambda: _damaged_file(_base, ("config.json", "model.safetensors.index.json", "model.safetensors")),
        _base_folder,
        0.5,
    ),
    Reader(
        "names of base models", lambda: st.one_of(hostile_texts(), hostile_texts().map("./{}".format)), _base_names, 0.2
    ),
)
