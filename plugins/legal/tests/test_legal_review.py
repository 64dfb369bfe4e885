"""Whole contracts under 41 questions."""

import json
from collections import Counter

import pytest
from helpers import DATA

from qlorakit import read_rows
from qlorakit.document_questions import excerpts
from qlorakit.fakes import answered
from qlorakit.sentences import sentences_of
from qlorakit.testing import outputs_of, perfect_predictions
from qlorakit_legal.cuad import CATEGORIES
from qlorakit_legal.cuad_contracts import read_cuad
from qlorakit_legal.review import REVIEW
from qlorakit_legal.review_effort import review_effort

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
