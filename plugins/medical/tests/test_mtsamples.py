import csv
import json
import logging
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers import DATA
from hypothesis import given
from hypothesis import strategies as st

from qlorakit.audit_checks import expected_leak
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit_medical.mtsamples import (
    DESCRIPTIONS_CSV,
    DOCUMENT_TYPES,
    KAGGLE_COLUMNS,
    MTSAMPLES,
    ORGAN_SPECIALTIES,
    SPECIALTIES,
    SPECIALTIES_CSV,
    merge_rows,
    read_transcriptions,
    restore_breaks,
    text_key,
)

FOLDER = DATA / "mtsamples"
REBUILT, KAGGLE = FOLDER / "mtsamples.csv", FOLDER / "mtsamples_kaggle_format_sample.csv"
published = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"MTSamples are not at {FOLDER}")

HEADER = ("description", "medical_specialty", "sample_name", "transcription", "keywords")
KNEE = "DIAGNOSIS: Torn meniscus.\n\nPROCEDURES:\n1. Arthroscopy.\n2. Shaving, with 1,000 cc of saline.\n\nThe end."
KAGGLE_KNEE = (
    "DIAGNOSIS:,  Torn meniscus.,PROCEDURES:  ,1.  Arthroscopy.,2.  Shaving, with 1,000 cc of saline. , ,The end.,"
)
COUGH = "SUBJECTIVE: A cough.\nPLAN: Rest."
REBUILT_LINES = (
    ("Knee.", "Orthopedic", "Knee", KNEE, "orthopedic, knee"),
    ("Cough.", "General Medicine", "Cough", COUGH, "general medicine, cough"),
    ("Knee.", "Surgery", "Knee", KNEE.replace("\n\n", "\n"), "surgery, knee"),
    ("Knee.", "Surgery", "Knee", KNEE, "surgery, knee"),
    ("", "Autopsy", "Blank", " ", "autopsy"),
)
KAGGLE_LINES = (
    ("0", " Knee.", " Orthopedic", " Knee ", KAGGLE_KNEE, "orthopedic, knee"),
    ("1", " Cough.", " General Medicine", " Cough ", "SUBJECTIVE: , A cough.,PLAN:,  Rest.", ""),
    ("2", " Knee.", " Surgery", " Knee ", KAGGLE_KNEE, "surgery, knee"),
    ("3", "", " Autopsy", " Blank ", "", "autopsy"),
)


@pytest.fixture
def write(tmp_path):
    def to_csv(lines, header=HEADER, name="mtsamples.csv", encoding="utf-8", **keywords):
        path = tmp_path / name
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file, **keywords).writerows([*([header] if header else []), *lines])
        return path

    return to_csv


def head(path):
    with path.open(encoding="latin-1") as file:
        return [file.readline().rstrip("\n") for _ in range(20)]


def ws(text):
    return " ".join(text.split())


# Labels


def test_the_forty_labels_are_either_kinds_of_reports_or_fields():
    assert len(SPECIALTIES) == len(set(SPECIALTIES)) == 40
    assert (len(DOCUMENT_TYPES), len(ORGAN_SPECIALTIES)) == (12, 28)
    assert set(SPECIALTIES) == {*DOCUMENT_TYPES, *ORGAN_SPECIALTIES}


# Merging


def test_lines_of_one_text_become_one_row_with_all_its_specialties(write):
    (first, knee), (second, cough) = read_transcriptions(write(REBUILT_LINES))
    assert (first, second) == (2, 9)
    assert knee == {
        "text": KNEE, "labels": ["Orthopedic", "Surgery"], "name": "Knee", "description": "Knee.",
        "keywords": "orthopedic, knee",
    }  # fmt: skip
    assert cough["labels"] == ["General Medicine"]


def test_what_is_merged_and_left_out_is_counted(write, caplog):
    list(read_transcriptions(write(REBUILT_LINES)))
    assert "1 lines without a transcription are left out" in caplog.text
    assert "2 lines with the text of an earlier line are merged into its row" in caplog.text
    assert "meniscus" not in caplog.text


