"""A run, or idle telemetry, that is denser than it will be kept, and what thins it."""

from collections.abc import Sequence

from edgeprof.telemetry import Channel, Placement, SampledBlock, SampledFrame, encode_frame
from edgeprof.v1.uplink_pb2 import AgentMessage
from edgeprof_collector.store.protocol import Arrival, Delivery, Store
from edgeprof_collector.store.retention import Retention, Retired
from tests.collector.store.samples import (
    BOOT,
    DEVICE,
    EPOCH,
    LIFE,
    SECOND_NS,
    WALL_NS,
    event_message,
    finished,
    greeting,
    layout,
    started,
)

DAY_NS = 86_400 * SECOND_NS
GAUGE = Channel("edgeprof_workload_resident_bytes", (), "test", 4096)
COUNTER = Channel("edgeprof_network_received_bytes_total", (("interface", "eth0"),), "test", 1)
CHANNELS: tuple[Channel, ...] = (GAUGE, COUNTER)
THIN = Retention(idle_days=0, idle_1s_days=1, idle_10s_days=0, run_1s_days=1)
SECONDS = 120


def message(sequence: int, run_id: str, hertz: int = 10) -> AgentMessage:
    """A second: memory from 10 to 19 steps, and 7 bytes received each tenth of a second since boot."""
    start_ns = sequence * SECOND_NS
    ticks = range(sequence * 10, sequence * 10 + 10, 10 // hertz)
    block = SampledBlock(
        channels=CHANNELS,
        times_monotonic_ns=tuple(tick * SECOND_NS // 10 for tick in ticks),
        columns=(tuple(10 + tick % 10 for tick in ticks), tuple(7 * tick for tick in ticks)),
    )
    frame = SampledFrame(
        run_id=run_id, start_monotonic_ns=start_ns, end_monotonic_ns=start_ns + SECOND_NS, blocks=(block,)
    )
    return AgentMessage(sequence=sequence, frame=encode_frame(frame, BOOT, {CHANNELS: 1}.__getitem__))


def fill(store: Store, run_id: str = "run-1") -> None:
    """A run, or none, of two minutes; and a last frame that is of none."""
    store.admit([greeting()])
    frames = [message(sequence, run_id) for sequence in range(20, 20 + SECONDS)]
    ends: Sequence[AgentMessage] = (event_message(20 + SECONDS, finished(run_id)),) if run_id else ()
    begins = [event_message(sequence, started(run_id)) for sequence in (1,)] if run_id else []
    messages = [*begins, *frames, *ends, message(30 + SECONDS, "")]
    store.commit([placed(*(numbered(each, sequence) for sequence, each in enumerate(messages, 1)))])


def numbered(message: AgentMessage, sequence: int) -> AgentMessage:
    """The message as the one of that sequence."""
    message.sequence = sequence
    return message


def placed(*messages: AgentMessage, late_ns: int = 0, placement: Placement = Placement.EXACT) -> Delivery:
    """Messages whose frames began so long after the boot did, and that at ``WALL_NS``."""
    arrivals = [
        Arrival(
            each.sequence,
            each.SerializeToString(),
            each,
            WALL_NS + each.frame.start_monotonic_ns + each.frame.slept_ns + late_ns,
            placement,
        )
        for each in messages
    ]
    return Delivery(DEVICE, EPOCH, [layout(1, CHANNELS)], arrivals, WALL_NS, LIFE)


def thin_all(store: Store, retention: Retention = THIN, days: float = 5, to: Sequence[str] = ()) -> Retired:
    """Thin what is due so many days after the first; return what was done in all."""
    thinned = unsent = 0
    while (retired := store.retire(retention, WALL_NS + round(days * DAY_NS), to)) != Retired():
        assert retired.thinned_frames <= 64, "a pass is bounded"
        thinned, unsent = thinned + retired.thinned_frames, unsent + retired.unsent_frames
    return Retired(thinned_frames=thinned, unsent_frames=unsent)
