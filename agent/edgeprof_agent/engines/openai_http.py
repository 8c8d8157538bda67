"""Any server with OpenAI's API, attached where it runs or managed: started with a model and ended again.

All times are the client's: a token is there when the piece of the stream that holds it has been received.
"""

from __future__ import annotations

import sys
import time
from typing import Callable, Mapping

from .answer import Answer, corrected_counts
from .completion import Arrival
from .conversations import Conversation, Seeds, TextConversation, TextPrompt, TextWriter, TokenConversation
from .engine import Engine, EngineError, Loaded, Step
from .listener import listening_process
from .managed_server import ManagedServer, choose_port
from .options import Option, OptionValue, write_value
from .recorder import Recorder
from .served_model import refuse_what_server_cannot_read
from .server_client import ServerClient, StreamBrokenError
from .server_kinds import capabilities_of
from .server_modules import refuse_missing_or_old_modules
from .server_session import Patience, ServerSession
from .server_setup import ServerSetup, build_command, kind_of, take_setup
from .server_version import server_version

# Room for what the counts leave out: the token that begins a text, a chat's template, a text that is a little longer.
_SPARE_RATIO = 0.25
_SPARE_TOKENS = 64
_CONTEXT_MULTIPLE = 256
_UNKNOWN_VOCABULARY = 10_000

CLIENT_OPTIONS = (
    Option("api", "choice", "completions", "what is asked for", choices=("completions", "chat")),
    Option("first_token_seconds", "integer", "600", "how long the server may take to a first token", minimum=1),
    Option("stall_seconds", "integer", "60", "how long it may be silent in the middle of an answer", minimum=1),
)
MANAGED_OPTIONS = (
    Option("ready_seconds", "integer", "600", "how long the server may take to start", minimum=1),
    Option("port", "integer", "0", "where the server listens; 0: a free port", minimum=0, maximum=65535),
)


