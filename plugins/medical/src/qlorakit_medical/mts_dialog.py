"""MTS-Dialog as it is published: dialogues, each with one section of the note that was written after it."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from qlorakit.cells import is_blank
from qlorakit.task import Column, FileFormat, PublicDataset, Row
from qlorakit_medical.csv_rows import header_of, read_csv

TEXT = Column("text", aliases=("dialogue", "dialog", "conversation", "transcript", "content"))
COLUMNS = ("ID", "section_header", "section_text", "dialogue")

# Headers as published, with what they mean.
SECTIONS = {
    "FAM/SOCHX": "family and social history",
    "GENHX": "history of present illness",
    "PASTMEDICALHX": "past medical history",
    "CC": "chief complaint",
    "PASTSURGICAL": "past surgical history",
    "ALLERGY": "allergies",
    "ROS": "review of systems",
    "MEDICATIONS": "medications",
    "ASSESSMENT": "assessment",
    "EXAM": "examination",
    "DIAGNOSIS": "diagnosis",
    "DISPOSITION": "disposition",
    "PLAN": "plan",
    "EDCOURSE": "emergency department course",
    "IMMUNIZATIONS": "immunizations",
    "IMAGING": "imaging",
    "GYNHX": "gynecologic history",
    "PROCEDURES": "procedures",
    "OTHER_HISTORY": "other history",
    "LABS": "laboratory results",
}
CRYPTIC = ("FAM/SOCHX", "GENHX", "PASTMEDICALHX", "CC", "PASTSURGICAL", "ROS", "EDCOURSE", "GYNHX")


def _is_mts_dialog(path: Path, head: Sequence[str]) -> bool:
    return header_of(path, head).issuperset(name.casefold() for name in COLUMNS)


def _read_mts_dialog(path: Path) -> Iterable[tuple[int, Row]]:
    """Dialogues with plain line breaks, their sections and notes, and an ``id`` that holds beyond the file.

    A row without an ID has none.
    """
    for number, cells in read_csv(path, COLUMNS):
        dialogue = cells["dialogue"].replace("\r\n", "\n").replace("\r", "\n").strip()
        note, header = cells["section_text"].strip(), cells["section_header"].strip()
        identity = None if is_blank(cells["id"]) else f"{path.stem}/{cells['id']}"
        yield number, {"text": dialogue, "section": header, "note": note, "id": identity}


MTS_DIALOG_CSV = FileFormat(
    "MTS-Dialog .csv (ID,section_header,section_text,dialogue)", _is_mts_dialog, _read_mts_dialog
)

MTS_DIALOG = PublicDataset(
    name="MTS-Dialog",
    identifier="abachaa/MTS-Dialog, Main-Dataset",
    url="https://github.com/abachaa/MTS-Dialog",
    licence="CC BY 4.0",
    citation=(
        "Ben Abacha, Yim, Fan, Lin (2023): An empirical study of clinical note generation from doctor-patient "
        "encounters. EACL"
    ),
    columns=COLUMNS,
    traps=(
        "1,199 of the 1,201 training dialogues have CRLF line breaks in their cells, those of the other files LF ones",
        "the ID restarts from 0 in each of the four files and says nothing without its file",
        (
            "20 headers with a long tail: 351 FAM/SOCHX and 282 GENHX among the 1,201 training rows, 2 LABS; the test "
            "sets have 8 and 6 headers with a single row: accuracy and macro-F1 are far apart"
        ),
        (
            "6 dialogues occur more than once, 5 of them in several files: 2 rows of either test set and of the "
            "validation set are also trained on; one of them is ROS in training and CC in validation"
        ),
        (
            "the notes are sections of MTSamples: 1,664 of the 1,701 stand there word for word (1,103 of the 1,139 "
            "with 8 words or more), so that training on MTSamples and testing here leaks, and the reverse"
        ),
        "several sections of one MTSamples report may be in different files, and nothing tells which belong together",
        '168 of the 1,701 notes are one word, such as "None." or "Noncontributory.": ROUGE-2 is 0 there for any answer',
        "63 notes occur more than once, up to 51 times: the commonest one is right without reading the dialogue",
        "speakers are misspelt in places: Guest_clinican, Gest_family, Docotr_2",
    ),
)
