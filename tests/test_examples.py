import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import DATA, build_model, build_tokenizer, write_jsonl

import qlorakit as qk
from qlorakit.plugins import supplier_of

EXAMPLES = Path(__file__).parents[1] / "examples"


BENCHMARKS = EXAMPLES.with_name("benchmarks")


def run_example(*arguments, name="finance_sentiment.py", folder=EXAMPLES):
    command = [sys.executable, str(folder / name), *map(str, arguments)]
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
    rows = [
        {"sentence": f"sales {word} {n}", "sentiment": label} for n in "abcdefghij" for label, word in words.items()
    ]
    return write_jsonl(tmp_path / "sentences.jsonl", rows)


def test_the_finance_example_runs_on_any_file_and_any_local_model(other_model, sentences, tmp_path):
    pytest.importorskip("qlorakit_finance")
    output = tmp_path / "run"
    done = run_example("--data", sentences, "--model", other_model, "--output", output, "--epochs", 1)
    assert done.returncode == 0, done.stderr
    assert "tuned" in done.stdout
    assert (output / "report.html").is_file()
    report = json.loads((output / "report.json").read_text(encoding="utf-8"))
    record = json.loads((output / "adapter" / "run.json").read_text(encoding="utf-8"))
    assert report["settings"]["plugin"] == record["plugin"] == supplier_of(qk.get_task("finance/sentiment"))
    assert {system["name"] for system in report["systems"]} == {
        "tuned", "base", "base with 4 shots", "majority", "tfidf",
    }  # fmt: skip


def test_the_finance_example_ends_in_one_line_on_bad_input(tmp_path):
    done = run_example("--data", tmp_path / "missing.csv")
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("error: ")
    assert "does not exist" in done.stderr


def test_the_evidence_example_lists_a_task_of_each_kind():
    done = run_example("--list", name="evidence.py")
    kinds = {line[16:].strip() for line in done.stdout.splitlines()}
    assert kinds == {"single label", "multilabel", "multiple choice", "entities", "number", "text"}


