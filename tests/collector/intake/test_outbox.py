"""What waits for a device that does not read."""

import asyncio

from edgeprof.v1.uplink_pb2 import CollectorMessage, Welcome
from edgeprof_collector.intake.outbox import MOST_UNSENT, Outbox


def test_a_device_that_reads_nothing_costs_a_bounded_number_of_messages() -> None:
    async def scenario() -> None:
        reads = asyncio.Event()
        written: list[CollectorMessage] = []
        full: list[bool] = []

        async def write(message: CollectorMessage) -> None:
            await reads.wait()
            written.append(message)

        outbox = Outbox(write, lambda: full.append(True), 0)
        running = asyncio.create_task(outbox.run())
        for number in range(MOST_UNSENT):
            outbox.put(CollectorMessage(welcome=Welcome(stored_sequence=number)))
        assert not full
        outbox.put(CollectorMessage(welcome=Welcome()))
        assert full == [True]
        for sequence in range(1, 10_001):
            outbox.acknowledge(sequence)
            await asyncio.sleep(0)
        reads.set()
        await asyncio.wait_for(outbox.idle(), 10)
        assert [message.welcome.stored_sequence for message in written[:-1]] == list(range(MOST_UNSENT))
        assert written[-1].ack.stored_sequence == 10_000, "only the latest"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())
