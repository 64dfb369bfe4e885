"""``finance/credit_risk``: is the applicant for a loan, given as a row of a table, a good or a bad risk?

A row: ``{"purpose": "used car", "months": 24, "amount": 4200, "housing": "rents", "label": "good"}``, with any columns,
or one with a ``text`` that says it in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from qlorakit.task import Column, FileFormat, PublicDataset, Row
from qlorakit_finance.fraud import risk_task
from qlorakit_finance.risk_samples import CREDIT_SAMPLES
from qlorakit_finance.table_reader import PROTECTED
from qlorakit_finance.table_rows import CodedColumn, read_coded_table

if TYPE_CHECKING:
    from pathlib import Path

GOOD, BAD = "good", "bad"
# A bad customer called good costs five times a good one called bad: the data set's own matrix.
CREDIT_COSTS = {(BAD, GOOD): 5.0, (GOOD, BAD): 1.0}
STATUS = "status_and_sex"
SEX_AND_STATUS = {
    "A91": ("male", "divorced or separated"),
    "A92": ("female", "divorced, separated or married"),
    "A93": ("male", "single"),
    "A94": ("male", "married or widowed"),
    "A95": ("female", "single"),
}
GERMAN_COLUMNS = (
    CodedColumn("checking_account", {
        "A11": "overdrawn", "A12": "below 200 DM", "A13": "200 DM or more, or a year of wages", "A14": "none",
    }),
    CodedColumn("months"),
    CodedColumn("credit_history", {
        "A30": "no loans, or all repaid", "A31": "all loans here repaid", "A32": "present loans repaid on time so far",
        "A33": "late payments", "A34": "critical, or loans elsewhere",
    }),
    CodedColumn("purpose", {
        "A40": "new car", "A41": "used car", "A42": "furniture", "A43": "radio or television", "A44": "appliances",
        "A45": "repairs", "A46": "education", "A47": "holiday", "A48": "retraining", "A49": "business", "A410": "other",
    }),
    CodedColumn("amount_in_DM"),
    CodedColumn("savings", {
        "A61": "below 100 DM", "A62": "100 to 499 DM", "A63": "500 to 999 DM", "A64": "1,000 DM or more",
        "A65": "none or unknown",
    }),
    CodedColumn("employed_for", {
        "A71": "not employed", "A72": "less than 1 year", "A73": "1 to 3 years", "A74": "4 to 6 years",
        "A75": "7 years or more",
    }),
    CodedColumn("instalment_percent_of_income"),
    CodedColumn(STATUS, dict(zip(SEX_AND_STATUS, SEX_AND_STATUS, strict=True))),
    CodedColumn("other_debtors", {"A101": "none", "A102": "co-applicant", "A103": "guarantor"}),
    CodedColumn("residence_since"),
    CodedColumn("property", {
        "A121": "real estate", "A122": "building savings or life insurance", "A123": "car or other",
        "A124": "none or unknown",
    }),
    CodedColumn("age"),
    CodedColumn("other_instalment_plans", {"A141": "at a bank", "A142": "at shops", "A143": "none"}),
    CodedColumn("housing", {"A151": "rented", "A152": "owned", "A153": "free of charge"}),
    CodedColumn("loans_at_this_bank"),
    CodedColumn("job", {
        "A171": "none, or unskilled and not resident", "A172": "unskilled", "A173": "skilled or official",
        "A174": "manager, self-employed or highly qualified",
    }),
    CodedColumn("dependants"),
    CodedColumn("telephone", {"A191": "no", "A192": "yes"}),
    CodedColumn("foreign_worker", {"A201": "yes", "A202": "no"}),
    CodedColumn("label", {"1": GOOD, "2": BAD}),
)  # fmt: skip
_GERMAN_LINE = re.compile(r"A1[1-4][ ,]+\d+[ ,]+A3\d[ ,]")


def _is_german(path: Path, head: Sequence[str]) -> bool:
    del path
    return any(_GERMAN_LINE.match(line) for line in head)


def _read_german(path: Path) -> Iterable[tuple[int, Row]]:
    """The column of marital status and sex is divided in two."""
    for number, row in read_coded_table(path, GERMAN_COLUMNS):
        sex, marital_status = SEX_AND_STATUS[row.pop(STATUS)]
        yield number, {**row, "sex": sex, "marital_status": marital_status}


GERMAN_CREDIT = PublicDataset(
    name="Statlog (German Credit Data)",
    identifier="UCI 144",
    url="https://archive.ics.uci.edu/dataset/144/statlog+german+credit+data",
    licence="CC BY 4.0",
    citation="Hofmann (1994): Statlog (German Credit Data). UCI Machine Learning Repository. doi:10.24432/C5NC77",
    columns=(*(column.name for column in GERMAN_COLUMNS[:-1]), "class"),
    traps=(
        "no header; codes such as A34; class 1 is good and 2 is bad",
        "cells are parted by spaces, in copies by commas",
        "sex, marital status, age and foreign worker are protected attributes: kept in the row, not shown to the model",
        "published with costs of mistakes: 5 for a bad customer called good, 1 for a good one called bad",
        "30 % bad, far more than among applicants: drawn so, and probabilities hold for such rows alone",
        "meanings of some codes as published are wrong, those of sex and foreign worker among them (Groemping, 2019)",
    ),
)

CREDIT = risk_task(
    "finance/credit_risk",
    summary="Credit risk of an application for a loan, good or bad, from the cells of a table row or a text",
    instruction=(
        "Decide from the application for a loan whether the applicant is a good or a bad credit risk. "
        "Answer with one of: good, bad."
    ),
    labels=(GOOD, BAD),
    costs=CREDIT_COSTS,
    left_out=PROTECTED,
    known_afterwards=(
        "charged_off", "charge_off", "charge_off_date", "charge_off_amount", "recoveries", "collection_recovery_fee",
        "default_date", "date_of_default", "loss_given_default", "out_prncp", "total_pymnt", "total_rec_prncp",
        "total_rec_late_fee", "last_pymnt_d", "last_pymnt_amnt",
    ),
    label=Column(
        "label",
        aliases=(
            "class", "credit_risk", "creditworthiness", "risk", "loan_status", "default", "defaulted", "is_default",
            "default payment next month", "target", "answer",
        ),
        label=True,
    ),
    synonyms={
        **dict.fromkeys(("fully paid", "paid", "repaid", "paid back", "no default"), GOOD),
        **dict.fromkeys(("charged off", "default", "defaulted", "not repaid", "unpaid"), BAD),
    },
    file_formats=(
        FileFormat("German credit (german.data, or with commas, without a header)", _is_german, _read_german),
    ),
    samples=CREDIT_SAMPLES,
    datasets=(GERMAN_CREDIT,),
)  # fmt: skip
