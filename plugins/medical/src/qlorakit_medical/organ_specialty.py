"""``medical/organ_specialty``: the one field of medicine that a report belongs to, whatever kind of report it is.

A row: ``{"text": "PROCEDURE: Cataract extraction ...", "label": "Ophthalmology"}``.

Rows of MTSamples in memory, of the Hub or in parquet are to be merged first:
``rows_of_one_specialty(merge_rows(rows))``, see :func:`~qlorakit_medical.mtsamples.merge_rows`.
"""

import functools
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from qlorakit.errors import PluginError, did_you_mean
from qlorakit.kinds import single_label
from qlorakit.task import Column, FileFormat, Row, Task
from qlorakit_medical.mtsamples import (
    MTSAMPLES,
    ORGAN_SPECIALTIES,
    SPECIALTIES,
    is_transcriptions,
    read_transcriptions,
    same_text,
)
from qlorakit_medical.specialty import TRANSCRIPTION
from qlorakit_medical.specialty_samples import SPECIALTY_SAMPLES

logger = logging.getLogger(__name__)

# Those that at least 50 published texts have as their only field: 1,494 texts, and ten or so of each to test on.  The
# next one has 42, and the 17 fields that are left out share 270 texts.
COMMON_SPECIALTIES = (
    "Cardiovascular / Pulmonary", "ENT - Otolaryngology", "Gastroenterology", "Hematology - Oncology", "Nephrology",
    "Neurology", "Obstetrics / Gynecology", "Ophthalmology", "Orthopedic", "Pain Management", "Urology",
)  # fmt: skip


def organ_specialty_task(labels: Sequence[str] = COMMON_SPECIALTIES) -> Task[str]:
    """The task for a choice of fields.

    Of MTSamples' files it reads the texts with exactly one of the 28 organ specialties, which must be among the labels;
    kinds of reports such as Surgery are ignored.  The others are left out and counted in the log, but for texts without
    any label, which are not labelled yet.  Rows of other sources are taken as they are.

    Args:
        labels: Two or more of :data:`~qlorakit_medical.mtsamples.ORGAN_SPECIALTIES`.

    Raises:
        PluginError: A label is none of these, or they are too few or not distinct.
    """
    unknown = [label for label in labels if label not in ORGAN_SPECIALTIES]
    if unknown:
        msg = (
            f"labels: {unknown[0]!r} is no organ specialty; see qlorakit_medical.mtsamples.ORGAN_SPECIALTIES."
            f"{did_you_mean(str(unknown[0]), ORGAN_SPECIALTIES)}"
        )
        raise PluginError(msg)
    names = "MTSamples .csv, .tsv, .json (texts of one organ specialty)"
    return single_label(
        "medical/organ_specialty",
        summary=f"Which of {len(labels)} fields of medicine a medical report belongs to, one alone",
        instruction=f"Name the field of medicine that the report belongs to: {', '.join(labels)}.",
        labels=labels,
        text=TRANSCRIPTION,
        label=Column("label", aliases=("medical_specialty", "specialty", "organ_specialty"), label=True),
        file_formats=(FileFormat(names, is_transcriptions, functools.partial(_read, labels)),),
        group=same_text,
        samples=tuple(row for _, row in _of_one(labels, enumerate(SPECIALTY_SAMPLES), Counter())),
        datasets=(MTSAMPLES,),
    )


def rows_of_one_specialty(rows: Iterable[Row], labels: Collection[str] = COMMON_SPECIALTIES) -> list[dict[str, Any]]:
    """What the task reads of MTSamples' files, of rows in memory; how many others are left out is logged.

    Args:
        rows: From :func:`~qlorakit_medical.mtsamples.merge_rows`.
        labels: As for :func:`organ_specialty_task`.

    Returns:
        The rows with exactly one organ specialty, which is among the labels, as ``label``; with ``None`` those without
        any label, and with what is no specialty, for the task to name it, those that have such a label.
    """
    return [row for _, row in _logged(labels, enumerate(rows, start=1), "the rows")]


def _read(labels: Collection[str], path: Path) -> Iterable[tuple[int, Row]]:
    return _logged(labels, read_transcriptions(path), str(path))


def _logged(
    labels: Collection[str], rows: Iterable[tuple[int, Row]], source: str
) -> Iterable[tuple[int, dict[str, Any]]]:
    left_out: Counter[str] = Counter()
    yield from _of_one(labels, rows, left_out)
    for reason, count in left_out.items():
        logger.warning("%s: left out %d texts with %s", source, count, reason)


def _of_one(
    labels: Collection[str], rows: Iterable[tuple[int, Row]], left_out: Counter[str]
) -> Iterable[tuple[int, dict[str, Any]]]:
    """The rows with exactly one organ specialty, which is among the labels; the others are counted by reason."""
    for number, row in rows:
        given = row["labels"] or ()
        unknown = [label for label in given if label not in SPECIALTIES]
        found = unknown[:1] or [label for label in given if label in ORGAN_SPECIALTIES]
        if given and len(found) != 1:
            left_out["several organ specialties" if found else "no organ specialty"] += 1
        elif found and not unknown and found[0] not in labels:
            left_out["an organ specialty that is none of the labels"] += 1
        else:
            others = {name: cell for name, cell in row.items() if name != "labels"}
            yield number, {**others, "label": found[0] if found else None}


ORGAN_SPECIALTY = organ_specialty_task()
