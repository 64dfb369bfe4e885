"""What reports and audits have in common as files: endings, JSON that is read again, pages that need no network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, NoReturn

from qlorakit.errors import ConfigurationError, DataError, OutputError, unwritable
from qlorakit.records import write_json, write_text

ENDINGS = (".json", ".md", ".html", ".txt")
HALF = re.compile(r"\\u[dD][89a-fA-F]")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def save_document(
    path: str | Path, what: str, record: Callable[[], Mapping[str, Any]], renderers: Mapping[str, Callable[[], str]]
) -> Path:
    """Write a document in the form that the path's ending tells; the file is complete or absent.

    Args:
        path: Its folder is made where needed.
        what: What it is, for messages: ``"report"``.
        record: Makes its content for ``.json``.
        renderers: Make its text, by the other endings.

    Returns:
        The path.

    Raises:
        ConfigurationError: Another ending.
        OutputError: The file cannot be written, or a value not as JSON.
    """
    path = Path(path)
    if path.suffix not in ENDINGS:
        msg = f"{path}: {what}s are saved as {', '.join(ENDINGS)}"
        raise ConfigurationError(msg)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".json":
            write_json(path, record())
        else:
            write_text(path, renderers[path.suffix]())
    except (TypeError, UnicodeEncodeError) as error:
        msg = f"{path} is not written: the {what} holds a value that JSON cannot ({error})"
        raise OutputError(msg) from error
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def load_document(path: str | Path, what: str) -> Any:  # noqa: ANN401  # whatever the file holds
    """Read the JSON of a document.

    Raises:
        DataError: The file is missing or no JSON.
    """
    try:
        written = Path(path).read_text(encoding="utf-8")
        found = json.loads(written, parse_constant=_refuse_constant)
        if HALF.search(written):  # half of a character, escaped, which no file can hold otherwise
            json.dumps(found, ensure_ascii=False).encode()
    except OSError as error:
        msg = f"{path} cannot be read: {error}"
        raise DataError(msg) from error
    except (ValueError, RecursionError) as error:
        msg = f"{path} is no {what}: it is not JSON ({error})"
        raise DataError(msg) from error
    return found


def render_page(template: str, styles: tuple[str, ...], **values: object) -> str:
    """A page from a template of this package, with all values escaped and no characters that have no place in one.

    A Content-Security-Policy lets nothing in but the page's own style.

    Args:
        template: Name of the file; it gets ``style`` and ``policy`` besides.
        styles: Names of style sheets, put into the page in this order.
        **values: What the template shows.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def cleaned(shown: object) -> object:
        return clean(shown) if isinstance(shown, str) and not isinstance(shown, Markup) else shown

    environment = Environment(
        autoescape=True, finalize=cleaned, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style = "".join(map(_resource, styles))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return environment.from_string(_resource(template)).render(
        style=Markup(style),  # noqa: S704  # our own
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'",
        **values,
    )


def clean(words: str) -> str:
    """Without characters that command a terminal, turn the direction of a line, or that no file can hold."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", words.replace("\r\n", "\n").replace("\t", " "))


def _resource(name: str) -> str:
    return files("qlorakit").joinpath(name).read_text(encoding="utf-8")


def _refuse_constant(name: str) -> NoReturn:
    msg = f"{name} is no number"
    raise ValueError(msg)
