import importlib.util
import json
import math
import subprocess
import sys
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from helpers import DATA, build_tokenizer, write_jsonl
from hypothesis import given, settings
from hypothesis import strategies as st

from qlorakit.audit_advice import ADVICE
from qlorakit.audit_checks import expected_leak, find_conflicts, percent, repeats
from qlorakit.audit_findings import SEVERITIES, Audit, Finding
from qlorakit.audit_scan import RowReader, evenly
from qlorakit.data_audit import audit
from qlorakit.errors import ConfigurationError, DataError, OutputError, PluginError, UnknownNameError
from qlorakit.kinds import multilabel, single_label, text
from qlorakit.task import Column, Example, Message, Part

INSTRUCTION = "Is the colour of this thing red or blue? Answer with one of the two words, and with nothing else."
TASK = single_label("tests/colour", summary="s", instruction=INSTRUCTION, labels=("crimson", "azure", "olive"))
THINGS = [
    f"{size} {thing} {place}"
    for size, thing, place in product(("big", "old", "new", "odd"), ("tin", "hat", "jar", "pen"), ("there", "here"))
]
NEVER_SAVED = "Frau Keller lives at number nine"


def rows_of(count=30, **changes):
    labels = ("crimson", "azure", "olive")
    return [
        {"text": f"{THINGS[place % 32]} {'xyz'[place // 32]}", "label": labels[place % 3], **changes}
        for place in range(count)
    ]


def codes(found):
    return [finding.code for finding in found.findings]


def look(rows, task=TASK, **settings):
    return audit(rows, task, **{"privacy": False, **settings})


def test_clean_rows_are_not_complained_about():
    found = look(rows_of(90))
    assert codes(found) == ["label_balance"]
    assert found.fatal == ()
    assert found.headline() == "Audit of 90 rows: 0 fatal, 0 warnings, 1 note"


def test_exact_duplicates_are_counted_white_space_aside():
    rows = rows_of()
    found = look([*rows, {**rows[4], "text": f"  {rows[4]['text'].replace(' ', chr(10))} "}]).finding(
        "exact_duplicates"
    )
    assert (found.rows, found.numbers, found.total) == ((30,), (31,), 1)
    assert found.figures["distinct texts"] == 30


def test_conflicting_labels_lower_the_ceiling():
    rows = [{"text": "a b c", "label": label} for label in ("crimson", "crimson", "azure")]
    found = look([*rows, {"text": "d e f", "label": "olive"}]).finding("conflicting_labels")
    assert found.figures == {"distinct texts": 2, "conflicting texts": 1, "highest accuracy": 0.75}
    assert found.rows == (0, 1, 2)
    assert "75.0 %" in found.title


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=1, max_size=30))
def test_the_ceiling_is_that_of_the_best_table_from_texts_to_labels(pairs):
    keys, answers = (np.array(side, np.uint64) for side in zip(*pairs, strict=True))
    known = [(key, answer) for key, answer in pairs if key and answer]
    by_text = {key: [answer for other, answer in known if other == key] for key, _ in known}
    right = sum(max(map(found.count, found)) for found in by_text.values())
    found = find_conflicts(keys, answers)
    assert found.ceiling == pytest.approx(right / len(known) if known else 1)
    assert found.conflicting == sum(len(set(answers)) > 1 for answers in by_text.values())
    assert found.rows.tolist() == [bool(k and a and len(set(by_text[k])) > 1) for k, a in pairs]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=2, max_size=7))
def test_the_expected_leak_is_the_mean_over_all_splits(groups):
    drawn = max(1, round(0.4 * len(groups)))
    shares = []
    for test in combinations(range(len(groups)), drawn):
        train = {groups[place] for place in range(len(groups)) if place not in test}
        shares.append(sum(groups[place] in train for place in test) / drawn)
    assert expected_leak(np.array(groups), 0.4) == pytest.approx(sum(shares) / len(shares))


