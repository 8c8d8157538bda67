"""Which devices are meant."""

from collections.abc import Collection, Sequence

from edgeprof.errors import EdgeprofError
from edgeprof_collector.jobs.states import REVOKED
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.records import DeviceRecord

ALL = "all"


def find_devices(
    devices: Sequence[DeviceRecord], targets: Sequence[str], revoked: Collection[str] = ()
) -> tuple[DeviceRecord, ...]:
    """Return the devices that ``targets`` name, each once: by id, by hostname, by label (``family=jetson``), or all.

    Devices whose results were imported have no agent, and ``revoked`` ones may not connect: neither are meant by labels
    and ``all``.

    Raises:
        NotFoundError: a target names none, or its hostname is not enough.
        EdgeprofError: a target names a device without an agent, or a revoked one.
    """
    agents = [device for device in devices if not device.facts.imported_from and device.facts.device_id not in revoked]
    found: dict[str, DeviceRecord] = {}
    for target in targets:
        for device in _meant(target, devices, agents):
            if device.facts.device_id in revoked:
                raise EdgeprofError(f"'{target}': {REVOKED}")
            found[device.facts.device_id] = device
    return tuple(found.values())


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


def _meant(target: str, devices: Sequence[DeviceRecord], agents: Sequence[DeviceRecord]) -> Sequence[DeviceRecord]:
    if target == ALL:
        if not agents:
            raise NotFoundError("no device has connected yet: start edgeprof-agent on one")
        return agents
    label, equals, value = target.partition("=")
    if equals:
        labelled = [device for device in agents if device.facts.labels.get(label) == value]
        if not labelled:
            raise NotFoundError(f"no device has the label '{target}'; {_known_labels(agents)}")
        return labelled
    device = find_device(devices, target)
    if device.facts.imported_from:
        raise EdgeprofError(f"'{target}' has no agent: its results were imported from {device.facts.imported_from}")
    return [device]


def _known_labels(agents: Sequence[DeviceRecord]) -> str:
    labels = {f"{name}={value}" for device in agents for name, value in device.facts.labels.items()}
    return f"known: {', '.join(sorted(labels)[:10])}" if labels else "none has any (device.labels in its configuration)"
