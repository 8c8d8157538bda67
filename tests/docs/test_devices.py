"""docs/devices.md against the catalogue and the families of sensors."""

from pathlib import Path

from edgeprof.catalogue import METRICS
from edgeprof_agent.sensors.diagnosis.registry import DIAGNOSES

PAGE = Path(__file__).parents[2] / "docs/devices.md"
LEVELS = {
    "on hardware",
    "on a virtual machine",
    "against a recording",
    "against documentation",
    "not given yet",
}

# The heading of the tables that have a family's metrics, by the family.
SECTIONS = {
    "memory_traffic": "PCs",
    "rapl": "PCs",
    "thermal_zone": "PCs",
    "hwmon": "PCs",
    "cpu_throttle": "PCs",
    "jetson": "Jetson",
    "nvml": "NVIDIA",
    "amdgpu": "AMD",
    "intel_gpu": "Intel",
    "apple": "Apple",
}


def rows() -> list[tuple[str, list[str]]]:
    """The cells of every row, with the heading that it stands under."""
    found, heading = [], ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("| `"):
            found.append((heading, [cell.strip() for cell in line.strip("|").split("|")]))
    return found


def metric(cells: list[str]) -> str:
    return cells[0].strip("`")


def test_every_metric_of_the_catalogue_is_in_a_table_and_no_other() -> None:
    named = {metric(cells) for _, cells in rows()}
    assert named == set(METRICS), "docs/devices.md must have a row per metric and source"


def test_every_row_says_how_far_it_is_verified() -> None:
    for _, cells in rows():
        assert len(cells) == 5, cells
        assert all(cells), cells
        assert cells[4] in LEVELS, cells


def test_every_family_s_metrics_stand_under_its_heading() -> None:
    for diagnosis in DIAGNOSES:
        beginning = SECTIONS.get(diagnosis.family, "")
        there = {metric(cells) for heading, cells in rows() if heading.startswith(beginning)}
        assert there >= set(diagnosis.metrics), diagnosis.family


def test_no_row_is_there_twice() -> None:
    keys = [(heading, *cells[:2]) for heading, cells in rows()]
    assert len(keys) == len(set(keys))
