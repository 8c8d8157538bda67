"""Requests to a server that is ready: what it answers, and every way in which it does not."""

from __future__ import annotations

import json
from time import monotonic_ns
from typing import Any, Callable, Mapping, NamedTuple, Sequence

from .answer import Answer
from .completion import Arrival, CompletionReader
from .conversations import Prompt
from .engine import EngineError
from .recorder import Recorder
from .server_client import ServerClient, StreamBrokenError, Watch
from .server_kinds import Api

_COMPLETIONS = "/v1/completions"
_CHAT_COMPLETIONS = "/v1/chat/completions"


class Patience(NamedTuple):
    """How long a server may be silent, in seconds: until an answer begins, and in the middle of it."""

    first_seconds: float
    next_seconds: float


class ServerSession:
    """A server with its model.

    Args:
        client: where it is.
        api: what it can do.
        model: the name by which it knows the model.
        chat: whether it is asked for chats rather than for texts to be continued.
        patience: how long it may be silent.
        death: says why the server has ended, in the course of what; empty if it has not, or is not ours.
    """

    def __init__(
        self,
        client: ServerClient,
        api: Api,
        model: str,
        *,
        chat: bool,
        patience: Patience,
        death: Callable[[str], str],
    ) -> None:
        self._client = client
        self._api = api
        self._model = model
        self._path = _CHAT_COMPLETIONS if chat else _COMPLETIONS
        self._patience = patience
        self._death = death

    def complete(
        self,
        prompt: Prompt,
        decode_tokens: int,
        recorder: Recorder,
        *,
        begun: Callable[[], None] = lambda: None,
        arrived: Callable[[Arrival], None] = lambda _: None,
        with_ids: bool = False,
        endless: bool = True,
    ) -> Answer:
        """Send a prompt and read the answer to its end.

        Args:
            prompt: what is sent, such as a conversation.
            decode_tokens: how many tokens are asked for.
            recorder: of the step; the request ends when it is cancelled.
            begun: called right before the request is sent.
            arrived: called with each event that holds tokens, as it comes.
            with_ids: have the server tell the tokens' ids, if it can.
            endless: have it go on where a text would end, if it can.

        Raises:
            EngineError: the server refused, broke off, fell silent or ended.
            StepCancelledError: the step was cancelled.
        """
        watch = Watch(
            first_seconds=self._patience.first_seconds,
            next_seconds=self._patience.next_seconds,
            given_up=lambda: recorder.cancelled,
        )
        reader = CompletionReader()
        arrivals: list[Arrival] = []

        def take(arrival: Arrival) -> None:
            arrivals.append(arrival)
            arrived(arrival)

        try:
            body = self._body(prompt, decode_tokens, with_ids=with_ids, endless=endless)
            for time_ns, piece in self._client.stream(self._path, body, watch=watch, begun=begun):
                for arrival in reader.feed(time_ns, piece):
                    take(arrival)
            for arrival in reader.close(monotonic_ns()):
                take(arrival)
        except StreamBrokenError as error:
            recorder.check()
            raise self._why_broken(error, watch, arrivals) from error
        return _answer(reader, arrivals, decode_tokens)

    def count_tokens(self, text: str) -> int:
        """Have the server count a text's tokens: where it counts them, or by the usage of a request.

        Raises:
            EngineError: it does not say.
        """
        counter = self._api.token_counter
        patience_seconds = self._patience.first_seconds
        try:
            if counter is not None:
                question = {"model": self._model, counter.field: text}
                counted = self._client.ask(counter.path, question, patience_seconds)[counter.answer]
                return int(counted) if isinstance(counted, int) else len(counted)
            request = {"model": self._model, "max_tokens": 1, **self._texts(text)}
            return int(self._client.ask(self._path, request, patience_seconds)["usage"]["prompt_tokens"])
        except (KeyError, TypeError, ValueError) as error:
            raise EngineError(f"{self._client.address} does not say how many tokens a text has") from error
        except StreamBrokenError as error:
            raise EngineError(self._death("a count of tokens") or f"{self._client.address} {error}") from error

    def _texts(self, text: str) -> Mapping[str, object]:
        if self._path == _COMPLETIONS:
            return {"prompt": text}
        return {"messages": [{"role": "user", "content": text}]}

    def _body(self, prompt: Prompt, decode_tokens: int, *, with_ids: bool, endless: bool) -> bytes:
        extra = {
            **self._api.body,
            **(self._api.endless_body if endless else {}),
            **(self._api.chat_body if with_ids else {}),
        }
        fields: dict[str, Any] = {
            "model": self._model,
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": decode_tokens,
            **{name: decode_tokens if value == "{decode_tokens}" else value for name, value in extra.items()},
            **prompt.fields(),
        }
        return json.dumps(fields, separators=(",", ":")).encode()

    def _why_broken(self, error: StreamBrokenError, watch: Watch, arrivals: Sequence[Arrival]) -> EngineError:
        tokens = sum(arrival.tokens for arrival in arrivals)
        when = f"after {tokens} tokens of its answer" if tokens else "before its first token"
        if watch.fell_silent_seconds is not None:
            return EngineError(f"{self._client.address} sent nothing for {watch.fell_silent_seconds:g} s, {when}")
        cause = self._death(f"an answer, {when}")
        return EngineError(cause or f"{self._client.address} {error}, {when}")


def _answer(reader: CompletionReader, arrivals: Sequence[Arrival], decode_tokens: int) -> Answer:
    event_tokens = [arrival.tokens for arrival in arrivals]
    total = reader.usage.completion_tokens
    if total is None:
        total = decode_tokens if reader.finish_reason == "length" else sum(event_tokens)
    return Answer(
        text="".join(arrival.text for arrival in arrivals),
        token_ids=[token for arrival in arrivals for token in arrival.token_ids],
        event_tokens=event_tokens,
        total_tokens=total,
        usage=reader.usage,
        end_ns=reader.last_ns,
    )
