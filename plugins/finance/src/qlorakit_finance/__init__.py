"""Finance tasks for qlorakit."""

from collections.abc import Iterable
from typing import Any

from qlorakit.hookspecs import hookimpl
from qlorakit.task import Task
from qlorakit_finance.credit import CREDIT
from qlorakit_finance.entities import ENTITIES
from qlorakit_finance.fraud import FRAUD
from qlorakit_finance.headlines import HEADLINES
from qlorakit_finance.intent import INTENT
from qlorakit_finance.numbers import NUMBERS
from qlorakit_finance.sentiment import SENTIMENT


@hookimpl
def qlorakit_tasks() -> Iterable[Task[Any]]:
    """The tasks of this plugin."""
    yield from (SENTIMENT, ENTITIES, HEADLINES, INTENT, FRAUD, CREDIT, NUMBERS)
