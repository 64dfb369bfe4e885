"""Split rows into train, validation and test without leaks.

Rows that ask the same, near-duplicates, and rows of one group of the task are tied together: they stand on one side.
Everything follows from the rows' contents and the seed, and a million rows take some hundred bytes each.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qlorakit.cells import is_blank
from qlorakit.errors import ConfigurationError, DataError
from qlorakit.near_duplicates import near_duplicate_groups
from qlorakit.row_store import to_dataset
from qlorakit.rows import as_rows, check_row, check_task, group_of, input_key, input_text, row_content

if TYPE_CHECKING:
    import datasets
    import numpy.typing as npt

    from qlorakit.task import Row, Task

    Integers = npt.NDArray[np.int64]
    Hashes = npt.NDArray[np.uint64]

logger = logging.getLogger(__name__)

SIDES = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
UNUSED = -1
LARGE_SHARE, LARGE_ROWS = 0.05, 20  # a group of near-duplicates that is more than both is worth a word


@dataclass(frozen=True)
class Surveyed:
    """What splitting needs to know of rows, as numbers.

    Attributes:
        asks: A hash of what each row asks, [rows].
        labels: A hash of its reference, [rows].
        contents: A hash of the whole row, [rows].
        alike: A number for each group of near-duplicates; that of ``asks`` where they were not looked for, [rows].
        bundles: Numbered from 0; rows with the same one are tied together, [rows].
        kept: Whether a row is not left out as a repeat of question and answer, [rows].
    """

    asks: Hashes
    labels: Hashes
    contents: Hashes
    alike: Hashes
    bundles: Integers
    kept: npt.NDArray[np.bool_]

    def tell(self) -> None:
        """Log what a split leaves out and ties together."""
        if not self.kept.all():
            logger.warning("split: left out %d repeated rows of %d", np.count_nonzero(~self.kept), len(self.kept))
        conflicts = np.count_nonzero(np.unique(self.asks[self.kept], return_counts=True)[1] > 1)
        if conflicts:
            logger.warning("split: %d texts carry different labels; each stays on one side", conflicts)
        _tell_of_alike(self.alike, self.asks)


def split(
    rows: Iterable[Row],
    *,
    task: Task[Any],
    seed: int,
    validation: float = 0.1,
    test: float = 0.2,
    group_by: str | None = None,
    rows_per_class: int | Mapping[str, int] | None = None,
    near_duplicates: float | None = 0.8,
    ignore_digits: bool | None = None,
    previous: Mapping[str, Hashes] | None = None,
) -> datasets.DatasetDict:
    """Split rows at random into ``train``, ``validation`` and ``test``.

    Rows that ask the same thing with the same answer are kept once; those that ask the same with different answers,
    near-duplicates, and those of one ``task.group``, stay on one side.  Every label gets its share of each side.
    Where a row goes follows from its content and the seed, not from its position in the file; a row that is added
    moves at most two others, of its own label, and none where ``previous`` is given.

    Args:
        rows: All rows, with labels.
        task: Says what a row asks, its label and its group.
        seed: Another seed gives another split.
        validation: Share of the rows, by label, to choose settings and checkpoints on.
        test: Share of the rows, by label, to measure on once.
        group_by: A column, such as a document's name or a patient's number, whose rows with the same value stay
            together, besides those of ``task.group``; rows without a value are on their own.
        rows_per_class: So many rows of each label to train on, the others of that side being left out; or numbers by
            side, ``{"train": 50, "validation": 10, "test": 20}``, instead of shares.  Where rows have several labels,
            they are drawn for the rarest label first until each has so many, or all there are: commoner labels that
            come with rare ones can get more.  Numbers by side are then refused.
        near_duplicates: The least similarity (Jaccard index of three-word shingles) of rows that are tied together;
            ``None`` to tie only what asks exactly the same.
        ignore_digits: Whether texts that differ in numbers alone are near-duplicates; as the task says unless given.
            For rows made of numbers, as of a table, they are not.
        previous: An earlier split, from :func:`~qlorakit.split_files.read_split`.  Its rows stay where they were, what
            is tied to them joins them, and only the others are dealt.

    Returns:
        Three datasets; an unused side (share 0) is left out.

    Raises:
        ConfigurationError: The shares are not in [0, 1), or leave nothing to train on; another argument is out of
            range, or does not go with the task.
        DataError: A row is unusable, a side would be empty, or a label has too few rows.
        PluginError: The task fails on a row.
    """
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        msg = f"validation={validation}, test={test}: shares must be at least 0 and leave something to train on"
        raise ConfigurationError(msg)
    quotas = _quotas(rows_per_class)
    check_task(task)
    rows = as_rows(rows)
    known = np.concatenate(list(previous.values())) if previous else None
    surveyed = survey(
        rows, task, near_duplicates=near_duplicates, ignore_digits=ignore_digits, group_by=group_by, known=known
    )
    surveyed.tell()
    wanted = {"train": 1.0, "validation": validation, "test": test}
    if quotas and set(quotas) != {"train"}:
        _check_single(task, quotas)
        wanted = {side: float(quotas.get(side, 0)) for side in SIDES}
        sides = deal_numbers(surveyed, seed, quotas)
    else:
        sides = deal_shares(surveyed, seed, validation, test)
        if quotas and _several_labels(task):
            sides = _drawn_by_labels(rows, task, surveyed, seed, sides, quotas["train"])
        elif quotas:
            sides = _thinned(surveyed, seed, sides, quotas["train"])
    if previous:
        sides = _as_before(surveyed, sides, previous)
    used = [side for side in SIDES if wanted[side]]
    return divided(rows, sides, used, hint=f"validation={validation} and test={test}")


def survey(
    rows: Sequence[Row],
    task: Task[Any],
    *,
    near_duplicates: float | None = 0.8,
    ignore_digits: bool | None = None,
    group_by: str | None = None,
    known: Hashes | None = None,
    times: npt.NDArray[np.float64] | None = None,
) -> Surveyed:
    """Read all rows once or twice, and find out which are tied together.

    Args:
        rows: All of them, labelled.
        task: Reads them.
        near_duplicates: See :func:`split`.
        ignore_digits: Likewise.
        group_by: Likewise.
        known: Contents of which one is kept where rows repeat each other.
        times: Of the rows, of which the earliest is kept where they repeat each other, [rows].

    Raises:
        DataError: A row is unusable, or there are none.
        PluginError: The task fails on a row.
    """
    if not len(rows):
        msg = "the rows: there are none left to work with"
        raise DataError(msg)
    found = np.empty((len(rows), 5), np.uint64)
    for number, row in enumerate(rows):
        check_row(row, task, labelled=True, where=f"the rows, row {number + 1}")
        group = hash_of(*group_of(row, task, number)) if task.group else 0
        column = _group_in(row, group_by, number)
        found[number] = (_key(row, task), hash_of(task.reference(row)), hash_of(row_content(row)), group, column)
    asks, labels, contents, groups, columns = found.T
    ties = [asks, *([groups] if task.group else []), *([columns] if group_by else [])]
    alike = asks
    if near_duplicates is not None:
        texts = (input_text(row, task) for row in rows)
        digits = task.ignore_digits if ignore_digits is None else ignore_digits
        groups_of_texts = near_duplicate_groups(texts, threshold=near_duplicates, ignore_digits=digits)
        alike = groups_of_texts.astype(np.uint64)
        ties.append(alike)
    rank = times if times is not None else ~np.isin(contents, np.empty(0, np.uint64) if known is None else known)
    kept = _first_of_repeats(asks, labels, contents, rank)
    return Surveyed(asks, labels, contents, alike, _tied(ties), kept)


def _group_in(row: Row, column: str | None, number: int) -> int:
    """A hash of the value by which rows are grouped; of the row's place where it has none."""
    if column is None:
        return 0
    if column not in row:
        there = ", ".join(map(repr, row))
        msg = f"the rows, row {number + 1}: there is no column {column!r} to group by; the row has {there}"
        raise DataError(msg)
    value = row[column]
    return hash_of("alone", number) if is_blank(value) else hash_of("group", value)


