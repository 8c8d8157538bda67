"""Devices get their certificates here: for a token the first time, for the one before it later."""

import time
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from edgeprof.errors import EdgeprofError
from edgeprof_collector.access.audit import Audit
from edgeprof_collector.access.secrets import TokenKind, parse_token
from edgeprof_collector.store.access import Access
from edgeprof_collector.store.access_records import DeviceCertificate
from edgeprof_collector.trust.certificates import key_digest, to_pem
from edgeprof_collector.trust.device_name import check_device_name
from edgeprof_collector.trust.opening import Trust

_DAY_NS = 86400 * 10**9
_REQUEST_BYTES = 16384


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What a device needs to connect.

    ``authority_pem`` are the certificates by which it checks the collector, empty for the usual public ones, and
    ``server_name`` the name that it finds in the collector's, empty for the one that it calls it by.
    """

    certificate_pem: str
    authority_pem: str
    server_name: str
    issued_wall_ns: int
    expires_wall_ns: int


class EnrolmentDesk:
    """Issues certificates of the collector's own authority. Blocks as the store does."""

    def __init__(self, trust: Trust, access: Access) -> None:
        self._trust = trust
        self._access = access
        self._audit = Audit(access)

    def enrol(self, token_text: str, device_id: str, request_pem: str, address: str) -> Issued:
        """The first certificate of a device, or the first after a reset.

        Raises:
            EdgeprofError: the name or the request is not possible.
            EnrolmentRefusedError: the token does not let this device in.
        """
        token = parse_token(token_text, TokenKind.ENROLMENT)
        issued, record = self._issue(device_id, request_pem)
        self._access.enrol(token.token_id, token.digest, record)
        self._audit.note(f"token {token.token_id}", "enrolled", device_id, f"certificate {record.serial}", address)
        return issued

    def renew(self, device_id: str, request_pem: str) -> Issued:
        """A further certificate for a device that is connected with a good one; its key may be another.

        Raises:
            EdgeprofError: the request is not possible.
            EnrolmentRefusedError: the device has no certificate of this collector's, or is revoked.
        """
        issued, record = self._issue(device_id, request_pem)
        self._access.renew(record, grace_ns=0, by_key=False)
        self._audit.note(device_id, "renewed", device_id, f"certificate {record.serial}")
        return issued

    def renew_late(self, device_id: str, request_pem: str, address: str) -> Issued:
        """A further certificate for a device whose own has ended while it was away; its key must be the same.

        The request is signed by that key, which is the proof; whoever repeats it gets a certificate without a key.

        Raises:
            EdgeprofError: the request is not possible.
            EnrolmentRefusedError: the key is another, the device is revoked, or the grace is over.
        """
        issued, record = self._issue(device_id, request_pem)
        self._access.renew(record, grace_ns=round(self._trust.config.grace_days * _DAY_NS), by_key=True)
        self._audit.note(device_id, "renewed late", device_id, f"certificate {record.serial}", address)
        return issued

    def _issue(self, device_id: str, request_pem: str) -> tuple[Issued, DeviceCertificate]:
        check_device_name(device_id)
        request = _read_request(request_pem)
        certificate = self._trust.authority.issue_device(device_id, request, self._trust.config.device_days)
        now, expires = time.time_ns(), round(certificate.not_valid_after_utc.timestamp() * 1e9)
        issued = Issued(
            certificate_pem=to_pem(certificate).decode(),
            authority_pem=self._trust.anchor.authority_pem,
            server_name=self._trust.anchor.server_name,
            issued_wall_ns=now,
            expires_wall_ns=expires,
        )
        record = DeviceCertificate(
            serial=serial_of(certificate),
            device_id=device_id,
            key_digest=key_digest(certificate.public_key()),
            issued_wall_ns=now,
            expires_wall_ns=expires,
        )
        return issued, record


def serial_of(certificate: x509.Certificate) -> str:
    """A certificate's number, as the store keeps it."""
    return f"{certificate.serial_number:x}"


def _read_request(pem: str) -> x509.CertificateSigningRequest:
    try:
        request = x509.load_pem_x509_csr(pem[:_REQUEST_BYTES].encode())
        request.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise EdgeprofError("the request for a certificate is no PKCS #10 in PEM, of a kind that is known") from error
    return request
