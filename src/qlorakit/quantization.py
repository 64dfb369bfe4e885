"""Load a base model, frozen and quantized, with its tokenizer.

QLoRA (Dettmers et al., 2023) keeps the base in 4-bit NormalFloat with the quantization constants quantized in turn, and
computes in a wider type.
"""

from __future__ import annotations

import logging
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from qlorakit.bitsandbytes_offline import bitsandbytes as bnb

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

from qlorakit.encoding import DEFAULT_CHAT_TEMPLATE, control_tokens
from qlorakit.errors import ConfigurationError, ModelError, did_you_mean
from qlorakit.memory import free_bytes
from qlorakit.model_folders import check_model_folder
from qlorakit.plugins import installed
from qlorakit.records import file_hash
from qlorakit.template_trial import template_fault

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from qlorakit.plugins import Plugins

logger = logging.getLogger(__name__)

Quantization = Literal["nf4", "fp4", "int8", "none"]
# What a repository may bring: weights in safetensors, configuration, tokenizer.  No pickles, no code.
HUB_FILES = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]
BITS = {"nf4": 4, "fp4": 4, "int8": 8}  # of a weight, at least
GIB = 1 << 30
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class ResolvedModel:
    """Where a name led.

    Attributes:
        name: As the user gave it.
        folder: Local folder with the files.
        revision: Commit of the Hub; ``None`` for a local folder or a plugin's model.
    """

    name: str
    folder: Path
    revision: str | None = None


