import csv
import gzip
import io
import json
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from helpers import DATA
from hypothesis import given, settings
from hypothesis import strategies as st

from qlorakit import read_rows, split
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.measuring import Sheet
from qlorakit.rows import check_rows, row_ids
from qlorakit.spans import Span
from qlorakit.splits import overlap
from qlorakit.statistics import Resampling
from qlorakit.tag_schemes import SCHEMES, read_tags
from qlorakit.task import Output, Prediction
from qlorakit_finance.entities import ENTITIES, TYPES, entity_task
from qlorakit_finance.finer_ord import COLUMNS, FINER_CSV, FINER_ORD, MOST_WORDS
from qlorakit_finance.finer_ord import TAGS as PUBLISHED_TAGS
from qlorakit_finance.sec_agreements import AGREEMENTS

quick = settings(deadline=None, max_examples=60, derandomize=True)
AGREEMENT = """-DOCSTART- -X- O O

Norvik NNP - I-ORG
Bank NNP - I-ORG
lends VBZ - O
Ada NNP - I-PER
Holm NNP - I-PER
euros NNS - I-MISC
. . - O

The DT - O
Borrower NN - I-PER
repays VBZ - O
. . - O

-DOCSTART- -X- O O

Galway NNP - I-LOC
"""
ROWS = [
    {
        "tokens": ["Norvik", "Bank", "lends", "Ada", "Holm", "euros", "."],
        "tags": ["B-ORG", "I-ORG", "O", "B-PER", "I-PER", "O", "O"],
        "agreement": "FIN/1",
    },
    {"tokens": ["The", "Borrower", "repays", "."], "tags": ["O", "B-PER", "O", "O"], "agreement": "FIN/1"},
    {"tokens": ["Galway"], "tags": ["B-LOC"], "agreement": "FIN/2"},
]
NEWS = [("Norvik", 5, 0), ("Bank", 6, 0), ("fell", 0, 0), (".", 0, 0), ("None", 0, 0), ("of", 0, 0), ("NAN", 5, 1)]
HEADER = ",".join(COLUMNS) + "\n"


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="FIN.txt", **keywords):
        data = content.encode()
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return read_rows(path, task=ENTITIES, **keywords).to_list()

    return write_and_read


def news(tokens):
    """The published table of words, each with a number for its tag."""
    file = io.StringIO()
    lines = [token if len(token) == 3 else (*token, 0) for token in tokens]
    csv.writer(file).writerows([COLUMNS, *[(tag, word, document) for word, tag, document in lines]])
    return file.getvalue()


def said(text):
    """The words of a text, none of them tagged."""
    return news([(word, 0) for word in text.split(" ")])


def rows_of(path, text):
    path.write_text(text, encoding="utf-8")
    return [row for _, row in FINER_CSV.read(path)]


def texts(rows):
    return [" ".join(row["tokens"]) for row in rows]


def scores(outputs, rows):
    references = [ENTITIES.reference(row) for row in rows]
    return {metric.name: metric.compute(outputs, references, rows) for metric in ENTITIES.metrics}


# The task


def test_the_samples_are_valid():
    check_rows(ENTITIES.samples, ENTITIES, labelled=True)
    assert len({tuple(row["tokens"]) for row in ENTITIES.samples}) == len(ENTITIES.samples) >= 24


def test_every_type_and_the_lack_of_any_occur_among_the_samples():
    found = [ENTITIES.reference(row) for row in ENTITIES.samples]
    assert min(Counter(span.type for spans in found for span in spans)[kind] for kind in TYPES) >= 10
    assert sum(not spans for spans in found) >= 5


def test_some_entities_of_the_samples_stand_side_by_side():
    tags = [tuple(zip(row["tags"], row["tags"][1:], strict=False)) for row in ENTITIES.samples]
    assert sum(pair[0] != "O" and pair[1].startswith("B-") for pairs in tags for pair in pairs) >= 2


def test_the_samples_are_enough_for_a_split():
    assert set(split(ENTITIES.samples, task=ENTITIES, seed=0)) == {"train", "validation", "test"}


def test_an_answer_comes_back_as_the_reference():
    for row in ENTITIES.samples:
        predictions = [Prediction(example.target) for example in ENTITIES.format(row)]
        assert ENTITIES.parse(row, ENTITIES.format(row), predictions).value == ENTITIES.reference(row)