def test_nothing_is_logged_where_nothing_is_merged(write, caplog):
    with caplog.at_level(logging.WARNING):
        assert len(list(read_transcriptions(write(REBUILT_LINES[:2])))) == 2
    assert not caplog.records


def test_a_text_whose_lines_have_no_specialty_is_unlabelled(write):
    ((_, row),) = read_transcriptions(write([("Knee.", " ", "Knee", KNEE, "")]))
    assert row["labels"] is None
    assert row["keywords"] is None


@pytest.mark.parametrize("cell", ["nan", " NaN\n", "", "\n"])
def test_what_pandas_writes_for_no_text_is_none(write, caplog, cell):
    path = write([("nan", " nan", "NaN", KNEE, "nan"), ("Cough.", "Surgery", "Cough", cell, "")])
    ((_, row),) = read_transcriptions(path)
    assert row == {"text": KNEE, "labels": None, "name": None, "description": None, "keywords": None}
    assert "1 lines without a transcription are left out" in caplog.text


def test_specialties_are_spelt_as_published_and_unknown_ones_kept(write):
    given = ("urology", "UROLOGY", "Urology", "Cardiology", "soap / chart / progress notes")
    ((_, row),) = read_transcriptions(write([("", label, "", KNEE, "") for label in given]))
    assert row["labels"] == ["Urology", "Cardiology", "SOAP / Chart / Progress Notes"]


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        ("Urology; Surgery", ["Urology", "Surgery"]),
        ("surgery;;SOAP / Chart / Progress Notes; Surgery;", ["Surgery", "SOAP / Chart / Progress Notes"]),
        ('["Urology", " surgery "]', ["Urology", "Surgery"]),
        ("[]", None),
        (" ; ", None),
        ("['Urology', 'Surgery']", ["['Urology', 'Surgery']"]),
        ("Consult - History and Phy.", ["Consult - History and Phy."]),
    ],
)
def test_a_cell_may_hold_several_specialties(write, cell, labels):
    ((_, row),) = read_transcriptions(write([("", cell, "", KNEE, "")]))
    (same,) = merge_rows([{"transcription": KNEE, "medical_specialty": cell}])
    assert row["labels"] == same["labels"] == labels


@pytest.mark.parametrize("given_", ["file.csv", Path("file.csv"), b"file.csv", None, 7, {"transcription": KNEE}])
def test_what_holds_no_rows_is_not_merged(given_):
    with pytest.raises(ConfigurationError, match=r"merge_rows takes rows, .*read_transcriptions\(Path\(\.\.\.\)\)"):
        merge_rows(given_)


@pytest.mark.parametrize("row", ["transcription", None, [KNEE, "Surgery"]])
def test_rows_that_are_no_mappings_are_not_merged(row):
    with pytest.raises(DataError, match=rf"a row is of type {type(row).__name__}, .*to_dict") as caught:
        merge_rows([{"transcription": KNEE, "medical_specialty": "Surgery"}, row])
    assert "meniscus" not in str(caught.value)


def test_columns_of_your_own_are_kept_and_published_ones_are_not(write, caplog):
    header = (*HEADER, "Patient ", "sample_id", "type_id", "URL", "index", "ward")
    lines = [(*REBUILT_LINES[0], " 7", "1", "2", "/orthopedic", "3", ""), (*REBUILT_LINES[2], "8", *"1234", "")]
    ((_, row),) = read_transcriptions(write(lines, header=header))
    (plain,) = merge_rows([dict(zip(HEADER, line, strict=True)) for line in (REBUILT_LINES[0], REBUILT_LINES[2])])
    assert row == {**plain, "Patient": "7", "ward": None}
    assert "1 of these differ in columns of your own, of which the first line's values are kept" in caplog.text


@pytest.mark.parametrize("name", ["text", "Labels", "label ", "answer", "name"])
def test_a_column_that_would_be_taken_for_another_is_refused(write, name):
    with pytest.raises(DataError, match=rf"'{name.strip().casefold()}' would be taken for .*; rename it"):
        list(read_transcriptions(write([("a", "Surgery", "b")], header=("transcription", "medical_specialty", name))))


