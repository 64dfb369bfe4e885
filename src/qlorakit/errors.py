"""Every error the library raises on purpose, with what happened and what to do in its message.

::

    QlorakitError
    ├── ConfigurationError      an argument is wrong (also a ValueError)
    │   └── UnknownNameError    a task, metric, argument or system of that name is not there
    ├── DataError               a file or a row is wrong (also a ValueError)
    │   └── UnknownLabelError   a row's label or tag is none of the task's
    ├── EncodingError           an example cannot be turned into tokens (also a ValueError)
    ├── PluginError             a plugin supplied something unusable
    ├── ModelError              a model cannot be found, read or used
    │   ├── PrefixSharingError  a model cannot compute rows that share a prefix together
    │   └── AdapterError        an adapter does not belong to this base, tokenizer or template, or is damaged
    ├── EvidenceError           what was measured does not meet a condition
    ├── OutputError             the output folder is taken or cannot be written
    └── TrainingError           training went wrong (loss not finite, unusable checkpoint)
        ├── MemoryShortageError training needs more memory than there is
        └── VerificationError   what was saved is not what it was, or answers differently from what was recorded
"""

import difflib
import errno
import re
from collections.abc import Iterable, Sequence

# What commands a terminal, turns the direction of a line, or cannot be printed.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

LONGEST_SHOWN = 60  # characters of a value in a message; labels are shorter, and texts of rows are nobody's business


class QlorakitError(Exception):
    """Base of all errors raised on purpose."""

    def __str__(self) -> str:
        """The message, which may name labels and files from elsewhere, without anything that commands a terminal."""
        return visible(super().__str__())


class ConfigurationError(QlorakitError, ValueError):
    """An argument is wrong; the message names it and the values that are allowed."""


class UnknownNameError(ConfigurationError):
    """A name is not known; the message lists what is there and the nearest match."""


class DataError(QlorakitError, ValueError):
    """A file or a row is wrong; the message names the file, the row and what to do."""


class UnknownLabelError(DataError):
    """A row has a label or tag that the task does not know; the message names those it does."""


class EncodingError(QlorakitError, ValueError):
    """An example cannot become tokens: its template misbehaves, or its target would be cut."""


class PluginError(QlorakitError):
    """A plugin supplied something that cannot be used."""


class ModelError(QlorakitError):
    """A model cannot be found, read or used."""


class PrefixSharingError(ModelError):
    """A model cannot compute rows that share a prefix together."""


class AdapterError(ModelError):
    """An adapter is damaged, or belongs to another base, tokenizer or template."""


class EvidenceError(QlorakitError):
    """What was measured does not meet a condition; the message gives the numbers."""


class OutputError(QlorakitError):
    """An output folder holds another run, or cannot be written."""


class TrainingError(QlorakitError):
    """Training cannot start, go on or be resumed."""


class MemoryShortageError(TrainingError):
    """Training needs more memory than there is; the message gives the numbers and the setting that would fit."""


class VerificationError(TrainingError):
    """A saved adapter does not answer as the model in memory did, or a run is not what its records say."""


def visible(words: str) -> str:
    r"""A text with control characters written out, as ``\x1b``; line breaks and tabs stay."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], words)


def shown(value: object) -> str:
    """A value for a message: as it is written in Python, or what it is where it is long and may be somebody's text."""
    try:
        written = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, or lists without end
        return f"a value of type {type(value).__name__} that is too long to be written"
    return written if len(written) <= LONGEST_SHOWN else f"something of {len(written)} characters"


def first_few(said: Sequence[str], most: int = 12) -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(said) - most} more" if len(said) > most else ""
    return ", ".join(said[:most]) + more


def unwritable(path: object, error: Exception, then: str = "") -> OutputError:
    """The error for a file or folder that could not be written.

    Args:
        path: Of it.
        error: Why.
        then: What to do when there is room.
    """
    # Libraries that write files themselves tell a full disk by errors of their own, without a number.
    number = error.errno if isinstance(error, OSError) else None
    full = number in {None, errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    advice = "is the disk full? Free some space" if full else "choose a place that can be written"
    return OutputError(f"{path} could not be written ({error}); {advice}{'. ' if then else ''}{then}")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or an empty string."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {matches[0]!r}?" if matches else ""
