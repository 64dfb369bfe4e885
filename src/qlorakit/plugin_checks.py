"""Checks of a plugin's distribution: what it requires, what its README says, what importing it costs."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from qlorakit.plugins import GROUP, Plugins, load_plugins
from qlorakit.problems import guarded

if TYPE_CHECKING:
    from importlib.metadata import Distribution

    from qlorakit.problems import Problems
    from qlorakit.task import Task

HEAVY = ("torch", "transformers", "peft", "bitsandbytes", "datasets", "sklearn", "pandas")
LOWER, UPPER = frozenset({">", ">=", "~=", "=="}), frozenset({"<", "<=", "~=", "=="})
IMPORT = """\
import importlib, json, sys
reached = []
events = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
sys.addaudithook(lambda event, given: reached.append(event) if event in events else None)
importlib.import_module(sys.argv[1])
print(json.dumps({"modules": sorted(sys.modules), "reached": reached}))
"""


def of_distribution(distribution: str) -> tuple[list[str], list[Task[Any]]]:
    """What is wrong with an installed plugin, and the tasks that it supplies."""
    try:
        found = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return [f"it is not installed; pip install {distribution}, or -e with its folder"], []
    plugins, origin = load_plugins(), f"{found.name} {found.version}"
    tasks = [task for name, task in plugins.tasks.items() if plugins.origin[name] == origin]
    checks = {
        "loading it": partial(_of_supply, found, plugins, origin),
        "reading its requirements": partial(_of_requirements, found),
        "reading its README": partial(_of_readme, found, tasks),
        "importing it": partial(_of_imports, found),
    }
    return [problem for doing, find in checks.items() for problem in guarded(doing, find)], tasks


def _of_supply(distribution: Distribution, plugins: Plugins, origin: str) -> Problems:
    if not distribution.entry_points.select(group=GROUP):
        yield f"it has no entry point in the group {GROUP!r}; name its module under [project.entry-points.{GROUP}]"
    elif origin in plugins.broken:
        yield f"it does not load: {plugins.broken[origin]}"
    elif origin not in {*plugins.origin.values(), *plugins.recogniser_origins}:
        yield (
            "it supplies neither a task, nor a model, nor a recogniser; yield one from qlorakit_tasks, qlorakit_models "
            "or qlorakit_recognisers"
        )


def _of_requirements(distribution: Distribution) -> Problems:
    needed = [Requirement(line) for line in distribution.requires or ()]
    core = [one for one in needed if canonicalize_name(one.name) == GROUP]
    if not core:
        yield "it does not require qlorakit; add it to the dependencies, as 'qlorakit>=0.1,<0.2'"
    for one in core:
        operators = {specifier.operator for specifier in one.specifier}
        if not operators & LOWER or not operators & UPPER:
            yield f"it requires {str(one)!r}; bound the version below and above, as 'qlorakit>=0.1,<0.2'"


# README


def _of_readme(distribution: Distribution, tasks: list[Task[Any]]) -> Problems:
    readme = _plain(_readme(distribution))
    if not readme:
        yield "it has no README; write one, and name it in pyproject.toml as readme"
        return
    for task in tasks:
        if task.name not in readme:
            yield f"README: the task {task.name!r} is not named; describe it"
    datasets = dict.fromkeys(dataset for task in tasks for dataset in task.datasets)
    for dataset in datasets:
        for what, text in (("data set", dataset.name), ("licence", dataset.licence)):
            if _plain(text).casefold() not in readme.casefold():
                of = "" if what == "data set" else f" of {dataset.name!r}"
                yield f"README: the {what} {text!r}{of} is not named; say it in the same words"


def _plain(text: str) -> str:
    return " ".join(text.split())


def _readme(distribution: Distribution) -> str:
    """The long description; of an editable install, whose metadata is as old as that, the file in its folder."""
    folder = _editable_folder(distribution)
    if folder is None:
        return str(distribution.metadata.json.get("description") or "")
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    named = project.get("readme", "README.md")
    readme = folder / (named if isinstance(named, str) else named.get("file", "README.md"))
    return readme.read_text(encoding="utf-8") if readme.is_file() else ""


def _editable_folder(distribution: Distribution) -> Path | None:
    given = json.loads(distribution.read_text("direct_url.json") or "{}")
    if not given.get("dir_info", {}).get("editable"):
        return None
    folder = Path(unquote(urlparse(given["url"]).path))
    return folder if (folder / "pyproject.toml").is_file() else None


# Imports


def _of_imports(distribution: Distribution) -> Problems:
    """What importing its modules brings along in a fresh process."""
    for module in sorted({point.module for point in distribution.entry_points.select(group=GROUP)}):
        command = [sys.executable, "-c", IMPORT, module]
        process = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  # ourselves
        if process.returncode or not process.stdout.strip():
            last = (process.stderr.strip().splitlines() or ["no message"])[-1]
            yield f"importing {module} fails in a process of its own: {last}"
            continue
        found = json.loads(process.stdout.splitlines()[-1])
        heavy = [name for name in HEAVY if name in found["modules"]]
        if heavy:
            yield f"importing {module} imports {', '.join(heavy)}; import them inside the functions that need them"
        if found["reached"]:
            yield f"importing {module} reaches for the network ({found['reached'][0]}); take what it needs along"
