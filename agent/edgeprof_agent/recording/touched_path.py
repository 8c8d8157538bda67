"""A root that notes what is looked at under it."""

from pathlib import Path, PosixPath
from typing import Any


def touched_path(root: Path, touched: set[str]) -> Path:
    """Return ``root`` as a path that adds to ``touched`` every path made from it that is opened, listed or resolved.

    The system's functions ask a path for its text as soon as they use it, so that no sensor can read a file without
    its being noted, however it reads.
    """

    class TouchedPath(PosixPath):
        def __fspath__(self) -> str:
            text = str(self)
            touched.add(text)
            return text

        def glob(self, *arguments: Any, **options: Any) -> Any:  # its signature changes from version to version
            for path in super().glob(*arguments, **options):
                touched.add(str(path))  # from Python 3.13 on it is found without being asked for its text
                yield path

    return TouchedPath(root)
