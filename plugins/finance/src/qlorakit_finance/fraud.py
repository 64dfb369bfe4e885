"""``finance/fraud``: is a transaction or an account, given as a row of a table, fraud?

A row: ``{"amount": 912.5, "country": "Latvia", "minutes_since_last": 3, "label": "fraud"}``, with any columns, or one
with a ``text`` that says it in words.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Unpack

from qlorakit.cells import is_blank, required_text
from qlorakit.decision_metrics import cost_threshold, expected_cost, recall_at_budget
from qlorakit.errors import PluginError
from qlorakit.kinds import Extras, single_label
from qlorakit.metrics import accuracy, macro_f1, mcc
from qlorakit.score_metrics import auprc, auroc, brier, ece, log_loss
from qlorakit.task import Column, FileFormat, PublicDataset, Row, Task
from qlorakit_finance.risk_samples import FRAUD_SAMPLES
from qlorakit_finance.table_rows import CodedColumn, read_coded_table, row_text, shown_columns

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

GENUINE, FRAUDULENT = "genuine", "fraud"
FRAUD_COSTS = {(FRAUDULENT, GENUINE): 100.0, (GENUINE, FRAUDULENT): 5.0}
# Attributes by which it is forbidden to decide on a person's credit, in many countries.
PROTECTED = (
    "sex", "gender", "marital_status", "foreign_worker", "nationality", "race", "ethnicity", "religion", "disability",
)  # fmt: skip
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
    label: Column | None = None,
    synonyms: Mapping[str, str] | None = None,
    **extras: Unpack[Extras],
) -> Task[str]:
    """Declare a task that finds the few risky rows of a table.

    A row that has a ``text`` is read as it stands there.  Of any other row its cells are read, as lines of ``name:
    value`` in the order of its columns: all but its label, identifiers (:data:`table_rows.IDENTIFIERS`) and what is
    left out, of which the log tells once.  The answer is the risky label where its probability makes that the cheaper
    answer (:func:`~qlorakit.decision_metrics.cost_threshold`).  With few risky rows, accuracy flatters whatever never
    raises an alarm: the area under the precision-recall curve selects the checkpoint.

    Args:
        name: ``"domain/task"``.
        summary: One line for listings.
        labels: The harmless one and the risky one.
        costs: Of both wrong answers, by the right label and the answered one: a miss and a false alarm.
        instruction: The system message; one that names the labels unless given.
        budget: Share of the rows that can be looked at, for ``recall_at_5_percent`` and the like.
        fields: The columns to read, in this order, whatever is left out otherwise; every row must have them.
        left_out: Columns that are not to be read, such as protected attributes.  They stay in the rows, so that
            ``evaluate(slices=...)`` can look at their groups.
        label: The column with the right answer, ``"label"`` unless told otherwise.  Its aliases are not read either.
        synonyms: Labels by other names, such as ``{"1": "fraud"}``.
        **extras: See :class:`~qlorakit.kinds.Extras`.

    Raises:
        ConfigurationError: The budget or a cost is out of range.
        PluginError: The labels are not two, or cannot be told apart.
    """
    if len(labels) != 2:  # noqa: PLR2004
        msg = f"{name}: labels={labels!r}: must be two, the harmless one and the risky one"
        raise PluginError(msg)
    risky = labels[1]
    label = label or Column("label", label=True)
    hidden = frozenset(other.strip().casefold() for other in (label.name, *label.aliases, *left_out, "text"))

    def show(row: Row) -> str:
        if not is_blank(row.get("text")):
            return required_text(row, "text")
        if fields is not None:
            return row_text(row, fields)
        columns = shown_columns(row, hidden)
        _tell_left_out(name, tuple(other for other in row if other not in {label.name, "text", *columns}))
        return row_text(row, columns)

    metrics = (
        auprc(labels, positive=risky), recall_at_budget(labels, positive=risky, share=budget),
        expected_cost(labels, costs), macro_f1(labels), mcc(labels), auroc(labels, positive=risky), log_loss(labels),
        brier(labels), ece(), accuracy(),
    )  # fmt: skip
    task = single_label(
        name,
        summary=summary,
        instruction=instruction or f"Judge the record. Answer with one of: {', '.join(labels)}.",
        labels=labels,
        text=(Column("text", optional=True),),
        label=label,
        show=show,
        synonyms=synonyms,
        **{"metrics": metrics, "ignore_digits": False, **extras},  # type: ignore[arg-type]  # a merged TypedDict
    )
    return dataclasses.replace(task, decision=cost_threshold(labels, positive=risky, costs=costs))


@functools.cache
def _tell_left_out(name: str, columns: tuple[str, ...]) -> None:
    """Say once what of the rows is not read."""
    if columns:
        logger.warning(
            "%s: the model does not read %s: identifiers, other names of the label, or protected attributes; "
            "risk_task(fields=[...]) makes a task that reads the columns you name",
            name,
            ", ".join(map(repr, columns)),
        )


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
    label=Column(
        "label",
        aliases=(
            "is_fraud", "isFraud", "fraud", "fraudRisk", "fraud_risk", "fraudulent", "fraud_label", "class", "target",
            "answer",
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
