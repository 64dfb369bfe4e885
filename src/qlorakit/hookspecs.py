"""The hooks of a plugin.  Each docstring holds a complete one.

A plugin is a distribution whose ``pyproject.toml`` names its module under the entry point group ``qlorakit``::

    [project.entry-points.qlorakit]
    support = "qlorakit_support"

A plugin is code: it is imported by whoever looks up a task, and has that user's rights.
"""

from collections.abc import Iterable

import pluggy

from qlorakit.recognisers import Recogniser
from qlorakit.task import BaseModel, Task

hookspec = pluggy.HookspecMarker("qlorakit")
hookimpl = pluggy.HookimplMarker("qlorakit")


@hookspec
def qlorakit_tasks() -> Iterable[Task]:  # type: ignore[type-arg, empty-body]  # tasks of any value type
    """Supply tasks.

    .. code-block:: python

        from qlorakit.hookspecs import hookimpl
        from qlorakit.kinds import single_label

        @hookimpl
        def qlorakit_tasks():
            yield single_label(
                "support/urgency",
                summary="Is a support request urgent?",
                instruction="Decide whether the request is urgent. Answer with one of: urgent, routine.",
                labels=("urgent", "routine"),
            )
    """


@hookspec
def qlorakit_models() -> Iterable[BaseModel]:  # type: ignore[empty-body]
    """Supply base models that stand in local folders.

    .. code-block:: python

        from pathlib import Path
        from qlorakit.hookspecs import hookimpl
        from qlorakit.task import BaseModel

        @hookimpl
        def qlorakit_models():
            yield BaseModel(
                name="our-hospital/base-1b",
                folder=Path("/srv/models/base-1b"),
                summary="The house's approved base model",
                licence="Apache-2.0",
            )
    """


@hookspec
def qlorakit_recognisers() -> Iterable[Recogniser]:  # type: ignore[empty-body]
    """Supply recognisers of personal data, which every search of ``qlorakit.privacy`` then uses besides its own.

    .. code-block:: python

        from qlorakit.hookspecs import hookimpl
        from qlorakit.recognisers import Recogniser

        @hookimpl
        def qlorakit_recognisers():
            yield Recogniser.matching("staff_number", "HB-[0-9]{6}", context="badge|staff")
    """
