"""What tests share: the fakes of qlorakit.testing under shorter names, and files of rows."""

import json
import os
from pathlib import Path

from qlorakit.fakes import CHAT_TEMPLATE, WORDS  # noqa: F401  # tests take them from here
from qlorakit.testing import small_model, small_tokenizer

DATA = Path(os.environ.get("QLORAKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))

build_tokenizer, build_model = small_tokenizer, small_model


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
