"""Times as people write them, and as they are shown."""

import re
import time

from edgeprof.errors import EdgeprofError

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


def parse_duration(text: str, option: str) -> float:
    """Return the seconds of ``90d``, ``1h``, ``30m`` or ``10s``.

    Raises:
        EdgeprofError: it is none of these; the text names the option.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text.strip(), re.ASCII)
    if not found:
        raise EdgeprofError(f"{option} '{text}' is no time: write a number and s, m, h, d or w, such as 1h")
    return float(found[1]) * _SECONDS[found[2]]


def time_text(wall_ns: int | None) -> str:
    """Return a time on the wall, to the minute, in UTC; nothing where there is none."""
    return "" if wall_ns is None else time.strftime("%Y-%m-%d %H:%M", time.gmtime(wall_ns / 1e9))
