"""``medical/specialty``: which fields of medicine a report belongs to, and what kind of report it is.

A row: ``{"text": "PROCEDURE: Cataract extraction ...", "labels": ["Ophthalmology", "Surgery"]}``.

All 40 labels are the choices of one question, so that a report costs little more than its text;
:func:`specialty_task` makes the same task with a question for each label.

Rows of MTSamples in memory, of the Hub or in parquet have one label each until
:func:`~qlorakit_medical.mtsamples.merge_rows` has merged those of one text.
"""

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Literal

from qlorakit.kinds import multilabel
from qlorakit.metrics import exact_match, example_f1, multilabel_macro_f1, multilabel_micro_f1
from qlorakit.score_metrics import multilabel_auprc, multilabel_auroc
from qlorakit.task import Column, Metric, Output, Row, Task
from qlorakit_medical.mtsamples import (
    DOCUMENT_TYPES,
    MTSAMPLES,
    ORGAN_SPECIALTIES,
    SPECIALTIES,
    SPECIALTIES_CSV,
    same_text,
)
from qlorakit_medical.specialty_samples import SPECIALTY_SAMPLES

Labels = tuple[str, ...]

QUESTIONS = {
    **{label: f"Is it {kind}?" for label, kind in DOCUMENT_TYPES.items()},
    **{label: f"Does it belong to the field of {field}?" for label, field in ORGAN_SPECIALTIES.items()},
}

TRANSCRIPTION = Column(
    "text",
    aliases=("transcription", "report", "note", "sentence", "content"),
    refused=(("keywords", "in the public data they begin with the right specialty, and a report has none"),),
)


def macro_f1_of(name: str, labels: Collection[str]) -> Metric[Labels]:
    """Macro-F1 over some of the 40 labels, as if there were no others.

    It is :func:`qlorakit.metrics.multilabel_macro_f1` of answers and references from which the other labels are taken.
    An answer that is invalid, or names what is none of the 40, misses every label of its row.

    Args:
        name: As it is reported.
        labels: Those that count.
    """
    whole = multilabel_macro_f1(tuple(labels))
    some = frozenset(labels)

    def compute(outputs: Sequence[Output[Labels]], references: Sequence[Labels], rows: Sequence[Row]) -> float:
        answered = [_restricted_output(output, some) for output in outputs]
        return whole.compute(answered, [_restricted(reference, some) for reference in references], rows)

    counts = whole.counts and functools.partial(_restricted_counts, whole.counts, some)
    return replace(whole, name=name, compute=compute, counts=counts)


def _restricted(labels: Labels, some: Collection[str]) -> Labels:
    return tuple(label for label in labels if label in some or label not in QUESTIONS)


def _restricted_output(output: Output[Labels], some: Collection[str]) -> Output[Labels]:
    return replace(output, value=None if output.value is None else _restricted(output.value, some))


def _restricted_counts(
    counts: Callable[[Output[Labels], Labels, Row], Sequence[float]],
    some: Collection[str],
    output: Output[Labels],
    reference: Labels,
    row: Row,
) -> Sequence[float]:
    return counts(_restricted_output(output, some), _restricted(reference, some), row)


def specialty_task(encoding: Literal["ranking", "questions"] = "ranking") -> Task[Labels]:
    """The task in one of two forms.

    Args:
        encoding: ``"ranking"`` asks one question with all labels as its choices; ``"questions"`` one for each label, to
            be answered by yes or no, which takes twice as many tokens.

    Raises:
        PluginError: There is no such encoding.
    """
    asked = {
        "ranking": "Name a field of medicine that the report belongs to, or what kind of report it is.",
        "questions": "Read the medical report and answer the question about its kind or its field with yes or no.",
    }
    return multilabel(
        "medical/specialty",
        summary="Which of 28 fields of medicine a medical report belongs to, and which of 12 kinds of report it is",
        instruction=asked.get(encoding, ""),
        labels={label: QUESTIONS[label] for label in SPECIALTIES},
        question="{label}",
        text=TRANSCRIPTION,
        label=Column("labels", aliases=("label", "medical_specialty", "specialty", "specialties"), label=True),
        none_label=False,  # every published report has a label: a further class would hold nothing but mistakes
        encoding=encoding,
        file_formats=(SPECIALTIES_CSV,),
        group=same_text,
        metrics=(
            multilabel_macro_f1(SPECIALTIES),
            macro_f1_of("organ_macro_f1", ORGAN_SPECIALTIES),
            macro_f1_of("document_macro_f1", DOCUMENT_TYPES),
            multilabel_micro_f1(SPECIALTIES),
            example_f1(),
            exact_match(),
            multilabel_auroc(SPECIALTIES),
            multilabel_auprc(SPECIALTIES),
        ),
        samples=SPECIALTY_SAMPLES,
        datasets=(MTSAMPLES,),
    )


SPECIALTY = specialty_task()
