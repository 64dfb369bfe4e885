"""The numbers of a report as tables of words, which terminal, markdown and page draw each in its own way.

Words of the data stand here as they are: whoever draws them makes them harmless, with :func:`clean` and by escaping.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from qlorakit.document_metrics import DOCUMENTS
from qlorakit.errors import DataError
from qlorakit.score_metrics import confidence
from qlorakit.task import Output

if TYPE_CHECKING:
    from qlorakit.report import Comparison, Cost, Report, Slices, System
    from qlorakit.task import ClassScores

NOTHING = "-"
NO_ANSWER = "no valid answer"
EMPTY = "(empty)"
TRAINING_LOSS = "training loss"
HIGHER = "higher_is_better"  # a setting that is told beside the metrics
INVALID = "invalid"
CONFUSIONS_SHOWN = 15
ERRORS_SHOWN = 12
LONGEST_TEXT = 1200  # letters of a row's text that are shown
TRAINING_SHOWN = 12
FINDINGS_SHOWN = 6  # of a document that are shown
CHOICES = "multiple choice"  # a kind of task with scores that are probabilities, though it has no labels
# What could command a terminal, turn the direction of a line, end it, or not be written to a file.
COVERAGES = (0.25, 0.5, 0.75, 0.9, 1.0)


@dataclass(frozen=True)
class DataTable:
    """A table of words.

    Attributes:
        title: What it shows.
        columns: Their names.
        rows: Cells, [rows, columns].
        words: How many columns, from the first one, hold words; the others hold numbers.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1


@dataclass(frozen=True)
class WrongAnswer:
    """A row that a system answered wrongly.

    Attributes:
        row: Its id.
        truth: What is right; a dash where the report does not hold it.
        answer: What was answered; likewise.
        confidence: How sure the system was; ``None`` where it gave no probabilities.
        text: Of the row, where the report holds it.
    """

    row: str
    truth: str
    answer: str
    confidence: float | None
    text: str


def metric_table(report: Report) -> DataTable:
    """Metrics as rows, systems as columns, with the share of invalid answers last."""
    names = ("metric", *(system.name for system in report.systems), *(("ceiling",) if report.ceiling else ()))
    rows = [
        (metric, *(str(system.metrics[metric]) for system in report.systems), *_ceiling(report, metric))
        for metric in report.systems[0].metrics
    ]
    invalid = ("invalid answers", *(f"{system.invalid:.1%}" for system in report.systems))
    title = f"{report.task}: {count_rows(report.rows)}, value [{interval_name(report)}]"
    return DataTable(title, names, (*rows, (*invalid, *((NOTHING,) if report.ceiling else ()))))


def interval_name(report: Report) -> str:
    """Such as ``95% interval``."""
    return f"{100 * float(report.settings['confidence']):g}% interval"


def count_rows(rows: int) -> str:
    """Such as ``1,234 rows``."""
    return f"{rows:,} row" if rows == 1 else f"{rows:,} rows"


def lower_is_better(report: Report) -> list[str]:
    """The metrics of which less is better."""
    return [metric for metric in report.systems[0].metrics if not report.better_if_higher(metric)]


def comparison_table(report: Report) -> DataTable | None:
    """The first system against each other one, with the tests of their differences."""
    if not report.comparisons:
        return None
    first, metric = report.systems[0].name, report.metric
    columns = (
        f"{first} against", f"difference in {metric}", "p", "p, adjusted", f"only {first} right",
        "only the other right", "McNemar's exact p", "mid-p",
    )  # fmt: skip
    return DataTable(
        f"Differences, with {interval_name(report)}",
        columns,
        tuple(_compared(one, metric) for one in report.comparisons),
    )


def cost_table(report: Report) -> DataTable | None:
    """What asking each system took, and the size of what was trained."""
    asked = [system for system in report.systems if system.cost]
    if not asked:
        return None
    rows = [(name, *(say(system.cost) for system in asked if system.cost)) for name, say in _COSTS.items()]
    parameters = report.settings.get("parameters")
    if isinstance(parameters, Mapping) and report.systems[0].cost:
        others = [NOTHING] * (len(asked) - 1)
        rows.extend((f"{name} parameters", _counted(count), *others) for name, count in parameters.items())
    return DataTable("Cost of asking all rows once", ("", *(system.name for system in asked)), tuple(rows))


