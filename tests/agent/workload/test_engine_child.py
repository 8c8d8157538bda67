"""The pipes of an engine's process."""

import asyncio
import gc
import time
from contextlib import suppress
from typing import Any

import psutil
import pytest

from edgeprof_agent.workload.engine_child import EngineChild
from edgeprof_agent.workload.engine_launch import Launch
from edgeprof_agent.workload.engine_messages import EngineFailedError


def test_a_command_to_a_child_that_has_just_ended_leaves_no_complaint_in_the_log() -> None:
    # From 3.11 on asyncio itself keeps quiet.
    complaints: list[dict[str, Any]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        child = await EngineChild.start(Launch(("/bin/sh", "-c", "exit 3"), {}))
        wait_for_the_end(child.pid)  # with the loop standing still, so that it hears of it later
        child.send({"command": "load"})  # into a pipe that nobody reads any more
        with pytest.raises(EngineFailedError, match="ended with exit status 3 during its load"):
            await child.read("its load", 30)

    asyncio.run(main())
    gc.collect()
    assert complaints == []


def wait_for_the_end(pid: int) -> None:
    with suppress(psutil.NoSuchProcess):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
