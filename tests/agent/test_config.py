"""The agent's configuration."""

from pathlib import Path

import pytest

from edgeprof.errors import ConfigError
from edgeprof_agent.config import AgentConfig, LogLevel, is_address, read_config
from edgeprof_agent.workload.server_config import ServerConfig

WHOLE = """
collector = "collector.lan:7743"
state_folder = "/var/lib/edgeprof"
cache_folder = "/var/cache/edgeprof"
log_level = "warning"

[device]
id = "jetson-07"
name = "bench 7"
labels = { site = "berlin", rack = "4" }

[sampling]
fast_hertz = 100
slow_hertz = 2
idle_hertz = 0.5
idle_frame_seconds = 30

[spool]
max_bytes = 50_000_000
max_age_days = 7

[allowed]
engines = ["llama-cpp-python"]
model_folders = ["/models"]
pythons = ["/opt/exl/bin/python"]

[servers.llama-server]
program = "/opt/llama-server"

[servers.kitchen]
kind = "ollama"
address = "http://127.0.0.1:11434"
process_id = 42
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "agent.toml"
    file.write_text(text)
    return file


def test_every_option_can_be_given(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, WHOLE))
    assert config.collector == "collector.lan:7743"
    assert config.state_path == Path("/var/lib/edgeprof")
    assert config.cache_path == Path("/var/cache/edgeprof")
    assert config.log_level is LogLevel.WARNING
    assert config.device.labels == {"site": "berlin", "rack": "4"}
    assert config.sampling.fast_hertz == 100
    assert config.spool.max_age_days == 7
    assert config.allowed.pythons == ("/opt/exl/bin/python",)
    assert config.servers["llama-server"] == ServerConfig(program="/opt/llama-server")
    assert config.servers["kitchen"].process_id == 42


def test_every_option_has_a_default(tmp_path: Path) -> None:
    assert read_config(written(tmp_path, "")) == read_config(None) == AgentConfig()
    assert AgentConfig().state_path.is_absolute()
    assert AgentConfig().cache_path.is_absolute()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('colector = "a:1"', r"agent\.toml:1: unknown key 'colector'; did you mean 'collector'\?"),
        ("\n[spool]\nmax_bytes = 10", r"agent\.toml:3: 'spool\.max_bytes': .*>= 1000000"),
        ("[sampling]\nfast_hertz = 1000", r"agent\.toml:2: 'sampling\.fast_hertz': .*<= 100"),
        ('collector = "nowhere"', r"agent\.toml:1: 'collector': "),
        ('log_level = "loud"', r"agent\.toml:1: 'log_level': .*debug, info, warning"),
        ("[device]\nlabels = { site = 4 }", r"agent\.toml:2: 'device\.labels"),
        ("[servers.a]\nadress = 'x'", r"agent\.toml:2: unknown key 'servers\.a\.adress'; did you mean 'address'\?"),
        ("[servers.a]\naddress = '127.0.0.1:8080'", r"agent\.toml:2: 'servers\.a\.address': "),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_config(written(tmp_path, text))


@pytest.mark.parametrize("text", ["localhost:1", "10.0.0.7:7743", "[::1]:7743", "collector.example.com:65535"])
def test_addresses(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize("text", ["localhost", "localhost:", ":7743", "http://localhost:7743", "::1:7743", "a b:1", ""])
def test_what_is_no_address(text: str) -> None:
    assert not is_address(text)
