import json
import logging
from dataclasses import replace

import pandas as pd
import pytest
from helpers import write_jsonl

from qlorakit import read_rows
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.kinds import entities, single_label
from qlorakit.task import Column, FileFormat

ROWS = [{"text": "sales rose", "label": "up"}, {"text": "sales fell", "label": "down"}]
CSV = "text,label\nsales rose,up\nsales fell,down\n"


@pytest.fixture
def read(tmp_path, task):
    def write_and_read(content, name="rows.csv", *, task=task, **keywords):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_rows(path, task=task, **keywords)

    return write_and_read


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("rows.csv", CSV),
        ("ROWS.CSV", CSV),
        ("rows.tsv", CSV.replace(",", "\t")),
        ("rows.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS)),
    ],
)
def test_a_file_is_read_by_its_ending(read, name, content):
    assert read(content, name).to_list() == ROWS


def test_a_path_may_be_given_as_text(tmp_path, task):
    path = write_jsonl(tmp_path / "rows.jsonl", ROWS)
    assert read_rows(str(path), task=task).to_list() == ROWS


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_blank_lines_and_both_line_endings_are_read(read, ending):
    assert read(ending.join(["text,label", "sales rose,up", "", "sales fell,down"])).to_list() == ROWS


def test_blank_lines_between_json_objects_are_skipped(read):
    content = f"\n{json.dumps(ROWS[0])}\r\n  \n{json.dumps(ROWS[1])}"
    assert read(content, "rows.jsonl").to_list() == ROWS


@pytest.mark.parametrize("encoding", [None, "utf-8", "utf-8-sig"])
def test_a_byte_order_mark_does_not_matter(read, encoding):
    assert read(CSV.encode("utf-8-sig"), encoding=encoding).to_list() == ROWS


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "cp437"])
def test_a_file_in_another_encoding_is_read_when_told_which(read, encoding):
    found = read("text,label\ncafé sales rose,up\n".encode(encoding), encoding=encoding)
    assert found["text"][0] == "café sales rose"


def test_bytes_that_are_not_of_the_encoding_are_an_error_that_names_byte_and_line(read):
    with pytest.raises(DataError, match=r'rows\.csv, line 3: byte 0xe9 is not utf-8.*encoding="latin-1"'):
        read("text,label\nsales rose,up\ncafé fell,down\n".encode("latin-1"), encoding="utf-8")


def test_an_unknown_encoding_is_refused(read):
    with pytest.raises(ConfigurationError, match="encoding='latin-9000' is not known to Python"):
        read(CSV, encoding="latin-9000")


def test_a_cell_may_hold_commas_quotes_and_line_breaks(read):
    found = read('text,label\n"a ""b"", c\r\nd",up\nsales fell,down\n')
    assert found["text"][:] == ['a "b", c\r\nd', "sales fell"]


