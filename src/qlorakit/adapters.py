"""Attach LoRA adapters to a frozen base; save them so that they can be trusted; load them onto the base they know."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from qlorakit.bitsandbytes_offline import peft

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from qlorakit.display import show
from qlorakit.encoding import template_hash
from qlorakit.errors import AdapterError, ConfigurationError, ModelError
from qlorakit.lora_settings import CONFIG, check_lora, check_lora_config, check_targets, read_lora_config, spelled_out
from qlorakit.model_folders import check_model_folder
from qlorakit.quantization import (
    DTYPES,
    Quantization,
    base_hashes,
    keep_unpacked,
    load_quantized,
    quantization_record,
    resolve_model,
)
from qlorakit.records import (
    damage_of,
    file_hash,
    forget_hashes,
    is_number,
    is_sealed,
    plain,
    read_object,
    seal_of,
    versions,
    write_json,
    write_sealed,
)
from qlorakit.template_trial import template_fault

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

MANIFEST, RUN_RECORD, WEIGHTS = "manifest.json", "run.json", "adapter_model.safetensors"
MANIFEST_FORMAT = 1
PUT_BACK = "Put it back from a copy, or train anew"
NEEDED_FILES = (WEIGHTS, CONFIG, "chat_template.jinja", RUN_RECORD)
LARGEST_COUNT = 2**31 - 1
COMMIT = re.compile("[0-9a-f]{40}")
RUST_ERROR = re.compile(r"\(os error (\d+)\)")  # how Rust says which error of the system it met
VERIFICATION = "qlorakit_verification"
# Attributes of an adapted model, which peft has no place for: the task it was trained for, and hashes of the questions
# that its checkpoint was chosen on.
TRAINED_FOR, CHOSEN_ON = "qlorakit_task", "qlorakit_chosen_on"
# Likewise the thresholds that were fitted on these questions, and what was logged in training.
DECISION, HISTORY = "qlorakit_decision", "qlorakit_history"
# Likewise the tokenizer it was trained with, the hash of its manifest, and the fingerprints of its run's rows by split.
TOKENIZER, MANIFEST_HASH, FINGERPRINTS = "qlorakit_tokenizer", "qlorakit_manifest", "qlorakit_fingerprints"
# Likewise the hash of its weights at that time: after others were put into the model, the manifest is not theirs.
ORIGINAL_WEIGHTS = "qlorakit_original_weights"
LORA_SEED = "qlorakit_seed"  # attribute of an adapted model: peft has no place for it
CONTINUED_FROM = "qlorakit_continued_from"  # likewise: the finished adapter that was loaded to be trained on
# Beside "adapter" while the one takes the other's place: complete but not there yet, and on its way out.
UNPLACED, REPLACED = ".adapter.partial", ".adapter.old"


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
    check_lora(r, alpha, dropout, seed)
    check_lora_config(lora_config)
    check_targets(model, target_modules)
    targets = target_modules if isinstance(target_modules, str) else list(target_modules)
    config = peft.LoraConfig(
        r=r,
        lora_alpha=2 * r if alpha is None else alpha,
        lora_dropout=dropout,
        task_type="CAUSAL_LM",
        **spelled_out(model, {**lora_config, "target_modules": targets}),
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
    save_tokenizer(tokenizer, folder)


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write the tokenizer with its template into a folder.

    Raises:
        OSError: It cannot be written.
    """
    try:
        tokenizer.save_pretrained(folder)
    except Exception as error:
        number = RUST_ERROR.search(str(error))
        if type(error) is not Exception or number is None:
            raise
        # The tokenizers library has no class for this.
        raise OSError(int(number[1]), str(error), str(folder / "tokenizer.json")) from error


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
    continued_from: Mapping[str, Any] | None = None,
) -> None:
    """Add the run record and, last of all, the manifest: a folder without one is not an adapter of this library."""
    write_json(folder / RUN_RECORD, run_record, default=plain)
    manifest = {
        "format": MANIFEST_FORMAT,
        "task": task_name,
        "base": dict(base),
        "max_length": run_record.get("settings", {}).get("max_length"),
        "decision": dict(decision) if decision else None,
        "continued_from": dict(continued_from) if continued_from else None,
        "tokenizer": tokenizer_hash(tokenizer),
        "template": template_hash(tokenizer),
        "versions": versions(),
        "files": seal_of(folder),
    }
    write_sealed(folder / MANIFEST, manifest)


