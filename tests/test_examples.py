import json
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import build_model, build_tokenizer, write_jsonl

EXAMPLE = Path(__file__).parents[1] / "examples" / "finance_sentiment.py"


def run_example(*arguments):
    command = [sys.executable, str(EXAMPLE), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603  # our own


@pytest.fixture
def other_model(tmp_path):
    tokenizer = build_tokenizer()
    tokenizer.model_max_length = 512
    tokenizer.save_pretrained(tmp_path / "model")
    build_model(len(tokenizer), max_position_embeddings=512).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def sentences(tmp_path):
    words = {"positive": "rose", "negative": "fell", "neutral": "was"}
    rows = [{"sentence": f"sales {word} {n}", "sentiment": label} for n in range(10) for label, word in words.items()]
    return write_jsonl(tmp_path / "sentences.jsonl", rows)


def test_the_finance_example_runs_on_any_file_and_any_local_model(other_model, sentences, tmp_path):
    pytest.importorskip("qlorakit_finance")
    output = tmp_path / "run"
    done = run_example("--data", sentences, "--model", other_model, "--output", output, "--epochs", 1)
    assert done.returncode == 0, done.stderr
    assert "tuned" in done.stdout
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    assert {system["name"] for system in report["systems"]} == {"tuned", "base", "majority", "tfidf"}


def test_the_finance_example_ends_in_one_line_on_bad_input(tmp_path):
    done = run_example("--data", tmp_path / "missing.csv")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("error: ")
    assert "does not exist" in done.stderr