@given(texts=st.lists(st.text(alphabet="ab ,\n", max_size=6), max_size=12))
def test_each_text_is_read_once_and_no_specialty_is_lost(tmp_path_factory, texts):
    path = tmp_path_factory.mktemp("mtsamples") / "a.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [HEADER, *(("", label, "", text, "") for label, text in zip(SPECIALTIES, texts, strict=False))]
        )
    rows = {text_key(row["text"]): row["labels"] for _, row in read_transcriptions(path)}
    wanted: dict[str, list[str]] = {}
    for label, text in zip(SPECIALTIES, texts, strict=False):
        wanted.setdefault(text_key(text), []).append(label)
    assert rows == {key: labels for key, labels in wanted.items() if key}


# Kaggle's form


@pytest.mark.parametrize("header", [KAGGLE_COLUMNS, ("Unnamed: 0", *KAGGLE_COLUMNS[1:]), None])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_kaggles_form_reads_as_the_other(write, header, encoding):
    path = write(KAGGLE_LINES, header=header, encoding=encoding)
    assert SPECIALTIES_CSV.recognises(path, head(path))
    assert DESCRIPTIONS_CSV.recognises(path, head(path))
    (first, knee), (second, cough) = read_transcriptions(path)
    assert (first, second) == ((2, 3) if header else (1, 2))
    assert knee == next(iter(read_transcriptions(write(REBUILT_LINES, name="b.csv"))))[1]
    assert (ws(cough["text"]), cough["keywords"]) == (ws(COUGH), None)


@pytest.mark.parametrize(
    ("kaggle", "restored"),
    [
        ("PLAN:,  Rest.", "PLAN: Rest."),
        ("PLAN: , Rest.", "PLAN: Rest."),
        ("EXAM:,Vitals:  Good.", "EXAM:\nVitals: Good."),
        ("PLAN:  ,1.  Rest.,2.  Tea.", "PLAN:\n1. Rest.\n2. Tea."),
        ("LOSS:  ,400 cc.", "LOSS: 400 cc."),
        ("He left.  ,DRAINS:,  None.,", "He left.\n\nDRAINS: None."),
        ("In the Foley., ,I then", "In the Foley.\n\nI then"),
        ("ANESTHESIA,:  General", "ANESTHESIA: General"),
        ("PSA 32.1,PROCEDURES", "PSA 32.1\n\nPROCEDURES"),
        ("Renagel, Norvasc, and 1,000 mg, July 21, 2008", "Renagel, Norvasc, and 1,000 mg, July 21, 2008"),
        ('the "pop," and cold,wet skin', 'the "pop," and cold,wet skin'),
    ],
)
def test_commas_become_line_breaks_where_they_stand_for_them(kaggle, restored):
    assert restore_breaks(kaggle) == restored


@given(text=st.text(alphabet="aA1.:, \n#", max_size=30))
def test_restoring_changes_white_space_and_commas_alone(text):
    assert text_key(restore_breaks(text)) == text_key(text)
    assert "  " not in restore_breaks(text)


@pytest.mark.parametrize("text", ["LINE,Here.\nEnd.", "Seen for pain,Dr. Smith,MD notes ,10 mg."])
def test_commas_of_what_is_not_in_kaggles_form_stay(write, caplog, text):
    ((_, row),) = read_transcriptions(write([("", "Surgery", "", text, "")]))
    assert row["text"] == text
    assert not caplog.records


def test_a_text_with_line_breaks_leaves_the_others_of_kaggles_form_to_be_restored(write, caplog):
    lines = [*KAGGLE_LINES, ("4", "", " Surgery", "", "LINE,Here.\nEnd.", "")]
    texts = [row["text"] for _, row in read_transcriptions(write(lines, header=KAGGLE_COLUMNS))]
    assert texts == [KNEE, "SUBJECTIVE: A cough.\n\nPLAN: Rest.", "LINE,Here.\nEnd."]
    assert "2 texts in Kaggle's form have line breaks where commas stood for them" in caplog.text