def load_adapter(
    folder: str | Path,
    *,
    base: str | Path | None = None,
    compute_dtype: str | torch.dtype | None = None,
    device: str | torch.device | None = None,
    trainable: bool = False,
    manifest_sha256: str | None = None,
) -> tuple[peft.PeftModel, PreTrainedTokenizerBase]:
    """Load an adapter that ``train`` saved, onto the very base it was trained on.

    Args:
        folder: The run's folder or the ``adapter`` folder in it.
        base: Where the base is, if it no longer goes by the name in the manifest.
        compute_dtype: See :func:`~qlorakit.load_quantized`; the one of the training unless given.
        device: See :func:`~qlorakit.load_quantized`.
        trainable: Whether ``train`` may go on from it, with new data and in another ``output_dir``: as a run of its
            own, with a fresh optimizer, whose records name this adapter.  Otherwise its weights are frozen.
        manifest_sha256: The SHA-256 of ``manifest.json`` in hexadecimal, from whoever made the adapter, by another way
            than the adapter itself.  The hashes in the manifest tell damage alone: who changes a file can change them,
            but not this one.

    Returns:
        The model with its adapter, in evaluation mode, and the tokenizer with the template of the training.

    Raises:
        AdapterError: The folder is no adapter, a file of it changed since, or the base, tokenizer or template is not
            the one it was trained with; says which.
    """
    forget_hashes()  # a file may be exchanged for one of the same size and time
    folder = adapter_folder(Path(folder))
    if manifest_sha256 is not None and file_hash(folder / MANIFEST) != manifest_sha256.strip().lower():
        msg = f"{folder / MANIFEST} is not the one that manifest_sha256= names; the adapter is another, or was changed"
        raise AdapterError(msg)
    manifest = read_manifest(folder)
    history = _history(folder)
    recorded = manifest["base"]
    name = str(base or recorded["name"])
    revision = None if base else recorded["revision"]
    try:
        place = resolve_model(name, revision=revision).folder
    except ModelError as error:
        msg = f"{error} If the base of {folder} has moved, give its place with base="
        raise ModelError(msg) from error
    check_model_folder(place)
    changed = changed_in_base(recorded, base)
    if changed:
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
    tokenizer.chat_template = _template_in(folder)
    if template_hash(tokenizer) != manifest["template"]:
        msg = f"{folder}: the chat template is not the one this adapter was trained with"
        raise AdapterError(msg)
    fault = template_fault(tokenizer.chat_template)
    if fault is not None:
        msg = f"{folder}: the chat template cannot be used: {fault}"
        raise AdapterError(msg)
    if manifest["max_length"]:  # questions are cut as they were in training
        tokenizer.model_max_length = manifest["max_length"]
    adapted = _put_on(model, folder, trainable=trainable)
    keep_unpacked(adapted)
    remembered = {TRAINED_FOR: manifest["task"], DECISION: manifest.get("decision"), HISTORY: history}
    if trainable:
        remembered[CONTINUED_FROM] = _identity(folder, manifest)
    for name, value in remembered.items():
        setattr(adapted, name, value)
    settings = _read_record(folder / RUN_RECORD).get("settings")
    remember_origin(adapted, tokenizer, folder, settings if isinstance(settings, dict) else {})
    adapted.eval()
    return adapted, tokenizer


def changed_in_base(recorded: Mapping[str, Any], elsewhere: str | Path | None) -> list[str]:
    """Files of a base that are not as a record says; none where it was made in memory and has no hashes.

    Args:
        recorded: What :func:`base_record` gave.
        elsewhere: Where the base is, if it no longer goes by its name.

    Raises:
        ModelError: The base is not there.
    """
    if not recorded["files"]:
        return []
    revision = None if elsewhere else recorded["revision"]
    hashes = base_hashes(resolve_model(str(elsewhere or recorded["name"]), revision=revision).folder)
    return sorted({file for file, _ in set(hashes.items()) ^ set(recorded["files"].items())})


def _template_in(folder: Path) -> str:
    try:
        return (folder / "chat_template.jinja").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{folder / 'chat_template.jinja'} is damaged ({error})"
        raise AdapterError(msg) from error


