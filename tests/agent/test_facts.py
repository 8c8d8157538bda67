"""Facts that change while the agent runs, on a device tree that changes."""

import asyncio
from functools import partial
from pathlib import Path

from edgeprof_agent.facts import CurrentFacts
from edgeprof_agent.sensors.device_facts import gather_device_facts


def write_governor(root: Path, name: str) -> None:
    folder = root / "sys/devices/system/cpu/cpufreq/policy0"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "scaling_governor").write_text(f"{name}\n")


def test_a_change_is_noticed_and_told_once(tmp_path: Path) -> None:
    async def main() -> None:
        told = asyncio.Event()
        write_governor(tmp_path, "powersave")
        gather = partial(gather_device_facts, tmp_path, "device-1", {})
        facts = CurrentFacts(gather, tmp_path, changed=told.set, check_seconds=0.001)
        watching = asyncio.ensure_future(facts.watch())
        before = facts.latest
        write_governor(tmp_path, "performance")
        await asyncio.wait_for(told.wait(), 30)
        watching.cancel()
        assert (before.governor, facts.latest.governor) == ("powersave", "performance")
        told.clear()
        assert facts.gather_again() == facts.latest
        assert not told.is_set()
        write_governor(tmp_path, "schedutil")
        assert facts.gather_again().governor == "schedutil"
        assert told.is_set()

    asyncio.run(main())
