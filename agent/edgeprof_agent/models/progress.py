"""Progress of a part, as progress of the whole."""

from collections.abc import Callable


def share_of_progress(on_progress: Callable[[float], None], begin: float, width: float) -> Callable[[float], None]:
    """Return what takes the progress of a part, 0 to 1, that begins at ``begin`` and is ``width`` of the whole."""
    return lambda ratio: on_progress(begin + ratio * width)
