"""Which temperatures can be true."""

_LOWEST, _HIGHEST = -40.0, 125.0  # the range of industrial silicon and its sensors


def celsius(raw_mc: int | None) -> float | None:
    """Convert millidegrees; ``None`` for what chips report where nothing is connected or a block is powered down.

    Seen in the field: -256 (Jetson), -128, -44, 127 and 255 degrees (open diodes, ACPI tables without a sensor) and
    exactly 0. A true 0.000 degrees is lost with them, for as long as it stays exactly that.
    """
    if not raw_mc or not _LOWEST < raw_mc / 1000 < _HIGHEST:
        return None
    return raw_mc / 1000
