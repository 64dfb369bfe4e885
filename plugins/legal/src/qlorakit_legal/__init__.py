"""Legal tasks for qlorakit."""

from collections.abc import Iterable
from typing import Any

from qlorakit.hookspecs import hookimpl
from qlorakit.task import Task
from qlorakit_legal.clauses import CLAUSES
from qlorakit_legal.entities import ENTITIES
from qlorakit_legal.holding import HOLDING
from qlorakit_legal.nli import NLI
from qlorakit_legal.nli_pairs import NLI_PAIRS
from qlorakit_legal.provisions import PROVISIONS
from qlorakit_legal.review import REVIEW
from qlorakit_legal.summary import SUMMARY
from qlorakit_legal.unfair import UNFAIR


@hookimpl
def qlorakit_tasks() -> Iterable[Task[Any]]:
    """The tasks of this plugin."""
    yield from (CLAUSES, PROVISIONS, NLI, NLI_PAIRS, REVIEW, UNFAIR, HOLDING, ENTITIES, SUMMARY)
