"""``legal/entities``: courts, parties, laws and cases in Indian judgments.

A row: ``{"text": "The Apex Court stayed it.", "entities": [{"start": 4, "end": 14, "label": "court"}]}``, and where
they are known ``document``, by which rows of one judgment are kept together, and ``part``, which is ``"preamble"`` or
``"sentence"`` (:func:`~qlorakit_legal.in_legal_ner.is_preamble`).  The two are so different that F1 is reported for
each: lawyers are marked in preambles alone; dates, laws and cases in sentences alone.

Preambles are laid out with white space, which is nearly half of their characters.  The model is shown each run of it as
one space, or as one line break where it holds any; rows and the entities that are answered keep the text as it is.

Types are written in lower case, of which a tokenizer needs half the tokens; rows may hold them in any case.
"""

import hashlib
import itertools
import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from qlorakit.cells import is_blank
from qlorakit.entities import EntityEncoding, entities
from qlorakit.entity_metrics import dropped_lines, entity_f1, entity_macro_f1, entity_precision, entity_recall
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.spans import Span, SpanColumns, Spans, Words, split_words
from qlorakit.task import Column, Example, Output, Prediction, Row, Task
from qlorakit_legal.entity_samples import ENTITY_SAMPLES
from qlorakit_legal.in_legal_ner import (
    DECODED_JSONL,
    EXPORT_JSON,
    IN_LEGAL_NER,
    PREAMBLE,
    SENTENCE,
    TYPES,
    part_of,
)

TEXT = Column("text", aliases=("sentence", "content"))
SPANS = Column("entities", aliases=("spans",), label=True)
SOURCE = SpanColumns(TEXT, SPANS, {kind: kind for kind in TYPES})
INSTRUCTION = (
    "Find the entities in a sentence of an Indian judgment, or in its heading, where only courts, judges, parties and "
    "lawyers count. A statute is a law, a provision its section; a precedent is a cited case, a case_number any other "
    "case; org is an organisation, gpe a place, other_person someone who is neither judge, party nor witness."
)

_RUN = re.compile(r"\s+")


def document_of(row: Row) -> Hashable:
    """The judgment of a row, where it is known."""
    document: Hashable = row.get("document")
    return None if is_blank(document) else document


def _is_in(part: str) -> Callable[[Row, Span], bool]:
    return lambda row, span: part_of(row) == part  # noqa: ARG005  # what a metric calls it with


def cut_preambles(rows: Iterable[Row], most_words: int = 100) -> list[dict[str, Any]]:
    """Rows with long preambles cut into pieces, so that all of a text is read and its answer fits a short context.

    Pieces end at line ends outside entities, so that none is lost and F1 over all of them measures the same.  A line
    that is longer by itself stays whole.  Sentences, and preambles that are short enough, stay as they are.

    Args:
        rows: In the task's columns, labelled or not.
        most_words: Words of a piece, where every sign is one.  With the default, no answer to a published preamble has
            more than 256 tokens of ``qlorakit/tiny``, and none with its prompt more than 640.

    Returns:
        The rows; of pieces the offsets count from the beginning of the piece, ``part`` is ``"preamble"``, ``piece``
        counts from 1 (``None`` for rows that are whole), and where no ``document`` was known it is made of the text.

    Raises:
        ConfigurationError: ``most_words`` is less than 1.
        DataError: A row cannot be read; it is named by its position.
    """
    if most_words < 1:
        msg = f"most_words={most_words} must be 1 or more"
        raise ConfigurationError(msg)
    found: list[dict[str, Any]] = []
    for number, row in enumerate(rows, start=1):
        try:
            found += _pieces(row, most_words) if part_of(row) == PREAMBLE else [{**row, "piece": None}]
        except DataError as error:
            msg = f"row {number}: {error}"
            raise DataError(msg) from error
    return found


def _pieces(row: Row, most_words: int) -> list[dict[str, Any]]:
    words, spans = SOURCE.words(row), SOURCE.read(row)
    bounds = _bounds(words, spans or (), most_words)
    if len(bounds) == 1:
        return [{**row, "piece": None}]
    document = document_of(row) or f"text {hashlib.sha256(words.text.encode()).hexdigest()[:16]}"
    of_all = {**row, "part": PREAMBLE, "document": document}
    return [
        {**of_all, "piece": number, TEXT.name: words.text[start:end], SPANS.name: _within(spans, start, end)}
        for number, (start, end) in enumerate(bounds, start=1)
    ]


