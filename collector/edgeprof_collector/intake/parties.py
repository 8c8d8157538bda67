"""Who takes part in every stream."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeprof_collector.exposition.health import CollectorHealth
from edgeprof_collector.intake.admission import Admission
from edgeprof_collector.intake.connections import Connections
from edgeprof_collector.intake.limits import IntakeLimits
from edgeprof_collector.intake.listener import IntakeListener
from edgeprof_collector.intake.writer import GroupWriter
from edgeprof_collector.jobs.queue import JobQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """What the streams of one collector share.

    ``on_run_finished`` hears a run's id when its last event is stored. Without ``admission`` nobody has a certificate.
    """

    writer: GroupWriter
    jobs: JobQueue
    health: CollectorHealth
    limits: IntakeLimits
    listeners: Sequence[IntakeListener]
    on_run_finished: Callable[[str], None]
    connections: Connections
    admission: Admission | None = None
