"""Whether a device that connects is the one whose certificate it shows, and may."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cryptography import x509

from edgeprof.errors import EdgeprofError
from edgeprof_collector.enrolment.desk import serial_of
from edgeprof_collector.store.access import Access
from edgeprof_collector.store.access_records import DeviceCertificate
from edgeprof_collector.trust.authority import Authority
from edgeprof_collector.trust.certificates import key_digest
from edgeprof_collector.trust.device_name import named_device

REVOKED = "it was revoked; to have it back: edgeprof token create --device {name}, then edgeprof-agent enroll there"


class UnwelcomeError(EdgeprofError):
    """A certificate that does not let this device in; the text is for the device's log."""


@dataclass(frozen=True, slots=True)
class Peer:
    """The certificate that a stream began with."""

    serial: str
    expires_wall_ns: int


class Gatekeeper:
    """Looks at devices' certificates; gRPC has seen already who signed them. Blocks as the store does.

    Args:
        authority: the collector's own. What it signed must be in the store; what an outside one signed is put there.
        access: where certificates are kept.
    """

    def __init__(self, authority: Authority, access: Access) -> None:
        self._authority = authority
        self._access = access

    def admit(self, auth_context: Mapping[str, Iterable[bytes]], device_id: str) -> Peer:
        """Let a device in.

        Raises:
            UnwelcomeError: it is another than its certificate says, or was revoked.
        """
        certificate = x509.load_pem_x509_certificate(next(iter(auth_context["x509_pem_cert"])))
        if (named := named_device(certificate)) != device_id:
            raise UnwelcomeError(f"its certificate is for '{named}', but it says it is '{device_id}': enrol it anew")
        serial, expires_wall_ns = serial_of(certificate), round(certificate.not_valid_after_utc.timestamp() * 1e9)
        record = self._access.certificate(serial)
        if record is None and self._authority.has_signed(certificate):
            raise UnwelcomeError("its certificate is not known to this collector's store: enrol it anew")
        if record is None:
            foreign = DeviceCertificate(
                serial=serial,
                device_id=device_id,
                key_digest=key_digest(certificate.public_key()),
                issued_wall_ns=round(certificate.not_valid_before_utc.timestamp() * 1e9),
                expires_wall_ns=expires_wall_ns,
            )
            record = self._access.meet(foreign)
        if record.revoked_wall_ns is not None:
            raise UnwelcomeError(REVOKED.format(name=device_id))
        return Peer(serial, expires_wall_ns)