def divided(rows: Sequence[Row], sides: Integers, used: Sequence[str], *, hint: str = "") -> datasets.DatasetDict:
    """Rows as one dataset for each side, in their order.

    Args:
        rows: All of them.
        sides: The number of each row's side, negative where it is left out, [rows].
        used: Sides that must not be empty.
        hint: The settings that led there, for an error.

    Raises:
        DataError: A side that is used is empty.
    """
    import datasets

    source = getattr(rows, "dataset", None)
    if source is None:
        source = to_dataset(rows)
    found = {}
    for side in used:
        places = np.flatnonzero(sides == SIDES.index(side))
        if not len(places):
            msg = (
                f"{np.count_nonzero(sides != UNUSED)} rows are too few, or too tied to each other, to leave any for "
                f"{side}{' with ' + hint if hint else ''}; give more rows or other shares, or tie fewer of them: "
                "ignore_digits=False where numbers tell rows apart, near_duplicates=None to tie only what is the same, "
                "another group_by or group of the task where there are few groups"
            )
            raise DataError(msg)
        found[side] = source.select(places)
    return datasets.DatasetDict(found)


def deal_shares(surveyed: Surveyed, seed: int, validation: float, test: float) -> Integers:
    """The side of each row, every label getting its share of each, [rows].

    The bundles of a label stand in the order of their hashes; the first ones are tested on, the next ones validated
    on, and the rest trained on.  Fractions of a row are rounded at random by the label's own hash.
    """
    order = _order(surveyed, seed)
    strata, sizes, positions = _strata(surveyed, order)
    chance = np.array([hash_of(seed, int(label)) / 2.0**64 for label in strata.names])[strata.of]
    total = strata.rows[strata.of]
    ends = [np.floor(np.round(total * share, 6) + chance) for share in (test, test + validation)]
    centre = positions + sizes / 2
    side = np.where(centre <= ends[0], TEST, np.where(centre <= ends[1], VALIDATION, TRAIN))
    return np.where(surveyed.kept, side[surveyed.bundles], UNUSED)


