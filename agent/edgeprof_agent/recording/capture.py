"""Files of a device at one moment, read within bounds."""

import os
import re
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath

from edgeprof_agent.sensors.kernel_file import read_text
from edgeprof_agent.sensors.survey import within

# Files that the kernel answers from its own memory; the load of a Jetson's GPU is 0 to it while the GPU is gated.
_ANSWERED_ASLEEP = re.compile(
    r"load|name|type|vendor|device|class|revision|uevent|modalias|subsystem_(vendor|device)|.*_label"
)

_MOST_LINKS = 40  # as many as the kernel follows


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Beyond these a file is left out, and said to be."""

    file_bytes: int = 1 << 20
    total_bytes: int = 32 << 20
    read_seconds: float = 2.0
    total_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the paths that were looked at lead, all below the root: files, folders, and sysfs's links on the way.

    Elsewhere than in sysfs a link is followed and its file takes its place: what /proc links to is a process.
    """

    files: set[PurePosixPath] = field(default_factory=set)
    folders: set[PurePosixPath] = field(default_factory=set)
    links: dict[PurePosixPath, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capture:
    """Contents by path, and for each file that could not be read the reason."""

    contents: dict[PurePosixPath, bytes] = field(default_factory=dict)
    refused: dict[PurePosixPath, str] = field(default_factory=dict)


def plan_capture(root: Path, touched: Iterable[str]) -> Plan:
    """Say what to read of the paths that were looked at. Processes are left out: they are nobody's business."""
    plan = Plan()
    for text in sorted(touched):
        path = Path(text)
        if not path.is_relative_to(root) or _is_process(path.relative_to(root)):
            continue
        links: dict[PurePosixPath, str] = {}
        end = _follow_links(root, PurePosixPath(path.relative_to(root)), links)
        if end is None or not end.parts:
            continue
        plan.links.update(links)
        try:
            mode = (root / end).stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:  # not permitted: reading it will say so
            mode = 0
        if stat.S_ISDIR(mode):
            plan.folders.add(end)
        elif not mode & 0o111:  # else a program that a sensor runs
            plan.files.add(end)
    return plan


def capture(root: Path, files: Iterable[PurePosixPath], limits: Limits) -> Capture:
    """Read the files, each in a bounded time, until a limit is reached."""
    reader = _Reader(root, limits)
    found = Capture()
    for file in sorted(files):
        content = reader.read(file)
        if isinstance(content, bytes):
            found.contents[file] = content
        else:
            found.refused[file] = content.strerror or str(content)
    return found


class _Reader:
    def __init__(self, root: Path, limits: Limits) -> None:
        self._root = root
        self._limits = limits
        self._bytes_left = limits.total_bytes
        self._end_seconds = time.monotonic() + limits.total_seconds

    def read(self, file: PurePosixPath) -> bytes | OSError:
        """Return a file's content, or why there is none."""
        if _would_wake(self._root, file):
            return OSError("its device is asleep")
        if time.monotonic() > self._end_seconds:
            return OSError(f"the recording has taken {self._limits.total_seconds:.0f} s")
        try:
            content = within(
                self._limits.read_seconds, lambda: read_bounded(self._root / file, self._limits.file_bytes)
            )
        except OSError as error:  # TimeoutError is one as well
            return error
        if len(content) > self._bytes_left:
            return OSError(f"the recording has {self._limits.total_bytes} bytes")
        self._bytes_left -= len(content)
        return content


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """Return a regular file's content. It is opened so that a file without anything to read ends the read.

    Raises:
        OSError: it cannot be read, is something else or is larger.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("not a regular file")
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        content = b""
        while part := os.read(descriptor, most_bytes + 1 - len(content)):
            content += part
            if len(content) > most_bytes:
                raise OSError(f"larger than {most_bytes} bytes")
        return content
    finally:
        os.close(descriptor)


def _would_wake(root: Path, file: PurePosixPath) -> bool:
    """Tell whether reading may wake a device: most of its values do, what it is called does not."""
    if file.parts[0] != "sys" or file.parent.name == "power" or _ANSWERED_ASLEEP.fullmatch(file.name):
        return False
    states = (read_text(root / folder / "power/runtime_status") for folder in file.parents)
    return any(state is not None and state.startswith("suspend") for state in states)


def _is_process(path: PurePath) -> bool:
    return (
        len(path.parts) > 1
        and path.parts[0] == "proc"
        and (path.parts[1].isdigit() or path.parts[1] in ("self", "thread-self"))
    )


def _follow_links(root: Path, path: PurePosixPath, links: dict[PurePosixPath, str]) -> PurePosixPath | None:
    """Return where the path leads, and note sysfs's links on its way; ``None`` if it leads out of the tree."""
    done: list[str] = []
    todo = list(reversed(path.parts))
    followed = 0
    while todo:
        part = todo.pop()
        if part == "..":
            if not done:
                return None
            done.pop()
            continue
        here = PurePosixPath(*done, part)
        if here.parts[0] != "sys" or not os.path.islink(root / here):  # noqa: PTH114  a Path's raises if not permitted
            done.append(part)
            continue
        target = os.readlink(root / here)  # noqa: PTH115  a Path would lose what the kernel wrote, such as "./"
        followed += 1
        if target.startswith("/") or followed > _MOST_LINKS:
            return None
        links[here] = target
        todo.extend(reversed(PurePosixPath(target).parts))
    return PurePosixPath(*done)
