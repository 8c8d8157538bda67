"""Who may stream, with real TLS on both sides."""

import asyncio
import time
from pathlib import Path

import grpc
import grpc.aio
import pytest
from cryptography.hazmat.primitives import serialization

from edgeprof.v1.uplink_pb2 import AgentMessage, CertificateRequest
from edgeprof_collector.trust.authority import Authority
from edgeprof_collector.trust.certificates import new_key, to_pem
from tests.collector.intake.device import Device
from tests.collector.store.samples import DEVICE, frame_message
from tests.collector.trust.secured import (
    LAYOUT,
    Enrolled,
    SecuredCollector,
    credentials,
    request_for,
    request_pem,
    secured_collector,
)


async def refused_by_tls(device: Device) -> None:
    """See that the handshake fails: gRPC never hears of the call."""
    with pytest.raises((grpc.aio.AioRpcError, AssertionError)):
        await device.connect()
    assert (await device.end())[0] is grpc.StatusCode.UNAVAILABLE


async def refused(device: Device) -> str:
    """The reason that the collector gives to a device that it knows by its certificate."""
    await device.send(AgentMessage(hello=device.hello()))
    message = await device.next()
    assert message.WhichOneof("body") == "refused", message
    return message.refused.reason


async def stream_a_frame(device: Device, sequence: int = 1) -> None:
    await device.send(LAYOUT, frame_message(sequence))
    await device.acknowledged(sequence)


