"""Prefix trees: every token of a batch once, however many sequences begin with it.  Pure integers, no torch.

Three sequences that share a beginning, written by a causal model, differ only after it.  A radix tree over them, laid
out depth first in one row, holds each shared token once::

    prompt a b c, answer x y        a b c ─┬─ x                 index      0  1  2  3  4  5
    prompt a b c, answer z w               ├─ z                 input_ids  a  b  c  x  z  d
    prompt a b c d, answer v               └─ d                 position   0  1  2  3  3  3
                                                                exit       6  6  6  4  5  6
    targets: y after x, w after z, v after d, x and z after c (the last token of an answer is only predicted)

``exit`` is the index one past a token's subtree, and all that attention needs to know: **q sees k iff
k <= q < exit[k]**, which is to say that k is an ancestor of q, or q itself.  A token's hidden state depends on what it
sees and on its position, its depth, alone; so the row gives every sequence the very logits it would get by itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# An inner node that saves fewer tokens than this costs more, in small products, than it saves.
SHORTEST_SAVING = 16
# Neighbouring subtrees are taken together, up to this many tokens, in one masked product.
TILE = 64
# Longer nodes are cut, so that less of a causal square that is not seen is computed.
LONGEST = 256


@dataclass(frozen=True)
class Continuation:
    """A prompt and an answer to it, as token ids; wanted is the log-probability of each token of the answer."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    @property
    def read(self) -> tuple[int, ...]:
        """Tokens the model must read: the answer's last one is only predicted."""
        return self.prompt + self.answer[:-1]

    @property
    def input_length(self) -> int:
        """How many these are."""
        return len(self.prompt) + len(self.answer) - 1


class Rectangle(NamedTuple):
    """A part of the attention matrix: queries ``first_query`` to ``end_query``, keys ``first_key`` to ``end_key``.

    Where ``full``, each of its queries sees each of its keys; elsewhere the rule decides.
    """

    first_query: int
    end_query: int
    first_key: int
    end_key: int
    full: bool


@dataclass(frozen=True)
class PrefixTree:
    """Sequences in one depth-first row.

    Attributes:
        input_ids: Tokens, [tokens].
        position_ids: Depth of each, counted from the beginning of its sequence, [tokens].
        exit: Index one past each token's subtree, [tokens].
        parents: Index of the token after which each target is predicted, [targets].
        targets: Token predicted there, [targets]; a pair of parent and token occurs once.
        weights: Sum of the weights of the sequences that predict it, [targets].
        paths: Of each sequence, in the order given, the targets that make up its answer.
    """

    input_ids: tuple[int, ...]
    position_ids: tuple[int, ...]
    exit: tuple[int, ...]
    parents: tuple[int, ...]
    targets: tuple[int, ...]
    weights: tuple[float, ...]
    paths: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.input_ids)

    @classmethod
    def build(
        cls,
        sequences: Sequence[Continuation],
        weights: Sequence[float] | None = None,
        *,
        skip: int = 0,
        shortest_saving: int = SHORTEST_SAVING,
    ) -> PrefixTree:
        """Lay sequences out; identical ones merge.

        Args:
            sequences: Prompts and answers.
            weights: Of each sequence's answer tokens; 1 unless given.
            skip: Leading tokens, the same in all sequences, that are left out because their keys and values are kept
                from before.  Shorter than every prompt: its last token predicts.
            shortest_saving: Inner nodes that save fewer tokens are flattened: written once for each child.

        Raises:
            ValueError: A prompt or an answer is empty, or ``skip`` reaches into what differs.
        """
        _check(sequences, skip)
        weights = [1.0] * len(sequences) if weights is None else weights
        reads = [sequence.read[skip:] for sequence in sequences]
        order = sorted(range(len(reads)), key=reads.__getitem__)
        shared = _flatten(_overlaps([reads[item] for item in order]), reads, order, shortest_saving)
        row = _Row(skip)
        paths: list[tuple[int, ...]] = [()] * len(reads)
        for item, common in zip(order, shared, strict=True):
            row.enter(reads[item], common)
            paths[item] = row.predict(sequences[item], weights[item])
        return row.finish(tuple(paths))

    def sees(self, query: int, key: int) -> bool:
        """Whether one token attends to another: the rule, in words of this class."""
        return key <= query < self.exit[key]

    def rectangles(self, tile: int = TILE, longest: int = LONGEST) -> Iterator[Rectangle]:
        """Cover everything that is seen with rectangles, each pair of query and key at most once.

        In depth-first order the queries below a node stand next to each other: a node's own tokens are seen by
        themselves, as the rule has it, and fully by all that follows in its subtree.  Small neighbouring subtrees make
        one square.
        """
        yield from _cover(self.exit, tile, longest)


