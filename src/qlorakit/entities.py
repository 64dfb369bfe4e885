"""Tasks that find entities: typed spans of a text, asked for in one of two encodings.

``"lines"``
    The model writes every entity as a line ``mention | type``, in order of appearance, or ``none``.  Each line is
    aligned to the text (:func:`align`).  One answer is generated for each text.

``"words"``
    The model is asked about one word after the other, with the BIO tags of the types as choices.  What the questions
    have in common is computed once, and the likeliest valid tagging is the answer.  It cannot say that entities overlap
    or end inside a word.

What an encoding cannot express stays in the reference.  ``Task.expressible`` gives what is left of a reference that has
gone through the encoding, and so the ceiling of any model.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from qlorakit.entity_metrics import (
    DROPPED,
    LINES,
    MALFORMED,
    UNALIGNED,
    UNKNOWN_TYPE,
    dropped_lines,
    entity_class_scores,
    entity_f1,
    entity_macro_f1,
    entity_precision,
    entity_recall,
)
from qlorakit.errors import DataError, PluginError
from qlorakit.spans import Span, SpanColumns, Spans, TagColumns, Words, without_overlaps
from qlorakit.tag_schemes import OUTSIDE, SCHEMES, Chunk, Scheme, best_tags, read_tags, tag_names, write_tags
from qlorakit.task import (
    Baseline,
    Column,
    Example,
    FileFormat,
    Message,
    Metric,
    Output,
    Part,
    Prediction,
    PublicDataset,
    Row,
    Task,
)

EntityEncoding = Literal["lines", "words"]

NONE = "none"
SEPARATOR = "|"
NEIGHBOURS = 3  # words shown on each side of the one that is asked about
LEAST = -1e4  # nats: what cannot be, where a tagging must be found all the same


class Source(Protocol):
    """What reads the text and the entities of a row."""

    @property
    def columns(self) -> tuple[Column, Column]:
        """What is read."""

    def words(self, row: Row) -> Words:
        """The text and its words."""

    def read(self, row: Row) -> Spans | None:
        """The entities, sorted; ``None`` where they are not known."""


class Encoding(Protocol):
    """How entities are asked for and answered."""

    def ask(self, words: Words, spans: Spans | None) -> Sequence[Example]:
        """The questions about a text, with targets where its entities are known."""

    def parse(self, words: Words, predictions: Sequence[Prediction]) -> Output[Spans]:
        """The entities that the answers mean."""


def entities(
    name: str,
    *,
    summary: str,
    instruction: str,
    types: Sequence[str],
    encoding: EntityEncoding = "words",
    text: Column | None = None,
    spans: Column | None = None,
    tokens: Column | None = None,
    tags: Column | None = None,
    scheme: Scheme | None = None,
    file_formats: Sequence[FileFormat] = (),
    group: Callable[[Row], Hashable] | None = None,
    samples: Sequence[Row] = (),
    datasets: Sequence[PublicDataset] = (),
    metrics: Sequence[Metric[Spans]] | None = None,
    baselines: Sequence[Baseline[Spans]] | None = None,
) -> Task[Spans]:
    """Declare a task that finds the entities of a text: spans of characters, each of one type.

    Rows hold a text and a list of spans, or, where ``scheme`` is given, a list of words and one of tags.  The
    instruction opens the system message, and how to answer follows it; the text is the user's message.

    An answer is invalid where generation did not end, or no line of it has the form asked for.  A line that is
    malformed, of an unknown type, or nowhere in the text is dropped and counted in the output's scores.

    Args:
        name: ``"domain/task"``.
        summary: One line for listings.
        instruction: What to find.  It should say what the types mean; how to answer is said after it.
        types: The closed set; distinct, without ``|``, line breaks, or hyphens or spaces at either end.
        encoding: How the model is asked; see :mod:`qlorakit.entities`.  ``"words"`` finds more on both data sets that
            were measured (``docs/results.md``); ``"lines"`` takes a seventh to half of the time, and can say that
            entities overlap.
        text: The column to read, ``"text"`` unless told otherwise.
        spans: The column with its entities, ``"entities"`` unless told otherwise: a list of mappings with ``start``,
            ``end`` (exclusive) and ``type`` (or ``label``), or of triples; as JSON where files hold texts alone.
            An empty list means that there are none; ``None``, that they are not known.  Triples in a list cannot be
            kept in a ``datasets.Dataset``, which :func:`~qlorakit.split` makes: write mappings, or JSON.
        tokens: Instead of a text, the column with its words, ``"tokens"`` unless told otherwise.
        tags: The column with one tag per word, ``"tags"`` unless told otherwise.
        scheme: Of the tags: ``"BIO"`` (also called ``"IOB2"``), ``"IOB1"``, ``"IOBES"`` or ``"BILOU"``.
        file_formats: See :class:`~qlorakit.task.Task`, as for the arguments that follow.
        group: A value shared by rows that must not be split apart.
        samples: Hand-written rows.
        datasets: Public data sets.
        metrics: Measured instead of strict F1, precision, recall and macro F1.
        baselines: Instead of the dictionary of the training rows' mentions.

    Raises:
        PluginError: The types cannot be told apart, or the columns and the scheme do not go together.
    """
    known = _type_table(name, types)
    source = _source(name, known, text=text, spans=spans, tokens=tokens, tags=tags, scheme=scheme)
    asking = _encoding(name, encoding, instruction, tuple(types))
    own: tuple[Metric[Spans], ...] = entity_f1(), entity_precision(), entity_recall(), entity_macro_f1(types)

    def reference(row: Row) -> Spans:
        found = source.read(row)
        if found is None:
            column = source.columns[1].name
            msg = (
                f"column {column!r} is missing or blank; fill in a list ([] where there is nothing), or remove the row"
            )
            raise DataError(msg)
        return found

    def parse(row: Row, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Output[Spans]:
        del examples
        return asking.parse(source.words(row), predictions)

    def expressible(row: Row) -> Output[Spans]:
        examples = asking.ask(source.words(row), reference(row))
        answers = [Prediction(example.target or "") for example in examples]
        return Output(parse(row, examples, answers).value)  # without scores, which are about what a model wrote

    return Task(
        name=name,
        summary=summary,
        kind="entities",
        format=lambda row: asking.ask(source.words(row), source.read(row)),
        parse=parse,
        reference=reference,
        metrics=(*own, *((dropped_lines(),) if encoding == "lines" else ())) if metrics is None else tuple(metrics),
        classes=lambda outputs, references: entity_class_scores(outputs, references, types),
        baselines=(dictionary(source),) if baselines is None else tuple(baselines),
        tells_text=False,
        restore=lambda spans: tuple(Span(*span) for span in spans),
        expressible=expressible,
        columns=source.columns,
        file_formats=tuple(file_formats),
        group=group,
        samples=tuple(samples),
        datasets=tuple(datasets),
    )


@dataclass(frozen=True)
class LineEncoding:
    """One generated answer per text, with a line ``mention | type`` for each entity.

    Attributes:
        instruction: What to find.
        types: The types.
    """

    instruction: str
    types: tuple[str, ...]

    def ask(self, words: Words, spans: Spans | None) -> Sequence[Example]:
        """One question.

        Entities that begin or end inside a word are left out of its target: no line could be aligned to them.
        """
        how = (
            "Write one line for each entity, in order of appearance: the mention as the text has it, then "
            f"{SEPARATOR!r}, then its type ({', '.join(self.types)}). Write {NONE!r} if there is none."
        )
        target = None if spans is None else self._target(words, spans)
        return (Example(_messages(self.instruction, how, Part(words.text, may_cut=True)), target=target),)

    def parse(self, words: Words, predictions: Sequence[Prediction]) -> Output[Spans]:
        """The entities of its lines."""
        (prediction,) = predictions
        return align(prediction.text, words, self.types) if prediction.valid else Output(None)

    def _target(self, words: Words, spans: Spans) -> str:
        said = [span for span in spans if words.chunk(span) is not None]
        lines = [f"{words.mention(span.start, span.end)} {SEPARATOR} {span.type}" for span in said]
        return "\n".join(lines) or NONE


def align(answer: str, words: Words, types: Sequence[str]) -> Output[Spans]:
    """Find the lines of an answer in the text.

    A mention is found where the text says it, case as written and white space of any length, from the beginning of a
    word to the end of one.  Lines stand in order of appearance, so a line means the first occurrence behind the entity
    of the line before; where there is none, the first that overlaps no entity yet; and otherwise the first that is not
    an entity of this type yet.

    Args:
        answer: Lines ``mention | type``, or ``none``.
        words: The text and its words.
        types: Those that are known, case regardless.

    Returns:
        The entities, sorted; ``None`` where no line has the form asked for.  The scores count all lines and those that
        were dropped: malformed, with an unknown type, or not found.
    """
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    if [line.casefold() for line in lines] == [NONE]:
        return Output((), dict.fromkeys((LINES, *DROPPED), 0.0))
    known = {kind.casefold(): kind for kind in types}
    counts = Counter({LINES: len(lines)})
    taken = _Taken(words.text)
    for line in lines:
        mention, _, written = (part.strip() for part in line.rpartition(SEPARATOR))
        if not mention or not written:
            counts[MALFORMED] += 1
            continue
        place = taken.next_place(words.occurrences(mention), kind := known.get(written.casefold(), ""))
        counts.update([UNKNOWN_TYPE] if not kind else [UNALIGNED] if place is None else [])
        if place is not None:
            taken.add(Span(*place, kind))  # an unknown type takes its place all the same
    found = tuple(sorted(span for span in taken.spans if span.type)) if counts[MALFORMED] < len(lines) else None
    return Output(found, {name: float(counts[name]) for name in (LINES, *DROPPED)})


class _Taken:
    """The places of the lines so far, so that many lines about a long text take no longer than they must.

    Attributes:
        spans: They, each once.
        last: Where the one of the last line ends.
    """

    def __init__(self, text: str) -> None:
        self.spans: set[Span] = set()
        self.last = 0
        self._covered = bytearray(len(text))

    def add(self, span: Span) -> None:
        """Take the place of a line."""
        self.spans.add(span)
        self.last = span.end
        self._covered[span.start : span.end] = b"\1" * (span.end - span.start)

    def next_place(self, places: Sequence[tuple[int, int]], kind: str) -> tuple[int, int] | None:
        """Which occurrence a line means; see :func:`align`."""
        free = [place for place in places if self._covered.find(1, *place) < 0]
        behind = (place for place in free if place[0] >= self.last)
        new = (place for place in places if Span(*place, kind) not in self.spans)
        return next(itertools.chain(behind, free, new), None)


@dataclass(frozen=True)
class WordEncoding:
    """One question per word of a text, answered by its tag.

    Attributes:
        instruction: What to find.
        types: The types.
    """

    instruction: str
    types: tuple[str, ...]

    @functools.cached_property
    def tags(self) -> tuple[str, ...]:
        """The choices."""
        return tag_names(self.types, "BIO")

    def ask(self, words: Words, spans: Spans | None) -> Sequence[Example]:
        """A question for every word.

        The word is named at the very end by its number and shown in brackets between its neighbours, so that all
        questions share what comes before.  Of entities that overlap, the longest is in the targets.
        """
        how = (
            "The user gives a text and the number of one of its words, which is shown in brackets between its "
            f"neighbours. Answer with the word's tag: B-type if it begins an entity, I-type if it continues one, "
            f"{OUTSIDE} if it is in none. Types: {', '.join(self.types)}."
        )
        targets = [None] * len(words.bounds) if spans is None else self._targets(words, spans)
        text = Part(words.text, may_cut=True)
        return tuple(
            Example(
                _messages(self.instruction, how, text, Part(f"\n\nWord {number + 1}: {_in_brackets(words, number)}")),
                choices=self.tags,
                target=target,
                key=number,
            )
            for number, target in enumerate(targets)
        )

    def parse(self, words: Words, predictions: Sequence[Prediction]) -> Output[Spans]:
        """The entities of the likeliest valid tagging; none where a word has no valid answer."""
        import numpy as np

        if not all(prediction.valid for prediction in predictions):
            return Output(None)
        logprobs = np.array([self._logprobs(prediction) for prediction in predictions])
        chunks = read_tags(best_tags(logprobs, self.tags), self.types, "BIO")
        return Output(tuple(map(words.span, chunks)))

    def _targets(self, words: Words, spans: Spans) -> Sequence[str | None]:
        whole = [span for span in spans if words.chunk(span) is not None]
        chunks = [chunk for span in without_overlaps(whole) if (chunk := words.chunk(span)) is not None]
        return write_tags(chunks, len(words.bounds), "BIO")

    def _logprobs(self, prediction: Prediction) -> list[float]:
        """Of each tag; an answer without any is taken for certain.

        They need not add up to one: what all tags of a word have in common says nothing about which tagging is best.
        """
        said: Mapping[str, float] = prediction.logprobs or {prediction.text: 0.0}
        return [max(said.get(tag, LEAST), LEAST) for tag in self.tags]


def _in_brackets(words: Words, number: int) -> str:
    start, end = words.bounds[number]
    first, last = words.bounds[max(number - NEIGHBOURS, 0)], words.bounds[number : number + NEIGHBOURS + 1][-1]
    shown = f"{words.text[first[0] : start]}[{words.text[start:end]}]{words.text[end : last[1]]}"
    return " ".join(shown.split())


def dictionary(source: Source) -> Baseline[Spans]:
    """A baseline that finds the mentions of the training rows again, each with its commonest type.

    Mentions are found from word to word, case as written; at each place the longest one is taken, and what follows it
    is searched from its end.

    Args:
        source: What reads the text of a row.
    """

    def answer(task: Task[Spans], train: Sequence[Row], rows: Sequence[Row]) -> Sequence[Output[Spans]]:
        known = _commonest_types((source.words(row), task.reference(row)) for row in train)
        longest = max((len(mention) for mention in known), default=0)
        return [Output(tuple(_look_up(source.words(row), known, longest))) for row in rows]

    return Baseline("dictionary", answer)


def _commonest_types(labelled: Iterable[tuple[Words, Spans]]) -> dict[tuple[str, ...], str]:
    """The type of each mention, as its words; the first by name, where two tie."""
    counts: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for words, spans in labelled:
        for chunk in filter(None, map(words.chunk, spans)):
            counts[words.texts[chunk.first : chunk.end]][chunk.type] += 1
    return {mention: min(found, key=lambda kind: (-found[kind], kind)) for mention, found in counts.items()}


def _look_up(words: Words, known: Mapping[tuple[str, ...], str], longest: int) -> Iterator[Span]:
    place = 0
    while place < len(words.texts):
        sizes = range(min(longest, len(words.texts) - place), 0, -1)
        end = next((place + size for size in sizes if words.texts[place : place + size] in known), None)
        if end is not None:
            yield words.span(Chunk(place, end, known[words.texts[place:end]]))
        place = place + 1 if end is None else end


def _messages(instruction: str, how: str, *parts: Part) -> tuple[Message, ...]:
    return Message("system", (Part(f"{instruction}\n\n{how}"),)), Message("user", parts)


def _encoding(name: str, encoding: EntityEncoding, instruction: str, types: tuple[str, ...]) -> Encoding:
    encodings: dict[str, type[LineEncoding | WordEncoding]] = {"lines": LineEncoding, "words": WordEncoding}
    if encoding not in encodings:
        msg = f"{name}: encoding={encoding!r} is not known; it is one of {', '.join(map(repr, encodings))}"
        raise PluginError(msg)
    return encodings[encoding](instruction, types)


def _source(
    name: str,
    types: Mapping[str, str],
    *,
    text: Column | None,
    spans: Column | None,
    tokens: Column | None,
    tags: Column | None,
    scheme: Scheme | None,
) -> Source:
    """What reads rows that are declared so."""
    if scheme is None and not (tokens or tags):
        text = text or Column("text", aliases=("sentence", "content"))
        return SpanColumns(text, spans or Column("entities", aliases=("spans",), label=True), types)
    if text or spans:
        msg = f"{name}: rows hold either text and spans, or tokens and tags with their scheme; declare one of the two"
        raise PluginError(msg)
    if scheme not in SCHEMES:
        msg = f"{name}: scheme={scheme!r}: say which scheme the tags follow ({', '.join(SCHEMES)}); it is not guessed"
        raise PluginError(msg)
    tokens = tokens or Column("tokens", aliases=("words",))
    return TagColumns(tokens, tags or Column("tags", aliases=("ner_tags",), label=True), scheme, types)


def _type_table(name: str, types: Sequence[str]) -> dict[str, str]:
    if isinstance(types, str) or not types or not all(isinstance(kind, str) for kind in types):
        msg = f"{name}: types must be a sequence of texts such as ('person', 'place'), not {types!r}"
        raise PluginError(msg)
    table = {kind.casefold(): kind for kind in types}
    unusable = [
        kind for kind in types if kind != kind.strip(" \t-") or SEPARATOR in kind or len(kind.splitlines()) != 1
    ]
    if unusable or len(table) != len(types):
        msg = (
            f"{name}: types must be distinct regardless of case, not empty, without {SEPARATOR!r} or line breaks, and "
            f"without spaces or hyphens at either end; got {list(types)}"
        )
        raise PluginError(msg)
    return table