def test_answers_that_are_all_right_have_every_metric_at_one():
    outputs = [Output(ENTITIES.reference(row)) for row in ENTITIES.samples]
    assert set(scores(outputs, ENTITIES.samples).values()) == {1.0}


def test_the_public_data_sets_come_with_their_licences_and_traps():
    assert ENTITIES.datasets == (AGREEMENTS, FINER_ORD)
    assert AGREEMENTS.licence == "CC BY 3.0"
    assert "no commercial use" in FINER_ORD.licence
    assert all(dataset.traps for dataset in ENTITIES.datasets)


def test_rows_of_json_lines_are_read_by_their_column_names(read):
    row = {"words": ["Ada", "pays"], "ner_tags": ["B-PER", "O"]}
    assert read(json.dumps(row), "a.jsonl") == [{"tokens": ["Ada", "pays"], "tags": ["B-PER", "O"]}]


# Other schemes

IOBES = "Ada\tB-PER\nHolm\tE-PER\nleads\tO\nNorvik\tS-ORG\n"


def test_a_file_in_another_scheme_is_read_by_a_task_that_says_so(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text(IOBES)
    task = entity_task(scheme="IOBES")
    rows = read_rows(path, task=task, columns={"tokens": "0", "tags": "1"}).to_list()
    assert [(span.start, span.end, span.type) for span in task.reference(rows[0])] == [(0, 8, "PER"), (15, 21, "ORG")]
    with pytest.raises(DataError, match="The tags look like IOBES"):
        read_rows(path, task=ENTITIES, columns={"tokens": "0", "tags": "1"})


@pytest.mark.parametrize("scheme", SCHEMES)
def test_samples_and_published_files_follow_the_scheme_of_the_task(tmp_path, scheme):
    task = entity_task(scheme=scheme, name="bank/names")
    (tmp_path / "FIN.txt").write_text(AGREEMENT)
    rows = read_rows(tmp_path / "FIN.txt", task=task).to_list()
    assert [task.reference(row) for row in rows] == [ENTITIES.reference(row) for row in ROWS]
    assert [task.reference(row) for row in task.samples] == [ENTITIES.reference(row) for row in ENTITIES.samples]
    found, known = task.baselines[0].answer(task, rows, rows), task.baselines[1].answer(task, rows, rows)
    assert found[0].value == task.reference(rows[0])
    assert known[1].value == task.reference(rows[1])
    assert task.name == "bank/names"


def test_a_scheme_that_does_not_exist_is_named():
    with pytest.raises(ConfigurationError, match=r"scheme='IOBE' is not known; there are BIO.*IOBES"):
        entity_task(scheme="IOBE")


# Role words


def test_a_rule_that_tags_borrower_and_lender_scores_high_and_nothing_without_them():
    rows = [
        {
            "tokens": ["The", "Borrower", "pays", "the", "Lender", str(place)],
            "tags": ["O", "B-PER", "O", "O", "B-PER", "O"],
        }
        for place in range(9)
    ] + [{"tokens": ["Ada", "Holm", "signs"], "tags": ["B-PER", "I-PER", "O"]}]
    dictionary, rule = ENTITIES.baselines
    found = scores(rule.answer(ENTITIES, [], rows), rows)
    assert (dictionary.name, rule.name) == ("dictionary", "role words")
    assert found["entity_f1"] > 0.95
    assert (found["role_word_f1"], found["entity_f1_without_role_words"]) == (1, 0)


@pytest.mark.parametrize("word", ["Borrower", "LENDER", "lender", "Borrowers", "Lenders"])
def test_role_words_in_any_case_and_number_are_scored_apart(word):
    row = {"tokens": [word, "Ada"], "tags": ["B-PER", "B-PER"]}
    role, name = ENTITIES.reference(row)
    assert scores([Output((role,))], [row])["role_word_f1"] == 1
    assert scores([Output((role,))], [row])["entity_f1_without_role_words"] == 0
    assert scores([Output((name,))], [row])["entity_f1_without_role_words"] == 1


def test_a_name_with_a_role_word_in_it_is_a_name():
    row = {"tokens": ["Lender", "Ltd."], "tags": ["B-ORG", "I-ORG"]}
    assert scores([Output((Span(0, 11, "ORG"),))], [row])["entity_f1_without_role_words"] == 1


def test_the_rule_leaves_plurals_alone_as_the_published_files_do():
    row = {"tokens": ["Lenders", "and", "BORROWER"], "tags": ["O", "O", "B-PER"]}
    assert scores(ENTITIES.baselines[1].answer(ENTITIES, [], [row]), [row])["entity_f1"] == 1


# Groups


def test_sentences_of_one_document_stay_on_one_side():
    rows = [
        {**row, "tokens": [f"D{place % 9}", *row["tokens"]], "tags": ["O", *row["tags"]], "document": f"a/{place % 9}"}
        for place, row in enumerate(ENTITIES.samples)
    ]
    sides = split(rows, task=ENTITIES, seed=0)
    documents = [set(side["document"]) for side in sides.values()]
    assert sum(map(len, documents)) == len(set.union(*documents)) == 9


def test_rows_without_a_document_are_on_their_own():
    rows = list(ENTITIES.samples)
    assert Sheet.of(ENTITIES, rows, row_ids(rows), Resampling()).groups is None


# FIN5 and FIN3


def test_agreements_are_read_in_the_scheme_bio_with_their_names(read):
    assert read(AGREEMENT) == ROWS


def test_tags_as_published_are_refused_as_iob2_and_read_as_iob1():
    tags = [line.split()[-1] for line in AGREEMENT.splitlines()[2:8]]
    with pytest.raises(DataError, match=r"cannot stand there in scheme BIO.*valid in IOB1"):
        read_tags(tags[:5], TYPES, "BIO")
    assert len(read_tags(tags[:5], TYPES, "IOB1")) == 2


def test_tokens_of_the_type_that_is_left_out_are_counted_in_a_warning(read, caplog):
    read(AGREEMENT)
    assert "FIN.txt: 1 tokens of type MISC are tagged O" in caplog.text
    assert "Norvik" not in caplog.text


def test_sentences_before_the_first_mark_have_no_agreement(read, caplog):
    rows = read("Ada NNP - I-PER\npays VBZ - O\n")
    assert rows == [{"tokens": ["Ada", "pays"], "tags": ["B-PER", "O"]}]
    assert not caplog.records


def test_adjacent_entities_that_iob1_marks_stay_two(read):
    assert read("Ada NNP - I-PER\nMira NNP - B-PER\n")[0]["tags"] == ["B-PER", "B-PER"]


def test_a_line_of_an_agreement_with_too_few_cells_is_named(read):
    with pytest.raises(DataError, match=r"FIN\.txt, line 24: 2 cells where a token"):
        read(AGREEMENT + "\n" * 5 + "Ada I-PER\n")


def test_a_tag_that_cannot_stand_there_is_named_with_its_sentence(read):
    with pytest.raises(DataError, match=r"FIN\.txt, sentence from line 24: tag 1: 'B-PER' cannot stand there"):
        read(AGREEMENT + "\n" * 5 + "Ada NNP - B-PER\n")


@pytest.mark.parametrize(("line", "message"), [
    ("Ada NNP - I-PERS", "unknown tag 'I-PERS'; O, or I- or B- and one of PER, ORG, LOC, MISC"),
    ("Ada I-PER", "2 cells"),
])  # fmt: skip
def test_a_bad_line_at_the_beginning_of_an_agreement_is_named(read, line, message):
    with pytest.raises(DataError, match=rf"FIN\.txt, line 2: {message}"):
        read(f"Norvik NNP - I-ORG\n{line}\npays VBZ - O\n. . - O\n")


def test_other_text_is_not_taken_for_an_agreement(read):
    with pytest.raises(ConfigurationError, match=r"cannot tell how to read \.txt"):
        read("Sales rose .\nSales fell a lot\n")


# FiNER-ORD


@pytest.mark.parametrize("name", ["test_gold_data.csv", "test_gold_data.csv.gz"])
def test_news_are_read_packed_or_not(read, name):
    rows = read(news(NEWS), name)
    assert rows == [
        {
            "tokens": ["Norvik", "Bank", "fell", "."],
            "tags": ["B-ORG", "I-ORG", "O", "O"],
            "document": "test_gold_data/0",
        },
        {"tokens": ["None", "of"], "tags": ["O", "O"], "document": "test_gold_data/0"},
        {"tokens": ["NAN"], "tags": ["B-ORG"], "document": "test_gold_data/1"},
    ]


@pytest.mark.parametrize("word", ["None", "NAN", "null", "NA", ",", '"', "'", "1,000"])
def test_every_word_is_a_word(read, word):
    assert texts(read(news([(word, 0), ("holds", 0)]), "a.csv")) == [f"{word} holds"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada left . Mira stays !", ["Ada left .", "Mira stays !"]),
        ('" Buy now ! " He did .', ['" Buy now ! "', "He did ."]),
        ('He went . " Buy now . "', ["He went .", '" Buy now . "']),
        ("“ Why ? ” Ada asked .", ["“ Why ? ”", "Ada asked ."]),
        ('" Why ? " asked Ada .', ['" Why ? " asked Ada .']),
        ("It fell ... and rose .", ["It fell ... and rose ."]),
        ("Sold ( at last . ) It fell", ["Sold ( at last . )", "It fell"]),
        ("Norvik Inc . , a bank , fell .", ["Norvik Inc . , a bank , fell ."]),
    ],
)
def test_sentences_end_after_full_stops_and_what_closes_with_them(read, text, expected):
    assert texts(read(said(text), "a.csv")) == expected


