import json
import logging
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from helpers import DATA, write_jsonl
from hypothesis import given, settings
from hypothesis import strategies as st

from qlorakit import read_rows, split
from qlorakit.errors import ConfigurationError, DataError, PluginError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.task import Output, Prediction
from qlorakit.testing import check_task, perfect_predictions
from qlorakit_legal.entities import ENTITIES, cut_preambles, entities_task, without_layout
from qlorakit_legal.in_legal_ner import (
    DECODED_JSONL,
    EXPORT_JSON,
    IN_LEGAL_NER,
    TYPES,
    TYPES_OF_PREAMBLES,
    is_preamble,
    part_of,
    row_of_entry,
)

PUBLISHED = DATA / "in_legal_ner" / "dev.jsonl"
published = pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"InLegalNER is not at {PUBLISHED}")
quick = settings(deadline=None, max_examples=60, derandomize=True)
PREAMBLE = (
    "In The Apex Court\n\n\n   Asha\n      Rao      ...  Appellant\n\n  Vs.\n\n  Union Of India\n\nBefore Bose, J.\n"
)


def span(start, end, label, **more):
    return {"start": start, "end": end, "label": label, **more}


def preamble():
    found = [("Apex Court", "COURT"), ("Asha\n      Rao", "PETITIONER"), ("Union Of India", "RESPONDENT")]
    spans = [span(PREAMBLE.index(said), PREAMBLE.index(said) + len(said), kind, text=said) for said, kind in found]
    return {"text": PREAMBLE, "entities": spans}


def entry(text="The Apex Court", marked=((4, 14, "COURT"),), **more):
    results = [
        {"value": {"start": start, "end": end, "text": text[start:end], "labels": [label]}, "type": "labels"}
        for start, end, label in marked
    ]
    source = "sc https://indiankanoon.org/doc/12/"
    return {"id": "a1", "annotations": [{"result": results}], "data": {"text": text}, "meta": {"source": source}} | more


@pytest.fixture
def read(tmp_path):
    def write_and_read(rows, name="dev.json"):
        path = tmp_path / name
        write_jsonl(path, rows) if name.endswith("jsonl") else path.write_text(json.dumps(rows), encoding="utf-8")
        return read_rows(path, task=ENTITIES).to_list()

    return write_and_read


def mentions(row, task=ENTITIES):
    return [(row["text"][found.start : found.end], found.type) for found in task.reference(row)]


def scores(outputs, rows):
    references = [ENTITIES.reference(row) for row in rows]
    return {metric.name: metric.compute(outputs, references, rows) for metric in ENTITIES.metrics}


# The task


def test_the_other_encoding_keeps_what_the_core_relies_on():
    check_task(entities_task("lines"))


def test_an_unknown_encoding_is_refused():
    with pytest.raises(PluginError, match="encoding='tags' is not known"):
        entities_task("tags")


def test_every_type_and_both_parts_occur_among_the_samples_and_some_sentences_hold_no_entity():
    found = [(row["part"], mentions(row)) for row in ENTITIES.samples]
    assert {kind for _, row in found for _, kind in row} == set(TYPES)
    assert {kind for part, row in found for _, kind in row if part == "preamble"} == set(TYPES_OF_PREAMBLES)
    assert sum(not row for part, row in found if part == "sentence") >= 3


def test_the_parts_of_the_samples_are_those_that_their_lines_tell():
    assert all((row["part"] == "preamble") == is_preamble(row) for row in ENTITIES.samples)


def test_no_two_samples_are_near_duplicates():
    groups = near_duplicate_groups([row["text"] for row in ENTITIES.samples], threshold=0.8)
    assert len(set(groups.tolist())) == len(ENTITIES.samples) >= 16


def test_a_judgment_of_the_samples_is_on_one_side_of_a_split():
    sides = split(ENTITIES.samples, task=ENTITIES, seed=0)
    documents = [{row["document"] for row in side} for side in sides.values()]
    assert set(sides) == {"train", "validation", "test"}
    assert sum(map(len, documents)) == len(set().union(*documents))


