"""Who gets a certificate, by the real HTTP API with TLS."""

import asyncio
import json
import sqlite3
import time
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeprof.anchor import fetch_anchor
from edgeprof.errors import EdgeprofError
from edgeprof_collector.access.desk import TokenFacts
from edgeprof_collector.store.access_records import Role
from edgeprof_collector.trust.authority import Authority
from edgeprof_collector.trust.certificates import key_to_pem, new_key
from edgeprof_collector.trust.device_name import named_device
from edgeprof_collector.trust.private_file import write_private
from tests.collector.store.samples import DEVICE
from tests.collector.trust.secured import request_pem, secured_collector


def test_a_token_is_good_for_its_uses_and_a_thief_comes_too_late(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            token = collector.enrolment_token(uses=2)
            answers = [await collector.ask(token, new_key(), f"device-{number}") for number in range(3)]
            assert [answer.status_code for answer in answers] == [201, 201, 403]
            assert "used up" in answers[2].json()["error"]
            assert [each.device_id for each in collector.admin.enrolled_devices()] == ["device-0", "device-1"]

    asyncio.run(scenario())


def test_two_thieves_at_once_get_one_certificate(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            token = collector.enrolment_token()
            asked = [collector.ask(token, new_key(), f"device-{number}") for number in range(8)]
            answers = await asyncio.gather(*asked)
            assert sorted(answer.status_code for answer in answers) == [201, *[403] * 7]

    asyncio.run(scenario())


def test_tokens_that_let_nobody_in(tmp_path: Path) -> None:
    """Expired, revoked, of another collector, for people, changed, and no token at all."""

    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            expired, revoked = collector.enrolment_token(ttl_seconds=1), collector.enrolment_token()
            collector.admin.revoke_token(revoked.split(".")[1])
            good = collector.enrolment_token()
            kind, number, secret, fingerprint = good.split(".")
            await asyncio.sleep(max(0.0, _ends_ns(collector.admin.tokens(), expired) / 1e9 - time.time()) + 0.01)
            wrong = {
                expired: (403, "expired"),
                revoked: (403, "used up or revoked"),
                f"{kind}.{number}.{secret[::-1]}.{fingerprint}": (403, "not known here"),
                f"{kind}.000000000000.{secret}.{fingerprint}": (403, "not known here"),
                collector.access_token(Role.ADMIN): (400, "begins with 'edgeprof-enrol.'"),
                "": (400, "begins with 'edgeprof-enrol.'"),
            }
            for token, (status, words) in wrong.items():
                answer = await collector.ask(token, new_key())
                assert answer.status_code == status, answer.text
                assert words in answer.json()["error"]
            assert collector.admin.enrolled_devices() == ()
            assert (await collector.ask(good, new_key())).status_code == 201

    asyncio.run(scenario())


def _ends_ns(tokens: tuple[TokenFacts, ...], text: str) -> int:
    (found,) = (each for each in tokens if each.token_id == text.split(".")[1])
    assert found.expires_wall_ns
    return found.expires_wall_ns


def test_the_name_of_an_enrolled_device_is_its_own(tmp_path: Path) -> None:
    """Only a token that was made for it gives its name to another key; then the former key is out."""

    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            first = await collector.enrol()
            token = collector.enrolment_token()
            answer = await collector.ask(token, new_key())
            assert answer.status_code == 403
            assert answer.json()["error"] == (
                f"'{DEVICE}' is enrolled already: if it is this device, make its token with "
                f"edgeprof token create --device {DEVICE}"
            )
            assert (await collector.ask(token, first.key)).status_code == 201  # who has the key is the device
            answer = await collector.ask(collector.enrolment_token(device="another"), new_key())
            assert "is for 'another'" in answer.json()["error"]
            await collector.enrol(device=DEVICE)
            wanted = {"device_id": DEVICE, "request_pem": request_pem(first.key)}
            assert (await collector.call("POST", "/api/v1/renewals", json=wanted)).status_code == 403

    asyncio.run(scenario())


def test_nothing_but_the_key_is_taken_from_a_request(tmp_path: Path) -> None:
    """A request may ask to be an authority, or a server: what comes is a device's certificate."""

    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            key = new_key()
            greedy = (
                x509.CertificateSigningRequestBuilder()
                .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "edgeprof-collector")]))
                .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                .add_extension(x509.SubjectAlternativeName([x509.DNSName("edgeprof-collector")]), critical=False)
                .sign(key, hashes.SHA256())
            )
            pem = greedy.public_bytes(serialization.Encoding.PEM).decode()
            wanted = {"token": collector.enrolment_token(), "device_id": DEVICE, "request_pem": pem}
            answer = await collector.call("POST", "/api/v1/enrolments", json=wanted)
            certificate = x509.load_pem_x509_certificate(answer.json()["certificate_pem"].encode())
            assert named_device(certificate) == DEVICE
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            assert names.get_values_for_type(x509.DNSName) == []
            assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
            (usage,) = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            assert usage == ExtendedKeyUsageOID.CLIENT_AUTH

    asyncio.run(scenario())


