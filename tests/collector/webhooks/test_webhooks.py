"""Webhooks: signed, sent again until they are taken, in order, across restarts."""

import asyncio
import base64
import hashlib
import hmac
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from edgeprof.errors import ConfigError
from edgeprof.job import JobState
from edgeprof_collector.jobs.messages import JobRequest
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.store.sqlite import SqliteStore
from edgeprof_collector.webhooks.config import Webhook, check_webhooks, read_secret
from edgeprof_collector.webhooks.notice import Notice
from edgeprof_collector.webhooks.sender import Backoff, WebhookSender
from tests.collector.store.samples import DEVICE, PLAN
from tests.collector.webhooks.receiver import Received, Receiver, receiver

SECRET = b"0123456789abcdef0123456789abcdef"
REQUEST = JobRequest(targets=(DEVICE,), plan=PLAN, model="synth:tiny@q8_0")
QUICKLY = Backoff(first_seconds=0.01, longest_seconds=0.02)


@pytest.fixture
def secret_file(tmp_path: Path) -> str:
    path = tmp_path / "secret"
    path.write_text(f"whsec_{base64.b64encode(SECRET).decode()}\n", encoding="utf-8")
    return str(path)


def is_signed(request: Received, secret: bytes) -> bool:
    """As a receiver checks it, by the specification."""
    headers = request.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    expected = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(headers["webhook-signature"], expected)


class Hook:
    """A queue whose ends are told to a receiver, by a sender that may be ended and begun again."""

    def __init__(self, store: SqliteStore, webhook: Webhook) -> None:
        self.store = store
        self.webhook = webhook
        self.sender = WebhookSender(webhook, store, QUICKLY)
        self.queue = JobQueue(store, ended=self._ended)
        self.sending = asyncio.ensure_future(self.sender.run())

    def _ended(self) -> None:
        self.sender.job_ended()

    async def end_a_job(self) -> str:
        (job,) = await self.queue.submit(REQUEST)
        assert (await self.queue.cancel(job.job_id)).state is JobState.CANCELLED
        return job.job_id

    async def stop(self) -> None:
        self.sending.cancel()
        await asyncio.gather(self.sending, return_exceptions=True)

    async def restart(self) -> None:
        await self.stop()
        self.sender = WebhookSender(self.webhook, self.store, QUICKLY)
        self.sending = asyncio.ensure_future(self.sender.run())


async def told(one: Receiver, count: int) -> list[Received]:
    return await asyncio.to_thread(one.until, count)


async def known_to(store: SqliteStore, hook: Hook) -> None:
    """Wait until the webhook is known: it is told of what ends from then on."""
    store.triggers.webhook_position(hook.webhook.known_as)


def test_the_signature_is_that_of_the_specification() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    notice = Notice(notice_id="msg_p5jXN8AQM9LWM0D4loKWxJek", body=b'{"test": 2432232314}')
    headers = notice.headers(secret, 1614265330)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_end_of_a_job_is_told_signed_and_once(store: SqliteStore, secret_file: str) -> None:
    async def scenario(one: Receiver) -> None:
        hook = Hook(store, Webhook(url=one.url, secret_file=secret_file))
        await known_to(store, hook)
        first = await hook.end_a_job()
        (request,) = await told(one, 1)
        second = await hook.end_a_job()
        requests = await told(one, 2)
        await hook.stop()
        assert [each.content["data"]["job_id"] for each in requests] == [first, second]
        assert all(is_signed(each, SECRET) for each in requests)
        assert request.content["type"] == "job.ended"
        assert {key: request.content["data"][key] for key in ("device_id", "state", "plan", "model")} == {
            "device_id": DEVICE,
            "state": "cancelled",
            "plan": PLAN.name,
            "model": "synth:tiny@q8_0",
        }

    with receiver() as one:
        asyncio.run(scenario(one))


def test_what_is_not_taken_is_sent_again_in_its_order(store: SqliteStore, secret_file: str) -> None:
    async def scenario(one: Receiver) -> None:
        hook = Hook(store, Webhook(url=one.url, secret_file=secret_file))
        await known_to(store, hook)
        first, second = await hook.end_a_job(), await hook.end_a_job()
        requests = await told(one, 5)
        await hook.stop()
        assert [each.headers["webhook-id"] for each in requests] == [f"job_{first}"] * 4 + [f"job_{second}"]
        assert all(is_signed(each, SECRET) for each in requests)

    with receiver() as one:
        one.statuses = [500, 404, 302]
        asyncio.run(scenario(one))


