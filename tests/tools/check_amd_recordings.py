"""Checks the readers of AMD GPUs against files of real cards.

Run by hand: ``python -m tests.tools.check_amd_recordings FOLDER``. A folder below with a ``uevent`` is the sysfs
folder of one card; ``*sysfs*.txt`` is one as text, a heading ``==> path <==`` before each file; ``*rocm*.json``
is what ``rocm-smi --json`` made of those files, which are written anew from it; ``amdgpu_top*.json`` has tables of the
firmware that another program has read. Each card is read by the real sensors, and what they give is
held against the files: nothing may be there without its file, nothing missing that its file has, and the firmware's
table must agree with the chip of hardware monitoring, to which it gives the same temperatures.
"""

import argparse
import json
import re
import shutil
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edgeprof_agent.sensors import amdgpu
from edgeprof_agent.sensors.amdgpu_metrics import parse_gpu_metrics
from edgeprof_agent.sensors.drm_part import CardSensor
from edgeprof_agent.sensors.kernel_file import read_text
from tests.agent.sensors.devices import close

_HEADING = re.compile(r"^==> \S*?/device/(\S+) <==\n", re.MULTILINE)

# What each file becomes, the pattern of its number, and how many of the number's units make one of the channel's.
_CHANNELS = (
    ("gpu_busy_percent", "gpu_busy_ratio amd0", r"(\d+)", 100),
    ("mem_busy_percent", "gpu_memory_busy_ratio amd0", r"(\d+)", 100),
    ("mem_info_vram_total", "gpu_memory_total_bytes amd0", r"(\d+)", 1),
    ("mem_info_vram_used", "gpu_memory_used_bytes amd0", r"(\d+)", 1),
    ("mem_info_gtt_total", "gpu_host_memory_total_bytes amd0", r"(\d+)", 1),
    ("mem_info_gtt_used", "gpu_host_memory_used_bytes amd0", r"(\d+)", 1),
    ("pp_dpm_sclk", "gpu_clock_hertz sm amd0", r": (\d+)Mhz \*", 1e-6),
    ("pp_dpm_mclk", "gpu_clock_hertz memory amd0", r": (\d+)Mhz \*", 1e-6),
    ("hwmon/*/power1_average", "gpu_power_watts amd0 average", r"(\d+)", 1e6),
    ("hwmon/*/temp1_input", "gpu_temperature_celsius amd0 edge", r"(\d+)", 1e3),
    ("hwmon/*/temp2_input", "gpu_temperature_celsius amd0 junction", r"(\d+)", 1e3),
    ("hwmon/*/temp3_input", "gpu_temperature_celsius amd0 memory", r"(\d+)", 1e3),
)

# What rocm-smi prints, the file that it reads it from, and how that file says it.
_ROCM_SMI = (
    ("GPU use (%)", "gpu_busy_percent", "{:.0f}"),
    ("GPU Memory Read/Write Activity (%)", "mem_busy_percent", "{:.0f}"),
    ("VRAM Total Memory (B)", "mem_info_vram_total", "{:.0f}"),
    ("VRAM Total Used Memory (B)", "mem_info_vram_used", "{:.0f}"),
    ("GTT Total Memory (B)", "mem_info_gtt_total", "{:.0f}"),
    ("GTT Total Used Memory (B)", "mem_info_gtt_used", "{:.0f}"),
    ("sclk clock speed:", "pp_dpm_sclk", "0: {:.0f}Mhz *"),
    ("mclk clock speed:", "pp_dpm_mclk", "0: {:.0f}Mhz *"),
    ("Average Graphics Package Power (W)", "hwmon/hwmon0/power1_average", "{:.0f}000000"),
    ("Temperature (Sensor edge) (C)", "hwmon/hwmon0/temp1_input", "{:.0f}000"),
    ("Temperature (Sensor junction) (C)", "hwmon/hwmon0/temp2_input", "{:.0f}000"),
    ("Temperature (Sensor memory) (C)", "hwmon/hwmon0/temp3_input", "{:.0f}000"),
)


