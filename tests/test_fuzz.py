"""Every reader under the inputs of ``benchmarks/fuzz.py``, some of each; and what was found there, one by one."""

import datetime as dt
import json
import logging
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from fuzzing import cells, documents, files, folders, formats, growth, reader, texts
from fuzzing.damage import Raw, changed, edited, to_json
from fuzzing.reader import ContractError, Reader, attempt
from fuzzing.running import run_for

from qlorakit.audit_findings import Audit
from qlorakit.comparing import compare, judge
from qlorakit.entities import align
from qlorakit.errors import (
    AdapterError,
    ConfigurationError,
    DataError,
    ModelError,
    PluginError,
    QlorakitError,
    TrainingError,
)
from qlorakit.fixed_splits import split_by_time
from qlorakit.kinds import multiple_choice, number
from qlorakit.numbers import numbers_in, read_number
from qlorakit.plugins import installed
from qlorakit.reading import read_rows
from qlorakit.report import Report
from qlorakit.row_store import DEEPEST, to_dataset
from qlorakit.rows import as_rows, check_rows, group_of, row_ids
from qlorakit.spans import split_words
from qlorakit.split_files import read_split, save_split
from qlorakit.task import Column
from qlorakit.text_encoding import file_encoding

# How many inputs each reader gets here: fewer where they are files, or whole folders.
EXAMPLES = {texts: 40, files: 15, cells: 30, documents: 10, folders: 6, formats: 10}
SLOW = {"personal data": 20, "predictions that are judged": 5, "damage and control tokens": 15, "near-duplicates": 15}
CASES = [(one, SLOW.get(one.name, EXAMPLES[module])) for module in EXAMPLES for one in module.READERS]
CASES = [(one, examples) for one, examples in CASES if "with the extra" not in one.name]  # importing it takes seconds
DEEP, MANY_DIGITS = "[" * 3_000, 10**5_000


@pytest.mark.parametrize(("fuzzed", "examples"), CASES, ids=[one.name for one, _ in CASES])
def test_any_input_is_read_or_refused_with_an_error_of_the_library(fuzzed, examples):
    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(fuzzed.inputs())
    def of_each(tried):
        attempt(fuzzed, tried)

    of_each()


# The fuzzing itself


def fails(read):
    return Reader("one that fails", lambda: st.just(0), read)


def test_another_exception_is_a_crash_also_where_a_task_hides_it():
    def hidden(_):
        raise PluginError from KeyError("x")

    for read in (lambda _: {}["x"], hidden):
        with pytest.raises(KeyError):
            attempt(fails(read), 0)


def test_an_error_of_the_library_is_a_refusal_if_it_says_something():
    def refuse(_):
        raise DataError

    with pytest.raises(ContractError, match="without a message"):
        attempt(fails(refuse), 0)
    assert attempt(fails(lambda _: read_split("nowhere")), 0) is False
    assert attempt(fails(lambda _: None), 0) is True


def test_an_endless_loop_is_stopped(monkeypatch):
    monkeypatch.setattr(reader, "LONGEST", 0.2)

    def loop(_):
        while True:
            pass

    with pytest.raises(ContractError, match="processor time"):
        attempt(fails(loop), 0)


def test_a_flood_of_warnings_is_a_fault():
    with pytest.raises(ContractError, match="30 warnings"):
        attempt(fails(lambda _: [logging.getLogger("qlorakit").warning("no") for _ in range(30)]), 0)


def test_crashes_are_counted_by_their_place_and_do_not_stop_the_others():
    count = run_for(Reader("odd", lambda: st.integers(0, 9), lambda n: 1 / (n % 2)), 0.3, seed=0)
    assert count.tried > sum(count.crashes.values()) > 0
    assert [place.partition(" ")[0] for place in count.crashes] == ["ZeroDivisionError"]


def test_damage_is_what_it_says():
    assert edited(b"abcdef", [("cut", 5_000, 9_999, b"")]) == b"abc"
    assert changed({"a": [1, 2]}, [("remove", 3, None)]) == {"a": [1]}
    assert to_json({"a": [1, None]}) == b'{"a": [1, null]}'


def test_every_format_of_the_plugins_has_a_file_that_is_read():
    for name, task in formats.tasks().items():
        recognised = set()
        for file, make in formats.FILES[name]:
            with files.file_with(formats.valid_file(make), file) as path:
                head = [line.rstrip("\n") for line in path.open(encoding="latin-1")][:20]
                recognised |= {one.name for one in task.file_formats if one.recognises(path, head)}
                assert len(read_rows(path, task=task)) > 0
        assert recognised == {one.name for one in task.file_formats}, name


