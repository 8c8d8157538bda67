"""What a Mac's libraries tell the sensors, as lines of text: on a Mac there are few files to copy.

Each line is a word and its fields with tabs between them. ``tests/agent/sensors/apple/stand_in/machine.c`` lists the
words, and plays a Mac from such a file.
"""

from collections.abc import Iterator
from pathlib import Path

from edgeprof_agent.sensors.apple.c_library import LibraryMissingError
from edgeprof_agent.sensors.apple.family import is_macos
from edgeprof_agent.sensors.apple.hid import HidTemperatures
from edgeprof_agent.sensors.apple.io_registry import Service
from edgeprof_agent.sensors.apple.io_report import Format, IOReport, ReportChannel, ReportUnavailableError, Subscription
from edgeprof_agent.sensors.apple.mac import Mac, find_mac
from edgeprof_agent.sensors.apple.smc import open_smc
from edgeprof_agent.sensors.apple.temperatures import POWER_KEY, is_temperature_key
from edgeprof_agent.sensors.apple.working_set import metal_limit_bytes
from edgeprof_agent.sensors.sensor import SensorLostError

_TEXTS = ("machdep.cpu.brand_string", "hw.model", "kern.osproductversion", "kern.osrelease", "kern.hostname")
_INTEGERS = ("hw.optional.arm64", "kern.hv_vmm_present", "hw.memsize", "hw.logicalcpu", "hw.physicalcpu")
_LEVEL_INTEGERS = ("physicalcpu", "l2cachesize", "cpusperl2")
_LEVELS, _LIMIT = "hw.nperflevels", "iogpu.wired_limit_mb"
_STATES = ("com.apple.system.lowpowermode", "com.apple.system.thermalpressurelevel")
_GROUPS = (
    ("Energy Model", None),
    ("CPU Stats", "CPU Core Performance States"),
    ("GPU Stats", "GPU Performance States"),
    ("AMC Stats", "Perf Counters"),
    ("PMP", "DCS BW"),
    ("PMP0", "DCS BW"),
)
_STATISTICS, _IN_USE = "PerformanceStatistics", "In use system memory"
_TABLES = ("acc-clusters", *(f"voltage-states{number}{end}" for number in range(40) for end in ("", "-sram")))
_TICKS_PER_MS = 24_000


def mac_state(root: Path) -> bytes | None:
    """Return the lines of the Mac under ``root`` now; ``None`` for any other device."""
    mac = find_mac(root) if is_macos(root) else None
    if mac is None:
        return None
    lines = [*_system(mac), *_reports(mac), *_registry(mac), *_controller(mac), *_hid(mac)]
    return "".join("\t".join(fields) + "\n" for fields in lines).encode()


def _system(mac: Mac) -> Iterator[tuple[str, ...]]:
    system = mac.system
    yield "clock", _ticks(system.now_ns())
    for name in _TEXTS:
        if text := system.text(name):
            yield "sysctl", name, "text", text
    levels = system.integer(_LEVELS) or 0
    of_levels = [f"hw.perflevel{level}.{name}" for level in range(levels) for name in _LEVEL_INTEGERS]
    for name in (*_INTEGERS, _LEVELS, *of_levels, _LIMIT):
        if (number := system.integer(name)) is not None:
            yield "sysctl", name, "int64", str(number)
    for name in _STATES:
        if (state := system.state(name)) is not None:
            yield "notify", name, str(state)
    if source := mac.registry.power_source():
        yield "power", source
    if limit_bytes := metal_limit_bytes(mac.root):
        yield "metal", str(limit_bytes)


def _reports(mac: Mac) -> Iterator[tuple[str, ...]]:
    try:
        report = IOReport(mac.root, mac.core_foundation, mac.system)
    except LibraryMissingError:
        return
    for group, subgroup in _GROUPS:
        described = report.channels(group, subgroup)
        if not described:
            continue
        try:
            yield from _sampled(report, group, subgroup)
        except (ReportUnavailableError, SensorLostError):
            yield "refused", group
            for channel in described:
                yield *_described(channel), "-", "-"


def _sampled(report: IOReport, group: str, subgroup: str | None) -> list[tuple[str, ...]]:
    subscription = Subscription(report, group, subgroup, lambda _: True)
    lines: list[tuple[str, ...]] = []
    try:
        with subscription.totals() as totals:
            for index, channel in enumerate(subscription.channels):
                published_ns = totals.published_ns(index)
                if channel.format == Format.SIMPLE:
                    value = totals.gained(index)
                    text = "-" if value is None else str(value)
                else:
                    times = zip(channel.states, totals.residencies(index), strict=True)
                    text = ",".join(f"{state}:{time}" for state, time in times)
                stamp = "-" if published_ns is None else _ticks(published_ns)
                lines.append((*_described(channel), stamp, text))
    finally:
        subscription.close()
    return lines


def _described(channel: ReportChannel) -> tuple[str, ...]:
    kind = "state" if channel.format == Format.STATE else "simple"
    return "channel", channel.group, channel.subgroup, channel.name, kind, channel.unit


def _registry(mac: Mac) -> Iterator[tuple[str, ...]]:
    for kind, name in (("AppleARMIODevice", "pmgr"), ("IOAccelerator", None), ("AGXAccelerator", None)):
        with mac.registry.service(kind, name) as service:
            if service is not None:
                yield "service", kind, service.name
                for key, of_type, value in _properties(mac, service):
                    yield "property", kind, service.name, key, of_type, value


def _properties(mac: Mac, service: Service) -> Iterator[tuple[str, str, str]]:
    for key in _TABLES if service.name == "pmgr" else ():
        if content := service.content(key):
            yield key, "data", content.hex()
    if (cores := service.integer("gpu-core-count")) is not None:
        yield "gpu-core-count", "int", str(cores)
    with service.property(_STATISTICS) as statistics:
        used = mac.core_foundation.integer(mac.core_foundation.value(statistics, _IN_USE)) if statistics else None
    if used is not None:
        yield f"{_STATISTICS}/{_IN_USE}", "int", str(used)


def _controller(mac: Mac) -> Iterator[tuple[str, ...]]:
    smc = open_smc(mac.registry, mac.system.task)
    if smc is None:
        return
    yield "service", "AppleSMC", "AppleSMCKeysEndpoint"
    keys = sorted(smc.keys(lambda key: is_temperature_key(key) or key == POWER_KEY))
    values = [(key, content) for key in keys if (content := smc.float_content(key)) is not None]
    yield "smc", "#KEY", "ui32", (len(values) + 1).to_bytes(4, "big").hex()
    for key, content in values:
        yield "smc", key, "flt", content.hex()
    smc.close()


def _hid(mac: Mac) -> Iterator[tuple[str, ...]]:
    try:
        temperatures = HidTemperatures(mac.root, mac.core_foundation)
    except LibraryMissingError:
        return
    for name, value in temperatures.read():
        yield "hid", name, f"{value:.6g}"
    temperatures.close()


def _ticks(time_ns: int) -> str:
    return str(time_ns * _TICKS_PER_MS // 1_000_000)
