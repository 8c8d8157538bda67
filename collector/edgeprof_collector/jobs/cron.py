"""When a schedule comes next."""

from datetime import datetime, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from edgeprof.errors import EdgeprofError

_FIELDS = 5


def next_time_wall_ns(every: str, timezone_name: str, after_wall_ns: int) -> int:
    """Return the first time after ``after_wall_ns`` that the cron expression ``every`` means in a time zone.

    Days without the hour, and those with it twice, are read as Debian's cron reads them.

    Raises:
        EdgeprofError: the expression or the time zone is none, or the expression means no time at all.
    """
    return _find(every, timezone_name, after_wall_ns, reverse=False)


def last_time_wall_ns(every: str, timezone_name: str, before_wall_ns: int) -> int:
    """Return the last time before ``before_wall_ns`` that the cron expression ``every`` means in a time zone.

    Raises:
        EdgeprofError: as of :func:`next_time_wall_ns`.
    """
    return _find(every, timezone_name, before_wall_ns, reverse=True)


def _find(every: str, timezone_name: str, from_wall_ns: int, *, reverse: bool) -> int:
    zone = _zone(timezone_name)
    if len(every.split()) != _FIELDS:
        raise EdgeprofError(f"'{every}' has not the five fields of a cron expression: '0 2 * * *' is 02:00 every day")
    start = datetime.fromtimestamp(from_wall_ns // 10**9, tz=timezone.utc).astimezone(zone)
    try:
        found = next(CronSim(every, start, reverse=reverse))
    except CronSimError as error:
        raise EdgeprofError(
            f"'{every}' is no cron expression: {str(error).lower()}; '0 2 * * *' is 02:00 daily"
        ) from error
    except StopIteration:
        raise EdgeprofError(f"'{every}' never comes: no year has that day") from None
    return round(found.timestamp()) * 10**9


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError, PermissionError) as error:
        raise EdgeprofError(f"'{name}' is no time zone that this machine knows: use one like Europe/Berlin") from error
