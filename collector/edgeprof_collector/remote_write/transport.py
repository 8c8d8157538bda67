"""One request to a destination, and what its answer means."""

import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from pathlib import Path

import httpx

import edgeprof
from edgeprof_collector.remote_write.destination import RemoteWrite

_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
    "User-Agent": f"edgeprof/{edgeprof.__version__}",
}

# Answers that speak of what was sent: sent again, it would be refused again. Those that speak of who sends and where
# to, as 401 and 404 do, are for a person to put right; the data waits in the store meanwhile.
_OF_CONTENT = frozenset({400, 409, 413, 415, 422})

# What Prometheus 2.42 says, with status 500, of a sample older than its out-of-order window; it will never take it.
_TOO_OLD = "too old sample"

_REASON_CHARACTERS = 300
_LONGEST_WAIT_SECONDS = 3600.0


class Outcome(Enum):
    """What became of a request."""

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Answer:
    """A destination's answer. ``status`` is 0 when there was none; ``retry_after_seconds`` is what it asked for."""

    outcome: Outcome
    status: int = 0
    reason: str = ""
    retry_after_seconds: float = 0.0


class Transport:
    """The HTTP connection to one destination."""

    def __init__(self, destination: RemoteWrite) -> None:
        self._destination = destination
        verify = ssl.create_default_context(cafile=destination.ca_file) if destination.ca_file else True
        self._http = httpx.AsyncClient(timeout=destination.timeout_seconds, verify=verify)

    async def post(self, body: bytes) -> Answer:
        """Send one request. Whatever goes wrong on the way is an answer too."""
        to = self._destination
        try:
            headers, auth = self._credentials()
        except OSError as error:
            return Answer(Outcome.LATER, reason=f"{error.filename} cannot be read: {error.strerror}")
        headers |= to.headers | _HEADERS
        try:
            async with self._http.stream("POST", to.url, content=body, headers=headers, auth=auth) as response:
                return await _judge(response)
        except httpx.TimeoutException:
            return Answer(Outcome.LATER, reason=f"no answer within {to.timeout_seconds:g} s")
        except httpx.HTTPError as error:
            return Answer(Outcome.LATER, reason=str(error) or type(error).__name__)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._http.aclose()

    def _credentials(self) -> tuple[dict[str, str], httpx.BasicAuth | None]:
        """Read anew each time, so that a token may be replaced while the collector runs."""
        to = self._destination
        if to.basic_auth:
            return {}, httpx.BasicAuth(to.basic_auth.username, _secret(to.basic_auth.password_file))
        if to.bearer_token_file:
            return {"Authorization": f"Bearer {_secret(to.bearer_token_file)}"}, None
        return {}, None


async def _judge(response: httpx.Response) -> Answer:
    status = response.status_code
    if response.is_success:
        return Answer(Outcome.TAKEN, status)
    reason = f"{status} {response.reason_phrase}: {await _first_line(response)}".rstrip(": ")
    if status in _OF_CONTENT or _TOO_OLD in reason:
        return Answer(Outcome.REFUSED, status, reason)
    return Answer(Outcome.LATER, status, reason, _retry_after_seconds(response.headers.get("Retry-After", "")))


async def _first_line(response: httpx.Response) -> str:
    """The first line of what the destination says, as far as it is worth a line in a log."""
    async for chunk in response.aiter_bytes(_REASON_CHARACTERS):
        text = chunk.decode(errors="replace").strip().partition("\n")[0]
        return "".join(character for character in text if character.isprintable())
    return ""


def _retry_after_seconds(text: str) -> float:
    """How long the header asks to wait: seconds or a date, RFC 9110 section 10.2.3; 0 if it says neither."""
    try:
        seconds = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - time.time()
    except ValueError:
        return 0.0
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)


def _secret(file: str) -> str:
    return Path(file).read_text(encoding="utf-8").strip()
