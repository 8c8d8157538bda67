import asyncio
import sys

from edgeprof.plan import Gates
from edgeprof_agent.workload.gate import wait_at_gate


def pass_gate(gates: Gates, *celsius: float | None) -> str:
    """Wait at the gate; each look finds the next temperature, and the last one for ever."""
    readings = list(celsius)
    return asyncio.run(wait_at_gate(gates, lambda: readings.pop(0) if len(readings) > 1 else readings[0]))


def test_a_gate_without_conditions_is_open() -> None:
    assert pass_gate(Gates(idle_cpu_ratio=None), 99.0) == "nothing to wait for"


def test_it_waits_until_the_device_is_cool() -> None:
    readings = [70.0, 60.0, 45.0]
    note = pass_gate(Gates(idle_cpu_ratio=None, start_temperature_celsius=50.0), *readings)
    assert note.startswith("after ")
    assert note.endswith("45.0 °C (wanted at most 50 °C)")


def test_it_gives_up_in_time_and_says_what_it_got() -> None:
    note = pass_gate(Gates(idle_cpu_ratio=None, start_temperature_celsius=50.0, wait_seconds=0.1), 70.0)
    assert note.startswith("gave up after ")
    assert note.endswith("70.0 °C (wanted at most 50 °C)")


def test_a_device_without_a_temperature_is_let_through() -> None:
    note = pass_gate(Gates(idle_cpu_ratio=None, start_temperature_celsius=50.0), None)
    assert note.endswith("no temperature to read (wanted at most 50 °C)")


def test_any_machine_is_idle_enough_for_a_gate_that_wants_all_of_it() -> None:
    note = pass_gate(Gates(idle_cpu_ratio=1.0), None)
    assert note.startswith("after ")
    assert "busy (wanted at most 100%)" in note


def test_a_busy_machine_is_noticed() -> None:
    async def look_while_something_works() -> str:
        spinner = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "print(flush=True)\nwhile True: pass", stdout=asyncio.subprocess.PIPE
        )
        assert spinner.stdout
        await spinner.stdout.readline()
        try:
            return await wait_at_gate(Gates(idle_cpu_ratio=0.0, wait_seconds=0.0), lambda: None)
        finally:
            spinner.kill()
            await spinner.communicate()

    note = asyncio.run(look_while_something_works())
    assert note.startswith("gave up after ")
    assert "CPU 0% busy" not in note
