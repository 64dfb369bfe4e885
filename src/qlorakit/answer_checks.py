"""Checks of how a task reads answers: right ones, one question's among several, and nonsense."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from qlorakit.fakes import answered
from qlorakit.problems import Problems, Sample, guarded, of_samples
from qlorakit.task import Output, Prediction

if TYPE_CHECKING:
    from qlorakit.task import Baseline, Example, Row, Task

    Answers = Sequence[Prediction]

MOST_ROWS = 3  # with several questions, each of which is answered otherwise in turn
NONSENSE = {
    "an empty text": "",
    "nonsense": "nonsense",
    "control characters": "\x00\x07\x1b[31m\x7f\u2028\r\n",
    "10,000 characters": "9a | " * 2_000,
    "a number beyond all bounds": "-1e999",
    "texts of control tokens": "</s> <|im_end|> <|end|> [INST] <think>",
}


def right_answers(sample: Sample) -> list[Prediction]:
    """What a model says that is right and sure."""
    return [answered(example, *(example.right or (str(None),))) for example in sample.examples]


def parsed(task: Task[Any], sample: Sample, answers: Answers) -> Output[Any]:
    """What the task reads, by its default decision.

    Raises:
        TypeError: It is no output.
    """
    output = task.parse(sample.row, sample.examples, answers)
    if not isinstance(output, Output):
        msg = f"parse gives {type(output).__name__} where a qlorakit.task.Output is needed"
        raise TypeError(msg)
    return task.decision.apply(output, task.decision.default) if task.decision else output


# Right answers


def of_right_answers(task: Task[Any], samples: Sequence[Sample]) -> Problems:
    """Whether right answers are read as the reference."""
    yield from of_samples("parse of right answers", samples, partial(_of_right, task))


def _of_right(task: Task[Any], sample: Sample) -> Problems:
    value, expected = parsed(task, sample, right_answers(sample)).value, sample.reference
    if task.expressible is not None:
        expected = task.expressible(sample.row).value
        if not _same(task, expected, sample.reference):
            yield (
                f"of its reference {sample.reference!r}, answers in the task's format can only say {expected!r} "
                "(Task.expressible); change the row, so that samples show what the task can do"
            )
    if not _same(task, value, expected):
        yield f"right answers are read as {value!r}, and right is {expected!r}; make parse undo what format asks for"
    elif task.expressible is None and not task.matches(value, sample.reference):
        yield f"matches says that {value!r} is wrong, though right is {sample.reference!r}; correct it"


def _same(task: Task[Any], value: object, expected: object) -> bool:
    """Whether they are equal, or match where they are of different kinds, as a text and all that would be right are."""
    if value is None or type(value) is type(expected):
        return bool(value == expected)
    return bool(task.matches(value, expected))


# Several questions


def of_several_questions(task: Task[Any], samples: Sequence[Sample]) -> Problems:
    """Whether the answers to several questions about one row become one output that heeds each of them."""
    several = [sample for sample in samples if len(sample.examples) > 1]
    others = list(chain.from_iterable(sample.examples for sample in samples))
    invalid = partial(_of_one_invalid, task, others)
    yield from of_samples("parse with one invalid answer among several", several, invalid)
    heeds = partial(_of_unheeded, task, others)
    yield from of_samples("parse with one other answer among several", several[:MOST_ROWS], heeds)


def _of_one_invalid(task: Task[Any], others: Sequence[Example], sample: Sample) -> Problems:
    """Whether a right value rests on an answer that was invalid.

    It does where a valid answer of another kind to the same question would have changed the value.  Where it would
    not, as for a label that another part of the text was found to have, the valid answers suffice.
    """
    answers = right_answers(sample)
    for place in sorted({0, len(answers) - 1}):
        value = parsed(task, sample, _changed(answers, place, Prediction(answers[place].text, valid=False))).value
        if value is None or not task.matches(value, sample.reference):
            continue
        possible = _other_answers(sample.examples[place], others)
        if any(parsed(task, sample, _changed(answers, place, other)).value != value for other in possible):
            yield (
                "with one invalid answer among several the value is right by luck: it hangs on that answer, which is "
                "taken for a valid one; where such an answer matters, give Output(None)"
            )
            return


def _of_unheeded(task: Task[Any], others: Sequence[Example], sample: Sample) -> Problems:
    """Questions whose answer decides nothing, neither beside right answers nor beside undecided or wrong ones."""
    undecided = [_undecided(example) for example in sample.examples]
    wrong = [next(_other_answers(example, others), _undecided(example)) for example in sample.examples]
    starts = [right_answers(sample), undecided, wrong]
    before = [parsed(task, sample, start) for start in starts]
    for place, example in enumerate(sample.examples):
        changes = (
            parsed(task, sample, _changed(start, place, other)) != was
            for start, was in zip(starts, before, strict=True)
            for other in [starts[0][place], *_other_answers(example, others)]
        )
        if not any(changes):
            yield f"any answer to question {place + 1} (key {example.key!r}) gives the same output; let parse read it"


def _undecided(example: Example) -> Prediction:
    if example.choices is None:
        return Prediction(str(example.target))
    return Prediction(example.choices[0], logprobs=dict.fromkeys(example.choices, 0.0))


def _other_answers(example: Example, others: Iterable[Example]) -> Iterator[Prediction]:
    """Other choices, or what is right elsewhere."""
    texts = example.choices or [str(other.target) for other in others if other.choices is None]
    return (answered(example, text) for text in dict.fromkeys(texts) if text != example.target)


def _changed(answers: Answers, place: int, other: Prediction) -> list[Prediction]:
    return [*answers[:place], other, *answers[place + 1 :]]


# Wrong ones


def of_nonsense(task: Task[Any], samples: Sequence[Sample]) -> Problems:
    """Whether invalid answers are none, and generated nonsense is read without an exception."""
    yield from of_samples("parse of invalid answers", samples, partial(_of_invalid, task))
    written = [sample for sample in samples if any(example.choices is None for example in sample.examples)]
    for what, text in NONSENSE.items():
        yield from of_samples(f"parse of {what}", written, partial(_of_written, task, text))


def _of_invalid(task: Task[Any], sample: Sample) -> Problems:
    value = parsed(task, sample, [Prediction(str(example.target), valid=False) for example in sample.examples]).value
    if value is not None:
        yield f"invalid answers are read as {value!r}; where Prediction.valid is False, give Output(None)"


def _of_written(task: Task[Any], text: str, sample: Sample) -> Iterable[str]:
    answers = [
        Prediction(text) if example.choices is None else right
        for example, right in zip(sample.examples, right_answers(sample), strict=True)
    ]
    output = parsed(task, sample, answers)
    if output.value is not None:
        bool(task.matches(output.value, sample.reference))
        for metric in task.metrics:
            if not metric.needs_scores:
                metric.compute([output], [sample.reference], [sample.row])
    return ()


# Baselines


def of_baselines(task: Task[Any], samples: Sequence[Sample]) -> Problems:
    """Whether every baseline answers the rows it learned from."""
    rows = [sample.row for sample in samples]
    for baseline in task.baselines:
        yield from guarded(f"baseline {baseline.name!r}", partial(_of_baseline, task, baseline, rows))


def _of_baseline(task: Task[Any], baseline: Baseline[Any], rows: Sequence[Row]) -> Problems:
    outputs = baseline.answer(task, rows, rows)
    if len(outputs) != len(rows) or not all(isinstance(output, Output) for output in outputs):
        yield f"baseline {baseline.name!r} gives {len(outputs)} answers to {len(rows)} rows; give one Output for each"
