"""The collector's own certificate authority: one file, which signs for its server and its devices."""

import ipaddress
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from edgeprof.errors import EdgeprofError
from edgeprof_collector.trust.certificates import (
    Identity,
    PrivateKey,
    fingerprint,
    key_to_pem,
    new_key,
    self_signed,
    signed,
    to_pem,
)
from edgeprof_collector.trust.device_name import alternative_name, check_device_name
from edgeprof_collector.trust.private_file import refuse_if_others_can_read, write_private

# The name under which devices know a collector with its own authority, by whatever address they reach it.
SERVER_NAME = "edgeprof-collector"

_FILE = "authority.pem"
_LIFETIME = timedelta(days=20 * 365)
SERVER_LIFETIME = timedelta(days=90)


class Authority:
    """Signs certificates with the key in its file."""

    def __init__(self, key: PrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self.certificate = certificate

    @classmethod
    def open(cls, folder: Path) -> "Authority":
        """Open the authority in a folder, or make it there.

        Raises:
            EdgeprofError: its file cannot be read or written, or others can read it too.
        """
        path = folder / _FILE
        if not path.exists():
            key = new_key()
            certificate = self_signed("edgeprof collector's authority", key, _LIFETIME)
            write_private(path, key_to_pem(key) + to_pem(certificate), replace=False)  # another may be faster
        refuse_if_others_can_read(path)
        try:
            content = path.read_bytes()
            loaded = serialization.load_pem_private_key(content, None)
            certificate = x509.load_pem_x509_certificate(content)
        except (OSError, ValueError, TypeError) as error:
            raise EdgeprofError(f"{path} cannot be read as a key and a certificate: restore it from a copy") from error
        if not isinstance(loaded, ec.EllipticCurvePrivateKey) or loaded.public_key() != certificate.public_key():
            raise EdgeprofError(f"{path} has a key that is not its certificate's: restore it from a copy")
        return cls(loaded, certificate)

    @property
    def pem(self) -> bytes:
        """The authority's certificate, which may be shown to everybody."""
        return to_pem(self.certificate)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the authority's certificate."""
        return fingerprint(self.certificate)

    def has_signed(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate is of this authority, and not of another with the same name."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def issue_server(self, names: Sequence[str], lifetime: timedelta = SERVER_LIFETIME) -> Identity:
        """A new key and certificate for the collector, reachable by these names and addresses."""
        key = new_key()
        certificate = signed(
            SERVER_NAME,
            key.public_key(),
            [x509.DNSName(SERVER_NAME), *(_general_name(name) for name in names)],
            issuer=self.certificate,
            issuer_key=self._key,
            lifetime=lifetime,
            is_server=True,
        )
        return Identity(key_pem=key_to_pem(key), chain_pem=to_pem(certificate) + self.pem)

    def issue_device(self, device_id: str, request: x509.CertificateSigningRequest, days: float) -> x509.Certificate:
        """A certificate for a device's key. Of its request nothing counts but that key: the name is what we know.

        Raises:
            EdgeprofError: the request is not signed by its own key, or that key is of another kind than ours.
        """
        check_device_name(device_id)
        key = request.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise EdgeprofError("a device's key is an elliptic one on P-256")
        if not request.is_signature_valid:
            raise EdgeprofError("the request for a certificate is not signed by its own key")
        return signed(
            device_id,
            key,
            [alternative_name(device_id)],
            issuer=self.certificate,
            issuer_key=self._key,
            lifetime=timedelta(days=days),
            is_server=False,
        )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
