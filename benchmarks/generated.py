"""Parts of pages that a benchmark writes: each stands between two comments that name it."""

from __future__ import annotations

import re
from pathlib import Path

RELIABILITY = Path(__file__).parents[1] / "docs" / "reliability.md"


def block_of(page: Path, name: str) -> str:
    """The text between ``<!-- name: ... -->`` and ``<!-- end of name -->``."""
    return _found(page.read_text(encoding="utf-8"), page, name)[2].strip("\n")


def put_block(page: Path, name: str, text: str) -> None:
    """Put a text in the place of the one that stands there."""
    whole = page.read_text(encoding="utf-8")
    found = _found(whole, page, name)
    page.write_text(f"{whole[: found.start(2)]}\n{text}\n{whole[found.end(2) :]}", encoding="utf-8")


def _found(whole: str, page: Path, name: str) -> re.Match[str]:
    found = re.search(rf"(<!-- {name}: [^>]*-->\n)(.*?)(<!-- end of {name} -->)", whole, flags=re.DOTALL)
    if found is None:
        msg = f"{page} has no place for {name!r}: two comments, <!-- {name}: ... --> and <!-- end of {name} -->"
        raise ValueError(msg)
    return found