def test_an_entity_with_a_full_stop_in_it_becomes_two_and_is_counted(read, caplog):
    rows = read(news([("Yahoo", 5), ("!", 6), ("Finance", 6), ("fell", 0), (".", 0)]), "a.csv")
    assert texts(rows) == ["Yahoo !", "Finance fell ."]
    assert [row["tags"] for row in rows] == [["B-ORG", "I-ORG"], ["B-ORG", "O", "O"]]
    assert "a.csv: 1 entities stand across two sentences, as they are found, and become two" in caplog.text


@pytest.mark.parametrize(
    ("words", "longest"),
    [
        (["word"] * 250, 100),
        ([*["word"] * 70, ",", *["word"] * 60], 71),
        ([*["word"] * 99, ".", "Then"], 100),
    ],
)
def test_long_sentences_are_cut_at_their_last_comma_or_hard(read, words, longest):
    rows = read(said(" ".join(words)), "a.csv")
    assert [word for row in rows for word in row["tokens"]] == words
    assert max(len(row["tokens"]) for row in rows) == longest


def test_an_entity_is_cut_where_a_sentence_is_too_long(read, caplog):
    tokens = [*[("word", 0)] * 98, ("Ada", 1), *[("Holm", 2)] * 3, ("end", 0)]
    rows = read(news(tokens), "a.csv")
    assert [len(row["tokens"]) for row in rows] == [100, 3]
    assert rows[1]["tags"] == ["B-PER", "I-PER", "O"]
    assert "a.csv: cut 1 times in sentences of more than 100 words" in caplog.text


