r"""``medical/note``: what is written into the note after a dialogue?

A row: ``{"text": "Doctor: Allergies?\nPatient: Only penicillin.", "section": "ALLERGY", "answer": "Penicillin."}``; the
section may be missing.

The section is shown where the row names it.  Figures on MTS-Dialog, of which every row does, are those with the section
given: to find the section as well is another, harder task.
"""

import re
from collections.abc import Hashable, Sequence
from typing import Any

from qlorakit import baselines
from qlorakit.cells import is_blank, required_text
from qlorakit.kinds import text
from qlorakit.task import Baseline, Column, Output, Row, Task
from qlorakit.text_metrics import chrf, normalised, rouge
from qlorakit_medical.critical_errors import CRITICAL_METRICS
from qlorakit_medical.mts_dialog import CRYPTIC, MTS_DIALOG, MTS_DIALOG_CSV, SECTIONS, TEXT
from qlorakit_medical.note_samples import NOTE_SAMPLES

HEADER = Column("section", aliases=("section_header", "header"), optional=True)
HEADERS = {header.casefold(): header for header in SECTIONS}
SPEAKER = re.compile(r"^\W*[^\W\d]\w{,19}: *", re.MULTILINE)


def with_section(row: Row) -> str:
    """The dialogue of a row, after the section of the note that is to be written if the row names one.

    Sections of MTS-Dialog are written as published, whatever their case in the row.

    Raises:
        DataError: There is no dialogue, or the section is no text.
    """
    dialogue = required_text(row, TEXT.name)
    if is_blank(row.get(HEADER.name)):
        return dialogue
    written = required_text(row, HEADER.name).strip()
    header = HEADERS.get(written.casefold(), written)
    meaning = f" ({SECTIONS[header]})" if header in CRYPTIC else ""
    return f"Section: {header}{meaning}\n\n{dialogue}"


def same_dialogue(row: Row) -> Hashable:
    """The dialogue, up to case and white space: notes of all its sections belong together."""
    return normalised(required_text(row, TEXT.name))


def spoken(row: Row) -> str:
    """The dialogue of a row without the names of the speakers, which begin its lines."""
    dialogue = required_text(row, TEXT.name)
    return SPEAKER.sub("", dialogue).strip() or dialogue


def lead(task: Task[Any], train: Sequence[Row], rows: Sequence[Row]) -> list[Output[str]]:
    """Answer with the first words of the dialogue, without the section and the names of the speakers.

    They are as many as the training rows' notes have in the median; see :func:`qlorakit.baselines.lead`.
    """
    return baselines.lead(task, train, [{**row, HEADER.name: None, TEXT.name: spoken(row)} for row in rows])


NOTE = text(
    "medical/note",
    summary="Text of a given section of the medical note, from the dialogue between doctor and patient",
    instruction=(
        "Write the section of the medical note that sums up the dialogue, in the style of a medical record. "
        "State only what was said."
    ),
    source=(TEXT, HEADER),
    show=with_section,
    answer=Column("answer", aliases=("note", "section_text"), label=True),
    file_formats=(MTS_DIALOG_CSV,),
    group=same_dialogue,
    metrics=(rouge("rougeL"), rouge("rouge1"), rouge("rouge2"), chrf(), *CRITICAL_METRICS),
    baselines=(Baseline("lead", lead),),
    samples=NOTE_SAMPLES,
    datasets=(MTS_DIALOG,),
)