def test_a_parser_whose_time_explodes_is_seen(monkeypatch):
    def quadratic(text):
        return [text.count("ab", place) for place in range(0, len(text), 4)]

    monkeypatch.setattr(growth, "parsers", lambda: {"it": (quadratic, ("ab",))})
    monkeypatch.setattr(growth, "ALWAYS", ())
    assert growth.growth_of("it").is_steep


# What was found: numbers, dates, entities


@pytest.mark.parametrize("word", ["m\u0131llion", "M\u0130LLION", "million"])
def test_letters_of_another_alphabet_that_match_without_case_are_read_as_the_word(word):
    assert read_number(f"2 {word}") == 2e6
    assert read_number(f"m\u0131nus 2 {word}") == -2e6
    assert read_number("2 thou\u017fand") == 2e3


@pytest.mark.parametrize("text", ["1e400", "9" * 400, "1" + " trillion" * 40, "0 trillion" + " trillion" * 40])
def test_a_number_that_is_too_large_to_compute_with_is_none(text):
    assert numbers_in(text) == []


def test_groups_of_thousands_without_an_end_are_read_in_no_time():
    assert numbers_in("1,551" * 20_000 + ",5") == []  # took minutes


def test_many_lines_about_a_long_text_are_read_in_no_time():
    found = align("a | person\n" * 500, split_words("a " * 500), ("person",))  # took most of a minute
    assert len(found.value) == 500


@pytest.mark.parametrize("form", ["%z%z", "%d%d", "%"])
def test_a_date_format_that_is_none_is_refused(form):
    rows = [{"text": "a", "label": "up", "date": "2024-05-31"}]
    with pytest.raises(DataError, match="is no date in"):
        split_by_time(rows, task=files.LABEL, column="date", test_from="2024-01-01", date_format=form)


# What was found: rows and cells


