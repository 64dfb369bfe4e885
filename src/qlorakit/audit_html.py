"""An audit as one page that opens without a network: no script, and nothing is loaded from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qlorakit.audit_findings import SEVERITIES
from qlorakit.audit_text import number_text, row_list
from qlorakit.documents import render_page

if TYPE_CHECKING:
    from qlorakit.audit_findings import Audit, Finding

LONGEST_TABLE = 12  # rows; a longer one is folded away

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Shown:
    """A finding as the page shows it.

    Attributes:
        finding: What was found.
        rows: Which rows are concerned.
        numbers: Single figures, each with its name.
        tables: Tables of figures by name.
        texts: Beginnings of rows' texts, each with the row's number.
    """

    finding: Finding
    rows: str
    numbers: Pairs
    tables: tuple[tuple[str, Pairs], ...]
    texts: Pairs

    @classmethod
    def of(cls, finding: Finding) -> Shown:
        """Put a finding into words."""
        numbers = tuple(
            (name, number_text(value)) for name, value in finding.figures.items() if not isinstance(value, Mapping)
        )
        tables = tuple(
            (name, tuple((key, number_text(value)) for key, value in table.items()))
            for name, table in finding.figures.items()
            if isinstance(table, Mapping) and table
        )
        texts = tuple(zip(map(str, finding.numbers), finding.texts, strict=False))
        return cls(finding, row_list(finding) if finding.numbers else "", numbers, tables, texts)


def render_html(audit: Audit) -> str:
    """An audit as one page that needs no network and no script, in light and in dark, on paper and on a phone.

    A Content-Security-Policy lets nothing in but the page's own style.

    Args:
        audit: All that it holds is escaped.
    """
    counts = [(f"{severity}s" if severity != "fatal" else severity, len(audit.of(severity))) for severity in SEVERITIES]
    return render_page(
        "audit.html.jinja",
        ("report.css", "audit.css"),
        audit=audit,
        facts=[("rows", f"{audit.rows:,}"), *((name, str(count)) for name, count in counts)],
        findings=[Shown.of(finding) for finding in audit.findings],
        most=LONGEST_TABLE,
    )
