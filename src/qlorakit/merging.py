"""Merge an adapter into its base: a plain model that any runtime loads, and that answers as the adapter does."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from qlorakit.bitsandbytes_offline import peft

import torch
from safetensors import SafetensorError

from qlorakit.adapters import (
    DECISION,
    FINGERPRINTS,
    MANIFEST,
    TOKENIZER,
    TRAINED_FOR,
    adapter_record,
    base_faults,
    base_record,
    is_fresh,
    save_tokenizer,
    tokenizer_hash,
    warn_of_other_task,
)
from qlorakit.agreement import SAMPLE, Agreement, Said, Sample, agreement, ask
from qlorakit.display import progress_bar, show
from qlorakit.encoding import template_hash
from qlorakit.errors import AdapterError, ConfigurationError, EvidenceError, ModelError, OutputError, unwritable
from qlorakit.inference import build_encoder, layout_for, warn_of
from qlorakit.logits import one_at_a_time
from qlorakit.merged_model import check_mergeable, plain_model_of, save_plain
from qlorakit.model_folders import COPY_AGAIN
from qlorakit.quantization import DTYPES, keep_unpacked, load_quantized, resolve_model
from qlorakit.records import damage_of, is_sealed, read_object, remove_folder, seal_of, versions, write_sealed
from qlorakit.rows import as_rows, check_rows, check_task, fingerprint
from qlorakit.run_folders import replace_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from qlorakit.task import Row, Task

logger = logging.getLogger(__name__)

Into = Literal["dequantized", "original", "nf4"]
MERGE_RECORD = "merge.json"
RECORD_FORMAT = 1
MERGE_ANEW = "Merge anew"
# What a record holds, and of which kind, as far as it is read here and by verify.
RECORDED: Mapping[str, type] = {
    "base": dict,
    "adapter": dict,
    "into": str,
    "dtype": str,
    "sample": dict,
    "agreement": dict,
    "files": dict,
}
MERGED = {
    "dequantized": "the dequantized base",
    "original": "the original weights of the base, which the adapter was not trained on",
    "nf4": "the base, quantized to 4 bits again, which rounds away part of what was learned",
}


@dataclass(frozen=True)
class MergeResult:
    """A merged model, and how it compares with the adapter.

    Attributes:
        folder: Holds the model, its tokenizer and ``merge.json``.
        into: What the adapter was merged into.
        dtype: Of the weights; with ``into="nf4"`` of those that are not quantized.
        sample: Which rows both were asked.
        rows: How many of them.
        questions: Asked about them.
        agreement: How far the answers are apart.
        decision: Thresholds that were fitted in training, where the task has some: a plain model has no place for
            them, ``predict`` takes them as ``decision=``.
    """

    folder: Path
    into: Into
    dtype: str
    sample: str
    rows: int
    questions: int
    agreement: Agreement
    decision: Mapping[str, float] | None = None

    def __str__(self) -> str:
        """Say where the model is and how far it differs."""
        asked = f"{self.questions} questions of {self.sample}"
        return f"merged into {MERGED[self.into]} ({self.dtype}): {self.folder}; on {asked} {self.agreement}"


@one_at_a_time
def merge(
    model: peft.PeftModel,
    folder: str | Path,
    *,
    task: Task[Any] | None = None,
    eval_dataset: Iterable[Row] | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
    dtype: str | torch.dtype | None = None,
    into: Into = "dequantized",
    tolerance: float = 0.05,
    accept_disagreement: bool = False,
    overwrite: bool = False,
    progress: bool = True,
) -> MergeResult:
    """Save base and adapter as one plain model, if it answers as the adapter does.

    The folder is read by ``transformers.AutoModelForCausalLM.from_pretrained`` and whatever else reads safetensors,
    and by ``load_quantized(folder, quantization="none")``.  The model given stays as it is.

    Both are asked the same questions before the folder gets its name, the merged one as it was read back from disk.
    After ``train`` these are the rows it measured on, or trained on where there was no ``eval_dataset``: up to 256
    questions, kept in memory alone.  After ``load_adapter`` they must be given, since no run stores texts.

    Args:
        model: With one trained LoRA adapter, from ``train`` or ``load_adapter``.
        folder: Where to; made if it is not there.
        task: How ``eval_dataset`` is asked.
        eval_dataset: Labelled rows to compare on, best those that the run measured on.
        tokenizer: Where the model comes neither from ``train`` nor from ``load_adapter``.
        dtype: Of the saved weights, ``"bfloat16"``, ``"float16"`` or ``"float32"``.  Unless given, the type that the
            model computes in: the adapter was trained and measured in it, runtimes load in it, and half as many bytes
            as float32 are enough for it.  Rounding the merged weights to it is part of what is compared.
        into: ``"dequantized"``: the weights that the adapter was trained beside.  ``"original"``: the base's weights
            before quantization.  ``"nf4"``: quantized again after the merge, and saved so, which bitsandbytes reads.
            The last two change answers: they are refused, with the numbers, unless ``accept_disagreement`` is set.
        tolerance: For ``"dequantized"``: the largest change of a probability that is accepted, from 0 to 1; of a choice
            among all choices, and of the average token of a free text.  Log-probabilities are told, but not what
            decides: those of choices that nobody thinks of differ by tenths in bfloat16, and nothing follows from it.
        accept_disagreement: Keep what ``"original"`` and ``"nf4"`` led to, however far it differs.
        overwrite: Whether an earlier merged model may be replaced; it stays until the new one is complete.
        progress: Whether to show bars.

    Returns:
        The folder, and how far the answers differ; ``merge.json`` in it holds the same.

    Raises:
        ConfigurationError: The model has no adapter or an untrained one, a setting is out of range, or the questions to
            compare on are missing.
        ModelError: The model was repacked for inference on a CPU, its base is not there, or what it computes is NaN.
        AdapterError: A merged weight is not finite.
        OutputError: The folder is taken, belongs to something else, or cannot be written.
        EvidenceError: The merged model differs too much.  Nothing is left in the folder.
        DataError: A row is unusable.
        EncodingError: A prompt does not fit and cannot be cut.
        PluginError: The task fails on a row.
    """
    _check_adapter(model)
    chosen = _choose_dtype(dtype, model)
    _check_settings(into, tolerance, accept=accept_disagreement)
    base = base_record(model)
    final = _check_folder(_recovered(Path(folder).expanduser()), base, overwrite=overwrite)
    keep_unpacked(model)
    tokenizer = _tokenizer_of(model, tokenizer)
    sample = _given(model, tokenizer, task, eval_dataset) if eval_dataset is not None else _remembered(model)
    with progress_bar("asking the adapter", shown=progress) as advance:
        said = ask(model, sample, advance=advance)
    with _building(final) as partial:
        _write(model, base, tokenizer, partial, chosen, into, progress=progress)
        found = _compare(model, partial, said, sample, chosen, into, progress=progress)
        _judge(found, sample, into, tolerance, accept=accept_disagreement)
        result = MergeResult(
            final, into, _name(chosen), sample.origin, sample.rows, sample.questions, found, vars(model).get(DECISION)
        )
        write_sealed(partial / MERGE_RECORD, _record(model, base, partial, result, sample, tolerance))
        replace_folder(partial, final)
    show(str(result))
    if into != "dequantized":
        logger.warning("%s", result)
    return result


def _check_adapter(model: peft.PeftModel) -> None:
    if not isinstance(model, peft.PeftModel):
        msg = "the model has no adapter to merge; load one with load_adapter, or train one"
        raise ConfigurationError(msg)
    check_mergeable(model)
    if is_fresh(model):
        msg = "the adapter is untrained: merging it would give back the base alone. Call train first"
        raise ConfigurationError(msg)


def _choose_dtype(dtype: str | torch.dtype | None, model: peft.PeftModel) -> torch.dtype:
    asked = model.get_base_model().dtype if dtype is None else dtype
    chosen = DTYPES.get(asked) if isinstance(asked, str) else asked
    if chosen is None or chosen not in DTYPES.values():
        msg = f"dtype={dtype!r} is not one of {', '.join(map(repr, DTYPES))}"
        raise ConfigurationError(msg)
    if chosen == torch.float16 and model.device.type == "cpu":
        msg = "dtype='float16' cannot be compared on a CPU; use 'bfloat16' or 'float32', or merge on a GPU"
        raise ConfigurationError(msg)
    return chosen


def _check_settings(into: str, tolerance: float, *, accept: bool) -> None:
    if into not in get_args(Into):
        msg = f"into={into!r} is not one of {', '.join(map(repr, get_args(Into)))}"
        raise ConfigurationError(msg)
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance <= 1:
        msg = f"tolerance={tolerance!r}: must be from 0 to 1, the change of a probability"
        raise ConfigurationError(msg)
    if accept and into == "dequantized":
        msg = "accept_disagreement=True is for into='original' and into='nf4'; here tolerance= says what is accepted"
        raise ConfigurationError(msg)


def read_merge_record(folder: Path) -> dict[str, Any]:
    """What ``merge`` recorded in a folder.

    Raises:
        AdapterError: It is unreadable, was changed since, or is of a newer format.
    """
    path = folder / MERGE_RECORD
    if path.is_symlink():
        msg = f"{path} is a link, which is not followed"
        raise AdapterError(msg)
    record = read_object(path, AdapterError, MERGE_ANEW)
    if record.get("format") != RECORD_FORMAT:
        msg = f"{path} has format {record.get('format')!r}; this version reads {RECORD_FORMAT}"
        raise AdapterError(msg)
    if not is_sealed(record):
        msg = f"{path} is damaged: it was changed since it was saved. {MERGE_ANEW}"
        raise AdapterError(msg)
    wrong = [name for name, kind in RECORDED.items() if not isinstance(record.get(name), kind)]
    if wrong := wrong or list(base_faults(record["base"])):
        msg = f"{path} is damaged: {wrong[0]} is not as it was written. {MERGE_ANEW}"
        raise AdapterError(msg)
    return record


def _recovered(folder: Path) -> Path:
    """The folder; a replacement that was killed between its two renamings is finished, or else undone."""
    if not folder.name or folder.exists() or folder.is_symlink():
        return folder
    for left in (_partial(folder), folder.with_name(f".{folder.name}.old")):
        if not left.is_symlink() and _is_whole(left):
            left.rename(folder)
            break
    return folder


def _is_whole(folder: Path) -> bool:
    """Whether a folder holds a merged model with every file as it was written."""
    try:
        return next(damage_of(folder, read_merge_record(folder)["files"]), None) is None
    except AdapterError:
        return False


def _check_folder(folder: Path, base: Mapping[str, Any], *, overwrite: bool) -> Path:
    """The folder by its full path, if nothing stands there that must stay.

    Raises:
        OutputError: Something does.
    """
    final = folder.expanduser().absolute()
    if final.is_symlink() or (final.exists() and not final.is_dir()):
        msg = f"{folder} is a {'link' if final.is_symlink() else 'file'}; give a folder of its own"
        raise OutputError(msg)
    place = final.resolve()
    if Path.cwd().is_relative_to(place):
        what = "is the folder you work in" if Path.cwd() == place else "holds the folder you work in"
        msg = f"{folder} {what}, which cannot be replaced; give a folder of its own"
        raise OutputError(msg)
    if base["files"]:
        source = resolve_model(base["name"], revision=base["revision"]).folder.resolve()
        if source in (place, *place.parents) or place in source.parents:
            what = "holds the base" if place in source.parents else "is where the base is"
            msg = f"{folder} {what} ({source}); give a folder of its own"
            raise OutputError(msg)
    if inside := next((where for where in (place, *place.parents) if (where / MANIFEST).is_file()), None):
        msg = f"{folder} is in the adapter's folder {inside}, whose files are sealed; give a folder of its own"
        raise OutputError(msg)
    if final.exists() and any(final.iterdir()):
        ours = (final / MERGE_RECORD).is_file()
        if not (ours and overwrite):
            what = "holds a merged model; pass overwrite=True to replace it" if ours else "is not empty; give another"
            msg = f"{folder} {what}"
            raise OutputError(msg)
    return final


def _tokenizer_of(model: peft.PeftModel, given: PreTrainedTokenizerBase | None) -> PreTrainedTokenizerBase:
    known: PreTrainedTokenizerBase | None = vars(model).get(TOKENIZER)
    if given is None and known is None:
        msg = "the model does not come from train or load_adapter, which know its tokenizer; give it as tokenizer="
        raise ConfigurationError(msg)
    if given is None or known is None:
        return known or given
    for what, hash_of in {"tokenizer": tokenizer_hash, "chat template": template_hash}.items():
        if hash_of(given) != hash_of(known):
            msg = f"tokenizer=: its {what} is not the one that the adapter was trained with; leave it out"
            raise ConfigurationError(msg)
    return given


def _remembered(model: peft.PeftModel) -> Sample:
    sample: Sample | None = vars(model).get(SAMPLE)
    if sample is None:
        trained_for = vars(model).get(TRAINED_FOR)
        msg = (
            "there is nothing to compare the merged model on: no run stores texts. Give the rows that the run "
            f"measured on as eval_dataset=, with their task{f' {trained_for}' if trained_for else ''} as task="
        )
        raise ConfigurationError(msg)
    return sample


def _given(
    model: peft.PeftModel, tokenizer: PreTrainedTokenizerBase, task: Task[Any] | None, dataset: Iterable[Row]
) -> Sample:
    """Questions of the user's rows, which may be those of the run."""
    if task is None:
        msg = "eval_dataset= needs to be asked in the words of a task: give it as task="
        raise ConfigurationError(msg)
    check_task(task)
    warn_of_other_task(model, task.name)
    rows = as_rows(dataset, source="eval_dataset")
    check_rows(rows, task, labelled=True, source="eval_dataset")
    encoder = build_encoder(model, tokenizer, max_length=None, max_new_tokens=256)
    encoded = encoder.encode_rows(rows, task)
    warn_of(encoded)
    layout = layout_for(model, encoder, encoded.longest, prefix_sharing="auto", token_budget=None)
    seen = fingerprint(rows)
    split = next((name for name, value in vars(model).get(FINGERPRINTS, {}).items() if value == seen), None)
    origin = f"the run's {split} rows" if split else "other rows than the run's"
    return Sample.of(encoded, layout, origin=origin, fingerprint=seen)


