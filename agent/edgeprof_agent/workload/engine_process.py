"""An engine in a child process, as the agent sees it."""

import sys
from collections.abc import Callable, Mapping, Sequence
from time import monotonic_ns

from edgeprof.plan import Step, StepKind
from edgeprof.task_set import ANSWER_TOKENS
from edgeprof_agent.workload.engine_child import EngineChild
from edgeprof_agent.workload.engine_launch import find_launch
from edgeprof_agent.workload.engine_messages import (
    AnswersTold,
    Cancelled,
    Done,
    EngineFailedError,
    EngineHello,
    EngineLoaded,
    Message,
    NextTokensTold,
    ProtocolError,
    Refused,
    RequestTimes,
    TextScoreTold,
)
from edgeprof_agent.workload.engine_requests import RequestCollector
from edgeprof_agent.workload.server_config import ServerConfig

__all__ = ["EngineFailedError", "EngineHello", "EngineLoaded", "EngineProcess", "RequestTimes"]

PROTOCOL_VERSION = 1
# What time.monotonic_ns() reads: https://docs.python.org/3/library/time.html#time.monotonic
CLOCK = "CLOCK_UPTIME_RAW" if sys.platform == "darwin" else "CLOCK_MONOTONIC"


class EngineProcess:
    """An engine in a child process: started, loaded, stepped, closed.

    One command runs at a time. Cancelling the task that awaits a command cancels the command, between two
    tokens; the process stays usable. `running` tells after an `EngineFailedError` whether the process is still
    there (a refused option leaves it, a crash does not). Whatever happened, call `close` in the end.
    """

    def __init__(self, child: EngineChild, facts: EngineHello) -> None:
        self._child = child
        self._facts = facts
        self._collector: RequestCollector | None = None
        self._command_id = 0
        self._model_pid: int | None = None

    @property
    def pid(self) -> int:
        """The child's process id. It leads a process group of its own."""
        return self._child.pid

    @property
    def workload_pid(self) -> int | None:
        """The process that computes, whose memory and time are the model's.

        That is the child, or the server that it talks to; ``None`` while there is none, or if it is not known.
        """
        return self._child.pid if self._facts.capabilities.own_process else self._model_pid

    @property
    def facts(self) -> EngineHello:
        """What the engine said of itself when it started."""
        return self._facts

    @property
    def running(self) -> bool:
        """Whether the child is there to take a command."""
        return self._child.running

    @classmethod
    async def start(
        cls,
        engine: str,
        python: str = "",
        servers: Mapping[str, ServerConfig] | None = None,
        *,
        launcher: Sequence[str] = (),
        silence_seconds: float = 120.0,
    ) -> "EngineProcess":
        """Start an engine and wait until it has said what it is.

        Args:
            engine: a name in the registry or of a server, or the path of a program that speaks the protocol.
            python: the interpreter that has the engine; empty, the agent's own.
            servers: those of the device's configuration.
            launcher: what goes before its command, such as what puts it into a control group.
            silence_seconds: how long the child may say nothing before it counts as hung.

        Raises:
            EngineFailedError: there is no such engine, it is not installed, speaks another version of the
                protocol or reads another clock, or said nothing in time.
        """
        launch = find_launch(engine, python, servers or {})
        before_ns = monotonic_ns()
        child = await EngineChild.start(launch._replace(arguments=(*launcher, *launch.arguments)))
        try:
            return cls(child, await _greet(child, before_ns, silence_seconds))
        except BaseException:
            child.kill()
            await child.close()
            raise

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
        command = {
            "command": "load",
            "model_path": model_path,
            "options": dict(options),
            "context_tokens": context_tokens,
            "seed": seed,
        }
        loaded = await self._exchange(command, "the load", silence_seconds)
        if not isinstance(loaded, EngineLoaded):
            raise await self._child.break_off(ProtocolError("did not say what it loaded"), "the load")
        self._model_pid = loaded.process_id
        return loaded

    async def warm_up(self, step: Step, *, prompts: Sequence[str] = (), silence_seconds: float = 900.0) -> None:
        """Run the step once, untimed: its whole prompt, then a few tokens. Of a tasks step, the first of ``prompts``.

        Raises:
            EngineFailedError: the engine failed.
        """
        command = _step_command("warm_up", step, prompts)
        await self._exchange(command, f"the warm-up of {step.name}", silence_seconds)

    async def run_step(
        self,
        step: Step,
        on_tokens: Callable[[int], None],
        *,
        prompts: Sequence[str] = (),
        silence_seconds: float = 900.0,
    ) -> tuple[RequestTimes, ...]:
        """Run the step once and return its requests: one, or one for each turn of a chat, or each sequence.

        ``prompts`` are those of a tasks step. ``on_tokens`` is called about once a second with the number of tokens
        since the last call: decoded tokens, or in a prefill step the prompt's once it is processed.

        Raises:
            EngineFailedError: the engine failed.
        """
        kept_tokens = (step.prompt_tokens + step.decode_tokens) * step.top_count
        together = step.kind is StepKind.PARALLEL
        collector = RequestCollector(
            on_tokens,
            together=together,
            kept_tokens=kept_tokens,
            most_windows=step.windows,
            prompts=len(prompts),
        )
        await self._exchange(_step_command("step", step, prompts), step.name, silence_seconds, collector)
        return collector.requests()

    @property
    def requests_so_far(self) -> tuple[RequestTimes, ...]:
        """Requests of the latest command, if it was a step, as far as their times have arrived.

        This is what remains of a step that was cut. A request that was cut ends with its last known time, and is
        left out if no token of it is known.
        """
        return self._collector.requests() if self._collector else ()

    @property
    def next_tokens(self) -> NextTokensTold | None:
        """What the latest command kept, if it was a fidelity step that came to its end."""
        return self._collector.next_tokens if self._collector else None

    @property
    def text_score(self) -> TextScoreTold | None:
        """What the latest command found, if it was a perplexity step that came to its end."""
        return self._collector.text_score if self._collector else None

    @property
    def answers(self) -> AnswersTold | None:
        """What the latest command was answered, if it was a tasks step that came to its end."""
        return self._collector.answers if self._collector else None

    async def unload(self, *, silence_seconds: float = 120.0) -> None:
        """Give the model's memory back. Another may be loaded then.

        Raises:
            EngineFailedError: the engine failed.
        """
        self._model_pid = None
        await self._exchange({"command": "unload"}, "the unload", silence_seconds)

    async def close(self) -> None:
        """End the child: ask it, then terminate it, then kill it. It has ended and is reaped on return."""
        if self.running:
            self._child.send({"command": "cancel", "id": self._command_id})
            self._child.send({"command": "close", "id": self._command_id + 1})
        await self._child.close()

    def kill(self) -> None:
        """End the child and everything it started, now. Call `close` afterwards to reap it."""
        self._child.kill()

    async def _exchange(
        self,
        command: Mapping[str, object],
        doing: str,
        silence_seconds: float,
        collector: RequestCollector | None = None,
    ) -> Message:
        """Send a command, collect what comes in the course of it, and return the message that ends it."""
        if not self.running:
            raise EngineFailedError(self._child.cause or f"the engine ended before {doing}")
        self._command_id += 1
        command_id = self._command_id
        self._collector = collector
        self._child.send({**command, "id": command_id})
        try:
            message = await self._await_end(command_id, doing, silence_seconds, collector)
        except BaseException:
            if self.running:
                self._child.send({"command": "cancel", "id": command_id})
            raise
        if isinstance(message, Refused):
            raise EngineFailedError(message.cause)
        if isinstance(message, Cancelled):
            raise EngineFailedError(f"{doing} was cancelled")
        return message

    async def _await_end(
        self, command_id: int, doing: str, silence_seconds: float, collector: RequestCollector | None
    ) -> Message:
        while True:
            answered_id, message = await self._child.read(doing, silence_seconds)
            if answered_id < command_id:
                continue  # it belongs to a command that was cancelled
            try:
                if _ends(answered_id == command_id, message, collector):
                    return message
            except ProtocolError as error:
                raise await self._child.break_off(error, doing) from error


