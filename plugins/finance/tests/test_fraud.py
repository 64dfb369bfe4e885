import json
import logging
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
from qlorakit_finance.credit import CREDIT, CREDIT_COSTS, PROTECTED
from qlorakit_finance.fraud import FRAUD, FRAUD_COSTS, _tell_left_out, risk_task
from qlorakit_finance.table_rows import cell_text, row_text

TASKS = pytest.mark.parametrize("task", [FRAUD, CREDIT], ids=lambda task: task.name)
CC_FRAUD_LINES = ["2,15,1,3000,23,1,2,0", "1,49,2,2614,12,0,18,1"]
GERMAN_LINE = "A12 30 A34 A40 5234 A61 A71 4 A94 A101 2 A123 28 A143 A152 2 A174 1 A191 A201 2"
PUBLISHED = [
    (FRAUD, "credit_ccfraud/ccfraud_train.csv", {"genuine": 6908, "fraud": 431}, 11),
    (FRAUD, "credit_ccfraud/ccfraud_test.csv", {"genuine": 1975, "fraud": 123}, 5),
    (CREDIT, "credit_german/german.data", {"good": 700, "bad": 300}, 2),
    (CREDIT, "credit_german/german_calm_train.csv", {"good": 494, "bad": 206}, 2),
    (CREDIT, "credit_german/german_calm_test.csv", {"good": 132, "bad": 68}, 1),
]


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="rows.csv", *, task=FRAUD, **keywords):
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return read_rows(path, task=task, **keywords).to_list()

    return write_and_read


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
    assert len({input_key(row, task) for row in task.samples}) == len(task.samples) == 40
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
    assert task.decision.default == {risky: pytest.approx(threshold)}
    assert costs[risky, harmless] > costs[harmless, risky]
    unsure = Output(harmless, {harmless: 0.8, risky: 0.2})
    assert task.decision.apply(unsure, task.decision.default).value == risky


# Rows as text


def test_a_row_is_read_cell_by_cell_without_its_label():
    row = {"amount": 3000, "merchant": "pawn shop", "new_device": True, "age": None, "label": "fraud"}
    assert shown(row) == "amount: 3,000\nmerchant: pawn shop\nnew device: yes\nage: unknown"


def test_a_row_with_a_text_is_read_as_it_stands():
    assert shown({"text": "A card paid twice within a minute.", "amount": 5}) == "A card paid twice within a minute."


def test_the_label_does_not_stand_in_the_text_under_another_name():
    assert shown({"amount": 5, "is_fraud": 1, "Class": "1", "label": "fraud"}) == "amount: 5"


def test_identifiers_and_sides_are_not_read():
    assert shown({"Transaction_ID": "T-1", "amount": 5, "split": "test", "Unnamed: 0": 7}) == "amount: 5"


def test_what_is_left_out_is_told_once(caplog):
    _tell_left_out.cache_clear()
    for _ in range(3):
        shown({"split": "test", "amount": 5, "label": "fraud"})
    (message,) = caplog.messages
    assert "finance/fraud: the model does not read 'split'" in message


def test_fields_choose_columns_and_their_order():
    task = risk_task("house/fraud", summary="", labels=FRAUD.labels, costs=FRAUD_COSTS, fields=("hour", "id"))
    assert shown({"id": 12, "amount": 5, "hour": 3}, task) == "hour: 3\nid: 12"


def test_a_missing_field_is_named():
    task = risk_task("house/fraud", summary="", labels=FRAUD.labels, costs=FRAUD_COSTS, fields=("hour",))
    with pytest.raises(DataError, match=r"no column 'hour'.*'hours'\?"):
        shown({"hours": 3}, task)


@pytest.mark.parametrize("row", [{"label": "fraud"}, {"amount": None, "country": " "}, {}])
def test_a_row_without_anything_to_read_is_refused(row):
    with pytest.raises(DataError, match="nothing to read"):
        shown(row)


@pytest.mark.parametrize(("value", "column", "text"), [
    (3000, "", "3,000"), ("3000", "", "3,000"), (3000.0, "", "3,000"), (-1234.5, "", "-1,234.5"), ("12.50", "", "12.5"),
    (True, "", "yes"), (False, "", "no"), (None, "", "unknown"), (float("nan"), "", "unknown"), ("  ", "", "unknown"),
    ("0042", "", "0042"), ("two\nlines", "", "two lines"), ("4532015112830366", "card", "4532015112830366"),
    (2019, "year_of_birth", "2019"), (41000, "income_per_year", "41,000"), (90210, "zipCode", "90210"), (0, "", "0"),
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
    assert {"sex", "marital_status", "foreign_worker"} == set(PROTECTED) & set(row)
    text = shown(row, CREDIT)
    assert not any(word in text for word in ("sex", "male", "married", "foreign"))
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


# The factory


def test_labels_must_be_two():
    with pytest.raises(PluginError, match="must be two"):
        risk_task("house/risk", summary="", labels=("a", "b", "c"), costs={})


def test_a_budget_and_costs_of_ones_own_are_measured():
    costs = {("fraud", "genuine"): 30.0, ("genuine", "fraud"): 10.0}
    task = risk_task("house/fraud", summary="", labels=FRAUD.labels, costs=costs, budget=0.01,
                     label=Column("verdict", label=True), synonyms={"x": "fraud"})  # fmt: skip
    assert "recall_at_1_percent" in [metric.name for metric in task.metrics]
    assert task.decision.default == {"fraud": pytest.approx(0.25)}
    assert task.reference({"verdict": "X"}) == "fraud"
    assert shown({"amount": 1, "verdict": "x"}, task) == "amount: 1"


def test_a_missing_cost_is_refused():
    with pytest.raises(ConfigurationError, match="costs"):
        risk_task("house/fraud", summary="", labels=FRAUD.labels, costs={("fraud", "genuine"): 1.0})
