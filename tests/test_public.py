import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import qlorakit as qk

HEAVY = {"torch", "transformers", "numpy", "peft", "bitsandbytes", "datasets", "sklearn"}


def modules_after(statement):
    code = f"{statement}; import sys; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    return set(process.stdout.split())


def test_the_public_names_are_sorted_and_listed_once():
    assert qk.__all__ == sorted(set(qk.__all__))


def test_the_public_names_are_those_that_resolve_lazily():
    assert set(qk.__all__) == set(qk._HOMES)


@pytest.mark.parametrize("name", qk.__all__)
def test_every_public_name_resolves_to_what_its_home_defines(name):
    value = getattr(qk, name)
    assert value.__name__ == name
    assert value.__module__ == f"qlorakit.{qk._HOMES[name]}"


def test_a_star_import_brings_exactly_the_public_names():
    namespace = {}
    exec("from qlorakit import *", namespace)  # noqa: S102
    assert set(namespace) - {"__builtins__"} == set(qk.__all__)


def test_every_public_name_is_listed_by_dir():
    assert set(qk.__all__) <= set(dir(qk))


def test_no_public_name_is_hidden_by_a_module_of_the_same_name():
    modules = {path.stem for path in Path(qk.__file__).parent.glob("*.py")}
    assert modules.isdisjoint(qk.__all__)


@pytest.mark.parametrize(
    "package", ["qlorakit", "qlorakit_finance", "qlorakit_legal", "qlorakit_medical", "qlorakit_tiny"]
)
def test_importing_the_package_leaves_heavy_libraries_out(package):
    assert not modules_after(f"import {package}") & HEAVY


def test_listing_tasks_leaves_heavy_libraries_out():
    assert not modules_after("import qlorakit; qlorakit.list_tasks()") & HEAVY


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'qlorakit' has no attribute 'fine_tune'"):
        qk.fine_tune  # noqa: B018


def test_an_unknown_name_cannot_be_imported():
    with pytest.raises(ImportError, match="fine_tune"):
        from qlorakit import fine_tune  # noqa: F401


def test_the_version_is_that_of_the_installed_distribution():
    assert qk.__version__ == importlib.metadata.version("qlorakit")
