"""Import bitsandbytes and peft without letting them reach for the network: the one place that imports them.

At import, on processors with avx512_bf16, bitsandbytes asks the package ``kernels``, where that is installed, to
download a CPU kernel, and otherwise prints that it could not.  That kernel is of no use here: it serves the packed
path that :func:`qlorakit.quantization.keep_unpacked` switches off.  transformers would download and run kernels as
well, for some architectures without being asked; it finds none here either.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def _without_kernels() -> Iterator[None]:
    """Make ``import kernels`` fail, silently, for as long as this lasts."""
    noise = logging.getLogger("bitsandbytes.backends.cpu.ops")
    level, present = noise.level, sys.modules.get("kernels")
    noise.setLevel(logging.ERROR)
    sys.modules["kernels"] = None  # type: ignore[assignment]  # the import system's way of saying "not there"
    try:
        yield
    finally:
        noise.setLevel(level)
        if present is None:
            del sys.modules["kernels"]
        else:
            sys.modules["kernels"] = present


with _without_kernels():
    import bitsandbytes
    import peft  # imports bitsandbytes in turn
    import peft.tuners.lora.bnb  # which peft itself only imports where it meets a quantized layer
    from transformers.utils.import_utils import is_kernels_available

    is_kernels_available()  # transformers asks once, and remembers the answer

__all__ = ["bitsandbytes", "peft"]
