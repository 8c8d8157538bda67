"""What the makers' own programs print about a device: beside its files, for reading by people."""

import subprocess

# One per vendor's tool. tegrastats prints until it is ended.
_COMMANDS = (
    ("nvidia-smi", "-q"),
    ("tegrastats", "--interval", "500"),
    ("nvpmodel", "-q"),
)
_SECONDS = 3.0


def command_outputs() -> dict[str, bytes]:
    """Return by name what each program printed in three seconds; a program that is not there is left out."""
    printed = {command[0]: _output(command) for command in _COMMANDS}
    return {name: output for name, output in printed.items() if output is not None}


def _output(command: tuple[str, ...]) -> bytes | None:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired as expired:
        return expired.stdout or b""
    except OSError:  # not installed, or not for us
        return None
    return done.stdout + done.stderr
