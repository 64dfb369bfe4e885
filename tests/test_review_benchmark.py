import importlib
import sys
from pathlib import Path

import pytest

import qlorakit as qk
from qlorakit.testing import small_model, small_tokenizer

pytest.importorskip("qlorakit_legal")
FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.delitem(sys.modules, "review", raising=False)
    return importlib.import_module("review")


def found(**changes):
    one = {
        "contract": "a", "words": 1000, "tokens": 1500, "windows": 2, "questions": 82, "computed": 8000,
        "seconds": {"preparing": 1.0, "asking": 3.0}, "questions_alone": 80_000, "answers_alone": 1_600_000,
        "peak_bytes": 2**30, "cut": 0,
    }  # fmt: skip
    return {**one, **changes}


def test_the_longest_contract_is_chosen_and_others_down_to_the_median(benchmark):
    rows = [{"text": "word " * size} for size in range(1, 101)]
    chosen = [len(row["text"].split()) for row in benchmark.chosen(rows, 6)]
    assert chosen == [100, 90, 80, 70, 60, 50]
    assert len(benchmark.chosen(rows, 1)) == 1


def test_a_contract_of_which_something_was_left_out_fails(benchmark):
    text = "It ends. It began."
    benchmark.check_read(text, {(0, 8), (9, 18)}, 0)
    benchmark.check_read(text, {(0, 18)}, 0)
    with pytest.raises(qk.QlorakitError, match="1 sentences are in no window, and 0 tokens were cut"):
        benchmark.check_read(text, {(0, 10)}, 0)
    with pytest.raises(qk.QlorakitError, match="3 tokens were cut"):
        benchmark.check_read(text, {(0, 18)}, 3)


def test_the_table_tells_what_sharing_saves(benchmark):
    settings = {"model": "toy", "max_length": 1024, "threads": 1}
    alone = [found(seconds={"preparing": 1, "asking": 1}), found(seconds={"preparing": 1, "asking": 39})]
    written = benchmark.table([found(), found(words=3000)], alone, settings)
    assert "| all | 4,000 | 3,000 | 4 | 164 | 8 | 2 | 16,000 | 160,000 | 3,200,000 | 1.0 GiB |" in written
    assert "90.0% of each question alone, 99.5% of each answer alone" in written
    assert "2.0 s with sharing and 40.0 s without, 20 times as long" in written


def test_a_sample_contract_is_read_whole(benchmark, tmp_path):
    task = qk.get_task("legal/review")
    tokenizer = small_tokenizer([row["text"] for row in task.samples], vocab_size=1_000)
    tokenizer.model_max_length = 512
    tokenizer.save_pretrained(tmp_path)
    small_model(len(tokenizer), max_position_embeddings=512).save_pretrained(tmp_path)
    model, tokenizer = qk.load_quantized(tmp_path)
    encoder = benchmark.build_encoder(model, tokenizer, max_length=200, max_new_tokens=16)
    row = {"document": "sample", "text": task.samples[0]["text"][:600]}
    measured = benchmark.review(model, encoder, task, row, "auto")
    assert measured["windows"] > 1
    assert measured["questions"] == 41 * measured["windows"]
    assert measured["computed"] < measured["questions_alone"] < measured["answers_alone"]
