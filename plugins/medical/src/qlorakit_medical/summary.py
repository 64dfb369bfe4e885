r"""``medical/summary``: what is a text about, in one line?

A record becomes its one-line description, as in MTSamples, and a patient's message one short question, as in MeQSum:
``{"text": "SUBJECT: gout\nMESSAGE: My toe is swollen again ...", "answer": "What are the treatments for gout?"}``.

Of the 2,373 records of MTSamples with a description, 570 hold it word for word, 38 of them at their beginning: what
copies the right words from a record has an easy part of them.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from qlorakit.cells import is_blank
from qlorakit.kinds import text
from qlorakit.task import Column, FileFormat, PublicDataset, Row
from qlorakit.text_metrics import chrf, rouge
from qlorakit_medical.critical_errors import CRITICAL_METRICS
from qlorakit_medical.csv_rows import header_of, read_csv, without_nan
from qlorakit_medical.mtsamples import DESCRIPTIONS_CSV, MTSAMPLES, same_text
from qlorakit_medical.summary_samples import SUMMARY_SAMPLES

COLUMNS = ("File", "CHQ", "Summary")


def _is_meqsum(path: Path, head: Sequence[str]) -> bool:
    return header_of(path, head).issuperset(name.casefold() for name in COLUMNS)


def _read_meqsum(path: Path) -> Iterable[tuple[int, Row]]:
    """Questions as they were sent, and their summaries in one line without surrounding white space.

    Rows that name no file have no ``id``.
    """
    for number, cells in without_nan(path, read_csv(path, COLUMNS), [name.casefold() for name in COLUMNS]):
        identity = None if is_blank(cells["file"]) else cells["file"]
        yield number, {"text": cells["chq"], "answer": " ".join(cells["summary"].split()), "id": identity}


MEQSUM_CSV = FileFormat("MeQSum .csv (File,CHQ,Summary)", _is_meqsum, _read_meqsum)

MEQSUM = PublicDataset(
    name="MeQSum",
    identifier="abachaa/MeQSum",
    url="https://github.com/abachaa/MeQSum",
    licence="CC BY 4.0",
    citation="Ben Abacha, Demner-Fushman (2019): On the summarization of consumer health questions. ACL",
    columns=COLUMNS,
    traps=(
        "published as a spreadsheet, MeQSum_ACL2019_BenAbacha_Demner-Fushman.xlsx: save its sheet as csv",
        (
            '653 of the 1,000 questions begin with "SUBJECT:" and go on with "MESSAGE:", 70 begin with "MESSAGE:"; a '
            "lead baseline copies these words"
        ),
        "24 summaries have white space around them, 36 runs of it inside, one a line break",
        "questions are distinct, and 6 summaries repeat others, such as that of erectile dysfunction (4 times)",
        (
            '176 of the 1,000 summaries begin with "What are the treatments for", 115 with "Where can I find '
            'information on": the form alone scores'
        ),
        "9 summaries stand in their question word for word",
        "names, places and the like are replaced by [NAME], [LOCATION], [CONTACT] in 284 questions",
        "many questions are misspelt, a few have a dotless i (\u0131) or no-break spaces",
    ),
)

SUMMARY = text(
    "medical/summary",
    summary="One line for a text: what a medical record is about, or the short question behind a patient's message",
    instruction=(
        "Sum up the text in one line: say what a medical record is about, or put a patient's message as one short "
        "question."
    ),
    source=Column("text", aliases=("transcription", "chq", "record", "message", "question", "document", "content")),
    answer=Column("answer", aliases=("description", "summary", "target"), label=True),
    file_formats=(DESCRIPTIONS_CSV, MEQSUM_CSV),
    group=same_text,
    metrics=(rouge("rougeL"), rouge("rouge1"), rouge("rouge2"), chrf(), *CRITICAL_METRICS),
    samples=SUMMARY_SAMPLES,
    datasets=(MTSAMPLES, MEQSUM),
)
