"""What edgeprof knows of a kind of server: how it is started, what its API can do."""

from __future__ import annotations

from typing import Mapping, NamedTuple, Sequence

from .engine import Capabilities
from .options import Option, OptionValue, write_value


class Flag(NamedTuple):
    """How an option is said to a server: as arguments, in which ``{}`` stands for the value, or by its environment.

    An option that is not given is left to the server. ``off`` are the arguments of a boolean that is false; those of
    one that is true are ``arguments``. ``words`` are the server's words for the values where they differ.
    """

    option: Option
    arguments: Sequence[str] = ()
    off: Sequence[str] = ()
    environment: str = ""
    words: Mapping[str, str] = {}

    def write(self, value: OptionValue) -> tuple[list[str], dict[str, str]]:
        """Return the arguments and the variables that say this value."""
        text = write_value(value)
        text = self.words.get(text, text)
        arguments = self.off if value is False else self.arguments
        variables = {self.environment: text} if self.environment else {}
        return [argument.replace("{}", text) for argument in arguments], variables


class TokenCounter(NamedTuple):
    """Where a server counts a text's tokens: POST ``path`` with the text in ``field``; the answer's ``answer``.

    The answer is a number, or a list with as many elements.
    """

    path: str
    field: str
    answer: str


class Api(NamedTuple):
    """What a server's API can do besides OpenAI's.

    ``token_prompts``: a prompt may be an array of token ids. ``body``: fields that are sent with every request; the
    text ``{decode_tokens}`` stands for how many are asked for. ``endless_body``: fields that make it go on where a text
    would end, sent wherever so many tokens are wanted. ``chat_body``: fields that make it tell the ids of the
    tokens that it generates. ``prefix_reuse``: it keeps the cache of an earlier prompt that begins alike.
    ``exact_counts``: it tells how many tokens came with each event, or how many in all. ``ready_path`` answers 200
    when requests can be sent. ``failed_log`` is what it prints when it never will, of one that goes on to listen
    without a model. ``version`` is where it tells its version: a path, and the field there. ``model`` is the
    name of the model that it was started with, if that has a name of its own.
    """

    token_prompts: bool = False
    body: Mapping[str, object] = {}
    endless_body: Mapping[str, object] = {}
    chat_body: Mapping[str, object] = {}
    token_counter: TokenCounter | None = None
    prefix_reuse: bool = False
    exact_counts: bool = True
    ready_path: str = "/v1/models"
    failed_log: str = ""
    version: tuple[str, str] | None = None
    model: str = ""


class ServerKind(NamedTuple):
    """A kind of server.

    ``command`` starts it, with the placeholders ``{python}``, ``{model_path}``, ``{model_folder}``, ``{model_file}``,
    ``{context}`` and ``{port}``; without one it can only be attached. ``formats`` and ``quantisation`` are those of the
    models that it reads, as of an engine in the registry. ``package`` is the Python package whose version is the
    server's, and must not be before ``oldest_version``; ``modules`` are what it imports when ``{python}`` starts it;
    ``version_arguments`` ask its program. ``install`` says how a person gets it.
    """

    name: str
    api: Api = Api()
    command: Sequence[str] = ()
    flags: Sequence[Flag] = ()
    environment: Mapping[str, str] = {}
    formats: tuple[str, ...] = ("gguf", "safetensors")
    quantisation: str = "q4_0"
    package: str = ""
    oldest_version: str = ""
    modules: Sequence[str] = ()
    version_arguments: Sequence[str] = ()
    needs_model_name: bool = False
    install: str = ""


def capabilities_of(kind: ServerKind, *, attached: bool) -> Capabilities:
    """What a server of this kind can do; one that is attached has loaded its model already."""
    return Capabilities(
        token_steps=False,
        logits=False,
        parallel_sequences=1,
        prefix_reuse=kind.api.prefix_reuse,
        step_kinds=("prefill", "decode", "chat", "tasks"),
        exact_counts=kind.api.exact_counts,
        own_process=False,
        loads_model=not attached,
    )
