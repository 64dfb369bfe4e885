"""What follows from a scan of the rows: findings that cost no further look at them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qlorakit.audit_advice import ADVICE
from qlorakit.audit_findings import Figures, Finding, Severity
from qlorakit.audit_scan import EDGE, LISTED_ROWS, SHORTEST_LABEL, Column, Hits, Scan

if TYPE_CHECKING:
    import numpy.typing as npt

    Keys = npt.NDArray[np.uint64]
    Integers = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

FEW = 0.01  # share of rows from which a fault that is common in all data is a warning
RARE = 10  # rows of a label that cannot be learned from
MEASURABLE = 25  # rows of a label, of which a fifth would be five test rows
TEST_SHARE = 0.2  # of a usual random split
LOWERED = 0.001  # share of the rows that nobody can answer right from which it is a warning
MAJORITY = 0.9  # share of the commonest label from which accuracy says little
GIVEN_AWAY = 0.5  # share of cells that hold the row's label
TIMES_OTHERS = 3  # as often as another label
DETERMINED = 0.8  # of what guessing the commonest label leaves wrong
NEARLY_ALL = 0.95
ALMOST = 0.0005  # share that one digit behind the point no longer shows
PURE, COVERED = 0.98, 0.9  # share of a value's rows with one label, and of the label's rows with that value
SHOWN_LABELS = 100
SHARED_EDGES = 5  # texts that begin alike, at least


@dataclass(frozen=True)
class Conflicts:
    """Texts that carry several answers.

    Attributes:
        texts: How many distinct texts have an answer.
        conflicting: How many of them have several.
        rows: Whether each row is of such a text, [rows].
        ceiling: Share of the labelled rows that are right at best if each text gets one answer: its commonest.
    """

    texts: int
    conflicting: int
    rows: Flags
    ceiling: float


def scan_findings(scan: Scan) -> Iterator[Finding]:
    """The findings of the cheap checks."""
    yield from _usable(scan)
    yield from _duplicates(scan)
    yield from _conflicts(scan)
    yield from _labels(scan)
    yield from _label_inside(scan)
    for name, column in scan.columns.items():
        yield from _leaking(scan, name, column)
    yield from _characters(scan)
    if not scan.quick:
        yield from _boilerplate(scan)


def find_conflicts(keys: Keys, answers: Keys) -> Conflicts:
    """Find texts with several answers.

    Args:
        keys: A hash of each row's text, [rows]; 0 for none.
        answers: A hash of each row's answer, [rows]; 0 for none.
    """
    there = np.flatnonzero((keys != 0) & (answers != 0))
    rows = np.zeros(len(keys), bool)
    if not len(there):
        return Conflicts(0, 0, rows, 1.0)
    there = there[np.lexsort((answers[there], keys[there]))]
    new_text = np.append(True, keys[there][1:] != keys[there][:-1])
    new_pair = np.append(True, answers[there][1:] != answers[there][:-1]) | new_text
    pairs = np.diff(np.append(np.flatnonzero(new_pair), len(there)))  # rows of each text and answer
    first_pairs = np.flatnonzero(new_text[new_pair])  # of each text
    several = np.diff(np.append(first_pairs, len(pairs))) > 1
    rows[there] = several[np.cumsum(new_text) - 1]
    best = np.maximum.reduceat(pairs, first_pairs).sum()
    return Conflicts(len(first_pairs), int(several.sum()), rows, float(best / len(there)))


def expected_leak(groups: Keys | Integers, test_share: float = TEST_SHARE) -> float:
    """The expected share of test rows of which another of the group trains, when rows are split at random.

    A row of a group of ``m`` among ``n`` rows, of which ``k`` are drawn for testing, has all others of its group in
    the test set with probability ``(k-1)/(n-1) * (k-2)/(n-2) * ...``, ``m - 1`` factors.

    Args:
        groups: A number for each row, [rows]; rows of one number are duplicates of each other.
        test_share: Of the rows, above 0 and below 1.
    """
    _, sizes = np.unique(groups, return_counts=True)
    total, drawn = len(groups), max(1, round(test_share * len(groups)))
    leaked = 0.0
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        others = np.arange(1, min(size, drawn + 1))
        leaked += float(count * size * (1 - np.prod((drawn - others) / np.maximum(total - others, 1))))
    return leaked / total if total else 0.0


def listed(flags: Flags) -> tuple[tuple[int, ...], int]:
    """The first of the rows that are flagged, and how many they are."""
    places = np.flatnonzero(flags)
    return tuple(map(int, places[:LISTED_ROWS])), len(places)


def repeats(keys: Keys | Integers) -> Flags:
    """Whether each row repeats an earlier one, [rows]; a key of 0 never does."""
    _, first = np.unique(keys, return_index=True)
    repeated = np.ones(len(keys), bool)
    repeated[first] = False
    repeated &= keys != 0
    return repeated


def graver(share: float, limit: float = FEW) -> Severity:
    """A warning where much is concerned, else a note."""
    return "warning" if share >= limit else "note"


def percent(share: float) -> str:
    """Such as ``12.3 %``; never 100 % or 0 % for what is only nearly so."""
    digits = 1 if share in {0, 1} or ALMOST <= share <= 1 - ALMOST else 3
    return f"{100 * share:.{digits}f} %"


def counted(count: int, one: str, many: str = "") -> str:
    """Such as ``1 row`` or ``1,200 rows``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def make_finding(
    code: str,
    severity: Severity,
    title: str,
    hits: Hits | Flags | None = None,
    figures: Figures | None = None,
) -> Finding:
    """A finding with what is always said of its kind."""
    rows, total = (
        ((), 0) if hits is None else (tuple(hits.rows), hits.total) if isinstance(hits, Hits) else listed(hits)
    )
    advice = ADVICE[code]
    return Finding(
        code,
        severity,
        title[:1].upper() + title[1:],
        advice.why,
        advice.what_to_do,
        rows=rows,
        total=total,
        figures=figures or {},
    )