@pytest.mark.parametrize(("index", "label"), [("Unnamed: 0", "Surgery"), ("", "Surgery"), ("place", " Surgery")])
def test_kaggles_form_is_told_by_its_index_or_by_the_space_before_a_label(write, index, label):
    path = write([("0", "", label, "", KAGGLE_KNEE, "")], header=(index, *KAGGLE_COLUMNS[1:]))
    ((_, row),) = read_transcriptions(path)
    assert row["text"] == KNEE


def test_an_index_without_the_columns_of_kaggle_tells_nothing(write):
    path = write([("0", "Surgery", "PLAN,Rest.")], header=("", "medical_specialty", "transcription"))
    assert [row["text"] for _, row in read_transcriptions(path)] == ["PLAN,Rest."]


def test_a_long_text_without_a_header_is_read(write):
    ((_, row),) = read_transcriptions(write([("0", "", " Surgery", "", "word " * 40_000, "")], header=None))
    assert len(row["text"].split()) == 40_000


# Other ways to write a table


@pytest.mark.parametrize("header", [HEADER, [f" {name.title()}" for name in HEADER]])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize(("name", "delimiter"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t"), ("a.tsv", ";")])
def test_lines_are_merged_whatever_the_case_the_separator_and_the_encoding(write, header, encoding, name, delimiter):
    path = write(REBUILT_LINES, header=header, encoding=encoding, name=name, delimiter=delimiter)
    assert SPECIALTIES_CSV.recognises(path, head(path))
    assert DESCRIPTIONS_CSV.recognises(path, head(path))
    assert list(read_transcriptions(path)) == list(read_transcriptions(write(REBUILT_LINES, name="b.csv")))


@pytest.mark.parametrize(("lines", "header"), [(REBUILT_LINES, HEADER), (KAGGLE_LINES, None)])
def test_an_encoding_that_was_guessed_is_told_once(write, caplog, lines, header):
    lines = [*lines, *(tuple(cell.replace("Cough", "Rhûme") for cell in lines[1]),)]
    list(read_transcriptions(write(lines, header=header, encoding="cp1252")))
    assert sum("is not UTF-8" in record.getMessage() for record in caplog.records) == 1


@pytest.mark.parametrize(("name", "indent"), [("a.json", None), ("a.json", 1), ("a.jsonl", None)])
def test_json_is_merged_as_a_table_is(write, tmp_path, name, indent):
    rows = [dict(zip(HEADER, line, strict=True)) for line in REBUILT_LINES]
    path = tmp_path / name
    path.write_text("\n".join(map(json.dumps, rows)) if name.endswith("l") else json.dumps(rows, indent=indent))
    assert SPECIALTIES_CSV.recognises(path, head(path))
    wanted = [row for _, row in read_transcriptions(write(REBUILT_LINES))]
    assert [row for _, row in read_transcriptions(path)] == merge_rows(rows) == wanted


def test_labels_in_lists_and_numbers_are_kept_and_missing_ones_left_out():
    found = merge_rows([
        {"transcription": "a", "medical_specialty": ["surgery", 3, None]},
        {"transcription": None, "medical_specialty": "Surgery"},
        {"transcription": float("nan"), "medical_specialty": "Surgery"},
        {"transcription": "b", "medical_specialty": float("nan")},
        {"transcription": 5, "medical_specialty": "Surgery"},
    ])  # fmt: skip
    assert [(row["text"], row["labels"]) for row in found] == [("a", ["Surgery", 3]), ("b", None), (5, ["Surgery"])]


def test_rows_without_the_published_columns_are_refused():
    with pytest.raises(DataError, match="'transcription' and 'medical_specialty' are needed; found: 'body', 'medical"):
        merge_rows([{"Body": "a", "medical_specialty": "Surgery"}])


# Other files


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("a.csv", "text,labels"),
        ("a.csv", "transcription,keywords"),
        ("a.csv", "0, Knee., Ships, Knee ,text,knee"),
        ("a.csv", ""),
        ("a.jsonl", ",".join(HEADER)),
    ],
)
def test_other_files_are_not_recognised(tmp_path, name, first):
    assert not SPECIALTIES_CSV.recognises(tmp_path / name, [first])
    assert not DESCRIPTIONS_CSV.recognises(tmp_path / name, [first])