@pytest.mark.parametrize(("row", "group"), [({"document": "a"}, "a"), ({"document": " "}, None), ({}, None)])
def test_rows_of_unknown_judgments_stand_alone(row, group):
    assert ENTITIES.group(row) == group


def test_types_may_be_written_in_capitals_as_published():
    assert [kind for _, kind in mentions(preamble())] == ["court", "petitioner", "respondent"]


def test_f1_of_each_part_counts_that_part_alone():
    rows = [preamble(), {"text": "The Apex Court said so.", "entities": [span(4, 14, "COURT")]}]
    right = ENTITIES.reference(rows[0])
    assert scores([Output(right), Output(())], rows)["preamble_f1"] == 1
    assert scores([Output(right), Output(())], rows)["sentence_f1"] == 0


def test_the_public_data_set_comes_with_its_licence_and_traps():
    assert ENTITIES.datasets == (IN_LEGAL_NER,)
    assert "Apache-2.0" in IN_LEGAL_NER.licence
    assert all(trap.strip() for trap in IN_LEGAL_NER.traps)


# Layout


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a    b", "a b"), ("a \n\n   b", "a\nb"), ("\n a\tb\r\nc ", "a b\nc"), ("a\xa0b", "a b"), ("a\x0cb", "a\nb")],
)
def test_runs_of_white_space_are_shown_as_one_space_or_line_break(text, shown):
    assert without_layout(text) == shown


@pytest.mark.parametrize("encoding", ["words", "lines"])
def test_the_model_sees_a_preamble_without_layout_and_answers_in_the_text_as_it_is(encoding):
    task, row = entities_task(encoding), preamble()
    examples = task.format(row)
    assert "In The Apex Court\nAsha\nRao ... Appellant\nVs." in examples[0].messages[-1].text
    output = task.parse(row, examples, [Prediction(example.target) for example in examples])
    assert output.value == task.reference(row)
    assert mentions(row)[1] == ("Asha\n      Rao", "petitioner")


def test_rows_to_be_answered_need_no_entities():
    row = {"text": PREAMBLE}
    examples = ENTITIES.format(row)
    predictions = [Prediction("B-judge" if "[Bose]" in example.messages[-1].text else "O") for example in examples]
    (found,) = ENTITIES.parse(row, examples, predictions).value
    assert (PREAMBLE[found.start : found.end], found.type) == ("Bose", "judge")


def test_an_entity_that_ends_inside_a_word_stays_in_the_reference_and_is_not_expressible():
    row = {"text": "The    Court36 said", "entities": [span(7, 12, "court")]}
    assert len(ENTITIES.reference(row)) == 1
    assert ENTITIES.expressible(row).value == ()


def test_a_span_outside_the_text_is_named_by_the_offsets_that_the_row_has():
    with pytest.raises(DataError, match="from 90 to 95 is not inside the text, which has 14 characters"):
        ENTITIES.format({"text": "The Apex Court", "entities": [span(90, 95, "court")]})


@st.composite
def laid_out(draw):
    words = draw(st.lists(st.from_regex(r"[A-Za-z]{1,5}", fullmatch=True), min_size=1, max_size=12))
    gaps = draw(st.lists(st.from_regex(r"[ \n\t]{1,6}", fullmatch=True), min_size=len(words), max_size=len(words)))
    kinds = draw(st.lists(st.sampled_from(["", *TYPES]), min_size=len(words), max_size=len(words)))
    text, spans = "", []
    for word, gap, kind in zip(words, gaps, kinds, strict=True):
        spans += [span(len(text), len(text) + len(word), kind)] if kind else []
        text += word + gap
    return {"text": text, "entities": spans}


