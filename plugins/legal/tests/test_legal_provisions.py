import json
import re

import datasets
import pytest
from helpers import DATA, write_jsonl

import qlorakit as qk
from qlorakit.errors import DataError
from qlorakit_legal.provisions import LABELS, PROVISIONS, SYNONYMS, TELLING, is_numbered, read_numbered

FOLDER = DATA / "lexglue_samples"
published = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"LexGLUE's samples are not at {FOLDER}")

NAMED = [dict(row) for row in PROVISIONS.samples]
NUMBERED = [{"text": row["text"], "label": LABELS.index(row["label"])} for row in NAMED]


def read(source, **keywords):
    return [*qk.read_rows(source, task=PROVISIONS, **keywords)]


def head(path):
    with path.open(encoding="latin-1") as file:
        return [file.readline() for _ in range(20)]


# The task


def test_the_labels_are_100_in_alphabetical_order():
    assert len(set(LABELS)) == 100
    assert list(LABELS) == sorted(LABELS)


def test_each_label_has_one_sample():
    assert sorted(row["label"] for row in NAMED) == list(LABELS)


@pytest.mark.parametrize(
    ("written", "label"),
    [("GOVERNING LAW", "Governing Laws"), ("ERISA", "Erisa"), ("Waiver of Jury Trial", "Waiver Of Jury Trials")],
)
def test_other_spellings_of_labels_are_known(written, label):
    assert PROVISIONS.reference({"text": "A provision.", "label": written}) == label


def test_no_synonym_is_a_label():
    assert not {name.casefold() for name in SYNONYMS} & {label.casefold() for label in LABELS}
    assert set(SYNONYMS.values()) <= set(LABELS)


def test_the_words_of_telling_labels_are_in_their_samples():
    found = {row["label"]: row["text"] for row in NAMED}
    assert all(re.search(words, found[label], re.IGNORECASE) for label, words in TELLING.items())


# Files


def test_names_are_read_by_the_general_reader(tmp_path):
    path = write_jsonl(tmp_path / "ledgar.jsonl", NAMED)
    assert not is_numbered(path, head(path))
    assert read(path) == NAMED


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "tsv", "parquet"])
def test_numbers_of_the_hub_are_read_by_the_official_order(tmp_path, ending):
    path = tmp_path / f"ledgar.{ending}"
    rows = datasets.Dataset.from_list(NUMBERED)
    if ending == "parquet":
        rows.to_parquet(path)
    elif ending in {"csv", "tsv"}:
        rows.to_csv(path, sep="\t" if ending == "tsv" else ",", index=False)
    else:
        rows.to_json(path, lines=ending == "jsonl")
    assert read(path) == NAMED


def test_a_data_set_with_names_of_its_classes_is_read(tmp_path):
    rows = datasets.Dataset.from_list(NUMBERED).cast_column("label", datasets.ClassLabel(names=list(LABELS)))
    rows.to_parquet(tmp_path / "ledgar.parquet")
    assert read(rows) == read(tmp_path / "ledgar.parquet") == NAMED


def test_names_in_the_file_that_are_others_are_refused(tmp_path):
    others = [*LABELS[:7], "Audits", *LABELS[8:]]
    rows = datasets.Dataset.from_list(NUMBERED).cast_column("label", datasets.ClassLabel(names=others))
    rows.to_parquet(tmp_path / "ledgar.parquet")
    with pytest.raises(DataError, match="its own names of labels are not LEDGAR's, from number 7 on"):
        read(tmp_path / "ledgar.parquet")


@pytest.mark.parametrize("change", [lambda n: (n + 1) % 100, lambda n: 99 - n, lambda n: (n * 7) % 100])
def test_numbers_in_another_order_are_refused(tmp_path, change):
    rows = [{**row, "label": change(row["label"])} for row in NUMBERED]
    with pytest.raises(DataError, match=r"15 rows would be .* The numbers are not LEDGAR's.*label_names"):
        read(write_jsonl(tmp_path / "ledgar.jsonl", rows))


def test_numbers_that_nothing_bears_out_are_refused(tmp_path):
    rows = [row for row in NUMBERED if LABELS[row["label"]] not in TELLING]
    with pytest.raises(DataError, match=r"0 rows would be .* too few to tell by.*label_names"):
        read(write_jsonl(tmp_path / "ledgar.jsonl", rows))


@pytest.mark.parametrize("wrong", [100, 2017, "Notices", -1, 3.5])
def test_a_label_that_is_no_number_of_a_kind_is_named_with_its_line(tmp_path, wrong):
    path = write_jsonl(tmp_path / "ledgar.jsonl", [*NUMBERED, {"text": "A provision.", "label": wrong}])
    with pytest.raises(DataError, match=r"ledgar.jsonl, line or row 101: label .* is no whole number from 0 to 99"):
        read(path)


def test_the_user_can_say_what_numbers_mean(tmp_path):
    path = write_jsonl(tmp_path / "own.jsonl", [{"text": "A provision.", "label": 0}])
    rows = read(path, file_format="jsonl", label_names=["Notices", "Fees"])
    assert rows == [{"text": "A provision.", "label": "Notices"}]


def test_numbers_in_a_table_with_other_columns_are_left_to_the_user(tmp_path):
    path = write_jsonl(tmp_path / "own.jsonl", [{**row, "year": 2019} for row in NUMBERED])
    assert not is_numbered(path, head(path))
    with pytest.raises(DataError, match=r"unknown label 0.*label_names"):
        read(path)


def test_a_row_without_a_label_has_none(tmp_path):
    path = write_jsonl(tmp_path / "ledgar.jsonl", [*NUMBERED, {"text": "A provision.", "label": None}])
    assert [row["label"] for _, row in read_numbered(path)] == [*(row["label"] for row in NAMED), None]


def test_damaged_and_other_files_are_not_recognised(tmp_path):
    path = tmp_path / "ledgar.parquet"
    path.write_bytes(b"PAR1 text label")
    assert not is_numbered(path, ["PAR1 text label"])
    assert not is_numbered(tmp_path / "ledgar.txt", ["text,label"])


# The published sample


@published
def test_the_published_labels_are_these():
    assert json.loads((FOLDER / "ledgar_labels.json").read_text(encoding="utf-8")) == list(LABELS)


@published
def test_the_published_sample_has_97_of_the_labels():
    rows = read(FOLDER / "ledgar.jsonl")
    assert (len(rows), len({row["text"] for row in rows})) == (1_000, 1_000)
    assert set(LABELS) - {row["label"] for row in rows} == {"Assigns", "Books", "Qualifications"}


@published
def test_the_published_texts_bear_out_the_official_order(tmp_path):
    named = read(FOLDER / "ledgar.jsonl")
    numbers = [{"text": row["text"], "label": LABELS.index(row["label"])} for row in named]
    assert read(write_jsonl(tmp_path / "ledgar.jsonl", numbers)) == named
    told = [re.search(TELLING[row["label"]], row["text"], re.IGNORECASE) for row in named if row["label"] in TELLING]
    assert (sum(map(bool, told)), len(told)) == (343, 348)
