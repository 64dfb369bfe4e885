r"""``medical/section``: which section of the note does a dialogue belong in?

A row: ``{"text": "Doctor: Any allergies?\nPatient: Only penicillin.", "label": "ALLERGY"}``.
"""

from qlorakit.kinds import single_label
from qlorakit.task import Column
from qlorakit_medical.mts_dialog import CRYPTIC, MTS_DIALOG, MTS_DIALOG_CSV, SECTIONS, TEXT
from qlorakit_medical.section_samples import SECTION_SAMPLES

LABELS = tuple(SECTIONS)
_LISTED = ", ".join(f"{label} ({SECTIONS[label]})" if label in CRYPTIC else label for label in LABELS)

# Written out, and by usual abbreviations; without those that are labels themselves.
SYNONYMS = {
    other: label
    for other, label in (
        *((meaning, label) for label, meaning in SECTIONS.items()),
        ("family history/social history", "FAM/SOCHX"),
        ("family history", "FAM/SOCHX"),
        ("social history", "FAM/SOCHX"),
        ("HPI", "GENHX"),
        ("PMH", "PASTMEDICALHX"),
        ("medical history", "PASTMEDICALHX"),
        ("PSH", "PASTSURGICAL"),
        ("surgical history", "PASTSURGICAL"),
        ("physical examination", "EXAM"),
        ("physical exam", "EXAM"),
        ("emergency room course", "EDCOURSE"),
        ("ED course", "EDCOURSE"),
        ("gynecological history", "GYNHX"),
        ("other_hx", "OTHER_HISTORY"),
        ("laboratory", "LABS"),
        ("medication", "MEDICATIONS"),
        ("immunization", "IMMUNIZATIONS"),
        ("procedure", "PROCEDURES"),
    )
    if other.casefold() not in {known.casefold() for known in LABELS}
}

SECTION = single_label(
    "medical/section",
    summary="Section of the medical note that a dialogue between doctor and patient belongs in, of 20",
    instruction=f"Name the section of the medical note that the dialogue belongs in: {_LISTED}.",
    labels=LABELS,
    text=TEXT,
    label=Column("label", aliases=("section", "section_header", "header"), label=True),
    synonyms=SYNONYMS,
    file_formats=(MTS_DIALOG_CSV,),
    samples=SECTION_SAMPLES,
    datasets=(MTS_DIALOG,),
)
