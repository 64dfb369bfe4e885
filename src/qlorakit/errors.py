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
    ├── EvidenceError           a report does not meet a condition
    ├── OutputError             the output folder is taken or cannot be written
    └── TrainingError           training went wrong (loss not finite, out of memory, unusable checkpoint)
        └── VerificationError   the saved adapter answers differently from the model in memory
"""

import difflib
from collections.abc import Iterable, Sequence


class QlorakitError(Exception):
    """Base of all errors raised on purpose."""


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


class VerificationError(TrainingError):
    """A saved adapter, loaded afresh, does not answer as the model in memory did."""


def first_few(said: Sequence[str], most: int = 12) -> str:
    """The first of many names, and how many more there are."""
    more = f" and {len(said) - most} more" if len(said) > most else ""
    return ", ".join(said[:most]) + more


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` for the nearest known name, or an empty string."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {matches[0]!r}?" if matches else ""
