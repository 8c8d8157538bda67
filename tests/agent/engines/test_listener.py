import os
import socket
import sys
from pathlib import Path

import pytest

from edgeprof_agent.engines.listener import listening_process

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROW = (
    "   0: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  1000        0 {inode} 1\n"
)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_listener_of_this_machine_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listening_process(f"http://127.0.0.1:{server.getsockname()[1]}/v1") == os.getpid()


def device(root: Path, *rows: str) -> Path:
    """A device with two processes that share socket 77, as parent and child do, and one with another."""
    (root / "proc" / "net").mkdir(parents=True)
    (root / "proc" / "net" / "tcp").write_text(HEAD + "".join(rows))
    for pid, inode in ((31, 77), (32, 77), (7, 5)):
        folder = root / "proc" / str(pid) / "fd"
        folder.mkdir(parents=True)
        (folder / "3").symlink_to(f"socket:[{inode}]")
    return root


@pytest.mark.parametrize(
    ("address", "process"),
    [
        ("http://127.0.0.1:8080", 31),
        ("http://localhost:8080/v1", 31),
        ("http://127.0.0.1", 7),
        ("http://127.0.0.1:9", None),
        ("http://127.0.0.1:443", None),
        ("https://127.0.0.1", None),
    ],
)
def test_the_port_and_the_state_decide(tmp_path: Path, address: str, process: int | None) -> None:
    rows = [ROW.format(port=8080, state="0A", inode=77), ROW.format(port=80, state="0A", inode=5)]
    connected = ROW.format(port=443, state="01", inode=5)
    assert listening_process(address, device(tmp_path, *rows, connected)) == process


def test_without_proc_nothing_is_known(tmp_path: Path) -> None:
    assert listening_process("http://127.0.0.1:80", tmp_path) is None