def _usable(scan: Scan) -> Iterator[Finding]:
    for hit, code, said in (
        ("unusable", "unusable_rows", "that the task cannot read"),
        ("empty", "empty_texts", "without any text"),
    ):
        if found := scan.hits.get(hit):
            severity: Severity = "fatal" if found.total == scan.size else "warning"
            yield make_finding(code, severity, f"{counted(found.total, 'row')} {said}", found)
    missing, unknown = scan.hits.get("unlabelled", Hits()), scan.hits.get("unknown_label", Hits())
    if not scan.answers.any():
        yield make_finding("no_labels", "fatal", "no row has a label that the task can read", missing)
        return
    if missing.total:
        yield make_finding("missing_labels", "warning", f"{counted(missing.total, 'row')} without a label", missing)
    if unknown.total:
        title = f"{counted(unknown.total, 'row')} with a label that the task does not know"
        yield make_finding("unknown_labels", "warning", title, unknown)


def _duplicates(scan: Scan) -> Iterator[Finding]:
    repeated = repeats(scan.keys)
    count = int(repeated.sum())
    if count:
        title = f"{counted(count, 'row repeats', 'rows repeat')} the text of an earlier one"
        distinct = int(np.count_nonzero(scan.keys)) - count
        figures = {"distinct texts": distinct, "share of rows that repeat one": count / scan.size}
        yield make_finding("exact_duplicates", graver(count / scan.size), title, repeated, figures)


def _conflicts(scan: Scan) -> Iterator[Finding]:
    found = find_conflicts(scan.keys, scan.answers)
    if found.conflicting:
        title = (
            f"{counted(found.conflicting, 'text carries', 'texts carry')} different answers: at most "
            f"{percent(found.ceiling)} of the rows can be answered right"
        )
        figures = {
            "distinct texts": found.texts,
            "conflicting texts": found.conflicting,
            "highest accuracy": found.ceiling,
        }
        yield make_finding("conflicting_labels", graver(1 - found.ceiling, LOWERED), title, found.rows, figures)


