"""Files that belong to a service, and the commands that have the system take notice of them."""

import shutil
import subprocess
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from edgeprof.errors import EdgeprofError


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFile:
    """A file of the service: where it is under the root of the system, and what is in it.

    ``owners_own`` is what a person changes: it is written only if it is not there.
    """

    path: str
    text: str
    mode: int = 0o644
    owners_own: bool = False

    def write(self, root: Path) -> None:
        """Write it whole or not at all.

        Raises:
            EdgeprofError: it cannot be written.
        """
        path = root / self.path
        if self.owners_own and path.exists():
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_name(f"{path.name}.new")
            new.write_text(self.text, encoding="utf-8")
            new.chmod(self.mode)
            new.replace(path)
        except OSError as error:
            raise EdgeprofError(f"{path} cannot be written: {error.strerror}; are you root?") from error


def template(name: str) -> str:
    """The text of a file that comes with this package."""
    return resources.files("edgeprof_agent.service").joinpath(name).read_text(encoding="utf-8")


def run(*command: str) -> None:
    """Run a command of the system.

    Raises:
        EdgeprofError: it failed; the text has what it said last.
    """
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines() or [f"status {done.returncode}"]
        raise EdgeprofError(f"'{' '.join(command)}' failed: {said[-1]}")


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; if it is not there, that is no trouble.

    Raises:
        EdgeprofError: it cannot be removed.
    """
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise EdgeprofError(f"{path} cannot be removed: {error.strerror}; are you root?") from error
