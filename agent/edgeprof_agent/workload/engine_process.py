"""An engine in a child process, as the agent sees it."""

from collections.abc import Callable, Mapping

from edgeprof.errors import EdgeprofError
from edgeprof.plan import Step

from edgeprof_agent.workload.engine_messages import EngineHello, EngineLoaded, RequestTimes


class EngineFailedError(EdgeprofError):
    """The engine refused, crashed, was killed, spoke rubbish or fell silent. Its text names the cause."""


class EngineProcess:
    """An engine in a child process: started, loaded, stepped, closed.

    One command runs at a time. Cancelling the task that awaits a command cancels the command, between two
    tokens; the process stays usable. `running` tells after an `EngineFailedError` whether the process is still
    there (a refused option leaves it, a crash does not). Whatever happened, call `close` in the end.
    """

    @property
    def pid(self) -> int:
        """The child's process id. It leads a process group of its own."""
        raise NotImplementedError

    @property
    def facts(self) -> EngineHello:
        """What the engine said of itself when it started."""
        raise NotImplementedError

    @property
    def running(self) -> bool:
        """Whether the child is there to take a command."""
        raise NotImplementedError

    @classmethod
    async def start(cls, engine: str, python: str = "", *, silence_seconds: float = 120.0) -> "EngineProcess":
        """Start an engine and wait until it has said what it is.

        Args:
            engine: a name in the registry, or the path of a program that speaks the protocol.
            python: the interpreter that has the engine; empty, the agent's own.
            silence_seconds: how long the child may say nothing before it counts as hung.

        Raises:
            EngineFailedError: no such engine, not installed, another protocol or clock, or no hello in time.
        """
        raise NotImplementedError

    async def load(
        self,
        model_path: str,
        options: Mapping[str, str],
        context_tokens: int,
        seed: int,
        *,
        silence_seconds: float = 1800.0,
    ) -> EngineLoaded:
        """Load a model with room for ``context_tokens``; ``seed`` chooses the token ids that will be fed.

        Raises:
            EngineFailedError: the engine does not know an option, rejects the file, runs out of memory, or dies.
        """
        raise NotImplementedError

    async def warm_up(self, step: Step, *, silence_seconds: float = 900.0) -> None:
        """Run the step once, untimed: its whole prompt, then a few tokens.

        Raises:
            EngineFailedError: the engine failed.
        """
        raise NotImplementedError

    async def run_step(
        self, step: Step, on_tokens: Callable[[int], None], *, silence_seconds: float = 900.0
    ) -> tuple[RequestTimes, ...]:
        """Run the step once and return its requests: one, or one for each turn of a chat.

        ``on_tokens`` is called about twice a second with the number of tokens since the last call: decoded
        tokens, or in a prefill step the prompt's once it is processed.

        Raises:
            EngineFailedError: the engine failed.
        """
        raise NotImplementedError

    @property
    def requests_so_far(self) -> tuple[RequestTimes, ...]:
        """Requests of the latest step as far as their times have arrived; what remains of one that was cut.

        A request that was cut ends with its last known time, and is left out if no token of it is known.
        """
        raise NotImplementedError

    async def unload(self, *, silence_seconds: float = 120.0) -> None:
        """Give the model's memory back. Another may be loaded then.

        Raises:
            EngineFailedError: the engine failed.
        """
        raise NotImplementedError

    async def close(self) -> None:
        """End the child: ask it, then terminate it, then kill it. It has ended and is reaped on return."""
        raise NotImplementedError

    def kill(self) -> None:
        """End the child and everything it started, now. Call `close` afterwards to reap it."""
        raise NotImplementedError
