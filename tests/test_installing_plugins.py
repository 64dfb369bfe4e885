import importlib
from types import SimpleNamespace

import pytest
from fresh_environment import PLUGINS, install_and_uninstall

NAMES = sorted(path.name for path in PLUGINS.iterdir() if path.name != "tiny")  # which supplies no tasks

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module", params=NAMES)
def plugin(request, tmp_path_factory):
    before, during, after = install_and_uninstall(tmp_path_factory.getbasetemp(), request.param)
    return SimpleNamespace(name=request.param, before=before, during=during, after=after)


def test_a_plugin_installs_beside_the_core_alone(plugin):
    assert plugin.before.tasks == []
    assert plugin.during.left_out == {}
    assert {origin.split()[0] for origin in plugin.during.origin.values()} == {f"qlorakit-{plugin.name}"}


def test_a_process_elsewhere_finds_every_task_of_the_plugin(plugin):
    tasks = [task.name for task in importlib.import_module(f"qlorakit_{plugin.name}").qlorakit_tasks()]
    assert plugin.during.tasks == sorted(tasks) != []


def test_listing_the_tasks_imports_nothing_heavy(plugin):
    assert plugin.during.heavy == []


def test_what_is_installed_is_the_package_and_what_is_known_of_it(plugin):
    added = {path.parts[0] for path in plugin.during.files - plugin.before.files}
    assert f"qlorakit_{plugin.name}" in added
    assert all(name.startswith(f"qlorakit_{plugin.name}") for name in added)


def test_uninstalling_takes_every_file_and_every_task_away(plugin):
    assert plugin.after == plugin.before
