r"""``medical/note``: what is written into the note after a dialogue?

A row: ``{"text": "Doctor: Allergies?\nPatient: Only penicillin.", "section": "ALLERGY", "answer": "Penicillin."}``; the
section may be missing.
"""

from collections.abc import Hashable

from qlorakit.cells import is_blank, required_text
from qlorakit.kinds import text
from qlorakit.task import Column, Row
from qlorakit.text_metrics import chrf, normalised, rouge
from qlorakit_medical.critical_errors import CRITICAL_METRICS
from qlorakit_medical.mts_dialog import CRYPTIC, MTS_DIALOG, MTS_DIALOG_CSV, SECTIONS, TEXT
from qlorakit_medical.note_samples import NOTE_SAMPLES

HEADER = Column("section", aliases=("section_header", "header"), optional=True)


def with_section(row: Row) -> str:
    """The dialogue of a row, after the section of the note that is to be written if the row names one.

    Raises:
        DataError: There is no dialogue, or the section is no text.
    """
    dialogue = required_text(row, TEXT.name)
    if is_blank(row.get(HEADER.name)):
        return dialogue
    header = required_text(row, HEADER.name).strip()
    meaning = f" ({SECTIONS[header]})" if header in CRYPTIC else ""
    return f"Section: {header}{meaning}\n\n{dialogue}"


def same_dialogue(row: Row) -> Hashable:
    """The dialogue, up to case and white space: notes of all its sections belong together."""
    return normalised(required_text(row, TEXT.name))


NOTE = text(
    "medical/note",
    summary="Text of one section of the medical note, from the dialogue between doctor and patient",
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
    samples=NOTE_SAMPLES,
    datasets=(MTS_DIALOG,),
)
