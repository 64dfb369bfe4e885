import dataclasses
import importlib.metadata
import inspect
import re
import sys
import textwrap

import pytest

from qlorakit import get_task, hookspecs
from qlorakit.errors import UnknownNameError
from qlorakit.plugins import Plugins, load_plugins, supplier_of

HOOKS = {name: hook for name, hook in vars(hookspecs).items() if name.startswith("qlorakit_")}
TASKS = """
from qlorakit.hookspecs import hookimpl
from qlorakit.kinds import single_label

@hookimpl
def qlorakit_tasks():
    for name in {names}:
        yield single_label(name, summary="", instruction="Which?", labels=("a", "b"))
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    from importlib.metadata import distributions

    monkeypatch.syspath_prepend(tmp_path)
    modules = []

    def write(distribution, code, version="1.0", requires=""):
        module = distribution.replace("-", "_")
        modules.append(module)
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(code))
        folder = tmp_path / f"{module}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n{requires}")
        (folder / "entry_points.txt").write_text(f"[qlorakit]\n{module} = {module}\n")

    def load(*, requires="", **codes):
        for name, code in codes.items():
            write(name.replace("_", "-"), code, requires=requires)
        found = distributions(path=[str(tmp_path)])
        return load_plugins(point for distribution in found for point in distribution.entry_points)

    yield load
    for module in modules:
        sys.modules.pop(module, None)


def code_block(hook):
    lines = inspect.getdoc(hook).split(".. code-block:: python\n", maxsplit=1)[1].splitlines()
    return textwrap.dedent("\n".join(line for line in lines if not line or line.startswith(" ")))


def test_qlorakit_tasks_supplies_tasks_by_name(install):
    plugins = install(toy_tasks=TASKS.format(names=["toy/one", "toy/two"]))
    assert sorted(plugins.tasks) == ["toy/one", "toy/two"]
    assert plugins.task("toy/two").labels == ("a", "b")
    assert plugins.origin == {"toy/one": "toy-tasks 1.0", "toy/two": "toy-tasks 1.0"}


def test_qlorakit_models_supplies_models_by_name(install):
    plugins = install(
        toy_models="""
        from pathlib import Path
        from qlorakit.hookspecs import hookimpl
        from qlorakit.task import BaseModel

        @hookimpl
        def qlorakit_models():
            return [BaseModel("toy/base", Path("/models/base"), "A base", "MIT")]
    """
    )
    assert plugins.models["toy/base"].licence == "MIT"
    assert plugins.origin == {"toy/base": "toy-models 1.0"}


BADGES = """
from qlorakit.hookspecs import hookimpl
from qlorakit.recognisers import Recogniser

@hookimpl
def qlorakit_recognisers():
    yield Recogniser.matching("badge", "HB-[0-9]{6}")
