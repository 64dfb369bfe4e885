"""Inputs that nobody expects: hostile texts and cells, and valid files damaged byte by byte or part by part."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Json = Any  # lists, objects and values in each other
DEEP = 3_000  # brackets: more than Python's stack has room for
LONG = 5_000  # characters, or digits: more than Python turns into a number
HUGE = 10**400  # more than a float can hold
TOO_HUGE = 10**LONG  # more than Python writes as text


@dataclass(frozen=True)
class Raw:
    """JSON that Python would not write so.

    Attributes:
        text: As it stands in the file.
    """

    text: str


@dataclass(frozen=True)
class Twice:
    """An object in which a name stands twice.

    Attributes:
        content: The object.
        value: The second value of its first name.
    """

    content: dict[str, Any]
    value: Any


STRINGS = (
    "", " ", "\0", "a\0b", "\ud800", "a\udfffb", "\ufeff", "\u2028", "\r", "\u202e", "\u0130\u0131\u017f\u212a",
    "nan", "NaN", "inf", "-inf", "None", "null", "[", "[]", "{}", '["', "[[1]]", '[{"a": 1}]', "1e999", "-1e999",
    "9" * 400, "../../etc/passwd", "~nobody/x", "/etc/passwd", "..", ".", "C:\\x", "a" * 300, "{label} {0} %s",
    "<script>alert(1)</script>", "</s><|im_end|>", "x" * LONG, "[" * DEEP, "\u00b2", "\u0663", "\U0001f600",
    "e\u0301", "--", "=1+1", "\x1b[31m", "[1, 2", "[NaN]", "[" + "9" * LONG + "]", "A", "B", "I-", "B-", "O", "0",
    "-0", "1", "1.0", "true",
)  # fmt: skip
NAMES = ("start", "end", "type", "label", "text", "question", "answer", "evidence")
VALUES: tuple[Json, ...] = (
    None, True, False, 0, -1, 1, 2, 2**31, 2**63, -(2**63) - 1, HUGE, -HUGE, 0.0, -0.0, 1.0, 0.5, 1e308, -1e308, 5e-324,
    float("nan"), float("inf"), -float("inf"), [], {}, [[]], [None], [1, "a"], {"": None}, {"a": {"a": {}}}, ["a", "a"],
    [[0, 1, "x"]], [{"start": 0, "end": 1, "type": "x"}], {"start": 0}, [0] * 300,
)  # fmt: skip
RAW = (
    Raw("[" * DEEP), Raw("[" * DEEP + "]" * DEEP), Raw('{"a":' * DEEP + "1" + "}" * DEEP), Raw("9" * LONG),
    Raw("1e999"), Raw("-Infinity"), Raw("NaN"), Raw('"\\ud800"'), Raw('"\\udc00\\ud800"'), Raw("01"), Raw("'a'"),
    Raw('"\\u0000"'), Raw("[" * 400 + "]" * 400), Raw('{"a":' * 900 + "1" + "}" * 900), Raw(""),
    Raw("[" * 120 + "]" * 120), Raw('{"a":' * 120 + "1" + "}" * 120), Raw("1" + "0" * 300),
)  # fmt: skip
TOKENS = (
    b"", b"\0", b"\xff", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\xc3", b"\xc3\xa4", b"\xe4", b"\x80", b"\r",
    b"\n", b"\r\n", b'"', b'""', b"'", b",", b";", b"\t", b"|", b"{", b"}", b"[", b"]", b":", b"\\", b"\\ud800",
    b"\\u0000", b"null", b"NaN", b"-1", b"1e999", b"9" * 400, b"9" * LONG, b"[" * DEEP, b"sep=;\n", b"sep=\n",
    b"PK\x03\x04", b"PAR1", b"\x1f\x8b", b"a" * 300, b"\xe2\x80\xa8", b"\x85", b"\x0c", b"-DOCSTART-\n", b"@", b"<",
    b"]]>", b"\x1a",
)  # fmt: skip


def hostile_texts() -> SearchStrategy[str]:
    """Texts that are likely to be taken for something else."""
    return st.one_of(
        st.sampled_from(STRINGS),
        st.text(st.characters(), max_size=40),
        st.text(st.sampled_from("aB1 .,;:-_[](){}'\"\n\t|@$%/\\"), max_size=60),
    )


def hostile_cells() -> SearchStrategy[Any]:
    """What a cell of a row in memory may hold."""
    plain = st.one_of(
        st.sampled_from(VALUES), hostile_texts(), st.integers(), st.floats(), st.binary(max_size=8), st.dates(),
        st.datetimes(), st.decimals(), st.just(TOO_HUGE), st.builds(object), st.just(nested(200)),
    )  # fmt: skip
    return st.one_of(
        plain, st.lists(plain, max_size=4),
        st.dictionaries(st.sampled_from((*NAMES, "", 1, None)), plain),
        st.lists(st.dictionaries(st.sampled_from(NAMES), plain), max_size=3),
    )  # fmt: skip


def nested(depth: int) -> list[Any]:
    """A list in a list in a list."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def texts_of(tokens: Sequence[str], *, most: int = 24) -> SearchStrategy[str]:
    """Texts that are put together from what means something to a parser, with anything between."""
    token = st.one_of(st.sampled_from(tokens), st.text(st.characters(), max_size=4))
    repeated = st.builds(lambda said, times: said * times, token, st.sampled_from((1, 1, 1, 1, 2, 3, 50)))
    return st.lists(repeated, max_size=most).map("".join)


