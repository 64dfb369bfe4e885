import inspect
import json
import logging
import re
import textwrap
from collections import Counter

import pytest
from helpers import DATA
from hypothesis import given
from hypothesis import strategies as st

from qlorakit import read_rows, split
from qlorakit.errors import ConfigurationError, DataError, PluginError
from qlorakit.measuring import Answered, Sheet
from qlorakit.rows import as_rows, check_rows, input_key, row_ids
from qlorakit.splits import survey
from qlorakit.statistics import Resampling
from qlorakit.task import Column, Output, Prediction
from qlorakit_finance.credit import CREDIT, CREDIT_COSTS
from qlorakit_finance.fraud import FRAUD, FRAUD_COSTS, risk_task
from qlorakit_finance.table_reader import PROTECTED
from qlorakit_finance.table_rows import cell_text, row_text

TASKS = pytest.mark.parametrize("task", [FRAUD, CREDIT], ids=lambda task: task.name)
CC_FRAUD_LINES = ["2,15,1,3000,23,1,2,0", "1,49,2,2614,12,0,18,1"]
GERMAN_LINE = "A12 30 A34 A40 5234 A61 A71 4 A94 A101 2 A123 28 A143 A152 2 A174 1 A191 A201 2"
PUBLISHED = [
    (FRAUD, "credit_ccfraud/ccfraud_train.csv", {"genuine": 6908, "fraud": 431}, 11),
    (FRAUD, "credit_ccfraud/ccfraud_test.csv", {"genuine": 1975, "fraud": 123}, 5),
    (CREDIT, "credit_german/german.data", {"good": 700, "bad": 300}, 3),
    (CREDIT, "credit_german/german_calm_train.csv", {"good": 494, "bad": 206}, 2),
    (CREDIT, "credit_german/german_calm_test.csv", {"good": 132, "bad": 68}, 3),
]


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="rows.csv", *, task=FRAUD, **keywords):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return read_rows(path, task=task, **keywords).to_list()

    return write_and_read


def declare(**keywords):
    settings = {"summary": "", "labels": FRAUD.labels, "costs": FRAUD_COSTS} | keywords
    return risk_task("house/fraud", **settings)


def shown(row, task=FRAUD):
    (example,) = task.format(row)
    return example.messages[1].text


def measured(task, rows, outputs):
    sheet = Sheet.of(task, rows, row_ids(rows), Resampling(resamples=100))
    report = sheet.report([Answered("constant", outputs)], notes=[], settings={})
    return {name: estimate.value for name, estimate in report.systems[0].metrics.items()}


# Both tasks


@TASKS
def test_the_samples_are_valid_and_distinct(task):
    check_rows(task.samples, task, labelled=True)
    assert len({input_key(row, task) for row in task.samples}) == len(task.samples) == 44
    assert Counter(survey(task.samples, task).bundles.tolist()).most_common(1)[0][1] == 1


@TASKS
def test_every_side_of_a_split_of_the_samples_has_both_labels(task):
    sides = split(task.samples, task=task, seed=0)
    assert {side: set(rows["label"]) for side, rows in sides.items()} == {side: set(task.labels) for side in sides}


@TASKS
def test_an_answer_comes_back_as_the_reference(task):
    for row in task.samples:
        examples = task.format(row)
        predictions = [Prediction(example.target) for example in examples]
        assert task.parse(row, examples, predictions).value == task.reference(row) == row["label"]


@TASKS
def test_the_instruction_names_both_labels(task):
    (example,) = task.format(task.samples[0])
    assert all(label in example.messages[0].text for label in task.labels)


@TASKS
def test_the_metric_for_rare_labels_selects_the_checkpoint(task):
    names = [metric.name for metric in task.metrics]
    assert names[:3] == [f"auprc_{task.labels[1]}", "recall_at_5_percent", "expected_cost"]


@TASKS
def test_data_sets_come_with_licence_and_traps(task):
    assert all(data.licence and data.traps and data.citation for data in task.datasets)


