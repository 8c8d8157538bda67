"""What admins do: tokens, enrolled devices, the audit log."""

from edgeprof_collector.access.desk import TokenDesk, TokenFacts
from edgeprof_collector.access.requests import CreatedToken, TokenRequest
from edgeprof_collector.enrolment.devices import EnrolledDevice, enrolled_devices, revoke_device
from edgeprof_collector.store.access_records import AuditEntry
from edgeprof_collector.store.protocol import Store

_ENROLMENT_SECONDS = 3600.0


class Administration:
    """Acts on a store, for a collector whose authority has this fingerprint. Blocks as the store does.

    What is done is noted as done ``by`` somebody from an ``address``; empty: on the collector's own machine.
    """

    def __init__(self, store: Store, fingerprint: str, by: str, address: str = "") -> None:
        self._store = store
        self._by = by
        self._address = address
        self._desk = TokenDesk(store.access, fingerprint)

    def create_token(self, wanted: TokenRequest) -> CreatedToken:
        """Make a token.

        Raises:
            EdgeprofError: what is wanted is not possible.
        """
        if wanted.role is not None:
            token = self._desk.create_access(wanted.name, wanted.role, wanted.ttl_seconds, self._by, self._address)
        else:
            ttl_seconds = wanted.ttl_seconds or _ENROLMENT_SECONDS
            token = self._desk.create_enrolment(ttl_seconds, wanted.uses, wanted.device, self._by, self._address)
        return CreatedToken(token_id=token.token_id, token=token.text)

    def tokens(self) -> tuple[TokenFacts, ...]:
        """Every token, the latest first."""
        return self._desk.tokens()

    def revoke_token(self, token_id: str) -> None:
        """End a token.

        Raises:
            NotFoundError: no token that is good has this id.
        """
        self._desk.revoke(token_id, self._by, self._address)

    def enrolled_devices(self) -> tuple[EnrolledDevice, ...]:
        """Every device that has a certificate, by name."""
        return enrolled_devices(self._store)

    def revoke_device(self, name: str) -> EnrolledDevice:
        """Revoke a device.

        Raises:
            NotFoundError: no device that could be revoked has this name.
        """
        return revoke_device(self._store, name, self._by, self._address)

    def audit(self, most: int) -> tuple[AuditEntry, ...]:
        """The audit log, the latest first."""
        return self._store.access.audit(most)