def _identity(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What tells an adapter from others, without the place it has on this machine."""
    return {
        "folder": (folder.parent if folder.name in {"adapter", UNPLACED, REPLACED} else folder).resolve().name,
        "task": manifest["task"],
        "steps": _read_record(folder / RUN_RECORD).get("steps"),
        "manifest": file_hash(folder / MANIFEST),
    }


def _put_on(model: PreTrainedModel, folder: Path, *, trainable: bool) -> peft.PeftModel:
    """The model with the adapter of a folder; nothing but the adapter's own weights is taken from its file.

    Raises:
        AdapterError: The file holds other tensors than an adapter with this configuration has on this base.
    """
    path = folder / WEIGHTS
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        msg = f"{path} is damaged ({error})"
        raise AdapterError(msg) from error
    config = read_lora_config(
        folder, largest=max((size for item in tensors.values() for size in item.shape), default=0)
    )
    config.inference_mode = not trainable
    try:
        with torch.random.fork_rng():  # a new adapter starts at random before its weights are put in
            adapted = peft.get_peft_model(model, config)
    except (NotImplementedError, KeyError, RuntimeError, TypeError, ValueError) as error:
        msg = f"{folder / CONFIG} does not fit the base: {str(error).splitlines()[0]}"
        raise AdapterError(msg) from error
    wrong = next(_differences(tensors, peft.get_peft_model_state_dict(adapted, save_embedding_layers=False)), None)
    if wrong is not None:
        msg = f"{path} is not the weights of the adapter that {CONFIG} describes: {wrong}; it is not loaded"
        raise AdapterError(msg)
    peft.set_peft_model_state_dict(adapted, tensors)
    return adapted if trainable else adapted.requires_grad_(requires_grad=False)


def _differences(held: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor]) -> Iterator[str]:
    """What tells the tensors of a file from those of an adapter: peft would put any that it finds into the base."""
    yield from (f"{name!r} is no part of it" for name in sorted(set(held) - set(expected)))
    yield from (f"{name!r} is missing" for name in sorted(set(expected) - set(held)))
    for name, tensor in held.items():
        if tensor.shape != expected[name].shape or tensor.is_floating_point() != expected[name].is_floating_point():
            found, needed = ([*item.shape, str(item.dtype)] for item in (tensor, expected[name]))
            yield f"{name!r} is {found} instead of {needed}"
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            yield f"{name!r} holds NaN or infinity"


def weights_hash(model: peft.PeftModel) -> str:
    """SHA-256 of an adapter's weights by their names, in hexadecimal: two adapters of one hash answer alike."""
    digest = hashlib.sha256()
    weights = peft.get_peft_model_state_dict(model, save_embedding_layers=False)  # else it asks the Hub about the base
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def remember_origin(
    model: peft.PeftModel, tokenizer: PreTrainedTokenizerBase, folder: Path, settings: Mapping[str, Any]
) -> None:
    """Note where an adapter comes from, which is needed and recorded when it is merged.

    Args:
        model: With the adapter.
        tokenizer: It was trained with.
        folder: Of the adapter; other machines of a run may not see it.
        settings: Of the run.
    """
    manifest = folder / MANIFEST
    prints = {"validation": settings.get("eval_fingerprint"), "training": settings.get("train_fingerprint")}
    sealed = file_hash(manifest) if manifest.is_file() else None
    remembered = {
        TOKENIZER: tokenizer, MANIFEST_HASH: sealed, FINGERPRINTS: prints, ORIGINAL_WEIGHTS: weights_hash(model),
    }  # fmt: skip
    for name, value in remembered.items():
        setattr(model, name, value)


def adapter_record(model: peft.PeftModel) -> dict[str, str | None]:
    """What identifies an adapter: its weights, and its manifest where they are still those that it seals."""
    weights = weights_hash(model)
    certain = vars(model).get(ORIGINAL_WEIGHTS) == weights
    return {"weights": weights, "manifest": vars(model).get(MANIFEST_HASH) if certain else None}


def is_fresh(model: peft.PeftModel) -> bool:
    """Whether the adapter still changes nothing: its second matrices start at zero."""
    return not any(bool(p.any()) for name, p in model.named_parameters() if "lora_B" in name)


def warn_of_other_task(model: torch.nn.Module, task_name: str) -> None:
    """Say so where an adapter is asked about a task it was not trained for."""
    trained_for = vars(model).get(TRAINED_FOR)
    if trained_for is not None and trained_for != task_name:
        logger.warning("the adapter was trained for %s and is asked about %s", trained_for, task_name)


def adapter_folder(folder: Path) -> Path:
    """The folder that holds the manifest: the one given, or ``adapter`` in it.

    Where a process was killed while a new adapter took the old one's place, it is the new one, which is complete, or
    else the old one.

    Raises:
        AdapterError: None has one.
    """
    places = [folder, folder / "adapter"]
    if not places[-1].exists():
        places += [folder / UNPLACED, folder / REPLACED]
    for candidate in places:
        if (candidate / MANIFEST).is_file():
            if candidate != folder and candidate.is_symlink():
                msg = f"{candidate} is a link, which is not followed; give the folder itself"
                raise AdapterError(msg)
            if candidate.name == REPLACED:
                logger.warning("%s: the adapter that was to replace this one was not completed", candidate)
            return candidate
    if folder.name.startswith("checkpoint-"):
        msg = f"{folder} is a checkpoint, not a result: go on with train(..., resume_from_checkpoint=True), or load "
        raise AdapterError(msg + f"{folder.parent.parent} when that is done")
    advice = "Give the output_dir of a training"
    if (folder / "checkpoints").is_dir():
        advice = "It holds checkpoints of a run that did not finish. Go on with train(..., resume_from_checkpoint=True)"
    msg = f"{folder} holds no adapter saved by this library ({MANIFEST} is missing). {advice}"
    raise AdapterError(msg)


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read an adapter's manifest and check every file against it.

    Raises:
        AdapterError: The manifest is unreadable or of a newer format, or a file is missing, changed or damaged.
    """
    manifest = parse_manifest(folder)
    for path, what in damage_of(folder, manifest["files"]):
        role = {"chat_template.jinja": "chat template", "tokenizer.json": "tokenizer", WEIGHTS: "adapter"}
        which = role.get(path.name, "record")
        msg = f"{path} {what}; the {which} does not match the manifest. {PUT_BACK}"
        raise AdapterError(msg)
    return manifest


def parse_manifest(folder: Path) -> dict[str, Any]:
    """Read an adapter's manifest, whatever became of the files that it names.

    Raises:
        AdapterError: It is unreadable or of a newer format.
    """
    manifest = _read_record(folder / MANIFEST)
    if manifest.get("format") != MANIFEST_FORMAT:
        msg = f"{folder / MANIFEST} has format {manifest.get('format')!r}; this version reads {MANIFEST_FORMAT}"
        raise AdapterError(msg)
    if not is_sealed(manifest):
        msg = f"{folder / MANIFEST} is damaged: it was changed since it was saved. {PUT_BACK}"
        raise AdapterError(msg)
    wrong = next(_manifest_faults(manifest), None)
    if wrong is not None:
        msg = f"{folder / MANIFEST} is damaged: {wrong} is not as it was written. {PUT_BACK}"
        raise AdapterError(msg)
    return manifest


def _read_record(path: Path) -> dict[str, Any]:
    """A JSON object in an adapter's folder.

    Raises:
        AdapterError: There is none, or it is a link.
    """
    if path.is_symlink():
        msg = f"{path} is a link, which is not followed"
        raise AdapterError(msg)
    return read_object(path, AdapterError, PUT_BACK)


def _history(folder: Path) -> tuple[dict[str, Any], ...]:
    """What was logged in training, of which reports draw the learning curve."""
    history = _read_record(folder / RUN_RECORD).get("history", [])
    if not is_history(history):
        msg = f"{folder / RUN_RECORD} is damaged: history is not as it was written. {PUT_BACK}"
        raise AdapterError(msg)
    return tuple(history)


def is_history(held: object) -> bool:
    """Whether a value is what training logs: objects of numbers, in which null is a number that was not finite."""
    return isinstance(held, list) and all(
        isinstance(entry, dict) and all(value is None or is_number(value) for value in entry.values()) for entry in held
    )


def is_count(value: object) -> bool:
    """Whether a value is a whole number from 1 to what a library in C counts to."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_COUNT


def _manifest_faults(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Entries that are not as this library writes them."""
    kinds = {"task": str, "base": dict, "tokenizer": str, "template": str, "files": dict}
    yield from (name for name, kind in kinds.items() if not isinstance(manifest.get(name), kind))
    yield from (f"files without {name}" for name in NEEDED_FILES if name not in manifest["files"])
    yield from base_faults(manifest["base"])
    decision, length = manifest.get("decision"), manifest.get("max_length")
    if length is not None and not is_count(length):
        yield "max_length"
    if decision is not None and not (isinstance(decision, dict) and all(map(is_number, decision.values()))):
        yield "decision"


def base_faults(base: Mapping[str, Any]) -> Iterator[str]:
    """Entries of the record of a base that are not as :func:`base_record` makes them."""
    quantization, files = base.get("quantization"), base.get("files")
    hashes = isinstance(files, dict) and all(isinstance(found, str) for found in files.values())
    if not (isinstance(base.get("name"), str) and hashes and "revision" in base):
        yield "base"
    elif base["revision"] is not None and not COMMIT.fullmatch(str(base["revision"])):
        yield "base.revision"
    if not isinstance(quantization, dict) or not (
        quantization.get("quantization") in get_args(Quantization)
        and isinstance(quantization.get("double_quantization"), bool)
        and quantization.get("compute_dtype") in [*DTYPES]  # a list: what is no key may be unhashable
    ):
        yield "base.quantization"


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