def _within(spans: Spans | None, start: int, end: int) -> list[dict[str, Any]] | None:
    if spans is None:
        return None
    inside = [span for span in spans if start <= span.start and span.end <= end]
    return [{"start": span.start - start, "end": span.end - start, "label": span.type} for span in inside]


def _bounds(words: Words, spans: Spans, most_words: int) -> list[tuple[int, int]]:
    """Where pieces begin and end: at line ends outside entities, with a word in each."""
    ends = itertools.accumulate(map(len, words.text.splitlines(keepends=True)))
    free = [end for end in ends if not any(span.start < end < span.end for span in spans)]
    counts = [sum(start < end for start, _ in words.bounds) for end in free]  # words before each end
    cuts, done = [0], 0
    for place, end in enumerate(free[:-1]):
        if done < counts[place] < counts[-1] and counts[place + 1] - done > most_words:
            cuts.append(end)
            done = counts[place]
    return list(itertools.pairwise([*cuts, len(words.text)]))


def without_layout(text: str) -> str:
    """A text with each run of white space as one space, or as one line break where it holds any.

    Words and their order stay as they are.

    Args:
        text: As it is laid out.
    """
    return _RUN.sub(lambda run: " " if run[0].splitlines() == [run[0]] else "\n", text.strip())


def _shown(row: Row) -> tuple[Row, Words, Words]:
    """A row without layout, its words as the row has them, and the same words as they are shown."""
    words, spans = SOURCE.words(row), SOURCE.read(row)
    shown = split_words(without_layout(words.text))
    chunks = [words.chunk(span) for span in spans or ()]
    entities_shown = None if spans is None else [tuple(shown.span(chunk)) for chunk in chunks if chunk is not None]
    return {**row, TEXT.name: shown.text, SPANS.name: entities_shown}, words, shown


def _moved(spans: Spans, before: Words, after: Words) -> Spans:
    """Spans of one text in another that has the same words."""
    return tuple(after.span(chunk) for chunk in map(before.chunk, spans) if chunk is not None)


def _show_without_layout(task: Task[Spans]) -> Task[Spans]:
    """The task with texts shown without layout; answers are spans of the text as rows have it."""

    def ask(row: Row) -> Sequence[Example]:
        return task.format(_shown(row)[0])

    def parse(row: Row, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Output[Spans]:
        shown_row, words, shown = _shown({**row, SPANS.name: None})
        output = task.parse(shown_row, examples, predictions)
        return output if output.value is None else replace(output, value=_moved(output.value, shown, words))

    def expressible(row: Row) -> Output[Spans]:
        task.reference(row)
        examples = ask(row)
        output = parse(row, examples, [Prediction(example.target or "") for example in examples])
        return Output(output.value)

    return replace(task, format=ask, parse=parse, expressible=expressible)


def entities_task(encoding: EntityEncoding = "words", name: str = "legal/entities") -> Task[Spans]:
    """The task in one of the two encodings.

    Args:
        encoding: ``"words"`` asks for the tag of each word.  ``"lines"`` has the entities written, which takes about a
            twentieth of the tokens; but of long preambles the text is cut and the answer does not fit, and a row whose
            answer does not fit is refused: :func:`cut_preambles` makes rows that fit.
        name: ``"domain/task"``.

    Raises:
        PluginError: There is no such encoding.
    """
    task = entities(
        name,
        summary="Courts, parties, laws and cases in Indian judgments",
        instruction=INSTRUCTION,
        types=TYPES,
        encoding=encoding,
        text=TEXT,
        spans=SPANS,
        file_formats=(EXPORT_JSON, DECODED_JSONL),
        group=document_of,
        metrics=(
            entity_f1(), entity_precision(), entity_recall(), entity_macro_f1(TYPES),
            entity_f1("preamble_f1", keep=_is_in(PREAMBLE)), entity_f1("sentence_f1", keep=_is_in(SENTENCE)),
            *((dropped_lines(),) if encoding == "lines" else ()),
        ),
        samples=ENTITY_SAMPLES,
        datasets=(IN_LEGAL_NER,),
    )  # fmt: skip
    return _show_without_layout(task)


ENTITIES = entities_task()
