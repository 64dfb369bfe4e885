"""Discover plugins, keep broken ones with their reason, look up tasks and models, explain what is missing."""

from __future__ import annotations

import difflib
import functools
import importlib.metadata
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from qlorakit import hookspecs
from qlorakit.errors import PluginError, UnknownNameError
from qlorakit.recognisers import Recogniser
from qlorakit.task import BaseModel, Task

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

logger = logging.getLogger(__name__)

GROUP = "qlorakit"
CORE = "qlorakit"  # the distribution
NEAR = 0.8  # a similarity of names, from 0 to 1
NEAR_PART = 0.6  # of what stands behind the slash, where nothing in common is shared by the domain
Named = TypeVar("Named", "Task[Any]", BaseModel)


@dataclass
class Plugins:
    """What the installed plugins supply.

    Attributes:
        tasks: By name.
        models: By name.
        recognisers: All of them, which have no names.
        broken: Why a plugin was left out, by its distribution.
        origin: The distribution, with version, that supplied a task or model, by its name.
        recogniser_origins: That of each recogniser, in their order.
    """

    tasks: dict[str, Task[Any]] = field(default_factory=dict)
    models: dict[str, BaseModel] = field(default_factory=dict)
    recognisers: list[Recogniser] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    recogniser_origins: list[str] = field(default_factory=list)

    def task(self, name: str) -> Task[Any]:
        """Look up a task.

        Raises:
            UnknownNameError: Nobody supplies it; says what is installed and which package would bring it.
        """
        if name in self.tasks:
            return self.tasks[name]
        near = _nearest(name, self.tasks)
        hint = f" Did you mean {near!r}?" if near else ""
        msg = f"no task {name!r}.{hint} {self.describe(self.tasks, 'tasks')}{self._missing_package(name)}"
        raise UnknownNameError(msg)

    def _missing_package(self, name: str) -> str:
        """Which package would bring a task, by its domain; nothing where that is installed, broken or misspelt."""
        domain, slash, _ = name.partition("/")
        domains = {known.partition("/")[0] for known in self.tasks}
        package = f"qlorakit-{domain}"
        installed_too = any(origin.split(" ")[0] == package for origin in self.broken)
        misspelt = difflib.get_close_matches(domain, domains, n=1, cutoff=NEAR)
        if not slash or domain in domains or installed_too or misspelt:
            return ""
        return f" Tasks named '{domain}/...' would come with a package called {package}: pip install {package}"

    def describe(self, supplied: Mapping[str, object], what: str) -> str:
        """Say in a sentence what is installed and which plugins are broken."""
        names = ", ".join(f"{name} ({self.origin.get(name, '')})" for name in sorted(supplied)) or "none"
        broken = "".join(f" Left out: {name}, because {reason}." for name, reason in sorted(self.broken.items()))
        return f"Installed {what}: {names}.{broken}"


def _nearest(name: str, known: Iterable[str]) -> str:
    """The task that is near as a whole, or in what stands behind the slash; empty where none is."""
    names = sorted(known)
    whole = difflib.get_close_matches(name, names, n=1, cutoff=NEAR)
    by_part: dict[str, str] = {}
    for other in names:
        by_part.setdefault(other.rpartition("/")[2], other)
    parts = difflib.get_close_matches(name.rpartition("/")[2], by_part, n=1, cutoff=NEAR_PART)
    return next(iter([*whole, *(by_part[part] for part in parts)]), "")


def load_plugins(entry_points: Iterable[EntryPoint] | None = None) -> Plugins:
    """Load the plugins one at a time, so that a broken one takes no other down.

    Args:
        entry_points: Those of the group ``qlorakit`` unless given.
    """
    if entry_points is None:
        entry_points = importlib.metadata.entry_points(group=GROUP)
    plugins = Plugins()
    for entry_point in sorted(entry_points, key=lambda point: (_distribution(point), point.name)):
        try:
            _load(entry_point, plugins)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever a plugin raises must stay its own affair
            origin, reason = _distribution(entry_point), f"{type(error).__name__}: {error}"
            plugins.broken[origin] = f"{plugins.broken[origin]}; {reason}" if origin in plugins.broken else reason
    return plugins


