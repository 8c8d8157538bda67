"""What an engine's child process says, as values. `docs/engine-protocol.md` defines every field."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOption:
    """An option that the engine knows.

    ``kind`` is one of ``integer``, ``boolean`` and ``choice``. ``default`` is what is in force when the option
    is not given. ``choices`` are the words of a choice.
    """

    name: str
    kind: str
    default: str
    help: str = ""
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCapabilities:
    """What an engine can do.

    ``token_steps``: it processes the tokens that it is told to, one at a time where asked. ``logits``: it can
    give the logits of a token. ``parallel_sequences``: how many requests it can decode together.
    ``prefix_reuse``: a later turn of a chat does not process the earlier ones again.
    """

    token_steps: bool
    logits: bool
    parallel_sequences: int
    prefix_reuse: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineHello:
    """An engine's first message: what it is and what it can do."""

    protocol: int
    engine: str
    version: str
    build: str
    clock: str
    monotonic_ns: int
    capabilities: EngineCapabilities
    options: tuple[EngineOption, ...] = ()
    python_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineLoaded:
    """A model is loaded and ready for its first token.

    ``page_cache_ratio`` is the share of the file that was in the page cache before. The bytes are what the
    engine says of its memory. ``None`` where it does not tell. ``options`` are those in force, defaults included.
    """

    load_seconds: float
    options: dict[str, str] = field(default_factory=dict)
    page_cache_ratio: float | None = None
    weights_bytes: int | None = None
    kv_cache_bytes: int | None = None
    compute_bytes: int | None = None


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
