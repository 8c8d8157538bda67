"""What an answer means."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from edgeprof_collector.remote_write.destination import RemoteWrite
from edgeprof_collector.remote_write.parcel import Parcel
from edgeprof_collector.remote_write.transport import Answer, Outcome, Transport
from tests.collector.remote_write.servers import free_port
from tests.collector.remote_write.small_receiver import receiver


def post(url: str) -> Answer:
    async def scenario() -> Answer:
        transport = Transport(RemoteWrite(url=url))
        try:
            return await transport.post(Parcel(()).body())
        finally:
            await transport.close()

    return asyncio.run(scenario())


def answer_to(status: int, headers: Mapping[str, str], text: str) -> Answer:
    with receiver(lambda *_: (status, headers, text)) as to:
        return post(to.url)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.TAKEN),
        (204, Outcome.TAKEN),
        (301, Outcome.LATER),
        (400, Outcome.REFUSED),
        (403, Outcome.LATER),
        (422, Outcome.REFUSED),
        (429, Outcome.LATER),
        (500, Outcome.LATER),
    ],
)
def test_statuses(status: int, outcome: Outcome) -> None:
    assert answer_to(status, {}, "").outcome is outcome


def test_prometheus_means_the_sample_when_it_says_that_it_is_too_old() -> None:
    assert answer_to(500, {}, "too old sample\n").outcome is Outcome.REFUSED


def test_the_reason_is_one_short_printable_line() -> None:
    answer = answer_to(400, {}, "too\x1b[31m old\nsecond line" + "x" * 10_000)
    assert answer.reason == "400 Bad Request: too[31m old"
    assert len(answer_to(400, {}, "x" * 10_000).reason) < 400


@pytest.mark.parametrize(
    ("text", "lowest", "highest"),
    [("7", 7, 7), ("0", 0, 0), ("99999999", 3600, 3600), ("soon", 0, 0), ("-5", 0, 0), ("", 0, 0)],
)
def test_retry_after_in_seconds(text: str, lowest: float, highest: float) -> None:
    assert lowest <= answer_to(503, {"Retry-After": text}, "").retry_after_seconds <= highest


def test_retry_after_as_a_date() -> None:
    later = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=600), usegmt=True)
    assert 500 < answer_to(429, {"Retry-After": later}, "").retry_after_seconds <= 600
    assert answer_to(429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, "").retry_after_seconds == 0


def test_nobody_there() -> None:
    answer = post(f"http://127.0.0.1:{free_port()}/write")
    assert (answer.outcome, answer.status) == (Outcome.LATER, 0)
    assert answer.reason
