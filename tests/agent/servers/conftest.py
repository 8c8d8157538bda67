"""Servers that tests run for real, where they are there."""

import importlib.util
from pathlib import Path

import pytest

from edgeprof_agent.workload.server_config import ServerConfig
from tests.agent.workload.runs import Device, write_tiny_model

LLAMA_SERVER = Path(__file__).parents[3] / "build" / "llama-cpp" / "llama-server"


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a synthetic model of a few megabytes."""
    return write_tiny_model(tmp_path_factory.mktemp("models"))


@pytest.fixture
def device(tmp_path: Path) -> Device:
    """A device whose runs are recorded."""
    return Device(tmp_path)


@pytest.fixture(scope="session")
def llama_server() -> ServerConfig:
    """llama-server of the installed llama-cpp-python's own source, which `make test` builds."""
    if not LLAMA_SERVER.exists():
        pytest.skip("llama-server is not built: make llama-programs")
    return ServerConfig(program=str(LLAMA_SERVER))


@pytest.fixture(scope="session")
def llama_cpp_python_server() -> str:
    """The engine's name, where the packages that llama_cpp.server needs are installed."""
    for package in ("fastapi", "sse_starlette", "pydantic_settings", "starlette_context"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"llama_cpp.server needs {package}: pip install 'llama-cpp-python[server]'")
    return "llama-cpp-python-server"