@pytest.fixture
def write(tmp_path):
    def of(content, name="rows.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return of


@pytest.mark.parametrize("encoding", ["hex", "rot13", "base64", "a\0b", "undefined"])
def test_an_encoding_that_turns_no_text_into_bytes_is_refused(write, encoding):
    with pytest.raises(ConfigurationError, match="is not known to Python"):
        file_encoding(write("text,label\na,up\n"), encoding)


def test_a_parquet_file_with_broken_characters_is_refused(write, tmp_path):
    pq.write_table(pa.table({"text": ["caf\u00e9"], "label": ["up"]}), tmp_path / "a.parquet", compression="none")
    broken = (tmp_path / "a.parquet").read_bytes().replace("caf\u00e9".encode(), b"caf\xff\xff")
    with pytest.raises(DataError, match="not a whole parquet file"):
        read_rows(write(broken, "b.parquet"), task=files.LABEL)


def test_a_column_name_with_a_nul_character_is_refused(write):
    with pytest.raises(DataError, match="NUL character"):
        read_rows(write("text,label,no\0te\na,up,b\n"), task=files.LABEL)


@pytest.mark.parametrize("source", [5, "a" * 5_000])
def test_what_is_no_source_of_rows_is_refused(source):
    with pytest.raises(DataError, match=r"is needed, not int|cannot be looked for"):
        read_rows(source, task=files.LABEL)


@pytest.mark.parametrize(
    "column",
    [
        [dt.datetime(2024, 5, 31), -8_398_151_542_742],  # the number became a moment  # noqa: DTZ001
        [dt.datetime(2024, 5, 31), dt.date(2024, 5, 31)],  # noqa: DTZ001
        ["text", b"bytes"],  # the text became bytes
        [[{"a": b"bytes"}], [{"a": "text"}]],
    ],
)
@pytest.mark.parametrize("portion", [1, 1_000])
def test_values_that_a_table_would_turn_into_others_are_refused(monkeypatch, column, portion):
    monkeypatch.setattr("qlorakit.row_store.ROWS_AT_A_TIME", portion)
    with pytest.raises(DataError, match="a column holds values of different types"):
        to_dataset([{"when": value} for value in column])


def test_rows_without_any_column_are_not_lost(monkeypatch):
    monkeypatch.setattr("qlorakit.row_store.ROWS_AT_A_TIME", 1)
    with pytest.raises(DataError, match="hold no columns"):
        to_dataset([{"a": 2}, {}])


def test_cells_that_are_too_deep_in_each_other_are_refused_before_they_take_gigabytes():
    cell = 1
    for _ in range(DEEPEST + 1):
        cell = {"a": cell}
    with pytest.raises(DataError, match="in each other"):
        to_dataset([{"deep": cell}])
    assert to_dataset([{"deep": cell["a"]}])[0] == {"deep": cell["a"]}


@pytest.mark.parametrize("kept", [0, 1 << 26])
def test_numbers_that_no_type_of_a_column_holds_are_refused(monkeypatch, kept):
    monkeypatch.setattr("qlorakit.row_store.ROWS_AT_A_TIME", 1)
    monkeypatch.setattr("qlorakit.row_store.KEPT_IN_MEMORY", kept)
    with pytest.raises(DataError, match="different types"):
        to_dataset([{"a": 2**60 + 1}, {"a": 0.5}])


@pytest.mark.parametrize("row", [{"text": MANY_DIGITS}, {"text": "a", "label": MANY_DIGITS}, {1: "a"}], ids="abc")
def test_cells_and_names_that_cannot_be_shown_are_refused(row):
    with pytest.raises(DataError):
        check_rows(as_rows([row]), files.LABEL, labelled=True)


@pytest.mark.parametrize("cell", [MANY_DIGITS, {1: "a", "b": 2}, {b"a": 1}], ids="abc")
def test_a_cell_that_json_has_no_form_for_has_no_identity(cell):
    with pytest.raises(DataError, match="written as JSON"):
        row_ids([{"cell": cell}])


def test_a_group_of_any_kind_can_be_compared():
    task = formats.installed().tasks.get("finance/numbers") or pytest.skip("needs qlorakit-finance")
    hash(group_of({"document": [1, [2]]}, task, 0))


@pytest.mark.parametrize("cell", [DEEP, "[" + "9" * 5_000 + "]"])
@pytest.mark.parametrize("task", [files.LABELS, files.SPANS, files.TAGS], ids=lambda task: task.name)
def test_lists_in_texts_without_end_are_refused(task, cell):
    row = {"text": "a", "tokens": ["a"], **{column.name: cell for column in task.columns if column.label}}
    with pytest.raises(DataError):
        task.reference(row)


def test_an_option_without_a_letter_is_refused():
    task = multiple_choice("fuzz/many", summary="-", instruction="-", options=Column("options"))
    with pytest.raises(DataError, match="26 at most"):
        task.format({"question": "Which?", "options": [f"option {n}" for n in range(27)]})


@pytest.mark.parametrize("answer", [10**400, -(10**400), float("nan"), "1e999"])
def test_an_answer_that_no_float_holds_is_refused(answer):
    with pytest.raises(DataError, match="which is not one number"):
        number("fuzz/number", summary="-", instruction="-").reference({"answer": answer})


@pytest.mark.parametrize("content", ["-1", "[]", DEEP, '{"features": 3}'])
@pytest.mark.parametrize("name", ["state.json", "dataset_info.json"])
def test_a_damaged_folder_of_a_dataset_is_refused(tmp_path, name, content):
    to_dataset(files.ROWS).save_to_disk(str(tmp_path / "saved"))
    (tmp_path / "saved" / name).write_text(content)
    with pytest.raises(DataError, match="is not a whole data set"):
        read_rows(tmp_path / "saved", task=files.LABEL)


CHANGED_SPLITS = {
    "another side": lambda sides: sides.update(trian=sides.pop("train")),
    "another number of rows": lambda sides: sides["train"].update(rows=3),
    "no hash": lambda sides: sides["train"]["contents"].append(sides["train"]["contents"].pop()[:-1] + "g"),
    "a text for a list": lambda sides: sides["train"].update(contents="ab"),
    "a list without end": lambda sides: sides.update(test=Raw(DEEP)),
}


@pytest.mark.parametrize("case", CHANGED_SPLITS)
def test_a_changed_split_loses_no_rows_without_a_word(tmp_path, case):
    path = save_split({"train": files.ROWS[:2]}, tmp_path / "split.json")
    record = json.loads(path.read_text())
    CHANGED_SPLITS[case](record["sides"])
    path.write_bytes(to_json(record))
    with pytest.raises(DataError, match="is not a split that save_split wrote"):
        read_split(path)


# What was found: reports, audits, predictions


@pytest.fixture
def saved(tmp_path):
    def of(change):
        record = json.loads(json.dumps(judged().to_dict()))
        change(record)
        path = tmp_path / "report.json"
        path.write_bytes(to_json(record))
        return path

    return of


def judged():
    shares = [{"up": 0.8, "down": 0.2}] * 3 + [{"up": 0.3, "down": 0.7}] * 3
    return judge(["up"] * 3 + ["down"] * 3, documents.ROWS, task=files.LABEL, probabilities=shares, resamples=100)


def nested(depth):
    found = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["predictions"][0]["given"].update(scores={"up": "0.5"}),
        lambda record: record["predictions"][0]["given"].update(scores=[1]),
        lambda record: record["predictions"][0].update(text=3),
        lambda record: record["settings"].update(note="\ud800"),
        lambda record: record["settings"].update(deep=nested(400)),
        lambda record: record["settings"].update(seed=float("inf")),
    ],
    ids=["scores of text", "scores in a list", "a text of a number", "half a character", "deep", "infinite"],
)
def test_a_report_that_could_not_be_drawn_or_saved_again_is_refused(saved, change):
    with pytest.raises(DataError, match="report"):
        Report.load(saved(change))