@pytest.mark.parametrize("character", ["\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_only_a_line_feed_ends_a_line(read, character):
    assert read(f"text,label\nsales{character}rose,up\n")["text"][0] == f"sales{character}rose"


def test_a_cell_larger_than_the_csv_modules_default_limit_is_read(read):
    text = "sales rose " * 20_000
    assert read(f"text,label\n{text},up\n")["text"][0] == text


def test_all_columns_are_kept(read):
    found = read("id,text,label,source\n7,sales rose,up,wire\n")
    assert found.to_list() == [{"id": "7", "text": "sales rose", "label": "up", "source": "wire"}]


def test_a_column_that_only_later_objects_have_is_kept(read):
    lines = [json.dumps(ROWS[0]), json.dumps({**ROWS[1], "source": "wire"})]
    assert read("\n".join(lines), "rows.jsonl").column_names == ["text", "label", "source"]


@pytest.mark.parametrize("header", ["sentence,label", "Content,LABEL", " text , label "])
def test_aliases_are_matched_without_regard_to_case_and_spaces(read, header):
    assert read(f"{header}\nsales rose,up\nsales fell,down\n").to_list() == ROWS


def test_the_tasks_own_name_goes_before_an_alias(read):
    found = read("sentence,text,label\nleft alone,sales rose,up\n")
    assert found["text"][:] == ["sales rose"]
    assert found["sentence"][:] == ["left alone"]


def test_columns_names_what_the_task_cannot_know(read):
    found = read("Body,Way,label_source\nsales rose,up,x\n", columns={"text": "Body", "label": "Way"})
    assert found.to_list() == [{"text": "sales rose", "label": "up", "label_source": "x"}]


def test_a_missing_column_lists_what_was_looked_for_and_found(read):
    with pytest.raises(DataError, match=r"no column for 'text' \(looked for 'text', 'sentence', 'content'\)") as caught:
        read("texts,label\nsales rose,up\n")
    assert "found: 'texts', 'label'. Did you mean 'texts'?" in str(caught.value)
    assert 'columns={"text": "..."}' in str(caught.value)


def test_a_missing_label_column_is_an_error(read):
    with pytest.raises(DataError, match="no column for 'label'"):
        read("text\nsales rose\n")


def test_columns_that_names_no_column_of_the_file_is_refused(read):
    with pytest.raises(ConfigurationError, match=r"'Bdy'.*'Body'"):
        read("Body,label\nsales rose,up\n", columns={"text": "Bdy"})


def test_columns_that_names_no_column_of_the_task_is_refused(read):
    with pytest.raises(ConfigurationError, match="toy/direction has no column txt; it has text, label"):
        read("Body,label\nsales rose,up\n", columns={"txt": "Body"})


def test_two_columns_that_would_get_one_name_are_refused(read):
    with pytest.raises(DataError, match="columns 'Body' and 'text' both claim to be 'text'; rename one"):
        read("Body,text,label\nsales rose,old,up\n", columns={"text": "Body"})


def test_one_column_given_for_two_is_refused(read):
    with pytest.raises((ConfigurationError, DataError), match="'Body'"):
        read("Body,x\nsales rose,up\n", columns={"text": "Body", "label": "Body"})


@pytest.mark.parametrize("header", ["Body,label,Keywords", "Body,label,  keywords "])
def test_a_column_that_the_task_refuses_is_not_taken_for_another(task, tmp_path, header):
    text, label = task.columns
    wary = replace(task, columns=(replace(text, refused=(("keywords", "it gives the label away"),)), label))
    path = tmp_path / "rows.csv"
    path.write_text(f"{header}\nsales rose,up,up\n")
    name, refusal = header.split(",")[-1], r"refuses '.*eywords *' of .*rows\.csv as its column 'text': it gives"
    with pytest.raises(ConfigurationError, match=refusal):
        read_rows(path, task=wary, columns={"text": name})
    assert read_rows(path, task=wary, columns={"text": "Body"})["text"][:] == ["sales rose"]


def test_a_column_that_occurs_twice_in_the_header_is_named(read):
    with pytest.raises(DataError, match=r"rows\.csv: columns occur twice in the header: text"):
        read("text,label,text\nsales rose,up,x\n")


@pytest.mark.parametrize(("line", "cells"), [("sales rose", 1), ("sales, again,up", 3)])
def test_a_ragged_line_is_named_with_its_cells(read, line, cells):
    with pytest.raises(DataError, match=rf"line 3: {cells} cells where the header has 2"):
        read(f"text,label\nsales fell,down\n{line}\n")


def test_a_quotation_mark_left_open_is_an_error(read):
    with pytest.raises(DataError, match=r"is a quotation mark left open?"):
        read('text,label\n"sales rose,up\nsales fell,down\n')


@pytest.mark.parametrize(
    ("name", "content"), [("rows.csv", "text,label\n"), ("rows.jsonl", "\n \n"), ("rows.tsv", "\n")]
)
def test_a_file_without_rows_is_an_error(read, name, content):
    with pytest.raises(DataError, match=r"rows\.\w+ holds no rows"):
        read(content, name)


def test_a_missing_file_is_an_error(tmp_path, task):
    with pytest.raises(DataError, match=r"gone\.csv does not exist"):
        read_rows(tmp_path / "gone.csv", task=task)


@pytest.mark.parametrize("name", ["rows.xlsx", "rows"])
def test_an_unknown_ending_lists_what_is_known(read, name):
    with pytest.raises(ConfigurationError, match=r"cannot tell how to read .*known are csv, tsv, jsonl, json"):
        read(CSV, name)


def test_a_line_that_is_no_json_is_named(read):
    with pytest.raises(DataError, match=r"rows\.jsonl, line 2: not valid JSON \(Expecting value at character 10\)"):
        read(f'{json.dumps(ROWS[0])}\n{{"text": oops}}\n', "rows.jsonl")


@pytest.mark.parametrize(("line", "kind"), [("[1]", "list"), ('"a"', "str"), ("3", "int"), ("null", "NoneType")])
def test_a_line_that_is_no_object_is_named(read, line, kind):
    with pytest.raises(DataError, match=rf"line 1: an object like .* is needed, not {kind}"):
        read(line, "rows.jsonl")


def test_a_column_of_mixed_types_is_an_error_of_the_data(read):
    lines = [json.dumps({**row, "page": page}) for row, page in zip(ROWS, [1, "two"], strict=True)]
    with pytest.raises(DataError, match=r"rows\.jsonl: a column holds values of different types"):
        read("\n".join(lines), "rows.jsonl")


def test_an_unknown_label_names_line_value_allowed_and_nearest(read):
    with pytest.raises(DataError, match=r"rows\.csv, line 4: column 'label': unknown label 'upp'") as caught:
        read("text,label\nsales rose,up\n\nsales fell,upp\n")
    assert "allowed: 'down', 'flat', 'up'. Did you mean 'up'?" in str(caught.value)


def test_a_line_is_counted_in_the_file_even_after_a_cell_of_several_lines(read):
    with pytest.raises(DataError, match=r"line 5: column 'label'"):
        read('text,label\n"sales\nrose\nagain",up\nsales fell,upp\n')


def test_an_empty_text_names_its_line(read):
    with pytest.raises(DataError, match=r"line 3: column 'text' is empty"):
        read("text,label\nsales rose,up\n  ,down\n")


def test_a_missing_text_in_a_later_object_names_its_line(read):
    with pytest.raises(DataError, match=r"line 2: there is no column 'text'"):
        read(f'{json.dumps(ROWS[0])}\n{{"label": "up"}}', "rows.jsonl")


def test_an_empty_label_is_an_error_where_rows_must_be_labelled(read):
    with pytest.raises(DataError, match=r"line 3: column 'label'"):
        read("text,label\nsales rose,up\nsales fell,\n")


def test_rows_for_prediction_need_no_label_column(read):
    assert read("text\nsales rose\n", labelled=False).to_list() == [{"text": "sales rose"}]


def test_rows_for_prediction_may_leave_the_label_empty(read):
    assert len(read("text,label\nsales rose,up\nsales fell,\n", labelled=False)) == 2


def test_a_format_of_the_task_is_tried_before_the_files_ending(read):
    shouted = FileFormat(
        "shouted", lambda path, head: head[0] == "SHOUT", lambda path: [(2, {"text": "sales rose", "label": "up"})]
    )
    own = single_label("toy/own", summary="", instruction="", labels=("up", "down"), file_formats=(shouted,))
    assert read("SHOUT\n", "rows.csv", task=own).to_list() == ROWS[:1]
    assert read(CSV, "rows.csv", task=own).to_list() == ROWS


def test_an_unknown_ending_names_the_formats_of_the_task(read):
    shouted = FileFormat("shouted text", lambda path, head: False, lambda path: [])
    own = single_label("toy/own", summary="", instruction="", labels=("up", "down"), file_formats=(shouted,))
    with pytest.raises(ConfigurationError, match="the task's own formats: shouted text"):
        read(CSV, "rows.txt", task=own)


def test_a_task_with_other_columns_is_asked_for_them(read):
    own = single_label(
        "toy/own", summary="", instruction="", labels=("up", "down"), text=Column("body"), label=Column("way")
    )
    assert read("body,way\nsales rose,up\n", task=own).to_list() == [{"body": "sales rose", "way": "up"}]


def test_an_empty_file_is_an_error(read):
    with pytest.raises(DataError, match=r"rows\.csv is empty"):
        read("")


# Encodings


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "naïve “profit” of 5 €: Müller & Söhne"),
        ("latin-1", "Yhtiön osakkeenomistajat päättivät äänestää"),
        ("cp1251", "Прибыль банка выросла на десять процентов"),
        ("shift_jis", "銀行の利益は十パーセント増加しました"),
        ("gb18030", "银行的利润增长了百分之十"),
    ],
)
def test_another_encoding_is_found_and_said(read, caplog, encoding, text):
    found = read(f"text,label\n{text},up\n{text} again,down\n".encode(encoding))
    assert found["text"][0] == text
    assert "is not UTF-8 (first in line 2) and is read as" in caplog.text


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_wide_encodings_are_found_with_and_without_a_byte_order_mark(read, encoding):
    assert read(CSV.encode(encoding)).to_list() == ROWS


