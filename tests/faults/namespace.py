"""A second machine's network: a namespace of the kernel with a cable to this one (needs root and iproute2)."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Cable:
    """From this network to another.

    Attributes:
        namespace: where the other end is.
        device: this end.
        host: this end's address.
    """

    namespace: str
    device: str
    host: str

    def plug_in(self) -> None:
        """Bring the link up."""
        _ip("link", "set", self.device, "up")

    def pull(self) -> None:
        """Take the link down: nothing passes, and nobody at the other end is told more than that."""
        _ip("link", "set", self.device, "down")


@contextmanager
def cable() -> Iterator[Cable]:
    """A namespace and a cable to it, plugged in; the test is skipped where the kernel does not let us make one."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("network namespaces need root and iproute2")
    number = os.getpid()
    # RFC 2544: addresses for tests of network equipment, which nobody routes.
    prefix = f"198.18.{number % 256}"
    one = Cable(f"edgeprof-{number}", f"ep{number % 10**7}a", f"{prefix}.1")
    far = f"ep{number % 10**7}b"
    made = subprocess.run(["ip", "netns", "add", one.namespace], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no network namespace can be made: {made.stderr.strip()}")
    try:
        _ip("link", "add", one.device, "type", "veth", "peer", "name", far, "netns", one.namespace)
        _ip("address", "add", f"{one.host}/30", "dev", one.device)
        _ip("-n", one.namespace, "address", "add", f"{prefix}.2/30", "dev", far)
        _ip("-n", one.namespace, "link", "set", far, "up")
        one.plug_in()
        yield one
    finally:
        _ip("netns", "delete", one.namespace)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, timeout=30)
