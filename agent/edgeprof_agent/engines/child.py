"""Where an engine's process starts: ``python child.py NAME``, by file path, under any Python from 3.8 on."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

_PACKAGE = "edgeprof_engines"


def start(name: str) -> int:
    """Make this file's folder a package and serve the engine of this name.

    Python puts a script's folder first on its path. There, ``import llama_cpp`` would find this folder's
    llama_cpp.py and not the engine, so the folder leaves the path, and its files import each other relatively.
    """
    folder = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != folder]
    spec = importlib.util.spec_from_file_location(
        _PACKAGE, str(folder / "__init__.py"), submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[_PACKAGE] = package
    spec.loader.exec_module(package)
    status: int = importlib.import_module(_PACKAGE + ".serve").main(name)
    return status


if __name__ == "__main__":
    sys.exit(start(sys.argv[1]))
