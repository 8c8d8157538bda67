from dataclasses import replace

import pytest

from edgeprof.device import Accelerator, DeviceFacts
from edgeprof.run import PeakMethod
from edgeprof_agent.ceilings.computed_peaks import peak_by_clock, peak_by_transfers
from edgeprof_agent.ceilings.peaks import known_peaks
from edgeprof_agent.ceilings.specified_peaks import specified_peak

HOST = DeviceFacts(
    device_id="d",
    hostname="h",
    architecture="x86_64",
    logical_cores=8,
    memory_total_bytes=2**34,
    os="",
    kernel="",
    agent_version="",
    cpu_model="12th Gen Intel(R) Core(TM) i5-12400",
)


@pytest.mark.parametrize(
    ("clock_mhz", "bits", "gigabytes"),
    [(7501, 192, 360), (5001, 256, 320), (9751, 384, 936), (1593, 5120, 2039), (3199, 256, 204.7), (1600, 64, 25.6)],
)
def test_clock_times_width_gives_what_makers_specify(clock_mhz: int, bits: int, gigabytes: float) -> None:
    assert peak_by_clock(clock_mhz * 1e6, bits) / 1e9 == pytest.approx(gigabytes, rel=0.001)


def test_two_channels_of_ddr4() -> None:
    assert peak_by_transfers(3200e6, 128) == 51.2e9


@pytest.mark.parametrize(
    ("product", "gigabytes"),
    [
        ("NVIDIA GeForce RTX 4090", 1008),
        ("NVIDIA H100 PCIe", 2000),
        ("NVIDIA H100 80GB HBM3", 3350),
        ("NVIDIA A100-SXM4-80GB", 2039),
        ("AMD Radeon RX 7900 XTX", 960),
        ("AMD Radeon RX 7900 XT", 800),
        ("Intel(R) Arc(TM) A770 Graphics", 560),
        ("AMD RYZEN AI MAX+ 395 w/ Radeon 8060S", 256),
        ("AMD Ryzen AI Max 390 w/ Radeon 8050S", 256),
        ("Apple M4", 120),
        ("Apple M4 Pro", 273),
        ("Orin NX GPU", 102.4),
    ],
)
def test_names_as_devices_tell_them(product: str, gigabytes: float) -> None:
    assert specified_peak(product) == gigabytes * 1e9


@pytest.mark.parametrize(
    "product",
    [
        "",
        "NVIDIA GeForce RTX 4090 Laptop GPU",
        "NVIDIA GeForce RTX 4090 D",
        "NVIDIA GeForce RTX 3060",
        "RTX",
        "AMD Radeon RX 7900 XTXX",
        "AMD Ryzen AI Maximum",
        "Apple M4 Max",
        "12th Gen Intel(R) Core(TM) i5-12400",
    ],
)
def test_names_that_stand_for_nothing_or_for_several(product: str) -> None:
    assert specified_peak(product) is None


def told(facts: DeviceFacts) -> dict[tuple[str, PeakMethod], tuple[float, str]]:
    return {(peak.processor, peak.method): (peak.bytes_per_second, peak.source) for peak in known_peaks(facts, "r")}


def test_a_host_whose_channels_are_known_has_a_computed_peak_alone() -> None:
    assert told(HOST) == {}
    assert told(replace(HOST, memory_transfers_per_second=3_200_000_000)) == {}
    known = replace(HOST, memory_transfers_per_second=3_200_000_000, memory_bus_bits=128)
    assert told(known) == {("cpu", PeakMethod.COMPUTED): (51.2e9, "3200 MT/s x 128 bits")}


def test_a_gpu_with_memory_of_its_own_has_both() -> None:
    gpu = Accelerator(
        name="gpu0",
        product="NVIDIA GeForce RTX 3090",
        vendor="NVIDIA",
        memory_clock_max_hertz=9_751_000_000,
        memory_bus_bits=384,
    )
    assert told(replace(HOST, accelerators=(gpu,))) == {
        ("gpu0", PeakMethod.COMPUTED): (936.096e9, "9751 MHz x 2 x 384 bits"),
        ("gpu0", PeakMethod.SPECIFIED): (936e9, "NVIDIA GeForce RTX 3090"),
    }


def test_processors_that_share_memory_share_its_peaks() -> None:
    gpu = Accelerator(name="gpu", product="Orin NX GPU", vendor="NVIDIA", unified_memory=True)
    facts = replace(
        HOST, cpu_model=None, accelerators=(gpu,), memory_transfers_per_second=6_398_000_000, memory_bus_bits=128
    )
    both = {
        PeakMethod.COMPUTED: (102.368e9, "6398 MT/s x 128 bits"),
        PeakMethod.SPECIFIED: (102.4e9, "Orin NX GPU"),
    }
    assert told(facts) == {(name, method): peak for name in ("cpu", "gpu") for method, peak in both.items()}