@pytest.mark.skipif(not (DATA / "lexglue_samples").is_dir(), reason="needs the public data")
def test_the_evidence_example_trains_judges_and_writes_a_page(other_model, tmp_path):
    settings = ("--rows", 40, "--model", other_model, "--output", tmp_path, "--epochs", 1, "--shots", 2)
    done = run_example("unfair_tos", *settings, name="evidence.py")
    assert done.returncode == 0, done.stderr
    assert "By multilabel_macro_f1" in done.stdout
    assert (tmp_path / "unfair_tos" / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_an_unknown_task_of_the_evidence_example_is_named():
    done = run_example("nothing", name="evidence.py")
    assert done.returncode == 2
    assert "unknown task 'nothing'; there are phrasebank" in done.stderr


def test_the_audit_example_prints_saves_and_names_bad_rows(tmp_path):
    pytest.importorskip("qlorakit_finance")
    rows = [{"text": f"Profit rose {word}", "label": "positive"} for word in ("fast", "slowly", "again")]
    good = write_jsonl(tmp_path / "good.jsonl", [*rows, {"text": "Sales fell", "label": "negative"}])
    bad = write_jsonl(tmp_path / "bad.jsonl", [*rows, {"text": "Sales fell", "label": "downward"}])
    page = tmp_path / "audit.html"
    done = run_example(good, "finance/sentiment", "--quick", "--output", page, name="audit.py")
    assert (done.returncode, page.is_file()) == (0, True), done.stderr
    assert "Quick look of 4 rows" in done.stdout
    refused = run_example(bad, "finance/sentiment", name="audit.py")
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert "unknown label 'downward'" in refused.stderr
    assert "left out 1 of 4 rows" in run_example(bad, "finance/sentiment", "--skip-bad-rows", name="audit.py").stderr


WORDS = ("amber", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "ivy", "juniper", "kelp", "larch")


def test_the_finance_model_example_tunes_for_both_tasks_offline_and_states_the_cost(other_model, tmp_path):
    settings = ("--model", other_model, "--output", tmp_path, "--epochs", 1, "--rows", 12)
    done = run_example(*settings, name="finance_ner_and_sentiment.py")
    assert done.returncode == 0, done.stderr
    assert "no --data given, using the 36 sample rows of the plugin" in done.stdout
    assert "finance/entities: By entity_f1, tuned" in done.stdout
    assert "finance/sentiment: By macro_f1, tuned" in done.stdout
    cost = done.stdout[done.stdout.index("\ncost") :].splitlines()
    assert [line.split()[0] for line in cost if line] == ["cost", "entities", "sentiment"]
    assert all("MiB" in line and "%" in line for line in cost[2:] if line)
    assert (tmp_path / "entities" / "report.html").is_file()


@pytest.mark.skipif(not (DATA / "sec_ner_fin5_fin3").is_dir(), reason="needs the public data")
def test_the_finance_model_example_reads_real_files(other_model, tmp_path):
    settings = ("--data", DATA, "--model", other_model, "--output", tmp_path, "--epochs", 1, "--rows", 8)
    help_text = run_example("--help", name="finance_ner_and_sentiment.py").stdout
    assert all(option in help_text for option in ("--data", "--entities", "--sentiment", "--rank"))
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import finance_ner_and_sentiment as example\n"
        "arguments = example.parse_arguments()\n"
        "print([{side: len(rows) for side, rows in example.read(name, arguments).items()} for name in example.PUBLIC])"
    )
    command = [sys.executable, "-c", code, str(EXAMPLES), *map(str, settings)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603  # our own
    assert done.returncode == 0, done.stderr
    entities, sentiment = json.loads(done.stdout.strip().splitlines()[-1].replace("'", '"'))
    assert entities["test"] == 303
    assert sentiment["test"] == 451


def test_the_specialty_example_draws_rows_per_class_and_writes_conversations(other_model, tmp_path):
    chat, output = tmp_path / "chat.jsonl", tmp_path / "run"
    settings = ("--model", other_model, "--output", output, "--epochs", 1, "--max-length", 200)
    done = run_example(*settings, "--rows-per-class", 1, "--chat", chat, name="medical_specialty.py")
    assert done.returncode == 0, done.stderr
    assert "no --data given: using the 31 sample rows of medical/specialty" in done.stdout
    assert "By multilabel_macro_f1" in done.stdout
    assert (output / "report.html").is_file()
    first = json.loads(chat.read_text(encoding="utf-8").splitlines()[0])
    assert [turn["role"] for turn in first["messages"]] == ["system", "user", "assistant"]


def test_the_notes_example_shows_what_is_critically_wrong_with_a_note(other_model, tmp_path):
    settings = ("--model", other_model, "--output", tmp_path / "run", "--epochs", 1, "--max-new-tokens", 40)
    done = run_example(*settings, "--rows", 4, "--show", 3, name="medical_notes.py")
    assert done.returncode == 0, done.stderr
    assert "critical_error_rate" in done.stdout
    assert re.search(r"^3\. right: .*\n   written: ", done.stdout, flags=re.MULTILINE)
    assert re.search(r"^   \w+: '.+' \(right, \d+-\d+\)$", done.stdout, flags=re.MULTILINE)
    refused = run_example("--task", "medical/notes", name="medical_notes.py")
    assert refused.stderr.strip().splitlines()[-1].startswith("error: ")


def test_the_clause_example_runs_offline_on_the_rows_of_the_plugin(other_model, tmp_path):
    pytest.importorskip("qlorakit_legal")
    chat, output = tmp_path / "chat.jsonl", tmp_path / "run"
    settings = ("--model", other_model, "--output", output, "--epochs", 1, "--rows-per-class", 1, "--chat", chat)
    done = run_example(*settings, name="legal_clauses.py")
    assert done.returncode == 0, done.stderr
    assert "no --data given: using the 44 sample rows of legal/clauses" in done.stdout
    assert (output / "report.html").is_file()
    first = json.loads(chat.read_text(encoding="utf-8").splitlines()[0])
    assert [turn["role"] for turn in first["messages"]] == ["system", "user", "assistant"]


def test_the_contract_example_reviews_contracts_of_ones_own(tmp_path):
    pytest.importorskip("qlorakit_legal")
    contract = tmp_path / "new.txt"
    contract.write_text("LEASE\n\nThis lease is governed by the laws of Scotland.\n", encoding="utf-8")
    settings = ("--output", tmp_path / "run", "--epochs", 0.3)
    done = run_example(*settings, "--read", contract, name="legal_review.py")
    assert done.returncode == 0, done.stderr
    assert "review effort on 2 test contracts in 2 windows" in done.stdout
    assert "review of new.txt: " in done.stdout
    assert "windows: 1; characters left out: 0" in done.stdout
    assert (tmp_path / "run" / "report.html").is_file()


def test_the_contract_example_names_a_file_that_it_cannot_read(tmp_path):
    pytest.importorskip("qlorakit_legal")
    refused = run_example("--read", tmp_path / "missing.txt", name="legal_review.py")
    assert (refused.returncode, "cannot be read" in refused.stderr) == (1, True)


@pytest.mark.parametrize(
    ("domain", "without_data"), [("finance", set()), ("legal", set()), ("medical", {"medical/correction"})]
)
def test_the_benchmark_of_tasks_has_a_run_for_every_task_with_public_data(domain, without_data):
    listed = run_example(domain, "--list", name="tasks.py", folder=BENCHMARKS).stdout
    named = {line.split()[1] for line in listed.splitlines()}
    tasks = {name for name in qk.list_tasks() if name.startswith(f"{domain}/")}
    assert named == tasks - without_data
    assert without_data == {name for name in tasks if not qk.get_task(name).datasets}


def test_the_benchmark_of_tasks_refuses_what_it_does_not_know():
    refused = run_example("finance", "nothing", name="tasks.py", folder=BENCHMARKS)
    assert "unknown run 'nothing'; there are sentiment" in refused.stderr


def test_the_benchmark_of_tasks_writes_a_table_and_does_not_repeat_what_is_there(other_model, tmp_path):
    path = tmp_path / "financial_phrasebank" / "Sentences_AllAgree.txt"
    path.parent.mkdir()
    moves = {"positive": "rose", "negative": "fell", "neutral": "stood"}
    path.write_text("".join(f"the {word} {move}@{label}\n" for word in WORDS for label, move in moves.items()))
    settings = ("finance", "sentiment", "entities_news", "--data", tmp_path, "--model", other_model, "--epochs", 1)
    folders = ("--output", tmp_path / "runs", "--results", tmp_path)
    done = run_example(*settings, *folders, name="tasks.py", folder=BENCHMARKS)
    assert done.returncode == 0, done.stderr
    table = (tmp_path / "finance.md").read_text(encoding="utf-8")
    start = r"\| `finance/sentiment` \| Financial PhraseBank, [a-z ]+ \| \d+, \d+, \d+ \| single label \| macro_f1 \| "
    assert re.search(start, table)
    assert all(f"| sentiment | {metric} |" in table for metric in ("accuracy", "ordinal_cost", "quadratic_kappa"))
    assert "entities_news: left out, because" in done.stdout
    assert "best macro_f1" not in run_example(*settings, *folders, name="tasks.py", folder=BENCHMARKS).stdout
