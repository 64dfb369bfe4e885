import copy
import itertools
import json
import logging
from collections import Counter

import pytest
from helpers import DATA
from hypothesis import given, settings
from hypothesis import strategies as st

from qlorakit import read_rows, split
from qlorakit.errors import DataError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.sentences import sentences_of
from qlorakit_legal.contract_nli import CONTRACT_NLI, HYPOTHESES, LABELS, _joined
from qlorakit_legal.nli import NLI

PUBLISHED = DATA / "contract_nli"
FILES = {"train_truncated.json": 50, "dev.json": 61, "test.json": 123}
published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"ContractNLI is not at {PUBLISHED}")
quick = settings(deadline=None, max_examples=60, derandomize=True)

TEXT = "Ash keeps it secret. Ash may copy it. Nobody else sees it."
SPANS = [[0, 20], [21, 37], [37, 38], [38, 58]]
ANNOTATIONS = {
    "nda-17": {"choice": "Entailment", "spans": [1]},
    "nda-7": {"choice": "Contradiction", "spans": [3, 0]},
    "nda-18": {"choice": "NotMentioned", "spans": []},
}
DOCUMENT = {
    "id": 7,
    "file_name": " lease.pdf",
    "text": TEXT,
    "spans": SPANS,
    "annotation_sets": [{"annotations": ANNOTATIONS}],
    "document_type": "search-pdf",
    "url": "https://example.org/lease.pdf",
}
HYPOTHESIS_ENTRIES = {key: {"short_description": key, "hypothesis": text} for key, text in HYPOTHESES.items()}


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="dev.json", indent=2, **keywords):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=indent), encoding="utf-8")
        return read_rows(path, task=NLI, **keywords).to_list()

    return write_and_read


def whole(*documents, labels=HYPOTHESIS_ENTRIES):
    return {"documents": list(documents), "labels": labels}


def annotated(**annotations):
    """The document with other annotations; an underscore stands for the hyphen in their keys."""
    entries = {key.replace("_", "-"): entry for key, entry in annotations.items()}
    return {**DOCUMENT, "annotation_sets": [{"annotations": entries}]}


# The task


def test_there_are_17_hypotheses_each_with_its_own_text():
    assert len(set(HYPOTHESES.values())) == len(HYPOTHESES) == 17
    assert all(text.endswith(".") for text in HYPOTHESES.values())


def test_macro_f1_comes_first_and_each_answer_has_an_f1_of_its_own():
    names = [metric.name for metric in NLI.metrics]
    assert names[0] == "macro_f1"
    assert {"f1_entailment", "f1_contradiction", "f1_not_mentioned", "evidence_f1"} <= set(names)


def test_every_hypothesis_is_entailed_contradicted_and_not_mentioned_among_the_samples():
    answers = Counter((one["question"], one["answer"]) for row in NLI.samples for one in row["answers"])
    assert set(answers) == set(itertools.product(HYPOTHESES, LABELS))


def test_every_sample_is_a_short_contract_with_all_answers():
    assert len(NLI.samples) >= 12
    for row in NLI.samples:
        assert 100 <= len(row["text"].split()) <= 250
        assert [one["question"] for one in row["answers"]] == list(HYPOTHESES)


def test_evidence_of_samples_stands_in_them_once_and_is_there_for_every_finding():
    for row in NLI.samples:
        for one in row["answers"]:
            assert bool(one["evidence"]) == (one["answer"] != "not mentioned")
            assert [row["text"].count(quote) for quote in one["evidence"]] == [1] * len(one["evidence"])


def test_evidence_of_samples_is_made_of_whole_sentences():
    for row in NLI.samples:
        sentences = sentences_of(row["text"])
        starts, ends = {start for start, _ in sentences}, {end for _, end in sentences}
        places = [place for finding in NLI.reference(row).findings for place in finding.evidence]
        assert all(start in starts and end in ends for start, end in places)


def test_no_two_samples_are_near_duplicates_and_all_have_names_of_their_own():
    groups = near_duplicate_groups([row["text"] for row in NLI.samples], threshold=0.3)
    assert len(set(groups.tolist())) == len(NLI.samples) == len({row["document"] for row in NLI.samples})


def test_the_samples_are_enough_for_a_split():
    assert set(split(NLI.samples, task=NLI, seed=0)) == {"train", "validation", "test"}


def test_the_public_data_set_comes_with_its_licence_and_traps():
    assert NLI.datasets == (CONTRACT_NLI,)
    assert CONTRACT_NLI.licence == "CC BY 4.0"
    assert any("contradict" in trap for trap in CONTRACT_NLI.traps)


# What is asked


def test_every_hypothesis_is_asked_of_a_contract_without_answers():
    examples = NLI.format({"text": TEXT})
    assert [example.key for example in examples] == list(HYPOTHESES)
    assert {example.target for example in examples} == {None}
    for example, hypothesis in zip(examples, HYPOTHESES.values(), strict=True):
        assert example.messages[1].text.endswith(f"Hypothesis: {hypothesis}")


