"""Peak memory bandwidth by arithmetic: how often a bus moves data, times its width."""

_TRANSFERS_PER_CLOCK = 2
_BITS_PER_BYTE = 8


def peak_by_transfers(transfers_per_second: float, bus_bits: int) -> float:
    """Return bytes per second of a bus, such as two channels of DDR4-3200: 3200 MT/s on 128 bits are 51.2 GB/s."""
    return transfers_per_second * bus_bits / _BITS_PER_BYTE


def peak_by_clock(clock_hertz: float, bus_bits: int) -> float:
    """Return bytes per second of memory that moves data on both edges of its clock.

    Such are NVIDIA's, by the highest memory clock that NVML tells (10,501 MHz on 384 bits are 1,008 GB/s on an RTX
    4090), and the Jetsons', by the highest clock of their memory controller.
    """
    return peak_by_transfers(clock_hertz * _TRANSFERS_PER_CLOCK, bus_bits)
