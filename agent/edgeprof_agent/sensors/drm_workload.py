"""Memory and engine time that the workload's processes have on AMD's and Intel's GPUs."""

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.metric import Tier
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.amdgpu import amd_cards
from edgeprof_agent.sensors.drm_engine_time import EngineTime
from edgeprof_agent.sensors.drm_fdinfo import DrmClient, parse_fdinfo
from edgeprof_agent.sensors.drm_sleep import Clock
from edgeprof_agent.sensors.intel_gpu import intel_cards
from edgeprof_agent.sensors.kernel_file import read_text
from edgeprof_agent.sensors.proc_tree import ProcTree

_SOURCE = "/proc/PID/fdinfo"


def discover(root: Path, clock: Clock = time.monotonic) -> "DrmWorkload | None":
    """Return the sensor if there is a card whose driver tells of its users. It gives nothing until it has a process."""
    gpus = {card.slot: card.name for card in (*amd_cards(root), *intel_cards(root))}
    return DrmWorkload(root / "proc", gpus, clock) if gpus and (root / "proc/stat").exists() else None


class DrmWorkload:
    """``fdinfo`` of every card that the workload's processes have open. A driver may wait for the card to answer."""

    name = "workload_drm"
    tier = Tier.SLOW
    worker = "workload_drm"

    def __init__(self, proc: Path, gpus: Mapping[str, str], clock: Clock) -> None:
        self._proc = proc
        self._tree = ProcTree(proc)
        self._gpus = gpus
        self._clock = clock
        self._engines = EngineTime()

    def follow(self, pid: int | None) -> None:
        """Read this process and its descendants from now on."""
        self._tree.follow(pid)
        self._engines = EngineTime()

    def sample(self) -> Sequence[Reading]:
        """Return the memory and engine time of the processes, added up for each GPU that they use."""
        self._tree.refresh()
        clients = {(client.slot, client.number): client for pid in self._tree.pids for client in self._clients(pid)}
        seconds = self._engines.advance(clients.values(), self._clock())
        readings = [reading for slot, gpu in self._gpus.items() for reading in _memory(slot, gpu, clients.values())]
        for (slot, engine), value in seconds.items():
            gpu = self._gpus[slot]
            found = channel("edgeprof_workload_gpu_engine_seconds_total", _SOURCE, gpu=gpu, engine=engine)
            readings.append(Reading(found, value))
        return readings

    def close(self) -> None:
        """Let go of the processes."""
        self._tree.follow(None)

    def _clients(self, pid: int) -> Iterator[DrmClient]:
        folder = self._proc / str(pid)
        try:
            descriptors = os.listdir(folder / "fd")  # noqa: PTH208  a Path per name is slow
        except OSError:  # the process has ended, or belongs to another user
            return
        for descriptor in descriptors:
            if _is_card(folder / "fd" / descriptor):
                client = parse_fdinfo(read_text(folder / "fdinfo" / descriptor) or "")
                if client is not None and client.slot in self._gpus:
                    yield client


def _is_card(link: Path) -> bool:
    try:
        return os.readlink(link).startswith("/dev/dri/")  # noqa: PTH115  a Path per link is slow
    except OSError:  # closed since the folder was listed
        return False


def _memory(slot: str, gpu: str, clients: Iterable[DrmClient]) -> Iterator[Reading]:
    users = [client for client in clients if client.slot == slot]
    for metric, sizes in (
        ("edgeprof_workload_gpu_memory_bytes", [user.device_bytes for user in users]),
        ("edgeprof_workload_gpu_host_memory_bytes", [user.host_bytes for user in users]),
    ):
        known = [size for size in sizes if size is not None]
        if known:
            yield Reading(channel(metric, _SOURCE, gpu=gpu), sum(known))
