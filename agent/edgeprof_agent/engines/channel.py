"""The child's two ends of the protocol: commands come in, messages go out, one JSON object per line."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import Any, Iterator, Mapping

_READ_BYTES = 65536


class Channel:
    """Commands from the parent and messages to it, on descriptors that no engine writes to.

    A thread reads the commands, so that a cancellation is seen while a step runs. When the parent's end of the
    pipe is closed, that thread ends the process at once, whatever the engine is doing: its parent is gone.
    """

    def __init__(self, commands: int, messages: int) -> None:
        self._messages = messages
        self._queue: queue.Queue[dict[str, Any]] = queue.Queue()
        self._cancelled_id = 0
        threading.Thread(target=self._listen, args=(commands,), name="edgeprof-commands", daemon=True).start()

    @classmethod
    def take_standard_streams(cls) -> Channel:
        """Keep standard input and output for the protocol alone.

        From here on descriptor 0 is empty and descriptor 1 is standard error: what an engine, its libraries or
        its children print lands there. The private descriptors are not inherited.
        """
        commands, messages = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        return cls(commands, messages)

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message."""
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        while line:
            line = line[os.write(self._messages, line) :]

    def commands(self) -> Iterator[dict[str, Any]]:
        """Yield each command as it comes, for ever."""
        while True:
            yield self._queue.get()

    def is_cancelled(self, command_id: int) -> bool:
        """Whether the parent has cancelled this command. Ids ascend, so the latest cancellation says it all."""
        return command_id <= self._cancelled_id

    def _listen(self, commands: int) -> None:
        pending = b""
        while True:
            received = os.read(commands, _READ_BYTES)
            if not received:
                os._exit(0)
            *lines, pending = (pending + received).split(b"\n")
            for line in lines:
                self._accept(line)

    def _accept(self, line: bytes) -> None:
        try:
            command = json.loads(line)
            if command["command"] == "cancel":
                self._cancelled_id = int(command["id"])
            else:
                self._queue.put(command)
        except (ValueError, TypeError, KeyError):
            # An exception would end this thread alone and leave a child that hears nothing.
            sys.stderr.write(f"the engine was sent what is no command: {line[:80]!r}\n")
            sys.stderr.flush()
            os._exit(2)
