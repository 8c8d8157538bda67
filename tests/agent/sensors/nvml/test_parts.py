"""The parts that need no driver: masks, fields and lists of processes of any content."""

from collections.abc import Sequence
from math import isfinite
from types import SimpleNamespace

import pynvml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeprof_agent.sensors.nvml_fields import fast_fields, readings_of, slow_fields
from edgeprof_agent.sensors.nvml_peak import computed_peak_bytes_per_second
from edgeprof_agent.sensors.nvml_throttle import throttle_reasons
from edgeprof_agent.sensors.nvml_workload import ancestors, workload_memory_bytes

FIELDS = (*fast_fields("gpu0"), *slow_fields("gpu0", 595))


@pytest.mark.parametrize(
    ("mask", "reasons"),
    [
        (0x0, set()),
        (0x1, {"idle"}),
        (0x4, {"power"}),
        (0x8, {"other"}),  # a hardware slowdown that says no more
        (0x48, {"thermal"}),  # a hardware slowdown that is explained by heat
        (0x88, {"power"}),
        (0x24, {"power", "thermal"}),
        (0x12, {"other"}),
        (0x600, {"other"}),
        (0x2000, {"other"}),  # a reason that is not known yet
    ],
)
def test_throttle_reasons(mask: int, reasons: set[str]) -> None:
    assert {reason for reason, is_active in throttle_reasons(mask).items() if is_active} == reasons


@given(st.integers(0, 2**64 - 1))
def test_a_mask_has_a_reason_unless_it_is_empty(mask: int) -> None:
    reasons = throttle_reasons(mask)
    assert set(reasons) == {"power", "thermal", "idle", "other"}
    assert any(reasons.values()) == (mask != 0)


@given(
    st.lists(
        st.tuples(st.sampled_from((0, 0, 0, 3, 999)), st.integers(0, 12), st.integers(0, 2**64 - 1)),
        min_size=len(FIELDS),
        max_size=len(FIELDS),
    )
)
def test_answers_of_any_content_give_finite_values_of_those_that_were_given(
    answers: list[tuple[int, int, int]],
) -> None:
    structures = (pynvml.c_nvmlFieldValue_t * len(answers))()
    for structure, (outcome, value_type, value) in zip(structures, answers, strict=True):
        structure.nvmlReturn, structure.valueType, structure.value.ullVal = outcome, value_type, value
    given_channels = {
        field.channel
        for field, (outcome, value_type, _) in zip(FIELDS, answers, strict=True)
        if outcome == 0 and value_type <= pynvml.NVML_VALUE_TYPE_UNSIGNED_SHORT
    }
    readings = readings_of(FIELDS, structures)
    assert {reading.channel for reading in readings} <= given_channels
    assert all(isfinite(reading.value) for reading in readings)


@pytest.mark.parametrize(
    ("clock_mhz", "bus_bits", "specified_gbs"),
    [(7501, 192, 360), (5001, 256, 320), (9751, 384, 936), (10501, 384, 1008), (1593, 5120, 2039)],
)
def test_the_computed_peak_is_the_specified_one(clock_mhz: int, bus_bits: int, specified_gbs: int) -> None:
    assert computed_peak_bytes_per_second(clock_mhz * 1e6, bus_bits) / 1e9 == pytest.approx(specified_gbs, rel=1e-3)


@pytest.mark.parametrize(
    ("processes", "used_bytes"),
    [
        ([(10, 5)], 5),
        ([(11, 5), (12, 7), (20, 100)], 12),  # descendants, and a stranger
        ([(20, 100)], None),
        ([(11, 5), (12, None)], None),
        ([], None),
    ],
)
def test_memory_of_a_workload(processes: Sequence[tuple[int, int | None]], used_bytes: int | None) -> None:
    parents = {11: {10, 1}, 12: {11, 10, 1}, 20: {1}}
    listed = [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in processes]
    assert workload_memory_bytes(10, listed, lambda pid: parents.get(pid, set())) == used_bytes


def test_a_process_that_has_ended_has_no_ancestors() -> None:
    assert ancestors(2**22 + 1) == set()  # more than any process has
