"""llama-cpp-python's low-level calls alone.

``import llama_cpp`` imports numpy as well. A process that has done so decodes some 1 % slower for as long as it lives,
though none of Python runs meanwhile: `docs/engines.md` has the figures. The calls need no numpy.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.metadata import version
from typing import Any

_PACKAGE = "llama_cpp"


def _calls() -> Any:
    """The module ``llama_cpp.llama_cpp``, imported while an empty package stands in for ``llama_cpp``.

    Whoever imports the whole later gets it, with this module in it. Versions whose module itself imports numpy do so.

    Raises:
        ImportError: it is not installed, or cannot be loaded.
    """
    if _PACKAGE in sys.modules:
        return importlib.import_module(f"{_PACKAGE}.llama_cpp")
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None:
        raise ModuleNotFoundError(f"No module named '{_PACKAGE}'", name=_PACKAGE)
    sys.modules[_PACKAGE] = importlib.util.module_from_spec(spec)
    try:
        return importlib.import_module(f"{_PACKAGE}.llama_cpp")
    finally:
        del sys.modules[_PACKAGE]


llama_cpp = _calls()


def binding_version() -> str:
    """The version of llama-cpp-python."""
    return version("llama-cpp-python")
