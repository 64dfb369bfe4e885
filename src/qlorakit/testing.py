"""What the tests of a plugin call: checks that a task keeps what the core relies on, and fakes to test it with.

::

    from qlorakit.testing import check_plugin, check_task

    def test_the_task_keeps_what_the_core_relies_on():
        check_task(TASK)

    def test_the_plugin_is_complete():
        check_plugin("qlorakit-support")
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from qlorakit import rows as _rows
from qlorakit.answer_checks import of_baselines, of_nonsense, of_right_answers, of_several_questions
from qlorakit.errors import PluginError
from qlorakit.fakes import outputs_of, perfect_predictions, shuffled_predictions, small_model, small_tokenizer
from qlorakit.hostile_rows import of_hostile_rows
from qlorakit.metric_checks import of_labels_and_metrics
from qlorakit.plugin_checks import of_distribution
from qlorakit.problems import Problems, Sample, condensed, guarded
from qlorakit.sample_checks import of_all, of_declaration, of_encoding, of_group, of_leaks, read_samples

if TYPE_CHECKING:
    from collections.abc import Callable

    from transformers import PreTrainedTokenizerBase

    from qlorakit.task import Task

__all__ = [
    "check_plugin", "check_task", "outputs_of", "perfect_predictions", "shuffled_predictions", "small_model",
    "small_tokenizer",
]  # fmt: skip

VOCABULARY = 2_000


def check_task(task: Task[Any], *, tokenizer: PreTrainedTokenizerBase | None = None) -> None:
    """Check everything the core relies on, with the task's own sample rows.

    - What it declares: name, summary, metrics, columns, data sets with licence and citation.
    - Samples: a dozen at least, distinct, with every label, enough for a split; the question does not tell the label;
      every question and target becomes tokens whole.
    - Answers: right ones are read as the reference; each of several questions matters; invalid ones are none, and no
      value hangs on one; nonsense gives no exception.
    - Metrics: all can be measured; they are perfect for right answers, worse for those of other rows and for invalid
      ones, and the same by every fast way.
    - Hostile rows: missing or wrong cells raise :class:`~qlorakit.errors.DataError` with the column's name in quotes,
      huge or confusing texts are asked as the plain text they are, and cells of columns that are not declared raise
      nothing else.
    - Baselines answer every row, and groups are hashable.

    Args:
        task: To be checked.
        tokenizer: With a chat template; a small one that has learned from the samples unless given.

    Raises:
        PluginError: Something is wrong; the message lists all of it, each with what to do.
        ConfigurationError: It is no task.
    """
    _rows.check_task(task)
    _refuse(task.name, list(condensed(_of_task(task, tokenizer))))


def check_plugin(distribution: str) -> None:
    """Check an installed distribution, and each of its tasks.

    It loads, supplies a task, a model or a recogniser, and requires a core between two versions; its README names every
    task, every public data set and its licence; importing it brings no heavy library along and reaches for no network;
    and every task passes :func:`check_task`.

    Args:
        distribution: Its name, such as ``"qlorakit-support"``.

    Raises:
        PluginError: Something is wrong; the message lists all of it, each with what to do.
    """
    problems, tasks = of_distribution(distribution)
    problems += [f"{task.name}: {problem}" for task in tasks for problem in condensed(_of_task(task, None))]
    _refuse(distribution, problems)


def _refuse(name: str, problems: Sequence[str]) -> None:
    if problems:
        listed = "".join(f"\n{number}. {problem}" for number, problem in enumerate(problems, start=1))
        msg = f"{name}: {len(problems)} problem{'s' if len(problems) > 1 else ''} found{listed}"
        raise PluginError(msg)


def _of_task(task: Task[Any], tokenizer: PreTrainedTokenizerBase | None) -> Problems:
    yield from guarded("what is declared", partial(of_declaration, task))
    samples, unsound = read_samples(task)
    yield from unsound
    for doing, find in _checks(task, samples, tokenizer):
        yield from guarded(doing, find)


def _checks(
    task: Task[Any], samples: Sequence[Sample], tokenizer: PreTrainedTokenizerBase | None
) -> Iterator[tuple[str, Callable[[], Problems]]]:
    """What is checked of samples, and how to call it where that fails."""
    yield "looking at all samples", partial(of_all, task, samples)
    if not samples:
        return
    tokenizer = tokenizer or small_tokenizer(_texts(samples), vocab_size=VOCABULARY)
    yield "looking for labels in what is asked", partial(of_leaks, task, samples)
    yield "grouping", partial(of_group, task, samples)
    yield "encoding", partial(of_encoding, samples, tokenizer)
    yield "reading right answers", partial(of_right_answers, task, samples)
    yield "reading several answers", partial(of_several_questions, task, samples)
    yield "reading nonsense", partial(of_nonsense, task, samples)
    if len(samples) == len(task.samples):
        yield "measuring", partial(of_labels_and_metrics, task, samples)
        yield "answering without a model", partial(of_baselines, task, samples)
    yield "asking about hostile rows", partial(of_hostile_rows, task, samples, tokenizer)


def _texts(samples: Sequence[Sample]) -> Iterator[str]:
    for sample in samples:
        for example in sample.examples:
            yield from (message.text for message in example.messages)
            yield from example.choices or [str(example.target)]
