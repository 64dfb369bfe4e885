"""Fine-tune a 4-bit language model on a domain task by QLoRA, and prove whether it got better."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qlorakit.adapters import attach_lora, load_adapter
    from qlorakit.audit_findings import Audit
    from qlorakit.chat_form import to_chat
    from qlorakit.comparing import compare, judge
    from qlorakit.data_audit import audit
    from qlorakit.errors import QlorakitError
    from qlorakit.evaluation import evaluate
    from qlorakit.finishing import TrainResult
    from qlorakit.fixed_splits import split_by_column, split_by_time
    from qlorakit.inference import predict
    from qlorakit.listing import list_tasks
    from qlorakit.merging import MergeResult, merge
    from qlorakit.plugins import get_task
    from qlorakit.quantization import load_quantized
    from qlorakit.reading import read_rows
    from qlorakit.report import Report
    from qlorakit.split_files import load_split, read_split, save_split
    from qlorakit.splits import split
    from qlorakit.task import Task
    from qlorakit.training import train
    from qlorakit.verification import Verification
    from qlorakit.verifying import verify

__version__ = "0.1.0"

# Loaded at first use: torch and its company take seconds to import.
_HOMES = {
    "Audit": "audit_findings",
    "MergeResult": "merging",
    "QlorakitError": "errors",
    "Report": "report",
    "Task": "task",
    "TrainResult": "finishing",
    "Verification": "verification",
    "attach_lora": "adapters",
    "audit": "data_audit",
    "compare": "comparing",
    "evaluate": "evaluation",
    "get_task": "plugins",
    "judge": "comparing",
    "list_tasks": "listing",
    "load_adapter": "adapters",
    "load_quantized": "quantization",
    "load_split": "split_files",
    "merge": "merging",
    "predict": "inference",
    "read_rows": "reading",
    "read_split": "split_files",
    "save_split": "split_files",
    "split": "splits",
    "split_by_column": "fixed_splits",
    "split_by_time": "fixed_splits",
    "to_chat": "chat_form",
    "train": "training",
    "verify": "verifying",
}

__all__ = [
    "Audit",
    "MergeResult",
    "QlorakitError",
    "Report",
    "Task",
    "TrainResult",
    "Verification",
    "attach_lora",
    "audit",
    "compare",
    "evaluate",
    "get_task",
    "judge",
    "list_tasks",
    "load_adapter",
    "load_quantized",
    "load_split",
    "merge",
    "predict",
    "read_rows",
    "read_split",
    "save_split",
    "split",
    "split_by_column",
    "split_by_time",
    "to_chat",
    "train",
    "verify",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  # any public name
    if name not in _HOMES:
        msg = f"module 'qlorakit' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(f"qlorakit.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
