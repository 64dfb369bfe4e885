"""Attach LoRA adapters to a frozen base; save them so that they can be trusted; load them onto the base they know."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlorakit.bitsandbytes_offline import peft

import torch
from transformers.pytorch_utils import Conv1D

from qlorakit.display import show
from qlorakit.encoding import template_hash
from qlorakit.errors import AdapterError, ConfigurationError, ModelError, did_you_mean
from qlorakit.quantization import (
    base_hashes,
    check_safetensors,
    keep_unpacked,
    load_quantized,
    quantization_record,
    resolve_model,
)
from qlorakit.records import damage_of, plain, seal_of, versions, write_json

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

MANIFEST, RUN_RECORD, WEIGHTS = "manifest.json", "run.json", "adapter_model.safetensors"
MANIFEST_FORMAT = 1
VERIFICATION = "qlorakit_verification"
# Attributes of an adapted model, which peft has no place for: the task it was trained for, and hashes of the questions
# that its checkpoint was chosen on.
TRAINED_FOR, CHOSEN_ON = "qlorakit_task", "qlorakit_chosen_on"
# Likewise the thresholds that were fitted on these questions, and what was logged in training.
DECISION, HISTORY = "qlorakit_decision", "qlorakit_history"
LORA_SEED = "qlorakit_seed"  # attribute of an adapted model: peft has no place for it

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


def attach_lora(
    model: PreTrainedModel,
    *,
    r: int = 16,
    alpha: float | None = None,
    dropout: float = 0.0,
    target_modules: str | Sequence[str] = "all-linear",
    seed: int = 0,
    **lora_config: Any,  # noqa: ANN401  # whatever peft.LoraConfig takes
) -> peft.PeftModel:
    """Put trainable low-rank adapters beside the frozen linear layers (LoRA, Hu et al., 2021).

    Args:
        model: As ``load_quantized`` returns it.
        r: Rank of the adapters.
        alpha: Scale: an adapter's output is multiplied by ``alpha / r``; twice ``r`` unless given.
        dropout: Share of an adapter's inputs dropped in training.
        target_modules: ``"all-linear"`` (all but the output head), a list of name endings, or a regular expression
            for whole names.
        seed: For the adapters' random start.
        **lora_config: Those further settings of ``peft.LoraConfig`` that work on a quantized base, such as
            ``use_rslora=True`` (Kalajdzievski, 2023) or ``use_dora=True`` (Liu et al., 2024).

    Returns:
        The model with its adapters, the only weights that require gradients.

    Raises:
        ConfigurationError: A setting is out of range, a module name matches nothing, or an initialisation was asked for
            that cannot work or would change the base.
        ModelError: The model has adapters already.
    """
    if any(isinstance(module, peft.tuners.tuners_utils.BaseTunerLayer) for module in model.modules()):
        msg = "the model has an adapter already; load the base anew with load_quantized"
        raise ModelError(msg)
    _check_lora(r, alpha, dropout, seed)
    _check_lora_config(lora_config)
    _check_targets(model, target_modules)
    targets = target_modules if isinstance(target_modules, str) else list(target_modules)
    config = peft.LoraConfig(
        r=r,
        lora_alpha=2 * r if alpha is None else alpha,
        lora_dropout=dropout,
        target_modules=targets,
        task_type="CAUSAL_LM",
        **lora_config,
    )
    keep_unpacked(model)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        try:
            adapted = peft.get_peft_model(model, config)
        except (NotImplementedError, TypeError, ValueError) as error:
            msg = f"attach_lora: peft refuses the settings: {str(error).splitlines()[0]}"
            raise ConfigurationError(msg) from error
    setattr(adapted, LORA_SEED, seed)
    trainable, total = adapted.get_nb_trainable_parameters()
    show(f"LoRA: {trainable:,} of {total:,} parameters are trainable ({trainable / total:.2%})")
    return adapted


def save_adapter(model: peft.PeftModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write the adapter and the tokenizer with its template into a folder.

    Raises:
        AdapterError: A weight is not finite; nothing is written.
    """
    broken = [name for name, p in model.named_parameters() if p.requires_grad and not torch.isfinite(p).all()]
    if broken:
        msg = f"the adapter is not saved: {len(broken)} of its tensors hold NaN or infinity, {broken[0]} first"
        raise AdapterError(msg)
    # Whether embeddings changed is not asked: asking would contact the Hub about the base.
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # a template for a model card, with nothing filled in
    tokenizer.save_pretrained(folder)


