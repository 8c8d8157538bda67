"""What an engine's child process says, as values. `docs/engine-protocol.md` defines every field."""

from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from msgspec import Meta

from edgeprof.engine import EngineCapabilities, EngineOption
from edgeprof.errors import EdgeprofError

Count = Annotated[int, Meta(ge=0)]
Nanoseconds = Annotated[int, Meta(ge=0)]


class EngineFailedError(EdgeprofError):
    """The engine refused, crashed, was killed, spoke rubbish or fell silent. Its text names the cause."""


class ProtocolError(Exception):
    """The child said what the protocol does not allow. Its text completes "the engine ..."."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineHello:
    """An engine's first message: what it is and what it can do."""

    protocol: int
    engine: str
    version: str
    build: str
    clock: str
    monotonic_ns: Nanoseconds
    capabilities: EngineCapabilities
    options: tuple[EngineOption, ...] = ()
    python_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLoaded:
    """A model is loaded and ready for its first token.

    ``page_cache_ratio`` is the share of the file that was in the page cache before. The bytes are what the
    engine says of its memory. ``None`` where it does not tell. ``options`` are those in force, defaults included.
    ``process_id`` is the process that holds the model, if that is not the child.
    """

    load_seconds: float
    options: dict[str, str] = field(default_factory=dict)
    page_cache_ratio: float | None = None
    weights_bytes: int | None = None
    kv_cache_bytes: int | None = None
    compute_bytes: int | None = None
    process_id: Annotated[int, Meta(ge=1)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTimes:
    """One request to the engine, with every time that it gave; the fields are those of `edgeprof.run.Request`.

    ``prompt_tokens`` counts the whole prompt, of a chat's later turn the earlier turns too; ``reused_tokens``
    of these were in the cache already. The prompt follows ``depth_tokens`` of context that no timing includes.
    """

    index: int
    prompt_tokens: int
    reused_tokens: int
    depth_tokens: int
    start_monotonic_ns: int
    prefill_end_monotonic_ns: int
    token_gaps_ns: tuple[int, ...]
    token_counts: tuple[int, ...]
    end_monotonic_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBegun:
    """A request's facts, told before its first token times, or with its end when it has none."""

    index: Count
    prompt_tokens: Count
    reused_tokens: Count
    depth_tokens: Count
    start_monotonic_ns: Nanoseconds
    prefill_end_monotonic_ns: Nanoseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensArrived:
    """The times of a batch of token events, the first of which is event ``first_event`` of the request."""

    index: Count
    first_event: Count
    times_monotonic_ns: tuple[Nanoseconds, ...]
    counts: tuple[Count, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEnded:
    """A request has ended. What is not ``None`` was told otherwise before, and is known better now."""

    index: Count
    end_monotonic_ns: Nanoseconds
    prompt_tokens: Count | None = None
    reused_tokens: Count | None = None
    depth_tokens: Count | None = None
    counts: tuple[Count, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextTokensTold:
    """What a fidelity step has kept: the likeliest next tokens after each of its tokens, the likeliest first."""

    token_ids: tuple[Count, ...]
    log_probabilities: tuple[Annotated[float, Meta(le=0)], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextScoreTold:
    """What a perplexity step has found: of each window, the mean nats of the tokens that are scored."""

    text_sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    window_nats: Annotated[tuple[Annotated[float, Meta(ge=0)], ...], Meta(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersTold:
    """What the model wrote after each of a tasks step's prompts."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A command has ended as it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled:
    """A command has ended because it was cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A command has failed, or the engine cannot start. ``cause`` is one line for a person."""

    cause: str


Message = (
    EngineHello
    | EngineLoaded
    | RequestBegun
    | TokensArrived
    | RequestEnded
    | NextTokensTold
    | TextScoreTold
    | AnswersTold
    | Done
    | Cancelled
    | Refused
)

_KINDS: dict[str, type[Message]] = {
    "hello": EngineHello,
    "loaded": EngineLoaded,
    "request": RequestBegun,
    "tokens": TokensArrived,
    "request_end": RequestEnded,
    "next_tokens": NextTokensTold,
    "text_score": TextScoreTold,
    "answers": AnswersTold,
    "done": Done,
    "cancelled": Cancelled,
    "error": Refused,
}


def read_message(line: bytes) -> tuple[int, Message]:
    """Read a line as the id of the command that it answers (0 before the first) and what it says.

    Raises:
        ProtocolError: it is no message of the protocol.
    """
    try:
        fields = msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProtocolError(f"wrote what is no message of its protocol: {_shown(line)}") from None
    kind = _KINDS.get(str(fields.get("type")))
    if kind is None:
        raise ProtocolError(f"wrote what is no message of its protocol: {_shown(line)}")
    command_id = fields.get("id", 0 if kind in (EngineHello, Refused) else None)
    if not isinstance(command_id, int):
        raise ProtocolError(f"wrote a message without 'id': {_shown(line)}")
    try:
        return command_id, msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise ProtocolError(f"wrote a wrong message: {error}: {_shown(line)}") from error


def _shown(line: bytes) -> str:
    """The first 80 characters, with everything that is not printable escaped."""
    return ascii(line.decode(errors="replace").rstrip("\n")[:80])
