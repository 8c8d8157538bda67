"""Times and durations as people write and read them."""

import re
from datetime import datetime, timedelta

from edgeprof.errors import EdgeprofError

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def parse_duration_seconds(text: str) -> float:
    """Return the seconds of ``90s``, ``15m``, ``24h``, ``7d``, ``2w``.

    Raises:
        EdgeprofError: it is none of these, or nothing.
    """
    match = _DURATION.fullmatch(text.strip())
    if not match or float(match[1]) == 0:
        raise EdgeprofError(f"'{text}' is no duration: write it like 90s, 15m, 24h or 7d")
    return float(match[1]) * _UNIT_SECONDS[match[2]]


def parse_time(text: str, now: datetime) -> datetime:
    """Return the moment of ``2026-11-22T02:00``, with an offset or in local time, or of the next ``02:00``.

    Args:
        text: what the person wrote.
        now: the time now, in the local time zone.

    Raises:
        EdgeprofError: it is neither.
    """
    if clock := _CLOCK.fullmatch(text.strip()):
        today = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0, tzinfo=None)
        found = today.astimezone()
        return found if found > now else (today + timedelta(days=1)).astimezone()
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except ValueError as error:
        raise EdgeprofError(f"'{text}' is no time: write it like 02:00, 2026-11-22T02:00 or with +01:00") from error


def local_time(wall_ns: int) -> str:
    """Return a wall-clock time for a table, in local time."""
    return datetime.fromtimestamp(wall_ns / 1e9).astimezone().strftime("%Y-%m-%d %H:%M")
