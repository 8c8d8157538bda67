"""The agent and the collector as the processes that they are."""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

PATIENCE_SECONDS = 60.0


@dataclass
class Service:
    """A process that stops when its standard input ends."""

    process: "subprocess.Popen[bytes]"
    ready_file: Path
    log: Path

    def ready(self) -> dict[str, str]:
        """What it says of itself once it is ready."""
        self._until(self.ready_file.exists)
        facts: dict[str, str] = json.loads(self.ready_file.read_text())
        return facts

    def close_input(self) -> int:
        """End its standard input, and return its exit status."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(PATIENCE_SECONDS)

    def end(self, signal: int) -> int:
        """Send it a signal and return its exit status."""
        self.process.send_signal(signal)
        return self.process.wait(PATIENCE_SECONDS)

    def until_said(self, text: str, times: int = 1) -> None:
        """Wait until it has written this, so many times."""
        self._until(lambda: self.said().count(text) >= times)

    def said(self) -> str:
        """Everything that it wrote."""
        return self.log.read_text()

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.02)


@contextlib.contextmanager
def service(folder: Path, program: str, *arguments: str) -> Iterator[Service]:
    """Start a program of this installation; kill it in the end if it still runs."""
    folder.mkdir(parents=True, exist_ok=True)
    log, ready_file = folder / f"{program}.log", folder / f"{program}.ready"
    ready_file.unlink(missing_ok=True)
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--ready-file", str(ready_file), "--exit-with-parent"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
        )
    with process:
        try:
            yield Service(process, ready_file, log)
        finally:
            if process.poll() is None:
                process.kill()


@contextlib.contextmanager
def collector(folder: Path) -> Iterator[Service]:
    """A collector on free ports."""
    store = str(folder / "store.sqlite")
    with service(folder, "edgeprof", "collector", "--store", store, "--grpc-port", "0", "--http-port", "0") as running:
        yield running
        running.close_input()


@contextlib.contextmanager
def agent(folder: Path, collector_address: str, *arguments: str) -> Iterator[Service]:
    """An agent whose state is in a folder."""
    state, cache = folder / "state", folder / "cache"
    folders = ("--state-folder", str(state), "--cache-folder", str(cache))
    with service(folder, "edgeprof-agent", "run", "--collector", collector_address, *folders, *arguments) as running:
        yield running


def agent_says(*arguments: str) -> tuple[int, str]:
    """Run `edgeprof-agent` to its end, and return its exit status and what it wrote on standard error."""
    program = Path(sys.executable).with_name("edgeprof-agent")
    done = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr
