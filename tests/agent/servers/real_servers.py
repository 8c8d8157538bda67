"""Which of the real servers are here."""

from edgeprof_agent.engines.engine import EngineError
from edgeprof_agent.engines.server_modules import refuse_missing_or_old_modules
from edgeprof_agent.engines.server_table import LLAMA_CPP_PYTHON_SERVER, LLAMA_SERVER, MLX_LM_SERVER
from tests.agent.engines.llama_bench_program import BUILD

LLAMA_SERVER_PROGRAM = BUILD / "llama-server"
"""llama-server of the installed llama-cpp-python's own source, which `make test` builds."""
_OF_PYTHON = {kind.name: kind for kind in (LLAMA_CPP_PYTHON_SERVER, MLX_LM_SERVER)}


def why_missing(name: str) -> str:
    """Why a server cannot run here; empty if it can."""
    if name == LLAMA_SERVER.name and not LLAMA_SERVER_PROGRAM.exists():
        return "llama-server is not built: make llama-programs"
    if name in _OF_PYTHON:
        try:
            refuse_missing_or_old_modules(_OF_PYTHON[name])
        except EngineError as error:
            return str(error)
    return ""
