"""What every store keeps of tokens, certificates and who did what."""

from collections.abc import Sequence
from typing import Protocol

from edgeprof.errors import EdgeprofError
from edgeprof_collector.store.access_records import AccessToken, AuditEntry, DeviceCertificate, EnrolmentToken


class EnrolmentRefusedError(EdgeprofError):
    """A token or key does not let this device in."""


class Access(Protocol):
    """Tokens, devices' certificates, and the audit log.

    Raises:
        StoreError: from every method, when the store cannot be read or written.
    """

    def add_token(self, token: AccessToken | EnrolmentToken) -> None:
        """Keep a new token."""
        ...

    def access_token(self, token_id: str) -> AccessToken | None:
        """The token of a person or script; ``None`` if there is none of this id."""
        ...

    def access_tokens(self) -> tuple[AccessToken, ...]:
        """Every token of people and scripts, the latest first, those that ended too."""
        ...

    def enrolment_tokens(self) -> tuple[EnrolmentToken, ...]:
        """Every token for devices, the latest first, those that ended too."""
        ...

    def revoke_token(self, token_id: str, now_wall_ns: int) -> bool:
        """Let a token of either kind end now; ``False`` if no token that is good has this id."""
        ...

    def enrol(self, token_id: str, digest: bytes, certificate: DeviceCertificate) -> None:
        """Use an enrolment token up by one, and keep the certificate; the device's former ones are revoked.

        Raises:
            EnrolmentRefusedError: the token is unknown, ended or for another device; or the device is enrolled, its
                key is another, and the token was not made for it.
        """
        ...

    def renew(self, certificate: DeviceCertificate, *, grace_ns: int, by_key: bool) -> None:
        """Keep a further certificate of an enrolled device; the former ones stay good until they end.

        Args:
            certificate: the new one.
            grace_ns: how long ago the device's last certificate may have ended.
            by_key: whether one of those must have been for the same key.

        Raises:
            EnrolmentRefusedError: the device has no such certificate, or is revoked.
        """
        ...

    def certificate(self, serial: str) -> DeviceCertificate | None:
        """A certificate by its number; ``None`` if it was never kept here."""
        ...

    def meet(self, certificate: DeviceCertificate) -> DeviceCertificate:
        """Keep a certificate of an outside authority that a device has come with; return it as it stands here.

        It is revoked if the device was, after this certificate was issued.
        """
        ...

    def certificates(self) -> tuple[DeviceCertificate, ...]:
        """The newest certificate of every device, by name."""
        ...

    def revoke_device(self, device_id: str, now_wall_ns: int) -> int:
        """Revoke all certificates of a device; return how many of them were good."""
        ...

    def revoked_since(self, wall_ns: int) -> Sequence[DeviceCertificate]:
        """What was revoked after this time."""
        ...

    def note(self, entry: AuditEntry) -> None:
        """Add to the audit log.."""
        ...

    def audit(self, most: int) -> tuple[AuditEntry, ...]:
        """The audit log, the latest first."""
        ...
