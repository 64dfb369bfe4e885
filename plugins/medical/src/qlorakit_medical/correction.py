"""``medical/correction``: a dictation as a speech recogniser wrote it, to the text that was meant.

A row: ``{"draft": "Patient denies chest pane.", "corrected": "Patient denies chest pain."}``.

No public data set of medical drafts with their corrections is known that may be named here: rows are those of a house,
from its own recogniser and its own transcriptionists.  They are patients' data, never to be passed on, and have traps
of their own:

- A corrected text may hold what was never dictated, such as a heading or a signature: no model can learn that.
- Templates that are repeated in every document make the word error rate look better than it is.
- Dictations of one speaker belong on one side of a split: pass ``group_by=`` with the speaker's column.
"""

from collections.abc import Sequence
from typing import Any

from qlorakit.cells import required_text
from qlorakit.kinds import text
from qlorakit.task import Baseline, Column, Output, Row, Task
from qlorakit.text_metrics import word_error_rate
from qlorakit_medical.correction_samples import CORRECTION_SAMPLES
from qlorakit_medical.critical_errors import CRITICAL_METRICS

DRAFT = Column("draft", aliases=("transcript", "hypothesis", "recognised", "recognized", "asr", "text"))
CORRECTED = Column("corrected", aliases=("correction", "edited", "reference", "answer", "target"), label=True)


def unchanged(task: Task[Any], train: Sequence[Row], rows: Sequence[Row]) -> list[Output[str]]:
    """Answer with the draft as it is: a correction that does not beat this does harm."""
    del task, train
    return [Output(required_text(row, DRAFT.name).strip()) for row in rows]


CORRECTION = text(
    "medical/correction",
    summary="Correct a dictation as a speech recogniser wrote it",
    instruction=(
        "Correct the mistakes that a speech recogniser made in this medical dictation. "
        "Change nothing else, and answer with the corrected text alone."
    ),
    source=DRAFT,
    answer=CORRECTED,
    metrics=(word_error_rate(), *CRITICAL_METRICS),
    baselines=(Baseline("unchanged", unchanged),),
    samples=CORRECTION_SAMPLES,
)
