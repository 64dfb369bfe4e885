"""What a folder with a base model may hold: weights in safetensors, configuration, tokenizer, all of them in it.

A model's configuration can do more than describe it: it can name code of its repository, kernels to download and run,
files to unpickle, files elsewhere.  Nobody is asked about code here, and the rest is refused before anything reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import qlorakit.bitsandbytes_offline  # noqa: F401  # before transformers

from safetensors import SafetensorError, safe_open

from qlorakit.errors import ModelError
from qlorakit.records import read_object

INDEX = "model.safetensors.index.json"
COPY_AGAIN = "Copy or download it again"
# Attention and experts that transformers holds itself; other names are kernels, which it downloads and runs.
KERNEL_KEYS = {"attn_implementation", "_attn_implementation", "experts_implementation", "_experts_implementation"}
OWN_KERNELS = {None, "eager", "sdpa", "grouped_mm", "batched_mm"}
DEEPEST = 50  # levels of a configuration


def check_model_folder(folder: Path) -> None:
    """Refuse a model that would have code run, pickles read or files of other folders opened.

    Raises:
        ModelError: It would, or there are no weights, or one of its files is damaged.
    """
    for path in sorted(folder.iterdir()):
        _check_place(path, folder)
    check_safetensors(folder)
    config = read_object(folder / "config.json", ModelError, COPY_AGAIN)
    wrong = next(_faults(config), None)
    if wrong is not None:
        msg = f"{folder / 'config.json'}: {wrong}"
        raise ModelError(msg)
    if (folder / INDEX).is_file():
        _check_index(folder)


def check_safetensors(folder: Path) -> list[Path]:
    """The weight files of a model folder, each with a readable header.

    Raises:
        ModelError: There are none, only pickled ones, or one is damaged.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickled = sorted(path.name for pattern in ("*.bin", "*.pt", "*.pth") for path in folder.glob(pattern))
        there = f"only pickled weights ({', '.join(pickled)}), which can run code when read" if pickled else "none"
        msg = f"{folder} has no safetensors weights: {there}. Save the model with save_pretrained, which writes them"
        raise ModelError(msg)
    for path in files:
        try:
            with safe_open(path, framework="pt") as tensors:
                tensors.keys()
        except (SafetensorError, OSError) as error:
            msg = f"{path} is damaged ({error}); copy or download it again"
            raise ModelError(msg) from error
    return files


def _check_place(path: Path, folder: Path) -> None:
    """Refuse what is no plain file, and links out of the folder, or out of the model's part of the Hub's cache."""
    if path.is_dir() and not path.is_symlink():
        return
    home = folder.parent.parent if folder.parent.name == "snapshots" else folder
    if path.is_symlink() and not path.resolve().is_relative_to(home.resolve()):
        msg = f"{path} is a link that leads out of {home}, which is not followed; put the file itself there"
        raise ModelError(msg)
    if not path.is_file():
        msg = f"{path} is no plain file; remove it, or copy or download the model again"
        raise ModelError(msg)


def _check_index(folder: Path) -> None:
    """Every part of the weights must be a safetensors file of the folder itself, as all that is hashed is."""
    files = read_object(folder / INDEX, ModelError, COPY_AGAIN).get("weight_map")
    names = set(files.values()) if isinstance(files, dict) and all(isinstance(f, str) for f in files.values()) else None
    present = {path.name for path in folder.glob("*.safetensors")}
    if names is None or not names <= present:
        odd = "no weight_map" if names is None else f"the file {min(names - present)!r}, which is none of them"
        msg = f"{folder / INDEX} names {odd}: weights are safetensors files in {folder}; copy or download it again"
        raise ModelError(msg)


def _faults(config: dict[str, Any]) -> Iterator[str]:
    """What makes a configuration more than a description."""
    for part in _parts(config, DEEPEST):
        for key in sorted(KERNEL_KEYS & set(part)):
            named = part[key].values() if isinstance(part[key], dict) else (part[key],)
            wanted = next((name for name in named if not isinstance(name, str | None) or name not in OWN_KERNELS), None)
            if wanted is not None:
                yield f"{key}={wanted!r} names code to download and run; remove the entry to use what is built in"
        quantized = part.get("quantization_config")
        method = quantized.get("quant_method") if isinstance(quantized, dict) else quantized
        if method not in (None, "bitsandbytes"):
            yield f"the model is quantized by {method!r} already; load one that is not, or by bitsandbytes"
        if part.get("transformers_weights") is not None:
            yield "transformers_weights names weights elsewhere; they are read from *.safetensors alone"


def _parts(config: object, depth: int) -> Iterator[dict[str, Any]]:
    """A configuration and those within it."""
    if depth == 0:
        return
    if isinstance(config, dict):
        yield config
    inner = config.values() if isinstance(config, dict) else config if isinstance(config, list) else ()
    for item in inner:
        yield from _parts(item, depth - 1)
