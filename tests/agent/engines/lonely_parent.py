"""Starts the engine that its argument names and stays in a step of it, to be killed."""

import asyncio
import sys

from edgeprof.plan import Step, StepKind
from edgeprof_agent.workload.engine_process import EngineProcess


async def main(engine: str, behaviour: str) -> None:
    process = await EngineProcess.start(engine)
    await process.load("", {"behaviour": behaviour}, 1, 1)
    await process.run_step(Step(kind=StepKind.DECODE, name="decode 1", decode_tokens=1), lambda _: None)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