def load_quantized(
    name: str | Path,
    *,
    quantization: Quantization = "nf4",
    double_quantization: bool = True,
    compute_dtype: str | torch.dtype | None = None,
    device: str | torch.device | None = None,
    revision: str | None = None,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a causal language model with its linear layers quantized, and its tokenizer.

    A name is looked up as a local folder, then among the models of installed plugins, then on the Hugging Face Hub
    (in its local cache alone where ``HF_HUB_OFFLINE=1``).  Only safetensors are read; no repository's
    code is run.

    Args:
        name: ``"runs/base"``, ``"qlorakit/tiny"``, ``"TinyLlama/TinyLlama-1.1B-Chat-v1.0"``.
        quantization: ``"nf4"`` or ``"fp4"`` (bitsandbytes, 4 bits), ``"int8"`` (bitsandbytes, LLM.int8), ``"none"``.
        double_quantization: Whether the constants of 4-bit blocks are quantized as well: 0.37 bits less a parameter.
        compute_dtype: ``"bfloat16"``, ``"float16"`` or ``"float32"``; unless given, bfloat16 where the hardware has
            it, else float16 on CUDA and float32 on CPU.
        device: ``"cuda"``, ``"cuda:1"``, ``"cpu"``; the first GPU where there is one unless given.
        revision: Branch, tag or commit on the Hub; ``"main"`` unless given.  The commit it led to is recorded.  A
            commit that is in the local cache is loaded without asking the Hub.

    Returns:
        A model in evaluation mode, its embeddings, norms and output head in the compute type, and a tokenizer with
        a padding token that never ends a sequence and with a chat template.

    Raises:
        ConfigurationError: An argument is not one of the allowed values.
        ModelError: The name leads nowhere, or its files are unusable; says what was tried.
    """
    if quantization not in get_args(Quantization):
        allowed = ", ".join(map(repr, get_args(Quantization)))
        hint = did_you_mean(str(quantization), get_args(Quantization))
        msg = f"quantization={quantization!r} is not one of {allowed}.{hint}"
        raise ConfigurationError(msg)
    place = choose_device(device)
    dtype = choose_compute_dtype(compute_dtype, place)
    resolved = resolve_model(str(name), revision=revision)
    if any((resolved.folder / place / "adapter_config.json").is_file() for place in (".", "adapter")):
        msg = f"{name} is an adapter, not a base model; load it with load_adapter, which brings its base along"
        raise ModelError(msg)
    check_model_folder(resolved.folder)
    _check_room(name, resolved.folder, place, quantization, dtype)
    try:
        model, loading = AutoModelForCausalLM.from_pretrained(
            resolved.folder,
            dtype=dtype,
            quantization_config=_quantization_config(quantization, dtype, double=double_quantization),
            device_map={"": place},
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:  # configuration, weights and libraries fail in their own ways
        msg = f"{name}: the model in {resolved.folder} cannot be loaded ({type(error).__name__}: {error})"
        raise ModelError(msg) from error
    if loading["missing_keys"]:
        missing = ", ".join(sorted(loading["missing_keys"]))
        msg = f"{name}: the weights in {resolved.folder} lack {missing}, which would be left random; copy them again"
        raise ModelError(msg)
    tokenizer = load_tokenizer(resolved, model)
    model.eval()
    model.requires_grad_(requires_grad=False)
    keep_unpacked(model)
    # The name as given, not this machine's path: it is what an adapter will remember its base by.
    model.config._name_or_path = model.name_or_path = resolved.name
    model.config._commit_hash = resolved.revision
    model.config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model, tokenizer


def _check_room(
    name: str | Path, folder: Path, place: torch.device, quantization: Quantization, dtype: torch.dtype
) -> None:
    """Refuse weights that cannot fit, by the least that they can take: on a CPU the kernel would kill the process.

    Raises:
        ModelError: They cannot.
    """
    elements = stored = 0
    for path in folder.glob("*.safetensors"):
        stored += path.stat().st_size
        with safe_open(path, framework="pt") as tensors:
            elements += sum(math.prod(tensors.get_slice(one).get_shape()) for one in list(tensors.keys()))
    least = min(stored, elements * BITS.get(quantization, 8 * dtype.itemsize) // 8)
    free = free_bytes(place)
    if least > free:
        where = "on the GPU" if place.type == "cuda" else "in memory"
        smaller = "" if quantization in {"nf4", "fp4"} else ", quantization='nf4'"
        msg = (
            f"{name}: its weights take at least {least / GIB:.2f} GiB, and {free / GIB:.2f} GiB are free {where}; "
            f"take a smaller model{smaller}, or free some memory"
        )
        raise ModelError(msg)


def resolve_model(name: str, *, revision: str | None = None, plugins: Plugins | None = None) -> ResolvedModel:
    """Find the folder behind a name: a local folder, a plugin's model, the Hub, in this order.

    Raises:
        ModelError: None of them has it; names what was tried and what is installed.
    """
    path = Path(os.path.expanduser(name))  # noqa: PTH111  # unlike that of a path, it bears a user who is not there
    plugins = plugins or installed()
    there = os.path.isdir(path)  # noqa: PTH112  # unlike that of a path, it bears a name that is too long
    found = path if name and there else plugins.models[name].folder if name in plugins.models else None
    if found is not None:
        if revision is not None:
            msg = f"revision={revision!r}: {name} is {found}, which has no revisions; leave it out"
            raise ConfigurationError(msg)
        return ResolvedModel(name, found)
    if name.startswith((".", "/", "~")):
        msg = f"no model {name!r}: there is no such folder"
        raise ModelError(msg)
    try:
        folder = _download(name, revision)
    except Exception as error:
        msg = (
            f"no model {name!r}.{did_you_mean(name, plugins.models)} Tried: the local folder {path} (not there); "
            f"the models of installed plugins; the Hugging Face Hub ({type(error).__name__}: {_first_line(error)}). "
            f"{plugins.describe(plugins.models, 'models')}"
        )
        raise ModelError(msg) from error
    return ResolvedModel(name, folder, revision=folder.name)


def _download(name: str, revision: str | None) -> Path:
    """The Hub's files in its local cache; a commit that is there already cannot have changed, and nobody is asked."""
    if revision is not None and re.fullmatch("[0-9a-f]{40}", revision):
        try:
            return Path(snapshot_download(name, revision=revision, allow_patterns=HUB_FILES, local_files_only=True))
        except LocalEntryNotFoundError:
            logger.info("%s at %s is not in the local cache", name, revision)
    return Path(snapshot_download(name, revision=revision, allow_patterns=HUB_FILES))


def choose_device(device: str | torch.device | None) -> torch.device:
    """The device named, or the first GPU, or the CPU.

    Raises:
        ConfigurationError: There is no such device.
    """
    if device is None:
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
    except RuntimeError as error:
        msg = f"device={device!r} is not a device; use 'cpu', 'cuda' or 'cuda:1'"
        raise ConfigurationError(msg) from error
    if place.type == "cuda" and (not torch.cuda.is_available() or (place.index or 0) >= torch.cuda.device_count()):
        msg = f"device={device!r}: this machine has {torch.cuda.device_count()} CUDA devices that torch can use"
        raise ConfigurationError(msg)
    return torch.device("cuda:0") if place == torch.device("cuda") else place


def choose_compute_dtype(dtype: str | torch.dtype | None, device: torch.device) -> torch.dtype:
    """The type named, or the best one the hardware computes in.

    Raises:
        ConfigurationError: It is no floating-point type a model computes in.
    """
    if dtype is None:
        if device.type == "cuda":
            return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
        return torch.bfloat16 if cpu_has_bfloat16() else torch.float32
    chosen = DTYPES.get(dtype) if isinstance(dtype, str) else dtype
    if chosen is None or chosen not in DTYPES.values():
        msg = f"compute_dtype={dtype!r} is not one of {', '.join(map(repr, DTYPES))}"
        raise ConfigurationError(msg)
    if chosen == torch.float16 and device.type == "cpu":
        msg = "compute_dtype='float16' needs a GPU; on a CPU use 'float32', or 'bfloat16' where the processor has it"
        raise ConfigurationError(msg)
    return chosen


def cpu_has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself, rather than in emulation slower than float32."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def keep_unpacked(model: torch.nn.Module) -> None:
    """Switch off bitsandbytes' packed CPU path on every 4-bit layer.

    On processors with avx512_bf16 a ``Linear4bit`` in evaluation mode repacks its weights for a kernel that has no
    backward, and stays packed: one evaluation then silently ruins every training step that follows.

    Raises:
        ModelError: A layer is packed already; its gradients cannot be trusted any more.
    """
    for name, module in model.named_modules():
        if isinstance(module, bnb.nn.Linear4bit):
            state = module.weight.quant_state
            if state is not None and getattr(state, "packing_format_for_cpu", False):
                msg = (
                    f"layer {name} was repacked by bitsandbytes for CPU inference and would train on wrong gradients; "
                    "load the model anew with qlorakit.load_quantized and use it through this library from the start"
                )
                raise ModelError(msg)
            module.support_avx512bf16_for_cpu = False


@contextmanager
def evaluating(model: PreTrainedModel) -> Iterator[None]:
    """Evaluation mode without gradients, on unpacked weights; everything is put back afterwards."""
    keep_unpacked(model)
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


@contextmanager
def in_float32(model: torch.nn.Module) -> Iterator[None]:
    """Let a model compute in float32 for a while, whatever it was loaded in; needs the memory of one more layer."""
    held: dict[int, torch.Tensor] = {}

    def widen(module: torch.nn.Module, _: object) -> None:
        for parameter in module.parameters(recurse=False):
            if parameter.is_floating_point() and parameter.dtype != torch.float32:
                held[id(parameter)] = parameter.data
                parameter.data = parameter.data.float()

    def narrow(module: torch.nn.Module, *_: object) -> None:
        for parameter in module.parameters(recurse=False):
            parameter.data = held.pop(id(parameter), parameter.data)

    modules = list(model.modules())
    handles = [module.register_forward_pre_hook(widen) for module in modules]
    handles += [module.register_forward_hook(narrow) for module in modules]
    quantized = [module for module in modules if isinstance(module, bnb.nn.Linear4bit)]
    types = [module.compute_dtype for module in quantized]
    try:
        for module in quantized:
            module.compute_dtype = torch.float32
        yield
    finally:
        for handle in handles:
            handle.remove()
        for module in modules:
            narrow(module)
        for module, dtype in zip(quantized, types, strict=True):
            module.compute_dtype = dtype


def base_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of the configuration and of each safetensors file of a model folder, by file name."""
    return {path.name: file_hash(path) for path in (folder / "config.json", *sorted(folder.glob("*.safetensors")))}


def load_tokenizer(resolved: ResolvedModel, model: PreTrainedModel) -> PreTrainedTokenizerBase:
    """The folder's tokenizer, with a safe padding token and a chat template.

    Raises:
        ModelError: There is no tokenizer, it has more entries than the model has embeddings, or its chat template does
            not end.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(resolved.folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:
        msg = f"{resolved.name}: no usable tokenizer in {resolved.folder} ({error})"
        raise ModelError(msg) from error
    entries = model.get_input_embeddings().weight.shape[0]
    if max(tokenizer.get_vocab().values()) >= entries:
        msg = (
            f"{resolved.name}: the tokenizer has tokens up to {max(tokenizer.get_vocab().values())}, the model only "
            f"{entries} embeddings; they do not belong together"
        )
        raise ModelError(msg)
    tokenizer.pad_token = choose_pad_token(tokenizer, _end_tokens(tokenizer, model), entries)
    tokenizer.padding_side = "right"
    if isinstance(tokenizer.chat_template, dict):  # several by name: the one for plain conversations
        tokenizer.chat_template = tokenizer.get_chat_template()
    if not tokenizer.chat_template:
        tokenizer.chat_template = DEFAULT_CHAT_TEMPLATE
        logger.warning("%s has no chat template; the library's own is used and saved with the adapter", resolved.name)
    fault = template_fault(tokenizer.chat_template)
    if fault is not None:
        msg = f"{resolved.name}: its chat template cannot be used: {fault}"
        raise ModelError(msg)
    return tokenizer


def choose_pad_token(tokenizer: PreTrainedTokenizerBase, ends: Iterable[int], entries: int) -> str:
    """An existing token for padding that ends nothing, so that the embeddings need no resizing.

    The tokenizer's own if it is safe, else a control token that is there for such uses, else the unknown token, else
    the last ordinary entry of the vocabulary: padding is masked everywhere, but it must never look like an end.

    Args:
        tokenizer: Whose vocabulary is searched.
        ends: Ids that end a sequence or a turn.
        entries: Rows of the model's embedding matrix.
    """
    taken = {*ends, tokenizer.bos_token_id}
    vocabulary = tokenizer.get_vocab()
    control = sorted(control_tokens(tokenizer), key=lambda token: vocabulary.get(token, 0))
    named = [token for hint in ("pad", "reserved", "unused", "fim") for token in control if hint in token.lower()]
    ordinary = sorted(set(vocabulary) - set(control), key=lambda token: -vocabulary[token])
    for token in (tokenizer.pad_token, *named, tokenizer.unk_token, *ordinary):
        identity = vocabulary.get(token) if token else None
        if identity is not None and identity not in taken and identity < entries:
            return str(token)
    msg = f"{tokenizer.name_or_path}: every token of the tokenizer ends a sequence; none is left for padding"
    raise ModelError(msg)


def quantization_record(model: PreTrainedModel) -> dict[str, Any]:
    """How a model was loaded, so that the same can be done again."""
    config = getattr(model.config, "quantization_config", None)
    settings: Mapping[str, Any] = config.to_dict() if isinstance(config, BitsAndBytesConfig) else {}
    quantization = "none"
    if settings.get("load_in_8bit"):
        quantization = "int8"
    elif settings.get("load_in_4bit"):
        quantization = settings["bnb_4bit_quant_type"]
    return {
        "quantization": quantization,
        "double_quantization": bool(settings.get("bnb_4bit_use_double_quant", False)),
        "compute_dtype": str(model.get_input_embeddings().weight.dtype).removeprefix("torch."),
    }


def context_length(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """The longest sequence, in tokens, that both model and tokenizer state."""
    config = model.config.get_text_config()
    stated = getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length
    return int(min(stated, tokenizer.model_max_length))


def _quantization_config(kind: Quantization, dtype: torch.dtype, *, double: bool) -> BitsAndBytesConfig | None:
    if kind == "none":
        return None
    if kind == "int8":
        # It says once per layer and forward pass that it computes in float16, as LLM.int8 always does.
        logging.getLogger("bitsandbytes.autograd._functions").setLevel(logging.ERROR)
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=kind,
        bnb_4bit_use_double_quant=double,
        bnb_4bit_compute_dtype=dtype,
    )


def _end_tokens(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel) -> set[int]:
    """Ids that end a sequence: the tokenizer's, and those at which the model's generation stops."""
    stated = model.generation_config.eos_token_id
    stops = stated if isinstance(stated, list) else [stated]
    return {token for token in (*stops, tokenizer.eos_token_id) if token is not None}


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0]
