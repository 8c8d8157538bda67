"""A collector with TLS in the test's own loop, and devices that enrol with it by hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from edgeprof.anchor import Anchor, fetch_anchor
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.access.requests import TokenRequest
from edgeprof_collector.config import CollectorConfig
from edgeprof_collector.enrolment.administration import Administration
from edgeprof_collector.server import serve
from edgeprof_collector.store.access_records import Role
from edgeprof_collector.store.sqlite import SqliteStore
from edgeprof_collector.trust.authority import Authority
from edgeprof_collector.trust.certificates import PrivateKey, key_to_pem, new_key
from edgeprof_collector.trust.config import TlsConfig
from edgeprof_collector.trust.opening import Trust
from tests.collector.intake.device import Device
from tests.collector.store.samples import DEVICE, EPOCH, LIFE, layout

LAYOUT = AgentMessage(layout=layout())


def request_for(key: PrivateKey, name: str = DEVICE) -> x509.CertificateSigningRequest:
    """A request for a certificate, signed by its key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())


def request_pem(key: PrivateKey) -> str:
    return request_for(key).public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Enrolled:
    """A device's key and certificate."""

    key: PrivateKey
    certificate_pem: str
    authority_pem: str

    @property
    def credentials(self) -> grpc.ChannelCredentials:
        return credentials(self.authority_pem, self.key, self.certificate_pem)


def credentials(authority_pem: str, key: PrivateKey | None, certificate_pem: str = "") -> grpc.ChannelCredentials:
    """A device's end of TLS; without a key it shows no certificate."""
    return grpc.ssl_channel_credentials(
        authority_pem.encode(), key_to_pem(key) if key else None, certificate_pem.encode() if key else None
    )


@dataclass
class SecuredCollector:
    """What runs, and how to come in."""

    store: SqliteStore
    trust: Trust
    grpc_port: int
    http_port: int
    anchor: Anchor
    devices: list[Device] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.http_port}"

    @property
    def admin(self) -> Administration:
        return Administration(self.store, self.trust.anchor.fingerprint, by="a test")

    def enrolment_token(self, **wanted: Any) -> str:
        return self.admin.create_token(TokenRequest(**wanted)).token

    def access_token(self, role: Role, ttl_seconds: float | None = None) -> str:
        return self.admin.create_token(TokenRequest(role=role, name=role.value, ttl_seconds=ttl_seconds)).token

    async def call(self, method: str, path: str, token: str = "", **arguments: Any) -> httpx.Response:
        """One call of the HTTP API, over TLS that trusts nobody but this collector."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(verify=self.anchor.context(), trust_env=False, timeout=60) as http:
            extensions = {"sni_hostname": self.anchor.server_name}
            return await http.request(method, self.url + path, headers=headers, extensions=extensions, **arguments)

    async def ask(self, token: str, key: PrivateKey, device_id: str = DEVICE) -> httpx.Response:
        """Ask for a certificate."""
        wanted = {"token": token, "device_id": device_id, "request_pem": request_pem(key)}
        return await self.call("POST", "/api/v1/enrolments", json=wanted)

    async def enrol(self, device_id: str = DEVICE, **wanted: Any) -> Enrolled:
        """Enrol a device with a token of its own."""
        key = new_key()
        answer = await self.ask(self.enrolment_token(**wanted), key, device_id)
        assert answer.status_code == 201, answer.text
        return Enrolled(key, answer.json()["certificate_pem"], answer.json()["authority_pem"])

    def device(
        self,
        enrolled: Enrolled | grpc.ChannelCredentials,
        device_id: str = DEVICE,
        epoch: bytes = EPOCH,
        lives: Sequence[bytes] = (LIFE,),
    ) -> Device:
        shown = enrolled.credentials if isinstance(enrolled, Enrolled) else enrolled
        device = Device(self.grpc_port, device_id, epoch, lives, shown)
        self.devices.append(device)
        return device

    def foreign_authority(self, folder: Path) -> Authority:
        return Authority.open(folder)


@asynccontextmanager
async def secured_collector(folder: Path, **tls: Any) -> AsyncIterator[SecuredCollector]:
    """Serve with TLS on free ports of loopback, until the end of the block."""
    path, ready = folder / "edgeprof.sqlite", folder / "ready"
    ready.unlink(missing_ok=True)
    told = TlsConfig(enabled=True, **tls)
    serving = asyncio.create_task(serve(CollectorConfig(grpc_port=0, http_port=0, store=str(path), tls=told), ready))
    while not ready.exists():
        assert not serving.done(), serving.exception()
        await asyncio.sleep(0.01)
    addresses = json.loads(ready.read_bytes())
    grpc_port, http_port = (int(addresses[name].rpartition(":")[2]) for name in ("grpc", "http"))
    store, trust = SqliteStore(path), Trust(told, path)
    anchor = await asyncio.to_thread(fetch_anchor, "127.0.0.1", http_port, trust.anchor.fingerprint)
    running = SecuredCollector(store, trust, grpc_port, http_port, anchor)
    try:
        yield running
    finally:
        for device in running.devices:
            await device.close()
        store.close()
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