def test_a_file_that_mixes_encodings_is_an_error_that_names_lines_of_both(read):
    with pytest.raises(DataError, match=r"rows\.csv mixes encodings: line 2 is UTF-8, line 3 is not"):
        read("text,label\ncafé rose,up\n".encode() + "café fell,down\n".encode("latin-1"))


def test_a_file_in_utf_8_says_nothing(read, caplog):
    read("text,label\ncafé rose,up\n")
    assert not caplog.records


def test_a_character_cut_by_the_end_of_the_file_is_named(read):
    with pytest.raises(DataError, match=r"line 2: .* is not utf-8"):
        read("text,label\nup,é".encode()[:-1], encoding="utf-8")


def test_a_nul_character_in_a_cell_is_refused(read):
    with pytest.raises(DataError, match=r"line 2: there is a NUL character in it"):
        read(CSV.replace("rose", "ro\0se"))


# Formats


def test_a_json_file_is_a_list_of_objects(read):
    assert read(json.dumps(ROWS), "rows.json").to_list() == ROWS


def test_a_json_file_may_hold_the_list_under_a_name(read, caplog):
    assert read(json.dumps({"version": 1, "data": ROWS}), "rows.json").to_list() == ROWS
    assert "the rows are those under 'data'" in caplog.text


def test_a_json_file_may_hold_lines_of_objects(read, caplog):
    assert read("\n".join(map(json.dumps, ROWS)), "rows.json").to_list() == ROWS
    assert "a JSON object in each line" in caplog.text


