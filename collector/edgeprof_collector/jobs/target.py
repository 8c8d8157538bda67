"""Which device is meant."""

from collections.abc import Sequence

from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.records import DeviceRecord


def find_device(devices: Sequence[DeviceRecord], target: str) -> DeviceRecord:
    """Return the device whose id is ``target``, or else the only one with this hostname.

    Raises:
        NotFoundError: there is none, or the hostname is not enough.
    """
    for device in devices:
        if device.facts.device_id == target:
            return device
    same_host = [device for device in devices if device.facts.hostname == target]
    if len(same_host) == 1:
        return same_host[0]
    if same_host:
        ids = ", ".join(device.facts.device_id for device in same_host)
        raise NotFoundError(f"several devices are called '{target}': name one by its id, {ids}")
    known = ", ".join(device.facts.device_id for device in devices[:10]) or "no device has connected yet"
    raise NotFoundError(f"no device is called '{target}'; known: {known}")
