"""Which settings of LoRA are allowed: where an adapter is attached, and in the file that one from elsewhere brings.

peft's configuration can name modules to import, files to unpickle and regular expressions that never end.  What is
saved holds none of them: patterns are spelled out as names of layers before they get there, and what is loaded may hold
what is saved and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlorakit.bitsandbytes_offline import peft

import torch
from transformers.pytorch_utils import Conv1D

from qlorakit.errors import AdapterError, ConfigurationError, did_you_mean
from qlorakit.records import is_number, read_object

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CONFIG = "adapter_config.json"
PLAIN = re.compile(r"[\w.-]+")  # a name or the end of one, which is no pattern that could take long
_CHANGES_BASE = (
    "it moves part of the base's weights into the adapter, so that the base is no longer the base compared with"
)
_NEEDS_DATA = "it needs statistics of the training data that are not gathered here, and without them equals plain LoRA"
SAID_OTHERWISE = {"lora_alpha": "alpha", "lora_dropout": "dropout", "rank": "r"}
LORA_SETTINGS = {
    "alpha_pattern",
    "bias",
    "ensure_weight_tying",
    "exclude_modules",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "modules_to_save",
    "rank_pattern",
    "use_dora",
    "use_rslora",
}
REFUSED_INITIALISATIONS = {
    "pissa": _CHANGES_BASE,
    "olora": _CHANGES_BASE,
    "corda": _CHANGES_BASE,
    "loftq": "it rewrites the base's weights and runs on CUDA only",
    "mica": "it decomposes the base's weights, which fails on quantized ones",
    "orthogonal": "it fails on quantized weights",
    "eva": _NEEDS_DATA,
    "lora_ga": _NEEDS_DATA,
}


def check_lora(r: int, alpha: float | None, dropout: float, seed: int) -> None:
    """Refuse numbers that are out of range.

    Raises:
        ConfigurationError: Says which, and what is possible.
    """
    if isinstance(r, bool) or not isinstance(r, int) or r < 1:
        msg = f"r={r!r}: the rank must be at least 1, a whole number"
        raise ConfigurationError(msg)
    if alpha is not None and not (is_number(alpha) and alpha > 0):
        msg = f"alpha={alpha!r}: must be a positive number"
        raise ConfigurationError(msg)
    if not (isinstance(dropout, int | float) and 0 <= dropout < 1):
        msg = f"dropout={dropout!r}: must be at least 0 and below 1"
        raise ConfigurationError(msg)
    if isinstance(seed, bool) or not isinstance(seed, int):
        msg = f"seed={seed!r}: must be a whole number"
        raise ConfigurationError(msg)


def check_lora_config(given: Mapping[str, Any]) -> None:
    """Let through what is known to train, save, reload and switch off on a quantized base.

    Raises:
        ConfigurationError: A setting is another one, or has a value that changes the base or cannot work.
    """
    for name, value in given.items():
        if name in SAID_OTHERWISE:
            msg = f"{name}={value!r}: say {SAID_OTHERWISE[name]}="
            raise ConfigurationError(msg)
        if name not in LORA_SETTINGS:
            allowed = ", ".join(sorted(LORA_SETTINGS))
            msg = (
                f"attach_lora takes no {name}.{did_you_mean(name, LORA_SETTINGS)} Of peft.LoraConfig it takes {allowed}"
            )
            raise ConfigurationError(msg)
    if given.get("bias", "none") != "none":
        msg = f"bias={given['bias']!r} is refused: it changes the base, which is then no longer what is compared with"
        raise ConfigurationError(msg)
    _refuse_initialisation(given.get("init_lora_weights", True))


def _refuse_initialisation(kind: bool | str) -> None:  # noqa: FBT001  # peft's own type
    if kind is True or kind == "gaussian":
        return
    reason = next((why for name, why in REFUSED_INITIALISATIONS.items() if str(kind).startswith(name)), None)
    if kind is False:
        reason = "the adapter would change every answer before the first step"
    msg = (
        f"init_lora_weights={kind!r} is refused: {reason or 'it is not known to work on a quantized base'}. "
        "Use True (the default) or 'gaussian'"
    )
    raise ConfigurationError(msg)


def check_targets(model: PreTrainedModel, targets: str | Sequence[str]) -> None:
    """Refuse targets that match nothing, or something other than linear layers.

    Raises:
        ConfigurationError: Says which, and what linear layers the model has.
    """
    if targets == "all-linear":
        return
    linear = linear_layers(model)
    if isinstance(targets, str):
        try:
            matched = [name for name, _ in model.named_modules() if re.fullmatch(targets, name)]
        except re.error as error:
            msg = f"target_modules={targets!r} is not a regular expression: {error}"
            raise ConfigurationError(msg) from error
        others = sorted(set(matched) - set(linear))
        if matched and others:
            msg = f"target_modules={targets!r} matches {others[-1]!r} as well, which is no linear layer; narrow it"
            raise ConfigurationError(msg)
        unmatched = [] if matched else [targets]
    else:
        unmatched = [t for t in targets if not any(name == t or name.endswith(f".{t}") for name in linear)]
    if unmatched or not targets:
        endings = sorted({name.rpartition(".")[2] for name in linear})
        hint = did_you_mean(unmatched[0], endings) if unmatched else ""
        msg = (
            f"target_modules: {', '.join(map(repr, unmatched)) or 'an empty list'} matches no linear layer.{hint} "
            f"The model's linear layers are: {', '.join(endings)}"
        )
        raise ConfigurationError(msg)


def linear_layers(model: PreTrainedModel) -> list[str]:
    """Names of the layers an adapter can stand beside: linear ones, quantized or not, without the output head."""
    head, kinds = model.get_output_embeddings(), torch.nn.Linear | Conv1D
    return [name for name, module in model.named_modules() if isinstance(module, kinds) and module is not head]


def spelled_out(model: PreTrainedModel, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of ``peft.LoraConfig`` with the names of linear layers in place of the patterns that match them.

    Raises:
        ConfigurationError: A pattern is no regular expression, or stands where only names are possible.
    """
    found, linear = dict(settings), linear_layers(model)
    for name in ("modules_to_save", "layers_pattern"):
        given = settings.get(name) or ()
        odd = [item for item in ((given,) if isinstance(given, str) else given) if not _is_plain(item)]
        if odd:
            msg = f"{name}: {odd[0]!r} is no name of a module; patterns are not taken here"
            raise ConfigurationError(msg)
    for name in ("target_modules", "exclude_modules"):
        if isinstance(settings.get(name), str) and settings[name] != "all-linear":
            pattern = _compiled(name, settings[name])
            found[name] = [layer for layer in linear if pattern.fullmatch(layer)]
    for name in ("rank_pattern", "alpha_pattern"):
        given = settings.get(name) or {}
        if not all(map(_is_plain, given)):
            patterns = {_compiled(name, rf"(.*\.)?({key})$"): value for key, value in given.items()}  # as peft has it
            values = {layer: [v for pattern, v in patterns.items() if pattern.match(layer)] for layer in linear}
            found[name] = {layer: matching[0] for layer, matching in values.items() if matching}
    return found


