"""Why an Intel GPU's clocks are held back."""

from pathlib import Path

from edgeprof.catalogue import channel
from edgeprof.telemetry import Reading
from edgeprof_agent.sensors.kernel_file import KernelFile

_POWER = ("pl1", "pl2", "pl4", "psys_pl1", "psys_pl2", "psys_crit")
_CURRENT = ("vr_tdc", "iccmax", "fastvmode")
_THERMAL = ("prochot", "ratl")
_REASONS = ("power", "current", "thermal", "other")


def reason_of(limiter: str) -> str:
    """Return which of edgeprof's reasons a limiter is, by the name of the driver's file for it."""
    if limiter in _POWER:
        return "power"
    if limiter in _CURRENT:
        return "current"
    return "thermal" if limiter in _THERMAL or "thermal" in limiter else "other"


class LimitReasons:
    """The driver's files of limiters, 1 while one holds. Each read asks the GPU, so all are asked only if one holds."""

    is_counted = False

    def __init__(self, gpu: str, folder: Path, prefix: str, source: str) -> None:
        status = folder / ("status" if prefix == "reason_" else f"{prefix}status")
        self._status = KernelFile(status)
        self._limiters = {
            path.name.removeprefix(prefix): KernelFile(path)
            for path in sorted(folder.glob(f"{prefix}*"))
            if path != status
        }
        self._channels = {
            reason: channel("edgeprof_gpu_throttled_ratio", f"{source}/{prefix}*", gpu=gpu, reason=reason)
            for reason in _REASONS
        }

    def read(self) -> list[Reading]:
        """Return 1 for each reason that holds and 0 for the others."""
        status = self._status.read_int()
        if status is None:
            return []
        holding = {name for name, file in self._limiters.items() if file.read_int() == 1} if status else set()
        reasons = {reason_of(name) for name in holding}
        return [Reading(found, float(reason in reasons)) for reason, found in self._channels.items()]

    def close(self) -> None:
        """Close the files."""
        self._status.close()
        for file in self._limiters.values():
            file.close()
