"""The store in one SQLite file: the embedded default."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof.device import DeviceFacts
from edgeprof.messages import from_message
from edgeprof.run import RunRecord
from edgeprof.telemetry import Gap
from edgeprof.v1 import device_pb2
from edgeprof.v1.telemetry_pb2 import RunTelemetry
from edgeprof_collector.store import admission, adoption, arrivals, runs
from edgeprof_collector.store.database import Database
from edgeprof_collector.store.protocol import Admission, Delivery, Greeting
from edgeprof_collector.store.records import DeviceRecord, RunSummary
from edgeprof_collector.store.retention import Retention, Retired, retire, return_space
from edgeprof_collector.store.sqlite_access import SqliteAccess
from edgeprof_collector.store.sqlite_outgoing import SqliteOutgoing
from edgeprof_collector.store.sqlite_triggers import SqliteTriggers


class SqliteStore:
    """A :class:`~edgeprof_collector.store.protocol.Store` in the file at ``path``, made when missing.

    Other processes may use the file at the same time.

    Raises:
        StoreError: the file cannot be made, opened or understood.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)
        self._outgoing = SqliteOutgoing(self._database)
        self._triggers = SqliteTriggers(self._database)
        self._access = SqliteAccess(self._database)

    @property
    def outgoing(self) -> SqliteOutgoing:
        """See :attr:`Store.outgoing`."""
        return self._outgoing

    @property
    def triggers(self) -> SqliteTriggers:
        """See :attr:`Store.triggers`."""
        return self._triggers

    @property
    def access(self) -> SqliteAccess:
        """See :attr:`Store.access`."""
        return self._access

    def admit(self, greetings: Sequence[Greeting]) -> tuple[Admission, ...]:
        """See :meth:`Store.admit`."""
        with self._database.writing() as connection:
            return tuple(admission.admit(connection, greeting) for greeting in greetings)

    def describe(self, facts: device_pb2.DeviceFacts) -> None:
        """See :meth:`Store.describe`."""
        with self._database.writing() as connection:
            admission.describe(connection, facts)

    def commit(self, deliveries: Sequence[Delivery]) -> tuple[int, ...]:
        """See :meth:`Store.commit`."""
        with self._database.writing() as connection:
            return tuple(arrivals.keep(connection, delivery) for delivery in deliveries)

    def adopt(self, records: Sequence[RunRecord]) -> None:
        """See :meth:`Store.adopt`."""
        with self._database.writing() as connection:
            for record in records:
                adoption.adopt(connection, record)

    def devices(self) -> tuple[DeviceRecord, ...]:
        """See :meth:`Store.devices`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT facts, first_seen_wall_ns, max(last_seen_wall_ns) FROM devices JOIN spools USING (device_id) "
                "GROUP BY device_id ORDER BY device_id"
            )
            return tuple(
                DeviceRecord(
                    facts=from_message(DeviceFacts, device_pb2.DeviceFacts.FromString(facts)),
                    first_seen_wall_ns=first_seen_wall_ns,
                    last_seen_wall_ns=last_seen_wall_ns,
                )
                for facts, first_seen_wall_ns, last_seen_wall_ns in rows
            )

    def gaps(self, device_id: str) -> tuple[Gap, ...]:
        """See :meth:`Store.gaps`."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT first_sequence, last_sequence, cause FROM gaps JOIN spools USING (spool_id) "
                "WHERE device_id = ? ORDER BY gap_id",
                (device_id,),
            )
            return tuple(runs.gap(*row) for row in rows)

    def runs(self) -> tuple[RunSummary, ...]:
        """See :meth:`Store.runs`."""
        with self._database.reading() as connection:
            return runs.summaries(connection)

    def run(self, run_id: str) -> RunRecord:
        """See :meth:`Store.run`."""
        with self._database.reading() as connection:
            return runs.record(connection, run_id)

    def telemetry(self, run_id: str) -> RunTelemetry:
        """See :meth:`Store.telemetry`."""
        with self._database.reading() as connection:
            return runs.telemetry(connection, run_id)

    def set_baseline(self, run_id: str, *, is_baseline: bool) -> None:
        """See :meth:`Store.set_baseline`."""
        with self._database.writing() as connection:
            runs.set_baseline(connection, run_id, is_baseline=is_baseline)

    def retire(self, retention: Retention, now_wall_ns: int, destinations: Sequence[str] = ()) -> Retired:
        """See :meth:`Store.retire`."""
        with self._database.writing() as connection:
            retired = retire(connection, retention, now_wall_ns, destinations)
            return_space(connection)
            return retired

    def close(self) -> None:
        """See :meth:`Store.close`."""
        self._database.close()
