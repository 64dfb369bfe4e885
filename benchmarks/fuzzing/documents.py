"""Reports and audits that are read again, drawn, compared and required; predictions that are judged."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from fuzzing.damage import Json, damaged_json, hostile_cells, hostile_texts, texts_of
from fuzzing.files import LABEL, LABELS, SPANS, file_with
from fuzzing.reader import Reader, check
from qlorakit.audit_findings import Audit
from qlorakit.comparing import compare, judge
from qlorakit.data_audit import audit
from qlorakit.errors import QlorakitError
from qlorakit.report import Report

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

ENDINGS = (".html", ".md", ".txt")
TEXTS = ("Sales rose", "Sales fell", "Sales went on", "Sales <b>fell</b>", "It rose again", "It fell & fell")
ROWS = tuple({"text": text, "label": "down" if "fell" in text else "up", "id": str(n)} for n, text in enumerate(TEXTS))
ENTITIES = (
    {"text": "Anna in Rome", "entities": [{"start": 0, "end": 4, "type": "person"}], "id": "0"},
    {"text": "Rome", "entities": [{"start": 0, "end": 4, "type": "place"}], "id": "1"},
)
CONDITION_TOKENS = (
    ">",
    "<",
    "=",
    ">=",
    "<=",
    " ",
    "0",
    ".",
    "5",
    "e",
    "-",
    "+",
    "9" * 400,
    "1e999",
    "\u0665",
    "\u0131",
)


@functools.cache
def _reports() -> tuple[Report, ...]:
    """A comparison of two systems, one system with texts, and one of entities."""
    shares = [{"up": 0.8, "down": 0.2}] * 3 + [{"up": 0.3, "down": 0.7}] * 3
    first = judge(["up"] * 3 + ["down"] * 3, ROWS, task=LABEL, probabilities=shares, include_text=True, resamples=100)
    second = judge(["down", "maybe", None, "down", "up", "up"], ROWS, task=LABEL, resamples=100)
    found = [[{"start": 0, "end": 4, "type": "person"}], []]
    return compare(first, second, task=LABEL, resamples=100), first, judge(found, ENTITIES, task=SPANS, resamples=100)


@functools.cache
def _records() -> list[Any]:
    history = {"training": [{"step": 1, "loss": 0.5}, {"step": 2, "eval_loss": 0.4, "eval_macro_f1": 0.9}]}
    return [json.loads(json.dumps(report.to_dict() | history)) for report in _reports()]


def _report(content: bytes) -> None:
    with file_with(content, "report.json") as path:
        report = Report.load(path)
        report.headline(), report.summary(), str(report)
        for ending in ENDINGS:
            written = report.save(path.with_suffix(ending)).read_text(encoding="utf-8")
            check(ending != ".html" or "<script" not in written, "markup of the data in a page", written[:200])
        again = Report.load(report.save(path.with_name("again.json")))
        check(again == report, "another report when it is read again", report, again)
        _use(report)


def _use(report: Report) -> None:
    """What else reads a report; each may refuse it."""
    for use in (
        lambda: report.require(no_worse_than=None, task=None, **{report.metric: ">=0"}),
        lambda: report.threshold_for_risk(0.4),
        lambda: compare(report, _reports()[1], task=LABEL, resamples=100),
        lambda: compare(_reports()[1], report, task=LABEL, resamples=100, rows=ROWS),
    ):
        _allow(use)


def _allow(use: Callable[[], object]) -> None:  # a function

    try:
        use()
    except QlorakitError:
        return


@functools.cache
def _audits() -> list[Any]:
    rows = [*ROWS, *ROWS[:2], {"text": "", "label": "up"}, {"text": "anna@example.org rose", "label": "up"}]
    found = audit(rows, LABEL, include_text=True)
    return [json.loads(json.dumps(found.to_dict()))]


def _audit(content: bytes) -> None:
    with file_with(content, "audit.json") as path:
        found = Audit.load(path)
        found.headline(), str(found)
        for ending in ENDINGS:
            found.save(path.with_suffix(ending))
        again = Audit.load(found.save(path.with_name("again.json")))
        check(again == found, "another audit when it is read again", found, again)


def _judged(given: tuple[Any, Any, str]) -> None:
    values, probabilities, name = given
    report = judge(values, ROWS[:2], task=LABEL, probabilities=probabilities, resamples=100, name=name)
    str(report)
    judge(values, [{"text": "x", "labels": ["up"]}, {"text": "y", "labels": []}], task=LABELS, resamples=100)
    judge(values, ENTITIES, task=SPANS, resamples=100)


def _judged_inputs() -> SearchStrategy[Any]:
    value = st.one_of(st.sampled_from(("up", "down", ["up"], "up;down")), hostile_cells())
    share = st.one_of(st.floats(0, 1), hostile_cells())
    shares = st.dictionaries(st.sampled_from(("up", "down", "")), share, max_size=3)
    values = st.one_of(st.lists(value, min_size=2, max_size=2), st.fixed_dictionaries({"0": value, "1": value}))
    names = st.sampled_from(("given", "row_id", "", "a" * 300, "\x1b[31m", "{}"))
    return st.tuples(values, st.one_of(st.none(), st.lists(shares, min_size=2, max_size=2)), names)


def _condition(bound: Json) -> None:  # inputs are of all types
    _reports()[1].require(macro_f1=bound)


READERS: tuple[Reader, ...] = (
    Reader("reports", lambda: damaged_json(_records()), _report, 3),
    Reader("audits", lambda: damaged_json(_audits()), _audit),
    Reader("predictions that are judged", _judged_inputs, _judged, 0.5),
    Reader(
        "conditions of reports",
        lambda: st.one_of(texts_of(CONDITION_TOKENS, most=8), hostile_texts(), hostile_cells()),
        _condition,
        0.5,
    ),
)
