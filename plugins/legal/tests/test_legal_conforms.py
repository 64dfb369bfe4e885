import math

import pytest

from qlorakit.testing import check_plugin, check_task
from qlorakit_legal import qlorakit_tasks

TASKS = {task.name: task for task in qlorakit_tasks()}


def test_the_plugin_supplies_a_task_for_everything_its_domain_needs():
    assert list(TASKS) == [
        "legal/clauses", "legal/provisions", "legal/nli", "legal/nli_pairs", "legal/review", "legal/unfair",
        "legal/holding", "legal/entities", "legal/summary",
    ]  # fmt: skip


def test_the_plugin_is_complete(monkeypatch):
    monkeypatch.setattr("qlorakit.testing._of_task", lambda task, tokenizer: ())  # each is checked below
    check_plugin("qlorakit-legal")


@pytest.mark.parametrize("name", TASKS)
def test_a_task_keeps_what_the_core_relies_on(name):
    check_task(TASKS[name])


@pytest.mark.parametrize("nothing", [None, "", "  ", math.nan])
@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("clauses", "contract"), ("nli", "document"), ("nli_pairs", "contract"), ("review", "document"),
        ("unfair", "company"), ("entities", "document"), ("summary", "service"),
    ],
)  # fmt: skip
def test_rows_that_do_not_tell_where_they_are_from_are_on_their_own(name, column, nothing):
    task = TASKS[f"legal/{name}"]
    row = task.samples[0]
    assert task.group({**row, column: "somewhere"}) is not None
    assert task.group({**row, column: nothing}) is None