class _Row:
    """A depth-first row in the making."""

    def __init__(self, skip: int) -> None:
        self.skip = skip
        self.path: list[int] = []  # indices of the current sequence's tokens
        self.input_ids: list[int] = []
        self.position_ids: list[int] = []
        self.exit: list[int] = []
        self.places: dict[tuple[int, int], int] = {}
        self.weights: list[float] = []

    def enter(self, read: tuple[int, ...], common: int) -> None:
        """Leave the path down to what is common, and write the rest of the sequence."""
        self._leave(common)
        begin, added = len(self.input_ids), read[common:]
        self.path.extend(range(begin, begin + len(added)))
        self.input_ids.extend(added)
        self.position_ids.extend(range(self.skip + common, self.skip + len(read)))
        self.exit.extend([0] * len(added))

    def predict(self, sequence: Continuation, weight: float) -> tuple[int, ...]:
        """Add the targets of the sequence that was just entered."""
        first = len(sequence.prompt) - 1 - self.skip
        found = []
        for parent, token in zip(self.path[first:], sequence.answer, strict=True):
            place = self.places.setdefault((parent, token), len(self.places))
            if place == len(self.weights):
                self.weights.append(0.0)
            self.weights[place] += weight
            found.append(place)
        return tuple(found)

    def finish(self, paths: tuple[tuple[int, ...], ...]) -> PrefixTree:
        """Close every subtree."""
        self._leave(0)
        parents, targets = zip(*self.places, strict=True) if self.places else ((), ())
        row = (tuple(self.input_ids), tuple(self.position_ids), tuple(self.exit))
        return PrefixTree(*row, parents, targets, tuple(self.weights), paths)

    def _leave(self, depth: int) -> None:
        for index in self.path[depth:]:
            self.exit[index] = len(self.input_ids)
        del self.path[depth:]


def common_length(first: Sequence[int], second: Sequence[int]) -> int:
    """How many leading tokens two sequences share."""
    low, high = 0, min(len(first), len(second))
    while low < high:  # comparing slices is fast, comparing tokens in a loop is not
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def cut(
    sequences: Sequence[Continuation],
    groups: Sequence[int],
    units: Sequence[int],
    *,
    token_budget: int,
    skip: int = 0,
) -> list[list[int]]:
    """Divide sequences among few trees, each of at most ``token_budget`` tokens where nothing is flattened.

    What begins alike comes into the same tree.

    Args:
        sequences: Prompts and answers.
        groups: Of each sequence.  A group stays whole unless it alone exceeds the budget: then its units are divided.
        units: Of each sequence.  A unit stays whole in any case.
        token_budget: Most tokens of a tree, without those that are skipped.
        skip: Leading tokens that are left out of every tree.

    Returns:
        For each tree the places of its sequences, those of a unit next to each other.
    """
    members: dict[int, dict[int, list[int]]] = {}
    for place, (group, unit) in enumerate(zip(groups, units, strict=True)):
        members.setdefault(group, {}).setdefault(unit, []).append(place)
    budget = token_budget + skip
    pieces = [
        piece
        for of_group in members.values()
        for piece in _pack([_whole(sequences, of_unit) for of_unit in of_group.values()], budget)
    ]
    return [piece.members for piece in _pack(pieces, budget)]


