"""Whole contracts under 41 questions."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from helpers import DATA, write_jsonl

from qlorakit import Report, read_rows, split
from qlorakit.document_baselines import WORDS
from qlorakit.document_questions import excerpts
from qlorakit.errors import ConfigurationError, DataError, UnknownNameError
from qlorakit.evaluation import _answer_baselines, _Data
from qlorakit.fakes import answered
from qlorakit.measuring import Answered, Sheet
from qlorakit.rows import row_ids
from qlorakit.sentences import pieces_of, sentences_of
from qlorakit.statistics import Resampling
from qlorakit.testing import outputs_of, perfect_predictions
from qlorakit_legal.cuad import CATEGORIES
from qlorakit_legal.cuad_contracts import read_cuad
from qlorakit_legal.review import REVIEW
from qlorakit_legal.review_effort import effort_of_report, review_effort

SAMPLES = REVIEW.samples
MASTER, TEXTS = DATA / "cuad/master_clauses.csv", DATA / "cuad_contracts_text/contracts.jsonl"
LENGTH = 3_000  # characters that fit where contracts are read in windows


def room(examples):
    return min(LENGTH - sum(len(message.text) for message in example.messages) for example in examples)


def read_in_windows(row):
    """The output of right answers where only so much fits."""
    examples = REVIEW.format_to_fit(row, room)
    return REVIEW.parse(row, examples, [answered(example, *example.right) for example in examples])


def test_every_question_is_answered_both_ways_among_the_samples():
    counts = Counter((one["question"], one["answer"]) for row in SAMPLES for one in row["answers"])
    assert set(counts) == {(category, answer) for category in CATEGORIES for answer in ("absent", "present")}


@pytest.mark.parametrize("row", SAMPLES, ids=[row["document"] for row in SAMPLES])
def test_evidence_of_samples_is_made_of_whole_sentences(row):
    sentences = sentences_of(row["text"])
    starts, ends = ({place[end] for place in sentences} for end in (0, 1))
    for finding in REVIEW.reference(row).findings:
        assert all(start in starts and end in ends for start, end in finding.evidence)
        assert bool(finding.evidence) == (finding.answer == "present")


def test_right_answers_reach_what_metrics_can():
    outputs, references = (
        outputs_of(REVIEW, SAMPLES, perfect_predictions(REVIEW, SAMPLES)),
        [*map(REVIEW.reference, SAMPLES)],
    )
    for metric in REVIEW.metrics:
        best = metric.best(references, SAMPLES) if metric.best else 1
        assert metric.compute(outputs, references, SAMPLES) == pytest.approx(best)


def test_a_long_contract_is_read_in_windows_and_its_places_are_found_with_the_fewest():
    filler = "\n\n".join(f"Recital {number} says nothing of interest here, whatever is asked." for number in range(90))
    row = {**SAMPLES[0], "text": f"{SAMPLES[0]['text']}\n\n{filler}"}
    output, reference = read_in_windows(row), REVIEW.reference(row)
    assert len(output.value.windows) > 2
    assert output.value.windows[-1][1] == len(row["text"])
    assert [one.answer for one in output.value.findings] == [one.answer for one in reference.findings]
    (law,) = review_effort([output], [reference], ["Governing Law"])
    assert (law.places, law.windows) == (1, len(output.value.windows))
    assert law.effort <= 1 / law.windows


TRAIN, TEST = SAMPLES[::2], SAMPLES[1::2]
EFFORT_METRICS = ("recall_at_10_percent_effort", "effort_at_95_percent_recall")


@pytest.fixture(scope="module")
def report():
    """Right answers in windows beside the baselines, with thresholds fitted as in an evaluation."""
    answers = [Answered("tuned", [read_in_windows(row) for row in TEST])]
    answers += _answer_baselines(_Data.read(REVIEW, TEST, TRAIN, SAMPLES))
    return Sheet.of(REVIEW, TEST, row_ids(TEST), Resampling(resamples=100)).report(answers, notes=(), settings={})


def test_a_report_shows_the_effort_of_reading_in_order_and_answers_as_the_majority(report):
    order, majority = report.system("reading order"), report.system("majority")
    for name in EFFORT_METRICS:
        assert 0 < order.metrics[name].value < 1
        assert majority.metrics[name].value is None
    others = set(order.metrics) - set(EFFORT_METRICS)
    assert {name: order.metrics[name].value for name in others} == {
        name: majority.metrics[name].value for name in others
    }
    assert order.decision is None


def test_reading_order_goes_through_the_pieces_that_tfidf_reads(report):
    for row, item in zip(TEST, report.predictions, strict=True):
        reading = item["reading order"]["value"]
        assert reading.windows == item["tfidf"]["value"].windows == tuple(pieces_of(row["text"], WORDS))
        assert set(reading.relevance) == {tuple(1 / place for place in range(1, len(reading.windows) + 1))}


def test_the_effort_of_a_report_is_that_of_its_outputs_also_when_it_was_saved(report, tmp_path):
    outputs, references = [read_in_windows(row) for row in TEST], [*map(REVIEW.reference, TEST)]
    texts = [row["text"] for row in TEST]
    expected = review_effort(outputs, references, tuple(CATEGORIES), effort=0.3, texts=texts)
    saved = Report.load(report.save(tmp_path / "report.json"))
    for one in (report, saved):
        found = effort_of_report(one, effort=0.3, rows=reversed(TEST))
        assert sorted(map(str, found)) == sorted(map(str, expected))  # some have values that are not numbers
    (law,) = effort_of_report(saved, system="reading order", questions=["Governing Law"])
    assert law.effort == law.reading_order
    assert law.words is None


def test_effort_of_what_a_report_does_not_hold_is_refused(report):
    with pytest.raises(UnknownNameError, match="no system 'turned'"):
        effort_of_report(report, system="turned")
    with pytest.raises(UnknownNameError, match=r"answers 'Governing law'\. Did you mean 'Governing Law'\?"):
        effort_of_report(report, questions=["Governing law"])
    with pytest.raises(DataError, match=f"rows: {len(TEST)} rows of the report are not among them"):
        effort_of_report(report, rows=TRAIN)
    with pytest.raises(DataError, match="no text in the column 'contract'"):
        effort_of_report(report, rows=TEST, text="contract")
    with pytest.raises(ConfigurationError, match="of the kind 'single label'"):
        effort_of_report(replace(report, kind="single label"))


def test_the_json_file_is_read_with_the_places_of_its_answers(tmp_path):
    text = "SUPPLY AGREEMENT\n\nThe law of Ohio governs."
    law = {"id": "A__Governing Law", "answers": [{"text": "The law of Ohio governs.", "answer_start": 18}]}
    none = {"id": "A__Insurance", "answers": [], "is_impossible": True}
    data = [{"title": "A", "paragraphs": [{"context": text, "qas": [law, none]}]}]
    path = tmp_path / "CUAD_v1.json"
    path.write_text(json.dumps({"version": "aok_v1.0", "data": data}), encoding="utf-8")
    (row,) = read_rows(path, task=REVIEW)
    found = {one.question: (one.answer, one.evidence) for one in REVIEW.reference(row).findings}
    assert found == {"Governing Law": ("present", ((18, 42),)), "Insurance": ("absent", ())}


@pytest.mark.parametrize("name", ["document", "filename", "file_name", "title", "name", "Contract_Name"])
def test_the_name_of_a_contract_is_read_from_columns_of_other_names(tmp_path, name):
    path = tmp_path / "contracts.jsonl"
    path.write_text(json.dumps({name: "a.pdf", "text": "The law of Ohio governs."}), encoding="utf-8")
    (row,) = read_rows(path, task=REVIEW, labelled=False)
    assert row == {"document": "a.pdf", "text": "The law of Ohio governs."}
    assert REVIEW.group(row) == "a.pdf"


def test_contracts_of_one_filer_in_a_table_stay_on_one_side(tmp_path):
    names = [f"ACME {number // 4},INC_02_0{number % 4 + 1}_2020-EX-10.1-LEASE.pdf" for number in range(48)]
    answers = json.dumps([{"question": "Insurance", "answer": "absent", "evidence": []}])
    rows = [{"text": SAMPLES[0]["text"][:50] + name, "filename": name, "answers": answers} for name in names]
    path = write_jsonl(tmp_path / "contracts.jsonl", rows)
    sides = split(read_rows(path, task=REVIEW), task=REVIEW, near_duplicates=None, seed=0).values()
    filers = [set(map(REVIEW.group, side)) for side in sides]
    assert sum(map(len, filers)) == len(set.union(*filers)) == 12


def test_contracts_without_names_are_read_as_well(tmp_path):
    path = write_jsonl(tmp_path / "contracts.jsonl", [{"text": "The law of Ohio governs."}])
    (row,) = read_rows(path, task=REVIEW, labelled=False)
    assert REVIEW.group(row) is None


def test_contracts_without_answers_are_asked_everything():
    examples = REVIEW.format({"document": "new.pdf", "text": "LEASE\n\nThe rent is due on Monday."})
    assert [example.key for example in examples] == list(CATEGORIES)
    assert all(example.target is None for example in examples)


@pytest.fixture(scope="module")
def real_rows():
    if not MASTER.is_file() or not TEXTS.is_file():
        pytest.skip(f"{MASTER} and {TEXTS} are not there")
    return read_cuad(MASTER, TEXTS)


def test_real_contracts_are_read_with_all_their_evidence(real_rows):
    rows = read_rows(real_rows[:40], task=REVIEW)
    found = [sum(len(one.evidence) for one in REVIEW.reference(row).findings) for row in rows]
    assert found == [sum(len(answer["evidence"]) for answer in row["answers"]) for row in real_rows[:40]]
    assert min(found) > 0


def test_excerpts_of_real_contracts_hold_evidence(real_rows):
    pieces = excerpts(real_rows[:5], task=REVIEW)
    assert len(pieces) > 50
    assert {one.answer for piece in pieces for one in REVIEW.reference(piece).findings} == {"absent", "present"}
