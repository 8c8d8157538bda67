"""Memory traffic: the controllers' counters behind a stand-in for the system call, and the caches' by files."""

import errno
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edgeprof.telemetry import Reading
from edgeprof_agent.sensors import memory_traffic, resctrl, uncore
from edgeprof_agent.sensors.perf_event import PerfCount, PerfCounter, PerfEvent
from edgeprof_agent.sensors.sensor import Sensor, SensorLostError
from edgeprof_agent.sensors.uncore import Traffic
from tests.agent.sensors.devices import Device, close

XEON = "dell-poweredge-r750__ubuntu-24.04__load"
READ, WRITE = 0x0F04, 0x3004
UNITS = "sys/bus/event_source/devices"


class Counter:
    """A counter whose count is set by the test."""

    def __init__(self) -> None:
        self.count = PerfCount(0, 0, 0)
        self.is_open = True

    def read(self) -> PerfCount:
        return self.count

    def close(self) -> None:
        self.is_open = False


@dataclass
class Kernel:
    """Opens counters, and refuses from the one with the number ``refuse_after`` on."""

    refuse_after: int = 1000
    counters: dict[tuple[PerfEvent, int], Counter] = field(default_factory=dict)

    def open(self, event: PerfEvent, cpu: int) -> PerfCounter:
        if len(self.counters) >= self.refuse_after:
            raise PermissionError(errno.EACCES, "Permission denied")
        counter = self.counters[event, cpu] = Counter()
        return counter


def by_direction(readings: list[Reading]) -> dict[str, float]:
    return {dict(channel.labels)["direction"]: value for channel, value in readings}


def sample(sensor: Sensor) -> dict[str, float]:
    return by_direction(list(sensor.sample()))


def test_every_controller_of_every_package_is_counted(tmp_path: Path) -> None:
    kernel = Kernel()
    sensor = uncore.discover(Device(XEON, tmp_path).root, kernel.open)
    assert sensor is not None
    wanted = {(PerfEvent(40 + n, config), cpu) for n in range(4) for config in (READ, WRITE) for cpu in (0, 2)}
    assert set(kernel.counters) == wanted
    for (event, _), counter in kernel.counters.items():
        counter.count = PerfCount(1000 if event.config == READ else 10, 5, 5)
    assert sample(sensor) == {"read": 8 * 1000 * 64, "write": 8 * 10 * 64}
    close((sensor,))
    assert not any(counter.is_open for counter in kernel.counters.values())


def test_a_refusal_leaves_nothing_open(tmp_path: Path) -> None:
    kernel = Kernel(refuse_after=5)
    assert uncore.discover(Device(XEON, tmp_path).root, kernel.open) is None
    assert len(kernel.counters) == 5
    assert not any(counter.is_open for counter in kernel.counters.values())


def unit(root: Path, name: str, events: dict[str, str], formats: dict[str, str], cpus: str = "0") -> None:
    folder = root / UNITS / name
    for part in ("events", "format"):
        (folder / part).mkdir(parents=True)
    (folder / "type").write_text("30\n")
    (folder / "cpumask").write_text(f"{cpus}\n")
    for event, terms in events.items():
        (folder / "events" / event).write_text(f"{terms}\n")
        (folder / f"events/{event}.scale").write_text("6.103515625e-5\n")
        (folder / f"events/{event}.unit").write_text("MiB\n")
    for term, bits in formats.items():
        (folder / "format" / term).write_text(f"{bits}\n")


FORMATS = {"event": "config:0-7", "umask": "config:8-15"}