@functools.cache
def installed() -> Plugins:
    """The plugins of this environment, loaded once; those that cannot be used are named in the log."""
    plugins = load_plugins()
    for origin, reason in plugins.broken.items():
        logger.warning("plugin %s is left out: %s", origin, reason)
    return plugins


def get_task(name: str) -> Task[Any]:
    """Look up a task that an installed plugin supplies.

    Args:
        name: ``"domain/task"``, for example ``"finance/sentiment"``.

    Raises:
        UnknownNameError: No installed plugin supplies it.
    """
    return installed().task(name)


def supplier_of(task: Task[Any]) -> str | None:
    """The distribution that supplies this very task, with its version; ``None`` for one that a script made."""
    plugins = installed()
    return plugins.origin.get(task.name) if plugins.tasks.get(task.name) is task else None


def _distribution(entry_point: EntryPoint) -> str:
    dist = entry_point.dist
    return f"{dist.name} {dist.version}" if dist else entry_point.value


def _check_core(entry_point: EntryPoint) -> None:
    """Refuse a plugin that was made for another core, before any of its code runs.

    Raises:
        PluginError: What its distribution requires of the core is not what is installed.
    """
    from packaging.requirements import Requirement  # takes milliseconds, which no other import needs

    here = importlib.metadata.version(CORE)
    for line in (entry_point.dist.requires or ()) if entry_point.dist else ():
        needed = Requirement(line)
        if needed.name.casefold() != CORE or (needed.marker and not needed.marker.evaluate({"extra": ""})):
            continue
        if not needed.specifier.contains(here, prereleases=True):
            msg = f"it needs {CORE} {needed.specifier}, and {here} is installed; install versions that go together"
            raise PluginError(msg)


def _load(entry_point: EntryPoint, plugins: Plugins) -> None:
    _check_core(entry_point)
    manager = pluggy.PluginManager(GROUP)  # a manager for each: one plugin's hooks are called without the others'
    manager.add_hookspecs(hookspecs)
    module = entry_point.load()
    manager.register(module, name=entry_point.name)
    manager.check_pending()
    origin = _distribution(entry_point)
    tasks = _collect(manager.hook.qlorakit_tasks, Task, plugins.tasks, plugins)
    models = _collect(manager.hook.qlorakit_models, BaseModel, plugins.models, plugins)
    recognisers = [item for supplied in manager.hook.qlorakit_recognisers() for item in supplied]
    wrong = next((item for item in recognisers if not isinstance(item, Recogniser)), None)
    if wrong is not None:
        msg = f"a hook must yield Recogniser objects, not {type(wrong).__name__}"
        raise PluginError(msg)
    plugins.recognisers.extend(recognisers)
    plugins.recogniser_origins.extend(origin for _ in recognisers)
    plugins.tasks.update(tasks)
    plugins.models.update(models)
    plugins.origin.update(dict.fromkeys([*tasks, *models], origin))


def _collect(
    hook: Callable[[], list[Iterable[Named]]], kind: type[Named], taken: Mapping[str, object], plugins: Plugins
) -> dict[str, Named]:
    """What a plugin yields for one hook, by name."""
    found: dict[str, Named] = {}
    for item in (item for supplied in hook() for item in supplied):
        if not isinstance(item, kind):
            msg = f"a hook must yield {kind.__name__} objects, not {type(item).__name__}"
            raise PluginError(msg)
        if item.name in taken or item.name in found:
            msg = f"{item.name!r} is already supplied by {plugins.origin.get(item.name, 'the same plugin')}"
            raise PluginError(msg)
        found[item.name] = item
    return found
