"""Reports for the terminal and as markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.table import Table

from qlorakit.display import TEXT_WIDTH, as_text
from qlorakit.documents import clean
from qlorakit.report_tables import (
    DataTable,
    bin_table,
    class_table,
    comparison_table,
    confused_pairs,
    confusion_table,
    cost_table,
    coverage_table,
    error_table,
    lower_is_better,
    metric_table,
    setting_table,
    slice_table,
    training_table,
)

if TYPE_CHECKING:
    from qlorakit.report import Report

WIDEST_MATRIX = 6  # labels; a wider one leaves the page
PADDING = 3  # columns of the terminal that a cell takes beside its words
WIDEST_CELL = 30  # longer words go on in the next line
MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$&@!]|:(?=//|\w)|(?<=www)\.)")  # what markdown would not show literally
LIST_ITEM = re.compile(r"^(\d*)([-+.)])(?=[\s-]|$)")  # nor this, at the beginning of a line
NUMBERS = re.compile(r"-|[-+]?[\d.,]+%?( \[[-+\d., ]+\])?")


def render_text(report: Report) -> str:
    """A report for the terminal: sentences, then tables, then notes; without colours and without texts of rows.

    Args:
        report: Its labels, names and notes print literally, never as markup.
    """
    parts: list[str | Table] = [clean(report.headline()), *map(clean, report.summary())]
    for table in _given(_measured(report), [error_table(report, texts=False), cost_table(report)]):
        parts.extend(("", clean(table.title), *(_for_terminal(part) for part in _split(table))))
    parts.extend(f"Note: {clean(note)}" for note in _notes(report))
    return "\n".join(line.rstrip() for line in as_text(*parts).splitlines()) + "\n"


def render_markdown(report: Report) -> str:
    """A report as GitHub markdown: all that the page holds, plots as tables.

    Args:
        report: Its labels, names, notes and texts are escaped, so that they show literally.
    """
    bins = map(bin_table, report.systems)
    rest = training_table(report), error_table(report, texts=True), cost_table(report), setting_table(report)
    parts = [f"# {_escape(report.task)}", _escape(report.headline())]
    if report.comparisons:
        parts.append(_listed(report.summary()))
    if notes := _notes(report):
        parts.append(f"## Notes\n\n{_listed(notes)}")
    parts.extend(map(_for_markdown, _given([comparison_table(report)], _measured(report), bins, rest)))
    return "\n\n".join(parts) + "\n"


def _measured(report: Report) -> Iterator[DataTable | None]:
    """How the systems fared, the first one in detail."""
    first = report.systems[0]
    wide = len(report.labels or ()) > WIDEST_MATRIX
    yield metric_table(report)
    yield class_table(first)
    yield confused_pairs(report, first) if wide else confusion_table(report, first)
    yield coverage_table(first)
    yield from map(slice_table, report.slices)


def _given(*parts: Iterable[DataTable | None]) -> Iterator[DataTable]:
    """The tables there are."""
    return (table for part in parts for table in part if table is not None)


def _notes(report: Report) -> list[str]:
    lower = lower_is_better(report)
    return [*([f"lower is better: {', '.join(lower)}"] if lower else []), *report.notes]


def _split(table: DataTable) -> Iterator[DataTable]:
    """Tables that fit the terminal, each with the first column and some of the others."""
    lines = [tuple(map(clean, line)) for line in (table.columns, *table.rows)]
    widths = [min(WIDEST_CELL, max(map(cell_len, column))) + PADDING for column in zip(*lines, strict=True)]
    start = 1
    while start < len(widths):
        end = start + 1
        while end < len(widths) and widths[0] + sum(widths[start : end + 1]) <= TEXT_WIDTH:
            end += 1
        columns, *rows = ((line[0], *line[start:end]) for line in lines)
        yield DataTable(table.title, columns, tuple(rows), words=max(1, table.words - start + 1))
        start = end


def _for_terminal(table: DataTable) -> Table:
    drawn = Table(box=box.SIMPLE_HEAD)
    for place, name in enumerate(table.columns):
        drawn.add_column(name, justify="left" if place < table.words else "right", overflow="fold")
    for row in table.rows:
        drawn.add_row(*row)
    return drawn


def _for_markdown(table: DataTable) -> str:
    rule = ("---" if place < table.words else "---:" for place in range(len(table.columns)))
    lines = map(_line, (map(_cell, table.columns), rule, *(map(_cell, row) for row in table.rows)))
    return "\n".join([f"## {_escape(table.title)}", "", *lines])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(words: str) -> str:
    return words if NUMBERS.fullmatch(words) else _escape(words)


def _listed(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {_escape(sentence)}" for sentence in sentences)


def _escape(words: str) -> str:
    """On one line, with every mark of markdown made literal."""
    return LIST_ITEM.sub(r"\1\\\2", MARKS.sub(r"\\\1", " ".join(clean(words).split())))
