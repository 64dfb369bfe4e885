"""``medical/entities``: chemicals and diseases in abstracts of biomedical articles.

A row: ``{"tokens": ["Lithium", "caused", "a", "tremor"], "tags": ["B-Chemical", "O", "O", "B-Disease"]}``, the tags in
the scheme BIO.

Six of ten mentions of a test file also stand in the training file.  So the baseline is the dictionary of these, and F1
is reported for each type apart.  The published files mark no documents: train, tune and test on the three of them as
they are, as a split of one file has sentences of an abstract on every side.  Rows with a column ``document``, which a
file with ``-DOCSTART-`` lines has, are kept together by it.
"""

from collections.abc import Callable, Hashable

from qlorakit.cells import is_blank
from qlorakit.entities import entities
from qlorakit.entity_metrics import entity_f1, entity_macro_f1, entity_precision, entity_recall
from qlorakit.spans import Span
from qlorakit.task import Column, Row
from qlorakit_medical.bc5cdr import BC5CDR, BC5CDR_TSV, TYPES
from qlorakit_medical.entity_samples import ENTITY_SAMPLES


def _is_of(kind: str) -> Callable[[Row, Span], bool]:
    return lambda row, span: span.type == kind  # noqa: ARG005  # what a metric calls it with


def document_of(row: Row) -> Hashable:
    """The document of a row, where that is known."""
    document: Hashable = row.get("document")
    return None if is_blank(document) else document


ENTITIES = entities(
    "medical/entities",
    summary="Chemicals and diseases in biomedical abstracts",
    instruction=(
        "Find the chemicals and diseases in the sentence from a biomedical abstract. Chemical is a drug or another "
        "substance; Disease is a disease, symptom, injury or side effect."
    ),
    types=TYPES,
    tokens=Column("tokens", aliases=("words",)),
    tags=Column("tags", aliases=("ner_tags", "labels"), label=True),
    scheme="BIO",
    file_formats=(BC5CDR_TSV,),
    group=document_of,
    metrics=(
        entity_f1(), entity_precision(), entity_recall(), entity_macro_f1(TYPES),
        *(entity_f1(f"{kind.lower()}_f1", keep=_is_of(kind)) for kind in TYPES),
    ),
    samples=ENTITY_SAMPLES,
    datasets=(BC5CDR,),
)  # fmt: skip