def main() -> int:
    """Check everything below a folder. Returns 1 if something does not fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch:
        for name, device in _cards(folder, Path(scratch)):
            found = _read_card(device, Path(scratch) / f"root-{name}")
            problems = [*_compare(device, found), *_compare_table(device)]
            wrong += len(problems)
            sys.stdout.write("\n".join([f"{name}: {len(found)} values, {len(problems)} wrong", *problems, ""]))
            sys.stdout.writelines(f"  {label} = {value:.12g}\n" for label, value in sorted(found.items()))
    for path in sorted(folder.rglob("amdgpu_top*.json")):
        wrong += _check_revisions(path)
    return 1 if wrong else 0


def _cards(folder: Path, scratch: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("uevent")):
        if "DRIVER=amdgpu" in (read_text(path) or ""):
            yield path.parent.name, path.parent
    for path in sorted(folder.rglob("*sysfs*.txt")):
        parts = _HEADING.split(path.read_text(encoding="utf-8"))
        device = scratch / path.stem
        for file, content in zip(parts[1::2], parts[2::2], strict=True):
            (device / file).parent.mkdir(parents=True, exist_ok=True)
            (device / file).write_text(content, encoding="utf-8")
        yield path.stem, device
    for path in sorted(folder.rglob("*rocm*.json")):
        for name, values in json.loads(path.read_text(encoding="utf-8")).items():
            if name.startswith("card"):
                yield f"{path.stem}-{name}", _from_rocm_smi(values, scratch / f"{path.stem}-{name}")


def _from_rocm_smi(values: dict[str, str], device: Path) -> Path:
    for key, file, form in _ROCM_SMI:
        number = re.search(r"[\d.]+", values.get(key, ""))
        if number:
            (device / file).parent.mkdir(parents=True, exist_ok=True)
            (device / file).write_text(form.format(float(number[0])) + "\n", encoding="utf-8")
    for index, place in enumerate(("edge", "junction", "mem"), start=1):  # the kernel's names of what it printed
        (device / f"hwmon/hwmon0/temp{index}_label").write_text(f"{place}\n", encoding="utf-8")
    (device / "uevent").write_text(f"DRIVER=amdgpu\nPCI_SLOT_NAME={values['PCI Bus']}\n", encoding="utf-8")
    return device


def _read_card(device: Path, root: Path) -> dict[str, float]:
    card = root / "sys/class/drm/card0"
    shutil.copytree(device, card / "device")
    for hwmon in (card / "device").glob("hwmon/*"):
        (hwmon / "name").write_text("amdgpu\n", encoding="utf-8")  # not every copy has it; every chip has
    sensors = amdgpu.discover(root)
    readings = [reading for sensor in sensors if isinstance(sensor, CardSensor) for reading in sensor.sample()]
    close(sensors)
    return {
        " ".join((channel.metric.removeprefix("edgeprof_"), *(label for _, label in channel.labels))): value
        for channel, value in readings
    }


def _compare(device: Path, found: dict[str, float]) -> Iterator[str]:
    for file, label, pattern, units in _CHANNELS:
        text = next((text for path in device.glob(file) if (text := read_text(path))), "")
        match = re.search(pattern, text)
        expected = int(match[1]) / units if match else None
        if file.startswith("pp_dpm") and expected == 0:
            expected = None  # switched off
        if file == "mem_busy_percent" and not (device / file).exists():
            continue  # from the firmware's table, if at all
        if found.get(label) != expected:
            yield f"  WRONG {label}: read {found.get(label)}, the file has {expected}"


def _compare_table(device: Path) -> Iterator[str]:
    """The first fields of a version 1.3 table are the temperatures that hwmon shows."""
    path = device / "gpu_metrics"
    if not path.exists():
        return
    table = path.read_bytes()
    metrics = parse_gpu_metrics(table)
    if metrics is None or table[2:4] != b"\x01\x03":
        yield f"  WRONG gpu_metrics: version {table[2]}.{table[3]} is not understood"
        return
    for number, celsius in enumerate(struct.unpack_from("<3H", table, 4), start=1):
        shown = next(iter(device.glob(f"hwmon/*/temp{number}_input")), None)
        text = read_text(shown) if shown else None
        if text is not None and abs(int(text) / 1000 - celsius) > 3:  # they were copied one after the other
            yield f"  WRONG gpu_metrics: temperature {number} is {celsius}, hwmon has {text}"
    sys.stdout.write(f"  table of {device.name}: {metrics}\n")


def _check_revisions(path: Path) -> int:
    """Return how many of the tables would not be understood, though they have values that are read."""
    unknown = 0
    for device in json.loads(path.read_text(encoding="utf-8"))["devices"]:
        header = device["gpu_metrics"]["header"]
        revision = (header["format_revision"], header["content_revision"])
        size = header["structure_size"]
        metrics = parse_gpu_metrics(struct.pack("<HBB", size, *revision) + b"\xff" * (size - 4))
        is_without_values = revision in {(2, 0), (2, 1)}
        unknown += metrics is None and not is_without_values
        answer = "has nothing that is read" if is_without_values else "is understood" if metrics else "WRONG: is not"
        sys.stdout.write(f"{path.name}: table {revision[0]}.{revision[1]} of {size} bytes {answer}\n")
    return unknown


if __name__ == "__main__":
    sys.exit(main())