@st.composite
def tagged_words(draw):
    parts = draw(
        st.lists(
            st.tuples(
                st.sampled_from([*TYPES, "O"]), st.lists(st.sampled_from(["a", "B", ".", ",", '"', "”"]), min_size=1)
            ),
            max_size=60,
        )
    )
    words = [word for _, found in parts for word in found]
    tags = [
        "O" if kind == "O" else f"{'I' if place else 'B'}-{kind}"
        for kind, found in parts
        for place, _ in enumerate(found)
    ]
    return words, tags


@quick
@given(tagged_words())
def test_sentences_hold_all_words_in_order_whatever_the_tags(found):
    words, tags = found
    text = news([(word, PUBLISHED_TAGS.index(tag)) for word, tag in zip(words, tags, strict=True)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        tagged, untagged = rows_of(path, text), rows_of(path, said(" ".join(words)) if words else news([]))
    assert [word for row in tagged for word in row["tokens"]] == words
    assert texts(tagged) == texts(untagged)
    assert all(len(row["tokens"]) <= MOST_WORDS for row in tagged)
    entities = [read_tags(row["tags"], TYPES, "BIO") for row in tagged]
    assert sum(map(len, entities)) >= len(read_tags(tags, TYPES, "BIO"))


def test_a_tag_that_continues_nothing_begins_an_entity_and_is_counted(read, caplog):
    rows = read(news([("Ada", 2), ("Holm", 2), ("Oslo", 6), ("Bank", 6)]), "a.csv")
    assert rows[0]["tags"] == ["B-PER", "I-PER", "B-ORG", "I-ORG"]
    assert "a.csv: 2 tags continued no entity of their type and now begin one" in caplog.text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("7,Ada,0", r"a\.csv, line 2: column 'gold_label' holds '7', which is none of 0 O, 1 B-PER"),
        ("0,,0", r"a\.csv, line 2: column 'gold_token' is empty; was the file saved by a program"),
        ("0,Ada", r"a\.csv, line 2: 2 cells where gold_label, gold_token, doc_idx are expected"),
        ('0,"Ada,0', r"a\.csv, line 2: unexpected end of data; is a quotation mark left open\?"),
    ],
)
def test_a_line_of_news_that_makes_no_sense_is_named(read, line, message):
    with pytest.raises(DataError, match=message):
        read(f"{HEADER}{line}\n", "a.csv")


