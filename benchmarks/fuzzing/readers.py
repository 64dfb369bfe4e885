"""All readers that are fuzzed, in the order of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fuzzing import cells, documents, files, folders, formats, texts

if TYPE_CHECKING:
    from fuzzing.reader import Reader

READERS: tuple[Reader, ...] = (
    *texts.READERS, *files.READERS, *cells.READERS, *documents.READERS, *folders.READERS, *formats.READERS,
)  # fmt: skip