@pytest.mark.parametrize("whole", [{"a": 1}, {"a": ROWS, "b": ROWS}, 3, {"a": []}])
def test_a_json_file_without_one_list_is_an_error(read, whole):
    with pytest.raises(DataError, match=r"rows\.json: there is .* in it; write one list"):
        read(json.dumps(whole), "rows.json")


def test_a_json_file_that_breaks_off_is_named_with_its_line(read):
    with pytest.raises(DataError, match=r"rows\.json, line 1: not valid JSON"):
        read(json.dumps(ROWS)[:-5], "rows.json")


def write_parquet(path, rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def test_a_parquet_file_is_read(tmp_path, task):
    assert read_rows(write_parquet(tmp_path / "rows.parquet", ROWS), task=task).to_list() == ROWS


def test_half_a_parquet_file_is_an_error(tmp_path, task):
    path = write_parquet(tmp_path / "rows.parquet", ROWS * 100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"rows\.parquet: not a whole parquet file .* cut off\?"):
        read_rows(path, task=task)


def test_the_rows_of_a_parquet_file_are_named_by_their_place(tmp_path, task):
    path = write_parquet(tmp_path / "rows.parquet", [*ROWS, {"text": "x", "label": "sideways"}])
    with pytest.raises(DataError, match=r"rows\.parquet, row 3: column 'label': unknown label"):
        read_rows(path, task=task)


@pytest.mark.parametrize(
    ("content", "note"), [(CSV.replace(",", ";"), "';'"), (CSV.replace(",", "\t"), r"'\\t'"), (CSV, None)]
)
def test_another_separator_is_found_and_said(read, caplog, content, note):
    assert read(content).to_list() == ROWS
    assert [record.getMessage() for record in caplog.records if "separates" in record.getMessage()] == [
        message for message in caplog.messages if note
    ]


def test_a_separator_may_be_given(read):
    assert read(CSV.replace(",", "^"), delimiter="^").to_list() == ROWS


def test_the_format_may_be_given(read):
    assert read(CSV, "export.dat", file_format="csv").to_list() == ROWS


@pytest.fixture
def tagged():
    return entities("toy/who", summary="", instruction="Find.", types=("PER", "ORG"), scheme="BIO")


CONLL = "-DOCSTART- -X- O O\n\nAnn NNP B-NP B-PER\nruns VBZ B-VP O\n\nAcme NNP B-NP B-ORG\n"


@pytest.mark.parametrize("content", [CONLL, CONLL.replace(" ", "\t"), CONLL.replace("\n", "\r\n"), CONLL.rstrip()])
def test_a_conll_file_gives_a_row_for_each_sentence(read, tagged, content):
    found = read(content, "rows.conll", task=tagged)
    assert found["tokens"][:] == [["Ann", "runs"], ["Acme"]]
    assert found["tags"][:] == [["B-PER", "O"], ["B-ORG"]]
    assert found["document"][:] == [1, 1]


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [("IOB1", "I-PER B-PER O"), ("BIO", "B-PER B-PER O"), ("IOBES", "S-PER S-PER O"), ("BILOU", "U-PER U-PER O")],
)
def test_tags_are_read_by_the_scheme_of_the_task(read, scheme, tags):
    own = entities("toy/who", summary="", instruction="Find.", types=("PER",), scheme=scheme)
    lines = [f"{word} {tag}" for word, tag in zip(("Ann", "Bob", "run"), tags.split(), strict=True)]
    row = read("\n".join(lines), "rows.conll", task=own)[0]
    assert [(span.start, span.end) for span in own.reference(row)] == [(0, 3), (4, 7)]


