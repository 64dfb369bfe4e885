"""``finance/fraud``: is a transaction or an account, given as a row of a table, fraud?

A row: ``{"amount": 912.5, "country": "Latvia", "minutes_since_last": 3, "label": "fraud"}``, with any columns, or one
with a ``text`` that says it in words.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from qlorakit.decision_metrics import cost_threshold, expected_cost, recall_at_budget
from qlorakit.errors import PluginError
from qlorakit.kinds import MAJORITY, TFIDF, Extras, single_label
from qlorakit.metrics import accuracy, macro_f1, mcc
from qlorakit.score_metrics import auprc, auroc, brier, ece, log_loss
from qlorakit.task import Baseline, Column, FileFormat, PublicDataset, Row, Task
from qlorakit_finance.risk_samples import FRAUD_SAMPLES
from qlorakit_finance.table_baseline import from_columns
from qlorakit_finance.table_reader import PROTECTED, TEXT, TableReader, folded
from qlorakit_finance.table_rows import CodedColumn, cell_text, read_coded_table

if TYPE_CHECKING:
    from pathlib import Path

GENUINE, FRAUDULENT = "genuine", "fraud"
FRAUD_COSTS = {(FRAUDULENT, GENUINE): 100.0, (GENUINE, FRAUDULENT): 5.0}
CC_FRAUD_COLUMNS = (
    CodedColumn("gender", {"1": "male", "2": "female"}),
    CodedColumn("state"),
    CodedColumn("cards"),
    CodedColumn("balance"),
    CodedColumn("transactions"),
    CodedColumn("international_transactions"),
    CodedColumn("credit_line"),
    CodedColumn("label", {"0": GENUINE, "1": FRAUDULENT}),
)
_CC_FRAUD_LINE = re.compile(r"[12](?:,\d+){6},[01]\s*")


def risk_task(
    name: str,
    *,
    summary: str,
    labels: tuple[str, str],
    costs: Mapping[tuple[str, str], float],
    instruction: str | None = None,
    budget: float = 0.05,
    fields: Sequence[str] | None = None,
    left_out: Sequence[str] = (),
    known_afterwards: Sequence[str] = (),
    label: Column | None = None,
    synonyms: Mapping[Any, str] | None = None,
    **extras: Unpack[Extras],
) -> Task[str]:
    """Declare a task that finds the few risky rows of a table.

    A row that has a ``text`` is read as it stands there, and nothing else of it.  Of any other row its cells are read,
    as lines of ``name: value`` in the order of its columns: all but its label, identifiers and personal data
    (:data:`table_reader.IDENTIFIERS`) and what is left out, of which the log tells once.  Case, spaces and signs in
    names do not matter for that.  The answer is the risky label where its probability makes that the cheaper answer
    (:func:`~qlorakit.decision_metrics.cost_threshold`).  With few risky rows, accuracy flatters whatever never raises
    an alarm: the area under the precision-recall curve selects the checkpoint.  The baselines are the commonest label,
    TF-IDF of the text, and logistic regression on the columns that are read (:mod:`table_baseline`).

    ::

        CLAIMS = risk_task(
            "house/claims",
            summary="Claims on a car insurance that are made up",
            labels=("honest", "made up"),
            costs={("made up", "honest"): 2000, ("honest", "made up"): 150},  # (right, answered): a miss, a false alarm
            label=Column("verdict", aliases=("outcome",), label=True),
            synonyms={0: "honest", 1: "made up"},
            fields=("amount", "days_insured", "witnesses"),
            budget=0.02,  # investigators can look at 2 % of the claims
        )

    Args:
        name: ``"domain/task"``.
        summary: One line for listings, to which the costs are added.
        labels: The harmless one and the risky one.
        costs: Of both wrong answers, by the right label and the answered one: a miss and a false alarm.
        instruction: The system message; one that names the labels unless given.
        budget: Share of the rows that can be looked at, for ``recall_at_5_percent`` and the like.
        fields: The columns to read, in this order, whatever is left out otherwise; every row must have them.
        left_out: Columns that are not to be read, such as :data:`table_reader.PROTECTED` attributes.  They stay in the
            rows, so that ``evaluate(slices=...)`` can look at their groups.
        known_afterwards: Columns that hold what is known only after the right answer, such as the date of a
            chargeback.  They are not read either.
        label: The column with the right answer, ``"label"`` unless told otherwise.  Its aliases are not read either.
        synonyms: Labels by other names or numbers, such as ``{1: "fraud"}``.
        **extras: See :class:`~qlorakit.kinds.Extras`.

    Raises:
        ConfigurationError: A cost is missing or out of range.
        PluginError: The labels are not two, or cannot be told apart; the budget is out of range; or columns or synonyms
            are unusable.
    """
    label = label if label is not None else Column("label", label=True)
    _check_declared(name, labels, budget, label)
    _check_columns(name, label, fields=fields, left_out=left_out, known_afterwards=known_afterwards)
    harmless, risky = labels
    reader = TableReader.of(name, label, fields, left_out, known_afterwards)
    metrics = (
        auprc(labels, positive=risky), recall_at_budget(labels, positive=risky, share=budget),
        expected_cost(labels, costs), macro_f1(labels), mcc(labels), auroc(labels, positive=risky), log_loss(labels),
        brier(labels), ece(), accuracy(),
    )  # fmt: skip
    own = {
        "metrics": metrics,
        "ignore_digits": False,
        "baselines": (MAJORITY, TFIDF, Baseline("columns", functools.partial(from_columns, reader.cells))),
    }
    miss, false_alarm = (cell_text(costs[pair]) for pair in ((risky, harmless), (harmless, risky)))
    task = single_label(
        name,
        summary=f"{summary} (a miss costs {miss}, a false alarm {false_alarm})".strip(),
        instruction=instruction or f"Judge the record. Answer with one of: {', '.join(labels)}.",
        labels=labels,
        text=(Column(TEXT, optional=True),),
        label=label,
        show=reader.show,
        synonyms=_written_synonyms(name, synonyms or {}),
        **{**own, **extras},  # type: ignore[arg-type]  # a merged TypedDict
    )
    return dataclasses.replace(task, decision=cost_threshold(labels, positive=risky, costs=costs))


def _check_declared(name: str, labels: Sequence[str], budget: float, label: object) -> None:
    if isinstance(labels, str) or len(labels) != 2:  # noqa: PLR2004
        msg = f"{name}: labels={labels!r}: must be two, the harmless one and the risky one"
        raise PluginError(msg)
    if isinstance(budget, bool) or not isinstance(budget, int | float) or not 0 < budget <= 1:
        msg = f"{name}: budget={budget!r}: must be a share of the rows, above 0 and at most 1, such as 0.05 for 5 %"
        raise PluginError(msg)
    if not isinstance(label, Column) or not label.label:
        msg = f'{name}: label={label!r}: must be a column with the right answer, such as Column("verdict", label=True)'
        raise PluginError(msg)


def _check_columns(name: str, label: Column, **given: Sequence[str] | None) -> None:
    for argument, columns in given.items():
        if isinstance(columns, str) or not all(isinstance(column, str) for column in columns or ()):
            msg = f"{name}: {argument}={columns!r}: must be a sequence of names of columns, such as ['amount']"
            raise PluginError(msg)
    fields = given["fields"]
    if fields is not None and not fields:
        msg = f"{name}: fields={fields!r}: name a column at least, or leave it out to read all"
        raise PluginError(msg)
    answers = set(map(folded, (label.name, *label.aliases)))
    told = [column for column in fields or () if folded(column) in answers]
    if told:
        msg = f"{name}: fields: {told[0]!r} is the label or another name of it, which would tell the answer; remove it"
        raise PluginError(msg)


def _written_synonyms(name: str, synonyms: Mapping[Any, str]) -> dict[str, str]:
    """With numbers as text."""
    for other, label in synonyms.items():
        if not isinstance(other, str | int) or not isinstance(label, str):
            msg = f"{name}: synonyms: {other!r} and {label!r}: must be a text or a whole number, and the label it means"
            raise PluginError(msg)
    return {str(other): label for other, label in synonyms.items()}


def _is_cc_fraud(path: Path, head: Sequence[str]) -> bool:
    lines = [line for line in head if line.strip()]
    header = any(re.search("[A-Za-z]", line) for line in lines[:1])
    return path.suffix.lower() == ".csv" and not header and any(map(_CC_FRAUD_LINE.fullmatch, lines))


def _read_cc_fraud(path: Path) -> Iterable[tuple[int, Row]]:
    return read_coded_table(path, CC_FRAUD_COLUMNS)


CC_FRAUD = PublicDataset(
    name="ccFraud, as sampled for CALM",
    identifier="colfeng/CALM",
    url="https://github.com/colfeng/CALM",
    licence="no explicit one for the origin, sample data of Revolution Analytics; CALM's repository is MIT",
    citation=(
        "Kamaruddin, Ravi (2016): Credit card fraud detection using big data analytics: use of PSOAANN based one-class "
        "classification. ICIA-16. Sampled by Feng et al. (2023): Empowering many, biasing a few: generalist credit "
        "scoring through large language models. arXiv:2310.00566"
    ),
    columns=("gender", "state", "cardholder", "balance", "numTrans", "numIntlTrans", "creditLine", "fraudRisk"),
    traps=(
        "no header; codes of gender (here 1 for male, 2 for female) and state are not explained by its readme",
        "5.9 % fraud: a constant answer has an accuracy of 0.94",
        "78 exact duplicates",
        "gender is a protected attribute, and not shown to the model",
    ),
)

FRAUD = risk_task(
    "finance/fraud",
    summary="Fraud among transactions or card accounts, from the cells of a table row or a text",
    instruction=(
        "Decide from the record of a transaction or a card account whether it is fraud. "
        "Answer with one of: genuine, fraud."
    ),
    labels=(GENUINE, FRAUDULENT),
    costs=FRAUD_COSTS,
    left_out=PROTECTED,
    known_afterwards=(
        "is_flagged_fraud", "flagged_fraud", "chargeback", "is_chargeback", "chargeback_date", "chargeback_amount",
        "chargeback_reason", "fraud_date", "fraud_type", "fraud_reason",
    ),
    label=Column(
        "label",
        aliases=(
            "is_fraud", "is-fraud", "is fraud", "isFraud", "fraud", "fraudRisk", "fraud_risk", "fraudulent",
            "fraud_label", "fraud_bool", "fraud_flag", "class", "target", "answer",
        ),
        label=True,
    ),
    synonyms={
        **dict.fromkeys(("0", "0.0", "false", "no", "n", "legit", "legitimate", "normal", "not fraud", "non-fraud"),
                        GENUINE),
        **dict.fromkeys(("1", "1.0", "true", "yes", "y", "fraudulent"), FRAUDULENT),
    },
    file_formats=(FileFormat("ccFraud .csv without a header", _is_cc_fraud, _read_cc_fraud),),
    samples=FRAUD_SAMPLES,
    datasets=(CC_FRAUD,),
)  # fmt: skip
