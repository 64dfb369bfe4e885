"""An adapted model as a plain one: each layer dequantized, its adapter added, one layer after the other."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qlorakit.bitsandbytes_offline import bitsandbytes as bnb
from qlorakit.bitsandbytes_offline import peft

import torch
from transformers import GenerationConfig
from transformers.integrations.bitsandbytes import dequantize_bnb_weight
from transformers.pytorch_utils import Conv1D

from qlorakit.errors import AdapterError, ConfigurationError, ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Experts = peft.tuners.lora.layer.ParamWrapper  # LoRA on the weights of all experts, which are no linear layers
Wrapper = peft.utils.other.ModulesToSaveWrapper
LINEAR = torch.nn.Linear | Conv1D  # of which the quantized ones are kinds, too
QUANTIZED = bnb.nn.Linear4bit | bnb.nn.Linear8bitLt
OF_QUANTIZATION = ("quantization_config", "_is_quantized")  # what a configuration says of it
GENERATION = "generation_config.json"


def check_mergeable(model: peft.PeftModel) -> None:
    """Refuse what is not one LoRA adapter that is switched on.

    Raises:
        ConfigurationError: Several adapters are active, none is, one is merged already, or it is another kind.
    """
    layers = [module for module in model.modules() if isinstance(module, peft.tuners.tuners_utils.BaseTunerLayer)]
    active = {tuple(layer.active_adapters) for layer in layers}
    if len(active) != 1 or len(*active) != 1:
        names = sorted({name for found in active for name in found})
        msg = f"merge takes one active adapter; the model has {', '.join(names) or 'none'}; choose with set_adapter"
        raise ConfigurationError(msg)
    if any(layer.disable_adapters or layer.merged for layer in layers):
        msg = "the model's adapter is switched off or merged already; load it anew with load_adapter"
        raise ConfigurationError(msg)
    other = sorted({type(layer).__name__ for layer in layers if not _is_known(layer)})
    if other:
        msg = f"merge knows LoRA on linear layers alone, and the adapter has {', '.join(other)}"
        raise ConfigurationError(msg)


def plain_model_of(
    model: peft.PeftModel,
    dtype: torch.dtype,
    *,
    original: PreTrainedModel | None = None,
    advance: Callable[[float], None] = lambda _: None,
) -> PreTrainedModel:
    """Build the model without quantization, its adapter added to the weights, which are on the CPU.

    Besides the weights of the result, one layer is held in float32 at a time.  The model given stays as it is.

    Args:
        model: With one LoRA adapter, on a base of any quantization.
        dtype: Of the weights.
        original: The base's own weights to add the adapter to, in place of the dequantized ones.
        advance: Called with the share that is done.

    Raises:
        AdapterError: A weight is not finite in this type.
        ModelError: The architecture keeps weights where they are not found.
    """
    base = model.get_base_model()
    leaves = list(_leaves(base, ""))
    plain = _empty(base)
    weights: dict[str, torch.Tensor] = {}
    for number, (name, module, trained) in enumerate(leaves, start=1):
        own = _merged(module, original.get_submodule(name) if original and not trained else None)
        weights |= _stored(name, own, plain.get_submodule(name), dtype)
        advance(number / len(leaves))
    _check_finite(weights, dtype)
    # Where only one of two tied matrices was trained, both are kept.
    same = (torch.equal(weights[one], weights[other]) for one, other in plain.all_tied_weights_keys.items())
    if not all(same):
        plain = _empty(base, untied=True)
    if missing := sorted(set(plain.state_dict()) - set(weights)):
        msg = f"{type(base).__name__} cannot be merged: of {', '.join(missing[:3])} it is not known where they are"
        raise ModelError(msg)
    plain.load_state_dict(weights, assign=True)
    plain.tie_weights()
    return plain


def save_plain(plain: PreTrainedModel, like: PreTrainedModel, folder: Path) -> None:
    """Write weights and configuration, and the generation settings of the model that was merged.

    These are written as they are: published ones do not always pass the check that transformers makes of changed ones.
    """
    plain.generation_config = GenerationConfig()
    plain.save_pretrained(folder)
    like.generation_config.to_json_file(folder / GENERATION, use_diff=True, keys_to_pop=["compile_config"])


def _is_known(layer: Any) -> bool:  # noqa: ANN401  # peft is not typed
    if isinstance(layer, Experts):
        return True
    if not isinstance(layer, peft.tuners.lora.LoraLayer) or not isinstance(layer.get_base_layer(), LINEAR):
        return False
    return all(isinstance(kind, peft.tuners.lora.variants.DoraLinearVariant) for kind in layer.lora_variant.values())


def _leaves(
    module: torch.nn.Module, name: str, *, trained: bool = False
) -> Iterator[tuple[str, torch.nn.Module, bool]]:
    """Modules that hold weights, by the names they have in the base, and whether they were trained as a whole.

    A layer with an adapter is one of them.
    """
    if isinstance(module, Wrapper):
        module, trained = module.modules_to_save[module.active_adapters[0]], True
    adapted = isinstance(module, peft.tuners.tuners_utils.BaseTunerLayer)
    if adapted or module._parameters or module._buffers:
        yield name, module, trained
    if not adapted:
        for child, inner in module.named_children():
            yield from _leaves(inner, f"{name}.{child}" if name else child, trained=trained)


def _merged(module: torch.nn.Module, original: torch.nn.Module | None) -> torch.nn.Module:
    """The module as it is without adapter and quantization."""
    if isinstance(module, Experts):
        return _experts(module, original)
    if isinstance(module, peft.tuners.tuners_utils.BaseTunerLayer):
        return _added(_dequantized(original or module.get_base_layer()), module)
    return _dequantized(original or module)


def _dequantized(module: torch.nn.Module) -> torch.nn.Module:
    if not isinstance(module, QUANTIZED):
        return module
    state = module.state if isinstance(module, bnb.nn.Linear8bitLt) else None
    with torch.device("meta"):
        linear = torch.nn.Linear(module.in_features, module.out_features, bias=module.bias is not None)
    linear.weight = torch.nn.Parameter(dequantize_bnb_weight(module.weight, state).detach(), requires_grad=False)
    linear.bias = module.bias
    return linear


def _added(linear: torch.nn.Module, layer: Any) -> torch.nn.Module:  # noqa: ANN401  # peft is not typed
    """A copy of a plain layer in float32 to which peft has added an adapter of its own kind."""
    (name,) = layer.active_adapters
    config = peft.LoraConfig(
        r=layer.r[name],
        lora_alpha=layer.lora_alpha[name],
        target_modules=["layer"],
        use_dora=name in layer.lora_variant,
        fan_in_fan_out=isinstance(linear, Conv1D),
    )
    with torch.random.fork_rng(devices=[]):  # a new adapter starts at random before it gets its weights
        holder = torch.nn.ModuleDict({"layer": copy.deepcopy(linear).float()})
        peft.inject_adapter_in_model(config, holder, adapter_name=name)
    copied: Any = holder["layer"]
    weights = {key: value for key, value in layer.state_dict().items() if not key.startswith("base_layer.")}
    copied.load_state_dict({**copied.state_dict(), **weights})
    copied.scaling[name] = layer.scaling[name]
    copied.merge()
    merged: torch.nn.Module = copied.get_base_layer()
    return merged


def _experts(layer: Any, original: torch.nn.Module | None) -> torch.nn.Module:  # noqa: ANN401  # peft is not typed
    """Experts, which are never quantized, with the adapters of all of their weights, of which one wraps the other."""
    copied = innermost = copy.deepcopy(layer).float()
    while isinstance(innermost.base_layer, Experts):
        innermost = innermost.base_layer
    if original is not None:
        innermost.base_layer = copy.deepcopy(original).to(layer.get_param().device)
    merged: torch.nn.Module = copied.unload_and_optionally_merge_module(
        merge=True, safe_merge=False, adapter_names=None
    )
    return merged


def _stored(name: str, module: torch.nn.Module, place: torch.nn.Module, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """A module's own weights as the plain model stores them, by their full names."""
    turned = isinstance(place, Conv1D) and not isinstance(module, Conv1D)  # bitsandbytes makes it a linear layer
    kept = set(place.state_dict())
    found = {}
    for key, value in (*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)):
        if key in kept:
            narrow = value.detach().to("cpu", dtype if value.is_floating_point() else None, copy=True)
            found[f"{name}.{key}" if name else key] = narrow.T.contiguous() if turned and key == "weight" else narrow
    return found


def _check_finite(weights: dict[str, torch.Tensor], dtype: torch.dtype) -> None:
    broken = [name for name, value in weights.items() if value.is_floating_point() and not torch.isfinite(value).all()]
    if broken:
        kind = str(dtype).removeprefix("torch.")
        msg = f"{len(broken)} merged weights hold NaN or infinity in {kind}, {broken[0]} first; nothing is saved"
        raise AdapterError(msg)


def _empty(base: PreTrainedModel, *, untied: bool = False) -> PreTrainedModel:
    """A model of the same kind without weights."""
    config = copy.deepcopy(base.config)
    for name in OF_QUANTIZATION:
        vars(config).pop(name, None)
    if untied:
        config.tie_word_embeddings = config.get_text_config().tie_word_embeddings = False
    with torch.device("meta"):
        plain: PreTrainedModel = type(base)(config)
    return plain