def overlap(train: Iterable[Row], other: Iterable[Row], task: Task[Any]) -> list[int]:
    """Positions in ``other`` of rows that ask what a row of ``train`` asks."""
    keys = np.fromiter((_key(row, task) for row in other), np.uint64)
    asked = np.fromiter((_key(row, task) for row in train), np.uint64)
    found: list[int] = np.flatnonzero(np.isin(keys, asked)).tolist()
    return found


def deal_numbers(surveyed: Surveyed, seed: int, quotas: Mapping[str, int]) -> Integers:
    """The side of each row where every label gives so many rows to each, [rows]; the others are left out.

    Raises:
        DataError: A label has too few.
    """
    order = _order(surveyed, seed)
    strata, sizes, positions = _strata(surveyed, order, pool=False)
    side, begin = np.full(len(sizes), UNUSED), np.zeros(len(strata.names))
    for number in (TEST, VALIDATION, TRAIN):
        end = begin + quotas.get(SIDES[number], 0)
        taken = (positions >= begin[strata.of]) & (positions < end[strata.of])
        side[taken] = number
        reached = begin.copy()
        np.maximum.at(reached, strata.of[taken], (positions + sizes)[taken])
        if (reached < end).any():
            place = int(np.argmax(reached < end))
            label = strata.names[place]
            example = int(np.argmax(surveyed.labels == label))
            msg = (
                f"the label of row {example + 1} has {int(strata.rows[place])} different rows, some of which may be "
                f"tied together: too few for rows_per_class={dict(quotas)}"
            )
            raise DataError(msg)
        begin = reached
    sides = np.where(surveyed.kept, side[surveyed.bundles], UNUSED)
    for name, most in quotas.items():
        sides = _thinned(surveyed, seed, sides, most, SIDES.index(name))
    return sides


def hash_of(*parts: object) -> int:
    """A hash of 64 bits that is the same in every process."""
    text = "\n".join(_canonical(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _canonical(value: object) -> str:
    """A text for a value, the same whatever the order of a set."""
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_canonical, value)))}}}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{_canonical(key)}: {_canonical(item)}' for key, item in value.items()))}}}"
    return value if isinstance(value, str) else repr(value)


def _key(row: Row, task: Task[Any]) -> int:
    return int(input_key(row, task)[:16], 16)


