"""`edgeprof-agent enroll` and `edgeprof-agent reset`: becoming a member of a collector, and leaving."""

import sys
import time
from pathlib import Path

from edgeprof_agent.config import read_config
from edgeprof_agent.enrolment.joining import join
from edgeprof_agent.uplink.enrolment import forget_enrolment
from edgeprof_agent.uplink.identity import device_id


def enroll_device(collector: str, token: str, config: Path | None, state_folder: str) -> int:
    """Enrol this device and say how long its certificate lasts. Returns the exit status.

    Raises:
        EdgeprofError: it is not enrolled; the text says why.
    """
    told = read_config(config)
    folder = Path(state_folder).expanduser() if state_folder else told.state_path
    is_on_input = token == "-"  # noqa: S105  a dash, no secret
    name = device_id(told.device.id, Path("/"), folder)
    enrolment = join(collector, sys.stdin.readline() if is_on_input else token, name, folder)
    ends = time.strftime("%Y-%m-%d", time.gmtime(enrolment.expires_wall_ns / 1e9))
    sys.stdout.write(f"{name} is enrolled with {enrolment.collector}; its certificate lasts until {ends}, and renews\n")
    return 0


def reset_device(config: Path | None, state_folder: str) -> int:
    """Forget this device's key and certificate, and nothing else. Returns the exit status.

    Raises:
        EdgeprofError: they cannot be removed.
    """
    folder = Path(state_folder).expanduser() if state_folder else read_config(config).state_path
    if forget_enrolment(folder):
        text = "the key and certificate are gone; what waits to be sent, and the device's identity, stay"
    else:
        text = "this device is not enrolled"
    sys.stdout.write(f"{text}\n")
    return 0