def _labels(scan: Scan) -> Iterator[Finding]:
    answered = scan.answers[scan.answers != 0]
    if len(answered) > 1 and (answered == answered[0]).all():
        title = f"all {len(answered):,} labelled rows have the same answer"
        yield make_finding("one_label", "fatal", title, scan.answers != 0)
    if scan.label_counts.total():
        yield from _balance(scan)
        yield from _rare(scan)


def _balance(scan: Scan) -> Iterator[Finding]:
    counts = scan.label_counts
    share = max(counts.values()) / len(scan.answers[scan.answers != 0])
    title = f"the commonest of {counted(len(counts), 'label')} has {percent(share)} of the rows"
    figures: Figures = {"share of the commonest": share, "rows by label": dict(counts.most_common(SHOWN_LABELS))}
    yield make_finding("label_balance", graver(share, MAJORITY) if scan.task.single else "note", title, None, figures)


def _rare(scan: Scan) -> Iterator[Finding]:
    rare = {label: count for label, count in scan.label_counts.most_common() if count < MEASURABLE}
    few, absent = sum(0 < count < RARE for count in rare.values()), sum(not count for count in rare.values())
    if rare:
        parts = [f"{few} of them fewer than {RARE}"] * bool(few) + [f"{absent} none at all"] * bool(absent)
        title = f"{counted(len(rare), 'label has', 'labels have')} fewer than {MEASURABLE} rows"
        figures = {"rows by label": dict(list(rare.items())[-SHOWN_LABELS:])}
        yield make_finding("rare_labels", graver(few + absent, 1), ", ".join([title, *parts]), None, figures)


def _label_inside(scan: Scan) -> Iterator[Finding]:
    inside = scan.inside
    if inside.filled < MEASURABLE:
        return
    own, other = inside.contains / inside.filled, inside.other_contains / inside.filled
    if own < GIVEN_AWAY or own < TIMES_OTHERS * other:
        return
    certain = scan.task.single and own >= NEARLY_ALL and other <= 1 - NEARLY_ALL
    severity: Severity = "fatal" if certain else "warning"
    label = "the label" if scan.task.single else "a label of its row"
    title = f"the text itself holds {label} in {percent(own)} of the rows, and another label in {percent(other)}"
    yield make_finding("label_in_text", severity, title, None, {"own label": own, "another label": other})


def _leaking(scan: Scan, name: str, column: Column) -> Iterator[Finding]:
    how = _spelled_out(scan, column) or _determining(scan, column)
    if how:
        said, figures = how
        read = ", which the model reads," if name in scan.reader.cells_read else ""
        title = f"column {name!r}{read} gives the label away: {said}"
        yield make_finding("leaking_column", "warning", title, None, figures)


def _spelled_out(scan: Scan, column: Column) -> tuple[str, dict[str, Any]] | None:
    """Whether cells hold the label, far more often than another one."""
    if column.filled < MEASURABLE or min(map(len, scan.task.labels or ("",))) < SHORTEST_LABEL:
        return None
    ways = ("begins with", column.begins, column.other_begins), ("contains", column.contains, column.other_contains)
    for verb, own, other in ways:
        if own >= GIVEN_AWAY * column.filled and own >= TIMES_OTHERS * other:
            share = own / column.filled
            figures = {"own label": share, "another label": other / column.filled}
            return f"it {verb} it in {percent(share)} of the rows", figures
    return None


def _determining(scan: Scan, column: Column) -> tuple[str, dict[str, Any]] | None:
    """Whether rows with the same cell have the same label."""
    values = np.frombuffer(column.values, np.uint32)
    labels = scan.label_numbers[: len(values)]
    known = labels >= 0
    if known.sum() < MEASURABLE:
        return None
    values, labels = values[known], labels[known]
    majority = float(np.bincount(labels).max() / len(labels))
    for seen, what in ((values, "with the same value"), ((values != 0).astype(np.uint32) + 1, "that are filled alike")):
        accuracy = _accuracy_of_equals(seen, labels)
        if majority < 1 and (accuracy - majority) / (1 - majority) >= DETERMINED:
            figures = {"accuracy from it alone": accuracy, "accuracy of the commonest label": majority}
            return f"other rows {what} tell it in {percent(accuracy)} of the rows", figures
    stand_in = _rows_with_a_stand_in(values, labels)
    if majority < 1 and stand_in:
        said = f"one of its values stands for one label, in {percent(stand_in / len(labels))} of the rows"
        return said, {"rows it tells": stand_in}
    return None


