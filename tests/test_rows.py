import json
from dataclasses import replace

import pytest
from helpers import write_jsonl

from qlorakit import read_rows
from qlorakit.errors import ConfigurationError, DataError, PluginError
from qlorakit.kinds import single_label
from qlorakit.rows import check_rows, fingerprint, input_key, row_content, row_ids
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


def test_another_encoding_is_an_error_that_names_byte_and_line(read):
    with pytest.raises(DataError, match=r'rows\.csv, line 3: byte 0xe9 is not utf-8\. .*encoding="latin-1"'):
        read("text,label\nsales rose,up\ncafé fell,down\n".encode("latin-1"))


def test_utf_16_without_saying_so_is_an_error_that_names_it(read):
    with pytest.raises(DataError, match=r"line 1: byte 0xff is not utf-8.*utf-16"):
        read(CSV.encode("utf-16-le").join([b"\xff\xfe", b""]))


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
    ("name", "content"), [("rows.csv", ""), ("rows.csv", "text,label\n"), ("rows.jsonl", "\n \n"), ("rows.tsv", "\n")]
)
def test_a_file_without_rows_is_an_error(read, name, content):
    with pytest.raises(DataError, match=r"rows\.\w+ holds no rows"):
        read(content, name)


def test_a_missing_file_is_an_error(tmp_path, task):
    with pytest.raises(DataError, match=r"gone\.csv does not exist"):
        read_rows(tmp_path / "gone.csv", task=task)


def test_a_folder_is_an_error(tmp_path, task):
    with pytest.raises(DataError, match="is a folder, not a file"):
        read_rows(tmp_path, task=task)


@pytest.mark.parametrize("name", ["rows.xlsx", "rows"])
def test_an_unknown_ending_lists_what_is_known(read, name):
    with pytest.raises(ConfigurationError, match=r"cannot tell how to read .*known are \.csv, \.tsv and \.jsonl"):
        read(CSV, name)


def test_a_line_that_is_no_json_is_named(read):
    with pytest.raises(DataError, match=r"rows\.jsonl, line 2: not valid JSON \(Expecting value at character 10\)"):
        read(f'{json.dumps(ROWS[0])}\n{{"text": oops}}\n', "rows.jsonl")


@pytest.mark.parametrize(("line", "kind"), [("[1]", "list"), ('"a"', "str"), ("3", "int"), ("null", "NoneType")])
def test_a_line_that_is_no_object_is_named(read, line, kind):
    with pytest.raises(DataError, match=rf"line 1: each line must be an object like .*, not {kind}"):
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
    with pytest.raises(DataError, match=r"line 2: column 'text' holds NoneType"):
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


def test_a_row_that_was_never_in_a_file_is_named_by_its_position(task):
    with pytest.raises(DataError, match="the rows, row 2: column 'text' is empty"):
        check_rows([ROWS[0], {"text": "", "label": "up"}], task, labelled=True)


def test_no_rows_at_all_are_an_error(task):
    with pytest.raises(DataError, match="there are none"):
        check_rows([], task, labelled=False)


def test_content_is_the_same_whatever_the_order_of_the_columns():
    assert row_content({"a": 1, "b": "é"}) == row_content({"b": "é", "a": 1}) == '{"a": 1, "b": "é"}'


def test_an_id_column_is_the_identity_of_a_row():
    assert row_ids([{"id": "x", "text": "a"}, {"id": 7, "text": "a"}]) == ["x", "7"]


@pytest.mark.parametrize("ids", [("x", "x"), (1, "1")])
def test_an_id_that_occurs_twice_is_named_with_its_row(ids):
    with pytest.raises(DataError, match=r"row 2: id .* occurs twice"):
        row_ids([{"id": value, "text": "a"} for value in ids])


def test_rows_without_an_id_are_told_apart_by_content_and_occurrence():
    first, second, third = row_ids([ROWS[0], ROWS[1], ROWS[0]])
    assert first != second
    assert third == f"{first}-1"


def test_the_identity_of_a_row_follows_from_its_content_alone():
    assert row_ids(ROWS) == row_ids(ROWS[::-1])[::-1] == [row_ids([row])[0] for row in ROWS]


def test_the_identity_of_a_row_is_the_same_on_every_machine():
    assert row_ids(ROWS[:1]) == ["9289f1ebdce070f4"]


def test_a_fingerprint_changes_with_order_and_content():
    prints = {fingerprint(rows) for rows in (ROWS, ROWS[::-1], ROWS[:1], [*ROWS, ROWS[0]], [])}
    assert len(prints) == 5
    assert fingerprint(ROWS) == fingerprint(dict(reversed(row.items())) for row in ROWS)


def test_rows_that_differ_in_white_space_alone_ask_the_same(task):
    assert input_key({"text": "sales  rose\n"}, task) == input_key({"text": "sales rose", "label": "up"}, task)
    assert input_key({"text": "sales rose"}, task) != input_key({"text": "sales fell"}, task)


def test_a_task_that_fails_on_a_row_is_told_from_a_bad_row(task):
    broken = replace(task, format=lambda row: row["absent"])
    with pytest.raises(PluginError, match=r"the rows, row 1: task toy/direction fails on it \(KeyError: 'absent'\)"):
        check_rows(ROWS, broken, labelled=False)


def test_semicolons_between_cells_are_recognised(read):
    with pytest.raises(DataError, match="semicolons separate its cells"):
        read("text;label\nsales rose;up\n")
