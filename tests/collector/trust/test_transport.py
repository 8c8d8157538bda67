"""The collector's own certificate: changed without dropping a stream, of an outside authority, and metrics by one."""

import asyncio
import http.client
import os
import ssl
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from edgeprof.errors import EdgeprofError
from edgeprof_collector.store.access_records import Role
from edgeprof_collector.trust.authority import Authority
from edgeprof_collector.trust.certificates import key_to_pem, new_key, to_pem
from edgeprof_collector.trust.config import MetricsAccess, TlsConfig, check_tls
from edgeprof_collector.trust.opening import Trust
from edgeprof_collector.trust.server_identity import FileIdentity
from edgeprof_collector.trust.transport import Transport
from tests.collector.store.samples import frame_message
from tests.collector.trust.secured import LAYOUT, request_for, secured_collector


def write_pair(folder: Path, authority: Authority, *names: str) -> tuple[str, str]:
    """A certificate for this machine and its key, as files that replace those before."""
    made = authority.issue_server(names or ("127.0.0.1", "edgeprof-collector"))
    for file, content in (("server.crt", made.chain_pem), ("server.key", made.key_pem)):
        (folder / f"{file}.new").write_bytes(content)
        (folder / f"{file}.new").replace(folder / file)
    return str(folder / "server.crt"), str(folder / "server.key")


def shown(port: int) -> bytes:
    """The certificate that the HTTP server shows now. A page is asked for, so that the connection ends in order."""
    strangers = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    strangers.check_hostname = False
    strangers.verify_mode = ssl.CERT_NONE
    with closing(http.client.HTTPSConnection("127.0.0.1", port, context=strangers)) as connection:
        connection.connect()
        certificate = connection.sock.getpeercert(binary_form=True)
        connection.request("GET", "/", headers={"Connection": "close"})
        connection.getresponse().read()
    assert certificate
    return certificate


def wait_for_another(port: int, before: bytes) -> None:
    """Wait until the server shows another certificate."""
    while shown(port) == before:
        time.sleep(0.02)


def test_a_certificate_changes_while_a_stream_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outside authority's files are replaced: the stream goes on, and new connections of both kinds see the new."""
    monkeypatch.setattr("edgeprof_collector.trust.transport._INTERVAL_SECONDS", 0.05)
    outside = Authority.open(tmp_path / "outside")
    (tmp_path / "outside.crt").write_bytes(outside.pem)
    certificate, key = write_pair(tmp_path, outside)

    async def scenario() -> None:
        told = {"certificate": certificate, "key": key, "authority": str(tmp_path / "outside.crt")}
        async with secured_collector(tmp_path, **told) as collector:
            enrolled = await collector.enrol()
            assert enrolled.authority_pem == collector.anchor.authority_pem
            device = collector.device(enrolled)
            await device.connect()
            before = await asyncio.to_thread(shown, collector.http_port)
            write_pair(tmp_path, outside)
            await asyncio.to_thread(wait_for_another, collector.http_port, before)
            await device.send(LAYOUT, frame_message(1))
            await device.acknowledged(1)
            other = collector.device(await collector.enrol("other"), "other")
            await other.connect()

    asyncio.run(scenario())


def test_grpc_sees_the_new_certificate(tmp_path: Path) -> None:
    """What gRPC fetches at its next handshake is the new one, once."""
    authority = Authority.open(tmp_path / "authority")
    certificate, key = write_pair(tmp_path, authority)
    identity = FileIdentity(Path(certificate), Path(key))
    transport = Transport(identity, authority.pem, tmp_path / "kept")
    transport.grpc_credentials()
    assert transport._fetch() is None
    assert not identity.refresh()
    write_pair(tmp_path, authority)
    assert identity.refresh()
    transport._load()
    assert transport._fetch() is not None
    assert transport._fetch() is None


def test_files_that_do_not_fit_leave_the_certificate_before_in_use(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path / "authority")
    certificate, key = write_pair(tmp_path, authority)
    identity = FileIdentity(Path(certificate), Path(key))
    before = identity.current
    Path(key).write_bytes(key_to_pem(new_key()))
    os.utime(key, ns=(1, 1))
    with pytest.raises(EdgeprofError, match=r"server.key is not the key of .*server.crt"):
        identity.refresh()
    assert identity.current == before
    Path(key).unlink()
    with pytest.raises(EdgeprofError, match=r"server.key cannot be read: No such file or directory"):
        identity.refresh()


def test_metrics_by_a_client_certificate(tmp_path: Path) -> None:
    """Of the authority that was named; a device's certificate is none, and it opens nothing else."""
    scrapers = Authority.open(tmp_path / "scrapers")
    file = tmp_path / "scrapers.crt"
    file.write_bytes(scrapers.pem)

    async def scenario() -> None:
        told = {"metrics": MetricsAccess.CLIENT_CERTIFICATE, "metrics_authority": str(file)}
        async with secured_collector(tmp_path, **told) as collector:
            enrolled = await collector.enrol()

            async def ask(path: str, pem: bytes = b"") -> int:
                context = collector.anchor.context()
                if pem:
                    pair = tmp_path / "pair.pem"
                    pair.write_bytes(pem)
                    context.load_cert_chain(pair)
                async with httpx.AsyncClient(verify=context, trust_env=False) as http:
                    extensions = {"sni_hostname": collector.anchor.server_name}
                    return (await http.get(collector.url + path, extensions=extensions)).status_code

            key = new_key()
            good = key_to_pem(key) + to_pem(scrapers.issue_device("prometheus", request_for(key), 1))
            assert await ask("/metrics") == 401
            assert await ask("/metrics", good) == 200
            assert await ask("/api/v1/runs", good) == 401
            with pytest.raises(httpx.HTTPError):  # OpenSSL ends the connection
                await ask("/metrics", key_to_pem(enrolled.key) + enrolled.certificate_pem.encode())
            assert (await collector.call("GET", "/metrics", collector.access_token(Role.VIEWER))).status_code == 200

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"certificate": "a.crt"}, "tls.certificate and tls.key belong together"),
        ({"authority": "a.crt"}, "tls.authority is for tls.certificate"),
        ({"metrics": MetricsAccess.CLIENT_CERTIFICATE}, "belong together"),
        ({"metrics_authority": "a.crt"}, "belong together"),
    ],
)
def test_half_a_configuration_is_refused(options: dict[str, str], words: str) -> None:
    with pytest.raises(EdgeprofError, match=words):
        check_tls(TlsConfig(enabled=True, **options))  # type: ignore[arg-type]  # as a file may have it


def test_a_missing_authority_is_named(tmp_path: Path) -> None:
    trust = Trust(TlsConfig(enabled=True, device_authority=str(tmp_path / "no.crt")), tmp_path / "store")
    with pytest.raises(EdgeprofError, match=r"no.crt cannot be read: .*; check tls.device_authority"):
        trust.transport()
