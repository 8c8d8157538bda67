"""Enrolled devices: listed, revoked."""

import time
from dataclasses import dataclass

from edgeprof_collector.access.audit import Audit
from edgeprof_collector.store.access_records import DeviceCertificate
from edgeprof_collector.store.errors import NotFoundError
from edgeprof_collector.store.protocol import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledDevice:
    """A device and its newest certificate. ``last_seen_wall_ns`` is ``None`` if it has never connected."""

    device_id: str
    hostname: str
    expires_wall_ns: int
    revoked_wall_ns: int | None
    last_seen_wall_ns: int | None


def enrolled_devices(store: Store) -> tuple[EnrolledDevice, ...]:
    """Every device that has a certificate, by name."""
    known = {device.facts.device_id: device for device in store.devices()}

    def of(certificate: DeviceCertificate) -> EnrolledDevice:
        device = known.get(certificate.device_id)
        return EnrolledDevice(
            device_id=certificate.device_id,
            hostname=device.facts.hostname if device else "",
            expires_wall_ns=certificate.expires_wall_ns,
            revoked_wall_ns=certificate.revoked_wall_ns,
            last_seen_wall_ns=device.last_seen_wall_ns if device else None,
        )

    return tuple(of(certificate) for certificate in store.access.certificates())


def revoke_device(store: Store, name: str, by: str, address: str = "") -> EnrolledDevice:
    """Revoke a device by its id, or by its hostname if no other enrolled device has it.

    A running collector ends its stream within a second.

    Raises:
        NotFoundError: no device that could be revoked has this name.
    """
    devices = [device for device in enrolled_devices(store) if device.revoked_wall_ns is None]
    found = [each for each in devices if each.device_id == name] or [each for each in devices if each.hostname == name]
    if len(found) != 1:
        how_many = "no enrolled device is" if not found else f"{len(found)} enrolled devices are"
        raise NotFoundError(f"{how_many} called '{name}': edgeprof devices list shows their ids")
    store.access.revoke_device(found[0].device_id, time.time_ns())
    Audit(store.access).note(by, "revoked device", found[0].device_id, address=address)
    return found[0]