"""


def test_qlorakit_recognisers_supplies_recognisers_that_every_search_uses(install, monkeypatch):
    from qlorakit import privacy

    plugins = install(toy_badges=BADGES)
    monkeypatch.setattr(privacy, "installed", lambda: plugins)
    (found,) = privacy.find_personal_data("wears HB-204471", builtin_only=True)
    assert (found.start, found.end, found.kind) == (6, 15, "badge")


def test_a_recogniser_has_an_origin(install):
    plugins = install(toy_badges=BADGES, other_badges=BADGES, toy_tasks=TASKS.format(names=["toy/one"]))
    assert len(plugins.recognisers) == 2
    assert plugins.recogniser_origins == ["other-badges 1.0", "toy-badges 1.0"]


def test_a_plugin_that_supplies_something_else_as_a_recogniser_is_left_out(install):
    plugins = install(toy_badges=BADGES.replace('Recogniser.matching("badge", "HB-[0-9]{6}")', '"HB"'))
    assert plugins.recognisers == []
    assert "must yield Recogniser objects, not str" in plugins.broken["toy-badges 1.0"]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_test(hook):
    assert any(name.startswith(f"test_{hook}_") for name in globals())


@pytest.mark.parametrize("hook", HOOKS)
def test_the_code_in_a_hooks_docstring_is_a_complete_plugin(install, hook):
    plugins = install(documented=code_block(HOOKS[hook]))
    assert plugins.broken == {}
    assert len(getattr(plugins, hook.removeprefix("qlorakit_"))) == 1


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_the_implementation_in_a_hooks_docstring_takes_what_the_hook_passes(hook):
    (signature,) = re.findall(rf"def {hook.__name__}\((.*)\):", code_block(hook))
    assert signature == ", ".join(inspect.signature(hook).parameters)


def test_the_module_docstring_names_the_entry_point_group():
    assert "[project.entry-points.qlorakit]" in hookspecs.__doc__


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise RuntimeError('no licence file')", "RuntimeError: no licence file"),
        ("import sys\nsys.exit('no licence')", "SystemExit: no licence"),
        ("import a_package_that_is_not_there", "ModuleNotFoundError: .*a_package_that_is_not_there"),
        ("def broken(:", "SyntaxError"),
        (f"{TASKS.format(names=['a/b'])}\n    yield 'a task'", "must yield Task objects, not str"),
        (f"{TASKS.format(names=['a/b'])}\n    raise KeyError('labels')", "KeyError: 'labels'"),
        (TASKS.replace("qlorakit_tasks", "qlorakit_task").format(names=["a/b"]), "unknown hook 'qlorakit_task'"),
        (TASKS.replace("tasks()", "tasks(config)").format(names=["a/b"]), "config"),
        (TASKS.format(names=["a/b", "a/b"]), "'a/b' is already supplied by the same plugin"),
    ],
    ids=["raises", "exits", "needs", "syntax", "not-a-task", "raises-late", "unknown-hook", "argument", "twice"],
)
def test_a_broken_plugin_is_left_out_with_its_reason_and_the_others_stay(install, code, reason):
    plugins = install(a_broken=code, sound=TASKS.format(names=["toy/one"]), z_sound=TASKS.format(names=["toy/two"]))
    assert re.search(reason, plugins.broken["a-broken 1.0"])
    assert sorted(plugins.tasks) == ["toy/one", "toy/two"]


def test_an_interrupt_while_plugins_load_passes(install):
    with pytest.raises(KeyboardInterrupt):
        install(slow="raise KeyboardInterrupt")


def test_two_broken_plugins_of_one_distribution_both_keep_their_reason(install, tmp_path):
    points = tmp_path / "pair-1.0.dist-info"
    points.mkdir()
    (points / "METADATA").write_text("Metadata-Version: 2.1\nName: pair\nVersion: 1.0\n")
    (points / "entry_points.txt").write_text("[qlorakit]\none = no_such_one\ntwo = no_such_two\n")
    told = str(install().broken)
    assert "no_such_one" in told
    assert "no_such_two" in told


def test_two_plugins_with_one_task_name_are_both_named(install):
    code = TASKS.format(names=["toy/one"])
    plugins = install(first=code, second=code)
    assert plugins.broken == {"second 1.0": "PluginError: 'toy/one' is already supplied by first 1.0"}
    assert plugins.origin["toy/one"] == "first 1.0"


def test_a_plugin_that_clashes_supplies_nothing_at_all(install):
    plugins = install(first=TASKS.format(names=["toy/one"]), second=TASKS.format(names=["toy/two", "toy/one"]))
    assert sorted(plugins.tasks) == ["toy/one"]


def test_a_plugin_may_supply_nothing(install):
    assert install(empty="") == Plugins()


def test_installed_plugins_are_found_by_their_entry_point(install):
    install(discovered=TASKS.format(names=["toy/discovered"]))
    plugins = load_plugins()
    assert plugins.origin["toy/discovered"] == "discovered 1.0"
    assert plugins.broken == {}


def test_an_unknown_task_suggests_the_nearest_and_lists_what_is_there(install):
    plugins = install(toy=TASKS.format(names=["toy/direction", "toy/size"]))
    with pytest.raises(UnknownNameError, match="no task 'toy/directoin'") as caught:
        plugins.task("toy/directoin")
    assert "Did you mean 'toy/direction'?" in str(caught.value)
    assert "Installed tasks: toy/direction (toy 1.0), toy/size (toy 1.0)." in str(caught.value)


def test_an_unknown_task_of_a_domain_without_a_plugin_names_the_package_to_install(install):
    with pytest.raises(UnknownNameError, match=r"Installed tasks: none.*: pip install qlorakit-tax$"):
        install().task("tax/audit")


def test_an_unknown_task_of_an_installed_domain_names_no_package(install):
    with pytest.raises(UnknownNameError) as caught:
        install(toy=TASKS.format(names=["toy/direction"])).task("toy/weight")
    assert "pip install" not in str(caught.value)


def test_a_task_name_without_a_domain_names_no_package(install):
    with pytest.raises(UnknownNameError, match="Did you mean 'toy/direction'") as caught:
        install(toy=TASKS.format(names=["toy/direction"])).task("direction")
    assert "pip install" not in str(caught.value)


@pytest.mark.parametrize("name", ["fraud", "Fraud", "frauds", "bank/fraud", "finance/frud"])
def test_a_task_that_is_near_in_its_second_part_is_suggested(install, name):
    plugins = install(money=TASKS.format(names=["finance/fraud", "finance/headlines"]))
    with pytest.raises(UnknownNameError, match="Did you mean 'finance/fraud'"):
        plugins.task(name)


@pytest.mark.parametrize("name", ["insurance/claims", "finance/rates", "claims"])
def test_a_task_that_is_near_in_its_letters_alone_is_not_suggested(install, name):
    with pytest.raises(UnknownNameError) as caught:
        install(money=TASKS.format(names=["finance/fraud", "finance/headlines"])).task(name)
    assert "Did you mean" not in str(caught.value)
    assert ("pip install qlorakit-insurance" in str(caught.value)) == name.startswith("insurance")


def test_a_misspelt_domain_is_corrected_and_names_no_package(install):
    with pytest.raises(UnknownNameError, match="Did you mean 'finance/sentiment'") as caught:
        install(money=TASKS.format(names=["finance/sentiment"])).task("fiance/sentiment")
    assert "pip install" not in str(caught.value)


def test_a_task_of_a_broken_plugin_is_answered_with_the_reason(install):
    with pytest.raises(UnknownNameError, match=r"Left out: tax 1.0, because RuntimeError: no licence file."):
        install(tax="raise RuntimeError('no licence file')").task("tax/audit")


@pytest.mark.parametrize(
    "needed", ["qlorakit>=0.1,<1000", "qlorakit", "Qlorakit", 'qlorakit<0.1; extra == "old"', "pluggy<0.1"]
)
def test_a_plugin_for_this_core_is_loaded(install, needed):
    plugins = install(toy=TASKS.format(names=["toy/one"]), requires=f"Requires-Dist: {needed}\n")
    assert list(plugins.tasks) == ["toy/one"]


def test_a_plugin_for_another_core_is_listed_and_none_of_its_code_runs(install):
    here = importlib.metadata.version("qlorakit")
    plugins = install(toy="raise SystemExit", requires="Requires-Dist: qlorakit<1000,>=999\n")
    assert plugins.broken == {
        "toy 1.0": f"PluginError: it needs qlorakit <1000,>=999, and {here} is installed; install versions that go "
        "together"
    }


def test_a_task_that_nobody_supplies_is_an_unknown_name():
    with pytest.raises(UnknownNameError, match=r"no task 'finance/sentimnt'.*'finance/sentiment'"):
        get_task("finance/sentimnt")


@pytest.mark.parametrize("name", ["legal/direction", "medical/direction"])
def test_a_near_task_of_another_domain_does_not_hide_the_missing_package(task, name):
    plugins = Plugins(tasks={"toy/direction": task}, origin={"toy/direction": "toy 1.0"})
    domain = name.partition("/")[0]
    with pytest.raises(UnknownNameError, match=f"Did you mean 'toy/direction'.*pip install qlorakit-{domain}"):
        plugins.task(name)


def test_a_broken_plugin_is_not_offered_for_installation():
    plugins = Plugins(broken={"qlorakit-legal 1.0": "ImportError: no module"})
    with pytest.raises(UnknownNameError, match=r"Left out: qlorakit-legal 1\.0") as caught:
        plugins.task("legal/clauses")
    assert "pip install" not in str(caught.value)


def test_the_supplier_of_a_task_is_told_and_a_task_changed_by_a_script_has_none():
    task = get_task("finance/sentiment")
    assert supplier_of(task) == f"qlorakit-finance {importlib.metadata.version('qlorakit-finance')}"
    assert supplier_of(dataclasses.replace(task, summary="changed")) is None