def test_hypotheses_that_a_labelled_contract_does_not_list_are_not_asked_of_it(read):
    (row,) = read(whole(DOCUMENT))
    assert {example.key for example in NLI.format(row)} == set(ANNOTATIONS)


def test_rows_of_one_document_stay_together():
    assert NLI.group({"document": "lease.pdf"}) == NLI.group({"document": " lease.pdf"}) == "lease.pdf"
    assert NLI.group({"text": TEXT}) is NLI.group({"document": " "}) is None


@pytest.mark.parametrize("name", ["document", "filename", "file_name", "title", "name", "contract_name"])
def test_the_name_of_a_contract_is_read_from_columns_of_other_names(read, name):
    (row,) = read([{name: "lease.pdf", "text": TEXT}], "rows.json", labelled=False)
    assert row == {"document": "lease.pdf", "text": TEXT}


# The published form


def test_a_document_becomes_a_row_with_answers_and_their_evidence(read):
    (row,) = read(whole(DOCUMENT))
    assert (row["document"], row["text"], row["document_type"], row["id"]) == ("lease.pdf", TEXT, "search-pdf", 7)
    assert row["answers"] == [
        {"question": "nda-17", "answer": "entailment", "evidence": [[21, 37]]},
        {"question": "nda-7", "answer": "contradiction", "evidence": [[0, 20], [38, 58]]},
        {"question": "nda-18", "answer": "not mentioned", "evidence": []},
    ]
    assert row["file_name"] == " lease.pdf"  # as published, beside the document's name
    assert not {"spans", "annotation_sets"} & set(row)


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_is_known_however_it_is_written(read, indent, mark):
    assert len(read(mark + json.dumps(whole(DOCUMENT, {**DOCUMENT, "id": 8}), indent=indent), "a.json")) == 2


def test_a_file_is_known_whose_hypotheses_come_first(read):
    assert len(read(dict(reversed(whole(DOCUMENT).items())))) == 1


def test_places_are_counted_in_characters_also_where_these_take_several_bytes(read):
    text = "“Ash” keeps \U0001d4a6 secret. Ash § may copy."
    document = {**annotated(nda_17={"choice": "Entailment", "spans": [0]}), "text": text, "spans": [[22, 37]]}
    (row,) = read(whole(document))
    ((start, end),) = row["answers"][0]["evidence"]
    assert text[start:end] == "Ash § may copy."


def test_spans_that_follow_each_other_are_one_piece_of_evidence(read):
    (row,) = read(whole(annotated(nda_17={"choice": "Entailment", "spans": [1, 0]})))
    assert row["answers"][0]["evidence"] == [[0, 37]]


def test_evidence_of_white_space_alone_is_left_out_and_counted(read, caplog):
    with caplog.at_level(logging.WARNING):
        (row,) = read(whole(annotated(nda_17={"choice": "Entailment", "spans": [0, 2]})))
    assert row["answers"][0]["evidence"] == [[0, 20]]
    assert "1 spans of evidence hold nothing but white space and are left out" in caplog.text


def test_sound_evidence_is_no_reason_for_a_warning(read, caplog):
    read(whole(DOCUMENT))
    assert "white space" not in caplog.text


@quick
@given(st.text("ab \n", min_size=1, max_size=30), st.data())
def test_joined_spans_cover_the_same_visible_characters_and_lie_apart(text, data):
    ends = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(sorted)
    spans = data.draw(st.lists(ends, max_size=4))
    before = copy.deepcopy(spans)
    joined = _joined(spans, text)

    def covered(places):
        return {i for start, end in places for i in range(start, end) if not text[i].isspace()}

    assert covered(joined) == covered(spans)
    assert all(text[first[1] : second[0]].strip() for first, second in itertools.pairwise(joined))
    assert spans == before


@pytest.mark.parametrize("sets", [[], None])
def test_contracts_without_annotations_can_be_asked(read, sets):
    document = {key: value for key, value in DOCUMENT.items() if key not in {"annotation_sets", "spans"}}
    (row,) = read(whole(document if sets is None else {**document, "annotation_sets": sets}), labelled=False)
    assert "answers" not in row or row["answers"] is None
    assert len(NLI.format(row)) == 17


