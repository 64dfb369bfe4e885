"""Try a chat template out before it is used: it is a program, and one from elsewhere may never end.

Jinja's sandbox keeps it from everything but the conversation; it does not bound its time and memory.  So a process of
its own, which may be stopped, renders a few conversations first.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys

SECONDS = 5  # of the processor, for conversations that take milliseconds
PATIENCE = 60  # seconds by the clock, on a busy machine
MEMORY = 1 << 30  # bytes

# What transformers renders templates with, as far as it has a say in how long they take.
_RENDER = """
import json, sys
from jinja2 import TemplateError, TemplateSyntaxError, ext, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

class Generation(ext.Extension):
    tags = {"generation"}
    def parse(self, parser):
        next(parser.stream)
        return nodes.Scope(parser.parse_statements(["name:endgeneration"], drop_needle=True))

def refuse(message):
    raise TemplateError(message)

def tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

try:
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
except ImportError:
    pass
environment = ImmutableSandboxedEnvironment(
    trim_blocks=True, lstrip_blocks=True, extensions=[Generation, ext.loopcontrols]
)
environment.filters["tojson"] = tojson
environment.globals.update(raise_exception=refuse, strftime_now=lambda form: "01 Jan 2025")
text = "Sales rose by 3 %, said Dr Wei. " * 60
say = lambda *roles: [{"role": role, "content": text} for role in roles]
tokens = {f"{name}_token": f"<{name}>" for name in ("bos", "eos", "unk", "sep", "pad", "cls", "mask")}
try:
    template = environment.from_string(sys.stdin.read())
    for roles in (("user",), ("system", "user"), ("system", "user", "assistant")):
        try:
            template.render(messages=say(*roles), add_generation_prompt=roles[-1] == "user", tools=None, documents=None,
                            date_string="01 Jan 2025", **tokens)
        except MemoryError:
            raise
        except Exception:
            pass
except TemplateSyntaxError as error:
    print("syntax", error.lineno, error.message)
except MemoryError:
    print("memory")
except Exception:
    print("syntax", 1, "it cannot be read")
else:
    print("done")
"""


@functools.cache
def template_fault(template: str) -> str | None:
    """What is wrong with a chat template that may come from anywhere; ``None`` where nothing was found.

    It is rendered for conversations of two thousand characters a message, in a process that is stopped when it takes
    longer than ``SECONDS`` or more than ``MEMORY`` (on Windows, than ``PATIENCE``).  Each template is tried once.

    Args:
        template: Jinja, as a tokenizer has it.
    """
    code = f"SECONDS, MEMORY = {SECONDS}, {MEMORY}\n{_RENDER}"
    packages = os.pathsep.join(path for path in sys.path if path)
    try:
        done = subprocess.run(  # noqa: S603  # our own code; the template is its input
            [sys.executable, "-P", "-c", code],
            input=template.encode("utf-8", "surrogatepass"),
            env={**os.environ, "PYTHONPATH": packages, "PYTHONUTF8": "1"},
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it takes more than {PATIENCE} seconds to render a short conversation"
    said = done.stdout.decode("utf-8", "replace").strip()
    if said.startswith("syntax"):
        _, line, what = said.split(" ", maxsplit=2)
        return f"line {line}: {what}"
    if said != "done":
        return f"it takes more than {SECONDS} seconds or {MEMORY >> 30} GB of memory to render a short conversation"
    return None
