"""Find texts that are nearly the same: equal up to digits and punctuation, or with most of their words in common."""

from __future__ import annotations

import hashlib
import re
import tempfile
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from qlorakit.display import progress_bar
from qlorakit.errors import ConfigurationError

if TYPE_CHECKING:
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Hashes = npt.NDArray[np.uint32]
    WideHashes = npt.NDArray[np.uint64]

SHINGLE = 3  # words
PERMUTATIONS = 128  # hash functions of a text's sketch
MISSED = 1e-4  # the most of the pairs at the threshold that the bands may miss
NEIGHBOURS = 64  # texts of a bucket that each of its texts is compared with
SEED = 1
BATCH_TEXTS, BATCH_CHARACTERS = 8192, 4_000_000
COMPARED_AT_ONCE = 4_000_000  # shingles
HASH_BITS = 31  # of a shingle, so that a sparse matrix takes it as a column
MIXER = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying by it loses nothing

NUMBER = re.compile(r"0+(?:[.,]0+)*")
GAP = re.compile(r"[\s.,]+")
# Thai, Lao, Burmese, Khmer, kana, Chinese characters: written without spaces, so each character counts as a word.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WORD = re.compile(f"[{UNSPACED}]|[^\\s{UNSPACED}]+")


def normalise(text: str, *, ignore_digits: bool = True) -> str:
    """A text without what tells copies of it apart: case, punctuation, white space, and the digits of its numbers.

    Unicode is brought to its compatibility form (NFKC).  Every number, with the points and commas inside it, becomes
    one ``0``; punctuation and white space become single spaces.

    Args:
        text: Any text.
        ignore_digits: Whether numbers count as equal.  Where they carry the meaning, as in rows of a table, they
            should not.

    Returns:
        The text; empty where it held no letter, number or symbol.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    plain = folded.translate(_ZEROS if ignore_digits else _PLAIN)
    return GAP.sub(" ", NUMBER.sub("0", plain) if ignore_digits else plain).strip()


def near_duplicate_groups(
    texts: Iterable[str],
    *,
    threshold: float = 0.8,
    ignore_digits: bool = True,
    progress: bool = False,
) -> Integers:
    """Put texts that are nearly the same into groups.

    Two texts are linked if they are equal after :func:`normalise`, or if the Jaccard similarity of their shingles,
    runs of three words, is at least the threshold.  A group is what is linked, directly or through others.  Texts of
    fewer than three words are linked by equality alone, and texts without any word never.

    Candidates come from MinHash signatures cut into bands, and every one is verified by its exact similarity.  A pair
    at the threshold is missed with :func:`miss_probability`, a more similar one with less.  In a bucket of more than
    64 texts each is compared with the 64 next to it in the order of the following band, so that more can be missed
    where very many texts are alike but not near-duplicates.  The same texts always give the same groups.

    Source: A. Broder, "On the resemblance and containment of documents", 1997; J. Leskovec, A. Rajaraman and
    J. Ullman, "Mining of Massive Datasets", chapter 3.

    Args:
        texts: Read once and not kept; for each distinct one about 120 bytes stay in memory, and 4 bytes a word in
            a temporary file, which holds hashes alone.
        threshold: The least similarity of near-duplicates, above 0 and up to 1.
        ignore_digits: Whether numbers count as equal.
        progress: Whether to show a bar on standard error.

    Returns:
        A group number for each text [texts], counted from 0 in the order of first occurrence.

    Raises:
        ConfigurationError: The threshold is out of range.
    """
    bands, _ = _banding(threshold)
    total = len(texts) if isinstance(texts, Sequence) else None
    with tempfile.TemporaryFile() as file, progress_bar("near-duplicates", shown=progress) as advance:
        sketches = _Sketches(file, threshold)
        for batch in _batches(normalise(text, ignore_digits=ignore_digits) for text in texts):
            sketches.add(batch)
            advance(sketches.read / (2 * total) if total else 0.0)
        components = _Components(len(sketches.sizes()))
        corpus = sketches.corpus()
        for band in range(bands):
            _link_band(corpus, components, band, threshold)
            advance(0.5 + 0.5 * (band + 1) / bands)
    return _group_numbers(sketches.text_hashes(), sketches.distinct(), components.labels)


def miss_probability(threshold: float) -> float:
    """The probability that a pair whose similarity is exactly the threshold is no candidate.

    With ``b`` bands of ``r`` values it is ``(1 - threshold ** r) ** b``, for ideal hash functions.

    Args:
        threshold: As in :func:`near_duplicate_groups`.

    Raises:
        ConfigurationError: The threshold is out of range.
    """
    bands, rows = _banding(threshold)
    return float((1 - threshold**rows) ** bands)


class _Kept(dict[int, int | str | None]):
    """What becomes of a character, found when it first occurs."""

    def __init__(self, digit: str | None) -> None:
        self.digit = digit

    def __missing__(self, code: int) -> int | str | None:
        self[code] = kept = self._kept(code)
        return kept

    def _kept(self, code: int) -> int | str | None:
        kind = unicodedata.category(chr(code))
        if kind == "Cf":  # a soft hyphen, a joiner: invisible inside a word
            return None
        if kind == "Nd":
            return self.digit or code
        separates = kind[0] in "PZC" or kind in {"Sc", "Sk", "Sm"}
        return " " if separates and chr(code) not in ".," else code


_ZEROS, _PLAIN = _Kept("0"), _Kept(None)


@dataclass(frozen=True)
class _Corpus:
    """The distinct texts as sets of hashed shingles.

    Attributes:
        shingles: Of all texts one after the other, sorted within each.
        sizes: How many each text has, [texts].
        starts: Where each text's begin, [texts].
        keys: The bucket of each text in each band, in pieces [some texts, bands].
    """

    shingles: Hashes
    sizes: Integers
    starts: Integers
    keys: Sequence[Hashes]

    def key(self, band: int) -> Hashes:
        return np.concatenate([piece[:, band] for piece in self.keys])

    def similar(self, first: Integers, second: Integers, threshold: float) -> npt.NDArray[np.bool_]:
        """Whether pairs of texts have at least this Jaccard similarity, [pairs]."""
        sizes = self.sizes[first], self.sizes[second]
        found: npt.NDArray[np.bool_] = np.minimum(*sizes) / np.maximum(*sizes) >= threshold
        possible = np.flatnonzero(found)
        costs = np.cumsum(sizes[0][possible] + sizes[1][possible])
        for piece in np.split(possible, np.flatnonzero(np.diff(costs // COMPARED_AT_ONCE)) + 1):
            common = self._in_common(first[piece], second[piece])
            found[piece] = common / (sizes[0][piece] + sizes[1][piece] - common) >= threshold
        return found

    def _in_common(self, first: Integers, second: Integers) -> Integers:
        both = self._matrix(first).multiply(self._matrix(second)).tocsr()
        counts: Integers = np.diff(both.indptr).astype(np.int64)
        return counts

    def _matrix(self, texts: Integers) -> Any:  # noqa: ANN401  # a sparse array of bits, whose type scipy has in flux
        from scipy.sparse import csr_array

        sizes = self.sizes[texts]
        ends = np.concatenate([[0], np.cumsum(sizes)])
        places = np.arange(ends[-1]) + np.repeat(self.starts[texts] - ends[:-1], sizes)
        columns = self.shingles[places].astype(np.int32)
        found = csr_array((np.ones(len(columns), np.int8), columns, ends), shape=(len(texts), 2**HASH_BITS - 1))
        found.has_canonical_format = True
        return found


@dataclass
class _Sketches:
    """What is kept of texts while they are read."""

    file: IO[bytes]
    threshold: float
    read: int = 0
    known: WideHashes = field(default_factory=lambda: np.empty(0, np.uint64))
    all_hashes: list[WideHashes] = field(default_factory=list)
    distinct_hashes: list[WideHashes] = field(default_factory=list)
    all_sizes: list[Integers] = field(default_factory=list)
    keys: list[Hashes] = field(default_factory=list)

    def add(self, texts: Sequence[str]) -> None:
        """Take a batch of normalised texts."""
        hashes = np.fromiter(map(_text_hash, texts), np.uint64, len(texts))
        self.read += len(texts)
        self.all_hashes.append(hashes)
        fresh = self._fresh(hashes)
        shingles, sizes = _shingles([texts[place] for place in fresh])
        self.file.write(shingles.tobytes())
        self.distinct_hashes.append(hashes[fresh])
        self.all_sizes.append(sizes)
        self.keys.append(_band_keys(shingles, sizes, self.threshold))

    def _fresh(self, hashes: WideHashes) -> Integers:
        """Positions of texts that have not occurred before."""
        found, first = np.unique(hashes, return_index=True)
        places = np.searchsorted(self.known, found)
        there = np.zeros(len(found), bool)
        inside = places < len(self.known)
        there[inside] = self.known[places[inside]] == found[inside]
        new = ~there & (found != 0)
        self.known = np.insert(self.known, places[new], found[new])
        return np.sort(first[new])

    def text_hashes(self) -> WideHashes:
        return np.concatenate([np.empty(0, np.uint64), *self.all_hashes])

    def distinct(self) -> WideHashes:
        return np.concatenate([np.empty(0, np.uint64), *self.distinct_hashes])

    def sizes(self) -> Integers:
        return np.concatenate([np.empty(0, np.int64), *self.all_sizes])

    def corpus(self) -> _Corpus:
        sizes, total = self.sizes(), self.file.tell() // np.dtype(np.uint32).itemsize
        self.file.flush()
        shingles = np.memmap(self.file, np.uint32, "r", shape=(total,)) if total else np.empty(0, np.uint32)
        return _Corpus(shingles, sizes, np.cumsum(sizes) - sizes, self.keys)


@dataclass
class _Components:
    """Which texts are linked so far.

    Attributes:
        labels: The component of each text, [texts].
    """

    size: int
    labels: Integers = field(init=False)
    waiting: list[tuple[Integers, Integers]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.labels = np.arange(self.size)

    def link(self, first: Integers, second: Integers) -> None:
        if len(first):
            self.waiting.append((first, second))

    def merge(self) -> None:
        """Join what was linked since the last time."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        if self.waiting:
            ends = [self.labels[np.concatenate(side)] for side in zip(*self.waiting, strict=True)]
            graph = coo_array((np.ones(len(ends[0]), bool), tuple(ends)), shape=(self.size, self.size))
            self.labels = connected_components(graph, directed=False)[1][self.labels].astype(np.int64)
            self.waiting.clear()