def test_never_raising_an_alarm_is_accurate_and_worthless():
    rows = [{"amount": number, "label": "fraud" if number % 17 == 0 else "genuine"} for number in range(1, 1701)]
    never = measured(FRAUD, rows, [Output("genuine", {"genuine": 0.99, "fraud": 0.01})] * len(rows))
    share = 100 / 1700
    assert never["accuracy"] == pytest.approx(1 - share)
    assert never["auprc_fraud"] == pytest.approx(share)
    assert never["recall_at_5_percent"] == pytest.approx(0.05)
    assert never["expected_cost"] == pytest.approx(share * 100)
    assert never["mcc"] == 0.0


@pytest.mark.parametrize(("task", "costs", "threshold"), [(FRAUD, FRAUD_COSTS, 5 / 105), (CREDIT, CREDIT_COSTS, 1 / 6)])
def test_the_stated_costs_decide(task, costs, threshold):
    harmless, risky = task.labels
    assert task.decision.default[risky] == pytest.approx(threshold)
    assert costs[risky, harmless] > costs[harmless, risky]
    unsure = Output(harmless, {harmless: 0.8, risky: 0.2})
    assert task.decision.apply(unsure, task.decision.default).value == risky


# Rows as text


def test_a_row_is_read_cell_by_cell_without_its_label():
    row = {"amount": 3000, "merchant": "pawn shop", "new_device": True, "tip": None, "label": "fraud"}
    assert shown(row) == "amount: 3,000\nmerchant: pawn shop\nnew device: yes\ntip: unknown"


def test_a_row_with_a_text_is_read_as_it_stands():
    assert shown({"text": "A card paid twice within a minute.", "amount": 5}) == "A card paid twice within a minute."


def test_the_label_does_not_stand_in_the_text_under_another_name():
    assert shown({"amount": 5, "is_fraud": 1, "Class": "1", "label": "fraud"}) == "amount: 5"


def test_identifiers_and_sides_are_not_read():
    assert shown({"Transaction_ID": "T-1", "amount": 5, "split": "test", "Unnamed: 0": 7}) == "amount: 5"


@pytest.mark.parametrize("name", [
    "Transaction Number", "TX-ID", "trans_num", "cc_num", "CardNumber", "Account number", "IBAN", "nameOrig",
    "name_dest", "Customer Name", "applicant_name", "client-name", "First Name", "LastName", "full_name", "Name",
    "E-Mail", "phone", "Address", "IP address", "SSN", "Passport", "customerId", "Unnamed: 0", "", " ", "#",
    "is-fraud", "Is Fraud", "fraud_bool", "isFlaggedFraud", "Chargeback", "chargeback_date", "Label",
    "Age", "customer_age", "Date of birth", "birthDate", "Personal_Status", "personal_status_sex", "status_and_sex",
    "Marital-Status", "applicant gender", "sex",
])  # fmt: skip
def test_protected_attributes_identifiers_and_labels_are_not_read_by_any_spelling(name):
    assert shown({name: "Ada", "amount": 5, "label": "fraud"}) == "amount: 5"


@pytest.mark.parametrize("name", ["default", "Charged-Off", "recoveries", "Loan Status", "default payment next month"])
def test_other_names_of_the_label_of_a_credit_are_not_read(name):
    assert shown({name: "1", "amount": 5, "label": "good"}, CREDIT) == "amount: 5"


@pytest.mark.parametrize("name", ["account_age_months", "package", "merchant name", "number_of_cards", "\u20ac"])
def test_what_only_looks_like_an_identifier_is_read(name):
    assert shown({name: "7", "amount": 5}).startswith(f"{name.replace('_', ' ')}: 7")


