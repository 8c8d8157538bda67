"""Each role against each call, by the real HTTP API with TLS."""

import asyncio
import http.client
import ssl
from pathlib import Path

import httpx
import pytest
from starlette.routing import BaseRoute, Mount, Route

from edgeprof_collector.access.permissions import needed_role
from edgeprof_collector.access.throttle import Throttle
from edgeprof_collector.config import CollectorConfig
from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.exposition.latest import LatestValues
from edgeprof_collector.exposition.page import Page
from edgeprof_collector.jobs.queue import JobQueue
from edgeprof_collector.jobs.scheduler import Scheduler
from edgeprof_collector.security import Security
from edgeprof_collector.store.access_records import Role
from edgeprof_collector.store.sqlite import SqliteStore
from edgeprof_collector.trust.config import MetricsAccess, TlsConfig
from edgeprof_collector.web.api import create_app
from tests.collector.trust.secured import SecuredCollector, secured_collector

VIEWER, OPERATOR, ADMIN = Role
# Every call that there is, and the least role that may make it; None: anybody.
CALLS: dict[tuple[str, str], Role | None] = {
    ("GET", "/healthz"): None,
    ("GET", "/metrics"): VIEWER,
    ("GET", "/api/v1/openapi.json"): None,
    ("GET", "/api/v1/authority"): None,
    ("POST", "/api/v1/enrolments"): None,
    ("POST", "/api/v1/renewals"): None,
    ("GET", "/api/v1/devices"): VIEWER,
    ("GET", "/api/v1/devices/{device}/live"): VIEWER,
    ("GET", "/api/v1/runs"): VIEWER,
    ("POST", "/api/v1/runs"): OPERATOR,
    ("GET", "/api/v1/runs/{run}"): VIEWER,
    ("GET", "/api/v1/runs/{run}/telemetry"): VIEWER,
    ("GET", "/api/v1/runs/{run}/report"): VIEWER,
    ("PUT", "/api/v1/runs/{run}/baseline"): OPERATOR,
    ("DELETE", "/api/v1/runs/{run}/baseline"): OPERATOR,
    ("GET", "/api/v1/jobs"): VIEWER,
    ("POST", "/api/v1/jobs"): OPERATOR,
    ("GET", "/api/v1/jobs/{job}"): VIEWER,
    ("GET", "/api/v1/jobs/events"): VIEWER,
    ("GET", "/api/v1/jobs/{job}/changes"): VIEWER,
    ("POST", "/api/v1/jobs/{job}/cancel"): OPERATOR,
    ("GET", "/api/v1/schedules"): VIEWER,
    ("POST", "/api/v1/schedules"): OPERATOR,
    ("POST", "/api/v1/schedules/{schedule}/cancel"): OPERATOR,
    ("GET", "/api/v1/enrolments"): VIEWER,
    ("DELETE", "/api/v1/enrolments/{device:path}"): ADMIN,
    ("GET", "/api/v1/tokens"): ADMIN,
    ("POST", "/api/v1/tokens"): ADMIN,
    ("DELETE", "/api/v1/tokens/{token}"): ADMIN,
    ("GET", "/api/v1/audit"): ADMIN,
}


def served(folder: Path) -> set[tuple[str, str]]:
    """Every call that a collector with TLS answers."""
    store = SqliteStore(folder / "other.sqlite")
    config = CollectorConfig(store=str(folder / "other.sqlite"), tls=TlsConfig(enabled=True))
    health = CollectorHealth()
    app = create_app(
        store=store,
        jobs=JobQueue(store),
        schedules=Scheduler(store, JobQueue(store)),
        latest=LatestValues(health),
        page=Page([], health),
        on_run_finished=lambda _: None,
        further=Security(config, store).routes,
    )
    store.close()
    return set(_calls(app.routes, ""))


