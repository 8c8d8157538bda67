"""Values as people read them."""

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_DECIMAL = ("", "k", "M", "G", "T", "P")


def human(metric: str, value: float) -> str:
    """Return a value with its unit, which ends the metric's name; of a counter, this is its increase per second."""
    unit, form = next((unit, form) for unit, form in _FORMS if metric.endswith(unit))
    return form(value) if unit else f"{value:.4g}"


def _bytes(value: float) -> str:
    size, step = float(value), 0
    while abs(size) >= 1024 and step < len(_BINARY) - 1:
        size, step = size / 1024, step + 1
    return f"{size:.0f} B" if step == 0 else f"{size:.1f} {_BINARY[step]}"


def _decimal(value: float, unit: str) -> str:
    size, step = float(value), 0
    while abs(size) >= 1000 and step < len(_DECIMAL) - 1:
        size, step = size / 1000, step + 1
    return f"{size:.3g} {_DECIMAL[step]}{unit}"


def _seconds(value: float) -> str:
    if abs(value) >= 1 or value == 0:
        return f"{value:.3g} s"
    return f"{value * 1e3:.3g} ms" if abs(value) >= 1e-3 else f"{value * 1e6:.0f} us"


# The first that the name ends in. What a counter gains in a second: joules are watts, seconds are a share.
_FORMS = (
    ("_bytes_per_second", lambda value: _decimal(value, "B/s")),
    ("_bytes_total", lambda value: _decimal(value, "B/s")),
    ("_joules_total", lambda value: f"{value:.2f} W"),
    ("_seconds_total", lambda value: f"{value * 100:.1f} %"),
    ("_total", lambda value: f"{value:.3g} /s"),
    ("_ratio", lambda value: f"{value * 100:.1f} %"),
    ("_bytes", _bytes),
    ("_hertz", lambda value: _decimal(value, "Hz")),
    ("_watts", lambda value: f"{value:.2f} W"),
    ("_celsius", lambda value: f"{value:.1f} C"),
    ("_seconds", _seconds),
    ("_messages", lambda value: f"{value:.0f} messages"),
    ("", str),
)
