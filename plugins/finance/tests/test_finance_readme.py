from pathlib import Path

import pytest

from qlorakit_finance import qlorakit_tasks

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
DATASETS = {data.name: data for task in qlorakit_tasks() for data in task.datasets}


@pytest.mark.parametrize("name", DATASETS)
def test_the_readme_tells_of_a_public_data_set_what_the_task_does(name):
    data = DATASETS[name]
    (line,) = [line for line in README.splitlines() if line.startswith(f"| [{name}]({data.url})")]
    assert f"| {data.licence} | {'; '.join(data.traps)} |" in line
    assert data.identifier in line
