"""Tells one webhook of the ends of jobs, in their order, until it has taken each."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from edgeprof.errors import EdgeprofError
from edgeprof_collector.jobs.bell import Bell
from edgeprof_collector.store.errors import StoreError
from edgeprof_collector.store.protocol import Store
from edgeprof_collector.store.records import JobEnd
from edgeprof_collector.webhooks.config import Webhook, read_secret
from edgeprof_collector.webhooks.notice import Notice, notice_of

_log = logging.getLogger(__name__)

_PAGE = 100
_STORE_PATIENCE_SECONDS = 60.0
_GONE = 410  # by Standard Webhooks: the endpoint wants no more


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds between attempts: doubled from one to the next, less up to half at random."""

    first_seconds: float = 1.0
    longest_seconds: float = 900.0

    def seconds(self, attempt: int) -> float:
        """How long to wait after the ``attempt``-th failure in a row."""
        longest = min(self.first_seconds * 2.0 ** min(attempt - 1, 30), self.longest_seconds)
        return longest * random.uniform(0.5, 1.0)


class WebhookSender:
    """At least once, in order: the cursor moves when the webhook has answered that it has it.

    Args:
        webhook: whom to tell.
        store: what has ended, and how far the webhook is.
        backoff: how long to wait after failures.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        webhook: Webhook,
        store: Store,
        backoff: Backoff | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._webhook = webhook
        self._triggers = store.triggers
        self._backoff = backoff or Backoff()
        self._clock = clock
        self._bell = Bell()

    def job_ended(self) -> None:
        """There may be something to tell."""
        self._bell.ring()

    async def run(self) -> None:
        """Tell what has ended, until cancelled."""
        async with httpx.AsyncClient(timeout=self._webhook.timeout_seconds) as http:
            while True:
                try:
                    await self._tell_all(http)
                    patience_seconds = None
                except StoreError as error:
                    _log.error("%s; webhook %s waits", error, self._webhook.known_as)
                    patience_seconds = _STORE_PATIENCE_SECONDS
                await self._bell.wait(patience_seconds)

    async def _tell_all(self, http: httpx.AsyncClient) -> None:
        name = self._webhook.known_as
        position = await asyncio.to_thread(self._triggers.webhook_position, name)
        while ends := await asyncio.to_thread(self._triggers.jobs_ended_after, position, _PAGE):
            for end in ends:
                await self._tell(http, end)
                position = end.position
                await asyncio.to_thread(self._triggers.move_webhook, name, position)

    async def _tell(self, http: httpx.AsyncClient, end: JobEnd) -> None:
        """Tell of one end until it is taken, or too old to be told."""
        notice, attempt = notice_of(end), 0
        give_up_seconds = end.job.updated_wall_ns / 1e9 + self._webhook.give_up_hours * 3600
        while fault := await self._attempt(http, notice):
            attempt += 1
            if self._clock() > give_up_seconds:
                _log.error(
                    "webhook %s was never told of the end of job %s: %s", self._webhook.known_as, end.job.job_id, fault
                )
                return
            if attempt == 1:
                _log.warning("webhook %s: %s; trying again", self._webhook.known_as, fault)
            await asyncio.sleep(self._backoff.seconds(attempt))

    async def _attempt(self, http: httpx.AsyncClient, notice: Notice) -> str:
        """Send it once. Return why it was not taken, empty if it was."""
        try:
            headers = notice.headers(read_secret(self._webhook.secret_file), int(self._clock()))
            answer = await http.post(self._webhook.url, content=notice.body, headers=headers)
        except EdgeprofError as error:
            return str(error)
        except httpx.TimeoutException:
            return f"no answer within {self._webhook.timeout_seconds:g} s"
        except httpx.HTTPError as error:
            return str(error) or type(error).__name__
        return "" if answer.is_success or answer.status_code == _GONE else f"it answers {answer.status_code}"