@pytest.mark.parametrize("name", [None, ""])
def test_a_document_without_a_file_name_is_called_by_its_number(read, name):
    (row,) = read(whole({**DOCUMENT, "file_name": name}))
    assert row["document"] == "7"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (annotated(nda_6={"choice": "Entailment", "spans": []}), r"document 1: unknown hypothesis 'nda-6'; known are"),
        (annotated(nda_7={"choice": "Neutral", "spans": []}), r"document 1, nda-7: unknown choice 'Neutral'"),
        (annotated(nda_7={"choice": ["Entailment"], "spans": []}), r"nda-7: unknown choice \['Entailment'\]"),
        (annotated(nda_7={"spans": []}), r"document 1, nda-7: unknown choice None"),
        (annotated(nda_7={"choice": "Entailment", "spans": [4]}), r"nda-7: there is no span 4, as .* has 4, counted"),
        (annotated(nda_7={"choice": "Entailment", "spans": [-1]}), r"nda-7: there is no span -1"),
        (annotated(nda_7={"choice": "Entailment", "spans": [True]}), r"nda-7: there is no span True"),
        (annotated(nda_7={"choice": "Entailment", "spans": 3}), r"nda-7: 'spans' must be a list"),
        (annotated(nda_7={"choice": "NotMentioned", "spans": [0]}), r"nda-7: NotMentioned with span 0 as evidence"),
        ({**DOCUMENT, "annotation_sets": DOCUMENT["annotation_sets"] * 2}, r"document 1: 2 annotation sets, and only"),
        ({**DOCUMENT, "annotation_sets": {"annotations": {}}}, r"document 1: 'annotation_sets' must be a list"),
        ({**DOCUMENT, "annotation_sets": [ANNOTATIONS]}, r"document 1: 'annotations' must be an object"),
        ({**DOCUMENT, "spans": None}, r"document 1: 'spans' must be a list"),
        ({**DOCUMENT, "spans": [*SPANS, [50, 59]]}, r"span 4 is \[50, 59\], and no place in a text of 58 characters"),
        ({**DOCUMENT, "spans": [[5, 5], *SPANS]}, r"span 0 is \[5, 5\]"),
        ({**DOCUMENT, "spans": [[1], *SPANS]}, r"span 0 is \[1\]"),
        ({**DOCUMENT, "spans": [["0", "2"], *SPANS]}, r"span 0 is \['0', '2'\]"),
        ({**DOCUMENT, "text": " "}, r"document 1: 'text' is missing or empty"),
        ({**DOCUMENT, "answers": []}, r"document 1: the name 'answers' is a column of the task's own"),
    ],
)
def test_a_document_that_makes_no_sense_is_named(read, document, message):
    with pytest.raises(DataError, match=message):
        read(whole(document))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"nda-99": {"hypothesis": "Ash owes rent."}}, r"'labels': unknown hypothesis 'nda-99'"),
        ({"nda-7": {"hypothesis": "Ash owes rent."}}, r"the hypothesis 'nda-7' reads 'Ash owes rent\.', and the task"),
        ([], r"'labels' must be an object"),
        ({"nda-7": "Ash owes rent."}, r"'labels' must be an object"),
    ],
)
def test_other_hypotheses_than_those_of_the_task_are_refused(read, labels, message):
    with pytest.raises(DataError, match=message):
        read(whole(DOCUMENT, labels=labels))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps(whole(DOCUMENT))[:-9], r"dev\.json cannot be read as JSON .*download it once more"),
        ('{"documents": [{"text": "A.", "spans": [], "text": "B."}]}', r"the name 'text' occurs twice in an object"),
        ('{"documents": {"spans": []}}', r"'documents' must be a list of objects"),
        ('{"documents": ["spans", {"spans": []}]}', r"'documents' must be a list of objects"),
    ],
)
def test_a_damaged_file_is_named(read, content, message):
    with pytest.raises(DataError, match=message):
        read(content)


# The published files


@pytest.fixture(scope="module")
def files():
    return {name: read_rows(PUBLISHED / name, task=NLI).to_list() for name in FILES}


@published
def test_the_published_files_hold_the_published_counts(files):
    assert {name: len(rows) for name, rows in files.items()} == FILES
    answers = Counter(finding.answer for row in files["test.json"] for finding in NLI.reference(row).findings)
    assert answers == {"entailment": 968, "not mentioned": 903, "contradiction": 220}
    assert {len(row["answers"]) for rows in files.values() for row in rows} == {17}


@published
def test_every_published_finding_has_evidence_and_nothing_else_has(files):
    for rows in files.values():
        for finding in itertools.chain.from_iterable(NLI.reference(row).findings for row in rows):
            assert bool(finding.evidence) == (finding.answer != "not mentioned")


@published
def test_one_piece_of_published_evidence_is_white_space(caplog):
    with caplog.at_level(logging.WARNING):
        for name in FILES:
            read_rows(PUBLISHED / name, task=NLI)
    assert caplog.text.count("1 spans of evidence hold nothing but white space") == 1
    assert "dev.json: 1 spans" in caplog.text


@published
def test_published_texts_have_no_empty_lines_and_documents_names_of_their_own(files):
    rows = list(itertools.chain.from_iterable(files.values()))
    assert not [row for row in rows if "\n\n" in row["text"].replace(" ", "")]
    assert len({row["document"] for row in rows}) == len(rows)


@published
def test_some_published_test_contracts_are_copies_of_each_other(files):
    groups = near_duplicate_groups([row["text"] for row in files["test.json"]], threshold=0.9)
    assert len(groups) - len(set(groups.tolist())) == 4


@published
def test_joining_published_spans_raises_what_sentences_can_reach(files):
    rows = files["test.json"][:40]
    metric = next(metric for metric in NLI.metrics if metric.name == "evidence_f1")
    outputs = [NLI.expressible(row) for row in rows]
    assert metric.compute(outputs, [NLI.reference(row) for row in rows], rows) > 0.8