@quick
@given(laid_out())
def test_right_answers_are_the_reference_whatever_the_layout(row):
    examples = ENTITIES.format(row)
    (predictions,) = perfect_predictions(ENTITIES, [row])
    assert ENTITIES.parse(row, examples, predictions).value == ENTITIES.reference(row)


# Parts


@pytest.mark.parametrize(("lines", "found"), [(4, False), (5, True)])
def test_five_lines_that_are_not_blank_are_a_preamble(lines, found):
    assert is_preamble({"text": "\n  \nA line\n" * lines}) is found


def test_the_column_part_decides_where_it_is_there():
    assert part_of({"text": "one line", "part": "preamble"}) == "preamble"
    assert part_of({"text": "one line", "part": "other"}) == "sentence"


def test_long_preambles_are_cut_at_line_ends_and_no_entity_is_lost():
    row = {**preamble(), "title": "a"}
    pieces = cut_preambles([row], most_words=6)
    assert "".join(piece["text"] for piece in pieces) == PREAMBLE
    assert [found for piece in pieces for found in mentions(piece)] == mentions(row)
    assert [piece["piece"] for piece in pieces] == list(range(1, len(pieces) + 1))
    assert {piece["part"] for piece in pieces} == {"preamble"}
    assert {piece["title"] for piece in pieces} == {"a"}
    assert all(piece["text"].endswith("\n") for piece in pieces)


def test_pieces_of_a_preamble_stay_together_and_apart_from_others():
    other = {**preamble(), "text": PREAMBLE.replace("Bose", "Sen")}
    pieces = cut_preambles([preamble(), other], most_words=6)
    assert len({ENTITIES.group(piece) for piece in pieces}) == 2
    known = cut_preambles([{**preamble(), "document": "a"}], most_words=6)
    assert {piece["document"] for piece in known} == {"a"}


def test_sentences_and_short_preambles_are_not_cut():
    rows = [preamble(), {"text": "One sentence.", "entities": None}]
    assert cut_preambles(rows) == [{**row, "piece": None} for row in rows]


def test_preambles_without_known_entities_are_cut_as_well():
    pieces = cut_preambles([{"text": PREAMBLE}], most_words=3)
    assert len(pieces) > 1
    assert all(piece["entities"] is None for piece in pieces)


@quick
@given(laid_out(), st.integers(1, 9))
def test_pieces_hold_the_whole_text_and_all_of_its_entities(row, most_words):
    pieces = cut_preambles([{**row, "part": "preamble"}], most_words)
    assert "".join(piece["text"] for piece in pieces) == row["text"]
    assert [found for piece in pieces for found in mentions(piece)] == mentions(row)
    assert all(piece["text"].strip() for piece in pieces)


def test_pieces_of_no_words_are_refused_and_a_bad_row_is_named():
    with pytest.raises(ConfigurationError, match="most_words=0 must be 1 or more"):
        cut_preambles([], 0)
    with pytest.raises(DataError, match="row 2: column 'text' is empty"):
        cut_preambles([preamble(), {"text": ""}])


# The publisher's JSON


def test_an_export_is_read_with_its_judgment_and_its_part(read):
    rows = read([entry(), entry(PREAMBLE, ())])
    assert mentions(rows[0]) == [("Apex Court", "court")]
    assert [row["part"] for row in rows] == ["sentence", "preamble"]
    assert {row["document"] for row in rows} == {"https://indiankanoon.org/doc/12"}
    assert rows[0]["id"] == "a1"


@pytest.mark.parametrize(
    ("meta", "document"),
    [
        ({"source": "tax  http://a.in/doc/1/ "}, "http://a.in/doc/1"), ({"source": "a  b"}, "a b"),
        ({"source": " "}, None), ({}, None), (None, None),
    ],
)  # fmt: skip
def test_the_judgment_is_the_address_of_its_source_or_all_that_is_said_of_it(meta, document):
    assert row_of_entry(entry(meta=meta))["document"] == document