def test_a_packed_file_that_is_cut_off_says_so(tmp_path):
    path = tmp_path / "a.csv.gz"
    whole = gzip.compress(news([(f"word{place * 7919 % 10007}", 0) for place in range(9000)]).encode())
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"a\.csv\.gz cannot be read \(EOFError.*cut off"):
        read_rows(path, task=ENTITIES)


@pytest.mark.parametrize(
    "content", [b"no gzip", gzip.compress(b"a,b\n1,2\n", mtime=0), gzip.compress(b"\xff\xfe\x00", mtime=0)]
)
def test_another_packed_file_is_not_taken_for_news(tmp_path, content):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"cannot tell how to read \.gz"):
        read_rows(path, task=ENTITIES)


# The published files


def published(name):
    if not (DATA / name).is_file():
        pytest.skip(f"{name} is not at {DATA}")
    return read_rows(DATA / name, task=ENTITIES).to_list()


@pytest.mark.parametrize(
    ("name", "rows", "tokens", "documents", "counts"),
    [
        ("sec_ner_fin5_fin3/FIN5.txt", 1164, 41010, 5, {"PER": 747, "ORG": 243, "LOC": 171}),
        ("sec_ner_fin5_fin3/FIN3.txt", 303, 13246, 3, {"PER": 216, "ORG": 56, "LOC": 39}),
        ("finer_ord/train_gold_data.csv.gz", 3070, 80531, 135, {"PER": 821, "ORG": 2027, "LOC": 966}),
        ("finer_ord/val_gold_data.csv.gz", 395, 10233, 24, {"PER": 138, "ORG": 282, "LOC": 193}),
        ("finer_ord/test_gold_data.csv.gz", 1008, 25957, 42, {"PER": 284, "ORG": 549, "LOC": 301}),
    ],
)
def test_the_published_files_hold_the_published_counts(name, rows, tokens, documents, counts):
    found = published(name)
    assert len(found) == rows
    assert sum(len(row["tokens"]) for row in found) == tokens
    assert len({row.get("document", row.get("agreement")) for row in found}) == documents
    assert Counter(span.type for row in found for span in ENTITIES.reference(row)) == counts


def test_the_published_agreements_can_be_split_though_they_are_few():
    sides = split(published("sec_ner_fin5_fin3/FIN5.txt"), task=ENTITIES, seed=0, validation=0.1, test=0)
    assert [len(side) for side in sides.values()] == pytest.approx([1029, 114], abs=10)


def test_eleven_published_test_sentences_are_in_the_training_file():
    train, test = published("sec_ner_fin5_fin3/FIN5.txt"), published("sec_ner_fin5_fin3/FIN3.txt")
    assert len(overlap(train, test, ENTITIES)) == 11


def test_on_published_agreements_the_role_words_alone_score_three_quarters():
    test = published("sec_ner_fin5_fin3/FIN3.txt")
    found = scores(ENTITIES.baselines[1].answer(ENTITIES, [], test), test)
    assert found["entity_f1"] == pytest.approx(0.773, abs=0.01)
    assert found["entity_f1_without_role_words"] == 0
