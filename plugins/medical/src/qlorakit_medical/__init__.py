"""Medical tasks for qlorakit."""

from collections.abc import Iterable
from typing import Any

from qlorakit.hookspecs import hookimpl
from qlorakit.task import Task
from qlorakit_medical.advice import ADVICE
from qlorakit_medical.correction import CORRECTION
from qlorakit_medical.diagnosis import DIAGNOSIS
from qlorakit_medical.entities import ENTITIES
from qlorakit_medical.exam import EXAM
from qlorakit_medical.note import NOTE
from qlorakit_medical.organ_specialty import ORGAN_SPECIALTY
from qlorakit_medical.questions import QUESTIONS
from qlorakit_medical.section import SECTION
from qlorakit_medical.specialty import SPECIALTY
from qlorakit_medical.summary import SUMMARY


@hookimpl
def qlorakit_tasks() -> Iterable[Task[Any]]:
    """The tasks of this plugin."""
    yield from (
        SPECIALTY, ORGAN_SPECIALTY, SECTION, NOTE, SUMMARY, CORRECTION, ENTITIES, DIAGNOSIS, EXAM, QUESTIONS, ADVICE,
    )  # fmt: skip