def verify_adapter(model: peft.PeftModel, folder: Path, ask: Callable[[], Any]) -> bool:
    """Load a saved adapter afresh beside the one in memory: does it answer exactly the same?

    Args:
        model: With the adapter that was saved.
        folder: Where it was saved.
        ask: Puts the same questions to the model each time it is called.
    """
    active = model.active_adapter
    expected = ask()
    with torch.random.fork_rng():  # a new adapter starts at random before its weights are read
        model.load_adapter(str(folder), adapter_name=VERIFICATION)
    try:
        model.set_adapter(VERIFICATION)
        keep_unpacked(model)
        return bool(ask() == expected)
    finally:
        model.set_adapter(active)
        model.delete_adapter(VERIFICATION)


def seal_adapter(
    folder: Path,
    tokenizer: PreTrainedTokenizerBase,
    *,
    task_name: str,
    base: Mapping[str, Any],
    run_record: Mapping[str, Any],
    decision: Mapping[str, float] | None = None,
) -> None:
    """Add the run record and, last of all, the manifest: a folder without one is not an adapter of this library."""
    write_json(folder / RUN_RECORD, run_record, default=plain)
    manifest = {
        "format": MANIFEST_FORMAT,
        "task": task_name,
        "base": dict(base),
        "max_length": run_record.get("settings", {}).get("max_length"),
        "decision": dict(decision) if decision else None,
        "tokenizer": tokenizer_hash(tokenizer),
        "template": template_hash(tokenizer),
        "versions": versions(),
        "files": seal_of(folder),
    }
    write_json(folder / MANIFEST, manifest)


def load_adapter(
    folder: str | Path,
    *,
    base: str | Path | None = None,
    compute_dtype: str | torch.dtype | None = None,
    device: str | torch.device | None = None,
) -> tuple[peft.PeftModel, PreTrainedTokenizerBase]:
    """Load an adapter that ``train`` saved, onto the very base it was trained on.

    Args:
        folder: The run's folder or the ``adapter`` folder in it.
        base: Where the base is, if it no longer goes by the name in the manifest.
        compute_dtype: See :func:`~qlorakit.load_quantized`; the one of the training unless given.
        device: See :func:`~qlorakit.load_quantized`.

    Returns:
        The model with its adapter, in evaluation mode, and the tokenizer with the template of the training.

    Raises:
        AdapterError: The folder is no adapter, a file of it changed since, or the base, tokenizer or template is not
            the one it was trained with; says which.
    """
    folder = adapter_folder(Path(folder))
    manifest = read_manifest(folder)
    recorded = manifest["base"]
    name = str(base or recorded["name"])
    revision = None if base else recorded["revision"]
    try:
        hashes = base_hashes(resolve_model(name, revision=revision).folder)
    except ModelError as error:
        msg = f"{error} If the base of {folder} has moved, give its place with base="
        raise ModelError(msg) from error
    if recorded["files"] and hashes != recorded["files"]:
        changed = sorted({file for file, _ in set(hashes.items()) ^ set(recorded["files"].items())})
        msg = (
            f"{folder}: the base {name!r} is not the one this adapter was trained on; it differs in "
            f"{', '.join(changed)}. Give the right one with base="
        )
        raise AdapterError(msg)
    settings = recorded["quantization"]
    model, tokenizer = load_quantized(
        name,
        quantization=settings["quantization"],
        double_quantization=settings["double_quantization"],
        compute_dtype=compute_dtype or settings["compute_dtype"],
        device=device,
        revision=revision,
    )
    if tokenizer_hash(tokenizer) != manifest["tokenizer"]:
        msg = f"{folder}: the tokenizer of base {name!r} is not the one this adapter was trained with"
        raise AdapterError(msg)
    tokenizer.chat_template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    if template_hash(tokenizer) != manifest["template"]:
        msg = f"{folder}: the chat template is not the one this adapter was trained with"
        raise AdapterError(msg)
    if manifest["max_length"]:  # questions are cut as they were in training
        tokenizer.model_max_length = manifest["max_length"]
    adapted = peft.PeftModel.from_pretrained(model, folder)
    keep_unpacked(adapted)
    record = json.loads((folder / RUN_RECORD).read_text(encoding="utf-8"))
    remembered = {TRAINED_FOR: manifest["task"], DECISION: manifest.get("decision"), HISTORY: record.get("history", ())}
    for name, value in remembered.items():
        setattr(adapted, name, value)
    adapted.eval()
    return adapted, tokenizer


def is_fresh(model: peft.PeftModel) -> bool:
    """Whether the adapter still changes nothing: its second matrices start at zero."""
    return not any(bool(p.any()) for name, p in model.named_parameters() if "lora_B" in name)


