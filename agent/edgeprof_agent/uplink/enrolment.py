"""What a device has from its enrolment: a key, its certificate, and how it knows its collector. One private file."""

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from edgeprof.errors import EdgeprofError

_FILE = "enrolment.json"
_ENROL = "edgeprof-agent enroll --collector HOST --token TOKEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A device's membership. Times are the collector's; texts in PEM.

    ``collector`` is where the device streams to, ``api`` where it renews what has ended, each host and port. The
    collector is checked by ``authority_pem``, empty for the usual public ones, and must show ``server_name``, empty
    for the host's. ``key_pem`` never leaves the device.
    """

    device_id: str
    collector: str
    api: str
    server_name: str
    authority_pem: str
    certificate_pem: str
    key_pem: str = field(repr=False)
    issued_wall_ns: int
    expires_wall_ns: int

    @property
    def renewal_wall_ns(self) -> int:
        """When it should be renewed: two thirds of its time are over."""
        return self.expires_wall_ns - (self.expires_wall_ns - self.issued_wall_ns) // 3


def read_enrolment(state_folder: Path) -> Enrolment | None:
    """Read the enrolment; ``None`` if the device is not enrolled.

    Raises:
        EdgeprofError: the file cannot be read.
    """
    path = state_folder / _FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Enrolment)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EdgeprofError(f"{path} cannot be read: {error.strerror}; enrol as the agent's user") from error
    except msgspec.DecodeError as error:
        raise EdgeprofError(f"{path} is damaged: edgeprof-agent reset, then {_ENROL}") from error


def keep_enrolment(state_folder: Path, enrolment: Enrolment) -> None:
    """Write the enrolment whole or not at all, for its owner's eyes from its first byte on.

    Raises:
        EdgeprofError: it cannot be written.
    """
    path = state_folder / _FILE
    try:
        state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=state_folder, prefix=f".{_FILE}.")  # its mode is 0600
        part = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(enrolment))
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise EdgeprofError(f"{path} cannot be written: {error.strerror}; choose another --state-folder") from error


def forget_enrolment(state_folder: Path) -> bool:
    """Remove the key and certificate; return whether there were any.

    Raises:
        EdgeprofError: the file cannot be removed.
    """
    path = state_folder / _FILE
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise EdgeprofError(f"{path} cannot be removed: {error.strerror}; run it as the agent's user") from error
    return True
