import csv
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from helpers import DATA
from hypothesis import given, settings
from hypothesis import strategies as st

from qlorakit import read_rows, split
from qlorakit.entities import align
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.spans import join_words
from qlorakit.task import Output
from qlorakit_medical.bc5cdr import BC5CDR, BC5CDR_TSV, TYPES
from qlorakit_medical.entities import ENTITIES

PUBLISHED = DATA / "bc5cdr"
published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"bc5cdr is not at {PUBLISHED}")
quick = settings(deadline=None, max_examples=60, derandomize=True)
HEAD = "Selin\tB-Chemical\n-\tO\ninduced\tO\nshaking\tB-Disease\n.\tO\n"


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="train.tsv", **keywords):
        path = tmp_path / name
        path.write_bytes(content.encode())
        return read_rows(path, task=ENTITIES, **keywords).to_list()

    return write_and_read


def mentions(row):
    text = " ".join(row["tokens"])
    return [(text[span.start : span.end], span.type) for span in ENTITIES.reference(row)]


def scores(outputs, rows):
    references = [ENTITIES.reference(row) for row in rows]
    return {metric.name: metric.compute(outputs, references, rows) for metric in ENTITIES.metrics}


# The task


def test_both_types_occur_often_among_the_samples_and_some_hold_none():
    found = [mentions(row) for row in ENTITIES.samples]
    counts = Counter(kind for row in found for _, kind in row)
    assert min(counts[kind] for kind in TYPES) >= 10
    assert sum(not row for row in found) >= 2


def test_no_two_samples_are_near_duplicates():
    groups = near_duplicate_groups([" ".join(row["tokens"]) for row in ENTITIES.samples], threshold=0.8)
    assert len(set(groups.tolist())) == len(ENTITIES.samples) >= 14


def test_the_samples_are_enough_for_a_split():
    assert set(split(ENTITIES.samples, task=ENTITIES, seed=0)) == {"train", "validation", "test"}


def test_f1_of_each_type_counts_that_type_alone():
    row = {"tokens": ["Selin", "causes", "cramps"], "tags": ["B-Chemical", "O", "B-Disease"]}
    chemical, disease = ENTITIES.reference(row)
    found = scores([Output((chemical,))], [row])
    assert (found["chemical_f1"], found["disease_f1"]) == (1, 0)
    assert scores([Output((disease,))], [row])["disease_f1"] == 1


def test_the_baseline_finds_the_mentions_of_the_training_rows_with_their_commonest_type():
    train = [{"tokens": ["RA"], "tags": [tag]} for tag in ("B-Disease", "B-Chemical", "B-Disease")]
    (dictionary,) = ENTITIES.baselines
    (output,) = dictionary.answer(ENTITIES, train, [{"tokens": ["severe", "RA"]}])
    assert [span.type for span in output.value] == ["Disease"]


def test_the_public_data_set_comes_with_its_licence_and_traps():
    assert ENTITIES.datasets == (BC5CDR,)
    assert "CC BY 4.0" in BC5CDR.licence
    assert BC5CDR.traps


# Files


def test_a_table_without_a_header_is_read_as_sentences(read):
    rows = read(HEAD + "\n\nNone\tO\ndied\tO\n")
    assert [row["tokens"] for row in rows] == [["Selin", "-", "induced", "shaking", "."], ["None", "died"]]
    assert mentions(rows[0]) == [("Selin", "Chemical"), ("shaking", "Disease")]