def read_lora_config(folder: Path, *, largest: int) -> peft.LoraConfig:
    """The configuration of an adapter that may come from anywhere.

    Args:
        folder: Holds ``adapter_config.json``.
        largest: The largest dimension of the adapter's tensors, above which no rank can be.

    Raises:
        AdapterError: It holds a setting that this library does not write, or a value that cannot be right.
    """
    path = folder / CONFIG
    held = read_object(path, AdapterError, "Put it back from a copy, or train anew")
    wrong = next(_faults(held, largest), None)
    if wrong is not None:
        msg = f"{path}: {wrong}; it is not as this library writes it, and is not loaded"
        raise AdapterError(msg)
    settings = {name: held[name] for name in (*LORA_SETTINGS, *_NEEDED) if name in held}
    try:
        return peft.LoraConfig(**{**settings, "task_type": "CAUSAL_LM", "inference_mode": True})
    except (TypeError, ValueError) as error:  # settings that do not go together
        msg = f"{path}: {error}; it is not as this library writes it, and is not loaded"
        raise AdapterError(msg) from error


def _faults(held: Mapping[str, Any], largest: int) -> Iterator[str]:
    """What is wrong with a configuration."""
    usual = peft.LoraConfig().to_dict()
    for name, value in held.items():
        known = name in LORA_SETTINGS or name in _NEEDED or name in _NOT_READ
        if not known and value != usual.get(name) and value not in (None, False, [], {}):
            yield f"{name}={_short(value)} is not allowed"
    if held.get("peft_type") != "LORA" or held.get("task_type") != "CAUSAL_LM":
        yield "it is not of a LoRA adapter of a causal language model"
    for name, is_right in _NEEDED.items():
        if not is_right(held.get(name)):
            yield f"{name}={_short(held.get(name))}"
    for name, is_right in _ALLOWED.items():
        if name in held and held[name] is not None and not is_right(held[name]):
            yield f"{name}={_short(held[name])}"
    ranks = [held.get("r"), *(held.get("rank_pattern") or {}).values()]
    if any(rank > largest for rank in ranks):
        yield f"a rank of {max(ranks)} where no weight has more than {largest} rows or columns"


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and PLAIN.fullmatch(value) is not None


def _are_plain(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_plain, value))


def _is_pattern(value: object, is_right: Callable[[object], bool]) -> bool:
    return isinstance(value, dict) and all(map(_is_plain, value)) and all(map(is_right, value.values()))


def _is_rank(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_scale(value: object) -> bool:
    return isinstance(value, int | float) and is_number(value) and value > 0


def _are_layers(value: object) -> bool:
    numbers = value if isinstance(value, list) else [value]
    return all(isinstance(number, int) and not isinstance(number, bool) for number in numbers)


def _is_dropout(value: object) -> bool:
    return isinstance(value, int | float) and 0 <= value < 1


def _is_truth(value: object) -> bool:
    return isinstance(value, bool)


def _short(value: object) -> str:
    said = repr(value)
    return said if len(said) <= SHOWN else f"{said[:SHOWN]}..."


def _compiled(name: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        msg = f"{name}={pattern!r} is not a regular expression: {error}"
        raise ConfigurationError(msg) from error


SHOWN = 100  # characters of a value in a message
# Settings that are always there, with what they may hold.
_NEEDED: Mapping[str, Callable[[object], bool]] = {
    "r": _is_rank,
    "lora_alpha": _is_scale,
    "lora_dropout": _is_dropout,
    "target_modules": _are_plain,
}
_ALLOWED: Mapping[str, Callable[[object], bool]] = {
    "alpha_pattern": lambda value: _is_pattern(value, _is_scale),
    "bias": lambda value: value == "none",
    "ensure_weight_tying": _is_truth,
    "exclude_modules": _are_plain,
    "init_lora_weights": lambda value: value is True or value == "gaussian",
    "layers_pattern": lambda value: _is_plain(value) or _are_plain(value),
    "layers_to_transform": _are_layers,
    "modules_to_save": _are_plain,
    "rank_pattern": lambda value: _is_pattern(value, _is_rank),
    "use_dora": _is_truth,
    "use_rslora": _is_truth,
}
# The base comes from the manifest or from the user, never from here.
_NOT_READ = {"base_model_name_or_path", "inference_mode", "peft_type", "peft_version", "revision", "task_type"}