def _calls(routes: list[BaseRoute], before: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for route in routes:
        if isinstance(route, Mount):
            found += _calls(list(route.routes), before + route.path)
        elif isinstance(route, Route):
            found += [(method, before + route.path) for method in route.methods or () if method != "HEAD"]
    return found


def test_every_call_is_in_the_table(tmp_path: Path) -> None:
    assert served(tmp_path) == set(CALLS)


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_the_least_role_of_each_call(call: tuple[str, str]) -> None:
    method, template = call
    assert needed_role(method, _path(template)) is CALLS[call]


def _path(template: str) -> str:
    return template.replace(":path", "").replace("{", "no-such-").replace("}", "")


def test_each_role_against_each_call(tmp_path: Path) -> None:
    """Who may is answered, if only that there is no such thing; who may not is told so, and it is on record."""

    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            tokens = {role: collector.access_token(role) for role in Role}
            async with httpx.AsyncClient(
                base_url=collector.url, verify=collector.anchor.context(), trust_env=False, timeout=60
            ) as client:

                async def ask(call: tuple[str, str], token: str) -> int:
                    method, template = call
                    request = client.build_request(
                        method,
                        _path(template),
                        headers={"Authorization": f"Bearer {token}"} if token else {},
                        extensions={"sni_hostname": collector.anchor.server_name},
                    )
                    return (await client.send(request)).status_code

                for call, least in CALLS.items():
                    if least is None:
                        assert await ask(call, "") not in (401, 403, 429), call
                        continue
                    for role, token in tokens.items():
                        assert (await ask(call, token) == 403) == (not role.includes(least)), (call, role)
                refusals = [entry for entry in collector.admin.audit(1000) if entry.action == "was refused"]
                expected = sum(not role.includes(least) for least in CALLS.values() if least for role in Role)
                assert len(refusals) == expected
                for call, least in CALLS.items():
                    if least is not None:
                        assert await ask(call, "") in (401, 429), call

    asyncio.run(scenario())


async def status(collector: SecuredCollector, token: str) -> tuple[int, str]:
    answer = await collector.call("GET", "/api/v1/runs", token)
    return answer.status_code, answer.json()["error"] if answer.is_error else ""


def test_tokens_that_ended_let_nobody_in(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            expired, revoked = collector.access_token(VIEWER, ttl_seconds=1), collector.access_token(OPERATOR)
            assert await status(collector, revoked) == (200, "")
            collector.admin.revoke_token(revoked.split(".")[1])
            assert await status(collector, revoked) == (
                401,
                "the token 'operator' was revoked: make another with edgeprof token create",
            )
            await asyncio.sleep(1.01)
            assert "the token 'viewer' has expired" in (await status(collector, expired))[1]
            device = collector.enrolment_token()
            assert "no token that begins with 'edgeprof-access.'" in (await status(collector, device))[1]

    asyncio.run(scenario())


def ask_again_and_again(port: int, token: str, times: int) -> list[tuple[int, str]]:
    """Ask on one connection; return what is answered, and how long to wait."""
    context = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60)
    answers = []
    for _ in range(times):
        connection.request("GET", "/api/v1/runs", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        answers.append((answer.status, answer.headers.get("Retry-After", "")))
    connection.close()
    return answers


def test_a_wrong_token_a_thousand_times(tmp_path: Path) -> None:
    """After ten the address is told to wait, the log stays short, and who has a right token is still let in."""

    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            right = collector.access_token(VIEWER)
            kind, number, secret, fingerprint = right.split(".")
            wrong = f"{kind}.{number}.{secret[::-1]}.{fingerprint}"
            answers = await asyncio.to_thread(ask_again_and_again, collector.http_port, wrong, 1000)
            assert await status(collector, right) == (200, "")
            refused = [wait for code, wait in answers if code == 401]
            told_to_wait = [wait for code, wait in answers if code == 429]
            assert len(refused) + len(told_to_wait) == 1000
            assert len(told_to_wait) > 800
            assert all(int(wait) > 0 for wait in told_to_wait)
            noted = [entry for entry in collector.admin.audit(5000) if entry.action == "was refused"]
            assert len(noted) == len(refused)

    asyncio.run(scenario())


def test_a_bucket_fills_again_and_their_number_is_bounded() -> None:
    now = 0.0
    throttle = Throttle(lambda: now)
    assert [throttle.wrong("a") for _ in range(10)] == [0.0] * 10
    assert throttle.wrong("a") > 0
    now = 6.0
    assert throttle.wrong("a") == 0
    assert throttle.wrong("a") > 0
    for number in range(10_000):
        assert throttle.wrong(f"address {number}") == 0
    assert len(throttle._full_at) < 5000


@pytest.mark.parametrize("metrics", ["token", "open"])
def test_who_may_read_the_metrics(tmp_path: Path, metrics: str) -> None:
    async def scenario() -> None:
        async with secured_collector(tmp_path, metrics=MetricsAccess(metrics)) as collector:
            answers = [await collector.call("GET", "/metrics", token) for token in ("", collector.access_token(VIEWER))]
            assert [answer.status_code for answer in answers] == [200 if metrics == "open" else 401, 200]
            assert 'edgeprof_collector_certificate_expiry_timestamp_seconds{certificate="server"}' in answers[1].text

    asyncio.run(scenario())
