import importlib.util
import itertools
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import DATA
from hypothesis import given
from hypothesis import strategies as st

import qlorakit as qk
from qlorakit.errors import DataError
from qlorakit.kinds import single_label
from qlorakit.task import Column, Output

pytest.importorskip("qlorakit_medical")

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/mtsamples.md").read_text(encoding="utf-8")
WRITTEN = (ROOT / "benchmarks/results/mtsamples.md").read_text(encoding="utf-8")
USE = (ROOT / "docs/responsible-use.md").read_text(encoding="utf-8")
PAIRS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz")), min_size=1, max_size=12)
MEASURED = {"multilabel_macro_f1": [0.5, 0.4, 0.6], "exact_match": [0.25, 0.2, 0.3]}
SIDES = {"train": 8, "validation": 1, "test": 2}
RUN = {
    "job": "specialty", "rows": SIDES, "systems": {"tuned": MEASURED, "base": MEASURED},
    "headline": "By macro_f1, tuned beats base.",
    "notes": ["2 groups", "50 of 80 prompts (62.5%) were longer than the context: 9 tokens were cut"],
    "settings": {"model": "made/up", "rank": 16, "learning_rate": 0.004, "epochs": 1.0, "seed": 0},
}  # fmt: skip


@pytest.fixture(scope="module")
def benchmark():
    spec = importlib.util.spec_from_file_location("mtsamples_benchmark", ROOT / "benchmarks/mtsamples.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their annotations
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def reports(texts=30):
    """Each text is under an organ and, as a copy, under Surgery; keywords begin with the label."""
    organs = {"Urology": "bladder stone", "Ophthalmology": "cataract lens"}
    for number in range(texts):
        organ, words = list(organs.items())[number % 2]
        for label in (organ, "Surgery"):
            yield {
                "transcription": f"Operation on the {words} of patient {chr(97 + number % 26)}{number}.",
                "medical_specialty": label,
                "keywords": f"{label.casefold()}, operation",
            }


def settings(benchmark):
    return {setting.name: setting for setting in benchmark.SETTINGS}


def table_lines(text):
    return [line for line in text.splitlines() if line.startswith("|")]


def results():
    return json.loads((ROOT / "benchmarks/results/mtsamples.json").read_text(encoding="utf-8"))


def test_the_tables_on_the_page_are_those_of_the_results_line_by_line():
    claims = PAGE[PAGE.index("## The claims") : PAGE.index("## The file")]
    lines = table_lines(WRITTEN)
    assert len(lines) > 30
    assert table_lines(PAGE.replace(claims, "")) == lines


def test_what_the_results_say_in_words_stands_on_the_page():
    assert [line for line in WRITTEN.splitlines() if line.startswith("- ") and line not in PAGE] == []


def test_figures_with_intervals_in_the_words_of_the_page_are_in_the_results():
    words = "\n".join(line for line in PAGE.splitlines() if not line.startswith("|"))
    found = re.findall(r"\d\.\d{3} \[\S+ \S+\]", words)
    assert len(found) > 1
    assert [figure for figure in found if figure not in WRITTEN] == []


def test_the_page_is_finished():
    assert [mark for mark in ("<!--", "TODO", "TUNED MODEL") if mark in PAGE] == []
    assert [system for system in ("tuned", "base") if f"\n| {system} | 0." not in WRITTEN] == []


def test_the_tuned_model_was_asked_about_the_same_rows_as_the_baselines(benchmark):
    tuned, found = benchmark.tuned_result(ROOT / "benchmarks/results"), results()["several_labels"]
    assert tuned is not None, "python benchmarks/tasks.py medical specialty"
    sides = "{train:,} texts to train, {validation:,} to validate, {test:,} to test".format(**found["rows"])
    assert sides in PAGE
    for name, value in tuned["systems"]["tfidf"].items():
        assert value[0] == pytest.approx(found["systems"]["tfidf"][name][0], abs=2e-4)


def test_every_claim_has_its_source():
    claims = PAGE[PAGE.index("## The claims") : PAGE.index("## The file")]
    sources = [line.split(" | ")[0] for line in table_lines(claims)[2:]]
    assert len(sources) > 4
    assert not sources[0].startswith("| the same")
    assert [source for source in sources if "](https://" not in source and source != "| the same"] == []


def test_the_page_names_every_finding(benchmark):
    assert list(results()) == benchmark.names()
    assert [name for name in settings(benchmark) if f"`{name}`" not in PAGE] == []


def test_no_accuracy_is_above_the_ceiling_of_its_test_rows(benchmark):
    found = [results()[name] for name in settings(benchmark) if name != "smote"]
    assert all(result["regression_accuracy"][0] <= result["test_ceiling"] for result in found)
    assert all(result["bayes_accuracy"][0] <= result["test_ceiling"] for result in found)
    assert any(result["regression_accuracy"][0] > result["ceiling"] for result in found)  # the leak at work


@given(pairs=PAIRS)
def test_the_ceiling_is_that_of_the_best_of_all_functions_from_texts_to_labels(benchmark, pairs):
    texts, labels = zip(*pairs, strict=True)
    distinct = sorted(set(texts))
    functions = (dict(zip(distinct, said, strict=True)) for said in itertools.product("xyz", repeat=len(distinct)))
    best = max(sum(function[text] == label for text, label in pairs) for function in functions)
    assert benchmark.ceiling(texts, labels) == pytest.approx(best / len(pairs))


def test_the_ceiling_is_the_one_that_an_audit_finds(benchmark):
    rows = [*reports(), *list(reports())[:7]]
    task = single_label(
        "made/up", summary="s", instruction="i", labels=("Ophthalmology", "Surgery", "Urology"),
        text=Column("transcription"), label=Column("medical_specialty", label=True),
    )  # fmt: skip
    found = qk.audit(rows, task, quick=True).finding("conflicting_labels").figures["highest accuracy"]
    assert found == pytest.approx(
        benchmark.ceiling([row["transcription"] for row in rows], [row["medical_specialty"] for row in rows])
    )


def test_the_share_that_leaks_is_that_of_test_rows_whose_text_trains(benchmark):
    assert benchmark.leaked(["a", "a", "b"], ["a", "c", "b", "d"]) == 0.5
    assert benchmark.leaked(["a"], ["b", "c"]) == 0


@given(texts=st.lists(st.sampled_from("abcdefghij"), min_size=10, max_size=40), seed=st.integers(0, 99))
def test_a_split_by_text_has_no_text_on_both_sides(benchmark, texts, seed):
    sides = benchmark.Sides.by_text(texts, np.random.default_rng(seed))
    assert {texts[place] for place in sides.train}.isdisjoint(texts[place] for place in sides.test)
    assert sorted([*sides.train, *sides.test]) == list(range(len(texts)))


def test_repeating_rows_makes_classes_equal_and_loses_no_row(benchmark):
    labels = np.array(["a"] * 7 + ["b"] * 3 + ["c"])
    places = benchmark.repeated(labels, np.random.default_rng(0))
    assert np.unique(labels[places], return_counts=True)[1].tolist() == [7, 7, 7]
    assert set(places) == set(range(len(labels)))


def test_smote_makes_up_rows_between_rows_of_the_same_class(benchmark):
    rng = np.random.default_rng(0)
    labels = np.array(["a"] * 9 + ["b"] * 4)
    matrix = rng.random((len(labels), 3)) + 5 * (labels == "b")[:, None]
    made, origins = benchmark.synthetic(matrix, labels, rng)
    assert (labels[origins] == "b").all()
    assert len(made) == 9 - 4
    assert (made >= matrix[9:].min(axis=0)).all()
    assert (made <= matrix[9:].max(axis=0)).all()
    assert not any((made[place] == matrix).all(axis=1).any() for place in range(len(made)))


def test_words_of_test_rows_are_not_learned(benchmark):
    rows, setting = list(reports()), settings(benchmark)["by_text"]
    changed = [*rows[:-2], *({**row, "transcription": "unheard unheard of words"} for row in rows[-2:])]
    train = np.arange(len(rows) - 2)
    before, after = (benchmark.features(setting, found, train) for found in (rows, changed))
    assert before.shape == after.shape
    assert (before[train] != after[train]).nnz == 0


def test_labels_that_a_text_has_in_training_are_not_answered(benchmark):
    found = benchmark.run_setting(settings(benchmark)["row_split_struck"], list(reports()))
    assert found["ceiling"] == 0.5 < found["regression_accuracy"][0] <= found["test_ceiling"]
    assert found["regression_accuracy"][0] > 0.7  # who knows one of the two labels knows the other
    assert found["leaked"] > 0.5


def test_keywords_lift_the_accuracy_above_the_ceiling_of_the_texts(benchmark):
    rows = list(reports())
    honest, leaking = (
        benchmark.run_setting(settings(benchmark)[name], rows) for name in ("by_text", "keywords_fused_by_text")
    )
    assert honest["regression_accuracy"][0] <= honest["ceiling"] == 0.5
    assert leaking["regression_accuracy"][0] == leaking["ceiling"] == 1
    assert honest["leaked"] == leaking["leaked"] == 0


def test_the_first_label_of_each_text_is_the_first_in_the_file(benchmark):
    rows = list(reports())
    assert benchmark.first_label(rows) == rows[::2]
    assert {row["transcription"] for row in benchmark.any_label(rows)} == {row["transcription"] for row in rows}
    assert len(benchmark.any_label(rows)) == 30
    assert {row["medical_specialty"] for row in benchmark.any_label(rows)} == {"Urology", "Ophthalmology", "Surgery"}


def test_texts_of_one_organ_are_those_without_a_second_one(benchmark):
    rows = list(reports(texts=200))
    assert len(benchmark.one_organ(rows)) == 200
    doubled = [*rows, {**rows[0], "medical_specialty": "Ophthalmology"}]
    assert rows[0]["transcription"] not in {row["transcription"] for row in benchmark.one_organ(doubled)}


def test_facts_are_counted(benchmark):
    found = benchmark.facts(list(reports()))
    assert (found["rows"], found["distinct texts"], found["texts under two or more labels"]) == (60, 30, 30)
    assert found["best accuracy of one label for each text"] == 0.5
    assert found["the same without Surgery"] == 1
    assert found["share of rows whose keywords begin with their label"] == 1


def test_the_likeliest_label_is_right_where_it_is_one_of_the_texts(benchmark):
    output = Output((), {"a": 0.2, "b": 0.4, "c": 0.3})
    assert benchmark.likeliest_is_right(output, ("a", "b"))
    assert not benchmark.likeliest_is_right(output, ("a", "c"))
    assert not benchmark.likeliest_is_right(Output(None), ("a",))


def kept_with(benchmark, folder, run):
    (folder / "medical.json").write_text(json.dumps([{"job": "exam"}, run]), encoding="utf-8")
    benchmark.keep(folder, {"several_labels": {"rows": SIDES, "systems": {"tfidf": MEASURED}}})
    return (folder / "mtsamples.md").read_text(encoding="utf-8")


def test_the_line_of_the_tuned_model_is_taken_from_its_own_results(benchmark, tmp_path):
    assert "| tuned |" not in kept_with(benchmark, tmp_path, {"job": "section"})
    written = kept_with(benchmark, tmp_path, RUN)
    assert "| tuned | 0.500 [0.400, 0.600] | - |" in written
    assert "made/up, rank 16, learning rate 0.004, epochs 1, seed 0. Its report says first: By macro_f1," in written


def test_how_much_of_the_reports_the_tuned_model_does_not_read_is_said(benchmark, tmp_path):
    assert "50 of 80 prompts (62.5%) were longer" in kept_with(benchmark, tmp_path, RUN)
    assert "no prompt was longer" in kept_with(benchmark, tmp_path, {**RUN, "notes": []})


def test_a_tuned_model_with_other_rows_is_not_put_beside_the_baselines(benchmark, tmp_path):
    with pytest.raises(DataError, match="run it again"):
        kept_with(benchmark, tmp_path, {**RUN, "rows": {**SIDES, "test": 3}})


def test_the_length_that_is_stated_is_that_of_the_run(benchmark, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    jobs = importlib.import_module("domains.medical").JOBS
    assert {job.max_length for job in jobs if job.name == benchmark.JOB} == {benchmark.LENGTH}


@given(pairs=PAIRS)
def test_the_ceiling_of_some_rows_is_that_of_these_rows_alone(benchmark, pairs):
    rows = [{"transcription": text, "medical_specialty": label} for text, label in pairs]
    places = list(range(0, len(rows), 2))
    found = benchmark.ceiling_at(settings(benchmark)["row_split"], rows, places)
    texts, labels = zip(*pairs[::2], strict=True)
    assert found == pytest.approx(benchmark.ceiling(texts, labels), abs=1e-4)


def test_findings_are_listed_and_kept_ones_are_not_computed_again(benchmark, tmp_path, monkeypatch, capsys):
    (tmp_path / "data/mtsamples").mkdir(parents=True)
    header = "transcription,medical_specialty,keywords"
    lines = [f"{row['transcription']},{row['medical_specialty']},{row['medical_specialty']}" for row in reports()]
    (tmp_path / "data" / benchmark.FILE).write_text("\n".join([header, *lines, " ,Surgery,x"]), encoding="utf-8")
    options = ["--only", "facts", "--data", str(tmp_path / "data"), "--results", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["mtsamples.py", *options])
    benchmark.main()
    printed = capsys.readouterr().out
    assert "left out 1 rows without a text" in printed
    assert "| rows | 60 |" in printed
    monkeypatch.setattr(benchmark, "find", None)
    benchmark.main()
    monkeypatch.setattr(sys, "argv", ["mtsamples.py", "--list"])
    capsys.readouterr()
    benchmark.main()
    assert capsys.readouterr().out.split() == benchmark.names()


def test_the_real_file_has_the_ceiling_that_the_page_states(benchmark):
    path = DATA / benchmark.FILE
    if not path.is_file():
        pytest.skip(f"{path} is not there; set QLORAKIT_DATA")
    rows = benchmark.read(path)
    found = benchmark.ceiling([row["transcription"] for row in rows], [row["medical_specialty"] for row in rows])
    assert found == pytest.approx(len({row["transcription"] for row in rows}) / len(rows))  # no pair is repeated
    assert f"{100 * found:.1f} %" in PAGE


def test_the_code_on_responsible_use_runs_and_prints_what_it_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", USE, flags=re.DOTALL)
    exec(compile("\n".join(blocks), "responsible-use.md", "exec"), {})  # noqa: S102  # our own
    printed = capsys.readouterr().out
    for said in (
        "0.722 [0.645, 0.780]",
        "6.7%",
        "['person', 'phone']",
        "0.322 [0.203, 0.441]",
        "0.167 [-0.027, 0.361]",
    ):
        assert said in USE
        assert said in printed
    assert "this one loses to the one before" in printed
    assert "stop: more answers" in printed
    assert "5 of 5 withheld" in printed
