import csv
import itertools
import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marked_texts import DEVELOPMENT, HELD_OUT, unmarked

from qlorakit.errors import ConfigurationError, DataError, PluginError, UnknownNameError
from qlorakit.privacy import (
    KINDS,
    check_answers,
    count_personal_data,
    find_personal_data,
    redact_rows,
    replace_personal_data,
)
from qlorakit.recognisers import Recogniser

DATA = Path(os.environ.get("QLORAKIT_DATA", Path(__file__).parents[2] / "shared" / "data"))
NOTE = "Dr. Anna Keller (call 212-555-0123) saw Mr. Smith on March 3, 2020. Keller: +1 (212) 555-0123."


@pytest.fixture(scope="module")
def presidio():
    return pytest.importorskip("presidio_analyzer")


def run(code):
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)  # noqa: S603  # our own


def found(text, **search):
    return [(item.kind, text[item.start : item.end]) for item in find_personal_data(text, **search)]


# Finding


def test_finds_are_in_order_and_do_not_overlap():
    items = find_personal_data(NOTE, builtin_only=True)
    assert [item.kind for item in items] == ["person", "phone", "person", "date", "person", "phone"]
    assert all(first.end <= second.start for first, second in itertools.pairwise(items))


@given(st.text(max_size=200))
def test_any_text_is_searched_without_overlaps_or_empty_finds(text):
    items = find_personal_data(text, builtin_only=True)
    ends = [0, *(place for item in items for place in (item.start, item.end)), len(text)]
    assert ends == sorted(ends)
    assert all(item.start < item.end for item in items)


def test_of_two_overlapping_finds_the_surer_stays_and_then_the_longer():
    low = Recogniser("low", lambda _: [(0, 9)], score=0.5)
    short, long = Recogniser("short", lambda _: [(2, 4)], score=0.7), Recogniser("long", lambda _: [(3, 8)], score=0.7)
    assert found("x" * 10, builtin_only=True, recognisers=[low, short, long]) == [("long", "xxxxx")]


def test_only_the_kinds_asked_for_are_found():
    assert {kind for kind, _ in found(NOTE, kinds=["date"], builtin_only=True)} == {"date"}
    assert found(NOTE, kinds=[], builtin_only=True) == []


@pytest.mark.parametrize(
    ("search", "error", "part"),
    [
        ({"kinds": ["emails"]}, UnknownNameError, "Did you mean 'email'"),
        ({"kinds": ["uk_nhs"]}, UnknownNameError, "builtin_only=False"),
        ({"kinds": "email"}, ConfigurationError, "list, even of one"),
        ({"names": "Anna"}, ConfigurationError, "list, even of one"),
        ({"countries": ["XX"]}, UnknownNameError, "countries: 'XX'"),
        ({"kind": ["email"]}, ConfigurationError, "Did you mean 'kinds'"),
    ],
)
def test_a_wrong_option_is_named(search, error, part):
    with pytest.raises(error, match=part):
        find_personal_data("text", **{"builtin_only": True, **search})


def test_a_recogniser_that_leaves_the_text_is_named():
    wrong = Recogniser("badge", lambda text: [(0, len(text) + 1)])
    with pytest.raises(PluginError, match="'badge' found \\(0, 5\\) in a text of 4"):
        find_personal_data("text", recognisers=[wrong], builtin_only=True)


def test_countries_choose_whose_numbers_count(presidio):
    text = "NINO JK 12 34 56 C; Steuer-ID 89950782702; SSN 524-38-1907"
    assert [kind for kind, _ in found(text)] == ["uk_nino", "de_tax_id", "us_ssn"]
    assert [kind for kind, _ in found(text, countries=["GB", "DE"])] == ["uk_nino", "de_tax_id"]
    assert [kind for kind, _ in found(text, countries=["US"])] == ["us_ssn"]


def test_weak_patterns_need_a_word_nearby(presidio):
    assert found("It sold 488120933 units, 9219895129 in all and 89950782702 since.") == []
    assert found("passport no 488120933") == [("passport", "488120933")]
    assert found(f"A passport is needed. {'word ' * 20} It sold 488120933 units.") == []
    assert found("NHS 9219895129") == [("uk_nhs", "9219895129")]
    assert found("NHS 9219895128") == []


def test_phone_numbers_must_exist_where_the_extra_tells(presidio):
    assert found("Call 212-555-0123 or +1 111 222 3333.", kinds=["phone"]) == [("phone", "212-555-0123")]
    assert len(found("Call 212-555-0123 or +1 111 222 3333.", kinds=["phone"], builtin_only=True)) == 2
    assert found("It has 06 12 34 56 78 on it", kinds=["phone"]) == [("phone", "06 12 34 56 78")]
    assert found("It has 06 12 34 56 78 on it", kinds=["phone"], countries=["US"]) == []


def test_every_kind_stands_in_the_marked_texts():
    marked = {kind for document in (*DEVELOPMENT, *HELD_OUT) for *_, kind in unmarked(document)[1]}
    assert marked == set(KINDS)


@pytest.mark.parametrize(("documents", "recall", "precision"), [(DEVELOPMENT, 0.92, 0.98), (HELD_OUT, 0.88, 0.96)])
def test_marked_texts_are_found_as_well_as_the_docs_say(presidio, documents, recall, precision):
    marked, there, right = 0, 0, 0
    for text, marks in map(unmarked, documents):
        finds = {(item.start, item.end, item.kind) for item in find_personal_data(text)}
        marked, there, right = marked + len(marks), there + len(finds), right + len(finds & set(marks))
    assert right / marked >= recall
    assert right / there >= precision


@pytest.mark.parametrize(
    "unit", ["1 ", "Dr. A. B. C. ", "A-B", "account    ", "a@a.", "fe80:", "+1 2 ", "Mr. von von "]
)
def test_search_time_grows_with_the_length_alone(unit):
    start = time.perf_counter()
    find_personal_data(unit * (60_000 // len(unit)), builtin_only=True)
    assert time.perf_counter() - start < 3


# Without the extra and without a network


def test_importing_the_module_is_light():
    run(
        "import sys, qlorakit.privacy\n"
        "heavy = {'presidio_analyzer', 'phonenumbers', 'spacy', 'torch', 'transformers', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )


def test_a_missing_extra_names_package_option_and_pip_line(monkeypatch):
    import qlorakit.country_recognisers as module
    import qlorakit.privacy

    qlorakit.privacy._cached_finder.cache_clear()
    module._presidio.cache_clear()
    monkeypatch.setitem(sys.modules, "presidio_analyzer.predefined_recognizers", None)
    with pytest.raises(
        ConfigurationError, match=r"builtin_only=False.*presidio-analyzer.*pip install qlorakit\[privacy\]"
    ):
        find_personal_data("text")
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    with pytest.raises(ConfigurationError, match="phonenumbers"):
        find_personal_data("text", kinds=["phone"])
    assert find_personal_data("a@b.org", builtin_only=True)
    assert find_personal_data("a@b.org", kinds=["email"])


def test_nothing_reaches_for_the_network(presidio):
    run(
        "import socket\n"
        "attempts = []\n"
        "def refuse(*arguments, **_):\n"
        "    attempts.append(arguments)\n"
        "    raise OSError('no network here')\n"
        "socket.getaddrinfo = socket.create_connection = socket.gethostbyname = refuse\n"
        "socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse\n"
        "from qlorakit.privacy import find_personal_data\n"
        "text = 'Write to j.doe@example.co.uk, NHS 9219895129, IP 203.0.113.45, call +44 20 7946 0958'\n"
        "assert [item.kind for item in find_personal_data(text)] == ['email', 'uk_nhs', 'ip', 'phone']\n"
        "assert not attempts, attempts"
    )


# Replacing


def test_the_same_person_and_number_have_the_same_placeholder():
    assert replace_personal_data(NOTE, builtin_only=True) == (
        "Dr. [PERSON_1] (call [PHONE_1]) saw Mr. [PERSON_2] on [DATE_1]. [PERSON_1]: [PHONE_1]."
    )


def test_texts_of_one_document_share_placeholders_and_texts_of_others_do_not():
    texts = ["Keller called.", "Dr. Keller and Dr. Smith"]
    assert replace_personal_data(texts, builtin_only=True) == (
        "[PERSON_1] called.",
        "Dr. [PERSON_1] and Dr. [PERSON_2]",
    )
    assert replace_personal_data(texts[0], builtin_only=True) == texts[0]


def test_placeholders_that_stand_in_a_text_keep_their_meaning():
    text = "[PERSON_1] met Dr. Keller; [DATE_2]: March 3, 2020, not March 4, 2020."
    assert replace_personal_data(text, builtin_only=True) == (
        "[PERSON_1] met Dr. [PERSON_2]; [DATE_2]: [DATE_1], not [DATE_3]."
    )


@pytest.mark.parametrize("document", DEVELOPMENT)
def test_a_replaced_text_has_nothing_left_to_replace(document):
    once = replace_personal_data(unmarked(document)[0], builtin_only=True)
    assert replace_personal_data(once, builtin_only=True) == once


@given(st.lists(st.sampled_from(["4275 5828 2357 4162", "4275582823574162", "a@b.org", "A@B.ORG", "and"]), max_size=8))
def test_as_many_placeholders_stand_in_the_text_as_are_counted(words):
    counts = Counter()
    replaced = replace_personal_data(" , ".join(words), counts=counts, builtin_only=True)
    assert counts == {kind: number for kind in ("card", "email") if (number := replaced.count(f"[{kind.upper()}_1]"))}
    assert "_2]" not in replaced


# Rows


def test_rows_are_redacted_as_they_are_asked_for():
    endless = ({"id": number, "text": "Dr. Keller", "note": None} for number in itertools.count())
    first, second = itertools.islice(redact_rows(endless, columns=["text", "note"], builtin_only=True), 2)
    assert first == {"id": 0, "text": "Dr. [PERSON_1]", "note": None}
    assert second["text"] == "Dr. [PERSON_1]"


def test_columns_and_rows_of_one_document_share_placeholders():
    rows = [
        {"patient": 7, "question": "Keller?", "answer": "a@b.org"},
        {"patient": 7, "question": "Dr. Keller and Dr. Smith", "answer": "c@d.org"},
        {"patient": 8, "question": "Dr. Smith", "answer": "Dr. Smith"},
    ]
    counts = Counter()
    search = {"columns": ["question", "answer"], "document": "patient", "counts": counts, "builtin_only": True}
    assert [(row["question"], row["answer"]) for row in redact_rows(rows, **search)] == [
        ("[PERSON_1]?", "[EMAIL_1]"),
        ("Dr. [PERSON_1] and Dr. [PERSON_2]", "[EMAIL_2]"),
        ("Dr. [PERSON_1]", "Dr. [PERSON_1]"),
    ]
    assert counts == {"person": 5, "email": 2}
    assert rows[0]["question"] == "Keller?"


@pytest.mark.parametrize(
    ("rows", "part"),
    [
        ([{"doc": 1, "text": "a"}, {"doc": 2, "text": "b"}, {"doc": 1, "text": "c"}], "row 3.*sort the rows by 'doc'"),
        ([{"doc": 1, "text": "a"}, {"doc": 1, "txt": "b"}], "row 2 has no column 'text'.*Did you mean 'txt'"),
        ([{"doc": 1, "text": 5}], "row 1, column 'text': must be text or None, not int"),
        ([{"text": "a"}], "row 1 has no column 'doc'"),
        ([{"doc": 1, "text": "a"}, {"doc": None, "text": "a"}], "row 2, column 'doc': is None"),
    ],
)
def test_an_unusable_row_is_named(rows, part):
    with pytest.raises(DataError, match=part):
        list(redact_rows(rows, columns=["text"], document="doc", builtin_only=True))


@pytest.mark.parametrize("columns", ["text", []])
def test_columns_are_a_list(columns):
    with pytest.raises(ConfigurationError, match="columns="):
        redact_rows([], columns=columns)


# Counting and checking


def test_counts_are_by_kind_over_all_texts():
    texts = (text for text in ["a@b.org", "c@d.org on March 3, 2020", "nothing"])
    assert count_personal_data(texts, builtin_only=True) == {"email": 2, "date": 1}


def test_what_the_prompt_holds_is_not_new_in_the_answer():
    prompt = "John Doe, card 4275-5828-2357-4162, phone 0170 2233445: summarise."
    answer = "Mr. Doe (card 4275 5828 2357 4162, phone +49 170 2233445) owes Dr. Keller, k@x.org."
    (check,) = check_answers([answer], prompts=[prompt], builtin_only=True)
    assert [item.kind for item in check.found] == ["person", "card", "phone", "person", "email"]
    assert [answer[item.start : item.end] for item in check.not_in_prompt] == ["Keller", "k@x.org"]


def test_without_prompts_everything_is_new():
    first, second = check_answers(["a@b.org", "none"], builtin_only=True)
    assert first.not_in_prompt == first.found != ()
    assert second.found == ()


def test_prompts_and_answers_go_together():
    with pytest.raises(ConfigurationError, match="1 for 2 answers"):
        check_answers(["a", "b"], prompts=["a"])


# Real texts


def real(folder, name):
    path = DATA / folder / name
    if not path.is_file():
        pytest.skip(f"{path} is not there; set QLORAKIT_DATA to the folder that holds {folder}")
    return path


def test_figures_of_news_are_no_numbers_of_persons(presidio):
    path = real("financial_phrasebank", "Sentences_50Agree.txt")
    texts = [line.rpartition("@")[0] for line in path.read_text(encoding="latin-1").splitlines()][:1500]
    counts = count_personal_data(texts)
    assert not set(counts) - {"date", "person", "url", "phone", "postal_address"}
    assert counts["phone"] <= 8  # seven of them are phone numbers


def test_values_and_doses_of_reports_are_no_numbers_of_persons(presidio):
    with real("mtsamples", "mtsamples.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["transcription"] or "" for row in itertools.islice(csv.DictReader(file), 300)]
    counts = count_personal_data(texts)
    kinds = set(KINDS) - {"date", "person", "age", "url", "postal_address", "record_number"}
    assert sum(counts[kind] for kind in kinds) <= 2


def test_the_examples_of_the_page_run(capsys):
    page = (Path(__file__).parents[1] / "docs" / "privacy.md").read_text(encoding="utf-8")
    exec(compile("\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL)), "privacy.md", "exec"), {})  # noqa: S102  # our own
    printed = capsys.readouterr().out
    assert "Dr. [PERSON_1] (call [PHONE_1]) saw Mr. [PERSON_2] on [DATE_1]. [PERSON_1]: [PHONE_1]." in printed
    assert "{'patient': 7, 'text': '[PERSON_1] called.'}" in printed
    assert "kind='staff_number'" in printed


def test_the_page_names_every_kind():
    page = (Path(__file__).parents[1] / "docs" / "privacy.md").read_text(encoding="utf-8")
    assert not [kind for kind in KINDS if f"`{kind}`" not in page]
