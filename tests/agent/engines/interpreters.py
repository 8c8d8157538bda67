import os
import shutil
import subprocess
import sys
from pathlib import Path


def other_interpreters() -> dict[str, str]:
    """Every other Python from 3.8 on that can be found here, by its version, the oldest first."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [path for minor in range(8, 20) if (path := shutil.which(f"python3.{minor}"))]
    found += [str(path) for path in pyenv.glob("versions/3.*/bin/python")]
    versions = {version: path for path in found if (version := _version(path)) and version[:2] != sys.version_info[:2]}
    return {".".join(map(str, version)): path for version, path in sorted(versions.items()) if version >= (3, 8)}


def _version(path: str) -> tuple[int, ...]:
    """The version of an interpreter; empty if it does not run, as a shim without its Python."""
    command = [path, "-c", "import sys; print(*sys.version_info[:3])"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return tuple(map(int, answer.stdout.split())) if answer.returncode == 0 else ()
