import functools
import json
import re
from collections import Counter

import pytest
from helpers import DATA
from hypothesis import given
from hypothesis import strategies as st

from qlorakit import read_rows, split
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.quotes import quotes_in, verify_quotes
from qlorakit.rows import check_rows
from qlorakit.task import Output
from qlorakit_legal.summary import BILLSUM, PLAIN_ENGLISH, SUMMARY, of_one_service, shown, source_text
from qlorakit_legal.summary_samples import BILLS, TERMS

TERMS_FOLDER, BILL_FOLDER = DATA / "legal_summarization", DATA / "billsum_sample"
BILL_FILE = BILL_FOLDER / "us_train_data_sample.jsonl"
terms = pytest.mark.skipif(not TERMS_FOLDER.is_dir(), reason=f"the summaries of contracts are not at {TERMS_FOLDER}")
bills = pytest.mark.skipif(not BILL_FILE.is_file(), reason=f"BillSum is not at {BILL_FILE}")
OF_SITE = {
    "uid": "tosdr900", "doc": "Privacy Policy", "urls": "{'zeta.example', 'alpha.example'}", "note": "", "case_code":
    "1,s", "case_text": "They don't sell it", "original_text": "we don t sell your data.", "reference_summary":
    "they don t sell it.",
}  # fmt: skip
OF_DOCUMENT = {
    "uid": "legalsum900", "doc": "Gizmo Terms", "id": "5a", "title": "", "original_text": "welcome to the gizmo.",
    "reference_summary": "hi.",
}  # fmt: skip


@pytest.fixture
def read(tmp_path):
    def write_and_read(entries, name="all_v1.json", **keywords):
        path = tmp_path / name
        path.write_text(entries if isinstance(entries, str) else json.dumps(entries, indent=4), encoding="utf-8")
        return read_rows(path, task=SUMMARY, **keywords).to_list()

    return write_and_read


def by_uid(*entries):
    return {entry["uid"]: entry for entry in entries}


def values(texts):
    outputs = [Output(text) for text in texts]
    references = [SUMMARY.reference(row) for row in SUMMARY.samples]
    return {metric.name: metric.compute(outputs, references, SUMMARY.samples) for metric in SUMMARY.metrics}


# The task


def test_the_samples_of_legal_summaries_are_valid_and_enough_for_a_split():
    check_rows(SUMMARY.samples, SUMMARY, labelled=True)
    assert SUMMARY.samples == (*TERMS, *BILLS)
    assert set(split(SUMMARY.samples, task=SUMMARY, seed=0)) == {"train", "validation", "test"}


def test_every_quote_of_the_sample_summaries_is_in_its_text():
    quotes = [quote for row in SUMMARY.samples for quote in verify_quotes(row["answer"], row["text"])]
    assert len(quotes) == 5
    assert not [quote for quote in quotes if quote.is_invented]


def test_quotes_of_a_summary_are_looked_up_in_its_text():
    right = [row["answer"] for row in SUMMARY.samples]
    assert values(right)["invented_quotes"] == values(right)["invented_quote_rate"] == 0
    others = [right[1], 'They "never delete" it.', *right[2:]]
    assert values(others)["invented_quotes"] == pytest.approx(1 / 13)
    assert values(others)["invented_quote_rate"] == pytest.approx(1 / 5)
    assert values([None] * 13)["invented_quote_rate"] == 1


def test_legal_summaries_are_measured_by_rouge_first():
    names = [metric.name for metric in SUMMARY.metrics]
    assert names == ["rougeL", "rouge1", "rouge2", "chrf2", "invented_quote_rate", "invented_quotes"]


def test_a_bill_is_shown_without_its_indents():
    row = {"text": "  SEC. 2.\n\n        The ``Fund'' \n    is\tclosed.\r\n \r\nSEC. 3.\n\n"}
    assert shown(row) == "SEC. 2.\nThe ``Fund'' is closed.\nSEC. 3."
    assert SUMMARY.format(row)[0].messages[1].text == shown(row)


def test_quotes_are_looked_up_in_what_does_not_fit_in_the_context_too():
    row = {"text": "Word. " * 5000 + "The ``Fund''  is closed."}
    metric = next(metric for metric in SUMMARY.metrics if metric.name == "invented_quotes")
    assert metric.compute([Output('It says "the "')], [("x",)], [row]) == 1
    assert metric.compute([Output('It says "The `Fund\' is closed"')], [("x",)], [row]) == 1
    assert metric.compute([Output("It says “The ‘‘Fund’’ is closed.”")], [("x",)], [row]) == 0  # noqa: RUF001


