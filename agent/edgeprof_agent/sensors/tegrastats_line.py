"""Lines of tegrastats, of every JetPack.

A line names its values in words; what stands where differs by board, release and privilege:

    RAM 534/3964MB (...) CPU [...] EMC_FREQ 3%@1600 GR3D_FREQ 12%@921 ... CPU@36.5C ... POM_5V_IN 1022/1022
    ... GR3D_FREQ 14%@[407,407] ... gpu@-256C ... VDD_IN 5299mW/5299mW NC 0mW/0mW
    ... GR3D_FREQ @[1574,1574,1574] ... gpu@51.2C/66.6C ... VDD_GPU 6330mW/6330mW/6330mW

Powers are now/mean or now/mean/highest, in milliwatts with or without the unit; temperatures now or now/highest;
clocks in megahertz, one for each cluster of the GPU; EMC's share is of its clock now and is there for root alone.
"""

import re

from edgeprof_agent.sensors.jetson_values import JetsonValues

# A line is believed if it begins as lines do, does so once, and ends in a power or a temperature: a number that is cut
# short would otherwise be taken for a smaller one.
_BEGINNING = re.compile(r"(?:\d\d-\d\d-\d{4} \d\d:\d\d:\d\d )?RAM \d+/\d+MB .*?(?:CPU|cpu) \[[^][]*\]", re.ASCII)
_END = re.compile(r"(?:\d+mW|@-?\d+(?:\.\d+)?C|/-?\d+(?:\.\d+)?C|[A-Z]\w* -?\d+/-?\d+)$", re.ASCII)
_LONGEST = 4096

_RAIL = re.compile(r"(?<!\S)([A-Za-z]\w*) (-?\d{1,7})(mW)?/-?\d{1,7}(?:mW)?(?:/-?\d{1,7}mW)?(?!\S)", re.ASCII)
_TEMPERATURE = re.compile(r"(?<!\S)([A-Za-z]\w*)@(-?\d{1,4}(?:\.\d+)?)C(?:/-?\d{1,4}(?:\.\d+)?C)?(?!\S)", re.ASCII)
_GPU = re.compile(r"(?<!\S)GR3D(?:_FREQ)? (?:(\d{1,3})%)?(?:@\[?(\d{1,5}(?:,\d{1,5})*)\]?)?(?!\S)", re.ASCII)
_MEMORY = re.compile(r"(?<!\S)EMC(?:_FREQ)? (?:(\d{1,3})%)?(?:@(\d{1,5}))?(?!\S)", re.ASCII)
_NOT_CONNECTED = "NC"


def parse_line(line: bytes) -> JetsonValues | None:
    """Return the values of a line; ``None`` for one that is none of tegrastats', or not whole."""
    text = line[:_LONGEST].decode("ascii", "replace").strip()
    if not _BEGINNING.match(text) or text.count("RAM ") - text.count("IRAM ") != 1 or not _END.search(text):
        return None
    gpu, memory = _GPU.search(text), _MEMORY.search(text)
    return JetsonValues(
        rails_watts={rail: int(now) / 1000 for rail, now, _ in _RAIL.findall(text) if rail != _NOT_CONNECTED},
        temperatures_celsius={place: float(now) for place, now in _TEMPERATURE.findall(text)},
        gpu_busy_ratio=_ratio(gpu),
        gpu_clocks_hertz=_gpu_clocks(gpu[2]) if gpu and gpu[2] else {},
        memory_busy_ratio=_ratio(memory),
        memory_clock_hertz=int(memory[2]) * 1e6 if memory and memory[2] else None,
    )


def _ratio(match: re.Match[str] | None) -> float | None:
    return int(match[1]) / 100 if match and match[1] else None


def _gpu_clocks(megahertz: str) -> dict[str, float]:
    """Return one clock as that of the cores, several as those of the clusters of cores (GPC)."""
    clocks = [int(clock) * 1e6 for clock in megahertz.split(",")]
    return {"sm": clocks[0]} if len(clocks) == 1 else {f"gpc{index}": clock for index, clock in enumerate(clocks)}