def test_other_columns_of_a_conll_file_may_be_chosen(read, tagged):
    found = read("1 Ann B-PER x\n", "rows.conll", task=tagged, columns={"tokens": "1", "tags": "2"})
    assert found[0]["tokens"] == ["Ann"]
    assert found[0]["tags"] == ["B-PER"]


def test_a_ragged_line_of_a_conll_file_is_named(read, tagged):
    with pytest.raises(DataError, match=r"line 1: line 2 has another number of columns than line 1, which has 2"):
        read("Ann B-PER\nruns\n", "rows.conll", task=tagged)


def test_an_invalid_tag_is_named_with_its_sentence(read, tagged):
    with pytest.raises(DataError, match=r"rows\.conll, line 3: .*B-LOC"):
        read("Ann B-PER\n\nOslo B-LOC\n", "rows.conll", task=tagged)


def test_a_folder_of_texts_is_labelled_by_its_folders(tmp_path, task):
    for number, row in enumerate(ROWS):
        (tmp_path / row["label"]).mkdir()
        (tmp_path / row["label"] / f"{number}.txt").write_text(row["text"])
    found = read_rows(tmp_path, task=task)
    assert sorted(found, key=lambda row: row["file"]) == [
        {**ROWS[1], "file": "down/1.txt"},
        {**ROWS[0], "file": "up/0.txt"},
    ]


def test_a_folder_of_texts_needs_no_labels_for_prediction(tmp_path, task):
    (tmp_path / "a.txt").write_text("sales rose")
    assert read_rows(tmp_path, task=task, labelled=False)[0] == {"text": "sales rose", "file": "a.txt"}


def test_a_bad_text_of_a_folder_is_named_by_its_file(tmp_path, task):
    (tmp_path / "up").mkdir()
    (tmp_path / "up" / "a.txt").write_text("  ")
    with pytest.raises(DataError, match=r"up/a\.txt, line 1: column 'text' is empty"):
        read_rows(tmp_path, task=task)


def test_a_folder_of_tables_is_read_in_the_order_of_their_names(tmp_path, task):
    for number, row in enumerate(ROWS):
        write_jsonl(tmp_path / f"{number}.jsonl", [row])
    assert read_rows(tmp_path, task=task).to_list() == ROWS


