import importlib
from pathlib import Path

import pytest
from fresh_environment import install_and_uninstall

NAME = Path(__file__).parents[1].name
MODULE = f"qlorakit_{NAME}"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def moments(tmp_path_factory):
    return install_and_uninstall(tmp_path_factory.getbasetemp(), NAME)


def test_the_plugin_installs_beside_the_core_alone(moments):
    before, during, _ = moments
    assert before.tasks == []
    assert during.left_out == {}
    assert {origin.split()[0] for origin in during.origin.values()} == {f"qlorakit-{NAME}"}


def test_a_process_elsewhere_finds_every_task_of_the_plugin(moments):
    tasks = [task.name for task in importlib.import_module(MODULE).qlorakit_tasks()]
    assert moments[1].tasks == sorted(tasks) != []


def test_listing_the_tasks_imports_nothing_heavy(moments):
    assert moments[1].heavy == []


def test_what_is_installed_is_the_package_and_what_is_known_of_it(moments):
    before, during, _ = moments
    added = {path.parts[0] for path in during.files - before.files}
    assert MODULE in added
    assert all(name.startswith(MODULE) for name in added)


def test_uninstalling_takes_every_file_and_every_task_away(moments):
    before, _, after = moments
    assert after == before