# Bytes


Edit = tuple[str, int, int, bytes]


def damaged_bytes(valid: Sequence[bytes]) -> SearchStrategy[bytes]:
    """Valid files that were cut, spliced, overwritten or mixed up, and sheer bytes."""
    kinds = ("cut", "insert", "overwrite", "remove", "repeat", "flip", "move")
    place = st.integers(0, 10_000)
    payload = st.one_of(st.sampled_from(TOKENS), st.binary(max_size=6))
    edits = st.lists(st.tuples(st.sampled_from(kinds), place, place, payload), min_size=1, max_size=5)
    damaged = st.builds(edited, st.sampled_from(list(valid)), edits)
    return st.one_of(damaged, damaged, damaged, damaged, st.binary(max_size=200))


def edited(content: bytes, edits: Sequence[Edit]) -> bytes:
    """A file after some damage; places are taken as parts of its length."""
    for kind, first, second, payload in edits:
        start, end = sorted((first * len(content) // 10_000, second * len(content) // 10_000))
        near = min(end, start + 40)
        content = {
            "cut": content[:start],
            "insert": content[:start] + payload + content[start:],
            "overwrite": content[:start] + payload + content[start + len(payload) :],
            "remove": content[:start] + content[near:],
            "repeat": content[:near] + content[start:near] * 2 + content[near:],
            "flip": content[:start] + bytes(byte ^ 0x81 for byte in content[start : start + 1]) + content[start + 1 :],
            "move": content[:start] + content[near:end] + content[start:near] + content[end:],
        }[kind]
    return content


# Parts


Change = tuple[str, int, Any]


def damaged_parts(valid: Sequence[Any], *, raw: bool = True) -> SearchStrategy[Any]:
    """Nested lists and objects in which parts are missing, repeated, renamed or of another type.

    Args:
        valid: What is damaged.
        raw: Whether parts may be JSON that Python does not write (:class:`Raw`, :class:`Twice`); see :func:`to_json`.
    """
    kinds = ("replace", "replace", "remove", "repeat", "rename", "wrap", "grow", *(("twice",) if raw else ()))
    values = st.one_of(
        st.sampled_from(VALUES), st.sampled_from(STRINGS), st.integers(-5, 300), st.floats(),
        *([st.sampled_from(RAW)] * raw),
    )  # fmt: skip
    changes = st.lists(st.tuples(st.sampled_from(kinds), st.integers(0, 100_000), values), min_size=1, max_size=4)
    return st.builds(changed, st.sampled_from(list(valid)), changes)


def changed(content: Json, changes: Sequence[Change]) -> Json:  # any JSON
    """Content after some changes, each at the place that its number comes to."""
    whole = [copy.deepcopy(content)]
    for kind, number, value in changes:
        spots = list(_spots(whole))
        holder, key = spots[number % len(spots)]
        _change(kind, holder, key, value)
    return whole[0] if whole else None


def _spots(holder: Json) -> list[tuple[Any, Any]]:  # any JSON
    """Every place in a nested structure, as what holds it and where; those near the top first."""
    spots: list[tuple[Any, Any]] = []
    waiting = [holder]
    for found in waiting:
        keys = list(range(len(found))) if isinstance(found, list) else list(found) if isinstance(found, dict) else []
        spots.extend((found, key) for key in keys)
        waiting.extend(found[key] for key in keys)
    return spots or [([None], 0)]


def _change(kind: str, holder: Json, key: Json, value: Json) -> None:  # any JSON
    found = holder[key]
    value = copy.deepcopy(value)
    if kind == "remove":
        del holder[key]
        if isinstance(holder, list) and not holder:
            holder.append(value)
    elif kind == "wrap":
        holder[key] = [found]
    elif kind == "grow" and isinstance(found, list | dict) and found:
        (found.append(value) if isinstance(found, list) else found.update({"qlorakit": value}))
    elif kind == "twice" and isinstance(found, dict) and found:
        holder[key] = Twice(found, value)
    elif kind == "repeat" and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(found))
    elif kind == "rename" and isinstance(holder, dict):
        holder[value if isinstance(value, str) else f"{key}_"] = holder.pop(key)
    else:
        holder[key] = value


def to_json(value: Json) -> bytes:  # any JSON
    """JSON as a file, with what Python does not write where it is asked for."""
    return _written(value).encode("utf-8", "surrogatepass")


def _written(value: Json) -> str:  # any JSON
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Twice):
        first = next(iter(value.content))
        pairs = [*value.content.items(), (first, value.value)]
        return f"{{{', '.join(f'{json.dumps(name)}: {_written(item)}' for name, item in pairs)}}}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(name)}: {_written(item)}' for name, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return json.dumps(value)


def damaged_json(valid: Sequence[Any]) -> SearchStrategy[bytes]:
    """JSON files that were damaged by part, byte by byte, or both."""
    parts = damaged_parts(valid).map(to_json)
    both = st.builds(lambda content, edit: edited(content, [edit]), parts, _one_edit())
    return st.one_of(parts, parts, both, damaged_bytes([to_json(one) for one in valid]))


def _one_edit() -> SearchStrategy[Edit]:
    place = st.integers(0, 10_000)
    return st.tuples(st.sampled_from(("insert", "overwrite", "remove", "flip")), place, place, st.sampled_from(TOKENS))


Make = Callable[[], SearchStrategy[Any]]
