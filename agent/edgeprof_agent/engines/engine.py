"""What an engine has to be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Mapping, NamedTuple, Sequence

if TYPE_CHECKING:
    from .options import Option, OptionValue
    from .recorder import Recorder


class EngineError(Exception):
    """Something the engine refuses or fails at. Its text is one line: the cause, then the way out."""


def in_one_line(error: Exception) -> str:
    """What a library's error says, fit to stand in an `EngineError`; its type where it says nothing."""
    return " ".join(str(error).split())[:300] or type(error).__name__


class Capabilities(NamedTuple):
    """What an engine can do; `docs/engine-protocol.md` says what each promises."""

    token_steps: bool
    logits: bool
    parallel_sequences: int
    prefix_reuse: bool
    token_times: bool = True
    step_kinds: Sequence[str] = ("prefill", "decode", "chat")
    exact_counts: bool = True
    own_process: bool = True
    loads_model: bool = True


class Step(NamedTuple):
    """One kind of work: ``kind`` is one of the ``step_kinds`` that engines name.

    ``top_count`` is how many next tokens a fidelity step keeps after each token, ``sequences`` how many a parallel step
    decodes together, ``rows`` how many tokens a rows step feeds in each call, ``windows`` how many windows of the file
    ``text`` a perplexity step reads at most, ``prompts`` what a tasks step has the model go on with; all are 0 or empty
    in other steps.
    """

    kind: str
    prompt_tokens: int
    depth_tokens: int
    decode_tokens: int
    turns: int
    top_count: int = 0
    sequences: int = 0
    rows: int = 0
    text: str = ""
    windows: int = 0
    prompts: Sequence[str] = ()


class Loaded(NamedTuple):
    """Memory of a loaded model by kind, in bytes; ``None`` where the engine does not tell.

    ``load_seconds`` is told by an engine whose call took longer than the load; ``None``: as long as the call.
    ``process_id`` is the process that holds the model, of an engine that does not itself; ``None`` if not known.
    """

    options: Mapping[str, str]
    weights_bytes: int | None
    kv_cache_bytes: int | None
    compute_bytes: int | None
    load_seconds: float | None = None
    process_id: int | None = None


class Engine(ABC):
    """An engine within the child process. Every method may raise `EngineError`; one runs at a time."""

    name: str
    version: str
    build: str
    options: Sequence[Option]
    capabilities: Capabilities | None = None
    """Of an engine that can do more or less from one start to the next; ``None``: those of its line in the registry."""

    @abstractmethod
    def load(self, path: str, options: Mapping[str, OptionValue], context_tokens: int, seed: int) -> Loaded:
        """Load a model, ready for its first token. ``options`` holds every declared option."""

    @abstractmethod
    def run(self, step: Step, recorder: Recorder) -> None:
        """Run a step and tell the recorder each request's times."""

    @abstractmethod
    def unload(self) -> None:
        """Give the model's memory back, if one is loaded."""
