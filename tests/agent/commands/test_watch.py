import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios

import pytest

from edgeprof_agent.cli import main


def test_json_is_a_line_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--rate", "50", "--count", "3", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 3
    metrics = {channel["metric"] for channel in lines[-1]["channels"]}
    assert "edgeprof_memory_available_bytes" in metrics
    assert lines[0]["time_seconds"] < lines[-1]["time_seconds"]


def test_elsewhere_than_on_a_terminal_it_prints_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--rate", "50", "--count", "2"]) == 0
    text = capsys.readouterr().out
    assert text.count("# ") == 2
    assert "edgeprof_memory_available_bytes{} " in text
    assert "\x1b" not in text


@pytest.mark.parametrize("rate", ["0", "101", "fast"])
def test_a_rate_that_cannot_be_kept_is_refused(rate: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["watch", "--rate", rate])
    assert f"expected 0.1 to 100 times a second, not '{rate}'" in capsys.readouterr().err


def test_whoever_has_seen_enough_ends_it() -> None:
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from edgeprof_agent.cli import main; raise SystemExit(main())",
            "watch",
            "--rate",
            "50",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"# ")
        process.stdout.close()
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == b""


def test_on_a_terminal_it_redraws_and_leaves_the_terminal_as_it_was() -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from edgeprof_agent.cli import main; raise SystemExit(main())",
            "watch",
            "--rate",
            "20",
        ],
        stdout=slave,
        stderr=slave,
    ) as process:
        os.close(slave)
        drawn = read_until(master, b"memory_available_bytes")
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 3, 100, 0, 0))
        process.send_signal(signal.SIGWINCH)
        drawn += read_until(master, b"lines more: make the window larger")
        process.send_signal(signal.SIGINT)
        drawn += read_until(master, b"\x1b[?1049l")
        assert process.wait(timeout=20) == 0
    os.close(master)
    assert drawn.startswith(b"\x1b[?1049h")
    assert b"\x1b[?25h" in drawn
    assert b"\x1b[2J" not in drawn  # clearing before drawing is what flickers
    assert b"Traceback" not in drawn


def read_until(descriptor: int, wanted: bytes) -> bytes:
    """Return what the terminal shows up to and with this."""
    shown = b""
    while wanted not in shown:
        shown += os.read(descriptor, 65536)
    return shown
