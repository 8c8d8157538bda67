"""Many simulated agents in one process: python -m tests.faults.fleet FOLDER PORT DEVICES SECONDS FRAMES_PER_SECOND"""

import asyncio
import sys
from pathlib import Path

from tests.faults.agent import agent
from tests.faults.traffic import frame


async def _be_a_device(folder: Path, port: int, number: int, seconds: float, frames_per_second: float) -> None:
    async with agent(folder / f"device-{number}", port, device_id=f"device-{number}") as one:
        one.begin_run(f"run-{number}")
        for tag in range(1, round(seconds * frames_per_second) + 1):
            one.outbox.hand_over(frame(tag, f"run-{number}"))
            await asyncio.sleep(1 / frames_per_second)
        await one.all_acknowledged()


async def _be_a_fleet(folder: Path, port: int, devices: int, seconds: float, frames_per_second: float) -> None:
    await asyncio.gather(*(_be_a_device(folder, port, number, seconds, frames_per_second) for number in range(devices)))


if __name__ == "__main__":
    asyncio.run(
        _be_a_fleet(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
    )