def _quotas(given: int | Mapping[str, int] | None) -> dict[str, int]:
    quotas = {} if given is None else dict(given) if isinstance(given, Mapping) else {"train": given}
    wrong = [side for side, count in quotas.items() if side not in SIDES or not isinstance(count, int) or count < 1]
    if wrong or (quotas and "train" not in quotas):
        msg = (
            f"rows_per_class={given!r}: give a number of rows to train on, such as 50, or one by side, such as "
            '{"train": 50, "validation": 10, "test": 20}'
        )
        raise ConfigurationError(msg)
    return quotas


def _several_labels(task: Task[Any]) -> bool:
    """Whether the references of a task are sets of its labels."""
    return task.kind == "multilabel" and task.labels is not None


def _check_single(task: Task[Any], quotas: Mapping[str, int]) -> None:
    if _several_labels(task):
        msg = (
            f"rows_per_class={dict(quotas)!r}: rows of {task.name} have several labels, so that numbers by side cannot "
            "be kept; give one number, of training rows, and shares for the other sides"
        )
        raise ConfigurationError(msg)


def _first_of_repeats(asks: Hashes, labels: Hashes, contents: Hashes, rank: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which rows are the only ones of their question and answer, or those of them with the least rank and content."""
    order = np.lexsort((contents, rank, labels, asks))
    kept = np.zeros(len(order), bool)
    kept[order[_starts(asks[order], labels[order])]] = True
    return kept


def _as_before(surveyed: Surveyed, sides: Integers, previous: Mapping[str, Hashes]) -> Integers:
    """Sides with the rows of an earlier split where they were, and what is tied to them beside them."""
    before = np.full(len(sides), UNUSED)
    for name, contents in previous.items():
        before[np.isin(surveyed.contents, contents) & surveyed.kept] = SIDES.index(name)
    known = before != UNUSED
    count = int(surveyed.bundles.max()) + 1
    low, high = np.full(count, len(SIDES)), np.full(count, UNUSED)
    np.minimum.at(low, surveyed.bundles[known], before[known])
    np.maximum.at(high, surveyed.bundles[known], before[known])
    bound = np.where(low == high, low, UNUSED)[surveyed.bundles]
    free = (high == UNUSED)[surveyed.bundles]
    torn = np.count_nonzero(~free & ~known & surveyed.kept & (bound == UNUSED))
    if torn:
        logger.warning("split: left out %d new rows that are tied to rows of several sides", torn)
    return np.where(known, before, np.where(free, sides, np.where(surveyed.kept, bound, UNUSED)))


def _tell_of_alike(alike: Hashes, asks: Hashes) -> None:
    """Say how many near-duplicates there are besides what asks the same."""
    pairs = np.unique(np.stack([alike, asks]), axis=1)
    counts = np.unique(pairs[0], return_counts=True)[1]
    more = int(counts[counts > 1].sum())
    if more:
        logger.warning("split: %d of %d different texts are near-duplicates; they stay together", more, pairs.shape[1])
    if counts.max() > max(LARGE_ROWS, LARGE_SHARE * pairs.shape[1]):
        logger.warning(
            "split: %d texts are all tied together as near-duplicates; if they are not, pass ignore_digits=False "
            "(where numbers tell rows apart), a higher near_duplicates, or None", counts.max(),
        )  # fmt: skip


def _tied(ties: Sequence[Hashes]) -> Integers:
    """Numbers from 0 for rows, the same for those that are tied by any of several keys, directly or not."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows, size = np.arange(len(ties[0])), len(ties[0])
    starts, ends = [], []
    for keys in ties:
        _, number = np.unique(keys, return_inverse=True)
        starts.append(rows)
        ends.append(size + number)
        size += int(number.max()) + 1
    links = np.concatenate(starts), np.concatenate(ends)
    graph = coo_array((np.ones(len(links[0]), np.int8), links), shape=(size, size))
    _, found = np.unique(connected_components(graph, directed=False)[1][: len(rows)], return_inverse=True)
    return found.astype(np.int64)


def _order(surveyed: Surveyed, seed: int) -> Hashes:
    """A number for each bundle by which they are sorted: the least hash of its rows' contents with the seed."""
    mixed = _mixed(surveyed.contents, seed)
    order = np.full(int(surveyed.bundles.max()) + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(order, surveyed.bundles[surveyed.kept], mixed[surveyed.kept])
    return order


def _mixed(hashes: Hashes, seed: int) -> Hashes:
    """Other hashes for another seed (the finalizer of SplitMix64, Steele et al., 2014)."""
    mixed = hashes ^ np.uint64(hash_of("seed", seed))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


@dataclass(frozen=True)
class _Strata:
    """Bundles by label.

    Attributes:
        names: The label's hash, [strata].
        rows: How many rows a stratum has, [strata].
        of: The stratum of each bundle, [bundles].
    """

    names: Hashes
    rows: Integers
    of: Integers


def _strata(surveyed: Surveyed, order: Hashes, *, pool: bool = True) -> tuple[_Strata, Integers, Integers]:
    """The strata, the size of each bundle, and how many rows of its stratum stand before it.

    A bundle belongs to the commonest of its labels.  Labels of one bundle each, as texts have, are one stratum.
    """
    bundles, labels = surveyed.bundles[surveyed.kept], surveyed.labels[surveyed.kept]
    sizes = np.bincount(bundles, minlength=len(order))
    of_bundle = _commonest(bundles, labels)
    if pool:
        names, counts = np.unique(of_bundle, return_counts=True)
        of_bundle = np.where(np.isin(of_bundle, names[counts == 1]), np.uint64(0), of_bundle)
    names, of = np.unique(of_bundle, return_inverse=True)
    rows = np.bincount(of, weights=sizes).astype(np.int64)
    line = np.lexsort((order, of))
    before = np.cumsum(sizes[line]) - sizes[line]
    first = _starts(of[line])
    positions = np.empty(len(order), np.int64)
    positions[line] = before - np.repeat(before[first], np.diff(np.append(first, len(line))))
    return _Strata(names, rows, of), sizes, positions


def _commonest(bundles: Integers, labels: Hashes) -> Hashes:
    """The commonest label of each bundle, [bundles]; the one with the least hash, where several are."""
    line = np.lexsort((labels, bundles))
    bundles, labels = bundles[line], labels[line]
    starts = _starts(bundles, labels)
    counts = np.diff(np.append(starts, len(bundles)))
    best = np.lexsort((labels[starts], -counts, bundles[starts]))
    found: Hashes = labels[starts][best][_starts(bundles[starts][best])]
    return found


def _starts(*sorted_keys: npt.NDArray[Any]) -> Integers:
    """Where runs of equal keys begin."""
    changes = np.any([np.diff(keys) != 0 for keys in sorted_keys], axis=0)
    return np.flatnonzero(np.append(True, changes))  # the first one always does


def _thinned(surveyed: Surveyed, seed: int, sides: Integers, most: int, side: int = TRAIN) -> Integers:
    """Sides with no more than so many rows of each label on one of them, the others left out."""
    places = np.flatnonzero(sides == side)
    labels = surveyed.labels[places]
    line = np.lexsort((_mixed(surveyed.contents[places], seed), labels))
    first = _starts(labels[line])
    rank = np.arange(len(line)) - np.repeat(first, np.diff(np.append(first, len(line))))
    thinned = sides.copy()
    thinned[places[line[rank >= most]]] = UNUSED
    return thinned


def _drawn_by_labels(
    rows: Sequence[Row], task: Task[Any], surveyed: Surveyed, seed: int, sides: Integers, most: int
) -> Integers:
    """Sides with training rows drawn until each label has so many, the rarest label first; the others are left out.

    Rows without any label count as having one of their own.
    """
    trained = np.flatnonzero(sides == TRAIN)
    places: list[int] = trained[np.argsort(_mixed(surveyed.contents[trained], seed))].tolist()
    labels_of = {place: task.reference(rows[place]) or ("",) for place in places}
    sizes = Counter(label for labels in labels_of.values() for label in labels)
    drawn: set[int] = set()
    counts: Counter[str] = Counter()
    for label in sorted(sizes, key=lambda name: (sizes[name], name)):
        left = (place for place in places if label in labels_of[place] and place not in drawn)
        for place in itertools.islice(left, max(0, most - counts[label])):
            drawn.add(place)
            counts.update(labels_of[place])
    thinned = sides.copy()
    thinned[[place for place in places if place not in drawn]] = UNUSED
    return thinned
