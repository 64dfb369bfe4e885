"""CUAD's whole contracts: marked words found in the texts, and CUAD_v1.json."""

import csv
import json

import pytest
from helpers import DATA, write_jsonl

from qlorakit.errors import DataError
from qlorakit_legal.cuad import CATEGORIES
from qlorakit_legal.cuad_contracts import CUAD_JSON, QUESTIONS, filer_of, name_key, read_cuad

MASTER, TEXTS = DATA / "cuad/master_clauses.csv", DATA / "cuad_contracts_text/contracts.jsonl"
NAME = "ACMEINC_02_07_2020-EX-10.1-SUPPLY AGREEMENT"
TEXT = "SUPPLY AGREEMENT\n\nThe law of Ohio\ngoverns. The Supplier insures. Ohio is far. The Supplier pays.\n"


def write_master(path, contracts):
    """A file of quotes by category, for each contract."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Filename", *(name for one in CATEGORIES for name in (one, f"{one}-Answer"))])
        for name, marked in contracts.items():
            quotes = (marked.get(one, []) for one in CATEGORIES)
            writer.writerow([name, *(cell for one in quotes for cell in (repr(one), "Yes" if one else "No"))])
    return path


def joined(tmp_path, marked, text=TEXT):
    clauses = write_master(tmp_path / "master.csv", {f"{NAME}.PDF": marked})
    (row,) = read_cuad(clauses, write_jsonl(tmp_path / "contracts.jsonl", [{"name": f"{NAME}.txt", "text": text}]))
    return row


def found_in(row, category):
    (answer,) = (one for one in row["answers"] if one["question"] == category)
    return answer["answer"], [row["text"][start:end] for start, end in answer["evidence"]]


def test_every_category_has_a_question_of_a_dozen_words_at_most():
    assert tuple(QUESTIONS) == CATEGORIES
    assert len(set(QUESTIONS.values())) == len(CATEGORIES)
    assert all(len(question.split()) <= 12 and question.endswith("?") for question in QUESTIONS.values())


def test_marked_words_are_found_up_to_white_space_and_the_rest_is_absent(tmp_path):
    row = joined(tmp_path, {"Governing Law": ["The law of  Ohio governs."]})
    assert row["document"] == f"{NAME}.PDF"
    assert [one["question"] for one in row["answers"]] == list(CATEGORIES)
    assert found_in(row, "Governing Law") == ("present", ["The law of Ohio\ngoverns."])
    assert found_in(row, "Insurance") == ("absent", [])


def test_parts_of_an_omission_are_found_one_after_the_other(tmp_path):
    row = joined(tmp_path, {"Insurance": ["governs.<omitted>The Supplier<omitted> pays."]})
    assert found_in(row, "Insurance") == ("present", ["governs.", "The Supplier", "pays."])
    apart = joined(tmp_path, {"Insurance": ["insures.<omitted>The Supplier"]})
    assert apart["answers"][CATEGORIES.index("Insurance")]["evidence"][-1] == [
        TEXT.rindex("The Supplier"),
        TEXT.rindex("The Supplier") + len("The Supplier"),
    ]


def test_parts_that_are_not_in_the_order_of_the_contract_are_found_all_the_same(tmp_path):
    row = joined(tmp_path, {"Insurance": ["The Supplier pays.<omitted>The law of Ohio"]})
    assert found_in(row, "Insurance")[1] == ["The law of Ohio", "The Supplier pays."]


def test_whole_words_are_preferred_to_parts_of_others(tmp_path):
    row = joined(tmp_path, {"Parties": ["Art"]}, "The Article. Art Ltd sells.")
    assert row["answers"][CATEGORIES.index("Parties")]["evidence"] == [[13, 16]]
    assert found_in(joined(tmp_path, {"Parties": ["rticl"]}, "The Article."), "Parties")[1] == ["rticl"]


def test_words_in_several_places_are_counted(tmp_path, caplog):
    row = joined(tmp_path, {"Parties": ["The Supplier"]})
    assert row["answers"][CATEGORIES.index("Parties")]["evidence"] == [[TEXT.index("The S"), TEXT.index(" insures")]]
    assert "stand in several places, of which one is taken: 1" in caplog.text


def test_words_that_are_nowhere_leave_their_category_present_and_are_counted(tmp_path, caplog):
    row = joined(tmp_path, {"Insurance": ["The Supplier insures everybody.", "The Supplier insures."]})
    assert found_in(row, "Insurance") == ("present", ["The Supplier insures."])
    assert found_in(joined(tmp_path, {"Insurance": ["lost"]}), "Insurance") == ("present", [])
    assert "not in the contract, left out: 1" in caplog.text
    assert "everybody" not in caplog.text


def test_answers_without_marked_words_are_absent_and_counted(tmp_path, caplog):
    clauses = write_master(tmp_path / "master.csv", {f"{NAME}.PDF": {"Insurance": ["The Supplier insures."]}})
    clauses.write_text(clauses.read_text(encoding="utf-8").replace("['The Supplier insures.']", "[]"), "utf-8")
    (row,) = read_cuad(clauses, write_jsonl(tmp_path / "c.jsonl", [{"name": NAME, "text": TEXT}]))
    assert found_in(row, "Insurance") == ("absent", [])
    assert "with an answer but without marked words, taken as absent: 1" in caplog.text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MACY'S,INC-99.4.PDF", "MACY_S,INC-99.4.txt"),
        ("A&R AGREEMENT .pdf", "A_R AGREEMENT.txt"),
        ("ALLIANCE AGREEMENT.PDF'", "ALLIANCE AGREEMENT.txt"),
        ("LECLANCH\u00c9 S.A..pdf", "LECLANCHE\u0301 S.A..txt"),
        ("BETWEEN X AND Y-.pdf", "BETWEEN X AND Y.txt"),
    ],
)
def test_names_that_differ_in_punctuation_are_the_same(one, other):
    assert name_key(one) == name_key(other) != name_key(f"2{other}")


def test_a_folder_of_texts_is_read_as_well(tmp_path):
    clauses = write_master(tmp_path / "master.csv", {"B & C.pdf": {}, "A.PDF": {"Insurance": ["caf\u00e9 insures"]}})
    folder = tmp_path / "full_contract_txt"
    folder.mkdir()
    (folder / "A.txt").write_bytes("The caf\u00e9 insures.".encode())
    (folder / "B _ C.txt").write_text("Nothing.", encoding="utf-8")
    rows = read_cuad(clauses, folder)
    assert [row["document"] for row in rows] == ["B & C.pdf", "A.PDF"]
    assert found_in(rows[1], "Insurance") == ("present", ["caf\u00e9 insures"])


def test_contracts_in_one_source_alone_are_refused(tmp_path):
    clauses = write_master(tmp_path / "master.csv", {"A.pdf": {}, "B.pdf": {}})
    one = write_jsonl(tmp_path / "one.jsonl", [{"name": "A", "text": TEXT}])
    with pytest.raises(DataError, match=r"1 of the 2 contracts of .*master.csv are not in it: 'B.pdf'"):
        read_cuad(clauses, one)
    three = write_jsonl(tmp_path / "three.jsonl", [{"name": name, "text": TEXT} for name in "ABC"])
    with pytest.raises(DataError, match=r"1 of the 3 contracts of .*three.jsonl are not in it: 'C'"):
        read_cuad(clauses, three)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"name": "A"}], "line 1: 'name' and 'text' must both be texts"),
        ([{"name": "A", "text": " "}], "line 1: 'name' and 'text' must both be texts"),
        ([{"name": "A", "text": TEXT}] * 2, "line 2: the contract 'A' is there again"),
        ([{"name": "A", "text": TEXT}, {"name": "A.txt", "text": TEXT}], "'A' and 'A.txt' are the same"),
    ],
)
def test_texts_that_cannot_be_told_apart_or_are_none_are_refused(tmp_path, rows, told):
    with pytest.raises(DataError, match=told):
        read_cuad(write_master(tmp_path / "master.csv", {"A.pdf": {}}), write_jsonl(tmp_path / "c.jsonl", rows))


# CUAD_v1.json


def question(category, *answers, title=NAME, **others):
    given = [{"text": text, "answer_start": start} for text, start in answers]
    return {"id": f"{title}__{category}", "question": "?", "answers": given, "is_impossible": not given, **others}


def in_lists(texts, starts):
    """Answers as libraries of data sets hold them."""
    return {"text": texts, "answer_start": starts}


def write_json(path, *questions, text=TEXT):
    data = [{"title": NAME, "paragraphs": [{"context": text, "qas": list(questions)}]}]
    path.write_text(json.dumps({"version": "v", "data": data}), encoding="utf-8")
    return path


def test_the_json_file_is_recognised_and_read(tmp_path):
    law = question("Governing Law", ("The law of Ohio\ngoverns.", 18), ("Ohio is far.", TEXT.index("Ohio is")))
    path = write_json(tmp_path / "CUAD_v1.json", question("Insurance"), law)
    assert CUAD_JSON.recognises(path, path.read_text(encoding="latin-1").splitlines())
    ((number, row),) = CUAD_JSON.read(path)
    assert (number, row["document"], row["text"]) == (1, NAME, TEXT)
    assert found_in(row, "Governing Law") == ("present", ["The law of Ohio\ngoverns.", "Ohio is far."])
    assert found_in(row, "Insurance") == ("absent", [])
    assert len(row["answers"]) == 2


def test_answers_in_two_lists_are_read_as_those_in_one(tmp_path):
    law, none = (
        question("Governing Law", ("The law", 18), ("Ohio is far.", TEXT.index("Ohio is"))),
        question("Insurance"),
    )
    listed = [{**law, "answers": in_lists(["Ohio is far.", "The law"], [TEXT.index("Ohio is"), 18])}]
    listed.append({**none, "answers": in_lists([], [])})
    rows = [next(iter(CUAD_JSON.read(write_json(tmp_path / "a.json", *asked)))) for asked in ([law, none], listed)]
    assert rows[0] == rows[1]
    assert found_in(rows[1][1], "Governing Law")[0] == "present"


def test_categories_in_another_spelling_and_questions_divided_by_answer_are_joined(tmp_path):
    first, second = ("SUPPLY", 0), ("AGREEMENT", 7)
    divided = [question("Third party beneficiary_0", first), question("Third Party Beneficiary_1", second)]
    ((_, row),) = CUAD_JSON.read(write_json(tmp_path / "train.json", *divided, question("No-Solicit Of Customers")))
    assert [one["question"] for one in row["answers"]] == ["No-Solicit of Customers", "Third Party Beneficiary"]
    assert row["answers"][1]["evidence"] == [[0, 6], [7, 16]]


def test_other_json_is_not_recognised(tmp_path):
    assert not CUAD_JSON.recognises(tmp_path / "rows.json", ['[{"text": "a", "answers": []}]'])
    assert not CUAD_JSON.recognises(tmp_path / "rows.jsonl", ['{"data": [{"paragraphs": []}]}'])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (question("Insurance", ("SUPPLY", 1)), "answer is not where answer_start=1 says"),
        (question("Insurance", ("SUPPLY", -5)), "answer is not where answer_start=-5 says"),
        (question("Insurance", ("SUPPLY", "0")), "needs a 'text' and a number 'answer_start'"),
        (question("Insurance", (" ", 3)), "needs a 'text' and a number 'answer_start'"),
        (question("Insurances"), "unknown category 'Insurances'.*Did you mean 'Insurance'"),
        (question("Insurance", ("SUPPLY", "0"), ("SUPPLY", 0)), "question 1, '.*Insurance': an answer needs a 'text'"),
        (
            question("Insurance", answers=None),
            "'answers' must be a list of objects .* or an object with a list of each",
        ),
        (question("Insurance", answers="SUPPLY"), "'answers' must be a list of objects"),
        (question("Insurance", answers=in_lists(["SUPPLY"], [])), "'answers' must be .* of the same length"),
        (question("Insurance", answers=in_lists("S", [0])), "'answers' must be a list of objects"),
        (question("Insurance", answers=in_lists(["SUPPLY"], [1])), "answer is not where answer_start=1 says"),
        (
            question("Insurance", is_impossible=False),
            "is False with 0 answers; it must be true where there is no answer",
        ),
        (question("Insurance", ("SUPPLY", 0), is_impossible=True), "is_impossible is True with 1 answers"),
        (
            {"id": "56be4db0acb8001400a502ec", "answers": []},
            "question 1: its id is .* must end in two underscores and CUAD's category",
        ),
    ],
)
def test_questions_that_are_wrong_are_refused_with_their_id(tmp_path, wrong, told):
    with pytest.raises(DataError, match=told) as caught:
        list(CUAD_JSON.read(write_json(tmp_path / "CUAD_v1.json", wrong)))
    assert str(wrong["id"]) in str(caught.value)
    assert f"{tmp_path / 'CUAD_v1.json'}, text 1, question 1" in str(caught.value)


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"data": [{"title": "A"}]}', '{"data": [{"title": "A", "paragraphs": [{"context": ""}]}]}']
)
def test_files_of_another_form_are_refused(tmp_path, content):
    path = tmp_path / "CUAD_v1.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"CUAD_v1\.json"):
        list(CUAD_JSON.read(path))


# Groups


@pytest.mark.parametrize(
    ("name", "filer"),
    [
        ("NETGEAR,INC_04_21_2003-EX-10.16-DISTRIBUTOR AGREEMENT.txt", "netgearinc"),
        ("NetgearInc_20030421_8-K_EX-10.16_5_Agreement.pdf", "netgearinc"),
        ("Acme Corp - SUPPLY AGREEMENT.PDF", "Acme Corp - SUPPLY AGREEMENT.PDF"),
        ("scan_20240101_1.pdf", "scan_20240101_1.pdf"),
        (" ", None),
        (None, None),
    ],
)
def test_contracts_of_one_filer_belong_together(name, filer):
    assert filer_of({"document": name}) == filer


# The data themselves


@pytest.fixture(scope="module")
def real_rows():
    if not MASTER.is_file() or not TEXTS.is_file():
        pytest.skip(f"{MASTER} and {TEXTS} are not there")
    return read_cuad(MASTER, TEXTS)


def test_all_marked_words_are_found_in_the_real_contracts(real_rows):
    answers = [answer for row in real_rows for answer in row["answers"]]
    present = [answer for answer in answers if answer["answer"] == "present"]
    assert (len(real_rows), len(answers), len(present)) == (510, 510 * 41, 6702)
    assert all(answer["evidence"] for answer in present)
    assert sum(len(answer["evidence"]) for answer in present) == 13_823


def test_the_real_contracts_come_from_459_filers(real_rows):
    assert len({filer_of(row) for row in real_rows}) == 459