def test_a_collector_that_ends_in_between_goes_on_where_it_was(store: SqliteStore, secret_file: str) -> None:
    async def scenario(one: Receiver) -> None:
        hook = Hook(store, Webhook(url=one.url, secret_file=secret_file))
        await known_to(store, hook)
        first = await hook.end_a_job()
        await told(one, 2)
        await hook.restart()
        one.statuses.clear()
        await told(one, 3)
        await hook.stop()
        second = await hook.end_a_job()  # while nothing is sent
        await hook.restart()
        names: list[str] = []
        while f"job_{second}" not in names:  # the first may come once more, if its answer was not heard
            requests = await told(one, len(one.received) + (1 if names else 0))
            names = list(dict.fromkeys(each.headers["webhook-id"] for each in requests))
        await hook.stop()
        assert names == [f"job_{first}", f"job_{second}"]

    with receiver() as one:
        one.statuses = [500] * 1000
        asyncio.run(scenario(one))


def test_what_is_not_taken_for_days_is_left_out_and_that_is_said(
    store: SqliteStore, secret_file: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(one: Receiver) -> None:
        hook = Hook(store, Webhook(url=one.url, secret_file=secret_file, give_up_hours=1e-9))
        await known_to(store, hook)
        first, second = await hook.end_a_job(), await hook.end_a_job()
        requests = await told(one, 2)
        await hook.stop()
        assert [each.content["data"]["job_id"] for each in requests] == [first, second]
        assert f"was never told of the end of job {first}: it answers 500" in caplog.text

    with receiver() as one, caplog.at_level(logging.ERROR):
        one.statuses = [500]
        asyncio.run(scenario(one))


def test_a_webhook_that_wants_no_more_is_not_sent_the_same_again(store: SqliteStore, secret_file: str) -> None:
    async def scenario(one: Receiver) -> None:
        hook = Hook(store, Webhook(url=one.url, secret_file=secret_file))
        await known_to(store, hook)
        jobs = [await hook.end_a_job(), await hook.end_a_job()]
        requests = await told(one, 2)
        await hook.stop()
        assert [each.content["data"]["job_id"] for each in requests] == jobs

    with receiver() as one:
        one.statuses = [410]
        asyncio.run(scenario(one))


def test_a_secret_that_cannot_be_read_now_is_tried_again(store: SqliteStore, secret_file: str) -> None:
    async def scenario(one: Receiver) -> None:
        hook = Hook(store, Webhook(url=one.url, secret_file=secret_file))
        await known_to(store, hook)
        set_aside = await asyncio.to_thread(Path(secret_file).rename, f"{secret_file}.aside")
        await hook.end_a_job()
        await asyncio.to_thread(set_aside.rename, secret_file)
        (request,) = await told(one, 1)
        await hook.stop()
        assert is_signed(request, read_secret(secret_file))

    with receiver() as one:
        asyncio.run(scenario(one))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"url": "ftp://host/x"}, "a URL such as https://ci.example.org/edgeprof is expected"),
        ({"url": "http://host:port"}, "it is no URL: "),
        ({"secret_file": "/no/such/file"}, "/no/such/file cannot be read: No such file or directory"),
    ],
)
def test_what_could_never_work_is_refused(secret_file: str, change: dict[str, str], fault: str) -> None:
    good = Webhook(url="https://host/x", secret_file=secret_file)
    check_webhooks([good, replace(good, name="other")])
    with pytest.raises(ConfigError) as refused:
        check_webhooks([replace(good, **change)])  # type: ignore[arg-type]  # both keys are texts
    assert fault in str(refused.value)
    with pytest.raises(ConfigError, match="two webhooks are called 'host': give one a name"):
        check_webhooks([good, good])


@pytest.mark.parametrize("text", ["", "secret", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", f"whsec_{'QUJD' * 30}"])
def test_what_is_no_secret_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secret"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="holds no secret: make one with"):
        check_webhooks([Webhook(url="https://host/x", secret_file=str(path))])