def test_what_is_not_read_is_told_once_with_its_reason(caplog):
    task = declare(left_out=[*PROTECTED, "branch"], known_afterwards=["paid_back"])
    for _ in range(3):
        shown({"split": "test", "": 7, "amount": 5, "age": 4, "Branch": 2, "paid-back": 1, "label": "fraud"}, task)
    (message,) = caplog.messages
    assert message.startswith(
        "house/fraud: the model does not read 'split', the column without a name (identifiers or personal data); "
        "'age' (protected attributes); 'Branch' (left out by the task); "
        "'paid-back' (other names of the label, or known only after it); "
    )


def test_cells_beside_a_text_are_told_once(caplog):
    task = declare()
    for _ in range(2):
        shown({"text": "Paid twice within a minute.", "amount": 5, "hour": None, "id": 3, "label": "fraud"}, task)
    assert caplog.messages == ["house/fraud: of a row with a text that alone is read, and not 'amount'"]


def test_decimal_commas_stay_texts_and_are_told_once(caplog):
    task = declare()
    assert shown({"amount": "708,53", "limit": "1.200,00", "count": "1,234"}, task).startswith("amount: 708,53\n")
    shown({"amount": "3,5", "note": "a, b"}, task)
    (message,) = caplog.messages
    assert "cells of 'amount', 'limit' look like numbers with decimal commas" in message


def test_fields_choose_columns_and_their_order():
    task = declare(fields=("hour", "id"))
    assert shown({"id": 12, "amount": 5, "hour": 3}, task) == "hour: 3\nid: 12"


def test_a_missing_field_is_named():
    task = declare(fields=("hour",))
    with pytest.raises(DataError, match=r"no column 'hour'.*'hours'\?"):
        shown({"hours": 3}, task)


@pytest.mark.parametrize("row", [{"label": "fraud"}, {"amount": None, "country": " "}, {}])
def test_a_row_without_anything_to_read_is_refused(row):
    with pytest.raises(DataError, match="nothing to read"):
        shown(row)


@pytest.mark.parametrize(("row", "message"), [
    ({"label": "fraud"}, r"no 'text', and of its columns \('label'\) none is to be read"),
    ({}, r"of its columns \(none\) none is to be read"),
    ({"a": None, "b": ""}, "'a', 'b' are empty"), ({"a": None}, "'a' is empty"),
])  # fmt: skip
def test_it_is_said_why_there_is_nothing_to_read(row, message):
    with pytest.raises(DataError, match=message):
        shown(row)


@pytest.mark.parametrize(("value", "column", "text"), [
    (3000, "", "3,000"), ("3000", "", "3,000"), (3000.0, "", "3,000"), (-1234.5, "", "-1,234.5"), ("12.50", "", "12.5"),
    (True, "", "yes"), (False, "", "no"), (None, "", "unknown"), (float("nan"), "", "unknown"), ("  ", "", "unknown"),
    ("0042", "", "0042"), ("two\nlines", "", "two lines"), ("4532015112830366", "card", "4532015112830366"),
    (2019, "year_of_birth", "2019"), (41000, "income_per_year", "41,000"), (90210, "zipCode", "90210"), (0, "", "0"),
    (0.30000000000000004, "", "0.3"), ("0.30000000000000004", "", "0.3"), (0.1 + 0.7, "", "0.8"),
    (123456789.12, "", "123,456,789.12"), (99999999999.99, "", "99,999,999,999.99"), (0.00001, "", "0.00001"),
    ("1e-05", "", "0.00001"), ("12e4", "", "12e4"), (1e-300, "", "1e-300"), (4532015112830366, "", "4532015112830366"),
    (1e15, "", "1000000000000000"), (float("inf"), "", "inf"), (90210, "zipcode", "90210"), (90210.0, "zip", "90210"),
    (1234, "postal", "1234"), ("12.10", "code", "12.10"), (2019.0, "year", "2019"), (10**400, "", "1" + "0" * 400),
])  # fmt: skip
def test_cells_are_written_plainly(value, column, text):
    assert cell_text(value, column) == text