@contextmanager
def _building(final: Path) -> Iterator[Path]:
    """A hidden folder beside the final one, of which nothing is left in the end."""
    partial = _partial(final)
    try:
        for working in (partial, _between(partial)):
            remove_folder(working)
        partial.mkdir(parents=True)
        yield partial
    except (OSError, SafetensorError) as error:
        raise unwritable(final, error) from error
    finally:
        for working in (partial, _between(partial)):
            with suppress(OSError):
                remove_folder(working)


def _partial(final: Path) -> Path:
    """Where a model lies until it is complete."""
    return final.with_name(f".{final.name}.partial")


def _between(partial: Path) -> Path:
    """Where the merged model lies until it is quantized again."""
    return partial.with_name(f"{partial.name}.float")


def _write(
    model: peft.PeftModel,
    base: Mapping[str, Any],
    tokenizer: PreTrainedTokenizerBase,
    partial: Path,
    dtype: torch.dtype,
    into: Into,
    *,
    progress: bool,
) -> None:
    """Write the merged model with its tokenizer."""
    plain = model.get_base_model()
    original = _original(base) if into == "original" else None
    target = partial
    if into == "nf4":
        target = _between(partial)
        target.mkdir()  # and nothing that stands there already
    with progress_bar("merging", shown=progress) as advance:
        merged = plain_model_of(model, torch.float32 if into == "nf4" else dtype, original=original, advance=advance)
        save_plain(merged, plain, target)
    del merged, original
    save_tokenizer(tokenizer, target)
    if into == "nf4":
        settings = base["quantization"]
        quantized, _ = load_quantized(
            target,
            double_quantization=settings["double_quantization"] or settings["quantization"] in {"none", "int8"},
            compute_dtype=dtype,
            device=model.device,
        )
        save_plain(quantized, plain, partial)
        save_tokenizer(tokenizer, partial)
        shutil.rmtree(target)