@pytest.mark.parametrize("part", ["given", "reference"])
def test_a_report_without_some_answers_gives_no_threshold_and_is_not_compared(saved, part):
    report = Report.load(saved(lambda record: record["predictions"][0].pop(part)))
    assert report.predictions[0].keys() == {"row_id", "given", "reference"} - {part}
    with pytest.raises(ConfigurationError, match="lacks the answer"):
        report.threshold_for_risk(0.4)
    with pytest.raises(DataError, match="row 0: a report does not hold"):
        compare(report, judged(), task=files.LABEL)


def test_values_that_are_no_labels_are_not_compared(saved):
    report = Report.load(saved(lambda record: record["predictions"][0]["given"].update(value={"a": 1})))
    with pytest.raises(DataError, match="which is no value of"):
        compare(report, judged(), task=files.LABEL)
    with pytest.raises(ConfigurationError, match="lacks the answer"):
        report.threshold_for_risk(0.4)


def test_a_report_of_another_kind_than_its_answers_is_drawn_all_the_same(saved):
    def change(record):
        record["kind"] = "questions about a document"
        record["predictions"][0]["given"].update(right=False)

    assert "up" in Report.load(saved(change)).save(saved(change).with_suffix(".html")).read_text(encoding="utf-8")


@pytest.mark.parametrize("bound", [MANY_DIGITS, ">=", None, [], ">= \u0665x"], ids="abcde")
def test_what_is_no_condition_is_refused(bound):
    with pytest.raises(ConfigurationError, match="is no condition"):
        judged().require(macro_f1=bound)


def test_an_audit_that_could_not_be_drawn_is_refused(tmp_path):
    record = documents._audits()[0]
    for figures, texts_kept in (({"n": 10**400}, []), ({}, ["one text too many"] * 99)):
        first = {**record["findings"][0], "figures": figures, "texts": texts_kept}
        (tmp_path / "audit.json").write_text(json.dumps({**record, "findings": [first]}))
        with pytest.raises(DataError, match="damaged audit"):
            Audit.load(tmp_path / "audit.json")


def test_predictions_that_cannot_be_shown_are_invalid_or_refused():
    rows = documents.ROWS[:2]
    assert judge([MANY_DIGITS, "up"], rows, task=files.LABEL, resamples=100).systems[0].invalid == 0.5
    with pytest.raises(DataError, match="must be a number from 0 to 1"):
        judge(["up", "up"], rows, task=files.LABEL, probabilities=[{"up": MANY_DIGITS}, {}], resamples=100)


def test_the_best_tagging_can_be_read_whatever_the_probabilities():
    assert texts.best_tags(np.full((3, 7), -1e4), texts.tag_names(texts.TYPES, "BIO")) == ["O", "O", "O"]


# What was found: folders


@pytest.mark.parametrize("name", ["a" * 300, "~nobody/x", "a\0b", ""])
def test_a_name_that_no_folder_can_have_is_no_model(name, monkeypatch):
    from qlorakit import quantization

    def no_network(*_, **__):
        raise OSError

    monkeypatch.setattr(quantization, "snapshot_download", no_network)
    with pytest.raises(ModelError):
        quantization.resolve_model(name)