def test_an_enrolled_device_streams(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            device = collector.device(await collector.enrol())
            await device.connect()
            await stream_a_frame(device)
            assert [each.device_id for each in collector.admin.enrolled_devices()] == [DEVICE]

    asyncio.run(scenario())


def test_without_a_certificate_of_this_authority_nobody_streams(tmp_path: Path) -> None:
    """No certificate; another authority's with the same name; and the collector's own, which is for servers."""

    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            await collector.enrol()
            authority_pem, key = collector.anchor.authority_pem, new_key()
            await refused_by_tls(collector.device(credentials(authority_pem, None)))
            other = Authority.open(tmp_path / "other")
            foreign = other.issue_device(DEVICE, request_for(key), 1)
            await refused_by_tls(collector.device(credentials(authority_pem, key, to_pem(foreign).decode())))
            server = collector.trust.authority.issue_server(())
            server_key = serialization.load_pem_private_key(server.key_pem, None)
            await refused_by_tls(
                collector.device(credentials(authority_pem, server_key, server.chain_pem.decode()))  # type: ignore[arg-type]
            )
            assert collector.store.devices() == ()

    asyncio.run(scenario())


def test_a_device_does_not_stream_to_who_has_no_right_to_be_the_collector(tmp_path: Path) -> None:
    """Another device's certificate, of the right authority, is none for a server."""

    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            enrolled = await collector.enrol()
            impostor = await collector.enrol("impostor")
            pair = (
                impostor.key.private_bytes(
                    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
                ),
                impostor.certificate_pem.encode(),
            )
            server = grpc.aio.server()
            port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
            await server.start()
            try:
                device = Device(port, credentials=enrolled.credentials)
                await refused_by_tls(device)
                await device.close()
            finally:
                await server.stop(0)

    asyncio.run(scenario())


def test_a_device_cannot_take_another_ones_name(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            await collector.enrol()
            thief = await collector.enrol("thief")
            reason = await refused(collector.device(thief, DEVICE))
            assert reason == f"its certificate is for 'thief', but it says it is '{DEVICE}': enrol it anew"
            assert collector.store.devices() == ()

    asyncio.run(scenario())


def test_a_revoked_device_is_out_within_a_second(tmp_path: Path) -> None:
    """Its open stream ends and it is refused from then on; what it sent before stays; others go on."""

    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            enrolled = await collector.enrol()
            device, other = collector.device(enrolled), collector.device(await collector.enrol("other"), "other")
            await device.connect()
            await other.connect()
            await stream_a_frame(device)
            collector.admin.revoke_device(DEVICE)
            code, reason = await asyncio.wait_for(device.end(), 5)
            assert code is grpc.StatusCode.PERMISSION_DENIED
            assert "it was revoked" in reason
            assert "it was revoked; to have it back: edgeprof token create --device" in await refused(
                collector.device(enrolled)
            )
            await stream_a_frame(other)
            assert sorted(each.facts.device_id for each in collector.store.devices()) == sorted([DEVICE, "other"])

    asyncio.run(scenario())


def test_a_certificate_that_ends_in_mid_stream_ends_the_stream(tmp_path: Path) -> None:
    """After it, TLS refuses the device; with its old key it gets a new certificate, and goes on where it stopped."""

    async def scenario() -> None:
        async with secured_collector(tmp_path, device_days=2 / 86400, grace_days=1) as collector:
            enrolled = await collector.enrol()
            device = collector.device(enrolled)
            await device.connect()
            await stream_a_frame(device)
            assert await device.end() == (
                grpc.StatusCode.UNAUTHENTICATED,
                "the certificate of this device has ended",
            )
            await refused_by_tls(collector.device(enrolled))
            stranger = {"device_id": DEVICE, "request_pem": request_pem(new_key())}
            answer = await collector.call("POST", "/api/v1/renewals", json=stranger)
            assert (answer.status_code, "enrol it again" in answer.json()["error"]) == (403, True)
            wanted = {"device_id": DEVICE, "request_pem": request_pem(enrolled.key)}
            answer = await collector.call("POST", "/api/v1/renewals", json=wanted)
            assert answer.status_code == 201, answer.text
            again = collector.device(Enrolled(enrolled.key, answer.json()["certificate_pem"], enrolled.authority_pem))
            assert (await again.connect(newest=1)).stored_sequence == 1

    asyncio.run(scenario())


def test_the_grace_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with secured_collector(tmp_path, device_days=1 / 86400, grace_days=0) as collector:
            enrolled = await collector.enrol()
            ended_ns = collector.admin.enrolled_devices()[0].expires_wall_ns
            await asyncio.sleep((ended_ns - time.time_ns()) / 1e9 + 0.01)
            wanted = {"device_id": DEVICE, "request_pem": request_pem(enrolled.key)}
            answer = await collector.call("POST", "/api/v1/renewals", json=wanted)
            assert answer.status_code == 403
            assert "ended too long ago" in answer.json()["error"]

    asyncio.run(scenario())


async def renewed(device: Device, enrolled: Enrolled) -> Enrolled:
    key = new_key()
    request = CertificateRequest(request_pem=request_pem(key))
    await device.send(AgentMessage(certificate_request=request))
    issued = (await device.hear("certificate_issued")).certificate_issued
    assert not issued.refusal
    return Enrolled(key, issued.certificate_pem, enrolled.authority_pem)


def test_a_certificate_is_renewed_over_the_stream(tmp_path: Path) -> None:
    """The new one lets the device in, and so does the former: it may have had no time to keep the new one."""

    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            enrolled = await collector.enrol()
            device = collector.device(enrolled)
            await device.connect()
            newer = await renewed(device, enrolled)
            await stream_a_frame(device)
            for each in (newer, enrolled):
                await device.close()
                device = collector.device(each)
                assert (await device.connect(newest=1)).stored_sequence == 1
            collector.admin.revoke_device(DEVICE)
            assert (await asyncio.wait_for(device.end(), 5))[0] is grpc.StatusCode.PERMISSION_DENIED
            for each in (newer, enrolled):
                assert "revoked" in await refused(collector.device(each))

    asyncio.run(scenario())


def test_a_bad_renewal_is_answered_and_the_stream_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            device = collector.device(await collector.enrol())
            await device.connect()
            await device.send(AgentMessage(certificate_request=CertificateRequest(request_pem="rubbish")))
            issued = (await device.hear("certificate_issued")).certificate_issued
            assert issued.refusal.startswith("the request for a certificate is no PKCS #10")
            await stream_a_frame(device)

    asyncio.run(scenario())


def test_a_collector_that_lost_its_store_says_that_it_knows_nobody(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with secured_collector(tmp_path) as collector:
            enrolled = await collector.enrol()
        (tmp_path / "edgeprof.sqlite").unlink()
        async with secured_collector(tmp_path) as collector:
            assert "not known to this collector's store" in await refused(collector.device(enrolled))

    asyncio.run(scenario())


def outside(collector: SecuredCollector, folder: Path) -> Enrolled:
    """A device with a certificate of the outside authority in a folder."""
    key = new_key()
    certificate = Authority.open(folder).issue_device(DEVICE, request_for(key), 1)
    return Enrolled(key, to_pem(certificate).decode(), collector.anchor.authority_pem)


def test_devices_may_bring_certificates_of_an_outside_authority(tmp_path: Path) -> None:
    """One that is revoked stays out until its authority gives it a certificate of a later time."""

    async def scenario() -> None:
        authority = Authority.open(tmp_path / "outside")
        file = tmp_path / "outside.crt"
        file.write_bytes(authority.pem)
        async with secured_collector(tmp_path, device_authority=str(file)) as collector:
            device = collector.device(outside(collector, tmp_path / "outside"))
            await device.connect()
            await stream_a_frame(device)
            collector.admin.revoke_device(DEVICE)
            assert (await asyncio.wait_for(device.end(), 5))[0] is grpc.StatusCode.PERMISSION_DENIED
            assert "revoked" in await refused(collector.device(outside(collector, tmp_path / "outside")))

    asyncio.run(scenario())
