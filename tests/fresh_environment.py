"""Makes virtual environments without any network, in which the core and plugins are really installed.

Packages that the core and the plugins declare to need come from the running environment, as links; any other package is
missing, as it would be at a user's.  The core and plugins are built by pip from copies of their sources, and installed
with their dependencies checked.
"""

import functools
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from qlorakit.plugin_checks import HEAVY

ROOT = Path(__file__).parents[1]
PLUGINS = ROOT / "plugins"
TOOLS = ("hatchling", "pip", "pytest")
PIP = '#!/bin/sh\nexec "$(dirname "$0")/python" -m pip "$@"\n'
LOOK = f"""
import json, sys, qlorakit
tasks = qlorakit.list_tasks()
print(json.dumps([list(tasks), tasks.plugins.origin, tasks.plugins.broken, sorted(set({HEAVY}) & set(sys.modules))]))
"""


@dataclass(frozen=True)
class Look:
    """What a fresh process finds.

    Attributes:
        tasks: Names of tasks.
        origin: The distribution of each task and model.
        left_out: Plugins that were left out, with the reason.
        heavy: Packages that take long to import, and were.
        files: Everything below the folder into which pip installs.
    """

    tasks: list[str]
    origin: dict[str, str]
    left_out: dict[str, str]
    heavy: list[str]
    files: frozenset[Path]


@dataclass(frozen=True)
class FreshEnvironment:
    """A virtual environment: links to what is needed, and what pip has installed."""

    folder: Path

    @property
    def packages(self):
        """The folder into which pip installs."""
        return next(self.folder.glob("lib/python*/site-packages"))

    def run(self, *command, folder, succeeds=True):
        """What a command prints; it must succeed, or else fail, as told."""
        done = subprocess.run(  # noqa: S603  # commands of the tests and of our own pages
            command, cwd=folder, env=self._variables(), text=True, capture_output=True, check=False, timeout=300
        )
        printed = done.stdout + done.stderr
        assert (done.returncode == 0) == succeeds, f"{command} ended with {done.returncode}:\n{printed[-4000:]}"
        return printed

    def python(self, code, *, folder, succeeds=True):
        """What a program prints, run in a process of its own."""
        return self.run("python", "-c", code, folder=folder, succeeds=succeeds)

    def look(self, *, folder):
        """What a process finds that is started in a folder."""
        printed = self.python(LOOK, folder=folder).splitlines()
        found = json.loads(next(line for line in printed if line.startswith("[[")))
        return Look(*found, frozenset(path.relative_to(self.packages) for path in self.packages.rglob("*")))

    def _variables(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
        return kept | {
            "PATH": os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]]),
            "VIRTUAL_ENV": str(self.folder),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # not a slip: pip takes the value for that of build isolation
            "PIP_NO_CACHE_DIR": "1",
            "PIP_NO_INDEX": "1",
            "PYTHONNOUSERSITE": "1",
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
        }


def declared(project):
    """What a project says that it needs, and what the extras of the core that it names are."""
    needed = _project(project)["dependencies"]
    extras = [extra for name in needed for extra in Requirement(name).extras if name.startswith("qlorakit")]
    return [*needed, *(name for extra in extras for name in _project(ROOT)["optional-dependencies"][extra])]


def _project(folder):
    with (folder / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


def with_dependencies(names):
    """Distributions of the running environment, with all that they need in turn, but for the project's own."""
    found, remaining = {}, [Requirement(name) for name in names]
    while remaining:
        wanted = remaining.pop()
        key = (wanted.name.lower(), frozenset(wanted.extras))
        if key in found or wanted.name.startswith("qlorakit"):
            continue
        found[key] = importlib.metadata.distribution(wanted.name)
        needed = map(Requirement, found[key].requires or ())
        extras = wanted.extras or {""}
        remaining += [one for one in needed if not one.marker or any(one.marker.evaluate({"extra": x}) for x in extras)]
    return found.values()


def link_dependencies(folder):
    """Link to every package that the core or a plugin declares to need, and to the tools of a developer."""
    folder.mkdir()
    names = [name for project in (ROOT, *PLUGINS.iterdir()) for name in declared(project)]
    for distribution in with_dependencies([*TOOLS, *names]):
        for name in {path.parts[0] for path in distribution.files or ()} - {"..", "__pycache__"}:
            link = folder / name
            if not link.is_symlink():
                link.symlink_to(distribution.locate_file(name))
    return folder


def make_environment(folder):
    """An environment in which no distribution of the project is installed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)  # noqa: S603  # ours
    environment, links = FreshEnvironment(folder), link_dependencies(folder / "dependencies")
    (environment.packages / "dependencies.pth").write_text(f"{links}\n", encoding="utf-8")
    pip = folder / "bin" / "pip"
    pip.write_text(PIP, encoding="utf-8")
    pip.chmod(0o755)
    return environment


def source_of(project, copy):
    """A copy of a project's sources, since building must not write beside them."""
    shutil.copytree(project / "src", copy / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE"):
        shutil.copy(project / name, copy)
    return str(copy)


@functools.cache
def core_wheel(base):
    """The core as a wheel, built once below a folder."""
    folder = base / "core_wheel"
    builder = make_environment(folder / "builder")
    builder.run("pip", "wheel", "--no-deps", "--wheel-dir", ".", source_of(ROOT, folder / "core"), folder=folder)
    return str(next(folder.glob("*.whl")))


@functools.cache
def environment_with_core(base, *plugins):
    """A fresh environment with the core and these plugins, made once below a folder; what is added has to go again.

    Args:
        base: The folder of all temporary files of a session: ``tmp_path_factory.getbasetemp()``.
        *plugins: The names of their folders.
    """
    folder = base / "_".join(["fresh", *plugins])
    environment = make_environment(folder / "environment")
    sources = [source_of(PLUGINS / name, folder / name) for name in plugins]
    environment.run("pip", "install", core_wheel(base), *sources, folder=folder)
    return environment


@functools.cache
def install_and_uninstall(base, plugin):
    """What there is before a plugin is installed beside the core alone, while it is there, and afterwards.

    Args:
        base: See :func:`environment_with_core`.
        plugin: The name of its folder.
    """
    environment, folder = environment_with_core(base), base / f"only_{plugin}"
    folder.mkdir()
    before = environment.look(folder=folder)
    environment.run("pip", "install", source_of(PLUGINS / plugin, folder / plugin), folder=folder)
    during = environment.look(folder=folder)
    environment.run("pip", "uninstall", "-y", f"qlorakit-{plugin}", folder=folder)
    return before, during, environment.look(folder=folder)