def _ends(asked: bool, message: Message, collector: RequestCollector | None) -> bool:
    """Take one message in the course of a command; return whether it is the last."""
    if not asked:
        raise ProtocolError("answered a command that it was not sent")
    if isinstance(message, Refused | Cancelled | EngineLoaded):
        return True
    if isinstance(message, Done):
        if collector:
            collector.check_complete()
        return True
    if collector is None:
        raise ProtocolError(f"sent {type(message).__name__}, which was not asked for")
    collector.accept(message)
    return False


async def _greet(child: EngineChild, before_ns: int, silence_seconds: float) -> EngineHello:
    """Read a child's first message and see that it may be used."""
    _, message = await child.read("start", silence_seconds)
    after_ns = monotonic_ns()
    if isinstance(message, Refused):
        raise EngineFailedError(message.cause)
    if not isinstance(message, EngineHello):
        wrong = "did not say hello"
    elif message.protocol != PROTOCOL_VERSION:
        wrong = f"speaks version {message.protocol} of the protocol, not {PROTOCOL_VERSION}"
    elif message.clock != CLOCK:
        wrong = f"reads the clock {message.clock}, not {CLOCK}"
    elif not before_ns <= message.monotonic_ns <= after_ns:
        wrong = f"has another {CLOCK}: {message.monotonic_ns} is not between {before_ns} and {after_ns}"
    else:
        return message
    raise await child.break_off(ProtocolError(wrong), "start")


def _step_command(name: str, step: Step, prompts: Sequence[str]) -> dict[str, object]:
    return {
        "command": name,
        "kind": step.kind.value,
        "prompt_tokens": step.prompt_tokens,
        "depth_tokens": step.depth_tokens,
        "decode_tokens": ANSWER_TOKENS if prompts else step.decode_tokens,
        "turns": step.turns,
        "top_count": step.top_count,
        "sequences": step.sequences,
        "rows": step.rows,
        "text": step.text,
        "windows": step.windows,
        "prompts": list(prompts),
    }
