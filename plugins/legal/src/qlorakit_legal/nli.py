"""``legal/nli``: what a non-disclosure agreement says of 17 hypotheses, and where.

A row: ``{"document": "nda.pdf", "text": "...", "answers": [{"question": "nda-11", "answer": "entailment", "evidence":
["Recipient shall not decompile the software."]}]}``.

Each of :data:`~qlorakit_legal.contract_nli.HYPOTHESES` is entailed by the contract, contradicted, or not mentioned.
Contracts are read whole: longer ones than the context in windows (:mod:`qlorakit.document_questions`).  Macro-F1 over
the three answers comes first, as contradictions are rare, and F1 of each answer stands beside it.

A list of hypotheses of your own is a task of your own: ``document_questions(..., questions={...})``.
"""

from dataclasses import replace

from qlorakit.document_questions import document_questions
from qlorakit.task import Column
from qlorakit_legal.contract_nli import ABSENT, CONTRACT_NLI, CONTRACT_NLI_JSON, HYPOTHESES, LABELS, document_of
from qlorakit_legal.nli_samples import NLI_SAMPLES

DOCUMENT = Column("document", aliases=("filename", "file_name", "title", "name", "contract_name"), optional=True)

_DECLARED = document_questions(
    "legal/nli",
    summary="Does a non-disclosure agreement entail, contradict or not mention each of 17 hypotheses, and where",
    instruction=(
        "Say whether the numbered sentences of a non-disclosure agreement entail the hypothesis or contradict it, and "
        "in which sentence, or that it is not mentioned."
    ),
    questions={key: f"Hypothesis: {hypothesis}" for key, hypothesis in HYPOTHESES.items()},
    answers=LABELS,
    absent=ABSENT,
    text=Column("text", aliases=("contract", "content")),
    file_formats=(CONTRACT_NLI_JSON,),
    group=document_of,
    samples=NLI_SAMPLES,
    datasets=(CONTRACT_NLI,),
)
NLI = replace(_DECLARED, columns=(*_DECLARED.columns, DOCUMENT))
