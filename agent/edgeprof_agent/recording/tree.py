"""A recording on disk: a tree of files as the sensors see them, and what the same files held later."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from edgeprof_agent.recording.capture import Plan
from edgeprof_agent.recording.masks import Masks


def write_tree(folder: Path, plan: Plan, contents: Mapping[PurePosixPath, bytes], masks: Masks) -> None:
    """Write files, the folders that were looked into, and links, all without secrets, in paths as well.

    Raises:
        OSError: the folder cannot be written.
    """
    for link, target in plan.links.items():
        place = folder / masks.string(str(link))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(masks.string(target))
    for found in plan.folders:
        (folder / masks.string(str(found))).mkdir(parents=True, exist_ok=True)
    write_files(folder, {path: masks.content(path, content) for path, content in contents.items()}, masks)


def write_files(folder: Path, contents: Mapping[PurePosixPath, bytes], masks: Masks) -> None:
    """Write contents that have no secrets to their places.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in contents.items():
        place = folder / masks.string(str(path))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def overlay(root: Path, later: Path) -> None:
    """Bring a tree to its later moment. Files are written in place, since sensors keep them open."""
    for path in later.rglob("*"):
        if path.is_file():
            (root / path.relative_to(later)).write_bytes(path.read_bytes())
