"""Find out how a file writes characters as bytes, and say so."""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from qlorakit.errors import ConfigurationError, DataError, visible

logger = logging.getLogger(__name__)

# The longer marks first: that of UTF-32 begins as that of UTF-16 does.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Files that are often given a wrong ending, by their first bytes.
NO_TEXT = {
    b"PK\x03\x04": "a spreadsheet or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old office file",
    b"\x1f\x8b": "compressed by gzip",
    b"%PDF-": "a PDF file",
    b"PAR1": "a parquet file",
}
BLOCK = 1 << 20
SAMPLED_LINES = 2_000
_UNLIKELY_IN_WESTERN = re.compile(
    r"[^\W\d_a-zA-Z]{3}"  # three such letters in a row
    r"|[A-Za-z](?:[^\w\s\x00-\x7f–—…’‘]|[²³¹ªº¼½¾])[a-z]"  # noqa: RUF001  # a sign within a word
)
MIXED_SHARE = 0.1  # of the lines with other characters than ASCII, so many valid UTF-8 ones are no accident
ZEROS_OF_UTF_16 = 0.2  # of the bytes, in texts with ASCII letters
# What older systems write outside the West; rarer encodings fit nearly any bytes and must be named by the user.
OTHERS = (
    "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "shift_jis", "euc_jp",
    "gb18030", "big5", "euc_kr", "cp949", "koi8_r", "cp437", "cp850",
)  # fmt: skip


def file_encoding(path: Path, given: str | None = None) -> str:
    """The encoding of a text file.

    A byte-order mark decides, then whether all of it is UTF-8; otherwise the likeliest encoding of the lines that are
    not is taken (charset-normalizer), and logged as a warning.

    Args:
        path: The file.
        given: What the user says it is.

    Returns:
        A name that Python knows, under which the whole file can be read.

    Raises:
        ConfigurationError: ``given`` is not known to Python, or does not turn texts into bytes.
        DataError: The file cannot be read so, mixes encodings, or is no text.
    """
    if given is not None:
        _check_known(given)
        _check_whole(path, "utf-8-sig" if given.lower().replace("_", "-") in {"utf-8", "utf8"} else given)
        return "utf-8-sig" if given.lower().replace("_", "-") in {"utf-8", "utf8"} else given
    with path.open("rb") as file:
        head = file.read(BLOCK)
    kind = next((name for begin, name in NO_TEXT.items() if head.startswith(begin)), None)
    if kind:
        msg = f"{path} is {kind}, not text; save it as csv, or unpack it"
        raise DataError(msg)
    marked = next((name for mark, name in MARKS.items() if head.startswith(mark)), None)
    if marked is None and head.count(0) > ZEROS_OF_UTF_16 * max(len(head), 1):
        marked = "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"
        logger.warning(
            "%s has no byte-order mark and is read as %s; pass encoding= if it is another", visible(str(path)), marked
        )
    if marked:
        _check_whole(path, marked)
        return marked
    if _first_bad_byte(path, "utf-8") is None:
        return "utf-8"
    return _guess(path)


def _guess(path: Path) -> str:
    """The likeliest encoding of a file that is not UTF-8."""
    from charset_normalizer import from_bytes

    foreign = list(islice(_foreign_lines(path), SAMPLED_LINES))
    valid = [number for number, line in foreign if _decodes(line, "utf-8")]
    wrong = [number for number, line in foreign if not _decodes(line, "utf-8")]
    if wrong and len(valid) > MIXED_SHARE * len(foreign):
        msg = (
            f"{path} mixes encodings: line {valid[0]} is UTF-8, line {wrong[0]} is not "
            f"({len(wrong)} such lines among the first {len(foreign)} with other characters than ASCII). "
            "Save all of it in one encoding, or pass encoding= to read it as that one"
        )
        raise DataError(msg)
    lines = [line for _, line in foreign]
    best = None if _looks_western(lines) else from_bytes(b"\n".join(lines), cp_isolation=list(OTHERS)).best()
    likely = [best.encoding] if best else []
    found = next(name for name in (*likely, "cp1252", "latin-1") if _first_bad_byte(path, name) is None)
    where = wrong[0] if wrong else foreign[0][0]
    logger.warning(
        "%s is not UTF-8 (first in line %d) and is read as %s, which fits best; pass encoding= if it is another",
        visible(str(path)), where, found,
    )  # fmt: skip
    return found


def _looks_western(lines: Sequence[bytes]) -> bool:
    """Whether all of it may be cp1252, of which charset-normalizer takes a few characters for rarer encodings.

    In Western languages other letters than ASCII come one or two at a time, and no sign stands inside a word.
    """
    try:
        text = b"\n".join(lines).decode("cp1252")
    except UnicodeDecodeError:
        return False
    return not _UNLIKELY_IN_WESTERN.search(text)


def _foreign_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Lines with bytes outside ASCII, with their numbers; of each, the first part."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(BLOCK), b""), start=1):
            if not line.isascii():
                yield number, line


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError as error:
        return len(line) == BLOCK and error.start >= BLOCK - 4  # cut within a character
    return True


def _check_known(encoding: str) -> None:
    try:
        "".encode(encoding)  # which codecs that turn bytes into bytes, such as hex, refuse as well
    except (LookupError, ValueError) as error:
        msg = f"encoding={encoding!r} is not known to Python; common ones are utf-8, latin-1, cp1252, utf-16"
        raise ConfigurationError(msg) from error


def _check_whole(path: Path, encoding: str) -> None:
    """Raise for the first byte that is not of the encoding."""
    place = _first_bad_byte(path, encoding)
    if place is None:
        return
    with path.open("rb") as file:
        before = file.read(place + 1)
    line, byte = before.count(b"\n", 0, place) + 1, before[-1:]
    shown = f"byte {byte[0]:#04x}" if byte else "its end"
    msg = (
        f"{path}, line {line}: {shown} is not {encoding}. Leave encoding= out to have it found, or pass the right one, "
        'for example encoding="latin-1" or encoding="cp1252" (older Windows and office exports)'
    )
    raise DataError(msg)


def _first_bad_byte(path: Path, encoding: str) -> int | None:
    """Where a file stops being of an encoding, in bytes; ``None`` where all of it is."""
    decoder, done = codecs.getincrementaldecoder(encoding)(), 0
    with path.open("rb") as file:
        while True:
            block = file.read(BLOCK)
            waiting = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except (UnicodeDecodeError, UnicodeError) as error:
                return done - waiting + getattr(error, "start", 0)
            if not block:
                return None
            done += len(block)
