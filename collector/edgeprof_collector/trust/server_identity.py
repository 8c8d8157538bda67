"""The collector's certificate: of its own authority, renewed in time, or of an outside one, read when it changes."""

from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from edgeprof.errors import EdgeprofError
from edgeprof_collector.trust.authority import Authority
from edgeprof_collector.trust.certificates import Identity


class ServerIdentity(Protocol):
    """Where the certificate comes from."""

    @property
    def current(self) -> Identity:
        """The key and certificate for new connections."""
        ...

    def refresh(self) -> bool:
        """Look whether there is, or must be, a newer one; say whether ``current`` has changed.

        Raises:
            EdgeprofError: the newer one cannot be used; ``current`` stays as it was.
        """
        ...


class IssuedIdentity:
    """Of the collector's own authority: a new one when two thirds of its time are over."""

    def __init__(self, authority: Authority, names: tuple[str, ...]) -> None:
        self._authority = authority
        self._names = names
        self.current = authority.issue_server(names)

    def refresh(self) -> bool:
        """See :meth:`ServerIdentity.refresh`."""
        certificate = self.current.certificate
        lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        if certificate.not_valid_after_utc - datetime.now(timezone.utc) > lifetime / 3:
            return False
        self.current = self._authority.issue_server(self._names)
        return True


class FileIdentity:
    """Of an outside authority, in two files that somebody else renews.

    Raises:
        EdgeprofError: they cannot be read, or do not belong together.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._stamp = self._stamps()
        self.current = self._read()

    def refresh(self) -> bool:
        """See :meth:`ServerIdentity.refresh`."""
        stamp = self._stamps()
        if stamp == self._stamp:
            return False
        self.current = self._read()
        self._stamp = stamp
        return True

    def _stamps(self) -> tuple[tuple[int, int], ...]:
        try:
            facts = [path.stat() for path in (self._certificate, self._key)]
        except OSError as error:
            raise EdgeprofError(f"{error.filename} cannot be read: {error.strerror}; check tls.certificate") from error
        return tuple((fact.st_mtime_ns, fact.st_ino) for fact in facts)

    def _read(self) -> Identity:
        try:
            identity = Identity(key_pem=self._key.read_bytes(), chain_pem=self._certificate.read_bytes())
            key = serialization.load_pem_private_key(identity.key_pem, None)
            certificate = x509.load_pem_x509_certificate(identity.chain_pem)
        except OSError as error:
            raise EdgeprofError(f"{error.filename} cannot be read: {error.strerror}; check tls.certificate") from error
        except (ValueError, TypeError) as error:
            raise EdgeprofError(
                f"{self._certificate} and {self._key} are not a certificate and a key without password, in PEM"
            ) from error
        if key.public_key() != certificate.public_key():
            raise EdgeprofError(f"{self._key} is not the key of {self._certificate}: name those that belong together")
        return identity