def test_what_is_said_of_files_holds_for_those_of_a_folder(tmp_path, task, caplog):
    for number, row in enumerate(ROWS):
        (tmp_path / f"{number}.csv").write_text(f"text^label\n{row['text']}^{row['label']}\n")
    assert read_rows(tmp_path, task=task, delimiter="^").to_list() == ROWS
    for path in tmp_path.iterdir():
        path.write_text(path.read_text().replace("^", ";"))
    assert read_rows(tmp_path, task=task).to_list() == ROWS
    assert "';' separates its cells" in caplog.text


@pytest.mark.parametrize("wrong", [{"split": "test"}, {"file_format": "csv"}])
def test_what_a_folder_of_files_has_no_use_for_is_refused(tmp_path, task, wrong):
    write_jsonl(tmp_path / "0.jsonl", ROWS)
    with pytest.raises(ConfigurationError, match=f"{next(iter(wrong))}="):
        read_rows(tmp_path, task=task, **wrong)


@pytest.mark.parametrize("names", [(), ("a.csv", "b.jsonl"), ("a.xlsx",)])
def test_a_folder_of_anything_else_is_an_error_that_says_what_there_is(tmp_path, task, names):
    for name in names:
        (tmp_path / name).write_text(CSV)
    with pytest.raises(DataError, match=r"is a folder with .*; give one file, or a folder of files of one kind"):
        read_rows(tmp_path, task=task)


# Data sets


def test_a_saved_data_set_is_read(tmp_path, task):
    import datasets

    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "saved")
    assert read_rows(tmp_path / "saved", task=task).to_list() == ROWS


def test_a_data_set_with_several_splits_needs_to_know_which(tmp_path, task):
    import datasets

    parts = {"train": datasets.Dataset.from_list(ROWS), "test": datasets.Dataset.from_list(ROWS[:1])}
    datasets.DatasetDict(parts).save_to_disk(tmp_path / "saved")
    assert read_rows(tmp_path / "saved", task=task, split="test").to_list() == ROWS[:1]
    with pytest.raises(ConfigurationError, match="has the splits 'train', 'test'; say which one with split="):
        read_rows(tmp_path / "saved", task=task)


def test_a_damaged_data_set_is_an_error(tmp_path, task):
    import datasets

    datasets.Dataset.from_list(ROWS).save_to_disk(tmp_path / "saved")
    (tmp_path / "saved" / "state.json").unlink()
    with pytest.raises(DataError, match="is not a whole data set"):
        read_rows(tmp_path / "saved", task=task)


def test_rows_in_memory_are_read_by_their_aliases(task):
    assert read_rows([{"sentence": "sales rose", "LABEL": "up"}], task=task).to_list() == ROWS[:1]


def test_the_network_is_used_for_a_name_of_the_hub_alone_and_counts_nothing(monkeypatch, task):
    import datasets

    asked = []

    def load(name, *, split):
        asked.append((name, split, datasets.config.HF_UPDATE_DOWNLOAD_COUNTS))
        return datasets.Dataset.from_list(ROWS)

    monkeypatch.setattr(datasets, "load_dataset", load)
    assert read_rows("hf://datasets/someone/directions", task=task, split="train").to_list() == ROWS
    assert asked == [("someone/directions", "train", False)]
    with pytest.raises(DataError, match='or "hf://datasets/someone/directions" for a data set of the Hub'):
        read_rows("someone/directions", task=task)
    assert len(asked) == 1


def test_a_name_that_the_hub_does_not_have_is_an_error_of_the_data(monkeypatch, task):
    import datasets

    def load(name, *, split):
        msg = f"no {name} {split}"
        raise FileNotFoundError(msg)

    monkeypatch.setattr(datasets, "load_dataset", load)
    with pytest.raises(DataError, match="hf://datasets/a/b cannot be read from the Hub: no a/b"):
        read_rows("hf://datasets/a/b", task=task)


# Labels that are numbers


@pytest.mark.parametrize("names", [["down", "flat", "up"], {"2": "up", 0: "down"}, {2.0: "up", "0": "down"}])
@pytest.mark.parametrize("content", ["text,label\nsales rose,2\nsales fell, 0 \n"])
def test_names_may_be_given_for_numbers(read, names, content):
    assert read(content, label_names=names).to_list() == ROWS