def test_other_kinds_of_keys_and_requests_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            token = collector.enrolment_token()
            small = rsa.generate_private_key(65537, 1024)
            request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(small, hashes.SHA256())
            good = request_pem(new_key())
            lines = good.splitlines()
            lines[-2] = lines[-2][:-12] + "AAAAAAAAAAA="
            for pem in (request.public_bytes(serialization.Encoding.PEM).decode(), "\n".join(lines), "", "x" * 16384):
                wanted = {"token": token, "device_id": DEVICE, "request_pem": pem}
                answer = await collector.call("POST", "/api/v1/enrolments", json=wanted)
                assert answer.status_code == 400, answer.text
            for name in ("", "a\nb", "\x1b[2J", "\u202egnp", "x" * 65):
                wanted = {"token": token, "device_id": name, "request_pem": good}
                answer = await collector.call("POST", "/api/v1/enrolments", json=wanted)
                assert answer.status_code == 400, answer.text
            assert (await collector.ask(token, new_key())).status_code == 201

    asyncio.run(scenario())


def test_hostile_bodies_are_refused_and_the_collector_goes_on(tmp_path: Path) -> None:
    texts = st.one_of(st.text(max_size=200), st.just(request_pem(new_key())))
    values = st.recursive(st.none() | st.booleans() | st.integers() | texts, lambda each: st.lists(each, max_size=3))
    fields = st.sampled_from(["token", "device_id", "request_pem", "further"])
    bodies = st.one_of(st.binary(max_size=200), st.dictionaries(fields, values, max_size=4))

    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            collector.enrolment_token(uses=100)

            http = httpx.Client(base_url=collector.url, verify=collector.anchor.context(), trust_env=False)

            @settings(max_examples=60, suppress_health_check=list(HealthCheck))
            @given(path=st.sampled_from(["/api/v1/enrolments", "/api/v1/renewals"]), body=bodies)
            def attack(path: str, body: object) -> None:
                content = body if isinstance(body, bytes) else json.dumps(body).encode()
                headers = {"Content-Type": "application/json"}
                extensions = {"sni_hostname": collector.anchor.server_name}
                answer = http.post(path, content=content, headers=headers, extensions=extensions)
                assert answer.status_code in (400, 403, 413, 429)

            with http:
                await asyncio.to_thread(attack)
            assert collector.admin.enrolled_devices() == ()

    asyncio.run(scenario())


def test_a_collector_in_the_place_of_another_is_noticed_before_anything_is_told_to_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with secured_collector(tmp_path / "real") as real, secured_collector(tmp_path / "other") as other:
            fingerprint = real.trust.anchor.fingerprint
            with pytest.raises(EdgeprofError, match="is not the collector that made this token"):
                await asyncio.to_thread(fetch_anchor, "127.0.0.1", other.http_port, fingerprint)

    (tmp_path / "real").mkdir()
    (tmp_path / "other").mkdir()
    asyncio.run(scenario())


def test_secrets_are_nowhere_at_rest(tmp_path: Path) -> None:
    async def scenario() -> list[str]:
        async with secured_collector(tmp_path) as collector:
            tokens = [collector.enrolment_token(), collector.access_token(Role.ADMIN)]
            await collector.ask(tokens[0], new_key())
            await collector.call("GET", "/api/v1/runs", tokens[1])
            return [token.split(".")[2] for token in tokens]

    secrets = asyncio.run(scenario())
    dump = "\n".join(sqlite3.connect(tmp_path / "edgeprof.sqlite").iterdump())
    assert not any(secret in dump for secret in secrets)
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "trust").iterdir()} == {0o600}
    assert (tmp_path / "trust").stat().st_mode & 0o777 == 0o700


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    Authority.open(tmp_path)
    (tmp_path / "authority.pem").chmod(0o640)
    with pytest.raises(EdgeprofError, match=r"others may read it: chmod 600 .*authority.pem"):
        Authority.open(tmp_path)


def test_a_damaged_authority_is_named(tmp_path: Path) -> None:
    Authority.open(tmp_path)
    file = tmp_path / "authority.pem"
    certificate = file.read_bytes()[file.read_bytes().index(b"-----BEGIN CERT") :]
    write_private(file, key_to_pem(new_key()) + certificate)
    with pytest.raises(EdgeprofError, match="a key that is not its certificate's: restore it from a copy"):
        Authority.open(tmp_path)
    write_private(file, b"rubbish")
    with pytest.raises(EdgeprofError, match="cannot be read as a key and a certificate"):
        Authority.open(tmp_path)


def test_two_processes_that_begin_at_once_have_one_authority(tmp_path: Path) -> None:
    async def scenario() -> set[str]:
        opened = await asyncio.gather(*(asyncio.to_thread(Authority.open, tmp_path) for _ in range(8)))
        return {authority.fingerprint for authority in opened}

    assert len(asyncio.run(scenario())) == 1
