"""``qlorakit/tiny``: a base model of 6.9 million parameters, carried by this plugin."""

from collections.abc import Iterable
from pathlib import Path

from qlorakit.hookspecs import hookimpl
from qlorakit.task import BaseModel

MODEL = Path(__file__).parent / "model"


@hookimpl
def qlorakit_models() -> Iterable[BaseModel]:
    """The embedded model."""
    yield BaseModel(
        name="qlorakit/tiny",
        folder=MODEL,
        summary="Llama shape, 6.9 M parameters, English textbooks, central-bank and patient-education text",
        licence="CC BY 4.0 (see the model card)",
    )
