"""Servers that tests run for real, where they are there."""

from pathlib import Path

import pytest

from edgeprof_agent.workload.server_config import ServerConfig
from tests.agent.workload.runs import Device, write_tiny_model

from .real_servers import LLAMA_SERVER_PROGRAM, why_missing


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a synthetic model of a few megabytes."""
    return write_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
def device(tmp_path: Path) -> Device:
    """A device whose runs are recorded."""
    return Device(tmp_path)


def present(name: str) -> str:
    """The server's name, where it is here; else the test is skipped."""
    if cause := why_missing(name):
        pytest.skip(cause)
    return name


@pytest.fixture(scope="session")
def llama_server() -> ServerConfig:
    """llama-server, where it was built."""
    present("llama-server")
    return ServerConfig(program=str(LLAMA_SERVER_PROGRAM))


@pytest.fixture(scope="session")
def llama_cpp_python_server() -> str:
    """The engine's name, where the packages that llama_cpp.server needs are installed."""
    return present("llama-cpp-python-server")


@pytest.fixture(scope="session")
def mlx_lm_server() -> str:
    """The engine's name, where mlx-lm is installed."""
    return present("mlx-lm-server")