class _Piece(NamedTuple):
    """Sequences that stay together: the first of them in order, the tokens of their tree, their places."""

    first: tuple[int, ...]
    size: int
    members: list[int]


def _whole(sequences: Sequence[Continuation], members: Sequence[int]) -> _Piece:
    reads = sorted((sequences[place].read, place) for place in members)
    size = sum(len(read) for read, _ in reads) - sum(_overlaps([read for read, _ in reads]))
    return _Piece(reads[0][0], size, [place for _, place in reads])


def _pack(pieces: list[_Piece], budget: int) -> list[_Piece]:
    """Join neighbours as long as they fit.  The tokens saved are those shared with the neighbour, at least."""
    packed: list[_Piece] = []
    last: tuple[int, ...] = ()
    for piece in sorted(pieces):
        size = packed[-1].size + piece.size - common_length(last, piece.first) if packed else budget + 1
        if size > budget:
            packed.append(piece)
        else:
            packed[-1] = _Piece(packed[-1].first, size, packed[-1].members + piece.members)
        last = piece.first
    return packed


def _check(sequences: Sequence[Continuation], skip: int) -> None:
    for number, sequence in enumerate(sequences, start=1):
        if not sequence.prompt or not sequence.answer:
            msg = f"sequence {number} has an empty {'answer' if sequence.prompt else 'prompt'}"
            raise ValueError(msg)
        if skip >= len(sequence.prompt) or sequence.prompt[:skip] != sequences[0].prompt[:skip]:
            msg = f"skip={skip}: sequence {number} does not share so many tokens, with one left to predict from"
            raise ValueError(msg)


def _overlaps(reads: Sequence[tuple[int, ...]]) -> list[int]:
    """Of sequences in order, how many leading tokens each shares with the one before it."""
    return [0, *(common_length(first, second) for first, second in itertools.pairwise(reads))][: len(reads)]


def _flatten(overlaps: list[int], reads: Sequence[tuple[int, ...]], order: Sequence[int], shortest: int) -> list[int]:
    """Lower the overlaps at inner nodes that save too little, so that each child writes the node's tokens itself."""
    waiting = [(0, len(overlaps), 0)]  # first and end of the sequences below a node, depth of its beginning
    while waiting:
        first, end, depth = waiting.pop()
        if end - first < 2:  # noqa: PLR2004  # a leaf
            continue
        node_end = min(overlaps[first + 1 : end])
        splits = [place for place in range(first + 1, end) if overlaps[place] == node_end]
        # A sequence that ends where the node ends has no tokens of its own, so that flattening would not even it out.
        same = [place for place in splits if reads[order[place]] == reads[order[place - 1]]]
        if (node_end - depth) * len(splits) < shortest and not same:
            for place in splits:
                overlaps[place] = depth
            node_end = depth
        waiting.extend((begin, stop, node_end) for begin, stop in zip([first, *splits], [*splits, end], strict=True))
    return overlaps


def _cover(exits: Sequence[int], tile: int, longest: int) -> Iterator[Rectangle]:
    begin, total = 0, len(exits)
    while begin < total:
        end = begin
        while end < total and exits[end] - begin <= tile:  # whole subtrees next to each other
            end = exits[end]
        if end > begin:
            yield Rectangle(begin, end, begin, end, full=False)
        else:  # a large subtree: the node at its top, then whatever is below
            end = begin + 1
            while end < total and exits[end] == exits[begin] and end - begin < longest:
                end += 1
            yield Rectangle(begin, end, begin, end, full=False)
            if exits[begin] > end:
                yield Rectangle(end, exits[begin], begin, end, full=True)
        begin = end