def test_a_random_split_leaks_what_simulated_splits_leak():
    rng = np.random.default_rng(0)
    rows = [{"text": THINGS[place], "label": "azure"} for place in rng.integers(0, 32, 100)]
    shares = []
    for _ in range(300):
        order = rng.permutation(100)
        train = {rows[place]["text"] for place in order[20:]}
        shares.append(np.mean([rows[place]["text"] in train for place in order[:20]]))
    said = look(rows).finding("random_split_leak").figures["exact"]
    assert said == pytest.approx(np.mean(shares), abs=4 * np.std(shares) / math.sqrt(300))


def test_near_duplicates_are_told_from_exact_ones():
    rows = [
        *rows_of(),
        {"text": "price 12.50 at noon", "label": "azure"},
        {"text": "Price 9 at noon!", "label": "azure"},
    ]
    found = look(rows)
    assert found.finding("near_duplicates").rows == (31,)
    assert found.finding("near_duplicates").figures["repeats up to digits and punctuation"] == 1
    assert "exact_duplicates" not in codes(found)
    assert "near_duplicates" not in codes(look(rows, ignore_digits=False))


def test_what_all_questions_share_does_not_make_rows_alike():
    def ask(row):
        said = f"{INSTRUCTION} {INSTRUCTION}\nThing: {row['text']}\nAnswer now, please."
        return (Example((Message("user", (Part(said),)),), choices=("crimson", "azure", "olive"), target=row["label"]),)

    assert codes(look(rows_of(90), replace(TASK, format=ask))) == ["label_balance"]


def test_a_text_is_the_rows_own_part_of_the_question():
    rows = rows_of(60)
    reader = RowReader(rows, TASK)
    assert list(reader.texts(rows)) == [row["text"] for row in rows]


def test_a_column_that_begins_with_one_of_several_labels_gives_it_away():
    tags = multilabel("toy/tags", summary="", instruction="Is it?", labels=("crimson", "azure", "olive"))
    rows = [{"text": row["text"], "labels": [row["label"], "olive"]} for row in rows_of(60)]
    told = [{**row, "keywords": f"{row['labels'][0]}, thing"} for row in rows]
    assert "begins with it in 100.0 %" in look(told, tags, quick=True).finding("leaking_column").title
    untold = [{**row, "keywords": f"{told[place - 7]['keywords']}"} for place, row in enumerate(rows)]
    assert "leaking_column" not in codes(look(untold, tags, quick=True))


@pytest.mark.parametrize(
    ("cell", "said"),
    [(lambda row: f"{row['label'].upper()}, thing", "begins with it"),
     (lambda row: f"on {row['label']}!", "contains it"),
     (lambda row: {"crimson": "K1", "azure": "K2", "olive": "K3"}[row["label"]], "other rows with the same value"),
     (lambda row: row["label"] == "azure" or "", "one of its values")],
)  # fmt: skip
def test_a_column_that_tells_the_label_is_named(cell, said):
    rows = [{**row, "extra": cell(row)} for row in rows_of(90)]
    found = look(rows, quick=True).finding("leaking_column")
    assert "'extra'" in found.title
    assert said in found.title


@pytest.mark.parametrize(
    "cell",
    [
        lambda place: place,
        lambda place: place % 2,
        lambda _: "same",
        lambda _: None,
        lambda place: "crimson azure olive"[: place % 19],
    ],
)
def test_a_column_that_tells_nothing_is_left_alone(cell):
    rows = [{**row, "extra": cell(place)} for place, row in enumerate(rows_of(90))]
    assert "leaking_column" not in codes(look(rows, quick=True))


