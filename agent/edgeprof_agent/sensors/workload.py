"""CPU time and memory of the workload: the engine's process and its descendants."""

from collections.abc import Sequence
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.proc_tree import ProcTree
from edgeprof_agent.sensors.process_tree import ProcessTree
from edgeprof_agent.sensors.psutil_tree import PsutilTree
from edgeprof_agent.sensors.sensor import Sensor


def discover(root: Path) -> tuple[Sensor, ...]:
    """Return the workload's sensors. They give nothing until they are told which process to follow."""
    tree: ProcessTree
    if (root / "proc/stat").exists():
        tree = ProcTree(root / "proc")
    elif root == Path("/"):
        tree = PsutilTree()
    else:
        return ()
    return (WorkloadUsage(tree), WorkloadMemory(tree))


class WorkloadUsage:
    """CPU time, major page faults and resident memory. A workload that has ended gives no readings."""

    name = "workload"
    tier = Tier.FAST

    def __init__(self, tree: ProcessTree) -> None:
        self._tree = tree
        self._cpu_seconds = channel("edgeprof_workload_cpu_seconds_total", tree.source)
        self._major_faults = channel("edgeprof_workload_major_page_faults_total", tree.source)
        self._resident = channel("edgeprof_workload_resident_bytes", tree.source)

    def follow(self, pid: int | None) -> None:
        """Read this process and its descendants from now on."""
        self._tree.follow(pid)

    def sample(self) -> Sequence[Reading]:
        """Return what the processes use, known descendants included."""
        usage = self._tree.usage()
        if usage is None:
            return ()
        readings = [Reading(self._cpu_seconds, usage.cpu_seconds), Reading(self._resident, usage.resident_bytes)]
        if usage.major_faults is not None:
            readings.append(Reading(self._major_faults, usage.major_faults))
        return readings


class WorkloadMemory:
    """Resident memory by kind. Also looks for new descendants, which is too dear for the fast tier."""

    name = "workload_memory"
    tier = Tier.SLOW

    def __init__(self, tree: ProcessTree) -> None:
        self._tree = tree
        self._anonymous = channel("edgeprof_workload_resident_anonymous_bytes", tree.kinds_source)
        self._file = channel("edgeprof_workload_resident_file_bytes", tree.kinds_source)
        self._peak = channel("edgeprof_workload_resident_peak_bytes", tree.kinds_source)

    def follow(self, pid: int | None) -> None:
        """Read this process and its descendants from now on."""
        self._tree.follow(pid)

    def sample(self) -> Sequence[Reading]:
        """Return the processes' memory by kind."""
        self._tree.refresh()
        kinds = self._tree.resident_kinds()
        if kinds is None:
            return ()
        return (
            Reading(self._anonymous, kinds.anonymous_bytes),
            Reading(self._file, kinds.file_bytes),
            Reading(self._peak, kinds.peak_bytes),
        )

    def close(self) -> None:
        """Let go of the processes."""
        self._tree.follow(None)
