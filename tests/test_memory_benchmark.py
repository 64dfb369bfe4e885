import importlib
import json
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.delitem(sys.modules, "memory", raising=False)
    return importlib.import_module("memory")


def test_the_page_holds_what_was_measured(benchmark):
    runs = json.loads(benchmark.RESULTS.read_text(encoding="utf-8"))["runs"]
    written = importlib.import_module("generated").block_of(benchmark.PAGE, "memory")
    assert written == benchmark.table(runs)


def test_the_error_is_what_was_foreseen_too_much(benchmark):
    assert benchmark.error_of({"predicted_peak": 110, "measured_peak": 100}) == pytest.approx(0.1)
    assert benchmark.error_of({"predicted_peak": 90, "measured_peak": 100}) == pytest.approx(-0.1)


def test_the_shapes_train_on_rows_of_their_own_task(benchmark):
    for shape in benchmark.SHAPES.values():
        task, rows = benchmark.made_up(shape)
        assert len(rows) == shape.rows
        assert {row["label"] for row in rows} <= {task.reference(row) for row in rows}
        assert all(shape.words[0] <= len(row["text"].split()) <= shape.words[1] for row in rows)
