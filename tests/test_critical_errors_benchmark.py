import importlib.util
import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from qlorakit.errors import DataError

pytest.importorskip("qlorakit_medical")

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks/results/critical_errors.md"
PAIR = {
    "reference": "No fever. Zinc 20 mg.",
    "output": "Fever. Zinc 20 mg.",
    "errors": [{"kind": "negation_flipped", "reference": "fever", "output": "Fever"}],
    "about": "a flip",
}


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("critical_errors_benchmark", ROOT / "benchmarks/critical_errors.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their annotations
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def pairs(benchmark):
    return benchmark.read_pairs(benchmark.PAIRS)


def written(folder, *rows):
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def find(benchmark, kind, expected, found):
    """An error found at these characters of the two texts."""
    from qlorakit_medical.critical_errors import CriticalError, Mention  # the plugin may not be there

    mentions = [
        at and Mention(text[slice(*at)], *at) for at, text in ((expected, PAIR["reference"]), (found, PAIR["output"]))
    ]
    return CriticalError(kind, *mentions)


def test_there_are_enough_pairs_of_every_kind(benchmark, pairs):
    kinds = Counter(error.kind for pair in pairs for error in pair.errors)
    harmless = sum(not pair.errors for pair in pairs)
    assert len(pairs) >= 150
    assert harmless >= 80
    assert min(kinds[kind] for kind in benchmark.KINDS) >= 16


def test_no_two_pairs_are_the_same(pairs):
    assert len({pair.reference for pair in pairs}) == len({pair.output for pair in pairs}) == len(pairs)


def test_the_figures_are_those_that_were_written(benchmark, pairs):
    found = benchmark.figures([benchmark.judge(pair) for pair in pairs])
    assert found == json.loads(RESULTS.with_suffix(".json").read_text(encoding="utf-8"))
    assert benchmark.table(found) == RESULTS.read_text(encoding="utf-8")


def test_the_page_has_every_line_of_the_tables():
    page = (ROOT / "docs/critical-errors.md").read_text(encoding="utf-8").splitlines()
    lines = [line for line in RESULTS.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert len(lines) > 10
    assert [line for line in lines if line not in page] == []


def test_the_code_of_the_page_runs(capsys):
    page = (ROOT / "docs/critical-errors.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    exec(compile("\n".join(blocks), "critical-errors.md", "exec"), {})  # noqa: S102  # our own
    shown = "".join(re.findall(r"```text\n(.*?)```", page, flags=re.DOTALL))
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"errors": [{"kind": "typo", "reference": "fever", "output": None}]}, "'typo' is none of negation_flipped"),
        ({"errors": [{"kind": "drug_missing", "reference": "ever", "output": None}]}, "'ever' are no words of its ref"),
        ({"errors": [{"kind": "drug_missing", "reference": "Fever", "output": None}]}, "'Fever' are no words of its r"),
        ({"errors": [{"kind": "drug_invented", "reference": None, "output": "copper"}]}, "no words of its output"),
        ({"errors": [{"kind": "drug_invented", "reference": None, "output": ""}]}, "'' are no words"),
        ({"errors": [{"kind": "drug_missing", "reference": None, "output": None}]}, "names no words"),
        ({"errors": [{"kind": "drug_missing", "reference": "Zinc"}]}, "fields kind, reference and output"),
        ({"errors": "none"}, "'errors' must be a list"),
        ({"output": None}, "'output' must be a str"),
        ({"extra": 1}, "and no others"),
    ],
)
def test_malformed_pairs_are_refused_with_file_and_line(benchmark, tmp_path, change, complaint):
    path = written(tmp_path, PAIR, {**PAIR, **change})
    with pytest.raises(DataError) as refused:
        benchmark.read_pairs(path)
    assert f"{path}, line 2: " in str(refused.value)
    assert complaint in str(refused.value)


def test_lines_that_are_no_json_and_files_without_pairs_are_refused(benchmark, tmp_path):
    path = written(tmp_path)
    with pytest.raises(DataError, match="holds no pairs"):
        benchmark.read_pairs(path)
    path.write_text("reference, output\n", encoding="utf-8")
    with pytest.raises(DataError, match="line 1"):
        benchmark.read_pairs(path)


@pytest.mark.parametrize(
    ("kind", "expected", "found", "right"),
    [
        ("negation_flipped", (3, 8), (0, 5), 1),
        ("negation_flipped", (0, 8), (0, 1), 1),
        ("negation_flipped", (3, 8), None, 1),
        ("negation_flipped", (3, 8), (7, 11), 0),
        ("negation_flipped", (10, 14), None, 0),
        ("problem_missing", (3, 8), (0, 5), 0),
    ],
)
def test_a_find_is_right_where_kind_and_places_agree(benchmark, tmp_path, monkeypatch, kind, expected, found, right):
    monkeypatch.setattr(benchmark, "find_critical_errors", lambda *_: (find(benchmark, kind, expected, found),))
    (pair,) = benchmark.read_pairs(written(tmp_path, PAIR))
    judged = benchmark.judge(pair)
    assert (len(judged.right), len(judged.missed), len(judged.false_alarms)) == (right, 1 - right, 1 - right)


def test_one_find_answers_one_error_and_the_assignment_is_the_best(benchmark, tmp_path, monkeypatch):
    errors = [{"kind": "dose_changed", "reference": words, "output": None} for words in ("20 mg", "20")]
    finds = tuple(find(benchmark, "dose_changed", at, None) for at in ((15, 17), (15, 20), (18, 20)))
    (pair,) = benchmark.read_pairs(written(tmp_path, {**PAIR, "errors": errors}))
    for given, right in ((finds, 2), (finds[:1], 1), ((finds[0], finds[2]), 2), ((finds[2],), 1)):
        monkeypatch.setattr(benchmark, "find_critical_errors", lambda *_, given=given: given)
        judged = benchmark.judge(pair)
        assert len(judged.right) == right
        assert len(judged.false_alarms) == len(given) - right


def test_figures_count_pairs_errors_and_harmless_pairs(benchmark, tmp_path, monkeypatch):
    harmless = {**PAIR, "output": "No fever.", "errors": []}
    pairs = benchmark.read_pairs(written(tmp_path, PAIR, PAIR, harmless))
    alarm = find(benchmark, "drug_missing", (10, 14), None)
    answers = iter([(find(benchmark, "negation_flipped", (3, 8), (0, 5)), alarm), (), (alarm,)])
    monkeypatch.setattr(benchmark, "find_critical_errors", lambda *_: next(answers))
    judged = [benchmark.judge(pair) for pair in pairs]
    found = benchmark.figures(judged)
    assert [found["pairs"][name]["value"] for name in ("precision", "recall")] == [0.5, 0.5]
    assert [found["errors"]["all"][name] for name in ("marked", "found", "right")] == [2, 3, 1]
    assert found["errors"]["drug_missing"]["precision"] == {"value": 0.0, "low": 0.0, "high": 0.6576}
    assert found["errors"]["dose_changed"]["recall"]["value"] is None
    assert found["harmless_flagged"]["value"] == 1
    assert "false alarm  drug_missing: 'Zinc' in the reference" in "\n".join(benchmark.mistakes(judged))
