"""Checks of what a task declares, and of what it asks about its sample rows."""

from __future__ import annotations

import contextlib
import copy
import logging
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from qlorakit.cells import is_blank
from qlorakit.encoding import Encoder
from qlorakit.errors import DataError, EncodingError
from qlorakit.problems import Problems, Sample, gathered, guarded, of_samples, told
from qlorakit.rows import input_key
from qlorakit.splits import split
from qlorakit.task import Example, Metric, PublicDataset

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from qlorakit.task import Row, Task

FEWEST_SAMPLES = 12
CONTEXT = 4_096  # tokens, for samples
NAME = re.compile(r"[a-z0-9_-]+/[a-z0-9_-]+")


# What it declares


def of_declaration(task: Task[Any]) -> Problems:
    """What is missing or malformed, before anything is asked."""
    if not NAME.fullmatch(task.name):
        yield f"name: {task.name!r} is not like 'domain/task' in lower case, of letters, digits, '_' and '-'; rename it"
    yield from _of_summary(task.summary)
    yield from _of_metrics(task.metrics)
    yield from _of_columns(task)
    for dataset in task.datasets:
        yield from _of_dataset(dataset)


def _of_summary(summary: str) -> Problems:
    if not summary.strip() or len(summary.splitlines()) != 1:
        yield f"summary: {summary!r} is not one line; say in one line what the task decides"
    if summary.rstrip().endswith("."):
        yield f"summary: {summary!r} ends with a full stop; leave it out, as listings do"


def _of_metrics(metrics: Sequence[Metric[Any]]) -> Problems:
    if not metrics:
        yield "metrics: there are none; give one at least, the first of which selects the best checkpoint"
    for name, count in Counter(metric.name for metric in metrics).items():
        if count > 1:
            yield f"metrics: {count} are called {name!r}; rename all but one"
        if not name.isidentifier():
            yield f"metrics: the name {name!r} is not made of letters, digits and '_'; rename it"
    for metric in metrics:
        if (metric.counts is None) != (metric.from_counts is None):
            yield f"metric {metric.name!r} has counts or from_counts alone; each needs the other, so give both or none"


def _of_columns(task: Task[Any]) -> Problems:
    names = [column.name for column in task.columns]
    if not all(name.strip() for name in names):
        yield "columns: one has a blank name; name it as rows do"
    for name, count in Counter(names).items():
        if count > 1:
            yield f"columns: {count} are called {name!r}; declare it once"
    for label, what in ((False, "that is read"), (True, "with label=True that holds the right answer")):
        if all(column.label is not label for column in task.columns):
            yield f"columns: there is none {what}; declare it, so that files are read by it"


def _of_dataset(dataset: PublicDataset) -> Problems:
    for field in fields(dataset):
        value = getattr(dataset, field.name)
        if field.name in {"columns", "traps"}:
            listed = isinstance(value, tuple) and all(isinstance(item, str) and item.strip() for item in value)
            if not listed or (field.name == "columns" and not value):
                yield f"data set {dataset.name!r}: {field.name} is {value!r}; give a tuple of texts, none of them blank"
        elif not isinstance(value, str) or not value.strip():
            yield f"data set {dataset.name!r}: {field.name} is blank; fill it in"


# What it asks about one row


def read_samples(task: Task[Any]) -> tuple[list[Sample], list[str]]:
    """The samples that can be asked and answered, and what is wrong with the others."""
    sound: list[Sample] = []
    found: list[tuple[int, str]] = []
    for number, row in enumerate(task.samples, start=1):
        problems = list(guarded("format", partial(_of_reading, task, number, row, sound)))
        found.extend((number, problem) for problem in problems)
    return sound, list(gathered(found))


def _of_reading(task: Task[Any], number: int, row: Row, sound: list[Sample]) -> Problems:
    """What is wrong with a row; what is sound is put to the others."""
    own = copy.deepcopy(row)
    examples = tuple(task.format(own))
    problems = [*_of_examples(examples)]
    if tuple(task.format(own)) != examples:
        problems.append("format gives other examples when it is called again; make it depend on the row alone")
    if own != row:
        problems.append("format changes the row; work on a copy")
    yield from problems
    try:
        reference = task.reference(row)
    except Exception as error:  # noqa: BLE001  # whatever a task raises is what is to be told
        yield f"reference fails with {told(error)}"
        return
    if not problems:
        sound.append(Sample(number, row, examples, reference))


def _of_examples(examples: Sequence[Example]) -> Problems:
    if not examples:
        yield "format gives no example; ask one question at least"
    if not all(isinstance(example, Example) for example in examples):
        yield "format gives something other than qlorakit.task.Example; make each question one"
        return
    if len({example.key for example in examples}) != len(examples):
        yield "two questions have the same key; give each its own, such as the label it asks about"
    yield from dict.fromkeys(problem for example in examples for problem in _of_answers(example))


def _of_answers(example: Example) -> Problems:
    target, choices = example.target, example.choices
    if target is None:
        yield "an example has no target, though the row is labelled; set it from the label column"
    elif not target.strip():
        yield "a target is blank; say 'none' or the like where nothing is right, so that there is something to learn"
    if choices is None:
        return
    if not choices or not all(choice.strip() for choice in choices):
        yield f"the choices {choices!r} are none, or one is blank; give each a text, or None for free text"
    if len(set(choices)) != len(choices):
        yield f"a choice occurs twice in {choices!r}; make them distinct"
    if target is not None and target not in choices:
        yield f"the target {target!r} is not among the choices {choices!r}; make it one of them"


