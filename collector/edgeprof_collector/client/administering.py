"""What admins do, through a running collector's HTTP API."""

import msgspec

from edgeprof_collector.access.desk import TokenFacts
from edgeprof_collector.access.requests import CreatedToken, TokenRequest
from edgeprof_collector.client.http import HttpClient, quoted
from edgeprof_collector.enrolment.devices import EnrolledDevice
from edgeprof_collector.store.access_records import AuditEntry


class HttpAdministration(HttpClient):
    """The same as :class:`~edgeprof_collector.enrolment.administration.Administration`, from afar."""

    def create_token(self, wanted: TokenRequest) -> CreatedToken:
        """See :meth:`Administration.create_token`."""
        return self._decode(self._request("POST", "tokens", content=msgspec.json.encode(wanted)), CreatedToken)

    def tokens(self) -> tuple[TokenFacts, ...]:
        """See :meth:`Administration.tokens`."""
        return self._get("tokens", tuple[TokenFacts, ...])

    def revoke_token(self, token_id: str) -> None:
        """See :meth:`Administration.revoke_token`."""
        self._request("DELETE", f"tokens/{quoted(token_id)}")

    def enrolled_devices(self) -> tuple[EnrolledDevice, ...]:
        """See :meth:`Administration.enrolled_devices`."""
        return self._get("enrolments", tuple[EnrolledDevice, ...])

    def revoke_device(self, name: str) -> EnrolledDevice:
        """See :meth:`Administration.revoke_device`."""
        return self._decode(self._request("DELETE", f"enrolments/{quoted(name)}"), EnrolledDevice)

    def audit(self, most: int) -> tuple[AuditEntry, ...]:
        """See :meth:`Administration.audit`."""
        return self._get(f"audit?most={most}", tuple[AuditEntry, ...])