def _original(base: Mapping[str, Any]) -> PreTrainedModel:
    """The base as it was before it was quantized.

    Raises:
        ModelError: It is not there, or was quantized from the start.
    """
    folder = resolve_model(base["name"], revision=base["revision"]).folder
    if "quantization_config" in read_object(folder / "config.json", ModelError, COPY_AGAIN):
        msg = f"{folder} holds quantized weights, so that there are no original ones to merge into"
        raise ModelError(msg)
    return load_quantized(folder, quantization="none", compute_dtype="float32", device="cpu")[0]


def _compare(
    model: peft.PeftModel, partial: Path, said: Said, sample: Sample, dtype: torch.dtype, into: Into, *, progress: bool
) -> Agreement:
    """Read the model back from disk, and ask it what the adapter was asked.

    Raises:
        ModelError: It cannot be read back as it was.
    """
    kind: Any = "nf4" if into == "nf4" else "none"
    merged, tokenizer = load_quantized(partial, quantization=kind, compute_dtype=dtype, device=model.device)
    if template_hash(tokenizer) != template_hash(sample.encoder.tokenizer):
        msg = "the chat template did not come back from disk as it was; the merged model is not kept"
        raise ModelError(msg)
    with progress_bar("asking the merged model", shown=progress) as advance:
        return agreement(sample, said, ask(merged, sample, advance=advance))