@given(
    st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()), min_size=1)
)
def test_any_cell_is_one_line_of_the_text_or_nothing_is_there(row):
    try:
        text = row_text(row, row)
    except DataError:
        assert all(cell_text(value) == "unknown" for value in row.values())
    else:
        assert text.count("\n") == len(row) - 1


def test_a_number_is_read_alike_from_a_table_and_from_text():
    assert shown({"amount": 1250.0}) == shown({"amount": "1250"}) == shown({"amount": 1250})


# Any file with a header


@pytest.mark.parametrize(("header", "values"), [
    ("is_fraud", "01"), ("isFraud", ("false", "true")), ("fraudRisk", ("no", "yes")), ("Class", ("0.0", "1.0")),
    ("label", ("genuine", "fraud")), ("fraud_label", ("legit", "Fraudulent")),
])  # fmt: skip
def test_any_csv_with_a_label_column_is_read(read, header, values):
    rows = read(f"amount,country,{header}\n12.5,Spain,{values[0]}\n900,Malta,{values[1]}\n")
    assert [FRAUD.reference(row) for row in rows] == ["genuine", "fraud"]
    assert [shown(row) for row in rows] == ["amount: 12.5\ncountry: Spain", "amount: 900\ncountry: Malta"]


def test_json_lines_with_true_and_false_are_read(read):
    lines = [json.dumps({"amount": 5, "is_fraud": fraud}) for fraud in (True, False)]
    assert [FRAUD.reference(row) for row in read("\n".join(lines), "rows.jsonl")] == ["fraud", "genuine"]


def test_a_csv_with_texts_is_read(read):
    (row,) = read("text,label\nCard used in two countries.,1\n")
    assert shown(row) == "Card used in two countries."


def test_rows_for_prediction_need_no_label(read):
    assert read("amount,country\n5,Spain\n", labelled=False) == [{"amount": "5", "country": "Spain"}]


def test_a_file_without_labels_is_refused(read):
    with pytest.raises(DataError, match="no column for 'label'"):
        read("amount,country\n5,Spain\n")


def test_numbers_do_not_say_which_credit_is_good(read):
    # Tables of defaults have 1 for bad, the German one has 1 for good: it must be said.
    content = "amount,class\n500,1\n900,2\n"
    with pytest.raises(DataError, match=r"unknown label '1'.*label_names"):
        read(content, task=CREDIT)
    rows = read(content, task=CREDIT, label_names={"1": "good", "2": "bad"})
    assert [row["label"] for row in rows] == ["good", "bad"]


# The published files


def test_cc_fraud_is_read_without_a_header(read):
    assert read("\n".join(CC_FRAUD_LINES)) == [
        {"gender": "female", "state": 15, "cards": 1, "balance": 3000, "transactions": 23,
         "international_transactions": 1, "credit_line": 2, "label": "genuine"},
        {"gender": "male", "state": 49, "cards": 2, "balance": 2614, "transactions": 12,
         "international_transactions": 0, "credit_line": 18, "label": "fraud"},
    ]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), [
    ("3,15,1,3000,23,1,2,0", "column 'gender': unknown code '3'; known are 1, 2"),
    ("2,15,1,3000,23,1,0", "7 cells where 8 are expected"),
    ("2,15,1,much,23,1,2,0", "column 'balance' holds 'much' where a whole number is needed"),
    ("2,15,1,3000,23,1,2,2", "column 'label': unknown code '2'"),
])  # fmt: skip
def test_a_bad_line_of_cc_fraud_is_named(read, line, message):
    with pytest.raises(DataError, match=rf"rows\.csv, line 3: {message}"):
        read(f"{CC_FRAUD_LINES[0]}\n\n{line}\n{CC_FRAUD_LINES[1]}\n")


def test_a_csv_with_a_header_is_not_taken_for_cc_fraud(read):
    (row,) = read("a,b,c,d,e,f,g,label\n2,15,1,3000,23,1,2,0\n")
    assert row["a"] == "2"


