"""``legal/clauses``: which categories of a lawyer's checklist a clause of a contract belongs to.

A row: ``{"text": "Neither party may assign this Agreement ...", "labels": ["Anti-Assignment"], "contract": "a.pdf"}``.

The categories are the 41 of CUAD without its names and dates: document name, parties and agreement date.  A clause has
one or several of the other 38, which are the choices of one question.  Clauses of one contract stay on one side of a
split, where the column ``contract`` tells which it is.

Rows of CUAD in memory have one category each until :func:`~qlorakit_legal.cuad.merge_rows` has merged those of one
clause.
"""

from collections.abc import Hashable
from dataclasses import replace

from qlorakit.cells import is_blank
from qlorakit.errors import DataError
from qlorakit.kinds import multilabel
from qlorakit.task import Column, Row
from qlorakit_legal.clause_samples import CLAUSE_SAMPLES
from qlorakit_legal.cuad import CLAUSE_CATEGORIES, CLAUSE_LINES, CUAD, MASTER_CSV


def contract_of(row: Row) -> Hashable:
    """The contract that a clause is from, so that its clauses stay on one side of a split.

    Args:
        row: With or without the column ``contract``.

    Returns:
        What it holds, without surrounding white space; ``None`` where that is nothing.

    Raises:
        DataError: It holds neither a text nor a number.
    """
    value = row.get("contract")
    if is_blank(value):
        return None
    if not isinstance(value, str | int | float):
        msg = f"column 'contract' holds {type(value).__name__}; give the contract's name, or leave it empty"
        raise DataError(msg)
    return str(value).strip()


_TASK = multilabel(
    "legal/clauses",
    summary="Which of 38 categories of a contract review a clause belongs to; several of them for some",
    instruction="Name a category of contract review that the clause belongs to.",  # the choices are ranked
    labels=CLAUSE_CATEGORIES,
    text=Column("text", aliases=("clause", "provision", "sentence", "content")),
    label=Column("labels", aliases=("label", "category", "categories"), label=True),
    none_label=False,  # every published clause has a category: a further class would hold nothing but mistakes
    encoding="ranking",
    file_formats=(MASTER_CSV, CLAUSE_LINES),
    group=contract_of,
    samples=CLAUSE_SAMPLES,
    datasets=(CUAD,),
)
CLAUSES = replace(
    _TASK,
    columns=(*_TASK.columns, Column("contract", aliases=("filename", "contract_name", "contract_id"), optional=True)),
)
