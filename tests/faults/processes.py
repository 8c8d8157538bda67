"""Agents as processes of their own, to be killed."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tests.faults.agent import DEVICE


class AgentProcess:
    """An agent that samples ``count`` tags from ``first`` on, in this network or in the namespace ``netns``.

    Attributes:
        kept: the last tag that was surely in the spool's file; 0 when none was.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        first: int,
        count: int,
        device_id: str = DEVICE,
        *,
        host: str = "127.0.0.1",
        netns: str = "",
    ) -> None:
        self.tags = range(first, first + count)
        self.kept = 0
        self.done = threading.Event()
        self._kept_one = threading.Condition()
        arguments = [str(folder), str(port), str(first), str(count), device_id, host]
        within = ["ip", "netns", "exec", netns] if netns else []
        self.process = subprocess.Popen(
            [*within, sys.executable, "-m", "tests.faults.agent", *arguments], stdout=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that depends on ``kept``, or for the process' end."""
        with self._kept_one:
            self._kept_one.wait_for(lambda: condition() or self.done.is_set() or self.process.poll() is not None, 60)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.end()

    def end(self) -> None:
        """Wait for the end of the process, and of what it has said."""
        self.process.wait(60)
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()

    @property
    def at_risk(self) -> range:
        """Tags that were sampled perhaps, and not written perhaps."""
        return range(max(self.kept + 1, self.tags.start), self.tags.stop)

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if not line.endswith("\n"):
                break  # killed while it spoke
            word, _, tag = line.strip().partition(" ")
            with self._kept_one:
                if word == "kept":
                    self.kept = int(tag)
                else:
                    self.done.set()
                self._kept_one.notify_all()
        with self._kept_one:
            self._kept_one.notify_all()