@given(st.text(st.sampled_from("ab \n\t\r\xa0."), min_size=1).filter(str.strip))
def test_what_is_shown_of_a_text_has_its_words_in_order(text):
    assert shown({"text": text}).split() == source_text({"text": text}).split()
    assert not re.search(r"\s\s", shown({"text": text}))


def test_texts_of_one_service_stay_together():
    assert of_one_service({"service": " A.example"}) == of_one_service({"service": "a.example "}) == "a.example"
    assert of_one_service({"service": " "}) is of_one_service({}) is None


# Terms of service


def test_terms_are_read_with_their_service(read):
    site, document = read(by_uid(OF_SITE, OF_DOCUMENT))
    assert site == {
        "text": "we don t sell your data.", "answer": "they don t sell it.", "service": "alpha.example",
        "doc": "Privacy Policy", "uid": "tosdr900",
    }  # fmt: skip
    assert (document["service"], document["uid"]) == ("Gizmo Terms", "legalsum900")


@pytest.mark.parametrize("urls", ["", ' ("offer you advertising. and/or")'])
def test_the_name_of_a_document_stands_in_where_urls_are_none(read, urls):
    (row,) = read(by_uid({**OF_SITE, "urls": urls}))
    assert row["service"] == "Privacy Policy"


def test_privacy_policies_of_two_services_are_not_tied(read):
    rows = read(by_uid(OF_SITE, {**OF_SITE, "uid": "tosdr901", "urls": "{'beta.example'}"}))
    assert len({of_one_service(row) for row in rows}) == 2


def test_jokes_and_repeated_texts_are_kept(read):
    rows = read(by_uid(OF_DOCUMENT, OF_SITE, {**OF_SITE, "uid": "tosdr901"}))
    assert [row["answer"] for row in rows] == ["hi.", "they don t sell it.", "they don t sell it."]


@pytest.mark.parametrize("name", ["title_text", "case_text", "tldr_text"])
def test_other_summaries_are_refused_as_the_text(read, name):
    with pytest.raises(ConfigurationError, match=f"{name}.*it is a summary of the text"):
        read([{name: "They don't sell it", "answer": "no sale."}], name="own.json", columns={"text": name})


def test_an_entry_without_a_text_is_named(read):
    bad = {name: value for name, value in OF_SITE.items() if name != "original_text"} | {"uid": "tosdr901"}
    with pytest.raises(DataError, match=r"entry 'tosdr901': there is no 'original_text'"):
        read(by_uid(OF_SITE, bad))


@pytest.mark.parametrize("nothing", ["", "  ", None])
def test_an_entry_without_a_summary_is_a_bad_row(read, nothing):
    with pytest.raises(DataError, match="'answer'"):
        read(by_uid({**OF_SITE, "reference_summary": nothing}))


def test_an_entry_that_occurs_twice_is_an_error(read):
    entry = json.dumps(OF_SITE)
    with pytest.raises(DataError, match="the name 'tosdr900' occurs twice"):
        read(f'{{"tosdr900": {entry},\n "tosdr900": {entry}}}')


def test_a_damaged_file_says_so(read):
    with pytest.raises(DataError, match=r"all_v1\.json cannot be read as JSON"):
        read(json.dumps(by_uid(OF_SITE), indent=4)[:-2])


def test_a_table_with_other_names_is_read_by_them(read):
    (row,) = read("original_text,reference_summary,company\nWe share it.,They share.,A\n", name="own.csv")
    assert row == {"text": "We share it.", "answer": "They share.", "service": "A"}


@functools.cache
def published(name="all_v1"):
    return read_rows(TERMS_FOLDER / f"{name}.json", task=SUMMARY).to_list()


def words(text):
    return " ".join(re.findall(r"\w+", text.casefold()))


@terms
def test_the_file_of_all_terms_is_the_other_two_together():
    parts = [*published("tldrlegal_v1"), *published("tosdr_annotated_v1")]
    assert [len(published(name)) for name in ("all_v1", "tosdr_annotated_v1", "tldrlegal_v1")] == [446, 361, 85]
    assert sorted(published(), key=str) == sorted(parts, key=str)


