"""What is wrong with a text as such, whatever it says: damaged characters, control characters, markup of chats."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Iterable

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
WORD_CHARACTER = re.compile(r"\w")
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# The control tokens of common chat templates and encoders.
SPECIAL = re.compile(
    r"<\|[A-Za-z][\w ./-]{0,40}\|>"  # <|im_end|>, <|eot_id|>, <|endoftext|>
    r"|</?s>|<(?:bos|eos|pad|unk|mask|sep|cls)>"
    r"|<(?:start|end)_of_(?:turn|text)>"
    r"|\[/?INST\]|<</?SYS>>|\[(?:CLS|SEP|PAD|MASK|UNK)\]"
    r"|<\N{FULLWIDTH VERTICAL LINE}[^<>]{1,40}\N{FULLWIDTH VERTICAL LINE}>"
)
FEWEST_CHARACTERS = 40  # of a text whose language can be told
READ_CHARACTERS = 1000  # of a long one
SURE = 0.9  # probability


def is_empty(text: str) -> bool:
    """Whether a text holds no letter, digit or underscore."""
    return WORD_CHARACTER.search(text) is None


def has_control_characters(text: str) -> bool:
    """Whether a text holds control characters other than tabs and line breaks, or such as turn the reading direction.

    They are those of Unicode's category Cc, and the embeddings, overrides and isolates of its bidirectional algorithm
    (UAX 9), by which a text shows other than it reads.
    """
    return CONTROL.search(text) is not None


def special_tokens(text: str) -> Counter[str]:
    """How often each text of a control token of common chat templates occurs, such as ``<|im_end|>`` or ``[INST]``."""
    return Counter(SPECIAL.findall(text))


def find_damage() -> Callable[[str], bool] | None:
    """What tells whether a text was decoded wrongly somewhere on its way; ``None`` without the package ftfy.

    Source: R. Speer, "ftfy", https://ftfy.readthedocs.io: sequences of characters that only such mistakes produce.
    """
    try:
        from ftfy.badness import is_bad
    except ImportError:
        return None
    return lambda text: not text.isascii() and bool(is_bad(text))


def count_languages(texts: Iterable[str]) -> Counter[str] | None:
    """How many texts are in each language, by ISO 639 code; ``None`` without the package py3langid.

    A text counts if it has at least 40 characters and its language a probability of at least 0.9.

    Source: M. Lui and T. Baldwin, "langid.py: an off-the-shelf language identification tool", 2012.

    Args:
        texts: The first 1,000 characters of each are read.
    """
    identifier = _identifier()
    if identifier is None:
        return None
    said = (identifier(text[:READ_CHARACTERS]) for text in texts if len(text) >= FEWEST_CHARACTERS)
    return Counter(language for language, probability in said if probability >= SURE)


@functools.cache
def _identifier() -> Callable[[str], tuple[str, float]] | None:
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError:
        return None
    classify: Callable[[str], tuple[str, float]] = LanguageIdentifier.from_model_file(
        MODEL_FILE, norm_probs=True
    ).classify
    return classify