def test_numbers_without_names_are_an_error_that_says_how_to_name_them(read):
    with pytest.raises(DataError, match=r"line 2: column 'label': unknown label '2'.*pass label_names="):
        read("text,label\nsales rose,2\n")


def test_class_labels_of_a_data_set_have_names_already(task):
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["down", "flat", "up"])}
    )
    found = datasets.Dataset.from_list([{"text": row["text"], "label": row["label"]} for row in ROWS], features)
    assert read_rows(found, task=task).to_list() == ROWS


def test_a_list_of_names_is_not_a_text(read):
    with pytest.raises(ConfigurationError, match="label_names='up': give a list of names"):
        read(CSV, label_names="up")


# Bad rows

BAD = "text,label\nsales rose,up\nragged\n,up\nsales fell,sideways\nsales fell,down\n"


def test_all_bad_rows_are_counted_and_the_first_are_named(read):
    with pytest.raises(DataError, match="3 rows are unusable: ") as caught:
        read(BAD)
    for line in (3, 4, 5):
        assert f"rows.csv, line {line}: " in str(caught.value)
    assert 'bad_rows="skip" to leave them out' in str(caught.value)


def test_bad_rows_are_skipped_if_asked_and_said(read, caplog):
    assert read(BAD, bad_rows="skip").to_list() == ROWS
    assert "left out 3 of 5 rows: " in caplog.text


def test_a_bad_line_of_jsonl_is_skipped_if_asked(read, caplog):
    lines = [json.dumps(ROWS[0]), "{oops", json.dumps(ROWS[1])]
    assert read("\n".join(lines), "rows.jsonl", bad_rows="skip").to_list() == ROWS
    assert "left out 1 of 3 rows" in caplog.text
    assert "line 2: not valid JSON" in caplog.text


def test_many_bad_rows_do_not_make_a_long_message(read):
    with pytest.raises(DataError, match=r"200 rows are unusable: .*; and 195 more") as caught:
        read("text,label\n" + "x\n" * 200)
    assert len(str(caught.value)) < 1500


def test_only_bad_rows_are_an_error_even_if_they_may_be_skipped(read):
    with pytest.raises(DataError, match=r"holds no rows that can be used: .*line 2"):
        read("text,label\nragged\n", bad_rows="skip")


def test_what_to_do_with_bad_rows_is_one_of_two(read):
    with pytest.raises(ConfigurationError, match="bad_rows='drop' is not one of 'error', 'skip'"):
        read(CSV, bad_rows="drop")


def test_a_message_tells_no_text_of_a_row(read, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(DataError) as caught:
        read("text,label\nconfidential,up,extra\n,up\n")
    assert "confidential" not in str(caught.value) + caplog.text


def test_one_line_of_many_megabytes_is_read(read):
    text = "sales rose " * 1_000_000
    assert len(read(json.dumps({"text": text, "label": "up"}), "rows.jsonl")[0]["text"]) == len(text)


# What else turns up


@pytest.mark.parametrize(
    ("begin", "what"),
    [(b"PK\x03\x04", "spreadsheet"), (b"%PDF-1.7", "PDF"), (b"\x1f\x8b", "gzip"), (b"PAR1", "parquet")],
)
def test_a_file_of_another_kind_is_recognised_whatever_its_ending(read, begin, what):
    with pytest.raises(DataError, match=rf"rows\.csv is .*{what}.*, not text; save it as csv, or unpack it"):
        read(begin + bytes(range(256)))


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[" * 100_000, "not usable JSON .*recursion"),
        ('{"text": "a", "label": "up", "n": ' + "9" * 5000 + "}", "not usable JSON .*digits"),
        ('{"text": "a", "text": "b", "label": "up"}', "the name 'text' occurs twice"),
        ('[{"text": "a\\ud800", "label": "up"}]', r"half of a character|not list"),
    ],
    ids=["nested", "digits", "twice", "half"],
)
def test_json_that_cannot_be_used_is_an_error_of_the_data(read, name, content, said):
    with pytest.raises(DataError, match=said):
        read(content, name)


def test_a_pair_of_escaped_halves_is_a_character(read):
    assert read('{"text": "sales \\ud83d\\ude00", "label": "up"}', "rows.jsonl")["text"][0] == "sales 😀"


