"""The memory bandwidth that Apple specifies for each chip.

macOS tells neither the clock of memory nor the width of its bus, so nothing can be computed. Of the Max variants from
the M3 on there are two, which differ by the count of GPU cores. The M3 Ultra's figure is Apple's, not twice the Max's.
"""

# Gigabytes (1e9) per second, by the name of the chip or of its GPU, in small letters.
SPECIFIED_GIGABYTES_PER_SECOND = {
    "apple m1": 68,
    "apple m1 pro": 200,
    "apple m1 max": 400,
    "apple m1 ultra": 800,
    "apple m2": 100,
    "apple m2 pro": 200,
    "apple m2 max": 400,
    "apple m2 ultra": 800,
    "apple m3": 100,
    "apple m3 pro": 150,
    "apple m3 max 30-core gpu": 300,
    "apple m3 max 40-core gpu": 400,
    "apple m3 ultra": 819,
    "apple m4": 120,
    "apple m4 pro": 273,
    "apple m4 max 32-core gpu": 410,
    "apple m4 max 40-core gpu": 546,
    "apple m5": 153,
    "apple m5 pro": 307,
    "apple m5 max 32-core gpu": 460,
    "apple m5 max 40-core gpu": 614,
}


def specified_bytes_per_second(chip: str, gpu: str | None) -> float | None:
    """Return the peak of a chip by its name, or else by that of its GPU; ``None`` of one that is not known."""
    for name in (chip, gpu):
        gigabytes = SPECIFIED_GIGABYTES_PER_SECOND.get((name or "").lower())
        if gigabytes is not None:
            return gigabytes * 1e9
    return None