@pytest.mark.parametrize(("separator", "name"), [(" ", "german.data"), (",", "german_train.csv"), ("  ", "g.txt")])
def test_german_credit_is_read_with_its_codes_in_words(read, separator, name):
    (row,) = read(GERMAN_LINE.replace(" ", separator), name, task=CREDIT)
    assert row["label"] == "bad"
    assert (row["sex"], row["marital_status"], row["foreign_worker"]) == ("male", "married or widowed", "yes")
    assert row | {"checking_account": "below 200 DM", "purpose": "new car", "months": 30, "telephone": "no"} == row


def test_protected_attributes_stay_in_the_row_and_out_of_the_text(read):
    (row,) = read(GERMAN_LINE, "german.data", task=CREDIT)
    assert {"sex", "marital_status", "foreign_worker", "age"} == set(PROTECTED) & set(row)
    text = shown(row, CREDIT)
    assert not any(word in text for word in ("sex", "male", "married", "foreign", "age:", "28"))
    assert text.splitlines()[:3] == ["checking account: below 200 DM", "months: 30",
                                     "credit history: critical, or loans elsewhere"]  # fmt: skip


def test_naming_a_protected_attribute_brings_it_in(read):
    (row,) = read(GERMAN_LINE, "german.data", task=CREDIT)
    task = risk_task("house/credit", summary="", labels=CREDIT.labels, costs=CREDIT_COSTS, left_out=PROTECTED,
                     fields=("months", "sex"))  # fmt: skip
    assert shown(row, task) == "months: 30\nsex: male"


@pytest.mark.parametrize(("old", "new", "message"), [
    ("A34", "A39", "column 'credit_history': unknown code 'A39'"), ("A94", "A99", "column 'status_and_sex'"),
    (" A201 2", " 2", "20 cells where 21 are expected"), ("5234", "52.3", "column 'amount_in_DM' holds '52.3'"),
])  # fmt: skip
def test_a_bad_line_of_german_credit_is_named(read, old, new, message):
    with pytest.raises(DataError, match=rf"german\.data, line 2: {message}"):
        read(f"{GERMAN_LINE}\n{GERMAN_LINE.replace(old, new)}\n", "german.data", task=CREDIT)


def test_groups_of_a_protected_attribute_can_be_looked_at():
    rows = [{"amount": number, "sex": ("male", "female")[number % 2], "label": "bad" if number % 3 else "good"}
            for number in range(80)]  # fmt: skip
    outputs = [Output("bad", {"good": 0.1, "bad": 0.9})] * 80
    sheet = Sheet.of(CREDIT, rows, row_ids(rows), Resampling(resamples=100))
    report = sheet.report([Answered("constant", outputs)], notes=[], settings={}, slices=["sex"])
    (slices,) = [found for found in report.slices if found.column == "sex"]
    assert {part.value for part in slices.slices} == {"male", "female"}


@pytest.mark.parametrize(("task", "name", "counts", "largest"), PUBLISHED)
def test_the_published_files_hold_the_published_counts_and_few_near_duplicates(task, name, counts, largest):
    if not (DATA / name).is_file():
        pytest.skip(f"{name} is not at {DATA}")
    rows = read_rows(DATA / name, task=task)
    assert Counter(rows["label"]) == counts
    tied = Counter(survey(as_rows(rows), task).bundles.tolist())
    assert tied.most_common(1)[0][1] <= largest


@pytest.mark.skipif(not (DATA / "credit_ccfraud").is_dir(), reason=f"ccFraud is not at {DATA}")
def test_repeats_of_cc_fraud_are_left_out_of_a_split(caplog):
    rows = read_rows(DATA / "credit_ccfraud" / "ccfraud_train.csv", task=FRAUD)
    with caplog.at_level(logging.WARNING):
        sides = split(rows, task=FRAUD, seed=0)
    assert sum(map(len, sides.values())) == 7339 - 151  # 78 copies, and what differs in the gender alone
    assert "left out 151 repeated rows" in caplog.text


# The baseline on columns