def test_a_file_without_descriptions_is_one_of_specialties_alone(write):
    path = write([("Surgery", KNEE)], header=("medical_specialty", "transcription"))
    assert SPECIALTIES_CSV.recognises(path, head(path))
    assert not DESCRIPTIONS_CSV.recognises(path, head(path))


def test_a_line_with_too_few_cells_is_named(write):
    path = write([*REBUILT_LINES[:1], ("Knee.", "Surgery")])
    with pytest.raises(DataError, match=r"mtsamples\.csv, line 9: 2 cells where the header has 5"):
        list(read_transcriptions(path))


def test_a_line_without_a_header_with_too_few_cells_is_named(write):
    path = write([*KAGGLE_LINES[:1], ("1", " Knee.")], header=None)
    with pytest.raises(
        DataError, match=r"mtsamples\.csv, line 2: 2 cells where there should be 6; is a comma missing\?"
    ):
        list(read_transcriptions(path))


@pytest.mark.parametrize("name", ["transcription", "Transcription", "keywords "])
def test_a_column_that_is_there_twice_is_refused(write, name):
    path = write([("Knee.", "Surgery", "Knee", KNEE, "", "other")], header=(*HEADER, name))
    with pytest.raises(DataError, match=r"mtsamples\.csv: columns (occur twice|differ in case)"):
        list(read_transcriptions(path))


def test_a_quotation_mark_left_open_is_named_with_its_line(tmp_path):
    path = tmp_path / "a.csv"
    for first in (",".join(HEADER), "0, Knee., Surgery, Knee ,text,knee"):
        path.write_text(f'{first}\na,Surgery,b,"open\nand on', encoding="utf-8")
        with pytest.raises(DataError, match=r"a\.csv, line 2: .*; is a quotation mark left open\?"):
            list(read_transcriptions(path))


# Descriptions


def test_each_described_text_is_read_once(write, caplog):
    rows = list(DESCRIPTIONS_CSV.read(write([*REBUILT_LINES, ("", "Surgery", "Eye", "Lens.", "surgery")])))
    assert [(number, row["answer"], row["labels"]) for number, row in rows] == [
        (2, "Knee.", ["Orthopedic", "Surgery"]), (9, "Cough.", ["General Medicine"]),
    ]  # fmt: skip
    assert "1 texts without a description are left out" in caplog.text


def test_a_file_that_describes_nothing_is_not_described_yet(write, caplog):
    header = (*HEADER, "patient")
    rows = list(DESCRIPTIONS_CSV.read(write([("", *line[1:], "7") for line in REBUILT_LINES], header=header)))
    assert [(row["answer"], row["patient"]) for _, row in rows] == [(None, "7")] * 2
    assert "description" not in caplog.text


# The published file


@pytest.fixture(scope="module")
def lines():
    with REBUILT.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def rows():
    return [row for _, row in read_transcriptions(REBUILT)]


@published
def test_the_published_file_holds_the_published_counts(lines, rows):
    assert (len(lines), len(rows)) == (4998, 2376)
    assert {label for row in rows for label in row["labels"]} == set(SPECIALTIES)
    assert Counter(len(row["labels"]) for row in rows) == {1: 211, 2: 1743, 3: 388, 4: 33, 5: 1}
    assert sum(row["description"] is None for row in rows) == 3


@published
def test_one_label_for_each_line_has_a_ceiling(lines, rows):
    assert sum(len(row["labels"]) > 1 for row in rows) == 2165
    assert round(len(rows) / len(lines), 3) == 0.475


@published
def test_keywords_of_every_line_begin_with_its_specialty(lines):
    assert all(line["keywords"].startswith(line["medical_specialty"].casefold()) for line in lines)