def _judge(found: Agreement, sample: Sample, into: Into, tolerance: float, *, accept: bool) -> None:
    """Refuse a model that answers otherwise.

    Raises:
        EvidenceError: It does, or may.
    """
    asked = f"On {sample.questions} questions of {sample.origin} {found}. Nothing is kept."
    if into != "dequantized" and not accept:
        msg = f"merged into {MERGED[into]}. {asked} Use into='dequantized', or pass accept_disagreement=True"
        raise EvidenceError(msg)
    if into == "dequantized" and found.shift > tolerance:
        advice = f"tolerance={tolerance:g}; dtype='float32' rounds least"
        msg = f"the merged model answers otherwise than the adapter. {asked} {advice}"
        raise EvidenceError(msg)


def _record(
    model: peft.PeftModel,
    base: Mapping[str, Any],
    partial: Path,
    result: MergeResult,
    sample: Sample,
    tolerance: float,
) -> dict[str, Any]:
    """What was merged and how it compares, for whoever gets the folder."""
    return {
        "format": RECORD_FORMAT,
        "task": vars(model).get(TRAINED_FOR),
        "base": dict(base),
        "adapter": adapter_record(model),
        "into": result.into,
        "dtype": result.dtype,
        "sample": {
            "origin": sample.origin, "fingerprint": sample.fingerprint, "rows": sample.rows,
            "questions": sample.questions,
        },
        "agreement": asdict(result.agreement),
        "tolerance": tolerance if result.into == "dequantized" else None,
        "decision": result.decision,
        "versions": versions(),
        "files": seal_of(partial),
    }  # fmt: skip


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
