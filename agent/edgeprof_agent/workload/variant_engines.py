"""The engine processes of a run."""

from collections.abc import Mapping, Sequence

from edgeprof_agent.workload.engine_process import EngineProcess
from edgeprof_agent.workload.server_config import ServerConfig


class VariantEngines:
    """One engine process for each variant where all are loaded side by side; else one of each interpreter, in turn.

    ``started`` holds a process of each interpreter, ``pythons`` the interpreter of each variant.
    """

    def __init__(
        self,
        started: Mapping[str, EngineProcess],
        engine: str,
        pythons: Sequence[str],
        servers: Mapping[str, ServerConfig],
        *,
        side_by_side: bool,
        launcher: Sequence[str] = (),
    ) -> None:
        self._processes = list(started.values())
        self._of_python = dict(started)
        self._by_variant: dict[int, EngineProcess] = {}
        self._engine = engine
        self._pythons = pythons
        self._servers = servers
        self._side_by_side = side_by_side
        self._launcher = launcher

    async def assign(self, variant: int) -> None:
        """Choose the process that is to load a variant, and start it if need be.

        Raises:
            EngineFailedError: another process was needed and did not start.
        """
        python = self._pythons[variant]
        process = self._of_python[python]
        if self._side_by_side and process in self._by_variant.values():
            process = await EngineProcess.start(self._engine, python, self._servers, launcher=self._launcher)
            self._processes.append(process)
        self._by_variant[variant] = process

    def of(self, variant: int) -> EngineProcess:
        """Return the process of a variant."""
        return self._by_variant[variant]

    @property
    def workload_pids(self) -> tuple[int, ...]:
        """The processes that compute, as far as they are known."""
        return tuple(pid for process in self._processes if (pid := process.workload_pid) is not None)

    def kill(self) -> None:
        """End them all, now."""
        for process in self._processes:
            process.kill()

    async def close(self) -> None:
        """End them all in good order and reap them."""
        for process in self._processes:
            await process.close()
