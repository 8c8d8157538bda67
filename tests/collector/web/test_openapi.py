"""The description of the HTTP API is complete, is what is committed, and holds when the API is fuzzed by it."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.errors import Unsatisfiable

from edgeprof.anchor import Anchor
from edgeprof_collector.access.requests import TokenRequest
from edgeprof_collector.enrolment.administration import Administration
from edgeprof_collector.store.access_records import Role
from edgeprof_collector.store.sqlite import SqliteStore
from edgeprof_collector.trust.authority import Authority
from edgeprof_collector.web.openapi import CALLS, GUARDED_CALLS, describe_api
from tests.collector.service import CollectorProcess
from tests.collector.trust.secured import secured_collector
from tests.collector.trust.test_roles import CALLS as ROLES

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
DESCRIBED = json.loads(msgspec.json.encode(describe_api()))


def test_it_describes_every_call() -> None:
    described = {(call.method, call.path) for call in (*CALLS, *GUARDED_CALLS)}
    assert described == {(method, path.replace(":path", "")) for method, path in ROLES}


def test_what_is_committed_is_what_is_served(tmp_path: Path, update: bool) -> None:
    if update:
        COMMITTED.write_text(json.dumps(DESCRIBED, indent=1, sort_keys=True) + "\n")
    assert json.loads(COMMITTED.read_text()) == DESCRIBED

    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            assert (await collector.call("GET", "/api/v1/openapi.json")).json() == DESCRIBED

    asyncio.run(scenario())


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """A collector with TLS: its address, its authority as a file, and an admin's token."""
    folder = tmp_path_factory.mktemp("fuzzed")
    with CollectorProcess(folder, tls={"enabled": True}) as running:
        assert running.ready, running.end()
        authority = Authority.open(folder / "trust")
        file = folder / "authority.crt"
        file.write_bytes(authority.pem)
        anchor = Anchor(server_name="edgeprof-collector", authority_pem=authority.pem.decode())
        store = SqliteStore(running.store_path)
        admin = Administration(store, anchor.fingerprint, by="a test")
        token = admin.create_token(TokenRequest(role=Role.ADMIN, name="fuzz")).token
        yield running.ready["http"], str(file), token
        store.close()


@pytest.mark.prove(short=1, whole=40)
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")  # within the libraries of schemathesis
def test_the_api_keeps_to_its_description(collector: tuple[str, str, str], proof_seed: int) -> None:
    """Whatever is asked, valid or not: no fault of the collector's own, and the answers that are described."""
    schemathesis = pytest.importorskip("schemathesis", reason="it needs Python 3.11")
    from schemathesis import checks
    from schemathesis.specs.openapi import checks as openapi_checks

    url, authority, token = collector
    wanted = (
        checks.not_a_server_error,
        openapi_checks.status_code_conformance,
        openapi_checks.content_type_conformance,
        openapi_checks.response_schema_conformance,
    )
    session = requests.Session()
    headers = {"Authorization": f"Bearer {token}"}
    answers: set[int] = set()
    for found in schemathesis.openapi.from_dict(DESCRIBED).get_all_operations():
        operation = found.ok()
        if operation.path.endswith(("/jobs/events", "/live")):
            continue  # they go on for as long as there is news
        for mode in schemathesis.GenerationMode:

            @seed(proof_seed)
            @settings(max_examples=5, suppress_health_check=list(HealthCheck), database=None, deadline=None)
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                answer = case.call_and_validate(
                    base_url=url, session=session, verify=authority, headers=headers, checks=wanted, timeout=60
                )
                answers.add(answer.status_code)

            with contextlib.suppress(Unsatisfiable):  # nothing is wrong with a call that takes nothing
                ask()
    session.close()
    assert {200, 201, 400, 404} <= answers