@pytest.mark.parametrize(
    ("name", "events", "formats", "configs"),
    [
        (
            "uncore_imc_0",
            {
                "cas_count_read_sch0": "event=0x05,umask=0xcf",
                "cas_count_read_sch1": "event=0x06,umask=0xcf",
                "cas_count_write_sch0": "event=0x05,umask=0xf0",
                "cas_count_write_sch1": "event=0x06,umask=0xf0",
            },
            FORMATS,
            {0xCF05, 0xCF06, 0xF005, 0xF006},
        ),
        (
            "uncore_imc_free_running_0",
            {"data_read": "event=0xff,umask=0x20", "data_write": "event=0xff,umask=0x30", "data_total": "event=0xff"},
            FORMATS,
            {0x20FF, 0x30FF},
        ),
        ("uncore_imc", {"data_reads": "event=0x01", "data_writes": "event=0x02"}, FORMATS, {1, 2}),
        ("amd_umc_0", {}, {"event": "config:0-7", "rdwrmask": "config:8-9"}, {0x10A, 0x20A}),
    ],
)
def test_designs(name: str, events: dict[str, str], formats: dict[str, str], configs: set[int], tmp_path: Path) -> None:
    unit(tmp_path, name, events, formats)
    kernel = Kernel()
    sensor = uncore.discover(tmp_path, kernel.open)
    assert sensor is not None
    assert {event.config for event, _ in kernel.counters} == configs
    for counter in kernel.counters.values():
        counter.count = PerfCount(1, 1, 1)
    assert sample(sensor) == dict.fromkeys(("read", "write"), 64 * len(configs) / 2)
    close((sensor,))


@pytest.mark.parametrize(
    ("events", "formats", "cpus"),
    [
        ({"cas_count_read": "event=0x04"}, FORMATS, "0"),  # reads alone are not the traffic
        ({"cas_count_read": "event=0x04", "cas_count_write": "event=0x04,umask=0x30"}, {"event": "config:0-7"}, "0"),
        ({"cas_count_read": "event=0x04", "cas_count_write": "event=0x05"}, FORMATS, "none"),
    ],
)
def test_units_that_are_not_understood_are_left_alone(
    events: dict[str, str], formats: dict[str, str], cpus: str, tmp_path: Path
) -> None:
    unit(tmp_path, "uncore_imc_0", events, formats, cpus)
    kernel = Kernel()
    assert uncore.discover(tmp_path, kernel.open) is None
    assert not any(counter.is_open for counter in kernel.counters.values())


def test_counters_that_take_turns_are_scaled_and_never_fall() -> None:
    counter = Counter()
    traffic = Traffic(counter, 64)
    totals = []
    for count in (
        PerfCount(100, 1000, 1000),
        PerfCount(150, 2000, 1500),  # counted half of the time
        PerfCount(150, 3000, 1500),  # had no turn: nothing is known yet
        PerfCount(250, 4000, 2500),  # the turn that it had stands for both
    ):
        counter.count = count
        totals.append(traffic.read())
    assert totals == [100 * 64, 200 * 64, 200 * 64, 400 * 64]


def test_caches_add_up(tmp_path: Path) -> None:
    device = Device(XEON, tmp_path)
    sensor = memory_traffic.discover(device.root)
    assert sensor is not None
    assert sample(sensor) == {"both": 912340992 + 441122816}
    first = device.root / "sys/fs/resctrl/mon_data/mon_L3_00/mbm_total_bytes"
    first.write_text("Unavailable\n")
    assert sample(sensor) == {"both": 912340992 + 441122816}
    first.write_text("100\n")  # it began again
    assert sample(sensor) == {"both": 912340992 + 441122816 + 100}
    for path in device.root.glob("sys/fs/resctrl/mon_data/*/mbm_total_bytes"):
        path.write_text("Error\n")
    with pytest.raises(SensorLostError):
        sensor.sample()
    close((sensor,))


def test_control_groups_of_others_take_their_part_out_of_the_count(tmp_path: Path) -> None:
    root = Device(XEON, tmp_path).root
    (root / "sys/fs/resctrl/batch").mkdir()
    assert resctrl.discover(root) is None


def test_resctrl_that_is_not_mounted_or_does_not_monitor(tmp_path: Path) -> None:
    assert resctrl.discover(tmp_path) is None
    (tmp_path / "sys/fs/resctrl/info").mkdir(parents=True)
    assert resctrl.discover(tmp_path) is None
