"""Rows whose cells hold anything, and answers that say anything, for every ready-made kind and installed task."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from fuzzing.damage import changed, hostile_cells, hostile_texts
from fuzzing.files import LABEL, LABELS, SPANS, TAGS
from fuzzing.reader import ContractError, Reader, check
from qlorakit.document_questions import document_questions
from qlorakit.errors import DataError, QlorakitError
from qlorakit.kinds import multilabel, multiple_choice, number, text
from qlorakit.plugins import installed
from qlorakit.rows import as_rows, check_row, fingerprint, group_of, input_key, input_text, row_ids
from qlorakit.task import Column, Example, Prediction, Row, Task

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

SAMPLES = 3  # of each task, of those it brings
DOCUMENT = "The term is ten years. Either party may end it. The law of Ohio applies."
KINDS: tuple[tuple[Task[Any], tuple[Row, ...]], ...] = (
    (LABEL, ({"text": "Sales rose", "label": "up"},)),
    (LABELS, ({"text": "Sales rose", "labels": ["up"]}, {"text": "x", "labels": "up; down"})),
    (
        multilabel("fuzz/ranked", summary="-", instruction="-", labels=("up", "down"), encoding="ranking"),
        ({"text": "Sales rose", "labels": '["up"]'},),
    ),
    (TAGS, ({"tokens": ["Anna", "ran"], "tags": ["B-person", "O"]},)),
    (SPANS, ({"text": "Anna ran", "entities": [{"start": 0, "end": 4, "type": "person", "text": "Anna"}]},)),
    (
        multiple_choice("fuzz/choice", summary="-", instruction="-", options=Column("options")),
        ({"question": "Which?", "options": ["one", "two"], "answer": "B"},),
    ),
    (
        multiple_choice("fuzz/counted", summary="-", instruction="-", options=(Column("a"), Column("b")), first=1),
        ({"question": "Which?", "a": "one", "b": "two", "answer": 2},),
    ),
    (number("fuzz/number", summary="-", instruction="-"), ({"question": "How many?", "answer": "12 %"},)),
    (text("fuzz/text", summary="-", instruction="-"), ({"text": "A long text", "answer": ["Short", "Brief"]},)),
    (
        document_questions("fuzz/document", summary="", instruction="", questions={"term": "Long?", "law": "What?"}),
        (
            {"text": DOCUMENT, "answers": [{"question": "term", "answer": "present", "evidence": [[0, 22]]}]},
            {"text": DOCUMENT, "answers": [{"question": "law", "answer": "present", "evidence": [DOCUMENT[-24:]]}]},
        ),
    ),
)  # fmt: skip


@functools.cache
def _tasks() -> dict[str, tuple[Task[Any], tuple[Row, ...]]]:
    plugins = {name: (task, task.samples[:SAMPLES]) for name, task in sorted(installed().tasks.items())}
    return {task.name: (task, samples) for task, samples in KINDS} | plugins


def _row(given: tuple[str, Any]) -> None:
    """A row is asked and has an answer, or is refused; a task has no other way out."""
    name, row = given[0], as_rows([given[1]])[0]
    task, _ = _tasks()[name]
    check_row(row, task, labelled=False, where="the row")
    for use in (lambda: input_key(row, task), lambda: input_text(row, task), lambda: group_of(row, task, 0)):
        _allow(use)
    row_ids([row]), fingerprint([row])
    task.reference(row)
    examples = task.format(row)
    check(all(isinstance(example.target, str | None) for example in examples), "a target that is no text", examples)
    _perfect(task, row, examples)


def _perfect(task: Task[Any], row: Row, examples: Sequence[Example]) -> None:
    """The right answers, as a model would give them, are read."""
    if examples and all(example.target is not None for example in examples):
        _check_output(task, row, examples, [_sure(example) for example in examples])


def _sure(example: Example) -> Prediction:
    right = str(example.target)
    return Prediction(right, logprobs={one: 0.0 if one == right else -50.0 for one in example.choices or ()} or None)


def _allow(use: Callable[[], object]) -> None:  # a function
    try:
        use()
    except DataError:
        return


Said = tuple[str, bool, float, int]


def _answers(given: tuple[str, int, list[Said]]) -> None:
    """Whatever a model says is an answer or an invalid one, never an error: an evaluation would end there."""
    name, place, said = given
    task, samples = _tasks()[name]
    row = samples[place % len(samples)]
    examples = task.format(row)
    predictions = [_prediction(example, said[number % len(said)]) for number, example in enumerate(examples)]
    try:
        _check_output(task, row, examples, predictions)
    except QlorakitError as error:
        msg = f"an answer ends the evaluation: {error}: {predictions[:2]!r:.300}"
        raise ContractError(msg) from error


def _prediction(example: Example, said: Said) -> Prediction:
    words, valid, spread, first = said
    if example.choices is None:
        return Prediction(words, valid)
    places = range(len(example.choices))
    logprobs = {one: -spread * ((n + first) % len(places)) for n, one in zip(places, example.choices, strict=True)}
    return Prediction(max(logprobs, key=logprobs.__getitem__), valid, logprobs)


def _check_output(task: Task[Any], row: Row, examples: Sequence[Example], said: Sequence[Prediction]) -> None:
    output = task.parse(row, examples, said)
    if task.decision is not None:
        output = task.decision.apply(output, task.decision.default)
    finite = all(math.isfinite(score) for score in output.scores.values())
    check(finite, "a score that is not finite", output.scores)
    reference = _reference(task, row)
    if reference is not None:
        for metric in task.metrics:
            if not metric.needs_scores or output.scores:
                metric.compute([output], [reference], [row])


def _reference(task: Task[Any], row: Row) -> object:  # any value
    try:
        return task.reference(row)
    except DataError:
        return None


def _damaged_rows() -> SearchStrategy[Any]:
    names = st.sampled_from(list(_tasks()))
    change = st.tuples(
        st.sampled_from(("replace", "replace", "remove", "repeat", "wrap")), st.integers(0, 1000), hostile_cells()
    )

    def damaged(name: str, place: int, changes: list[tuple[str, int, Any]]) -> tuple[str, Any]:
        samples = _tasks()[name][1]
        found = changed(samples[place % len(samples)], changes)
        return name, found if isinstance(found, Mapping) else {"text": found}

    return st.builds(damaged, names, st.integers(0, 10), st.lists(change, min_size=1, max_size=3))


def _said() -> SearchStrategy[Any]:
    words = st.one_of(hostile_texts(), hostile_texts().map("{}\nnone | person\n12".format))
    spread = st.sampled_from((0.0, 1e-9, 1.0, 5.0, 1e3, 1e300))
    said = st.tuples(words, st.booleans(), spread, st.integers(0, 5))
    return st.tuples(st.sampled_from(list(_tasks())), st.integers(0, 10), st.lists(said, min_size=1, max_size=3))


READERS: tuple[Reader, ...] = (
    Reader("cells of rows, by tasks", _damaged_rows, _row, 3),
    Reader("answers of models, by tasks", _said, _answers, 1.5),
)