def test_white_space_at_the_ends_of_spans_goes_and_repeated_spans_are_one_as_the_log_says(read, caplog):
    marked = [(3, 14, "COURT"), (4, 14, "COURT"), (3, 4, "ORG"), (0, 3, "ORG")]
    (row,) = read([entry("The Apex Court", marked)])
    assert mentions(row) == [("The", "org"), ("Apex Court", "court")]
    assert "1 spans lose the white space at their ends" in caplog.text
    assert "1 spans that are there twice are read once" in caplog.text
    assert "1 spans of white space alone are left out" in caplog.text
    assert "Apex" not in caplog.text


def test_results_that_are_no_spans_are_left_out_as_the_log_says(read, caplog):
    other = entry()
    other["annotations"][0]["result"].append({"type": "choices", "value": {"choices": ["a"]}})
    assert mentions(read([other])[0]) == [("Apex Court", "court")]
    assert "1 results without labels, such as relations and choices, are left out" in caplog.text


def test_a_text_that_nobody_annotated_has_unknown_entities_and_one_without_any_has_none():
    assert row_of_entry(entry(annotations=[]))["entities"] is None
    assert row_of_entry(entry(marked=()))["entities"] == []


def test_preambles_without_any_entity_are_kept_and_told_in_the_log(read, caplog):
    assert len(read([entry(PREAMBLE, ()), entry("No costs.", ()), entry()])) == 3
    assert "1 preambles have no entity at all" in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": "a"}, r"dev\.json, entry 2: 'data' holds str where .* is needed; is the file an export of another"),
        ({"data": {"text": " "}}, r"dev\.json, entry 2: column 'text' is empty"),
        ({"annotations": None}, r"entry 2: 'annotations' holds NoneType"),
        ({"annotations": [{"value": 1}]}, r"entry 2: 'annotations' holds list where"),
        ({"annotations": [{"result": []}] * 2}, r"entry 2: 'annotations' holds 2 annotations, .* keep one"),
    ],
)
def test_an_entry_of_another_form_is_named(read, changes, message):
    with pytest.raises(DataError, match=message):
        read([entry(), entry(**changes)])


@pytest.mark.parametrize(
    ("marked", "message"),
    [
        ((4, 14, "POLICE"), r"unknown type 'POLICE'; allowed: 'court'"),
        ((4, 99, "COURT"), r"from 4 to 99 is not inside the text, which has 14 characters"),
        (("4", 14, "COURT"), r"is no span; write it like"),
    ],
)
def test_a_span_that_makes_no_sense_is_named_with_its_file(read, marked, message):
    wrong = entry()
    wrong["annotations"][0]["result"][0]["value"] |= dict(zip(("start", "end"), marked, strict=False))
    wrong["annotations"][0]["result"][0]["value"]["labels"] = [marked[2]]
    with pytest.raises(DataError, match=rf"dev\.json, .*column 'entities', span 1: .*{message}"):
        read([wrong])


def test_offsets_that_miss_the_mention_are_refused(read):
    wrong = entry()
    wrong["annotations"][0]["result"][0]["value"]["text"] = "High Court"
    with pytest.raises(DataError, match=r"'High Court' is not what the text says from 4 to 14"):
        read([wrong])


# A text and its entities in each line


def test_lines_are_read_with_their_part_and_without_tokens(read, caplog):
    lines = [{**preamble(), "tokens": ["In"]}, {"text": "Dated 1.2.2020", "entities": [span(6, 14, "DATE")]}]
    rows = read(lines, "dev.jsonl")
    assert [row["part"] for row in rows] == ["preamble", "sentence"]
    assert [set(row) for row in rows] == [{"text", "entities", "part"}] * 2
    assert mentions(rows[0])[1] == ("Asha\n      Rao", "petitioner")
    assert "1 rows lose the column 'tokens'" in caplog.text


