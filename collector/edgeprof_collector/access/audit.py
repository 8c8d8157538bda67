"""Who did what: kept in the store, and said in the log."""

import logging
import time

from edgeprof_collector.store.access import Access
from edgeprof_collector.store.access_records import AuditEntry

_log = logging.getLogger(__name__)


class Audit:
    """Notes what changes who may do what, and what people and scripts ask of devices. Blocks as the store does."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def note(self, actor: str, action: str, subject: str = "", detail: str = "", address: str = "") -> None:
        """Note one act. Its texts may come from anybody.

        Raises:
            StoreError: the store cannot be written.
        """
        entry = AuditEntry(
            wall_ns=time.time_ns(), actor=actor, action=action, subject=subject, detail=detail, address=address
        )
        self._access.note(entry)
        words = " ".join(
            word for word in (actor, action, subject, detail, f"from {address}" if address else "") if word
        )
        _log.info("audit: %s", words)
