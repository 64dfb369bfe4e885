"""``legal/review``: what a whole contract says on 41 questions, and where.

A row: ``{"document": "supply.pdf", "text": "...", "answers": [{"question": "Governing Law", "answer": "present",
"evidence": ["This agreement is governed by the laws of England and Wales."]}]}``.

The questions are CUAD's categories (:data:`~qlorakit_legal.cuad_contracts.QUESTIONS`).  Contracts are read whole:
longer ones than the context in windows (:mod:`qlorakit.document_questions`).  Macro-F1 over the questions comes first.
How much of all contracts must be read to see what is in them, likeliest windows first, stands beside it
(:mod:`qlorakit_legal.review_effort`), and the baseline "reading order" shows what that takes without any system: pieces
of 150 words, all contracts side by side from their beginning.  It answers as the majority baseline does, with the same
macro-F1.

A list of questions of your own is a task of your own: ``document_questions(..., questions={...})``.
"""

import functools
from dataclasses import replace

from qlorakit.document_questions import document_questions
from qlorakit.task import Baseline, Column
from qlorakit_legal.cuad_contracts import ABSENT, CUAD_CONTRACTS, CUAD_JSON, PRESENT, QUESTIONS, filer_of
from qlorakit_legal.review_effort import answers_in_reading_order, effort_at_recall, recall_at_effort
from qlorakit_legal.review_samples import REVIEW_SAMPLES

DOCUMENT = Column("document", aliases=("filename", "file_name", "title", "name", "contract_name"), optional=True)

_DECLARED = document_questions(
    "legal/review",
    summary="What a whole contract says on each of CUAD's 41 questions, with the sentences that tell so",
    instruction=(
        "Answer the question about the numbered sentences of a contract: absent if none tells, or present and the "
        "number of the sentence that does."
    ),
    questions=QUESTIONS,
    answers=(ABSENT, PRESENT),
    absent=ABSENT,
    text=Column("text", aliases=("contract", "context", "content")),
    file_formats=(CUAD_JSON,),
    group=filer_of,
    samples=REVIEW_SAMPLES,
    datasets=(CUAD_CONTRACTS,),
)

REVIEW = replace(
    _DECLARED,
    columns=(*_DECLARED.columns, DOCUMENT),
    metrics=(*_DECLARED.metrics, recall_at_effort(tuple(QUESTIONS)), effort_at_recall(tuple(QUESTIONS))),
    baselines=(
        *_DECLARED.baselines,
        Baseline(
            "reading order",
            functools.partial(answers_in_reading_order, absent=ABSENT, text="text"),
            from_labels_alone=True,
        ),
    ),
)
