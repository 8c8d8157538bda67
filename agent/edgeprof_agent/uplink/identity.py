"""Who the device is, and which boot this is."""

import hashlib
import hmac
import os
import subprocess
from pathlib import Path

from edgeprof.errors import EdgeprofError

# machine-id(5): the id itself is confidential; programs use a keyed hash of it with an id of their own.
_APPLICATION = bytes.fromhex("8f1d0c5e6a474be29a7c3d52b0e4f916")


def device_id(configured: str, root: Path, state_folder: Path) -> str:
    """Return the device's identity, which stays the same for as long as anything of it does.

    It is what the configuration says; else made from the machine id of the operating system; else, where there is
    none (macOS, many containers), a random one that is kept in the state folder.

    Raises:
        EdgeprofError: a random identity cannot be kept.
    """
    if configured:
        return configured
    machine_id = _machine_id(root)
    if machine_id:
        return hmac.new(machine_id, _APPLICATION, hashlib.sha256).digest()[:16].hex()
    return _kept_random_id(state_folder / "device-id")


def boot_id(root: Path) -> bytes:
    """Return the kernel's 16 bytes for this boot.

    Sources: ``/proc/sys/kernel/random/boot_id`` on Linux, ``sysctl kern.bootsessionuuid`` on macOS.

    Raises:
        EdgeprofError: the kernel tells neither.
    """
    file = root / "proc/sys/kernel/random/boot_id"
    try:
        text = file.read_text(encoding="ascii") if file.exists() else _sysctl("kern.bootsessionuuid")
        return bytes.fromhex(text.strip().replace("-", ""))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise EdgeprofError(f"the kernel does not tell which boot this is: {error}; is /proc mounted?") from error


def _machine_id(root: Path) -> bytes:
    """The operating system's id of this machine; empty when it has none, or not yet."""
    try:
        return bytes.fromhex((root / "etc/machine-id").read_text(encoding="ascii"))
    except (OSError, ValueError):  # none, or the word "uninitialized" during a first boot
        return b""


def _kept_random_id(file: Path) -> str:
    try:
        if file.exists():
            return file.read_text(encoding="ascii").strip()
        identity = os.urandom(16).hex()
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(identity + "\n", encoding="ascii")
        new.rename(file)
    except OSError as error:
        raise EdgeprofError(f"{file} cannot be written: {error.strerror}; choose another --state-folder") from error
    return identity


def _sysctl(name: str) -> str:
    return subprocess.run(
        ["/usr/sbin/sysctl", "-n", name], capture_output=True, check=True, encoding="ascii", timeout=5
    ).stdout
