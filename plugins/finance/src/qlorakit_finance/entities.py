"""``finance/entities``: people, organisations and locations in filings and news.

A row: ``{"tokens": ["Norvik", "lends", "Ada", "Holm", "money"], "tags": ["B-ORG", "O", "B-PER", "I-PER", "O"]}``, and
with the document that the sentence is from, where it is known: ``{..., "document": "train_gold_data/7"}``.

Agreements call their parties by their roles, "Borrower" and "Lender", which are tagged as people and easily found.  So
strict F1 is reported for these words apart, and without them.

Tags are in the scheme BIO; :func:`entity_task` makes the task for files that follow another one.  Sentences of a
document stay on one side of a split, but not those of an agreement: a file holds too few of these.
"""

import dataclasses
from collections.abc import Hashable, Iterator, Sequence
from pathlib import Path
from typing import Any

from qlorakit.entities import dictionary, entities
from qlorakit.entity_metrics import entity_f1, entity_macro_f1, entity_precision, entity_recall
from qlorakit.errors import ConfigurationError, did_you_mean
from qlorakit.spans import Span, Spans, TagColumns
from qlorakit.tag_schemes import SCHEMES, Chunk, Scheme, read_tags, write_tags
from qlorakit.task import Baseline, Column, FileFormat, Output, Row, Task
from qlorakit_finance.entity_samples import ENTITY_SAMPLES
from qlorakit_finance.finer_ord import FINER_CSV, FINER_ORD
from qlorakit_finance.sec_agreements import AGREEMENTS, AGREEMENTS_TEXT, TYPES

TAGGED_ROLES = ("borrower", "lender")  # in any case; their plurals are tagged O in the published files
ROLE_WORDS = frozenset((*TAGGED_ROLES, "borrowers", "lenders"))
TOKENS = Column("tokens", aliases=("words",))
TAGS = Column("tags", aliases=("ner_tags",), label=True)
KINDS = {kind.casefold(): kind for kind in TYPES}
SOURCE = TagColumns(TOKENS, TAGS, "BIO", KINDS)  # for the words, which no scheme changes


def is_role_word(row: Row, span: Span) -> bool:
    """Whether an entity is just the role of a party, in the singular or plural."""
    return SOURCE.words(row).mention(span.start, span.end).casefold() in ROLE_WORDS


def is_no_role_word(row: Row, span: Span) -> bool:
    """Whether an entity is more than the role of a party."""
    return not is_role_word(row, span)


def role_words(task: Task[Any], train: Sequence[Row], rows: Sequence[Row]) -> Sequence[Output[Spans]]:
    """Tag the roles "Borrower" and "Lender" as people, and nothing else."""
    del task, train
    return [Output(_role_spans(row)) for row in rows]


def _role_spans(row: Row) -> Spans:
    words = SOURCE.words(row)
    places = [place for place, word in enumerate(words.texts) if word.casefold() in TAGGED_ROLES]
    return tuple(words.span(Chunk(place, place + 1, "PER")) for place in places)


def document(row: Row) -> Hashable:
    """The document that a sentence is from, where it is known."""
    found: Hashable = row.get("document")
    return found


def _in_scheme(row: Row, scheme: Scheme) -> Row:
    """A row that is tagged in BIO, in another scheme."""
    return {**row, TAGS.name: write_tags(read_tags(row[TAGS.name], TYPES, "BIO"), len(row[TAGS.name]), scheme)}


def _format_in_scheme(published: FileFormat, scheme: Scheme) -> FileFormat:
    def read(path: Path) -> Iterator[tuple[int, Row]]:
        return ((number, _in_scheme(row, scheme)) for number, row in published.read(path))

    return published if scheme == "BIO" else dataclasses.replace(published, read=read)


def entity_task(scheme: Scheme = "BIO", name: str = "finance/entities") -> Task[Spans]:
    """The task for files whose tags follow a scheme; the data sets are read into it.

    Args:
        scheme: Of the tags: one of ``qlorakit.tag_schemes.SCHEMES``.
        name: ``"domain/task"``.

    Raises:
        ConfigurationError: There is no such scheme.
    """
    if scheme not in SCHEMES:
        msg = f"scheme={scheme!r} is not known; there are {', '.join(SCHEMES)}.{did_you_mean(scheme, SCHEMES)}"
        raise ConfigurationError(msg)
    return entities(
        name,
        summary="People, organisations and locations in filings, agreements and news",
        instruction=(
            "Find the entities in the sentence from a financial agreement or news. PER is a person, or a party called "
            "by its role such as Borrower or Lender; ORG is a company, bank, authority or other organisation; LOC is a "
            "country, city, street or other place."
        ),
        types=TYPES,
        tokens=TOKENS,
        tags=TAGS,
        scheme=scheme,
        file_formats=[_format_in_scheme(published, scheme) for published in (AGREEMENTS_TEXT, FINER_CSV)],
        group=document,
        metrics=(
            entity_f1(), entity_precision(), entity_recall(), entity_macro_f1(TYPES),
            entity_f1("role_word_f1", keep=is_role_word),
            entity_f1("entity_f1_without_role_words", keep=is_no_role_word),
        ),
        baselines=(dictionary(TagColumns(TOKENS, TAGS, scheme, KINDS)), Baseline("role words", role_words)),
        samples=[_in_scheme(row, scheme) for row in ENTITY_SAMPLES],
        datasets=(AGREEMENTS, FINER_ORD),
    )  # fmt: skip


ENTITIES = entity_task()