@pytest.mark.parametrize(
    ("cell", "said"),
    [(lambda row, _: int(row["label"] == "up"), "other rows with the same value"),
     (lambda row, place: f"2024-{place:03}" if row["label"] == "up" else None, "other rows that are filled alike")],
)  # fmt: skip
def test_a_cell_of_a_table_that_tells_the_label_is_named_though_the_model_reads_it(cell, said):
    table = single_label(
        "toy/table", summary="", instruction="Which way?", labels=("up", "down"), text=Column("text", optional=True),
        show=lambda row: "; ".join(f"{name}: {value}" for name, value in row.items() if name != "label"),
    )  # fmt: skip
    rows = [{"sales": place * 37 % 89, "label": "up" if place % 3 else "down"} for place in range(90)]
    told = [{**row, "closed": cell(row, place)} for place, row in enumerate(rows)]
    assert "leaking_column" not in [one.code for one in audit(rows, table, quick=True).findings]
    (found,) = [one for one in audit(told, table, quick=True).findings if one.code == "leaking_column"]
    assert "Column 'closed', which the model reads, gives the label away" in found.title
    assert said in found.title


def test_columns_that_the_task_reads_do_not_leak():
    def reference(row):
        return row["truth"]

    def ask(row):
        return TASK.format({"text": row["body"], "label": row["truth"]})

    task = replace(TASK, format=ask, reference=reference, columns=())
    rows = [{"body": row["text"], "truth": row["label"]} for row in rows_of(90)]
    assert codes(look(rows, task)) == ["label_balance"]


def test_a_label_inside_nearly_every_text_is_fatal():
    rows = [{**row, "text": f"{row['text']} which is {row['label']}"} for row in rows_of(60)]
    found = look(rows, quick=True)
    assert [one.code for one in found.fatal] == ["label_in_text"]
    half = rows[:40] + rows_of(60)[40:]
    assert look(half, quick=True).finding("label_in_text").severity == "warning"


def test_rows_with_one_answer_are_fatal():
    found = look([{**row, "label": "azure"} for row in rows_of(30)], quick=True)
    assert [one.code for one in found.fatal] == ["one_label"]


def test_rows_without_labels_are_fatal():
    found = look([{**row, "label": ""} for row in rows_of(30)], quick=True)
    assert [one.code for one in found.fatal] == ["no_labels"]
    assert "unlabelled" not in str(found)


def test_rows_that_cannot_be_used_are_told_apart():
    odd = (" ", "azure"), ("a b c", ""), ("d e f", "pink"), (7, "azure"), ("...", "olive")
    rows = [*rows_of(30), *({"text": text, "label": label} for text, label in odd)]
    found = look(rows)
    said = {
        code: found.finding(code).rows for code in ("empty_texts", "missing_labels", "unknown_labels", "unusable_rows")
    }
    assert said == {"empty_texts": (30, 34), "missing_labels": (31,), "unknown_labels": (32,), "unusable_rows": (33,)}


def test_rare_and_absent_labels_are_named_with_their_counts():
    rows = [row for row in rows_of(90) if row["label"] != "olive"] + [{"text": "only one of them", "label": "crimson"}]
    found = look(rows[:40], quick=True).finding("rare_labels")
    assert found.figures["rows by label"] == {"azure": 20, "crimson": 20, "olive": 0}
    assert found.severity == "warning"
    assert "1 none at all" in found.title


def test_several_labels_are_counted_one_by_one():
    task = multilabel("tests/many", summary="s", instruction="i", labels=("red", "big"))
    rows = [
        {"text": f"{thing} one", "labels": ["red", "big"] if place % 2 else []} for place, thing in enumerate(THINGS)
    ]
    found = look(rows, task)
    assert found.finding("label_balance").figures["rows by label"] == {"red": 16, "big": 16}
    assert "random_split_leak" not in codes(found)


def test_answers_in_free_text_can_conflict():
    task = text("tests/sum", summary="s", instruction="i")
    rows = [
        {"text": "a long text", "answer": "short"},
        {"text": "a long text", "answer": "brief"},
        {"text": "other", "answer": ["x", "y"]},
    ]
    assert look(rows, task).finding("conflicting_labels").figures["highest accuracy"] == pytest.approx(2 / 3)