@pytest.mark.parametrize("ending", ["", "\n", "\n\n\n"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_the_last_sentence_is_read_however_the_file_ends(read, ending, line_break):
    rows = read((HEAD.strip() + ending).replace("\n", line_break))
    assert [row["tags"] for row in rows] == [["B-Chemical", "O", "O", "B-Disease", "O"]]


def test_quotation_marks_are_words_and_swallow_no_lines(read):
    content = 'so\tO\n"\tO\ncalled\tO\n\n"\tO\ncramps\tB-Disease\n'
    assert len(list(csv.reader(content.splitlines(), delimiter="\t"))) < 5
    assert [row["tokens"] for row in read(content)] == [["so", '"', "called"], ['"', "cramps"]]


def test_a_name_that_is_cut_at_its_apostrophe_is_one_entity(read):
    (row,) = read("Parkinson\tB-Disease\n'\tI-Disease\ns\tI-Disease\ndisease\tI-Disease\nin\tO\nmen\tO\n")
    assert mentions(row) == [("Parkinson ' s disease", "Disease")]
    assert align("Parkinson ' s disease | Disease", join_words(row["tokens"]), TYPES).value == ENTITIES.reference(row)


def test_entities_of_one_type_that_touch_are_two(read):
    (row,) = read("ischemic\tB-Disease\nstroke\tI-Disease\ncardiac\tB-Disease\narrest\tI-Disease\n")
    assert mentions(row) == [("ischemic stroke", "Disease"), ("cardiac arrest", "Disease")]


def test_words_that_tables_take_for_missing_values_are_words(read):
    assert read("None\tO\nnull\tO\nNA\tO\n")[0]["tokens"] == ["None", "null", "NA"]


MARKED = "Before\tO\n\n-DOCSTART-\tO\n\nLithium\tB-Chemical\n\nworked\tO\n-DOCSTART- -X- O\nRA\tB-Disease\n"


def test_marks_of_documents_are_no_sentences_but_part_them(read):
    rows = read(MARKED)
    assert [row["tokens"] for row in rows] == [["Before"], ["Lithium"], ["worked"], ["RA"]]
    assert [row["document"] for row in rows] == [None, "train/1", "train/1", "train/2"]


def test_rows_have_no_document_where_none_is_marked(read):
    assert [set(row) for row in read(HEAD)] == [{"tokens", "tags"}]


def test_sentences_of_a_document_stay_on_one_side(read):
    words = ("Selin", "causes", "cramps")
    names = [f"{word}{number}" for number in range(20) for word in words]
    lines = "".join(("-DOCSTART-\tO\n\n" if at % 3 == 0 else "") + f"{name}\tO\n\n" for at, name in enumerate(names))
    sides = split(read(lines), task=ENTITIES, seed=0, near_duplicates=None)
    documents = [{row["document"] for row in side} for side in sides.values()]
    assert sum(map(len, documents)) == len(set().union(*documents)) == 20
    assert all(len(side) == 3 * len(found) for side, found in zip(sides.values(), documents, strict=True))


@pytest.mark.parametrize(("document", "group"), [(0, 0), ("a", "a"), ("", None), (None, None)])
def test_a_document_may_be_the_first_and_may_be_unknown(document, group):
    assert ENTITIES.group({"document": document}) == group
    assert ENTITIES.group({}) is None


def test_a_file_is_known_by_its_content_and_not_by_its_beginning(read):
    assert len(read("All\tO\nwell\tO\n\n" * 30 + HEAD, "a.txt")) == 31


@pytest.mark.parametrize("content", ["tokens\ttags\n['a']\t['O']\n", "one\ttwo\nthree\tfour\n"])
def test_another_table_is_not_taken_for_tagged_words(tmp_path, content):
    path = tmp_path / "a.tsv"
    path.write_text(content)
    assert not BC5CDR_TSV.recognises(path, content.splitlines())


def test_a_text_of_words_is_not_taken_for_tagged_words(read):
    with pytest.raises(ConfigurationError, match=r"cannot tell how to read \.txt"):
        read("Selin causes\tcramps\nin some\n", "a.txt")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("cramps\tB-Gene", r"train\.tsv, line 7: unknown tag 'B-Gene'; O, or B- or I- and one of Chemical, Disease"),
        ("cramps\tS-Disease", r"train\.tsv, line 7: unknown tag 'S-Disease'.* another scheme than BIO"),
        ("cramps", r"train\.tsv, line 7: 1 cells where a token, a tab and a tag are expected"),
        ("\tO", r"train\.tsv, line 7: 2 cells where a token"),
        ("cramps\tNN\tO", r"train\.tsv, line 7: 3 cells"),
        ("cramps\tI-Disease", r"train\.tsv, line 7: column 'tags', tag 1: 'I-Disease' cannot stand there"),
    ],
)
def test_a_line_that_makes_no_sense_is_named(read, line, message):
    with pytest.raises(DataError, match=message):
        read(f"{HEAD}\n{line}\n")


@st.composite
def tagged_sentences(draw):
    word = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1)
    entity = st.tuples(st.sampled_from(["", *TYPES]), st.lists(word, min_size=1, max_size=4))
    sentences = draw(st.lists(st.lists(entity, min_size=1, max_size=6), max_size=6))
    return [
        [
            (word, f"{'I' if place else 'B'}-{kind}" if kind else "O")
            for kind, words in parts
            for place, word in enumerate(words)
        ]
        for parts in sentences
    ]


@quick
@given(tagged_sentences())
def test_every_word_and_tag_comes_back_with_the_line_of_its_sentence(sentences):
    text = "\n\n".join("\n".join(f"{word}\t{tag}" for word, tag in sentence) for sentence in sentences)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.tsv"
        path.write_text(text, encoding="utf-8")
        found = list(BC5CDR_TSV.read(path)) if text else []
    assert [list(zip(row["tokens"], row["tags"], strict=True)) for _, row in found] == sentences
    lines = text.split("\n")
    assert all(lines[number - 1].startswith(row["tokens"][0]) for number, row in found)


# The published files


@pytest.fixture(scope="module")
def files():
    names = ("train", "devel", "test")
    return {name: [row for _, row in BC5CDR_TSV.read(PUBLISHED / f"{name}.tsv")] for name in names}


@published
@pytest.mark.parametrize(
    ("name", "rows", "tokens", "chemicals", "diseases", "longest"),
    [
        ("train", 4560, 118170, 5203, 4182, 154),
        ("devel", 4581, 117453, 5347, 4246, 225),
        ("test", 4797, 124750, 5385, 4424, 165),
    ],
)
def test_the_published_files_hold_the_published_counts(files, name, rows, tokens, chemicals, diseases, longest):
    lengths = [len(row["tokens"]) for row in files[name]]
    assert (len(lengths), sum(lengths), max(lengths)) == (rows, tokens, longest)
    counts = Counter(span.type for row in files[name] for span in ENTITIES.reference(row))
    assert counts == {"Chemical": chemicals, "Disease": diseases}


@published
def test_few_published_sentences_are_in_two_files(files):
    sentences = {name: Counter(" ".join(row["tokens"]) for row in rows) for name, rows in files.items()}
    shared = [[text for text in sentences["test"].elements() if text in sentences[name]] for name in ("train", "devel")]
    assert [len(found) for found in shared] == [16, 18]
    assert [sum(len(text.split()) > 5 for text in found) for found in shared] == [0, 3]


@published
def test_a_dictionary_of_the_training_file_finds_more_than_half_of_the_test_file(files):
    found = scores(ENTITIES.baselines[0].answer(ENTITIES, files["train"], files["test"]), files["test"])
    assert found["entity_f1"] == pytest.approx(0.702, abs=0.002)
    assert found["entity_recall"] == pytest.approx(0.590, abs=0.002)