def of_leaks(task: Task[Any], samples: Sequence[Sample]) -> Problems:
    """Whether what is asked tells what is right."""
    labels = {column.name for column in task.columns if column.label}
    yield from of_samples("format of a row without its label columns", samples, partial(_of_leak, task, labels))


def _of_leak(task: Task[Any], labels: set[str], sample: Sample) -> Problems:
    asked = tuple(task.format({name: cell for name, cell in sample.row.items() if name not in labels}))
    if any(example.target is not None for example in asked):
        yield "a row without its label columns has a target all the same; declare the column it comes from label=True"
    if [replace(example, target=None, also=()) for example in sample.examples] != [
        replace(example, target=None, also=()) for example in asked
    ]:
        yield (
            "messages, choices or keys are others without the label columns, so that what is asked gives the label "
            "away; make them of the other columns alone"
        )


# As tokens


def of_encoding(samples: Sequence[Sample], tokenizer: PreTrainedTokenizerBase) -> Problems:
    """Whether the questions and targets become tokens, as they do in training and evaluation."""
    encoder = Encoder(tokenizer, max_length=CONTEXT)
    yield from of_samples("encoding", samples, partial(_of_tokens, encoder))


def _of_tokens(encoder: Encoder, sample: Sample) -> Iterable[str]:
    return dict.fromkeys(problem for example in sample.examples for problem in _of_encoded(encoder, example))


def _of_encoded(encoder: Encoder, example: Example) -> Problems:
    try:
        encoded = encoder.encode(example)
    except EncodingError as error:
        yield f"it does not fit into {CONTEXT} tokens, or cannot be encoded: {error}"
        return
    target = [token for token in encoded.target or () if token not in encoder.control_ids]
    if len(target) > encoder.max_new_tokens:
        yield (
            f"its target has {len(target)} tokens, and {encoder.max_new_tokens} are generated unless told otherwise, "
            "so that it would be cut; shorten it"
        )
    said = encoder.tokenizer.decode(target, clean_up_tokenization_spaces=False)
    if said.split() != str(example.target).split():
        yield f"as tokens the target {example.target!r} reads {said.strip()!r}; leave texts of control tokens out of it"


# All together


def of_all(task: Task[Any], samples: Sequence[Sample]) -> Problems:
    """Whether there are enough samples, distinct and divisible."""
    if len(task.samples) < FEWEST_SAMPLES:
        yield (
            f"samples: there are {len(task.samples)}; write {FEWEST_SAMPLES} rows by hand or more, so that the task "
            "can be tried without any data"
        )
    asked: dict[str, list[int]] = defaultdict(list)
    for sample in samples:
        asked[input_key(sample.row, task)].append(sample.number)
    for numbers in asked.values():
        if len(numbers) > 1:
            yield f"samples {', '.join(map(str, numbers))} ask the same; change all but one"
    if samples and len(samples) == len(task.samples):
        yield from _of_split(task)


def _of_split(task: Task[Any]) -> Problems:
    try:
        with _silent("qlorakit.splits"):
            split(list(task.samples), task=task, seed=0)
    except DataError as error:
        yield f"samples: qlorakit.split cannot divide them into three sides: {error}"


@contextlib.contextmanager
def _silent(name: str) -> Iterator[None]:
    """Leave what a module would log out of the log."""
    logger, nothing = logging.getLogger(name), logging.Filter("no logger of this name")
    logger.addFilter(nothing)
    try:
        yield
    finally:
        logger.removeFilter(nothing)


def of_group(task: Task[Any], samples: Sequence[Sample]) -> Problems:
    """Whether rows can be kept together."""
    if task.group is not None:
        yield from of_samples("group", samples, partial(_of_grouping, task.group))


def _of_grouping(group: Any, sample: Sample) -> Problems:  # noqa: ANN401  # of any task
    value = group(sample.row)
    try:
        hash(value)
    except TypeError:
        yield f"its group {value!r} is not hashable; give a text, a number or a tuple of them"
    if group(sample.row) != value:
        yield "group gives another value when it is called again; make it depend on the row alone"
    for name in sample.row:
        yield from _of_blank_cell(group, sample.row, name)


def _of_blank_cell(group: Any, row: Row, name: str) -> Problems:  # noqa: ANN401  # of any task
    """A cell that makes no group where it is None makes none either where a file or a table leaves it out otherwise."""
    values: dict[str, object] = {"None": None, "blank": "  ", "NaN": math.nan}
    try:
        found = {what: group({**row, name: value}) for what, value in values.items()}
    except Exception:  # noqa: BLE001  # a row that is refused is in no group
        return
    wrong = [what for what, value in found.items() if not is_blank(value)]
    if wrong and is_blank(found["None"]):
        yield (
            f"column {name!r} is {wrong[0]}: group gives {found[wrong[0]]!r}, which joins all such rows; give None "
            "(qlorakit.cells.is_blank tells)"
        )
