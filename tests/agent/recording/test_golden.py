import json
from pathlib import Path

from edgeprof_agent.recording.golden import exposition, tree_facts, tree_readings


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_readings_are_those_of_the_later_moment_and_the_tree_stays(tmp_path: Path) -> None:
    zone = "sys/class/thermal/thermal_zone0"
    write(tmp_path / "tree", {f"{zone}/type": "cpu\n", f"{zone}/temp": "40000\n"})
    write(tmp_path / "later", {f"{zone}/temp": "42000\n"})
    text = exposition(tree_readings(tmp_path / "tree", tmp_path / "later"))
    assert text == 'edgeprof_temperature_celsius{chip="thermal_zone",place="cpu"} 42\n'
    assert (tmp_path / "tree" / zone / "temp").read_text() == "40000\n"


def test_a_sensor_that_is_lost_on_the_way_costs_its_channels_only(tmp_path: Path) -> None:
    zone, rapl = "sys/class/thermal/thermal_zone0", "sys/class/powercap/intel-rapl:0"
    write(tmp_path / "tree", {f"{zone}/type": "cpu\n", f"{zone}/temp": "40000\n"})
    write(tmp_path / "tree", {f"{rapl}/name": "p\n", f"{rapl}/energy_uj": "5\n", f"{rapl}/max_energy_range_uj": "9\n"})
    write(tmp_path / "later", {f"{rapl}/energy_uj": ""})
    metrics = {channel.metric for channel, _ in tree_readings(tmp_path / "tree", tmp_path / "later")}
    assert metrics == {"edgeprof_temperature_celsius"}


def test_facts_name_no_agent(tmp_path: Path) -> None:
    write(tmp_path, {"proc/sys/kernel/hostname": "host-1\n"})
    facts = json.loads(tree_facts(tmp_path))
    assert facts["hostname"] == "host-1"
    assert not {"agent_version", "architecture"} & set(facts)
