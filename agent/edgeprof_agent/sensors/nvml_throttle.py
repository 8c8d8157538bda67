"""Why a GPU's clocks are held back."""

import pynvml

# "HwSlowdown" alone may be heat, a power brake or a fast power excursion, so it counts as other. No bit means current
# and nothing else, so there is no such reason here.
_REASONS = {
    "power": pynvml.nvmlClocksEventReasonSwPowerCap | pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown,
    "thermal": pynvml.nvmlClocksEventReasonSwThermalSlowdown | pynvml.nvmlClocksEventReasonHwThermalSlowdown,
    "idle": pynvml.nvmlClocksEventReasonGpuIdle,
}
_EXPLAINED_SLOWDOWNS = pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown | pynvml.nvmlClocksEventReasonHwThermalSlowdown


def throttle_reasons(mask: int) -> dict[str, bool]:
    """Say for each of edgeprof's reasons whether NVML's mask has it."""
    if mask & _EXPLAINED_SLOWDOWNS:  # HwSlowdown is set beside the bit that explains it
        mask &= ~pynvml.nvmlClocksEventReasonHwSlowdown
    active = {}
    for reason, bits in _REASONS.items():
        active[reason] = bool(mask & bits)
        mask &= ~bits
    return {**active, "other": bool(mask)}
