"""The bandwidth that a GPU's memory has by its clock and width."""


def computed_peak_bytes_per_second(max_memory_clock_hertz: float, bus_width_bits: int) -> float:
    """Return the highest bandwidth: two transfers a clock, each as wide as the bus.

    NVML states memory clocks so that this holds for GDDR and HBM alike. It is the specified figure for RTX 3060, 3090
    and 4090, T4 and A100; for the H200 it is 2 % more. Where NVML knows no width, as for memory shared with the host,
    there is no such figure.
    """
    return max_memory_clock_hertz * 2 * bus_width_bits / 8
