"""What is wrong with data, found before anyone trains on it."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from qlorakit.audit_checks import (
    counted,
    expected_leak,
    graver,
    make_finding,
    percent,
    repeats,
    scan_findings,
)
from qlorakit.audit_findings import Audit, Figures, Finding, Severity, sort_findings
from qlorakit.audit_scan import Scan, evenly, exact_key, scan
from qlorakit.display import progress_bar
from qlorakit.errors import ConfigurationError, DataError, EncodingError
from qlorakit.near_duplicates import near_duplicate_groups, normalise
from qlorakit.rows import as_rows, check_task
from qlorakit.text_checks import count_languages, find_damage

if TYPE_CHECKING:
    import numpy.typing as npt
    from transformers import PreTrainedTokenizerBase

    from qlorakit.encoding import Encoder
    from qlorakit.task import Row, Task

    Keys = npt.NDArray[np.uint64]

__all__ = ["Audit", "Finding", "audit"]

SHOWN_CHARACTERS = 200
LANGUAGE_ROWS, PRIVACY_ROWS, TOKEN_ROWS = 1000, 500, 5000  # most that are looked at for what takes long
NOT_PERSONAL_ALONE = {"age", "date", "url"}  # kinds that tell no one from others by themselves
NAMED_KINDS, SHOWN_COUNTS = 3, 20
FOREIGN = 0.01  # share of texts in other languages


@dataclass(frozen=True)
class Others:
    """Other rows, such as another split or a published evaluation set.

    Attributes:
        name: What the user calls them.
        texts: What each is about, [rows].
        keys: Hash of each text, [rows].
    """

    name: str
    texts: Sequence[str]
    keys: Keys


def audit(
    rows: Iterable[Row],
    task: Task[Any],
    *,
    quick: bool = False,
    other: Mapping[str, Iterable[Row] | Iterable[str]] | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
    max_length: int | None = None,
    max_new_tokens: int = 256,
    privacy: bool = True,
    ignore_digits: bool | None = None,
    include_text: bool = False,
    numbers: Sequence[int] | None = None,
    progress: bool = False,
) -> Audit:
    """Look for what makes training pointless, results misleading, or a model worse than it need be.

    Args:
        rows: In the task's column names, with labels.  A dataset is read from disk as it is needed; of a million rows
            a few hundred megabytes of numbers are kept, and in the quick look some tens.
        task: Says what is read of a row, and what the right answer is.
        quick: Only what one cheap pass finds: unusable rows, exact duplicates, conflicting labels, label balance,
            leaking columns, control characters and control tokens.  ``train`` does this much by itself.
        other: Other splits or evaluation sets by name, as rows or as plain texts, to be looked for among the rows.
        tokenizer: With ``max_length``: checks how many prompts would be cut and how many answers would not fit.
        max_length: The context in tokens, as ``train`` takes it.
        max_new_tokens: Room kept for an answer in free text, as ``evaluate`` takes it.
        privacy: Whether to count personal data by kind, in up to 500 rows.
        ignore_digits: Whether texts that differ in numbers alone count as near-duplicates; as the task says unless
            given.  Where numbers carry the meaning, as in rows of a table, they should not.
        include_text: Whether findings keep the beginnings of the texts they list.
        numbers: What the user's file calls each row, such as its line, [rows]; from 1 unless given.
        progress: Whether to show a bar on standard error.

    Returns:
        The findings, the gravest first.

    Raises:
        ConfigurationError: Only one of ``tokenizer`` and ``max_length`` is given, or ``numbers`` does not fit.
        DataError: There are no rows, or they are no mappings.
        PluginError: The task itself fails on a row.
    """
    check_task(task)
    found = as_rows(rows)
    _check(found, tokenizer, max_length, numbers)
    with progress_bar("audit", shown=progress) as advance:
        scanned = _scan(found, task, quick=quick, advance=advance)
        others = [_others(name, given, scanned) for name, given in (other or {}).items()]
        findings, skipped = list(scan_findings(scanned)), []
        if quick:
            findings.extend(_exact_overlap(scanned, others))
        else:
            digits = task.ignore_digits if ignore_digits is None else ignore_digits
            findings.extend(_near(found, scanned, others, ignore_digits=digits))
            advance(0.8)
            for more, missing in _slow(
                found, scanned, _encoder(tokenizer, max_length, max_new_tokens), privacy=privacy
            ):
                findings.extend(more)
                skipped.extend(missing)
    named = (_named(one, found, scanned, numbers, include_text=include_text) for one in findings)
    return Audit(task.name, len(found), sort_findings(list(named)), quick=quick, skipped=tuple(skipped))


def _check(rows: Sequence[Row], tokenizer: object, max_length: int | None, numbers: Sequence[int] | None) -> None:
    if not len(rows):
        msg = "rows: there are none to look at"
        raise DataError(msg)
    if (tokenizer is None) != (max_length is None):
        msg = "tokenizer and max_length: give both, to count tokens against the context, or neither"
        raise ConfigurationError(msg)
    if numbers is not None and len(numbers) != len(rows):
        msg = f"numbers: {len(numbers)} for {len(rows)} rows; give one for each"
        raise ConfigurationError(msg)


def _scan(rows: Sequence[Row], task: Task[Any], *, quick: bool, advance: Callable[[float], None]) -> Scan:
    found = None
    for found in scan(rows, task, quick=quick):
        if found.size % 1000 == 0:
            advance((1 if quick else 0.4) * found.size / len(rows))
    assert found is not None  # noqa: S101  # there is at least one row
    return found


def _others(name: str, given: Iterable[Row] | Iterable[str], scanned: Scan) -> Others:
    items = list(given)
    if items and all(isinstance(item, str) for item in items):
        own = texts = [str(item) for item in items]
    else:
        rows, reader = as_rows(items, source=f"other[{name!r}]"), scanned.reader  # type: ignore[arg-type]  # mappings
        own = [reader.own(reader.read(row, number).examples) for number, row in enumerate(rows)]
        texts = [reader.text(one) for one in own]
    return Others(name, texts, np.fromiter(map(exact_key, own), np.uint64, len(own)))


def _exact_overlap(scanned: Scan, others: Sequence[Others]) -> Iterator[Finding]:
    for one in others:
        yield from _overlap(one, np.isin(one.keys, scanned.keys) & (one.keys != 0), None)


def _near(rows: Sequence[Row], scanned: Scan, others: Sequence[Others], *, ignore_digits: bool) -> Iterator[Finding]:
    """Near-duplicates among the rows and with others, and what a random split would do to them."""
    alike = array("Q")  # a key of each text that is equal for those that are equal once they are normalised

    def texts() -> Iterator[str]:
        for text in itertools.chain(scanned.reader.texts(rows), *(one.texts for one in others)):
            alike.append(exact_key(normalise(text, ignore_digits=ignore_digits)))
            yield text

    groups = near_duplicate_groups(texts(), ignore_digits=ignore_digits)
    own, start = groups[: len(rows)], len(rows)
    equal = np.frombuffer(alike, np.uint64)
    yield from _near_duplicates(scanned, own, equal[: len(rows)])
    yield from _random_split(scanned, own, equal[: len(rows)])
    for one in others:
        theirs = groups[start : start + len(one.texts)]
        start += len(one.texts)
        exact = np.isin(one.keys, scanned.keys) & (one.keys != 0)
        yield from _overlap(one, exact, exact | np.isin(theirs, own))


def _near_duplicates(scanned: Scan, groups: npt.NDArray[np.int64], equal: Keys) -> Iterator[Finding]:
    repeated, exact = repeats(groups + 1), int(repeats(scanned.keys).sum())
    count = int(repeated.sum())
    if count <= exact:
        return
    said = counted(count, "row nearly repeats", "rows nearly repeat")
    title = f"{said} an earlier one, {count - exact:,} of them not word for word"
    _, sizes = np.unique(groups, return_counts=True)
    figures = {
        "groups of several": int((sizes > 1).sum()),
        "largest group": int(sizes.max()),
        "exact repeats": exact,
        "repeats up to digits and punctuation": int(repeats(equal).sum()),
    }
    yield make_finding("near_duplicates", graver((count - exact) / len(groups)), title, repeated, figures)


def _random_split(scanned: Scan, groups: npt.NDArray[np.int64], equal: Keys) -> Iterator[Finding]:
    exact, digits, near = (expected_leak(one) for one in (_singled(scanned.keys), _singled(equal), groups))
    if near:
        title = (
            f"a random split puts {percent(near)} of the test texts into the training rows as well: {percent(exact)} "
            f"word for word, {percent(digits)} up to digits and punctuation"
        )
        figures = {"exact": exact, "equal up to digits and punctuation": digits, "near duplicates": near}
        yield make_finding("random_split_leak", graver(near), title, None, figures)


def _singled(keys: Keys) -> Keys:
    """Keys in which every row without a text has one of its own."""
    empty = keys == 0
    single = keys.copy()
    single[empty] = np.arange(1, np.count_nonzero(empty) + 1, dtype=np.uint64)
    return single


def _overlap(one: Others, exact: npt.NDArray[np.bool_], near: npt.NDArray[np.bool_] | None) -> Iterator[Finding]:
    flags, size = exact if near is None else near, len(one.texts)
    if not flags.any():
        return
    total, copies = int(flags.sum()), int(exact.sum())
    nearly = "" if near is None else f", {total - copies:,} of them not word for word"
    title = f"{percent(total / size)} of {one.name!r} ({counted(total, 'row')}) is also among these rows{nearly}"
    figures = {"rows of it": size, "exact": copies, **({} if near is None else {"near": total})}
    found = make_finding("overlap", graver(total / size), title, flags, figures)
    yield replace(found, numbers=tuple(row + 1 for row in found.rows))


Slow = tuple[list[Finding], list[str]]


def _slow(rows: Sequence[Row], scanned: Scan, encoder: Encoder | None, *, privacy: bool) -> Iterator[Slow]:
    """Checks that look at some of the rows, each with what it could not check."""
    if find_damage() is None:
        yield [], ["encoding damage, except lost characters: needs ftfy (pip install 'qlorakit[audit]')"]
    yield _languages(rows, scanned)
    if privacy:
        yield _personal_data(rows, scanned)
    yield (list(_lengths(rows, scanned, encoder)), []) if encoder else ([], ["lengths in tokens: give a tokenizer"])


def _sample(rows: Sequence[Row], scanned: Scan, most: int) -> list[str]:
    return list(scanned.reader.texts(rows[place] for place in evenly(len(rows), most)))


def _languages(rows: Sequence[Row], scanned: Scan) -> Slow:
    counts = count_languages(_sample(rows, scanned, LANGUAGE_ROWS))
    if counts is None:
        return [], ["languages: needs py3langid (pip install 'qlorakit[audit]')"]
    most, largest = counts.most_common(1)[0] if counts else ("", 0)
    others = counts.total() - largest
    if not others or others < FOREIGN * counts.total():
        return [], []
    title = (
        f"{percent(others / counts.total())} of {counted(counts.total(), 'sampled text')} are not in the commonest "
        f"language, {most!r}"
    )
    figures = {"texts by language": dict(counts.most_common(SHOWN_COUNTS))}
    return [make_finding("languages", "note", title, None, figures)], []


def _personal_data(rows: Sequence[Row], scanned: Scan) -> Slow:
    from qlorakit.privacy import count_personal_data

    texts = _sample(rows, scanned, PRIVACY_ROWS)
    counts = count_personal_data(texts, builtin_only=True)  # a look must not need the extra, nor load what it loads
    if not counts.total():
        return [], []
    first = ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common(NAMED_KINDS))
    looked = "the texts" if len(texts) == len(rows) else counted(len(texts), "sampled text")
    title = f"personal data in {looked}: {first}{' and more' if len(counts) > NAMED_KINDS else ''}"
    severity: Severity = "warning" if set(counts) - NOT_PERSONAL_ALONE else "note"
    figures: Figures = {"texts looked at": len(texts), "found by kind": dict(counts.most_common(SHOWN_COUNTS))}
    return [make_finding("personal_data", severity, title, None, figures)], []


def _encoder(tokenizer: PreTrainedTokenizerBase | None, max_length: int | None, max_new_tokens: int) -> Encoder | None:
    from qlorakit.encoding import Encoder

    if tokenizer is None or max_length is None:
        return None
    return Encoder(tokenizer, max_length=max_length, max_new_tokens=max_new_tokens)


def _lengths(rows: Sequence[Row], scanned: Scan, encoder: Encoder) -> Iterator[Finding]:
    places = evenly(len(rows), TOKEN_ROWS)
    lengths, cut, unfit = [], np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    for place in places:
        for example in scanned.reader.read(rows[place], place).examples:
            try:
                encoded = encoder.encode(example)
            except EncodingError:
                unfit[place] = True
                continue
            cut[place] |= encoded.cut_tokens > 0
            lengths.append(len(encoded.prompt) + encoded.cut_tokens + len(encoded.target or ()))
    quantiles = dict(zip(("median", "p95", "longest"), np.quantile(lengths or [0], (0.5, 0.95, 1)), strict=True))
    figures = {
        "context": encoder.max_length, "rows looked at": len(places),
        "tokens": {name: round(float(value)) for name, value in quantiles.items()},
    }  # fmt: skip
    yield from _too_long(cut, unfit, len(places), encoder.max_length, figures)


def _too_long(
    cut: npt.NDArray[np.bool_], unfit: npt.NDArray[np.bool_], looked: int, context: int, figures: Mapping[str, Any]
) -> Iterator[Finding]:
    if cut.any():
        title = f"{percent(cut.sum() / looked)} of the rows are longer than {context:,} tokens and would be cut"
        yield make_finding("cut_prompts", graver(cut.sum() / looked), title, cut, figures)
    if unfit.any():
        title = f"{percent(unfit.sum() / looked)} of the rows cannot be asked and answered in {context:,} tokens"
        yield make_finding("answers_do_not_fit", "warning", title, unfit, figures)


def _named(
    finding: Finding, rows: Sequence[Row], scanned: Scan, numbers: Sequence[int] | None, *, include_text: bool
) -> Finding:
    """With what the user calls the rows, and their texts where asked for."""
    if finding.code == "overlap":  # its rows are others
        return finding
    called = tuple(row + 1 if numbers is None else numbers[row] for row in finding.rows)
    texts = scanned.reader.texts(rows[row] for row in finding.rows) if include_text else ()
    return replace(finding, numbers=called, texts=tuple(text[:SHOWN_CHARACTERS] for text in texts))
