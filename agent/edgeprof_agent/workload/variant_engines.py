"""The engine processes of a run."""

from edgeprof_agent.workload.engine_process import EngineProcess


class VariantEngines:
    """One engine process for each variant where all are loaded side by side; else one that loads them in turn."""

    def __init__(self, first: EngineProcess, engine: str, python: str, *, side_by_side: bool) -> None:
        self._processes = [first]
        self._by_variant: dict[int, EngineProcess] = {}
        self._engine = engine
        self._python = python
        self._side_by_side = side_by_side

    async def assign(self, variant: int) -> None:
        """Choose the process that is to load a variant, and start it if need be.

        Raises:
            EngineFailedError: another process was needed and did not start.
        """
        if self._side_by_side and self._by_variant:
            self._processes.append(await EngineProcess.start(self._engine, self._python))
        self._by_variant[variant] = self._processes[-1]

    def of(self, variant: int) -> EngineProcess:
        """Return the process of a variant."""
        return self._by_variant[variant]

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The processes that were started."""
        return tuple(process.pid for process in self._processes)

    def kill(self) -> None:
        """End them all, now."""
        for process in self._processes:
            process.kill()

    async def close(self) -> None:
        """End them all in good order and reap them."""
        for process in self._processes:
            await process.close()
