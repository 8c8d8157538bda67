"""A collector in a process of its own, as the command starts it."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

_SCRIPT = """
import asyncio, sys
from pathlib import Path
import msgspec
from edgeprof.errors import EdgeprofError
from edgeprof_collector.config import CollectorConfig
from edgeprof_collector.server import serve

config = msgspec.json.decode(sys.argv[1], type=CollectorConfig)
try:
    asyncio.run(serve(config, Path(sys.argv[2]), exit_with_parent=True))
except EdgeprofError as error:
    sys.exit(str(error))
"""


class CollectorProcess:
    """Started ready, with free ports unless told otherwise. As a context manager it is killed in the end."""

    def __init__(self, folder: Path, **options: object) -> None:
        self.store_path = folder / "edgeprof.sqlite"
        ready_file = folder / "collector.ready"
        ready_file.unlink(missing_ok=True)
        config = {"grpc_port": 0, "http_port": 0, "store": str(self.store_path), **options}
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, json.dumps(config), str(ready_file)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while not ready_file.exists() and self.process.poll() is None:
            time.sleep(0.01)
        self.ready: dict[str, str] = json.loads(ready_file.read_bytes()) if ready_file.exists() else {}

    @property
    def grpc_port(self) -> int:
        assert self.ready, f"the collector did not start: {self.end()}"
        return int(self.ready["grpc"].rpartition(":")[2])

    def end(self, how: signal.Signals | None = None) -> tuple[int, str]:
        """Send a signal, or close standard input; return the status and what was said on standard error."""
        assert self.process.stdin
        if how is None:
            self.process.stdin.close()
        else:
            self.process.send_signal(how)
        status = self.process.wait(60)
        assert self.process.stderr
        words = self.process.stderr.read()
        self.process.stderr.close()
        self.process.stdin.close()
        return status, words

    def __enter__(self) -> "CollectorProcess":
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stderr):
            if pipe:
                pipe.close()
