import pytest
from fresh_environment import PLUGINS

import qlorakit as qk

TASKS = [qk.get_task(name) for name in qk.list_tasks() if (PLUGINS / name.partition("/")[0]).is_dir()]
DATASETS = {(task.name.partition("/")[0], data.name): data for task in TASKS for data in task.datasets}


def lines_of(plugin):
    return (PLUGINS / plugin / "README.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(("plugin", "name"), DATASETS)
def test_the_readme_tells_of_a_public_data_set_what_the_task_does(plugin, name):
    data = DATASETS[plugin, name]
    (line,) = [line for line in lines_of(plugin) if line.startswith(f"| [{name}]({data.url})")]
    assert f"| {data.licence} | {'; '.join(data.traps)} |" in line
    assert data.identifier in line


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_readme_of_a_plugin_has_a_line_for_every_task(task):
    assert [line for line in lines_of(task.name.partition("/")[0]) if line.startswith(f"| `{task.name}` |")]