class OpenAiHttp(Engine):
    """A server, and requests to it, one after the other."""

    def __init__(self, setup: ServerSetup) -> None:
        kind = kind_of(setup)
        refuse_missing_or_old_modules(kind)
        self._setup = setup
        self._kind = kind
        self.name = setup.name
        self.version = server_version(kind, setup)
        self.build = f"{kind.name} at {setup.address}" if setup.attached else " ".join(kind.command)
        self.capabilities = capabilities_of(kind, attached=setup.attached)
        own = () if setup.attached else (*(flag.option for flag in kind.flags), *MANAGED_OPTIONS)
        self.options = (*own, *CLIENT_OPTIONS)
        self._server: ManagedServer | None = None
        self._client: ServerClient | None = None
        self._session: ServerSession | None = None
        self._new_conversation: Callable[[], Conversation] | None = None
        self._seeds = Seeds(0)
        self._chat = False

    def load(self, path: str, options: Mapping[str, OptionValue], context_tokens: int, seed: int) -> Loaded:
        """Start the server and wait until it is ready; or find the one that runs already.

        Raises:
            EngineError: it does not start, does not become ready, or does not answer a first request.
        """
        self._seeds = Seeds(seed, given=_milliseconds_since_boot() if self._setup.attached else 0)
        try:
            process_id = self._attach() if self._setup.attached else self._start(path, options, context_tokens)
            self._open_session(options)
        except BaseException:
            self.unload()
            raise
        in_force = {name: write_value(value) for name, value in options.items() if value != ""}
        return Loaded(in_force, None, None, None, process_id=process_id)

    def unload(self) -> None:
        """End the server if it is ours, and let go of it."""
        self._session = None
        if self._client is not None:
            self._client.close()
            self._client = None
        if self._server is not None:
            self._server.stop()
            self._server = None

    def run(self, step: Step, recorder: Recorder) -> None:
        """Run a step. The context up to its depth is sent before any clock is read, so that the server has it."""
        if self._session is None:
            raise EngineError("no model is loaded")
        if step.kind == "tasks":
            self._ask(step, self._session, recorder)
            return
        conversation = self._fill(step.depth_tokens, recorder)
        if step.kind == "prefill":
            self._prefill(step, conversation, recorder)
        elif step.kind == "decode":
            self._decode(step, conversation, recorder)
        else:
            for turn in range(step.turns):
                self._turn(step, turn, conversation, recorder)

    def _prefill(self, step: Step, conversation: Conversation, recorder: Recorder) -> None:
        """A request for one token: its time has the sampling of that token in it, and the way there and back."""
        known = conversation.tokens
        conversation.extend(step.prompt_tokens, self._seeds.fresh())
        begun = _beginner(recorder, step, conversation, known)
        answer = self._complete(conversation, 1, recorder, begun=begun)
        recorder.prefill_end(answer.end_ns)
        recorder.end(**self._prompt_facts(step, answer, conversation, known))

    def _decode(self, step: Step, conversation: Conversation, recorder: Recorder) -> None:
        """A request for all tokens. The first of them follows from the prompt, which has one token at least."""
        if not conversation.tokens:
            conversation.extend(1, self._seeds.of_depth)
        answer = self._complete(
            conversation,
            step.decode_tokens,
            recorder,
            begun=lambda: recorder.begin(prompt_tokens=0, reused_tokens=0, depth_tokens=conversation.tokens),
            arrived=lambda arrival: recorder.token(arrival.tokens, arrival.time_ns),
        )
        depth_tokens = conversation.tokens if answer.usage.prompt_tokens is None else answer.usage.prompt_tokens
        recorder.end(depth_tokens=depth_tokens, **corrected_counts(answer))

    def _turn(self, step: Step, turn: int, conversation: Conversation, recorder: Recorder) -> None:
        """One turn of a chat: the whole conversation is sent, and the server reuses what it has of it."""
        known = conversation.tokens
        conversation.extend(step.prompt_tokens, self._seeds.fresh())
        first = True

        def arrived(arrival: Arrival) -> None:
            nonlocal first
            if first:
                recorder.prefill_end(arrival.time_ns)
                first = False
            recorder.token(arrival.tokens, arrival.time_ns)

        answer = self._complete(
            conversation,
            step.decode_tokens,
            recorder,
            begun=_beginner(recorder, step, conversation, known),
            arrived=arrived,
            with_ids=turn + 1 < step.turns,
        )
        recorder.end(**self._prompt_facts(step, answer, conversation, known), **corrected_counts(answer))
        conversation.add_answer(answer)

    def _ask(self, step: Step, session: ServerSession, recorder: Recorder) -> None:
        """A request for each prompt, whose answer may end before all tokens that it is allowed."""
        recorder.begin(prompt_tokens=0, reused_tokens=0, depth_tokens=0)
        texts = []
        for prompt in step.prompts:
            asked = TextPrompt(prompt, chat=self._chat)
            try:
                answer = session.complete(asked, step.decode_tokens, recorder, endless=False)
            except EngineError:
                recorder.keep()
                raise
            texts.append(answer.text)
            recorder.token((answer.usage.prompt_tokens or 0) + answer.total_tokens)
        recorder.end()
        recorder.answers(texts)

    def _fill(self, depth_tokens: int, recorder: Recorder) -> Conversation:
        """Begin a conversation, and have the server process its first tokens."""
        assert self._new_conversation is not None
        conversation = self._new_conversation()
        if depth_tokens:
            conversation.extend(depth_tokens, self._seeds.of_depth)
            self._complete(conversation, 1, recorder)
        return conversation

    def _complete(
        self,
        conversation: Conversation,
        decode_tokens: int,
        recorder: Recorder,
        *,
        begun: Callable[[], None] = lambda: None,
        arrived: Callable[[Arrival], None] = lambda _: None,
        with_ids: bool = False,
    ) -> Answer:
        assert self._session is not None
        try:
            answer = self._session.complete(
                conversation, decode_tokens, recorder, begun=begun, arrived=arrived, with_ids=with_ids
            )
        except EngineError:
            recorder.keep()
            raise
        if not answer.event_tokens and decode_tokens > 1:
            raise EngineError(
                f"{self.name} ended its answer at once, without a token: its model takes the prompt for the end of a "
                "text; use a server that can be told to ignore that, or another model"
            )
        return answer

    def _prompt_facts(
        self, step: Step, answer: Answer, conversation: Conversation, known_tokens: int
    ) -> dict[str, object]:
        """What the prompt was, by what the server says; by what it was sent and is known to do where it does not."""
        total = conversation.tokens if answer.usage.prompt_tokens is None else answer.usage.prompt_tokens
        cached = answer.usage.cached_tokens
        if cached is None:
            cached = known_tokens if self._kind.api.prefix_reuse else 0
        cached = min(cached, total)
        depth = min(step.depth_tokens, cached)
        return {"prompt_tokens": total - depth, "reused_tokens": cached - depth, "depth_tokens": depth}

    def _attach(self) -> int | None:
        setup = self._setup
        self._client = ServerClient(setup.address.rstrip("/"), setup.api_key)
        return listening_process(setup.address) if setup.process_id is None else setup.process_id

    def _start(self, path: str, options: Mapping[str, OptionValue], context_tokens: int) -> int:
        refuse_what_server_cannot_read(self._kind, path)
        port = choose_port(int(options["port"]), self.name)
        room = int(context_tokens * (1 + _SPARE_RATIO)) + _SPARE_TOKENS
        command = build_command(
            self._kind,
            self._setup,
            options,
            model_path=path,
            context_tokens=-(-room // _CONTEXT_MULTIPLE) * _CONTEXT_MULTIPLE,
            port=port,
            python=sys.executable,
        )
        client = self._client = ServerClient(f"http://127.0.0.1:{port}", self._setup.api_key)
        server = self._server = ManagedServer.start(self.name, command)
        api = self._kind.api
        server.await_ready(
            lambda: client.answers(api.ready_path),
            lambda: bool(api.failed_log) and server.has_said(api.failed_log),
            float(options["ready_seconds"]),
        )
        return server.process_id

    def _open_session(self, options: Mapping[str, OptionValue]) -> None:
        """Find out what the server calls its model and how prompts are made for it, and see that it answers."""
        assert self._client is not None
        chat = self._chat = options["api"] == "chat"
        model, vocabulary_size = self._served_model(self._client)
        session = ServerSession(
            self._client,
            self._kind.api,
            model,
            chat=chat,
            patience=Patience(float(options["first_token_seconds"]), float(options["stall_seconds"])),
            death=lambda doing: self._server.death(doing) if self._server else "",
        )
        if self._kind.api.token_prompts and not chat:
            self._new_conversation = lambda: TokenConversation(vocabulary_size)
        else:
            writer = TextWriter(session.count_tokens, cheap=self._kind.api.token_counter is not None)
            self._new_conversation = lambda: TextConversation(writer, chat=chat)
        conversation = self._new_conversation()
        conversation.extend(1, self._seeds.fresh())
        session.complete(conversation, 1, Recorder(0, lambda _: None, lambda _: False))
        self._session = session

    def _served_model(self, client: ServerClient) -> tuple[str, int]:
        """The model's name, and how many tokens its vocabulary has."""
        given = self._setup.model or self._kind.api.model
        if given:
            return given, _UNKNOWN_VOCABULARY
        try:
            models = client.ask("/v1/models")["data"]
            first = models[0]
            name = str(first["id"])
        except StreamBrokenError as error:
            cause = self._server.death("its start") if self._server else ""
            raise EngineError(cause or f"{client.address} {error}: start the server, or correct 'address'") from error
        except (KeyError, IndexError, TypeError) as error:
            raise EngineError(
                f"{client.address} does not say which model it serves: give 'model' under [servers.{self.name}] in the "
                "agent's configuration"
            ) from error
        meta = first.get("meta")
        known = meta.get("n_vocab") if isinstance(meta, dict) else None
        return name, known if isinstance(known, int) else _UNKNOWN_VOCABULARY


def _milliseconds_since_boot() -> int:
    """Where seeds go on for a server that runs already: it may still have the prompts of earlier runs."""
    return time.monotonic_ns() // 1_000_000


def _beginner(recorder: Recorder, step: Step, conversation: Conversation, known_tokens: int) -> Callable[[], None]:
    """Return what begins a request, with what is expected of its prompt."""
    depth = min(step.depth_tokens, known_tokens)
    return lambda: recorder.begin(
        prompt_tokens=conversation.tokens - depth, reused_tokens=known_tokens - depth, depth_tokens=depth
    )


def open_engine() -> OpenAiHttp:
    """The engine of this file, for the server that the agent names.

    Raises:
        EngineError: none is named, or it is described wrongly.
    """
    return OpenAiHttp(take_setup())