def finished_steps(folder: Path) -> int | None:
    """The steps of the run that left an adapter in a folder; ``None`` where there is none."""
    try:
        return int(json.loads((folder / RUN_RECORD).read_text(encoding="utf-8"))["steps"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def warn_of_other_task(model: torch.nn.Module, task_name: str) -> None:
    """Say so where an adapter is asked about a task it was not trained for."""
    trained_for = vars(model).get(TRAINED_FOR)
    if trained_for is not None and trained_for != task_name:
        logger.warning("the adapter was trained for %s and is asked about %s", trained_for, task_name)


def adapter_folder(folder: Path) -> Path:
    """The folder that holds the manifest: the one given, or ``adapter`` in it.

    Raises:
        AdapterError: Neither has one.
    """
    for candidate in (folder, folder / "adapter"):
        if (candidate / MANIFEST).is_file():
            return candidate
    if folder.name.startswith("checkpoint-"):
        msg = f"{folder} is a checkpoint, not a result: go on with train(..., resume_from_checkpoint=True), or load "
        raise AdapterError(msg + f"{folder.parent.parent} when that is done")
    unfinished = " It holds checkpoints of a run that did not finish." if (folder / "checkpoints").is_dir() else ""
    msg = f"{folder} holds no adapter saved by this library ({MANIFEST} is missing).{unfinished}"
    raise AdapterError(msg)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read an adapter's manifest and check every file against it.

    Raises:
        AdapterError: The manifest is unreadable or of a newer format, or a file is missing, changed or damaged.
    """
    try:
        manifest: dict[str, Any] = dict(json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        msg = f"{folder / MANIFEST} is damaged ({error})"
        raise AdapterError(msg) from error
    if manifest.get("format") != MANIFEST_FORMAT:
        msg = f"{folder / MANIFEST} has format {manifest.get('format')!r}; this version reads {MANIFEST_FORMAT}"
        raise AdapterError(msg)
    kinds = {"task": str, "base": dict, "tokenizer": str, "template": str, "files": dict}
    wrong = [name for name, kind in kinds.items() if not isinstance(manifest.get(name), kind)]
    if wrong or not {"name", "revision", "files", "quantization"} <= set(manifest["base"]):
        msg = f"{folder / MANIFEST} is damaged: {', '.join(wrong) or 'base'} is not as it was written"
        raise AdapterError(msg)
    for path, what in damage_of(folder, manifest["files"]):
        role = {"chat_template.jinja": "chat template", "tokenizer.json": "tokenizer", WEIGHTS: "adapter"}
        msg = f"{path} {what}; the {role.get(path.name, 'record')} does not match the manifest"
        raise AdapterError(msg)
    check_safetensors(folder)
    return manifest


def base_record(model: peft.PeftModel | PreTrainedModel) -> dict[str, Any]:
    """What identifies the base: name, revision, hashes of its files, and how it was quantized."""
    inner = model.get_base_model() if isinstance(model, peft.PeftModel) else model
    name, revision = str(inner.config._name_or_path), getattr(inner.config, "_commit_hash", None)
    try:
        files = base_hashes(resolve_model(name, revision=revision).folder)
    except (ModelError, OSError):  # a model that was built in memory has no files
        files = {}
        logger.warning("the base %r has no weight files that could be found; the manifest cannot recognise it", name)
    return {"name": name, "revision": revision, "files": files, "quantization": quantization_record(inner)}


def tokenizer_hash(tokenizer: PreTrainedTokenizerBase) -> str:
    """SHA-256 over the vocabulary and the control tokens, in hexadecimal; the template has its own."""
    parts = [sorted(tokenizer.get_vocab().items()), sorted(tokenizer.all_special_tokens), tokenizer.pad_token]
    probe = tokenizer("The 3 quick\tbrown foxes, 1,250.75 EUR\n\nÄrzte", add_special_tokens=False)["input_ids"]
    return hashlib.sha256(json.dumps([*parts, list(probe)]).encode()).hexdigest()


def _check_lora(r: int, alpha: float | None, dropout: float, seed: int) -> None:
    if isinstance(r, bool) or not isinstance(r, int) or r < 1:
        msg = f"r={r!r}: the rank must be at least 1, a whole number"
        raise ConfigurationError(msg)
    if alpha is not None and not (isinstance(alpha, int | float) and alpha > 0 and math.isfinite(alpha)):
        msg = f"alpha={alpha!r}: must be a positive number"
        raise ConfigurationError(msg)
    if not (isinstance(dropout, int | float) and 0 <= dropout < 1):
        msg = f"dropout={dropout!r}: must be at least 0 and below 1"
        raise ConfigurationError(msg)
    if isinstance(seed, bool) or not isinstance(seed, int):
        msg = f"seed={seed!r}: must be a whole number"
        raise ConfigurationError(msg)


def _check_lora_config(given: Mapping[str, Any]) -> None:
    """Let through what is known to train, save, reload and switch off on a quantized base."""
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


def _check_targets(model: PreTrainedModel, targets: str | Sequence[str]) -> None:
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