def _banding(threshold: float) -> tuple[int, int]:
    """How many bands of how many values: the longest that miss few enough pairs at the threshold."""
    if not 0 < threshold <= 1:
        msg = f"threshold={threshold}: a similarity above 0 and up to 1 is needed, such as 0.8"
        raise ConfigurationError(msg)
    lengths = [rows for rows in range(1, PERMUTATIONS + 1) if (1 - threshold**rows) ** (PERMUTATIONS // rows) <= MISSED]
    rows = max(lengths, default=1)
    return PERMUTATIONS // rows, rows


def _batches(texts: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    characters = 0
    for text in texts:
        batch.append(text)
        characters += len(text)
        if len(batch) == BATCH_TEXTS or characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _text_hash(text: str) -> int:
    """Of a normalised text; 0 for an empty one."""
    if not text:
        return 0
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


def _words(text: str) -> list[str]:
    return text.split() if text.isascii() else WORD.findall(text)


def _shingles(texts: Sequence[str]) -> tuple[Hashes, Integers]:
    """The hashed shingles of texts one after the other, sorted within each text, and how many each has."""
    words = [[zlib.crc32(word.encode("utf-8", "surrogatepass")) for word in _words(text)] for text in texts]
    counts = np.array([len(found) for found in words], np.int64)
    flat = np.fromiter((word for found in words for word in found), np.uint64, int(counts.sum()))
    owner = np.repeat(np.arange(len(texts), dtype=np.uint64), counts)
    last = max(0, len(flat) - SHINGLE + 1)
    mixed = np.zeros(last, np.uint64)
    for place in range(SHINGLE):
        mixed = (mixed + flat[place : place + last]) * MIXER
    inside = owner[:last] == owner[len(owner) - last :]
    narrow = mixed[inside] >> np.uint64(64 - HASH_BITS)
    both = np.unique((owner[:last][inside] << np.uint64(32)) | narrow)
    sizes = np.bincount((both >> np.uint64(32)).astype(np.int64), minlength=len(texts))
    return (both & np.uint64(2**32 - 1)).astype(np.uint32), sizes


def _band_keys(shingles: Hashes, sizes: Integers, threshold: float) -> Hashes:
    """The bucket of each text in each band, [texts, bands]."""
    from datasketch import MinHash

    bands, rows = _banding(threshold)
    parts = (part.tolist() for part in np.split(shingles, np.cumsum(sizes)[:-1]))
    sketches = MinHash.generator(parts, num_perm=bands * rows, seed=SEED, hashfunc=int)
    values = np.empty((len(sizes), bands, rows), np.uint32)
    for place, sketch in zip(range(len(sizes)), sketches, strict=False):
        values[place] = sketch.hashvalues.reshape(bands, rows)
    factors = np.random.default_rng(SEED).integers(0, 2**64, rows, dtype=np.uint64) | np.uint64(1)
    keys: Hashes = ((values * factors).sum(axis=2, dtype=np.uint64) >> np.uint64(32)).astype(np.uint32)
    return keys


def _link_band(corpus: _Corpus, components: _Components, band: int, threshold: float) -> None:
    """Link the similar texts among those in one bucket of a band."""
    texts = np.flatnonzero(corpus.sizes)
    if not len(texts):
        return
    keys, following = corpus.key(band)[texts], corpus.key((band + 1) % corpus.keys[0].shape[1])[texts]
    order = np.lexsort((following, keys))
    keys, texts = keys[order], texts[order]
    for distance in range(1, NEIGHBOURS + 1):
        place = np.flatnonzero(keys[distance:] == keys[:-distance])
        if not len(place):
            break
        first, second = texts[place], texts[place + distance]
        apart = components.labels[first] != components.labels[second]
        first, second = first[apart], second[apart]
        found = corpus.similar(first, second, threshold)
        components.link(first[found], second[found])
        if distance.bit_count() == 1:  # often at first, when most links are found
            components.merge()
    components.merge()


def _group_numbers(hashes: WideHashes, distinct: WideHashes, labels: Integers) -> Integers:
    """A number for each text by its component; texts without a word have one each."""
    order = np.argsort(distinct)
    empty = hashes == 0
    groups = np.empty(len(hashes), np.int64)
    groups[~empty] = labels[order[np.searchsorted(distinct, hashes[~empty], sorter=order)]]
    groups[empty] = len(labels) + np.arange(np.count_nonzero(empty))
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[group]
