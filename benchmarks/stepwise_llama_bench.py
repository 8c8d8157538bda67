"""llama-bench, one repetition at a time."""

import json
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.time_slices import StoppableProgram

BUILD = Path(__file__).parent.parent / "build" / "llama-cpp"

# Printed right after the clock has been read at the start of a repetition, before its first token.
_REPETITION_BEGINS = re.compile(rb": (prompt|generation) run \d+/\d+$")


def build_llama_programs() -> None:
    """Build llama-bench and llama-server where they are not there yet."""
    subprocess.run([Path(__file__).parent / "build_llama_programs.sh"], check=True)


class StepwiseLlamaBench:
    """A llama-bench that stands still from its birth, and at the start of each repetition until it is let go on.

    Args:
        launcher: what goes before its command.
        model: a GGUF file.
        options: what is tested and how, such as ``("-p", "256", "-n", "0", "-t", "4")``.
        repetitions: how many there will be.
    """

    def __init__(self, launcher: Sequence[str], model: Path, options: Sequence[str], repetitions: int) -> None:
        how = ("-r", str(repetitions), "--progress", "-o", "jsonl")
        self._child = subprocess.Popen(
            [*launcher, BUILD / "llama-bench", "-m", model, *options, *how],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.program = StoppableProgram(self._child.pid)
        self.program.hold()
        self._repetitions = repetitions
        self._begins_ns: list[int] = []
        self._result = b""

    def make_ready(self) -> None:
        """Have it load the model and warm up, and stop it at the start of the first repetition."""
        self.program.release()
        self.program.go_on()
        self.await_repetition()

    def await_repetition(self) -> None:
        """Wait until a repetition begins, and stop it there; after the last, wait until the result is there.

        Not until the program has ended: it frees its memory first, and if it stands still meanwhile, that is no part
        of the last repetition.

        Raises:
            RuntimeError: the program ended before.
        """
        assert self._child.stdout is not None
        if len(self._begins_ns) == self._repetitions:
            self._result = self._child.stdout.readline()
        else:
            self._read_until_it_begins()
            self.program.hold()
        self._begins_ns.append(time.monotonic_ns())

    def seconds(self) -> list[float]:
        """Return how long each repetition took, less the time that it stood still."""
        samples_ns = json.loads(self._result)["samples_ns"]
        # A repetition is stopped as soon as it has begun, so the stop belongs to it and not to the one before.
        spans = zip(self._begins_ns[:-1], self._begins_ns[1:], strict=True)
        paused_ns = [self.program.paused_ns(begin, end) for begin, end in spans]
        return [(sample - paused) / 1e9 for sample, paused in zip(samples_ns, paused_ns, strict=True)]

    def close(self) -> None:
        """End it, if it has not ended."""
        self._child.kill()
        self._child.wait()
        for stream in (self._child.stdout, self._child.stderr):
            assert stream is not None
            stream.close()

    def _read_until_it_begins(self) -> None:
        assert self._child.stderr is not None
        for line in self._child.stderr:
            if _REPETITION_BEGINS.search(line.rstrip()):
                return
        raise RuntimeError("llama-bench ended before its repetitions")
