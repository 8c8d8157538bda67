"""The commands of this very installation, whatever the search path says."""

import os
import sys
from pathlib import Path


def installed_program(name: str) -> list[str]:
    """What starts the command ``name``: the one beside this interpreter, or else the first on the search path."""
    beside = Path(sys.executable).parent / name
    return [str(beside)] if os.access(beside, os.X_OK) else [name]
