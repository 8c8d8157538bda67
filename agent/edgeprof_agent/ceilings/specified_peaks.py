"""Peak memory bandwidth as the makers specify it, by product.

Only names that stand for one bandwidth are here. Left out are those that makers use for several: GeForce RTX 3060
(8 and 12 GB), laptop GPUs (by the maker of the laptop), and processors whose memory is bought apart.
"""

import re

from edgeprof_agent.sensors.apple.chips import SPECIFIED_GIGABYTES_PER_SECOND

# Gigabytes (1e9) per second. Names as drivers and kernels tell them, without what `_plain` takes off.
_EXACT: dict[str, float] = {
    **SPECIFIED_GIGABYTES_PER_SECOND,
    "a100-pcie-40gb": 1555,
    "a100-sxm4-40gb": 1555,
    "a100 80gb pcie": 1935,
    "a100-sxm4-80gb": 2039,
    "h100 pcie": 2000,
    "h100 80gb hbm3": 3350,
    "h200": 4800,
    "l40s": 864,
    "tesla t4": 320,
    "t4": 320,
    "rtx 3090": 936,
    "rtx 4060 ti": 288,
    "rtx 4080 super": 736,
    "rtx 4090": 1008,
    "rtx 5060": 448,
    "rtx 5090": 1792,
    "gb10": 273,
    "rx 7900 xtx": 960,
    "rx 7900 xt": 800,
    "rx 9060 xt": 322,
    "rx 9070 xt": 640,
    "instinct mi300x": 5300,
    "arc a770": 560,
    "arc b580": 456,
    "tx1 gpu": 25.6,
    "tx2 gpu": 59.7,
    "nano gpu": 25.6,
    "xavier nx gpu": 59.7,
    "agx xavier gpu": 136.5,
    "agx xavier 8gb gpu": 85.3,
    "orin nano 4gb gpu": 34,
    "orin nano 4gb super gpu": 51,
    "orin nano 8gb gpu": 68,
    "orin nano 8gb super gpu": 102,
    "orin nx gpu": 102.4,
    "agx orin gpu": 204.8,
    "thor gpu": 273,
}

# Names that go on with a number of the model or the name of its graphics. The longest that fits counts.
_BEGINNINGS = {
    "ryzen ai max": 256,
}

_MAKERS = ("nvidia", "geforce", "amd", "radeon", "intel", "jetson")


def specified_peak(product: str) -> float | None:
    """Return the bytes per second that the maker of a GPU or a processor specifies; ``None`` if it is not known.

    A name fits only as a whole: an RTX 4090 Laptop GPU is no RTX 4090.
    """
    name = _plain(product)
    gigabytes = _EXACT.get(name)
    if gigabytes is None:
        fitting = [start for start in _BEGINNINGS if re.match(rf"{re.escape(start)}(\+| |$)", name)]
        gigabytes = _BEGINNINGS[max(fitting, key=len)] if fitting else None
    return None if gigabytes is None else gigabytes * 1e9


def _plain(product: str) -> str:
    """Take off marks of trade, makers' names and the word "Graphics" at the end, and even out blanks and case."""
    words = re.sub(r"\((?:r|tm)\)|[®™]", " ", product.lower()).split()
    while words and words[0] in _MAKERS:
        words.pop(0)
    while words and words[-1] == "graphics":
        words.pop()
    return " ".join(words)
