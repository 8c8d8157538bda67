"""The commands as a person runs them: real processes, folders of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

EDGEPROF = Path(sys.executable).parent / "edgeprof"
PATIENCE_SECONDS = 240.0
# A shell lets its background jobs ignore Ctrl-C, and they pass that on; a person's terminal does not.
AS_IN_A_TERMINAL = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    status: int
    output: str
    errors: str

    def events(self, name: str) -> list[Any]:
        """The events of this name that ``--json`` wrote."""
        lines = [msgspec.json.decode(line) for line in self.output.splitlines()]
        return [line[name] for line in lines if line["event"] == name]


@dataclass(frozen=True, slots=True)
class Home:
    """A person's folders, and the command run in them."""

    environment: dict[str, str]
    folder: Path

    def run(self, *arguments: str) -> Ended:
        """Run `edgeprof` to its end."""
        done = subprocess.run(
            [EDGEPROF, *arguments],
            check=False,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def running(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """Start `edgeprof`; it is interrupted if it has not ended by the end of the block."""
        process = subprocess.Popen(
            [sys.executable, "-c", AS_IN_A_TERMINAL, EDGEPROF, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_SECONDS)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where synthetic models are written, once for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def home(tmp_path: Path, cache: Path) -> Home:
    """Fresh folders, but for the models."""
    folders = {f"XDG_{kind.upper()}_HOME": str(tmp_path / kind) for kind in ("data", "state", "config")}
    return Home(os.environ | folders | {"XDG_CACHE_HOME": str(cache), "COLUMNS": "100"}, tmp_path)


def wait_for(condition: Callable[[], Any]) -> Any:
    """Return what ``condition`` gives once it gives something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)
    return found


def engine_of(process: "subprocess.Popen[str]") -> psutil.Process | None:
    """The engine's child process below a running `edgeprof profile`."""
    return below(process, "child.py")


def below(process: "subprocess.Popen[str]", word: str) -> psutil.Process | None:
    """The process below a running `edgeprof profile` that has this word in its command."""
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        return next((child for child in children if word in " ".join(child.cmdline())), None)
    except psutil.NoSuchProcess:
        return None


def next_event(process: "subprocess.Popen[str]", name: str, where: Callable[[Any], bool] = lambda _: True) -> Any:
    """Read the JSON lines of a running command up to an event of this name for which ``where`` holds."""
    assert process.stdout is not None
    for line in process.stdout:
        event = msgspec.json.decode(line)
        if event["event"] == name and where(event[name]):
            return event[name]
    raise AssertionError(f"no such '{name}' event")
