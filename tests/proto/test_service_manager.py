"""The notify protocol, spoken to a socket as systemd has it."""

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeprof.service_manager import ServiceManager


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(str(tmp_path / "notify"))
        made.settimeout(10)
        yield made


def heard(listening: socket.socket) -> list[str]:
    return listening.recv(4096).decode().split("\n")


def test_what_happens_is_told_line_by_line(listening: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": listening.getsockname(), "WATCHDOG_USEC": "1500000"}
    manager = ServiceManager.take_over(environment)
    assert manager.watchdog_seconds == 1.5

    manager.ready("connected")
    assert heard(listening) == ["READY=1", "STATUS=connected"]
    manager.alive("2 messages wait")
    assert heard(listening) == ["WATCHDOG=1", "STATUS=2 messages wait"]
    manager.in_trouble("stuck")
    assert heard(listening) == ["STATUS=stuck"]
    manager.stopping()
    assert heard(listening) == ["STOPPING=1"]
    manager.close()


def test_processes_started_from_here_inherit_nothing(listening: socket.socket) -> None:
    environment = {"NOTIFY_SOCKET": listening.getsockname(), "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1", "HOME": "/"}

    manager = ServiceManager.take_over(environment)

    assert environment == {"HOME": "/"}
    assert manager.watchdog_seconds is None, "it is meant for another process"
    manager.close()


def test_a_watchdog_meant_for_this_process_is_heeded(listening: socket.socket) -> None:
    environment = {
        "NOTIFY_SOCKET": listening.getsockname(),
        "WATCHDOG_USEC": "9000000",
        "WATCHDOG_PID": str(os.getpid()),
    }
    manager = ServiceManager.take_over(environment)
    assert manager.watchdog_seconds == 9.0
    manager.close()


def test_without_a_manager_nothing_happens() -> None:
    manager = ServiceManager.take_over({"WATCHDOG_USEC": "1000000"})
    manager.ready("well")
    manager.alive("well")
    assert manager.watchdog_seconds is None
    manager.close()


def test_an_address_outside_the_file_system_is_understood() -> None:
    name = f"edgeprof-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(10)
        manager = ServiceManager(f"@{name}")
        manager.stopping()
        assert heard(listening) == ["STOPPING=1"]
        manager.close()


def test_a_manager_that_is_gone_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    manager = ServiceManager(str(tmp_path / "nobody"))
    with caplog.at_level(logging.WARNING):
        manager.alive("well")
    assert "cannot be told 'WATCHDOG=1': No such file or directory" in caplog.text
    manager.close()