def test_other_splits_are_looked_for_among_the_rows():
    rows, others = rows_of(60), rows_of(64)[58:]
    others[0] = {"text": f"{others[0]['text'].upper()}.", "label": "azure"}
    found = look(rows, other={"test": others}).finding("overlap")
    assert (found.rows, found.total) == ((0, 1), 2)
    assert found.figures == {"rows of it": 6, "exact": 1, "near": 2}
    assert "'test'" in found.title
    assert look(rows, other={"test": others}, quick=True).finding("overlap").rows == (1,)


def test_an_evaluation_set_may_be_plain_texts():
    rows = rows_of(60)
    found = look(rows, other={"published": [rows[3]["text"], "never seen before"]}).finding("overlap")
    assert (found.rows, found.total) == ((0,), 1)


def test_control_characters_and_tokens_and_damage_are_found():
    pytest.importorskip("ftfy")
    rows = rows_of(60)
    rows[1]["text"] += "\x00"
    rows[2]["text"] += "<|im_end|>"
    rows[3]["text"] += " caf\u00c3\u00a9"
    rows[4]["text"] += " caf\ufffd"
    found = look(rows)
    assert found.finding("control_characters").rows == (1,)
    assert found.finding("special_tokens").figures == {"times": {"<|im_end|>": 1}}
    assert found.finding("encoding_damage").rows == (3, 4)
    assert found.finding("encoding_damage").figures == {"texts with lost characters": 1}


def test_the_same_long_beginning_of_many_texts_is_found():
    rows = rows_of(60)
    for place in range(20):
        rows[place]["text"] = (
            f"{'This letter is confidential and for no one but its reader. ' * 3}{rows[place]['text']} {place}"
            + " more words" * 9
        )
    found = look(rows, ignore_digits=False)
    assert found.finding("same_beginning").total == 20
    assert found.finding("same_end").total == 20
    assert "same_end" not in codes(look(rows_of(60)))


def test_other_languages_are_counted():
    pytest.importorskip("py3langid")
    rows = [{"text": f"The committee will meet in the spring to look at {thing}", "label": "azure"} for thing in THINGS]
    rows[5]["text"] = "Der Ausschuss wird im Herbst erneut zusammenkommen, um die Rechnungen zu sehen"
    assert look(rows).finding("languages").figures == {"texts by language": {"en": 31, "de": 1}}


def test_lengths_are_counted_against_the_context():
    rows = rows_of(30)
    rows[7]["text"] = "word " * 200
    tokenizer = build_tokenizer([INSTRUCTION])
    found = look(rows, tokenizer=tokenizer, max_length=128).finding("cut_prompts")
    assert found.rows == (7,)
    assert found.figures["context"] == 128
    assert found.figures["tokens"]["longest"] > 128 > found.figures["tokens"]["median"]
    tight = look(rows, tokenizer=tokenizer, max_length=16).finding("answers_do_not_fit")
    assert tight.total == 30


def test_lengths_need_both_tokenizer_and_context():
    with pytest.raises(ConfigurationError, match="give both"):
        look(rows_of(), max_length=128)


def test_personal_data_are_counted_by_kind_without_the_extra(monkeypatch):
    for name in ("presidio_analyzer", "phonenumbers"):
        monkeypatch.setitem(sys.modules, name, None)
    rows = rows_of(30)
    rows[3]["text"] += " write to anna.keller@example.org"
    found = audit(rows, TASK).finding("personal_data")
    assert found.figures["found by kind"] == {"email": 1}
    assert "anna" not in json.dumps(audit(rows, TASK).to_dict())


def test_what_could_not_be_checked_is_said(monkeypatch):
    from qlorakit.text_checks import _identifier

    for name in ("ftfy.badness", "py3langid.langid"):
        monkeypatch.setitem(sys.modules, name, None)
    _identifier.cache_clear()
    said = " ".join(audit(rows_of(), TASK).skipped)
    _identifier.cache_clear()
    assert all(word in said for word in ("ftfy", "py3langid", "tokenizer"))