def test_a_part_and_a_document_of_your_own_are_kept(read):
    (row,) = read([{**preamble(), "part": "sentence", "document": "mine"}], "dev.jsonl")
    assert (row["part"], row["document"]) == ("sentence", "mine")


def test_the_line_of_an_error_is_named(read):
    lines = [preamble(), {"text": "", "entities": []}]
    with pytest.raises(DataError, match=r"dev\.jsonl, line 2: column 'text' is empty"):
        read(lines, "dev.jsonl")


def test_a_line_that_is_no_json_is_named(tmp_path):
    path = write_jsonl(tmp_path / "dev.jsonl", [preamble()])
    path.write_text(path.read_text() + "{'text': 1}\n")
    with pytest.raises(DataError, match=r"dev\.jsonl, line 2: not valid JSON"):
        read_rows(path, task=ENTITIES)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv"])
@pytest.mark.parametrize(
    "content",
    ['[{"text": "a", "entities": []}]', '{"text": "a", "entities": [{"start": 0, "end": 1, "label": "drug"}]}', "text"],
)
def test_files_of_other_forms_are_not_taken_for_either(name, content):
    assert not EXPORT_JSON.recognises(Path(name), [content])
    assert not DECODED_JSONL.recognises(Path(name), [content])


@quick
@given(st.lists(laid_out(), min_size=1, max_size=5))
def test_both_forms_of_the_same_rows_hold_the_same_entities(rows):
    exports = [entry(row["text"], [(s["start"], s["end"], s["label"]) for s in row["entities"]]) for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        logging.disable(logging.WARNING)
        export, lines = Path(folder) / "a.json", write_jsonl(Path(folder) / "a.jsonl", rows)
        export.write_text(json.dumps(exports), encoding="utf-8")
        read = [[row for _, row in form.read(path)] for form, path in ((EXPORT_JSON, export), (DECODED_JSONL, lines))]
        logging.disable(logging.NOTSET)
    assert [mentions(row) for row in read[0]] == [mentions(row) for row in read[1]] == [mentions(row) for row in rows]


# The published file


@pytest.fixture(scope="module")
def dev():
    return list(read_rows(PUBLISHED, task=ENTITIES))


@published
def test_the_published_parts_are_told_apart_and_hold_the_counted_entities(dev):
    assert Counter(row["part"] for row in dev) == {"preamble": 125, "sentence": 949}
    assert all(is_preamble(row) for row in dev[:125])
    counts = Counter((row["part"], kind) for row in dev for _, kind in mentions(row))
    assert {kind for part, kind in counts if part == "preamble"} == set(TYPES_OF_PREAMBLES)
    assert {kind for part, kind in counts if part == "sentence"} == set(TYPES) - {"lawyer"}
    assert sum(counts.values()) == 3028


@published
def test_all_published_entities_can_be_said_word_by_word_and_all_but_two_in_lines(dev):
    lines = entities_task("lines")
    missing = [len(set(ENTITIES.reference(row)) - set(lines.expressible(row).value)) for row in dev]
    assert sum(missing) == 2
    assert all(ENTITIES.expressible(row).value == ENTITIES.reference(row) for row in dev)


@published
def test_a_dictionary_finds_about_a_quarter_of_the_published_entities(dev):
    sides = {name: list(side) for name, side in split(dev, task=ENTITIES, seed=0).items()}
    outputs = ENTITIES.baselines[0].answer(ENTITIES, sides["train"], sides["test"])
    assert scores(outputs, sides["test"])["entity_f1"] == pytest.approx(0.295, abs=0.02)


@published
def test_twelve_published_preambles_are_not_annotated(dev):
    assert sum(row["entities"] == [] for row in dev if row["part"] == "preamble") == 12


@published
def test_cut_published_preambles_keep_every_entity(dev):
    pieces = cut_preambles(dev)
    assert sum(len(ENTITIES.reference(row)) for row in pieces) == 3028
    assert len(pieces) == 949 + 377