CHANGED_CHECKPOINTS = {
    "a state without end": ("trainer_state.json", lambda _: DEEP.encode()),
    "a marker without end": ("qlorakit.json", lambda _: DEEP.encode()),
    "a best step like no other": ("trainer_state.json", lambda state: to_json({**state, "best_global_step": 10**400})),
    "an infinite step": ("trainer_state.json", lambda state: to_json({**state, "global_step": float("inf")})),
    "a course in a list": ("qlorakit.json", lambda marker: to_json({**marker, "course": [None]})),
    "versions in a list": ("qlorakit.json", lambda marker: to_json({**marker, "versions": [{}]})),
}


@pytest.mark.parametrize("case", CHANGED_CHECKPOINTS)
def test_a_changed_checkpoint_is_refused(case):
    name, change = CHANGED_CHECKPOINTS[case]
    content = change(json.loads(folders._checkpoint()[name]))
    with pytest.raises(TrainingError, match=r"damaged|cannot be gone on from"):
        folders._checkpoints((name, content))


def test_an_adapter_whose_files_were_changed_along_with_their_hashes_is_refused():
    manifest = json.loads(folders._adapter()["manifest.json"])
    manifest["base"]["files"]["config.json"] = ["a list"]
    with pytest.raises(AdapterError, match="is not as it was written"):
        folders._manifest((to_json(manifest), True))
    for name, content in (("chat_template.jinja", b"q^\xa7\xcd"), ("run.json", DEEP.encode())):
        with pytest.raises(QlorakitError):
            folders._adapter_files((name, content))


def test_settings_of_an_adapter_that_do_not_go_together_are_refused():
    config = json.loads(folders._adapter()["adapter_config.json"])
    with pytest.raises(AdapterError, match="layers_to_transform"):
        folders._lora_config(to_json({**config, "layers_pattern": ["layers"]}))


# What was found: files of the plugins

DAMAGED_FILES = {
    "finance/credit_risk": (
        "german.data",
        formats.GERMAN.encode() + formats.GERMAN.replace("A34", "\u00e434").encode("latin-1"),
    ),
    "finance/fraud": ("ccfraud.csv", b"1,35,1,3000,4,14,2,0\n2,2,1,\xff0,9,0,18,1\n"),
    "finance/numbers": ("convfinqa.json", b'{"questions": "text", "table": 1, "answer": ' + b"9" * 5_000 + b"}"),
    "finance/sentiment": (
        "fiqa.json",
        b'{"55": {"sentence": "a", "info": [{"target": "b", "sentiment_score": 1' + b"0" * 400 + b"}]}}",
    ),
    "legal/summary": ("all_v1.json", json.dumps([formats.SUMMARY]).encode()),
    "medical/note": ("dialogues.csv", b"\x85" + formats.DIALOGUE.encode()),
    "medical/summary": ("meqsum.csv", b"\x85" + formats.MEQSUM.encode()),
    "legal/nli_pairs": ("pairs.csv", b"\x85" + formats.PAIRS.encode()),
    "finance/headlines": ("gold.csv", (formats.GOLD + formats.GOLD_LINE).encode().replace(b"News", b"News\x85")),
    "finance/entities": ("finer.csv", formats.FINER.encode().replace(b"doc_idx", b"doc_idx\x85")),
}


@pytest.mark.parametrize("task", DAMAGED_FILES)
def test_a_damaged_file_of_a_plugin_is_refused(write, task):
    if task not in installed().tasks:
        pytest.skip("needs its plugin")
    name, content = DAMAGED_FILES[task]
    with pytest.raises(QlorakitError):
        read_rows(write(content, name), task=installed().tasks[task])


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + b"x" * 40 + b"PAR1", b""])
def test_a_damaged_table_of_scores_is_refused(write, content):
    task = installed().tasks.get("finance/sentiment") or pytest.skip("needs qlorakit-finance")
    pages = write(formats.valid_file(formats.FILES["finance/sentiment"][4][1]), "whole.parquet").read_bytes()
    place = pages.index(b"Norvik")
    for broken in (
        content,
        pages[:place] + b"\xff\xff" + pages[place + 2 :],
        pages[: place - 4] + b"\0" * 8 + pages[place + 4 :],
    ):
        with pytest.raises(DataError):
            read_rows(write(broken, "scores.parquet"), task=task)
