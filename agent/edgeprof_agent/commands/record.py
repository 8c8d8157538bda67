"""`edgeprof-agent record`: what the sensors read on this device, for an owner to send."""

import json
import re
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edgeprof import __version__
from edgeprof.errors import EdgeprofError
from edgeprof.telemetry import Channel
from edgeprof_agent.recording.capture import Capture, Limits, capture, plan_capture
from edgeprof_agent.recording.commands import command_outputs
from edgeprof_agent.recording.golden import exposition, tree_facts, tree_readings
from edgeprof_agent.recording.mac_state import mac_state
from edgeprof_agent.recording.masks import Masks
from edgeprof_agent.recording.secrets import device_secrets
from edgeprof_agent.recording.touched_path import touched_path
from edgeprof_agent.recording.tree import write_files, write_tree
from edgeprof_agent.sensors.device_facts import gather_device_facts
from edgeprof_agent.sensors.survey import survey, within

_ARCHIVE = ".tar.gz"
_FACTS_SECONDS = 15.0
_MAC_STATE = PurePosixPath("mac.tsv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a recording holds. ``not_in_tree``: channels that no file gives, such as those of a driver's library."""

    output: Path
    files: int
    refused: dict[str, str]
    masked: dict[str, int]
    channels: int
    not_in_tree: tuple[str, ...]
    problems: dict[str, str]


def record_device(output: str, *, commands: bool) -> int:
    """Record this device and say what was recorded. Returns the exit status, 0.

    Raises:
        EdgeprofError: the output exists or cannot be written.
    """
    recorded = record(Path(output), Path("/"), commands=commands)
    sys.stdout.write(_summary(recorded))
    return 0


def record(
    output: Path, root: Path, *, commands: bool = False, gap_seconds: float = 1.0, limits: Limits | None = None
) -> Recorded:
    """Record the device under ``root`` to a folder, or to an archive if the name ends in ``.tar.gz``.

    Everything is put together beside the output and moved to its name at the end.

    Raises:
        EdgeprofError: the output exists or cannot be written.
    """
    if output.exists() or output.is_symlink():
        raise EdgeprofError(f"{output} exists already; nothing is overwritten: give another name")
    try:
        with tempfile.TemporaryDirectory(prefix=".edgeprof-record-", dir=output.absolute().parent) as scratch:
            folder = Path(scratch) / "recording"
            recorded = _write(output, folder, root, commands, gap_seconds, limits or Limits())
            if output.name.endswith(_ARCHIVE):
                _pack(folder, _name(folder), Path(scratch) / "archive")
                (Path(scratch) / "archive").rename(output)
            else:
                folder.rename(output)
            return recorded
    except OSError as error:
        raise EdgeprofError(f"{output} cannot be written: {error.strerror or error}") from error


def _write(output: Path, folder: Path, root: Path, commands: bool, gap_seconds: float, limits: Limits) -> Recorded:
    touched: set[str] = set()
    families = survey(touched_path(root, touched), gap_seconds=0.0)
    problems = {family.family: family.problem for family in families if family.problem}
    if problem := _touch_facts(touched_path(root, touched)):
        problems["facts"] = problem
    masks = Masks(device_secrets(root))
    plan = plan_capture(root, touched)
    before = _with_mac(capture(root, plan.files, limits), root)
    time.sleep(gap_seconds)
    after = _with_mac(capture(root, before.contents.keys() - {_MAC_STATE}, limits), root)
    folder.mkdir()
    write_tree(folder / "tree", plan, before.contents, masks)
    write_files(folder / "later", _changes(before, after, masks), masks)
    live = [reading for family in families for reading in family.readings]
    replayed = tree_readings(folder / "tree", folder / "later")
    (folder / "exposition.txt").write_text(exposition(replayed), encoding="utf-8")
    (folder / "live.txt").write_text(masks.string(exposition(live)), encoding="utf-8")
    (folder / "facts.json").write_text(tree_facts(folder / "tree"), encoding="utf-8")
    for name, printed in command_outputs().items() if commands else ():
        (folder / f"{name}.txt").write_bytes(masks.content(PurePosixPath(name), printed))
    recorded = Recorded(
        output=output,
        files=len(before.contents),
        refused={masks.string(str(path)): reason for path, reason in sorted(before.refused.items())},
        masked=dict(sorted(masks.counts.items())),
        channels=len(replayed),
        not_in_tree=_missing([channel for channel, _ in live], [channel for channel, _ in replayed], masks),
        problems={name: masks.string(problem) for name, problem in problems.items()},
    )
    (folder / "recording.json").write_text(_description(recorded), encoding="utf-8")
    return recorded


def _with_mac(captured: Capture, root: Path) -> Capture:
    """Add what a Mac's libraries tell, as if it were one more file."""
    state = mac_state(root)
    if state is not None:
        captured.contents[_MAC_STATE] = state
    return captured


def _touch_facts(root: Path) -> str | None:
    """Have the device's facts be read; return what went wrong."""
    try:
        within(_FACTS_SECONDS, lambda: gather_device_facts(root, "device-1", {}))
    except Exception as error:  # noqa: BLE001  whatever it is, what was read until then is recorded
        return str(error) or type(error).__name__
    return None


def _changes(before: Capture, after: Capture, masks: Masks) -> dict[PurePosixPath, bytes]:
    """What has changed, secrets left out."""
    earlier = {path: masks.content(path, content) for path, content in before.contents.items()}
    later = {path: masks.content(path, content) for path, content in after.contents.items()}
    return {path: content for path, content in later.items() if content != earlier[path]}


def _missing(live: Sequence[Channel], replayed: Sequence[Channel], masks: Masks) -> tuple[str, ...]:
    there = {(channel.metric, channel.labels) for channel in replayed}
    masked = [(channel, tuple((name, masks.string(label)) for name, label in channel.labels)) for channel in live]
    return tuple(
        sorted(
            f"{channel.metric} of {masks.string(channel.source)}"
            for channel, labels in masked
            if (channel.metric, labels) not in there
        )
    )


def _description(recorded: Recorded) -> str:
    """Say how the recording was made, for whoever gets it."""
    description = {
        "agent_version": __version__,
        "python": sys.version.split()[0],
        "files": recorded.files,
        "masked": recorded.masked,
        "refused": recorded.refused,
        "not_in_tree": recorded.not_in_tree,
        "problems": recorded.problems,
    }
    return json.dumps(description, indent=2) + "\n"


def _name(folder: Path) -> str:
    """Name the recording as device trees are named: by board, system and state."""
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    board, system = (re.sub(r"[^a-z0-9.]+", "-", (facts[key] or "unknown").lower()) for key in ("board", "os"))
    return f"{board.strip('-')}__{system.strip('-')}__recorded"


def _pack(folder: Path, name: str, archive: Path) -> None:
    """Write the archive. Its headers name no user."""

    def anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    with archive.open("wb") as file, tarfile.open(fileobj=file, mode="w:gz") as packed:
        packed.add(folder, name, filter=anonymous)


def _summary(recorded: Recorded) -> str:
    masked = ", ".join(f"{count} {kind}" for kind, count in recorded.masked.items()) or "nothing"
    lines = [
        f"{recorded.output}: {recorded.files} files, which give {recorded.channels} channels",
        f"masked: {masked}",
    ]
    lines += [f"left out: /{path}: {reason}" for path, reason in recorded.refused.items()]
    lines += [f"no answer from {family}: {problem}" for family, problem in recorded.problems.items()]
    if recorded.not_in_tree:
        lines.append(f"{len(recorded.not_in_tree)} channels come from no file; live.txt has their values")
    lines.append("Look through it before you send it: grep for names and numbers that only you know.")
    return "\n".join(lines) + "\n"
