"""Everything that is known of a device's peak memory bandwidth without measuring it."""

from collections.abc import Iterator

from edgeprof.device import Accelerator, DeviceFacts
from edgeprof.run import PeakBandwidth, PeakMethod
from edgeprof_agent.ceilings.computed_peaks import peak_by_clock, peak_by_transfers
from edgeprof_agent.ceilings.specified_peaks import specified_peak

_CPU = "cpu"


def known_peaks(facts: DeviceFacts, run_id: str) -> tuple[PeakBandwidth, ...]:
    """Return the computed and the specified peak of every processor, as far as the device tells what they take.

    A processor that shares the host's memory has the host's peaks, and the host has those of a chip whose memory comes
    with it.
    """
    return tuple(_peaks(facts, run_id))


def _peaks(facts: DeviceFacts, run_id: str) -> Iterator[PeakBandwidth]:
    shared = [each for each in facts.accelerators if each.unified_memory]
    host = _host_peaks(facts, shared)
    for processor in (_CPU, *(each.name for each in shared)):
        for method, (bytes_per_second, source) in host.items():
            yield _peak(run_id, processor, method, bytes_per_second, source)
    for accelerator in facts.accelerators:
        if not accelerator.unified_memory:
            for method, (bytes_per_second, source) in _own_peaks(accelerator).items():
                yield _peak(run_id, accelerator.name, method, bytes_per_second, source)


def _host_peaks(facts: DeviceFacts, shared: list[Accelerator]) -> dict[PeakMethod, tuple[float, str]]:
    peaks = {}
    transfers, bits = facts.memory_transfers_per_second, facts.memory_bus_bits
    if transfers and bits:
        source = f"{transfers / 1e6:.0f} MT/s x {bits} bits"
        peaks[PeakMethod.COMPUTED] = (peak_by_transfers(transfers, bits), source)
    for product in (facts.cpu_model, *(each.product for each in shared)):
        specified = specified_peak(product) if product else None
        if product and specified:
            peaks[PeakMethod.SPECIFIED] = (specified, product)
            break
    return peaks


def _own_peaks(accelerator: Accelerator) -> dict[PeakMethod, tuple[float, str]]:
    peaks = {}
    clock_hertz, bits = accelerator.memory_clock_max_hertz, accelerator.memory_bus_bits
    if clock_hertz and bits:
        source = f"{clock_hertz / 1e6:.0f} MHz x 2 x {bits} bits"
        peaks[PeakMethod.COMPUTED] = (peak_by_clock(clock_hertz, bits), source)
    if specified := specified_peak(accelerator.product):
        peaks[PeakMethod.SPECIFIED] = (specified, accelerator.product)
    return peaks


def _peak(run_id: str, processor: str, method: PeakMethod, bytes_per_second: float, source: str) -> PeakBandwidth:
    return PeakBandwidth(
        run_id=run_id, processor=processor, method=method, bytes_per_second=bytes_per_second, source=source
    )
