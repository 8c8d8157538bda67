from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeprof_agent.sensors.dmi import HostMemory, host_memory, memory_modules
from tests.agent.sensors.dmi_tables import memory_device, table


def host(root: Path, *structures: bytes) -> HostMemory:
    folder = root / "sys/firmware/dmi/tables"
    folder.mkdir(parents=True)
    (folder / "DMI").write_bytes(table(*structures))
    return host_memory(root)


def test_two_channels_of_two_modules_each(tmp_path: Path) -> None:
    places = [f"Controller{controller}-ChannelA-DIMM{slot}" for controller in (0, 1) for slot in (0, 1)]
    modules = [memory_device(device_locator=place, bank_locator="BANK 0") for place in places]
    assert host(tmp_path, *modules) == HostMemory(type="DDR4", transfers_per_second=3_200_000_000, bus_bits=128)


def test_channels_of_two_processors_are_apart(tmp_path: Path) -> None:
    modules = [
        memory_device(
            device_locator="DIMM 1", bank_locator=f"P{processor} CHANNEL {channel}", kind=0x22, configured=4800
        )
        for processor in (0, 1)
        for channel in "ABCD"
    ]
    assert host(tmp_path, *modules) == HostMemory(type="DDR5", transfers_per_second=4_800_000_000, bus_bits=512)


def test_an_empty_socket_is_no_module(tmp_path: Path) -> None:
    modules = [
        memory_device(device_locator="ChannelA-DIMM0"),
        memory_device(device_locator="ChannelB-DIMM0", size_mb=0, kind=2, speed=0, configured=0),
    ]
    assert host(tmp_path, *modules) == HostMemory(type="DDR4", transfers_per_second=3_200_000_000, bus_bits=64)


@pytest.mark.parametrize("place", ["DIMM_A1", "Bottom-Slot 1", "", "Channel"])
def test_places_that_do_not_tell_the_channel_leave_the_width_unknown(place: str, tmp_path: Path) -> None:
    modules = (memory_device(device_locator="ChannelA-DIMM0"), memory_device(device_locator=place))
    assert host(tmp_path, *modules) == HostMemory(type="DDR4", transfers_per_second=3_200_000_000, bus_bits=None)


def test_the_slowest_module_sets_the_speed_and_one_of_unknown_speed_none(tmp_path: Path) -> None:
    fast, slow = memory_device(configured=3200), memory_device(configured=2933)
    silent = memory_device(speed=0, configured=0)
    assert host(tmp_path / "1", fast, slow).transfers_per_second == 2_933_000_000
    assert host(tmp_path / "2", fast, silent).transfers_per_second is None


def test_an_older_table_has_the_modules_speed_alone(tmp_path: Path) -> None:
    module = memory_device(kind=0x18, speed=1600, configured=0xAAAA, length=0x1C)
    assert host(tmp_path, module) == HostMemory(type="DDR3", transfers_per_second=1_600_000_000)


def test_types_that_differ_or_are_unknown_are_not_named(tmp_path: Path) -> None:
    assert host(tmp_path / "1", memory_device(kind=0x1A), memory_device(kind=0x22)).type is None
    assert host(tmp_path / "2", memory_device(kind=0x02)).type is None


def test_without_permission_nothing_is_known(tmp_path: Path) -> None:
    assert host_memory(tmp_path) == HostMemory()
    assert host(tmp_path) == HostMemory()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 120))
def test_torn_tables_end_where_they_are_torn(rubbish: bytes, cut: int) -> None:
    whole = table(memory_device(device_locator="ChannelA-DIMM0"), memory_device(device_locator="ChannelB-DIMM0"))
    assert len(list(memory_modules(whole))) == 2
    assert len(list(memory_modules(whole[:cut]))) <= 2
    for module in memory_modules(whole[:cut] + rubbish):
        assert module.data_bits is None or 0 < module.data_bits < 2**16
        assert module.transfers_per_second is None or 0 < module.transfers_per_second < 2**16 * 10**6
