import pytest

from qlorakit.testing import check_plugin, check_task
from qlorakit_medical import qlorakit_tasks

TASKS = {task.name: task for task in qlorakit_tasks()}


def test_the_plugin_supplies_a_task_for_everything_its_domain_needs():
    assert list(TASKS) == [
        "medical/specialty", "medical/organ_specialty", "medical/section", "medical/note", "medical/summary",
        "medical/correction", "medical/entities", "medical/diagnosis", "medical/exam", "medical/questions",
        "medical/advice",
    ]  # fmt: skip


def test_the_plugin_is_complete(monkeypatch):
    monkeypatch.setattr("qlorakit.testing._of_task", lambda task, tokenizer: ())  # each is checked below
    check_plugin("qlorakit-medical")


@pytest.mark.parametrize("name", TASKS)
def test_a_task_keeps_what_the_core_relies_on(name):
    check_task(TASKS[name])
