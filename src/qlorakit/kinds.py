"""Ready-made kinds of task: a plugin's task is one short declaration.

============================  ==================================================  =====================
kind                          a row is answered by                                the value is
============================  ==================================================  =====================
:func:`single_label`          the likeliest of the labels                         a label
:func:`multilabel`            yes or no to each label, or a ranking of them       the labels with a yes
:func:`multiple_choice`       the likeliest letter of its own options             a letter
:func:`number`                a number that is written                            a number
:func:`text`                  a text that is written                              a text
:func:`entities`              spans of its text                                   typed spans
============================  ==================================================  =====================
"""

from __future__ import annotations

import functools
import json
import math
import re
import string
import sys
from collections.abc import Mapping, Sequence
from numbers import Number
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from qlorakit import baselines
from qlorakit.cells import is_blank, is_missing, required_text
from qlorakit.entities import entities
from qlorakit.errors import DataError, PluginError, UnknownLabelError, did_you_mean, first_few, shown
from qlorakit.metrics import (
    NONE,
    accuracy,
    class_scores,
    exact_match,
    example_f1,
    macro_f1,
    mcc,
    multilabel_class_scores,
    multilabel_macro_f1,
    multilabel_micro_f1,
    numeric_match,
    ordinal_cost,
    quadratic_kappa,
    weighted_f1,
)
from qlorakit.numbers import Tolerance, read_number
from qlorakit.score_metrics import (
    auprc,
    auroc,
    brier,
    ece,
    log_loss,
    multilabel_auprc,
    multilabel_auroc,
    top_k_accuracy,
)
from qlorakit.task import (
    Baseline,
    Column,
    Decision,
    DecisionRule,
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
from qlorakit.text_metrics import chrf, exact_match_text, normalised, rouge
from qlorakit.thresholds import fit_thresholds

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

__all__ = [
    "Extras", "Tolerance", "choice_probabilities", "entities", "multilabel", "multiple_choice", "number",
    "required_text", "single_label", "text",
]  # fmt: skip

YES, NO = "yes", "no"
LARGEST = sys.float_info.max
RANKED = 0.15  # so that up to six labels that are equally likely are given
MANY_LABELS = 6  # from here on it matters how near a miss was
MAJORITY = Baseline("majority", baselines.majority, from_labels_alone=True)
TFIDF = Baseline("tfidf", baselines.tfidf)


class Extras(TypedDict, total=False):
    """What every kind takes besides; see :class:`~qlorakit.task.Task`.

    Attributes:
        file_formats: Domain file formats.
        group: A value shared by rows that must not be split apart.
        ignore_digits: Whether texts that differ in digits alone are near-duplicates.
        samples: Hand-written rows.
        datasets: Public data sets.
        metrics: Measured instead of the kind's own; the first one selects the best checkpoint.
        baselines: Instead of the kind's own.
    """

    file_formats: Sequence[FileFormat]
    group: Callable[[Row], Hashable] | None
    ignore_digits: bool
    samples: Sequence[Row]
    datasets: Sequence[PublicDataset]
    metrics: Sequence[Metric[Any]]
    baselines: Sequence[Baseline[Any]]


def single_label(
    name: str,
    *,
    summary: str,
    instruction: str,
    labels: Sequence[str],
    text: Column | Sequence[Column] | None = None,
    label: Column | None = None,
    show: Callable[[Row], str] | None = None,
    synonyms: Mapping[str, str] | None = None,
    ordered: bool = False,
    **extras: Unpack[Extras],
) -> Task[str]:
    """Declare a task that gives each text exactly one of a few labels.

    The instruction is the system message, the text the user's, and the answer one of the labels, chosen by likelihood.

    Args:
        name: ``"domain/task"``.
        summary: One line for listings.
        instruction: What to decide.  It should name the labels.
        labels: The closed set; distinct, not empty, without surrounding spaces.
        text: The column to classify, ``"text"`` unless told otherwise, or several.
        label: The column with the right answer, ``"label"`` unless told otherwise; case and surrounding spaces in
            it do not matter.
        show: What the model reads of a row; the text alone unless given.  Needed where there are several columns.
        synonyms: Labels by other names that public files have for them.
        ordered: Whether the labels are given in an order, so that it matters how far off an answer is: adds the ordinal
            cost and the quadratic kappa to the metrics.
        **extras: See :class:`Extras`.

    Raises:
        PluginError: The labels cannot be told apart, or it is not said how several columns are shown.
    """
    columns = _text_columns(name, text or Column("text", aliases=("sentence", "content")), show, "text")
    label = label or Column("label", label=True)
    known = _with_synonyms(name, _label_table(name, labels), synonyms or {})
    read = show or (lambda row: required_text(row, columns[0].name))

    def reference(row: Row) -> str:
        if is_blank(row.get(label.name)):
            msg = f"column {label.name!r} is empty; fill in one of {', '.join(map(repr, labels))}, or remove the row"
            raise DataError(msg)
        return _known_label(row[label.name], known, label.name)

    def ask(row: Row) -> Sequence[Example]:
        target = None if is_blank(row.get(label.name)) else reference(row)
        messages = _messages(instruction, Part(read(row).strip(), may_cut=True))
        return (Example(messages, choices=tuple(labels), target=target),)

    # Micro-F1 is left out: with one label per row it is the accuracy.
    ranks = (top_k_accuracy(3),) if len(labels) >= MANY_LABELS else ()
    steps = (ordinal_cost(labels), quadratic_kappa(labels)) if ordered else ()
    own: tuple[Metric[str], ...] = (
        macro_f1(labels), accuracy(), weighted_f1(labels), mcc(labels), *steps, *ranks, auroc(labels), auprc(labels),
        log_loss(labels), brier(labels), ece(),
    )  # fmt: skip
    return task_of(
        extras,
        name=name,
        summary=summary,
        kind="single label",
        format=ask,
        parse=_parse_choice,
        reference=reference,
        metrics=own,
        labels=tuple(labels),
        single=True,
        classes=lambda outputs, references: class_scores(outputs, references, labels),
        columns=(*columns, label),
        baselines=(MAJORITY, TFIDF),
        tells_text=False,
    )


def multilabel(
    name: str,
    *,
    summary: str,
    instruction: str,
    labels: Sequence[str] | Mapping[str, str],
    question: str = "Does this hold: {label}?",
    text: Column | None = None,
    label: Column | None = None,
    separator: str = ";",
    none_label: bool = True,
    encoding: Literal["questions", "ranking"] = "questions",
    **extras: Unpack[Extras],
) -> Task[tuple[str, ...]]:
    """Declare a task that gives each text any number of labels, none included.

    Each label is a question of its own about the text, answered yes or no by likelihood; what the questions have in
    common is computed once.  Or, where labels are many and rows have few of them, the labels are the choices of one
    question, ranked by likelihood, and each right one is learned from (the reduction "pick all labels" of Menon et al.,
    2019, Multilabel reductions): a row then costs little more than its text.  A label is given where its probability
    reaches its threshold, which is fitted on validation rows (:class:`~qlorakit.task.DecisionRule`); before, where a
    yes reaches one half, or the label's share of the ranking :data:`RANKED`.

    Args:
        name: ``"domain/task"``.
        summary: One line for listings.
        instruction: The system message: what is asked about the text, to be answered by yes or no, or by a label.
        labels: The closed set; where its names do not explain themselves, a mapping from each to its description.
        question: Put after the text; ``{label}`` stands for the label's description.  Not asked where labels are
            ranked.
        text: The column with the text, ``"text"`` unless told otherwise.
        label: The column with the right labels, ``"labels"`` unless told otherwise: a list or an
            array, in files also JSON, or a text in which they are parted by ``separator``.  An empty one means that
            none holds; a column that is missing, ``None`` or NaN, that it is not known.
        separator: See above.
        none_label: Whether a row without labels counts in micro- and macro-F1 as one of a further class, as in LexGLUE
            (Chalkidis et al., 2022).
        encoding: ``"questions"``, or ``"ranking"``, where ``"none"`` is a further choice, for rows without labels.
        **extras: See :class:`Extras`.

    Raises:
        PluginError: The labels cannot be told apart, the question does not name them, or there is no such encoding.
    """
    text = text or Column("text", aliases=("sentence", "content"))
    label = label or Column("labels", aliases=("label",), label=True)
    names = tuple(labels)
    known = _label_table(name, [*names, NONE] if encoding == "ranking" else names)
    described = dict(labels) if isinstance(labels, Mapping) else {item: item for item in names}
    _check_wording(name, encoding, question)
    put = (
        functools.partial(_ranking, names) if encoding == "ranking" else functools.partial(_yes_no, described, question)
    )
    rule: DecisionRule[tuple[str, ...]] = DecisionRule(
        functools.partial(fit_thresholds, labels=names),
        functools.partial(_above, names),
        dict.fromkeys(names, RANKED if encoding == "ranking" else 0.5),
    )

    def reference(row: Row) -> tuple[str, ...]:
        if is_missing(row.get(label.name)):
            msg = f"column {label.name!r} is missing or None; give a list of labels, empty where none holds"
            raise DataError(msg)
        found = {_known_label(item, known, label.name) for item in _items(row[label.name], separator, label.name)}
        return tuple(item for item in names if item in found)

    def ask(row: Row) -> Sequence[Example]:
        content = required_text(row, text.name)
        right = None if is_missing(row.get(label.name)) else reference(row)
        return put(instruction, content, right)

    def parse(row: Row, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Output[tuple[str, ...]]:
        del row
        if not all(prediction.valid and prediction.logprobs for prediction in predictions):
            return Output(None)
        shares = [choice_probabilities(prediction.logprobs or {}) for prediction in predictions]
        if encoding == "ranking":
            scores = {item: shares[0][item] for item in names}
        else:
            scores = {str(example.key): share[YES] for example, share in zip(examples, shares, strict=True)}
        return rule.apply(Output(None, scores), rule.default)

    return task_of(
        extras,
        name=name,
        summary=summary,
        kind="multilabel",
        format=ask,
        parse=parse,
        reference=reference,
        metrics=(
            multilabel_macro_f1(names, none_label=none_label), multilabel_micro_f1(names, none_label=none_label),
            example_f1(), exact_match(), multilabel_auroc(names), multilabel_auprc(names),
        ),
        labels=names,
        classes=lambda outputs, references: multilabel_class_scores(outputs, references, names, none_label=none_label),
        columns=(text, label),
        decision=rule,
        baselines=(MAJORITY, Baseline("tfidf", baselines.multilabel_tfidf)),
        tells_text=False,
    )  # fmt: skip


def multiple_choice(
    name: str,
    *,
    summary: str,
    instruction: str,
    options: Column | Sequence[Column],
    question: Column | None = None,
    answer: Column | None = None,
    context: Column | None = None,
    first: int | None = None,
    **extras: Unpack[Extras],
) -> Task[str]:
    """Declare a task that picks one of the options that each row brings along.

    The options are listed with letters, and the answer is a letter, chosen by likelihood.

    Args:
        name: ``"domain/task"``.
        summary: One line for listings.
        instruction: The system message.
        options: The column with a list of options, or one column for each.
        question: The column with the question, ``"question"`` unless told otherwise.
        answer: The column with the right answer, ``"answer"`` unless told otherwise: a letter, the option's text, or
            its number where ``first`` is given; a number is refused where it is not.
        context: A column with a text that is read before the question, which may be cut.
        first: The number of the first option, 0 or 1, where answers are numbers.
        **extras: See :class:`Extras`.
    """
    question = question or Column("question")
    answer = answer or Column("answer", label=True)
    option_columns = (options,) if isinstance(options, Column) else tuple(options)
    listed = isinstance(options, Column)

    def read_options(row: Row) -> list[str]:
        if not listed:
            return [required_text(row, column.name) for column in option_columns]
        found = row.get(option_columns[0].name)
        texts = list(found) if isinstance(found, list | tuple) else []
        most = len(string.ascii_uppercase)
        if not 1 < len(texts) <= most or not all(isinstance(item, str) and item.strip() for item in texts):
            name = option_columns[0].name
            msg = f"column {name!r}: a list of two or more texts, {most} at most, is needed, not {shown(found)}"
            raise DataError(msg)
        return texts

    def reference(row: Row) -> str:
        given, texts = row.get(answer.name), read_options(row)
        letters = string.ascii_uppercase[: len(texts)]
        if is_blank(given):
            msg = f"column {answer.name!r} is empty; fill in a letter from A to {letters[-1]}, or remove the row"
            raise DataError(msg)
        return letters[_place(given, texts, letters, first, answer.name)]

    def ask(row: Row) -> Sequence[Example]:
        texts = read_options(row)
        letters = tuple(string.ascii_uppercase[: len(texts)])
        lines = "".join(f"\n{letter}. {option}" for letter, option in zip(letters, texts, strict=True))
        before = _context(row, context)
        parts = (*before, Part(required_text(row, question.name) + lines))
        target = None if is_blank(row.get(answer.name)) else reference(row)
        return (Example(_messages(instruction, *parts), choices=letters, target=target),)

    columns = (*([context] if context else []), question, *option_columns, answer)
    return task_of(
        extras,
        name=name,
        summary=summary,
        kind="multiple choice",
        format=ask,
        parse=_parse_choice,
        reference=reference,
        metrics=(accuracy(), log_loss(), ece()),
        columns=columns,
        baselines=(MAJORITY,),
        tells_text=False,
    )


def number(
    name: str,
    *,
    summary: str,
    instruction: str,
    tolerance: Tolerance | None = None,
    question: Column | None = None,
    answer: Column | None = None,
    context: Column | None = None,
    **extras: Unpack[Extras],
) -> Task[float]:
    """Declare a task whose answer is a number that the model writes.

    Numbers are read as people write them: signs, currencies, thousands, percent, millions
    (:mod:`qlorakit.numbers`).  An answer without a number, or with several that differ, is invalid.

    Args:
        name: ``"domain/task"``.
        summary: One line for listings.
        instruction: The system message; it should say in which unit and form to answer.
        tolerance: When two numbers count as the same; half a percent, and a fraction equals its percent, unless given.
        question: The column with the question, ``"question"`` unless told otherwise.
        answer: The column with the right answer, ``"answer"`` unless told otherwise: a number, or a text with one.
        context: A column with what is to be read before the question, which may be cut.
        **extras: See :class:`Extras`.
    """
    tolerance = tolerance or Tolerance()
    question = question or Column("question")
    answer = answer or Column("answer", label=True)

    def reference(row: Row) -> float:
        given = row.get(answer.name)
        value = read_number(given) if isinstance(given, str) else given
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
            how = "write it like 1,250.5, 12% or -3"
            msg = f"column {answer.name!r} holds {shown(given)}, which is not one number; {how}"
            raise DataError(msg)
        return float(value)

    def ask(row: Row) -> Sequence[Example]:
        before = _context(row, context)
        known = not is_blank(row.get(answer.name)) and reference(row) is not None
        target = str(row[answer.name]).strip() if known else None
        messages = _messages(instruction, *before, Part(required_text(row, question.name)))
        return (Example(messages, target=target),)

    def parse(row: Row, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Output[float]:
        del row, examples
        (prediction,) = predictions
        return Output(read_number(prediction.text) if prediction.valid else None)

    return task_of(
        extras,
        name=name,
        summary=summary,
        kind="number",
        format=ask,
        parse=parse,
        reference=reference,
        metrics=(numeric_match(tolerance.accepts),),
        matches=tolerance.accepts,
        columns=(*([context] if context else []), question, answer),
        baselines=(MAJORITY,),
        tells_text=False,
    )


def text(
    name: str,
    *,
    summary: str,
    instruction: str,
    source: Column | Sequence[Column] | None = None,
    answer: Column | None = None,
    show: Callable[[Row], str] | None = None,
    **extras: Unpack[Extras],
) -> Task[Any]:
    """Declare a task whose answer is a text that the model writes, such as a summary.

    Args:
        name: ``"domain/task"``.
        summary: One line for listings.
        instruction: The system message.
        source: The column to read, ``"text"`` unless told otherwise, or several.
        answer: The column with the right text, ``"answer"`` unless told otherwise; a list where several are right, of
            which the first one is learned from.
        show: What the model reads of a row; the text alone unless given.  Needed where there are several columns.
        **extras: See :class:`Extras`.

    Raises:
        PluginError: It is not said how several columns are shown.
    """
    columns = _text_columns(name, source or Column("text", aliases=("document", "content")), show, "source")
    read = show or (lambda row: required_text(row, columns[0].name))
    answer = answer or Column("answer", aliases=("summary", "target"), label=True)

    def reference(row: Row) -> tuple[str, ...]:
        given = row.get(answer.name)
        texts = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list | tuple) else ()
        if not texts or not all(isinstance(item, str) and item.strip() for item in texts):
            msg = f"column {answer.name!r} holds {shown(given)}; give a text, or a list of texts that are all right"
            raise DataError(msg)
        return texts

    def ask(row: Row) -> Sequence[Example]:
        known = row.get(answer.name)
        target = None if is_blank(known) or known == [] else reference(row)[0].strip()
        return (Example(_messages(instruction, Part(read(row), may_cut=True)), target=target),)

    return task_of(
        extras,
        name=name,
        summary=summary,
        kind="text",
        format=ask,
        parse=_parse_text,
        reference=reference,
        metrics=(rouge("rougeL"), rouge("rouge1"), rouge("rouge2"), chrf(), exact_match_text()),
        matches=lambda value, references: normalised(value) in map(normalised, references),
        columns=(*columns, answer),
        baselines=(Baseline("lead", baselines.lead),),
    )


def _check_wording(name: str, encoding: str, question: str) -> None:
    if encoding not in {"questions", "ranking"}:
        msg = f"{name}: encoding={encoding!r}: must be 'questions' or 'ranking'"
        raise PluginError(msg)
    if "{label}" not in question:
        msg = f"{name}: question={question!r} must hold {{label}}, where the label's description goes"
        raise PluginError(msg)


def _yes_no(
    described: Mapping[str, str], question: str, instruction: str, content: str, right: tuple[str, ...] | None
) -> tuple[Example, ...]:
    """A question about the text for each label."""
    return tuple(
        Example(
            _messages(instruction, Part(content, may_cut=True), Part("\n\n" + question.format(label=description))),
            choices=(YES, NO),
            target=None if right is None else YES if item in right else NO,
            key=item,
        )
        for item, description in described.items()
    )


def _ranking(
    names: tuple[str, ...], instruction: str, content: str, right: tuple[str, ...] | None
) -> tuple[Example, ...]:
    """One question, with all labels and none of them as its choices."""
    target, *also = (None,) if right is None else right or (NONE,)
    messages = _messages(instruction, Part(content, may_cut=True))
    return (Example(messages, choices=(*names, NONE), target=target, also=tuple(filter(None, also))),)


def choice_probabilities(logprobs: Mapping[str, float]) -> dict[str, float]:
    """The probability of each choice, given that the answer is one of them."""
    top = max(logprobs.values())
    weights = {choice: math.exp(value - top) for choice, value in logprobs.items()}
    total = sum(weights.values())
    return {choice: weight / total for choice, weight in weights.items()}


def task_of(extras: Extras, **declared: Any) -> Task[Any]:  # noqa: ANN401  # the fields of Task
    """A task of the fields that its kind declares, but for those that whoever uses the kind gives instead."""
    given: dict[str, Any] = dict(extras)
    unknown = sorted(set(given) - set(Extras.__annotations__))
    if unknown:
        msg = f"{declared['name']}: unknown argument {unknown[0]!r}.{did_you_mean(unknown[0], Extras.__annotations__)}"
        raise PluginError(msg)
    fields = {key: value if key in {"group", "ignore_digits"} else tuple(value) for key, value in given.items()}
    return Task(**{**declared, **fields})


def _messages(instruction: str, *parts: Part) -> tuple[Message, ...]:
    return Message("system", (Part(instruction),)), Message("user", parts)


def _context(row: Row, column: Column | None) -> list[Part]:
    """What is read before a question, if there is anything."""
    if column is None or (column.optional and is_blank(row.get(column.name))):
        return []
    return [Part(required_text(row, column.name), may_cut=True), Part("\n\n")]


def _items(value: object, separator: str, column: str) -> list[str]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            msg = f"column {column!r} holds {shown(value)}, which begins like a list and is no JSON ({error})"
            raise DataError(msg) from error
    if isinstance(value, str):
        return [item for item in value.split(separator) if item.strip()]
    if hasattr(value, "tolist"):  # an array, as pandas has it of parquet
        value = value.tolist()
    if isinstance(value, list | tuple):
        return list(value)
    msg = f"column {column!r} holds {type(value).__name__} {shown(value)} where a list of labels is needed"
    raise DataError(msg)


def _known_label(value: object, known: Mapping[str, str], column: str) -> str:
    if is_missing(value):
        msg = f"column {column!r} holds a list with {value} in it; give a label there, or take it out"
        raise DataError(msg)
    written = str(value).strip().casefold()
    if written not in known:
        allowed, hint = first_few([*map(repr, dict.fromkeys(known.values()))]), did_you_mean(written, known)
        msg = f"column {column!r}: unknown label {shown(value)}; allowed: {allowed}.{hint}"
        raise UnknownLabelError(msg)
    return known[written]


def _label_table(name: str, labels: Sequence[str]) -> dict[str, str]:
    if isinstance(labels, str) or not all(isinstance(label, str) for label in labels):
        msg = f"{name}: labels must be a sequence of texts such as ('yes', 'no'), not {labels!r}"
        raise PluginError(msg)
    table = {label.strip().casefold(): label for label in labels}
    padded = [label for label in labels if label != label.strip()]
    if padded or len(table) != len(labels) or "" in table or len(labels) < 2:  # noqa: PLR2004  # one is no choice
        msg = (
            f"{name}: labels must be two or more, distinct regardless of case, not empty and without surrounding "
            f"spaces; got {list(labels)}"
        )
        raise PluginError(msg)
    return table


def _text_columns(
    name: str, given: Column | Sequence[Column], show: Callable[[Row], str] | None, argument: str
) -> tuple[Column, ...]:
    columns = (given,) if isinstance(given, Column) else tuple(given)
    if not columns or (len(columns) > 1 and show is None):
        names = [column.name for column in columns]
        msg = f"{name}: {argument}={names}: of several columns, show= must say what is read"
        raise PluginError(msg)
    return columns


def _with_synonyms(name: str, known: Mapping[str, str], synonyms: Mapping[str, str]) -> dict[str, str]:
    """Labels by their own names and by other ones."""
    others = {other.strip().casefold(): known.get(label.strip().casefold()) for other, label in synonyms.items()}
    wrong = next((other for other, label in others.items() if label is None or other in known), None)
    if wrong is not None:
        msg = f"{name}: synonyms: {wrong!r} must stand for one of the labels, and be none of them"
        raise PluginError(msg)
    return {**known, **{other: label for other, label in others.items() if label}}


def _place(given: object, texts: Sequence[str], letters: str, first: int | None, column: str) -> int:
    """Which option an answer means."""
    written = str(given).strip()
    if first is not None:
        whole = re.sub(r"\.0+$", "", written)  # a table with cells left blank makes 1 a 1.0
        found = [place for place in range(len(texts)) if str(first + place) == whole]
    elif isinstance(given, Number) and not isinstance(given, bool):
        msg = (
            f"column {column!r} holds the number {given}, and nothing tells from where it is counted; say first=0 or "
            f"first=1 to the task, or give a letter from A to {letters[-1]}"
        )
        raise DataError(msg)
    else:
        by_letter = letters.find(written) if len(written) == 1 else -1
        same = [place for place, item in enumerate(texts) if item.strip() == written and place != by_letter]
        found = [*same, *([by_letter] if by_letter >= 0 else [])]
    if len(found) > 1 and len({texts[place].strip() for place in found}) > 1:
        msg = (
            f"column {column!r} holds {shown(given)}, a letter that is also the text of another option; give numbers "
            "in all rows, and first=0 or first=1 to the task"
        )
        raise DataError(msg)
    if not found:
        how = f"a number from {first} on" if first is not None else f"a letter from A to {letters[-1]}, or an option"
        msg = f"column {column!r} holds {shown(given)}, which is none of the row's {len(texts)} options; give {how}"
        raise DataError(msg)
    return found[-1]


def _above(labels: Sequence[str], output: Output[tuple[str, ...]], decision: Decision) -> Output[tuple[str, ...]]:
    """The labels whose probability reaches the threshold."""
    if not output.scores:
        return output
    return Output(tuple(item for item in labels if output.scores[item] >= decision[item]), output.scores)


def _parse_choice(row: Row, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Output[Any]:
    del row, examples
    (prediction,) = predictions
    scores = choice_probabilities(prediction.logprobs) if prediction.logprobs else {}
    return Output(prediction.text if prediction.valid else None, scores)


def _parse_text(row: Row, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Output[Any]:
    del row, examples
    (prediction,) = predictions
    return Output(prediction.text if prediction.valid else None)
