"""What engines say of themselves, and which of them a device has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOption:
    """An option that an engine knows.

    ``kind`` is one of ``integer``, ``number``, ``boolean``, ``choice`` and ``text``. ``default`` is what is in force
    when the option is not given. ``choices`` are the words of a choice.
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
    ``prefix_reuse``: a later turn of a chat does not process the earlier ones again. ``token_times``: it gives the time
    of each token, or each few, not of all together. ``step_kinds``: the kinds of steps that it runs. ``exact_counts``:
    it knows how many tokens came. ``own_process``: the model is in the child itself. ``loads_model``: it takes memory
    for the model, which does not run there already.
    """

    token_steps: bool
    logits: bool
    parallel_sequences: int
    prefix_reuse: bool
    token_times: bool = True
    step_kinds: tuple[str, ...] = ("prefill", "decode", "chat")
    exact_counts: bool = True
    own_process: bool = True
    loads_model: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineReport:
    """An engine as it was found under one interpreter of a device; a program has none, and ``python`` is empty.

    ``missing`` says in one line why it cannot be used and what would change that; empty, it can, and the rest is what
    it said of itself when it was started.
    """

    name: str
    python: str
    missing: str = ""
    version: str = ""
    build: str = ""
    python_version: str = ""
    capabilities: EngineCapabilities | None = None
    options: tuple[EngineOption, ...] = ()