def class_table(system: System) -> DataTable | None:
    """How each class fared, with its threshold where there is one."""
    if not system.classes:
        return None
    decided = bool(system.decision and any(scores.label in system.decision for scores in system.classes))
    columns = ("class", "F1", "precision", "recall", "occurs", "answered", *(("threshold",) if decided else ()))
    rows = (class_row(scores, system.decision if decided else None) for scores in system.classes)
    return DataTable(f"{system.name}, per class", columns, tuple(rows))


def class_row(scores: ClassScores, decision: Mapping[str, float] | None) -> tuple[str, ...]:
    """The cells of a class; a share of nothing is a dash."""
    shares = (
        (scores.f1, scores.support + scores.predicted), (scores.precision, scores.predicted),
        (scores.recall, scores.support),
    )  # fmt: skip
    said = (f"{share:.3f}" if whole else NOTHING for share, whole in shares)
    threshold = () if decision is None else (f"{decision[scores.label]:.3f}" if scores.label in decision else NOTHING,)
    return scores.label, *said, f"{scores.support:,}", f"{scores.predicted:,}", *threshold


def confusion_table(report: Report, system: System) -> DataTable | None:
    """True labels as rows, answers as columns, invalid ones last."""
    if not system.confusion or not report.labels:
        return None
    rows = ((label, *map(str, line)) for label, line in zip(report.labels, system.confusion, strict=True))
    title = f"{system.name}, confusion (lines are true labels, columns answers)"
    return DataTable(title, ("true label", *report.labels, INVALID), tuple(rows))


def confused_pairs(report: Report, system: System) -> DataTable | None:
    """The commonest confusions, where the whole matrix would not fit."""
    if not system.confusion or not report.labels:
        return None
    answers = (*report.labels, INVALID)
    pairs = [
        (count, truth, answer, sum(line))
        for place, (truth, line) in enumerate(zip(report.labels, system.confusion, strict=True))
        for column, (answer, count) in enumerate(zip(answers, line, strict=True))
        if count and column != place
    ]
    common = sorted(pairs, key=lambda pair: (-pair[0], *pair[1:]))[:CONFUSIONS_SHOWN]
    rows = tuple((truth, answer, str(count), f"{count / total:.1%}") for count, truth, answer, total in common)
    which = "all confusions" if len(common) == len(pairs) else f"the {len(common)} commonest of {len(pairs)} confusions"
    return DataTable(f"{system.name}, {which}", ("true label", "answer", "rows", "of the label"), rows, words=2)


def slice_table(slices: Slices) -> DataTable:
    """The main metric by the values of a column, with the largest gap between those with enough rows."""
    gap = "" if slices.gap.value is None else f", largest gap {slices.gap}"
    rows = tuple((one.value, f"{one.rows:,}", str(one.estimate)) for one in slices.slices)
    return DataTable(f"{slices.metric} by {slices.column}{gap}", (slices.column, "rows", slices.metric), rows)


def coverage_table(system: System) -> DataTable | None:
    """What is risked at a few coverages, and from which confidence answers are given there."""
    curve = system.risk_coverage
    if curve is None:
        return None
    points = list(zip(curve.coverage, curve.risk, curve.thresholds, strict=True))
    found = {min(points, key=lambda point: abs(point[0] - coverage)) for coverage in COVERAGES}
    rows = tuple((f"{share:.1%}", f"{risk:.1%}", f"{threshold:.3f}") for share, risk, threshold in sorted(found))
    return DataTable(f"{system.name}, when only its surest answers are given", ("answered", "wrong", "threshold"), rows)


def bin_table(system: System) -> DataTable | None:
    """The bars of a reliability diagram in numbers."""
    if not system.calibration:
        return None
    rows = tuple(
        (f"{one.low:.2f} to {one.high:.2f}", str(one.rows), f"{one.confidence:.3f}", f"{one.accuracy:.3f}")
        for one in system.calibration
    )
    columns = ("confidence", "rows", "mean confidence", "share right")
    return DataTable(f"{system.name}, calibration in numbers", columns, rows)


