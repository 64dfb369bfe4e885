"""A note as words with their places and sentences: what every search in it starts from."""

import functools
import re
from typing import NamedTuple

WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
SENTENCE_END = re.compile(r"[.!?](?=\s)|;|\n\s*\n")
TITLES = frozenset({"dr", "mr", "mrs", "ms", "vs", "approx", "st", "prof", "e.g", "i.e"})
SHORT = 3  # words up to here have no plural or British form
LONG_PLURALS = ("sses", "xes", "ches", "shes")


class Word(NamedTuple):
    """A word of a note.

    Attributes:
        text: As it stands there.
        lower: In lower case, without apostrophes.
        key: By which vocabularies know it: without plural, in American spelling.
        gap: What stands between it and the word before.
        start: Its first character.
        end: The character after its last one.
        sentence: The number of its sentence, from 0 on.
    """

    text: str
    lower: str
    key: str
    gap: str
    start: int
    end: int
    sentence: int


@functools.lru_cache(maxsize=2**14)
def word_key(text: str) -> str:
    """What a word's forms have in common: "Fevers" and "fever", "Crohn's" and "Crohn", "oedema" and "edema".

    It need not be a word itself, since names in vocabularies are reduced the same way.
    """
    word = re.sub(r"['\u2019]s$", "", text.casefold()).replace("'", "").replace("\u2019", "")
    if len(word) <= SHORT or not word.isalpha():
        return word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif word.endswith(LONG_PLURALS):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    return re.sub("our$", "or", word).replace("ae", "e").replace("oe", "e").replace("sulph", "sulf")


@functools.lru_cache(maxsize=2**14)
def _lower(text: str) -> str:
    return text.casefold().replace("'", "").replace("\u2019", "")


def read_words(text: str) -> tuple[Word, ...]:
    """The words of a text, divided into sentences.

    A sentence ends at a full stop that is none of an abbreviation, at "!", "?", ";", a blank line, and at a line break
    that does not merely wrap a sentence.

    Args:
        text: Any text.
    """
    words: list[Word] = []
    end = sentence = 0
    for found in WORD.finditer(text):
        gap, word = text[end : found.start()], found.group()
        if words and _is_break(words, gap, word):
            sentence += 1
        words.append(Word(word, _lower(word), word_key(word), gap, found.start(), found.end(), sentence))
        end = found.end()
    return tuple(words)


def _is_break(words: list[Word], gap: str, following: str) -> bool:
    """Whether a sentence ends between the last of the words and the one that follows."""
    if gap == " ":
        return False
    if "\n" in gap and (not following[0].islower() or re.search(r"\n\s*[-*•]", gap)):
        return True
    if not SENTENCE_END.search(gap):
        return False
    return gap.strip() != "." or not _is_abbreviation(words[-1], following)


def _is_abbreviation(last: Word, following: str) -> bool:
    if last.lower in TITLES:
        return True
    return len(last.text) == 1 and last.text.isalpha() and not following[0].isupper()


def word_set(text: str) -> frozenset[str]:
    """The words of a text that are parted by spaces: a list that is easy to read and to add to."""
    return frozenset(text.split())


def keys_of(name: str) -> tuple[str, ...]:
    """The keys of a name's words."""
    return tuple(word_key(found) for found in WORD.findall(name))
