"""Audits for the terminal and as markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.padding import Padding

from qlorakit.display import as_text
from qlorakit.documents import clean
from qlorakit.report_text import _escape as escape

if TYPE_CHECKING:
    from qlorakit.audit_findings import Audit, Finding, Number

INDENT = (0, 0, 0, 4)
LISTED = 10  # rows, and entries of a table


def render_text(audit: Audit) -> str:
    """An audit for the terminal, without colours and without texts of rows.

    Args:
        audit: Its names and labels print literally, never as markup.
    """
    parts: list[str | Padding] = [clean(f"{audit.task}. {audit.headline()}")]
    for finding in audit.findings:
        parts.extend(("", clean(f"{finding.severity.upper()}: {finding.title}")))
        parts.extend(Padding(clean(line), INDENT) for line in _lines(finding))
    parts.extend(("", "Not checked:") if audit.skipped else ())
    parts.extend(Padding(clean(reason), INDENT) for reason in audit.skipped)
    return "\n".join(line.rstrip() for line in as_text(*parts).splitlines()) + "\n"


def render_markdown(audit: Audit) -> str:
    """An audit as GitHub markdown.

    Args:
        audit: Its names, labels and texts are escaped, so that they show literally.
    """
    parts = [f"# {escape(audit.task)}", escape(audit.headline())]
    for finding in audit.findings:
        parts.append(f"## {finding.severity.capitalize()}: {escape(finding.title)}")
        parts.append("\n".join(f"- {escape(line)}" for line in _lines(finding)))
        if finding.texts:
            texts = zip(finding.numbers, finding.texts, strict=True)
            parts.append("\n".join(f"- row {number}: {escape(text)}" for number, text in texts))
    if audit.skipped:
        parts.append("## Not checked\n\n" + "\n".join(f"- {escape(reason)}" for reason in audit.skipped))
    return "\n\n".join(parts) + "\n"


def number_text(value: Number) -> str:
    """A count with separators, a share with three digits."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def row_list(finding: Finding, most: int = LISTED) -> str:
    """Which rows are concerned, such as ``3, 8 and 12 more``."""
    shown = finding.numbers[:most]
    more = finding.total - len(shown)
    return ", ".join(map(str, shown)) + (f" and {more:,} more" if more > 0 else "")


def _lines(finding: Finding) -> Iterator[str]:
    yield f"Why: {finding.why}"
    yield f"What to do: {finding.what_to_do}"
    if finding.numbers:
        yield f"Rows: {row_list(finding)}"
    plain = {name: value for name, value in finding.figures.items() if not isinstance(value, Mapping)}
    if plain:
        yield "; ".join(f"{name}: {number_text(value)}" for name, value in plain.items())
    for name, table in finding.figures.items():
        if isinstance(table, Mapping) and table:
            shown = [f"{key} {number_text(value)}" for key, value in list(table.items())[:LISTED]]
            more = [f"{len(table) - LISTED} more"] if len(table) > LISTED else []
            yield f"{name}: {', '.join(shown + more)}"