def columns_baseline(task):
    (found,) = [baseline for baseline in task.baselines if baseline.name == "columns"]
    return found.answer


def table(n=60):
    # One-digit numbers as text, of which the words say nothing; every tenth cell is blank where the row is fraud.
    return [{"hour": "" if number % 20 == 19 else str(number % 10), "channel": ("chip", "web")[number % 2],
             "id": number, "label": "fraud" if number % 10 > 6 else "genuine"} for number in range(n)]  # fmt: skip


def test_the_baselines_are_told_apart_by_name():
    assert [baseline.name for baseline in FRAUD.baselines] == ["majority", "tfidf", "columns"]


def test_logistic_regression_reads_numbers_that_are_texts():
    rows = table()
    outputs = columns_baseline(FRAUD)(FRAUD, rows, rows)
    assert [output.value for output in outputs] == [row["label"] for row in rows]
    assert all(sum(output.scores.values()) == pytest.approx(1) for output in outputs)
    assert all(list(output.scores) == ["fraud", "genuine"] for output in outputs)


def test_numbers_and_texts_of_numbers_are_answered_alike():
    rows = [row for row in table() if row["hour"]]
    numbers = [row | {"hour": float(row["hour"])} for row in rows]
    answer = columns_baseline(FRAUD)
    assert answer(FRAUD, numbers, rows) == answer(FRAUD, rows, numbers) == answer(FRAUD, rows, rows)


def test_blanks_are_a_category():
    rows = [{"hour": "5" if number % 2 else "", "label": "fraud" if number % 2 else "genuine"} for number in range(40)]
    outputs = columns_baseline(FRAUD)(FRAUD, rows, [{"hour": None}, {"hour": 5}])
    assert [output.value for output in outputs] == ["genuine", "fraud"]


def test_the_baseline_reads_what_the_model_reads():
    rows = [{"amount": number % 3, "is_flagged_fraud": number % 2, "sex": "fm"[number % 2], "id": number % 2,
             "label": FRAUD.labels[number % 2]} for number in range(60)]  # fmt: skip
    blind = columns_baseline(FRAUD)(FRAUD, rows, rows)
    assert all(output.scores["fraud"] == pytest.approx(0.5, abs=0.05) for output in blind)
    task = declare(fields=["sex"])
    seeing = columns_baseline(task)(task, rows, rows)
    assert [output.value for output in seeing] == [row["label"] for row in rows]


def test_texts_are_answered_by_their_words():
    texts = [{"text": ("lunch at noon", "gift cards at night")[number % 2], "label": FRAUD.labels[number % 2]}
             for number in range(20)]  # fmt: skip
    answer = columns_baseline(FRAUD)
    assert answer(FRAUD, texts, texts[:2]) == FRAUD.baselines[1].answer(FRAUD, texts, texts[:2])
    mixed = answer(FRAUD, [*texts, *table()], [texts[1], table()[0], table()[9], texts[0]])
    assert [output.value for output in mixed] == ["fraud", "genuine", "fraud", "genuine"]


@pytest.mark.parametrize("cell", [None, float("inf"), float("nan"), 10**400, [1], {"a": 1}, "x=1", 0, True, "1e999"])
def test_the_baseline_bears_any_cell(cell):
    rows = [*table(20), *[row | {"hour": cell} for row in table(20)]]
    outputs = columns_baseline(FRAUD)(FRAUD, rows, rows)
    assert all(0 <= score <= 1 for output in outputs for score in output.scores.values())


def test_rows_of_one_label_are_answered_by_the_majority():
    rows = [{"amount": 5, "label": "genuine"}] * 3
    assert columns_baseline(FRAUD)(FRAUD, rows, rows) == [Output("genuine")] * 3


