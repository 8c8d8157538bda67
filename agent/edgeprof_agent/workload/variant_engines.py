"""The engine processes of a run."""

from collections.abc import Mapping, Sequence

from edgeprof_agent.workload.engine_process import EngineProcess
from edgeprof_agent.workload.server_config import ServerConfig


class VariantEngines:
    """An engine process for each variant that is loaded; one that has unloaded loads another, or ends if ``fresh``.

    ``started`` holds a process of each interpreter, ``pythons`` the interpreter of each variant.
    """

    def __init__(
        self,
        started: Mapping[str, EngineProcess],
        engine: str,
        pythons: Sequence[str],
        servers: Mapping[str, ServerConfig],
        *,
        fresh: bool = False,
        launcher: Sequence[str] = (),
    ) -> None:
        self._processes = list(started.values())
        self._free = {python: [process] for python, process in started.items()}
        self._by_variant: dict[int, EngineProcess] = {}
        self._engine = engine
        self._pythons = pythons
        self._servers = servers
        self._fresh = fresh
        self._launcher = launcher

    async def assign(self, variant: int) -> None:
        """Choose the process that is to load a variant, and start it if none is free.

        Raises:
            EngineFailedError: another process was needed and did not start.
        """
        python = self._pythons[variant]
        free = self._free[python]
        if not free:
            process = await EngineProcess.start(self._engine, python, self._servers, launcher=self._launcher)
            self._processes.append(process)
            free.append(process)
        self._by_variant[variant] = free.pop()

    async def release(self, variant: int) -> None:
        """Take back the process of a variant that was unloaded."""
        process = self._by_variant.pop(variant)
        if self._fresh:
            await process.close()
            self._processes.remove(process)
        else:
            self._free[self._pythons[variant]].append(process)

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