@terms
def test_published_terms_hold_the_published_counts():
    assert len({of_one_service(row) for row in published("tldrlegal_v1")}) == 9
    assert len({of_one_service(row) for row in published("tosdr_annotated_v1")}) == 111 + 1
    assert Counter(row["doc"] for row in published())["Privacy Policy"] == 111
    texts = Counter(words(row["text"]) for row in published())
    assert [count for count in texts.values() if count > 1] == [2]
    summaries = Counter(row["answer"] for row in published())
    assert sum(count for count in summaries.values() if count > 1) == 221
    assert max(summaries.values()) == 11
    assert summaries["hi."] == 1
    assert sum(words(row["answer"]) in words(row["text"]) for row in published()) == 4


@terms
def test_published_terms_have_no_marks_and_their_summaries_are_short():
    signs = {sign for row in published() for sign in row["text"] + row["answer"] if not sign.isalnum()}
    assert signs == {" ", ".", "_"}
    lengths = sorted(len(row["answer"].split()) for row in published())
    assert (lengths[len(lengths) // 2], lengths[-1]) == (13, 80)
    assert not [row for row in published() if quotes_in(row["answer"])]


@terms
def test_another_summary_of_tosdr_is_the_right_one():
    entries = json.loads((TERMS_FOLDER / "tosdr_annotated_v1.json").read_text(encoding="utf-8")).values()
    names = ("title_text", "case_text", "tldr_text")

    def same(one, other):
        return words(one).replace(" ", "") == words(other).replace(" ", "")

    assert all(any(same(entry.get(name, ""), entry["reference_summary"]) for name in names) for entry in entries)
    assert sum("q-" in "".join(entry.get(f"{name[:-5]}_code", "") for name in names) for entry in entries) == 20


@terms
def test_the_text_of_two_services_stays_on_one_side_of_a_split():
    sides = split(published(), task=SUMMARY, seed=0)
    places = {row["uid"]: side for side, rows in sides.items() for row in rows}
    assert len(places) == 446
    assert places["tosdr071"] == places["tosdr397"]


# Bills


@pytest.fixture
def bill():
    return {
        "bill_id": "199_hr1", "text": "SEC. 1.\n\n    The ``Fund'' \n    is closed.", "summary": "Closes the fund.",
        "title": "To close the Fund.", "text_len": 44, "sum_len": 16,
    }  # fmt: skip


def test_a_bill_is_read_with_its_summary_and_without_its_title(read, bill):
    (row,) = read(json.dumps(bill), name="bills.jsonl")
    assert (row["text"], row["answer"]) == (bill["text"], bill["summary"])
    assert "To close" not in SUMMARY.format(row)[0].messages[1].text


@functools.cache
def published_bills():
    return read_rows(BILL_FILE, task=SUMMARY).to_list()


@bills
def test_published_bills_hold_the_published_counts():
    lengths = sorted(len(row["answer"].split()) for row in published_bills())
    assert (len(lengths), lengths[50], lengths[-1]) == (100, 140, 708)
    assert [sum(length <= most for length in lengths) for most in (60, 100, 200)] == [11, 30, 66]
    assert sum("nbsp" in row["answer"] for row in published_bills()) == 3
    assert sum(bool(re.search(r"\. (Or|And) \(", row["answer"])) for row in published_bills()) == 48
    assert sum("70 12" in row["answer"] for row in published_bills()) == 2


@bills
def test_published_bills_quote_in_two_signs_and_their_summaries_not_at_all():
    assert all("``" in row["text"] and "''" in row["text"] for row in published_bills())
    assert not [row for row in published_bills() if quotes_in(row["answer"])]
    starts = 0
    for row in published_bills():
        act = re.search(r"cited as the\s+``(.*?)''", row["text"], re.DOTALL)
        starts += bool(act) and words(row["answer"]).startswith(words(act[1]))
    assert starts == 75


@bills
def test_quotes_of_published_bills_are_found_however_they_are_set():
    for row in published_bills():
        quote = " ".join(row["text"].split()[40:80]).replace("``", "“").replace("''", "”")
        assert not any(found.is_invented for found in verify_quotes(f"« {quote} »", row["text"]))


def test_the_data_sets_of_legal_summaries_come_with_their_licences():
    assert SUMMARY.datasets == (PLAIN_ENGLISH, BILLSUM)
    assert "Apache-2.0" in PLAIN_ENGLISH.licence
    assert BILLSUM.licence == "CC0"