def test_the_quick_look_reads_each_row_once_and_finds_what_is_cheap():
    asked = []

    def ask(row):
        asked.append(row["text"])
        return TASK.format(row)

    rows = [*rows_of(400 // 5), {"text": "a b c", "label": "azure"}]
    found = look(rows, replace(TASK, format=ask), quick=True)
    assert len(asked) <= 2 * len(rows)  # some are read beforehand, to learn what all questions share
    assert found.quick
    assert "near_duplicates" not in codes(found)


def test_no_text_of_a_row_is_kept_unless_asked_for(tmp_path):
    rows = [
        *rows_of(),
        {"text": NEVER_SAVED, "label": "azure"},
        {"text": NEVER_SAVED, "label": "olive"},
        {"text": "", "label": NEVER_SAVED},
    ]
    found = look(rows)
    for ending in ("json", "html", "md", "txt"):
        saved = found.save(tmp_path / f"a.{ending}").read_text(encoding="utf-8")
        assert "Keller" not in saved
        assert "different answers" in saved
    assert look(rows, include_text=True).finding("exact_duplicates").texts == (NEVER_SAVED,)


def test_rows_are_called_as_the_users_file_calls_them():
    rows = [*rows_of(), rows_of()[0]]
    found = look(rows, numbers=range(100, 131)).finding("exact_duplicates")
    assert (found.rows, found.numbers) == ((30,), (130,))
    with pytest.raises(ConfigurationError, match="numbers"):
        look(rows, numbers=[1])


def test_a_dataset_is_audited_as_a_list_is():
    import datasets

    rows = [*rows_of(), rows_of()[3]]
    assert look(datasets.Dataset.from_list(rows)) == look(rows) == look(iter(rows))


def test_rows_that_are_no_rows_are_refused():
    with pytest.raises(DataError, match="none to look at"):
        look([])
    with pytest.raises(DataError, match="mappings"):
        look(["text"])


def test_a_task_that_fails_is_named_with_the_row():
    def broken(row):
        return TASK.format(row) if "hat" not in row["text"] else 1 / 0

    with pytest.raises(PluginError, match=r"row 3: task tests/colour fails on it \(ZeroDivisionError"):
        look(rows_of(), replace(TASK, format=broken))


def test_the_gravest_findings_come_first():
    rows = [{"text": "a b c", "label": "azure"}] * 40
    found = look(rows)
    order = [SEVERITIES.index(one.severity) for one in found.findings]
    assert order == sorted(order)
    assert found.findings[0] in found.fatal


def test_a_saved_audit_comes_back_as_it_was(tmp_path):
    found = look([*rows_of(), *rows_of(3), {"text": "", "label": ""}], include_text=True)
    assert Audit.load(found.save(tmp_path / "new" / "audit.json")) == found


@pytest.mark.parametrize(
    "change",
    [{"findings": 3}, {"rows": "4"}, {"format": 2}, {"skipped": [1]}, {"findings": [{}]}, {"task": None},
     {"findings": [{"severity": "mild"}]}],
)  # fmt: skip
def test_a_damaged_audit_is_refused(tmp_path, change):
    path = look(rows_of()).save(tmp_path / "audit.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(DataError, match="audit"):
        Audit.load(path)


def test_a_file_that_is_no_audit_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("{")
    for name in ("a.json", "absent.json"):
        with pytest.raises(DataError, match=r"no audit|cannot be read"):
            Audit.load(tmp_path / name)


def test_another_ending_or_a_place_that_cannot_be_written_is_refused(tmp_path):
    found = look(rows_of())
    with pytest.raises(ConfigurationError, match=r"\.json"):
        found.save(tmp_path / "audit.pdf")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="could not be written"):
        found.save(tmp_path / "file" / "audit.json")


def test_an_unknown_finding_is_answered_with_those_there_are():
    with pytest.raises(UnknownNameError, match="label_balance"):
        look(rows_of()).finding("label_balanc")


def test_the_terminal_shows_every_finding_with_what_to_do():
    found = look([*rows_of(), rows_of()[2], {"text": "[red]x[/red] :smile:", "label": "azure"}], include_text=True)
    said = str(found)
    flat = " ".join(said.split())
    assert all(finding.title in flat and finding.what_to_do in flat for finding in found.findings)
    assert max(map(len, said.splitlines())) <= 100
    assert "Rows: 31" in said


def test_markdown_shows_names_literally(tmp_path):
    finding = Finding("overlap", "note", "5 % of '*x* <b>|'", "why", "what", (1,), (2,), 1, {"n": 1}, ("# text",))
    said = Audit("a/b", 3, (finding,), skipped=("some_thing",)).save(tmp_path / "a.md").read_text()
    assert r"\*x\* \<b\>\|" in said
    assert r"\# text" in said
    assert r"some\_thing" in said


@pytest.mark.parametrize(
    ("share", "said"), [(0, "0.0 %"), (1, "100.0 %"), (0.12345, "12.3 %"), (0.99959, "99.959 %"), (0.0001, "0.010 %")]
)
def test_a_share_is_never_rounded_to_all_or_nothing(share, said):
    assert percent(share) == said


def test_positions_are_spread_evenly():
    assert evenly(3, 10) == [0, 1, 2]
    assert evenly(100, 4) == [0, 25, 50, 75]
    assert evenly(0, 4) == []


def test_the_first_of_equal_rows_is_no_repeat():
    assert repeats(np.array([5, 0, 5, 7, 0, 5], np.uint64)).tolist() == [False, False, True, False, False, True]


def test_every_kind_of_finding_is_described():
    described = (Path(__file__).parents[1] / "docs" / "audit.md").read_text(encoding="utf-8")
    assert [code for code in ADVICE if f"`{code}`" not in described] == []
    assert all(one.why.endswith(".") and one.what_to_do.endswith(".") for one in ADVICE.values())


def public(name):
    if not (DATA / name).exists():
        pytest.skip(f"{DATA / name} is not there; QLORAKIT_DATA says where the public data are")
    script = Path(__file__).parents[1] / "benchmarks" / "audit.py"
    spec = importlib.util.spec_from_file_location("audit_benchmark", script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return next((rows, task) for rows, task in module.public_data() if name in task.name)


def test_a_public_set_of_records_shows_its_conflicts_its_leak_and_its_column():
    found = look(*public("mtsamples"))
    assert found.finding("conflicting_labels").figures["conflicting texts"] == 2165
    assert found.finding("conflicting_labels").figures["highest accuracy"] == pytest.approx(0.475, abs=0.001)
    assert found.finding("random_split_leak").figures["exact"] == pytest.approx(0.81, abs=0.01)
    assert "Column 'keywords'" in " ".join(one.title for one in found.findings if one.code == "leaking_column")


def test_a_public_set_of_headlines_repeats_itself_up_to_digits():
    found = look(*public("gold_headlines")).finding("random_split_leak").figures
    assert found["equal up to digits and punctuation"] == pytest.approx(0.127, abs=0.005)
    assert found["exact"] < 0.001


def test_a_public_set_of_sentences_has_eight_copies_and_two_conflicts():
    found = look(*public("financial_phrasebank"))
    assert found.finding("exact_duplicates").total == 8
    assert found.finding("conflicting_labels").figures["conflicting texts"] == 2


def test_the_example_prints_and_saves_an_audit(tmp_path):
    pytest.importorskip("qlorakit_finance")
    rows = [{"sentence": f"sales rose in {thing}", "sentiment": "positive"} for thing in THINGS]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    script = Path(__file__).parents[1] / "examples" / "audit.py"
    command = [
        sys.executable,
        script,
        tmp_path / "rows.jsonl",
        "finance/sentiment",
        "--quick",
        "--output",
        tmp_path / "a.html",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # our own
    assert done.returncode == 1, done.stderr
    assert "FATAL: All 32 labelled rows have the same answer" in done.stdout
    assert "All 32 labelled rows" in (tmp_path / "a.html").read_text(encoding="utf-8")
