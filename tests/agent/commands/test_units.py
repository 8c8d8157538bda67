import pytest

from edgeprof.catalogue import METRICS
from edgeprof.units import human


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("edgeprof_cpu_busy_ratio", 0.417, "41.7 %"),
        ("edgeprof_cpu_frequency_hertz", 4.09e9, "4.09 GHz"),
        ("edgeprof_memory_total_bytes", 8443154432, "7.9 GiB"),
        ("edgeprof_workload_resident_bytes", 512, "512 B"),
        ("edgeprof_disk_read_bytes_total", 1.26e6, "1.26 MB/s"),
        ("edgeprof_memory_bandwidth_bytes_per_second", 41.6e9, "41.6 GB/s"),
        ("edgeprof_energy_joules_total", 12.345, "12.35 W"),
        ("edgeprof_power_watts", 0.3, "0.30 W"),
        ("edgeprof_temperature_celsius", 44, "44.0 C"),
        ("edgeprof_workload_cpu_seconds_total", 1.5, "150.0 %"),
        ("edgeprof_major_page_faults_total", 1.6667, "1.67 /s"),
        ("edgeprof_sensor_sample_seconds", 83e-6, "83 us"),
        ("edgeprof_sensor_sample_seconds", 0.0012, "1.2 ms"),
        ("edgeprof_sensor_age_seconds", 2.0, "2 s"),
    ],
)
def test_values_as_people_read_them(metric: str, value: float, text: str) -> None:
    assert human(metric, value) == text


def test_every_metric_has_a_unit_that_is_known() -> None:
    for metric in METRICS:
        assert not human(metric, 1.0).replace(".", "").isdigit(), metric
