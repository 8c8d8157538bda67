"""Keeps the time of every token of a request, and sends the times on in batches."""

from __future__ import annotations

from time import monotonic_ns
from typing import Any, Callable, Mapping, Sequence

from .next_tokens import NextTokens

FLUSH_INTERVAL_NS = 1_000_000_000
FLUSH_EVENTS = 4096


class StepCancelledError(Exception):
    """The parent has cancelled the step."""


class Recorder:
    """The times of one step's requests: for each `begin`, then `prefill_end`, `token` ..., and `end`.

    `begin`, `prefill_end` and `token` read the clock, unless a time is given: the caller has synchronised with its
    device. A batch is sent about once a second between two tokens, and when a request ends, so that the parent is
    not woken for each token.
    """

    def __init__(
        self,
        step_id: int,
        send: Callable[[Mapping[str, Any]], None],
        is_cancelled: Callable[[int], bool],
        first_index: int = 0,
    ) -> None:
        self._step_id = step_id
        self._send = send
        self._is_cancelled = is_cancelled
        self._index = first_index - 1
        self._request: dict[str, int] = {}
        self._request_sent = False
        self._times_ns: list[int] = []
        self._counts: list[int] = []
        self._events_sent = 0
        self._last_ns = 0
        self._flush_at_ns = 0

    @property
    def cancelled(self) -> bool:
        """Whether the parent has cancelled the step. May be asked from any thread."""
        return self._is_cancelled(self._step_id)

    def split(self, count: int) -> list[Recorder]:
        """A recorder for each of ``count`` requests of the step that are under way together."""
        return [Recorder(self._step_id, self._send, self._is_cancelled, index) for index in range(count)]

    def check(self) -> None:
        """Stop here if the step is cancelled.

        Raises:
            StepCancelledError: it is. The times up to here are sent.
        """
        if self._is_cancelled(self._step_id):
            self.keep()
            raise StepCancelledError

    def keep(self) -> None:
        """Send the times up to here: the step is about to be cut."""
        if self._times_ns:
            self._flush()

    def begin(self, *, prompt_tokens: int, reused_tokens: int, depth_tokens: int, at_ns: int | None = None) -> None:
        """A request starts, now or at the time given."""
        self._index += 1
        self._request_sent = False
        self._times_ns = []
        self._counts = []
        self._events_sent = 0
        self._request = {
            "prompt_tokens": prompt_tokens,
            "reused_tokens": reused_tokens,
            "depth_tokens": depth_tokens,
            "start_monotonic_ns": 0,
            "prefill_end_monotonic_ns": 0,
        }
        self._last_ns = self._request["start_monotonic_ns"] = monotonic_ns() if at_ns is None else at_ns
        self._flush_at_ns = self._last_ns + FLUSH_INTERVAL_NS

    def prefill_end(self, at_ns: int | None = None) -> None:
        """The prompt is processed, now or at the time given."""
        self._last_ns = self._request["prefill_end_monotonic_ns"] = monotonic_ns() if at_ns is None else at_ns

    def token(self, count: int = 1, at_ns: int | None = None) -> None:
        """One more token is there, or ``count`` of them at once, now or at the time given.

        Raises:
            StepCancelledError: the parent has cancelled the step; the token is kept.
        """
        now_ns = monotonic_ns() if at_ns is None else at_ns
        self._last_ns = now_ns
        self._times_ns.append(now_ns)
        self._counts.append(count)
        if now_ns >= self._flush_at_ns or len(self._times_ns) >= FLUSH_EVENTS:
            self._flush()
            self._flush_at_ns = now_ns + FLUSH_INTERVAL_NS
        self.check()

    def end(self, **corrections: object) -> None:
        """The request ended with its last token, or without any with its prompt.

        ``corrections`` are fields of the request, or the ``counts`` of all its events, that are known only now.
        """
        self._flush()
        self._tell("request_end", end_monotonic_ns=self._last_ns, **corrections)

    def next_tokens(self, kept: NextTokens) -> None:
        """Tell what a fidelity step has kept, once its request has ended."""
        self._send(
            {
                "type": "next_tokens",
                "id": self._step_id,
                "token_ids": kept.token_ids,
                "log_probabilities": kept.log_probabilities,
            }
        )

    def text_score(self, text_sha256: str, window_nats: Sequence[float]) -> None:
        """Tell what a perplexity step has found, once its request has ended."""
        self._send(
            {"type": "text_score", "id": self._step_id, "text_sha256": text_sha256, "window_nats": list(window_nats)}
        )

    def answers(self, texts: Sequence[str]) -> None:
        """Tell what a tasks step was answered, once its request has ended: a text for each prompt."""
        self._send({"type": "answers", "id": self._step_id, "texts": list(texts)})

    def untimed_tokens(self, *, start_ns: int, end_ns: int, prompt_tokens: int, depth_tokens: int, count: int) -> None:
        """A whole request of which only the start and the end are known.

        Either its prompt was processed then, or ``count`` tokens were decoded: none of them was there at the start,
        and all were at the end.
        """
        self.begin(prompt_tokens=prompt_tokens, reused_tokens=0, depth_tokens=depth_tokens)
        self._request["start_monotonic_ns"] = start_ns
        self._request["prefill_end_monotonic_ns"] = end_ns if prompt_tokens else 0
        self._last_ns = end_ns
        if count:
            self._tell("request", **self._request)
            self._request_sent = True
            self._tell("tokens", first_event=0, times_monotonic_ns=[start_ns, end_ns], counts=[0, count])
        self.end()

    def _flush(self) -> None:
        if not self._request_sent:
            self._tell("request", **self._request)
            self._request_sent = True
        if self._times_ns:
            counts = {} if all(count == 1 for count in self._counts) else {"counts": self._counts}
            self._tell("tokens", first_event=self._events_sent, times_monotonic_ns=self._times_ns, **counts)
            self._events_sent += len(self._times_ns)
            self._times_ns = []
            self._counts = []

    def _tell(self, kind: str, **fields: object) -> None:
        self._send({"type": kind, "id": self._step_id, "index": self._index, **fields})
