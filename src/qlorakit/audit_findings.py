"""What an audit says: findings, each with its rows, why it matters and what to do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal, Self, TypeVar, get_args

from qlorakit.documents import load_document, save_document
from qlorakit.errors import DataError, UnknownNameError, did_you_mean

Severity = Literal["fatal", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
Number = int | float
Figures = Mapping[str, Number | Mapping[str, Number]]
T = TypeVar("T")
A = TypeVar("A", bound="Audit")
FORMAT = 1


@dataclass(frozen=True)
class Finding:
    """Something about the data that a user should know before training.

    Attributes:
        code: By which programs tell findings apart, such as ``"conflicting_labels"``.
        severity: ``"fatal"`` where training would be pointless, ``"warning"`` where results would mislead or be worse
            than they need be, ``"note"`` otherwise.
        title: What was found.
        why: Why it matters.
        what_to_do: How to deal with it.
        rows: Positions of the first of the rows concerned, counted from 0.
        numbers: What the user calls these rows: as his file counts them, or from 1.
        total: How many rows are concerned in all.
        figures: Numbers by name, or tables of numbers by name.
        texts: Beginnings of the texts of these rows, where they were asked for.
    """

    code: str
    severity: Severity
    title: str
    why: str
    what_to_do: str
    rows: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()
    total: int = 0
    figures: Figures = field(default_factory=dict)
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Audit:
    """What was found in the data.

    ``print(audit)`` shows it.

    Attributes:
        task: The task for which the rows are meant.
        rows: How many were looked at.
        findings: The gravest first.
        quick: Whether only the cheap checks ran.
        skipped: What was not checked, and why.
    """

    task: str
    rows: int
    findings: tuple[Finding, ...]
    quick: bool = False
    skipped: tuple[str, ...] = ()

    @property
    def fatal(self) -> tuple[Finding, ...]:
        """The findings with which training would be pointless."""
        return self.of("fatal")

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(finding for finding in self.findings if finding.severity == severity)

    def finding(self, code: str) -> Finding:
        """The first finding with a code.

        Raises:
            UnknownNameError: There is none.
        """
        codes = [finding.code for finding in self.findings]
        if code not in codes:
            msg = f"the audit has no finding {code!r}; it has {', '.join(codes) or 'none'}.{did_you_mean(code, codes)}"
            raise UnknownNameError(msg)
        return self.findings[codes.index(code)]

    def headline(self) -> str:
        """One sentence on the whole."""
        counts = {severity: len(self.of(severity)) for severity in SEVERITIES}
        said = [f"{count} {name if count == 1 or name == 'fatal' else f'{name}s'}" for name, count in counts.items()]
        looked = "quick look" if self.quick else "audit"
        return f"{looked} of {self.rows:,} {'row' if self.rows == 1 else 'rows'}: {', '.join(said)}".capitalize()

    def __str__(self) -> str:
        """For the terminal."""
        from qlorakit.audit_text import render_text

        return render_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``save`` writes it."""
        return {"format": FORMAT, "headline": self.headline(), **asdict(self)}

    def save(self, path: str | Path) -> Path:
        """Write the audit; the file is complete or absent.

        Args:
            path: Ends in ``.json`` (everything, to be loaded again), ``.html`` (one page that needs no network),
                ``.md`` or ``.txt``; its folder is made where needed.

        Returns:
            The path.

        Raises:
            ConfigurationError: Another ending.
            OutputError: The file cannot be written.
        """
        return save_document(path, "audit", self.to_dict, self._renderers())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read an audit that ``save`` wrote as JSON.

        Raises:
            DataError: The file is missing, damaged, no audit, or of another version.
        """
        record = load_document(path, "audit")
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            msg = f"{path} is no audit that this version reads; audit the rows again"
            raise DataError(msg)
        try:
            return _audit(cls, record)
        except (LookupError, OverflowError, TypeError, ValueError) as error:
            msg = f"{path} is a damaged audit: {type(error).__name__} {error}"
            raise DataError(msg) from error

    def _renderers(self) -> dict[str, Callable[[], str]]:
        from qlorakit.audit_html import render_html
        from qlorakit.audit_text import render_markdown, render_text

        renderers = {".html": render_html, ".md": render_markdown, ".txt": render_text}
        return {ending: partial(render, self) for ending, render in renderers.items()}


def _audit(cls: type[A], record: Mapping[str, Any]) -> A:
    findings = tuple(_finding(item) for item in _checked(record["findings"], list))
    texts = tuple(_checked(item, str) for item in record["skipped"])
    rows, quick = _checked(record["rows"], int), _checked(record["quick"], bool)
    return cls(_checked(record["task"], str), rows, findings, quick, texts)


def _finding(record: Mapping[str, Any]) -> Finding:
    words = {name: _checked(record[name], str) for name in ("code", "title", "why", "what_to_do")}
    if record["severity"] not in SEVERITIES:
        msg = f"severity {record['severity']!r:.60}"
        raise ValueError(msg)
    rows, numbers = (tuple(_checked(item, int) for item in record[name]) for name in ("rows", "numbers"))
    texts = tuple(_checked(item, str) for item in record["texts"])
    figures = {name: _figure(value) for name, value in _checked(record["figures"], dict).items()}
    total = _checked(record["total"], int)
    if texts and len(texts) != len(numbers):
        msg = f"{len(texts)} texts of {len(numbers)} rows"
        raise ValueError(msg)
    return Finding(
        severity=record["severity"], rows=rows, numbers=numbers, total=total, figures=figures, texts=texts, **words
    )


def _figure(value: Any) -> Number | Mapping[str, Number]:  # noqa: ANN401  # whatever the file holds
    if isinstance(value, dict):
        return {name: _number(item) for name, item in value.items()}
    return _number(value)


def _number(value: Any) -> Number:  # noqa: ANN401  # whatever the file holds
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        msg = f"{value!r:.60} stands where a number belongs"
        raise TypeError(msg)
    return value


def _checked(value: Any, kind: type[T]) -> T:  # noqa: ANN401  # whatever the file holds
    if type(value) is not kind:
        msg = f"{value!r:.60} stands where {kind.__name__} belongs"
        raise TypeError(msg)
    return value


def sort_findings(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The gravest first, and those that concern most rows."""
    return tuple(sorted(findings, key=lambda one: (SEVERITIES.index(one.severity), -one.total)))