def test_a_number_of_more_than_64_bits_is_an_error_of_the_data(read):
    with pytest.raises(DataError, match="a whole number has more than 64 bits; write it as text"):
        read(json.dumps({**ROWS[0], "n": 2**70}), "rows.jsonl")


@pytest.mark.parametrize("delimiter", [";;", "", '"', "\n", 3])
def test_a_delimiter_that_is_not_one_character_is_refused(read, delimiter):
    with pytest.raises(ConfigurationError, match=r"delimiter=.*: must be one character"):
        read(CSV, delimiter=delimiter)


def test_many_or_long_column_names_do_not_make_a_long_message(read):
    header = ",".join(f"{'column' * 40} {number}" for number in range(500))
    with pytest.raises(DataError, match="and 470 more") as caught:
        read(f"{header}\n{'x,' * 499}x\n")
    assert len(str(caught.value)) < 3000


def test_a_column_that_rows_may_do_without_is_read_where_it_is(tmp_path):
    columns = (Column("text"), Column("title", aliases=("headline",), optional=True))
    task = single_label(
        "toy/titled", summary="", instruction="", labels=("up", "down"), text=columns, show=lambda row: row["text"]
    )
    with_it, without = tmp_path / "with.csv", tmp_path / "without.csv"
    with_it.write_text("Headline,text,label\nNews,sales rose,up\n")
    without.write_text("text,label\nsales rose,up\n")
    assert read_rows(with_it, task=task)[0] == {"title": "News", "text": "sales rose", "label": "up"}
    assert read_rows(without, task=task)[0] == {"text": "sales rose", "label": "up"}


def test_how_to_name_labels_is_said_where_tags_are_numbers():
    task = entities("toy/ner", summary="", instruction="", types=("PER",), scheme="BIO")
    with pytest.raises(DataError, match=r"unknown tag '3'.*pass label_names="):
        read_rows([{"tokens": ["Ada"], "tags": ["3"]}], task=task)


def test_how_to_name_labels_is_said_where_labels_are_unknown_and_nowhere_else(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("text,label\n,1\n")
    task = single_label("toy/direction", summary="", instruction="", labels=("up", "1"))
    with pytest.raises(DataError, match="column 'text' is empty") as caught:
        read_rows(path, task=task)
    assert "label_names" not in str(caught.value)


@pytest.mark.parametrize(
    ("mark", "first"), [(";", "sep=;\r\n"), ("^", "SEP=^\n"), ("\t", "sep=\t\n"), (",", "\ufeffsep=,\n")]
)
def test_a_first_line_that_names_the_separator_is_no_header(read, caplog, mark, first):
    assert read(first + CSV.replace(",", mark)).to_list() == ROWS
    assert f"its first line says that {mark!r} separates its cells" in caplog.text


def test_a_separator_that_is_given_goes_before_that_of_the_first_line(read):
    assert read("sep=;\n" + CSV, delimiter=",").to_list() == ROWS


def test_lines_are_counted_with_the_one_that_names_the_separator(read):
    with pytest.raises(DataError, match=r"rows\.csv, line 4: 1 cells where the header has 2"):
        read("sep=;\ntext;label\nsales rose;up\nsales fell\n")
    with pytest.raises(DataError, match=r"rows\.csv, line 2: .* left open in the header"):
        read('sep=;\n"text;label\nsales rose;up\n')


def test_a_missing_label_column_says_how_to_read_rows_without_labels(read):
    with pytest.raises(DataError, match=r"'label'.*; or pass labelled=False, to predict rows without labels"):
        read("text\nsales rose\n")
    with pytest.raises(DataError, match="no column for 'text'") as caught:
        read("label\nup\n")
    assert "labelled" not in str(caught.value)


def test_what_is_no_source_of_rows_is_told_what_to_pass(task):
    with pytest.raises(ConfigurationError, match="source=None: give the path of a file or a folder, a list"):
        read_rows(None, task=task)
    with pytest.raises(DataError, match=r"pass df\.to_dict\('records'\) or datasets\.Dataset\.from_pandas\(df\)"):
        read_rows(pd.DataFrame(ROWS), task=task)
