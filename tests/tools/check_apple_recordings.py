"""Check the readers of Apple's counters against recordings, by hand.

    python -m tests.tools.check_apple_recordings FOLDER

Of lists by powermetrics (``*.plist``) every energy, clock and share that a search of the text finds must be what the
parser makes of it. Of inventories of the "Energy Model" group (``*.tsv``: name, unit) the channels taken as blocks must
be those that a list of words leaves. Prints what was found, and fails if something differs.
"""

import re
import sys
from pathlib import Path

from edgeprof_agent.sensors.apple.energy import is_block
from edgeprof_agent.sensors.apple.power_metrics_plist import parse_power_metrics

_ENERGIES = {"CPU": "cpu_energy", "GPU": "gpu_energy", "ANE": "ane_energy"}
_PARTS_OF_BLOCKS = ("DTL", "SRAM", "ACC", "CPM", "PCIe", "apcie", "ISP", "AVE", "MSR", "DCS", "AMCC", "DISP", "AVD")
_CORE = re.compile(r"<key>cpu</key>\s*<integer>(\d+)</integer>.*?<key>freq_hz</key>\s*<real>([^<]+)<", re.DOTALL)
_UNITS = {"mJ", "uJ", "nJ"}


def main(folder: Path) -> int:
    """Check every list and inventory in the folder."""
    faults = 0
    for path in sorted(folder.rglob("*.plist")):
        lists = [text for text in path.read_bytes().split(b"\0") if text.strip()]
        for text in lists:
            wrong = _check_list(text)
            faults += len(wrong)
            print(f"{path.name}: {wrong or 'as the text says'}")  # noqa: T201  it is a command
    for path in sorted(folder.rglob("*.tsv")):
        wrong, blocks = _check_inventory(path.read_text(encoding="utf-8"))
        faults += len(wrong)
        print(f"{path.name}: {', '.join(blocks)}{f'; WRONG {wrong}' if wrong else ''}")  # noqa: T201  it is a command
    return 1 if faults else 0


def _check_list(printed: bytes) -> list[str]:
    found = parse_power_metrics(printed)
    if found is None:
        return ["the whole list"]
    text = printed.decode()
    processor, gpu = text.partition("<key>processor</key>")[2], text.partition("<key>gpu</key>")[2]
    gpu = gpu.partition("<key>processor</key>")[0]
    wrong = []
    for rail, key in _ENERGIES.items():
        told = _values(processor, key)[-1:]  # the clusters, which come before, have none of their own
        if told and abs(found.joules.get(rail, -1) * 1e3 - told[0]) > 1e-6:
            wrong.append(key)
    (idle,) = _values(gpu, "idle_ratio")[:1]
    if found.gpu_busy_ratio is None or abs(found.gpu_busy_ratio + idle - 1) > 1e-9:
        wrong.append("idle_ratio")
    (clock_mhz,) = _values(gpu, "freq_hz")[:1]
    if found.gpu_clock_hertz != clock_mhz * 1e6:
        wrong.append("freq_hz of the GPU")
    cores = {core: float(clock) for core, clock in _CORE.findall(processor) if float(clock)}  # a core that slept has 0
    if dict(found.core_clocks_hertz) != cores:
        wrong.append(f"cores: {dict(found.core_clocks_hertz)} instead of {cores}")
    (elapsed_ns,) = _values(text, "elapsed_ns")[:1]
    return wrong if found.elapsed_seconds == elapsed_ns / 1e9 else [*wrong, "elapsed_ns"]


def _values(text: str, key: str) -> list[float]:
    return [float(value) for value in re.findall(rf"<key>{key}</key>\s*<(?:integer|real)>([^<]+)<", text)]


def _check_inventory(text: str) -> tuple[list[str], list[str]]:
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    names = {name for name, *_ in rows}
    blocks = sorted(name for name in names if is_block(name))
    expected = sorted(name for name in names if not any(word in name for word in _PARTS_OF_BLOCKS))
    wrong = [] if blocks == expected else sorted(set(blocks) ^ set(expected))
    return wrong + [name for name, unit, *_ in rows if unit not in _UNITS], blocks


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