@published
def test_nearly_all_lines_of_surgery_are_under_another_label_too(lines, rows):
    surgery = [row for row in rows if "Surgery" in row["labels"]]
    assert len(surgery) == 1102
    assert sum(len(row["labels"]) > 1 for row in surgery) == 1054
    assert sum(line["medical_specialty"] in DOCUMENT_TYPES for line in lines) == 2605


@published
def test_three_kinds_of_reports_are_listed_under_a_field_too(rows):
    found = {label: [row for row in rows if label in row["labels"]] for label in DOCUMENT_TYPES}
    several = {label: sum(len(row["labels"]) > 1 for row in listed) for label, listed in found.items()}
    imaging, laboratory = "Radiology", "Lab Medicine - Pathology"
    assert (len(found[imaging]) + len(found[laboratory]), several[imaging] + several[laboratory]) == (281, 269)
    assert (len(found["General Medicine"]), several["General Medicine"]) == (259, 252)


@published
def test_the_genuine_lines_of_kaggle_equal_those_of_the_rebuilt_file(rows):
    rebuilt = {text_key(row["text"]): row for row in rows}
    with KAGGLE.open(encoding="utf-8", newline="") as file:
        texts = [cells[4] for cells in csv.reader(file) if cells[4].strip()]
    known = [text for text in texts if text_key(text) in rebuilt]
    equal = [ws(restore_breaks(text)) == ws(rebuilt[text_key(text)]["text"]) for text in known]
    assert (len(texts), len(known), sum(equal)) == (397, 374, 373)
    assert not any(ws(text) == ws(rebuilt[text_key(text)]["text"]) for text in known)


@published
def test_kaggles_sample_is_read_with_the_same_labels_and_names(rows):
    rebuilt = {text_key(row["text"]): row for row in rows}
    found = [(row, rebuilt.get(text_key(row["text"]))) for _, row in read_transcriptions(KAGGLE)]
    both = [(row, other) for row, other in found if other]
    assert (len(found), len(both)) == (377, 354)
    assert sum(set(row["labels"]) <= set(other["labels"]) for row, other in both) == 354


def words(text):
    return ws("".join(letter if letter.isalnum() else " " for letter in text.casefold()))


@published
def test_each_figure_of_the_traps_is_that_of_the_file(lines, rows):
    told = " | ".join(MTSAMPLES.traps)
    sizes = sorted(Counter(label for row in rows for label in row["labels"]).values())
    assert f"{sizes[0]} to {sizes[6]} texts of each of the rarest 7 labels, {sizes[-1]:,} of Surgery" in told
    empty = sum(not line["description"].strip() for line in lines)
    assert f"empty in {empty} lines, which are {sum(row['description'] is None for row in rows)} texts" in told
    named = sum(
        any(words(label).split()[0] in words(row["name"] or "").split() for label in row["labels"]) for row in rows
    )
    assert f"the names of {named} samples" in told
    groups = Counter(near_duplicate_groups([row["text"] for row in rows], threshold=0.8).tolist())
    assert f"{sum(size for size in groups.values() if size > 1)} texts are near-duplicates" in told
    leak = expected_leak(np.unique([line["transcription"] for line in lines], return_inverse=True)[1], 0.2)
    assert f"{leak:.1%}".replace("%", " %") + " are expected" in told


@published
def test_so_many_descriptions_stand_in_their_texts(rows):
    described = [(words(row["description"]), words(row["text"])) for row in rows if row["description"]]
    literal = [pair for pair in described if pair[0] in pair[1]]
    leading = sum(text.startswith(answer) for answer, text in literal)
    told = f"in {len(literal)} of {len(described):,} texts, at its beginning in {leading}"
    assert any(told in trap for trap in MTSAMPLES.traps)


def test_the_licence_says_what_was_not_verified_and_the_traps_how_to_merge():
    assert "not verified" in MTSAMPLES.licence
    assert any("merge_rows" in trap for trap in MTSAMPLES.traps)