def training_table(report: Report) -> DataTable | None:
    """What was logged in training, at each evaluation, or at some steps where there was none."""
    courses = {name: logged(report, key) for key, name in _logged_names(report).items()}
    evaluated = {step for name, course in courses.items() for step in course if name != TRAINING_LOSS}
    steps = sorted(evaluated or courses[TRAINING_LOSS])
    if not steps:
        return None
    kept = steps[:: -(-len(steps) // TRAINING_SHOWN)]
    names = [name for name, course in courses.items() if course]
    rows = [
        (f"{step:g}", *(_latest(courses[name], step) for name in names)) for step in dict.fromkeys([*kept, steps[-1]])
    ]
    return DataTable("Learning curve in numbers", ("step", *names), tuple(rows))


def logged(report: Report, key: str) -> dict[float, float]:
    """What was logged under a name in training, by step."""
    found = (
        (record["step"], record[key])
        for record in report.training
        if is_number(record.get("step")) and is_number(record.get(key))
    )
    return {float(step): float(value) for step, value in sorted(found)}


def wrong_answers(report: Report) -> list[WrongAnswer]:
    """The rows that the first system answered wrongly, where it was surest; without probabilities, in their order."""
    name = report.systems[0].name
    probable = bool(report.labels) or report.kind == CHOICES
    wrong = [(_sureness(item[name]) if probable else None, item) for item in _wrong_rows(report)]
    wrong.sort(key=lambda pair: -(pair[0] or 0.0))
    shared = _shared_texts(report.predictions)
    return [
        WrongAnswer(str(item["row_id"]), *_told(report.kind, item, name), sureness, _text_of(item, shared))
        for sureness, item in wrong[:ERRORS_SHOWN]
    ]


def _told(kind: str, item: Mapping[str, Any], name: str) -> tuple[str, str]:
    """What is right and what was answered, in words."""
    if "reference" not in item or "value" not in item[name]:
        return NOTHING, NOTHING
    right, given = item["reference"], item[name]["value"]
    try:
        return _told_of_document(right, given) if kind == DOCUMENTS else (shown(right), shown(given))
    except (LookupError, TypeError, ValueError):  # a report from elsewhere may hold anything
        return shown(right), shown(given)


def _told_of_document(right: Any, given: Any) -> tuple[str, str]:  # noqa: ANN401  # whatever the report holds
    if given is None:
        return _findings(right[0]), shown(given)
    answers = {question: answer for question, answer, _ in given[0]}
    wrong = [one for one in right[0] if answers.get(one[0]) != one[1]]
    return _findings(wrong), _findings([(one[0], answers.get(one[0], NO_ANSWER)) for one in wrong])


def _findings(found: Sequence[Sequence[Any]]) -> str:
    """Answers to questions, the first of them where there are many."""
    said = [f"{question}: {answer}" for question, answer, *_ in found[:FINDINGS_SHOWN]]
    more = len(found) - FINDINGS_SHOWN
    return "; ".join([*said, f"and {more} more"] if more > 0 else said)


def error_summary(report: Report, found: Sequence[WrongAnswer]) -> str:
    """How many answers are wrong, and which of them are shown."""
    wrong = len(_wrong_rows(report))
    which = "All of them follow"
    if len(found) < wrong:
        surest = any(one.confidence is not None for one in found)
        which = f"The {len(found)} it was surest of follow" if surest else f"The first {len(found)} follow"
    return f"{report.systems[0].name} is not exactly right on {wrong:,} of {count_rows(report.rows)}. {which}."


def error_table(report: Report, *, texts: bool) -> DataTable | None:
    """Wrong answers, with the texts of their rows where the report holds these and they are asked for."""
    found = wrong_answers(report)
    if not found:
        return None
    told, sure = texts and any(one.text for one in found), any(one.confidence is not None for one in found)
    columns = ("row", "true", "answer", *(["text"] if told else []), *(["probability"] if sure else []))
    rows = tuple(
        (one.row, one.truth, one.answer, *([one.text] if told else []), *([_probability(one)] if sure else []))
        for one in found
    )
    return DataTable(f"Worst errors: {error_summary(report, found)}", columns, rows, words=4 if told else 3)


def setting_table(report: Report) -> DataTable:
    """How everything was measured, with fingerprints."""
    return DataTable("Settings and fingerprints", ("name", "value"), tuple(setting_rows(report.settings)), words=2)


def setting_rows(settings: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    """Settings one by one, with names such as ``base.quantization.type``."""
    rows: list[tuple[str, str]] = []
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            rows.extend(setting_rows(value, f"{before}{name}.") if name != HIGHER else ())
        else:
            rows.append((f"{before}{name}", shown(value, absent=NOTHING)))
    return rows


def shown(value: object, *, absent: str = NO_ANSWER) -> str:
    """A value of any task in words."""
    if value is None:
        return absent
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {shown(item)}" for name, item in value.items()) or "none"
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        parts = list(value) if isinstance(value, Sequence) else sorted(value, key=str)
        nested = any(isinstance(part, Sequence) and not isinstance(part, str) for part in parts)
        said = [" ".join(map(shown, part)) if nested else shown(part) for part in parts]
        return ("; " if nested else ", ").join(said) or "none"
    return str(value) or EMPTY


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number that can be drawn: finite, and not beyond all floats."""
    largest = sys.float_info.max
    return isinstance(value, int | float) and not isinstance(value, bool) and -largest <= value <= largest


def amount_of_bytes(amount: int) -> str:
    """Such as ``1.2 GiB``."""
    size, unit = float(amount), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:  # noqa: PLR2004  # a kibibyte
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit in {"B", "KiB", "MiB"} else f"{size:.1f} {unit}"


def _counted(count: object) -> str:
    return f"{count:,}" if is_number(count) else shown(count)


def _saved(cost: Cost) -> str:
    return f"{1 - cost.tokens / cost.tokens_alone:.1%}" if cost.tokens_alone else NOTHING


_COSTS: Mapping[str, Callable[[Cost], str]] = {
    "seconds": lambda cost: f"{cost.seconds:.1f}",
    "tokens computed": lambda cost: f"{cost.tokens:,}",
    "tokens one by one": lambda cost: f"{cost.tokens_alone:,}",
    "tokens saved": _saved,
    "peak memory": lambda cost: amount_of_bytes(cost.peak_bytes),
}


def _ceiling(report: Report, metric: str) -> tuple[str, ...]:
    if not report.ceiling:
        return ()
    value = report.ceiling.get(metric)
    return (f"{value:.3f}" if is_number(value) else NOTHING,)


def _compared(comparison: Comparison, metric: str) -> tuple[str, ...]:
    found, test = (_short_p(comparison.p_value), _short_p(comparison.adjusted_p)), comparison.mcnemar
    tests = (NOTHING,) * 4
    if test is not None:
        tests = str(test.only_first), str(test.only_second), _short_p(test.exact_p), _short_p(test.mid_p)
    return comparison.against, str(comparison.differences[metric]), *found, *tests


def _short_p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"  # noqa: PLR2004  # three digits are enough


def _wrong_rows(report: Report) -> list[Mapping[str, Any]]:
    name = report.systems[0].name
    return [item for item in report.predictions if name in item and item[name].get("right") is False]


def _sureness(said: Mapping[str, Any]) -> float | None:
    """The probability of what was answered; ``None`` where it is not known."""
    try:
        return confidence(Output(said["value"], said["scores"])) if said.get("scores") else None
    except (DataError, KeyError, TypeError):
        return None


def _probability(one: WrongAnswer) -> str:
    return NOTHING if one.confidence is None else f"{one.confidence:.3f}"


def _logged_names(report: Report) -> dict[str, str]:
    """Names of what training logs, as a table calls them."""
    metric = report.metric
    return {"loss": TRAINING_LOSS, "eval_loss": "validation loss", f"eval_{metric}": f"{metric} on validation rows"}


def _latest(course: Mapping[float, float], step: float) -> str:
    """The last value up to a step."""
    before = [value for place, value in course.items() if place <= step]
    return f"{before[-1]:.3f}" if before else NOTHING


def _shared_texts(predictions: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """What every row's text has in common, such as the instruction."""
    texts = [frozenset(_parts(item)) for item in predictions]
    return frozenset.intersection(*texts) if len(texts) > 1 else frozenset()


def _parts(item: Mapping[str, Any]) -> list[str]:
    text = item.get("text") or ()
    return [text] if isinstance(text, str) else list(dict.fromkeys(map(str, text)))


def _text_of(item: Mapping[str, Any], shared: frozenset[str]) -> str:
    text = "\n".join(part for part in _parts(item) if part not in shared)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}… ({len(text) - LONGEST_TEXT} more letters)"