@pytest.mark.skipif(not (DATA / "credit_ccfraud").is_dir(), reason=f"ccFraud is not at {DATA}")
def test_columns_beat_words_on_cc_fraud():
    train, rows = (
        list(read_rows(DATA / "credit_ccfraud" / f"ccfraud_{side}.csv", task=FRAUD)) for side in ("train", "test")
    )
    found = {
        baseline.name: measured(FRAUD, rows, baseline.answer(FRAUD, train[:3000], rows))["auprc_fraud"]
        for baseline in FRAUD.baselines[1:]
    }
    assert found["columns"] > found["tfidf"] + 0.2


# The factory


@pytest.mark.parametrize(("wrong", "message"), [
    ({"fields": ["amount", "label"]}, "fields: 'label' is the label"),
    ({"fields": ["Is-Fraud"], "label": Column("label", aliases=("is_fraud",), label=True)}, "fields: 'Is-Fraud' is"),
    ({"fields": "amount"}, "fields='amount': must be a sequence"), ({"fields": []}, "name a column at least"),
    ({"left_out": "sex"}, "left_out='sex': must be"), ({"fields": [3]}, "fields=.*must be"),
    ({"label": "verdict"}, r'label=\'verdict\'.*Column\("verdict", label=True\)'),
    ({"label": Column("verdict")}, "label="),
    ({"synonyms": {1.5: "fraud"}}, "synonyms: 1.5"), ({"synonyms": {"x": 1}}, "synonyms: 'x'"),
    ({"budget": 5}, "budget=5: must be a share"), ({"budget": 0}, "budget=0"), ({"budget": True}, "budget=True"),
    ({"budget": "5 %"}, "budget='5 %'"), ({"labels": "ab"}, "must be two"),
])  # fmt: skip
def test_a_declaration_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(PluginError, match=message):
        declare(**wrong)


def test_synonyms_may_be_numbers():
    task = declare(synonyms={0: "genuine", 1: "fraud"})
    assert [task.reference({"label": label}) for label in (1, "1", 0, "0")] == ["fraud", "fraud", "genuine", "genuine"]


def test_an_identifier_that_is_named_is_read():
    assert shown({"account_id": "A-7", "amount": 5}, declare(fields=["account_id"])) == "account id: A-7"


@TASKS
def test_the_summary_tells_what_mistakes_cost(task):
    miss, false_alarm = (100, 5) if task is FRAUD else (5, 1)
    assert task.summary.endswith(f" (a miss costs {miss}, a false alarm {false_alarm})")


def test_the_example_in_the_docstring_runs():
    example = re.search(r"::\n\n(.*?)\n\nArgs:", inspect.getdoc(risk_task), flags=re.DOTALL)[1]
    names = {"risk_task": risk_task, "Column": Column}
    exec(textwrap.dedent(example), names)  # noqa: S102  # our own
    row = {"amount": 1250.5, "days_insured": 3, "witnesses": 0, "verdict": 1}
    assert names["CLAIMS"].reference(row) == "made up"
    assert shown(row, names["CLAIMS"]) == "amount: 1,250.5\ndays insured: 3\nwitnesses: 0"


def test_labels_must_be_two():
    with pytest.raises(PluginError, match="must be two"):
        risk_task("house/risk", summary="", labels=("a", "b", "c"), costs={})


def test_a_budget_and_costs_of_ones_own_are_measured():
    costs = {("fraud", "genuine"): 30.0, ("genuine", "fraud"): 10.0}
    task = risk_task("house/fraud", summary="", labels=FRAUD.labels, costs=costs, budget=0.01,
                     label=Column("verdict", label=True), synonyms={"x": "fraud"})  # fmt: skip
    assert "recall_at_1_percent" in [metric.name for metric in task.metrics]
    assert task.decision.default["fraud"] == pytest.approx(0.25)
    assert task.reference({"verdict": "X"}) == "fraud"
    assert shown({"amount": 1, "verdict": "x"}, task) == "amount: 1"


def test_a_missing_cost_is_refused():
    with pytest.raises(ConfigurationError, match="costs"):
        risk_task("house/fraud", summary="", labels=FRAUD.labels, costs={("fraud", "genuine"): 1.0})
