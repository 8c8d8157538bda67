"""From the messages of a step to the times of its requests."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from operator import sub
from time import monotonic_ns

from edgeprof_agent.workload.engine_messages import (
    AnswersTold,
    Message,
    NextTokensTold,
    ProtocolError,
    RequestBegun,
    RequestEnded,
    RequestTimes,
    TextScoreTold,
    TokensArrived,
)


@dataclass(slots=True)
class _OpenRequest:
    """A request as far as its messages have come."""

    begun: RequestBegun
    last_ns: int
    gaps_ns: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    ended: bool = False

    def correct(self, end: RequestEnded) -> None:
        """Take over what the end of the request knows better than its beginning."""
        known = {
            name: value
            for name in ("prompt_tokens", "reused_tokens", "depth_tokens")
            if (value := getattr(end, name)) is not None
        }
        self.begun = replace(self.begun, **known)
        _check_reuse(self.begun)
        if end.counts is not None:
            if len(end.counts) != len(self.gaps_ns):
                raise ProtocolError(f"sent {len(end.counts)} counts in the end for {len(self.gaps_ns)} token events")
            self.counts = list(end.counts)

    def times(self) -> RequestTimes:
        return RequestTimes(
            index=self.begun.index,
            prompt_tokens=self.begun.prompt_tokens,
            reused_tokens=self.begun.reused_tokens,
            depth_tokens=self.begun.depth_tokens,
            start_monotonic_ns=self.begun.start_monotonic_ns,
            prefill_end_monotonic_ns=self.begun.prefill_end_monotonic_ns,
            token_gaps_ns=tuple(self.gaps_ns),
            token_counts=() if set(self.counts) <= {1} else tuple(self.counts),
            end_monotonic_ns=self.last_ns,
        )


def _check_reuse(request: RequestBegun) -> None:
    if request.reused_tokens > request.prompt_tokens:
        raise ProtocolError(
            f"says that it reused {request.reused_tokens} tokens of a prompt of {request.prompt_tokens}"
        )


class RequestCollector:
    """Puts the requests of one step together, and holds their times to the protocol's rules.

    Every time lies between the sending of the step and now by this process's clock, and none goes back. Requests
    follow each other, unless all of the step's are under way ``together``. Of a fidelity step, ``kept_tokens`` is how
    many next tokens it must keep: so many for each of its tokens. Of a perplexity step, ``most_windows`` is how many
    windows it may score; of a tasks step, ``prompts`` how many answers it must have.
    """

    def __init__(
        self,
        on_tokens: Callable[[int], None],
        *,
        together: bool = False,
        kept_tokens: int = 0,
        most_windows: int = 0,
        prompts: int = 0,
    ) -> None:
        self._on_tokens = on_tokens
        self._together = together
        self._uncounted_tokens = 0
        self._kept_tokens = kept_tokens
        self._next_tokens: NextTokensTold | None = None
        self._most_windows = most_windows
        self._text_score: TextScoreTold | None = None
        self._prompts = prompts
        self._answers: AnswersTold | None = None
        self._sent_ns = monotonic_ns()
        self._requests: list[_OpenRequest] = []

    def accept(self, message: Message) -> None:
        """Take one message of the step.

        Raises:
            ProtocolError: it does not fit those before it.
        """
        if isinstance(message, RequestBegun):
            self._begin(message)
        elif isinstance(message, TokensArrived):
            self._add(message)
        elif isinstance(message, RequestEnded):
            self._end(message)
        elif isinstance(message, NextTokensTold):
            self._keep(message)
        elif isinstance(message, TextScoreTold):
            self._keep_score(message)
        elif isinstance(message, AnswersTold):
            self._keep_answers(message)
        else:
            raise ProtocolError(f"sent {type(message).__name__} in the middle of a step")

    def requests(self) -> tuple[RequestTimes, ...]:
        """All requests that have ended, and what is known of one that has not, if that is a token at least."""
        return tuple(request.times() for request in self._requests if request.ended or request.gaps_ns)

    @property
    def next_tokens(self) -> NextTokensTold | None:
        """What a fidelity step has kept, once it has told."""
        return self._next_tokens

    @property
    def text_score(self) -> TextScoreTold | None:
        """What a perplexity step has found, once it has told."""
        return self._text_score

    @property
    def answers(self) -> AnswersTold | None:
        """What a tasks step was answered, once it has told."""
        return self._answers

    def check_complete(self) -> None:
        """Check that the step may end here.

        Raises:
            ProtocolError: it had no request, or one has not ended, or it has not told what it was to keep.
        """
        if not self._requests or not all(request.ended for request in self._requests):
            raise ProtocolError("ended a step before its request")
        if self._kept_tokens and self._next_tokens is None:
            raise ProtocolError("ended a fidelity step without its next tokens")
        if self._most_windows and self._text_score is None:
            raise ProtocolError("ended a perplexity step without its score")
        if self._prompts and self._answers is None:
            raise ProtocolError("ended a tasks step without its answers")

    def _keep(self, message: NextTokensTold) -> None:
        if self._next_tokens is not None or not self._kept_tokens:
            raise ProtocolError("sent next tokens that were not asked for")
        for values in (message.token_ids, message.log_probabilities):
            if len(values) != self._kept_tokens:
                raise ProtocolError(f"sent {len(values)} next tokens where {self._kept_tokens} were asked for")
        self._next_tokens = message

    def _keep_score(self, message: TextScoreTold) -> None:
        if self._text_score is not None or not self._most_windows:
            raise ProtocolError("sent the score of a text that was not asked for")
        if len(message.window_nats) > self._most_windows:
            raise ProtocolError(
                f"sent {len(message.window_nats)} windows where {self._most_windows} at most were asked for"
            )
        self._text_score = message

    def _keep_answers(self, message: AnswersTold) -> None:
        if self._answers is not None or not self._prompts:
            raise ProtocolError("sent answers that were not asked for")
        if len(message.texts) != self._prompts:
            raise ProtocolError(f"sent {len(message.texts)} answers to {self._prompts} prompts")
        self._answers = message

    def _begin(self, message: RequestBegun) -> None:
        under_way = bool(self._requests) and not self._requests[-1].ended
        if message.index != len(self._requests) or (under_way and not self._together):
            raise ProtocolError(f"began request {message.index} out of order")
        _check_reuse(message)
        follows_another = bool(self._requests) and not self._together
        _check_time(self._requests[-1].last_ns if follows_another else self._sent_ns, message.start_monotonic_ns)
        if message.prefill_end_monotonic_ns:
            _check_time(message.start_monotonic_ns, message.prefill_end_monotonic_ns)
        self._requests.append(_OpenRequest(message, message.start_monotonic_ns))

    def _add(self, message: TokensArrived) -> None:
        request = self._open(message.index)
        if message.first_event != len(request.gaps_ns):
            raise ProtocolError(f"sent token event {message.first_event} where {len(request.gaps_ns)} comes next")
        counts = message.counts or (1,) * len(message.times_monotonic_ns)
        if len(counts) != len(message.times_monotonic_ns):
            raise ProtocolError(f"sent {len(counts)} counts for {len(message.times_monotonic_ns)} token times")
        if times_ns := message.times_monotonic_ns:
            gaps_ns = list(map(sub, times_ns, (request.last_ns, *times_ns)))
            _check_gap(min(*gaps_ns, times_ns[0] - request.begun.prefill_end_monotonic_ns))
            _check_past(times_ns[-1])
            request.gaps_ns += gaps_ns
            request.counts += counts
            request.last_ns = times_ns[-1]
        self._count(message.index, sum(counts))

    def _end(self, message: RequestEnded) -> None:
        request = self._open(message.index)
        _check_time(max(request.last_ns, request.begun.prefill_end_monotonic_ns), message.end_monotonic_ns)
        request.last_ns = message.end_monotonic_ns
        request.correct(message)
        request.ended = True
        if not request.gaps_ns:
            self._count(message.index, request.begun.prompt_tokens - request.begun.reused_tokens)

    def _count(self, index: int, tokens: int) -> None:
        """Tell of tokens, once for all requests that are under way together: when the last of them has told."""
        self._uncounted_tokens += tokens
        if index == len(self._requests) - 1:
            self._on_tokens(self._uncounted_tokens)
            self._uncounted_tokens = 0

    def _open(self, index: int) -> _OpenRequest:
        known = index < len(self._requests) if self._together else index == len(self._requests) - 1
        if not known or self._requests[index].ended:
            raise ProtocolError(f"spoke of request {index}, which is not under way")
        return self._requests[index]


def _check_time(not_before_ns: int, time_ns: int) -> None:
    _check_gap(time_ns - not_before_ns)
    _check_past(time_ns)


def _check_past(time_ns: int) -> None:
    if time_ns > (now_ns := monotonic_ns()):
        raise ProtocolError(f"gave a time that is {time_ns - now_ns} ns in the future")


def _check_gap(gap_ns: int) -> None:
    if gap_ns < 0:
        raise ProtocolError(f"gave a time that is {-gap_ns} ns before the one it follows")