def _rows_with_a_stand_in(values: npt.NDArray[np.uint32], labels: npt.NDArray[np.int32]) -> int:
    """How many rows have a value that comes with nearly one label alone, which nearly always comes with it."""
    pairs, counts = np.unique(
        (values.astype(np.uint64) << np.uint64(32)) | labels.astype(np.uint64), return_counts=True
    )
    of_value, of_label = pairs >> np.uint64(32), (pairs & np.uint64(2**32 - 1)).astype(np.int64)
    distinct, sizes = np.unique(values, return_counts=True)
    of_values = sizes[np.searchsorted(distinct, of_value)]
    alone = (counts >= PURE * of_values) & (counts >= COVERED * np.bincount(labels)[of_label])
    return int(of_values[alone & (of_value != 0) & (counts >= MEASURABLE)].sum())


def _accuracy_of_equals(values: npt.NDArray[np.uint32], labels: npt.NDArray[np.int32]) -> float:
    """How often the commonest label among the other rows with the same value is right.

    Where there are no others, or the cell is empty, the commonest label of all is said; ties count half.
    """
    most = int(np.bincount(labels).argmax())
    pairs, place, counts = np.unique(
        (values.astype(np.uint64) << np.uint64(32)) | labels.astype(np.uint64), return_inverse=True, return_counts=True
    )
    of_value = pairs >> np.uint64(32)
    starts = np.flatnonzero(np.append(True, of_value[1:] != of_value[:-1]))
    group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(pairs))))
    sizes, best = np.add.reduceat(counts, starts)[group], np.maximum.reduceat(counts, starts)[group]
    is_best = counts == best
    several = np.add.reduceat(is_best.astype(np.int64), starts)[group] > 1
    below = np.maximum.reduceat(np.where(is_best, 0, counts), starts)[group]
    rival = np.where(is_best & ~several, below, best)  # the commonest of the value's other labels
    rest = counts - 1
    right = np.where(rest > rival, 1.0, np.where((rest == rival) & (rest > 0), 0.5, 0.0))
    guessed = np.where((pairs & np.uint64(2**32 - 1)) == most, 1.0, 0.0)
    right = np.where((sizes == 1) | (of_value == 0), guessed, right)
    return float(right[place].mean())


def _characters(scan: Scan) -> Iterator[Finding]:
    hits = scan.hits
    if found := hits.get("control"):
        title = f"{counted(found.total, 'text holds', 'texts hold')} control characters"
        yield make_finding("control_characters", graver(found.total / scan.size), title, found)
    if found := hits.get("special"):
        title = f"{counted(found.total, 'text holds', 'texts hold')} what looks like a control token of a chat"
        figures = {"times": dict(scan.special.most_common(LISTED_ROWS))}
        yield make_finding("special_tokens", "note", title, found, figures)
    if found := hits.get("damaged"):
        title = f"{counted(found.total, 'text holds', 'texts hold')} characters that were decoded wrongly"
        lost = {"texts with lost characters": hits.get("replaced", Hits()).total}
        yield make_finding("encoding_damage", graver(found.total / scan.size), title, found, lost)


def _boilerplate(scan: Scan) -> Iterator[Finding]:
    for code, verb, hashes in (("same_beginning", "begin", scan.starts), ("same_end", "end", scan.ends)):
        distinct = (hashes != 0) & ~repeats(scan.keys)
        found, counts = np.unique(hashes[distinct], return_counts=True)
        common = counts >= max(SHARED_EDGES, FEW * scan.size)
        flags = np.isin(hashes, found[common]) & (hashes != 0)
        if common.any():
            many = counted(int(flags.sum()), f"long text {verb}s", f"long texts {verb}")
            title = f"{many} with the same {EDGE} characters as many others"
            figures = {"different ones": int(common.sum()), "texts with the commonest": int(counts.max())}
            yield make_finding(code, "note", title, flags, figures)
