"""Which of the real servers are here."""

import importlib.util

from edgeprof_agent.engines.server_table import LLAMA_CPP_PYTHON_SERVER, LLAMA_SERVER, MLX_LM_SERVER
from tests.agent.engines.llama_bench_program import BUILD

LLAMA_SERVER_PROGRAM = BUILD / "llama-server"
"""llama-server of the installed llama-cpp-python's own source, which `make test` builds."""
_MODULES = {kind.name: kind.modules for kind in (LLAMA_CPP_PYTHON_SERVER, MLX_LM_SERVER)}


def why_missing(name: str) -> str:
    """Why a server cannot run here; empty if it can."""
    if name == LLAMA_SERVER.name and not LLAMA_SERVER_PROGRAM.exists():
        return "llama-server is not built: make llama-programs"
    if missing := [module for module in _MODULES.get(name, ()) if importlib.util.find_spec(module) is None]:
        return f"{name} needs {', '.join(missing)}: make .venv/ready-tests"
    return ""
